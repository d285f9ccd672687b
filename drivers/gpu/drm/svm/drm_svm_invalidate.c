// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Invalidation: the CPU is about to change a mapping, so no device may use it.
 *
 * First, under the lock of each range of a window: bump its generation, make its
 * pages dying, note the devices that map something of them by their records. From
 * then on nothing more is committed there. Those devices then, in rounds of a few:
 *
 *	1. under each range's lock: zap the tables of the round's devices;
 *	2. start one gathered flush per device, all devices at once;
 *	3. wait for them;
 *
 * and after the last round, under each range's lock: dirty what a device could
 * write, unmap it from DMA. When the callback returns, nothing of the old pages
 * is reachable. A device that maps nothing there is not disturbed.
 *
 * A service that runs meanwhile has walked before the generation was bumped
 * and fails to commit, or reads the window's sequence after it was set and
 * waits or retries in the walk.
 *
 * Nothing here allocates. What may be waited for is hardware, which makes
 * progress by itself: ring space and flushes. A device that does not answer is
 * stopped and cut off (&drm_svm_ops.kill), which is as good as a flush.
 *
 * Not blockable (the OOM reaper): range by range, everything under its lock, by
 * trylock and polling; what could not be had without sleeping returns false,
 * with each range either done or untouched.
 *
 * The record, &drm_svm_range_dev.mapped, is what all this goes by. It is written
 * under the same hold of the range's lock as the table, and never says less.
 */

#include <kunit/visibility.h>

#include <linux/kernel.h>
#include <linux/mm.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

/* How long ranges that are left with nothing, where addresses stay, are kept. */
#define DRM_SVM_GC_IDLE		(10 * HZ)

/**
 * struct drm_svm_inval - one invalidation
 * @smm: address space
 * @first: first byte
 * @last: last byte
 * @hit: devices that map something there, by &drm_svm.slot
 * @dying: another invalidation is at work there
 * @n: devices in the round
 * @svm: them
 * @token: their flushes
 * @gather: what each has to flush
 */
struct drm_svm_inval {
	struct drm_svm_mm *smm;
	u64 first;
	u64 last;
	DECLARE_BITMAP(hit, DRM_SVM_SLOTS);
	bool dying;
	unsigned int n;
	struct drm_svm *svm[DRM_SVM_FLUSH_BATCH];
	u64 token[DRM_SVM_FLUSH_BATCH];
	struct drm_gpt_gather gather[DRM_SVM_FLUSH_BATCH];
};

static void drm_svm_flush_start(struct drm_svm *svm,
				struct drm_gpt_gather *gather, u64 *token)
{
	*token = 0;
	if (drm_gpt_gather_empty(gather) ||
	    drm_svm_planted(DRM_SVM_PLANTED_NO_FLUSH))
		return;
	atomic64_inc(&svm->stats.flushes);
	*token = svm->ops->flush_begin(svm, gather);
}

static void drm_svm_flush_finish(struct drm_svm *svm, u64 token, bool may_sleep)
{
	/* Never let the CPU reuse memory that a device may still reach. */
	if (token && svm->ops->flush_wait(svm, token, may_sleep))
		svm->ops->kill(svm);
}

static void drm_svm_flush_end(struct drm_svm *svm,
			      struct drm_gpt_gather *gather, u64 token,
			      bool may_sleep)
{
	drm_svm_flush_finish(svm, token, may_sleep);
	drm_gpt_gather_fini(gather);
}

/**
 * drm_svm_flush() - flush one device and wait
 * @svm: device address space; drm_svm_fini() may be over
 * @gather: what to flush; the caller finishes it
 *
 * For &drm_gpt_config.flush. A device that does not answer is stopped.
 *
 * Context: may sleep; allocates nothing, and takes the driver's locks only, as in
 * an MMU notifier.
 */
void drm_svm_flush(struct drm_svm *svm, struct drm_gpt_gather *gather)
{
	u64 token;

	drm_svm_flush_start(svm, gather, &token);
	drm_svm_flush_finish(svm, token, true);
}
EXPORT_SYMBOL_GPL(drm_svm_flush);

/**
 * drm_svm_flush_all() - flush one device and wait
 * @svm: device address space
 * @gather: what was zapped; finished here
 *
 * Context: may sleep.
 */
void drm_svm_flush_all(struct drm_svm *svm, struct drm_gpt_gather *gather)
{
	drm_svm_flush(svm, gather);
	drm_gpt_gather_fini(gather);
}

