/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_TEST_RIG_H_
#define _DRM_SVM_TEST_RIG_H_

#include <linux/completion.h>
#include <linux/mmu_notifier.h>

#include "../drm_svm_internal.h"
#include "drm_svm_test_dev.h"

struct kunit;
struct task_struct;

#define TEST_DEVS	2
#define PAGES(n)	((u64)(n) << PAGE_SHIFT)

/**
 * struct test_ctx - what each case has, as &kunit.priv
 * @dev: devices that mirror the address space of the test's thread
 * @attached: they still do
 */
struct test_ctx {
	struct test_dev *dev[TEST_DEVS];
	bool attached[TEST_DEVS];
};

int test_init_formats(struct kunit *test,
		      const struct drm_gpt_format *formats[TEST_DEVS]);
int test_init(struct kunit *test);
void test_exit(struct kunit *test);
struct test_dev *test_dev(struct kunit *test, unsigned int i);
void test_detach(struct kunit *test, unsigned int i);
u64 test_map_prot(struct kunit *test, u64 bytes, unsigned long prot);
u64 test_map(struct kunit *test, u64 bytes);
void test_poke(struct kunit *test, u64 addr, u64 value);
u64 test_peek(struct kunit *test, u64 addr);
u8 test_where(struct kunit *test, struct test_dev *dev, u64 addr);

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

void test_inval_start(struct kunit *test, struct test_inval *inval,
		      struct test_dev *dev, u64 addr);
void test_inval_end(struct test_inval *inval);
void test_await_flushes(struct kunit *test, struct test_dev *dev, int n);

extern struct kunit_suite drm_svm_attr_suite;
extern struct kunit_suite drm_svm_answer_suite;
extern struct kunit_suite drm_svm_fault_suite;
extern struct kunit_suite drm_svm_lane_suite;
extern struct kunit_suite drm_svm_mirror_suite;
extern struct kunit_suite drm_svm_reach_suite;
extern struct kunit_suite drm_svm_memory_suite;

#endif /* _DRM_SVM_TEST_RIG_H_ */
