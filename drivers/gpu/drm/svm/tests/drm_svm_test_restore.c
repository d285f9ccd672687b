// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory that comes back, for an engine that cannot fault: it runs as long as it is let,
 * over lists of pages, and an invalidation has it preempted.
 */

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_svm_fault.h>
#include <drm/drm_svm_pages.h>
#include <drm/drm_svm_restore.h>

#include "drm_svm_test_mm.h"

#define LISTS		2
#define LIST_PAGES	4
#define BOTH		(DRM_SVM_RIGHT_READ | DRM_SVM_RIGHT_WRITE)
#define LONG		(10 * HZ)

/**
 * struct test_engine - what cannot fault
 * @pdev: for DMA
 * @sdev: the device
 * @svm: the address space
 * @test: the case
 * @addr: of the memory that it uses
 * @lock: the driver's, over @lists and restoring
 * @resv: preemption fences
 * @restore: of @lists
 * @lists: what it uses
 * @wq: of the worker, and of preemptions
 * @context: of fences
 * @published: how often it was let go on; with it the rest under @moved's lock
 * @stops: how often it was preempted
 * @running: it may use the pages
 * @holes: pages that were not there when it was let go on
 * @taken: pages that were taken while it ran
 * @ended: how often the worker has ended
 * @error: how, the last time
 * @ending: the worker is to leave it alone
 * @rob: so many times a page is taken away at the last moment
 * @next: the fence that is being made
 * @moved: something of this has changed
 */
struct test_engine {
	struct platform_device *pdev;
	struct drm_svm_device sdev;
	struct drm_svm svm;
	struct kunit *test;
	u64 addr;
	struct mutex lock; /* lists, restoring */
	struct dma_resv resv;
	struct drm_svm_restore restore;
	struct drm_svm_pages lists[LISTS];
	struct workqueue_struct *wq;
	u64 context;
	unsigned int published;
	unsigned int stops;
	bool running;
	unsigned int holes;
	unsigned int taken;
	unsigned int ended;
	int error;
	bool ending;
	unsigned int rob;
	struct test_preempt *next;
	wait_queue_head_t moved;
};

/**
 * struct test_preempt - ends when somebody waits, a moment later
 * @base: the fence
 * @lock: its
 * @work: the preemption
 * @engine: what is preempted
 * @needs: if set, it is not over before that one has been asked for too
 * @asked: it has been
 */
struct test_preempt {
	struct dma_fence base;
	spinlock_t lock; /* base */
	struct work_struct work;
	struct test_engine *engine;
	struct test_preempt *needs;
	bool asked;
};

static u64 engine_page(struct test_engine *engine, unsigned int list, unsigned int page)
{
	return engine->addr + PAGES(2 * LIST_PAGES * list + page);
}

/* ---- preemption --------------------------------------------------------- */

static const char *preempt_name(struct dma_fence *fence)
{
	return "drm_svm_test";
}

static bool preempt_asked(struct dma_fence *fence)
{
	struct test_preempt *preempt = container_of(fence, struct test_preempt, base);

	WRITE_ONCE(preempt->asked, true);
	dma_fence_get(fence);
	queue_work(preempt->engine->wq, &preempt->work);
	return true;
}

static const struct dma_fence_ops preempt_ops = {
	.get_driver_name = preempt_name,
	.get_timeline_name = preempt_name,
	.enable_signaling = preempt_asked,
};

static void preempt_work(struct work_struct *work)
{
	struct test_preempt *preempt = container_of(work, struct test_preempt, work);
	struct test_engine *engine = preempt->engine;

	if (preempt->needs)
		wait_event_timeout(engine->moved, READ_ONCE(preempt->needs->asked), LONG);
	scoped_guard(spinlock_irq, &engine->moved.lock) {
		engine->running = false;
		engine->stops++;
	}
	dma_fence_signal(&preempt->base);
	wake_up_all(&engine->moved);
	dma_fence_put(&preempt->base);
}

static struct test_preempt *preempt_make(struct test_engine *engine, u64 context, u64 nr)
{
	struct test_preempt *preempt = kzalloc_obj(*preempt);

	if (!preempt)
		return NULL;
	spin_lock_init(&preempt->lock);
	INIT_WORK(&preempt->work, preempt_work);
	preempt->engine = engine;
	dma_fence_init(&preempt->base, &preempt_ops, &preempt->lock, context, nr);
	return preempt;
}

/* ---- the driver --------------------------------------------------------- */

