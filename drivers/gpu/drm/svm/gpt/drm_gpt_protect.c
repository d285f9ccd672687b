// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Changing what is mapped without taking it away: fewer rights, larger leaves.
 */

#include <linux/export.h>

#include "drm_gpt_internal.h"

/* ---- protect --------------------------------------------------------------- */

/* Leaves as they stand, while nothing is on its way to the table. */
static bool drm_gpt_readable(const struct drm_gpt_table *table)
{
	struct drm_gpt *gpt = table->gpt;
	u64 pending;

	if (!gpt->cmd)
		return true;
	pending = atomic64_read(&drm_gpt_side(table)->pending);
	return table->cpu && (!pending || gpt->cmd->done(gpt, pending));
}

/* What an array cannot say: those of one group, which follow each other. */
static u32 drm_gpt_rewrite_group(struct drm_gpt_table *table, u32 i, u64 leaf,
				 u32 n, u32 *credits)
{
	u32 group = 1U << drm_gpt_level(table->gpt, table->level)->hint;

	n = min(n, group - (i & (group - 1)));
	drm_gpt_write_seq(table, i, leaf, n, credits);
	return n;
}

static u32 drm_gpt_rewrite_single(struct drm_gpt_table *table, u32 i,
				  const u64 *leaves, u32 n, u32 *credits)
{
	u32 k = 1;

	while (k < n && !(leaves[k] & DRM_GPT_LEAF_HINT))
		k++;
	drm_gpt_write_leaves(table, i, leaves, k, credits);
	return k;
}

static void drm_gpt_protect_run(struct drm_gpt_gather *gather,
				struct drm_gpt_table *table, u32 i, u32 n,
				u64 flags)
{
	u32 *credits = drm_gpt_gather_credits(gather);
	u64 leaves[DRM_GPT_CHUNK];
	u32 k;

	for (k = 0; k < n; k++)
		leaves[k] = drm_gpt_read(table, i + k) & ~flags;
	for (k = 0; k < n;)
		if (leaves[k] & DRM_GPT_LEAF_HINT)
			k += drm_gpt_rewrite_group(table, i + k, leaves[k], n - k,
						   credits);
		else
			k += drm_gpt_rewrite_single(table, i + k, leaves + k, n - k,
						    credits);
	drm_gpt_note_leaves(table, i, leaves, n);
}

/* Entries @lo to @hi of a table that is locked and linked. */
static void drm_gpt_protect_entries(struct drm_gpt_gather *gather,
				    struct drm_gpt_table *table, u32 lo, u32 hi,
				    u64 flags)
{
	unsigned long *live = drm_gpt_live(table);
	u32 i, end;

	drm_gpt_hint_widen(table, &lo, &hi);
	drm_gpt_drop_beside(table, lo, hi - lo + 1, drm_gpt_gather_credits(gather));
	for (i = find_next_bit(live, hi + 1, lo); i <= hi;
	     i = find_next_bit(live, hi + 1, end)) {
		end = find_next_zero_bit(live, hi + 1, i);
		end = min(end, i + DRM_GPT_CHUNK);
		drm_gpt_protect_run(gather, table, i, end - i, flags);
		drm_gpt_gather_flush(gather, drm_gpt_slot_first(table, i),
				     drm_gpt_slot_last(table, end - 1));
		for (; table->level && i < end; i++)
			drm_gpt_gather_deposit(gather, drm_gpt_child(table, i));
	}
}

/* Return: false if the table is not linked. */
static bool drm_gpt_protect_slots(struct drm_gpt_gather *gather,
				  struct drm_gpt_table *table, u32 lo, u32 hi,
				  u64 flags)
{
	bool linked;

	drm_gpt_lock(table);
	linked = drm_gpt_alive(table) && drm_gpt_linked(table);
	if (linked)
		drm_gpt_protect_entries(gather, table, lo, hi, flags);
	drm_gpt_unlock(table);
	return linked;
}

