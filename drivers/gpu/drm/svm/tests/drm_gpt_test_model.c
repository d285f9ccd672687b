// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Random operations on a page table and on a flat array that says what it
 * ought to hold. After each, lookups, the hardware's tables and the device's
 * caches are held against the array.
 */

#include <kunit/test.h>

#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "drm_gpt_test.h"

#define MODEL_WINDOWS	3
#define MODEL_PAGES	4096
/* The device of this test looks at every entry: slow where each load is checked. */
#define MODEL_STEPS	(IS_ENABLED(CONFIG_KASAN) ? 500 : 2000)
#define MODEL_SEED	0x67707431

/**
 * struct test_model - what ought to be mapped
 * @hw: device, with the table under test
 * @rnd: the dice
 * @nr: windows in use
 * @base: where each begins
 * @leaf: a leaf per page, 0 for none
 * @page: next bus page to give out; none is used twice
 * @array: leaves of one commit
 * @failed: something did not agree, and has been said
 */
struct test_model {
	struct test_hw *hw;
	struct rnd_state rnd;
	u32 nr;
	u64 base[MODEL_WINDOWS];
	u64 leaf[MODEL_WINDOWS][MODEL_PAGES];
	u32 page;
	u64 array[MODEL_PAGES];
	bool failed;
};

/**
 * struct test_pages - some pages of a window
 * @w: window
 * @i: first page
 * @n: pages
 * @first: address of the first byte
 * @last: address of the last byte
 */
struct test_pages {
	u32 w;
	u32 i;
	u32 n;
	u64 first;
	u64 last;
};

static u32 model_random(struct test_model *model, u32 below)
{
	return prandom_u32_state(&model->rnd) % below;
}

static void model_fail(struct kunit *test, struct test_model *model,
		       const char *what, u64 va, u64 want, u64 got)
{
	if (!model->failed)
		KUNIT_FAIL(test, "%s at %#llx: %#llx, not %#llx", what, va, got,
			   want);
	model->failed = true;
}

/* The start, a border of directories of every level, the end. */
static void model_windows(struct test_model *model)
{
	u64 bytes = (u64)MODEL_PAGES << 12, last = test_last(model->hw);

	model->nr = 1;
	if (last < 3 * bytes)
		return;
	model->base[1] = (last >> 1) + 1 - bytes / 2;
	model->base[2] = last - bytes + 1;
	model->nr = 3;
}

/* Lengths and ends near borders of tables more often than elsewhere. */
static void model_pick(struct test_model *model, struct test_pages *pages)
{
	u32 entries = test_entries(model->hw);

	pages->w = model_random(model, model->nr);
	pages->i = model_random(model, MODEL_PAGES);
	pages->n = 1 + model_random(model, model_random(model, 3) ? 16 :
							3 * entries);
	if (!model_random(model, 3))
		pages->i = rounddown(pages->i, entries);
	if (!model_random(model, 3))
		pages->n = roundup(pages->n, entries);
	pages->n = min(pages->n, MODEL_PAGES - pages->i);
	pages->first = model->base[pages->w] + ((u64)pages->i << 12);
	pages->last = pages->first + ((u64)pages->n << 12) - 1;
}

static u64 *model_leaf(struct test_model *model, const struct test_pages *pages,
		       u32 k)
{
	return &model->leaf[pages->w][pages->i + k];
}

/* ---- operations --------------------------------------------------------- */

static u64 model_flags(struct test_model *model)
{
	u64 flags = 0;

	if (model_random(model, 2))
		flags |= DRM_GPT_LEAF_WRITE;
	if (model_random(model, 2))
		flags |= DRM_GPT_LEAF_ATOMIC;
	return flags;
}

/* What is mapped already stays, said again or skipped. */
static void model_fill_array(struct test_model *model,
			     const struct test_pages *pages)
{
	u32 entries = test_entries(model->hw), step = 1 + model_random(model, 2);
	u32 holes = model_random(model, 3), again = model_random(model, 2), k;
	u64 flags = model_flags(model), old;

	model->page = roundup(model->page, entries) + pages->i % entries;
	for (k = 0; k < pages->n; k++, model->page += step) {
		old = *model_leaf(model, pages, k);
		if (old)
			model->array[k] = again ? old : 0;
		else if (holes == 2 && model_random(model, 4) == 0)
			model->array[k] = 0;
		else
			model->array[k] = test_leaf(model->page, flags);
	}
}

