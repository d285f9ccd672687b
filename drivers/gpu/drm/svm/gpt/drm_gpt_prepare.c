// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Prepare takes everything that could be missing, so that commit, in its
 * caller's critical section, has nothing left to fail with.
 */

#include <linux/export.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "drm_gpt_internal.h"

static void drm_gpt_unpin(struct drm_gpt_table *table)
{
	/* Pairs with drm_gpt_kill(): we are done with it. */
	(void)atomic_dec_return_release(&table->pins);
}

/* The table of @level over @va, pinned, or none; then @below says what is. */
static struct drm_gpt_table *drm_gpt_try_pin(struct drm_gpt *gpt, u64 va,
					     u8 level, u8 *below)
{
	struct drm_gpt_table *table;

	guard(rcu)();
	table = drm_gpt_descend(gpt, va, level);
	*below = table->level;
	/*
	 * A full barrier, which pairs with the one in drm_gpt_zap(): that finds
	 * the table, or the commit its caller's sign.
	 */
	if (table->level == level && atomic_inc_unless_negative(&table->pins))
		return table;
	return NULL;
}

/* Puts @child in, unless somebody else has. @parent is pinned. */
static bool drm_gpt_insert(struct drm_gpt_table *parent,
			   struct drm_gpt_table *child, u32 index)
{
	bool won;

	drm_gpt_lock(parent);
	won = !drm_gpt_child(parent, index);
	if (won) {
		child->parent = parent;
		child->index = index;
		/* Until a commit links it. Nobody has it yet: no lock. */
		drm_gpt_mark_idle(child);
		if (drm_gpt_linked(parent))
			drm_gpt_mark_used(parent);
		drm_gpt_dir(parent)->nr_children++;
		rcu_assign_pointer(parent->child[index], child);
	}
	drm_gpt_unlock(parent);
	return won;
}

/*
 * Makes one table, below the lowest that covers @va. It is not linked: that is
 * for the commit that has something to put into it. The directory is pinned
 * meanwhile, or reclaim that our own allocation causes could take it, and the
 * next one that is made in its place, for ever.
 */
static int drm_gpt_grow(struct drm_gpt *gpt, u64 va, u8 level, gfp_t gfp)
{
	struct drm_gpt_table *parent, *child;
	u8 found;

	parent = drm_gpt_try_pin(gpt, va, level + 1, &found);
	if (!parent) {
		/* Being reclaimed, or another has made one before it. */
		cond_resched();
		return 0;
	}
	child = drm_gpt_table_make(gpt, level, va, gfp);
	if (IS_ERR(child)) {
		drm_gpt_unpin(parent);
		return PTR_ERR(child);
	}
	if (!drm_gpt_insert(parent, child,
			    drm_gpt_index(gpt, parent->level, va)))
		drm_gpt_table_free(child);
	drm_gpt_unpin(parent);
	return 0;
}

static struct drm_gpt_table *drm_gpt_pin(struct drm_gpt *gpt, u64 va, u8 level,
					 gfp_t gfp)
{
	struct drm_gpt_table *table;
	u8 found;
	int ret;

	for (;;) {
		table = drm_gpt_try_pin(gpt, va, level, &found);
		if (likely(table))
			return table;
		if (found == level) {
			/* Being reclaimed: it goes as soon as its lock does. */
			cond_resched();
			continue;
		}
		ret = drm_gpt_grow(gpt, va, found - 1, gfp);
		if (ret)
			return ERR_PTR(ret);
	}
}

static void drm_gpt_unpin_all(struct drm_gpt_update *up)
{
	u32 k;

	for (k = 0; k < up->nr_pinned; k++)
		drm_gpt_unpin(up->pinned[k]);
	if (up->pinned != up->few)
		kvfree(up->pinned);
	up->nr_pinned = 0;
	up->pinned = up->few;
}

