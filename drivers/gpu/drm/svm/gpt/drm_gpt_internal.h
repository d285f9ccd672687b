/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_INTERNAL_H_
#define _DRM_GPT_INTERNAL_H_

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/container_of.h>
#include <linux/llist.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include <drm/drm_gpt.h>

#include "../drm_svm_planted.h"

struct shrink_control;
struct shrinker;

/**
 * struct drm_gpt_table - one table, as the CPU keeps it
 * @lock: guards all but what is said to be constant
 * @link: equal to the parent's &drm_gpt_dir.epoch: the entry above points here. Changed under
 *	this lock and the parent's. Set with release: a lookup that sees it sees
 *	no stale bit. 0: it never did; %DRM_GPT_UNLINKED: a zap took it out
 * @pins: updates in flight that keep it from reclaim; negative: it is dead, and
 *	whoever finds it walks again
 * @level: constant
 * @local: &drm_gpt_mem.local; constant
 * @beside_local: the same of the table beside; constant
 * @state: DRM_GPT_IDLE, and whose leaves they are, see drm_gpt_owner.c; read without
 *	the lock by who looks for such, or comes
 * @index: slot in @parent; constant
 * @parent: constant; a table lives as long as its children
 * @next: once out of its parent: in &drm_gpt_gather.tables
 * @rcu: then, between the flush and the end of the grace period
 * @freed: then, until it is freed
 * @base: first address it covers; constant
 * @gpt: constant
 * @cpu: &drm_gpt_mem.cpu; constant
 * @addr: &drm_gpt_mem.addr; constant
 * @priv: &drm_gpt_mem.priv; constant, but see:
 * @owners: with DRM_GPT_OWNERS, whose each leaf is
 * @child: level > 0: children; written under @lock, read under RCU. Behind them
 *	lie the bitmaps, one bit per entry: live (it is a leaf; if the table is not
 *	linked that is stale: still in memory, to be cleared before it is linked
 *	again); if the level has hints: hinted, one bit per group; with commands:
 *	writable, good for atomics, and &struct drm_gpt_side; if there is a table
 *	beside, &struct drm_gpt_beside.
 *
 * 72 bytes and a bit per entry: less than 4 % of the 4 KiB that the device reads.
 */
struct drm_gpt_table {
	spinlock_t lock;	/* see @lock above: all that is not constant */
	u32 link;
	atomic_t pins;
	u8 level : 4;
	u8 local : 1;
	u8 beside_local : 1;
	u8 state;
	u16 index;
	union {
		struct drm_gpt_table *parent;
		struct drm_gpt_table *next;
		struct rcu_head rcu;
		struct llist_node freed;
	};
	u64 base;
	struct drm_gpt *gpt;
	void *cpu;
	u64 addr;
	union {
		void *priv;
		struct drm_gpt_owners *owners;
	};
	struct drm_gpt_table __rcu *child[];
};

/**
 * struct drm_gpt_owners - of a table whose leaves may be of both
 * @priv: &drm_gpt_table.priv as it was
 * @bits: one per entry, set for owner 1
 */
struct drm_gpt_owners {
	void *priv;
	unsigned long bits[];
};

/* &drm_gpt_table.state. It may be for the shrinker, see &drm_gpt_shrink.idle. */
#define DRM_GPT_IDLE		BIT(0)
/* Who has ever come to it or below. */
#define DRM_GPT_CAME(owner)	BIT(1 + (owner))
#define DRM_GPT_CAME_BOTH	(DRM_GPT_CAME(0) | DRM_GPT_CAME(1))
/* Whose all leaves are, unless there are bits. */
#define DRM_GPT_OWNED_BY_1	BIT(3)
/* There are: &drm_gpt_table.owners. */
#define DRM_GPT_OWNERS		BIT(4)

/**
 * struct drm_gpt_dir - a table that has tables below
 * @epoch: number that children link to. When this table is linked again it
 *	grows, and by that unlinks all children at once. Under its lock
 * @nr_children: children there are. Under its lock
 * @table: the table; the last, since it ends in an array
 */
struct drm_gpt_dir {
	u32 epoch;
	u32 nr_children;
	struct drm_gpt_table table;
};

