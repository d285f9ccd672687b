/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_TEST_LEDGER_H_
#define _DRM_SVM_TEST_LEDGER_H_

#include <drm/drm_gpt.h>
#include <drm/drm_svm_fault.h>
#include <drm/drm_svm_gpt.h>

struct kunit;
struct mm_struct;
struct platform_device;

#define LEDGER_SVMS	3
#define LEDGER_RECORDS	8192
#define LEDGER_NO_RESULT	1

/**
 * struct test_entry - a record of the device, and what became of it
 * @svm: index
 * @addr: address
 * @access: what was tried
 * @answers: how often it was answered
 * @result: with what, the last time
 */
struct test_entry {
	unsigned int svm;
	u64 addr;
	enum drm_svm_access access;
	unsigned int answers;
	int result;
};

/**
 * struct test_space - an address space of the device
 * @ledger: back pointer
 * @gpt: table
 * @svm: it
 * @table: @gpt as where it goes
 * @attached: it is in use
 * @gone: fetch does not find it any more
 */
struct test_space {
	struct test_ledger *ledger;
	struct drm_gpt gpt;
	struct drm_svm svm;
	struct drm_svm_gpt table;
	bool attached;
	bool gone;
};

/**
 * struct test_ledger - a device that wants an answer to each record, and counts
 * @pdev: for DMA
 * @sdev: the device
 * @queue: its faults
 * @alive: @queue is in use
 * @space: address spaces
 * @lock: guards the following
 * @entries: records, in the order in which they were written
 * @put: how many were
 * @get: how many were read
 * @strange: answers to what was not read, or with other bytes of the driver's
 * @silent: pauses: while there is one no call is to be made
 * @loud: calls that were made all the same
 * @greedy: fetches that asked for more than there was room for
 */
struct test_ledger {
	struct platform_device *pdev;
	struct drm_svm_device sdev;
	struct drm_svm_fault_queue queue;
	bool alive;
	struct test_space space[LEDGER_SVMS];
	spinlock_t lock;
	struct test_entry entries[LEDGER_RECORDS];
	unsigned int put;
	unsigned int get;
	unsigned int strange;
	unsigned int silent;
	unsigned int loud;
	unsigned int greedy;
};

struct test_ledger *test_ledger_make(struct kunit *test);
void test_ledger_free(struct test_ledger *l);
int test_ledger_init(struct kunit *test);
void test_ledger_exit(struct kunit *test);
int test_space_attach(struct test_ledger *l, unsigned int i, struct mm_struct *mm);
void test_space_stop(struct test_ledger *l, unsigned int i);
unsigned int test_push(struct test_ledger *l, unsigned int svm, u64 addr,
		       enum drm_svm_access access);
int test_result(struct test_ledger *l, unsigned int entry);
unsigned int test_answers(struct test_ledger *l, unsigned int entry);
int test_await_result(struct test_ledger *l, unsigned int entry);
void test_await_fetched(struct kunit *test, struct test_ledger *l);
void test_ledger_check(struct kunit *test, struct test_ledger *l);

#endif /* _DRM_SVM_TEST_LEDGER_H_ */
