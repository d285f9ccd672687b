// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device that looks between any two stores, and between any two packets, of each
 * of many operations. What it finds for a page, in memory and with its caches, is
 * what was there before or what is there afterwards, and nothing else: above all
 * not a hole where both are mapped. The device itself complains of an entry beside
 * a group that says something else.
 *
 * For formats that replace in place; others have a hole in between.
 */

#include "kunit.h"

#include "../../../drivers/gpu/drm/svm/gpt/tests/drm_gpt_test.h"

#define LOOK_TABLES	3
#define LOOK_PAGES	(LOOK_TABLES * 512)
#define LOOK_STEPS	600

/**
 * struct look - pages of a few tables, on both sides of a border of directories
 * @test: who fails
 * @hw: device
 * @rnd: dice
 * @base: first address
 * @pages: how many
 * @stamp: makes leaves differ
 * @before: what they were mapped to
 * @after: what they will be
 * @hole: pages from here on may be empty meanwhile
 * @hole_end: up to here
 * @at: the page that is looked at next
 * @looks: how often it was
 * @busy: looking; what that stores is not looked at
 * @failed: it has been said
 */
struct look {
	struct kunit *test;
	struct test_hw *hw;
	struct rnd_state rnd;
	u64 base;
	u32 pages;
	u32 stamp;
	u64 before[LOOK_PAGES];
	u64 after[LOOK_PAGES];
	u32 hole;
	u32 hole_end;
	u32 at;
	u32 looks;
	bool busy;
	bool failed;
};

/* Of the thread that does it all; others free tables. */
static __thread struct look *looker;

static u64 look_va(const struct look *l, u32 page)
{
	return l->base + page * 0x1000ULL;
}

static void look_failed(struct look *l, const char *who, u32 page, u64 got)
{
	if (!l->failed)
		KUNIT_FAIL(l->test, "%s at %#llx: %#llx, neither %#llx nor %#llx", who,
			   look_va(l, page), got, l->before[page], l->after[page]);
	l->failed = true;
}

static void look_check(struct look *l, const char *who, u32 page, u64 got)
{
	/* A CPU of 32 bits has an entry empty for a moment. */
	bool hole = (page >= l->hole && page < l->hole_end) || BITS_PER_LONG == 32;

	if (got != l->before[page] && got != l->after[page] && (got || !hole))
		look_failed(l, who, page, got);
}

static void look_at(struct look *l, u32 page)
{
	look_check(l, "memory", page, test_hw_walk(l->hw, look_va(l, page), NULL));
	look_check(l, "device", page, test_hw_access(l->hw, look_va(l, page)));
}

/* A few pages of each table, others each time. */
static void look_now(void)
{
	struct look *l = looker;
	u32 k;

	/* The device is at work itself: nobody else is. */
	if (!l || l->busy || READ_ONCE(l->hw->lock.locked))
		return;
	l->busy = true;
	for (k = 0; k < 2 * LOOK_TABLES; k++, l->looks++) {
		look_at(l, l->at);
		l->at = (l->at + l->pages / LOOK_TABLES / 2 + 1) % l->pages;
	}
	l->busy = false;
}

static u32 look_roll(struct look *l, u32 below)
{
	return prandom_u32_state(&l->rnd) % below;
}

/* Pages that change, from and to; none of them is empty meanwhile. */
static void look_begin(struct look *l)
{
	u32 i;

	for (i = 0; i < l->pages; i++)
		l->after[i] = l->before[i];
	l->hole = 0;
	l->hole_end = 0;
}

/* What may go with @n pages from @first on: their tables. */
static void look_may_be_empty(struct look *l, u32 first, u32 n)
{
	u32 table = test_entries(l->hw);

	l->hole = rounddown(first, table);
	l->hole_end = roundup(first + n, table);
}

/* The ring runs, and what was there before is forgotten. */
static void look_end(struct look *l, struct drm_gpt_gather *gather)
{
	do {
		look_now();
	} while (test_hw_run(l->hw, 1));
	test_flush(l->hw, gather);
}

/* Memory is what it ought to be; with @exact, every page. */
static void look_settle(struct look *l, bool exact)
{
	u32 i;

	for (i = 0; i < l->pages; i++) {
		u64 got = test_hw_walk(l->hw, look_va(l, i), NULL);

		if (exact && got != l->after[i])
			look_failed(l, "afterwards", i, got);
		look_check(l, "at the end", i, got);
		l->before[i] = got;
	}
}

/* ---- operations ------------------------------------------------------------ */

