// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Every record of a device has exactly one answer, whatever becomes of it.
 *
 * A service is kept from ending by mmap_lock, held for write: a worker gives up after
 * a little, and its group goes again.
 */

#include <kunit/test.h>
#include <kunit/visibility.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/platform_device.h>
#include <linux/prandom.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "../drm_svm_fault_queue.h"
#include "drm_svm_test_ledger.h"
#include "drm_svm_test_rig.h"
#include "drm_svm_test_slow.h"

/* Ranges of a case, more than a process has groups. */
#define RANGES		20

static unsigned int read_at(struct test_ledger *l, u64 addr)
{
	return test_push(l, 0, addr, DRM_SVM_READ);
}

static unsigned int write_at(struct test_ledger *l, u64 addr)
{
	return test_push(l, 0, addr, DRM_SVM_WRITE);
}

/* ---- what a service ends with ------------------------------------------- */

static void each_access_has_its_own_result(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	u64 ro = test_map_prot(test, DRM_SVM_RANGE_SIZE, PROT_READ);
	unsigned int good, hole, read, write, atomic, again;

	/* In one group, as far as they are of one range. */
	mmap_write_lock(current->mm);
	good = write_at(l, p);
	hole = read_at(l, 0);
	read = read_at(l, ro);
	write = write_at(l, ro + 8);
	atomic = test_push(l, 0, ro, DRM_SVM_ATOMIC);
	again = read_at(l, ro);
	test_await_fetched(test, l);
	mmap_write_unlock(current->mm);

	KUNIT_EXPECT_EQ(test, test_await_result(l, good), 0);
	KUNIT_EXPECT_EQ(test, test_await_result(l, hole), -EFAULT);
	KUNIT_EXPECT_EQ(test, test_await_result(l, read), 0);
	KUNIT_EXPECT_EQ(test, test_await_result(l, write), -EACCES);
	KUNIT_EXPECT_EQ(test, test_await_result(l, atomic), -EACCES);
	KUNIT_EXPECT_EQ(test, test_await_result(l, again), 0);
	test_ledger_check(test, l);
	KUNIT_EXPECT_EQ(test, atomic64_read(&l->space[0].svm.stats.replays), 0);
}

static void duplicates_are_answered_too(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int i, bad = 0, first;

	mmap_write_lock(current->mm);
	first = write_at(l, p);
	for (i = 0; i < 20; i++)
		write_at(l, p);
	test_await_fetched(test, l);
	mmap_write_unlock(current->mm);
	test_ledger_check(test, l);
	for (i = first; i < l->put; i++)
		bad += test_result(l, i) != 0;
	KUNIT_EXPECT_EQ(test, bad, 0);
}

/* ---- deadlines ---------------------------------------------------------- */

static void a_record_has_its_own_deadline(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int early, late;

	mmap_write_lock(current->mm);
	l->queue.deadline_ms = 500;
	early = write_at(l, p);
	test_await_fetched(test, l);
	/* It joins the group of the one before. */
	l->queue.deadline_ms = DRM_SVM_FAULT_DEADLINE_MS;
	late = write_at(l, p + PAGES(1));
	KUNIT_EXPECT_EQ(test, test_await_result(l, early), -ETIME);
	fsleep(300000);
	KUNIT_EXPECT_EQ(test, test_answers(l, late), 0);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, test_await_result(l, late), 0);
	test_ledger_check(test, l);
}

/* Also one that is waiting for a group, or for a page. */
static void who_waits_has_a_deadline(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE * (RANGES + 1));
	u64 far = p + DRM_SVM_RANGE_SIZE * RANGES;
	struct test_slow *slow = test_slow_map(test, far);
	unsigned int i, n;

	l->queue.deadline_ms = 1500;
	n = read_at(l, far);
	KUNIT_ASSERT_TRUE(test, test_await(test_slow_is_waited_for, slow));
	mmap_write_lock(current->mm);
	for (i = 0; i < RANGES; i++)
		write_at(l, p + DRM_SVM_RANGE_SIZE * i);
	for (i = n; i < l->put; i++)
		KUNIT_EXPECT_EQ(test, test_await_result(l, i), -ETIME);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_TRUE(test, test_await(test_slow_is_left, slow));
	test_ledger_check(test, l);
	test_slow_unmap(test, slow, far);
}

