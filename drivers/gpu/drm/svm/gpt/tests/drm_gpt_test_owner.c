// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests of two owners in one page table: what is zapped for one of them is all of
 * his, and of the other's not a page.
 */

#include <kunit/test.h>

#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "../drm_gpt_internal.h"
#include "drm_gpt_test_ops.h"

#define OWNER_SEED	0x6f776e
#define OWNER_STEPS	300

KUNIT_ARRAY_PARAM(ops_variant, ops_variants, test_variant_desc);

/**
 * struct owner_model - what ought to be mapped, and whose it is
 * @hw: device, with the table under test
 * @rnd: dice
 * @base: first address; a border of directories is in the middle
 * @n: pages
 * @page: next bus page
 * @leaf: leaves, 0 for none
 * @owner: whose
 * @array: leaves of one commit
 */
struct owner_model {
	struct test_hw *hw;
	struct rnd_state rnd;
	u64 base;
	u32 n;
	u64 page;
	u64 *leaf;
	u8 *owner;
	u64 *array;
};

static u64 owner_va(const struct owner_model *m, u32 i)
{
	return m->base + i * 0x1000ULL;
}

static u32 owner_dice(struct owner_model *m, u32 below)
{
	return prandom_u32_state(&m->rnd) % below;
}

static struct owner_model *owner_model(struct kunit *test)
{
	struct owner_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct test_hw *hw = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->hw = hw;
	m->n = 4 * test_entries(hw);
	m->page = 1;
	m->base = ops_size(hw, 2) - 2 * test_span(hw);
	m->leaf = kunit_kcalloc(test, m->n, sizeof(u64), GFP_KERNEL);
	m->owner = kunit_kcalloc(test, m->n, 1, GFP_KERNEL);
	m->array = kunit_kcalloc(test, m->n, sizeof(u64), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, m->leaf && m->owner && m->array);
	prandom_seed_state(&m->rnd, OWNER_SEED);
	return m;
}

static void owner_check(struct kunit *test, struct owner_model *m)
{
	u32 i, wrong = 0;

	test_hw_run(m->hw, U32_MAX);
	for (i = 0; i < m->n; i++)
		wrong += test_hw_access(m->hw, owner_va(m, i)) != m->leaf[i];
	KUNIT_ASSERT_EQ(test, wrong, 0);
}

/* As often as it says that there is more; gives how often. */
static u32 owner_zap_all(struct kunit *test, struct test_hw *hw,
			 struct drm_gpt_gather *gather, u64 first, u64 last, u8 owner)
{
	u32 rounds = 0;
	int ret;

	drm_gpt_gather_init(gather, &hw->gpt);
	do {
		KUNIT_ASSERT_EQ(test, drm_gpt_zap_reserve(gather, first, last, true), 0);
		ret = drm_gpt_zap_owner(gather, first, last, owner);
		KUNIT_ASSERT_TRUE(test, !ret || ret == -EAGAIN);
		KUNIT_ASSERT_GT(test, 10000, rounds++);
	} while (ret);
	return rounds;
}

static void owner_zap(struct kunit *test, struct owner_model *m, u32 first, u32 n,
		      u8 owner)
{
	struct drm_gpt_gather gather;
	u64 lo = U64_MAX, hi = 0;
	u32 i, size;

	owner_zap_all(test, m->hw, &gather, owner_va(m, first),
		      owner_va(m, first + n) - 1, owner);
	for (i = 0; i < m->n; i++) {
		if (!m->leaf[i] || (i >= first && i < first + n &&
				    (m->owner[i] == owner || owner == DRM_GPT_OWNER_ANY)))
			continue;
		/* Of one's own, what is large goes whole. */
		if (owner != DRM_GPT_OWNER_ANY && m->owner[i] != owner)
			continue;
		size = max(test_entries(m->hw) << m->hw->geometry->hint[1], 1);
		if (i + size > first && i < first + n + size &&
		    gather.zap_first <= owner_va(m, i) &&
		    gather.zap_last >= owner_va(m, i) &&
		    !test_hw_now(m->hw, owner_va(m, i)))
			m->leaf[i] = 0;
	}
	for (i = first; i < first + n; i++) {
		if (!m->leaf[i] || (owner != DRM_GPT_OWNER_ANY && m->owner[i] != owner))
			continue;
		m->leaf[i] = 0;
		lo = min(lo, owner_va(m, i));
		hi = owner_va(m, i) + 0xfff;
	}
	if (hi) {
		KUNIT_EXPECT_LE(test, gather.zap_first, lo);
		KUNIT_EXPECT_GE(test, gather.zap_last, hi);
	} else {
		KUNIT_EXPECT_GT(test, gather.zap_first, gather.zap_last);
	}
	test_flush(m->hw, &gather);
}

