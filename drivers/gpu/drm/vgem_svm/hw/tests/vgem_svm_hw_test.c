// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit tests of the virtual hardware alone, by its registers, as a driver that
 * is being brought up would poke it. Programs are machine code by hand.
 *
 * Each test has a device of its own. Memory comes from dma_alloc_coherent(), so
 * all that the device is given is bus addresses.
 */

#include <kunit/test.h>
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/preempt.h>

#include "vgem_svm_hw.h"

#define TEST_VM		5
#define TEST_CHAN	VGEM_SVM_HW_CHAN_USER
#define TEST_BUFS	64
#define TEST_FAULTS	64
/* Generous: engines are threads, and debug kernels in emulators are slow. */
#define TEST_SECONDS	60

#define VA_CODE		0x0000000000400000ULL
#define VA_BATCH	0x0000000000500000ULL
#define VA_STACK	0x0000000000600000ULL
#define VA_DATA		0x0123456789a00000ULL

#define PTE_RO		(VGEM_SVM_PTE_V | VGEM_SVM_PTE_LEAF)
#define PTE_RW		(PTE_RO | VGEM_SVM_PTE_W)
#define PTE_RWA		(PTE_RW | VGEM_SVM_PTE_A)

/**
 * struct test_buf - memory that CPU and device see
 * @cpu: for the CPU
 * @bus: for the device
 * @bytes: size
 */
struct test_buf {
	void *cpu;
	dma_addr_t bus;
	size_t bytes;
};

/**
 * struct test_hw - what each test has
 * @test: it
 * @pdev: the device
 * @hw: its hardware
 * @bufs: memory
 * @nr_bufs: used ones
 * @root: top table of TEST_VM
 * @ring: of each channel that is used
 * @tail: of each of these rings
 * @fences: one 64-bit word per channel
 * @seq: last value of each
 * @faults: fault buffer
 * @code: at VA_CODE
 * @batch: at VA_BATCH
 * @stack: at VA_STACK
 * @data: at VA_DATA
 * @irqs: calls of the handler
 * @seen: bits that it has found and acknowledged
 * @soft: calls that were not in hard interrupt context
 */
struct test_hw {
	struct kunit *test;
	struct platform_device *pdev;
	struct vgem_svm_hw *hw;
	struct test_buf bufs[TEST_BUFS];
	unsigned int nr_bufs;
	struct test_buf *root;
	struct test_buf *ring[4];
	u64 tail[4];
	struct test_buf *fences;
	u64 seq[4];
	struct test_buf *faults;
	struct test_buf *code;
	struct test_buf *batch;
	struct test_buf *stack;
	struct test_buf *data;
	atomic_t irqs;
	atomic64_t seen;
	atomic_t soft;
};

static u64 get(struct test_hw *t, u32 reg)
{
	return vgem_svm_hw_read(t->hw, reg);
}

static void set(struct test_hw *t, u32 reg, u64 val)
{
	vgem_svm_hw_write(t->hw, reg, val);
}

static u64 chan_get(struct test_hw *t, u32 chan, u32 reg)
{
	return get(t, VGEM_SVM_REG_CHAN(chan, reg));
}

static void chan_set(struct test_hw *t, u32 chan, u32 reg, u64 val)
{
	set(t, VGEM_SVM_REG_CHAN(chan, reg), val);
}

/* Waits for @cond; true if it has come. */
#define await(cond) ({							\
	ktime_t end_ = ktime_add_ms(ktime_get(), TEST_SECONDS * 1000);	\
	bool ok_;							\
									\
	while (!(ok_ = (cond)) && ktime_before(ktime_get(), end_))	\
		usleep_range(20, 100);					\
	ok_;								\
})

/* ---- memory ------------------------------------------------------------- */

static struct test_buf *test_alloc(struct test_hw *t, size_t bytes)
{
	struct test_buf *buf = &t->bufs[t->nr_bufs];

	KUNIT_ASSERT_LT(t->test, t->nr_bufs, TEST_BUFS);
	buf->bytes = bytes;
	buf->cpu = dma_alloc_coherent(&t->pdev->dev, bytes, &buf->bus,
				      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(t->test, buf->cpu);
	t->nr_bufs++;
	return buf;
}

static struct test_buf *test_buf_at(struct test_hw *t, dma_addr_t bus)
{
	unsigned int i;

