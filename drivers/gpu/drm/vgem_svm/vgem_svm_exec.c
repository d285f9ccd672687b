// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * EXEC: a batch in the program's own memory, perhaps after some fences, and at
 * its end a value in memory and an event.
 *
 * The work may page-fault, and a fault may wait for anything: so no dma_fence is
 * ever made of it, unless its queue is one that ends instead (vgem_svm_fence.c). It
 * may wait for one: by callbacks, so that a queue that is destroyed meanwhile waits
 * for nobody.
 */

#include <linux/dma-fence.h>
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/drm_syncobj.h>

#include "vgem_svm_drv.h"
#include "vgem_svm_fence.h"

/**
 * struct vgem_svm_job - an EXEC
 * @node: in &vgem_svm_queue.jobs
 * @queue: its queue; the job is the queue's
 * @args: what was asked for
 * @seq: fence behind it, once it is in the ring; 0 before
 * @out: what says that it has ended, referenced once it is pushed; or NULL
 * @pushed: @queue has it
 * @cb: on @fences[@next]
 * @armed: @cb is on it
 * @next: first fence that may be unsignalled
 * @nr: number of @fences
 * @fences: to wait for
 */
struct vgem_svm_job {
	struct list_head node;
	struct vgem_svm_queue *queue;
	struct drm_vgem_svm_exec args;
	u64 seq;
	struct vgem_svm_fence *out;
	bool pushed;
	struct dma_fence_cb cb;
	bool armed;
	u32 next;
	u32 nr;
	struct dma_fence *fences[] __counted_by(nr);
};

static void vgem_svm_job_free(struct vgem_svm_job *job)
{
	u32 i;

	if (job->armed)
		dma_fence_remove_callback(job->fences[job->next], &job->cb);
	for (i = 0; i < job->nr; i++)
		dma_fence_put(job->fences[i]);
	if (!job->pushed)
		kfree(job->out);
	else if (job->out)
		dma_fence_put(&job->out->base);
	vgem_svm_user_uncharge(job->queue->vm->user, VGEM_SVM_USER_JOBS, 1);
	kfree(job);
}

/* ---- into the ring ------------------------------------------------------ */

static void vgem_svm_job_signalled(struct dma_fence *fence,
				   struct dma_fence_cb *cb)
{
	struct vgem_svm_job *job = container_of(cb, struct vgem_svm_job, cb);

	queue_work(job->queue->vm->vdev->fence_wq, &job->queue->submit_work);
}

/* Return: true if every fence is signalled; else a callback is on one. */
static bool vgem_svm_job_ready(struct vgem_svm_job *job)
{
	if (job->armed) {
		if (!dma_fence_is_signaled(job->fences[job->next]))
			return false;
		/* Off it, or it has run: either way it is not used any more. */
		dma_fence_remove_callback(job->fences[job->next], &job->cb);
		job->armed = false;
		job->next++;
	}
	for (; job->next < job->nr; job->next++) {
		if (!dma_fence_add_callback(job->fences[job->next], &job->cb,
					    vgem_svm_job_signalled)) {
			job->armed = true;
			return false;
		}
	}
	return true;
}

static void vgem_svm_job_emit(struct vgem_svm_job *job)
{
	struct vgem_svm_ring *ring = &job->queue->ring;
	const struct drm_vgem_svm_exec *args = &job->args;
	u64 batch[3] = {
		VGEM_SVM_PKT(VGEM_SVM_PKT_BATCH, 3, 0),
		args->batch_addr, args->batch_bytes,
	};
	u64 fence[3] = {
		VGEM_SVM_PKT(VGEM_SVM_PKT_USER_FENCE, 3, 0),
		args->fence_addr, args->fence_value,
	};

	guard(spinlock)(&ring->lock);
	vgem_svm_ring_emit(ring, batch, ARRAY_SIZE(batch));
	if (args->fence_addr)
		vgem_svm_ring_emit(ring, fence, ARRAY_SIZE(fence));
	job->seq = vgem_svm_ring_fence(ring);
	if (job->out)
		vgem_svm_fence_arm(job->out, job->queue, job->seq);
}

/* In order: a job that waits holds up those behind it. */
static void vgem_svm_queue_submit(struct vgem_svm_queue *queue)
{
	struct vgem_svm_job *job;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(job, &queue->jobs, node) {
		if (job->seq)
			continue;
		if (queue->closed || queue->status != DRM_VGEM_SVM_QUEUE_OK ||
		    !vgem_svm_job_ready(job))
			break;
		vgem_svm_job_emit(job);
	}
}

