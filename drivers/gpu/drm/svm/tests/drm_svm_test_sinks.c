// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The mirror alone, by arrays of bus addresses and by lists of pages: no page table, no
 * memory, nothing of DRM.
 */

#define TEST_SUITE(name)	"drm_svm_sinks_" name

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_svm_array.h>
#include <drm/drm_svm_pages.h>

#include "drm_svm_test_mirror.h"
#include "drm_svm_test_views.h"

/* ---- arrays ------------------------------------------------------------- */

/**
 * struct test_array - a memory region of a NIC, say
 * @v: for the rig
 * @array: its addresses
 * @mapped: how often something was mapped
 */
struct test_array {
	struct test_view v;
	struct drm_svm_array array;
	atomic_t mapped;
};

static struct test_array *test_array_of(struct drm_svm_array *array)
{
	return container_of(array, struct test_array, array);
}

static int test_array_mapped(struct drm_svm_array *array, u32 first, u32 nr)
{
	atomic_inc(&test_array_of(array)->mapped);
	return 0;
}

static u64 test_array_revoke(struct drm_svm_array *array, u32 first, u32 nr)
{
	return atomic_inc_return(&test_array_of(array)->v.begun);
}

static int test_array_is_revoked(struct drm_svm_array *array, u64 token,
				 bool may_sleep)
{
	return test_view_flushed(&test_array_of(array)->v, may_sleep);
}

static void test_array_kill(struct drm_svm_array *array, bool may_sleep)
{
	WARN(1, "nothing here can fail to answer\n");
}

static const struct drm_svm_array_ops test_array_ops = {
	.mapped = test_array_mapped,
	.revoke = test_array_revoke,
	.revoked = test_array_is_revoked,
	.kill = test_array_kill,
};

static const struct test_sink test_array_sink;

/* What the device calls the first byte of a region. */
#define TEST_ARRAY_ADDR		PAGES(7)

static struct test_view *test_array_make(struct kunit *test, struct test_mirror *mirror,
					 u64 first, u64 bytes, u8 rights)
{
	struct test_array *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);

	if (!a)
		return NULL;
	test_view_set(&a->v, &test_array_sink, &a->array.view);
	return drm_svm_array_init(&a->array, &mirror->svm, first, first + bytes - 1,
				  TEST_ARRAY_ADDR, rights, &test_array_ops) ?
	       NULL : &a->v;
}

static struct test_array *test_array_of_view(struct test_view *v)
{
	return container_of(v, struct test_array, v);
}

static void test_array_end(struct test_view *v)
{
	drm_svm_array_fini(&test_array_of_view(v)->array);
}

static struct test_seen test_array_look(struct test_view *v, u64 addr)
{
	u64 at = drm_svm_view_addr(v->view, addr) - TEST_ARRAY_ADDR;
	u64 entry = READ_ONCE(test_array_of_view(v)->array.entries[at >> PAGE_SHIFT]);

	return (struct test_seen) {
		.rights = entry & DRM_SVM_ARRAY_RIGHTS,
		.phys = entry & DRM_SVM_ARRAY_ADDR,
	};
}

static const struct test_sink test_array_sink = {
	.name = "array",
	.polls = true,
	.make = test_array_make,
	.end = test_array_end,
	.look = test_array_look,
};

/* ---- pages -------------------------------------------------------------- */

/**
 * struct test_pages - memory of the user behind a buffer
 * @v: for the rig
 * @pages: it
 * @resv: fences of its jobs
 * @job: the last job
 */
struct test_pages {
	struct test_view v;
	struct drm_svm_pages pages;
	struct dma_resv resv;
	struct test_job *job;
};

/**
 * struct test_job - a job that ends when it is asked to hurry, unless it is held
 * @fence: its fence
 * @pages: what it uses
 */
struct test_job {
	struct dma_fence fence;
	struct test_pages *pages;
};

static DEFINE_SPINLOCK(test_job_lock);

static const char *test_job_name(struct dma_fence *fence)
{
	return "drm_svm_test";
}

static void test_job_hurry(struct dma_fence *fence, ktime_t deadline)
{
	struct test_job *job = container_of(fence, struct test_job, fence);

	atomic_inc(&job->pages->v.begun);
	if (!READ_ONCE(job->pages->v.hold))
		dma_fence_signal(fence);
}

static const struct dma_fence_ops test_job_ops = {
	.get_driver_name = test_job_name,
	.get_timeline_name = test_job_name,
	.set_deadline = test_job_hurry,
};

