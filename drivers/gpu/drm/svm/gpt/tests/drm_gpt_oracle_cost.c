// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the same operations cost through drm_gpt and through generic_pt, on the
 * same tables. What is asserted is that both did what they were asked for; the
 * figures are for people and for tools/bench/generic-pt. With a clock that counts
 * instructions (tools/vm/run --icount) a nanosecond is an instruction, and
 * they repeat.
 *
 * What is not the same on both sides: drm_gpt takes locks, pins its tables, and
 * can be looked into meanwhile, where the users of generic_pt have a lock for the
 * interval. It maps its tables for DMA, generic_pt, as it is set up here, does
 * not. generic_pt takes tables out as it unmaps all of what they cover, and gives
 * them to the caller to be freed after the flush; drm_gpt_zap() keeps them, and
 * drm_gpt_reclaim() takes them out, which is measured apart.
 */

#include <kunit/test.h>

#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/wait_bit.h>

#include "drm_gpt_oracle.h"

static unsigned int rounds = 2;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "How often each operation is measured; the least counts (default 2)");

#define COST_SEED	0x636f7374
/* Of a table: some, so that not all that it covers is unmapped at once. */
#define COST_PAGES	256
#define COST_TABLES	8
#define COST_LEAVES	128
#define COST_LOOKUPS	1024
#define COST_SPAN	(4ULL << 30)

/* Small pages, large ones, gibibytes, and from where on nothing is. */
#define COST_BASE	(4ULL << 30)
#define COST_LARGE	(5ULL << 30)
#define COST_GIB	(6ULL << 30)
#define COST_FRESH	(16ULL << 30)

/**
 * struct cost - what one test has
 * @pair: both builders
 * @phys: pages that lie anywhere
 * @leaf: the same, for us
 * @va: what is looked up
 * @expected: the sum of what is found there
 * @sum: the sum of what was found
 * @fresh: no table is from here on
 * @gather: of each unmap of generic_pt
 */
struct cost {
	struct oracle_pair pair;
	u64 phys[512];
	u64 leaf[512];
	u64 va[COST_LOOKUPS];
	u64 expected;
	u64 sum;
	u64 fresh;
	struct iommu_iotlb_gather gather[COST_PAGES];
};

/**
 * struct cost_op - an operation
 * @name: for people and scripts
 * @count: how often it is done in a round
 * @reads: it changes nothing
 * @before: what has to be there; not measured, as @after
 * @ours: number so many of a round, by us
 * @theirs: the same by generic_pt
 * @after: undoes it, and leaves the tables there
 */
struct cost_op {
	const char *name;
	u32 count;
	bool reads;
	int (*before)(struct cost *c);
	int (*ours)(struct cost *c, u32 i);
	int (*theirs)(struct cost *c, u32 i);
	int (*after)(struct cost *c);
};

/* ---- either builder -------------------------------------------------------- */

/* Small pages lie such that no large leaf can hold them. */
static u64 cost_phys(u64 va, u8 level)
{
	return va + SZ_1G + (level ? 0 : SZ_4K);
}

static int ours_seq(struct cost *c, u64 va, u32 n, u8 level)
{
	u64 bytes = (u64)n << (12 + 9 * level);
	struct drm_gpt_update up;
	int ret;

	ret = drm_gpt_prepare(&c->pair.gpt, &up, va, va + bytes - 1, level,
			      GFP_KERNEL);
	if (ret)
		return ret;
	ret = drm_gpt_commit_seq(&up, va, cost_phys(va, level) |
				 DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE, n, NULL,
				 NULL);
	drm_gpt_finish(&up);
	return ret;
}

static int ours_array(struct cost *c, u64 va, const u64 *leaves, u32 n)
{
	struct drm_gpt_update up;
	int ret;

	ret = drm_gpt_prepare(&c->pair.gpt, &up, va, va + ((u64)n << 12) - 1, 0,
			      GFP_KERNEL);
	if (ret)
		return ret;
	ret = drm_gpt_commit(&up, va, leaves, n, NULL, NULL);
	drm_gpt_finish(&up);
	return ret;
}

static int ours_unmap(struct cost *c, u64 va, u64 bytes)
{
	struct drm_gpt_gather gather;

	drm_gpt_gather_init(&gather, &c->pair.gpt);
	drm_gpt_zap(&gather, va, va + bytes - 1);
	drm_gpt_gather_fini(&gather);
	return 0;
}

