// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory that runs out: each allocation of a script of operations fails once, by
 * number, until the script meets none that is told to. And pages of the kernel
 * as memory for tables, for which there is no device in KUnit.
 */

#include "kunit.h"

#include "../../../drivers/gpu/drm/svm/gpt/tests/drm_gpt_test.h"

/* ---- each allocation once -------------------------------------------------- */

struct script {
	struct kunit *test;
	struct test_hw *hw;
	u32 failed;
};

/* Memory may have run out; else all went well. */
static bool went_well(struct script *s, int ret)
{
	if (ret == -ENOMEM)
		s->failed++;
	else
		KUNIT_EXPECT_EQ(s->test, ret, 0);
	return !ret;
}

static u64 page_at(struct test_hw *hw, u64 va)
{
	test_hw_run(hw, U32_MAX);
	return test_hw_walk(hw, va, NULL);
}

/* Maps it or leaves all as it was. */
static void map_or_not(struct script *s, u64 first, u64 leaf, u32 n)
{
	u64 before = page_at(s->hw, first + (n - 1) * 0x1000ULL);
	bool done = went_well(s, test_map_seq(s->hw, first, leaf, n));

	KUNIT_EXPECT_EQ(s->test, page_at(s->hw, first + (n - 1) * 0x1000ULL),
			done ? leaf + (n - 1) * 0x1000ULL : before);
	KUNIT_EXPECT_EQ(s->test, s->hw->reserved, 0);
	KUNIT_EXPECT_EQ(s->test, test_tables(s->hw), s->hw->nr_live);
}

static void map_now_or_not(struct script *s, u64 va, u64 leaf)
{
	bool done = went_well(s, drm_gpt_map(&s->hw->gpt, va, &leaf, 1, GFP_KERNEL));

	KUNIT_EXPECT_EQ(s->test, page_at(s->hw, va), done ? leaf : 0);
}

static void prepare_large_or_not(struct script *s, u64 first, u64 last)
{
	struct drm_gpt_update up;

	if (went_well(s, drm_gpt_prepare(&s->hw->gpt, &up, first, last, 1, GFP_KERNEL)))
		drm_gpt_finish(&up);
}

/* One directory and two tables, more than fit an update, a split, a relink. */
static void play(struct script *s)
{
	struct test_hw *hw = s->hw;
	u64 span = test_span(hw), dir = span * test_entries(hw);
	u32 n = test_entries(hw);

	map_or_not(s, dir - 0x1000, test_leaf_4k(n - 1, 0), 2);
	map_or_not(s, 4 * dir, test_leaf_4k(4096 * n, 0), 4 * n + 1);
	map_or_not(s, 4 * dir + 0x1000, test_leaf_4k(9, 0), n + 1);
	map_now_or_not(s, 6 * dir, test_leaf_4k(5, 0));
	prepare_large_or_not(s, 8 * dir, 12 * dir - 1);
	KUNIT_EXPECT_EQ(s->test, test_unmap(hw, 0, 5 * dir - 1), 0);
	map_or_not(s, 4 * dir + 0x3000, test_leaf_4k(77, 0), 1);
}

static void memory_may_run_out_anywhere(struct kunit *test)
{
	struct script s = { .test = test, .hw = test->priv };
	bool reached = true;
	u32 k;

	/* A format that does not replace refuses what the script maps over. */
	if (!s.hw->geometry->format->replace_ok)
		kunit_skip(test, "a format that replaces in place");
	for (k = 1; reached; k++) {
		s.failed = 0;
		shim_fail_nth(k);
		play(&s);
		reached = shim_fail_reached();
		shim_fail_nth(0);
		KUNIT_ASSERT_EQ(test, s.failed, reached);
		/* The table is whole: it works, and all of it can be taken out. */
		play(&s);
		KUNIT_ASSERT_EQ(test, s.failed, reached);
		KUNIT_EXPECT_EQ(test, test_unmap(s.hw, 0, test_last(s.hw)), 0);
		test_reclaim_all(s.hw);
		KUNIT_ASSERT_EQ(test, test_tables(s.hw), 1);
		KUNIT_ASSERT_EQ(test, s.hw->nr_beside, 0);
	}
	kunit_info(test, "%u allocations\n", k - 2);
	/* Two for each table, and the array of more tables than two. */
	KUNIT_EXPECT_GT(test, k, 20);
}

