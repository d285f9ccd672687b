// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests of drm_gpt_split(): what was mapped stays, and a zap up to the address, or
 * from it on, takes that and no page more.
 */

#include <kunit/test.h>

#include <linux/slab.h>

#include "drm_gpt_test_ops.h"

static const struct test_variant split_variants[] = {
	{ "cpu", &test_geometry_vgem_svm },
	{ "commands", &test_geometry_vgem_svm, .cmd = true },
	{ "commands, hidden tables", &test_geometry_vgem_svm, .cmd = true,
	  .hide = true },
	{ "toy with groups, cpu", &test_geometry_toy_groups },
	{ "toy with groups, commands", &test_geometry_toy_groups, .cmd = true },
	{ "small, cpu", &test_geometry_small },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "small, hidden tables", &test_geometry_small, .cmd = true,
	  .hide = true },
	{ "small, small by cpu", &test_geometry_small, .cmd = true, .cpu_max = 3 },
	{ "wide, cpu", &test_geometry_wide },
	{ "wide, commands", &test_geometry_wide, .cmd = true },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
	{ "pair, hidden tables", &test_geometry_pair, .cmd = true, .hide = true },
	{ "x86_64, cpu", &test_geometry_x86_64 },
	{ "amdgpu, cpu", &test_geometry_amdgpu },
	{ "lpae, 4K, cpu", &test_geometry_lpae_4k },
	{ "lpae, 4K, commands", &test_geometry_lpae_4k, .cmd = true },
	{ "lpae, 4K, hidden tables", &test_geometry_lpae_4k, .cmd = true,
	  .hide = true },
	{ "lpae, 16K, cpu", &test_geometry_lpae_16k },
	{ "lpae, 64K, cpu", &test_geometry_lpae_64k },
	{ "rockchip, cpu", &test_geometry_rockchip },
	{ "nvidia, cpu", &test_geometry_nvidia },
	{ "nvidia, commands", &test_geometry_nvidia, .cmd = true },
};

KUNIT_ARRAY_PARAM(split_variant, split_variants, test_variant_desc);

static int split_flush(struct drm_gpt *gpt, struct drm_gpt_gather *gather)
{
	struct test_hw *hw = container_of(gpt, struct test_hw, gpt);

	might_sleep();
	hw->hoards += hw->reserved != gather->credits;
	test_hw_flush(hw, gather);
	return 0;
}

static int split_flush_fails(struct drm_gpt *gpt, struct drm_gpt_gather *gather)
{
	split_flush(gpt, gather);
	return -EIO;
}

/* Where a format can have it: a group, or a large leaf, or a group of these. */
static u64 split_leaf(struct test_hw *hw, u64 base)
{
	u64 attr = hw->geometry->nr_attrs ? TEST_ATTR(1) : 0;

	return test_leaf(hw, 0, DRM_GPT_LEAF_WRITE | attr) +
	       (base & (hw->geometry->levels > 2 ? BIT_ULL(30) - 1 : BIT_ULL(22) - 1));
}

/* Bytes of the largest that is tried: a group of leaves of level 1, or a table. */
static u64 split_bytes(struct test_hw *hw)
{
	return ops_size(hw, 1) << hw->geometry->hint[1];
}

/* Small pages, and groups of them, in halves of tables that do not become one. */
static void split_map_small(struct kunit *test, u64 base, u64 bytes)
{
	struct test_hw *hw = test->priv;
	u64 half = ops_size(hw, 1) / 2, va;

	for (va = base; va < base + bytes; va += half)
		KUNIT_ASSERT_EQ(test, test_map_seq(hw, va, split_leaf(hw, base) +
						   (va - base), test_pages(hw, half)), 0);
}

/* As large as the format has it. */
static void split_map(struct kunit *test, u64 base, u64 bytes)
{
	struct test_hw *hw = test->priv;
	u8 level = hw->geometry->format->levels[1].leaf;
	u32 n = bytes >> hw->geometry->format->levels[level].shift;

	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, base, split_leaf(hw, base), n, level),
			0);
}

static void split_expect(struct kunit *test, u64 from, u64 to, u64 base, bool mapped)
{
	struct test_hw *hw = test->priv;
	u64 step = max((to - from) / 64, test_page(hw)), va;

	step &= ~(test_page(hw) - 1);
	for (va = from; va < to; va += step)
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, va),
				mapped ? split_leaf(hw, base) + (va - base) : 0);
	if (from < to)
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, to - test_page(hw)),
				mapped ? split_leaf(hw, base) + (to - test_page(hw) - base) :
					 0);
}

/* Zaps on one side: exactly that goes. */
static void split_expect_exact(struct kunit *test, u64 base, u64 at, u64 end, bool right)
{
	u64 first = right ? at : base, last = right ? end - 1 : at - 1;
	struct test_hw *hw = test->priv;
	struct drm_gpt_gather gather;

	test_hw_run(hw, U32_MAX);
	split_expect(test, base, end, base, true);
	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, first, last), 0);
	KUNIT_EXPECT_EQ(test, gather.zap_first, first);
	KUNIT_EXPECT_EQ(test, gather.zap_last, last);
	test_flush(hw, &gather);
	split_expect(test, base, at, base, right);
	split_expect(test, at, end, base, !right);
}

