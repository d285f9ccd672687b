// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tables: making and freeing them, and how entries get into them - by stores
 * of the CPU or as packets of a command ring.
 */

#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "drm_gpt_internal.h"

/* ---- memory ------------------------------------------------------------- */

static int drm_gpt_pages_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			       u32 bytes, gfp_t gfp)
{
	unsigned int order = get_order(bytes);
	struct page *page;
	dma_addr_t dma;

	page = alloc_pages(gfp | __GFP_ZERO, order);
	if (!page)
		return -ENOMEM;
	dma = dma_map_page_attrs(gpt->dev, page, 0, PAGE_SIZE << order,
				 DMA_BIDIRECTIONAL, DMA_ATTR_REQUIRE_COHERENT);
	if (dma_mapping_error(gpt->dev, dma)) {
		__free_pages(page, order);
		return -ENOMEM;
	}
	mod_lruvec_page_state(page, NR_SECONDARY_PAGETABLE, 1 << order);
	mem->cpu = page_address(page);
	mem->addr = dma;
	mem->local = false;
	mem->priv = page;
	return 0;
}

static void drm_gpt_pages_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
			       u32 bytes)
{
	unsigned int order = get_order(bytes);
	struct page *page = mem->priv;

	mod_lruvec_page_state(page, NR_SECONDARY_PAGETABLE, -(1 << order));
	dma_unmap_page_attrs(gpt->dev, mem->addr, PAGE_SIZE << order,
			     DMA_BIDIRECTIONAL, DMA_ATTR_REQUIRE_COHERENT);
	__free_pages(page, order);
}

const struct drm_gpt_mem_ops drm_gpt_mem_pages = {
	.alloc = drm_gpt_pages_alloc,
	.free = drm_gpt_pages_free,
};
EXPORT_SYMBOL_GPL(drm_gpt_mem_pages);

/* ---- life --------------------------------------------------------------- */

struct drm_gpt_table *drm_gpt_table_make(struct drm_gpt *gpt, u8 level, u64 va,
					 gfp_t gfp)
{
	u32 children = level ? drm_gpt_entries(gpt, level) : 0;
	struct drm_gpt_table *table;
	u64 span = drm_gpt_entry_mask(gpt, level);
	int ret;

	table = kzalloc_flex(*table, child, children, gfp);
	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = gpt->mem->alloc(gpt, &table->mem, drm_gpt_table_bytes(gpt, level),
			      gfp);
	if (ret) {
		kfree(table);
		return ERR_PTR(ret);
	}
	span = (span << drm_gpt_level(gpt, level)->bits) |
	       (drm_gpt_entries(gpt, level) - 1);
	spin_lock_init(&table->lock);
	INIT_LIST_HEAD(&table->node);
	table->gpt = gpt;
	table->level = level;
	table->base = va & ~span;
	atomic64_inc(&gpt->stats.tables);
	return table;
}

