/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _GPT_SHIM_MEM_H_
#define _GPT_SHIM_MEM_H_

/*
 * Memory. Every allocation can be made to fail, by number; all are counted, so
 * that a leak is seen without a sanitizer too.
 */

#include "lock.h"

#define GFP_ATOMIC		1u
#define GFP_KERNEL		2u
#define GFP_KERNEL_ACCOUNT	6u
#define GFP_NOWAIT		8u
#define __GFP_ZERO		16u
#define __GFP_NOWARN		32u
#define __GFP_ACCOUNT		4u

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define SLAB_ACCOUNT	0
#define SLAB_HWCACHE_ALIGN	0

/* @slab: bytes that it takes in a slab, 0 to have kmalloc()'s sizes. */
void *shim_alloc(size_t bytes, gfp_t gfp, size_t align, size_t slab);
void shim_free(const void *ptr);
/* Allocations alive. */
long shim_allocated(void);
/* Bytes of them, as the slab would have them: by the sizes of kmalloc(). */
long shim_bytes(void);
/* Of this thread, the @n-th allocation from now on fails; 0: none. */
void shim_fail_nth(unsigned int n);
/* Has it been reached? */
bool shim_fail_reached(void);

/* kmalloc() of more is hard to get when memory has been in use for long. */
static inline size_t shim_not_costly(size_t bytes)
{
	WARN_ON(bytes > PAGE_SIZE << 3);
	return bytes;
}

#define kvmalloc(bytes, gfp)	shim_alloc(bytes, gfp, 0, 0)
#define kvzalloc(bytes, gfp)	shim_alloc(bytes, (gfp) | __GFP_ZERO, 0, 0)
#define kmalloc(bytes, gfp)	kvmalloc(shim_not_costly(bytes), gfp)
#define kzalloc(bytes, gfp)	kvzalloc(shim_not_costly(bytes), gfp)
#define kcalloc(n, bytes, gfp)	kzalloc((size_t)(n) * (bytes), gfp)
#define kmalloc_array(n, bytes, gfp)	kmalloc((size_t)(n) * (bytes), gfp)
#define kvmalloc_array(n, bytes, gfp)	kvmalloc((size_t)(n) * (bytes), gfp)
#define kvcalloc(n, bytes, gfp)	kvzalloc((size_t)(n) * (bytes), gfp)
#define kmalloc_obj(obj, gfp)	((typeof(obj) *)kmalloc(sizeof(obj), gfp))
#define kzalloc_obj(obj, gfp)	((typeof(obj) *)kzalloc(sizeof(obj), gfp))
#define kmalloc_objs(obj, n, gfp) \
	((typeof(obj) *)kmalloc((size_t)(n) * sizeof(obj), gfp))
#define kzalloc_flex(obj, member, n, gfp) \
	((typeof(obj) *)kzalloc(sizeof(obj) + \
				(size_t)(n) * sizeof((obj).member[0]), gfp))
#define struct_size(p, member, n)	(sizeof(*(p)) + (size_t)(n) * sizeof((p)->member[0]))
#define struct_size_t(type, member, n) \
	(sizeof(type) + (size_t)(n) * sizeof(((type *)NULL)->member[0]))
#define kfree(ptr)	shim_free(ptr)
#define kvfree(ptr)	shim_free(ptr)
#define vzalloc(bytes)	kvzalloc(bytes, GFP_KERNEL)
#define vfree(ptr)	shim_free(ptr)

struct kmem_cache {
	size_t bytes;
	size_t slab;
};

struct kmem_cache *kmem_cache_create(const char *name, unsigned int bytes,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *obj));
void kmem_cache_destroy(struct kmem_cache *cache);
#define kmem_cache_alloc(cache, gfp)	shim_alloc((cache)->bytes, gfp, 0, (cache)->slab)
#define kmem_cache_zalloc(cache, gfp)	kmem_cache_alloc(cache, (gfp) | __GFP_ZERO)
#define kmem_cache_free(cache, ptr)	shim_free(ptr)

/* ---- pages and DMA: bus addresses are the CPU's --------------------------- */

struct page {
	void *mem;
};

struct device {
	bool no_coherent;
};

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE };
enum node_stat_item { NR_SECONDARY_PAGETABLE };
#define DMA_ATTR_REQUIRE_COHERENT	1

static inline unsigned int get_order(size_t bytes)
{
	return bytes <= PAGE_SIZE ? 0 : ilog2(bytes - 1) + 1 - PAGE_SHIFT;
}

struct page *alloc_pages(gfp_t gfp, unsigned int order);
void __free_pages(struct page *page, unsigned int order);
#define page_address(page)	((page)->mem)
void mod_lruvec_page_state(struct page *page, enum node_stat_item item, int n);
dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page,
			      size_t offset, size_t bytes,
			      enum dma_data_direction dir, unsigned long attrs);
void dma_unmap_page_attrs(struct device *dev, dma_addr_t dma, size_t bytes,
			  enum dma_data_direction dir, unsigned long attrs);
void dma_sync_single_for_device(struct device *dev, dma_addr_t dma,
				size_t bytes, enum dma_data_direction dir);
static inline bool dma_mapping_error(struct device *dev, dma_addr_t dma)
{
	return dma == ~0ULL;
}

static inline const char *dev_name(const struct device *dev) { return "dev"; }
#define DMA_BIT_MASK(n)	((n) == 64 ? ~0ULL : (1ULL << (n)) - 1)
static inline int dma_coerce_mask_and_coherent(struct device *dev, u64 mask)
{
	return 0;
}

struct dma_pool;
struct dma_pool *dma_pool_create(const char *name, struct device *dev,
				 size_t bytes, size_t align, size_t boundary);
void dma_pool_destroy(struct dma_pool *pool);
void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *dma);
void dma_pool_free(struct dma_pool *pool, void *cpu, dma_addr_t dma);

/* ---- shrinkers: nobody calls them but who wants to ------------------------- */

struct shrink_control {
	gfp_t gfp_mask;
	unsigned long nr_to_scan;
	unsigned long nr_scanned;
};

#define SHRINK_STOP	(~0UL)
#define SHRINK_EMPTY	(~0UL - 1)
#define gfpflags_allow_blocking(gfp)	(!!((gfp) & GFP_KERNEL))

struct shrinker {
	unsigned long (*count_objects)(struct shrinker *s, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *s, struct shrink_control *sc);
	void *private_data;
};

#define shrinker_alloc(flags, ...)	kzalloc_obj(struct shrinker, GFP_KERNEL)
static inline void shrinker_register(struct shrinker *shrinker) {}
static inline void shrinker_free(struct shrinker *shrinker) { kfree(shrinker); }

#endif /* _GPT_SHIM_MEM_H_ */
