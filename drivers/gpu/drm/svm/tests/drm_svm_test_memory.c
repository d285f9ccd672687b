// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What moves to a device and back, and what that costs those who use it. The
 * device's counters are exact here: nobody else uses the address space.
 */

#include <kunit/test.h>

#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/mman.h>
#include <linux/shmem_fs.h>
#include <linux/workqueue.h>

#include <drm/drm_svm_array.h>

#include "../drm_svm_pass.h"
#include "drm_svm_test_rig.h"

#define VRAM_PAGES	(TEST_VRAM >> PAGE_SHIFT)

static void test_prefer(struct kunit *test, struct test_dev *dev, u64 p,
			u64 pages, enum drm_svm_location location)
{
	KUNIT_ASSERT_EQ(test, drm_svm_set_preferred(&dev->svm, p,
						    p + PAGES(pages) - 1,
						    location), 0);
}

static void test_touch(struct kunit *test, struct test_dev *dev, u64 p,
		       unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++)
		KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(i),
						      DRM_SVM_WRITE), 0);
}

static int test_move(struct test_dev *dev, u64 p, u64 pages,
		     enum drm_svm_location location, unsigned int flags,
		     struct drm_svm_migrate_result *result)
{
	return drm_svm_migrate(&dev->svm, p, p + PAGES(pages) - 1, location,
			       flags, result);
}

/* All of device memory, but for some pages of it. */
static void test_fill(struct kunit *test, struct test_dev *dev, u64 but)
{
	struct drm_svm_migrate_result result;
	u64 n = VRAM_PAGES - but, p = test_map(test, PAGES(n));

	KUNIT_ASSERT_EQ(test, test_move(dev, p, n, DRM_SVM_LOC_DEVICE,
					DRM_SVM_MIGRATE_POPULATE, &result), 0);
	KUNIT_ASSERT_EQ(test, result.moved, n);
	KUNIT_ASSERT_EQ(test, drm_svm_region_used(&dev->region), PAGES(n));
}

static u64 test_count(struct test_dev *dev, u64 p, unsigned int pages,
		      u8 location)
{
	u8 *where = kmalloc(pages, GFP_KERNEL);
	unsigned int i, n = 0;

	if (where && !drm_svm_residency(&dev->svm, p, p + PAGES(pages) - 1,
					where))
		for (i = 0; i < pages; i++)
			n += (where[i] & DRM_SVM_PAGE_LOCATION) == location;
	kfree(where);
	return n;
}

/* ---- room ----------------------------------------------------------------- */

static void every_page_can_be_had_and_comes_back(struct kunit *test)
{
	struct drm_svm_region *region = &test_dev(test, 0)->region;
	struct page **pages, *one;
	unsigned int i;

	pages = kunit_kcalloc(test, VRAM_PAGES + 1, sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_EXPECT_EQ(test, drm_svm_region_alloc(region, pages,
						   VRAM_PAGES + 1), VRAM_PAGES);
	KUNIT_EXPECT_TRUE(test, drm_svm_region_full(region));
	KUNIT_EXPECT_EQ(test, drm_svm_region_alloc(region, &one, 1), 0);
	for (i = 1; i < VRAM_PAGES; i++)
		KUNIT_EXPECT_PTR_NE(test, pages[i], pages[i - 1]);

	/* One of the middle is all there is; then it is the next to be had. */
	drm_svm_region_unalloc(region, &pages[700], 1);
	KUNIT_EXPECT_FALSE(test, drm_svm_region_full(region));
	KUNIT_EXPECT_EQ(test, drm_svm_region_alloc(region, &one, 1), 1);
	KUNIT_EXPECT_PTR_EQ(test, one, pages[700]);
	drm_svm_region_unalloc(region, pages, VRAM_PAGES);
	KUNIT_EXPECT_EQ(test, drm_svm_region_used(region), 0);
}

/* Small use goes where there is some already. */
static void whole_blocks_stay_whole(struct kunit *test)
{
	struct drm_svm_region *region = &test_dev(test, 0)->region;
	struct page *a, *b;

	KUNIT_ASSERT_EQ(test, drm_svm_region_alloc(region, &a, 1), 1);
	KUNIT_ASSERT_EQ(test, drm_svm_region_alloc(region, &b, 1), 1);
	KUNIT_EXPECT_EQ(test, page_to_pfn(a) / DRM_SVM_RANGE_PAGES,
			page_to_pfn(b) / DRM_SVM_RANGE_PAGES);
	drm_svm_region_unalloc(region, &a, 1);
	drm_svm_region_unalloc(region, &b, 1);
}

static void a_full_region_costs_nothing(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_stats *stats = &dev->svm.stats;

	test_fill(test, dev, 0);
	test_prefer(test, dev, p, 16, DRM_SVM_LOC_DEVICE);
	test_touch(test, dev, p, 0, 16);
	KUNIT_EXPECT_EQ(test, atomic64_read(&stats->invalidations), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&stats->unmapped), 0);
	KUNIT_EXPECT_EQ(test, test_count(dev, p, 16, DRM_SVM_PAGE_SYSTEM), 16);
}

