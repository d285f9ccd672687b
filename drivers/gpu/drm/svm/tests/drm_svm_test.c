// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tests of drm_svm with a device of its own (drm_svm_test_dev.c), on a real
 * address space: the test's thread has one and touches it like a process.
 */

#include <kunit/test.h>
#include <kunit/visibility.h>

#include <linux/anon_inodes.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "drm_svm_test_rig.h"

/* ---- the service lock --------------------------------------------------- */

/* A thread that wants an interval and says when it has it. */
struct test_waiter {
	struct drm_svm_spans *spans;
	struct task_struct *task;
	struct completion asks;
	struct completion has;
	struct completion drop;
	u64 first;
	u64 last;
	int ret;
};

static int test_waiter_fn(void *data)
{
	struct test_waiter *w = data;
	struct drm_svm_span span;

	allow_signal(SIGKILL);
	complete(&w->asks);
	w->ret = drm_svm_span_lock(w->spans, &span, w->first, w->last);
	complete(&w->has);
	wait_for_completion(&w->drop);
	if (!w->ret)
		drm_svm_span_unlock(w->spans, &span);
	return 0;
}

static bool test_queued(struct drm_svm_spans *spans, unsigned int n)
{
	struct rb_node *node;

	guard(spinlock)(&spans->lock);
	for (node = rb_first_cached(&spans->tree); node; node = rb_next(node))
		n--;
	return !n;
}

static void test_waiter_start(struct kunit *test, struct test_waiter *w,
			      struct drm_svm_spans *spans, u64 first, u64 last,
			      unsigned int queued)
{
	unsigned int tries;

	*w = (struct test_waiter) {
		.spans = spans, .first = first, .last = last,
	};
	init_completion(&w->asks);
	init_completion(&w->has);
	init_completion(&w->drop);
	w->task = kthread_create(test_waiter_fn, w, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(w->task));
	get_task_struct(w->task);
	wake_up_process(w->task);
	wait_for_completion(&w->asks);
	for (tries = 0; tries < 10000 && !test_queued(spans, queued); tries++)
		fsleep(1000);
	KUNIT_EXPECT_TRUE(test, test_queued(spans, queued));
}

static void test_waiter_end(struct test_waiter *w)
{
	complete(&w->drop);
	kthread_stop_put(w->task);
}

static bool test_waiter_has(struct test_waiter *w)
{
	return wait_for_completion_timeout(&w->has, 60 * HZ);
}

static void disjoint_spans_do_not_wait(struct kunit *test)
{
	struct drm_svm_span low, high, middle;
	struct drm_svm_spans spans;

	drm_svm_spans_init(&spans);
	KUNIT_EXPECT_EQ(test, drm_svm_span_lock(&spans, &low, 0, 9), 0);
	lockdep_off();
	KUNIT_EXPECT_EQ(test, drm_svm_span_lock(&spans, &high, 20, U64_MAX), 0);
	KUNIT_EXPECT_EQ(test, drm_svm_span_lock(&spans, &middle, 10, 19), 0);
	drm_svm_span_unlock(&spans, &middle);
	drm_svm_span_unlock(&spans, &high);
	lockdep_on();
	drm_svm_span_unlock(&spans, &low);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&spans.tree.rb_root));
}

static void overlapping_spans_come_in_order(struct kunit *test)
{
	struct test_waiter first, second, beside;
	struct drm_svm_spans spans;
	struct drm_svm_span span;

	drm_svm_spans_init(&spans);
	KUNIT_ASSERT_EQ(test, drm_svm_span_lock(&spans, &span, 0, 9), 0);
	test_waiter_start(test, &first, &spans, 5, 15, 2);
	/* Overlaps only what waits, and must not overtake it. */
	test_waiter_start(test, &second, &spans, 12, 20, 3);
	test_waiter_start(test, &beside, &spans, 30, 40, 4);
	KUNIT_EXPECT_TRUE(test, test_waiter_has(&beside));
	KUNIT_EXPECT_FALSE(test, completion_done(&first.has));
	KUNIT_EXPECT_FALSE(test, completion_done(&second.has));

	drm_svm_span_unlock(&spans, &span);
	KUNIT_EXPECT_TRUE(test, test_waiter_has(&first));
	KUNIT_EXPECT_FALSE(test, completion_done(&second.has));
	test_waiter_end(&first);
	KUNIT_EXPECT_TRUE(test, test_waiter_has(&second));
	test_waiter_end(&second);
	test_waiter_end(&beside);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&spans.tree.rb_root));
}

