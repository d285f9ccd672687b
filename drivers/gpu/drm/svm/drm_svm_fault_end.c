// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Ends of records that no service brings: the deadline, the end of the address
 * space, a reset of the device. They find a record in whatever list it waits; what is
 * being served is its worker's.
 */

#include <linux/jiffies.h>

#include "drm_svm_fault_queue.h"

static bool drm_svm_slot_waits(const struct drm_svm_slot *slot)
{
	return slot->state == DRM_SVM_SLOT_PENDING ||
	       slot->state == DRM_SVM_SLOT_WAITING ||
	       slot->state == DRM_SVM_SLOT_HELD;
}

/* Groups and held faults may have lost all that they were for. */
static void drm_svm_queue_trim(struct drm_svm_fault_queue *queue)
{
	drm_svm_groups_trim(queue);
	drm_svm_held_trim(queue);
	drm_svm_queue_turn(queue);
}

/**
 * drm_svm_end_all() - answer all that waits
 * @queue: queue
 * @svm: of this address space; NULL: of all
 * @result: what the driver is told
 *
 * Context: process; no lock is held.
 */
void drm_svm_end_all(struct drm_svm_fault_queue *queue, struct drm_svm *svm,
		     int result)
{
	struct drm_svm_slot *slot;
	LIST_HEAD(slots);
	unsigned int i;

	spin_lock(&queue->lock);
	drm_svm_driver_enter(queue);
	for (i = 0; i < queue->nr_slots; i++) {
		slot = &queue->slots[i];
		if (drm_svm_slot_waits(slot) && (!svm || slot->fault.svm == svm))
			drm_svm_slot_end(slot, result, &slots);
	}
	drm_svm_queue_trim(queue);
	spin_unlock(&queue->lock);
	drm_svm_answer(queue, &slots);

	guard(spinlock)(&queue->lock);
	drm_svm_driver_leave(queue);
}

/*
 * Ends what is late, and has the next looked at in time. Workers look after what they
 * serve themselves.
 */
static void drm_svm_expire(struct drm_svm_fault_queue *queue,
			   struct list_head *late)
{
	struct drm_svm_slot *slot;
	unsigned int i;

	for (i = 0; i < queue->nr_slots; i++) {
		slot = &queue->slots[i];
		if (slot->state == DRM_SVM_SLOT_FREE)
			continue;
		if (!drm_svm_slot_is_late(slot))
			drm_svm_expiry_arm(queue, slot->deadline);
		else if (drm_svm_slot_waits(slot))
			drm_svm_slot_end(slot, slot->late, late);
	}
	drm_svm_queue_trim(queue);
}

/**
 * drm_svm_expire_work() - answer what is past its deadline
 * @work: &drm_svm_fault_queue.expire_work
 */
void drm_svm_expire_work(struct work_struct *work)
{
	struct drm_svm_fault_queue *queue =
		container_of(work, struct drm_svm_fault_queue, expire_work.work);
	LIST_HEAD(late);

	spin_lock(&queue->lock);
	drm_svm_driver_enter(queue);
	queue->expiry_armed = false;
	/* The end of a pause asks again. */
	if (!queue->paused)
		drm_svm_expire(queue, &late);
	spin_unlock(&queue->lock);
	drm_svm_answer(queue, &late);

	guard(spinlock)(&queue->lock);
	drm_svm_driver_leave(queue);
}
