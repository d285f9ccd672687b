// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the devices of the tests read in their tables, written down a second time
 * from the manuals that the formats name; and the toy, which is only here.
 */

#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/string.h>

#include <drm/drm_gpt_fmt.h>

#include "drm_gpt_test_hw.h"

static u64 test_load64(const void *entry)
{
	return le64_to_cpu(READ_ONCE(*(const __le64 *)entry));
}

#define TEST_ATTRS(list)	.attrs = (list), .nr_attrs = ARRAY_SIZE(list)

/* ---- vgem_svm ----------------------------------------------------------- */

/* NO_EXEC, UNCACHED, both. */
static const struct drm_gpt_attr test_attrs_vgem_svm[] = {
	{}, { .set = BIT(7) }, { .set = BIT(8) }, { .set = BIT(7) | BIT(8) },
};

/* As in Documentation/gpu/vgem-svm-hw.rst, written down a second time. */
static void test_decode_vgem_svm(const void *entry, u8 level,
				 struct test_pte *pte)
{
	u64 value = test_load64(entry);

	pte->valid = value & 1;
	pte->leaf = value & 8;
	pte->local = ((value >> 4) & 3) == 1;
	pte->hint = value & BIT(6);
	pte->addr = value & GENMASK_ULL(56, 12);
	pte->flags = DRM_GPT_LEAF_VALID | (value & 2 ? DRM_GPT_LEAF_WRITE : 0) |
		     (value & 4 ? DRM_GPT_LEAF_ATOMIC : 0) |
		     ((value >> 4) & 3) << 3 | ((value >> 57) & 15) << 5 |
		     TEST_ATTR((value >> 7) & 3);
}

const struct test_geometry test_geometry_vgem_svm = {
	.name = "vgem_svm",
	.format = &drm_gpt_format_vgem_svm,
	.page_shift = 12,
	.levels = 5,
	.bits = { 9, 9, 9, 9, 9 },
	.hint = { 4 },
	.entry_bytes = { 8, 8, 8, 8, 8 },
	.has_local = true,
	TEST_ATTRS(test_attrs_vgem_svm),
	.decode = test_decode_vgem_svm,
};

/* ---- toy ---------------------------------------------------------------- */

/*
 * A device that nobody would build: 24 bits of VA, three levels of 16 entries;
 * 4 bytes each on the lowest, 16 bytes above. Small tables make for many
 * borders, and sizes other than 8 go other ways. A variant has groups of 4 on the
 * two levels with leaves.
 *
 * 4 bytes:  valid 0, write 1, atomic 2, group 3, page 31:4
 * 16 bytes: valid 0, leaf 1, write 2, atomic 3, group 4; the address is the second
 *	     half
 */
#define TEST_TOY_LEAF_BITS	(GENMASK_ULL(39, 12) | DRM_GPT_LEAF_RIGHTS)

static u32 test_toy_small(u64 leaf)
{
	return 1 | (leaf & DRM_GPT_LEAF_WRITE ? 2 : 0) |
	       (leaf & DRM_GPT_LEAF_ATOMIC ? 4 : 0) |
	       (leaf & DRM_GPT_LEAF_HINT ? 8 : 0) | (leaf >> 12) << 4;
}

static void test_toy_store(void *dst, u8 level, u32 i, u64 leaf)
{
	u64 *wide = (u64 *)dst + i * 2;

	if (!level) {
		WRITE_ONCE(((u32 *)dst)[i], test_toy_small(leaf));
		return;
	}
	WRITE_ONCE(wide[1], leaf & DRM_GPT_LEAF_ADDR);
	smp_wmb(); /* the address before the valid bit, as the manual says */
	WRITE_ONCE(wide[0], 3 | (leaf & DRM_GPT_LEAF_WRITE ? 4 : 0) |
			    (leaf & DRM_GPT_LEAF_ATOMIC ? 8 : 0) |
			    (leaf & DRM_GPT_LEAF_HINT ? 16 : 0));
}

