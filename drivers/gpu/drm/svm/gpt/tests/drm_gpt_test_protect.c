// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests of what changes of pages that are mapped: rights taken away, groups with a
 * hint, small pages that become a large one.
 */

#include <kunit/test.h>

#include <linux/slab.h>

#include "drm_gpt_test_ops.h"

/* ---- set-up ------------------------------------------------------------- */

KUNIT_ARRAY_PARAM(ops_variant, ops_variants, test_variant_desc);

/* For what hint groups are about: two levels of them, and one. */
static const struct test_variant ops_hint_variants[] = {
	{ "cpu", &test_geometry_vgem_svm },
	{ "commands", &test_geometry_vgem_svm, .cmd = true },
	{ "small, cpu", &test_geometry_small },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "small, hidden tables", &test_geometry_small, .cmd = true,
	  .hide = true },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
	{ "pair, hidden tables", &test_geometry_pair, .cmd = true, .hide = true },
	{ "nvidia, cpu", &test_geometry_nvidia },
	{ "nvidia, commands", &test_geometry_nvidia, .cmd = true },
};

KUNIT_ARRAY_PARAM(ops_hint_variant, ops_hint_variants, test_variant_desc);

static const struct test_variant ops_cpu_variants[] = {
	{ "cpu", &test_geometry_vgem_svm },
	{ "toy, cpu", &test_geometry_toy },
	{ "small, cpu", &test_geometry_small },
	{ "pair, cpu", &test_geometry_pair },
	{ "nvidia, cpu", &test_geometry_nvidia },
};

KUNIT_ARRAY_PARAM(ops_cpu_variant, ops_cpu_variants, test_variant_desc);

static bool ops_promote(struct test_hw *hw, u64 va)
{
	u64 span = test_span(hw), first = va & ~(span - 1);
	struct drm_gpt_gather gather;
	bool done;

	if (ops_gather(hw, &gather, first, first + span - 1))
		return false;
	done = drm_gpt_promote(&gather, va);
	test_flush(hw, &gather);
	return done;
}

/* A table full of pages that follow each other, by small leaves. */
static int ops_map_small(struct test_hw *hw, u64 first, u64 leaf)
{
	u32 n = test_entries(hw), half = n / 2;

	return test_map_seq(hw, first, leaf, half) ?:
	       test_map_seq(hw, first + half * 0x1000ULL, leaf + half * 0x1000ULL,
			    n - half);
}

/* ---- protect ------------------------------------------------------------ */

static void protect_takes_rights_from_leaves_of_all_sizes(struct kunit *test)
{
	const u64 rights = DRM_GPT_LEAF_WRITE | DRM_GPT_LEAF_ATOMIC;
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), large = 16 * span | DRM_GPT_LEAF_VALID | rights;
	struct drm_gpt_gather gather;
	u64 page = 4 * span - 0x3000, seq;

	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, 2 * span, large, 1, 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, page, test_leaf_4k(7, rights), 2), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, page + 0x4000, test_leaf_4k(77, rights), 1),
			0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, page), test_leaf_4k(7, rights));
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, 2 * span), large);

	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, 2 * span + 0x1000, page + 0xfff),
			0);
	drm_gpt_protect(&gather, 2 * span + 0x1000, page + 0xfff, DRM_GPT_LEAF_WRITE);
	KUNIT_EXPECT_TRUE(test, test_gather_has(&gather, 2 * span, 3 * span - 1));
	KUNIT_EXPECT_TRUE(test, test_gather_has(&gather, page, page + 0xfff));
	/* What is written by commands goes instead. */
	KUNIT_EXPECT_EQ(test, gather.zap_first <= gather.zap_last, !!hw->gpt.cmd);
	test_flush(hw, &gather);
	if (hw->gpt.cmd) {
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, 2 * span), 0);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, page), 0);
	} else {
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, 2 * span),
				large & ~DRM_GPT_LEAF_WRITE);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, page),
				test_leaf_4k(7, DRM_GPT_LEAF_ATOMIC));
		KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, page, page + 0x1fff,
						       DRM_GPT_LEAF_ATOMIC, &seq));
	}
	KUNIT_EXPECT_FALSE(test, drm_gpt_mapped(&hw->gpt, page, page + 0xfff,
						DRM_GPT_LEAF_WRITE, &seq));
	KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, page + 0x1000, page + 0x1fff,
					       DRM_GPT_LEAF_WRITE, &seq));
	KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, page + 0x4000, page + 0x4fff,
					       rights, &seq));
}

