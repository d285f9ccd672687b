// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Views and sinks: an address space by arrays of bus addresses and by lists of pages.
 * The mirror alone: no page table, no faults, no memory, nothing of DRM.
 */

#include <kunit/visibility.h>

#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include <drm/drm_svm_array.h>
#include <drm/drm_svm_fault.h>
#include <drm/drm_svm_pages.h>

#include "drm_svm_test_mm.h"

#define MAY_LOAD	DRM_SVM_RIGHT_READ
#define MAY_STORE	DRM_SVM_RIGHT_WRITE

/**
 * struct test_nic - a device that mirrors the address space of the case's thread
 * @pdev: for DMA
 * @sdev: the device
 * @svm: the address space
 * @arrays: what the case has made
 * @lists: the same
 */
struct test_nic {
	struct platform_device *pdev;
	struct drm_svm_device sdev;
	struct drm_svm svm;
	struct list_head arrays;
	struct list_head lists;
};

static struct drm_svm *test_svm(struct kunit *test)
{
	return &((struct test_nic *)test->priv)->svm;
}

/* Too little for a huge page, which would be invalidated whole. */
static u64 test_map_small(struct kunit *test, unsigned int pages)
{
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, PAGES(pages), PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return addr;
}

/* ---- arrays ------------------------------------------------------------- */

/**
 * struct test_array - a memory region of a NIC, say
 * @node: in the list of all
 * @array: its addresses
 * @revoked: how often something was taken away
 * @mapped: how often something was mapped
 * @sleeps: what is revoked is over only for who may sleep
 */
struct test_array {
	struct list_head node;
	struct drm_svm_array array;
	atomic_t revoked;
	atomic_t mapped;
	bool sleeps;
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
	return atomic_inc_return(&test_array_of(array)->revoked);
}

static int test_array_is_revoked(struct drm_svm_array *array, u64 token,
				 bool may_sleep)
{
	return test_array_of(array)->sleeps && !may_sleep ? -EAGAIN : 0;
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

static void test_array_end(struct test_array *a)
{
	list_del(&a->node);
	drm_svm_array_fini(&a->array);
}

static struct test_array *test_array_make(struct kunit *test, u64 first, u64 bytes,
					  u64 addr, u8 rights)
{
	struct test_array *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_EQ(test, drm_svm_array_init(&a->array, test_svm(test),
						 first, first + bytes - 1, addr,
						 rights, &test_array_ops), 0);
	list_add(&a->node, &((struct test_nic *)test->priv)->arrays);
	return a;
}

static int test_array_populate(struct test_array *a, u8 rights)
{
	struct drm_svm_view *view = &a->array.view;

	return drm_svm_populate(view, view->first, view->last, rights);
}

/* The word that the device finds by its array. */
static u64 test_array_peek(struct kunit *test, struct test_array *a, u64 addr)
{
	u64 at = addr - drm_svm_view_addr(&a->array.view, a->array.view.first);
	u64 entry = READ_ONCE(a->array.entries[at >> PAGE_SHIFT]);

	KUNIT_EXPECT_TRUE(test, entry & MAY_LOAD);
	if (!(entry & MAY_LOAD))
		return 0;
	/* No IOMMU before it: a bus address is a physical one. */
	return *(u64 *)phys_to_virt((entry & DRM_SVM_ARRAY_ADDR) |
				    (addr & ~PAGE_MASK));
}

static u64 test_array_entry(struct test_array *a, u32 i)
{
	return READ_ONCE(a->array.entries[i]);
}

static int (*test_sink_map)(struct drm_svm_txn *txn, struct drm_svm_runs *runs,
			    u32 *done);

/* Maps all, says so, and fails. */
static int test_map_half(struct drm_svm_txn *txn, struct drm_svm_runs *runs,
			 u32 *done)
{
	return test_sink_map(txn, runs, done) ?: -EIO;
}

static void an_array_finds_what_the_process_has(struct kunit *test)
{
	u64 p = test_map(test, 2 * DRM_SVM_RANGE_SIZE);
	/* Not at the start of a range, and over the end of one. */
	u64 first = p + PAGES(500), addr = PAGES(7);
	struct test_array *a;
	unsigned int i;

	for (i = 0; i < 20; i++)
		test_poke(test, first + PAGES(i), 100 + i);
	a = test_array_make(test, first, PAGES(20), addr, MAY_LOAD | MAY_STORE);
	KUNIT_EXPECT_EQ(test, test_array_populate(a, MAY_LOAD), 0);
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, test_array_peek(test, a, addr + PAGES(i)),
				100 + i);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->mapped), 2);
	test_poke(test, first + PAGES(3), 5);
	KUNIT_EXPECT_EQ(test, test_array_peek(test, a, addr + PAGES(3)), 5);
}

