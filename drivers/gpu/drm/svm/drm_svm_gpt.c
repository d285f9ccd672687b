// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A page table as a sink: drm_gpt's, which a device walks. What is mapped goes in by
 * one commit, what is taken away is gathered, and the driver flushes it.
 *
 * Tables may take away more than they are asked to, where a large leaf goes whole, so
 * the mirror looks them up.
 *
 * What is claimed is mapped by the driver, with its leaves marked as such, and a zap of
 * ours leaves them. How many runs of ours there are between them nobody knows when space
 * of a ring is reserved; where it does not reach, the rest is taken away in unmap_wait(),
 * which holds nothing and may wait for more. A view without claims is zapped whole, which
 * is faster: the lock of the range, under which that is decided, is what a claim takes
 * before it lets the driver map.
 */

#include <linux/bitfield.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_svm.h>
#include <drm/drm_svm_gpt.h>

#include "drm_svm_planted.h"

/**
 * struct drm_svm_gpt_txn - a transaction
 * @up: of the table
 * @leaves: scratch: a leaf for each page of the interval, if they are not one run
 * @nr: how many are not 0
 */
struct drm_svm_gpt_txn {
	struct drm_gpt_update up;
	u64 *leaves;
	u32 nr;
};

static_assert(sizeof(struct drm_svm_gpt_txn) <=
	      sizeof_field(struct drm_svm_txn, sink));

/**
 * struct drm_svm_gpt_batch - a batch
 * @gather: what has to be flushed
 * @token: the driver's, of its flush
 * @rest_first: what ring space did not reach for
 * @rest_last: if there is any: if it is not less
 * @owned: what the driver has mapped is left alone, from the first claim that is seen: to
 *	zap as a whole takes for granted that no space has been used for less
 */
struct drm_svm_gpt_batch {
	struct drm_gpt_gather gather;
	u64 token;
	u64 rest_first;
	u64 rest_last;
	bool owned;
};

static_assert(sizeof(struct drm_svm_gpt_batch) <=
	      sizeof_field(struct drm_svm_batch, sink));

static struct drm_svm_gpt *drm_svm_gpt_of(struct drm_svm_view *view)
{
	return container_of(view, struct drm_svm_gpt, view);
}

static struct drm_svm_gpt_txn *drm_svm_gpt_txn(struct drm_svm_txn *txn)
{
	return (struct drm_svm_gpt_txn *)txn->sink;
}

static struct drm_svm_gpt_batch *drm_svm_gpt_batch(struct drm_svm_batch *batch)
{
	return (struct drm_svm_gpt_batch *)batch->sink;
}

/* ---- mapping ------------------------------------------------------------ */

static u64 drm_svm_gpt_flags(u8 rights)
{
	return (rights & DRM_SVM_RIGHT_READ ? DRM_GPT_LEAF_VALID : 0) |
	       (rights & DRM_SVM_RIGHT_WRITE ? DRM_GPT_LEAF_WRITE : 0) |
	       (rights & DRM_SVM_RIGHT_ATOMIC ? DRM_GPT_LEAF_ATOMIC : 0);
}

/* But for the address. Some formats do not tell atomics from writes. */
static u64 drm_svm_gpt_leaf(const struct drm_gpt *gpt,
			    const struct drm_svm_run *run)
{
	u64 leaf = drm_svm_gpt_flags(run->rights) & gpt->format->leaf_bits;

	leaf |= run->place == DRM_SVM_PLACE_LOCAL ? DRM_GPT_LEAF_LOCAL :
						    DRM_GPT_LEAF_SYSTEM;
	return leaf;
}

/* All bits that the addresses of a run may have: the format has to have a word for each. */
static u64 drm_svm_gpt_bits(const struct drm_svm_run *run)
{
	u64 bits = run->addr, vary;
	u32 i;

	if (run->addrs) {
		for (i = 1; i < run->nr; i++)
			bits |= run->addrs[i];
		return bits;
	}
	vary = bits ^ (bits + ((u64)(run->nr - 1) << PAGE_SHIFT));
	return vary ? bits | GENMASK_ULL(fls64(vary) - 1, PAGE_SHIFT) : bits;
}

