// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Attributes: however many a process sets, they are counted as they are stored,
 * they end at its limit, and they go with it.
 */

#include <kunit/test.h>
#include <kunit/visibility.h>

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/prandom.h>

#include "drm_svm_test_rig.h"

/* Far from anything that is mapped; attributes do not ask for that. */
#define TEST_ATTR_BASE	(64 * DRM_SVM_RANGE_SIZE)
#define TEST_ATTR_PAGES	96
/* How often the only one is set and goes. */
#define TEST_ATTR_LAST	20000

static int test_set(struct kunit *test, unsigned int first, unsigned int last,
		    enum drm_svm_location location)
{
	return drm_svm_set_preferred(&test_dev(test, 0)->svm,
				     TEST_ATTR_BASE + PAGES(first),
				     TEST_ATTR_BASE + PAGES(last + 1) - 1,
				     location);
}

static enum drm_svm_location test_get(struct kunit *test, unsigned int page)
{
	enum drm_svm_location location;

	drm_svm_get_preferred(&test_dev(test, 0)->svm,
			      TEST_ATTR_BASE + PAGES(page), &location);
	return location;
}

static struct drm_svm_mm *test_smm(struct kunit *test)
{
	return test_dev(test, 0)->svm.smm;
}

/* What the tree holds, and not what the count says. */
static unsigned int test_intervals(struct kunit *test)
{
	unsigned long index = 0;
	unsigned int n = 0;
	void *entry;

	mt_for_each(&test_smm(test)->attrs, entry, index, ULONG_MAX)
		n++;
	return n;
}

static void test_expect(struct kunit *test, unsigned int n)
{
	KUNIT_EXPECT_EQ(test, test_intervals(test), n);
	KUNIT_EXPECT_EQ(test, test_smm(test)->nr_attrs, n);
}

static void test_reset_limit(void *limit)
{
	drm_svm_max_attrs = (unsigned long)limit;
}

static void test_limit(struct kunit *test, unsigned int limit)
{
	unsigned long old = drm_svm_max_attrs;

	KUNIT_ASSERT_EQ(test, kunit_add_action(test, test_reset_limit, (void *)old), 0);
	drm_svm_max_attrs = limit;
}

/* ---- cases ------------------------------------------------------------------ */

static void neighbours_alike_are_one(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, test_set(test, 0, 3, DRM_SVM_LOC_SYSTEM), 0);
	KUNIT_ASSERT_EQ(test, test_set(test, 8, 11, DRM_SVM_LOC_SYSTEM), 0);
	test_expect(test, 2);
	/* Between the two, and then over the ends of what is one now. */
	KUNIT_ASSERT_EQ(test, test_set(test, 4, 7, DRM_SVM_LOC_SYSTEM), 0);
	test_expect(test, 1);
	KUNIT_ASSERT_EQ(test, test_set(test, 10, 20, DRM_SVM_LOC_SYSTEM), 0);
	test_expect(test, 1);
	KUNIT_ASSERT_EQ(test, test_set(test, 21, 21, DRM_SVM_LOC_DEVICE), 0);
	test_expect(test, 2);
	/* A hole in the middle makes two of one, and filling it one of them. */
	KUNIT_ASSERT_EQ(test, test_set(test, 5, 5, DRM_SVM_LOC_DEFAULT), 0);
	test_expect(test, 3);
	KUNIT_ASSERT_EQ(test, test_set(test, 5, 5, DRM_SVM_LOC_SYSTEM), 0);
	test_expect(test, 2);
	KUNIT_ASSERT_EQ(test, test_set(test, 0, 21, DRM_SVM_LOC_DEVICE), 0);
	test_expect(test, 1);
	KUNIT_ASSERT_EQ(test, test_set(test, 0, TEST_ATTR_PAGES, DRM_SVM_LOC_DEFAULT), 0);
	test_expect(test, 0);
}

static void nothing_from_nothing_leaves_nothing(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, test_set(test, 0, 0, DRM_SVM_LOC_DEFAULT), 0);
	KUNIT_ASSERT_EQ(test, test_set(test, 7, 50, DRM_SVM_LOC_DEFAULT), 0);
	KUNIT_EXPECT_TRUE(test, mtree_empty(&test_smm(test)->attrs));
	test_expect(test, 0);
	KUNIT_ASSERT_EQ(test, test_set(test, 3, 4, DRM_SVM_LOC_SYSTEM), 0);
	KUNIT_ASSERT_EQ(test, test_set(test, 5, 9, DRM_SVM_LOC_DEFAULT), 0);
	test_expect(test, 1);
}