/* ---- shares ------------------------------------------------------------- */

/* More ranges than it has groups: they wait, and come. */
static void who_waits_for_a_group_comes(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE * RANGES);
	unsigned int i;

	mmap_write_lock(current->mm);
	for (i = 0; i < RANGES; i++)
		write_at(l, p + DRM_SVM_RANGE_SIZE * i);
	test_await_fetched(test, l);
	KUNIT_EXPECT_FALSE(test, list_empty(&l->space[0].svm.waiting));
	mmap_write_unlock(current->mm);
	for (i = 0; i < RANGES; i++)
		KUNIT_EXPECT_EQ(test, test_await_result(l, i), 0);
	test_ledger_check(test, l);
}

/* Half of the slots; who writes more records is told to ask again. */
static void a_process_has_a_share_of_the_slots(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int i, again = 0, n = DRM_SVM_FAULT_MIN_SLOTS;

	mmap_write_lock(current->mm);
	for (i = 0; i < n; i++)
		write_at(l, p + PAGES(i));
	test_await_fetched(test, l);
	KUNIT_EXPECT_EQ(test, l->space[0].svm.records, n / 2);
	mmap_write_unlock(current->mm);
	test_ledger_check(test, l);
	for (i = 0; i < n; i++)
		again += test_result(l, i) == -EAGAIN;
	KUNIT_EXPECT_EQ(test, again, n / 2);
}

/* Two users have all of the slots: the rest stays with the device until some are free. */
static void without_room_the_device_keeps_its_records(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	unsigned int i, n = DRM_SVM_FAULT_MIN_SLOTS, left;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, mm);
	mm->task_size = current->mm->task_size;
	KUNIT_ASSERT_EQ(test, test_space_attach(l, 1, mm), 0);
	l->space[1].svm.smm->user = KUIDT_INIT(1001);
	mmap_write_lock(current->mm);
	mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	for (i = 0; i < n; i++)
		test_push(l, i % 2, p + PAGES(i), DRM_SVM_READ);
	test_await_fetched(test, l);
	KUNIT_EXPECT_EQ(test, l->queue.nr_free, 0);
	for (i = 0; i < n; i++)
		test_push(l, i % 2, p + PAGES(i), DRM_SVM_READ);
	drm_svm_fault_queue_sync(&l->queue);
	spin_lock(&l->lock);
	left = l->put - l->get;
	spin_unlock(&l->lock);
	KUNIT_EXPECT_EQ(test, left, n);
	mmap_write_unlock(mm);
	mmap_write_unlock(current->mm);
	/* In the other's address space there is nothing. */
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, test_await_result(l, i),
				i % 2 ? -EFAULT : 0);
	/* Who is first may have his share again while the other has still all. */
	for (i = n; i < 2 * n; i++)
		if (test_await_result(l, i) != -EAGAIN)
			KUNIT_EXPECT_EQ(test, test_result(l, i),
					i % 2 ? -EFAULT : 0);
	test_ledger_check(test, l);
	test_space_stop(l, 1);
	mmput(mm);
}

/* ---- ends from outside -------------------------------------------------- */

/**
 * struct test_crowd - records in every place where one can wait
 * @p: address of its memory
 * @slow: a page that does not come, in a range of its own
 * @first: number of the first record
 * @end: after the last
 */
struct test_crowd {
	u64 p;
	struct test_slow *slow;
	unsigned int first;
	unsigned int end;
};

static u64 crowd_slow_addr(const struct test_crowd *crowd)
{
	return crowd->p + DRM_SVM_RANGE_SIZE * RANGES;
}

/* mmap_lock is held for write afterwards. */
static void crowd_begin(struct kunit *test, struct test_ledger *l,
			struct test_crowd *crowd)
{
	unsigned int i;