static u32 test_toy_fill_leaves(const struct drm_gpt *gpt, void *dst, u8 level,
				const u64 *leaves, u32 n)
{
	u64 lost = ~TEST_TOY_LEAF_BITS;
	u64 step = 1ULL << (12 + 4 * level);
	u32 i;

	for (i = 0; i < n && (leaves[i] & DRM_GPT_LEAF_VALID); i++) {
		if (leaves[i] & (lost | (DRM_GPT_LEAF_ADDR & (step - 1))))
			break;
		test_toy_store(dst, level, i, leaves[i]);
	}
	return i;
}

static void test_toy_fill_seq(const struct drm_gpt *gpt, void *dst, u8 level, u64 leaf,
			      u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		test_toy_store(dst, level, i, leaf + ((u64)i << (12 + 4 * level)));
}

static void test_toy_fill_empty(const struct drm_gpt *gpt, void *dst, u8 level, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		if (level)
			WRITE_ONCE(((u64 *)dst)[i * 2], 0);
		else
			WRITE_ONCE(((u32 *)dst)[i], 0);
	}
}

static void test_toy_fill_table(const struct drm_gpt *gpt, void *dst, u8 level,
				const struct drm_gpt_target *to)
{
	WRITE_ONCE(((u64 *)dst)[1], to->addr);
	smp_wmb(); /* as above */
	WRITE_ONCE(((u64 *)dst)[0], 1);
}

static void test_decode_toy(const void *entry, u8 level, struct test_pte *pte)
{
	u64 value = level ? READ_ONCE(*(const u64 *)entry) :
			    READ_ONCE(*(const u32 *)entry);

	pte->valid = value & 1;
	pte->local = false;
	pte->hint = value & (level ? 16 : 8);
	pte->leaf = !level || value & 2;
	pte->addr = level ? READ_ONCE(((const u64 *)entry)[1]) : value >> 4 << 12;
	value >>= level ? 2 : 1;
	pte->flags = DRM_GPT_LEAF_VALID | (value & 1 ? DRM_GPT_LEAF_WRITE : 0) |
		     (value & 2 ? DRM_GPT_LEAF_ATOMIC : 0);
}

static u64 test_toy_leaf(const void *src, u8 level)
{
	struct test_pte pte;

	test_decode_toy(src, level, &pte);
	if (!pte.valid || !pte.leaf)
		return 0;
	return pte.addr | pte.flags | (pte.hint ? DRM_GPT_LEAF_HINT : 0);
}

/* For who has no lock: not the halves of two entries, and twice the same. */
static u64 test_toy_decode(const struct drm_gpt *gpt, const void *src, u8 level)
{
	u64 leaf, again = test_toy_leaf(src, level);

	do {
		leaf = again;
		smp_rmb(); /* a second look is a later one */
		again = test_toy_leaf(src, level);
	} while (level && again != leaf);
	return leaf;
}

static u64 test_toy_common(const struct drm_gpt *gpt, const void *src, u8 level, u32 n)
{
	u64 common = DRM_GPT_LEAF_RIGHTS;
	u32 i;

	for (i = 0; i < n; i++)
		common &= test_toy_decode(gpt, src + i * (level ? 16 : 4), level);
	return common;
}

#define TEST_TOY_FORMAT(what, lg2)						\
	.name = what,								\
	.va_bits = 24,								\
	.nr_levels = 3,								\
	/* The device reads the two halves of 16 bytes one after the other. */	\
	.replace_ok = false,							\
	.leaf_bits = TEST_TOY_LEAF_BITS,					\
	.levels = {								\
		{ .shift = 12, .bits = 4, .entry_shift = 2, .hint = (lg2),	\
		  .leaf = true },						\
		{ .shift = 16, .bits = 4, .entry_shift = 4, .hint = (lg2),	\
		  .leaf = true, .table = true },				\
		{ .shift = 20, .bits = 4, .entry_shift = 4, .table = true },	\
	},									\
	.fill_leaves = test_toy_fill_leaves,					\
	.fill_seq = test_toy_fill_seq,						\
	.fill_empty = test_toy_fill_empty,					\
	.fill_table = test_toy_fill_table,					\
	.decode = test_toy_decode,						\
	.common = test_toy_common

static const struct drm_gpt_format test_format_toy = {
	TEST_TOY_FORMAT("toy", 0),
};

static const struct drm_gpt_format test_format_toy_groups = {
	TEST_TOY_FORMAT("toy with groups", 2),
};