static int drm_gpt_pin_all(struct drm_gpt_update *up, u32 nr, gfp_t gfp)
{
	u64 mask = drm_gpt_table_mask(up->gpt, up->level), va = up->first;
	struct drm_gpt_table *table;
	int ret;

	for (; nr; nr--, va = (va | mask) + 1) {
		table = drm_gpt_pin(up->gpt, va, up->level, gfp);
		if (IS_ERR(table))
			return PTR_ERR(table);
		up->pinned[up->nr_pinned++] = table;
		ret = drm_gpt_owner_come(table, up->owner, gfp);
		if (ret)
			return ret;
		if (unlikely(up->nr_pinned % 64 == 0))
			cond_resched();
	}
	return 0;
}

static u32 drm_gpt_beside_words(struct drm_gpt *gpt, u8 level)
{
	u32 groups = drm_gpt_groups(gpt, level);

	if (!drm_gpt_has_beside(gpt, level))
		return 0;
	/* Every other group by itself, or all of them. */
	return max(drm_gpt_words(gpt, DRM_GPT_RUN_SEQ, 1) * groups,
		   drm_gpt_words(gpt, DRM_GPT_RUN_SEQ, groups));
}

/*
 * Ring space for one table in the worst case: link it and what is above, take
 * hints away, every other entry a run of its own or all of them one, what is
 * beside, fence. And the same for the level above, where a large leaf goes.
 */
static u32 drm_gpt_commit_words(struct drm_gpt *gpt, u8 level)
{
	u32 half = drm_gpt_entries(gpt, level) / 2;
	u32 one = max(drm_gpt_words(gpt, DRM_GPT_RUN_COPY, 1),
		      drm_gpt_seq_words(gpt, level, 3));
	u32 chunks = DIV_ROUND_UP(drm_gpt_entries(gpt, level), DRM_GPT_CHUNK);
	u8 above = min(level + 1, drm_gpt_top(gpt));

	return drm_gpt_link_words(gpt, level) +
	       drm_gpt_unhint_words(gpt, level) *
			(drm_gpt_groups(gpt, level) + 2) +
	       drm_gpt_unhint_words(gpt, above) * 2 +
	       drm_gpt_beside_words(gpt, level) +
	       /* A run needs two entries, or ends at the border of a group. */
	       one * (half + drm_gpt_groups(gpt, level) + 2) +
	       drm_gpt_words(gpt, DRM_GPT_RUN_COPY, DRM_GPT_CHUNK) * chunks +
	       gpt->cmd->fence_words;
}

/**
 * drm_gpt_reserve() - take ring space for commits
 * @up: its tables are pinned, and it has no space
 *
 * Context: may sleep; the caller has no space of another update or gather.
 * Return: 0, -EINVAL, -ENODEV.
 */
int drm_gpt_reserve(struct drm_gpt_update *up)
{
	struct drm_gpt *gpt = up->gpt;
	u64 words;
	int ret;

	if (!gpt->cmd)
		return 0;
	words = (u64)drm_gpt_commit_words(gpt, up->level) * up->nr_pinned;
	if (words > U32_MAX)
		return -EINVAL;
	ret = gpt->cmd->reserve(gpt, words, false, true);
	if (ret)
		return ret;
	up->credits = words;
	up->fenced = words;
	return 0;
}

/**
 * drm_gpt_unreserve() - give it back, before something is waited for
 * @up: update; its tables stay pinned
 *
 * Context: any.
 */
void drm_gpt_unreserve(struct drm_gpt_update *up)
{
	if (up->credits)
		up->gpt->cmd->release(up->gpt, up->credits);
	up->credits = 0;
}

static int drm_gpt_room_for_pins(struct drm_gpt_update *up, u32 nr, gfp_t gfp)
{
	up->nr_pinned = 0;
	up->pinned = up->few;
	if (likely(nr <= ARRAY_SIZE(up->few)))
		return 0;
	up->pinned = kvmalloc_array(nr, sizeof(*up->pinned), gfp);
	return up->pinned ? 0 : -ENOMEM;
}