static void protect_of_nothing_reports_nothing(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), leaf = test_leaf_4k(7, DRM_GPT_LEAF_WRITE);
	struct drm_gpt_gather gather;

	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, leaf, 1), 0);
	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, 0, 2 * span - 1), 0);
	drm_gpt_protect(&gather, 0x1000, 2 * span - 1, DRM_GPT_LEAF_WRITE);
	drm_gpt_protect(&gather, 0, 2 * span - 1, 0);
	KUNIT_EXPECT_TRUE(test, drm_gpt_gather_empty(&gather));
	test_flush(hw, &gather);
	ops_expect(test, 0, leaf, 0x1000);
	/* Nor does what is stale in an unlinked table. */
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, span - 1), 0);
	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, 0, span - 1), 0);
	drm_gpt_protect(&gather, 0, span - 1, DRM_GPT_LEAF_WRITE);
	KUNIT_EXPECT_TRUE(test, drm_gpt_gather_empty(&gather));
	test_flush(hw, &gather);
}

/* More entries than are changed at once, and not all live. */
static void protect_reaches_every_page(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 n = test_entries(hw), i;
	struct drm_gpt_gather gather;
	u64 want;

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 0, 64, 2 * n), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0x5000, 0x6fff), 0);
	drm_gpt_gather_init(&gather, &hw->gpt);
	drm_gpt_protect(&gather, 0x1000, test_last(hw), DRM_GPT_LEAF_WRITE);
	test_flush(hw, &gather);
	for (i = 0; i < 2 * n; i++) {
		want = test_leaf_4k(64 + 2 * i, i ? 0 : DRM_GPT_LEAF_WRITE);
		if (i == 5 || i == 6)
			want = 0;
		KUNIT_ASSERT_EQ(test, test_hw_now(hw, (u64)i << 12), want);
	}
}

/* ---- hint groups -------------------------------------------------------- */

/* Four groups at @level that do not fill a table; their first address. */
static u64 ops_map_groups(struct kunit *test, u8 level, u64 flags)
{
	struct test_hw *hw = test->priv;
	u64 group = ops_size(hw, level) << hw->geometry->format->levels[level].hint;
	u64 base = 10 * group + ops_size(hw, level + 1);
	u64 leaf = 64 * group | DRM_GPT_LEAF_VALID | flags;

	KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, base, leaf, 4 * group /
					      ops_size(hw, level), level), 0);
	test_hw_run(hw, U32_MAX);
	return base;
}

static void zap_of_a_part_takes_the_group(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u8 level;

	for (level = 0; ops_may_map(hw, level); level++) {
		u8 hint = hw->geometry->format->levels[level].hint;
		u64 size = ops_size(hw, level), group = size << hint, base;
		struct drm_gpt_gather gather;

		if (!hint)
			continue;
		base = ops_map_groups(test, level, 0);
		/* One access, and the device knows all of the group. */
		KUNIT_EXPECT_NE(test, test_hw_access(hw, base + 2 * group - size), 0);
		KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, base + 2 * group - 0x1000,
					       base + 2 * group + 0xfff), 0);
		KUNIT_EXPECT_EQ(test, gather.zap_first, base + group);
		KUNIT_EXPECT_EQ(test, gather.zap_last, base + 3 * group - 1);
		test_flush(hw, &gather);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + group), 0);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + 3 * group - size), 0);
		KUNIT_EXPECT_NE(test, test_hw_access(hw, base + group - size), 0);
		KUNIT_EXPECT_NE(test, test_hw_access(hw, base + 3 * group), 0);
		KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
		test_reclaim_all(hw);
	}
}

static void commit_over_a_part_takes_the_hint(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u8 level, hint;

	for (level = 0; ops_may_map(hw, level); level++) {
		u64 size = ops_size(hw, level), group, base, leaf, other;

		hint = hw->geometry->format->levels[level].hint;
		if (!hint)
			continue;
		group = size << hint;
		base = ops_map_groups(test, level, 0);
		leaf = test_hw_walk(hw, base, NULL);
		other = 1024 * group | DRM_GPT_LEAF_VALID;
		/* The last of one group and the first of the next. */
		KUNIT_ASSERT_EQ(test, test_map_seq_at(hw, base + group - size, other, 2,
						      level), 0);
		test_hw_run(hw, U32_MAX);
		/* A neighbour's entry says nothing of the new ones. */
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, base), leaf);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + group - size), other);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + 2 * group - size),
				leaf + 2 * group - size);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + group), other + size);
		/* And a zap takes no more than it is asked for. */
		KUNIT_ASSERT_EQ(test, test_unmap(hw, base, base + size - 1), 0);
		if (hint > 1)
			KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + size),
					leaf + size);
		KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
		test_reclaim_all(hw);
	}
}

