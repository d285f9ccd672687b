// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * drm_gpusvm and drm_pagemap behind the same device, with drm_gpt as its page
 * table, in the manner of xe: chunks of 2M, 64K and 4K, one lock over faults,
 * a notifier that zaps, flushes and unmaps, ranges collected at the next fault.
 */
#include <linux/bitmap.h>
#include <linux/ioport.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gpusvm.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_pagemap.h>

#include "svm_bench.h"

struct bench_gpusvm {
	struct bench_dev b;
	struct drm_device *drm;
	struct drm_gpusvm gpusvm;
	struct mutex lock;		/* the driver's, over faults */
	spinlock_t gc_lock;
	struct list_head gc;
	struct dev_pagemap pgmap;
	struct drm_pagemap *dpagemap;
	spinlock_t mem_lock;
	unsigned long *used;
	u64 leaves[512];
};

struct bench_range {
	struct drm_gpusvm_range base;
	struct list_head gc;
	bool mapped, in_devmem;
};

struct bench_devmem {
	struct drm_pagemap_devmem base;
	struct bench_gpusvm *g;
	unsigned long first, n;
};

static struct bench_gpusvm *of_gpusvm(struct drm_gpusvm *gpusvm)
{
	return container_of(gpusvm, struct bench_gpusvm, gpusvm);
}

static unsigned long g_pfn(struct bench_gpusvm *g)
{
	return g->pgmap.range.start >> PAGE_SHIFT;
}

/* ---- device memory ---- */

static void g_devmem_release(struct drm_pagemap_devmem *devmem)
{
	struct bench_devmem *m = container_of(devmem, struct bench_devmem, base);
	unsigned long flags;

	spin_lock_irqsave(&m->g->mem_lock, flags);
	bitmap_clear(m->g->used, m->first, m->n);
	spin_unlock_irqrestore(&m->g->mem_lock, flags);
	kfree(m);
}

static int g_populate_pfn(struct drm_pagemap_devmem *devmem, unsigned long npages,
			  unsigned long *pfn)
{
	struct bench_devmem *m = container_of(devmem, struct bench_devmem, base);
	unsigned long i;

	for (i = 0; i < npages; i++)
		pfn[i] = g_pfn(m->g) + m->first + i;
	return 0;
}

static int g_copy(struct page **pages, struct drm_pagemap_addr *addr, unsigned long npages,
		  bool to_device)
{
	struct bench_gpusvm *g = NULL;
	unsigned long i;
	u64 t = bench_ticks();

	for (i = 0; i < npages;) {
		struct page *page = pages[i];
		unsigned int order = addr[i].order;

		if (page && addr[i].addr) {
			g = container_of(page_pgmap(page), struct bench_gpusvm, pgmap);
			bench_copy(&g->b, (u64)(page_to_pfn(page) - g_pfn(g)) << PAGE_SHIFT,
				   addr[i].addr, PAGE_SIZE << order, to_device);
		}
		i += 1UL << order;
	}
	if (g)
		g->b.hw += bench_ticks() - t;
	return 0;
}

static int g_copy_to_devmem(struct page **pages, struct drm_pagemap_addr *addr,
			    unsigned long npages, struct dma_fence *fence)
{
	return g_copy(pages, addr, npages, true);
}

static int g_copy_to_ram(struct page **pages, struct drm_pagemap_addr *addr,
			 unsigned long npages, struct dma_fence *fence)
{
	return g_copy(pages, addr, npages, false);
}

static const struct drm_pagemap_devmem_ops g_devmem_ops = {
	.devmem_release = g_devmem_release,
	.populate_devmem_pfn = g_populate_pfn,
	.copy_to_devmem = g_copy_to_devmem,
	.copy_to_ram = g_copy_to_ram,
};

static struct drm_pagemap_addr g_device_map(struct drm_pagemap *dpagemap, struct device *dev,
					    struct page *page, unsigned int order,
					    enum dma_data_direction dir)
{
	struct bench_gpusvm *g = container_of(dpagemap->pagemap, struct bench_gpusvm, pgmap);

