// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The MMU of a unit: a TLB and a walk cache that keep what they have until they
 * are told, or need the room, and a walker that reads the tables in memory.
 *
 * What is not mapped is not remembered: a fault walks anew after the replay. So
 * does an access that a remembered translation does not permit, before it
 * faults; permissions may be added without a flush, never taken away.
 *
 * The TLB holds pieces of 4 KiB. A fill from an entry with the 64K hint brings
 * in the whole group, so software that changes one page of it and leaves the
 * hint on the others meets its mistake.
 *
 * KASAN leaves the hot files out and is asked here instead, where every access
 * of a program and of the walk comes by: __kasan_check_*(), since what is in
 * linux/instrumented.h is empty in such files.
 */

#include <linux/bitfield.h>
#include <linux/hash.h>
#include <linux/kasan-checks.h>
#include <linux/mm.h>
#include <linux/nospec.h>

#include "vgem_svm_hw_priv.h"

#define VGEM_SVM_PTE_ATTRS	(VGEM_SVM_PTE_NO_EXEC | VGEM_SVM_PTE_UNCACHED)
#define VGEM_SVM_PTE_RESERVED \
	(~(VGEM_SVM_PTE_V | VGEM_SVM_PTE_W | VGEM_SVM_PTE_A | \
	   VGEM_SVM_PTE_LEAF | VGEM_SVM_PTE_APERTURE | VGEM_SVM_PTE_64K | \
	   VGEM_SVM_PTE_ATTRS | VGEM_SVM_PTE_ADDR | VGEM_SVM_PTE_PEER))
#define VGEM_SVM_TAG_VALID	BIT_ULL(63)

static u64 vgem_svm_tlb_tag(u32 vm, u64 va)
{
	return VGEM_SVM_TAG_VALID | (u64)vm << 45 | va >> 12;
}

static u64 vgem_svm_walk_tag(u32 vm, u64 va)
{
	return VGEM_SVM_TAG_VALID | (u64)vm << 36 | va >> 21;
}

static u32 vgem_svm_tag_vm(u64 tag, u8 shift)
{
	return (tag & ~VGEM_SVM_TAG_VALID) >> shift;
}

static struct vgem_svm_tlb_entry *vgem_svm_tlb_set(struct vgem_svm_unit *unit,
						   u64 tag)
{
	return unit->tlb[hash_64(tag, ilog2(VGEM_SVM_TLB_SETS))];
}

static struct vgem_svm_walk_entry *
vgem_svm_walk_slot(struct vgem_svm_unit *unit, u64 tag)
{
	return &unit->walk[hash_64(tag, ilog2(VGEM_SVM_WALK_CACHE))];
}

static struct vgem_svm_tlb_entry *vgem_svm_tlb_find(struct vgem_svm_unit *unit,
						    u64 tag)
{
	struct vgem_svm_tlb_entry *set = vgem_svm_tlb_set(unit, tag);
	unsigned int i;

	for (i = 0; i < VGEM_SVM_TLB_WAYS; i++)
		if (set[i].tag == tag)
			return &set[i];
	return NULL;
}

/* The same, with a guess at first that is mostly right. */
static struct vgem_svm_tlb_entry *
vgem_svm_tlb_guess(struct vgem_svm_unit *unit, u64 tag, u32 access)
{
	struct vgem_svm_tlb_entry **recent =
		&unit->recent[access == VGEM_SVM_ACCESS_EXEC];
	struct vgem_svm_tlb_entry *entry = *recent;

	if (likely(entry->tag == tag))
		return entry;
	entry = vgem_svm_tlb_find(unit, tag);
	if (entry)
		*recent = entry;
	return entry;
}

/* Where a translation goes: its old place, a free one, or the first in turn. */
static struct vgem_svm_tlb_entry *vgem_svm_tlb_victim(struct vgem_svm_unit *unit,
						      u64 tag)
{
	struct vgem_svm_tlb_entry *set = vgem_svm_tlb_set(unit, tag);
	struct vgem_svm_tlb_entry *entry = vgem_svm_tlb_find(unit, tag);
	unsigned int i;

	if (entry)
		return entry;
	for (i = 0; i < VGEM_SVM_TLB_WAYS; i++)
		if (!set[i].tag)
			return &set[i];
	for (i = 1; i < VGEM_SVM_TLB_WAYS; i++)
		set[i - 1] = set[i];
	return &set[VGEM_SVM_TLB_WAYS - 1];
}

