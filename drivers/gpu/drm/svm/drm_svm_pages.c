// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A list of pages as a sink, for a device that cannot fault and has no table for it
 * either: memory of the user behind a buffer object. The driver populates the view,
 * uses the pages, and adds the fence of the job; an invalidation waits for the
 * fences, and the view is stale from then on.
 *
 * Between "the view is populated" and "the fence is in the dma_resv" an invalidation
 * would find no fence, and not wait. So the two are one step, between
 * drm_svm_use_begin(), which fails if the view is stale, and drm_svm_use_end(): an
 * invalidation makes it stale under the same lock, and looks for fences afterwards.
 *
 * A fence that an invalidation waits for is one that signals without memory that has
 * to be reclaimed, without mmap_lock and without a fault that is served.
 */

#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_svm.h>
#include <drm/drm_svm_pages.h>

#include "drm_svm_planted.h"

static struct drm_svm_pages *drm_svm_pages_of(struct drm_svm_view *view)
{
	return container_of(view, struct drm_svm_pages, view);
}

static u64 drm_svm_pages_index(const struct drm_svm_view *view, u64 va)
{
	return (va - view->first) >> PAGE_SHIFT;
}

/* ---- mapping ------------------------------------------------------------ */

static int drm_svm_pages_check(struct drm_svm_view *view,
			       const struct drm_svm_run *run)
{
	return run->place == DRM_SVM_PLACE_SYSTEM ? 0 : -EOPNOTSUPP;
}

static int drm_svm_pages_prepare(struct drm_svm_txn *txn)
{
	return 0;
}

static int drm_svm_pages_map(struct drm_svm_txn *txn, struct drm_svm_runs *runs,
			     u32 *done)
{
	struct drm_svm_pages *pages = drm_svm_pages_of(txn->view);
	struct drm_svm_run run;
	u32 i;

	while (drm_svm_runs_next(runs, &run)) {
		struct drm_svm_page *page =
			&pages->pages[drm_svm_pages_index(txn->view, run.va)];

		for (i = 0; i < run.nr; i++, page++) {
			page->pfn = drm_svm_run_pfn(&run, i);
			page->addr = drm_svm_run_addr(&run, i);
			page->rights = run.rights;
		}
		*done += run.nr;
	}
	return 0;
}

static int drm_svm_pages_finish(struct drm_svm_txn *txn)
{
	return 0;
}

static int drm_svm_pages_wait(struct drm_svm_view *view, u64 fence)
{
	return 0;
}

/* ---- taking away -------------------------------------------------------- */

static int drm_svm_pages_unmap_reserve(struct drm_svm_batch *batch,
				       bool may_sleep)
{
	return may_sleep ? 0 : -EAGAIN;
}

/* The view is stale by now: nobody reads what is here, and no job begins to use it. */
static void drm_svm_pages_unmap_begin(struct drm_svm_batch *batch, u64 first,
				      u64 last, u32 how)
{
	struct drm_svm_page *pages = drm_svm_pages_of(batch->view)->pages;
	u64 i = drm_svm_pages_index(batch->view, first);
	u64 end = drm_svm_pages_index(batch->view, last) + 1;

	if (how & (DRM_SVM_UNMAP_RECLAIM | DRM_SVM_UNMAP_UPGRADED))
		return;
	memset(&pages[i], 0, (end - i) * sizeof(*pages));
	batch->pending = true;
}

/*
 * All fences are told at once: some end only when they are asked to (preemption), and
 * their hardware does it side by side.
 */
static void drm_svm_pages_unmap_start(struct drm_svm_batch *batch, bool may_sleep)
{
	struct dma_resv *resv = drm_svm_pages_of(batch->view)->resv;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	if (!batch->pending)
		return;
	dma_resv_set_deadline(resv, DMA_RESV_USAGE_BOOKKEEP, ktime_get());
	dma_resv_iter_begin(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP);
	/* Who waits for no time has told it all the same. */
	dma_resv_for_each_fence_unlocked(&cursor, fence)
		if (!drm_svm_planted(DRM_SVM_PLANTED_ONE_BY_ONE))
			dma_fence_wait_timeout(fence, false, 0);
	dma_resv_iter_end(&cursor);
}

static int drm_svm_pages_unmap_wait(struct drm_svm_batch *batch, bool may_sleep)
{
	struct drm_svm_pages *pages = drm_svm_pages_of(batch->view);

	if (drm_svm_planted(DRM_SVM_PLANTED_NO_FENCES))
		return 0;
	dma_resv_wait_timeout(pages->resv, DMA_RESV_USAGE_BOOKKEEP, false,
			      MAX_SCHEDULE_TIMEOUT);
	if (pages->revoked)
		pages->revoked(pages);
	return 0;
}

static void drm_svm_pages_unmap_end(struct drm_svm_batch *batch)
{
}

/* Fences end by themselves: there is nothing that does not answer. */
static void drm_svm_pages_kill(struct drm_svm_view *view, bool may_sleep)
{
}

static const struct drm_svm_sink_ops drm_svm_pages_sink_ops = {
	.check = drm_svm_pages_check,
	.prepare = drm_svm_pages_prepare,
	.map = drm_svm_pages_map,
	.finish = drm_svm_pages_finish,
	.wait = drm_svm_pages_wait,
	.unmap_reserve = drm_svm_pages_unmap_reserve,
	.unmap_begin = drm_svm_pages_unmap_begin,
	.unmap_start = drm_svm_pages_unmap_start,
	.unmap_wait = drm_svm_pages_unmap_wait,
	.unmap_end = drm_svm_pages_unmap_end,
	.kill = drm_svm_pages_kill,
};

/**
 * drm_svm_pages_init() - let a device use pages of a process
 * @pages: embedded in the driver's, zeroed
 * @svm: device address space, initialised
 * @first: first byte of the process, page aligned
 * @last: last byte, of a page
 * @rights: what it does with them, DRM_SVM_RIGHT_*
 * @resv: where the fences of its jobs are
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ENOMEM.
 */
int drm_svm_pages_init(struct drm_svm_pages *pages, struct drm_svm *svm,
		       u64 first, u64 last, u8 rights, struct dma_resv *resv)
{
	struct drm_svm_view *view = &pages->view;
	int ret;

	if (first > last)
		return -EINVAL;
	pages->pages = kvcalloc(((last - first) >> PAGE_SHIFT) + 1,
				sizeof(*pages->pages),
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pages->pages)
		return -ENOMEM;
	pages->resv = resv;
	view->ops = &drm_svm_pages_sink_ops;
	view->first = first;
	view->last = last;
	view->rights = rights;
	ret = drm_svm_view_init(view, svm);
	if (ret)
		kvfree(pages->pages);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_pages_init);

/**
 * drm_svm_pages_fini() - the device uses the pages no more
 * @pages: from drm_svm_pages_init()
 *
 * Waits for the fences.
 *
 * Context: as drm_svm_view_fini(); @resv is not locked.
 */
void drm_svm_pages_fini(struct drm_svm_pages *pages)
{
	drm_svm_view_fini(&pages->view);
	kvfree(pages->pages);
}
EXPORT_SYMBOL_GPL(drm_svm_pages_fini);

MODULE_DESCRIPTION("Lists of pages, for shared virtual memory");
MODULE_LICENSE("Dual MIT/GPL");
