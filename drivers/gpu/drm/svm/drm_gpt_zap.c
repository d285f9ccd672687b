// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Taking mappings away. Zap allocates nothing, frees nothing and only spins,
 * so it may run in an MMU notifier; what it clears it reports to a gather, and
 * only what was mapped. Reclaim takes empty tables out, to be freed after the
 * flush that the same gather asks for.
 */

#include <linux/export.h>
#include <linux/slab.h>

#include "drm_gpt_internal.h"
#include "drm_svm_planted.h"

/* ---- gather ------------------------------------------------------------- */

/**
 * drm_gpt_gather_init() - begin to collect what has to be flushed
 * @gather: the caller's, until drm_gpt_gather_fini()
 * @gpt: page table
 */
void drm_gpt_gather_init(struct drm_gpt_gather *gather, struct drm_gpt *gpt)
{
	gather->gpt = gpt;
	gather->nr = 0;
	gather->directory = false;
	gather->full = false;
	gather->dead = false;
	gather->zap_first = U64_MAX;
	gather->zap_last = 0;
	gather->credits = 0;
	INIT_LIST_HEAD(&gather->tables);
}
EXPORT_SYMBOL_GPL(drm_gpt_gather_init);

static void drm_gpt_gather_remove(struct drm_gpt_gather *gather, u32 i)
{
	gather->nr--;
	memmove(&gather->range[i], &gather->range[i + 1],
		(gather->nr - i) * sizeof(gather->range[0]));
}

static void drm_gpt_gather_insert(struct drm_gpt_gather *gather, u32 i,
				  u64 first, u64 last)
{
	memmove(&gather->range[i + 1], &gather->range[i],
		(gather->nr - i) * sizeof(gather->range[0]));
	gather->range[i].first = first;
	gather->range[i].last = last;
	gather->nr++;
}

/* Of the neighbours with the least between them: the lower one. */
static u32 drm_gpt_gather_nearest(const struct drm_gpt_gather *gather, u64 *gap)
{
	u32 i, best = 0;

	*gap = U64_MAX;
	for (i = 0; i + 1 < gather->nr; i++) {
		u64 now = gather->range[i + 1].first - gather->range[i].last;

		if (now < *gap) {
			*gap = now;
			best = i;
		}
	}
	return best;
}

/* The first range that touches @first or lies above it. */
static u32 drm_gpt_gather_find(const struct drm_gpt_gather *gather, u64 first)
{
	u32 i;

	for (i = 0; i < gather->nr; i++)
		if (!first || gather->range[i].last >= first - 1)
			break;
	return i;
}

static bool drm_gpt_gather_touches(const struct drm_gpt_gather *gather, u32 i,
				   u64 last)
{
	return i < gather->nr &&
	       (last == U64_MAX || gather->range[i].first <= last + 1);
}

/* Range @i takes [first, last] in, and what it touches then. */
static void drm_gpt_gather_widen(struct drm_gpt_gather *gather, u32 i, u64 first,
				 u64 last)
{
	gather->range[i].first = min(gather->range[i].first, first);
	gather->range[i].last = max(gather->range[i].last, last);
	while (drm_gpt_gather_touches(gather, i + 1, gather->range[i].last)) {
		last = max(gather->range[i].last, gather->range[i + 1].last);
		gather->range[i].last = last;
		drm_gpt_gather_remove(gather, i + 1);
	}
}

/* Adds to what is flushed. When full, what lies nearest to another joins it. */
static void drm_gpt_gather_flush(struct drm_gpt_gather *gather, u64 first,
				 u64 last)
{
	u32 i = drm_gpt_gather_find(gather, first), near;
	u64 below, above, gap;

	if (drm_gpt_gather_touches(gather, i, last)) {
		drm_gpt_gather_widen(gather, i, first, last);
		return;
	}
	if (gather->nr < DRM_GPT_GATHER_RANGES) {
		drm_gpt_gather_insert(gather, i, first, last);
		return;
	}
	below = i ? first - gather->range[i - 1].last : U64_MAX;
	above = i < gather->nr ? gather->range[i].first - last : U64_MAX;
	near = drm_gpt_gather_nearest(gather, &gap);
	if (gap < min(below, above)) {
		gather->range[near].last = gather->range[near + 1].last;
		drm_gpt_gather_remove(gather, near + 1);
		drm_gpt_gather_insert(gather, i > near ? i - 1 : i, first, last);
	} else {
		drm_gpt_gather_widen(gather, below < above ? i - 1 : i, first,
				     last);
	}
}

