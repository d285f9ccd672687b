// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests of what a page table can do beyond pages mapped and zapped: updates by
 * level, directories unlinked as a whole, the ends of the address space.
 */

#include <kunit/test.h>

#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../drm_gpt_internal.h"
#include "drm_gpt_test_ops.h"

/* ---- set-up ------------------------------------------------------------- */

KUNIT_ARRAY_PARAM(ops_variant, ops_variants, test_variant_desc);

/* ---- small verbs -------------------------------------------------------- */

/* Bytes of an entry of @level, and so of a table of the level below. */
u64 ops_size(struct test_hw *hw, u8 level)
{
	return 1ULL << hw->geometry->format->levels[level].shift;
}

bool ops_may_map(struct test_hw *hw, u8 level)
{
	return level < hw->geometry->levels &&
	       hw->geometry->format->levels[level].leaf;
}

/* What an address is mapped to, and by entries of which size. */
void ops_expect(struct kunit *test, u64 va, u64 leaf, u64 size)
{
	struct test_hw *hw = test->priv;
	struct drm_gpt_entry entry;
	u64 got, hw_size;

	test_hw_run(hw, U32_MAX);
	got = test_hw_walk(hw, va, &hw_size);
	KUNIT_EXPECT_EQ(test, got, leaf);
	KUNIT_EXPECT_EQ(test, hw_size, size);
	drm_gpt_lookup(&hw->gpt, va, &entry);
	KUNIT_EXPECT_EQ(test, entry.first, va & ~(size - 1));
	KUNIT_EXPECT_EQ(test, entry.last, va | (size - 1));
	KUNIT_EXPECT_EQ(test, entry.flags & DRM_GPT_LEAF_VALID,
			leaf & DRM_GPT_LEAF_VALID);
	KUNIT_EXPECT_EQ(test, entry.seq, 0);
	if (leaf && !hw->hide)
		KUNIT_EXPECT_EQ(test, entry.leaf + (va & (size - 1) & ~0xfffULL),
				leaf);
}

/* Runs the ring step by step; at each the device has @want or may fault. */
void ops_expect_always(struct kunit *test, u64 va, u64 want, bool may_fault)
{
	struct test_hw *hw = test->priv;
	u64 got;

	do {
		got = test_hw_access(hw, va);
		if (!may_fault || got)
			KUNIT_ASSERT_EQ(test, got, want);
	} while (test_hw_run(hw, 1));
}

static int ops_zap_evict(struct test_hw *hw, u64 first, u64 last)
{
	struct drm_gpt_gather gather;
	int ret;

	drm_gpt_gather_init(&gather, &hw->gpt);
	gather.evict = true;
	ret = drm_gpt_zap_reserve(&gather, first, last, true);
	if (ret)
		return ret;
	drm_gpt_zap(&gather, first, last);
	test_flush(hw, &gather);
	return 0;
}

/* A gather with all that a zap of [first, last] may need. */
int ops_gather(struct test_hw *hw, struct drm_gpt_gather *gather, u64 first,
	       u64 last)
{
	drm_gpt_gather_init(gather, &hw->gpt);
	return drm_gpt_zap_reserve(gather, first, last, true);
}

/* ---- updates by level --------------------------------------------------- */

static void maps_leaves_of_each_level(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 leaf = test_leaf_4k(0, DRM_GPT_LEAF_WRITE), seq, size, base;
	u8 level;

	for (level = 1; level < hw->geometry->levels; level++) {
		if (!ops_may_map(hw, level))
			continue;
		size = ops_size(hw, level);
		base = 4 * size;
		leaf = 8 * size | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE;
		KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, base, leaf, 3, level), 0);
		/* No table below is made. */
		KUNIT_EXPECT_EQ(test, test_tables(hw), hw->geometry->levels - level);
		ops_expect(test, base, leaf, size);
		ops_expect(test, base + 3 * size - 0x1000,
			   leaf + 3 * size - 0x1000, size);
		KUNIT_EXPECT_EQ(test, test_hw_walk(hw, base - 0x1000, NULL), 0);
		KUNIT_EXPECT_EQ(test, test_hw_walk(hw, base + 3 * size, NULL), 0);
		KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, base,
						       base + 3 * size - 1,
						       DRM_GPT_LEAF_WRITE, &seq));
		KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
		test_reclaim_all(hw);
	}
}