static void an_array_loses_what_the_process_loses(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_array *a = test_array_make(test, p, PAGES(8), 0, MAY_LOAD | MAY_STORE);

	KUNIT_ASSERT_EQ(test, test_array_populate(a, MAY_STORE), 0);
	KUNIT_EXPECT_EQ(test, test_array_entry(a, 3) & DRM_SVM_ARRAY_RIGHTS,
			MAY_LOAD | MAY_STORE);
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(2), PAGES(2)), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->revoked), 1);
	KUNIT_EXPECT_NE(test, test_array_entry(a, 1), 0);
	KUNIT_EXPECT_EQ(test, test_array_entry(a, 2), 0);
	KUNIT_EXPECT_EQ(test, test_array_entry(a, 3), 0);
	KUNIT_EXPECT_NE(test, test_array_entry(a, 4), 0);
	KUNIT_EXPECT_EQ(test, test_array_populate(a, MAY_LOAD), -EFAULT);
}

static void views_have_rights_of_their_own(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_array *reader = test_array_make(test, p, PAGES(4), 0, MAY_LOAD);
	struct test_array *writer = test_array_make(test, p, PAGES(4), PAGES(1),
						    MAY_LOAD | MAY_STORE);

	KUNIT_EXPECT_EQ(test, test_array_populate(reader, MAY_STORE), -EACCES);
	KUNIT_EXPECT_EQ(test, test_array_populate(writer, MAY_STORE), 0);
	KUNIT_EXPECT_EQ(test, test_array_populate(reader, MAY_LOAD), 0);
	KUNIT_EXPECT_EQ(test, test_array_entry(writer, 0) & DRM_SVM_ARRAY_RIGHTS,
			MAY_LOAD | MAY_STORE);
	KUNIT_EXPECT_EQ(test, test_array_entry(reader, 0) & DRM_SVM_ARRAY_RIGHTS,
			MAY_LOAD);
	KUNIT_EXPECT_EQ(test, test_array_entry(writer, 0) & DRM_SVM_ARRAY_ADDR,
			test_array_entry(reader, 0) & DRM_SVM_ARRAY_ADDR);
}

/* More than a round of an invalidation has room for. */
static void every_view_is_invalidated(struct kunit *test)
{
	struct test_array *a[3 * DRM_SVM_FLUSH_BATCH + 1];
	u64 p = test_map_small(test, 64);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(a); i++) {
		a[i] = test_array_make(test, p + PAGES(i), PAGES(20), 0, MAY_LOAD);
		KUNIT_ASSERT_EQ(test, test_array_populate(a[i], MAY_LOAD), 0);
	}
	/* The last page of the first view, and in all others. */
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(16), PAGES(4)), 0);
	for (i = 0; i < ARRAY_SIZE(a); i++) {
		KUNIT_EXPECT_EQ(test, test_array_entry(a[i], 16 - i), 0);
		KUNIT_EXPECT_EQ(test, test_array_entry(a[i], 19 - i), 0);
		KUNIT_EXPECT_NE(test, test_array_entry(a[i], 15 - i), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&a[i]->revoked), 1);
	}
}

static void who_maps_nothing_is_left_alone(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_array *near = test_array_make(test, p, PAGES(4), 0, MAY_LOAD);
	struct test_array *far = test_array_make(test, p + PAGES(8), PAGES(4), 0,
						 MAY_LOAD);

	KUNIT_ASSERT_EQ(test, test_array_populate(near, MAY_LOAD), 0);
	KUNIT_ASSERT_EQ(test, test_array_populate(far, MAY_LOAD), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGES(4)), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&near->revoked), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&far->revoked), 0);
}

