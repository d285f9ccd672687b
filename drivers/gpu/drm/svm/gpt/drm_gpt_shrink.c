// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: shrinker
 *
 * Zaps leave tables unlinked or empty, and an update that comes to nothing leaves
 * those that were made for it. They stay, because what was mapped is often mapped
 * again. When memory is short, or by ``echo 2 > /proc/sys/vm/drop_caches``, they go
 * back to the kernel: one shrinker serves all page tables whose driver gives
 * &drm_gpt_config.flush.
 *
 * A table is *idle* if a scan would probably take it out. That is marked
 * where it begins: the table is made, unlinked, loses its last leaf, its last
 * child, or the large leaf whose deposit it was. It ends by the commit that links
 * the table, or makes a deposit of it. A commit into a table that is linked and
 * empty says nothing, since that is the path that has to be short; the next scan
 * finds it out. The count of marks is what count_objects() reports. Tables below a
 * directory that is unlinked are not visited, so they are not marked: then any
 * table may be idle, until a scan has been through all of them.
 *
 * A scan takes one page table after the other, the one that waits longest first. In
 * each it goes on where the last one ended. It walks under RCU, sixty-four steps at a
 * time, from the lowest table at an address to the next, and takes those that are
 * idle, one by one and under the locks that drm_gpt_reclaim() takes: so nothing
 * that is in use, pinned or a deposit goes. It stops at &shrink_control.nr_to_scan
 * tables looked at. For up to 128 tables there is one flush, and only after that
 * they wait for their grace period. Who asks for memory does not wait for that.
 *
 * Life: drm_gpt_init() puts a page table into the list, and drm_gpt_fini() takes it
 * out. One scan at a time has it: &drm_gpt_shrink.busy, under the spinlock of the
 * list. Others pass it over, so nobody who needs memory waits for the flush that
 * another has begun; only drm_gpt_fini() does.
 *
 * Context: kswapd, drop_caches, and direct reclaim in any allocation that may
 * sleep, that of a table in drm_gpt_prepare() included. There, whoever allocates
 * holds whatever is outside of fs_reclaim: in drm_svm the service lock, mmap_lock
 * and pins. A scan takes none of these, and pinned tables stay. What it does is part
 * of what an MMU notifier does in the same place (reserve ring space, lock tables,
 * flush, wait), and so what makes that safe makes this safe:
 *
 * - nobody allocates with a table's lock or ring space in hand: drm_gpt_prepare()
 *   takes ring space last, and between drm_gpt_zap_reserve() and
 *   drm_gpt_gather_fini() there is no allocation. So to wait for ring space is to
 *   wait for the device;
 * - the flush needs no memory and no lock that is held over an allocation. A scan is
 *   a lock to lockdep, which is taught at the start that it is inside of
 *   fs_reclaim: an allocation in a flush, or a lock in it that is held over one, is
 *   reported;
 * - memory is freed by a workqueue with a rescuer.
 *
 * It is not aware of memory cgroups: a page table serves one process, but the core
 * finds what belongs to a group by list_lru only, and a table would need
 * a list entry for that. So a group at its limit does not get its tables back;
 * kswapd, direct reclaim for all, and drop_caches do.
 *
 * The races:
 *
 * - Scan against commit, insert, zap: as drm_gpt_reclaim(), see there. Who makes a
 *   table has the directory pinned meanwhile; else reclaim caused by that very
 *   allocation could take the directory, and the next, without end.
 * - Scan against a zap that has not flushed: every table that is taken is reported,
 *   linked or not, and our flush comes before it is freed.
 * - Scan against a device in what it takes: an empty table may be in a walk cache.
 *   Until the flush the device faults on what has been mapped there by a new one;
 *   it faults again, and then not.
 * - A flush that fails: nothing is known of the device, so what was taken out is
 *   kept until drm_gpt_fini(), when no device walks the table. Lookups and commits
 *   have no use for it either way. No more is taken from that page table.
 * - A dead ring: no flush can follow, so nothing is taken. drm_gpt_fini() frees it.
 * - Mark against scan: both are under the table's lock. A mark that a scan removes
 *   is for something that it has seen. A directory unlinked while a scan is under way
 *   asks for another one.
 */

