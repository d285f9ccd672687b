// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * From the walk to the sink: which of the pages that a walk found a view is to map,
 * where its device finds them, and the transaction that does it.
 *
 * Neighbours come along where they can. What is wrong with one of them (it cannot be
 * mapped for DMA, the sink has no word for its address) is its own affair.
 */

#include <linux/hmm.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

/* ---- which pages -------------------------------------------------------- */

static bool drm_svm_walk_valid(struct drm_svm_service *s)
{
	return s->range->gen == s->gen ||
	       drm_svm_planted(DRM_SVM_PLANTED_NO_GEN);
}

/* The page, if it is one that the device may be given. */
static struct page *drm_svm_usable_page(struct drm_svm_service *s,
					unsigned int i)
{
	unsigned long pfn = s->pfns[i];

	if (!(pfn & HMM_PFN_VALID) || (pfn & HMM_PFN_ERROR) ||
	    test_bit(i, s->refused) || test_bit(i, s->claimed))
		return NULL;
	return hmm_pfn_to_page(pfn);
}

/* Where it is it would be written unseen: soft-dirty bits were cleared since. */
static bool drm_svm_stale(struct drm_svm_service *s, unsigned int i)
{
	struct page *page = hmm_pfn_to_page(s->pfns[i]);

	return drm_svm_on_device(page) &&
	       drm_svm_page_soft_stale(s->smm, page);
}

/*
 * May the device write it? Neighbours are writable only if the fault was a write:
 * else a later write faults and is known.
 */
static bool drm_svm_grants(struct drm_svm_service *s, unsigned int i)
{
	return (s->view->rights & DRM_SVM_RIGHT_WRITE) &&
	       (s->pfns[i] & HMM_PFN_WRITE) && !drm_svm_stale(s, i) &&
	       (s->write || test_bit(i, s->writable));
}

/**
 * drm_svm_place_of() - how does a device reach a page in a view?
 * @view: view
 * @page: page of the process
 * @place: out
 * @addr: out: what the device calls it, if it is in its own memory
 *
 * The one place that knows what a device can reach.
 *
 * Context: any; the page is looked at under drm_svm_pages_read_lock().
 * Return: 0; -EXDEV if it has to be moved first; -EOPNOTSUPP if it cannot be had.
 */
static int drm_svm_place_of(struct drm_svm_view *view, struct page *page,
			    enum drm_svm_place *place, u64 *addr)
{
	struct drm_svm_region *region;

	*place = DRM_SVM_PLACE_SYSTEM;
	if (drm_svm_on_device(page)) {
		region = drm_svm_page_region(page);
		if (!drm_svm_page_is_local(view->svm, page) ||
		    !(view->caps & DRM_SVM_SINK_LOCAL))
			return -EXDEV;
		*place = DRM_SVM_PLACE_LOCAL;
		*addr = region->base +
			drm_svm_region_offset(region, page_to_pfn(page));
		return 0;
	}
	/* Peer-to-peer and coherent memory need a link: there is none yet. */
	return is_zone_device_page(page) ? -EOPNOTSUPP : 0;
}

static bool drm_svm_no_atomics(struct drm_svm_service *s, unsigned int i,
			       enum drm_svm_place place)
{
	return place == DRM_SVM_PLACE_SYSTEM && test_bit(i, s->want_atomic);
}

/* Where a wanted page cannot be used it is noted, and moved; neighbours stay there. */
static int drm_svm_sort_page(struct drm_svm_service *s, unsigned int i)
{
	struct page *page = drm_svm_usable_page(s, i);
	bool want = test_bit(i, s->want);
	enum drm_svm_place place;
	int ret;

	if (!page)
		return 0;
	ret = drm_svm_place_of(s->view, page, &place, &s->addr[i]);
	if (!ret && place == DRM_SVM_PLACE_LOCAL && test_bit(i, s->want_write) &&
	    drm_svm_stale(s, i))
		ret = -EXDEV;
	if (ret == -EXDEV && want)
		__set_bit(i, s->to_system);
	else if (!ret && drm_svm_no_atomics(s, i, place))
		__set_bit(i, s->to_device);
	if (ret)
		return want && ret != -EXDEV ? ret : 0;
	__set_bit(i, place == DRM_SVM_PLACE_LOCAL ? s->local : s->system);
	if (drm_svm_grants(s, i))
		__set_bit(i, s->grant);
	return 0;
}

/* Of a range, what lies in the view. */
static void drm_svm_view_pages(const struct drm_svm_service *s,
			       unsigned int *first, unsigned int *end)
{
	u64 base = s->range->first;

	*first = 0;
	*end = DRM_SVM_RANGE_PAGES;
	if (s->view->first > base)
		*first = drm_svm_page_index(s->view->first);
	if (s->view->last < base + DRM_SVM_RANGE_SIZE - 1)
		*end = drm_svm_page_index(s->view->last) + 1;
}