static void a_view_ends_while_others_go_on(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_array *a = test_array_make(test, p, PAGES(4), 0, MAY_LOAD);
	struct test_array *b = test_array_make(test, p, PAGES(4), 0, MAY_LOAD);

	KUNIT_ASSERT_EQ(test, test_array_populate(a, MAY_LOAD), 0);
	KUNIT_ASSERT_EQ(test, test_array_populate(b, MAY_LOAD), 0);
	test_array_end(a);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->revoked), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->revoked), 0);
	KUNIT_EXPECT_NE(test, test_array_entry(b, 0), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGES(4)), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->revoked), 1);
	KUNIT_EXPECT_EQ(test, test_array_entry(b, 0), 0);
}

/* Two regions over the same memory: it is the named one that is served. */
static void a_fault_is_served_in_its_view(struct kunit *test)
{
	u64 p = test_map_small(test, 64), soon = jiffies + 10 * HZ;
	struct test_array *reader = test_array_make(test, p, PAGES(4), 0, MAY_LOAD);
	struct test_array *writer = test_array_make(test, p, PAGES(4), 0,
						    MAY_LOAD | MAY_STORE);

	KUNIT_EXPECT_EQ(test, drm_svm_handle_fault_in(&writer->array.view,
						      p + PAGES(1), DRM_SVM_WRITE,
						      soon), 0);
	KUNIT_EXPECT_NE(test, test_array_entry(writer, 1), 0);
	KUNIT_EXPECT_EQ(test, test_array_entry(reader, 1), 0);
	KUNIT_EXPECT_EQ(test, drm_svm_handle_fault_in(&reader->array.view, p,
						      DRM_SVM_WRITE, soon),
			-EACCES);
	/* It may write, and no more than that. */
	KUNIT_EXPECT_EQ(test, drm_svm_handle_fault_in(&writer->array.view, p,
						      DRM_SVM_ATOMIC, soon),
			-EACCES);
	KUNIT_EXPECT_EQ(test, drm_svm_handle_fault_in(&writer->array.view,
						      p + PAGES(4), DRM_SVM_READ,
						      soon), -EFAULT);
}

/* What a sink has mapped before it failed is taken away like all else. */
static void what_failed_half_way_is_recorded(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_array *a = test_array_make(test, p, PAGES(8), 0, MAY_LOAD);
	struct drm_svm_view *view = &a->array.view;
	struct drm_svm_sink_ops ops = *view->ops;
	const struct drm_svm_sink_ops *old = view->ops;

	test_sink_map = old->map;
	ops.map = test_map_half;
	view->ops = &ops;
	KUNIT_EXPECT_EQ(test, test_array_populate(a, MAY_LOAD), -EIO);
	KUNIT_EXPECT_NE(test, test_array_entry(a, 3), 0);
	view->ops = old;
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGES(8)), 0);
	KUNIT_EXPECT_EQ(test, test_array_entry(a, 3), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->revoked), 1);
}

/* One walk of the CPU's table serves all who map the same, until it changes. */
static void what_one_maps_others_know(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_array *a = test_array_make(test, p, PAGES(4), 0,
					       MAY_LOAD | MAY_STORE);
	struct test_array *b = test_array_make(test, p, PAGES(4), 0,
					       MAY_LOAD | MAY_STORE);
	atomic64_t *walks = &test_svm(test)->stats.walks;
	s64 before;

	test_poke(test, p, 1);
	KUNIT_EXPECT_EQ(test, test_array_populate(a, MAY_LOAD), 0);
	before = atomic64_read(walks);
	KUNIT_EXPECT_EQ(test, test_array_populate(b, MAY_LOAD), 0);
	KUNIT_EXPECT_EQ(test, test_array_peek(test, b, 0), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(walks), before);
	/* To write is more than was known. */
	KUNIT_EXPECT_EQ(test, test_array_populate(b, MAY_STORE), 0);
	KUNIT_EXPECT_GT(test, atomic64_read(walks), before);
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_array_populate(b, MAY_LOAD), -EFAULT);
}

