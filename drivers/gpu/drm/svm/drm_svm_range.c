// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Ranges: blocks of a process's address space with what devices map of them.
 *
 * Life: made by the first service of the block, indexed by address, found
 * under RCU with a reference, dropped from the index by the collector (drm_svm_gc.c)
 * once no view maps anything of it (or with the address space). A servicer may still
 * hold a reference then; @dead, which it reads under the lock before it
 * commits, sends it back to the index, because invalidations find only what is
 * indexed.
 *
 * A page's life in a range: nothing -> valid (commit: DMA mapped, in the sinks)
 * -> dying (invalidation took it from the sinks) -> nothing (flushed, dirtied, DMA
 * unmapped). The flush happens outside the lock, and a second invalidation may
 * meet a dying page: it may not return before the page is out of every TLB, so
 * it flushes as well and finishes the page itself if the first has not.
 */

#include <kunit/visibility.h>

#include <linux/fs.h>
#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

static void drm_svm_range_free(struct kref *ref)
{
	struct drm_svm_range *range =
		container_of(ref, struct drm_svm_range, ref);

	WARN_ON(!list_empty(&range->views));
	if (range->window)
		drm_svm_window_put(range->window);
	mutex_destroy(&range->lock);
	kfree(range->pfns);
	kfree_rcu(range, rcu);
}

void drm_svm_range_put(struct drm_svm_range *range)
{
	kref_put(&range->ref, drm_svm_range_free);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_range_put);

/**
 * drm_svm_range_find() - look a range up
 * @smm: address space
 * @addr: any address in it
 *
 * Context: any; takes no lock.
 * Return: the range with a reference, or NULL.
 */
struct drm_svm_range *drm_svm_range_find(struct drm_svm_mm *smm, u64 addr)
{
	struct drm_svm_range *range;

	guard(rcu)();
	range = xa_load(&smm->ranges, addr >> DRM_SVM_RANGE_SHIFT);
	if (range && !kref_get_unless_zero(&range->ref))
		range = NULL;
	return range;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_range_find);

static struct drm_svm_range *drm_svm_range_alloc(u64 addr)
{
	struct drm_svm_range *range;

	range = kzalloc_obj(*range, GFP_KERNEL_ACCOUNT);
	if (!range)
		return NULL;
	kref_init(&range->ref);
	mutex_init(&range->lock);
	INIT_LIST_HEAD(&range->views);
	INIT_LIST_HEAD(&range->idle);
	range->first = addr & DRM_SVM_RANGE_MASK;
	return range;
}

/* As long as there is the range, invalidations of it are told. */
static struct drm_svm_range *drm_svm_range_make(struct drm_svm_mm *smm,
						u64 addr)
{
	struct drm_svm_range *range = drm_svm_range_alloc(addr);
	struct drm_svm_window *window;

	if (!range)
		return ERR_PTR(-ENOMEM);
	range->smm = smm;
	window = drm_svm_window_get(smm, addr);
	if (IS_ERR(window)) {
		drm_svm_range_put(range);
		return ERR_CAST(window);
	}
	range->window = window;
	return range;
}

/**
 * drm_svm_range_next() - the next range that there is
 * @smm: address space
 * @index: in: the first number to look at; out: that of the range
 * @max: the last
 *
 * Context: any; takes RCU.
 * Return: the range, referenced; or NULL.
 */
struct drm_svm_range *drm_svm_range_next(struct drm_svm_mm *smm,
					 unsigned long *index, unsigned long max)
{
	struct drm_svm_range *range;

	if (*index == max)
		return drm_svm_range_find(smm, (u64)max << DRM_SVM_RANGE_SHIFT);
	guard(rcu)();
	for (range = xa_find(&smm->ranges, index, max, XA_PRESENT); range;
	     range = xa_find_after(&smm->ranges, index, max, XA_PRESENT))
		if (kref_get_unless_zero(&range->ref))
			return range;
	return NULL;
}

/**
 * drm_svm_range_find_or_make() - look a range up, make it if need be
 * @smm: address space
 * @addr: any address in it
 *
 * Context: may sleep; the service lock over the range is held, so nobody else
 * makes the same one.
 * Return: the range with a reference, -ENOMEM.
 */
