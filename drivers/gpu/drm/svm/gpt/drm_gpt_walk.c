// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: drm_gpt
 *
 * A page table that a device walks. The hardware's tables hold entries in the
 * device's format; beside each stands a &struct drm_gpt_table that the CPU
 * walks instead, so tables may lie where the CPU cannot read them.
 *
 * A driver's update::
 *
 *	drm_gpt_prepare(gpt, &up, first, last, 0, GFP_KERNEL);	// may sleep
 *	mutex_lock(&my_lock);
 *	ret = drm_gpt_commit(&up, first, leaves, nr, still_valid, data);
 *	mutex_unlock(&my_lock);
 *	seq = drm_gpt_update_fence(&up);
 *	drm_gpt_finish(&up);
 *	drm_gpt_wait(gpt, seq);			// commands: before telling
 *						// the device
 *
 * and its invalidation, which allocates nothing and only spins::
 *
 *	drm_gpt_gather_init(&gather, gpt);
 *	drm_gpt_zap_reserve(&gather, first, last, true);	// may sleep
 *	... make still_valid() say no ...
 *	drm_gpt_zap(&gather, first, last);
 *	... flush what the gather says, wait ...
 *	drm_gpt_gather_fini(&gather);
 *
 * Life of a table: made by prepare; put into its parent's @child under the
 * parent's lock, where one of two that race wins and the other frees its own;
 * linked (its parent's entry points to it) by the first commit below it; perhaps
 * unlinked by a zap of all it covers, and linked again by the next commit; dead
 * by reclaim, which takes only tables that are empty or out of reach and not
 * pinned; freed after the flush and an RCU grace period. A table whose place a
 * large leaf has taken stays as its deposit: the memory for splitting the leaf is
 * there before it is needed.
 *
 * Unlinked tables keep stale entries in memory, because a zap that writes one
 * entry above is quicker than one that clears 512 below, or, of a directory, half
 * a million. Two things follow. A device may have that table in its walk cache:
 * the gather says "directory", and the flush must drop walk caches over what it
 * covers. And whoever links the table again clears what is stale first, under
 * both locks, before the entry above is stored. Children of a directory are not
 * visited for that: they are linked to a number, its epoch, and a directory that
 * is linked again takes a new one. A stale child is found so by who comes to it.
 *
 * A leaf counts only if its table and all above it are linked. Below an unlinked
 * table anything may be written by who came too late, and nothing reads it.
 *
 * Locks: one spinlock per table, a parent's outside its child's. A commit takes
 * its table's only, unless something on the way must be linked. Lookups take
 * none: they follow @child under RCU and read the bitmaps; they see the table
 * before or after a concurrent update.
 *
 * The races, one by one:
 *
 * - Insert against insert: under the parent's lock, the second finds the slot
 *   taken, and uses the table that is there. Neither has written an entry yet.
 * - Link against link: under both locks, the second finds it done. Its own
 *   commands come behind those of the first in the ring, so its fence covers the
 *   entry that the first has written.
 * - Insert and pin against reclaim: reclaim makes @pins of an unpinned table
 *   negative, in one step and under both locks; a pin fails by it, and walks again.
 *   Who inserts has the directory pinned since before the new table was allocated.
 *   Who unpins has release semantics, so what he wrote is before what the
 *   reclaimer reads.
 * - Commit against zap: the check for validity runs under the lock of the table
 *   that is written, and the invalidation makes it fail before it zaps. So
 *   either the commit sees it, or its leaves are there for the zap to find.
 *   Where the zap finds no table at all there is no lock in common; then a full
 *   barrier on each side, in the pin of prepare and at the start of zap, says
 *   that one sees the other.
 * - Link against zap: a zap of all that a table covers holds the parent's lock,
 *   as the link does. One that only passes through a directory looks without it
 *   first, and with it where it finds what is below not linked, since the entry
 *   is not empty before whoever unlinks it lets go. A commit that links after that
 *   has the sign of the zap's caller by the lock; one that finds it linked by
 *   another has it with the link (release, read barrier).
 * - Promote against zap: promote asks nobody whether its leaf is valid. A zap that
 *   has found a table linked in its directory, and then not, looks at the
 *   directory again; there the table may be promoted, or split again. The table
 *   stays as deposit with what it held, and a device may have it in its walk
 *   cache until promote's own flush: a zap of the leaf reports "directory" too.
 * - Commit against unlinked directory: a commit that has found all linked may
 *   write into a table while a directory above is unlinked, and even linked
 *   again. That zap was after its check, so the commit is before the zap; and
 *   what it wrote is stale, since the new epoch has unlinked its table.
 * - Zap against reclaim: a table is unlinked by one, found so and taken out by
 *   the other, before the first has flushed. So reclaim reports every table it
 *   takes, linked or not, and its own flush comes before the memory is freed.
 *   Meanwhile a device may fault on what a new table maps, and fault again
 *   until the walk cache has forgotten the old one.
 * - Large leaf against walk cache: a large leaf is written only where no table
 *   is linked, that is behind the report of whatever was linked there; or, by
 *   drm_gpt_promote(), where the table says the same.
 * - Entry beside against its group (&drm_gpt_level.beside): who writes or clears
 *   any of a group empties what is beside it first, under the same lock, and who
 *   makes a group writes it last. Memory and the bit of the group change together,
 *   of a table that is not linked too, so a link or a split knows what to empty.
 *   Lookups read the group alone.
 * - Lookup against commit: a commit writes entries, takes the fence and stores
 *   its number, then sets the bits; a lookup reads the bits, then the number.
 *   What it says is mapped is in memory, or behind the fence that it says.
 * - Lookup against relink: stale bits are cleared before @link is set (release,
 *   acquire).
 * - Lookup against split: the table is linked before the bit of the large leaf
 *   above is cleared. A lookup that finds it not linked and then the leaf gone
 *   finds nothing; whoever asked takes the long way and finds the table locked.
 * - Lookup against promote: the large leaf is there before the table is unlinked
 *   (release, acquire).
 */

#include <linux/export.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "drm_gpt_internal.h"

static bool drm_gpt_level_ok(const struct drm_gpt_level *level, u8 shift)
{
	return level->shift == shift && shift < 64 &&
	       level->entry_shift >= 2 && level->entry_shift <= 4 &&
	       level->bits && level->bits <= DRM_GPT_MAX_BITS &&
	       level->hint < level->bits;
}

/* Of the lowest level, beside others that the device replaces as they are. */
static bool drm_gpt_beside_ok(const struct drm_gpt_format *format, u8 i)
{
	const struct drm_gpt_level *level = &format->levels[i];

	return !level->beside ||
	       (!i && level->hint && level->entry_shift == 3 &&
		format->fill_beside && format->replace_ok);
}

static bool drm_gpt_format_ok(const struct drm_gpt_format *format)
{
	u8 i, shift = format->levels[0].shift;

	if (format->nr_levels < 2 || format->nr_levels > DRM_GPT_MAX_LEVELS ||
	    shift < __ffs64(DRM_GPT_LEAF_ADDR) || !format->levels[0].leaf ||
	    !(format->leaf_bits & DRM_GPT_LEAF_VALID) ||
	    (format->leaf_bits & (DRM_GPT_LEAF_HINT | DRM_GPT_LEAF_ATTR)))
		return false;
	for (i = 0; i < format->nr_levels; i++) {
		if (!drm_gpt_level_ok(&format->levels[i], shift) ||
		    !drm_gpt_beside_ok(format, i) ||
		    format->levels[i].table != !!i)
			return false;
		shift += format->levels[i].bits;
	}
	/* No table covers more than there are addresses. */
	return shift <= 64 && format->va_bits && format->va_bits <= shift;
}

/* None, or some that change only what the format leaves to them. */
static bool drm_gpt_attrs_ok(const struct drm_gpt_config *config)
{
	u64 bits = config->format->attr_bits;
	u32 i;

	if (!config->attrs != !config->nr_attrs ||
	    config->nr_attrs > DRM_GPT_MAX_ATTRS)
		return false;
	for (i = 0; i < config->nr_attrs; i++)
		if ((config->attrs[i].set | config->attrs[i].clear) & ~bits)
			return false;
	return true;
}

static void drm_gpt_take_attrs(struct drm_gpt *gpt,
			       const struct drm_gpt_config *config)
{
	static const struct drm_gpt_attr plain;
	u32 i;

	gpt->attrs = config->attrs ?: &plain;
	gpt->nr_attrs = config->nr_attrs ?: 1;
	for (i = 0; i < gpt->nr_attrs; i++)
		gpt->attr_bits |= gpt->attrs[i].set | gpt->attrs[i].clear;
}

/* A sync would write back what commands have written beside. */
static bool drm_gpt_may_mix(const struct drm_gpt_config *config)
{
	return !config->cpu_max ||
	       (config->cmd && config->cmd->next && !config->mem->sync);
}

/**
 * drm_gpt_init() - make an empty page table
 * @gpt: embedded in the driver's address space
 * @config: what it consists of
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, -EINVAL for a format that does not add up, attributes that
 * change what the format does not leave to them, or &drm_gpt_config.cpu_max without
 * what it needs.
 */
int drm_gpt_init(struct drm_gpt *gpt, const struct drm_gpt_config *config)
{
	u8 i;

	memset(gpt, 0, sizeof(*gpt));
	if (!drm_gpt_format_ok(config->format) || !drm_gpt_attrs_ok(config) ||
	    !drm_gpt_may_mix(config))
		return -EINVAL;
	gpt->dev = config->dev;
	gpt->format = config->format;
	memcpy(gpt->levels, config->format->levels, sizeof(gpt->levels));
	for (i = 0; i < config->format->nr_levels; i++) {
		gpt->steps[i].shift = gpt->levels[i].shift;
		gpt->steps[i].mask = (1U << gpt->levels[i].bits) - 1;
	}
	gpt->top = config->format->nr_levels - 1;
	gpt->last = U64_MAX >> (64 - config->format->va_bits);
	gpt->mem = config->mem;
	gpt->mem_data = config->mem_data;
	gpt->cmd = config->cmd;
	gpt->cpu_max = config->cpu_max;
	gpt->flush = config->flush;
	drm_gpt_take_attrs(gpt, config);
	gpt->root = drm_gpt_table_make(gpt, drm_gpt_top(gpt), 0,
				       GFP_KERNEL_ACCOUNT);
	if (IS_ERR(gpt->root))
		return PTR_ERR(gpt->root);
	drm_gpt_shrink_add(gpt);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gpt_init);

/* Frees a tree that nobody can reach any more, without recursion. */
static void drm_gpt_free_tree(struct drm_gpt_table *table)
{
	struct drm_gpt_table *child, *up;
	u32 i = 0;

	while (table) {
		child = NULL;
		for (; drm_gpt_nr_children(table) && i < drm_gpt_size(table); i++) {
			child = rcu_dereference_protected(table->child[i], true);
			if (child)
				break;
		}
		if (child) {
			table = child;
			i = 0;
			continue;
		}
		up = table->parent;
		i = table->index + 1;
		drm_gpt_table_free(table);
		table = up;
		cond_resched();
	}
}

/* What was recorded and not waited for: updates that failed half way. */
static void drm_gpt_drain(struct drm_gpt *gpt)
{
	u32 words;

	if (!gpt->cmd)
		return;
	words = gpt->cmd->fence_words;
	/* Dead: nobody reads it any more. */
	if (gpt->cmd->reserve(gpt, words, true, true))
		return;
	gpt->cmd->wait(gpt, drm_gpt_fence(gpt, &words));
	if (words)
		gpt->cmd->release(gpt, words);
}

/**
 * drm_gpt_fini() - end a page table
 * @gpt: no device walks it, no update or gather is open
 *
 * Waits for a scan of the shrinker, and so perhaps for &drm_gpt_config.flush.
 *
 * Context: may sleep.
 */
void drm_gpt_fini(struct drm_gpt *gpt)
{
	drm_gpt_shrink_remove(gpt);
	/* What the last one did to us is before what the caller does with us. */
	wait_var_event(&gpt->freeing, !atomic_read_acquire(&gpt->freeing));
	drm_gpt_drain(gpt);
	drm_gpt_shrink_free_stuck(gpt);
	drm_gpt_free_tree(gpt->root);
	gpt->root = NULL;
	WARN_ON(atomic64_read(&gpt->stats.tables));
}
EXPORT_SYMBOL_GPL(drm_gpt_fini);

/**
 * drm_gpt_root() - where the device starts its walk
 * @gpt: page table
 * @addr: out, device address of the top table; does not change
 * @local: out, it is in device memory
 *
 * Context: any.
 */
void drm_gpt_root(const struct drm_gpt *gpt, u64 *addr, bool *local)
{
	*addr = gpt->root->addr;
	*local = gpt->root->local;
}
EXPORT_SYMBOL_GPL(drm_gpt_root);

/**
 * drm_gpt_wait() - wait until the hardware has an update
 * @gpt: page table
 * @seq: from drm_gpt_update_fence() or a lookup; 0 for nothing
 *
 * Context: may sleep.
 * Return: 0, -ENODEV if the command ring is dead.
 */
int drm_gpt_wait(struct drm_gpt *gpt, u64 seq)
{
	if (!seq || !gpt->cmd || gpt->cmd->done(gpt, seq))
		return 0;
	might_sleep();
	return gpt->cmd->wait(gpt, seq);
}
EXPORT_SYMBOL_GPL(drm_gpt_wait);

/* ---- readers ------------------------------------------------------------ */

/* Are entries @i to @last all live? */
static bool drm_gpt_all_live(const struct drm_gpt_table *table, u32 i, u32 last)
{
	if (find_next_zero_bit(drm_gpt_live(table), last + 1, i) <= last)
		return false;
	/* What came with the live bit: flags, and the fence before both. */
	smp_rmb();
	return true;
}

/* The flags that they all have, of those that are asked for. */
static u64 drm_gpt_common(const struct drm_gpt_table *table, u32 i, u32 last,
			  u64 flags)
{
	const struct drm_gpt *gpt = table->gpt;
	u8 shift = drm_gpt_level(gpt, table->level)->entry_shift;

	if (!gpt->cmd)
		return gpt->format->common(gpt, table->cpu + ((size_t)i << shift),
					   table->level, last - i + 1);
	if ((flags & DRM_GPT_LEAF_WRITE) &&
	    find_next_zero_bit(drm_gpt_writable(table), last + 1, i) <= last)
		flags &= ~DRM_GPT_LEAF_WRITE;
	if ((flags & DRM_GPT_LEAF_ATOMIC) &&
	    find_next_zero_bit(drm_gpt_atomic(table), last + 1, i) <= last)
		flags &= ~DRM_GPT_LEAF_ATOMIC;
	return flags;
}

/* Are entries @i to @last all live, with at least these flags? */
static bool drm_gpt_has(const struct drm_gpt_table *table, u32 i, u32 last,
			u64 flags)
{
	if (!drm_gpt_all_live(table, i, last))
		return false;
	flags &= DRM_GPT_LEAF_WRITE | DRM_GPT_LEAF_ATOMIC;
	return !flags ||
	       (drm_gpt_common(table, i, last, flags) & flags) == flags;
}

/* After drm_gpt_has(): the fence to wait for, 0 if it has passed. */
static u64 drm_gpt_pending(const struct drm_gpt_table *table)
{
	struct drm_gpt *gpt = table->gpt;
	u64 pending;

	if (!gpt->cmd)
		return 0;
	/* Flags may be newer than the live bit: their fence was before them. */
	smp_rmb();
	pending = atomic64_read(&drm_gpt_side(table)->pending);
	return pending && !gpt->cmd->done(gpt, pending) ? pending : 0;
}

/* With commands: what the table's bits say, since its memory may be behind. */
static void drm_gpt_describe_side(const struct drm_gpt_table *table, u32 i,
				  struct drm_gpt_entry *entry)
{
	entry->leaf = 0;
	entry->flags = 0;
	entry->seq = 0;
	if (!drm_gpt_all_live(table, i, i))
		return;
	entry->flags = DRM_GPT_LEAF_VALID;
	if (test_bit(i, drm_gpt_writable(table)))
		entry->flags |= DRM_GPT_LEAF_WRITE;
	if (test_bit(i, drm_gpt_atomic(table)))
		entry->flags |= DRM_GPT_LEAF_ATOMIC;
	entry->seq = drm_gpt_pending(table);
	if (!entry->seq)
		entry->leaf = drm_gpt_read(table, i) & ~DRM_GPT_LEAF_HINT;
}

/* Else memory is right, and one read of it is of one time. */
static __always_inline void drm_gpt_describe(const struct drm_gpt *gpt,
					     const struct drm_gpt_table *table,
					     u32 i, u8 level,
					     struct drm_gpt_entry *entry)
{
	size_t offset = (size_t)i << gpt->levels[level].entry_shift;
	u64 leaf = gpt->format->decode(gpt, table->cpu + offset, level) &
		   ~DRM_GPT_LEAF_HINT;

	entry->leaf = leaf;
	entry->flags = leaf & DRM_GPT_LEAF_RIGHTS;
	entry->seq = 0;
}

static void drm_gpt_beyond(const struct drm_gpt *gpt, struct drm_gpt_entry *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->first = gpt->last + 1;
	entry->last = U64_MAX;
}

/**
 * drm_gpt_lookup() - what is mapped at an address?
 * @gpt: page table
 * @va: address
 * @entry: out; of a hole, as much as one entry of the table covers where the
 *	walk ends
 *
 * Sees the table before or after an update that runs meanwhile; of a large leaf
 * that is being split, perhaps nothing.
 *
 * Context: any; takes no lock and writes nothing shared.
 */
void drm_gpt_lookup(struct drm_gpt *gpt, u64 va, struct drm_gpt_entry *entry)
{
	struct drm_gpt_table *table;
	u64 mask;
	u8 level;
	u32 i;

	if (unlikely(va > gpt->last)) {
		drm_gpt_beyond(gpt, entry);
		return;
	}
	guard(rcu)();
	table = drm_gpt_find(gpt, va, &i);
	level = table->level;
	mask = (1ULL << gpt->steps[level].shift) - 1;
	entry->first = va & ~mask;
	entry->last = va | mask;
	if (gpt->cmd)
		drm_gpt_describe_side(table, i, entry);
	else
		drm_gpt_describe(gpt, table, i, level, entry);
	if (drm_gpt_planted(DRM_GPT_PLANTED_PAGE_HOLES) && !entry->flags) {
		entry->first = va & ~0xfffULL;
		entry->last = va | 0xfff;
	}
}
EXPORT_SYMBOL_GPL(drm_gpt_lookup);

/**
 * drm_gpt_mapped() - is all of an interval mapped well enough?
 * @gpt: page table
 * @first: first byte
 * @last: last byte
 * @flags: DRM_GPT_LEAF_VALID, WRITE, ATOMIC that every entry must have
 * @seq: out, the hardware has it all when this fence has passed; 0 if it does
 *
 * Context: any; takes no lock and writes nothing shared.
 * Return: true if it is.
 */
bool drm_gpt_mapped(struct drm_gpt *gpt, u64 first, u64 last, u64 flags,
		    u64 *seq)
{
	struct drm_gpt_table *table;
	u32 i, end;
	u64 to;

	*seq = 0;
	if (last > drm_gpt_last(gpt))
		return false;
	guard(rcu)();
	for (;;) {
		table = drm_gpt_find(gpt, first, &i);
		end = table->level ? i : drm_gpt_size(table) - 1;
		to = drm_gpt_slot_last(table, end);
		if (!table->level && last < to)
			end = drm_gpt_index(gpt, 0, last);
		if (!drm_gpt_has(table, i, end, flags))
			return false;
		*seq = max(*seq, drm_gpt_pending(table));
		if (to >= last)
			return true;
		first = to + 1;
	}
}
EXPORT_SYMBOL_GPL(drm_gpt_mapped);

static void drm_gpt_dump_run(struct seq_file *m, u64 first, u64 last, u64 flags)
{
	if (flags)
		seq_printf(m, "%016llx-%016llx %c%c\n", first, last,
			   flags & DRM_GPT_LEAF_WRITE ? 'w' : '-',
			   flags & DRM_GPT_LEAF_ATOMIC ? 'a' : '-');
}

/**
 * drm_gpt_dump() - print what is mapped
 * @gpt: page table
 * @m: where to
 *
 * How many tables there are, how many the shrinker has freed, then one line per
 * run of entries with equal flags.
 *
 * Context: may sleep.
 */
void drm_gpt_dump(struct drm_gpt *gpt, struct seq_file *m)
{
	struct drm_gpt_entry entry;
	u64 va = 0, start = 0, flags = 0;

	seq_printf(m, "format %s, %lld tables, %lld shrunk\n", gpt->format->name,
		   atomic64_read(&gpt->stats.tables),
		   atomic64_read(&gpt->stats.shrunk));
	for (;;) {
		drm_gpt_lookup(gpt, va, &entry);
		if (entry.flags != flags) {
			drm_gpt_dump_run(m, start, va - 1, flags);
			start = va;
			flags = entry.flags;
		}
		if (entry.last >= drm_gpt_last(gpt) || seq_has_overflowed(m))
			break;
		va = entry.last + 1;
		cond_resched();
	}
	drm_gpt_dump_run(m, start, entry.last, flags);
}
EXPORT_SYMBOL_GPL(drm_gpt_dump);

/* ---- module ------------------------------------------------------------- */

static int __init drm_gpt_module_init(void)
{
	int ret = drm_gpt_table_module_init();

	if (ret)
		return ret;
	ret = drm_gpt_shrink_module_init();
	if (ret)
		drm_gpt_table_module_exit();
	return ret;
}

static void __exit drm_gpt_module_exit(void)
{
	drm_gpt_shrink_module_exit();
	drm_gpt_table_module_exit();
}

subsys_initcall(drm_gpt_module_init);
module_exit(drm_gpt_module_exit);

MODULE_DESCRIPTION("Page tables that devices walk");
MODULE_LICENSE("Dual MIT/GPL");