#include <kunit/visibility.h>

#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/spinlock.h>
#include <linux/wait_bit.h>

#include "drm_gpt_internal.h"

/* Tables that are taken out for one flush. */
#define DRM_GPT_SHRINK_BATCH	128
/* Steps of a walk under RCU. */
#define DRM_GPT_SHRINK_STEPS	64

/* Page tables that can be shrunk. Nothing else is locked or done under the lock. */
static DEFINE_SPINLOCK(drm_gpt_shrink_lock);
static LIST_HEAD(drm_gpt_shrink_list);
static u32 drm_gpt_shrink_nr;
static struct shrinker *drm_gpt_shrinker;

/* A scan, or drm_gpt_fini() that waits for one, to lockdep. */
static struct lockdep_map drm_gpt_shrink_map __maybe_unused;
static struct lock_class_key drm_gpt_shrink_key;

/* ---- one page table -------------------------------------------------------- */

/**
 * struct drm_gpt_sweep - a walk over all tables between two addresses
 * @gather: what it takes out; its page table
 * @va: where it is
 * @last: where it ends
 * @done: it has ended
 * @left: tables that it may still look at
 * @taken: tables that it has taken out since the last flush
 * @freed: tables that it has taken out and flushed
 */
struct drm_gpt_sweep {
	struct drm_gpt_gather gather;
	u64 va;
	u64 last;
	bool done;
	unsigned long left;
	unsigned long taken;
	unsigned long freed;
};

/* How many tables are probably idle. */
static unsigned long drm_gpt_shrinkable(struct drm_gpt *gpt)
{
	/* Neither the root nor those that are on their way already. */
	s64 tables = atomic64_read(&gpt->stats.tables) - 1 -
		     atomic_read(&gpt->freeing);

	if (READ_ONCE(gpt->shrink.off) || tables <= 0)
		return 0;
	if (READ_ONCE(gpt->shrink.all) || READ_ONCE(gpt->shrink.pass))
		return tables;
	return min_t(s64, atomic_read(&gpt->shrink.idle), tables);
}

/* Is there anything to do: tables to take, or a pass to bring to its end? */
static bool drm_gpt_shrink_more(struct drm_gpt *gpt)
{
	return (READ_ONCE(gpt->shrink.pass) && !READ_ONCE(gpt->shrink.off)) ||
	       drm_gpt_shrinkable(gpt);
}

/* The lowest table over @va, and whether it may be idle. Under RCU. */
static struct drm_gpt_table *drm_gpt_shrink_find(struct drm_gpt *gpt, u64 va,
						 bool *idle)
{
	struct drm_gpt_table *table = gpt->root, *child;
	bool linked = true, deposit = false;
	u32 i;

	while (table->level) {
		i = drm_gpt_index(gpt, table->level, va);
		child = rcu_dereference(table->child[i]);
		if (!child)
			break;
		deposit = linked && test_bit(i, drm_gpt_live(table));
		linked = linked && READ_ONCE(child->link) ==
				   READ_ONCE(drm_gpt_dir(table)->epoch);
		table = child;
	}
	*idle = (READ_ONCE(table->state) & DRM_GPT_IDLE) || (!linked && !deposit);
	return table;
}

/* The first slot at or after @i that has a child; the size if none has. */
static u32 drm_gpt_shrink_child(struct drm_gpt_table *table, u32 i)
{
	for (; i < drm_gpt_size(table); i++)
		if (rcu_access_pointer(table->child[i]))
			break;
	return i;
}

static void drm_gpt_shrink_skip(struct drm_gpt_sweep *sweep, u64 end)
{
	sweep->done = end >= sweep->last;
	if (!sweep->done)
		sweep->va = end + 1;
}

