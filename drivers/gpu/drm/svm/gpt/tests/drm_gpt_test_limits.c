// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests at the limits of what can be said: the last of 64 bits of addresses, bits
 * that are not the caller's, numbers that a 32-bit CPU reads in two halves.
 */

#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "drm_gpt_test_ops.h"

KUNIT_ARRAY_PARAM(limit_variant, ops_variants, test_variant_desc);

/* ---- the end of addresses ------------------------------------------------- */

/* Leaves in the root: its only table covers all that there is. */
static void the_root_may_hold_leaves(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u8 top = hw->geometry->levels - 1;
	u64 size = ops_size(hw, top), last = test_last(hw), *leaves;
	u32 n = 1 << hw->geometry->bits[top];
	struct drm_gpt_update up;

	if (!ops_may_map(hw, top))
		kunit_skip(test, "a format with a root of tables only");
	leaves = kunit_kcalloc(test, n + 1, sizeof(*leaves), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, leaves);
	leaves[0] = 2 * size | DRM_GPT_LEAF_VALID;
	leaves[n - 1] = 5 * size | DRM_GPT_LEAF_VALID;
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 0, last, top,
					      GFP_KERNEL), 0);
	/* One more comes round to the first. */
	KUNIT_EXPECT_EQ(test, drm_gpt_commit(&up, 0, leaves, n + 1, NULL, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, 0, leaves[0], n + 1, NULL,
						 NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit(&up, size, leaves, n, NULL, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_commit(&up, 0, leaves, n, NULL, NULL), 0);
	drm_gpt_finish(&up);
	ops_expect(test, 0, leaves[0], size);
	ops_expect(test, last - 0xfff, leaves[n - 1] + size - 0x1000, size);
	ops_expect(test, size, 0, size);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, last - 0xfff, last), 0);
	ops_expect(test, last - 0xfff, 0, size);
	ops_expect(test, 0, leaves[0], size);
}

/* A group of them, up to the last byte. */
static void groups_end_where_addresses_do(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u8 top = hw->geometry->levels - 1;
	u64 size = ops_size(hw, top), last = test_last(hw);
	u32 n = 1 << hw->geometry->hint[top];
	u64 base = last - n * size + 1, leaf = n * size | DRM_GPT_LEAF_VALID;
	struct drm_gpt_gather gather;

	if (n == 1)
		kunit_skip(test, "a format without groups in the root");
	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, base, leaf, n, top), 0);
	ops_expect(test, base, leaf, size);
	KUNIT_EXPECT_TRUE(test, test_hw_grouped(hw, base));
	KUNIT_EXPECT_TRUE(test, test_hw_grouped(hw, last));
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, last - 0xfff),
			leaf + (n * size - 0x1000));
	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, last - 0xfff, last), 0);
	KUNIT_EXPECT_EQ(test, gather.zap_first, base);
	KUNIT_EXPECT_EQ(test, gather.zap_last, last);
	test_flush(hw, &gather);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, base), 0);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, last - 0xfff), 0);
}

/* ---- bits of leaves -------------------------------------------------------- */

/* The hint is drm_gpt's to give: as bits of the address that there is no room for. */
static void refuses_hints_of_callers(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u64 leaf = test_leaf(hw, 1, 0) | DRM_GPT_LEAF_HINT, *leaves;
	u32 n = test_entries(hw), step, i;

	leaves = kunit_kcalloc(test, n, sizeof(*leaves), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, leaves);
	for (step = 1; step < 3; step++) {
		for (i = 0; i < n; i++)
			leaves[i] = test_leaf(hw, i * step, 0) | DRM_GPT_LEAF_HINT;
		for (i = 1; i <= n; i = i * 2 + (i == 1)) {
			KUNIT_EXPECT_EQ(test, test_map_if(hw, 0, leaves, i, NULL, NULL),
					-EINVAL);
			KUNIT_EXPECT_EQ(test, drm_gpt_map(&hw->gpt, 0, leaves, i,
							  GFP_KERNEL), -EINVAL);
		}
	}
	KUNIT_EXPECT_EQ(test, test_map_seq(hw, 0, leaf, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_map_seq(hw, 0, leaf, n), -EINVAL);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, test_hw_now(hw, i * one), 0);
	/* Behind a good one. */
	leaves[0] = test_leaf(hw, 1, 0);
	KUNIT_EXPECT_EQ(test, test_map_if(hw, 0, leaves, 2, NULL, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, one), 0);
}

/* ---- numbers of fences ----------------------------------------------------- */

/* Of its multiples each half is the other's complement. */
#define LIMIT_STEP	0xffffffffULL
/* Where they are read whole, as many as show that the test works. */
#define LIMIT_ROUNDS	(BITS_PER_LONG == 32 ? 400000 : 5000)

/**
 * struct limit_writer - maps a page over and over
 * @hw: device
 * @enough: it has done so often enough
 * @errors: what went wrong
 * @done: the thread has ended
 */
struct limit_writer {
	struct test_hw *hw;
	bool enough;
	u32 errors;
	struct completion done;
};

static int limit_writer_thread(void *data)
{
	struct limit_writer *writer = data;
	u32 i;

	for (i = 0; i < LIMIT_ROUNDS; i++) {
		if (test_map_seq(writer->hw, 0, test_leaf(writer->hw, 1, 0), 1))
			writer->errors++;
		if (i % 64 == 0)
			cond_resched();
	}
	WRITE_ONCE(writer->enough, true);
	kthread_complete_and_exit(&writer->done, 0);
}

/* What a lookup says to wait for has been a fence, not half of one and half of another. */
static void shows_no_half_of_a_fence(struct kunit *test)
{
	struct limit_writer *writer = kunit_kzalloc(test, sizeof(*writer), GFP_KERNEL);
	struct test_hw *hw = test->priv;
	struct drm_gpt_entry entry;
	u32 wrong = 0, seen = 0;

	KUNIT_ASSERT_NOT_NULL(test, writer);
	writer->hw = hw;
	hw->seq_step = LIMIT_STEP;
	init_completion(&writer->done);
	if (IS_ERR(kthread_run(limit_writer_thread, writer, "drm_gpt_test")))
		kunit_skip(test, "no thread");
	while (!READ_ONCE(writer->enough)) {
		drm_gpt_lookup(&hw->gpt, 0, &entry);
		if (!entry.seq)
			continue;
		seen++;
		wrong += (u32)entry.seq + (u32)(entry.seq >> 32) != U32_MAX;
		cond_resched();
	}
	wait_for_completion(&writer->done);
	KUNIT_EXPECT_EQ(test, writer->errors, 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, seen, 0);
}

static const struct test_variant limit_cmd_variants[] = {
	{ "commands", &test_geometry_vgem_svm, .cmd = true },
	{ "toy, commands", &test_geometry_toy, .cmd = true },
};

KUNIT_ARRAY_PARAM(limit_cmd_variant, limit_cmd_variants, test_variant_desc);

static struct kunit_case limit_cases[] = {
	KUNIT_CASE_PARAM(the_root_may_hold_leaves, limit_variant_gen_params),
	KUNIT_CASE_PARAM(groups_end_where_addresses_do, limit_variant_gen_params),
	KUNIT_CASE_PARAM(refuses_hints_of_callers, limit_variant_gen_params),
	KUNIT_CASE_PARAM(shows_no_half_of_a_fence, limit_cmd_variant_gen_params),
	{}
};

static struct kunit_suite drm_gpt_limits_suite = {
	.name = "drm_gpt_limits",
	.init = test_init,
	.exit = test_exit,
	.test_cases = limit_cases,
};

kunit_test_suite(drm_gpt_limits_suite);