	return drm_pagemap_addr_encode((u64)(page_to_pfn(page) - g_pfn(g)) << PAGE_SHIFT,
				       DRM_INTERCONNECT_DRIVER, order, dir);
}

static const struct drm_pagemap_ops g_pagemap_ops = {
	.device_map = g_device_map,
};

/* mmap_lock is held. */
static int g_migrate_locked(struct bench_gpusvm *g, unsigned long start, unsigned long end)
{
	const struct drm_pagemap_migrate_details details = { };
	struct bench_devmem *m = kzalloc(sizeof(*m), GFP_KERNEL);
	unsigned long n = (end - start) >> PAGE_SHIFT, flags;

	if (!m)
		return -ENOMEM;
	m->g = g;
	m->n = n;
	spin_lock_irqsave(&g->mem_lock, flags);
	m->first = bitmap_find_next_zero_area(g->used, BENCH_VRAM >> PAGE_SHIFT, 0, n, n - 1);
	if (m->first < BENCH_VRAM >> PAGE_SHIFT)
		bitmap_set(g->used, m->first, n);
	spin_unlock_irqrestore(&g->mem_lock, flags);
	if (m->first >= BENCH_VRAM >> PAGE_SHIFT) {
		kfree(m);
		return -ENOSPC;
	}
	drm_pagemap_devmem_init(&m->base, &g->b.pdev->dev, g->gpusvm.mm, &g_devmem_ops, g->dpagemap,
				end - start, NULL);
	return drm_pagemap_migrate_to_devmem(&m->base, g->gpusvm.mm, start, end, &details);
}

static int g_migrate(struct bench_gpusvm *g, unsigned long start, unsigned long end)
{
	int ret;

	mmap_read_lock(g->gpusvm.mm);
	ret = g_migrate_locked(g, start, end);
	mmap_read_unlock(g->gpusvm.mm);
	return ret;
}

/* ---- ranges ---- */

static struct drm_gpusvm_range *g_range_alloc(struct drm_gpusvm *gpusvm)
{
	struct bench_range *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return NULL;
	INIT_LIST_HEAD(&r->gc);
	return &r->base;
}

static void g_range_free(struct drm_gpusvm_range *range)
{
	kfree(container_of(range, struct bench_range, base));
}

static void g_invalidate(struct drm_gpusvm *gpusvm, struct drm_gpusvm_notifier *notifier,
			 const struct mmu_notifier_range *mnr)
{
	struct bench_gpusvm *g = of_gpusvm(gpusvm);
	struct drm_gpusvm_ctx ctx = { .in_notifier = true };
	u64 start = max_t(u64, drm_gpusvm_notifier_start(notifier), mnr->start);
	u64 end = min_t(u64, drm_gpusvm_notifier_end(notifier), mnr->end);
	struct drm_gpusvm_range *r, *first;
	struct drm_gpt_gather gather;

	first = drm_gpusvm_range_find(notifier, start, end);
	if (!first)
		return;
	drm_gpt_gather_init(&gather, &g->b.gpt);
	r = first;
	drm_gpusvm_for_each_range(r, notifier, start, end) {
		struct bench_range *br = container_of(r, struct bench_range, base);

		if (r->pages.flags.unmapped || !br->mapped)
			continue;
		drm_gpt_zap(&gather, drm_gpusvm_range_start(r), drm_gpusvm_range_end(r) - 1);
		br->mapped = false;
		br->in_devmem = false;
	}
	if (!drm_gpt_gather_empty(&gather))
		atomic_inc(&g->b.flushes);
	drm_gpt_gather_fini(&gather);
	r = first;
	drm_gpusvm_for_each_range(r, notifier, start, end) {
		struct bench_range *br = container_of(r, struct bench_range, base);

		drm_gpusvm_range_unmap_pages(gpusvm, r, &ctx);
		if (mnr->event != MMU_NOTIFY_UNMAP)
			continue;
		drm_gpusvm_range_set_unmapped(r, mnr);
		spin_lock(&g->gc_lock);
		if (list_empty(&br->gc))
			list_add_tail(&br->gc, &g->gc);
		spin_unlock(&g->gc_lock);
	}
}