/**
 * drm_svm_reclaim_tables() - free the tables that a dropped range has left
 * @svm: device address space
 * @first: first byte
 * @last: last byte
 *
 * Context: may sleep; the service lock over the interval is held, the device does
 * not detach meanwhile.
 */
void drm_svm_reclaim_tables(struct drm_svm *svm, u64 first, u64 last)
{
	struct drm_gpt_gather gather;

	drm_gpt_gather_init(&gather, svm->gpt);
	if (drm_gpt_zap_reserve(&gather, first, last, true))
		return;
	drm_gpt_reclaim(&gather, first, last);
	drm_svm_flush_all(svm, &gather);
}

static unsigned int drm_svm_inval_pages(struct drm_svm_inval *inval,
					struct drm_svm_range *range,
					unsigned int *first)
{
	u64 end = range->first + DRM_SVM_RANGE_SIZE - 1;

	*first = drm_svm_page_index(max(inval->first, range->first));
	return drm_svm_page_index(min(inval->last, end));
}

/*
 * What another invalidation has cleared already is not in the table any more,
 * but it may be in TLBs until that one's flush is done: pages that were @dying,
 * and pages of a large leaf that went whole. The record still has them mapped.
 * Where drm_svm_make_way() takes the range out, the table went too, and the device
 * may still have that in its walk cache.
 */
static void drm_svm_zap_pages(struct drm_gpt_gather *gather,
			      struct drm_svm *svm, struct drm_svm_range *range,
			      unsigned int first, unsigned int last, bool dying)
{
	u64 from = drm_svm_page_addr(range->first, first);
	u64 to = drm_svm_page_addr(range->first, last) + PAGE_SIZE - 1;

	drm_gpt_zap(gather, from, to);
	drm_gpt_gather_also(gather, from, to,
			    dying || !svm->gpt->format->replace_ok);
}

static bool drm_svm_range_has_dying(struct drm_svm_range *range,
				    unsigned int first, unsigned int last)
{
	return find_next_bit(range->dying, last + 1, first) <= last;
}

static void drm_svm_count_unmapped(struct drm_svm_range *range,
				   unsigned int first, unsigned int last)
{
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	struct drm_svm_range_dev *rd;

	list_for_each_entry(rd, &range->devs, node) {
		bitmap_zero(pages, DRM_SVM_RANGE_PAGES);
		bitmap_set(pages, first, last - first + 1);
		if (!bitmap_and(pages, pages, rd->mapped, DRM_SVM_RANGE_PAGES))
			continue;
		atomic64_inc(&rd->svm->stats.invalidations);
		atomic64_add(bitmap_weight(pages, DRM_SVM_RANGE_PAGES),
			     &rd->svm->stats.unmapped);
	}
}

/* The next range at or after *@index that the interval touches, referenced. */
static struct drm_svm_range *drm_svm_inval_next(struct drm_svm_inval *inval,
						unsigned long *index)
{
	unsigned long max = inval->last >> DRM_SVM_RANGE_SHIFT;
	struct drm_svm_range *range;

	guard(rcu)();
	for (range = xa_find(&inval->smm->ranges, index, max, XA_PRESENT);
	     range;
	     range = xa_find_after(&inval->smm->ranges, index, max, XA_PRESENT))
		if (kref_get_unless_zero(&range->ref))
			return range;
	return NULL;
}

/* Which devices have to be told? Those too whose pages are dying already. */
static void drm_svm_inval_note(struct drm_svm_inval *inval,
			       struct drm_svm_range *range, unsigned int first,
			       unsigned int last)
{
	struct drm_svm_range_dev *rd;

	list_for_each_entry(rd, &range->devs, node) {
		if (!drm_svm_rd_maps(rd, first, last))
			continue;
		if (drm_svm_planted(DRM_SVM_PLANTED_ZAP_DYING) &&
		    find_next_andnot_bit(rd->mapped, range->dying, last + 1,
					 first) > last)
			continue;
		__set_bit(rd->svm->slot, inval->hit);
	}
}

/* Before the rounds, for one range. */
static void drm_svm_inval_begin(struct drm_svm_inval *inval,
				struct drm_svm_range *range)
{
	unsigned int first, last;

	last = drm_svm_inval_pages(inval, range, &first);
	inval->dying |= drm_svm_range_has_dying(range, first, last);
	drm_svm_count_unmapped(range, first, last);
	drm_svm_inval_note(inval, range, first, last);
	drm_svm_range_begin_inval(range, first, last);
}

