// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Taking tables out that nobody needs, to be freed after the flush that the
 * same gather asks for.
 */

#include <linux/export.h>

#include "drm_gpt_internal.h"

/*
 * Has the table nothing that counts? Both it and its parent are locked. One that
 * is found out of the device's reach stays so: who links what is above it makes
 * it unlinked by that, and who links it needs these locks.
 */
static bool drm_gpt_table_idle(struct drm_gpt_table *table)
{
	return !drm_gpt_nr_children(table) &&
	       (bitmap_empty(drm_gpt_live(table), drm_gpt_size(table)) ||
		!drm_gpt_reachable(table));
}

/*
 * Both locked, @table idle. It is reported even if it was not linked: a zap
 * that unlinked it may still be on its way to the flush, and the device in it.
 */
static void drm_gpt_take_out(struct drm_gpt_gather *gather,
			     struct drm_gpt_table *parent,
			     struct drm_gpt_table *table)
{
	u32 index = table->index;

	if (drm_gpt_linked(table))
		drm_gpt_write_empty(parent, index, 1,
				    drm_gpt_gather_credits(gather));
	drm_gpt_gather_flush(gather, table->base,
			     drm_gpt_slot_last(table, drm_gpt_size(table) - 1));
	drm_gpt_gather_directory(gather);
	WRITE_ONCE(table->link, DRM_GPT_UNLINKED);
	RCU_INIT_POINTER(parent->child[index], NULL);
	drm_gpt_dir(parent)->nr_children--;
	drm_gpt_mark_used(table);
	if (!drm_gpt_nr_children(parent))
		drm_gpt_mark_idle(parent);
	/* In place of its parent, of which a dead table has no use. */
	table->next = gather->tables;
	gather->tables = table;
}

/* Is there ring space to clear the entry above, and to flush after it? */
static bool drm_gpt_can_take_out(const struct drm_gpt_gather *gather)
{
	struct drm_gpt *gpt = gather->gpt;

	return !gpt->cmd || gather->dead ||
	       gather->credits >= drm_gpt_words(gpt, DRM_GPT_RUN_FILL, 1) +
				  gpt->cmd->flush_words;
}

/* A large leaf in the slot: the table below is kept for splitting it. */
static bool drm_gpt_is_deposit(struct drm_gpt_table *parent, u32 i)
{
	return test_bit(i, drm_gpt_live(parent)) && drm_gpt_reachable(parent);
}

/* Both locked, @table idle: unless somebody has it pinned, nobody will from now on. */
static bool drm_gpt_kill(struct drm_gpt_table *table)
{
	int unused = 0;

	return drm_gpt_planted(DRM_GPT_PLANTED_NO_PIN) ||
	       atomic_try_cmpxchg(&table->pins, &unused, DRM_GPT_DEAD);
}

/* @parent is locked. Return: whether the table in its slot @i was taken out. */
static bool drm_gpt_reclaim_slot(struct drm_gpt_gather *gather,
				 struct drm_gpt_table *parent, u32 i)
{
	struct drm_gpt_table *table = drm_gpt_child(parent, i);
	bool planted = drm_gpt_planted(DRM_GPT_PLANTED_IDLE_EARLY) && table &&
		       drm_gpt_table_idle(table);
	bool taken = false;

	if (!table || !drm_gpt_can_take_out(gather))
		return false;
	drm_gpt_lock(table);
	if (drm_gpt_is_deposit(parent, i) ||
	    (!planted && !drm_gpt_table_idle(table))) {
		drm_gpt_mark_used(table);
	} else if (drm_gpt_kill(table)) {
		drm_gpt_take_out(gather, parent, table);
		taken = true;
	} else {
		/* For another time. */
		drm_gpt_mark_idle(table);
	}
	drm_gpt_unlock(table);
	return taken;
}

/*
 * The one table of @level over @va, if it is idle. Under RCU.
 * Return: whether it was taken out.
 */
bool drm_gpt_reclaim_one(struct drm_gpt_gather *gather, u64 va, u8 level)
{
	struct drm_gpt *gpt = gather->gpt;
	struct drm_gpt_table *parent = drm_gpt_descend(gpt, va, level + 1);
	bool taken;

	if (parent->level != level + 1)
		return false;
	drm_gpt_lock(parent);
	/* A dead one has no children. */
	taken = drm_gpt_reclaim_slot(gather, parent,
				     drm_gpt_index(gpt, parent->level, va));
	drm_gpt_unlock(parent);
	return taken;
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
		/* A dead one has no children. */
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

	if (WARN_ON_ONCE(!drm_gpt_range_ok(gpt, first, last, 0)))
		return;
	rcu_read_lock();
	for (level = 0; level < drm_gpt_top(gpt); level++)
		drm_gpt_reclaim_level(gather, gpt->root, level, first, last);
	rcu_read_unlock();
	if (drm_gpt_planted(DRM_GPT_PLANTED_FREE_EARLY))
		drm_gpt_gather_free(gather);
	drm_gpt_write_barrier(gpt);
}
EXPORT_SYMBOL_GPL(drm_gpt_reclaim);
