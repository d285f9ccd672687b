// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The shrinker: what it takes and what not, how much at a time, and what becomes
 * of it if the device does not answer. The device keeps tables in its walk cache
 * until it is told, and freed ones to see late use.
 */

#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/shrinker.h>

#include "../drm_gpt_internal.h"
#include "drm_gpt_test.h"

static const struct test_variant shrink_variants[] = {
	{ "cpu", &test_geometry_vgem_svm },
	{ "commands", &test_geometry_vgem_svm, .cmd = true },
	{ "commands, hidden tables", &test_geometry_vgem_svm, .cmd = true,
	  .hide = true },
	{ "toy, cpu", &test_geometry_toy },
	{ "toy with groups, commands", &test_geometry_toy_groups, .cmd = true },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "lpae 4K, cpu", &test_geometry_lpae_4k },
	{ "rockchip, commands", &test_geometry_rockchip, .cmd = true },
};

KUNIT_ARRAY_PARAM(shrink_variant, shrink_variants, test_variant_desc);

static int shrink_init(struct kunit *test)
{
	return test_init_with(test, &test_mem_ops, test_hw_shrink_flush);
}

/* ---- small verbs ----------------------------------------------------------- */

static unsigned long shrink_count(void)
{
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL };
	unsigned long nr = drm_gpt_shrink_count(NULL, &sc);

	return nr == SHRINK_EMPTY ? 0 : nr;
}

/* As reclaim does it. Return: how many tables will be freed. */
unsigned long test_shrink(unsigned long nr)
{
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL, .nr_to_scan = nr };
	unsigned long freed = drm_gpt_shrink_scan(NULL, &sc);

	if (freed == SHRINK_STOP)
		freed = 0;
	/* One that makes no sense, for the caller to wonder at. */
	return sc.nr_scanned <= nr && freed <= sc.nr_scanned ? freed : U32_MAX;
}

/* All that there is, in pieces. */
static unsigned long shrink_all(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	unsigned long sum = 0, freed;
	u32 i = 0;

	do {
		freed = test_shrink(7);
		KUNIT_ASSERT_LE(test, freed, 7);
		sum += freed;
	} while (freed && i++ < 2000);
	test_wait_freed(hw);
	return sum;
}

/* The @i-th of tables that do not touch. */
static u64 shrink_va(struct test_hw *hw, u32 i)
{
	return 2 * i * test_span(hw);
}

static u64 shrink_leaf(struct test_hw *hw, u32 i)
{
	return test_leaf(hw, 10 * i + 1, DRM_GPT_LEAF_WRITE);
}

/* A page in each of @n tables, which the device keeps in its walk cache. */
static void shrink_map(struct kunit *test, u32 n)
{
	struct test_hw *hw = test->priv;
	u32 i;

	for (i = 0; i < n; i++) {
		KUNIT_ASSERT_EQ(test, test_map_seq(hw, shrink_va(hw, i),
						   shrink_leaf(hw, i), 1), 0);
		test_hw_run(hw, U32_MAX);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, shrink_va(hw, i)),
				shrink_leaf(hw, i));
	}
}

/* Pages go; the tables stay linked, and in the walk cache. */
static void shrink_empty(struct kunit *test, u32 first, u32 end)
{
	struct test_hw *hw = test->priv;

	for (; first < end; first++)
		KUNIT_ASSERT_EQ(test, test_unmap(hw, shrink_va(hw, first),
						 shrink_va(hw, first) +
						 test_page(hw) - 1), 0);
}

/* Tables are unlinked one by one. */
static void shrink_unlink(struct kunit *test, u32 first, u32 end)
{
	struct test_hw *hw = test->priv;

	for (; first < end; first++)
		KUNIT_ASSERT_EQ(test, test_unmap(hw, shrink_va(hw, first),
						 shrink_va(hw, first) +
						 test_span(hw) - 1), 0);
}

/* What the device makes of each of them now. */
static void shrink_expect(struct kunit *test, u32 n, bool mapped)
{
	struct test_hw *hw = test->priv;
	u32 i;

	for (i = 0; i < n; i++) {
		test_hw_run(hw, U32_MAX);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, shrink_va(hw, i)),
				mapped ? shrink_leaf(hw, i) : 0);
	}
}

