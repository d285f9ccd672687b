// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Shares of an engine: the test does the engine's steps itself and counts what each
 * channel has run, so that no clock and no other load has a part in it.
 */

#include "vgem_svm_hw_rig.h"
#include "vgem_svm_hw_priv.h"

#define STEPS	1000
#define SOME	30

static struct vgem_svm_chan *chan(struct test_hw *t, unsigned int i)
{
	return &t->hw->chans[VGEM_SVM_HW_CHAN_USER + 2 + i];
}

/* The test is the engine from now on. */
static void stop_engine(struct test_hw *t)
{
	kthread_stop(t->hw->compute[0].task);
	t->hw->compute[0].task = NULL;
	load_program(t, LOOP);
}

/* A channel of @owner on engine 0 whose one thread loops for ever. */
static void loop(struct test_hw *t, unsigned int i, u32 owner)
{
	struct vgem_svm_unit *unit = &t->hw->compute[0];
	struct vgem_svm_chan *c = chan(t, i);

	vgem_svm_unit_lock(unit);
	c->unit = unit;
	c->vm = TEST_VM;
	c->status = VGEM_SVM_CHAN_ST_ON;
	c->resident = 1;
	c->threads[0].pc = VA_CODE;
	c->threads[0].state = VGEM_SVM_THREAD_RUN;
	vgem_svm_unit_unlock(unit);
	chan_set(t, c->index, VGEM_SVM_CHAN_OWNER, owner);
	vgem_svm_unit_lock(unit);
	WRITE_ONCE(unit->chans, unit->chans | BIT_ULL(c->index));
	vgem_svm_unit_unlock(unit);
}

static void step(struct test_hw *t, unsigned int n)
{
	while (n--)
		KUNIT_ASSERT_TRUE(t->test, vgem_svm_compute_step(&t->hw->compute[0]));
}

static u64 run_of(struct test_hw *t, unsigned int first, unsigned int n)
{
	u64 sum = 0;

	for (; n; n--)
		sum += chan(t, first++)->threads[0].insns;
	return sum;
}

static void many_channels_are_no_more_than_one(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int i;

	stop_engine(t);
	for (i = 0; i < SOME; i++)
		loop(t, i, 1000);
	loop(t, SOME, 1001);
	step(t, STEPS);
	KUNIT_EXPECT_EQ(test, run_of(t, SOME, 1), (u64)STEPS * VGEM_SVM_SLICE);
	KUNIT_EXPECT_EQ(test, run_of(t, 0, SOME), (u64)STEPS * VGEM_SVM_SLICE);
	/* And among themselves. */
	for (i = 0; i < SOME; i++) {
		KUNIT_EXPECT_GE(test, run_of(t, i, 1),
				(u64)(STEPS / SOME) * VGEM_SVM_SLICE);
		KUNIT_EXPECT_LE(test, run_of(t, i, 1),
				(u64)(STEPS / SOME + 1) * VGEM_SVM_SLICE);
	}
}

static void what_waits_leaves_its_slice_to_its_kin(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int i;

	stop_engine(t);
	for (i = 0; i < 4; i++)
		loop(t, i, i < 3 ? 1000 : 1001);
	/* Two of the first owner's wait for pages. */
	chan(t, 0)->threads[0].state = VGEM_SVM_THREAD_PARKED;
	chan(t, 1)->threads[0].state = VGEM_SVM_THREAD_STALLED;
	step(t, STEPS);
	KUNIT_EXPECT_EQ(test, run_of(t, 0, 2), 0);
	KUNIT_EXPECT_EQ(test, run_of(t, 2, 1), (u64)STEPS * VGEM_SVM_SLICE);
	KUNIT_EXPECT_EQ(test, run_of(t, 3, 1), (u64)STEPS * VGEM_SVM_SLICE);
}

static void faults_do_not_buy_more_turns(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int i;

	/* One whose every instruction faults, and is replayed at once. */
	stop_engine(t);
	loop(t, 0, 1000);
	loop(t, 1, 1001);
	chan(t, 0)->threads[0].pc = VA_DATA;
	for (i = 0; i < STEPS; i++) {
		step(t, 1);
		replay(t);
	}
	KUNIT_EXPECT_EQ(test, run_of(t, 1, 1), (u64)STEPS * VGEM_SVM_SLICE);
}

static void programs_have_the_lowest_priority(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int i;

	for (i = 0; i < t->hw->config.nr_compute; i++)
		KUNIT_EXPECT_EQ(test, task_nice(t->hw->compute[i].task), MAX_NICE);
	KUNIT_EXPECT_EQ(test, task_nice(t->hw->copy.task), 0);
	KUNIT_EXPECT_EQ(test, task_nice(t->hw->pt.task), 0);
}

static struct kunit_case vgem_svm_sched_cases[] = {
	KUNIT_CASE(many_channels_are_no_more_than_one),
	KUNIT_CASE(what_waits_leaves_its_slice_to_its_kin),
	KUNIT_CASE(faults_do_not_buy_more_turns),
	KUNIT_CASE(programs_have_the_lowest_priority),
	{}
};

static struct kunit_suite vgem_svm_sched_suite = {
	.name = "vgem_svm_sched",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vgem_svm_sched_cases,
};

kunit_test_suite(vgem_svm_sched_suite);
