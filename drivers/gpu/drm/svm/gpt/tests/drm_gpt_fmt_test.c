// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests of the formats alone: what they encode, held against values worked out by
 * hand from the manuals, and against what they decode.
 */

#include <kunit/test.h>

#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_gpt.h>

#include "fmt/formats.h"

#define FMT_ENTRIES	32
#define FMT_CANARY	0xa5

#define V	DRM_GPT_LEAF_VALID
#define W	DRM_GPT_LEAF_WRITE
#define A	DRM_GPT_LEAF_ATOMIC
#define L	DRM_GPT_LEAF_LOCAL
#define P	DRM_GPT_LEAF_PEER
#define H	DRM_GPT_LEAF_HINT
#define Z	DRM_GPT_LEAF_NULL
#define E	DRM_GPT_LEAF_POISON
#define ATTR(i)	FIELD_PREP_CONST(DRM_GPT_LEAF_ATTR, i)

/* Attributes of the tables here: nothing, all bits, the highest and no other. */
#define FMT_ATTRS	3

/* Pointers to tables, in place of leaves' flags. */
#define TABLE		0
#define TABLE_LOCAL	L

/**
 * struct fmt_golden - an entry from the manual
 * @level: level
 * @leaf: leaf; without DRM_GPT_LEAF_VALID a table: its address, and TABLE_LOCAL
 * @entry: its bits
 */
struct fmt_golden {
	u8 level;
	u64 leaf;
	u64 entry;
};

/**
 * struct fmt_param - a format to test
 * @format: it
 * @golden: entries that it has to encode
 * @nr: how many
 */
struct fmt_param {
	const struct drm_gpt_format *format;
	const struct fmt_golden *golden;
	u32 nr;
};

/* ---- golden entries -------------------------------------------------------- */

/*
 * vgem-svm-hw.rst: valid 1, write 2, atomic 4, leaf 8, aperture in 5:4 (own memory
 * 0x10, a peer's 0x20, nothing 0x30), group of 64K 0x40, no execution 0x80, uncached
 * 0x100, peer in 60:57. A page that is only read is 1 + 8.
 */
static const struct fmt_golden golden_vgem_svm[] = {
	{ 0, V, 0x9 },
	{ 0, 0x12345000 | V, 0x12345009 },
	{ 0, 0x12345000 | V | W, 0x1234500b },
	{ 0, 0x12345000 | V | W | A, 0x1234500f },
	{ 0, 0x12345000 | V | W | A | L, 0x1234501f },
	/* Peer 5: 5 << 57. */
	{ 0, 0x12345000 | V | P | 5 << 5, 0x0a00000012345029 },
	{ 0, 0x12340000 | V | H, 0x12340049 },
	{ 0, 0x00fffffffffff000 | V, 0x00fffffffffff009 },
	{ 1, 0x40000000 | V | W, 0x4000000b },
	{ 2, 0x4000000000 | V, 0x4000000009 },
	{ 1, 0xabcde000 | TABLE, 0xabcde001 },
	{ 4, 0xabcde000 | TABLE_LOCAL, 0xabcde011 },
	{ 0, 0x12345000 | V | Z, 0x12345039 },
	{ 0, 0x12345000 | V | W | Z, 0x1234503b },
	{ 0, 0x12345000 | V | E, 0x0200000012345039 },
	{ 1, 0x40000000 | V | E, 0x0200000040000039 },
	{ 0, 0x12345000 | V | ATTR(1), 0x12345189 },
	{ 1, 0x40000000 | V | W | ATTR(2), 0x4000010b },
};

/*
 * SDM 4.5: P 1, R/W 2, U/S 4, A 0x20, D 0x40, PS 0x80. A page that is only read is
 * 1 + 4 + 0x20; one that is written has 2 + 0x40 more; above level 0 both have
 * 0x80. A pointer to a table has P, R/W, U/S, A.
 */
static const struct fmt_golden golden_x86_64[] = {
	{ 0, V, 0x25 },
	{ 0, 0x12345000 | V, 0x12345025 },
	{ 0, 0x12345000 | V | W, 0x12345067 },
	{ 0, 0x000ffffffffff000 | V | W, 0x000ffffffffff067 },
	{ 1, 0x40000000 | V, 0x400000a5 },
	{ 1, 0x40000000 | V | W, 0x400000e7 },
	{ 2, 0x4000000000 | V | W, 0x40000000e7 },
	{ 2, 0x0008000000000000 | V, 0x00080000000000a5 },
	{ 1, 0xabcde000 | TABLE, 0xabcde027 },
	{ 3, 0x000fffffffffe000 | TABLE, 0x000fffffffffe027 },
	/* PWT 8, PCD 0x10, XD in 63. */
	{ 0, 0x12345000 | V | ATTR(1), 0x800000001234503d },
	{ 1, 0x40000000 | V | W | ATTR(2), 0x80000000400000e7 },
};

/*
 * amdgpu_vm.h: valid 1, system 2, snooped 4, executable 0x10, readable 0x20,
 * writable 0x40, fragment in 11:7, PDE is PTE 1 << 54. A page of the system that is
 * only read is 1 + 2 + 4 + 0x10 + 0x20, of VRAM 1 + 0x10 + 0x20; fragment 4 is
 * 0x200, 9 is 0x480.
 */
