// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: the fault queue
 *
 * A device's fault records come in, each is answered once. The driver embeds the
 * queue in its device and brings two things, a way to read records and a way to answer
 * them::
 *
 *	static unsigned int my_fetch(struct drm_svm_fault_queue *queue,
 *				     struct drm_svm_fault *faults, unsigned int max);
 *
 *	static void my_done(struct drm_svm *svm, const struct drm_svm_fault *fault,
 *			    int result)
 *	{
 *		const struct my_record *record = (const void *)fault->priv;
 *
 *		my_hw_answer(record->id, result ? MY_FAIL : MY_RETRY);
 *	}
 *
 *	mdev->faults.nr_slots = 1024;
 *	ret = drm_svm_fault_queue_init(&mdev->faults, &mdev->svm, &my_fault_ops, "my");
 *	// in the interrupt handler
 *	drm_svm_fault_queue_kick(&mdev->faults);
 *
 *	// to reset the engines under it
 *	drm_svm_fault_queue_pause(&mdev->faults);
 *	my_hw_reset(mdev);
 *	drm_svm_fault_queue_drop(&mdev->faults, NULL);
 *	drm_svm_fault_queue_resume(&mdev->faults);
 *
 * **Slots.** The queue has a fixed number of slots. A record has one from the moment
 * that it is read until the driver has been told its result. A slot is in exactly one
 * list, its state says which, and every move is under the queue's lock::
 *
 *	FREE -fetch-> ROUTED -> PENDING(group) -take-> SERVING(group) -> ANSWERING -> FREE
 *	               |  |      ^  ^  ^  ^               |    |
 *	               |  |      |  |  |  +--- lost ------+    |
 *	               |  v      |  |  |                       |
 *	               | WAITING-+  |  +---- page is there     |
 *	               |            |               ^          |
 *	               |            +---------------+-- HELD <-+  page is long in coming
 *	               +-- page is held ------------------^
 *
 *	PENDING | WAITING | HELD -stop, drop, deadline-> ANSWERING
 *	SERVING -not to be had, deadline-> ANSWERING
 *	HELD -the CPU's fault failed-> ANSWERING
 *	ROUTED -address space is gone, or process has too many-> ANSWERING
 *
 * Who moves what: ROUTED is the fetcher's, within one section of the lock. PENDING,
 * WAITING and HELD are anybody's who has the lock. SERVING is the group's worker's: it
 * alone takes slots out. ANSWERING is a list of its owner's, where drm_svm_slot_end()
 * has put it. Only drm_svm_answer() makes a slot FREE, after the driver has been told.
 * Nothing else ends a record, so none is answered twice, and none is forgotten.
 *
 * What a group wants is computed from its slots when a worker takes it: no bit outlives
 * its record. A record is a slot of its own even if it is about the page of another,
 * and has the result of its own access: who reads a page that may not be written gets
 * 0, who writes it -EACCES. Each has its own deadline.
 *
 * **Back-pressure.** The fetcher asks for as many records as there are free slots.
 * Without any it stops, the device's buffer fills and its units stall, until a slot is
 * free. So that one process does not do that to others it has half of the slots at
 * most, one user three quarters. A record beyond that is let go: its result is -EAGAIN.
 *
 * **Files**, each of which calls those before it only:
 *
 * - drm_svm_fault_slot.c: slots, answers, replays that are due
 * - drm_svm_fault_group.c: groups, whose turn it is, who waits
 * - drm_svm_held.c: pages that are long in coming
 * - drm_svm_fault_serve.c: workers
 * - drm_svm_fault_end.c: ends that are not those of a service
 * - drm_svm_fault.c: fetching, pause, life and death
 *
 * **Locks.** The queue's lock is a spinlock, for process context. It is taken under
 * the lane's lock and with nothing held above that; under it is only the lock of
 * &drm_svm.idle. Drivers are called without it.
 *
 * **Life.** &drm_svm.records counts slots that are not FREE, &drm_svm.active groups and
 * held faults of the address space, and a replay that is at work. drm_svm_stop() sets
 * dying, then answers what waits with -ESRCH, and waits until both are 0, which it looks
 * at under the lock: whoever made them 0 is then done with the address space. Who sorts
 * a slot in looks at dying in the same section of the lock: either stop finds the slot
 * in a list, or it is answered. What is being served ends as it ends: the service looks
 * at dying wherever it waits. A record of a page that is held when the stop comes is
 * ended by the worker.
 *
 * **Pause.** Every call of the driver is made by a worker (&drm_svm_fault_queue.running)
 * or counted in &drm_svm_fault_queue.busy, from the section on in which it was decided.
 * So a pause, which sets @paused and waits until both are 0, knows that none is made
 * afterwards. What goes on meanwhile moves slots between PENDING, WAITING and HELD.
 * drm_svm_fault_queue_drop() and drm_svm_stop() do answer: they are the caller's own.
 *
 * **Replays.** An answer of 0 or -EAGAIN makes a replay due before the slot is free;
 * due is cleared before the replay is rung. So what is answered while it is rung has
 * another. A record that the device writes anew after a replay takes the place of the
 * one before (drm_svm_slot_supersede()) unless that is ANSWERING: then it is a slot of
 * its own, and at worst served for nothing.
 */

