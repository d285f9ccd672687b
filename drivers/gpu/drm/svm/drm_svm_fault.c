// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Faults of a device: interrupt -> fetch -> groups -> workers -> replay.
 *
 * The device's own buffer is the queue. The interrupt starts the one fetcher of
 * the device, which reads records and sorts them into groups: all faults of one
 * address space in one range. Each group is served by a worker of its own, so
 * ranges are served in parallel, and one slow fault holds up its range only. A
 * fault for a group that is being served joins the group's next round.
 *
 * Nothing is lost and nothing grows: groups come from a fixed pool. If none is
 * free the fetcher stops, the device's buffer fills and the device stalls,
 * until a group ends and the fetcher is started again. One address space may
 * have half of the pool at most; a fault of it beyond that, or one too many to
 * remember in a group, is let go here and comes back: its unit is parked until
 * the replay that follows the next group's end.
 *
 * Every fault ends in one of: mapped and replayed; cancelled with the reason
 * told; dropped because the address space is gone. Losing to invalidations is
 * none of these: the group waits a little and goes again, until its deadline.
 */

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

#define DRM_SVM_GROUPS		64
#define DRM_SVM_GROUPS_PER_SVM	(DRM_SVM_GROUPS / 2)
#define DRM_SVM_GROUP_FAULTS	64
#define DRM_SVM_FETCH		128
/* How long a fault may keep losing to invalidations before it is given up. */
#define DRM_SVM_DEADLINE	(60 * HZ)

/**
 * struct drm_svm_fault_set - faults of one range
 * @want: pages touched
 * @write: of these, pages written
 * @n: faults remembered
 * @faults: them, for cancelling
 */