static void a_killed_waiter_holds_up_nobody(struct kunit *test)
{
	struct test_waiter killed, next;
	struct drm_svm_spans spans;
	struct drm_svm_span span;

	drm_svm_spans_init(&spans);
	KUNIT_ASSERT_EQ(test, drm_svm_span_lock(&spans, &span, 0, 9), 0);
	test_waiter_start(test, &killed, &spans, 5, 29, 2);
	test_waiter_start(test, &next, &spans, 20, 29, 3);
	KUNIT_EXPECT_FALSE(test, completion_done(&next.has));
	send_sig(SIGKILL, killed.task, 1);
	KUNIT_EXPECT_TRUE(test, test_waiter_has(&killed));
	KUNIT_EXPECT_EQ(test, killed.ret, -EINTR);
	KUNIT_EXPECT_TRUE(test, test_waiter_has(&next));
	test_waiter_end(&killed);
	test_waiter_end(&next);
	drm_svm_span_unlock(&spans, &span);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&spans.tree.rb_root));
}

static void a_try_waits_for_nobody(struct kunit *test)
{
	struct drm_svm_span span, tried;
	struct drm_svm_spans spans;
	struct test_waiter waiter;

	drm_svm_spans_init(&spans);
	KUNIT_ASSERT_EQ(test, drm_svm_span_lock(&spans, &span, 10, 19), 0);
	KUNIT_EXPECT_FALSE(test, drm_svm_span_trylock(&spans, &tried, 19, 30));
	KUNIT_EXPECT_TRUE(test, drm_svm_span_trylock(&spans, &tried, 20, 30));
	drm_svm_span_unlock(&spans, &tried);
	/* Nor does it overtake who waits. */
	test_waiter_start(test, &waiter, &spans, 15, 25, 2);
	KUNIT_EXPECT_FALSE(test, drm_svm_span_trylock(&spans, &tried, 22, 30));
	/* What is held by a try is held. */
	KUNIT_EXPECT_TRUE(test, drm_svm_span_trylock(&spans, &tried, 26, 30));
	drm_svm_span_unlock(&spans, &span);
	KUNIT_EXPECT_TRUE(test, test_waiter_has(&waiter));
	KUNIT_EXPECT_FALSE(test, drm_svm_span_trylock(&spans, &span, 0, 15));
	test_waiter_end(&waiter);
	drm_svm_span_unlock(&spans, &tried);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&spans.tree.rb_root));
}

#define TEST_LINE 8192

/* Who is granted, of many that overlap some others, must not cost a look at all. */
static void a_long_line_moves_on(struct kunit *test)
{
	struct drm_svm_span *line, all = { .node.last = U64_MAX, .task = current };
	struct drm_svm_spans spans;
	unsigned int i, n = TEST_LINE;

	line = kvcalloc(n, sizeof(*line), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, line);
	drm_svm_spans_init(&spans);
	spin_lock(&spans.lock);
	drm_svm_span_enter(&spans, &all);
	spin_unlock(&spans.lock);
	/* Each overlaps the one before it, so behind the first they go one by one. */
	for (i = 0; i < n; i++) {
		line[i].node.start = i * 10;
		line[i].node.last = i * 10 + 10;
		line[i].task = current;
		spin_lock(&spans.lock);
		drm_svm_span_enter(&spans, &line[i]);
		spin_unlock(&spans.lock);
		KUNIT_EXPECT_EQ(test, line[i].blockers, i ? 2 : 1);
	}
	spin_lock(&spans.lock);
	drm_svm_span_leave(&spans, &all);
	spin_unlock(&spans.lock);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, line[i].blockers, 0);
		if (i + 1 < n)
			KUNIT_EXPECT_EQ(test, line[i + 1].blockers, 1);
		spin_lock(&spans.lock);
		drm_svm_span_leave(&spans, &line[i]);
		spin_unlock(&spans.lock);
	}
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&spans.tree.rb_root));
	kvfree(line);
}

