// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Invalidation: the CPU is about to change a mapping, so no device may use it.
 *
 * First, under the lock of each range of a window: bump its generation, make its
 * pages dying, note the views that map something of them by their records. From
 * then on nothing more is committed there. Those views then, in rounds of a few:
 *
 *	1. reserve what their sinks need to take mappings away;
 *	2. under each range's lock: take away what is mapped in the round's views;
 *	3. start one flush per view, all at once, which gives back what was reserved;
 *	4. wait for them;
 *
 * and after the last round, under each range's lock: dirty what a device could
 * write, unmap it from DMA. When the callback returns, nothing of the old pages
 * is reachable. A device that maps nothing there is not disturbed.
 *
 * A round has the views that come first by their number, from where the last one
 * ended, so that however many there are nothing has to be allocated. It holds a
 * reference to each, taken under the lock of a range in which it has a record.
 *
 * A service that runs meanwhile has walked before the generation was bumped
 * and fails to commit, or reads the window's sequence after it was set and
 * waits or retries in the walk.
 *
 * Nothing here allocates. What may be waited for is hardware, which makes
 * progress by itself: ring space and flushes. A device that does not answer is
 * stopped and cut off (&drm_svm_sink_ops.kill), which is as good as a flush.
 *
 * Not blockable (the OOM reaper): range by range, everything under its lock, by
 * trylock and polling; what could not be had without sleeping returns false, with
 * each range either done, or untouched, or dying: as in the middle of what sleeps.
 *
 * The record, &drm_svm_range_view.mapped, is what all this goes by. It is written
 * under the same hold of the range's lock as the sink, and never says less.
 */

#include <kunit/visibility.h>

#include <linux/kernel.h>
#include <linux/mm.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

/* Ranges that one invalidation keeps at hand; mostly it is about one. */
#define DRM_SVM_INVAL_RANGES		2
/* How long ranges that are left with nothing, where addresses stay, are kept. */
#define DRM_SVM_GC_IDLE		(10 * HZ)
/* And where they are unmapped: not at once, since many unmaps come together. */
#define DRM_SVM_GC_SOON		(HZ / 50 ?: 1)

/*
 * One clock for all: a page in device memory may outlive the drm_svm_mm it was
 * placed for, and what is made next for the process must not start from a moment
 * that the page has seen.
 */
static atomic64_t drm_svm_soft_clock = ATOMIC64_INIT(0);

/**
 * struct drm_svm_inval - one invalidation
 * @smm: address space
 * @first: first byte
 * @last: last byte
 * @dying: another invalidation was at work there when this one began
 * @begun: &drm_svm_mm.inval_clock, as it is if none has begun since
 * @nr_ranges: ranges that were found
 * @range: them, each with a reference, unless there are more than have room
 * @done: number of the last view that is done
 * @more: there are views behind those of the round
 * @n: views in the round
 * @view: them, each with a reference, in the order of their numbers
 * @batch: what each has to flush
 */
struct drm_svm_inval {
	struct drm_svm_mm *smm;
	u64 first;
	u64 last;
	bool dying;
	s64 begun;
	unsigned int nr_ranges;
	struct drm_svm_range *range[DRM_SVM_INVAL_RANGES];
	u64 done;
	bool more;
	unsigned int n;
	struct drm_svm_view *view[DRM_SVM_FLUSH_BATCH];
	struct drm_svm_batch batch[DRM_SVM_FLUSH_BATCH];
};

static unsigned int drm_svm_inval_pages(struct drm_svm_inval *inval,
					struct drm_svm_range *range,
					unsigned int *first)
{
	u64 end = range->first + DRM_SVM_RANGE_SIZE - 1;

	*first = drm_svm_page_index(max(inval->first, range->first));
	return drm_svm_page_index(min(inval->last, end));
}

static bool drm_svm_range_has_dying(struct drm_svm_range *range,
				    unsigned int first, unsigned int last)
{
	return find_next_bit(range->dying, last + 1, first) <= last;
}

static void drm_svm_count_unmapped(struct drm_svm_range *range,
				   unsigned int first, unsigned int last)
{
	struct drm_svm_range_view *rv;
	unsigned int word, n;
	unsigned long mask;

	list_for_each_entry(rv, &range->views, node) {
		struct drm_svm_stats *stats = &rv->view->svm->stats;

		n = 0;
		drm_svm_for_each_word(word, mask, first, last)
			n += hweight_long(rv->mapped[word] & mask);
		if (!n)
			continue;
		atomic64_inc(&stats->invalidations);
		atomic64_add(n, &stats->unmapped);
	}
}

