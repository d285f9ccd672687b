// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Using what is mapped in a view, by a device that cannot fault.
 *
 * It may use a view only while all of it is mapped. What was populated may be taken away
 * again at any time, so to begin to use it is one step with making that known: between
 * drm_svm_use_begin() and drm_svm_use_end() a spinlock is held, under which an
 * invalidation makes the view stale before it looks for who uses it (the sink's
 * unmap_wait). Restoring a stale view is to populate it and to try again::
 *
 *	do {
 *		ret = drm_svm_populate(view, view->first, view->last, rights);
 *	} while (!ret && !drm_svm_use_begin(view, rights));
 *	if (!ret) {
 *		dma_resv_add_fence(...);
 *		drm_svm_use_end(view);
 *	}
 *
 * A job that uses several views of an address space begins with one and asks for the
 * others by drm_svm_use_also(), which the same lock covers; if one is stale it ends,
 * populates those that are, and begins again: drm_svm_restore() does that. What of the
 * fence and the dma_resv needs memory is there before.
 *
 * What takes mappings away calls this and nothing that makes any: who restores is asked
 * for here, and works elsewhere.
 */

#include <linux/jiffies.h>

#include <drm/drm_svm_restore.h>

#include "drm_svm_internal.h"

/* The pause of the worker that restores, doubled each time that it loses. */
#define DRM_SVM_RESTORE_PAUSE_MS	1
#define DRM_SVM_RESTORE_DOUBLED	7

/* ---- taken away --------------------------------------------------------- */

/**
 * drm_svm_restore_ask() - have the worker restore
 * @restore: views
 *
 * Context: the use lock is held.
 */
void drm_svm_restore_ask(struct drm_svm_restore *restore)
{
	unsigned int doubled = min(READ_ONCE(restore->lost),
				   DRM_SVM_RESTORE_DOUBLED);

	lockdep_assert_held(&restore->svm->use_lock);
	restore->due = true;
	if (restore->wq && !restore->ends)
		queue_delayed_work(restore->wq, &restore->work,
				   msecs_to_jiffies(DRM_SVM_RESTORE_PAUSE_MS << doubled));
}

/**
 * drm_svm_view_spoil() - not all of a view is mapped any more
 * @view: view
 *
 * Context: a range's lock is held; in a notifier.
 */
void drm_svm_view_spoil(struct drm_svm_view *view)
{
	guard(spinlock)(&view->svm->use_lock);
	view->spoilt++;
	view->fresh = 0;
	if (!view->restore)
		return;
	if (view->restored)
		list_move_tail(&view->in_restore, &view->restore->stale);
	view->restored = false;
	drm_svm_restore_ask(view->restore);
}

/**
 * drm_svm_view_spoilt() - how often has something been taken away?
 * @view: view
 *
 * Context: any that may take a spinlock.
 * Return: so often.
 */
u64 drm_svm_view_spoilt(struct drm_svm_view *view)
{
	guard(spinlock)(&view->svm->use_lock);
	return view->spoilt;
}

/**
 * drm_svm_view_freshen() - all of a view has been mapped
 * @view: view
 * @spoilt: of drm_svm_view_spoilt(), before that began
 * @rights: DRM_SVM_RIGHT_*: how
 *
 * Context: any that may take a spinlock.
 */
void drm_svm_view_freshen(struct drm_svm_view *view, u64 spoilt, u8 rights)
{
	guard(spinlock)(&view->svm->use_lock);
	if (view->spoilt == spoilt)
		view->fresh |= rights;
}

/* ---- used --------------------------------------------------------------- */

/**
 * drm_svm_use_begin() - begin to use what is mapped in a view
 * @view: view
 * @rights: DRM_SVM_RIGHT_*: how; all of it has been populated so
 *
 * Context: any that may take a spinlock; it is held until drm_svm_use_end().
 * Return: false if something has been taken away since; nothing is held then.
 */
bool drm_svm_use_begin(struct drm_svm_view *view, u8 rights)
{
	spin_lock(&view->svm->use_lock);
	if (drm_svm_use_also(view, rights))
		return true;
	spin_unlock(&view->svm->use_lock);
	return false;
}
EXPORT_SYMBOL_GPL(drm_svm_use_begin);

/**
 * drm_svm_use_also() - use another view too
 * @view: view of the same address space as the one of drm_svm_use_begin()
 * @rights: DRM_SVM_RIGHT_*: how; all of it has been populated so
 *
 * Context: between drm_svm_use_begin() and drm_svm_use_end().
 * Return: false if something of it has been taken away since; the caller ends the use.
 */
bool drm_svm_use_also(struct drm_svm_view *view, u8 rights)
{
	lockdep_assert_held(&view->svm->use_lock);
	return !(rights & ~view->fresh);
}
EXPORT_SYMBOL_GPL(drm_svm_use_also);

/**
 * drm_svm_use_end() - who uses a view can be found now
 * @view: from drm_svm_use_begin()
 *
 * Context: as drm_svm_use_begin() left it.
 */
void drm_svm_use_end(struct drm_svm_view *view)
{
	spin_unlock(&view->svm->use_lock);
}
EXPORT_SYMBOL_GPL(drm_svm_use_end);