static void maps_arrays_of_large_leaves(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 size = ops_size(hw, 1), leaves[4];
	struct drm_gpt_update up;
	u32 i;

	/* Two that follow each other, a hole, and one of its own. */
	for (i = 0; i < 4; i++)
		leaves[i] = (8 + i + (i == 3)) * size | DRM_GPT_LEAF_VALID;
	leaves[2] = 0;
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, size, 5 * size - 1, 1,
					      GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit(&up, size, leaves, 5, NULL, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit(&up, size + 0x1000, leaves, 1, NULL,
					     NULL), -EINVAL);
	KUNIT_ASSERT_EQ(test, drm_gpt_commit(&up, size, leaves, 4, NULL, NULL), 0);
	drm_gpt_finish(&up);
	for (i = 0; i < 4; i++)
		ops_expect(test, (i + 1) * size, leaves[i], size);
}

static void refuses_levels_that_map_nothing(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u8 top = hw->geometry->levels - 1, level;
	struct drm_gpt_update up;

	for (level = 1; level <= top; level++)
		if (!ops_may_map(hw, level))
			KUNIT_EXPECT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 0,
							      ops_size(hw, level) - 1,
							      level, GFP_KERNEL),
					-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 0, 0xfff, top + 1,
					      GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 0x1000,
					      ops_size(hw, 1) - 1, 1, GFP_KERNEL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

static void a_full_directory_becomes_one_leaf(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 size = ops_size(hw, 2), leaf = 8 * size | DRM_GPT_LEAF_VALID;

	if (!ops_may_map(hw, 2))
		kunit_skip(test, "a format with two sizes of leaves");
	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, size, leaf, test_entries(hw), 1),
			0);
	ops_expect(test, 2 * size - 0x1000, leaf + size - 0x1000, size);
	/* And by pages; there are too many for one leaf above that. */
	KUNIT_ASSERT_EQ(test, test_unmap(hw, size, 2 * size - 1), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, size), 0);
}

/* From the largest leaf down to a page, in one commit. */
static void splits_through_all_levels(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), leaf, size, base, va;
	u8 level = 1;

	if (!hw->geometry->format->replace_ok)
		kunit_skip(test, "a format that does not split in place");
	while (ops_may_map(hw, level + 1))
		level++;
	size = ops_size(hw, level);
	base = 2 * size;
	leaf = 8 * size | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE;
	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, base, leaf, 1, level), 0);
	test_hw_run(hw, U32_MAX);
	va = base + size - span + 0x2000;
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, va, test_leaf_4k(3, 0), 1), 0);
	/* Whenever the device looks, all that is not written over is there. */
	ops_expect_always(test, va + 0x1000, leaf + (va + 0x1000 - base), false);
	ops_expect(test, va, test_leaf_4k(3, 0), 0x1000);
	ops_expect(test, va - 0x1000, leaf + (va - 0x1000 - base), 0x1000);
	ops_expect(test, base + size - span, leaf + size - span, 0x1000);
	ops_expect(test, base + size - 0x1000, leaf + size - 0x1000, 0x1000);
	if (level > 1)
		ops_expect(test, base, leaf, ops_size(hw, level - 1));
	KUNIT_ASSERT_EQ(test, test_unmap(hw, base, base + size - 1), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, base), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, base + size - 0x1000), 0);
}

/* Between the split and its fence, under the table's lock. */
static bool ops_look_at_split(void *data)
{
	struct test_hw *hw = data;
	struct drm_gpt_entry entry;

	drm_gpt_lookup(&hw->gpt, 0x1000, &entry);
	return entry.flags && (!entry.leaf || entry.leaf == test_leaf_4k(65537, 0));
}

/* Memory of the table still says what it did before the large leaf. */
static void lookup_sees_nothing_stale_in_a_split(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), leaf = test_leaf_4k(5, 0);

	if (!hw->geometry->format->replace_ok)
		kunit_skip(test, "a format that does not split in place");
	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 0, 100, test_entries(hw)), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, span - 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, 0, test_leaf_4k(65536, 0), 1, 1), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_EQ(test, test_map_if(hw, 0x3000, &leaf, 1, ops_look_at_split, hw),
			0);
	ops_expect(test, 0x1000, test_leaf_4k(65537, 0), 0x1000);
}

/* ---- in each other's way ------------------------------------------------ */

