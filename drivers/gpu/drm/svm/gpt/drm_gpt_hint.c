// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Groups of entries that say of themselves that they follow each other, so that
 * the device may keep one translation for all. The device may believe it as long
 * as one of them says so; a group therefore changes as a whole: what is written
 * over a part of it takes the hint from the rest first, and what is zapped is
 * widened to all of it. Where the format wants entries empty and flushed before
 * they become another size, no group is made of entries in use, and one that is
 * there is not written over but as a whole.
 *
 * Where a format has the hint in a table beside (&drm_gpt_level.beside), the
 * entries say all that they say without it, and what is beside them says the same
 * for a whole group, at every moment: it is written after them, and emptied before
 * any of them changes. To take a hint away is to empty one entry. A group is still
 * zapped whole, since the device may keep it as one. What is hinted is what is not
 * empty in memory, of tables that are not linked too.
 */

#include "drm_gpt_internal.h"

static u8 drm_gpt_hint_shift(const struct drm_gpt_table *table)
{
	return drm_gpt_level(table->gpt, table->level)->hint;
}

static bool drm_gpt_is_hinted(const struct drm_gpt_table *table, u32 i)
{
	u8 shift = drm_gpt_hint_shift(table);

	return shift && test_bit(i >> shift, drm_gpt_hinted(table));
}

/* May the group that begins with entry @i be written with the hint? */
bool drm_gpt_may_hint(const struct drm_gpt_table *table, u32 i)
{
	u32 end = i + (1U << drm_gpt_hint_shift(table));

	return table->gpt->format->replace_ok || drm_gpt_is_hinted(table, i) ||
	       find_next_bit(drm_gpt_live(table), end, i) == end;
}

/* The first entry, from @i to before @end, of a group with the hint; or @end. */
u32 drm_gpt_next_hinted(const struct drm_gpt_table *table, u32 i, u32 end)
{
	u8 shift = drm_gpt_hint_shift(table);
	u32 groups = ((end - 1) >> shift) + 1, group;

	group = find_next_bit(drm_gpt_hinted(table), groups, i >> shift);
	return group < groups ? group << shift : end;
}

/* @n entries, whole groups, from @i on have been written with the hint. */
void drm_gpt_hint_set(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n)
{
	u64 mask = drm_gpt_hint_mask(table->gpt, table->level);
	u8 shift = drm_gpt_hint_shift(table);
	u32 group = i >> shift, end = (i + n) >> shift;

	bitmap_set(drm_gpt_hinted(table), group, end - group);
	if (!table->gpt->cmd || table->level ||
	    drm_gpt_has_beside(table->gpt, table->level))
		return;
	for (; group < end; group++, leaf += mask + 1)
		drm_gpt_side(table)->known[group] = leaf;
}

/* The leaf of the group that begins with entry @i and is hinted, not beside. */
u64 drm_gpt_group_leaf(const struct drm_gpt_table *table, u32 i)
{
	if (table->gpt->cmd && !table->level)
		return drm_gpt_side(table)->known[i >> drm_gpt_hint_shift(table)];
	return drm_gpt_leaf_at(table, i);
}

static void drm_gpt_unhint_group(struct drm_gpt_table *table, u32 group,
				 u32 *credits)
{
	u8 shift = drm_gpt_hint_shift(table);
	u64 leaf = drm_gpt_group_leaf(table, group << shift) & ~DRM_GPT_LEAF_HINT;

	if (!drm_gpt_planted(DRM_GPT_PLANTED_NO_UNHINT))
		drm_gpt_write_seq(table, group << shift, leaf, 1U << shift,
				  credits);
	__clear_bit(group, drm_gpt_hinted(table));
}

/* Those that are hinted from @first, which is, to before @end: in one run. */
static void drm_gpt_unhint_beside(struct drm_gpt_table *table, u32 first, u32 end,
				  u32 *credits)
{
	u32 n = find_last_bit(drm_gpt_hinted(table), end) - first + 1;

	if (!drm_gpt_planted(DRM_GPT_PLANTED_NO_UNHINT))
		drm_gpt_write_beside(table, first, 0, n, credits);
	/* Before anything that they do not say. */
	drm_gpt_write_barrier(table->gpt);
	bitmap_clear(drm_gpt_hinted(table), first, n);
}

/* Ring space of drm_gpt_unhint() at one end; of all groups, if they are beside. */
u32 drm_gpt_unhint_words(struct drm_gpt *gpt, u8 level)
{
	u8 hint = drm_gpt_level(gpt, level)->hint;

	if (drm_gpt_has_beside(gpt, level))
		return max(drm_gpt_words(gpt, DRM_GPT_RUN_FILL, 1),
			   drm_gpt_words(gpt, DRM_GPT_RUN_FILL,
					 drm_gpt_groups(gpt, level)));
	return hint ? drm_gpt_seq_words(gpt, level, 1U << hint) : 0;
}

/* Entries @i to @i + @n are about to be written: the rest of their groups. */
void drm_gpt_unhint(struct drm_gpt_table *table, u32 i, u32 n, u32 *credits)
{
	u8 shift = drm_gpt_hint_shift(table);
	u32 last = i + n - 1, mask = (1U << shift) - 1;

	lockdep_assert_held(&table->lock);
	if (drm_gpt_has_beside(table->gpt, table->level)) {
		drm_gpt_unhint_all(table, i, n, credits);
		return;
	}
	/* Without: see drm_gpt_breaks_group(). */
	if (!shift || !table->gpt->format->replace_ok)
		return;
	if ((i & mask) && drm_gpt_is_hinted(table, i))
		drm_gpt_unhint_group(table, i >> shift, credits);
	if ((~last & mask) && drm_gpt_is_hinted(table, last))
		drm_gpt_unhint_group(table, last >> shift, credits);
	/* Those inside are written whole. */
	drm_gpt_hint_forget(table, i, n);
}

/* Those of groups @first, which is hinted, to before @end that are. */
void drm_gpt_unhint_groups(struct drm_gpt_table *table, u32 first, u32 end,
			   u32 *credits)
{
	u32 group = first;

	if (drm_gpt_has_beside(table->gpt, table->level)) {
		drm_gpt_unhint_beside(table, first, end, credits);
		return;
	}
	for (; group < end;
	     group = find_next_bit(drm_gpt_hinted(table), end, group + 1))
		drm_gpt_unhint_group(table, group, credits);
}

/* To the ends of groups that are hinted. */
void drm_gpt_hint_widen(const struct drm_gpt_table *table, u32 *first, u32 *last)
{
	u32 mask = (1U << drm_gpt_hint_shift(table)) - 1;

	if (drm_gpt_planted(DRM_GPT_PLANTED_NO_WIDEN))
		return;
	if (drm_gpt_is_hinted(table, *first))
		*first &= ~mask;
	if (drm_gpt_is_hinted(table, *last))
		*last |= mask;
}
