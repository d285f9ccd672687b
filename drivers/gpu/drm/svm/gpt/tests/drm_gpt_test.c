// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests of drm_gpt against a device that only knows what its manual says
 * (drm_gpt_test_hw.c). Most run for each way to write tables: by the CPU, by commands,
 * and by commands to tables that it cannot read.
 */

#include <kunit/test.h>

#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wait_bit.h>

#include "drm_gpt_test.h"

/* ---- set-up ------------------------------------------------------------- */

static const struct test_variant test_variants[] = {
	{ "cpu", &test_geometry_vgem_svm },
	{ "commands", &test_geometry_vgem_svm, .cmd = true },
	{ "commands, hidden tables", &test_geometry_vgem_svm, .cmd = true, .hide = true },
	{ "small by cpu", &test_geometry_vgem_svm, .cmd = true, .cpu_max = 16 },
	{ "toy, cpu", &test_geometry_toy },
	{ "toy, commands", &test_geometry_toy, .cmd = true },
	{ "toy, small by cpu", &test_geometry_toy, .cmd = true, .cpu_max = 2 },
	{ "wide, cpu", &test_geometry_wide },
	{ "wide, commands", &test_geometry_wide, .cmd = true },
	{ "toy with groups, cpu", &test_geometry_toy_groups },
	{ "toy with groups, commands", &test_geometry_toy_groups, .cmd = true },
	{ "x86_64, cpu", &test_geometry_x86_64 },
	{ "amdgpu, commands, hidden tables", &test_geometry_amdgpu, .cmd = true,
	  .hide = true },
	{ "lpae 4K, cpu", &test_geometry_lpae_4k },
	{ "lpae 4K, commands", &test_geometry_lpae_4k, .cmd = true },
	{ "lpae 4K, small by cpu", &test_geometry_lpae_4k, .cmd = true, .cpu_max = 20 },
	{ "lpae 16K, cpu", &test_geometry_lpae_16k },
	{ "lpae 64K, cpu", &test_geometry_lpae_64k },
	{ "rockchip, cpu", &test_geometry_rockchip },
	{ "rockchip, commands", &test_geometry_rockchip, .cmd = true },
	{ "nvidia, cpu", &test_geometry_nvidia },
	{ "nvidia, commands", &test_geometry_nvidia, .cmd = true },
	{ "nvidia, commands, hidden tables", &test_geometry_nvidia, .cmd = true,
	  .hide = true },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
};