static void large_leaf_waits_for_the_table_to_go(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), large = 16 * span | DRM_GPT_LEAF_VALID;
	u64 leaves[3] = { large, 0, large };
	struct drm_gpt_update up;

	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0x1000, test_leaf_4k(9, 0), 1), 0);
	KUNIT_EXPECT_EQ(test, test_map_seq_at(hw, 0, large, 2, 1), -EBUSY);
	ops_expect(test, 0x1000, test_leaf_4k(9, 0), 0x1000);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, span), 0);

	/* Empty it is still the device's, unless a zap is told to evict it. */
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0x1000, 0x1fff), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, span - 1), 0);
	KUNIT_EXPECT_EQ(test, test_map_seq_at(hw, 0, large, 1, 1), -EBUSY);
	KUNIT_ASSERT_EQ(test, ops_zap_evict(hw, 0x1000, span - 1), 0);
	KUNIT_EXPECT_EQ(test, test_map_seq_at(hw, 0, large, 1, 1), -EBUSY);
	KUNIT_ASSERT_EQ(test, ops_zap_evict(hw, 0, span - 1), 0);
	KUNIT_EXPECT_EQ(test, test_map_seq_at(hw, 0, large, 1, 1), 0);
	ops_expect(test, 0x1000, large + 0x1000, span);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, 0x1000), large + 0x1000);

	/* A hole of an array is in nobody's way. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 5 * span, test_leaf_4k(9, 0), 1), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 4 * span, 7 * span - 1, 1,
					      GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit(&up, 4 * span, leaves, 3, NULL, NULL), 0);
	drm_gpt_finish(&up);
	ops_expect(test, 4 * span, large, span);
	ops_expect(test, 5 * span, test_leaf_4k(9, 0), 0x1000);
	ops_expect(test, 6 * span, large, span);
}

static void large_leaf_makes_way_only_after_a_zap(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), large = 16 * span | DRM_GPT_LEAF_VALID;
	u64 leaf = test_leaf_4k(5, 0);

	if (hw->geometry->format->replace_ok)
		kunit_skip(test, "a format that splits in place");
	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, 0, large, 1, 1), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_map(&hw->gpt, 0x1000, &leaf, 1, GFP_KERNEL),
			-EBUSY);
	ops_expect(test, 0x1000, large + 0x1000, span);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0x1000, 0x1fff), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_map(&hw->gpt, 0x1000, &leaf, 1, GFP_KERNEL), 0);
	ops_expect(test, 0x1000, leaf, 0x1000);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), 0);
}

/* ---- drm_gpt_map() ------------------------------------------------------ */

static void map_is_done_when_it_returns(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), leaves[4] = {}, first = span - 0x2000;
	u32 i;

	for (i = 0; i < 4; i++)
		leaves[i] = test_leaf_4k(100 + 3 * i, DRM_GPT_LEAF_WRITE);
	/* Tables to be made; over a border; then all is there. */
	KUNIT_ASSERT_EQ(test, drm_gpt_map(&hw->gpt, 0, leaves, 1, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, 0, NULL), leaves[0]);
	KUNIT_ASSERT_EQ(test, drm_gpt_map(&hw->gpt, first, leaves, 4, GFP_KERNEL), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, test_hw_walk(hw, first + i * 0x1000, NULL),
				leaves[i]);
	leaves[0] = test_leaf_4k(7, 0);
	leaves[1] = 0;
	KUNIT_ASSERT_EQ(test, drm_gpt_map(&hw->gpt, first - 0x2000, leaves, 2,
					  GFP_KERNEL), 0);
	ops_expect(test, first - 0x2000, leaves[0], 0x1000);
	ops_expect(test, first - 0x1000, 0, 0x1000);
	/* Nothing to map is no error, nowhere to map is one. */
	KUNIT_EXPECT_EQ(test, drm_gpt_map(&hw->gpt, 0, &leaves[1], 1, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_map(&hw->gpt, 0, leaves, 0, GFP_KERNEL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_map(&hw->gpt, 0x800, leaves, 1, GFP_KERNEL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_map(&hw->gpt, test_last(hw) - 0xfff, leaves, 2,
					  GFP_KERNEL), -EINVAL);
	ops_expect(test, 0, test_leaf_4k(100, DRM_GPT_LEAF_WRITE), 0x1000);
}

static void map_links_what_was_unlinked(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), leaf = test_leaf_4k(5, 0);

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 0, 100, 4), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, span - 1), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_map(&hw->gpt, 0x2000, &leaf, 1, GFP_KERNEL),
			0);
	ops_expect(test, 0x2000, leaf, 0x1000);
	ops_expect(test, 0x1000, 0, 0x1000);
	/* Memory may be short on the long way. */
	hw->fail_at = 1;
	KUNIT_EXPECT_EQ(test, drm_gpt_map(&hw->gpt, 4 * span, &leaf, 1, GFP_KERNEL),
			-ENOMEM);
	hw->fail_at = 0;
}

