/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_PLANTED_H_
#define _DRM_SVM_PLANTED_H_

#include <linux/types.h>

/*
 * Bugs planted on purpose, so that the test suite can prove that it catches
 * them. Absent unless CONFIG_DRM_SVM_PLANTED_BUGS; then drm_gpt.planted=N picks
 * one at load time.
 */
enum drm_svm_planted {
	DRM_SVM_PLANTED_NONE,
	DRM_SVM_PLANTED_NO_FLUSH,	/* invalidation does not flush TLBs */
	DRM_SVM_PLANTED_NO_GEN,		/* commit does not compare the generation */
	DRM_SVM_PLANTED_NO_PT_WAIT,	/* replay does not wait for the table */
	DRM_SVM_PLANTED_EARLY_UNMAP,	/* DMA is unmapped before the flush */
	DRM_SVM_PLANTED_ACK_ERROR,	/* a failed fault is replayed as served */
	DRM_SVM_PLANTED_OWNER_FILTER,	/* own migrations do not invalidate */
	DRM_SVM_PLANTED_NO_DIRTY,	/* invalidation does not dirty pages */
	DRM_SVM_PLANTED_LEAF_FLUSH,	/* directory zap flushes leaves only */
};

#ifdef CONFIG_DRM_SVM_PLANTED_BUGS
extern int drm_svm_planted_bug;

static inline bool drm_svm_planted(enum drm_svm_planted bug)
{
	return READ_ONCE(drm_svm_planted_bug) == bug;
}
#else
static inline bool drm_svm_planted(enum drm_svm_planted bug)
{
	return false;
}
#endif

#endif /* _DRM_SVM_PLANTED_H_ */
