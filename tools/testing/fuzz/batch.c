// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What an engine is given: packets, and programs in RV64IMA machine code. Most
 * words are what the manual allows; each kind is also bent where it has bits.
 */

#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"

#define FUZZ_CODE_WORDS	48

/* ---- instructions ------------------------------------------------------- */

static uint32_t fuzz_reg(struct fuzz *f)
{
	/* Arguments, which hold addresses, more often than the others. */
	return fuzz_one_in(f, 3) ? fuzz_below(f, 32) : 10 + fuzz_below(f, 8);
}

/* What is computed seldom takes the place of an argument. */
static uint32_t fuzz_dest(struct fuzz *f)
{
	return fuzz_one_in(f, 8) ? fuzz_below(f, 32) : 18 + fuzz_below(f, 14);
}

static uint32_t fuzz_r_type(struct fuzz *f, uint32_t opcode, uint32_t funct7)
{
	return opcode | fuzz_dest(f) << 7 | fuzz_below(f, 8) << 12 |
		fuzz_reg(f) << 15 | fuzz_reg(f) << 20 | funct7 << 25;
}

static uint32_t fuzz_i_type(struct fuzz *f, uint32_t opcode, uint32_t imm)
{
	return opcode | fuzz_dest(f) << 7 | fuzz_below(f, 8) << 12 |
		fuzz_reg(f) << 15 | imm << 20;
}

static uint32_t fuzz_alu(struct fuzz *f)
{
	/* The word forms have not all the functions: seldom, they end the queue. */
	uint32_t opcode = fuzz_one_in(f, 8) ? 0x3b : 0x33;

	if (fuzz_one_in(f, 3))
		return fuzz_i_type(f, opcode - 0x20, fuzz_below(f, 32));
	return fuzz_r_type(f, opcode, fuzz_below(f, 2));
}

/* Loads and stores of a width, aligned to it as long as the register is. */
static uint32_t fuzz_access(struct fuzz *f)
{
	uint32_t width = fuzz_one_in(f, 16) ? fuzz_below(f, 8) : fuzz_below(f, 4);
	uint32_t imm = fuzz_below(f, 4096) & (fuzz_one_in(f, 20) ? ~0u : ~7u);
	uint32_t base = 11 + fuzz_below(f, 7);

	if (fuzz_one_in(f, 2))
		return 0x03 | fuzz_dest(f) << 7 | width << 12 | base << 15 | imm << 20;
	return 0x23 | (imm & 31) << 7 | (width & 3) << 12 | base << 15 |
		fuzz_reg(f) << 20 | imm >> 5 << 25;
}

static uint32_t fuzz_atomic(struct fuzz *f)
{
	static const uint32_t kinds[] = {
		0x00, 0x01, 0x02, 0x03, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x18, 0x1c,
	};
	uint32_t kind = kinds[fuzz_below(f, sizeof(kinds) / sizeof(*kinds))];
	uint32_t width = fuzz_one_in(f, 20) ? fuzz_below(f, 8) : 2 + fuzz_below(f, 2);

	return 0x2f | fuzz_dest(f) << 7 | width << 12 | (11 + fuzz_below(f, 7)) << 15 |
		(kind == 2 ? 0 : fuzz_reg(f)) << 20 | fuzz_below(f, 4) << 25 | kind << 27;
}

/* A few instructions on or back. */
static uint32_t fuzz_jump(struct fuzz *f)
{
	uint32_t step = (fuzz_below(f, 16) + 1) * 4;

	if (fuzz_one_in(f, 4))
		step = -step;
	if (fuzz_one_in(f, 4))
		return 0x6f | (step & 0x7fe) << 20 | (step >> 11 & 1) << 20 |
			(step & 0xff000) | (step >> 31) << 31;
	return 0x63 | (step & 0x1e) << 7 | (step >> 11 & 1) << 7 |
		fuzz_below(f, 8) << 12 | fuzz_reg(f) << 15 | fuzz_reg(f) << 20 |
		(step >> 5 & 0x3f) << 25 | (step >> 31) << 31;
}