/* &drm_gpt_table.link where no epoch is meant; neither is ever one. */
#define DRM_GPT_NEVER_LINKED	0
#define DRM_GPT_UNLINKED	U32_MAX

/* &drm_gpt_table.pins of a table that reclaim has taken out. */
#define DRM_GPT_DEAD	(-1)

/**
 * struct drm_gpt_side - what memory cannot tell while commands are on their way
 * @pending: fence behind the last commit to the table, stored before the bits of
 *	that commit. Stored under the lock and read without: atomic, since a 32-bit
 *	CPU would read the half of one and the half of another
 * @busy: a fence behind all commands for the table and for the entry that points
 *	to it, taken or still to be; only with &drm_gpt_config.cpu_max
 * @known: leaves as they were committed: of a directory that may hold some, one
 *	per entry; of a lowest table with hints in its entries, the first of each
 *	group
 *
 * All but @pending under the lock.
 */
struct drm_gpt_side {
	atomic64_t pending;
	u64 busy;
	u64 known[];
};

/**
 * struct drm_gpt_beside - memory of the table beside a lowest one, as of
 * &struct drm_gpt_mem; all constant
 * @addr: where the device finds it
 * @cpu: where the CPU reaches it, NULL if it does not
 * @priv: the allocator's
 */
struct drm_gpt_beside {
	u64 addr;
	void *cpu;
	void *priv;
};

/* Entries encoded on the stack before they are recorded. */
#define DRM_GPT_CHUNK	32

/* ---- geometry ------------------------------------------------------------ */

static inline const struct drm_gpt_level *
drm_gpt_level(const struct drm_gpt *gpt, u8 level)
{
	return &gpt->levels[level];
}

static inline u32 drm_gpt_entries(const struct drm_gpt *gpt, u8 level)
{
	return 1U << drm_gpt_level(gpt, level)->bits;
}

static inline u32 drm_gpt_table_bytes(const struct drm_gpt *gpt, u8 level)
{
	return drm_gpt_entries(gpt, level) <<
	       drm_gpt_level(gpt, level)->entry_shift;
}

static inline u32 drm_gpt_index(const struct drm_gpt *gpt, u8 level, u64 va)
{
	return (va >> drm_gpt_level(gpt, level)->shift) &
	       (drm_gpt_entries(gpt, level) - 1);
}

/* Bytes of VA below one entry, less one: no overflow at the top. */
static inline u64 drm_gpt_entry_mask(const struct drm_gpt *gpt, u8 level)
{
	return (1ULL << drm_gpt_level(gpt, level)->shift) - 1;
}

/* Bytes of VA below one table, less one. */
static inline u64 drm_gpt_table_mask(const struct drm_gpt *gpt, u8 level)
{
	return (drm_gpt_entry_mask(gpt, level) << drm_gpt_level(gpt, level)->bits) |
	       (drm_gpt_entries(gpt, level) - 1);
}

/*
 * Which of the tables of a level it is, counted by addresses. Not one shift: the
 * highest may cover all that 64 bits can say.
 */
static inline u64 drm_gpt_table_number(const struct drm_gpt *gpt, u8 level, u64 va)
{
	const struct drm_gpt_level *l = drm_gpt_level(gpt, level);

	return va >> l->shift >> l->bits;
}

static inline u64 drm_gpt_slot_first(const struct drm_gpt_table *table, u32 i)
{
	u64 offset = (u64)i << drm_gpt_level(table->gpt, table->level)->shift;

	if (drm_gpt_planted(DRM_GPT_PLANTED_SHIFT_32))
		offset = (u32)offset;
	return table->base + offset;
}

static inline u64 drm_gpt_slot_last(const struct drm_gpt_table *table, u32 i)
{
	return drm_gpt_slot_first(table, i) +
	       drm_gpt_entry_mask(table->gpt, table->level);
}

static inline u8 drm_gpt_top(const struct drm_gpt *gpt)
{
	return gpt->top;
}

static inline u64 drm_gpt_last(const struct drm_gpt *gpt)
{
	return gpt->last;
}

static inline u32 drm_gpt_size(const struct drm_gpt_table *table)
{
	return drm_gpt_entries(table->gpt, table->level);
}

