// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The tables of NVIDIA GPUs from GP100 on up to AD10x, "MMU version 2". The bits
 * are those of NVIDIA's pascal/gp100-mmu-format.pdf (open-gpu-doc) and of
 * NV_MMU_VER2_PTE, _PDE and _DUAL_PDE in dev_mmu.h of gp100
 * (open-gpu-kernel-modules); how they go together is what
 * drivers/gpu/drm/nouveau/nvkm/subdev/mmu/vmmgp100.c does.
 *
 * Memory that is not the GPU's own is SYSTEM_COHERENT and VOL: bus addresses that
 * are coherent with CPUs, of 47 bits; that of a peer GPU is reached by bus address
 * too. Of its own there is room for 128 GiB (ADDRESS_VID); above would be
 * COMPTAGLINE, so leaves with %DRM_GPT_LEAF_LOCAL have addresses below that. KIND
 * is 0, PITCH, unless an attribute says another. An entry of 0 makes the access fault;
 * of a table of big pages, it sends the device to the small ones. One that is not
 * VALID but VOL is sparse: it reads as zeros.
 *
 * An entry of level 1 has 16 bytes, and is one of two things. IS_PTE set in the
 * first half: a page of 2M, and the second half is not looked at. Not set: the
 * first half points to a table of 32 big pages of 64K, the second to one of 512
 * small ones, and each may be missing. The first is what drm_gpt calls the table
 * beside. The device reads 16 bytes at once, the CPU stores them one half after
 * the other; the order is such that what is seen in between is right:
 *
 * - the second half alone is right, since small pages say all;
 * - so it is stored before the first where a table comes in, and after it where
 *   one goes, to a page of 2M or to nothing;
 * - the first half alone is seen only if it is a page of 2M.
 */

#include <linux/bitfield.h>
#include <linux/export.h>

#include <drm/drm_gpt_fmt.h>

#include "formats.h"
#include "../../../drm_svm_planted.h"

/* Of a page; in the first half of 16 bytes, IS_PTE. */
#define PTE_VALID	BIT_ULL(0)
#define PTE_READ_ONLY	BIT_ULL(6)
#define PTE_NO_ATOMIC	BIT_ULL(7)
#define ENTRY_APERTURE	GENMASK_ULL(2, 1)
#define   PTE_VIDEO	FIELD_PREP_CONST(ENTRY_APERTURE, 0)
#define   PDE_VIDEO	FIELD_PREP_CONST(ENTRY_APERTURE, 1)
#define   ENTRY_SYSTEM	FIELD_PREP_CONST(ENTRY_APERTURE, 2)
#define ENTRY_VOL	BIT_ULL(3)
#define PTE_PRIVILEGE	BIT_ULL(5)
#define PTE_KIND	GENMASK_ULL(63, 56)
/* Addresses are shifted; of a table of big pages, aligned to 256, from bit 4 on. */
#define ENTRY_ADDR	GENMASK_ULL(53, 8)
#define ENTRY_ADDR_BIG	GENMASK_ULL(53, 4)
#define ENTRY_SHIFT	4

/* The level whose entries are of 16 bytes. */
#define NVIDIA_DUAL	1
/* log2 of the bytes of a big page. */
#define NVIDIA_BIG	16

#define NVIDIA_LEAF_BITS							\
	(GENMASK_ULL(46, 12) | DRM_GPT_LEAF_RIGHTS | DRM_GPT_LEAF_LOCAL)

static u64 nvidia_attrs(u64 flags, u8 level)
{
	bool null = (flags & DRM_GPT_LEAF_PLACE) == DRM_GPT_LEAF_NULL;
	u64 entry = null ? ENTRY_VOL : PTE_VALID;

	if (!null)
		entry |= flags & DRM_GPT_LEAF_APERTURE ? PTE_VIDEO : ENTRY_SYSTEM | ENTRY_VOL;
	if (!(flags & DRM_GPT_LEAF_WRITE))
		entry |= PTE_READ_ONLY;
	if (!(flags & DRM_GPT_LEAF_ATOMIC))
		entry |= PTE_NO_ATOMIC;
	return entry;
}

