// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The device that drm_gpt is tested with; see drm_gpt_test_hw.h.
 */

#include <linux/bits.h>
#include <linux/container_of.h>
#include <linux/hash.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "drm_gpt_test_hw.h"

/* ---- formats ------------------------------------------------------------ */

/* As in Documentation/gpu/vgem-svm-hw.rst, written down a second time. */
static void test_decode_vgem_svm(const void *entry, u8 level,
				 struct test_pte *pte)
{
	u64 value = le64_to_cpu(READ_ONCE(*(const __le64 *)entry));

	pte->valid = value & 1;
	pte->leaf = value & 8;
	pte->local = ((value >> 4) & 3) == 1;
	pte->hint = value & BIT(6);
	pte->addr = value & GENMASK_ULL(56, 12);
	pte->flags = DRM_GPT_LEAF_VALID | (value & 2 ? DRM_GPT_LEAF_WRITE : 0) |
		     (value & 4 ? DRM_GPT_LEAF_ATOMIC : 0) |
		     ((value >> 4) & 3) << 3 | ((value >> 57) & 15) << 5;
}

const struct test_geometry test_geometry_vgem_svm = {
	.name = "vgem_svm",
	.format = &drm_gpt_format_vgem_svm,
	.levels = 5,
	.bits = 9,
	.hint = 4,
	.entry_bytes = { 8, 8, 8, 8, 8 },
	.has_local = true,
	.decode = test_decode_vgem_svm,
};

/*
 * A device that nobody would build: 24 bits of VA, three levels of 16 entries;
 * 4 bytes each on the lowest, 16 bytes above. Small tables make for many
 * borders, and sizes other than 8 go other ways.
 *
 * 4 bytes:  valid 0, write 1, atomic 2, page 31:4
 * 16 bytes: valid 0, leaf 1, write 2, atomic 3; the address is the second half
 */
static u32 test_toy_small(u64 leaf)
{
	return 1 | (leaf & DRM_GPT_LEAF_WRITE ? 2 : 0) |
	       (leaf & DRM_GPT_LEAF_ATOMIC ? 4 : 0) | (leaf >> 12) << 4;
}

static void test_toy_store(void *dst, u8 level, u32 i, u64 leaf)
{
	u64 *wide = (u64 *)dst + i * 2;

	if (!level) {
		WRITE_ONCE(((u32 *)dst)[i], test_toy_small(leaf));
		return;
	}
	WRITE_ONCE(wide[1], leaf & DRM_GPT_LEAF_ADDR);
	smp_wmb(); /* the address before the valid bit, as the manual says */
	WRITE_ONCE(wide[0], 3 | (leaf & DRM_GPT_LEAF_WRITE ? 4 : 0) |
			    (leaf & DRM_GPT_LEAF_ATOMIC ? 8 : 0));
}

static u32 test_toy_fill_leaves(void *dst, u8 level, const u64 *leaves, u32 n)
{
	u32 i;

	for (i = 0; i < n && (leaves[i] & DRM_GPT_LEAF_VALID); i++)
		test_toy_store(dst, level, i, leaves[i]);
	return i;
}

static void test_toy_fill_seq(void *dst, u8 level, u64 leaf, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		test_toy_store(dst, level, i, leaf + ((u64)i << (12 + 4 * level)));
}

static void test_toy_fill_empty(void *dst, u8 level, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		if (level)
			WRITE_ONCE(((u64 *)dst)[i * 2], 0);
		else
			WRITE_ONCE(((u32 *)dst)[i], 0);
	}
}

static void test_toy_fill_table(void *dst, u8 level, u64 addr, bool local)
{
	WRITE_ONCE(((u64 *)dst)[1], addr);
	smp_wmb(); /* as above */
	WRITE_ONCE(((u64 *)dst)[0], 1);
}

static void test_decode_toy(const void *entry, u8 level, struct test_pte *pte)
{
	u64 value = level ? READ_ONCE(*(const u64 *)entry) :
			    READ_ONCE(*(const u32 *)entry);

	pte->valid = value & 1;
	pte->local = false;
	pte->hint = false;
	pte->leaf = !level || value & 2;
	pte->addr = level ? READ_ONCE(((const u64 *)entry)[1]) : value >> 4 << 12;
	value >>= level ? 2 : 1;
	pte->flags = DRM_GPT_LEAF_VALID | (value & 1 ? DRM_GPT_LEAF_WRITE : 0) |
		     (value & 2 ? DRM_GPT_LEAF_ATOMIC : 0);
}