static inline struct drm_gpt_dir *drm_gpt_dir(const struct drm_gpt_table *table)
{
	return container_of(table, struct drm_gpt_dir, table);
}

static inline u32 drm_gpt_nr_children(const struct drm_gpt_table *table)
{
	return table->level ? drm_gpt_dir(table)->nr_children : 0;
}

/* Whole pages of a level that maps some. */
static inline bool drm_gpt_range_ok(const struct drm_gpt *gpt, u64 first, u64 last,
				    u8 level)
{
	u64 mask;

	if (level > drm_gpt_top(gpt) || !drm_gpt_level(gpt, level)->leaf)
		return false;
	mask = drm_gpt_entry_mask(gpt, level);
	return first <= last && last <= drm_gpt_last(gpt) && !(first & mask) &&
	       (last & mask) == mask;
}

/* ---- bits ---------------------------------------------------------------- */

static inline unsigned long *drm_gpt_live(const struct drm_gpt_table *table)
{
	u32 children = table->level ? drm_gpt_size(table) : 0;

	return (unsigned long *)&table->child[children];
}

static inline u32 drm_gpt_groups(const struct drm_gpt *gpt, u8 level)
{
	const struct drm_gpt_level *l = drm_gpt_level(gpt, level);

	return l->hint ? 1U << (l->bits - l->hint) : 0;
}

static inline unsigned long *drm_gpt_hinted(const struct drm_gpt_table *table)
{
	return drm_gpt_live(table) + BITS_TO_LONGS(drm_gpt_size(table));
}

/* With commands only, as the three that follow. */
static inline unsigned long *drm_gpt_writable(const struct drm_gpt_table *table)
{
	return drm_gpt_hinted(table) +
	       BITS_TO_LONGS(drm_gpt_groups(table->gpt, table->level));
}

static inline unsigned long *drm_gpt_atomic(const struct drm_gpt_table *table)
{
	return drm_gpt_writable(table) + BITS_TO_LONGS(drm_gpt_size(table));
}

static inline struct drm_gpt_side *drm_gpt_side(const struct drm_gpt_table *table)
{
	unsigned long *end = drm_gpt_atomic(table) +
			     BITS_TO_LONGS(drm_gpt_size(table));

	return (struct drm_gpt_side *)PTR_ALIGN(end, __alignof__(struct drm_gpt_side));
}

static inline bool drm_gpt_has_beside(const struct drm_gpt *gpt, u8 level)
{
	return drm_gpt_level(gpt, level)->beside;
}

/* How many &drm_gpt_side.known there are. */
static inline u32 drm_gpt_nr_known(const struct drm_gpt *gpt, u8 level)
{
	if (level && drm_gpt_level(gpt, level)->leaf)
		return drm_gpt_entries(gpt, level);
	return drm_gpt_has_beside(gpt, level) ? 0 : drm_gpt_groups(gpt, level);
}

/* Of a level that has it; behind all else. */
static inline struct drm_gpt_beside *
drm_gpt_beside(const struct drm_gpt_table *table)
{
	void *end = drm_gpt_writable(table);

	if (table->gpt->cmd)
		end = &drm_gpt_side(table)->known[drm_gpt_nr_known(table->gpt,
								   table->level)];
	return PTR_ALIGN(end, __alignof__(struct drm_gpt_beside));
}

/* ---- owners -------------------------------------------------------------- */

/* Where both have come and leaves may be: one bit for each, set for owner 1. */
static inline unsigned long *drm_gpt_owners(const struct drm_gpt_table *table)
{
	return table->state & DRM_GPT_OWNERS ? table->owners->bits : NULL;
}

/* Whose leaf, which is live, is at entry @i? */
static inline u8 drm_gpt_owner_at(const struct drm_gpt_table *table, u32 i)
{
	const unsigned long *owners = drm_gpt_owners(table);

	lockdep_assert_held(&table->lock);
	return owners ? test_bit(i, owners) : !!(table->state & DRM_GPT_OWNED_BY_1);
}

/*
 * Can leaves of @owner be written? Where both have come, there are bits; else all
 * are of one, or there are none.
 */
