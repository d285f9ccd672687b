// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The walk: what the CPU's page table says about a range, read as it is. It faults
 * nothing in and waits for nothing; what is wanted and not there is a result, and
 * drm_svm_pagein.c's business. It returns the pages of every drm_svm region, and
 * what becomes of them is each view's affair (drm_svm_apply.c).
 *
 * The generation is sampled between mmu_interval_read_begin() and the walk. An
 * invalidation before the sample has set the window's sequence before it, so
 * the walk sees -EBUSY; one after it is seen at commit. The window's sequence
 * itself decides nothing at commit: all ranges of the window share it.
 */

#include <kunit/visibility.h>

#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>

#include "drm_svm_internal.h"
#include "drm_svm_pagein.h"

static int drm_svm_walk_sample(struct drm_svm_service *s)
{
	struct drm_svm_range *range = s->range;

	lockdep_assert_held(&range->lock);
	if (range->dead || !bitmap_empty(range->dying, DRM_SVM_RANGE_PAGES))
		return -EAGAIN;
	s->gen = range->gen;
	bitmap_copy(s->mapped, s->rv->mapped, DRM_SVM_RANGE_PAGES);
	bitmap_copy(s->writable, s->rv->writable, DRM_SVM_RANGE_PAGES);
	return 0;
}

static void drm_svm_walk_recall(struct drm_svm_service *s)
{
	struct drm_svm_range *range = s->range;
	unsigned int i;

	memset(s->pfns, 0, sizeof(s->pfns));
	for_each_set_bit(i, range->valid, DRM_SVM_RANGE_PAGES)
		s->pfns[i] = range->pfns[i] | HMM_PFN_VALID |
			     (test_bit(i, range->write) ? HMM_PFN_WRITE : 0);
	/* What no device may have or write was not mapped so. */
	bitmap_zero(s->refused, DRM_SVM_RANGE_PAGES);
	bitmap_zero(s->read_only, DRM_SVM_RANGE_PAGES);
	bitmap_zero(s->missing, DRM_SVM_RANGE_PAGES);
}

/**
 * drm_svm_walk_known() - is what is wanted known already?
 * @s: the service: @want, @want_write, @range and @rv are set
 *
 * What some view maps is what the CPU's table says, until the generation changes. If
 * that is all that is wanted, as it is wanted, it stands for a walk. What is not
 * known is left out.
 *
 * Context: may sleep; the service lock over the range and
 * drm_svm_pages_read_lock() are held.
 * Return: false if there has to be a walk; otherwise the same is filled in as by
 * drm_svm_walk().
 */
bool drm_svm_walk_known(struct drm_svm_service *s)
{
	struct drm_svm_range *range = s->range;

	guard(mutex)(&range->lock);
	if (drm_svm_walk_sample(s) ||
	    !bitmap_subset(s->want, range->valid, DRM_SVM_RANGE_PAGES) ||
	    !bitmap_subset(s->want_write, range->write, DRM_SVM_RANGE_PAGES))
		return false;
	drm_svm_walk_recall(s);
	return true;
}

/* Which pages are special, by their VMAs; hmm does not look. */
static void drm_svm_walk_vmas(struct drm_svm_service *s)
{
	u64 base = s->range->first;
	struct vm_area_struct *vma;
	struct vma_iterator vmi;

	bitmap_zero(s->refused, DRM_SVM_RANGE_PAGES);
	bitmap_zero(s->read_only, DRM_SVM_RANGE_PAGES);
	vma_iter_init(&vmi, s->smm->mm, base);
	for_each_vma_range(vmi, vma, base + DRM_SVM_RANGE_SIZE) {
		u64 first = max_t(u64, vma->vm_start, base);
		u64 end = min_t(u64, vma->vm_end, base + DRM_SVM_RANGE_SIZE);

		if (drm_svm_vma_secret(vma))
			bitmap_set(s->refused, drm_svm_page_index(first),
				   (end - first) >> PAGE_SHIFT);
		if (drm_svm_vma_read_only(vma))
			bitmap_set(s->read_only, drm_svm_page_index(first),
				   (end - first) >> PAGE_SHIFT);
	}
}

static int drm_svm_walk_read(struct drm_svm_service *s, struct hmm_range *hmm)
{
	unsigned int i;
	int ret;

	memset(s->pfns, 0, sizeof(s->pfns));
	hmm->start = s->range->first;
	hmm->end = s->range->first + DRM_SVM_RANGE_SIZE;
	hmm->hmm_pfns = s->pfns;
	ret = hmm_range_fault(hmm);
	if (ret)
		return ret == -EBUSY ? -EAGAIN : ret;
	for_each_set_bit(i, s->read_only, DRM_SVM_RANGE_PAGES)
		s->pfns[i] &= ~HMM_PFN_WRITE;
	return 0;
}

