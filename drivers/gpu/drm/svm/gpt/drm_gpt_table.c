// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tables: making them, and freeing them after a grace period.
 */

#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "drm_gpt_internal.h"

/*
 * The commonest tables have 512 entries that the CPU writes, some of the lowest
 * another table beside them. Of caches of their own, since kmalloc() would round
 * them up by half.
 */
#define DRM_GPT_COMMON_BITS	((512 + BITS_PER_LONG) / BITS_PER_BYTE)
#define DRM_GPT_COMMON_LEAF	(sizeof(struct drm_gpt_table) + DRM_GPT_COMMON_BITS)
#define DRM_GPT_COMMON_PAIR	(DRM_GPT_COMMON_LEAF + sizeof(struct drm_gpt_beside))
#define DRM_GPT_COMMON_DIR	(struct_size_t(struct drm_gpt_dir, table.child, 512) + \
				 DRM_GPT_COMMON_BITS)

static struct kmem_cache *drm_gpt_leaf_cache, *drm_gpt_pair_cache, *drm_gpt_dir_cache;

/* What stands behind the struct, the children of a directory included. */
static size_t drm_gpt_tail_size(const struct drm_gpt *gpt, u8 level)
{
	u32 entries = drm_gpt_entries(gpt, level);
	size_t size = level ? entries * sizeof(struct drm_gpt_table *) : 0;

	size += BITS_TO_LONGS(entries) * sizeof(long);
	size += BITS_TO_LONGS(drm_gpt_groups(gpt, level)) * sizeof(long);
	if (gpt->cmd)
		size += BITS_TO_LONGS(entries) * sizeof(long) * 2 + sizeof(u64) +
			struct_size_t(struct drm_gpt_side, known,
				      drm_gpt_nr_known(gpt, level));
	if (drm_gpt_has_beside(gpt, level))
		size += sizeof(struct drm_gpt_beside) +
			__alignof__(struct drm_gpt_beside) - __alignof__(long);
	return size;
}

static u32 drm_gpt_mem_bytes(const struct drm_gpt *gpt, u8 level)
{
	u32 bytes = drm_gpt_table_bytes(gpt, level);

	if (level == drm_gpt_top(gpt))
		bytes = max_t(u32, bytes, gpt->format->root_bytes);
	if (level == drm_gpt_top(gpt) &&
	    drm_gpt_planted(DRM_GPT_PLANTED_SHORT_ROOT))
		bytes -= 1U << drm_gpt_level(gpt, level)->entry_shift;
	return bytes;
}

static u32 drm_gpt_beside_bytes(const struct drm_gpt *gpt, u8 level)
{
	return drm_gpt_groups(gpt, level) << drm_gpt_level(gpt, level)->entry_shift;
}

/* The longest directories take more than 64 KiB, which are not always to be had in one. */
static void *drm_gpt_zalloc(struct kmem_cache *cache, size_t common, size_t size,
			    gfp_t gfp)
{
	if (size <= common && size > common / 2)
		return kmem_cache_zalloc(cache, gfp);
	return kvzalloc(size, gfp);
}

static struct drm_gpt_table *drm_gpt_table_alloc(struct drm_gpt *gpt, u8 level,
						 gfp_t gfp)
{
	size_t size = drm_gpt_tail_size(gpt, level);
	struct drm_gpt_dir *dir;

	if (drm_gpt_has_beside(gpt, level))
		return drm_gpt_zalloc(drm_gpt_pair_cache, DRM_GPT_COMMON_PAIR,
				      sizeof(struct drm_gpt_table) + size, gfp);
	if (!level)
		return drm_gpt_zalloc(drm_gpt_leaf_cache, DRM_GPT_COMMON_LEAF,
				      sizeof(struct drm_gpt_table) + size, gfp);
	dir = drm_gpt_zalloc(drm_gpt_dir_cache, DRM_GPT_COMMON_DIR,
			     sizeof(*dir) + size, gfp);
	if (!dir)
		return NULL;
	dir->epoch = 1;
	return &dir->table;
}

/* From either; in process context, as drm_gpt_mem_ops.free is. */
static void drm_gpt_table_release(struct drm_gpt_table *table)
{
	if (table->state & DRM_GPT_OWNERS)
		kfree(table->owners);
	if (table->level)
		kvfree(drm_gpt_dir(table));
	else
		kvfree(table);
}

static int drm_gpt_beside_make(struct drm_gpt_table *table, gfp_t gfp)
{
	struct drm_gpt_beside *beside = drm_gpt_beside(table);
	struct drm_gpt *gpt = table->gpt;
	struct drm_gpt_mem mem = {};
	int ret;

	ret = gpt->mem->alloc(gpt, &mem, drm_gpt_beside_bytes(gpt, table->level),
			      gfp);
	if (ret)
		return ret;
	table->beside_local = mem.local;
	beside->cpu = mem.cpu;
	beside->addr = mem.addr;
	beside->priv = mem.priv;
	return 0;
}