	for (i = 0; i < t->nr_bufs; i++)
		if (t->bufs[i].bus == bus)
			return &t->bufs[i];
	KUNIT_FAIL_AND_ABORT(t->test, "no memory at bus address %pad", &bus);
	return NULL;
}

static u64 *words(struct test_buf *buf)
{
	return buf->cpu;
}

/* The entry for @va at @level, with the tables above made on the way. */
static u64 *entry_at(struct test_hw *t, u64 va, unsigned int level)
{
	struct test_buf *table = t->root;
	unsigned int l;
	u64 *entry;

	for (l = VGEM_SVM_PT_LEVELS - 1; ; l--) {
		entry = &words(table)[(va >> (12 + 9 * l)) & 511];
		if (l == level)
			return entry;
		if (!*entry)
			WRITE_ONCE(*entry, VGEM_SVM_PTE_V |
				   test_alloc(t, SZ_4K)->bus);
		table = test_buf_at(t, *entry & VGEM_SVM_PTE_ADDR);
	}
}

static void map(struct test_hw *t, u64 va, u64 bus, u64 flags)
{
	WRITE_ONCE(*entry_at(t, va, 0), bus | flags);
}

/* ---- invalidations ------------------------------------------------------ */

static u64 inv_post(struct test_hw *t, u64 first, u64 last, u64 flags)
{
	set(t, VGEM_SVM_REG_INV_VM, TEST_VM);
	set(t, VGEM_SVM_REG_INV_FIRST, first);
	set(t, VGEM_SVM_REG_INV_LAST, last);
	set(t, VGEM_SVM_REG_INV_CTRL, flags);
	return get(t, VGEM_SVM_REG_INV_SEQ);
}

/* As in a notifier that may not sleep: polls, with preemption off. */
static bool inv_poll(struct test_hw *t, u64 seq)
{
	ktime_t end = ktime_add_ms(ktime_get(), 5000);
	bool done;

	preempt_disable();
	while (!(done = get(t, VGEM_SVM_REG_INV_DONE) >= seq) &&
	       ktime_before(ktime_get(), end))
		cpu_relax();
	preempt_enable();
	return done;
}

static void invalidate(struct test_hw *t, u64 first, u64 last, u64 flags)
{
	KUNIT_ASSERT_TRUE(t->test, inv_poll(t, inv_post(t, first, last, flags)));
}

/* ---- rings -------------------------------------------------------------- */

static void chan_on(struct test_hw *t, u32 chan, u32 engine)
{
	if (!t->ring[chan])
		t->ring[chan] = test_alloc(t, SZ_4K);
	t->tail[chan] = 0;
	chan_set(t, chan, VGEM_SVM_CHAN_RING_BASE, t->ring[chan]->bus);
	chan_set(t, chan, VGEM_SVM_CHAN_RING_BYTES, SZ_4K);
	chan_set(t, chan, VGEM_SVM_CHAN_VM, TEST_VM);
	chan_set(t, chan, VGEM_SVM_CHAN_CTRL,
		 VGEM_SVM_CHAN_ENABLE | VGEM_SVM_CHAN_ENGINE(engine));
}

static void emit_words(struct test_hw *t, u32 chan, const u64 *pkt, u32 n)
{
	u32 left = 512 - t->tail[chan] % 512, i;

	if (left < n) {
		words(t->ring[chan])[t->tail[chan] % 512] =
			VGEM_SVM_PKT(VGEM_SVM_PKT_NOP, left, 0);
		t->tail[chan] += left;
	}
	for (i = 0; i < n; i++)
		words(t->ring[chan])[t->tail[chan]++ % 512] = pkt[i];
}

#define emit(t, chan, op, hi, ...) do {					\
	const u64 pkt_[] = { 0, __VA_ARGS__ };				\
	u64 copy_[ARRAY_SIZE(pkt_)];					\
									\
	memcpy(copy_, pkt_, sizeof(pkt_));				\
	copy_[0] = VGEM_SVM_PKT(op, ARRAY_SIZE(pkt_), hi);		\
	emit_words(t, chan, copy_, ARRAY_SIZE(pkt_));			\
} while (0)

static void kick(struct test_hw *t, u32 chan)
{
	chan_set(t, chan, VGEM_SVM_CHAN_TAIL, t->tail[chan]);
}