/* ---- what goes -------------------------------------------------------------- */

static void shrinker_frees_what_zaps_leave(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 tables;

	shrink_map(test, 6);
	tables = test_tables(hw);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	KUNIT_EXPECT_EQ(test, test_shrink(100), 0);

	shrink_empty(test, 0, 3);
	shrink_unlink(test, 3, 6);
	KUNIT_EXPECT_EQ(test, shrink_count(), 6);
	KUNIT_EXPECT_EQ(test, test_tables(hw), tables);
	KUNIT_EXPECT_EQ(test, shrink_all(test), tables - 1);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
	KUNIT_EXPECT_EQ(test, hw->nr_live, 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&hw->gpt.stats.shrunk), tables - 1);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	shrink_expect(test, 6, false);

	shrink_map(test, 6);
	KUNIT_EXPECT_EQ(test, test_tables(hw), tables);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
}

static void shrinker_frees_what_nobody_used(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw);
	struct drm_gpt_update up;

	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, span, 3 * span - 1,
					      0, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, shrink_all(test), 0);
	drm_gpt_finish(&up);
	/* Two, and what had to be made above. */
	KUNIT_EXPECT_EQ(test, shrink_count(), hw->geometry->levels);
	KUNIT_EXPECT_EQ(test, shrink_all(test), hw->geometry->levels);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
}

/* A commit has linked the table, and then had no leave to write. */
static void shrinker_frees_what_was_refused(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 leaf = shrink_leaf(hw, 1);

	KUNIT_ASSERT_EQ(test, test_map_if(hw, 0, &leaf, 1, test_say_no, NULL),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, shrink_count(), 1);
	KUNIT_EXPECT_EQ(test, shrink_all(test), hw->geometry->levels - 1);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
}

/* What is below is not counted one by one, and all of it goes. */
static void shrinker_frees_what_is_below(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 n = min(2 * test_entries(hw), 60u);
	u64 tables;

	shrink_map(test, n);
	tables = test_tables(hw);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	KUNIT_EXPECT_EQ(test, shrink_count(), tables - 1);
	KUNIT_EXPECT_EQ(test, test_shrink(2), 2);
	KUNIT_EXPECT_EQ(test, shrink_count(), tables - 3);
	KUNIT_EXPECT_EQ(test, shrink_all(test), tables - 3);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
	shrink_map(test, n);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	shrink_expect(test, n, true);
}

/* ---- what stays ------------------------------------------------------------- */

static void shrinker_spares_what_is_needed(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 n = test_entries(hw);
	u64 span = test_span(hw), tables;
	struct drm_gpt_update up;

	/* A page, a table pinned, and a deposit where there are large leaves. */
	shrink_map(test, 1);
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, span, 2 * span - 1,
					      0, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 4 * span, test_leaf(hw, 4 * n, 0), n),
			0);
	tables = test_tables(hw);
	KUNIT_EXPECT_EQ(test, shrink_count(), 1);
	KUNIT_EXPECT_EQ(test, shrink_all(test), 0);
	KUNIT_EXPECT_EQ(test, test_tables(hw), tables);
	KUNIT_EXPECT_EQ(test, shrink_count(), 1);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, span, test_leaf(hw, 5, 0), 1,
						 NULL, NULL), 0);
	drm_gpt_finish(&up);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	KUNIT_EXPECT_EQ(test, shrink_all(test), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), shrink_leaf(hw, 0));
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, span), test_leaf(hw, 5, 0));
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 4 * span), test_leaf(hw, 4 * n, 0));
	KUNIT_EXPECT_EQ(test, hw->flushes, 0);
}

/* In a pass over all, too: it looks at every table. */
static void shrinker_spares_what_is_used_again(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 tables;

	shrink_map(test, 8);
	tables = test_tables(hw);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	shrink_map(test, 8);
	KUNIT_EXPECT_EQ(test, shrink_all(test), 0);
	KUNIT_EXPECT_EQ(test, test_tables(hw), tables);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	shrink_expect(test, 8, true);
}

