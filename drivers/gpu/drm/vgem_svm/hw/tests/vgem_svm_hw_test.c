// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit tests of the virtual hardware alone: engines, translation, faults,
 * invalidation, errors, reset.
 */

#include "vgem_svm_hw_rig.h"

/* ---- registers, interrupts ---------------------------------------------- */

static void registers_say_what_it_is(struct kunit *test)
{
	struct test_hw *t = test->priv;

	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_ID), VGEM_SVM_ID_VALUE);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_VRAM_BYTES), SZ_4M);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_NR_COMPUTE), 2);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_STOPPED), 0);
	/* Unknown, write-only, and read-only. */
	KUNIT_EXPECT_EQ(test, get(t, 0x0ff8), 0);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_RESET), 0);
	set(t, VGEM_SVM_REG_ID, 1);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_ID), VGEM_SVM_ID_VALUE);
}

static void fence_writes_and_interrupts(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u32 chan;

	chan_on(t, VGEM_SVM_HW_CHAN_PT, 0);
	chan_on(t, VGEM_SVM_HW_CHAN_COPY, 0);
	for (chan = 0; chan <= TEST_CHAN; chan++) {
		atomic64_set(&t->seen, 0);
		emit(t, chan, VGEM_SVM_PKT_NOP, 0, 1, 2, 3);
		submit(t, chan);
		finish(t, chan);
		KUNIT_EXPECT_TRUE(test, await(atomic64_read(&t->seen) &
					      VGEM_SVM_INT_FENCE));
		KUNIT_EXPECT_TRUE(test, await(chan_get(t, chan,
						       VGEM_SVM_CHAN_HEAD) ==
					      t->tail[chan]));
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&t->soft), 0);
}

static void interrupt_waits_for_its_enable_bit(struct kunit *test)
{
	struct test_hw *t = test->priv;

	set(t, VGEM_SVM_REG_INT_ENABLE, VGEM_SVM_INT_FAULT);
	submit(t, TEST_CHAN);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_TRUE(test, await(get(t, VGEM_SVM_REG_INT_STATUS) ==
				      VGEM_SVM_INT_FENCE));
	KUNIT_EXPECT_EQ(test, atomic_read(&t->irqs), 0);
	set(t, VGEM_SVM_REG_INT_ENABLE, VGEM_SVM_INT_FENCE);
	KUNIT_EXPECT_TRUE(test, await(atomic_read(&t->irqs) == 1));
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_INT_STATUS), 0);
}

/* ---- page-table and copy engines ---------------------------------------- */

static void pt_packets_store_entries(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u64 *table = words(t->data);
	unsigned int i;

	chan_on(t, VGEM_SVM_HW_CHAN_PT, 0);
	emit(t, VGEM_SVM_HW_CHAN_PT, VGEM_SVM_PKT_PT_WRITE, 3,
	     t->data->bus + 8, 11, 22, 33);
	emit(t, VGEM_SVM_HW_CHAN_PT, VGEM_SVM_PKT_PT_SEQ, 4,
	     t->data->bus + 64, 0x1003, 0x1000);
	emit(t, VGEM_SVM_HW_CHAN_PT, VGEM_SVM_PKT_PT_FILL, 256,
	     t->data->bus + 2048, 0xabcd);
	submit(t, VGEM_SVM_HW_CHAN_PT);
	finish(t, VGEM_SVM_HW_CHAN_PT);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, table[1 + i], 11 * (i + 1));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, table[8 + i], 0x1003 + i * 0x1000);
	for (i = 0; i < 256; i++)
		KUNIT_EXPECT_EQ(test, table[256 + i], 0xabcd);
	KUNIT_EXPECT_EQ(test, table[0] | table[4] | table[7] | table[12] |
			table[255], 0);
}

static void copy_reaches_device_memory_and_back(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct test_buf *from = test_alloc(t, SZ_16K);
	struct test_buf *to = test_alloc(t, SZ_16K);
	u32 chan = VGEM_SVM_HW_CHAN_COPY, i;

	chan_on(t, chan, 0);
	for (i = 0; i < SZ_16K / 8; i++)
		words(from)[i] = i * 0x0101010101010101ULL;
	/* Neither is page-aligned to the other. */
	emit(t, chan, VGEM_SVM_PKT_COPY, VGEM_SVM_COPY_DST_LOCAL,
	     from->bus, SZ_2M - 100, SZ_16K);
	emit(t, chan, VGEM_SVM_PKT_COPY, VGEM_SVM_COPY_SRC_LOCAL,
	     SZ_2M - 100, to->bus, SZ_16K);
	emit(t, chan, VGEM_SVM_PKT_FILL, 0, to->bus + 8, 16, 0x77);
	submit(t, chan);
	finish(t, chan);
	KUNIT_EXPECT_EQ(test, words(to)[1], 0x77);
	KUNIT_EXPECT_EQ(test, words(to)[2], 0x77);
	words(to)[1] = words(from)[1];
	words(to)[2] = words(from)[2];
	KUNIT_EXPECT_EQ(test, memcmp(from->cpu, to->cpu, SZ_16K), 0);
}

static void local_tables_and_pages_work(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u32 pt = VGEM_SVM_HW_CHAN_PT, copy = VGEM_SVM_HW_CHAN_COPY;
	u64 *entry;

	/* The last table at 0 of device memory, the page at 4096. */
	entry = entry_at(t, VA_DATA, 1);
	*entry = VGEM_SVM_PTE_V |
		 FIELD_PREP(VGEM_SVM_PTE_APERTURE, VGEM_SVM_APERTURE_LOCAL);
	chan_on(t, pt, 0);
	emit(t, pt, VGEM_SVM_PKT_PT_WRITE, VGEM_SVM_PT_LOCAL | 1,
	     (VA_DATA >> 12 & 511) * 8, SZ_4K | PTE_RW |
	     FIELD_PREP(VGEM_SVM_PTE_APERTURE, VGEM_SVM_APERTURE_LOCAL));
	submit(t, pt);
	finish(t, pt);
	load_program(t, SD(A2, A1, 24), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 0x5555);
	finish(t, TEST_CHAN);
	chan_on(t, copy, 0);
	emit(t, copy, VGEM_SVM_PKT_COPY, VGEM_SVM_COPY_SRC_LOCAL,
	     SZ_4K + 24, t->data->bus, 8);
	submit(t, copy);
	finish(t, copy);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 0x5555);
}

