// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The least that a driver has to bring, over a device that is a few arrays:
 * units that access an address, fault, are parked and try again at a replay.
 */

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "drm_svm_test_dev.h"

#define TEST_TIMEOUT	(60 * HZ)

static struct test_dev *test_of_svm(struct drm_svm *svm)
{
	return container_of(svm, struct test_dev, svm);
}

/* ---- address translation ------------------------------------------------ */

static struct test_dev *test_of_table(struct drm_svm_gpt *table)
{
	return container_of(table, struct test_dev, table);
}

static u64 test_flush_begin(struct drm_svm_gpt *table,
			    struct drm_gpt_gather *gather)
{
	struct test_dev *dev = test_of_table(table);

	WRITE_ONCE(dev->directory, gather->directory);
	test_ring_flush(gather);
	atomic_inc(&dev->begun);
	return 1;
}

static int test_flush_wait(struct drm_svm_gpt *table, u64 token, bool may_sleep)
{
	struct test_dev *dev = test_of_table(table);

	if (dev->ring.words)
		test_ring_look(&dev->ring);
	wait_event(dev->wait, !READ_ONCE(dev->hold_flush));
	atomic_inc(&dev->flushes);
	return 0;
}

/* Two attributes, by turns, where a case wants them. */
static u8 test_leaf_attr(struct drm_svm_gpt *table, u64 va, unsigned long pfn,
			 const struct drm_svm_run *run)
{
	unsigned int pages = READ_ONCE(test_of_table(table)->attr_pages);

	return pages ? (va >> PAGE_SHIFT) / pages & 1 : 0;
}

static void test_kill(struct drm_svm_gpt *table, bool may_sleep)
{
	WARN(1, "nothing here can fail to answer\n");
}

/**
 * test_dev_maps() - does the table let the device at an address?
 * @dev: device
 * @addr: address
 * @flags: DRM_GPT_LEAF_WRITE or 0
 *
 * Return: true if it does.
 */
bool test_dev_maps(struct test_dev *dev, u64 addr, u64 flags)
{
	u64 seq;

	return drm_gpt_mapped(&dev->gpt, addr, addr, DRM_GPT_LEAF_VALID | flags,
			      &seq);
}

/* ---- faults ------------------------------------------------------------- */

/* Return: true if the unit faults. */
static bool test_unit_try(struct test_dev *dev, struct test_unit *unit)
{
	u64 flags = unit->access == DRM_SVM_READ ? 0 : DRM_GPT_LEAF_WRITE;

	if (unit->access == DRM_SVM_ATOMIC)
		flags |= DRM_GPT_LEAF_ATOMIC & dev->format->leaf_bits;
	lockdep_assert_held(&dev->lock);
	if (test_dev_maps(dev, unit->addr, flags)) {
		unit->state = TEST_UNIT_DONE;
		wake_up_all(&dev->wait);
		return false;
	}
	unit->state = TEST_UNIT_FAULTED;
	return true;
}

static unsigned int test_fetch(struct drm_svm_fault_queue *queue,
			       struct drm_svm_fault *faults, unsigned int max)
{
	struct test_dev *dev = container_of(queue, struct test_dev, queue);
	unsigned int i, n = 0;

	guard(spinlock)(&dev->lock);
	for (i = 0; i < dev->nr_units && n < max; i++) {
		struct test_unit *unit = &dev->units[i];

		if (unit->state != TEST_UNIT_FAULTED)
			continue;
		unit->state = TEST_UNIT_PARKED;
		faults[n++] = (struct drm_svm_fault) {
			.svm = &dev->svm,
			.addr = unit->addr,
			.access = unit->access,
			.cookie = i,
		};
	}
	return n;
}

static void test_replay(struct drm_svm *svm)
{
	struct test_dev *dev = test_of_svm(svm);
	bool faults = false;
	unsigned int i;

	atomic_inc(&dev->replays);
	guard(spinlock)(&dev->lock);
	for (i = 0; i < dev->nr_units; i++)
		if (dev->units[i].state == TEST_UNIT_PARKED)
			faults |= test_unit_try(dev, &dev->units[i]);
	if (faults)
		drm_svm_fault_queue_kick(&dev->queue);
}

static void test_cancel(struct drm_svm *svm, const struct drm_svm_fault *fault,
			int error)
{
	struct test_dev *dev = test_of_svm(svm);
	struct test_unit *unit = &dev->units[fault->cookie];

	guard(spinlock)(&dev->lock);
	unit->state = TEST_UNIT_CANCELLED;
	unit->error = error;
	wake_up_all(&dev->wait);
}

static int test_claimed(struct drm_svm *svm, const struct drm_svm_fault *fault)
{
	struct test_dev *dev = test_of_svm(svm);

	atomic_inc(&dev->claims);
	return dev->claim_result ? dev->claim_result(dev, fault->addr) : -EREMCHG;
}

