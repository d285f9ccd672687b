// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What is kept of an address space and for how long, and who is told of what:
 * devices that map something and no others, and none that waits for another.
 */

#include <kunit/test.h>
#include <kunit/visibility.h>

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mman.h>

#include "drm_svm_test_rig.h"

/* Generous: nothing that is awaited here takes long by itself. */
#define TEST_TRIES	30000

static struct drm_svm_mm *test_smm(struct kunit *test)
{
	return test_dev(test, 1)->svm.smm;
}

static bool test_has_range(struct drm_svm_mm *smm, u64 addr)
{
	return xa_load(&smm->ranges, addr >> DRM_SVM_RANGE_SHIFT);
}

static bool test_has_window(struct drm_svm_mm *smm, u64 addr)
{
	return xa_load(&smm->windows, addr >> DRM_SVM_WINDOW_SHIFT);
}

static bool test_goes(struct drm_svm_mm *smm, u64 addr,
		      bool (*has)(struct drm_svm_mm *smm, u64 addr))
{
	unsigned int tries;

	for (tries = 0; tries < TEST_TRIES && has(smm, addr); tries++)
		fsleep(1000);
	return !has(smm, addr);
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

/* ---- what is told ------------------------------------------------------------ */

static void test_notify(struct kunit *test, u64 addr, enum mmu_notifier_event event)
{
	struct drm_svm_window *window = drm_svm_window_get(test_smm(test), addr);
	struct mmu_notifier_range range;

	KUNIT_ASSERT_FALSE(test, IS_ERR(window));
	mmu_notifier_range_init(&range, event, 0, current->mm, addr,
				addr + PAGE_SIZE);
	range.flags |= MMU_NOTIFIER_RANGE_BLOCKABLE;
	drm_svm_notifier_ops.invalidate(&window->notifier, &range,
					window->notifier.invalidate_seq);
	drm_svm_window_put(window);
}

static void who_maps_nothing_is_not_flushed(struct kunit *test)
{
	u64 p = test_map(test, 2 * DRM_SVM_RANGE_SIZE);
	u64 q = p + DRM_SVM_RANGE_SIZE;
	int begun[2];

	test_access(test, 0, p);
	test_access(test, 1, q);
	begun[0] = test_begun(test, 0);
	begun[1] = test_begun(test, 1);
	test_notify(test, p, MMU_NOTIFY_CLEAR);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(test_dev(test, 0), p, 0));
	KUNIT_EXPECT_GT(test, test_begun(test, 0), begun[0]);
	KUNIT_EXPECT_EQ(test, test_begun(test, 1), begun[1]);
	KUNIT_EXPECT_EQ(test, atomic64_read(&test_dev(test, 1)->svm.stats.invalidations), 0);
	/* Another page of a range that both know. */
	test_access(test, 0, p);
	test_access(test, 1, p + PAGES(5));
	begun[0] = test_begun(test, 0);
	begun[1] = test_begun(test, 1);
	test_notify(test, p + PAGES(5), MMU_NOTIFY_CLEAR);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(test_dev(test, 1), p + PAGES(5), 0));
	KUNIT_EXPECT_GT(test, test_begun(test, 1), begun[1]);
}

#define TEST_MORE	5

/* More than are flushed in one round. */
static void an_invalidation_counts_once(struct kunit *test)
{
	struct test_dev *more[TEST_MORE] = {};
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int i;

	for (i = 0; i < TEST_MORE; i++) {
		more[i] = test_dev_make(current->mm, &drm_gpt_format_vgem_svm);
		if (!more[i] || test_dev_access(more[i], p, DRM_SVM_WRITE))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, TEST_MORE);
	test_access(test, 0, p);
	if (i == TEST_MORE)
		test_notify(test, p, MMU_NOTIFY_CLEAR);
	for (i = 0; i < TEST_MORE && more[i]; i++) {
		KUNIT_EXPECT_FALSE(test, test_dev_maps(more[i], p, 0));
		KUNIT_EXPECT_EQ(test, atomic64_read(&more[i]->svm.stats.invalidations), 1);
		KUNIT_EXPECT_EQ(test, atomic64_read(&more[i]->svm.stats.unmapped), 1);
		test_dev_detach(more[i]);
		test_dev_free(more[i]);
	}
}

static void clearing_soft_dirty_bits_is_noted(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE), before, after;
	struct test_ctx *ctx = test->priv;

	KUNIT_ASSERT_TRUE(test, drm_svm_mm_soft_epoch(current->mm, &before));
	test_access(test, 0, p);
	test_notify(test, p, MMU_NOTIFY_CLEAR);
	KUNIT_ASSERT_TRUE(test, drm_svm_mm_soft_epoch(current->mm, &after));
	KUNIT_EXPECT_EQ(test, after, before);
	test_access(test, 0, p);
	test_notify(test, p, MMU_NOTIFY_SOFT_DIRTY);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(test_dev(test, 0), p, 0));
	KUNIT_ASSERT_TRUE(test, drm_svm_mm_soft_epoch(current->mm, &after));
	KUNIT_EXPECT_NE(test, after, before);
	/* Nobody mirrors it; and who does next knows nothing of before. */
	test_detach(test, 0);
	test_detach(test, 1);
	KUNIT_EXPECT_FALSE(test, drm_svm_mm_soft_epoch(current->mm, &before));
	test_dev_free(ctx->dev[1]);
	ctx->dev[1] = test_dev_make(current->mm, &drm_gpt_format_vgem_svm);
	KUNIT_ASSERT_NOT_NULL(test, ctx->dev[1]);
	ctx->attached[1] = true;
	KUNIT_ASSERT_TRUE(test, drm_svm_mm_soft_epoch(current->mm, &before));
	KUNIT_EXPECT_NE(test, before, after);
}

