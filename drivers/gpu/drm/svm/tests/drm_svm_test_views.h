/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a device sees of an address space: what it has asked for, as long as the process
 * has it. For each sink of who includes this.
 */
#ifndef _DRM_SVM_TEST_VIEWS_H_
#define _DRM_SVM_TEST_VIEWS_H_

#include <kunit/static_stub.h>

#include <linux/hmm.h>

#include "drm_svm_test_sink.h"

/* ---- what is mapped ---------------------------------------------------------- */

static void an_access_maps_its_page(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *v = test_view_on(test, 0, p, DRM_SVM_RANGE_SIZE);

	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p + PAGES(3) + 8,
					       DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p + PAGES(3)),
			MAY_LOAD | MAY_STORE);
	KUNIT_EXPECT_EQ(test, test_view_count(v, p, DRM_SVM_RANGE_SIZE), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&v->view->svm->stats.map_system), 1);
}

static void what_the_process_has_is_found(struct kunit *test)
{
	u64 p = test_map(test, 2 * DRM_SVM_RANGE_SIZE);
	/* Not at the start of a range, and over the end of one. */
	u64 first = p + PAGES(500);
	struct test_view *v = test_view_on(test, 0, first, PAGES(20));
	unsigned int i;

	for (i = 0; i < 20; i++)
		test_poke(test, first + PAGES(i), 100 + i);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, first, PAGES(20), MAY_LOAD), 0);
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, test_view_peek(test, v, first + PAGES(i)),
				100 + i);
	test_poke(test, first + PAGES(3) + 8, 5);
	KUNIT_EXPECT_EQ(test, test_view_peek(test, v, first + PAGES(3) + 8), 5);
}

static void who_may_read_may_not_write(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *v = test_view_on(test, 0, p, PAGES(4));

	test_poke(test, p, 1);
	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p, DRM_SVM_READ), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p), MAY_LOAD);
	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p, DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p), MAY_LOAD | MAY_STORE);
}

static void what_is_only_read_is_not_written(struct kunit *test)
{
	u64 p = test_map_prot(test, DRM_SVM_RANGE_SIZE, PROT_READ);
	struct test_view *v = test_view_on(test, 0, p, PAGES(4));

	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p, DRM_SVM_READ), 0);
	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p, DRM_SVM_WRITE), -EACCES);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, p, PAGE_SIZE, MAY_STORE),
			-EACCES);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p), MAY_LOAD);
}

static void where_nothing_is_nothing_is_mapped(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *v = test_view_on(test, 0, p, PAGES(4));

	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(1), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p + PAGES(1), DRM_SVM_READ),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, p, PAGES(2), MAY_LOAD),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p + PAGES(1)), 0);
	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p, DRM_SVM_READ), 0);
	/* Nor what is no address of the view, or no page. */
	KUNIT_EXPECT_EQ(test, test_view_access(test, v, ~0ULL << 48, DRM_SVM_READ),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, p, PAGE_SIZE / 2, MAY_LOAD),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, ~0ULL << 48, PAGE_SIZE,
						 MAY_LOAD), -EINVAL);
}

static void neighbours_that_exist_are_seen_too(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *v = test_view_on(test, 0, p, PAGES(16));

	test_poke(test, p + PAGES(7), 7);
	KUNIT_EXPECT_EQ(test, test_view_access(test, v, p, DRM_SVM_READ), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p + PAGES(7)), MAY_LOAD);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p + PAGES(8)), 0);
	KUNIT_EXPECT_EQ(test, test_view_count(v, p, PAGES(16)), 2);
}

static struct {
	unsigned int bad;
	unsigned int calls;
} test_dma;

static int test_dma_fails(struct drm_svm_service *s, unsigned int first,
			  unsigned int *end)
{
	struct device *dev = s->svm->device->dev;
	unsigned int i;

	test_dma.calls++;
	for (i = first; i < *end; i++) {
		if (i == test_dma.bad) {
			*end = i;
			return -ENOMEM;
		}
		s->addr[i] = dma_map_phys(dev, hmm_pfn_to_phys(s->pfns[i]), PAGE_SIZE,
					  DMA_BIDIRECTIONAL, DRM_SVM_DMA_ATTRS);
		if (dma_mapping_error(dev, s->addr[i]))
			return -EIO;
	}
	return 0;
}