static const struct fmt_golden golden_amdgpu[] = {
	{ 0, V, 0x37 },
	{ 0, 0x12345000 | V, 0x12345037 },
	{ 0, 0x12345000 | V | W, 0x12345077 },
	{ 0, 0x12345000 | V | L, 0x12345031 },
	{ 0, 0x12345000 | V | W | L, 0x12345071 },
	{ 0, 0x12340000 | V | W | H, 0x12340277 },
	{ 0, 0x0000fffffffff000 | V | W | L, 0x0000fffffffff071 },
	{ 1, 0x40000000 | V | W, 0x00400000400004f7 },
	{ 1, 0x40000000 | V | L, 0x00400000400004b1 },
	{ 1, 0xabcde000 | TABLE, 0xabcde007 },
	{ 3, 0xabcde000 | TABLE_LOCAL, 0xabcde001 },
	/* PRT is 1 << 51, TF 1 << 56, MTYPE in 58:57. */
	{ 0, 0x12345000 | V | Z, 0x0008000012345030 },
	{ 0, 0x12345000 | V | W | Z, 0x0008000012345070 },
	{ 1, 0x40000000 | V | Z, 0x00480000400004b0 },
	{ 0, 0x12345000 | V | E, 0x0140000012345010 },
	{ 1, 0x40000000 | V | E, 0x0140000040000490 },
	{ 0, 0x12345000 | V | L | ATTR(1), 0x0600000012345035 },
	{ 0, 0x12345000 | V | ATTR(2), 0x0400000012345023 },
};

/*
 * Arm ARM D8: valid 1, page or table 2, attribute 1 in 4:2 is 4, AP[1] 0x40, AP[2]
 * (read-only) 0x80, inner shareable 0x300, AF 0x400, nG 0x800, contiguous 1 << 52.
 * A block that is written is 1 + 4 + 0x40 + 0x300 + 0x400 + 0x800 = 0xf45, a page
 * 2 more; read-only is 0x80 more. A pointer to a table is 3.
 */
static const struct fmt_golden golden_lpae_4k[] = {
	{ 0, V | W, 0xf47 },
	{ 0, 0x12345000 | V | W, 0x12345f47 },
	{ 0, 0x12345000 | V, 0x12345fc7 },
	{ 0, 0x12340000 | V | W | H, 0x0010000012340f47 },
	{ 0, 0x0000fffffffff000 | V, 0x0000ffffffffffc7 },
	{ 1, 0x40000000 | V | W, 0x40000f45 },
	{ 1, 0x40000000 | V, 0x40000fc5 },
	{ 1, 0x42000000 | V | W | H, 0x0010000042000f45 },
	{ 2, 0x4000000000 | V | W, 0x4000000f45 },
	{ 1, 0xabcde000 | TABLE, 0xabcde003 },
	{ 3, 0x0000ffffffffe000 | TABLE, 0x0000ffffffffe003 },
	/* Attribute 7 is 0x1c; PXN and UXN are 53 and 54. */
	{ 0, 0x12345000 | V | W | ATTR(1), 0x0060000012345f5f },
	{ 1, 0x40000000 | V | W | ATTR(2), 0x0040000040000f41 },
};

static const struct fmt_golden golden_lpae_16k[] = {
	{ 0, V | W, 0xf47 },
	{ 0, 0x12344000 | V | W, 0x12344f47 },
	{ 0, 0x12344000 | V, 0x12344fc7 },
	{ 0, 0x12200000 | V | W | H, 0x0010000012200f47 },
	{ 0, 0x0000ffffffffc000 | V, 0x0000ffffffffcfc7 },
	{ 1, 0x42000000 | V | W, 0x42000f45 },
	{ 1, 0x42000000 | V, 0x42000fc5 },
	{ 1, 0x40000000 | V | W | H, 0x0010000040000f45 },
	{ 1, 0xabcdc000 | TABLE, 0xabcdc003 },
	{ 3, 0xabcdc000 | TABLE, 0xabcdc003 },
};

static const struct fmt_golden golden_lpae_64k[] = {
	{ 0, V | W, 0xf47 },
	{ 0, 0x12340000 | V | W, 0x12340f47 },
	{ 0, 0x12340000 | V, 0x12340fc7 },
	{ 0, 0x12200000 | V | W | H, 0x0010000012200f47 },
	{ 0, 0x0000ffffffff0000 | V, 0x0000ffffffff0fc7 },
	{ 1, 0x60000000 | V | W, 0x60000f45 },
	{ 1, 0x60000000 | V, 0x60000fc5 },
	{ 1, 0x400000000 | V | W | H, 0x0010000400000f45 },
	{ 1, 0xabcd0000 | TABLE, 0xabcd0003 },
	{ 2, 0xabcd0000 | TABLE, 0xabcd0003 },
};

/*
 * rockchip-iommu.c, "In v2": valid 1, readable 2, writable 4; address 31:12 where it
 * is, 35:32 in 11:8, 39:36 in 7:4. A page that is only read is 1 + 2.
 */
static const struct fmt_golden golden_rockchip[] = {
	{ 0, V, 0x3 },
	{ 0, 0x12345000 | V, 0x12345003 },
	{ 0, 0x12345000 | V | W, 0x12345007 },
	{ 0, 0x100000000 | V, 0x103 },
	{ 0, 0xf00000000 | V | W, 0xf07 },
	{ 0, 0x1000000000 | V, 0x13 },
	{ 0, 0xa512345000 | V, 0x123455a3 },
	{ 0, 0xfffffff000 | V | W, 0xfffffff7 },
	{ 1, 0xabcde000 | TABLE, 0xabcde001 },
	{ 1, 0x5abcde000 | TABLE, 0xabcde501 },
};

