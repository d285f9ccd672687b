/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_RESTORE_H_
#define _DRM_SVM_RESTORE_H_

#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <drm/drm_svm_sink.h>

struct drm_svm_restore;

/**
 * struct drm_svm_restore_ops - what a driver does to go on with memory that was taken
 * @populated: all of a view is mapped: write what the device walks. Optional. May
 *	sleep. What it writes has to be taken away again by the view's sink or by
 *	&drm_svm_pages.revoked, and it looks at the view between drm_svm_use_begin() and
 *	drm_svm_use_end(), since something may have been taken away already.
 *	Returns 0; -EAGAIN if the view is stale again; another error ends the call.
 * @prepare: the last that may sleep or allocate: make the fence, lock the dma_resv and
 *	reserve a place in it. Optional.
 *	Returns 0; -EAGAIN to go round; another error ends the call. On any of these
 *	nothing is held.
 * @publish: all of every view is mapped, and will be until this returns: add the fence,
 *	let the device go on. Atomic; takes no lock of drm_svm. An invalidation that
 *	comes later finds what is made known here
 * @finish: end of what @prepare began; @published says if @publish was called.
 *	Optional
 * @enter: of the worker: take the lock that the driver holds over drm_svm_restore().
 *	Returns false if the address space is about to end, with nothing held. Needed
 *	with a workqueue
 * @leave: of the worker: how it ended, and let go of that lock. With an error other
 *	than -EBUSY and -ENOMEM, after which it tries again, the device stays stopped
 *	until drm_svm_restore_later() is called. Needed with a workqueue
 */
struct drm_svm_restore_ops {
	int (*populated)(struct drm_svm_restore *restore, struct drm_svm_view *view);
	int (*prepare)(struct drm_svm_restore *restore);
	void (*publish)(struct drm_svm_restore *restore);
	void (*finish)(struct drm_svm_restore *restore, bool published);
	bool (*enter)(struct drm_svm_restore *restore);
	void (*leave)(struct drm_svm_restore *restore, int error);
};

/**
 * struct drm_svm_restore - views that a device uses together; embed it
 * @svm: device address space that they are of
 * @ops: the driver's
 * @wq: where its worker runs, or NULL if the driver calls drm_svm_restore() before each
 *	job. A page that does not come occupies one of its workers
 */
struct drm_svm_restore {
	struct drm_svm *svm;
	const struct drm_svm_restore_ops *ops;
	struct workqueue_struct *wq;
	/* private: */
	struct list_head views;	/* all of them there; under the use lock, as: */
	struct list_head stale;	/* those to be restored */
	struct delayed_work work;
	unsigned int lost;	/* times in a row that the worker has not got through */
	bool due;		/* something was taken since @publish; under the use lock */
	bool ends;		/* likewise */
};

void drm_svm_restore_init(struct drm_svm_restore *restore, struct drm_svm *svm,
			  const struct drm_svm_restore_ops *ops,
			  struct workqueue_struct *wq);
void drm_svm_restore_fini(struct drm_svm_restore *restore);
void drm_svm_restore_add(struct drm_svm_restore *restore,
			 struct drm_svm_view *view, u8 rights);
void drm_svm_restore_remove(struct drm_svm_restore *restore,
			    struct drm_svm_view *view);
int drm_svm_restore(struct drm_svm_restore *restore);
void drm_svm_restore_later(struct drm_svm_restore *restore);

#endif /* _DRM_SVM_RESTORE_H_ */