/* ---- faults ------------------------------------------------------------- */

static void a_fault_maps_what_was_asked_for(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(3) + 8,
					      DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_TRUE(test, test_dev_maps(dev, p + PAGES(3),
					      DRM_GPT_LEAF_WRITE));
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p + PAGES(2), 0));
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p + PAGES(4), 0));
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.faults), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.map_system), 1);
}

static void a_fault_on_nothing_is_refused(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(1), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(1), DRM_SVM_READ),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, ~0ULL << 48, DRM_SVM_READ),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.fault_errors), 2);
}

static void only_the_writer_is_refused(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map_prot(test, DRM_SVM_RANGE_SIZE, PROT_READ);
	int reader, writer;

	reader = test_dev_start(dev, p, DRM_SVM_READ);
	writer = test_dev_start(dev, p, DRM_SVM_WRITE);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, reader), 0);
	KUNIT_EXPECT_NE(test, test_dev_wait(dev, writer), 0);
	KUNIT_EXPECT_EQ(test, dev->units[writer].state, TEST_UNIT_CANCELLED);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p, DRM_GPT_LEAF_WRITE));
}

/* More ranges at once than there are groups, and more units than a group holds. */
static void no_fault_of_a_storm_is_lost(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE * 80);
	unsigned int i;

	for (i = 0; i < 80; i++)
		KUNIT_EXPECT_GE(test, test_dev_start(dev, p + i *
						     DRM_SVM_RANGE_SIZE,
						     DRM_SVM_WRITE), 0);
	for (i = 80; i < TEST_UNITS; i++)
		KUNIT_EXPECT_GE(test, test_dev_start(dev, p + PAGES(i),
						     DRM_SVM_READ), 0);
	for (i = 0; i < TEST_UNITS; i++)
		KUNIT_EXPECT_EQ(test, test_dev_wait(dev, i), 0);
}

static void many_units_on_a_page_are_one_service(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int i;

	for (i = 0; i < 32; i++)
		test_dev_start(dev, p + i, DRM_SVM_WRITE);
	for (i = 0; i < 32; i++)
		KUNIT_EXPECT_EQ(test, test_dev_wait(dev, i), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.map_system), 1);
}

static void a_second_fault_error_is_not_told_twice(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), -EFAULT);
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.fault_errors), 1);
}

/* ---- migration ---------------------------------------------------------- */

static void migration_there_and_back_keeps_data(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;
	unsigned int i;

	for (i = 0; i < 64; i++)
		test_poke(test, p + PAGES(i), i * 3 + 1);
	KUNIT_ASSERT_EQ(test, drm_svm_migrate(&dev->svm, p, p + PAGES(64) - 1,
					      DRM_SVM_LOC_DEVICE, 0, &result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, 64);
	KUNIT_EXPECT_EQ(test, drm_svm_region_used(&dev->region), PAGES(64));
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(i)),
				DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_where(test, test_dev(test, 1), p),
			DRM_SVM_PAGE_REMOTE);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, test_peek(test, p + PAGES(i)), i * 3 + 1);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_EQ(test, drm_svm_region_used(&dev->region), 0);
}

static void only_what_was_meant_moves(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int i;

	for (i = 0; i < 3; i++)
		test_poke(test, p + PAGES(i), i);
	for (i = 0; i < 3; i += 2)
		KUNIT_ASSERT_EQ(test, drm_svm_set_preferred(&dev->svm, p + PAGES(i),
							    p + PAGES(i + 1) - 1,
							    DRM_SVM_LOC_DEVICE), 0);
	/* The one between them stays. */
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(1)),
			DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(2)),
			DRM_SVM_PAGE_LOCAL);
}

static void a_copy_that_fails_moves_nothing(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;

	test_poke(test, p, 5);
	dev->copy_error = -EIO;
	drm_svm_migrate(&dev->svm, p, p + PAGE_SIZE - 1, DRM_SVM_LOC_DEVICE, 0,
			&result);
	KUNIT_EXPECT_EQ(test, result.moved, 0);
	KUNIT_EXPECT_EQ(test, result.failed, 1);
	dev->copy_error = 0;
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_EQ(test, drm_svm_region_used(&dev->region), 0);
	KUNIT_EXPECT_EQ(test, test_peek(test, p), 5);
}