static const struct test_sink test_pages_sink;

static struct test_pages *test_pages_of(struct test_view *v)
{
	return container_of(v, struct test_pages, v);
}

static void test_pages_revoked(struct drm_svm_pages *pages)
{
	atomic_inc(&container_of(pages, struct test_pages, pages)->v.ended);
}

static struct test_view *test_pages_make(struct kunit *test, struct test_mirror *mirror,
					 u64 first, u64 bytes, u8 rights)
{
	struct test_pages *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	test_view_set(&t->v, &test_pages_sink, &t->pages.view);
	dma_resv_init(&t->resv);
	t->pages.revoked = test_pages_revoked;
	if (!drm_svm_pages_init(&t->pages, &mirror->svm, first, first + bytes - 1,
				rights, &t->resv))
		return &t->v;
	dma_resv_fini(&t->resv);
	return NULL;
}

static void test_pages_let(struct test_view *v)
{
	struct test_job *job = test_pages_of(v)->job;

	if (job)
		dma_fence_signal(&job->fence);
}

static void test_pages_end(struct test_view *v)
{
	struct test_pages *t = test_pages_of(v);

	drm_svm_pages_fini(&t->pages);
	dma_resv_fini(&t->resv);
	if (t->job)
		dma_fence_put(&t->job->fence);
}

static struct test_seen test_pages_look(struct test_view *v, u64 addr)
{
	struct drm_svm_page *page = test_pages_of(v)->pages.pages +
				    ((addr - v->view->first) >> PAGE_SHIFT);

	return (struct test_seen) {
		.rights = READ_ONCE(page->rights),
		.phys = PFN_PHYS(page->pfn),
	};
}

/* The fence of the last one, which has signalled, makes room for this. */
static void test_job_add(struct kunit *test, struct test_pages *t, struct test_job *job)
{
	dma_resv_add_fence(&t->resv, &job->fence, DMA_RESV_USAGE_BOOKKEEP);
	if (t->job)
		dma_fence_put(&t->job->fence);
	t->job = job;
}

static struct test_job *test_job_make(struct kunit *test, struct test_pages *t)
{
	struct test_job *job = kzalloc_obj(*job, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->pages = t;
	dma_fence_init(&job->fence, &test_job_ops, &test_job_lock, 1, 1);
	return job;
}

/* A job, as a driver starts it. Return: false if the pages have gone. */
static bool test_pages_submit(struct kunit *test, struct test_pages *t)
{
	struct test_job *job = test_job_make(test, t);
	bool ok;

	KUNIT_ASSERT_EQ(test, dma_resv_lock(&t->resv, NULL), 0);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(&t->resv, 1), 0);
	ok = drm_svm_use_begin(&t->pages.view, MAY_LOAD);
	if (ok) {
		test_job_add(test, t, job);
		drm_svm_use_end(&t->pages.view);
	}
	dma_resv_unlock(&t->resv);
	if (!ok)
		dma_fence_put(&job->fence);
	return ok;
}

/*
 * Cases of all sinks map a page here and there, and so never have all of it, which is
 * what drm_svm_use_begin() asks for. They invalidate nothing just now.
 */
static void test_pages_used(struct kunit *test, struct test_view *v)
{
	struct test_pages *t = test_pages_of(v);

	if (t->job && !dma_fence_is_signaled(&t->job->fence))
		return;
	KUNIT_ASSERT_EQ(test, dma_resv_lock(&t->resv, NULL), 0);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(&t->resv, 1), 0);
	test_job_add(test, t, test_job_make(test, t));
	dma_resv_unlock(&t->resv);
}

static const struct test_sink test_pages_sink = {
	.name = "pages",
	.make = test_pages_make,
	.end = test_pages_end,
	.look = test_pages_look,
	.used = test_pages_used,
	.let = test_pages_let,
};

static const struct test_sink *const *test_sinks(void)
{
	static const struct test_sink *const sinks[] = {
		&test_array_sink, &test_pages_sink, NULL
	};

	return sinks;
}

/* ---- views with bounds and rights of their own ---------------------------- */

static struct test_view *test_view_with(struct kunit *test, u64 first, u64 bytes,
					u8 rights)
{
	struct test_rig *rig = test->priv;

	return test_view_make(test, rig->mirror[0], rig->sink, first, bytes, rights);
}

