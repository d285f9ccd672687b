// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Makes random sequences: see random.h. */

#include "random.h"

enum { T6 = RANDOM_BASE, ADDR = 30 };

static u32 dice(struct random_image *image, u32 n)
{
	return prandom_u32_state(&image->rnd) % n;
}

static void put(struct random_image *image, u32 insn)
{
	image->code[image->n++] = insn;
}

/* Any register but the one that has to stay. */
static u32 any_rd(struct random_image *image)
{
	return dice(image, RANDOM_BASE);
}

static u32 any_rs(struct random_image *image)
{
	return dice(image, 32);
}

/* A number that is at some limit, or any. */
static u64 any_value(struct random_image *image)
{
	static const u64 corners[] = {
		0, 1, 2, ~0ULL, ~1ULL, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
		0xffffffff80000000, 0xffffffff7fffffff, 31, 32, 63, 64,
	};
	u64 high = prandom_u32_state(&image->rnd);

	if (dice(image, 2))
		return corners[dice(image, ARRAY_SIZE(corners))];
	return high << 32 | prandom_u32_state(&image->rnd);
}

/* An offset from X31 into the data, aligned to @bytes. */
static int any_offset(struct random_image *image, u32 bytes)
{
	return (int)(dice(image, 2 * RANDOM_DATA / bytes) * bytes) - RANDOM_DATA;
}

/* ---- kinds of units ------------------------------------------------------- */

static void put_reg(struct random_image *image)
{
	static const u32 alt[] = { 0x20, 0x20, 1, 1, 1, 0, 0, 0 };
	u32 f3 = dice(image, 8), f7 = alt[dice(image, ARRAY_SIZE(alt))];

	if (f7 == 0x20 && f3 != 5)
		f3 = 0;
	put(image, RV_R(f7, any_rs(image), any_rs(image), f3, any_rd(image), 0x33));
}

static void put_reg32(struct random_image *image)
{
	static const u32 base[] = { 0, 1, 5 }, mul[] = { 0, 4, 5, 6, 7 };
	u32 f7 = dice(image, 3), f3 = base[dice(image, 3)];

	if (f7 == 1)
		f3 = mul[dice(image, ARRAY_SIZE(mul))];
	if (f7 == 2) {
		f7 = 0x20;
		f3 = f3 == 1 ? 0 : f3;
	}
	put(image, RV_R(f7, any_rs(image), any_rs(image), f3, any_rd(image), 0x3b));
}

/* @bits: of a shift's amount */
static u32 any_imm(struct random_image *image, u32 f3, u32 bits)
{
	u32 shift = dice(image, 1U << bits);

	if (f3 == 1)
		return shift;
	if (f3 == 5)
		return shift | dice(image, 2) << 10;
	return dice(image, 4096);
}

static void put_imm(struct random_image *image)
{
	u32 f3 = dice(image, 8);

	put(image, RV_I(any_imm(image, f3, 6), any_rs(image), f3, any_rd(image), 0x13));
}

static void put_imm32(struct random_image *image)
{
	static const u32 f3s[] = { 0, 1, 5 };
	u32 f3 = f3s[dice(image, 3)];

	put(image, RV_I(any_imm(image, f3, 5), any_rs(image), f3, any_rd(image), 0x1b));
}

static void put_upper(struct random_image *image)
{
	put(image, dice(image, 1 << 20) << 12 | any_rd(image) << 7 |
	    (dice(image, 2) ? 0x37 : 0x17));
}

static void put_load(struct random_image *image)
{
	u32 f3 = dice(image, 7);

	put(image, RV_I(any_offset(image, 1 << (f3 & 3)), T6, f3, any_rd(image), 0x03));
}

static void put_store(struct random_image *image)
{
	u32 f3 = dice(image, 4);
	int offset = any_offset(image, 1 << f3);

	put(image, RV_S(offset, any_rs(image), T6, f3, 0x23));
}

static void put_address(struct random_image *image, u32 f3)
{
	put(image, RV_I(any_offset(image, 1 << f3), T6, 0, ADDR, 0x13));
}

static void put_amo(struct random_image *image)
{
	static const u32 f5s[] = { 0, 1, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c };
	u32 f3 = 2 + dice(image, 2), f5 = f5s[dice(image, ARRAY_SIZE(f5s))];

	put_address(image, f3);
	put(image, RV_R(f5 << 2 | dice(image, 4), any_rs(image), ADDR, f3,
			any_rd(image), 0x2f));
}

/*
 * A pair of LR and SC, maybe with a store or another SC in between, or an SC alone.
 * The width is the same: what becomes of others is up to the machine.
 */
static void put_reserve(struct random_image *image)
{
	u32 f3 = 2 + dice(image, 2), kind = dice(image, 4);

	put_address(image, f3);
	if (kind)
		put(image, RV_R(2 << 2 | dice(image, 4), 0, ADDR, f3, dice(image, 30),
				0x2f));
	if (kind == 2)
		put(image, RV_S(0, any_rs(image), ADDR, f3, 0x23));
	if (kind == 3)
		put(image, RV_R(3 << 2, any_rs(image), ADDR, f3, dice(image, 30), 0x2f));
	put(image, RV_R(3 << 2 | dice(image, 4), any_rs(image), ADDR, f3,
			any_rd(image), 0x2f));
}