const struct test_geometry test_geometry_toy = {
	.name = "toy",
	.format = &test_format_toy,
	.page_shift = 12,
	.levels = 3,
	.bits = { 4, 4, 4 },
	.entry_bytes = { 4, 16, 16 },
	.careful = true,
	.decode = test_decode_toy,
};

const struct test_geometry test_geometry_toy_groups = {
	.name = "toy with groups",
	.format = &test_format_toy_groups,
	.page_shift = 12,
	.levels = 3,
	.bits = { 4, 4, 4 },
	.hint = { 2, 2 },
	.entry_bytes = { 4, 16, 16 },
	.careful = true,
	.decode = test_decode_toy,
};

/* ---- small ---------------------------------------------------------------- */

/*
 * A toy that may change from one leaf or table to another at once: entries as
 * vgem_svm's lowest, three levels of 16, groups of four pages and of two large
 * leaves.
 */
static void test_small_fill_seq(const struct drm_gpt *gpt, void *dst, u8 level, u64 leaf,
				u32 n)
{
	u64 *entry = dst;

	for (; n--; entry++, leaf += 0x1000ULL << (4 * level))
		drm_gpt_format_vgem_svm.fill_seq(gpt, entry, 0, leaf, 1);
}

static u32 test_small_fill_leaves(const struct drm_gpt *gpt, void *dst, u8 level,
				  const u64 *leaves, u32 n)
{
	return drm_gpt_format_vgem_svm.fill_leaves(gpt, dst, 0, leaves, n);
}

static void test_small_fill_empty(const struct drm_gpt *gpt, void *dst, u8 level, u32 n)
{
	drm_gpt_format_vgem_svm.fill_empty(gpt, dst, level, n);
}

static void test_small_fill_table(const struct drm_gpt *gpt, void *dst, u8 level,
				  const struct drm_gpt_target *to)
{
	drm_gpt_format_vgem_svm.fill_table(gpt, dst, level, to);
}

static u64 test_small_decode(const struct drm_gpt *gpt, const void *src, u8 level)
{
	return drm_gpt_format_vgem_svm.decode(gpt, src, level);
}

static u64 test_small_common(const struct drm_gpt *gpt, const void *src, u8 level, u32 n)
{
	return drm_gpt_format_vgem_svm.common(gpt, src, level, n);
}

static const struct drm_gpt_format test_format_small = {
	.name = "small",
	.va_bits = 24,
	.nr_levels = 3,
	.replace_ok = true,
	.null = true,
	.poison = true,
	.leaf_bits = DRM_GPT_LEAF_ADDR | DRM_GPT_LEAF_RIGHTS,
	.attr_bits = BIT(7) | BIT(8),
	.levels = {
		{ .shift = 12, .bits = 4, .entry_shift = 3, .hint = 2,
		  .leaf = true },
		{ .shift = 16, .bits = 4, .entry_shift = 3, .hint = 1,
		  .leaf = true, .table = true },
		{ .shift = 20, .bits = 4, .entry_shift = 3, .table = true },
	},
	.fill_leaves = test_small_fill_leaves,
	.fill_seq = test_small_fill_seq,
	.fill_empty = test_small_fill_empty,
	.fill_table = test_small_fill_table,
	.decode = test_small_decode,
	.common = test_small_common,
};

const struct test_geometry test_geometry_small = {
	.name = "small",
	.format = &test_format_small,
	.page_shift = 12,
	.levels = 3,
	.bits = { 4, 4, 4 },
	.hint = { 2, 1 },
	.entry_bytes = { 8, 8, 8 },
	.has_local = true,
	TEST_ATTRS(test_attrs_vgem_svm),
	.decode = test_decode_vgem_svm,
};

/* ---- wide ------------------------------------------------------------------ */

/*
 * All of 64 bits: small tables at the bottom, long ones above them, and a long root that
 * ends where addresses do and holds leaves. Groups of four of the smallest and of
 * the largest.
 *
 * valid 0, write 1, atomic 2, leaf 3, group 6, address 55:12
 */
#define TEST_WIDE_ADDR	GENMASK_ULL(55, 12)

static const u8 test_wide_shift[] = { 12, 16, 20, 33, 46, 52 };