/* A fence behind what has been emitted, and the doorbell. */
static void submit(struct test_hw *t, u32 chan)
{
	emit(t, chan, VGEM_SVM_PKT_FENCE, VGEM_SVM_FENCE_IRQ,
	     t->fences->bus + chan * 8, ++t->seq[chan]);
	kick(t, chan);
}

static bool passed(struct test_hw *t, u32 chan)
{
	return smp_load_acquire(&words(t->fences)[chan]) == t->seq[chan];
}

static bool dead(struct test_hw *t, u32 chan)
{
	return chan_get(t, chan, VGEM_SVM_CHAN_STATUS) == VGEM_SVM_CHAN_ST_DEAD;
}

static void finish(struct test_hw *t, u32 chan)
{
	KUNIT_ASSERT_TRUE_MSG(t->test, await(passed(t, chan) || dead(t, chan)),
			      "channel %u hangs", chan);
	KUNIT_ASSERT_FALSE_MSG(t->test, dead(t, chan),
			       "channel %u died: error %llu address %#llx pc %#llx",
			       chan, chan_get(t, chan, VGEM_SVM_CHAN_ERR),
			       chan_get(t, chan, VGEM_SVM_CHAN_ERR_ADDR),
			       chan_get(t, chan, VGEM_SVM_CHAN_ERR_PC));
}

/* ---- programs ----------------------------------------------------------- */

enum { ZERO = 0, RA = 1, SP = 2, A0 = 10, A1, A2, A3, A4, A5 };

#define RV_R(f7, rs2, rs1, f3, rd, op) \
	((u32)(f7) << 25 | (rs2) << 20 | (rs1) << 15 | (f3) << 12 | \
	 (rd) << 7 | (op))
#define RV_I(imm, rs1, f3, rd, op) \
	((u32)(imm) << 20 | (rs1) << 15 | (f3) << 12 | (rd) << 7 | (op))
#define RV_S(imm, rs2, rs1, f3, op) \
	(((u32)(imm) >> 5 & 127) << 25 | (rs2) << 20 | (rs1) << 15 | \
	 (f3) << 12 | ((imm) & 31) << 7 | (op))
#define RV_AMO(f5, rs2, rs1, f3, rd)	RV_R((f5) << 2, rs2, rs1, f3, rd, 0x2f)

#define ADD(rd, rs1, rs2)	RV_R(0, rs2, rs1, 0, rd, 0x33)
#define ADDI(rd, rs1, imm)	RV_I(imm, rs1, 0, rd, 0x13)
#define SLLI(rd, rs1, n)	RV_I(n, rs1, 1, rd, 0x13)
#define LD(rd, rs1, imm)	RV_I(imm, rs1, 3, rd, 0x03)
#define SD(rs2, rs1, imm)	RV_S(imm, rs2, rs1, 3, 0x23)
#define AMOADD_D(rd, rs2, rs1)	RV_AMO(0, rs2, rs1, 3, rd)
#define RET			RV_I(0, RA, 0, ZERO, 0x67)
#define ECALL			0x00000073U
#define EBREAK			0x00100073U
#define LOOP			0x0000006fU	/* j . */
#define LOOP_BACK_8		0xff9ff06fU	/* j . - 8 */

static void load(struct test_hw *t, const u32 *code, unsigned int n)
{
	memcpy(t->code->cpu, code, n * sizeof(*code));
}

#define load_program(t, ...) do {					\
	const u32 code_[] = { __VA_ARGS__ };				\
									\
	load(t, code_, ARRAY_SIZE(code_));				\
} while (0)

/* A batch with one launch; a1... are @arg. */
static void launch(struct test_hw *t, u32 chan, u64 threads, u64 stack,
		   const u64 *arg, unsigned int nr_args)
{
	u64 *batch = words(t->batch);

	memset(batch, 0, VGEM_SVM_LAUNCH_WORDS * 8);
	batch[0] = VGEM_SVM_PKT(VGEM_SVM_PKT_LAUNCH, VGEM_SVM_LAUNCH_WORDS, 0);
	batch[1] = VA_CODE;
	batch[2] = threads;
	batch[3] = stack ? VA_STACK : 0;
	batch[4] = stack;
	memcpy(&batch[5], arg, nr_args * 8);
	emit(t, chan, VGEM_SVM_PKT_BATCH, 0, VA_BATCH,
	     VGEM_SVM_LAUNCH_WORDS * 8);
	submit(t, chan);
}

