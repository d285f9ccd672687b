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
#include "drm_svm_planted.h"

/* What hmm_pfn_to_map_order() looks at. */
#define DRM_SVM_PFN_ORDER	(0x1fUL << HMM_PFN_ORDER_SHIFT)

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

/* To what the view has of the range. */
static void drm_svm_walk_clip(struct drm_svm_service *s)
{
	u64 base = s->range->first;

	if (s->view->first > base)
		s->lo = max(s->lo, drm_svm_page_index(s->view->first));
	if (s->view->last < base + DRM_SVM_RANGE_SIZE - 1)
		s->hi = min(s->hi, drm_svm_page_index(s->view->last) + 1);
}

/* What some view maps, and what is wanted. */
static void drm_svm_walk_known_window(struct drm_svm_service *s)
{
	const unsigned long *valid = s->range->valid;

	s->lo = min_t(unsigned int, s->first,
		      find_first_bit(valid, DRM_SVM_RANGE_PAGES));
	s->hi = max_t(unsigned int, s->end,
		      find_last_bit(valid, DRM_SVM_RANGE_PAGES) + 1);
	drm_svm_walk_clip(s);
}

static void drm_svm_walk_words(struct drm_svm_service *s, unsigned int i,
			       unsigned int end)
{
	struct drm_svm_range *range = s->range;

	if (range->pfns)
		memcpy(s->pfns + i, range->pfns + i, (end - i) * sizeof(*s->pfns));
	else
		for (; i < end; i++)
			s->pfns[i] = range->whole + i;
}

static bool drm_svm_walk_mixed(const unsigned long *bits, unsigned int lo,
			       unsigned int hi)
{
	return find_next_bit(bits, hi, lo) < hi && find_next_zero_bit(bits, hi, lo) < hi;
}

/*
 * That pages are mapped as one says that they are alike, and who sees one does not look
 * at the others. What is not all known, or not all to be written, is no such block.
 */
static void drm_svm_walk_unblock(struct drm_svm_service *s)
{
	unsigned int i;

	if (!drm_svm_walk_mixed(s->range->valid, s->lo, s->hi) &&
	    !drm_svm_walk_mixed(s->range->write, s->lo, s->hi))
		return;
	for (i = s->lo; i < s->hi; i++)
		s->pfns[i] &= ~DRM_SVM_PFN_ORDER;
}

/* A page that no view may write is known for reading only. */
static void drm_svm_walk_recall(struct drm_svm_service *s)
{
	struct drm_svm_range *range = s->range;
	unsigned int i, end;

	memset(s->pfns + s->lo, 0, (s->hi - s->lo) * sizeof(*s->pfns));
	i = s->lo;
	for_each_set_bitrange_from(i, end, range->valid, s->hi)
		drm_svm_walk_words(s, i, end);
	i = s->lo;
	for_each_clear_bitrange_from(i, end, range->write, s->hi)
		for (; i < end; i++)
			s->pfns[i] &= ~HMM_PFN_WRITE;
	if (!drm_svm_planted(DRM_SVM_PLANTED_BLOCK_OF_HOLES))
		drm_svm_walk_unblock(s);
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
	drm_svm_walk_known_window(s);
	drm_svm_walk_recall(s);
	return true;
}

static void drm_svm_walk_vma(struct drm_svm_service *s, struct vm_area_struct *vma)
{
	u64 base = s->range->first, last = base + DRM_SVM_RANGE_SIZE - 1;
	unsigned int first = drm_svm_page_index(max_t(u64, vma->vm_start, base));
	unsigned int end = drm_svm_page_index(min_t(u64, vma->vm_end - 1, last)) + 1;

	s->lo = min(s->lo, first);
	s->hi = max(s->hi, end);
	if (drm_svm_vma_secret(vma))
		bitmap_set(s->refused, first, end - first);
	if (drm_svm_vma_read_only(vma))
		bitmap_set(s->read_only, first, end - first);
}

/*
 * The mappings that what is wanted lies in, and between: their pages come along. Which of
 * them are special; hmm does not look.
 */
