// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * TLB flushes: by register where the CPU writes the tables, which can be polled
 * for; by packets of the page-table ring, behind the entries, where commands
 * write them.
 */

#include <linux/delay.h>
#include <linux/ktime.h>

#include <drm/drm_print.h>

#include "../svm/drm_svm_planted.h"
#include "vgem_svm_drv.h"

/* An engine acknowledges within a quantum; this is for one that never does. */
#define VGEM_SVM_FLUSH_TIMEOUT_NS	(20 * NSEC_PER_SEC)

static void vgem_svm_flush_reg(struct vgem_svm_vm *vm, u64 first, u64 last,
			       u64 flags)
{
	struct vgem_svm_hw *hw = vm->vdev->hw;

	lockdep_assert_held(&vm->vdev->inv_lock);
	vgem_svm_hw_write(hw, VGEM_SVM_REG_INV_VM, vm->hw_id);
	vgem_svm_hw_write(hw, VGEM_SVM_REG_INV_FIRST, first);
	vgem_svm_hw_write(hw, VGEM_SVM_REG_INV_LAST, last);
	vgem_svm_hw_write(hw, VGEM_SVM_REG_INV_CTRL, flags);
}

static u64 vgem_svm_flush_flags(const struct drm_gpt_gather *gather)
{
	if (gather->full)
		return VGEM_SVM_INV_VM;
	return VGEM_SVM_INV_LEAF | (gather->directory ? VGEM_SVM_INV_WALK : 0);
}

static u64 vgem_svm_flush_by_register(struct vgem_svm_vm *vm,
				      struct drm_gpt_gather *gather)
{
	u64 flags = vgem_svm_flush_flags(gather);
	u32 i;

	guard(spinlock)(&vm->vdev->inv_lock);
	if (gather->full)
		vgem_svm_flush_reg(vm, 0, 0, flags);
	for (i = 0; i < gather->nr && !gather->full; i++)
		vgem_svm_flush_reg(vm, gather->range[i].first,
				   gather->range[i].last, flags);
	return vgem_svm_hw_read(vm->vdev->hw, VGEM_SVM_REG_INV_SEQ);
}

static void vgem_svm_flush_packet(struct vgem_svm_vm *vm, u64 first, u64 last,
				  u64 flags)
{
	u64 pkt[4] = {
		VGEM_SVM_PKT(VGEM_SVM_PKT_INVALIDATE, 4, flags),
		vm->hw_id, first, last,
	};

	vgem_svm_ring_emit(&vm->vdev->pt_ring, pkt, ARRAY_SIZE(pkt));
	atomic64_inc(&vm->vdev->pt_packets);
}

static u64 vgem_svm_flush_by_packets(struct vgem_svm_vm *vm,
				     struct drm_gpt_gather *gather)
{
	struct vgem_svm_ring *ring = &vm->vdev->pt_ring;
	u32 credits = drm_gpt_gather_take_flush_credits(gather), i;
	u64 flags = vgem_svm_flush_flags(gather);

	guard(spinlock)(&ring->lock);
	if (gather->full)
		vgem_svm_flush_packet(vm, 0, 0, flags);
	for (i = 0; i < gather->nr && !gather->full; i++)
		vgem_svm_flush_packet(vm, gather->range[i].first,
				      gather->range[i].last, flags);
	ring->credits -= min(ring->credits, credits);
	return vgem_svm_ring_fence(ring);
}

u64 vgem_svm_flush_begin(struct drm_svm_gpt *table,
			 struct drm_gpt_gather *gather)
{
	struct vgem_svm_vm *vm = container_of(table, struct vgem_svm_vm, table);

	return gather->gpt->cmd ? vgem_svm_flush_by_packets(vm, gather) :
				  vgem_svm_flush_by_register(vm, gather);
}

static int vgem_svm_poll_inv(struct vgem_svm_dev *vdev, u64 seq, bool may_sleep)
{
	ktime_t end = ktime_add_ns(ktime_get(), VGEM_SVM_FLUSH_TIMEOUT_NS);
	unsigned int n;

	for (n = 0; vgem_svm_hw_read(vdev->hw, VGEM_SVM_REG_INV_DONE) < seq; n++) {
		if (READ_ONCE(vdev->wedged))
			return 0;
		if (ktime_after(ktime_get(), end)) {
			drm_err(&vdev->drm, "TLB flush timed out: %llu is not acknowledged\n",
				seq);
			return -ENODEV;
		}
		if (may_sleep && n > 100)
			usleep_range(10, 50);
		else
			cpu_relax();
	}
	return 0;
}

static void vgem_svm_flush_note(struct vgem_svm_ring *ring)
{
	guard(spinlock)(&ring->lock);
	ring->kept = ring->credits;
}

int vgem_svm_flush_wait(struct drm_svm_gpt *table, u64 token, bool may_sleep)
{
	struct vgem_svm_vm *vm = container_of(table, struct vgem_svm_vm, table);
	struct vgem_svm_dev *vdev = vm->vdev;

	/* Stopped engines reach nothing. */
	if (READ_ONCE(vdev->wedged))
		return 0;
	if (!vm->gpt.cmd)
		return vgem_svm_poll_inv(vdev, token, may_sleep);
	vgem_svm_flush_note(&vdev->pt_ring);
	if (vgem_svm_ring_done(&vdev->pt_ring, token))
		return 0;
	if (!may_sleep)
		return -EAGAIN;
	if (!vgem_svm_ring_wait(&vdev->pt_ring, token))
		return 0;
	drm_err(&vdev->drm, "TLB flush timed out: page-table ring\n");
	return -ENODEV;
}

/**
 * vgem_svm_flush_gather() - flush and wait
 * @vm: address space
 * @gather: what; the caller finishes it
 *
 * A device that does not answer is stopped.
 *
 * Context: may sleep; allocates nothing.
 */
void vgem_svm_flush_gather(struct vgem_svm_vm *vm, struct drm_gpt_gather *gather)
{
	u64 token;

	if (drm_gpt_gather_empty(gather))
		return;
	token = vgem_svm_flush_begin(&vm->table, gather);
	/* What it did not need is others' while we wait. */
	if (!drm_svm_planted(VGEM_SVM_PLANTED_FLUSH_KEEPS))
		drm_gpt_gather_unreserve(gather);
	if (vgem_svm_flush_wait(&vm->table, token, true))
		vgem_svm_device_kill(vm->vdev);
}

/**
 * vgem_svm_flush_vm() - forget all of an address space, by register
 * @vm: it
 *
 * Context: may sleep.
 */
void vgem_svm_flush_vm(struct vgem_svm_vm *vm)
{
	u64 seq;

	spin_lock(&vm->vdev->inv_lock);
	vgem_svm_flush_reg(vm, 0, 0, VGEM_SVM_INV_VM);
	seq = vgem_svm_hw_read(vm->vdev->hw, VGEM_SVM_REG_INV_SEQ);
	spin_unlock(&vm->vdev->inv_lock);
	if (vgem_svm_poll_inv(vm->vdev, seq, true))
		vgem_svm_device_kill(vm->vdev);
}