static u64 test_toy_decode(const void *src, u8 level)
{
	struct test_pte pte;

	test_decode_toy(src, level, &pte);
	return pte.valid && pte.leaf ? pte.addr | pte.flags : 0;
}

static u64 test_toy_common(const void *src, u8 level, u32 n)
{
	u64 common = DRM_GPT_LEAF_FLAGS;
	u32 i;

	for (i = 0; i < n; i++)
		common &= test_toy_decode(src + i * (level ? 16 : 4), level);
	return common;
}

static const struct drm_gpt_format test_format_toy = {
	.name = "toy",
	.va_bits = 24,
	.nr_levels = 3,
	/* The device reads the two halves of 16 bytes one after the other. */
	.replace_ok = false,
	.leaf_bits = GENMASK_ULL(39, 12) | DRM_GPT_LEAF_RIGHTS,
	.levels = {
		{ .shift = 12, .bits = 4, .entry_shift = 2, .leaf = true },
		{ .shift = 16, .bits = 4, .entry_shift = 4, .leaf = true,
		  .table = true },
		{ .shift = 20, .bits = 4, .entry_shift = 4, .table = true },
	},
	.fill_leaves = test_toy_fill_leaves,
	.fill_seq = test_toy_fill_seq,
	.fill_empty = test_toy_fill_empty,
	.fill_table = test_toy_fill_table,
	.decode = test_toy_decode,
	.common = test_toy_common,
};

const struct test_geometry test_geometry_toy = {
	.name = "toy",
	.format = &test_format_toy,
	.levels = 3,
	.bits = 4,
	.entry_bytes = { 4, 16, 16 },
	.decode = test_decode_toy,
};

/*
 * A toy that may change from one leaf or table to another at once: entries as
 * vgem_svm's lowest, three levels of 16, groups of four pages and of two large
 * leaves.
 */
static void test_small_fill_seq(void *dst, u8 level, u64 leaf, u32 n)
{
	u64 *entry = dst;

	for (; n--; entry++, leaf += 0x1000ULL << (4 * level))
		drm_gpt_format_vgem_svm.fill_leaves(entry, 0, &leaf, 1);
}

static u32 test_small_fill_leaves(void *dst, u8 level, const u64 *leaves, u32 n)
{
	return drm_gpt_format_vgem_svm.fill_leaves(dst, 0, leaves, n);
}

static void test_small_fill_empty(void *dst, u8 level, u32 n)
{
	drm_gpt_format_vgem_svm.fill_empty(dst, level, n);
}

static void test_small_fill_table(void *dst, u8 level, u64 addr, bool local)
{
	drm_gpt_format_vgem_svm.fill_table(dst, level, addr, local);
}

static u64 test_small_decode(const void *src, u8 level)
{
	return drm_gpt_format_vgem_svm.decode(src, level);
}

static u64 test_small_common(const void *src, u8 level, u32 n)
{
	return drm_gpt_format_vgem_svm.common(src, level, n);
}

static const struct drm_gpt_format test_format_small = {
	.name = "small",
	.va_bits = 24,
	.nr_levels = 3,
	.replace_ok = true,
	.leaf_bits = DRM_GPT_LEAF_ADDR | DRM_GPT_LEAF_RIGHTS,
	.levels = {
		{ .shift = 12, .bits = 4, .entry_shift = 3, .hint = 2,
		  .leaf = true },
		{ .shift = 16, .bits = 4, .entry_shift = 3, .hint = 1,
		  .leaf = true, .table = true },
		{ .shift = 20, .bits = 4, .entry_shift = 3, .table = true },
	},
	.fill_leaves = test_small_fill_leaves,
	.fill_seq = test_small_fill_seq,
	.fill_empty = test_small_fill_empty,
	.fill_table = test_small_fill_table,
	.decode = test_small_decode,
	.common = test_small_common,
};

const struct test_geometry test_geometry_small = {
	.name = "small",
	.format = &test_format_small,
	.levels = 3,
	.bits = 4,
	.hint = 2,
	.hint_above = 1,
	.entry_bytes = { 8, 8, 8 },
	.has_local = true,
	.decode = test_decode_vgem_svm,
};

/* ---- memory for tables -------------------------------------------------- */