/* ---- flushes ------------------------------------------------------------ */

static bool vgem_svm_tlb_hit(u64 tag, const struct vgem_svm_inv *inv)
{
	u64 page = tag & GENMASK_ULL(44, 0);

	if (!tag || vgem_svm_tag_vm(tag, 45) != inv->vm)
		return false;
	return (inv->flags & VGEM_SVM_INV_VM) ||
	       (page >= inv->first >> 12 && page <= inv->last >> 12);
}

static bool vgem_svm_walk_hit(u64 tag, const struct vgem_svm_inv *inv)
{
	u64 block = tag & GENMASK_ULL(35, 0);

	if (!tag || vgem_svm_tag_vm(tag, 36) != inv->vm)
		return false;
	return (inv->flags & VGEM_SVM_INV_VM) ||
	       (block >= inv->first >> 21 && block <= inv->last >> 21);
}

static void vgem_svm_tlb_flush_few(struct vgem_svm_unit *unit,
				   const struct vgem_svm_inv *inv)
{
	struct vgem_svm_tlb_entry *entry;
	u64 page;

	for (page = inv->first >> 12; page <= inv->last >> 12; page++) {
		entry = vgem_svm_tlb_find(unit, vgem_svm_tlb_tag(inv->vm,
								 page << 12));
		if (entry)
			entry->tag = 0;
	}
}

static void vgem_svm_tlb_flush_many(struct vgem_svm_unit *unit,
				    const struct vgem_svm_inv *inv)
{
	unsigned int set, way;

	for (set = 0; set < VGEM_SVM_TLB_SETS; set++)
		for (way = 0; way < VGEM_SVM_TLB_WAYS; way++)
			if (vgem_svm_tlb_hit(unit->tlb[set][way].tag, inv))
				unit->tlb[set][way].tag = 0;
}

/* Is it shorter to look for each of its pages than to look at all there is? */
static bool vgem_svm_inv_is_short(const struct vgem_svm_inv *inv)
{
	return !(inv->flags & VGEM_SVM_INV_VM) &&
	       (inv->last >> 12) - (inv->first >> 12) < VGEM_SVM_TLB_SETS;
}

/**
 * vgem_svm_tlb_flush_work() - how much is there to look at?
 * @inv: an invalidation
 *
 * Return: entries of the TLB and of the walk cache, at most.
 */
u32 vgem_svm_tlb_flush_work(const struct vgem_svm_inv *inv)
{
	u32 pages = (inv->last >> 12) - (inv->first >> 12) + 1;
	u32 work = vgem_svm_inv_is_short(inv) ? pages * VGEM_SVM_TLB_WAYS :
						VGEM_SVM_TLB_ENTRIES;

	return inv->flags & (VGEM_SVM_INV_WALK | VGEM_SVM_INV_VM) ?
	       work + VGEM_SVM_WALK_CACHE : work;
}

/**
 * vgem_svm_tlb_flush() - carry out one invalidation
 * @unit: locked
 * @inv: it
 */
void vgem_svm_tlb_flush(struct vgem_svm_unit *unit,
			const struct vgem_svm_inv *inv)
{
	unsigned int i;

	if (vgem_svm_inv_is_short(inv))
		vgem_svm_tlb_flush_few(unit, inv);
	else
		vgem_svm_tlb_flush_many(unit, inv);

	if (!(inv->flags & (VGEM_SVM_INV_WALK | VGEM_SVM_INV_VM)))
		return;
	for (i = 0; i < VGEM_SVM_WALK_CACHE; i++)
		if (vgem_svm_walk_hit(unit->walk[i].tag, inv))
			unit->walk[i].tag = 0;
}

/**
 * vgem_svm_tlb_flush_all() - forget every translation of every address space
 * @unit: locked
 */