static void shrinker_leaves_alone_who_cannot_flush(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	struct drm_gpt_config config = {
		.format = hw->gpt.format,
		.mem = &test_mem_ops,
		.cmd = hw->gpt.cmd,
	};
	u64 tables;

	drm_gpt_fini(&hw->gpt);
	KUNIT_ASSERT_EQ(test, drm_gpt_init(&hw->gpt, &config), 0);
	shrink_map(test, 4);
	tables = test_tables(hw);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	KUNIT_EXPECT_EQ(test, test_shrink(100), 0);
	KUNIT_EXPECT_EQ(test, test_tables(hw), tables);
}

/* ---- how much ---------------------------------------------------------------- */

static void shrinker_counts_what_is_idle(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 i, n = test_entries(hw);

	/* The same table over and over is one. */
	for (i = 0; i < 5; i++) {
		shrink_map(test, 1);
		shrink_empty(test, 0, 1);
		KUNIT_EXPECT_EQ(test, shrink_count(), 1);
	}
	/* A commit into it does not say so; a scan sees it. */
	shrink_map(test, 1);
	KUNIT_EXPECT_EQ(test, test_shrink(5), 0);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	/* One that links does. */
	shrink_unlink(test, 0, 1);
	KUNIT_EXPECT_EQ(test, shrink_count(), 1);
	shrink_map(test, 1);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	/* A deposit is one until its leaf goes. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, shrink_va(hw, 1),
					   test_leaf(hw, 4 * n, 0), n), 0);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	shrink_unlink(test, 1, 2);
	KUNIT_EXPECT_EQ(test, shrink_count(), 1);
	KUNIT_EXPECT_EQ(test, shrink_all(test), 1);
	shrink_expect(test, 1, true);
}

static void shrinker_takes_no_more_than_asked(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 tables;

	shrink_map(test, 12);
	tables = test_tables(hw);
	shrink_unlink(test, 0, 6);
	shrink_empty(test, 6, 12);
	KUNIT_EXPECT_EQ(test, shrink_count(), 12);
	KUNIT_EXPECT_EQ(test, test_shrink(0), 0);
	KUNIT_EXPECT_EQ(test, test_shrink(5), 5);
	KUNIT_EXPECT_EQ(test, shrink_count(), 7);
	KUNIT_EXPECT_EQ(test, test_shrink(1), 1);
	KUNIT_EXPECT_EQ(test, shrink_count(), 6);
	test_wait_freed(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), tables - 6);
	KUNIT_EXPECT_EQ(test, hw->flushes, 2);
	/* Behind where the last scan ended there is something again. */
	shrink_map(test, 1);
	shrink_unlink(test, 0, 1);
	KUNIT_EXPECT_EQ(test, shrink_count(), 7);
	KUNIT_EXPECT_EQ(test, test_shrink(100), tables - 6);
	test_wait_freed(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

/* A second page table like that of the test. */
static struct test_hw *shrink_another(struct kunit *test, drm_gpt_flush_fn flush)
{
	struct test_hw *hw = test->priv, *other;
	struct drm_gpt_config config = {
		.format = hw->gpt.format,
		.mem = &test_mem_ops,
		.cmd = hw->gpt.cmd,
		.flush = flush,
	};

	other = test_hw_create(hw->geometry);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_EQ(test, drm_gpt_init(&other->gpt, &config), 0);
	return other;
}

static void shrink_end(struct kunit *test, struct test_hw *other)
{
	struct test_hw *hw = test->priv;

	test->priv = other;
	test_exit(test);
	test->priv = hw;
}

static u64 shrink_shrunk(struct test_hw *hw)
{
	return atomic64_read(&hw->gpt.stats.shrunk);
}

static void shrinker_takes_turns(struct kunit *test)
{
	struct test_hw *hw = test->priv, *other;

	other = shrink_another(test, test_hw_shrink_flush);
	shrink_map(test, 6);
	shrink_empty(test, 0, 6);
	test->priv = other;
	shrink_map(test, 6);
	shrink_empty(test, 0, 6);
	test->priv = hw;

	KUNIT_EXPECT_EQ(test, shrink_count(), 12);
	KUNIT_EXPECT_EQ(test, test_shrink(2), 2);
	KUNIT_EXPECT_EQ(test, test_shrink(2), 2);
	KUNIT_EXPECT_EQ(test, shrink_shrunk(hw), 2);
	KUNIT_EXPECT_EQ(test, shrink_shrunk(other), 2);
	KUNIT_EXPECT_EQ(test, test_shrink(2), 2);
	KUNIT_EXPECT_EQ(test, test_shrink(2), 2);
	KUNIT_EXPECT_EQ(test, shrink_shrunk(hw), 4);
	KUNIT_EXPECT_EQ(test, shrink_shrunk(other), 4);
	/* What one has not is for the other. */
	test_shrink(100);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	shrink_end(test, other);
}

/* ---- what can go wrong ------------------------------------------------------- */

/* A device of which nothing is known may be in the tables still. */
static void shrinker_frees_nothing_without_a_flush(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 live;

	shrink_map(test, 4);
	shrink_empty(test, 0, 4);
	live = hw->nr_live;
	hw->flush_error = -EIO;
	KUNIT_EXPECT_EQ(test, test_shrink(3), 0);
	KUNIT_EXPECT_EQ(test, hw->flushes, 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&hw->gpt.stats.shrunk), 0);
	/* It is not asked again. */
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	KUNIT_EXPECT_EQ(test, test_shrink(100), 0);
	KUNIT_EXPECT_EQ(test, hw->flushes, 1);
	test_wait_freed(hw);
	KUNIT_EXPECT_EQ(test, hw->nr_live, live);
	shrink_expect(test, 4, false);
	/* The page table works on. test_exit() finds all freed. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, shrink_leaf(hw, 3), 1), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), shrink_leaf(hw, 3));
	KUNIT_EXPECT_EQ(test, hw->nr_live, live + 1);
}

static void shrinker_takes_nothing_if_the_ring_is_dead(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 live;

	if (!hw->gpt.cmd)
		kunit_skip(test, "there is no ring");
	shrink_map(test, 4);
	shrink_unlink(test, 0, 4);
	test_hw_run(hw, U32_MAX);
	live = hw->nr_live;
	hw->dead = true;
	KUNIT_EXPECT_EQ(test, shrink_count(), 4);
	KUNIT_EXPECT_EQ(test, test_shrink(100), 0);
	KUNIT_EXPECT_EQ(test, shrink_count(), 0);
	test_wait_freed(hw);
	KUNIT_EXPECT_EQ(test, hw->nr_live, live);
	KUNIT_EXPECT_EQ(test, hw->flushes, 0);
}

static void shrinker_comes_back_if_the_ring_is_full(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 tables;

	if (!hw->gpt.cmd)
		kunit_skip(test, "there is no ring");
	shrink_map(test, 4);
	shrink_unlink(test, 0, 4);
	tables = test_tables(hw);
	hw->full = true;
	KUNIT_EXPECT_EQ(test, test_shrink(100), 0);
	KUNIT_EXPECT_EQ(test, shrink_count(), 4);
	hw->full = false;
	KUNIT_EXPECT_EQ(test, test_shrink(100), tables - 1);
	test_wait_freed(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

static void shrinker_does_not_block_who_may_not(struct kunit *test)
{
	struct shrink_control sc = { .gfp_mask = GFP_NOWAIT, .nr_to_scan = 100 };

	shrink_map(test, 2);
	shrink_empty(test, 0, 2);
	KUNIT_EXPECT_EQ(test, drm_gpt_shrink_scan(NULL, &sc), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, shrink_count(), 2);
}

/* ---- from within an allocation ------------------------------------------------ */

/* Memory is so short that each table is paid for with all that are idle. */
static int shrink_mem_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			    u32 bytes, gfp_t gfp)
{
	struct test_hw *hw = container_of(gpt, struct test_hw, gpt);

	might_sleep();
	/* It would never end. */
	if (hw->nr_tables > 200)
		return -ENOMEM;
	test_shrink(100);
	return test_mem_ops.alloc(gpt, mem, bytes, gfp);
}

static void shrink_mem_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem, u32 bytes)
{
	test_mem_ops.free(gpt, mem, bytes);
}

