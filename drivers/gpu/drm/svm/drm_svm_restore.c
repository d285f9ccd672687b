// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: memory that comes back
 *
 * A device that cannot fault may run only while all that it may use is mapped. An
 * invalidation stops it (the sink waits for the fences of its jobs, or has it preempted)
 * and takes mappings away; before the device goes on they have to be there again. All
 * views that it uses together are in one &struct drm_svm_restore::
 *
 *	invalidation (notifier)             restore (a job's ioctl, or the worker)
 *	  the view is stale, range lock       driver's lock
 *	  sink: stop, wait, revoke            populate what is stale, .populated
 *	  the worker is asked for             .prepare: fence, dma_resv
 *	                                      use lock: any stale? then once more
 *	                                        .publish: the fence is known, go on
 *	                                      .finish
 *
 * To look whether all is there and to make known that it is used is one step, under the
 * lock of drm_svm_use_begin(). An invalidation makes its view stale under that lock
 * before it looks for who uses it. So either it is seen here, or it sees what was
 * published. What is stale is in a list of its own, so that both cost the same however
 * many views there are, and a restore what has been taken.
 *
 * Locks, from the outside: the driver's own; then what populating takes and lets go of
 * (service lock, mmap_lock, range lock); then the dma_resv of .prepare; in it the use
 * lock. A notifier takes the use lock only, and waits for fences and hardware with none
 * of these held. mmap_lock cannot be kept from populating to publishing, to win against
 * a process that changes its memory all the time: the service lock comes before it. Who
 * loses goes round, and after so many rounds says -EBUSY; the worker comes back later,
 * and later each time.
 *
 * Life: views are added, removed and restored under the driver's lock. A notifier finds
 * the restore by its view, under the use lock, under which it is removed too; so after
 * drm_svm_restore_fini() there is no work left, and none is begun.
 */

#include <linux/sched/signal.h>

#include <drm/drm_svm_restore.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

/* Rounds that may be lost to invalidations in one call. */
#define DRM_SVM_RESTORE_ROUNDS	64

/* A view that is not there, or whose device does not know; and what it is as of. */
static struct drm_svm_view *drm_svm_restore_next(struct drm_svm_restore *restore,
						 u64 *spoilt)
{
	struct drm_svm_view *view;

	guard(spinlock)(&restore->svm->use_lock);
	view = list_first_entry_or_null(&restore->stale, struct drm_svm_view, in_restore);
	if (view)
		*spoilt = view->spoilt;
	return view;
}

static struct drm_svm_view *drm_svm_restore_last(struct drm_svm_restore *restore)
{
	guard(spinlock)(&restore->svm->use_lock);
	return list_empty(&restore->stale) ? NULL :
		list_last_entry(&restore->stale, struct drm_svm_view, in_restore);
}

/* It is mapped, and what the device walks says so. */
static int drm_svm_restored(struct drm_svm_restore *restore, struct drm_svm_view *view,
			    u64 spoilt)
{
	guard(spinlock)(&restore->svm->use_lock);
	if (view->spoilt != spoilt)
		return -EAGAIN;
	view->restored = true;
	list_move_tail(&view->in_restore, &restore->views);
	return 0;
}

static int drm_svm_restore_view(struct drm_svm_restore *restore,
				struct drm_svm_view *view, u64 spoilt)
{
	int ret = drm_svm_populate(view, view->first, view->last, view->restore_rights);

	if (!ret && restore->ops->populated)
		ret = restore->ops->populated(restore, view);
	return ret ?: drm_svm_restored(restore, view, spoilt);
}

/* Those that are stale when it begins: what is spoilt meanwhile is behind them. */
static int drm_svm_restore_views(struct drm_svm_restore *restore)
{
	struct drm_svm_view *view, *last = drm_svm_restore_last(restore);
	u64 spoilt;
	int ret;

	if (!last)
		return 0;
	do {
		view = drm_svm_restore_next(restore, &spoilt);
		ret = drm_svm_restore_view(restore, view, spoilt);
	} while (!ret && view != last);
	return ret;
}

/* The step that is one. Return: false if something has been taken away. */
static bool drm_svm_restore_publish(struct drm_svm_restore *restore)
{
	guard(spinlock)(&restore->svm->use_lock);
	if (!list_empty(&restore->stale) && !drm_svm_planted(DRM_SVM_PLANTED_UNCHECKED_USE))
		return false;
	restore->due = false;
	restore->ops->publish(restore);
	return true;
}

static int drm_svm_restore_round(struct drm_svm_restore *restore)
{
	const struct drm_svm_restore_ops *ops = restore->ops;
	bool published;
	int ret;

	ret = drm_svm_restore_views(restore);
	if (!ret && ops->prepare)
		ret = ops->prepare(restore);
	if (ret)
		return ret;
	published = drm_svm_restore_publish(restore);
	if (ops->finish)
		ops->finish(restore, published);
	return published ? 0 : -EAGAIN;
}

/**
 * drm_svm_restore() - bring back what invalidations took, and go on
 * @restore: views
 *
 * Memory that was never touched is made, as by drm_svm_populate(). On success
 * &drm_svm_restore_ops.publish has been called once, with all of every view mapped; on
 * an error it has not.
 *
 * Context: may sleep, as long as a page takes to come; the driver's lock is held, no lock
 * of drm_svm and no mmap_lock. drm_svm_stop() and drm_svm_interrupt() end it.
 * Return: 0; -EBUSY if memory is taken away faster than it comes back; -EFAULT or
 * -EACCES if the process has no such memory any more; -EINTR after a signal; -ESRCH;
 * -ENOMEM, -EIO; what the driver's operations return.
 */
int drm_svm_restore(struct drm_svm_restore *restore)
{
	unsigned int rounds;
	int ret;

	for (rounds = 0; rounds < DRM_SVM_RESTORE_ROUNDS; rounds++) {
		ret = drm_svm_restore_round(restore);
		if (ret != -EAGAIN)
			return ret;
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return -EBUSY;
}
EXPORT_SYMBOL_GPL(drm_svm_restore);

/* ---- the worker --------------------------------------------------------- */

/**
 * drm_svm_restore_later() - have the worker try
 * @restore: views; with a workqueue
 *
 * For what was not there when views were added, or has failed since.
 *
 * Context: any that may take a spinlock.
 */
void drm_svm_restore_later(struct drm_svm_restore *restore)
{
	guard(spinlock)(&restore->svm->use_lock);
	drm_svm_restore_ask(restore);
}
EXPORT_SYMBOL_GPL(drm_svm_restore_later);

/* Nothing is, if what asked was over before the last time that the device went on. */
static bool drm_svm_restore_due(struct drm_svm_restore *restore)
{
	guard(spinlock)(&restore->svm->use_lock);
	return restore->due;
}

static void drm_svm_restore_work(struct work_struct *work)
{
	struct drm_svm_restore *restore =
		container_of(work, struct drm_svm_restore, work.work);
	bool again;
	int ret;

	if (!restore->ops->enter(restore))
		return;
	ret = drm_svm_restore_due(restore) ? drm_svm_restore(restore) : 0;
	restore->ops->leave(restore, ret);
	again = ret == -EBUSY || ret == -ENOMEM;
	WRITE_ONCE(restore->lost, again ? restore->lost + 1 : 0);
	if (again)
		drm_svm_restore_later(restore);
}

/* ---- life --------------------------------------------------------------- */

/**
 * drm_svm_restore_add() - a view is used with the others
 * @restore: views
 * @view: view of the same address space, of no restore yet
 * @rights: DRM_SVM_RIGHT_*: how it is used
 *
 * Context: may sleep; the driver's lock is held.
 */
void drm_svm_restore_add(struct drm_svm_restore *restore,
			 struct drm_svm_view *view, u8 rights)
{
	WARN_ON(view->svm != restore->svm);
	guard(spinlock)(&restore->svm->use_lock);
	view->restore = restore;
	view->restore_rights = rights | DRM_SVM_RIGHT_READ;
	view->restored = false;
	list_add_tail(&view->in_restore, &restore->stale);
}
EXPORT_SYMBOL_GPL(drm_svm_restore_add);

/**
 * drm_svm_restore_remove() - a view is used no more, with the others
 * @restore: views
 * @view: from drm_svm_restore_add(); remove it before drm_svm_view_fini()
 *
 * Context: may sleep; the driver's lock is held.
 */
void drm_svm_restore_remove(struct drm_svm_restore *restore,
			    struct drm_svm_view *view)
{
	guard(spinlock)(&restore->svm->use_lock);
	list_del(&view->in_restore);
	view->restore = NULL;
}
EXPORT_SYMBOL_GPL(drm_svm_restore_remove);

/**
 * drm_svm_restore_init() - views will be used together
 * @restore: embedded in the driver's
 * @svm: device address space, initialised
 * @ops: the driver's
 * @wq: where the worker runs, which restores by itself; or NULL
 *
 * Context: any.
 */
void drm_svm_restore_init(struct drm_svm_restore *restore, struct drm_svm *svm,
			  const struct drm_svm_restore_ops *ops,
			  struct workqueue_struct *wq)
{
	restore->svm = svm;
	restore->ops = ops;
	restore->wq = wq;
	restore->lost = 0;
	restore->due = false;
	restore->ends = false;
	INIT_LIST_HEAD(&restore->views);
	INIT_LIST_HEAD(&restore->stale);
	INIT_DELAYED_WORK(&restore->work, drm_svm_restore_work);
}
EXPORT_SYMBOL_GPL(drm_svm_restore_init);

/**
 * drm_svm_restore_fini() - no more work
 * @restore: from drm_svm_restore_init(); its views may still be there, and are removed
 *	before it is freed: an invalidation finds it by them
 *
 * Waits for the worker, which may be waiting for a page: call drm_svm_interrupt() or
 * drm_svm_stop() first.
 *
 * Context: may sleep; the driver's lock is not held.
 */
void drm_svm_restore_fini(struct drm_svm_restore *restore)
{
	scoped_guard(spinlock, &restore->svm->use_lock)
		restore->ends = true;
	cancel_delayed_work_sync(&restore->work);
}
EXPORT_SYMBOL_GPL(drm_svm_restore_fini);
