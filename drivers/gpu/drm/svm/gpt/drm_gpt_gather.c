// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a device may still have in its caches, collected over many zaps: a few
 * ranges, joined where they touch or where there are too many.
 */

#include <linux/export.h>

#include "drm_gpt_internal.h"

/**
 * drm_gpt_gather_init() - begin to collect what has to be flushed
 * @gather: the caller's, until drm_gpt_gather_fini()
 * @gpt: page table
 */
void drm_gpt_gather_init(struct drm_gpt_gather *gather, struct drm_gpt *gpt)
{
	gather->gpt = gpt;
	gather->nr = 0;
	gather->directory = false;
	gather->full = false;
	gather->dead = false;
	gather->zap_first = U64_MAX;
	gather->zap_last = 0;
	gather->credits = 0;
	gather->evict = false;
	gather->owner = DRM_GPT_OWNER_ANY;
	gather->more = false;
	gather->tables = NULL;
}
EXPORT_SYMBOL_GPL(drm_gpt_gather_init);

static void drm_gpt_gather_remove(struct drm_gpt_gather *gather, u32 i)
{
	gather->nr--;
	memmove(&gather->range[i], &gather->range[i + 1],
		(gather->nr - i) * sizeof(gather->range[0]));
}

static void drm_gpt_gather_insert(struct drm_gpt_gather *gather, u32 i,
				  u64 first, u64 last)
{
	memmove(&gather->range[i + 1], &gather->range[i],
		(gather->nr - i) * sizeof(gather->range[0]));
	gather->range[i].first = first;
	gather->range[i].last = last;
	gather->nr++;
}

/* Of the neighbours with the least between them: the lower one. */
static u32 drm_gpt_gather_nearest(const struct drm_gpt_gather *gather, u64 *gap)
{
	u32 i, best = 0;

	*gap = U64_MAX;
	for (i = 0; i + 1 < gather->nr; i++) {
		u64 now = gather->range[i + 1].first - gather->range[i].last;

		if (now < *gap) {
			*gap = now;
			best = i;
		}
	}
	return best;
}

/* The first range that touches @first or lies above it. */
static u32 drm_gpt_gather_find(const struct drm_gpt_gather *gather, u64 first)
{
	u32 i;

	for (i = 0; i < gather->nr; i++)
		if (!first || gather->range[i].last >= first - 1)
			break;
	return i;
}

static bool drm_gpt_gather_touches(const struct drm_gpt_gather *gather, u32 i,
				   u64 last)
{
	return i < gather->nr &&
	       (last == U64_MAX || gather->range[i].first <= last + 1);
}

/* Range @i takes [first, last] in, and what it touches then. */
static void drm_gpt_gather_widen(struct drm_gpt_gather *gather, u32 i, u64 first,
				 u64 last)
{
	gather->range[i].first = min(gather->range[i].first, first);
	gather->range[i].last = max(gather->range[i].last, last);
	while (drm_gpt_gather_touches(gather, i + 1, gather->range[i].last)) {
		last = max(gather->range[i].last, gather->range[i + 1].last);
		gather->range[i].last = last;
		drm_gpt_gather_remove(gather, i + 1);
	}
}

/* Adds to what is flushed. When full, what lies nearest to another joins it. */
void drm_gpt_gather_flush(struct drm_gpt_gather *gather, u64 first, u64 last)
{
	u32 i = drm_gpt_gather_find(gather, first), near;
	u64 below, above, gap;

	if (drm_gpt_gather_touches(gather, i, last)) {
		drm_gpt_gather_widen(gather, i, first, last);
		return;
	}
	if (gather->nr < DRM_GPT_GATHER_RANGES) {
		drm_gpt_gather_insert(gather, i, first, last);
		return;
	}
	below = i ? first - gather->range[i - 1].last : U64_MAX;
	above = i < gather->nr ? gather->range[i].first - last : U64_MAX;
	near = drm_gpt_gather_nearest(gather, &gap);
	if (gap < min(below, above)) {
		gather->range[near].last = gather->range[near + 1].last;
		drm_gpt_gather_remove(gather, near + 1);
		drm_gpt_gather_insert(gather, i > near ? i - 1 : i, first, last);
	} else {
		drm_gpt_gather_widen(gather, below < above ? i - 1 : i, first,
				     last);
	}
}

