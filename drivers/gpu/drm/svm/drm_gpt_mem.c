// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where tables come from.
 */

#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>

#include <drm/drm_gpt.h>

static int drm_gpt_pages_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			       u32 bytes, gfp_t gfp)
{
	unsigned int order = get_order(bytes);
	struct page *page;
	dma_addr_t dma;

	page = alloc_pages(gfp | __GFP_ZERO, order);
	if (!page)
		return -ENOMEM;
	dma = dma_map_page_attrs(gpt->dev, page, 0, PAGE_SIZE << order,
				 DMA_BIDIRECTIONAL, DMA_ATTR_REQUIRE_COHERENT);
	if (dma_mapping_error(gpt->dev, dma)) {
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

static void drm_gpt_pages_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			       u32 bytes)
{
	unsigned int order = get_order(bytes);
	struct page *page = mem->priv;

	mod_lruvec_page_state(page, NR_SECONDARY_PAGETABLE, -(1 << order));
	dma_unmap_page_attrs(gpt->dev, mem->addr, PAGE_SIZE << order,
			     DMA_BIDIRECTIONAL, DMA_ATTR_REQUIRE_COHERENT);
	__free_pages(page, order);
}

const struct drm_gpt_mem_ops drm_gpt_mem_pages = {
	.alloc = drm_gpt_pages_alloc,
	.free = drm_gpt_pages_free,
};
EXPORT_SYMBOL_GPL(drm_gpt_mem_pages);
