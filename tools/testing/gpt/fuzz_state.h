/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _GPT_FUZZ_STATE_H_
#define _GPT_FUZZ_STATE_H_

/* What a run of operations consists of. */

#include "fuzz.h"

#define UPDATES		2
#define GATHERS		2
#define ARRAY		2048
#define RIGHTS		(DRM_GPT_LEAF_WRITE | DRM_GPT_LEAF_ATOMIC)

enum kind {
	OP_MAP_ARRAY, OP_MAP_SEQ, OP_MAP, OP_ZAP, OP_PROTECT, OP_PROMOTE,
	OP_RECLAIM, OP_LOOK, OP_MAPPED, OP_RING, OP_ACCESS, OP_FLUSH, OP_PREPARE,
	OP_COMMIT, OP_FINISH, OP_FAIL_ALLOC, OP_FILL, OP_UNDER_LARGE, OP_SHRINK, OPS
};

/* How the bytes of an operation are read: see pick(). */
struct op {
	u8 kind;
	u8 base;
	u8 mid;
	u8 page;
	u8 length;
	u8 how;
	u8 rights;
	u8 aux;
};

#define HOW_LENGTH	0x03
#define HOW_ALIGN	0x04
#define HOW_FOLLOW	0x08	/* the address in a leaf follows the VA */
#define HOW_HOLES	0x10
#define HOW_LEVEL	0x60
#define HOW_OPEN	0x80	/* the flush comes later; or: evict */

/* Some pages of a level. */
struct span {
	u64 first;
	u64 last;
	u32 n;
	u8 level;
};

struct open_update {
	bool used;
	bool stale;
	bool committed;
	struct drm_gpt_update up;
};

struct open_gather {
	bool used;
	struct drm_gpt_gather gather;
};

/**
 * struct fuzz - one run
 * @hw: device
 * @geometry: its manual
 * @replace: entries may be replaced in place
 * @model: what ought to be mapped
 * @page: next bus page that is in no leaf yet
 * @update: prepared and not finished
 * @gather: zapped and not flushed
 * @array: leaves of one commit
 * @asked: how often a commit has asked whether it is valid
 * @no_at: which time the answer is no; 0: never
 * @fail: the allocation that fails in the next operation
 * @rnd: dice that choose where to look
 */
struct fuzz {
	struct test_hw *hw;
	const struct test_geometry *geometry;
	bool replace;
	struct model model;
	u64 page;
	struct open_update update[UPDATES];
	struct open_gather gather[GATHERS];
	u64 array[ARRAY];
	u32 asked;
	u32 no_at;
	u32 fail;
	struct rnd_state rnd;
};

extern struct fuzz fuzz;

/* Ends the run. */
void __printf(1, 2) __attribute__((noreturn)) wrong(const char *format, ...);
/* Says what is done, if that is wanted. */
void __printf(1, 2) note(const char *format, ...);

/* ---- fuzz_pick.c: what an operation is about ------------------------------- */

u64 size_of(u8 level);
/* How many there are in a table. */
u32 entries(u8 level);
u64 last_byte(void);
u32 dice(u32 below);
/* A page of [first, last]. */
u64 dice_page(u64 first, u64 last);
/* A page number and a length, from few that meet each other often. */
struct span pick(const struct op *op);
/* For updates: also by larger pages. */
struct span pick_level(const struct op *op);
/* For what takes away: up to the whole address space. */
struct span pick_wide(const struct op *op);
u64 rights_of(const struct op *op);
/* The leaf of the first page: bus pages that nobody has, or such as follow the VA. */
u64 pick_leaf(const struct op *op, const struct span *s);

#endif /* _GPT_FUZZ_STATE_H_ */