/* ---- what is kept ------------------------------------------------------------ */

static void what_maps_nothing_is_dropped(struct kunit *test)
{
	u64 bytes = BIT_ULL(DRM_SVM_WINDOW_SHIFT) + DRM_SVM_RANGE_SIZE;
	u64 p = ALIGN(test_map(test, 2 * bytes), BIT_ULL(DRM_SVM_WINDOW_SHIFT));
	struct drm_svm_mm *smm = test_smm(test);

	KUNIT_ASSERT_EQ(test, vm_munmap(p, DRM_SVM_RANGE_SIZE), 0);
	/* A fault on nothing leaves nothing. */
	KUNIT_EXPECT_EQ(test, test_dev_access(test_dev(test, 0), p,
					      DRM_SVM_READ), -EFAULT);
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p, test_has_range));
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p, test_has_window));
	/* Nor does what was there: first another range of the window, then both. */
	test_access(test, 0, p + DRM_SVM_RANGE_SIZE);
	test_access(test, 1, p + 2 * DRM_SVM_RANGE_SIZE);
	KUNIT_ASSERT_EQ(test, vm_munmap(p + DRM_SVM_RANGE_SIZE,
					DRM_SVM_RANGE_SIZE), 0);
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p + DRM_SVM_RANGE_SIZE,
					  test_has_range));
	KUNIT_EXPECT_TRUE(test, test_has_range(smm, p + 2 * DRM_SVM_RANGE_SIZE));
	KUNIT_EXPECT_TRUE(test, test_has_window(smm, p));
	KUNIT_ASSERT_EQ(test, vm_munmap(p + 2 * DRM_SVM_RANGE_SIZE,
					DRM_SVM_RANGE_SIZE), 0);
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p, test_has_window));
	/* And the first is there for good. */
	KUNIT_EXPECT_TRUE(test, test_has_window(smm, 0));
	/* It comes again. */
	test_access(test, 0, p + 3 * DRM_SVM_RANGE_SIZE);
	test_notify(test, p + 3 * DRM_SVM_RANGE_SIZE, MMU_NOTIFY_CLEAR);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(test_dev(test, 0),
					       p + 3 * DRM_SVM_RANGE_SIZE, 0));
}

static void what_only_a_device_that_left_mapped_is_dropped(struct kunit *test)
{
	u64 p = test_map(test, 2 * DRM_SVM_RANGE_SIZE);
	struct drm_svm_mm *smm = test_smm(test);
	struct drm_svm_range_view *rv;
	struct drm_svm_range *range;

	test_access(test, 0, p);
	test_access(test, 0, p + DRM_SVM_RANGE_SIZE);
	test_access(test, 1, p + DRM_SVM_RANGE_SIZE + PAGES(3));
	test_detach(test, 0);
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p, test_has_range));
	range = drm_svm_range_find(smm, p + DRM_SVM_RANGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, range);
	/* The neighbour that was there went along with the other's page. */
	mutex_lock(&range->lock);
	KUNIT_EXPECT_TRUE(test, test_bit(3, range->valid));
	KUNIT_EXPECT_TRUE(test, test_bit(3, range->write));
	rv = drm_svm_range_view(range, &test_dev(test, 1)->table.view);
	KUNIT_EXPECT_EQ(test, bitmap_weight(range->valid, DRM_SVM_RANGE_PAGES),
			bitmap_weight(rv->mapped, DRM_SVM_RANGE_PAGES));
	mutex_unlock(&range->lock);
	drm_svm_range_put(range);
}

static void records_fit_their_memory(struct kunit *test)
{
	/* Of both a head, and at most a page for each word per page. */
	KUNIT_EXPECT_LE(test, sizeof(struct drm_svm_range), 512);
	KUNIT_EXPECT_LE(test, sizeof(struct drm_svm_range_view), 512);
	KUNIT_EXPECT_EQ(test, DRM_SVM_RANGE_PAGES * sizeof(unsigned long), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, DRM_SVM_RANGE_PAGES * sizeof(dma_addr_t), PAGE_SIZE);
}

/* ---- who waits for whom ------------------------------------------------------- */

struct test_leaver {
	struct test_dev *dev;
	struct completion left;
};

static int test_leaver_fn(void *data)
{
	struct test_leaver *leaver = data;

	test_dev_detach(leaver->dev);
	complete(&leaver->left);
	return 0;
}

