// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Taking mappings away. Zap allocates nothing, frees nothing and only spins,
 * so it may run in an MMU notifier; what it clears it reports to a gather.
 *
 * It does the least that makes memory unreachable: where all that a table covers
 * goes, be it a lowest one or a directory with half a million pages below, one
 * entry above is cleared. Only the edges of the interval are cleared leaf by
 * leaf. So however long an interval is, a zap writes at most two runs of entries
 * per level.
 */

#include <linux/export.h>

#include "drm_gpt_internal.h"

static u32 drm_gpt_fill_words(struct drm_gpt *gpt)
{
	return max(drm_gpt_words(gpt, DRM_GPT_RUN_FILL, 1),
		   drm_gpt_words(gpt, DRM_GPT_RUN_FILL, 1U << DRM_GPT_MAX_BITS));
}

/* Longest interval that may be zapped in pieces, in lowest tables. */
#define DRM_GPT_PIECES	512

/*
 * Ring space for a zap: two runs per level, and two beside the lowest. Short
 * intervals may come in pieces, a lowest table or more each, and leave as many
 * tables to reclaim.
 */
static u32 drm_gpt_zap_words(struct drm_gpt *gpt, u64 first, u64 last)
{
	u8 shift = drm_gpt_level(gpt, 1)->shift;
	u64 tables = (last >> shift) - (first >> shift) + 1;
	u32 runs = min_t(u64, tables, DRM_GPT_PIECES) *
			(2 + drm_gpt_has_beside(gpt, 0)) +
		   DRM_GPT_MAX_LEVELS * 2;

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

/* ---- leaves --------------------------------------------------------------- */

/* Is there ring space for a run that no interval says? Else the zap ends here. */
static bool drm_gpt_zap_afford(struct drm_gpt_gather *gather, u8 level)
{
	struct drm_gpt *gpt = gather->gpt;

	if (gpt->cmd && !gather->dead &&
	    gather->credits < drm_gpt_fill_words(gpt) *
			      (1 + drm_gpt_has_beside(gpt, level)) +
			      gpt->cmd->flush_words)
		gather->more = true;
	return !gather->more;
}

/* Entries @lo to @hi, which are live, of one owner or of whoever. */
static void drm_gpt_zap_run(struct drm_gpt_gather *gather,
			    struct drm_gpt_table *table, u32 lo, u32 hi)
{
	drm_gpt_drop_beside(table, lo, hi - lo + 1, drm_gpt_gather_credits(gather));
	drm_gpt_write_empty(table, lo, hi - lo + 1,
			    drm_gpt_gather_credits(gather));
	drm_gpt_clear_bits(table, lo, hi - lo + 1);
	drm_gpt_gather_add(gather, drm_gpt_slot_first(table, lo),
			   drm_gpt_slot_last(table, hi));
}

/* Of a lowest table to which both owners came: what is of one, run by run. */
static void drm_gpt_zap_owned(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *table, u32 lo, u32 hi)
{
	u32 n;

	for (; (n = drm_gpt_owner_run(table, &lo, hi + 1, gather->owner)); lo += n) {
		if (!drm_gpt_zap_afford(gather, table->level))
			break;
		drm_gpt_zap_run(gather, table, lo, lo + n - 1);
	}
	drm_gpt_mark_if_empty(table);
}

/* Are there leaves of another than the one the zap is for? */
static bool drm_gpt_zap_spares(const struct drm_gpt_gather *gather,
			       const struct drm_gpt_table *table)
{
	return gather->owner != DRM_GPT_OWNER_ANY &&
	       !drm_gpt_owner_only(table, gather->owner);
}

/* Entries of a lowest table; between the first and the last that are live. */
static void drm_gpt_zap_entries(struct drm_gpt_gather *gather,
				struct drm_gpt_table *table, u32 lo, u32 hi)
{
	unsigned long *live = drm_gpt_live(table);

	drm_gpt_hint_widen(table, &lo, &hi);
	/* What is not taken out as a whole may be more than was thought of. */
	if (gather->owner != DRM_GPT_OWNER_ANY &&
	    !drm_gpt_zap_afford(gather, table->level))
		return;
	if (unlikely(drm_gpt_zap_spares(gather, table))) {
		drm_gpt_zap_owned(gather, table, lo, hi);
		return;
	}
	lo = find_next_bit(live, hi + 1, lo);
	if (lo > hi)
		return;
	if (drm_gpt_planted(DRM_GPT_PLANTED_FIRST_HOLE))
		hi = find_next_zero_bit(live, hi + 1, lo) - 1;
	hi = find_last_bit(live, hi + 1);
	drm_gpt_zap_run(gather, table, lo, hi);
	drm_gpt_mark_if_empty(table);
}

/* Return: false if the table is not linked. */
static bool drm_gpt_zap_lowest(struct drm_gpt_gather *gather,
			       struct drm_gpt_table *table, u64 first, u64 last)
{
	struct drm_gpt *gpt = table->gpt;
	bool linked;

	drm_gpt_lock(table);
	/* What is not linked is stale, what is dead is nobody's. */
	linked = drm_gpt_alive(table) && drm_gpt_linked(table);
	if (linked)
		drm_gpt_zap_entries(gather, table, drm_gpt_index(gpt, 0, first),
				    drm_gpt_index(gpt, 0, last));
	drm_gpt_unlock(table);
	return linked;
}

/* ---- tables --------------------------------------------------------------- */

/* What the device may have of a table that is being unlinked. */
static void drm_gpt_gather_table(struct drm_gpt_gather *gather,
				 struct drm_gpt_table *table)
{
	u32 entries = drm_gpt_size(table), lo = 0, hi = entries - 1;
	unsigned long *live = drm_gpt_live(table);

	if (!table->level && !bitmap_empty(live, entries)) {
		lo = find_first_bit(live, entries);
		hi = find_last_bit(live, entries);
	}
	if (drm_gpt_nr_children(table) || !bitmap_empty(live, entries))
		drm_gpt_gather_add(gather, drm_gpt_slot_first(table, lo),
				   drm_gpt_slot_last(table, hi));
	else
		drm_gpt_gather_flush(gather, table->base,
				     drm_gpt_slot_last(table, hi));
	drm_gpt_gather_directory(gather);
}

/*
 * All of a table by the entry above; what it holds becomes stale. An empty one
 * is only taken along if the entries around it go (@along). Both are locked; the
 * caller empties the entry before it unlocks the parent.
 */
static bool drm_gpt_unlink(struct drm_gpt_gather *gather,
			   struct drm_gpt_table *table, bool along)
{
	bool used = drm_gpt_nr_children(table) ||
		    !bitmap_empty(drm_gpt_live(table), drm_gpt_size(table));

	lockdep_assert_held(&table->lock);
	if (!drm_gpt_linked(table) || !(used || along || gather->evict))
		return false;
	WRITE_ONCE(table->link, DRM_GPT_UNLINKED);
	drm_gpt_mark_unlinked(table);
	drm_gpt_gather_table(gather, table);
	return true;
}

/*
 * A large leaf goes. The table below it, if there is one, is a deposit no more;
 * @table is locked if there is one.
 */
static void drm_gpt_drop_leaf(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *parent, u32 i,
			      struct drm_gpt_table *table)
{
	drm_gpt_gather_add(gather, drm_gpt_slot_first(parent, i),
			   drm_gpt_slot_last(parent, i));
	drm_gpt_gather_deposit(gather, table);
	if (table)
		drm_gpt_mark_unlinked(table);
}

/* Return: whether the entry has to be emptied. */
static bool drm_gpt_drop_slot(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *parent, u32 i, bool along)
{
	struct drm_gpt_table *table = drm_gpt_child(parent, i);
	bool leaf = test_bit(i, drm_gpt_live(parent)), dropped = leaf;

	if (table)
		drm_gpt_lock(table);
	if (leaf)
		drm_gpt_drop_leaf(gather, parent, i, table);
	else if (table)
		dropped = drm_gpt_unlink(gather, table, along);
	if (table)
		drm_gpt_unlock(table);
	return dropped;
}

/* Slots from @i to @end, all of their VA: one run of empty entries. */
static void drm_gpt_zap_slots(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *parent, u32 i, u32 end)
{
	u32 lo = end + 1, hi = end;

	for (; i <= end; i++) {
		if (!drm_gpt_drop_slot(gather, parent, i, lo <= end))
			continue;
		lo = min(lo, i);
		hi = i;
	}
	if (lo > end)
		return;
	drm_gpt_write_empty(parent, lo, hi - lo + 1,
			    drm_gpt_gather_credits(gather));
	drm_gpt_clear_bits(parent, lo, hi - lo + 1);
	drm_gpt_mark_if_empty(parent);
}

/*
 * A slot part of whose VA goes: a large leaf goes whole, with its group. Else
 * the table below is looked at; it is ours to keep under RCU.
 */
static struct drm_gpt_table *drm_gpt_zap_part(struct drm_gpt_gather *gather,
					      struct drm_gpt_table *parent,
					      u32 i)
{
	struct drm_gpt_table *table;
	u32 lo = i, hi = i;

	if (test_bit(i, drm_gpt_live(parent))) {
		if (gather->owner != DRM_GPT_OWNER_ANY &&
		    drm_gpt_owner_at(parent, i) != gather->owner)
			return NULL;
		drm_gpt_hint_widen(parent, &lo, &hi);
		drm_gpt_zap_slots(gather, parent, lo, hi);
		return NULL;
	}
	table = drm_gpt_child(parent, i);
	return table && drm_gpt_linked(table) ? table : NULL;
}

/**
 * struct drm_gpt_cover - which slots of a directory an interval covers
 * @first: first slot
 * @last: last slot
 * @head: the first one only in part
 * @tail: the last one only in part; not set if that is the first
 */
struct drm_gpt_cover {
	u32 first;
	u32 last;
	bool head;
	bool tail;
};

static struct drm_gpt_cover drm_gpt_cover(const struct drm_gpt_table *table,
					  u64 first, u64 last)
{
	struct drm_gpt_cover c = {
		.first = drm_gpt_index(table->gpt, table->level, first),
		.last = drm_gpt_index(table->gpt, table->level, last),
	};
	bool tail = last < drm_gpt_slot_last(table, c.last);

	c.head = first > drm_gpt_slot_first(table, c.first) ||
		 (c.first == c.last && tail);
	c.tail = c.first != c.last && tail;
	return c;
}

/* All that lies whole in the interval; gives the tables at its ends. */
static void drm_gpt_zap_directory(struct drm_gpt_gather *gather,
				  struct drm_gpt_table *table,
				  const struct drm_gpt_cover *c,
				  struct drm_gpt_table *part[2])
{
	u32 lo = c->first, hi = c->last;

	drm_gpt_lock(table);
	if (drm_gpt_alive(table)) {
		if (c->head)
			part[0] = drm_gpt_zap_part(gather, table, c->first);
		if (c->tail)
			part[1] = drm_gpt_zap_part(gather, table, c->last);
		lo += c->head;
		if (lo + c->tail <= hi) {
			hi -= c->tail;
			drm_gpt_hint_widen(table, &lo, &hi);
			drm_gpt_zap_slots(gather, table, lo, hi);
		}
	}
	drm_gpt_unlock(table);
}

/*
 * What is below a table that is not linked is stale. Not before the entry above
 * is empty, though, and whoever unlinks it has our lock until then. To look
 * without it is for the common case. A child that is dead has no parent.
 */
static struct drm_gpt_table *drm_gpt_linked_child(struct drm_gpt_table *table,
						  u32 i)
{
	struct drm_gpt_table *child = rcu_dereference(table->child[i]);

	if (!child || drm_gpt_planted(DRM_GPT_PLANTED_STALE_ZAP) ||
	    READ_ONCE(child->link) == READ_ONCE(drm_gpt_dir(table)->epoch))
		return child;
	drm_gpt_lock(table);
	child = drm_gpt_child(table, i);
	if (child && !drm_gpt_linked(child))
		child = NULL;
	drm_gpt_unlock(table);
	return child;
}

/* The same where nothing lies whole in it and no leaf can be: mostly no lock. */
static void drm_gpt_pass_directory(struct drm_gpt_table *table,
				   const struct drm_gpt_cover *c,
				   struct drm_gpt_table *part[2])
{
	if (c->head)
		part[0] = drm_gpt_linked_child(table, c->first);
	if (c->tail)
		part[1] = drm_gpt_linked_child(table, c->last);
}

static bool drm_gpt_only_parts(const struct drm_gpt_table *table,
			       const struct drm_gpt_cover *c)
{
	return !drm_gpt_level(table->gpt, table->level)->leaf &&
	       c->last - c->first + 1 == c->head + c->tail;
}

static void drm_gpt_zap_table(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *table, u64 first, u64 last);
static void drm_gpt_zap_child(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *parent, u32 i,
			      struct drm_gpt_table *child, u64 first, u64 last);

/* ---- of one owner ----------------------------------------------------------- */

/* May all that is below go with the entry above? Its lock says whether others come. */
static bool drm_gpt_zap_whole(const struct drm_gpt_gather *gather,
			      const struct drm_gpt_table *child)
{
	lockdep_assert_held(&child->lock);
	return child->level ? !drm_gpt_has_come(child, !gather->owner) :
			      drm_gpt_owner_only(child, gather->owner);
}

/* Return: whether a table went with its entry. The directory is locked. */
static bool drm_gpt_zap_owned_child(struct drm_gpt_gather *gather,
				    struct drm_gpt_table *parent, u32 i)
{
	struct drm_gpt_table *child = drm_gpt_child(parent, i);
	bool gone = false;

	if (!child)
		return false;
	drm_gpt_lock(child);
	if (drm_gpt_zap_whole(gather, child))
		gone = drm_gpt_unlink(gather, child, false);
	drm_gpt_unlock(child);
	if (!gone)
		return false;
	drm_gpt_write_empty(parent, i, 1, drm_gpt_gather_credits(gather));
	drm_gpt_clear_bits(parent, i, 1);
	drm_gpt_mark_if_empty(parent);
	return true;
}

/*
 * One slot of a directory below which both may have leaves: a leaf goes if it is of
 * the one, a table without any of the other as a whole. Gives the table to be looked
 * at else.
 */
static struct drm_gpt_table *drm_gpt_zap_owned_slot(struct drm_gpt_gather *gather,
						    struct drm_gpt_table *parent,
						    u32 i, u64 first, u64 last)
{
	bool whole = first <= drm_gpt_slot_first(parent, i) &&
		     last >= drm_gpt_slot_last(parent, i);
	struct drm_gpt_table *child = NULL;

	drm_gpt_lock(parent);
	if (drm_gpt_alive(parent) && drm_gpt_zap_afford(gather, parent->level) &&
	    (!whole || test_bit(i, drm_gpt_live(parent)) ||
	     !drm_gpt_zap_owned_child(gather, parent, i)))
		child = drm_gpt_zap_part(gather, parent, i);
	drm_gpt_unlock(parent);
	return child;
}

static void drm_gpt_zap_owned_table(struct drm_gpt_gather *gather,
				    struct drm_gpt_table *table, u64 first, u64 last)
{
	u32 i = drm_gpt_index(table->gpt, table->level, first);
	u32 end = drm_gpt_index(table->gpt, table->level, last);
	bool leaves = drm_gpt_level(table->gpt, table->level)->leaf;
	struct drm_gpt_table *child;

	for (; i <= end && !gather->more; i++) {
		/* Most slots of a long directory have nothing. */
		if (!leaves && !rcu_access_pointer(table->child[i]))
			continue;
		child = drm_gpt_zap_owned_slot(gather, table, i, first, last);
		if (child)
			drm_gpt_zap_child(gather, table, i, child,
					  max(first, drm_gpt_slot_first(table, i)),
					  min(last, drm_gpt_slot_last(table, i)));
	}
}

/* ---- both ways ---------------------------------------------------------------- */

/*
 * A table that was linked when we found it is not any more. If it was promoted
 * the large leaf goes; if another zap unlinked it, the entry is empty when that
 * has let go of the lock.
 */
static void drm_gpt_zap_promoted(struct drm_gpt_gather *gather,
				 struct drm_gpt_table *parent, u32 i, u64 first,
				 u64 last)
{
	struct drm_gpt_table *child = NULL;

	if (drm_gpt_planted(DRM_GPT_PLANTED_PROMOTE_MISSED))
		return;
	drm_gpt_lock(parent);
	if (drm_gpt_alive(parent) && (gather->owner == DRM_GPT_OWNER_ANY ||
				      drm_gpt_zap_afford(gather, parent->level)))
		child = drm_gpt_zap_part(gather, parent, i);
	/* Split again meanwhile. Neither happens while we hold the parent. */
	if (child)
		drm_gpt_zap_lowest(gather, child, first, last);
	drm_gpt_unlock(parent);
}

/* @child was found in slot @i of @parent. */
static void drm_gpt_zap_child(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *parent, u32 i,
			      struct drm_gpt_table *child, u64 first, u64 last)
{
	if (child->level)
		drm_gpt_zap_table(gather, child, first, last);
	else if (!drm_gpt_zap_lowest(gather, child, first, last))
		drm_gpt_zap_promoted(gather, parent, i, first, last);
}

/* What of an interval that goes on to @last is in the slot of a directory? */
static u64 drm_gpt_zap_end(const struct drm_gpt_table *table, u32 i, u64 last)
{
	u64 end = drm_gpt_slot_last(table, i);

	if (drm_gpt_planted(DRM_GPT_PLANTED_MIXED_ENDS))
		end++;
	return min(last, end);
}

/* Under RCU. @first and @last are in @table, a directory. */
static void drm_gpt_zap_table(struct drm_gpt_gather *gather,
			      struct drm_gpt_table *table, u64 first, u64 last)
{
	struct drm_gpt_table *part[2] = {};
	struct drm_gpt_cover c;

	if (unlikely(gather->owner != DRM_GPT_OWNER_ANY)) {
		drm_gpt_zap_owned_table(gather, table, first, last);
		return;
	}
	c = drm_gpt_cover(table, first, last);
	if (drm_gpt_only_parts(table, &c))
		drm_gpt_pass_directory(table, &c, part);
	else
		drm_gpt_zap_directory(gather, table, &c, part);
	if (part[0])
		drm_gpt_zap_child(gather, table, c.first, part[0], first,
				  drm_gpt_zap_end(table, c.first, last));
	if (part[1])
		drm_gpt_zap_child(gather, table, c.last, part[1],
				  drm_gpt_slot_first(table, c.last), last);
}

static void drm_gpt_zap_interval(struct drm_gpt_gather *gather, u64 first, u64 last)
{
	struct drm_gpt *gpt = gather->gpt;

	if (WARN_ON_ONCE(!drm_gpt_range_ok(gpt, first, last, 0)))
		return;
	/*
	 * Pairs with drm_gpt_try_pin() and drm_gpt_lock_linked(): where we do not
	 * find their tables, or find them not linked, the commit finds what our
	 * caller has set to make it fail.
	 */
	smp_mb();
	rcu_read_lock();
	drm_gpt_zap_table(gather, gpt->root, first, last);
	rcu_read_unlock();
	drm_gpt_write_barrier(gpt);
}

/**
 * drm_gpt_zap() - take mappings away
 * @gather: collects what has to be flushed
 * @first: first byte, aligned to the smallest page
 * @last: last byte, of a page
 *
 * Holes are no error. Large leaves and hint groups go whole; @gather says
 * between which ends mappings really went. Where all that a table covers goes,
 * the entry above is cleared instead, and @gather speaks of all of it.
 *
 * With commands, drm_gpt_zap_reserve() has been called for the interval. One of
 * up to 512 lowest tables may then be zapped in pieces that do not share a lowest
 * table, others in one call.
 *
 * Context: atomic or not; takes table locks; allocates and frees nothing.
 */
void drm_gpt_zap(struct drm_gpt_gather *gather, u64 first, u64 last)
{
	drm_gpt_zap_interval(gather, first, last);
}
EXPORT_SYMBOL_GPL(drm_gpt_zap);

/**
 * drm_gpt_zap_owner() - take mappings of one owner away
 * @gather: collects what has to be flushed
 * @first: first byte, aligned to the smallest page
 * @last: last byte, of a page
 * @owner: whose; of the other nothing goes, not a page of a large leaf or group
 *
 * As drm_gpt_zap() otherwise, and as that if @owner is %DRM_GPT_OWNER_ANY. Where
 * leaves of both lie side by side, each run of them is written for itself; how many
 * there are is not known when ring space is reserved. If it does not reach,
 * some have been zapped: the caller lets go of his locks, reserves again and repeats
 * the call.
 *
 * Context: atomic or not; takes table locks; allocates and frees nothing.
 * Return: 0; -EAGAIN if there is more than ring space was reserved for.
 */
int drm_gpt_zap_owner(struct drm_gpt_gather *gather, u64 first, u64 last,
		      enum drm_gpt_owner owner)
{
	gather->owner = owner;
	gather->more = false;
	drm_gpt_zap_interval(gather, first, last);
	gather->owner = DRM_GPT_OWNER_ANY;
	return gather->more ? -EAGAIN : 0;
}
EXPORT_SYMBOL_GPL(drm_gpt_zap_owner);
