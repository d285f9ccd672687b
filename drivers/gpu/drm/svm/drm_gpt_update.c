// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Updates: prepare takes everything that could be missing, so that commit, in
 * its caller's critical section, has nothing left to fail with.
 */

#include <linux/export.h>
#include <linux/slab.h>

#include "drm_gpt_internal.h"

/**
 * struct drm_gpt_pin - a table that an update holds
 * @node: in &drm_gpt_update.pinned, in order of addresses
 * @table: lowest table
 */
struct drm_gpt_pin {
	struct list_head node;
	struct drm_gpt_table *table;
};

/* ---- prepare ------------------------------------------------------------ */

/* As far down as there are tables: the lowest one over @va. Under RCU. */
static struct drm_gpt_table *drm_gpt_descend(struct drm_gpt *gpt, u64 va)
{
	struct drm_gpt_table *table = gpt->root, *child;
	u32 i;

	while (table->level) {
		i = drm_gpt_index(gpt, table->level, va);
		child = rcu_dereference(table->child[i]);
		if (!child)
			break;
		table = child;
	}
	return table;
}

static bool drm_gpt_pin_table(struct drm_gpt_table *table)
{
	bool alive;

	drm_gpt_lock(table);
	alive = !table->dead;
	if (alive)
		table->pins++;
	drm_gpt_unlock(table);
	return alive;
}

/* Puts @child in, unless somebody else has, or the parent is on its way out. */
static bool drm_gpt_insert(struct drm_gpt_table *parent,
			   struct drm_gpt_table *child, u32 index,
			   u32 *credits)
{
	bool won = false;

	drm_gpt_lock(parent);
	if (!parent->dead &&
	    !rcu_dereference_protected(parent->child[index],
				       lockdep_is_held(&parent->lock))) {
		child->parent = parent;
		child->index = index;
		/* Lowest tables are linked by the commit that fills them. */
		if (child->level) {
			child->linked = true;
			drm_gpt_write_child(parent, index, child, credits);
			drm_gpt_fence(parent->gpt, credits);
		}
		rcu_assign_pointer(parent->child[index], child);
		parent->nr_children++;
		won = true;
	}
	drm_gpt_unlock(parent);
	return won;
}

static u32 drm_gpt_insert_words(struct drm_gpt *gpt)
{
	if (!gpt->cmd)
		return 0;
	return drm_gpt_words(gpt, DRM_GPT_RUN_COPY, 1) + gpt->cmd->fence_words;
}

static int drm_gpt_reserve(struct drm_gpt *gpt, u32 words)
{
	return words ? gpt->cmd->reserve(gpt, words, false, true) : 0;
}

static void drm_gpt_release(struct drm_gpt *gpt, u32 words)
{
	if (words)
		gpt->cmd->release(gpt, words);
}

/* Makes one table, one level below the lowest that covers @va. */
static int drm_gpt_grow(struct drm_gpt_update *up, u64 va, u8 level, gfp_t gfp)
{
	struct drm_gpt *gpt = up->gpt;
	struct drm_gpt_table *parent, *child;
	u32 words = level ? drm_gpt_insert_words(gpt) : 0;
	bool won = false;
	int ret;

	child = drm_gpt_table_make(gpt, level, va, gfp);
	if (IS_ERR(child))
		return PTR_ERR(child);
	ret = drm_gpt_reserve(gpt, words);
	if (ret) {
		drm_gpt_table_free(child);
		return ret;
	}
	rcu_read_lock();
	parent = drm_gpt_descend(gpt, va);
	if (parent->level == level + 1)
		won = drm_gpt_insert(parent, child,
				     drm_gpt_index(gpt, parent->level, va),
				     &words);
	rcu_read_unlock();
	drm_gpt_release(gpt, words);
	if (!won)
		drm_gpt_table_free(child);
	return 0;
}