static inline bool drm_gpt_may_own(const struct drm_gpt_table *table, u8 owner)
{
	lockdep_assert_held(&table->lock);
	return (table->state & DRM_GPT_OWNERS) ||
	       !!(table->state & DRM_GPT_OWNED_BY_1) == owner ||
	       bitmap_empty(drm_gpt_live(table), drm_gpt_size(table));
}

/* May @owner be among those whose leaves are below? */
static inline bool drm_gpt_has_come(const struct drm_gpt_table *table, u8 owner)
{
	return READ_ONCE(table->state) & DRM_GPT_CAME(owner);
}

/* ---- locks --------------------------------------------------------------- */

/* A child while its parent is locked: the class says which is inside. */
static inline void drm_gpt_lock(struct drm_gpt_table *table)
{
	spin_lock_nested(&table->lock, drm_gpt_top(table->gpt) - table->level);
}

static inline void drm_gpt_unlock(struct drm_gpt_table *table)
{
	spin_unlock(&table->lock);
}

static inline struct drm_gpt_table *drm_gpt_child(struct drm_gpt_table *table,
						  u32 i)
{
	return rcu_dereference_protected(table->child[i],
					 lockdep_is_held(&table->lock));
}

/* Not taken out by reclaim. Stable under the lock. */
static inline bool drm_gpt_alive(const struct drm_gpt_table *table)
{
	return atomic_read(&table->pins) >= 0;
}

/* Does the entry above point here? Stable under either lock. */
static inline bool drm_gpt_linked(const struct drm_gpt_table *table)
{
	return !table->parent ||
	       READ_ONCE(table->link) ==
		       READ_ONCE(drm_gpt_dir(table->parent)->epoch);
}

/* Does every entry on the way from the root point on? For tables not dead. */
static inline bool drm_gpt_reachable(const struct drm_gpt_table *table)
{
	for (; table->parent; table = table->parent)
		if (!drm_gpt_linked(table))
			return false;
	return true;
}

/* As far down as there are tables, not below @level. Under RCU. */
static inline struct drm_gpt_table *drm_gpt_descend(struct drm_gpt *gpt, u64 va,
						    u8 level)
{
	const struct drm_gpt_level *l = &gpt->levels[gpt->top];
	struct drm_gpt_table *table = gpt->root, *child;

	for (; l > &gpt->levels[level]; l--, table = child) {
		child = rcu_dereference(table->child[(va >> l->shift) &
						     ((1U << l->bits) - 1)]);
		if (!child)
			break;
	}
	return table;
}

/*
 * The table whose entry *@i decides about @va: what is below is not there, or not
 * linked. Writes nothing shared. Under RCU.
 */
static __always_inline struct drm_gpt_table *drm_gpt_find(struct drm_gpt *gpt,
							  u64 va, u32 *i)
{
	/* Levels are counted, not read from tables: one load less to wait for. */
	const struct drm_gpt_step *step = &gpt->steps[gpt->top];
	struct drm_gpt_table *table = gpt->root, *child;

	for (; ; table = child, step--) {
		*i = (va >> step->shift) & step->mask;
		if (step == gpt->steps)
			return table;
		child = rcu_dereference(table->child[*i]);
		/* Pairs with drm_gpt_link(): its bits are not stale. */
		if (!child || smp_load_acquire(&child->link) !=
			      READ_ONCE(drm_gpt_dir(table)->epoch))
			return table;
	}
}

/* ---- what the shrinker looks for ------------------------------------------- */

/*
 * It holds nothing, or nobody reaches it, or that is likely: a scan looks again.
 * Under its lock, as the others, or before anybody else can find it.
 */
static inline void drm_gpt_mark_idle(struct drm_gpt_table *table)
{
	struct drm_gpt *gpt = table->gpt;

	/* Nobody looks; it is known; or it is the root, which stays. */
	if (!gpt->flush || (table->state & DRM_GPT_IDLE) || !table->parent)
		return;
	WRITE_ONCE(table->state, table->state | DRM_GPT_IDLE);
	atomic_inc(&gpt->shrink.idle);
}