static u64 nvidia_flags(u64 entry, u8 level)
{
	u64 flags = DRM_GPT_LEAF_VALID;

	if ((entry & (PTE_VALID | ENTRY_APERTURE | ENTRY_VOL)) == ENTRY_VOL)
		flags |= DRM_GPT_LEAF_NULL;
	else if (!(entry & PTE_VALID))
		return 0;
	else if ((entry & ENTRY_APERTURE) == PTE_VIDEO)
		flags |= DRM_GPT_LEAF_LOCAL;
	if (!(entry & PTE_READ_ONLY))
		flags |= DRM_GPT_LEAF_WRITE;
	if (!(entry & PTE_NO_ATOMIC))
		flags |= DRM_GPT_LEAF_ATOMIC;
	return flags;
}

static u64 nvidia_addr(u64 addr)
{
	return (addr >> ENTRY_SHIFT) & ENTRY_ADDR;
}

static u64 nvidia_page(u64 entry)
{
	return (entry & ENTRY_ADDR) << ENTRY_SHIFT;
}

static u64 nvidia_table(bool local)
{
	return local ? PDE_VIDEO : ENTRY_SYSTEM | ENTRY_VOL;
}

static const struct drm_gpt_fmt nvidia_fmt = {
	.shift = 12,
	.bits = 9,
	.entry_shift = 3,
	.leaf_bits = NVIDIA_LEAF_BITS,
	.clear = { PTE_READ_ONLY | PTE_NO_ATOMIC, PTE_READ_ONLY | PTE_NO_ATOMIC },
	.attrs = nvidia_attrs,
	.addr = nvidia_addr,
	.flags = nvidia_flags,
	.page = nvidia_page,
	.table = nvidia_table,
	.each = true,
};

/* ---- entries of 16 bytes --------------------------------------------------- */

static void nvidia_store_page(__le64 *pair, u64 page)
{
	drm_gpt_store64(pair, page);
	dma_wmb(); /* a page before there is no table */
	drm_gpt_store64(pair + 1, 0);
}

static void nvidia_store_tables(__le64 *pair, const struct drm_gpt_target *to)
{
	u64 big = 0;

	if (to->beside)
		big = nvidia_table(to->beside_local) |
		      ((to->beside >> ENTRY_SHIFT) & ENTRY_ADDR_BIG);
	if (drm_gpt_planted(DRM_GPT_PLANTED_DUAL_ORDER)) {
		drm_gpt_store64(pair, big);
		dma_wmb(); /* as the bug has it */
	}
	drm_gpt_store64(pair + 1, nvidia_addr(to->addr) | nvidia_table(to->local));
	dma_wmb(); /* small pages say all, big ones do not */
	drm_gpt_store64(pair, big);
}

static void nvidia_clear_pairs(__le64 *pair, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		drm_gpt_store64(pair + 2 * i, 0);
	dma_wmb(); /* as in nvidia_store_tables() */
	for (i = 0; i < n; i++)
		drm_gpt_store64(pair + 2 * i + 1, 0);
}

/* ---- what drm_gpt calls ---------------------------------------------------- */

static u32 nvidia_fill_leaves(const struct drm_gpt *gpt, void *dst, u8 level,
			      const u64 *leaves, u32 n)
{
	__le64 *pair = dst, page;
	u32 i;

	if (level != NVIDIA_DUAL)
		return drm_gpt_fmt_fill_leaves(gpt, &nvidia_fmt, dst, level, leaves,
					       n);
	for (i = 0; i < n; i++) {
		if (!drm_gpt_fmt_fill_leaves(gpt, &nvidia_fmt, &page, level,
					     leaves + i, 1))
			break;
		nvidia_store_page(pair + 2 * i, le64_to_cpu(page));
	}
	return i;
}

