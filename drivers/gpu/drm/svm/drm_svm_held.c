// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Held faults: their pages are long in coming (drm_svm_lane.c waits for them).
 *
 * A held fault has left its group, and so the pool of groups and the workers; what
 * made it is parked. Its slots have their deadlines. It ends when
 *
 *	the page is there	-> its slots enter a group again
 *	the CPU's fault failed	-> those of that page get the error, the others enter
 *	it has no slot any more	-> deadline, stop or drop have answered them
 *
 * A record of a page that is held joins, before groups are looked at: no service, and
 * no replay. Held faults come from a pool of their own, in which a process and a user
 * have shares. Who has used up his has slots wait until one ends.
 *
 * The pool and @over are under the queue's lock, which the lane's @done takes; the
 * lane is never called under it. One work item ends a held fault, whatever ends it:
 * it first takes it out of the list, then cuts the lane off.
 */

#include <linux/jiffies.h>
#include <linux/slab.h>

#include "drm_svm_fault_queue.h"
#include "drm_svm_pagein.h"

#define DRM_SVM_HELD_PER_PROCESS	16
#define DRM_SVM_HELD_PER_USER		32
/* Until the lane is asked again, if it could not take a page. */
#define DRM_SVM_HELD_PAUSE		(HZ / 10)

/**
 * struct drm_svm_held - faults of one range, held
 * @node: in the queue's list, or in that of free ones
 * @work: ends it
 * @queue: back pointer
 * @svm: address space
 * @base: first byte of the range
 * @want: pages that are waited for
 * @slots: the records
 * @in: what the lane does for it; NULL if it could not be asked
 * @over: the lane has done it
 * @error: and how it ended; about page @page
 * @page: index
 */
struct drm_svm_held {
	struct list_head node;
	struct delayed_work work;
	struct drm_svm_fault_queue *queue;
	struct drm_svm *svm;
	u64 base;
	DECLARE_BITMAP(want, DRM_SVM_RANGE_PAGES);
	struct list_head slots;
	struct drm_svm_pagein *in;
	bool over;
	int error;
	unsigned int page;
};

/* A range can have several, since pages that are asked for later do not wait. */
static bool drm_svm_held_is_of(const struct drm_svm_held *held,
			       const struct drm_svm *svm, u64 base)
{
	return held->svm == svm && held->base == base;
}

/**
 * drm_svm_held_absorb() - is a fault of a page that is held?
 * @queue: queue
 * @slot: the caller's
 *
 * Context: the queue's lock is held.
 * Return: true if it is; then it waits with the others.
 */
bool drm_svm_held_absorb(struct drm_svm_fault_queue *queue,
			 struct drm_svm_slot *slot)
{
	struct drm_svm_held *held;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(held, &queue->held, node) {
		if (!drm_svm_held_is_of(held, slot->fault.svm,
					drm_svm_slot_base(slot)) ||
		    !test_bit(drm_svm_slot_page(slot), held->want))
			continue;
		drm_svm_slot_move(slot, DRM_SVM_SLOT_HELD, &held->slots);
		return true;
	}
	return false;
}

static bool drm_svm_held_has_share(struct drm_svm_fault_queue *queue,
				   struct drm_svm_mm *smm)
{
	unsigned int process = 0, user = 0;
	struct drm_svm_held *held;

	list_for_each_entry(held, &queue->held, node) {
		process += held->svm->smm == smm;
		user += uid_eq(held->svm->smm->user, smm->user);
	}
	return process < DRM_SVM_HELD_PER_PROCESS &&
	       user < DRM_SVM_HELD_PER_USER && !list_empty(&queue->free_held);
}

/* Return: a new one for the group's held pages, or NULL. */
static struct drm_svm_held *drm_svm_held_new(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm_held *held;

	lockdep_assert_held(&queue->lock);
	if (!drm_svm_held_has_share(queue, group->svm->smm))
		return NULL;
	held = list_first_entry(&queue->free_held, struct drm_svm_held, node);
	list_move_tail(&held->node, &queue->held);
	held->svm = group->svm;
	held->base = group->base;
	held->in = NULL;
	held->over = false;
	held->error = 0;
	bitmap_copy(held->want, group->left.held, DRM_SVM_RANGE_PAGES);
	group->svm->active++;
	return held;
}

/* The lane has done it; under the lane's lock. */
static void drm_svm_held_done(struct drm_svm_lane_job *job, int error)
{
	struct drm_svm_pagein *in = container_of(job, struct drm_svm_pagein, job);
	struct drm_svm_held *held = in->waiter;

	guard(spinlock)(&held->queue->lock);
	held->over = true;
	held->error = error;
	held->page = in->page;
	mod_delayed_work(held->queue->wq, &held->work, 0);
}

