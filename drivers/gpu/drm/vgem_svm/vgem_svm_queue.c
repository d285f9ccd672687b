// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Queues. One is alive until its program does something that cannot be served,
 * software ends it, or the device is reset; then it is dead: what runs on it is
 * stopped, what waits is dropped, and the reason can be asked for.
 */

#include <linux/cred.h>
#include <linux/dma-fence.h>
#include <linux/eventfd.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "../svm/drm_svm_planted.h"
#include "vgem_svm_drv.h"
#include "vgem_svm_fence.h"

static u64 vgem_svm_queue_reg(struct vgem_svm_queue *queue, u32 reg)
{
	return vgem_svm_hw_read(queue->vm->vdev->hw,
				VGEM_SVM_REG_CHAN(queue->ring.chan, reg));
}

static void vgem_svm_queue_free(struct kref *ref)
{
	struct vgem_svm_queue *queue =
		container_of(ref, struct vgem_svm_queue, ref);

	WARN_ON(queue->ring.words);
	if (queue->eventfd)
		eventfd_ctx_put(queue->eventfd);
	vgem_svm_vm_put(queue->vm);
	kfree(queue);
}

void vgem_svm_queue_put(struct vgem_svm_queue *queue)
{
	kref_put(&queue->ref, vgem_svm_queue_free);
}

/**
 * vgem_svm_queue_of_chan() - who uses a channel?
 * @vdev: device
 * @chan: channel
 *
 * Return: the queue, referenced, or NULL.
 */
struct vgem_svm_queue *vgem_svm_queue_of_chan(struct vgem_svm_dev *vdev,
					      u32 chan)
{
	struct vgem_svm_queue *queue;

	guard(spinlock)(&vdev->chan_lock);
	queue = chan < VGEM_SVM_HW_NR_CHANS ? vdev->queues[chan] : NULL;
	if (queue)
		kref_get(&queue->ref);
	return queue;
}

static int vgem_svm_chan_alloc(struct vgem_svm_dev *vdev)
{
	u32 chan;

	guard(spinlock)(&vdev->chan_lock);
	chan = find_next_zero_bit(vdev->chans, VGEM_SVM_HW_NR_CHANS,
				  VGEM_SVM_HW_CHAN_USER);
	if (chan == VGEM_SVM_HW_NR_CHANS)
		return -ENOSPC;
	__set_bit(chan, vdev->chans);
	return chan;
}

static void vgem_svm_chan_free(struct vgem_svm_dev *vdev, u32 chan)
{
	guard(spinlock)(&vdev->chan_lock);
	__clear_bit(chan, vdev->chans);
}

static void vgem_svm_chan_set(struct vgem_svm_dev *vdev, u32 chan,
			      struct vgem_svm_queue *queue)
{
	guard(spinlock)(&vdev->chan_lock);
	vdev->queues[chan] = queue;
}

/* ---- death -------------------------------------------------------------- */

/* Remembers what the hardware says; a page fault has been noted already. */
static void vgem_svm_queue_latch(struct vgem_svm_queue *queue)
{
	u64 info = vgem_svm_queue_reg(queue, VGEM_SVM_CHAN_ERR_INFO);
	u32 error = vgem_svm_queue_reg(queue, VGEM_SVM_CHAN_ERR);

	lockdep_assert_held(&queue->lock);
	if (queue->status != DRM_VGEM_SVM_QUEUE_OK)
		return;
	queue->err_addr = vgem_svm_queue_reg(queue, VGEM_SVM_CHAN_ERR_ADDR);
	queue->err_pc = vgem_svm_queue_reg(queue, VGEM_SVM_CHAN_ERR_PC);
	queue->err_thread = lower_32_bits(info);
	queue->err_insn = upper_32_bits(info);
	if (error == VGEM_SVM_ERR_FAULT)
		vgem_svm_fault_note(queue, vgem_svm_queue_reg(queue,
							      VGEM_SVM_CHAN_ERR_FAULT));
	queue->status = error ?: DRM_VGEM_SVM_QUEUE_KILLED;
}

