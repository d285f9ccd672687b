// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: fences
 *
 * A queue that cannot page-fault may say by a dma_fence that a job has ended: it
 * waits for no page, and so for no memory. What signals is
 *
 * - the interrupt handler, for a job whose number the engine has stored, and for all
 *   of a channel that is dead: with an error, since none of the rest will run;
 * - whoever closes the queue, when its channel is off, for what is left.
 *
 * Each fence is in one list of its device until it is signalled, and who takes it out
 * signals it, under the list's lock: so it is signalled once, and those of a queue in
 * order. A fence is put in before any other can have it, and after it has been put in,
 * or has got its number, it is looked at: the interrupt may have come before. A queue
 * is not freed, nor its channel given away, while one of its own is in the list.
 *
 * Between the list and the signal there is no allocation and no lock but spinlocks.
 * The jobs that wait for other fences are put into the ring by a workqueue that has
 * a thread of its own for when memory is short. A job that runs for too long ends its
 * queue: by its budget of instructions, or here, if no job of the queue has ended for
 * &vgem_svm_dev.fence_timeout_ms.
 */

#include <linux/dma-fence.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "vgem_svm_drv.h"
#include "vgem_svm_fence.h"

static const char *vgem_svm_fence_driver(struct dma_fence *fence)
{
	return "vgem_svm";
}

static const char *vgem_svm_fence_timeline(struct dma_fence *fence)
{
	return container_of(fence, struct vgem_svm_fence, base)->timeline;
}

/* Without a release and a wait of our own they do without us once signalled. */
static const struct dma_fence_ops vgem_svm_fence_ops = {
	.get_driver_name = vgem_svm_fence_driver,
	.get_timeline_name = vgem_svm_fence_timeline,
};

/* ---- signalling --------------------------------------------------------- */

static int vgem_svm_fence_error(struct vgem_svm_dev *vdev, u32 chan)
{
	switch (vgem_svm_hw_read(vdev->hw, VGEM_SVM_REG_CHAN(chan, VGEM_SVM_CHAN_ERR))) {
	case VGEM_SVM_ERR_FAULT:
		return -EFAULT;
	case VGEM_SVM_ERR_BUDGET:
		return -ETIME;
	case VGEM_SVM_ERR_KILLED:
		return -ECANCELED;
	default:
		return -EIO;
	}
}

static bool vgem_svm_fence_done(struct vgem_svm_fence *fence)
{
	return fence->seq && vgem_svm_ring_done(&fence->queue->ring, fence->seq);
}

/* Takes it out of the list. */
static void vgem_svm_fence_signal(struct vgem_svm_fence *fence, int error)
{
	lockdep_assert_held(&fence->queue->vm->vdev->fence_lock);
	list_del_init(&fence->node);
	if (fence->seq)
		fence->queue->nr_armed--;
	fence->queue = NULL;
	if (error)
		dma_fence_set_error(&fence->base, error);
	dma_fence_signal(&fence->base);
	dma_fence_put(&fence->base);
}

/* Has it come to its end? */
static void vgem_svm_fence_look(struct vgem_svm_fence *fence)
{
	struct vgem_svm_ring *ring = &fence->queue->ring;
	bool dead;

	/* First: of a dead channel the number changes no more. */
	dead = vgem_svm_hw_read(ring->vdev->hw,
				VGEM_SVM_REG_CHAN(ring->chan, VGEM_SVM_CHAN_STATUS)) ==
	       VGEM_SVM_CHAN_ST_DEAD;
	if (vgem_svm_fence_done(fence))
		vgem_svm_fence_signal(fence, 0);
	else if (dead)
		vgem_svm_fence_signal(fence, vgem_svm_fence_error(ring->vdev, ring->chan));
}

/**
 * vgem_svm_fences_look() - signal what has come to its end
 * @vdev: device
 *
 * Context: any; the hardware is there.
 */
void vgem_svm_fences_look(struct vgem_svm_dev *vdev)
{
	struct vgem_svm_fence *fence, *next;

	guard(spinlock_irqsave)(&vdev->fence_lock);
	list_for_each_entry_safe(fence, next, &vdev->fence_list, node)
		vgem_svm_fence_look(fence);
}

/**
 * vgem_svm_fences_end() - a queue ends
 * @queue: its channel is off
 *
 * Context: any. When it returns it has no fence that is not signalled.
 */
void vgem_svm_fences_end(struct vgem_svm_queue *queue)
{
	struct vgem_svm_dev *vdev = queue->vm->vdev;
	struct vgem_svm_fence *fence, *next;

	guard(spinlock_irqsave)(&vdev->fence_lock);
	list_for_each_entry_safe(fence, next, &vdev->fence_list, node)
		if (fence->queue == queue)
			vgem_svm_fence_signal(fence, vgem_svm_fence_done(fence) ?
					      0 : -ECANCELED);
}

/* ---- life --------------------------------------------------------------- */

/**
 * vgem_svm_fence_new() - memory for a fence
 *
 * Context: may sleep.
 * Return: it, for vgem_svm_fence_begin() or kfree(); NULL if there is no memory.
 */
struct vgem_svm_fence *vgem_svm_fence_new(void)
{
	return kzalloc_obj(struct vgem_svm_fence, GFP_KERNEL_ACCOUNT);
}