static void the_last_pages_go_to_who_waits(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int i;

	test_fill(test, dev, 3);
	for (i = 0; i < 16; i++)
		test_poke(test, p + PAGES(i), i);
	test_prefer(test, dev, p, 16, DRM_SVM_LOC_DEVICE);
	test_touch(test, dev, p, 15, 1);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(15)),
			DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_count(dev, p, 16, DRM_SVM_PAGE_LOCAL), 3);
	/* Nobody was taken from the device to find out that there is no more. */
	test_touch(test, dev, p, 8, 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.unmapped), 0);
}

/* ---- pages that somebody holds ---------------------------------------------- */

static struct page *test_hold(struct kunit *test, u64 addr)
{
	struct page *page;

	KUNIT_ASSERT_EQ(test, get_user_pages_fast(addr, 1, FOLL_WRITE, &page),
			1);
	return page;
}

static void a_held_page_is_tried_once(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_stats *stats = &dev->svm.stats;
	struct page *page;

	test_poke(test, p, 1);
	page = test_hold(test, p);
	test_prefer(test, dev, p, 512, DRM_SVM_LOC_DEVICE);
	test_touch(test, dev, p, 1, 32);
	put_page(page);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_EQ(test, test_count(dev, p + PAGES(1), 32,
					 DRM_SVM_PAGE_LOCAL), 32);
	KUNIT_EXPECT_LE(test, atomic64_read(&stats->to_device_failed), 2);
	KUNIT_EXPECT_LE(test, atomic64_read(&stats->unmapped), 1);
}

/* Nor do those between the held ones and what moves lose their mappings. */
static void a_pass_takes_what_it_moves(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int i;

	for (i = 0; i < 12; i += 2)
		test_poke(test, p + PAGES(i), i);
	test_touch(test, dev, p, 0, 1);
	for (i = 0; i < 12; i += 4)
		test_prefer(test, dev, p + PAGES(i), 1, DRM_SVM_LOC_DEVICE);
	test_prefer(test, dev, p + PAGES(20), 1, DRM_SVM_LOC_DEVICE);
	test_touch(test, dev, p, 20, 1);
	for (i = 0; i < 12; i += 2)
		KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(i)),
				i % 4 ? DRM_SVM_PAGE_SYSTEM :
					DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.unmapped), 3);
}

static void a_page_let_go_moves_after_a_change(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct page *page;

	test_poke(test, p, 7);
	page = test_hold(test, p);
	test_prefer(test, dev, p, 512, DRM_SVM_LOC_DEVICE);
	test_touch(test, dev, p, 1, 1);
	put_page(page);
	/* Another page in its place. */
	KUNIT_ASSERT_EQ(test, vm_munmap(p, PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, vm_mmap(NULL, p, PAGE_SIZE,
				      PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				      0), p);
	test_poke(test, p, 8);
	test_touch(test, dev, p, 2, 1);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_peek(test, p), 8);
}

