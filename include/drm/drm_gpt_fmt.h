/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_FMT_H_
#define _DRM_GPT_FMT_H_

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/string.h>
#include <linux/unroll.h>

#include <drm/drm_gpt.h>

/**
 * DOC: writing a format
 *
 * For drivers that describe their device's page table to drm_gpt; who only uses a
 * table needs drm/drm_gpt.h. A format is one file: the bits of an entry, what they
 * mean, and the geometry. The loops over entries, and how an entry of 4 or 8 bytes
 * is stored so that the device never sees half of it, are here. DRM_GPT_FMT() makes
 * the functions of &struct drm_gpt_format out of a &struct drm_gpt_fmt, each with
 * a loop of its own and no indirect call in it.
 *
 * A device with 39 bits of addresses, three levels of 512 entries, and pages of 4K
 * and 2M, whose entry is an address with three bits below, is this much::
 *
 *	#define ENTRY_VALID	BIT_ULL(0)
 *	#define ENTRY_WRITE	BIT_ULL(1)
 *	#define ENTRY_PAGE	BIT_ULL(2)		// else a table
 *	#define ENTRY_ADDR	GENMASK_ULL(47, 12)
 *	#define MY_LEAF_BITS	(ENTRY_ADDR | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE)
 *
 *	static u64 my_attrs(u64 flags, u8 level)	// all but the address
 *	{
 *		return ENTRY_VALID | ENTRY_PAGE |
 *		       (flags & DRM_GPT_LEAF_WRITE ? ENTRY_WRITE : 0);
 *	}
 *
 *	static u64 my_flags(u64 entry, u8 level)	// and back; 0: no leaf
 *	{
 *		if (!(entry & ENTRY_VALID) || !(entry & ENTRY_PAGE))
 *			return 0;
 *		return DRM_GPT_LEAF_VALID |
 *		       (entry & ENTRY_WRITE ? DRM_GPT_LEAF_WRITE : 0);
 *	}
 *
 *	static u64 my_addr(u64 addr)
 *	{
 *		return addr & ENTRY_ADDR;
 *	}
 *
 *	static u64 my_table(bool local)
 *	{
 *		return ENTRY_VALID;
 *	}
 *
 *	static const struct drm_gpt_fmt my_fmt = {
 *		.shift = 12, .bits = 9, .entry_shift = 3,
 *		.leaf_bits = MY_LEAF_BITS,
 *		.attrs = my_attrs, .addr = my_addr, .flags = my_flags,
 *		.page = my_addr, .table = my_table,
 *	};
 *
 *	DRM_GPT_FMT(my)
 *
 *	const struct drm_gpt_format my_format = {
 *		.name = "my", .va_bits = 39, .nr_levels = 3,
 *		.replace_ok = true,
 *		.leaf_bits = MY_LEAF_BITS,
 *		.levels = {
 *			{ .shift = 12, .bits = 9, .entry_shift = 3, .leaf = true },
 *			{ .shift = 21, .bits = 9, .entry_shift = 3, .leaf = true,
 *			  .table = true },
 *			{ .shift = 30, .bits = 9, .entry_shift = 3, .table = true },
 *		},
 *		DRM_GPT_FMT_FUNCTIONS(my),
 *	};
 *
 * What to think about, in this order:
 *
 * - &drm_gpt_format.replace_ok: may an entry in use become another size, or another
 *   address, in one store? If the manual asks for break-before-make, it may not.
 * - &drm_gpt_level.hint: may a group of equal entries say that it is one? A group is
 *   aligned, has addresses that follow each other, and is written as a whole.
 * - &drm_gpt_format.leaf_bits: what has no bit in the entry is left out there, and
 *   who asks for it is refused. Nothing is dropped silently.
 * - A right that is a bit which is *clear*: &drm_gpt_fmt.clear.
 * - Caching, execution, compression: no flag of a leaf says what only some devices
 *   have. The driver names them by number (%DRM_GPT_LEAF_ATTR) and says which bits of
 *   the entry each means in &drm_gpt_config.attrs; the format only says which bits
 *   these may be, in &drm_gpt_format.attr_bits.
 * - &drm_gpt_format.null, &drm_gpt_format.poison: is there an entry that makes reads
 *   give zeros, or one whose access fails for good? Then @attrs and @flags of &struct
 *   drm_gpt_fmt have to know %DRM_GPT_LEAF_NULL and %DRM_GPT_LEAF_POISON.
 * - Entries are little-endian. One whose lower half is 0 is empty.
 * - Entries of 16 bytes, or a table beside another: write these functions yourself,
 *   with what is here as pieces.
 *
 * A test that has entries worked out by hand from the manual, and a decoder that does
 * not share a line with the format, are worth more than a second look at it.
 */

