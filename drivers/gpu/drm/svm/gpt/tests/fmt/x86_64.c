// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The tables of x86-64 CPUs, as IOMMUs walk them too for devices: Intel SDM
 * volume 3A, section 4.5 "4-Level Paging and 5-Level Paging"; AMD64 APM volume 2,
 * section 5.3 "Long-Mode Page Translation"; Intel VT-d, section 9.7 "First-Stage
 * Paging Entries"; AMD IOMMU, section 2.2.6 "I/O Page Tables for Guest
 * Translations".
 *
 * A mapping gives the bytes that drivers/iommu/generic_pt/fmt/x86_64.h gives it:
 * U, as devices are no supervisors; A, and D where they may write, so that
 * nobody has to set them in memory; PAT, PCD and PWT 0, write-back; XD clear. PCD,
 * PWT and XD are for attributes; PAT is not, which moves with the level.
 * Atomics go where writes go.
 *
 * The device is taken to extend addresses with zeros. One that wants them
 * canonical has half as much VA, and its driver keeps to that.
 */

#include <linux/export.h>

#include <drm/drm_gpt_fmt.h>

#include "formats.h"

#define ENTRY_P		BIT_ULL(0)
#define ENTRY_RW	BIT_ULL(1)
#define ENTRY_US	BIT_ULL(2)
#define ENTRY_PWT	BIT_ULL(3)
#define ENTRY_PCD	BIT_ULL(4)
#define ENTRY_A		BIT_ULL(5)
#define ENTRY_D		BIT_ULL(6)
/* Above level 0: maps a page. On level 0 the bit is PAT. */
#define ENTRY_PS	BIT_ULL(7)
#define ENTRY_ADDR	GENMASK_ULL(51, 12)
#define ENTRY_XD	BIT_ULL(63)

#define X86_64_ATTR_BITS	(ENTRY_PWT | ENTRY_PCD | ENTRY_XD)

#define X86_64_LEAF_BITS							\
	(ENTRY_ADDR | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE)

static u64 x86_64_attrs(u64 flags, u8 level)
{
	u64 entry = ENTRY_P | ENTRY_US | ENTRY_A;

	if (flags & DRM_GPT_LEAF_WRITE)
		entry |= ENTRY_RW | ENTRY_D;
	return level ? entry | ENTRY_PS : entry;
}

static u64 x86_64_flags(u64 entry, u8 level)
{
	if (!(entry & ENTRY_P) || (level && !(entry & ENTRY_PS)))
		return 0;
	return DRM_GPT_LEAF_VALID | (entry & ENTRY_RW ? DRM_GPT_LEAF_WRITE : 0);
}

static u64 x86_64_addr(u64 addr)
{
	return addr & ENTRY_ADDR;
}

static u64 x86_64_table(bool local)
{
	return ENTRY_P | ENTRY_RW | ENTRY_US | ENTRY_A;
}

static const struct drm_gpt_fmt x86_64_fmt = {
	.shift = 12,
	.bits = 9,
	.entry_shift = 3,
	.leaf_bits = X86_64_LEAF_BITS,
	.attrs = x86_64_attrs,
	.addr = x86_64_addr,
	.flags = x86_64_flags,
	.page = x86_64_addr,
	.table = x86_64_table,
};

DRM_GPT_FMT(x86_64)

const struct drm_gpt_format drm_gpt_format_x86_64 = {
	.name = "x86_64",
	.va_bits = 48,
	.nr_levels = 4,
	.replace_ok = true,
	.leaf_bits = X86_64_LEAF_BITS,
	.attr_bits = X86_64_ATTR_BITS,
	.levels = {
		{ .shift = 12, .bits = 9, .entry_shift = 3, .leaf = true },
		{ .shift = 21, .bits = 9, .entry_shift = 3, .leaf = true,
		  .table = true },
		{ .shift = 30, .bits = 9, .entry_shift = 3, .leaf = true,
		  .table = true },
		{ .shift = 39, .bits = 9, .entry_shift = 3, .table = true },
	},
	DRM_GPT_FMT_FUNCTIONS(x86_64),
};
EXPORT_SYMBOL_GPL(drm_gpt_format_x86_64);

const struct drm_gpt_format drm_gpt_format_x86_64_la57 = {
	.name = "x86_64, 5 levels",
	.va_bits = 57,
	.nr_levels = 5,
	.replace_ok = true,
	.leaf_bits = X86_64_LEAF_BITS,
	.attr_bits = X86_64_ATTR_BITS,
	.levels = {
		{ .shift = 12, .bits = 9, .entry_shift = 3, .leaf = true },
		{ .shift = 21, .bits = 9, .entry_shift = 3, .leaf = true,
		  .table = true },
		{ .shift = 30, .bits = 9, .entry_shift = 3, .leaf = true,
		  .table = true },
		{ .shift = 39, .bits = 9, .entry_shift = 3, .table = true },
		{ .shift = 48, .bits = 9, .entry_shift = 3, .table = true },
	},
	DRM_GPT_FMT_FUNCTIONS(x86_64),
};
EXPORT_SYMBOL_GPL(drm_gpt_format_x86_64_la57);