static void drm_svm_walk_vmas(struct drm_svm_service *s)
{
	u64 base = s->range->first, end;
	struct vm_area_struct *vma;
	struct vma_iterator vmi;

	bitmap_zero(s->refused, DRM_SVM_RANGE_PAGES);
	bitmap_zero(s->read_only, DRM_SVM_RANGE_PAGES);
	s->lo = s->first;
	s->hi = s->end;
	/* What has made way, with others maybe, comes back. */
	if (s->conflicts) {
		s->lo = 0;
		s->hi = DRM_SVM_RANGE_PAGES;
	}
	end = drm_svm_page_addr(base, s->hi);
	vma_iter_init(&vmi, s->smm->mm, drm_svm_page_addr(base, s->lo));
	for_each_vma_range(vmi, vma, end) {
		drm_svm_walk_vma(s, vma);
		/* Mostly there is one. */
		if (vma->vm_end >= end)
			break;
	}
	drm_svm_walk_clip(s);
}

static int drm_svm_walk_read(struct drm_svm_service *s, struct hmm_range *hmm)
{
	unsigned int i;
	int ret;

	memset(s->pfns + s->lo, 0, (s->hi - s->lo) * sizeof(*s->pfns));
	hmm->start = drm_svm_page_addr(s->range->first, s->lo);
	hmm->end = drm_svm_page_addr(s->range->first, s->hi);
	hmm->hmm_pfns = s->pfns + s->lo;
	ret = hmm_range_fault(hmm);
	if (ret)
		return ret == -EBUSY ? -EAGAIN : ret;
	i = s->lo;
	for_each_set_bit_from(i, s->read_only, s->hi)
		s->pfns[i] &= ~HMM_PFN_WRITE;
	return 0;
}

/* Is all of a stretch there, and as it is wanted? */
static bool drm_svm_walk_found(const struct drm_svm_service *s, unsigned int first,
			       unsigned int end)
{
	unsigned long all = HMM_PFN_VALID | HMM_PFN_WRITE, any = 0;
	unsigned int i;

	for (i = first; i < end; i += drm_svm_pages_as_one(s, i, end)) {
		all &= s->pfns[i];
		any |= s->pfns[i];
	}
	if (any & HMM_PFN_ERROR)
		return false;
	return all & HMM_PFN_WRITE ? all & HMM_PFN_VALID :
	       all && find_next_bit(s->want_write, end, first) >= end;
}

/*
 * What is wanted and not as it is wanted. An entry that is there for the CPU only
 * (no struct page behind it) is an error.
 */
static int drm_svm_walk_missing(struct drm_svm_service *s)
{
	unsigned int first = s->first, end, i;

	/* What is refused and wanted is no page to wait for. */
	if (drm_svm_win_and(s, s->missing, s->want, s->refused))
		return -EFAULT;
	bitmap_zero(s->missing, DRM_SVM_RANGE_PAGES);
	for_each_set_bitrange_from(first, end, s->want, s->end) {
		if (drm_svm_walk_found(s, first, end))
			continue;
		for (i = first; i < end; i++) {
			if (s->pfns[i] & HMM_PFN_ERROR)
				return -EFAULT;
			if (!(s->pfns[i] & HMM_PFN_VALID) ||
			    (test_bit(i, s->want_write) &&
			     !(s->pfns[i] & HMM_PFN_WRITE)))
				__set_bit(i, s->missing);
		}
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
	memset(hmm->hmm_pfns, 0,
	       (hmm->end - hmm->start) / PAGE_SIZE * sizeof(*hmm->hmm_pfns));
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
 * @first: first byte, page aligned
 * @nr: pages, of one range
 * @pfns: out, one per page as hmm_range_fault() gives them
 * @idx: out, for drm_svm_pages_read_unlock(): until then the pages can be looked at
 *
 * What is read may be old by the time it is used.
 *
 * Context: may sleep; takes mmap_lock for read.
 * Return: 0; on error @idx is not set: -EINTR, -ESRCH, -ENOMEM, -EBUSY if
 * invalidations never stop, -EAGAIN if mmap_lock is not to be had for now.
 */
int drm_svm_snapshot(struct drm_svm *svm, u64 first, unsigned int nr,
		     unsigned long *pfns, int *idx)
{
	struct hmm_range hmm = {
		.start = first,
		.end = first + ((u64)nr << PAGE_SHIFT),
		.hmm_pfns = pfns,
		.dev_private_owner = (void *)&drm_svm_owner,
	};
	struct drm_svm_window *window = drm_svm_window_get(svm->smm, first);
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