/* ---- programs ----------------------------------------------------------- */

static void program_stores_through_the_mmu(struct kunit *test)
{
	struct test_hw *t = test->priv;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	load_program(t, ADD(A3, A1, A2), SD(A3, A1, 16), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 42);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[2], VA_DATA + 42);
}

static void large_leaves_map_all_of_it(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u64 local = FIELD_PREP(VGEM_SVM_PTE_APERTURE, VGEM_SVM_APERTURE_LOCAL);
	u64 va = ALIGN_DOWN(VA_DATA, SZ_2M);
	u32 copy = VGEM_SVM_HW_CHAN_COPY;

	*entry_at(t, va, 1) = SZ_2M | PTE_RW | local;
	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, va + 0x123450, 99);
	finish(t, TEST_CHAN);
	chan_on(t, copy, 0);
	emit(t, copy, VGEM_SVM_PKT_COPY, VGEM_SVM_COPY_SRC_LOCAL,
	     SZ_2M + 0x123450, t->data->bus, 8);
	submit(t, copy);
	finish(t, copy);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 99);
}

static void threads_run_in_waves(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int n = 300, i;

	map(t, VA_DATA, t->data->bus, PTE_RWA);
	load_program(t, SLLI(A3, A0, 3), ADD(A3, A3, A1), SD(A0, A3, 8),
		     ADDI(A4, ZERO, 1), AMOADD_D(ZERO, A4, A1), ECALL);
	launch_args(t, TEST_CHAN, n, VA_DATA);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], n);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, words(t->data)[1 + i], i);
}

static void stack_pointer_is_at_the_top_of_the_slot(struct kunit *test)
{
	const u64 arg[] = { VA_DATA };
	struct test_hw *t = test->priv;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	load_program(t, SD(A0, SP, -8), ADDI(SP, SP, -64), SLLI(A2, A0, 3),
		     ADD(A2, A2, A1), SD(SP, A2, 0), RET);
	launch(t, TEST_CHAN, 8, 64, arg, 1);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[5], VA_STACK + 5 * 64);
	KUNIT_EXPECT_EQ(test, words(t->stack)[5 * 8 + 7], 5);
}

static void batch_packets_store_and_add(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u64 batch[] = {
		VGEM_SVM_PKT(VGEM_SVM_PKT_STORE, 3, 0), VA_DATA, 40,
		VGEM_SVM_PKT(VGEM_SVM_PKT_NOP, 2, 0), ~0ULL,
		VGEM_SVM_PKT(VGEM_SVM_PKT_ATOMIC_ADD, 3, 0), VA_DATA, 2,
	};

	map(t, VA_DATA, t->data->bus, PTE_RWA);
	memcpy(t->batch->cpu, batch, sizeof(batch));
	emit(t, TEST_CHAN, VGEM_SVM_PKT_BATCH, 0, VA_BATCH, sizeof(batch));
	emit(t, TEST_CHAN, VGEM_SVM_PKT_USER_FENCE, 0, VA_DATA + 8, 7);
	submit(t, TEST_CHAN);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 42);
	KUNIT_EXPECT_EQ(test, words(t->data)[1], 7);
}

/* ---- faults ------------------------------------------------------------- */

static void missing_page_faults_and_replays(struct kunit *test)
{
	struct test_hw *t = test->priv;

	load_program(t, ADDI(A3, ZERO, 3), SD(A2, A1, 8), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 77);
	expect_fault(t, 0, VA_DATA + 8, VGEM_SVM_ACCESS_WRITE,
		     VGEM_SVM_FAULT_NOT_PRESENT, 0, VA_CODE + 4);
	KUNIT_EXPECT_TRUE(test, await(atomic64_read(&t->seen) &
				      VGEM_SVM_INT_FAULT));
	/* Parked, it says so once; replayed in vain, once more. */
	msleep(50);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_FAULT_PUT), 1);
	replay(t);
	expect_fault(t, 1, VA_DATA + 8, VGEM_SVM_ACCESS_WRITE,
		     VGEM_SVM_FAULT_NOT_PRESENT, 0, VA_CODE + 4);
	map(t, VA_DATA, t->data->bus, PTE_RW);
	replay(t);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[1], 77);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_FAULT_PUT), 2);
}

static void code_and_packets_fault_too(struct kunit *test)
{
	struct test_hw *t = test->priv;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	*entry_at(t, VA_CODE, 0) = 0;
	*entry_at(t, VA_BATCH, 0) = 0;
	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 5);
	expect_fault(t, 0, VA_BATCH, VGEM_SVM_ACCESS_READ,
		     VGEM_SVM_FAULT_NOT_PRESENT, 0, 0);
	map(t, VA_BATCH, t->batch->bus, PTE_RO);
	replay(t);
	expect_fault(t, 1, VA_CODE, VGEM_SVM_ACCESS_EXEC,
		     VGEM_SVM_FAULT_NOT_PRESENT, 0, VA_CODE);
	map(t, VA_CODE, t->code->bus, PTE_RO);
	replay(t);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 5);
}

static void permissions_fault_until_granted(struct kunit *test)
{
	struct test_hw *t = test->priv;

	map(t, VA_DATA, t->data->bus, PTE_RO);
	words(t->data)[0] = 1;
	load_program(t, LD(A3, A1, 0), SD(A2, A1, 8), AMOADD_D(A4, A2, A1),
		     RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 2);
	expect_fault(t, 0, VA_DATA + 8, VGEM_SVM_ACCESS_WRITE,
		     VGEM_SVM_FAULT_PERMISSION, 0, VA_CODE + 4);
	/* More is permitted without a flush. */
	map(t, VA_DATA, t->data->bus, PTE_RW);
	replay(t);
	expect_fault(t, 1, VA_DATA, VGEM_SVM_ACCESS_ATOMIC,
		     VGEM_SVM_FAULT_PERMISSION, 0, VA_CODE + 8);
	map(t, VA_DATA, t->data->bus, PTE_RWA);
	replay(t);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 3);
	KUNIT_EXPECT_EQ(test, words(t->data)[1], 2);
}