/* Return: true if it is dead, and that is news. */
static bool vgem_svm_queue_die(struct vgem_svm_queue *queue, u32 error)
{
	guard(spinlock)(&queue->lock);
	if (queue->closed)
		return false;
	if (error)
		vgem_svm_hw_write(queue->vm->vdev->hw, VGEM_SVM_REG_CHAN_KILL,
				  queue->ring.chan | error << 16);
	if (vgem_svm_queue_reg(queue, VGEM_SVM_CHAN_STATUS) !=
	    VGEM_SVM_CHAN_ST_DEAD)
		return false;
	vgem_svm_queue_latch(queue);
	if (queue->dead)
		return false;
	queue->dead = true;
	return true;
}

/**
 * vgem_svm_queue_kill() - a queue is dead, or is to be
 * @queue: queue
 * @error: enum vgem_svm_chan_error to end it with, VGEM_SVM_ERR_NONE if the
 *	hardware may have ended it; that may be news of the channel's former queue
 *
 * Context: process.
 */
void vgem_svm_queue_kill(struct vgem_svm_queue *queue, u32 error)
{
	if (!vgem_svm_queue_die(queue, error))
		return;
	drm_dbg(&queue->vm->vdev->drm, "queue %u is dead: status %u address %#llx pc %#llx\n",
		queue->handle, queue->status, queue->err_addr, queue->err_pc);
	/* By the interrupt already, if there still are interrupts. */
	vgem_svm_fences_look(queue->vm->vdev);
	vgem_svm_queue_drop_jobs(queue);
	if (queue->eventfd)
		eventfd_signal(queue->eventfd);
}

/*
 * Takes it from the hardware. From the first of these steps on jobs that have not
 * ended never will, and who waits for their fences waits for the last one.
 */
static void vgem_svm_queue_off(struct vgem_svm_queue *queue)
{
	bool cookie = dma_fence_begin_signalling();

	vgem_svm_queue_drop_jobs(queue);
	vgem_svm_chan_set(queue->vm->vdev, queue->ring.chan, NULL);
	vgem_svm_ring_stop(&queue->ring);
	vgem_svm_fences_end(queue);
	dma_fence_end_signalling(cookie);
}

/**
 * vgem_svm_queue_close() - a queue goes
 * @queue: queue
 *
 * When it returns the hardware knows nothing of it.
 *
 * Context: may sleep; &vgem_svm_vm.sem is held for write.
 */
void vgem_svm_queue_close(struct vgem_svm_queue *queue)
{
	struct vgem_svm_dev *vdev = queue->vm->vdev;
	u32 chan = queue->ring.chan;
	bool planted_leak;
	bool tell;

	spin_lock(&queue->lock);
	planted_leak = drm_svm_planted(VGEM_SVM_PLANTED_CHAN_LEAK) && queue->nr_jobs;
	queue->closed = true;
	if (queue->status == DRM_VGEM_SVM_QUEUE_OK)
		queue->status = DRM_VGEM_SVM_QUEUE_KILLED;
	tell = queue->eventfd && !queue->dead;
	queue->dead = true;
	spin_unlock(&queue->lock);

	vgem_svm_queue_off(queue);
	cancel_work_sync(&queue->submit_work);
	vgem_svm_ring_fini(&queue->ring);
	if (!planted_leak) {
		vgem_svm_chan_free(vdev, chan);
		vgem_svm_user_uncharge(queue->vm->user, VGEM_SVM_USER_QUEUES, 1);
	}
	/* Who sleeps on it learns what became of the queue, whoever ended it. */
	if (tell)
		eventfd_signal(queue->eventfd);
	list_del_init(&queue->node);
	vgem_svm_queue_put(queue);
}

/* ---- ioctls ------------------------------------------------------------- */

static void vgem_svm_queue_set(struct vgem_svm_queue *queue, u32 reg, u64 val)
{
	vgem_svm_hw_write(queue->vm->vdev->hw,
			  VGEM_SVM_REG_CHAN(queue->ring.chan, reg), val);
}

