// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device whose atomics are coherent with the CPU's in its own memory only: what it
 * may write in system memory it may not change by an atomic, and what it wants to change
 * so comes to it, or is refused.
 */

#include <kunit/test.h>

#include <linux/delay.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/shmem_fs.h>

#include "drm_svm_test_rig.h"

static int test_init_far(struct kunit *test)
{
	int ret = test_init(test);

	if (!ret)
		test_dev(test, 0)->sdev.system_atomics = false;
	return ret;
}

static bool test_allows(struct test_dev *dev, u64 addr, u64 flag)
{
	return test_dev_maps(dev, addr, flag);
}

static int test_atomic(struct test_dev *dev, u64 addr)
{
	return test_dev_access(dev, addr, DRM_SVM_ATOMIC);
}

static void an_atomic_brings_the_page(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE), q = p + PAGE_SIZE;

	test_poke(test, p, 17);
	test_poke(test, q, 18);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_TRUE(test, test_allows(dev, p, DRM_GPT_LEAF_WRITE));
	KUNIT_EXPECT_FALSE(test, test_allows(dev, p, DRM_GPT_LEAF_ATOMIC));
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_EQ(test, test_atomic(dev, p), 0);
	KUNIT_EXPECT_TRUE(test, test_allows(dev, p, DRM_GPT_LEAF_ATOMIC));
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	/* What nobody asked for stays where it is. */
	KUNIT_EXPECT_EQ(test, test_where(test, dev, q), DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_FALSE(test, test_allows(dev, q, DRM_GPT_LEAF_ATOMIC));
	/* The CPU takes it, and the device takes it again. */
	KUNIT_EXPECT_EQ(test, test_peek(test, p), 17);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_FALSE(test, test_allows(dev, p, DRM_GPT_LEAF_ATOMIC));
	KUNIT_EXPECT_EQ(test, test_atomic(dev, p), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_peek(test, p), 17);
}

static void what_is_not_there_is_made_on_the_device(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE), last = p + PAGES(4) - 1;

	KUNIT_EXPECT_EQ(test, test_atomic(dev, p), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, drm_svm_populate(&dev->table.view, p, last,
					       DRM_SVM_RIGHT_ATOMIC), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, last), DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_TRUE(test, test_allows(dev, last, DRM_GPT_LEAF_ATOMIC));
}

/* A page that the process shares until it writes it is its own when the device does. */
static void what_is_copied_on_write_moves(struct kunit *test)
{
	struct file *file = shmem_file_setup("drm_svm_test", PAGE_SIZE, EMPTY_VMA_FLAGS);
	struct test_dev *dev = test_dev(test, 0);
	u64 p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	p = kunit_vm_mmap(test, file, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE((unsigned long)p));
	KUNIT_EXPECT_EQ(test, test_peek(test, p), 0);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), 0);
	KUNIT_EXPECT_EQ(test, test_atomic(dev, p), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	fput(file);
}

/* A page that may not move: its writers are served, and who wants more is told. */
static void what_may_not_move_is_refused(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE), f;
	int unit[3];

	f = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_ANONYMOUS | MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE((unsigned long)f));
	unit[0] = test_dev_start(dev, f, DRM_SVM_READ);
	unit[1] = test_dev_start(dev, f, DRM_SVM_ATOMIC);
	unit[2] = test_dev_start(dev, f, DRM_SVM_WRITE);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit[0]), 0);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit[1]), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit[2]), 0);
	KUNIT_EXPECT_FALSE(test, test_allows(dev, f, DRM_GPT_LEAF_ATOMIC));
	/* Nor what an attribute keeps. */
	KUNIT_ASSERT_EQ(test, drm_svm_set_preferred(&dev->svm, p, p + PAGE_SIZE - 1,
						    DRM_SVM_LOC_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, test_atomic(dev, p), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_EQ(test, test_atomic(dev, p + PAGE_SIZE), 0);
}

/* And those beside it do not. */
static void where_there_is_no_room_it_waits(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, TEST_VRAM + DRM_SVM_RANGE_SIZE), q = p + TEST_VRAM;
	struct drm_svm_migrate_result result;
	int atomic, read;

	KUNIT_ASSERT_EQ(test, drm_svm_migrate(&dev->svm, p, q - 1, DRM_SVM_LOC_DEVICE,
					      DRM_SVM_MIGRATE_POPULATE, &result), 0);
	KUNIT_ASSERT_EQ(test, result.moved, TEST_VRAM >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, drm_svm_handle_fault(&dev->svm, q, DRM_SVM_ATOMIC,
						   jiffies + HZ / 50), -ENOMEM);
	drm_svm_fault_queue_pause(&dev->queue);
	atomic = test_dev_start(dev, q, DRM_SVM_ATOMIC);
	read = test_dev_start(dev, q + PAGES(300), DRM_SVM_READ);
	drm_svm_fault_queue_resume(&dev->queue);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, read), 0);
	KUNIT_EXPECT_LT(test, dev->units[atomic].state, TEST_UNIT_DONE);
	KUNIT_EXPECT_EQ(test, vm_munmap(p, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, atomic), 0);
}

/* What another device would like to have forbids nothing. */
static void another_devices_wish_is_no_order(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0), *other = test_dev(test, 1);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	KUNIT_ASSERT_EQ(test, drm_svm_set_preferred(&other->svm, p, p + PAGE_SIZE - 1,
						    DRM_SVM_LOC_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, test_atomic(dev, p), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
}

static void who_has_no_right_to_it_is_told(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	dev->table.view.rights &= ~DRM_SVM_RIGHT_ATOMIC;
	KUNIT_EXPECT_EQ(test, test_atomic(dev, p), -EACCES);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
}

/* As test_init() leaves it. */
static void where_they_are_coherent_nothing_moves(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 1);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_TRUE(test, test_allows(dev, p, DRM_GPT_LEAF_ATOMIC));
	KUNIT_EXPECT_EQ(test, test_atomic(dev, p), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
}

/* Who cannot tell it from a write would let the device do it. */
static void a_sink_that_cannot_tell_is_refused(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	struct drm_svm_view view = {
		.ops = dev->table.view.ops,
		.last = PAGE_SIZE - 1,
		.rights = DRM_SVM_RIGHT_READ | DRM_SVM_RIGHT_WRITE,
		.caps = DRM_SVM_SINK_ATOMIC_IS_WRITE,
	};

	KUNIT_EXPECT_EQ(test, drm_svm_view_init(&view, &dev->svm), -EINVAL);
	view.rights = DRM_SVM_RIGHT_READ;
	KUNIT_EXPECT_EQ(test, drm_svm_view_init(&view, &dev->svm), 0);
	drm_svm_view_fini(&view);
}

static struct kunit_case atomic_cases[] = {
	KUNIT_CASE(an_atomic_brings_the_page),
	KUNIT_CASE(what_is_not_there_is_made_on_the_device),
	KUNIT_CASE(what_is_copied_on_write_moves),
	KUNIT_CASE(what_may_not_move_is_refused),
	KUNIT_CASE(another_devices_wish_is_no_order),
	KUNIT_CASE(who_has_no_right_to_it_is_told),
	KUNIT_CASE(where_there_is_no_room_it_waits),
	KUNIT_CASE(where_they_are_coherent_nothing_moves),
	KUNIT_CASE(a_sink_that_cannot_tell_is_refused),
	{}
};

struct kunit_suite drm_svm_atomic_suite = {
	.name = "drm_svm_atomic",
	.init = test_init_far,
	.exit = test_exit,
	.test_cases = atomic_cases,
};
