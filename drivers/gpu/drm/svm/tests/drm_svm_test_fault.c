// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests of fault service: pages that are long in coming, shares, neighbours.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <kunit/visibility.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/hmm.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>

#include "../drm_svm_fault_queue.h"
#include "../drm_svm_lane.h"
#include "../drm_svm_pagein.h"
#include "drm_svm_test_rig.h"
#include "drm_svm_test_slow.h"

/* ---- held pages --------------------------------------------------------- */

static void a_held_page_keeps_nobody(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_slow *slow = test_slow_map(test, p);
	int unit = test_dev_start(dev, p, DRM_SVM_READ);

	KUNIT_ASSERT_TRUE(test, test_await(test_slow_is_waited_for, slow));
	/* Another page of the range, by this device and by another. */
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(1), DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_EQ(test, test_dev_access(test_dev(test, 1), p + PAGES(2),
					      DRM_SVM_WRITE), 0);
	/* mmap_lock for write, and the service lock. */
	KUNIT_EXPECT_EQ(test, vm_munmap(p + PAGES(1), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(2)),
			DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_LT(test, READ_ONCE(dev->units[unit].state), TEST_UNIT_DONE);

	test_slow_let(slow, false);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit), 0);
	test_slow_unmap(test, slow, p);
}

/* The end of another device, in a thread: it must not wait for the page. */
struct test_end {
	struct kunit *test;
	struct completion done;
};

static int test_end_fn(void *data)
{
	struct test_end *end = data;
	struct test_ctx *ctx = end->test->priv;

	test_detach(end->test, 1);
	test_dev_free(ctx->dev[1]);
	ctx->dev[1] = NULL;
	complete_all(&end->done);
	return 0;
}

static void a_held_page_keeps_no_device(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_slow *slow = test_slow_map(test, p);
	struct test_end end = { .test = test };
	struct task_struct *task;
	int unit;

	init_completion(&end.done);
	KUNIT_ASSERT_EQ(test, test_dev_access(test_dev(test, 1), p + PAGES(2),
					      DRM_SVM_WRITE), 0);
	unit = test_dev_start(dev, p, DRM_SVM_READ);
	KUNIT_ASSERT_TRUE(test, test_await(test_slow_is_waited_for, slow));
	task = kthread_run(test_end_fn, &end, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&end.done, 10 * HZ), 0);

	test_slow_let(slow, false);
	wait_for_completion(&end.done);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit), 0);
	test_slow_unmap(test, slow, p);
}

static void who_waits_for_a_held_page_can_end(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_slow *slow = test_slow_map(test, p);

	test_dev_start(dev, p, DRM_SVM_READ);
	KUNIT_ASSERT_TRUE(test, test_await(test_slow_is_waited_for, slow));
	test_detach(test, 0);
	/* The page has not come, and yet nobody waits any more. */
	KUNIT_EXPECT_TRUE(test, test_await(test_slow_is_left, slow));
	test_slow_unmap(test, slow, p);
}

static void a_held_page_has_a_deadline(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_slow *slow = test_slow_map(test, p);

	dev->queue.deadline_ms = 300;
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), -ETIME);
	KUNIT_EXPECT_TRUE(test, test_await(test_slow_is_left, slow));
	test_slow_unmap(test, slow, p);
}

static void an_error_of_a_held_page_is_its_own(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_slow *slow = test_slow_map(test, p);
	int unit = test_dev_start(dev, p, DRM_SVM_READ);

	KUNIT_ASSERT_TRUE(test, test_await(test_slow_is_waited_for, slow));
	test_slow_let(slow, true);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit), -EFAULT);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(1), DRM_SVM_READ), 0);
	slow->bad = false;
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), 0);
	test_slow_unmap(test, slow, p);
}

/* Replays for others wake the unit; its new record makes no work. */
static void a_held_fault_is_served_once(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE * 9);
	struct test_slow *slow = test_slow_map(test, p);
	int unit = test_dev_start(dev, p, DRM_SVM_READ), replays;
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, test_await(test_slow_is_waited_for, slow));
	replays = atomic_read(&dev->replays);
	for (i = 1; i < 9; i++)
		KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + i *
						      DRM_SVM_RANGE_SIZE,
						      DRM_SVM_WRITE), 0);
	fsleep(200000);
	/* A service for each, and one that found the page held. */
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.fault_groups), 9);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->replays) - replays, 8);
	/* However often it has been told: it is one fault. */
	KUNIT_EXPECT_EQ(test, READ_ONCE(dev->svm.records), 1);
	test_slow_let(slow, false);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.fault_groups), 10);
	test_slow_unmap(test, slow, p);
}