static void parked_threads_hold_up_nobody(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u32 other = TEST_CHAN + 1;

	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 1);
	await_faults(t, 1);
	/* The same engine, another channel. */
	map(t, VA_DATA + SZ_4K, t->data->bus, PTE_RW);
	chan_on(t, other, 0);
	launch_args(t, other, 1, VA_DATA + SZ_4K, 9);
	finish(t, other);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 9);
	KUNIT_EXPECT_FALSE(test, passed(t, TEST_CHAN));
	set(t, VGEM_SVM_REG_CHAN_KILL,
	    TEST_CHAN | VGEM_SVM_ERR_KILLED << 16);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR),
			VGEM_SVM_ERR_KILLED);
	KUNIT_EXPECT_TRUE(test, await(atomic64_read(&t->seen) &
				      VGEM_SVM_INT_CHAN_ERROR));
}

static void cancel(struct test_hw *t, u64 record)
{
	set(t, VGEM_SVM_REG_FAULT_CANCEL,
	    FIELD_PREP(VGEM_SVM_CANCEL_CHAN, TEST_CHAN) |
	    FIELD_PREP(VGEM_SVM_CANCEL_RECORD, record));
}

static void cancel_ends_what_waits_for_that_record(struct kunit *test)
{
	struct test_hw *t = test->priv;

	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 1);
	await_faults(t, 1);
	/* Replayed and not served: the first record is stale. */
	set(t, VGEM_SVM_REG_FAULT_REPLAY, VGEM_SVM_REPLAY_ALL);
	await_faults(t, 2);
	cancel(t, 0);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_STATUS),
			VGEM_SVM_CHAN_ST_ON);
	cancel(t, 1);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_STATUS),
			VGEM_SVM_CHAN_ST_DEAD);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR),
			VGEM_SVM_ERR_FAULT);
}

static void cancel_of_what_was_served_does_nothing(struct kunit *test)
{
	struct test_hw *t = test->priv;

	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 7);
	await_faults(t, 1);
	map(t, VA_DATA, t->data->bus, PTE_RW);
	set(t, VGEM_SVM_REG_FAULT_REPLAY, VGEM_SVM_REPLAY_ALL);
	finish(t, TEST_CHAN);
	cancel(t, 0);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_STATUS),
			VGEM_SVM_CHAN_ST_ON);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 7);
}

static void full_fault_buffer_stalls_threads_alone(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct test_buf *pages = test_alloc(t, 64 * SZ_4K);
	unsigned int i;

	set(t, VGEM_SVM_REG_FAULT_ENTRIES, 4);
	/* Each thread stores to a page of its own. */
	load_program(t, SLLI(A3, A0, 12), ADD(A3, A3, A1), SD(A0, A3, 0), RET);
	launch_args(t, TEST_CHAN, 64, VA_DATA);
	await_faults(t, 4);
	msleep(50);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_FAULT_PUT), 4);
	KUNIT_EXPECT_TRUE(test, inv_poll(t, inv_post(t, 0, 0, VGEM_SVM_INV_VM)));
	for (i = 0; i < 64; i++)
		map(t, VA_DATA + i * SZ_4K, pages->bus + i * SZ_4K, PTE_RW);
	/* Room alone wakes the stalled, which find the pages now. */
	set(t, VGEM_SVM_REG_FAULT_GET, 4);
	KUNIT_EXPECT_TRUE(test, await(READ_ONCE(words(pages)[63 * 512]) == 63));
	KUNIT_EXPECT_FALSE(test, passed(t, TEST_CHAN));
	replay(t);
	finish(t, TEST_CHAN);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, words(pages)[i * 512], i);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_FAULT_PUT), 4);
}

/* ---- an answer to each -------------------------------------------------- */

static void ack(struct test_hw *t, u64 record, u64 result)
{
	set(t, VGEM_SVM_REG_FAULT_ACK,
	    FIELD_PREP(VGEM_SVM_ACK_CHAN, TEST_CHAN) |
	    FIELD_PREP(VGEM_SVM_ACK_RECORD, record) |
	    FIELD_PREP(VGEM_SVM_ACK_RESULT, result));
}

/* Two threads that store to a page each, and are parked. */
static struct test_buf *park_two(struct test_hw *t)
{
	struct test_buf *pages = test_alloc(t, 2 * SZ_4K);

	set(t, VGEM_SVM_REG_FAULT_CTRL, VGEM_SVM_FAULT_EACH);
	load_program(t, SLLI(A3, A0, 12), ADD(A3, A3, A1), SD(A2, A3, 0), RET);
	launch_args(t, TEST_CHAN, 2, VA_DATA, 77);
	await_faults(t, 2);
	set(t, VGEM_SVM_REG_FAULT_GET, 2);
	return pages;
}

/* What the thread of a record stores to. */
static u64 *stored(struct test_hw *t, struct test_buf *pages, u64 record)
{
	return words(pages) + (le64_to_cpu(fault(t, record)->va) - VA_DATA) / 8;
}

static void an_acknowledge_is_for_its_record_alone(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct test_buf *pages = park_two(t);

	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_FAULT_CTRL),
			VGEM_SVM_FAULT_EACH);
	map(t, VA_DATA, pages->bus, PTE_RW);
	map(t, VA_DATA + SZ_4K, pages->bus + SZ_4K, PTE_RW);
	/* Neither of these is an answer. */
	set(t, VGEM_SVM_REG_FAULT_REPLAY, VGEM_SVM_REPLAY_ALL);
	cancel(t, 0);
	ack(t, 2, VGEM_SVM_ACK_ERROR);
	msleep(20);
	KUNIT_EXPECT_EQ(test, *stored(t, pages, 0), 0);
	KUNIT_EXPECT_EQ(test, *stored(t, pages, 1), 0);

	ack(t, 1, VGEM_SVM_ACK_RETRY);
	KUNIT_EXPECT_TRUE(test, await(READ_ONCE(*stored(t, pages, 1)) == 77));
	/* It has had its answer. */
	ack(t, 1, VGEM_SVM_ACK_ERROR);
	msleep(20);
	KUNIT_EXPECT_EQ(test, *stored(t, pages, 0), 0);
	KUNIT_EXPECT_FALSE(test, passed(t, TEST_CHAN));
	ack(t, 0, VGEM_SVM_ACK_RETRY);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, *stored(t, pages, 0), 77);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_FAULT_PUT), 2);
}

