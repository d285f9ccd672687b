// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The interrupt line. It is raised from irq_work, so that the driver's handler
 * runs as it would for a real device: in hard interrupt context.
 *
 * The handler is called when INT_STATUS goes from no enabled bit to some. Who
 * adds a bit while another is set leaves the call to who takes that one away:
 * both change the register by one atomic operation that tells what was there,
 * so exactly one of the two sees that a call is due.
 */

#include "vgem_svm_hw_priv.h"

static void vgem_svm_irq_work(struct irq_work *work)
{
	struct vgem_svm_hw *hw =
		container_of(work, struct vgem_svm_hw, irq_work);

	spin_lock(&hw->irq_lock);
	if (atomic64_read(&hw->int_status) & READ_ONCE(hw->int_enable))
		hw->config.irq(hw->config.irq_data);
	spin_unlock(&hw->irq_lock);
}

void vgem_svm_irq_init(struct vgem_svm_hw *hw)
{
	spin_lock_init(&hw->irq_lock);
	init_irq_work(&hw->irq_work, vgem_svm_irq_work);
}

/**
 * vgem_svm_irq_raise() - something happened that software wants to know
 * @hw: the device
 * @bits: VGEM_SVM_INT_*
 *
 * Context: any.
 */
void vgem_svm_irq_raise(struct vgem_svm_hw *hw, u64 bits)
{
	u64 was = atomic64_fetch_or(bits, &hw->int_status);
	u64 enabled = READ_ONCE(hw->int_enable);

	if (!(was & enabled) && (bits & enabled))
		irq_work_queue(&hw->irq_work);
}

/**
 * vgem_svm_irq_ack() - INT_STATUS is written
 * @hw: the device
 * @bits: what software has seen
 *
 * Context: any.
 */
void vgem_svm_irq_ack(struct vgem_svm_hw *hw, u64 bits)
{
	u64 left = atomic64_fetch_andnot(bits, &hw->int_status) & ~bits;

	if (left & READ_ONCE(hw->int_enable))
		irq_work_queue(&hw->irq_work);
}

/**
 * vgem_svm_irq_enable() - INT_ENABLE is written
 * @hw: the device
 * @bits: what software wants to know
 *
 * Context: any.
 */
void vgem_svm_irq_enable(struct vgem_svm_hw *hw, u64 bits)
{
	WRITE_ONCE(hw->int_enable, bits);
	/* Who raises changes INT_STATUS, then reads INT_ENABLE. */
	smp_mb();
	if (atomic64_read(&hw->int_status) & bits)
		irq_work_queue(&hw->irq_work);
}
