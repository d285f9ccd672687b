/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_TEST_RIG_H_
#define _DRM_SVM_TEST_RIG_H_

#include "../drm_svm_internal.h"
#include "../gpt/tests/fmt/formats.h"
#include "drm_svm_test_dev.h"
#include "drm_svm_test_mm.h"

struct kunit;
struct task_struct;

#define TEST_DEVS	2

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
void test_attach(struct kunit *test, unsigned int i);
u8 test_where(struct kunit *test, struct test_dev *dev, u64 addr);

void test_await_flushes(struct kunit *test, struct test_dev *dev, int n);

extern struct kunit_suite drm_svm_device_suite;
extern struct kunit_suite drm_svm_attr_suite;
extern struct kunit_suite drm_svm_answer_suite;
extern struct kunit_suite drm_svm_atomic_suite;
extern struct kunit_suite drm_svm_claim_suite;
extern struct kunit_suite drm_svm_fault_suite;
extern struct kunit_suite drm_svm_lane_suite;
extern struct kunit_suite drm_svm_table_suite;
extern struct kunit_suite drm_svm_reach_suite;
extern struct kunit_suite drm_svm_stall_suite;
extern struct kunit_suite drm_svm_memory_suite;

#endif /* _DRM_SVM_TEST_RIG_H_ */