struct drm_svm_range *drm_svm_range_find_or_make(struct drm_svm_mm *smm,
						 u64 addr)
{
	struct drm_svm_range *range = drm_svm_range_find(smm, addr);
	int ret;

	if (range)
		return range;

	range = drm_svm_range_make(smm, addr);
	if (IS_ERR(range))
		return range;

	kref_get(&range->ref);
	ret = xa_insert(&smm->ranges, addr >> DRM_SVM_RANGE_SHIFT, range,
			GFP_KERNEL);
	if (ret) {
		drm_svm_range_put(range);
		drm_svm_range_put(range);
		return ERR_PTR(ret);
	}
	return range;
}

static bool drm_svm_range_is_empty(struct drm_svm_range *range)
{
	lockdep_assert_held(&range->lock);
	return bitmap_empty(range->valid, DRM_SVM_RANGE_PAGES) &&
	       bitmap_empty(range->dying, DRM_SVM_RANGE_PAGES);
}

/**
 * drm_svm_range_make_pfns() - keep a word for each page of a range
 * @range: range
 *
 * Context: may sleep; the service lock over the range is held.
 * Return: 0, -ENOMEM.
 */
int drm_svm_range_make_pfns(struct drm_svm_range *range)
{
	unsigned long *pfns;
	unsigned int i;

	/* Only who holds the service lock sets it. */
	if (range->pfns)
		return 0;
	pfns = kmalloc_objs(*pfns, DRM_SVM_RANGE_PAGES, GFP_KERNEL_ACCOUNT);
	if (!pfns)
		return -ENOMEM;
	guard(mutex)(&range->lock);
	if (!drm_svm_range_is_empty(range))
		for (i = 0; i < DRM_SVM_RANGE_PAGES; i++)
			pfns[i] = range->whole + i;
	range->pfns = pfns;
	return 0;
}

/**
 * drm_svm_range_view() - what is mapped of a range in a view
 * @range: range
 * @view: view
 *
 * Context: &drm_svm_range.lock is held.
 * Return: the record, or NULL if the view has none.
 */
struct drm_svm_range_view *drm_svm_range_view(struct drm_svm_range *range,
					      struct drm_svm_view *view)
{
	struct drm_svm_range_view *rv;

	lockdep_assert_held(&range->lock);
	list_for_each_entry(rv, &range->views, node)
		if (rv->view == view)
			return rv;
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_range_view);

static void drm_svm_range_view_free(struct drm_svm_range_view *rv)
{
	if (rv->use_iova)
		dma_iova_free(rv->view->svm->device->dev, &rv->iova);
	kfree(rv->dma);
	kfree(rv);
}

static struct drm_svm_range_view *
drm_svm_range_view_alloc(struct drm_svm_view *view)
{
	struct device *dev = view->svm->device->dev;
	struct drm_svm_range_view *rv;

	rv = kzalloc_obj(*rv, GFP_KERNEL_ACCOUNT);
	if (!rv)
		return NULL;
	rv->view = view;
	rv->use_iova = dma_iova_try_alloc(dev, &rv->iova, 0, DRM_SVM_RANGE_SIZE);
	if (rv->use_iova || !dma_need_unmap(dev))
		return rv;
	rv->dma = kmalloc_objs(*rv->dma, DRM_SVM_RANGE_PAGES,
			       GFP_KERNEL_ACCOUNT);
	if (!rv->dma) {
		kfree(rv);
		return NULL;
	}
	return rv;
}

/**
 * drm_svm_range_view_make() - a view's record of a range, made if need be
 * @range: range
 * @view: view, in use
 *
 * Context: may sleep; the service lock over the range is held.
 * Return: the record, -ENOMEM.
 */
struct drm_svm_range_view *drm_svm_range_view_make(struct drm_svm_range *range,
						   struct drm_svm_view *view)
{
	struct drm_svm_range_view *rv;

	mutex_lock(&range->lock);
	rv = drm_svm_range_view(range, view);
	mutex_unlock(&range->lock);
	if (rv)
		return rv;

	rv = drm_svm_range_view_alloc(view);
	if (!rv)
		return ERR_PTR(-ENOMEM);

	mutex_lock(&range->lock);
	list_add(&rv->node, &range->views);
	mutex_unlock(&range->lock);
	return rv;
}