	crowd->p = test_map(test, DRM_SVM_RANGE_SIZE * (RANGES + 1));
	crowd->slow = test_slow_map(test, crowd_slow_addr(crowd));
	crowd->first = read_at(l, crowd_slow_addr(crowd));
	KUNIT_ASSERT_TRUE(test, test_await(test_slow_is_waited_for, crowd->slow));
	read_at(l, crowd_slow_addr(crowd));
	mmap_write_lock(current->mm);
	for (i = 0; i < RANGES; i++)
		write_at(l, crowd->p + DRM_SVM_RANGE_SIZE * i);
	crowd->end = l->put;
	test_await_fetched(test, l);
}

static void crowd_end(struct kunit *test, struct test_ledger *l,
		      struct test_crowd *crowd, int result)
{
	unsigned int i;

	mmap_write_unlock(current->mm);
	test_ledger_check(test, l);
	for (i = crowd->first; i < crowd->end; i++)
		KUNIT_EXPECT_EQ(test, test_result(l, i), result);
	KUNIT_EXPECT_TRUE(test, test_await(test_slow_is_left, crowd->slow));
	test_slow_unmap(test, crowd->slow, crowd_slow_addr(crowd));
}

static void stop_answers_all(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	struct test_crowd crowd;

	crowd_begin(test, l, &crowd);
	drm_svm_fault_queue_sync(&l->queue);
	drm_svm_stop(&l->space[0].svm);
	KUNIT_EXPECT_EQ(test, l->space[0].svm.records, 0);
	crowd_end(test, l, &crowd, -ESRCH);
}

static void drop_answers_all(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	struct test_crowd crowd;
	unsigned int after;

	crowd_begin(test, l, &crowd);
	drm_svm_fault_queue_pause(&l->queue);
	drm_svm_fault_queue_drop(&l->queue, NULL);
	KUNIT_EXPECT_EQ(test, l->space[0].svm.records, 0);
	drm_svm_fault_queue_resume(&l->queue);
	crowd_end(test, l, &crowd, -ECANCELED);
	after = write_at(l, crowd.p);
	KUNIT_EXPECT_EQ(test, test_await_result(l, after), 0);
	test_ledger_check(test, l);
}

static void drop_of_one_leaves_the_others(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int mine, other;

	KUNIT_ASSERT_EQ(test, test_space_attach(l, 1, current->mm), 0);
	mmap_write_lock(current->mm);
	mine = test_push(l, 0, p, DRM_SVM_WRITE);
	other = test_push(l, 1, p, DRM_SVM_WRITE);
	test_await_fetched(test, l);
	drm_svm_fault_queue_pause(&l->queue);
	drm_svm_fault_queue_drop(&l->queue, &l->space[0].svm);
	KUNIT_EXPECT_EQ(test, test_result(l, mine), -ECANCELED);
	KUNIT_EXPECT_EQ(test, test_answers(l, other), 0);
	drm_svm_fault_queue_resume(&l->queue);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, test_await_result(l, other), 0);
	test_ledger_check(test, l);
}

static void the_end_of_a_queue_answers_all(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	struct test_crowd crowd;

	crowd_begin(test, l, &crowd);
	drm_svm_fault_queue_pause(&l->queue);
	/* Its workers are waited for, and have taken it. */
	mmap_write_unlock(current->mm);
	drm_svm_fault_queue_fini(&l->queue);
	l->alive = false;
	mmap_write_lock(current->mm);
	crowd_end(test, l, &crowd, -ECANCELED);
}

/* ---- pause -------------------------------------------------------------- */

/* Of a pause, of which there may be others. */
static void test_silence(struct test_ledger *l, bool silent)
{
	guard(spinlock)(&l->lock);
	l->silent += silent ? 1 : -1;
}