static uint32_t fuzz_insn(struct fuzz *f)
{
	switch (fuzz_below(f, 16)) {
	case 0:
	case 1:
	case 2:
	case 3:
		return fuzz_alu(f);
	case 4:
	case 5:
		return fuzz_jump(f);
	case 6:
		return fuzz_atomic(f);
	case 7:
		/* lui, auipc */
		return (fuzz_one_in(f, 2) ? 0x37 : 0x17) | fuzz_dest(f) << 7 |
			(uint32_t)fuzz_draw(f) << 12;
	case 8:
		return fuzz_one_in(f, 2) ? 0x0ff0000f : 0x0000100f;
	case 9:
		/* Anything at all, rarely: it ends the queue. */
		return fuzz_one_in(f, 6) ? (uint32_t)fuzz_draw(f) : 0x00008067;
	default:
		return fuzz_access(f);
	}
}

/* Return: address of a program, which ends with a return. */
static uint64_t fuzz_program(struct fuzz *f)
{
	static uint32_t (*pages)[FUZZ_CODE_WORDS];
	uint32_t *code;
	unsigned int i, n = 1 + fuzz_below(f, FUZZ_CODE_WORDS - 1);

	if (!pages) {
		pages = mmap(NULL, FUZZ_PAGE * 4, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (pages == MAP_FAILED)
			return 0;
	}
	/* Often one that another batch runs meanwhile. */
	code = pages[fuzz_below(f, FUZZ_PAGE * 4 / sizeof(*pages))];
	for (i = 0; i < n; i++)
		code[i] = fuzz_insn(f);
	code[n - 1] = 0x00008067;
	return (uintptr_t)code;
}

/* ---- packets ------------------------------------------------------------ */

static unsigned int fuzz_launch(struct fuzz *f, uint64_t *p)
{
	unsigned int i;

	p[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_LAUNCH, DRM_VGEM_SVM_LAUNCH_WORDS);
	p[1] = fuzz_one_in(f, 20) ? fuzz_addr(f, 4) : fuzz_program(f);
	p[2] = fuzz_one_in(f, 30) ? fuzz_odd(f) : 1 + fuzz_below(f, 8);
	p[3] = fuzz_addr(f, 16);
	p[4] = fuzz_one_in(f, 20) ? fuzz_odd(f) : 16 * (1 + fuzz_below(f, 32));
	for (i = 5; i < DRM_VGEM_SVM_LAUNCH_WORDS; i++)
		p[i] = fuzz_one_in(f, 8) ? fuzz_odd(f) : fuzz_addr(f, 8);
	return DRM_VGEM_SVM_LAUNCH_WORDS;
}

static unsigned int fuzz_packet(struct fuzz *f, uint64_t *p)
{
	unsigned int n = 3;

	switch (fuzz_below(f, 5)) {
	case 0:
	case 1:
		n = fuzz_launch(f, p);
		break;
	case 2:
		n = 1;
		p[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 1);
		break;
	default:
		p[0] = DRM_VGEM_SVM_PKT(fuzz_one_in(f, 2) ? DRM_VGEM_SVM_PKT_STORE :
						    DRM_VGEM_SVM_PKT_ATOMIC_ADD, 3);
		p[1] = fuzz_addr(f, 8);
		p[2] = fuzz_draw(f);
	}
	/* An opcode of the ring, a length, a reserved bit. */
	if (fuzz_one_in(f, 20))
		p[0] = DRM_VGEM_SVM_PKT(fuzz_below(f, 256), n);
	if (fuzz_one_in(f, 40))
		p[fuzz_below(f, n)] ^= 1ull << fuzz_below(f, 64);
	return n;
}

unsigned int fuzz_batch(struct fuzz *f, uint64_t *batch, unsigned int room)
{
	unsigned int packets = 1 + fuzz_below(f, 6), n = 0;
	uint64_t packet[DRM_VGEM_SVM_LAUNCH_WORDS];

	while (packets--) {
		unsigned int words = fuzz_packet(f, packet);

		if (n + words > room)
			break;
		memcpy(&batch[n], packet, words * sizeof(*packet));
		n += words;
	}
	return n;
}
