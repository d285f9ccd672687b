// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * drm_gpt_split() beside others. Two threads map their parts, split them and zap one
 * side; a third maps and zaps small pages in tables that it shares with them. Two look
 * up without a lock, and as the device does, what all of them have mapped. Where entries
 * may be replaced a split changes nothing for the device, at no moment; a lookup may
 * find nothing while it lasts, and never what was there before.
 */

#include "kunit.h"

#include "../../../drivers/gpu/drm/svm/gpt/tests/drm_gpt_test.h"

#define PARTS		6
#define OWNERS		3
#define READERS		2
#define STAMPS		64

static int split_rounds = 120;
module_param(split_rounds, int, 0444);

/**
 * struct part - what one thread maps, a table or the half of one
 * @first: first page
 * @n: pages
 * @version: odd while what is mapped changes
 * @splits: odd while it is split
 * @from: first page that is mapped
 * @to: behind the last
 * @leaf: what @first is mapped to, or would be
 */
struct part {
	u32 first;
	u32 n;
	u32 version;
	u32 splits;
	u32 from;
	u32 to;
	u64 leaf;
};

struct race {
	struct test_hw *hw;
	u64 base;
	struct part parts[PARTS];
	atomic_t errors;
	bool stop;
};

struct thread {
	struct race *race;
	struct completion done;
	struct rnd_state rnd;
	u32 nr;
};

static u32 roll(struct thread *t, u32 below)
{
	return prandom_u32_state(&t->rnd) % below;
}

static u64 page_va(const struct race *r, u32 page)
{
	return r->base + page * 0x1000ULL;
}

static void failed(struct race *r, const char *what, u64 va, u64 got, u64 want)
{
	if (!atomic_read(&r->errors))
		printf("    # %s at %#llx: %#llx, not %#llx\n", what, va, got, want);
	atomic_inc(&r->errors);
}

/* A half of an entry at a time, or empty in between: then a split is seen. */
static bool split_is_seen(const struct race *r)
{
	return !r->hw->geometry->format->replace_ok || BITS_PER_LONG == 32;
}

/* ---- who looks -------------------------------------------------------------- */

static u64 expected(const struct part *p, u32 page)
{
	u32 from = READ_ONCE(p->from), to = READ_ONCE(p->to);

	return page < from || page >= to ? 0 :
	       READ_ONCE(p->leaf) + (page - p->first) * 0x1000ULL;
}

static void look(struct race *r, struct part *p, u32 page)
{
	/* Pairs with change_begin(). */
	u32 version = smp_load_acquire(&p->version), splits = smp_load_acquire(&p->splits);
	u64 want = expected(p, page), va = page_va(r, page), got;
	struct drm_gpt_entry e;
	bool there, whole;

	drm_gpt_lookup(&r->hw->gpt, va, &e);
	there = e.flags;
	got = test_hw_access(r->hw, va);
	smp_rmb(); /* as above */
	if ((version & 1) || READ_ONCE(p->version) != version)
		return;
	whole = !(splits & 1) && READ_ONCE(p->splits) == splits;
	if (there != !!want && (there || whole))
		failed(r, "lookup", va, there, want);
	if (e.leaf && e.leaf + (va - e.first) != want)
		failed(r, "lookup", va, e.leaf + (va - e.first), want);
	if (got != want)
		failed(r, "device", va, got, want);
}

static int reader_thread(void *data)
{
	struct thread *t = data;
	struct race *r = t->race;

	while (!READ_ONCE(r->stop)) {
		struct part *p = &r->parts[roll(t, PARTS)];

		look(r, p, p->first + roll(t, p->n));
	}
	kthread_complete_and_exit(&t->done, 0);
}

/* ---- who changes -------------------------------------------------------------- */

static void change_begin(struct part *p)
{
	WRITE_ONCE(p->version, p->version + 1);
	smp_wmb(); /* pairs with look() */
}

static void change_end(struct part *p, u32 from, u32 to)
{
	WRITE_ONCE(p->from, from);
	WRITE_ONCE(p->to, to);
	/* Pairs with look(). */
	smp_store_release(&p->version, p->version + 1);
}

static void map(struct thread *t, struct part *p, u32 from, u32 to)
{
	struct race *r = t->race;

	change_begin(p);
	/* Aligned as addresses are, so that it may be large. */
	WRITE_ONCE(p->leaf, test_leaf(r->hw, p->first + (1 + roll(t, STAMPS)) * 4 *
				      test_entries(r->hw), DRM_GPT_LEAF_WRITE));
	if (test_map_seq(r->hw, page_va(r, from), p->leaf + (from - p->first) * 0x1000ULL,
			 to - from))
		failed(r, "map", page_va(r, from), 0, 0);
	test_hw_run(r->hw, U32_MAX);
	change_end(p, from, to);
}

/* Exactly that: a page more is a neighbour's. */
static void zap(struct thread *t, struct part *p, u32 from, u32 to)
{
	u64 first = page_va(t->race, from), last = page_va(t->race, to) - 1;
	struct drm_gpt_gather gather;

	change_begin(p);
	if (test_zap(t->race->hw, &gather, first, last))
		failed(t->race, "zap", first, 0, 0);
	if (gather.zap_first < first || gather.zap_last > last)
		failed(t->race, "zapped more", first, gather.zap_first, gather.zap_last);
	test_flush(t->race->hw, &gather);
	if (from > p->from)
		change_end(p, p->from, from);
	else
		change_end(p, max(to, p->from), max(to, p->to));
}

