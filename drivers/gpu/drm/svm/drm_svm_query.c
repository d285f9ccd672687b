// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Questions: where is each page, and does the device map it?
 */

#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "drm_svm_internal.h"

static u8 drm_svm_page_state(struct drm_svm *svm, unsigned long pfn)
{
	struct page *page;

	if (!(pfn & HMM_PFN_VALID) || (pfn & HMM_PFN_ERROR))
		return DRM_SVM_PAGE_NONE;
	page = hmm_pfn_to_page(pfn);
	if (!is_device_private_page(page))
		return DRM_SVM_PAGE_SYSTEM;
	return drm_svm_page_region(page) == svm->region ? DRM_SVM_PAGE_LOCAL :
							  DRM_SVM_PAGE_REMOTE;
}

static u8 drm_svm_map_state(struct drm_svm *svm, u64 addr)
{
	struct drm_gpt_entry entry;

	drm_gpt_lookup(svm->gpt, addr, &entry);
	if (!(entry.flags & DRM_GPT_LEAF_VALID))
		return 0;
	return DRM_SVM_PAGE_MAPPED |
	       (entry.flags & DRM_GPT_LEAF_WRITE ? DRM_SVM_PAGE_WRITABLE : 0);
}

/**
 * drm_svm_residency() - where pages are
 * @svm: device address space
 * @first: first byte, page aligned
 * @last: last byte, of a page
 * @out: one byte per page, DRM_SVM_PAGE_*
 *
 * A snapshot, old when it is read.
 *
 * Context: may sleep; no lock is held.
 * Return: 0, -ESRCH, -ENOMEM, -EINTR, -EBUSY if invalidations never stopped.
 */
int drm_svm_residency(struct drm_svm *svm, u64 first, u64 last, u8 *out)
{
	struct mm_struct *mm = svm->smm->mm;
	unsigned long *pfns;
	u64 addr = first, base;
	int ret = 0;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	pfns = kvcalloc(DRM_SVM_RANGE_PAGES, sizeof(*pfns), GFP_KERNEL_ACCOUNT);
	if (!pfns)
		ret = -ENOMEM;
	while (!ret && addr <= last) {
		int idx;

		base = addr & DRM_SVM_RANGE_MASK;
		ret = drm_svm_snapshot(svm, base, pfns, &idx);
		if (ret)
			break;
		for (; addr <= last &&
		     addr < base + DRM_SVM_RANGE_SIZE; addr += PAGE_SIZE)
			*out++ = drm_svm_page_state(svm,
					pfns[drm_svm_page_index(addr)]) |
				 drm_svm_map_state(svm, addr);
		drm_svm_pages_read_unlock(idx);
	}
	kvfree(pfns);
	mmput_async(mm);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_residency);
