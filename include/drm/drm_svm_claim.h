/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_CLAIM_H_
#define _DRM_SVM_CLAIM_H_

#include <linux/types.h>

struct drm_svm_view;

/* Addresses of a view that are the driver's, and not the mirror's. */
int drm_svm_claim(struct drm_svm_view *view, u64 first, u64 last);
void drm_svm_unclaim_begin(struct drm_svm_view *view, u64 first, u64 last);
void drm_svm_unclaim(struct drm_svm_view *view, u64 first, u64 last);

#endif /* _DRM_SVM_CLAIM_H_ */
