// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Faults: from the hardware's records to drm_svm, and back what cannot be
 * served.
 *
 * A channel may be given to another queue while a fault of the former is being
 * served: the cookie names the queue too.
 */

#include <linux/bitfield.h>
#include <linux/delay.h>

#include <drm/drm_print.h>

#include "vgem_svm_drv.h"

#define VGEM_SVM_COOKIE_CHAN	GENMASK_ULL(7, 0)
#define VGEM_SVM_COOKIE_ACCESS	GENMASK_ULL(11, 8)
#define VGEM_SVM_COOKIE_THREAD	GENMASK_ULL(35, 12)
#define VGEM_SVM_COOKIE_UID	GENMASK_ULL(63, 36)

/**
 * struct vgem_svm_record - what drm_svm keeps for us of a record
 * @nr: its number
 * @pc: program counter
 */
struct vgem_svm_record {
	u64 nr;
	u64 pc;
};

static_assert(sizeof(struct vgem_svm_record) <= DRM_SVM_FAULT_PRIV);

static const struct vgem_svm_record *
vgem_svm_record_of(const struct drm_svm_fault *fault)
{
	return (const struct vgem_svm_record *)fault->priv;
}

static enum drm_svm_access vgem_svm_access_kind(u32 access)
{
	switch (access) {
	case VGEM_SVM_ACCESS_WRITE:
		return DRM_SVM_WRITE;
	case VGEM_SVM_ACCESS_ATOMIC:
		return DRM_SVM_ATOMIC;
	default:
		return DRM_SVM_READ;
	}
}

/* Tells the hardware: a record goes on, or ends its channel. */
static void vgem_svm_fault_ack(struct vgem_svm_hw *hw, u32 chan,
			       const struct drm_svm_fault *fault, u64 result)
{
	vgem_svm_hw_write(hw, VGEM_SVM_REG_FAULT_ACK,
			  FIELD_PREP(VGEM_SVM_ACK_CHAN, chan) |
			  FIELD_PREP(VGEM_SVM_ACK_RECORD,
				     vgem_svm_record_of(fault)->nr) |
			  FIELD_PREP(VGEM_SVM_ACK_RESULT, result));
}

/* What is parked on it goes on, where each has its own answer. */
static void vgem_svm_fault_retry(struct vgem_svm_hw *hw,
				 const struct drm_svm_fault *fault)
{
	vgem_svm_fault_ack(hw, FIELD_GET(VGEM_SVM_COOKIE_CHAN, fault->cookie),
			   fault, VGEM_SVM_ACK_RETRY);
}

/* The same where faults are replayed: only ends are told one by one. */
static void vgem_svm_fault_end(struct vgem_svm_hw *hw, u32 chan,
			       const struct drm_svm_fault *fault)
{
	if (vgem_svm_fault_each)
		vgem_svm_fault_ack(hw, chan, fault, VGEM_SVM_ACK_ERROR);
	else
		vgem_svm_hw_write(hw, VGEM_SVM_REG_FAULT_CANCEL,
				  FIELD_PREP(VGEM_SVM_CANCEL_CHAN, chan) |
				  FIELD_PREP(VGEM_SVM_CANCEL_RECORD,
					     vgem_svm_record_of(fault)->nr));
}

static void vgem_svm_fault_log(struct vgem_svm_vm *vm,
			       struct vgem_svm_queue *queue,
			       const struct drm_svm_fault *fault, int error)
{
	struct drm_vgem_svm_fault *entry;

	guard(spinlock)(&vm->fault_lock);
	entry = &vm->fault_log[vm->nr_faults++ % VGEM_SVM_FAULT_LOG];
	entry->addr = fault->addr;
	entry->pc = vgem_svm_record_of(fault)->pc;
	entry->seq = vm->nr_faults;
	entry->queue_id = queue->handle;
	entry->access = FIELD_GET(VGEM_SVM_COOKIE_ACCESS, fault->cookie);
	entry->error = -error;
	entry->thread = FIELD_GET(VGEM_SVM_COOKIE_THREAD, fault->cookie);
}

/**
 * vgem_svm_fault_note() - remember the fault that a queue has ended of
 * @queue: queue without replay, locked, whose error has been read
 * @what: CHAN_ERR_FAULT
 *
 * Who sees that the queue is dead finds the fault in the log.
 */
