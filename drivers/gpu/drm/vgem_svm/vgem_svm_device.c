// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Bringing a device up and down, and stopping one that does not answer.
 */

#include <linux/dma-mapping.h>
#include <linux/sched/mm.h>
#include <linux/wait_bit.h>

#include <drm/drm_print.h>

#include "vgem_svm_drv.h"
#include "vgem_svm_fence.h"

/**
 * vgem_svm_device_kill() - stop the hardware for good
 * @vdev: device
 *
 * When it returns no engine makes an access through a page table any more. Queues
 * are found dead by their channels' errors. Only the copy engine is started
 * again, by the next copy: what is in device memory is not lost.
 *
 * Context: not hard interrupt; allocates nothing, does not sleep.
 */
void vgem_svm_device_kill(struct vgem_svm_dev *vdev)
{
	u32 vm;

	guard(spinlock)(&vdev->kill_lock);
	if (vdev->wedged)
		return;
	vgem_svm_hw_write(vdev->hw, VGEM_SVM_REG_RESET, 1);
	for (vm = 0; vm < VGEM_SVM_HW_NR_VMS; vm++)
		vgem_svm_hw_write(vdev->hw, VGEM_SVM_REG_VM_ROOT(vm), 0);
	WRITE_ONCE(vdev->pt_ring.dead, true);
	WRITE_ONCE(vdev->copy_ring.dead, true);
	/* Whoever sees it relies on the hardware having been stopped. */
	smp_store_release(&vdev->wedged, true);
	drm_err(&vdev->drm, "stopped: it did not answer\n");
	wake_up_all(&vdev->fence_wait);
}

static int vgem_svm_alloc_coherent(struct vgem_svm_dev *vdev)
{
	vdev->fences = dma_alloc_coherent(vdev->dev, PAGE_SIZE,
					  &vdev->fences_dma, GFP_KERNEL);
	if (!vdev->fences)
		return -ENOMEM;
	vdev->faults = dma_alloc_coherent(vdev->dev,
					  vgem_svm_fault_entries *
					  sizeof(*vdev->faults),
					  &vdev->faults_dma, GFP_KERNEL);
	return vdev->faults ? 0 : -ENOMEM;
}

static void vgem_svm_free_coherent(struct vgem_svm_dev *vdev)
{
	if (vdev->faults)
		dma_free_coherent(vdev->dev, vgem_svm_fault_entries *
				  sizeof(*vdev->faults), vdev->faults,
				  vdev->faults_dma);
	if (vdev->fences)
		dma_free_coherent(vdev->dev, PAGE_SIZE, vdev->fences,
				  vdev->fences_dma);
}

static int vgem_svm_rings_init(struct vgem_svm_dev *vdev)
{
	int ret;

	ret = vgem_svm_ring_init(vdev, &vdev->pt_ring, VGEM_SVM_HW_CHAN_PT,
				 VGEM_SVM_PT_RING_BYTES);
	ret = ret ?: vgem_svm_ring_init(vdev, &vdev->copy_ring,
					VGEM_SVM_HW_CHAN_COPY,
					VGEM_SVM_COPY_RING_BYTES);
	if (ret)
		return ret;
	vgem_svm_ring_enable(&vdev->pt_ring, 0, 0, 0);
	vgem_svm_ring_enable(&vdev->copy_ring, 0, 0, 0);
	return 0;
}

static void vgem_svm_start_hw(struct vgem_svm_dev *vdev)
{
	struct vgem_svm_hw *hw = vdev->hw;

	WRITE_ONCE(vdev->irq_on, true);
	vgem_svm_hw_write(hw, VGEM_SVM_REG_FAULT_BASE, vdev->faults_dma);
	vgem_svm_hw_write(hw, VGEM_SVM_REG_FAULT_ENTRIES,
			  vgem_svm_fault_entries);
	vgem_svm_hw_write(hw, VGEM_SVM_REG_FAULT_CTRL,
			  vgem_svm_fault_each ? VGEM_SVM_FAULT_EACH : 0);
	vgem_svm_hw_write(hw, VGEM_SVM_REG_INT_ENABLE,
			  VGEM_SVM_INT_FAULT | VGEM_SVM_INT_FENCE |
			  VGEM_SVM_INT_CHAN_ERROR);
}

/* When it returns no interrupt and no work of one looks at the hardware. */
static void vgem_svm_irq_off(struct vgem_svm_dev *vdev)
{
	vgem_svm_hw_write(vdev->hw, VGEM_SVM_REG_INT_ENABLE, 0);
	WRITE_ONCE(vdev->irq_on, false);
	/* A hard interrupt handler is an RCU reader. */
	synchronize_rcu();
	cancel_work_sync(&vdev->done_work);
	cancel_work_sync(&vdev->error_work);
}

static int vgem_svm_region_start(struct vgem_svm_dev *vdev)
{
	u64 bytes = vgem_svm_pt_base(vdev);

	return bytes ? drm_svm_region_init(&vdev->region, &vdev->sdev, bytes,
					   &vgem_svm_region_ops) : 0;
}

static void vgem_svm_region_stop(struct vgem_svm_dev *vdev)
{
	if (vdev->region.bytes)
		drm_svm_region_fini(&vdev->region);
}

