// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Service of one range in one view: make wanted pages accessible.
 *
 *	place (policy, migration) -> walk -> missing? fault in, walk again ->
 *	DMA map -> prepare the sink ->
 *	under the range's lock: generation unchanged? map : undo, go round
 *
 * All of it under the service lock of the range. Rounds are bounded: who loses
 * them all gets -EAGAIN and tries again later; that is no error of the access.
 *
 * From the walk to the commit pages of other devices' regions are looked at, so it
 * is an SRCU section that the end of any region waits for. Nothing in it waits for
 * a page to come. What may be long in coming is not waited for here at all: the
 * others are served, and the caller is told which are held.
 */

#include <kunit/visibility.h>

#include <linux/hmm.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "drm_svm_internal.h"
#include "drm_svm_pagein.h"
#include "drm_svm_planted.h"

#define DRM_SVM_ROUNDS	16
/* Rounds lost before the next keeps others from changing mappings. */
#define DRM_SVM_PATIENCE	2
/* How often pages are moved for one service; who takes them away may be faster. */
#define DRM_SVM_FETCHES		4
/*
 * How long the service lock is waited for before somebody looks whether that is still
 * wanted: longer than most hold it, shorter than an unbind or a reset should take.
 */
#define DRM_SVM_SPAN_PATIENCE	(HZ / 4)

static struct kmem_cache *drm_svm_service_cache;

/**
 * drm_svm_service_init() - for the module's init
 *
 * Return: 0, -ENOMEM.
 */
int drm_svm_service_init(void)
{
	drm_svm_service_cache = KMEM_CACHE(drm_svm_service, 0);
	return drm_svm_service_cache ? 0 : -ENOMEM;
}

/**
 * drm_svm_service_exit() - for its exit
 */
void drm_svm_service_exit(void)
{
	kmem_cache_destroy(drm_svm_service_cache);
}

/* Of what is asked for, is any in these? */
static bool drm_svm_any(const struct drm_svm_service *s, const unsigned long *bits)
{
	return find_next_bit(bits, s->end, s->first) < s->end;
}

/*
 * Sees that what is wanted is there. Return: 0 and a walk that found it, with
 * mmap_lock held and the SRCU section @*idx open; an error, with neither.
 */
static int drm_svm_look(struct drm_svm_service *s, int *idx)
{
	struct mm_struct *mm = s->smm->mm;
	bool planted = drm_svm_planted(DRM_SVM_PLANTED_SRCU_PAGE_IN);
	unsigned int tries;
	bool locked = true;
	int ret = drm_svm_mmap_lock(s->svm);

	if (ret)
		return ret;
	for (tries = 0; tries < 2; tries++) {
		/* May wait for invalidations: before the SRCU section. */
		s->notifier_seq = mmu_interval_read_begin(&s->window->notifier);
		*idx = drm_svm_pages_read_lock();
		ret = drm_svm_walk(s);
		if (!ret && !drm_svm_any(s, s->missing))
			return 0;
		if (!planted)
			drm_svm_pages_read_unlock(*idx);
		ret = ret ?: drm_svm_page_in_missing(s, &locked);
		if (planted)
			drm_svm_pages_read_unlock(*idx);
		if (ret || !locked || !drm_svm_any(s, s->want))
			break;
	}
	if (locked)
		mmap_read_unlock(mm);
	/* There by now, or gone again: the next round sees. */
	return ret ?: -EINPROGRESS;
}

/*
 * Who has lost before keeps mmap_lock until the commit: nobody changes mappings
 * meanwhile, however eager. What is left to lose to is reclaim and the like.
 */
static int drm_svm_walk_and_apply(struct drm_svm_service *s, bool keep_lock)
{
	struct mm_struct *mm = s->smm->mm;
	int ret, idx;

	ret = drm_svm_look(s, &idx);
	if (ret)
		return ret;
	if (!keep_lock)
		mmap_read_unlock(mm);
	ret = drm_svm_apply(s);
	if (keep_lock)
		mmap_read_unlock(mm);
	drm_svm_pages_read_unlock(idx);
	return ret;
}

static int drm_svm_round(struct drm_svm_service *s, bool keep_lock)
{
	int idx = drm_svm_pages_read_lock(), ret;

	/* What one view maps another may have: no walk, no mmap_lock. */
	if (drm_svm_walk_known(s)) {
		ret = drm_svm_apply(s);
		drm_svm_pages_read_unlock(idx);
	} else {
		drm_svm_pages_read_unlock(idx);
		ret = drm_svm_walk_and_apply(s, keep_lock);
	}
	if (ret || drm_svm_planted(DRM_SVM_PLANTED_NO_PT_WAIT))
		return ret;
	return s->view->ops->wait(s->view, s->fence);
}