/* In the test's own thread, where its stub is seen. */
static int test_serve(struct test_view *v, u64 base, unsigned int page)
{
	struct drm_svm_want want = {};
	struct drm_svm_left left;

	drm_svm_want_add(&want, page, 1, DRM_SVM_WRITE);
	return drm_svm_serve_view(v->view, base, &want, &left);
}

static void a_neighbour_without_dma_stays_behind(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *v = test_view_on(test, 0, p, DRM_SVM_RANGE_SIZE);
	unsigned int i;

	for (i = 0; i < 8; i++)
		test_poke(test, p + PAGES(i), i);
	test_dma.bad = 5;
	test_dma.calls = 0;
	kunit_activate_static_stub(test, drm_svm_dma_link, test_dma_fails);
	KUNIT_EXPECT_EQ(test, test_serve(v, p, 2), 0);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, !!test_view_rights(v, p + PAGES(i)), i != 5);
	/* Up to it, and behind it. */
	KUNIT_EXPECT_EQ(test, test_dma.calls, 2);
	/* Who wants that very page is told what is wrong with it. */
	KUNIT_EXPECT_EQ(test, test_serve(v, p, 5), -EIO);
	kunit_deactivate_static_stub(test, drm_svm_dma_link);
	KUNIT_EXPECT_EQ(test, test_serve(v, p, 5), 0);
}

/* One walk of the CPU's table serves all who map the same, until it changes. */
static void what_one_maps_others_know(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_view *a = test_view_on(test, 0, p, PAGES(4));
	struct test_view *b = test_view_on(test, 0, p, PAGES(4));
	atomic64_t *walks = &test_mirror(test, 0)->svm.stats.walks;
	s64 before;

	test_poke(test, p, 1);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, a, p, PAGES(4), MAY_LOAD), 0);
	before = atomic64_read(walks);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, b, p, PAGES(4), MAY_LOAD), 0);
	KUNIT_EXPECT_EQ(test, test_view_peek(test, b, p), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(walks), before);
	/* To write is more than was known. */
	KUNIT_EXPECT_EQ(test, test_view_populate(test, b, p, PAGES(4), MAY_STORE), 0);
	KUNIT_EXPECT_GT(test, atomic64_read(walks), before);
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, b, p, PAGES(4), MAY_LOAD),
			-EFAULT);
}

/* ---- what is taken away ------------------------------------------------------ */

static void munmap_returns_after_the_flush(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *v = test_view_on(test, 0, p, PAGES(4));
	int ended;

	test_view_touch(test, v, p);
	ended = atomic_read(&v->ended);
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&v->ended), ended);
	KUNIT_EXPECT_EQ(test, atomic64_read(&v->view->svm->stats.unmapped), 1);
}

/* The page has left the table, but not yet the TLB: so nobody may return. */
static void a_second_invalidation_flushes_too(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *v = test_view_on(test, 0, p, PAGES(4));
	struct test_inval first, second;
	int begun;

	test_view_touch(test, v, p);
	begun = test_view_begun(v);
	test_view_hold(v);
	test_inval_start(test, &first, v->view->svm, p);
	test_view_await(test, v, begun + 1);
	test_inval_start(test, &second, v->view->svm, p);
	test_view_await(test, v, begun + 2);
	KUNIT_EXPECT_FALSE(test, completion_done(&first.done));
	KUNIT_EXPECT_FALSE(test, completion_done(&second.done));
	test_view_let(v);
	test_inval_end(&first);
	test_inval_end(&second);
}

static void what_a_device_could_write_is_dirty(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *v = test_view_on(test, 0, p, PAGES(4));
	atomic64_t *dirtied = &v->view->svm->stats.dirtied;

	test_poke(test, p, 1);
	KUNIT_ASSERT_EQ(test, test_view_access(test, v, p, DRM_SVM_READ), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(dirtied), 0);
	test_view_touch(test, v, p + PAGES(1));
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(1), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(dirtied), 1);
}

static void unmapping_one_page_leaves_the_others(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_view *v = test_view_on(test, 0, p, PAGES(8));
	unsigned int i;

	for (i = 0; i < 8; i++)
		test_view_touch(test, v, p + PAGES(i));
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(3), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p + PAGES(3)), 0);
	KUNIT_EXPECT_EQ(test, test_view_count(v, p, PAGES(8)), 7);
}

