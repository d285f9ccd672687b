// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where tables come from: the back ends that drm_gpt brings along.
 */

#include <kunit/device.h>
#include <kunit/test.h>

#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "drm_gpt_test.h"

/**
 * struct test_mem - a page table on a device of its own
 * @gpt: page table
 * @dev: device
 * @syncs: calls of @sync
 * @synced: bytes that they were about
 */
struct test_mem {
	struct drm_gpt gpt;
	struct device *dev;
	u32 syncs;
	u32 synced;
};

static struct test_mem *test_mem_create(struct kunit *test)
{
	struct test_mem *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->dev = kunit_device_register(test, "drm_gpt_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(m->dev));
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(m->dev,
							   DMA_BIT_MASK(64)), 0);
	return m;
}

static void test_mem_init(struct kunit *test, struct test_mem *m,
			  const struct drm_gpt_format *format,
			  const struct drm_gpt_mem_ops *mem, void *data)
{
	const struct drm_gpt_config config = {
		.dev = m->dev,
		.format = format,
		.mem = mem,
		.mem_data = data,
	};

	KUNIT_ASSERT_EQ(test, drm_gpt_init(&m->gpt, &config), 0);
}

static void test_mem_map(struct kunit *test, struct test_mem *m, u64 va, u32 n)
{
	u64 leaf = test_leaf_4k(0x1235, DRM_GPT_LEAF_WRITE);
	struct drm_gpt_update up;

	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&m->gpt, &up, va,
					      va + ((u64)n << 12) - 1, 0,
					      GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_commit_seq(&up, va, leaf, n, NULL, NULL), 0);
	drm_gpt_finish(&up);
}

static void test_mem_unmap_all(struct test_mem *m)
{
	u64 last = (1ULL << m->gpt.format->va_bits) - 1;
	struct drm_gpt_gather gather;
	u32 i;

	for (i = 0; i < DRM_GPT_MAX_LEVELS; i++) {
		drm_gpt_gather_init(&gather, &m->gpt);
		drm_gpt_zap(&gather, 0, last);
		drm_gpt_reclaim(&gather, 0, last);
		drm_gpt_gather_fini(&gather);
	}
	wait_var_event(&m->gpt.freeing, !atomic_read_acquire(&m->gpt.freeing));
}

static void test_mem_expect(struct kunit *test, struct test_mem *m, u64 va,
			    u64 leaf)
{
	struct drm_gpt_entry entry;

	drm_gpt_lookup(&m->gpt, va, &entry);
	KUNIT_EXPECT_EQ(test, entry.leaf, leaf);
}

static void pages_are_zeroed_and_come_back(struct kunit *test)
{
	struct test_mem *m = test_mem_create(test);
	u32 k;

	test_mem_init(test, m, &drm_gpt_format_vgem_svm, &drm_gpt_mem_pages, NULL);
	for (k = 0; k < 3; k++) {
		test_mem_map(test, m, 0, 700);
		test_mem_expect(test, m, 0x5000,
				test_leaf_4k(0x123a, DRM_GPT_LEAF_WRITE));
		test_mem_expect(test, m, 700 << 12, 0);
		test_mem_unmap_all(m);
		KUNIT_EXPECT_EQ(test, atomic64_read(&m->gpt.stats.tables), 1);
	}
	drm_gpt_fini(&m->gpt);
}

/* ---- pool ------------------------------------------------------------------ */

static void pool_keeps_as_many_as_it_may(struct kunit *test)
{
	struct test_mem *m = test_mem_create(test);
	struct drm_gpt_pool *pool = drm_gpt_pool_create(m->dev, 4);
	u32 k;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	KUNIT_EXPECT_EQ(test, PTR_ERR(drm_gpt_pool_create(m->dev, 0)), -EINVAL);
	test_mem_init(test, m, &drm_gpt_format_vgem_svm, &drm_gpt_mem_pool, pool);
	KUNIT_EXPECT_EQ(test, drm_gpt_pool_pages(pool), 0);
	for (k = 0; k < 3; k++) {
		/* Six tables beside the root: what came from the pool is zero. */
		test_mem_map(test, m, 0, 3 * 512 - 1);
		KUNIT_EXPECT_EQ(test, drm_gpt_pool_pages(pool), 0);
		test_mem_expect(test, m, (3 * 512 - 1) << 12, 0);
		test_mem_unmap_all(m);
		KUNIT_EXPECT_EQ(test, drm_gpt_pool_pages(pool), 4);
	}
	drm_gpt_fini(&m->gpt);
	drm_gpt_pool_destroy(pool);
}

static void pool_gives_back_what_is_asked_for(struct kunit *test)
{
	struct test_mem *m = test_mem_create(test);
	struct drm_gpt_pool *pool = drm_gpt_pool_create(m->dev, 16);

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	test_mem_init(test, m, &drm_gpt_format_vgem_svm, &drm_gpt_mem_pool, pool);
	test_mem_map(test, m, 0, 3 * 512 - 1);
	test_mem_unmap_all(m);
	KUNIT_EXPECT_EQ(test, drm_gpt_pool_pages(pool), 6);
	KUNIT_EXPECT_EQ(test, drm_gpt_pool_trim(pool, 2), 2);
	KUNIT_EXPECT_EQ(test, drm_gpt_pool_pages(pool), 4);
	test_mem_map(test, m, 0, 1);
	KUNIT_EXPECT_EQ(test, drm_gpt_pool_pages(pool), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_pool_trim(pool, 2), 0);
	test_mem_expect(test, m, 0, test_leaf_4k(0x1235, DRM_GPT_LEAF_WRITE));
	drm_gpt_fini(&m->gpt);
	drm_gpt_pool_destroy(pool);
}

/* ---- small tables ---------------------------------------------------------- */