/* Pages that a large leaf takes with it; lookups know how large. */
static void model_widen(struct test_model *model, struct test_pages *pages)
{
	struct drm_gpt_entry entry;
	u64 base = model->base[pages->w], last = pages->last;

	drm_gpt_lookup(&model->hw->gpt, pages->first, &entry);
	if (entry.flags && entry.first < pages->first)
		pages->first = entry.first;
	drm_gpt_lookup(&model->hw->gpt, last, &entry);
	if (entry.flags && entry.last > last)
		pages->last = entry.last;
	pages->i = (pages->first - base) >> 12;
	pages->n = ((pages->last - pages->first) >> 12) + 1;
}

/* A group of pages with a hint goes whole. What is said to be gone has to be. */
static void model_widen_groups(struct test_model *model,
			       const struct drm_gpt_gather *gather,
			       struct test_pages *pages)
{
	u64 bytes = 0x1000ULL << model->hw->geometry->hint;
	u64 first = rounddown(pages->first, bytes);
	u64 last = roundup(pages->last + 1, bytes) - 1;

	if (gather->zap_first < pages->first && gather->zap_first >= first)
		pages->first = first;
	if (gather->zap_last > pages->last && gather->zap_last <= last)
		pages->last = last;
	pages->i = (pages->first - model->base[pages->w]) >> 12;
	pages->n = ((pages->last - pages->first) >> 12) + 1;
}

static bool model_gather_has(const struct drm_gpt_gather *gather, u64 va)
{
	u32 i;

	for (i = 0; i < gather->nr; i++)
		if (gather->range[i].first <= va && gather->range[i].last >= va)
			return true;
	return gather->full;
}

static void model_check_gather(struct kunit *test, struct test_model *model,
			       const struct test_pages *pages,
			       const struct drm_gpt_gather *gather)
{
	u64 first = U64_MAX, last = 0, va = pages->first;
	u32 k;

	for (k = 0; k < pages->n; k++, va += 0x1000) {
		if (!*model_leaf(model, pages, k))
			continue;
		first = min(first, va);
		last = va + 0xfff;
		if (!model_gather_has(gather, va))
			model_fail(test, model, "zapped, not gathered", va, 1, 0);
	}
	/* Whole tables are spoken of as such, but nothing that was not asked for. */
	if (gather->zap_first > first ||
	    (first <= last && gather->zap_first < pages->first))
		model_fail(test, model, "zap_first", pages->first, first,
			   gather->zap_first);
	if (gather->zap_last < last ||
	    (first <= last && gather->zap_last > pages->last))
		model_fail(test, model, "zap_last", pages->first, last,
			   gather->zap_last);
	if (first > last && !drm_gpt_gather_empty(gather))
		model_fail(test, model, "gather of nothing", pages->first, 0,
			   gather->nr);
}

static void model_zap_pages(struct kunit *test, struct test_model *model,
			    struct test_pages pages)
{
	u64 first = pages.first, last = pages.last;
	struct drm_gpt_gather gather;
	u32 k;

	model_widen(model, &pages);
	if (test_zap(model->hw, &gather, first, last))
		model_fail(test, model, "zap failed", first, 0, 1);
	model_widen_groups(model, &gather, &pages);
	model_check_gather(test, model, &pages, &gather);
	/* The device runs on between zap and flush. */
	test_hw_run(model->hw, model_random(model, 8));
	for (k = 0; k < pages.n; k += 1 + model_random(model, 8))
		test_hw_access(model->hw, pages.first + ((u64)k << 12));
	for (k = 0; k < pages.n; k++)
		*model_leaf(model, &pages, k) = 0;
	test_flush(model->hw, &gather);
}

static void model_zap(struct kunit *test, struct test_model *model)
{
	struct test_pages pages;

	model_pick(model, &pages);
	model_zap_pages(test, model, pages);
}

static void model_map(struct kunit *test, struct test_model *model)
{
	struct test_pages pages;
	u32 k;
	int ret;

	model_pick(model, &pages);
	model_fill_array(model, &pages);
	ret = test_map_if(model->hw, pages.first, model->array, pages.n, NULL,
			  NULL);
	/* A large leaf is in the way: it goes first, and what is new comes again. */
	if (ret == -EBUSY && !model->hw->geometry->format->replace_ok) {
		model_zap_pages(test, model, pages);
		ret = test_map_if(model->hw, pages.first, model->array, pages.n,
				  NULL, NULL);
	}
	if (ret)
		model_fail(test, model, "map failed", pages.first, 0, ret);
	for (k = 0; k < pages.n; k++)
		if (model->array[k])
			*model_leaf(model, &pages, k) = model->array[k];
}

static void model_reclaim(struct kunit *test, struct test_model *model)
{
	struct drm_gpt_gather gather;
	struct test_pages pages;

	model_pick(model, &pages);
	drm_gpt_gather_init(&gather, &model->hw->gpt);
	if (drm_gpt_zap_reserve(&gather, pages.first, pages.last, true))
		model_fail(test, model, "reserve failed", pages.first, 0, 1);
	drm_gpt_reclaim(&gather, pages.first, pages.last);
	test_flush(model->hw, &gather);
}