static void a_full_region_leaves_the_rest_in_ram(struct kunit *test)
{
	u64 bytes = TEST_VRAM + DRM_SVM_RANGE_SIZE;
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, bytes), i;
	struct drm_svm_migrate_result result;

	for (i = 0; i < bytes; i += PAGE_SIZE)
		test_poke(test, p + i, i);
	KUNIT_EXPECT_EQ(test, drm_svm_migrate(&dev->svm, p, p + bytes - 1,
					      DRM_SVM_LOC_DEVICE, 0, &result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, TEST_VRAM >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, result.failed, DRM_SVM_RANGE_PAGES);
	for (i = 0; i < bytes; i += PAGE_SIZE)
		KUNIT_EXPECT_EQ(test, test_peek(test, p + i), i);
}

static void the_other_device_gets_it_through_ram(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0), *other = test_dev(test, 1);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;

	test_poke(test, p, 99);
	KUNIT_ASSERT_EQ(test, drm_svm_migrate(&dev->svm, p, p + PAGE_SIZE - 1,
					      DRM_SVM_LOC_DEVICE, 0, &result), 0);
	KUNIT_EXPECT_EQ(test, test_dev_access(other, p, DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, other, p), DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_EQ(test, test_peek(test, p), 99);
}

static void memory_of_a_device_that_ends_comes_back(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;

	test_poke(test, p, 42);
	KUNIT_ASSERT_EQ(test, drm_svm_migrate(&ctx->dev[0]->svm, p,
					      p + PAGE_SIZE - 1,
					      DRM_SVM_LOC_DEVICE, 0, &result), 0);
	KUNIT_ASSERT_EQ(test, result.moved, 1);
	test_detach(test, 0);
	test_dev_free(ctx->dev[0]);
	ctx->dev[0] = NULL;
	KUNIT_EXPECT_EQ(test, test_peek(test, p), 42);
}

/* ---- placement ---------------------------------------------------------- */

static void attributes_overlap_and_go(struct kunit *test)
{
	struct drm_svm *svm = &test_dev(test, 0)->svm;
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	u64 p = 64 * DRM_SVM_RANGE_SIZE;

	KUNIT_ASSERT_EQ(test, drm_svm_set_preferred(svm, p, p + PAGES(10) - 1,
						    DRM_SVM_LOC_DEVICE), 0);
	KUNIT_ASSERT_EQ(test, drm_svm_set_preferred(svm, p + PAGES(4),
						    p + PAGES(6) - 1,
						    DRM_SVM_LOC_SYSTEM), 0);
	drm_svm_policy_pages(svm, p, pages);
	KUNIT_EXPECT_EQ(test, bitmap_weight(pages, DRM_SVM_RANGE_PAGES), 8);
	KUNIT_EXPECT_FALSE(test, test_bit(4, pages));
	KUNIT_EXPECT_TRUE(test, test_bit(6, pages));
	KUNIT_EXPECT_EQ(test, drm_svm_policy(svm, p), DRM_SVM_LOC_DEVICE);
	/* Device memory of one device is none for another. */
	KUNIT_EXPECT_EQ(test, drm_svm_policy(&test_dev(test, 1)->svm, p),
			DRM_SVM_LOC_SYSTEM);
	KUNIT_ASSERT_EQ(test, drm_svm_set_preferred(svm, p, p + PAGES(10) - 1,
						    DRM_SVM_LOC_DEFAULT), 0);
	drm_svm_policy_pages(svm, p, pages);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(pages, DRM_SVM_RANGE_PAGES));
}

static void a_fault_follows_the_attribute(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	test_poke(test, p, 11);
	KUNIT_ASSERT_EQ(test, drm_svm_set_preferred(&dev->svm, p,
						    p + PAGES(2) - 1,
						    DRM_SVM_LOC_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
	/* And one that did not exist is made there. */
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(1),
					      DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(2),
					      DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(1)),
			DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(2)),
			DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_EQ(test, test_peek(test, p), 11);
	KUNIT_EXPECT_EQ(test, test_peek(test, p + PAGES(1)), 0);
}

