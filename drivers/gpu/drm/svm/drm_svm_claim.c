// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: claims
 *
 * What is not claimed is the mirror's: it maps what the process has there. A driver that
 * wants to map something else, a buffer say, claims the addresses first, to the page,
 * in one view; other views and other devices are not concerned, and neither is the
 * process. What is claimed is a set: there is no count, and who claims what is claimed
 * already changes nothing.
 *
 * An address is in one of these states::
 *
 *	the mirror's -claim()-> CLAIMING -> CLAIMED -unclaim_begin()-> LEAVING
 *	    ^                      |           ^                         |   |
 *	    |                   an error       +---------claim()---------+   |
 *	    +----------------------+----------------------------unclaim()----+
 *
 * A fault in CLAIMED is the driver's (&drm_svm_ops.claimed), one in CLAIMING or LEAVING
 * waits for what comes next. No service maps anything in either of them, nor moves it by
 * policy. A notifier does not look: what the mirror has mapped is in its record, which
 * has nothing of what is claimed, and a sink tells its own entries from the driver's.
 *
 * To claim is written into the tree under the service lock over the addresses, and
 * services read it under theirs. So a claim waits for services that are under way, and
 * those that come see it. What else is written needs no lock: a fault that is under way
 * may still be judged by what was, and told to the driver (&drm_svm_ops.claimed), who
 * lets it be asked again. A claim then takes away what they have mapped: unmap, flush,
 * and, under the lock of the range, end the DMA mappings and forget the record, as far as
 * an invalidation has not done so meanwhile.
 *
 * Invalidations do not take the service lock. One that has begun to zap before the claim
 * was in the tree may take it for a view without claims; it does so under the lock of the
 * range, which the claim takes once for each range that there is, before it returns.
 *
 * A claim is made step by step, so that services wait for a few ranges only, and each
 * ends if the caller is killed or the address space ends. What it costs is what is
 * mapped there, and not how many addresses there are. The nodes of the tree are charged
 * to nobody: how many intervals are claimed is the driver's to limit, as it limits
 * buffers.
 *
 * Locks: drm_svm_claim() comes before what a notifier or a service may wait for: with a
 * dma_resv held it would wait for a service that waits for reclaim, which takes one.
 */

#include <kunit/visibility.h>

#include <linux/maple_tree.h>
#include <linux/sched/signal.h>

#include <drm/drm_svm_claim.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

/* Services of so many ranges wait at a time. */
#define DRM_SVM_CLAIM_STEP	16
/* How long what maps nothing any more is kept: bindings come and go. */
#define DRM_SVM_CLAIM_GC	HZ

enum drm_svm_claim_state {
	DRM_SVM_CLAIMING = 1,
	DRM_SVM_CLAIMED,
	DRM_SVM_LEAVING,
};

/* ---- the set ------------------------------------------------------------ */

static int drm_svm_claims_store(struct drm_svm_view *view, u64 first, u64 last,
				enum drm_svm_claim_state state)
{
	return mtree_store_range(&view->claims, first >> PAGE_SHIFT,
				 last >> PAGE_SHIFT,
				 state ? xa_mk_value(state) : NULL, GFP_KERNEL);
}

/* For what cannot be left undone; a few nodes of a tree are all that it needs. */
static void drm_svm_claims_set(struct drm_svm_view *view, u64 first, u64 last,
			       enum drm_svm_claim_state state)
{
	while (drm_svm_claims_store(view, first, last, state))
		schedule_timeout_uninterruptible(1);
}

/* The state of @first, and up to where, *@last at most, it is the same. */
static enum drm_svm_claim_state drm_svm_claims_at(struct drm_svm_view *view,
						  u64 first, u64 *last)
{
	unsigned long end = *last >> PAGE_SHIFT;
	void *entry;

	entry = drm_svm_tree_at(&view->claims, first >> PAGE_SHIFT, &end);
	*last = min(*last, (((u64)end + 1) << PAGE_SHIFT) - 1);
	return xa_to_value(entry);
}

/* Where what ends before @first begins, from @from on, if it is of this claim too. */
static u64 drm_svm_claims_join(struct drm_svm_view *view, u64 from, u64 first)
{
	struct ma_state mas;

	if (first == from)
		return first;
	mas_init(&mas, &view->claims, (first - 1) >> PAGE_SHIFT);
	guard(rcu)();
	if (xa_to_value(mas_walk(&mas)) != DRM_SVM_CLAIMING)
		return first;
	return max(from, (u64)mas.index << PAGE_SHIFT);
}

