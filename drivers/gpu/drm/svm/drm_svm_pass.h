/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_PASS_H_
#define _DRM_SVM_PASS_H_

#include <linux/migrate.h>

#include "drm_svm_internal.h"

/**
 * struct drm_svm_pass - scratch of one pass over at most a range
 * @mig: the core's arguments
 * @src: its source array
 * @dst: its destination array
 * @region: the device side
 * @move: pages of the range that are to move; NULL: all that can
 * @populate: pages of the range that get zeroed device memory where there is
 *	none, or NULL
 * @spare: destination pages taken beforehand
 * @nr_spare: number of them left
 * @pieces: copies
 * @clear: device pages to be zeroed
 * @nr_pieces: number of @pieces
 * @nr_clear: number of @clear
 * @error: why pages were left behind: -ENOMEM, or the copy's; 0 if no reason
 */
struct drm_svm_pass {
	struct migrate_vma mig;
	unsigned long src[DRM_SVM_RANGE_PAGES];
	unsigned long dst[DRM_SVM_RANGE_PAGES];
	struct drm_svm_region *region;
	const unsigned long *move;
	const unsigned long *populate;
	struct page *spare[DRM_SVM_RANGE_PAGES];
	unsigned int nr_spare;
	struct drm_svm_copy pieces[DRM_SVM_RANGE_PAGES];
	struct drm_svm_copy clear[DRM_SVM_RANGE_PAGES];
	unsigned int nr_pieces;
	unsigned int nr_clear;
	int error;
};

struct drm_svm_pass *drm_svm_pass_make(void);
int drm_svm_pass_to_device(struct drm_svm_pass *pass, unsigned int *moved);
int drm_svm_pass_to_ram(struct drm_svm_pass *pass, unsigned int *moved);
void drm_svm_pass_evict(struct drm_svm_pass *pass,
			struct drm_svm_region *region, unsigned long pfn,
			unsigned int n);

#endif /* _DRM_SVM_PASS_H_ */
