// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Bus addresses of system pages, per view and range. Behind an IOMMU each
 * range has one window of bus addresses as large as itself, so a page's bus
 * address is known beforehand, and a run of pages costs one synchronisation.
 * Otherwise page by page.
 *
 * All are mapped for both directions: what may only be read now may be written after
 * a fault that changes nothing but the entry, and a device that was given a page to
 * read has no business to be told by the bus that it may not write.
 *
 * Mappings are made before the commit, by the holder of the service lock, only
 * for pages that the view did not map at the sample: no invalidation can be
 * unmapping those slots. If the commit fails they are undone here.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include <linux/hmm.h>

#include "drm_svm_internal.h"

/**
 * drm_svm_dma_link() - map one page of a service for its device
 * @s: the service, after the walk
 * @i: index of the page
 *
 * Context: may sleep; the service lock over the range is held.
 * Return: 0 and &drm_svm_service.addr, or an error.
 */
VISIBLE_IF_KUNIT int drm_svm_dma_link(struct drm_svm_service *s, unsigned int i)
{
	struct device *dev = s->svm->device->dev;
	phys_addr_t phys = hmm_pfn_to_phys(s->pfns[i]);

	KUNIT_STATIC_STUB_REDIRECT(drm_svm_dma_link, s, i);
	if (s->rv->use_iova) {
		s->addr[i] = s->rv->iova.addr + ((u64)i << PAGE_SHIFT);
		return dma_iova_link(dev, &s->rv->iova, phys,
				     (size_t)i << PAGE_SHIFT, PAGE_SIZE,
				     DMA_BIDIRECTIONAL, DRM_SVM_DMA_ATTRS);
	}
	s->addr[i] = dma_map_phys(dev, phys, PAGE_SIZE, DMA_BIDIRECTIONAL,
				  DRM_SVM_DMA_ATTRS);
	return dma_mapping_error(dev, s->addr[i]);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_dma_link);

static int drm_svm_dma_sync(struct drm_svm_service *s)
{
	unsigned int first, last;
	int ret;

	if (!s->rv->use_iova)
		return 0;
	for_each_set_bitrange(first, last, s->fresh, DRM_SVM_RANGE_PAGES) {
		ret = dma_iova_sync(s->svm->device->dev, &s->rv->iova,
				    (size_t)first << PAGE_SHIFT,
				    (size_t)(last - first) << PAGE_SHIFT);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * drm_svm_dma_map() - map pages of a service for its device
 * @s: the service, after the walk; of @system a neighbour that cannot be mapped is
 *	taken out
 * @pages: of @system, those that the view does not map yet
 *
 * Sets @fresh, and @addr of these. On error nothing is mapped.
 *
 * Context: may sleep; the service lock over the range is held.
 * Return: 0, -ENOMEM; -EIO if the device cannot reach a page that is wanted, or
 * could not for now: without an IOMMU to ask, the DMA API does not say which.
 */
int drm_svm_dma_map(struct drm_svm_service *s, const unsigned long *pages)
{
	unsigned int i;
	int ret;

	bitmap_zero(s->fresh, DRM_SVM_RANGE_PAGES);
	for_each_set_bit(i, pages, DRM_SVM_RANGE_PAGES) {
		ret = drm_svm_dma_link(s, i);
		if (!ret) {
			__set_bit(i, s->fresh);
			continue;
		}
		if (test_bit(i, s->want))
			goto undo;
		__clear_bit(i, s->system);
	}
	ret = drm_svm_dma_sync(s);
	if (!ret)
		return 0;
undo:
	drm_svm_dma_undo(s);
	return ret == -ENOMEM && s->rv->use_iova ? ret : -EIO;
}

/**
 * drm_svm_dma_undo() - unmap what was mapped and not committed
 * @s: the service
 *
 * Context: may sleep; the service lock over the range is held.
 */
void drm_svm_dma_undo(struct drm_svm_service *s)
{
	struct device *dev = s->svm->device->dev;
	unsigned int first, last;

	for_each_set_bitrange(first, last, s->fresh, DRM_SVM_RANGE_PAGES) {
		if (s->rv->use_iova) {
			dma_iova_unlink(dev, &s->rv->iova,
					(size_t)first << PAGE_SHIFT,
					(size_t)(last - first) << PAGE_SHIFT,
					DMA_BIDIRECTIONAL, DRM_SVM_DMA_ATTRS);
			continue;
		}
		for (; first < last; first++)
			dma_unmap_phys(dev, s->addr[first], PAGE_SIZE,
				       DMA_BIDIRECTIONAL, DRM_SVM_DMA_ATTRS);
	}
	bitmap_zero(s->fresh, DRM_SVM_RANGE_PAGES);
}