void vgem_svm_fault_note(struct vgem_svm_queue *queue, u64 what)
{
	struct drm_svm_fault fault = {
		.addr = queue->err_addr,
		.cookie = FIELD_PREP(VGEM_SVM_COOKIE_ACCESS,
				     FIELD_GET(VGEM_SVM_FAULT_ACCESS, what)) |
			  FIELD_PREP(VGEM_SVM_COOKIE_THREAD, queue->err_thread),
	};
	struct vgem_svm_record *kept = (struct vgem_svm_record *)fault.priv;
	bool there = FIELD_GET(VGEM_SVM_FAULT_REASON, what) ==
		     VGEM_SVM_FAULT_PERMISSION;

	lockdep_assert_held(&queue->lock);
	kept->pc = queue->err_pc;
	vgem_svm_fault_log(queue->vm, queue, &fault, there ? -EACCES : -EFAULT);
}

/*
 * Return: true if the fault has ended the queue. A stale record does not: while
 * others of the range lost to invalidations, what had faulted was replayed, went
 * on, and perhaps has ended and had its memory unmapped.
 */
static bool vgem_svm_fault_blame(struct vgem_svm_queue *queue,
				 const struct drm_svm_fault *fault, int error)
{
	struct vgem_svm_hw *hw = queue->vm->vdev->hw;
	u32 chan = queue->ring.chan;

	guard(spinlock)(&queue->lock);
	if (queue->closed || queue->status != DRM_VGEM_SVM_QUEUE_OK)
		return false;
	vgem_svm_fault_end(hw, chan, fault);
	if (vgem_svm_hw_read(hw, VGEM_SVM_REG_CHAN(chan, VGEM_SVM_CHAN_ERR)) !=
	    VGEM_SVM_ERR_FAULT)
		return false;
	/* Who sees that the queue is dead finds the fault in the log. */
	vgem_svm_fault_log(queue->vm, queue, fault, error);
	queue->err_addr = fault->addr;
	queue->err_pc = vgem_svm_record_of(fault)->pc;
	queue->err_thread = FIELD_GET(VGEM_SVM_COOKIE_THREAD, fault->cookie);
	queue->status = DRM_VGEM_SVM_QUEUE_FAULT;
	return true;
}

/* It cannot be served: ends its queue. */
static void vgem_svm_fault_cancel(struct vgem_svm_vm *vm,
				  const struct drm_svm_fault *fault, int error)
{
	u32 chan = FIELD_GET(VGEM_SVM_COOKIE_CHAN, fault->cookie);
	struct vgem_svm_queue *queue = vgem_svm_queue_of_chan(vm->vdev, chan);

	if (!queue)
		return;
	if (queue->uid == FIELD_GET(VGEM_SVM_COOKIE_UID, fault->cookie) &&
	    vgem_svm_fault_blame(queue, fault, error)) {
		drm_dbg(&vm->vdev->drm, "queue %u: fault at %#llx: %d\n",
			queue->handle, fault->addr, error);
		vgem_svm_queue_kill(queue, VGEM_SVM_ERR_NONE);
	}
	vgem_svm_queue_put(queue);
}

/**
 * vgem_svm_cancel() - a fault cannot be served: end its queue
 * @svm: address space
 * @fault: fault
 * @error: why
 */
void vgem_svm_cancel(struct drm_svm *svm, const struct drm_svm_fault *fault,
		     int error)
{
	vgem_svm_fault_cancel(container_of(svm, struct vgem_svm_vm, svm), fault,
			      error);
}

/**
 * vgem_svm_done() - the answer to a fault, where each has its own
 * @svm: address space
 * @fault: fault
 * @result: 0 if it has been served, -EAGAIN if it is to be asked again, or why it
 *	cannot be served
 *
 * Who is gone has his queues ended, and what is parked in them with them.
 */
void vgem_svm_done(struct drm_svm *svm, const struct drm_svm_fault *fault,
		   int result)
{
	struct vgem_svm_vm *vm = container_of(svm, struct vgem_svm_vm, svm);

	if (!result || result == -EAGAIN)
		vgem_svm_fault_retry(vm->vdev->hw, fault);
	else if (result != -ESRCH)
		vgem_svm_cancel(svm, fault, result);
}

/* drm_svm knows of a fetch that it reads: what cannot be run is ours to say. */
static bool vgem_svm_fault_no_exec(struct vgem_svm_vm *vm,
				   const struct drm_svm_fault *fault)
{
	return FIELD_GET(VGEM_SVM_COOKIE_ACCESS, fault->cookie) ==
		       VGEM_SVM_ACCESS_EXEC &&
	       vgem_svm_binds_no_exec(vm, fault->addr);
}

/* What is bound: 0 if the access can be made, -EFAULT if nothing is, or why it cannot. */
static int vgem_svm_fault_bound(struct vgem_svm_vm *vm,
				const struct drm_svm_fault *fault)
{
	bool write = fault->access != DRM_SVM_READ;
	int ret;

	if (vgem_svm_fault_no_exec(vm, fault))
		return -EACCES;
	ret = vgem_svm_binds_access(vm, fault->addr, write);
	return ret == -EFAULT ? vgem_svm_userptrs_access(vm, fault->addr, write) : ret;
}