static void a_page_let_go_moves_after_a_time(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct page *page;

	test_poke(test, p, 7);
	page = test_hold(test, p);
	test_prefer(test, dev, p, 512, DRM_SVM_LOC_DEVICE);
	test_touch(test, dev, p, 1, 1);
	put_page(page);
	msleep(1500);
	test_touch(test, dev, p, 2, 1);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
}

static void a_request_moves_what_policy_gave_up(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;
	struct page *page;

	test_poke(test, p, 7);
	page = test_hold(test, p);
	test_prefer(test, dev, p, 512, DRM_SVM_LOC_DEVICE);
	test_touch(test, dev, p, 1, 1);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 2, DRM_SVM_LOC_DEVICE, 0,
					&result), 0);
	KUNIT_EXPECT_EQ(test, result.failed, 1);
	KUNIT_EXPECT_EQ(test, result.there, 1);
	put_page(page);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 2, DRM_SVM_LOC_DEVICE, 0,
					&result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, 1);
	KUNIT_EXPECT_EQ(test, result.failed, 0);
}

struct test_hold {
	struct delayed_work work;
	struct page *page;
};

static void test_hold_end(struct work_struct *work)
{
	struct test_hold *hold = container_of(work, struct test_hold, work.work);

	put_page(hold->page);
}

static void a_request_waits_for_a_short_hold(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;
	struct test_hold hold;
	unsigned int i;

	for (i = 0; i < 4; i++)
		test_poke(test, p + PAGES(i), i);
	hold.page = test_hold(test, p + PAGES(2));
	INIT_DELAYED_WORK_ONSTACK(&hold.work, test_hold_end);
	schedule_delayed_work(&hold.work, msecs_to_jiffies(8));
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 4, DRM_SVM_LOC_DEVICE, 0,
					&result), 0);
	flush_delayed_work(&hold.work);
	destroy_delayed_work_on_stack(&hold.work);
	KUNIT_EXPECT_EQ(test, result.moved, 4);
	KUNIT_EXPECT_EQ(test, result.failed, 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, test_peek(test, p + PAGES(i)), i);
}

/* ---- kinds of memory ------------------------------------------------------ */

static void zero_pages_are_made_on_the_device(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;
	unsigned int i;

	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, test_peek(test, p + PAGES(i)), 0);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 8, DRM_SVM_LOC_DEVICE, 0,
					&result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, 8);
	KUNIT_EXPECT_EQ(test, result.failed, 0);
	KUNIT_EXPECT_EQ(test, test_count(dev, p, 8, DRM_SVM_PAGE_LOCAL), 8);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, test_peek(test, p + PAGES(i)), 0);
}

static void zero_pages_follow_the_attribute(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	unsigned int i;

	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, test_peek(test, p + PAGES(i)), 0);
	test_prefer(test, dev, p, 8, DRM_SVM_LOC_DEVICE);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), 0);
	KUNIT_EXPECT_EQ(test, test_count(dev, p, 8, DRM_SVM_PAGE_LOCAL), 8);
}

/* A private mapping of a file: its second and third page were written to. */
static u64 test_map_private(struct kunit *test, unsigned int pages)
{
	struct file *file = shmem_file_setup("drm_svm_test", PAGES(pages),
					     EMPTY_VMA_FLAGS);
	unsigned long addr;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	addr = kunit_vm_mmap(test, file, 0, PAGES(pages),
			     PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
	fput(file);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	test_peek(test, addr);
	test_poke(test, addr + PAGES(1), 11);
	test_poke(test, addr + PAGES(2), 12);
	return addr;
}

static void private_pages_of_a_file_move(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map_private(test, 4);
	struct drm_svm_migrate_result result;

	KUNIT_EXPECT_EQ(test, test_move(dev, p, 4, DRM_SVM_LOC_DEVICE, 0,
					&result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, 2);
	KUNIT_EXPECT_EQ(test, result.failed, 1);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(1)),
			DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_peek(test, p + PAGES(2)), 12);
}

