// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The walk: what the CPU's page table says about a range, with the wanted
 * pages faulted in and their neighbours taken as they are. One walk serves any
 * number of devices: it returns the pages of every drm_svm region.
 *
 * The generation is sampled between mmu_interval_read_begin() and the walk. An
 * invalidation before the sample has set the window's sequence before it, so
 * the walk sees -EBUSY; one after it is seen at commit. The window's sequence
 * itself decides nothing at commit: all ranges of the window share it.
 */

#include <linux/fs.h>
#include <linux/hmm.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/userfaultfd_k.h>

#include "drm_svm_internal.h"

/* Walks that may say -EFAULT where the CPU's own fault succeeds. */
#define DRM_SVM_EXCUSES	2

static int drm_svm_walk_sample(struct drm_svm_service *s)
{
	struct drm_svm_range *range = s->range;

	guard(mutex)(&range->lock);
	if (range->dead || !bitmap_empty(range->dying, DRM_SVM_RANGE_PAGES))
		return -EAGAIN;
	s->gen = range->gen;
	bitmap_copy(s->mapped, s->rd->mapped, DRM_SVM_RANGE_PAGES);
	return 0;
}

/*
 * memfd_secret pages have no kernel mapping and are kept from DMA; GUP refuses
 * them, hmm does not look.
 */
static bool drm_svm_vma_secret(struct vm_area_struct *vma)
{
	return vma->vm_file &&
	       file_inode(vma->vm_file)->i_sb->s_magic == SECRETMEM_MAGIC;
}

/* Which pages are special, by their VMAs. */
static void drm_svm_walk_vmas(struct drm_svm_service *s)
{
	u64 base = s->range->first;
	struct vm_area_struct *vma;
	struct vma_iterator vmi;

	bitmap_zero(s->refused, DRM_SVM_RANGE_PAGES);
	bitmap_zero(s->held, DRM_SVM_RANGE_PAGES);
	vma_iter_init(&vmi, s->smm->mm, base);
	for_each_vma_range(vmi, vma, base + DRM_SVM_RANGE_SIZE) {
		u64 first = max_t(u64, vma->vm_start, base);
		u64 end = min_t(u64, vma->vm_end, base + DRM_SVM_RANGE_SIZE);

		if (drm_svm_vma_secret(vma))
			bitmap_set(s->refused, drm_svm_page_index(first),
				   (end - first) >> PAGE_SHIFT);
		if (userfaultfd_armed(vma))
			bitmap_set(s->held, drm_svm_page_index(first),
				   (end - first) >> PAGE_SHIFT);
	}
}

/*
 * hmm says -EFAULT for whatever keeps a page from being there, and nothing at
 * all of a device page that may not be written. Ask the fault handler itself;
 * without leave to wait it takes no part in userfaultfd, whose pages stay an
 * error here.
 */
static int drm_svm_walk_why(struct drm_svm_service *s, unsigned int i)
{
	u64 addr = drm_svm_page_addr(s->range->first, i);
	bool write = test_bit(i, s->want_write);
	struct vm_area_struct *vma = vma_lookup(s->smm->mm, addr);
	int ret;

	if (!vma || !(vma->vm_flags & VM_READ))
		return -EFAULT;
	if (write && !(vma->vm_flags & VM_WRITE))
		return -EACCES;
	ret = fixup_user_fault(s->smm->mm, addr, write ? FAULT_FLAG_WRITE : 0,
			       NULL);
	if (ret)
		return ret;
	/* Was it short of memory? Or good for the CPU only, as special pages? */
	return s->excused++ < DRM_SVM_EXCUSES ? -EAGAIN : -EFAULT;
}

/*
 * Faults one run of wanted pages in. By itself: where there is no page at all,
 * hmm faults in the whole of what it was given as soon as one page is wanted.
 */
static int drm_svm_walk_run(struct drm_svm_service *s, struct hmm_range *hmm,
			    unsigned int first, unsigned int end)
{
	unsigned int i;
	int ret;

	for (i = first; i < end; i++)
		s->pfns[i] = HMM_PFN_REQ_FAULT |
			     (test_bit(i, s->want_write) ? HMM_PFN_REQ_WRITE : 0);
	hmm->start = drm_svm_page_addr(s->range->first, first);
	hmm->end = drm_svm_page_addr(s->range->first, end);
	hmm->hmm_pfns = s->pfns + first;
	ret = hmm_range_fault(hmm);
	switch (ret) {
	case -EBUSY:
		return -EAGAIN;
	case -EPERM:
		return -EACCES;
	case -EFAULT:
		return drm_svm_walk_why(s, first);
	default:
		return ret;
	}
}

/* Reads the whole range as it is now. */
static int drm_svm_walk_read(struct drm_svm_service *s, struct hmm_range *hmm)
{
	int ret;

	memset(s->pfns, 0, sizeof(s->pfns));
	hmm->start = s->range->first;
	hmm->end = s->range->first + DRM_SVM_RANGE_SIZE;
	hmm->hmm_pfns = s->pfns;
	ret = hmm_range_fault(hmm);
	return ret == -EBUSY ? -EAGAIN : ret;
}