/* Over a hole, or over a table; or that is taken, and what is above is next. */
static void drm_gpt_shrink_step(struct drm_gpt_sweep *sweep)
{
	struct drm_gpt *gpt = sweep->gather.gpt;
	struct drm_gpt_table *table;
	bool idle;
	u32 i;

	guard(rcu)();
	table = drm_gpt_shrink_find(gpt, sweep->va, &idle);
	if (table->level) {
		i = drm_gpt_index(gpt, table->level, sweep->va) + 1;
		i = drm_gpt_shrink_child(table, i);
		if (i < drm_gpt_size(table)) {
			drm_gpt_shrink_skip(sweep, drm_gpt_slot_first(table, i) - 1);
			return;
		}
		idle = idle && table != gpt->root &&
		       drm_gpt_shrink_child(table, 0) == drm_gpt_size(table);
	}
	if (idle) {
		sweep->left--;
		if (drm_gpt_reclaim_one(&sweep->gather, sweep->va, table->level)) {
			sweep->taken++;
			return;
		}
	}
	drm_gpt_shrink_skip(sweep, drm_gpt_slot_last(table, drm_gpt_size(table) - 1));
}

/* Until the walk ends, @nr tables have been looked at, or none is idle. */
static void drm_gpt_shrink_walk(struct drm_gpt_sweep *sweep, unsigned long nr)
{
	unsigned long stop = sweep->left - nr;
	u32 n;

	while (!sweep->done && sweep->left > stop &&
	       drm_gpt_shrink_more(sweep->gather.gpt)) {
		for (n = 0; n < DRM_GPT_SHRINK_STEPS && !sweep->done &&
		     sweep->left > stop; n++)
			drm_gpt_shrink_step(sweep);
		cond_resched();
	}
}

static int drm_gpt_shrink_flush(struct drm_gpt_sweep *sweep)
{
	struct drm_gpt *gpt = sweep->gather.gpt;

	if (!sweep->taken || drm_gpt_planted(DRM_GPT_PLANTED_SHRINK_NO_FLUSH))
		return 0;
	drm_gpt_write_barrier(gpt);
	return gpt->flush(gpt, &sweep->gather);
}

/* The flush failed: a device may be in what was taken out, and for how long? */
static void drm_gpt_shrink_keep(struct drm_gpt_gather *gather)
{
	struct drm_gpt_shrink *shrink = &gather->gpt->shrink;
	struct drm_gpt_table *table;

	WRITE_ONCE(shrink->off, true);
	while ((table = gather->tables)) {
		gather->tables = table->next;
		table->next = shrink->stuck;
		shrink->stuck = table;
	}
}

/* Some tables, and their flush. Return: 0, or why there can be no more now. */
static int drm_gpt_shrink_batch(struct drm_gpt_sweep *sweep, struct drm_gpt *gpt)
{
	unsigned long nr = min_t(unsigned long, sweep->left, DRM_GPT_SHRINK_BATCH);
	/* An entry above each goes. A zap of as many may need twice that. */
	u64 bytes = (u64)nr << drm_gpt_level(gpt, 1)->shift;
	int ret;

	drm_gpt_gather_init(&sweep->gather, gpt);
	ret = drm_gpt_zap_reserve(&sweep->gather, 0, bytes - 1, true);
	if (ret == -ENODEV)
		WRITE_ONCE(gpt->shrink.off, true);
	if (ret)
		return ret;
	sweep->taken = 0;
	drm_gpt_shrink_walk(sweep, nr);
	ret = drm_gpt_shrink_flush(sweep);
	if (ret) {
		drm_gpt_shrink_keep(&sweep->gather);
	} else {
		sweep->freed += sweep->taken;
		atomic64_add(sweep->taken, &gpt->stats.shrunk);
	}
	drm_gpt_gather_fini(&sweep->gather);
	return ret;
}