static int drm_svm_attach_range(struct drm_svm_service *s, u64 base)
{
	s->range = drm_svm_range_find_or_make(s->smm, base);
	if (IS_ERR(s->range))
		return PTR_ERR(s->range);
	s->rv = drm_svm_range_view_make(s->range, s->view);
	if (IS_ERR(s->rv)) {
		drm_svm_range_put(s->range);
		return PTR_ERR(s->rv);
	}
	return 0;
}

static void drm_svm_put_off(struct drm_svm_service *s, const unsigned long *late,
			    int why)
{
	if (!bitmap_intersects(s->want, late, DRM_SVM_RANGE_PAGES))
		return;
	bitmap_or(s->left.late, s->left.late, late, DRM_SVM_RANGE_PAGES);
	bitmap_andnot(s->want, s->want, late, DRM_SVM_RANGE_PAGES);
	bitmap_andnot(s->want_write, s->want_write, late, DRM_SVM_RANGE_PAGES);
	bitmap_andnot(s->want_atomic, s->want_atomic, late, DRM_SVM_RANGE_PAGES);
	s->left.why = why;
}

/* Has the device memory of its own, and the view a word for it? */
static bool drm_svm_view_has_memory(const struct drm_svm_view *view)
{
	return drm_svm_has_memory(view->svm) && (view->caps & DRM_SVM_SINK_LOCAL);
}

/* Where atomics are coherent with nobody's but the device's own: in its memory. */
static int drm_svm_bring(struct drm_svm_service *s, u64 base)
{
	DECLARE_BITMAP(late, DRM_SVM_RANGE_PAGES);
	int ret, why = 0;

	if (!drm_svm_view_has_memory(s->view))
		return -EOPNOTSUPP;
	ret = drm_svm_place_atomic(s->svm, base, s->to_device, late, &why);
	if (!ret)
		drm_svm_put_off(s, late, why);
	return ret;
}

/*
 * Moves wanted pages to where the device can do with them what it wants: what it cannot
 * reach comes by way of the system's memory.
 */
static int drm_svm_fetch(struct drm_svm_service *s, u64 base)
{
	int ret = 0;

	/* The compiler drops what is not there otherwise: nothing is on a device. */
	if (IS_ENABLED(CONFIG_DRM_SVM_MEMORY) &&
	    !bitmap_empty(s->to_system, DRM_SVM_RANGE_PAGES))
		ret = drm_svm_place_system(s->svm, base, s->to_system);
	if (!ret && !bitmap_empty(s->to_device, DRM_SVM_RANGE_PAGES))
		ret = drm_svm_bring(s, base);
	/* -EBUSY: lost to invalidations, as -EAGAIN. */
	return ret && ret != -EBUSY ? ret : -EAGAIN;
}

static int drm_svm_rounds(struct drm_svm_service *s, u64 base)
{
	unsigned int round, lost = 0, fetched = 0;
	int ret = -EAGAIN;

	for (round = 0; round < DRM_SVM_ROUNDS; round++) {
		if (!drm_svm_any(s, s->want))
			return 0;
		ret = drm_svm_attach_range(s, base);
		if (ret)
			return ret;
		ret = drm_svm_round(s, lost >= DRM_SVM_PATIENCE);
		drm_svm_range_put(s->range);
		if (ret == -EAGAIN) {
			lost++;
			atomic64_inc(&s->svm->stats.retries);
		}
		if (ret == -EXDEV && fetched++ < DRM_SVM_FETCHES)
			ret = drm_svm_fetch(s, base);
		if (ret != -EAGAIN && ret != -EINPROGRESS)
			break;
	}
	return ret == -EXDEV || ret == -EINPROGRESS ? -EAGAIN : ret;
}

static bool drm_svm_wants_device(struct drm_svm_view *view, u64 base,
				 const unsigned long *want)
{
	DECLARE_BITMAP(device, DRM_SVM_RANGE_PAGES);

	if (!drm_svm_view_has_memory(view))
		return false;
	drm_svm_policy_pages(view->svm, base, device);
	return bitmap_intersects(want, device, DRM_SVM_RANGE_PAGES);
}

