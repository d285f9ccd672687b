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
	OP_COMMIT, OP_FINISH, OP_FAIL_ALLOC, OP_FILL, OP_UNDER_LARGE, OPS
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

#endif /* _GPT_FUZZ_STATE_H_ */