void vgem_svm_submit_work(struct work_struct *work)
{
	struct vgem_svm_queue *queue =
		container_of(work, struct vgem_svm_queue, submit_work);
	bool cookie = dma_fence_begin_signalling();

	spin_lock(&queue->lock);
	vgem_svm_queue_submit(queue);
	spin_unlock(&queue->lock);
	dma_fence_end_signalling(cookie);
}

/* ---- out of the ring ---------------------------------------------------- */

static struct vgem_svm_job *vgem_svm_queue_pop(struct vgem_svm_queue *queue)
{
	struct vgem_svm_job *job;

	guard(spinlock)(&queue->lock);
	job = list_first_entry_or_null(&queue->jobs, struct vgem_svm_job, node);
	if (!job || !job->seq || !vgem_svm_ring_done(&queue->ring, job->seq))
		return NULL;
	list_del(&job->node);
	queue->nr_jobs--;
	queue->completed++;
	return job;
}

/**
 * vgem_svm_queue_retire() - find EXECs that have ended
 * @queue: queue
 *
 * Context: process.
 */
void vgem_svm_queue_retire(struct vgem_svm_queue *queue)
{
	struct vgem_svm_job *job;

	while ((job = vgem_svm_queue_pop(queue))) {
		if (queue->eventfd &&
		    (job->args.flags & DRM_VGEM_SVM_EXEC_EVENT))
			eventfd_signal(queue->eventfd);
		vgem_svm_job_free(job);
	}
}

/**
 * vgem_svm_queue_drop_jobs() - a dead queue forgets what it had to do
 * @queue: queue, dead or closed
 *
 * Context: process.
 */
void vgem_svm_queue_drop_jobs(struct vgem_svm_queue *queue)
{
	struct vgem_svm_job *job, *next;
	LIST_HEAD(jobs);

	vgem_svm_queue_retire(queue);
	spin_lock(&queue->lock);
	list_splice_init(&queue->jobs, &jobs);
	queue->nr_jobs = 0;
	spin_unlock(&queue->lock);
	list_for_each_entry_safe(job, next, &jobs, node)
		vgem_svm_job_free(job);
}

/* ---- the ioctl ---------------------------------------------------------- */

static int vgem_svm_job_add_fence(struct drm_file *file,
				  struct vgem_svm_job *job, u32 i)
{
	u32 stride = job->args.in_sync_stride;
	struct drm_vgem_svm_sync sync;
	struct dma_fence *fence;
	int ret;

	ret = copy_struct_from_user(&sync, sizeof(sync),
				    u64_to_user_ptr(job->args.in_syncs +
						    (u64)i * stride), stride);
	if (ret)
		return ret;
	if (sync.flags)
		return -EINVAL;
	/* An error may leave a fence behind that is not ours. */
	ret = drm_syncobj_find_fence(file, sync.handle, sync.point, 0, &fence);
	if (!ret)
		job->fences[i] = fence;
	return ret;
}

static struct vgem_svm_job *vgem_svm_job_make(struct drm_file *file,
					      struct vgem_svm_queue *queue,
					      const struct drm_vgem_svm_exec *args)
{
	struct vgem_svm_job *job;
	u32 i;
	int ret;

	ret = vgem_svm_user_charge(queue->vm->user, VGEM_SVM_USER_JOBS, 1);
	if (ret)
		return ERR_PTR(ret);
	job = kzalloc_flex(*job, fences, args->nr_in_syncs, GFP_KERNEL_ACCOUNT);
	if (!job) {
		vgem_svm_user_uncharge(queue->vm->user, VGEM_SVM_USER_JOBS, 1);
		return ERR_PTR(-ENOMEM);
	}
	job->queue = queue;
	job->args = *args;
	job->nr = args->nr_in_syncs;
	if (args->nr_out_syncs) {
		job->out = vgem_svm_fence_new();
		ret = job->out ? 0 : -ENOMEM;
	}
	for (i = 0; !ret && i < job->nr; i++)
		ret = vgem_svm_job_add_fence(file, job, i);
	if (!ret)
		return job;
	vgem_svm_job_free(job);
	return ERR_PTR(ret);
}