/* ---- formats that differ ------------------------------------------------- */

/* Entries of the first must be empty and flushed before they change their size. */
static int test_init_careful(struct kunit *test)
{
	const struct drm_gpt_format *formats[TEST_DEVS] = {
		&drm_gpt_format_lpae_4k, &drm_gpt_format_amdgpu_gfx9,
	};

	return test_init_formats(test, formats);
}

/* Bytes of the leaf that maps an address, 0 if none does. */
static u64 test_leaf_bytes(struct test_dev *dev, u64 addr)
{
	struct drm_gpt_entry entry;

	drm_gpt_lookup(&dev->gpt, addr, &entry);
	return entry.flags ? entry.last - entry.first + 1 : 0;
}

/*
 * 2 MiB in one piece, of a file of ours, so that its last page can be mapped
 * read-only without its contents being another's.
 */
static vm_fault_t test_piece_fault(struct vm_fault *vmf)
{
	struct page *page = vmf->vma->vm_private_data;

	vmf->page = page + vmf->pgoff;
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct test_piece_vm_ops = {
	.fault = test_piece_fault,
};

static int test_piece_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &test_piece_vm_ops;
	return 0;
}

static const struct file_operations test_piece_fops = {
	.mmap = test_piece_mmap,
};

#define TEST_PIECE_ORDER	(DRM_SVM_RANGE_SHIFT - PAGE_SHIFT)
/* The page of it that may only be read. */
#define TEST_PIECE_RO		(DRM_SVM_RANGE_PAGES - 1)

static struct page *test_piece_map(struct kunit *test, u64 p)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, TEST_PIECE_ORDER);
	const unsigned long flags = MAP_SHARED | MAP_FIXED;
	struct file *file;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	split_page(page, TEST_PIECE_ORDER);
	file = anon_inode_getfile("drm_svm_test", &test_piece_fops, page, O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, vm_mmap(file, p, PAGES(TEST_PIECE_RO),
				      PROT_READ | PROT_WRITE, flags, 0), p);
	KUNIT_EXPECT_EQ(test, vm_mmap(file, p + PAGES(TEST_PIECE_RO), PAGE_SIZE,
				      PROT_READ, flags, PAGES(TEST_PIECE_RO)),
			p + PAGES(TEST_PIECE_RO));
	fput(file);
	for (i = 0; i < TEST_PIECE_RO; i++)
		test_poke(test, p + PAGES(i), i);
	test_peek(test, p + PAGES(TEST_PIECE_RO));
	return page;
}

static void test_piece_unmap(struct kunit *test, struct page *page, u64 p)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, vm_munmap(p, DRM_SVM_RANGE_SIZE), 0);
	for (i = 0; i < DRM_SVM_RANGE_PAGES; i++)
		put_page(page + i);
}

/* Both mappings at once. */
static int test_piece_see(struct test_dev *dev, u64 p)
{
	return drm_svm_populate(&dev->table.view, p, p + DRM_SVM_RANGE_SIZE - 1,
				DRM_SVM_RIGHT_READ);
}

/* A large leaf that was for reading, and a part of it is to be written. */
static void a_large_page_makes_way(struct kunit *test)
{
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct page *page = test_piece_map(test, p);
	unsigned int i, flushes;

	for (i = 0; i < TEST_DEVS; i++) {
		KUNIT_EXPECT_EQ(test, test_piece_see(test_dev(test, i), p), 0);
		KUNIT_EXPECT_EQ(test, test_leaf_bytes(test_dev(test, i), p),
				DRM_SVM_RANGE_SIZE);
	}
	flushes = atomic_read(&test_dev(test, 0)->flushes);

	/* Nobody invalidates: it is the device's own next fault that needs room. */
	for (i = 0; i < TEST_DEVS; i++) {
		struct test_dev *dev = test_dev(test, i);

		KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(9),
						      DRM_SVM_WRITE), 0);
		KUNIT_EXPECT_TRUE(test, test_dev_maps(dev, p + PAGES(9),
						      DRM_GPT_LEAF_WRITE));
		KUNIT_EXPECT_TRUE(test, test_dev_maps(dev, p, 0));
		KUNIT_EXPECT_TRUE(test, test_dev_maps(dev, p + PAGES(TEST_PIECE_RO), 0));
		KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p + PAGES(TEST_PIECE_RO),
						       DRM_GPT_LEAF_WRITE));
		KUNIT_EXPECT_LT(test, test_leaf_bytes(dev, p + PAGES(9)),
				DRM_SVM_RANGE_SIZE);
	}
	/* It went and was flushed, and all of it came back with that write. */
	KUNIT_EXPECT_GT(test, atomic_read(&test_dev(test, 0)->flushes), flushes);
	/* Where it may be split in place nothing has to go. */
	KUNIT_EXPECT_EQ(test, atomic_read(&test_dev(test, 1)->flushes), 0);
	test_piece_unmap(test, page, p);
}