/*
 * Slot @i of a lowest directory again, where the table below was promoted after we
 * had been here. Split again or not: neither happens while we hold the directory.
 */
static void drm_gpt_protect_promoted(struct drm_gpt_gather *gather,
				     struct drm_gpt_table *parent, u32 i, u64 first,
				     u64 last, u64 flags)
{
	struct drm_gpt *gpt = parent->gpt;
	struct drm_gpt_table *child;

	drm_gpt_lock(parent);
	if (drm_gpt_alive(parent) && drm_gpt_reachable(parent)) {
		drm_gpt_protect_entries(gather, parent, i, i, flags);
		child = drm_gpt_child(parent, i);
		if (child)
			drm_gpt_protect_slots(gather, child,
					      drm_gpt_index(gpt, 0, first),
					      drm_gpt_index(gpt, 0, last), flags);
	}
	drm_gpt_unlock(parent);
}

/* Return: as drm_gpt_protect_slots(). */
static bool drm_gpt_protect_table(struct drm_gpt_gather *gather,
				  struct drm_gpt_table *table, u64 first,
				  u64 last, u64 flags)
{
	struct drm_gpt *gpt = table->gpt;
	u32 lo = drm_gpt_index(gpt, table->level, first), i;
	u32 hi = drm_gpt_index(gpt, table->level, last);
	bool linked = drm_gpt_protect_slots(gather, table, lo, hi, flags);

	for (i = lo; table->level && i <= hi; i++) {
		struct drm_gpt_table *child = rcu_dereference(table->child[i]);
		u64 from = max(first, drm_gpt_slot_first(table, i));
		u64 to = min(last, drm_gpt_slot_last(table, i));

		if (!child || drm_gpt_protect_table(gather, child, from, to, flags))
			continue;
		/* As in drm_gpt_zap_promoted(). */
		if (table->level == 1)
			drm_gpt_protect_promoted(gather, table, i, from, to, flags);
		else
			drm_gpt_protect_slots(gather, table, i, i, flags);
	}
	return linked;
}

/**
 * drm_gpt_protect() - take rights away from what is mapped
 * @gather: collects what has to be flushed
 * @first: first byte, aligned to the smallest page
 * @last: last byte, of a page
 * @flags: %DRM_GPT_LEAF_WRITE, %DRM_GPT_LEAF_ATOMIC or both
 *
 * Large leaves and hint groups lose them whole. To give rights is a commit's.
 *
 * Only for tables that the CPU writes: commands know no "all but this bit", and
 * what they have not written yet cannot be read. There drm_gpt_zap() does
 * instead; the device faults and finds less.
 *
 * Context: atomic or not; takes table locks; allocates and frees nothing.
 */
void drm_gpt_protect(struct drm_gpt_gather *gather, u64 first, u64 last,
		     u64 flags)
{
	struct drm_gpt *gpt = gather->gpt;

	flags &= DRM_GPT_LEAF_WRITE | DRM_GPT_LEAF_ATOMIC;
	if (WARN_ON_ONCE(!drm_gpt_range_ok(gpt, first, last, 0)) || !flags)
		return;
	if (gpt->cmd) {
		drm_gpt_zap(gather, first, last);
		return;
	}
	/* Pairs as in drm_gpt_zap(). */
	smp_mb();
	rcu_read_lock();
	drm_gpt_protect_table(gather, gpt->root, first, last, flags);
	rcu_read_unlock();
	drm_gpt_write_barrier(gpt);
}
EXPORT_SYMBOL_GPL(drm_gpt_protect);

/* ---- promote --------------------------------------------------------------- */

