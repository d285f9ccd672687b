// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The format of vgem_svm: Documentation/gpu/vgem-svm-hw.rst, "Address
 * translation". 57 bits of VA, five levels of 512 entries of 8 bytes. The
 * device reads an entry whole, so one store each is all the order it needs.
 */

#include <linux/bitfield.h>
#include <linux/build_bug.h>
#include <linux/export.h>

#include <drm/drm_gpt_fmt.h>

#define ENTRY_VALID	BIT_ULL(0)
#define ENTRY_WRITE	BIT_ULL(1)
#define ENTRY_ATOMIC	BIT_ULL(2)
#define ENTRY_LEAF	BIT_ULL(3)
#define ENTRY_APERTURE	GENMASK_ULL(5, 4)
#define ENTRY_64K	BIT_ULL(6)
#define ENTRY_NO_EXEC	BIT_ULL(7)
#define ENTRY_UNCACHED	BIT_ULL(8)
#define ENTRY_ADDR	GENMASK_ULL(56, 12)
#define ENTRY_PEER	GENMASK_ULL(60, 57)

/* Of a peer's number entries have four bits of five. */
#define VGEM_SVM_LEAF_BITS							\
	((ENTRY_ADDR & DRM_GPT_LEAF_ADDR) | DRM_GPT_LEAF_RIGHTS |		\
	 DRM_GPT_LEAF_APERTURE | FIELD_PREP_CONST(DRM_GPT_LEAF_PEER_ID, 15))

/* What stands for no memory has the same numbers in both, of aperture and peer. */
static_assert(FIELD_PREP_CONST(DRM_GPT_LEAF_APERTURE, 3) == DRM_GPT_LEAF_NULL);
static_assert(DRM_GPT_LEAF_POISON ==
	      (DRM_GPT_LEAF_NULL | FIELD_PREP_CONST(DRM_GPT_LEAF_PEER_ID, 1)));

/* Rights are the same bits in both. */
#define ENTRY_RIGHTS	(ENTRY_VALID | ENTRY_WRITE | ENTRY_ATOMIC)
static_assert(DRM_GPT_LEAF_VALID == ENTRY_VALID);
static_assert(DRM_GPT_LEAF_WRITE == ENTRY_WRITE);
static_assert(DRM_GPT_LEAF_ATOMIC == ENTRY_ATOMIC);

static u64 vgem_svm_attrs(u64 flags, u8 level)
{
	u64 entry = ENTRY_VALID | ENTRY_LEAF | (flags & ENTRY_RIGHTS);

	entry |= FIELD_PREP(ENTRY_64K, FIELD_GET(DRM_GPT_LEAF_HINT, flags));
	entry |= FIELD_PREP(ENTRY_APERTURE,
			    FIELD_GET(DRM_GPT_LEAF_APERTURE, flags));
	return entry | FIELD_PREP(ENTRY_PEER,
				  FIELD_GET(DRM_GPT_LEAF_PEER_ID, flags));
}

static u64 vgem_svm_flags(u64 entry, u8 level)
{
	u64 flags = entry & ENTRY_RIGHTS;

	if ((entry & (ENTRY_VALID | ENTRY_LEAF)) != (ENTRY_VALID | ENTRY_LEAF))
		return 0;
	flags |= FIELD_PREP(DRM_GPT_LEAF_HINT, FIELD_GET(ENTRY_64K, entry));
	flags |= FIELD_PREP(DRM_GPT_LEAF_APERTURE,
			    FIELD_GET(ENTRY_APERTURE, entry));
	return flags | FIELD_PREP(DRM_GPT_LEAF_PEER_ID,
				  FIELD_GET(ENTRY_PEER, entry));
}

static u64 vgem_svm_addr(u64 addr)
{
	return addr & ENTRY_ADDR;
}

static u64 vgem_svm_table(bool local)
{
	return ENTRY_VALID | FIELD_PREP(ENTRY_APERTURE, local ? 1 : 0);
}

static const struct drm_gpt_fmt vgem_svm_fmt = {
	.shift = 12,
	.bits = 9,
	.entry_shift = 3,
	.leaf_bits = VGEM_SVM_LEAF_BITS,
	.attrs = vgem_svm_attrs,
	.addr = vgem_svm_addr,
	.flags = vgem_svm_flags,
	.page = vgem_svm_addr,
	.table = vgem_svm_table,
};

DRM_GPT_FMT(vgem_svm)

const struct drm_gpt_format drm_gpt_format_vgem_svm = {
	.name = "vgem_svm",
	.va_bits = 57,
	.nr_levels = 5,
	.replace_ok = true,
	.null = true,
	.poison = true,
	.leaf_bits = VGEM_SVM_LEAF_BITS,
	.attr_bits = ENTRY_NO_EXEC | ENTRY_UNCACHED,
	.levels = {
		{ .shift = 12, .bits = 9, .entry_shift = 3, .hint = 4,
		  .leaf = true },
		{ .shift = 21, .bits = 9, .entry_shift = 3, .leaf = true,
		  .table = true },
		{ .shift = 30, .bits = 9, .entry_shift = 3, .leaf = true,
		  .table = true },
		{ .shift = 39, .bits = 9, .entry_shift = 3, .table = true },
		{ .shift = 48, .bits = 9, .entry_shift = 3, .table = true },
	},
	DRM_GPT_FMT_FUNCTIONS(vgem_svm),
};
EXPORT_SYMBOL_GPL(drm_gpt_format_vgem_svm);