/* The lowest table over @va, pinned. */
static struct drm_gpt_table *drm_gpt_get_leaf_table(struct drm_gpt_update *up,
						    u64 va, gfp_t gfp)
{
	struct drm_gpt_table *table;
	u8 level;
	int ret;

	for (;;) {
		rcu_read_lock();
		table = drm_gpt_descend(up->gpt, va);
		level = table->level;
		if (!level && drm_gpt_pin_table(table)) {
			rcu_read_unlock();
			return table;
		}
		rcu_read_unlock();
		if (!level) {
			/* Being reclaimed: it goes as soon as its lock does. */
			cond_resched();
			continue;
		}
		ret = drm_gpt_grow(up, va, level - 1, gfp);
		if (ret)
			return ERR_PTR(ret);
	}
}

static int drm_gpt_pin(struct drm_gpt_update *up, u64 va, gfp_t gfp)
{
	struct drm_gpt_pin *pin = kmalloc_obj(*pin, gfp);
	struct drm_gpt_table *table;

	if (!pin)
		return -ENOMEM;
	table = drm_gpt_get_leaf_table(up, va, gfp);
	if (IS_ERR(table)) {
		kfree(pin);
		return PTR_ERR(table);
	}
	pin->table = table;
	list_add_tail(&pin->node, &up->pinned);
	return 0;
}

static void drm_gpt_unpin_all(struct drm_gpt_update *up)
{
	struct drm_gpt_pin *pin, *next;

	list_for_each_entry_safe(pin, next, &up->pinned, node) {
		drm_gpt_lock(pin->table);
		pin->table->pins--;
		drm_gpt_unlock(pin->table);
		kfree(pin);
	}
	INIT_LIST_HEAD(&up->pinned);
}

/*
 * Ring space for one lowest table in the worst case: link it (split a large
 * leaf or clear what is stale, then the entry above), every other entry a run
 * of its own or all of them one, fence.
 */
static u32 drm_gpt_commit_words(struct drm_gpt *gpt)
{
	u32 half = drm_gpt_entries(gpt, 0) / 2;

	return drm_gpt_seq_words(gpt, 0, drm_gpt_entries(gpt, 0)) * 2 +
	       drm_gpt_words(gpt, DRM_GPT_RUN_FILL, drm_gpt_entries(gpt, 0)) +
	       drm_gpt_words(gpt, DRM_GPT_RUN_COPY, 1) * (half + 2) +
	       drm_gpt_words(gpt, DRM_GPT_RUN_COPY, half) +
	       gpt->cmd->fence_words;
}

/**
 * drm_gpt_prepare() - take what an update may need
 * @gpt: page table
 * @up: the caller's, until drm_gpt_finish()
 * @first: first byte that may be committed, aligned to the smallest page
 * @last: last byte that may be committed, of a page
 * @gfp: how to allocate
 *
 * Makes missing tables and keeps all over the interval from reclaim, and takes
 * ring space for commits to each of them once. Tables that were made stay when
 * it fails, empty, for the next who needs them or drm_gpt_reclaim().
 *
 * Context: may sleep.
 * Return: 0; -EINVAL for an interval that is empty, unaligned, out of the
 * format's reach or too long for ring space to be counted, -ENOMEM, -ENODEV if
 * the command ring is dead; then nothing is held.
 */
int drm_gpt_prepare(struct drm_gpt *gpt, struct drm_gpt_update *up,
		    u64 first, u64 last, gfp_t gfp)
{
	u64 span, va, words = 0;
	int ret;

	might_sleep();
	if (!drm_gpt_range_ok(gpt, first, last))
		return -EINVAL;

	up->gpt = gpt;
	up->first = first;
	up->last = last;
	up->seq = 0;
	up->credits = 0;
	INIT_LIST_HEAD(&up->pinned);
	span = (drm_gpt_entry_mask(gpt, 0) + 1) << drm_gpt_level(gpt, 0)->bits;
	for (va = first; ; va = (va | (span - 1)) + 1) {
		ret = drm_gpt_pin(up, va, gfp);
		if (ret)
			goto unpin;
		if (gpt->cmd)
			words += drm_gpt_commit_words(gpt);
		if ((va | (span - 1)) >= last)
			break;
		cond_resched();
	}
	ret = words > U32_MAX ? -EINVAL : drm_gpt_reserve(gpt, words);
	if (ret)
		goto unpin;
	up->credits = words;
	/* Pairs with drm_gpt_zap(): it sees our tables, or we its caller's sign. */
	smp_mb();
	return 0;
unpin:
	drm_gpt_unpin_all(up);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpt_prepare);