/* The same, and sees that what is wanted is there. */
static int drm_svm_walk_all(struct drm_svm_service *s, struct hmm_range *hmm)
{
	unsigned int i;
	int ret;

	ret = drm_svm_walk_read(s, hmm);
	if (ret)
		return ret;
	for_each_set_bit(i, s->want, DRM_SVM_RANGE_PAGES) {
		if (!(s->pfns[i] & HMM_PFN_VALID))
			return -EAGAIN;
		if (test_bit(i, s->want_write) &&
		    !(s->pfns[i] & HMM_PFN_WRITE))
			return drm_svm_walk_why(s, i);
	}
	return 0;
}

/*
 * Whoever serves a userfaultfd may be as slow as it likes, and hmm keeps
 * mmap_lock: its faults cannot wait for that. So what would have to be faulted
 * in there is an error of the access; what is there may be had.
 */
static int drm_svm_walk_held(struct drm_svm_service *s, struct hmm_range *hmm)
{
	unsigned int i;
	int ret;

	ret = drm_svm_walk_read(s, hmm);
	if (ret)
		return ret;
	for_each_set_bit(i, s->want, DRM_SVM_RANGE_PAGES)
		if (test_bit(i, s->held) && !(s->pfns[i] & HMM_PFN_VALID))
			return -EFAULT;
	return 0;
}

static int drm_svm_walk_locked(struct drm_svm_service *s,
			       struct hmm_range *hmm)
{
	unsigned int first, end;
	int ret;

	/* The OOM reaper has been here: what is read now is not the process's. */
	if (check_stable_address_space(s->smm->mm))
		return -ESRCH;

	drm_svm_walk_vmas(s);
	if (bitmap_intersects(s->refused, s->want, DRM_SVM_RANGE_PAGES))
		return -EFAULT;
	if (bitmap_intersects(s->held, s->want, DRM_SVM_RANGE_PAGES)) {
		ret = drm_svm_walk_held(s, hmm);
		if (ret)
			return ret;
	}
	for_each_set_bitrange(first, end, s->want, DRM_SVM_RANGE_PAGES) {
		ret = drm_svm_walk_run(s, hmm, first, end);
		if (ret)
			return ret;
	}
	return drm_svm_walk_all(s, hmm);
}

/**
 * drm_svm_walk() - read the CPU's table for one range
 * @s: the service: @want, @want_write, @range and @rd are set
 *
 * Fills @pfns, @refused, @gen and @mapped.
 *
 * mmap_lock is taken before the window's sequence is read: who waits for it
 * afterwards has lost to whoever held it.
 *
 * Context: may sleep; mmap_lock is held for read, the service lock over the
 * range and a reference to mm_users too.
 * Return: 0, -EAGAIN if an invalidation got in between, -EFAULT or -EACCES for
 * what is not there or not allowed, -ENOMEM, -EINTR, -ESRCH if the
 * process is being torn down.
 */
int drm_svm_walk(struct drm_svm_service *s)
{
	struct hmm_range hmm = {
		.notifier = &s->window->notifier,
		.pfn_flags_mask = ~0UL,
		.dev_private_owner = (void *)&drm_svm_owner,
	};
	int ret;

	hmm.notifier_seq = mmu_interval_read_begin(hmm.notifier);
	ret = drm_svm_walk_sample(s);
	if (ret)
		return ret;
	return drm_svm_walk_locked(s, &hmm);
}

/**
 * drm_svm_snapshot() - read the CPU's table, fault nothing in
 * @smm: address space
 * @base: first byte of a range
 * @pfns: out, one per page as hmm_range_fault() gives them
 *
 * What is read may be old by the time it is used.
 *
 * Context: may sleep; takes mmap_lock for read.
 * Return: 0, -EINTR, -ENOMEM, -EBUSY if invalidations never stop.
 */
int drm_svm_snapshot(struct drm_svm_mm *smm, u64 base, unsigned long *pfns)
{
	struct hmm_range hmm = {
		.start = base,
		.end = base + DRM_SVM_RANGE_SIZE,
		.hmm_pfns = pfns,
		.dev_private_owner = (void *)&drm_svm_owner,
	};
	struct drm_svm_window *window = drm_svm_window_get(smm, base);
	unsigned int tries;
	int ret = -EBUSY;

	if (IS_ERR(window))
		return PTR_ERR(window);
	hmm.notifier = &window->notifier;

	for (tries = 0; ret == -EBUSY && tries < 64; tries++) {
		memset(pfns, 0, DRM_SVM_RANGE_PAGES * sizeof(*pfns));
		if (mmap_read_lock_killable(smm->mm)) {
			ret = -EINTR;
			break;
		}
		hmm.notifier_seq = mmu_interval_read_begin(&window->notifier);
		ret = hmm_range_fault(&hmm);
		mmap_read_unlock(smm->mm);
	}
	drm_svm_window_put(window);
	return ret;
}