/* What must never happen; said once per device, counted always. */
static void test_hw_error(struct test_hw *hw, const char *what, u64 addr)
{
	if (!hw->errors++)
		pr_err("drm_gpt_test: %s at %#llx\n", what, addr);
}

static struct test_hw *test_hw_of(struct drm_gpt *gpt)
{
	return container_of(gpt, struct test_hw, gpt);
}

static int test_mem_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			  u32 bytes, gfp_t gfp)
{
	struct test_hw *hw = test_hw_of(gpt);
	void *cpu = kzalloc(bytes, gfp);
	struct test_table *table;
	int ret = -ENOMEM;

	if (!cpu)
		return -ENOMEM;
	spin_lock(&hw->lock);
	if ((!hw->fail_at || --hw->fail_at) && hw->nr_tables + 1 < TEST_TABLES) {
		/* Address 0 stays unused. */
		table = &hw->tables[++hw->nr_tables];
		table->mem = cpu;
		table->bytes = bytes;
		table->local = hw->geometry->has_local && hw->nr_tables % 3 == 0;
		hw->nr_live++;
		mem->addr = (u64)hw->nr_tables << 12;
		mem->local = table->local;
		mem->cpu = hw->hide ? NULL : cpu;
		mem->priv = table;
		ret = 0;
	}
	spin_unlock(&hw->lock);
	if (ret)
		kfree(cpu);
	return ret;
}

static void test_mem_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			  u32 bytes)
{
	struct test_hw *hw = test_hw_of(gpt);
	struct test_table *table = mem->priv;

	spin_lock(&hw->lock);
	if (table->freed)
		test_hw_error(hw, "table freed twice", mem->addr);
	if (table->bytes != bytes)
		test_hw_error(hw, "table freed with another size", mem->addr);
	table->freed = true;
	memset(table->mem, 0xa5, table->bytes);
	hw->nr_live--;
	spin_unlock(&hw->lock);
}

const struct drm_gpt_mem_ops test_mem_ops = {
	.alloc = test_mem_alloc,
	.free = test_mem_free,
};

/* Where the bus leads, NULL and an error if to nothing that is a table. */
static void *test_hw_bus(struct test_hw *hw, u64 addr, u32 bytes, bool local)
{
	u64 index = addr >> 12, offset = addr & 0xfff;
	struct test_table *table;

	lockdep_assert_held(&hw->lock);
	if (!index || index > hw->nr_tables) {
		test_hw_error(hw, "access to no table", addr);
		return NULL;
	}
	table = &hw->tables[index];
	if (table->freed)
		test_hw_error(hw, "access to a freed table", addr);
	else if (offset + bytes > table->bytes)
		test_hw_error(hw, "access beyond a table", addr);
	else if (local != table->local)
		test_hw_error(hw, "access through the wrong aperture", addr);
	else
		return table->mem + offset;
	return NULL;
}

/* ---- ring --------------------------------------------------------------- */

static u32 test_cmd_words(struct drm_gpt *gpt, enum drm_gpt_run_kind kind, u32 n)
{
	switch (kind) {
	case DRM_GPT_RUN_COPY:
		return 2 + n;
	case DRM_GPT_RUN_SEQ:
		return 4;
	default:
		return 3;
	}
}

static int test_cmd_reserve(struct drm_gpt *gpt, u32 words, bool zap,
			    bool may_sleep)
{
	struct test_hw *hw = test_hw_of(gpt);
	int ret = 0;

	if (may_sleep) {
		might_sleep();
		while (READ_ONCE(hw->tail) - READ_ONCE(hw->head) > TEST_RING / 2)
			test_hw_run(hw, TEST_RING);
	}
	spin_lock(&hw->lock);
	if (hw->dead)
		ret = -ENODEV;
	else if (hw->reserved + hw->used + words > TEST_RING_WORDS)
		ret = -EAGAIN;
	else
		hw->reserved += words;
	spin_unlock(&hw->lock);
	return ret;
}

static void test_cmd_take(struct test_hw *hw, u32 words)
{
	lockdep_assert_held(&hw->lock);
	if (hw->reserved < words)
		test_hw_error(hw, "more ring space used than reserved", words);
	hw->reserved -= min(words, hw->reserved);
}

static void test_cmd_release(struct drm_gpt *gpt, u32 words)
{
	struct test_hw *hw = test_hw_of(gpt);

	spin_lock(&hw->lock);
	test_cmd_take(hw, words);
	spin_unlock(&hw->lock);
}

