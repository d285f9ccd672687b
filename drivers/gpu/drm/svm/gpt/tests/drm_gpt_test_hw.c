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

/* Those beside are smaller than all others. They stand for no table of drm_gpt. */
static u32 *test_mem_count(struct test_hw *hw, u32 bytes)
{
	const struct test_geometry *geometry = hw->geometry;
	u32 groups = 1 << (geometry->bits[0] - geometry->hint[0]);

	if (geometry->beside && bytes == groups * geometry->entry_bytes[0])
		return &hw->nr_beside;
	return &hw->nr_live;
}

static int test_mem_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			  u32 bytes, gfp_t gfp)
{
	struct test_hw *hw = test_hw_of(gpt);
	void *cpu = kvzalloc(bytes, gfp);
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
		(*test_mem_count(hw, bytes))++;
		mem->addr = (u64)hw->nr_tables << TEST_TABLE_SHIFT;
		mem->local = table->local;
		mem->cpu = hw->hide ? NULL : cpu;
		mem->priv = table;
		ret = 0;
	}
	spin_unlock(&hw->lock);
	if (ret)
		kvfree(cpu);
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
	(*test_mem_count(hw, bytes))--;
	spin_unlock(&hw->lock);
}

const struct drm_gpt_mem_ops test_mem_ops = {
	.alloc = test_mem_alloc,
	.free = test_mem_free,
};

/* Where the bus leads, NULL and an error if to nothing that is a table. */
static void *test_hw_bus(struct test_hw *hw, u64 addr, u32 bytes, bool local)
{
	u64 index = addr >> TEST_TABLE_SHIFT;
	u64 offset = addr & (BIT(TEST_TABLE_SHIFT) - 1);
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
	hw->hoards += may_sleep && hw->reserved;
	if (hw->dead)
		ret = -ENODEV;
	else if (hw->full || hw->reserved + hw->used + words > TEST_RING_WORDS)
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
	seq = hw->seq + (hw->seq_step ?: 1);
	WRITE_ONCE(hw->seq, seq);
	packet->seq = seq;
	spin_unlock(&hw->lock);
	return seq;
}

static u64 test_cmd_next(struct drm_gpt *gpt)
{
	return READ_ONCE(test_hw_of(gpt)->seq) + 1;
}

static bool test_cmd_done(struct drm_gpt *gpt, u64 seq)
{
	/* Pairs with test_hw_run(): what came before is not written any more. */
	return smp_load_acquire(&test_hw_of(gpt)->done) >= seq;
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
	.next = test_cmd_next,
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
			/* Pairs with test_cmd_done(). */
			smp_store_release(&hw->done, packet->seq);
		hw->used -= packet->words;
		WRITE_ONCE(hw->head, hw->head + 1);
	}
	spin_unlock(&hw->lock);
	return i;
}

/* ---- MMU ---------------------------------------------------------------- */

/* A table's address and aperture in one word, as caches keep it. */
static u64 test_hw_pointer(u64 addr, bool local)
{
	return addr | local;
}

static struct test_step test_hw_step(const struct test_pte *pte)
{
	return (struct test_step) {
		.table = test_hw_pointer(pte->addr, pte->local),
		.beside = test_hw_pointer(pte->beside, pte->beside_local),
	};
}

static bool test_hw_read_at(struct test_hw *hw, u64 pointer, u8 level, u32 index,
			    struct test_pte *pte)
{
	const struct test_geometry *geometry = hw->geometry;
	u8 bytes = geometry->entry_bytes[level];
	void *entry;

	if (pointer <= 1)
		return false;
	entry = test_hw_bus(hw, (pointer & ~1ULL) + (u64)index * bytes, bytes,
			    pointer & 1);
	if (!entry)
		return false;
	memset(pte, 0, sizeof(*pte));
	geometry->decode(entry, level, pte);
	return pte->valid;
}

/* Is one of a group's entries not what the entry beside says? */
static bool test_hw_differs(struct test_hw *hw, const struct test_step *at, u64 va,
			    const struct test_pte *big)
{
	u32 group = 1 << hw->geometry->hint[0], i;
	u32 first = (va >> hw->shift[0]) & (BIT(hw->geometry->bits[0]) - 1) & -group;
	struct test_pte pte;

	for (i = 0; i < group; i++)
		if (!test_hw_read_at(hw, at->table, 0, first + i, &pte) ||
		    pte.flags != big->flags ||
		    pte.addr != big->addr + i * test_page(hw))
			return true;
	return false;
}