static int vgem_svm_queue_enable(struct vgem_svm_queue *queue,
				 const struct drm_vgem_svm_queue_create *args)
{
	struct vgem_svm_dev *vdev = queue->vm->vdev;
	u64 ctrl = VGEM_SVM_CHAN_ENGINE(args->engine_instance) |
		   (queue->no_fault ? VGEM_SVM_CHAN_NO_FAULT : 0);

	guard(spinlock)(&vdev->kill_lock);
	if (vdev->wedged)
		return -EIO;
	/* The channel is off: what has been recorded is not this queue's. */
	queue->born = vgem_svm_hw_read(vdev->hw, VGEM_SVM_REG_FAULT_PUT);
	vgem_svm_chan_set(vdev, queue->ring.chan, queue);
	vgem_svm_queue_set(queue, VGEM_SVM_CHAN_TOTAL,
			   args->launch_budget ?: vgem_svm_launch_insns);
	vgem_svm_queue_set(queue, VGEM_SVM_CHAN_OWNER,
			   vgem_svm_user_number(queue->vm->user));
	vgem_svm_ring_enable(&queue->ring, ctrl, queue->vm->hw_id,
			     args->budget ?: vgem_svm_max_insns);
	return 0;
}

static int vgem_svm_queue_init_ring(struct vgem_svm_queue *queue,
				    const struct drm_vgem_svm_queue_create *args)
{
	struct vgem_svm_dev *vdev = queue->vm->vdev;
	int chan, ret;

	chan = vgem_svm_chan_alloc(vdev);
	if (chan < 0)
		return chan;
	ret = vgem_svm_ring_init(vdev, &queue->ring, chan,
				 VGEM_SVM_QUEUE_RING_BYTES);
	ret = ret ?: vgem_svm_queue_enable(queue, args);
	if (ret) {
		vgem_svm_ring_fini(&queue->ring);
		vgem_svm_chan_free(vdev, chan);
	}
	return ret;
}

static struct vgem_svm_queue *
vgem_svm_queue_make(struct vgem_svm_vm *vm,
		    const struct drm_vgem_svm_queue_create *args)
{
	struct vgem_svm_queue *queue;
	int ret;

	ret = vgem_svm_user_charge(vm->user, VGEM_SVM_USER_QUEUES, 1);
	if (ret)
		return ERR_PTR(ret);
	queue = kzalloc_obj(*queue, GFP_KERNEL_ACCOUNT);
	if (!queue) {
		vgem_svm_user_uncharge(vm->user, VGEM_SVM_USER_QUEUES, 1);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&queue->ref);
	INIT_LIST_HEAD(&queue->node);
	INIT_LIST_HEAD(&queue->jobs);
	INIT_WORK(&queue->submit_work, vgem_svm_submit_work);
	spin_lock_init(&queue->lock);
	queue->no_fault = args->flags & DRM_VGEM_SVM_QUEUE_NO_FAULT;
	queue->fence_context = dma_fence_context_alloc(1);
	queue->uid = atomic_inc_return(&vm->vdev->next_uid) & GENMASK(27, 0);
	kref_get(&vm->ref);
	queue->vm = vm;
	if (args->eventfd >= 0) {
		queue->eventfd = eventfd_ctx_fdget(args->eventfd);
		if (IS_ERR(queue->eventfd)) {
			ret = PTR_ERR(queue->eventfd);
			queue->eventfd = NULL;
			goto err;
		}
	}
	ret = vgem_svm_queue_init_ring(queue, args);
	if (ret)
		goto err;
	return queue;
err:
	vgem_svm_user_uncharge(vm->user, VGEM_SVM_USER_QUEUES, 1);
	vgem_svm_queue_put(queue);
	return ERR_PTR(ret);
}

static int vgem_svm_queue_create(struct vgem_svm_vm *vm,
				 struct drm_vgem_svm_queue_create *args)
{
	struct vgem_svm_queue *queue;
	int ret;

	queue = vgem_svm_queue_make(vm, args);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	/* One reference for the handle, one for the address space. */
	kref_get(&queue->ref);
	list_add_tail(&queue->node, &vm->queues);
	ret = vgem_svm_file_add_queue(queue);
	if (ret) {
		/* There never was one: nobody is told that it ended. */
		scoped_guard(spinlock, &queue->lock)
			queue->dead = true;
		vgem_svm_queue_close(queue);
		vgem_svm_queue_put(queue);
		return ret;
	}
	args->queue_id = queue->handle;
	return 0;
}

