// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Work for the collector (drm_svm_gc.c): what may be of no use any more, and when to
 * look. Who leaves it so may be in a notifier, and calls nothing that would drop it.
 */

#include "drm_svm_internal.h"

/**
 * drm_svm_gc_add() - a range may map nothing
 * @range: range
 *
 * The caller has a reference, and sees to drm_svm_gc_kick().
 *
 * Context: any; the range's lock may be held.
 */
void drm_svm_gc_add(struct drm_svm_range *range)
{
	struct drm_svm_mm *smm = range->smm;

	guard(spinlock)(&smm->idle_lock);
	if (!list_empty(&range->idle))
		return;
	kref_get(&range->ref);
	list_add_tail(&range->idle, &smm->idle_ranges);
}

/**
 * drm_svm_gc_later() - let the collector run some time
 * @smm: address space
 * @delay: jiffies from now at the latest, not 0
 *
 * Costs little where it is to run before that anyway.
 *
 * Context: any.
 */
void drm_svm_gc_later(struct drm_svm_mm *smm, unsigned long delay)
{
	unsigned long due = READ_ONCE(smm->gc_due), want = (jiffies + delay) | 1;

	if (due && time_before_eq(due, want))
		return;
	WRITE_ONCE(smm->gc_due, want);
	/* Only who knows of a later time makes it an earlier one. */
	if (due)
		mod_delayed_work(system_dfl_wq, &smm->gc_work, delay);
	else
		queue_delayed_work(system_dfl_wq, &smm->gc_work, delay);
}

/**
 * drm_svm_gc_kick() - let the collector run
 * @smm: address space
 * @delay: jiffies from now at the latest
 *
 * Context: any.
 */
void drm_svm_gc_kick(struct drm_svm_mm *smm, unsigned long delay)
{
	if (delay) {
		drm_svm_gc_later(smm, delay);
		return;
	}
	WRITE_ONCE(smm->gc_due, jiffies | 1);
	mod_delayed_work(system_dfl_wq, &smm->gc_work, 0);
}