static struct drm_svm_range *drm_svm_inval_next(struct drm_svm_inval *inval,
						unsigned long *index)
{
	return drm_svm_range_next(inval->smm, index,
				  inval->last >> DRM_SVM_RANGE_SHIFT);
}

/* Takes the last view out of the round; it has its turn in the next. */
static void drm_svm_inval_postpone(struct drm_svm_inval *inval)
{
	drm_svm_view_put(inval->view[--inval->n]);
	inval->more = true;
}

/* Into the round, if it is one of the first of those that are not done. */
static void drm_svm_inval_add(struct drm_svm_inval *inval,
			      struct drm_svm_view *view)
{
	unsigned int at, i;

	if (view->number <= inval->done)
		return;
	for (at = 0; at < inval->n; at++)
		if (inval->view[at]->number >= view->number)
			break;
	if (at < inval->n && inval->view[at] == view)
		return;
	if (inval->n == DRM_SVM_FLUSH_BATCH) {
		if (at == inval->n) {
			inval->more = true;
			return;
		}
		drm_svm_inval_postpone(inval);
	}
	for (i = inval->n++; i > at; i--)
		inval->view[i] = inval->view[i - 1];
	drm_svm_view_get(view);
	inval->view[at] = view;
}

/* Who has to be told? Those too whose pages are dying already. */
static void drm_svm_inval_note(struct drm_svm_inval *inval,
			       struct drm_svm_range *range)
{
	struct drm_svm_range_view *rv;
	unsigned int first, last;

	last = drm_svm_inval_pages(inval, range, &first);
	list_for_each_entry(rv, &range->views, node) {
		if (!drm_svm_rv_maps(rv, first, last))
			continue;
		if (drm_svm_planted(DRM_SVM_PLANTED_ZAP_DYING) &&
		    find_next_andnot_bit(rv->mapped, range->dying, last + 1,
					 first) > last)
			continue;
		drm_svm_inval_add(inval, rv->view);
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
	drm_svm_inval_note(inval, range);
	atomic64_inc(&inval->smm->inval_clock);
	inval->begun++;
	drm_svm_range_begin_inval(range, first, last);
}

/*
 * Whether another has taken something away there and may not have flushed it yet: a
 * table, which is in no sink any more and still in walk caches, says no less than its
 * pages. Those that began before us have left pages dying, those since then have moved
 * the clock.
 */
static bool drm_svm_inval_not_alone(const struct drm_svm_inval *inval)
{
	return inval->dying ||
	       atomic64_read(&inval->smm->inval_clock) != inval->begun;
}

/*
 * What another invalidation has taken away already is in no sink any more, but it may
 * be in TLBs until that one's flush is done: pages that were dying, and pages that
 * went along with others. The record still has them mapped.
 */
static void drm_svm_inval_unmap(struct drm_svm_batch *batch,
				struct drm_svm_range *range, unsigned int first,
				unsigned int last, bool dying)
{
	drm_svm_batch_unmap(batch, drm_svm_page_addr(range->first, first),
			    drm_svm_page_addr(range->first, last) + PAGE_SIZE - 1,
			    dying ? DRM_SVM_UNMAP_DIRECTORY : 0);
}

/* Step 2 for one range. What another has flushed meanwhile is not recorded now. */
static void drm_svm_inval_zap(struct drm_svm_inval *inval,
			      struct drm_svm_range *range)
{
	struct drm_svm_range_view *rv;
	unsigned int first, last, d;