static void views_have_rights_of_their_own(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_view *reader = test_view_with(test, p, PAGES(4), MAY_LOAD);
	struct test_view *writer = test_view_on(test, 0, p, PAGES(4));

	KUNIT_EXPECT_EQ(test, test_view_populate(test, reader, p, PAGES(4), MAY_STORE),
			-EACCES);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, writer, p, PAGES(4), MAY_STORE),
			0);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, reader, p, PAGES(4), MAY_LOAD),
			0);
	KUNIT_EXPECT_EQ(test, test_view_rights(writer, p), MAY_LOAD | MAY_STORE);
	KUNIT_EXPECT_EQ(test, test_view_rights(reader, p), MAY_LOAD);
	KUNIT_EXPECT_EQ(test, writer->sink->look(writer, p).phys,
			reader->sink->look(reader, p).phys);
}

/* Two regions over the same memory: it is the named one that is served. */
static void a_fault_is_served_in_its_view(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_view *reader = test_view_with(test, p, PAGES(4), MAY_LOAD);
	struct test_view *writer = test_view_on(test, 0, p, PAGES(4));

	test_view_touch(test, writer, p + PAGES(1));
	KUNIT_EXPECT_NE(test, test_view_rights(writer, p + PAGES(1)), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(reader, p + PAGES(1)), 0);
	KUNIT_EXPECT_EQ(test, test_view_access(test, reader, p, DRM_SVM_WRITE), -EACCES);
	/* It may write, and no more than that. */
	KUNIT_EXPECT_EQ(test, test_view_access(test, writer, p, DRM_SVM_ATOMIC),
			-EACCES);
	KUNIT_EXPECT_EQ(test, test_view_access(test, writer, p + PAGES(4), DRM_SVM_READ),
			-EFAULT);
}

/* Who has seen it all mapped is not let in on the strength of who begins to map it. */
static void a_populate_that_has_begun_is_not_done(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_view *v = test_view_on(test, 0, p, PAGES(4));

	KUNIT_ASSERT_EQ(test, test_view_populate(test, v, p, PAGES(4), MAY_STORE), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(1), PAGES(1)), 0);
	/* It fails at the hole, with the first page mapped. */
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, p, PAGES(4), MAY_STORE),
			-EFAULT);
	KUNIT_EXPECT_FALSE(test, drm_svm_use_begin(v->view, MAY_LOAD));
	/* A part says nothing of all. */
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, p, PAGE_SIZE, MAY_LOAD), 0);
	KUNIT_EXPECT_FALSE(test, drm_svm_use_begin(v->view, MAY_LOAD));
}

static void what_was_populated_to_read_is_not_written(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_view *v = test_view_on(test, 0, p, PAGES(4));

	KUNIT_ASSERT_EQ(test, test_view_populate(test, v, p, PAGES(4), MAY_LOAD), 0);
	KUNIT_EXPECT_FALSE(test, drm_svm_use_begin(v->view, MAY_STORE));
	/* To make the page writable takes the old one away: the second time it is. */
	KUNIT_ASSERT_EQ(test, test_view_populate(test, v, p, PAGES(4), MAY_STORE), 0);
	KUNIT_ASSERT_EQ(test, test_view_populate(test, v, p, PAGES(4), MAY_STORE), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(v->view, MAY_LOAD | MAY_STORE));
	drm_svm_use_end(v->view);
}

/* A job that needs two starts when both are there, at once. */
static void several_views_are_used_at_once(struct kunit *test)
{
	u64 p = test_map_small(test, 64), q = p + PAGES(8);
	struct test_view *a = test_view_on(test, 0, p, PAGES(4));
	struct test_view *b = test_view_on(test, 0, q, PAGES(4));

	KUNIT_ASSERT_EQ(test, test_view_populate(test, a, p, PAGES(4), MAY_STORE), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(a->view, MAY_LOAD));
	KUNIT_EXPECT_FALSE(test, drm_svm_use_also(b->view, MAY_LOAD));
	drm_svm_use_end(a->view);
	KUNIT_ASSERT_EQ(test, test_view_populate(test, b, q, PAGES(4), MAY_STORE), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(a->view, MAY_LOAD));
	KUNIT_EXPECT_TRUE(test, drm_svm_use_also(b->view, MAY_LOAD | MAY_STORE));
	drm_svm_use_end(a->view);
	KUNIT_ASSERT_EQ(test, vm_munmap(q + PAGES(1), PAGES(1)), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(a->view, MAY_LOAD));
	KUNIT_EXPECT_FALSE(test, drm_svm_use_also(b->view, MAY_LOAD));
	drm_svm_use_end(a->view);
}