/* More held pages than a process has shares in: they come, one after the other. */
static void many_held_pages_all_come(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE * 40);
	struct test_slow *slow[40];
	int unit[40];
	unsigned int i;

	for (i = 0; i < 40; i++)
		slow[i] = test_slow_map(test, p + i * DRM_SVM_RANGE_SIZE);
	for (i = 0; i < 40; i++)
		unit[i] = test_dev_start(dev, p + i * DRM_SVM_RANGE_SIZE,
					 DRM_SVM_READ);
	KUNIT_ASSERT_TRUE(test, test_await(test_slow_is_waited_for, slow[0]));
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(1), DRM_SVM_WRITE), 0);
	for (i = 0; i < 40; i++)
		test_slow_let(slow[i], false);
	for (i = 0; i < 40; i++)
		KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit[i]), 0);
	for (i = 0; i < 40; i++)
		test_slow_unmap(test, slow[i], p + i * DRM_SVM_RANGE_SIZE);
}

/* ---- the lane ----------------------------------------------------------- */

/**
 * struct test_job - a job that waits until it may end
 * @job: it
 * @go: it may
 * @running: it has begun
 * @killed: it got a signal
 * @done: its done was called
 * @released: the lane has let it go
 */
struct test_job {
	struct drm_svm_lane_job job;
	struct completion go;
	struct completion running;
	bool killed;
	bool done;
	struct completion released;
};

static int test_job_run(struct drm_svm_lane_job *job)
{
	struct test_job *t = container_of(job, struct test_job, job);

	complete(&t->running);
	t->killed = wait_for_completion_killable(&t->go);
	return t->killed ? -EINTR : 7;
}

static void test_job_done(struct drm_svm_lane_job *job, int error)
{
	container_of(job, struct test_job, job)->done = error == 7;
}

static void test_job_release(struct drm_svm_lane_job *job)
{
	complete(&container_of(job, struct test_job, job)->released);
}

static struct test_job *test_jobs_make(struct kunit *test, unsigned int n,
				       kuid_t user)
{
	struct test_job *t = kunit_kcalloc(test, n, sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (i = 0; i < n; i++) {
		drm_svm_lane_job_init(&t[i].job);
		t[i].job.user = user;
		t[i].job.run = test_job_run;
		t[i].job.done = test_job_done;
		t[i].job.release = test_job_release;
		init_completion(&t[i].go);
		init_completion(&t[i].running);
		init_completion(&t[i].released);
	}
	return t;
}

static bool test_wait_for(struct completion *x)
{
	return wait_for_completion_timeout(x, TEST_WAIT);
}

static void a_job_runs_and_is_done(struct kunit *test)
{
	struct test_job *t = test_jobs_make(test, 1, GLOBAL_ROOT_UID);

	KUNIT_ASSERT_EQ(test, drm_svm_lane_submit(&t->job), 0);
	complete(&t->go);
	KUNIT_EXPECT_TRUE(test, test_wait_for(&t->released));
	KUNIT_EXPECT_TRUE(test, t->done);
	KUNIT_EXPECT_FALSE(test, t->killed);
}

static void a_stopped_job_ends_and_is_not_done(struct kunit *test)
{
	struct test_job *t = test_jobs_make(test, 2, GLOBAL_ROOT_UID);

	/* Before it is submitted: nothing ever happens. */
	drm_svm_lane_stop(&t[1].job);
	KUNIT_EXPECT_EQ(test, drm_svm_lane_submit(&t[1].job), -ECANCELED);

	KUNIT_ASSERT_EQ(test, drm_svm_lane_submit(&t->job), 0);
	KUNIT_ASSERT_TRUE(test, test_wait_for(&t->running));
	drm_svm_lane_stop(&t->job);
	KUNIT_EXPECT_TRUE(test, test_wait_for(&t->released));
	KUNIT_EXPECT_TRUE(test, t->killed);
	KUNIT_EXPECT_FALSE(test, t->done);
	/* The signal was for that job only. */
	a_job_runs_and_is_done(test);
}

/* One user's held jobs leave threads to another's; none of them is lost. */
static void a_user_has_a_share_of_the_lane(struct kunit *test)
{
	const unsigned int n = 80;
	struct test_job *many = test_jobs_make(test, n, KUIDT_INIT(1000));
	struct test_job *one = test_jobs_make(test, 1, KUIDT_INIT(1001));
	unsigned int i, running = 0;

	for (i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, drm_svm_lane_submit(&many[i].job), 0);
	KUNIT_ASSERT_EQ(test, drm_svm_lane_submit(&one->job), 0);
	complete(&one->go);
	KUNIT_EXPECT_TRUE(test, test_wait_for(&one->released));
	for (i = 0; i < n; i++)
		running += completion_done(&many[i].running);
	KUNIT_EXPECT_LE(test, running, n / 4);
	/* One that only waits can be taken back. */
	drm_svm_lane_stop(&many[n - 1].job);
	KUNIT_EXPECT_TRUE(test, test_wait_for(&many[n - 1].released));
	for (i = 0; i < n - 1; i++)
		complete(&many[i].go);
	for (i = 0; i < n - 1; i++) {
		KUNIT_EXPECT_TRUE(test, test_wait_for(&many[i].released));
		KUNIT_EXPECT_TRUE(test, many[i].done);
	}
	KUNIT_EXPECT_FALSE(test, many[n - 1].done);
}

/* ---- neighbours --------------------------------------------------------- */

static void neighbours_come_along_with_a_write(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int i;

	for (i = 0; i < DRM_SVM_RANGE_PAGES; i++)
		test_poke(test, p + PAGES(i), i);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), 0);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p + PAGES(9),
					       DRM_GPT_LEAF_WRITE));
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(3), DRM_SVM_WRITE), 0);
	for (i = 0; i < DRM_SVM_RANGE_PAGES; i++)
		KUNIT_EXPECT_TRUE(test, test_dev_maps(dev, p + PAGES(i),
						      DRM_GPT_LEAF_WRITE));
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.faults), 2);
	/* All of them may have been written, then. */
	KUNIT_EXPECT_EQ(test, vm_munmap(p, DRM_SVM_RANGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.dirtied),
			DRM_SVM_RANGE_PAGES);
}