static struct test_packet *test_cmd_packet(struct test_hw *hw, u32 words)
{
	struct test_packet *packet;

	test_cmd_take(hw, words);
	hw->used += words;
	if (hw->dead)
		test_hw_error(hw, "packet for a dead ring", 0);
	if (hw->tail - hw->head == TEST_RING)
		test_hw_error(hw, "ring of the test is too short", hw->tail);
	packet = &hw->ring[hw->tail % TEST_RING];
	WRITE_ONCE(hw->tail, hw->tail + 1);
	packet->words = words;
	return packet;
}

static void test_cmd_write(struct drm_gpt *gpt, const struct drm_gpt_run *run)
{
	struct test_hw *hw = test_hw_of(gpt);
	u32 bytes = (run->kind == DRM_GPT_RUN_COPY ? run->n : 1) << run->entry_shift;
	struct test_packet *packet;

	spin_lock(&hw->lock);
	if (!run->n || bytes > sizeof(packet->data))
		test_hw_error(hw, "bad run", run->n);
	packet = test_cmd_packet(hw, test_cmd_words(gpt, run->kind, run->n));
	packet->kind = run->kind;
	packet->local = run->local;
	packet->entry_shift = run->entry_shift;
	packet->n = run->n;
	packet->addr = run->addr;
	packet->step = run->step;
	memcpy(packet->data, run->entries, min_t(u32, bytes, sizeof(packet->data)));
	spin_unlock(&hw->lock);
}

static u64 test_cmd_fence(struct drm_gpt *gpt)
{
	struct test_hw *hw = test_hw_of(gpt);
	struct test_packet *packet;
	u64 seq;

	spin_lock(&hw->lock);
	packet = test_cmd_packet(hw, 3);
	packet->n = 0;
	seq = ++hw->seq;
	packet->seq = seq;
	spin_unlock(&hw->lock);
	return seq;
}

static bool test_cmd_done(struct drm_gpt *gpt, u64 seq)
{
	return READ_ONCE(test_hw_of(gpt)->done) >= seq;
}

static int test_cmd_wait(struct drm_gpt *gpt, u64 seq)
{
	struct test_hw *hw = test_hw_of(gpt);

	/* Another may have run it to its end meanwhile. */
	while (!test_cmd_done(gpt, seq))
		if (!test_hw_run(hw, 1) && !test_cmd_done(gpt, seq))
			return -ENODEV;
	return 0;
}

const struct drm_gpt_cmd_ops test_cmd_ops = {
	.words = test_cmd_words,
	.fence_words = 3,
	.flush_words = 16,
	.reserve = test_cmd_reserve,
	.release = test_cmd_release,
	.write = test_cmd_write,
	.fence = test_cmd_fence,
	.done = test_cmd_done,
	.wait = test_cmd_wait,
};

/* An entry, word by word, what makes it valid last. */
static void test_hw_store(void *dst, const void *entry, u32 bytes)
{
	const u64 *words = entry;
	u64 *to = dst;

	if (bytes == 4) {
		WRITE_ONCE(*(u32 *)dst, *(const u32 *)entry);
		return;
	}
	if (bytes == 16)
		WRITE_ONCE(to[1], words[1]);
	smp_wmb(); /* as the manual says */
	WRITE_ONCE(to[0], words[0]);
}

static void test_hw_execute(struct test_hw *hw, const struct test_packet *packet)
{
	u32 bytes = 1 << packet->entry_shift, i;
	u64 value = packet->data[0];
	const void *entry;
	u8 *dst;

	dst = test_hw_bus(hw, packet->addr, packet->n * bytes, packet->local);
	if (!dst)
		return;
	for (i = 0; i < packet->n; i++, dst += bytes, value += packet->step) {
		entry = packet->data;
		if (packet->kind == DRM_GPT_RUN_COPY)
			entry += i * bytes;
		else if (packet->kind == DRM_GPT_RUN_SEQ)
			entry = &value;
		test_hw_store(dst, entry, bytes);
	}
}

u32 test_hw_run(struct test_hw *hw, u32 n)
{
	u32 i;

	spin_lock(&hw->lock);
	for (i = 0; i < n && hw->head != hw->tail; i++) {
		const struct test_packet *packet = &hw->ring[hw->head % TEST_RING];

		if (packet->n)
			test_hw_execute(hw, packet);
		else
			WRITE_ONCE(hw->done, packet->seq);
		hw->used -= packet->words;
		WRITE_ONCE(hw->head, hw->head + 1);
	}
	spin_unlock(&hw->lock);
	return i;
}

