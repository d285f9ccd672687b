/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_PAGES_H_
#define _DRM_SVM_PAGES_H_

#include <drm/drm_svm_sink.h>

struct dma_resv;
struct drm_svm_pages;

/**
 * struct drm_svm_page - a page of a user's memory that a device may use
 * @pfn: page frame
 * @addr: bus address
 * @rights: DRM_SVM_RIGHT_*, 0 if there is none
 */
struct drm_svm_page {
	unsigned long pfn;
	u64 addr;
	u8 rights;
};

/**
 * struct drm_svm_pages - a list of pages as the sink of a view; embed it
 * @view: the view
 * @resv: fences of the jobs that use the pages, as BOOKKEEP
 * @revoked: the pages are about to go, all jobs that use them have ended: take them
 *	out of what the device walks. Optional. Does not allocate; what it waits for is
 *	hardware.
 * @pages: one for each page of the view; read it between drm_svm_use_begin() and
 *	drm_svm_use_end() only. The pages themselves can be used until a fence that was
 *	added meanwhile has signalled
 */
struct drm_svm_pages {
	struct drm_svm_view view;
	struct dma_resv *resv;
	void (*revoked)(struct drm_svm_pages *pages);
	struct drm_svm_page *pages;
};

int drm_svm_pages_init(struct drm_svm_pages *pages, struct drm_svm *svm,
		       u64 first, u64 last, u8 rights, struct dma_resv *resv);
void drm_svm_pages_fini(struct drm_svm_pages *pages);

#endif /* _DRM_SVM_PAGES_H_ */
