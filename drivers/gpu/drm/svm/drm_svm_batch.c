// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Batches: what is taken away from one view, flushed together. The order of the
 * sink's calls (&struct drm_svm_sink_ops), and what is done when a device does not
 * answer.
 */

#include <linux/minmax.h>
#include <linux/string.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

/**
 * drm_svm_batch_reserve() - begin to take mappings away
 * @batch: batch
 * @view: of which view; the caller sees to it that it stays
 * @first: first byte that it may be about; what is beyond the view is left out
 * @last: last byte
 * @may_sleep: wait for the sink's space; nothing else is reserved then
 *
 * Context: MMU notifier or service lock.
 * Return: 0, then drm_svm_batch_start() and drm_svm_batch_finish() follow; -EAGAIN.
 */
int drm_svm_batch_reserve(struct drm_svm_batch *batch, struct drm_svm_view *view,
			  u64 first, u64 last, bool may_sleep)
{
	int ret;

	memset(batch, 0, sizeof(*batch));
	batch->view = view;
	batch->first = max(first, view->first);
	batch->last = min(last, view->last);
	ret = view->ops->unmap_reserve(batch, may_sleep);
	if (ret == -EAGAIN && !may_sleep)
		return ret;
	/* What writes its table is dead: so is what walks it. */
	if (ret)
		view->ops->kill(view, may_sleep);
	return 0;
}

/**
 * drm_svm_batch_unmap() - take mappings away
 * @batch: reserved
 * @first: first byte; what is beyond the batch's interval is left out
 * @last: last byte
 * @how: DRM_SVM_UNMAP_*
 *
 * Context: the range's lock is held.
 */
void drm_svm_batch_unmap(struct drm_svm_batch *batch, u64 first, u64 last, u32 how)
{
	struct drm_svm_view *view = batch->view;

	first = max(first, batch->first);
	last = min(last, batch->last);
	if (first > last)
		return;
	/* What makes way comes back, what is reclaimed was not there, the rest stays. */
	if (!(how & (DRM_SVM_UNMAP_MAKE_WAY | DRM_SVM_UNMAP_RECLAIM |
		     DRM_SVM_UNMAP_UPGRADED)))
		drm_svm_view_spoil(view);
	view->ops->unmap_begin(batch, first, last, how);
}

/**
 * drm_svm_batch_start() - start to flush what was taken away
 * @batch: batch
 * @may_sleep: the same as in drm_svm_batch_finish()
 *
 * Context: MMU notifier or service lock.
 */
void drm_svm_batch_start(struct drm_svm_batch *batch, bool may_sleep)
{
	if (drm_svm_planted(DRM_SVM_PLANTED_NO_FLUSH))
		return;
	batch->view->ops->unmap_start(batch, may_sleep);
	if (batch->pending)
		atomic64_inc(&batch->view->svm->stats.flushes);
}

/**
 * drm_svm_batch_finish() - wait for the flush; the end of a batch
 * @batch: started
 * @may_sleep: whether it may
 *
 * A device that does not answer is cut off: the CPU never gets memory back that one
 * may still reach.
 *
 * Context: MMU notifier or service lock.
 * Return: false if it would have had to sleep: the device may still reach it all.
 */
bool drm_svm_batch_finish(struct drm_svm_batch *batch, bool may_sleep)
{
	struct drm_svm_view *view = batch->view;
	int ret = 0;

	if (batch->pending)
		ret = view->ops->unmap_wait(batch, may_sleep);
	if (ret && (ret != -EAGAIN || may_sleep))
		view->ops->kill(view, may_sleep);
	view->ops->unmap_end(batch);
	return ret != -EAGAIN || may_sleep;
}

/**
 * drm_svm_batch_part() - do to a view's part of a range what has to be done, and wait
 * @range: range
 * @view: view
 * @first: first byte, in the range
 * @last: last byte, in the range
 * @how: DRM_SVM_UNMAP_*
 *
 * Context: may sleep, for hardware; the range's lock is not held. The view stays.
 */
void drm_svm_batch_part(struct drm_svm_range *range, struct drm_svm_view *view,
			u64 first, u64 last, u32 how)
{
	struct drm_svm_batch batch;

	drm_svm_batch_reserve(&batch, view, first, last, true);
	scoped_guard(mutex, &range->lock)
		drm_svm_batch_unmap(&batch, first, last, how);
	drm_svm_batch_start(&batch, true);
	drm_svm_batch_finish(&batch, true);
}

/**
 * drm_svm_batch_range() - the same to all that a view has of a range
 * @range: range
 * @view: view
 * @how: DRM_SVM_UNMAP_*
 *
 * Context: as drm_svm_batch_part().
 */
void drm_svm_batch_range(struct drm_svm_range *range, struct drm_svm_view *view,
			 u32 how)
{
	drm_svm_batch_part(range, view, range->first,
			   range->first + DRM_SVM_RANGE_SIZE - 1, how);
}