/* The lane's part of a group's held pages. Return: it, or NULL. */
static struct drm_svm_pagein *
drm_svm_held_pagein(struct drm_svm_fault_group *group)
{
	struct drm_svm_pagein *in =
		drm_svm_pagein_make(group->svm->smm, group->base);

	if (!in)
		return NULL;
	bitmap_copy(in->want, group->left.held, DRM_SVM_RANGE_PAGES);
	bitmap_and(in->write, group->left.held, group->want.write, DRM_SVM_RANGE_PAGES);
	in->job.done = drm_svm_held_done;
	return in;
}

/* Moves what a group serves of some pages to another list. */
static void drm_svm_held_move(struct drm_svm_fault_group *group,
			      const unsigned long *pages,
			      enum drm_svm_slot_state state,
			      struct list_head *list)
{
	struct drm_svm_slot *slot, *next;

	list_for_each_entry_safe(slot, next, &group->serving, node)
		if (test_bit(drm_svm_slot_page(slot), pages))
			drm_svm_slot_move(slot, state, list);
}

/* Faults of pages that are held already join those that wait for them. */
static void drm_svm_held_join(struct drm_svm_fault_group *group)
{
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	struct drm_svm_held *held;

	list_for_each_entry(held, &group->queue->held, node) {
		if (!drm_svm_held_is_of(held, group->svm, group->base) ||
		    !held->in ||
		    !bitmap_and(pages, group->left.held, held->want,
				DRM_SVM_RANGE_PAGES))
			continue;
		drm_svm_held_move(group, pages, DRM_SVM_SLOT_HELD, &held->slots);
		bitmap_andnot(group->left.held, group->left.held, pages,
			      DRM_SVM_RANGE_PAGES);
	}
}

/* What was held and has been refused since is not waited for. */
static void drm_svm_held_prune(struct drm_svm_fault_group *group)
{
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES) = {};
	struct drm_svm_slot *slot;

	list_for_each_entry(slot, &group->serving, node)
		__set_bit(drm_svm_slot_page(slot), pages);
	bitmap_and(group->left.held, group->left.held, pages, DRM_SVM_RANGE_PAGES);
}

/*
 * Moves the slots out of the group. Return: true if @in has got a held fault to
 * work for, which has a reference to it.
 */
static bool drm_svm_held_enter(struct drm_svm_fault_group *group,
			       struct drm_svm_pagein *in)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm_held *held;

	lockdep_assert_held(&queue->lock);
	drm_svm_held_prune(group);
	drm_svm_held_join(group);
	if (bitmap_empty(group->left.held, DRM_SVM_RANGE_PAGES))
		return false;
	held = drm_svm_held_new(group);
	if (!held) {
		drm_svm_held_move(group, group->left.held, DRM_SVM_SLOT_WAITING,
				  &queue->waiting_held);
		return false;
	}
	drm_svm_held_move(group, group->left.held, DRM_SVM_SLOT_HELD, &held->slots);
	held->in = in;
	if (!in) {
		mod_delayed_work(queue->wq, &held->work, DRM_SVM_HELD_PAUSE);
		return false;
	}
	/* The others are waited for already. */
	bitmap_and(in->want, in->want, group->left.held, DRM_SVM_RANGE_PAGES);
	in->waiter = held;
	refcount_inc(&in->ref);
	return true;
}

/*
 * Who stops an address space has ended what is held, and waits for what is being
 * served. Return: true if @svm is being stopped: its slots are in @list.
 */
static bool drm_svm_held_dies(struct drm_svm_fault_group *group,
			      struct list_head *list)
{
	struct drm_svm_slot *slot, *next;

	if (!READ_ONCE(group->svm->dying))
		return false;
	list_for_each_entry_safe(slot, next, &group->serving, node)
		if (test_bit(drm_svm_slot_page(slot), group->left.held))
			drm_svm_slot_end(slot, -ESRCH, list);
	return true;
}

/* The lane could not take it, and it may be over by now. */
static void drm_svm_held_retry(struct drm_svm_fault_queue *queue,
			       struct drm_svm_pagein *in)
{
	struct drm_svm_held *held = in->waiter;

	guard(spinlock)(&queue->lock);
	if (held->in != in)
		return;
	held->over = true;
	mod_delayed_work(queue->wq, &held->work, DRM_SVM_HELD_PAUSE);
}

/**
 * drm_svm_hold() - take held faults out of a group
 * @group: its worker calls; @held says which pages, @serving loses their slots
 *
 * Context: may sleep.
 */
void drm_svm_hold(struct drm_svm_fault_group *group)
{
	struct drm_svm_pagein *in = drm_svm_held_pagein(group);
	struct drm_svm_fault_queue *queue = group->queue;
	bool start = false;
	LIST_HEAD(dying);

	spin_lock(&queue->lock);
	if (!drm_svm_held_dies(group, &dying))
		start = drm_svm_held_enter(group, in);
	spin_unlock(&queue->lock);
	drm_svm_answer(queue, &dying);
	if (start && drm_svm_pagein_start(in))
		drm_svm_held_retry(queue, in);
	if (in)
		drm_svm_pagein_put(in);
}

/*
 * Takes one that has ended out of the list. A pause puts that off, since there may be
 * an error to tell. Return: true, and what the lane did for it.
 */
