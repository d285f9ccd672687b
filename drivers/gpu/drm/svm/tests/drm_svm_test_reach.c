// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What of the mirror is only seen with tables and with device memory: addresses that
 * one device reaches and another does not, directories, where pages are.
 */

#include <kunit/test.h>
#include <kunit/visibility.h>

#include <linux/mman.h>

#include "drm_svm_test_rig.h"

static struct drm_svm_mm *test_smm(struct kunit *test)
{
	return test_dev(test, 1)->svm.smm;
}

static void test_access(struct kunit *test, unsigned int i, u64 addr)
{
	KUNIT_ASSERT_EQ(test, test_dev_access(test_dev(test, i), addr,
					      DRM_SVM_WRITE), 0);
}

static int test_begun(struct kunit *test, unsigned int i)
{
	return atomic_read(&test_dev(test, i)->begun);
}

/* ---- what is kept ------------------------------------------------------------ */

static void records_fit_their_memory(struct kunit *test)
{
	/* Of both a head, and at most a page for each word per page. */
	KUNIT_EXPECT_LE(test, sizeof(struct drm_svm_range), 512);
	KUNIT_EXPECT_LE(test, sizeof(struct drm_svm_range_view), 512);
	KUNIT_EXPECT_EQ(test, DRM_SVM_RANGE_PAGES * sizeof(unsigned long), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, DRM_SVM_RANGE_PAGES * sizeof(dma_addr_t), PAGE_SIZE);
}

/* ---- devices of different reach ------------------------------------------------ */

#define TEST_LOW	0x20000000UL

static int test_init_reach(struct kunit *test)
{
	const struct drm_gpt_format *formats[TEST_DEVS] = {
		&drm_gpt_format_rockchip_v2, &drm_gpt_format_vgem_svm,
	};

	return test_init_formats(test, formats);
}

static void an_address_beyond_reach_is_refused(struct kunit *test)
{
	struct test_dev *near = test_dev(test, 0), *far = test_dev(test, 1);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	int begun;

	KUNIT_ASSERT_GT(test, p, near->gpt.last);
	KUNIT_EXPECT_EQ(test, test_dev_access(near, p, DRM_SVM_READ), -EFAULT);
	test_access(test, 1, p);
	begun = test_begun(test, 0);
	/* Which the table cannot even be asked for. */
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGE_SIZE), 0);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(far, p, 0));
	KUNIT_EXPECT_EQ(test, test_begun(test, 0), begun);
}

static void what_both_reach_goes_from_both(struct kunit *test)
{
	u64 p = kunit_vm_mmap(test, NULL, TEST_LOW, 2 * DRM_SVM_RANGE_SIZE,
			      PROT_READ | PROT_WRITE,
			      MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, p, TEST_LOW);
	for (i = 0; i < TEST_DEVS; i++)
		test_access(test, i, p);
	test_access(test, 1, p + DRM_SVM_RANGE_SIZE);
	KUNIT_ASSERT_EQ(test, vm_munmap(p, 2 * DRM_SVM_RANGE_SIZE), 0);
	for (i = 0; i < TEST_DEVS; i++)
		KUNIT_EXPECT_FALSE(test, test_dev_maps(test_dev(test, i), p, 0));
	/* All of the address space at a time, as at its end. */
	KUNIT_EXPECT_TRUE(test, test_goes(test_smm(test), p, test_has_range));
}

/* ---- an invalidation that another overtakes ------------------------------ */

/**
 * struct test_late - holds an invalidation up before it takes anything away
 * @ops: the sink's, with a reserve of ours
 * @old: the sink's
 * @calls: of reserve
 * @entered: the first has come
 * @go: it may go on
 */
static struct test_late {
	struct drm_svm_sink_ops ops;
	const struct drm_svm_sink_ops *old;
	atomic_t calls;
	struct completion entered;
	struct completion go;
} test_late;

static int test_late_reserve(struct drm_svm_batch *batch, bool may_sleep)
{
	if (atomic_inc_return(&test_late.calls) == 1) {
		complete(&test_late.entered);
		wait_for_completion(&test_late.go);
	}
	return test_late.old->unmap_reserve(batch, may_sleep);
}

static void test_late_begin(struct drm_svm_view *view)
{
	test_late.old = view->ops;
	test_late.ops = *view->ops;
	test_late.ops.unmap_reserve = test_late_reserve;
	atomic_set(&test_late.calls, 0);
	init_completion(&test_late.entered);
	init_completion(&test_late.go);
	view->ops = &test_late.ops;
}

/*
 * The second takes the table out, and has not flushed it: a walk cache may still lead
 * to the page that the first one is about to say is gone.
 */
static void who_is_overtaken_flushes_directories_too(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	int begun = atomic_read(&dev->begun);
	struct test_inval page, all;

	test_access(test, 0, p);
	WRITE_ONCE(dev->hold_flush, true);
	test_late_begin(&dev->table.view);
	test_inval_start(test, &page, &dev->svm, p);
	wait_for_completion(&test_late.entered);
	test_inval_start_bytes(test, &all, &dev->svm, p, DRM_SVM_RANGE_SIZE);
	test_await_flushes(test, dev, begun + 1);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(dev->directory));
	WRITE_ONCE(dev->directory, false);
	complete(&test_late.go);
	test_await_flushes(test, dev, begun + 2);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(dev->directory));
	WRITE_ONCE(dev->hold_flush, false);
	wake_up_all(&dev->wait);
	test_inval_end(&page);
	test_inval_end(&all);
	dev->table.view.ops = test_late.old;
}

/* ---- the end of the process ------------------------------------------------- */

/* Its process has gone, and a service of its own keeps it. */
static void memory_that_only_we_keep_stays_where_it_is(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE), last = p + PAGE_SIZE - 1;
	struct test_dev *dev = test_dev(test, 1);
	struct drm_svm_users *holders = test_smm(test)->holders;
	struct drm_svm_migrate_result result;
	struct drm_svm *svm = &dev->svm;
	u8 where;

	test_access(test, 1, p);
	/* A service that runs; then the thread that is the process goes. */
	KUNIT_ASSERT_TRUE(test, drm_svm_users_enter(holders));
	atomic_dec(&current->mm->mm_users);
	KUNIT_EXPECT_EQ(test, drm_svm_migrate(svm, p, last, DRM_SVM_LOC_SYSTEM, 0,
					      &result), -ESRCH);
	KUNIT_EXPECT_EQ(test, drm_svm_residency(svm, p, last, &where), -ESRCH);
	atomic_inc(&current->mm->mm_users);
	drm_svm_users_leave(holders);
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE(memory_that_only_we_keep_stays_where_it_is),
	KUNIT_CASE(records_fit_their_memory),
	KUNIT_CASE(who_is_overtaken_flushes_directories_too),
	{}
};

static struct kunit_case reach_cases[] = {
	KUNIT_CASE(an_address_beyond_reach_is_refused),
	KUNIT_CASE(what_both_reach_goes_from_both),
	{}
};

struct kunit_suite drm_svm_table_suite = {
	.name = "drm_svm_table",
	.init = test_init,
	.exit = test_exit,
	.test_cases = table_cases,
};

struct kunit_suite drm_svm_reach_suite = {
	.name = "drm_svm_reach",
	.init = test_init_reach,
	.exit = test_exit,
	.test_cases = reach_cases,
};