static void test_wide_store(void *dst, u32 i, u64 leaf)
{
	drm_gpt_store64((__le64 *)dst + i,
			(leaf & (TEST_WIDE_ADDR | DRM_GPT_LEAF_RIGHTS)) | BIT(3) |
			(leaf & DRM_GPT_LEAF_HINT ? BIT(6) : 0));
}

static u32 test_wide_fill_leaves(const struct drm_gpt *gpt, void *dst, u8 level,
				 const u64 *leaves, u32 n)
{
	u64 mask = (1ULL << test_wide_shift[level]) - 1;
	u64 room = (TEST_WIDE_ADDR & ~mask) | DRM_GPT_LEAF_RIGHTS;
	u32 i;

	for (i = 0; i < n && (leaves[i] & DRM_GPT_LEAF_VALID); i++) {
		if (leaves[i] & ~room)
			break;
		test_wide_store(dst, i, leaves[i]);
	}
	return i;
}

static void test_wide_fill_seq(const struct drm_gpt *gpt, void *dst, u8 level, u64 leaf,
			       u32 n)
{
	u32 i;

	for (i = 0; i < n; i++, leaf += 1ULL << test_wide_shift[level])
		test_wide_store(dst, i, leaf);
}

static void test_wide_fill_empty(const struct drm_gpt *gpt, void *dst, u8 level, u32 n)
{
	drm_gpt_clear64(dst, n);
}

static void test_wide_fill_table(const struct drm_gpt *gpt, void *dst, u8 level,
				 const struct drm_gpt_target *to)
{
	drm_gpt_store64(dst, to->addr | 1);
}

static void test_decode_wide(const void *entry, u8 level, struct test_pte *pte)
{
	u64 value = drm_gpt_load64(entry);

	pte->valid = value & 1;
	pte->leaf = value & BIT(3);
	pte->local = false;
	pte->hint = value & BIT(6);
	pte->addr = value & TEST_WIDE_ADDR;
	pte->flags = value & DRM_GPT_LEAF_RIGHTS;
}

static u64 test_wide_decode(const struct drm_gpt *gpt, const void *src, u8 level)
{
	struct test_pte pte;

	test_decode_wide(src, level, &pte);
	if (!pte.valid || !pte.leaf)
		return 0;
	return pte.addr | pte.flags | (pte.hint ? DRM_GPT_LEAF_HINT : 0);
}

static u64 test_wide_common(const struct drm_gpt *gpt, const void *src, u8 level, u32 n)
{
	u64 common = DRM_GPT_LEAF_RIGHTS;

	while (n--)
		common &= test_wide_decode(gpt, (const __le64 *)src + n, level);
	return common;
}

static const struct drm_gpt_format test_format_wide = {
	.name = "wide",
	.va_bits = 64,
	.nr_levels = 6,
	.replace_ok = true,
	.leaf_bits = TEST_WIDE_ADDR | DRM_GPT_LEAF_RIGHTS,
	.levels = {
		{ .shift = 12, .bits = 4, .entry_shift = 3, .hint = 2,
		  .leaf = true },
		{ .shift = 16, .bits = 4, .entry_shift = 3, .leaf = true,
		  .table = true },
		{ .shift = 20, .bits = 13, .entry_shift = 3, .table = true },
		{ .shift = 33, .bits = 13, .entry_shift = 3, .table = true },
		{ .shift = 46, .bits = 6, .entry_shift = 3, .table = true },
		{ .shift = 52, .bits = 12, .entry_shift = 3, .hint = 2,
		  .leaf = true, .table = true },
	},
	.fill_leaves = test_wide_fill_leaves,
	.fill_seq = test_wide_fill_seq,
	.fill_empty = test_wide_fill_empty,
	.fill_table = test_wide_fill_table,
	.decode = test_wide_decode,
	.common = test_wide_common,
};

const struct test_geometry test_geometry_wide = {
	.name = "wide",
	.format = &test_format_wide,
	.page_shift = 12,
	.levels = 6,
	.bits = { 4, 4, 13, 13, 6, 12 },
	.hint = { 2, 0, 0, 0, 0, 2 },
	.entry_bytes = { 8, 8, 8, 8, 8, 8 },
	.decode = test_decode_wide,
};

/* ---- x86-64 ------------------------------------------------------------- */

