/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _GPT_FUZZ_H_
#define _GPT_FUZZ_H_

/*
 * Operations on a page table, taken from a string of bytes. The first byte says
 * which format and by whom tables are written, every eight after it are an
 * operation; any string is a valid one.
 */

#include "kunit.h"

#include "../../../drivers/gpu/drm/svm/gpt/tests/drm_gpt_test.h"

/* Bytes that an entry of @level covers, or a table of the level below. */
static inline u64 fuzz_size(const struct test_geometry *geometry, u8 level)
{
	u8 i, shift = geometry->page_shift;

	for (i = 0; i < level; i++)
		shift += geometry->bits[i];
	return 1ULL << shift;
}

/* ---- fuzz_model.c: what ought to be mapped -------------------------------- */

#define MODEL_SEGMENTS	65536

/**
 * struct segment - pages that follow each other, with equal rights
 * @first: address of the first byte
 * @last: address of the last byte
 * @leaf: leaf of the first page
 */
struct segment {
	u64 first;
	u64 last;
	u64 leaf;
};

/* In order of addresses; what could be one is one. */
struct model {
	u32 nr;
	struct segment segment[MODEL_SEGMENTS];
};

/* Makes [first, last] say what follows from @leaf, or nothing if that is 0. */
void model_set(struct model *model, u64 first, u64 last, u64 leaf);
/* The leaf of the page at @va, 0 if none. */
u64 model_at(const struct model *model, u64 va);
/* The first segment that reaches @va or lies above it; NULL: none. */
const struct segment *model_find(const struct model *model, u64 va);
/* Is anything mapped in [first, last]? */
bool model_any(const struct model *model, u64 first, u64 last);
/* Is all of it mapped, as one piece? */
bool model_linear(const struct model *model, u64 first, u64 last);
/* Is all of it mapped, with at least @flags? */
bool model_has(const struct model *model, u64 first, u64 last, u64 flags);
/* Takes @flags away in [first, last]. */
void model_protect(struct model *model, u64 first, u64 last, u64 flags);

/* ---- fuzz_tables.c: what the hardware's tables say ------------------------ */

/* Compares all that is reachable from the root. Return: NULL, or what is wrong. */
const char *tables_compare(struct test_hw *hw, const struct model *model,
			   u64 *where);

/* ---- fuzz.c ---------------------------------------------------------------- */

#define FUZZ_OP_BYTES	8
#define FUZZ_MAX_OPS	256

/* Return: whether all went well; @log: what is done is printed. */
bool fuzz_run(const u8 *data, size_t bytes, bool log);
/* What was wrong with the last that did not. */
const char *fuzz_why(void);

#endif /* _GPT_FUZZ_H_ */