/* A page comes, a deadline passes, records are written: nothing is heard of it. */
static void nothing_is_heard_in_a_pause(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE * 2);
	struct test_slow *bad = test_slow_map(test, p);
	unsigned int held, late, after;

	held = read_at(l, p);
	KUNIT_ASSERT_TRUE(test, test_await(test_slow_is_waited_for, bad));
	mmap_write_lock(current->mm);
	l->queue.deadline_ms = 100;
	late = write_at(l, p + DRM_SVM_RANGE_SIZE);
	test_await_fetched(test, l);
	drm_svm_fault_queue_pause(&l->queue);
	drm_svm_fault_queue_pause(&l->queue);
	test_silence(l, true);
	l->queue.deadline_ms = DRM_SVM_FAULT_DEADLINE_MS;
	mmap_write_unlock(current->mm);
	test_slow_let(bad, true);
	KUNIT_EXPECT_TRUE(test, test_await(test_slow_is_left, bad));
	after = write_at(l, p + PAGES(1));
	drm_svm_fault_queue_resume(&l->queue);
	fsleep(300000);
	KUNIT_EXPECT_EQ(test, test_answers(l, held), 0);
	KUNIT_EXPECT_EQ(test, l->loud, 0);
	test_silence(l, false);
	drm_svm_fault_queue_resume(&l->queue);

	KUNIT_EXPECT_EQ(test, test_await_result(l, held), -EFAULT);
	/* Before the pause it may have been over already. */
	KUNIT_EXPECT_LE(test, test_await_result(l, late), 0);
	KUNIT_EXPECT_EQ(test, test_await_result(l, after), 0);
	test_ledger_check(test, l);
	bad->bad = false;
	test_slow_unmap(test, bad, p);
}

/* ---- all of it together ------------------------------------------------- */

/**
 * struct test_storm - records of all kinds, from a thread
 * @l: ledger
 * @p: memory, of which the second range is read-only
 * @n: how many records
 * @done: all are written
 */
struct test_storm {
	struct test_ledger *l;
	u64 p;
	unsigned int n;
	struct completion done;
};

static int test_storm_fn(void *data)
{
	struct test_storm *storm = data;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < storm->n; i++) {
		u32 r = prandom_u32_state(&rnd);

		test_push(storm->l, r % LEDGER_SVMS,
			  storm->p + PAGES((r >> 8) % (3 * DRM_SVM_RANGE_PAGES)),
			  (r >> 24) % 3);
		if (!(i % 16))
			fsleep(1000);
	}
	complete(&storm->done);
	return 0;
}

static void a_storm_has_as_many_answers(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	struct test_storm storm = { .l = l, .n = 6000 };
	struct test_slow *slow;
	struct task_struct *task;
	unsigned int i, round = 0;

	storm.p = test_map(test, 3 * DRM_SVM_RANGE_SIZE);
	slow = test_slow_map(test, storm.p);
	KUNIT_ASSERT_EQ(test, vm_munmap(storm.p + 2 * DRM_SVM_RANGE_SIZE,
					DRM_SVM_RANGE_SIZE), 0);
	for (i = 1; i < LEDGER_SVMS; i++)
		KUNIT_ASSERT_EQ(test, test_space_attach(l, i, current->mm), 0);
	init_completion(&storm.done);
	task = kthread_run(test_storm_fn, &storm, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	while (round < 12 || !try_wait_for_completion(&storm.done)) {
		drm_svm_fault_queue_pause(&l->queue);
		test_silence(l, true);
		fsleep(500);
		test_silence(l, false);
		drm_svm_fault_queue_drop(&l->queue, round % 3 ? NULL :
						    &l->space[0].svm);
		drm_svm_fault_queue_resume(&l->queue);
		/* What is lost goes again. */
		mmap_write_lock(current->mm);
		fsleep(6000);
		mmap_write_unlock(current->mm);
		if (++round == 5)
			test_space_stop(l, 1);
		if (round == 10)
			test_space_stop(l, 2);
	}
	test_slow_let(slow, false);
	test_ledger_check(test, l);
	KUNIT_EXPECT_EQ(test, l->put, storm.n);
	test_slow_unmap(test, slow, storm.p);
}

/**
 * struct test_racer - a thread that does something until it is told to stop
 * @l: ledger
 * @p: memory, as in &struct test_storm
 * @rounds: how often it has
 * @strange: results that it should not have had
 * @task: the thread
 */
struct test_racer {
	struct test_ledger *l;
	u64 p;
	unsigned int rounds;
	unsigned int strange;
	struct task_struct *task;
};

static int test_racer_pauses(void *data)
{
	struct test_racer *racer = data;

	while (!kthread_should_stop()) {
		drm_svm_fault_queue_pause(&racer->l->queue);
		test_silence(racer->l, true);
		fsleep(300);
		test_silence(racer->l, false);
		drm_svm_fault_queue_resume(&racer->l->queue);
		racer->rounds++;
		fsleep(1000);
	}
	return 0;
}

/* Serves beside the queue's workers, in the same ranges, and is not paused. */
static int test_racer_serves(void *data)
{
	struct test_racer *racer = data;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 2);
	while (!kthread_should_stop()) {
		u32 r = prandom_u32_state(&rnd);
		u64 page = (r >> 8) % (2 * DRM_SVM_RANGE_PAGES);
		int ret = drm_svm_handle_fault(&racer->l->space[r % LEDGER_SVMS].svm,
					       racer->p + PAGES(page), r % 2 ?
					       DRM_SVM_WRITE : DRM_SVM_READ,
					       jiffies + TEST_WAIT);

		racer->strange += ret != 0;
		racer->rounds++;
	}
	return 0;
}