static void nvidia_fill_seq(const struct drm_gpt *gpt, void *dst, u8 level, u64 leaf,
			    u32 n)
{
	u64 attrs = drm_gpt_fmt_attrs(gpt, &nvidia_fmt, leaf & DRM_GPT_LEAF_FLAGS,
				      level);
	__le64 *pair = dst;

	if (level != NVIDIA_DUAL) {
		drm_gpt_fmt_fill_seq(gpt, &nvidia_fmt, dst, level, leaf, n);
		return;
	}
	for (; n--; pair += 2, leaf += 1ULL << (nvidia_fmt.shift + nvidia_fmt.bits))
		nvidia_store_page(pair, nvidia_addr(leaf & DRM_GPT_LEAF_ADDR) | attrs);
}

static void nvidia_fill_empty(const struct drm_gpt *gpt, void *dst, u8 level, u32 n)
{
	if (level == NVIDIA_DUAL)
		nvidia_clear_pairs(dst, n);
	else
		drm_gpt_fmt_fill_empty(&nvidia_fmt, dst, n);
}

static void nvidia_fill_table(const struct drm_gpt *gpt, void *dst, u8 level,
			      const struct drm_gpt_target *to)
{
	if (level == NVIDIA_DUAL)
		nvidia_store_tables(dst, to);
	else
		drm_gpt_store64(dst, nvidia_addr(to->addr) | nvidia_table(to->local));
}

/* Big pages are small ones that are aligned better. */
static void nvidia_fill_beside(const struct drm_gpt *gpt, void *dst, u64 leaf, u32 n)
{
	u64 attrs = drm_gpt_fmt_attrs(gpt, &nvidia_fmt, leaf & DRM_GPT_LEAF_FLAGS, 0);
	__le64 *entry = dst;

	if (!leaf) {
		drm_gpt_fmt_fill_empty(&nvidia_fmt, dst, n);
		return;
	}
	for (; n--; entry++, leaf += 1ULL << NVIDIA_BIG)
		drm_gpt_store64(entry, nvidia_addr(leaf & DRM_GPT_LEAF_ADDR) | attrs);
}

/* Of 16 bytes, the first half says whether it is a page, and which. */
static u64 nvidia_decode(const struct drm_gpt *gpt, const void *src, u8 level)
{
	return drm_gpt_fmt_decode(gpt, &nvidia_fmt, src, level);
}

static u64 nvidia_common(const struct drm_gpt *gpt, const void *src, u8 level, u32 n)
{
	u64 flags = DRM_GPT_LEAF_RIGHTS;
	u32 i;

	if (!level)
		return drm_gpt_fmt_common(&nvidia_fmt, src, level, n);
	for (i = 0; i < n; i++)
		flags &= nvidia_flags(drm_gpt_load64((const __le64 *)src + 2 * i), level);
	return flags;
}

const struct drm_gpt_format drm_gpt_format_nvidia_gp100 = {
	.name = "nvidia_gp100",
	.va_bits = 49,
	.nr_levels = 5,
	.replace_ok = true,
	/* PAGE_DIR_BASE has no bits below 12. */
	.root_bytes = 4096,
	.null = true,
	.leaf_bits = NVIDIA_LEAF_BITS,
	.attr_bits = PTE_KIND | PTE_PRIVILEGE,
	.levels = {
		{ .shift = 12, .bits = 9, .entry_shift = 3, .hint = 4,
		  .leaf = true, .beside = true },
		{ .shift = 21, .bits = 8, .entry_shift = 4, .leaf = true,
		  .table = true },
		{ .shift = 29, .bits = 9, .entry_shift = 3, .table = true },
		{ .shift = 38, .bits = 9, .entry_shift = 3, .table = true },
		{ .shift = 47, .bits = 2, .entry_shift = 3, .table = true },
	},
	.fill_leaves = nvidia_fill_leaves,
	.fill_seq = nvidia_fill_seq,
	.fill_empty = nvidia_fill_empty,
	.fill_table = nvidia_fill_table,
	.fill_beside = nvidia_fill_beside,
	.decode = nvidia_decode,
	.common = nvidia_common,
};
EXPORT_SYMBOL_GPL(drm_gpt_format_nvidia_gp100);