static void who_retries_in_vain_has_a_new_record(struct kunit *test)
{
	struct test_hw *t = test->priv;

	set(t, VGEM_SVM_REG_FAULT_CTRL, VGEM_SVM_FAULT_EACH);
	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 5);
	await_faults(t, 1);
	ack(t, 0, VGEM_SVM_ACK_RETRY);
	await_faults(t, 2);
	map(t, VA_DATA, t->data->bus, PTE_RW);
	ack(t, 0, VGEM_SVM_ACK_RETRY);
	msleep(20);
	KUNIT_EXPECT_FALSE(test, passed(t, TEST_CHAN));
	ack(t, 1, VGEM_SVM_ACK_RETRY);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 5);
}

static void packets_are_acknowledged_too(struct kunit *test)
{
	struct test_hw *t = test->priv;

	set(t, VGEM_SVM_REG_FAULT_CTRL, VGEM_SVM_FAULT_EACH);
	*entry_at(t, VA_BATCH, 0) = 0;
	map(t, VA_DATA, t->data->bus, PTE_RW);
	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 5);
	await_faults(t, 1);
	map(t, VA_BATCH, t->batch->bus, PTE_RO);
	ack(t, 0, VGEM_SVM_ACK_RETRY);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 5);
}

static void an_acknowledge_with_an_error_ends_the_channel(struct kunit *test)
{
	struct test_hw *t = test->priv;

	park_two(t);
	ack(t, 1, VGEM_SVM_ACK_ERROR);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_STATUS),
			VGEM_SVM_CHAN_ST_DEAD);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR),
			VGEM_SVM_ERR_FAULT);
	KUNIT_EXPECT_TRUE(test, await(atomic64_read(&t->seen) &
				      VGEM_SVM_INT_CHAN_ERROR));
	/* Nothing is parked there any more. */
	ack(t, 0, VGEM_SVM_ACK_RETRY);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_STATUS),
			VGEM_SVM_CHAN_ST_DEAD);
}

static void who_is_replayed_is_not_acknowledged(struct kunit *test)
{
	struct test_hw *t = test->priv;

	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 5);
	await_faults(t, 1);
	map(t, VA_DATA, t->data->bus, PTE_RW);
	ack(t, 0, VGEM_SVM_ACK_ERROR);
	ack(t, 0, VGEM_SVM_ACK_RETRY);
	msleep(20);
	KUNIT_EXPECT_FALSE(test, passed(t, TEST_CHAN));
	replay(t);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 5);
}

/* ---- what is remembered ------------------------------------------------- */

static void tlb_keeps_until_told(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct test_buf *other = test_alloc(t, SZ_4K);

	map(t, VA_DATA, t->data->bus, PTE_RW);
	store_data(t, VA_DATA, 1);
	map(t, VA_DATA, other->bus, PTE_RW);
	store_data(t, VA_DATA, 2);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 2);
	/* Of another page, or of another VM. */
	invalidate(t, VA_DATA + SZ_4K, VA_DATA + SZ_8K - 1, VGEM_SVM_INV_LEAF);
	store_data(t, VA_DATA, 3);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 3);
	invalidate(t, VA_DATA, VA_DATA, VGEM_SVM_INV_LEAF);
	store_data(t, VA_DATA, 4);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 3);
	KUNIT_EXPECT_EQ(test, words(other)[0], 4);
}

static void walk_cache_keeps_until_told(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct test_buf *other = test_alloc(t, SZ_4K);
	struct test_buf *table = test_alloc(t, SZ_4K);

	map(t, VA_DATA, t->data->bus, PTE_RW);
	store_data(t, VA_DATA, 1);
	words(table)[VA_DATA >> 12 & 511] = other->bus | PTE_RW;
	*entry_at(t, VA_DATA, 1) = table->bus | VGEM_SVM_PTE_V;
	invalidate(t, VA_DATA, VA_DATA, VGEM_SVM_INV_LEAF);
	store_data(t, VA_DATA, 2);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 2);
	invalidate(t, VA_DATA, VA_DATA, VGEM_SVM_INV_LEAF | VGEM_SVM_INV_WALK);
	store_data(t, VA_DATA, 3);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 2);
	KUNIT_EXPECT_EQ(test, words(other)[0], 3);
}

static void invalidation_of_a_vm_takes_all(struct kunit *test)
{
	struct test_hw *t = test->priv;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	store_data(t, VA_DATA, 1);
	*entry_at(t, VA_DATA, 4) = 0;
	store_data(t, VA_DATA, 2);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 2);
	invalidate(t, 0, 0, VGEM_SVM_INV_VM);
	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 3);
	await_faults(t, 1);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 2);
}

static void translations_of_two_address_spaces_do_not_mix(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct test_buf *root = t->root, *other = test_alloc(t, SZ_4K);
	u32 vm = TEST_VM + 1, chan = TEST_CHAN + 1, i;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	t->root = test_alloc(t, SZ_4K);
	map(t, VA_CODE, t->code->bus, PTE_RO);
	map(t, VA_BATCH, t->batch->bus, PTE_RO);
	map(t, VA_DATA, other->bus, PTE_RW);
	set(t, VGEM_SVM_REG_VM_ROOT(vm), t->root->bus | VGEM_SVM_ROOT_VALID);
	t->root = root;
	/* On one engine. */
	chan_on(t, chan, 0);
	chan_set(t, chan, VGEM_SVM_CHAN_VM, vm);
	load_program(t, LD(A3, A1, 0), ADD(A3, A3, A2), SD(A3, A1, 0), RET);
	for (i = 0; i < 10; i++) {
		launch_args(t, TEST_CHAN, 1, VA_DATA, 1);
		finish(t, TEST_CHAN);
		launch_args(t, chan, 1, VA_DATA, 100);
		finish(t, chan);
	}
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 10);
	KUNIT_EXPECT_EQ(test, words(other)[0], 1000);
}

static void hint_brings_in_the_group(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct test_buf *group = test_alloc(t, SZ_128K);
	u64 bus = ALIGN(group->bus, SZ_64K);
	u64 *first = group->cpu + (bus - group->bus);
	u64 va = ALIGN_DOWN(VA_DATA, SZ_64K);
	unsigned int i;

	for (i = 0; i < 16; i++)
		map(t, va + i * SZ_4K, bus + i * SZ_4K,
		    PTE_RW | VGEM_SVM_PTE_64K);
	store_data(t, va + 3 * SZ_4K, 3);
	KUNIT_EXPECT_EQ(test, first[3 * 512], 3);
	/* Never touched, and in the TLB for all that. */
	*entry_at(t, va + 9 * SZ_4K, 0) = 0;
	store_data(t, va + 9 * SZ_4K, 9);
	KUNIT_EXPECT_EQ(test, first[9 * 512], 9);
	invalidate(t, va, va + SZ_64K - 1, VGEM_SVM_INV_LEAF);
	launch_args(t, TEST_CHAN, 1, va + 9 * SZ_4K, 10);
	expect_fault(t, 0, va + 9 * SZ_4K, VGEM_SVM_ACCESS_WRITE,
		     VGEM_SVM_FAULT_NOT_PRESENT, 0, VA_CODE);
}

