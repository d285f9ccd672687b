// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The format of vgem_svm: Documentation/gpu/vgem-svm-hw.rst, "Address
 * translation". 57 bits of VA, five levels of 512 entries of 8 bytes. The
 * device reads an entry whole, so one store each is all the order it needs.
 */

#include <linux/bitfield.h>
#include <linux/export.h>
#include <linux/string.h>
#include <linux/unroll.h>

#include <drm/drm_gpt.h>

#define ENTRY_VALID	BIT_ULL(0)
#define ENTRY_WRITE	BIT_ULL(1)
#define ENTRY_ATOMIC	BIT_ULL(2)
#define ENTRY_LEAF	BIT_ULL(3)
#define ENTRY_APERTURE	GENMASK_ULL(5, 4)
#define ENTRY_64K	BIT_ULL(6)
#define ENTRY_ADDR	GENMASK_ULL(56, 12)
#define ENTRY_PEER	GENMASK_ULL(60, 57)

/* All of an entry but the address. */
static u64 vgem_svm_attrs(u64 leaf)
{
	u64 entry = ENTRY_VALID | ENTRY_LEAF;

	if (leaf & DRM_GPT_LEAF_WRITE)
		entry |= ENTRY_WRITE;
	if (leaf & DRM_GPT_LEAF_ATOMIC)
		entry |= ENTRY_ATOMIC;
	if (leaf & DRM_GPT_LEAF_HINT)
		entry |= ENTRY_64K;
	entry |= FIELD_PREP(ENTRY_APERTURE,
			    FIELD_GET(DRM_GPT_LEAF_APERTURE, leaf));
	return entry | FIELD_PREP(ENTRY_PEER,
				  FIELD_GET(DRM_GPT_LEAF_PEER_ID, leaf));
}

/* Neighbours mostly differ in the address alone. */
static u32 vgem_svm_fill_leaves(void *dst, u8 level, const u64 *leaves, u32 n)
{
	u64 flags = U64_MAX, attrs = 0;
	__le64 *entry = dst;
	u32 i;

	unrolled_count(4)
	for (i = 0; i < n; i++) {
		u64 leaf = leaves[i];

		if (unlikely((leaf & DRM_GPT_LEAF_FLAGS) != flags)) {
			if (!(leaf & DRM_GPT_LEAF_VALID))
				break;
			flags = leaf & DRM_GPT_LEAF_FLAGS;
			attrs = vgem_svm_attrs(flags);
		}
		WRITE_ONCE(entry[i], cpu_to_le64((leaf & ENTRY_ADDR) | attrs));
	}
	return i;
}

static void vgem_svm_fill_seq(void *dst, u8 level, u64 leaf, u32 n)
{
	u64 step = 1ULL << (12 + 9 * level), value;
	__le64 *entry = dst;
	u32 i;

	value = (leaf & ENTRY_ADDR) | vgem_svm_attrs(leaf);
	unrolled_count(8)
	for (i = 0; i < n; i++, value += step)
		WRITE_ONCE(entry[i], cpu_to_le64(value));
}

static void vgem_svm_fill_empty(void *dst, u8 level, u32 n)
{
	/* By words of 64 bits, on every machine. */
	memset64(dst, 0, n);
}

static void vgem_svm_fill_table(void *dst, u8 level, u64 addr, bool local)
{
	u64 value = ENTRY_VALID | (addr & ENTRY_ADDR) |
		    FIELD_PREP(ENTRY_APERTURE, local ? 1 : 0);

	WRITE_ONCE(*(__le64 *)dst, cpu_to_le64(value));
}

static u64 vgem_svm_flags(u64 entry)
{
	u64 leaf = DRM_GPT_LEAF_VALID;

	if ((entry & (ENTRY_VALID | ENTRY_LEAF)) != (ENTRY_VALID | ENTRY_LEAF))
		return 0;
	if (entry & ENTRY_WRITE)
		leaf |= DRM_GPT_LEAF_WRITE;
	if (entry & ENTRY_ATOMIC)
		leaf |= DRM_GPT_LEAF_ATOMIC;
	if (entry & ENTRY_64K)
		leaf |= DRM_GPT_LEAF_HINT;
	leaf |= FIELD_PREP(DRM_GPT_LEAF_APERTURE,
			   FIELD_GET(ENTRY_APERTURE, entry));
	return leaf | FIELD_PREP(DRM_GPT_LEAF_PEER_ID,
				 FIELD_GET(ENTRY_PEER, entry));
}

static u64 vgem_svm_decode(const void *src, u8 level)
{
	u64 entry = le64_to_cpu(READ_ONCE(*(const __le64 *)src));
	u64 flags = vgem_svm_flags(entry);

	return flags ? flags | (entry & ENTRY_ADDR) : 0;
}

static u64 vgem_svm_common(const void *src, u8 level, u32 n)
{
	const u64 all = ENTRY_VALID | ENTRY_LEAF | ENTRY_WRITE | ENTRY_ATOMIC;
	const __le64 *entry = src;
	u64 common = all;

	while (n--)
		common &= le64_to_cpu(READ_ONCE(entry[n]));
	return vgem_svm_flags(common);
}

const struct drm_gpt_format drm_gpt_format_vgem_svm = {
	.name = "vgem_svm",
	.va_bits = 57,
	.nr_levels = 5,
	.replace_ok = true,
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
	.fill_leaves = vgem_svm_fill_leaves,
	.fill_seq = vgem_svm_fill_seq,
	.fill_empty = vgem_svm_fill_empty,
	.fill_table = vgem_svm_fill_table,
	.decode = vgem_svm_decode,
	.common = vgem_svm_common,
};
EXPORT_SYMBOL_GPL(drm_gpt_format_vgem_svm);
