// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests of what leaves have besides an address and rights: attributes, and no
 * memory. What it does to entries is tested with the formats; here, that it goes
 * through all that tables do with leaves.
 */

#include <kunit/test.h>

#include <linux/slab.h>

#include "drm_gpt_test_ops.h"

/* Those of ops_variants that have attributes. */
static const struct test_variant attr_variants[] = {
	{ "cpu", &test_geometry_vgem_svm },
	{ "commands", &test_geometry_vgem_svm, .cmd = true },
	{ "commands, hidden tables", &test_geometry_vgem_svm, .cmd = true,
	  .hide = true },
	{ "small, cpu", &test_geometry_small },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "small, small by cpu", &test_geometry_small, .cmd = true, .cpu_max = 3 },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
	{ "amdgpu, cpu", &test_geometry_amdgpu },
	{ "amdgpu, commands", &test_geometry_amdgpu, .cmd = true },
	{ "nvidia, cpu", &test_geometry_nvidia },
};

KUNIT_ARRAY_PARAM(attr_variant, attr_variants, test_variant_desc);

/* Leaves of a whole lowest table that follow each other, with attribute @attr. */
static u64 *attr_leaves(struct kunit *test, u32 attr)
{
	struct test_hw *hw = test->priv;
	u32 n = test_entries(hw), i;
	u64 *leaves = kunit_kcalloc(test, n, sizeof(*leaves), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, leaves);
	for (i = 0; i < n; i++)
		leaves[i] = test_leaf_4k(4 * n + i, DRM_GPT_LEAF_WRITE | TEST_ATTR(attr));
	return leaves;
}

static void attr_expect(struct kunit *test, const u64 *leaves, u64 size)
{
	struct test_hw *hw = test->priv;
	u32 i;

	for (i = 0; i < test_entries(hw); i++)
		ops_expect(test, test_span(hw) + i * 0x1000, leaves[i], size);
}

static void attr_map(struct kunit *test, const u64 *leaves)
{
	struct test_hw *hw = test->priv;

	KUNIT_ASSERT_EQ(test, test_map_if(hw, test_span(hw), leaves, test_entries(hw),
					  NULL, NULL), 0);
}

static void attributes_come_back(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 leaf;
	u32 i;

	for (i = 0; i < hw->geometry->nr_attrs; i++) {
		leaf = test_leaf_4k(2 * i + 1, TEST_ATTR(i));
		KUNIT_ASSERT_EQ(test, test_map_if(hw, i * 0x1000, &leaf, 1, NULL,
						  NULL), 0);
	}
	for (i = 0; i < hw->geometry->nr_attrs; i++)
		ops_expect(test, i * 0x1000, test_leaf_4k(2 * i + 1, TEST_ATTR(i)),
			   0x1000);
	leaf = test_leaf_4k(1, TEST_ATTR(i));
	KUNIT_EXPECT_EQ(test, test_map_if(hw, 0, &leaf, 1, NULL, NULL), -EINVAL);
	ops_expect(test, 0, test_leaf_4k(1, 0), 0x1000);
}

static void equal_attributes_make_a_large_leaf(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 *leaves = attr_leaves(test, 1);

	test_skip_if_all_small(test);
	attr_map(test, leaves);
	attr_expect(test, leaves, test_span(hw));
}

static void other_attributes_do_not(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 *leaves = attr_leaves(test, 1);
	u32 odd = test_entries(hw) / 2 + 1, group = 1 << hw->geometry->hint[0], i;

	leaves[odd] ^= TEST_ATTR(1) ^ TEST_ATTR(2);
	attr_map(test, leaves);
	attr_expect(test, leaves, 0x1000);
	if (group == 1)
		return;
	for (i = 0; i < test_entries(hw); i++)
		KUNIT_EXPECT_EQ(test, test_hw_grouped(hw, test_span(hw) + i * 0x1000),
				i / group != odd / group);
}

static void a_split_keeps_the_attribute(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 *leaves = attr_leaves(test, 1);

	test_skip_if_all_small(test);
	attr_map(test, leaves);
	leaves[3] ^= TEST_ATTR(1) ^ TEST_ATTR(2);
	KUNIT_ASSERT_EQ(test, test_map_if(hw, test_span(hw) + 0x3000, leaves + 3, 1,
					  NULL, NULL), 0);
	attr_expect(test, leaves, 0x1000);
}

