/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_SINK_H_
#define _DRM_SVM_SINK_H_

#include <linux/bits.h>
#include <linux/hmm.h>
#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct drm_svm;
struct drm_svm_restore;
struct drm_svm_view;

/**
 * DOC: drm_svm_sink
 *
 * A *view* is an interval of a process's addresses that a device sees, with the
 * rights that it has there; a *sink* is where the mappings of a view go: a page table
 * that the device walks, an array of bus addresses, a list of pages. The mirror
 * (ranges, walk, generation, invalidation) knows no more of a device than this.
 *
 * A mapping is made in a *transaction* and taken away in a *batch*::
 *
 *	check -> prepare -> [range lock: map] -> finish -> wait
 *
 *	unmap_reserve -> [range lock: unmap_begin, ...] -> unmap_start -> unmap_wait
 *		-> unmap_end
 *
 * ============== ============================ ========= =============================
 * call           locks held                   allocates may wait for
 * ============== ============================ ========= =============================
 * check          service lock                 no        nothing
 * prepare        service lock; mmap_lock      yes       own ring; what it takes of the
 *                (read) after lost rounds               hardware it takes last
 * map            and the range's lock         no        spinlocks
 * finish         service lock                 no        hardware; not -EBUSY, -EXDEV
 * wait           service lock                 no        hardware
 * lookup         maybe none                   no        nothing
 * unmap_reserve  MMU notifier or service lock no        ring space, if @may_sleep; who
 *                                                       waits has nothing reserved
 * unmap_begin    and the range's lock         no        spinlocks
 * unmap_start    MMU notifier or service lock no        spinlocks
 * unmap_wait     the same                     no        hardware, dma_fences
 * unmap_end      the same                     no        spinlocks
 * kill           the same                     no        hardware, if @may_sleep
 * ============== ============================ ========= =============================
 *
 * Batches of one view may be under way at the same time, also while the view ends, which
 * holds neither of these locks.
 *
 * In the MMU notifier that may not block (the OOM reaper), all four of a batch are
 * called with the range's lock held and without @may_sleep.
 *
 * Space that unmap_reserve() takes is given back by unmap_start() at the latest: from
 * there to unmap_wait() others reserve, and a batch that kept its space would keep
 * them waiting. Of several views one at most is reserved with @may_sleep, the first.
 */

/* What a view, a run or a question is about. */
#define DRM_SVM_RIGHT_READ	BIT(0)
#define DRM_SVM_RIGHT_WRITE	BIT(1)
#define DRM_SVM_RIGHT_ATOMIC	BIT(2)
#define DRM_SVM_RIGHT_EXEC	BIT(3)

/**
 * enum drm_svm_place - what kind of memory a device is to reach
 * @DRM_SVM_PLACE_SYSTEM: system memory, by bus address
 * @DRM_SVM_PLACE_LOCAL: the device's own, by its own address (&drm_svm_region.base)
 */
enum drm_svm_place {
	DRM_SVM_PLACE_SYSTEM,
	DRM_SVM_PLACE_LOCAL,
};

/**
 * struct drm_svm_run - pages that follow each other for the process, and are alike
 * @va: first byte, address of the process
 * @addr: first byte, a bus address or one in the device's memory, by @place
 * @addrs: by page, where they do not follow each other for the device and in memory;
 *	NULL where they do: then @addr says all of them
 * @pfns: by page, for drm_svm_run_pfn()
 * @nr: pages, at least 1
 * @rights: DRM_SVM_RIGHT_*
 * @place: enum drm_svm_place
 */
struct drm_svm_run {
	u64 va;
	u64 addr;
	const u64 *addrs;
	const unsigned long *pfns;
	u32 nr;
	u8 rights;
	u8 place;
};

/**
 * drm_svm_run_addr() - where does the device find a page?
 * @run: run
 * @i: number of the page in it
 *
 * Return: address.
 */
static inline u64 drm_svm_run_addr(const struct drm_svm_run *run, u32 i)
{
	return run->addrs ? run->addrs[i] : run->addr + ((u64)i << PAGE_SHIFT);
}

/**
 * drm_svm_run_pfn() - which page of memory is it?
 * @run: run
 * @i: number of the page in it
 *
 * Return: page frame number.
 */
static inline unsigned long drm_svm_run_pfn(const struct drm_svm_run *run, u32 i)
{
	return run->pfns[i] & ~HMM_PFN_FLAGS;
}