static void map_uses_a_large_leaf(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 n = test_entries(hw), i;
	u64 span = test_span(hw), *leaves;

	leaves = kunit_kcalloc(test, n, sizeof(*leaves), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, leaves);
	for (i = 0; i < n; i++)
		leaves[i] = test_leaf_4k(4 * n + i, 0);
	/* The table is there and not linked, or would be taken. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, test_leaf_4k(1, 0), 1), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, span - 1), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_map(&hw->gpt, 0, leaves, n, GFP_KERNEL), 0);
	ops_expect(test, span - 0x1000, leaves[n - 1], span);
	/* Where it is in use, small ones. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, span, test_leaf_4k(1, 0), 1), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_map(&hw->gpt, span, leaves, n, GFP_KERNEL), 0);
	ops_expect(test, 2 * span - 0x1000, leaves[n - 1], 0x1000);
}

/* ---- directories -------------------------------------------------------- */

/* A page in the first table, one in the last, a large leaf between. */
static void ops_fill_directory(struct kunit *test, u64 base)
{
	struct test_hw *hw = test->priv;
	u64 dir = ops_size(hw, 2), span = test_span(hw);

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, base, 10, 5), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, base + dir - 0x1000, test_leaf_4k(40, 0), 1),
			0);
	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, base + 4 * span, 16 * span |
					      DRM_GPT_LEAF_VALID, 1, 1), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_NE(test, test_hw_access(hw, base), 0);
	KUNIT_EXPECT_NE(test, test_hw_access(hw, base + dir - 0x1000), 0);
	KUNIT_EXPECT_NE(test, test_hw_access(hw, base + 4 * span), 0);
}

static void ops_expect_empty(struct kunit *test, u64 base)
{
	struct test_hw *hw = test->priv;
	u64 dir = ops_size(hw, 2), va[] = { base, base + 0x4000, base + dir - 0x1000,
					    base + 4 * test_span(hw) };
	struct drm_gpt_entry entry;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(va); i++) {
		drm_gpt_lookup(&hw->gpt, va[i], &entry);
		KUNIT_EXPECT_EQ(test, entry.flags, 0);
		KUNIT_EXPECT_EQ(test, test_hw_walk(hw, va[i], NULL), 0);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, va[i]), 0);
	}
}

/* With commands: runs recorded, and stored in place of that. */
static u32 ops_runs(struct test_hw *hw)
{
	return atomic64_read(&hw->gpt.stats.runs) +
	       atomic64_read(&hw->gpt.stats.stores);
}

static void zap_of_a_directory_is_one_entry(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 dir = ops_size(hw, 2);
	struct drm_gpt_gather gather;
	u32 entries, runs;

	ops_fill_directory(test, dir);
	test_hw_run(hw, U32_MAX);
	entries = test_hw_entries(hw);
	runs = ops_runs(hw);
	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, dir - 0x1000, 2 * dir + 0xfff), 0);
	KUNIT_EXPECT_EQ(test, ops_runs(hw) - runs, hw->gpt.cmd ? 1 : 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_EQ(test, test_hw_entries(hw), entries - 1);
	KUNIT_EXPECT_TRUE(test, gather.directory);
	KUNIT_EXPECT_TRUE(test, test_gather_has(&gather, dir, 2 * dir - 1));
	KUNIT_EXPECT_EQ(test, gather.zap_first, dir);
	KUNIT_EXPECT_EQ(test, gather.zap_last, 2 * dir - 1);
	test_flush(hw, &gather);
	ops_expect_empty(test, dir);
}

/* What is below an unlinked directory went with it, and goes only once. */
static void zap_below_an_unlinked_directory_finds_nothing(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 dir = ops_size(hw, 2), top = ops_size(hw, hw->geometry->levels - 1);
	struct drm_gpt_gather gather;
	u64 first[] = { dir, top };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(first); i++) {
		u64 size = i ? top : dir;

		ops_fill_directory(test, first[i]);
		KUNIT_ASSERT_EQ(test, test_unmap(hw, first[i], first[i] + size - 1), 0);
		KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, first[i] + 0x1000,
					       first[i] + dir - 0x2001), 0);
		KUNIT_EXPECT_TRUE(test, drm_gpt_gather_empty(&gather));
		KUNIT_EXPECT_GT(test, gather.zap_first, gather.zap_last);
		test_flush(hw, &gather);
	}
}

static void relinked_directory_shows_nothing_stale(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 dir = ops_size(hw, 2), span = test_span(hw), page = dir + 8 * span;
	u64 leaf = test_leaf_4k(99, 0);

	ops_fill_directory(test, dir);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, dir, 2 * dir - 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, page, leaf, 1), 0);
	do {
		ops_expect_empty(test, dir);
	} while (test_hw_run(hw, 1));
	ops_expect(test, page, leaf, 0x1000);
	/* The tables that were there come back one by one, as empty. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, dir + 0x1000, leaf, 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 2 * dir - 0x2000, leaf, 1), 0);
	do {
		ops_expect_empty(test, dir);
	} while (test_hw_run(hw, 1));
	ops_expect(test, dir + 0x1000, leaf, 0x1000);
	ops_expect(test, 2 * dir - 0x2000, leaf, 0x1000);
}

static void reclaim_finds_tables_below_unlinked_directories(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 dir = ops_size(hw, 2), leaf = test_leaf_4k(7, 0);

	ops_fill_directory(test, dir);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 2 * dir, leaf, 1), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, dir, 2 * dir - 1), 0);
	test_reclaim_all(hw);
	/* The neighbour's, and what it has in common. */
	KUNIT_EXPECT_EQ(test, test_tables(hw), hw->geometry->levels);
	ops_expect(test, 2 * dir, leaf, 0x1000);

	/* And below one that was linked again meanwhile. */
	ops_fill_directory(test, dir);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, dir, 2 * dir - 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, dir + 8 * test_span(hw), leaf, 1), 0);
	test_reclaim_all(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), hw->geometry->levels + 2);
	ops_expect(test, dir + 8 * test_span(hw), leaf, 0x1000);
	ops_expect_empty(test, dir);
}