/* A mapping went. */
static void drm_gpt_gather_add(struct drm_gpt_gather *gather, u64 first,
			       u64 last)
{
	gather->zap_first = min(gather->zap_first, first);
	gather->zap_last = max(gather->zap_last, last);
	drm_gpt_gather_flush(gather, first, last);
}

static void drm_gpt_gather_directory(struct drm_gpt_gather *gather)
{
	if (!drm_svm_planted(DRM_SVM_PLANTED_LEAF_FLUSH))
		gather->directory = true;
}

/**
 * drm_gpt_gather_also() - flush what another zap has cleared, too
 * @gather: gather
 * @first: first byte
 * @last: last byte
 * @directory: that zap may have unlinked tables
 *
 * drm_gpt_zap() reports what it clears. Who relies on an entry being gone from
 * TLBs as well, and may have come behind a zap whose flush is still under way,
 * says so here.
 *
 * Context: any.
 */
void drm_gpt_gather_also(struct drm_gpt_gather *gather, u64 first, u64 last,
			 bool directory)
{
	drm_gpt_gather_flush(gather, first, last);
	if (directory)
		drm_gpt_gather_directory(gather);
}
EXPORT_SYMBOL_GPL(drm_gpt_gather_also);

/**
 * drm_gpt_gather_take_flush_credits() - ring space for the flush
 * @gather: gather with commands
 *
 * For &drm_svm_ops.flush_begin or its like; the space is the caller's then.
 *
 * Return: words, at most &drm_gpt_cmd_ops.flush_words.
 */
u32 drm_gpt_gather_take_flush_credits(struct drm_gpt_gather *gather)
{
	u32 words;

	if (!gather->gpt->cmd)
		return 0;
	words = min(gather->credits, gather->gpt->cmd->flush_words);
	gather->credits -= words;
	return words;
}
EXPORT_SYMBOL_GPL(drm_gpt_gather_take_flush_credits);

/**
 * drm_gpt_gather_fini() - the flush is done
 * @gather: gather
 *
 * Frees reclaimed tables after a grace period, gives ring space back.
 *
 * Context: any.
 */
void drm_gpt_gather_fini(struct drm_gpt_gather *gather)
{
	struct drm_gpt_table *table, *next;

	list_for_each_entry_safe(table, next, &gather->tables, node) {
		list_del_init(&table->node);
		drm_gpt_table_free_later(table);
	}
	if (gather->credits)
		gather->gpt->cmd->release(gather->gpt, gather->credits);
	gather->credits = 0;
}
EXPORT_SYMBOL_GPL(drm_gpt_gather_fini);

static u32 drm_gpt_fill_words(struct drm_gpt *gpt)
{
	return max(drm_gpt_words(gpt, DRM_GPT_RUN_FILL, 1),
		   drm_gpt_words(gpt, DRM_GPT_RUN_FILL, DRM_GPT_MAX_ENTRIES));
}

/* Shortest interval that may only be zapped in one go, in lowest tables. */
#define DRM_GPT_PIECES	512

/*
 * Ring space for a zap: a run per directory above the lowest tables and one for
 * each end. Short intervals may come in pieces, a lowest table or more each,
 * and leave as many tables to reclaim, with what is above them.
 */
static u32 drm_gpt_zap_words(struct drm_gpt *gpt, u64 first, u64 last)
{
	const struct drm_gpt_level *directory = drm_gpt_level(gpt, 1);
	u64 tables = (last >> directory->shift) - (first >> directory->shift) + 1;
	u64 directories = tables >> directory->bits;
	u64 runs = min_t(u64, tables, DRM_GPT_PIECES) * 2 +
		   min_t(u64, directories, U16_MAX) + DRM_GPT_MAX_LEVELS * 2;

	return runs * drm_gpt_fill_words(gpt) + gpt->cmd->flush_words;
}