static int drm_svm_gpt_check(struct drm_svm_view *view,
			     const struct drm_svm_run *run)
{
	struct drm_gpt *gpt = drm_svm_gpt_of(view)->gpt;
	u64 leaf = drm_svm_gpt_leaf(gpt, run) | drm_svm_gpt_bits(run);

	return leaf & ~gpt->format->leaf_bits ? -EOPNOTSUPP : 0;
}

static u32 drm_svm_gpt_pages(const struct drm_svm_txn *txn)
{
	return (txn->last - txn->first + 1) >> PAGE_SHIFT;
}

/*
 * At which level is it to be mapped? What one large leaf says all of needs no table of
 * pages. Where there is one already the leaf cannot be, and is made from below.
 */
static u8 drm_svm_gpt_level(const struct drm_svm_txn *txn,
			    const struct drm_svm_run *run)
{
	const struct drm_gpt *gpt = drm_svm_gpt_of(txn->view)->gpt;
	const struct drm_gpt_level *level = &gpt->format->levels[1];
	u64 va = drm_svm_view_addr(txn->view, run->va);
	u64 bytes = (u64)run->nr << PAGE_SHIFT;
	struct drm_gpt_entry entry;

	if (gpt->format->nr_levels < 2 || !level->leaf || txn->conflicts ||
	    bytes != BIT_ULL(level->shift) || (va | run->addr) & (bytes - 1))
		return 0;
	/* Where a table is linked the leaf would have to wait until it has gone. */
	drm_gpt_lookup(drm_svm_gpt_of(txn->view)->gpt, va, &entry);
	return entry.last - entry.first + 1 < bytes ? 0 : 1;
}

/* One run alone needs no scratch. */
static int drm_svm_gpt_prepare_run(struct drm_svm_txn *txn,
				   const struct drm_svm_run *run)
{
	struct drm_svm_gpt_txn *t = drm_svm_gpt_txn(txn);
	u64 va = drm_svm_view_addr(txn->view, run->va);

	t->leaves = NULL;
	return drm_gpt_prepare(drm_svm_gpt_of(txn->view)->gpt, &t->up, va,
			       va + ((u64)run->nr << PAGE_SHIFT) - 1,
			       drm_svm_gpt_level(txn, run), GFP_KERNEL_ACCOUNT);
}

/* What the driver says of the pages of a run. */
static void drm_svm_gpt_attr(struct drm_svm_gpt *table, const struct drm_svm_run *run,
			     u64 *leaves)
{
	u32 i;
	u8 attr;

	for (i = 0; i < run->nr; i++) {
		attr = table->ops->leaf_attr(table, run->va + ((u64)i << PAGE_SHIFT),
					     drm_svm_run_pfn(run, i), run);
		leaves[i] |= FIELD_PREP(DRM_GPT_LEAF_ATTR, attr);
	}
}

static void drm_svm_gpt_fill_run(struct drm_svm_txn *txn, const struct drm_svm_run *run)
{
	struct drm_svm_gpt *table = drm_svm_gpt_of(txn->view);
	u64 *to = drm_svm_gpt_txn(txn)->leaves + ((run->va - txn->first) >> PAGE_SHIFT);
	u64 leaf = drm_svm_gpt_leaf(table->gpt, run);
	u32 i;

	if (run->addrs)
		for (i = 0; i < run->nr; i++)
			to[i] = leaf | run->addrs[i];
	else
		for (i = 0; i < run->nr; i++)
			to[i] = leaf | (run->addr + ((u64)i << PAGE_SHIFT));
	if (table->ops->leaf_attr)
		drm_svm_gpt_attr(table, run, to);
}

/* What is not to be mapped. */
static void drm_svm_gpt_skip(struct drm_svm_txn *txn, u64 first, u64 end)
{
	u64 *to = drm_svm_gpt_txn(txn)->leaves + ((first - txn->first) >> PAGE_SHIFT);

	if (first < end)
		memset(to, 0, ((end - first) >> PAGE_SHIFT) * sizeof(*to));
}

