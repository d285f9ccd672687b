// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How entries get into tables: by stores of the CPU or as packets of a command
 * ring.
 *
 * Or small runs by the CPU and long ones as packets (&drm_gpt_config.cpu_max). A
 * packet takes its time, and a store does not wait for it; so the CPU keeps off a
 * table for which packets are recorded until a fence behind them has passed. It
 * also does while the entry that points to the table is a packet: what it stored
 * would be there before the device can reach it, and the committer would have
 * no fence to wait for. Tables above were linked before, so their packets
 * are in the ring before that one.
 */

#include "drm_gpt_internal.h"

u32 drm_gpt_words(struct drm_gpt *gpt, enum drm_gpt_run_kind kind, u32 n)
{
	return gpt->cmd->words(gpt, kind, n);
}

/* A command adds to 64-bit entries only; others are spelled out. */
static bool drm_gpt_has_seq(struct drm_gpt *gpt, u8 level)
{
	return drm_gpt_level(gpt, level)->entry_shift == 3;
}

/* Ring space of drm_gpt_write_seq(). */
u32 drm_gpt_seq_words(struct drm_gpt *gpt, u8 level, u32 n)
{
	if (drm_gpt_has_seq(gpt, level))
		return drm_gpt_words(gpt, DRM_GPT_RUN_SEQ, n);
	return DIV_ROUND_UP(n, DRM_GPT_CHUNK) *
	       drm_gpt_words(gpt, DRM_GPT_RUN_COPY, DRM_GPT_CHUNK);
}

/* Commands are recorded against credits: to use more than one has is a bug. */
static void drm_gpt_use_credits(struct drm_gpt *gpt, u32 *credits,
				u32 words)
{
	WARN_ON_ONCE(*credits < words);
	*credits -= min(*credits, words);
}

static u8 drm_gpt_entry_shift(const struct drm_gpt_table *table)
{
	return drm_gpt_level(table->gpt, table->level)->entry_shift;
}

/* Something was recorded that the CPU has to stay behind with this table. */
static void drm_gpt_note_busy(struct drm_gpt_table *table)
{
	struct drm_gpt *gpt = table->gpt;

	lockdep_assert_held(&table->lock);
	if (gpt->cpu_max)
		drm_gpt_side(table)->busy = gpt->cmd->next(gpt);
}

/* With commands: has the device executed all that concerns the table? */
static bool drm_gpt_quiet(const struct drm_gpt_table *table)
{
	u64 busy = drm_gpt_side(table)->busy;

	lockdep_assert_held(&table->lock);
	return !busy || drm_gpt_planted(DRM_GPT_PLANTED_NOT_BUSY) ||
	       table->gpt->cmd->done(table->gpt, busy);
}

/* With commands: is a run of @n entries for the CPU to store? */
bool drm_gpt_stores_small(struct drm_gpt_table *table, u32 n)
{
	struct drm_gpt *gpt = table->gpt;

	if (n > gpt->cpu_max || !table->cpu || !drm_gpt_quiet(table))
		return false;
	atomic64_inc(&gpt->stats.stores);
	return true;
}

static void drm_gpt_record_run(struct drm_gpt_table *table,
			       const struct drm_gpt_run *run, u32 *credits)
{
	struct drm_gpt *gpt = table->gpt;

	if (!credits)
		return;
	atomic64_inc(&gpt->stats.runs);
	drm_gpt_use_credits(gpt, credits, drm_gpt_words(gpt, run->kind, run->n));
	gpt->cmd->write(gpt, run);
	drm_gpt_note_busy(table);
}

static void drm_gpt_record(struct drm_gpt_table *table,
			   enum drm_gpt_run_kind kind, u32 i, u32 n,
			   const void *entries, u64 step, u32 *credits)
{
	const struct drm_gpt_run run = {
		.kind = kind,
		.local = table->local,
		.entry_shift = drm_gpt_entry_shift(table),
		.addr = table->addr + ((u64)i << drm_gpt_entry_shift(table)),
		.n = n,
		.entries = entries,
		.step = step,
	};

	drm_gpt_record_run(table, &run, credits);
}

/* Makes @n entries from @i on map nothing. */
void drm_gpt_write_empty(struct drm_gpt_table *table, u32 i, u32 n,
			 u32 *credits)
{
	const struct drm_gpt_format *format = table->gpt->format;
	u64 entry[2] = {};

	lockdep_assert_held(&table->lock);
	if (drm_gpt_stores(table, n)) {
		format->fill_empty(table->gpt, drm_gpt_entry_cpu(table, i),
				   table->level, n);
		drm_gpt_sync(table, i, n);
		return;
	}
	format->fill_empty(table->gpt, entry, table->level, 1);
	drm_gpt_record(table, DRM_GPT_RUN_FILL, i, n, entry, 0, credits);
}