/* ---- what only arrays have ------------------------------------------------ */

static void an_array_is_told_range_by_range(struct kunit *test)
{
	u64 p = test_map(test, 2 * DRM_SVM_RANGE_SIZE), first = p + PAGES(500);
	struct test_view *v = test_view_make(test, test_mirror(test, 0), &test_array_sink,
					     first, PAGES(20), MAY_LOAD);

	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, first, PAGES(20), MAY_LOAD), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&test_array_of_view(v)->mapped), 2);
	KUNIT_EXPECT_EQ(test, drm_svm_view_addr(v->view, first + PAGES(3)),
			TEST_ARRAY_ADDR + PAGES(3));
}

/* Of two pages; what is not among them is none of its. */
static void a_view_ends_where_it_ends(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE), first = p + PAGES(1);
	struct test_view *v = test_view_make(test, test_mirror(test, 0), &test_array_sink,
					     first, PAGES(2), MAY_LOAD);

	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p, DRM_SVM_READ), -EFAULT);
	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p + PAGES(3), DRM_SVM_READ),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, p, PAGES(2), MAY_LOAD),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, first + PAGES(1), PAGES(2),
						 MAY_LOAD), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, first + 1, PAGES(1) - 1,
						 MAY_LOAD), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, first, PAGES(1) + 1, MAY_LOAD),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, first + PAGES(1), 0, MAY_LOAD),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, atomic_read(&test_array_of_view(v)->mapped), 0);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, first, PAGES(2), MAY_LOAD), 0);
}

static int test_array_try(struct kunit *test, u64 first, u64 last, u64 addr, u8 rights)
{
	struct drm_svm_array array = {};
	int ret = drm_svm_array_init(&array, &test_mirror(test, 0)->svm, first, last, addr,
				     rights, &test_array_ops);

	if (!ret)
		drm_svm_array_fini(&array);
	return ret;
}

static int test_pages_try(struct kunit *test, u64 first, u64 last, u8 rights)
{
	struct drm_svm_pages pages = {};
	struct dma_resv resv;
	int ret;

	dma_resv_init(&resv);
	ret = drm_svm_pages_init(&pages, &test_mirror(test, 0)->svm, first, last, rights,
				 &resv);
	if (!ret)
		drm_svm_pages_fini(&pages);
	dma_resv_fini(&resv);
	return ret;
}

/* By a sink of nobody's, which has no operation. */
static int test_nobody_try(struct kunit *test, u64 first, u64 last, u32 caps)
{
	static const struct drm_svm_sink_ops ops;
	struct drm_svm_view view = {
		.ops = &ops,
		.first = first,
		.last = last,
		.rights = MAY_LOAD,
		.caps = caps,
	};
	int ret = drm_svm_view_init(&view, &test_mirror(test, 0)->svm);

	if (!ret)
		drm_svm_view_fini(&view);
	return ret;
}

static void views_that_make_no_sense_are_refused(struct kunit *test)
{
	const u64 first = SZ_4K, last = SZ_8K - 1;

	KUNIT_EXPECT_EQ(test, test_array_try(test, last + 1, first - 1, 0, MAY_LOAD),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_array_try(test, first + 1, last, 1, MAY_LOAD), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_array_try(test, first, last + 1, 0, MAY_LOAD), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_array_try(test, first, last, 12, MAY_LOAD), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_array_try(test, first, last, 0, MAY_STORE), -EINVAL);
	/* More pages than have a number of 32 bits. */
	KUNIT_EXPECT_EQ(test, test_array_try(test, 0, (1ULL << 44) - 1, 0, MAY_LOAD),
			-EINVAL);

	KUNIT_EXPECT_EQ(test, test_pages_try(test, last + 1, first - 1, MAY_LOAD), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_pages_try(test, first, last + 1, MAY_LOAD), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_pages_try(test, first, last, MAY_STORE), -EINVAL);

	KUNIT_EXPECT_EQ(test, test_nobody_try(test, last + 1, first - 1, 0), -EINVAL);
	/* It would not be told of what it takes away beside. */
	KUNIT_EXPECT_EQ(test, test_nobody_try(test, first, last, DRM_SVM_SINK_OVERZAP),
			-EINVAL);
	KUNIT_EXPECT_TRUE(test, list_empty(&test_mirror(test, 0)->svm.views));
}

