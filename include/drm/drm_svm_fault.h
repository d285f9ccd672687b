/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_FAULT_H_
#define _DRM_SVM_FAULT_H_

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_svm.h>

/**
 * enum drm_svm_access - what a device wanted to do
 * @DRM_SVM_READ: load or instruction fetch
 * @DRM_SVM_WRITE: store
 * @DRM_SVM_ATOMIC: read-modify-write
 */
enum drm_svm_access {
	DRM_SVM_READ,
	DRM_SVM_WRITE,
	DRM_SVM_ATOMIC,
};

struct drm_svm_view;

/* Serves one fault here and now, for who has no queue or does not want to use it. */
int drm_svm_handle_fault_in(struct drm_svm_view *view, u64 addr,
			    enum drm_svm_access access, unsigned long deadline);
int drm_svm_handle_fault(struct drm_svm *svm, u64 addr,
			 enum drm_svm_access access, unsigned long deadline);

/* What a record carries of the driver's own. */
#define DRM_SVM_FAULT_PRIV	32

/**
 * struct drm_svm_fault - a fault as the driver read it from its device
 * @svm: address space, which the driver has looked up
 * @addr: address, any alignment
 * @access: what was tried
 * @cookie: the driver's: who tried. Where faults are replayed, a record with the
 *	cookie, address and access of one that is still in the queue is taken for the
 *	same fault, told again after a replay for others: it takes the place, and has
 *	the deadline, of the one before. Where each record is answered it has no
 *	meaning to the queue.
 * @priv: the driver's, for its answer; comes back as it was
 */
struct drm_svm_fault {
	struct drm_svm *svm;
	u64 addr;
	enum drm_svm_access access;
	u64 cookie;
	u8 priv[DRM_SVM_FAULT_PRIV] __aligned(8);
};

/**
 * DOC: answers to faults
 *
 * A device that has a queue is told of each of its records exactly once, by one of
 * two ways, which &struct drm_svm_ops chooses. All three are called in process
 * context without any lock of drm_svm; they must not sleep, allocate memory, wait for
 * anything that may wait for a fault, or call back but for
 * drm_svm_fault_queue_kick(). They may run at the same time for different records, and
 * do not run any more when drm_svm_stop() has returned.
 *
 * &drm_svm_ops.replay and &drm_svm_ops.cancel, for devices whose units are woken all
 * together. A record that has been served, or let go, makes a replay due; one
 * replay answers all that were served since the last. A record that cannot be served
 * is cancelled with the reason. One whose address space is gone (-ESRCH) needs no
 * answer any more and gets none.
 *
 * &drm_svm_ops.done, for devices that want an answer to each (a firmware's message, a
 * page response, a doorbell by number). The result is 0: the access can be made;
 * -EAGAIN: nothing is known, ask again; or the reason why this access, and not that of
 * another record of the same page, cannot be made: -EFAULT, -EACCES, -EOPNOTSUPP,
 * -ENOMEM, -EIO, -ENODEV; -EREMCHG where the driver has claimed the address and has no
 * &drm_svm_ops.claimed; -ETIME: not before its deadline; -ESRCH: the address space
 * is gone; -ECANCELED: drm_svm_fault_queue_drop().
 */

/**
 * struct drm_svm_fault_queue_ops - how faults are taken from a device
 * @fetch: read up to @max records; what is not read stays with the device,
 *	whose buffer is the back-pressure. A record whose address space is gone
 *	is dropped here, and answered by the driver if the device wants that.
 *	Process context, may sleep, one call at a time.
 *	Return: number read.
 */
struct drm_svm_fault_queue_ops {
	unsigned int (*fetch)(struct drm_svm_fault_queue *queue,
			      struct drm_svm_fault *faults, unsigned int max);
};

struct drm_svm_fault_group;
struct drm_svm_held;
struct drm_svm_slot;

/* What &drm_svm_fault_queue.deadline_ms is if the driver says nothing. */
#define DRM_SVM_FAULT_DEADLINE_MS	60000

/* Bounds of &drm_svm_fault_queue.nr_slots. */
#define DRM_SVM_FAULT_MIN_SLOTS		64
#define DRM_SVM_FAULT_MAX_SLOTS		65536

/**
 * struct drm_svm_fault_queue - faults of one device; embed it in the device
 * @ops: the driver's
 * @deadline_ms: how long a fault may take, in milliseconds, whatever it waits for:
 *	a page that does not come, a turn, or invalidations that it keeps losing to.
 *	Then its result is -ETIME. May be changed at any time, for faults to come.
 * @nr_slots: records that it has room for, a power of two; 0 for the module's
 *	parameter. One process has half of them at most, one user three quarters: more
 *	than that is let go (-EAGAIN). So let it be twice what one process can have
 *	outstanding, or more.
 */
struct drm_svm_fault_queue {
	const struct drm_svm_fault_queue_ops *ops;
	unsigned int deadline_ms;
	unsigned int nr_slots;
	/* private: */
	struct drm_svm_device *device;	/* whose it is */
	struct workqueue_struct *wq;	/* workers */
	struct work_struct fetch_work;	/* takes records and forms groups */
	struct delayed_work expire_work; /* answers what is past its deadline */
	struct delayed_work replay_work; /* replays that were put off to join others */
	spinlock_t lock;		/* all below, and what is in the lists */
	wait_queue_head_t quiet;	/* woken when @busy, @running or @held go down */
	struct list_head svms;		/* address spaces, in the order of their turns */
	struct list_head due;		/* of these, those that are owed a replay */
	struct list_head free;		/* slots not in use */
	unsigned int nr_free;		/* length of @free */
	bool full;			/* the fetcher has stopped for want of one */
	bool expiry_armed;		/* @expire_work is to run */
	unsigned long expiry;		/* jiffies when it is */
	struct list_head groups;	/* that wait or are served */
	struct list_head free_groups;	/* not in use */
	unsigned int nr_free_groups;	/* length of @free_groups */
	unsigned int running;		/* groups that have a worker */
	unsigned int max_running;	/* workers */
	struct list_head held;		/* faults whose pages are long in coming */
	struct list_head free_held;	/* not in use */
	struct list_head waiting_held;	/* slots beyond the share of these */
	unsigned int busy;		/* calls of the driver that are under way */
	unsigned int paused;		/* pauses that have not been taken back */
	struct drm_svm_slot *slots;	/* all of them */
	struct hlist_head *hash;	/* those in use, by fault; as many buckets */
	struct drm_svm_fault_group *pool; /* all groups */
	struct drm_svm_held *held_pool;	/* all of @held and @free_held */
	struct drm_svm_fault *fetched;	/* fetch_work's */
	bool stopped;			/* no more fetching */
};

int drm_svm_fault_queue_init(struct drm_svm_fault_queue *queue,
			     struct drm_svm_device *sdev,
			     const struct drm_svm_fault_queue_ops *ops,
			     const char *name);
void drm_svm_fault_queue_fini(struct drm_svm_fault_queue *queue);
void drm_svm_fault_queue_kick(struct drm_svm_fault_queue *queue);
void drm_svm_fault_queue_sync(struct drm_svm_fault_queue *queue);
void drm_svm_fault_queue_pause(struct drm_svm_fault_queue *queue);
void drm_svm_fault_queue_resume(struct drm_svm_fault_queue *queue);
void drm_svm_fault_queue_drop(struct drm_svm_fault_queue *queue,
			      struct drm_svm *svm);

#endif /* _DRM_SVM_FAULT_H_ */
