// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The kernel has another builder of x86-64 tables: generic_pt, for IOMMUs. The
 * same mappings must give the same bytes.
 *
 * What is compared is what both do: mappings of runs where nothing was before,
 * and unmapping of what does not cover a whole table, since from there on the two
 * free tables at different times.
 */

#include <kunit/device.h>
#include <kunit/test.h>

#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "drm_gpt_oracle.h"
#include "fmt/formats.h"

#define ORACLE_SEED	0x6f7261
#define ORACLE_SEGMENTS	300
#define ORACLE_PRESENT	BIT_ULL(0)
#define ORACLE_LARGE	BIT_ULL(7)
#define ORACLE_ADDR	GENMASK_ULL(51, 12)

/**
 * struct oracle_segment - what one operation maps
 * @va: address
 * @pages: pages of 4 KiB
 */
struct oracle_segment {
	u64 va;
	u32 pages;
};

/**
 * struct oracle - what one test has
 * @pair: both builders
 * @rnd: the dice
 * @next: lowest address that nobody has used
 * @segment: what was mapped
 */
struct oracle {
	struct oracle_pair pair;
	struct rnd_state rnd;
	u64 next;
	struct oracle_segment segment[ORACLE_SEGMENTS];
};

static u32 oracle_random(struct oracle *o, u32 below)
{
	return prandom_u32_state(&o->rnd) % below;
}

/* Some short, some long enough for large leaves, aligned or not. */
static void oracle_pick(struct oracle *o, struct oracle_segment *s)
{
	u64 gap = (u64)oracle_random(o, 4096) << 12;

	s->pages = 1 + oracle_random(o, oracle_random(o, 4) ? 700 : 8192);
	s->va = o->next + gap;
	if (oracle_random(o, 2))
		s->va = round_up(s->va, SZ_2M);
	/* Now and then another directory. */
	if (!oracle_random(o, 40))
		s->va = round_up(s->va, SZ_1G);
	o->next = s->va + ((u64)s->pages << 12);
}

static void oracle_map(struct kunit *test, struct oracle *o,
		       struct oracle_segment *s)
{
	struct pt_iommu *theirs = &o->pair.pt.iommu;
	u64 bytes = (u64)s->pages << 12, phys;
	bool write = oracle_random(o, 2);
	struct drm_gpt_update up;
	size_t mapped = 0;
	u64 leaf;

	/* Memory that follows the address within 2 MiB, or does not. */
	phys = (u64)oracle_random(o, U32_MAX) << 12;
	if (oracle_random(o, 3))
		phys = (phys & ~(SZ_2M - 1ULL)) | (s->va & (SZ_2M - 1));
	leaf = phys | DRM_GPT_LEAF_VALID | (write ? DRM_GPT_LEAF_WRITE : 0);

	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&o->pair.gpt, &up, s->va,
					      s->va + bytes - 1, 0, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_commit_seq(&up, s->va, leaf, s->pages, NULL,
						 NULL), 0);
	drm_gpt_finish(&up);

	KUNIT_ASSERT_EQ(test, theirs->ops->map_range(theirs, s->va, phys, bytes,
						     IOMMU_READ | (write ? IOMMU_WRITE : 0),
						     GFP_KERNEL, &mapped), 0);
	KUNIT_ASSERT_EQ(test, mapped, bytes);
}

static void oracle_unmap(struct kunit *test, struct oracle *o,
			 struct oracle_segment *s)
{
	struct pt_iommu *pt = &o->pair.pt.iommu;
	u64 bytes = (u64)s->pages << 12;
	struct iommu_iotlb_gather theirs;
	struct drm_gpt_gather ours;

	drm_gpt_gather_init(&ours, &o->pair.gpt);
	drm_gpt_zap(&ours, s->va, s->va + bytes - 1);
	drm_gpt_gather_fini(&ours);

	iommu_iotlb_gather_init(&theirs);
	KUNIT_ASSERT_EQ(test, pt->ops->unmap_range(pt, s->va, bytes, &theirs),
			bytes);
}

static bool oracle_is_table(u64 entry, u8 level)
{
	return level && (entry & ORACLE_PRESENT) && !(entry & ORACLE_LARGE);
}