static const struct drm_gpt_mem_ops shrink_mem_ops = {
	.alloc = shrink_mem_alloc,
	.free = shrink_mem_free,
};

static void prepare_gets_on_under_reclaim(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 n = hw->geometry->levels + 3;

	hw->gpt.mem = &shrink_mem_ops;
	shrink_map(test, 4);
	/* Each is remade, from the top or what is above it. */
	shrink_unlink(test, 0, 4);
	shrink_map(test, 4);
	shrink_expect(test, 4, true);
	KUNIT_EXPECT_EQ(test, test_tables(hw), n);
	test_wait_freed(hw);
	KUNIT_EXPECT_EQ(test, hw->nr_live, n);
	hw->gpt.mem = &test_mem_ops;
}

/* ---- beside each other -------------------------------------------------------- */

/**
 * struct shrink_slow - a flush that takes its time
 * @begun: it is under way
 * @ended: the thread that it is for has
 * @done: it is over
 */
static struct shrink_slow {
	struct completion begun;
	struct completion ended;
	bool done;
} slow;

static int shrink_slow_flush(struct drm_gpt *gpt, struct drm_gpt_gather *gather)
{
	u32 i;

	complete(&slow.begun);
	for (i = 0; i < 5000; i++) {
		/* A flush that polls. */
		udelay(8);
		cond_resched();
	}
	WRITE_ONCE(slow.done, true);
	return test_hw_shrink_flush(gpt, gather);
}