/* The root itself. */
static void init_may_run_out_of_memory(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	struct drm_gpt_config config = {
		.format = hw->geometry->format,
		.mem = &test_mem_ops,
		.cmd = hw->gpt.cmd,
		.attrs = hw->geometry->attrs,
		.nr_attrs = hw->geometry->nr_attrs,
	};
	struct drm_gpt *gpt = &hw->gpt;
	u32 k;
	int ret = -ENOMEM;

	drm_gpt_fini(gpt);
	for (k = 1; ret; k++) {
		shim_fail_nth(k);
		ret = drm_gpt_init(gpt, &config);
		shim_fail_nth(0);
		KUNIT_EXPECT_EQ(test, ret, k <= 2 ? -ENOMEM : 0);
		KUNIT_EXPECT_EQ(test, hw->nr_live, ret ? 0 : 1);
	}
}

/* ---- pages of the kernel --------------------------------------------------- */

long shim_secondary_pagetables(void);

static void pages_are_mapped_counted_and_given_back(struct kunit *test)
{
	struct device dev = {};
	struct drm_gpt_config config = {
		.dev = &dev,
		.format = &drm_gpt_format_vgem_svm,
		.mem = &drm_gpt_mem_pages,
	};
	struct drm_gpt_entry entry;
	struct drm_gpt gpt;
	u64 leaf = test_leaf_4k(5, 0), addr;
	bool local;

	KUNIT_ASSERT_EQ(test, drm_gpt_init(&gpt, &config), 0);
	drm_gpt_root(&gpt, &addr, &local);
	KUNIT_EXPECT_NE(test, addr, 0);
	KUNIT_EXPECT_FALSE(test, local);
	KUNIT_EXPECT_EQ(test, drm_gpt_map(&gpt, 0x1000, &leaf, 1, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, shim_secondary_pagetables(), 5);
	drm_gpt_lookup(&gpt, 0x1000, &entry);
	KUNIT_EXPECT_EQ(test, entry.leaf, leaf);
	drm_gpt_fini(&gpt);
	KUNIT_EXPECT_EQ(test, shim_secondary_pagetables(), 0);
}

static void pages_have_to_be_had(struct kunit *test)
{
	struct device dev = { .no_coherent = true };
	struct drm_gpt_config config = {
		.dev = &dev,
		.format = &drm_gpt_format_vgem_svm,
		.mem = &drm_gpt_mem_pages,
	};
	struct drm_gpt gpt;
	u32 k;

	/* A device that does not snoop. */
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -ENOMEM);
	dev.no_coherent = false;
	for (k = 1; k < 4; k++) {
		shim_fail_nth(k);
		KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -ENOMEM);
		shim_fail_nth(0);
	}
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), 0);
	drm_gpt_fini(&gpt);
}

static const struct test_variant fail_variants[] = {
	{ "cpu", &test_geometry_vgem_svm },
	{ "commands", &test_geometry_vgem_svm, .cmd = true },
	{ "commands, hidden tables", &test_geometry_vgem_svm, .cmd = true, .hide = true },
	{ "small, cpu", &test_geometry_small },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "nvidia, cpu", &test_geometry_nvidia },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
};

KUNIT_ARRAY_PARAM(fail_variant, fail_variants, test_variant_desc);

static struct kunit_case fail_cases[] = {
	KUNIT_CASE_PARAM(memory_may_run_out_anywhere, fail_variant_gen_params),
	KUNIT_CASE_PARAM(init_may_run_out_of_memory, fail_variant_gen_params),
	KUNIT_CASE(pages_are_mapped_counted_and_given_back),
	KUNIT_CASE(pages_have_to_be_had),
	{}
};

static struct kunit_suite fail_suite = {
	.name = "fail",
	.init = test_init,
	.exit = test_exit,
	.test_cases = fail_cases,
};

kunit_test_suite(fail_suite);