/*
 * A service takes a range out that was in the way; its table is in a walk cache until
 * that is flushed. Who invalidates another page meanwhile must not rely on it.
 */
static void an_invalidation_beside_that_flushes_walks(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct page *page = test_piece_map(test, p);
	struct test_inval inval;
	int begun, unit;

	KUNIT_EXPECT_EQ(test, test_piece_see(dev, p), 0);
	begun = atomic_read(&dev->begun);
	WRITE_ONCE(dev->hold_flush, true);
	unit = test_dev_start(dev, p + PAGES(9), DRM_SVM_WRITE);
	test_await_flushes(test, dev, begun + 1);
	test_inval_start(test, &inval, &dev->svm, p + PAGES(100));
	test_await_flushes(test, dev, begun + 2);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(dev->directory));
	WRITE_ONCE(dev->hold_flush, false);
	wake_up_all(&dev->wait);
	test_inval_end(&inval);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit), 0);
	test_piece_unmap(test, page, p);
}

static void rights_that_entries_lack_are_left_out(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_ATOMIC), 0);
	KUNIT_EXPECT_TRUE(test, test_dev_maps(dev, p, DRM_GPT_LEAF_WRITE));
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p, DRM_GPT_LEAF_ATOMIC));
}

/* Would a device take part by a table? Everything but the format is as it should be. */
static int test_table_try(struct kunit *test, struct drm_svm_device *sdev,
			  const struct drm_gpt_format *format)
{
	struct test_dev *dev = test_dev(test, 0);
	struct drm_svm_gpt *table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);
	struct drm_svm *svm = kunit_kzalloc(test, sizeof(*svm), GFP_KERNEL);
	struct drm_gpt *gpt = kunit_kzalloc(test, sizeof(*gpt), GFP_KERNEL);
	struct drm_svm_config config = {
		.device = sdev,
		.ops = dev->svm.ops,
	};
	int ret;

	KUNIT_ASSERT_TRUE(test, table && svm && gpt);
	gpt->format = format;
	gpt->last = dev->gpt.last;
	KUNIT_ASSERT_EQ(test, drm_svm_init(svm, current->mm, &config), 0);
	ret = drm_svm_gpt_init(table, svm, gpt, dev->table.ops);
	if (!ret)
		drm_svm_gpt_fini(table);
	drm_svm_fini(svm);
	return ret;
}

/* There is memory, and no word for it in the table. */
static void memory_needs_an_aperture(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	struct drm_svm_device *sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	struct drm_svm_region *region = &dev->region;
	struct drm_gpt_format format = drm_gpt_format_amdgpu_gfx9;

	KUNIT_ASSERT_NOT_NULL(test, sdev);
	drm_svm_device_init(sdev, dev->sdev.dev);
	sdev->system_atomics = true;
	KUNIT_ASSERT_EQ(test, drm_svm_region_init(region, sdev, TEST_VRAM,
						  test_dev_region_ops()), 0);
	KUNIT_EXPECT_EQ(test, test_table_try(test, sdev, &format), 0);
	KUNIT_EXPECT_EQ(test, test_table_try(test, sdev, dev->gpt.format), -EINVAL);
	/* Nor where there is an aperture, but no room for its last page. */
	format.leaf_bits &= ~(u64)(TEST_VRAM / 2);
	KUNIT_EXPECT_EQ(test, test_table_try(test, sdev, &format), -EINVAL);
	drm_svm_region_fini(region);
	KUNIT_EXPECT_EQ(test, test_table_try(test, sdev, dev->gpt.format), 0);
}