/* PCD, XD, both. */
static const struct drm_gpt_attr test_attrs_x86_64[] = {
	{}, { .set = BIT(4) }, { .set = BIT_ULL(63) }, { .set = BIT(4) | BIT_ULL(63) },
};

static void test_decode_x86_64(const void *entry, u8 level, struct test_pte *pte)
{
	u64 value = test_load64(entry);

	pte->valid = value & 1;
	pte->leaf = !level || value & BIT(7);
	pte->local = false;
	pte->hint = false;
	pte->addr = value & GENMASK_ULL(51, 12);
	pte->flags = DRM_GPT_LEAF_VALID | (value & 2 ? DRM_GPT_LEAF_WRITE : 0) |
		     TEST_ATTR((value >> 4 & 1) | value >> 63 << 1);
	/* A user's access; no fault for accessed and dirty; write-back; PML4: 0. */
	if (!(value & 4) || !(value & BIT(5)) || (value & 8) ||
	    (!pte->leaf && (value & (BIT(4) | BIT_ULL(63)))) ||
	    (pte->leaf && !(value & 2) != !(value & BIT(6))) ||
	    (!level && (value & BIT(7))) || (level > 2 && pte->leaf))
		pte->valid = false;
}

const struct test_geometry test_geometry_x86_64 = {
	.name = "x86_64",
	.format = &drm_gpt_format_x86_64,
	.page_shift = 12,
	.levels = 4,
	.bits = { 9, 9, 9, 9 },
	.entry_bytes = { 8, 8, 8, 8 },
	TEST_ATTRS(test_attrs_x86_64),
	.decode = test_decode_x86_64,
};

/* ---- amdgpu ------------------------------------------------------------- */

/* MTYPE. */
#define TEST_MTYPE(n)	{ .set = (n) * BIT_ULL(57), .clear = GENMASK_ULL(58, 57) }

static const struct drm_gpt_attr test_attrs_amdgpu[] = {
	TEST_MTYPE(0), TEST_MTYPE(1), TEST_MTYPE(2), TEST_MTYPE(3),
};

/* Not valid: a page of zeros, or one that is not asked for again. */
static bool test_decode_amdgpu_nowhere(u64 value, u8 level, struct test_pte *pte)
{
	u64 flags = value & BIT(6) ? DRM_GPT_LEAF_WRITE : 0;

	if (value & 7)
		return false;
	pte->flags |= DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_NOWHERE;
	if ((value & BIT_ULL(51)) && (value & 0x30) == 0x30) {
		pte->flags |= flags;
		return !level || value & BIT_ULL(54);
	}
	pte->flags |= BIT(5);
	return !flags && (value & (0x30 | BIT_ULL(54) | BIT_ULL(56))) ==
			 (0x10 | BIT_ULL(54) | BIT_ULL(56));
}

static void test_decode_amdgpu(const void *entry, u8 level, struct test_pte *pte)
{
	u64 value = test_load64(entry);
	u32 fragment = (value >> 7) & 31;

	pte->valid = value & 1;
	pte->leaf = !level || value & BIT_ULL(54);
	pte->local = !(value & 2);
	pte->hint = !level && fragment == 4;
	pte->addr = value & GENMASK_ULL(47, 12);
	pte->flags = DRM_GPT_LEAF_VALID | (value & BIT(6) ? DRM_GPT_LEAF_WRITE : 0) |
		     (pte->local ? DRM_GPT_LEAF_LOCAL : 0) |
		     TEST_ATTR((value >> 57) & 3);
	if (!pte->valid) {
		pte->flags &= DRM_GPT_LEAF_ATTR;
		pte->leaf = true;
		pte->valid = test_decode_amdgpu_nowhere(value, level, pte);
		return;
	}
	/* Memory of the system is snooped; what is mapped is read and executed. */
	if (!(value & 2) != !(value & 4) ||
	    (pte->leaf && (value & 0x30) != 0x30) ||
	    (pte->leaf && level && fragment != 9))
		pte->valid = false;
}

