// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Taking what is large apart at an address, so that who unmaps up to there takes
 * his own and nothing of his neighbour's: zaps take large leaves and groups whole.
 *
 * Where entries may be replaced in one store that is what a commit of a small page
 * would do to get a table of small ones: fill it, point to it, take hints away. The
 * device finds the same at every moment. Else the leaf or group is taken out, with
 * a flush, and written again in pieces; all that can fail comes before that, but
 * the flush. In between the device faults.
 *
 * What is mapped there belongs to the caller, as for any update: nobody maps it
 * otherwise or takes it away meanwhile.
 */

#include <linux/export.h>
#include <linux/kernel.h>

#include "drm_gpt_internal.h"

/**
 * struct drm_gpt_crossing - a leaf or group that an address cuts
 * @first: its first byte
 * @last: its last byte
 * @leaf: the leaf of @first, without the hint; where it is written again
 * @level: level of its entries
 * @owner: whose it is
 */
struct drm_gpt_crossing {
	u64 first;
	u64 last;
	u64 leaf;
	u8 level;
	u8 owner;
};

/* Of a table that is locked; what is live at entry @i. */
static bool drm_gpt_crosses_in(struct drm_gpt_table *table, u32 i, u64 addr,
			       struct drm_gpt_crossing *c)
{
	u32 lo = i, hi = i;

	drm_gpt_hint_widen(table, &lo, &hi);
	c->first = drm_gpt_slot_first(table, lo);
	c->last = drm_gpt_slot_last(table, hi);
	c->level = table->level;
	c->owner = drm_gpt_owner_at(table, i);
	if (c->first == addr)
		return false;
	if (!table->gpt->format->replace_ok)
		c->leaf = (lo == hi ? drm_gpt_leaf_at(table, lo) :
				      drm_gpt_group_leaf(table, lo)) &
			  ~DRM_GPT_LEAF_HINT;
	return true;
}

static bool drm_gpt_crosses(struct drm_gpt *gpt, u64 addr,
			    struct drm_gpt_crossing *c)
{
	struct drm_gpt_table *table;
	bool crosses = false;
	u32 i;

	guard(rcu)();
	table = drm_gpt_find(gpt, addr, &i);
	drm_gpt_lock(table);
	if (drm_gpt_alive(table) && test_bit(i, drm_gpt_live(table)))
		crosses = drm_gpt_crosses_in(table, i, addr, c);
	drm_gpt_unlock(table);
	return crosses;
}

/* The highest level that maps pages of which one begins at @addr. */
static u8 drm_gpt_level_of(const struct drm_gpt *gpt, u64 addr)
{
	u8 level;

	for (level = drm_gpt_top(gpt); level; level--)
		if (drm_gpt_level(gpt, level)->leaf &&
		    !(addr & drm_gpt_entry_mask(gpt, level)))
			break;
	return level;
}

/* A table whose entry begins at @addr is linked, which splits what is above. */
static int drm_gpt_split_in_place(struct drm_gpt *gpt, u64 addr, u8 owner, gfp_t gfp)
{
	u8 level = drm_gpt_level_of(gpt, addr);
	struct drm_gpt_table *table;
	struct drm_gpt_update up;
	int ret;

	ret = drm_gpt_prepare_owner(gpt, &up, addr,
				    addr + drm_gpt_entry_mask(gpt, level), level, owner,
				    gfp);
	if (ret)
		return ret;
	table = up.pinned[0];
	/* Nothing is in the way where entries may be replaced. */
	drm_gpt_lock_linked(table, &up.credits);
	if (!drm_gpt_planted(DRM_GPT_PLANTED_SPLIT_HINT))
		drm_gpt_unhint(table, drm_gpt_index(gpt, level, addr), 1, &up.credits);
	drm_gpt_fence_table(&up, table);
	drm_gpt_mark_if_empty(table);
	drm_gpt_unlock(table);
	drm_gpt_finish(&up);
	return drm_gpt_wait(gpt, up.seq);
}

/* ---- break before make ------------------------------------------------------ */

/*
 * Tables are made and kept for all of it first. Ring space is not: while it is waited
 * for, or a flush is, nothing else may be held that others wait for. So each step takes
 * its own; what can go wrong then is a ring that is dead.
 */

/**
 * struct drm_gpt_pieces - how a leaf or group is written again
 * @nr: levels that take part
 * @up: an update for each, from the highest: on each but the last level the entry
 *	over the address is left to the next
 */
struct drm_gpt_pieces {
	u32 nr;
	struct drm_gpt_update up[DRM_GPT_MAX_LEVELS];
};

static void drm_gpt_pieces_finish(struct drm_gpt_pieces *pieces)
{
	while (pieces->nr)
		drm_gpt_finish(&pieces->up[--pieces->nr]);
}

static int drm_gpt_pieces_prepare(struct drm_gpt *gpt, u64 addr,
				  const struct drm_gpt_crossing *c,
				  struct drm_gpt_pieces *pieces, gfp_t gfp)
{
	u64 first = c->first, last = c->last, mask;
	u8 end = drm_gpt_level_of(gpt, addr), level;
	int ret;

