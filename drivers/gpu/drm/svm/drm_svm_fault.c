// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Faults of a device: interrupt -> fetch -> groups -> workers -> replay.
 *
 * The device's own buffer is the queue. The interrupt starts the one fetcher of
 * the device, which reads records and sorts them into groups: all faults of one
 * address space in one range. Ranges are served in parallel by a few workers. A
 * fault for a group that is being served joins the group's next round.
 *
 * A group::
 *
 *	FREE -> READY -> QUEUED -> SERVING -> FREE, or READY if more came in
 *	          ^                  |
 *	          +---- SLEEPING <---+  lost to invalidations: after a while again
 *
 * All moves are under the queue's lock. Pages that are long in coming leave a
 * group (drm_svm_held.c), so that a group always ends soon.
 *
 * Shares: workers go round between users and their processes; one process has half
 * of them at most, one user three quarters. Of the groups one process has a
 * quarter, one user half, and some are for those only who have none.
 *
 * Nothing is lost and nothing grows: groups come from a fixed pool. If none is
 * free the fetcher stops, the device's buffer fills and the device stalls,
 * until a group ends and the fetcher is started again. A fault beyond its
 * process's share, or one too many to remember in a group, is let go: its unit stays
 * parked, its address space is remembered as starved, and gets a replay when a
 * group has ended and there is room for it. There always is one to end: shares are
 * used up by groups.
 *
 * Every fault ends in one of: mapped and replayed; cancelled with the reason
 * told; dropped because the address space is gone. Losing to invalidations is
 * none of these: the group waits a little and goes again, until its deadline.
 */

#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "drm_svm_fault_queue.h"

#define DRM_SVM_FETCH		128
#define DRM_SVM_GROUPS_PER_PROCESS	(DRM_SVM_GROUPS / 4)
#define DRM_SVM_GROUPS_PER_USER	(DRM_SVM_GROUPS / 2)
/* Groups for users, and of these for processes, that have none. */
#define DRM_SVM_GROUPS_RESERVED	(DRM_SVM_GROUPS / 8)
/* Fewer workers would let two slow services stop all others. */
#define DRM_SVM_MIN_WORKERS	4U
/* An -EIO of the DMA API may be a shortage of the moment: tried as often. */
#define DRM_SVM_IO_TRIES	5

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

	if (!use.user)
		return queue->nr_free;
	if (!use.process)
		return queue->nr_free > DRM_SVM_GROUPS_RESERVED / 2 &&
		       use.user < DRM_SVM_GROUPS_PER_USER;
	return queue->nr_free > DRM_SVM_GROUPS_RESERVED &&
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

static void drm_svm_queue_dispatch(struct drm_svm_fault_queue *queue)
{
	struct drm_svm_fault_group *group;

	lockdep_assert_held(&queue->lock);
	while (queue->running < queue->max_running &&
	       (group = drm_svm_queue_next(queue))) {
		group->state = DRM_SVM_GROUP_QUEUED;
		queue->running++;
		mod_delayed_work(queue->wq, &group->work, 0);
	}
}

/* ---- replays and those who wait for one --------------------------------- */

/**
 * drm_svm_replay_later() - replay, unless somebody else does soon
 * @svm: address space
 *
 * Context: the queue's lock is held.
 */
void drm_svm_replay_later(struct drm_svm *svm)
{
	if (!READ_ONCE(svm->dying))
		queue_delayed_work(system_dfl_wq, &svm->replay_work, 1);
}

/**
 * drm_svm_starve() - a fault has been let go
 * @queue: queue
 * @svm: its address space: gets a replay when there is room
 *
 * Context: the queue's lock is held; a group or held fault has not ended yet.
 */
void drm_svm_starve(struct drm_svm_fault_queue *queue, struct drm_svm *svm)
{
	lockdep_assert_held(&queue->lock);
	if (!READ_ONCE(svm->dying))
		list_move_tail(&svm->starved, &queue->starved);
}

/**
 * drm_svm_starve_held() - a fault has been let go for want of a held one
 * @queue: queue
 * @svm: its address space: gets a replay when a held fault has ended. The end of a
 *	group would only bring it here again.
 *
 * Context: the queue's lock is held; a held fault has not ended yet.
 */
void drm_svm_starve_held(struct drm_svm_fault_queue *queue, struct drm_svm *svm)
{
	lockdep_assert_held(&queue->lock);
	if (list_empty(&svm->starved) && !READ_ONCE(svm->dying))
		list_add_tail(&svm->starved, &queue->starved_held);
}