static void drm_gpt_record_seq(struct drm_gpt_table *table, u32 i, u64 leaf,
			       u32 n, u32 *credits)
{
	const struct drm_gpt_format *format = table->gpt->format;
	u64 entry[2];

	/* What one step adds is for the format to know. */
	format->fill_seq(table->gpt, entry, table->level, leaf, 2);
	drm_gpt_record(table, DRM_GPT_RUN_SEQ, i, n, entry,
		       le64_to_cpu((__force __le64)entry[1]) -
		       le64_to_cpu((__force __le64)entry[0]), credits);
}

static void drm_gpt_record_spelled(struct drm_gpt_table *table, u32 i, u64 leaf,
				   u32 n, u32 *credits)
{
	const struct drm_gpt_format *format = table->gpt->format;
	u64 step = drm_gpt_entry_mask(table->gpt, table->level) + 1;
	u64 entries[DRM_GPT_CHUNK * 2];

	while (n) {
		u32 now = min_t(u32, n, DRM_GPT_CHUNK);

		format->fill_seq(table->gpt, entries, table->level, leaf, now);
		drm_gpt_record(table, DRM_GPT_RUN_COPY, i, now, entries, 0,
			       credits);
		i += now;
		n -= now;
		leaf += now * step;
	}
}

/* Leaves whose addresses follow each other. */
void drm_gpt_write_seq(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n,
		       u32 *credits)
{
	lockdep_assert_held(&table->lock);
	if (drm_gpt_stores(table, n)) {
		table->gpt->format->fill_seq(table->gpt,
					     drm_gpt_entry_cpu(table, i),
					     table->level, leaf, n);
		drm_gpt_sync(table, i, n);
	} else if (drm_gpt_has_seq(table->gpt, table->level)) {
		drm_gpt_record_seq(table, i, leaf, n, credits);
	} else {
		drm_gpt_record_spelled(table, i, leaf, n, credits);
	}
}

/* See drm_gpt_write_leaves(). */
u32 drm_gpt_record_leaves(struct drm_gpt_table *table, u32 i,
			  const u64 *leaves, u32 n, u32 *credits)
{
	const struct drm_gpt_format *format = table->gpt->format;
	u64 entries[DRM_GPT_CHUNK * 2];
	u32 now, chunk, done = 0;

	do {
		chunk = min_t(u32, n - done, DRM_GPT_CHUNK);
		now = format->fill_leaves(table->gpt, entries, table->level,
					  leaves + done, chunk);
		if (now)
			drm_gpt_record(table, DRM_GPT_RUN_COPY, i + done, now,
				       entries, 0, credits);
		done += now;
	} while (now == chunk && done < n);
	return done;
}

/* What the child holds has to be there before the entry that points to it. */
static bool drm_gpt_stores_child(struct drm_gpt_table *table,
				 struct drm_gpt_table *child)
{
	return !table->gpt->cmd ||
	       (drm_gpt_quiet(child) && drm_gpt_stores_small(table, 1));
}

static void drm_gpt_record_beside(struct drm_gpt_table *table, u32 group, u64 leaf,
				  u32 n, u32 *credits)
{
	const struct drm_gpt_beside *beside = drm_gpt_beside(table);
	__le64 entry[2] = {};
	struct drm_gpt_run run = {
		.kind = leaf ? DRM_GPT_RUN_SEQ : DRM_GPT_RUN_FILL,
		.local = table->beside_local,
		.entry_shift = drm_gpt_entry_shift(table),
		.addr = beside->addr + ((u64)group << drm_gpt_entry_shift(table)),
		.n = n,
		.entries = entry,
	};

	table->gpt->format->fill_beside(table->gpt, entry, leaf, 2);
	run.step = le64_to_cpu(entry[1]) - le64_to_cpu(entry[0]);
	drm_gpt_record_run(table, &run, credits);
}

/*
 * Entries of the table beside: of @n groups that follow each other from @leaf, or
 * empty if that is 0. Between them and entries that say the same the caller has
 * its barrier.
 */
void drm_gpt_write_beside(struct drm_gpt_table *table, u32 group, u64 leaf, u32 n,
			  u32 *credits)
{
	u8 shift = drm_gpt_entry_shift(table);
	struct drm_gpt *gpt = table->gpt;
	struct drm_gpt_beside *beside;
	u32 offset = group << shift;

	lockdep_assert_held(&table->lock);
	beside = drm_gpt_beside(table);
	if (gpt->cmd && !(beside->cpu && drm_gpt_stores_small(table, n))) {
		drm_gpt_record_beside(table, group, leaf, n, credits);
		return;
	}
	gpt->format->fill_beside(gpt, beside->cpu + offset, leaf, n);
	if (gpt->mem->sync)
		gpt->mem->sync(gpt, beside->addr + offset, n << shift);
}

