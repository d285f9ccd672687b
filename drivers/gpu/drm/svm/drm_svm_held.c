// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Held faults: their pages are long in coming (drm_svm_lane.c waits for them).
 *
 * A held fault has left its group, and so the pool of groups and the workers; the
 * units that made it are parked. It keeps its deadline. It ends in one of:
 *
 *	the page is there	-> its faults enter a group again, same deadline
 *	the CPU's fault failed	-> cancelled with that error
 *	the deadline		-> cancelled with -ETIME
 *	the address space goes	-> dropped
 *
 * A replay meant for others wakes its units too; they fault again, and such a
 * record is absorbed here: no service, no replay.
 *
 * Held faults come from a pool of their own, in which a process and a user have
 * shares. Who has used up his lets more of his faults go, which come back when one
 * of his held faults ends.
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
 * @deadline: jiffies when it is given up
 * @set: the faults
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
	unsigned long deadline;
	struct drm_svm_fault_set set;
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
 * @fault: fault
 *
 * Context: the queue's lock is held.
 * Return: true if it is; then it needs no service.
 */
bool drm_svm_held_absorb(struct drm_svm_fault_queue *queue,
			 const struct drm_svm_fault *fault)
{
	u64 base = fault->addr & DRM_SVM_RANGE_MASK;
	struct drm_svm_held *held;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(held, &queue->held, node) {
		if (!drm_svm_held_is_of(held, fault->svm, base) ||
		    !test_bit(drm_svm_page_index(fault->addr), held->set.want))
			continue;
		drm_svm_set_absorb(&held->set, fault);
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

/* Return: a new one for the group's range, or NULL. */
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
	held->deadline = group->deadline;
	held->over = false;
	held->error = 0;
	memset(&held->set, 0, sizeof(held->set));
	group->svm->active++;
	return held;
}

/* The lane has done it; under the lane's lock. */
static void drm_svm_held_done(struct drm_svm_lane_job *job, int error)
{
	struct drm_svm_pagein *in = container_of(job, struct drm_svm_pagein, job);
	struct drm_svm_held *held = in->held;

	guard(spinlock)(&held->queue->lock);
	held->over = true;
	held->error = error;
	held->page = in->page;
	mod_delayed_work(held->queue->wq, &held->work, 0);
}

/* What is left of its time, in jiffies. */
static unsigned long drm_svm_held_left(const struct drm_svm_held *held)
{
	unsigned long now = jiffies;

	return time_before(now, held->deadline) ? held->deadline - now : 0;
}

/* The lane's part of a group's held pages. Return: it, or NULL. */
static struct drm_svm_pagein *
drm_svm_held_pagein(struct drm_svm_fault_group *group)
{
	struct drm_svm_pagein *in =
		drm_svm_pagein_make(group->svm->smm, group->base);

	if (!in)
		return NULL;
	bitmap_copy(in->want, group->held, DRM_SVM_RANGE_PAGES);
	bitmap_and(in->write, group->held, group->serving.write,
		   DRM_SVM_RANGE_PAGES);
	in->job.done = drm_svm_held_done;
	return in;
}

/* Faults of pages that are held already join those that wait for them. */
static void drm_svm_held_join(struct drm_svm_fault_group *group)
{
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	struct drm_svm_held *held;

	list_for_each_entry(held, &group->queue->held, node) {
		if (!drm_svm_held_is_of(held, group->svm, group->base) ||
		    !held->in ||
		    !bitmap_and(pages, group->held, held->in->want,
				DRM_SVM_RANGE_PAGES))
			continue;
		drm_svm_set_take(&group->serving, pages, &held->set);
		bitmap_andnot(group->held, group->held, pages,
			      DRM_SVM_RANGE_PAGES);
	}
}

/*
 * Moves the faults out of the group. Return: true if @in has got a held fault to
 * work for, which has a reference to it.
 */
static bool drm_svm_held_enter(struct drm_svm_fault_group *group,
			       struct drm_svm_pagein *in)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm_held *held;

	guard(spinlock)(&queue->lock);
	/* Who stops it has ended what is held, and waits for no more of it. */
	if (READ_ONCE(group->svm->dying)) {
		drm_svm_set_take(&group->serving, group->held, NULL);
		return false;
	}
	drm_svm_held_join(group);
	if (bitmap_empty(group->held, DRM_SVM_RANGE_PAGES))
		return false;
	held = drm_svm_held_new(group);
	drm_svm_set_take(&group->serving, group->held, held ? &held->set : NULL);
	if (!held) {
		drm_svm_starve_held(queue, group->svm);
		return false;
	}
	held->in = in;
	if (in) {
		/* The others are waited for already. */
		bitmap_and(in->want, in->want, group->held, DRM_SVM_RANGE_PAGES);
		in->held = held;
		refcount_inc(&in->ref);
	}
	mod_delayed_work(queue->wq, &held->work,
			 in ? drm_svm_held_left(held) : DRM_SVM_HELD_PAUSE);
	return in;
}