/* ---- commit ------------------------------------------------------------- */

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
 * struct drm_gpt_piece - the part of it that falls into one lowest table
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

static void drm_gpt_clear_stale(struct drm_gpt_table *table, u32 *credits)
{
	u32 entries = drm_gpt_entries(table->gpt, 0);
	u32 first = find_first_bit(table->live, entries);
	u32 last;

	if (first == entries)
		return;
	last = find_last_bit(table->live, entries);
	drm_gpt_write_empty(table, first, last - first + 1, credits);
	drm_gpt_clear_bits(table, first, last - first + 1);
	atomic64_inc(&table->gpt->stats.relinks);
}

/* Fills the deposited table with the large leaf that it takes the place of. */
static void drm_gpt_split(struct drm_gpt_table *parent,
			  struct drm_gpt_table *table, u32 *credits)
{
	u32 entries = drm_gpt_entries(table->gpt, 0);

	drm_gpt_write_seq(table, 0, table->huge, entries, credits);
	drm_gpt_set_bits(table, 0, table->huge, entries);
	/* Until the fence the device has the large leaf, which says the same. */
	WRITE_ONCE(table->pending, max(table->pending, parent->pending));
}

/* Points the entry above here, whatever it held. Both are locked. */
static void drm_gpt_link(struct drm_gpt_table *parent,
			 struct drm_gpt_table *table, u32 *credits)
{
	bool huge = test_bit(table->index, parent->live);

	lockdep_assert_held(&parent->lock);
	lockdep_assert_held(&table->lock);
	if (huge)
		drm_gpt_split(parent, table, credits);
	else
		drm_gpt_clear_stale(table, credits);
	drm_gpt_write_child(parent, table->index, table, credits);
	/* Pairs with drm_gpt_find(): stale bits are gone before. */
	smp_store_release(&table->linked, true);
	if (huge) {
		/* Pairs with drm_gpt_find(): not a large leaf, so a linked table. */
		smp_wmb();
		drm_gpt_clear_bits(parent, table->index, 1);
	}
}