/* ---- MMU ---------------------------------------------------------------- */

static u8 test_hw_shift(const struct test_hw *hw, u8 level)
{
	return 12 + hw->geometry->bits * level;
}

/* A table's address and aperture in one word, as caches keep it. */
static u64 test_hw_pointer(u64 addr, bool local)
{
	return addr | local;
}

static bool test_hw_read(struct test_hw *hw, u64 pointer, u8 level, u64 va,
			 struct test_pte *pte)
{
	const struct test_geometry *geometry = hw->geometry;
	u32 index = (va >> test_hw_shift(hw, level)) & (BIT(geometry->bits) - 1);
	u8 bytes = geometry->entry_bytes[level];
	void *entry;

	entry = test_hw_bus(hw, (pointer & ~1ULL) + (u64)index * bytes, bytes,
			    pointer & 1);
	if (!entry)
		return false;
	geometry->decode(entry, level, pte);
	return pte->valid;
}

static u64 test_hw_leaf(const struct test_pte *pte, u8 shift, u64 va)
{
	u64 offset = va & ((1ULL << shift) - 1) & ~0xfffULL;

	return pte->flags | (pte->addr + offset);
}

static u64 test_hw_root(struct test_hw *hw)
{
	bool local;
	u64 addr;

	drm_gpt_root(&hw->gpt, &addr, &local);
	return test_hw_pointer(addr, local);
}

u64 test_hw_walk(struct test_hw *hw, u64 va, u64 *size)
{
	u64 pointer = test_hw_root(hw), leaf = 0;
	struct test_pte pte;
	u8 level;

	spin_lock(&hw->lock);
	for (level = hw->geometry->levels; level--; ) {
		if (size)
			*size = 1ULL << test_hw_shift(hw, level);
		if (!test_hw_read(hw, pointer, level, va, &pte))
			break;
		if (pte.leaf) {
			leaf = test_hw_leaf(&pte, test_hw_shift(hw, level), va);
			break;
		}
		if (!level)
			test_hw_error(hw, "table below the lowest level", va);
		pointer = test_hw_pointer(pte.addr, pte.local);
	}
	spin_unlock(&hw->lock);
	return leaf;
}

u32 test_hw_entries(struct test_hw *hw)
{
	const struct test_geometry *geometry = hw->geometry;
	struct test_pte pte;
	u32 i, offset, n = 0;

	/* Toy tables differ in the size of entries, and so of tables. */
	for (i = 1; i <= hw->nr_tables; i++) {
		const struct test_table *table = &hw->tables[i];
		u32 bytes = table->bytes >> geometry->bits;
		u8 level = bytes == geometry->entry_bytes[0] ? 0 : 1;

		for (offset = 0; !table->freed && offset < table->bytes;
		     offset += bytes) {
			geometry->decode(table->mem + offset, level, &pte);
			n += pte.valid;
		}
	}
	return n;
}

static struct test_walk_entry *test_hw_walk_slot(struct test_hw *hw, u8 level,
						 u64 va)
{
	u64 tag = va >> test_hw_shift(hw, level);

	return &hw->walk[hash_64(tag * 8 + level, ilog2(TEST_WALK))];
}

/* The lowest table that the walk cache knows, and its level. */
static u64 test_hw_walk_find(struct test_hw *hw, u64 va, u8 *level)
{
	u8 above;

	for (above = 1; above < hw->geometry->levels; above++) {
		struct test_walk_entry *entry = test_hw_walk_slot(hw, above, va);

		if (entry->valid && entry->level == above &&
		    entry->tag == va >> test_hw_shift(hw, above)) {
			*level = above - 1;
			return entry->table;
		}
	}
	*level = hw->geometry->levels - 1;
	return test_hw_root(hw);
}

static void test_hw_walk_keep(struct test_hw *hw, u8 level, u64 va, u64 table)
{
	struct test_walk_entry *entry = test_hw_walk_slot(hw, level, va);

	entry->valid = true;
	entry->level = level;
	entry->tag = va >> test_hw_shift(hw, level);
	entry->table = table;
}