#define launch_args(t, chan, threads, ...) do {				\
	const u64 arg_[] = { __VA_ARGS__ };				\
									\
	launch(t, chan, threads, 0, arg_, ARRAY_SIZE(arg_));		\
} while (0)

/* ---- faults ------------------------------------------------------------- */

static struct vgem_svm_hw_fault *fault(struct test_hw *t, u64 n)
{
	return (struct vgem_svm_hw_fault *)t->faults->cpu + n % TEST_FAULTS;
}

static void await_faults(struct test_hw *t, u64 n)
{
	KUNIT_ASSERT_TRUE_MSG(t->test,
			      await(get(t, VGEM_SVM_REG_FAULT_PUT) >= n),
			      "%llu faults, not %llu",
			      get(t, VGEM_SVM_REG_FAULT_PUT), n);
}

static void replay(struct test_hw *t)
{
	set(t, VGEM_SVM_REG_FAULT_GET, get(t, VGEM_SVM_REG_FAULT_PUT));
	set(t, VGEM_SVM_REG_FAULT_REPLAY, TEST_VM);
}

static void expect_fault(struct test_hw *t, u64 n, u64 va, u32 access,
			 u32 reason, u32 thread, u64 pc)
{
	struct vgem_svm_hw_fault *f;
	u64 info;

	await_faults(t, n + 1);
	f = fault(t, n);
	info = le64_to_cpu(f->info);
	KUNIT_EXPECT_EQ(t->test, le64_to_cpu(f->va), va);
	KUNIT_EXPECT_EQ(t->test, le64_to_cpu(f->pc), pc);
	KUNIT_EXPECT_EQ(t->test, le64_to_cpu(f->seq), n);
	KUNIT_EXPECT_EQ(t->test, FIELD_GET(VGEM_SVM_FAULT_VM, info), TEST_VM);
	KUNIT_EXPECT_EQ(t->test, FIELD_GET(VGEM_SVM_FAULT_CHAN, info),
			TEST_CHAN);
	KUNIT_EXPECT_EQ(t->test, FIELD_GET(VGEM_SVM_FAULT_THREAD, info),
			thread);
	KUNIT_EXPECT_EQ(t->test, FIELD_GET(VGEM_SVM_FAULT_ACCESS, info),
			access);
	KUNIT_EXPECT_EQ(t->test, FIELD_GET(VGEM_SVM_FAULT_REASON, info),
			reason);
}

/* ---- the device --------------------------------------------------------- */

static void test_irq(void *data)
{
	struct test_hw *t = data;
	u64 status = get(t, VGEM_SVM_REG_INT_STATUS);

	atomic_inc(&t->irqs);
	if (!in_hardirq())
		atomic_inc(&t->soft);
	atomic64_or(status, &t->seen);
	set(t, VGEM_SVM_REG_INT_STATUS, status);
}

static int test_pdev(struct test_hw *t)
{
	int ret;

	t->pdev = platform_device_alloc("vgem_svm_hw_test", PLATFORM_DEVID_AUTO);
	if (!t->pdev)
		return -ENOMEM;
	ret = vgem_svm_hw_wire(&t->pdev->dev);
	ret = ret ?: platform_device_add(t->pdev);
	if (ret) {
		platform_device_put(t->pdev);
		t->pdev = NULL;
		return ret;
	}
	return dma_set_mask_and_coherent(&t->pdev->dev, DMA_BIT_MASK(64));
}

static void test_setup(struct test_hw *t)
{
	t->root = test_alloc(t, SZ_4K);
	t->fences = test_alloc(t, SZ_4K);
	t->faults = test_alloc(t, TEST_FAULTS * sizeof(*fault(t, 0)));
	t->code = test_alloc(t, SZ_4K);
	t->batch = test_alloc(t, SZ_4K);
	t->stack = test_alloc(t, SZ_4K);
	t->data = test_alloc(t, SZ_4K);
	map(t, VA_CODE, t->code->bus, PTE_RO);
	map(t, VA_BATCH, t->batch->bus, PTE_RO);
	map(t, VA_STACK, t->stack->bus, PTE_RW);
	set(t, VGEM_SVM_REG_VM_ROOT(TEST_VM), t->root->bus | VGEM_SVM_ROOT_VALID);
	set(t, VGEM_SVM_REG_FAULT_BASE, t->faults->bus);
	set(t, VGEM_SVM_REG_FAULT_ENTRIES, TEST_FAULTS);
	set(t, VGEM_SVM_REG_INT_ENABLE, VGEM_SVM_INT_FAULT |
	    VGEM_SVM_INT_FENCE | VGEM_SVM_INT_CHAN_ERROR);
	chan_on(t, TEST_CHAN, 0);
}