/* Step 1 for one range. What another has flushed meanwhile is not recorded now. */
static void drm_svm_inval_zap(struct drm_svm_inval *inval,
			      struct drm_svm_range *range)
{
	struct drm_svm_range_dev *rd;
	unsigned int first, last, d;

	last = drm_svm_inval_pages(inval, range, &first);
	for (d = 0; d < inval->n; d++) {
		rd = drm_svm_range_dev(range, inval->svm[d]);
		if (rd && drm_svm_rd_maps(rd, first, last))
			drm_svm_zap_pages(&inval->gather[d], inval->svm[d],
					  range, first, last, inval->dying);
	}
	if (drm_svm_planted(DRM_SVM_PLANTED_EARLY_UNMAP))
		drm_svm_range_dma_unmap(range, first, last);
}

static void drm_svm_inval_finish(struct drm_svm_inval *inval,
				 struct drm_svm_range *range)
{
	unsigned int first, last;

	last = drm_svm_inval_pages(inval, range, &first);
	drm_svm_range_finish_inval(range, first, last);
}

static void drm_svm_inval_each(struct drm_svm_inval *inval,
			       void (*fn)(struct drm_svm_inval *inval,
					  struct drm_svm_range *range))
{
	unsigned long index = inval->first >> DRM_SVM_RANGE_SHIFT;
	struct drm_svm_range *range;

	while ((range = drm_svm_inval_next(inval, &index))) {
		mutex_lock(&range->lock);
		fn(inval, range);
		mutex_unlock(&range->lock);
		drm_svm_range_put(range);
		index++;
	}
}

/* Is any range indexed there? */
static bool drm_svm_inval_hits(struct drm_svm_inval *inval)
{
	unsigned long index = inval->first >> DRM_SVM_RANGE_SHIFT;

	return xa_find(&inval->smm->ranges, &index,
		       inval->last >> DRM_SVM_RANGE_SHIFT, XA_PRESENT);
}

/*
 * Adds devices to the round while ring space for their zaps is there. Space is
 * waited for by the first only: to wait with some in hand for more of another
 * ring could deadlock with an invalidation that does it the other way round.
 */
static struct drm_svm *drm_svm_inval_collect(struct drm_svm_inval *inval,
					     struct drm_svm *svm)
{
	struct list_head *head = &inval->smm->devices;

	inval->n = 0;
	list_for_each_entry_from_rcu(svm, head, node) {
		struct drm_gpt_gather *gather = &inval->gather[inval->n];

		if (!test_bit(svm->slot, inval->hit))
			continue;
		if (inval->n == DRM_SVM_FLUSH_BATCH)
			return svm;
		drm_gpt_gather_init(gather, svm->gpt);
		/* Slots may be shared: is any of it in reach at all? */
		if (!drm_svm_reaches(svm, inval->first))
			continue;
		if (drm_gpt_zap_reserve(gather, inval->first,
					min(inval->last, svm->gpt->last),
					!inval->n)) {
			if (inval->n)
				return svm;
			/* The ring is dead: so is what walks the table. */
			svm->ops->kill(svm);
		}
		inval->svm[inval->n++] = svm;
	}
	return NULL;
}

static void drm_svm_inval_round(struct drm_svm_inval *inval)
{
	unsigned int d;

	drm_svm_inval_each(inval, drm_svm_inval_zap);
	for (d = 0; d < inval->n; d++)
		drm_svm_flush_start(inval->svm[d], &inval->gather[d],
				    &inval->token[d]);
	for (d = 0; d < inval->n; d++)
		drm_svm_flush_end(inval->svm[d], &inval->gather[d],
				  inval->token[d], true);
}

static void drm_svm_inval_sleeping(struct drm_svm_inval *inval)
{
	struct drm_svm *svm;
	int idx;

	/* A slot is given to nobody else while we go by it. */
	idx = srcu_read_lock(&inval->smm->srcu);
	bitmap_zero(inval->hit, DRM_SVM_SLOTS);
	inval->dying = false;
	drm_svm_inval_each(inval, drm_svm_inval_begin);
	svm = list_entry_rcu(inval->smm->devices.next, struct drm_svm, node);
	while (svm && &svm->node != &inval->smm->devices) {
		svm = drm_svm_inval_collect(inval, svm);
		if (inval->n)
			drm_svm_inval_round(inval);
	}
	srcu_read_unlock(&inval->smm->srcu, idx);
	drm_svm_inval_each(inval, drm_svm_inval_finish);
}

/*
 * All devices that map something, one by one, while the range's lock is held: a
 * device that detaches needs that too before it is gone.
 */