void test_variant_desc(const struct test_variant *variant, char *desc)
{
	strscpy(desc, variant->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(test_variant, test_variants, test_variant_desc);

/* For what only commands have. */
static const struct test_variant test_cmd_variants[] = {
	{ "commands", &test_geometry_vgem_svm, .cmd = true },
	{ "commands, hidden tables", &test_geometry_vgem_svm, .cmd = true,
	  .hide = true },
	{ "toy, commands", &test_geometry_toy, .cmd = true },
	{ "lpae 4K, commands", &test_geometry_lpae_4k, .cmd = true },
	{ "rockchip, commands", &test_geometry_rockchip, .cmd = true },
	{ "nvidia, commands", &test_geometry_nvidia, .cmd = true },
};

KUNIT_ARRAY_PARAM(test_cmd_variant, test_cmd_variants, test_variant_desc);

/*
 * Long tests look at every page: for formats with longer tables less often, and
 * where each load is checked only for those that differ most.
 */
u32 test_rounds(struct kunit *test, u32 rounds)
{
	struct test_hw *hw = test->priv;
	const struct test_geometry *geometry = hw->geometry;

	if (IS_ENABLED(CONFIG_KASAN) && geometry != &test_geometry_vgem_svm &&
	    geometry != &test_geometry_toy && geometry != &test_geometry_toy_groups &&
	    geometry != &test_geometry_pair)
		kunit_skip(test, "too slow where each access is checked");
	if (IS_ENABLED(CONFIG_KASAN))
		rounds /= 2;
	return rounds * 512 / max(test_entries(hw), 512u);
}

int test_init_with(struct kunit *test, const struct drm_gpt_mem_ops *mem,
		   drm_gpt_flush_fn flush)
{
	const struct test_variant *variant = test->param_value;
	struct drm_gpt_config config;
	struct test_hw *hw;

	if (!variant)
		variant = &test_variants[0];
	hw = test_hw_create(variant->geometry);
	if (!hw)
		return -ENOMEM;
	hw->hide = variant->hide;
	config = test_variant_config(variant);
	config.mem = mem;
	config.flush = flush;
	if (drm_gpt_init(&hw->gpt, &config)) {
		test_hw_destroy(hw);
		return -ENOMEM;
	}
	test->priv = hw;
	return 0;
}

int test_init(struct kunit *test)
{
	return test_init_with(test, &test_mem_ops, NULL);
}

/* Ends every test: nothing leaks, nothing impossible has happened. */
void test_exit(struct kunit *test)
{
	struct test_hw *hw = test->priv;

	if (!hw)
		return;
	test_hw_run(hw, U32_MAX);
	drm_gpt_fini(&hw->gpt);
	KUNIT_EXPECT_EQ(test, hw->nr_live, 0);
	KUNIT_EXPECT_EQ(test, hw->nr_beside, 0);
	KUNIT_EXPECT_EQ(test, hw->reserved, 0);
	KUNIT_EXPECT_EQ(test, hw->errors, 0);
	test_hw_destroy(hw);
}

/* ---- small verbs -------------------------------------------------------- */

u32 test_entries(struct test_hw *hw)
{
	return 1 << hw->geometry->bits[0];
}

/* Bytes that a lowest table, or a large leaf, covers. */
u64 test_span(struct test_hw *hw)
{
	return test_entries(hw) * test_page(hw);
}

u64 test_last(struct test_hw *hw)
{
	return U64_MAX >> (64 - hw->geometry->format->va_bits);
}

/* Bus addresses that no other test leaf has; flags as far as there are such. */
u64 test_leaf(struct test_hw *hw, u64 page, u64 flags)
{
	if ((flags & DRM_GPT_LEAF_APERTURE) != DRM_GPT_LEAF_NOWHERE)
		flags &= hw->geometry->format->leaf_bits | DRM_GPT_LEAF_ATTR;
	return page * test_page(hw) | DRM_GPT_LEAF_VALID | flags;
}

/* For those that need large leaves. */
void test_skip_if_all_small(struct kunit *test)
{
	struct test_hw *hw = test->priv;

	if (!hw->geometry->format->levels[1].leaf)
		kunit_skip(test, "a format of small pages only");
}

int test_map_if(struct test_hw *hw, u64 first, const u64 *leaves, u32 n,
		drm_gpt_valid_fn valid, void *data)
{
	struct drm_gpt_update up;
	int ret;

	ret = drm_gpt_prepare(&hw->gpt, &up, first, first + n * test_page(hw) - 1,
			      0, GFP_KERNEL);
	if (ret)
		return ret;
	ret = drm_gpt_commit(&up, first, leaves, n, valid, data);
	drm_gpt_update_fence(&up);
	drm_gpt_finish(&up);
	return ret;
}

int test_map_seq_fence(struct test_hw *hw, u64 first, u64 leaf, u32 n, u8 level,
		       u64 *seq)
{
	u64 page = 1ULL << hw->geometry->format->levels[level].shift;
	struct drm_gpt_update up;
	int ret;

	ret = drm_gpt_prepare(&hw->gpt, &up, first, first + n * page - 1, level,
			      GFP_KERNEL);
	if (ret)
		return ret;
	ret = drm_gpt_commit_seq(&up, first, leaf, n, NULL, NULL);
	*seq = drm_gpt_update_fence(&up);
	drm_gpt_finish(&up);
	return ret;
}

int test_map_seq_at(struct test_hw *hw, u64 first, u64 leaf, u32 n, u8 level)
{
	u64 seq;

	return test_map_seq_fence(hw, first, leaf, n, level, &seq);
}

int test_map_seq(struct test_hw *hw, u64 first, u64 leaf, u32 n)
{
	return test_map_seq_at(hw, first, leaf, n, 0);
}

/* @n pages from @first on whose addresses do not follow each other. */
int test_map_scattered(struct test_hw *hw, u64 first, u64 page, u32 n)
{
	u64 *leaves = kvmalloc_array(n, sizeof(*leaves), GFP_KERNEL);
	u32 i;
	int ret;

	if (!leaves)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		leaves[i] = test_leaf(hw, page + 2 * i, DRM_GPT_LEAF_WRITE);
	ret = test_map_if(hw, first, leaves, n, NULL, NULL);
	kvfree(leaves);
	return ret;
}

/* Zaps without the flush, which is the caller's next step. */
int test_zap(struct test_hw *hw, struct drm_gpt_gather *gather, u64 first,
	     u64 last)
{
	int ret;

	drm_gpt_gather_init(gather, &hw->gpt);
	ret = drm_gpt_zap_reserve(gather, first, last, true);
	if (ret)
		return ret;
	drm_gpt_zap(gather, first, last);
	return 0;
}

void test_flush(struct test_hw *hw, struct drm_gpt_gather *gather)
{
	test_hw_flush(hw, gather);
	drm_gpt_gather_fini(gather);
}

int test_unmap(struct test_hw *hw, u64 first, u64 last)
{
	struct drm_gpt_gather gather;
	int ret = test_zap(hw, &gather, first, last);

	if (!ret)
		test_flush(hw, &gather);
	return ret;
}

void test_wait_freed(struct test_hw *hw)
{
	wait_var_event(&hw->gpt.freeing, !atomic_read_acquire(&hw->gpt.freeing));
}

/* Reclaims all that can be, and waits until it is freed. */
void test_reclaim_all(struct test_hw *hw)
{
	struct drm_gpt_gather gather;
	bool more = true;
	u32 i;

	for (i = 0; i < 64 && more; i++) {
		drm_gpt_gather_init(&gather, &hw->gpt);
		if (drm_gpt_zap_reserve(&gather, 0, test_last(hw), true))
			return;
		drm_gpt_reclaim(&gather, 0, test_last(hw));
		more = gather.tables;
		test_flush(hw, &gather);
	}
	test_wait_freed(hw);
}

u64 test_tables(struct test_hw *hw)
{
	return atomic64_read(&hw->gpt.stats.tables);
}

/* What the device has when it has caught up. */
u64 test_hw_now(struct test_hw *hw, u64 va)
{
	test_hw_run(hw, U32_MAX);
	return test_hw_walk(hw, va, NULL);
}

bool test_gather_has(const struct drm_gpt_gather *gather, u64 first, u64 last)
{
	u32 i;

	for (i = 0; i < gather->nr; i++)
		if (gather->range[i].first <= first && gather->range[i].last >= last)
			return true;
	return gather->full;
}

/* ---- entries and intervals ---------------------------------------------- */

static void encodes_entries_as_documented(struct kunit *test)
{
	const struct drm_gpt_format *format = &drm_gpt_format_vgem_svm;
	const u64 leaf = 0x123456789abcd000ULL & DRM_GPT_LEAF_ADDR;
	struct drm_gpt_target to = { .addr = leaf };
	const struct drm_gpt *gpt = &((struct test_hw *)test->priv)->gpt;
	__le64 entry[4] = {};

	format->fill_seq(gpt, entry, 0, leaf | DRM_GPT_LEAF_VALID, 2);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), leaf | 0x9);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[1]), (leaf + 0x1000) | 0x9);
	format->fill_seq(gpt, entry, 1, DRM_GPT_LEAF_VALID, 2);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[1]), 0x200000 | 0x9);
	format->fill_seq(gpt, entry, 0, leaf | DRM_GPT_LEAF_VALID |
			 DRM_GPT_LEAF_WRITE | DRM_GPT_LEAF_ATOMIC |
			 DRM_GPT_LEAF_LOCAL, 1);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), leaf | 0x1f);
	format->fill_seq(gpt, entry, 0, leaf | DRM_GPT_LEAF_VALID |
			 DRM_GPT_LEAF_PEER | 5 << 5, 1);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), leaf | 0x29 | 5ULL << 57);
	KUNIT_EXPECT_EQ(test, format->decode(gpt, entry, 0), leaf |
			DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_PEER | 5 << 5);
	format->fill_table(gpt, entry, 1, &to);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), leaf | 0x1);
	KUNIT_EXPECT_EQ(test, format->decode(gpt, entry, 1), 0);
	to.local = true;
	format->fill_table(gpt, entry, 1, &to);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0]), leaf | 0x11);
	format->fill_empty(gpt, entry, 0, 2);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(entry[0] | entry[1]), 0);
}