/* Directories with nothing below that counts go with their neighbours. */
static void zap_of_many_directories_takes_them_all(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 dir = ops_size(hw, 2);
	u32 i;

	for (i = 1; i < 6; i += 2)
		ops_fill_directory(test, i * dir);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, dir + dir / 2, 6 * dir - 1), 0);
	KUNIT_EXPECT_NE(test, test_hw_access(hw, dir), 0);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, 2 * dir - 0x1000), 0);
	ops_expect_empty(test, 3 * dir);
	ops_expect_empty(test, 5 * dir);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, dir), 0);
	test_reclaim_all(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

/* The lowest directory over @va; nobody else uses the table now. */
static struct drm_gpt_dir *ops_directory(struct test_hw *hw, u64 va)
{
	struct drm_gpt_table *table = hw->gpt.root;
	u32 i;

	while (table->level > 1) {
		i = drm_gpt_index(&hw->gpt, table->level, va);
		table = rcu_dereference_protected(table->child[i], true);
	}
	return drm_gpt_dir(table);
}

/* As if it had been linked again four thousand million times. */
static void ops_age_directory(struct drm_gpt_dir *dir, u32 epoch)
{
	struct drm_gpt_table *child;
	u32 i;

	for (i = 0; i < drm_gpt_size(&dir->table); i++) {
		child = rcu_dereference_protected(dir->table.child[i], true);
		if (child && child->link == dir->epoch)
			child->link = epoch;
	}
	dir->epoch = epoch;
}

static void epochs_may_wrap(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 dir = ops_size(hw, 2), span = test_span(hw), page;
	u32 i;

	ops_fill_directory(test, dir);
	ops_age_directory(ops_directory(hw, dir), DRM_GPT_UNLINKED - 3);
	ops_expect(test, dir, test_leaf_4k(10, DRM_GPT_LEAF_WRITE), 0x1000);
	for (i = 0; i < 6; i++) {
		KUNIT_ASSERT_EQ(test, test_unmap(hw, dir, 2 * dir - 1), 0);
		page = dir + (8 + i % 2) * span + i * 0x1000;
		KUNIT_ASSERT_EQ(test, test_map_seq(hw, page, test_leaf_4k(50 + i, 0), 1),
				0);
		do {
			ops_expect_empty(test, dir);
		} while (test_hw_run(hw, 1));
		ops_expect(test, page, test_leaf_4k(50 + i, 0), 0x1000);
		KUNIT_EXPECT_EQ(test, test_hw_walk(hw, page - span - 0x1000, NULL), 0);
	}
	KUNIT_EXPECT_LT(test, ops_directory(hw, dir)->epoch, 8);
}

/* ---- commits that fail -------------------------------------------------- */

static bool ops_only_once(void *data)
{
	return !(*(u32 *)data)++;
}

static void failed_commit_relinks_nothing_stale(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 dir = ops_size(hw, 2), leaf = test_leaf_4k(99, 0);

	ops_fill_directory(test, dir);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, dir, 2 * dir - 1), 0);
	KUNIT_EXPECT_EQ(test, test_map_if(hw, dir, &leaf, 1, test_say_no, NULL), -EAGAIN);
	do {
		ops_expect_empty(test, dir);
	} while (test_hw_run(hw, 1));
	KUNIT_ASSERT_EQ(test, test_map_if(hw, dir + 0x1000, &leaf, 1, NULL, NULL), 0);
	ops_expect(test, dir + 0x1000, leaf, 0x1000);
	ops_expect_empty(test, dir);
}

