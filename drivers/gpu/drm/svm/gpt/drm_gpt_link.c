// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pointing the entry above at a table, again or for the first time. Before that
 * whatever the table still holds from an earlier life is cleared.
 */

#include "drm_gpt_internal.h"

/* Ring space to link all tables on the way to one of @level. */
u32 drm_gpt_link_words(struct drm_gpt *gpt, u8 level)
{
	u32 words = 0;
	u8 l;

	/* Split a large leaf or clear what is stale, then the entry above; a fence. */
	for (l = level; l < drm_gpt_top(gpt); l++)
		words += max(drm_gpt_seq_words(gpt, l, drm_gpt_entries(gpt, l)),
			     drm_gpt_words(gpt, DRM_GPT_RUN_FILL,
					   drm_gpt_entries(gpt, l))) +
			 drm_gpt_words(gpt, DRM_GPT_RUN_COPY, 1) +
			 (drm_gpt_has_beside(gpt, l) ?
				drm_gpt_unhint_words(gpt, l) : 0) +
			 drm_gpt_unhint_words(gpt, l + 1) +
			 gpt->cmd->fence_words;
	return words;
}

/* A number that none of the children has, so all of them are unlinked. */
static void drm_gpt_new_epoch(struct drm_gpt_table *table)
{
	struct drm_gpt_dir *dir = drm_gpt_dir(table);
	u32 i;

	lockdep_assert_held(&table->lock);
	if (!drm_gpt_nr_children(table) ||
	    drm_gpt_planted(DRM_GPT_PLANTED_NO_EPOCH))
		return;
	if (dir->epoch < DRM_GPT_UNLINKED - 1) {
		WRITE_ONCE(dir->epoch, dir->epoch + 1);
		return;
	}
	/* Once in four thousand million times they are told one by one. */
	for (i = 0; i < drm_gpt_size(table); i++) {
		struct drm_gpt_table *child = drm_gpt_child(table, i);

		if (!child)
			continue;
		drm_gpt_lock(child);
		WRITE_ONCE(child->link, DRM_GPT_UNLINKED);
		drm_gpt_unlock(child);
	}
	WRITE_ONCE(dir->epoch, 1);
}

/* Entries that may hold something: leaves, and of a directory all of them. */
static void drm_gpt_clear_stale(struct drm_gpt_table *table, u32 *credits)
{
	u32 entries = drm_gpt_size(table);
	u32 first = 0, last = entries - 1;

	/* As it was made, all empty. */
	if (table->link == DRM_GPT_NEVER_LINKED)
		return;
	if (!drm_gpt_nr_children(table)) {
		first = find_first_bit(drm_gpt_live(table), entries);
		if (first == entries)
			return;
		last = find_last_bit(drm_gpt_live(table), entries);
	}
	drm_gpt_new_epoch(table);
	drm_gpt_drop_beside(table, 0, entries, credits);
	drm_gpt_write_empty(table, first, last - first + 1, credits);
	drm_gpt_clear_bits(table, first, last - first + 1);
	atomic64_inc(&table->gpt->stats.relinks);
}

/* Fills a table with the large leaf that it takes the place of. */
static void drm_gpt_fill_split(struct drm_gpt_table *parent,
			       struct drm_gpt_table *table, u32 *credits)
{
	u64 leaf = drm_gpt_leaf_at(parent, table->index) & ~DRM_GPT_LEAF_HINT;
	u32 entries = drm_gpt_size(table);

	drm_gpt_new_epoch(table);
	drm_gpt_drop_beside(table, 0, entries, credits);
	drm_gpt_hint_forget(table, 0, entries);
	if (!drm_gpt_planted(DRM_GPT_PLANTED_SPLIT_EMPTY))
		drm_gpt_write_seq(table, 0, leaf, entries, credits);
	/*
	 * Until the fence the device has the large leaf, which says the same, but
	 * memory of the table has what was in it before: not for a lookup to read.
	 */
	if (table->gpt->cmd) {
		atomic64_set(&drm_gpt_side(table)->pending,
			     drm_gpt_fence(table->gpt, credits));
		/* Pairs with drm_gpt_has(). */
		smp_wmb();
	}
	drm_gpt_set_bits(table, 0, leaf, entries);
	drm_gpt_own(table, 0, entries, NULL, drm_gpt_owner_at(parent, table->index));
}

/*
 * Points the entry above here, whatever it held. Both are locked. Not where that
 * is a large leaf and the format wants it empty and flushed before.
 */
static bool drm_gpt_link(struct drm_gpt_table *parent,
			 struct drm_gpt_table *table, u32 *credits)
{
	bool huge = test_bit(table->index, drm_gpt_live(parent));

	lockdep_assert_held(&parent->lock);
	lockdep_assert_held(&table->lock);
	if (huge && !table->gpt->format->replace_ok)
		return false;
	if (drm_gpt_planted(DRM_GPT_PLANTED_LINK_EARLY)) {
		drm_gpt_write_child(parent, table->index, table, credits);
		WRITE_ONCE(table->link, drm_gpt_dir(parent)->epoch);
	}
	if (huge && drm_gpt_planted(DRM_GPT_PLANTED_SPLIT_EARLY))
		WRITE_ONCE(table->link, drm_gpt_dir(parent)->epoch);
	if (huge)
		drm_gpt_fill_split(parent, table, credits);
	else
		drm_gpt_clear_stale(table, credits);
	drm_gpt_unhint(parent, table->index, 1, credits);
	drm_gpt_write_child(parent, table->index, table, credits);
	/* Pairs with drm_gpt_find(): stale bits are gone before. */
	smp_store_release(&table->link, drm_gpt_dir(parent)->epoch);
	drm_gpt_mark_used(table);
	if (huge) {
		/* Pairs with drm_gpt_find(): not a large leaf, so a linked table. */
		smp_wmb();
		drm_gpt_clear_bits(parent, table->index, 1);
	}
	return true;
}

/* One step of the way down; leaves @table locked if it is the last. */
static bool drm_gpt_link_step(struct drm_gpt_table *table, bool last,
			      u32 *credits)
{
	struct drm_gpt_table *parent = table->parent;
	bool ok = true;

	drm_gpt_lock(parent);
	drm_gpt_lock(table);
	if (!drm_gpt_linked(table))
		ok = drm_gpt_link(parent, table, credits);
	drm_gpt_unlock(parent);
	if (!last || !ok)
		drm_gpt_unlock(table);
	return ok;
}

/*
 * Leaves the table locked, and linked as all above it are. Directories on the
 * way are linked one by one from the top; a zap that unlinks one of them again
 * meanwhile comes after the commit that we are part of, whatever that writes.
 * Return: false, and not locked, if a large leaf is in the way.
 */
bool drm_gpt_lock_linked(struct drm_gpt_table *table, u32 *credits)
{
	struct drm_gpt_table *way[DRM_GPT_MAX_LEVELS], *t;
	u32 n = 0;

	drm_gpt_lock(table);
	if (likely(drm_gpt_reachable(table))) {
		/*
		 * Who linked it may have come after a zap that found it not
		 * linked; then the caller's check sees what that zap's has set.
		 */
		smp_rmb();
		return true;
	}
	drm_gpt_unlock(table);

	for (t = table; t->parent; t = t->parent)
		way[n++] = t;
	while (n--)
		if (!drm_gpt_link_step(way[n], !n, credits))
			return false;
	/* Pairs with drm_gpt_zap(): it finds them linked, or we its caller's sign. */
	smp_mb();
	return true;
}