static void drm_svm_rv_unmap_run(struct drm_svm_range_view *rv,
				 unsigned int first, unsigned int n)
{
	struct device *dev = rv->view->svm->device->dev;

	if (rv->use_iova) {
		dma_iova_unlink(dev, &rv->iova, (size_t)first << PAGE_SHIFT,
				(size_t)n << PAGE_SHIFT, DMA_BIDIRECTIONAL,
				DRM_SVM_DMA_ATTRS);
		return;
	}
	for (; n; n--, first++)
		dma_unmap_phys(dev, rv->dma[first], PAGE_SIZE,
			       DMA_BIDIRECTIONAL, DRM_SVM_DMA_ATTRS);
}

/* Of the pages from @first to @last those in @pages are the view's no more. */
static void drm_svm_rv_forget(struct drm_svm_range_view *rv, const unsigned long *pages,
			      unsigned int first, unsigned int last)
{
	DECLARE_BITMAP(unmap, DRM_SVM_RANGE_PAGES);
	unsigned int word, i = first, end;
	unsigned long mask, any = 0;

	drm_svm_for_each_word(word, mask, first, last) {
		mask &= pages[word];
		unmap[word] = rv->system[word] & mask;
		any |= unmap[word];
		rv->mapped[word] &= ~mask;
		rv->writable[word] &= ~mask;
		rv->system[word] &= ~mask;
	}
	if (!any)
		return;
	for_each_set_bitrange_from(i, end, unmap, last + 1)
		drm_svm_rv_unmap_run(rv, i, end - i);
}

/**
 * drm_svm_range_begin_inval() - pages are to go: what needs no flush
 * @range: range
 * @first: first page
 * @last: last page
 *
 * Bumps the generation, so that no service that has walked before commits, and
 * makes valid pages dying. The caller then zaps the tables, flushes, and calls
 * drm_svm_range_finish_inval().
 *
 * Context: &drm_svm_range.lock is held; in a notifier.
 * Return: true if some page may still be reached by a device.
 */
bool drm_svm_range_begin_inval(struct drm_svm_range *range, unsigned int first,
			       unsigned int last)
{
	unsigned long mask, hit, any = 0;
	unsigned int word;

	lockdep_assert_held(&range->lock);
	range->gen++;
	drm_svm_for_each_word(word, mask, first, last) {
		hit = range->valid[word] & mask;
		range->dying[word] |= hit;
		range->valid[word] &= ~hit;
		/* Passes to a device leave stuck pages out, so this is somebody else. */
		range->stuck[word] &= ~mask;
		any |= range->dying[word] & mask;
	}
	return any;
}

/* Pages that the process maps as one are one folio's: told once. */
static unsigned int drm_svm_range_dirty_pages(struct drm_svm_range *range,
					      unsigned long *dirty, unsigned int i,
					      unsigned int end)
{
	while (i < end) {
		unsigned long word = drm_svm_range_word(range, i);
		struct page *page = hmm_pfn_to_page(word);

		if (drm_svm_on_device(page)) {
			__clear_bit(i++, dirty);
			continue;
		}
		folio_mark_dirty(page_folio(page));
		i += drm_svm_word_pages(word, end - i);
	}
	return end;
}

static void drm_svm_count_dirtied(struct drm_svm_range *range, const unsigned long *dirty,
				  unsigned int first, unsigned int last)
{
	struct drm_svm_range_view *rv;
	unsigned long mask;
	unsigned int word, n;

	list_for_each_entry(rv, &range->views, node) {
		n = 0;
		drm_svm_for_each_word(word, mask, first, last)
			n += hweight_long(dirty[word] & rv->writable[word] & mask);
		atomic64_add(n, &rv->view->svm->stats.dirtied);
	}
}

/*
 * Of the pages from @first to @last those in @pages. A device write leaves no trace in
 * the CPU's table, so every page that a device could write counts as written. It is still
 * referenced by that table: the notifier comes before the entry is cleared.
 */