static bool test_unblockable(struct kunit *test, u64 first, u64 last)
{
	struct drm_svm_window *window = drm_svm_window_get(test_svm(test)->smm,
							   first);
	struct mmu_notifier_range range;
	bool done;

	if (IS_ERR(window))
		return false;
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, current->mm, first,
				last + 1);
	range.flags &= ~MMU_NOTIFIER_RANGE_BLOCKABLE;
	done = drm_svm_notifier_ops.invalidate(&window->notifier, &range,
					       window->notifier.invalidate_seq);
	drm_svm_window_put(window);
	return done;
}

/* What would have to sleep is not done, and is not said to be. */
static void the_reaper_does_not_wait(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_array *a = test_array_make(test, p, PAGES(4), 0, MAY_LOAD);

	KUNIT_ASSERT_EQ(test, test_array_populate(a, MAY_LOAD), 0);
	KUNIT_EXPECT_TRUE(test, test_unblockable(test, p, p + PAGE_SIZE - 1));
	KUNIT_EXPECT_EQ(test, test_array_entry(a, 0), 0);
	KUNIT_ASSERT_EQ(test, test_array_populate(a, MAY_LOAD), 0);
	a->sleeps = true;
	KUNIT_EXPECT_FALSE(test, test_unblockable(test, p, p + PAGE_SIZE - 1));
	/* Who may sleep ends it. */
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGES(4)), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->revoked), 3);
}

static void views_that_make_no_sense_are_refused(struct kunit *test)
{
	struct drm_svm *svm = test_svm(test);
	struct drm_svm_array array = {};

	KUNIT_EXPECT_EQ(test, drm_svm_array_init(&array, svm, SZ_8K, SZ_4K - 1, 0,
						 MAY_LOAD, &test_array_ops), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_svm_array_init(&array, svm, SZ_4K + 1, SZ_8K - 1,
						 0, MAY_LOAD, &test_array_ops), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_svm_array_init(&array, svm, SZ_4K, SZ_8K - 1, 12,
						 MAY_LOAD, &test_array_ops), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_svm_array_init(&array, svm, SZ_4K, SZ_8K - 1, 0,
						 MAY_STORE, &test_array_ops), -EINVAL);
}

/* ---- pages -------------------------------------------------------------- */

/**
 * struct test_pages - memory of the user behind a buffer
 * @node: in the list of all
 * @pages: it
 * @resv: fences of its jobs
 * @fence: a job
 * @lock: of @fence
 */
struct test_pages {
	struct list_head node;
	struct drm_svm_pages pages;
	struct dma_resv resv;
	struct dma_fence fence;
	spinlock_t lock;
};

static const char *test_fence_name(struct dma_fence *fence)
{
	return "drm_svm_test";
}

static const struct dma_fence_ops test_fence_ops = {
	.get_driver_name = test_fence_name,
	.get_timeline_name = test_fence_name,
};

static void test_pages_end(struct test_pages *t)
{
	list_del(&t->node);
	if (!dma_fence_is_signaled(&t->fence))
		dma_fence_signal(&t->fence);
	drm_svm_pages_fini(&t->pages);
	dma_resv_fini(&t->resv);
}

static struct test_pages *test_pages_make(struct kunit *test, u64 first, u64 bytes)
{
	struct test_pages *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	dma_resv_init(&t->resv);
	spin_lock_init(&t->lock);
	dma_fence_init(&t->fence, &test_fence_ops, &t->lock, 1, 1);
	/* The case has one of its own. */
	dma_fence_get(&t->fence);
	KUNIT_ASSERT_EQ(test, drm_svm_pages_init(&t->pages, test_svm(test),
						 first, first + bytes - 1,
						 MAY_LOAD | MAY_STORE, &t->resv), 0);
	list_add(&t->node, &((struct test_nic *)test->priv)->lists);
	return t;
}

static int test_pages_populate(struct test_pages *t)
{
	struct drm_svm_view *view = &t->pages.view;

	return drm_svm_populate(view, view->first, view->last, MAY_LOAD | MAY_STORE);
}

/* A job, as a driver starts it. Return: false if the pages have gone. */
static bool test_pages_submit(struct kunit *test, struct test_pages *t)
{
	bool ok;

	KUNIT_ASSERT_EQ(test, dma_resv_lock(&t->resv, NULL), 0);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(&t->resv, 1), 0);
	ok = drm_svm_use_begin(&t->pages.view, MAY_LOAD);
	if (ok) {
		dma_resv_add_fence(&t->resv, &t->fence, DMA_RESV_USAGE_BOOKKEEP);
		drm_svm_use_end(&t->pages.view);
	}
	dma_resv_unlock(&t->resv);
	return ok;
}