/**
 * drm_svm_queue_turn() - something has ended: whose turn is it?
 * @queue: queue
 *
 * Context: the queue's lock is held.
 */
void drm_svm_queue_turn(struct drm_svm_fault_queue *queue)
{
	struct drm_svm *svm, *next;

	drm_svm_queue_dispatch(queue);
	list_for_each_entry_safe(svm, next, &queue->starved, starved) {
		if (!drm_svm_may_have_group(queue, svm->smm))
			continue;
		list_del_init(&svm->starved);
		drm_svm_replay_later(svm);
	}
}

/**
 * drm_svm_deactivate() - one group or held fault less
 * @svm: address space: not to be looked at afterwards
 *
 * Context: the queue's lock is held: who waits for us has seen the last of us when
 * it gets the lock.
 */
void drm_svm_deactivate(struct drm_svm *svm)
{
	if (!--svm->active)
		wake_up_all(&svm->idle);
}

/* ---- fetching ----------------------------------------------------------- */

static struct drm_svm_fault_group *
drm_svm_group_find(struct drm_svm_fault_queue *queue,
		   const struct drm_svm_fault *fault)
{
	struct drm_svm_fault_group *group;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(group, &queue->groups, node)
		if (group->svm == fault->svm &&
		    group->base == (fault->addr & DRM_SVM_RANGE_MASK))
			return group;
	return NULL;
}

static void drm_svm_group_ready(struct drm_svm_fault_group *group)
{
	group->state = DRM_SVM_GROUP_READY;
	/* Behind those that have waited longer. */
	list_move_tail(&group->node, &group->queue->groups);
}

static void drm_svm_group_start(struct drm_svm_fault_queue *queue,
				const struct drm_svm_fault *fault,
				unsigned long deadline)
{
	struct drm_svm_fault_group *group;

	group = list_first_entry(&queue->free, struct drm_svm_fault_group, node);
	queue->nr_free--;
	group->svm = fault->svm;
	group->base = fault->addr & DRM_SVM_RANGE_MASK;
	group->deadline = deadline;
	group->backoff = 1;
	group->io_tries = 0;
	memset(&group->pending, 0, sizeof(group->pending));
	drm_svm_set_add(&group->pending, fault);
	fault->svm->active++;
	fault->svm->nr_groups++;
	drm_svm_group_ready(group);
	drm_svm_queue_dispatch(queue);
}

/**
 * drm_svm_fault_enter() - have a fault served
 * @queue: queue
 * @fault: fault
 * @deadline: jiffies when it is to be given up
 *
 * Context: the queue's lock is held.
 */
void drm_svm_fault_enter(struct drm_svm_fault_queue *queue,
			 const struct drm_svm_fault *fault,
			 unsigned long deadline)
{
	struct drm_svm *svm = fault->svm;
	struct drm_svm_fault_group *group;

	lockdep_assert_held(&queue->lock);
	if (READ_ONCE(svm->dying))
		return;
	group = drm_svm_group_find(queue, fault);
	if (group) {
		atomic64_inc(&svm->stats.fault_dups);
		if (drm_svm_set_absorb(&group->pending, fault))
			drm_svm_starve(queue, svm);
	} else if (drm_svm_may_have_group(queue, svm->smm)) {
		drm_svm_group_start(queue, fault, deadline);
	} else {
		drm_svm_starve(queue, svm);
	}
}

static unsigned long drm_svm_queue_deadline(struct drm_svm_fault_queue *queue)
{
	return jiffies + msecs_to_jiffies(READ_ONCE(queue->deadline_ms));
}

/* Sorts one fault in. */
static void drm_svm_fault_route(struct drm_svm_fault_queue *queue,
				const struct drm_svm_fault *fault)
{
	guard(spinlock)(&queue->lock);
	if (READ_ONCE(fault->svm->dying))
		return;
	atomic64_inc(&fault->svm->stats.faults);
	if (drm_svm_held_absorb(queue, fault))
		atomic64_inc(&fault->svm->stats.fault_dups);
	else
		drm_svm_fault_enter(queue, fault, drm_svm_queue_deadline(queue));
}

static bool drm_svm_queue_full(struct drm_svm_fault_queue *queue)
{
	guard(spinlock)(&queue->lock);
	return !queue->nr_free;
}

static int drm_svm_fault_cmp(const void *a, const void *b)
{
	const struct drm_svm_fault *fa = a, *fb = b;

	if (fa->svm != fb->svm)
		return fa->svm < fb->svm ? -1 : 1;
	if (fa->addr != fb->addr)
		return fa->addr < fb->addr ? -1 : 1;
	return 0;
}

