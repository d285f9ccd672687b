// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The format of vgem_svm: Documentation/gpu/vgem-svm-hw.rst, "Address
 * translation". 57 bits of VA, five levels of 512 entries of 8 bytes. The
 * device reads an entry whole, so one store each is all the order it needs.
 */

#include <linux/bitfield.h>
#include <linux/export.h>

#include <drm/drm_gpt.h>

#define ENTRY_VALID	BIT_ULL(0)
#define ENTRY_WRITE	BIT_ULL(1)
#define ENTRY_ATOMIC	BIT_ULL(2)
#define ENTRY_LEAF	BIT_ULL(3)
#define ENTRY_APERTURE	GENMASK_ULL(5, 4)
#define ENTRY_ADDR	GENMASK_ULL(56, 12)
#define ENTRY_PEER	GENMASK_ULL(60, 57)

static u64 vgem_svm_leaf(u64 leaf)
{
	u64 entry = ENTRY_VALID | ENTRY_LEAF | (leaf & ENTRY_ADDR);

	if (leaf & DRM_GPT_LEAF_WRITE)
		entry |= ENTRY_WRITE;
	if (leaf & DRM_GPT_LEAF_ATOMIC)
		entry |= ENTRY_ATOMIC;
	entry |= FIELD_PREP(ENTRY_APERTURE,
			    FIELD_GET(DRM_GPT_LEAF_APERTURE, leaf));
	return entry | FIELD_PREP(ENTRY_PEER,
				  FIELD_GET(DRM_GPT_LEAF_PEER_ID, leaf));
}

static void vgem_svm_fill_leaves(void *dst, u8 level, const u64 *leaves, u32 n)
{
	__le64 *entry = dst;
	u32 i;

	for (i = 0; i < n; i++)
		WRITE_ONCE(entry[i], cpu_to_le64(vgem_svm_leaf(leaves[i])));
}

static void vgem_svm_fill_seq(void *dst, u8 level, u64 leaf, u32 n)
{
	u64 step = 1ULL << (12 + 9 * level), value = vgem_svm_leaf(leaf);
	__le64 *entry = dst;
	u32 i;

	for (i = 0; i < n; i++, value += step)
		WRITE_ONCE(entry[i], cpu_to_le64(value));
}

static void vgem_svm_fill_empty(void *dst, u8 level, u32 n)
{
	__le64 *entry = dst;
	u32 i;

	for (i = 0; i < n; i++)
		WRITE_ONCE(entry[i], 0);
}

static void vgem_svm_fill_table(void *dst, u8 level, u64 addr, bool local)
{
	u64 value = ENTRY_VALID | (addr & ENTRY_ADDR) |
		    FIELD_PREP(ENTRY_APERTURE, local ? 1 : 0);

	WRITE_ONCE(*(__le64 *)dst, cpu_to_le64(value));
}

static u64 vgem_svm_decode(const void *src, u8 level)
{
	u64 entry = le64_to_cpu(READ_ONCE(*(const __le64 *)src));
	u64 leaf;

	if ((entry & (ENTRY_VALID | ENTRY_LEAF)) != (ENTRY_VALID | ENTRY_LEAF))
		return 0;
	leaf = DRM_GPT_LEAF_VALID | (entry & ENTRY_ADDR);
	if (entry & ENTRY_WRITE)
		leaf |= DRM_GPT_LEAF_WRITE;
	if (entry & ENTRY_ATOMIC)
		leaf |= DRM_GPT_LEAF_ATOMIC;
	leaf |= FIELD_PREP(DRM_GPT_LEAF_APERTURE,
			   FIELD_GET(ENTRY_APERTURE, entry));
	return leaf | FIELD_PREP(DRM_GPT_LEAF_PEER_ID,
				 FIELD_GET(ENTRY_PEER, entry));
}

const struct drm_gpt_format drm_gpt_format_vgem_svm = {
	.name = "vgem_svm",
	.va_bits = 57,
	.nr_levels = 5,
	.levels = {
		{ .shift = 12, .bits = 9, .entry_shift = 3, .leaf = true },
		{ .shift = 21, .bits = 9, .entry_shift = 3, .leaf = true,
		  .table = true },
		{ .shift = 30, .bits = 9, .entry_shift = 3, .leaf = true,
		  .table = true },
		{ .shift = 39, .bits = 9, .entry_shift = 3, .table = true },
		{ .shift = 48, .bits = 9, .entry_shift = 3, .table = true },
	},
	.fill_leaves = vgem_svm_fill_leaves,
	.fill_seq = vgem_svm_fill_seq,
	.fill_empty = vgem_svm_fill_empty,
	.fill_table = vgem_svm_fill_table,
	.decode = vgem_svm_decode,
};
EXPORT_SYMBOL_GPL(drm_gpt_format_vgem_svm);