static void pages_are_stale_once_one_has_gone(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_pages *t = test_pages_make(test, p, PAGES(4));
	unsigned int i;

	KUNIT_EXPECT_FALSE(test, test_pages_submit(test, t));
	for (i = 0; i < 4; i++)
		test_poke(test, p + PAGES(i), i);
	KUNIT_ASSERT_EQ(test, test_pages_populate(t), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, *(u64 *)pfn_to_kaddr(t->pages.pages[i].pfn), i);
	KUNIT_EXPECT_TRUE(test, test_unblockable(test, p + PAGES(8), p + PAGES(9) - 1));
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
	struct test_pages *t = test_pages_make(test, p, PAGES(4));
	struct test_inval inval;

	KUNIT_ASSERT_EQ(test, test_pages_populate(t), 0);
	KUNIT_ASSERT_TRUE(test, test_pages_submit(test, t));
	test_inval_start(test, &inval, test_svm(test), p + PAGES(2));
	/* As long as it would take, were it not for the fence. */
	msleep(100);
	KUNIT_EXPECT_FALSE(test, completion_done(&inval.done));
	KUNIT_EXPECT_FALSE(test, drm_svm_use_begin(&t->pages.view, MAY_LOAD));
	dma_fence_signal(&t->fence);
	test_inval_end(&inval);
	KUNIT_EXPECT_EQ(test, t->pages.pages[2].rights, 0);
	KUNIT_EXPECT_EQ(test, test_pages_populate(t), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(&t->pages.view, MAY_LOAD));
	drm_svm_use_end(&t->pages.view);
}

/* Who has seen it all mapped is not let in on the strength of who begins to map it. */
static void a_populate_that_has_begun_is_not_done(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_pages *t = test_pages_make(test, p, PAGES(4));
	struct drm_svm_view *view = &t->pages.view;

	KUNIT_ASSERT_EQ(test, test_pages_populate(t), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(1), PAGES(1)), 0);
	/* It fails at the hole, with the first page mapped. */
	KUNIT_EXPECT_EQ(test, test_pages_populate(t), -EFAULT);
	KUNIT_EXPECT_FALSE(test, drm_svm_use_begin(view, MAY_LOAD));
	/* A part says nothing of all. */
	KUNIT_EXPECT_EQ(test, drm_svm_populate(view, p, p + PAGE_SIZE - 1, MAY_LOAD),
			0);
	KUNIT_EXPECT_FALSE(test, drm_svm_use_begin(view, MAY_LOAD));
}

static void what_was_populated_to_read_is_not_written(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_pages *t = test_pages_make(test, p, PAGES(4));
	struct drm_svm_view *view = &t->pages.view;

	KUNIT_ASSERT_EQ(test, drm_svm_populate(view, p, p + PAGES(4) - 1, MAY_LOAD), 0);
	KUNIT_EXPECT_FALSE(test, drm_svm_use_begin(view, MAY_STORE));
	/* To make the page writable takes the old one away: the second time it is. */
	KUNIT_ASSERT_EQ(test, test_pages_populate(t), 0);
	KUNIT_ASSERT_EQ(test, test_pages_populate(t), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(view, MAY_LOAD | MAY_STORE));
	drm_svm_use_end(view);
}

/* A job that needs two lists starts when both are there, at once. */
static void several_views_are_used_at_once(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_pages *a = test_pages_make(test, p, PAGES(4));
	struct test_pages *b = test_pages_make(test, p + PAGES(8), PAGES(4));

	KUNIT_ASSERT_EQ(test, test_pages_populate(a), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(&a->pages.view, MAY_LOAD));
	KUNIT_EXPECT_FALSE(test, drm_svm_use_also(&b->pages.view, MAY_LOAD));
	drm_svm_use_end(&a->pages.view);
	KUNIT_ASSERT_EQ(test, test_pages_populate(b), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(&a->pages.view, MAY_LOAD));
	KUNIT_EXPECT_TRUE(test, drm_svm_use_also(&b->pages.view, MAY_LOAD | MAY_STORE));
	drm_svm_use_end(&a->pages.view);
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(9), PAGES(1)), 0);
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(&a->pages.view, MAY_LOAD));
	KUNIT_EXPECT_FALSE(test, drm_svm_use_also(&b->pages.view, MAY_LOAD));
	drm_svm_use_end(&a->pages.view);
}