static void drm_svm_fetch_work(struct work_struct *work)
{
	struct drm_svm_fault_queue *queue =
		container_of(work, struct drm_svm_fault_queue, fetch_work);
	struct drm_svm_fault *faults = queue->fetched;
	unsigned int n, i;

	while (!READ_ONCE(queue->stopped) && !drm_svm_queue_full(queue)) {
		n = queue->ops->fetch(queue, faults, DRM_SVM_FETCH);
		if (!n)
			break;
		sort(faults, n, sizeof(*faults), drm_svm_fault_cmp, NULL);
		for (i = 0; i < n; i++)
			drm_svm_fault_route(queue, &faults[i]);
		cond_resched();
	}
}

/**
 * drm_svm_fault_queue_kick() - the device has fault records
 * @queue: queue
 *
 * Context: any, hard interrupt included.
 */
void drm_svm_fault_queue_kick(struct drm_svm_fault_queue *queue)
{
	if (!READ_ONCE(queue->stopped))
		queue_work(queue->wq, &queue->fetch_work);
}
EXPORT_SYMBOL_GPL(drm_svm_fault_queue_kick);

/**
 * drm_svm_fault_queue_sync() - let a fetch that runs now end
 * @queue: queue
 *
 * For teardown of an address space that fetch() no longer finds.
 *
 * Context: may sleep.
 */
void drm_svm_fault_queue_sync(struct drm_svm_fault_queue *queue)
{
	flush_work(&queue->fetch_work);
}
EXPORT_SYMBOL_GPL(drm_svm_fault_queue_sync);

/* ---- serving ------------------------------------------------------------ */

static bool drm_svm_transient(struct drm_svm_fault_group *group, int error)
{
	return error == -EAGAIN || error == -ENOMEM || error == -EINTR ||
	       (error == -EIO && group->io_tries < DRM_SVM_IO_TRIES);
}

/* Pages of the group; those that are held back are remembered, and no error. */
static int drm_svm_group_try(struct drm_svm_fault_group *group,
			     const unsigned long *want,
			     const unsigned long *write)
{
	DECLARE_BITMAP(held, DRM_SVM_RANGE_PAGES);
	int error = drm_svm_serve(group->svm, group->base, want, write, held);

	bitmap_or(group->held, group->held, held, DRM_SVM_RANGE_PAGES);
	return error;
}

/*
 * One page alone, as it was asked for. If it may be read but not written, only
 * those who write are at fault.
 */
static int drm_svm_group_serve_page(struct drm_svm_fault_group *group,
				    unsigned int page)
{
	DECLARE_BITMAP(want, DRM_SVM_RANGE_PAGES) = {};
	DECLARE_BITMAP(none, DRM_SVM_RANGE_PAGES) = {};
	struct drm_svm_fault_set *set = &group->serving;
	bool write = test_bit(page, set->write);
	int error;

	__set_bit(page, want);
	error = drm_svm_group_try(group, want, write ? want : none);
	if (!error || drm_svm_transient(group, error) || error == -ESRCH)
		return error;
	if (write) {
		drm_svm_set_cancel(set, group->svm, page, true, error);
		if (!drm_svm_set_has(set, page)) {
			__clear_bit(page, set->want);
			return 0;
		}
		error = drm_svm_group_try(group, want, none);
		if (!error || drm_svm_transient(group, error) || error == -ESRCH)
			return error;
	}
	drm_svm_set_cancel(set, group->svm, page, false, error);
	return 0;
}

static int drm_svm_group_serve(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_set *set = &group->serving;
	unsigned int page;
	int error;

	bitmap_zero(group->held, DRM_SVM_RANGE_PAGES);
	error = drm_svm_group_try(group, set->want, set->write);
	if (!error || drm_svm_transient(group, error) || error == -ESRCH)
		return error;
	/* Some page is bad: find out which, and serve the others. */
	for_each_set_bit(page, set->want, DRM_SVM_RANGE_PAGES) {
		error = drm_svm_group_serve_page(group, page);
		if (error)
			return error;
	}
	return 0;
}

/* Return: whom it serves, NULL if nobody any more, or not yet. */
static struct drm_svm *drm_svm_group_take(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;

	guard(spinlock)(&queue->lock);
	if (group->state == DRM_SVM_GROUP_SLEEPING) {
		drm_svm_group_ready(group);
		drm_svm_queue_dispatch(queue);
		return NULL;
	}
	if (group->state != DRM_SVM_GROUP_QUEUED)
		return NULL;
	group->state = DRM_SVM_GROUP_SERVING;
	group->serving = group->pending;
	memset(&group->pending, 0, sizeof(group->pending));
	return group->svm;
}