static void a_process_has_a_limit(struct kunit *test)
{
	unsigned int i;

	test_limit(test, 4);
	for (i = 0; i < 8; i += 2)
		KUNIT_ASSERT_EQ(test, test_set(test, i, i, DRM_SVM_LOC_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, test_set(test, 8, 8, DRM_SVM_LOC_SYSTEM), -ENOSPC);
	KUNIT_EXPECT_EQ(test, test_get(test, 8), DRM_SVM_LOC_DEFAULT);
	test_expect(test, 4);
	/* Others in place of those that are there, larger ones, fewer: all may be. */
	KUNIT_EXPECT_EQ(test, test_set(test, 6, 6, DRM_SVM_LOC_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, test_set(test, 4, 5, DRM_SVM_LOC_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, test_set(test, 7, 9, DRM_SVM_LOC_DEVICE), 0);
	test_expect(test, 4);
	/* The middle of one makes two more. */
	KUNIT_EXPECT_EQ(test, test_set(test, 8, 8, DRM_SVM_LOC_SYSTEM), -ENOSPC);
	KUNIT_EXPECT_EQ(test, test_set(test, 8, 8, DRM_SVM_LOC_DEFAULT), -ENOSPC);
	KUNIT_EXPECT_EQ(test, test_get(test, 8), DRM_SVM_LOC_DEVICE);
	KUNIT_EXPECT_EQ(test, test_set(test, 0, 0, DRM_SVM_LOC_DEFAULT), 0);
	test_expect(test, 3);
	KUNIT_EXPECT_EQ(test, test_set(test, 8, 8, DRM_SVM_LOC_DEFAULT), 0);
	test_expect(test, 4);
	/* A limit that has become smaller takes nothing away, and lets it shrink. */
	drm_svm_max_attrs = 1;
	KUNIT_EXPECT_EQ(test, test_set(test, 2, 2, DRM_SVM_LOC_DEFAULT), 0);
	test_expect(test, 3);
	KUNIT_EXPECT_EQ(test, test_set(test, 2, 2, DRM_SVM_LOC_SYSTEM), -ENOSPC);
}

static unsigned int test_model_intervals(const u8 *model)
{
	unsigned int i, n = 0;

	for (i = 0; i < TEST_ATTR_PAGES; i++)
		n += model[i] && (!i || model[i] != model[i - 1]);
	return n;
}

static void the_count_is_what_is_there(struct kunit *test)
{
	u8 *model = kunit_kzalloc(test, TEST_ATTR_PAGES, GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int round, i;

	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&rnd, 4711);
	for (round = 0; round < 2000; round++) {
		unsigned int first = prandom_u32_state(&rnd) % TEST_ATTR_PAGES;
		unsigned int n = prandom_u32_state(&rnd) %
				 (round % 16 ? 6 : TEST_ATTR_PAGES) + 1;
		unsigned int last = min(first + n, TEST_ATTR_PAGES) - 1;
		u8 location = prandom_u32_state(&rnd) % 3;

		memset(model + first, location, last - first + 1);
		KUNIT_ASSERT_EQ(test, test_set(test, first, last, location), 0);
		KUNIT_ASSERT_EQ(test, test_smm(test)->nr_attrs,
				test_model_intervals(model));
		KUNIT_ASSERT_EQ(test, test_intervals(test),
				test_model_intervals(model));
	}
	for (i = 0; i < TEST_ATTR_PAGES; i++)
		KUNIT_EXPECT_EQ(test, test_get(test, i), model[i]);
}

/* As many nodes as a tree of several levels has, then all of them at a time. */
static void test_storm(struct kunit *test, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		KUNIT_ASSERT_EQ(test, test_set(test, 2 * i, 2 * i, DRM_SVM_LOC_SYSTEM), 0);
		if (i % 256 == 0)
			cond_resched();
	}
	KUNIT_EXPECT_EQ(test, test_smm(test)->nr_attrs, n);
}

static void many_go_by_one_store(struct kunit *test)
{
	test_storm(test, 20000);
	KUNIT_ASSERT_EQ(test, test_set(test, 0, 40000, DRM_SVM_LOC_DEVICE), 0);
	/* Nodes that were replaced are freed after a grace period. */
	rcu_barrier();
	test_expect(test, 1);
}

static void many_go_with_the_process(struct kunit *test)
{
	test_storm(test, 20000);
	test_detach(test, 0);
	test_detach(test, 1);
	rcu_barrier();
}

/**
 * struct test_reader - asks for the policy while it is set
 * @test: case
 * @stop: no more
 * @done: it has seen that
 */
struct test_reader {
	struct kunit *test;
	bool stop;
	struct completion done;
};

static int test_reader_fn(void *data)
{
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	struct test_reader *reader = data;

	while (!READ_ONCE(reader->stop)) {
		drm_svm_policy_pages(&test_dev(reader->test, 0)->svm, TEST_ATTR_BASE,
				     pages);
		cond_resched();
	}
	complete(&reader->done);
	return 0;
}

/* Not to be told of by a lock: who reads may find the tree empty behind him. */
static void the_last_goes_while_it_is_read(struct kunit *test)
{
	struct test_reader reader = { .test = test };
	struct task_struct *task;
	unsigned int i;

	init_completion(&reader.done);
	task = kthread_run(test_reader_fn, &reader, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < TEST_ATTR_LAST; i++) {
		KUNIT_EXPECT_EQ(test, test_set(test, 8, 9, DRM_SVM_LOC_SYSTEM), 0);
		KUNIT_EXPECT_EQ(test, test_set(test, 8, 9, DRM_SVM_LOC_DEFAULT), 0);
		cond_resched();
	}
	WRITE_ONCE(reader.stop, true);
	wait_for_completion(&reader.done);
	test_expect(test, 0);
	rcu_barrier();
}

static struct kunit_case attr_cases[] = {
	KUNIT_CASE(neighbours_alike_are_one),
	KUNIT_CASE(nothing_from_nothing_leaves_nothing),
	KUNIT_CASE(a_process_has_a_limit),
	KUNIT_CASE(the_count_is_what_is_there),
	KUNIT_CASE_SLOW(many_go_by_one_store),
	KUNIT_CASE_SLOW(many_go_with_the_process),
	KUNIT_CASE_SLOW(the_last_goes_while_it_is_read),
	{}
};

struct kunit_suite drm_svm_attr_suite = {
	.name = "drm_svm_attr",
	.init = test_init,
	.exit = test_exit,
	.test_cases = attr_cases,
};
