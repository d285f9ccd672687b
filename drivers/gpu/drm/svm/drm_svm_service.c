// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Service of one range for one device: make wanted pages accessible.
 *
 *	place (policy, migration) -> walk -> missing? fault in, walk again ->
 *	DMA map -> prepare the table ->
 *	under the range's lock: generation unchanged? commit : undo, go round
 *
 * All of it under the service lock of the range. Rounds are bounded: who loses
 * them all gets -EAGAIN and tries again later; that is no error of the access.
 *
 * From the walk to the commit pages of other devices' regions are looked at, so it
 * is an SRCU section that the end of any region waits for. Nothing in it waits for
 * a page to come. What may be long in coming is not waited for here at all: the
 * others are served, and the caller is told which are held.
 *
 * Neighbours come along where they can. What is wrong with one of them (it cannot be
 * mapped for DMA, the format has no word for its address) is its own affair.
 */

#include <kunit/visibility.h>

#include <linux/hmm.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "drm_svm_internal.h"
#include "drm_svm_pagein.h"
#include "drm_svm_planted.h"

#define DRM_SVM_ROUNDS	16
/* Rounds lost before the next keeps others from changing mappings. */
#define DRM_SVM_PATIENCE	2

static bool drm_svm_leaf_valid(void *data)
{
	struct drm_svm_service *s = data;

	return s->range->gen == s->gen ||
	       drm_svm_planted(DRM_SVM_PLANTED_NO_GEN);
}

/* Is the page one that the device may be given, and where is it? */
static struct page *drm_svm_usable_page(struct drm_svm_service *s,
					unsigned int i)
{
	unsigned long pfn = s->pfns[i];

	if (!(pfn & HMM_PFN_VALID) || (pfn & HMM_PFN_ERROR) ||
	    test_bit(i, s->refused))
		return NULL;
	return hmm_pfn_to_page(pfn);
}

/* Where it is it would be written unseen: soft-dirty bits were cleared since. */
static bool drm_svm_stale(struct drm_svm_service *s, unsigned int i)
{
	struct page *page = hmm_pfn_to_page(s->pfns[i]);

	return is_device_private_page(page) &&
	       drm_svm_page_soft_stale(s->smm, page);
}

static u64 drm_svm_leaf_flags(struct drm_svm_service *s, unsigned int i)
{
	u64 flags = DRM_GPT_LEAF_VALID;

	/*
	 * Neighbours are writable only if the fault was a write: else a later
	 * write faults and is known.
	 */
	if ((s->pfns[i] & HMM_PFN_WRITE) && !drm_svm_stale(s, i) &&
	    (s->write || test_bit(i, s->writable)))
		flags |= DRM_GPT_LEAF_WRITE | DRM_GPT_LEAF_ATOMIC;
	/* Some formats do not tell atomics from writes. */
	return flags & s->svm->gpt->format->leaf_bits;
}

/* Sorts pages: leaves of device memory are known, system pages want DMA. */
static int drm_svm_sort_page(struct drm_svm_service *s, unsigned int i,
			     unsigned long *system)
{
	struct page *page = drm_svm_usable_page(s, i);
	struct drm_svm_region *region;

	if (!page)
		return 0;
	if (is_device_private_page(page)) {
		region = drm_svm_page_region(page);
		if (region == s->svm->region) {
			s->leaves[i] = drm_svm_leaf_flags(s, i) |
				DRM_GPT_LEAF_LOCAL |
				drm_svm_region_offset(region, page_to_pfn(page));
			if (drm_svm_stale(s, i) && test_bit(i, s->want_write))
				s->foreign = true;
		} else if (test_bit(i, s->want)) {
			s->foreign = true;
		}
		return 0;
	}
	/* Peer-to-peer and coherent memory need a link: there is none yet. */
	if (is_zone_device_page(page))
		return test_bit(i, s->want) ? -EOPNOTSUPP : 0;
	__set_bit(i, system);
	return 0;
}

static int drm_svm_sort(struct drm_svm_service *s, unsigned long *system)
{
	unsigned int i;
	int ret;

	s->foreign = false;
	memset(s->leaves, 0, sizeof(s->leaves));
	bitmap_zero(system, DRM_SVM_RANGE_PAGES);
	for (i = 0; i < DRM_SVM_RANGE_PAGES; i++) {
		ret = drm_svm_sort_page(s, i, system);
		if (ret)
			return ret;
	}
	return 0;
}

static bool drm_svm_in_table(struct drm_svm_service *s, unsigned int first,
			     unsigned int end)
{
	u64 base = s->range->first, seq;

	return drm_gpt_mapped(s->svm->gpt, drm_svm_page_addr(base, first),
			      drm_svm_page_addr(base, end) - 1,
			      DRM_GPT_LEAF_VALID, &seq);
}