static int theirs_map(struct cost *c, u64 va, u64 phys, u64 bytes)
{
	struct pt_iommu *pt = &c->pair.pt.iommu;
	size_t mapped = 0;

	return pt->ops->map_range(pt, va, phys, bytes, IOMMU_READ | IOMMU_WRITE,
				  GFP_KERNEL, &mapped);
}

/* A call per page, as there is none for pages that do not follow each other. */
static int theirs_array(struct cost *c, u64 va, const u64 *phys, u32 n)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < n && !ret; i++, va += SZ_4K)
		ret = theirs_map(c, va, phys[i], SZ_4K);
	return ret;
}

/* Leaves tables that went to the one that frees them, cost_free(). */
static int theirs_unmap(struct cost *c, u32 gather, u64 va, u64 bytes)
{
	struct pt_iommu *pt = &c->pair.pt.iommu;

	iommu_iotlb_gather_init(&c->gather[gather]);
	return pt->ops->unmap_range(pt, va, bytes, &c->gather[gather]) != bytes;
}

static void cost_free(struct cost *c, u32 gather)
{
	iommu_put_pages_list(&c->gather[gather].freelist);
	iommu_iotlb_gather_init(&c->gather[gather]);
}

static int both_map(struct cost *c, u64 va, u32 pages)
{
	return ours_seq(c, va, pages, 0) ?:
	       theirs_map(c, va, cost_phys(va, 0), (u64)pages << 12);
}

/* Not all that a table covers. */
static int both_unmap(struct cost *c, u64 va, u64 bytes)
{
	return ours_unmap(c, va, bytes) ?: theirs_unmap(c, 0, va, bytes);
}

/* Of table @i all, in two pieces, so that generic_pt too keeps the table. */
static int both_clear_table(struct cost *c, u32 i)
{
	u64 va = COST_BASE + (u64)i * SZ_2M;

	return both_unmap(c, va, SZ_4K) ?:
	       both_unmap(c, va + SZ_4K, SZ_2M - SZ_4K);
}

/* ---- mapping --------------------------------------------------------------- */

static int ours_map_1(struct cost *c, u32 i)
{
	return ours_array(c, COST_BASE + (u64)i * SZ_4K, &c->leaf[i], 1);
}

static int ours_map_1_at_once(struct cost *c, u32 i)
{
	return drm_gpt_map(&c->pair.gpt, COST_BASE + (u64)i * SZ_4K, &c->leaf[i],
			   1, GFP_KERNEL);
}

static int theirs_map_1(struct cost *c, u32 i)
{
	return theirs_map(c, COST_BASE + (u64)i * SZ_4K, c->phys[i], SZ_4K);
}

static int ours_map_8(struct cost *c, u32 i)
{
	return ours_array(c, COST_BASE + 8ULL * i * SZ_4K, &c->leaf[i * 8], 8);
}

static int theirs_map_8(struct cost *c, u32 i)
{
	return theirs_array(c, COST_BASE + 8ULL * i * SZ_4K, &c->phys[i * 8], 8);
}

static int after_pages(struct cost *c)
{
	return both_unmap(c, COST_BASE, (u64)COST_PAGES * SZ_4K);
}

static int ours_map_512(struct cost *c, u32 i)
{
	return ours_array(c, COST_BASE + (u64)i * SZ_2M, c->leaf, 512);
}

static int theirs_map_512(struct cost *c, u32 i)
{
	return theirs_array(c, COST_BASE + (u64)i * SZ_2M, c->phys, 512);
}

static int ours_map_seq(struct cost *c, u32 i)
{
	return ours_seq(c, COST_BASE + (u64)i * SZ_2M, 512, 0);
}

static int theirs_map_seq(struct cost *c, u32 i)
{
	u64 va = COST_BASE + (u64)i * SZ_2M;

	return theirs_map(c, va, cost_phys(va, 0), SZ_2M);
}

static int after_tables(struct cost *c)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < COST_TABLES && !ret; i++)
		ret = both_clear_table(c, i);
	return ret;
}

static int ours_map_large(struct cost *c, u32 i)
{
	return ours_seq(c, COST_LARGE + (u64)i * SZ_2M, 1, 1);
}

static int theirs_map_large(struct cost *c, u32 i)
{
	u64 va = COST_LARGE + (u64)i * SZ_2M;

	return theirs_map(c, va, cost_phys(va, 1), SZ_2M);
}

static int after_large(struct cost *c)
{
	return both_unmap(c, COST_LARGE, (u64)COST_LEAVES * SZ_2M);
}

static int ours_map_256_large(struct cost *c, u32 i)
{
	return ours_seq(c, COST_LARGE, 256, 1);
}