static void test_exit(struct kunit *test)
{
	struct test_hw *t = test->priv;

	if (!t)
		return;
	if (!IS_ERR_OR_NULL(t->hw))
		vgem_svm_hw_destroy(t->hw);
	while (t->nr_bufs--)
		dma_free_coherent(&t->pdev->dev, t->bufs[t->nr_bufs].bytes,
				  t->bufs[t->nr_bufs].cpu,
				  t->bufs[t->nr_bufs].bus);
	if (t->pdev)
		platform_device_unregister(t->pdev);
}

static int test_init(struct kunit *test)
{
	struct vgem_svm_hw_config config = {
		.irq = test_irq,
		.vram_bytes = SZ_4M,
		.nr_compute = 2,
	};
	struct test_hw *t;

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	test->priv = t;
	KUNIT_ASSERT_EQ(test, test_pdev(t), 0);
	config.dev = &t->pdev->dev;
	config.irq_data = t;
	t->hw = vgem_svm_hw_create(&config);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->hw);
	test_setup(t);
	return 0;
}

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

/* What "insn a4, a2, a3" leaves in a4. */
struct alu_case {
	const char *name;
	u32 insn;
	u64 a, b, want;
};

#define RR(f7, f3)	RV_R(f7, A3, A2, f3, A4, 0x33)
#define RRW(f7, f3)	RV_R(f7, A3, A2, f3, A4, 0x3b)
#define RI(imm, f3)	RV_I(imm, A2, f3, A4, 0x13)
#define RIW(imm, f3)	RV_I(imm, A2, f3, A4, 0x1b)
#define MIN64		0x8000000000000000ULL
#define MIN32		0xffffffff80000000ULL

static const struct alu_case alu_cases[] = {
	{ "sub", RR(0x20, 0), 5, 7, -2ULL },
	{ "sll", RR(0, 1), 1, 64 + 63, MIN64 },
	{ "slt", RR(0, 2), -1ULL, 0, 1 },
	{ "sltu", RR(0, 3), -1ULL, 0, 0 },
	{ "xor", RR(0, 4), 0xff00, 0x0ff0, 0xf0f0 },
	{ "srl", RR(0, 5), MIN64, 63, 1 },
	{ "sra", RR(0x20, 5), MIN64, 63, -1ULL },
	{ "or", RR(0, 6), 0xf0, 0x0f, 0xff },
	{ "and", RR(0, 7), 0xf0, 0x3c, 0x30 },
	{ "addi", RI(-1, 0), 0, 0, -1ULL },
	{ "slti", RI(-1, 2), -2ULL, 0, 1 },
	{ "sltiu", RI(-1, 3), 5, 0, 1 },
	{ "xori", RI(-1, 4), 5, 0, ~5ULL },
	{ "srli", RI(60, 5), MIN64, 0, 8 },
	{ "srai", RI(0x400 | 60, 5), MIN64, 0, -8ULL },
	{ "lui", 0x80000737, 0, 0, MIN32 },
	{ "addiw", RIW(1, 0), 0x7fffffff, 0, MIN32 },
	{ "slliw", RIW(31, 1), 1, 0, MIN32 },
	{ "srliw", RIW(31, 5), -1ULL, 0, 1 },
	{ "sraiw", RIW(0x400 | 31, 5), 0x80000000, 0, -1ULL },
	{ "addw", RRW(0, 0), 0x7fffffff, 1, MIN32 },
	{ "subw", RRW(0x20, 0), 0, 1, -1ULL },
	{ "sllw", RRW(0, 1), 1, 32 + 4, 16 },
	{ "srlw", RRW(0, 5), -1ULL, 4, 0x0fffffff },
	{ "sraw", RRW(0x20, 5), 0x80000000, 4, 0xfffffffff8000000ULL },
	{ "mul", RR(1, 0), -3ULL, 5, -15ULL },
	{ "mulh", RR(1, 1), MIN64, MIN64, MIN64 >> 1 },
	{ "mulhsu", RR(1, 2), -1ULL, -1ULL, -1ULL },
	{ "mulhu", RR(1, 3), -1ULL, -1ULL, -2ULL },
	{ "div", RR(1, 4), -7ULL, 2, -3ULL },
	{ "div by 0", RR(1, 4), 7, 0, -1ULL },
	{ "div overflow", RR(1, 4), MIN64, -1ULL, MIN64 },
	{ "divu", RR(1, 5), -1ULL, 2, ~0ULL >> 1 },
	{ "divu by 0", RR(1, 5), 7, 0, -1ULL },
	{ "rem", RR(1, 6), -7ULL, 2, -1ULL },
	{ "rem by 0", RR(1, 6), -7ULL, 0, -7ULL },
	{ "rem overflow", RR(1, 6), MIN64, -1ULL, 0 },
	{ "remu by 0", RR(1, 7), 7, 0, 7 },
	{ "mulw", RRW(1, 0), 0x40000000, 2, MIN32 },
	{ "divw overflow", RRW(1, 4), MIN32, -1ULL, MIN32 },
	{ "divw by 0", RRW(1, 4), 5, 0, -1ULL },
	{ "divuw", RRW(1, 5), -2ULL, 1, -2ULL },
	{ "divuw by 0", RRW(1, 5), 5, 0, -1ULL },
	{ "remw", RRW(1, 6), -7ULL, 4, -3ULL },
	{ "remw overflow", RRW(1, 6), MIN32, -1ULL, 0 },
	{ "remuw by 0", RRW(1, 7), 0x80000000, 0, MIN32 },
};