/* Puts the faults back for another try after a while. */
static void drm_svm_group_requeue(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm_fault_set *set = &group->serving;
	unsigned int i;

	atomic64_inc(&group->svm->stats.requeues);
	guard(spinlock)(&queue->lock);
	for (i = 0; i < group->pending.n; i++)
		if (drm_svm_set_absorb(set, &group->pending.faults[i]))
			drm_svm_starve(queue, group->svm);
	group->pending = *set;
	group->state = DRM_SVM_GROUP_SLEEPING;
	queue->running--;
	mod_delayed_work(queue->wq, &group->work, group->backoff);
	group->backoff = min(group->backoff * 2, HZ / 10UL);
	drm_svm_queue_turn(queue);
}

/* Nobody has it any more. */
static void drm_svm_group_free(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm *svm = group->svm;

	lockdep_assert_held(&queue->lock);
	group->state = DRM_SVM_GROUP_FREE;
	list_move(&group->node, &queue->free);
	queue->nr_free++;
	svm->nr_groups--;
	drm_svm_queue_turn(queue);
	drm_svm_deactivate(svm);
}

/* The group ends, or goes on with what came in meanwhile. */
static void drm_svm_group_end(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;
	bool refetch;

	spin_lock(&queue->lock);
	refetch = !queue->nr_free;
	queue->running--;
	if (group->pending.n && !READ_ONCE(group->svm->dying)) {
		group->deadline = drm_svm_queue_deadline(queue);
		group->backoff = 1;
		group->io_tries = 0;
		drm_svm_group_ready(group);
		drm_svm_queue_turn(queue);
		refetch = false;
	} else {
		drm_svm_group_free(group);
	}
	spin_unlock(&queue->lock);
	if (refetch)
		drm_svm_fault_queue_kick(queue);
}

/*
 * A replay wakes all that is parked in the address space. While other groups of
 * it are being served, wait for them a little: one replay for the batch. Held
 * faults are no reason to wait.
 */
static void drm_svm_group_replay(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm *svm = group->svm;
	bool others;

	spin_lock(&queue->lock);
	others = svm->nr_groups > 1;
	if (others)
		drm_svm_replay_later(svm);
	spin_unlock(&queue->lock);
	if (others || READ_ONCE(svm->dying))
		return;
	atomic64_inc(&svm->stats.replays);
	svm->ops->replay(svm);
}

/* A service is over, one way or the other; @held: and some left it before. */
static void drm_svm_group_conclude(struct drm_svm_fault_group *group, int error,
				   bool held)
{
	/* A process that is gone has its queues ended: nothing to replay. */
	if (error == -ESRCH)
		return;
	if (error)
		drm_svm_set_cancel_all(&group->serving, group->svm,
				       error == -EAGAIN || error == -EINTR ?
				       -ETIME : error);
	if (!held || group->serving.n)
		drm_svm_group_replay(group);
}

static void drm_svm_group_work(struct work_struct *work)
{
	struct drm_svm_fault_group *group =
		container_of(work, struct drm_svm_fault_group, work.work);
	struct drm_svm *svm = drm_svm_group_take(group);
	bool held;
	int error;

	if (!svm)
		return;
	if (READ_ONCE(svm->dying)) {
		drm_svm_group_end(group);
		return;
	}
	atomic64_inc(&svm->stats.fault_groups);
	error = drm_svm_group_serve(group);
	/* First: what is held waits for nobody else's luck. */
	held = !bitmap_empty(group->held, DRM_SVM_RANGE_PAGES);
	if (held)
		drm_svm_hold(group);
	if (drm_svm_transient(group, error) && group->serving.n &&
	    time_before(jiffies, group->deadline)) {
		group->io_tries += error == -EIO;
		drm_svm_group_requeue(group);
		return;
	}
	drm_svm_group_conclude(group, error, held);
	drm_svm_group_end(group);
}

/* Those that no worker has, or is about to have. */
static void drm_svm_groups_stop(struct drm_svm_fault_queue *queue,
				struct drm_svm *svm)
{
	struct drm_svm_fault_group *group, *next;

	list_for_each_entry_safe(group, next, &queue->groups, node)
		if (group->svm == svm && !drm_svm_group_has_worker(group))
			drm_svm_group_free(group);
}

