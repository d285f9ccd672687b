// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests of small updates by the CPU among large ones by commands
 * (&drm_gpt_config.cpu_max). The ring runs only when told, so whatever is stored
 * too early or too late stays to be seen.
 */

#include <kunit/test.h>

#include "drm_gpt_test.h"

/* Runs of up to so many entries are for the CPU. */
#define MIXED_MAX	4
/* A run that is not. */
#define MIXED_LONG	7

static const struct test_variant mixed_variants[] = {
	{ "vgem_svm", &test_geometry_vgem_svm, .cmd = true, .cpu_max = MIXED_MAX },
	{ "toy", &test_geometry_toy, .cmd = true, .cpu_max = MIXED_MAX },
	{ "lpae 4K", &test_geometry_lpae_4k, .cmd = true, .cpu_max = MIXED_MAX },
	{ "rockchip", &test_geometry_rockchip, .cmd = true, .cpu_max = MIXED_MAX },
};

KUNIT_ARRAY_PARAM(mixed_variant, mixed_variants, test_variant_desc);

/* As test_map_seq(), and the fence to wait for. */
static int mixed_map(struct test_hw *hw, u64 first, u64 leaf, u32 n, u64 *seq)
{
	return test_map_seq_fence(hw, first, leaf, n, 0, seq);
}

static u64 mixed_stores(struct test_hw *hw)
{
	return atomic64_read(&hw->gpt.stats.stores);
}

static u64 mixed_runs(struct test_hw *hw)
{
	return atomic64_read(&hw->gpt.stats.runs);
}

/* Pages that make no hint group of any format. */
static u64 mixed_leaf(struct test_hw *hw, u64 page)
{
	return test_leaf(hw, 1 + 0x1000 * page, DRM_GPT_LEAF_WRITE);
}

/* ---- who writes ------------------------------------------------------------- */

static void small_updates_are_stored(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 one = test_page(hw), leaf = mixed_leaf(hw, 1), seq;
	struct drm_gpt_entry entry;

	/* All the way down: each link is one entry. */
	KUNIT_ASSERT_EQ(test, mixed_map(hw, one, leaf, MIXED_MAX, &seq), 0);
	KUNIT_EXPECT_EQ(test, seq, 0);
	KUNIT_EXPECT_EQ(test, mixed_runs(hw), 0);
	KUNIT_EXPECT_EQ(test, mixed_stores(hw), hw->geometry->levels);
	KUNIT_EXPECT_EQ(test, hw->tail, 0);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, one, NULL), leaf);
	drm_gpt_lookup(&hw->gpt, one, &entry);
	KUNIT_EXPECT_EQ(test, entry.seq, 0);
	KUNIT_EXPECT_EQ(test, entry.leaf, leaf);

	/* And away again; the flush is a command. */
	KUNIT_ASSERT_EQ(test, test_unmap(hw, one, 2 * one - 1), 0);
	KUNIT_EXPECT_EQ(test, mixed_runs(hw), 0);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, one, NULL), 0);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, 2 * one, NULL), leaf + one);
}

static void large_updates_are_commands(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 one = test_page(hw), leaf = mixed_leaf(hw, 1), seq, found;
	struct drm_gpt_entry entry;

	KUNIT_ASSERT_EQ(test, mixed_map(hw, one, leaf, MIXED_LONG, &seq), 0);
	KUNIT_EXPECT_NE(test, seq, 0);
	KUNIT_EXPECT_NE(test, mixed_runs(hw), 0);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, one, NULL), 0);
	drm_gpt_lookup(&hw->gpt, one, &entry);
	KUNIT_EXPECT_EQ(test, entry.seq, seq);
	KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, one,
					       (MIXED_LONG + 1) * one - 1,
					       DRM_GPT_LEAF_WRITE, &found));
	KUNIT_EXPECT_EQ(test, found, seq);
	KUNIT_EXPECT_EQ(test, drm_gpt_wait(&hw->gpt, seq), 0);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, MIXED_LONG * one, NULL),
			leaf + (MIXED_LONG - 1) * one);
}

static void tables_out_of_reach_are_for_commands(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), leaf = mixed_leaf(hw, 1), seq;

	/* From here on: the root is not, what is below is. */
	hw->hide = true;
	KUNIT_ASSERT_EQ(test, mixed_map(hw, span, leaf, 1, &seq), 0);
	KUNIT_EXPECT_NE(test, seq, 0);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, span, NULL), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, span), leaf);
}

static void refuses_to_mix_without_means(struct kunit *test)
{
	const struct drm_gpt_format *format = &drm_gpt_format_vgem_svm;
	struct drm_gpt_cmd_ops cmd = test_cmd_ops;
	struct drm_gpt_config config = {
		.format = format,
		.mem = &test_mem_ops,
		.cpu_max = 1,
	};
	struct drm_gpt gpt;

	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	cmd.next = NULL;
	config.cmd = &cmd;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	config.cmd = &test_cmd_ops;
	config.mem = &drm_gpt_mem_streaming;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
}

/* ---- in which order --------------------------------------------------------- */