/* From @first to @last, and notes where the next scan goes on. */
static void drm_gpt_shrink_part(struct drm_gpt_sweep *sweep, struct drm_gpt *gpt,
				u64 first, u64 last)
{
	sweep->va = first;
	sweep->last = last;
	sweep->done = false;
	while (sweep->left && !sweep->done && drm_gpt_shrink_more(gpt))
		if (drm_gpt_shrink_batch(sweep, gpt))
			break;
	gpt->shrink.next = sweep->va;
	if (sweep->done)
		gpt->shrink.next = last == gpt->last ? 0 : last + 1;
}

/* Where to begin: if directories were unlinked, with a pass over all there is. */
static u64 drm_gpt_shrink_begin(struct drm_gpt_shrink *shrink)
{
	if (READ_ONCE(shrink->all)) {
		WRITE_ONCE(shrink->pass, true);
		/* Pairs with drm_gpt_mark_unlinked(): what it speaks of is seen. */
		xchg(&shrink->all, 0);
		shrink->next = 0;
	}
	return shrink->next;
}

/*
 * Once around from where the last scan ended; @left is how many tables may be
 * looked at, and then how many of these are left. Return: how many will be freed.
 */
static unsigned long drm_gpt_shrink_one(struct drm_gpt *gpt, unsigned long *left)
{
	struct drm_gpt_sweep sweep = { .left = *left };
	u64 first = drm_gpt_shrink_begin(&gpt->shrink);

	drm_gpt_shrink_part(&sweep, gpt, first, gpt->last);
	if (sweep.done)
		WRITE_ONCE(gpt->shrink.pass, false);
	if (sweep.done && first)
		drm_gpt_shrink_part(&sweep, gpt, 0, first - 1);
	*left = sweep.left;
	return sweep.freed;
}

/* ---- all page tables ------------------------------------------------------- */

/* One that no other scan has, to the end of the line. */
static struct drm_gpt *drm_gpt_shrink_claim(void)
{
	struct drm_gpt *gpt, *found = NULL;

	spin_lock(&drm_gpt_shrink_lock);
	list_for_each_entry(gpt, &drm_gpt_shrink_list, shrink.node) {
		/* Pairs with drm_gpt_shrink_release(): what it leaves is ours. */
		if (smp_load_acquire(&gpt->shrink.busy) ||
		    !drm_gpt_shrink_more(gpt))
			continue;
		WRITE_ONCE(gpt->shrink.busy, true);
		list_move_tail(&gpt->shrink.node, &drm_gpt_shrink_list);
		found = gpt;
		break;
	}
	spin_unlock(&drm_gpt_shrink_lock);
	return found;
}

/* Whoever waits to end @gpt may do so, from the store on. */
static void drm_gpt_shrink_release(struct drm_gpt *gpt)
{
	/* Pairs with drm_gpt_shrink_remove() and drm_gpt_shrink_claim(). */
	store_release_wake_up(&gpt->shrink.busy, false);
}

/**
 * drm_gpt_shrink_count() - how many tables are probably idle
 * @shrinker: the one of drm_gpt
 * @sc: not looked at
 *
 * Context: any process.
 * Return: their number, %SHRINK_EMPTY if there are none.
 */
unsigned long drm_gpt_shrink_count(struct shrinker *shrinker,
				   struct shrink_control *sc)
{
	unsigned long sum = 0;
	struct drm_gpt *gpt;

	spin_lock(&drm_gpt_shrink_lock);
	list_for_each_entry(gpt, &drm_gpt_shrink_list, shrink.node)
		sum += drm_gpt_shrinkable(gpt);
	spin_unlock(&drm_gpt_shrink_lock);
	return sum ?: SHRINK_EMPTY;
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpt_shrink_count);

