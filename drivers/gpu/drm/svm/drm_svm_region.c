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
 */

#include <kunit/visibility.h>

#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/idr.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "drm_svm_internal.h"

/*
 * All regions have one owner, so that one walk returns the pages of every
 * device. It is an address in this module.
 */
const char drm_svm_owner;

static DEFINE_IDA(drm_svm_region_ida);

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

static void drm_svm_region_release_pages(struct drm_svm_region *region,
					 unsigned long index, unsigned long n)
{
	unsigned long flags;

	spin_lock_irqsave(&region->lock, flags);
	WARN_ON_ONCE(find_next_zero_bit(region->used, index + n, index) <
		     index + n);
	bitmap_clear(region->used, index, n);
	region->nr_used -= n;
	spin_unlock_irqrestore(&region->lock, flags);
}

static void drm_svm_region_folio_free(struct folio *folio)
{
	struct drm_svm_region *region = drm_svm_page_region(&folio->page);

	drm_svm_region_release_pages(region, folio_pfn(folio) -
				     drm_svm_region_pfn(region),
				     folio_nr_pages(folio));
}

/**
 * drm_svm_region_alloc() - take a page of device memory
 * @region: region
 *
 * Context: any.
 * Return: the page, without references and not initialised, or NULL if none is
 * free.
 */
struct page *drm_svm_region_alloc(struct drm_svm_region *region)
{
	unsigned long flags, i;

	spin_lock_irqsave(&region->lock, flags);
	i = find_next_zero_bit(region->used, region->nr_pages, region->hint);
	if (i >= region->nr_pages)
		i = find_first_zero_bit(region->used, region->nr_pages);
	if (i < region->nr_pages) {
		__set_bit(i, region->used);
		region->nr_used++;
		region->hint = i + 1;
	}
	spin_unlock_irqrestore(&region->lock, flags);
	if (i >= region->nr_pages)
		return NULL;
	return pfn_to_page(drm_svm_region_pfn(region) + i);
}

/**
 * drm_svm_region_unalloc() - give a page back that was not initialised
 * @region: region
 * @page: from drm_svm_region_alloc()
 */
void drm_svm_region_unalloc(struct drm_svm_region *region, struct page *page)
{
	drm_svm_region_release_pages(region, page_to_pfn(page) -
				     drm_svm_region_pfn(region), 1);
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

static const struct dev_pagemap_ops drm_svm_pagemap_ops = {
	.folio_free = drm_svm_region_folio_free,
	.migrate_to_ram = drm_svm_migrate_to_ram,
};

static int drm_svm_region_map(struct drm_svm_region *region)
{
	struct resource *res;
	void *ret;

	res = request_free_mem_region(&iomem_resource, region->bytes,
				      dev_name(region->dev));
	if (IS_ERR(res))
		return PTR_ERR(res);

	region->pagemap.type = MEMORY_DEVICE_PRIVATE;
	region->pagemap.range.start = res->start;
	region->pagemap.range.end = res->end;
	region->pagemap.nr_range = 1;
	region->pagemap.ops = &drm_svm_pagemap_ops;
	region->pagemap.owner = (void *)&drm_svm_owner;
	ret = memremap_pages(&region->pagemap, dev_to_node(region->dev));
	if (IS_ERR(ret)) {
		release_mem_region(res->start, resource_size(res));
		return PTR_ERR(ret);
	}
	return 0;
}

static void drm_svm_region_unmap(struct drm_svm_region *region)
{
	struct range *range = &region->pagemap.range;

	memunmap_pages(&region->pagemap);
	release_mem_region(range->start, range_len(range));
}

/**
 * drm_svm_region_init() - make a device's memory usable for processes
 * @region: embedded in the driver's device, zeroed
 * @dev: the device
 * @bytes: size, a multiple of PAGE_SIZE; the memory behind it exists already
 * @ops: the driver's
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, -ENOSPC or another error of memremap_pages().
 */
int drm_svm_region_init(struct drm_svm_region *region, struct device *dev,
			u64 bytes, const struct drm_svm_region_ops *ops)
{
	int ret;

	region->dev = dev;
	region->ops = ops;
	region->bytes = bytes;
	region->nr_pages = bytes >> PAGE_SHIFT;
	spin_lock_init(&region->lock);

	region->id = ida_alloc(&drm_svm_region_ida, GFP_KERNEL);
	if (region->id < 0)
		return region->id;
	ret = -ENOMEM;
	region->used = bitmap_zalloc(region->nr_pages, GFP_KERNEL);
	if (!region->used)
		goto err_id;
	ret = drm_svm_region_map(region);
	if (ret)
		goto err_bitmap;
	return 0;

err_bitmap:
	bitmap_free(region->used);
err_id:
	ida_free(&drm_svm_region_ida, region->id);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_region_init);

/**
 * drm_svm_region_fini() - end a device's memory
 * @region: from drm_svm_region_init(); no address space migrates to it any more
 *
 * What processes still have in it is moved to system memory.
 *
 * Context: may sleep; the copy operation still works.
 */
void drm_svm_region_fini(struct drm_svm_region *region)
{
	/* Without it, to unmap would wait for pages that nobody fetches. */
	while (drm_svm_region_evict_all(region))
		msleep(100);
	/* No table holds a page of it now; wait for who has read one before. */
	synchronize_srcu(&drm_svm_pages_srcu);
	drm_svm_region_unmap(region);
	bitmap_free(region->used);
	ida_free(&drm_svm_region_ida, region->id);
}
EXPORT_SYMBOL_GPL(drm_svm_region_fini);