/**
 * drm_gpt_zap_reserve() - take ring space for a zap and its flush
 * @gather: gather
 * @first: first byte
 * @last: last byte
 * @may_sleep: the caller may wait for the ring to make progress
 *
 * Nothing to do where the CPU writes tables. To be called before the locks that
 * the zap runs under, and with no space of another ring in hand if @may_sleep.
 *
 * If the ring is dead the zap may be done all the same: it records nothing, and
 * makes lookups right. The caller keeps the device from the memory otherwise.
 *
 * Context: as @may_sleep says; no allocation.
 * Return: 0, -EAGAIN if it had to sleep, -ENODEV if the ring is dead.
 */
int drm_gpt_zap_reserve(struct drm_gpt_gather *gather, u64 first, u64 last,
			bool may_sleep)
{
	struct drm_gpt *gpt = gather->gpt;
	u32 words;
	int ret;

	might_sleep_if(may_sleep);
	if (!gpt->cmd)
		return 0;
	words = drm_gpt_zap_words(gpt, first, last);
	ret = gpt->cmd->reserve(gpt, words, true, may_sleep);
	if (!ret)
		gather->credits += words;
	else if (ret == -ENODEV)
		gather->dead = true;
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpt_zap_reserve);

/* ---- zap ---------------------------------------------------------------- */

/* Part of a lowest table, which is locked and linked: all between what is live. */
static void drm_gpt_zap_leaves(struct drm_gpt_gather *gather,
			       struct drm_gpt_table *table, u32 first, u32 last)
{
	u32 lo = find_next_bit(table->live, last + 1, first), hi;

	if (lo > last)
		return;
	hi = find_last_bit(table->live, last + 1);
	drm_gpt_write_empty(table, lo, hi - lo + 1,
			    drm_gpt_gather_credits(gather));
	drm_gpt_clear_bits(table, lo, hi - lo + 1);
	drm_gpt_gather_add(gather, drm_gpt_slot_first(table, lo),
			   drm_gpt_slot_last(table, hi));
	atomic64_add(hi - lo + 1, &table->gpt->stats.zaps);
}

static void drm_gpt_gather_table(struct drm_gpt_gather *gather,
				 struct drm_gpt_table *table)
{
	u32 entries = drm_gpt_entries(table->gpt, 0);
	u32 lo = find_first_bit(table->live, entries);
	u32 hi = find_last_bit(table->live, entries);

	if (lo < entries)
		drm_gpt_gather_add(gather, drm_gpt_slot_first(table, lo),
				   drm_gpt_slot_last(table, hi));
	else
		drm_gpt_gather_flush(gather, table->base,
				     drm_gpt_slot_last(table, entries - 1));
	drm_gpt_gather_directory(gather);
}

/*
 * All of a lowest table by the entry above; what it holds becomes stale. An
 * empty one is only taken along if the entries around it go (@along). Both are
 * locked; the caller empties the entry before it unlocks the parent.
 */
static bool drm_gpt_unlink(struct drm_gpt_gather *gather,
			   struct drm_gpt_table *table, bool along)
{
	bool live = !bitmap_empty(table->live, DRM_GPT_MAX_ENTRIES);

	lockdep_assert_held(&table->lock);
	if (!table->linked || !(live || along))
		return false;
	WRITE_ONCE(table->linked, false);
	drm_gpt_gather_table(gather, table);
	return true;
}

/* A large leaf goes whole, however little of it was asked for. */
static void drm_gpt_drop_huge(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *parent, u32 i)
{
	drm_gpt_clear_bits(parent, i, 1);
	drm_gpt_gather_add(gather, drm_gpt_slot_first(parent, i),
			   drm_gpt_slot_last(parent, i));
}

static struct drm_gpt_table *drm_gpt_child(struct drm_gpt_table *table, u32 i)
{
	return rcu_dereference_protected(table->child[i],
					 lockdep_is_held(&table->lock));
}

/* Return: whether the entry has to be emptied. */
static bool drm_gpt_drop_slot(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *parent, u32 i, bool along)
{
	struct drm_gpt_table *table;
	bool dropped;

	if (test_bit(i, parent->live)) {
		drm_gpt_drop_huge(gather, parent, i);
		return true;
	}
	table = drm_gpt_child(parent, i);
	if (!table)
		return false;
	drm_gpt_lock(table);
	dropped = drm_gpt_unlink(gather, table, along);
	drm_gpt_unlock(table);
	return dropped;
}