static int theirs_map_256_large(struct cost *c, u32 i)
{
	return theirs_map(c, COST_LARGE, cost_phys(COST_LARGE, 1), 256ULL * SZ_2M);
}

static int after_256_large(struct cost *c)
{
	return both_unmap(c, COST_LARGE, 256ULL * SZ_2M);
}

/* ---- unmapping ------------------------------------------------------------- */

static int before_pages(struct cost *c)
{
	return both_map(c, COST_BASE, COST_PAGES);
}

static int ours_unmap_1(struct cost *c, u32 i)
{
	return ours_unmap(c, COST_BASE + (u64)i * SZ_4K, SZ_4K);
}

static int theirs_unmap_1(struct cost *c, u32 i)
{
	return theirs_unmap(c, i, COST_BASE + (u64)i * SZ_4K, SZ_4K);
}

static int before_tables(struct cost *c)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < COST_TABLES && !ret; i++)
		ret = both_map(c, COST_BASE + (u64)i * SZ_2M, 512);
	return ret;
}

static int ours_unmap_511(struct cost *c, u32 i)
{
	return ours_unmap(c, COST_BASE + (u64)i * SZ_2M, SZ_2M - SZ_4K);
}

static int theirs_unmap_511(struct cost *c, u32 i)
{
	return theirs_unmap(c, i, COST_BASE + (u64)i * SZ_2M, SZ_2M - SZ_4K);
}

static int after_511(struct cost *c)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < COST_TABLES && !ret; i++)
		ret = both_unmap(c, COST_BASE + (i + 1ULL) * SZ_2M - SZ_4K, SZ_4K);
	return ret;
}

static int ours_unmap_512(struct cost *c, u32 i)
{
	return ours_unmap(c, COST_BASE + (u64)i * SZ_2M, SZ_2M);
}

/* Takes the table out. */
static int theirs_unmap_512(struct cost *c, u32 i)
{
	return theirs_unmap(c, i, COST_BASE + (u64)i * SZ_2M, SZ_2M);
}

static int after_512(struct cost *c)
{
	u32 i;

	for (i = 0; i < COST_TABLES; i++)
		cost_free(c, i);
	return 0;
}

/* What was unmapped whole is mapped again: what either has put off is here. */
static int after_again(struct cost *c)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < COST_TABLES && !ret; i++)
		ret = ours_unmap_512(c, i) ?: theirs_unmap_512(c, i);
	return ret ?: after_512(c);
}

static int before_gib(struct cost *c)
{
	return both_map(c, COST_GIB, SZ_1G / SZ_4K);
}

static int ours_unmap_gib(struct cost *c, u32 i)
{
	return ours_unmap(c, COST_GIB, SZ_1G);
}

/* Takes 513 tables out. */
static int theirs_unmap_gib(struct cost *c, u32 i)
{
	return theirs_unmap(c, 0, COST_GIB, SZ_1G);
}

static int after_gib(struct cost *c)
{
	cost_free(c, 0);
	return 0;
}

static int before_reclaim(struct cost *c)
{
	return before_gib(c) ?: ours_unmap_gib(c, 0) ?: theirs_unmap_gib(c, 0);
}

/* Until they are on their way: a worker frees them after a grace period. */
static int ours_reclaim(struct cost *c, u32 i)
{
	struct drm_gpt_gather gather;

	drm_gpt_gather_init(&gather, &c->pair.gpt);
	drm_gpt_reclaim(&gather, COST_GIB, COST_GIB + SZ_1G - 1);
	drm_gpt_gather_fini(&gather);
	return !gather.directory;
}

/* Taken out they are. */
static int theirs_reclaim(struct cost *c, u32 i)
{
	cost_free(c, 0);
	return 0;
}

static int after_reclaim(struct cost *c)
{
	struct drm_gpt *gpt = &c->pair.gpt;

	wait_var_event(&gpt->freeing, !atomic_read_acquire(&gpt->freeing));
	return 0;
}

/* ---- tables ---------------------------------------------------------------- */

/* Directories are there; of the tables below only the first. */
static int before_insert(struct cost *c)
{
	return both_map(c, c->fresh, 1);
}

static int ours_insert(struct cost *c, u32 i)
{
	return ours_array(c, c->fresh + (i + 1ULL) * SZ_2M, &c->leaf[i], 1);
}

static int theirs_insert(struct cost *c, u32 i)
{
	return theirs_map(c, c->fresh + (i + 1ULL) * SZ_2M, c->phys[i], SZ_4K);
}

static int after_insert(struct cost *c)
{
	c->fresh += SZ_1G;
	return 0;
}

