/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_PASS_H_
#define _DRM_SVM_PASS_H_

#include <linux/migrate.h>

#include "drm_svm_internal.h"

/* What one CPU fault brings back, if it is on a device. */
#define DRM_SVM_CPU_FAULT_SIZE	(64UL << 10)
#define DRM_SVM_CPU_FAULT_PAGES	\
	(max(DRM_SVM_CPU_FAULT_SIZE, PAGE_SIZE) >> PAGE_SHIFT)

/**
 * struct drm_svm_pass - scratch of passes over runs of at most @max pages
 * @mig: the core's arguments, with its arrays
 * @region: the device side
 * @move: pages of the range that are to move; NULL: all that can
 * @done: pages of the range that have moved; NULL if nobody asks
 * @epoch: soft-dirty moment of the address space, which pages that go to a device
 *	remember
 * @spare: destination pages taken beforehand
 * @nr_spare: number of them left
 * @pieces: copies from the front, device pages to be zeroed from the back
 * @nr_pieces: number of the former
 * @nr_clear: number of the latter
 * @max: room in each of the arrays
 * @error: why pages were left behind: -ENOMEM, or the copy's; 0 if no reason
 */
struct drm_svm_pass {
	struct migrate_vma mig;
	struct drm_svm_region *region;
	const unsigned long *move;
	unsigned long *done;
	u64 epoch;
	struct page **spare;
	unsigned int nr_spare;
	struct drm_svm_copy *pieces;
	unsigned int nr_pieces;
	unsigned int nr_clear;
	unsigned int max;
	int error;
};

size_t drm_svm_pass_bytes(unsigned int pages);
struct drm_svm_pass *drm_svm_pass_init(void *memory, unsigned int pages);
struct drm_svm_pass *drm_svm_pass_make(unsigned int pages);
unsigned int drm_svm_pass_reserve(struct drm_svm_pass *pass, unsigned int n);
void drm_svm_pass_unreserve(struct drm_svm_pass *pass);
int drm_svm_pass_to_device(struct drm_svm_pass *pass);
int drm_svm_pass_to_ram(struct drm_svm_pass *pass);
int drm_svm_pass_look(struct drm_svm_pass *pass);
void drm_svm_pass_evict(struct drm_svm_pass *pass,
			struct drm_svm_region *region, unsigned long pfn,
			unsigned int n);

#endif /* _DRM_SVM_PASS_H_ */