/**
 * drm_gpt_prepare_owner() - take what an update may need
 * @gpt: page table
 * @up: the caller's, until drm_gpt_finish()
 * @first: first byte that may be committed, aligned to @level's pages
 * @last: last byte that may be committed, of a page
 * @level: 0 for the smallest pages; above, commits speak of larger ones, and no
 *	table below @level is made
 * @owner: whose leaves will be committed
 * @gfp: how to allocate
 *
 * Makes missing tables and keeps all over the interval from reclaim, and takes
 * ring space for commits to each of them once. Tables that were made stay when
 * it fails, empty, for the next who needs them or drm_gpt_reclaim().
 *
 * Context: may sleep.
 * Return: 0; -EINVAL for an interval that is empty, unaligned, out of the
 * format's reach or too long for ring space to be counted, or if entries of
 * @level map nothing; -ENOMEM; -ENODEV if the command ring is dead. Then nothing
 * is held.
 */
int drm_gpt_prepare_owner(struct drm_gpt *gpt, struct drm_gpt_update *up, u64 first,
			  u64 last, u8 level, enum drm_gpt_owner owner, gfp_t gfp)
{
	u64 nr;
	int ret;

	might_sleep();
	if (!drm_gpt_range_ok(gpt, first, last, level) || owner > DRM_GPT_OWNER_CLAIMED)
		return -EINVAL;
	nr = drm_gpt_table_number(gpt, level, last) -
	     drm_gpt_table_number(gpt, level, first) + 1;
	if (drm_gpt_planted(DRM_GPT_PLANTED_STRADDLE))
		nr = drm_gpt_table_number(gpt, level, last - first) + 1;
	if (nr > U32_MAX)
		return -EINVAL;

	up->gpt = gpt;
	up->first = first;
	up->last = last;
	up->seq = 0;
	up->credits = 0;
	up->fenced = 0;
	up->done = 0;
	up->level = level;
	up->owner = owner;
	ret = drm_gpt_room_for_pins(up, nr, gfp);
	if (ret)
		return ret;
	ret = drm_gpt_pin_all(up, nr, gfp);
	if (!ret)
		ret = drm_gpt_reserve(up);
	if (ret && up->nr_pinned && drm_gpt_planted(DRM_GPT_PLANTED_WRONG_UNDO))
		up->nr_pinned--;
	if (ret)
		drm_gpt_unpin_all(up);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpt_prepare_owner);

/**
 * drm_gpt_prepare() - the same for who does not share the table
 * @gpt: page table
 * @up: the caller's, until drm_gpt_finish()
 * @first: first byte that may be committed, aligned to @level's pages
 * @last: last byte that may be committed, of a page
 * @level: as for drm_gpt_prepare_owner()
 * @gfp: how to allocate
 *
 * For %DRM_GPT_OWNER_MIRROR.
 *
 * Context: may sleep.
 * Return: as drm_gpt_prepare_owner().
 */
int drm_gpt_prepare(struct drm_gpt *gpt, struct drm_gpt_update *up,
		    u64 first, u64 last, u8 level, gfp_t gfp)
{
	return drm_gpt_prepare_owner(gpt, up, first, last, level, DRM_GPT_OWNER_MIRROR,
				     gfp);
}
EXPORT_SYMBOL_GPL(drm_gpt_prepare);

/**
 * drm_gpt_update_fence() - what to wait for before the device is told
 * @up: after its commits
 *
 * The ring runs in order, so this covers tables too that others have linked
 * above ours and whose commands were recorded before.
 *
 * Context: any.
 * Return: a fence for drm_gpt_wait(), 0 if the CPU wrote the tables.
 */
u64 drm_gpt_update_fence(struct drm_gpt_update *up)
{
	return up->seq;
}
EXPORT_SYMBOL_GPL(drm_gpt_update_fence);

/**
 * drm_gpt_finish() - end an update
 * @up: prepared, committed or not
 *
 * Context: process; atomic too if the interval fell into no more than
 * %DRM_GPT_UPDATE_INLINE tables.
 */
void drm_gpt_finish(struct drm_gpt_update *up)
{
	drm_gpt_unpin_all(up);
	drm_gpt_unreserve(up);
}
EXPORT_SYMBOL_GPL(drm_gpt_finish);