/* Entry by entry; where both point to a table, all but the address. */
static void oracle_compare(struct kunit *test, struct oracle_pair *pair, u8 level,
			   u64 base, u64 ours, u64 theirs)
{
	const u64 *a = phys_to_virt(ours & ORACLE_ADDR);
	const u64 *b = phys_to_virt(theirs & ORACLE_ADDR);
	u32 i;

	for (i = 0; i < 512; i++) {
		u64 va = base + ((u64)i << (12 + 9 * level));

		pair->entries++;
		if (!oracle_is_table(a[i], level) || !oracle_is_table(b[i], level)) {
			KUNIT_ASSERT_EQ_MSG(test, a[i], b[i], "level %u, va %#llx",
					    level, va);
			continue;
		}
		KUNIT_ASSERT_EQ_MSG(test, a[i] & ~ORACLE_ADDR, b[i] & ~ORACLE_ADDR,
				    "level %u, va %#llx", level, va);
		oracle_compare(test, pair, level - 1, va, a[i], b[i]);
	}
	cond_resched();
}

void oracle_compare_all(struct kunit *test, struct oracle_pair *pair)
{
	struct pt_iommu_x86_64_hw_info info;
	bool local;
	u64 addr;

	drm_gpt_root(&pair->gpt, &addr, &local);
	pt_iommu_x86_64_hw_info(&pair->pt, &info);
	KUNIT_ASSERT_EQ(test, info.levels, 4);
	oracle_compare(test, pair, 3, 0, addr, info.gcr3_pt);
}

/* ---- suite ----------------------------------------------------------------- */

static void same_bytes_as_generic_pt(struct kunit *test)
{
	struct oracle *o = test->priv;
	u32 i;

	kunit_info(test, "seed %#x\n", ORACLE_SEED);
	for (i = 0; i < ORACLE_SEGMENTS; i++) {
		oracle_pick(o, &o->segment[i]);
		oracle_map(test, o, &o->segment[i]);
		if (i % 50 == 0)
			oracle_compare_all(test, &o->pair);
	}
	oracle_compare_all(test, &o->pair);
	/* Of each third that is short enough, nothing stays. */
	for (i = 0; i < ORACLE_SEGMENTS; i += 3)
		if (o->segment[i].pages < 512)
			oracle_unmap(test, o, &o->segment[i]);
	oracle_compare_all(test, &o->pair);
	kunit_info(test, "%llu entries compared\n", o->pair.entries);
}

int oracle_pair_init(struct kunit *test, struct oracle_pair *pair)
{
	const struct pt_iommu_x86_64_cfg cfg = {
		.common.hw_max_vasz_lg2 = 47,
		.common.hw_max_oasz_lg2 = 52,
		.top_level = 3,
	};
	struct drm_gpt_config config = {
		.format = &drm_gpt_format_x86_64,
		.mem = &drm_gpt_mem_pages,
	};
	int ret;

	config.dev = kunit_device_register(test, "drm_gpt_oracle");
	if (IS_ERR(config.dev))
		return PTR_ERR(config.dev);
	ret = dma_coerce_mask_and_coherent(config.dev, DMA_BIT_MASK(64));
	ret = ret ?: drm_gpt_init(&pair->gpt, &config);
	if (ret)
		return ret;
	pair->pt.iommu.nid = NUMA_NO_NODE;
	pair->pt.iommu.iommu_device = config.dev;
	ret = pt_iommu_x86_64_init(&pair->pt, &cfg, GFP_KERNEL);
	if (ret)
		drm_gpt_fini(&pair->gpt);
	return ret;
}

void oracle_pair_fini(struct oracle_pair *pair)
{
	pt_iommu_deinit(&pair->pt.iommu);
	drm_gpt_fini(&pair->gpt);
}

static int oracle_init(struct kunit *test)
{
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	int ret;

	if (!o)
		return -ENOMEM;
	ret = oracle_pair_init(test, &o->pair);
	if (ret)
		return ret;
	prandom_seed_state(&o->rnd, ORACLE_SEED);
	test->priv = o;
	return 0;
}

static void oracle_exit(struct kunit *test)
{
	struct oracle *o = test->priv;

	if (o)
		oracle_pair_fini(&o->pair);
}

static struct kunit_case drm_gpt_oracle_test_cases[] = {
	KUNIT_CASE_SLOW(same_bytes_as_generic_pt),
	{}
};

static struct kunit_suite drm_gpt_oracle_test_suite = {
	.name = "drm_gpt_oracle",
	.init = oracle_init,
	.exit = oracle_exit,
	.test_cases = drm_gpt_oracle_test_cases,
};

kunit_test_suites(&drm_gpt_oracle_test_suite, &drm_gpt_oracle_cost_suite);

MODULE_DESCRIPTION("drm_gpt beside generic_pt");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("GENERIC_PT_IOMMU");
