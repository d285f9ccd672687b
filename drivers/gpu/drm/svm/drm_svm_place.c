// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What moves where, for one range: a snapshot says where its pages are, a caller
 * says which of them belong elsewhere, and passes run over the runs of those.
 *
 * Only pages that can move and are not there yet are passed over, because a pass
 * takes all that it covers from every device. So nothing is set up
 *
 * - for pages of files, whose memory no device may hold: anonymous pages, in
 *   private mappings of files too, are what moves;
 * - for anonymous pages that are not the process's alone;
 * - for more pages than the region has room for: it is reserved first, and the
 *   pages that a service waits for come before their neighbours;
 * - by policy for pages that are *stuck*: they were tried and somebody held them.
 *   What holds a page (a pipe, a DMA in flight) tells nobody when it lets go, so
 *   it is tried again when the page's mapping changes or after a time.
 *
 * The service lock over the range keeps others from moving its pages to a device
 * meanwhile. The CPU may take them back, reclaim may take them, and programs may
 * change mappings: what a pass finds is what counts, the snapshot only chooses.
 */

#include <linux/fs.h>
#include <linux/hmm.h>
#include <linux/hugetlb.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "drm_svm_pagein.h"
#include "drm_svm_pass.h"
#include "drm_svm_place.h"
#include "drm_svm_planted.h"

/*
 * How long a stuck page is left alone. Who holds one for longer than a device needs
 * for a transfer holds it for long: pipes, registered buffers. A try in vain costs
 * a flush and a fault; one in a second costs nothing that could be measured, and a
 * page that was let go waits for a second at most.
 */
#define DRM_SVM_STUCK_TIME	HZ

/* ---- where pages are ------------------------------------------------------ */

/*
 * Is it also another process's, through fork or KSM? move_pages(2) leaves such pages
 * where they are, unless its caller may do that to others; so do we: who shares a
 * page should not find it on a device, slower to get at and lost if the device is.
 * The core does not look: it would move any page that it can unmap.
 */
static bool drm_svm_page_shared(struct page *page)
{
	struct folio *folio = page_folio(page);
	bool shared;

	if (drm_svm_planted(DRM_SVM_PLANTED_SHARED_MOVES) ||
	    !folio_try_get(folio))
		return false;
	shared = folio_test_ksm(folio) || folio_maybe_mapped_shared(folio);
	folio_put(folio);
	return shared;
}

static unsigned long *drm_svm_placement_of(struct drm_svm_placement *pl,
					   struct drm_svm *svm,
					   struct page *page)
{
	if (is_device_private_page(page))
		return drm_svm_page_is_local(svm, page) ? pl->local : pl->remote;
	/* Without a reference it may be another's by now: the pass will see. */
	if (is_zero_pfn(page_to_pfn(page)))
		return pl->system;
	return PageAnon(page) && !drm_svm_page_shared(page) ? pl->system :
							      pl->fixed;
}

static void drm_svm_placement_note(struct drm_svm_placement *pl,
				   struct drm_svm *svm, unsigned int i,
				   struct page *page)
{
	__set_bit(i, drm_svm_placement_of(pl, svm, page));
}

static int drm_svm_placement_snapshot(struct drm_svm_placement *pl,
				      struct drm_svm *svm, u64 base)
{
	unsigned int i, n = pl->hi - pl->lo;
	unsigned long *pfns;
	int ret, idx;

	pfns = kmalloc_array(n, sizeof(*pfns), GFP_KERNEL);
	if (!pfns)
		return -ENOMEM;
	ret = drm_svm_snapshot(svm, drm_svm_page_addr(base, pl->lo), n, pfns, &idx);
	if (ret)
		goto out;
	for (i = 0; i < n; i++)
		if ((pfns[i] & HMM_PFN_VALID) && !(pfns[i] & HMM_PFN_ERROR))
			drm_svm_placement_note(pl, svm, pl->lo + i,
					       hmm_pfn_to_page(pfns[i]));
	drm_svm_pages_read_unlock(idx);
out:
	kfree(pfns);
	return ret;
}

/*
 * hmm reports nothing where nobody may read. Device pages may be there all the
 * same; a pass that moves nothing finds them. System pages there are not asked for.
 */