/* All of what is said to go, in one flush, and none beside it. */
static void what_the_process_loses_is_lost(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_view *v = test_view_on(test, 0, p, PAGES(8));
	int begun;

	KUNIT_ASSERT_EQ(test, test_view_populate(test, v, p, PAGES(8), MAY_STORE), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p + PAGES(3)), MAY_LOAD | MAY_STORE);
	KUNIT_EXPECT_EQ(test, test_view_count(v, p, PAGES(8)), 8);
	begun = test_view_begun(v);
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(2), PAGES(2)), 0);
	KUNIT_EXPECT_EQ(test, test_view_begun(v), begun + 1);
	KUNIT_EXPECT_NE(test, test_view_rights(v, p + PAGES(1)), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p + PAGES(2)), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p + PAGES(3)), 0);
	KUNIT_EXPECT_NE(test, test_view_rights(v, p + PAGES(4)), 0);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, p, PAGES(8), MAY_LOAD),
			-EFAULT);
}

static void every_device_is_invalidated(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *v[TEST_MIRRORS];
	unsigned int i;

	for (i = 0; i < TEST_MIRRORS; i++) {
		v[i] = test_view_on(test, i, p, PAGES(4));
		test_view_touch(test, v[i], p);
	}
	KUNIT_EXPECT_PTR_EQ(test, test_mirror(test, 0)->svm.smm,
			    test_mirror(test, 1)->svm.smm);
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGE_SIZE), 0);
	for (i = 0; i < TEST_MIRRORS; i++)
		KUNIT_EXPECT_EQ(test, test_view_rights(v[i], p), 0);
}

/* More than a round of an invalidation has room for. */
static void every_view_is_invalidated(struct kunit *test)
{
	struct test_view *v[3 * DRM_SVM_FLUSH_BATCH + 1];
	u64 p = test_map_small(test, 64);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		v[i] = test_view_on(test, 0, p + PAGES(i), PAGES(20));
		KUNIT_ASSERT_EQ(test, test_view_populate(test, v[i], p + PAGES(i),
							 PAGES(20), MAY_LOAD), 0);
	}
	/* The last page of the first view, and in all others. */
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(16), PAGES(4)), 0);
	for (i = 0; i < ARRAY_SIZE(v); i++) {
		KUNIT_EXPECT_EQ(test, test_view_count(v[i], p + PAGES(16), PAGES(4)), 0);
		KUNIT_EXPECT_NE(test, test_view_rights(v[i], p + PAGES(15)), 0);
		KUNIT_EXPECT_EQ(test, test_view_begun(v[i]), 1);
	}
}

static void a_device_that_leaves_takes_nothing_along(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_view *stays = test_view_on(test, 1, p, PAGES(4));

	test_view_touch(test, test_view_on(test, 0, p, PAGES(4)), p);
	test_view_touch(test, stays, p);
	test_mirror_leave(test_mirror(test, 0));
	KUNIT_EXPECT_EQ(test, test_view_rights(stays, p), MAY_LOAD | MAY_STORE);
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_view_rights(stays, p), 0);
}

static void a_view_ends_while_others_go_on(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_view *a = test_view_on(test, 0, p, PAGES(4));
	struct test_view *b = test_view_on(test, 0, p, PAGES(4));

	KUNIT_ASSERT_EQ(test, test_view_populate(test, a, p, PAGES(4), MAY_LOAD), 0);
	KUNIT_ASSERT_EQ(test, test_view_populate(test, b, p, PAGES(4), MAY_LOAD), 0);
	test_view_end(a);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->ended), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->ended), 0);
	KUNIT_EXPECT_EQ(test, test_view_count(b, p, PAGES(4)), 4);
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGES(3)), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->ended), 1);
	KUNIT_EXPECT_EQ(test, test_view_count(b, p, PAGES(4)), 1);
}