#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "drm_svm_fault_queue.h"

#define DRM_SVM_FETCH		128
/* Fewer workers would let two slow services stop all others. */
#define DRM_SVM_MIN_WORKERS	4U

static unsigned int drm_svm_fault_slots = 1024;
module_param_named(fault_slots, drm_svm_fault_slots, uint, 0644);
MODULE_PARM_DESC(fault_slots, "Fault records that a device's queue has room for if its driver does not say, a power of two, 64 to 65536 (default 1024)");

/* ---- fetching ----------------------------------------------------------- */

/* May the process have another slot, beside those that it has? */
static bool drm_svm_may_have_slot(struct drm_svm_fault_queue *queue,
				  struct drm_svm_mm *smm)
{
	unsigned int process = 0, user = 0;
	struct drm_svm *svm;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(svm, &queue->svms, in_queue) {
		if (svm->smm == smm)
			process += svm->records;
		if (uid_eq(svm->smm->user, smm->user))
			user += svm->records;
	}
	return process < queue->nr_slots / 2 && user < queue->nr_slots / 4 * 3;
}

/* Sorts one record in, or puts it into @ended. */
static void drm_svm_fault_route(struct drm_svm_fault_queue *queue,
				const struct drm_svm_fault *fault,
				struct list_head *ended)
{
	struct drm_svm *svm = fault->svm;
	struct drm_svm_slot *slot;
	bool room;

	guard(spinlock)(&queue->lock);
	atomic64_inc(&svm->stats.faults);
	if (drm_svm_slot_supersede(queue, fault)) {
		atomic64_inc(&svm->stats.fault_dups);
		return;
	}
	room = drm_svm_may_have_slot(queue, svm->smm);
	slot = drm_svm_slot_take(queue, fault);
	if (READ_ONCE(svm->dying))
		drm_svm_slot_end(slot, -ESRCH, ended);
	else if (!room)
		drm_svm_slot_end(slot, -EAGAIN, ended);
	else if (drm_svm_held_absorb(queue, slot))
		atomic64_inc(&svm->stats.fault_dups);
	else
		drm_svm_fault_enter(queue, slot);
}

/* Return: how many records may be read now; the fetcher is in the driver. */
static unsigned int drm_svm_fetch_begin(struct drm_svm_fault_queue *queue)
{
	guard(spinlock)(&queue->lock);
	drm_svm_driver_enter(queue);
	if (queue->paused || queue->stopped)
		return 0;
	queue->full = !queue->nr_free;
	return min(queue->nr_free, DRM_SVM_FETCH);
}

static unsigned int drm_svm_fetch_some(struct drm_svm_fault_queue *queue)
{
	unsigned int n = drm_svm_fetch_begin(queue), i;
	struct drm_svm_fault *faults = queue->fetched;
	LIST_HEAD(ended);

	if (n)
		n = queue->ops->fetch(queue, faults, n);
	for (i = 0; i < n; i++)
		drm_svm_fault_route(queue, &faults[i], &ended);
	drm_svm_answer(queue, &ended);

	guard(spinlock)(&queue->lock);
	/* With all of a range together, if it is not being served already. */
	drm_svm_queue_dispatch(queue);
	drm_svm_driver_leave(queue);
	return n;
}

