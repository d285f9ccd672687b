// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Interrupts: the handler acknowledges and hands on; work does the rest.
 */

#include "vgem_svm_drv.h"
#include "vgem_svm_fence.h"

/**
 * vgem_svm_irq() - the interrupt handler
 * @data: the device
 *
 * Context: hard interrupt.
 */
void vgem_svm_irq(void *data)
{
	struct vgem_svm_dev *vdev = data;
	u64 status;

	if (!READ_ONCE(vdev->irq_on))
		return;
	status = vgem_svm_hw_read(vdev->hw, VGEM_SVM_REG_INT_STATUS);
	vgem_svm_hw_write(vdev->hw, VGEM_SVM_REG_INT_STATUS, status);
	if (status & VGEM_SVM_INT_FAULT)
		drm_svm_fault_queue_kick(&vdev->fault_queue);
	if (status & (VGEM_SVM_INT_FENCE | VGEM_SVM_INT_CHAN_ERROR))
		vgem_svm_fences_look(vdev);
	if (status & VGEM_SVM_INT_FENCE) {
		wake_up_all(&vdev->fence_wait);
		queue_work(system_dfl_wq, &vdev->done_work);
	}
	if (status & VGEM_SVM_INT_CHAN_ERROR)
		queue_work(system_dfl_wq, &vdev->error_work);
}

void vgem_svm_done_work(struct work_struct *work)
{
	struct vgem_svm_dev *vdev =
		container_of(work, struct vgem_svm_dev, done_work);
	u32 chan;

	for (chan = VGEM_SVM_HW_CHAN_USER; chan < VGEM_SVM_HW_NR_CHANS; chan++) {
		struct vgem_svm_queue *queue =
			vgem_svm_queue_of_chan(vdev, chan);

		if (!queue)
			continue;
		vgem_svm_queue_retire(queue);
		vgem_svm_queue_put(queue);
	}
}

static void vgem_svm_chan_error(struct vgem_svm_dev *vdev, u32 chan)
{
	struct vgem_svm_queue *queue;

	if (chan == VGEM_SVM_HW_CHAN_PT) {
		/* What is not written to tables will never be. */
		vgem_svm_device_kill(vdev);
		return;
	}
	if (chan == VGEM_SVM_HW_CHAN_COPY) {
		vgem_svm_copy_died(vdev);
		return;
	}
	queue = vgem_svm_queue_of_chan(vdev, chan);
	if (!queue)
		return;
	vgem_svm_queue_kill(queue, VGEM_SVM_ERR_NONE);
	vgem_svm_queue_put(queue);
}

void vgem_svm_error_work(struct work_struct *work)
{
	struct vgem_svm_dev *vdev =
		container_of(work, struct vgem_svm_dev, error_work);
	u64 chans = vgem_svm_hw_read(vdev->hw, VGEM_SVM_REG_CHAN_ERRORS);
	u32 chan;

	vgem_svm_hw_write(vdev->hw, VGEM_SVM_REG_CHAN_ERRORS, chans);
	for_each_set_bit(chan, (unsigned long *)&chans, VGEM_SVM_HW_NR_CHANS)
		vgem_svm_chan_error(vdev, chan);
}