/*
 * dev_mmu.h of gp100: VALID or IS_PTE 1, aperture of a page in 2:1 (video memory 0,
 * the system 4), of a table (video memory 2, the system 4), VOL 8, READ_ONLY 0x40,
 * ATOMIC_DISABLE 0x80; addresses are shifted right by 4. A page of the system that
 * is only read is 1 + 4 + 8 + 0x40 + 0x80, of video memory 1 + 0x40 + 0x80. A
 * pointer to a table in the system is 4 + 8, in video memory 2.
 */
static const struct fmt_golden golden_nvidia[] = {
	{ 0, V, 0xcd },
	{ 0, 0x12345000 | V, 0x12345cd },
	{ 0, 0x12345000 | V | W, 0x123458d },
	{ 0, 0x12345000 | V | A, 0x123454d },
	{ 0, 0x12345000 | V | W | A, 0x123450d },
	{ 0, 0x12345000 | V | L, 0x12345c1 },
	{ 0, 0x12345000 | V | W | A | L, 0x1234501 },
	{ 0, 0x00007ffffffff000 | V | W | A, 0x000007ffffffff0d },
	{ 0, 0x0000001ffffff000 | V | W | A | L, 0x00000001ffffff01 },
	{ 1, 0x40000000 | V | W | A, 0x0400000d },
	{ 1, 0x40200000 | V | L, 0x040200c1 },
	{ 1, 0xabcde000 | TABLE, 0x0abcde0c },
	{ 1, 0xabcde000 | TABLE_LOCAL, 0x0abcde02 },
	{ 2, 0xabcde000 | TABLE, 0x0abcde0c },
	{ 3, 0x00007fffffffe000 | TABLE, 0x000007fffffffe0c },
	{ 4, 0xabcde000 | TABLE_LOCAL, 0x0abcde02 },
	/* VOL alone is sparse; PRIVILEGE is 0x20, KIND in 63:56. */
	{ 0, 0x12345000 | V | Z, 0x12345c8 },
	{ 0, 0x12345000 | V | W | A | Z, 0x1234508 },
	{ 1, 0x40000000 | V | Z, 0x040000c8 },
	{ 0, 0x12345000 | V | ATTR(1), 0xff000000012345ed },
	{ 1, 0x40000000 | V | W | A | ATTR(2), 0x800000000400000d },
};

#define FMT_PARAM(what, entries) \
	{ .format = &drm_gpt_format_##what, .golden = entries, \
	  .nr = ARRAY_SIZE(entries) }

static const struct fmt_param fmt_params[] = {
	FMT_PARAM(vgem_svm, golden_vgem_svm),
	FMT_PARAM(x86_64, golden_x86_64),
	FMT_PARAM(x86_64_la57, golden_x86_64),
	FMT_PARAM(amdgpu_gfx9, golden_amdgpu),
	FMT_PARAM(lpae_4k, golden_lpae_4k),
	FMT_PARAM(lpae_16k, golden_lpae_16k),
	FMT_PARAM(lpae_64k, golden_lpae_64k),
	FMT_PARAM(rockchip_v2, golden_rockchip),
	FMT_PARAM(nvidia_gp100, golden_nvidia),
};

