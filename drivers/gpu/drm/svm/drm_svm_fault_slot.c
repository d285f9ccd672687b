// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Slots: a record's place in the queue, and the answer that it ends with. What the
 * states are, and who may change them, is told in drm_svm_fault.c.
 */

#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "drm_svm_fault_queue.h"
#include "drm_svm_planted.h"

/* Records that were let go are asked for again after this, if nothing else happens. */
#define DRM_SVM_LET_GO		(HZ / 10)

/**
 * drm_svm_fault_attach() - what the fault service keeps of an address space
 * @svm: address space, with its queue if it has one
 *
 * Context: any; nobody else knows @svm yet.
 */
void drm_svm_fault_attach(struct drm_svm *svm)
{
	init_waitqueue_head(&svm->idle);
	INIT_LIST_HEAD(&svm->waiting);
	INIT_LIST_HEAD(&svm->due);
	INIT_LIST_HEAD(&svm->in_queue);
	if (!svm->device->queue)
		return;
	guard(spinlock)(&svm->device->queue->lock);
	list_add_tail(&svm->in_queue, &svm->device->queue->svms);
}

/**
 * drm_svm_fault_detach() - the end of drm_svm_fault_attach()
 * @svm: address space, without records: stopped, or never seen by the device
 *
 * Context: process.
 */
void drm_svm_fault_detach(struct drm_svm *svm)
{
	struct drm_svm_fault_queue *queue = svm->device->queue;

	if (!queue)
		return;
	guard(spinlock)(&queue->lock);
	WARN_ON(svm->records || svm->active);
	list_del_init(&svm->in_queue);
	list_del_init(&svm->due);
}

/**
 * drm_svm_driver_enter() - a call of the driver begins
 * @queue: queue
 *
 * Context: the queue's lock is held. A pause that begins later waits for its end.
 */
void drm_svm_driver_enter(struct drm_svm_fault_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	queue->busy++;
}

/**
 * drm_svm_driver_leave() - it has ended
 * @queue: queue
 *
 * Context: the queue's lock is held.
 */
void drm_svm_driver_leave(struct drm_svm_fault_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	queue->busy--;
	wake_up_all(&queue->quiet);
}

/* Who waits for @svm has seen the last of us when it gets the queue's lock. */
static void drm_svm_wake_idle(struct drm_svm *svm)
{
	if (!svm->records && !svm->active)
		wake_up_all(&svm->idle);
}

/**
 * drm_svm_deactivate() - one group, held fault or replay less
 * @svm: address space: not to be looked at afterwards
 *
 * Context: the queue's lock is held.
 */
void drm_svm_deactivate(struct drm_svm *svm)
{
	lockdep_assert_held(&svm->device->queue->lock);
	svm->active--;
	drm_svm_wake_idle(svm);
}

/* ---- replays ------------------------------------------------------------ */

static bool drm_svm_answers_each(const struct drm_svm *svm)
{
	return svm->ops->done;
}

/**
 * drm_svm_replays_arm() - have replays that are due done when they are
 * @queue: queue
 *
 * Context: the queue's lock is held.
 */
void drm_svm_replays_arm(struct drm_svm_fault_queue *queue)
{
	unsigned long now = jiffies, wait = MAX_JIFFY_OFFSET;
	struct drm_svm *svm;

	lockdep_assert_held(&queue->lock);
	if (queue->paused || list_empty(&queue->due))
		return;
	list_for_each_entry(svm, &queue->due, due)
		wait = min(wait, time_after(svm->due_at, now) ?
				 svm->due_at - now : 0);
	mod_delayed_work(queue->wq, &queue->replay_work, wait);
}

/* Owes @svm a replay, which others may join for @delay jiffies. */
static void drm_svm_replay_due(struct drm_svm *svm, unsigned long delay)
{
	struct drm_svm_fault_queue *queue = svm->device->queue;
	unsigned long at = jiffies + delay;

	lockdep_assert_held(&queue->lock);
	if (READ_ONCE(svm->dying))
		return;
	if (list_empty(&svm->due))
		list_add_tail(&svm->due, &queue->due);
	else if (!time_before(at, svm->due_at))
		return;
	svm->due_at = at;
	drm_svm_replays_arm(queue);
}

/* Return: true if @svm is to be replayed now; it is the caller's to do. */
static bool drm_svm_replay_begin(struct drm_svm *svm)
{
	struct drm_svm_fault_queue *queue = svm->device->queue;

	lockdep_assert_held(&queue->lock);
	if (list_empty(&svm->due) || queue->paused || READ_ONCE(svm->dying))
		return false;
	/* What is answered from here on is owed another. */
	list_del_init(&svm->due);
	svm->active++;
	drm_svm_driver_enter(queue);
	return true;
}

static void drm_svm_replay_do(struct drm_svm *svm)
{
	struct drm_svm_fault_queue *queue = svm->device->queue;

	atomic64_inc(&svm->stats.replays);
	svm->ops->replay(svm);
	guard(spinlock)(&queue->lock);
	drm_svm_deactivate(svm);
	drm_svm_driver_leave(queue);
}

