// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Rings whose words change after the doorbell: between two steps of an engine, which
 * the test takes in its stead.
 */

#include "vgem_svm_hw_rig.h"
#include "vgem_svm_hw_priv.h"

#define COPY_BYTES	SZ_64K

/* Makes what has been emitted known, without waking the engine. */
static void publish(struct test_hw *t, u32 chan)
{
	/* The packet is there before TAIL says so. */
	smp_store_release(&t->hw->chans[chan].tail, t->tail[chan]);
}

static void copy_goes_on_as_it_began(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct test_buf *from = test_alloc(t, COPY_BYTES);
	struct test_buf *to = test_alloc(t, COPY_BYTES);
	u32 chan = VGEM_SVM_HW_CHAN_COPY, i;

	for (i = 0; i < COPY_BYTES / 8; i++)
		words(from)[i] = i + 1;
	chan_on(t, chan, 0);
	emit(t, chan, VGEM_SVM_PKT_COPY, 0, from->bus, to->bus, COPY_BYTES);
	publish(t, chan);
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_TRUE(test, vgem_svm_copy_step(&t->hw->copy));
	/* Less than has been done, from nowhere. */
	words(t->ring[chan])[1] = 0;
	words(t->ring[chan])[3] = SZ_4K;
	while (vgem_svm_copy_step(&t->hw->copy))
		;
	KUNIT_EXPECT_FALSE(test, dead(t, chan));
	KUNIT_EXPECT_MEMEQ(test, from->cpu, to->cpu, COPY_BYTES);
	KUNIT_EXPECT_EQ(test, chan_get(t, chan, VGEM_SVM_CHAN_HEAD), 4);
}

static void fence_that_faulted_is_the_one_that_began(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct vgem_svm_unit *unit = &t->hw->compute[0];

	emit(t, TEST_CHAN, VGEM_SVM_PKT_USER_FENCE, 0, VA_DATA, 7);
	publish(t, TEST_CHAN);
	vgem_svm_compute_step(unit);
	KUNIT_ASSERT_EQ(test, get(t, VGEM_SVM_REG_FAULT_PUT), 1);
	words(t->ring[TEST_CHAN])[0] = VGEM_SVM_PKT(0xff, 1, 0);
	words(t->ring[TEST_CHAN])[2] = 8;
	map(t, VA_DATA, t->data->bus, PTE_RW);
	replay(t);
	KUNIT_EXPECT_TRUE(test, await(READ_ONCE(*words(t->data)) == 7));
	KUNIT_EXPECT_TRUE(test, await(chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_HEAD) == 3));
	KUNIT_EXPECT_FALSE(test, dead(t, TEST_CHAN));
}

static struct kunit_case vgem_svm_ring_cases[] = {
	KUNIT_CASE(copy_goes_on_as_it_began),
	KUNIT_CASE(fence_that_faulted_is_the_one_that_began),
	{}
};

static struct kunit_suite vgem_svm_ring_suite = {
	.name = "vgem_svm_ring",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vgem_svm_ring_cases,
};

kunit_test_suite(vgem_svm_ring_suite);