static void fmt_param_desc(const struct fmt_param *param, char *desc)
{
	strscpy(desc, param->format->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(fmt_param, fmt_params, fmt_param_desc);

/* ---- small verbs ----------------------------------------------------------- */

static const struct drm_gpt_format *fmt_of(struct kunit *test)
{
	return ((const struct fmt_param *)test->param_value)->format;
}

/**
 * struct fmt_table - a table that encoders are told of
 * @gpt: it; nothing is in it
 * @attrs: its attributes
 */
struct fmt_table {
	struct drm_gpt gpt;
	struct drm_gpt_attr attrs[FMT_ATTRS];
};

static void fmt_make_attrs(const struct drm_gpt_format *format,
			   struct drm_gpt_attr attrs[FMT_ATTRS])
{
	u64 bits = format->attr_bits;

	memset(attrs, 0, FMT_ATTRS * sizeof(*attrs));
	if (!bits)
		return;
	attrs[1].set = bits;
	attrs[2].set = BIT_ULL(fls64(bits) - 1);
	attrs[2].clear = bits;
}

static int fmt_init(struct kunit *test)
{
	struct fmt_table *table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);
	const struct drm_gpt_format *format = &drm_gpt_format_nvidia_gp100;

	if (!table)
		return -ENOMEM;
	if (test->param_value)
		format = fmt_of(test);
	fmt_make_attrs(format, table->attrs);
	table->gpt.format = format;
	table->gpt.attrs = table->attrs;
	table->gpt.nr_attrs = format->attr_bits ? FMT_ATTRS : 1;
	table->gpt.attr_bits = format->attr_bits;
	test->priv = table;
	return 0;
}

static const struct drm_gpt *fmt_gpt(struct kunit *test)
{
	return &((struct fmt_table *)test->priv)->gpt;
}

static u32 fmt_bytes(const struct drm_gpt_format *format, u8 level)
{
	return 1U << format->levels[level].entry_shift;
}

static u64 fmt_raw(const struct drm_gpt_format *format, u8 level,
		   const void *entries, u32 i)
{
	if (format->levels[level].entry_shift == 2)
		return le32_to_cpu(((const __le32 *)entries)[i]);
	if (format->levels[level].entry_shift == 4)
		i *= 2;
	return le64_to_cpu(((const __le64 *)entries)[i]);
}

/* One leaf. Only a sequence may have the hint, as it is drm_gpt that gives it. */
static void fmt_fill(struct kunit *test, void *entry, u8 level, u64 leaf)
{
	const struct drm_gpt_format *format = fmt_of(test);

	if (leaf & H)
		format->fill_seq(fmt_gpt(test), entry, level, leaf, 1);
	else
		KUNIT_EXPECT_EQ(test, format->fill_leaves(fmt_gpt(test), entry, level,
							  &leaf, 1), 1);
}

/* A leaf's entry; of 16 bytes, the first half. */
static u64 fmt_encode(struct kunit *test, u8 level, u64 leaf)
{
	u64 entry[2] = {};

	fmt_fill(test, entry, level, leaf);
	KUNIT_EXPECT_EQ(test, entry[1], 0);
	return fmt_raw(fmt_of(test), level, entry, 0);
}

/* Of 16 bytes, the second half; the first is for a table beside. */
static u64 fmt_encode_table(struct kunit *test, u8 level, u64 addr, bool local)
{
	const struct drm_gpt_target to = { .addr = addr, .local = local };
	const struct drm_gpt_format *format = fmt_of(test);
	u64 entry[2] = {};

	format->fill_table(fmt_gpt(test), entry, level, &to);
	if (format->levels[level].entry_shift < 4)
		return fmt_raw(format, level, entry, 0);
	KUNIT_EXPECT_EQ(test, entry[0], 0);
	return fmt_raw(format, level, entry + 1, 0);
}

/* Addresses that leaves of a level may have. */
static u64 fmt_addresses(const struct drm_gpt_format *format, u8 level)
{
	return format->leaf_bits & ~((1ULL << format->levels[level].shift) - 1);
}

/* Bits of flags that some leaves of a level have, but VALID. */
static u64 fmt_flags(const struct drm_gpt_format *format, u8 level)
{
	const struct drm_gpt_level *l = &format->levels[level];

	return (format->leaf_bits & DRM_GPT_LEAF_FLAGS & ~V) |
	       (format->null ? Z : 0) | (format->poison ? E : 0) |
	       (format->attr_bits ? ATTR(3) : 0) | (l->hint && !l->beside ? H : 0);
}

/* Not all combinations of them: no memory, of two kinds, one of them without rights. */
static bool fmt_may_have(const struct drm_gpt_format *format, u64 flags)
{
	bool poison = (flags & DRM_GPT_LEAF_PLACE) == E;

	if (FIELD_GET(DRM_GPT_LEAF_ATTR, flags) >= FMT_ATTRS)
		return false;
	flags &= ~(DRM_GPT_LEAF_ATTR | H | V);
	if ((flags & DRM_GPT_LEAF_APERTURE) != DRM_GPT_LEAF_NOWHERE)
		return !(flags & ~format->leaf_bits);
	if (poison ? !format->poison || (flags & (W | A)) : !format->null)
		return false;
	flags &= ~(W | A);
	return flags == E || flags == Z;
}

/* All bits that leaves of a level may have that are committed, and VALID. */
static u64 fmt_room(const struct drm_gpt_format *format, u8 level)
{
	return fmt_addresses(format, level) | (format->attr_bits ? ATTR(3) : 0) |
	       (format->leaf_bits & DRM_GPT_LEAF_FLAGS);
}

/* The next combination of the bits of @mask that leaves have, 0 after the last. */
static u64 fmt_next(const struct drm_gpt_format *format, u64 flags, u64 mask)
{
	do {
		flags = (flags - mask) & mask;
	} while (flags && !fmt_may_have(format, flags));
	return flags;
}

/* ---- tests ----------------------------------------------------------------- */

static void encodes_what_the_manual_says(struct kunit *test)
{
	const struct fmt_param *param = test->param_value;
	u32 i;

	for (i = 0; i < param->nr; i++) {
		const struct fmt_golden *g = &param->golden[i];
		u64 got;

		if (g->leaf & V)
			got = fmt_encode(test, g->level, g->leaf);
		else
			got = fmt_encode_table(test, g->level,
					       g->leaf & DRM_GPT_LEAF_ADDR,
					       g->leaf & L);
		KUNIT_EXPECT_EQ(test, got, g->entry);
	}
}

static void fmt_expect_round_trip(struct kunit *test, u8 level, u64 leaf)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u64 entry[2] = {};

	fmt_fill(test, entry, level, leaf);
	KUNIT_EXPECT_EQ(test, format->decode(fmt_gpt(test), entry, level), leaf);
	KUNIT_EXPECT_EQ(test, format->common(fmt_gpt(test), entry, level, 1),
			leaf & DRM_GPT_LEAF_RIGHTS);
	memset(entry, 0, sizeof(entry));
	format->fill_seq(fmt_gpt(test), entry, level, leaf, 1);
	KUNIT_EXPECT_EQ(test, format->decode(fmt_gpt(test), entry, level), leaf);
}

static void decodes_what_it_encodes(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u64 flags, addresses;
	u8 level;

	for (level = 0; level < format->nr_levels; level++) {
		if (!format->levels[level].leaf)
			continue;
		flags = 0;
		addresses = fmt_addresses(format, level);
		do {
			fmt_expect_round_trip(test, level, V | flags);
			fmt_expect_round_trip(test, level, V | flags | addresses);
			fmt_expect_round_trip(test, level, V | flags |
					      (addresses & 0x5555555555555555));
			flags = fmt_next(format, flags, fmt_flags(format, level));
		} while (flags);
	}
}

