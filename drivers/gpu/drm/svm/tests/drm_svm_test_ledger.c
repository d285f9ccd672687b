// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device that wants an answer to each of its records and keeps a ledger: what came
 * back, how often, and when it should not have.
 */

#include <kunit/test.h>

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "drm_svm_test_ledger.h"
#include "drm_svm_test_slow.h"

/**
 * struct test_priv - what the queue carries for the device
 * @entry: number of the record
 * @check: made of it, so that every byte is looked at
 */
struct test_priv {
	u64 entry;
	u64 check[3];
};

static_assert(sizeof(struct test_priv) == DRM_SVM_FAULT_PRIV);

static void test_priv_make(struct test_priv *priv, u64 entry)
{
	priv->entry = entry;
	priv->check[0] = ~entry;
	priv->check[1] = entry * 0x9e3779b97f4a7c15ULL;
	priv->check[2] = entry + 1;
}

static struct test_space *test_space_of(struct drm_svm *svm)
{
	return container_of(svm, struct test_space, svm);
}

static unsigned int test_ledger_fetch(struct drm_svm_fault_queue *queue,
				      struct drm_svm_fault *faults,
				      unsigned int max)
{
	struct test_ledger *l = container_of(queue, struct test_ledger, queue);
	unsigned int n = 0;

	guard(spinlock)(&l->lock);
	l->loud += !!l->silent;
	l->greedy += max > READ_ONCE(queue->nr_free);
	for (; l->get < l->put && n < max; l->get++) {
		struct test_entry *entry = &l->entries[l->get];
		struct test_space *space = &l->space[entry->svm];

		if (space->gone) {
			entry->answers++;
			entry->result = -ESRCH;
			continue;
		}
		faults[n] = (struct drm_svm_fault) {
			.svm = &space->svm,
			.addr = entry->addr,
			.access = entry->access,
		};
		test_priv_make((struct test_priv *)faults[n++].priv, l->get);
	}
	return n;
}

static const struct drm_svm_fault_queue_ops test_ledger_queue_ops = {
	.fetch = test_ledger_fetch,
};

static void test_ledger_done(struct drm_svm *svm,
			     const struct drm_svm_fault *fault, int result)
{
	const struct test_priv *priv = (const struct test_priv *)fault->priv;
	struct test_ledger *l = test_space_of(svm)->ledger;
	struct test_entry *entry;
	struct test_priv good;

	guard(spinlock)(&l->lock);
	l->loud += !!l->silent;
	test_priv_make(&good, priv->entry);
	if (priv->entry >= l->get || memcmp(&good, priv, sizeof(good))) {
		l->strange++;
		return;
	}
	entry = &l->entries[priv->entry];
	if (&l->space[entry->svm].svm != svm || entry->addr != fault->addr ||
	    entry->access != fault->access)
		l->strange++;
	entry->answers++;
	entry->result = result;
}

static u64 test_ledger_flush_begin(struct drm_svm_gpt *table,
				   struct drm_gpt_gather *gather)
{
	return 1;
}

static int test_ledger_flush_wait(struct drm_svm_gpt *table, u64 token,
				  bool may_sleep)
{
	return 0;
}

static void test_ledger_kill(struct drm_svm_gpt *table, bool may_sleep)
{
	WARN(1, "nothing here can fail to answer\n");
}

static const struct drm_svm_gpt_ops test_ledger_table_ops = {
	.flush_begin = test_ledger_flush_begin,
	.flush_wait = test_ledger_flush_wait,
	.kill = test_ledger_kill,
};

static const struct drm_svm_ops test_ledger_ops = {
	.done = test_ledger_done,
};

/**
 * test_space_attach() - an address space
 * @l: ledger; without a queue, one that has none
 * @i: index
 * @mm: of whom
 *
 * Return: 0 or an error.
 */
int test_space_attach(struct test_ledger *l, unsigned int i, struct mm_struct *mm)
{
	struct test_space *space = &l->space[i];
	struct drm_gpt_config gpt = {
		.dev = &l->pdev->dev,
		.format = &drm_gpt_format_vgem_svm,
		.mem = &drm_gpt_mem_pages,
	};
	struct drm_svm_config config = {
		.device = &l->sdev,
		.ops = &test_ledger_ops,
	};
	int ret;

	memset(space, 0, sizeof(*space));
	space->ledger = l;
	ret = drm_gpt_init(&space->gpt, &gpt);
	if (ret)
		return ret;
	ret = drm_svm_init(&space->svm, mm, &config);
	if (ret)
		goto err_gpt;
	ret = drm_svm_gpt_init(&space->table, &space->svm, &space->gpt,
			       &test_ledger_table_ops);
	if (ret)
		goto err_svm;
	space->attached = true;
	return 0;

err_svm:
	drm_svm_fini(&space->svm);
err_gpt:
	drm_gpt_fini(&space->gpt);
	return ret;
}

/**
 * test_space_stop() - the end of one, as a driver does it
 * @l: ledger
 * @i: index
 */
void test_space_stop(struct test_ledger *l, unsigned int i)
{
	struct test_space *space = &l->space[i];

	spin_lock(&l->lock);
	space->gone = true;
	spin_unlock(&l->lock);
	if (l->alive)
		drm_svm_fault_queue_sync(&l->queue);
	drm_svm_stop(&space->svm);
	drm_svm_gpt_fini(&space->table);
	drm_svm_fini(&space->svm);
	drm_gpt_fini(&space->gpt);
	space->attached = false;
}

/**
 * test_ledger_make() - a device, without address spaces and queue
 * @test: case
 *
 * Return: it, or NULL.
 */