static int flush(struct drm_gpt *gpt, struct drm_gpt_gather *gather)
{
	test_hw_flush(container_of(gpt, struct test_hw, gpt), gather);
	return 0;
}

static void split(struct thread *t, struct part *p, u32 at)
{
	bool seen = split_is_seen(t->race);

	if (seen)
		change_begin(p);
	WRITE_ONCE(p->splits, p->splits + 1);
	smp_wmb(); /* pairs with look() */
	if (drm_gpt_split(&t->race->hw->gpt, page_va(t->race, at), flush, GFP_KERNEL))
		failed(t->race, "split", page_va(t->race, at), 0, 0);
	/* As above. */
	smp_store_release(&p->splits, p->splits + 1);
	if (seen)
		change_end(p, p->from, p->to);
}

static void split_round(struct thread *t, struct part *p)
{
	u32 at = p->first + 1 + roll(t, p->n - 1), end = p->first + p->n;

	map(t, p, p->first, end);
	split(t, p, at);
	if (roll(t, 2))
		zap(t, p, at, end);
	else
		zap(t, p, p->first, at);
	/* All of it: the table keeps what was in it, and is linked to nothing. */
	if (roll(t, 2))
		zap(t, p, p->first, end);
	else
		zap(t, p, p->from, p->to);
}

/* Small pages beside what others split; it splits what it has mapped itself, too. */
static void small_round(struct thread *t, struct part *p)
{
	u32 from = p->first + roll(t, p->n), to = from + 1 + roll(t, p->first + p->n - from);

	map(t, p, from, to);
	if (to - from > 1) {
		split(t, p, from + 1);
		zap(t, p, from, from + 1);
	}
	zap(t, p, p->from, p->to);
}

/* Parts 0 to 3 are of two threads by turns, 4 and 5 of the third. */
static int owner_thread(void *data)
{
	struct thread *t = data;
	int i;

	for (i = 0; i < split_rounds && !atomic_read(&t->race->errors); i++) {
		if (t->nr == OWNERS - 1)
			small_round(t, &t->race->parts[4 + roll(t, 2)]);
		else
			split_round(t, &t->race->parts[t->nr + 2 * roll(t, 2)]);
	}
	kthread_complete_and_exit(&t->done, 0);
}

/* ---- the test ------------------------------------------------------------------- */

/* Two tables by themselves, two that are shared in halves; all of one directory. */
static void make_parts(struct race *r)
{
	u32 n = test_entries(r->hw), i;

	for (i = 0; i < PARTS; i++)
		r->parts[i] = i < 2 ? (struct part){ .first = i * n, .n = n } :
			      (struct part){ .first = 2 * n + (i % 2) * n +
						      (i >= 4) * n / 2, .n = n / 2 };
}

static void start(struct thread *t, struct race *r, u32 nr, int (*fn)(void *data))
{
	t->race = r;
	t->nr = nr;
	prandom_seed_state(&t->rnd, 1 + nr);
	init_completion(&t->done);
	kthread_run(fn, t, "split");
}

static void splits_are_seen_by_nobody(struct kunit *test)
{
	struct thread *threads = kunit_kcalloc(test, OWNERS + READERS, sizeof(*threads),
					       GFP_KERNEL);
	struct race *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	u32 i;

	r->hw = test->priv;
	r->hw->careful = false;
	r->base = 4 * test_span(r->hw);
	make_parts(r);
	WRITE_ONCE(shim_perturbing, true);
	for (i = 0; i < OWNERS + READERS; i++)
		start(&threads[i], r, i, i < OWNERS ? owner_thread : reader_thread);
	for (i = 0; i < OWNERS; i++)
		wait_for_completion(&threads[i].done);
	WRITE_ONCE(r->stop, true);
	for (; i < OWNERS + READERS; i++)
		wait_for_completion(&threads[i].done);
	WRITE_ONCE(shim_perturbing, false);
	KUNIT_EXPECT_EQ(test, atomic_read(&r->errors), 0);
	for (i = 0; i < PARTS; i++)
		KUNIT_EXPECT_EQ(test, r->parts[i].from, r->parts[i].to);
}

static const struct test_variant split_variants[] = {
	{ "small, cpu", &test_geometry_small },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "small, hidden tables", &test_geometry_small, .cmd = true, .hide = true },
	{ "small, small by cpu", &test_geometry_small, .cmd = true, .cpu_max = 6 },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
	{ "toy with groups, cpu", &test_geometry_toy_groups },
	{ "toy with groups, commands", &test_geometry_toy_groups, .cmd = true },
};

KUNIT_ARRAY_PARAM(split_variant, split_variants, test_variant_desc);

static struct kunit_case split_cases[] = {
	KUNIT_CASE_PARAM(splits_are_seen_by_nobody, split_variant_gen_params),
	{}
};

static struct kunit_suite split_suite = {
	.name = "split_threads",
	.init = test_init,
	.exit = test_exit,
	.test_cases = split_cases,
};

kunit_test_suite(split_suite);
