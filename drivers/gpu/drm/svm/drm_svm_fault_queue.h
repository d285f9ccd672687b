/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_FAULT_QUEUE_H_
#define _DRM_SVM_FAULT_QUEUE_H_

#include "drm_svm_internal.h"

#define DRM_SVM_GROUPS		64
#define DRM_SVM_GROUP_FAULTS	64
#define DRM_SVM_HELD		64

/**
 * struct drm_svm_fault_set - faults of one range
 * @want: pages touched
 * @write: of these, pages written
 * @n: faults remembered
 * @faults: them, for cancelling; oldest first
 */
struct drm_svm_fault_set {
	DECLARE_BITMAP(want, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(write, DRM_SVM_RANGE_PAGES);
	unsigned int n;
	struct drm_svm_fault faults[DRM_SVM_GROUP_FAULTS];
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
 * @deadline: jiffies when it is given up
 * @backoff: jiffies to wait after the next lost round
 * @io_tries: services that ended with -EIO, which may pass
 * @pending: came in since the service began; under the queue's lock
 * @serving: the worker's
 * @held: the worker's: of @serving, pages that are long in coming
 */
struct drm_svm_fault_group {
	struct list_head node;
	struct delayed_work work;
	struct drm_svm_fault_queue *queue;
	struct drm_svm *svm;
	u64 base;
	enum drm_svm_group_state state;
	unsigned long deadline;
	unsigned long backoff;
	unsigned int io_tries;
	struct drm_svm_fault_set pending;
	struct drm_svm_fault_set serving;
	DECLARE_BITMAP(held, DRM_SVM_RANGE_PAGES);
};

/* sets */
bool drm_svm_set_add(struct drm_svm_fault_set *set,
		     const struct drm_svm_fault *fault);
bool drm_svm_set_absorb(struct drm_svm_fault_set *set,
			const struct drm_svm_fault *fault);
void drm_svm_set_take(struct drm_svm_fault_set *from, const unsigned long *pages,
		      struct drm_svm_fault_set *to);
bool drm_svm_set_has(const struct drm_svm_fault_set *set, unsigned int page);
void drm_svm_set_cancel(struct drm_svm_fault_set *set, struct drm_svm *svm,
			unsigned int page, bool writes_only, int error);
void drm_svm_set_cancel_all(struct drm_svm_fault_set *set, struct drm_svm *svm,
			    int error);

/* groups */
void drm_svm_fault_enter(struct drm_svm_fault_queue *queue,
			 const struct drm_svm_fault *fault,
			 unsigned long deadline);
void drm_svm_starve(struct drm_svm_fault_queue *queue, struct drm_svm *svm);
void drm_svm_starve_held(struct drm_svm_fault_queue *queue, struct drm_svm *svm);
void drm_svm_replay_later(struct drm_svm *svm);
void drm_svm_queue_turn(struct drm_svm_fault_queue *queue);
void drm_svm_deactivate(struct drm_svm *svm);

/* held faults */
void drm_svm_held_cancel(struct drm_svm_fault_queue *queue);
int drm_svm_held_init(struct drm_svm_fault_queue *queue);
bool drm_svm_held_absorb(struct drm_svm_fault_queue *queue,
			 const struct drm_svm_fault *fault);
void drm_svm_hold(struct drm_svm_fault_group *group);
void drm_svm_held_stop(struct drm_svm_fault_queue *queue, struct drm_svm *svm);

#endif /* _DRM_SVM_FAULT_QUEUE_H_ */