static int drm_svm_serve_locked(struct drm_svm_service *s, u64 base)
{
	DECLARE_BITMAP(moving, DRM_SVM_RANGE_PAGES);
	int ret;

	if (!mtree_empty(&s->view->claims)) {
		ret = drm_svm_claims_read(s->view, base, s->want, s->claimed, moving);
		if (ret)
			return ret;
		drm_svm_put_off(s, moving, -EAGAIN);
	}
	/* What cannot move is mapped where it is; what could not be looked at, later. */
	if (drm_svm_wants_device(s->view, base, s->want) &&
	    drm_svm_place_device(s->svm, base, s->want, s->claimed) == -EAGAIN)
		return -EAGAIN;
	return drm_svm_rounds(s, base);
}

static int drm_svm_serve_span(struct drm_svm_service *s, u64 base)
{
	struct drm_svm_span span;
	int ret;

	s->window = drm_svm_window_get(s->smm, base);
	if (IS_ERR(s->window))
		return PTR_ERR(s->window);
	ret = drm_svm_span_lock_for(&s->smm->spans, &span, base,
				    base + DRM_SVM_RANGE_SIZE - 1,
				    &s->svm->dying, DRM_SVM_SPAN_PATIENCE);
	if (ret)
		goto out;
	ret = drm_svm_serve_locked(s, base);
	drm_svm_span_unlock(&s->smm->spans, &span);
	/* It may map nothing. */
	if (ret || !drm_svm_any(s, s->want))
		drm_svm_range_settle(s->smm, base);
out:
	drm_svm_window_put(s->window);
	return ret;
}

static int drm_svm_serve_scratch(struct drm_svm_view *view, u64 base,
				 const struct drm_svm_want *want,
				 struct drm_svm_left *left)
{
	struct drm_svm_service *s;
	int ret;

