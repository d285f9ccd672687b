// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * From the walk to the sink: which of the pages that a walk found a view is to map,
 * where its device finds them, and the transaction that does it.
 *
 * Neighbours come along where they can. What is wrong with one of them (it cannot be
 * mapped for DMA, the sink has no word for its address) is its own affair.
 */

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

/* ---- which pages -------------------------------------------------------- */

static bool drm_svm_walk_valid(struct drm_svm_service *s)
{
	return s->range->gen == s->gen ||
	       drm_svm_planted(DRM_SVM_PLANTED_NO_GEN);
}

/**
 * drm_svm_place_of() - how does a device reach a page in a view?
 * @view: view
 * @page: page of the process
 * @place: out
 *
 * The one place that knows what a device can reach.
 *
 * Context: any; the page is looked at under drm_svm_pages_read_lock().
 * Return: 0; -EXDEV if it has to be moved first; -EOPNOTSUPP if it cannot be had.
 */
static int drm_svm_place_of(struct drm_svm_view *view, struct page *page,
			    enum drm_svm_place *place)
{
	*place = DRM_SVM_PLACE_SYSTEM;
	if (likely(!is_zone_device_page(page)))
		return 0;
	if (drm_svm_on_device(page)) {
		if (!drm_svm_page_is_local(view->svm, page) ||
		    !(view->caps & DRM_SVM_SINK_LOCAL))
			return -EXDEV;
		*place = DRM_SVM_PLACE_LOCAL;
		return 0;
	}
	/* Peer-to-peer and coherent memory need a link: there is none yet. */
	return -EOPNOTSUPP;
}

/* Pages that are alike: where they are, and what they may be used for. */
enum drm_svm_kind {
	DRM_SVM_KIND_SYSTEM = BIT(0),
	DRM_SVM_KIND_LOCAL = BIT(1),
	DRM_SVM_KIND_ELSEWHERE = BIT(2),
	DRM_SVM_KIND_WRITE = BIT(3),
	DRM_SVM_KIND_STALE = BIT(4),
};

/* Where it is it would be written unseen: soft-dirty bits were cleared since. */
static unsigned int drm_svm_kind_local(struct drm_svm_service *s, struct page *page,
				       unsigned int write)
{
	return DRM_SVM_KIND_LOCAL |
	       (drm_svm_page_soft_stale(s->smm, page) ? DRM_SVM_KIND_STALE : write);
}

/* Return: DRM_SVM_KIND_*, 0 for a page that is not to be had; an error if it is wanted. */
static int drm_svm_kind_of(struct drm_svm_service *s, unsigned int i)
{
	unsigned long pfn = s->pfns[i];
	enum drm_svm_place place;
	unsigned int write;
	struct page *page;
	int ret;

	if ((pfn & (HMM_PFN_VALID | HMM_PFN_ERROR)) != HMM_PFN_VALID)
		return 0;
	page = hmm_pfn_to_page(pfn);
	write = pfn & HMM_PFN_WRITE ? DRM_SVM_KIND_WRITE : 0;
	ret = drm_svm_place_of(s->view, page, &place);
	if (ret == -EXDEV)
		return DRM_SVM_KIND_ELSEWHERE;
	if (ret)
		return test_bit(i, s->want) && !test_bit(i, s->claimed) ? ret : 0;
	if (place == DRM_SVM_PLACE_LOCAL && drm_svm_on_device(page))
		return drm_svm_kind_local(s, page, write);
	return DRM_SVM_KIND_SYSTEM | write;
}

static void drm_svm_sorted(struct drm_svm_service *s, unsigned int kind,
			   unsigned int first, unsigned int end)
{
	if (!kind)
		return;
	if (kind & DRM_SVM_KIND_SYSTEM)
		bitmap_set(s->system, first, end - first);
	if (kind & DRM_SVM_KIND_LOCAL)
		bitmap_set(s->local, first, end - first);
	if (kind & DRM_SVM_KIND_WRITE)
		bitmap_set(s->grant, first, end - first);
	if (kind & DRM_SVM_KIND_ELSEWHERE)
		bitmap_set(s->to_system, first, end - first);
	if (kind & DRM_SVM_KIND_STALE)
		bitmap_set(s->to_device, first, end - first);
}