const struct test_geometry test_geometry_amdgpu = {
	.name = "amdgpu",
	.format = &drm_gpt_format_amdgpu_gfx9,
	.page_shift = 12,
	.levels = 4,
	.bits = { 9, 9, 9, 9 },
	.hint = { 4 },
	.entry_bytes = { 8, 8, 8, 8 },
	.has_local = true,
	TEST_ATTRS(test_attrs_amdgpu),
	.decode = test_decode_amdgpu,
};

/* ---- Arm ---------------------------------------------------------------- */

/* Which of MAIR's: the driver's own, 1, is what comes of itself. */
#define TEST_MAIR(n)	{ .set = (n) << 2, .clear = 7 << 2 }

static const struct drm_gpt_attr test_attrs_lpae[] = {
	{}, TEST_MAIR(0), TEST_MAIR(2), TEST_MAIR(3),
};

static void test_decode_lpae(const void *entry, u8 level, struct test_pte *pte)
{
	u64 value = test_load64(entry), mair = (value >> 2) & 7;
	bool bit1 = value & 2;

	pte->valid = (value & 1) && (level || bit1);
	pte->leaf = !level || !bit1;
	pte->local = false;
	pte->hint = pte->leaf && value & BIT_ULL(52);
	pte->addr = value & GENMASK_ULL(47, 12);
	pte->flags = DRM_GPT_LEAF_VALID | (value & BIT(7) ? 0 : DRM_GPT_LEAF_WRITE) |
		     TEST_ATTR(mair < 2 ? !mair : mair);
	/* nG, AF, inner shareable, AP[1], one of four attributes. */
	if (pte->leaf && ((value & 0xf60) != 0xf40 || mair > 3))
		pte->valid = false;
}

const struct test_geometry test_geometry_lpae_4k = {
	.name = "lpae, 4K",
	.format = &drm_gpt_format_lpae_4k,
	.page_shift = 12,
	.levels = 4,
	.bits = { 9, 9, 9, 9 },
	.hint = { 4, 4, 4 },
	.entry_bytes = { 8, 8, 8, 8 },
	.careful = true,
	TEST_ATTRS(test_attrs_lpae),
	.decode = test_decode_lpae,
};

const struct test_geometry test_geometry_lpae_16k = {
	.name = "lpae, 16K",
	.format = &drm_gpt_format_lpae_16k,
	.page_shift = 14,
	.levels = 4,
	.bits = { 11, 11, 11, 1 },
	.hint = { 7, 5 },
	.entry_bytes = { 8, 8, 8, 8 },
	.careful = true,
	TEST_ATTRS(test_attrs_lpae),
	.decode = test_decode_lpae,
};

const struct test_geometry test_geometry_lpae_64k = {
	.name = "lpae, 64K",
	.format = &drm_gpt_format_lpae_64k,
	.page_shift = 16,
	.levels = 3,
	.bits = { 13, 13, 6 },
	.hint = { 5, 5 },
	.entry_bytes = { 8, 8, 8 },
	.careful = true,
	TEST_ATTRS(test_attrs_lpae),
	.decode = test_decode_lpae,
};

/* ---- Rockchip ----------------------------------------------------------- */

static void test_decode_rockchip(const void *entry, u8 level,
				 struct test_pte *pte)
{
	u32 value = le32_to_cpu(READ_ONCE(*(const __le32 *)entry));

	pte->valid = value & 1;
	pte->leaf = !level;
	pte->local = false;
	pte->hint = false;
	pte->addr = (value & 0xfffff000) | (u64)((value >> 8) & 15) << 32 |
		    (u64)((value >> 4) & 15) << 36;
	pte->flags = DRM_GPT_LEAF_VALID | (value & 4 ? DRM_GPT_LEAF_WRITE : 0);
	/* Readable; not secure; a directory has neither. */
	if ((value & 8) || !level != !!(value & 2))
		pte->valid = false;
}

const struct test_geometry test_geometry_rockchip = {
	.name = "rockchip",
	.format = &drm_gpt_format_rockchip_v2,
	.page_shift = 12,
	.levels = 2,
	.bits = { 10, 10 },
	.entry_bytes = { 4, 4 },
	.decode = test_decode_rockchip,
};

/* ---- NVIDIA ------------------------------------------------------------- */

/*
 * dev_mmu.h: VALID 0:0, APERTURE 2:1, VOL 3:3, READ_ONLY 6:6, ATOMIC_DISABLE 7:7,
 * ADDRESS_VID 32:8 or ADDRESS_SYS 53:8, both in pages of 4K. Big pages are the same.
 */
