// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One pass of a migration between system and device memory, over a run of pages
 * inside a range, page by page: what can move moves, what cannot stays where it is
 * and is no error.
 *
 * A pass costs those who use the run: its notifier takes every page of it from
 * every device, also those that stay. So its caller gives it runs of pages that
 * really are to move.
 *
 * Order inside a pass: migrate_vma_setup(), whose notifier takes the pages from
 * every device; copy and wait; then migrate_vma_pages() and _finalize(). Device
 * pages are reserved by the caller before the first setup: nothing waits for
 * device memory while sources are locked. System pages are allocated when sources
 * are locked; that may reclaim, but nothing of ours. A copy that fails leaves all
 * pages where they were.
 */

#include <kunit/visibility.h>

#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "drm_svm_pass.h"
#include "drm_svm_planted.h"

/**
 * drm_svm_pass_bytes() - how much scratch passes need
 * @pages: of the longest run
 *
 * Return: bytes.
 */
size_t drm_svm_pass_bytes(unsigned int pages)
{
	return sizeof(struct drm_svm_pass) +
	       pages * (sizeof(struct drm_svm_copy) +
			2 * sizeof(unsigned long) + sizeof(struct page *));
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_pass_bytes);

/**
 * drm_svm_pass_init() - make scratch of memory
 * @memory: drm_svm_pass_bytes(@pages)
 * @pages: of the longest run
 *
 * Return: the scratch.
 */
struct drm_svm_pass *drm_svm_pass_init(void *memory, unsigned int pages)
{
	struct drm_svm_pass *pass = memory;

	/* The arrays are filled as they are used. */
	memset(pass, 0, sizeof(*pass));
	pass->max = pages;
	pass->pieces = memory + sizeof(*pass);
	pass->spare = (void *)(pass->pieces + pages);
	pass->mig.src = (void *)(pass->spare + pages);
	pass->mig.dst = pass->mig.src + pages;
	pass->mig.pgmap_owner = (void *)&drm_svm_owner;
	return pass;
}

/**
 * drm_svm_pass_make() - scratch for passes
 * @pages: of the longest run
 *
 * Context: may sleep.
 * Return: it, for kvfree(), or NULL.
 */
struct drm_svm_pass *drm_svm_pass_make(unsigned int pages)
{
	void *memory = kvmalloc(drm_svm_pass_bytes(pages), GFP_KERNEL);

	return memory ? drm_svm_pass_init(memory, pages) : NULL;
}

static int drm_svm_pass_add(struct drm_svm_pass *pass, struct page *dpage,
			    struct page *spage, enum dma_data_direction dir)
{
	struct drm_svm_region *region = pass->region;
	struct drm_svm_copy *piece = &pass->pieces[pass->nr_pieces];

	piece->offset = drm_svm_region_offset(region, page_to_pfn(dpage));
	piece->bytes = PAGE_SIZE;
	piece->dma = dma_map_phys(region->device->dev, page_to_phys(spage), PAGE_SIZE,
				  dir, DRM_SVM_DMA_ATTRS);
	if (dma_mapping_error(region->device->dev, piece->dma))
		return -EIO;
	pass->nr_pieces++;
	return 0;
}

