/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_FAULT_QUEUE_H_
#define _DRM_SVM_FAULT_QUEUE_H_

#include <drm/drm_svm_fault.h>

#include "drm_svm_internal.h"

#define DRM_SVM_GROUPS		64
#define DRM_SVM_HELD		64

/**
 * enum drm_svm_slot_state - where a record is
 * @DRM_SVM_SLOT_FREE: nowhere: in the free list
 * @DRM_SVM_SLOT_ROUTED: in the hands of who sorts it in
 * @DRM_SVM_SLOT_PENDING: in a group, to be served
 * @DRM_SVM_SLOT_SERVING: in a group, being served
 * @DRM_SVM_SLOT_WAITING: beyond its process's share of groups or held faults
 * @DRM_SVM_SLOT_HELD: in a held fault
 * @DRM_SVM_SLOT_ANSWERING: in the list of who tells the driver
 */
enum drm_svm_slot_state {
	DRM_SVM_SLOT_FREE,
	DRM_SVM_SLOT_ROUTED,
	DRM_SVM_SLOT_PENDING,
	DRM_SVM_SLOT_SERVING,
	DRM_SVM_SLOT_WAITING,
	DRM_SVM_SLOT_HELD,
	DRM_SVM_SLOT_ANSWERING,
};

/**
 * struct drm_svm_slot - a record
 * @node: in the one list that it is in
 * @hash: in &drm_svm_fault_queue.hash
 * @fault: what the driver read
 * @deadline: jiffies when it is given up
 * @late: the result then: -ETIME, or what a service has failed with last
 * @result: in state ANSWERING, what the driver is told
 * @state: says which list
 *
 * All of it is under the queue's lock. In state SERVING the worker reads the address
 * and access without, which do not change, in state ANSWERING all is its owner's.
 */
struct drm_svm_slot {
	struct list_head node;
	struct hlist_node hash;
	struct drm_svm_fault fault;
	unsigned long deadline;
	int late;
	int result;
	enum drm_svm_slot_state state;
};

/**
 * enum drm_svm_group_state - where a group is
 * @DRM_SVM_GROUP_FREE: in the free list
 * @DRM_SVM_GROUP_READY: waits for a worker
 * @DRM_SVM_GROUP_SLEEPING: waits for its timer after a lost service
 * @DRM_SVM_GROUP_QUEUED: has a worker, which has not begun
 * @DRM_SVM_GROUP_SERVING: is being served
 */
enum drm_svm_group_state {
	DRM_SVM_GROUP_FREE,
	DRM_SVM_GROUP_READY,
	DRM_SVM_GROUP_SLEEPING,
	DRM_SVM_GROUP_QUEUED,
	DRM_SVM_GROUP_SERVING,
};

/**
 * struct drm_svm_fault_group - a service of one range, waiting or running
 * @node: in the queue's groups or free list
 * @work: serves it; in state SLEEPING, its timer. A run that finds it in another
 *	state was meant for a service that has ended.
 * @queue: back pointer
 * @svm: address space
 * @base: first byte of the range
 * @state: under the queue's lock
 * @backoff: jiffies to wait after the next lost round
 * @io_tries: services that ended with -EIO, which may pass
 * @pending: slots that came in since the service began; under the queue's lock
 * @serving: slots that the worker serves; it alone takes any out
 * @want: the worker's: what those in @serving want
 * @left: the worker's: of these, pages that have to wait
 */
struct drm_svm_fault_group {
	struct list_head node;
	struct delayed_work work;
	struct drm_svm_fault_queue *queue;
	struct drm_svm *svm;
	u64 base;
	enum drm_svm_group_state state;
	unsigned long backoff;
	unsigned int io_tries;
	struct list_head pending;
	struct list_head serving;
	struct drm_svm_want want;
	struct drm_svm_left left;
};

static inline unsigned int drm_svm_slot_page(const struct drm_svm_slot *slot)
{
	return drm_svm_page_index(slot->fault.addr);
}

static inline u64 drm_svm_slot_base(const struct drm_svm_slot *slot)
{
	return slot->fault.addr & DRM_SVM_RANGE_MASK;
}

/* Errors of a service that may pass. */
static inline bool drm_svm_fault_transient(int error)
{
	return error == -EAGAIN || error == -ENOMEM || error == -EINTR ||
	       error == -EIO;
}

/* An -EIO of the DMA API may be a shortage of the moment: tried as often. */
#define DRM_SVM_IO_TRIES	5

/* slots and answers */
int drm_svm_slots_init(struct drm_svm_fault_queue *queue);
struct drm_svm_slot *drm_svm_slot_take(struct drm_svm_fault_queue *queue,
				       const struct drm_svm_fault *fault);
bool drm_svm_slot_supersede(struct drm_svm_fault_queue *queue,
			    const struct drm_svm_fault *fault);
bool drm_svm_slot_is_late(const struct drm_svm_slot *slot);
void drm_svm_slot_move(struct drm_svm_slot *slot, enum drm_svm_slot_state state,
		       struct list_head *list);
void drm_svm_slot_end(struct drm_svm_slot *slot, int result,
		      struct list_head *list);
void drm_svm_answer(struct drm_svm_fault_queue *queue, struct list_head *slots);
void drm_svm_expiry_arm(struct drm_svm_fault_queue *queue,
			unsigned long deadline);
void drm_svm_driver_enter(struct drm_svm_fault_queue *queue);
void drm_svm_driver_leave(struct drm_svm_fault_queue *queue);
void drm_svm_deactivate(struct drm_svm *svm);
void drm_svm_replay_now(struct drm_svm *svm);
void drm_svm_replays_arm(struct drm_svm_fault_queue *queue);
void drm_svm_replay_work(struct work_struct *work);

/* groups */
void drm_svm_groups_init(struct drm_svm_fault_queue *queue, work_func_t serve);
void drm_svm_queue_dispatch(struct drm_svm_fault_queue *queue);
void drm_svm_fault_enter(struct drm_svm_fault_queue *queue,
			 struct drm_svm_slot *slot);
void drm_svm_queue_turn(struct drm_svm_fault_queue *queue);
void drm_svm_group_ready(struct drm_svm_fault_group *group);
void drm_svm_group_rest(struct drm_svm_fault_group *group);
void drm_svm_groups_trim(struct drm_svm_fault_queue *queue);

/* held faults */
int drm_svm_held_init(struct drm_svm_fault_queue *queue);
void drm_svm_held_cancel(struct drm_svm_fault_queue *queue);
bool drm_svm_held_absorb(struct drm_svm_fault_queue *queue,
			 struct drm_svm_slot *slot);
void drm_svm_hold(struct drm_svm_fault_group *group);
void drm_svm_held_trim(struct drm_svm_fault_queue *queue);
void drm_svm_held_resume(struct drm_svm_fault_queue *queue);

/* services */
void drm_svm_serve_work(struct work_struct *work);

/* ends that are not those of a service */
void drm_svm_expire_work(struct work_struct *work);
void drm_svm_end_all(struct drm_svm_fault_queue *queue, struct drm_svm *svm,
		     int result);

#endif /* _DRM_SVM_FAULT_QUEUE_H_ */
