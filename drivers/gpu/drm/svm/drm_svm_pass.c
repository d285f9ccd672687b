// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One pass of a migration between system and device memory, over at most a
 * range, page by page: what can move moves, what cannot stays where it is and
 * is no error.
 *
 * Order inside a pass: destination pages first (nothing is evicted or
 * reclaimed for once sources are locked), then migrate_vma_setup(), whose
 * notifier takes the pages from every device; copy and wait; then
 * migrate_vma_pages() and _finalize(). A copy that fails leaves all pages where
 * they were.
 */

#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "drm_svm_pass.h"

/**
 * drm_svm_pass_make() - scratch for passes
 *
 * Return: it, for kvfree(), or NULL.
 */
struct drm_svm_pass *drm_svm_pass_make(void)
{
	return kvzalloc_obj(struct drm_svm_pass, GFP_KERNEL_ACCOUNT);
}

static int drm_svm_pass_add(struct drm_svm_pass *pass, struct page *dpage,
			    struct page *spage, enum dma_data_direction dir)
{
	struct drm_svm_region *region = pass->region;
	struct drm_svm_copy *piece = &pass->pieces[pass->nr_pieces];

	piece->offset = drm_svm_region_offset(region, page_to_pfn(dpage));
	piece->bytes = PAGE_SIZE;
	piece->dma = dma_map_phys(region->dev, page_to_phys(spage), PAGE_SIZE,
				  dir, DRM_SVM_DMA_ATTRS);
	if (dma_mapping_error(region->dev, piece->dma))
		return -EIO;
	pass->nr_pieces++;
	return 0;
}

static void drm_svm_pass_add_clear(struct drm_svm_pass *pass,
				   struct page *dpage)
{
	struct drm_svm_copy *piece = &pass->clear[pass->nr_clear++];

	piece->offset = drm_svm_region_offset(pass->region, page_to_pfn(dpage));
	piece->bytes = PAGE_SIZE;
}

static int drm_svm_pass_copy(struct drm_svm_pass *pass,
			     enum drm_svm_copy_kind kind,
			     enum dma_data_direction dir)
{
	struct drm_svm_region *region = pass->region;
	unsigned int i;
	int ret = 0;

	if (pass->nr_pieces)
		ret = region->ops->copy(region, kind, pass->pieces,
					pass->nr_pieces);
	for (i = 0; i < pass->nr_pieces; i++)
		dma_unmap_phys(region->dev, pass->pieces[i].dma, PAGE_SIZE, dir,
			       DRM_SVM_DMA_ATTRS);
	if (!ret && pass->nr_clear)
		ret = region->ops->copy(region, DRM_SVM_COPY_CLEAR, pass->clear,
					pass->nr_clear);
	pass->nr_pieces = 0;
	pass->nr_clear = 0;
	if (ret)
		pass->error = ret;
	return ret;
}

/* The destination was not used: give it back, keep the source. */
static void drm_svm_pass_drop(struct drm_svm_pass *pass, unsigned int i)
{
	struct page *page = migrate_pfn_to_page(pass->dst[i]);

	if (!page)
		return;
	pass->dst[i] = 0;
	unlock_page(page);
	put_page(page);
}

static void drm_svm_pass_drop_run(struct drm_svm_pass *pass, unsigned int i,
				  unsigned int end)
{
	for (; i < end; i++)
		drm_svm_pass_drop(pass, i);
}

static unsigned int drm_svm_pass_moved(struct drm_svm_pass *pass)
{
	unsigned int i, moved = 0;

	for (i = 0; i < pass->mig.npages; i++)
		if ((pass->src[i] & MIGRATE_PFN_MIGRATE) &&
		    (pass->dst[i] & MIGRATE_PFN_VALID))
			moved++;
	return moved;
}

/* The span of a pass may hold pages between those that are meant. */
static bool drm_svm_pass_wants(struct drm_svm_pass *pass, unsigned int i)
{
	return !pass->move ||
	       test_bit(drm_svm_page_index(pass->mig.start) + i, pass->move);
}

static unsigned int drm_svm_pass_wanted(struct drm_svm_pass *pass)
{
	unsigned int i, n = 0;

	for (i = 0; i < (pass->mig.end - pass->mig.start) >> PAGE_SHIFT; i++)
		n += drm_svm_pass_wants(pass, i);
	return n;
}