static void drm_svm_gpt_fill(struct drm_svm_txn *txn)
{
	struct drm_svm_gpt_txn *t = drm_svm_gpt_txn(txn);
	struct drm_svm_runs runs = txn->runs;
	u64 next = txn->first;
	struct drm_svm_run run;

	t->nr = 0;
	while (drm_svm_runs_next(&runs, &run)) {
		drm_svm_gpt_skip(txn, next, run.va);
		drm_svm_gpt_fill_run(txn, &run);
		t->nr += run.nr;
		next = run.va + ((u64)run.nr << PAGE_SHIFT);
	}
	drm_svm_gpt_skip(txn, next, txn->last + 1);
}

static int drm_svm_gpt_prepare_array(struct drm_svm_txn *txn)
{
	struct drm_svm_gpt_txn *t = drm_svm_gpt_txn(txn);
	struct drm_svm_view *view = txn->view;
	int ret;

	t->leaves = kmalloc_array(drm_svm_gpt_pages(txn), sizeof(*t->leaves),
				  GFP_KERNEL);
	if (!t->leaves)
		return -ENOMEM;
	drm_svm_gpt_fill(txn);
	ret = drm_gpt_prepare(drm_svm_gpt_of(view)->gpt, &t->up,
			      drm_svm_view_addr(view, txn->first),
			      drm_svm_view_addr(view, txn->last), 0,
			      GFP_KERNEL_ACCOUNT);
	if (ret)
		kfree(t->leaves);
	return ret;
}

static int drm_svm_gpt_prepare(struct drm_svm_txn *txn)
{
	struct drm_svm_runs runs = txn->runs;
	struct drm_svm_run run, next;

	if (!drm_svm_runs_next(&runs, &run) || run.addrs ||
	    drm_svm_runs_next(&runs, &next) ||
	    drm_svm_gpt_of(txn->view)->ops->leaf_attr)
		return drm_svm_gpt_prepare_array(txn);
	return drm_svm_gpt_prepare_run(txn, &run);
}

static u32 drm_svm_gpt_count(const u64 *leaves, u32 nr)
{
	u32 i, n = 0;

	for (i = 0; i < nr; i++)
		n += !!leaves[i];
	return n;
}

/* In one commit: with commands there may be no more of them for a table. */
static int drm_svm_gpt_map_array(struct drm_svm_txn *txn, u32 *done)
{
	struct drm_svm_gpt_txn *t = drm_svm_gpt_txn(txn);
	u32 nr = drm_svm_gpt_pages(txn);
	int ret;

	ret = drm_gpt_commit(&t->up, drm_svm_view_addr(txn->view, txn->first),
			     t->leaves, nr, NULL, NULL);
	*done = ret ? drm_svm_gpt_count(t->leaves, t->up.done) : t->nr;
	return ret;
}

static int drm_svm_gpt_map_run(struct drm_svm_txn *txn,
			       const struct drm_svm_run *run, u32 *done)
{
	struct drm_svm_gpt_txn *t = drm_svm_gpt_txn(txn);
	int ret;

	ret = drm_gpt_commit_seq(&t->up, drm_svm_view_addr(txn->view, run->va),
				 drm_svm_gpt_leaf(t->up.gpt, run) | run->addr,
				 t->up.level ? 1 : run->nr, NULL, NULL);
	*done = !ret ? run->nr : t->up.level ? 0 : t->up.done;
	return ret;
}

static int drm_svm_gpt_map(struct drm_svm_txn *txn, struct drm_svm_runs *runs,
			   u32 *done)
{
	struct drm_svm_run run;

	if (drm_svm_gpt_txn(txn)->leaves)
		return drm_svm_gpt_map_array(txn, done);
	drm_svm_runs_next(runs, &run);
	return drm_svm_gpt_map_run(txn, &run, done);
}

static int drm_svm_gpt_finish(struct drm_svm_txn *txn)
{
	struct drm_svm_gpt_txn *t = drm_svm_gpt_txn(txn);

	/* Also if it failed: what it linked may be another's table too. */
	txn->fence = drm_gpt_update_fence(&t->up);
	drm_gpt_finish(&t->up);
	kfree(t->leaves);
	return 0;
}