static void refuses_formats_that_do_not_add_up(struct kunit *test)
{
	struct drm_gpt_format format = drm_gpt_format_vgem_svm;
	struct drm_gpt_config config = {
		.format = &format,
		.mem = &test_mem_ops,
	};
	struct drm_gpt gpt;

	format.levels[2].shift++;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = drm_gpt_format_vgem_svm;
	format.va_bits = 58;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = *test_geometry_wide.format;
	format.levels[format.nr_levels - 1].bits++;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = drm_gpt_format_vgem_svm;
	format.leaf_bits |= DRM_GPT_LEAF_HINT;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = drm_gpt_format_vgem_svm;
	format.nr_levels = 1;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
	format = drm_gpt_format_vgem_svm;
	format.levels[0].entry_shift = 5;
	KUNIT_EXPECT_EQ(test, drm_gpt_init(&gpt, &config), -EINVAL);
}

static void refuses_bad_intervals(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	struct drm_gpt_update up;
	u64 leaf = test_leaf(hw, 1, 0), last = test_last(hw);

	KUNIT_EXPECT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 2 * one, 2 * one - 1, 0,
					      GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 2 * one + 16, 3 * one - 1, 0,
					      GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 2 * one, 3 * one - 2, 0,
					      GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, last - one + 1,
					      last + one, 0, GFP_KERNEL), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 0, U64_MAX, 0,
					      GFP_KERNEL), -EINVAL);

	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, one, 3 * one - 1, 0,
					      GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit(&up, 0, &leaf, 1, NULL, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit(&up, 3 * one, &leaf, 1, NULL, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit(&up, one, &leaf, 0, NULL, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, one, leaf, 3, NULL,
						 NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, one, one, 1, NULL,
						 NULL), -EINVAL);
	drm_gpt_finish(&up);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, one), 0);
}

/* As single leaves, as a sequence, as a group: whichever way they would go. */
static void refuses_addresses_beyond_reach(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	/* Where the address ends that leaves have, an attribute that there is not. */
	u64 beyond = BIT_ULL(fls64(hw->geometry->format->leaf_bits)) &
		     DRM_GPT_LEAF_ADDR ?: TEST_ATTR(BIT(7));
	u64 leaf = test_leaf(hw, 1, 0), *leaves;
	u32 n = test_entries(hw), step, i;

	leaves = kunit_kcalloc(test, n, sizeof(*leaves), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, leaves);
	for (step = 1; step < 3; step++) {
		for (i = 0; i < n; i++)
			leaves[i] = beyond + test_leaf(hw, i * step, 0);
		KUNIT_EXPECT_EQ(test, test_map_if(hw, 0, leaves, n, NULL, NULL),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, test_map_if(hw, one, leaves, n - 1, NULL, NULL),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, drm_gpt_map(&hw->gpt, 0, leaves, n, GFP_KERNEL),
				-EINVAL);
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, test_hw_now(hw, i * one), 0);
	}
	KUNIT_EXPECT_EQ(test, test_map_if(hw, 0, &leaf, 1, NULL, NULL), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), leaf);
}

static void maps_the_first_and_the_last_page(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u64 last = test_last(hw), top = last - one + 1;
	u8 levels = hw->geometry->levels;
	struct drm_gpt_gather gather;
	struct drm_gpt_entry entry;
	u64 seq;

	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, test_leaf(hw, 7, 0), 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, top, test_leaf(hw, 8, 0), 1), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), test_leaf(hw, 7, 0));
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, top), test_leaf(hw, 8, 0));
	KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, top, last, 0, &seq));
	if (last < U64_MAX)
		KUNIT_EXPECT_FALSE(test, drm_gpt_mapped(&hw->gpt, top, last + 1, 0,
							&seq));
	drm_gpt_lookup(&hw->gpt, last, &entry);
	KUNIT_EXPECT_EQ(test, entry.first, top);
	KUNIT_EXPECT_EQ(test, entry.last, last);
	drm_gpt_lookup(&hw->gpt, U64_MAX, &entry);
	KUNIT_EXPECT_EQ(test, !entry.flags, last < U64_MAX);

	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, 0, last), 0);
	/* Where the root has two entries, all is one. */
	KUNIT_EXPECT_EQ(test, gather.nr, hw->geometry->bits[levels - 1] > 1 ? 2 : 1);
	KUNIT_EXPECT_EQ(test, gather.zap_first, 0);
	KUNIT_EXPECT_EQ(test, gather.zap_last, last);
	KUNIT_EXPECT_TRUE(test, test_gather_has(&gather, 0, one - 1));
	KUNIT_EXPECT_TRUE(test, test_gather_has(&gather, top, last));
	test_flush(hw, &gather);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, top), 0);
}

/* ---- large leaves ------------------------------------------------------- */