static inline void drm_gpt_mark_used(struct drm_gpt_table *table)
{
	if (!(table->state & DRM_GPT_IDLE))
		return;
	WRITE_ONCE(table->state, table->state & ~DRM_GPT_IDLE);
	atomic_dec(&table->gpt->shrink.idle);
}

/* Entries went. Who finds some left, or is marked, is in the common case. */
static inline void drm_gpt_mark_if_empty(struct drm_gpt_table *table)
{
	lockdep_assert_held(&table->lock);
	if (table->gpt->flush && !(table->state & DRM_GPT_IDLE) &&
	    !drm_gpt_nr_children(table) &&
	    bitmap_empty(drm_gpt_live(table), drm_gpt_size(table)))
		drm_gpt_mark_idle(table);
}

/* The entry above went. What is below is not visited: it is counted as a whole. */
static inline void drm_gpt_mark_unlinked(struct drm_gpt_table *table)
{
	lockdep_assert_held(&table->lock);
	drm_gpt_mark_idle(table);
	if (!drm_gpt_nr_children(table))
		return;
	/* Pairs with drm_gpt_shrink_begin(): the table is not linked. */
	smp_store_release(&table->gpt->shrink.all, 1);
}

/* ---- between the files ---------------------------------------------------- */

/*
 * Where the words that a zap or reclaim records are taken from, NULL if the
 * ring is dead: then nobody reads it, and nothing is recorded.
 */
static inline u32 *drm_gpt_gather_credits(struct drm_gpt_gather *gather)
{
	return gather->dead ? NULL : &gather->credits;
}

/* drm_gpt_table.c */
int drm_gpt_table_module_init(void);
void drm_gpt_table_module_exit(void);
struct drm_gpt_table *drm_gpt_table_make(struct drm_gpt *gpt, u8 level, u64 va,
					 gfp_t gfp);
void drm_gpt_table_free(struct drm_gpt_table *table);
void drm_gpt_table_free_later(struct drm_gpt_table *table);

/* drm_gpt_shrink.c */
int drm_gpt_shrink_module_init(void);
void drm_gpt_shrink_module_exit(void);
void drm_gpt_shrink_add(struct drm_gpt *gpt);
void drm_gpt_shrink_remove(struct drm_gpt *gpt);
void drm_gpt_shrink_free_stuck(struct drm_gpt *gpt);
unsigned long drm_gpt_shrink_count(struct shrinker *shrinker,
				   struct shrink_control *sc);
unsigned long drm_gpt_shrink_scan(struct shrinker *shrinker,
				  struct shrink_control *sc);

/* drm_gpt_reclaim.c */
bool drm_gpt_reclaim_one(struct drm_gpt_gather *gather, u64 va, u8 level);

/* drm_gpt_entry.c */
void drm_gpt_write_empty(struct drm_gpt_table *table, u32 i, u32 n,
			 u32 *credits);
void drm_gpt_write_seq(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n,
		       u32 *credits);
u32 drm_gpt_record_leaves(struct drm_gpt_table *table, u32 i,
			  const u64 *leaves, u32 n, u32 *credits);
bool drm_gpt_stores_small(struct drm_gpt_table *table, u32 n);
void drm_gpt_write_beside(struct drm_gpt_table *table, u32 group, u64 leaf, u32 n,
			  u32 *credits);
void drm_gpt_write_child(struct drm_gpt_table *table, u32 i,
			 struct drm_gpt_table *child, u32 *credits);
u64 drm_gpt_fence(struct drm_gpt *gpt, u32 *credits);
u32 drm_gpt_words(struct drm_gpt *gpt, enum drm_gpt_run_kind kind, u32 n);
u32 drm_gpt_seq_words(struct drm_gpt *gpt, u8 level, u32 n);
void drm_gpt_set_bits(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n);
void drm_gpt_note_side(struct drm_gpt_table *table, u32 i, const u64 *leaves,
		       u32 n);
void drm_gpt_hint_forget(struct drm_gpt_table *table, u32 i, u32 n);
void drm_gpt_clear_bits(struct drm_gpt_table *table, u32 i, u32 n);
u64 drm_gpt_read(const struct drm_gpt_table *table, u32 i);
u64 drm_gpt_leaf_at(const struct drm_gpt_table *table, u32 i);

