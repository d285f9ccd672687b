// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Commit writes what was prepared: no allocation, no sleep, nothing that fails
 * but the caller's own check.
 */

#include <linux/export.h>
#include <linux/kernel.h>

#include <drm/drm_gpt_fmt.h>

#include "drm_gpt_internal.h"

/**
 * struct drm_gpt_leaves - what is committed
 * @first: address of the first page
 * @last: last byte of the last page
 * @array: a leaf per page, or NULL
 * @leaf: without @array: leaf of the first page, the others follow it
 * @valid: see drm_gpt_valid_fn
 * @data: for @valid
 */
struct drm_gpt_leaves {
	u64 first;
	u64 last;
	const u64 *array;
	u64 leaf;
	drm_gpt_valid_fn valid;
	void *data;
};

/**
 * struct drm_gpt_piece - the part of it that falls into one table
 * @table: that table
 * @i: first entry
 * @n: number of entries
 * @array: a leaf per entry, or NULL
 * @leaf: without @array: leaf of the first entry, the others follow it
 */
struct drm_gpt_piece {
	struct drm_gpt_table *table;
	u32 i;
	u32 n;
	const u64 *array;
	u64 leaf;
};

static bool drm_gpt_still_valid(const struct drm_gpt_leaves *leaves)
{
	return !leaves->valid || leaves->valid(leaves->data);
}

static u64 drm_gpt_step(const struct drm_gpt_table *table)
{
	return drm_gpt_entry_mask(table->gpt, table->level) + 1;
}

/* How many leaves from the first on are valid, alike and follow each other. */
static u32 drm_gpt_contiguous(const u64 *leaves, u32 n, u64 step)
{
	u64 next = leaves[0];
	u32 i;

	if (!(next & DRM_GPT_LEAF_VALID))
		return 0;
	for (i = 1; i < n; i++) {
		next += step;
		if (leaves[i] != next)
			break;
	}
	return i;
}

/* The same for all of them; most that are not say so at the far end. */
static bool drm_gpt_all_contiguous(const u64 *leaves, u32 n, u64 step)
{
	return leaves[n - 1] == leaves[0] + (n - 1) * step &&
	       drm_gpt_contiguous(leaves, n, step) == n;
}

/*
 * Has an entry room for all that leaves say that follow each other? What it has not
 * would be lost without a word, and another page mapped, or the same in another
 * memory.
 */
static bool drm_gpt_expressible(const struct drm_gpt *gpt, u8 level, u64 leaf,
				u32 n)
{
	u64 room = gpt->format->leaf_bits & DRM_GPT_LEAF_ADDR;
	u64 mask = drm_gpt_entry_mask(gpt, level);
	u64 last = leaf + (n - 1) * (mask + 1);

	/* The last of them may come round, or change what is above the address. */
	if (n - 1 > room >> drm_gpt_level(gpt, level)->shift ||
	    ((leaf ^ last) & DRM_GPT_LEAF_FLAGS))
		return false;
	return !((leaf | last) & DRM_GPT_LEAF_ADDR & ~(room & ~mask)) &&
	       drm_gpt_flags_ok(gpt, gpt->format->leaf_bits,
				leaf & DRM_GPT_LEAF_FLAGS);
}

/**
 * drm_gpt_check() - could a leaf be committed?
 * @gpt: page table
 * @level: level of its entry
 * @leaf: the leaf
 *
 * For who wants to know before anything is prepared, and what of it is wrong: a
 * commit of such a leaf says -EINVAL, when others may have been written.
 *
 * Context: any.
 * Return: 0; -EINVAL if entries of @level map nothing, or have no room for its
 * address or flags, or the table has no such attribute; -EOPNOTSUPP for a leaf
 * without memory that the format has no entry for.
 */