/* A service waits for a page that does not come, and another device detaches. */
static void a_device_leaves_while_another_waits(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_leaver leaver = { .dev = test_dev(test, 0) };
	struct drm_svm_mm *smm = test_smm(test);
	struct test_ctx *ctx = test->priv;
	struct task_struct *task;
	struct drm_svm_span span;
	bool left;

	test_access(test, 1, p);
	KUNIT_ASSERT_EQ(test, drm_svm_span_lock(&smm->spans, &span, p,
						p + DRM_SVM_RANGE_SIZE - 1), 0);
	/* The collector has something to do there. */
	vm_munmap(p, DRM_SVM_RANGE_SIZE);
	fsleep(100000);
	init_completion(&leaver.left);
	task = kthread_run(test_leaver_fn, &leaver, "drm_svm_test");
	left = !IS_ERR(task) && wait_for_completion_timeout(&leaver.left, 20 * HZ);
	KUNIT_EXPECT_TRUE(test, test_has_range(smm, p));
	drm_svm_span_unlock(&smm->spans, &span);
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_EXPECT_TRUE(test, left);
	if (!left)
		wait_for_completion(&leaver.left);
	ctx->attached[0] = false;
	/* And what was busy had another turn. */
	KUNIT_EXPECT_TRUE(test, test_goes(smm, p, test_has_range));
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

static void test_await_released(struct kunit *test, struct test_dev *dev)
{
	unsigned int tries;

	for (tries = 0; tries < TEST_TRIES && !atomic_read(&dev->released); tries++)
		fsleep(1000);
}

static void the_end_of_memory_is_told_once(struct kunit *test)
{
	struct test_dev *late;

	test_notify(test, 0, MMU_NOTIFY_CLEAR);
	test_notify(test, 0, MMU_NOTIFY_RELEASE);
	test_notify(test, 0, MMU_NOTIFY_RELEASE);
	/* While some are being told one leaves, and waits only if it is its turn. */
	test_detach(test, 0);
	KUNIT_EXPECT_FALSE(test, test_dev(test, 0)->in_released);
	test_await_released(test, test_dev(test, 1));
	test_notify(test, 0, MMU_NOTIFY_RELEASE);
	/* Whom it concerns too: it came between the end and its own beginning. */
	late = test_dev_make(current->mm, &drm_gpt_format_vgem_svm);
	KUNIT_ASSERT_NOT_NULL(test, late);
	test_await_released(test, late);
	KUNIT_EXPECT_EQ(test, atomic_read(&late->released), 1);
	test_dev_detach(late);
	test_dev_free(late);
	KUNIT_EXPECT_EQ(test, atomic_read(&test_dev(test, 1)->released), 1);
	KUNIT_EXPECT_LE(test, atomic_read(&test_dev(test, 0)->released), 1);
}

/* As of a program that faults all the time, when its last thread has gone. */
static void memory_that_only_we_keep_is_gone(struct kunit *test)
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
	KUNIT_EXPECT_EQ(test, drm_svm_handle_fault(svm, p + PAGE_SIZE, DRM_SVM_READ,
						   jiffies), -ESRCH);
	KUNIT_EXPECT_EQ(test, drm_svm_populate(&dev->table.view, p, last,
					       DRM_SVM_RIGHT_READ), -ESRCH);
	KUNIT_EXPECT_EQ(test, drm_svm_migrate(svm, p, last, DRM_SVM_LOC_SYSTEM, 0,
					      &result), -ESRCH);
	KUNIT_EXPECT_EQ(test, drm_svm_residency(svm, p, last, &where), -ESRCH);
	atomic_inc(&current->mm->mm_users);
	drm_svm_users_leave(holders);
	KUNIT_EXPECT_EQ(test, holders->nr, 0);
	test_access(test, 1, p + PAGES(64));
}

static struct kunit_case mirror_cases[] = {
	KUNIT_CASE(the_end_of_memory_is_told_once),
	KUNIT_CASE(memory_that_only_we_keep_is_gone),
	KUNIT_CASE(who_maps_nothing_is_not_flushed),
	KUNIT_CASE(an_invalidation_counts_once),
	KUNIT_CASE(clearing_soft_dirty_bits_is_noted),
	KUNIT_CASE(what_maps_nothing_is_dropped),
	KUNIT_CASE(what_only_a_device_that_left_mapped_is_dropped),
	KUNIT_CASE(records_fit_their_memory),
	KUNIT_CASE(a_device_leaves_while_another_waits),
	KUNIT_CASE(who_is_overtaken_flushes_directories_too),
	{}
};

static struct kunit_case reach_cases[] = {
	KUNIT_CASE(an_address_beyond_reach_is_refused),
	KUNIT_CASE(what_both_reach_goes_from_both),
	{}
};

struct kunit_suite drm_svm_mirror_suite = {
	.name = "drm_svm_mirror",
	.init = test_init,
	.exit = test_exit,
	.test_cases = mirror_cases,
};

struct kunit_suite drm_svm_reach_suite = {
	.name = "drm_svm_reach",
	.init = test_init_reach,
	.exit = test_exit,
	.test_cases = reach_cases,
};