/* What is nobody's yet; in one with what a claim from @from on has got so far. */
static int drm_svm_claims_begin(struct drm_svm_view *view, u64 from, u64 first,
				u64 last)
{
	u64 end;
	int ret;

	for (;; first = end + 1) {
		end = last;
		ret = drm_svm_claims_at(view, first, &end) ? 0 :
			drm_svm_claims_store(view, drm_svm_claims_join(view, from, first),
					     end, DRM_SVM_CLAIMING);
		if (ret || end == last)
			return ret;
	}
}

static void drm_svm_claims_undo(struct drm_svm_view *view, u64 first, u64 last)
{
	u64 end;

	for (;; first = end + 1) {
		end = last;
		if (drm_svm_claims_at(view, first, &end) == DRM_SVM_CLAIMING)
			drm_svm_claims_set(view, first, end, 0);
		if (end == last)
			return;
	}
}

/**
 * drm_svm_claims_read() - what of a range is claimed, and what of that is wanted?
 * @view: view
 * @base: first byte of the range
 * @want: pages that are
 * @claimed: out: pages that are not the mirror's
 * @moving: out: of these, pages that are about to be claimed, or about to be so no more
 *
 * Context: the service lock over the range is held, so that no more is claimed
 * meanwhile; or any, where nothing but a claim can be.
 * Return: 0; -EREMCHG if something of @want is claimed for good.
 */
int drm_svm_claims_read(struct drm_svm_view *view, u64 base,
			const unsigned long *want, unsigned long *claimed,
			unsigned long *moving)
{
	unsigned int from, to = 0;
	u64 first, last;
	int ret = 0;

	bitmap_zero(claimed, DRM_SVM_RANGE_PAGES);
	bitmap_zero(moving, DRM_SVM_RANGE_PAGES);
	if (mtree_empty(&view->claims) ||
	    drm_svm_planted(DRM_SVM_PLANTED_CLAIM_IGNORED))
		return 0;
	for (from = 0; from < DRM_SVM_RANGE_PAGES; from = to + 1) {
		enum drm_svm_claim_state state;

		first = drm_svm_page_addr(base, from);
		last = base | ~DRM_SVM_RANGE_MASK;
		state = drm_svm_claims_at(view, first, &last);
		to = drm_svm_page_index(last);
		if (!state)
			continue;
		bitmap_set(claimed, from, to - from + 1);
		if (state != DRM_SVM_CLAIMED)
			bitmap_set(moving, from, to - from + 1);
		else if (find_next_bit(want, to + 1, from) <= to)
			ret = -EREMCHG;
	}
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_claims_read);

/* ---- claiming ----------------------------------------------------------- */

/* What the mirror has of one range; the rest of large entries comes back by fault. */
static void drm_svm_claim_range(struct drm_svm_view *view,
				struct drm_svm_range *range, u64 first, u64 last)
{
	unsigned int from = drm_svm_page_index(first), to = drm_svm_page_index(last);

	if (!drm_svm_range_maps(range, view, from, to))
		return;
	drm_svm_batch_part(range, view, first, last, DRM_SVM_UNMAP_DIRECTORY);
	drm_svm_range_forget(range, view, from, to);
}

static void drm_svm_claim_ranges(struct drm_svm_view *view, u64 first, u64 last)
{
	unsigned long index = first >> DRM_SVM_RANGE_SHIFT;
	struct drm_svm_range *range;

	while ((range = drm_svm_range_next(view->svm->smm, &index,
					   last >> DRM_SVM_RANGE_SHIFT))) {
		u64 from = max(first, range->first);
		u64 to = min(last, range->first + DRM_SVM_RANGE_SIZE - 1);

		drm_svm_claim_range(view, range, from, to);
		drm_svm_range_put(range);
		index++;
		cond_resched();
	}
}

/* Up to where there are no more ranges than services may wait for. */
static u64 drm_svm_claim_end(struct drm_svm_view *view, u64 first, u64 last)
{
	struct drm_svm_range *range;
	unsigned int n = 0;
	unsigned long i;

	xa_for_each_range(&view->svm->smm->ranges, i, range,
			  first >> DRM_SVM_RANGE_SHIFT, last >> DRM_SVM_RANGE_SHIFT)
		if (++n == DRM_SVM_CLAIM_STEP)
			return min(last, ((u64)i << DRM_SVM_RANGE_SHIFT) |
					 ~DRM_SVM_RANGE_MASK);
	return last;
}