static void drm_svm_range_dirty(struct drm_svm_range *range, const unsigned long *pages,
				unsigned int first, unsigned int last)
{
	DECLARE_BITMAP(dirty, DRM_SVM_RANGE_PAGES);
	unsigned int word, i = first, end;
	unsigned long mask, any = 0;

	if (drm_svm_planted(DRM_SVM_PLANTED_NO_DIRTY))
		return;
	drm_svm_for_each_word(word, mask, first, last) {
		dirty[word] = pages[word] & range->write[word] & mask;
		any |= dirty[word];
	}
	if (!any)
		return;
	for_each_set_bitrange_from(i, end, dirty, last + 1)
		i = drm_svm_range_dirty_pages(range, dirty, i, end);
	drm_svm_count_dirtied(range, dirty, first, last);
}

/**
 * drm_svm_range_empty() - does no device map anything of a range?
 * @range: range
 *
 * Context: may sleep.
 * Return: true if so; a service may change it at once.
 */
bool drm_svm_range_empty(struct drm_svm_range *range)
{
	guard(mutex)(&range->lock);
	return drm_svm_range_is_empty(range);
}

/**
 * drm_svm_range_dma_unmap() - end the DMA mappings of dying pages
 * @range: range
 * @first: first page
 * @last: last page
 *
 * Context: &drm_svm_range.lock is held; no device can reach the pages.
 */
void drm_svm_range_dma_unmap(struct drm_svm_range *range, unsigned int first,
			     unsigned int last)
{
	struct drm_svm_range_view *rv;

	lockdep_assert_held(&range->lock);
	list_for_each_entry(rv, &range->views, node)
		drm_svm_rv_forget(rv, range->dying, first, last);
}

/**
 * drm_svm_range_finish_inval() - pages are out of every TLB: let them go
 * @range: range
 * @first: first page
 * @last: last page
 *
 * Marks dirty what a device could write, then ends the DMA mappings. A range that
 * is left with nothing is put down for the collector.
 *
 * Context: &drm_svm_range.lock is held; the flush that followed the zap of
 * every dying page of the interval is done.
 */
void drm_svm_range_finish_inval(struct drm_svm_range *range,
				unsigned int first, unsigned int last)
{
	unsigned long mask;
	unsigned int word;

	lockdep_assert_held(&range->lock);
	if (find_next_bit(range->dying, last + 1, first) > last)
		return;

	drm_svm_range_dirty(range, range->dying, first, last);
	drm_svm_range_dma_unmap(range, first, last);
	drm_svm_for_each_word(word, mask, first, last) {
		range->write[word] &= ~(range->dying[word] & mask);
		range->dying[word] &= ~mask;
	}
	if (drm_svm_range_is_empty(range))
		drm_svm_gc_add(range);
}

/* What is left when a device has gone; what is dying is for who takes it away. */
static void drm_svm_range_recount(struct drm_svm_range *range)
{
	DECLARE_BITMAP(mapped, DRM_SVM_RANGE_PAGES) = {};
	DECLARE_BITMAP(writable, DRM_SVM_RANGE_PAGES);
	struct drm_svm_range_view *rv;

	bitmap_copy(writable, range->dying, DRM_SVM_RANGE_PAGES);
	list_for_each_entry(rv, &range->views, node) {
		bitmap_or(mapped, mapped, rv->mapped, DRM_SVM_RANGE_PAGES);
		bitmap_or(writable, writable, rv->writable, DRM_SVM_RANGE_PAGES);
	}
	bitmap_and(range->valid, range->valid, mapped, DRM_SVM_RANGE_PAGES);
	bitmap_and(range->write, range->write, writable, DRM_SVM_RANGE_PAGES);
}

/* Pages of a view are its device's no more. */
static void drm_svm_range_release(struct drm_svm_range *range,
				  struct drm_svm_range_view *rv, unsigned int first,
				  unsigned int last)
{
	DECLARE_BITMAP(mapped, DRM_SVM_RANGE_PAGES);

	lockdep_assert_held(&range->lock);
	drm_svm_range_dirty(range, rv->writable, first, last);
	bitmap_copy(mapped, rv->mapped, DRM_SVM_RANGE_PAGES);
	drm_svm_rv_forget(rv, mapped, first, last);
	drm_svm_range_recount(range);
	if (drm_svm_range_is_empty(range))
		drm_svm_gc_add(range);
}

/**
 * drm_svm_range_maps() - does a view map any of the pages, by its record?
 * @range: range
 * @view: view
 * @first: first page
 * @last: last page
 *
 * Context: may sleep. An invalidation may change it at once.
 * Return: true if it does.
 */
