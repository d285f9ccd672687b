// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A driver's memory goes, and what processes have in it moves to system memory: by its
 * pages, whoever has them mapped.
 */

#include <linux/delay.h>
#include <linux/slab.h>

#include "drm_svm_pass.h"

/* How often eviction of a whole region goes round before it sleeps longer. */
#define DRM_SVM_EVICT_TRIES	1000

/**
 * drm_svm_region_evict_all() - move what processes have in a region to system
 * memory
 * @region: region; nobody migrates to it any more
 *
 * Context: may sleep, long; no lock is held.
 * Return: 0, -ENOMEM if it could not even begin.
 */
int drm_svm_region_evict_all(struct drm_svm_region *region)
{
	unsigned long pfn = region->pagemap.range.start >> PAGE_SHIFT;
	struct drm_svm_pass *pass = drm_svm_pass_make(DRM_SVM_RANGE_PAGES);
	unsigned long i;
	unsigned int tries;

	if (!pass)
		return -ENOMEM;
	for (tries = 0; READ_ONCE(region->nr_used); tries++) {
		for (i = 0; i < region->nr_pages; i += DRM_SVM_RANGE_PAGES) {
			drm_svm_pass_evict(pass, region, pfn + i,
					   min(region->nr_pages - i,
					       DRM_SVM_RANGE_PAGES));
			cond_resched();
		}
		/* Locked or referenced for a moment by somebody: go round. */
		if (READ_ONCE(region->nr_used))
			msleep(tries < DRM_SVM_EVICT_TRIES ? 1 : 100);
		if (tries == DRM_SVM_EVICT_TRIES)
			dev_warn(region->device->dev,
				 "%lu pages of device memory are still in use\n",
				 region->nr_used);
	}
	kvfree(pass);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_region_evict_all);