/* A page in one of two large leaves that are a group. */
static void split_takes_the_hint_above(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 size = ops_size(hw, 1), base, leaf;

	if (!hw->geometry->format->levels[1].hint)
		kunit_skip(test, "a format with groups of large leaves");
	base = ops_map_groups(test, 1, 0);
	leaf = test_hw_walk(hw, base, NULL);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, base + size, test_leaf_4k(3, 0), 1), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, base), leaf);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + size), test_leaf_4k(3, 0));
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + size + 0x1000),
			leaf + size + 0x1000);
}

static void protect_of_a_part_takes_the_group(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u8 level;

	if (hw->gpt.cmd)
		kunit_skip(test, "tables that the CPU writes");
	for (level = 0; ops_may_map(hw, level); level++) {
		u8 hint = hw->geometry->format->levels[level].hint;
		u64 size = ops_size(hw, level), group = size << hint, base, leaf;
		struct drm_gpt_gather gather;

		if (!hint)
			continue;
		base = ops_map_groups(test, level, DRM_GPT_LEAF_WRITE);
		leaf = test_hw_access(hw, base + group);
		drm_gpt_gather_init(&gather, &hw->gpt);
		drm_gpt_protect(&gather, base + group + size, base + group + size +
				0xfff, DRM_GPT_LEAF_WRITE);
		KUNIT_EXPECT_TRUE(test, test_gather_has(&gather, base + group,
							base + 2 * group - 1));
		test_flush(hw, &gather);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + group),
				leaf & ~DRM_GPT_LEAF_WRITE);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + 2 * group - size),
				(leaf & ~DRM_GPT_LEAF_WRITE) + group - size);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + group - size),
				leaf - size);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, base + 2 * group),
				leaf + group);
		KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
		test_reclaim_all(hw);
	}
}

#define OPS_PIECES	40