/*
 * How many pages are like the first in all that hmm says, and in the system's own memory
 * as it is? These are most, and looked at no closer.
 */
static unsigned int drm_svm_sort_alike(const struct drm_svm_service *s, unsigned int i)
{
	unsigned long flags = s->pfns[i] & HMM_PFN_FLAGS;
	unsigned int first = i;

	if (hmm_pfn_to_map_order(flags))
		return drm_svm_pages_as_one(s, i, s->hi);
	do
		i++;
	while (i < s->hi && (s->pfns[i] & HMM_PFN_FLAGS) == flags &&
	       !is_zone_device_page(hmm_pfn_to_page(s->pfns[i])));
	return i - first;
}

/* By where the pages are, a stretch of like ones at a time; stale ones are in @to_device. */
static int drm_svm_sort_pages(struct drm_svm_service *s)
{
	unsigned int i, nr;
	int kind;

	for (i = s->lo; i < s->hi; i += nr) {
		kind = drm_svm_kind_of(s, i);
		if (kind < 0)
			return kind;
		nr = kind & DRM_SVM_KIND_SYSTEM ? drm_svm_sort_alike(s, i) : 1;
		drm_svm_sorted(s, kind, i, i + nr);
	}
	return 0;
}

static void drm_svm_sort_out(struct drm_svm_service *s, const unsigned long *bits)
{
	drm_svm_win_andnot(s, s->system, s->system, bits);
	drm_svm_win_andnot(s, s->local, s->local, bits);
}

/*
 * May the device write it? Neighbours are writable only if the fault was a write:
 * else a later write faults and is known.
 */
static void drm_svm_sort_grants(struct drm_svm_service *s)
{
	if (!(s->view->rights & DRM_SVM_RIGHT_WRITE))
		drm_svm_win_zero(s, s->grant);
	else if (!s->write)
		drm_svm_win_and(s, s->grant, s->grant, s->writable);
}

/* Where a wanted page cannot be used it is noted, and moved; neighbours stay there. */
static int drm_svm_sort(struct drm_svm_service *s)
{
	DECLARE_BITMAP(stale, DRM_SVM_RANGE_PAGES);
	int ret;

	drm_svm_win_zero(s, s->system);
	drm_svm_win_zero(s, s->local);
	drm_svm_win_zero(s, s->grant);
	/* Looked at as a whole afterwards. */
	bitmap_zero(s->to_system, DRM_SVM_RANGE_PAGES);
	bitmap_zero(s->to_device, DRM_SVM_RANGE_PAGES);
	ret = drm_svm_sort_pages(s);
	if (ret)
		return ret;
	drm_svm_sort_out(s, s->refused);
	drm_svm_sort_out(s, s->claimed);
	drm_svm_sort_grants(s);
	drm_svm_win_and(s, stale, s->to_device, s->want_write);
	drm_svm_win_and(s, s->to_system, s->to_system, s->want);
	drm_svm_win_or(s, s->to_system, s->to_system, stale);
	drm_svm_win_and(s, s->to_device, s->want_atomic, s->system);
	if (!drm_svm_win_empty(s, s->to_system) || !drm_svm_win_empty(s, s->to_device))
		return -EXDEV;
	/* The walk has found it as it is wanted: never less than that is an answer. */
	return drm_svm_win_andnot(s, stale, s->want_write, s->grant) ? -EAGAIN : 0;
}

/* ---- what is mapped already --------------------------------------------- */

static bool drm_svm_in_sink(struct drm_svm_service *s, unsigned int first,
			    unsigned int end)
{
	u64 base = s->range->first, fence;

	if (!(s->view->caps & DRM_SVM_SINK_OVERZAP))
		return true;
	return s->view->ops->lookup(s->view, drm_svm_page_addr(base, first),
				    drm_svm_page_addr(base, end) - 1,
				    DRM_SVM_RIGHT_READ, &fence);
}

/*
 * Neighbours that the view maps already stay as they are. Those that were mapped by a
 * read come along with a write now. The sink is asked too: those that went along with
 * others are recorded as mapped, and come back with what they have.
 */