/* Neighbours that were mapped by a read, and come along with a write now. */
static bool drm_svm_upgrades(struct drm_svm_service *s, unsigned int i)
{
	return s->write && (s->pfns[i] & HMM_PFN_WRITE) &&
	       !test_bit(i, s->writable) &&
	       !drm_svm_planted(DRM_SVM_PLANTED_NO_UPGRADE);
}

/*
 * Neighbours that the device maps already stay as they are. The table is asked
 * too: those of a large leaf that went whole are recorded as mapped, and come
 * back with what they have.
 */
static void drm_svm_keep_mapped(struct drm_svm_service *s,
				unsigned long *system)
{
	DECLARE_BITMAP(keep, DRM_SVM_RANGE_PAGES);
	unsigned int first, end, i;

	bitmap_andnot(keep, s->mapped, s->want, DRM_SVM_RANGE_PAGES);
	for_each_set_bit(i, keep, DRM_SVM_RANGE_PAGES)
		if (drm_svm_upgrades(s, i))
			__clear_bit(i, keep);
	for_each_set_bitrange(first, end, keep, DRM_SVM_RANGE_PAGES) {
		bool all = drm_svm_in_table(s, first, end);

		for (i = first; i < end; i++) {
			if (!all && !drm_svm_in_table(s, i, i + 1))
				continue;
			s->leaves[i] = 0;
			__clear_bit(i, system);
		}
	}
}

static void drm_svm_system_leaves(struct drm_svm_service *s,
				  const unsigned long *system)
{
	unsigned int i;

	for_each_set_bit(i, system, DRM_SVM_RANGE_PAGES) {
		dma_addr_t dma = test_bit(i, s->fresh) ? s->dma[i] :
							 drm_svm_rd_addr(s->rd, i);

		s->leaves[i] = dma | drm_svm_leaf_flags(s, i) |
			       DRM_GPT_LEAF_SYSTEM;
	}
}

static void drm_svm_record_page(struct drm_svm_service *s, unsigned int i)
{
	struct drm_svm_range *range = s->range;
	struct drm_svm_range_dev *rd = s->rd;
	u64 leaf = s->leaves[i];

	range->pfns[i] = page_to_pfn(hmm_pfn_to_page(s->pfns[i]));
	__set_bit(i, range->valid);
	if (test_bit(i, s->fresh)) {
		/* From here on the mapping is the range's. */
		if (!rd->use_iova)
			rd->dma[i] = s->dma[i];
		__set_bit(i, rd->system);
		__clear_bit(i, s->fresh);
	}
	if (!__test_and_set_bit(i, rd->mapped))
		atomic64_inc((leaf & DRM_GPT_LEAF_APERTURE) ==
			     DRM_GPT_LEAF_LOCAL ? &s->svm->stats.map_device :
						  &s->svm->stats.map_system);
	if (leaf & DRM_GPT_LEAF_WRITE) {
		__set_bit(i, range->write);
		__set_bit(i, rd->writable);
	}
}

/*
 * Under the range's lock: nothing here allocates, and what is in the table is
 * recorded before anybody else gets the lock, also if the commit failed half way.
 */
static int drm_svm_commit_locked(struct drm_svm_service *s,
				 struct drm_gpt_update *up)
{
	unsigned int i, n;
	int ret;

	lockdep_assert_held(&s->range->lock);
	if (s->range->dead || !drm_svm_leaf_valid(s))
		return -EAGAIN;
	ret = drm_gpt_commit(up, s->range->first, s->leaves,
			     DRM_SVM_RANGE_PAGES, drm_svm_leaf_valid, s);
	n = ret ? up->done : DRM_SVM_RANGE_PAGES;
	for (i = 0; i < n; i++)
		if (s->leaves[i])
			drm_svm_record_page(s, i);
	return ret;
}

/*
 * What a commit would refuse half way, with the pages before it mapped already. A
 * neighbour that the format has no word for stays behind.
 */
static bool drm_svm_expressible(struct drm_svm_service *s)
{
	u64 bits = s->svm->gpt->format->leaf_bits;
	unsigned int i;

	for (i = 0; i < DRM_SVM_RANGE_PAGES; i++) {
		if (!(s->leaves[i] & ~bits))
			continue;
		if (test_bit(i, s->want))
			return false;
		s->leaves[i] = 0;
	}
	return true;
}

