// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit tests of channels that are to have no faults: what would be one ends them,
 * and nobody waits for anything.
 */

#include "vgem_svm_hw_rig.h"

static void chan_on_no_fault(struct test_hw *t)
{
	chan_on(t, TEST_CHAN, 0);
	chan_set(t, TEST_CHAN, VGEM_SVM_CHAN_CTRL, VGEM_SVM_CHAN_ENABLE |
		 VGEM_SVM_CHAN_NO_FAULT | VGEM_SVM_CHAN_ENGINE(0));
}

static void expect_end(struct test_hw *t, u64 va, u32 access, u32 reason, u64 pc,
		       u64 info)
{
	u64 fault = FIELD_PREP(VGEM_SVM_FAULT_ACCESS, access) |
		    FIELD_PREP(VGEM_SVM_FAULT_REASON, reason);
	struct kunit *test = t->test;

	KUNIT_ASSERT_TRUE(test, await(dead(t, TEST_CHAN)));
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR_INFO), info);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR_FAULT), fault);
	expect_error(t, VGEM_SVM_ERR_FAULT, va, pc);
	/* Nothing was recorded for whom to replay. */
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_FAULT_PUT), 0);
	chan_on_no_fault(t);
}

static void what_is_mapped_is_reached(struct kunit *test)
{
	struct test_hw *t = test->priv;

	chan_on_no_fault(t);
	map(t, VA_DATA, t->data->bus, PTE_RW);
	store_data(t, VA_DATA, 7);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 7);
}

static void a_missing_page_ends_the_channel(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u32 insn = SD(A2, A1, 8);

	chan_on_no_fault(t);
	load_program(t, ADDI(A3, ZERO, 3), insn, RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 77);
	expect_end(t, VA_DATA + 8, VGEM_SVM_ACCESS_WRITE,
		   VGEM_SVM_FAULT_NOT_PRESENT, VA_CODE + 4, (u64)insn << 32);
}

static void so_does_what_is_not_permitted(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u32 insn = AMOADD_D(A4, A2, A1);

	chan_on_no_fault(t);
	map(t, VA_DATA, t->data->bus, PTE_RW);
	load_program(t, insn, RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 2);
	expect_end(t, VA_DATA, VGEM_SVM_ACCESS_ATOMIC, VGEM_SVM_FAULT_PERMISSION,
		   VA_CODE, (u64)insn << 32);

	map(t, VA_CODE, t->code->bus, PTE_RO | VGEM_SVM_PTE_NO_EXEC);
	invalidate(t, VA_CODE, VA_CODE, VGEM_SVM_INV_LEAF);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 2);
	expect_end(t, VA_CODE, VGEM_SVM_ACCESS_EXEC, VGEM_SVM_FAULT_PERMISSION,
		   VA_CODE, 0);
}

static void packets_end_it_too(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u64 header = VGEM_SVM_PKT(VGEM_SVM_PKT_USER_FENCE, 3, 0);

	chan_on_no_fault(t);
	emit(t, TEST_CHAN, VGEM_SVM_PKT_USER_FENCE, 0, VA_DATA, 5);
	submit(t, TEST_CHAN);
	expect_end(t, VA_DATA, VGEM_SVM_ACCESS_WRITE, VGEM_SVM_FAULT_NOT_PRESENT, 0,
		   header << 32);
	*entry_at(t, VA_BATCH, 0) = 0;
	launch_args(t, TEST_CHAN, 1, 0);
	expect_end(t, VA_BATCH, VGEM_SVM_ACCESS_READ, VGEM_SVM_FAULT_NOT_PRESENT, 0, 0);
}

/* A full fault buffer, or none, stalls who needs a record of it. */
static void it_needs_no_fault_buffer(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u32 insn = LD(A3, A1, 0);

	set(t, VGEM_SVM_REG_FAULT_ENTRIES, 0);
	chan_on_no_fault(t);
	load_program(t, insn, RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	expect_end(t, VA_DATA, VGEM_SVM_ACCESS_READ, VGEM_SVM_FAULT_NOT_PRESENT,
		   VA_CODE, (u64)insn << 32);
}

static void it_is_for_one_channel_and_until_it_goes(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u32 other = TEST_CHAN + 1;

	chan_on_no_fault(t);
	chan_on(t, other, 0);
	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, other, 1, VA_DATA, 3);
	await_faults(t, 1);
	KUNIT_EXPECT_FALSE(test, dead(t, other));
	/* The same channel, for another. */
	chan_on(t, TEST_CHAN, 0);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 4);
	await_faults(t, 2);
	KUNIT_EXPECT_FALSE(test, dead(t, TEST_CHAN));
	map(t, VA_DATA, t->data->bus, PTE_RW);
	replay(t);
	finish(t, other);
	finish(t, TEST_CHAN);
}

static struct kunit_case vgem_svm_hw_nofault_cases[] = {
	KUNIT_CASE(what_is_mapped_is_reached),
	KUNIT_CASE(a_missing_page_ends_the_channel),
	KUNIT_CASE(so_does_what_is_not_permitted),
	KUNIT_CASE(packets_end_it_too),
	KUNIT_CASE(it_needs_no_fault_buffer),
	KUNIT_CASE(it_is_for_one_channel_and_until_it_goes),
	{}
};

static struct kunit_suite vgem_svm_hw_nofault_suite = {
	.name = "vgem_svm_hw_nofault",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vgem_svm_hw_nofault_cases,
};

kunit_test_suite(vgem_svm_hw_nofault_suite);

MODULE_DESCRIPTION("KUnit tests of vgem_svm's channels without faults");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