/* Was the entry beside the same before and after, and its group another? */
static void test_hw_compare(struct test_hw *hw, const struct test_step *at, u64 va,
			    u32 index, const struct test_pte *big)
{
	u64 mask = (1ULL << (hw->shift[0] + hw->geometry->hint[0])) - 1;
	struct test_pte again;
	u32 tries;

	if (big->addr & mask)
		test_hw_error(hw, "big page that is not aligned", va);
	for (tries = 0; tries < 3; tries++) {
		if (at->table <= 1 || !test_hw_differs(hw, at, va, big))
			return;
		smp_rmb(); /* the group, then again what speaks of it */
		if (!test_hw_read_at(hw, at->beside, 0, index, &again) ||
		    again.addr != big->addr || again.flags != big->flags)
			return;
	}
	test_hw_error(hw, "entry beside a group that says something else", va);
}

/*
 * A big page, if there is one. It says at every moment what all small ones of its
 * group say.
 */
static bool test_hw_read_beside(struct test_hw *hw, const struct test_step *at, u64 va,
				struct test_pte *pte)
{
	u8 shift = hw->shift[0], hint = hw->geometry->hint[0];
	u64 mask = (1ULL << (shift + hint)) - 1;
	u32 groups = BIT(hw->geometry->bits[0] - hint);
	u32 index = (va >> (shift + hint)) & (groups - 1);

	if (!test_hw_read_at(hw, at->beside, 0, index, pte))
		return false;
	smp_rmb(); /* an entry beside is newer than its group */
	test_hw_compare(hw, at, va, index, pte);
	pte->addr += va & mask & ~(test_page(hw) - 1);
	pte->hint = true;
	return true;
}

static bool test_hw_read(struct test_hw *hw, const struct test_step *at, u8 level,
			 u64 va, struct test_pte *pte)
{
	u32 index = (va >> hw->shift[level]) & (BIT(hw->geometry->bits[level]) - 1);

	if (!level && hw->geometry->beside && test_hw_read_beside(hw, at, va, pte))
		return true;
	return test_hw_read_at(hw, at->table, level, index, pte);
}

/* What an entry of @level says of one page. */
static u64 test_hw_leaf(struct test_hw *hw, const struct test_pte *pte, u8 level,
			u64 va)
{
	u64 offset = va & ((1ULL << hw->shift[level]) - 1) & ~(test_page(hw) - 1);

	return pte->flags | (pte->addr + offset);
}

static struct test_step test_hw_root(struct test_hw *hw)
{
	bool local;
	u64 addr;

	drm_gpt_root(&hw->gpt, &addr, &local);
	return (struct test_step) { .table = test_hw_pointer(addr, local) };
}

/* The leaf that tables have for @va, or false; @level is where the walk ends. */
static bool test_hw_find(struct test_hw *hw, u64 va, struct test_pte *pte,
			 u8 *level)
{
	struct test_step at = test_hw_root(hw);

	for (*level = hw->geometry->levels - 1; ; (*level)--) {
		if (!test_hw_read(hw, &at, *level, va, pte))
			return false;
		if (pte->leaf)
			return true;
		if (!*level) {
			test_hw_error(hw, "table below the lowest level", va);
			return false;
		}
		at = test_hw_step(pte);
	}
}

u64 test_hw_walk(struct test_hw *hw, u64 va, u64 *size)
{
	struct test_pte pte;
	u64 leaf = 0;
	u8 level;

	spin_lock(&hw->lock);
	if (test_hw_find(hw, va, &pte, &level))
		leaf = test_hw_leaf(hw, &pte, level, va);
	if (size)
		*size = 1ULL << hw->shift[level];
	spin_unlock(&hw->lock);
	return leaf;
}

bool test_hw_grouped(struct test_hw *hw, u64 va)
{
	struct test_pte pte;
	bool grouped;
	u8 level;

	spin_lock(&hw->lock);
	grouped = test_hw_find(hw, va, &pte, &level) && pte.hint;
	spin_unlock(&hw->lock);
	return grouped;
}

/* Of which level tables are, as they are found from the root on; it stays so. */
static void test_hw_learn(struct test_hw *hw, u64 table, u8 level)
{
	struct test_pte pte;
	u32 i;

	hw->tables[table >> TEST_TABLE_SHIFT].level = level + 1;
	for (i = 0; level && i < BIT(hw->geometry->bits[level]); i++)
		if (test_hw_read_at(hw, table, level, i, &pte) && !pte.leaf)
			test_hw_learn(hw, test_hw_step(&pte).table, level - 1);
}