static int shrink_slow_thread(void *data)
{
	test_shrink(100);
	kthread_complete_and_exit(&slow.ended, 0);
}

static void fini_waits_for_a_scan(struct kunit *test)
{
	struct test_hw *hw = test->priv, *other;

	slow.done = false;
	init_completion(&slow.begun);
	init_completion(&slow.ended);
	other = shrink_another(test, shrink_slow_flush);
	test->priv = other;
	shrink_map(test, 2);
	shrink_empty(test, 0, 2);
	test->priv = hw;
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(shrink_slow_thread, NULL,
						    "drm_gpt_test/shrink")));
	wait_for_completion(&slow.begun);
	/* Another who needs memory does not wait. */
	KUNIT_EXPECT_EQ(test, test_shrink(100), 0);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(slow.done));
	test_hw_run(other, U32_MAX);
	drm_gpt_fini(&other->gpt);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(slow.done));
	wait_for_completion(&slow.ended);
	KUNIT_EXPECT_EQ(test, other->nr_live, 0);
	KUNIT_EXPECT_EQ(test, other->errors, 0);
	test_hw_destroy(other);
}

static struct kunit_case drm_gpt_shrink_test_cases[] = {
	KUNIT_CASE_PARAM(shrinker_frees_what_zaps_leave, shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_frees_what_nobody_used, shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_frees_what_was_refused, shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_frees_what_is_below, shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_spares_what_is_needed, shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_spares_what_is_used_again,
			 shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_leaves_alone_who_cannot_flush,
			 shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_counts_what_is_idle, shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_takes_no_more_than_asked,
			 shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_takes_turns, shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_frees_nothing_without_a_flush,
			 shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_takes_nothing_if_the_ring_is_dead,
			 shrink_variant_gen_params),
	KUNIT_CASE_PARAM(shrinker_comes_back_if_the_ring_is_full,
			 shrink_variant_gen_params),
	KUNIT_CASE(shrinker_does_not_block_who_may_not),
	KUNIT_CASE_PARAM(prepare_gets_on_under_reclaim, shrink_variant_gen_params),
	KUNIT_CASE(fini_waits_for_a_scan),
	KUNIT_CASE_PARAM(threads_beside_the_shrinker, shrink_variant_gen_params),
	{}
};

static struct kunit_suite drm_gpt_shrink_test_suite = {
	.name = "drm_gpt_shrink",
	.init = shrink_init,
	.exit = test_exit,
	.test_cases = drm_gpt_shrink_test_cases,
};

kunit_test_suite(drm_gpt_shrink_test_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