static struct test_engine *engine_of(struct drm_svm_restore *restore)
{
	return container_of(restore, struct test_engine, restore);
}

/* A page goes, and others take its place: the addresses stay valid. */
static void engine_rob(struct test_engine *engine)
{
	unsigned long addr = engine_page(engine, 1, 2);

	KUNIT_EXPECT_EQ(engine->test, vm_munmap(addr, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(engine->test,
			vm_mmap(NULL, addr, PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0), addr);
}

static int engine_prepare(struct drm_svm_restore *restore)
{
	struct test_engine *engine = engine_of(restore);
	int ret;

	if (engine->rob) {
		engine->rob--;
		engine_rob(engine);
	}
	engine->next = preempt_make(engine, engine->context, engine->published + 1);
	if (!engine->next)
		return -ENOMEM;
	dma_resv_lock(&engine->resv, NULL);
	ret = dma_resv_reserve_fences(&engine->resv, 1);
	if (!ret)
		return 0;
	dma_resv_unlock(&engine->resv);
	dma_fence_put(&engine->next->base);
	return ret;
}

static unsigned int engine_holes(struct test_engine *engine)
{
	unsigned int list, page, holes = 0;

	for (list = 0; list < LISTS; list++)
		for (page = 0; page < LIST_PAGES; page++)
			holes += engine->lists[list].pages[page].rights != BOTH;
	return holes;
}

static void engine_publish(struct drm_svm_restore *restore)
{
	struct test_engine *engine = engine_of(restore);

	dma_resv_add_fence(&engine->resv, &engine->next->base, DMA_RESV_USAGE_BOOKKEEP);
	guard(spinlock_irq)(&engine->moved.lock);
	engine->running = true;
	engine->published++;
	engine->holes += engine_holes(engine);
	wake_up_locked(&engine->moved);
}

static void engine_finish(struct drm_svm_restore *restore, bool published)
{
	struct test_engine *engine = engine_of(restore);

	dma_fence_put(&engine->next->base);
	dma_resv_unlock(&engine->resv);
}

static bool engine_enter(struct drm_svm_restore *restore)
{
	struct test_engine *engine = engine_of(restore);

	mutex_lock(&engine->lock);
	if (!engine->ending)
		return true;
	mutex_unlock(&engine->lock);
	return false;
}

static void engine_leave(struct drm_svm_restore *restore, int error)
{
	struct test_engine *engine = engine_of(restore);

	scoped_guard(spinlock_irq, &engine->moved.lock) {
		engine->ended++;
		engine->error = error;
		wake_up_locked(&engine->moved);
	}
	mutex_unlock(&engine->lock);
}

static const struct drm_svm_restore_ops engine_ops = {
	.prepare = engine_prepare,
	.publish = engine_publish,
	.finish = engine_finish,
	.enter = engine_enter,
	.leave = engine_leave,
};

static void engine_revoked(struct drm_svm_pages *pages)
{
	struct test_engine *engine = container_of(pages->view.svm, struct test_engine, svm);

	guard(spinlock_irq)(&engine->moved.lock);
	engine->taken += engine->running;
}

static void engine_add(struct kunit *test, struct test_engine *engine, unsigned int list)
{
	struct drm_svm_pages *pages = &engine->lists[list];
	u64 first = engine_page(engine, list, 0);

	pages->revoked = engine_revoked;
	KUNIT_ASSERT_EQ(test, drm_svm_pages_init(pages, &engine->svm, first,
						 first + PAGES(LIST_PAGES) - 1, BOTH,
						 &engine->resv), 0);
	guard(mutex)(&engine->lock);
	drm_svm_restore_add(&engine->restore, &pages->view, BOTH);
}

/* Return: the case's engine, with its memory, by the worker if @wq. */
static struct test_engine *engine_start(struct kunit *test, bool wq)
{
	struct test_engine *engine = test->priv;
	unsigned int list;

	engine->addr = kunit_vm_mmap(test, NULL, 0, PAGES(64), PROT_READ | PROT_WRITE,
				     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, engine->addr, 0);
	drm_svm_restore_init(&engine->restore, &engine->svm, &engine_ops,
			     wq ? engine->wq : NULL);
	for (list = 0; list < LISTS; list++)
		engine_add(test, engine, list);
	return engine;
}

static bool engine_runs(struct test_engine *engine, unsigned int published)
{
	guard(spinlock_irq)(&engine->moved.lock);
	return engine->running && engine->published >= published;
}

#define EXPECT_SOON(test, engine, what) \
	KUNIT_EXPECT_NE(test, wait_event_timeout((engine)->moved, what, LONG), 0)

/* ---- cases -------------------------------------------------------------- */

static void it_comes_back_by_itself(struct kunit *test)
{
	struct test_engine *engine = engine_start(test, true);
	unsigned int i;

	drm_svm_restore_later(&engine->restore);
	EXPECT_SOON(test, engine, engine_runs(engine, 1));
	for (i = 1; i <= 8; i++) {
		engine_rob(engine);
		EXPECT_SOON(test, engine, engine_runs(engine, i + 1));
		KUNIT_EXPECT_GE(test, engine->stops, i);
	}
	KUNIT_EXPECT_EQ(test, engine->taken, 0);
	KUNIT_EXPECT_EQ(test, engine->holes, 0);
}

/* Between the last look and the fence there is no moment at which it could go. */
static void what_is_taken_at_the_last_moment_is_seen(struct kunit *test)
{
	struct test_engine *engine = engine_start(test, false);

	engine->rob = 3;
	scoped_guard(mutex, &engine->lock)
		KUNIT_EXPECT_EQ(test, drm_svm_restore(&engine->restore), 0);
	KUNIT_EXPECT_EQ(test, engine->rob, 0);
	KUNIT_EXPECT_EQ(test, engine->published, 1);
	KUNIT_EXPECT_EQ(test, engine->holes, 0);
	KUNIT_EXPECT_TRUE(test, engine_runs(engine, 1));
}

static void who_always_loses_is_told(struct kunit *test)
{
	struct test_engine *engine = engine_start(test, false);

	engine->rob = 1000;
	scoped_guard(mutex, &engine->lock)
		KUNIT_EXPECT_EQ(test, drm_svm_restore(&engine->restore), -EBUSY);
	KUNIT_EXPECT_EQ(test, engine->published, 0);
	engine->rob = 0;
	scoped_guard(mutex, &engine->lock)
		KUNIT_EXPECT_EQ(test, drm_svm_restore(&engine->restore), 0);
	KUNIT_EXPECT_EQ(test, engine->published, 1);
}

/* The process has taken its memory away: that is its own doing, until it is back. */
static void what_is_gone_keeps_it_stopped(struct kunit *test)
{
	struct test_engine *engine = engine_start(test, true);
	unsigned long addr = engine_page(engine, 0, 1);

	drm_svm_restore_later(&engine->restore);
	EXPECT_SOON(test, engine, engine_runs(engine, 1));
	KUNIT_ASSERT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	EXPECT_SOON(test, engine, READ_ONCE(engine->error) == -EFAULT);
	KUNIT_EXPECT_FALSE(test, engine_runs(engine, 0));
	KUNIT_ASSERT_EQ(test, vm_mmap(NULL, addr, PAGE_SIZE, PROT_READ | PROT_WRITE,
				      MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0), addr);
	drm_svm_restore_later(&engine->restore);
	EXPECT_SOON(test, engine, engine_runs(engine, 2));
	KUNIT_EXPECT_EQ(test, engine->taken, 0);
}

/* Work that was asked for twice lets the engine go on once. */
static void who_runs_is_left_alone(struct kunit *test)
{
	struct test_engine *engine = engine_start(test, true);

	scoped_guard(mutex, &engine->lock) {
		drm_svm_restore_later(&engine->restore);
		KUNIT_EXPECT_EQ(test, drm_svm_restore(&engine->restore), 0);
	}
	EXPECT_SOON(test, engine, READ_ONCE(engine->ended) == 1);
	KUNIT_EXPECT_EQ(test, engine->error, 0);
	KUNIT_EXPECT_EQ(test, engine->published, 1);
}

/* One is over when the other has been asked for: told one by one they would wait. */
static void all_fences_are_told_at_once(struct kunit *test)
{
	struct test_engine *engine = engine_start(test, false);
	struct test_preempt *preempt[2];
	unsigned long begun;
	unsigned int i;

	scoped_guard(mutex, &engine->lock)
		KUNIT_ASSERT_EQ(test, drm_svm_restore(&engine->restore), 0);
	for (i = 0; i < 2; i++) {
		preempt[i] = preempt_make(engine, dma_fence_context_alloc(1), 1);
		KUNIT_ASSERT_NOT_NULL(test, preempt[i]);
	}
	preempt[0]->needs = preempt[1];
	preempt[1]->needs = preempt[0];
	dma_resv_lock(&engine->resv, NULL);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(&engine->resv, 1), 0);
		dma_resv_add_fence(&engine->resv, &preempt[i]->base,
				   DMA_RESV_USAGE_BOOKKEEP);
	}
	dma_resv_unlock(&engine->resv);
	begun = jiffies;
	engine_rob(engine);
	/* Told one by one the first would have waited so long for nothing. */
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, begun + LONG));
	KUNIT_EXPECT_EQ(test, engine->stops, 3);
	for (i = 0; i < 2; i++)
		dma_fence_put(&preempt[i]->base);
}

