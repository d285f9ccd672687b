// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The life of a region: its ZONE_DEVICE pages come with it, and before they go what
 * processes have in them is moved out.
 */

#include <linux/delay.h>
#include <linux/ioport.h>
#include <linux/mempool.h>
#include <linux/mm.h>

#include "drm_svm_pass.h"

/* Attributes outlive regions: no number comes twice. */
static atomic64_t drm_svm_region_ids = ATOMIC64_INIT(0);

static const struct dev_pagemap_ops drm_svm_pagemap_ops = {
	.folio_free = drm_svm_region_folio_free,
	.migrate_to_ram = drm_svm_migrate_to_ram,
};

static int drm_svm_region_map(struct drm_svm_region *region)
{
	struct resource *res;
	void *ret;

	res = request_free_mem_region(&iomem_resource, region->bytes,
				      dev_name(region->device->dev));
	if (IS_ERR(res))
		return PTR_ERR(res);

	region->pagemap.type = MEMORY_DEVICE_PRIVATE;
	region->pagemap.range.start = res->start;
	region->pagemap.range.end = res->end;
	region->pagemap.nr_range = 1;
	region->pagemap.ops = &drm_svm_pagemap_ops;
	region->pagemap.owner = (void *)&drm_svm_owner;
	ret = memremap_pages(&region->pagemap, dev_to_node(region->device->dev));
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

/* Scratch of CPU faults that there always is, if need be by waiting for another's. */
#define DRM_SVM_CPU_FAULTS	2

static int drm_svm_region_init_memory(struct drm_svm_region *region)
{
	size_t bytes = drm_svm_pass_bytes(DRM_SVM_CPU_FAULT_PAGES);

	return drm_svm_region_init_blocks(region) ?:
	       mempool_init_kmalloc_pool(&region->cpu_faults,
					 DRM_SVM_CPU_FAULTS, bytes);
}

static void drm_svm_region_free_memory(struct drm_svm_region *region)
{
	mempool_exit(&region->cpu_faults);
	drm_svm_region_fini_blocks(region);
}

static int drm_svm_region_check(const struct drm_svm_region *region,
				struct device *dev, u64 bytes)
{
	if (!PAGE_ALIGNED(region->base) || !bytes || !PAGE_ALIGNED(bytes) ||
	    region->base + bytes - 1 < region->base) {
		dev_dbg(dev, "%llu bytes of memory at %#llx: not of whole pages, or no addresses\n",
			bytes, region->base);
		return -EINVAL;
	}
	if (region->min_shift > PAGE_SHIFT) {
		dev_dbg(dev, "maps its memory by no less than 1 << %u bytes\n",
			region->min_shift);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int drm_svm_region_start(struct drm_svm_region *region)
{
	int ret = drm_svm_region_map(region);

	if (ret)
		return ret;
	ret = drm_svm_device_add_region(region);
	if (ret)
		drm_svm_region_unmap(region);
	return ret;
}

/**
 * drm_svm_region_init() - make a device's memory usable for processes
 * @region: embedded in the driver's device, zeroed but for @base and @min_shift
 * @sdev: the device; it has no address space yet
 * @bytes: size, a multiple of PAGE_SIZE; the memory behind it exists already
 * @ops: the driver's
 *
 * A device may have several. Its address spaces can have pages of all of them; what
 * moves or is made there goes to the first (drm_svm_device_region()).
 *
 * Context: may sleep.
 * Return: 0, -EINVAL if @bytes or &drm_svm_region.base are not of whole pages or wrap,
 * -EOPNOTSUPP if &drm_svm_region.min_shift is larger than PAGE_SHIFT, -EBUSY if the
 * device has address spaces, -ENOMEM, -ENOSPC or another error of memremap_pages().
 */
int drm_svm_region_init(struct drm_svm_region *region,
			struct drm_svm_device *sdev, u64 bytes,
			const struct drm_svm_region_ops *ops)
{
	int ret = drm_svm_region_check(region, sdev->dev, bytes);

	if (ret)
		return ret;
	region->device = sdev;
	region->ops = ops;
	region->bytes = bytes;
	region->nr_pages = bytes >> PAGE_SHIFT;
	spin_lock_init(&region->lock);

	region->id = atomic64_inc_return(&drm_svm_region_ids);
	ret = drm_svm_region_init_memory(region);
	if (!ret)
		ret = drm_svm_region_start(region);
	if (!ret)
		return 0;
	drm_svm_region_free_memory(region);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_region_init);

/**
 * drm_svm_region_fini() - end a device's memory
 * @region: from drm_svm_region_init(); the device has no address space any more
 *
 * What processes still have in it is moved to system memory.
 *
 * Context: may sleep; the copy operation still works.
 */
void drm_svm_region_fini(struct drm_svm_region *region)
{
	drm_svm_device_remove_region(region);
	/* Without it, to unmap would wait for pages that nobody fetches. */
	while (drm_svm_region_evict_all(region))
		msleep(100);
	/* No table holds a page of it now; wait for who has read one before. */
	drm_svm_pages_synchronize();
	drm_svm_region_unmap(region);
	drm_svm_region_free_memory(region);
}
EXPORT_SYMBOL_GPL(drm_svm_region_fini);
