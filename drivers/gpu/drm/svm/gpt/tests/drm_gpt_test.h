/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_TEST_H_
#define _DRM_GPT_TEST_H_

#include "drm_gpt_test_hw.h"

struct kunit;

/**
 * struct test_variant - a way to write tables
 * @name: for people
 * @geometry: the device
 * @cmd: by commands
 * @hide: and the CPU cannot read them
 * @cpu_max: but runs of so few entries by the CPU
 */
struct test_variant {
	const char *name;
	const struct test_geometry *geometry;
	bool cmd;
	bool hide;
	u32 cpu_max;
};

static inline struct drm_gpt_config
test_variant_config(const struct test_variant *variant)
{
	return (struct drm_gpt_config) {
		.format = variant->geometry->format,
		.mem = &test_mem_ops,
		.cmd = variant->cmd ? &test_cmd_ops : NULL,
		.cpu_max = variant->cpu_max,
		.attrs = variant->geometry->attrs,
		.nr_attrs = variant->geometry->nr_attrs,
	};
}

u32 test_entries(struct test_hw *hw);
u32 test_rounds(struct kunit *test, u32 rounds);
u64 test_span(struct test_hw *hw);
u64 test_last(struct test_hw *hw);
u64 test_leaf(struct test_hw *hw, u64 page, u64 flags);

/* Where pages are of 4 KiB, and no flag is too much. */
static inline u64 test_leaf_4k(u64 page, u64 flags)
{
	return page << 12 | DRM_GPT_LEAF_VALID | flags;
}

void test_skip_if_all_small(struct kunit *test);
int test_map_if(struct test_hw *hw, u64 first, const u64 *leaves, u32 n,
		drm_gpt_valid_fn valid, void *data);
/* A &drm_gpt_valid_fn: what is to be committed is not valid. */
static inline bool test_say_no(void *data)
{
	return false;
}

int test_map_seq(struct test_hw *hw, u64 first, u64 leaf, u32 n);
/* The same in pages of @level. */
int test_map_seq_at(struct test_hw *hw, u64 first, u64 leaf, u32 n, u8 level);
/* And the fence to wait for. */
int test_map_seq_fence(struct test_hw *hw, u64 first, u64 leaf, u32 n, u8 level,
		       u64 *seq);
void test_variant_desc(const struct test_variant *variant, char *desc);
int test_zap(struct test_hw *hw, struct drm_gpt_gather *gather, u64 first,
	     u64 last);
void test_flush(struct test_hw *hw, struct drm_gpt_gather *gather);
int test_unmap(struct test_hw *hw, u64 first, u64 last);
void test_reclaim_all(struct test_hw *hw);
int test_map_scattered(struct test_hw *hw, u64 first, u64 page, u32 n);
void test_wait_freed(struct test_hw *hw);
u64 test_tables(struct test_hw *hw);
u64 test_hw_now(struct test_hw *hw, u64 va);
bool test_gather_has(const struct drm_gpt_gather *gather, u64 first, u64 last);

int test_init_with(struct kunit *test, const struct drm_gpt_mem_ops *mem,
		   drm_gpt_flush_fn flush);
int test_init(struct kunit *test);
void test_exit(struct kunit *test);

/* drm_gpt_test_model.c */
void agrees_with_a_model(struct kunit *test);
/* drm_gpt_test_threads.c */
void threads_keep_their_own_pages(struct kunit *test);
void no_commit_outlives_an_invalidation(struct kunit *test);
void threads_beside_the_shrinker(struct kunit *test);
/* drm_gpt_test_shrink.c */
unsigned long test_shrink(unsigned long nr);

#endif /* _DRM_GPT_TEST_H_ */