/* ---- comparisons -------------------------------------------------------- */

/* The device may be late with what was mapped, never with what went. */
static void model_check_access(struct kunit *test, struct test_model *model,
			       u64 va, u64 want, bool late)
{
	u64 got = test_hw_access(model->hw, va);

	if (got != want && (got || !late))
		model_fail(test, model, "device sees", va, want, got);
}

static void model_check_lookup(struct kunit *test, struct test_model *model,
			       u64 va, u64 want)
{
	const u64 flags = DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE |
			  DRM_GPT_LEAF_ATOMIC;
	struct drm_gpt_entry entry;

	drm_gpt_lookup(&model->hw->gpt, va, &entry);
	if (entry.flags != (want & flags))
		model_fail(test, model, "lookup says", va, want & flags,
			   entry.flags);
	if (entry.first > va || entry.last < va)
		model_fail(test, model, "lookup of another place", va, va,
			   entry.first);
	if (entry.leaf && entry.leaf + (va - entry.first) != want)
		model_fail(test, model, "lookup's leaf", va, want, entry.leaf);
}

static void model_check_mapped(struct kunit *test, struct test_model *model)
{
	u64 flags = model_flags(model), seq;
	struct test_pages pages;
	bool want = true;
	u32 k;

	model_pick(model, &pages);
	flags |= DRM_GPT_LEAF_VALID;
	for (k = 0; k < pages.n; k++)
		want &= (*model_leaf(model, &pages, k) & flags) == flags;
	if (drm_gpt_mapped(&model->hw->gpt, pages.first, pages.last, flags,
			   &seq) != want) {
		model_fail(test, model, "mapped", pages.first, want, !want);
		return;
	}
	if (!want)
		return;
	if (drm_gpt_wait(&model->hw->gpt, seq))
		model_fail(test, model, "wait failed", pages.first, 0, 1);
	for (k = 0; k < pages.n; k++)
		model_check_access(test, model, pages.first + ((u64)k << 12),
				   *model_leaf(model, &pages, k), false);
}

static void model_check_some(struct kunit *test, struct test_model *model)
{
	struct test_pages pages;
	u32 k;

	model_pick(model, &pages);
	for (k = 0; k < pages.n; k++) {
		u64 va = pages.first + ((u64)k << 12);
		u64 want = *model_leaf(model, &pages, k);

		model_check_lookup(test, model, va, want);
		model_check_access(test, model, va, want, true);
	}
}

static void model_check_all(struct kunit *test, struct test_model *model)
{
	u32 w, i;

	test_hw_run(model->hw, U32_MAX);
	for (w = 0; w < model->nr; w++) {
		for (i = 0; i < MODEL_PAGES; i++) {
			u64 va = model->base[w] + ((u64)i << 12);
			u64 want = model->leaf[w][i];
			u64 got = test_hw_walk(model->hw, va, NULL);

			if (got != want)
				model_fail(test, model, "tables say", va, want,
					   got);
			model_check_lookup(test, model, va, want);
			model_check_access(test, model, va, want, false);
		}
	}
}

static void model_step(struct kunit *test, struct test_model *model)
{
	switch (model_random(model, 8)) {
	case 0 ... 2:
		model_map(test, model);
		break;
	case 3 ... 4:
		model_zap(test, model);
		break;
	case 5:
		model_reclaim(test, model);
		break;
	case 6:
		model_check_mapped(test, model);
		break;
	default:
		test_hw_run(model->hw, model_random(model, 16));
		break;
	}
	model_check_some(test, model);
}

void agrees_with_a_model(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	struct test_model *model = vzalloc(sizeof(*model));
	u32 step, tables = 0;

	KUNIT_ASSERT_NOT_NULL(test, model);
	kunit_info(test, "seed %#x, %u steps\n", MODEL_SEED, MODEL_STEPS);
	model->hw = hw;
	model->page = 1;
	prandom_seed_state(&model->rnd, MODEL_SEED);
	model_windows(model);
	for (step = 0; step < MODEL_STEPS && !model->failed; step++) {
		model_step(test, model);
		if (step % 64 == 0)
			model_check_all(test, model);
		tables = max_t(u32, tables, atomic64_read(&hw->gpt.stats.tables));
		cond_resched();
	}
	model_check_all(test, model);
	if (model->failed)
		kunit_info(test, "failed in step %u\n", step);
	kunit_info(test, "tables %u, relinks %lld, runs %lld\n", tables,
		   atomic64_read(&hw->gpt.stats.relinks),
		   atomic64_read(&hw->gpt.stats.runs));
	vfree(model);
}
