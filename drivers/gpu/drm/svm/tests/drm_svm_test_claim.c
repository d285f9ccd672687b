// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Addresses that are the driver's: what it maps there stays, to the page, whatever
 * becomes of the process's memory, and what the process has comes back.
 */

#include <kunit/test.h>
#include <kunit/visibility.h>

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include <drm/drm_svm_claim.h>

#include "drm_svm_test_rig.h"

/* Memory that no process has: where buffers are. */
#define TEST_BUFFER	0x7f000000ULL
#define TEST_RING_WORDS	8192
#define TEST_CHURN	50
/* How often the only claim comes and goes. */
#define TEST_LAST	(IS_ENABLED(CONFIG_KASAN) ? 20000 : 200000)

static u64 test_leaf(struct test_dev *dev, u64 addr)
{
	struct drm_gpt_entry entry;

	drm_gpt_lookup(&dev->gpt, addr, &entry);
	return entry.leaf ? (entry.leaf & DRM_GPT_LEAF_ADDR) + addr - entry.first : 0;
}

static bool test_is_buffer(struct test_dev *dev, u64 addr)
{
	return (test_leaf(dev, addr) & ~(SZ_16M - 1ULL)) == TEST_BUFFER;
}

static void test_bind(struct kunit *test, struct test_dev *dev, u64 addr, u32 n)
{
	u64 leaf = TEST_BUFFER | DRM_GPT_LEAF_SYSTEM | DRM_GPT_LEAF_VALID |
		   DRM_GPT_LEAF_WRITE;
	u64 *leaves = kunit_kcalloc(test, n, sizeof(*leaves), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, leaves);
	for (i = 0; i < n; i++)
		leaves[i] = leaf + PAGES(i);
	KUNIT_ASSERT_EQ(test, drm_gpt_map_owner(&dev->gpt, addr, leaves, n,
						DRM_GPT_OWNER_CLAIMED, GFP_KERNEL), 0);
	kunit_kfree(test, leaves);
}

static void test_claim(struct kunit *test, struct test_dev *dev, u64 addr, u32 n)
{
	u32 i;

	KUNIT_ASSERT_EQ(test, drm_svm_claim(&dev->table.view, addr,
					    addr + PAGES(n) - 1), 0);
	for (i = 0; i < n; i++)
		KUNIT_ASSERT_FALSE(test, test_dev_maps(dev, addr + PAGES(i), 0));
	test_bind(test, dev, addr, n);
}

static void test_unbind(struct kunit *test, struct test_dev *dev, u64 addr, u32 n)
{
	struct drm_gpt_gather gather;
	u64 last = addr + PAGES(n) - 1;
	int ret;

	drm_gpt_gather_init(&gather, &dev->gpt);
	do {
		KUNIT_ASSERT_EQ(test, drm_gpt_zap_reserve(&gather, addr, last, true), 0);
		ret = drm_gpt_zap_owner(&gather, addr, last, DRM_GPT_OWNER_CLAIMED);
	} while (ret == -EAGAIN);
	drm_svm_gpt_flush(&dev->table, &gather);
	drm_gpt_gather_fini(&gather);
}

static void test_unclaim(struct kunit *test, struct test_dev *dev, u64 addr, u32 n)
{
	drm_svm_unclaim_begin(&dev->table.view, addr, addr + PAGES(n) - 1);
	test_unbind(test, dev, addr, n);
	drm_svm_unclaim(&dev->table.view, addr, addr + PAGES(n) - 1);
}

static void test_touch(struct kunit *test, struct test_dev *dev, u64 addr)
{
	KUNIT_ASSERT_EQ(test, test_dev_access(dev, addr, DRM_SVM_WRITE), 0);
}

/* An invalidation as the core's, of pages that stay. */
static void test_invalidate(struct kunit *test, struct test_dev *dev, u64 addr, u32 n)
{
	struct test_inval inval;

	test_inval_start_bytes(test, &inval, &dev->svm, addr, PAGES(n));
	test_inval_end(&inval);
}

/* ---- both in one range ------------------------------------------------------- */

