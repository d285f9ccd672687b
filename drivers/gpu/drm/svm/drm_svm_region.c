// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Device memory as ZONE_DEVICE pages that the CPU cannot address: a region per
 * device, one struct page per page of memory, page i standing for byte
 * i << PAGE_SHIFT.
 *
 * A page is handed out (used), becomes part of a process's memory by a
 * migration, and comes back when its last reference goes. That can be in any
 * context, under a page-table lock too, so freeing is a bit in a bitmap under
 * a spinlock.
 *
 * Nothing looks for a free page in all of the memory: each block of 2 MiB counts
 * what it has, and those that have something are in a list. Blocks in part use
 * come first, so that whole ones stay whole. A full region is an empty list.
 */

#include <kunit/visibility.h>

#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "drm_svm_internal.h"

/*
 * All regions have one owner, so that one walk returns the pages of every
 * device. It is an address in this module.
 */
const char drm_svm_owner;

/* Who looks at pages of any region, against regions that go. */
DEFINE_STATIC_SRCU(drm_svm_pages_srcu);

/**
 * drm_svm_pages_read_lock() - look at pages that a walk returns
 *
 * A walk takes no references. A page of another device's region is moved away
 * when that device goes; its struct page stays until this section ends.
 *
 * Context: process; may sleep inside.
 * Return: for drm_svm_pages_read_unlock().
 */
int drm_svm_pages_read_lock(void)
{
	return srcu_read_lock(&drm_svm_pages_srcu);
}

void drm_svm_pages_read_unlock(int idx)
{
	srcu_read_unlock(&drm_svm_pages_srcu, idx);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_pages_read_unlock);

/**
 * drm_svm_pages_synchronize() - wait for who looks at pages by now
 *
 * Context: may sleep; for a section in which pages are looked at, never for a page.
 */
void drm_svm_pages_synchronize(void)
{
	synchronize_srcu(&drm_svm_pages_srcu);
}

static struct drm_svm_region *drm_svm_pagemap_region(struct dev_pagemap *map)
{
	return container_of(map, struct drm_svm_region, pagemap);
}

/**
 * drm_svm_page_region() - whose page is it?
 * @page: device-private page
 *
 * Return: the region, or NULL if the page is not drm_svm's.
 */
struct drm_svm_region *drm_svm_page_region(struct page *page)
{
	struct dev_pagemap *map = page_pgmap(page);

	if (map->owner != &drm_svm_owner)
		return NULL;
	return drm_svm_pagemap_region(map);
}

/**
 * drm_svm_page_is_local() - is it the device's own memory?
 * @svm: address space of the device
 * @page: device-private page
 *
 * Return: true if it is.
 */
bool drm_svm_page_is_local(const struct drm_svm *svm, struct page *page)
{
	struct drm_svm_region *region = drm_svm_page_region(page);

	return region && region->device == svm->device;
}

static unsigned long drm_svm_region_pfn(struct drm_svm_region *region)
{
	return region->pagemap.range.start >> PAGE_SHIFT;
}

/**
 * drm_svm_region_offset() - where in device memory a page is
 * @region: its region
 * @pfn: its frame number
 *
 * Return: bytes from the start of the region.
 */
u64 drm_svm_region_offset(struct drm_svm_region *region, unsigned long pfn)
{
	return (u64)(pfn - drm_svm_region_pfn(region)) << PAGE_SHIFT;
}

/* Pages of a block, less at the end of a region. */
#define DRM_SVM_BLOCK_PAGES	DRM_SVM_RANGE_PAGES

/**
 * struct drm_svm_block - what is free of an aligned block of a region
 * @room: in &drm_svm_region.room, or empty if nothing is
 * @nr_free: pages
 */
struct drm_svm_block {
	struct list_head room;
	unsigned int nr_free;
};

static unsigned long drm_svm_block_first(struct drm_svm_region *region,
					 struct drm_svm_block *block)
{
	return (block - region->blocks) * DRM_SVM_BLOCK_PAGES;
}

static unsigned int drm_svm_block_pages(struct drm_svm_region *region,
					struct drm_svm_block *block)
{
	return min(DRM_SVM_BLOCK_PAGES, region->nr_pages -
		   drm_svm_block_first(region, block));
}

/* After its count has changed. */
static void drm_svm_block_sort(struct drm_svm_region *region,
			       struct drm_svm_block *block)
{
	lockdep_assert_held(&region->lock);
	if (!block->nr_free)
		list_del_init(&block->room);
	else if (block->nr_free == drm_svm_block_pages(region, block))
		list_move_tail(&block->room, &region->room);
	else if (list_empty(&block->room))
		list_add(&block->room, &region->room);
}

static void drm_svm_region_release_page(struct drm_svm_region *region,
					unsigned long index)
{
	struct drm_svm_block *block =
		&region->blocks[index / DRM_SVM_BLOCK_PAGES];

	lockdep_assert_held(&region->lock);
	if (WARN_ON_ONCE(!__test_and_clear_bit(index, region->used)))
		return;
	block->nr_free++;
	WRITE_ONCE(region->nr_used, region->nr_used - 1);
	drm_svm_block_sort(region, block);
}