/* ---- to a device -------------------------------------------------------- */

static void drm_svm_pass_reserve(struct drm_svm_pass *pass, unsigned int n)
{
	while (pass->nr_spare < n) {
		struct page *page = drm_svm_region_alloc(pass->region);

		if (!page)
			break;
		pass->spare[pass->nr_spare++] = page;
	}
}

static void drm_svm_pass_unreserve(struct drm_svm_pass *pass)
{
	while (pass->nr_spare)
		drm_svm_region_unalloc(pass->region,
				       pass->spare[--pass->nr_spare]);
}

static void drm_svm_pass_to_device_page(struct drm_svm_pass *pass,
					unsigned int i)
{
	struct page *spage = migrate_pfn_to_page(pass->src[i]);
	unsigned int index = drm_svm_page_index(pass->mig.start) + i;
	struct page *dpage;
	bool write;

	if (!(pass->src[i] & MIGRATE_PFN_MIGRATE) || !pass->nr_spare ||
	    !drm_svm_pass_wants(pass, i))
		return;
	/* A hole: memory is made only where it was asked for. */
	if (!spage && !(pass->populate && test_bit(index, pass->populate)))
		return;

	dpage = pass->spare[--pass->nr_spare];
	zone_device_page_init(dpage, &pass->region->pagemap, 0);
	write = spage ? pass->src[i] & MIGRATE_PFN_WRITE :
			pass->mig.vma->vm_flags & VM_WRITE;
	pass->dst[i] = migrate_pfn(page_to_pfn(dpage)) |
		       (write ? MIGRATE_PFN_WRITE : 0);
	if (!spage)
		drm_svm_pass_add_clear(pass, dpage);
	else if (drm_svm_pass_add(pass, dpage, spage, DMA_TO_DEVICE))
		drm_svm_pass_drop(pass, i);
}

/**
 * drm_svm_pass_to_device() - move system pages to device memory
 * @pass: @mig.vma, @mig.start, @mig.end, @region and @populate are set
 * @moved: increased by the pages that moved
 *
 * Context: mmap_lock is held for read; sleeps.
 * Return: 0, -EINVAL if the VMA is none that can be migrated, or the error of
 * the copy; then nothing moved.
 */
int drm_svm_pass_to_device(struct drm_svm_pass *pass, unsigned int *moved)
{
	struct migrate_vma *mig = &pass->mig;
	unsigned int i;
	int ret;

	mig->src = pass->src;
	mig->dst = pass->dst;
	mig->pgmap_owner = (void *)&drm_svm_owner;
	mig->flags = MIGRATE_VMA_SELECT_SYSTEM;
	memset(pass->dst, 0, sizeof(pass->dst));
	drm_svm_pass_reserve(pass, drm_svm_pass_wanted(pass));
	ret = migrate_vma_setup(mig);
	if (ret)
		goto out;

	for (i = 0; i < mig->npages; i++)
		drm_svm_pass_to_device_page(pass, i);
	ret = drm_svm_pass_copy(pass, DRM_SVM_COPY_TO_DEVICE, DMA_TO_DEVICE);
	if (ret)
		drm_svm_pass_drop_run(pass, 0, mig->npages);
	migrate_vma_pages(mig);
	*moved += drm_svm_pass_moved(pass);
	migrate_vma_finalize(mig);
out:
	drm_svm_pass_unreserve(pass);
	return ret;
}

/* ---- to system memory --------------------------------------------------- */

static void drm_svm_pass_to_ram_page(struct drm_svm_pass *pass, unsigned int i)
{
	struct page *spage = migrate_pfn_to_page(pass->src[i]);
	struct folio *folio;

	if (pass->mig.vma)
		folio = vma_alloc_folio(GFP_HIGHUSER_MOVABLE, 0, pass->mig.vma,
					pass->mig.start +
					((unsigned long)i << PAGE_SHIFT));
	else
		folio = folio_alloc(GFP_HIGHUSER_MOVABLE, 0);
	if (!folio) {
		pass->error = -ENOMEM;
		return;
	}
	folio_lock(folio);
	/* The device may have written it, whatever the CPU's entry said. */
	folio_mark_dirty(folio);
	pass->dst[i] = migrate_pfn(folio_pfn(folio));
	if (pass->src[i] & MIGRATE_PFN_WRITE)
		pass->dst[i] |= MIGRATE_PFN_WRITE;
	if (drm_svm_pass_add(pass, spage, &folio->page, DMA_FROM_DEVICE)) {
		pass->error = -ENOMEM;
		drm_svm_pass_drop(pass, i);
	}
}