static void what_is_claimed_is_the_drivers(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0), *other = test_dev(test, 1);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE), q = p + PAGES(5);
	unsigned int i;

	for (i = 0; i < 16; i++)
		test_poke(test, p + PAGES(i), i);
	test_touch(test, dev, p);
	test_touch(test, other, p);
	KUNIT_EXPECT_TRUE(test, test_dev_maps(dev, q, 0));
	test_claim(test, dev, q, 3);
	/* Neighbours of a fault do not come over what is claimed. */
	test_touch(test, dev, p + PAGES(4));
	test_touch(test, dev, p + PAGES(8));
	for (i = 0; i < 16; i++) {
		KUNIT_EXPECT_EQ(test, test_is_buffer(dev, p + PAGES(i)),
				i >= 5 && i < 8);
		KUNIT_EXPECT_TRUE(test, test_dev_maps(dev, p + PAGES(i), 0));
	}
	/* Another device sees the process's memory, and so does the CPU. */
	KUNIT_EXPECT_TRUE(test, test_dev_maps(other, q, 0));
	KUNIT_EXPECT_FALSE(test, test_is_buffer(other, q));
	KUNIT_EXPECT_EQ(test, test_peek(test, q), 5);
	test_unclaim(test, dev, q, 3);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, q, 0));
	test_touch(test, dev, q);
	KUNIT_EXPECT_FALSE(test, test_is_buffer(dev, q));
}

static void test_serve_odd(struct kunit *test, struct test_dev *dev, u64 base)
{
	unsigned int i;

	for (i = 1; i < DRM_SVM_RANGE_PAGES; i += 2) {
		if (!test_dev_maps(dev, base + PAGES(i), DRM_GPT_LEAF_WRITE))
			KUNIT_ASSERT_EQ(test, drm_svm_handle_fault(&dev->svm,
								   base + PAGES(i),
								   DRM_SVM_WRITE,
								   jiffies + 60 * HZ), 0);
		KUNIT_ASSERT_TRUE(test, test_dev_maps(dev, base + PAGES(i), 0));
	}
}

static void test_claim_survives(struct kunit *test, struct test_dev *dev)
{
	u64 p = test_map(test, 2 * DRM_SVM_RANGE_SIZE);
	unsigned int n = DRM_SVM_RANGE_PAGES, i;
	u64 base = p + DRM_SVM_RANGE_SIZE / 2;

	/* Every other page: there are more runs than anybody reserves for. */
	for (i = 0; i < n; i += 2)
		test_claim(test, dev, base + PAGES(i), 1);
	test_serve_odd(test, dev, base);
	test_invalidate(test, dev, p, 2 * n);
	for (i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, test_leaf(dev, base + PAGES(i)),
				i & 1 ? 0 : TEST_BUFFER);
	/* The whole range goes, and what is bound does not. */
	test_serve_odd(test, dev, base);
	KUNIT_EXPECT_EQ(test, vm_munmap(base, PAGES(n)), 0);
	for (i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, test_leaf(dev, base + PAGES(i)),
				i & 1 ? 0 : TEST_BUFFER);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, base + PAGES(1), DRM_SVM_READ),
			-EFAULT);
	test_unclaim(test, dev, base, n);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, base, DRM_SVM_READ), -EFAULT);
}

static void an_invalidation_leaves_what_is_claimed(struct kunit *test)
{
	test_claim_survives(test, test_dev(test, 0));
}

static void and_so_where_commands_do_it(struct kunit *test)
{
	struct test_dev *dev;

	dev = test_dev_make_ring(current->mm, &drm_gpt_format_vgem_svm,
				 TEST_RING_WORDS);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	test_claim_survives(test, dev);
	/* Who waits for a flush keeps no space from those who need it to end it. */
	KUNIT_EXPECT_EQ(test, dev->ring.kept, 0);
	/* The collector has space too, while it is at work. */
	flush_delayed_work(&dev->svm.smm->gc_work);
	KUNIT_EXPECT_EQ(test, dev->ring.reserved, 0);
	test_dev_detach(dev);
	KUNIT_EXPECT_EQ(test, dev->ring.reserved, 0);
	test_dev_free(dev);
}

