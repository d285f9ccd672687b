// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Workers: one serves a group, and answers its records or puts them off.
 */

#include <linux/jiffies.h>

#include "drm_svm_fault_queue.h"

static bool drm_svm_group_passes(struct drm_svm_fault_group *group, int error)
{
	return drm_svm_fault_transient(error) &&
	       (error != -EIO || group->io_tries < DRM_SVM_IO_TRIES);
}

/* Pages of the group; those that have to wait are remembered, and no error. */
static int drm_svm_group_try(struct drm_svm_fault_group *group,
			     const struct drm_svm_want *want)
{
	struct drm_svm_left left;
	int error = drm_svm_serve(group->svm, group->base, want, &left);

	bitmap_or(group->left.held, group->left.held, left.held, DRM_SVM_RANGE_PAGES);
	bitmap_or(group->left.late, group->left.late, left.late, DRM_SVM_RANGE_PAGES);
	if (left.why)
		group->left.why = left.why;
	return error;
}

/* What is claimed is the driver's, who says what becomes of each; the list is ours. */
static void drm_svm_group_claimed(struct drm_svm_fault_group *group,
				  struct list_head *slots)
{
	struct drm_svm *svm = group->svm;
	struct drm_svm_slot *slot;

	if (!svm->ops->claimed)
		return;
	list_for_each_entry(slot, slots, node)
		if (slot->result == -EREMCHG)
			slot->result = svm->ops->claimed(svm, &slot->fault);
}

/*
 * Ends the records of a page that want so much or more. Return: the most that those
 * who are left want, less than 0 if there are none.
 */
static int drm_svm_group_refuse(struct drm_svm_fault_group *group,
				unsigned int page, enum drm_svm_access access,
				int error)
{
	struct drm_svm_slot *slot, *next;
	int left = -1;
	LIST_HEAD(bad);

	spin_lock(&group->queue->lock);
	list_for_each_entry_safe(slot, next, &group->serving, node) {
		if (drm_svm_slot_page(slot) != page)
			continue;
		if (slot->fault.access < access)
			left = max_t(int, left, slot->fault.access);
		else
			drm_svm_slot_end(slot, error, &bad);
	}
	spin_unlock(&group->queue->lock);
	drm_svm_group_claimed(group, &bad);
	drm_svm_answer(group->queue, &bad);
	return left;
}

static enum drm_svm_access drm_svm_group_most(const struct drm_svm_fault_group *group,
					      unsigned int page)
{
	if (test_bit(page, group->want.atomic))
		return DRM_SVM_ATOMIC;
	return test_bit(page, group->want.write) ? DRM_SVM_WRITE : DRM_SVM_READ;
}

/*
 * One page alone, as it was asked for. If that cannot be had, only those who want so
 * much are at fault, and the others are tried with what they want.
 */
static int drm_svm_group_serve_page(struct drm_svm_fault_group *group,
				    unsigned int page)
{
	int access = drm_svm_group_most(group, page), error;

	while (access >= DRM_SVM_READ) {
		struct drm_svm_want want = {};

		drm_svm_want_add(&want, page, 1, access);
		error = drm_svm_group_try(group, &want);
		if (!error || drm_svm_group_passes(group, error) ||
		    error == -ESRCH)
			return error;
		access = drm_svm_group_refuse(group, page, access, error);
		/* What is held of it, and put off, is so for those who are left. */
		if (access < DRM_SVM_ATOMIC)
			__clear_bit(page, group->want.atomic);
		if (access < DRM_SVM_WRITE)
			__clear_bit(page, group->want.write);
	}
	return 0;
}

static int drm_svm_group_serve(struct drm_svm_fault_group *group)
{
	unsigned int page;
	int error;

	group->left = (struct drm_svm_left){};
	error = drm_svm_group_try(group, &group->want);
	if (!error || drm_svm_group_passes(group, error) || error == -ESRCH)
		return error;
	/* Some page is bad: find out which, and serve the others. */
	for_each_set_bit(page, group->want.pages, DRM_SVM_RANGE_PAGES) {
		error = drm_svm_group_serve_page(group, page);
		if (error)
			return error;
	}
	return 0;
}

/* All that is pending; what is wanted is what these want, and nothing else. */
static void drm_svm_group_begin(struct drm_svm_fault_group *group)
{
	struct drm_svm_slot *slot, *next;

	group->state = DRM_SVM_GROUP_SERVING;
	group->want = (struct drm_svm_want){};
	list_for_each_entry_safe(slot, next, &group->pending, node) {
		drm_svm_want_add(&group->want, drm_svm_slot_page(slot), 1,
				 slot->fault.access);
		drm_svm_slot_move(slot, DRM_SVM_SLOT_SERVING, &group->serving);
	}
}

