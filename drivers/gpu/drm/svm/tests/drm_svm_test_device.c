// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a device has (a queue, regions), when that may change, and what a device with
 * two regions does.
 */

#include <kunit/test.h>

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "drm_svm_test_rig.h"

/* What the device calls the first byte of its second region. */
#define MORE_BASE	SZ_2G

/**
 * struct test_more - a second region
 * @region: region
 * @vram: what is behind it
 */
struct test_more {
	struct drm_svm_region region;
	void *vram;
};

static int test_more_copy(struct drm_svm_region *region, enum drm_svm_copy_kind kind,
			  const struct drm_svm_copy *pieces, unsigned int n)
{
	struct test_more *more = container_of(region, struct test_more, region);
	unsigned int i;

	for (i = 0; i < n; i++) {
		void *vram = more->vram + pieces[i].offset;

		if (kind == DRM_SVM_COPY_CLEAR)
			memset(vram, 0, pieces[i].bytes);
		else if (kind == DRM_SVM_COPY_TO_DEVICE)
			memcpy(vram, phys_to_virt(pieces[i].dma), pieces[i].bytes);
		else
			memcpy(phys_to_virt(pieces[i].dma), vram, pieces[i].bytes);
	}
	return 0;
}

static const struct drm_svm_region_ops test_more_ops = {
	.copy = test_more_copy,
};

static struct test_more *test_more_make(struct kunit *test)
{
	struct test_more *more = kunit_kzalloc(test, sizeof(*more), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, more);
	more->region.base = MORE_BASE;
	return more;
}

static int test_count_span(struct resource *res, void *n)
{
	(*(unsigned int *)n)++;
	return 0;
}

/* How many spans of the bus stand for memory of devices. */
static unsigned int test_memory_spans(void)
{
	unsigned int n = 0;

	walk_iomem_res_desc(IORES_DESC_DEVICE_PRIVATE_MEMORY, IORESOURCE_MEM, 0,
			    U64_MAX, &n, test_count_span);
	return n;
}

/* ---- when it may change --------------------------------------------------- */

static void memory_comes_before_address_spaces(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	struct test_more *more = test_more_make(test);
	unsigned int spans = test_memory_spans();

	KUNIT_EXPECT_EQ(test, drm_svm_region_init(&more->region, &dev->sdev, SZ_2M,
						  &test_more_ops), -EBUSY);
	/* What is refused leaves nothing. */
	KUNIT_EXPECT_EQ(test, test_memory_spans(), spans);
	KUNIT_EXPECT_PTR_EQ(test, drm_svm_device_region(&dev->sdev), &dev->region);
	test_detach(test, 0);
	KUNIT_ASSERT_EQ(test, drm_svm_region_init(&more->region, &dev->sdev, SZ_2M,
						  &test_more_ops), 0);
	KUNIT_EXPECT_EQ(test, test_memory_spans(), spans + 1);
	/* New memory goes on to come from the first. */
	KUNIT_EXPECT_PTR_EQ(test, drm_svm_device_region(&dev->sdev), &dev->region);
	drm_svm_region_fini(&more->region);
	KUNIT_EXPECT_EQ(test, test_memory_spans(), spans);
}

static void the_queue_comes_before_address_spaces(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	const struct drm_svm_fault_queue_ops *ops = dev->queue.ops;
	struct drm_svm_fault_queue *queue =
		kunit_kzalloc(test, sizeof(*queue), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, queue);
	/* One is there already. */
	test_detach(test, 0);
	KUNIT_EXPECT_EQ(test, drm_svm_fault_queue_init(queue, &dev->sdev, ops, "more"),
			-EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, dev->sdev.queue, &dev->queue);
	/* There is none, and an address space that knows of none. */
	drm_svm_fault_queue_fini(&dev->queue);
	KUNIT_EXPECT_NULL(test, dev->sdev.queue);
	test_attach(test, 0);
	memset(queue, 0, sizeof(*queue));
	KUNIT_EXPECT_EQ(test, drm_svm_fault_queue_init(queue, &dev->sdev, ops, "more"),
			-EBUSY);
	KUNIT_EXPECT_NULL(test, dev->sdev.queue);
	test_detach(test, 0);
	/* For the rig to end it. */
	memset(&dev->queue, 0, sizeof(dev->queue));
	KUNIT_EXPECT_EQ(test, drm_svm_fault_queue_init(&dev->queue, &dev->sdev, ops,
						       "test"), 0);
}