static void small_tables_share_pages(struct kunit *test)
{
	struct test_mem *m = test_mem_create(test);
	struct dma_pool *pool;

	/* All tables of this format have 16 entries of 16 bytes but the lowest. */
	pool = dma_pool_create("drm_gpt_test", m->dev, 256, 256, 0);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	test_mem_init(test, m, test_geometry_toy.format, &drm_gpt_mem_small, pool);
	test_mem_map(test, m, 0, 40);
	test_mem_expect(test, m, 0x5000, test_leaf_4k(0x123a, DRM_GPT_LEAF_WRITE));
	test_mem_unmap_all(m);
	drm_gpt_fini(&m->gpt);
	dma_pool_destroy(pool);
}

/* Those of big pages do; the root, of four entries, does not. */
static void only_small_tables_share_pages(struct kunit *test)
{
	struct test_mem *m = test_mem_create(test);
	struct dma_pool *pool;
	bool local;
	u64 addr;

	pool = dma_pool_create("drm_gpt_test", m->dev, 256, 256, 0);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	test_mem_init(test, m, &drm_gpt_format_nvidia_gp100, &drm_gpt_mem_small, pool);
	drm_gpt_root(&m->gpt, &addr, &local);
	KUNIT_EXPECT_EQ(test, addr & 0xfff, 0);
	/* At 0x5000 the addresses are aligned to a group. */
	test_mem_map(test, m, 0x5000, 700);
	test_mem_expect(test, m, 0x5000 + (699 << 12),
			test_leaf_4k(0x1235 + 699, DRM_GPT_LEAF_WRITE));
	test_mem_unmap_all(m);
	test_mem_map(test, m, 0x5000, 1);
	test_mem_expect(test, m, 0x10000, 0);
	drm_gpt_fini(&m->gpt);
	dma_pool_destroy(pool);
}

/* ---- a device that does not snoop ------------------------------------------ */

static int test_sync_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			   u32 bytes, gfp_t gfp)
{
	return drm_gpt_mem_streaming.alloc(gpt, mem, bytes, gfp);
}

static void test_sync_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem, u32 bytes)
{
	drm_gpt_mem_streaming.free(gpt, mem, bytes);
}

static void test_sync_sync(struct drm_gpt *gpt, u64 addr, u32 bytes)
{
	struct test_mem *m = container_of(gpt, struct test_mem, gpt);

	m->syncs++;
	m->synced += bytes;
	drm_gpt_mem_streaming.sync(gpt, addr, bytes);
}

static const struct drm_gpt_mem_ops test_sync_ops = {
	.alloc = test_sync_alloc,
	.free = test_sync_free,
	.sync = test_sync_sync,
};

static void what_is_stored_is_synced(struct kunit *test)
{
	struct test_mem *m = test_mem_create(test);
	struct drm_gpt_gather gather;

	test_mem_init(test, m, &drm_gpt_format_vgem_svm, &test_sync_ops, NULL);
	test_mem_map(test, m, 0x3000, 7);
	/* Four entries on the way down, one run of leaves. */
	KUNIT_EXPECT_EQ(test, m->syncs, 5);
	KUNIT_EXPECT_EQ(test, m->synced, 4 * 8 + 7 * 8);
	m->syncs = 0;
	m->synced = 0;
	drm_gpt_gather_init(&gather, &m->gpt);
	drm_gpt_zap(&gather, 0x4000, 0x5fff);
	drm_gpt_gather_fini(&gather);
	KUNIT_EXPECT_EQ(test, m->syncs, 1);
	KUNIT_EXPECT_EQ(test, m->synced, 2 * 8);
	drm_gpt_fini(&m->gpt);
}

static void what_is_beside_is_synced(struct kunit *test)
{
	struct test_mem *m = test_mem_create(test);
	struct drm_gpt_gather gather;

	test_mem_init(test, m, &drm_gpt_format_nvidia_gp100, &test_sync_ops, NULL);
	test_mem_map(test, m, 0x5000, 11);
	/* Four entries on the way down, of which one is of 16 bytes. */
	KUNIT_EXPECT_EQ(test, m->syncs, 5);
	KUNIT_EXPECT_EQ(test, m->synced, 3 * 8 + 16 + 11 * 8);
	m->syncs = 0;
	m->synced = 0;
	/* Two groups of which the first was in use, and what is beside them. */
	test_mem_map(test, m, 0x5000, 11 + 32);
	KUNIT_EXPECT_EQ(test, m->syncs, 3);
	KUNIT_EXPECT_EQ(test, m->synced, (11 + 32) * 8 + 2 * 8);
	m->syncs = 0;
	m->synced = 0;
	drm_gpt_gather_init(&gather, &m->gpt);
	drm_gpt_zap(&gather, 0x11000, 0x11fff);
	drm_gpt_gather_fini(&gather);
	KUNIT_EXPECT_EQ(test, m->syncs, 2);
	KUNIT_EXPECT_EQ(test, m->synced, 8 + 16 * 8);
	drm_gpt_fini(&m->gpt);
}

static struct kunit_case drm_gpt_mem_test_cases[] = {
	KUNIT_CASE(pages_are_zeroed_and_come_back),
	KUNIT_CASE(pool_keeps_as_many_as_it_may),
	KUNIT_CASE(pool_gives_back_what_is_asked_for),
	KUNIT_CASE(small_tables_share_pages),
	KUNIT_CASE(only_small_tables_share_pages),
	KUNIT_CASE(what_is_stored_is_synced),
	KUNIT_CASE(what_is_beside_is_synced),
	{}
};

static struct kunit_suite drm_gpt_mem_test_suite = {
	.name = "drm_gpt_mem",
	.test_cases = drm_gpt_mem_test_cases,
};

kunit_test_suite(drm_gpt_mem_test_suite);
