// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * An array of bus addresses as a sink, for a device that has no table of its own
 * for a process: a NIC with a translation list for each memory region, say. There can
 * be many, each a view of one address space with its own addresses and rights.
 *
 * Entries are written and cleared under the lock of the range that they belong to. A
 * driver reads them under a lock of its own, which it takes to revoke too: what it has
 * given to the device is in use until it has been revoked.
 */

#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_svm.h>
#include <drm/drm_svm_array.h>

#include "drm_svm_planted.h"

/**
 * struct drm_svm_array_batch - a batch
 * @first: index of the first entry that was cleared
 * @end: behind the last, 0 if none was
 * @token: the driver's
 */
struct drm_svm_array_batch {
	u32 first;
	u32 end;
	u64 token;
};

static_assert(sizeof(struct drm_svm_array_batch) <=
	      sizeof_field(struct drm_svm_batch, sink));

static struct drm_svm_array *drm_svm_array_of(struct drm_svm_view *view)
{
	return container_of(view, struct drm_svm_array, view);
}

static struct drm_svm_array_batch *
drm_svm_array_batch(struct drm_svm_batch *batch)
{
	return (struct drm_svm_array_batch *)batch->sink;
}

static u32 drm_svm_array_index(const struct drm_svm_view *view, u64 va)
{
	return (va - view->first) >> PAGE_SHIFT;
}

/* ---- mapping ------------------------------------------------------------ */

/* A bus address is all that an entry can say. */
static int drm_svm_array_check(struct drm_svm_view *view,
			       const struct drm_svm_run *run)
{
	return run->place == DRM_SVM_PLACE_SYSTEM ? 0 : -EOPNOTSUPP;
}

static int drm_svm_array_prepare(struct drm_svm_txn *txn)
{
	return 0;
}

static int drm_svm_array_map(struct drm_svm_txn *txn, struct drm_svm_runs *runs,
			     u32 *done)
{
	u64 *entries = drm_svm_array_of(txn->view)->entries;
	struct drm_svm_run run;
	u32 i, at;

	while (drm_svm_runs_next(runs, &run)) {
		at = drm_svm_array_index(txn->view, run.va);
		for (i = 0; i < run.nr; i++)
			WRITE_ONCE(entries[at + i],
				   drm_svm_run_addr(&run, i) | run.rights);
		*done += run.nr;
	}
	return 0;
}

/* All of the transaction's interval: it is no more than a range. */
static int drm_svm_array_finish(struct drm_svm_txn *txn)
{
	struct drm_svm_array *array = drm_svm_array_of(txn->view);

	if (!array->ops->mapped)
		return 0;
	return array->ops->mapped(array,
				  drm_svm_array_index(txn->view, txn->first),
				  (txn->last - txn->first + 1) >> PAGE_SHIFT);
}

static int drm_svm_array_wait(struct drm_svm_view *view, u64 fence)
{
	return 0;
}

/* ---- taking away -------------------------------------------------------- */

static int drm_svm_array_unmap_reserve(struct drm_svm_batch *batch,
				       bool may_sleep)
{
	return 0;
}

static void drm_svm_array_unmap_begin(struct drm_svm_batch *batch, u64 first,
				      u64 last, u32 how)
{
	struct drm_svm_array_batch *b = drm_svm_array_batch(batch);
	u64 *entries = drm_svm_array_of(batch->view)->entries;
	u32 i = drm_svm_array_index(batch->view, first);
	u32 end = drm_svm_array_index(batch->view, last) + 1;

	/* Nothing but the entries, which stay. */
	if (how & (DRM_SVM_UNMAP_RECLAIM | DRM_SVM_UNMAP_UPGRADED))
		return;
	b->first = b->end ? min(b->first, i) : i;
	b->end = max(b->end, end);
	for (; i < end; i++)
		WRITE_ONCE(entries[i], 0);
}

static void drm_svm_array_unmap_start(struct drm_svm_batch *batch, bool may_sleep)
{
	struct drm_svm_array_batch *b = drm_svm_array_batch(batch);
	struct drm_svm_array *array = drm_svm_array_of(batch->view);

	if (!b->end || drm_svm_planted(DRM_SVM_PLANTED_NO_REVOKE))
		return;
	if (array->ops->revoke)
		b->token = array->ops->revoke(array, b->first, b->end - b->first);
	batch->pending = true;
}

static int drm_svm_array_unmap_wait(struct drm_svm_batch *batch, bool may_sleep)
{
	struct drm_svm_array *array = drm_svm_array_of(batch->view);

	return array->ops->revoked(array, drm_svm_array_batch(batch)->token,
				   may_sleep);
}

static void drm_svm_array_unmap_end(struct drm_svm_batch *batch)
{
}

static void drm_svm_array_kill(struct drm_svm_view *view, bool may_sleep)
{
	struct drm_svm_array *array = drm_svm_array_of(view);

	if (!WARN_ON(!array->ops->kill))
		array->ops->kill(array, may_sleep);
}

static const struct drm_svm_sink_ops drm_svm_array_sink_ops = {
	.check = drm_svm_array_check,
	.prepare = drm_svm_array_prepare,
	.map = drm_svm_array_map,
	.finish = drm_svm_array_finish,
	.wait = drm_svm_array_wait,
	.unmap_reserve = drm_svm_array_unmap_reserve,
	.unmap_begin = drm_svm_array_unmap_begin,
	.unmap_start = drm_svm_array_unmap_start,
	.unmap_wait = drm_svm_array_unmap_wait,
	.unmap_end = drm_svm_array_unmap_end,
	.kill = drm_svm_array_kill,
};

/**
 * drm_svm_array_init() - let a device see memory by an array of bus addresses
 * @array: embedded in the driver's, zeroed
 * @svm: device address space, initialised
 * @first: first byte of the process, page aligned
 * @last: last byte, of a page
 * @addr: what the device calls @first, page aligned
 * @rights: the most that it may do, DRM_SVM_RIGHT_*
 * @ops: the driver's
 *
 * Nothing is mapped yet. The array is 8 bytes for each page.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -ENOMEM.
 */
int drm_svm_array_init(struct drm_svm_array *array, struct drm_svm *svm,
		       u64 first, u64 last, u64 addr, u8 rights,
		       const struct drm_svm_array_ops *ops)
{
	struct drm_svm_view *view = &array->view;
	int ret;

	if (first > last || (last - first) >> PAGE_SHIFT >= U32_MAX)
		return -EINVAL;
	array->entries = kvcalloc(((last - first) >> PAGE_SHIFT) + 1,
				  sizeof(*array->entries),
				  GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!array->entries)
		return -ENOMEM;
	array->ops = ops;
	view->ops = &drm_svm_array_sink_ops;
	view->first = first;
	view->last = last;
	view->bias = addr - first;
	view->rights = rights;
	view->caps = DRM_SVM_SINK_POLL;
	ret = drm_svm_view_init(view, svm);
	if (ret)
		kvfree(array->entries);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_array_init);

/**
 * drm_svm_array_fini() - the device sees nothing any more
 * @array: from drm_svm_array_init()
 *
 * What is mapped is revoked.
 *
 * Context: as drm_svm_view_fini().
 */
void drm_svm_array_fini(struct drm_svm_array *array)
{
	drm_svm_view_fini(&array->view);
	kvfree(array->entries);
}
EXPORT_SYMBOL_GPL(drm_svm_array_fini);

MODULE_DESCRIPTION("Arrays of bus addresses, for shared virtual memory");
MODULE_LICENSE("Dual MIT/GPL");