static int drm_svm_placement_look(struct drm_svm_placement *pl,
				  struct drm_svm *svm,
				  struct vm_area_struct *vma, u64 first,
				  u64 end)
{
	struct drm_svm_pass *pass;
	unsigned int i, index = drm_svm_page_index(first);
	int ret, idx;

	pass = drm_svm_pass_make((end - first) >> PAGE_SHIFT);
	if (!pass)
		return -ENOMEM;
	pass->mig.vma = vma;
	pass->mig.start = first;
	pass->mig.end = end;
	idx = drm_svm_pages_read_lock();
	ret = drm_svm_pass_look(pass);
	for (i = 0; !ret && i < pass->mig.npages; i++) {
		struct page *page = migrate_pfn_to_page(pass->mig.src[i]);

		if (page)
			drm_svm_placement_note(pl, svm, index + i, page);
	}
	drm_svm_pages_read_unlock(idx);
	kvfree(pass);
	/* Memory of a kind that is never on a device. */
	return ret == -EINVAL ? 0 : ret;
}

/**
 * drm_svm_vma_makeable() - may pages be made on a device that are not there yet?
 * @vma: memory
 *
 * Context: mmap_lock is held.
 * Return: true for memory that the core fills with zeroes at a touch; not where
 * userfaultfd wants to know of it, nor where writes are tracked.
 */
bool drm_svm_vma_makeable(struct vm_area_struct *vma)
{
	return vma_is_anonymous(vma) && vma_is_accessible(vma) &&
	       !userfaultfd_missing(vma) && !drm_svm_soft_tracked(vma);
}

/* Of these the core moves nothing, whatever their pages are like. */
static bool drm_svm_vma_moves(struct vm_area_struct *vma)
{
	return !is_vm_hugetlb_page(vma) && !(vma->vm_flags & VM_SPECIAL) &&
	       !vma_is_dax(vma);
}

static int drm_svm_placement_vma(struct drm_svm_placement *pl, struct drm_svm *svm,
				 u64 base, struct vm_area_struct *vma,
				 unsigned long *still)
{
	u64 first = max_t(u64, vma->vm_start, base);
	u64 end = min_t(u64, vma->vm_end, base + DRM_SVM_RANGE_SIZE);
	unsigned int i = drm_svm_page_index(first), n = (end - first) >> PAGE_SHIFT;

	pl->lo = min(pl->lo, i);
	pl->hi = max(pl->hi, i + n);
	if (drm_svm_vma_makeable(vma))
		bitmap_set(pl->makeable, i, n);
	if (!drm_svm_vma_moves(vma))
		bitmap_set(still, i, n);
	if (!(vma->vm_flags & VM_READ) && vma->anon_vma)
		return drm_svm_placement_look(pl, svm, vma, first, end);
	return 0;
}

/*
 * What the mappings from the first of the pages to the last say: where pages may be made,
 * where hmm does not look, and in @still where none moves.
 */
static int drm_svm_placement_vmas(struct drm_svm_placement *pl,
				  struct drm_svm *svm, u64 base,
				  unsigned long *still)
{
	struct vm_area_struct *vma;
	struct vma_iterator vmi;
	int ret = drm_svm_mmap_lock(svm);

	if (ret)
		return ret;
	vma_iter_init(&vmi, svm->smm->mm, drm_svm_page_addr(base, pl->lo));
	for_each_vma_range(vmi, vma, drm_svm_page_addr(base, pl->hi)) {
		ret = drm_svm_placement_vma(pl, svm, base, vma, still);
		if (ret)
			break;
	}
	mmap_read_unlock(svm->smm->mm);
	return ret;
}

/* What moves in no case, wherever it was found. */
static void drm_svm_placement_fix(struct drm_svm_placement *pl, unsigned long *still)
{
	if (!bitmap_and(still, still, pl->system, DRM_SVM_RANGE_PAGES))
		return;
	bitmap_or(pl->fixed, pl->fixed, still, DRM_SVM_RANGE_PAGES);
	bitmap_andnot(pl->system, pl->system, still, DRM_SVM_RANGE_PAGES);
}

static void drm_svm_placement_present(const struct drm_svm_placement *pl,
				      unsigned long *present)
{
	bitmap_or(present, pl->system, pl->fixed, DRM_SVM_RANGE_PAGES);
	bitmap_or(present, present, pl->local, DRM_SVM_RANGE_PAGES);
	bitmap_or(present, present, pl->remote, DRM_SVM_RANGE_PAGES);
}

