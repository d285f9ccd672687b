/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What is kept of an address space and for how long, and who is told of what:
 * devices that map something and no others, and none that waits for another. For each
 * sink of who includes this.
 */
#ifndef _DRM_SVM_TEST_MIRROR_H_
#define _DRM_SVM_TEST_MIRROR_H_

#include "drm_svm_test_sink.h"

/* ---- what is told ------------------------------------------------------------ */

static void who_maps_nothing_is_not_flushed(struct kunit *test)
{
	u64 p = test_map(test, 2 * DRM_SVM_RANGE_SIZE);
	u64 q = p + DRM_SVM_RANGE_SIZE;
	struct test_view *a = test_view_on(test, 0, p, 2 * DRM_SVM_RANGE_SIZE);
	struct test_view *b = test_view_on(test, 1, p, 2 * DRM_SVM_RANGE_SIZE);
	int begun[2];

	test_view_touch(test, a, p);
	test_view_touch(test, b, q);
	begun[0] = test_view_begun(a);
	begun[1] = test_view_begun(b);
	test_notify(test, p, MMU_NOTIFY_CLEAR);
	KUNIT_EXPECT_EQ(test, test_view_rights(a, p), 0);
	KUNIT_EXPECT_GT(test, test_view_begun(a), begun[0]);
	KUNIT_EXPECT_NE(test, test_view_rights(b, q), 0);
	KUNIT_EXPECT_EQ(test, test_view_begun(b), begun[1]);
	KUNIT_EXPECT_EQ(test, atomic64_read(&b->view->svm->stats.invalidations), 0);
	/* Another page of a range that both know. */
	test_view_touch(test, a, p);
	test_view_touch(test, b, p + PAGES(5));
	begun[1] = test_view_begun(b);
	test_notify(test, p + PAGES(5), MMU_NOTIFY_CLEAR);
	KUNIT_EXPECT_EQ(test, test_view_rights(b, p + PAGES(5)), 0);
	KUNIT_EXPECT_GT(test, test_view_begun(b), begun[1]);
	KUNIT_EXPECT_NE(test, test_view_rights(a, p), 0);
}

/* Views of one address space are told apart as devices are. */
static void a_view_that_maps_nothing_is_not_flushed(struct kunit *test)
{
	u64 p = test_map(test, 2 * DRM_SVM_RANGE_SIZE);
	u64 q = p + DRM_SVM_RANGE_SIZE;
	struct test_view *a = test_view_on(test, 0, p, 2 * DRM_SVM_RANGE_SIZE);
	struct test_view *b = test_view_on(test, 0, p, 2 * DRM_SVM_RANGE_SIZE);
	int begun;

	test_view_touch(test, a, p);
	test_view_touch(test, b, q);
	begun = test_view_begun(b);
	test_notify(test, p, MMU_NOTIFY_CLEAR);
	KUNIT_EXPECT_EQ(test, test_view_rights(a, p), 0);
	KUNIT_EXPECT_GT(test, test_view_begun(a), 0);
	KUNIT_EXPECT_NE(test, test_view_rights(b, q), 0);
	KUNIT_EXPECT_EQ(test, test_view_begun(b), begun);
}

#define TEST_MORE	5

/* More than are flushed in one round. */
static void an_invalidation_counts_once(struct kunit *test)
{
	struct test_rig *rig = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *more[TEST_MORE];
	unsigned int i;

	for (i = 0; i < TEST_MORE; i++) {
		more[i] = test_view_make(test, test_mirror_make(test), rig->sink, p,
					 PAGES(4), MAY_LOAD | MAY_STORE);
		test_view_touch(test, more[i], p);
		/* It stays, and what it needs. */
		test_view_touch(test, more[i], p + PAGES(3));
	}
	test_notify(test, p, MMU_NOTIFY_CLEAR);
	for (i = 0; i < TEST_MORE; i++) {
		struct drm_svm_stats *stats = &more[i]->view->svm->stats;

		KUNIT_EXPECT_EQ(test, test_view_rights(more[i], p), 0);
		KUNIT_EXPECT_EQ(test, test_view_begun(more[i]), 1);
		KUNIT_EXPECT_EQ(test, atomic64_read(&stats->invalidations), 1);
		KUNIT_EXPECT_EQ(test, atomic64_read(&stats->unmapped), 1);
	}
}

static void clearing_soft_dirty_bits_is_noted(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE), before, after;
	struct test_view *v = test_view_on(test, 0, p, PAGES(4));

	KUNIT_ASSERT_TRUE(test, drm_svm_mm_soft_epoch(current->mm, &before));
	test_view_touch(test, v, p);
	test_notify(test, p, MMU_NOTIFY_CLEAR);
	KUNIT_ASSERT_TRUE(test, drm_svm_mm_soft_epoch(current->mm, &after));
	KUNIT_EXPECT_EQ(test, after, before);
	test_view_touch(test, v, p);
	test_notify(test, p, MMU_NOTIFY_SOFT_DIRTY);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_mm_soft_epoch(current->mm, &after));
	KUNIT_EXPECT_NE(test, after, before);
	/* Nobody mirrors it; and who does next knows nothing of before. */
	test_mirror_leave(test_mirror(test, 0));
	test_mirror_leave(test_mirror(test, 1));
	KUNIT_EXPECT_FALSE(test, drm_svm_mm_soft_epoch(current->mm, &before));
	test_mirror_make(test);
	KUNIT_ASSERT_TRUE(test, drm_svm_mm_soft_epoch(current->mm, &before));
	KUNIT_EXPECT_NE(test, before, after);
}

