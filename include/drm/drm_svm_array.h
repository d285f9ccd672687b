/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_ARRAY_H_
#define _DRM_SVM_ARRAY_H_

#include <drm/drm_svm_sink.h>

struct device;
struct drm_svm_array;

/* An entry: 0, or a bus address of a page with DRM_SVM_RIGHT_* below it. */
#define DRM_SVM_ARRAY_RIGHTS	GENMASK_ULL(3, 0)
#define DRM_SVM_ARRAY_ADDR	GENMASK_ULL(63, 12)

/**
 * struct drm_svm_array_ops - what a driver does for its array
 * @mapped: entries may have been written, of the @nr from @first on: the device may
 *	learn of them. Some may be revoked again by now: to read an entry and to tell
 *	the device of it has to be one step against @revoke, by a lock that is taken in
 *	both. Optional. Context: may sleep; the service lock is held.
 *	Returns 0, or an error that the service ends with; the entries stay.
 * @revoke: entries have been cleared: begin to have the device forget them, @nr from
 *	@first on. Called in an MMU notifier: does not allocate or sleep. Optional if
 *	there is nothing to begin.
 *	Returns a token for @revoked.
 * @revoked: wait until nothing goes through what was revoked any more. Bounded.
 *	Returns 0; -EAGAIN if it would have to sleep and may not; another error if the
 *	device does not answer, then @kill follows.
 * @kill: the device did not answer: see that it reaches no memory any more. Optional if
 *	@revoked never fails.
 */
struct drm_svm_array_ops {
	int (*mapped)(struct drm_svm_array *array, u32 first, u32 nr);
	u64 (*revoke)(struct drm_svm_array *array, u32 first, u32 nr);
	int (*revoked)(struct drm_svm_array *array, u64 token, bool may_sleep);
	void (*kill)(struct drm_svm_array *array, bool may_sleep);
};

/**
 * struct drm_svm_array - an array of bus addresses as the sink of a view; embed it
 * @view: the view
 * @ops: the driver's
 * @entries: one for each page of the view; read with READ_ONCE()
 */
struct drm_svm_array {
	struct drm_svm_view view;
	const struct drm_svm_array_ops *ops;
	u64 *entries;
};

int drm_svm_array_init(struct drm_svm_array *array, struct drm_svm *svm,
		       u64 first, u64 last, u64 addr, u8 rights,
		       const struct drm_svm_array_ops *ops);
void drm_svm_array_fini(struct drm_svm_array *array);

#endif /* _DRM_SVM_ARRAY_H_ */