/* The lane could not take it, and it may be over by now. */
static void drm_svm_held_retry(struct drm_svm_fault_queue *queue,
			       struct drm_svm_pagein *in)
{
	struct drm_svm_held *held = in->held;

	guard(spinlock)(&queue->lock);
	if (held->in != in)
		return;
	held->over = true;
	mod_delayed_work(queue->wq, &held->work, DRM_SVM_HELD_PAUSE);
}

/**
 * drm_svm_hold() - take held faults out of a group
 * @group: its worker calls; @held says which pages, @serving loses their faults
 *
 * Context: may sleep.
 */
void drm_svm_hold(struct drm_svm_fault_group *group)
{
	struct drm_svm_pagein *in = drm_svm_held_pagein(group);

	if (drm_svm_held_enter(group, in) && drm_svm_pagein_start(in))
		drm_svm_held_retry(group->queue, in);
	if (in)
		drm_svm_pagein_put(in);
}

/* Takes one that has ended out of the list. Return: what the lane did for it. */
static bool drm_svm_held_leave(struct drm_svm_held *held,
			       struct drm_svm_pagein **in)
{
	struct drm_svm_fault_queue *queue = held->queue;

	guard(spinlock)(&queue->lock);
	if (!held->svm)
		return false;
	if (held->in && !held->over && !READ_ONCE(held->svm->dying) &&
	    drm_svm_held_left(held)) {
		mod_delayed_work(queue->wq, &held->work,
				 drm_svm_held_left(held));
		return false;
	}
	*in = held->in;
	held->in = NULL;
	/* Faults that come now enter a group. */
	list_del_init(&held->node);
	return true;
}

/*
 * Tells those that are not to be served, who then leave the set. Return: true if
 * there were any: the set may have let some go whose turn to be told comes when
 * they ask again.
 */
static bool drm_svm_held_judge(struct drm_svm_held *held)
{
	struct drm_svm_fault_set *set = &held->set;

	if (!held->over && !drm_svm_held_left(held)) {
		drm_svm_set_cancel_all(set, held->svm, -ETIME);
		return true;
	}
	if (held->error != -EFAULT && held->error != -EACCES)
		return false;
	drm_svm_set_cancel(set, held->svm, held->page,
			   test_bit(held->page, set->write), held->error);
	return true;
}

static void drm_svm_held_free(struct drm_svm_held *held)
{
	struct drm_svm_fault_queue *queue = held->queue;
	struct drm_svm *svm = held->svm;

	lockdep_assert_held(&queue->lock);
	held->svm = NULL;
	list_add(&held->node, &queue->free_held);
	list_splice_tail_init(&queue->starved_held, &queue->starved);
	drm_svm_queue_turn(queue);
	drm_svm_deactivate(svm);
}

static void drm_svm_held_work(struct work_struct *work)
{
	struct drm_svm_held *held =
		container_of(work, struct drm_svm_held, work.work);
	struct drm_svm_fault_queue *queue = held->queue;
	struct drm_svm_pagein *in;
	bool judged = false;
	unsigned int i;

	if (!drm_svm_held_leave(held, &in))
		return;
	if (in) {
		drm_svm_lane_stop(&in->job);
		drm_svm_pagein_put(in);
	}
	if (!READ_ONCE(held->svm->dying))
		judged = drm_svm_held_judge(held);

	guard(spinlock)(&queue->lock);
	if (judged)
		drm_svm_replay_later(held->svm);
	for (i = 0; i < held->set.n; i++)
		drm_svm_fault_enter(queue, &held->set.faults[i],
				    held->deadline);
	drm_svm_held_free(held);
}

/**
 * drm_svm_held_stop() - drop the held faults of an address space
 * @queue: queue
 * @svm: address space, dying; &drm_svm.active says when it is done
 *
 * Context: the queue's lock is held.
 */
void drm_svm_held_stop(struct drm_svm_fault_queue *queue, struct drm_svm *svm)
{
	struct drm_svm_held *held;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(held, &queue->held, node)
		if (held->svm == svm)
			mod_delayed_work(queue->wq, &held->work, 0);
}

/**
 * drm_svm_held_cancel() - no work is left over
 * @queue: queue, of which no address space is left
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

	INIT_LIST_HEAD(&queue->held);
	INIT_LIST_HEAD(&queue->free_held);
	queue->held_pool = kvzalloc_objs(*queue->held_pool, DRM_SVM_HELD,
					 GFP_KERNEL);
	if (!queue->held_pool)
		return -ENOMEM;
	for (i = 0; i < DRM_SVM_HELD; i++) {
		struct drm_svm_held *held = &queue->held_pool[i];

		held->queue = queue;
		INIT_DELAYED_WORK(&held->work, drm_svm_held_work);
		list_add_tail(&held->node, &queue->free_held);
	}
	return 0;
}