/* Fences cannot be polled for without sleep, so the reaper goes elsewhere. */
static void the_reaper_leaves_pages_in_use(struct kunit *test)
{
	u64 p = test_map_small(test, 64);
	struct test_pages *t = test_pages_make(test, p, PAGES(4));

	KUNIT_ASSERT_EQ(test, test_pages_populate(t), 0);
	KUNIT_EXPECT_FALSE(test, test_unblockable(test, p, p + PAGE_SIZE - 1));
	KUNIT_ASSERT_TRUE(test, drm_svm_use_begin(&t->pages.view, MAY_LOAD));
	drm_svm_use_end(&t->pages.view);
}

static struct kunit_case sinks_cases[] = {
	KUNIT_CASE(an_array_finds_what_the_process_has),
	KUNIT_CASE(an_array_loses_what_the_process_loses),
	KUNIT_CASE(views_have_rights_of_their_own),
	KUNIT_CASE(every_view_is_invalidated),
	KUNIT_CASE(who_maps_nothing_is_left_alone),
	KUNIT_CASE(a_view_ends_while_others_go_on),
	KUNIT_CASE(a_fault_is_served_in_its_view),
	KUNIT_CASE(what_failed_half_way_is_recorded),
	KUNIT_CASE(what_one_maps_others_know),
	KUNIT_CASE(the_reaper_does_not_wait),
	KUNIT_CASE(views_that_make_no_sense_are_refused),
	KUNIT_CASE(pages_are_stale_once_one_has_gone),
	KUNIT_CASE(an_invalidation_waits_for_who_uses_pages),
	KUNIT_CASE(a_populate_that_has_begun_is_not_done),
	KUNIT_CASE(what_was_populated_to_read_is_not_written),
	KUNIT_CASE(several_views_are_used_at_once),
	KUNIT_CASE(the_reaper_leaves_pages_in_use),
	{}
};

static int test_nic_init(struct test_nic *nic)
{
	struct drm_svm_config config = { .device = &nic->sdev };
	struct device *dev = &nic->pdev->dev;
	int ret = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));

	drm_svm_device_init(&nic->sdev, dev);
	return ret ?: drm_svm_init(&nic->svm, current->mm, &config);
}

static int sinks_init(struct kunit *test)
{
	struct test_nic *nic = kunit_kzalloc(test, sizeof(*nic), GFP_KERNEL);
	int ret;

	if (!nic || kunit_attach_mm())
		return -ENOMEM;
	INIT_LIST_HEAD(&nic->arrays);
	INIT_LIST_HEAD(&nic->lists);
	nic->pdev = platform_device_register_simple("drm_svm_sinks_test",
						    PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(nic->pdev))
		return PTR_ERR(nic->pdev);
	ret = test_nic_init(nic);
	if (ret) {
		platform_device_unregister(nic->pdev);
		return ret;
	}
	test->priv = nic;
	return 0;
}

static void sinks_exit(struct kunit *test)
{
	struct test_array *a, *next_array;
	struct test_pages *t, *next_pages;
	struct test_nic *nic = test->priv;

	if (!nic)
		return;
	list_for_each_entry_safe(a, next_array, &nic->arrays, node)
		test_array_end(a);
	list_for_each_entry_safe(t, next_pages, &nic->lists, node)
		test_pages_end(t);
	drm_svm_fini(&nic->svm);
	drm_svm_device_fini(&nic->sdev);
	platform_device_unregister(nic->pdev);
}

static struct kunit_suite drm_svm_sinks_suite = {
	.name = "drm_svm_sinks",
	.init = sinks_init,
	.exit = sinks_exit,
	.test_cases = sinks_cases,
};

kunit_test_suite(drm_svm_sinks_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("Tests of the mirror of drm_svm alone");
MODULE_LICENSE("Dual MIT/GPL");