/**
 * struct drm_svm_runs - what is to be mapped, run by run
 * @next: number of the next one
 * @data: the mirror's
 */
struct drm_svm_runs {
	u32 next;
	void *data;
};

bool drm_svm_runs_next(struct drm_svm_runs *runs, struct drm_svm_run *run);

/* Words of a sink's own. */
#define DRM_SVM_TXN_WORDS	40
#define DRM_SVM_BATCH_WORDS	32

/**
 * struct drm_svm_txn - a transaction: mappings in the making
 * @view: where
 * @first: first byte of the process that it may touch
 * @last: last byte
 * @runs: what is to be mapped; &drm_svm_sink_ops.prepare goes through a copy
 * @conflicts: how often &drm_svm_sink_ops.map has said -EBUSY in this service
 * @fence: set by &drm_svm_sink_ops.finish: for &drm_svm_sink_ops.wait, 0 if there is
 *	nothing to wait for
 * @sink: the sink's
 */
struct drm_svm_txn {
	struct drm_svm_view *view;
	u64 first;
	u64 last;
	struct drm_svm_runs runs;
	u32 conflicts;
	u64 fence;
	u64 sink[DRM_SVM_TXN_WORDS];
};

/**
 * struct drm_svm_batch - mappings of one view that are being taken away
 * @view: of which
 * @first: first byte of the process that it may touch
 * @last: last byte
 * @pending: &drm_svm_sink_ops.unmap_start has something to be waited for
 * @sink: the sink's
 */
struct drm_svm_batch {
	struct drm_svm_view *view;
	u64 first;
	u64 last;
	bool pending;
	u64 sink[DRM_SVM_BATCH_WORDS];
};

/* What is taken away, in unmap_begin(). */
/* Caches of directories may hold what is not in the table any more. */
#define DRM_SVM_UNMAP_DIRECTORY	BIT(0)
/* It is to come back: only what is in the way goes. */
#define DRM_SVM_UNMAP_MAKE_WAY	BIT(1)
/* Nothing is mapped there: what the mappings needed may go. */
#define DRM_SVM_UNMAP_RECLAIM	BIT(2)
/* Nothing is taken away, what is cached of mappings is: they have got more rights. */
#define DRM_SVM_UNMAP_UPGRADED	BIT(3)

/* What a sink can do. */
/* unmap_*() need no sleep. Without it the OOM reaper leaves the view's pages alone. */
#define DRM_SVM_SINK_POLL		BIT(0)
/* May take away more than it is asked to. Then it has a lookup. */
#define DRM_SVM_SINK_OVERZAP		BIT(1)
/* Devices that have cached a mapping do not see that it has got more rights. */
#define DRM_SVM_SINK_FLUSH_UPGRADES	BIT(3)
/* Can say where in the device's own memory a page is; others get system memory. */
#define DRM_SVM_SINK_LOCAL		BIT(4)
/* Can tell what it maps from what the driver maps itself: drm_svm_claim(). */
#define DRM_SVM_SINK_CLAIMS		BIT(5)
/* Who may write may do atomics: it cannot tell them apart. */
#define DRM_SVM_SINK_ATOMIC_IS_WRITE	BIT(2)

/**
 * struct drm_svm_sink_ops - a sink
 * @check: can the view express a run? Optional.
 *	Returns 0, -EOPNOTSUPP.
 * @prepare: make ready to map what is in the transaction's runs.
 *	Returns 0, -ENOMEM, -EIO, or another error that ends the fault.
 * @map: map what drm_svm_runs_next() gives, in that order; once per transaction. It
 *	replaces what is there; what is mapped may gain rights, and does not lose any
 *	unless unmapped first. Return @done, pages that are mapped now, from the first
 *	run on; also on an error.
 *	Returns 0, -EBUSY if something has to go first (unmap_begin() with
 *	DRM_SVM_UNMAP_MAKE_WAY), -EAGAIN to be prepared once more.
 * @finish: end of a transaction that was prepared, whatever became of it.
 *	Returns 0, or an error that the service ends with; what is mapped stays.
 * @wait: until the device sees what a finished transaction has mapped. May be called
 *	for any fence of the view, also again.
 *	Returns 0, -EIO, -ENODEV if it never will.
 * @lookup: is all of an interval mapped with @rights? Needed with
 *	DRM_SVM_SINK_OVERZAP. @fence: set to what has to be waited for before that is
 *	true for the device.
 * @unmap_reserve: make ready to unmap in the batch's interval; the batch is zeroed.
 *	Returns 0, -EAGAIN if it would have to sleep, -ENODEV if the device is gone:
 *	@kill follows, and the batch goes on all the same.
 * @unmap_begin: take mappings away, in the interval given and as @how says, and
 *	remember what has to be flushed: the interval, whatever was found there, since
 *	another may have taken it away and not have flushed yet.
 * @unmap_start: begin to flush. Sets &drm_svm_batch.pending if there is a wait.
 * @unmap_wait: until no access through what was taken away is under way, bounded. No
 *	lock is held, and nothing is mapped in the intervals of @unmap_begin before it
 *	returns, so that what could not be taken away there can be now.
 *	Returns 0, -EAGAIN if it would have to sleep, or an error: then @kill follows.
 * @unmap_end: end of a batch that was reserved.
 * @kill: the device did not answer: cut it off, so that it reaches nothing any more.
 *	Flushes after it return 0 at once.
 */
