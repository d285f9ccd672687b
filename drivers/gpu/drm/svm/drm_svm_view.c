// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Views: their life.
 *
 * A view is its driver's, who makes it and ends it. Two kinds of use are counted
 * apart. Who makes mappings (a service) is a *user*, and there are no new ones once
 * the view ends. Who takes mappings away (an invalidation) finds the view by its
 * record of a range, under the range's lock, and holds a *reference* past that lock:
 * there can be new ones until the last record is gone.
 *
 *	end: no new users -> wait for users -> range by range: unmap, flush, drop the
 *	record -> wait for references
 *
 * Neither is waited for longer than hardware takes, and a service: who waits for a page
 * is told.
 */

#include <kunit/visibility.h>

#include <linux/wait_bit.h>

#include "drm_svm_internal.h"

/* Of &drm_svm_view.users, when the view ends. */
#define DRM_SVM_VIEW_ENDS	INT_MIN

/* Gives views their order, in which invalidations go through them. */
static atomic64_t drm_svm_view_numbers = ATOMIC64_INIT(0);

static int drm_svm_view_check(const struct drm_svm_view *view,
			      const struct drm_svm *svm)
{
	if (view->first > view->last || !PAGE_ALIGNED(view->first) ||
	    !PAGE_ALIGNED(view->last + 1) || !PAGE_ALIGNED(view->bias))
		return -EINVAL;
	if (!(view->rights & DRM_SVM_RIGHT_READ))
		return -EINVAL;
	if ((view->caps & DRM_SVM_SINK_OVERZAP) && !view->ops->lookup)
		return -EINVAL;
	/* It could not be kept from atomics where it may write. */
	if (!svm->device->system_atomics && (view->rights & DRM_SVM_RIGHT_WRITE) &&
	    (view->caps & DRM_SVM_SINK_ATOMIC_IS_WRITE))
		return -EINVAL;
	return 0;
}

/**
 * drm_svm_view_init() - let a device see an interval of addresses
 * @view: @ops, @first, @last, @bias, @rights and @caps are set, the rest is zeroed
 * @svm: device address space, initialised
 *
 * Views of one address space may overlap; where a fault says only an address, the one
 * that was made first and has it is meant.
 *
 * Context: process; may be called while others of @svm are in use.
 * Return: 0, -EINVAL for an interval that is empty or not of whole pages, for no right
 * to read, for a sink that lacks what its caps ask for, or one that cannot tell atomics
 * from writes where the device's atomics are not coherent in system memory
 * (&drm_svm_device.system_atomics).
 */