static void later_updates_win(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 one = test_page(hw), old = mixed_leaf(hw, 1), leaf = mixed_leaf(hw, 2), seq;
	u64 va = one + 2 * one;

	if (!hw->geometry->format->replace_ok)
		kunit_skip(test, "a format that is not written over");
	KUNIT_ASSERT_EQ(test, mixed_map(hw, one, old, MIXED_LONG, &seq), 0);
	/* The long one has not run: to store now would be to be overtaken. */
	KUNIT_ASSERT_EQ(test, mixed_map(hw, va, leaf, 1, &seq), 0);
	KUNIT_EXPECT_NE(test, seq, 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, va), leaf);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, va + one, NULL), old + 3 * one);

	/* Now it has. */
	KUNIT_ASSERT_EQ(test, mixed_map(hw, va, old, 1, &seq), 0);
	KUNIT_EXPECT_EQ(test, seq, 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, va), old);
}

static void zap_undoes_what_is_on_its_way(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 one = test_page(hw), leaf = mixed_leaf(hw, 1), seq, i;

	KUNIT_ASSERT_EQ(test, mixed_map(hw, one, leaf, MIXED_LONG, &seq), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 2 * one, 3 * one - 1), 0);
	for (i = 0; i < MIXED_LONG; i++)
		KUNIT_EXPECT_EQ(test, test_hw_now(hw, one + i * one),
				i == 1 ? 0 : leaf + i * one);
}

/* A zap's commands have no fence yet when the next update comes. */
static void stores_wait_for_zaps(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 one = test_page(hw), leaf = mixed_leaf(hw, 1), seq;
	struct drm_gpt_gather gather;

	KUNIT_ASSERT_EQ(test, mixed_map(hw, one, leaf, MIXED_LONG, &seq), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, one,
				       (MIXED_LONG + 1) * one - 1), 0);
	KUNIT_ASSERT_EQ(test, mixed_map(hw, 3 * one, leaf, 1, &seq), 0);
	KUNIT_EXPECT_NE(test, seq, 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 3 * one), leaf);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, one, NULL), 0);
	test_flush(hw, &gather);
}

/* ---- links ------------------------------------------------------------------ */

/*
 * A table that is linked by a command: what is stale in it takes one to clear,
 * and the entry above must not come before that.
 */
static void mixed_relink(struct kunit *test, u64 va, u64 leaf)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), one = test_page(hw), seq;

	KUNIT_ASSERT_EQ(test, mixed_map(hw, va, leaf, MIXED_LONG, &seq), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, va & ~(span - 1), va | (span - 1)), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_ASSERT_EQ(test, test_hw_walk(hw, va, NULL), 0);
	KUNIT_ASSERT_EQ(test, mixed_map(hw, va + one, leaf, 1, &seq), 0);
	KUNIT_EXPECT_NE(test, seq, 0);
}

static void links_wait_for_what_is_below(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 one = test_page(hw), leaf = mixed_leaf(hw, 1);

	mixed_relink(test, 0, leaf);
	do {
		u64 got = test_hw_walk(hw, one, NULL);

		KUNIT_EXPECT_EQ(test, test_hw_walk(hw, 0, NULL), 0);
		KUNIT_EXPECT_TRUE(test, !got || got == leaf);
	} while (test_hw_run(hw, 1));
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, one, NULL), leaf);
}

/* Who stores into a table that another is about to link has to wait for that. */
static void updates_wait_for_links(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), one = test_page(hw), leaf = mixed_leaf(hw, 1), seq;

	mixed_relink(test, 0, leaf);
	/* The directory has commands on their way, the table below has none. */
	KUNIT_ASSERT_EQ(test, mixed_map(hw, span, leaf, 1, &seq), 0);
	KUNIT_EXPECT_NE(test, seq, 0);
	KUNIT_ASSERT_EQ(test, mixed_map(hw, span + 2 * one, leaf, 1, &seq), 0);
	KUNIT_EXPECT_NE(test, seq, 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_wait(&hw->gpt, seq), 0);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, span, NULL), leaf);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, span + 2 * one, NULL), leaf);
	/* Linked for good. */
	KUNIT_ASSERT_EQ(test, mixed_map(hw, span + 4 * one, leaf, 1, &seq), 0);
	KUNIT_EXPECT_EQ(test, seq, 0);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, span + 4 * one, NULL), leaf);
}

static struct kunit_case mixed_cases[] = {
	KUNIT_CASE_PARAM(small_updates_are_stored, mixed_variant_gen_params),
	KUNIT_CASE_PARAM(large_updates_are_commands, mixed_variant_gen_params),
	KUNIT_CASE_PARAM(tables_out_of_reach_are_for_commands,
			 mixed_variant_gen_params),
	KUNIT_CASE_PARAM(later_updates_win, mixed_variant_gen_params),
	KUNIT_CASE_PARAM(zap_undoes_what_is_on_its_way, mixed_variant_gen_params),
	KUNIT_CASE_PARAM(stores_wait_for_zaps, mixed_variant_gen_params),
	KUNIT_CASE_PARAM(links_wait_for_what_is_below, mixed_variant_gen_params),
	KUNIT_CASE_PARAM(updates_wait_for_links, mixed_variant_gen_params),
	KUNIT_CASE(refuses_to_mix_without_means),
	{}
};

static struct kunit_suite mixed_suite = {
	.name = "drm_gpt_mixed",
	.init = test_init,
	.exit = test_exit,
	.test_cases = mixed_cases,
};

kunit_test_suite(mixed_suite);