static int owner_map_at(struct test_hw *hw, u64 first, const u64 *leaves, u32 n,
			u8 owner)
{
	struct drm_gpt_update up;
	int ret;

	ret = drm_gpt_prepare_owner(&hw->gpt, &up, first, first + n * 0x1000ULL - 1, 0,
				    owner, GFP_KERNEL);
	if (ret)
		return ret;
	ret = drm_gpt_commit(&up, first, leaves, n, NULL, NULL);
	drm_gpt_finish(&up);
	return ret;
}

/* Pages that follow each other or not, where the other has none: his are left out. */
static void owner_map(struct kunit *test, struct owner_model *m, u32 first, u32 n,
		      u8 owner)
{
	u32 step = 1 + owner_dice(m, 2), i;

	m->page = roundup(m->page, test_entries(m->hw)) + first % test_entries(m->hw);
	for (i = 0; i < n; i++, m->page += step) {
		m->array[i] = test_leaf_4k(m->page, DRM_GPT_LEAF_WRITE);
		if (m->leaf[first + i])
			m->array[i] = 0;
	}
	KUNIT_ASSERT_EQ(test, owner_map_at(m->hw, owner_va(m, first), m->array, n, owner),
			0);
	for (i = 0; i < n; i++) {
		if (!m->array[i])
			continue;
		m->leaf[first + i] = m->array[i];
		m->owner[first + i] = owner;
	}
}

static void owner_pick(struct owner_model *m, u32 *first, u32 *n)
{
	u32 table = test_entries(m->hw);

	*first = owner_dice(m, m->n);
	*n = 1 + owner_dice(m, owner_dice(m, 2) ? 8 : 2 * table);
	if (!owner_dice(m, 3)) {
		*first = rounddown(*first, table);
		*n = roundup(*n, table);
	}
	*n = min(*n, m->n - *first);
}

/* ---- tests ------------------------------------------------------------------ */

/* Every other page: of one, all goes; of the other, all stays. */
static void neighbours_stay(struct kunit *test)
{
	struct owner_model *m = owner_model(test);
	u32 i, n = 2 * test_entries(m->hw);

	for (i = 0; i < n; i++)
		owner_map(test, m, i, 1, i % 2);
	owner_check(test, m);
	owner_zap(test, m, 0, m->n, DRM_GPT_OWNER_MIRROR);
	owner_check(test, m);
	owner_zap(test, m, 0, m->n, DRM_GPT_OWNER_CLAIMED);
	owner_check(test, m);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, m->leaf[i], 0);
}

/* A large leaf of the other is not touched, however much of it is asked for. */
static void large_leaves_of_the_other_stay(struct kunit *test)
{
	struct owner_model *m = owner_model(test);
	u32 table = test_entries(m->hw);

	owner_map(test, m, table, table, DRM_GPT_OWNER_CLAIMED);
	owner_map(test, m, 0, 3, DRM_GPT_OWNER_MIRROR);
	owner_map(test, m, 2 * table, table, DRM_GPT_OWNER_MIRROR);
	owner_zap(test, m, table + 1, 1, DRM_GPT_OWNER_MIRROR);
	owner_check(test, m);
	owner_zap(test, m, 0, m->n, DRM_GPT_OWNER_MIRROR);
	owner_check(test, m);
	owner_zap(test, m, 0, m->n, DRM_GPT_OWNER_ANY);
	owner_check(test, m);
}

/* Whoever was in a table before: bits only where both were, and as long as that. */
static void bits_come_only_where_both_are(struct kunit *test)
{
	struct owner_model *m = owner_model(test);
	u32 table = test_entries(m->hw), i, k;
	struct drm_gpt_table *t;

	owner_map(test, m, 0, table / 2, DRM_GPT_OWNER_MIRROR);
	owner_map(test, m, table, table / 2, DRM_GPT_OWNER_CLAIMED);
	owner_map(test, m, 2 * table, 1, DRM_GPT_OWNER_MIRROR);
	owner_map(test, m, 2 * table + 1, 1, DRM_GPT_OWNER_CLAIMED);
	for (k = 0; k < 3; k++) {
		rcu_read_lock();
		t = drm_gpt_find(&m->hw->gpt, owner_va(m, k * table), &i);
		KUNIT_EXPECT_FALSE(test, t->level);
		KUNIT_EXPECT_EQ(test, !!drm_gpt_owners(t), k == 2);
		rcu_read_unlock();
	}
	/* Another's table when the one's leaves are gone. */
	owner_zap(test, m, 0, table, DRM_GPT_OWNER_MIRROR);
	owner_map(test, m, 0, table / 2, DRM_GPT_OWNER_CLAIMED);
	owner_zap(test, m, 0, m->n, DRM_GPT_OWNER_MIRROR);
	owner_check(test, m);
}