/* ---- one entry ------------------------------------------------------------ */

#if BITS_PER_LONG == 64

static __always_inline void drm_gpt_store64(__le64 *entry, u64 value)
{
	WRITE_ONCE(*entry, cpu_to_le64(value));
}

static __always_inline u64 drm_gpt_load64(const __le64 *entry)
{
	return le64_to_cpu(READ_ONCE(*entry));
}

static inline void drm_gpt_clear64(__le64 *entry, u32 n)
{
	memset64((u64 *)entry, 0, n);
}

#else /* BITS_PER_LONG == 32 */

/*
 * A device that reads all 8 bytes at once must not find halves of two entries
 * that both look valid. So where the upper half changes, the entry is empty in
 * between: an access faults then, and is repeated, or finds the entry as it was
 * before or is afterwards. What only changes in the lower half, as rights do in
 * most formats, has no such moment.
 */
static inline void drm_gpt_store64(__le64 *entry, u64 value)
{
	__le32 low = cpu_to_le32((u32)value);
	__le32 high = cpu_to_le32((u32)(value >> 32));
	__le32 *half = (__le32 *)entry;

	if (READ_ONCE(half[1]) != high) {
		WRITE_ONCE(half[0], 0);
		dma_wmb(); /* empty before it is wrong */
		WRITE_ONCE(half[1], high);
		dma_wmb(); /* and right before it is valid */
	}
	WRITE_ONCE(half[0], low);
}

/*
 * For those without the table's lock: not the halves of two entries. Both are read
 * twice, since the lower one may have changed and changed back while the upper one
 * was read. To be wrong all the same, an entry would have to become another and
 * the first again between any two of these loads.
 */
static inline u64 drm_gpt_load64(const __le64 *entry)
{
	const __le32 *half = (const __le32 *)entry;
	__le32 low, high;

	do {
		low = READ_ONCE(half[0]);
		smp_rmb(); /* pairs with the barriers of drm_gpt_store64() */
		high = READ_ONCE(half[1]);
		smp_rmb(); /* as above */
		if (READ_ONCE(half[0]) != low)
			continue;
		smp_rmb(); /* as above */
		if (READ_ONCE(half[1]) == high)
			break;
	} while (true);
	return (u64)le32_to_cpu(high) << 32 | le32_to_cpu(low);
}

static inline void drm_gpt_clear64(__le64 *entry, u32 n)
{
	__le32 *half = (__le32 *)entry;
	u32 i;

	for (i = 0; i < n; i++)
		WRITE_ONCE(half[2 * i], 0);
	dma_wmb(); /* empty before they are wrong */
	for (i = 0; i < n; i++)
		WRITE_ONCE(half[2 * i + 1], 0);
}

#endif

/* ---- what a format says --------------------------------------------------- */

