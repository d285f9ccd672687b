// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Who asks for a migration: a service, by policy; a program, by request; the
 * CPU, by touching what is on a device; the driver, when its memory goes.
 *
 * The first two hold the service lock. The CPU's fault runs under mmap_lock
 * and takes no lock of ours. What could not be moved is reported, never an
 * error by itself.
 */

#include <linux/delay.h>
#include <linux/hmm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "drm_svm_pagein.h"
#include "drm_svm_pass.h"

/* What one CPU fault brings back, if it is on a device. */
#define DRM_SVM_CPU_FAULT_SIZE	(64UL << 10)
/* How often eviction of a whole region goes round before it sleeps longer. */
#define DRM_SVM_EVICT_TRIES	1000

/**
 * struct drm_svm_placement - where the pages of a range are, by a snapshot
 * @system: in system memory
 * @local: in the device's own
 * @remote: in another device's
 */
struct drm_svm_placement {
	DECLARE_BITMAP(system, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(local, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(remote, DRM_SVM_RANGE_PAGES);
};

static unsigned long *drm_svm_placement_of(struct drm_svm_placement *pl,
					   struct drm_svm *svm,
					   unsigned long pfn)
{
	struct page *page = hmm_pfn_to_page(pfn);

	if (!is_device_private_page(page))
		return pl->system;
	return drm_svm_page_region(page) == svm->region ? pl->local :
							  pl->remote;
}

static int drm_svm_placement_read(struct drm_svm_placement *pl,
				  struct drm_svm *svm, u64 base)
{
	unsigned long *pfns;
	unsigned int i;
	int ret, idx;

	pfns = kvcalloc(DRM_SVM_RANGE_PAGES, sizeof(*pfns), GFP_KERNEL_ACCOUNT);
	if (!pfns)
		return -ENOMEM;
	memset(pl, 0, sizeof(*pl));
	ret = drm_svm_snapshot(svm, base, pfns, &idx);
	if (ret)
		goto out;
	for (i = 0; i < DRM_SVM_RANGE_PAGES; i++)
		if ((pfns[i] & HMM_PFN_VALID) && !(pfns[i] & HMM_PFN_ERROR))
			__set_bit(i, drm_svm_placement_of(pl, svm, pfns[i]));
	drm_svm_pages_read_unlock(idx);
out:
	kvfree(pfns);
	return ret;
}

typedef int (*drm_svm_pass_fn)(struct drm_svm_pass *pass, unsigned int *moved);

static void drm_svm_move_vma(struct drm_svm_pass *pass,
			     struct vm_area_struct *vma, u64 base,
			     const unsigned long *move, drm_svm_pass_fn fn,
			     unsigned int *moved)
{
	u64 start = max_t(u64, vma->vm_start, base);
	u64 end = min_t(u64, vma->vm_end, base + DRM_SVM_RANGE_SIZE);
	unsigned int stop = (end - base) >> PAGE_SHIFT;
	unsigned int first;

	/* File pages have no place on a device. */
	if (fn == drm_svm_pass_to_device && !vma_is_anonymous(vma))
		return;
	first = find_next_bit(move, stop, (start - base) >> PAGE_SHIFT);
	if (first >= stop)
		return;
	pass->mig.vma = vma;
	pass->move = move;
	pass->mig.start = drm_svm_page_addr(base, first);
	pass->mig.end = drm_svm_page_addr(base, find_last_bit(move, stop)) +
			PAGE_SIZE;
	/* A VMA that cannot be migrated, or a failed copy: the pages stay. */
	fn(pass, moved);
}

/* Moves the pages of @move, and makes those of @populate; one pass per VMA. */
static int drm_svm_move(struct drm_svm *svm, u64 base,
			const unsigned long *move,
			const unsigned long *populate, drm_svm_pass_fn fn,
			unsigned int *moved)
{
	struct mm_struct *mm = svm->smm->mm;
	struct vm_area_struct *vma;
	struct drm_svm_pass *pass;
	struct vma_iterator vmi;
	int ret;

	if (bitmap_empty(move, DRM_SVM_RANGE_PAGES))
		return 0;
	pass = drm_svm_pass_make();
	if (!pass)
		return -ENOMEM;
	pass->region = svm->region;
	pass->populate = populate;
	ret = drm_svm_mmap_lock(svm);
	if (ret) {
		kvfree(pass);
		return ret;
	}
	vma_iter_init(&vmi, mm, base);
	for_each_vma_range(vmi, vma, base + DRM_SVM_RANGE_SIZE)
		drm_svm_move_vma(pass, vma, base, move, fn, moved);
	mmap_read_unlock(mm);
	kvfree(pass);
	return 0;
}

static int drm_svm_move_remote(struct drm_svm *svm, u64 base,
			       struct drm_svm_placement *pl,
			       const unsigned long *within)
{
	DECLARE_BITMAP(move, DRM_SVM_RANGE_PAGES);
	unsigned int moved = 0;

	bitmap_and(move, pl->remote, within, DRM_SVM_RANGE_PAGES);
	bitmap_or(pl->system, pl->system, move, DRM_SVM_RANGE_PAGES);
	return drm_svm_move(svm, base, move, NULL, drm_svm_pass_to_ram, &moved);
}

static int drm_svm_move_device(struct drm_svm *svm, u64 base,
			       struct drm_svm_placement *pl,
			       const unsigned long *within,
			       const unsigned long *populate,
			       struct drm_svm_migrate_result *result)
{
	DECLARE_BITMAP(move, DRM_SVM_RANGE_PAGES);
	unsigned int want, moved = 0;
	int ret;

	/* There is no link: another device's memory goes through the system's. */
	ret = drm_svm_move_remote(svm, base, pl, within);
	if (ret)
		return ret;
	bitmap_and(move, pl->system, within, DRM_SVM_RANGE_PAGES);
	if (populate) {
		bitmap_or(move, move, populate, DRM_SVM_RANGE_PAGES);
		bitmap_andnot(move, move, pl->local, DRM_SVM_RANGE_PAGES);
	}
	want = bitmap_weight(move, DRM_SVM_RANGE_PAGES);
	ret = drm_svm_move(svm, base, move, populate, drm_svm_pass_to_device,
			   &moved);
	atomic64_add(moved, &svm->stats.to_device);
	atomic64_add(want - min(want, moved), &svm->stats.to_device_failed);
	result->moved += moved;
	result->failed += want - min(want, moved);
	return ret;
}

static int drm_svm_move_system(struct drm_svm *svm, u64 base,
			       struct drm_svm_placement *pl,
			       const unsigned long *within,
			       struct drm_svm_migrate_result *result)
{
	DECLARE_BITMAP(move, DRM_SVM_RANGE_PAGES);
	unsigned int want, moved = 0;
	int ret;

	bitmap_or(move, pl->local, pl->remote, DRM_SVM_RANGE_PAGES);
	bitmap_and(move, move, within, DRM_SVM_RANGE_PAGES);
	want = bitmap_weight(move, DRM_SVM_RANGE_PAGES);
	ret = drm_svm_move(svm, base, move, NULL, drm_svm_pass_to_ram, &moved);
	result->moved += moved;
	result->failed += want - min(want, moved);
	return ret;
}

/**
 * drm_svm_place() - put the wanted pages of a range where they belong
 * @svm: device address space
 * @base: first byte of the range
 * @want: pages that a service needs
 * @device: to @svm's region, with all of the range whose policy says so;
 *	otherwise the wanted ones to system memory
 *
 * Context: may sleep; takes mmap_lock for read; the service lock over the
 * range and a reference to mm_users are held.
 * Return: 0 also if pages could not move; -ENOMEM, -EINTR, -EBUSY.
 */
int drm_svm_place(struct drm_svm *svm, u64 base, const unsigned long *want,
		  bool device)
{
	DECLARE_BITMAP(within, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(populate, DRM_SVM_RANGE_PAGES);
	struct drm_svm_migrate_result result = {};
	struct drm_svm_placement pl;
	int ret;

	ret = drm_svm_placement_read(&pl, svm, base);
	if (ret)
		return ret;
	if (!device)
		return drm_svm_move_system(svm, base, &pl, want, &result);

	drm_svm_policy_pages(svm, base, within);
	bitmap_and(populate, want, within, DRM_SVM_RANGE_PAGES);
	/* Each pass takes the whole span from the devices: only if it pays. */
	if (bitmap_subset(populate, pl.local, DRM_SVM_RANGE_PAGES))
		return 0;
	return drm_svm_move_device(svm, base, &pl, within, populate, &result);
}

/* Moves *@first to what is mapped next. Return: 1, 0 if nothing is, -EINTR. */
static int drm_svm_skip_hole(struct drm_svm *svm, u64 *first, u64 last)
{
	struct mm_struct *mm = svm->smm->mm;
	struct vm_area_struct *vma;
	int ret = drm_svm_mmap_lock(svm);

	if (ret)
		return ret;
	vma = find_vma_intersection(mm, *first, last + 1);
	if (vma)
		*first = max_t(u64, *first, vma->vm_start);
	mmap_read_unlock(mm);
	return !!vma;
}

static int drm_svm_migrate_range(struct drm_svm *svm, u64 first, u64 last,
				 bool device,
				 struct drm_svm_migrate_result *result)
{
	DECLARE_BITMAP(within, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(there, DRM_SVM_RANGE_PAGES);
	u64 base = first & DRM_SVM_RANGE_MASK;
	struct drm_svm_placement pl;
	struct drm_svm_span span;
	int ret;

	bitmap_zero(within, DRM_SVM_RANGE_PAGES);
	bitmap_set(within, drm_svm_page_index(first),
		   (last - first + 1) >> PAGE_SHIFT);
	ret = drm_svm_span_lock(&svm->smm->spans, &span, first, last);
	if (ret)
		return ret;
	ret = drm_svm_placement_read(&pl, svm, base);
	if (!ret) {
		bitmap_and(there, device ? pl.local : pl.system, within,
			   DRM_SVM_RANGE_PAGES);
		result->there += bitmap_weight(there, DRM_SVM_RANGE_PAGES);
		if (device)
			ret = drm_svm_move_device(svm, base, &pl, within, NULL,
						  result);
		else
			ret = drm_svm_move_system(svm, base, &pl, within,
						  result);
	}
	drm_svm_span_unlock(&svm->smm->spans, &span);
	return ret;
}

/**
 * drm_svm_migrate() - move memory now
 * @svm: device address space
 * @first: first byte, page aligned
 * @last: last byte, of a page
 * @location: DRM_SVM_LOC_SYSTEM or DRM_SVM_LOC_DEVICE
 * @result: out
 *
 * Holes are skipped. Range by range: a fault in between gets its turn.
 *
 * A page that somebody else has a reference to stays, and is counted as failed. That
 * may be a CPU: pages that madvise(MADV_FREE) and others have on their way to another
 * list of the LRU wait in batches, and migrate_vma_setup() empties those of the CPU
 * that it runs on; those of others only for pages on no list yet.
 *
 * Context: may sleep; no lock is held.
 * Return: 0, -ENODEV if the device has no memory, -EFAULT if nothing at all is
 * there, -ESRCH, -ENOMEM, -EINTR, -EBUSY.
 */
int drm_svm_migrate(struct drm_svm *svm, u64 first, u64 last,
		    enum drm_svm_location location,
		    struct drm_svm_migrate_result *result)
{
	struct mm_struct *mm = svm->smm->mm;
	bool device = location == DRM_SVM_LOC_DEVICE;
	int ret;

	memset(result, 0, sizeof(*result));
	if (device && !svm->region)
		return -ENODEV;
	if (!mmget_not_zero(mm))
		return -ESRCH;
	while ((ret = drm_svm_skip_hole(svm, &first, last)) == 1) {
		u64 end = min(last, first | ~DRM_SVM_RANGE_MASK);

		ret = drm_svm_migrate_range(svm, first, end, device, result);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret || end == last)
			break;
		first = end + 1;
		cond_resched();
	}
	mmput_async(mm);
	if (!ret && !result->moved && !result->there && !result->failed)
		ret = -EFAULT;
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_migrate);

static int drm_svm_cpu_fault_pass(struct vm_fault *vmf,
				  struct drm_svm_pass *pass, u64 first, u64 end,
				  bool *done)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned int moved = 0, i;
	int ret;

	pass->mig.vma = vma;
	pass->mig.start = max_t(u64, first, vma->vm_start);
	pass->mig.end = min_t(u64, end, vma->vm_end);
	pass->mig.fault_page = vmf->page;
	ret = drm_svm_pass_to_ram(pass, &moved);
	i = (vmf->address - pass->mig.start) >> PAGE_SHIFT;
	*done = !ret && (pass->src[i] & MIGRATE_PFN_MIGRATE) &&
		(pass->dst[i] & MIGRATE_PFN_VALID);
	return ret;
}

/**
 * drm_svm_migrate_to_ram() - the CPU touched a page that is on a device
 * @vmf: the fault
 *
 * Brings back an aligned block around it, as far as it is on a device.
 *
 * Context: mmap_lock is held for read, the page is locked and referenced.
 * Return: 0, VM_FAULT_OOM, VM_FAULT_SIGBUS if the memory cannot be read.
 */
vm_fault_t drm_svm_migrate_to_ram(struct vm_fault *vmf)
{
	u64 block = ALIGN_DOWN(vmf->address, DRM_SVM_CPU_FAULT_SIZE);
	u64 page = ALIGN_DOWN(vmf->address, PAGE_SIZE);
	struct drm_svm_pass *pass = drm_svm_pass_make();
	bool done = false;
	int ret;

	if (!pass)
		return VM_FAULT_OOM;
	ret = drm_svm_cpu_fault_pass(vmf, pass, block,
				     block + DRM_SVM_CPU_FAULT_SIZE, &done);
	/* The one page alone: its neighbours may have used up the memory. */
	if (!ret && !done)
		ret = drm_svm_cpu_fault_pass(vmf, pass, page, page + PAGE_SIZE,
					     &done);
	if (!ret && !done)
		ret = pass->error;
	kvfree(pass);
	/* Not moved, and no error: somebody else was faster. Fault again. */
	if (!ret)
		return 0;
	return ret == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

/**
 * drm_svm_region_evict_all() - move what processes have in a region to system
 * memory
 * @region: region; nobody migrates to it any more
 *
 * Context: may sleep, long; no lock is held.
 * Return: 0, -ENOMEM if it could not even begin.
 */
int drm_svm_region_evict_all(struct drm_svm_region *region)
{
	unsigned long pfn = region->pagemap.range.start >> PAGE_SHIFT;
	struct drm_svm_pass *pass = drm_svm_pass_make();
	unsigned long i;
	unsigned int tries;

	if (!pass)
		return -ENOMEM;
	for (tries = 0; READ_ONCE(region->nr_used); tries++) {
		for (i = 0; i < region->nr_pages; i += DRM_SVM_RANGE_PAGES) {
			drm_svm_pass_evict(pass, region, pfn + i,
					   min(region->nr_pages - i,
					       DRM_SVM_RANGE_PAGES));
			cond_resched();
		}
		/* Locked or referenced for a moment by somebody: go round. */
		if (READ_ONCE(region->nr_used))
			msleep(tries < DRM_SVM_EVICT_TRIES ? 1 : 100);
		if (tries == DRM_SVM_EVICT_TRIES)
			dev_warn(region->dev,
				 "%lu pages of device memory are still in use\n",
				 region->nr_used);
	}
	kvfree(pass);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_region_evict_all);