/* Copies run under mmap_lock with pages locked: nobody allocates under it. */
static void vgem_svm_prime_copy_lock(struct vgem_svm_dev *vdev)
{
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&vdev->copy_lock);
	fs_reclaim_release(GFP_KERNEL);
}

static void vgem_svm_device_setup(struct vgem_svm_dev *vdev)
{
	init_waitqueue_head(&vdev->fence_wait);
	mutex_init(&vdev->copy_lock);
	spin_lock_init(&vdev->inv_lock);
	spin_lock_init(&vdev->chan_lock);
	spin_lock_init(&vdev->user_lock);
	INIT_LIST_HEAD(&vdev->users);
	spin_lock_init(&vdev->kill_lock);
	xa_init_flags(&vdev->vms, XA_FLAGS_ALLOC1);
	ida_init(&vdev->pt_tables);
	INIT_WORK(&vdev->done_work, vgem_svm_done_work);
	INIT_WORK(&vdev->error_work, vgem_svm_error_work);
	vgem_svm_prime_copy_lock(vdev);
}

/**
 * vgem_svm_device_init() - bring the device up
 * @vdev: device, zeroed but for @drm, @dev and @id
 *
 * Context: may sleep.
 * Return: 0 or a negative error; then nothing is left.
 */
int vgem_svm_device_init(struct vgem_svm_dev *vdev)
{
	struct vgem_svm_hw_config config = {
		.dev = vdev->dev,
		.irq = vgem_svm_irq,
		.irq_data = vdev,
		.vram_bytes = (u64)vgem_svm_vram_mb << 20,
		.nr_compute = vgem_svm_nr_compute,
		.id = vdev->id,
	};
	int ret;

	vgem_svm_device_setup(vdev);
	vdev->wq = alloc_workqueue("vgem_svm%u", WQ_UNBOUND, 0, vdev->id);
	if (!vdev->wq)
		return -ENOMEM;
	ret = vgem_svm_fences_init(vdev);
	if (ret)
		goto err_wq;
	vdev->hw = vgem_svm_hw_create(&config);
	if (IS_ERR(vdev->hw)) {
		ret = PTR_ERR(vdev->hw);
		goto err_fences;
	}
	vdev->fault_queue.deadline_ms = vgem_svm_fault_deadline_ms;
	vdev->fault_queue.nr_slots = VGEM_SVM_FAULT_SLOTS;
	drm_svm_device_init(&vdev->sdev, vdev->dev);
	vdev->sdev.system_atomics = vgem_svm_system_atomics;
	ret = drm_svm_fault_queue_init(&vdev->fault_queue, &vdev->sdev,
				       &vgem_svm_fault_ops, dev_name(vdev->dev));
	if (ret)
		goto err_hw;
	ret = vgem_svm_alloc_coherent(vdev);
	ret = ret ?: vgem_svm_rings_init(vdev);
	ret = ret ?: vgem_svm_region_start(vdev);
	if (ret)
		goto err_rings;
	vgem_svm_start_hw(vdev);
	return 0;

err_rings:
	vgem_svm_ring_fini(&vdev->copy_ring);
	vgem_svm_ring_fini(&vdev->pt_ring);
	vgem_svm_free_coherent(vdev);
	drm_svm_fault_queue_fini(&vdev->fault_queue);
err_hw:
	drm_svm_device_fini(&vdev->sdev);
	vgem_svm_hw_destroy(vdev->hw);
err_fences:
	vgem_svm_fences_fini(vdev);
err_wq:
	destroy_workqueue(vdev->wq);
	return ret;
}

static void vgem_svm_close_vms(struct vgem_svm_dev *vdev)
{
	struct vgem_svm_vm *vm;
	unsigned long id = 0;

	/* No new ones are made: the device is unplugged. */
	for (;;) {
		xa_lock(&vdev->vms);
		vm = xa_find(&vdev->vms, &id, ULONG_MAX, XA_PRESENT);
		if (vm)
			kref_get(&vm->ref);
		xa_unlock(&vdev->vms);
		if (!vm)
			break;
		vgem_svm_vm_end(vm);
		vgem_svm_vm_put(vm);
		id++;
	}
	/* And those that others are closing. */
	wait_var_event(&vdev->nr_vms, !atomic_read(&vdev->nr_vms));
}

/**
 * vgem_svm_device_fini() - take the device down
 * @vdev: device, unplugged: no ioctl uses it any more
 *
 * Files may still be open. What processes have in its memory moves to system
 * memory.
 *
 * Context: may sleep.
 */
void vgem_svm_device_fini(struct vgem_svm_dev *vdev)
{
	vgem_svm_close_vms(vdev);
	vgem_svm_region_stop(vdev);
	vgem_svm_irq_off(vdev);
	vgem_svm_fences_fini(vdev);
	drm_svm_fault_queue_fini(&vdev->fault_queue);
	drm_svm_device_fini(&vdev->sdev);
	vgem_svm_ring_fini(&vdev->copy_ring);
	vgem_svm_ring_fini(&vdev->pt_ring);
	vgem_svm_hw_destroy(vdev->hw);
	vgem_svm_free_coherent(vdev);
	destroy_workqueue(vdev->wq);
	vdev->hw = NULL;
	xa_destroy(&vdev->vms);
	ida_destroy(&vdev->pt_tables);
}