static void policy_leaves_pages_of_files_alone(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map_private(test, 4);

	test_prefer(test, dev, p, 4, DRM_SVM_LOC_DEVICE);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), 0);
	KUNIT_EXPECT_EQ(test, test_count(dev, p, 3, DRM_SVM_PAGE_SYSTEM), 3);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p + PAGES(1),
					      DRM_SVM_WRITE), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(1)),
			DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, atomic64_read(&dev->svm.stats.to_device_failed),
			0);
}

static void memory_that_is_not_there_is_no_error(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;

	KUNIT_EXPECT_EQ(test, test_move(dev, p, 8, DRM_SVM_LOC_DEVICE, 0,
					&result), 0);
	KUNIT_EXPECT_EQ(test, result.moved + result.there + result.failed, 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(p + PAGES(4), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 8, DRM_SVM_LOC_DEVICE, 0,
					&result), 0);
	KUNIT_EXPECT_EQ(test, test_move(dev, p + PAGES(4), 1,
					DRM_SVM_LOC_DEVICE, 0, &result), -EFAULT);
}

static void it_is_made_on_request(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;
	unsigned int i;

	test_poke(test, p + PAGES(3), 33);
	memset(dev->vram, 0xee, TEST_VRAM);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 8, DRM_SVM_LOC_DEVICE,
					DRM_SVM_MIGRATE_POPULATE, &result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, 8);
	KUNIT_EXPECT_EQ(test, test_count(dev, p, 9, DRM_SVM_PAGE_LOCAL), 8);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, test_peek(test, p + PAGES(i)),
				i == 3 ? 33 : 0);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 8, DRM_SVM_LOC_SYSTEM,
					DRM_SVM_MIGRATE_POPULATE, &result),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 8, DRM_SVM_LOC_DEVICE, BIT(7),
					&result), -EINVAL);
}

/* As much as fits, and what existed before what is new. */
static void what_is_made_ends_where_room_does(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE * 64);
	struct drm_svm_migrate_result result;

	test_fill(test, dev, 5);
	test_poke(test, p + PAGES(500), 1);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 64 * DRM_SVM_RANGE_PAGES,
					DRM_SVM_LOC_DEVICE,
					DRM_SVM_MIGRATE_POPULATE, &result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, 5);
	KUNIT_EXPECT_EQ(test, result.failed, 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(500)),
			DRM_SVM_PAGE_LOCAL);
}

/* No page is made where its first write would go unseen. */
static void nothing_is_made_where_writes_are_tracked(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;
	struct mm_struct *mm = current->mm;

	if (!IS_ENABLED(CONFIG_MEM_SOFT_DIRTY))
		kunit_skip(test, "writes are not tracked in this kernel");
	mmap_write_lock(mm);
	vm_flags_clear(vma_lookup(mm, p), VM_SOFTDIRTY);
	mmap_write_unlock(mm);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 8, DRM_SVM_LOC_DEVICE,
					DRM_SVM_MIGRATE_POPULATE, &result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, 0);
	test_prefer(test, dev, p, 8, DRM_SVM_LOC_DEVICE);
	test_touch(test, dev, p, 0, 1);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
}

/* What clear_refs does that matters to devices. */
static void test_clear_soft_dirty(struct kunit *test, struct test_dev *dev,
				  u64 p)
{
	struct drm_svm_window *window =
		xa_load(&dev->svm.smm->windows, p >> DRM_SVM_WINDOW_SHIFT);
	struct mmu_notifier_range range;

	KUNIT_ASSERT_NOT_NULL(test, window);
	mmu_notifier_range_init(&range, MMU_NOTIFY_SOFT_DIRTY, 0, current->mm,
				0, TASK_SIZE);
	range.flags |= MMU_NOTIFIER_RANGE_BLOCKABLE;
	drm_svm_notifier_ops.invalidate(&window->notifier, &range,
					window->notifier.invalidate_seq);
}