/* One group in each of many tables; space is left to take the tables out. */
static void zap_in_pieces_leaves_space_to_reclaim(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 group = 1 << hw->geometry->hint[0], i;
	u64 span = test_span(hw), last = OPS_PIECES * span - 1, leaf;
	struct drm_gpt_gather gather;

	for (i = 0; i < OPS_PIECES; i++) {
		leaf = test_leaf_4k((i + 1) * 8 * group, 0);
		KUNIT_ASSERT_EQ(test, test_map_seq(hw, i * span, leaf, 2 * group), 0);
	}
	test_hw_run(hw, U32_MAX);
	drm_gpt_gather_init(&gather, &hw->gpt);
	KUNIT_ASSERT_EQ(test, drm_gpt_zap_reserve(&gather, 0, last, true), 0);
	for (i = 0; i < OPS_PIECES; i++) {
		/* All that there is, but not all that the table covers. */
		drm_gpt_zap(&gather, i * span, i * span + 2 * group * 0x1000 - 1);
		KUNIT_ASSERT_EQ(test, gather.zap_last, i * span + 2 * group * 0x1000 - 1);
	}
	drm_gpt_reclaim(&gather, 0, last);
	test_flush(hw, &gather);
	test_wait_freed(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

/* Arrays may change single pages of many groups at once. */
static void array_over_groups_leaves_the_rest(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 group = 1 << hw->geometry->hint[0], n = 4 * group, i;
	u64 *leaves, base, old;

	leaves = kunit_kcalloc(test, n, sizeof(*leaves), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, leaves);
	base = ops_map_groups(test, 0, 0);
	old = test_hw_walk(hw, base, NULL);
	/* The first group singly, the second not, the third whole, the last half. */
	for (i = 0; i < n; i++) {
		if (i < group ? i % 2 : i >= 2 * group && i < 3 * group + group / 2)
			leaves[i] = test_leaf_4k(4096 + i, DRM_GPT_LEAF_WRITE);
	}
	KUNIT_ASSERT_EQ(test, test_map_if(hw, base, leaves, n, NULL, NULL), 0);
	test_hw_run(hw, U32_MAX);
	for (i = 0; i < n; i++) {
		u64 va = base + i * 0x1000;

		KUNIT_ASSERT_EQ(test, test_hw_walk(hw, va, NULL),
				leaves[i] ?: old + i * 0x1000);
		KUNIT_ASSERT_EQ(test, test_hw_access(hw, va),
				leaves[i] ?: old + i * 0x1000);
	}
}

/* Does group @g follow on in the array of this kind? */
static bool ops_follows(u32 kind, u32 g)
{
	return kind == 1 || (kind > 1 && (g + kind) % 2);
}

/*
 * Ring space is counted for the worst that an array may be: all groups lose their
 * hint, every other gets it, the rest is one by one. A packet too many warns.
 */
static void ring_space_is_enough_for_any_array(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 group = 1 << hw->geometry->hint[0], n = test_entries(hw), kind, i;
	u64 *leaves = kunit_kcalloc(test, n, sizeof(*leaves), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, leaves);
	for (kind = 0; kind < 8; kind++) {
		for (i = 0; i < n; i++) {
			u64 page = (kind + 1) * 64 * n + i;

			if (!ops_follows(kind % 4, i / group))
				page += (i & ~1u) * 4 + 1;
			leaves[i] = test_leaf_4k(page, DRM_GPT_LEAF_WRITE);
		}
		/* So that it is not one large leaf. */
		leaves[n - 1] &= ~DRM_GPT_LEAF_WRITE;
		KUNIT_ASSERT_EQ(test, test_map_if(hw, 0, leaves, n, NULL, NULL), 0);
		test_hw_run(hw, U32_MAX);
		for (i = 0; i < n; i++)
			KUNIT_ASSERT_EQ(test, test_hw_walk(hw, i * 0x1000ULL, NULL),
					leaves[i]);
		/* A table that is stale costs more, as does one that is not there. */
		if (kind & 1)
			KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	}
}

/* ---- promote ------------------------------------------------------------ */

static bool ops_can_promote(struct test_hw *hw)
{
	return hw->geometry->format->replace_ok && !hw->hide;
}

static void promote_keeps_all_that_is_mapped(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), leaf = 16 * span | DRM_GPT_LEAF_VALID, seq;
	struct drm_gpt_gather gather;
	bool done;

	KUNIT_ASSERT_EQ(test, ops_map_small(hw, span, leaf), 0);
	test_hw_run(hw, U32_MAX);
	ops_expect(test, span, leaf, 0x1000);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, span + 0x1000), leaf + 0x1000);

	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, span, 2 * span - 1), 0);
	done = drm_gpt_promote(&gather, span + 0x3000);
	KUNIT_ASSERT_EQ(test, done, ops_can_promote(hw));
	KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, span, 2 * span - 1, 0, &seq));
	if (done) {
		KUNIT_EXPECT_TRUE(test, gather.directory);
		KUNIT_EXPECT_TRUE(test, test_gather_has(&gather, span, 2 * span - 1));
	} else {
		KUNIT_EXPECT_TRUE(test, drm_gpt_gather_empty(&gather));
	}
	KUNIT_EXPECT_GT(test, gather.zap_first, gather.zap_last);
	ops_expect_always(test, span + 0x2000, leaf + 0x2000, false);
	test_flush(hw, &gather);
	ops_expect(test, 2 * span - 0x1000, leaf + span - 0x1000,
		   done ? span : 0x1000);
	if (!done)
		return;
	/* Once is enough, and the table is kept to split it. */
	KUNIT_EXPECT_FALSE(test, ops_promote(hw, span));
	test_reclaim_all(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), hw->geometry->levels);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, span, test_leaf_4k(3, 0), 1), 0);
	ops_expect_always(test, span + 0x3000, leaf + 0x3000, false);
	ops_expect(test, span + 0x1000, leaf + 0x1000, 0x1000);
}

static void promote_refuses_what_it_cannot_say(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 n = test_entries(hw);
	u64 span = test_span(hw), leaf = 16 * span | DRM_GPT_LEAF_VALID;

	KUNIT_EXPECT_FALSE(test, ops_promote(hw, 0));
	/* One page missing; one elsewhere; one with other rights; all not aligned. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, leaf, n - 1), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_FALSE(test, ops_promote(hw, 0));
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, span - 0x1000, leaf, 1), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_FALSE(test, ops_promote(hw, 0));
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, span - 0x1000,
					   (leaf + span - 0x1000) |
					   DRM_GPT_LEAF_WRITE, 1), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_FALSE(test, ops_promote(hw, 0));
	KUNIT_ASSERT_EQ(test, ops_map_small(hw, 4 * span, leaf + 0x1000), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_FALSE(test, ops_promote(hw, 4 * span));
	/* No table, no address. */
	KUNIT_EXPECT_FALSE(test, ops_promote(hw, 8 * span));
	KUNIT_EXPECT_FALSE(test, ops_promote(hw, test_last(hw) - span));
	ops_expect(test, 0x1000, leaf + 0x1000, 0x1000);
}