/*
 * What is wanted and not as it is wanted. An entry that is there for the CPU only
 * (no struct page behind it) is an error.
 */
static int drm_svm_walk_missing(struct drm_svm_service *s)
{
	unsigned int i;

	bitmap_zero(s->missing, DRM_SVM_RANGE_PAGES);
	for_each_set_bit(i, s->want, DRM_SVM_RANGE_PAGES) {
		if ((s->pfns[i] & HMM_PFN_ERROR) || test_bit(i, s->refused))
			return -EFAULT;
		if (!(s->pfns[i] & HMM_PFN_VALID) ||
		    (test_bit(i, s->want_write) &&
		     !(s->pfns[i] & HMM_PFN_WRITE)))
			__set_bit(i, s->missing);
	}
	return 0;
}

/**
 * drm_svm_walk() - read the CPU's table for one range
 * @s: the service: @want, @want_write, @range and @rv are set
 *
 * Fills @pfns, @missing, @refused, @read_only, @gen, @mapped and @writable.
 *
 * Context: may sleep; mmap_lock is held for read, the service lock over the
 * range and a reference to mm_users too. &drm_svm_service.notifier_seq has been read
 * since mmap_lock was taken: who waits for it afterwards has lost to whoever held
 * it.
 * Return: 0, -EAGAIN if an invalidation got in between, -EFAULT for what no device
 * can have, -ENOMEM, -ESRCH if the process is being torn down.
 */
int drm_svm_walk(struct drm_svm_service *s)
{
	struct hmm_range hmm = {
		.notifier = &s->window->notifier,
		.notifier_seq = s->notifier_seq,
		.dev_private_owner = (void *)&drm_svm_owner,
	};
	int ret;

	atomic64_inc(&s->svm->stats.walks);
	/*
	 * The OOM reaper has been here: what is read now is not the process's. Asked
	 * first, since what it could not take away without sleep is dying till the end.
	 */
	if (check_stable_address_space(s->smm->mm))
		return -ESRCH;
	scoped_guard(mutex, &s->range->lock)
		ret = drm_svm_walk_sample(s);
	if (ret)
		return ret;
	drm_svm_walk_vmas(s);
	ret = drm_svm_walk_read(s, &hmm);
	return ret ?: drm_svm_walk_missing(s);
}

static int drm_svm_snapshot_once(struct drm_svm *svm, struct hmm_range *hmm,
				 int *idx)
{
	int ret = drm_svm_mmap_lock(svm);

	if (ret)
		return ret;
	memset(hmm->hmm_pfns, 0, DRM_SVM_RANGE_PAGES * sizeof(*hmm->hmm_pfns));
	/*
	 * Inside mmap_lock, which others may hold for as long as they like, and
	 * after the wait for invalidations, of which a process can have many.
	 */
	hmm->notifier_seq = mmu_interval_read_begin(hmm->notifier);
	*idx = drm_svm_pages_read_lock();
	ret = hmm_range_fault(hmm);
	mmap_read_unlock(svm->smm->mm);
	if (ret)
		drm_svm_pages_read_unlock(*idx);
	return ret;
}

/**
 * drm_svm_snapshot() - read the CPU's table, fault nothing in
 * @svm: device address space
 * @base: first byte of a range
 * @pfns: out, one per page as hmm_range_fault() gives them
 * @idx: out, for drm_svm_pages_read_unlock(): until then the pages can be looked at
 *
 * What is read may be old by the time it is used.
 *
 * Context: may sleep; takes mmap_lock for read.
 * Return: 0; on error @idx is not set: -EINTR, -ESRCH, -ENOMEM, -EBUSY if
 * invalidations never stop, -EAGAIN if mmap_lock is not to be had for now.
 */
int drm_svm_snapshot(struct drm_svm *svm, u64 base, unsigned long *pfns,
		     int *idx)
{
	struct hmm_range hmm = {
		.start = base,
		.end = base + DRM_SVM_RANGE_SIZE,
		.hmm_pfns = pfns,
		.dev_private_owner = (void *)&drm_svm_owner,
	};
	struct drm_svm_window *window = drm_svm_window_get(svm->smm, base);
	unsigned int tries;
	int ret = -EBUSY;

	if (IS_ERR(window))
		return PTR_ERR(window);
	hmm.notifier = &window->notifier;
	for (tries = 0; ret == -EBUSY && tries < 64; tries++)
		ret = drm_svm_snapshot_once(svm, &hmm, idx);
	drm_svm_window_put(window);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_snapshot);