/* ---- what only pages have ------------------------------------------------- */

static struct test_pages *test_pages_on(struct kunit *test, u64 first, u64 bytes)
{
	return test_pages_of(test_view_make(test, test_mirror(test, 0), &test_pages_sink,
					    first, bytes, MAY_LOAD | MAY_STORE));
}

static int test_pages_populate(struct test_pages *t)
{
	struct drm_svm_view *view = &t->pages.view;

	return drm_svm_populate(view, view->first, view->last, MAY_LOAD | MAY_STORE);
}

static void pages_are_stale_once_one_has_gone(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_pages *t = test_pages_on(test, p, PAGES(4));

	KUNIT_EXPECT_FALSE(test, test_pages_submit(test, t));
	KUNIT_ASSERT_EQ(test, test_pages_populate(t), 0);
	KUNIT_EXPECT_TRUE(test, test_unblockable(test, p + PAGES(8)));
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(&t->pages.view, MAY_LOAD));
	drm_svm_use_end(&t->pages.view);
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(1), PAGES(1)), 0);
	KUNIT_EXPECT_FALSE(test, test_pages_submit(test, t));
	/* And stay so: what has gone does not come back. */
	KUNIT_EXPECT_EQ(test, test_pages_populate(t), -EFAULT);
	KUNIT_EXPECT_FALSE(test, test_pages_submit(test, t));
}

static void an_invalidation_waits_for_who_uses_pages(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_pages *t = test_pages_on(test, p, PAGES(4));
	struct test_inval inval;

	KUNIT_ASSERT_EQ(test, test_pages_populate(t), 0);
	KUNIT_ASSERT_TRUE(test, test_pages_submit(test, t));
	test_view_hold(&t->v);
	test_inval_start(test, &inval, &test_mirror(test, 0)->svm, p + PAGES(2));
	/* As long as it would take, were it not for the fence. */
	msleep(100);
	KUNIT_EXPECT_FALSE(test, completion_done(&inval.done));
	KUNIT_EXPECT_FALSE(test, drm_svm_use_begin(&t->pages.view, MAY_LOAD));
	test_view_let(&t->v);
	test_inval_end(&inval);
	KUNIT_EXPECT_EQ(test, t->pages.pages[2].rights, 0);
	KUNIT_EXPECT_EQ(test, test_pages_populate(t), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(&t->pages.view, MAY_LOAD));
	drm_svm_use_end(&t->pages.view);
}

/* Fences cannot be polled for without sleep, so the reaper goes elsewhere. */
static void the_reaper_leaves_pages_in_use(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_pages *t = test_pages_on(test, p, PAGES(4));

	KUNIT_ASSERT_EQ(test, test_pages_populate(t), 0);
	KUNIT_EXPECT_FALSE(test, test_unblockable(test, p));
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(&t->pages.view, MAY_LOAD));
	drm_svm_use_end(&t->pages.view);
}

static struct kunit_case sinks_cases[] = {
	KUNIT_CASE_PARAM(views_have_rights_of_their_own, test_gen_sinks),
	KUNIT_CASE_PARAM(a_fault_is_served_in_its_view, test_gen_sinks),
	KUNIT_CASE_PARAM(a_populate_that_has_begun_is_not_done, test_gen_sinks),
	KUNIT_CASE_PARAM(what_was_populated_to_read_is_not_written, test_gen_sinks),
	KUNIT_CASE_PARAM(several_views_are_used_at_once, test_gen_sinks),
	KUNIT_CASE(an_array_is_told_range_by_range),
	KUNIT_CASE(a_view_ends_where_it_ends),
	KUNIT_CASE(views_that_make_no_sense_are_refused),
	KUNIT_CASE(pages_are_stale_once_one_has_gone),
	KUNIT_CASE(an_invalidation_waits_for_who_uses_pages),
	KUNIT_CASE(the_reaper_leaves_pages_in_use),
	{}
};

static struct kunit_suite sinks_suite = {
	.name = "drm_svm_sinks",
	.init = test_rig_init,
	.exit = test_rig_exit,
	.test_cases = sinks_cases,
};

kunit_test_suites(&sinks_suite, &mirror_suite, &views_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("Tests of the mirror of drm_svm alone");
MODULE_LICENSE("Dual MIT/GPL");
