// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The collector: drops ranges that map nothing, with the tables that they leave
 * and the records of devices, and windows in which nothing is going on.
 *
 * Who leaves a range empty (an invalidation, a service that failed, a device that
 * goes) puts it into a list, so that nobody looks through all of them. Whether it
 * still is empty is looked at when its turn comes.
 *
 * It never waits for a service. A service holds the service lock of its range for
 * as long as it waits for a page, and a device that detaches waits for the
 * collector: so the lock is tried, and what is busy has another turn later. Nor does
 * it take mmap_lock. What it waits for is the range lock, hardware (a flush), and
 * for a window the end of the invalidations that are under way.
 */

#include <linux/slab.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

/* When what is busy has its next turn. */
#define DRM_SVM_GC_RETRY	(HZ / 4)

/* Out of the list before it is looked at: what becomes idle then is put in again. */
static struct drm_svm_range *drm_svm_gc_range(struct drm_svm_mm *smm,
					      struct list_head *list)
{
	struct drm_svm_range *range;

	guard(spinlock)(&smm->idle_lock);
	range = list_first_entry_or_null(list, struct drm_svm_range, idle);
	if (range)
		list_del_init(&range->idle);
	return range;
}

static bool drm_svm_gc_lock(struct drm_svm_range *range,
			    struct drm_svm_span *span)
{
	struct drm_svm_spans *spans = &range->smm->spans;
	u64 last = range->first + DRM_SVM_RANGE_SIZE - 1;

	if (drm_svm_planted(DRM_SVM_PLANTED_GC_WAITS))
		return !drm_svm_span_lock(spans, span, range->first, last);
	return drm_svm_span_trylock(spans, span, range->first, last);
}

/* Return: false if it has to have another turn. */
static bool drm_svm_gc_one(struct drm_svm_range *range)
{
	struct drm_svm_span span;

	if (!drm_svm_range_empty(range))
		return true;
	/* The servicer of a range works on its records without its lock. */
	if (!drm_svm_gc_lock(range, &span))
		return false;
	drm_svm_range_drop(range);
	drm_svm_span_unlock(&range->smm->spans, &span);
	return true;
}

static void drm_svm_gc_ranges(struct drm_svm_mm *smm)
{
	struct drm_svm_range *range;
	bool again = false;
	LIST_HEAD(list);

	spin_lock(&smm->idle_lock);
	list_splice_init(&smm->idle_ranges, &list);
	spin_unlock(&smm->idle_lock);
	while ((range = drm_svm_gc_range(smm, &list))) {
		if (!drm_svm_gc_one(range)) {
			drm_svm_gc_add(range);
			again = true;
		}
		drm_svm_range_put(range);
		cond_resched();
	}
	if (again)
		drm_svm_gc_kick(smm, DRM_SVM_GC_RETRY);
}

static struct drm_svm_window *drm_svm_gc_window(struct drm_svm_mm *smm)
{
	struct drm_svm_window *window;

	guard(spinlock)(&smm->idle_lock);
	window = list_first_entry_or_null(&smm->idle_windows,
					  struct drm_svm_window, idle);
	if (window)
		list_del_init(&window->idle);
	return window;
}

static bool drm_svm_gc_kill_window(struct drm_svm_window *window)
{
	struct drm_svm_mm *smm = window->smm;

	guard(mutex)(&smm->window_lock);
	/* Got and put again meanwhile, it lies in the list once more. */
	scoped_guard(spinlock, &smm->idle_lock) {
		if (atomic_cmpxchg(&window->users, 0, -1))
			return false;
		list_del_init(&window->idle);
	}
	xa_erase(&smm->windows, window->notifier.interval_tree.start >>
				DRM_SVM_WINDOW_SHIFT);
	return true;
}

/* The next window of the same addresses may be there before this one has gone. */
static void drm_svm_gc_windows(struct drm_svm_mm *smm)
{
	struct drm_svm_window *window;

	while ((window = drm_svm_gc_window(smm))) {
		if (!drm_svm_gc_kill_window(window))
			continue;
		mmu_interval_notifier_remove(&window->notifier);
		kfree_rcu(window, rcu);
		cond_resched();
	}
}

static void drm_svm_gc_work(struct work_struct *work)
{
	struct drm_svm_mm *smm =
		container_of(work, struct drm_svm_mm, gc_work.work);

	/* Who comes from here on asks anew; who has come is in the lists. */
	WRITE_ONCE(smm->gc_due, 0);
	/* Who has seen it set has put down before that what is looked at from here on. */
	smp_mb();
	drm_svm_gc_ranges(smm);
	drm_svm_gc_windows(smm);
}

/**
 * drm_svm_gc_init() - make the collector of an address space
 * @smm: address space
 */
void drm_svm_gc_init(struct drm_svm_mm *smm)
{
	spin_lock_init(&smm->idle_lock);
	INIT_LIST_HEAD(&smm->idle_ranges);
	INIT_LIST_HEAD(&smm->idle_windows);
	INIT_DELAYED_WORK(&smm->gc_work, drm_svm_gc_work);
}

/**
 * drm_svm_gc_fini() - let go what waits for the collector
 * @smm: address space; &drm_svm_mm.gc_work is disabled, no notifier is left
 */
void drm_svm_gc_fini(struct drm_svm_mm *smm)
{
	struct drm_svm_range *range;

	while ((range = drm_svm_gc_range(smm, &smm->idle_ranges)))
		drm_svm_range_put(range);
}
