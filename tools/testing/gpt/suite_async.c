// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device that runs by itself: one thread executes the ring late and a few
 * packets at a time, another accesses addresses through TLB and walk cache all
 * the time. Meanwhile workers map, zap, protect, promote and reclaim in the same
 * few small tables, and at locks and marked stores a thread may lose the CPU.
 *
 * Every commit has a stamp, which is in the addresses that it maps; stamps grow.
 * An invalidation takes a stamp, makes older commits fail, zaps and flushes;
 * from then on nobody may see anything older.
 */

#include "kunit.h"

#include "../../../drivers/gpu/drm/svm/gpt/tests/drm_gpt_test.h"

#define WORKERS		3
#define TABLES		4
#define MAX_PAGES	(TABLES * 16)

static int async_rounds = 400;
module_param(async_rounds, int, 0444);

/**
 * struct async - what threads share
 * @hw: device
 * @base: first address; two tables on each side of a border of directories
 * @pages: how many there are
 * @clock: last stamp given out
 * @gen: by table: invalidations so far; commits compare it
 * @busy: by table: invalidations whose flush is not done
 * @oldest: by page: least stamp that may be seen
 * @oldest_write: by page: least stamp that may be seen with the right to write
 * @stop: device threads end
 * @errors: what went wrong
 */
struct async {
	struct test_hw *hw;
	u64 base;
	u32 pages;
	atomic_t clock;
	atomic_t gen[TABLES];
	atomic_t busy[TABLES];
	u32 oldest[MAX_PAGES];
	u32 oldest_write[MAX_PAGES];
	bool stop;
	atomic_t errors;
};

struct thread {
	struct async *async;
	struct completion done;
	struct rnd_state rnd;
};

/* Pages of the arena, by number. */
struct piece {
	u32 first;
	u32 n;
};

static u32 roll(struct thread *t, u32 below)
{
	return prandom_u32_state(&t->rnd) % below;
}

static u64 piece_first(const struct async *a, const struct piece *p)
{
	return a->base + p->first * 0x1000ULL;
}

static u64 piece_last(const struct async *a, const struct piece *p)
{
	return piece_first(a, p) + p->n * 0x1000ULL - 1;
}

static u32 table_of(const struct async *a, u32 page)
{
	return page * TABLES / a->pages;
}

static void failed(struct async *a, const char *what, u64 va, u64 got, u64 want)
{
	if (!atomic_read(&a->errors))
		printf("    # %s at %#llx: %llu, not before %llu\n", what, va, got, want);
	atomic_inc(&a->errors);
}

/* ---- the device ------------------------------------------------------------ */