/* Is it one for the process? Then the walk says so of each of its pages. */
static u64 test_map_block(struct kunit *test, struct test_view *any)
{
	unsigned long *pfns = kunit_kcalloc(test, DRM_SVM_RANGE_PAGES, sizeof(*pfns),
					    GFP_KERNEL);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct vm_area_struct *vma;
	unsigned int i;
	int idx;

	/* As madvise() does. */
	mmap_write_lock(current->mm);
	vma = vma_lookup(current->mm, p);
	if (vma)
		vm_flags_set(vma, VM_HUGEPAGE);
	mmap_write_unlock(current->mm);
	for (i = 0; i < DRM_SVM_RANGE_PAGES; i++)
		test_poke(test, p + PAGES(i), i);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	KUNIT_ASSERT_EQ(test, drm_svm_snapshot(any->view->svm, p, DRM_SVM_RANGE_PAGES,
					       pfns, &idx), 0);
	drm_svm_pages_read_unlock(idx);
	if (hmm_pfn_to_map_order(pfns[0]) < DRM_SVM_RANGE_SHIFT - PAGE_SHIFT)
		kunit_skip(test, "no huge page");
	return p;
}

/* A huge page of which some views have parts is known in part, and the rest is not. */
static void a_block_is_known_in_part(struct kunit *test)
{
	u64 q = test_map_small(test, 4);
	u64 p = test_map_block(test, test_view_on(test, 0, q, PAGES(4)));
	struct test_view *a = test_view_on(test, 0, p, PAGES(100));
	struct test_view *c = test_view_on(test, 0, p + PAGES(200), PAGES(100));
	struct test_view *all = test_view_on(test, 0, p, DRM_SVM_RANGE_SIZE);
	struct test_view *hole = test_view_on(test, 0, p + PAGES(100), PAGES(50));
	unsigned int i;

	KUNIT_ASSERT_EQ(test, test_view_populate(test, a, p, PAGES(100), MAY_LOAD), 0);
	KUNIT_ASSERT_EQ(test, test_view_populate(test, c, p + PAGES(200), PAGES(100),
						 MAY_LOAD), 0);
	KUNIT_ASSERT_EQ(test, test_view_populate(test, all, p + PAGES(10), PAGE_SIZE,
						 MAY_LOAD), 0);
	KUNIT_EXPECT_EQ(test, test_view_populate(test, hole, p + PAGES(100), PAGES(50),
						 MAY_LOAD), 0);
	KUNIT_EXPECT_EQ(test, test_view_count(hole, p + PAGES(100), PAGES(50)), 50);
	for (i = 0; i < DRM_SVM_RANGE_PAGES; i += 10) {
		if (test_view_rights(all, p + PAGES(i)))
			KUNIT_EXPECT_EQ(test, test_view_peek(test, all, p + PAGES(i)), i);
		if (i >= 100 && i < 150)
			KUNIT_EXPECT_EQ(test, test_view_peek(test, hole, p + PAGES(i)), i);
	}
}

/* And what of it one may write, another that asks for that may too. */
static void a_block_is_written_in_part(struct kunit *test)
{
	u64 q = test_map_small(test, 4);
	u64 p = test_map_block(test, test_view_on(test, 0, q, PAGES(4)));
	struct test_view *half = test_view_on(test, 0, p + PAGES(256), PAGES(256));
	struct test_view *all = test_view_on(test, 0, p, DRM_SVM_RANGE_SIZE);

	KUNIT_ASSERT_EQ(test, test_view_populate(test, half, p + PAGES(256), PAGES(256),
						 MAY_LOAD | MAY_STORE), 0);
	KUNIT_ASSERT_EQ(test, test_view_populate(test, all, p, PAGE_SIZE, MAY_LOAD), 0);
	/* With a deadline: what is not found would be looked for again and again. */
	KUNIT_EXPECT_EQ(test, test_view_access(test, all, p + PAGES(300), DRM_SVM_WRITE),
			0);
	KUNIT_EXPECT_TRUE(test, test_view_rights(all, p + PAGES(300)) & MAY_STORE);
	KUNIT_EXPECT_EQ(test, test_view_peek(test, all, p + PAGES(300)), 300);
}

static int (*test_sink_map)(struct drm_svm_txn *txn, struct drm_svm_runs *runs,
			    u32 *done);

/* Maps all, says so, and fails. */
static int test_map_half(struct drm_svm_txn *txn, struct drm_svm_runs *runs,
			 u32 *done)
{
	return test_sink_map(txn, runs, done) ?: -EIO;
}

