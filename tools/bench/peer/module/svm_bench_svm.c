// SPDX-License-Identifier: GPL-2.0 OR MIT
/* drm_svm behind the bench's device, by its public interface. */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include <drm/drm_svm.h>
#include <drm/drm_svm_fault.h>
#include <drm/drm_svm_gpt.h>

#include "drm_svm_internal.h"
#include "svm_bench.h"

/* Records that the fault buffer has room for. */
#define PENDING 1024

struct bench_svm {
	struct bench_dev b;
	struct drm_svm_device sdev;
	struct drm_svm_region region;
	struct drm_svm_fault_queue queue;
	struct drm_svm svm;
	struct drm_svm_gpt table;
	/* The fault buffer; one user at a time. */
	u64 addr[PENDING];
	unsigned int nr, read;
	bool write, cancelled;
	u64 end;
	struct completion over;
};

static struct bench_svm *of_svm(struct drm_svm *svm)
{
	return container_of(svm, struct bench_svm, svm);
}

static u64 s_flush_begin(struct drm_svm_gpt *table, struct drm_gpt_gather *gather)
{
	atomic_inc(&container_of(table, struct bench_svm, table)->b.flushes);
	return 1;
}

static int s_flush_wait(struct drm_svm_gpt *table, u64 token, bool may_sleep)
{
	return 0;
}

static void s_kill(struct drm_svm_gpt *table, bool may_sleep)
{
}

static const struct drm_svm_gpt_ops s_table_ops = {
	.flush_begin = s_flush_begin,
	.flush_wait = s_flush_wait,
	.kill = s_kill,
};

static unsigned int s_fetch(struct drm_svm_fault_queue *queue, struct drm_svm_fault *faults,
			    unsigned int max)
{
	struct bench_svm *s = container_of(queue, struct bench_svm, queue);
	u64 t = bench_ticks();
	unsigned int n = 0;

	while (s->read < s->nr && n < max) {
		faults[n++] = (struct drm_svm_fault) {
			.svm = &s->svm,
			.addr = s->addr[s->read++],
			.access = s->write ? DRM_SVM_WRITE : DRM_SVM_READ,
		};
	}
	s->b.hw += bench_ticks() - t;
	return n;
}

static const struct drm_svm_fault_queue_ops s_queue_ops = { .fetch = s_fetch };

/* All that was read tries again; what still faults comes in anew. */
static void s_replay(struct drm_svm *svm)
{
	struct bench_svm *s = of_svm(svm);
	u64 flags = DRM_GPT_LEAF_VALID | (s->write ? DRM_GPT_LEAF_WRITE : 0), seq;
	u64 t = bench_ticks();
	unsigned int i, left = 0;

	for (i = 0; i < s->nr; i++)
		if (i >= s->read ||
		    !drm_gpt_mapped(&s->b.gpt, s->addr[i], s->addr[i], flags, &seq))
			s->addr[left++] = s->addr[i];
	s->nr = left;
	s->read = 0;
	s->b.hw += bench_ticks() - t;
	if (left) {
		drm_svm_fault_queue_kick(&s->queue);
		return;
	}
	s->end = t;
	complete(&s->over);
}

static void s_cancel(struct drm_svm *svm, const struct drm_svm_fault *fault, int error)
{
	struct bench_svm *s = of_svm(svm);

	s->cancelled = true;
	s->end = bench_ticks();
	complete(&s->over);
}

static const struct drm_svm_ops s_ops = {
	.replay = s_replay,
	.cancel = s_cancel,
};

static int s_copy(struct drm_svm_region *region, enum drm_svm_copy_kind kind,
		  const struct drm_svm_copy *pieces, unsigned int n)
{
	struct bench_svm *s = container_of(region, struct bench_svm, region);
	u64 t = bench_ticks();
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (kind == DRM_SVM_COPY_CLEAR)
			memset(s->b.vram + pieces[i].offset, 0, pieces[i].bytes);
		else
			bench_copy(&s->b, pieces[i].offset, pieces[i].dma, pieces[i].bytes,
				   kind == DRM_SVM_COPY_TO_DEVICE);
	}
	s->b.hw += bench_ticks() - t;
	return 0;
}

static const struct drm_svm_region_ops s_region_ops = { .copy = s_copy };

static int s_init_svm(struct bench_svm *s, struct mm_struct *mm)
{
	struct drm_svm_config config = {
		.device = &s->sdev,
		.ops = &s_ops,
		.migrate_on_fault = s->b.flags & SVM_BENCH_MIGRATE,
	};
	int ret = drm_svm_init(&s->svm, mm, &config);

	if (ret)
		return ret;
	ret = drm_svm_gpt_init(&s->table, &s->svm, &s->b.gpt, &s_table_ops);
	if (ret) {
		drm_svm_stop(&s->svm);
		drm_svm_fini(&s->svm);
	}
	return ret;
}