/* A large entry is one for the mirror, and a claim takes a page out of it. */
static void a_claim_splits_what_is_large(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	struct drm_svm_migrate_result result;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, drm_svm_migrate(&dev->svm, p, p + DRM_SVM_RANGE_SIZE - 1,
					      DRM_SVM_LOC_DEVICE,
					      DRM_SVM_MIGRATE_POPULATE, &result), 0);
	test_touch(test, dev, p);
	test_claim(test, dev, p + PAGES(100), 1);
	for (i = 0; i < DRM_SVM_RANGE_PAGES; i += 50)
		if (i != 100)
			test_touch(test, dev, p + PAGES(i));
	KUNIT_EXPECT_EQ(test, test_leaf(dev, p + PAGES(100)), TEST_BUFFER);
	KUNIT_EXPECT_FALSE(test, test_is_buffer(dev, p + PAGES(99)));
	KUNIT_EXPECT_FALSE(test, test_is_buffer(dev, p + PAGES(101)));
	test_unclaim(test, dev, p + PAGES(100), 1);
	test_touch(test, dev, p + PAGES(100));
}

/* ---- faults in there --------------------------------------------------------- */

static int test_binds_it(struct test_dev *dev, u64 addr)
{
	u64 leaf = TEST_BUFFER | DRM_GPT_LEAF_SYSTEM | DRM_GPT_LEAF_VALID |
		   DRM_GPT_LEAF_WRITE;

	return drm_gpt_map_owner(&dev->gpt, addr & PAGE_MASK, &leaf, 1,
				 DRM_GPT_OWNER_CLAIMED, GFP_KERNEL);
}

static void a_fault_there_is_the_drivers(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	struct drm_svm_view *view = &dev->table.view;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE), q = p + PAGES(2);

	KUNIT_ASSERT_EQ(test, drm_svm_claim(view, q, q + PAGES(2) - 1), 0);
	KUNIT_EXPECT_EQ(test, drm_svm_handle_fault(&dev->svm, q, DRM_SVM_READ, jiffies),
			-EREMCHG);
	KUNIT_EXPECT_EQ(test, drm_svm_populate(view, p, p + PAGES(4) - 1,
					       DRM_SVM_RIGHT_READ), -EREMCHG);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->claims), 0);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, q, DRM_SVM_WRITE), -EREMCHG);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->claims), 1);
	/* The driver may have it be there after all. */
	dev->claim_result = test_binds_it;
	test_touch(test, dev, q + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->claims), 2);
	KUNIT_EXPECT_TRUE(test, test_is_buffer(dev, q + PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, q, 0));
	/* Faults beside it are no concern of his. */
	test_touch(test, dev, p);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->claims), 2);
	test_unclaim(test, dev, q, 2);
}

static void a_fault_waits_for_what_leaves(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int tries;
	int unit, beside;

	test_claim(test, dev, p, 1);
	drm_svm_unclaim_begin(&dev->table.view, p, p + PAGE_SIZE - 1);
	test_unbind(test, dev, p, 1);
	drm_svm_fault_queue_pause(&dev->queue);
	unit = test_dev_start(dev, p, DRM_SVM_WRITE);
	beside = test_dev_start(dev, p + PAGES(300), DRM_SVM_READ);
	drm_svm_fault_queue_resume(&dev->queue);
	/* What is beside it has nothing to wait for. */
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, beside), 0);
	/* It has been tried, and put off. */
	for (tries = 0; tries < 10000 && !atomic64_read(&dev->svm.stats.requeues); tries++)
		fsleep(1000);
	KUNIT_EXPECT_GT(test, atomic64_read(&dev->svm.stats.requeues), 0);
	KUNIT_EXPECT_LT(test, dev->units[unit].state, TEST_UNIT_DONE);
	drm_svm_unclaim(&dev->table.view, p, p + PAGE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->claims), 0);
}

/* ---- all or nothing ---------------------------------------------------------- */

