// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Threads on one page table: with pages of their own in tables that they share,
 * and committers against an invalidation on the same pages.
 */

#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "drm_gpt_test.h"

#define TEST_THREADS	3
#define TEST_ROUNDS	300

/**
 * struct test_thread - one of several
 * @hw: device
 * @done: the thread has ended
 * @index: which
 * @rounds: how often
 * @rnd: the dice
 * @gen: where invalidations count, shared
 * @shrink: what is idle goes as when memory is short
 * @errors: what went wrong
 */
struct test_thread {
	struct test_hw *hw;
	struct completion done;
	u32 index;
	u32 rounds;
	struct rnd_state rnd;
	atomic_t *gen;
	bool shrink;
	u32 errors;
};

static void test_thread_start(struct kunit *test, struct test_thread *thread,
			      struct test_hw *hw, u32 index,
			      int (*fn)(void *data))
{
	struct task_struct *task;

	thread->hw = hw;
	thread->index = index;
	prandom_seed_state(&thread->rnd, 0x1234 + index);
	init_completion(&thread->done);
	task = kthread_run(fn, thread, "drm_gpt_test/%u", index);
	if (IS_ERR(task)) {
		thread->errors++;
		complete(&thread->done);
	}
}

static void test_thread_join(struct kunit *test, struct test_thread *thread)
{
	wait_for_completion(&thread->done);
	KUNIT_EXPECT_EQ(test, thread->errors, 0);
}

static int test_thread_end(struct test_thread *thread)
{
	/* Not before the module's text is left. */
	kthread_complete_and_exit(&thread->done, 0);
}

/* ---- pages of their own ------------------------------------------------- */

/* The @k-th of a thread's pages: every TEST_THREADS-th of four tables. */
static u64 test_own_page(struct test_thread *thread, u32 k)
{
	return (k * TEST_THREADS + thread->index) * test_page(thread->hw);
}

/*
 * The device itself may fault on what is mapped: its walk cache has a table
 * that another thread has reclaimed and not yet flushed.
 */
static void test_own_check(struct test_thread *thread, u64 va, u64 want)
{
	struct drm_gpt_entry entry;
	u64 got;

	drm_gpt_lookup(&thread->hw->gpt, va, &entry);
	if (!entry.flags != !want)
		thread->errors++;
	if (drm_gpt_wait(&thread->hw->gpt, entry.seq))
		thread->errors++;
	if (test_hw_walk(thread->hw, va, NULL) != want)
		thread->errors++;
	got = test_hw_access(thread->hw, va);
	if (got && got != want)
		thread->errors++;
}

static void test_own_round(struct test_thread *thread, u32 round, u32 nr)
{
	u64 va = test_own_page(thread, prandom_u32_state(&thread->rnd) % nr);
	u64 leaf = test_leaf(thread->hw, 1 + round * TEST_THREADS + thread->index,
			     DRM_GPT_LEAF_WRITE);
	struct drm_gpt_gather gather;

	if (test_map_seq(thread->hw, va, leaf, 1))
		thread->errors++;
	test_own_check(thread, va, leaf);
	if (test_unmap(thread->hw, va, va + test_page(thread->hw) - 1))
		thread->errors++;
	test_own_check(thread, va, 0);
	if (round % 2)
		return;
	if (thread->shrink) {
		if (test_shrink(1 + round % 9) > 9)
			thread->errors++;
		return;
	}
	drm_gpt_gather_init(&gather, &thread->hw->gpt);
	if (drm_gpt_zap_reserve(&gather, 0, test_last(thread->hw), true))
		thread->errors++;
	drm_gpt_reclaim(&gather, 0, test_last(thread->hw));
	test_flush(thread->hw, &gather);
}

static int test_own_thread(void *data)
{
	struct test_thread *thread = data;
	u32 nr = test_entries(thread->hw) * 4 / TEST_THREADS, round;

	for (round = 0; round < thread->rounds; round++) {
		test_own_round(thread, round, nr);
		cond_resched();
	}
	return test_thread_end(thread);
}

static void test_own_threads(struct kunit *test, bool shrink)
{
	struct test_hw *hw = test->priv;
	u32 i, rounds = test_rounds(test, TEST_ROUNDS);
	struct test_thread *threads;

	/* One may make what another has not flushed yet. */
	hw->careful = false;
	threads = kunit_kcalloc(test, TEST_THREADS, sizeof(*threads), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, threads);
	for (i = 0; i < TEST_THREADS; i++) {
		threads[i].rounds = rounds;
		threads[i].shrink = shrink;
		test_thread_start(test, &threads[i], hw, i, test_own_thread);
	}
	for (i = 0; i < TEST_THREADS; i++)
		test_thread_join(test, &threads[i]);
}

void threads_keep_their_own_pages(struct kunit *test)
{
	struct test_hw *hw = test->priv;

	test_own_threads(test, false);
	test_reclaim_all(hw);
	KUNIT_EXPECT_EQ(test, atomic64_read(&hw->gpt.stats.tables), 1);
}

