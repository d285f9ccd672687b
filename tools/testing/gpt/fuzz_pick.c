// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What an operation is about: addresses, lengths and leaves from its bytes.
 */

#include "fuzz_state.h"

u64 size_of(u8 level)
{
	return fuzz_size(fuzz.geometry, level);
}

u32 entries(u8 level)
{
	return 1U << fuzz.geometry->bits[level];
}

u64 last_byte(void)
{
	return fuzz.hw->gpt.last;
}

static bool may_map(u8 level)
{
	return level < fuzz.geometry->levels &&
	       fuzz.geometry->format->levels[level].leaf;
}

u32 dice(u32 below)
{
	return prandom_u32_state(&fuzz.rnd) % below;
}

/* A page of [first, last]. */
u64 dice_page(u64 first, u64 last)
{
	u64 r = (u64)prandom_u32_state(&fuzz.rnd) << 32 | prandom_u32_state(&fuzz.rnd);

	return first + (r % (((last - first) >> 12) + 1) << 12);
}

/* Near the ends of tables more often than in the middle. */
static u32 near_end(u8 byte, u32 n, u32 width)
{
	u32 k = min(byte % width, n - 1);

	return byte & 0x80 ? n - 1 - k : k;
}

static u64 pick_base(const struct op *op)
{
	u64 last = last_byte(), dir = size_of(2);
	u64 mid = (last >> 1) + 1;

	switch (op->base % 3) {
	case 0:
		return 0;
	case 1:
		return mid - 2 * dir;
	default:
		return last - 4 * dir + 1;
	}
}

/* A page number and a length, from few that meet each other often. */
struct span pick(const struct op *op)
{
	u64 va = pick_base(op) + ((op->base >> 2) & 3) * size_of(2) +
		 near_end(op->mid, entries(1), 4) * size_of(1) +
		 near_end(op->page, entries(0), 40) * 0x1000ULL;
	struct span s = { .first = va };
	u64 pages;

	if (op->how & HOW_ALIGN)
		s.first = va & ~(size_of(1) - 1);
	switch (op->how & HOW_LENGTH) {
	case 0:
		pages = 1 + op->length % 20;
		break;
	case 1:
		pages = 1 + (op->length * 9) % (3 * entries(0));
		break;
	default:
		pages = (1 + op->length % 3) * entries(0);
		break;
	}
	pages = min_t(u64, pages, ((last_byte() - s.first) >> 12) + 1);
	s.n = pages;
	s.last = s.first + (pages << 12) - 1;
	return s;
}

/* For updates: also by larger pages. */
struct span pick_level(const struct op *op)
{
	u8 level = (op->how & HOW_LEVEL) >> 5;
	struct span s = pick(op);
	u64 size;

	level = level ? level - 1 : 0;
	while (!may_map(level))
		level--;
	if (!level)
		return s;
	size = size_of(level);
	s.level = level;
	s.first &= ~(size - 1);
	s.n = 1 + op->length % 6;
	if (op->length >= 0xf0) {
		s.n = min_t(u32, entries(level), ARRAY);
		s.first &= ~(size_of(level + 1) - 1);
	}
	s.n = min_t(u64, s.n, (last_byte() - s.first) / size + 1);
	s.last = s.first + s.n * size - 1;
	return s;
}

/* For what takes away: up to the whole address space. */
struct span pick_wide(const struct op *op)
{
	struct span s = pick(op);
	u64 bytes;

	if ((op->how & HOW_LENGTH) != 3)
		return s;
	s.first &= ~(size_of(op->length & 8 ? 2 : 1) - 1);
	bytes = (1 + op->length % 4) * size_of(2);
	s.last = s.first + min(bytes - 1, last_byte() - s.first);
	if (op->length >= 0xf0)
		s.last = last_byte();
	if (op->length >= 0xf8)
		s.first = 0;
	return s;
}

u64 rights_of(const struct op *op)
{
	return (op->rights & 1 ? DRM_GPT_LEAF_WRITE : 0) |
	       (op->rights & 2 ? DRM_GPT_LEAF_ATOMIC : 0);
}

/* What a leaf has besides rights: an attribute, and perhaps no memory. */
static u64 pick_flags(const struct op *op)
{
	const struct drm_gpt_format *format = fuzz.geometry->format;
	u64 flags = rights_of(op), attr = 0;

	if (fuzz.geometry->nr_attrs)
		attr = TEST_ATTR((op->rights >> 2) % fuzz.geometry->nr_attrs);
	if ((op->rights & 0xf0) == 0x10 && format->null)
		return flags | attr | DRM_GPT_LEAF_NULL;
	/* Whose rights fill_array() does not change. */
	if ((op->rights & 0xf0) == 0x20 && format->poison && !(op->aux & 4))
		return attr | DRM_GPT_LEAF_POISON;
	return flags | attr;
}

/* The leaf of the first page: bus pages that nobody has, or such as follow the VA. */
u64 pick_leaf(const struct op *op, const struct span *s)
{
	u64 flags = DRM_GPT_LEAF_VALID | pick_flags(op), size = size_of(s->level + 1);
	u64 addr;

	if (op->how & HOW_FOLLOW)
		return flags | (s->first & (size_of(3) - 1)) |
		       (u64)(1 + (op->aux & 1)) << (fuzz.geometry->levels > 3 ? 45 : 30);
	addr = roundup(fuzz.page, size) + (s->first & (size - 1));
	if (op->aux & 1)
		addr += size_of(s->level);
	fuzz.page = addr + s->n * size_of(s->level);
	return flags | addr;
}