/* Return: whom it serves, NULL if nobody any more, or not yet. */
static struct drm_svm *drm_svm_group_take(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;

	guard(spinlock)(&queue->lock);
	if (group->state == DRM_SVM_GROUP_SLEEPING) {
		drm_svm_group_ready(group);
		drm_svm_queue_turn(queue);
		return NULL;
	}
	if (group->state != DRM_SVM_GROUP_QUEUED)
		return NULL;
	if (queue->paused || list_empty(&group->pending)) {
		drm_svm_group_rest(group);
		return NULL;
	}
	drm_svm_group_begin(group);
	return group->svm;
}

/* Ends those whose time is over. */
static void drm_svm_group_give_up(struct drm_svm_fault_group *group, int error)
{
	struct drm_svm_slot *slot, *next;
	LIST_HEAD(late);

	spin_lock(&group->queue->lock);
	list_for_each_entry_safe(slot, next, &group->serving, node) {
		slot->late = error == -EAGAIN || error == -EINTR ? -ETIME : error;
		if (drm_svm_slot_is_late(slot))
			drm_svm_slot_end(slot, slot->late, &late);
	}
	spin_unlock(&group->queue->lock);
	drm_svm_answer(group->queue, &late);
}

/*
 * The others go back for another try after a while. Return: false if there are none, or
 * none that would be looked at: who stops the address space has ended what waits, and
 * does not come again.
 */
static bool drm_svm_group_put_off(struct drm_svm_fault_group *group, int error)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm_slot *slot, *next;

	guard(spinlock)(&queue->lock);
	if (READ_ONCE(group->svm->dying))
		return false;
	/* Before those that came in meanwhile. */
	list_splice_tail_init(&group->pending, &group->serving);
	list_for_each_entry_safe(slot, next, &group->serving, node)
		drm_svm_slot_move(slot, DRM_SVM_SLOT_PENDING, &group->pending);
	if (list_empty(&group->pending))
		return false;
	atomic64_inc(&group->svm->stats.requeues);
	group->io_tries += error == -EIO;
	group->state = DRM_SVM_GROUP_SLEEPING;
	mod_delayed_work(queue->wq, &group->work, group->backoff);
	group->backoff = min(group->backoff * 2, HZ / 10UL);
	queue->running--;
	wake_up_all(&queue->quiet);
	drm_svm_queue_turn(queue);
	return true;
}

static void drm_svm_group_answer(struct drm_svm_fault_group *group, int result)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm_slot *slot, *next;
	LIST_HEAD(slots);

	spin_lock(&queue->lock);
	list_for_each_entry_safe(slot, next, &group->serving, node)
		drm_svm_slot_end(slot, result, &slots);
	group->backoff = 1;
	group->io_tries = 0;
	spin_unlock(&queue->lock);
	drm_svm_answer(queue, &slots);
}

/* Answers those whose pages need not wait. Return: whether others are left. */
static bool drm_svm_group_part(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm_slot *slot, *next;
	LIST_HEAD(slots);
	bool left;

	if (bitmap_empty(group->left.late, DRM_SVM_RANGE_PAGES))
		return false;
	spin_lock(&queue->lock);
	list_for_each_entry_safe(slot, next, &group->serving, node)
		if (!test_bit(drm_svm_slot_page(slot), group->left.late))
			drm_svm_slot_end(slot, 0, &slots);
	left = !list_empty(&group->serving);
	spin_unlock(&queue->lock);
	drm_svm_answer(queue, &slots);
	return left;
}

/*
 * A replay wakes all that is parked in the address space. While other groups of
 * it are being served, it waits for them a little: one replay for the batch. Held
 * faults are no reason to wait.
 */
static void drm_svm_group_replay(struct drm_svm_fault_group *group)
{
	bool alone;

	spin_lock(&group->queue->lock);
	alone = group->svm->nr_groups == 1;
	spin_unlock(&group->queue->lock);
	if (alone)
		drm_svm_replay_now(group->svm);
}

/**
 * drm_svm_serve_work() - serve a group
 * @work: &drm_svm_fault_group.work
 *
 * The group keeps its address space until it has lost its worker.
 */
void drm_svm_serve_work(struct work_struct *work)
{
	struct drm_svm_fault_group *group =
		container_of(work, struct drm_svm_fault_group, work.work);
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm *svm = drm_svm_group_take(group);
	int error;

	if (!svm)
		return;
	atomic64_inc(&svm->stats.fault_groups);
	error = drm_svm_group_serve(group);
	/* First: what is held waits for nobody else's luck. */
	if (!bitmap_empty(group->left.held, DRM_SVM_RANGE_PAGES))
		drm_svm_hold(group);
	if (!error && drm_svm_group_part(group))
		error = group->left.why;
	if (drm_svm_group_passes(group, error)) {
		drm_svm_group_give_up(group, error);
		if (drm_svm_group_put_off(group, error))
			return;
		error = -ESRCH;
	}
	drm_svm_group_answer(group, error);
	drm_svm_group_replay(group);
	spin_lock(&queue->lock);
	drm_svm_group_rest(group);
	spin_unlock(&queue->lock);
}