/* drm_gpt_owner.c */
int drm_gpt_owner_come_first(struct drm_gpt_table *table, u8 owner, gfp_t gfp);
void drm_gpt_own_otherwise(struct drm_gpt_table *table, u32 i, u32 n,
			   const u64 *leaves, u8 owner);
u8 drm_gpt_owner_all(const struct drm_gpt_table *table);
u32 drm_gpt_owner_run(const struct drm_gpt_table *table, u32 *i, u32 end, u8 owner);
bool drm_gpt_owner_only(const struct drm_gpt_table *table, u8 owner);

/* drm_gpt_link.c */
u32 drm_gpt_link_words(struct drm_gpt *gpt, u8 level);
bool drm_gpt_lock_linked(struct drm_gpt_table *table, u32 *credits);

/* drm_gpt_hint.c */
u32 drm_gpt_unhint_words(struct drm_gpt *gpt, u8 level);
void drm_gpt_unhint(struct drm_gpt_table *table, u32 i, u32 n, u32 *credits);
void drm_gpt_unhint_groups(struct drm_gpt_table *table, u32 first, u32 end,
			   u32 *credits);
void drm_gpt_hint_widen(const struct drm_gpt_table *table, u32 *first,
			u32 *last);
u64 drm_gpt_group_leaf(const struct drm_gpt_table *table, u32 i);
bool drm_gpt_may_hint(const struct drm_gpt_table *table, u32 i);
u32 drm_gpt_next_hinted(const struct drm_gpt_table *table, u32 i, u32 end);
void drm_gpt_hint_set(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n);

/* drm_gpt_prepare.c */
int drm_gpt_reserve(struct drm_gpt_update *up);
void drm_gpt_unreserve(struct drm_gpt_update *up);

/* ---- what every commit goes through ---------------------------------------- */

/*
 * @owner is going to write to @table, which is pinned, or to the entry above. Where he
 * has been before there is nothing to do.
 */
static inline int drm_gpt_owner_come(struct drm_gpt_table *table, u8 owner, gfp_t gfp)
{
	u8 state = READ_ONCE(table->state);

	if (likely((state & (DRM_GPT_CAME_BOTH | DRM_GPT_OWNERS)) == DRM_GPT_CAME(owner)))
		return 0;
	return drm_gpt_owner_come_first(table, owner, gfp);
}

/* @n entries from @i on are @owner's now: of @leaves, if given, those that are valid. */
static inline void drm_gpt_own(struct drm_gpt_table *table, u32 i, u32 n,
			       const u64 *leaves, u8 owner)
{
	u8 now = owner ? DRM_GPT_OWNED_BY_1 : 0;

	lockdep_assert_held(&table->lock);
	if (unlikely((table->state & (DRM_GPT_OWNED_BY_1 | DRM_GPT_OWNERS)) != now))
		drm_gpt_own_otherwise(table, i, n, leaves, owner);
}

/* Orders stores to tables for a device that walks them. */
static inline void drm_gpt_write_barrier(struct drm_gpt *gpt)
{
	if (!gpt->cmd || gpt->cpu_max)
		dma_wmb();
}

static inline void *drm_gpt_entry_cpu(const struct drm_gpt_table *table, u32 i)
{
	return table->cpu +
	       ((size_t)i << drm_gpt_level(table->gpt, table->level)->entry_shift);
}

/* Before anything that a device could take for permission to read them. */
static inline void drm_gpt_sync(const struct drm_gpt_table *table, u32 i, u32 n)
{
	struct drm_gpt *gpt = table->gpt;
	u8 shift = drm_gpt_level(gpt, table->level)->entry_shift;

	if (unlikely(gpt->mem->sync) && n)
		gpt->mem->sync(gpt, table->addr + ((u64)i << shift), n << shift);
}

/* Is it for the CPU to write @n entries of the table? */
static inline bool drm_gpt_stores(struct drm_gpt_table *table, u32 n)
{
	return likely(!table->gpt->cmd) || drm_gpt_stores_small(table, n);
}