static void maps_large_where_nothing_is_in_the_way(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u32 n = test_entries(hw);
	u64 span = test_span(hw), size, seq;

	test_skip_if_all_small(test);
	/* Aligned in both, two tables' worth and a page: two large, one small. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, span, test_leaf(hw, 4 * n, 0), 2 * n + 1),
			0);
	test_hw_run(hw, U32_MAX);
	/* Three leaves, and the way down to them. */
	KUNIT_EXPECT_EQ(test, test_hw_entries(hw), 3 + hw->geometry->levels - 1);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, 2 * span - one, &size),
			test_leaf(hw, 5 * n - 1, 0));
	KUNIT_EXPECT_EQ(test, size, span);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, 3 * span, &size),
			test_leaf(hw, 6 * n, 0));
	KUNIT_EXPECT_EQ(test, size, one);
	KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, span,
					       3 * span + one - 1, 0, &seq));
	KUNIT_EXPECT_FALSE(test, drm_gpt_mapped(&hw->gpt, span, 3 * span + one - 1,
						DRM_GPT_LEAF_WRITE, &seq));

	/* Not where the page is not aligned, nor over a table in use. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 5 * span, test_leaf(hw, 4 * n + 1, 0), n),
			0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 3 * span, test_leaf(hw, 6 * n, 0), n), 0);
	test_hw_run(hw, U32_MAX);
	test_hw_walk(hw, 5 * span, &size);
	KUNIT_EXPECT_EQ(test, size, one);
	test_hw_walk(hw, 3 * span, &size);
	KUNIT_EXPECT_EQ(test, size, one);
}

static void splits_a_large_leaf_by_its_deposit(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u32 n = test_entries(hw), fail_at = 1;
	u64 size, va;

	test_skip_if_all_small(test);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, test_leaf(hw, 4 * n, 0), n), 0);
	if (!hw->geometry->format->replace_ok) {
		KUNIT_EXPECT_EQ(test, test_map_seq(hw, 3 * one, test_leaf(hw, 9, 0), 1),
				-EBUSY);
		KUNIT_EXPECT_EQ(test, test_hw_now(hw, 3 * one),
				test_leaf(hw, 4 * n + 3, 0));
		return;
	}
	/* The table was made for the large leaf: no memory is needed now. */
	hw->fail_at = fail_at;
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 3 * one, test_leaf(hw, 9 * n, 0), 1), 0);
	KUNIT_EXPECT_EQ(test, hw->fail_at, fail_at);
	hw->fail_at = 0;
	test_hw_run(hw, U32_MAX);
	for (va = 0; va < test_span(hw); va += one) {
		u64 want = va == 3 * one ? test_leaf(hw, 9 * n, 0) :
					  test_leaf(hw, 4 * n + test_pages(hw, va), 0);

		KUNIT_ASSERT_EQ(test, test_hw_walk(hw, va, &size), want);
		KUNIT_ASSERT_EQ(test, size, one);
	}
}

static void zap_of_a_part_takes_the_large_leaf(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u32 n = test_entries(hw);
	u64 span = test_span(hw), va;
	struct drm_gpt_gather gather;

	test_skip_if_all_small(test);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 2 * span, test_leaf(hw, 4 * n, 0), 3 * n),
			0);
	test_hw_run(hw, U32_MAX);
	for (va = 2 * span; va < 5 * span; va += one)
		KUNIT_ASSERT_NE(test, test_hw_access(hw, va), 0);

	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, 3 * span - one,
				       3 * span + one - 1), 0);
	KUNIT_EXPECT_EQ(test, gather.zap_first, 2 * span);
	KUNIT_EXPECT_EQ(test, gather.zap_last, 4 * span - 1);
	KUNIT_EXPECT_TRUE(test, test_gather_has(&gather, 2 * span, 4 * span - 1));
	KUNIT_EXPECT_FALSE(test, gather.directory);
	test_flush(hw, &gather);
	for (va = 2 * span; va < 4 * span; va += one)
		KUNIT_ASSERT_EQ(test, test_hw_access(hw, va), 0);
	KUNIT_EXPECT_NE(test, test_hw_access(hw, 4 * span), 0);
}

/* ---- groups ------------------------------------------------------------- */

/* Entries of a group, where the level has such. */
static u32 test_group(struct kunit *test, u8 level)
{
	struct test_hw *hw = test->priv;

	if (!hw->geometry->hint[level])
		kunit_skip(test, "a format without groups on level %u", level);
	return 1 << hw->geometry->hint[level];
}

/* Are all of @n pages from @first on in groups, or none? */
static void test_expect_grouped(struct kunit *test, u64 first, u32 n, bool want)
{
	struct test_hw *hw = test->priv;
	u32 i;

	test_hw_run(hw, U32_MAX);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, test_hw_grouped(hw, first + i * test_page(hw)),
				want);
}

static void groups_change_as_a_whole(struct kunit *test)
{
	u32 group = test_group(test, 0), k;
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u64 leaf = test_leaf(hw, 8 * group, 0), other = test_leaf(hw, 1, 0);
	bool replace = hw->geometry->format->replace_ok;

	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, leaf, 2 * group + 1), 0);
	test_expect_grouped(test, 0, 2 * group, true);
	test_expect_grouped(test, 2 * group * one, 1, false);
	/* The device has seen the group. */
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, 0), leaf);

	KUNIT_EXPECT_EQ(test, test_map_seq(hw, one, other, 1),
			replace ? 0 : -EBUSY);
	KUNIT_EXPECT_EQ(test, drm_gpt_map(&hw->gpt, one, &other, 1, GFP_KERNEL),
			replace ? 0 : -EBUSY);
	test_expect_grouped(test, 0, group, !replace);
	test_expect_grouped(test, group * one, group, true);
	for (k = 0; k < 2 * group + 1; k++)
		KUNIT_EXPECT_EQ(test, test_hw_now(hw, k * one),
				replace && k == 1 ? other : leaf + k * one);
	/* The whole of it may be written again. */
	KUNIT_EXPECT_EQ(test, test_map_seq(hw, 0, leaf, 2 * group), 0);
	test_expect_grouped(test, 0, 2 * group, true);
}