static void failed_commit_leaves_what_came_before(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), dir = ops_size(hw, 2);
	struct drm_gpt_update up;
	u32 asked = 0;

	/* Large leaves in two directories. */
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, dir - span,
					      dir + span - 1, 1, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, dir - span, 16 * span |
						 DRM_GPT_LEAF_VALID, 2,
						 ops_only_once, &asked), -EAGAIN);
	KUNIT_EXPECT_EQ(test, asked, 2);
	KUNIT_EXPECT_EQ(test, up.done, 1);
	drm_gpt_finish(&up);
	ops_expect(test, dir - span, 16 * span | DRM_GPT_LEAF_VALID, span);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, dir), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	test_reclaim_all(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

/* Whoever keeps a record needs to know exactly what went in before the error. */
static void failed_commit_says_how_far_it_came(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 first = test_span(hw) - 3 * 0x1000, leaves[6], seq;
	struct drm_gpt_update up;
	u32 bad, i;

	for (bad = 0; bad < 6; bad++) {
		for (i = 0; i < 6; i++)
			leaves[i] = test_leaf_4k(3 * i + 1, 0);
		leaves[1] = 0;
		leaves[bad] = ~0ULL;
		KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, first,
						      first + 0x5fff, 0, GFP_KERNEL), 0);
		KUNIT_EXPECT_EQ(test, drm_gpt_commit(&up, first, leaves, 6, NULL,
						     NULL), -EINVAL);
		KUNIT_EXPECT_EQ(test, up.done, bad);
		drm_gpt_finish(&up);
		for (i = 0; i < 6; i++)
			KUNIT_EXPECT_EQ(test, i < bad && leaves[i],
					drm_gpt_mapped(&hw->gpt, first + i * 0x1000,
						       first + i * 0x1000,
						       DRM_GPT_LEAF_VALID, &seq));
		KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	}
}

/* An update that is prepared keeps its tables, whatever else happens. */
static void prepared_tables_stay(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), first = 3 * span - 0x1000;
	struct drm_gpt_update up;

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, first - 0x4000, 1, 8), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, first, first + 0x1fff, 0,
					      GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	test_reclaim_all(hw);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, first, test_leaf_4k(5, 0), 2, NULL,
						 NULL), 0);
	drm_gpt_finish(&up);
	ops_expect(test, first, test_leaf_4k(5, 0), 0x1000);
	ops_expect(test, first + 0x1000, test_leaf_4k(6, 0), 0x1000);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, first - 0x1000), 0);
}

/* One page on each side of a border of tables is two tables. */
/*
 * Once prepare has taken what is needed, all of an update and of a zap runs where
 * nobody may sleep, nor ask for memory that way.
 */
static void only_prepare_sleeps(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), leaf = test_leaf_4k(4096, DRM_GPT_LEAF_WRITE);
	struct drm_gpt_gather gather, other;
	struct drm_gpt_update up, large;
	struct drm_gpt_entry entry;
	int ret, ret_large;

	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, leaf, 3), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, span / 2, span - 1, 0,
					      GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &large, span, 2 * span - 1, 0,
					      GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, 0, 2 * span - 1), 0);
	KUNIT_ASSERT_EQ(test, ops_gather(hw, &other, 0, 2 * span - 1), 0);

	preempt_disable();
	ret = drm_gpt_commit_seq(&up, span / 2, leaf, test_entries(hw) / 2, NULL, NULL);
	drm_gpt_finish(&up);
	ret_large = drm_gpt_commit_seq(&large, span, span | leaf, test_entries(hw),
				       NULL, NULL);
	drm_gpt_finish(&large);
	drm_gpt_promote(&gather, 0);
	drm_gpt_protect(&gather, 0, 0x1000 - 1, DRM_GPT_LEAF_WRITE);
	drm_gpt_zap(&gather, 0, 2 * span - 1);
	drm_gpt_lookup(&hw->gpt, span, &entry);
	drm_gpt_reclaim(&other, 0, 2 * span - 1);
	preempt_enable();

	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, ret_large, 0);
	KUNIT_EXPECT_EQ(test, entry.flags, 0);
	test_flush(hw, &gather);
	KUNIT_EXPECT_TRUE(test, other.tables);
	test_flush(hw, &other);
}

static void short_intervals_may_cross_a_border(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 dir = ops_size(hw, 2), at[] = { test_span(hw), dir, 3 * dir }, leaf;
	struct drm_gpt_gather gather;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		leaf = test_leaf_4k(100 * i + 1, 0);
		KUNIT_ASSERT_EQ(test, test_map_seq(hw, at[i] - 0x1000, leaf, 2), 0);
		ops_expect(test, at[i] - 0x1000, leaf, 0x1000);
		ops_expect(test, at[i], leaf + 0x1000, 0x1000);
		KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, at[i] - 0x1000,
					       at[i] + 0xfff), 0);
		KUNIT_EXPECT_TRUE(test, test_gather_has(&gather, at[i] - 0x1000,
							at[i] + 0xfff));
		test_flush(hw, &gather);
		ops_expect(test, at[i] - 0x1000, 0, 0x1000);
		ops_expect(test, at[i], 0, 0x1000);
	}
}

/* ---- ends of the address space ------------------------------------------ */

