/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_TEST_OPS_H_
#define _DRM_GPT_TEST_OPS_H_

#include "drm_gpt_test.h"

/*
 * What tests of operations beyond map and zap share. All formats have pages of
 * 4 KiB: vgem_svm, three small ones, of which two replace in place, and one has
 * its groups beside, and one whose addresses have all of 64 bits.
 */

static const struct test_variant ops_variants[] __maybe_unused = {
	{ "cpu", &test_geometry_vgem_svm },
	{ "commands", &test_geometry_vgem_svm, .cmd = true },
	{ "commands, hidden tables", &test_geometry_vgem_svm, .cmd = true,
	  .hide = true },
	{ "toy, cpu", &test_geometry_toy },
	{ "toy, commands", &test_geometry_toy, .cmd = true },
	{ "small, cpu", &test_geometry_small },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "small, hidden tables", &test_geometry_small, .cmd = true,
	  .hide = true },
	{ "wide, cpu", &test_geometry_wide },
	{ "wide, commands", &test_geometry_wide, .cmd = true },
	{ "small, small by cpu", &test_geometry_small, .cmd = true, .cpu_max = 3 },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
	{ "pair, hidden tables", &test_geometry_pair, .cmd = true, .hide = true },
	{ "pair, small by cpu", &test_geometry_pair, .cmd = true, .cpu_max = 3 },
};

/* Bytes of an entry of @level, and so of a table of the level below. */
u64 ops_size(struct test_hw *hw, u8 level);
bool ops_may_map(struct test_hw *hw, u8 level);
/* What an address is mapped to, and by entries of which size. */
void ops_expect(struct kunit *test, u64 va, u64 leaf, u64 size);
/* Runs the ring step by step; at each the device has @want or may fault. */
void ops_expect_always(struct kunit *test, u64 va, u64 want, bool may_fault);
/* A gather with all that a zap of [first, last] may need. */
int ops_gather(struct test_hw *hw, struct drm_gpt_gather *gather, u64 first,
	       u64 last);

#endif /* _DRM_GPT_TEST_OPS_H_ */