struct drm_svm_sink_ops {
	int (*check)(struct drm_svm_view *view, const struct drm_svm_run *run);
	int (*prepare)(struct drm_svm_txn *txn);
	int (*map)(struct drm_svm_txn *txn, struct drm_svm_runs *runs, u32 *done);
	int (*finish)(struct drm_svm_txn *txn);
	int (*wait)(struct drm_svm_view *view, u64 fence);
	bool (*lookup)(struct drm_svm_view *view, u64 first, u64 last,
		       u8 rights, u64 *fence);
	int (*unmap_reserve)(struct drm_svm_batch *batch, bool may_sleep);
	void (*unmap_begin)(struct drm_svm_batch *batch, u64 first, u64 last,
			    u32 how);
	void (*unmap_start)(struct drm_svm_batch *batch, bool may_sleep);
	int (*unmap_wait)(struct drm_svm_batch *batch, bool may_sleep);
	void (*unmap_end)(struct drm_svm_batch *batch);
	void (*kill)(struct drm_svm_view *view, bool may_sleep);
};

/**
 * struct drm_svm_view - an interval of addresses that a device sees; embed it
 * @svm: device address space
 * @ops: the sink
 * @first: first byte of the process
 * @last: last byte
 * @bias: what is added to an address of the process to get the device's, modulo 2^64
 * @rights: the most that the device may do there, DRM_SVM_RIGHT_*
 * @caps: DRM_SVM_SINK_*
 */
struct drm_svm_view {
	struct drm_svm *svm;
	const struct drm_svm_sink_ops *ops;
	u64 first;
	u64 last;
	u64 bias;
	u8 rights;
	u8 caps;
	/* private: */
	u8 fresh;			/* rights with which all of it is mapped; under use_lock */
	bool restored;			/* it is mapped and written for @restore; likewise */
	u8 restore_rights;		/* how it is used with the others of @restore */
	u64 spoilt;			/* how often something was taken away; under use_lock */
	struct drm_svm_restore *restore; /* views that are used with it; likewise */
	struct list_head in_restore;	/* in &drm_svm_restore.views or its stale; likewise */
	struct list_head node;		/* in drm_svm.views */
	u64 number;			/* in the order of their making */
	struct maple_tree claims;	/* by page number, if DRM_SVM_SINK_CLAIMS */
	refcount_t refs;		/* who takes mappings away, and its driver */
	atomic_t users;			/* who makes mappings; negative: it ends */
};

int drm_svm_view_init(struct drm_svm_view *view, struct drm_svm *svm);
void drm_svm_view_fini(struct drm_svm_view *view);

int drm_svm_populate(struct drm_svm_view *view, u64 first, u64 last, u8 rights);
bool drm_svm_use_begin(struct drm_svm_view *view, u8 rights)
	__cond_acquires(true, &view->svm->use_lock);
bool drm_svm_use_also(struct drm_svm_view *view, u8 rights);
void drm_svm_use_end(struct drm_svm_view *view)
	__releases(&view->svm->use_lock);

/**
 * drm_svm_view_addr() - the device's address
 * @view: view
 * @va: address of the process
 *
 * Return: it.
 */
static inline u64 drm_svm_view_addr(const struct drm_svm_view *view, u64 va)
{
	return va + view->bias;
}

#endif /* _DRM_SVM_SINK_H_ */