static void works_at_the_very_top(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 last = test_last(hw), span = test_span(hw), seq;
	u64 large = last + 1 - span, leaf = 16 * span | DRM_GPT_LEAF_VALID;
	struct drm_gpt_gather gather;
	struct drm_gpt_entry entry;

	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, large, leaf, 1, 1), 0);
	ops_expect(test, last - 0xfff, leaf + span - 0x1000, span);
	KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, large, last, 0, &seq));
	KUNIT_EXPECT_FALSE(test, drm_gpt_mapped(&hw->gpt, large - 0x1000, last, 0,
						&seq));
	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, last - 0xfff, last), 0);
	KUNIT_EXPECT_EQ(test, gather.zap_first, large);
	KUNIT_EXPECT_EQ(test, gather.zap_last, last);
	test_flush(hw, &gather);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, last - 0xfff), 0);

	KUNIT_ASSERT_EQ(test, test_map_seq(hw, last - 0x1fff, test_leaf_4k(3, 0), 2), 0);
	ops_expect(test, last - 0xfff, test_leaf_4k(4, 0), 0x1000);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, last - 0xfff, last), 0);
	ops_expect(test, last - 0xfff, 0, 0x1000);
	ops_expect(test, last - 0x1fff, test_leaf_4k(3, 0), 0x1000);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 1ULL << 20, last), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, last - 0x1fff), 0);
	/* A hole is told of as a whole. */
	test_reclaim_all(hw);
	drm_gpt_lookup(&hw->gpt, last, &entry);
	KUNIT_EXPECT_EQ(test, entry.last, last);
	KUNIT_EXPECT_EQ(test, entry.first,
			last + 1 - ops_size(hw, hw->geometry->levels - 1));
}

/* ---- dump --------------------------------------------------------------- */

static void ops_dump(struct test_hw *hw, char *text, size_t bytes)
{
	struct seq_file m = { .buf = text, .size = bytes };

	memset(text, 0, bytes);
	drm_gpt_dump(&hw->gpt, &m);
	text[min(m.count, bytes - 1)] = 0;
}

static void dump_tells_runs_of_equal_rights(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), last = test_last(hw);
	char *text = kunit_kzalloc(test, 1024, GFP_KERNEL);
	char *want = kunit_kzalloc(test, 1024, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_NOT_NULL(test, want);
	ops_dump(hw, text, 1024);
	snprintf(want, 1024, "format %s, 1 tables, 0 shrunk\n", hw->geometry->name);
	KUNIT_EXPECT_EQ(test, strcmp(text, want), 0);

	/* A page and a large leaf alike, one that is not, and the last page. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, span - 0x1000,
					   test_leaf_4k(5, DRM_GPT_LEAF_WRITE), 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, span, 16 * span | DRM_GPT_LEAF_VALID |
					      DRM_GPT_LEAF_WRITE, 1, 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 2 * span,
					   test_leaf_4k(7, DRM_GPT_LEAF_ATOMIC), 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, last - 0xfff, test_leaf_4k(9, 0), 1), 0);
	ops_dump(hw, text, 1024);
	snprintf(want, 1024,
		 "format %s, %llu tables, 0 shrunk\n%016llx-%016llx w-\n%016llx-%016llx -a\n%016llx-%016llx --\n",
		 hw->geometry->name, test_tables(hw), span - 0x1000, 2 * span - 1,
		 2 * span, 2 * span + 0xfff, last - 0xfff, last);
	KUNIT_EXPECT_EQ(test, strcmp(text, want), 0);

	/* Where there is no room it stops. */
	ops_dump(hw, text, 40);
	KUNIT_EXPECT_EQ(test, memcmp(text, want, 20), 0);
}

/* ---- what else may go wrong --------------------------------------------- */

static void init_says_when_memory_is_short(struct kunit *test)
{
	struct test_hw *hw = test_hw_create(&test_geometry_toy);
	struct drm_gpt_config config = {
		.format = test_geometry_toy.format,
		.mem = &test_mem_ops,
	};

	KUNIT_ASSERT_NOT_NULL(test, hw);
	hw->fail_at = 1;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&hw->gpt, &config), -ENOMEM);
	KUNIT_EXPECT_EQ(test, hw->nr_live, 0);
	test_hw_destroy(hw);
}

static void formats_have_to_add_up(struct kunit *test)
{
	struct drm_gpt_format format = *test_geometry_toy.format;
	struct drm_gpt_config config = { .format = &format, .mem = &test_mem_ops };
	struct drm_gpt gpt;

	format.levels[0].leaf = false;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_toy.format;
	format.levels[1].table = false;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_toy.format;
	format.levels[0].hint = format.levels[0].bits;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_toy.format;
	format.levels[1].bits = 0;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_toy.format;
	format.levels[2].bits = DRM_GPT_MAX_BITS + 1;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_toy.format;
	format.levels[0].entry_shift = 1;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_toy.format;
	format.nr_levels = DRM_GPT_MAX_LEVELS + 1;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_toy.format;
	format.va_bits = 0;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_toy.format;
	format.levels[0].shift = 11;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
}