static int drm_svm_gpt_wait(struct drm_svm_view *view, u64 fence)
{
	return drm_gpt_wait(drm_svm_gpt_of(view)->gpt, fence);
}

static bool drm_svm_gpt_lookup(struct drm_svm_view *view, u64 first, u64 last,
			       u8 rights, u64 *fence)
{
	return drm_gpt_mapped(drm_svm_gpt_of(view)->gpt,
			      drm_svm_view_addr(view, first),
			      drm_svm_view_addr(view, last),
			      drm_svm_gpt_flags(rights), fence);
}

/* ---- taking away -------------------------------------------------------- */

static int drm_svm_gpt_unmap_reserve(struct drm_svm_batch *batch, bool may_sleep)
{
	struct drm_svm_gpt_batch *b = drm_svm_gpt_batch(batch);
	struct drm_svm_view *view = batch->view;

	drm_gpt_gather_init(&b->gather, drm_svm_gpt_of(view)->gpt);
	b->rest_first = 1;
	if (!drm_gpt_zap_reserve(&b->gather,
				 drm_svm_view_addr(view, batch->first),
				 drm_svm_view_addr(view, batch->last), may_sleep))
		return 0;
	/* Who waits for the ring of a device gets space, or it is dead. */
	return may_sleep ? -ENODEV : -EAGAIN;
}

static int drm_svm_gpt_flush_gather(struct drm_svm_gpt *table,
				    struct drm_gpt_gather *gather)
{
	u64 token;

	if (drm_gpt_gather_empty(gather))
		return 0;
	token = table->ops->flush_begin(table, gather);
	drm_gpt_gather_unreserve(gather);
	return table->ops->flush_wait(table, token, true);
}

/* Our leaves of an interval. */
static void drm_svm_gpt_zap(struct drm_svm_batch *batch, u64 first, u64 last)
{
	struct drm_svm_gpt_batch *b = drm_svm_gpt_batch(batch);

	b->owned |= !mtree_empty(&batch->view->claims);
	if (!b->owned) {
		drm_gpt_zap(&b->gather, first, last);
		return;
	}
	if (!drm_gpt_zap_owner(&b->gather, first, last, DRM_GPT_OWNER_MIRROR))
		return;
	if (b->rest_first > b->rest_last) {
		b->rest_first = first;
		b->rest_last = last;
	}
	b->rest_first = min(b->rest_first, first);
	b->rest_last = max(b->rest_last, last);
	/* It has nothing that says so until it is zapped. */
	batch->pending = true;
}

static void drm_svm_gpt_unmap_begin(struct drm_svm_batch *batch, u64 first,
				    u64 last, u32 how)
{
	struct drm_gpt_gather *gather = &drm_svm_gpt_batch(batch)->gather;
	bool directory = how & DRM_SVM_UNMAP_DIRECTORY;

	first = drm_svm_view_addr(batch->view, first);
	last = drm_svm_view_addr(batch->view, last);
	if (how & DRM_SVM_UNMAP_RECLAIM) {
		drm_gpt_reclaim(gather, first, last);
		return;
	}
	if (how & DRM_SVM_UNMAP_UPGRADED) {
		drm_gpt_gather_also(gather, first, last, false);
		return;
	}
	drm_svm_gpt_zap(batch, first, last);
	if (how & DRM_SVM_UNMAP_MAKE_WAY)
		return;
	/* Who makes way for a large leaf has a table go too, maybe not flushed yet. */
	drm_gpt_gather_also(gather, first, last,
			    directory || !gather->gpt->format->replace_ok);
}