/* Nothing is left over, so nothing went without being counted. */
void threads_beside_the_shrinker(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 i;

	test_own_threads(test, true);
	KUNIT_EXPECT_GT(test, atomic64_read(&hw->gpt.stats.shrunk), 0);
	for (i = 0; i < 100 && test_shrink(9); i++)
		;
	test_wait_freed(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

/* ---- commit against invalidation ---------------------------------------- */

/* Three tables; leaves carry the generation in which they were made. */
#define TEST_FIGHT_TABLES	3

struct test_fight {
	atomic_t *gen;
	int sampled;
};

/* Slow to answer: what it says has to stay true until the table is unlocked. */
static bool test_fight_valid(void *data)
{
	struct test_fight *fight = data;
	bool valid = atomic_read(fight->gen) == fight->sampled;

	/* Runs under the table's spinlock. */
	udelay(8);
	return valid;
}

static void test_fight_commit(struct test_thread *thread)
{
	struct test_hw *hw = thread->hw;
	u32 entries = test_entries(hw);
	u32 i = prandom_u32_state(&thread->rnd) % (entries * TEST_FIGHT_TABLES);
	u32 n = 1 + prandom_u32_state(&thread->rnd) % (2 * entries);
	struct test_fight fight = { .gen = thread->gen };
	struct drm_gpt_update up;
	u64 first;
	u32 page;
	int ret;

	/* One time in four what may become a large leaf. */
	if (prandom_u32_state(&thread->rnd) % 4 == 0) {
		i = rounddown(i, entries);
		n = entries;
	}
	n = min(n, entries * TEST_FIGHT_TABLES - i);
	first = i * test_page(hw);
	fight.sampled = atomic_read(fight.gen);
	if (drm_gpt_prepare(&hw->gpt, &up, first, first + n * test_page(hw) - 1,
			    0, GFP_KERNEL)) {
		thread->errors++;
		return;
	}
	/* The page says when, and is aligned as the address is. */
	page = fight.sampled * entries * TEST_FIGHT_TABLES + i;
	ret = drm_gpt_commit_seq(&up, first, test_leaf(hw, page, 0), n,
				 test_fight_valid, &fight);
	/* A large leaf in the way waits for the next invalidation. */
	if (ret && ret != -EAGAIN &&
	    (ret != -EBUSY || hw->geometry->format->replace_ok))
		thread->errors++;
	drm_gpt_finish(&up);
}

/* Readers meet tables that come and go; what they say is not looked at. */
static void test_fight_look(struct test_thread *thread)
{
	u32 pages = max(7u, test_entries(thread->hw) / 73);
	u64 bytes = test_span(thread->hw) * TEST_FIGHT_TABLES, va, seq;
	struct drm_gpt_entry entry;

	for (va = 0; va < bytes; va += pages * test_page(thread->hw)) {
		drm_gpt_lookup(&thread->hw->gpt, va, &entry);
		drm_gpt_mapped(&thread->hw->gpt, va, bytes - 1, 0, &seq);
	}
}

static int test_fight_thread(void *data)
{
	struct test_thread *thread = data;
	u32 round;

	for (round = 0; round < 4 * thread->rounds; round++) {
		if (thread->index)
			test_fight_commit(thread);
		else
			test_fight_look(thread);
		cond_resched();
	}
	return test_thread_end(thread);
}

/* Of the pages that went, none is older than the invalidation. */
static u32 test_fight_check(struct test_hw *hw, u32 gen, u64 first, u64 last)
{
	u64 oldest = test_leaf(hw, gen * test_entries(hw) * TEST_FIGHT_TABLES, 0);
	u32 errors = 0;
	u64 va;

	for (va = first; va < last; va += test_page(hw)) {
		u64 leaf = test_hw_walk(hw, va, NULL);

		if (leaf && leaf < oldest)
			errors++;
		leaf = test_hw_access(hw, va);
		if (leaf && leaf < oldest)
			errors++;
	}
	return errors;
}

static u32 test_fight_invalidate(struct test_hw *hw, struct rnd_state *rnd,
				 atomic_t *gen)
{
	u32 pages = test_entries(hw) * TEST_FIGHT_TABLES, i = 0, n;
	struct drm_gpt_gather gather;
	u64 first, last;
	int now;

	if (prandom_u32_state(rnd) % 2)
		i = prandom_u32_state(rnd) % pages;
	n = 1 + prandom_u32_state(rnd) % (pages - i);
	first = i * test_page(hw);
	last = first + n * test_page(hw) - 1;
	drm_gpt_gather_init(&gather, &hw->gpt);
	if (drm_gpt_zap_reserve(&gather, first, last, true))
		return 1;
	now = atomic_inc_return(gen);
	drm_gpt_zap(&gather, first, last);
	if (prandom_u32_state(rnd) % 4 == 0)
		drm_gpt_reclaim(&gather, first, last);
	test_flush(hw, &gather);
	return test_fight_check(hw, now, first, last);
}

void no_commit_outlives_an_invalidation(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	struct test_thread *threads;
	struct rnd_state rnd;
	atomic_t gen = ATOMIC_INIT(1);
	u32 i, errors = 0, rounds = test_rounds(test, TEST_ROUNDS);

	/* As above. */
	hw->careful = false;
	threads = kunit_kcalloc(test, TEST_THREADS, sizeof(*threads), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, threads);
	prandom_seed_state(&rnd, 0x5678);
	for (i = 0; i < TEST_THREADS; i++) {
		threads[i].gen = &gen;
		threads[i].rounds = rounds;
		test_thread_start(test, &threads[i], hw, i, test_fight_thread);
	}
	for (i = 0; i < rounds; i++) {
		errors += test_fight_invalidate(hw, &rnd, &gen);
		cond_resched();
	}
	for (i = 0; i < TEST_THREADS; i++)
		test_thread_join(test, &threads[i]);
	KUNIT_EXPECT_EQ(test, errors, 0);

	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	test_reclaim_all(hw);
	KUNIT_EXPECT_EQ(test, atomic64_read(&hw->gpt.stats.tables), 1);
}
