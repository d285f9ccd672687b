// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The IOMMU of Rockchip SoCs, version 2 (RK3568 and later), as the comments of
 * drivers/iommu/rockchip-iommu.c say ("In v2"). 32 bits of VA, two levels of 1024
 * entries of 4 bytes, pages of 4K. An entry has room for 40 bits of address: 31:12
 * where they are, 35:32 in 11:8, 39:36 in 7:4. Bit 3, security, stays clear.
 * Directories hold no leaves.
 */

#include <linux/bitfield.h>
#include <linux/export.h>

#include <drm/drm_gpt_fmt.h>

#include "formats.h"

#define ENTRY_VALID	BIT_ULL(0)
#define ENTRY_READ	BIT_ULL(1)
#define ENTRY_WRITE	BIT_ULL(2)
#define ENTRY_ADDR_39_36	GENMASK_ULL(7, 4)
#define ENTRY_ADDR_35_32	GENMASK_ULL(11, 8)
#define ENTRY_ADDR_31_12	GENMASK_ULL(31, 12)

#define ROCKCHIP_LEAF_BITS							\
	(GENMASK_ULL(39, 12) | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE)

static u64 rockchip_attrs(u64 flags, u8 level)
{
	return ENTRY_VALID | ENTRY_READ |
	       (flags & DRM_GPT_LEAF_WRITE ? ENTRY_WRITE : 0);
}

static u64 rockchip_flags(u64 entry, u8 level)
{
	if (level || !(entry & ENTRY_VALID))
		return 0;
	return DRM_GPT_LEAF_VALID |
	       (entry & ENTRY_WRITE ? DRM_GPT_LEAF_WRITE : 0);
}

static u64 rockchip_addr(u64 addr)
{
	return (addr & ENTRY_ADDR_31_12) |
	       FIELD_PREP(ENTRY_ADDR_35_32, (addr >> 32) & 15) |
	       FIELD_PREP(ENTRY_ADDR_39_36, (addr >> 36) & 15);
}

static u64 rockchip_page(u64 entry)
{
	return (entry & ENTRY_ADDR_31_12) |
	       FIELD_GET(ENTRY_ADDR_35_32, entry) << 32 |
	       FIELD_GET(ENTRY_ADDR_39_36, entry) << 36;
}

static u64 rockchip_table(bool local)
{
	return ENTRY_VALID;
}

static const struct drm_gpt_fmt rockchip_fmt = {
	.shift = 12,
	.bits = 10,
	.entry_shift = 2,
	.leaf_bits = ROCKCHIP_LEAF_BITS,
	.attrs = rockchip_attrs,
	.addr = rockchip_addr,
	.flags = rockchip_flags,
	.page = rockchip_page,
	.table = rockchip_table,
};

DRM_GPT_FMT(rockchip)

const struct drm_gpt_format drm_gpt_format_rockchip_v2 = {
	.name = "rockchip, v2",
	.va_bits = 32,
	.nr_levels = 2,
	.replace_ok = true,
	.leaf_bits = GENMASK_ULL(39, 12) | DRM_GPT_LEAF_VALID |
		     DRM_GPT_LEAF_WRITE,
	.levels = {
		{ .shift = 12, .bits = 10, .entry_shift = 2, .leaf = true },
		{ .shift = 22, .bits = 10, .entry_shift = 2, .table = true },
	},
	DRM_GPT_FMT_FUNCTIONS(rockchip),
};
EXPORT_SYMBOL_GPL(drm_gpt_format_rockchip_v2);