static void arithmetic_is_as_in_the_manual(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int i;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	for (i = 0; i < ARRAY_SIZE(alu_cases); i++) {
		const struct alu_case *c = &alu_cases[i];

		load_program(t, c->insn, SD(A4, A1, 0), RET);
		launch_args(t, TEST_CHAN, 1, VA_DATA, c->a, c->b);
		finish(t, TEST_CHAN);
		KUNIT_EXPECT_EQ_MSG(test, words(t->data)[0], c->want, "%s",
				    c->name);
	}
}

static void branches_and_jumps_go_where_they_should(struct kunit *test)
{
	static const struct {
		u32 f3;
		u64 a, b;
		bool taken;
	} cases[] = {
		{ 0, 1, 1, true }, { 0, 1, 2, false }, { 1, 1, 2, true },
		{ 4, -1ULL, 0, true }, { 5, 0, -1ULL, true },
		{ 6, 0, -1ULL, true }, { 7, -1ULL, 0, true },
		{ 7, 0, -1ULL, false },
	};
	struct test_hw *t = test->priv;
	unsigned int i;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		/* a4 = 1, over the second store if the branch is taken. */
		load_program(t, ADDI(A4, ZERO, 1), SD(A4, A1, 0),
			     RV_R(0, A3, A2, cases[i].f3, 8, 0x63),
			     SD(ZERO, A1, 0), RET);
		launch_args(t, TEST_CHAN, 1, VA_DATA, cases[i].a, cases[i].b);
		finish(t, TEST_CHAN);
		KUNIT_EXPECT_EQ_MSG(test, words(t->data)[0], cases[i].taken,
				    "case %u", i);
	}
	/* auipc a4, 0; jal a5, +8; j .; sd a4, a5 */
	load_program(t, 0x00000717, 0x008007ef, LOOP, SD(A4, A1, 0),
		     SD(A5, A1, 8), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], VA_CODE);
	KUNIT_EXPECT_EQ(test, words(t->data)[1], VA_CODE + 8);
}

