// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Arm's long descriptors, stage 1, with granules of 4K, 16K and 64K, as SMMUs
 * walk them for devices: Arm ARM (DDI 0487), chapter D8 "The AArch64 Virtual
 * Memory System Architecture", sections "Translation table descriptor formats",
 * "Memory access control", "Memory region attributes", "The Contiguous bit" and
 * "Using break-before-make when updating translation table entries".
 *
 * 48 bits on either side. Attributes are those that drivers/iommu/io-pgtable-arm.c
 * chooses for a device that is coherent: nG, so that ASIDs tell translations
 * apart; AF set, so that there is no access flag fault; inner shareable;
 * attribute 1, which its MAIR says is write-back (ARM_LPAE_MAIR_ATTR_IDX_CACHE);
 * AP[1], as devices are unprivileged; AP[2] where they may not write. Hardware
 * keeps no dirty state; execution is not forbidden. Atomics go where writes go.
 * Another index, or PXN and UXN, are for attributes.
 *
 * Neither an address nor a size may change without break-before-make.
 */

#include <linux/bitfield.h>
#include <linux/export.h>

#include <drm/drm_gpt_fmt.h>

#include "formats.h"

#define ENTRY_VALID	BIT_ULL(0)
/* On level 0: maps a page. Above: points to a table. */
#define ENTRY_TYPE	BIT_ULL(1)
#define ENTRY_ATTRINDX	GENMASK_ULL(4, 2)
#define ENTRY_AP_UNPRIV	BIT_ULL(6)
#define ENTRY_AP_RDONLY	BIT_ULL(7)
#define ENTRY_SH	GENMASK_ULL(9, 8)
#define   ENTRY_SH_INNER	FIELD_PREP_CONST(ENTRY_SH, 3)
#define ENTRY_AF	BIT_ULL(10)
#define ENTRY_NG	BIT_ULL(11)
#define ENTRY_ADDR	GENMASK_ULL(47, 12)
#define ENTRY_CONTIG	BIT_ULL(52)
#define ENTRY_XN	GENMASK_ULL(54, 53)

#define LPAE_ATTR_BITS	(ENTRY_ATTRINDX | ENTRY_XN)

static u64 lpae_attrs(u64 flags, u8 level)
{
	u64 entry = ENTRY_VALID | FIELD_PREP(ENTRY_ATTRINDX, 1) |
		    ENTRY_AP_UNPRIV | ENTRY_SH_INNER | ENTRY_AF | ENTRY_NG;

	if (!(flags & DRM_GPT_LEAF_WRITE))
		entry |= ENTRY_AP_RDONLY;
	if (flags & DRM_GPT_LEAF_HINT)
		entry |= ENTRY_CONTIG;
	return level ? entry : entry | ENTRY_TYPE;
}

static u64 lpae_flags(u64 entry, u8 level)
{
	u64 type = level ? ENTRY_VALID : ENTRY_VALID | ENTRY_TYPE;
	u64 flags = DRM_GPT_LEAF_VALID;

	if ((entry & (ENTRY_VALID | ENTRY_TYPE)) != type)
		return 0;
	if (!(entry & ENTRY_AP_RDONLY))
		flags |= DRM_GPT_LEAF_WRITE;
	if (entry & ENTRY_CONTIG)
		flags |= DRM_GPT_LEAF_HINT;
	return flags;
}

static u64 lpae_addr(u64 addr)
{
	return addr & ENTRY_ADDR;
}

static u64 lpae_table(bool local)
{
	return ENTRY_VALID | ENTRY_TYPE;
}

#define LPAE_LEAF_BITS(lg2)							\
	(GENMASK_ULL(47, lg2) | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE)

/* The granules differ in geometry alone. */
#define LPAE_FMT(lg2)								\
	.shift = (lg2),								\
	.bits = (lg2) - 3,							\
	.entry_shift = 3,							\
	.leaf_bits = LPAE_LEAF_BITS(lg2),					\
	.clear = { ENTRY_AP_RDONLY, ENTRY_AP_RDONLY | ENTRY_TYPE },		\
	.attrs = lpae_attrs,							\
	.addr = lpae_addr,							\
	.flags = lpae_flags,							\
	.page = lpae_addr,							\
	.table = lpae_table

static const struct drm_gpt_fmt lpae_4k_fmt = { LPAE_FMT(12) };
static const struct drm_gpt_fmt lpae_16k_fmt = { LPAE_FMT(14) };
static const struct drm_gpt_fmt lpae_64k_fmt = { LPAE_FMT(16) };

DRM_GPT_FMT(lpae_4k)
DRM_GPT_FMT(lpae_16k)
DRM_GPT_FMT(lpae_64k)

const struct drm_gpt_format drm_gpt_format_lpae_4k = {
	.name = "lpae, 4K",
	.va_bits = 48,
	.nr_levels = 4,
	.replace_ok = false,
	.leaf_bits = LPAE_LEAF_BITS(12),
	.attr_bits = LPAE_ATTR_BITS,
	.levels = {
		{ .shift = 12, .bits = 9, .entry_shift = 3, .hint = 4,
		  .leaf = true },
		{ .shift = 21, .bits = 9, .entry_shift = 3, .hint = 4,
		  .leaf = true, .table = true },
		{ .shift = 30, .bits = 9, .entry_shift = 3, .hint = 4,
		  .leaf = true, .table = true },
		{ .shift = 39, .bits = 9, .entry_shift = 3, .table = true },
	},
	DRM_GPT_FMT_FUNCTIONS(lpae_4k),
};
EXPORT_SYMBOL_GPL(drm_gpt_format_lpae_4k);

const struct drm_gpt_format drm_gpt_format_lpae_16k = {
	.name = "lpae, 16K",
	.va_bits = 48,
	.nr_levels = 4,
	.replace_ok = false,
	.leaf_bits = LPAE_LEAF_BITS(14),
	.attr_bits = LPAE_ATTR_BITS,
	.levels = {
		{ .shift = 14, .bits = 11, .entry_shift = 3, .hint = 7,
		  .leaf = true },
		{ .shift = 25, .bits = 11, .entry_shift = 3, .hint = 5,
		  .leaf = true, .table = true },
		{ .shift = 36, .bits = 11, .entry_shift = 3, .table = true },
		{ .shift = 47, .bits = 1, .entry_shift = 3, .table = true },
	},
	DRM_GPT_FMT_FUNCTIONS(lpae_16k),
};
EXPORT_SYMBOL_GPL(drm_gpt_format_lpae_16k);

const struct drm_gpt_format drm_gpt_format_lpae_64k = {
	.name = "lpae, 64K",
	.va_bits = 48,
	.nr_levels = 3,
	.replace_ok = false,
	.leaf_bits = LPAE_LEAF_BITS(16),
	.attr_bits = LPAE_ATTR_BITS,
	.levels = {
		{ .shift = 16, .bits = 13, .entry_shift = 3, .hint = 5,
		  .leaf = true },
		{ .shift = 29, .bits = 13, .entry_shift = 3, .hint = 5,
		  .leaf = true, .table = true },
		{ .shift = 42, .bits = 6, .entry_shift = 3, .table = true },
	},
	DRM_GPT_FMT_FUNCTIONS(lpae_64k),
};
EXPORT_SYMBOL_GPL(drm_gpt_format_lpae_64k);
