// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Groups: all faults of one address space in one range are served together. Whose
 * turn it is, and who has to wait for one.
 *
 *	FREE -> READY -> QUEUED -> SERVING -> FREE, or READY if more came in
 *	          ^                  |
 *	          +---- SLEEPING <---+  lost to invalidations: after a while again
 *
 * A group without pending slots that has no worker is free; so is one whose worker
 * finds none. Shares: workers go round between users and their processes; one process
 * has half of them at most, one user three quarters. Of the groups one process has a
 * quarter, one user half, and some are for those only who have none.
 *
 * A slot beyond its process's share waits in a list of its address space. When a group
 * has become free, address spaces have their turn one after the other, each for one
 * range. There always is a group to end: shares are used up by groups.
 */

#include "drm_svm_fault_queue.h"

#define DRM_SVM_GROUPS_PER_PROCESS	(DRM_SVM_GROUPS / 4)
#define DRM_SVM_GROUPS_PER_USER	(DRM_SVM_GROUPS / 2)
/* Groups for users, and of these for processes, that have none. */
#define DRM_SVM_GROUPS_RESERVED	(DRM_SVM_GROUPS / 8)

/* ---- shares ------------------------------------------------------------- */

/**
 * struct drm_svm_use - what others have of a queue
 * @process: of these, the same process's
 * @user: of these, the same user's
 */
struct drm_svm_use {
	unsigned int process;
	unsigned int user;
};

static bool drm_svm_group_has_worker(const struct drm_svm_fault_group *group)
{
	return group->state == DRM_SVM_GROUP_QUEUED ||
	       group->state == DRM_SVM_GROUP_SERVING;
}

/* Groups, or those only that have a worker, of @smm's process and user. */
static struct drm_svm_use drm_svm_queue_use(struct drm_svm_fault_queue *queue,
					    struct drm_svm_mm *smm,
					    bool workers)
{
	struct drm_svm_fault_group *group;
	struct drm_svm_use use = {};

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(group, &queue->groups, node) {
		if (workers && !drm_svm_group_has_worker(group))
			continue;
		use.process += group->svm->smm == smm;
		use.user += uid_eq(group->svm->smm->user, smm->user);
	}
	return use;
}

static bool drm_svm_may_have_group(struct drm_svm_fault_queue *queue,
				   struct drm_svm_mm *smm)
{
	struct drm_svm_use use = drm_svm_queue_use(queue, smm, false);
	unsigned int free = queue->nr_free_groups;

	if (!use.user)
		return free;
	if (!use.process)
		return free > DRM_SVM_GROUPS_RESERVED / 2 &&
		       use.user < DRM_SVM_GROUPS_PER_USER;
	return free > DRM_SVM_GROUPS_RESERVED &&
	       use.process < DRM_SVM_GROUPS_PER_PROCESS &&
	       use.user < DRM_SVM_GROUPS_PER_USER;
}

/* The group whose turn it is: whose user, then process, has least. */
static struct drm_svm_fault_group *
drm_svm_queue_next(struct drm_svm_fault_queue *queue)
{
	unsigned int of_process = queue->max_running / 2;
	unsigned int of_user = queue->max_running * 3 / 4;
	struct drm_svm_use least = { of_process, of_user };
	struct drm_svm_fault_group *group, *next = NULL;

	list_for_each_entry(group, &queue->groups, node) {
		struct drm_svm_use use;

		if (group->state != DRM_SVM_GROUP_READY)
			continue;
		use = drm_svm_queue_use(queue, group->svm->smm, true);
		if (use.process >= of_process || use.user >= of_user ||
		    use.user > least.user ||
		    (use.user == least.user && use.process >= least.process))
			continue;
		least = use;
		next = group;
	}
	return next;
}

/**
 * drm_svm_queue_dispatch() - give workers to groups whose turn it is
 * @queue: queue
 *
 * Context: the queue's lock is held.
 */
void drm_svm_queue_dispatch(struct drm_svm_fault_queue *queue)
{
	struct drm_svm_fault_group *group;

	lockdep_assert_held(&queue->lock);
	while (!queue->paused && queue->running < queue->max_running &&
	       (group = drm_svm_queue_next(queue))) {
		group->state = DRM_SVM_GROUP_QUEUED;
		queue->running++;
		mod_delayed_work(queue->wq, &group->work, 0);
	}
}

/* ---- groups ------------------------------------------------------------- */

static struct drm_svm_fault_group *
drm_svm_group_find(struct drm_svm_fault_queue *queue,
		   const struct drm_svm_slot *slot)
{
	struct drm_svm_fault_group *group;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(group, &queue->groups, node)
		if (group->svm == slot->fault.svm &&
		    group->base == drm_svm_slot_base(slot))
			return group;
	return NULL;
}

/**
 * drm_svm_group_ready() - a group waits for a worker
 * @group: group; behind those that have waited longer
 *
 * Context: the queue's lock is held.
 */
void drm_svm_group_ready(struct drm_svm_fault_group *group)
{
	group->state = DRM_SVM_GROUP_READY;
	list_move_tail(&group->node, &group->queue->groups);
}