/**
 * struct drm_gpt_fmt - what the entries of a format mean
 * @shift: log2 of the bytes of the smallest page
 * @bits: log2 of the entries of a table of a level that may hold leaves
 * @entry_shift: log2 of the bytes of an entry: 2 or 3
 * @leaf_bits: &drm_gpt_format.leaf_bits
 * @clear: bits that say more when they are clear than when they are set: on
 *	level 0, and above
 * @attrs: all of an entry that maps a leaf with these flags, but the address
 * @addr: an address, of a page or a table, as an entry has it; one of 8 bytes has
 *	it in one piece, so that what is added to an address is added to the entry
 * @flags: what an entry says but the address, 0 if it is empty or no leaf
 * @page: the address that an entry has
 * @table: all of an entry that points to a table, but the address
 * @each: that an entry is a leaf is not said by the same bits in all of them, as
 *	where those without memory are not what the device calls valid
 *
 * The functions are inlined into the loops: a format has them static, and its
 * struct constant.
 */
struct drm_gpt_fmt {
	u8 shift;
	u8 bits;
	u8 entry_shift;
	u64 leaf_bits;
	u64 clear[2];
	u64 (*attrs)(u64 flags, u8 level);
	u64 (*addr)(u64 leaf);
	u64 (*flags)(u64 entry, u8 level);
	u64 (*page)(u64 entry);
	u64 (*table)(bool local);
	bool each;
};

/* ---- what a table says ---------------------------------------------------- */

/**
 * drm_gpt_flags_ok() - may a leaf have these flags?
 * @gpt: page table
 * @leaf_bits: &drm_gpt_format.leaf_bits
 * @flags: of the leaf, all but its address
 *
 * For &drm_gpt_format.fill_leaves.
 *
 * Context: any.
 * Return: false if entries have no room for them, or the table has no such
 * attribute.
 */
static __always_inline bool drm_gpt_flags_ok(const struct drm_gpt *gpt,
					     u64 leaf_bits, u64 flags)
{
	if (FIELD_GET(DRM_GPT_LEAF_ATTR, flags) >= gpt->nr_attrs)
		return false;
	if ((flags & DRM_GPT_LEAF_APERTURE) == DRM_GPT_LEAF_NOWHERE) {
		u64 place = flags & DRM_GPT_LEAF_PLACE;

		if (!(gpt->format->null && place == DRM_GPT_LEAF_NULL) &&
		    !(gpt->format->poison && place == DRM_GPT_LEAF_POISON))
			return false;
		if (place == DRM_GPT_LEAF_POISON)
			leaf_bits &= ~(DRM_GPT_LEAF_WRITE | DRM_GPT_LEAF_ATOMIC);
		flags &= ~DRM_GPT_LEAF_PLACE;
	}
	return !(flags & DRM_GPT_LEAF_FLAGS & ~(leaf_bits | DRM_GPT_LEAF_ATTR));
}

/**
 * drm_gpt_attr_apply() - what an attribute makes of an entry
 * @gpt: page table
 * @flags: of the leaf
 * @entry: without the attribute
 *
 * Context: any.
 * Return: the entry with it.
 */
static __always_inline u64 drm_gpt_attr_apply(const struct drm_gpt *gpt,
					      u64 flags, u64 entry)
{
	const struct drm_gpt_attr *attr;

	if (!gpt->attr_bits)
		return entry;
	attr = &gpt->attrs[FIELD_GET(DRM_GPT_LEAF_ATTR, flags)];
	return (entry & ~attr->clear) | attr->set;
}

/**
 * drm_gpt_attr_find() - which attribute an entry has
 * @gpt: page table
 * @entry: entry of a leaf
 * @base: what it were without attributes, in the bits that they change
 *
 * Context: any.
 * Return: flags with the first that fits, 0 if there are none.
 */
static __always_inline u64 drm_gpt_attr_find(const struct drm_gpt *gpt, u64 entry,
					     u64 base)
{
	u32 i;

	for (i = 0; gpt->attr_bits && i < gpt->nr_attrs; i++) {
		u64 flags = FIELD_PREP(DRM_GPT_LEAF_ATTR, (u64)i);

		if (!((drm_gpt_attr_apply(gpt, flags, base) ^ entry) & gpt->attr_bits))
			return flags;
	}
	return 0;
}