static const struct drm_gpusvm_ops g_gpusvm_ops = {
	.range_alloc = g_range_alloc,
	.range_free = g_range_free,
	.invalidate = g_invalidate,
};

/* Under the driver's lock. */
static unsigned int g_collect(struct bench_gpusvm *g)
{
	struct drm_gpt_gather gather;
	struct bench_range *r;
	unsigned int n = 0;

	spin_lock(&g->gc_lock);
	while ((r = list_first_entry_or_null(&g->gc, struct bench_range, gc))) {
		u64 first = drm_gpusvm_range_start(&r->base);
		u64 last = drm_gpusvm_range_end(&r->base) - 1;

		list_del_init(&r->gc);
		spin_unlock(&g->gc_lock);
		if (r->base.pages.flags.partial_unmap)
			drm_gpusvm_range_evict(&g->gpusvm, &r->base);
		drm_gpt_gather_init(&gather, &g->b.gpt);
		drm_gpt_zap(&gather, first, last);
		drm_gpt_reclaim(&gather, first, last);
		drm_gpt_gather_fini(&gather);
		drm_gpusvm_range_remove(&g->gpusvm, &r->base);
		n++;
		spin_lock(&g->gc_lock);
	}
	spin_unlock(&g->gc_lock);
	return n;
}

static u64 g_leaf(const struct drm_pagemap_addr *addr, u64 flags)
{
	return addr->addr | flags |
	       (addr->proto == DRM_INTERCONNECT_DRIVER ? DRM_GPT_LEAF_LOCAL : DRM_GPT_LEAF_SYSTEM);
}

static int g_bind(struct bench_gpusvm *g, struct drm_gpusvm_range *r, bool write)
{
	struct bench_range *br = container_of(r, struct bench_range, base);
	u64 first = drm_gpusvm_range_start(r), last = drm_gpusvm_range_end(r) - 1;
	u64 flags = DRM_GPT_LEAF_VALID | (write ? DRM_GPT_LEAF_WRITE | DRM_GPT_LEAF_ATOMIC : 0);
	unsigned long n = (last + 1 - first) >> PAGE_SHIFT, i, j, k;
	u64 *leaves = g->leaves;
	struct drm_gpt_update up;
	int level = 0, ret;

	if (n == 512 && r->pages.dma_addr[0].order == 9)
		level = 1;
	ret = drm_gpt_prepare(&g->b.gpt, &up, first, last, level, GFP_KERNEL);
	if (ret)
		return ret;
	drm_gpusvm_notifier_lock(&g->gpusvm);
	if (!drm_gpusvm_range_pages_valid(&g->gpusvm, r)) {
		ret = -EAGAIN;
		goto out;
	}
	if (level) {
		ret = drm_gpt_commit_seq(&up, first, g_leaf(&r->pages.dma_addr[0], flags), 1,
					 NULL, NULL);
	} else {
		for (i = 0, j = 0; i < n; j++) {
			const struct drm_pagemap_addr *addr = &r->pages.dma_addr[j];
			u64 leaf = g_leaf(addr, flags);

			for (k = 0; k < 1UL << addr->order; k++, i++, leaf += PAGE_SIZE)
				leaves[i] = leaf;
		}
		ret = drm_gpt_commit(&up, first, leaves, n, NULL, NULL);
	}
	if (!ret) {
		br->mapped = true;
		br->in_devmem = r->pages.flags.has_devmem_pages;
	}
out:
	drm_gpusvm_notifier_unlock(&g->gpusvm);
	drm_gpt_finish(&up);
	return ret;
}