/**
 * drm_svm_placement_read() - where are the pages of a range?
 * @pl: out
 * @svm: device address space that asks
 * @base: first byte of the range
 * @around: only of these, not none, and of the mappings that they lie in; NULL: of all
 *
 * A snapshot, old when it is read. Nothing is faulted in.
 *
 * Context: may sleep; takes mmap_lock for read. A reference to mm_users is held.
 * Return: 0, -ENOMEM, -EINTR, -ESRCH, -EBUSY if invalidations never stopped; -EAGAIN if
 * mmap_lock is not to be had for now.
 */
int drm_svm_placement_read(struct drm_svm_placement *pl, struct drm_svm *svm,
			   u64 base, const unsigned long *around)
{
	DECLARE_BITMAP(present, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(still, DRM_SVM_RANGE_PAGES) = {};
	int ret;

	memset(pl, 0, sizeof(*pl));
	pl->hi = DRM_SVM_RANGE_PAGES;
	if (around) {
		pl->lo = find_first_bit(around, DRM_SVM_RANGE_PAGES);
		pl->hi = find_last_bit(around, DRM_SVM_RANGE_PAGES) + 1;
	}
	ret = drm_svm_placement_vmas(pl, svm, base, still);
	ret = ret ?: drm_svm_placement_snapshot(pl, svm, base);
	drm_svm_placement_fix(pl, still);
	drm_svm_placement_present(pl, present);
	bitmap_andnot(pl->makeable, pl->makeable, present, DRM_SVM_RANGE_PAGES);
	return ret;
}

/* ---- what could not move -------------------------------------------------- */

static void drm_svm_stuck_expire(struct drm_svm_range *range)
{
	lockdep_assert_held(&range->lock);
	if (time_after_eq(jiffies, range->stuck_until))
		bitmap_zero(range->stuck, DRM_SVM_RANGE_PAGES);
}

/* Takes stuck pages from @pages. */
static void drm_svm_stuck_skip(struct drm_svm_mm *smm, u64 base,
			       unsigned long *pages)
{
	struct drm_svm_range *range = drm_svm_range_find(smm, base);

	if (!range)
		return;
	mutex_lock(&range->lock);
	drm_svm_stuck_expire(range);
	if (!drm_svm_planted(DRM_SVM_PLANTED_STUCK_FORGOTTEN))
		bitmap_andnot(pages, pages, range->stuck, DRM_SVM_RANGE_PAGES);
	mutex_unlock(&range->lock);
	drm_svm_range_put(range);
}

/*
 * Remembers pages that were tried and are still where they were. Not those that
 * were not there: they need no mapping to be taken away when they are tried again.
 * The first one of a time sets its end, so that nobody waits longer.
 */
static void drm_svm_stuck_add(struct drm_svm_mm *smm, u64 base,
			      const unsigned long *pages)
{
	struct drm_svm_range *range;

	if (bitmap_empty(pages, DRM_SVM_RANGE_PAGES))
		return;
	range = drm_svm_range_find_or_make(smm, base);
	if (IS_ERR(range))
		return;
	mutex_lock(&range->lock);
	drm_svm_stuck_expire(range);
	if (bitmap_empty(range->stuck, DRM_SVM_RANGE_PAGES))
		range->stuck_until = jiffies + DRM_SVM_STUCK_TIME;
	bitmap_or(range->stuck, range->stuck, pages, DRM_SVM_RANGE_PAGES);
	mutex_unlock(&range->lock);
	drm_svm_range_put(range);
}

/* ---- moving --------------------------------------------------------------- */

typedef int (*drm_svm_pass_fn)(struct drm_svm_pass *pass);

/* Runs of @move in a VMA; one may bridge pages of @bridge. */
static void drm_svm_move_vma(struct drm_svm_pass *pass,
			     struct vm_area_struct *vma, u64 base,
			     const unsigned long *bridge, drm_svm_pass_fn fn)
{
	u64 start = max_t(u64, vma->vm_start, base);
	u64 end = min_t(u64, vma->vm_end, base + DRM_SVM_RANGE_SIZE);
	unsigned int stop = (end - base) >> PAGE_SHIFT, first, next;
	DECLARE_BITMAP(cover, DRM_SVM_RANGE_PAGES);

	bitmap_or(cover, pass->move, bridge, DRM_SVM_RANGE_PAGES);
	if (drm_svm_planted(DRM_SVM_PLANTED_STUCK_FORGOTTEN))
		bitmap_fill(cover, DRM_SVM_RANGE_PAGES);
	first = find_next_bit(pass->move, stop, (start - base) >> PAGE_SHIFT);
	while (first < stop) {
		next = find_next_zero_bit(cover, stop, first);
		next = find_last_bit(pass->move, next) + 1;
		pass->mig.vma = vma;
		pass->mig.start = drm_svm_page_addr(base, first);
		pass->mig.end = drm_svm_page_addr(base, next);
		/* Memory that cannot move, or a failed copy: the pages stay. */
		fn(pass);
		first = find_next_bit(pass->move, stop, next);
	}
}

/* Moves the pages of @pass->move, a pass for each run of them. */
static int drm_svm_move(struct drm_svm *svm, u64 base, struct drm_svm_pass *pass,
			const unsigned long *bridge, drm_svm_pass_fn fn)
{
	struct mm_struct *mm = svm->smm->mm;
	struct vm_area_struct *vma;
	struct vma_iterator vmi;
	int ret = drm_svm_mmap_lock(svm);

	if (ret)
		return ret;
	/* Soft-dirty bits are cleared with the lock held for write. */
	pass->epoch = atomic64_read(&svm->smm->soft_epoch);
	vma_iter_init(&vmi, mm, base);
	for_each_vma_range(vmi, vma, base + DRM_SVM_RANGE_SIZE)
		drm_svm_move_vma(pass, vma, base, bridge, fn);
	mmap_read_unlock(mm);
	return 0;
}

/* Adds bits of @from to @to while there is room. */
static unsigned int drm_svm_take_bits(unsigned long *to,
				      const unsigned long *from,
				      unsigned int room)
{
	unsigned int i;

	for_each_set_bit(i, from, DRM_SVM_RANGE_PAGES) {
		if (!room)
			break;
		if (!__test_and_set_bit(i, to))
			room--;
	}
	return room;
}

/* Leaves in @pages what there is room for, those of @first before others. */
static void drm_svm_fit(unsigned long *pages, const unsigned long *first,
			unsigned int room)
{
	DECLARE_BITMAP(fit, DRM_SVM_RANGE_PAGES) = {};
	DECLARE_BITMAP(before, DRM_SVM_RANGE_PAGES);

	bitmap_and(before, pages, first, DRM_SVM_RANGE_PAGES);
	room = drm_svm_take_bits(fit, before, room);
	drm_svm_take_bits(fit, pages, room);
	bitmap_copy(pages, fit, DRM_SVM_RANGE_PAGES);
}

/* No run of some pages, of which there are some, is longer than this. */
static unsigned int drm_svm_move_span(const unsigned long *pages)
{
	if (drm_svm_planted(DRM_SVM_PLANTED_STUCK_FORGOTTEN))
		return DRM_SVM_RANGE_PAGES;
	return find_last_bit(pages, DRM_SVM_RANGE_PAGES) + 1 -
	       find_first_bit(pages, DRM_SVM_RANGE_PAGES);
}

/**
 * drm_svm_move_to_system() - move pages to system memory
 * @svm: device address space that asks
 * @base: first byte of the range
 * @pl: where pages are
 * @pages: which, of those that @pl has on devices
 * @done: out: what has moved
 *
 * Context: may sleep; takes mmap_lock for read. The service lock over the pages and
 * a reference to mm_users are held.
 * Return: 0, -ENOMEM, -EINTR, -ESRCH; -EAGAIN if mmap_lock is not to be had for now.
 */
int drm_svm_move_to_system(struct drm_svm *svm, u64 base,
			   const struct drm_svm_placement *pl,
			   const unsigned long *pages, unsigned long *done)
{
	struct drm_svm_pass *pass;
	int ret;

	bitmap_zero(done, DRM_SVM_RANGE_PAGES);
	if (bitmap_empty(pages, DRM_SVM_RANGE_PAGES))
		return 0;
	pass = drm_svm_pass_make(drm_svm_move_span(pages));
	if (!pass)
		return -ENOMEM;
	pass->move = pages;
	pass->done = done;
	ret = drm_svm_move(svm, base, pass, pl->makeable, drm_svm_pass_to_ram);
	kvfree(pass);
	return ret;
}

/* There is no link: another device's memory goes through the system's. */
static int drm_svm_fetch_remote(struct drm_svm *svm, u64 base,
				const struct drm_svm_placement *pl,
				const unsigned long *pages)
{
	DECLARE_BITMAP(remote, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(done, DRM_SVM_RANGE_PAGES);

	bitmap_and(remote, pl->remote, pages, DRM_SVM_RANGE_PAGES);
	return drm_svm_move_to_system(svm, base, pl, remote, done);
}

static int drm_svm_move_reserved(struct drm_svm *svm, u64 base,
				 struct drm_svm_pass *pass,
				 const struct drm_svm_placement *pl,
				 unsigned long *pages, unsigned long *done)
{
	unsigned int want = bitmap_weight(pages, DRM_SVM_RANGE_PAGES), moved;
	int ret;

	ret = drm_svm_fetch_remote(svm, base, pl, pages);
	if (ret)
		return ret;
	pass->move = pages;
	pass->done = done;
	ret = drm_svm_move(svm, base, pass, pl->makeable,
			   drm_svm_pass_to_device);
	if (ret)
		return ret;
	moved = bitmap_weight(done, DRM_SVM_RANGE_PAGES);
	atomic64_add(moved, &svm->stats.to_device);
	atomic64_add(want - moved, &svm->stats.to_device_failed);
	return 0;
}

/**
 * drm_svm_move_to_device() - move pages to the memory of a device
 * @svm: device address space
 * @base: first byte of the range
 * @pl: where pages are
 * @first: pages that come first if there is not room for all
 * @pages: in: which, of those that @pl has elsewhere or says may be made; out: what
 *	was tried
 * @done: out: what has moved, or was made
 *
 * Context: may sleep; takes mmap_lock for read. The service lock over the pages and
 * a reference to mm_users are held.
 * Return: 0, -ENOMEM, -EINTR, -ESRCH; -EAGAIN if mmap_lock is not to be had for now.
 */
int drm_svm_move_to_device(struct drm_svm *svm, u64 base,
			   const struct drm_svm_placement *pl,
			   const unsigned long *first, unsigned long *pages,
			   unsigned long *done)
{
	unsigned int want = bitmap_weight(pages, DRM_SVM_RANGE_PAGES), room;
	struct drm_svm_pass *pass;
	int ret = 0;

	bitmap_zero(done, DRM_SVM_RANGE_PAGES);
	if (!want)
		return 0;
	pass = drm_svm_pass_make(drm_svm_move_span(pages));
	if (!pass)
		return -ENOMEM;
	pass->region = drm_svm_device_region(svm->device);
	room = drm_svm_pass_reserve(pass, want);
	if (room < want)
		drm_svm_fit(pages, first, room);
	if (room)
		ret = drm_svm_move_reserved(svm, base, pass, pl, pages, done);
	drm_svm_pass_unreserve(pass);
	kvfree(pass);
	return ret;
}

/* ---- for services --------------------------------------------------------- */

/* What of the range policy wants on the device, and could move or be made there. */
static void drm_svm_place_choose(struct drm_svm *svm, u64 base,
				 const struct drm_svm_placement *pl,
				 const unsigned long *want,
				 const unsigned long *claimed,
				 unsigned long *pages)
{
	DECLARE_BITMAP(within, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(made, DRM_SVM_RANGE_PAGES);

	drm_svm_policy_pages(svm, base, within);
	bitmap_andnot(within, within, claimed, DRM_SVM_RANGE_PAGES);
	bitmap_or(pages, pl->system, pl->remote, DRM_SVM_RANGE_PAGES);
	bitmap_and(made, pl->makeable, want, DRM_SVM_RANGE_PAGES);
	bitmap_or(pages, pages, made, DRM_SVM_RANGE_PAGES);
	bitmap_and(pages, pages, within, DRM_SVM_RANGE_PAGES);
	drm_svm_stuck_skip(svm->smm, base, pages);
}

/**
 * drm_svm_place_device() - put the wanted pages of a range on the device
 * @svm: device address space
 * @base: first byte of the range
 * @want: pages that a service needs
 * @claimed: pages that stay where they are: the device does not see them
 *
 * As far as policy wants them there, and with all of the range that it wants there.
 * If none of @want can move, nothing does.
 *
 * Context: may sleep; takes mmap_lock for read; the service lock over the
 * range and a reference to mm_users are held.
 * Return: 0 also if pages could not move; -ENOMEM, -EINTR, -ESRCH, -EBUSY, -EAGAIN.
 */
int drm_svm_place_device(struct drm_svm *svm, u64 base,
			 const unsigned long *want, const unsigned long *claimed)
{
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(done, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(stuck, DRM_SVM_RANGE_PAGES);
	struct drm_svm_placement pl;
	int ret;

	if (!drm_svm_has_room(svm))
		return 0;
	ret = drm_svm_placement_read(&pl, svm, base, want);
	if (ret)
		return ret;
	drm_svm_place_choose(svm, base, &pl, want, claimed, pages);
	if (!bitmap_intersects(pages, want, DRM_SVM_RANGE_PAGES))
		return 0;
	ret = drm_svm_move_to_device(svm, base, &pl, want, pages, done);
	if (ret)
		return ret;
	bitmap_andnot(stuck, pages, done, DRM_SVM_RANGE_PAGES);
	bitmap_andnot(stuck, stuck, pl.makeable, DRM_SVM_RANGE_PAGES);
	drm_svm_stuck_add(svm->smm, base, stuck);
	return 0;
}

/**
 * drm_svm_place_atomic() - put pages on the device that it has atomics for
 * @svm: device address space, of a device with memory
 * @base: first byte of the range
 * @want: pages that it wants to read and write at once; they are there, to be written
 *	by the process
 * @late: out: those of them that are to be tried again later
 * @why: out, if there are any: -EAGAIN: somebody holds them; -ENOMEM: there is no room
 *
 * Whatever policy says of them, unless an attribute says that they are to be in
 * system memory.
 *
 * Context: as drm_svm_place_device().
 * Return: 0; -EOPNOTSUPP for pages that may not move; -ENOMEM, -EINTR, -ESRCH, -EBUSY,
 * -EAGAIN.
 */
int drm_svm_place_atomic(struct drm_svm *svm, u64 base, const unsigned long *want,
			 unsigned long *late, int *why)
{
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(tried, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(done, DRM_SVM_RANGE_PAGES);
	struct drm_svm_placement pl;
	int ret;

	bitmap_zero(late, DRM_SVM_RANGE_PAGES);
	ret = drm_svm_placement_read(&pl, svm, base, want);
	if (ret)
		return ret;
	if (bitmap_intersects(want, pl.fixed, DRM_SVM_RANGE_PAGES) ||
	    drm_svm_policy_forbids(svm, base, want))
		return -EOPNOTSUPP;
	bitmap_or(pages, pl.system, pl.remote, DRM_SVM_RANGE_PAGES);
	bitmap_and(pages, pages, want, DRM_SVM_RANGE_PAGES);
	bitmap_copy(tried, pages, DRM_SVM_RANGE_PAGES);
	ret = drm_svm_move_to_device(svm, base, &pl, want, tried, done);
	if (ret)
		return ret;
	bitmap_andnot(late, pages, done, DRM_SVM_RANGE_PAGES);
	*why = bitmap_subset(late, tried, DRM_SVM_RANGE_PAGES) ? -EAGAIN : -ENOMEM;
	return 0;
}

/**
 * drm_svm_place_system() - put the wanted pages of a range in system memory
 * @svm: device address space
 * @base: first byte of the range
 * @want: pages that a service needs there
 *
 * Context: as drm_svm_place_device().
 * Return: as drm_svm_place_device().
 */
int drm_svm_place_system(struct drm_svm *svm, u64 base,
			 const unsigned long *want)
{
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(done, DRM_SVM_RANGE_PAGES);
	struct drm_svm_placement pl;
	int ret;

	ret = drm_svm_placement_read(&pl, svm, base, want);
	if (ret)
		return ret;
	bitmap_or(pages, pl.local, pl.remote, DRM_SVM_RANGE_PAGES);
	bitmap_and(pages, pages, want, DRM_SVM_RANGE_PAGES);
	return drm_svm_move_to_system(svm, base, &pl, pages, done);
}