	pieces->nr = 0;
	for (level = c->level; ; level--) {
		if (!drm_gpt_level(gpt, level)->leaf)
			continue;
		ret = drm_gpt_prepare_owner(gpt, &pieces->up[pieces->nr], first, last,
					    level, c->owner, gfp);
		if (ret) {
			drm_gpt_pieces_finish(pieces);
			return ret;
		}
		drm_gpt_unreserve(&pieces->up[pieces->nr++]);
		if (level == end)
			return 0;
		mask = drm_gpt_entry_mask(gpt, level);
		first = addr & ~mask;
		last = addr | mask;
	}
}

/* From @first to before @end, if there is anything. */
static int drm_gpt_piece_commit(struct drm_gpt_update *up, u64 first, u64 end,
				u64 leaf)
{
	u8 shift = drm_gpt_level(up->gpt, up->level)->shift;

	if (first == end)
		return 0;
	return drm_gpt_commit_seq(up, first, leaf, (end - first) >> shift, NULL, NULL);
}

/* What is left of the address, and what is right of it or of the entry over it. */
static int drm_gpt_pieces_commit(u64 addr, const struct drm_gpt_crossing *c,
				 struct drm_gpt_pieces *pieces)
{
	u64 seq = 0, lo = addr, hi = addr, mask;
	struct drm_gpt_update *up;
	int ret = 0;
	u32 k;

	for (k = 0; !ret && k < pieces->nr; k++) {
		up = &pieces->up[k];
		mask = drm_gpt_entry_mask(up->gpt, up->level);
		lo = addr;
		hi = addr;
		if (k + 1 < pieces->nr) {
			lo = addr & ~mask;
			hi = (addr | mask) + 1;
		}
		ret = drm_gpt_reserve(up);
		if (!ret)
			ret = drm_gpt_piece_commit(up, up->first, lo,
						   c->leaf + (up->first - c->first));
		if (!ret)
			ret = drm_gpt_piece_commit(up, hi, up->last + 1,
						   c->leaf + (hi - c->first));
		drm_gpt_unreserve(up);
		seq = max(seq, up->seq);
	}
	up = &pieces->up[0];
	return ret ?: drm_gpt_wait(up->gpt, seq);
}

/* The whole of it goes, whatever page of it is asked for. */
static int drm_gpt_break(struct drm_gpt *gpt, u64 addr, drm_gpt_flush_fn flush)
{
	u64 last = addr | drm_gpt_entry_mask(gpt, 0);
	struct drm_gpt_gather gather;
	int ret;

	drm_gpt_gather_init(&gather, gpt);
	ret = drm_gpt_zap_reserve(&gather, addr, last, true);
	if (!ret) {
		drm_gpt_zap(&gather, addr, last);
		ret = flush(gpt, &gather);
	}
	drm_gpt_gather_fini(&gather);
	return ret;
}

static int drm_gpt_break_and_make(struct drm_gpt *gpt, u64 addr,
				  const struct drm_gpt_crossing *c,
				  drm_gpt_flush_fn flush, gfp_t gfp)
{
	struct drm_gpt_pieces pieces;
	int ret;

	ret = drm_gpt_pieces_prepare(gpt, addr, c, &pieces, gfp);
	if (ret)
		return ret;
	ret = drm_gpt_break(gpt, addr, flush);
	if (!ret)
		ret = drm_gpt_pieces_commit(addr, c, &pieces);
	drm_gpt_pieces_finish(&pieces);
	return ret;
}

/**
 * drm_gpt_split() - no leaf and no group goes across an address
 * @gpt: page table
 * @addr: where to split, aligned to the smallest page
 * @flush: as &drm_gpt_config.flush, for formats that are not
 *	&drm_gpt_format.replace_ok; else NULL
 * @gfp: how to allocate
 *
 * For exact unmaps of a part: a zap that ends here, or begins, takes nothing of what
 * lies beyond. It lasts until something is mapped across, or promoted. What is
 * mapped stays what it was; a device that may have it in its TLB as one is told by
 * the gather of the zap that follows.
 *
 * Where the format forbids to replace entries in use, the device finds a hole until
 * this returns, as large as the leaf or group; and if @flush fails, nothing is mapped
 * there any more.
 *
 * Allocates, so it comes before what must not be held over an allocation. With
 * commands, waits for them.
 *
 * Context: may sleep; nobody else maps or zaps what is split.
 * Return: 0; -EINVAL if @addr is not aligned or out of the format's reach, or @flush
 * is missing; as drm_gpt_prepare(), drm_gpt_zap_reserve(), then nothing has changed
 * for the device; what @flush says; -ENODEV if the command ring is dead.
 */
int drm_gpt_split(struct drm_gpt *gpt, u64 addr, drm_gpt_flush_fn flush, gfp_t gfp)
{
	struct drm_gpt_crossing c;

	might_sleep();
	if ((addr & drm_gpt_entry_mask(gpt, 0)) ||
	    (addr && addr - 1 > drm_gpt_last(gpt)))
		return -EINVAL;
	/* Of both ends, there is nothing on the other side. */
	if (!addr || addr > drm_gpt_last(gpt) || !drm_gpt_crosses(gpt, addr, &c))
		return 0;
	if (gpt->format->replace_ok)
		return drm_gpt_split_in_place(gpt, addr, c.owner, gfp);
	if (!flush)
		return -EINVAL;
	return drm_gpt_break_and_make(gpt, addr, &c, flush, gfp);
}
EXPORT_SYMBOL_GPL(drm_gpt_split);