	s = kmem_cache_alloc(drm_svm_service_cache, GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	memset(s, 0, offsetof(struct drm_svm_service, missing));
	s->view = view;
	s->svm = view->svm;
	s->smm = view->svm->smm;
	s->first = want->lo;
	s->end = want->hi;
	bitmap_copy(s->want, want->pages, DRM_SVM_RANGE_PAGES);
	bitmap_copy(s->want_write, want->write, DRM_SVM_RANGE_PAGES);
	if (!s->svm->device->system_atomics)
		bitmap_copy(s->want_atomic, want->atomic, DRM_SVM_RANGE_PAGES);
	s->write = want->access != DRM_SVM_READ;
	ret = drm_svm_serve_span(s, base);
	*left = s->left;
	kmem_cache_free(drm_svm_service_cache, s);
	return ret;
}

static u8 drm_svm_rights_for(const struct drm_svm_view *view, enum drm_svm_access access)
{
	u8 rights = DRM_SVM_RIGHT_READ;

	if (access != DRM_SVM_READ)
		rights |= DRM_SVM_RIGHT_WRITE;
	if (access == DRM_SVM_ATOMIC && !(view->caps & DRM_SVM_SINK_ATOMIC_IS_WRITE))
		rights |= DRM_SVM_RIGHT_ATOMIC;
	return rights;
}

/**
 * drm_svm_view_may() - has a view the rights for an access at all?
 * @view: view
 * @access: access
 *
 * Return: 0, -EACCES.
 */
int drm_svm_view_may(const struct drm_svm_view *view, enum drm_svm_access access)
{
	return drm_svm_rights_for(view, access) & ~view->rights ? -EACCES : 0;
}

/* A process has nothing there, but the driver may. */
static int drm_svm_beyond(struct drm_svm_view *view, u64 base,
			  const unsigned long *want)
{
	DECLARE_BITMAP(claimed, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(moving, DRM_SVM_RANGE_PAGES);
	int ret = drm_svm_claims_read(view, base, want, claimed, moving);

	if (ret)
		return ret;
	return bitmap_intersects(want, moving, DRM_SVM_RANGE_PAGES) ? -EAGAIN : -EFAULT;
}

/* Does the view let the device at what it wants? */
static int drm_svm_view_allows(struct drm_svm_view *view, u64 base,
			       const struct drm_svm_want *want)
{
	if (base >= view->svm->smm->mm->task_size)
		return drm_svm_beyond(view, base, want->pages);
	if (want->hi &&
	    (drm_svm_page_addr(base, want->lo) < view->first ||
	     drm_svm_page_addr(base, want->hi) - 1 > view->last))
		return -EFAULT;
	return drm_svm_view_may(view, want->access);
}

/* Does the sink have all of some pages? */
static bool drm_svm_sink_has(struct drm_svm_view *view, u64 base,
			     const struct drm_svm_want *want,
			     const unsigned long *pages, enum drm_svm_access access,
			     u64 *fence)
{
	u8 rights = drm_svm_rights_for(view, access);
	unsigned int first = want->lo, end;
	u64 one;

	for_each_set_bitrange_from(first, end, pages, want->hi) {
		if (!view->ops->lookup(view, drm_svm_page_addr(base, first),
				       drm_svm_page_addr(base, end) - 1, rights, &one))
			return false;
		*fence = max(*fence, one);
	}
	return true;
}

/*
 * Is it there? As when another has seen to it, or a record comes late. What is claimed is
 * not for us to say. Return: 1, 0; or an error of the wait for the device to see it.
 */
static int drm_svm_is_served(struct drm_svm_view *view, u64 base,
			     const struct drm_svm_want *want)
{
	u64 fence = 0;

	if (!view->ops->lookup || !mtree_empty(&view->claims))
		return 0;
	/* More rights may be in the sink, and the device not have been told yet. */
	if ((view->caps & DRM_SVM_SINK_FLUSH_UPGRADES) && want->access != DRM_SVM_READ)
		return 0;
	if (!drm_svm_sink_has(view, base, want, want->pages,
			      want->hi - want->lo == 1 ? want->access : DRM_SVM_READ,
			      &fence))
		return 0;
	if (want->hi - want->lo > 1 && want->access != DRM_SVM_READ &&
	    (!drm_svm_sink_has(view, base, want, want->write, DRM_SVM_WRITE, &fence) ||
	     !drm_svm_sink_has(view, base, want, want->atomic, DRM_SVM_ATOMIC, &fence)))
		return 0;
	return view->ops->wait(view, fence) ?: 1;
}

/**
 * drm_svm_serve_view() - make pages of one range accessible in a view
 * @view: view, in use
 * @base: first byte of the range
 * @want: what is needed
 * @left: out: what of it is not served yet, and no error
 *
 * Memory is charged to the owner of the address space, whoever runs this.
 *
 * Context: may sleep; no lock is held.
 * Return: 0, -EAGAIN if invalidations kept getting in between, or others are at work
 * there for long; -EREMCHG if something of
 * @want is claimed; -ESRCH if the process is gone; -EFAULT, -EACCES, -EOPNOTSUPP for an
 * access that cannot be served; -ENOMEM, -EIO, -ENODEV, -EINTR.
 */
int drm_svm_serve_view(struct drm_svm_view *view, u64 base,
		       const struct drm_svm_want *want,
		       struct drm_svm_left *left)
{
	struct drm_svm_users *users = view->svm->smm->holders;
	struct mem_cgroup *memcg, *old;
	int ret;

	*left = (struct drm_svm_left){};
	ret = drm_svm_view_allows(view, base, want);
	if (ret)
		return ret;
	if (!drm_svm_users_enter(users))
		return -ESRCH;
	ret = drm_svm_is_served(view, base, want);
	if (ret) {
		drm_svm_users_leave(users);
		return min(ret, 0);
	}
	memcg = get_mem_cgroup_from_mm(users->mm);
	old = set_active_memcg(memcg);
	ret = drm_svm_serve_scratch(view, base, want, left);
	set_active_memcg(old);
	mem_cgroup_put(memcg);
	drm_svm_users_leave(users);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_serve_view);

/**
 * drm_svm_serve() - make pages of one range accessible to a device
 * @svm: device address space
 * @base: first byte of the range
 * @want: what is needed; it is meant in the view that has the first of its pages
 * @left: out, as drm_svm_serve_view() says
 *
 * Context: may sleep; no lock is held.
 * Return: as drm_svm_serve_view(); -EFAULT if no view has it.
 */
int drm_svm_serve(struct drm_svm *svm, u64 base, const struct drm_svm_want *want,
		  struct drm_svm_left *left)
{
	struct drm_svm_view *view;
	int ret;

	*left = (struct drm_svm_left){};
	if (!want->hi)
		return 0;
	view = drm_svm_view_find(svm, drm_svm_page_addr(base, want->lo));
	if (!view)
		return -EFAULT;
	ret = drm_svm_serve_view(view, base, want, left);
	drm_svm_view_unuse(view);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_serve);