/* ---- lookups --------------------------------------------------------------- */

static void cost_expect(struct cost *c)
{
	u32 i;

	c->expected = 0;
	for (i = 0; i < COST_LOOKUPS; i++)
		c->expected += cost_phys(c->va[i], 0);
}

static int before_hot(struct cost *c)
{
	u32 i;

	for (i = 0; i < COST_LOOKUPS; i++)
		c->va[i] = COST_BASE + (u64)(i % 512) * SZ_4K;
	cost_expect(c);
	return 0;
}

static int before_random(struct cost *c)
{
	struct rnd_state rnd;
	u32 i;

	prandom_seed_state(&rnd, COST_SEED);
	for (i = 0; i < COST_LOOKUPS; i++)
		c->va[i] = COST_BASE + (u64)(prandom_u32_state(&rnd) %
					     (u32)(COST_SPAN / SZ_4K)) * SZ_4K;
	cost_expect(c);
	return 0;
}

static int ours_lookup(struct cost *c, u32 i)
{
	struct drm_gpt_entry entry;

	drm_gpt_lookup(&c->pair.gpt, c->va[i], &entry);
	c->sum += entry.leaf & DRM_GPT_LEAF_ADDR;
	return 0;
}

static int theirs_lookup(struct cost *c, u32 i)
{
	c->sum += pt_iommu_x86_64_iova_to_phys(&c->pair.pt.iommu.domain,
					       c->va[i]);
	return 0;
}

/* ---- running --------------------------------------------------------------- */

/* With the loop and an indirect call, for either. */
static u64 cost_time(struct kunit *test, struct cost *c, const struct cost_op *op,
		     int (*one)(struct cost *c, u32 i))
{
	u64 begin = ktime_get_ns(), end;
	int ret = 0;
	u32 i;

	for (i = 0; i < op->count; i++)
		ret |= one(c, i);
	end = ktime_get_ns();
	KUNIT_ASSERT_EQ_MSG(test, ret, 0, "%s", op->name);
	return end - begin;
}

static u64 cost_side(struct kunit *test, const struct cost_op *op, bool ours)
{
	struct cost *c = test->priv;
	u64 ns;

	c->sum = 0;
	ns = cost_time(test, c, op, ours ? op->ours : op->theirs);
	if (op->reads)
		KUNIT_ASSERT_EQ_MSG(test, c->sum, c->expected, "%s", op->name);
	return ns;
}

/* The first one makes what tables are missing, and does not count. */
static void cost_round(struct kunit *test, const struct cost_op *op, u32 round,
		       u64 *ours, u64 *theirs)
{
	struct cost *c = test->priv;
	u64 ns[2];

	if (op->before)
		KUNIT_ASSERT_EQ_MSG(test, op->before(c), 0, "%s", op->name);
	ns[0] = cost_side(test, op, true);
	ns[1] = cost_side(test, op, false);
	if (!op->reads && round == rounds)
		oracle_compare_all(test, &c->pair);
	if (op->after)
		KUNIT_ASSERT_EQ_MSG(test, op->after(c), 0, "%s", op->name);
	if (!round)
		return;
	/* An interrupt makes it more, nothing makes it less. */
	*ours = min(*ours, ns[0]);
	*theirs = min(*theirs, ns[1]);
	cond_resched();
}

static void cost_measure(struct kunit *test, const struct cost_op *op, u32 n)
{
	struct cost *c = test->priv;
	u64 ours, theirs;
	u32 round;

	KUNIT_ASSERT_GT(test, rounds, 0);
	for (; n; n--, op++) {
		ours = U64_MAX;
		theirs = U64_MAX;
		for (round = 0; round <= rounds; round++)
			cost_round(test, op, round, &ours, &theirs);
		if (!op->reads)
			oracle_compare_all(test, &c->pair);
		ours = ours * 10 / op->count;
		theirs = theirs * 10 / op->count;
		/* tools/bench/generic-pt reads this. */
		kunit_info(test, "cost: %s: drm_gpt %llu.%llu ns, generic_pt %llu.%llu ns\n",
			   op->name, ours / 10, ours % 10, theirs / 10, theirs % 10);
	}
}