/* Slow, so that who does not wait for it is seen. */
static void test_released(struct drm_svm *svm)
{
	struct test_dev *dev = test_of_svm(svm);

	WRITE_ONCE(dev->in_released, true);
	msleep(20);
	atomic_inc(&dev->released);
	WRITE_ONCE(dev->in_released, false);
}

/**
 * test_dev_start() - let the device access an address
 * @dev: device
 * @addr: address
 * @access: how
 *
 * Return: the unit, for test_dev_wait(); -ENOSPC.
 */
int test_dev_start(struct test_dev *dev, u64 addr, enum drm_svm_access access)
{
	struct test_unit *unit;

	guard(spinlock)(&dev->lock);
	if (dev->nr_units == TEST_UNITS)
		return -ENOSPC;
	unit = &dev->units[dev->nr_units];
	unit->addr = addr;
	unit->access = access;
	if (test_unit_try(dev, unit))
		drm_svm_fault_queue_kick(&dev->queue);
	return dev->nr_units++;
}

static bool test_unit_ended(struct test_dev *dev, struct test_unit *unit)
{
	guard(spinlock)(&dev->lock);
	return unit->state >= TEST_UNIT_DONE;
}

/**
 * test_dev_wait() - wait for the end of an access
 * @dev: device
 * @unit: from test_dev_start()
 *
 * Return: 0, the error it was cancelled with, -ETIMEDOUT if it never ended.
 */
int test_dev_wait(struct test_dev *dev, int unit)
{
	if (unit < 0)
		return unit;
	if (!wait_event_timeout(dev->wait,
				test_unit_ended(dev, &dev->units[unit]),
				TEST_TIMEOUT))
		return -ETIMEDOUT;
	return dev->units[unit].error;
}

/**
 * test_dev_access() - let the device access an address, and wait
 * @dev: device
 * @addr: address
 * @access: how
 *
 * Return: as test_dev_wait().
 */
int test_dev_access(struct test_dev *dev, u64 addr, enum drm_svm_access access)
{
	return test_dev_wait(dev, test_dev_start(dev, addr, access));
}

/* ---- memory ------------------------------------------------------------- */

static int test_copy(struct drm_svm_region *region, enum drm_svm_copy_kind kind,
		     const struct drm_svm_copy *pieces, unsigned int n)
{
	struct test_dev *dev = container_of(region, struct test_dev, region);
	unsigned int i;

	if (dev->copy_error)
		return dev->copy_error;
	atomic_inc(&dev->copies);
	for (i = 0; i < n; i++) {
		void *vram = dev->vram + pieces[i].offset;
		/* No IOMMU before it: a bus address is a physical one. */
		void *ram = phys_to_virt(pieces[i].dma);

		if (kind == DRM_SVM_COPY_TO_DEVICE)
			memcpy(vram, ram, pieces[i].bytes);
		else if (kind == DRM_SVM_COPY_TO_SYSTEM)
			memcpy(ram, vram, pieces[i].bytes);
		else
			memset(vram, 0, pieces[i].bytes);
	}
	return 0;
}

/* ---- life --------------------------------------------------------------- */

static const struct drm_svm_gpt_ops test_table_ops = {
	.flush_begin = test_flush_begin,
	.flush_wait = test_flush_wait,
	.leaf_attr = test_leaf_attr,
	.kill = test_kill,
};

static const struct drm_svm_ops test_svm_ops = {
	.replay = test_replay,
	.cancel = test_cancel,
	.claimed = test_claimed,
	.released = test_released,
};

static const struct drm_svm_fault_queue_ops test_queue_ops = {
	.fetch = test_fetch,
};

static const struct drm_svm_region_ops test_region_ops = {
	.copy = test_copy,
};

/**
 * test_dev_ops() - what a device that is told by replays does
 *
 * Return: its operations.
 */
const struct drm_svm_ops *test_dev_ops(void)
{
	return &test_svm_ops;
}

/**
 * test_dev_region_ops() - what a device does for its memory
 *
 * Return: its operations.
 */
const struct drm_svm_region_ops *test_dev_region_ops(void)
{
	return &test_region_ops;
}

static int test_dev_init_table(struct test_dev *dev)
{
	struct drm_gpt_config config = {
		.dev = &dev->pdev->dev,
		.format = dev->format,
		.mem = &drm_gpt_mem_pages,
	};
	u64 bit = dev->format->attr_bits & -dev->format->attr_bits;

	memset(&dev->gpt, 0, sizeof(dev->gpt));
	dev->attrs[1].set = bit;
	config.attrs = bit ? dev->attrs : NULL;
	config.nr_attrs = bit ? ARRAY_SIZE(dev->attrs) : 0;
	if (dev->ring.words)
		config.cmd = &test_ring_ops;
	return drm_gpt_init(&dev->gpt, &config);
}