/**
 * vgem_svm_fault_claimed() - a fault where the mirror has nothing to say
 * @svm: mirror
 * @fault: fault
 *
 * Context: may sleep; waits for no lock that a bind holds for long.
 * Return: 0 if the access can be made, -EACCES if what is bound there does not allow
 * it, -ESTALE if an EXEC has to bring the process's memory back, -EAGAIN if nothing is
 * bound: not yet, or not any more.
 */
int vgem_svm_fault_claimed(struct drm_svm *svm, const struct drm_svm_fault *fault)
{
	int ret = vgem_svm_fault_bound(container_of(svm, struct vgem_svm_vm, svm), fault);

	if (ret != -EFAULT)
		return ret;
	/* It may take a while until what is claimed is bound: do not spin. */
	usleep_range(500, 1000);
	return -EAGAIN;
}

/* ---- from the hardware -------------------------------------------------- */

/*
 * Without a mirror there is nothing to serve: it has been bound since, or it ends the
 * queue.
 */
static void vgem_svm_fault_unmirrored(struct vgem_svm_vm *vm,
				      const struct drm_svm_fault *fault)
{
	int error = vgem_svm_fault_bound(vm, fault);

	if (error)
		vgem_svm_fault_cancel(vm, fault, error);
	else if (vgem_svm_fault_each)
		vgem_svm_fault_retry(vm->vdev->hw, fault);
	else
		vgem_svm_vm_replay(vm);
}

/* Return: false if nobody is there any more to be told, or it has been. */
static bool vgem_svm_fault_decode(struct vgem_svm_dev *vdev, u64 nr,
				  const struct vgem_svm_hw_fault *record,
				  struct drm_svm_fault *fault)
{
	struct vgem_svm_record *kept = (struct vgem_svm_record *)fault->priv;
	u64 info = le64_to_cpu(record->info);
	u32 chan = FIELD_GET(VGEM_SVM_FAULT_CHAN, info);
	u32 access = FIELD_GET(VGEM_SVM_FAULT_ACCESS, info);
	struct vgem_svm_queue *queue;
	struct vgem_svm_vm *vm;
	bool known;
	u32 uid;

	vm = xa_load(&vdev->vms, FIELD_GET(VGEM_SVM_FAULT_VM, info));
	queue = vgem_svm_queue_of_chan(vdev, chan);
	if (!queue)
		return false;
	uid = queue->uid;
	/* The channel's former queue may have left the record behind. */
	known = vm && queue->vm == vm && nr >= queue->born;
	vgem_svm_queue_put(queue);
	if (!known)
		return false;
	if (vgem_svm_owner_gone(&vm->owner)) {
		vgem_svm_vm_reap(vm);
		return false;
	}

	fault->svm = vm->mirrors ? &vm->svm : NULL;
	fault->addr = le64_to_cpu(record->va);
	fault->access = vgem_svm_access_kind(access);
	fault->cookie = FIELD_PREP(VGEM_SVM_COOKIE_CHAN, chan) |
			FIELD_PREP(VGEM_SVM_COOKIE_ACCESS, access) |
			FIELD_PREP(VGEM_SVM_COOKIE_THREAD,
				   FIELD_GET(VGEM_SVM_FAULT_THREAD, info)) |
			FIELD_PREP(VGEM_SVM_COOKIE_UID, uid);
	kept->nr = nr;
	kept->pc = le64_to_cpu(record->pc);
	if (vm->mirrors)
		return true;
	vgem_svm_fault_unmirrored(vm, fault);
	return false;
}

static unsigned int vgem_svm_fault_fetch(struct drm_svm_fault_queue *fq,
					 struct drm_svm_fault *faults,
					 unsigned int max)
{
	struct vgem_svm_dev *vdev =
		container_of(fq, struct vgem_svm_dev, fault_queue);
	u64 put = vgem_svm_hw_read(vdev->hw, VGEM_SVM_REG_FAULT_PUT);
	u64 get = vdev->fault_get;
	unsigned int n = 0;

	/* PUT before the records that it counts. */
	dma_rmb();
	for (; get != put && n < max; get++)
		if (vgem_svm_fault_decode(vdev, get,
					  &vdev->faults[get % vgem_svm_fault_entries],
					  &faults[n]))
			n++;
	if (get != vdev->fault_get) {
		vdev->fault_get = get;
		vgem_svm_hw_write(vdev->hw, VGEM_SVM_REG_FAULT_GET, get);
	}
	return n;
}

const struct drm_svm_fault_queue_ops vgem_svm_fault_ops = {
	.fetch = vgem_svm_fault_fetch,
};