int drm_gpt_check(const struct drm_gpt *gpt, u8 level, u64 leaf)
{
	u64 place = leaf & DRM_GPT_LEAF_PLACE;

	if (level > drm_gpt_top(gpt) || !drm_gpt_level(gpt, level)->leaf ||
	    !(leaf & DRM_GPT_LEAF_VALID))
		return -EINVAL;
	if ((place == DRM_GPT_LEAF_NULL && !gpt->format->null) ||
	    (place == DRM_GPT_LEAF_POISON && !gpt->format->poison))
		return -EOPNOTSUPP;
	return drm_gpt_expressible(gpt, level, leaf, 1) ? 0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(drm_gpt_check);

/* ---- entries -------------------------------------------------------------- */

/* Of whole groups from entry @i on: how many entries may, or may not, be hinted. */
static u32 drm_gpt_hint_run(const struct drm_gpt_table *table, u32 i, u32 n,
			    bool *hint)
{
	u32 group = 1U << drm_gpt_level(table->gpt, table->level)->hint, k;

	*hint = true;
	if (likely(table->gpt->format->replace_ok))
		return n;
	*hint = drm_gpt_may_hint(table, i);
	for (k = group; k < n; k += group)
		if (drm_gpt_may_hint(table, i + k) != *hint)
			break;
	return k;
}

/* The same where the hint is beside: after the entries, and not with others. */
static void drm_gpt_put_beside(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n,
			       u32 *credits)
{
	u8 shift = drm_gpt_level(table->gpt, table->level)->hint;
	bool planted = drm_gpt_planted(DRM_GPT_PLANTED_BESIDE_EARLY);

	drm_gpt_unhint_all(table, i, n, credits);
	if (planted) {
		drm_gpt_write_beside(table, i >> shift, leaf, n >> shift, credits);
		drm_gpt_write_barrier(table->gpt);
	}
	drm_gpt_write_seq(table, i, leaf, n, credits);
	drm_gpt_write_barrier(table->gpt);
	if (!planted)
		drm_gpt_write_beside(table, i >> shift, leaf, n >> shift, credits);
	drm_gpt_hint_set(table, i, leaf, n);
}

/* Leaves that follow each other and fill whole groups. */
static void drm_gpt_put_groups(struct drm_gpt_table *table, u32 i, u64 leaf,
			       u32 n, u32 *credits)
{
	u64 step = drm_gpt_step(table);
	u32 end = i + n, k;
	bool hint;

	if (drm_gpt_has_beside(table->gpt, table->level)) {
		if (n)
			drm_gpt_put_beside(table, i, leaf, n, credits);
		return;
	}
	for (; i < end; i += k, leaf += k * step) {
		k = drm_gpt_hint_run(table, i, end - i, &hint);
		drm_gpt_write_seq(table, i, hint ? leaf | DRM_GPT_LEAF_HINT : leaf,
				  k, credits);
		if (hint)
			drm_gpt_hint_set(table, i, leaf, k);
	}
}

/* Leaves that follow each other, with the hint where they fill a group. */
static void drm_gpt_put_seq(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n,
			    u32 *credits)
{
	u64 mask = drm_gpt_hint_mask(table->gpt, table->level);
	u64 step = drm_gpt_step(table);
	u32 group, head, k;

	if (!mask || (((leaf & DRM_GPT_LEAF_ADDR) ^ drm_gpt_slot_first(table, i)) &
		      mask)) {
		drm_gpt_write_seq(table, i, leaf, n, credits);
		return;
	}
	group = 1U << drm_gpt_level(table->gpt, table->level)->hint;
	head = min(n, -i & (group - 1));
	if (head)
		drm_gpt_write_seq(table, i, leaf, head, credits);
	i += head;
	leaf += head * step;
	n -= head;
	k = n & ~(group - 1);
	drm_gpt_put_groups(table, i, leaf, k, credits);
	if (n - k)
		drm_gpt_write_seq(table, i + k, leaf + k * step, n - k, credits);
}

/* Do the leaves from an entry on that begins a group make one? */
static bool drm_gpt_makes_group(const u64 *leaves, u32 n, u32 group, u64 mask,
				u64 step)
{
	return n >= group && !(leaves[0] & DRM_GPT_LEAF_ADDR & mask) &&
	       drm_gpt_all_contiguous(leaves, group, step);
}

/* How many of @n entries there are before the groups change: hinted or not. */
static u32 drm_gpt_hint_cut(const struct drm_gpt_table *table, u32 i,
			    const u64 *leaves, u32 n, bool *hinted)
{
	u32 group = 1U << drm_gpt_level(table->gpt, table->level)->hint;
	u64 mask, step;
	u32 k;

	*hinted = false;
	/* No groups, or no room for one. */
	if (group == 1 || n < group)
		return n;
	mask = drm_gpt_hint_mask(table->gpt, table->level);
	step = drm_gpt_step(table);
	k = -i & (group - 1);
	if (!k && drm_gpt_makes_group(leaves, n, group, mask, step)) {
		*hinted = true;
		n = drm_gpt_contiguous(leaves, n, step);
		return n & ~(group - 1);
	}
	for (k = k ?: group; k < n; k += group)
		if (drm_gpt_makes_group(leaves + k, n - k, group, mask, step))
			return k;
	return n;
}

/* Of a run by commands: how many entries, and do they follow each other? */
static u32 drm_gpt_cmd_cut(const struct drm_gpt_table *table, const u64 *leaves,
			   u32 n, bool *seq)
{
	u64 step = drm_gpt_step(table);
	u32 k = drm_gpt_contiguous(leaves, n, step);

	*seq = k > 2;
	if (*seq)
		return k;
	for (; k < n && (leaves[k] & DRM_GPT_LEAF_VALID); k++)
		if (k + 2 < n && leaves[k + 1] == leaves[k] + step &&
		    leaves[k + 2] == leaves[k] + 2 * step)
			break;
	return max(k, 1u);
}

/*
 * Writes from the first leaf, which is valid, as far as one run goes; 0 if it
 * says more than an entry can.
 */
static u32 drm_gpt_put_run(struct drm_gpt_table *table, u32 i,
			   const u64 *leaves, u32 n, u32 *credits)
{
	bool seq;

	n = drm_gpt_hint_cut(table, i, leaves, n, &seq);
	/* Leaves between that are not valid stay as they are, but for the hint. */
	if (!seq)
		drm_gpt_unhint_all(table, i, n, credits);
	if (!seq && table->gpt->cmd)
		n = drm_gpt_cmd_cut(table, leaves, n, &seq);
	if (!seq)
		return drm_gpt_write_leaves(table, i, leaves, n, credits);
	if (!drm_gpt_expressible(table->gpt, table->level, leaves[0], n))
		return 0;
	drm_gpt_put_seq(table, i, leaves[0], n, credits);
	return n;
}

/*
 * How many it were, of which some may not have been valid (@holes); not all if
 * the next says more than an entry can.
 */
static u32 drm_gpt_put_array(struct drm_gpt_table *table, u32 i,
			     const u64 *leaves, u32 n, u32 *credits, bool *holes)
{
	u32 k = 0, now;

	*holes = false;
	while (k < n) {
		now = 1;
		if (likely(leaves[k] & DRM_GPT_LEAF_VALID))
			now = drm_gpt_put_run(table, i + k, leaves + k, n - k,
					      credits);
		else
			*holes = true;
		if (unlikely(!now))
			break;
		k += now;
	}
	return k;
}

static void drm_gpt_note_array(struct drm_gpt_table *table, u32 i,
			       const u64 *leaves, u32 n)
{
	u32 k, to;

	for (k = 0; k < n; k = to) {
		for (to = k; to < n && (leaves[to] & DRM_GPT_LEAF_VALID); to++)
			;
		if (to > k)
			drm_gpt_note_leaves(table, i + k, leaves + k, to - k);
		else
			to++;
	}
}

/* See drm_gpt_fence_table(). */
void drm_gpt_fence_commands(struct drm_gpt_update *up, struct drm_gpt_table *table)
{
	u64 seq = drm_gpt_fence(up->gpt, &up->credits);

	if (!drm_gpt_planted(DRM_GPT_PLANTED_NO_PENDING))
		atomic64_set(&drm_gpt_side(table)->pending, seq);
	up->seq = max(up->seq, seq);
	up->fenced = up->credits;
}

static int drm_gpt_write_piece(struct drm_gpt_update *up,
			       const struct drm_gpt_piece *p)
{
	bool holes;
	u32 n;

	if (drm_gpt_planted(DRM_GPT_PLANTED_HINT_OWNERS) &&
	    drm_gpt_owner_at(p->table, p->i) != up->owner)
		drm_gpt_hint_forget(p->table, p->i, p->n);
	if (p->array) {
		n = drm_gpt_put_array(p->table, p->i, p->array, p->n,
				      &up->credits, &holes);
		drm_gpt_fence_table(up, p->table);
		if (holes)
			drm_gpt_note_array(p->table, p->i, p->array, n);
		else if (n)
			drm_gpt_note_leaves(p->table, p->i, p->array, n);
		if (n)
			drm_gpt_own(p->table, p->i, n, p->array, up->owner);
		if (likely(n == p->n))
			return 0;
		up->done = n;
		return -EINVAL;
	}
	drm_gpt_unhint(p->table, p->i, p->n, &up->credits);
	drm_gpt_put_seq(p->table, p->i, p->leaf, p->n, &up->credits);
	drm_gpt_fence_table(up, p->table);
	drm_gpt_set_bits(p->table, p->i, p->leaf, p->n);
	drm_gpt_own(p->table, p->i, p->n, NULL, up->owner);
	return 0;
}

/* ---- break before make ------------------------------------------------------ */

/* Does a piece map anything from entry @i to before @end? */
static bool drm_gpt_writes(const struct drm_gpt_piece *p, u32 i, u32 end)
{
	i = max(i, p->i);
	end = min(end, p->i + p->n);
	if (!p->array)
		return i < end;
	for (; i < end; i++)
		if (p->array[i - p->i] & DRM_GPT_LEAF_VALID)
			return true;
	return false;
}

/* Does it write all of the group that begins with entry @i, as one? */
static bool drm_gpt_writes_group(const struct drm_gpt_piece *p, u32 i, u32 group)
{
	u64 mask = drm_gpt_hint_mask(p->table->gpt, p->table->level);
	u32 k = i - p->i;

	if (i < p->i || i + group > p->i + p->n)
		return false;
	if (p->array)
		return drm_gpt_makes_group(p->array + k, p->n - k, group, mask,
					   drm_gpt_step(p->table));
	return !(((p->leaf & DRM_GPT_LEAF_ADDR) ^
		  drm_gpt_slot_first(p->table, p->i)) & mask);
}

/*
 * Would a piece take a group with the hint apart? Where the format does not let
 * an entry become another size while it is in use, that is for a zap.
 */
static bool drm_gpt_breaks_hinted(const struct drm_gpt_piece *p)
{
	u32 group = 1U << drm_gpt_level(p->table->gpt, p->table->level)->hint;
	u32 end = p->i + p->n, i;

	if (group == 1)
		return false;
	for (i = drm_gpt_next_hinted(p->table, p->i, end); i < end;
	     i = drm_gpt_next_hinted(p->table, i + group, end))
		if (drm_gpt_writes(p, i, i + group) &&
		    !drm_gpt_writes_group(p, i, group))
			return true;
	return false;
}

static inline bool drm_gpt_breaks_group(const struct drm_gpt_piece *p)
{
	return !p->table->gpt->format->replace_ok && drm_gpt_breaks_hinted(p);
}

/* ---- tables --------------------------------------------------------------- */

/* Does a piece fill its table with what one leaf above can say? */
static bool drm_gpt_fits_huge(const struct drm_gpt_piece *p)
{
	struct drm_gpt *gpt = p->table->gpt;
	u8 above = p->table->level + 1;
	u64 leaf = p->array ? p->array[0] : p->leaf;

	if (p->n != drm_gpt_size(p->table) || above > drm_gpt_top(gpt) ||
	    !drm_gpt_level(gpt, above)->leaf ||
	    !drm_gpt_expressible(gpt, above, leaf, 1))
		return false;
	return !p->array || drm_gpt_all_contiguous(p->array, p->n,
						   drm_gpt_step(p->table));
}

/*
 * One large leaf instead of a table of small ones. Only where the table is not
 * linked: a device that has it in its walk cache would not see the large leaf.
 * Return: 0, -EAGAIN if no longer valid, -EBUSY where the table is linked.
 */
static int drm_gpt_commit_huge(struct drm_gpt_update *up,
			       const struct drm_gpt_piece *p,
			       const struct drm_gpt_leaves *leaves)
{
	struct drm_gpt_table *table = p->table, *parent = table->parent;
	const struct drm_gpt_piece huge = {
		.table = parent,
		.i = table->index,
		.n = 1,
		.leaf = p->array ? p->array[0] : p->leaf,
	};
	int ret = 0;

	if (!drm_gpt_lock_linked(parent, &up->credits))
		return -EBUSY;
	drm_gpt_lock(table);
	if (drm_gpt_linked(table))
		ret = -EBUSY;
	else if (!drm_gpt_still_valid(leaves))
		ret = -EAGAIN;
	else if (drm_gpt_breaks_group(&huge) || !drm_gpt_may_own(parent, up->owner))
		ret = -EBUSY;
	else
		ret = drm_gpt_write_piece(up, &huge);
	/* A deposit from now on. */
	if (!ret)
		drm_gpt_mark_used(table);
	/* What was linked on the way; with -EBUSY the caller goes on. */
	if (ret == -EAGAIN)
		drm_gpt_fence_table(up, parent);
	drm_gpt_unlock(table);
	drm_gpt_unlock(parent);
	return ret;
}

/* Is there a table, in use, where one of the large leaves is to be? */
static bool drm_gpt_in_the_way(const struct drm_gpt_piece *p)
{
	struct drm_gpt_table *child;
	u32 k;

	if (!p->table->level || !drm_gpt_nr_children(p->table))
		return false;
	for (k = 0; k < p->n; k++) {
		if (p->array && !(p->array[k] & DRM_GPT_LEAF_VALID))
			continue;
		child = drm_gpt_child(p->table, p->i + k);
		if (child && drm_gpt_linked(child))
			return true;
	}
	return false;
}

/* Nothing is written, but the table may have been linked for it. */
static void drm_gpt_refuse(struct drm_gpt_update *up, struct drm_gpt_table *table)
{
	drm_gpt_fence_table(up, table);
	drm_gpt_mark_if_empty(table);
}

static int drm_gpt_commit_piece(struct drm_gpt_update *up,
				const struct drm_gpt_piece *p,
				const struct drm_gpt_leaves *leaves)
{
	bool planted = drm_gpt_planted(DRM_GPT_PLANTED_VALID_EARLY);
	int ret = 0;

	if (drm_gpt_fits_huge(p)) {
		ret = drm_gpt_commit_huge(up, p, leaves);
		if (ret != -EBUSY)
			return ret;
	}

	if (planted && !drm_gpt_still_valid(leaves))
		return -EAGAIN;
	if (!drm_gpt_lock_linked(p->table, &up->credits))
		return -EBUSY;
	if (!planted && !drm_gpt_still_valid(leaves))
		ret = -EAGAIN;
	else
		ret = drm_gpt_in_the_way(p) || drm_gpt_breaks_group(p) ||
		      !drm_gpt_may_own(p->table, up->owner) ? -EBUSY : 0;
	if (!ret)
		ret = drm_gpt_write_piece(up, p);
	else
		drm_gpt_refuse(up, p->table);
	drm_gpt_unlock(p->table);
	return ret;
}

/* What of @leaves is for @table; false if nothing is. */
static bool drm_gpt_cut(struct drm_gpt_table *table,
			const struct drm_gpt_leaves *leaves,
			struct drm_gpt_piece *p)
{
	struct drm_gpt *gpt = table->gpt;
	u8 shift = drm_gpt_level(gpt, table->level)->shift;
	u64 end = table->base | drm_gpt_table_mask(gpt, table->level);
	u64 from = max(leaves->first, table->base);
	u64 to = min(leaves->last, end);
	u64 skip = (from - leaves->first) >> shift;

	p->table = table;
	p->i = drm_gpt_index(gpt, table->level, from);
	p->n = ((to - from) >> shift) + 1;
	if (drm_gpt_planted(DRM_GPT_PLANTED_SHORT_END) && to == end)
		p->n--;
	p->array = leaves->array;
	p->leaf = leaves->leaf + (skip << shift);
	if (!p->array)
		return true;
	p->array += skip;
	for (; p->n && !(p->array[0] & DRM_GPT_LEAF_VALID); p->n--) {
		p->array++;
		p->i++;
	}
	return p->n;
}

/* Are there so many pages? The end of more could come round to one that is there. */
static bool drm_gpt_nr_ok(const struct drm_gpt *gpt, u8 level, u32 nr)
{
	return nr && nr - 1 <= drm_gpt_last(gpt) >> drm_gpt_level(gpt, level)->shift;
}

/* @piece is all there, or failed; then @up->done of it is. */
static u32 drm_gpt_leaves_done(const struct drm_gpt_update *up,
			       const struct drm_gpt_leaves *leaves,
			       const struct drm_gpt_piece *piece, int error)
{
	u64 first = drm_gpt_slot_first(piece->table, piece->i);

	return ((first - leaves->first) >> up->gpt->steps[up->level].shift) +
	       (error ? up->done : piece->n);
}

static int drm_gpt_commit_leaves(struct drm_gpt_update *up,
				 const struct drm_gpt_leaves *leaves)
{
	u64 base = drm_gpt_table_number(up->gpt, up->level, up->first);
	u64 k = drm_gpt_table_number(up->gpt, up->level, leaves->first) - base;
	u64 end = drm_gpt_table_number(up->gpt, up->level, leaves->last) - base;
	struct drm_gpt_piece piece;
	u32 done = 0;
	int ret = 0;

	up->done = 0;
	if (!drm_gpt_range_ok(up->gpt, leaves->first, leaves->last, up->level) ||
	    leaves->first < up->first || leaves->last > up->last)
		return -EINVAL;

	for (; !ret && k <= end; k++) {
		if (!drm_gpt_cut(up->pinned[k], leaves, &piece))
			continue;
		up->done = 0;
		ret = drm_gpt_commit_piece(up, &piece, leaves);
		done = drm_gpt_leaves_done(up, leaves, &piece, ret);
	}
	up->done = done;
	return ret;
}

/**
 * drm_gpt_commit() - map pages
 * @up: prepared
 * @first: address of the first page
 * @array: one leaf per page of the prepared level; one without
 *	%DRM_GPT_LEAF_VALID leaves what is there as it is
 * @nr: number of leaves
 * @valid: asked under the lock of each table that is written; NULL: always
 * @data: for @valid
 *
 * Allocates nothing. Writes a table at a time; tables before the one whose check
 * failed have been written, for the invalidation that made it fail to clear. After
 * an error &drm_gpt_update.done is the number of leaves, from the first, of which
 * all that are valid have been written; of those behind none has. Who keeps a record
 * of what is mapped puts these down, as the device has them.
 * Writes one large leaf where pages that follow each other fill a table that is
 * not in use. Mapping over something that is mapped otherwise changes it at
 * once; to have the device forget the old is left to the caller, which zaps
 * first where that matters.
 *
 * May be called once per table and prepare where there is a command ring.
 *
 * Context: atomic; takes table locks.
 * Return: 0; -EINVAL if the pages are not within what was prepared, or a leaf says
 * what is not in &drm_gpt_format.leaf_bits (those before it may have been
 * written); -EAGAIN if @valid said no; -EBUSY where a table of smaller pages is in
 * the way of a large one (&drm_gpt_gather.evict), or for a format without
 * &drm_gpt_format.replace_ok a large leaf, or a part of a group
 * (&drm_gpt_level.hint), in the way of smaller ones; or a large leaf of the other
 * owner that was split for these: zap and flush, and commit again.
 */
int drm_gpt_commit(struct drm_gpt_update *up, u64 first, const u64 *array,
		   u32 nr, drm_gpt_valid_fn valid, void *data)
{
	const struct drm_gpt_leaves leaves = {
		.first = first,
		.last = first +
			((u64)nr << drm_gpt_level(up->gpt, up->level)->shift) - 1,
		.array = array,
		.valid = valid,
		.data = data,
	};

	if (!drm_gpt_nr_ok(up->gpt, up->level, nr))
		return -EINVAL;
	return drm_gpt_commit_leaves(up, &leaves);
}
EXPORT_SYMBOL_GPL(drm_gpt_commit);

/**
 * drm_gpt_commit_seq() - map pages that follow each other
 * @up: prepared
 * @first: address of the first page
 * @leaf: its leaf, %DRM_GPT_LEAF_VALID set; addresses of the others follow
 * @nr: number of pages
 * @valid: see drm_gpt_commit()
 * @data: for @valid
 *
 * As drm_gpt_commit() otherwise.
 *
 * Context: atomic; takes table locks.
 * Return: as drm_gpt_commit(); -EINVAL also if @leaf is not valid. With -EINVAL
 * nothing has been written.
 */
int drm_gpt_commit_seq(struct drm_gpt_update *up, u64 first, u64 leaf, u32 nr,
		       drm_gpt_valid_fn valid, void *data)
{
	const struct drm_gpt_leaves leaves = {
		.first = first,
		.last = first +
			((u64)nr << drm_gpt_level(up->gpt, up->level)->shift) - 1,
		.leaf = leaf,
		.valid = valid,
		.data = data,
	};

	if (!drm_gpt_nr_ok(up->gpt, up->level, nr) || !(leaf & DRM_GPT_LEAF_VALID) ||
	    !drm_gpt_expressible(up->gpt, up->level, leaf, nr))
		return -EINVAL;
	return drm_gpt_commit_leaves(up, &leaves);
}
EXPORT_SYMBOL_GPL(drm_gpt_commit_seq);

/* ---- all in one ------------------------------------------------------------ */

/* In a lowest table that is there and linked; false if there is more to do. */
static bool drm_gpt_map_fast(struct drm_gpt *gpt,
			     const struct drm_gpt_leaves *leaves, u8 owner)
{
	struct drm_gpt_piece piece = {
		.array = leaves->array,
		.n = ((leaves->last - leaves->first) >> gpt->steps[0].shift) + 1,
	};
	struct drm_gpt_table *table;
	struct drm_gpt_update up;
	bool ok;

	guard(rcu)();
	table = drm_gpt_find(gpt, leaves->first, &piece.i);
	piece.table = table;
	if (table->level || piece.n > gpt->steps[0].mask + 1 - piece.i ||
	    !(piece.array[0] & DRM_GPT_LEAF_VALID) || drm_gpt_fits_huge(&piece))
		return false;
	up.gpt = gpt;
	up.credits = 0;
	up.owner = owner;
	drm_gpt_lock(table);
	/* What is above was linked, and nobody is to take away what we map. */
	ok = drm_gpt_alive(table) && drm_gpt_linked(table) &&
	     drm_gpt_has_come(table, owner) && drm_gpt_may_own(table, owner) &&
	     !drm_gpt_breaks_group(&piece);
	if (ok)
		ok = !drm_gpt_write_piece(&up, &piece);
	drm_gpt_unlock(table);
	return ok;
}

/**
 * drm_gpt_map_owner() - map pages, where nothing can come between
 * @gpt: page table
 * @first: address of the first page
 * @array: one leaf per page of the lowest level, as for drm_gpt_commit()
 * @nr: number of leaves
 * @owner: whose leaves they are
 * @gfp: how to allocate
 *
 * Prepare, commit and finish in one, for mappings that no invalidation takes
 * away while they are made, such as those of buffers. Where the CPU writes and
 * the table is there, that is one lock. With commands, waits for them.
 *
 * Context: may sleep.
 * Return: as drm_gpt_prepare_owner(), drm_gpt_commit() and drm_gpt_wait().
 */
int drm_gpt_map_owner(struct drm_gpt *gpt, u64 first, const u64 *array, u32 nr,
		      enum drm_gpt_owner owner, gfp_t gfp)
{
	const struct drm_gpt_leaves leaves = {
		.first = first,
		.last = first + ((u64)nr << drm_gpt_level(gpt, 0)->shift) - 1,
		.array = array,
	};
	struct drm_gpt_update up;
	int ret;

	might_sleep();
	if (!drm_gpt_nr_ok(gpt, 0, nr) ||
	    !drm_gpt_range_ok(gpt, leaves.first, leaves.last, 0) ||
	    owner > DRM_GPT_OWNER_CLAIMED)
		return -EINVAL;
	if (!gpt->cmd && drm_gpt_map_fast(gpt, &leaves, owner))
		return 0;
	ret = drm_gpt_prepare_owner(gpt, &up, leaves.first, leaves.last, 0, owner, gfp);
	if (ret)
		return ret;
	ret = drm_gpt_commit_leaves(&up, &leaves);
	drm_gpt_finish(&up);
	return ret ?: drm_gpt_wait(gpt, up.seq);
}
EXPORT_SYMBOL_GPL(drm_gpt_map_owner);

/**
 * drm_gpt_map() - the same for who does not share the table
 * @gpt: page table
 * @first: address of the first page
 * @array: one leaf per page of the lowest level, as for drm_gpt_commit()
 * @nr: number of leaves
 * @gfp: how to allocate
 *
 * For %DRM_GPT_OWNER_MIRROR.
 *
 * Context: may sleep.
 * Return: as drm_gpt_map_owner().
 */
int drm_gpt_map(struct drm_gpt *gpt, u64 first, const u64 *array, u32 nr,
		gfp_t gfp)
{
	return drm_gpt_map_owner(gpt, first, array, nr, DRM_GPT_OWNER_MIRROR, gfp);
}
EXPORT_SYMBOL_GPL(drm_gpt_map);