struct test_ledger *test_ledger_make(struct kunit *test)
{
	struct test_ledger *l = kvzalloc_obj(*l, GFP_KERNEL);
	unsigned int i;

	if (!l)
		return NULL;
	spin_lock_init(&l->lock);
	for (i = 0; i < LEDGER_RECORDS; i++)
		l->entries[i].result = LEDGER_NO_RESULT;
	l->queue.nr_slots = DRM_SVM_FAULT_MIN_SLOTS;
	l->pdev = platform_device_register_simple("drm_svm_ledger",
						  PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(l->pdev))
		goto err_free;
	drm_svm_device_init(&l->sdev, &l->pdev->dev);
	l->sdev.system_atomics = true;
	if (dma_coerce_mask_and_coherent(&l->pdev->dev, DMA_BIT_MASK(64)) ||
	    drm_svm_fault_queue_init(&l->queue, &l->sdev, &test_ledger_queue_ops,
				     "ledger"))
		goto err_pdev;
	l->alive = true;
	return l;

err_pdev:
	platform_device_unregister(l->pdev);
err_free:
	kvfree(l);
	return NULL;
}

/**
 * test_ledger_free() - its end
 * @l: ledger
 */
void test_ledger_free(struct test_ledger *l)
{
	unsigned int i;

	for (i = 0; i < LEDGER_SVMS; i++)
		if (l->space[i].attached)
			test_space_stop(l, i);
	if (l->alive)
		drm_svm_fault_queue_fini(&l->queue);
	drm_svm_device_fini(&l->sdev);
	platform_device_unregister(l->pdev);
	kvfree(l);
}

/**
 * test_push() - the device writes a record
 * @l: ledger
 * @svm: index of the address space
 * @addr: address
 * @access: what was tried
 *
 * Return: its number.
 */
unsigned int test_push(struct test_ledger *l, unsigned int svm, u64 addr,
		       enum drm_svm_access access)
{
	unsigned int n;

	spin_lock(&l->lock);
	n = l->put;
	if (n < LEDGER_RECORDS) {
		l->entries[n].svm = svm;
		l->entries[n].addr = addr;
		l->entries[n].access = access;
		l->put++;
	}
	spin_unlock(&l->lock);
	WARN_ON_ONCE(n == LEDGER_RECORDS);
	drm_svm_fault_queue_kick(&l->queue);
	return n;
}

/**
 * test_answers() - how often has a record been answered?
 * @l: ledger
 * @entry: its number
 *
 * Return: so often.
 */
unsigned int test_answers(struct test_ledger *l, unsigned int entry)
{
	guard(spinlock)(&l->lock);
	return l->entries[entry].answers;
}

/**
 * test_result() - what has a record been answered with?
 * @l: ledger
 * @entry: its number
 *
 * Return: the result, LEDGER_NO_RESULT if it has not been yet.
 */
int test_result(struct test_ledger *l, unsigned int entry)
{
	guard(spinlock)(&l->lock);
	return l->entries[entry].result;
}

/**
 * test_await_result() - wait for the answer to a record
 * @l: ledger
 * @entry: its number
 *
 * Return: the result, LEDGER_NO_RESULT if there is none after a minute.
 */
int test_await_result(struct test_ledger *l, unsigned int entry)
{
	unsigned long end = jiffies + TEST_WAIT;

	while (test_result(l, entry) == LEDGER_NO_RESULT &&
	       time_before(jiffies, end))
		fsleep(500);
	return test_result(l, entry);
}

static bool test_ledger_is_fetched(void *data)
{
	struct test_ledger *l = data;

	guard(spinlock)(&l->lock);
	return l->get == l->put;
}

/**
 * test_await_fetched() - wait until all records have been read and sorted in
 * @test: case
 * @l: ledger
 */
void test_await_fetched(struct kunit *test, struct test_ledger *l)
{
	KUNIT_ASSERT_TRUE(test, test_await(test_ledger_is_fetched, l));
	drm_svm_fault_queue_sync(&l->queue);
}

/**
 * test_ledger_check() - every record has had its one answer, and nothing else
 * @test: case
 * @l: ledger
 *
 * Waits for the last one.
 */
void test_ledger_check(struct kunit *test, struct test_ledger *l)
{
	unsigned int i, lost = 0, twice = 0;

	for (i = 0; i < l->put; i++) {
		/* One that is lost is waited for; those after it are not. */
		if (!lost)
			test_await_result(l, i);
		lost += !test_answers(l, i);
		twice += test_answers(l, i) > 1;
	}
	KUNIT_EXPECT_EQ_MSG(test, lost, 0, "of %u records", l->put);
	KUNIT_EXPECT_EQ_MSG(test, twice, 0, "of %u records", l->put);
	KUNIT_EXPECT_EQ(test, l->strange, 0);
	KUNIT_EXPECT_EQ(test, l->loud, 0);
	KUNIT_EXPECT_EQ(test, l->greedy, 0);
}

/**
 * test_ledger_init() - for suites of cases with one address space, the case's own
 * @test: case; its ledger is @priv
 *
 * Return: 0, or an error.
 */
int test_ledger_init(struct kunit *test)
{
	struct test_ledger *l;

	if (kunit_attach_mm())
		return -ENOMEM;
	l = test_ledger_make(test);
	if (!l)
		return -ENOMEM;
	test->priv = l;
	return test_space_attach(l, 0, current->mm);
}

/**
 * test_ledger_exit() - the end of test_ledger_init()
 * @test: case
 */
void test_ledger_exit(struct kunit *test)
{
	if (test->priv)
		test_ledger_free(test->priv);
}