/* Bits of an entry that flags, or being a leaf at all, decide about. */
static u64 fmt_flag_bits(struct kunit *test, u8 level)
{
	u64 none = fmt_encode(test, level, V), bits = none, flags = 0;

	do {
		bits |= fmt_encode(test, level, V | flags) ^ none;
		flags = fmt_next(fmt_of(test), flags, fmt_flags(fmt_of(test), level));
	} while (flags);
	return bits;
}

/* A one walks through the address: one bit of the entry each, of its own. */
static void gives_each_address_bit_a_place(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u64 taken, none, bit, got;
	u8 level, k;

	for (level = 0; level < format->nr_levels; level++) {
		if (!format->levels[level].leaf)
			continue;
		none = fmt_encode(test, level, V);
		taken = fmt_flag_bits(test, level);
		for (k = format->levels[level].shift; k < 64; k++) {
			bit = BIT_ULL(k);
			if (!(format->leaf_bits & bit))
				continue;
			got = fmt_encode(test, level, V | bit) ^ none;
			KUNIT_EXPECT_EQ(test, hweight64(got), 1);
			KUNIT_EXPECT_EQ(test, got & taken, 0);
			taken |= got;
			fmt_expect_round_trip(test, level, V | bit);
		}
	}
}

/* Four good leaves, and one that cannot be encoded. */
static void fmt_expect_stop(struct kunit *test, u8 level, u64 bad)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u64 leaves[8], entries[16], canary[16], good = V | (W & format->leaf_bits);
	u32 bytes = fmt_bytes(format, level), i;

	memset(entries, FMT_CANARY, sizeof(entries));
	memset(canary, FMT_CANARY, sizeof(canary));
	for (i = 0; i < 8; i++)
		leaves[i] = i == 4 ? bad : good;
	KUNIT_EXPECT_EQ(test, format->fill_leaves(fmt_gpt(test), entries, level, leaves, 8), 4);
	KUNIT_EXPECT_EQ(test, format->common(fmt_gpt(test), entries, level, 4),
			good & DRM_GPT_LEAF_RIGHTS);
	KUNIT_EXPECT_MEMEQ(test, (u8 *)entries + 4 * bytes, canary, 4 * bytes);
	leaves[0] = bad;
	KUNIT_EXPECT_EQ(test, format->fill_leaves(fmt_gpt(test), entries, level, leaves, 8), 0);
}

static void stops_at_what_it_cannot_encode(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u8 level, k;

	for (level = 0; level < format->nr_levels; level++) {
		if (!format->levels[level].leaf)
			continue;
		fmt_expect_stop(test, level, 0);
		fmt_expect_stop(test, level, fmt_addresses(format, level));
		/* Neither flags nor addresses, nor pages that are not aligned. */
		for (k = 1; k < 64; k++)
			if (!(BIT_ULL(k) & fmt_room(format, level)))
				fmt_expect_stop(test, level, V | BIT_ULL(k));
	}
}

static void fills_sequences_as_single_leaves(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u64 one[FMT_ENTRIES * 2], seq[FMT_ENTRIES * 2];
	u64 step, first, flags = 0;
	u32 i, bytes;
	u8 level;

	for (level = 0; level < format->nr_levels; level++) {
		if (!format->levels[level].leaf)
			continue;
		step = 1ULL << format->levels[level].shift;
		/* Half of them on either side of a carry through the address. */
		first = V + BIT_ULL(38) - FMT_ENTRIES / 2 * step;
		bytes = FMT_ENTRIES * fmt_bytes(format, level);
		do {
			for (i = 0; i < FMT_ENTRIES; i++)
				fmt_fill(test, (u8 *)one + i * fmt_bytes(format, level),
					 level, (first + i * step) | flags);
			format->fill_seq(fmt_gpt(test), seq, level, first | flags, FMT_ENTRIES);
			KUNIT_EXPECT_MEMEQ(test, seq, one, bytes);
			flags = fmt_next(format, flags, fmt_flags(format, level));
		} while (flags);
	}
}

static void empties_entries_and_no_more(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u64 entries[16], zero[16] = {}, canary[16];
	u32 bytes, n;
	u8 level;

	memset(canary, FMT_CANARY, sizeof(canary));
	for (level = 0; level < format->nr_levels; level++) {
		bytes = fmt_bytes(format, level);
		for (n = 1; n < 8; n++) {
			memset(entries, FMT_CANARY, sizeof(entries));
			format->fill_empty(fmt_gpt(test), entries, level, n);
			/* As an allocator hands tables out. */
			KUNIT_EXPECT_MEMEQ(test, entries, zero, n * bytes);
			KUNIT_EXPECT_MEMEQ(test, (u8 *)entries + n * bytes,
					   canary, bytes);
		}
		KUNIT_EXPECT_EQ(test, format->decode(fmt_gpt(test), zero, level), 0);
		KUNIT_EXPECT_EQ(test, format->common(fmt_gpt(test), zero, level, 2), 0);
	}
}