static void drm_svm_pass_add_clear(struct drm_svm_pass *pass,
				   struct page *dpage)
{
	struct drm_svm_copy *piece = &pass->pieces[pass->max - ++pass->nr_clear];

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
		dma_unmap_phys(region->device->dev, pass->pieces[i].dma, PAGE_SIZE, dir,
			       DRM_SVM_DMA_ATTRS);
	if (!ret && pass->nr_clear)
		ret = region->ops->copy(region, DRM_SVM_COPY_CLEAR,
					pass->pieces + pass->max - pass->nr_clear,
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
	struct page *page = migrate_pfn_to_page(pass->mig.dst[i]);

	if (!page)
		return;
	pass->mig.dst[i] = 0;
	unlock_page(page);
	put_page(page);
}

static void drm_svm_pass_drop_run(struct drm_svm_pass *pass, unsigned int i,
				  unsigned int end)
{
	for (; i < end; i++)
		drm_svm_pass_drop(pass, i);
}

static bool drm_svm_pass_has_moved(struct drm_svm_pass *pass, unsigned int i)
{
	return (pass->mig.src[i] & MIGRATE_PFN_MIGRATE) &&
	       (pass->mig.dst[i] & MIGRATE_PFN_VALID);
}

static void drm_svm_pass_note_done(struct drm_svm_pass *pass)
{
	unsigned int i, first = drm_svm_page_index(pass->mig.start);

	for (i = 0; pass->done && i < pass->mig.npages; i++)
		if (drm_svm_pass_has_moved(pass, i))
			__set_bit(first + i, pass->done);
}

/* A run may bridge holes between the pages that are meant. */
static bool drm_svm_pass_wants(struct drm_svm_pass *pass, unsigned int i)
{
	return !pass->move ||
	       test_bit(drm_svm_page_index(pass->mig.start) + i, pass->move);
}

static int drm_svm_pass_setup(struct drm_svm_pass *pass,
			      enum migrate_vma_direction from)
{
	pass->mig.flags = from;
	pass->error = 0;
	memset(pass->mig.dst, 0, (pass->mig.end - pass->mig.start) / PAGE_SIZE *
				 sizeof(*pass->mig.dst));
	return migrate_vma_setup(&pass->mig);
}

/* ---- to a device -------------------------------------------------------- */

/**
 * drm_svm_pass_reserve() - take device pages for passes to come
 * @pass: @region is set
 * @n: how many, at most @max
 *
 * Context: any.
 * Return: how many there were.
 */
unsigned int drm_svm_pass_reserve(struct drm_svm_pass *pass, unsigned int n)
{
	pass->nr_spare = drm_svm_region_alloc(pass->region, pass->spare, n);
	return pass->nr_spare;
}

/**
 * drm_svm_pass_unreserve() - give back what no pass has used
 * @pass: scratch
 *
 * Context: any.
 */
void drm_svm_pass_unreserve(struct drm_svm_pass *pass)
{
	drm_svm_region_unalloc(pass->region, pass->spare, pass->nr_spare);
	pass->nr_spare = 0;
}

/*
 * A page that is to move and is not there: it was a hole or the zero page, or
 * became the latter when a huge page was split. It is made on the device, unless
 * writes are tracked: the core's entry for it would not say that it was written.
 */
static bool drm_svm_pass_may_make(struct drm_svm_pass *pass)
{
	return !drm_svm_soft_tracked(pass->mig.vma);
}

/*
 * A page that has become KSM's since its caller looked. The migration would work, and
 * have ksmd compare the contents of device memory, which no CPU can read.
 */
static bool drm_svm_pass_stays(struct page *page)
{
	return page && folio_test_ksm(page_folio(page)) &&
	       !drm_svm_planted(DRM_SVM_PLANTED_SHARED_MOVES);
}

static void drm_svm_pass_to_device_page(struct drm_svm_pass *pass,
					unsigned int i)
{
	unsigned long src = pass->mig.src[i];
	struct page *spage = migrate_pfn_to_page(src), *dpage;
	bool write;

	if (!(src & MIGRATE_PFN_MIGRATE) || !pass->nr_spare ||
	    !drm_svm_pass_wants(pass, i) || drm_svm_pass_stays(spage) ||
	    (!spage && !drm_svm_pass_may_make(pass)))
		return;

	dpage = pass->spare[--pass->nr_spare];
	zone_device_page_init(dpage, &pass->region->pagemap, 0);
	drm_svm_page_soft_place(dpage, pass->epoch);
	write = spage ? src & MIGRATE_PFN_WRITE :
			pass->mig.vma->vm_flags & VM_WRITE;
	pass->mig.dst[i] = migrate_pfn(page_to_pfn(dpage)) |
			   (write ? MIGRATE_PFN_WRITE : 0);
	if (!spage)
		drm_svm_pass_add_clear(pass, dpage);
	else if (drm_svm_pass_add(pass, dpage, spage, DMA_TO_DEVICE))
		drm_svm_pass_drop(pass, i);
}

/**
 * drm_svm_pass_to_device() - move a run of system pages to device memory
 * @pass: @mig.vma, @mig.start, @mig.end, @region, @move and @epoch are set; a page
 *	is reserved for each of @move in the run
 *
 * Sets bits in @done.
 *
 * Context: mmap_lock is held for read; sleeps.
 * Return: 0, -EINVAL if the VMA is none that can be migrated, or the error of
 * the copy; then nothing moved.
 */
int drm_svm_pass_to_device(struct drm_svm_pass *pass)
{
	struct migrate_vma *mig = &pass->mig;
	unsigned int i;
	int ret;

	ret = drm_svm_pass_setup(pass, MIGRATE_VMA_SELECT_SYSTEM);
	if (ret)
		return ret;
	for (i = 0; i < mig->npages; i++)
		drm_svm_pass_to_device_page(pass, i);
	ret = drm_svm_pass_copy(pass, DRM_SVM_COPY_TO_DEVICE, DMA_TO_DEVICE);
	if (ret)
		drm_svm_pass_drop_run(pass, 0, mig->npages);
	migrate_vma_pages(mig);
	drm_svm_pass_note_done(pass);
	migrate_vma_finalize(mig);
	return ret;
}

/* ---- to system memory --------------------------------------------------- */

static void drm_svm_pass_to_ram_page(struct drm_svm_pass *pass, unsigned int i)
{
	struct page *spage = migrate_pfn_to_page(pass->mig.src[i]);
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
	pass->mig.dst[i] = migrate_pfn(folio_pfn(folio));
	if (pass->mig.src[i] & MIGRATE_PFN_WRITE)
		pass->mig.dst[i] |= MIGRATE_PFN_WRITE;
	if (drm_svm_pass_add(pass, spage, &folio->page, DMA_FROM_DEVICE)) {
		pass->error = -ENOMEM;
		drm_svm_pass_drop(pass, i);
	}
}

static struct drm_svm_region *drm_svm_pass_src_region(struct drm_svm_pass *pass,
						      unsigned int i)
{
	struct page *spage = migrate_pfn_to_page(pass->mig.src[i]);

	if (!spage || !(pass->mig.src[i] & MIGRATE_PFN_MIGRATE) ||
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
		struct page *spage = migrate_pfn_to_page(pass->mig.src[i]);

		if (spage && drm_svm_pass_has_moved(pass, i))
			atomic64_inc(&drm_svm_page_region(spage)->to_system);
	}
}

/* Could the page have been placed before soft-dirty bits were cleared? */
static bool drm_svm_pass_soft_stale(struct drm_svm_pass *pass, unsigned int i)
{
	struct page *spage = migrate_pfn_to_page(pass->mig.src[i]);
	u64 epoch;

	return (pass->mig.src[i] & MIGRATE_PFN_WRITE) &&
	       (!drm_svm_mm_soft_epoch(pass->mig.vma->vm_mm, &epoch) ||
		drm_svm_page_soft_epoch(spage) != epoch);
}

/*
 * Pages whose new entries will let write and may lack the soft-dirty bit. Their
 * entries are as writable as the old ones, whatever we say: they count as written.
 */
static void drm_svm_pass_soft_stale_pages(struct drm_svm_pass *pass,
					  unsigned long *stale)
{
	unsigned int i;

	if (!drm_svm_soft_tracked(pass->mig.vma))
		return;
	for (i = 0; i < pass->mig.npages; i++)
		if (drm_svm_pass_has_moved(pass, i) &&
		    drm_svm_pass_soft_stale(pass, i))
			__set_bit(i, stale);
}

static void drm_svm_pass_soft_mark(struct drm_svm_pass *pass,
				   const unsigned long *stale)
{
	unsigned int i;

	for_each_set_bit(i, stale, pass->mig.npages)
		drm_svm_soft_mark(pass->mig.vma, pass->mig.start +
				  ((unsigned long)i << PAGE_SHIFT));
}

/**
 * drm_svm_pass_to_ram() - move device pages of any region to system memory
 * @pass: @mig.vma, @mig.start, @mig.end and @mig.fault_page are set
 *
 * Sets bits in @done.
 *
 * Context: mmap_lock is held for read; sleeps.
 * Return: 0 or -EINVAL. What did not move is still where it was.
 */
int drm_svm_pass_to_ram(struct drm_svm_pass *pass)
{
	DECLARE_BITMAP(stale, DRM_SVM_RANGE_PAGES) = {};
	struct migrate_vma *mig = &pass->mig;
	int ret;

	ret = drm_svm_pass_setup(pass, MIGRATE_VMA_SELECT_DEVICE_PRIVATE);
	if (ret)
		return ret;
	drm_svm_pass_fetch(pass);
	migrate_vma_pages(mig);
	drm_svm_pass_count_to_ram(pass);
	drm_svm_pass_note_done(pass);
	drm_svm_pass_soft_stale_pages(pass, stale);
	migrate_vma_finalize(mig);
	drm_svm_pass_soft_mark(pass, stale);
	return 0;
}

/**
 * drm_svm_pass_look() - see which pages are device pages, and move none
 * @pass: @mig.vma, @mig.start and @mig.end are set
 *
 * For memory that hmm does not report, since nobody may access it. Its notifier
 * finds nothing mapped for the same reason.
 *
 * Context: mmap_lock is held for read; sleeps.
 * Return: 0 or -EINVAL; then @mig.src names the pages that are there, without
 * references.
 */
int drm_svm_pass_look(struct drm_svm_pass *pass)
{
	int ret = drm_svm_pass_setup(pass, MIGRATE_VMA_SELECT_DEVICE_PRIVATE);

	if (ret)
		return ret;
	migrate_vma_finalize(&pass->mig);
	return 0;
}

/* ---- the whole region --------------------------------------------------- */

/**
 * drm_svm_pass_evict() - move what pages of a region hold to system memory
 * @pass: scratch
 * @region: region
 * @pfn: first page frame
 * @n: pages, at most @pass->max
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
	struct migrate_vma *mig = &pass->mig;

	memset(mig->src, 0, n * sizeof(*mig->src));
	memset(mig->dst, 0, n * sizeof(*mig->dst));
	mig->vma = NULL;
	mig->npages = n;
	migrate_device_range(mig->src, pfn, n);
	drm_svm_pass_fetch(pass);
	migrate_device_pages(mig->src, mig->dst, n);
	drm_svm_pass_count_to_ram(pass);
	migrate_device_finalize(mig->src, mig->dst, n);
}