static void what_goes_too_early_is_told(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);

	kunit_warning_suppress(test) {
		drm_svm_device_fini(&dev->sdev);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 3);
	}
	kunit_warning_suppress(test) {
		drm_svm_region_fini(&dev->region);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	test_detach(test, 0);
	memset(&dev->region, 0, sizeof(dev->region));
	KUNIT_EXPECT_EQ(test, drm_svm_region_init(&dev->region, &dev->sdev, TEST_VRAM,
						  test_dev_region_ops()), 0);
}

/* ---- what regions may be -------------------------------------------------- */

static void regions_that_make_no_sense_are_refused(struct kunit *test)
{
	static const struct {
		u64 base, bytes;
		unsigned int min_shift;
		int ret;
	} bad[] = {
		{ SZ_1G, 0, 0, -EINVAL },
		{ SZ_1G, SZ_2M + 512, 0, -EINVAL },
		{ SZ_1G + 512, SZ_2M, 0, -EINVAL },
		{ -(u64)SZ_1M, SZ_2M, 0, -EINVAL },
		{ SZ_1G, SZ_2M, PAGE_SHIFT + 1, -EOPNOTSUPP },
		{ SZ_1G, SZ_2M, 200, -EOPNOTSUPP },
	};
	struct test_dev *dev = test_dev(test, 0);
	struct test_more *more = test_more_make(test);
	unsigned int i;

	test_detach(test, 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		more->region.base = bad[i].base;
		more->region.min_shift = bad[i].min_shift;
		KUNIT_EXPECT_EQ(test, drm_svm_region_init(&more->region, &dev->sdev,
							  bad[i].bytes,
							  &test_more_ops),
				bad[i].ret);
	}
	/* A device that maps less than a page maps pages too. */
	more->region.min_shift = PAGE_SHIFT - 3;
	KUNIT_ASSERT_EQ(test, drm_svm_region_init(&more->region, &dev->sdev, SZ_2M,
						  &test_more_ops), 0);
	drm_svm_region_fini(&more->region);
}

static void without_memory_nothing_can_be_there(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE), last = p + PAGE_SIZE - 1;
	struct drm_svm_migrate_result result;
	enum drm_svm_location location;

	test_detach(test, 0);
	drm_svm_region_fini(&dev->region);
	test_attach(test, 0);
	test_poke(test, p, 5);
	KUNIT_EXPECT_EQ(test, drm_svm_set_preferred(&dev->svm, p, last,
						    DRM_SVM_LOC_DEVICE), -ENODEV);
	drm_svm_get_preferred(&dev->svm, p, &location);
	KUNIT_EXPECT_EQ(test, location, DRM_SVM_LOC_DEFAULT);
	KUNIT_EXPECT_EQ(test, drm_svm_migrate(&dev->svm, p, last, DRM_SVM_LOC_DEVICE, 0,
					      &result), -ENODEV);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
	test_detach(test, 0);
	/* For the rig to end it. */
	memset(&dev->region, 0, sizeof(dev->region));
	KUNIT_EXPECT_EQ(test, drm_svm_region_init(&dev->region, &dev->sdev, TEST_VRAM,
						  test_dev_region_ops()), 0);
}

/* ---- two regions ---------------------------------------------------------- */