static void promote_refuses_beyond_the_last_address(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	struct drm_gpt_gather gather;

	drm_gpt_gather_init(&gather, &hw->gpt);
	KUNIT_EXPECT_FALSE(test, drm_gpt_promote(&gather, test_last(hw) + 1));
	gather.dead = true;
	KUNIT_EXPECT_FALSE(test, drm_gpt_promote(&gather, 0));
	KUNIT_EXPECT_TRUE(test, drm_gpt_gather_empty(&gather));
	drm_gpt_gather_fini(&gather);
}

/* Memory does not say yet what is mapped. */
static void promote_waits_for_commands(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), leaf = 16 * span | DRM_GPT_LEAF_VALID;
	struct drm_gpt_gather gather;

	if (!hw->gpt.cmd)
		kunit_skip(test, "commands");
	KUNIT_ASSERT_EQ(test, ops_map_small(hw, 0, leaf), 0);
	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, 0, span - 1), 0);
	KUNIT_EXPECT_FALSE(test, drm_gpt_promote(&gather, 0));
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_EQ(test, drm_gpt_promote(&gather, 0), ops_can_promote(hw));
	test_flush(hw, &gather);
	ops_expect(test, 0, leaf, ops_can_promote(hw) ? span : 0x1000);
}

/* What is full of stale leaves is not mapped. */
static void promote_refuses_what_is_unlinked(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw), leaf = 16 * span | DRM_GPT_LEAF_VALID;
	struct drm_gpt_entry entry;
	u64 dir = ops_size(hw, 2);

	KUNIT_ASSERT_EQ(test, ops_map_small(hw, 0, leaf), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, span - 1), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_FALSE(test, ops_promote(hw, 0));
	/* And where it is a directory above that was. */
	KUNIT_ASSERT_EQ(test, ops_map_small(hw, dir, leaf), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, dir, 2 * dir - 1), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_FALSE(test, ops_promote(hw, dir));
	drm_gpt_lookup(&hw->gpt, dir, &entry);
	KUNIT_EXPECT_EQ(test, entry.flags, 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, dir), 0);
}

static struct kunit_case protect_cases[] = {
	KUNIT_CASE_PARAM(protect_takes_rights_from_leaves_of_all_sizes,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(protect_of_nothing_reports_nothing, ops_variant_gen_params),
	KUNIT_CASE_PARAM(protect_reaches_every_page, ops_cpu_variant_gen_params),
	KUNIT_CASE_PARAM(zap_of_a_part_takes_the_group, ops_hint_variant_gen_params),
	KUNIT_CASE_PARAM(commit_over_a_part_takes_the_hint,
			 ops_hint_variant_gen_params),
	KUNIT_CASE_PARAM(split_takes_the_hint_above, ops_hint_variant_gen_params),
	KUNIT_CASE_PARAM(protect_of_a_part_takes_the_group,
			 ops_hint_variant_gen_params),
	KUNIT_CASE_PARAM(zap_in_pieces_leaves_space_to_reclaim,
			 ops_hint_variant_gen_params),
	KUNIT_CASE_PARAM(array_over_groups_leaves_the_rest,
			 ops_hint_variant_gen_params),
	KUNIT_CASE_PARAM(ring_space_is_enough_for_any_array,
			 ops_hint_variant_gen_params),
	KUNIT_CASE_PARAM(promote_keeps_all_that_is_mapped, ops_variant_gen_params),
	KUNIT_CASE_PARAM(promote_refuses_what_it_cannot_say, ops_variant_gen_params),
	KUNIT_CASE_PARAM(promote_refuses_beyond_the_last_address,
			 ops_variant_gen_params),
	KUNIT_CASE_PARAM(promote_waits_for_commands, ops_variant_gen_params),
	KUNIT_CASE_PARAM(promote_refuses_what_is_unlinked, ops_variant_gen_params),
	{}
};

static struct kunit_suite drm_gpt_protect_suite = {
	.name = "drm_gpt_protect",
	.init = test_init,
	.exit = test_exit,
	.test_cases = protect_cases,
};

kunit_test_suite(drm_gpt_protect_suite);