void vgem_svm_tlb_flush_all(struct vgem_svm_unit *unit)
{
	unsigned int i, way;

	for (i = 0; i < VGEM_SVM_TLB_SETS; i++)
		for (way = 0; way < VGEM_SVM_TLB_WAYS; way++)
			unit->tlb[i][way].tag = 0;
	for (i = 0; i < VGEM_SVM_WALK_CACHE; i++)
		unit->walk[i].tag = 0;
}

/* ---- the walk ----------------------------------------------------------- */

static u8 vgem_svm_level_shift(unsigned int level)
{
	return 12 + 9 * level;
}

static bool vgem_svm_read_entry(struct vgem_svm_hw *hw, u64 table, bool local,
				unsigned int level, u64 va, u64 *entry)
{
	u64 index = (va >> vgem_svm_level_shift(level)) & 511;
	u8 *ptr = vgem_svm_mem(hw, table + index * 8, local, false);

	if (!ptr)
		return false;
	__kasan_check_read(ptr, sizeof(*entry));
	*entry = le64_to_cpu(READ_ONCE(*(__le64 *)ptr));
	return true;
}

static bool vgem_svm_entry_local(u64 entry)
{
	return FIELD_GET(VGEM_SVM_PTE_APERTURE, entry) ==
	       VGEM_SVM_APERTURE_LOCAL;
}

/* From where to walk: the walk cache's table, or the root. */
static int vgem_svm_walk_start(struct vgem_svm_unit *unit, u32 vm, u64 va,
			       u64 *table, bool *local)
{
	u64 tag = vgem_svm_walk_tag(vm, va);
	struct vgem_svm_walk_entry *cached = vgem_svm_walk_slot(unit, tag);
	u64 root = READ_ONCE(unit->hw->vm_root[vm]);

	if (cached->tag == tag) {
		*table = cached->table;
		*local = cached->local;
		return 0;
	}
	if (!(root & VGEM_SVM_ROOT_VALID))
		return -1;
	*table = root & VGEM_SVM_PTE_ADDR;
	*local = root & VGEM_SVM_ROOT_LOCAL;
	return VGEM_SVM_PT_LEVELS - 1;
}

static void vgem_svm_walk_keep(struct vgem_svm_unit *unit, u32 vm, u64 va,
			       u64 table, bool local)
{
	u64 tag = vgem_svm_walk_tag(vm, va);
	struct vgem_svm_walk_entry *cached = vgem_svm_walk_slot(unit, tag);

	cached->tag = tag;
	cached->table = table;
	cached->local = local;
}

/* Return: enum vgem_svm_chan_error, 0 if a valid entry is as it must be. */
static u32 vgem_svm_entry_error(u64 entry, unsigned int level)
{
	bool leaf = entry & VGEM_SVM_PTE_LEAF;
	u64 below = BIT_ULL(vgem_svm_level_shift(level)) - 1;

	if ((entry & VGEM_SVM_PTE_RESERVED) || (leaf ? level > 2 : !level))
		return VGEM_SVM_ERR_ENTRY;
	if (!leaf && (entry & VGEM_SVM_PTE_ATTRS))
		return VGEM_SVM_ERR_ENTRY;
	if (leaf && (entry & VGEM_SVM_PTE_ADDR & below))
		return VGEM_SVM_ERR_ENTRY;
	if (FIELD_GET(VGEM_SVM_PTE_APERTURE, entry) > VGEM_SVM_APERTURE_LOCAL)
		return VGEM_SVM_ERR_BUS;
	return VGEM_SVM_ERR_NONE;
}

/*
 * Finds the leaf. Return: its level; -1 with @stop->error 0 if nothing is
 * mapped, or with the error.
 */