/* A mapping went. */
void drm_gpt_gather_add(struct drm_gpt_gather *gather, u64 first, u64 last)
{
	gather->zap_first = min(gather->zap_first, first);
	gather->zap_last = max(gather->zap_last, last);
	drm_gpt_gather_flush(gather, first, last);
}

void drm_gpt_gather_directory(struct drm_gpt_gather *gather)
{
	if (!drm_gpt_planted(DRM_GPT_PLANTED_LEAF_FLUSH))
		gather->directory = true;
}

/*
 * A large leaf changed. The table below it (or NULL) may have been promoted to
 * it, and the flush of that be still to come: a device that has the table in its
 * walk cache finds the old leaves in it.
 */
void drm_gpt_gather_deposit(struct drm_gpt_gather *gather,
			    const struct drm_gpt_table *deposit)
{
	if (deposit && READ_ONCE(deposit->link) != DRM_GPT_NEVER_LINKED)
		drm_gpt_gather_directory(gather);
}

/**
 * drm_gpt_gather_also() - flush what another zap has cleared, too
 * @gather: gather
 * @first: first byte
 * @last: last byte
 * @directory: that zap may have unlinked tables
 *
 * drm_gpt_zap() reports what it clears. Who relies on an entry being gone from
 * TLBs as well, and may have come behind a zap whose flush is still under way,
 * says so here.
 *
 * Context: any.
 */
void drm_gpt_gather_also(struct drm_gpt_gather *gather, u64 first, u64 last,
			 bool directory)
{
	drm_gpt_gather_flush(gather, first, last);
	if (directory)
		drm_gpt_gather_directory(gather);
}
EXPORT_SYMBOL_GPL(drm_gpt_gather_also);

/**
 * drm_gpt_gather_take_flush_credits() - ring space for the flush
 * @gather: gather with commands
 *
 * For &drm_svm_ops.flush_begin or its like; the space is the caller's then.
 *
 * Return: words, at most &drm_gpt_cmd_ops.flush_words.
 */
u32 drm_gpt_gather_take_flush_credits(struct drm_gpt_gather *gather)
{
	u32 words;

	if (!gather->gpt->cmd)
		return 0;
	words = min(gather->credits, gather->gpt->cmd->flush_words);
	gather->credits -= words;
	return words;
}
EXPORT_SYMBOL_GPL(drm_gpt_gather_take_flush_credits);

/**
 * drm_gpt_gather_unreserve() - give ring space back before the flush is waited for
 * @gather: gather with commands, whose flush has been recorded
 *
 * For who starts several flushes and waits for them later: space that is kept
 * meanwhile is missing to who has to reserve next. What is to be flushed, and tables
 * to be freed, stay. A further zap needs drm_gpt_zap_reserve() again.
 *
 * Context: any.
 */
void drm_gpt_gather_unreserve(struct drm_gpt_gather *gather)
{
	if (gather->credits)
		gather->gpt->cmd->release(gather->gpt, gather->credits);
	gather->credits = 0;
}
EXPORT_SYMBOL_GPL(drm_gpt_gather_unreserve);

/* Behind the flush. */
void drm_gpt_gather_free(struct drm_gpt_gather *gather)
{
	struct drm_gpt_table *table;

	while ((table = gather->tables)) {
		gather->tables = table->next;
		drm_gpt_table_free_later(table);
	}
}

/**
 * drm_gpt_gather_fini() - the flush is done
 * @gather: gather
 *
 * Frees reclaimed tables after a grace period, gives ring space back. The device
 * must have dropped all that &struct drm_gpt_gather says; a walk cache that still
 * had one of the tables would lead into memory of others.
 *
 * Context: any.
 */
void drm_gpt_gather_fini(struct drm_gpt_gather *gather)
{
	drm_gpt_gather_free(gather);
	drm_gpt_gather_unreserve(gather);
}
EXPORT_SYMBOL_GPL(drm_gpt_gather_fini);