/* ---- loops ---------------------------------------------------------------- */

static __always_inline void drm_gpt_fmt_store(const struct drm_gpt_fmt *fmt,
					      void *dst, u32 i, u64 value)
{
	if (fmt->entry_shift == 2)
		WRITE_ONCE(((__le32 *)dst)[i], cpu_to_le32(value));
	else
		drm_gpt_store64((__le64 *)dst + i, value);
}

static __always_inline u64 drm_gpt_fmt_load(const struct drm_gpt_fmt *fmt,
					    const void *src, u32 i)
{
	if (fmt->entry_shift == 2)
		return le32_to_cpu(READ_ONCE(((const __le32 *)src)[i]));
	return drm_gpt_load64((const __le64 *)src + i);
}

/* All of an entry but the address. */
static __always_inline u64 drm_gpt_fmt_attrs(const struct drm_gpt *gpt,
					     const struct drm_gpt_fmt *fmt, u64 flags,
					     u8 level)
{
	return drm_gpt_attr_apply(gpt, flags, fmt->attrs(flags, level));
}

/* Neighbours mostly differ in the address alone. */
static __always_inline u32
drm_gpt_fmt_fill_leaves(const struct drm_gpt *gpt, const struct drm_gpt_fmt *fmt,
			void *dst, u8 level, const u64 *leaves, u32 n)
{
	u64 step = 1ULL << (fmt->shift + fmt->bits * level);
	u64 addr = fmt->leaf_bits & DRM_GPT_LEAF_ADDR & ~(step - 1);
	u64 flags = U64_MAX, attrs = 0;
	u32 i;

	unrolled_count(4)
	for (i = 0; i < n; i++) {
		u64 leaf = leaves[i];

		/* Bits of the address that there is no room for come here too. */
		if (unlikely((leaf & ~addr) != flags)) {
			flags = leaf & ~addr;
			if (!(flags & DRM_GPT_LEAF_VALID) ||
			    (flags & DRM_GPT_LEAF_ADDR) ||
			    !drm_gpt_flags_ok(gpt, fmt->leaf_bits, flags))
				break;
			attrs = drm_gpt_fmt_attrs(gpt, fmt, flags, level);
		}
		drm_gpt_fmt_store(fmt, dst, i,
				  fmt->addr(leaf & DRM_GPT_LEAF_ADDR) | attrs);
	}
	return i;
}

static __always_inline void
drm_gpt_fmt_fill_seq(const struct drm_gpt *gpt, const struct drm_gpt_fmt *fmt,
		     void *dst, u8 level, u64 leaf, u32 n)
{
	u64 step = 1ULL << (fmt->shift + fmt->bits * level);
	u64 attrs = drm_gpt_fmt_attrs(gpt, fmt, leaf & DRM_GPT_LEAF_FLAGS, level);
	u64 value = fmt->addr(leaf & DRM_GPT_LEAF_ADDR) | attrs, more = fmt->addr(step);
	u32 i;

	if (fmt->entry_shift == 3) {
		unrolled_count(8)
		for (i = 0; i < n; i++, value += more)
			drm_gpt_store64((__le64 *)dst + i, value);
		return;
	}
	for (i = 0; i < n; i++, leaf += step)
		drm_gpt_fmt_store(fmt, dst, i,
				  fmt->addr(leaf & DRM_GPT_LEAF_ADDR) | attrs);
}

static __always_inline void
drm_gpt_fmt_fill_empty(const struct drm_gpt_fmt *fmt, void *dst, u32 n)
{
	u32 i;

	if (fmt->entry_shift == 3)
		drm_gpt_clear64(dst, n);
	else
		for (i = 0; i < n; i++)
			WRITE_ONCE(((__le32 *)dst)[i], 0);
}