static void drm_svm_inval_polled_range(struct drm_svm_inval *inval,
				       struct drm_svm_range *range)
{
	struct drm_svm_range_dev *rd;
	unsigned int first, last;
	bool dying;
	u64 token;

	last = drm_svm_inval_pages(inval, range, &first);
	dying = drm_svm_range_has_dying(range, first, last);
	drm_svm_count_unmapped(range, first, last);
	if (!drm_svm_range_begin_inval(range, first, last))
		return;

	list_for_each_entry(rd, &range->devs, node) {
		if (!drm_svm_rd_maps(rd, first, last))
			continue;
		drm_gpt_gather_init(inval->gather, rd->svm->gpt);
		drm_svm_zap_pages(inval->gather, rd->svm, range, first, last,
				  dying);
		drm_svm_flush_start(rd->svm, inval->gather, &token);
		drm_svm_flush_end(rd->svm, inval->gather, token, false);
	}
	drm_svm_range_finish_inval(range, first, last);
}

/* Tables written by commands need their ring, which cannot be polled. */
static bool drm_svm_inval_pollable(struct drm_svm_inval *inval,
				   struct drm_svm_range *range)
{
	struct drm_svm_range_dev *rd;
	unsigned int first, last;

	last = drm_svm_inval_pages(inval, range, &first);
	list_for_each_entry(rd, &range->devs, node)
		if (rd->svm->gpt->cmd && drm_svm_rd_maps(rd, first, last))
			return false;
	return true;
}

static bool drm_svm_inval_trylock(struct drm_svm_inval *inval,
				  struct drm_svm_range *range)
{
	bool done;

	if (!mutex_trylock(&range->lock))
		return false;
	done = drm_svm_inval_pollable(inval, range);
	if (done)
		drm_svm_inval_polled_range(inval, range);
	mutex_unlock(&range->lock);
	return done;
}

static bool drm_svm_inval_polling(struct drm_svm_inval *inval)
{
	unsigned long index = inval->first >> DRM_SVM_RANGE_SHIFT;
	struct drm_svm_range *range;
	bool done = true;

	non_block_start();
	while (done && (range = drm_svm_inval_next(inval, &index))) {
		done = drm_svm_inval_trylock(inval, range);
		drm_svm_range_put(range);
		index++;
	}
	non_block_end();
	return done;
}

/*
 * Pages that move between memories are zapped like all others. The core's
 * owner filter is only right for mappings that will not be migrated.
 */
static bool drm_svm_own_migration(const struct mmu_notifier_range *mnr)
{
	return drm_svm_planted(DRM_SVM_PLANTED_OWNER_FILTER) &&
	       mnr->event == MMU_NOTIFY_MIGRATE &&
	       mnr->owner == &drm_svm_owner;
}

static void drm_svm_inval_clip(struct drm_svm_inval *inval,
			       struct drm_svm_window *window,
			       const struct mmu_notifier_range *mnr)
{
	inval->smm = window->smm;
	inval->first = max_t(u64, mnr->start,
			     window->notifier.interval_tree.start);
	inval->last = min_t(u64, mnr->end - 1,
			    window->notifier.interval_tree.last);
}

static bool drm_svm_invalidate(struct mmu_interval_notifier *notifier,
			       const struct mmu_notifier_range *mnr,
			       unsigned long cur_seq)
{
	struct drm_svm_window *window =
		container_of(notifier, struct drm_svm_window, notifier);
	struct drm_svm_inval inval;

	if (drm_svm_own_migration(mnr))
		return true;

	if (mnr->event == MMU_NOTIFY_SOFT_DIRTY)
		drm_svm_mm_bump_soft_epoch(window->smm);
	mmu_interval_set_seq(notifier, cur_seq);
	/*
	 * A service indexes its range, then reads the sequence: we see the range
	 * or it sees the sequence.
	 */
	smp_mb();
	drm_svm_inval_clip(&inval, window, mnr);
	if (!drm_svm_inval_hits(&inval))
		return true;
	if (!mmu_notifier_range_blockable(mnr))
		return drm_svm_inval_polling(&inval);

	drm_svm_inval_sleeping(&inval);
	if (!list_empty(&inval.smm->idle_ranges))
		drm_svm_gc_kick(inval.smm, mnr->event == MMU_NOTIFY_UNMAP ?
					   0 : DRM_SVM_GC_IDLE);
	return true;
}

const struct mmu_interval_notifier_ops drm_svm_notifier_ops = {
	.invalidate = drm_svm_invalidate,
};
EXPORT_SYMBOL_IF_KUNIT(drm_svm_notifier_ops);
