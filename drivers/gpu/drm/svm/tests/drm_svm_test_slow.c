// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A page that does not come: of a file whose fault handler waits as a file system does,
 * mmap_lock dropped, until a signal or until the test lets go.
 */

#include <kunit/test.h>

#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/mman.h>

#include "drm_svm_test_slow.h"

static vm_fault_t test_slow_fault(struct vm_fault *vmf)
{
	struct test_slow *slow = vmf->vma->vm_private_data;

	if (READ_ONCE(slow->go)) {
		if (slow->bad)
			return VM_FAULT_SIGBUS;
		get_page(slow->page);
		vmf->page = slow->page;
		return 0;
	}
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return VM_FAULT_SIGBUS;
	mmap_read_unlock(vmf->vma->vm_mm);
	atomic_inc(&slow->waiting);
	wait_event_killable(slow->wait, READ_ONCE(slow->go));
	atomic_dec(&slow->waiting);
	return VM_FAULT_RETRY;
}

static const struct vm_operations_struct test_slow_vm_ops = {
	.fault = test_slow_fault,
};

static int test_slow_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &test_slow_vm_ops;
	return 0;
}

static const struct file_operations test_slow_fops = {
	.mmap = test_slow_mmap,
};

/**
 * test_slow_let() - let its page come
 * @slow: file
 * @bad: as an error
 */
void test_slow_let(struct test_slow *slow, bool bad)
{
	slow->bad = bad;
	WRITE_ONCE(slow->go, true);
	wake_up_all(&slow->wait);
}

/**
 * test_slow_map() - have a page that does not come
 * @test: case
 * @addr: where; memory of the test is there
 *
 * Return: the file.
 */
struct test_slow *test_slow_map(struct kunit *test, u64 addr)
{
	struct test_slow *slow = kunit_kzalloc(test, sizeof(*slow), GFP_KERNEL);
	struct file *file;

	KUNIT_ASSERT_NOT_NULL(test, slow);
	init_waitqueue_head(&slow->wait);
	slow->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, slow->page);
	file = anon_inode_getfile("drm_svm_test", &test_slow_fops, slow, O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, vm_mmap(file, addr, PAGE_SIZE,
				      PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_FIXED, 0), addr);
	fput(file);
	return slow;
}

/**
 * test_slow_unmap() - let it come, and take it away
 * @test: case
 * @slow: file
 * @addr: where it is
 */
void test_slow_unmap(struct kunit *test, struct test_slow *slow, u64 addr)
{
	test_slow_let(slow, false);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	put_page(slow->page);
}

/**
 * test_await() - wait until something is so
 * @cond: is it?
 * @data: for @cond
 *
 * Return: true if it is; false after a minute.
 */
bool test_await(bool (*cond)(void *data), void *data)
{
	unsigned long end = jiffies + TEST_WAIT;

	while (!cond(data) && time_before(jiffies, end))
		fsleep(1000);
	return cond(data);
}

/**
 * test_slow_is_waited_for() - does anybody wait for the page of a file?
 * @data: the file
 *
 * Return: true if so.
 */
bool test_slow_is_waited_for(void *data)
{
	struct test_slow *slow = data;

	return atomic_read(&slow->waiting);
}

/**
 * test_slow_is_left() - does nobody wait for the page of a file?
 * @data: the file
 *
 * Return: true if so.
 */
bool test_slow_is_left(void *data)
{
	return !test_slow_is_waited_for(data);
}