/* It is only by way of system memory that a write is told. */
static void a_write_after_a_clear_goes_by_ram(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;

	if (!IS_ENABLED(CONFIG_MEM_SOFT_DIRTY))
		kunit_skip(test, "writes are not tracked in this kernel");
	test_poke(test, p, 1);
	test_poke(test, p + PAGES(1), 2);
	KUNIT_ASSERT_EQ(test, test_move(dev, p, 2, DRM_SVM_LOC_DEVICE, 0,
					&result), 0);
	test_touch(test, dev, p, 0, 2);
	KUNIT_EXPECT_EQ(test, test_count(dev, p, 2, DRM_SVM_PAGE_LOCAL), 2);

	test_clear_soft_dirty(test, dev, p);
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p, 0));
	test_touch(test, dev, p, 0, 1);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
	/* Its neighbour came along where it is, to be read. */
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p + PAGES(1)),
			DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_TRUE(test, test_dev_maps(dev, p + PAGES(1), 0));
	KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p + PAGES(1),
					       DRM_GPT_LEAF_WRITE));

	/* Placed since: it may be written to where it is. */
	KUNIT_ASSERT_EQ(test, test_move(dev, p, 1, DRM_SVM_LOC_DEVICE, 0,
					&result), 0);
	test_touch(test, dev, p, 0, 1);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_peek(test, p + PAGES(1)), 2);
}

/* ---- much address space, little memory -------------------------------------- */

static unsigned int test_windows(struct drm_svm_mm *smm)
{
	struct drm_svm_window *window;
	unsigned long index;
	unsigned int n = 0;

	xa_for_each(&smm->windows, index, window)
		n++;
	return n;
}

static void empty_terabytes_cost_nothing(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	struct drm_svm_migrate_result result;
	unsigned long p;

	p = kunit_vm_mmap(test, NULL, 0, SZ_1T, PROT_READ | PROT_WRITE,
			  MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(p));
	test_poke(test, p + SZ_1T / 2 + PAGE_SIZE, 5);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, SZ_1T >> PAGE_SHIFT,
					DRM_SVM_LOC_DEVICE, 0, &result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, 1);
	KUNIT_EXPECT_EQ(test, test_count(dev, p, SZ_64M >> PAGE_SHIFT,
					 DRM_SVM_PAGE_NONE),
			SZ_64M >> PAGE_SHIFT);
	/* Address 0 has one from the beginning, and the page that is there. */
	KUNIT_EXPECT_LE(test, test_windows(dev->svm.smm), 2);
}

/* What mprotect(PROT_NONE) does that matters to a walk. */
static void test_forbid(u64 p, bool forbid)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = vma_lookup(mm, p);
	if (forbid)
		vm_flags_clear(vma, VM_READ | VM_WRITE);
	else
		vm_flags_set(vma, VM_READ | VM_WRITE);
	mmap_write_unlock(mm);
}

static void memory_that_nobody_may_touch_comes_back(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	struct drm_svm_migrate_result result;

	test_poke(test, p, 3);
	test_poke(test, p + PAGES(1), 4);
	KUNIT_ASSERT_EQ(test, test_move(dev, p, 2, DRM_SVM_LOC_DEVICE, 0,
					&result), 0);
	test_forbid(p, true);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	KUNIT_EXPECT_EQ(test, test_where(test, test_dev(test, 1), p),
			DRM_SVM_PAGE_REMOTE);
	KUNIT_EXPECT_EQ(test, test_move(dev, p, 2, DRM_SVM_LOC_SYSTEM, 0,
					&result), 0);
	KUNIT_EXPECT_EQ(test, result.moved, 2);
	KUNIT_EXPECT_EQ(test, drm_svm_region_used(&dev->region), 0);
	test_forbid(p, false);
	KUNIT_EXPECT_EQ(test, test_peek(test, p + PAGES(1)), 4);
}