/* The job is the queue's then; @fence: out, referenced, of one that has one. */
static int vgem_svm_job_push(struct vgem_svm_job *job, struct dma_fence **fence)
{
	struct vgem_svm_queue *queue = job->queue;

	guard(spinlock)(&queue->lock);
	if (queue->closed)
		return -ENOENT;
	if (queue->status != DRM_VGEM_SVM_QUEUE_OK)
		return -EIO;
	if (queue->nr_jobs == VGEM_SVM_QUEUE_JOBS)
		return -EBUSY;
	queue->nr_jobs++;
	job->pushed = true;
	if (job->out) {
		vgem_svm_fence_begin(job->out, queue);
		*fence = dma_fence_get(&job->out->base);
	}
	list_add_tail(&job->node, &queue->jobs);
	vgem_svm_queue_submit(queue);
	return 0;
}

static bool vgem_svm_va_ok(u64 addr, u64 bytes)
{
	return addr + bytes >= addr &&
	       addr + bytes <= BIT_ULL(VGEM_SVM_VA_BITS);
}

static int vgem_svm_exec_check(struct drm_device *drm,
			       const struct drm_vgem_svm_exec *args)
{
	if (args->flags & ~DRM_VGEM_SVM_EXEC_EVENT)
		return vgem_svm_bad(drm, "flags");
	if (!args->batch_addr || (args->batch_addr & 7) ||
	    !vgem_svm_va_ok(args->batch_addr, args->batch_bytes))
		return vgem_svm_bad(drm, "batch_addr");
	if (!args->batch_bytes || (args->batch_bytes & 7) ||
	    args->batch_bytes > DRM_VGEM_SVM_MAX_BATCH)
		return vgem_svm_bad(drm, "batch_bytes");
	if (args->nr_in_syncs > DRM_VGEM_SVM_MAX_SYNCS)
		return vgem_svm_bad(drm, "nr_in_syncs");
	if (!args->nr_in_syncs && args->in_syncs)
		return vgem_svm_bad(drm, "in_syncs");
	if (args->nr_in_syncs &&
	    !vgem_svm_stride_ok(args->in_sync_stride,
				sizeof(struct drm_vgem_svm_sync)))
		return vgem_svm_bad(drm, "in_sync_stride");
	if (args->pad)
		return vgem_svm_bad(drm, "pad");
	if (args->nr_out_syncs > DRM_VGEM_SVM_MAX_SYNCS)
		return vgem_svm_bad(drm, "nr_out_syncs");
	if (!args->nr_out_syncs && args->out_syncs)
		return vgem_svm_bad(drm, "out_syncs");
	if (args->nr_out_syncs &&
	    !vgem_svm_stride_ok(args->out_sync_stride,
				sizeof(struct drm_vgem_svm_sync)))
		return vgem_svm_bad(drm, "out_sync_stride");
	if ((args->fence_addr & 7) || !vgem_svm_va_ok(args->fence_addr, 8))
		return vgem_svm_bad(drm, "fence_addr");
	if (!args->fence_addr && args->fence_value)
		return vgem_svm_bad(drm, "fence_value");
	return 0;
}

static int vgem_svm_exec(struct vgem_svm_queue *queue, struct drm_file *file,
			 const struct drm_vgem_svm_exec *args)
{
	struct vgem_svm_outs outs = {};
	struct dma_fence *fence = NULL;
	struct vgem_svm_job *job;
	int ret;

	ret = vgem_svm_outs_init(&outs, file, args->out_syncs, args->nr_out_syncs,
				 args->out_sync_stride);
	if (ret)
		goto out;
	job = vgem_svm_job_make(file, queue, args);
	if (IS_ERR(job)) {
		ret = PTR_ERR(job);
		goto out;
	}
	ret = vgem_svm_job_push(job, &fence);
	if (ret)
		vgem_svm_job_free(job);
	if (fence) {
		vgem_svm_outs_give(&outs, fence);
		dma_fence_put(fence);
	}
out:
	vgem_svm_outs_fini(&outs);
	return ret;
}

int vgem_svm_exec_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file)
{
	struct drm_vgem_svm_exec *args = data;
	struct vgem_svm_queue *queue;
	int ret;

	ret = vgem_svm_exec_check(drm, args);
	if (ret)
		return ret;
	queue = vgem_svm_queue_lookup(file, args->queue_id);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	vgem_svm_queue_retire(queue);

	/* What can page-fault never backs a dma_fence. */
	if (args->nr_out_syncs && !queue->no_fault)
		ret = vgem_svm_bad(drm, "nr_out_syncs of a queue that may fault");
	else
		ret = vgem_svm_exec(queue, file, args);
	if (ret)
		drm_dbg(drm, "queue %u: EXEC: %d\n", args->queue_id, ret);
	vgem_svm_queue_put(queue);
	return ret;
}
