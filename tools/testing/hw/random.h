/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _HW_RANDOM_H_
#define _HW_RANDOM_H_

/*
 * Random instruction sequences, many in one image. Each has a block of memory: what
 * its registers begin with, what they end with, and data that it loads and stores. It
 * begins by loading registers, ends by storing them, and falls into the next one; the
 * last ends in the system calls that write all blocks out. Addresses are the same
 * wherever it runs.
 */

#include "vgem_svm_hw_rig.h"

#define RANDOM_CODE	0x10000000ULL
#define RANDOM_BLOCKS	0x20000000ULL
#define RANDOM_CODE_BYTES	SZ_128K
/* Sequences, and what they are made of: an instruction, or two that belong together. */
#define RANDOM_SEQUENCES	128
#define RANDOM_UNITS	40

/* X31 points into the block, and no sequence changes it. */
#define RANDOM_BASE	31
#define RANDOM_DATA	256	/* bytes on each side of it */

/**
 * struct random_block - memory of a sequence
 * @data: at X31 - RANDOM_DATA
 * @end: registers 0 to 31 at the end, behind it
 * @begin: registers at the beginning, behind that
 */
struct random_block {
	u8 data[2 * RANDOM_DATA];
	u64 end[32];
	u64 begin[32];
};

/**
 * struct random_image - an image
 * @code: at RANDOM_CODE
 * @n: instructions
 * @first: where each sequence begins, in instructions
 * @rnd: dice
 */
struct random_image {
	u32 *code;
	unsigned int n;
	unsigned int first[RANDOM_SEQUENCES + 1];
	struct rnd_state rnd;
};

#define RANDOM_BLOCK_BYTES	(RANDOM_SEQUENCES * sizeof(struct random_block))

void random_generate(struct random_image *image, struct random_block *blocks,
		     u64 seed);

#endif /* _HW_RANDOM_H_ */