int drm_svm_view_init(struct drm_svm_view *view, struct drm_svm *svm)
{
	int ret = drm_svm_view_check(view, svm);

	if (ret)
		return ret;
	view->svm = svm;
	view->number = atomic64_inc_return(&drm_svm_view_numbers);
	view->fresh = 0;
	view->spoilt = 0;
	view->restored = false;
	view->restore = NULL;
	mt_init_flags(&view->claims, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
	refcount_set(&view->refs, 1);
	atomic_set(&view->users, 0);
	guard(spinlock)(&svm->view_lock);
	list_add_tail(&view->node, &svm->views);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_view_init);

/**
 * drm_svm_view_use() - begin to make mappings
 * @view: view that cannot be freed now
 *
 * Context: any.
 * Return: false if it ends; otherwise it does not until drm_svm_view_unuse().
 */
bool drm_svm_view_use(struct drm_svm_view *view)
{
	return atomic_inc_unless_negative(&view->users);
}

/**
 * drm_svm_view_unuse() - end of drm_svm_view_use()
 * @view: view
 *
 * Context: any.
 */
void drm_svm_view_unuse(struct drm_svm_view *view)
{
	if (atomic_dec_return(&view->users) == DRM_SVM_VIEW_ENDS)
		wake_up_var(&view->users);
}

/**
 * drm_svm_view_ends() - is a view about to go?
 * @view: view, in use
 *
 * Context: any.
 * Return: true if drm_svm_view_fini() waits.
 */
bool drm_svm_view_ends(const struct drm_svm_view *view)
{
	return atomic_read(&view->users) < 0;
}

/**
 * drm_svm_view_find() - which view has an address?
 * @svm: device address space
 * @addr: address of the process
 *
 * Context: any.
 * Return: the view, for drm_svm_view_unuse(), or NULL.
 */
struct drm_svm_view *drm_svm_view_find(struct drm_svm *svm, u64 addr)
{
	struct drm_svm_view *view;

	guard(spinlock)(&svm->view_lock);
	list_for_each_entry(view, &svm->views, node)
		if (addr >= view->first && addr <= view->last &&
		    drm_svm_view_use(view))
			return view;
	return NULL;
}

/**
 * drm_svm_view_get() - keep a view
 * @view: view that has a record of a range
 *
 * Context: the range's lock is held.
 */
void drm_svm_view_get(struct drm_svm_view *view)
{
	refcount_inc(&view->refs);
}

/**
 * drm_svm_view_put() - end of drm_svm_view_get()
 * @view: view
 *
 * Context: any.
 */
void drm_svm_view_put(struct drm_svm_view *view)
{
	if (!refcount_dec_and_test(&view->refs))
		return;
	/* Before we look whether somebody waits. */
	smp_mb();
	wake_up_var(&view->refs);
}

/*
 * Takes everything of a range away that the view maps. What an invalidation has taken
 * and not flushed yet is flushed here too.
 */
static void drm_svm_view_unmap_range(struct drm_svm_view *view,
				     struct drm_svm_range *range)
{
	/* It has no users: what it does not map now it will not. */
	if (drm_svm_range_maps(range, view, 0, DRM_SVM_RANGE_PAGES - 1))
		drm_svm_batch_range(range, view, DRM_SVM_UNMAP_DIRECTORY);
}

static void drm_svm_view_unmap_all(struct drm_svm_view *view)
{
	struct drm_svm_mm *smm = view->svm->smm;
	unsigned long index, last = view->last >> DRM_SVM_RANGE_SHIFT;
	struct drm_svm_range *range;

	/* Ranges may not be collected meanwhile: their records name the view. */
	disable_delayed_work_sync(&smm->gc_work);
	xa_for_each_range(&smm->ranges, index, range,
			  view->first >> DRM_SVM_RANGE_SHIFT, last) {
		drm_svm_view_unmap_range(view, range);
		drm_svm_range_drop_view(range, view);
		cond_resched();
	}
	enable_delayed_work(&smm->gc_work);
	/* Also for what was asked for meanwhile. */
	drm_svm_gc_kick(smm, 0);
}

/**
 * drm_svm_view_fini() - end a view
 * @view: from drm_svm_view_init(); nobody serves its faults by name any more
 *
 * Takes all of its mappings away. Waits for services of the view and for
 * invalidations that are under way, and for the collector, which waits for hardware
 * only.
 *
 * Context: may sleep; no lock of drm_svm and no mmap_lock is held. The process may be
 * gone already.
 */
void drm_svm_view_fini(struct drm_svm_view *view)
{
	WARN_ON(view->restore);
	scoped_guard(spinlock, &view->svm->view_lock)
		list_del(&view->node);
	if (atomic_add_return(DRM_SVM_VIEW_ENDS, &view->users) !=
	    DRM_SVM_VIEW_ENDS) {
		/* Some sleep until a page comes. */
		wake_up_all(&view->svm->idle);
		wait_var_event(&view->users,
			       atomic_read(&view->users) == DRM_SVM_VIEW_ENDS);
	}
	drm_svm_view_unmap_all(view);
	if (!refcount_dec_and_test(&view->refs))
		wait_var_event(&view->refs, !refcount_read(&view->refs));
	mtree_destroy(&view->claims);
}
EXPORT_SYMBOL_GPL(drm_svm_view_fini);