static void groups_are_not_made_of_what_is_in_use(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 group = test_group(test, 0);
	const u64 one = test_page(hw);
	u64 leaf = test_leaf(hw, 8 * group, 0);

	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, leaf, group / 2), 0);
	test_expect_grouped(test, 0, group / 2, false);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, 0), leaf);
	/* The second of the two groups is new. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, leaf, 2 * group), 0);
	test_expect_grouped(test, 0, group, hw->geometry->format->replace_ok);
	test_expect_grouped(test, group * one, group, true);

	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, 2 * group * one - 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, leaf, 2 * group), 0);
	test_expect_grouped(test, 0, 2 * group, true);
}

/* Two groups of @bytes each are mapped: a page of the first is zapped. */
static void test_expect_group_goes(struct kunit *test, u64 bytes, u64 leaf)
{
	struct test_hw *hw = test->priv;
	u64 va = bytes / 2, step = max(test_page(hw), bytes / 16);
	struct drm_gpt_gather gather;

	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, 0), leaf);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, bytes), leaf + bytes);
	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, va, va + test_page(hw) - 1), 0);
	KUNIT_EXPECT_EQ(test, gather.zap_first, 0);
	KUNIT_EXPECT_EQ(test, gather.zap_last, bytes - 1);
	KUNIT_EXPECT_TRUE(test, test_gather_has(&gather, 0, bytes - 1));
	test_flush(hw, &gather);
	for (va = 0; va < bytes; va += step) {
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, va), 0);
		KUNIT_EXPECT_EQ(test, test_hw_access(hw, bytes + va),
				leaf + bytes + va);
	}
}

static void zap_of_a_part_takes_the_group(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 group = test_group(test, 0);
	u64 leaf = test_leaf(hw, 8 * group, DRM_GPT_LEAF_WRITE);

	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, leaf, 2 * group), 0);
	test_expect_group_goes(test, group * test_page(hw), leaf);
	/* There is room for smaller ones now. */
	KUNIT_EXPECT_EQ(test, test_map_seq(hw, 0, leaf, 1), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), leaf);
}

/* Two groups of large leaves from 0 on. */
static u64 test_map_large_groups(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 group = test_group(test, 1);
	u64 bytes = group * test_span(hw);
	u64 leaf = test_leaf(hw, test_pages(hw, 8 * bytes), DRM_GPT_LEAF_WRITE);
	struct drm_gpt_update up;

	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, 0, 2 * bytes - 1, 1,
					      GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, 0, leaf, 2 * group, NULL,
						 NULL), 0);
	drm_gpt_finish(&up);
	test_hw_run(hw, U32_MAX);
	return leaf;
}

static void zap_of_a_part_takes_the_group_of_large_leaves(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 bytes = test_group(test, 1) * test_span(hw), size;
	u64 leaf = test_map_large_groups(test);

	KUNIT_EXPECT_TRUE(test, test_hw_grouped(hw, 0));
	KUNIT_EXPECT_TRUE(test, test_hw_grouped(hw, 2 * bytes - test_page(hw)));
	test_hw_walk(hw, 0, &size);
	KUNIT_EXPECT_EQ(test, size, test_span(hw));
	test_expect_group_goes(test, bytes, leaf);
	KUNIT_EXPECT_EQ(test, test_map_seq(hw, 0, leaf, 1), 0);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), leaf);
}

/* By a table's worth of small pages that would be one of them. */
static void groups_of_large_leaves_change_as_a_whole(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	bool replace = hw->geometry->format->replace_ok;
	u64 leaf = test_map_large_groups(test), span = test_span(hw);
	u64 other = test_leaf(hw, 5 * test_entries(hw), 0);

	KUNIT_EXPECT_EQ(test, test_hw_access(hw, 0), leaf);
	KUNIT_EXPECT_EQ(test, test_map_seq(hw, span, other, test_entries(hw)),
			replace ? 0 : -EBUSY);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, span), replace ? other : leaf + span);
	KUNIT_EXPECT_EQ(test, test_hw_grouped(hw, 0), !replace);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), leaf);
}

/* ---- directories -------------------------------------------------------- */

/* Runs the ring packet by packet; nothing of [first, last] but @page shows. */
static void test_expect_only(struct kunit *test, u64 first, u64 last, u64 page)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u64 va;

	do {
		for (va = first; va <= last; va += one)
			if (va != page)
				KUNIT_ASSERT_EQ(test, test_hw_access(hw, va), 0);
	} while (test_hw_run(hw, 1));
}

static void zap_of_a_table_is_one_entry_above(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u32 n = test_entries(hw), entries;
	u64 span = test_span(hw), va;
	struct drm_gpt_gather gather;

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, span, 100, n), 0);
	test_hw_run(hw, U32_MAX);
	for (va = span; va < 2 * span; va += one)
		KUNIT_ASSERT_NE(test, test_hw_access(hw, va), 0);

	entries = test_hw_entries(hw);
	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, 0, 4 * span - 1), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_EQ(test, test_hw_entries(hw), entries - 1);
	KUNIT_EXPECT_TRUE(test, gather.directory);
	KUNIT_EXPECT_EQ(test, gather.nr, 1);
	KUNIT_EXPECT_EQ(test, gather.zap_first, span);
	KUNIT_EXPECT_EQ(test, gather.zap_last, 2 * span - 1);
	test_flush(hw, &gather);
	for (va = span; va < 2 * span; va += one)
		KUNIT_ASSERT_EQ(test, test_hw_access(hw, va), 0);
}

static void relink_shows_nothing_stale(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u32 n = test_entries(hw);
	u64 span = test_span(hw), page = span + 5 * one;
	struct drm_gpt_entry entry;

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, span, 100, n), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, span, 2 * span - 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, page, test_leaf(hw, 9, 0), 1), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&hw->gpt.stats.relinks), 1);
	drm_gpt_lookup(&hw->gpt, page + one, &entry);
	KUNIT_EXPECT_EQ(test, entry.flags, 0);
	test_expect_only(test, span, 2 * span - 1, page);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, page), test_leaf(hw, 9, 0));
}

static void large_leaf_replaces_a_table_after_its_flush(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u32 n = test_entries(hw);
	u64 span = test_span(hw), size;

	test_skip_if_all_small(test);
	/* The table between the two is in use but empty. */
	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 0, 1000, 3 * n), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_NE(test, test_hw_access(hw, span), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, span, 2 * span - one - 1), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 2 * span - one, 2 * span - 1), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, 3 * span - 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, span, test_leaf(hw, 8 * n, 0), n), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, span, &size), test_leaf(hw, 8 * n, 0));
	KUNIT_EXPECT_EQ(test, size, span);
	/* Not through what the walk cache had. */
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, span), test_leaf(hw, 8 * n, 0));
}