/* The leaf that says what a lowest table says with all of its entries, or 0. */
static u64 drm_gpt_promoted(const struct drm_gpt_table *table)
{
	u64 step = drm_gpt_entry_mask(table->gpt, table->level) + 1;
	u32 entries = drm_gpt_size(table), i;
	u64 leaf, next;

	if (!bitmap_full(drm_gpt_live(table), entries) ||
	    !drm_gpt_readable(table))
		return 0;
	leaf = drm_gpt_read(table, 0) & ~DRM_GPT_LEAF_HINT;
	if (leaf & DRM_GPT_LEAF_ADDR &
	    drm_gpt_entry_mask(table->gpt, table->level + 1))
		return 0;
	for (i = 1, next = leaf + step; i < entries; i++, next += step)
		if ((drm_gpt_read(table, i) & ~DRM_GPT_LEAF_HINT) != next)
			return 0;
	return leaf;
}

/* Both locked, the table linked. */
static bool drm_gpt_promote_table(struct drm_gpt_gather *gather,
				  struct drm_gpt_table *parent,
				  struct drm_gpt_table *table)
{
	u32 *credits = drm_gpt_gather_credits(gather);
	u64 leaf = drm_gpt_promoted(table);
	u32 index = table->index;
	u8 owner = drm_gpt_owner_all(table);

	if (drm_gpt_planted(DRM_GPT_PLANTED_JOIN_OWNERS))
		owner %= DRM_GPT_OWNER_ANY;
	/* Of two owners; or nobody has prepared to tell them apart above. */
	if (!leaf || owner == DRM_GPT_OWNER_ANY || !drm_gpt_may_own(parent, owner))
		return false;
	drm_gpt_write_seq(parent, index, leaf, 1, credits);
	/*
	 * A lookup finds the leaf or the table, and they say the same. Pairs with
	 * drm_gpt_find(): the entry, its bit, and only then no table.
	 */
	smp_wmb();
	drm_gpt_set_bits(parent, index, leaf, 1);
	drm_gpt_own(parent, index, 1, NULL, owner);
	/* As said above. */
	smp_store_release(&table->link, DRM_GPT_UNLINKED);
	drm_gpt_gather_flush(gather, table->base, drm_gpt_slot_last(parent, index));
	drm_gpt_gather_directory(gather);
	return true;
}

/**
 * drm_gpt_promote() - one large leaf for a table whose leaves follow each other
 * @gather: collects what has to be flushed
 * @va: an address that the table covers
 *
 * For memory that became contiguous page by page. What is mapped stays so at
 * every moment, for the device and for lookups; the table stays as deposit.
 * Only for formats that are &drm_gpt_format.replace_ok, where lowest directories
 * may hold leaves, and not while commands to the table are pending. With
 * commands drm_gpt_zap_reserve() has been called for what the table covers.
 *
 * Context: atomic or not; takes table locks; allocates and frees nothing.
 * Return: whether there is a large leaf now that was not there before.
 */
bool drm_gpt_promote(struct drm_gpt_gather *gather, u64 va)
{
	struct drm_gpt *gpt = gather->gpt;
	struct drm_gpt_table *parent, *table;
	bool done = false;

	if (va > drm_gpt_last(gpt) || !gpt->format->replace_ok ||
	    !drm_gpt_level(gpt, 1)->leaf || gather->dead)
		return false;
	guard(rcu)();
	parent = drm_gpt_descend(gpt, va, 1);
	if (parent->level != 1)
		return false;
	drm_gpt_lock(parent);
	table = drm_gpt_child(parent, drm_gpt_index(gpt, 1, va));
	if (table) {
		drm_gpt_lock(table);
		/* What the device cannot reach is stale. */
		if (drm_gpt_reachable(table) ||
		    (drm_gpt_planted(DRM_GPT_PLANTED_STALE_PROMOTE) &&
		     drm_gpt_linked(table)))
			done = drm_gpt_promote_table(gather, parent, table);
		drm_gpt_unlock(table);
	}
	drm_gpt_unlock(parent);
	drm_gpt_write_barrier(gpt);
	return done;
}
EXPORT_SYMBOL_GPL(drm_gpt_promote);