static u32 test_hw_known_entries(struct test_hw *hw)
{
	struct test_table *table;
	struct test_pte pte;
	u32 n = 0, t, i;
	u64 pointer;

	spin_lock(&hw->lock);
	test_hw_learn(hw, test_hw_root(hw).table, hw->geometry->levels - 1);
	for (t = 1; t <= hw->nr_tables; t++) {
		table = &hw->tables[t];
		pointer = test_hw_pointer((u64)t << TEST_TABLE_SHIFT, table->local);
		if (!table->level || table->freed)
			continue;
		for (i = 0; i < BIT(hw->geometry->bits[table->level - 1]); i++)
			n += test_hw_read_at(hw, pointer, table->level - 1, i, &pte);
	}
	spin_unlock(&hw->lock);
	return n;
}

u32 test_hw_entries(struct test_hw *hw)
{
	const struct test_geometry *geometry = hw->geometry;
	u32 i, offset, n = 0;

	if (geometry->beside)
		return test_hw_known_entries(hw);
	/* Toy tables differ in the size of entries, and so of tables. */
	for (i = 1; i <= hw->nr_tables; i++) {
		const struct test_table *table = &hw->tables[i];
		u32 lowest = (u32)geometry->entry_bytes[0] << geometry->bits[0];
		u32 bytes = geometry->entry_bytes[table->bytes != lowest];

		/* One that is empty has nothing in its first four bytes. */
		for (offset = 0; !table->freed && offset < table->bytes;
		     offset += bytes)
			n += !!*(const u32 *)((const u8 *)table->mem + offset);
	}
	return n;
}

static struct test_walk_entry *test_hw_walk_slot(struct test_hw *hw, u8 level,
						 u64 va)
{
	u64 tag = va >> hw->shift[level];

	return &hw->walk[hash_64(tag * 8 + level, ilog2(TEST_WALK))];
}

/* The lowest table that the walk cache knows, and its level. */
static struct test_step test_hw_walk_find(struct test_hw *hw, u64 va, u8 *level)
{
	u8 above;

	for (above = 1; above < hw->geometry->levels; above++) {
		struct test_walk_entry *entry = test_hw_walk_slot(hw, above, va);

		if (entry->valid && entry->level == above &&
		    entry->tag == va >> hw->shift[above]) {
			*level = above - 1;
			return entry->to;
		}
	}
	*level = hw->geometry->levels - 1;
	return test_hw_root(hw);
}

static void test_hw_walk_keep(struct test_hw *hw, u8 level, u64 va,
			      const struct test_step *to)
{
	struct test_walk_entry *entry = test_hw_walk_slot(hw, level, va);

	entry->valid = true;
	entry->level = level;
	entry->tag = va >> hw->shift[level];
	entry->to = *to;
}

static struct test_tlb_entry *test_hw_tlb(struct test_hw *hw, u64 va)
{
	return &hw->tlb[(va >> hw->geometry->page_shift) % TEST_TLB];
}

static bool test_hw_has(struct test_hw *hw, const struct test_tlb_entry *entry,
			u64 va)
{
	return entry->valid && entry->page == va >> hw->geometry->page_shift;
}

/* log2 of the bytes that one translation is for. */
static u8 test_hw_size(struct test_hw *hw, const struct test_pte *pte, u8 level)
{
	return hw->shift[level] + (pte->hint ? hw->geometry->hint[level] : 0);
}

/* One page of the TLB. */
static void test_hw_keep(struct test_hw *hw, u64 va, u64 leaf, u8 size)
{
	struct test_tlb_entry *entry = test_hw_tlb(hw, va);

	if (hw->careful && test_hw_has(hw, entry, va) && entry->size != size)
		test_hw_error(hw, "two sizes of page in the TLB", va);
	entry->valid = true;
	entry->size = size;
	entry->page = va >> hw->geometry->page_shift;
	entry->leaf = leaf;
}

/*
 * What one entry of a group says is believed of all of them: of each, the page
 * at the same place.
 */
