// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Questions: where is each page, and does the device map it?
 */

#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "drm_svm_place.h"

static u8 drm_svm_page_state(const struct drm_svm_placement *pl, unsigned int i)
{
	if (test_bit(i, pl->system) || test_bit(i, pl->fixed))
		return DRM_SVM_PAGE_SYSTEM;
	if (test_bit(i, pl->local))
		return DRM_SVM_PAGE_LOCAL;
	return test_bit(i, pl->remote) ? DRM_SVM_PAGE_REMOTE :
					 DRM_SVM_PAGE_NONE;
}

static bool drm_svm_sink_has(struct drm_svm_view *view, u64 addr, u8 rights)
{
	u64 fence;

	return !view->ops->lookup ||
	       view->ops->lookup(view, addr, addr + PAGE_SIZE - 1, rights, &fence);
}

/* What the record says, if the sink says so too: it may have taken more away. */
static u8 drm_svm_map_state(struct drm_svm_view *view,
			    struct drm_svm_range *range, u64 addr)
{
	unsigned int i = drm_svm_page_index(addr);
	struct drm_svm_range_view *rv;

	guard(mutex)(&range->lock);
	rv = drm_svm_range_view(range, view);
	if (!rv || !test_bit(i, rv->mapped) || test_bit(i, range->dying) ||
	    !drm_svm_sink_has(view, addr, DRM_SVM_RIGHT_READ))
		return 0;
	return DRM_SVM_PAGE_MAPPED |
	       (test_bit(i, rv->writable) &&
		drm_svm_sink_has(view, addr, DRM_SVM_RIGHT_READ |
					    DRM_SVM_RIGHT_WRITE) ?
		DRM_SVM_PAGE_WRITABLE : 0);
}

static void drm_svm_map_states(struct drm_svm *svm, u64 first, u64 last, u8 *out)
{
	struct drm_svm_view *view = drm_svm_view_find(svm, first);
	struct drm_svm_range *range;
	u64 addr;

	if (!view)
		return;
	range = drm_svm_range_find(svm->smm, first);
	for (addr = first; range && addr <= last; addr += PAGE_SIZE)
		*out++ |= drm_svm_map_state(view, range, addr);
	if (range)
		drm_svm_range_put(range);
	drm_svm_view_unuse(view);
}

/* One range, as far as it is asked for. */
static int drm_svm_residency_range(struct drm_svm *svm, u64 first, u64 last,
				   u8 *out)
{
	struct drm_svm_placement pl;
	u64 addr;
	int ret;

	ret = drm_svm_placement_read(&pl, svm, first & DRM_SVM_RANGE_MASK,
				     NULL);
	if (ret)
		return ret;
	for (addr = first; addr <= last; addr += PAGE_SIZE)
		out[(addr - first) >> PAGE_SHIFT] =
			drm_svm_page_state(&pl, drm_svm_page_index(addr));
	drm_svm_map_states(svm, first, last, out);
	return 0;
}

static int drm_svm_residency_all(struct drm_svm *svm, u64 first, u64 last,
				 u8 *out)
{
	u64 addr = first, end;
	bool mapped;
	int ret;

	/* What is empty for the CPU is so for devices. */
	memset(out, DRM_SVM_PAGE_NONE, (last - first + 1) >> PAGE_SHIFT);
	for (;; addr = end + 1) {
		ret = drm_svm_present_next(svm, &addr, last, false, &mapped);
		if (ret <= 0)
			return ret;
		end = min(last, addr | ~DRM_SVM_RANGE_MASK);
		do
			ret = drm_svm_residency_range(svm, addr, end, out +
						      ((addr - first) >> PAGE_SHIFT));
		while (ret == -EAGAIN);
		if (ret || end == last)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
}

/**
 * drm_svm_residency() - where pages are
 * @svm: device address space
 * @first: first byte, page aligned
 * @last: last byte, of a page
 * @out: one byte per page, DRM_SVM_PAGE_*
 *
 * A snapshot, old when it is read. It costs what is there. Of memory that nobody
 * may access, pages on devices are reported.
 *
 * Context: may sleep; no lock is held.
 * Return: 0, -ESRCH, -ENOMEM, -EINTR, -EBUSY if invalidations never stopped.
 */
int drm_svm_residency(struct drm_svm *svm, u64 first, u64 last, u8 *out)
{
	struct drm_svm_users *users = svm->smm->holders;
	int ret;

	if (!drm_svm_users_enter(users))
		return -ESRCH;
	ret = drm_svm_residency_all(svm, first, last, out);
	drm_svm_users_leave(users);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_residency);