static void nothing_lands_after_an_invalidation(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct test_buf *other = test_alloc(t, SZ_4K);
	u64 *old = words(t->data), *new = words(other), last;
	unsigned int i;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	/* addi a4, a4, 1; sd a4, (a1); and again, for ever */
	load_program(t, ADDI(A4, A4, 1), SD(A4, A1, 0), LOOP_BACK_8);
	launch_args(t, TEST_CHAN, 64, VA_DATA);
	for (i = 0; i < 50; i++) {
		KUNIT_ASSERT_TRUE(test, await(READ_ONCE(*old)));
		map(t, VA_DATA, (i & 1 ? t->data : other)->bus, PTE_RW);
		invalidate(t, VA_DATA, VA_DATA, VGEM_SVM_INV_LEAF);
		last = READ_ONCE(*old);
		KUNIT_ASSERT_TRUE(test, await(READ_ONCE(*new)));
		KUNIT_ASSERT_EQ(test, READ_ONCE(*old), last);
		WRITE_ONCE(*old, 0);
		swap(old, new);
	}
	chan_set(t, TEST_CHAN, VGEM_SVM_CHAN_CTRL, 0);
	last = READ_ONCE(*old);
	msleep(20);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*old), last);
}

static void many_invalidations_are_all_acknowledged(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u64 seq = 0;
	unsigned int i;

	load_program(t, LOOP);
	launch_args(t, TEST_CHAN, 2, 0);
	for (i = 0; i < 5000; i++)
		seq = inv_post(t, i * SZ_4K, i * SZ_4K, VGEM_SVM_INV_LEAF);
	KUNIT_EXPECT_EQ(test, seq, 5000);
	KUNIT_EXPECT_TRUE(test, inv_poll(t, seq));
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_INV_DONE), seq);
}

static void ring_invalidation_comes_between_its_neighbours(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct test_buf *other = test_alloc(t, SZ_4K), *table;
	u32 pt = VGEM_SVM_HW_CHAN_PT;
	u64 last;

	chan_on(t, pt, 0);
	map(t, VA_DATA, t->data->bus, PTE_RW);
	table = test_buf_at(t, *entry_at(t, VA_DATA, 1) & VGEM_SVM_PTE_ADDR);
	load_program(t, ADDI(A4, A4, 1), SD(A4, A1, 0), LOOP_BACK_8);
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	KUNIT_ASSERT_TRUE(test, await(READ_ONCE(*words(t->data))));
	emit(t, pt, VGEM_SVM_PKT_PT_WRITE, 1,
	     table->bus + (VA_DATA >> 12 & 511) * 8, other->bus | PTE_RW);
	emit(t, pt, VGEM_SVM_PKT_INVALIDATE, VGEM_SVM_INV_LEAF, TEST_VM,
	     VA_DATA, VA_DATA + SZ_4K - 1);
	submit(t, pt);
	finish(t, pt);
	last = READ_ONCE(*words(t->data));
	KUNIT_EXPECT_TRUE(test, await(READ_ONCE(*words(other))));
	KUNIT_EXPECT_EQ(test, READ_ONCE(*words(t->data)), last);
}

/* ---- errors ------------------------------------------------------------- */

static void bad_instructions_end_the_channel(struct kunit *test)
{
	static const u32 bad[] = {
		0, ~0U, EBREAK, 0x30200073 /* mret */, 0xc0002573 /* rdcycle */,
		0x0001 /* compressed */, RV_R(2, 0, 0, 0, A4, 0x33),
		RV_I(0, A1, 7, A4, 0x03), RV_S(0, A1, A1, 4, 0x23),
		RV_AMO(2, 1, A1, 3, A4), RV_AMO(0, 0, A1, 1, A4),
		RV_AMO(5, 0, A1, 3, A4), RV_R(0, 0, 0, 2, 8, 0x63),
	};
	struct test_hw *t = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		load_program(t, ADDI(ZERO, ZERO, 0), bad[i], RET);
		launch_args(t, TEST_CHAN, 3, 0);
		expect_error(t, VGEM_SVM_ERR_INSN, VA_CODE + 4, VA_CODE + 4);
	}
}

static void bad_accesses_end_the_channel(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u64 above = BIT_ULL(VGEM_SVM_VA_BITS);

	map(t, VA_DATA, t->data->bus, PTE_RW);
	load_program(t, LD(A4, A1, 4), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	expect_error(t, VGEM_SVM_ERR_ALIGN, VA_DATA + 4, VA_CODE);

	launch_args(t, TEST_CHAN, 1, above - 4);
	expect_error(t, VGEM_SVM_ERR_VA, above, VA_CODE);

	load_program(t, RV_I(2, A1, 0, ZERO, 0x67));
	launch_args(t, TEST_CHAN, 1, VA_CODE);
	expect_error(t, VGEM_SVM_ERR_ALIGN, VA_CODE + 2, VA_CODE);
}

static void bad_stacks_end_the_channel(struct kunit *test)
{
	const u64 arg[] = { 0 };
	struct test_hw *t = test->priv;

	load_program(t, ADDI(SP, SP, -64), ADDI(SP, SP, -1), RET);
	launch(t, TEST_CHAN, 1, 64, arg, 1);
	expect_error(t, VGEM_SVM_ERR_STACK, VA_STACK - 1, VA_CODE + 4);

	load_program(t, ADDI(SP, SP, 1), RET);
	launch(t, TEST_CHAN, 1, 64, arg, 1);
	expect_error(t, VGEM_SVM_ERR_STACK, VA_STACK + 65, VA_CODE);
}

static void endless_loop_ends_with_its_budget(struct kunit *test)
{
	struct test_hw *t = test->priv;

	chan_set(t, TEST_CHAN, VGEM_SVM_CHAN_BUDGET, 1000);
	load_program(t, LOOP);
	launch_args(t, TEST_CHAN, 3, 0);
	expect_error(t, VGEM_SVM_ERR_BUDGET, VA_CODE, VA_CODE);
}

static void launch_ends_with_its_total(struct kunit *test)
{
	struct test_hw *t = test->priv;

	/* Threads that are short, and more of them than may be. */
	map(t, VA_DATA, t->data->bus, PTE_RWA);
	chan_set(t, TEST_CHAN, VGEM_SVM_CHAN_BUDGET, 1000);
	chan_set(t, TEST_CHAN, VGEM_SVM_CHAN_TOTAL, 3000);
	load_program(t, ADDI(A4, ZERO, 1), AMOADD_D(ZERO, A4, A1), RET);
	launch_args(t, TEST_CHAN, 1000, VA_DATA);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 1000);
	/* Each launch begins anew; one thread more is too many. */
	launch_args(t, TEST_CHAN, 1000, VA_DATA);
	finish(t, TEST_CHAN);
	launch_args(t, TEST_CHAN, 1001, VA_DATA);
	KUNIT_ASSERT_TRUE(test, await(dead(t, TEST_CHAN)));
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR),
			VGEM_SVM_ERR_BUDGET);
	KUNIT_EXPECT_LE(test, words(t->data)[0], 3000);
	KUNIT_EXPECT_GT(test, words(t->data)[0], 2900);

	chan_set(t, TEST_CHAN, VGEM_SVM_CHAN_BUDGET, 0);
	chan_on(t, TEST_CHAN, 0);
	load_program(t, LOOP);
	launch_args(t, TEST_CHAN, 1, 0);
	expect_error(t, VGEM_SVM_ERR_BUDGET, VA_CODE, VA_CODE);
}