static int drm_svm_claim_step(struct drm_svm_view *view, u64 from, u64 first, u64 last)
{
	struct drm_svm_spans *spans = &view->svm->smm->spans;
	struct drm_svm_span span;
	int ret;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (READ_ONCE(view->svm->interrupted) || drm_svm_view_ends(view))
		return -ESRCH;
	/* Of whole ranges, as those who serve them have it. */
	ret = drm_svm_span_lock_unless(spans, &span, first & DRM_SVM_RANGE_MASK,
				       last | ~DRM_SVM_RANGE_MASK,
				       &view->svm->interrupted);
	if (ret)
		return ret;
	ret = drm_svm_claims_begin(view, from, first, last);
	if (!ret)
		drm_svm_claim_ranges(view, first, last);
	drm_svm_span_unlock(spans, &span);
	return ret;
}

static int drm_svm_claim_steps(struct drm_svm_view *view, u64 first, u64 last)
{
	u64 at = first, end;
	int ret;

	for (;; at = end + 1) {
		end = drm_svm_claim_end(view, at, last);
		ret = drm_svm_claim_step(view, first, at, end);
		if (ret) {
			drm_svm_claims_undo(view, first, end);
			return ret;
		}
		if (end == last)
			return 0;
	}
}

static bool drm_svm_claim_ok(const struct drm_svm_view *view, u64 first, u64 last)
{
	return first <= last && PAGE_ALIGNED(first) && PAGE_ALIGNED(last + 1) &&
	       first >= view->first && last <= view->last;
}

/**
 * drm_svm_claim() - make addresses of a view the driver's
 * @view: view, of a sink that can tell its entries from the driver's
 *	(DRM_SVM_SINK_CLAIMS)
 * @first: first byte, page aligned
 * @last: last byte, of a page
 *
 * When it returns nothing of the process's memory is mapped there, and none will be
 * until drm_svm_unclaim(). Addresses that are claimed already, or leaving, are claimed
 * as well afterwards.
 *
 * Context: may sleep, for services that are under way, which may wait for mmap_lock and
 * memory, and for the device. No mmap_lock, no dma_resv and no lock that the driver's
 * callbacks take is held. Calls of this and the next two are serialised for each view.
 * Return: 0; -EINVAL for an interval that is not of whole pages of the view;
 * -EOPNOTSUPP if the sink cannot; -ENOMEM, -EINTR after a fatal signal, -ESRCH if
 * the address space ends (drm_svm_interrupt()): then no more is claimed than was, and
 * what was leaving is.
 */
int drm_svm_claim(struct drm_svm_view *view, u64 first, u64 last)
{
	int ret;

	might_sleep();
	if (!(view->caps & DRM_SVM_SINK_CLAIMS))
		return -EOPNOTSUPP;
	if (!drm_svm_claim_ok(view, first, last))
		return -EINVAL;
	if (!drm_svm_view_use(view))
		return -ESRCH;
	ret = drm_svm_claim_steps(view, first, last);
	if (!ret)
		drm_svm_claims_set(view, first, last, DRM_SVM_CLAIMED);
	/* Ranges that map nothing any more. */
	if (!list_empty(&view->svm->smm->idle_ranges))
		drm_svm_gc_kick(view->svm->smm, DRM_SVM_CLAIM_GC);
	drm_svm_view_unuse(view);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_claim);

/**
 * drm_svm_unclaim_begin() - addresses are about to be the mirror's again
 * @view: view
 * @first: first byte, page aligned
 * @last: last byte, of a page; all of it is claimed
 *
 * The driver takes its entries away and flushes them after this. A fault that comes
 * waits meanwhile; one that came before may still be told to the driver, who lets it be
 * asked again.
 *
 * Context: may sleep, for memory; as drm_svm_claim() otherwise, but that a dma_resv may
 * be held.
 */
void drm_svm_unclaim_begin(struct drm_svm_view *view, u64 first, u64 last)
{
	if (!WARN_ON_ONCE(!drm_svm_claim_ok(view, first, last)))
		drm_svm_claims_set(view, first, last, DRM_SVM_LEAVING);
}
EXPORT_SYMBOL_GPL(drm_svm_unclaim_begin);

/**
 * drm_svm_unclaim() - addresses are the mirror's again
 * @view: view
 * @first: first byte, page aligned
 * @last: last byte, of a page
 *
 * The entries have been taken away, *and* the flush is over, *and* the last job that
 * writes entries there has ended: what the mirror maps next would be overwritten by it.
 * What the process has there comes back by fault.
 *
 * Context: as drm_svm_unclaim_begin().
 */
void drm_svm_unclaim(struct drm_svm_view *view, u64 first, u64 last)
{
	if (!WARN_ON_ONCE(!drm_svm_claim_ok(view, first, last)))
		drm_svm_claims_set(view, first, last, 0);
}
EXPORT_SYMBOL_GPL(drm_svm_unclaim);
