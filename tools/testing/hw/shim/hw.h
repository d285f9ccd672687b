/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _HW_SHIM_H_
#define _HW_SHIM_H_

/*
 * What the virtual hardware of vgem_svm and its suites use of the kernel's
 * headers beyond what tools/testing/gpt/shim has. Its rule holds here too.
 *
 * A bus address is the address of the memory in this process; the bus knows what
 * has been allocated for DMA and refuses the rest. An interrupt runs in the thread
 * that raises it, on top of whatever that holds, as one of its processor would.
 */

#include "kunit.h"

typedef int8_t s8;
typedef int16_t s16;
typedef unsigned int u128 __attribute__((mode(TI)));

#ifdef HW_WEAK
#include "weak.h"
#endif

/* ---- arithmetic ----------------------------------------------------------- */

#define SZ_4K		0x1000
#define SZ_8K		0x2000
#define SZ_16K		0x4000
#define SZ_64K		0x10000
#define SZ_128K		0x20000
#define SZ_1M		0x100000
#define SZ_2M		0x200000
#define SZ_4M		0x400000

#define ALIGN_DOWN(x, a)	((x) & ~((typeof(x))(a) - 1))
#define clamp_t(t, v, lo, hi)	min_t(t, max_t(t, v, lo), hi)
#define rounddown_pow_of_two(n)	(1ULL << ilog2(n))
#define offset_in_page(p)	((unsigned long)(p) & (PAGE_SIZE - 1))
#define lower_32_bits(n)	((u32)(n))
#define upper_32_bits(n)	((u32)((n) >> 32))

static inline u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
	return (u64)(((u128)a * b) >> shift);
}

/* Each look into a cache of the device is a point where others may go on. */
#undef hash_64
static inline u32 hash_64(u64 value, unsigned int bits)
{
	shim_perturb();
	return (value * 0x61c8864680b583ebULL) >> (64 - bits);
}

#define for_each_set_bit(bit, map, n) \
	for ((bit) = find_next_bit(map, n, 0); (bit) < (n); \
	     (bit) = find_next_bit(map, n, (bit) + 1))

/* All ones if @index is less than @size, without a branch. */
static inline unsigned long array_index_mask_nospec(unsigned long index,
						    unsigned long size)
{
	return ~(long)(index | (size - 1 - index)) >> (BITS_PER_LONG - 1);
}

/* ---- atomics -------------------------------------------------------------- */

#define SHIM_CMPXCHG(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, \
				    __ATOMIC_RELAXED)
#ifndef HW_WEAK
#define try_cmpxchg(p, old, new)	SHIM_CMPXCHG(p, old, new)
#define try_cmpxchg64(p, old, new)	SHIM_CMPXCHG(p, old, new)
#endif

static inline s64 atomic64_fetch_or(s64 bits, atomic64_t *v)
{
	return __atomic_fetch_or(&v->counter, bits, __ATOMIC_SEQ_CST);
}

static inline s64 atomic64_fetch_andnot(s64 bits, atomic64_t *v)
{
	return __atomic_fetch_and(&v->counter, ~bits, __ATOMIC_SEQ_CST);
}

#define atomic64_or(bits, v)		((void)atomic64_fetch_or(bits, v))
#define atomic64_andnot(bits, v)	((void)atomic64_fetch_andnot(bits, v))
#define ATOMIC_LONG_INIT(v)		{ (v) }
/* Its value is not always wanted. */
#undef xchg
#define xchg(p, v)	({ __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); })

/* ---- locks ---------------------------------------------------------------- */

/* None has a subclass: whatever is taken last is innermost. */
#undef spin_lock
#define spin_lock(lock)	spin_lock_nested(lock, shim_atomic_depth)

static inline bool spin_trylock(spinlock_t *lock)
{
	u32 free = 0;

	if (!SHIM_CMPXCHG(&lock->locked, &free, 1))
		return false;
	shim_spin_locked(lock, shim_atomic_depth);
	return true;
}

/* ---- waiting, threads ----------------------------------------------------- */

typedef struct wait_queue_head {
	pthread_mutex_t lock;
	pthread_cond_t changed;
} wait_queue_head_t;

void init_waitqueue_head(wait_queue_head_t *wq);
void wake_up(wait_queue_head_t *wq);
/* A millisecond at most: who stops a thread does not know where it sleeps. */
void shim_wait(wait_queue_head_t *wq);

#define wait_event_idle(wq, cond) do { \
	pthread_mutex_lock(&(wq).lock); \
	while (!(cond)) \
		shim_wait(&(wq)); \
	pthread_mutex_unlock(&(wq).lock); \
} while (0)