/**
 * drm_svm_region_folio_free() - the last reference of a page of device memory is gone
 * @folio: its folio
 *
 * Context: any.
 */
void drm_svm_region_folio_free(struct folio *folio)
{
	struct drm_svm_region *region = drm_svm_page_region(&folio->page);
	unsigned long i, first = folio_pfn(folio) - drm_svm_region_pfn(region);

	guard(spinlock_irqsave)(&region->lock);
	for (i = 0; i < folio_nr_pages(folio); i++)
		drm_svm_region_release_page(region, first + i);
}

static unsigned int drm_svm_block_alloc(struct drm_svm_region *region,
					struct drm_svm_block *block,
					struct page **pages, unsigned int n)
{
	unsigned long first = drm_svm_block_first(region, block);
	unsigned long end = first + drm_svm_block_pages(region, block);
	unsigned long i = first;
	unsigned int got;

	lockdep_assert_held(&region->lock);
	n = min(n, block->nr_free);
	for (got = 0; got < n; got++, i++) {
		i = find_next_zero_bit(region->used, end, i);
		if (WARN_ON_ONCE(i >= end))
			break;
		__set_bit(i, region->used);
		pages[got] = pfn_to_page(drm_svm_region_pfn(region) + i);
	}
	block->nr_free -= got;
	WRITE_ONCE(region->nr_used, region->nr_used + got);
	drm_svm_block_sort(region, block);
	return got;
}

static unsigned int drm_svm_region_alloc_some(struct drm_svm_region *region,
					      struct page **pages,
					      unsigned int n)
{
	struct drm_svm_block *block;

	guard(spinlock_irqsave)(&region->lock);
	block = list_first_entry_or_null(&region->room, struct drm_svm_block,
					 room);
	return block ? drm_svm_block_alloc(region, block, pages, n) : 0;
}

/**
 * drm_svm_region_alloc() - take pages of device memory
 * @region: region
 * @pages: out, without references and not initialised
 * @n: how many at most
 *
 * Interrupts are off for as long as one block takes, whatever the region's size.
 *
 * Context: any.
 * Return: how many were free; all of @n, unless the region is full.
 */
unsigned int drm_svm_region_alloc(struct drm_svm_region *region,
				  struct page **pages, unsigned int n)
{
	unsigned int got = 0, more = 1;

	while (got < n && more) {
		more = drm_svm_region_alloc_some(region, pages + got, n - got);
		got += more;
	}
	return got;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_region_alloc);

/**
 * drm_svm_region_unalloc() - give pages back that were not initialised
 * @region: region
 * @pages: from drm_svm_region_alloc()
 * @n: how many
 *
 * Context: any.
 */
void drm_svm_region_unalloc(struct drm_svm_region *region, struct page **pages,
			    unsigned int n)
{
	unsigned int i;

	guard(spinlock_irqsave)(&region->lock);
	for (i = 0; i < n; i++)
		drm_svm_region_release_page(region, page_to_pfn(pages[i]) -
					    drm_svm_region_pfn(region));
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_region_unalloc);

/**
 * drm_svm_region_full() - is there no page to be had?
 * @region: region
 *
 * Context: any; an answer that may be old at once.
 * Return: true if a try to allocate would have been in vain.
 */
bool drm_svm_region_full(struct drm_svm_region *region)
{
	return READ_ONCE(region->nr_used) == region->nr_pages;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_region_full);

/**
 * drm_svm_has_room() - is there memory of the device to be had?
 * @svm: address space of the device
 *
 * Context: any; an answer that may be old at once.
 * Return: false if a try to allocate would have been in vain.
 */
bool drm_svm_has_room(const struct drm_svm *svm)
{
	struct drm_svm_region *region = drm_svm_device_region(svm->device);

	return region && !drm_svm_region_full(region);
}

/**
 * drm_svm_region_used() - how much is in use
 * @region: region
 *
 * Return: bytes.
 */
u64 drm_svm_region_used(struct drm_svm_region *region)
{
	return (u64)READ_ONCE(region->nr_used) << PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(drm_svm_region_used);

/**
 * drm_svm_region_init_blocks() - all memory of a region is free
 * @region: region
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM; drm_svm_region_fini_blocks() in either case.
 */
int drm_svm_region_init_blocks(struct drm_svm_region *region)
{
	unsigned long i, n = DIV_ROUND_UP(region->nr_pages, DRM_SVM_BLOCK_PAGES);

	INIT_LIST_HEAD(&region->room);
	region->used = kvcalloc(BITS_TO_LONGS(region->nr_pages),
				sizeof(*region->used), GFP_KERNEL);
	region->blocks = kvcalloc(n, sizeof(*region->blocks), GFP_KERNEL);
	if (!region->used || !region->blocks)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct drm_svm_block *block = &region->blocks[i];

		block->nr_free = drm_svm_block_pages(region, block);
		list_add_tail(&block->room, &region->room);
	}
	return 0;
}

/**
 * drm_svm_region_fini_blocks() - the end of what says so
 * @region: region
 *
 * Context: any.
 */
void drm_svm_region_fini_blocks(struct drm_svm_region *region)
{
	kvfree(region->blocks);
	kvfree(region->used);
}