static void split_try(struct kunit *test, u64 base, u64 at, u64 end, bool right,
		      bool small)
{
	struct test_hw *hw = test->priv;

	if (small)
		split_map_small(test, base, end - base);
	else
		split_map(test, base, end - base);
	test_hw_run(hw, U32_MAX);
	split_expect(test, base, end, base, true);
	KUNIT_ASSERT_EQ(test, drm_gpt_split(&hw->gpt, at, split_flush, GFP_KERNEL), 0);
	split_expect_exact(test, base, at, end, right);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, base, end - 1), 0);
	test_reclaim_all(hw);
}

static void unmaps_on_both_sides_are_exact(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 bytes = split_bytes(hw), base = bytes, page = test_page(hw);
	u64 group = page << hw->geometry->hint[0], table = ops_size(hw, 1), i;
	const u64 at[] = {
		page, group - page, group, group + page, table - page, table,
		table + page, bytes / 2, bytes - page,
	};

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		if (!at[i] || at[i] >= bytes)
			continue;
		split_try(test, base, base + at[i], base + bytes, false, false);
		split_try(test, base, base + at[i], base + bytes, true, false);
		if (at[i] >= table)
			continue;
		split_try(test, base, base + at[i], base + table, false, true);
		split_try(test, base, base + at[i], base + table, true, true);
	}
}

/* Who waits for ring space, or for a flush, has none that others could wait for. */
static void split_waits_with_empty_hands(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 bytes = split_bytes(hw), base = bytes;

	split_map(test, base, bytes);
	test_hw_run(hw, U32_MAX);
	hw->hoards = 0;
	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, base + test_page(hw), split_flush,
					    GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, hw->hoards, 0);
	KUNIT_EXPECT_EQ(test, hw->reserved, 0);
	test_hw_run(hw, U32_MAX);
	split_expect(test, base, base + bytes, base, true);
}

/* Nothing, pages, the ends of a leaf: nothing is made and nothing changes. */
static void split_where_nothing_is_across_does_nothing(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 base = split_bytes(hw), end = 2 * base, tables, leaf = test_leaf(hw, 1, 0);

	tables = test_tables(hw);
	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, base, NULL, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, 0, NULL, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, test_tables(hw), tables);
	split_map(test, base, base);
	KUNIT_ASSERT_EQ(test, test_map_if(hw, 0, &leaf, 1, NULL, NULL), 0);
	tables = test_tables(hw);
	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, base, NULL, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, end, NULL, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, test_page(hw), NULL, GFP_KERNEL),
			0);
	KUNIT_EXPECT_EQ(test, test_tables(hw), tables);
	test_hw_run(hw, U32_MAX);
	split_expect(test, base, end, base, true);
}

static void split_refuses_what_is_no_page(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 last = test_last(hw);

	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, test_page(hw) / 2, NULL,
					    GFP_KERNEL), -EINVAL);
	if (last == U64_MAX)
		return;
	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, last + 1, NULL, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, last + 1 + test_page(hw), NULL,
					    GFP_KERNEL), -EINVAL);
}

/* What cannot be prepared, or not be flushed. */
static void failed_split_says_so(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 base = split_bytes(hw), at = base + test_page(hw);
	bool replace = hw->geometry->format->replace_ok;

	if (split_bytes(hw) == test_page(hw) || (!hw->geometry->hint[0] &&
						 !hw->geometry->format->levels[1].leaf))
		kunit_skip(test, "a format of small pages only");
	split_map(test, base, base);
	test_hw_run(hw, U32_MAX);
	/* Of a large leaf, there is no table below. */
	if (hw->geometry->format->levels[1].leaf) {
		hw->fail_at = 1;
		KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, at, split_flush,
						    GFP_KERNEL), -ENOMEM);
		hw->fail_at = 0;
		split_expect(test, base, 2 * base, base, true);
	}
	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, at, replace ? split_flush : NULL,
					    GFP_KERNEL), replace ? 0 : -EINVAL);
	split_expect(test, base, 2 * base, base, true);
	if (replace)
		return;
	KUNIT_EXPECT_EQ(test, drm_gpt_split(&hw->gpt, at, split_flush_fails, GFP_KERNEL),
			-EIO);
	split_expect(test, base, base + test_page(hw), base, false);
}

static struct kunit_case split_cases[] = {
	KUNIT_CASE_PARAM(unmaps_on_both_sides_are_exact, split_variant_gen_params),
	KUNIT_CASE_PARAM(split_waits_with_empty_hands, split_variant_gen_params),
	KUNIT_CASE_PARAM(split_where_nothing_is_across_does_nothing,
			 split_variant_gen_params),
	KUNIT_CASE_PARAM(split_refuses_what_is_no_page, split_variant_gen_params),
	KUNIT_CASE_PARAM(failed_split_says_so, split_variant_gen_params),
	{}
};

static struct kunit_suite drm_gpt_split_suite = {
	.name = "drm_gpt_split",
	.init = test_init,
	.exit = test_exit,
	.test_cases = split_cases,
};

kunit_test_suite(drm_gpt_split_suite);
