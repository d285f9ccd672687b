// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit tests of what a table entry says about memory beside its address and who may
 * write: no instruction fetches, uncached.
 */

#include "vgem_svm_hw_rig.h"

static void no_execute_faults_until_allowed(struct kunit *test)
{
	struct test_hw *t = test->priv;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	map(t, VA_CODE, t->code->bus, PTE_RO | VGEM_SVM_PTE_NO_EXEC);
	load_program(t, LD(A3, A1, 0), SD(A3, A2, 0), RET);
	launch_args(t, TEST_CHAN, 1, VA_CODE, VA_DATA);
	expect_fault(t, 0, VA_CODE, VGEM_SVM_ACCESS_EXEC,
		     VGEM_SVM_FAULT_PERMISSION, 0, VA_CODE);
	/* Replayed in vain; what is denied is not kept. */
	replay(t);
	expect_fault(t, 1, VA_CODE, VGEM_SVM_ACCESS_EXEC,
		     VGEM_SVM_FAULT_PERMISSION, 0, VA_CODE);
	map(t, VA_CODE, t->code->bus, PTE_RO);
	replay(t);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], words(t->code)[0]);
}

static void no_execute_forbids_nothing_else(struct kunit *test)
{
	struct test_hw *t = test->priv;

	map(t, VA_DATA, t->data->bus, PTE_RWA | VGEM_SVM_PTE_NO_EXEC);
	map(t, VA_BATCH, t->batch->bus, PTE_RO | VGEM_SVM_PTE_NO_EXEC);
	load_program(t, SD(A2, A1, 0), AMOADD_D(ZERO, A2, A1), LD(A3, A1, 0),
		     SD(A3, A1, 8), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 21);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[1], 42);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_FAULT_PUT), 0);
}

static void no_execute_is_kept_until_told(struct kunit *test)
{
	struct test_hw *t = test->priv;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	store_data(t, VA_DATA, 1);
	map(t, VA_CODE, t->code->bus, PTE_RO | VGEM_SVM_PTE_NO_EXEC);
	store_data(t, VA_DATA, 2);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 2);
	invalidate(t, VA_CODE, VA_CODE, VGEM_SVM_INV_LEAF);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 3);
	expect_fault(t, 0, VA_CODE, VGEM_SVM_ACCESS_EXEC,
		     VGEM_SVM_FAULT_PERMISSION, 0, VA_CODE);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 2);
}

static void uncached_accesses_are_counted(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u64 before = get(t, VGEM_SVM_REG_UNCACHED(0));

	map(t, VA_DATA, t->data->bus, PTE_RWA);
	load_program(t, SD(A2, A1, 0), AMOADD_D(ZERO, A2, A1), LD(A3, A1, 0),
		     SD(A3, A1, 8), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 21);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_UNCACHED(0)), before);
	/* Four of two threads, the first of which fills the TLB. */
	map(t, VA_DATA, t->data->bus, PTE_RWA | VGEM_SVM_PTE_UNCACHED);
	invalidate(t, VA_DATA, VA_DATA, VGEM_SVM_INV_LEAF);
	launch_args(t, TEST_CHAN, 2, VA_DATA, 21);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_UNCACHED(0)), before + 8);
	/* A packet, on the other engine. */
	chan_on(t, TEST_CHAN + 1, 1);
	emit(t, TEST_CHAN + 1, VGEM_SVM_PKT_USER_FENCE, 0, VA_DATA, 5);
	submit(t, TEST_CHAN + 1);
	finish(t, TEST_CHAN + 1);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_UNCACHED(0)), before + 8);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_UNCACHED(1)), 1);
	/* There is no third engine, and nobody writes it. */
	set(t, VGEM_SVM_REG_UNCACHED(1), 7);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_UNCACHED(1)), 1);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_UNCACHED(2)), 0);
}

/* What says something about memory stands in the entry that maps it. */
static void attributes_of_tables_end_the_channel(struct kunit *test)
{
	static const u64 bits[] = {
		VGEM_SVM_PTE_NO_EXEC, VGEM_SVM_PTE_UNCACHED,
	};
	struct test_hw *t = test->priv;
	unsigned int i, level;
	u64 *entry;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	load_program(t, LD(A4, A1, 0), RET);
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		for (level = 1; level < VGEM_SVM_PT_LEVELS; level++) {
			entry = entry_at(t, VA_DATA, level);
			WRITE_ONCE(*entry, *entry | bits[i]);
			launch_args(t, TEST_CHAN, 1, VA_DATA);
			expect_error(t, VGEM_SVM_ERR_ENTRY, VA_DATA, VA_CODE);
			WRITE_ONCE(*entry, *entry & ~bits[i]);
		}
	}
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	finish(t, TEST_CHAN);
}

static struct kunit_case vgem_svm_hw_entry_cases[] = {
	KUNIT_CASE(no_execute_faults_until_allowed),
	KUNIT_CASE(no_execute_forbids_nothing_else),
	KUNIT_CASE(no_execute_is_kept_until_told),
	KUNIT_CASE(uncached_accesses_are_counted),
	KUNIT_CASE(attributes_of_tables_end_the_channel),
	{}
};

static struct kunit_suite vgem_svm_hw_entry_suite = {
	.name = "vgem_svm_hw_entry",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vgem_svm_hw_entry_cases,
};

kunit_test_suite(vgem_svm_hw_entry_suite);

MODULE_DESCRIPTION("KUnit tests of entries of vgem_svm's page tables");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