/* What a sink has mapped before it failed is taken away like all else. */
static void what_failed_half_way_is_recorded(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_view *v = test_view_on(test, 0, p, PAGES(8));
	const struct drm_svm_sink_ops *old = v->view->ops;
	struct drm_svm_sink_ops ops = *old;
	int begun;

	test_sink_map = old->map;
	ops.map = test_map_half;
	v->view->ops = &ops;
	/* It is tried again; a sink that can be asked says then that it is there. */
	KUNIT_EXPECT_EQ(test, test_view_populate(test, v, p, PAGES(8), MAY_LOAD),
			old->lookup ? 0 : -EIO);
	v->view->ops = old;
	KUNIT_EXPECT_EQ(test, test_view_count(v, p, PAGES(8)), 8);
	begun = test_view_begun(v);
	/* Not all: what a sink needs for itself would be reclaimed, and flushed. */
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGES(7)), 0);
	KUNIT_EXPECT_EQ(test, test_view_count(v, p, PAGES(8)), 1);
	KUNIT_EXPECT_EQ(test, test_view_begun(v), begun + 1);
}

/* What would have to sleep is not done, and is not said to be. */
static void the_reaper_does_not_wait(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_view *v = test_view_on(test, 0, p, PAGES(4));
	int begun;

	KUNIT_ASSERT_EQ(test, test_view_populate(test, v, p, PAGES(4), MAY_LOAD), 0);
	KUNIT_EXPECT_TRUE(test, test_unblockable(test, p));
	KUNIT_EXPECT_EQ(test, test_view_rights(v, p), 0);
	KUNIT_ASSERT_EQ(test, test_view_populate(test, v, p, PAGES(4), MAY_LOAD), 0);
	begun = test_view_begun(v);
	test_view_hold(v);
	KUNIT_EXPECT_FALSE(test, test_unblockable(test, p));
	test_view_let(v);
	/* Who may sleep ends it. */
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGES(3)), 0);
	KUNIT_EXPECT_EQ(test, test_view_begun(v), begun + 2);
	KUNIT_EXPECT_EQ(test, test_view_count(v, p, PAGES(4)), 1);
}

static struct kunit_case views_cases[] = {
	KUNIT_CASE_PARAM(an_access_maps_its_page, test_gen_sinks),
	KUNIT_CASE_PARAM(what_the_process_has_is_found, test_gen_sinks),
	KUNIT_CASE_PARAM(who_may_read_may_not_write, test_gen_sinks),
	KUNIT_CASE_PARAM(what_is_only_read_is_not_written, test_gen_sinks),
	KUNIT_CASE_PARAM(where_nothing_is_nothing_is_mapped, test_gen_sinks),
	KUNIT_CASE_PARAM(neighbours_that_exist_are_seen_too, test_gen_sinks),
	KUNIT_CASE_PARAM(a_neighbour_without_dma_stays_behind, test_gen_sinks),
	KUNIT_CASE_PARAM(what_one_maps_others_know, test_gen_sinks),
	KUNIT_CASE_PARAM(a_block_is_known_in_part, test_gen_sinks),
	KUNIT_CASE_PARAM(a_block_is_written_in_part, test_gen_sinks),
	KUNIT_CASE_PARAM(munmap_returns_after_the_flush, test_gen_sinks),
	KUNIT_CASE_PARAM(a_second_invalidation_flushes_too, test_gen_sinks),
	KUNIT_CASE_PARAM(what_a_device_could_write_is_dirty, test_gen_sinks),
	KUNIT_CASE_PARAM(unmapping_one_page_leaves_the_others, test_gen_sinks),
	KUNIT_CASE_PARAM(what_the_process_loses_is_lost, test_gen_sinks),
	KUNIT_CASE_PARAM(every_device_is_invalidated, test_gen_sinks),
	KUNIT_CASE_PARAM(every_view_is_invalidated, test_gen_sinks),
	KUNIT_CASE_PARAM(a_device_that_leaves_takes_nothing_along, test_gen_sinks),
	KUNIT_CASE_PARAM(a_view_ends_while_others_go_on, test_gen_sinks),
	KUNIT_CASE_PARAM(what_failed_half_way_is_recorded, test_gen_sinks),
	KUNIT_CASE_PARAM(the_reaper_does_not_wait, test_gen_polling),
	{}
};

static struct kunit_suite views_suite = {
	.name = TEST_SUITE("views"),
	.init = test_rig_init,
	.exit = test_rig_exit,
	.test_cases = views_cases,
};

#endif /* _DRM_SVM_TEST_VIEWS_H_ */