/* Pages of two that follow each other, as of one they would be a large leaf. */
static void promotion_does_not_join_owners(struct kunit *test)
{
	struct owner_model *m = owner_model(test);
	u32 table = test_entries(m->hw), i;
	struct test_hw *hw = m->hw;
	struct drm_gpt_gather gather;

	test_skip_if_all_small(test);
	if (hw->hide || !hw->geometry->format->replace_ok)
		kunit_skip(test, "nothing is promoted");
	for (i = 0; i < table; i++) {
		m->leaf[i] = test_leaf_4k(4 * table + i, 0);
		m->owner[i] = i >= table / 2;
	}
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, owner_map_at(hw, owner_va(m, i * table / 2),
						   m->leaf + i * table / 2, table / 2, i),
				0);
	owner_check(test, m);
	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, m->base,
					 owner_va(m, table) - 1), 0);
	KUNIT_EXPECT_FALSE(test, drm_gpt_promote(&gather, m->base));
	test_flush(hw, &gather);
	owner_zap(test, m, 0, table, DRM_GPT_OWNER_MIRROR);
	owner_check(test, m);
}

/* The other's pages that follow each other, from @first on; those may be written over. */
static int owner_map_over(struct owner_model *m, u32 first, u32 n, u64 page, u8 owner)
{
	int ret;
	u32 i;

	for (i = 0; i < n; i++)
		m->array[i] = test_leaf_4k(page + i, DRM_GPT_LEAF_WRITE);
	ret = owner_map_at(m->hw, owner_va(m, first), m->array, n, owner);
	for (i = 0; i < n && !ret; i++) {
		m->leaf[first + i] = m->array[i];
		m->owner[first + i] = owner;
	}
	return ret;
}

/*
 * Over a part of a group comes the other: the rest stays the one's, and is no group
 * any more, by what the device keeps of one translation and by what a zap takes.
 */
static void a_group_does_not_have_two_owners(struct kunit *test)
{
	struct owner_model *m = owner_model(test);
	u32 group = 1 << m->hw->geometry->hint[0], table = test_entries(m->hw), owner;
	bool may = m->hw->geometry->format->replace_ok;

	if (group == 1)
		kunit_skip(test, "a format with groups of pages");
	for (owner = 0; owner < 2; owner++) {
		/* The last page of one group and the first of the next. */
		KUNIT_ASSERT_EQ(test, owner_map_over(m, 0, 2 * group, 4 * table, owner),
				0);
		KUNIT_EXPECT_EQ(test, owner_map_over(m, group - 1, 2, 6 * table, !owner),
				may ? 0 : -EBUSY);
		owner_check(test, m);
		owner_zap(test, m, 0, m->n, !owner);
		owner_check(test, m);
		KUNIT_EXPECT_EQ(test, !m->leaf[group], may);
		owner_zap(test, m, 0, 1, owner);
		owner_check(test, m);
		KUNIT_EXPECT_EQ(test, !!m->leaf[group - 2], may && group > 2);
		owner_zap(test, m, 0, m->n, DRM_GPT_OWNER_ANY);
		owner_check(test, m);
	}
}

/* Of one owner they are joined, and stay his. */
static void a_promoted_leaf_has_its_owner(struct kunit *test)
{
	struct owner_model *m = owner_model(test);
	u32 table = test_entries(m->hw), i;
	struct test_hw *hw = m->hw;
	struct drm_gpt_gather gather;

	test_skip_if_all_small(test);
	if (hw->hide || !hw->geometry->format->replace_ok)
		kunit_skip(test, "nothing is promoted");
	owner_map(test, m, table, 1, DRM_GPT_OWNER_MIRROR);
	for (i = 0; i < table; i++) {
		m->leaf[i] = test_leaf_4k(4 * table + i, 0);
		m->owner[i] = DRM_GPT_OWNER_CLAIMED;
	}
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, owner_map_at(hw, owner_va(m, i * table / 2),
						   m->leaf + i * table / 2, table / 2,
						   DRM_GPT_OWNER_CLAIMED), 0);
	owner_check(test, m);
	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, m->base,
					 owner_va(m, table) - 1), 0);
	KUNIT_EXPECT_TRUE(test, drm_gpt_promote(&gather, m->base));
	test_flush(hw, &gather);
	owner_zap(test, m, 0, m->n, DRM_GPT_OWNER_MIRROR);
	owner_check(test, m);
	KUNIT_EXPECT_EQ(test, m->leaf[table], 0);
	owner_zap(test, m, 0, m->n, DRM_GPT_OWNER_CLAIMED);
	owner_check(test, m);
}