/* ---- gather ------------------------------------------------------------- */

static void gather_joins_what_touches(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	struct drm_gpt_gather gather;

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 0, 1, 9), 0);
	KUNIT_ASSERT_EQ(test, test_zap(hw, &gather, 16 * one, 32 * one - 1), 0);
	KUNIT_EXPECT_TRUE(test, drm_gpt_gather_empty(&gather));
	KUNIT_EXPECT_GT(test, gather.zap_first, gather.zap_last);
	drm_gpt_zap(&gather, 2 * one, 3 * one - 1);
	drm_gpt_zap(&gather, 6 * one, 7 * one - 1);
	KUNIT_EXPECT_EQ(test, gather.nr, 2);
	drm_gpt_zap(&gather, 3 * one, 4 * one - 1);
	drm_gpt_zap(&gather, one, 2 * one - 1);
	KUNIT_EXPECT_EQ(test, gather.nr, 2);
	drm_gpt_zap(&gather, 4 * one, 6 * one - 1);
	KUNIT_EXPECT_EQ(test, gather.nr, 1);
	KUNIT_EXPECT_EQ(test, gather.range[0].first, one);
	KUNIT_EXPECT_EQ(test, gather.range[0].last, 7 * one - 1);
	/* A second time there is nothing to report. */
	drm_gpt_zap(&gather, 0, 16 * one - 1);
	KUNIT_EXPECT_EQ(test, gather.range[0].first, 0);
	KUNIT_EXPECT_EQ(test, gather.range[0].last, 9 * one - 1);
	KUNIT_EXPECT_EQ(test, gather.zap_last, 9 * one - 1);
	test_flush(hw, &gather);
}

static void gather_overflow_joins_the_nearest(struct kunit *test)
{
	/* Pages, in the order in which they go; 8 ranges are kept. */
	static const u32 pages[] = { 100, 20, 40, 10, 80, 60, 120, 140, 12, 141,
				     124, 50 };
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	struct drm_gpt_gather gather;
	u32 i, k;

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 0, 1, 200), 0);
	drm_gpt_gather_init(&gather, &hw->gpt);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		u64 va = pages[i] * one;

		drm_gpt_zap(&gather, va, va + one - 1);
		for (k = 0; k <= i; k++) {
			va = pages[k] * one;
			KUNIT_ASSERT_TRUE(test, test_gather_has(&gather, va,
								va + one - 1));
		}
		for (k = 1; k < gather.nr; k++)
			KUNIT_ASSERT_GT(test, gather.range[k].first,
					gather.range[k - 1].last + 1);
	}
	KUNIT_EXPECT_EQ(test, gather.nr, DRM_GPT_GATHER_RANGES);
	/* 12 went to 10, 124 to 120, and 10-12 to 20 before anything else. */
	KUNIT_EXPECT_EQ(test, gather.range[0].first, 10 * one);
	KUNIT_EXPECT_EQ(test, gather.range[0].last, 21 * one - 1);
	KUNIT_EXPECT_FALSE(test, gather.full);
	test_flush(hw, &gather);
}

/* ---- commands ----------------------------------------------------------- */

static void lookup_tells_what_is_pending(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u64 span = test_span(hw), leaf = test_leaf(hw, 3, DRM_GPT_LEAF_WRITE), seq;
	struct drm_gpt_update up, other;
	struct drm_gpt_entry entry;

	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, span,
					      2 * span - 1, 0, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_commit_seq(&up, span, leaf, 2, NULL, NULL),
			0);
	drm_gpt_lookup(&hw->gpt, span, &entry);
	KUNIT_EXPECT_EQ(test, entry.flags, DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE);
	KUNIT_EXPECT_NE(test, entry.seq, 0);
	KUNIT_EXPECT_EQ(test, entry.leaf, 0);
	KUNIT_EXPECT_EQ(test, entry.seq, drm_gpt_update_fence(&up));

	/* Another, below directories that the first has made. */
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &other, 0, span - 1, 0,
					      GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_commit_seq(&other, 0, leaf, 1, NULL, NULL),
			0);
	KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, 0, one - 1, 0, &seq));
	KUNIT_EXPECT_EQ(test, seq, drm_gpt_update_fence(&other));
	KUNIT_EXPECT_GT(test, seq, entry.seq);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, drm_gpt_wait(&hw->gpt, seq), 0);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, 0, NULL), leaf);
	KUNIT_EXPECT_EQ(test, test_hw_walk(hw, span, NULL), leaf);

	KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, 0, one - 1, 0, &seq));
	KUNIT_EXPECT_EQ(test, seq, 0);
	drm_gpt_lookup(&hw->gpt, span + one, &entry);
	KUNIT_EXPECT_EQ(test, entry.seq, 0);
	KUNIT_EXPECT_EQ(test, entry.leaf, hw->hide ? 0 : leaf + one);
	drm_gpt_finish(&other);
	drm_gpt_finish(&up);
}

/* Between link and fence, under the table's lock: lookups go on. */
static bool test_valid_lookup(void *data)
{
	struct test_hw *hw = data;
	u64 seq;

	return drm_gpt_mapped(&hw->gpt, 0, test_span(hw) - 1, 0, &seq) && seq;
}

/* A large leaf that is pending stays so for what it is split into. */
static void split_stays_pending(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u64 leaf = test_leaf(hw, 1, 0), seq;
	u32 n = test_entries(hw);
	struct drm_gpt_entry entry;

	test_skip_if_all_small(test);
	if (!hw->geometry->format->replace_ok)
		kunit_skip(test, "a format that does not split in place");
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, test_leaf(hw, 4 * n, 0), n), 0);
	drm_gpt_lookup(&hw->gpt, 0, &entry);
	KUNIT_EXPECT_NE(test, entry.seq, 0);
	KUNIT_ASSERT_EQ(test, test_map_if(hw, one, &leaf, 1,
					  test_valid_lookup, hw), 0);
	KUNIT_EXPECT_TRUE(test, drm_gpt_mapped(&hw->gpt, 0, test_span(hw) - 1, 0,
					       &seq));
	KUNIT_EXPECT_GT(test, seq, entry.seq);
}