static void drm_svm_keep_mapped(struct drm_svm_service *s)
{
	DECLARE_BITMAP(keep, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(more, DRM_SVM_RANGE_PAGES);
	unsigned int first = s->lo, end, i;

	drm_svm_win_or(s, more, s->system, s->local);
	drm_svm_win_and(s, keep, s->mapped, more);
	if (!drm_svm_win_andnot(s, keep, keep, s->want))
		return;
	if (s->write && !drm_svm_planted(DRM_SVM_PLANTED_NO_UPGRADE)) {
		drm_svm_win_andnot(s, more, s->grant, s->writable);
		drm_svm_win_andnot(s, keep, keep, more);
	}
	for_each_set_bitrange_from(first, end, keep, s->hi) {
		bool all = drm_svm_in_sink(s, first, end);

		for (i = first; i < end; i++)
			if (!all && !drm_svm_in_sink(s, i, i + 1))
				__clear_bit(i, keep);
	}
	drm_svm_sort_out(s, keep);
}

/* ---- the transaction ---------------------------------------------------- */

/* The first so many of what was to be mapped. */
static void drm_svm_record_first(struct drm_svm_service *s, u32 done,
				 unsigned long *pages)
{
	const struct drm_svm_piece *piece;
	u32 nr;

	drm_svm_win_zero(s, pages);
	for (piece = s->pieces; done; piece++, done -= nr) {
		nr = min_t(u32, piece->nr, done);
		bitmap_set(pages, piece->first, nr);
	}
}

static void drm_svm_record_new(struct drm_svm_service *s, const unsigned long *pages)
{
	struct drm_svm_stats *stats = &s->svm->stats;
	DECLARE_BITMAP(local, DRM_SVM_RANGE_PAGES);

	if (drm_svm_win_and(s, local, pages, s->local))
		atomic64_add(drm_svm_win_weight(s, local), &stats->map_device);
	if (drm_svm_win_andnot(s, local, pages, s->local))
		atomic64_add(drm_svm_win_weight(s, local), &stats->map_system);
}

static void drm_svm_record_view(struct drm_svm_service *s, const unsigned long *pages)
{
	struct drm_svm_range_view *rv = s->rv;
	DECLARE_BITMAP(part, DRM_SVM_RANGE_PAGES);

	/* From here on the mappings are the range's. */
	if (drm_svm_win_and(s, part, pages, s->fresh)) {
		drm_svm_win_or(s, rv->system, rv->system, part);
		drm_svm_win_andnot(s, s->fresh, s->fresh, part);
	}
	if (drm_svm_win_andnot(s, part, pages, rv->mapped)) {
		drm_svm_win_or(s, rv->mapped, rv->mapped, part);
		drm_svm_record_new(s, part);
	}
	if (drm_svm_win_and(s, part, pages, s->grant))
		drm_svm_win_or(s, rv->writable, rv->writable, part);
}

static void drm_svm_record(struct drm_svm_service *s, u32 done)
{
	struct drm_svm_range *range = s->range;
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	unsigned int first = s->lo, end;

	if (!done)
		return;
	drm_svm_win_or(s, pages, s->system, s->local);
	if (drm_svm_win_weight(s, pages) != done)
		drm_svm_record_first(s, done, pages);
	/* What the CPU's table says is put down as the walk found it. */
	if (!range->pfns)
		range->whole = s->pfns[0];
	else
		for_each_set_bitrange_from(first, end, pages, s->hi)
			memcpy(range->pfns + first, s->pfns + first,
			       (end - first) * sizeof(*s->pfns));
	drm_svm_win_or(s, range->valid, range->valid, pages);
	drm_svm_record_view(s, pages);
	drm_svm_win_and(s, pages, pages, s->grant);
	drm_svm_win_or(s, range->write, range->write, pages);
}

/*
 * Under the range's lock: nothing here allocates, and what the sink maps is recorded
 * before anybody else gets the lock, also if it failed half way.
 */
static int drm_svm_map_locked(struct drm_svm_service *s, struct drm_svm_txn *txn)
{
	struct drm_svm_runs runs = txn->runs;
	u32 done = 0;
	int ret;

	lockdep_assert_held(&s->range->lock);
	if (s->range->dead || !drm_svm_walk_valid(s))
		return -EAGAIN;
	ret = s->view->ops->map(txn, &runs, &done);
	if (!ret || !drm_svm_planted(DRM_SVM_PLANTED_UNRECORDED))
		drm_svm_record(s, done);
	return ret;
}

/* Only what is mapped can be in the way of what is to be: else it is an error. */
static int drm_svm_no_conflict(int error)
{
	return error == -EBUSY || error == -EXDEV || error == -EINPROGRESS ?
		-EIO : error;
}

/* Is it one run, of all of the range? */
static bool drm_svm_maps_whole(const struct drm_svm_service *s)
{
	return s->nr_pieces == 1 && s->pieces[0].nr == DRM_SVM_RANGE_PAGES &&
	       !s->pieces[0].array;
}

static int drm_svm_map(struct drm_svm_service *s)
{
	const struct drm_svm_sink_ops *ops = s->view->ops;
	struct drm_svm_txn txn = {
		.view = s->view,
		.first = drm_svm_page_addr(s->range->first, s->lo),
		.last = drm_svm_page_addr(s->range->first, s->hi) - 1,
		.runs = { .data = s },
		.conflicts = s->conflicts,
	};
	int ret, end;

	ret = drm_svm_runs_check(s);
	if (!ret && s->nr_pieces && !drm_svm_maps_whole(s))
		ret = drm_svm_range_make_pfns(s->range);
	if (ret)
		return ret;
	ret = ops->prepare(&txn);
	if (ret)
		return drm_svm_no_conflict(ret);
	mutex_lock(&s->range->lock);
	ret = drm_svm_map_locked(s, &txn);
	mutex_unlock(&s->range->lock);
	/* Also if it failed: there may be something to wait for all the same. */
	end = ops->finish(&txn);
	s->fence = txn.fence;
	return ret ?: drm_svm_no_conflict(end);
}

/*
 * Something has to be gone and flushed before it becomes anything else. What goes
 * with it is recorded as mapped, so the next round brings it back.
 */
static int drm_svm_make_way(struct drm_svm_service *s)
{
	s->conflicts++;
	drm_svm_batch_range(s->range, s->view, DRM_SVM_UNMAP_MAKE_WAY);
	return -EAGAIN;
}

/* Did something that was mapped get more rights? */
static bool drm_svm_upgraded(struct drm_svm_service *s)
{
	DECLARE_BITMAP(more, DRM_SVM_RANGE_PAGES);

	drm_svm_win_or(s, more, s->system, s->local);
	drm_svm_win_and(s, more, more, s->mapped);
	drm_svm_win_and(s, more, more, s->grant);
	return drm_svm_win_andnot(s, more, more, s->writable);
}

/* What devices have cached lets them read only, for those that believe it. */
static void drm_svm_flush_upgrades(struct drm_svm_service *s)
{
	if (!(s->view->caps & DRM_SVM_SINK_FLUSH_UPGRADES) ||
	    !drm_svm_upgraded(s) ||
	    drm_svm_planted(DRM_SVM_PLANTED_UPGRADE_CACHED))
		return;
	drm_svm_batch_range(s->range, s->view, DRM_SVM_UNMAP_UPGRADED);
}

/**
 * drm_svm_apply() - map what a walk has found
 * @s: the service, walked
 *
 * Sets @fence, which the caller waits for before it says that anything is there.
 *
 * Context: may sleep; the service lock over the range is held, and
 * drm_svm_pages_read_lock() since before the walk.
 * Return: 0; -EAGAIN if an invalidation got in between; -EXDEV if a wanted page has to
 * move first (@to_system, @to_device); -EOPNOTSUPP, -ENOMEM, -EIO.
 */
int drm_svm_apply(struct drm_svm_service *s)
{
	int ret;

	ret = drm_svm_sort(s);
	if (ret)
		return ret;
	drm_svm_keep_mapped(s);
	ret = drm_svm_runs_make(s);
	if (ret)
		return ret;
	ret = drm_svm_map(s);
	drm_svm_dma_undo(s);
	if (ret == -EBUSY)
		return drm_svm_make_way(s);
	/* Also if it came half way: what is recorded as writable is not seen again. */
	drm_svm_flush_upgrades(s);
	return ret;
}
