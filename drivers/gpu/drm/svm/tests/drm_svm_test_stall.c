// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Something is held for as long as a process likes: who only wants to be through with a
 * device, or has a deadline, does not wait for it.
 */

#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>

#include "../drm_svm_fault_queue.h"
#include "drm_svm_test_ledger.h"
#include "drm_svm_test_rig.h"
#include "drm_svm_test_slow.h"

/* What nothing keeps does not take so long. */
#define STALL_SOON	(20 * HZ)

/**
 * struct stall_call - a call from a thread
 * @fn: the call
 * @l: ledger; its first address space is meant
 * @addr: where
 * @ms: deadline, from the begin of the call
 * @result: what it said
 * @done: it has
 * @task: the thread
 */
struct stall_call {
	int (*fn)(struct stall_call *call);
	struct test_ledger *l;
	u64 addr;
	unsigned int ms;
	int result;
	struct completion done;
	struct task_struct *task;
};

static struct drm_svm *stall_svm(struct test_ledger *l)
{
	return &l->space[0].svm;
}

static int stall_fn(void *data)
{
	struct stall_call *call = data;

	call->result = call->fn(call);
	complete_all(&call->done);
	return 0;
}

static void stall_start(struct kunit *test, struct stall_call *call)
{
	init_completion(&call->done);
	call->task = kthread_create(stall_fn, call, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(call->task));
	get_task_struct(call->task);
	wake_up_process(call->task);
}

/* Return: whether it has ended. What keeps it may be let go now, and then: */
static bool stall_ends(struct stall_call *call)
{
	return wait_for_completion_timeout(&call->done, STALL_SOON);
}

static int stall_join(struct stall_call *call)
{
	/* Before: to be stopped is a signal. */
	wait_for_completion(&call->done);
	kthread_stop_put(call->task);
	return call->result;
}

/* ---- calls -------------------------------------------------------------- */

static int stall_stop(struct stall_call *call)
{
	drm_svm_stop(stall_svm(call->l));
	return 0;
}

static int stall_pause(struct stall_call *call)
{
	drm_svm_fault_queue_pause(&call->l->queue);
	return 0;
}

static int stall_fault(struct stall_call *call)
{
	return drm_svm_handle_fault(stall_svm(call->l), call->addr, DRM_SVM_READ,
				    jiffies + msecs_to_jiffies(call->ms));
}

static int stall_populate(struct stall_call *call)
{
	return drm_svm_populate(&call->l->space[0].table.view, call->addr,
				call->addr + PAGE_SIZE - 1, DRM_SVM_RIGHT_READ);
}

static bool stall_calls(void *data)
{
	return READ_ONCE(stall_svm(data)->calls);
}

static bool stall_runs(void *data)
{
	struct test_ledger *l = data;

	return READ_ONCE(l->queue.running);
}

static bool stall_pauses(void *data)
{
	struct test_ledger *l = data;

	return READ_ONCE(l->queue.paused);
}

static bool stall_stops(void *data)
{
	struct test_ledger *l = data;

	guard(spinlock)(&l->queue.lock);
	return list_empty(&stall_svm(l)->in_queue);
}

/* ---- a service that is put off ------------------------------------------- */

static struct {
	struct drm_svm_sink_ops ops;
	struct completion entered;
	struct completion go;
} stall;

static int stall_prepare(struct drm_svm_txn *txn)
{
	complete(&stall.entered);
	wait_for_completion(&stall.go);
	return -ENOMEM;
}

static const struct drm_svm_sink_ops *stall_sink(struct drm_svm_view *view)
{
	const struct drm_svm_sink_ops *old = view->ops;

	stall.ops = *old;
	stall.ops.prepare = stall_prepare;
	init_completion(&stall.entered);
	init_completion(&stall.go);
	view->ops = &stall.ops;
	return old;
}