static void formats_with_a_table_beside_have_to_add_up(struct kunit *test)
{
	struct drm_gpt_format format = *test_geometry_pair.format;
	struct drm_gpt_config config = { .format = &format, .mem = &test_mem_ops };
	struct drm_gpt gpt;

	format.levels[0].hint = 0;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_pair.format;
	format.fill_beside = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_pair.format;
	format.replace_ok = false;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_pair.format;
	format.levels[0].entry_shift = 2;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_pair.format;
	format.levels[2].hint = 1;
	format.levels[2].beside = true;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
}

static void refuses_more_tables_than_can_be_counted(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	struct drm_gpt_update up;

	KUNIT_EXPECT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 0, test_last(hw), 0,
					      GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

static void gather_takes_what_others_zapped(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw);
	struct drm_gpt_gather gather, other;

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 0, 1, 4), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_NE(test, test_hw_access(hw, 0), 0);
	KUNIT_ASSERT_EQ(test, test_zap(hw, &other, 0, span - 1), 0);
	/* Not found any more, and still in the device's caches. */
	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, 0, span - 1), 0);
	KUNIT_EXPECT_TRUE(test, drm_gpt_gather_empty(&gather));
	drm_gpt_gather_also(&gather, 0, 0xfff, false);
	KUNIT_EXPECT_FALSE(test, gather.directory);
	drm_gpt_gather_also(&gather, 0x1000, span - 1, true);
	KUNIT_EXPECT_TRUE(test, gather.directory);
	KUNIT_EXPECT_EQ(test, gather.nr, 1);
	KUNIT_EXPECT_GT(test, gather.zap_first, gather.zap_last);
	test_flush(hw, &gather);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, 0), 0);
	test_flush(hw, &other);
}

static struct kunit_case ops_cases[] = {
	KUNIT_CASE_PARAM(maps_leaves_of_each_level, ops_variant_gen_params),
	KUNIT_CASE_PARAM(maps_arrays_of_large_leaves, ops_variant_gen_params),
	KUNIT_CASE_PARAM(refuses_levels_that_map_nothing, ops_variant_gen_params),
	KUNIT_CASE_PARAM(a_full_directory_becomes_one_leaf, ops_variant_gen_params),
	KUNIT_CASE_PARAM(splits_through_all_levels, ops_variant_gen_params),
	KUNIT_CASE_PARAM(lookup_sees_nothing_stale_in_a_split,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(large_leaf_waits_for_the_table_to_go,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(large_leaf_makes_way_only_after_a_zap,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(map_is_done_when_it_returns, ops_variant_gen_params),
	KUNIT_CASE_PARAM(map_links_what_was_unlinked, ops_variant_gen_params),
	KUNIT_CASE_PARAM(map_uses_a_large_leaf, ops_variant_gen_params),
	KUNIT_CASE_PARAM(zap_of_a_directory_is_one_entry, ops_variant_gen_params),
	KUNIT_CASE_PARAM(zap_below_an_unlinked_directory_finds_nothing,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(relinked_directory_shows_nothing_stale,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(reclaim_finds_tables_below_unlinked_directories,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(zap_of_many_directories_takes_them_all,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(epochs_may_wrap, ops_variant_gen_params),
	KUNIT_CASE_PARAM(failed_commit_relinks_nothing_stale,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(failed_commit_leaves_what_came_before,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(failed_commit_says_how_far_it_came,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(prepared_tables_stay, ops_variant_gen_params),
	KUNIT_CASE_PARAM(only_prepare_sleeps, ops_variant_gen_params),
	KUNIT_CASE_PARAM(short_intervals_may_cross_a_border, ops_variant_gen_params),
	KUNIT_CASE_PARAM(works_at_the_very_top, ops_variant_gen_params),
	KUNIT_CASE_PARAM(dump_tells_runs_of_equal_rights, ops_variant_gen_params),
	KUNIT_CASE(init_says_when_memory_is_short),
	KUNIT_CASE(formats_have_to_add_up),
	KUNIT_CASE(formats_with_a_table_beside_have_to_add_up),
	KUNIT_CASE(refuses_more_tables_than_can_be_counted),
	KUNIT_CASE_PARAM(gather_takes_what_others_zapped, ops_variant_gen_params),
	{}
};

static struct kunit_suite drm_gpt_ops_suite = {
	.name = "drm_gpt_ops",
	.init = test_init,
	.exit = test_exit,
	.test_cases = ops_cases,
};

kunit_test_suite(drm_gpt_ops_suite);
