/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _VGEM_SVM_HW_RIG_H_
#define _VGEM_SVM_HW_RIG_H_

/*
 * What the KUnit suites of the virtual hardware have in common: a device per
 * test, poked by its registers as a driver that is being brought up would.
 * Programs are machine code by hand. Memory comes from dma_alloc_coherent(), so
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

static inline u64 get(struct test_hw *t, u32 reg)
{
	return vgem_svm_hw_read(t->hw, reg);
}

static inline void set(struct test_hw *t, u32 reg, u64 val)
{
	vgem_svm_hw_write(t->hw, reg, val);
}

static inline u64 chan_get(struct test_hw *t, u32 chan, u32 reg)
{
	return get(t, VGEM_SVM_REG_CHAN(chan, reg));
}

static inline void chan_set(struct test_hw *t, u32 chan, u32 reg, u64 val)
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

static inline struct test_buf *test_alloc(struct test_hw *t, size_t bytes)
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

static inline struct test_buf *test_buf_at(struct test_hw *t, dma_addr_t bus)
{
	unsigned int i;

	for (i = 0; i < t->nr_bufs; i++)
		if (t->bufs[i].bus == bus)
			return &t->bufs[i];
	KUNIT_FAIL_AND_ABORT(t->test, "no memory at bus address %pad", &bus);
	return NULL;
}

static inline u64 *words(struct test_buf *buf)
{
	return buf->cpu;
}

/* The entry for @va at @level, with the tables above made on the way. */
static inline u64 *entry_at(struct test_hw *t, u64 va, unsigned int level)
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

static inline void map(struct test_hw *t, u64 va, u64 bus, u64 flags)
{
	WRITE_ONCE(*entry_at(t, va, 0), bus | flags);
}

/* ---- invalidations ------------------------------------------------------ */

static inline u64 inv_post(struct test_hw *t, u64 first, u64 last, u64 flags)
{
	set(t, VGEM_SVM_REG_INV_VM, TEST_VM);
	set(t, VGEM_SVM_REG_INV_FIRST, first);
	set(t, VGEM_SVM_REG_INV_LAST, last);
	set(t, VGEM_SVM_REG_INV_CTRL, flags);
	return get(t, VGEM_SVM_REG_INV_SEQ);
}

/* As in a notifier that may not sleep: polls, with preemption off. */
static inline bool inv_poll(struct test_hw *t, u64 seq)
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

static inline void invalidate(struct test_hw *t, u64 first, u64 last, u64 flags)
{
	KUNIT_ASSERT_TRUE(t->test, inv_poll(t, inv_post(t, first, last, flags)));
}

/* ---- rings -------------------------------------------------------------- */

static inline void chan_on(struct test_hw *t, u32 chan, u32 engine)
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

static inline void emit_words(struct test_hw *t, u32 chan, const u64 *pkt, u32 n)
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

static inline void kick(struct test_hw *t, u32 chan)
{
	chan_set(t, chan, VGEM_SVM_CHAN_TAIL, t->tail[chan]);
}

/* A fence behind what has been emitted, and the doorbell. */
static inline void submit(struct test_hw *t, u32 chan)
{
	emit(t, chan, VGEM_SVM_PKT_FENCE, VGEM_SVM_FENCE_IRQ,
	     t->fences->bus + chan * 8, ++t->seq[chan]);
	kick(t, chan);
}

static inline bool passed(struct test_hw *t, u32 chan)
{
	/* What the engine did before the fence can be read after it. */
	return smp_load_acquire(&words(t->fences)[chan]) == t->seq[chan];
}

static inline bool dead(struct test_hw *t, u32 chan)
{
	return chan_get(t, chan, VGEM_SVM_CHAN_STATUS) == VGEM_SVM_CHAN_ST_DEAD;
}

static inline void finish(struct test_hw *t, u32 chan)
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

static inline void load(struct test_hw *t, const u32 *code, unsigned int n)
{
	memcpy(t->code->cpu, code, n * sizeof(*code));
}

#define load_program(t, ...) do {					\
	const u32 code_[] = { __VA_ARGS__ };				\
									\
	load(t, code_, ARRAY_SIZE(code_));				\
} while (0)