/* ---- what is kept ------------------------------------------------------------ */

static void what_maps_nothing_is_dropped(struct kunit *test)
{
	u64 bytes = BIT_ULL(DRM_SVM_WINDOW_SHIFT) + DRM_SVM_RANGE_SIZE;
	u64 p = ALIGN(test_map(test, 2 * bytes), BIT_ULL(DRM_SVM_WINDOW_SHIFT));
	struct test_view *a = test_view_on(test, 0, p, 4 * DRM_SVM_RANGE_SIZE);
	struct test_view *b = test_view_on(test, 1, p, 4 * DRM_SVM_RANGE_SIZE);
	struct drm_svm_mm *smm = test_mirror_mm(test);

	KUNIT_ASSERT_EQ(test, vm_munmap(p, DRM_SVM_RANGE_SIZE), 0);
	/* A fault on nothing leaves nothing. */
	KUNIT_EXPECT_EQ(test, test_view_access(test, a, p, DRM_SVM_READ), -EFAULT);
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p, test_has_range));
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p, test_has_window));
	/* Nor does what was there: first another range of the window, then both. */
	test_view_touch(test, a, p + DRM_SVM_RANGE_SIZE);
	test_view_touch(test, b, p + 2 * DRM_SVM_RANGE_SIZE);
	KUNIT_ASSERT_EQ(test, vm_munmap(p + DRM_SVM_RANGE_SIZE,
					DRM_SVM_RANGE_SIZE), 0);
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p + DRM_SVM_RANGE_SIZE,
					  test_has_range));
	KUNIT_EXPECT_TRUE(test, test_has_range(smm, p + 2 * DRM_SVM_RANGE_SIZE));
	KUNIT_EXPECT_TRUE(test, test_has_window(smm, p));
	KUNIT_ASSERT_EQ(test, vm_munmap(p + 2 * DRM_SVM_RANGE_SIZE,
					DRM_SVM_RANGE_SIZE), 0);
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p, test_has_window));
	/* And the first is there for good. */
	KUNIT_EXPECT_TRUE(test, test_has_window(smm, 0));
	/* It comes again. */
	test_view_touch(test, a, p + 3 * DRM_SVM_RANGE_SIZE);
	test_notify(test, p + 3 * DRM_SVM_RANGE_SIZE, MMU_NOTIFY_CLEAR);
	KUNIT_EXPECT_EQ(test, test_view_rights(a, p + 3 * DRM_SVM_RANGE_SIZE), 0);
}

static void what_only_a_device_that_left_mapped_is_dropped(struct kunit *test)
{
	u64 p = test_map(test, 2 * DRM_SVM_RANGE_SIZE);
	struct test_view *a = test_view_on(test, 0, p, 2 * DRM_SVM_RANGE_SIZE);
	struct test_view *b = test_view_on(test, 1, p, 2 * DRM_SVM_RANGE_SIZE);
	struct drm_svm_mm *smm = test_mirror_mm(test);
	struct drm_svm_range_view *rv;
	struct drm_svm_range *range;

	test_view_touch(test, a, p);
	test_view_touch(test, a, p + DRM_SVM_RANGE_SIZE);
	test_view_touch(test, b, p + DRM_SVM_RANGE_SIZE + PAGES(3));
	test_mirror_leave(test_mirror(test, 0));
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p, test_has_range));
	range = drm_svm_range_find(smm, p + DRM_SVM_RANGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, range);
	/* The neighbour that was there went along with the other's page. */
	mutex_lock(&range->lock);
	KUNIT_EXPECT_TRUE(test, test_bit(3, range->valid));
	KUNIT_EXPECT_TRUE(test, test_bit(3, range->write));
	rv = drm_svm_range_view(range, b->view);
	KUNIT_EXPECT_EQ(test, bitmap_weight(range->valid, DRM_SVM_RANGE_PAGES),
			bitmap_weight(rv->mapped, DRM_SVM_RANGE_PAGES));
	mutex_unlock(&range->lock);
	drm_svm_range_put(range);
}

/* ---- who waits for whom ------------------------------------------------------- */

struct test_leaver {
	struct test_mirror *mirror;
	struct completion left;
};

static int test_leaver_fn(void *data)
{
	struct test_leaver *leaver = data;

	test_mirror_leave(leaver->mirror);
	complete(&leaver->left);
	return 0;
}