static bool drm_svm_is_idle(struct drm_svm *svm)
{
	guard(spinlock)(&svm->queue->lock);
	return !svm->active;
}

/**
 * drm_svm_stop() - end fault service of an address space
 * @svm: address space; fetch() no longer finds it, and
 *	drm_svm_fault_queue_sync() has been called since
 *
 * What is being served ends, what waits is dropped. A page that does not come is
 * not waited for.
 *
 * Context: may sleep; no lock is held.
 */
void drm_svm_stop(struct drm_svm *svm)
{
	struct drm_svm_fault_queue *queue = svm->queue;
	bool refetch;

	spin_lock(&queue->lock);
	refetch = !queue->nr_free;
	WRITE_ONCE(svm->dying, true);
	list_del_init(&svm->starved);
	drm_svm_groups_stop(queue, svm);
	drm_svm_held_stop(queue, svm);
	spin_unlock(&queue->lock);
	if (refetch)
		drm_svm_fault_queue_kick(queue);

	/*
	 * Looked at under the lock: the last worker's wake-up is over then. Not the
	 * workqueue: a fault of another process may wait there for this one.
	 */
	wait_event(svm->idle, drm_svm_is_idle(svm));
	cancel_delayed_work_sync(&svm->replay_work);
}
EXPORT_SYMBOL_GPL(drm_svm_stop);

static void drm_svm_groups_init(struct drm_svm_fault_queue *queue)
{
	unsigned int i;

	for (i = 0; i < DRM_SVM_GROUPS; i++) {
		struct drm_svm_fault_group *group = &queue->pool[i];

		group->queue = queue;
		INIT_DELAYED_WORK(&group->work, drm_svm_group_work);
		list_add_tail(&group->node, &queue->free);
	}
	queue->nr_free = DRM_SVM_GROUPS;
}

static void drm_svm_fault_queue_free(struct drm_svm_fault_queue *queue)
{
	unsigned int i;

	/* Timers of services that were dropped. */
	for (i = 0; queue->pool && i < DRM_SVM_GROUPS; i++)
		cancel_delayed_work_sync(&queue->pool[i].work);
	drm_svm_held_cancel(queue);
	if (queue->wq)
		destroy_workqueue(queue->wq);
	kfree(queue->fetched);
	kvfree(queue->held_pool);
	kvfree(queue->pool);
}

/**
 * drm_svm_fault_queue_init() - make the fault queue of a device
 * @queue: embedded in the driver's device, zeroed but for @deadline_ms
 * @ops: how records are read
 * @name: of the workers
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM.
 */
int drm_svm_fault_queue_init(struct drm_svm_fault_queue *queue,
			     const struct drm_svm_fault_queue_ops *ops,
			     const char *name)
{
	queue->ops = ops;
	if (!queue->deadline_ms)
		queue->deadline_ms = DRM_SVM_FAULT_DEADLINE_MS;
	queue->max_running = max(2 * num_online_cpus(), DRM_SVM_MIN_WORKERS);
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->groups);
	INIT_LIST_HEAD(&queue->free);
	INIT_LIST_HEAD(&queue->starved);
	INIT_LIST_HEAD(&queue->starved_held);
	INIT_WORK(&queue->fetch_work, drm_svm_fetch_work);

	/* What faults need is there before there are faults. */
	queue->pool = kvzalloc_objs(*queue->pool, DRM_SVM_GROUPS, GFP_KERNEL);
	queue->fetched = kmalloc_objs(*queue->fetched, DRM_SVM_FETCH, GFP_KERNEL);
	queue->wq = alloc_workqueue("drm_svm-%s", WQ_UNBOUND,
				    DRM_SVM_GROUPS + DRM_SVM_HELD + 1, name);
	if (queue->pool)
		drm_svm_groups_init(queue);
	if (drm_svm_held_init(queue) || !queue->pool || !queue->fetched ||
	    !queue->wq) {
		drm_svm_fault_queue_free(queue);
		return -ENOMEM;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_fault_queue_init);

/**
 * drm_svm_fault_queue_fini() - end the fault queue of a device
 * @queue: queue; the device raises no fault any more, all its address spaces
 *	are stopped
 *
 * Context: may sleep.
 */
void drm_svm_fault_queue_fini(struct drm_svm_fault_queue *queue)
{
	WRITE_ONCE(queue->stopped, true);
	cancel_work_sync(&queue->fetch_work);
	WARN_ON(!list_empty(&queue->groups));
	drm_svm_fault_queue_free(queue);
}
EXPORT_SYMBOL_GPL(drm_svm_fault_queue_fini);