static int drm_svm_commit(struct drm_svm_service *s)
{
	struct drm_gpt *gpt = s->svm->gpt;
	struct drm_gpt_update up;
	int ret;

	if (!drm_svm_expressible(s))
		return -EOPNOTSUPP;
	ret = drm_gpt_prepare(gpt, &up, s->range->first,
			      s->range->first + DRM_SVM_RANGE_SIZE - 1, 0,
			      GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	mutex_lock(&s->range->lock);
	ret = drm_svm_commit_locked(s, &up);
	mutex_unlock(&s->range->lock);

	/* Also if it failed: what it linked may be another's table too. */
	s->seq = drm_gpt_update_fence(&up);
	drm_gpt_finish(&up);
	return ret;
}

/*
 * Some formats want a large leaf, or a group, gone and flushed before a part of
 * it becomes anything else. What goes with it is recorded as mapped, so the next
 * round brings it back.
 */
static int drm_svm_make_way(struct drm_svm_service *s)
{
	u64 first = s->range->first, last = first + DRM_SVM_RANGE_SIZE - 1;
	struct drm_gpt_gather gather;
	int ret;

	drm_gpt_gather_init(&gather, s->svm->gpt);
	ret = drm_gpt_zap_reserve(&gather, first, last, true);
	if (ret)
		return ret;
	mutex_lock(&s->range->lock);
	drm_gpt_zap(&gather, first, last);
	mutex_unlock(&s->range->lock);
	drm_svm_flush_all(s->svm, &gather);
	return -EAGAIN;
}

static int drm_svm_apply(struct drm_svm_service *s)
{
	DECLARE_BITMAP(system, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(fresh, DRM_SVM_RANGE_PAGES);
	int ret;

	ret = drm_svm_sort(s, system);
	if (ret)
		return ret;
	if (s->foreign)
		return -EXDEV;

	drm_svm_keep_mapped(s, system);
	bitmap_andnot(fresh, system, s->mapped, DRM_SVM_RANGE_PAGES);
	ret = drm_svm_dma_map(s, system, fresh);
	if (ret)
		return ret;
	drm_svm_system_leaves(s, system);
	ret = drm_svm_commit(s);
	drm_svm_dma_undo(s);
	if (ret == -EBUSY)
		ret = drm_svm_make_way(s);
	return ret;
}

/*
 * Sees that what is wanted is there. Return: 0 and a walk that found it, with
 * mmap_lock held and the SRCU section @*idx open; an error, with neither.
 */
static int drm_svm_look(struct drm_svm_service *s, int *idx)
{
	struct mm_struct *mm = s->smm->mm;
	bool planted = drm_svm_planted(DRM_SVM_PLANTED_SRCU_PAGE_IN);
	unsigned int tries;
	bool locked = true;
	int ret = drm_svm_mmap_lock(s->svm);

	if (ret)
		return ret;
	for (tries = 0; tries < 2; tries++) {
		/* May wait for invalidations: before the SRCU section. */
		s->notifier_seq = mmu_interval_read_begin(&s->window->notifier);
		*idx = drm_svm_pages_read_lock();
		ret = drm_svm_walk(s);
		if (!ret && bitmap_empty(s->missing, DRM_SVM_RANGE_PAGES))
			return 0;
		if (!planted)
			drm_svm_pages_read_unlock(*idx);
		ret = ret ?: drm_svm_page_in_missing(s, &locked);
		if (planted)
			drm_svm_pages_read_unlock(*idx);
		if (ret || !locked || bitmap_empty(s->want, DRM_SVM_RANGE_PAGES))
			break;
	}
	if (locked)
		mmap_read_unlock(mm);
	/* There by now, or gone again: the next round sees. */
	return ret ?: -EINPROGRESS;
}

/*
 * Who has lost before keeps mmap_lock until the commit: nobody changes mappings
 * meanwhile, however eager. What is left to lose to is reclaim and the like.
 */
static int drm_svm_round(struct drm_svm_service *s, bool keep_lock)
{
	struct mm_struct *mm = s->smm->mm;
	int ret, idx;

	ret = drm_svm_look(s, &idx);
	if (ret)
		return ret;
	if (!keep_lock)
		mmap_read_unlock(mm);
	ret = drm_svm_apply(s);
	if (keep_lock)
		mmap_read_unlock(mm);
	drm_svm_pages_read_unlock(idx);
	if (ret || drm_svm_planted(DRM_SVM_PLANTED_NO_PT_WAIT))
		return ret;
	return drm_gpt_wait(s->svm->gpt, s->seq);
}

static int drm_svm_attach_range(struct drm_svm_service *s, u64 base)
{
	s->range = drm_svm_range_find_or_make(s->smm, base);
	if (IS_ERR(s->range))
		return PTR_ERR(s->range);
	s->rd = drm_svm_range_dev_make(s->range, s->svm);
	if (IS_ERR(s->rd)) {
		drm_svm_range_put(s->range);
		return PTR_ERR(s->rd);
	}
	return 0;
}

/* Memory of a device that this one cannot reach comes by way of the system's. */
static int drm_svm_fetch_foreign(struct drm_svm_service *s, u64 base)
{
	int ret = drm_svm_place_system(s->svm, base, s->want);

	/* -EBUSY: lost to invalidations, as -EAGAIN. */
	return ret && ret != -EBUSY ? ret : -EAGAIN;
}

static int drm_svm_rounds(struct drm_svm_service *s, u64 base)
{
	unsigned int round, lost = 0, foreign = 0;
	int ret = -EAGAIN;

	for (round = 0; round < DRM_SVM_ROUNDS; round++) {
		if (bitmap_empty(s->want, DRM_SVM_RANGE_PAGES))
			return 0;
		ret = drm_svm_attach_range(s, base);
		if (ret)
			return ret;
		ret = drm_svm_round(s, lost >= DRM_SVM_PATIENCE);
		drm_svm_range_put(s->range);
		if (ret == -EAGAIN) {
			lost++;
			atomic64_inc(&s->svm->stats.retries);
		}
		if (ret == -EXDEV && foreign++ < 2)
			ret = drm_svm_fetch_foreign(s, base);
		if (ret != -EAGAIN && ret != -EINPROGRESS)
			break;
	}
	return ret == -EXDEV || ret == -EINPROGRESS ? -EAGAIN : ret;
}

static bool drm_svm_wants_device(struct drm_svm *svm, u64 base,
				 const unsigned long *want)
{
	DECLARE_BITMAP(device, DRM_SVM_RANGE_PAGES);

	if (!svm->region)
		return false;
	drm_svm_policy_pages(svm, base, device);
	return bitmap_intersects(want, device, DRM_SVM_RANGE_PAGES);
}

static int drm_svm_serve_span(struct drm_svm_service *s, u64 base)
{
	struct drm_svm_span span;
	int ret;

	s->window = drm_svm_window_get(s->smm, base);
	if (IS_ERR(s->window))
		return PTR_ERR(s->window);
	ret = drm_svm_span_lock_unless(&s->smm->spans, &span, base,
				       base + DRM_SVM_RANGE_SIZE - 1,
				       &s->svm->dying);
	if (ret)
		goto out;
	/* What cannot move is mapped where it is. */
	if (drm_svm_wants_device(s->svm, base, s->want))
		drm_svm_place_device(s->svm, base, s->want);
	ret = drm_svm_rounds(s, base);
	drm_svm_span_unlock(&s->smm->spans, &span);
	/* It may map nothing. */
	if (ret || bitmap_empty(s->want, DRM_SVM_RANGE_PAGES))
		drm_svm_range_settle(s->smm, base);
out:
	drm_svm_window_put(s->window);
	return ret;
}

/**
 * drm_svm_serve() - make pages of one range accessible to a device
 * @svm: device address space
 * @base: first byte of the range
 * @want: pages that are needed, by index
 * @want_write: of these, those to be written
 * @held: out, of @want those that are not served since they may be long in coming:
 *	pages of files, or held by a userfaultfd
 *
 * Memory is charged to the owner of the address space, whoever runs this.
 *
 * Context: may sleep; no lock is held.
 * Return: 0, -EAGAIN if invalidations kept getting in between, -ESRCH if the
 * process is gone; -EFAULT, -EACCES, -EOPNOTSUPP for an access that
 * cannot be served; -ENOMEM, -EIO, -ENODEV, -EINTR.
 */
int drm_svm_serve(struct drm_svm *svm, u64 base, const unsigned long *want,
		  const unsigned long *want_write, unsigned long *held)
{
	struct mm_struct *mm = svm->smm->mm;
	struct mem_cgroup *memcg, *old;
	struct drm_svm_service *s;
	int ret;

	bitmap_zero(held, DRM_SVM_RANGE_PAGES);
	if (base >= mm->task_size ||
	    !drm_svm_reaches(svm, base + DRM_SVM_RANGE_SIZE - 1))
		return -EFAULT;
	if (!mmget_not_zero(mm))
		return -ESRCH;
	memcg = get_mem_cgroup_from_mm(mm);
	old = set_active_memcg(memcg);

	s = kvzalloc_obj(*s, GFP_KERNEL_ACCOUNT);
	if (s) {
		s->svm = svm;
		s->smm = svm->smm;
		bitmap_copy(s->want, want, DRM_SVM_RANGE_PAGES);
		bitmap_and(s->want_write, want_write, want,
			   DRM_SVM_RANGE_PAGES);
		s->write = !bitmap_empty(s->want_write, DRM_SVM_RANGE_PAGES);
		ret = drm_svm_serve_span(s, base);
		bitmap_copy(held, s->held, DRM_SVM_RANGE_PAGES);
		kvfree(s);
	} else {
		ret = -ENOMEM;
	}

	set_active_memcg(old);
	mem_cgroup_put(memcg);
	mmput_async(mm);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_serve);
