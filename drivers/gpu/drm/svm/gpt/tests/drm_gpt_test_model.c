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
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "drm_gpt_test.h"

#define MODEL_WINDOWS	3
/* Of a window: as many, or two tables' worth. */
#define MODEL_PAGES	4096u
/* The device of this test looks at every entry: slow where each load is checked. */
#define MODEL_STEPS	(IS_ENABLED(CONFIG_KASAN) ? 500 : 2000)
#define MODEL_SEED	0x67707431

/**
 * struct test_model - what ought to be mapped
 * @hw: device, with the table under test
 * @rnd: the dice
 * @nr: windows in use
 * @base: where each begins
 * @pages: of a window
 * @leaf: of each a leaf per page, 0 for none
 * @page: next bus page to give out; none is used twice
 * @array: leaves of one commit
 * @failed: something did not agree, and has been said
 */
struct test_model {
	struct test_hw *hw;
	struct rnd_state rnd;
	u32 nr;
	u64 base[MODEL_WINDOWS];
	u32 pages;
	u64 *leaf[MODEL_WINDOWS];
	u32 page;
	u64 *array;
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
	u64 bytes = model->pages * test_page(model->hw), last = test_last(model->hw);

	model->nr = 1;
	if (last < 3 * bytes)
		return;
	model->base[1] = (last >> 1) + 1 - bytes / 2;
	model->base[2] = last - bytes + 1;
	model->nr = 3;
}

static void model_place(struct test_model *model, struct test_pages *pages)
{
	pages->first = model->base[pages->w] + pages->i * test_page(model->hw);
	pages->last = pages->first + pages->n * test_page(model->hw) - 1;
}

/* Lengths and ends near borders of tables more often than elsewhere. */
static void model_pick(struct test_model *model, struct test_pages *pages)
{
	u32 entries = test_entries(model->hw);

	pages->w = model_random(model, model->nr);
	pages->i = model_random(model, model->pages);
	pages->n = 1 + model_random(model, model_random(model, 3) ? 16 :
							3 * entries);
	if (!model_random(model, 3))
		pages->i = rounddown(pages->i, entries);
	if (!model_random(model, 3))
		pages->n = roundup(pages->n, entries);
	pages->n = min(pages->n, model->pages - pages->i);
	model_place(model, pages);
}

static u64 *model_leaf(struct test_model *model, const struct test_pages *pages,
		       u32 k)
{
	return &model->leaf[pages->w][pages->i + k];
}

/* ---- operations --------------------------------------------------------- */

static u64 model_rights(struct test_model *model)
{
	u64 flags = 0;

	if (model_random(model, 2))
		flags |= DRM_GPT_LEAF_WRITE;
	if (model_random(model, 2))
		flags |= DRM_GPT_LEAF_ATOMIC;
	return flags & model->hw->geometry->format->leaf_bits;
}

/* What leaves have besides: mostly memory, and one of the attributes. */
static u64 model_flags(struct test_model *model)
{
	const struct test_geometry *geometry = model->hw->geometry;
	u64 flags = model_rights(model);
	u32 place = model_random(model, 8);

	if (geometry->nr_attrs)
		flags |= TEST_ATTR(model_random(model, geometry->nr_attrs));
	if (!place && geometry->format->null)
		return flags | DRM_GPT_LEAF_NULL;
	if (place == 1 && geometry->format->poison)
		return (flags & DRM_GPT_LEAF_ATTR) | DRM_GPT_LEAF_POISON;
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
			model->array[k] = test_leaf(model->hw, model->page, flags);
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
	pages->i = test_pages(model->hw, pages->first - base);
	pages->n = test_pages(model->hw, pages->last - pages->first) + 1;
}

/* To where a group goes that has one end there, of the smallest that does. */
static u64 model_group_end(struct test_model *model, u64 from, u64 to, bool up)
{
	const struct test_geometry *geometry = model->hw->geometry;
	u64 mask, end;
	u8 level;

	for (level = 0; level < 2; level++) {
		mask = (1ULL << (model->hw->shift[level] + geometry->hint[level])) - 1;
		end = up ? from | mask : from & ~mask;
		if (geometry->hint[level] && (up ? to <= end : to >= end))
			return end;
	}
	return from;
}

/* A group with a hint goes whole. What is said to be gone has to be. */
static void model_widen_groups(struct test_model *model,
			       const struct drm_gpt_gather *gather,
			       struct test_pages *pages)
{
	u64 base = model->base[pages->w];

	if (gather->zap_first < pages->first)
		pages->first = max(base, model_group_end(model, pages->first,
							 gather->zap_first, false));
	if (gather->zap_first <= gather->zap_last && gather->zap_last > pages->last)
		pages->last = min(base + model->pages * test_page(model->hw) - 1,
				  model_group_end(model, pages->last,
						  gather->zap_last, true));
	pages->i = test_pages(model->hw, pages->first - base);
	pages->n = test_pages(model->hw, pages->last - pages->first) + 1;
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

	for (k = 0; k < pages->n; k++, va += test_page(model->hw)) {
		if (!*model_leaf(model, pages, k))
			continue;
		first = min(first, va);
		last = va + test_page(model->hw) - 1;
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
	if (first > last && !gather->evict && !drm_gpt_gather_empty(gather))
		model_fail(test, model, "gather of nothing", pages->first, 0,
			   gather->nr);
}

/* Empty tables make way too if @evict. */
static void model_zap_pages(struct kunit *test, struct test_model *model,
			    struct test_pages pages, bool evict)
{
	u64 first = pages.first, last = pages.last;
	struct drm_gpt_gather gather;
	u32 k;