static void narrow_loads_extend(struct kunit *test)
{
	static const u64 want[] = {
		0xffffffffffffff81, 0xffffffffffff8281, 0xffffffff84838281,
		0x8887868584838281, 0x81, 0x8281, 0x84838281,
	};
	struct test_hw *t = test->priv;
	unsigned int f3;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	words(t->data)[1] = 0x8887868584838281ULL;
	for (f3 = 0; f3 < ARRAY_SIZE(want); f3++) {
		load_program(t, RV_I(8, A1, f3, A4, 0x03), SD(A4, A1, 0), RET);
		launch_args(t, TEST_CHAN, 1, VA_DATA);
		finish(t, TEST_CHAN);
		KUNIT_EXPECT_EQ_MSG(test, words(t->data)[0], want[f3],
				    "width %u", f3);
	}
	/* sb, sh, sw of -1 into zeroes */
	words(t->data)[0] = 0;
	load_program(t, ADDI(A4, ZERO, -1), RV_S(0, A4, A1, 0, 0x23),
		     RV_S(2, A4, A1, 1, 0x23), RV_S(4, A4, A1, 2, 0x23), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 0xffffffffffff00ffULL);
}

/* "insn a4, a3, (a1)" on @mem: what it leaves in a4 and in memory. */
struct amo_case {
	const char *name;
	u32 f5, f3;
	u64 mem, arg, want, mem_after;
};

static const struct amo_case amo_cases[] = {
	{ "amoadd.w", 0x00, 2, 0x00000001ffffffff, 1, -1ULL, 0x100000000 },
	{ "amoadd.d", 0x00, 3, 0xffffffff, 1, 0xffffffff, 0x100000000 },
	{ "amoswap.w", 0x01, 2, 5, 6, 5, 6 },
	{ "amoswap.d", 0x01, 3, 5, 6, 5, 6 },
	{ "amoxor.d", 0x04, 3, 0xff, 0x0f, 0xff, 0xf0 },
	{ "amoor.d", 0x08, 3, 0xf0, 0x0f, 0xf0, 0xff },
	{ "amoand.w", 0x0c, 2, 0xf0, 0x3c, 0xf0, 0x30 },
	{ "amomin.w", 0x10, 2, 0x80000000, 1, MIN32, 0x80000000 },
	{ "amomin.d", 0x10, 3, 1, -1ULL, 1, -1ULL },
	{ "amomax.w", 0x14, 2, 0x80000000, 1, MIN32, 1 },
	{ "amomax.d", 0x14, 3, 1, -1ULL, 1, 1 },
	{ "amominu.w", 0x18, 2, 0x80000000, 1, MIN32, 1 },
	{ "amominu.d", 0x18, 3, 1, -1ULL, 1, 1 },
	{ "amomaxu.w", 0x1c, 2, 1, 0x80000000, 1, 0x80000000 },
	{ "amomaxu.d", 0x1c, 3, 1, -1ULL, 1, -1ULL },
};

static void atomics_are_as_in_the_manual(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int i;

	map(t, VA_DATA, t->data->bus, PTE_RWA);
	for (i = 0; i < ARRAY_SIZE(amo_cases); i++) {
		const struct amo_case *c = &amo_cases[i];

		words(t->data)[0] = c->mem;
		load_program(t, RV_AMO(c->f5, A2, A1, c->f3, A4),
			     SD(A4, A1, 8), RET);
		launch_args(t, TEST_CHAN, 1, VA_DATA, c->arg);
		finish(t, TEST_CHAN);
		KUNIT_EXPECT_EQ_MSG(test, words(t->data)[0], c->mem_after,
				    "%s", c->name);
		KUNIT_EXPECT_EQ_MSG(test, words(t->data)[1], c->want, "%s",
				    c->name);
	}
}

static void store_conditional_needs_its_reservation(struct kunit *test)
{
	struct test_hw *t = test->priv;

	map(t, VA_DATA, t->data->bus, PTE_RWA);
	words(t->data)[0] = 10;
	/* lr.d a4, (a1); sc.d a5, a2, (a1); again without lr */
	load_program(t, RV_AMO(2, 0, A1, 3, A4), RV_AMO(3, A2, A1, 3, A5),
		     SD(A5, A1, 8), RV_AMO(3, A3, A1, 3, A5), SD(A5, A1, 16),
		     RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 20, 30);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 20);
	KUNIT_EXPECT_EQ(test, words(t->data)[1], 0);
	KUNIT_EXPECT_EQ(test, words(t->data)[2], 1);
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
	    TEST_CHAN | VGEM_SVM_ERR_FAULT << 16);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR),
			VGEM_SVM_ERR_FAULT);
	KUNIT_EXPECT_TRUE(test, await(atomic64_read(&t->seen) &
				      VGEM_SVM_INT_CHAN_ERROR));
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
	KUNIT_EXPECT_TRUE(test, await(words(pages)[63 * 512] == 63));
	KUNIT_EXPECT_FALSE(test, passed(t, TEST_CHAN));
	replay(t);
	finish(t, TEST_CHAN);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, words(pages)[i * 512], i);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_FAULT_PUT), 4);
}