/**
 * drm_svm_replay_now() - do a replay that is due
 * @svm: address space; it has an active group of the caller's
 *
 * Context: process; no lock is held.
 */
void drm_svm_replay_now(struct drm_svm *svm)
{
	bool due;

	spin_lock(&svm->device->queue->lock);
	due = drm_svm_replay_begin(svm);
	spin_unlock(&svm->device->queue->lock);
	if (due)
		drm_svm_replay_do(svm);
}

static struct drm_svm *drm_svm_replay_next(struct drm_svm_fault_queue *queue)
{
	struct drm_svm *svm;

	guard(spinlock)(&queue->lock);
	list_for_each_entry(svm, &queue->due, due) {
		if (!time_before(jiffies, svm->due_at) &&
		    drm_svm_replay_begin(svm))
			return svm;
	}
	drm_svm_replays_arm(queue);
	return NULL;
}

/**
 * drm_svm_replay_work() - do the replays that are due
 * @work: &drm_svm_fault_queue.replay_work
 */
void drm_svm_replay_work(struct work_struct *work)
{
	struct drm_svm_fault_queue *queue =
		container_of(work, struct drm_svm_fault_queue, replay_work.work);
	struct drm_svm *svm;

	while ((svm = drm_svm_replay_next(queue)))
		drm_svm_replay_do(svm);
}

/* ---- slots -------------------------------------------------------------- */

static struct hlist_head *drm_svm_slot_bucket(struct drm_svm_fault_queue *queue,
					      const struct drm_svm_fault *fault)
{
	u64 key = (unsigned long)fault->svm ^ fault->addr ^ fault->cookie;

	return &queue->hash[hash_64(key, ilog2(queue->nr_slots))];
}

/**
 * drm_svm_expiry_arm() - have deadlines looked at
 * @queue: queue
 * @deadline: jiffies, at the latest
 *
 * Context: the queue's lock is held.
 */
void drm_svm_expiry_arm(struct drm_svm_fault_queue *queue,
			unsigned long deadline)
{
	unsigned long now = jiffies;

	lockdep_assert_held(&queue->lock);
	if (queue->expiry_armed && !time_before(deadline, queue->expiry))
		return;
	queue->expiry_armed = true;
	queue->expiry = deadline;
	/* One tick more: it is over then. */
	mod_delayed_work(queue->wq, &queue->expire_work,
			 time_after(deadline, now) ? deadline - now + 1 : 0);
}

/**
 * drm_svm_slot_is_late() - is a record past its deadline?
 * @slot: slot
 *
 * Return: true if it is.
 */
bool drm_svm_slot_is_late(const struct drm_svm_slot *slot)
{
	return !time_before(jiffies, slot->deadline);
}

/**
 * drm_svm_slot_take() - a place for a record
 * @queue: queue, with a free slot
 * @fault: the record
 *
 * Context: the queue's lock is held.
 * Return: the slot, in no list: the caller's to sort in or to end.
 */
struct drm_svm_slot *drm_svm_slot_take(struct drm_svm_fault_queue *queue,
				       const struct drm_svm_fault *fault)
{
	struct drm_svm_slot *slot =
		list_first_entry(&queue->free, struct drm_svm_slot, node);

	lockdep_assert_held(&queue->lock);
	list_del_init(&slot->node);
	queue->nr_free--;
	slot->fault = *fault;
	slot->state = DRM_SVM_SLOT_ROUTED;
	slot->late = -ETIME;
	slot->deadline = jiffies +
			 msecs_to_jiffies(READ_ONCE(queue->deadline_ms));
	hlist_add_head(&slot->hash, drm_svm_slot_bucket(queue, fault));
	fault->svm->records++;
	return slot;
}

/**
 * drm_svm_slot_supersede() - is it a fault that is in the queue already?
 * @queue: queue
 * @fault: record
 *
 * Only where faults are replayed: the unit was woken for others, and has told once
 * more what it still waits for. The replay that answers the slot is rung after that.
 * What names the record to the device is the newer.
 *
 * Context: the queue's lock is held.
 * Return: true if it is; then it needs no slot.
 */
bool drm_svm_slot_supersede(struct drm_svm_fault_queue *queue,
			    const struct drm_svm_fault *fault)
{
	struct drm_svm_slot *slot;

	lockdep_assert_held(&queue->lock);
	if (drm_svm_answers_each(fault->svm))
		return false;
	hlist_for_each_entry(slot, drm_svm_slot_bucket(queue, fault), hash) {
		if (slot->fault.svm != fault->svm ||
		    slot->fault.addr != fault->addr ||
		    slot->fault.access != fault->access ||
		    slot->fault.cookie != fault->cookie ||
		    slot->state == DRM_SVM_SLOT_ANSWERING)
			continue;
		memcpy(slot->fault.priv, fault->priv, sizeof(fault->priv));
		return true;
	}
	return false;
}