#define TEST_KIND(n)	{ .set = (n) * BIT_ULL(56), .clear = GENMASK_ULL(63, 56) }

static const struct drm_gpt_attr test_attrs_nvidia[] = {
	TEST_KIND(0), TEST_KIND(1), TEST_KIND(2), TEST_KIND(3),
};

static u64 test_decode_nvidia_rights(u64 value)
{
	return DRM_GPT_LEAF_VALID | (value & BIT(6) ? 0 : DRM_GPT_LEAF_WRITE) |
	       (value & BIT(7) ? 0 : DRM_GPT_LEAF_ATOMIC) | TEST_ATTR(value >> 56);
}

/* VALID is not set, VOL is, and there is no aperture. */
static bool test_nvidia_sparse(u64 value)
{
	return (value & 15) == 8;
}

static void test_decode_nvidia_pte(u64 value, struct test_pte *pte)
{
	u32 aperture = (value >> 1) & 3;

	if (test_nvidia_sparse(value)) {
		pte->valid = true;
		pte->leaf = true;
		pte->addr = ((value >> 8) & GENMASK_ULL(45, 0)) << 12;
		pte->flags = test_decode_nvidia_rights(value) | DRM_GPT_LEAF_NULL;
		return;
	}
	pte->valid = value & 1;
	pte->leaf = true;
	pte->local = !aperture;
	pte->addr = ((value >> 8) & GENMASK_ULL(pte->local ? 24 : 45, 0)) << 12;
	pte->flags = test_decode_nvidia_rights(value) |
		     (pte->local ? DRM_GPT_LEAF_LOCAL : 0);
	value &= ~GENMASK_ULL(63, 56);
	/* Neither a peer's nor compressed; VOL of the system; pitch. */
	if ((aperture & 1) || !aperture != !(value & 8) || (value & 0x30) ||
	    (value >> (pte->local ? 33 : 54)))
		pte->valid = false;
}

/*
 * APERTURE 2:1 and VOL 3:3: 2 for own memory, 0xc for the system, where the CPU may
 * write; the address from @bit on, in units of 1 << (@bit + 4).
 */
static bool test_decode_nvidia_pde(u64 value, u32 bit, u64 *addr, bool *local)
{
	u32 low = value & (BIT(bit) - 1);

	*addr = 0;
	*local = low == 2;
	if ((low != 2 && low != 0xc) || value >> (*local ? 33 : 54))
		return false;
	*addr = value >> bit << (bit + 4);
	return true;
}

/* A page of 2M, or IS_PTE not set and two tables: big ones first, then small. */
static void test_decode_nvidia_dual(const __le64 *pair, struct test_pte *pte)
{
	u64 first, second;
	bool big, small;

	/* All of it at once. */
	do {
		first = test_load64(pair);
		smp_rmb(); /* as it is said */
		second = test_load64(pair + 1);
		smp_rmb(); /* as above */
	} while (test_load64(pair) != first);
	if ((first & 1) || test_nvidia_sparse(first)) {
		test_decode_nvidia_pte(first, pte);
		return;
	}
	big = test_decode_nvidia_pde(first, 4, &pte->beside, &pte->beside_local);
	small = test_decode_nvidia_pde(second, 8, &pte->addr, &pte->local);
	pte->valid = big || small;
}

static void test_decode_nvidia(const void *entry, u8 level, struct test_pte *pte)
{
	memset(pte, 0, sizeof(*pte));
	if (!level)
		test_decode_nvidia_pte(test_load64(entry), pte);
	else if (level == 1)
		test_decode_nvidia_dual(entry, pte);
	else
		pte->valid = test_decode_nvidia_pde(test_load64(entry), 8, &pte->addr,
						    &pte->local);
}

const struct test_geometry test_geometry_nvidia = {
	.name = "nvidia",
	.format = &drm_gpt_format_nvidia_gp100,
	.page_shift = 12,
	.levels = 5,
	.bits = { 9, 8, 9, 9, 2 },
	.hint = { 4 },
	.entry_bytes = { 8, 16, 8, 8, 8 },
	.has_local = true,
	.beside = true,
	TEST_ATTRS(test_attrs_nvidia),
	.decode = test_decode_nvidia,
};