/* Points an entry at a table. What that table holds is visible before. */
void drm_gpt_write_child(struct drm_gpt_table *table, u32 i,
			 struct drm_gpt_table *child, u32 *credits)
{
	const struct drm_gpt_format *format = table->gpt->format;
	struct drm_gpt_target to = { .addr = child->addr, .local = child->local };
	u64 entry[2] = {};

	lockdep_assert_held(&table->lock);
	if (drm_gpt_has_beside(table->gpt, child->level)) {
		to.beside = drm_gpt_beside(child)->addr;
		to.beside_local = child->beside_local;
	}
	drm_gpt_write_barrier(table->gpt);
	if (drm_gpt_stores_child(table, child)) {
		format->fill_table(table->gpt, drm_gpt_entry_cpu(table, i),
				   table->level, &to);
		drm_gpt_sync(table, i, 1);
		return;
	}
	format->fill_table(table->gpt, entry, table->level, &to);
	drm_gpt_record(table, DRM_GPT_RUN_COPY, i, 1, entry, 0, credits);
	if (!drm_gpt_planted(DRM_GPT_PLANTED_LINK_NOT_BUSY))
		drm_gpt_note_busy(child);
}

/* Starts what was recorded; the number to wait for, 0 without commands. */
u64 drm_gpt_fence(struct drm_gpt *gpt, u32 *credits)
{
	if (!gpt->cmd)
		return 0;
	drm_gpt_use_credits(gpt, credits, gpt->cmd->fence_words);
	return gpt->cmd->fence(gpt);
}

/*
 * The leaf that an entry holds, 0 if it cannot be read or is none. With commands
 * only where nothing is pending.
 */
u64 drm_gpt_read(const struct drm_gpt_table *table, u32 i)
{
	if (!table->cpu)
		return 0;
	return table->gpt->format->decode(table->gpt, drm_gpt_entry_cpu(table, i),
					  table->level);
}

/* The leaf of a directory's entry that is live; of a lowest table by the CPU. */
u64 drm_gpt_leaf_at(const struct drm_gpt_table *table, u32 i)
{
	if (table->gpt->cmd)
		return table->level ? drm_gpt_side(table)->known[i] : 0;
	return drm_gpt_read(table, i);
}

/* ---- what lookups are told ----------------------------------------------- */

static void drm_gpt_put_bits(unsigned long *bits, u32 i, u32 n, bool set)
{
	if (set)
		bitmap_set(bits, i, n);
	else
		bitmap_clear(bits, i, n);
}

static void drm_gpt_remember(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n)
{
	u64 step = drm_gpt_entry_mask(table->gpt, table->level) + 1;

	for (; table->level && n; n--, i++, leaf += step)
		drm_gpt_side(table)->known[i] = leaf;
}

/* Of entries that follow each other from @leaf on. The live bit comes last. */
void drm_gpt_set_bits(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n)
{
	if (table->gpt->cmd) {
		drm_gpt_remember(table, i, leaf, n);
		drm_gpt_put_bits(drm_gpt_writable(table), i, n,
				 leaf & DRM_GPT_LEAF_WRITE);
		drm_gpt_put_bits(drm_gpt_atomic(table), i, n,
				 leaf & DRM_GPT_LEAF_ATOMIC);
		/* Pairs with drm_gpt_has(). */
		smp_wmb();
	}
	bitmap_set(drm_gpt_live(table), i, n);
}

/* See drm_gpt_note_leaves(). */
void drm_gpt_note_side(struct drm_gpt_table *table, u32 i, const u64 *leaves,
		       u32 n)
{
	u64 flags;
	u32 k, to;

	for (k = 0; k < n; k = to) {
		flags = leaves[k] & DRM_GPT_LEAF_FLAGS;
		for (to = k + 1; to < n && !table->level; to++)
			if ((leaves[to] & DRM_GPT_LEAF_FLAGS) != flags)
				break;
		drm_gpt_set_bits(table, i + k, leaves[k], to - k);
	}
}

/* Groups, of which any entry is among these, are no groups any more. */
void drm_gpt_hint_forget(struct drm_gpt_table *table, u32 i, u32 n)
{
	u8 shift = drm_gpt_level(table->gpt, table->level)->hint;

	if (shift && n)
		bitmap_clear(drm_gpt_hinted(table), i >> shift,
			     ((i + n - 1) >> shift) - (i >> shift) + 1);
}

void drm_gpt_clear_bits(struct drm_gpt_table *table, u32 i, u32 n)
{
	bitmap_clear(drm_gpt_live(table), i, n);
	drm_gpt_hint_forget(table, i, n);
}