/* More runs than there is ring space for one go. */
static void zap_asks_for_more_ring_space(struct kunit *test)
{
	struct owner_model *m = owner_model(test);
	struct drm_gpt_gather gather;
	u32 i;

	if (!m->hw->gpt.cmd || m->hw->gpt.cpu_max)
		kunit_skip(test, "no ring, or none for such short runs");
	for (i = 0; i < m->n; i++)
		owner_map(test, m, i, 1, i % 2);
	test_hw_run(m->hw, U32_MAX);
	KUNIT_EXPECT_GT(test, owner_zap_all(test, m->hw, &gather, m->base,
					    owner_va(m, m->n) - 1,
					    DRM_GPT_OWNER_MIRROR), 1);
	for (i = 0; i < m->n; i += 2)
		m->leaf[i] = 0;
	test_flush(m->hw, &gather);
	owner_check(test, m);
}

/* What is started gives its ring space back before it is waited for. */
static void gather_gives_ring_space_back(struct kunit *test)
{
	struct owner_model *m = owner_model(test);
	struct test_hw *hw = m->hw;
	struct drm_gpt_gather gather;
	u64 tables;

	owner_map(test, m, 0, 3, DRM_GPT_OWNER_MIRROR);
	test_hw_run(hw, U32_MAX);
	tables = test_tables(hw);
	KUNIT_ASSERT_EQ(test, ops_gather(hw, &gather, m->base, owner_va(m, m->n) - 1), 0);
	drm_gpt_zap(&gather, m->base, owner_va(m, m->n) - 1);
	drm_gpt_reclaim(&gather, m->base, owner_va(m, m->n) - 1);
	test_hw_flush(hw, &gather);
	drm_gpt_gather_unreserve(&gather);
	KUNIT_EXPECT_EQ(test, hw->reserved, 0);
	/* Nothing is freed, and what was flushed is still said. */
	KUNIT_EXPECT_FALSE(test, drm_gpt_gather_empty(&gather));
	KUNIT_EXPECT_EQ(test, test_tables(hw), tables);
	drm_gpt_gather_fini(&gather);
	test_wait_freed(hw);
	KUNIT_EXPECT_LT(test, test_tables(hw), tables);
}

static void refuses_owners_that_there_are_not(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	struct drm_gpt_update up;
	u64 leaf = test_leaf_4k(1, 0);

	KUNIT_EXPECT_EQ(test, drm_gpt_prepare_owner(&hw->gpt, &up, 0, 0xfff, 0,
						    DRM_GPT_OWNER_ANY, GFP_KERNEL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_map_owner(&hw->gpt, 0, &leaf, 1, DRM_GPT_OWNER_ANY,
						GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

static void owners_agree_with_a_model(struct kunit *test)
{
	u32 step, first, n, steps = test_rounds(test, OWNER_STEPS);
	struct owner_model *m = owner_model(test);

	for (step = 0; step < steps; step++) {
		owner_pick(m, &first, &n);
		if (owner_dice(m, 5) < 3 && !m->hw->geometry->careful)
			owner_map(test, m, first, n, owner_dice(m, 2));
		else if (owner_dice(m, 2))
			owner_zap(test, m, first, n, owner_dice(m, 3));
		else
			owner_map(test, m, first, 1, owner_dice(m, 2));
		owner_check(test, m);
		if (step % 16 == 0)
			test_reclaim_all(m->hw);
	}
}

static struct kunit_case owner_cases[] = {
	KUNIT_CASE_PARAM(neighbours_stay, ops_variant_gen_params),
	KUNIT_CASE_PARAM(large_leaves_of_the_other_stay, ops_variant_gen_params),
	KUNIT_CASE_PARAM(bits_come_only_where_both_are, ops_variant_gen_params),
	KUNIT_CASE_PARAM(promotion_does_not_join_owners, ops_variant_gen_params),
	KUNIT_CASE_PARAM(a_group_does_not_have_two_owners, ops_variant_gen_params),
	KUNIT_CASE_PARAM(a_promoted_leaf_has_its_owner, ops_variant_gen_params),
	KUNIT_CASE_PARAM(zap_asks_for_more_ring_space, ops_variant_gen_params),
	KUNIT_CASE_PARAM(gather_gives_ring_space_back, ops_variant_gen_params),
	KUNIT_CASE_PARAM(refuses_owners_that_there_are_not, ops_variant_gen_params),
	KUNIT_CASE_PARAM(owners_agree_with_a_model, ops_variant_gen_params),
	{}
};

static struct kunit_suite drm_gpt_owner_suite = {
	.name = "drm_gpt_owners",
	.init = test_init,
	.exit = test_exit,
	.test_cases = owner_cases,
};

kunit_test_suite(drm_gpt_owner_suite);
