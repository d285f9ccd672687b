// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Windows: an interval notifier for each 64 MiB of a process in which a device maps
 * something, or has. They are made where a service needs one, and dropped by the
 * collector when nobody uses them any more.
 */

#include <kunit/visibility.h>

#include <linux/slab.h>

#include "drm_svm_internal.h"

static struct drm_svm_window *drm_svm_window_make(struct drm_svm_mm *smm,
						  unsigned long index)
{
	u64 first = (u64)index << DRM_SVM_WINDOW_SHIFT;
	struct drm_svm_window *window;
	int ret;

	window = kzalloc_obj(*window, GFP_KERNEL_ACCOUNT);
	if (!window)
		return ERR_PTR(-ENOMEM);
	window->smm = smm;
	atomic_set(&window->users, 1);
	INIT_LIST_HEAD(&window->idle);
	ret = mmu_interval_notifier_insert(&window->notifier, smm->mm, first,
					   1UL << DRM_SVM_WINDOW_SHIFT,
					   smm->notifier_ops);
	if (ret) {
		kfree(window);
		return ERR_PTR(ret);
	}
	ret = xa_insert(&smm->windows, index, window, GFP_KERNEL);
	if (ret) {
		mmu_interval_notifier_remove(&window->notifier);
		kfree(window);
		return ERR_PTR(ret);
	}
	return window;
}

static struct drm_svm_window *drm_svm_window_find(struct drm_svm_mm *smm,
						  unsigned long index)
{
	struct drm_svm_window *window;

	guard(rcu)();
	window = xa_load(&smm->windows, index);
	return window && atomic_inc_unless_negative(&window->users) ? window :
								      NULL;
}

/**
 * drm_svm_window_get() - the window of an address, made if need be
 * @smm: address space
 * @addr: address
 *
 * Context: may sleep; mmap_lock is not held.
 * Return: the window, for drm_svm_window_put(); -ENOMEM.
 */
struct drm_svm_window *drm_svm_window_get(struct drm_svm_mm *smm, u64 addr)
{
	unsigned long index = addr >> DRM_SVM_WINDOW_SHIFT;
	struct drm_svm_window *window = drm_svm_window_find(smm, index);

	if (window)
		return window;
	guard(mutex)(&smm->window_lock);
	/* What is in the index is not being dropped while we have the lock. */
	return drm_svm_window_find(smm, index) ?:
	       drm_svm_window_make(smm, index);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_window_get);

/**
 * drm_svm_window_put() - give a window back
 * @window: from drm_svm_window_get()
 *
 * Without users it is the collector's to drop: that may have to wait for an
 * invalidation, of which we may be a part.
 *
 * Context: any.
 */
void drm_svm_window_put(struct drm_svm_window *window)
{
	struct drm_svm_mm *smm = window->smm;

	/* With the lock: who gets it and puts it meanwhile waits for our last look. */
	if (!atomic_dec_and_lock(&window->users, &smm->idle_lock))
		return;
	if (list_empty(&window->idle))
		list_add_tail(&window->idle, &smm->idle_windows);
	spin_unlock(&smm->idle_lock);
	drm_svm_gc_kick(smm, 0);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_window_put);