static void zap_on_a_dead_ring_records_nothing(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u64 span = test_span(hw);
	struct drm_gpt_gather gather;
	struct drm_gpt_update up;
	struct drm_gpt_entry entry;
	u32 tail;

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 0, 1, 3), 0);
	hw->dead = true;
	tail = hw->tail;
	KUNIT_EXPECT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, span, 2 * span - 1, 0,
					      GFP_KERNEL), -ENODEV);
	KUNIT_EXPECT_EQ(test, test_zap(hw, &gather, 0, span - 1), -ENODEV);
	drm_gpt_zap(&gather, 0, span - 1);
	KUNIT_EXPECT_FALSE(test, drm_gpt_gather_empty(&gather));
	drm_gpt_reclaim(&gather, 0, test_last(hw));
	KUNIT_EXPECT_EQ(test, drm_gpt_gather_take_flush_credits(&gather), 0);
	drm_gpt_gather_fini(&gather);
	KUNIT_EXPECT_EQ(test, hw->tail, tail);
	drm_gpt_lookup(&hw->gpt, 0, &entry);
	KUNIT_EXPECT_EQ(test, entry.flags, 0);
	test_wait_freed(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
	/* What the dead ring still holds is of no interest to anybody. */
	hw->head = hw->tail;
}

/* ---- failures ----------------------------------------------------------- */

static void failed_prepare_changes_nothing(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u64 span = test_span(hw), first = span - one, last = 3 * span - 1;
	u64 kept = 5 * span, leaf = test_leaf(hw, 1, 0);
	struct drm_gpt_update up;
	u32 k;
	int ret;

	KUNIT_ASSERT_EQ(test, test_map_seq(hw, kept, leaf, 1), 0);
	for (k = 1; k < 20; k++) {
		test_reclaim_all(hw);
		hw->fail_at = k;
		ret = drm_gpt_prepare(&hw->gpt, &up, first, last, 0, GFP_KERNEL);
		if (!ret)
			break;
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_EQ(test, hw->reserved, 0);
		KUNIT_EXPECT_EQ(test, test_hw_now(hw, kept), leaf);
		KUNIT_EXPECT_EQ(test, test_hw_now(hw, first), 0);
		KUNIT_EXPECT_EQ(test, test_tables(hw), hw->nr_live);
	}
	/* Three lowest tables, and nothing else above them than for @kept. */
	KUNIT_EXPECT_EQ(test, k, hw->geometry->beside ? 7 : 4);
	hw->fail_at = 0;
	KUNIT_ASSERT_EQ(test, ret, 0);
	drm_gpt_finish(&up);
}

/* Says yes @data times. */
static bool test_valid_for(void *data)
{
	return (*(u32 *)data)-- > 0;
}

static void commit_stops_where_no_longer_valid(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u32 n = test_entries(hw), yes = 2;
	u64 span = test_span(hw), *leaves;
	u32 i;

	leaves = kunit_kcalloc(test, 3 * n, sizeof(*leaves), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, leaves);
	for (i = 0; i < 3 * n; i++)
		leaves[i] = test_leaf(hw, i * 2, 0);
	KUNIT_EXPECT_EQ(test, test_map_if(hw, 0, leaves, 3 * n, test_valid_for,
					  &yes), -EAGAIN);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, span - one), leaves[n - 1]);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, span), leaves[n]);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 2 * span), 0);

	/* Large leaves ask too. */
	yes = 0;
	for (i = 0; i < n; i++)
		leaves[i] = test_leaf(hw, n + i, 0);
	KUNIT_EXPECT_EQ(test, test_map_if(hw, 4 * span, leaves, n, test_valid_for,
					  &yes), -EAGAIN);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 4 * span), 0);
}

static void leaves_that_are_not_valid_change_nothing(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u64 leaves[8], span = test_span(hw), runs;
	u32 i;

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 0, 50, 8), 0);
	for (i = 0; i < 8; i++)
		leaves[i] = i % 3 ? 0 : test_leaf(hw, 100 + i, 0);
	KUNIT_ASSERT_EQ(test, test_map_if(hw, 0, leaves, 8, NULL, NULL), 0);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, test_hw_now(hw, i * one),
				leaves[i] ?: test_leaf(hw, 50 + 2 * i,
						       DRM_GPT_LEAF_WRITE));

	/* None at all: the table is not even linked. */
	memset(leaves, 0, sizeof(leaves));
	runs = atomic64_read(&hw->gpt.stats.runs);
	KUNIT_ASSERT_EQ(test, test_map_if(hw, span, leaves, 8, NULL, NULL), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&hw->gpt.stats.runs), runs);
}

/* ---- reclaim ------------------------------------------------------------ */