static struct drm_svm_region *drm_svm_pass_src_region(struct drm_svm_pass *pass,
						      unsigned int i)
{
	struct page *spage = migrate_pfn_to_page(pass->src[i]);

	if (!spage || !(pass->src[i] & MIGRATE_PFN_MIGRATE) ||
	    !drm_svm_pass_wants(pass, i))
		return NULL;
	return drm_svm_page_region(spage);
}

/* Fills destinations; neighbours may lie in the memories of several devices. */
static void drm_svm_pass_fetch(struct drm_svm_pass *pass)
{
	unsigned int i = 0, k, n = pass->mig.npages;

	while (i < n) {
		pass->region = drm_svm_pass_src_region(pass, i);
		if (!pass->region) {
			i++;
			continue;
		}
		for (k = i; k < n; k++) {
			struct drm_svm_region *next =
				drm_svm_pass_src_region(pass, k);

			if (next && next != pass->region)
				break;
			if (next)
				drm_svm_pass_to_ram_page(pass, k);
		}
		if (drm_svm_pass_copy(pass, DRM_SVM_COPY_TO_SYSTEM,
				      DMA_FROM_DEVICE))
			drm_svm_pass_drop_run(pass, i, k);
		i = k;
	}
}

static void drm_svm_pass_count_to_ram(struct drm_svm_pass *pass)
{
	unsigned int i;

	for (i = 0; i < pass->mig.npages; i++) {
		struct page *spage = migrate_pfn_to_page(pass->src[i]);

		if (spage && (pass->src[i] & MIGRATE_PFN_MIGRATE) &&
		    (pass->dst[i] & MIGRATE_PFN_VALID))
			atomic64_inc(&drm_svm_page_region(spage)->to_system);
	}
}

/**
 * drm_svm_pass_to_ram() - move device pages of any region to system memory
 * @pass: @mig.vma, @mig.start, @mig.end and @mig.fault_page are set
 * @moved: increased by the pages that moved
 *
 * Context: mmap_lock is held for read; sleeps.
 * Return: 0 or -EINVAL. What did not move is still where it was.
 */
int drm_svm_pass_to_ram(struct drm_svm_pass *pass, unsigned int *moved)
{
	struct migrate_vma *mig = &pass->mig;
	int ret;

	mig->src = pass->src;
	mig->dst = pass->dst;
	mig->pgmap_owner = (void *)&drm_svm_owner;
	mig->flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
	memset(pass->dst, 0, sizeof(pass->dst));
	pass->error = 0;
	ret = migrate_vma_setup(mig);
	if (ret)
		return ret;

	drm_svm_pass_fetch(pass);
	migrate_vma_pages(mig);
	drm_svm_pass_count_to_ram(pass);
	*moved += drm_svm_pass_moved(pass);
	migrate_vma_finalize(mig);
	return 0;
}

/* ---- the whole region --------------------------------------------------- */

/**
 * drm_svm_pass_evict() - move what pages of a region hold to system memory
 * @pass: scratch
 * @region: region
 * @pfn: first page frame
 * @n: pages, at most a range
 *
 * Works by physical address, so also when the process that owned a page has
 * forked and exited.
 *
 * Context: process; no lock is held.
 */
void drm_svm_pass_evict(struct drm_svm_pass *pass,
			struct drm_svm_region *region, unsigned long pfn,
			unsigned int n)
{
	memset(pass->src, 0, sizeof(pass->src));
	memset(pass->dst, 0, sizeof(pass->dst));
	pass->mig.vma = NULL;
	pass->mig.npages = n;
	migrate_device_range(pass->src, pfn, n);
	drm_svm_pass_fetch(pass);
	migrate_device_pages(pass->src, pass->dst, n);
	drm_svm_pass_count_to_ram(pass);
	migrate_device_finalize(pass->src, pass->dst, n);
}