static int g_fault_one(struct bench_gpusvm *g, u64 addr, bool read_only, u64 *next)
{
	bool migrate = g->b.flags & SVM_BENCH_MIGRATE;
	struct drm_gpusvm_ctx ctx = {
		.devmem_possible = migrate,
		.read_only = read_only,
		.check_pages_threshold = migrate ? SZ_64K : 0,
		.device_private_page_owner = g,
	};
	struct drm_gpusvm_range *r;
	struct bench_range *br;
	unsigned int tries = 0;
	int ret = 0;

	mutex_lock(&g->lock);
again:
	if (tries++ > 16) {
		ret = -EBUSY;
		goto out;
	}
	g_collect(g);
	r = drm_gpusvm_range_find_or_insert(&g->gpusvm, addr, 0, 1UL << 46, &ctx);
	if (IS_ERR(r)) {
		ret = PTR_ERR(r);
		goto out;
	}
	br = container_of(r, struct bench_range, base);
	*next = drm_gpusvm_range_end(r);
	if (br->mapped && br->in_devmem == migrate)
		goto out;
	if (migrate && r->pages.flags.migrate_devmem && !r->pages.flags.has_devmem_pages) {
		ret = g_migrate(g, drm_gpusvm_range_start(r), drm_gpusvm_range_end(r));
		if (ret && tries < 3)
			goto again;
	}
	ret = drm_gpusvm_range_get_pages(&g->gpusvm, r, &ctx);
	if (ret == -EOPNOTSUPP || ret == -EFAULT || ret == -EPERM) {
		if (ret == -EOPNOTSUPP)
			drm_gpusvm_range_evict(&g->gpusvm, r);
		goto again;
	}
	if (ret)
		goto out;
	/* As xe: writable whatever the access, if the VMA is. */
	ret = g_bind(g, r, !read_only);
	if (ret == -EAGAIN)
		goto again;
out:
	mutex_unlock(&g->lock);
	return ret;
}

static int g_fault(struct bench_dev *dev, struct svm_bench_op *op)
{
	struct bench_gpusvm *g = container_of(dev, struct bench_gpusvm, b);
	u64 addr = op->first, t = bench_ticks();
	int ret = 0;

	while (!ret && addr <= op->last)
		ret = g_fault_one(g, addr, op->flags & SVM_BENCH_READ_ONLY, &addr);
	op->ticks = bench_ticks() - t;
	return ret;
}

static int g_move(struct bench_dev *dev, struct svm_bench_op *op, bool to_device)
{
	struct bench_gpusvm *g = container_of(dev, struct bench_gpusvm, b);
	struct drm_gpusvm_ctx ctx = { .devmem_possible = true, .device_private_page_owner = g };
	struct drm_gpusvm_range *r;
	u64 addr, t = bench_ticks();
	int ret = 0;

	mutex_lock(&g->lock);
	for (addr = op->first; !ret && addr <= op->last;) {
		r = drm_gpusvm_range_find_or_insert(&g->gpusvm, addr, 0, 1UL << 46, &ctx);
		if (IS_ERR(r)) {
			ret = PTR_ERR(r);
			break;
		}
		addr = drm_gpusvm_range_end(r);
		if (to_device)
			ret = g_migrate(g, drm_gpusvm_range_start(r), drm_gpusvm_range_end(r));
		else
			ret = drm_gpusvm_range_evict(&g->gpusvm, r);
	}
	mutex_unlock(&g->lock);
	op->ticks = bench_ticks() - t;
	op->extra[0] = bitmap_weight(g->used, BENCH_VRAM >> PAGE_SHIFT);
	return ret;
}

static void g_sync(struct bench_dev *dev, struct svm_bench_op *op)
{
	struct bench_gpusvm *g = container_of(dev, struct bench_gpusvm, b);
	u64 t = bench_ticks();

	mutex_lock(&g->lock);
	op->extra[0] = g_collect(g);
	mutex_unlock(&g->lock);
	op->ticks = bench_ticks() - t;
	op->extra[1] = atomic64_read(&g->b.gpt.stats.tables);
	op->extra[2] = sizeof(struct bench_range);
	op->extra[3] = sizeof(struct drm_pagemap_addr);
}

