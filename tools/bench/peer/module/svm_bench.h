/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SVM_BENCH_H
#define SVM_BENCH_H
/* What the bench program asks of svm_bench.ko, /dev/svm_bench. */
#include <linux/ioctl.h>
#include <linux/types.h>

enum svm_bench_what {
	SVM_BENCH_ATTACH,	/* dev, flags */
	SVM_BENCH_DETACH,	/* dev */
	SVM_BENCH_FAULT,		/* dev, flags, first, last: serve, directly */
	SVM_BENCH_QUEUE,	/* the same, and step: through the queue */
	SVM_BENCH_TO_DEVICE,	/* dev, first, last */
	SVM_BENCH_TO_SYSTEM,	/* dev, first, last */
	SVM_BENCH_SYNC,		/* dev: the work that an unmap has left behind */
	SVM_BENCH_MAPPED,	/* dev, flags, first, last: extra[0] = 1 if all are */
	SVM_BENCH_COPIED,	/* dev: copy = ticks since last asked */
	SVM_BENCH_EMPTY,	/* insert (dev 1) or remove (0) notifiers that do nothing */
};

#define SVM_BENCH_GPUSVM		1	/* ATTACH: drm_gpusvm instead of drm_svm */
#define SVM_BENCH_MIGRATE	2	/* ATTACH: memory goes to the device on a fault */
#define SVM_BENCH_WRITE		4
#define SVM_BENCH_IOMMU		8	/* ATTACH: behind vgem_svm's IOMMU */
#define SVM_BENCH_READ_ONLY	32	/* FAULT: of memory that is not to be written at all */

struct svm_bench_op {
	__u32 what;
	__u32 dev;
	__u32 flags;
	__u32 step;
	__u64 first;
	__u64 last;
	__u64 ticks;	/* out: of the operation */
	__u64 copy;	/* out: of these, in what stands for hardware */
	__u64 extra[4];
};

#define SVM_BENCH_IOC _IOWR('B', 1, struct svm_bench_op)

#ifdef __KERNEL__
#include <linux/atomic.h>
#include <linux/platform_device.h>
#include <linux/mm_types.h>
#include <asm/msr.h>
#include <drm/drm_gpt.h>

#define BENCH_VRAM	(96UL << 20)

struct bench_dev;

struct bench_ops {
	int (*init)(struct bench_dev *dev, struct mm_struct *mm);
	void (*fini)(struct bench_dev *dev);
	int (*fault)(struct bench_dev *dev, struct svm_bench_op *op);
	int (*queue)(struct bench_dev *dev, struct svm_bench_op *op);
	int (*move)(struct bench_dev *dev, struct svm_bench_op *op, bool to_device);
	void (*sync)(struct bench_dev *dev, struct svm_bench_op *op);
};

struct bench_dev {
	const struct bench_ops *ops;
	u32 flags;
	struct platform_device *pdev;
	struct drm_gpt gpt;
	void *vram;
	u64 hw;		/* ticks of what stands for hardware */
	atomic_t flushes;
};

struct bench_dev *bench_svm_alloc(void);
struct bench_dev *bench_gpusvm_alloc(void);
void bench_copy(struct bench_dev *dev, u64 offset, dma_addr_t dma, u32 bytes, bool to_device);

static inline u64 bench_ticks(void)
{
	return rdtsc_ordered();
}
#endif
#endif