/* Leaves the table locked and linked. */
static void drm_gpt_lock_linked(struct drm_gpt_table *table, u32 *credits)
{
	struct drm_gpt_table *parent = table->parent;

	drm_gpt_lock(table);
	if (table->linked)
		return;
	drm_gpt_unlock(table);

	drm_gpt_lock(parent);
	drm_gpt_lock(table);
	if (!table->linked)
		drm_gpt_link(parent, table, credits);
	drm_gpt_unlock(parent);
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

/* All of them valid. */
static void drm_gpt_write_run(struct drm_gpt_table *table, u32 i,
			      const u64 *leaves, u32 n, u32 *credits)
{
	u64 step = drm_gpt_entry_mask(table->gpt, 0) + 1;

	if (table->gpt->cmd && n > 2 &&
	    drm_gpt_contiguous(leaves, n, step) == n)
		drm_gpt_write_seq(table, i, leaves[0], n, credits);
	else
		drm_gpt_write_leaves(table, i, leaves, n, credits);
}

static void drm_gpt_write_array(struct drm_gpt_table *table, u32 i,
				const u64 *leaves, u32 n, u32 *credits)
{
	u32 from, to, written = 0;

	for (from = 0; from < n; from = to) {
		to = from + 1;
		if (!(leaves[from] & DRM_GPT_LEAF_VALID))
			continue;
		while (to < n && (leaves[to] & DRM_GPT_LEAF_VALID))
			to++;
		drm_gpt_write_run(table, i + from, leaves + from, to - from,
				  credits);
		written += to - from;
	}
	atomic64_add(written, &table->gpt->stats.leaf_writes);
}

/*
 * Behind all that was written to @table and before its bits say so: a lookup
 * that is told of an entry reads the fence, or for a CPU's store has it before.
 */
static void drm_gpt_fence_table(struct drm_gpt_update *up,
				struct drm_gpt_table *table)
{
	if (up->gpt->cmd) {
		WRITE_ONCE(table->pending, drm_gpt_fence(up->gpt, &up->credits));
		up->seq = max(up->seq, table->pending);
	} else {
		drm_gpt_write_barrier(up->gpt);
	}
	/* Pairs with drm_gpt_has(): live bits come last. */
	smp_wmb();
}

static void drm_gpt_write_piece(struct drm_gpt_update *up,
				const struct drm_gpt_piece *p)
{
	if (p->array) {
		drm_gpt_write_array(p->table, p->i, p->array, p->n,
				    &up->credits);
		drm_gpt_fence_table(up, p->table);
		drm_gpt_note_leaves(p->table, p->i, p->array, p->n);
	} else {
		drm_gpt_write_seq(p->table, p->i, p->leaf, p->n, &up->credits);
		atomic64_add(p->n, &up->gpt->stats.leaf_writes);
		drm_gpt_fence_table(up, p->table);
		drm_gpt_set_bits(p->table, p->i, p->leaf, p->n);
	}
}

static bool drm_gpt_fits_huge(const struct drm_gpt_piece *p)
{
	struct drm_gpt *gpt = p->table->gpt;

	return !p->array && !p->i && p->n == drm_gpt_entries(gpt, 0) &&
	       drm_gpt_level(gpt, 1)->leaf &&
	       !(p->leaf & DRM_GPT_LEAF_ADDR & drm_gpt_entry_mask(gpt, 1));
}

static void drm_gpt_write_huge(struct drm_gpt_update *up,
			       struct drm_gpt_table *parent,
			       struct drm_gpt_table *table, u64 leaf)
{
	drm_gpt_write_seq(parent, table->index, leaf, 1, &up->credits);
	atomic64_inc(&up->gpt->stats.leaf_writes);
	table->huge = leaf;
	drm_gpt_fence_table(up, parent);
	drm_gpt_set_bits(parent, table->index, leaf, 1);
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
	struct drm_gpt_table *parent = p->table->parent;
	int ret = 0;

	drm_gpt_lock(parent);
	drm_gpt_lock(p->table);
	if (p->table->linked)
		ret = -EBUSY;
	else if (!drm_gpt_still_valid(leaves))
		ret = -EAGAIN;
	else
		drm_gpt_write_huge(up, parent, p->table, p->leaf);
	drm_gpt_unlock(p->table);
	drm_gpt_unlock(parent);
	return ret;
}

static int drm_gpt_commit_piece(struct drm_gpt_update *up,
				const struct drm_gpt_piece *p,
				const struct drm_gpt_leaves *leaves)
{
	int ret;

	if (drm_gpt_fits_huge(p)) {
		ret = drm_gpt_commit_huge(up, p, leaves);
		if (ret != -EBUSY)
			return ret;
	}

	drm_gpt_lock_linked(p->table, &up->credits);
	ret = drm_gpt_still_valid(leaves) ? 0 : -EAGAIN;
	if (!ret)
		drm_gpt_write_piece(up, p);
	else
		drm_gpt_fence_table(up, p->table);
	drm_gpt_unlock(p->table);
	return ret;
}

static bool drm_gpt_any_valid(const u64 *leaves, u32 n)
{
	while (n--)
		if (leaves[n] & DRM_GPT_LEAF_VALID)
			return true;
	return false;
}

/* What of @leaves is for @table; false if nothing is. */
static bool drm_gpt_cut(struct drm_gpt_table *table,
			const struct drm_gpt_leaves *leaves,
			struct drm_gpt_piece *p)
{
	struct drm_gpt *gpt = table->gpt;
	u8 shift = drm_gpt_level(gpt, 0)->shift;
	u64 end = drm_gpt_slot_last(table, drm_gpt_entries(gpt, 0) - 1);
	u64 from = max(leaves->first, table->base);
	u64 to = min(leaves->last, end);
	u64 skip;

	if (from > to)
		return false;
	skip = (from - leaves->first) >> shift;
	p->table = table;
	p->i = drm_gpt_index(gpt, 0, from);
	p->n = ((to - from) >> shift) + 1;
	p->array = leaves->array;
	p->leaf = leaves->leaf + (skip << shift);
	if (p->array) {
		p->array += skip;
		p->leaf = p->array[0];
		if (drm_gpt_contiguous(p->array, p->n, 1ULL << shift) == p->n)
			p->array = NULL;
		else if (!drm_gpt_any_valid(p->array, p->n))
			return false;
	}
	return true;
}

static int drm_gpt_commit_leaves(struct drm_gpt_update *up,
				 const struct drm_gpt_leaves *leaves)
{
	struct drm_gpt_piece piece;
	struct drm_gpt_pin *pin;
	int ret;

	if (!drm_gpt_range_ok(up->gpt, leaves->first, leaves->last) ||
	    leaves->first < up->first || leaves->last > up->last)
		return -EINVAL;

	list_for_each_entry(pin, &up->pinned, node) {
		if (pin->table->base > leaves->last)
			break;
		if (!drm_gpt_cut(pin->table, leaves, &piece))
			continue;
		ret = drm_gpt_commit_piece(up, &piece, leaves);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * drm_gpt_commit() - map pages
 * @up: prepared
 * @first: address of the first page
 * @array: one leaf per page of the lowest level; one without
 *	%DRM_GPT_LEAF_VALID leaves what is there as it is
 * @nr: number of leaves
 * @valid: asked under the lock of each table that is written; NULL: always
 * @data: for @valid
 *
 * Allocates nothing. Writes a table at a time; tables before the one whose check
 * failed have been written, for the invalidation that made it fail to clear.
 * Writes one large leaf where pages that follow each other fill a table that is
 * not in use. Mapping over something that is mapped otherwise changes it at
 * once; to have the device forget the old is left to the caller, which zaps
 * first where that matters.
 *
 * May be called once per table and prepare where there is a command ring.
 *
 * Context: atomic; takes table locks.
 * Return: 0, -EINVAL if the pages are not within what was prepared, -EAGAIN if
 * @valid said no.
 */
int drm_gpt_commit(struct drm_gpt_update *up, u64 first, const u64 *array,
		   u32 nr, drm_gpt_valid_fn valid, void *data)
{
	const struct drm_gpt_leaves leaves = {
		.first = first,
		.last = first +
			((u64)nr << drm_gpt_level(up->gpt, 0)->shift) - 1,
		.array = array,
		.valid = valid,
		.data = data,
	};

	return nr ? drm_gpt_commit_leaves(up, &leaves) : -EINVAL;
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
 * Return: as drm_gpt_commit(); -EINVAL also if @leaf is not valid.
 */
int drm_gpt_commit_seq(struct drm_gpt_update *up, u64 first, u64 leaf, u32 nr,
		       drm_gpt_valid_fn valid, void *data)
{
	const struct drm_gpt_leaves leaves = {
		.first = first,
		.last = first +
			((u64)nr << drm_gpt_level(up->gpt, 0)->shift) - 1,
		.leaf = leaf,
		.valid = valid,
		.data = data,
	};

	if (!nr || !(leaf & DRM_GPT_LEAF_VALID))
		return -EINVAL;
	return drm_gpt_commit_leaves(up, &leaves);
}
EXPORT_SYMBOL_GPL(drm_gpt_commit_seq);

/**
 * drm_gpt_update_fence() - what to wait for before the device is told
 * @up: after its commits
 *
 * The ring runs in order, so this covers tables too that others have inserted
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
 * Context: process or atomic.
 */
void drm_gpt_finish(struct drm_gpt_update *up)
{
	drm_gpt_unpin_all(up);
	drm_gpt_release(up->gpt, up->credits);
	up->credits = 0;
}
EXPORT_SYMBOL_GPL(drm_gpt_finish);