/* The hardware's table, and what is beside it. */
static int drm_gpt_mem_make(struct drm_gpt_table *table, gfp_t gfp)
{
	struct drm_gpt *gpt = table->gpt;
	u32 bytes = drm_gpt_mem_bytes(gpt, table->level);
	struct drm_gpt_mem mem = {};
	int ret;

	ret = gpt->mem->alloc(gpt, &mem, bytes, gfp);
	if (ret)
		return ret;
	table->cpu = mem.cpu;
	table->addr = mem.addr;
	table->local = mem.local;
	table->priv = mem.priv;
	if (!drm_gpt_has_beside(gpt, table->level))
		return 0;
	ret = drm_gpt_beside_make(table, gfp);
	if (ret)
		gpt->mem->free(gpt, &mem, bytes);
	return ret;
}

static void drm_gpt_mem_free(struct drm_gpt_table *table)
{
	struct drm_gpt *gpt = table->gpt;
	struct drm_gpt_mem mem = {
		.cpu = table->cpu,
		.addr = table->addr,
		.local = table->local,
		.priv = table->state & DRM_GPT_OWNERS ? table->owners->priv : table->priv,
	};

	gpt->mem->free(gpt, &mem, drm_gpt_mem_bytes(gpt, table->level));
	if (!drm_gpt_has_beside(gpt, table->level))
		return;
	mem.cpu = drm_gpt_beside(table)->cpu;
	mem.addr = drm_gpt_beside(table)->addr;
	mem.local = table->beside_local;
	mem.priv = drm_gpt_beside(table)->priv;
	gpt->mem->free(gpt, &mem, drm_gpt_beside_bytes(gpt, table->level));
}

/* An empty table over @va, in no tree yet. */
struct drm_gpt_table *drm_gpt_table_make(struct drm_gpt *gpt, u8 level, u64 va,
					 gfp_t gfp)
{
	struct drm_gpt_table *table = drm_gpt_table_alloc(gpt, level, gfp);
	int ret;

	if (!table)
		return ERR_PTR(-ENOMEM);
	table->gpt = gpt;
	table->level = level;
	ret = drm_gpt_mem_make(table, gfp);
	if (ret) {
		drm_gpt_table_release(table);
		return ERR_PTR(ret);
	}
	spin_lock_init(&table->lock);
	table->base = va & ~drm_gpt_table_mask(gpt, level);
	atomic64_inc(&gpt->stats.tables);
	return table;
}

void drm_gpt_table_free(struct drm_gpt_table *table)
{
	struct drm_gpt *gpt = table->gpt;

	drm_gpt_mem_free(table);
	atomic64_dec(&gpt->stats.tables);
	drm_gpt_table_release(table);
}

/*
 * Tables whose grace period is over. Their memory is given back in process
 * context, where an IOMMU may be told; of our own queue, so that unloading waits
 * for it.
 */
static LLIST_HEAD(drm_gpt_freed);
static struct workqueue_struct *drm_gpt_wq;

static void drm_gpt_free_work_fn(struct work_struct *work)
{
	struct drm_gpt_table *table, *next;

	llist_for_each_entry_safe(table, next, llist_del_all(&drm_gpt_freed),
				  freed) {
		struct drm_gpt *gpt = table->gpt;

		drm_gpt_table_free(table);
		if (atomic_dec_and_test(&gpt->freeing))
			wake_up_var(&gpt->freeing);
	}
}

static DECLARE_WORK(drm_gpt_free_work, drm_gpt_free_work_fn);

static void drm_gpt_table_free_rcu(struct rcu_head *rcu)
{
	struct drm_gpt_table *table = container_of(rcu, struct drm_gpt_table, rcu);

	llist_add(&table->freed, &drm_gpt_freed);
	queue_work(drm_gpt_wq, &drm_gpt_free_work);
}

/* After a grace period, in process context: a lookup may still be in it. */
void drm_gpt_table_free_later(struct drm_gpt_table *table)
{
	atomic_inc(&table->gpt->freeing);
	call_rcu(&table->rcu, drm_gpt_table_free_rcu);
}

static struct kmem_cache *drm_gpt_make_cache(const char *name, size_t bytes)
{
	return kmem_cache_create(name, bytes, 0, 0, NULL);
}

static void drm_gpt_destroy_caches(void)
{
	kmem_cache_destroy(drm_gpt_leaf_cache);
	kmem_cache_destroy(drm_gpt_pair_cache);
	kmem_cache_destroy(drm_gpt_dir_cache);
}

int drm_gpt_table_module_init(void)
{
	drm_gpt_leaf_cache = drm_gpt_make_cache("drm_gpt_table",
						DRM_GPT_COMMON_LEAF);
	drm_gpt_pair_cache = drm_gpt_make_cache("drm_gpt_table_pair",
						DRM_GPT_COMMON_PAIR);
	drm_gpt_dir_cache = drm_gpt_make_cache("drm_gpt_directory",
					       DRM_GPT_COMMON_DIR);
	if (drm_gpt_leaf_cache && drm_gpt_pair_cache && drm_gpt_dir_cache)
		/* What memory pressure takes out is freed when there is none. */
		drm_gpt_wq = alloc_workqueue("drm_gpt",
					     WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (drm_gpt_wq)
		return 0;
	drm_gpt_destroy_caches();
	return -ENOMEM;
}

void drm_gpt_table_module_exit(void)
{
	rcu_barrier();
	destroy_workqueue(drm_gpt_wq);
	drm_gpt_destroy_caches();
}