static struct drm_svm_fault_group *
drm_svm_group_make(struct drm_svm_fault_queue *queue,
		   const struct drm_svm_slot *slot)
{
	struct drm_svm_fault_group *group =
		list_first_entry(&queue->free_groups, struct drm_svm_fault_group,
				 node);

	queue->nr_free_groups--;
	group->svm = slot->fault.svm;
	group->base = drm_svm_slot_base(slot);
	group->backoff = 1;
	group->io_tries = 0;
	group->svm->active++;
	group->svm->nr_groups++;
	drm_svm_group_ready(group);
	return group;
}

/* Return: the group that a slot may go to, or NULL if it has to wait. */
static struct drm_svm_fault_group *
drm_svm_group_for(struct drm_svm_fault_queue *queue, struct drm_svm_slot *slot)
{
	struct drm_svm_fault_group *group = drm_svm_group_find(queue, slot);

	if (group) {
		atomic64_inc(&slot->fault.svm->stats.fault_dups);
		return group;
	}
	if (!drm_svm_may_have_group(queue, slot->fault.svm->smm))
		return NULL;
	return drm_svm_group_make(queue, slot);
}

/**
 * drm_svm_fault_enter() - have a record served
 * @queue: queue
 * @slot: the caller's; its address space is not dying
 *
 * drm_svm_queue_dispatch() follows, after others that come together with it.
 *
 * Context: the queue's lock is held.
 */
void drm_svm_fault_enter(struct drm_svm_fault_queue *queue,
			 struct drm_svm_slot *slot)
{
	struct drm_svm_fault_group *group = drm_svm_group_for(queue, slot);

	if (!group) {
		drm_svm_slot_move(slot, DRM_SVM_SLOT_WAITING,
				  &slot->fault.svm->waiting);
		return;
	}
	drm_svm_slot_move(slot, DRM_SVM_SLOT_PENDING, &group->pending);
}

/* Those of the first's range go with it. Return: true if any went. */
static bool drm_svm_admit(struct drm_svm_fault_queue *queue, struct drm_svm *svm)
{
	struct drm_svm_fault_group *group;
	struct drm_svm_slot *slot, *next;

	slot = list_first_entry_or_null(&svm->waiting, struct drm_svm_slot, node);
	group = slot ? drm_svm_group_for(queue, slot) : NULL;
	if (!group)
		return false;
	list_for_each_entry_safe(slot, next, &svm->waiting, node)
		if (drm_svm_slot_base(slot) == group->base)
			drm_svm_slot_move(slot, DRM_SVM_SLOT_PENDING,
					  &group->pending);
	return true;
}

static bool drm_svm_admit_next(struct drm_svm_fault_queue *queue)
{
	struct drm_svm *svm;

	list_for_each_entry(svm, &queue->svms, in_queue) {
		if (!drm_svm_admit(queue, svm))
			continue;
		/* The others' turn. */
		list_move_tail(&svm->in_queue, &queue->svms);
		return true;
	}
	return false;
}

/**
 * drm_svm_queue_turn() - something has ended: whose turn is it?
 * @queue: queue
 *
 * Context: the queue's lock is held.
 */
void drm_svm_queue_turn(struct drm_svm_fault_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	while (drm_svm_admit_next(queue))
		;
	drm_svm_queue_dispatch(queue);
}

/* Nobody has it any more. */
static void drm_svm_group_free(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm *svm = group->svm;

	group->state = DRM_SVM_GROUP_FREE;
	list_move(&group->node, &queue->free_groups);
	queue->nr_free_groups++;
	svm->nr_groups--;
	drm_svm_deactivate(svm);
}

/**
 * drm_svm_group_rest() - a group loses its worker
 * @group: group; not to be looked at afterwards. It goes on with what is pending, or
 *	is free.
 *
 * Context: the queue's lock is held.
 */
void drm_svm_group_rest(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;

	lockdep_assert_held(&queue->lock);
	queue->running--;
	wake_up_all(&queue->quiet);
	if (list_empty(&group->pending))
		drm_svm_group_free(group);
	else
		drm_svm_group_ready(group);
	drm_svm_queue_turn(queue);
}

/**
 * drm_svm_groups_trim() - pending slots have been taken away
 * @queue: queue
 *
 * Context: the queue's lock is held; drm_svm_queue_turn() is to follow.
 */
void drm_svm_groups_trim(struct drm_svm_fault_queue *queue)
{
	struct drm_svm_fault_group *group, *next;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry_safe(group, next, &queue->groups, node)
		if (list_empty(&group->pending) &&
		    !drm_svm_group_has_worker(group))
			drm_svm_group_free(group);
}

/**
 * drm_svm_groups_init() - begin with all groups free
 * @queue: queue, with its pool
 * @serve: what a worker does
 */
void drm_svm_groups_init(struct drm_svm_fault_queue *queue, work_func_t serve)
{
	unsigned int i;

	for (i = 0; i < DRM_SVM_GROUPS; i++) {
		struct drm_svm_fault_group *group = &queue->pool[i];

		group->queue = queue;
		INIT_LIST_HEAD(&group->pending);
		INIT_LIST_HEAD(&group->serving);
		INIT_DELAYED_WORK(&group->work, serve);
		list_add_tail(&group->node, &queue->free_groups);
	}
	queue->nr_free_groups = DRM_SVM_GROUPS;
}