static void takes_no_table_for_a_leaf(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u64 none, bit, entry, taken, entries[2];
	struct drm_gpt_target to = {};
	u8 level, k;

	for (level = 1; level < format->nr_levels; level++) {
		none = fmt_encode_table(test, level, 0, false);
		taken = none | fmt_encode_table(test, level, 0, true);
		for (k = 12; k < 64; k++) {
			bit = BIT_ULL(k);
			if (!(format->leaf_bits & bit))
				continue;
			to.addr = bit;
			to.local = k & 1;
			format->fill_table(fmt_gpt(test), entries, level, &to);
			KUNIT_EXPECT_EQ(test, format->decode(fmt_gpt(test), entries, level), 0);
			KUNIT_EXPECT_EQ(test, format->common(fmt_gpt(test), entries, level, 1), 0);
			entry = fmt_encode_table(test, level, bit, false) ^ none;
			KUNIT_EXPECT_EQ(test, hweight64(entry), 1);
			KUNIT_EXPECT_EQ(test, entry & taken, 0);
			taken |= entry;
		}
	}
}

/* Two leaves, between others: what they both have. */
static void fmt_expect_common(struct kunit *test, u8 level, u64 first, u64 second)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u64 all = V | (format->leaf_bits & DRM_GPT_LEAF_RIGHTS), entries[12];
	const struct drm_gpt_target to = { .addr = 0x10000 };
	const u64 leaves[] = { all, first, all, second, all };
	u8 *end = (u8 *)entries + 5 * fmt_bytes(format, level);
	u32 i;

	for (i = 0; i < 5; i++)
		fmt_fill(test, (u8 *)entries + i * fmt_bytes(format, level), level,
			 leaves[i]);
	KUNIT_EXPECT_EQ(test, format->common(fmt_gpt(test), entries, level, 5),
			first & second & DRM_GPT_LEAF_RIGHTS);
	KUNIT_EXPECT_EQ(test, format->common(fmt_gpt(test), entries, level, 1), all);
	format->fill_empty(fmt_gpt(test), end, level, 1);
	KUNIT_EXPECT_EQ(test, format->common(fmt_gpt(test), entries, level, 6), 0);
	if (!level)
		return;
	format->fill_table(fmt_gpt(test), end, level, &to);
	KUNIT_EXPECT_EQ(test, format->common(fmt_gpt(test), entries, level, 6), 0);
}

static void tells_what_all_have(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u64 mask, first, second;
	u8 level;

	for (level = 0; level < format->nr_levels; level++) {
		if (!format->levels[level].leaf)
			continue;
		mask = fmt_flags(format, level);
		first = 0;
		do {
			second = 0;
			do {
				fmt_expect_common(test, level, V | first, V | second);
				second = fmt_next(format, second, mask);
			} while (second);
			first = fmt_next(format, first, mask & (W | A | H));
		} while (first);
	}
}

/* ---- beside ----------------------------------------------------------------- */

/*
 * The first half of 16 bytes: a table of big pages, whose address has 8 bits less
 * that are 0; the second one of small pages, with 12.
 */
static void points_to_big_and_small_pages(struct kunit *test)
{
	const struct drm_gpt_format *format = &drm_gpt_format_nvidia_gp100;
	struct drm_gpt_target to = { .addr = 0x12345000, .beside = 0xabcdef00 };
	__le64 entry[2] = {};

	format->fill_table(fmt_gpt(test), entry, 1, &to);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), 0x0abcdefc);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[1]), 0x0123450c);
	to.beside_local = true;
	format->fill_table(fmt_gpt(test), entry, 1, &to);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), 0x0abcdef2);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[1]), 0x0123450c);
	to.local = true;
	to.beside_local = false;
	format->fill_table(fmt_gpt(test), entry, 1, &to);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), 0x0abcdefc);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[1]), 0x01234502);
	KUNIT_EXPECT_EQ(test, format->decode(fmt_gpt(test), entry, 1), 0);
	/* A page of 2M leaves no table behind. */
	format->fill_seq(fmt_gpt(test), entry, 1, 0x40000000 | V, 1);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), 0x040000cd);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[1]), 0);
}

static void encodes_big_pages(struct kunit *test)
{
	const struct drm_gpt_format *format = &drm_gpt_format_nvidia_gp100;
	__le64 entry[4] = { 0, 0, 0, cpu_to_le64(1) };

	format->fill_beside(fmt_gpt(test), entry, 0x12340000 | V | W | A, 3);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), 0x0123400d);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[1]), 0x0123500d);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[2]), 0x0123600d);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[3]), 1);
	format->fill_beside(fmt_gpt(test), entry, 0x12340000 | V | L, 1);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), 0x012340c1);
	format->fill_beside(fmt_gpt(test), entry, 0, 3);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0] | entry[1] | entry[2]), 0);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[3]), 1);
}

/* ---- while others look ------------------------------------------------------ */

#define FMT_ROUNDS	50000

/**
 * struct fmt_writer - changes an entry over and over
 * @gpt: table with the format
 * @leaf: what it changes between, as different as can be
 * @entry: the entry
 * @enough: it has changed often enough
 * @done: the thread has ended
 */
struct fmt_writer {
	const struct drm_gpt *gpt;
	u64 leaf[2];
	u64 entry;
	bool enough;
	struct completion done;
};

static int fmt_writer_thread(void *data)
{
	struct fmt_writer *writer = data;
	u32 i;

	for (i = 0; i < FMT_ROUNDS; i++) {
		writer->gpt->format->fill_leaves(writer->gpt, &writer->entry, 0,
					    &writer->leaf[i % 2], 1);
		if (i % 1024 == 0)
			cond_resched();
	}
	WRITE_ONCE(writer->enough, true);
	kthread_complete_and_exit(&writer->done, 0);
}

