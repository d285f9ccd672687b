// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Mappings that are asked for before a device needs them, for devices that cannot
 * fault, and for those that could and should not have to.
 *
 * What is mapped may be taken away at any time: whether it is still there, and who uses
 * it, is drm_svm_use.c's business.
 */

#include "drm_svm_internal.h"

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
