// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Mappings that are asked for before a device needs them, for devices that cannot
 * fault, and for those that could and should not have to.
 *
 * A device that cannot fault may use a view only while all of it is mapped. What was
 * populated may be taken away again at any time, so to begin to use it is one step
 * with making that known: between drm_svm_use_begin() and drm_svm_use_end() a spinlock
 * is held, under which an invalidation makes the view stale before it looks for who
 * uses it (the sink's unmap_wait). Restoring a stale view is to populate it and to try
 * again::
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
 */

#include "drm_svm_internal.h"

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
	drm_svm_restore_spoilt(view);
}

static u64 drm_svm_view_spoilt(struct drm_svm_view *view)
{
	guard(spinlock)(&view->svm->use_lock);
	return view->spoilt;
}

/* All of it has been mapped since it was spoilt @spoilt times. */
static void drm_svm_view_freshen(struct drm_svm_view *view, u64 spoilt, u8 rights)
{
	guard(spinlock)(&view->svm->use_lock);
	if (view->spoilt == spoilt)
		view->fresh |= rights;
}

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

static int drm_svm_populate_range(struct drm_svm_view *view, u64 first, u64 last,
				  u8 rights)
{
	struct drm_svm_want want = {};

	drm_svm_want_add(&want, drm_svm_page_index(first),
			 (last - first + 1) >> PAGE_SHIFT,
			 rights & DRM_SVM_RIGHT_ATOMIC ? DRM_SVM_ATOMIC :
			 rights & DRM_SVM_RIGHT_WRITE ? DRM_SVM_WRITE : DRM_SVM_READ);
	return drm_svm_serve_patiently(view, first & DRM_SVM_RANGE_MASK, &want);
}

static int drm_svm_populate_all(struct drm_svm_view *view, u64 first, u64 last,
				u8 rights)
{
	u64 end;
	int ret;

	for (;; first = end + 1) {
		end = min(last, first | ~DRM_SVM_RANGE_MASK);
		ret = drm_svm_populate_range(view, first, end, rights);
		if (ret || end == last)
			return ret;
	}
}

/**
 * drm_svm_populate() - map memory before it is needed
 * @view: view
 * @first: first byte of the process, page aligned
 * @last: last byte, of a page
 * @rights: DRM_SVM_RIGHT_*: what has to be mapped so; more may be
 *
 * Memory that was never touched is made, as by an access of the device. If it is about
 * all of the view, drm_svm_use_begin() says so afterwards, unless something has been
 * taken away since this began.
 *
 * Context: may sleep, as long as a page takes to come; no lock of drm_svm and no
 * mmap_lock is held. A process; it need not be the one whose memory it is. Any number
 * of calls at a time; drm_svm_view_fini(), drm_svm_stop() and drm_svm_interrupt() end
 * those under way.
 * Return: 0, -EINVAL for an interval that is not within the view, -EFAULT where nothing
 * is mapped or it is nothing that a device may have, -EREMCHG where something is claimed,
 * -EACCES, -EOPNOTSUPP, -ESRCH
 * if what it is for ends, -ENOMEM, -EIO, -EINTR after a signal. Some of it may be mapped
 * then.
 */
int drm_svm_populate(struct drm_svm_view *view, u64 first, u64 last, u8 rights)
{
	u64 spoilt = drm_svm_view_spoilt(view);
	int ret;

	if (first > last || !PAGE_ALIGNED(first) || !PAGE_ALIGNED(last + 1) ||
	    first < view->first || last > view->last)
		return -EINVAL;
	if (!drm_svm_view_use(view))
		return -ESRCH;
	ret = rights & DRM_SVM_RIGHT_ATOMIC ?
		drm_svm_view_may(view, DRM_SVM_ATOMIC) : 0;
	ret = ret ?: drm_svm_populate_all(view, first, last, rights);
	if (!ret && first == view->first && last == view->last)
		drm_svm_view_freshen(view, spoilt, rights | DRM_SVM_RIGHT_READ);
	drm_svm_view_unuse(view);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_populate);