static void drm_svm_gpt_unmap_start(struct drm_svm_batch *batch, bool may_sleep)
{
	struct drm_svm_gpt_batch *b = drm_svm_gpt_batch(batch);
	struct drm_svm_gpt *table = drm_svm_gpt_of(batch->view);

	if (!drm_gpt_gather_empty(&b->gather)) {
		b->token = table->ops->flush_begin(table, &b->gather);
		batch->pending = true;
	}
	/* What the zap did not need is others' while we wait. */
	if (!drm_svm_planted(DRM_SVM_PLANTED_KEEPS_SPACE))
		drm_gpt_gather_unreserve(&b->gather);
}

/* One more reservation's worth of the rest. */
static int drm_svm_gpt_zap_more(struct drm_svm_gpt *table, u64 first, u64 last,
				bool *more)
{
	struct drm_gpt_gather gather;
	int ret;

	drm_gpt_gather_init(&gather, table->gpt);
	ret = drm_gpt_zap_reserve(&gather, first, last, true);
	/* Without its ring the device is dead, and what it had ends without. */
	*more = drm_gpt_zap_owner(&gather, first, last, DRM_GPT_OWNER_MIRROR);
	ret = drm_svm_gpt_flush_gather(table, &gather) ?: ret;
	drm_gpt_gather_fini(&gather);
	return ret;
}

/* Nobody maps there, and the others who take away do so for themselves. */
static int drm_svm_gpt_zap_rest(struct drm_svm_batch *batch)
{
	struct drm_svm_gpt_batch *b = drm_svm_gpt_batch(batch);
	struct drm_svm_gpt *table = drm_svm_gpt_of(batch->view);
	bool more = b->rest_first <= b->rest_last;
	int ret = 0;

	while (more && !ret)
		ret = drm_svm_gpt_zap_more(table, b->rest_first, b->rest_last,
					   &more);
	return ret;
}

static int drm_svm_gpt_unmap_wait(struct drm_svm_batch *batch, bool may_sleep)
{
	struct drm_svm_gpt_batch *b = drm_svm_gpt_batch(batch);
	struct drm_svm_gpt *table = drm_svm_gpt_of(batch->view);
	int ret = 0;

	if (!drm_gpt_gather_empty(&b->gather))
		ret = table->ops->flush_wait(table, b->token, may_sleep);
	return ret ?: drm_svm_gpt_zap_rest(batch);
}

static void drm_svm_gpt_unmap_end(struct drm_svm_batch *batch)
{
	drm_gpt_gather_fini(&drm_svm_gpt_batch(batch)->gather);
}

static void drm_svm_gpt_kill(struct drm_svm_view *view, bool may_sleep)
{
	struct drm_svm_gpt *table = drm_svm_gpt_of(view);

	table->ops->kill(table, may_sleep);
}

static const struct drm_svm_sink_ops drm_svm_gpt_sink_ops = {
	.check = drm_svm_gpt_check,
	.prepare = drm_svm_gpt_prepare,
	.map = drm_svm_gpt_map,
	.finish = drm_svm_gpt_finish,
	.wait = drm_svm_gpt_wait,
	.lookup = drm_svm_gpt_lookup,
	.unmap_reserve = drm_svm_gpt_unmap_reserve,
	.unmap_begin = drm_svm_gpt_unmap_begin,
	.unmap_start = drm_svm_gpt_unmap_start,
	.unmap_wait = drm_svm_gpt_unmap_wait,
	.unmap_end = drm_svm_gpt_unmap_end,
	.kill = drm_svm_gpt_kill,
};

/* ---- life --------------------------------------------------------------- */

/* Device memory has an offset, and no bus address to say instead: all of it has to fit. */
static int drm_svm_gpt_check_region(const struct drm_gpt_format *format,
				    const struct drm_svm_region *region)
{
	u64 leaf = DRM_GPT_LEAF_LOCAL, last = region->base + region->bytes - 1;

	if (last > (DRM_GPT_LEAF_ADDR | ~PAGE_MASK))
		return -EINVAL;
	/* Of all the addresses up to the last. */
	leaf |= GENMASK_ULL(fls64(last) - 1, 0) & DRM_GPT_LEAF_ADDR;
	return leaf & ~format->leaf_bits ? -EINVAL : 0;
}

/*
 * Where a commit may say -EBUSY, a range is one table: no part of it is written then.
 */