/* What is allocated while the CPU waits for its page. */
static void a_cpu_fault_takes_little(struct kunit *test)
{
	KUNIT_EXPECT_LE(test, drm_svm_pass_bytes(DRM_SVM_CPU_FAULT_PAGES),
			SZ_2K);
}

/* An attribute outlives the device that it names, and names no other. */
static void an_attribute_names_no_later_device(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	u64 p = test_map(test, DRM_SVM_RANGE_SIZE);
	enum drm_svm_location location;
	unsigned int i;

	test_prefer(test, ctx->dev[0], p, 1, DRM_SVM_LOC_DEVICE);
	test_detach(test, 0);
	test_dev_free(ctx->dev[0]);
	for (i = 0; i < 2; i++) {
		ctx->dev[0] = test_dev_make(current->mm,
					    &drm_gpt_format_vgem_svm);
		KUNIT_ASSERT_NOT_NULL(test, ctx->dev[0]);
		ctx->attached[0] = true;
		drm_svm_get_preferred(&ctx->dev[0]->svm, p, &location);
		KUNIT_EXPECT_EQ(test, location, DRM_SVM_LOC_SYSTEM);
		if (i)
			break;
		test_detach(test, 0);
		test_dev_free(ctx->dev[0]);
		ctx->dev[0] = NULL;
	}
}

/* ---- what goes into the table ------------------------------------------- */

static u64 test_leaf(struct test_dev *dev, u64 addr)
{
	struct drm_gpt_entry entry;

	drm_gpt_lookup(&dev->gpt, addr, &entry);
	return entry.leaf;
}

/* The device does not count from 0. */
static void device_memory_has_a_base(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, PAGES(4)), leaf;
	struct drm_svm_migrate_result result;

	KUNIT_ASSERT_EQ(test, test_move(dev, p, 1, DRM_SVM_LOC_DEVICE,
					DRM_SVM_MIGRATE_POPULATE, &result), 0);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), 0);
	leaf = test_leaf(dev, p);
	KUNIT_EXPECT_EQ(test, leaf & DRM_GPT_LEAF_PLACE, DRM_GPT_LEAF_LOCAL);
	KUNIT_EXPECT_GE(test, leaf & DRM_GPT_LEAF_ADDR, TEST_VRAM_BASE);
	KUNIT_EXPECT_LT(test, leaf & DRM_GPT_LEAF_ADDR, TEST_VRAM_BASE + TEST_VRAM);
}

/* Some devices keep to what they have cached. */
static void more_rights_are_flushed_where_asked_for(struct kunit *test)
{
	u64 p = test_map(test, PAGES(8));
	unsigned int i;
	int begun;

	for (i = 0; i < 2; i++) {
		struct test_dev *dev = test_dev(test, i);

		dev->table.view.caps |= i ? DRM_SVM_SINK_FLUSH_UPGRADES : 0;
		test_poke(test, p, 1);
		KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), 0);
		KUNIT_EXPECT_FALSE(test, test_dev_maps(dev, p, DRM_GPT_LEAF_WRITE));
		begun = atomic_read(&dev->begun);
		KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
		KUNIT_EXPECT_TRUE(test, test_dev_maps(dev, p, DRM_GPT_LEAF_WRITE));
		KUNIT_EXPECT_EQ(test, atomic_read(&dev->begun) - begun, i);
		KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&dev->begun) - begun, i);
	}
}

static int test_no_wait(struct drm_svm_array *array, u64 token, bool may_sleep)
{
	return 0;
}