static void put_fence(struct random_image *image)
{
	put(image, dice(image, 2) ? 0x8330000f : dice(image, 256) << 20 | 0x0f);
}

/* ---- jumps: forwards, over whole units ------------------------------------ */

enum jump { NO_JUMP, JUMP_BRANCH, JUMP_JAL, JUMP_JALR };

static void put_jump(struct random_image *image, enum jump jump)
{
	static const u32 f3s[] = { 0, 1, 4, 5, 6, 7 };

	switch (jump) {
	case JUMP_BRANCH:
		put(image, any_rs(image) << 20 | any_rs(image) << 15 |
		    f3s[dice(image, ARRAY_SIZE(f3s))] << 12 | 0x63);
		break;
	case JUMP_JAL:
		put(image, any_rd(image) << 7 | 0x6f);
		break;
	default:
		put(image, ADDR << 7 | 0x17);
		put(image, RV_I(0, ADDR, 0, any_rd(image), 0x67));
	}
}

/* The jump that ends at instruction @at goes to @to. */
static void set_target(struct random_image *image, enum jump jump, unsigned int at,
		       unsigned int to)
{
	u32 *insn = &image->code[at], d = (to - at) * 4;

	switch (jump) {
	case JUMP_BRANCH:
		*insn |= (d >> 5 & 63) << 25 | (d >> 1 & 15) << 8 | (d >> 11 & 1) << 7;
		break;
	case JUMP_JAL:
		*insn |= (d >> 1 & 0x3ff) << 21 | (d >> 11 & 1) << 20 | (d & 0xff000);
		break;
	default:
		/* From the instruction before. */
		*insn |= (d + 4) << 20;
	}
}

/* ---- sequences ------------------------------------------------------------ */

static enum jump put_unit(struct random_image *image)
{
	static void (* const kinds[])(struct random_image *image) = {
		put_reg, put_reg, put_reg, put_reg32, put_reg32, put_imm, put_imm,
		put_imm32, put_upper, put_load, put_load, put_store, put_store,
		put_amo, put_amo, put_reserve, put_fence,
	};
	u32 kind = dice(image, ARRAY_SIZE(kinds) + 3);
	enum jump jump = kind < ARRAY_SIZE(kinds) ? NO_JUMP :
			 kind - ARRAY_SIZE(kinds) + JUMP_BRANCH;

	if (jump)
		put_jump(image, jump);
	else
		kinds[kind](image);
	return jump;
}

static void put_units(struct random_image *image)
{
	unsigned int start[RANDOM_UNITS + 1], last[RANDOM_UNITS], u, to;
	enum jump jump[RANDOM_UNITS];

	for (u = 0; u < RANDOM_UNITS; u++) {
		start[u] = image->n;
		jump[u] = put_unit(image);
		last[u] = image->n - 1;
	}
	start[RANDOM_UNITS] = image->n;
	for (u = 0; u < RANDOM_UNITS; u++) {
		to = min_t(unsigned int, u + 1 + dice(image, 5), RANDOM_UNITS);
		if (jump[u])
			set_target(image, jump[u], last[u], start[to]);
	}
}

static void put_li(struct random_image *image, u32 reg, u32 value)
{
	put(image, ((value + 0x800) & 0xfffff000) | reg << 7 | 0x37);
	put(image, RV_I(value & 0xfff, reg, 0, reg, 0x1b));
}

static void put_sequence(struct random_image *image, unsigned int i)
{
	u32 r, base = RANDOM_BLOCKS + i * sizeof(struct random_block) + RANDOM_DATA;
	u32 end = offsetof(struct random_block, end) - RANDOM_DATA;
	u32 begin = offsetof(struct random_block, begin) - RANDOM_DATA;

	image->first[i] = image->n;
	put_li(image, T6, base);
	for (r = 1; r < RANDOM_BASE; r++)
		put(image, LD(r, T6, begin + r * 8));
	put_units(image);
	for (r = 0; r < 32; r++)
		put(image, SD(r, T6, end + r * 8));
}

/* write(1, all blocks), as often as it takes; exit_group(0). Numbers are Linux's. */
static void put_system_calls(struct random_image *image)
{
	put_li(image, A1, RANDOM_BLOCKS);
	put_li(image, A2, RANDOM_BLOCK_BYTES);
	put_li(image, A0, 1);
	put_li(image, 17, 64);
	put(image, ECALL);
	put(image, ADD(A1, A1, A0));
	put(image, RV_R(0x20, A0, A2, 0, A2, 0x33));
	/* bne a2, zero, back to where a0 is set */
	put(image, 0xfe0612e3);
	put_li(image, A0, 0);
	put_li(image, 17, 94);
	put(image, ECALL);
}

void random_generate(struct random_image *image, struct random_block *blocks,
		     u64 seed)
{
	unsigned int i, j;

	prandom_seed_state(&image->rnd, seed);
	image->n = 0;
	memset(blocks, 0, RANDOM_BLOCK_BYTES);
	for (i = 0; i < RANDOM_SEQUENCES; i++) {
		for (j = 1; j < 32; j++)
			blocks[i].begin[j] = any_value(image);
		for (j = 0; j < sizeof(blocks[i].data) / 8; j++)
			((u64 *)blocks[i].data)[j] = any_value(image);
		put_sequence(image, i);
	}
	image->first[i] = image->n;
	put_system_calls(image);
}