/**
 * test_dev_attach() - begin an address space of a device, as a driver does
 * @dev: device, without one
 * @mm: of whom
 *
 * Return: 0 or an error.
 */
int test_dev_attach(struct test_dev *dev, struct mm_struct *mm)
{
	struct drm_svm_config config = {
		.device = &dev->sdev,
		.ops = &test_svm_ops,
	};
	int ret = test_dev_init_table(dev);

	if (ret)
		return ret;
	memset(&dev->svm, 0, sizeof(dev->svm));
	memset(&dev->table, 0, sizeof(dev->table));
	ret = drm_svm_init(&dev->svm, mm, &config);
	if (ret)
		goto err_gpt;
	ret = drm_svm_gpt_init(&dev->table, &dev->svm, &dev->gpt,
			       &test_table_ops);
	if (ret)
		goto err_svm;
	return 0;

err_svm:
	drm_svm_fini(&dev->svm);
err_gpt:
	drm_gpt_fini(&dev->gpt);
	return ret;
}

static bool test_dev_has_memory(const struct test_dev *dev)
{
	return dev->format->leaf_bits & DRM_GPT_LEAF_LOCAL;
}

static int test_dev_init_memory(struct test_dev *dev)
{
	if (!test_dev_has_memory(dev))
		return 0;
	dev->region.base = TEST_VRAM_BASE;
	return drm_svm_region_init(&dev->region, &dev->sdev, TEST_VRAM,
				   &test_region_ops);
}

static void test_dev_fini_memory(struct test_dev *dev)
{
	if (test_dev_has_memory(dev))
		drm_svm_region_fini(&dev->region);
}

static int test_dev_init(struct test_dev *dev, struct mm_struct *mm)
{
	struct device *parent = &dev->pdev->dev;
	int ret;

	drm_svm_device_init(&dev->sdev, parent);
	dev->sdev.system_atomics = true;
	ret = dma_coerce_mask_and_coherent(parent, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	ret = drm_svm_fault_queue_init(&dev->queue, &dev->sdev, &test_queue_ops,
				       "test");
	if (ret)
		return ret;
	ret = test_dev_init_memory(dev);
	if (ret)
		goto err_queue;
	ret = test_dev_attach(dev, mm);
	if (ret)
		goto err_region;
	return 0;

err_region:
	test_dev_fini_memory(dev);
err_queue:
	drm_svm_fault_queue_fini(&dev->queue);
	return ret;
}

/**
 * test_dev_make_ring() - make a device whose table is written by commands
 * @mm: address space
 * @format: of its page table
 * @words: space of the ring; 0: the CPU writes the table
 *
 * Return: the device, attached to the address space, or NULL.
 */
struct test_dev *test_dev_make_ring(struct mm_struct *mm,
				    const struct drm_gpt_format *format, u32 words)
{
	struct test_dev *dev = kvzalloc_obj(*dev, GFP_KERNEL);

	if (!dev)
		return NULL;
	dev->format = format;
	spin_lock_init(&dev->lock);
	init_waitqueue_head(&dev->wait);
	test_ring_init(&dev->ring, words);
	dev->vram = vzalloc(TEST_VRAM);
	dev->pdev = platform_device_register_simple("drm_svm_test",
						    PLATFORM_DEVID_AUTO, NULL,
						    0);
	if (dev->vram && !IS_ERR(dev->pdev) && !test_dev_init(dev, mm))
		return dev;

	if (!IS_ERR(dev->pdev))
		platform_device_unregister(dev->pdev);
	vfree(dev->vram);
	kvfree(dev);
	return NULL;
}

/**
 * test_dev_make() - make a device and attach it to an address space
 * @mm: address space
 * @format: of its page table; without a word for device memory it has none
 *
 * Return: the device, or NULL.
 */
struct test_dev *test_dev_make(struct mm_struct *mm,
			       const struct drm_gpt_format *format)
{
	return test_dev_make_ring(mm, format, 0);
}

/**
 * test_dev_detach() - end the address space of a device, as a driver does
 * @dev: device
 */
void test_dev_detach(struct test_dev *dev)
{
	drm_svm_fault_queue_sync(&dev->queue);
	drm_svm_stop(&dev->svm);
	drm_svm_gpt_fini(&dev->table);
	drm_svm_fini(&dev->svm);
	drm_gpt_fini(&dev->gpt);
}

/**
 * test_dev_free() - end the rest of a detached device
 * @dev: device
 */
void test_dev_free(struct test_dev *dev)
{
	drm_svm_fault_queue_fini(&dev->queue);
	test_dev_fini_memory(dev);
	drm_svm_device_fini(&dev->sdev);
	platform_device_unregister(dev->pdev);
	vfree(dev->vram);
	kvfree(dev);
}