static void promotion_joins_equal_attributes(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 *leaves = attr_leaves(test, 1), span = test_span(hw), odd;
	struct drm_gpt_gather gather;

	test_skip_if_all_small(test);
	if (hw->hide)
		kunit_skip(test, "tables that cannot be read are not promoted");
	odd = leaves[1] ^ TEST_ATTR(1) ^ TEST_ATTR(2);
	attr_map(test, leaves);
	KUNIT_ASSERT_EQ(test, test_map_if(hw, span + 0x1000, &odd, 1, NULL, NULL), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, span, 2 * span - 1), 0);
	KUNIT_EXPECT_FALSE(test, drm_gpt_promote(&gather, span));
	test_flush(hw, &gather);
	KUNIT_ASSERT_EQ(test, test_map_if(hw, span + 0x1000, leaves + 1, 1, NULL,
					  NULL), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, span, 2 * span - 1), 0);
	KUNIT_EXPECT_TRUE(test, drm_gpt_promote(&gather, span));
	test_flush(hw, &gather);
	attr_expect(test, leaves, span);
}

static void protect_keeps_the_attribute(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 *leaves = attr_leaves(test, 1), span = test_span(hw);
	struct drm_gpt_gather gather;
	u32 i;

	if (hw->gpt.cmd)
		kunit_skip(test, "commands take the mapping");
	leaves[5] ^= TEST_ATTR(1) ^ TEST_ATTR(2);
	attr_map(test, leaves);
	drm_gpt_gather_init(&gather, &hw->gpt);
	drm_gpt_protect(&gather, span, 2 * span - 1, DRM_GPT_LEAF_WRITE);
	test_flush(hw, &gather);
	for (i = 0; i < test_entries(hw); i++)
		leaves[i] &= ~DRM_GPT_LEAF_WRITE;
	attr_expect(test, leaves, 0x1000);
}

/* Pages of zeros, as a large leaf where they may be. */
static void zeros_come_and_go(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	bool large = hw->geometry->format->levels[1].leaf;
	u64 span = test_span(hw), zero = span | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_NULL;

	KUNIT_ASSERT_TRUE(test, hw->geometry->format->null);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, span, zero, test_entries(hw)), 0);
	ops_expect(test, span, zero, large ? span : 0x1000);
	ops_expect(test, span + 0x2000, zero + 0x2000, large ? span : 0x1000);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, span + 0x2000), zero + 0x2000);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, span, 2 * span - 1), 0);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, span + 0x2000), 0);
}

/* A page that fails, in the midst of zeros. */
static void poison_splits_what_is_large(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), zero = span | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_NULL;
	u64 bad = 0x1000 | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_POISON;

	if (!hw->geometry->format->poison) {
		KUNIT_EXPECT_EQ(test, test_map_if(hw, span, &bad, 1, NULL, NULL),
				-EINVAL);
		return;
	}
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, span, zero, test_entries(hw)), 0);
	KUNIT_ASSERT_EQ(test, test_map_if(hw, span + 0x1000, &bad, 1, NULL, NULL), 0);
	ops_expect(test, span, zero, 0x1000);
	ops_expect(test, span + 0x1000, bad, 0x1000);
	ops_expect(test, span + 0x2000, zero + 0x2000, 0x1000);
	bad |= DRM_GPT_LEAF_WRITE;
	KUNIT_EXPECT_EQ(test, test_map_if(hw, span + 0x2000, &bad, 1, NULL, NULL),
			-EINVAL);
}

static struct kunit_case attr_cases[] = {
	KUNIT_CASE_PARAM(attributes_come_back, attr_variant_gen_params),
	KUNIT_CASE_PARAM(equal_attributes_make_a_large_leaf, attr_variant_gen_params),
	KUNIT_CASE_PARAM(other_attributes_do_not, attr_variant_gen_params),
	KUNIT_CASE_PARAM(a_split_keeps_the_attribute, attr_variant_gen_params),
	KUNIT_CASE_PARAM(promotion_joins_equal_attributes, attr_variant_gen_params),
	KUNIT_CASE_PARAM(protect_keeps_the_attribute, attr_variant_gen_params),
	KUNIT_CASE_PARAM(zeros_come_and_go, attr_variant_gen_params),
	KUNIT_CASE_PARAM(poison_splits_what_is_large, attr_variant_gen_params),
	{}
};

static struct kunit_suite drm_gpt_attr_suite = {
	.name = "drm_gpt_attrs",
	.init = test_init,
	.exit = test_exit,
	.test_cases = attr_cases,
};

kunit_test_suite(drm_gpt_attr_suite);