static int drm_svm_gpt_check_format(const struct drm_gpt_format *format,
				    struct drm_svm_device *sdev)
{
	const struct drm_gpt_level *lowest = &format->levels[0];
	const struct drm_svm_region *region;
	int ret = 0;

	/* Pages are what is mapped and taken away, one by one if need be. */
	if (!lowest->leaf || lowest->shift != PAGE_SHIFT)
		return -EINVAL;
	if (!format->replace_ok &&
	    lowest->shift + lowest->bits < DRM_SVM_RANGE_SHIFT)
		return -EINVAL;
	drm_svm_for_each_region(region, sdev)
		ret = ret ?: drm_svm_gpt_check_region(format, region);
	return ret;
}

/**
 * drm_svm_gpt_init() - let a device see all that its table reaches
 * @table: embedded in the driver's, zeroed but for @flush_on_upgrade
 * @svm: device address space, initialised
 * @gpt: table, initialised; nobody else changes it but where it is claimed
 *	(drm_svm_claim()), with leaves of DRM_GPT_OWNER_CLAIMED
 * @ops: the driver's
 *
 * Context: may sleep.
 * Return: 0, -EINVAL for a format that has no word for the device's memory, cannot tell
 * atomics from writes where that matters (&drm_svm_device.system_atomics), does not map
 * single pages, or wants break-before-make with lowest tables that cover less than
 * a range.
 */
int drm_svm_gpt_init(struct drm_svm_gpt *table, struct drm_svm *svm,
		     struct drm_gpt *gpt, const struct drm_svm_gpt_ops *ops)
{
	struct drm_svm_view *view = &table->view;
	int ret = drm_svm_gpt_check_format(gpt->format, svm->device);

	if (ret)
		return ret;
	table->gpt = gpt;
	table->ops = ops;
	view->ops = &drm_svm_gpt_sink_ops;
	view->last = gpt->last;
	view->rights = DRM_SVM_RIGHT_READ | DRM_SVM_RIGHT_WRITE |
		       DRM_SVM_RIGHT_ATOMIC | DRM_SVM_RIGHT_EXEC;
	view->caps = DRM_SVM_SINK_OVERZAP | DRM_SVM_SINK_LOCAL |
		     DRM_SVM_SINK_CLAIMS;
	/* Commands need their ring, which cannot be polled. */
	if (!gpt->cmd)
		view->caps |= DRM_SVM_SINK_POLL;
	if (!(gpt->format->leaf_bits & DRM_GPT_LEAF_ATOMIC))
		view->caps |= DRM_SVM_SINK_ATOMIC_IS_WRITE;
	if (table->flush_on_upgrade)
		view->caps |= DRM_SVM_SINK_FLUSH_UPGRADES;
	return drm_svm_view_init(view, svm);
}
EXPORT_SYMBOL_GPL(drm_svm_gpt_init);

/**
 * drm_svm_gpt_fini() - the device sees nothing any more
 * @table: its address space is stopped; the device walks the table no more
 *
 * Context: as drm_svm_view_fini().
 */
void drm_svm_gpt_fini(struct drm_svm_gpt *table)
{
	drm_svm_view_fini(&table->view);
}
EXPORT_SYMBOL_GPL(drm_svm_gpt_fini);

/**
 * drm_svm_gpt_flush() - flush one device and wait
 * @table: the table; drm_svm_gpt_fini() may be over
 * @gather: what to flush; the caller finishes it
 *
 * For &drm_gpt_config.flush. A device that does not answer is stopped.
 *
 * Context: may sleep; allocates nothing, and takes the driver's locks only, as in
 * an MMU notifier.
 */
void drm_svm_gpt_flush(struct drm_svm_gpt *table, struct drm_gpt_gather *gather)
{
	if (drm_svm_gpt_flush_gather(table, gather))
		table->ops->kill(table, true);
}
EXPORT_SYMBOL_GPL(drm_svm_gpt_flush);

MODULE_DESCRIPTION("Page tables that devices walk, for shared virtual memory");
MODULE_LICENSE("Dual MIT/GPL");
