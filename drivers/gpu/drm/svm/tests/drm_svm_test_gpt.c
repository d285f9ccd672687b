// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A page table as the sink under test.
 */

#define TEST_SUITE(name)	"drm_svm_" name

#include <drm/drm_gpt.h>
#include <drm/drm_svm_gpt.h>

#include "../gpt/tests/fmt/formats.h"
#include "drm_svm_test_mirror.h"
#include "drm_svm_test_views.h"

/**
 * struct test_table - what a device sees by a table
 * @v: for the rig
 * @gpt: the table
 * @table: it as a sink
 */
struct test_table {
	struct test_view v;
	struct drm_gpt gpt;
	struct drm_svm_gpt table;
};

static struct test_table *test_table_of(struct test_view *v)
{
	return container_of(v, struct test_table, v);
}

static u64 test_flush_begin(struct drm_svm_gpt *table,
			    struct drm_gpt_gather *gather)
{
	return atomic_inc_return(&container_of(table, struct test_table, table)->v.begun);
}

static int test_flush_wait(struct drm_svm_gpt *table, u64 token, bool may_sleep)
{
	return test_view_flushed(&container_of(table, struct test_table, table)->v,
				 may_sleep);
}

static void test_table_kill(struct drm_svm_gpt *table, bool may_sleep)
{
	WARN(1, "nothing here can fail to answer\n");
}

static const struct drm_svm_gpt_ops test_table_ops = {
	.flush_begin = test_flush_begin,
	.flush_wait = test_flush_wait,
	.kill = test_table_kill,
};

static const struct test_sink test_gpt_sink;

static int test_table_init(struct test_table *t, struct test_mirror *mirror)
{
	struct drm_gpt_config config = {
		.dev = &mirror->pdev->dev,
		.format = &drm_gpt_format_vgem_svm,
		.mem = &drm_gpt_mem_pages,
	};
	int ret = drm_gpt_init(&t->gpt, &config);

	if (ret)
		return ret;
	ret = drm_svm_gpt_init(&t->table, &mirror->svm, &t->gpt, &test_table_ops);
	if (ret)
		drm_gpt_fini(&t->gpt);
	return ret;
}

/* It reaches all there is, with all rights. */
static struct test_view *test_table_make(struct kunit *test, struct test_mirror *mirror,
					 u64 first, u64 bytes, u8 rights)
{
	struct test_table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	test_view_set(&t->v, &test_gpt_sink, &t->table.view);
	return test_table_init(t, mirror) ? NULL : &t->v;
}

static void test_table_end(struct test_view *v)
{
	drm_svm_gpt_fini(&test_table_of(v)->table);
	drm_gpt_fini(&test_table_of(v)->gpt);
}

static struct test_seen test_table_look(struct test_view *v, u64 addr)
{
	struct test_seen seen = {};
	struct drm_gpt_entry entry;

	drm_gpt_lookup(&test_table_of(v)->gpt, addr, &entry);
	if (!(entry.leaf & DRM_GPT_LEAF_VALID))
		return seen;
	seen.rights = MAY_LOAD | (entry.leaf & DRM_GPT_LEAF_WRITE ? MAY_STORE : 0);
	seen.phys = (entry.leaf & DRM_GPT_LEAF_ADDR) + addr - entry.first;
	return seen;
}

static const struct test_sink test_gpt_sink = {
	.name = "gpt",
	.polls = true,
	.make = test_table_make,
	.end = test_table_end,
	.look = test_table_look,
};

static const struct test_sink *const *test_sinks(void)
{
	static const struct test_sink *const sinks[] = { &test_gpt_sink, NULL };

	return sinks;
}

kunit_test_suites(&mirror_suite, &views_suite);