static void bad_entries_end_the_channel(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u64 peer = FIELD_PREP(VGEM_SVM_PTE_APERTURE, VGEM_SVM_APERTURE_PEER);

	load_program(t, LD(A4, A1, 0), RET);
	map(t, VA_DATA, t->data->bus, PTE_RW | BIT_ULL(63));
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	expect_error(t, VGEM_SVM_ERR_ENTRY, VA_DATA, VA_CODE);

	map(t, VA_DATA, t->data->bus, PTE_RW | BIT_ULL(9));
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	expect_error(t, VGEM_SVM_ERR_ENTRY, VA_DATA, VA_CODE);

	map(t, VA_DATA, t->data->bus, VGEM_SVM_PTE_V);
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	expect_error(t, VGEM_SVM_ERR_ENTRY, VA_DATA, VA_CODE);

	map(t, VA_DATA, 0, PTE_RW | peer);
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	expect_error(t, VGEM_SVM_ERR_BUS, VA_DATA, VA_CODE);

	map(t, VA_DATA, SZ_4M, PTE_RW | FIELD_PREP(VGEM_SVM_PTE_APERTURE,
						   VGEM_SVM_APERTURE_LOCAL));
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	expect_error(t, VGEM_SVM_ERR_BUS, VA_DATA, VA_CODE);
}

static void bad_packets_end_the_channel(struct kunit *test)
{
	static const u64 bad[] = {
		VGEM_SVM_PKT(0xff, 1, 0),
		VGEM_SVM_PKT(VGEM_SVM_PKT_NOP, 0, 0),
		VGEM_SVM_PKT(VGEM_SVM_PKT_NOP, 2, 0),
		VGEM_SVM_PKT(VGEM_SVM_PKT_FENCE, 1, 0),
		VGEM_SVM_PKT(VGEM_SVM_PKT_COPY, 1, 0),
		VGEM_SVM_PKT(VGEM_SVM_PKT_STORE, 1, 0),
	};
	struct test_hw *t = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		emit_words(t, TEST_CHAN, &bad[i], 1);
		kick(t, TEST_CHAN);
		expect_error(t, VGEM_SVM_ERR_PACKET, 0, 0);
	}
	/* In a batch: one of the ring's, and one that is too long. */
	words(t->batch)[0] = VGEM_SVM_PKT(VGEM_SVM_PKT_FENCE, 3, 0);
	emit(t, TEST_CHAN, VGEM_SVM_PKT_BATCH, 0, VA_BATCH, 24);
	kick(t, TEST_CHAN);
	expect_error(t, VGEM_SVM_ERR_PACKET, VA_BATCH, 0);
	words(t->batch)[0] = VGEM_SVM_PKT(VGEM_SVM_PKT_NOP, 4, 0);
	emit(t, TEST_CHAN, VGEM_SVM_PKT_BATCH, 0, VA_BATCH, 24);
	kick(t, TEST_CHAN);
	expect_error(t, VGEM_SVM_ERR_PACKET, VA_BATCH, 0);
}

/**
 * struct packet_case - a packet that is as it must be
 * @name: its name
 * @op: opcode
 * @chan: channel in whose ring it may stand
 * @in_batch: it stands in a batch of that channel instead
 * @words: length
 * @hi: what it has there
 * @may: bits that may be set there
 * @arg: first word after the header: 0 a bus address, else as it is
 */
struct packet_case {
	const char *name;
	u32 op;
	u32 chan;
	bool in_batch;
	u32 words;
	u32 hi;
	u32 may;
	u64 arg;
};

#define PT	VGEM_SVM_HW_CHAN_PT
#define COPY	VGEM_SVM_HW_CHAN_COPY
#define PT_BITS	(0x8000ffffU)