static bool drm_svm_held_leave(struct drm_svm_held *held,
			       struct drm_svm_pagein **in)
{
	struct drm_svm_fault_queue *queue = held->queue;

	guard(spinlock)(&queue->lock);
	if (!held->svm)
		return false;
	if (!list_empty(&held->slots) &&
	    ((held->in && !held->over) || queue->paused))
		return false;
	*in = held->in;
	held->in = NULL;
	/* Faults that come now enter a group. */
	list_del_init(&held->node);
	drm_svm_driver_enter(queue);
	return true;
}

static bool drm_svm_held_writes(const struct drm_svm_held *held)
{
	struct drm_svm_slot *slot;

	list_for_each_entry(slot, &held->slots, node)
		if (drm_svm_slot_page(slot) == held->page &&
		    slot->fault.access != DRM_SVM_READ)
			return true;
	return false;
}

/* Ends what is not to be served: if the page was to be written, only who writes. */
static void drm_svm_held_judge(struct drm_svm_held *held, struct list_head *bad)
{
	bool writes_only = drm_svm_held_writes(held);
	struct drm_svm_slot *slot, *next;

	if (held->error != -EFAULT && held->error != -EACCES)
		return;
	list_for_each_entry_safe(slot, next, &held->slots, node)
		if (drm_svm_slot_page(slot) == held->page &&
		    !(writes_only && slot->fault.access == DRM_SVM_READ))
			drm_svm_slot_end(slot, held->error, bad);
}

static void drm_svm_held_free(struct drm_svm_held *held)
{
	struct drm_svm_fault_queue *queue = held->queue;
	struct drm_svm *svm = held->svm;
	struct drm_svm_slot *slot, *next;

	lockdep_assert_held(&queue->lock);
	held->svm = NULL;
	list_add(&held->node, &queue->free_held);
	/* There is room for one more: they are served again, and found held. */
	list_for_each_entry_safe(slot, next, &queue->waiting_held, node)
		list_move_tail(&slot->node, &slot->fault.svm->waiting);
	drm_svm_queue_turn(queue);
	drm_svm_deactivate(svm);
}

static void drm_svm_held_work(struct work_struct *work)
{
	struct drm_svm_held *held =
		container_of(work, struct drm_svm_held, work.work);
	struct drm_svm_fault_queue *queue = held->queue;
	struct drm_svm_slot *slot, *next;
	struct drm_svm_pagein *in;
	LIST_HEAD(bad);

	if (!drm_svm_held_leave(held, &in))
		return;
	if (in) {
		drm_svm_lane_stop(&in->job);
		drm_svm_pagein_put(in);
	}
	spin_lock(&queue->lock);
	drm_svm_held_judge(held, &bad);
	list_for_each_entry_safe(slot, next, &held->slots, node)
		drm_svm_fault_enter(queue, slot);
	drm_svm_queue_dispatch(queue);
	drm_svm_held_free(held);
	spin_unlock(&queue->lock);
	drm_svm_answer(queue, &bad);

	guard(spinlock)(&queue->lock);
	drm_svm_driver_leave(queue);
}

/**
 * drm_svm_held_trim() - slots have been taken away
 * @queue: queue
 *
 * Context: the queue's lock is held.
 */
void drm_svm_held_trim(struct drm_svm_fault_queue *queue)
{
	struct drm_svm_held *held;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(held, &queue->held, node)
		if (list_empty(&held->slots))
			mod_delayed_work(queue->wq, &held->work, 0);
}

/**
 * drm_svm_held_resume() - what ended during a pause may end now
 * @queue: queue
 *
 * Context: the queue's lock is held.
 */
void drm_svm_held_resume(struct drm_svm_fault_queue *queue)
{
	struct drm_svm_held *held;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(held, &queue->held, node)
		if (held->over || !held->in)
			mod_delayed_work(queue->wq, &held->work, 0);
}

/**
 * drm_svm_held_cancel() - no work is left over
 * @queue: queue, in which nothing is held
 *
 * Context: may sleep.
 */
void drm_svm_held_cancel(struct drm_svm_fault_queue *queue)
{
	unsigned int i;

	for (i = 0; queue->held_pool && i < DRM_SVM_HELD; i++)
		cancel_delayed_work_sync(&queue->held_pool[i].work);
}

/**
 * drm_svm_held_init() - make the pool
 * @queue: queue
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM.
 */
int drm_svm_held_init(struct drm_svm_fault_queue *queue)
{
	unsigned int i;

	queue->held_pool = kvzalloc_objs(*queue->held_pool, DRM_SVM_HELD,
					 GFP_KERNEL);
	if (!queue->held_pool)
		return -ENOMEM;
	for (i = 0; i < DRM_SVM_HELD; i++) {
		struct drm_svm_held *held = &queue->held_pool[i];

		held->queue = queue;
		INIT_LIST_HEAD(&held->slots);
		INIT_DELAYED_WORK(&held->work, drm_svm_held_work);
		list_add_tail(&held->node, &queue->free_held);
	}
	return 0;
}
