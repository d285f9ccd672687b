// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * All that the device could reach, read from its tables' memory from the root
 * on and held against the model. Knows the documented bits only.
 */

#include "fuzz.h"

struct walk {
	struct test_hw *hw;
	const struct model *model;
	u64 bytes;
	u64 where;
	const char *wrong;
};

static void walk_wrong(struct walk *walk, const char *what, u64 va)
{
	if (walk->wrong)
		return;
	walk->wrong = what;
	walk->where = va;
}

static const struct test_table *walk_table(struct walk *walk, u64 addr, bool local,
					   u64 va)
{
	const struct test_table *table;
	u64 index = addr >> TEST_TABLE_SHIFT;

	if (!index || index > walk->hw->nr_tables || (addr & (BIT(TEST_TABLE_SHIFT) - 1))) {
		walk_wrong(walk, "an entry points to no table", va);
		return NULL;
	}
	table = &walk->hw->tables[index];
	if (table->freed)
		walk_wrong(walk, "a freed table is reachable", va);
	else if (table->local != local)
		walk_wrong(walk, "an entry has the wrong aperture", va);
	else
		return table;
	return NULL;
}

/* One entry says of its group that it follows on. */
static void walk_group(struct walk *walk, u8 level, u64 va)
{
	const struct test_geometry *g = walk->hw->geometry;
	u8 hint = g->hint[level];
	u64 mask = (fuzz_size(g, level) << hint) - 1;

	if (!model_linear(walk->model, va & ~mask, va | mask) ||
	    (model_at(walk->model, va & ~mask) & mask & DRM_GPT_LEAF_ADDR))
		walk_wrong(walk, "a hint is wrong", va);
}

static void walk_leaf(struct walk *walk, const struct test_pte *pte, u8 level,
		      u64 va)
{
	u64 size = fuzz_size(walk->hw->geometry, level);

	walk->bytes += size;
	if (!model_linear(walk->model, va, va + size - 1) ||
	    model_at(walk->model, va) != (pte->addr | pte->flags))
		walk_wrong(walk, "the tables map something else", va);
	if (pte->hint)
		walk_group(walk, level, va);
}

static void walk_tables(struct walk *walk, const struct test_pte *pte, u8 level, u64 va);

/* What is beside a table says what the model says of whole groups, or nothing. */
static void walk_beside(struct walk *walk, u64 addr, bool local, u64 va)
{
	const struct test_geometry *g = walk->hw->geometry;
	const struct test_table *table = walk_table(walk, addr, local, va);
	u64 size = 0x1000ULL << g->hint[0];
	u32 i, n = 1U << (g->bits[0] - g->hint[0]);
	struct test_pte pte;

	if (table && table->bytes != n * g->entry_bytes[0]) {
		walk_wrong(walk, "no table of groups", va);
		return;
	}
	for (i = 0; table && i < n; i++, va += size) {
		g->decode((u8 *)table->mem + i * g->entry_bytes[0], 0, &pte);
		if (!pte.valid)
			continue;
		walk_group(walk, 0, va);
		if (model_at(walk->model, va) != (pte.addr | pte.flags))
			walk_wrong(walk, "an entry beside says something else", va);
	}
}

/* What a table takes; the root of some formats more than its entries. */
static u32 walk_bytes(const struct test_geometry *g, u8 level)
{
	u32 bytes = (u32)g->entry_bytes[level] << g->bits[level];

	return level == g->levels - 1 ? max_t(u32, bytes, g->format->root_bytes) : bytes;
}

static void walk_entries(struct walk *walk, u64 addr, bool local, u8 level, u64 va)
{
	const struct test_geometry *g = walk->hw->geometry;
	const struct test_table *table = walk_table(walk, addr, local, va);
	u64 size = fuzz_size(g, level);
	struct test_pte pte;
	u32 i;

	if (table && table->bytes != walk_bytes(g, level)) {
		walk_wrong(walk, "a table of another level", va);
		return;
	}
	for (i = 0; table && i < 1U << g->bits[level] && !walk->wrong; i++, va += size) {
		g->decode((u8 *)table->mem + i * g->entry_bytes[level], level, &pte);
		if (!pte.valid)
			continue;
		if (pte.leaf)
			walk_leaf(walk, &pte, level, va);
		else if (level)
			walk_tables(walk, &pte, level - 1, va);
		else
			walk_wrong(walk, "a table below the lowest level", va);
	}
}

static void walk_tables(struct walk *walk, const struct test_pte *pte, u8 level, u64 va)
{
	const struct test_geometry *g = walk->hw->geometry;

	walk_entries(walk, pte->addr, pte->local, level, va);
	if (g->beside && !level)
		walk_beside(walk, pte->beside, pte->beside_local, va);
}

const char *tables_compare(struct test_hw *hw, const struct model *model, u64 *where)
{
	struct walk walk = { .hw = hw, .model = model };
	u64 addr, want = 0;
	bool local;
	u32 i;

	drm_gpt_root(&hw->gpt, &addr, &local);
	walk_entries(&walk, addr, local, hw->geometry->levels - 1, 0);
	for (i = 0; i < model->nr; i++)
		want += model->segment[i].last - model->segment[i].first + 1;
	if (!walk.wrong && walk.bytes != want)
		walk.wrong = "the tables map less than they should";
	*where = walk.where;
	return walk.wrong;
}
