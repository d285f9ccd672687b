// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs: pages of a service that follow each other for the process and are alike in
 * place and rights. They are made once, with the bus addresses, and from then on all
 * is done by the run. Where the pages follow each other in memory too, as those of a
 * huge page, one address says all; else each has its own.
 */

#include "drm_svm_internal.h"

static u64 drm_svm_local_addr(const struct drm_svm_service *s, unsigned int i)
{
	struct page *page = hmm_pfn_to_page(s->pfns[i]);
	struct drm_svm_region *region;

	/* The compiler drops what is not there otherwise: nothing is local. */
	if (!IS_ENABLED(CONFIG_DRM_SVM_MEMORY))
		return 0;
	region = drm_svm_page_region(page);
	return region->base + drm_svm_region_offset(region, page_to_pfn(page));
}

/* Addresses that are known. Return: whether they follow each other. */
static bool drm_svm_runs_addrs(struct drm_svm_service *s, unsigned int first,
			       unsigned int end, bool local)
{
	bool follow = true;
	unsigned int i;

	for (i = first; i < end; i++) {
		s->addr[i] = local ? drm_svm_local_addr(s, i) :
				     drm_svm_rv_addr(s->rv, i);
		follow &= i == first || s->addr[i] == s->addr[i - 1] + PAGE_SIZE;
	}
	return follow;
}

static void drm_svm_runs_add(struct drm_svm_service *s, unsigned int first,
			     unsigned int end, bool follow)
{
	if (first == end)
		return;
	s->pieces[s->nr_pieces++] = (struct drm_svm_piece) {
		.first = first,
		.nr = end - first,
		.local = test_bit(first, s->local),
		.grant = test_bit(first, s->grant),
		.array = !follow || drm_svm_contiguous(s, first, end) < end - first,
	};
}

/* What is to be mapped for DMA. A neighbour that cannot be stays behind. */
static int drm_svm_runs_link(struct drm_svm_service *s, unsigned int first,
			     unsigned int end)
{
	unsigned int at;
	int ret;

	for (; first < end; first = at + 1) {
		at = end;
		ret = drm_svm_dma_map(s, first, &at);
		/* Page by page they may lie anywhere. */
		drm_svm_runs_add(s, first, at, at - first == 1 || !s->rv->dma);
		if (!ret)
			return 0;
		if (test_bit(at, s->want))
			return ret;
		__clear_bit(at, s->system);
	}
	return 0;
}

/* Up to where are all bits like the first? */
static unsigned int drm_svm_bits_alike(const unsigned long *bits, unsigned int first,
				       unsigned int end)
{
	return test_bit(first, bits) ? find_next_zero_bit(bits, end, first) :
				       find_next_bit(bits, end, first);
}

static int drm_svm_runs_alike(struct drm_svm_service *s, unsigned int first,
			      unsigned int end, bool link)
{
	if (link)
		return drm_svm_runs_link(s, first, end);
	drm_svm_runs_add(s, first, end,
			 drm_svm_runs_addrs(s, first, end, test_bit(first, s->local)));
	return 0;
}