static void nothing_works_after_the_end(struct kunit *test)
{
	struct test_engine *engine = engine_start(test, true);

	drm_svm_restore_later(&engine->restore);
	EXPECT_SOON(test, engine, engine_runs(engine, 1));
	drm_svm_restore_fini(&engine->restore);
	engine_rob(engine);
	drm_svm_restore_later(&engine->restore);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&engine->restore.work));
	flush_workqueue(engine->wq);
	KUNIT_EXPECT_EQ(test, engine->published, 1);
	KUNIT_EXPECT_FALSE(test, engine_runs(engine, 0));
}

static struct kunit_case restore_cases[] = {
	KUNIT_CASE(it_comes_back_by_itself),
	KUNIT_CASE(what_is_taken_at_the_last_moment_is_seen),
	KUNIT_CASE(who_always_loses_is_told),
	KUNIT_CASE(what_is_gone_keeps_it_stopped),
	KUNIT_CASE(who_runs_is_left_alone),
	KUNIT_CASE(all_fences_are_told_at_once),
	KUNIT_CASE(nothing_works_after_the_end),
	{}
};

/* ---- life --------------------------------------------------------------- */

static int engine_init(struct test_engine *engine)
{
	struct drm_svm_config config = { .device = &engine->sdev };
	struct device *dev = &engine->pdev->dev;
	int ret = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));

	drm_svm_device_init(&engine->sdev, dev);
	return ret ?: drm_svm_init(&engine->svm, current->mm, &config);
}