	model_widen(model, &pages);
	drm_gpt_gather_init(&gather, &model->hw->gpt);
	gather.evict = evict;
	if (drm_gpt_zap_reserve(&gather, first, last, true))
		model_fail(test, model, "zap failed", first, 0, 1);
	drm_gpt_zap(&gather, first, last);
	model_widen_groups(model, &gather, &pages);
	model_check_gather(test, model, &pages, &gather);
	/* The device runs on between zap and flush. */
	test_hw_run(model->hw, model_random(model, 8));
	for (k = 0; k < pages.n; k += 1 + model_random(model, 8))
		test_hw_access(model->hw, pages.first + k * test_page(model->hw));
	for (k = 0; k < pages.n; k++)
		*model_leaf(model, &pages, k) = 0;
	test_flush(model->hw, &gather);
}

static void model_zap(struct kunit *test, struct test_model *model)
{
	struct test_pages pages;

	model_pick(model, &pages);
	model_zap_pages(test, model, pages, false);
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
		model_zap_pages(test, model, pages, false);
		ret = test_map_if(model->hw, pages.first, model->array, pages.n,
				  NULL, NULL);
	}
	if (ret)
		model_fail(test, model, "map failed", pages.first, 0, ret);
	for (k = 0; k < pages.n; k++)
		if (model->array[k])
			*model_leaf(model, &pages, k) = model->array[k];
}

/* Large leaves, one by one or as groups; whatever is there goes before. */
static int model_commit_large(struct test_model *model,
			      const struct test_pages *pages, u32 nr)
{
	struct drm_gpt *gpt = &model->hw->gpt;
	struct drm_gpt_update up;
	int ret;

	ret = drm_gpt_prepare(gpt, &up, pages->first, pages->last, 1, GFP_KERNEL);
	if (ret)
		return ret;
	ret = drm_gpt_commit(&up, pages->first, model->array, nr, NULL, NULL);
	drm_gpt_finish(&up);
	return ret;
}

static void model_map_large(struct kunit *test, struct test_model *model)
{
	u32 entries = test_entries(model->hw), step = 1 + model_random(model, 2);
	u32 group = entries << model->hw->geometry->hint[1], k, page;
	u64 flags = model_flags(model);
	struct test_pages pages;

	model_pick(model, &pages);
	pages.n = roundup(pages.i % entries + pages.n, entries);
	pages.i = rounddown(pages.i, entries);
	model_place(model, &pages);
	model_zap_pages(test, model, pages, true);
	page = roundup(model->page, group) + pages.i % group;
	model->page = page + pages.n * step;
	for (k = 0; k < pages.n; k += entries)
		model->array[k / entries] = test_leaf(model->hw, page + k * step,
						      flags);
	if (model_commit_large(model, &pages, pages.n / entries))
		model_fail(test, model, "large map failed", pages.first, 0, 1);
	for (k = 0; k < pages.n; k++)
		*model_leaf(model, &pages, k) =
			test_leaf(model->hw, page + k + (step - 1) *
				  rounddown(k, entries), flags);
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
	u64 flags = model_rights(model), seq;
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
		model_check_access(test, model, pages.first + k * test_page(model->hw),
				   *model_leaf(model, &pages, k), false);
}

static void model_check_some(struct kunit *test, struct test_model *model)
{
	struct test_pages pages;
	u32 k;

	model_pick(model, &pages);
	for (k = 0; k < pages.n; k++) {
		u64 va = pages.first + k * test_page(model->hw);
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
		for (i = 0; i < model->pages; i++) {
			u64 va = model->base[w] + i * test_page(model->hw);
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
		if (model->hw->geometry->format->levels[1].leaf &&
		    !model_random(model, 6))
			model_map_large(test, model);
		else
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

static void model_free(struct test_model *model)
{
	u32 w;

	for (w = 0; w < MODEL_WINDOWS; w++)
		kvfree(model->leaf[w]);
	kvfree(model->array);
	vfree(model);
}

static struct test_model *model_make(struct test_hw *hw)
{
	struct test_model *model = vzalloc(sizeof(*model));
	bool ok;
	u32 w;

	if (!model)
		return NULL;
	model->hw = hw;
	model->page = 1;
	model->pages = max(2 * test_entries(hw), MODEL_PAGES);
	model->array = kvcalloc(model->pages, sizeof(*model->array), GFP_KERNEL);
	ok = model->array;
	for (w = 0; w < MODEL_WINDOWS; w++) {
		model->leaf[w] = kvcalloc(model->pages, sizeof(u64), GFP_KERNEL);
		ok &= !!model->leaf[w];
	}
	if (ok)
		return model;
	model_free(model);
	return NULL;
}

void agrees_with_a_model(struct kunit *test)
{
	u32 step, tables = 0, steps = test_rounds(test, MODEL_STEPS);
	struct test_hw *hw = test->priv;
	struct test_model *model = model_make(hw);

	KUNIT_ASSERT_NOT_NULL(test, model);
	kunit_info(test, "seed %#x, %u steps\n", MODEL_SEED, steps);
	prandom_seed_state(&model->rnd, MODEL_SEED);
	model_windows(model);
	for (step = 0; step < steps && !model->failed; step++) {
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
	model_free(model);
}