static void wait_a_little(struct thread *t)
{
	const struct timespec nap = { .tv_nsec = 1000 * (1 + roll(t, 50)) };

	if (roll(t, 4))
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

static int ring_thread(void *data)
{
	struct thread *t = data;

	while (!READ_ONCE(t->async->stop)) {
		test_hw_run(t->async->hw, 1 + roll(t, 4));
		wait_a_little(t);
	}
	kthread_complete_and_exit(&t->done, 0);
}

static u32 stamp_of(const struct async *a, u64 leaf)
{
	return (leaf >> 12) / a->pages;
}

static void check_leaf(struct async *a, const char *who, u64 va, u64 leaf, u32 oldest,
		       u32 oldest_write)
{
	if (!leaf)
		return;
	if (stamp_of(a, leaf) < oldest)
		failed(a, who, va, stamp_of(a, leaf), oldest);
	if ((leaf & DRM_GPT_LEAF_WRITE) && stamp_of(a, leaf) < oldest_write)
		failed(a, "write", va, stamp_of(a, leaf), oldest_write);
	if ((leaf >> 12) % a->pages != (va - a->base) >> 12)
		failed(a, "another page", va, leaf >> 12, va >> 12);
}

static int access_thread(void *data)
{
	struct thread *t = data;
	struct async *a = t->async;
	struct drm_gpt_entry e;

	while (!READ_ONCE(a->stop)) {
		u32 page = roll(t, a->pages);
		/* Pairs with who has flushed: what we look at is not older. */
		u32 oldest = smp_load_acquire(&a->oldest[page]);
		/* As above. */
		u32 oldest_write = smp_load_acquire(&a->oldest_write[page]);
		u64 va = a->base + page * 0x1000ULL;

		check_leaf(a, "device", va, test_hw_access(a->hw, va), oldest,
			   oldest_write);
		drm_gpt_lookup(&a->hw->gpt, va, &e);
		if (e.leaf)
			check_leaf(a, "lookup", va, e.leaf + (va - e.first), oldest,
				   oldest_write);
	}
	kthread_complete_and_exit(&t->done, 0);
}

/* ---- committing ------------------------------------------------------------ */

struct commit {
	struct async *async;
	u32 first;
	u32 last;
	int gen[TABLES];
};

/* What is asked under the lock of each table. */
static bool still_valid(void *data)
{
	struct commit *c = data;
	u32 k;

	for (k = c->first; k <= c->last; k++)
		if (atomic_read(&c->async->gen[k]) != c->gen[k])
			return false;
	shim_perturb();
	return true;
}

/*
 * Generations first, then the stamp. Where entries must be empty and flushed in
 * between, as drm_svm does, not before flushes that are under way are done.
 */
static u32 begin_commit(struct commit *c, struct async *a, const struct piece *p)
{
	u32 k;

	c->async = a;
	c->first = table_of(a, p->first);
	c->last = table_of(a, p->first + p->n - 1);
	for (k = c->first; k <= c->last; k++) {
		c->gen[k] = atomic_read_acquire(&a->gen[k]);
		while (!a->hw->geometry->format->replace_ok &&
		       atomic_read_acquire(&a->busy[k]))
			shim_nap();
	}
	return atomic_inc_return(&a->clock);
}

static void commit(struct thread *t, struct commit *c, const struct piece *p, u32 stamp)
{
	struct async *a = t->async;
	u64 first = piece_first(a, p);
	struct drm_gpt_update up;
	int ret;

	ret = drm_gpt_prepare(&a->hw->gpt, &up, first, piece_last(a, p), 0, GFP_KERNEL);
	/* The device of the tests has only so many tables in its life. */
	if (ret == -ENOMEM)
		return;
	if (!ret) {
		ret = drm_gpt_commit_seq(&up, first,
					 test_leaf_4k(stamp * a->pages + p->first,
						      DRM_GPT_LEAF_WRITE), p->n,
					 still_valid, c);
		drm_gpt_finish(&up);
	}
	if (ret && ret != -EAGAIN &&
	    (ret != -EBUSY || a->hw->geometry->format->replace_ok))
		failed(a, "commit", first, -ret, 0);
}

static void do_map(struct thread *t, const struct piece *p)
{
	struct commit c;
	u32 stamp = begin_commit(&c, t->async, p);

	commit(t, &c, p, stamp);
}

/* A table in two halves of one stamp: something to promote. */
static void do_fill(struct thread *t, u32 table)
{
	u32 n = test_entries(t->async->hw);
	struct piece p = { table * n, n }, half = { p.first, n / 2 };
	struct commit c;
	u32 stamp = begin_commit(&c, t->async, &p);

	commit(t, &c, &half, stamp);
	half.first += n / 2;
	commit(t, &c, &half, stamp);
}

/* ---- invalidating ---------------------------------------------------------- */

/* Behind what was recorded so far; the device gets there by itself. */
static void flush(struct async *a, struct drm_gpt_gather *gather)
{
	u32 to = READ_ONCE(a->hw->tail);

	while ((s32)(READ_ONCE(a->hw->head) - to) < 0)
		shim_nap();
	test_flush(a->hw, gather);
}

static void raise(u32 *value, u32 to)
{
	u32 old = __atomic_load_n(value, __ATOMIC_RELAXED);

	while (old < to && !__atomic_compare_exchange_n(value, &old, to, false,
							__ATOMIC_RELEASE,
							__ATOMIC_RELAXED))
		;
}

static void mark_busy(struct async *a, const struct piece *p, int by)
{
	u32 k;

	for (k = table_of(a, p->first); k <= table_of(a, p->first + p->n - 1); k++)
		atomic_add_return(by, &a->busy[k]);
}

/* Older commits fail from here on. The stamp is taken before. */
static u32 begin_invalidation(struct async *a, const struct piece *p)
{
	u32 stamp = atomic_inc_return(&a->clock), k;

	mark_busy(a, p, 1);
	for (k = table_of(a, p->first); k <= table_of(a, p->first + p->n - 1); k++)
		atomic_inc_return(&a->gen[k]);
	return stamp;
}

static void invalidate(struct thread *t, const struct piece *p, u64 first, u64 last,
		       bool protect)
{
	struct async *a = t->async;
	struct drm_gpt_gather gather;
	u32 stamp, page;

	drm_gpt_gather_init(&gather, &a->hw->gpt);
	gather.evict = !roll(t, 4);
	if (drm_gpt_zap_reserve(&gather, first, last, true)) {
		failed(a, "reserve", first, 0, 0);
		return;
	}
	stamp = begin_invalidation(a, p);
	if (protect)
		drm_gpt_protect(&gather, first, last, DRM_GPT_LEAF_WRITE);
	else
		drm_gpt_zap(&gather, first, last);
	/* Somebody else's zap may have come first and not be done. */
	drm_gpt_gather_also(&gather, piece_first(a, p), piece_last(a, p), true);
	if (!protect && !roll(t, 4))
		drm_gpt_reclaim(&gather, first, last);
	flush(a, &gather);
	for (page = p->first; page < p->first + p->n; page++)
		raise(protect ? &a->oldest_write[page] : &a->oldest[page], stamp);
	mark_busy(a, p, -1);
}

/* From the middle of one directory to the middle of the next, or everything. */
static void do_zap_all(struct thread *t)
{
	struct piece all = { 0, t->async->pages };
	u64 dir = test_span(t->async->hw) * test_entries(t->async->hw);

	if (roll(t, 2))
		invalidate(t, &all, 0, test_last(t->async->hw), false);
	else
		invalidate(t, &all, dir, 3 * dir - 1, false);
}

static void do_promote(struct thread *t)
{
	struct async *a = t->async;
	u64 span = test_span(a->hw), first = a->base + roll(t, TABLES) * span;
	struct drm_gpt_gather gather;

	drm_gpt_gather_init(&gather, &a->hw->gpt);
	if (drm_gpt_zap_reserve(&gather, first, first + span - 1, true))
		return;
	drm_gpt_promote(&gather, first);
	flush(a, &gather);
}

static void do_reclaim(struct thread *t)
{
	struct async *a = t->async;
	struct piece all = { 0, a->pages };
	struct drm_gpt_gather gather;
	u64 last = test_last(a->hw);

	drm_gpt_gather_init(&gather, &a->hw->gpt);
	if (drm_gpt_zap_reserve(&gather, 0, last, true))
		return;
	mark_busy(a, &all, 1);
	drm_gpt_reclaim(&gather, 0, last);
	flush(a, &gather);
	mark_busy(a, &all, -1);
}

/* As if memory were short. */
static void do_shrink(struct thread *t)
{
	struct async *a = t->async;
	struct piece all = { 0, a->pages };
	u32 nr = 1 + roll(t, 8);

	mark_busy(a, &all, 1);
	if (test_shrink(nr) > nr)
		failed(a, "shrink", 0, nr, 0);
	mark_busy(a, &all, -1);
}

/* ---- workers --------------------------------------------------------------- */

static struct piece pick(struct thread *t)
{
	u32 n = test_entries(t->async->hw);
	struct piece p = { roll(t, t->async->pages), 1 + roll(t, n) };

	if (!roll(t, 3)) {
		p.first = rounddown(p.first, n);
		p.n = n;
	}
	p.n = min(p.n, t->async->pages - p.first);
	return p;
}

static void work(struct thread *t)
{
	struct piece p = pick(t);

	switch (roll(t, 16)) {
	case 0 ... 3:
		do_map(t, &p);
		break;
	case 4 ... 6:
		do_fill(t, table_of(t->async, p.first));
		break;
	case 7 ... 8:
		do_promote(t);
		break;
	case 9 ... 11:
		invalidate(t, &p, piece_first(t->async, &p), piece_last(t->async, &p),
			   false);
		break;
	case 12:
		do_zap_all(t);
		break;
	case 13 ... 14:
		invalidate(t, &p, piece_first(t->async, &p), piece_last(t->async, &p),
			   true);
		break;
	default:
		if (roll(t, 2))
			do_reclaim(t);
		else
			do_shrink(t);
		break;
	}
}

static int worker_thread(void *data)
{
	struct thread *t = data;
	int round;

	for (round = 0; round < async_rounds && !atomic_read(&t->async->errors); round++)
		work(t);
	kthread_complete_and_exit(&t->done, 0);
}

static void start(struct thread *t, struct async *a, u64 seed, int (*fn)(void *data))
{
	t->async = a;
	prandom_seed_state(&t->rnd, seed);
	init_completion(&t->done);
	kthread_run(fn, t, "async");
}

static u64 async_seed = 1;
module_param(async_seed, ullong, 0444);

static void nothing_older_than_an_invalidation_is_seen(struct kunit *test)
{
	struct thread *threads = kunit_kcalloc(test, WORKERS + 2, sizeof(*threads),
					       GFP_KERNEL);
	struct async *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	struct test_hw *hw = test->priv;
	u32 i;

	kunit_info(test, "drm_gpt_async_seed=%llu drm_gpt_async_rounds=%d\n", async_seed,
		   async_rounds);
	a->hw = hw;
	a->pages = TABLES * test_entries(hw);
	a->base = test_span(hw) * (2 * test_entries(hw) - TABLES / 2);
	WRITE_ONCE(shim_perturbing, true);
	start(&threads[WORKERS], a, async_seed, ring_thread);
	start(&threads[WORKERS + 1], a, async_seed + 1, access_thread);
	for (i = 0; i < WORKERS; i++)
		start(&threads[i], a, async_seed * 100 + i, worker_thread);
	for (i = 0; i < WORKERS; i++)
		wait_for_completion(&threads[i].done);
	WRITE_ONCE(a->stop, true);
	wait_for_completion(&threads[WORKERS].done);
	wait_for_completion(&threads[WORKERS + 1].done);
	WRITE_ONCE(shim_perturbing, false);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->errors), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	/* The shrinker has not lost sight of any. */
	while (test_shrink(100))
		;
	test_wait_freed(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

/* ---- two against each other ------------------------------------------------- */

/**
 * struct duel - a table that one promotes while another zaps a part of it
 * @hw: device
 * @done: the promoter has ended
 * @round: what the promoter waits for
 * @ended: the last that it has done
 */
struct duel {
	struct test_hw *hw;
	struct completion done;
	u32 round;
	u32 ended;
};

#define DUEL_ROUNDS	400

static void wait_until(u32 *what, u32 value)
{
	/* Pairs with the release of who gets there. */
	while (smp_load_acquire(what) < value)
		sched_yield();
}

static int duel_promoter(void *data)
{
	struct duel *d = data;
	struct drm_gpt_gather gather;
	u32 round;

	for (round = 1; round <= DUEL_ROUNDS; round++) {
		wait_until(&d->round, round);
		drm_gpt_gather_init(&gather, &d->hw->gpt);
		if (!drm_gpt_zap_reserve(&gather, 0, test_span(d->hw) - 1, true)) {
			drm_gpt_promote(&gather, 0);
			test_flush(d->hw, &gather);
		}
		/* Pairs with wait_until(). */
		smp_store_release(&d->ended, round);
	}
	kthread_complete_and_exit(&d->done, 0);
}

static void zap_finds_what_is_being_promoted(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	struct duel *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);
	u32 n = test_entries(hw), round, missed = 0;

	d->hw = hw;
	init_completion(&d->done);
	WRITE_ONCE(shim_perturbing, true);
	kthread_run(duel_promoter, d, "promoter");
	for (round = 1; round <= DUEL_ROUNDS; round++) {
		u64 leaf = test_leaf_4k(4 * n * round, 0);

		KUNIT_EXPECT_EQ(test, test_map_seq(hw, 0, leaf, n / 2), 0);
		KUNIT_EXPECT_EQ(test, test_map_seq(hw, n / 2 * 0x1000ULL,
						   leaf + n / 2 * 0x1000ULL, n / 2), 0);
		test_hw_run(hw, U32_MAX);
		/* Pairs with wait_until(). */
		smp_store_release(&d->round, round);
		KUNIT_EXPECT_EQ(test, test_unmap(hw, 0x1000, 0x1fff), 0);
		missed += !!test_hw_access(hw, 0x1000);
		wait_until(&d->ended, round);
		KUNIT_EXPECT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	}
	wait_for_completion(&d->done);
	WRITE_ONCE(shim_perturbing, false);
	KUNIT_EXPECT_EQ(test, missed, 0);
}

static const struct test_variant async_variants[] = {
	{ "toy, cpu", &test_geometry_toy },
	{ "toy, commands", &test_geometry_toy, .cmd = true },
	{ "small, cpu", &test_geometry_small },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "small, hidden tables", &test_geometry_small, .cmd = true, .hide = true },
	{ "toy, small by cpu", &test_geometry_toy, .cmd = true, .cpu_max = 3 },
	{ "small, small by cpu", &test_geometry_small, .cmd = true, .cpu_max = 6 },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
	{ "pair, hidden tables", &test_geometry_pair, .cmd = true, .hide = true },
	{ "pair, small by cpu", &test_geometry_pair, .cmd = true, .cpu_max = 6 },
};

KUNIT_ARRAY_PARAM(async_variant, async_variants, test_variant_desc);

static const struct test_variant duel_variants[] = {
	{ "small, cpu", &test_geometry_small },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "small, small by cpu", &test_geometry_small, .cmd = true, .cpu_max = 6 },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
	{ "pair, small by cpu", &test_geometry_pair, .cmd = true, .cpu_max = 6 },
};

KUNIT_ARRAY_PARAM(duel_variant, duel_variants, test_variant_desc);

static struct kunit_case async_cases[] = {
	KUNIT_CASE_PARAM(zap_finds_what_is_being_promoted, duel_variant_gen_params),
	KUNIT_CASE_PARAM(nothing_older_than_an_invalidation_is_seen,
			 async_variant_gen_params),
	{}
};

static int async_init(struct kunit *test)
{
	return test_init_with(test, &test_mem_ops, test_hw_shrink_flush);
}

static struct kunit_suite async_suite = {
	.name = "async",
	.init = async_init,
	.exit = test_exit,
	.test_cases = async_cases,
};

kunit_test_suite(async_suite);