/**
 * drm_gpt_shrink_scan() - free tables that are idle
 * @shrinker: the one of drm_gpt
 * @sc: how many tables may be looked at, how many have been
 *
 * Each page table is visited once at most, so tables that cannot go now are not
 * looked at again and again.
 *
 * Context: any process that may sleep, and reclaim for it.
 * Return: how many tables will be freed after a grace period, %SHRINK_STOP if there
 * is nothing to be had now.
 */
unsigned long drm_gpt_shrink_scan(struct shrinker *shrinker,
				  struct shrink_control *sc)
{
	unsigned long left = sc->nr_to_scan, freed = 0;
	u32 n = READ_ONCE(drm_gpt_shrink_nr);
	struct drm_gpt *gpt;

	if (!gfpflags_allow_blocking(sc->gfp_mask))
		return SHRINK_STOP;
	lock_map_acquire(&drm_gpt_shrink_map);
	for (; n && left; n--) {
		gpt = drm_gpt_shrink_claim();
		if (!gpt)
			break;
		freed += drm_gpt_shrink_one(gpt, &left);
		drm_gpt_shrink_release(gpt);
		cond_resched();
	}
	lock_map_release(&drm_gpt_shrink_map);
	sc->nr_scanned = sc->nr_to_scan - left;
	return freed || !left ? freed : SHRINK_STOP;
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpt_shrink_scan);

/* Behind this, the shrinker may find @gpt. */
void drm_gpt_shrink_add(struct drm_gpt *gpt)
{
	if (!gpt->flush)
		return;
	spin_lock(&drm_gpt_shrink_lock);
	list_add_tail(&gpt->shrink.node, &drm_gpt_shrink_list);
	drm_gpt_shrink_nr++;
	spin_unlock(&drm_gpt_shrink_lock);
}

/* Behind this, it does not, and no scan has it. */
void drm_gpt_shrink_remove(struct drm_gpt *gpt)
{
	if (!gpt->flush)
		return;
	might_sleep();
	spin_lock(&drm_gpt_shrink_lock);
	list_del(&gpt->shrink.node);
	drm_gpt_shrink_nr--;
	spin_unlock(&drm_gpt_shrink_lock);
	if (drm_gpt_planted(DRM_GPT_PLANTED_SHRINK_NO_WAIT))
		return;
	lock_map_acquire(&drm_gpt_shrink_map);
	lock_map_release(&drm_gpt_shrink_map);
	/* Pairs with drm_gpt_shrink_release(). */
	wait_var_event(&gpt->shrink.busy, !smp_load_acquire(&gpt->shrink.busy));
}

/* What a failed flush has left: no device walks the table any more. */
void drm_gpt_shrink_free_stuck(struct drm_gpt *gpt)
{
	struct drm_gpt_table *table;

	while ((table = gpt->shrink.stuck)) {
		gpt->shrink.stuck = table->next;
		drm_gpt_table_free(table);
	}
}

/* ---- module ---------------------------------------------------------------- */

/* Reclaim may run a scan: so none of what it needs may be held over an allocation. */
static void drm_gpt_shrink_lockdep_prime(void)
{
	lockdep_init_map(&drm_gpt_shrink_map, "drm_gpt_shrink",
			 &drm_gpt_shrink_key, 0);
	fs_reclaim_acquire(GFP_KERNEL);
	lock_map_acquire(&drm_gpt_shrink_map);
	lock_map_release(&drm_gpt_shrink_map);
	fs_reclaim_release(GFP_KERNEL);
}

int drm_gpt_shrink_module_init(void)
{
	drm_gpt_shrinker = shrinker_alloc(0, "drm_gpt");
	if (!drm_gpt_shrinker)
		return -ENOMEM;
	drm_gpt_shrink_lockdep_prime();
	drm_gpt_shrinker->count_objects = drm_gpt_shrink_count;
	drm_gpt_shrinker->scan_objects = drm_gpt_shrink_scan;
	shrinker_register(drm_gpt_shrinker);
	return 0;
}

void drm_gpt_shrink_module_exit(void)
{
	shrinker_free(drm_gpt_shrinker);
}