bool drm_svm_range_maps(struct drm_svm_range *range, struct drm_svm_view *view,
			unsigned int first, unsigned int last)
{
	struct drm_svm_range_view *rv;

	guard(mutex)(&range->lock);
	rv = drm_svm_range_view(range, view);
	return rv && drm_svm_rv_maps(rv, first, last);
}

/**
 * drm_svm_range_forget() - pages are one view's no more
 * @range: range
 * @view: view; what it mapped of them is taken away and flushed
 * @first: first page
 * @last: last page
 *
 * What an invalidation has ended meanwhile is not recorded any more.
 *
 * Context: may sleep; the service lock over the range is held.
 */
void drm_svm_range_forget(struct drm_svm_range *range, struct drm_svm_view *view,
			  unsigned int first, unsigned int last)
{
	struct drm_svm_range_view *rv;

	guard(mutex)(&range->lock);
	rv = drm_svm_range_view(range, view);
	if (rv)
		drm_svm_range_release(range, rv, first, last);
}

/**
 * drm_svm_range_drop_view() - a view ends
 * @range: range
 * @view: view without users; what it mapped is taken away and flushed
 *
 * Context: may sleep.
 */
void drm_svm_range_drop_view(struct drm_svm_range *range,
			     struct drm_svm_view *view)
{
	struct drm_svm_range_view *rv;

	mutex_lock(&range->lock);
	rv = drm_svm_range_view(range, view);
	if (rv) {
		drm_svm_range_release(range, rv, 0, DRM_SVM_RANGE_PAGES - 1);
		list_del(&rv->node);
	}
	mutex_unlock(&range->lock);
	if (rv)
		drm_svm_range_view_free(rv);
}

/* Return: false if something is mapped again, or it has been dropped already. */
static bool drm_svm_range_kill(struct drm_svm_range *range)
{
	guard(mutex)(&range->lock);
	if (range->dead || !drm_svm_range_is_empty(range))
		return false;
	range->dead = true;
	return true;
}

/* Only who has a record has made anything. */
static void drm_svm_range_free_views(struct drm_svm_range *range)
{
	struct drm_svm_range_view *rv, *next;
	LIST_HEAD(views);

	mutex_lock(&range->lock);
	list_splice_init(&range->views, &views);
	mutex_unlock(&range->lock);
	list_for_each_entry_safe(rv, next, &views, node) {
		/* What its mappings needed in the sink: tables, mostly. */
		drm_svm_batch_range(range, rv->view, DRM_SVM_UNMAP_RECLAIM);
		drm_svm_range_view_free(rv);
	}
}

/**
 * drm_svm_range_drop() - take a range that maps nothing out of the index
 * @range: range
 *
 * Context: may sleep, for hardware only; the service lock over the range is held,
 * no device detaches meanwhile.
 */
void drm_svm_range_drop(struct drm_svm_range *range)
{
	if (!drm_svm_range_kill(range))
		return;
	drm_svm_range_free_views(range);
	xa_erase(&range->smm->ranges, range->first >> DRM_SVM_RANGE_SHIFT);
	drm_svm_range_put(range);
}

/**
 * drm_svm_range_settle() - a service has ended in failure
 * @smm: address space
 * @addr: any address in its range
 *
 * A range that was made for it and maps nothing is not kept.
 *
 * Context: may sleep.
 */
void drm_svm_range_settle(struct drm_svm_mm *smm, u64 addr)
{
	struct drm_svm_range *range = drm_svm_range_find(smm, addr);

	if (!range)
		return;
	if (drm_svm_range_empty(range)) {
		drm_svm_gc_add(range);
		drm_svm_gc_kick(smm, 0);
	}
	drm_svm_range_put(range);
}

/**
 * drm_svm_range_lockdep_prime() - teach lockdep the order before the first use
 *
 * Reclaim may run a notifier, which takes the range's lock: so no allocation
 * is allowed under it.
 */
void drm_svm_range_lockdep_prime(void)
{
	struct drm_svm_range *range;

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	range = drm_svm_range_alloc(0);
	if (!range)
		return;
	fs_reclaim_acquire(GFP_KERNEL);
	mutex_lock(&range->lock);
	mutex_unlock(&range->lock);
	fs_reclaim_release(GFP_KERNEL);
	drm_svm_range_put(range);
}