static int vgem_svm_walk(struct vgem_svm_unit *unit, u32 vm, u64 va,
			 u64 *entry, struct vgem_svm_stop *stop)
{
	u64 table;
	bool local;
	int level = vgem_svm_walk_start(unit, vm, va, &table, &local);

	for (; level >= 0; level--) {
		if (!vgem_svm_read_entry(unit->hw, table, local, level, va,
					 entry)) {
			stop->error = VGEM_SVM_ERR_BUS;
			return -1;
		}
		if (!(*entry & VGEM_SVM_PTE_V))
			return -1;
		stop->error = vgem_svm_entry_error(*entry, level);
		if (stop->error)
			return -1;
		if (*entry & VGEM_SVM_PTE_LEAF)
			return level;
		table = *entry & VGEM_SVM_PTE_ADDR;
		local = vgem_svm_entry_local(*entry);
		if (level == 1)
			vgem_svm_walk_keep(unit, vm, va, table, local);
	}
	return -1;
}

/* ---- translation -------------------------------------------------------- */

static bool vgem_svm_resolve(struct vgem_svm_unit *unit,
			     struct vgem_svm_tlb_entry *entry)
{
	struct vgem_svm_hw *hw = unit->hw;

	/* The generation first: what is resolved is not older than it says. */
	entry->bus_gen = atomic_long_read_acquire(hw->bus_gen);
	entry->page = vgem_svm_mem(hw, entry->bus, entry->local, entry->write);
	if (entry->page)
		return true;
	entry->tag = 0;
	return false;
}

static bool vgem_svm_permits(const struct vgem_svm_tlb_entry *entry, u32 access)
{
	switch (access) {
	case VGEM_SVM_ACCESS_WRITE:
		return entry->write;
	case VGEM_SVM_ACCESS_ATOMIC:
		return entry->write && entry->atomic;
	case VGEM_SVM_ACCESS_EXEC:
		return entry->exec;
	default:
		return true;
	}
}

/* Puts a translation in; its page is resolved when it is used. */
static struct vgem_svm_tlb_entry *
vgem_svm_tlb_insert(struct vgem_svm_unit *unit, u32 vm, u64 va, u64 pte, u64 bus)
{
	u64 tag = vgem_svm_tlb_tag(vm, va);
	struct vgem_svm_tlb_entry *entry = vgem_svm_tlb_victim(unit, tag);

	entry->tag = tag;
	entry->bus = bus;
	entry->bus_gen = VGEM_SVM_GEN_NONE;
	entry->local = vgem_svm_entry_local(pte);
	entry->write = pte & VGEM_SVM_PTE_W;
	entry->atomic = pte & VGEM_SVM_PTE_A;
	entry->exec = !(pte & VGEM_SVM_PTE_NO_EXEC);
	entry->uncached = pte & VGEM_SVM_PTE_UNCACHED;
	return entry;
}

/* The group of an entry with the hint. */
static void vgem_svm_tlb_insert_group(struct vgem_svm_unit *unit, u32 vm,
				      u64 va, u64 pte)
{
	u64 bytes = VGEM_SVM_HINT_PAGES * SZ_4K, offset;

	for (offset = 0; offset < bytes; offset += SZ_4K)
		vgem_svm_tlb_insert(unit, vm, ALIGN_DOWN(va, bytes) + offset,
				    pte, ALIGN_DOWN(pte & VGEM_SVM_PTE_ADDR,
						    bytes) + offset);
}

static struct vgem_svm_tlb_entry *
vgem_svm_fill(struct vgem_svm_unit *unit, u32 vm, u64 va,
	      struct vgem_svm_stop *stop)
{
	struct vgem_svm_tlb_entry *entry;
	u64 pte, offset;
	int level;

	level = vgem_svm_walk(unit, vm, va, &pte, stop);
	if (level < 0)
		return NULL;
	if (!level && (pte & VGEM_SVM_PTE_64K))
		vgem_svm_tlb_insert_group(unit, vm, va, pte);
	offset = va & (BIT_ULL(vgem_svm_level_shift(level)) - 1);
	entry = vgem_svm_tlb_insert(unit, vm, va, pte, (pte & VGEM_SVM_PTE_ADDR) +
				    (offset & ~0xfffULL));
	if (!vgem_svm_resolve(unit, entry)) {
		stop->error = VGEM_SVM_ERR_BUS;
		return NULL;
	}
	return entry;
}