/* ---- life ---- */

static const struct file_operations g_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = drm_ioctl,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

static const struct drm_driver g_driver = {
	.name = "svm_bench",
	.desc = "svm_bench",
	.major = 1,
	.fops = &g_fops,
};

static const unsigned long g_chunks[] = { SZ_2M, SZ_64K, SZ_4K };

static int g_region_init(struct bench_gpusvm *g)
{
	struct resource *res;
	void *ret;

	spin_lock_init(&g->mem_lock);
	g->used = bitmap_zalloc(BENCH_VRAM >> PAGE_SHIFT, GFP_KERNEL);
	if (!g->used)
		return -ENOMEM;
	res = request_free_mem_region(&iomem_resource, BENCH_VRAM, "svm_bench");
	if (IS_ERR(res))
		return PTR_ERR(res);
	g->pgmap.type = MEMORY_DEVICE_PRIVATE;
	g->pgmap.range.start = res->start;
	g->pgmap.range.end = res->end;
	g->pgmap.nr_range = 1;
	g->pgmap.ops = drm_pagemap_pagemap_ops_get();
	g->pgmap.owner = g;
	ret = memremap_pages(&g->pgmap, dev_to_node(&g->b.pdev->dev));
	if (IS_ERR(ret)) {
		release_mem_region(res->start, resource_size(res));
		return PTR_ERR(ret);
	}
	/* The last put frees it. */
	g->dpagemap = kzalloc(sizeof(*g->dpagemap), GFP_KERNEL);
	if (!g->dpagemap)
		return -ENOMEM;
	return drm_pagemap_init(g->dpagemap, &g->pgmap, g->drm, &g_pagemap_ops);
}

static int g_init(struct bench_dev *dev, struct mm_struct *mm)
{
	struct bench_gpusvm *g = container_of(dev, struct bench_gpusvm, b);
	int ret;

	mutex_init(&g->lock);
	spin_lock_init(&g->gc_lock);
	INIT_LIST_HEAD(&g->gc);
	g->drm = drm_dev_alloc(&g_driver, &dev->pdev->dev);
	if (IS_ERR(g->drm))
		return PTR_ERR(g->drm);
	ret = g_region_init(g);
	if (ret)
		return ret;
	return drm_gpusvm_init(&g->gpusvm, "svm_bench", g->drm, mm, 0, 1UL << 46, SZ_512M,
			       &g_gpusvm_ops, g_chunks, ARRAY_SIZE(g_chunks));
}

static void g_fini(struct bench_dev *dev)
{
	struct bench_gpusvm *g = container_of(dev, struct bench_gpusvm, b);
	struct range range = g->pgmap.range;

	mutex_lock(&g->lock);
	g_collect(g);
	mutex_unlock(&g->lock);
	drm_gpusvm_fini(&g->gpusvm);
	drm_gpt_fini(&dev->gpt);
	drm_pagemap_put(g->dpagemap);
	memunmap_pages(&g->pgmap);
	release_mem_region(range.start, range_len(&range));
	bitmap_free(g->used);
	drm_dev_put(g->drm);
}

static const struct bench_ops bench_gpusvm_ops = {
	.init = g_init,
	.fini = g_fini,
	.fault = g_fault,
	.move = g_move,
	.sync = g_sync,
};

struct bench_dev *bench_gpusvm_alloc(void)
{
	struct bench_gpusvm *g = kzalloc(sizeof(*g), GFP_KERNEL);

	if (!g)
		return NULL;
	BUILD_BUG_ON(offsetof(struct bench_gpusvm, b));
	g->b.ops = &bench_gpusvm_ops;
	return &g->b;
}