struct drm_svm_fault_set {
	DECLARE_BITMAP(want, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(write, DRM_SVM_RANGE_PAGES);
	unsigned int n;
	struct drm_svm_fault faults[DRM_SVM_GROUP_FAULTS];
};

/**
 * struct drm_svm_fault_group - a service of one range, waiting or running
 * @node: in the queue's groups or free list
 * @work: serves it
 * @queue: back pointer
 * @svm: address space
 * @base: first byte of the range
 * @deadline: jiffies when it is given up
 * @backoff: jiffies to wait after the next lost round
 * @active: it serves; not in the free list. A run of @work that finds it off was
 *	queued for a service that has ended: stopping hurries works along, also
 *	those that are just ending.
 * @pending: came in since the service began; under the queue's lock
 * @serving: the worker's
 */
struct drm_svm_fault_group {
	struct list_head node;
	struct delayed_work work;
	struct drm_svm_fault_queue *queue;
	struct drm_svm *svm;
	u64 base;
	unsigned long deadline;
	unsigned long backoff;
	bool active;
	struct drm_svm_fault_set pending;
	struct drm_svm_fault_set serving;
};

static bool drm_svm_set_add(struct drm_svm_fault_set *set,
			    const struct drm_svm_fault *fault)
{
	unsigned int page = drm_svm_page_index(fault->addr);

	if (set->n == DRM_SVM_GROUP_FAULTS)
		return false;
	set->faults[set->n++] = *fault;
	__set_bit(page, set->want);
	if (fault->access != DRM_SVM_READ)
		__set_bit(page, set->write);
	return true;
}

static void drm_svm_set_merge(struct drm_svm_fault_set *to,
			      const struct drm_svm_fault_set *from)
{
	unsigned int i;

	for (i = 0; i < from->n; i++)
		drm_svm_set_add(to, &from->faults[i]);
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

static void drm_svm_group_start(struct drm_svm_fault_queue *queue,
				const struct drm_svm_fault *fault)
{
	struct drm_svm_fault_group *group;

	group = list_first_entry(&queue->free, struct drm_svm_fault_group, node);
	list_move_tail(&group->node, &queue->groups);
	group->svm = fault->svm;
	group->base = fault->addr & DRM_SVM_RANGE_MASK;
	group->deadline = jiffies + DRM_SVM_DEADLINE;
	group->backoff = 1;
	group->active = true;
	memset(&group->pending, 0, sizeof(group->pending));
	drm_svm_set_add(&group->pending, fault);
	atomic_inc(&fault->svm->active);
	mod_delayed_work(queue->wq, &group->work, 0);
}

/* Sorts one fault in. False: it has been let go and a replay must follow. */
static bool drm_svm_fault_route(struct drm_svm_fault_queue *queue,
				const struct drm_svm_fault *fault)
{
	struct drm_svm *svm = fault->svm;
	struct drm_svm_fault_group *group;

	guard(spinlock)(&queue->lock);
	if (READ_ONCE(svm->dying))
		return true;
	atomic64_inc(&svm->stats.faults);
	group = drm_svm_group_find(queue, fault);
	if (group) {
		atomic64_inc(&svm->stats.fault_dups);
		return drm_svm_set_add(&group->pending, fault);
	}
	if (list_empty(&queue->free) ||
	    atomic_read(&svm->active) >= DRM_SVM_GROUPS_PER_SVM)
		return false;
	drm_svm_group_start(queue, fault);
	return true;
}

static bool drm_svm_queue_full(struct drm_svm_fault_queue *queue)
{
	guard(spinlock)(&queue->lock);
	return list_empty(&queue->free);
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

/* The end of a group is a replay too: nothing to do if there is one. */
static void drm_svm_replay_later(struct drm_svm *svm)
{
	if (!READ_ONCE(svm->dying))
		queue_delayed_work(system_dfl_wq, &svm->replay_work, 1);
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
			if (!drm_svm_fault_route(queue, &faults[i]))
				drm_svm_replay_later(faults[i].svm);
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

/* A fault that is cancelled leaves the set: nobody serves or cancels it again. */
static void drm_svm_group_cancel(struct drm_svm_fault_group *group,
				 unsigned int page, bool writes_only, int error)
{
	struct drm_svm_fault_set *set = &group->serving;
	struct drm_svm *svm = group->svm;
	unsigned int i = 0;

	while (i < set->n) {
		struct drm_svm_fault *fault = &set->faults[i];

		if (drm_svm_page_index(fault->addr) != page ||
		    (writes_only && fault->access == DRM_SVM_READ)) {
			i++;
			continue;
		}
		if (!drm_svm_planted(DRM_SVM_PLANTED_ACK_ERROR)) {
			atomic64_inc(&svm->stats.fault_errors);
			svm->ops->cancel(svm, fault, error);
		}
		*fault = set->faults[--set->n];
	}
	__clear_bit(page, set->write);
	if (!writes_only)
		__clear_bit(page, set->want);
}

static bool drm_svm_set_has(const struct drm_svm_fault_set *set,
			    unsigned int page)
{
	unsigned int i;

	for (i = 0; i < set->n; i++)
		if (drm_svm_page_index(set->faults[i].addr) == page)
			return true;
	return false;
}

static bool drm_svm_transient(int error)
{
	return error == -EAGAIN || error == -ENOMEM || error == -EINTR;
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
	bool write = test_bit(page, group->serving.write);
	int error;

	__set_bit(page, want);
	error = drm_svm_serve(group->svm, group->base, want,
			      write ? want : none);
	if (!error || drm_svm_transient(error) || error == -ESRCH)
		return error;
	if (write) {
		drm_svm_group_cancel(group, page, true, error);
		if (!drm_svm_set_has(&group->serving, page)) {
			__clear_bit(page, group->serving.want);
			return 0;
		}
		error = drm_svm_serve(group->svm, group->base, want, none);
		if (!error || drm_svm_transient(error) || error == -ESRCH)
			return error;
	}
	drm_svm_group_cancel(group, page, false, error);
	return 0;
}

static int drm_svm_group_serve(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_set *set = &group->serving;
	unsigned int page;
	int error;

	error = drm_svm_serve(group->svm, group->base, set->want, set->write);
	if (!error || drm_svm_transient(error) || error == -ESRCH)
		return error;
	/* Some page is bad: find out which, and serve the others. */
	for_each_set_bit(page, set->want, DRM_SVM_RANGE_PAGES) {
		error = drm_svm_group_serve_page(group, page);
		if (error)
			return error;
	}
	return 0;
}

static void drm_svm_group_give_up(struct drm_svm_fault_group *group, int error)
{
	unsigned int page;

	error = error == -ENOMEM ? error : -ETIME;
	for_each_set_bit(page, group->serving.want, DRM_SVM_RANGE_PAGES)
		drm_svm_group_cancel(group, page, false, error);
}

/* Return: whom it serves, NULL if nobody any more. */
static struct drm_svm *drm_svm_group_take(struct drm_svm_fault_group *group)
{
	guard(spinlock)(&group->queue->lock);
	if (!group->active)
		return NULL;
	group->serving = group->pending;
	memset(&group->pending, 0, sizeof(group->pending));
	return group->svm;
}

/* Puts the faults back for another try after a while. */
static void drm_svm_group_requeue(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;

	atomic64_inc(&group->svm->stats.requeues);
	spin_lock(&queue->lock);
	drm_svm_set_merge(&group->serving, &group->pending);
	group->pending = group->serving;
	spin_unlock(&queue->lock);

	mod_delayed_work(queue->wq, &group->work, group->backoff);
	group->backoff = min(group->backoff * 2, HZ / 10UL);
}

/* The group ends, or goes on with what came in meanwhile. */
static void drm_svm_group_end(struct drm_svm_fault_group *group)
{
	struct drm_svm_fault_queue *queue = group->queue;
	struct drm_svm *svm = group->svm;
	bool more, refetch;

	spin_lock(&queue->lock);
	more = group->pending.n && !READ_ONCE(svm->dying);
	refetch = list_empty(&queue->free);
	if (!more) {
		group->active = false;
		list_move(&group->node, &queue->free);
	}
	spin_unlock(&queue->lock);

	if (more) {
		group->deadline = jiffies + DRM_SVM_DEADLINE;
		mod_delayed_work(queue->wq, &group->work, 0);
		return;
	}
	if (refetch)
		drm_svm_fault_queue_kick(queue);
	/* Locked: who waits for us has seen the last of us when it gets the lock. */
	spin_lock(&queue->lock);
	if (atomic_dec_and_test(&svm->active))
		wake_up_all(&svm->idle);
	spin_unlock(&queue->lock);
}

/*
 * A replay wakes all that is parked in the address space. While other groups of
 * it are being served, wait for them a little: one replay for the batch.
 */
static void drm_svm_group_replay(struct drm_svm *svm)
{
	if (READ_ONCE(svm->dying))
		return;
	if (atomic_read(&svm->active) > 1) {
		drm_svm_replay_later(svm);
		return;
	}
	atomic64_inc(&svm->stats.replays);
	svm->ops->replay(svm);
}

static void drm_svm_group_work(struct work_struct *work)
{
	struct drm_svm_fault_group *group =
		container_of(work, struct drm_svm_fault_group, work.work);
	struct drm_svm *svm = drm_svm_group_take(group);
	int error;

	if (!svm)
		return;
	if (READ_ONCE(svm->dying)) {
		drm_svm_group_end(group);
		return;
	}
	atomic64_inc(&svm->stats.fault_groups);
	error = drm_svm_group_serve(group);
	if (drm_svm_transient(error)) {
		if (time_before(jiffies, group->deadline)) {
			drm_svm_group_requeue(group);
			return;
		}
		drm_svm_group_give_up(group, error);
	} else if (error && error != -ESRCH) {
		drm_svm_group_give_up(group, error);
	}
	/* A process that is gone has its queues ended: nothing to replay. */
	if (error != -ESRCH)
		drm_svm_group_replay(svm);
	drm_svm_group_end(group);
}

/**
 * drm_svm_stop() - end fault service of an address space
 * @svm: address space; fetch() no longer finds it, and
 *	drm_svm_fault_queue_sync() has been called since
 *
 * What is being served ends, what waits is dropped.
 *
 * Context: may sleep; no lock is held.
 */
void drm_svm_stop(struct drm_svm *svm)
{
	struct drm_svm_fault_queue *queue = svm->queue;
	struct drm_svm_fault_group *group;

	spin_lock(&queue->lock);
	WRITE_ONCE(svm->dying, true);
	list_for_each_entry(group, &queue->groups, node)
		if (group->svm == svm)
			mod_delayed_work(queue->wq, &group->work, 0);
	spin_unlock(&queue->lock);

	wait_event(svm->idle, !atomic_read(&svm->active));
	/*
	 * The last worker's wake-up is over when we have had the lock. Not the
	 * workqueue: a fault of another process may wait there for this one.
	 */
	spin_lock(&queue->lock);
	spin_unlock(&queue->lock);
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
}

static void drm_svm_fault_queue_free(struct drm_svm_fault_queue *queue)
{
	if (queue->wq)
		destroy_workqueue(queue->wq);
	kfree(queue->fetched);
	kvfree(queue->pool);
}

/**
 * drm_svm_fault_queue_init() - make the fault queue of a device
 * @queue: embedded in the driver's device, zeroed
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
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->groups);
	INIT_LIST_HEAD(&queue->free);
	INIT_WORK(&queue->fetch_work, drm_svm_fetch_work);

	/* What faults need is there before there are faults. */
	queue->pool = kvzalloc_objs(*queue->pool, DRM_SVM_GROUPS, GFP_KERNEL);
	queue->fetched = kmalloc_objs(*queue->fetched, DRM_SVM_FETCH, GFP_KERNEL);
	queue->wq = alloc_workqueue("drm_svm-%s", WQ_UNBOUND,
				    DRM_SVM_GROUPS + 1, name);
	if (!queue->pool || !queue->fetched || !queue->wq) {
		drm_svm_fault_queue_free(queue);
		return -ENOMEM;
	}
	drm_svm_groups_init(queue);
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
