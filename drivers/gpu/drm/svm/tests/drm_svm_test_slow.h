/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_TEST_SLOW_H_
#define _DRM_SVM_TEST_SLOW_H_

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/wait.h>

struct kunit;

/* Nothing here takes so long. */
#define TEST_WAIT	(60 * HZ)

/**
 * struct test_slow - the file
 * @page: what it has, if it has come
 * @go: pages come
 * @bad: they are errors then
 * @waiting: faults that wait
 * @wait: woken by @go
 */
struct test_slow {
	struct page *page;
	bool go;
	bool bad;
	atomic_t waiting;
	wait_queue_head_t wait;
};

struct test_slow *test_slow_map(struct kunit *test, u64 addr);
void test_slow_unmap(struct kunit *test, struct test_slow *slow, u64 addr);
void test_slow_let(struct test_slow *slow, bool bad);
bool test_slow_is_waited_for(void *data);
bool test_slow_is_left(void *data);
bool test_await(bool (*cond)(void *data), void *data);

#endif /* _DRM_SVM_TEST_SLOW_H_ */
