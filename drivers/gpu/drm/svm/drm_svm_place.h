/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_PLACE_H_
#define _DRM_SVM_PLACE_H_

#include "drm_svm_internal.h"

/**
 * struct drm_svm_placement - where the pages of a range are, by a snapshot
 * @system: in system memory, and of a kind that can move: anonymous, also in
 *	private mappings of files, and the zero page
 * @fixed: in system memory, and stay there: of a file, of hugetlbfs, or shared with others
 * @local: in the device's own
 * @remote: in another device's
 * @makeable: not there, and may be made anywhere. Pages in swap look like that too.
 * @lo: what was looked at: first page
 * @hi: page after the last
 */
struct drm_svm_placement {
	DECLARE_BITMAP(system, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(fixed, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(local, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(remote, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(makeable, DRM_SVM_RANGE_PAGES);
	unsigned int lo;
	unsigned int hi;
};

int drm_svm_placement_read(struct drm_svm_placement *pl, struct drm_svm *svm,
			   u64 base, const unsigned long *around);
int drm_svm_move_to_device(struct drm_svm *svm, u64 base,
			   const struct drm_svm_placement *pl,
			   const unsigned long *first, unsigned long *pages,
			   unsigned long *done);
int drm_svm_move_to_system(struct drm_svm *svm, u64 base,
			   const struct drm_svm_placement *pl,
			   const unsigned long *pages, unsigned long *done);

#endif /* _DRM_SVM_PLACE_H_ */