static void cost_of_maps(struct kunit *test)
{
	static const struct cost_op ops[] = {
		{ "map 1 page", COST_PAGES, .ours = ours_map_1,
		  .theirs = theirs_map_1, .after = after_pages },
		{ "map 1 page, at once", COST_PAGES, .ours = ours_map_1_at_once,
		  .theirs = theirs_map_1, .after = after_pages },
		{ "map 8 scattered", COST_PAGES / 8, .ours = ours_map_8,
		  .theirs = theirs_map_8, .after = after_pages },
		{ "map 512 scattered", COST_TABLES, .ours = ours_map_512,
		  .theirs = theirs_map_512, .after = after_tables },
		{ "map 512 contiguous", COST_TABLES, .ours = ours_map_seq,
		  .theirs = theirs_map_seq, .after = after_tables },
		{ "map 512 unmapped before", COST_TABLES, .ours = ours_map_seq,
		  .theirs = theirs_map_seq, .after = after_again },
		{ "map one 2M leaf", COST_LEAVES, .ours = ours_map_large,
		  .theirs = theirs_map_large, .after = after_large },
		{ "map 256 x 2M", 1, .ours = ours_map_256_large,
		  .theirs = theirs_map_256_large, .after = after_256_large },
		{ "insert a table", COST_LEAVES, .before = before_insert,
		  .ours = ours_insert, .theirs = theirs_insert,
		  .after = after_insert },
	};

	cost_measure(test, ops, ARRAY_SIZE(ops));
}

static void cost_of_unmaps(struct kunit *test)
{
	static const struct cost_op ops[] = {
		{ "unmap 1 page", COST_PAGES, .before = before_pages,
		  .ours = ours_unmap_1, .theirs = theirs_unmap_1 },
		{ "unmap 511 of 512 pages", COST_TABLES, .before = before_tables,
		  .ours = ours_unmap_511, .theirs = theirs_unmap_511,
		  .after = after_511 },
		{ "unmap 512 pages", COST_TABLES, .before = before_tables,
		  .ours = ours_unmap_512, .theirs = theirs_unmap_512,
		  .after = after_512 },
		{ "unmap 1 GiB of 4K", 1, .before = before_gib,
		  .ours = ours_unmap_gib, .theirs = theirs_unmap_gib,
		  .after = after_gib },
		{ "reclaim 1 GiB of 4K", 1, .before = before_reclaim,
		  .ours = ours_reclaim, .theirs = theirs_reclaim,
		  .after = after_reclaim },
	};

	cost_measure(test, ops, ARRAY_SIZE(ops));
}

static void cost_of_lookups(struct kunit *test)
{
	static const struct cost_op ops[] = {
		{ "lookup, hot", COST_LOOKUPS, .reads = true,
		  .before = before_hot, .ours = ours_lookup,
		  .theirs = theirs_lookup },
		{ "lookup, random in 4 GiB", COST_LOOKUPS, .reads = true,
		  .before = before_random, .ours = ours_lookup,
		  .theirs = theirs_lookup },
	};
	struct cost *c = test->priv;
	u64 va;

	for (va = COST_BASE; va < COST_BASE + COST_SPAN; va += SZ_1G)
		KUNIT_ASSERT_EQ(test, both_map(c, va, SZ_1G / SZ_4K), 0);
	cost_measure(test, ops, ARRAY_SIZE(ops));
}

static int cost_init(struct kunit *test)
{
	struct cost *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct rnd_state rnd;
	u32 i;
	int ret;

	if (!c)
		return -ENOMEM;
	prandom_seed_state(&rnd, COST_SEED);
	for (i = 0; i < ARRAY_SIZE(c->phys); i++) {
		c->phys[i] = (u64)prandom_u32_state(&rnd) << 12;
		c->leaf[i] = c->phys[i] | DRM_GPT_LEAF_VALID |
			     DRM_GPT_LEAF_WRITE;
	}
	for (i = 0; i < ARRAY_SIZE(c->gather); i++)
		iommu_iotlb_gather_init(&c->gather[i]);
	c->fresh = COST_FRESH;
	ret = oracle_pair_init(test, &c->pair);
	if (!ret)
		test->priv = c;
	return ret;
}

static void cost_exit(struct kunit *test)
{
	struct cost *c = test->priv;
	u32 i;

	if (!c)
		return;
	for (i = 0; i < ARRAY_SIZE(c->gather); i++)
		cost_free(c, i);
	oracle_pair_fini(&c->pair);
}

static struct kunit_case drm_gpt_oracle_cost_cases[] = {
	KUNIT_CASE_SLOW(cost_of_maps),
	KUNIT_CASE_SLOW(cost_of_unmaps),
	KUNIT_CASE_SLOW(cost_of_lookups),
	{}
};

struct kunit_suite drm_gpt_oracle_cost_suite = {
	.name = "drm_gpt_oracle_cost",
	.init = cost_init,
	.exit = cost_exit,
	.test_cases = drm_gpt_oracle_cost_cases,
};