/* ---- NVIDIA, small ------------------------------------------------------- */

/* The same entries in three levels of 16, groups of four pages beside them. */
#define TEST_PAIR_LEAF_BITS	(GENMASK_ULL(46, 12) | DRM_GPT_LEAF_RIGHTS)

static void test_pair_fill_seq(const struct drm_gpt *gpt, void *dst, u8 level, u64 leaf,
			       u32 n)
{
	u32 i, words = level ? 2 : 1;
	u64 *entry = dst;

	for (i = 0; i < n; i++, entry += words, leaf += 0x1000ULL << (4 * level))
		drm_gpt_format_nvidia_gp100.fill_seq(gpt, entry, level, leaf, 1);
}

static u32 test_pair_fill_leaves(const struct drm_gpt *gpt, void *dst, u8 level,
				 const u64 *leaves, u32 n)
{
	u64 lost = DRM_GPT_LEAF_ADDR & ~(TEST_PAIR_LEAF_BITS &
					 ~((0x1000ULL << (4 * level)) - 0x1000));
	u64 *entry = dst;
	u32 i;

	for (i = 0; i < n && (leaves[i] & DRM_GPT_LEAF_VALID); i++) {
		if ((leaves[i] & lost) ||
		    !drm_gpt_flags_ok(gpt, TEST_PAIR_LEAF_BITS,
				      leaves[i] & DRM_GPT_LEAF_FLAGS))
			break;
		test_pair_fill_seq(gpt, entry + i * (level ? 2 : 1), level, leaves[i], 1);
	}
	return i;
}

static void test_pair_fill_empty(const struct drm_gpt *gpt, void *dst, u8 level, u32 n)
{
	drm_gpt_format_nvidia_gp100.fill_empty(gpt, dst, level, n);
}

static void test_pair_fill_table(const struct drm_gpt *gpt, void *dst, u8 level,
				 const struct drm_gpt_target *to)
{
	drm_gpt_format_nvidia_gp100.fill_table(gpt, dst, level, to);
}

static void test_pair_fill_beside(const struct drm_gpt *gpt, void *dst, u64 leaf, u32 n)
{
	u64 *entry = dst;

	for (; n--; entry++, leaf += leaf ? 0x4000 : 0)
		drm_gpt_format_nvidia_gp100.fill_beside(gpt, entry, leaf, 1);
}

static u64 test_pair_decode(const struct drm_gpt *gpt, const void *src, u8 level)
{
	return drm_gpt_format_nvidia_gp100.decode(gpt, src, level);
}

static u64 test_pair_common(const struct drm_gpt *gpt, const void *src, u8 level, u32 n)
{
	return drm_gpt_format_nvidia_gp100.common(gpt, src, level, n);
}

static const struct drm_gpt_format test_format_pair = {
	.name = "pair",
	.va_bits = 24,
	.nr_levels = 3,
	.replace_ok = true,
	.null = true,
	.leaf_bits = TEST_PAIR_LEAF_BITS,
	.attr_bits = GENMASK_ULL(63, 56),
	.levels = {
		{ .shift = 12, .bits = 4, .entry_shift = 3, .hint = 2,
		  .leaf = true, .beside = true },
		{ .shift = 16, .bits = 4, .entry_shift = 4, .leaf = true,
		  .table = true },
		{ .shift = 20, .bits = 4, .entry_shift = 3, .table = true },
	},
	.fill_leaves = test_pair_fill_leaves,
	.fill_seq = test_pair_fill_seq,
	.fill_empty = test_pair_fill_empty,
	.fill_table = test_pair_fill_table,
	.fill_beside = test_pair_fill_beside,
	.decode = test_pair_decode,
	.common = test_pair_common,
};

const struct test_geometry test_geometry_pair = {
	.name = "pair",
	.format = &test_format_pair,
	.page_shift = 12,
	.levels = 3,
	.bits = { 4, 4, 4 },
	.hint = { 2 },
	.entry_bytes = { 8, 16, 8 },
	.has_local = true,
	.beside = true,
	TEST_ATTRS(test_attrs_nvidia),
	.decode = test_decode_nvidia,
};