static int s_init(struct bench_dev *dev, struct mm_struct *mm)
{
	struct bench_svm *s = container_of(dev, struct bench_svm, b);
	int ret;

	init_completion(&s->over);
	drm_svm_device_init(&s->sdev, &dev->pdev->dev);
	s->sdev.system_atomics = true;
	ret = drm_svm_fault_queue_init(&s->queue, &s->sdev, &s_queue_ops, "svm_bench");
	if (ret)
		goto err_device;
	ret = drm_svm_region_init(&s->region, &s->sdev, BENCH_VRAM, &s_region_ops);
	if (ret)
		goto err_queue;
	ret = s_init_svm(s, mm);
	if (!ret)
		return 0;
	drm_svm_region_fini(&s->region);
err_queue:
	drm_svm_fault_queue_fini(&s->queue);
err_device:
	drm_svm_device_fini(&s->sdev);
	return ret;
}

static void s_fini(struct bench_dev *dev)
{
	struct bench_svm *s = container_of(dev, struct bench_svm, b);

	drm_svm_fault_queue_sync(&s->queue);
	drm_svm_stop(&s->svm);
	drm_svm_gpt_fini(&s->table);
	drm_svm_fini(&s->svm);
	drm_gpt_fini(&dev->gpt);
	drm_svm_region_fini(&s->region);
	drm_svm_fault_queue_fini(&s->queue);
	drm_svm_device_fini(&s->sdev);
}

/* One page as a fault's, more as what is wanted before. */
static int s_fault(struct bench_dev *dev, struct svm_bench_op *op)
{
	struct bench_svm *s = container_of(dev, struct bench_svm, b);
	bool write = op->flags & SVM_BENCH_WRITE;
	u64 t = bench_ticks();
	int ret;

	if (op->last - op->first < PAGE_SIZE)
		ret = drm_svm_handle_fault(&s->svm, op->first, write ? DRM_SVM_WRITE : DRM_SVM_READ,
					   jiffies + 10 * HZ);
	else
		ret = drm_svm_populate(&s->table.view, op->first, op->last,
				       DRM_SVM_RIGHT_READ | (write ? DRM_SVM_RIGHT_WRITE : 0));
	op->ticks = bench_ticks() - t;
	op->extra[0] = atomic64_read(&s->svm.stats.walks);
	return ret;
}

static int s_queue(struct bench_dev *dev, struct svm_bench_op *op)
{
	struct bench_svm *s = container_of(dev, struct bench_svm, b);
	u64 groups = atomic64_read(&s->svm.stats.fault_groups), addr, t;

	s->nr = 0;
	s->read = 0;
	s->write = op->flags & SVM_BENCH_WRITE;
	s->cancelled = false;
	for (addr = op->first; addr <= op->last && s->nr < PENDING; addr += op->step)
		s->addr[s->nr++] = addr;
	reinit_completion(&s->over);
	t = bench_ticks();
	drm_svm_fault_queue_kick(&s->queue);
	wait_for_completion(&s->over);
	op->extra[0] = bench_ticks() - t;
	op->ticks = s->end - t;
	op->extra[1] = atomic64_read(&s->svm.stats.fault_groups) - groups;
	return s->cancelled ? -EFAULT : 0;
}

static int s_move(struct bench_dev *dev, struct svm_bench_op *op, bool to_device)
{
	struct bench_svm *s = container_of(dev, struct bench_svm, b);
	struct drm_svm_migrate_result result = {};
	u64 t = bench_ticks();
	int ret;

	ret = drm_svm_migrate(&s->svm, op->first, op->last,
			      to_device ? DRM_SVM_LOC_DEVICE : DRM_SVM_LOC_SYSTEM, 0, &result);
	op->ticks = bench_ticks() - t;
	op->extra[0] = result.moved;
	op->extra[1] = result.there;
	op->extra[2] = result.failed;
	return ret;
}

static void s_sync(struct bench_dev *dev, struct svm_bench_op *op)
{
	struct bench_svm *s = container_of(dev, struct bench_svm, b);
	struct drm_svm_range *range;
	unsigned long index;
	u64 t = bench_ticks();

	flush_delayed_work(&s->svm.smm->gc_work);
	op->ticks = bench_ticks() - t;
	op->extra[0] = 0;
	xa_for_each(&s->svm.smm->ranges, index, range)
		op->extra[0]++;
	op->extra[1] = atomic64_read(&s->b.gpt.stats.tables);
	op->extra[2] = sizeof(struct drm_svm_range);
	op->extra[3] = sizeof(struct drm_svm_range_view);
}

static const struct bench_ops bench_svm_ops = {
	.init = s_init,
	.fini = s_fini,
	.fault = s_fault,
	.queue = s_queue,
	.move = s_move,
	.sync = s_sync,
};

struct bench_dev *bench_svm_alloc(void)
{
	struct bench_svm *s = kzalloc_obj(*s, GFP_KERNEL);

	BUILD_BUG_ON(offsetof(struct bench_svm, b));
	if (s)
		s->b.ops = &bench_svm_ops;
	return s ? &s->b : NULL;
}