struct task_struct;
struct task_struct *shim_thread_run(int (*fn)(void *data), void *data);
#undef kthread_run
#define kthread_run(fn, data, ...)	shim_thread_run(fn, data)
int kthread_stop(struct task_struct *task);
bool kthread_should_stop(void);
#define MIN_NICE	(-20)
#define MAX_NICE	19
/* What it was set to, for tests; threads of user space share one priority. */
void sched_set_normal(struct task_struct *task, int nice);
int task_nice(const struct task_struct *task);

/* ---- time ----------------------------------------------------------------- */

#ifndef NSEC_PER_SEC
#define NSEC_PER_SEC	1000000000L
#endif
typedef s64 ktime_t;
#undef ktime_get
ktime_t shim_ktime(void);
#define ktime_get()		shim_ktime()
#define ktime_add_ms(t, ms)	((t) + (s64)(ms) * 1000000)
#define ktime_before(a, b)	((a) < (b))
void usleep_range(unsigned long min, unsigned long max);
#define msleep(ms)	usleep_range((ms) * 1000UL, (ms) * 1000UL)

/* ---- interrupts ----------------------------------------------------------- */

struct irq_work {
	atomic_t pending;
	void (*func)(struct irq_work *work);
};

#define init_irq_work(work, fn) \
	((void)(atomic_set(&(work)->pending, 0), (work)->func = (fn)))
void irq_work_queue(struct irq_work *work);
void irq_work_sync(struct irq_work *work);
bool in_hardirq(void);

/* ---- memory --------------------------------------------------------------- */

#define kvzalloc_obj(obj, gfp)	((typeof(obj) *)kvzalloc(sizeof(obj), gfp))
#define alloc_page(gfp)		alloc_pages(gfp, 0)
#define __free_page(page)	__free_pages(page, 0)
#define __kasan_check_read(p, n)	((void)(p))
#define __kasan_check_write(p, n)	((void)(p))
#define instrument_memcpy_before(to, from, n)	((void)(to))
#define instrument_write(p, n)	((void)(p))

struct platform_device {
	struct device dev;
};

#define PLATFORM_DEVID_AUTO	0
#define platform_device_alloc(name, id)	kzalloc_obj(struct platform_device, GFP_KERNEL)
#define platform_device_add(pdev)	((void)(pdev), 0)
#define platform_device_put(pdev)	kfree(pdev)
#define platform_device_unregister(pdev)	kfree(pdev)
#define dma_set_mask_and_coherent(dev, mask)	((void)(mask), 0)

void *dma_alloc_coherent(struct device *dev, size_t bytes, dma_addr_t *dma,
			 gfp_t gfp);
void dma_free_coherent(struct device *dev, size_t bytes, void *cpu,
		       dma_addr_t dma);
/* No IOMMU: what is about one is skipped, and never gets to the rest. */
struct iommu_group;
#define iommu_get_domain_for_dev(dev)	((void *)((dev) ? NULL : (dev)))
#define iommu_group_get(dev)	((struct iommu_group *)iommu_get_domain_for_dev(dev))
#define iommu_group_put(group)	((void)(group))
#define dma_map_single(dev, p, n, dir)	((dma_addr_t)(uintptr_t)(p))
#define dma_unmap_single(dev, dma, n, dir)	((void)(dma))

/* ---- KUnit ---------------------------------------------------------------- */

#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...)	KUNIT_EXPECT_EQ(test, a, b)
#define KUNIT_ASSERT_EQ_MSG(test, a, b, ...)	KUNIT_ASSERT_EQ(test, a, b)
#define KUNIT_EXPECT_TRUE_MSG(test, a, ...)	KUNIT_EXPECT_TRUE(test, a)
#define KUNIT_EXPECT_FALSE_MSG(test, a, ...)	KUNIT_EXPECT_FALSE(test, a)
#define KUNIT_ASSERT_TRUE_MSG(test, a, ...)	KUNIT_ASSERT_TRUE(test, a)
#define KUNIT_ASSERT_FALSE_MSG(test, a, ...)	KUNIT_ASSERT_FALSE(test, a)
#define KUNIT_EXPECT_GE_MSG(test, a, b, ...)	KUNIT_EXPECT_GE(test, a, b)
#define KUNIT_EXPECT_LE_MSG(test, a, b, ...)	KUNIT_EXPECT_LE(test, a, b)
#define KUNIT_EXPECT_NOT_NULL(test, p)	KUNIT_EXPECT_TRUE(test, p)
#define KUNIT_EXPECT_PTR_NE(test, a, b) \
	KUNIT_EXPECT_NE(test, (uintptr_t)(a), (uintptr_t)(b))
#define KUNIT_ASSERT_LT(test, a, b)	SHIM_CHECK64(test, true, a, <, b)
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p) \
	KUNIT_ASSERT_TRUE(test, (p) && !IS_ERR(p))
#define KUNIT_FAIL_AND_ABORT(test, ...) do { \
	KUNIT_FAIL(test, __VA_ARGS__); \
	longjmp((test)->end, 1); \
} while (0)

#endif /* _HW_SHIM_H_ */