/* A sink that knows bus addresses only, of a device with memory that is preferred. */
static void who_knows_no_device_memory_gets_the_systems(struct kunit *test)
{
	static const struct drm_svm_array_ops ops = { .revoked = test_no_wait };
	struct test_dev *dev = test_dev(test, 0);
	struct drm_svm_array *array = kunit_kzalloc(test, sizeof(*array), GFP_KERNEL);
	u64 p = test_map(test, PAGES(4));

	KUNIT_ASSERT_NOT_NULL(test, array);
	test_prefer(test, dev, p, 4, DRM_SVM_LOC_DEVICE);
	test_poke(test, p, 1);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_READ), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_LOCAL);
	KUNIT_ASSERT_EQ(test, drm_svm_array_init(array, &dev->svm, p,
						 p + PAGES(4) - 1, 0,
						 DRM_SVM_RIGHT_READ, &ops), 0);
	KUNIT_EXPECT_EQ(test, drm_svm_populate(&array->view, p, p + PAGES(4) - 1,
					       DRM_SVM_RIGHT_READ), 0);
	KUNIT_EXPECT_NE(test, READ_ONCE(array->entries[0]), 0);
	KUNIT_EXPECT_EQ(test, test_where(test, dev, p), DRM_SVM_PAGE_SYSTEM);
	drm_svm_array_fini(array);
}

static void leaves_have_the_drivers_attributes(struct kunit *test)
{
	struct test_dev *dev = test_dev(test, 0);
	u64 p = test_map(test, PAGES(64)), attr;
	unsigned int i;

	/* Contiguous device memory, so that a run is longer than an attribute goes. */
	test_prefer(test, dev, p, 64, DRM_SVM_LOC_DEVICE);
	for (i = 0; i < 64; i++)
		test_poke(test, p + PAGES(i), i);
	WRITE_ONCE(dev->attr_pages, 3);
	KUNIT_EXPECT_EQ(test, test_dev_access(dev, p, DRM_SVM_WRITE), 0);
	for (i = 0; i < 64; i++) {
		attr = FIELD_GET(DRM_GPT_LEAF_ATTR, test_leaf(dev, p + PAGES(i)));
		KUNIT_EXPECT_EQ(test, attr, ((p >> PAGE_SHIFT) + i) / 3 & 1);
	}
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(every_page_can_be_had_and_comes_back),
	KUNIT_CASE(whole_blocks_stay_whole),
	KUNIT_CASE(a_full_region_costs_nothing),
	KUNIT_CASE(the_last_pages_go_to_who_waits),
	KUNIT_CASE(a_held_page_is_tried_once),
	KUNIT_CASE(a_pass_takes_what_it_moves),
	KUNIT_CASE(a_page_let_go_moves_after_a_change),
	KUNIT_CASE(a_page_let_go_moves_after_a_time),
	KUNIT_CASE(a_request_moves_what_policy_gave_up),
	KUNIT_CASE(a_request_waits_for_a_short_hold),
	KUNIT_CASE(zero_pages_are_made_on_the_device),
	KUNIT_CASE(zero_pages_follow_the_attribute),
	KUNIT_CASE(private_pages_of_a_file_move),
	KUNIT_CASE(policy_leaves_pages_of_files_alone),
	KUNIT_CASE(memory_that_is_not_there_is_no_error),
	KUNIT_CASE(it_is_made_on_request),
	KUNIT_CASE(what_is_made_ends_where_room_does),
	KUNIT_CASE(nothing_is_made_where_writes_are_tracked),
	KUNIT_CASE(a_write_after_a_clear_goes_by_ram),
	KUNIT_CASE(empty_terabytes_cost_nothing),
	KUNIT_CASE(memory_that_nobody_may_touch_comes_back),
	KUNIT_CASE(a_cpu_fault_takes_little),
	KUNIT_CASE(an_attribute_names_no_later_device),
	KUNIT_CASE(device_memory_has_a_base),
	KUNIT_CASE(more_rights_are_flushed_where_asked_for),
	KUNIT_CASE(who_knows_no_device_memory_gets_the_systems),
	KUNIT_CASE(leaves_have_the_drivers_attributes),
	{}
};

struct kunit_suite drm_svm_memory_suite = {
	.name = "drm_svm_memory",
	.init = test_init,
	.exit = test_exit,
	.test_cases = memory_cases,
};