static void what_cannot_be_claimed_is_refused(struct kunit *test)
{
	struct drm_svm_view *view = &test_dev(test, 0)->table.view;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	KUNIT_EXPECT_EQ(test, drm_svm_claim(view, p + 1, p + PAGE_SIZE - 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_svm_claim(view, p, p + PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_svm_claim(view, p + PAGE_SIZE, p - 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_svm_claim(view, p, view->last + PAGE_SIZE), -EINVAL);
	view->first = p + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, drm_svm_claim(view, p, p + 2 * PAGE_SIZE - 1), -EINVAL);
	view->first = 0;
	view->caps &= ~DRM_SVM_SINK_CLAIMS;
	KUNIT_EXPECT_EQ(test, drm_svm_claim(view, p, p + PAGE_SIZE - 1), -EOPNOTSUPP);
	view->caps |= DRM_SVM_SINK_CLAIMS;
	KUNIT_EXPECT_TRUE(test, mtree_empty(&view->claims));
}

struct test_claimer {
	struct drm_svm_view *view;
	u64 first;
	u64 last;
	int ret;
	struct completion done;
};

static int test_claimer_fn(void *data)
{
	struct test_claimer *claimer = data;

	allow_signal(SIGKILL);
	claimer->ret = drm_svm_claim(claimer->view, claimer->first, claimer->last);
	complete(&claimer->done);
	return 0;
}

/* Its last steps wait for a service, and the address space ends. */
static void a_claim_that_fails_claims_nothing(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = ALIGN(test_map(test, 5 * SZ_32M), SZ_32M), held = p + 2 * SZ_32M;
	struct test_claimer claimer = {
		.view = &dev->table.view, .first = p, .last = p + 3 * SZ_32M - 1,
	};
	struct drm_svm_span span;
	struct task_struct *task;
	unsigned int tries, i;
	int unit;

	init_completion(&claimer.done);
	/* More than are claimed in one step. */
	for (i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test, drm_svm_handle_fault(&dev->svm, p + i * DRM_SVM_RANGE_SIZE,
							   DRM_SVM_READ, jiffies + 60 * HZ), 0);
	test_claim(test, dev, p + PAGES(3), 1);
	KUNIT_ASSERT_EQ(test, drm_svm_span_lock(&dev->svm.smm->spans, &span, held,
						held + PAGE_SIZE - 1), 0);
	task = kthread_run(test_claimer_fn, &claimer, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (tries = 0; tries < 10000; tries++, fsleep(1000))
		if (mtree_load(&claimer.view->claims, p >> PAGE_SHIFT) &&
		    !test_dev_maps(dev, p, 0))
			break;
	KUNIT_EXPECT_LT(test, tries, 10000);
	/* Nothing of it is anybody's yet: a fault waits. */
	unit = test_dev_start(dev, p, DRM_SVM_READ);
	for (tries = 0; tries < 10000 && !atomic64_read(&dev->svm.stats.requeues); tries++)
		fsleep(1000);
	KUNIT_EXPECT_LT(test, dev->units[unit].state, TEST_UNIT_DONE);
	send_sig(SIGKILL, task, 1);
	wait_for_completion(&claimer.done);
	drm_svm_span_unlock(&dev->svm.smm->spans, &span);
	KUNIT_EXPECT_EQ(test, claimer.ret, -EINTR);
	KUNIT_EXPECT_EQ(test, test_dev_wait(dev, unit), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->claims), 0);
	test_touch(test, dev, p);
	test_touch(test, dev, held - PAGE_SIZE);
	/* What was, is. */
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(3), DRM_SVM_READ), 0);
	KUNIT_EXPECT_TRUE(test, test_is_buffer(dev, p + PAGES(3)));
	test_unclaim(test, dev, p + PAGES(3), 1);
}

static unsigned int test_nr_claims(struct drm_svm_view *view)
{
	unsigned long index = 0;
	unsigned int n = 0;
	void *entry;

	mt_for_each(&view->claims, entry, index, ULONG_MAX)
		n++;
	return n;
}

/* It costs what is mapped there, in time and in memory. */
static void a_claim_of_everything_is_small(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	struct drm_svm_view *view = &dev->table.view;
	unsigned int i, n = 3 * 16 + 1;
	u64 p = test_map(test, n * DRM_SVM_RANGE_SIZE);

	for (i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, drm_svm_handle_fault(&dev->svm, p + i * DRM_SVM_RANGE_SIZE,
							   DRM_SVM_READ, jiffies + 60 * HZ), 0);
	test_claim(test, dev, p + PAGES(7), 1);
	KUNIT_ASSERT_EQ(test, drm_svm_claim(view, view->first, view->last), 0);
	KUNIT_EXPECT_EQ(test, test_nr_claims(view), 1);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p + i * DRM_SVM_RANGE_SIZE, 0));
	KUNIT_EXPECT_TRUE(test, test_is_buffer(dev, p + PAGES(7)));
	test_unbind(test, dev, p + PAGES(7), 1);
	drm_svm_unclaim(view, view->first, view->last);
	KUNIT_EXPECT_TRUE(test, mtree_empty(&view->claims));
	test_touch(test, dev, p);
}

/* ---- under way --------------------------------------------------------------- */

struct test_churn {
	struct test_dev *dev;
	u64 addr;
	bool stop;
	struct completion done;
};