/* Slots from @i to before @end, all of their VA: one run of empty entries. */
static void drm_gpt_zap_slots(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *parent, u32 i, u32 end)
{
	u32 lo = end, hi = end;

	for (; i < end; i++) {
		if (!drm_gpt_drop_slot(gather, parent, i, lo < end))
			continue;
		lo = min(lo, i);
		hi = i;
	}
	if (lo == end)
		return;
	drm_gpt_write_empty(parent, lo, hi - lo + 1,
			    drm_gpt_gather_credits(gather));
	atomic64_add(hi - lo + 1, &parent->gpt->stats.zaps);
}

/* A slot, part of whose VA goes. */
static void drm_gpt_zap_part(struct drm_gpt_gather *gather,
			     struct drm_gpt_table *parent, u32 i, u64 first,
			     u64 last)
{
	struct drm_gpt *gpt = parent->gpt;
	struct drm_gpt_table *table;

	if (test_bit(i, parent->live)) {
		drm_gpt_zap_slots(gather, parent, i, i + 1);
		return;
	}
	table = drm_gpt_child(parent, i);
	if (!table)
		return;
	first = max(first, drm_gpt_slot_first(parent, i));
	last = min(last, drm_gpt_slot_last(parent, i));
	drm_gpt_lock(table);
	if (table->linked)
		drm_gpt_zap_leaves(gather, table, drm_gpt_index(gpt, 0, first),
				   drm_gpt_index(gpt, 0, last));
	drm_gpt_unlock(table);
}

/* The table above the lowest ones; @first and @last are in it. */
static void drm_gpt_zap_directory(struct drm_gpt_gather *gather,
				  struct drm_gpt_table *table, u64 first,
				  u64 last)
{
	struct drm_gpt *gpt = table->gpt;
	u32 i = drm_gpt_index(gpt, table->level, first);
	u32 end = drm_gpt_index(gpt, table->level, last) + 1;

	drm_gpt_lock(table);
	if (first > drm_gpt_slot_first(table, i))
		drm_gpt_zap_part(gather, table, i++, first, last);
	if (i < end && last < drm_gpt_slot_last(table, end - 1))
		drm_gpt_zap_part(gather, table, --end, first, last);
	drm_gpt_zap_slots(gather, table, i, end);
	drm_gpt_unlock(table);
}

/* The lowest directory over @va, or how far there is none. Under RCU. */
static struct drm_gpt_table *drm_gpt_find_directory(struct drm_gpt *gpt, u64 va,
						    u64 *hole)
{
	struct drm_gpt_table *table = gpt->root, *child;
	u32 i;

	while (table->level > 1) {
		i = drm_gpt_index(gpt, table->level, va);
		child = rcu_dereference(table->child[i]);
		if (!child) {
			*hole = drm_gpt_slot_last(table, i);
			return NULL;
		}
		table = child;
	}
	*hole = drm_gpt_slot_last(table, drm_gpt_entries(gpt, table->level) - 1);
	return table;
}

/**
 * drm_gpt_zap() - take mappings away
 * @gather: collects what has to be flushed
 * @first: first byte, aligned to the smallest page
 * @last: last byte, of a page
 *
 * Holes are no error. Large leaves go whole; @gather says what really went.
 * Where all that a lowest table covers goes, the entry above is cleared instead.
 *
 * With commands, drm_gpt_zap_reserve() has been called for the interval. One of
 * up to 1 GiB may then be zapped in pieces that do not share a lowest table,
 * others in one call.
 *
 * Context: atomic or not; takes table locks; allocates and frees nothing.
 */
void drm_gpt_zap(struct drm_gpt_gather *gather, u64 first, u64 last)
{
	struct drm_gpt *gpt = gather->gpt;
	struct drm_gpt_table *table;
	u64 end;

	if (WARN_ON_ONCE(!drm_gpt_range_ok(gpt, first, last)))
		return;
	/*
	 * Pairs with drm_gpt_prepare(): where we do not find its tables, its
	 * commit finds what our caller has set to make it fail.
	 */
	smp_mb();
	guard(rcu)();
	for (;;) {
		table = drm_gpt_find_directory(gpt, first, &end);
		if (table)
			drm_gpt_zap_directory(gather, table, first,
					      min(last, end));
		if (end >= last)
			break;
		first = end + 1;
	}
	drm_gpt_write_barrier(gpt);
}
EXPORT_SYMBOL_GPL(drm_gpt_zap);