/* In the test's own thread, where its stub is seen. */
static int test_serve(struct test_dev *dev, u64 base, unsigned int page)
{
	struct drm_svm_want want = {};
	struct drm_svm_left left;

	drm_svm_want_add(&want, page, 1, DRM_SVM_WRITE);
	return drm_svm_serve(&dev->svm, base, &want, &left);
}

/* A format that has no word for one of two pages. */
static void a_neighbour_without_a_word_stays_behind(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	struct drm_gpt_format format = *dev->gpt.format;
	const struct drm_gpt_format *old = dev->gpt.format;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned long *pfns;
	u64 a, b, differ;
	int idx;

	test_poke(test, p, 1);
	test_poke(test, p + PAGES(1), 1);
	pfns = kunit_kcalloc(test, DRM_SVM_RANGE_PAGES, sizeof(*pfns), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	KUNIT_ASSERT_EQ(test, drm_svm_snapshot(&dev->svm, p, DRM_SVM_RANGE_PAGES, pfns,
					       &idx), 0);
	drm_svm_pages_read_unlock(idx);
	a = hmm_pfn_to_phys(pfns[0]);
	b = hmm_pfn_to_phys(pfns[1]);
	/* A bit that only one of them has. */
	differ = a & ~b ?: b & ~a;
	differ &= -differ;
	format.leaf_bits &= ~differ;
	dev->gpt.format = &format;
	KUNIT_EXPECT_EQ(test, test_serve(dev, p, !!(a & differ)), 0);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p + PAGES(!(a & differ)), 0));
	KUNIT_EXPECT_EQ(test, test_serve(dev, p, !(a & differ)), -EOPNOTSUPP);
	dev->gpt.format = old;
	KUNIT_EXPECT_EQ(test, test_serve(dev, p, !(a & differ)), 0);
}

static void test_set_flags(struct kunit *test, u64 addr, vm_flags_t set,
			   vm_flags_t clear)
{
	struct vm_area_struct *vma;

	mmap_write_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	KUNIT_EXPECT_NOT_NULL(test, vma);
	if (vma)
		vm_flags_mod(vma, set, clear);
	mmap_write_unlock(current->mm);
}

/* The CPU's entries of a shadow stack are writable; a device may only look. */
static void a_shadow_stack_is_not_written(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	if (!VM_SHADOW_STACK)
		kunit_skip(test, "no shadow stacks in this kernel");
	test_poke(test, p, 1);
	test_poke(test, p + PAGES(1), 1);
	test_set_flags(test, p, VM_SHADOW_STACK, 0);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), -EACCES);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), 0);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p + PAGES(1),
					       DRM_GPT_LEAF_WRITE));
	test_set_flags(test, p, 0, VM_SHADOW_STACK);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(a_held_page_keeps_nobody),
	KUNIT_CASE(a_held_page_keeps_no_device),
	KUNIT_CASE(who_waits_for_a_held_page_can_end),
	KUNIT_CASE(a_held_page_has_a_deadline),
	KUNIT_CASE(an_error_of_a_held_page_is_its_own),
	KUNIT_CASE(a_held_fault_is_served_once),
	KUNIT_CASE(many_held_pages_all_come),
	KUNIT_CASE(neighbours_come_along_with_a_write),
	KUNIT_CASE(a_neighbour_without_a_word_stays_behind),
	KUNIT_CASE(a_shadow_stack_is_not_written),
	{}
};

struct kunit_suite drm_svm_fault_suite = {
	.name = "drm_svm_fault",
	.init = test_init,
	.exit = test_exit,
	.test_cases = fault_cases,
};

static struct kunit_case lane_cases[] = {
	KUNIT_CASE(a_job_runs_and_is_done),
	KUNIT_CASE(a_stopped_job_ends_and_is_not_done),
	KUNIT_CASE(a_user_has_a_share_of_the_lane),
	{}
};

struct kunit_suite drm_svm_lane_suite = {
	.name = "drm_svm_lane",
	.test_cases = lane_cases,
};