static int test_churn_fn(void *data)
{
	struct test_churn *churn = data;
	struct drm_svm_window *window;
	struct mmu_notifier_range range;

	window = drm_svm_window_get(churn->dev->svm.smm, churn->addr);
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, churn->dev->svm.smm->mm,
				churn->addr, churn->addr + DRM_SVM_RANGE_SIZE);
	range.flags |= MMU_NOTIFIER_RANGE_BLOCKABLE;
	while (!READ_ONCE(churn->stop)) {
		drm_svm_notifier_ops.invalidate(&window->notifier, &range,
						window->notifier.invalidate_seq);
		cond_resched();
	}
	drm_svm_window_put(window);
	complete(&churn->done);
	return 0;
}

static void a_claim_beside_invalidations(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_churn churn = { .dev = dev, .addr = p };
	struct task_struct *task;
	unsigned int i, lost = 0, served = 0;

	init_completion(&churn.done);
	task = kthread_run(test_churn_fn, &churn, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < TEST_CHURN; i++) {
		u64 q = p + PAGES(i % DRM_SVM_RANGE_PAGES);

		served += !drm_svm_handle_fault(&dev->svm, q, DRM_SVM_WRITE,
						jiffies + HZ);
		if (drm_svm_claim(&dev->table.view, q, q + PAGE_SIZE - 1))
			break;
		lost += test_dev_maps(dev, q, 0);
		test_bind(test, dev, q, 1);
		drm_svm_handle_fault(&dev->svm, q ^ PAGE_SIZE, DRM_SVM_WRITE,
				     jiffies + HZ);
		lost += !test_is_buffer(dev, q);
		test_unclaim(test, dev, q, 1);
	}
	WRITE_ONCE(churn.stop, true);
	wait_for_completion(&churn.done);
	KUNIT_EXPECT_EQ(test, i, TEST_CHURN);
	KUNIT_EXPECT_EQ(test, lost, 0);
	/* There was something to be taken away. */
	KUNIT_EXPECT_GT(test, served, 0);
}

/* Not to be told of by a lock: who reads may find the tree empty behind him. */
static int test_reader_fn(void *data)
{
	DECLARE_BITMAP(want, DRM_SVM_RANGE_PAGES) = {};
	DECLARE_BITMAP(claimed, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(moving, DRM_SVM_RANGE_PAGES);
	struct test_churn *churn = data;

	while (!READ_ONCE(churn->stop)) {
		drm_svm_claims_read(&churn->dev->table.view, churn->addr, want, claimed,
				    moving);
		cond_resched();
	}
	complete(&churn->done);
	return 0;
}

static void the_last_claim_goes_while_it_is_read(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct test_churn churn = { .dev = dev, .addr = p };
	struct drm_svm_view *view = &dev->table.view;
	struct task_struct *task;
	unsigned int i;

	init_completion(&churn.done);
	task = kthread_run(test_reader_fn, &churn, "drm_svm_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < TEST_LAST; i++) {
		u64 q = p + PAGES(1 + i % 4);

		drm_svm_unclaim_begin(view, q, q + PAGES(4) - 1);
		drm_svm_unclaim(view, q, q + PAGES(4) - 1);
		cond_resched();
	}
	WRITE_ONCE(churn.stop, true);
	wait_for_completion(&churn.done);
	KUNIT_EXPECT_TRUE(test, mtree_empty(&view->claims));
	rcu_barrier();
}

static struct kunit_case claim_cases[] = {
	KUNIT_CASE(what_is_claimed_is_the_drivers),
	KUNIT_CASE(an_invalidation_leaves_what_is_claimed),
	KUNIT_CASE(and_so_where_commands_do_it),
	KUNIT_CASE(a_claim_splits_what_is_large),
	KUNIT_CASE(a_fault_there_is_the_drivers),
	KUNIT_CASE(a_fault_waits_for_what_leaves),
	KUNIT_CASE(what_cannot_be_claimed_is_refused),
	KUNIT_CASE(a_claim_of_everything_is_small),
	KUNIT_CASE_SLOW(a_claim_that_fails_claims_nothing),
	KUNIT_CASE_SLOW(a_claim_beside_invalidations),
	KUNIT_CASE_SLOW(the_last_claim_goes_while_it_is_read),
	{}
};

struct kunit_suite drm_svm_claim_suite = {
	.name = "drm_svm_claim",
	.init = test_init,
	.exit = test_exit,
	.test_cases = claim_cases,
};