static void test_racer_start(struct kunit *test, struct test_racer *racer,
			     int (*fn)(void *data), const struct test_storm *storm)
{
	racer->l = storm->l;
	racer->p = storm->p;
	racer->task = kthread_run(fn, racer, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(racer->task));
}

/* Two who pause, two kinds of servers: as many answers, and none in anybody's pause. */
static void racing_pauses_and_servers_lose_nothing(struct kunit *test)
{
	static int (*const fns[])(void *data) = {
		test_racer_pauses, test_racer_pauses,
		test_racer_serves, test_racer_serves,
	};
	struct test_racer racers[ARRAY_SIZE(fns)] = {};
	struct test_ledger *l = test->priv;
	struct test_storm storm = { .l = l, .n = 3000 };
	struct task_struct *task;
	unsigned int i, bad = 0;

	storm.p = test_map(test, 3 * DRM_SVM_RANGE_SIZE);
	for (i = 1; i < LEDGER_SVMS; i++)
		KUNIT_ASSERT_EQ(test, test_space_attach(l, i, current->mm), 0);
	for (i = 0; i < ARRAY_SIZE(fns); i++)
		test_racer_start(test, &racers[i], fns[i], &storm);
	init_completion(&storm.done);
	task = kthread_run(test_storm_fn, &storm, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	KUNIT_EXPECT_EQ(test, vm_munmap(storm.p + 2 * DRM_SVM_RANGE_SIZE,
					DRM_SVM_RANGE_SIZE), 0);
	/* What is lost goes again. */
	while (!try_wait_for_completion(&storm.done)) {
		mmap_write_lock(current->mm);
		fsleep(6000);
		mmap_write_unlock(current->mm);
		fsleep(2000);
	}
	for (i = 0; i < ARRAY_SIZE(fns); i++) {
		kthread_stop(racers[i].task);
		KUNIT_EXPECT_GT(test, racers[i].rounds, 0);
		KUNIT_EXPECT_EQ(test, racers[i].strange, 0);
	}
	test_ledger_check(test, l);
	for (i = 0; i < l->put; i++)
		bad += test_result(l, i) && test_result(l, i) != -EAGAIN &&
		       l->entries[i].addr < storm.p + 2 * DRM_SVM_RANGE_SIZE;
	KUNIT_EXPECT_EQ(test, bad, 0);
}

/* ---- here and now ------------------------------------------------------- */

static int handle(struct test_ledger *l, u64 addr, enum drm_svm_access access,
		  unsigned int ms)
{
	return drm_svm_handle_fault(&l->space[0].svm, addr, access,
				    jiffies + msecs_to_jiffies(ms));
}

static bool maps(struct test_ledger *l, u64 addr)
{
	u64 seq;

	return drm_gpt_mapped(&l->space[0].gpt, addr, addr, DRM_GPT_LEAF_VALID,
			      &seq);
}

static void a_fault_is_served_here_and_now(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	u64 ro = test_map_prot(test, DRM_SVM_RANGE_SIZE, PROT_READ);

	KUNIT_EXPECT_EQ(test, handle(l, p + 8, DRM_SVM_WRITE, 10000), 0);
	KUNIT_EXPECT_TRUE(test, maps(l, p));
	KUNIT_EXPECT_EQ(test, handle(l, ro, DRM_SVM_READ, 10000), 0);
	KUNIT_EXPECT_EQ(test, handle(l, ro, DRM_SVM_ATOMIC, 10000), -EACCES);
	KUNIT_EXPECT_EQ(test, handle(l, 0, DRM_SVM_READ, 10000), -EFAULT);
	KUNIT_EXPECT_EQ(test, handle(l, ~0ULL, DRM_SVM_READ, 10000), -EFAULT);
	KUNIT_EXPECT_EQ(test, l->put, 0);
	drm_svm_stop(&l->space[0].svm);
	KUNIT_EXPECT_EQ(test, handle(l, p, DRM_SVM_READ, 10000), -ESRCH);
}

static void it_needs_no_queue(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	test_space_stop(l, 0);
	drm_svm_fault_queue_fini(&l->queue);
	l->alive = false;
	KUNIT_ASSERT_EQ(test, test_space_attach(l, 0, current->mm), 0);
	KUNIT_EXPECT_EQ(test, handle(l, p, DRM_SVM_WRITE, 10000), 0);
	KUNIT_EXPECT_TRUE(test, maps(l, p));
}

/**
 * struct test_handle - a call from a thread
 * @l: ledger
 * @addr: where
 * @result: what it said
 * @done: it has
 */
struct test_handle {
	struct test_ledger *l;
	u64 addr;
	int result;
	struct completion done;
};

static int test_handle_fn(void *data)
{
	struct test_handle *h = data;

	allow_signal(SIGUSR1);
	h->result = handle(h->l, h->addr, DRM_SVM_READ, 60000);
	complete(&h->done);
	while (!kthread_should_stop())
		fsleep(1000);
	return 0;
}

static struct task_struct *test_handle_start(struct kunit *test,
					     struct test_handle *h,
					     struct test_slow *slow)
{
	struct task_struct *task;

	init_completion(&h->done);
	task = kthread_run(test_handle_fn, h, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_ASSERT_TRUE(test, test_await(test_slow_is_waited_for, slow));
	return task;
}

static int test_handle_end(struct test_handle *h, struct task_struct *task)
{
	bool over = wait_for_completion_timeout(&h->done, TEST_WAIT);

	if (!over)
		return LEDGER_NO_RESULT;
	kthread_stop(task);
	return h->result;
}

static void it_waits_for_a_page_until(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_handle h = { .l = l, .addr = p };
	struct test_slow *slow = test_slow_map(test, p);
	struct task_struct *task;

	/* the deadline, */
	KUNIT_EXPECT_EQ(test, handle(l, p, DRM_SVM_READ, 100), -ETIME);
	KUNIT_EXPECT_TRUE(test, test_await(test_slow_is_left, slow));
	/* a signal, while nobody else has to wait, */
	task = test_handle_start(test, &h, slow);
	KUNIT_EXPECT_EQ(test, handle(l, p + PAGES(1), DRM_SVM_WRITE, 10000), 0);
	send_sig(SIGUSR1, task, 1);
	KUNIT_EXPECT_EQ(test, test_handle_end(&h, task), -EINTR);
	KUNIT_EXPECT_TRUE(test, test_await(test_slow_is_left, slow));
	/* the page, */
	task = test_handle_start(test, &h, slow);
	test_slow_let(slow, false);
	KUNIT_EXPECT_EQ(test, test_handle_end(&h, task), 0);
	KUNIT_EXPECT_TRUE(test, maps(l, p));
	test_slow_unmap(test, slow, p);
}

static void it_ends_with_its_address_space(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_handle h = { .l = l, .addr = p };
	struct test_slow *slow = test_slow_map(test, p);
	struct task_struct *task = test_handle_start(test, &h, slow);

	drm_svm_stop(&l->space[0].svm);
	/* It is not only told: it has left. */
	KUNIT_EXPECT_EQ(test, l->space[0].svm.calls, 0);
	KUNIT_EXPECT_EQ(test, test_handle_end(&h, task), -ESRCH);
	KUNIT_EXPECT_TRUE(test, test_await(test_slow_is_left, slow));
	test_slow_unmap(test, slow, p);
}

/* ---- what is refused ---------------------------------------------------- */

static void a_queue_of_a_strange_size_is_refused(struct kunit *test)
{
	static const unsigned int sizes[] = {
		1, DRM_SVM_FAULT_MIN_SLOTS / 2, 100, 2 * DRM_SVM_FAULT_MAX_SLOTS,
	};
	struct test_ledger *l = test->priv;
	struct drm_svm_fault_queue *queue;
	unsigned int i;

	queue = kunit_kzalloc(test, sizeof(*queue), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, queue);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		queue->nr_slots = sizes[i];
		KUNIT_EXPECT_EQ(test, drm_svm_fault_queue_init(queue, &l->sdev,
							       l->queue.ops, "odd"),
				-EINVAL);
	}
}

static void an_answer_is_given_in_one_way(struct kunit *test)
{
	struct test_ledger *l = test->priv;
	struct drm_svm_ops ops = *l->space[0].svm.ops;
	const struct drm_svm_ops *replaying = test_dev_ops();
	struct drm_svm_config config = {
		.device = &l->sdev,
		.ops = &ops,
	};
	struct drm_svm *svm = kunit_kzalloc(test, sizeof(*svm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, svm);
	/* None is ever called. */
	ops.replay = replaying->replay;
	KUNIT_EXPECT_EQ(test, drm_svm_init(svm, current->mm, &config), -EINVAL);
	ops.cancel = replaying->cancel;
	KUNIT_EXPECT_EQ(test, drm_svm_init(svm, current->mm, &config), -EINVAL);
	ops.done = NULL;
	ops.replay = NULL;
	KUNIT_EXPECT_EQ(test, drm_svm_init(svm, current->mm, &config), -EINVAL);
	ops.cancel = NULL;
	KUNIT_EXPECT_EQ(test, drm_svm_init(svm, current->mm, &config), -EINVAL);
}

static struct kunit_case answer_cases[] = {
	KUNIT_CASE(each_access_has_its_own_result),
	KUNIT_CASE(duplicates_are_answered_too),
	KUNIT_CASE(a_record_has_its_own_deadline),
	KUNIT_CASE(who_waits_has_a_deadline),
	KUNIT_CASE(who_waits_for_a_group_comes),
	KUNIT_CASE(a_process_has_a_share_of_the_slots),
	KUNIT_CASE(without_room_the_device_keeps_its_records),
	KUNIT_CASE(stop_answers_all),
	KUNIT_CASE(drop_answers_all),
	KUNIT_CASE(drop_of_one_leaves_the_others),
	KUNIT_CASE(the_end_of_a_queue_answers_all),
	KUNIT_CASE(nothing_is_heard_in_a_pause),
	KUNIT_CASE(a_storm_has_as_many_answers),
	KUNIT_CASE(racing_pauses_and_servers_lose_nothing),
	KUNIT_CASE(a_fault_is_served_here_and_now),
	KUNIT_CASE(it_needs_no_queue),
	KUNIT_CASE(it_waits_for_a_page_until),
	KUNIT_CASE(it_ends_with_its_address_space),
	KUNIT_CASE(a_queue_of_a_strange_size_is_refused),
	KUNIT_CASE(an_answer_is_given_in_one_way),
	{}
};

struct kunit_suite drm_svm_answer_suite = {
	.name = "drm_svm_answer",
	.init = test_ledger_init,
	.exit = test_ledger_exit,
	.test_cases = answer_cases,
};