	last = drm_svm_inval_pages(inval, range, &first);
	for (d = 0; d < inval->n; d++) {
		rv = drm_svm_range_view(range, inval->view[d]);
		if (rv && drm_svm_rv_maps(rv, first, last))
			drm_svm_inval_unmap(&inval->batch[d], range, first,
					    last, drm_svm_inval_not_alone(inval));
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

static void drm_svm_inval_do(struct drm_svm_inval *inval, struct drm_svm_range *range,
			     void (*fn)(struct drm_svm_inval *inval,
					struct drm_svm_range *range))
{
	mutex_lock(&range->lock);
	fn(inval, range);
	mutex_unlock(&range->lock);
}

static void drm_svm_inval_keep(struct drm_svm_inval *inval, struct drm_svm_range *range)
{
	if (inval->nr_ranges < DRM_SVM_INVAL_RANGES) {
		kref_get(&range->ref);
		inval->range[inval->nr_ranges] = range;
	}
	inval->nr_ranges++;
}

/* The ranges of the index, which are kept if they are few. */
static void drm_svm_inval_first(struct drm_svm_inval *inval)
{
	unsigned long index = inval->first >> DRM_SVM_RANGE_SHIFT;
	struct drm_svm_range *range;

	inval->nr_ranges = 0;
	while ((range = drm_svm_inval_next(inval, &index))) {
		drm_svm_inval_keep(inval, range);
		drm_svm_inval_do(inval, range, drm_svm_inval_begin);
		drm_svm_range_put(range);
		if (index++ == inval->last >> DRM_SVM_RANGE_SHIFT)
			break;
	}
}

/*
 * The same once more. What has come into the index meanwhile has nothing of what we are
 * about: its service sees the window's sequence.
 */
static void drm_svm_inval_each(struct drm_svm_inval *inval,
			       void (*fn)(struct drm_svm_inval *inval,
					  struct drm_svm_range *range))
{
	unsigned long index = inval->first >> DRM_SVM_RANGE_SHIFT;
	struct drm_svm_range *range;
	unsigned int i;

	if (inval->nr_ranges <= DRM_SVM_INVAL_RANGES) {
		for (i = 0; i < inval->nr_ranges; i++)
			drm_svm_inval_do(inval, inval->range[i], fn);
		return;
	}
	while ((range = drm_svm_inval_next(inval, &index))) {
		drm_svm_inval_do(inval, range, fn);
		drm_svm_range_put(range);
		index++;
	}
}

static void drm_svm_inval_last(struct drm_svm_inval *inval)
{
	unsigned int i = min(inval->nr_ranges, DRM_SVM_INVAL_RANGES);

	while (i--)
		drm_svm_range_put(inval->range[i]);
}

/* Is any range indexed there? */
static bool drm_svm_inval_hits(struct drm_svm_inval *inval)
{
	unsigned long index = inval->first >> DRM_SVM_RANGE_SHIFT;
	unsigned long last = inval->last >> DRM_SVM_RANGE_SHIFT;

	if (index == last)
		return xa_load(&inval->smm->ranges, index);
	return xa_find(&inval->smm->ranges, &index, last, XA_PRESENT);
}

/*
 * Step 1. Space is waited for by the first only: to wait with some in hand for more
 * of another ring could deadlock with an invalidation that does it the other way
 * round. Who gets none without waiting has its turn in the next round, as its first.
 */
static void drm_svm_inval_reserve(struct drm_svm_inval *inval)
{
	unsigned int d;

	for (d = 0; d < inval->n; d++)
		if (drm_svm_batch_reserve(&inval->batch[d], inval->view[d],
					  inval->first, inval->last, !d))
			break;
	while (inval->n > d)
		drm_svm_inval_postpone(inval);
}

static void drm_svm_inval_round(struct drm_svm_inval *inval)
{
	unsigned int d;

	drm_svm_inval_reserve(inval);
	drm_svm_inval_each(inval, drm_svm_inval_zap);
	for (d = 0; d < inval->n; d++)
		drm_svm_batch_start(&inval->batch[d], true);
	for (d = 0; d < inval->n; d++)
		drm_svm_batch_finish(&inval->batch[d], true);
	inval->done = inval->view[inval->n - 1]->number;
	while (inval->n)
		drm_svm_view_put(inval->view[--inval->n]);
}

static void drm_svm_inval_sleeping(struct drm_svm_inval *inval)
{
	inval->n = 0;
	inval->done = 0;
	inval->dying = false;
	inval->begun = atomic64_read(&inval->smm->inval_clock);
	inval->more = false;
	drm_svm_inval_first(inval);
	while (inval->n) {
		drm_svm_inval_round(inval);
		if (!inval->more ||
		    drm_svm_planted(DRM_SVM_PLANTED_VIEW_FORGOTTEN))
			break;
		inval->more = false;
		drm_svm_inval_each(inval, drm_svm_inval_note);
	}
	drm_svm_inval_each(inval, drm_svm_inval_finish);
	drm_svm_inval_last(inval);
}

/* Return: false if the device may still reach something. */
static bool drm_svm_inval_polled_view(struct drm_svm_range *range,
				      struct drm_svm_view *view,
				      unsigned int first, unsigned int last,
				      bool dying)
{
	struct drm_svm_batch batch;

	if (drm_svm_batch_reserve(&batch, view,
				  drm_svm_page_addr(range->first, first),
				  drm_svm_page_addr(range->first, last) +
				  PAGE_SIZE - 1, false))
		return false;
	drm_svm_inval_unmap(&batch, range, first, last, dying);
	drm_svm_batch_start(&batch, false);
	return drm_svm_batch_finish(&batch, false);
}

/*
 * All views that map something, one by one, while the range's lock is held: a view
 * that ends needs that too before it is gone. What one could not do for want of sleep
 * stays dying, for who comes next.
 */
static bool drm_svm_inval_polled_range(struct drm_svm_inval *inval,
				       struct drm_svm_range *range)
{
	struct drm_svm_range_view *rv;
	unsigned int first, last;
	bool dying, done = true;

	last = drm_svm_inval_pages(inval, range, &first);
	dying = drm_svm_range_has_dying(range, first, last);
	drm_svm_count_unmapped(range, first, last);
	atomic64_inc(&inval->smm->inval_clock);
	if (!drm_svm_range_begin_inval(range, first, last))
		return true;

	list_for_each_entry(rv, &range->views, node)
		if (drm_svm_rv_maps(rv, first, last))
			done &= drm_svm_inval_polled_view(range, rv->view, first,
							  last, dying);
	if (done)
		drm_svm_range_finish_inval(range, first, last);
	return done;
}

/* Mappings that are taken away by commands, say, need a ring, which sleeps. */
static bool drm_svm_inval_pollable(struct drm_svm_inval *inval,
				   struct drm_svm_range *range)
{
	struct drm_svm_range_view *rv;
	unsigned int first, last;

	last = drm_svm_inval_pages(inval, range, &first);
	list_for_each_entry(rv, &range->views, node)
		if (!(rv->view->caps & DRM_SVM_SINK_POLL) &&
		    drm_svm_rv_maps(rv, first, last))
			return false;
	return true;
}

static bool drm_svm_inval_trylock(struct drm_svm_inval *inval,
				  struct drm_svm_range *range)
{
	bool done;

	if (!mutex_trylock(&range->lock))
		return false;
	done = drm_svm_inval_pollable(inval, range) &&
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

/**
 * drm_svm_mm_bump_soft_epoch() - soft-dirty bits of a process are being cleared
 * @smm: its address space
 *
 * Context: any; in the notifier, before anything is zapped, so that a service that
 * commits afterwards has seen it.
 */
void drm_svm_mm_bump_soft_epoch(struct drm_svm_mm *smm)
{
	atomic64_set(&smm->soft_epoch,
		     atomic64_inc_return(&drm_svm_soft_clock));
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

/*
 * Pages that move between memories are zapped like all others. The core's
 * owner filter is only right for mappings that will not be migrated.
 */
static bool drm_svm_invalidate(struct mmu_interval_notifier *notifier,
			       const struct mmu_notifier_range *mnr,
			       unsigned long cur_seq)
{
	struct drm_svm_window *window =
		container_of(notifier, struct drm_svm_window, notifier);
	struct drm_svm_inval inval;

	if (mnr->event == MMU_NOTIFY_SOFT_DIRTY)
		drm_svm_mm_bump_soft_epoch(window->smm);
	if (mnr->event == MMU_NOTIFY_RELEASE)
		drm_svm_release(window->smm);
	mmu_interval_set_seq(notifier, cur_seq);
	/*
	 * A service indexes its range, then reads the sequence: we see the range
	 * or it sees the sequence.
	 */
	smp_mb();
	drm_svm_inval_clip(&inval, window, mnr);
	if (!drm_svm_inval_hits(&inval) ||
	    (drm_svm_planted(DRM_SVM_PLANTED_OWNER_FILTER) &&
	     mnr->event == MMU_NOTIFY_MIGRATE && mnr->owner == &drm_svm_owner))
		return true;
	if (!mmu_notifier_range_blockable(mnr))
		return drm_svm_inval_polling(&inval);

	drm_svm_inval_sleeping(&inval);
	if (!list_empty(&inval.smm->idle_ranges))
		drm_svm_gc_later(inval.smm, mnr->event == MMU_NOTIFY_UNMAP ?
					    DRM_SVM_GC_SOON : DRM_SVM_GC_IDLE);
	return true;
}

const struct mmu_interval_notifier_ops drm_svm_notifier_ops = {
	.invalidate = drm_svm_invalidate,
};
EXPORT_SYMBOL_IF_KUNIT(drm_svm_notifier_ops);