static void test_hw_keep_group(struct test_hw *hw, u64 va, u64 leaf, u8 level)
{
	u8 shift = hw->shift[level], size = shift + hw->geometry->hint[level];
	u64 mask = ((1ULL << size) - 1) & ~((1ULL << shift) - 1), offset;

	if (((va ^ leaf) & mask) || !hw->geometry->hint[level])
		test_hw_error(hw, "group that is not aligned", va);
	for (offset = 0; offset <= mask; offset += 1ULL << shift)
		test_hw_keep(hw, (va & ~mask) + offset, (leaf & ~mask) + offset,
			     size);
}

/* The device finds the same translation, or none any more. */
static void test_hw_check_size(struct test_hw *hw, u64 va, u8 size)
{
	struct test_pte pte;
	u8 level;

	if (test_hw_find(hw, va, &pte, &level) &&
	    test_hw_size(hw, &pte, level) != size)
		test_hw_error(hw, "size of page changed without a break", va);
}

static u64 test_hw_translate(struct test_hw *hw, u64 va)
{
	struct test_step at;
	struct test_pte pte;
	u64 leaf;
	u8 level;

	at = test_hw_walk_find(hw, va, &level);
	for (;; level--) {
		if (!test_hw_read(hw, &at, level, va, &pte))
			return 0;
		if (pte.leaf) {
			leaf = test_hw_leaf(hw, &pte, level, va);
			if (pte.hint)
				test_hw_keep_group(hw, va, leaf, level);
			else
				test_hw_keep(hw, va, leaf, hw->shift[level]);
			return leaf;
		}
		if (!level) {
			test_hw_error(hw, "table below the lowest level", va);
			return 0;
		}
		at = test_hw_step(&pte);
		test_hw_walk_keep(hw, level, va, &at);
	}
}

u64 test_hw_access(struct test_hw *hw, u64 va)
{
	struct test_tlb_entry *entry = test_hw_tlb(hw, va);
	u64 leaf;

	spin_lock(&hw->lock);
	if (test_hw_has(hw, entry, va)) {
		leaf = entry->leaf;
		if (hw->careful)
			test_hw_check_size(hw, va, entry->size);
	} else {
		leaf = test_hw_translate(hw, va);
	}
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
		u64 va = hw->tlb[i].page << hw->geometry->page_shift;

		if (test_hw_covers(gather, va, va + test_page(hw) - 1))
			hw->tlb[i].valid = false;
	}
	if (!gather->directory)
		return;
	for (i = 0; i < TEST_WALK; i++) {
		u8 shift = hw->shift[hw->walk[i].level];
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

int test_hw_shrink_flush(struct drm_gpt *gpt, struct drm_gpt_gather *gather)
{
	struct test_hw *hw = test_hw_of(gpt);
	int ret;

	might_sleep();
	spin_lock(&hw->lock);
	hw->flushes++;
	ret = hw->flush_error;
	/* It is for tables only, and of no use without. */
	if (drm_gpt_gather_empty(gather) || !gather->directory ||
	    gather->zap_first <= gather->zap_last)
		test_hw_error(hw, "flush of no table", hw->flushes);
	spin_unlock(&hw->lock);
	if (!ret)
		test_hw_flush(hw, gather);
	return ret;
}

/* ---- life --------------------------------------------------------------- */

/* One that was used before: to make the memory anew is most of a short test. */
static struct test_hw *test_hw_spare;

static struct test_hw *test_hw_alloc(void)
{
	struct test_hw *hw = xchg(&test_hw_spare, NULL);

	if (!hw)
		return vzalloc(sizeof(*hw));
	/* Of the ring nothing is read that has not been written. */
	memset(hw, 0, offsetof(struct test_hw, ring));
	return hw;
}

void test_hw_drop_spare(void)
{
	vfree(xchg(&test_hw_spare, NULL));
}

struct test_hw *test_hw_create(const struct test_geometry *geometry)
{
	struct test_hw *hw = test_hw_alloc();
	u8 level, shift = geometry->page_shift;

	if (!hw)
		return NULL;
	spin_lock_init(&hw->lock);
	hw->geometry = geometry;
	hw->careful = geometry->careful;
	for (level = 0; level < geometry->levels; level++) {
		hw->shift[level] = shift;
		shift += geometry->bits[level];
	}
	return hw;
}

void test_hw_destroy(struct test_hw *hw)
{
	u32 i;

	for (i = 1; i <= hw->nr_tables; i++)
		kvfree(hw->tables[i].mem);
	if (!IS_ENABLED(CONFIG_KASAN) || cmpxchg(&test_hw_spare, NULL, hw))
		vfree(hw);
}
