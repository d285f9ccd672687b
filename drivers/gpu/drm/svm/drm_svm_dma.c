// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Bus addresses of system pages, per view and range. Behind an IOMMU each
 * range has one window of bus addresses as large as itself, so a page's bus
 * address is known beforehand, and a run of pages costs one synchronisation.
 * Otherwise page by page, with the addresses written down, unless the DMA API has
 * nothing to undo for the device (dma_need_unmap()): then a mapping is arithmetic, its
 * address can be asked for again, and a run of pages is one. That is asked when the view
 * first maps of the range: a bounce buffer for others of the device, after which the
 * answer is another, changes nothing about mappings that had none (REQUIRE_COHERENT).
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

#include "drm_svm_internal.h"

/* Where one says all of a stretch the others are not asked for. */
static void drm_svm_dma_found(struct drm_svm_service *s, unsigned int i,
			      unsigned int nr, unsigned int all, u64 addr)
{
	unsigned int k;

	s->addr[i] = addr;
	if (nr == all)
		return;
	for (k = 1; k < nr; k++)
		s->addr[i + k] = addr + ((u64)k << PAGE_SHIFT);
}

/* Page by page where they have to be unmapped so, else as they follow each other. */
static int drm_svm_dma_direct(struct drm_svm_service *s, unsigned int first,
			      unsigned int *end)
{
	struct device *dev = s->svm->device->dev;
	unsigned int i, nr, last = *end;
	bool single = s->rv->dma;
	dma_addr_t addr;

	for (i = first; i < last; i += nr) {
		nr = single ? 1 : drm_svm_contiguous(s, i, last);
		addr = dma_map_phys(dev, hmm_pfn_to_phys(s->pfns[i]),
				    (size_t)nr << PAGE_SHIFT, DMA_BIDIRECTIONAL,
				    DRM_SVM_DMA_ATTRS);
		if (unlikely(dma_mapping_error(dev, addr))) {
			if (nr == 1) {
				*end = i;
				return -EIO;
			}
			/* One of them: which? */
			single = true;
			nr = 0;
			continue;
		}
		drm_svm_dma_found(s, i, nr, last - first, addr);
	}
	return 0;
}

static int drm_svm_dma_iova(struct drm_svm_service *s, unsigned int first,
			    unsigned int *end)
{
	struct dma_iova_state *iova = &s->rv->iova;
	struct device *dev = s->svm->device->dev;
	unsigned int i, nr, last = *end;
	int ret;

	for (i = first; i < last; i += nr) {
		size_t offset = (size_t)i << PAGE_SHIFT;

		nr = drm_svm_contiguous(s, i, last);
		ret = dma_iova_link(dev, iova, hmm_pfn_to_phys(s->pfns[i]), offset,
				    (size_t)nr << PAGE_SHIFT, DMA_BIDIRECTIONAL,
				    DRM_SVM_DMA_ATTRS);
		if (ret) {
			*end = i;
			return ret;
		}
		drm_svm_dma_found(s, i, nr, last - first, iova->addr + offset);
	}
	return 0;
}

/**
 * drm_svm_dma_link() - map pages for a device, without a note of it
 * @s: the service, after the walk
 * @first: index of the first page
 * @end: in: of the page after the last; out: of the page that it ended at
 *
 * Context: as drm_svm_dma_map().
 * Return: the same.
 */
VISIBLE_IF_KUNIT int drm_svm_dma_link(struct drm_svm_service *s, unsigned int first,
				      unsigned int *end)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_svm_dma_link, s, first, end);
	return s->rv->use_iova ? drm_svm_dma_iova(s, first, end) :
				 drm_svm_dma_direct(s, first, end);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_dma_link);

/**
 * drm_svm_dma_map() - map pages of a service for its device
 * @s: the service, after the walk
 * @first: index of the first page
 * @end: in: of the page after the last; out: of the page that it ended at
 *
 * Sets @addr and @fresh of the pages that are mapped.
 *
 * Context: may sleep; the service lock over the range is held.
 * Return: 0, or an error: what is wrong with the page at @end.
 */
int drm_svm_dma_map(struct drm_svm_service *s, unsigned int first, unsigned int *end)
{
	int ret = drm_svm_dma_link(s, first, end);
	unsigned int i;

	if (!s->rv->use_iova && !s->rv->dma)
		return ret;
	bitmap_set(s->fresh, first, *end - first);
	if (s->rv->dma)
		for (i = first; i < *end; i++)
			s->rv->dma[i] = s->addr[i];
	return ret;
}

/**
 * drm_svm_dma_unlinked() - which pages of a service have to be mapped for DMA?
 * @s: the service; @system is set
 * @pages: out: those that the view does not map yet, and where mappings leave nothing
 *	behind that could be asked, all
 *
 * Context: the service lock over the range is held.
 */
void drm_svm_dma_unlinked(const struct drm_svm_service *s, unsigned long *pages)
{
	if (s->rv->use_iova || s->rv->dma)
		drm_svm_win_andnot(s, pages, s->system, s->mapped);
	else
		drm_svm_win_copy(s, pages, s->system);
}

/**
 * drm_svm_dma_sync() - let the device see what was mapped
 * @s: the service
 *
 * Context: as drm_svm_dma_link().
 * Return: 0, or an error.
 */
int drm_svm_dma_sync(struct drm_svm_service *s)
{
	unsigned int first = s->lo, last;
	int ret;

	if (!s->rv->use_iova)
		return 0;
	for_each_set_bitrange_from(first, last, s->fresh, s->hi) {
		ret = dma_iova_sync(s->svm->device->dev, &s->rv->iova,
				    (size_t)first << PAGE_SHIFT,
				    (size_t)(last - first) << PAGE_SHIFT);
		if (ret)
			return ret;
	}
	return 0;
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
	unsigned int first = s->lo, last;

	for_each_set_bitrange_from(first, last, s->fresh, s->hi) {
		if (s->rv->use_iova) {
			dma_iova_unlink(dev, &s->rv->iova,
					(size_t)first << PAGE_SHIFT,
					(size_t)(last - first) << PAGE_SHIFT,
					DMA_BIDIRECTIONAL, DRM_SVM_DMA_ATTRS);
			continue;
		}
		for (; first < last; first++)
			dma_unmap_phys(dev, s->rv->dma[first], PAGE_SIZE,
				       DMA_BIDIRECTIONAL, DRM_SVM_DMA_ATTRS);
	}
	drm_svm_win_zero(s, s->fresh);
}
