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
#include <linux/generic_pt/iommu.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include <drm/drm_gpt.h>

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
 * struct oracle - both builders
 * @gpt: ours
 * @pt: the kernel's
 * @rnd: the dice
 * @next: lowest address that nobody has used
 * @segment: what was mapped
 * @entries: entries compared
 */
struct oracle {
	struct drm_gpt gpt;
	struct pt_iommu_x86_64 pt;
	struct rnd_state rnd;
	u64 next;
	struct oracle_segment segment[ORACLE_SEGMENTS];
	u64 entries;
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

	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&o->gpt, &up, s->va,
					      s->va + bytes - 1, 0, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_commit_seq(&up, s->va, leaf, s->pages, NULL,
						 NULL), 0);
	drm_gpt_finish(&up);

	KUNIT_ASSERT_EQ(test, o->pt.iommu.ops->map_range(&o->pt.iommu, s->va, phys,
							 bytes,
							 IOMMU_READ | (write ? IOMMU_WRITE : 0),
							 GFP_KERNEL, &mapped), 0);
	KUNIT_ASSERT_EQ(test, mapped, bytes);
}

static void oracle_unmap(struct kunit *test, struct oracle *o,
			 struct oracle_segment *s)
{
	u64 bytes = (u64)s->pages << 12;
	struct iommu_iotlb_gather theirs;
	struct drm_gpt_gather ours;

	drm_gpt_gather_init(&ours, &o->gpt);
	drm_gpt_zap(&ours, s->va, s->va + bytes - 1);
	drm_gpt_gather_fini(&ours);

	iommu_iotlb_gather_init(&theirs);
	KUNIT_ASSERT_EQ(test, o->pt.iommu.ops->unmap_range(&o->pt.iommu, s->va,
							   bytes, &theirs), bytes);
}

static bool oracle_is_table(u64 entry, u8 level)
{
	return level && (entry & ORACLE_PRESENT) && !(entry & ORACLE_LARGE);
}

/* Entry by entry; where both point to a table, all but the address. */
static void oracle_compare(struct kunit *test, struct oracle *o, u8 level,
			   u64 base, u64 ours, u64 theirs)
{
	const u64 *a = phys_to_virt(ours & ORACLE_ADDR);
	const u64 *b = phys_to_virt(theirs & ORACLE_ADDR);
	u32 i;

	for (i = 0; i < 512; i++) {
		u64 va = base + ((u64)i << (12 + 9 * level));

		o->entries++;
		if (!oracle_is_table(a[i], level) || !oracle_is_table(b[i], level)) {
			KUNIT_ASSERT_EQ_MSG(test, a[i], b[i], "level %u, va %#llx",
					    level, va);
			continue;
		}
		KUNIT_ASSERT_EQ_MSG(test, a[i] & ~ORACLE_ADDR, b[i] & ~ORACLE_ADDR,
				    "level %u, va %#llx", level, va);
		oracle_compare(test, o, level - 1, va, a[i], b[i]);
	}
	cond_resched();
}

static void oracle_compare_all(struct kunit *test, struct oracle *o)
{
	struct pt_iommu_x86_64_hw_info info;
	bool local;
	u64 addr;

	drm_gpt_root(&o->gpt, &addr, &local);
	pt_iommu_x86_64_hw_info(&o->pt, &info);
	KUNIT_ASSERT_EQ(test, info.levels, 4);
	oracle_compare(test, o, 3, 0, addr, info.gcr3_pt);
}

/* ---- cost ------------------------------------------------------------------ */

#define ORACLE_ROUNDS	200
#define ORACLE_PAGES	510

static u64 oracle_time_ours(struct kunit *test, struct oracle *o, u64 va, u64 phys)
{
	u64 last = va + ((u64)ORACLE_PAGES << 12) - 1, begin = ktime_get_ns();
	struct drm_gpt_update up;

	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&o->gpt, &up, va, last, 0,
					      GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_commit_seq(&up, va, phys | DRM_GPT_LEAF_VALID,
						 ORACLE_PAGES, NULL, NULL), 0);
	drm_gpt_finish(&up);
	return ktime_get_ns() - begin;
}

static u64 oracle_time_theirs(struct kunit *test, struct oracle *o, u64 va,
			      u64 phys)
{
	u64 bytes = (u64)ORACLE_PAGES << 12, begin = ktime_get_ns();
	size_t mapped = 0;

	KUNIT_ASSERT_EQ(test, o->pt.iommu.ops->map_range(&o->pt.iommu, va, phys,
							 bytes, IOMMU_READ,
							 GFP_KERNEL, &mapped), 0);
	return ktime_get_ns() - begin;
}

/*
 * Says what mapping most of a table costs either, the table being there. For
 * people: with a clock that counts instructions it is exact (tools/vm/run --icount).
 */
static void oracle_measure(struct kunit *test, struct oracle *o)
{
	struct oracle_segment s = { .pages = ORACLE_PAGES };
	struct oracle_segment keep = { .pages = 1 };
	u64 ours = 0, theirs = 0, phys = 0x1234567000;
	u32 i;

	keep.va = round_up(o->next, SZ_2M);
	o->next = keep.va + SZ_2M;
	oracle_map(test, o, &keep);
	s.va = keep.va + SZ_4K;
	for (i = 0; i < ORACLE_ROUNDS; i++) {
		ours += oracle_time_ours(test, o, s.va, phys);
		theirs += oracle_time_theirs(test, o, s.va, phys);
		oracle_unmap(test, o, &s);
	}
	kunit_info(test, "%u pages: drm_gpt %llu ns, generic_pt %llu ns\n",
		   ORACLE_PAGES, ours / ORACLE_ROUNDS, theirs / ORACLE_ROUNDS);
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
			oracle_compare_all(test, o);
	}
	oracle_compare_all(test, o);
	/* Of each third that is short enough, nothing stays. */
	for (i = 0; i < ORACLE_SEGMENTS; i += 3)
		if (o->segment[i].pages < 512)
			oracle_unmap(test, o, &o->segment[i]);
	oracle_compare_all(test, o);
	kunit_info(test, "%llu entries compared\n", o->entries);
	oracle_measure(test, o);
	oracle_compare_all(test, o);
}

static int oracle_init(struct kunit *test)
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
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	int ret;

	if (!o)
		return -ENOMEM;
	config.dev = kunit_device_register(test, "drm_gpt_oracle");
	if (IS_ERR(config.dev))
		return PTR_ERR(config.dev);
	ret = dma_coerce_mask_and_coherent(config.dev, DMA_BIT_MASK(64));
	ret = ret ?: drm_gpt_init(&o->gpt, &config);
	if (ret)
		return ret;
	o->pt.iommu.nid = NUMA_NO_NODE;
	o->pt.iommu.iommu_device = config.dev;
	ret = pt_iommu_x86_64_init(&o->pt, &cfg, GFP_KERNEL);
	if (ret) {
		drm_gpt_fini(&o->gpt);
		return ret;
	}
	prandom_seed_state(&o->rnd, ORACLE_SEED);
	test->priv = o;
	return 0;
}

static void oracle_exit(struct kunit *test)
{
	struct oracle *o = test->priv;

	if (!o)
		return;
	pt_iommu_deinit(&o->pt.iommu);
	drm_gpt_fini(&o->gpt);
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

kunit_test_suite(drm_gpt_oracle_test_suite);

MODULE_DESCRIPTION("drm_gpt beside generic_pt");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("GENERIC_PT_IOMMU");