/* It would be tried again after a while, which the pause does not let it. */
static void stop_does_not_wait_for_a_pause(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	struct drm_svm_view *view = &l->space[0].table.view;
	const struct drm_svm_sink_ops *old = stall_sink(view);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct stall_call stop = { .fn = stall_stop, .l = l };
	struct stall_call pause = { .fn = stall_pause, .l = l };
	unsigned int n = test_push(l, 0, p, DRM_SVM_WRITE);

	wait_for_completion(&stall.entered);
	drm_svm_fault_queue_sync(&l->queue);
	stall_start(test, &stop);
	KUNIT_EXPECT_TRUE(test, test_await(stall_stops, l));
	/* What waits has been ended by then. */
	fsleep(20000);
	stall_start(test, &pause);
	KUNIT_EXPECT_TRUE(test, test_await(stall_pauses, l));
	complete_all(&stall.go);
	KUNIT_EXPECT_TRUE(test, stall_ends(&pause));
	KUNIT_EXPECT_TRUE(test, stall_ends(&stop));
	stall_join(&pause);
	drm_svm_fault_queue_resume(&l->queue);
	stall_join(&stop);
	view->ops = old;
	KUNIT_EXPECT_EQ(test, test_await_result(l, n), -ESRCH);
	test_ledger_check(test, l);
}

/* Who has no deadline would try for ever. */
static void without_memory_it_is_told(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	struct drm_svm_view *view = &l->space[0].table.view;
	const struct drm_svm_sink_ops *old = stall_sink(view);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct stall_call populate = { .fn = stall_populate, .l = l, .addr = p };

	complete_all(&stall.go);
	stall_start(test, &populate);
	KUNIT_EXPECT_TRUE(test, stall_ends(&populate));
	drm_svm_interrupt(stall_svm(l));
	KUNIT_EXPECT_EQ(test, stall_join(&populate), -ENOMEM);
	view->ops = old;
}

/* ---- the service lock ---------------------------------------------------- */

static void stall_lock(struct kunit *test, struct test_ledger *l,
		       struct drm_svm_span *span, u64 p)
{
	KUNIT_ASSERT_EQ(test, drm_svm_span_lock(&stall_svm(l)->smm->spans, span, p,
						p + DRM_SVM_RANGE_SIZE - 1), 0);
}

static void stall_unlock(struct test_ledger *l, struct drm_svm_span *span)
{
	drm_svm_span_unlock(&stall_svm(l)->smm->spans, span);
}

static void a_fault_has_its_deadline_whoever_serves_there(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct stall_call fault = { .fn = stall_fault, .l = l, .addr = p, .ms = 100 };
	struct drm_svm_span span;

	stall_lock(test, l, &span, p);
	stall_start(test, &fault);
	KUNIT_EXPECT_TRUE(test, stall_ends(&fault));
	stall_unlock(l, &span);
	KUNIT_EXPECT_EQ(test, stall_join(&fault), -ETIME);
}

static void so_has_one_of_the_queue(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_span span;
	unsigned int n;

	l->queue.deadline_ms = 100;
	stall_lock(test, l, &span, p);
	n = test_push(l, 0, p, DRM_SVM_READ);
	KUNIT_EXPECT_EQ(test, test_await_result(l, n), -ETIME);
	stall_unlock(l, &span);
	test_ledger_check(test, l);
}

static void a_pause_comes_whoever_serves_there(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct stall_call pause = { .fn = stall_pause, .l = l };
	struct drm_svm_span span;
	unsigned int n;

	stall_lock(test, l, &span, p);
	n = test_push(l, 0, p, DRM_SVM_READ);
	KUNIT_EXPECT_TRUE(test, test_await(stall_runs, l));
	stall_start(test, &pause);
	KUNIT_EXPECT_TRUE(test, stall_ends(&pause));
	stall_unlock(l, &span);
	stall_join(&pause);
	KUNIT_EXPECT_EQ(test, test_answers(l, n), 0);
	drm_svm_fault_queue_resume(&l->queue);
	KUNIT_EXPECT_EQ(test, test_await_result(l, n), 0);
	test_ledger_check(test, l);
}

/* As when a device is unbound, and another of the process's has the addresses. */
static void who_is_interrupted_leaves_the_line(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct stall_call populate = { .fn = stall_populate, .l = l, .addr = p };
	struct drm_svm_span span;

	stall_lock(test, l, &span, p);
	stall_start(test, &populate);
	KUNIT_EXPECT_TRUE(test, test_await(stall_calls, l));
	drm_svm_interrupt(stall_svm(l));
	KUNIT_EXPECT_TRUE(test, stall_ends(&populate));
	stall_unlock(l, &span);
	KUNIT_EXPECT_EQ(test, stall_join(&populate), -ESRCH);
}

/* ---- mmap_lock ----------------------------------------------------------- */