static __always_inline u64 drm_gpt_fmt_decode(const struct drm_gpt *gpt,
					      const struct drm_gpt_fmt *fmt,
					      const void *src, u8 level)
{
	u64 entry = drm_gpt_fmt_load(fmt, src, 0);
	u64 flags = fmt->flags(entry, level);

	if (!flags)
		return 0;
	if (gpt->attr_bits)
		flags |= drm_gpt_attr_find(gpt, entry, fmt->attrs(flags, level));
	return flags | fmt->page(entry);
}

static __always_inline u64 drm_gpt_fmt_common_each(const struct drm_gpt_fmt *fmt,
						   const void *src, u8 level, u32 n)
{
	u64 flags = DRM_GPT_LEAF_RIGHTS;

	while (n-- && flags)
		flags &= fmt->flags(drm_gpt_fmt_load(fmt, src, n), level);
	return flags;
}

/* Rights are bits that are set, or clear, in all of them. */
static __always_inline u64 drm_gpt_fmt_common(const struct drm_gpt_fmt *fmt,
					      const void *src, u8 level, u32 n)
{
	bool inverts = fmt->clear[0] | fmt->clear[1];
	u64 clear = inverts ? fmt->clear[!!level] : 0;
	u64 all = U64_MAX, any = 0;

	if (fmt->each)
		return drm_gpt_fmt_common_each(fmt, src, level, n);
	while (n--) {
		u64 entry = drm_gpt_fmt_load(fmt, src, n);

		all &= entry;
		any |= entry;
	}
	return fmt->flags((all & ~clear) | (any & clear), level) &
	       DRM_GPT_LEAF_RIGHTS;
}

/**
 * DRM_GPT_FMT() - make the functions of a format
 * @name: NAME_fmt is the &struct drm_gpt_fmt that describes it; they are called
 *	NAME_fill_leaves() and so on
 */
#define DRM_GPT_FMT(name)							\
static u32 name##_fill_leaves(const struct drm_gpt *gpt, void *dst, u8 level,	\
			      const u64 *leaves, u32 n)				\
{										\
	return drm_gpt_fmt_fill_leaves(gpt, &name##_fmt, dst, level, leaves, n);	\
}										\
										\
static void name##_fill_seq(const struct drm_gpt *gpt, void *dst, u8 level,	\
			    u64 leaf, u32 n)					\
{										\
	drm_gpt_fmt_fill_seq(gpt, &name##_fmt, dst, level, leaf, n);		\
}										\
										\
static void name##_fill_empty(const struct drm_gpt *gpt, void *dst, u8 level,	\
			      u32 n)						\
{										\
	drm_gpt_fmt_fill_empty(&name##_fmt, dst, n);				\
}										\
										\
static void name##_fill_table(const struct drm_gpt *gpt, void *dst, u8 level,	\
			      const struct drm_gpt_target *to)			\
{										\
	drm_gpt_fmt_store(&name##_fmt, dst, 0, name##_fmt.addr(to->addr) |	\
					       name##_fmt.table(to->local));	\
}										\
										\
static u64 name##_decode(const struct drm_gpt *gpt, const void *src, u8 level)	\
{										\
	return drm_gpt_fmt_decode(gpt, &name##_fmt, src, level);			\
}										\
										\
static u64 name##_common(const struct drm_gpt *gpt, const void *src, u8 level,	\
			 u32 n)							\
{										\
	return drm_gpt_fmt_common(&name##_fmt, src, level, n);			\
}

/**
 * DRM_GPT_FMT_FUNCTIONS() - what DRM_GPT_FMT() made, as members of &struct
 * drm_gpt_format
 * @name: as there
 */
#define DRM_GPT_FMT_FUNCTIONS(name)						\
	.fill_leaves = name##_fill_leaves,					\
	.fill_seq = name##_fill_seq,						\
	.fill_empty = name##_fill_empty,					\
	.fill_table = name##_fill_table,					\
	.decode = name##_decode,						\
	.common = name##_common

#endif /* _DRM_GPT_FMT_H_ */