/**
 * drm_svm_slot_move() - put a slot into another list
 * @slot: slot, not FREE and not ANSWERING
 * @state: its new state
 * @list: the list of that state, in the order of which it is the last
 *
 * Context: the queue's lock is held.
 */
void drm_svm_slot_move(struct drm_svm_slot *slot, enum drm_svm_slot_state state,
		       struct list_head *list)
{
	slot->state = state;
	list_move_tail(&slot->node, list);
	/* Nobody has looked at the deadline while it was being served. */
	if (state != DRM_SVM_SLOT_SERVING && state != DRM_SVM_SLOT_ANSWERING)
		drm_svm_expiry_arm(slot->fault.svm->device->queue, slot->deadline);
}

/**
 * drm_svm_slot_end() - what a record ends with is known
 * @slot: slot, not FREE and not ANSWERING; in state SERVING only its worker calls
 * @result: what the driver is to be told
 * @list: the caller's, for drm_svm_answer()
 *
 * Context: the queue's lock is held.
 */
void drm_svm_slot_end(struct drm_svm_slot *slot, int result,
		      struct list_head *list)
{
	lockdep_assert_held(&slot->fault.svm->device->queue->lock);
	WARN_ON_ONCE(slot->state == DRM_SVM_SLOT_FREE ||
		     slot->state == DRM_SVM_SLOT_ANSWERING);
	if (drm_svm_planted(DRM_SVM_PLANTED_ACK_ERROR) && result != -ESRCH)
		result = 0;
	slot->result = result;
	drm_svm_slot_move(slot, DRM_SVM_SLOT_ANSWERING, list);
}

static void drm_svm_slot_free(struct drm_svm_fault_queue *queue,
			      struct drm_svm_slot *slot)
{
	struct drm_svm *svm = slot->fault.svm;

	lockdep_assert_held(&queue->lock);
	/* Before it is free: who waits for the last record may ask for replays. */
	if (!drm_svm_answers_each(svm) && !slot->result)
		drm_svm_replay_due(svm, 1);
	else if (!drm_svm_answers_each(svm) && slot->result == -EAGAIN)
		drm_svm_replay_due(svm, DRM_SVM_LET_GO);
	slot->state = DRM_SVM_SLOT_FREE;
	hlist_del_init(&slot->hash);
	list_move(&slot->node, &queue->free);
	queue->nr_free++;
	svm->records--;
	drm_svm_wake_idle(svm);
}

/* Tells the driver, where it is to be told of this one. */
static void drm_svm_tell(struct drm_svm_slot *slot)
{
	struct drm_svm *svm = slot->fault.svm;
	bool error = slot->result && slot->result != -EAGAIN &&
		     slot->result != -ESRCH;

	if (error)
		atomic64_inc(&svm->stats.fault_errors);
	if (drm_svm_planted(DRM_SVM_PLANTED_ANSWER_LOST) &&
	    slot->result == -ESRCH)
		return;
	if (drm_svm_answers_each(svm))
		svm->ops->done(svm, &slot->fault, slot->result);
	else if (error)
		svm->ops->cancel(svm, &slot->fault, slot->result);
	if (drm_svm_planted(DRM_SVM_PLANTED_ANSWER_TWICE) && error &&
	    drm_svm_answers_each(svm))
		svm->ops->done(svm, &slot->fault, slot->result);
}

/**
 * drm_svm_answer() - answer records: the only way for a slot to become free
 * @queue: queue
 * @slots: from drm_svm_slot_end(); the caller's alone, empty afterwards
 *
 * Context: process; no lock is held. Since before it ended the first, the caller has
 * been in the driver (drm_svm_driver_enter()), or a group's worker.
 */
void drm_svm_answer(struct drm_svm_fault_queue *queue, struct list_head *slots)
{
	struct drm_svm_slot *slot, *next;

	if (list_empty(slots))
		return;
	list_for_each_entry(slot, slots, node)
		drm_svm_tell(slot);

	guard(spinlock)(&queue->lock);
	list_for_each_entry_safe(slot, next, slots, node)
		drm_svm_slot_free(queue, slot);
	if (queue->full && !queue->stopped) {
		queue->full = false;
		queue_work(queue->wq, &queue->fetch_work);
	}
}

/**
 * drm_svm_slots_init() - make the slots
 * @queue: queue, with a good number of them
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM; then what has been made is freed with the queue.
 */
int drm_svm_slots_init(struct drm_svm_fault_queue *queue)
{
	unsigned int i;

	queue->slots = kvzalloc_objs(*queue->slots, queue->nr_slots, GFP_KERNEL);
	queue->hash = kvzalloc_objs(*queue->hash, queue->nr_slots, GFP_KERNEL);
	if (!queue->slots || !queue->hash)
		return -ENOMEM;
	for (i = 0; i < queue->nr_slots; i++) {
		INIT_HLIST_NODE(&queue->slots[i].hash);
		list_add_tail(&queue->slots[i].node, &queue->free);
	}
	queue->nr_free = queue->nr_slots;
	return 0;
}