/* Of an entry that changes a lookup has one leaf or the other; or, by halves, none. */
static void shows_no_half_of_an_entry(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	struct fmt_writer *writer = kunit_kzalloc(test, sizeof(*writer), GFP_KERNEL);
	bool halves = BITS_PER_LONG == 32;
	u64 got, wrong = 0;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, writer);
	writer->gpt = fmt_gpt(test);
	writer->leaf[0] = V;
	writer->leaf[1] = V | (W & format->leaf_bits) | fmt_addresses(format, 0);
	format->fill_leaves(fmt_gpt(test), &writer->entry, 0, writer->leaf, 1);
	init_completion(&writer->done);
	if (IS_ERR(kthread_run(fmt_writer_thread, writer, "drm_gpt_fmt_test")))
		kunit_skip(test, "no thread");
	for (i = 1; !READ_ONCE(writer->enough); i++) {
		got = format->decode(fmt_gpt(test), &writer->entry, 0);
		if (got != writer->leaf[0] && got != writer->leaf[1] &&
		    (got || !halves))
			wrong = got;
		if (i % 1024 == 0)
			cond_resched();
	}
	wait_for_completion(&writer->done);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* ---- geometry --------------------------------------------------------------- */

static int fmt_mem_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem, u32 bytes,
			 gfp_t gfp)
{
	mem->cpu = kvzalloc(bytes, gfp);
	mem->addr = 0x10000;
	return mem->cpu ? 0 : -ENOMEM;
}

static void fmt_mem_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem, u32 bytes)
{
	kvfree(mem->cpu);
}

static const struct drm_gpt_mem_ops fmt_mem_ops = {
	.alloc = fmt_mem_alloc,
	.free = fmt_mem_free,
};

static void fmt_gpt_init(struct kunit *test, struct drm_gpt *gpt)
{
	const struct drm_gpt_config config = {
		.format = fmt_of(test),
		.mem = &fmt_mem_ops,
		.attrs = fmt_gpt(test)->attrs,
		.nr_attrs = fmt_gpt(test)->nr_attrs,
	};

	KUNIT_ASSERT_EQ(test, drm_gpt_init(gpt, &config), 0);
}

static void levels_cover_all_addresses(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u8 level, shift = format->levels[0].shift;
	struct drm_gpt gpt;

	for (level = 0; level < format->nr_levels; level++) {
		const struct drm_gpt_level *l = &format->levels[level];

		KUNIT_EXPECT_EQ(test, l->shift, shift);
		KUNIT_EXPECT_EQ(test, l->table, level > 0);
		/* What has groups has leaves that could be in one. */
		KUNIT_EXPECT_TRUE(test, l->leaf || !l->hint);
		shift += l->bits;
	}
	KUNIT_EXPECT_EQ(test, shift, format->va_bits);
	/* An address of a leaf has none of the bits below the page. */
	KUNIT_EXPECT_EQ(test, format->leaf_bits & H, 0);
	fmt_gpt_init(test, &gpt);
	drm_gpt_fini(&gpt);
}

/* Commits of what entries of @level have no room for change nothing. */
static void fmt_expect_refused(struct kunit *test, struct drm_gpt *gpt, u8 level,
			       u64 bad)
{
	u64 page = 1ULL << fmt_of(test)->levels[level].shift;
	const u64 leaves[] = { V, bad, V };
	struct drm_gpt_entry entry;
	struct drm_gpt_update up;
	u32 k;

	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(gpt, &up, 0, 8 * page - 1, level,
					      GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, 4 * page, bad, 1, NULL,
						 NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit(&up, 0, leaves, 3, NULL, NULL),
			-EINVAL);
	drm_gpt_finish(&up);
	if (!level)
		KUNIT_EXPECT_EQ(test, drm_gpt_map(gpt, 0, leaves, 3, GFP_KERNEL),
				-EINVAL);
	/* But what came before it in an array. */
	for (k = 1; k < 8; k++) {
		drm_gpt_lookup(gpt, k * page, &entry);
		KUNIT_EXPECT_EQ(test, entry.flags, 0);
	}
}

static void refuses_what_entries_cannot_say(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	struct drm_gpt gpt;
	u8 level, k;

	for (level = 0; level < format->nr_levels; level++) {
		if (!format->levels[level].leaf)
			continue;
		fmt_gpt_init(test, &gpt);
		for (k = 1; k < 64; k++)
			if (!(BIT_ULL(k) & fmt_room(format, level)))
				fmt_expect_refused(test, &gpt, level,
						   V | BIT_ULL(k));
		drm_gpt_fini(&gpt);
	}
}

static void refuses_sequences_that_end_beyond(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	u64 last = fmt_addresses(format, 0);
	u64 page = 1ULL << format->levels[0].shift;
	struct drm_gpt_update up;
	struct drm_gpt gpt;

	fmt_gpt_init(test, &gpt);
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&gpt, &up, 0, 2 * page - 1, 0,
					      GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, 0, last | V, 2, NULL, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, 0, last | V, 1, NULL, NULL),
			0);
	drm_gpt_finish(&up);
	drm_gpt_fini(&gpt);
}

/* ---- attributes ------------------------------------------------------------- */

