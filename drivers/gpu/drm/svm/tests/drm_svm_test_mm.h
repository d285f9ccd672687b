/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What suites do with the address space of a case, whatever mirrors it.
 */
#ifndef _DRM_SVM_TEST_MM_H_
#define _DRM_SVM_TEST_MM_H_

#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/uaccess.h>

#include "../drm_svm_internal.h"

#define PAGES(n)	((u64)(n) << PAGE_SHIFT)
/* Generous: nothing that is awaited here takes long by itself. */
#define TEST_TRIES	30000

/**
 * test_map_prot() - memory of the case's process, at the start of a range
 * @test: case
 * @bytes: how much
 * @prot: PROT_*
 *
 * Return: its address.
 */
static inline u64 test_map_prot(struct kunit *test, u64 bytes, unsigned long prot)
{
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, bytes + DRM_SVM_RANGE_SIZE, prot,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return ALIGN(addr, DRM_SVM_RANGE_SIZE);
}

/**
 * test_map() - the same, to be read and written
 * @test: case
 * @bytes: how much
 *
 * Return: its address.
 */
static inline u64 test_map(struct kunit *test, u64 bytes)
{
	return test_map_prot(test, bytes, PROT_READ | PROT_WRITE);
}

/**
 * test_map_small() - too little for a huge page, which would be invalidated whole
 * @test: case
 * @pages: how much
 *
 * Return: its address.
 */
static inline u64 test_map_small(struct kunit *test, unsigned int pages)
{
	unsigned long addr;

	addr = kunit_vm_mmap(test, NULL, 0, PAGES(pages), PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return addr;
}

/**
 * test_poke() - the CPU writes a word
 * @test: case
 * @addr: address in the case's process
 * @value: the word
 */
static inline void test_poke(struct kunit *test, u64 addr, u64 value)
{
	KUNIT_ASSERT_EQ(test, put_user(value, (u64 __user *)addr), 0);
}

/**
 * test_peek() - the CPU reads a word
 * @test: case
 * @addr: address in the case's process
 *
 * Return: the word.
 */
static inline u64 test_peek(struct kunit *test, u64 addr)
{
	u64 value = 0;

	KUNIT_ASSERT_EQ(test, get_user(value, (u64 __user *)addr), 0);
	return value;
}

/**
 * struct test_inval - an invalidation as the core's, in a thread of its own
 * @window: of its first byte
 * @range: what is told
 * @task: the thread
 * @done: the callback has returned
 */
struct test_inval {
	struct drm_svm_window *window;
	struct mmu_notifier_range range;
	struct task_struct *task;
	struct completion done;
};

static inline int test_inval_fn(void *data)
{
	struct test_inval *inval = data;
	struct mmu_interval_notifier *notifier = &inval->window->notifier;

	drm_svm_notifier_ops.invalidate(notifier, &inval->range,
					notifier->invalidate_seq);
	complete(&inval->done);
	return 0;
}

/**
 * test_inval_start_bytes() - begin to invalidate memory
 * @test: case
 * @inval: on the stack, until test_inval_end()
 * @svm: who mirrors it
 * @addr: first byte
 * @bytes: how much, within one window
 */
static inline void test_inval_start_bytes(struct kunit *test,
					  struct test_inval *inval,
					  struct drm_svm *svm, u64 addr, u64 bytes)
{
	*inval = (struct test_inval) {
		.window = drm_svm_window_get(svm->smm, addr),
	};
	KUNIT_ASSERT_FALSE(test, IS_ERR(inval->window));
	init_completion(&inval->done);
	mmu_notifier_range_init(&inval->range, MMU_NOTIFY_CLEAR, 0, current->mm,
				addr, addr + bytes);
	inval->range.flags |= MMU_NOTIFIER_RANGE_BLOCKABLE;
	inval->task = kthread_create(test_inval_fn, inval, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(inval->task));
	get_task_struct(inval->task);
	wake_up_process(inval->task);
}

/**
 * test_inval_start() - begin to invalidate a page
 * @test: case
 * @inval: on the stack, until test_inval_end()
 * @svm: who mirrors it
 * @addr: address of the page
 */
static inline void test_inval_start(struct kunit *test, struct test_inval *inval,
				    struct drm_svm *svm, u64 addr)
{
	test_inval_start_bytes(test, inval, svm, addr, PAGE_SIZE);
}

/**
 * test_inval_end() - wait for its end
 * @inval: begun
 */
static inline void test_inval_end(struct test_inval *inval)
{
	wait_for_completion(&inval->done);
	kthread_stop_put(inval->task);
	drm_svm_window_put(inval->window);
}

/**
 * test_has_range() - is there a record of an address?
 * @smm: address space
 * @addr: address
 *
 * Return: true if there is.
 */
static inline bool test_has_range(struct drm_svm_mm *smm, u64 addr)
{
	return xa_load(&smm->ranges, addr >> DRM_SVM_RANGE_SHIFT);
}

/**
 * test_has_window() - is there a notifier for an address?
 * @smm: address space
 * @addr: address
 *
 * Return: true if there is.
 */
static inline bool test_has_window(struct drm_svm_mm *smm, u64 addr)
{
	return xa_load(&smm->windows, addr >> DRM_SVM_WINDOW_SHIFT);
}

/**
 * test_goes() - wait until it is dropped
 * @smm: address space
 * @addr: address
 * @has: what
 *
 * Return: false if it stays.
 */
static inline bool test_goes(struct drm_svm_mm *smm, u64 addr,
			     bool (*has)(struct drm_svm_mm *smm, u64 addr))
{
	unsigned int tries;

	for (tries = 0; tries < TEST_TRIES && has(smm, addr); tries++)
		fsleep(1000);
	return !has(smm, addr);
}

#endif /* _DRM_SVM_TEST_MM_H_ */