static u32 look_pick(struct look *l, u32 *first)
{
	u32 table = test_entries(l->hw), n = 1 + look_roll(l, table + table / 2);

	*first = look_roll(l, l->pages);
	if (!look_roll(l, 3)) {
		*first = rounddown(*first, table);
		n = table;
	} else if (!look_roll(l, 3)) {
		*first = rounddown(*first, table / 4);
		n = roundup(n, table / 4);
	}
	return min(n, l->pages - *first);
}

/* Pages that follow each other, at an offset at which they may be a group. */
static u64 look_leaf(struct look *l, u32 first)
{
	u64 page = (u64)l->stamp * 4096 + first % test_entries(l->hw);

	l->stamp++;
	return test_leaf_4k(page + !look_roll(l, 4), DRM_GPT_LEAF_WRITE);
}

/* Of the device's TLB, what was mapped over; its walk cache stays. */
static void look_forget(struct look *l, struct drm_gpt_gather *gather, u32 first, u32 n)
{
	drm_gpt_gather_init(gather, &l->hw->gpt);
	KUNIT_EXPECT_EQ(l->test, drm_gpt_zap_reserve(gather, look_va(l, first),
						     look_va(l, first + n) - 1, true), 0);
	drm_gpt_gather_also(gather, look_va(l, first), look_va(l, first + n) - 1, false);
}

static void look_map(struct look *l, u32 first, u32 n, u64 leaf)
{
	struct drm_gpt_gather gather;
	u32 k;

	look_begin(l);
	for (k = 0; k < n; k++)
		l->after[first + k] = leaf + k * 0x1000ULL;
	KUNIT_EXPECT_EQ(l->test, test_map_seq(l->hw, look_va(l, first), leaf, n), 0);
	look_forget(l, &gather, first, n);
	look_end(l, &gather);
	look_settle(l, true);
}

/* Runs of a few pages of which some follow on, and holes. */
static void look_map_array(struct look *l, u32 first, u32 n)
{
	u64 *leaves = kvmalloc_array(n, sizeof(*leaves), GFP_KERNEL), leaf = 0;
	struct drm_gpt_gather gather;
	u32 k;

	look_begin(l);
	for (k = 0; k < n; k++) {
		leaf += 0x1000;
		if (!k || !look_roll(l, 6))
			leaf = look_leaf(l, first + k);
		leaves[k] = look_roll(l, 8) ? leaf : 0;
		if (leaves[k])
			l->after[first + k] = leaf;
	}
	KUNIT_EXPECT_EQ(l->test, test_map_if(l->hw, look_va(l, first), leaves, n, NULL,
					     NULL), 0);
	look_forget(l, &gather, first, n);
	look_end(l, &gather);
	look_settle(l, true);
	kvfree(leaves);
}

static void look_zap(struct look *l, u32 first, u32 n)
{
	struct drm_gpt_gather gather;
	u32 k;

	look_begin(l);
	look_may_be_empty(l, first, n);
	KUNIT_EXPECT_EQ(l->test, test_zap(l->hw, &gather, look_va(l, first),
					  look_va(l, first + n) - 1), 0);
	if (!look_roll(l, 4))
		drm_gpt_reclaim(&gather, look_va(l, first), look_va(l, first + n) - 1);
	look_end(l, &gather);
	for (k = first; k < first + n; k++)
		if (test_hw_access(l->hw, look_va(l, k)))
			look_failed(l, "zapped", k, 1);
	look_settle(l, false);
}

static void look_protect(struct look *l, u32 first, u32 n)
{
	u64 from = look_va(l, first), to = look_va(l, first + n) - 1;
	struct drm_gpt_gather gather;
	u32 k;

	look_begin(l);
	if (l->hw->gpt.cmd)
		look_may_be_empty(l, first, n);
	for (k = rounddown(first, test_entries(l->hw));
	     k < roundup(first + n, test_entries(l->hw)); k++)
		l->after[k] &= ~DRM_GPT_LEAF_WRITE;
	drm_gpt_gather_init(&gather, &l->hw->gpt);
	KUNIT_EXPECT_EQ(l->test, drm_gpt_zap_reserve(&gather, from, to, true), 0);
	drm_gpt_protect(&gather, from, to, DRM_GPT_LEAF_WRITE);
	look_end(l, &gather);
	for (k = first; k < first + n; k++)
		if (test_hw_access(l->hw, look_va(l, k)) & DRM_GPT_LEAF_WRITE)
			look_failed(l, "protected", k, 1);
	look_settle(l, false);
}