static int drm_svm_sort(struct drm_svm_service *s)
{
	unsigned int i, end;
	int ret;

	bitmap_zero(s->system, DRM_SVM_RANGE_PAGES);
	bitmap_zero(s->local, DRM_SVM_RANGE_PAGES);
	bitmap_zero(s->grant, DRM_SVM_RANGE_PAGES);
	bitmap_zero(s->to_system, DRM_SVM_RANGE_PAGES);
	bitmap_zero(s->to_device, DRM_SVM_RANGE_PAGES);
	for (drm_svm_view_pages(s, &i, &end); i < end; i++) {
		ret = drm_svm_sort_page(s, i);
		if (ret)
			return ret;
	}
	return bitmap_empty(s->to_system, DRM_SVM_RANGE_PAGES) &&
	       bitmap_empty(s->to_device, DRM_SVM_RANGE_PAGES) ? 0 : -EXDEV;
}

static void drm_svm_leave_out(struct drm_svm_service *s, unsigned int i)
{
	__clear_bit(i, s->system);
	__clear_bit(i, s->local);
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

/* Neighbours that were mapped by a read, and come along with a write now. */
static bool drm_svm_upgrades(struct drm_svm_service *s, unsigned int i)
{
	return s->write && test_bit(i, s->grant) && !test_bit(i, s->writable) &&
	       !drm_svm_planted(DRM_SVM_PLANTED_NO_UPGRADE);
}

/*
 * Neighbours that the view maps already stay as they are. The sink is asked too:
 * those that went along with others are recorded as mapped, and come back with what
 * they have.
 */
static void drm_svm_keep_mapped(struct drm_svm_service *s)
{
	DECLARE_BITMAP(keep, DRM_SVM_RANGE_PAGES);
	unsigned int first, end, i;

	bitmap_andnot(keep, s->mapped, s->want, DRM_SVM_RANGE_PAGES);
	for_each_set_bit(i, keep, DRM_SVM_RANGE_PAGES)
		if (drm_svm_upgrades(s, i))
			__clear_bit(i, keep);
	for_each_set_bitrange(first, end, keep, DRM_SVM_RANGE_PAGES) {
		bool all = drm_svm_in_sink(s, first, end);

		for (i = first; i < end; i++)
			if (all || drm_svm_in_sink(s, i, i + 1))
				drm_svm_leave_out(s, i);
	}
}

static void drm_svm_system_addrs(struct drm_svm_service *s)
{
	unsigned int i;

	for_each_set_bit(i, s->system, DRM_SVM_RANGE_PAGES)
		if (!test_bit(i, s->fresh))
			s->addr[i] = drm_svm_rv_addr(s->rv, i);
}

/* ---- runs --------------------------------------------------------------- */

static bool drm_svm_is_mappable(const struct drm_svm_service *s, unsigned int i)
{
	return test_bit(i, s->system) || test_bit(i, s->local);
}

static unsigned long drm_svm_pfn_of(const struct drm_svm_service *s,
				    unsigned int i)
{
	return page_to_pfn(hmm_pfn_to_page(s->pfns[i]));
}

static void drm_svm_run_begin(struct drm_svm_service *s, unsigned int i,
			      struct drm_svm_run *run)
{
	run->va = drm_svm_page_addr(s->range->first, i);
	run->addr = s->addr[i];
	run->pfn = drm_svm_pfn_of(s, i);
	run->nr = 1;
	run->place = test_bit(i, s->local) ? DRM_SVM_PLACE_LOCAL :
					     DRM_SVM_PLACE_SYSTEM;
	run->rights = DRM_SVM_RIGHT_READ | DRM_SVM_RIGHT_EXEC;
	if (test_bit(i, s->grant))
		run->rights |= DRM_SVM_RIGHT_WRITE;
	if (test_bit(i, s->grant) &&
	    (test_bit(i, s->local) || s->svm->device->system_atomics))
		run->rights |= DRM_SVM_RIGHT_ATOMIC;
	run->rights &= s->view->rights;
}

static bool drm_svm_run_goes_on(struct drm_svm_service *s, unsigned int i,
				const struct drm_svm_run *run)
{
	unsigned int last = i - 1;

	return drm_svm_is_mappable(s, i) &&
	       test_bit(i, s->local) == test_bit(last, s->local) &&
	       test_bit(i, s->grant) == test_bit(last, s->grant) &&
	       s->addr[i] == run->addr + ((u64)run->nr << PAGE_SHIFT) &&
	       drm_svm_pfn_of(s, i) == run->pfn + run->nr;
}

/**
 * drm_svm_runs_next() - what is to be mapped next
 * @runs: of a transaction
 * @run: out
 *
 * Context: in &drm_svm_sink_ops.map; atomic.
 * Return: false if there is no more.
 */
bool drm_svm_runs_next(struct drm_svm_runs *runs, struct drm_svm_run *run)
{
	struct drm_svm_service *s = runs->data;
	u32 i = runs->next;

	while (i < DRM_SVM_RANGE_PAGES && !drm_svm_is_mappable(s, i))
		i++;
	runs->next = i;
	if (i == DRM_SVM_RANGE_PAGES)
		return false;
	drm_svm_run_begin(s, i, run);
	for (i++; i < DRM_SVM_RANGE_PAGES; i++, run->nr++)
		if (!drm_svm_run_goes_on(s, i, run))
			break;
	runs->next = i;
	return true;
}
EXPORT_SYMBOL_GPL(drm_svm_runs_next);

/*
 * What the sink would refuse half way, with the pages before it mapped already. A
 * neighbour that it has no word for stays behind.
 */
static bool drm_svm_expressible(struct drm_svm_service *s)
{
	struct drm_svm_runs runs = { .data = s };
	struct drm_svm_view *view = s->view;
	struct drm_svm_run run;
	unsigned int i, end;

	if (!view->ops->check)
		return true;
	while (drm_svm_runs_next(&runs, &run)) {
		if (!view->ops->check(view, &run))
			continue;
		end = runs.next;
		for (i = end - run.nr; i < end; i++) {
			drm_svm_run_begin(s, i, &run);
			if (!view->ops->check(view, &run))
				continue;
			if (test_bit(i, s->want))
				return false;
			drm_svm_leave_out(s, i);
		}
	}
	return true;
}

/* ---- the transaction ---------------------------------------------------- */

static void drm_svm_record_page(struct drm_svm_service *s, unsigned int i)
{
	struct drm_svm_range *range = s->range;
	struct drm_svm_range_view *rv = s->rv;
	struct drm_svm_stats *stats = &s->svm->stats;

	range->pfns[i] = drm_svm_pfn_of(s, i);
	__set_bit(i, range->valid);
	if (test_bit(i, s->fresh)) {
		/* From here on the mapping is the range's. */
		if (!rv->use_iova)
			rv->dma[i] = s->addr[i];
		__set_bit(i, rv->system);
		__clear_bit(i, s->fresh);
	}
	if (!__test_and_set_bit(i, rv->mapped))
		atomic64_inc(test_bit(i, s->local) ? &stats->map_device :
						     &stats->map_system);
	if (test_bit(i, s->grant)) {
		__set_bit(i, range->write);
		__set_bit(i, rv->writable);
	}
}

static void drm_svm_record(struct drm_svm_service *s, u32 done)
{
	unsigned int i;

	for (i = 0; i < DRM_SVM_RANGE_PAGES && done; i++) {
		if (!drm_svm_is_mappable(s, i))
			continue;
		drm_svm_record_page(s, i);
		done--;
	}
}

/*
 * Under the range's lock: nothing here allocates, and what the sink maps is recorded
 * before anybody else gets the lock, also if it failed half way.
 */
static int drm_svm_map_locked(struct drm_svm_service *s, struct drm_svm_txn *txn)
{
	struct drm_svm_runs runs = { .data = s };
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

static int drm_svm_map(struct drm_svm_service *s)
{
	const struct drm_svm_sink_ops *ops = s->view->ops;
	struct drm_svm_txn txn = {
		.view = s->view,
		.first = max(s->range->first, s->view->first),
		.last = min(s->range->first + DRM_SVM_RANGE_SIZE - 1,
			    s->view->last),
	};
	int ret, end;

	if (!drm_svm_expressible(s))
		return -EOPNOTSUPP;
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
	drm_svm_batch_range(s->range, s->view, DRM_SVM_UNMAP_MAKE_WAY);
	return -EAGAIN;
}

/* Did something that was mapped get more rights? */
static bool drm_svm_upgraded(struct drm_svm_service *s)
{
	DECLARE_BITMAP(more, DRM_SVM_RANGE_PAGES);

	bitmap_or(more, s->system, s->local, DRM_SVM_RANGE_PAGES);
	bitmap_and(more, more, s->mapped, DRM_SVM_RANGE_PAGES);
	bitmap_and(more, more, s->grant, DRM_SVM_RANGE_PAGES);
	return bitmap_andnot(more, more, s->writable, DRM_SVM_RANGE_PAGES);
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
	DECLARE_BITMAP(fresh, DRM_SVM_RANGE_PAGES);
	int ret;

	ret = drm_svm_sort(s);
	if (ret)
		return ret;
	drm_svm_keep_mapped(s);
	bitmap_andnot(fresh, s->system, s->mapped, DRM_SVM_RANGE_PAGES);
	ret = drm_svm_dma_map(s, fresh);
	if (ret)
		return ret;
	drm_svm_system_addrs(s);
	ret = drm_svm_map(s);
	drm_svm_dma_undo(s);
	if (ret == -EBUSY)
		return drm_svm_make_way(s);
	/* Also if it came half way: what is recorded as writable is not seen again. */
	drm_svm_flush_upgrades(s);
	return ret;
}
