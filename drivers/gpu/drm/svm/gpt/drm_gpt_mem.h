/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_MEM_H_
#define _DRM_GPT_MEM_H_

#include <linux/dma-mapping.h>

#include <drm/drm_gpt.h>

/* A device that has to snoop is refused if it does not. */
static inline unsigned long drm_gpt_page_attrs(enum dma_data_direction dir)
{
	return dir == DMA_BIDIRECTIONAL ? DMA_ATTR_REQUIRE_COHERENT : 0;
}

int drm_gpt_page_alloc(struct device *dev, struct drm_gpt_mem *mem,
		       unsigned int order, gfp_t gfp, enum dma_data_direction dir);
void drm_gpt_page_free(struct device *dev, const struct drm_gpt_mem *mem,
		       unsigned int order, enum dma_data_direction dir);

#endif /* _DRM_GPT_MEM_H_ */
