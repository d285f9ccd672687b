/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_INTERNAL_H_
#define _DRM_GPT_INTERNAL_H_

#include <linux/bitmap.h>
#include <linux/llist.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <drm/drm_gpt.h>

/**
 * struct drm_gpt_table - one table, as the CPU keeps it
 * @lock: guards all but what is said to be constant; outer before inner level
 * @level: constant
 * @linked: the entry above points here. Changed under this lock and the
 *	parent's, so either is enough to read it. Lowest tables start unlinked
 *	and are linked by the first commit; the others are linked when inserted.
 *	Set with release: a lookup that sees it sees no stale bit.
 * @dead: taken out by reclaim; whoever finds it walks again
 * @index: slot in @parent; constant
 * @pins: updates in flight that keep it from reclaim
 * @nr_children: children in @child
 * @base: first address it covers; constant
 * @pending: cmdbuf: fence behind the last commit to it, stored before the
 *	bits of that commit
 * @huge: while the slot above holds a large leaf: that leaf. The table is then
 *	the deposit for splitting it.
 * @parent: constant; a table lives as long as its children
 * @gpt: constant
 * @mem: the hardware's table; constant
 * @node: in &drm_gpt_gather.tables
 * @rcu: instead of @node, between the flush and the end of the grace period
 * @freed: instead of @rcu, then until it is freed
 * @live: entries that are leaves. If !@linked they are stale: still in memory,
 *	to be cleared before the table is linked again.
 * @write: of these, writable
 * @atomic: of these, good for atomics
 * @child: level > 0: children; written under @lock, read under RCU
 */
struct drm_gpt_table {
	spinlock_t lock;	/* see @lock above: all that is not constant */
	u8 level;
	bool linked;
	bool dead;
	u16 index;
	u32 pins;
	u32 nr_children;
	u64 base;
	u64 pending;
	u64 huge;
	struct drm_gpt_table *parent;
	struct drm_gpt *gpt;
	struct drm_gpt_mem mem;
	union {
		struct list_head node;
		struct rcu_head rcu;
		struct llist_node freed;
	};
	DECLARE_BITMAP(live, DRM_GPT_MAX_ENTRIES);
	DECLARE_BITMAP(write, DRM_GPT_MAX_ENTRIES);
	DECLARE_BITMAP(atomic, DRM_GPT_MAX_ENTRIES);
	struct drm_gpt_table __rcu *child[];
};

/* Entries encoded on the stack before they are recorded. */
#define DRM_GPT_CHUNK	32

static inline const struct drm_gpt_level *
drm_gpt_level(const struct drm_gpt *gpt, u8 level)
{
	return &gpt->format->levels[level];
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

static inline u64 drm_gpt_slot_first(const struct drm_gpt_table *table, u32 i)
{
	return table->base +
	       ((u64)i << drm_gpt_level(table->gpt, table->level)->shift);
}

static inline u64 drm_gpt_slot_last(const struct drm_gpt_table *table, u32 i)
{
	return drm_gpt_slot_first(table, i) |
	       drm_gpt_entry_mask(table->gpt, table->level);
}

static inline u8 drm_gpt_top(const struct drm_gpt *gpt)
{
	return gpt->format->nr_levels - 1;
}

static inline u64 drm_gpt_last(const struct drm_gpt *gpt)
{
	return gpt->format->va_bits == 64 ? U64_MAX :
	       (1ULL << gpt->format->va_bits) - 1;
}

/* A child while its parent is locked: the class says which is inside. */
static inline void drm_gpt_lock(struct drm_gpt_table *table)
{
	spin_lock_nested(&table->lock, drm_gpt_top(table->gpt) - table->level);
}

static inline void drm_gpt_unlock(struct drm_gpt_table *table)
{
	spin_unlock(&table->lock);
}

/*
 * Where the words that a zap or reclaim records are taken from, NULL if the
 * ring is dead: then nobody reads it, and nothing is recorded.
 */
static inline u32 *drm_gpt_gather_credits(struct drm_gpt_gather *gather)
{
	return gather->dead ? NULL : &gather->credits;
}

int drm_gpt_table_module_init(void);
void drm_gpt_table_module_exit(void);

struct drm_gpt_table *drm_gpt_table_make(struct drm_gpt *gpt, u8 level, u64 va,
					 gfp_t gfp);
void drm_gpt_table_free(struct drm_gpt_table *table);
void drm_gpt_table_free_later(struct drm_gpt_table *table);

void drm_gpt_write_empty(struct drm_gpt_table *table, u32 i, u32 n,
			 u32 *credits);
void drm_gpt_write_seq(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n,
		       u32 *credits);
void drm_gpt_write_leaves(struct drm_gpt_table *table, u32 i,
			  const u64 *leaves, u32 n, u32 *credits);
void drm_gpt_write_child(struct drm_gpt_table *table, u32 i,
			 const struct drm_gpt_table *child, u32 *credits);
u64 drm_gpt_fence(struct drm_gpt *gpt, u32 *credits);
void drm_gpt_write_barrier(struct drm_gpt *gpt);
u32 drm_gpt_words(struct drm_gpt *gpt, enum drm_gpt_run_kind kind, u32 n);
u32 drm_gpt_seq_words(struct drm_gpt *gpt, u8 level, u32 n);
void drm_gpt_set_bits(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n);
void drm_gpt_note_leaves(struct drm_gpt_table *table, u32 i, const u64 *leaves,
			 u32 n);
void drm_gpt_clear_bits(struct drm_gpt_table *table, u32 i, u32 n);

bool drm_gpt_range_ok(const struct drm_gpt *gpt, u64 first, u64 last);

#endif /* _DRM_GPT_INTERNAL_H_ */