static void a_table_maps_pages_one_by_one(struct kunit *test)
{
	struct drm_svm_device *sdev = kunit_kzalloc(test, sizeof(*sdev), GFP_KERNEL);
	struct drm_gpt_format format = drm_gpt_format_lpae_4k;

	KUNIT_ASSERT_NOT_NULL(test, sdev);
	drm_svm_device_init(sdev, test_dev(test, 0)->sdev.dev);
	sdev->system_atomics = true;
	KUNIT_EXPECT_EQ(test, test_table_try(test, sdev, &format), 0);
	/* A careful device wants a range in one table. */
	format.levels[0].bits--;
	KUNIT_EXPECT_EQ(test, test_table_try(test, sdev, &format), -EINVAL);
	format.levels[0].bits++;
	format.levels[0].leaf = false;
	KUNIT_EXPECT_EQ(test, test_table_try(test, sdev, &format), -EINVAL);
	/* Nobody can take one page away from a device whose pages are larger. */
	format = drm_gpt_format_lpae_16k;
	KUNIT_EXPECT_EQ(test, test_table_try(test, sdev, &format), -EINVAL);
}

static struct kunit_case span_cases[] = {
	KUNIT_CASE(disjoint_spans_do_not_wait),
	KUNIT_CASE(overlapping_spans_come_in_order),
	KUNIT_CASE(a_killed_waiter_holds_up_nobody),
	KUNIT_CASE(a_try_waits_for_nobody),
	KUNIT_CASE(a_long_line_moves_on),
	{}
};

static struct kunit_case svm_cases[] = {
	KUNIT_CASE(a_fault_maps_what_was_asked_for),
	KUNIT_CASE(a_fault_on_nothing_is_refused),
	KUNIT_CASE(only_the_writer_is_refused),
	KUNIT_CASE(a_second_fault_error_is_not_told_twice),
	KUNIT_CASE(no_fault_of_a_storm_is_lost),
	KUNIT_CASE(many_units_on_a_page_are_one_service),
	KUNIT_CASE(migration_there_and_back_keeps_data),
	KUNIT_CASE(only_what_was_meant_moves),
	KUNIT_CASE(a_copy_that_fails_moves_nothing),
	KUNIT_CASE(a_full_region_leaves_the_rest_in_ram),
	KUNIT_CASE(the_other_device_gets_it_through_ram),
	KUNIT_CASE(memory_of_a_device_that_ends_comes_back),
	KUNIT_CASE(attributes_overlap_and_go),
	KUNIT_CASE(a_fault_follows_the_attribute),
	{}
};

static struct kunit_case format_cases[] = {
	KUNIT_CASE(a_large_page_makes_way),
	KUNIT_CASE(an_invalidation_beside_that_flushes_walks),
	KUNIT_CASE(rights_that_entries_lack_are_left_out),
	KUNIT_CASE(memory_needs_an_aperture),
	KUNIT_CASE(a_table_maps_pages_one_by_one),
	{}
};

static struct kunit_suite span_suite = {
	.name = "drm_svm_span",
	.test_cases = span_cases,
};

static struct kunit_suite svm_suite = {
	.name = "drm_svm",
	.init = test_init,
	.exit = test_exit,
	.test_cases = svm_cases,
};

static struct kunit_suite format_suite = {
	.name = "drm_svm_formats",
	.init = test_init_careful,
	.exit = test_exit,
	.test_cases = format_cases,
};

kunit_test_suites(&span_suite, &svm_suite, &format_suite, &drm_svm_attr_suite,
		  &drm_svm_answer_suite, &drm_svm_fault_suite, &drm_svm_lane_suite,
		  &drm_svm_table_suite, &drm_svm_reach_suite,
		  &drm_svm_memory_suite, &drm_svm_device_suite,
		  &drm_svm_claim_suite, &drm_svm_atomic_suite,
		  &drm_svm_stall_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("Tests of the shared virtual memory helpers");
MODULE_LICENSE("Dual MIT/GPL");
