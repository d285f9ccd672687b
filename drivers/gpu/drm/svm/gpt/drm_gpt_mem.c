// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where tables come from: pages of the kernel that the device snoops, pages that
 * it does not, and pieces of pages. Device memory is for the driver that has it.
 */

#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/export.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>

#include "drm_gpt_mem.h"

/**
 * drm_gpt_page_alloc() - pages for a table, mapped for a device
 * @dev: device
 * @mem: out
 * @order: log2 of the number of pages
 * @gfp: how to allocate
 * @dir: %DMA_BIDIRECTIONAL for a device that snoops, or %DMA_TO_DEVICE
 *
 * Return: 0, -ENOMEM.
 */
int drm_gpt_page_alloc(struct device *dev, struct drm_gpt_mem *mem,
		       unsigned int order, gfp_t gfp, enum dma_data_direction dir)
{
	struct page *page = alloc_pages(gfp | __GFP_ZERO, order);
	dma_addr_t dma;

	if (!page)
		return -ENOMEM;
	dma = dma_map_page_attrs(dev, page, 0, PAGE_SIZE << order, dir,
				 drm_gpt_page_attrs(dir));
	if (dma_mapping_error(dev, dma)) {
		__free_pages(page, order);
		return -ENOMEM;
	}
	mod_lruvec_page_state(page, NR_SECONDARY_PAGETABLE, 1 << order);
	mem->cpu = page_address(page);
	mem->addr = dma;
	mem->local = false;
	mem->priv = page;
	return 0;
}

/**
 * drm_gpt_page_free() - give them back
 * @dev: device
 * @mem: from drm_gpt_page_alloc()
 * @order: as there
 * @dir: as there
 */
void drm_gpt_page_free(struct device *dev, const struct drm_gpt_mem *mem,
		       unsigned int order, enum dma_data_direction dir)
{
	struct page *page = mem->priv;

	mod_lruvec_page_state(page, NR_SECONDARY_PAGETABLE, -(1 << order));
	dma_unmap_page_attrs(dev, mem->addr, PAGE_SIZE << order, dir,
			     drm_gpt_page_attrs(dir));
	__free_pages(page, order);
}

/* ---- a device that snoops ------------------------------------------------- */

static int drm_gpt_pages_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			       u32 bytes, gfp_t gfp)
{
	return drm_gpt_page_alloc(gpt->dev, mem, get_order(bytes), gfp,
				  DMA_BIDIRECTIONAL);
}

static void drm_gpt_pages_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			       u32 bytes)
{
	drm_gpt_page_free(gpt->dev, mem, get_order(bytes), DMA_BIDIRECTIONAL);
}

const struct drm_gpt_mem_ops drm_gpt_mem_pages = {
	.alloc = drm_gpt_pages_alloc,
	.free = drm_gpt_pages_free,
};
EXPORT_SYMBOL_GPL(drm_gpt_mem_pages);

/* ---- one that does not ---------------------------------------------------- */

static int drm_gpt_streaming_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
				   u32 bytes, gfp_t gfp)
{
	return drm_gpt_page_alloc(gpt->dev, mem, get_order(bytes), gfp,
				  DMA_TO_DEVICE);
}

static void drm_gpt_streaming_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
				   u32 bytes)
{
	drm_gpt_page_free(gpt->dev, mem, get_order(bytes), DMA_TO_DEVICE);
}

static void drm_gpt_streaming_sync(struct drm_gpt *gpt, u64 addr, u32 bytes)
{
	dma_sync_single_for_device(gpt->dev, addr, bytes, DMA_TO_DEVICE);
}

const struct drm_gpt_mem_ops drm_gpt_mem_streaming = {
	.alloc = drm_gpt_streaming_alloc,
	.free = drm_gpt_streaming_free,
	.sync = drm_gpt_streaming_sync,
};
EXPORT_SYMBOL_GPL(drm_gpt_mem_streaming);

/* ---- tables smaller than a page ------------------------------------------- */

static int drm_gpt_small_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			       u32 bytes, gfp_t gfp)
{
	dma_addr_t dma;

	if (bytes >= PAGE_SIZE)
		return drm_gpt_pages_alloc(gpt, mem, bytes, gfp);
	mem->cpu = dma_pool_zalloc(gpt->mem_data, gfp, &dma);
	if (!mem->cpu)
		return -ENOMEM;
	mem->addr = dma;
	mem->local = false;
	return 0;
}

static void drm_gpt_small_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			       u32 bytes)
{
	if (bytes >= PAGE_SIZE)
		drm_gpt_pages_free(gpt, mem, bytes);
	else
		dma_pool_free(gpt->mem_data, mem->cpu, mem->addr);
}

const struct drm_gpt_mem_ops drm_gpt_mem_small = {
	.alloc = drm_gpt_small_alloc,
	.free = drm_gpt_small_free,
};
EXPORT_SYMBOL_GPL(drm_gpt_mem_small);