/* In two halves, groups or not, then as one, which changes nothing. */
static void look_promote(struct look *l, u32 first)
{
	u32 table = test_entries(l->hw);
	struct drm_gpt_gather gather;
	u64 leaf;

	first = rounddown(first, table);
	leaf = test_leaf_4k((u64)l->stamp * 4096, DRM_GPT_LEAF_WRITE);
	l->stamp++;
	look_map(l, first, table / 2, leaf);
	look_map(l, first + table / 2, table / 2, leaf + table / 2 * 0x1000ULL);
	if (!l->hw->gpt.cmd && look_roll(l, 2))
		look_protect(l, first, table);
	look_begin(l);
	drm_gpt_gather_init(&gather, &l->hw->gpt);
	KUNIT_EXPECT_EQ(l->test, drm_gpt_zap_reserve(&gather, look_va(l, first),
						     look_va(l, first + table) - 1,
						     true), 0);
	drm_gpt_promote(&gather, look_va(l, first));
	look_end(l, &gather);
	look_settle(l, true);
}

/* At an address, then what is left of it or right of it goes, and no more. */
static void look_split(struct look *l, u32 first, u32 n)
{
	u32 table = test_entries(l->hw);
	struct drm_gpt_gather gather;
	u64 at = look_va(l, first);
	u32 k;

	if (look_roll(l, 2))
		look_map(l, rounddown(first, table), table,
			 test_leaf_4k((u64)l->stamp++ * 4096, DRM_GPT_LEAF_WRITE));
	look_begin(l);
	KUNIT_EXPECT_EQ(l->test, drm_gpt_split(&l->hw->gpt, at, NULL, GFP_KERNEL), 0);
	look_forget(l, &gather, first, 1);
	look_end(l, &gather);
	look_settle(l, true);
	n = min(n, table - first % table);
	look_begin(l);
	look_may_be_empty(l, first, n);
	KUNIT_EXPECT_EQ(l->test, test_zap(l->hw, &gather, at,
					  look_va(l, roundup(first + 1, table)) - 1), 0);
	look_end(l, &gather);
	for (k = rounddown(first, table); k < first; k++)
		if (test_hw_access(l->hw, look_va(l, k)) != l->before[k])
			look_failed(l, "left of a split", k, 1);
	look_settle(l, false);
}

static void look_step(struct look *l)
{
	u32 first, n = look_pick(l, &first);

	switch (look_roll(l, 10)) {
	case 0 ... 2:
		look_map(l, first, n, look_leaf(l, first));
		break;
	case 3 ... 4:
		look_map_array(l, first, n);
		break;
	case 5 ... 6:
		look_zap(l, first, n);
		break;
	case 7:
		look_protect(l, first, n);
		break;
	case 8:
		look_split(l, first, n);
		break;
	default:
		look_promote(l, first);
		break;
	}
}

static void shows_what_was_or_what_will_be(struct kunit *test)
{
	struct look *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct test_hw *hw = test->priv;
	u32 steps = test_entries(hw) > 16 ? LOOK_STEPS / 8 : LOOK_STEPS, step;

	l->test = test;
	l->stamp = 1;
	l->hw = hw;
	l->pages = LOOK_TABLES * test_entries(hw);
	l->base = test_span(hw) * (2 << hw->geometry->bits[1]) - test_span(hw);
	prandom_seed_state(&l->rnd, 0x100c);
	looker = l;
	shim_look = look_now;
	WRITE_ONCE(shim_perturbing, true);
	for (step = 0; step < steps && !l->failed; step++)
		look_step(l);
	WRITE_ONCE(shim_perturbing, false);
	shim_look = NULL;
	looker = NULL;
	kunit_info(test, "%u steps, %u looks\n", step, l->looks);
	KUNIT_EXPECT_EQ(test, hw->errors, 0);
}

static const struct test_variant look_variants[] = {
	{ "cpu", &test_geometry_vgem_svm },
	{ "small, cpu", &test_geometry_small },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
	{ "pair, hidden tables", &test_geometry_pair, .cmd = true, .hide = true },
	{ "nvidia, cpu", &test_geometry_nvidia },
	{ "nvidia, commands", &test_geometry_nvidia, .cmd = true },
};

KUNIT_ARRAY_PARAM(look_variant, look_variants, test_variant_desc);

static struct kunit_case look_cases[] = {
	KUNIT_CASE_PARAM(shows_what_was_or_what_will_be, look_variant_gen_params),
	{}
};

static struct kunit_suite look_suite = {
	.name = "look",
	.init = test_init,
	.exit = test_exit,
	.test_cases = look_cases,
};

kunit_test_suite(look_suite);