/* A batch with one launch; a1... are @arg. */
static inline void launch(struct test_hw *t, u32 chan, u64 threads, u64 stack,
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

static inline struct vgem_svm_hw_fault *fault(struct test_hw *t, u64 n)
{
	return (struct vgem_svm_hw_fault *)t->faults->cpu + n % TEST_FAULTS;
}

static inline void await_faults(struct test_hw *t, u64 n)
{
	KUNIT_ASSERT_TRUE_MSG(t->test,
			      await(get(t, VGEM_SVM_REG_FAULT_PUT) >= n),
			      "%llu faults, not %llu",
			      get(t, VGEM_SVM_REG_FAULT_PUT), n);
}

static inline void replay(struct test_hw *t)
{
	set(t, VGEM_SVM_REG_FAULT_GET, get(t, VGEM_SVM_REG_FAULT_PUT));
	set(t, VGEM_SVM_REG_FAULT_REPLAY, TEST_VM);
}

static inline void expect_fault(struct test_hw *t, u64 n, u64 va, u32 access,
				u32 reason, u32 thread, u64 pc)
{
	u64 info = FIELD_PREP(VGEM_SVM_FAULT_VM, TEST_VM) |
		   FIELD_PREP(VGEM_SVM_FAULT_CHAN, TEST_CHAN) |
		   FIELD_PREP(VGEM_SVM_FAULT_THREAD, thread) |
		   FIELD_PREP(VGEM_SVM_FAULT_ACCESS, access) |
		   FIELD_PREP(VGEM_SVM_FAULT_REASON, reason);
	struct vgem_svm_hw_fault *f = fault(t, n);

	await_faults(t, n + 1);
	KUNIT_EXPECT_EQ(t->test, le64_to_cpu(f->va), va);
	KUNIT_EXPECT_EQ(t->test, le64_to_cpu(f->info), info);
	KUNIT_EXPECT_EQ(t->test, le64_to_cpu(f->pc), pc);
	KUNIT_EXPECT_EQ(t->test, le64_to_cpu(f->seq), n);
}

/* ---- what tests do -------------------------------------------------------- */

static inline void store_data(struct test_hw *t, u64 va, u64 value)
{
	load_program(t, SD(A2, A1, 0), RET);
	launch_args(t, TEST_CHAN, 1, va, value);
	finish(t, TEST_CHAN);
}

static inline void expect_error(struct test_hw *t, u32 error, u64 addr,
				u64 pc)
{
	struct kunit *test = t->test;

	KUNIT_ASSERT_TRUE_MSG(test, await(dead(t, TEST_CHAN)),
			      "error %u does not come", error);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR), error);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR_ADDR),
			addr);
	KUNIT_EXPECT_EQ(test, chan_get(t, TEST_CHAN, VGEM_SVM_CHAN_ERR_PC), pc);
	/* It comes after STATUS, so that who takes it away finds the channel dead. */
	KUNIT_EXPECT_TRUE(test, await(get(t, VGEM_SVM_REG_CHAN_ERRORS) &
				      BIT_ULL(TEST_CHAN)));
	set(t, VGEM_SVM_REG_CHAN_ERRORS, BIT_ULL(TEST_CHAN));
	KUNIT_EXPECT_EQ(test, get(t, VGEM_SVM_REG_CHAN_ERRORS), 0);
	/* The neighbour on the same engine does not notice. */
	chan_on(t, TEST_CHAN + 1, 0);
	submit(t, TEST_CHAN + 1);
	finish(t, TEST_CHAN + 1);
	chan_on(t, TEST_CHAN, 0);
}

/* ---- the device --------------------------------------------------------- */

static inline void test_irq(void *data)
{
	struct test_hw *t = data;
	u64 status = get(t, VGEM_SVM_REG_INT_STATUS);

	atomic_inc(&t->irqs);
	if (!in_hardirq())
		atomic_inc(&t->soft);
	atomic64_or(status, &t->seen);
	set(t, VGEM_SVM_REG_INT_STATUS, status);
}

static inline int test_pdev(struct test_hw *t)
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

static inline void test_setup(struct test_hw *t)
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

static inline void test_exit(struct kunit *test)
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

static inline int test_init_engines(struct kunit *test, u32 nr_compute)
{
	struct vgem_svm_hw_config config = {
		.irq = test_irq,
		.vram_bytes = SZ_4M,
		.nr_compute = nr_compute,
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

static inline int test_init(struct kunit *test)
{
	return test_init_engines(test, 2);
}

#endif /* _VGEM_SVM_HW_RIG_H_ */
