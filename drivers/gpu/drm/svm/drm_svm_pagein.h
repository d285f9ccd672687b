/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_PAGEIN_H_
#define _DRM_SVM_PAGEIN_H_

#include <linux/refcount.h>

#include "drm_svm_internal.h"
#include "drm_svm_lane.h"

struct vm_area_struct;

/**
 * struct drm_svm_pagein - pages of a range that the lane has to wait for
 * @job: its job
 * @ref: the lane holds one, and who stops it
 * @users: who keeps the memory whose pages they are
 * @base: first byte of the range
 * @want: the pages, by index
 * @write: of these, those to be written
 * @page: the page that came last, or that @job's error is about
 * @waiter: whom its @done tells
 */
struct drm_svm_pagein {
	struct drm_svm_lane_job job;
	refcount_t ref;
	struct drm_svm_users *users;
	u64 base;
	DECLARE_BITMAP(want, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(write, DRM_SVM_RANGE_PAGES);
	unsigned int page;
	void *waiter;
};

struct drm_svm_pagein *drm_svm_pagein_make(struct drm_svm_mm *smm, u64 base);
int drm_svm_pagein_start(struct drm_svm_pagein *in);
void drm_svm_pagein_put(struct drm_svm_pagein *in);

int drm_svm_mmap_lock(struct drm_svm *svm);
bool drm_svm_vma_secret(struct vm_area_struct *vma);
bool drm_svm_vma_read_only(struct vm_area_struct *vma);
int drm_svm_page_in_missing(struct drm_svm_service *s, bool *locked);

#endif /* _DRM_SVM_PAGEIN_H_ */