static const struct packet_case packet_cases[] = {
	{ "NOP", VGEM_SVM_PKT_NOP, TEST_CHAN, false, 2, 0, 0, 0 },
	{ "FENCE", VGEM_SVM_PKT_FENCE, TEST_CHAN, false, 3, 1, 1, 0 },
	{ "FENCE, PT", VGEM_SVM_PKT_FENCE, PT, false, 3, 0, 1, 0 },
	{ "PT_WRITE", VGEM_SVM_PKT_PT_WRITE, PT, false, 3, 1, PT_BITS, 0 },
	{ "PT_SEQ", VGEM_SVM_PKT_PT_SEQ, PT, false, 4, 2, PT_BITS, 0 },
	{ "PT_FILL", VGEM_SVM_PKT_PT_FILL, PT, false, 3, 2, PT_BITS, 0 },
	{ "INVALIDATE", VGEM_SVM_PKT_INVALIDATE, PT, false, 4, 1, 7, TEST_VM },
	{ "COPY", VGEM_SVM_PKT_COPY, COPY, false, 4, 0, 3, 0 },
	{ "FILL", VGEM_SVM_PKT_FILL, COPY, false, 4, 0, 2, 0 },
	{ "BATCH", VGEM_SVM_PKT_BATCH, TEST_CHAN, false, 3, 0, 0, VA_BATCH },
	{ "USER_FENCE", VGEM_SVM_PKT_USER_FENCE, TEST_CHAN, false, 3, 1, 1, VA_DATA },
	{ "NOP, batch", VGEM_SVM_PKT_NOP, TEST_CHAN, true, 2, 0, 0, 0 },
	{ "LAUNCH", VGEM_SVM_PKT_LAUNCH, TEST_CHAN, true, 12, 0, 0, VA_CODE },
	{ "STORE", VGEM_SVM_PKT_STORE, TEST_CHAN, true, 3, 0, 0, VA_DATA },
	{ "ATOMIC_ADD", VGEM_SVM_PKT_ATOMIC_ADD, TEST_CHAN, true, 3, 0, 0, VA_DATA },
};

/* With a NOP behind it, so that one word more is there to be taken. */
static void packet_put(struct test_hw *t, const struct packet_case *c, u64 header)
{
	u64 pkt[VGEM_SVM_LAUNCH_WORDS + 1] = { header, c->arg ?: t->data->bus };

	if (c->op == VGEM_SVM_PKT_LAUNCH)
		pkt[2] = 1;
	pkt[c->words] = VGEM_SVM_PKT(VGEM_SVM_PKT_NOP, 1, 0);
	if (!c->in_batch) {
		emit_words(t, c->chan, pkt, c->words + 1);
		return;
	}
	memcpy(t->batch->cpu, pkt, sizeof(pkt));
	emit(t, c->chan, VGEM_SVM_PKT_BATCH, 0, VA_BATCH, (c->words + 1) * 8);
}

static void packet_is_taken(struct test_hw *t, const struct packet_case *c)
{
	chan_on(t, c->chan, 0);
	packet_put(t, c, VGEM_SVM_PKT(c->op, c->words, c->hi));
	submit(t, c->chan);
	finish(t, c->chan);
}

/* The packet, but for its header, is well. */
static void packet_ends_channel(struct test_hw *t, const struct packet_case *c,
				u64 header)
{
	struct kunit *test = t->test;

	chan_on(t, c->chan, 0);
	packet_put(t, c, header);
	submit(t, c->chan);
	KUNIT_EXPECT_TRUE(test, await(dead(t, c->chan) || passed(t, c->chan)));
	KUNIT_EXPECT_TRUE_MSG(test, dead(t, c->chan), "%s: header %#llx is taken",
			      c->name, header);
	KUNIT_EXPECT_EQ_MSG(test, chan_get(t, c->chan, VGEM_SVM_CHAN_ERR),
			    VGEM_SVM_ERR_PACKET, "%s: header %#llx", c->name, header);
	KUNIT_EXPECT_EQ(test, chan_get(t, c->chan, VGEM_SVM_CHAN_ERR_ADDR),
			c->in_batch ? VA_BATCH : 0);
}

static void reserved_bits_end_the_channel(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int i, bit;

	map(t, VA_DATA, t->data->bus, PTE_RWA);
	load_program(t, RET);
	for (i = 0; i < ARRAY_SIZE(packet_cases); i++) {
		const struct packet_case *c = &packet_cases[i];
		u64 header = VGEM_SVM_PKT(c->op, c->words, c->hi);

		packet_is_taken(t, c);
		for (bit = 24; bit < 64; bit++)
			if (bit < 32 || !(c->may & BIT(bit - 32)))
				packet_ends_channel(t, c, header | BIT_ULL(bit));
	}
}

static void wrong_lengths_end_the_channel(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int i;

	map(t, VA_DATA, t->data->bus, PTE_RWA);
	load_program(t, RET);
	for (i = 0; i < ARRAY_SIZE(packet_cases); i++) {
		const struct packet_case *c = &packet_cases[i];

		packet_ends_channel(t, c, VGEM_SVM_PKT(c->op, 0, c->hi));
		if (c->op == VGEM_SVM_PKT_NOP)
			continue;
		packet_ends_channel(t, c, VGEM_SVM_PKT(c->op, c->words + 1, c->hi));
		packet_ends_channel(t, c, VGEM_SVM_PKT(c->op, c->words - 1, c->hi));
	}
}

/* ---- the bus ------------------------------------------------------------ */

static void unmapped_memory_is_a_bus_error(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct device *dev = &t->pdev->dev;
	dma_addr_t bus;
	u64 *page;

	if (!iommu_get_domain_for_dev(dev))
		kunit_skip(test, "iommu=off: every address leads somewhere");
	page = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	bus = dma_map_single(dev, page, SZ_4K, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, bus), 0);
	map(t, VA_DATA, bus, PTE_RW);
	store_data(t, VA_DATA, 1);
	/* Unmapped before the flush: the TLB has it, the bus refuses it. */
	dma_unmap_single(dev, bus, SZ_4K, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*page), 1);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 2);
	expect_error(t, VGEM_SVM_ERR_BUS, VA_DATA, VA_CODE);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*page), 1);

	/* The core gives addresses from the top, so this one is nobody's. */
	emit(t, TEST_CHAN, VGEM_SVM_PKT_FENCE, 0, SZ_4K, 3);
	kick(t, TEST_CHAN);
	expect_error(t, VGEM_SVM_ERR_BUS, SZ_4K, 0);
}

static void each_device_has_a_group_of_its_own(struct kunit *test)
{
	struct test_hw *t = test->priv, other = { .test = test };
	struct iommu_group *ours, *theirs;

	if (!iommu_get_domain_for_dev(&t->pdev->dev))
		kunit_skip(test, "iommu=off: there are no groups");
	KUNIT_ASSERT_EQ(test, test_pdev(&other), 0);
	ours = iommu_group_get(&t->pdev->dev);
	theirs = iommu_group_get(&other.pdev->dev);
	KUNIT_EXPECT_NOT_NULL(test, ours);
	KUNIT_EXPECT_NOT_NULL(test, theirs);
	KUNIT_EXPECT_PTR_NE(test, ours, theirs);
	KUNIT_EXPECT_PTR_NE(test, iommu_get_domain_for_dev(&t->pdev->dev),
			    iommu_get_domain_for_dev(&other.pdev->dev));
	iommu_group_put(ours);
	iommu_group_put(theirs);
	platform_device_unregister(other.pdev);
}

