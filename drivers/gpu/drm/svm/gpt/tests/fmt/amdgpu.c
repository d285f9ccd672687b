// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The tables of AMD GPUs from GFX9 on up to GFX11, without "translate further".
 * The bits are those of drivers/gpu/drm/amd/amdgpu/amdgpu_vm.h (AMDGPU_PTE_*,
 * AMDGPU_PDE_PTE); how they go together is what amdgpu_ttm_tt_pde_flags() and
 * amdgpu_vm_ptes_update() do.
 *
 * Memory that is not the GPU's own is SYSTEM and SNOOPED: bus addresses that are
 * coherent with CPUs; that of a peer GPU is reached by bus address too. MTYPE
 * stays 0, the chip's default. EXECUTABLE always, as for compute. FRAG is the
 * log2 of the pages of 4K that an aligned group of equal entries maps: 0, 4 where
 * it has the hint, 9 for a directory's entry that maps 2M. An entry of 0 makes
 * the access fault and be retried. One that is not VALID but PRT reads as zeros; one
 * that is neither, but EXECUTABLE, PDE_PTE and TF, makes the access fault and not be
 * retried (AMDGPU_VM_NORETRY_FLAGS, for compute).
 */

#include <linux/bitfield.h>
#include <linux/export.h>

#include <drm/drm_gpt_fmt.h>

#include "formats.h"

#define ENTRY_VALID	BIT_ULL(0)
#define ENTRY_SYSTEM	BIT_ULL(1)
#define ENTRY_SNOOPED	BIT_ULL(2)
#define ENTRY_EXECUTE	BIT_ULL(4)
#define ENTRY_READ	BIT_ULL(5)
#define ENTRY_WRITE	BIT_ULL(6)
#define ENTRY_FRAG	GENMASK_ULL(11, 7)
#define ENTRY_ADDR	GENMASK_ULL(47, 12)
#define ENTRY_PRT	BIT_ULL(51)
/* Of a directory: maps a page. */
#define ENTRY_PDE_PTE	BIT_ULL(54)
#define ENTRY_TF	BIT_ULL(56)
#define ENTRY_MTYPE	GENMASK_ULL(58, 57)

/* Groups of 64K: log2 of the pages. */
#define AMDGPU_FRAG	4

#define AMDGPU_LEAF_BITS							\
	(ENTRY_ADDR | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE |			\
	 DRM_GPT_LEAF_LOCAL)

/* What of an entry says where the page is. */
static u64 amdgpu_place(u64 flags)
{
	switch (flags & DRM_GPT_LEAF_PLACE) {
	case DRM_GPT_LEAF_NULL:
		return ENTRY_PRT | ENTRY_READ;
	case DRM_GPT_LEAF_POISON:
		return ENTRY_PDE_PTE | ENTRY_TF;
	case DRM_GPT_LEAF_LOCAL:
		return ENTRY_VALID | ENTRY_READ;
	default:
		return ENTRY_VALID | ENTRY_READ | ENTRY_SYSTEM | ENTRY_SNOOPED;
	}
}

static u64 amdgpu_attrs(u64 flags, u8 level)
{
	u64 entry = amdgpu_place(flags) | ENTRY_EXECUTE;

	if (flags & DRM_GPT_LEAF_WRITE)
		entry |= ENTRY_WRITE;
	if (level)
		return entry | ENTRY_PDE_PTE | FIELD_PREP(ENTRY_FRAG, 9);
	if (flags & DRM_GPT_LEAF_HINT)
		entry |= FIELD_PREP(ENTRY_FRAG, AMDGPU_FRAG);
	return entry;
}

static u64 amdgpu_flags(u64 entry, u8 level)
{
	u64 flags = DRM_GPT_LEAF_VALID;

	if (level && !(entry & ENTRY_PDE_PTE))
		return 0;
	if (entry & ENTRY_PRT)
		flags |= DRM_GPT_LEAF_NULL;
	else if (entry & ENTRY_TF)
		flags |= DRM_GPT_LEAF_POISON;
	else if (!(entry & ENTRY_VALID))
		return 0;
	else if (!(entry & ENTRY_SYSTEM))
		flags |= DRM_GPT_LEAF_LOCAL;
	if (entry & ENTRY_WRITE)
		flags |= DRM_GPT_LEAF_WRITE;
	if (!level && FIELD_GET(ENTRY_FRAG, entry) == AMDGPU_FRAG)
		flags |= DRM_GPT_LEAF_HINT;
	return flags;
}

static u64 amdgpu_addr(u64 addr)
{
	return addr & ENTRY_ADDR;
}

static u64 amdgpu_table(bool local)
{
	return ENTRY_VALID | (local ? 0 : ENTRY_SYSTEM | ENTRY_SNOOPED);
}

static const struct drm_gpt_fmt amdgpu_fmt = {
	.shift = 12,
	.bits = 9,
	.entry_shift = 3,
	.leaf_bits = AMDGPU_LEAF_BITS,
	.attrs = amdgpu_attrs,
	.addr = amdgpu_addr,
	.flags = amdgpu_flags,
	.page = amdgpu_addr,
	.table = amdgpu_table,
	.each = true,
};

DRM_GPT_FMT(amdgpu)

const struct drm_gpt_format drm_gpt_format_amdgpu_gfx9 = {
	.name = "amdgpu, GFX9",
	.va_bits = 48,
	.nr_levels = 4,
	.replace_ok = true,
	.null = true,
	.poison = true,
	.leaf_bits = AMDGPU_LEAF_BITS,
	.attr_bits = ENTRY_MTYPE | ENTRY_SNOOPED | ENTRY_EXECUTE,
	.levels = {
		{ .shift = 12, .bits = 9, .entry_shift = 3, .hint = AMDGPU_FRAG,
		  .leaf = true },
		{ .shift = 21, .bits = 9, .entry_shift = 3, .leaf = true,
		  .table = true },
		{ .shift = 30, .bits = 9, .entry_shift = 3, .table = true },
		{ .shift = 39, .bits = 9, .entry_shift = 3, .table = true },
	},
	DRM_GPT_FMT_FUNCTIONS(amdgpu),
};
EXPORT_SYMBOL_GPL(drm_gpt_format_amdgpu_gfx9);