/*
 * The memory behind a translation that has been found. The comparisons that found it
 * are branches, which the host's processor may take before they are decided; what it
 * would read then is a page of another address space, chosen by a program. So the
 * address is made to depend on what they compared, which is read anew, or the
 * compiler would know the result.
 */
static u8 *vgem_svm_tlb_memory(const struct vgem_svm_tlb_entry *entry, u64 tag,
			       long gen, u64 va)
{
	u64 differs = (READ_ONCE(entry->tag) ^ tag) |
		      (u64)(READ_ONCE(entry->bus_gen) ^ gen);
	unsigned long ptr = (unsigned long)entry->page + (va & 0xfff);

	return (u8 *)(ptr & array_index_mask_nospec(differs, 1));
}

/* An access is about to be made to what is mapped so. */
static void vgem_svm_count(struct vgem_svm_unit *unit,
			   const struct vgem_svm_tlb_entry *entry)
{
	if (likely(!entry->uncached))
		return;
	/* After all that the thread, or the front end, has accessed before. */
	smp_mb();
	WRITE_ONCE(unit->uncached, unit->uncached + 1);
}

/* A translation that was kept, resolved anew if the bus has changed since. */
static u8 *vgem_svm_translate_kept(struct vgem_svm_unit *unit,
				   struct vgem_svm_tlb_entry *entry, u64 tag,
				   u64 va, struct vgem_svm_stop *stop)
{
	long gen = atomic_long_read(unit->hw->bus_gen);

	if (unlikely(entry->bus_gen != gen)) {
		if (!vgem_svm_resolve(unit, entry)) {
			stop->error = VGEM_SVM_ERR_BUS;
			stop->va = va;
			return NULL;
		}
		/* Resolved at the generation that it then has. */
		gen = entry->bus_gen;
	}
	vgem_svm_count(unit, entry);
	return vgem_svm_tlb_memory(entry, tag, gen, va);
}

/* From an address of a program to memory. Return: where, or NULL. */
static u8 *vgem_svm_translate(struct vgem_svm_unit *unit, u32 vm, u64 va,
			      u32 access, struct vgem_svm_stop *stop)
{
	u64 tag = vgem_svm_tlb_tag(vm, va);
	struct vgem_svm_tlb_entry *entry;

	entry = vgem_svm_tlb_guess(unit, tag, access);
	if (entry && likely(vgem_svm_permits(entry, access)))
		return vgem_svm_translate_kept(unit, entry, tag, va, stop);

	stop->error = 0;
	stop->access = access;
	stop->reason = VGEM_SVM_FAULT_NOT_PRESENT;
	stop->va = va;
	entry = vgem_svm_fill(unit, vm, va, stop);
	if (!entry)
		return NULL;
	if (vgem_svm_permits(entry, access)) {
		vgem_svm_count(unit, entry);
		return entry->page + (va & 0xfff);
	}
	stop->reason = VGEM_SVM_FAULT_PERMISSION;
	return NULL;
}

/**
 * vgem_svm_access() - check an access and translate it
 * @unit: locked
 * @vm: address space
 * @va: address
 * @size: bytes, a power of two; @va must be aligned to it
 * @access: VGEM_SVM_ACCESS_*
 * @stop: out, if it cannot be
 *
 * Return: where, good until the engine acknowledges an invalidation; or NULL.
 */
u8 *vgem_svm_access(struct vgem_svm_unit *unit, u32 vm, u64 va, u32 size,
		    u32 access, struct vgem_svm_stop *stop)
{
	u8 *ptr;

	stop->access = access;
	stop->va = va;
	if (unlikely(va & (size - 1))) {
		stop->error = VGEM_SVM_ERR_ALIGN;
		return NULL;
	}
	if (unlikely(va >> VGEM_SVM_VA_BITS)) {
		stop->error = VGEM_SVM_ERR_VA;
		return NULL;
	}
	ptr = vgem_svm_translate(unit, vm, va, access, stop);
	if (unlikely(!ptr))
		return NULL;
	if (access == VGEM_SVM_ACCESS_READ || access == VGEM_SVM_ACCESS_EXEC)
		__kasan_check_read(ptr, size);
	else
		__kasan_check_write(ptr, size);
	return ptr;
}