static int restore_init(struct kunit *test)
{
	struct test_engine *engine = kunit_kzalloc(test, sizeof(*engine), GFP_KERNEL);
	int ret;

	if (!engine || kunit_attach_mm())
		return -ENOMEM;
	engine->test = test;
	mutex_init(&engine->lock);
	dma_resv_init(&engine->resv);
	init_waitqueue_head(&engine->moved);
	engine->context = dma_fence_context_alloc(1);
	engine->wq = alloc_workqueue("drm_svm_test", WQ_UNBOUND, 0);
	if (!engine->wq)
		return -ENOMEM;
	engine->pdev = platform_device_register_simple("drm_svm_restore_test",
						       PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(engine->pdev)) {
		destroy_workqueue(engine->wq);
		return PTR_ERR(engine->pdev);
	}
	ret = engine_init(engine);
	if (ret) {
		platform_device_unregister(engine->pdev);
		destroy_workqueue(engine->wq);
		return ret;
	}
	test->priv = engine;
	return 0;
}

static void restore_exit(struct kunit *test)
{
	struct test_engine *engine = test->priv;
	unsigned int list;

	if (!engine)
		return;
	scoped_guard(mutex, &engine->lock)
		engine->ending = true;
	if (engine->restore.svm)
		drm_svm_restore_fini(&engine->restore);
	for (list = 0; list < LISTS; list++) {
		if (!engine->lists[list].pages)
			continue;
		scoped_guard(mutex, &engine->lock)
			drm_svm_restore_remove(&engine->restore,
					       &engine->lists[list].view);
		drm_svm_pages_fini(&engine->lists[list]);
	}
	/* What has been let go on is preempted, if nothing has done it. */
	dma_resv_wait_timeout(&engine->resv, DMA_RESV_USAGE_BOOKKEEP, false, LONG);
	flush_workqueue(engine->wq);
	drm_svm_fini(&engine->svm);
	drm_svm_device_fini(&engine->sdev);
	platform_device_unregister(engine->pdev);
	destroy_workqueue(engine->wq);
	dma_resv_fini(&engine->resv);
}

static struct kunit_suite drm_svm_restore_suite = {
	.name = "drm_svm_restore",
	.init = restore_init,
	.exit = restore_exit,
	.test_cases = restore_cases,
};

kunit_test_suite(drm_svm_restore_suite);