static void attributes_change_their_own_bits(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	const struct drm_gpt *gpt = fmt_gpt(test);
	u64 mask, flags = 0, plain;
	u8 level, i;

	for (level = 0; level < format->nr_levels; level++) {
		if (!format->levels[level].leaf)
			continue;
		mask = fmt_flags(format, level) & ~DRM_GPT_LEAF_ATTR;
		do {
			plain = fmt_encode(test, level, V | flags);
			for (i = 0; i < gpt->nr_attrs; i++)
				KUNIT_EXPECT_EQ(test, fmt_encode(test, level,
								 V | flags | ATTR(1) * i),
						(plain & ~gpt->attrs[i].clear) |
						gpt->attrs[i].set);
			flags = fmt_next(format, flags, mask);
		} while (flags);
	}
}

/* Neither address nor flags, where a table points to, nor what nobody speaks of. */
static void refuses_attributes_that_reach_beyond(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	struct drm_gpt_attr attrs[2] = {};
	struct drm_gpt_config config = {
		.format = format,
		.mem = &fmt_mem_ops,
		.attrs = attrs,
		.nr_attrs = ARRAY_SIZE(attrs),
	};
	struct drm_gpt gpt;
	u8 k;

	for (k = 0; k < 64; k++) {
		int want = format->attr_bits & BIT_ULL(k) ? 0 : -EINVAL;

		attrs[1] = (struct drm_gpt_attr) { .set = BIT_ULL(k) };
		KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), want);
		if (!want)
			drm_gpt_fini(&gpt);
		attrs[1] = (struct drm_gpt_attr) { .clear = BIT_ULL(k) };
		KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), want);
		if (!want)
			drm_gpt_fini(&gpt);
	}
	attrs[1] = attrs[0];
	config.nr_attrs = DRM_GPT_MAX_ATTRS + 1;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	config.nr_attrs = 0;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	config.nr_attrs = 2;
	config.attrs = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
}

/* What a commit would refuse, and why. */
static void tells_what_could_be_committed(struct kunit *test)
{
	const struct drm_gpt_format *format = fmt_of(test);
	struct drm_gpt gpt;
	u8 level;

	fmt_gpt_init(test, &gpt);
	for (level = 0; level <= format->nr_levels; level++) {
		bool leaf = level < format->nr_levels && format->levels[level].leaf;
		int ok = leaf ? 0 : -EINVAL;

		KUNIT_EXPECT_EQ(test, drm_gpt_check(&gpt, level, V), ok);
		KUNIT_EXPECT_EQ(test, drm_gpt_check(&gpt, level, 0), -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_gpt_check(&gpt, level, V | H), -EINVAL);
		if (!leaf)
			continue;
		KUNIT_EXPECT_EQ(test, drm_gpt_check(&gpt, level, V | Z),
				format->null ? 0 : -EOPNOTSUPP);
		KUNIT_EXPECT_EQ(test, drm_gpt_check(&gpt, level, V | E),
				format->poison ? 0 : -EOPNOTSUPP);
		KUNIT_EXPECT_EQ(test, drm_gpt_check(&gpt, level, V | E | 2 << 5),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, drm_gpt_check(&gpt, level, V | ATTR(2)),
				format->attr_bits ? 0 : -EINVAL);
		KUNIT_EXPECT_EQ(test, drm_gpt_check(&gpt, level, V | ATTR(FMT_ATTRS)),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, drm_gpt_check(&gpt, level, V | BIT_ULL(11)),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, drm_gpt_check(&gpt, level, V |
						    (format->levels[level].shift > 12 ?
						     0x1000 : 0)),
				format->levels[level].shift > 12 ? -EINVAL : 0);
	}
	drm_gpt_fini(&gpt);
}

static struct kunit_case drm_gpt_fmt_test_cases[] = {
	KUNIT_CASE_PARAM(encodes_what_the_manual_says, fmt_param_gen_params),
	KUNIT_CASE_PARAM(decodes_what_it_encodes, fmt_param_gen_params),
	KUNIT_CASE_PARAM(gives_each_address_bit_a_place, fmt_param_gen_params),
	KUNIT_CASE_PARAM(stops_at_what_it_cannot_encode, fmt_param_gen_params),
	KUNIT_CASE_PARAM(fills_sequences_as_single_leaves, fmt_param_gen_params),
	KUNIT_CASE_PARAM(empties_entries_and_no_more, fmt_param_gen_params),
	KUNIT_CASE_PARAM(takes_no_table_for_a_leaf, fmt_param_gen_params),
	KUNIT_CASE_PARAM(tells_what_all_have, fmt_param_gen_params),
	KUNIT_CASE(points_to_big_and_small_pages),
	KUNIT_CASE(encodes_big_pages),
	KUNIT_CASE_PARAM(shows_no_half_of_an_entry, fmt_param_gen_params),
	KUNIT_CASE_PARAM(levels_cover_all_addresses, fmt_param_gen_params),
	KUNIT_CASE_PARAM(refuses_what_entries_cannot_say, fmt_param_gen_params),
	KUNIT_CASE_PARAM(refuses_sequences_that_end_beyond, fmt_param_gen_params),
	KUNIT_CASE_PARAM(attributes_change_their_own_bits, fmt_param_gen_params),
	KUNIT_CASE_PARAM(refuses_attributes_that_reach_beyond, fmt_param_gen_params),
	KUNIT_CASE_PARAM(tells_what_could_be_committed, fmt_param_gen_params),
	{}
};

static struct kunit_suite drm_gpt_fmt_test_suite = {
	.name = "drm_gpt_formats",
	.init = fmt_init,
	.test_cases = drm_gpt_fmt_test_cases,
};

kunit_test_suite(drm_gpt_fmt_test_suite);