/* A service waits for a page that does not come, and another device detaches. */
static void a_device_leaves_while_another_waits(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_leaver leaver = { .mirror = test_mirror(test, 0) };
	struct drm_svm_mm *smm = test_mirror_mm(test);
	struct task_struct *task;
	struct drm_svm_span span;
	bool left;

	test_view_on(test, 0, p, DRM_SVM_RANGE_SIZE);
	test_view_touch(test, test_view_on(test, 1, p, DRM_SVM_RANGE_SIZE), p);
	KUNIT_ASSERT_EQ(test, drm_svm_span_lock(&smm->spans, &span, p,
						p + DRM_SVM_RANGE_SIZE - 1), 0);
	/* The collector has something to do there. */
	vm_munmap(p, DRM_SVM_RANGE_SIZE);
	fsleep(100000);
	init_completion(&leaver.left);
	task = kthread_run(test_leaver_fn, &leaver, "drm_svm_test");
	left = !IS_ERR(task) && wait_for_completion_timeout(&leaver.left, 20 * HZ);
	KUNIT_EXPECT_TRUE(test, test_has_range(smm, p));
	drm_svm_span_unlock(&smm->spans, &span);
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_EXPECT_TRUE(test, left);
	if (!left)
		wait_for_completion(&leaver.left);
	/* And what was busy had another turn. */
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p, test_has_range));
}

/* ---- the end of the process ------------------------------------------------- */

static void test_await_released(struct test_mirror *mirror)
{
	unsigned int tries;

	for (tries = 0; tries < TEST_TRIES && !atomic_read(&mirror->released); tries++)
		fsleep(1000);
}

static void the_end_of_memory_is_told_once(struct kunit *test)
{
	struct test_mirror *a = test_mirror(test, 0), *b = test_mirror(test, 1), *late;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	test_view_touch(test, test_view_on(test, 0, p, PAGES(4)), p);
	test_view_touch(test, test_view_on(test, 1, p, PAGES(4)), p);
	test_notify(test, 0, MMU_NOTIFY_CLEAR);
	test_notify(test, 0, MMU_NOTIFY_RELEASE);
	test_notify(test, 0, MMU_NOTIFY_RELEASE);
	/* While some are being told one leaves, and waits only if it is its turn. */
	test_mirror_leave(a);
	KUNIT_EXPECT_FALSE(test, a->in_released);
	test_await_released(b);
	test_notify(test, 0, MMU_NOTIFY_RELEASE);
	/* Whom it concerns too: it came between the end and its own beginning. */
	late = test_mirror_make(test);
	test_await_released(late);
	KUNIT_EXPECT_EQ(test, atomic_read(&late->released), 1);
	test_mirror_leave(late);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->released), 1);
	KUNIT_EXPECT_LE(test, atomic_read(&a->released), 1);
}

/* As of a program that faults all the time, when its last thread has gone. */
static void memory_that_only_we_keep_is_gone(struct kunit *test)
{
	struct drm_svm_users *holders = test_mirror_mm(test)->holders;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *v = test_view_on(test, 1, p, DRM_SVM_RANGE_SIZE);

	test_view_touch(test, v, p);
	/* A service that runs; then the thread that is the process goes. */
	KUNIT_ASSERT_TRUE(test, drm_svm_users_enter(holders));
	atomic_dec(&current->mm->mm_users);
	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p + PAGE_SIZE, DRM_SVM_READ),
			-ESRCH);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, p, PAGE_SIZE, MAY_LOAD),
			-ESRCH);
	atomic_inc(&current->mm->mm_users);
	drm_svm_users_leave(holders);
	KUNIT_EXPECT_EQ(test, holders->nr, 0);
	test_view_touch(test, v, p + PAGES(64));
}

static struct kunit_case mirror_cases[] = {
	KUNIT_CASE_PARAM(the_end_of_memory_is_told_once, test_gen_sinks),
	KUNIT_CASE_PARAM(memory_that_only_we_keep_is_gone, test_gen_sinks),
	KUNIT_CASE_PARAM(who_maps_nothing_is_not_flushed, test_gen_sinks),
	KUNIT_CASE_PARAM(a_view_that_maps_nothing_is_not_flushed, test_gen_sinks),
	KUNIT_CASE_PARAM(an_invalidation_counts_once, test_gen_sinks),
	KUNIT_CASE_PARAM(clearing_soft_dirty_bits_is_noted, test_gen_sinks),
	KUNIT_CASE_PARAM(what_maps_nothing_is_dropped, test_gen_sinks),
	KUNIT_CASE_PARAM(what_only_a_device_that_left_mapped_is_dropped,
			 test_gen_sinks),
	KUNIT_CASE_PARAM(a_device_leaves_while_another_waits, test_gen_sinks),
	{}
};

static struct kunit_suite mirror_suite = {
	.name = TEST_SUITE("mirror"),
	.init = test_rig_init,
	.exit = test_rig_exit,
	.test_cases = mirror_cases,
};

#endif /* _DRM_SVM_TEST_MIRROR_H_ */
