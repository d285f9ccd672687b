// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Whose leaves they are. Two may share a page table: one whose mappings are taken
 * away as the CPU's change, and one who maps what must stay, such as buffers. A zap
 * for one of them leaves those of the other alone, to the page.
 *
 * A table of one owner has a flag. A bit for each entry comes only where both have
 * come in the life of the table, and is made by prepare, since nothing else
 * allocates: a table, and the one above in which a large leaf may stand in its
 * place. That somebody comes is noted in all directories above too, before the
 * first leaf is written, each under its lock; so a zap that finds a directory to
 * which the other never came, under that lock, may unlink it as a whole, and whoever
 * comes later finds it unlinked. What is noted stays as long as the table.
 *
 * A large leaf or a group is written whole by one commit, so it has one owner; only
 * promotion could join two, and does not.
 */

#include <linux/slab.h>

#include "drm_gpt_internal.h"

static bool drm_gpt_wants_owners(const struct drm_gpt_table *table, u8 state)
{
	return (state & DRM_GPT_CAME_BOTH) == DRM_GPT_CAME_BOTH &&
	       !(state & DRM_GPT_OWNERS) &&
	       drm_gpt_level(table->gpt, table->level)->leaf;
}

/* @owners, if they are wanted, take over what is known of the leaves. */
static void drm_gpt_owner_note(struct drm_gpt_table *table, u8 owner,
			       struct drm_gpt_owners **owners)
{
	u8 state;

	drm_gpt_lock(table);
	state = table->state | DRM_GPT_CAME(owner);
	if (*owners && drm_gpt_wants_owners(table, state)) {
		if (state & DRM_GPT_OWNED_BY_1)
			bitmap_fill((*owners)->bits, drm_gpt_size(table));
		(*owners)->priv = table->priv;
		table->owners = *owners;
		state |= DRM_GPT_OWNERS;
		*owners = NULL;
	}
	WRITE_ONCE(table->state, state);
	drm_gpt_unlock(table);
}

/* One table. May have to be done again: the other may have come meanwhile. */
static int drm_gpt_owner_come_to(struct drm_gpt_table *table, u8 owner, bool bits,
				 gfp_t gfp)
{
	struct drm_gpt_owners *owners = NULL;

	do {
		if (bits && drm_gpt_wants_owners(table, READ_ONCE(table->state) |
							DRM_GPT_CAME(owner))) {
			owners = kzalloc_flex(*owners, bits,
					      BITS_TO_LONGS(drm_gpt_size(table)), gfp);
			if (!owners)
				return -ENOMEM;
		}
		drm_gpt_owner_note(table, owner, &owners);
		kfree(owners);
		owners = NULL;
	} while (bits && drm_gpt_wants_owners(table, READ_ONCE(table->state)));
	return 0;
}

/* The table itself is last: who finds it noted there knows the rest. */
int drm_gpt_owner_come_first(struct drm_gpt_table *table, u8 owner, gfp_t gfp)
{
	u8 state = READ_ONCE(table->state);
	struct drm_gpt_table *t;
	int ret;

	if ((state & DRM_GPT_CAME(owner)) && !drm_gpt_wants_owners(table, state))
		return 0;
	for (t = table->parent; t; t = t->parent) {
		ret = drm_gpt_owner_come_to(t, owner, t == table->parent, gfp);
		if (ret)
			return ret;
	}
	return drm_gpt_owner_come_to(table, owner, true, gfp);
}

/* As drm_gpt_own() where they are not all his, or nobody knows whose each is. */
void drm_gpt_own_otherwise(struct drm_gpt_table *table, u32 i, u32 n,
			   const u64 *leaves, u8 owner)
{
	unsigned long *owners = drm_gpt_owners(table);
	u32 k;

	lockdep_assert_held(&table->lock);
	if (!owners) {
		WRITE_ONCE(table->state, table->state ^ DRM_GPT_OWNED_BY_1);
		return;
	}
	for (k = 0; k < n; k++)
		if (!leaves || (leaves[k] & DRM_GPT_LEAF_VALID))
			__assign_bit(i + k, owners, owner);
}

/* Whose all live leaves of a table are; %DRM_GPT_OWNER_ANY if of both. */
u8 drm_gpt_owner_all(const struct drm_gpt_table *table)
{
	const unsigned long *owners = drm_gpt_owners(table), *live = drm_gpt_live(table);
	u32 size = drm_gpt_size(table);

	lockdep_assert_held(&table->lock);
	if (!owners)
		return !!(table->state & DRM_GPT_OWNED_BY_1);
	if (!bitmap_intersects(live, owners, size))
		return 0;
	return bitmap_subset(live, owners, size) ? 1 : DRM_GPT_OWNER_ANY;
}

/* Has the table no leaf of another than @owner? */
bool drm_gpt_owner_only(const struct drm_gpt_table *table, u8 owner)
{
	return bitmap_empty(drm_gpt_live(table), drm_gpt_size(table)) ||
	       drm_gpt_owner_all(table) == owner;
}

/*
 * The next run of live leaves of @owner from *@i to before @end; with holes in it, but
 * none of the other's. Return: how many entries, 0 if there are none.
 */
u32 drm_gpt_owner_run(const struct drm_gpt_table *table, u32 *i, u32 end, u8 owner)
{
	const unsigned long *live = drm_gpt_live(table);
	u32 k, last;

	for (k = find_next_bit(live, end, *i);
	     k < end && drm_gpt_owner_at(table, k) != owner;
	     k = find_next_bit(live, end, k + 1))
		;
	if (k >= end)
		return 0;
	*i = k;
	for (last = k; k < end && drm_gpt_owner_at(table, k) == owner;
	     k = find_next_bit(live, end, k + 1))
		last = k;
	return last - *i + 1;
}