/* One page of the TLB. */
static void test_hw_keep(struct test_hw *hw, u64 va, u64 leaf)
{
	struct test_tlb_entry *entry = &hw->tlb[(va >> 12) % TEST_TLB];

	entry->valid = true;
	entry->page = va >> 12;
	entry->leaf = leaf;
}

static u8 test_hw_hint(const struct test_hw *hw, u8 level)
{
	return level ? hw->geometry->hint_above : hw->geometry->hint;
}

/* What one entry of a group says is believed of all of them. */
static void test_hw_keep_group(struct test_hw *hw, u8 level, u64 va, u64 leaf)
{
	u8 shift = test_hw_shift(hw, level) + test_hw_hint(hw, level);
	u64 mask = (1ULL << shift) - 1;
	u64 page = va & ~mask;

	if ((va ^ leaf) & mask & ~0xfffULL)
		test_hw_error(hw, "group that is not aligned", va);
	leaf -= va & mask & ~0xfffULL;
	for (; page <= (va | mask) - 0xfff; page += 0x1000, leaf += 0x1000)
		test_hw_keep(hw, page, leaf);
}

static u64 test_hw_translate(struct test_hw *hw, u64 va)
{
	struct test_pte pte;
	u64 pointer, leaf;
	u8 level;

	pointer = test_hw_walk_find(hw, va, &level);
	for (;; level--) {
		if (!test_hw_read(hw, pointer, level, va, &pte))
			return 0;
		if (pte.leaf) {
			leaf = test_hw_leaf(&pte, test_hw_shift(hw, level), va);
			if (pte.hint && test_hw_hint(hw, level))
				test_hw_keep_group(hw, level, va, leaf);
			else
				test_hw_keep(hw, va, leaf);
			return leaf;
		}
		if (!level) {
			test_hw_error(hw, "table below the lowest level", va);
			return 0;
		}
		pointer = test_hw_pointer(pte.addr, pte.local);
		test_hw_walk_keep(hw, level, va, pointer);
	}
}

u64 test_hw_access(struct test_hw *hw, u64 va)
{
	struct test_tlb_entry *entry = &hw->tlb[(va >> 12) % TEST_TLB];
	u64 leaf;

	spin_lock(&hw->lock);
	if (entry->valid && entry->page == va >> 12)
		leaf = entry->leaf;
	else
		leaf = test_hw_translate(hw, va);
	spin_unlock(&hw->lock);
	return leaf;
}

static bool test_hw_covers(const struct drm_gpt_gather *gather, u64 first,
			   u64 last)
{
	u32 i;

	for (i = 0; i < gather->nr; i++)
		if (gather->range[i].first <= last && gather->range[i].last >= first)
			return true;
	return gather->full;
}

static void test_hw_invalidate(struct test_hw *hw,
			       const struct drm_gpt_gather *gather)
{
	u32 i;

	for (i = 0; i < TEST_TLB; i++) {
		u64 va = hw->tlb[i].page << 12;

		if (test_hw_covers(gather, va, va | 0xfff))
			hw->tlb[i].valid = false;
	}
	if (!gather->directory)
		return;
	for (i = 0; i < TEST_WALK; i++) {
		u8 shift = test_hw_shift(hw, hw->walk[i].level);
		u64 va = hw->walk[i].tag << shift;

		if (test_hw_covers(gather, va, va | ((1ULL << shift) - 1)))
			hw->walk[i].valid = false;
	}
}

void test_hw_flush(struct test_hw *hw, struct drm_gpt_gather *gather)
{
	u32 words = drm_gpt_gather_take_flush_credits(gather);

	/* As the packet would: behind all that was recorded. */
	test_hw_run(hw, U32_MAX);
	spin_lock(&hw->lock);
	test_cmd_take(hw, words);
	if (!drm_gpt_gather_empty(gather))
		test_hw_invalidate(hw, gather);
	spin_unlock(&hw->lock);
}

/* ---- life --------------------------------------------------------------- */

struct test_hw *test_hw_create(const struct test_geometry *geometry)
{
	struct test_hw *hw = vzalloc(sizeof(*hw));

	if (!hw)
		return NULL;
	spin_lock_init(&hw->lock);
	hw->geometry = geometry;
	return hw;
}

void test_hw_destroy(struct test_hw *hw)
{
	u32 i;

	for (i = 1; i <= hw->nr_tables; i++)
		kfree(hw->tables[i].mem);
	vfree(hw);
}