void drm_gpt_table_free(struct drm_gpt_table *table)
{
	struct drm_gpt *gpt = table->gpt;

	gpt->mem->free(gpt, &table->mem,
		       drm_gpt_table_bytes(gpt, table->level));
	atomic64_dec(&gpt->stats.tables);
	kfree(table);
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

int drm_gpt_table_module_init(void)
{
	drm_gpt_wq = alloc_workqueue("drm_gpt", WQ_UNBOUND, 0);
	return drm_gpt_wq ? 0 : -ENOMEM;
}

void drm_gpt_table_module_exit(void)
{
	rcu_barrier();
	destroy_workqueue(drm_gpt_wq);
}

/* ---- entries ------------------------------------------------------------ */

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

static void *drm_gpt_entry_cpu(const struct drm_gpt_table *table, u32 i)
{
	return table->mem.cpu + ((size_t)i << drm_gpt_entry_shift(table));
}

static void drm_gpt_record(struct drm_gpt_table *table,
			   enum drm_gpt_run_kind kind, u32 i, u32 n,
			   const void *entries, u64 step, u32 *credits)
{
	struct drm_gpt *gpt = table->gpt;
	const struct drm_gpt_run run = {
		.kind = kind,
		.local = table->mem.local,
		.entry_shift = drm_gpt_entry_shift(table),
		.addr = table->mem.addr + ((u64)i << drm_gpt_entry_shift(table)),
		.n = n,
		.entries = entries,
		.step = step,
	};

	if (!credits)
		return;
	atomic64_inc(&gpt->stats.runs);
	drm_gpt_use_credits(gpt, credits, drm_gpt_words(gpt, kind, n));
	gpt->cmd->write(gpt, &run);
}

/* Makes @n entries from @i on map nothing. */
void drm_gpt_write_empty(struct drm_gpt_table *table, u32 i, u32 n,
			 u32 *credits)
{
	const struct drm_gpt_format *format = table->gpt->format;
	u64 entry[2];

	lockdep_assert_held(&table->lock);
	if (!table->gpt->cmd) {
		format->fill_empty(drm_gpt_entry_cpu(table, i), table->level, n);
		return;
	}
	format->fill_empty(entry, table->level, 1);
	drm_gpt_record(table, DRM_GPT_RUN_FILL, i, n, entry, 0, credits);
}

static void drm_gpt_record_seq(struct drm_gpt_table *table, u32 i, u64 leaf,
			       u32 n, u32 *credits)
{
	const struct drm_gpt_format *format = table->gpt->format;
	u64 entry[2];

	/* What one step adds is for the format to know. */
	format->fill_seq(entry, table->level, leaf, 2);
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

		format->fill_seq(entries, table->level, leaf, now);
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
	if (!table->gpt->cmd)
		table->gpt->format->fill_seq(drm_gpt_entry_cpu(table, i),
					     table->level, leaf, n);
	else if (drm_gpt_has_seq(table->gpt, table->level))
		drm_gpt_record_seq(table, i, leaf, n, credits);
	else
		drm_gpt_record_spelled(table, i, leaf, n, credits);
}

/* Leaves one by one. */
void drm_gpt_write_leaves(struct drm_gpt_table *table, u32 i,
			  const u64 *leaves, u32 n, u32 *credits)
{
	const struct drm_gpt_format *format = table->gpt->format;
	u64 entries[DRM_GPT_CHUNK * 2];

	lockdep_assert_held(&table->lock);
	if (!table->gpt->cmd) {
		format->fill_leaves(drm_gpt_entry_cpu(table, i), table->level,
				    leaves, n);
		return;
	}
	while (n) {
		u32 now = min_t(u32, n, DRM_GPT_CHUNK);

		format->fill_leaves(entries, table->level, leaves, now);
		drm_gpt_record(table, DRM_GPT_RUN_COPY, i, now, entries, 0,
			       credits);
		i += now;
		n -= now;
		leaves += now;
	}
}

/* Points an entry at a table. What that table holds is visible before. */
void drm_gpt_write_child(struct drm_gpt_table *table, u32 i,
			 const struct drm_gpt_table *child, u32 *credits)
{
	const struct drm_gpt_format *format = table->gpt->format;
	u64 entry[2];

	lockdep_assert_held(&table->lock);
	if (!table->gpt->cmd) {
		drm_gpt_write_barrier(table->gpt);
		format->fill_table(drm_gpt_entry_cpu(table, i), table->level,
				   child->mem.addr, child->mem.local);
		return;
	}
	format->fill_table(entry, table->level, child->mem.addr,
			   child->mem.local);
	drm_gpt_record(table, DRM_GPT_RUN_COPY, i, 1, entry, 0, credits);
}

/* Starts what was recorded; the number to wait for, 0 without commands. */
u64 drm_gpt_fence(struct drm_gpt *gpt, u32 *credits)
{
	if (!gpt->cmd)
		return 0;
	drm_gpt_use_credits(gpt, credits, gpt->cmd->fence_words);
	return gpt->cmd->fence(gpt);
}

/* Orders stores to tables for a device that walks them. */
void drm_gpt_write_barrier(struct drm_gpt *gpt)
{
	if (!gpt->cmd)
		dma_wmb();
}

static void drm_gpt_put_bits(unsigned long *bits, u32 i, u32 n, bool set)
{
	if (set)
		bitmap_set(bits, i, n);
	else
		bitmap_clear(bits, i, n);
}

/* What lookups are told of entries that are alike. @live comes last. */
void drm_gpt_set_bits(struct drm_gpt_table *table, u32 i, u64 leaf, u32 n)
{
	drm_gpt_put_bits(table->write, i, n, leaf & DRM_GPT_LEAF_WRITE);
	drm_gpt_put_bits(table->atomic, i, n, leaf & DRM_GPT_LEAF_ATOMIC);
	bitmap_set(table->live, i, n);
}

/* The same for entries one by one; those not valid keep what they have. */
void drm_gpt_note_leaves(struct drm_gpt_table *table, u32 i, const u64 *leaves,
			 u32 n)
{
	while (n) {
		u32 w = i / BITS_PER_LONG, b = i % BITS_PER_LONG;
		u32 end = min_t(u32, BITS_PER_LONG, b + n);
		unsigned long live = 0, write = 0, atomic = 0;

		n -= end - b;
		i += end - b;
		for (; b < end; b++, leaves++) {
			unsigned long bit = BIT(b);

			if (!(*leaves & DRM_GPT_LEAF_VALID))
				continue;
			live |= bit;
			write |= *leaves & DRM_GPT_LEAF_WRITE ? bit : 0;
			atomic |= *leaves & DRM_GPT_LEAF_ATOMIC ? bit : 0;
		}
		WRITE_ONCE(table->write[w], (table->write[w] & ~live) | write);
		WRITE_ONCE(table->atomic[w], (table->atomic[w] & ~live) | atomic);
		WRITE_ONCE(table->live[w], table->live[w] | live);
	}
}

void drm_gpt_clear_bits(struct drm_gpt_table *table, u32 i, u32 n)
{
	bitmap_clear(table->live, i, n);
	bitmap_clear(table->write, i, n);
	bitmap_clear(table->atomic, i, n);
}