static void bus_error_of_the_copy_engine_stops_its_head(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u32 chan = VGEM_SVM_HW_CHAN_COPY;

	chan_on(t, chan, 0);
	emit(t, chan, VGEM_SVM_PKT_FENCE, 0, t->fences->bus, 1);
	emit(t, chan, VGEM_SVM_PKT_COPY, VGEM_SVM_COPY_SRC_LOCAL, SZ_4M - SZ_4K,
	     t->data->bus, SZ_8K);
	submit(t, chan);
	KUNIT_ASSERT_TRUE(test, await(dead(t, chan)));
	KUNIT_EXPECT_EQ(test, chan_get(t, chan, VGEM_SVM_CHAN_ERR),
			VGEM_SVM_ERR_BUS);
	KUNIT_EXPECT_EQ(test, chan_get(t, chan, VGEM_SVM_CHAN_ERR_ADDR), SZ_4M);
	KUNIT_EXPECT_EQ(test, chan_get(t, chan, VGEM_SVM_CHAN_HEAD), 3);
	KUNIT_EXPECT_FALSE(test, passed(t, chan));
}

/* ---- reset -------------------------------------------------------------- */

static void reset_ends_channels_and_start_begins_anew(struct kunit *test)
{
	struct test_hw *t = test->priv;

	load_program(t, SD(A2, A1, 0), LOOP);
	launch_args(t, TEST_CHAN, 64, VA_DATA, 1);
	await_faults(t, 1);
	set(t, VGEM_SVM_REG_RESET, 1);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_STOPPED), 1);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR),
			VGEM_SVM_ERR_RESET);
	invalidate(t, 0, 0, VGEM_SVM_INV_VM);

	map(t, VA_DATA, t->data->bus, PTE_RW);
	chan_on(t, VGEM_SVM_HW_CHAN_COPY, 0);
	submit(t, VGEM_SVM_HW_CHAN_COPY);
	chan_on(t, TEST_CHAN, 1);
	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 6);
	msleep(20);
	KUNIT_EXPECT_FALSE(test, passed(t, TEST_CHAN));
	set(t, VGEM_SVM_REG_START, 1);
	finish(t, TEST_CHAN);
	finish(t, VGEM_SVM_HW_CHAN_COPY);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 6);
}

static void destroy_stops_what_runs(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u32 pt = VGEM_SVM_HW_CHAN_PT;
	unsigned int i;

	load_program(t, LOOP);
	launch_args(t, TEST_CHAN, 64, 0);
	chan_on(t, pt, 0);
	for (i = 0; i < 100; i++)
		emit(t, pt, VGEM_SVM_PKT_INVALIDATE, VGEM_SVM_INV_VM, TEST_VM,
		     0, 0);
	kick(t, pt);
	vgem_svm_hw_destroy(t->hw);
	t->hw = NULL;
}

static struct kunit_case vgem_svm_hw_cases[] = {
	KUNIT_CASE(registers_say_what_it_is),
	KUNIT_CASE(fence_writes_and_interrupts),
	KUNIT_CASE(interrupt_waits_for_its_enable_bit),
	KUNIT_CASE(pt_packets_store_entries),
	KUNIT_CASE(copy_reaches_device_memory_and_back),
	KUNIT_CASE(local_tables_and_pages_work),
	KUNIT_CASE(program_stores_through_the_mmu),
	KUNIT_CASE(large_leaves_map_all_of_it),
	KUNIT_CASE(threads_run_in_waves),
	KUNIT_CASE(stack_pointer_is_at_the_top_of_the_slot),
	KUNIT_CASE(batch_packets_store_and_add),
	KUNIT_CASE(missing_page_faults_and_replays),
	KUNIT_CASE(code_and_packets_fault_too),
	KUNIT_CASE(permissions_fault_until_granted),
	KUNIT_CASE(parked_threads_hold_up_nobody),
	KUNIT_CASE(cancel_ends_what_waits_for_that_record),
	KUNIT_CASE(cancel_of_what_was_served_does_nothing),
	KUNIT_CASE(full_fault_buffer_stalls_threads_alone),
	KUNIT_CASE(an_acknowledge_is_for_its_record_alone),
	KUNIT_CASE(who_retries_in_vain_has_a_new_record),
	KUNIT_CASE(packets_are_acknowledged_too),
	KUNIT_CASE(an_acknowledge_with_an_error_ends_the_channel),
	KUNIT_CASE(who_is_replayed_is_not_acknowledged),
	KUNIT_CASE(tlb_keeps_until_told),
	KUNIT_CASE(walk_cache_keeps_until_told),
	KUNIT_CASE(invalidation_of_a_vm_takes_all),
	KUNIT_CASE(translations_of_two_address_spaces_do_not_mix),
	KUNIT_CASE(hint_brings_in_the_group),
	KUNIT_CASE(nothing_lands_after_an_invalidation),
	KUNIT_CASE(many_invalidations_are_all_acknowledged),
	KUNIT_CASE(ring_invalidation_comes_between_its_neighbours),
	KUNIT_CASE(bad_instructions_end_the_channel),
	KUNIT_CASE(bad_accesses_end_the_channel),
	KUNIT_CASE(bad_stacks_end_the_channel),
	KUNIT_CASE(endless_loop_ends_with_its_budget),
	KUNIT_CASE(launch_ends_with_its_total),
	KUNIT_CASE(bad_entries_end_the_channel),
	KUNIT_CASE(bad_packets_end_the_channel),
	KUNIT_CASE(reserved_bits_end_the_channel),
	KUNIT_CASE(wrong_lengths_end_the_channel),
	KUNIT_CASE(unmapped_memory_is_a_bus_error),
	KUNIT_CASE(each_device_has_a_group_of_its_own),
	KUNIT_CASE(bus_error_of_the_copy_engine_stops_its_head),
	KUNIT_CASE(reset_ends_channels_and_start_begins_anew),
	KUNIT_CASE(destroy_stops_what_runs),
	{}
};

static struct kunit_suite vgem_svm_hw_suite = {
	.name = "vgem_svm_hw",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vgem_svm_hw_cases,
};

kunit_test_suite(vgem_svm_hw_suite);

MODULE_DESCRIPTION("KUnit tests of the virtual hardware of vgem_svm");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