/**
 * vgem_svm_fence_begin() - a job of a queue will signal it
 * @fence: from vgem_svm_fence_new()
 * @queue: alive; its fences end in the order of these calls
 *
 * The caller gets a reference.
 *
 * Context: &vgem_svm_queue.lock is held.
 */
void vgem_svm_fence_begin(struct vgem_svm_fence *fence, struct vgem_svm_queue *queue)
{
	struct vgem_svm_dev *vdev = queue->vm->vdev;

	lockdep_assert_held(&queue->lock);
	snprintf(fence->timeline, sizeof(fence->timeline), "vgem_svm%u-q%u", vdev->id,
		 queue->uid);
	dma_fence_init64(&fence->base, &vgem_svm_fence_ops, NULL, queue->fence_context,
			 ++queue->fence_seq);
	dma_fence_get(&fence->base);
	fence->queue = queue;
	scoped_guard(spinlock_irqsave, &vdev->fence_lock) {
		list_add_tail(&fence->node, &vdev->fence_list);
		vgem_svm_fence_look(fence);
	}
	queue_delayed_work(vdev->fence_wq, &vdev->fence_tick, HZ);
}

/**
 * vgem_svm_fence_arm() - the job is in the ring
 * @fence: of vgem_svm_fence_begin(), referenced
 * @queue: its queue
 * @seq: what the engine stores at its end
 *
 * Context: &vgem_svm_queue.lock is held.
 */
void vgem_svm_fence_arm(struct vgem_svm_fence *fence, struct vgem_svm_queue *queue,
			u64 seq)
{
	lockdep_assert_held(&queue->lock);
	guard(spinlock_irqsave)(&queue->vm->vdev->fence_lock);
	/* Its channel may have died meanwhile. */
	if (list_empty(&fence->node))
		return;
	fence->seq = seq;
	if (!queue->nr_armed++) {
		queue->fence_moved = jiffies;
		queue->fence_value = vgem_svm_ring_value(&queue->ring);
	}
	vgem_svm_fence_look(fence);
}

/* ---- too long ----------------------------------------------------------- */

/* Has no job of the queue ended for too long? */
static bool vgem_svm_fence_stuck(struct vgem_svm_dev *vdev,
				 struct vgem_svm_queue *queue)
{
	u64 value = vgem_svm_ring_value(&queue->ring);

	if (value != queue->fence_value) {
		queue->fence_value = value;
		queue->fence_moved = jiffies;
	}
	return time_after(jiffies, queue->fence_moved +
			  msecs_to_jiffies(READ_ONCE(vdev->fence_timeout_ms)));
}

/* Return: a queue that is to be ended, referenced; or NULL. */
static struct vgem_svm_queue *vgem_svm_fence_find_stuck(struct vgem_svm_dev *vdev)
{
	struct vgem_svm_fence *fence;

	guard(spinlock_irqsave)(&vdev->fence_lock);
	list_for_each_entry(fence, &vdev->fence_list, node) {
		if (!fence->seq || !vgem_svm_fence_stuck(vdev, fence->queue))
			continue;
		kref_get(&fence->queue->ref);
		return fence->queue;
	}
	return NULL;
}

static bool vgem_svm_fences_none(struct vgem_svm_dev *vdev)
{
	guard(spinlock_irqsave)(&vdev->fence_lock);
	return list_empty(&vdev->fence_list);
}

static void vgem_svm_fence_tick(struct work_struct *work)
{
	struct vgem_svm_dev *vdev =
		container_of(work, struct vgem_svm_dev, fence_tick.work);
	bool cookie = dma_fence_begin_signalling();
	struct vgem_svm_queue *queue;

	while ((queue = vgem_svm_fence_find_stuck(vdev))) {
		vgem_svm_queue_kill(queue, VGEM_SVM_ERR_BUDGET);
		vgem_svm_queue_put(queue);
	}
	dma_fence_end_signalling(cookie);
	if (!vgem_svm_fences_none(vdev))
		queue_delayed_work(vdev->fence_wq, &vdev->fence_tick, HZ);
}

/**
 * vgem_svm_fences_init() - a device may have fences
 * @vdev: device
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM.
 */
int vgem_svm_fences_init(struct vgem_svm_dev *vdev)
{
	spin_lock_init(&vdev->fence_lock);
	INIT_LIST_HEAD(&vdev->fence_list);
	INIT_DELAYED_WORK(&vdev->fence_tick, vgem_svm_fence_tick);
	vdev->fence_timeout_ms = vgem_svm_fence_timeout_ms;
	vdev->fence_wq = alloc_workqueue("vgem_svm%u-fence",
					 WQ_UNBOUND | WQ_MEM_RECLAIM, 0, vdev->id);
	return vdev->fence_wq ? 0 : -ENOMEM;
}

/**
 * vgem_svm_fences_fini() - there are none any more
 * @vdev: device; all its queues are closed, and no interrupt comes
 *
 * Context: may sleep.
 */
void vgem_svm_fences_fini(struct vgem_svm_dev *vdev)
{
	cancel_delayed_work_sync(&vdev->fence_tick);
	drm_WARN_ON(&vdev->drm, !list_empty(&vdev->fence_list));
	destroy_workqueue(vdev->fence_wq);
}