static int vgem_svm_queue_create_check(struct drm_device *drm,
				       struct drm_vgem_svm_queue_create *args)
{
	if (args->flags & ~DRM_VGEM_SVM_QUEUE_NO_FAULT)
		return vgem_svm_bad(drm, "flags");
	if (args->engine_class != DRM_VGEM_SVM_ENGINE_COMPUTE)
		return vgem_svm_bad(drm, "engine_class");
	if (args->engine_instance >= vgem_svm_nr_compute)
		return vgem_svm_bad(drm, "engine_instance");
	if (args->eventfd < -1)
		return vgem_svm_bad(drm, "eventfd");
	if (args->budget > vgem_svm_max_insns)
		return vgem_svm_bad(drm, "budget");
	if (args->launch_budget > vgem_svm_launch_insns)
		return vgem_svm_bad(drm, "launch_budget");
	if (args->pad)
		return vgem_svm_bad(drm, "pad");
	return 0;
}

int vgem_svm_queue_create_ioctl(struct drm_device *drm, void *data,
				struct drm_file *file)
{
	struct drm_vgem_svm_queue_create *args = data;
	struct vgem_svm_vm *vm;
	int ret;

	ret = vgem_svm_queue_create_check(drm, args);
	if (ret)
		return ret;
	vm = vgem_svm_vm_enter(file, args->vm_id);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	/* The list of queues changes: be alone. */
	up_read(&vm->sem);
	down_write(&vm->sem);
	if (vm->closed)
		ret = -ENOENT;
	else
		ret = vgem_svm_queue_create(vm, args);
	up_write(&vm->sem);
	vgem_svm_vm_put(vm);
	return ret;
}

/**
 * vgem_svm_queue_lookup() - the queue of a handle
 * @file: file
 * @handle: handle
 *
 * Return: the queue, referenced; -ENOENT, -EPERM if it is another process's.
 */
struct vgem_svm_queue *vgem_svm_queue_lookup(struct drm_file *file, u32 handle)
{
	struct vgem_svm_queue *queue =
		vgem_svm_file_find_queue(file->driver_priv, handle);
	int ret;

	if (!queue)
		return ERR_PTR(-ENOENT);
	ret = vgem_svm_vm_use(queue->vm);
	if (ret) {
		vgem_svm_queue_put(queue);
		return ERR_PTR(ret);
	}
	vgem_svm_vm_unuse(queue->vm);
	return queue;
}

int vgem_svm_queue_destroy_ioctl(struct drm_device *drm, void *data,
				 struct drm_file *file)
{
	struct drm_vgem_svm_queue_destroy *args = data;
	struct vgem_svm_queue *queue;
	bool mine;

	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	queue = vgem_svm_queue_lookup(file, args->queue_id);
	if (IS_ERR(queue))
		return PTR_ERR(queue);

	mine = vgem_svm_file_forget_queue(queue);
	if (mine) {
		down_write(&queue->vm->sem);
		if (!queue->closed)
			vgem_svm_queue_close(queue);
		up_write(&queue->vm->sem);
	}
	vgem_svm_queue_put(queue);
	return mine ? 0 : -ENOENT;
}

int vgem_svm_queue_query_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file)
{
	struct drm_vgem_svm_queue_query *args = data;
	struct vgem_svm_queue *queue;

	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	if (args->pad)
		return vgem_svm_bad(drm, "pad");
	queue = vgem_svm_queue_lookup(file, args->queue_id);
	if (IS_ERR(queue))
		return PTR_ERR(queue);

	vgem_svm_queue_retire(queue);
	spin_lock(&queue->lock);
	args->status = queue->status;
	args->addr = queue->err_addr;
	args->pc = queue->err_pc;
	args->thread = queue->err_thread;
	args->insn = queue->err_insn;
	args->completed = queue->completed;
	spin_unlock(&queue->lock);
	vgem_svm_queue_put(queue);
	return 0;
}