/* ---- what is remembered ------------------------------------------------- */

static void store_data(struct test_hw *t, u64 va, u64 value)
{
	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, va, value);
	finish(t, TEST_CHAN);
}

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

static void expect_error(struct test_hw *t, u32 error, u64 addr, u64 pc)
{
	struct kunit *test = t->test;

	KUNIT_ASSERT_TRUE_MSG(test, await(dead(t, TEST_CHAN)),
			      "error %u does not come", error);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR), error);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR_ADDR),
			addr);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR_PC), pc);
	KUNIT_EXPECT_TRUE(test, get(t, VGEM_SVM_REG_CHAN_ERRORS) &
			  BIT_ULL(TEST_CHAN));
	set(t, VGEM_SVM_REG_CHAN_ERRORS, BIT_ULL(TEST_CHAN));
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_CHAN_ERRORS), 0);
	/* The neighbour on the same engine does not notice. */
	chan_on(t, TEST_CHAN + 1, 0);
	submit(t, TEST_CHAN + 1);
	finish(t, TEST_CHAN + 1);
	chan_on(t, TEST_CHAN, 0);
}

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

static void bad_entries_end_the_channel(struct kunit *test)
{
	struct test_hw *t = test->priv;
	u64 peer = FIELD_PREP(VGEM_SVM_PTE_APERTURE, VGEM_SVM_APERTURE_PEER);

	load_program(t, LD(A4, A1, 0), RET);
	map(t, VA_DATA, t->data->bus, PTE_RW | BIT_ULL(63));
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

	emit(t, TEST_CHAN, VGEM_SVM_PKT_FENCE, 0, bus, 3);
	kick(t, TEST_CHAN);
	expect_error(t, VGEM_SVM_ERR_BUS, bus, 0);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*page), 1);
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
	u64 seq;

	load_program(t, SD(A2, A1, 0), LOOP);
	launch_args(t, TEST_CHAN, 64, VA_DATA, 1);
	await_faults(t, 1);
	set(t, VGEM_SVM_REG_RESET, 1);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_STOPPED), 1);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR),
			VGEM_SVM_ERR_RESET);
	seq = inv_post(t, 0, 0, VGEM_SVM_INV_VM);
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_INV_DONE), seq);

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
	KUNIT_CASE(arithmetic_is_as_in_the_manual),
	KUNIT_CASE(branches_and_jumps_go_where_they_should),
	KUNIT_CASE(narrow_loads_extend),
	KUNIT_CASE(atomics_are_as_in_the_manual),
	KUNIT_CASE(store_conditional_needs_its_reservation),
	KUNIT_CASE(missing_page_faults_and_replays),
	KUNIT_CASE(code_and_packets_fault_too),
	KUNIT_CASE(permissions_fault_until_granted),
	KUNIT_CASE(parked_threads_hold_up_nobody),
	KUNIT_CASE(full_fault_buffer_stalls_threads_alone),
	KUNIT_CASE(tlb_keeps_until_told),
	KUNIT_CASE(walk_cache_keeps_until_told),
	KUNIT_CASE(invalidation_of_a_vm_takes_all),
	KUNIT_CASE(hint_brings_in_the_group),
	KUNIT_CASE(nothing_lands_after_an_invalidation),
	KUNIT_CASE(many_invalidations_are_all_acknowledged),
	KUNIT_CASE(ring_invalidation_comes_between_its_neighbours),
	KUNIT_CASE(bad_instructions_end_the_channel),
	KUNIT_CASE(bad_accesses_end_the_channel),
	KUNIT_CASE(bad_stacks_end_the_channel),
	KUNIT_CASE(endless_loop_ends_with_its_budget),
	KUNIT_CASE(bad_entries_end_the_channel),
	KUNIT_CASE(bad_packets_end_the_channel),
	KUNIT_CASE(unmapped_memory_is_a_bus_error),
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