static int drm_svm_runs_make_all(struct drm_svm_service *s)
{
	DECLARE_BITMAP(link, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(all, DRM_SVM_RANGE_PAGES);
	unsigned int i, end = s->lo;
	int ret = 0;

	drm_svm_dma_unlinked(s, link);
	drm_svm_win_or(s, all, s->system, s->local);
	while (!ret) {
		i = find_next_bit(all, s->hi, end);
		if (i >= s->hi)
			break;
		end = drm_svm_bits_alike(all, i, s->hi);
		end = drm_svm_bits_alike(s->local, i, end);
		end = drm_svm_bits_alike(s->grant, i, end);
		end = drm_svm_bits_alike(link, i, end);
		ret = drm_svm_runs_alike(s, i, end, test_bit(i, link));
	}
	return ret;
}

/**
 * drm_svm_runs_make() - of what a service is to map, make runs
 * @s: the service; @system, @local and @grant are set. A neighbour that cannot be
 *	mapped for DMA is taken out of @system
 *
 * Sets @pieces, @addr and @fresh. On error nothing new is mapped for DMA.
 *
 * Context: may sleep; the service lock over the range is held.
 * Return: 0, -ENOMEM; -EIO if the device cannot reach a page that is wanted, or could
 * not for now: without an IOMMU to ask, the DMA API does not say which.
 */
int drm_svm_runs_make(struct drm_svm_service *s)
{
	int ret;

	s->nr_pieces = 0;
	drm_svm_win_zero(s, s->fresh);
	ret = drm_svm_runs_make_all(s) ?: drm_svm_dma_sync(s);
	if (!ret)
		return 0;
	drm_svm_dma_undo(s);
	return ret == -ENOMEM && s->rv->use_iova ? ret : -EIO;
}

/* ---- for the sink ------------------------------------------------------- */

static u8 drm_svm_run_rights(const struct drm_svm_service *s,
			     const struct drm_svm_piece *piece)
{
	u8 rights = DRM_SVM_RIGHT_READ | DRM_SVM_RIGHT_EXEC;

	if (piece->grant) {
		rights |= DRM_SVM_RIGHT_WRITE;
		if (piece->local || s->svm->device->system_atomics)
			rights |= DRM_SVM_RIGHT_ATOMIC;
	}
	return rights & s->view->rights;
}

static void drm_svm_run_of(const struct drm_svm_service *s,
			   const struct drm_svm_piece *piece, struct drm_svm_run *run)
{
	unsigned int first = piece->first;

	*run = (struct drm_svm_run) {
		.va = drm_svm_page_addr(s->range->first, first),
		.addr = s->addr[first],
		.addrs = piece->array ? s->addr + first : NULL,
		.pfns = s->pfns + first,
		.nr = piece->nr,
		.place = piece->local ? DRM_SVM_PLACE_LOCAL : DRM_SVM_PLACE_SYSTEM,
		.rights = drm_svm_run_rights(s, piece),
	};
}

/**
 * drm_svm_runs_next() - what is to be mapped next
 * @runs: of a transaction
 * @run: out
 *
 * Context: in &drm_svm_sink_ops.prepare and &drm_svm_sink_ops.map; atomic.
 * Return: false if there is no more.
 */
bool drm_svm_runs_next(struct drm_svm_runs *runs, struct drm_svm_run *run)
{
	const struct drm_svm_service *s = runs->data;

	if (runs->next == s->nr_pieces)
		return false;
	drm_svm_run_of(s, &s->pieces[runs->next++], run);
	return true;
}
EXPORT_SYMBOL_GPL(drm_svm_runs_next);

/* Takes one page out, which leaves one piece, two or none. */
static void drm_svm_piece_cut(struct drm_svm_service *s, unsigned int k, u32 at)
{
	struct drm_svm_piece *piece = s->pieces + k, rest = *piece;
	u64 addr = s->addr[piece->first] + ((u64)(at + 1) << PAGE_SHIFT);
	unsigned int keep = !!at, n;

	rest.first += at + 1;
	rest.nr -= at + 1;
	piece->nr = at;
	if (rest.nr && !rest.array)
		s->addr[rest.first] = addr;
	n = keep + !!rest.nr;
	/* Each piece more comes with a page less: there is room for all. */
	memmove(piece + n, piece + 1, (s->nr_pieces - k - 1) * sizeof(*piece));
	if (rest.nr)
		piece[keep] = rest;
	s->nr_pieces += n;
	s->nr_pieces--;
}

/* Which page of a run has the sink no word for? */
static u32 drm_svm_run_bad(struct drm_svm_view *view, const struct drm_svm_run *run)
{
	struct drm_svm_run one = *run;
	u32 i;

	one.nr = 1;
	one.addrs = NULL;
	for (i = 0; i < run->nr - 1; i++) {
		one.va = run->va + ((u64)i << PAGE_SHIFT);
		one.addr = drm_svm_run_addr(run, i);
		one.pfns = run->pfns + i;
		if (view->ops->check(view, &one))
			break;
	}
	return i;
}

/**
 * drm_svm_runs_check() - leave out what the sink has no word for
 * @s: the service, with its runs
 *
 * It would refuse it half way, with the pages before it mapped already. A neighbour
 * stays behind.
 *
 * Context: may sleep; the service lock over the range is held.
 * Return: 0, -EOPNOTSUPP if it is a page that is wanted.
 */
int drm_svm_runs_check(struct drm_svm_service *s)
{
	struct drm_svm_view *view = s->view;
	struct drm_svm_run run;
	unsigned int k = 0, i;
	u32 at;

	if (!view->ops->check)
		return 0;
	while (k < s->nr_pieces) {
		drm_svm_run_of(s, &s->pieces[k], &run);
		if (!view->ops->check(view, &run)) {
			k++;
			continue;
		}
		at = drm_svm_run_bad(view, &run);
		i = s->pieces[k].first + at;
		if (test_bit(i, s->want))
			return -EOPNOTSUPP;
		__clear_bit(i, s->system);
		__clear_bit(i, s->local);
		drm_svm_piece_cut(s, k, at);
	}
	return 0;
}