/* Leaves one by one, up to the first that is not valid. How many it were. */
static inline u32 drm_gpt_write_leaves(struct drm_gpt_table *table, u32 i,
				       const u64 *leaves, u32 n, u32 *credits)
{
	lockdep_assert_held(&table->lock);
	if (unlikely(!drm_gpt_stores(table, n)))
		return drm_gpt_record_leaves(table, i, leaves, n, credits);
	n = table->gpt->format->fill_leaves(table->gpt, drm_gpt_entry_cpu(table, i),
					    table->level, leaves, n);
	drm_gpt_sync(table, i, n);
	return n;
}

/* What lookups are told of @n leaves, all valid. */
static inline void drm_gpt_note_leaves(struct drm_gpt_table *table, u32 i,
				       const u64 *leaves, u32 n)
{
	if (unlikely(table->gpt->cmd))
		drm_gpt_note_side(table, i, leaves, n);
	else if (n == 1)
		__set_bit(i, drm_gpt_live(table));
	else
		bitmap_set(drm_gpt_live(table), i, n);
}

/* Bytes of a group, less one; 0 if the level has none. */
static inline u64 drm_gpt_hint_mask(const struct drm_gpt *gpt, u8 level)
{
	const struct drm_gpt_level *l = drm_gpt_level(gpt, level);

	return l->hint ? (1ULL << (l->shift + l->hint)) - 1 : 0;
}

/* Entries some of which are about to be written: hints of their groups go. */
static inline void drm_gpt_unhint_all(struct drm_gpt_table *table, u32 i, u32 n,
				      u32 *credits)
{
	u8 shift = drm_gpt_level(table->gpt, table->level)->hint;
	u32 first = i >> shift, last = (i + n - 1) >> shift;
	unsigned long *hinted;

	lockdep_assert_held(&table->lock);
	if (!shift || !table->gpt->format->replace_ok)
		return;
	hinted = drm_gpt_hinted(table);
	if (first != last)
		first = find_next_bit(hinted, last + 1, first);
	else if (likely(!test_bit(first, hinted)))
		return;
	if (unlikely(first <= last))
		drm_gpt_unhint_groups(table, first, last + 1, credits);
}

/*
 * What entries say is about to change, or they were stale: entries beside that
 * speak of them go first. Where the hint is in the entries, it goes with them.
 */
static inline void drm_gpt_drop_beside(struct drm_gpt_table *table, u32 i, u32 n,
				       u32 *credits)
{
	if (drm_gpt_has_beside(table->gpt, table->level) &&
	    !drm_gpt_planted(DRM_GPT_PLANTED_BESIDE_LEFT))
		drm_gpt_unhint_all(table, i, n, credits);
}

/* drm_gpt_commit.c */
void drm_gpt_fence_commands(struct drm_gpt_update *up, struct drm_gpt_table *table);

/* Is there something to fence? If the CPU may store small runs, perhaps not. */
static inline bool drm_gpt_recorded(const struct drm_gpt_update *up)
{
	if (!up->gpt->cmd)
		return false;
	return !up->gpt->cpu_max || up->credits != up->fenced;
}

/*
 * Behind all that was written to @table and before its bits say so: a lookup
 * that is told of an entry reads the fence, or for a CPU's store has it before.
 */
static inline void drm_gpt_fence_table(struct drm_gpt_update *up,
				       struct drm_gpt_table *table)
{
	drm_gpt_write_barrier(up->gpt);
	if (unlikely(drm_gpt_recorded(up)))
		drm_gpt_fence_commands(up, table);
	/* Pairs with drm_gpt_has(): live bits come last. */
	smp_wmb();
}

/* drm_gpt_gather.c */
void drm_gpt_gather_flush(struct drm_gpt_gather *gather, u64 first, u64 last);
void drm_gpt_gather_add(struct drm_gpt_gather *gather, u64 first, u64 last);
void drm_gpt_gather_directory(struct drm_gpt_gather *gather);
void drm_gpt_gather_deposit(struct drm_gpt_gather *gather,
			    const struct drm_gpt_table *deposit);
void drm_gpt_gather_free(struct drm_gpt_gather *gather);

#endif /* _DRM_GPT_INTERNAL_H_ */