static void reclaim_spares_what_is_needed(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	u32 n = test_entries(hw), levels = hw->geometry->levels;
	u64 span = test_span(hw);
	struct drm_gpt_update up;

	/* A page, a table pinned, a deposit, and one to take. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 0, test_leaf(hw, 1, 0), 1), 0);
	KUNIT_ASSERT_EQ(test, drm_gpt_prepare(&hw->gpt, &up, span, 2 * span - 1, 0,
					      GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, 2 * span, test_leaf(hw, 4 * n, 0), n),
			0);
	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 3 * span, 7, n), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 3 * span, 4 * span - 1), 0);
	KUNIT_EXPECT_EQ(test, test_tables(hw), levels - 1 + 4);
	test_reclaim_all(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), levels - 1 + 3);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 0), test_leaf(hw, 1, 0));
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, 2 * span), test_leaf(hw, 4 * n, 0));
	KUNIT_EXPECT_EQ(test, drm_gpt_commit_seq(&up, span, test_leaf(hw, 5, 0), 1,
						 NULL, NULL), 0);
	drm_gpt_finish(&up);
	KUNIT_EXPECT_EQ(test, test_hw_now(hw, span), test_leaf(hw, 5, 0));

	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, test_last(hw)), 0);
	test_reclaim_all(hw);
	KUNIT_EXPECT_EQ(test, test_tables(hw), 1);
}

/* A device may be in a table that was unlinked but not flushed yet. */
static void reclaim_reports_tables_that_are_unlinked(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u64 span = test_span(hw);
	struct drm_gpt_gather zap, reclaim;

	/* A neighbour keeps the directories. */
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, span, test_leaf(hw, 9, 0), 1), 0);
	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, 0, 1, 3), 0);
	test_hw_run(hw, U32_MAX);
	KUNIT_EXPECT_NE(test, test_hw_access(hw, 0), 0);
	KUNIT_ASSERT_EQ(test, test_zap(hw, &zap, 0, span - 1), 0);

	drm_gpt_gather_init(&reclaim, &hw->gpt);
	KUNIT_ASSERT_EQ(test, drm_gpt_zap_reserve(&reclaim, 0, span - 1, true), 0);
	drm_gpt_reclaim(&reclaim, 0, span - 1);
	KUNIT_EXPECT_TRUE(test, reclaim.directory);
	KUNIT_EXPECT_TRUE(test, test_gather_has(&reclaim, 0, span - 1));
	KUNIT_EXPECT_GT(test, reclaim.zap_first, reclaim.zap_last);
	test_flush(hw, &reclaim);
	test_wait_freed(hw);
	/* The TLB may still have a page, the walk cache has no table. */
	test_hw_access(hw, 3 * one);
	test_flush(hw, &zap);
	KUNIT_EXPECT_EQ(test, test_hw_access(hw, 0), 0);
}

static void fini_frees_all(struct kunit *test)
{
	struct test_hw *hw = test->priv;
	const u64 one = test_page(hw);
	u64 span = test_span(hw);
	struct drm_gpt_gather gather;

	KUNIT_ASSERT_EQ(test, test_map_scattered(hw, span - 4 * one, 1, 8), 0);
	KUNIT_ASSERT_EQ(test, test_map_seq(hw, test_last(hw) - one + 1,
					   test_leaf(hw, 1, 0), 1), 0);
	KUNIT_ASSERT_EQ(test, test_unmap(hw, 0, span - 1), 0);
	/* Some still wait for their grace period then. */
	drm_gpt_gather_init(&gather, &hw->gpt);
	KUNIT_ASSERT_EQ(test, drm_gpt_zap_reserve(&gather, 0, span - 1, true), 0);
	drm_gpt_reclaim(&gather, 0, span - 1);
	KUNIT_EXPECT_TRUE(test, gather.tables);
	test_flush(hw, &gather);
	/* test_exit() counts. */
}

static struct kunit_case drm_gpt_test_cases[] = {
	KUNIT_CASE(encodes_entries_as_documented),
	KUNIT_CASE(refuses_formats_that_do_not_add_up),
	KUNIT_CASE_PARAM(refuses_bad_intervals, test_variant_gen_params),
	KUNIT_CASE_PARAM(refuses_addresses_beyond_reach, test_variant_gen_params),
	KUNIT_CASE_PARAM(maps_the_first_and_the_last_page, test_variant_gen_params),
	KUNIT_CASE_PARAM(maps_large_where_nothing_is_in_the_way,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(splits_a_large_leaf_by_its_deposit,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(zap_of_a_part_takes_the_large_leaf,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(groups_change_as_a_whole, test_variant_gen_params),
	KUNIT_CASE_PARAM(groups_are_not_made_of_what_is_in_use,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(zap_of_a_part_takes_the_group, test_variant_gen_params),
	KUNIT_CASE_PARAM(zap_of_a_part_takes_the_group_of_large_leaves,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(groups_of_large_leaves_change_as_a_whole,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(zap_of_a_table_is_one_entry_above,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(relink_shows_nothing_stale, test_variant_gen_params),
	KUNIT_CASE_PARAM(large_leaf_replaces_a_table_after_its_flush,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(gather_joins_what_touches, test_variant_gen_params),
	KUNIT_CASE(gather_overflow_joins_the_nearest),
	KUNIT_CASE_PARAM(lookup_tells_what_is_pending,
			 test_cmd_variant_gen_params),
	KUNIT_CASE_PARAM(split_stays_pending, test_cmd_variant_gen_params),
	KUNIT_CASE_PARAM(zap_on_a_dead_ring_records_nothing,
			 test_cmd_variant_gen_params),
	KUNIT_CASE_PARAM(failed_prepare_changes_nothing, test_variant_gen_params),
	KUNIT_CASE_PARAM(commit_stops_where_no_longer_valid,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(leaves_that_are_not_valid_change_nothing,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(reclaim_spares_what_is_needed, test_variant_gen_params),
	KUNIT_CASE_PARAM(reclaim_reports_tables_that_are_unlinked,
			 test_variant_gen_params),
	KUNIT_CASE_PARAM(fini_frees_all, test_variant_gen_params),
	KUNIT_CASE_PARAM(agrees_with_a_model, test_variant_gen_params),
	KUNIT_CASE_PARAM(threads_keep_their_own_pages, test_variant_gen_params),
	KUNIT_CASE_PARAM(no_commit_outlives_an_invalidation,
			 test_variant_gen_params),
	{}
};

static struct kunit_suite drm_gpt_test_suite = {
	.name = "drm_gpt",
	.init = test_init,
	.exit = test_exit,
	.test_cases = drm_gpt_test_cases,
};

kunit_test_suite(drm_gpt_test_suite);

static void __exit test_module_exit(void)
{
	test_hw_drop_spare();
}
module_exit(test_module_exit);

MODULE_DESCRIPTION("Tests of drm_gpt");
MODULE_LICENSE("Dual MIT/GPL");