static u64 test_device_addr(struct test_dev *dev, u64 addr)
{
	struct drm_gpt_entry entry;

	drm_gpt_lookup(&dev->gpt, addr, &entry);
	return (entry.leaf & DRM_GPT_LEAF_PLACE) == DRM_GPT_LEAF_LOCAL ?
		       entry.leaf & DRM_GPT_LEAF_ADDR : 0;
}

/* A page on the device, in what is its first region just now. */
static u64 test_place_page(struct kunit *test, struct test_dev *dev, u8 value)
{
	struct drm_svm_migrate_result result;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);

	test_poke(test, p, value);
	KUNIT_ASSERT_EQ(test, drm_svm_set_preferred(&dev->svm, p, p + PAGE_SIZE - 1,
						    DRM_SVM_LOC_DEVICE), 0);
	KUNIT_ASSERT_EQ(test, drm_svm_migrate(&dev->svm, p, p + PAGE_SIZE - 1,
					      DRM_SVM_LOC_DEVICE, 0, &result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, 1);
	return p;
}

/* It is there already, and the device reaches it where it is. */
static void test_is_at_home(struct kunit *test, struct test_dev *dev, u64 p, u64 base)
{
	struct drm_svm_migrate_result result;
	enum drm_svm_location location;
	u64 at;

	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_where(test, test_dev(test, 1), p),
			DRM_SVM_PAGE_REMOTE);
	drm_svm_get_preferred(&dev->svm, p, &location);
	KUNIT_EXPECT_EQ(test, location, DRM_SVM_LOC_DEVICE);
	KUNIT_EXPECT_EQ(test, drm_svm_migrate(&dev->svm, p, p + PAGE_SIZE - 1,
					      DRM_SVM_LOC_DEVICE, 0, &result), 0);
	KUNIT_EXPECT_EQ(test, result.there, 1);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
	at = test_device_addr(dev, p);
	KUNIT_EXPECT_GE(test, at, base);
	KUNIT_EXPECT_LT(test, at, base + SZ_2M);
}

static void memory_of_all_regions_is_the_devices(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	struct test_more *more = test_more_make(test);
	u64 first, second;

	more->vram = vzalloc(SZ_2M);
	KUNIT_ASSERT_NOT_NULL(test, more->vram);
	test_detach(test, 0);
	KUNIT_ASSERT_EQ(test, drm_svm_region_init(&more->region, &dev->sdev, SZ_2M,
						  &test_more_ops), 0);
	test_attach(test, 0);
	first = test_place_page(test, dev, 3);
	/* As if it had been made first; nobody else looks. */
	list_move(&more->region.node, &dev->sdev.regions);
	second = test_place_page(test, dev, 4);
	KUNIT_EXPECT_EQ(test, drm_svm_region_used(&dev->region), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, drm_svm_region_used(&more->region), PAGE_SIZE);

	test_is_at_home(test, dev, first, TEST_VRAM_BASE);
	test_is_at_home(test, dev, second, MORE_BASE);
	KUNIT_EXPECT_EQ(test, test_peek(test, first), 3);
	KUNIT_EXPECT_EQ(test, test_peek(test, second), 4);
	KUNIT_EXPECT_EQ(test, drm_svm_region_used(&more->region), 0);
	test_detach(test, 0);
	drm_svm_region_fini(&more->region);
	vfree(more->vram);
}

static struct kunit_case device_cases[] = {
	KUNIT_CASE(memory_comes_before_address_spaces),
	KUNIT_CASE(the_queue_comes_before_address_spaces),
	KUNIT_CASE(what_goes_too_early_is_told),
	KUNIT_CASE(regions_that_make_no_sense_are_refused),
	KUNIT_CASE(without_memory_nothing_can_be_there),
	KUNIT_CASE(memory_of_all_regions_is_the_devices),
	{}
};

struct kunit_suite drm_svm_device_suite = {
	.name = "drm_svm_device",
	.init = test_init,
	.exit = test_exit,
	.test_cases = device_cases,
};