static void drm_svm_fetch_work(struct work_struct *work)
{
	struct drm_svm_fault_queue *queue =
		container_of(work, struct drm_svm_fault_queue, fetch_work);

	while (drm_svm_fetch_some(queue))
		cond_resched();
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

/* ---- pause -------------------------------------------------------------- */

static bool drm_svm_queue_is_quiet(struct drm_svm_fault_queue *queue)
{
	guard(spinlock)(&queue->lock);
	return !queue->running && !queue->busy;
}

/**
 * drm_svm_fault_queue_pause() - leave the device alone
 * @queue: queue
 *
 * When it returns nothing is being served, no record is being read and no answer is
 * being given, nor will be until as many drm_svm_fault_queue_resume(), but for those
 * that drm_svm_fault_queue_drop() and drm_svm_stop() give. A kick is remembered.
 * drm_svm_handle_fault() is not concerned.
 *
 * Context: may sleep, for as long as a service takes; not in a call of the driver that
 * the queue makes.
 */
void drm_svm_fault_queue_pause(struct drm_svm_fault_queue *queue)
{
	might_sleep();
	spin_lock(&queue->lock);
	queue->paused++;
	spin_unlock(&queue->lock);
	wait_event(queue->quiet, drm_svm_queue_is_quiet(queue));
}
EXPORT_SYMBOL_GPL(drm_svm_fault_queue_pause);

/**
 * drm_svm_fault_queue_resume() - the end of a pause
 * @queue: queue, paused by the caller
 *
 * Context: process; does not sleep.
 */
void drm_svm_fault_queue_resume(struct drm_svm_fault_queue *queue)
{
	bool goes_on;

	spin_lock(&queue->lock);
	goes_on = !WARN_ON(!queue->paused) && !--queue->paused;
	if (goes_on) {
		drm_svm_queue_turn(queue);
		drm_svm_held_resume(queue);
		drm_svm_replays_arm(queue);
		queue->expiry_armed = false;
		drm_svm_expiry_arm(queue, jiffies);
	}
	spin_unlock(&queue->lock);
	/* Also for those that came meanwhile. */
	if (goes_on)
		drm_svm_fault_queue_kick(queue);
}
EXPORT_SYMBOL_GPL(drm_svm_fault_queue_resume);

/**
 * drm_svm_fault_queue_drop() - the device has forgotten its faults
 * @queue: queue
 * @svm: of this address space; NULL: of all
 *
 * What waits in the queue is answered with -ECANCELED, in this call. What is being served
 * is answered by its service: pause the queue before. Records that the device still has
 * are the driver's; one that may meet the answer to a fault of before the reset tells
 * them apart by what it keeps in &drm_svm_fault.priv.
 *
 * Context: process; no lock is held. Calls the driver.
 */
void drm_svm_fault_queue_drop(struct drm_svm_fault_queue *queue,
			      struct drm_svm *svm)
{
	drm_svm_end_all(queue, svm, -ECANCELED);
}
EXPORT_SYMBOL_GPL(drm_svm_fault_queue_drop);

/* ---- the end of an address space ---------------------------------------- */

static bool drm_svm_is_idle(struct drm_svm *svm)
{
	struct drm_svm_fault_queue *queue = svm->device->queue;
	bool calls;

	spin_lock(&svm->idle.lock);
	calls = svm->calls;
	spin_unlock(&svm->idle.lock);
	if (calls || !queue)
		return !calls;
	guard(spinlock)(&queue->lock);
	return !svm->records && !svm->active;
}

static void drm_svm_leave_queue(struct drm_svm *svm)
{
	struct drm_svm_fault_queue *queue = svm->device->queue;

	spin_lock(&queue->lock);
	list_del_init(&svm->in_queue);
	list_del_init(&svm->due);
	spin_unlock(&queue->lock);
	drm_svm_end_all(queue, svm, -ESRCH);
}

/**
 * drm_svm_stop() - end fault service of an address space
 * @svm: address space; fetch() no longer finds it, and
 *	drm_svm_fault_queue_sync() has been called since
 *
 * What is being served ends, what waits is answered with -ESRCH. A page that does not
 * come is not waited for, nor a pause: the driver may be called in this call.
 *
 * Context: may sleep; no lock is held.
 */
void drm_svm_stop(struct drm_svm *svm)
{
	spin_lock(&svm->idle.lock);
	WRITE_ONCE(svm->dying, true);
	wake_up_all_locked(&svm->idle);
	spin_unlock(&svm->idle.lock);
	if (svm->device->queue)
		drm_svm_leave_queue(svm);
	/*
	 * Looked at under the lock: the last one's wake-up is over then. Not the
	 * workqueue: a fault of another process may wait there for this one.
	 */
	wait_event(svm->idle, drm_svm_is_idle(svm));
}
EXPORT_SYMBOL_GPL(drm_svm_stop);

/* ---- life --------------------------------------------------------------- */

static void drm_svm_fault_queue_free(struct drm_svm_fault_queue *queue)
{
	unsigned int i;

	/* Timers of services that were dropped. */
	for (i = 0; queue->pool && i < DRM_SVM_GROUPS; i++)
		cancel_delayed_work_sync(&queue->pool[i].work);
	drm_svm_held_cancel(queue);
	cancel_delayed_work_sync(&queue->expire_work);
	cancel_delayed_work_sync(&queue->replay_work);
	if (queue->wq)
		destroy_workqueue(queue->wq);
	kfree(queue->fetched);
	kvfree(queue->held_pool);
	kvfree(queue->pool);
	kvfree(queue->hash);
	kvfree(queue->slots);
}

static void drm_svm_fault_queue_setup(struct drm_svm_fault_queue *queue)
{
	queue->max_running = max(2 * num_online_cpus(), DRM_SVM_MIN_WORKERS);
	spin_lock_init(&queue->lock);
	init_waitqueue_head(&queue->quiet);
	INIT_LIST_HEAD(&queue->svms);
	INIT_LIST_HEAD(&queue->due);
	INIT_LIST_HEAD(&queue->free);
	INIT_LIST_HEAD(&queue->groups);
	INIT_LIST_HEAD(&queue->free_groups);
	INIT_LIST_HEAD(&queue->held);
	INIT_LIST_HEAD(&queue->free_held);
	INIT_LIST_HEAD(&queue->waiting_held);
	INIT_WORK(&queue->fetch_work, drm_svm_fetch_work);
	INIT_DELAYED_WORK(&queue->expire_work, drm_svm_expire_work);
	INIT_DELAYED_WORK(&queue->replay_work, drm_svm_replay_work);
}

/* What faults need is there before there are faults. Return: 0, -ENOMEM. */
static int drm_svm_fault_queue_alloc(struct drm_svm_fault_queue *queue,
				     const char *name)
{
	int ret = drm_svm_slots_init(queue);

	ret = ret ?: drm_svm_held_init(queue);
	if (ret)
		return ret;
	queue->pool = kvzalloc_objs(*queue->pool, DRM_SVM_GROUPS, GFP_KERNEL);
	queue->fetched = kmalloc_objs(*queue->fetched, DRM_SVM_FETCH, GFP_KERNEL);
	queue->wq = alloc_workqueue("drm_svm-%s", WQ_UNBOUND,
				    DRM_SVM_GROUPS + DRM_SVM_HELD + 3, name);
	if (!queue->pool || !queue->fetched || !queue->wq)
		return -ENOMEM;
	drm_svm_groups_init(queue, drm_svm_serve_work);
	return 0;
}

/**
 * drm_svm_fault_queue_init() - make the fault queue of a device
 * @queue: embedded in the driver's device, zeroed but for @deadline_ms and @nr_slots
 * @sdev: the device; it has no address space yet
 * @ops: how records are read
 * @name: of the workers
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM; -EINVAL if @nr_slots is no power of two or out of bounds; -EBUSY
 * if the device has address spaces, or a queue.
 */
int drm_svm_fault_queue_init(struct drm_svm_fault_queue *queue,
			     struct drm_svm_device *sdev,
			     const struct drm_svm_fault_queue_ops *ops,
			     const char *name)
{
	int ret;

	queue->device = sdev;
	queue->ops = ops;
	if (!queue->deadline_ms)
		queue->deadline_ms = DRM_SVM_FAULT_DEADLINE_MS;
	if (!queue->nr_slots)
		queue->nr_slots = READ_ONCE(drm_svm_fault_slots);
	if (!is_power_of_2(queue->nr_slots) ||
	    queue->nr_slots < DRM_SVM_FAULT_MIN_SLOTS ||
	    queue->nr_slots > DRM_SVM_FAULT_MAX_SLOTS) {
		dev_dbg(sdev->dev, "%u fault slots\n", queue->nr_slots);
		return -EINVAL;
	}
	drm_svm_fault_queue_setup(queue);
	ret = drm_svm_fault_queue_alloc(queue, name) ?:
	      drm_svm_device_set_queue(sdev, queue);
	if (ret)
		drm_svm_fault_queue_free(queue);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_fault_queue_init);

static bool drm_svm_queue_is_empty(struct drm_svm_fault_queue *queue)
{
	guard(spinlock)(&queue->lock);
	return list_empty(&queue->groups) && list_empty(&queue->held) &&
	       !queue->busy;
}

/* Address spaces that the driver stops later have no queue by then. */
static void drm_svm_queue_detach(struct drm_svm_fault_queue *queue)
{
	struct drm_svm *svm, *next;

	guard(spinlock)(&queue->lock);
	list_for_each_entry_safe(svm, next, &queue->svms, in_queue) {
		list_del_init(&svm->in_queue);
		list_del_init(&svm->due);
	}
	queue->device->queue = NULL;
}

/**
 * drm_svm_fault_queue_fini() - end the fault queue of a device
 * @queue: queue; the device raises no fault any more, and nobody kicks it
 *
 * Address spaces are best stopped before. Records of those that are not are answered
 * with -ECANCELED.
 *
 * Context: may sleep; not at the same time as drm_svm_stop() or drm_svm_init() of one of
 * its address spaces.
 */
void drm_svm_fault_queue_fini(struct drm_svm_fault_queue *queue)
{
	drm_svm_fault_queue_pause(queue);
	spin_lock(&queue->lock);
	WRITE_ONCE(queue->stopped, true);
	spin_unlock(&queue->lock);
	cancel_work_sync(&queue->fetch_work);
	drm_svm_fault_queue_drop(queue, NULL);
	wait_event(queue->quiet, drm_svm_queue_is_empty(queue));
	drm_svm_queue_detach(queue);
	drm_svm_fault_queue_free(queue);
}
EXPORT_SYMBOL_GPL(drm_svm_fault_queue_fini);
