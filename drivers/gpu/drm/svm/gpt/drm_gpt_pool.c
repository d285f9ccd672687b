// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device's stock of zeroed, mapped pages for tables, so that a fault does not
 * wait for either. Bounded, and given back when memory is short.
 */

#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "drm_gpt_mem.h"

/**
 * struct drm_gpt_pool - pages of one device
 * @dev: device that they are mapped for
 * @shrinker: gives them back
 * @lock: what follows
 * @limit: most pages to keep; constant
 * @nr: pages there are
 * @page: them
 */
struct drm_gpt_pool {
	struct device *dev;
	struct shrinker *shrinker;
	spinlock_t lock;	/* see above */
	u32 limit;
	u32 nr;
	struct drm_gpt_mem page[];
};

static bool drm_gpt_pool_pop(struct drm_gpt_pool *pool, struct drm_gpt_mem *mem)
{
	bool found;

	spin_lock(&pool->lock);
	found = pool->nr;
	if (found)
		*mem = pool->page[--pool->nr];
	spin_unlock(&pool->lock);
	return found;
}

static bool drm_gpt_pool_push(struct drm_gpt_pool *pool,
			      const struct drm_gpt_mem *mem)
{
	bool room;

	spin_lock(&pool->lock);
	room = pool->nr < pool->limit;
	if (room)
		pool->page[pool->nr++] = *mem;
	spin_unlock(&pool->lock);
	return room;
}

/**
 * drm_gpt_pool_trim() - give pages back
 * @pool: pool
 * @nr: how many at most
 *
 * What the shrinker does when memory is short; for a driver before suspend.
 *
 * Context: any process; allocates nothing.
 * Return: how many it were.
 */
unsigned long drm_gpt_pool_trim(struct drm_gpt_pool *pool, unsigned long nr)
{
	struct drm_gpt_mem mem;
	unsigned long freed;

	for (freed = 0; freed < nr && drm_gpt_pool_pop(pool, &mem); freed++)
		drm_gpt_page_free(pool->dev, &mem, 0, DMA_BIDIRECTIONAL);
	return freed;
}
EXPORT_SYMBOL_GPL(drm_gpt_pool_trim);

static unsigned long drm_gpt_pool_count(struct shrinker *shrinker,
					struct shrink_control *sc)
{
	struct drm_gpt_pool *pool = shrinker->private_data;

	return READ_ONCE(pool->nr) ?: SHRINK_EMPTY;
}

static unsigned long drm_gpt_pool_scan(struct shrinker *shrinker,
				       struct shrink_control *sc)
{
	return drm_gpt_pool_trim(shrinker->private_data, sc->nr_to_scan);
}

/**
 * drm_gpt_pool_create() - make a stock of pages for tables
 * @dev: device that walks the tables, coherent
 * @limit: most pages to keep, at least 1
 *
 * It begins empty and fills with what page tables give back. For
 * &drm_gpt_config.mem = &drm_gpt_mem_pool with the pool as
 * &drm_gpt_config.mem_data. A page that changes hands cannot be charged to whom
 * it goes, so pages of a pool are charged to nobody: where users are charged for
 * their page tables, &drm_gpt_mem_pages is the right one.
 *
 * Context: may sleep.
 * Return: the pool, or an ERR_PTR: -EINVAL, -ENOMEM.
 */
struct drm_gpt_pool *drm_gpt_pool_create(struct device *dev, u32 limit)
{
	struct drm_gpt_pool *pool;

	if (!limit)
		return ERR_PTR(-EINVAL);
	pool = kvzalloc(struct_size(pool, page, limit), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	pool->shrinker = shrinker_alloc(0, "drm_gpt:%s", dev_name(dev));
	if (!pool->shrinker) {
		kvfree(pool);
		return ERR_PTR(-ENOMEM);
	}
	spin_lock_init(&pool->lock);
	pool->dev = dev;
	pool->limit = limit;
	pool->shrinker->count_objects = drm_gpt_pool_count;
	pool->shrinker->scan_objects = drm_gpt_pool_scan;
	pool->shrinker->private_data = pool;
	shrinker_register(pool->shrinker);
	return pool;
}
EXPORT_SYMBOL_GPL(drm_gpt_pool_create);

/**
 * drm_gpt_pool_destroy() - end a stock
 * @pool: pool; no page table uses it any more
 *
 * Context: may sleep.
 */
void drm_gpt_pool_destroy(struct drm_gpt_pool *pool)
{
	shrinker_free(pool->shrinker);
	drm_gpt_pool_trim(pool, pool->limit);
	kvfree(pool);
}
EXPORT_SYMBOL_GPL(drm_gpt_pool_destroy);

/**
 * drm_gpt_pool_pages() - how many pages a pool keeps
 * @pool: pool
 *
 * Return: their number.
 */
u32 drm_gpt_pool_pages(const struct drm_gpt_pool *pool)
{
	return READ_ONCE(pool->nr);
}
EXPORT_SYMBOL_GPL(drm_gpt_pool_pages);

static int drm_gpt_pool_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			      u32 bytes, gfp_t gfp)
{
	struct drm_gpt_pool *pool = gpt->mem_data;
	unsigned int order = get_order(bytes);

	if (!order && drm_gpt_pool_pop(pool, mem))
		return 0;
	return drm_gpt_page_alloc(pool->dev, mem, order, gfp & ~__GFP_ACCOUNT,
				  DMA_BIDIRECTIONAL);
}

/* Pages in the pool stay counted as page tables; there are few. */
static void drm_gpt_pool_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			      u32 bytes)
{
	struct drm_gpt_pool *pool = gpt->mem_data;
	unsigned int order = get_order(bytes);

	if (!order) {
		memset(mem->cpu, 0, PAGE_SIZE);
		if (drm_gpt_pool_push(pool, mem))
			return;
	}
	drm_gpt_page_free(pool->dev, mem, order, DMA_BIDIRECTIONAL);
}

const struct drm_gpt_mem_ops drm_gpt_mem_pool = {
	.alloc = drm_gpt_pool_alloc,
	.free = drm_gpt_pool_free,
};
EXPORT_SYMBOL_GPL(drm_gpt_mem_pool);