/* ---- reclaim ------------------------------------------------------------ */

static bool drm_gpt_table_idle(struct drm_gpt_table *table)
{
	return !table->pins && !table->nr_children &&
	       (!table->linked || bitmap_empty(table->live, DRM_GPT_MAX_ENTRIES));
}

/*
 * Both locked, @table idle. It is reported even if it was not linked: a zap
 * that unlinked it may still be on its way to the flush, and the device in it.
 */
static void drm_gpt_take_out(struct drm_gpt_gather *gather,
			     struct drm_gpt_table *parent,
			     struct drm_gpt_table *table)
{
	u32 last = drm_gpt_entries(table->gpt, table->level) - 1;

	if (table->linked)
		drm_gpt_write_empty(parent, table->index, 1,
				    drm_gpt_gather_credits(gather));
	drm_gpt_gather_flush(gather, table->base, drm_gpt_slot_last(table, last));
	drm_gpt_gather_directory(gather);
	WRITE_ONCE(table->linked, false);
	table->dead = true;
	rcu_assign_pointer(parent->child[table->index], NULL);
	parent->nr_children--;
	list_add_tail(&table->node, &gather->tables);
}

/* Is there ring space to clear the entry above, and to flush after it? */
static bool drm_gpt_can_take_out(const struct drm_gpt_gather *gather)
{
	struct drm_gpt *gpt = gather->gpt;

	return !gpt->cmd || gather->dead ||
	       gather->credits >= drm_gpt_fill_words(gpt) +
				  gpt->cmd->flush_words;
}

static void drm_gpt_reclaim_slot(struct drm_gpt_gather *gather,
				 struct drm_gpt_table *parent, u32 i)
{
	struct drm_gpt_table *table;

	lockdep_assert_held(&parent->lock);
	table = drm_gpt_child(parent, i);
	/* A deposit is wanted as long as there is a leaf to split. */
	if (!table || test_bit(i, parent->live) ||
	    !drm_gpt_can_take_out(gather))
		return;
	drm_gpt_lock(table);
	if (drm_gpt_table_idle(table))
		drm_gpt_take_out(gather, parent, table);
	drm_gpt_unlock(table);
}

/* Takes idle tables of one level out, over [first, last]. Under RCU. */
static void drm_gpt_reclaim_level(struct drm_gpt_gather *gather,
				  struct drm_gpt_table *table, u8 level,
				  u64 first, u64 last)
{
	struct drm_gpt *gpt = table->gpt;
	u32 i, end = drm_gpt_index(gpt, table->level, last);

	for (i = drm_gpt_index(gpt, table->level, first); i <= end; i++) {
		struct drm_gpt_table *child = rcu_dereference(table->child[i]);

		if (!child)
			continue;
		if (child->level > level) {
			drm_gpt_reclaim_level(gather, child, level,
					      max(first, child->base),
					      min(last, drm_gpt_slot_last(table, i)));
			continue;
		}
		drm_gpt_lock(table);
		drm_gpt_reclaim_slot(gather, table, i);
		drm_gpt_unlock(table);
	}
}

/**
 * drm_gpt_reclaim() - take empty tables out
 * @gather: collects what has to be flushed, and the tables
 * @first: first byte, aligned to the smallest page
 * @last: last byte, of a page
 *
 * Tables that no mapping and no update needs, from the lowest level up. The
 * caller flushes and calls drm_gpt_gather_fini(). With commands,
 * drm_gpt_zap_reserve() has been called for the interval; where what is left of
 * that does not reach, tables stay for another time.
 *
 * Nothing mapped goes, so &drm_gpt_gather.zap_first and zap_last do not change.
 *
 * Context: atomic or not; takes table locks; for the length of the interval's
 * tables, under RCU.
 */
void drm_gpt_reclaim(struct drm_gpt_gather *gather, u64 first, u64 last)
{
	struct drm_gpt *gpt = gather->gpt;
	u8 level;

	if (WARN_ON_ONCE(!drm_gpt_range_ok(gpt, first, last)))
		return;
	guard(rcu)();
	for (level = 0; level < drm_gpt_top(gpt); level++)
		drm_gpt_reclaim_level(gather, gpt->root, level, first, last);
	drm_gpt_write_barrier(gpt);
}
EXPORT_SYMBOL_GPL(drm_gpt_reclaim);