static void a_fault_has_its_deadline_whoever_maps(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct stall_call fault = { .fn = stall_fault, .l = l, .addr = p, .ms = 100 };

	mmap_write_lock(current->mm);
	stall_start(test, &fault);
	KUNIT_EXPECT_TRUE(test, stall_ends(&fault));
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, stall_join(&fault), -ETIME);
}

/**
 * struct stall_try - is a range to be had?
 * @l: ledger
 * @p: first byte of the range
 */
struct stall_try {
	struct test_ledger *l;
	u64 p;
};

static bool stall_free(void *data)
{
	struct stall_try *try = data;
	struct drm_svm_span span;

	if (!drm_svm_span_trylock(&stall_svm(try->l)->smm->spans, &span, try->p,
				  try->p + DRM_SVM_RANGE_SIZE - 1))
		return false;
	stall_unlock(try->l, &span);
	return true;
}

/* Other devices have work to do there that needs no mmap_lock. */
static void who_waits_for_mmap_lock_keeps_no_range(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct stall_call populate = { .fn = stall_populate, .l = l, .addr = p };
	struct stall_try try = { .l = l, .p = p };

	mmap_write_lock(current->mm);
	stall_start(test, &populate);
	KUNIT_EXPECT_TRUE(test, test_await(stall_calls, l));
	fsleep(20000);
	KUNIT_EXPECT_TRUE(test, test_await(stall_free, &try));
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, stall_join(&populate), 0);
}

/* ---- the process --------------------------------------------------------- */

/* Its threads have gone, and what the page is waited for with keeps the memory. */
static void a_page_is_not_waited_for_without_a_process(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_users *holders = stall_svm(l)->smm->holders;
	struct test_slow *slow = test_slow_map(test, p);
	struct stall_call populate = { .fn = stall_populate, .l = l, .addr = p };

	/* Another service, so that the last does not tear it down under the test. */
	KUNIT_ASSERT_TRUE(test, drm_svm_users_enter(holders));
	stall_start(test, &populate);
	KUNIT_EXPECT_TRUE(test, test_await(test_slow_is_waited_for, slow));
	atomic_dec(&current->mm->mm_users);
	KUNIT_EXPECT_TRUE(test, stall_ends(&populate));
	KUNIT_EXPECT_TRUE(test, test_await(test_slow_is_left, slow));
	atomic_inc(&current->mm->mm_users);
	drm_svm_users_leave(holders);
	test_slow_unmap(test, slow, p);
	KUNIT_EXPECT_EQ(test, stall_join(&populate), -ESRCH);
}

/* ---- life ---------------------------------------------------------------- */

/* As a driver's error path does, which has got no further. */
static void who_never_had_a_view_needs_no_stop(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	struct drm_svm_config config = {
		.device = &l->sdev,
		.ops = stall_svm(l)->ops,
	};
	struct drm_svm *svm = kunit_kzalloc(test, sizeof(*svm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, svm);
	KUNIT_ASSERT_EQ(test, drm_svm_init(svm, current->mm, &config), 0);
	drm_svm_fini(svm);
	/* Or the queue goes on with memory that is another's. */
	KUNIT_EXPECT_TRUE(test, list_is_singular(&l->queue.svms));
	KUNIT_EXPECT_PTR_EQ(test, list_first_entry(&l->queue.svms, struct drm_svm,
						   in_queue), stall_svm(l));
	/* So that a failure is no crash. */
	list_del_init(&svm->in_queue);
}

static struct kunit_case stall_cases[] = {
	KUNIT_CASE(stop_does_not_wait_for_a_pause),
	KUNIT_CASE(without_memory_it_is_told),
	KUNIT_CASE(a_fault_has_its_deadline_whoever_serves_there),
	KUNIT_CASE(so_has_one_of_the_queue),
	KUNIT_CASE(a_pause_comes_whoever_serves_there),
	KUNIT_CASE(who_is_interrupted_leaves_the_line),
	KUNIT_CASE(a_fault_has_its_deadline_whoever_maps),
	KUNIT_CASE(who_waits_for_mmap_lock_keeps_no_range),
	KUNIT_CASE(a_page_is_not_waited_for_without_a_process),
	KUNIT_CASE(who_never_had_a_view_needs_no_stop),
	{}
};

struct kunit_suite drm_svm_stall_suite = {
	.name = "drm_svm_stall",
	.init = test_ledger_init,
	.exit = test_ledger_exit,
	.test_cases = stall_cases,
};
