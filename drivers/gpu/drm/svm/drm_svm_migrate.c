// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A program asks for a migration. Others who do are a service, by policy
 * (drm_svm_place.c); the CPU, by touching what is on a device (drm_svm_cpu_fault.c); the
 * driver, when its memory goes (drm_svm_evict.c).
 *
 * It holds the service lock, range by range. What could not be moved is reported, never
 * an error by itself.
 *
 * A request costs what is there: what is empty is skipped by the upper levels of
 * the CPU's table, and nothing is made for it.
 *
 * A page that somebody holds for a moment does not move at the first try. The most
 * frequent holder is a CPU: pages that change lists of the LRU wait in batches of
 * the CPU that moved them, with a reference. So a request goes over what is left
 * again, each time after all CPUs have emptied their batches and a longer sleep: a
 * page that it counts as failed is one that somebody keeps.
 */

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/folio_batch.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/xarray.h>

#include "drm_svm_place.h"

/*
 * Tries of a request after the first, with sleeps of 1, 2, 4... ms before them: 63 ms
 * for all, which is longer than one page takes through any disk, and short for
 * somebody who asks to move what cannot move.
 */
#define DRM_SVM_MIGRATE_RETRIES	6

/**
 * struct drm_svm_migration - one request
 * @svm: whose
 * @first: first byte
 * @last: last byte
 * @device: to the device, or to the system
 * @populate: memory that was never touched is made on the device
 * @result: of all of it
 * @left: number of pages that failed and may be tried again, by number of the range
 */
struct drm_svm_migration {
	struct drm_svm *svm;
	u64 first;
	u64 last;
	bool device;
	bool populate;
	struct drm_svm_migrate_result *result;
	struct xarray left;
};

/* What of a range is meant, by index. */
static void drm_svm_migration_within(const struct drm_svm_migration *m, u64 base,
				     unsigned long *within)
{
	u64 first = max(m->first, base);
	u64 last = min(m->last, base + DRM_SVM_RANGE_SIZE - 1);

	bitmap_zero(within, DRM_SVM_RANGE_PAGES);
	bitmap_set(within, drm_svm_page_index(first),
		   (last - first + 1) >> PAGE_SHIFT);
}

static void drm_svm_migration_there(struct drm_svm_migration *m,
				    const struct drm_svm_placement *pl,
				    const unsigned long *within)
{
	DECLARE_BITMAP(there, DRM_SVM_RANGE_PAGES);

	if (m->device) {
		bitmap_and(there, pl->fixed, within, DRM_SVM_RANGE_PAGES);
		m->result->failed += bitmap_weight(there, DRM_SVM_RANGE_PAGES);
		bitmap_copy(there, pl->local, DRM_SVM_RANGE_PAGES);
	} else {
		bitmap_or(there, pl->system, pl->fixed, DRM_SVM_RANGE_PAGES);
	}
	bitmap_and(there, there, within, DRM_SVM_RANGE_PAGES);
	m->result->there += bitmap_weight(there, DRM_SVM_RANGE_PAGES);
}

/*
 * Counts what has moved and what has not. @pages are those that exist elsewhere,
 * @tried those that there was room for.
 */
static void drm_svm_migration_count(struct drm_svm_migration *m, u64 base,
				    const unsigned long *pages,
				    const unsigned long *tried,
				    const unsigned long *done)
{
	DECLARE_BITMAP(left, DRM_SVM_RANGE_PAGES);
	unsigned long n;

	m->result->moved += bitmap_weight(done, DRM_SVM_RANGE_PAGES);
	bitmap_andnot(left, pages, done, DRM_SVM_RANGE_PAGES);
	n = bitmap_weight(left, DRM_SVM_RANGE_PAGES);
	m->result->failed += n;
	/* If it cannot be remembered it has failed for good. */
	if (bitmap_intersects(left, tried, DRM_SVM_RANGE_PAGES))
		xa_store(&m->left, base >> DRM_SVM_RANGE_SHIFT, xa_mk_value(n),
			 GFP_KERNEL_ACCOUNT);
}

static int drm_svm_migration_move(struct drm_svm_migration *m, u64 base,
				  const struct drm_svm_placement *pl,
				  const unsigned long *within)
{
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(tried, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(done, DRM_SVM_RANGE_PAGES);
	int ret;

	bitmap_or(pages, pl->remote, m->device ? pl->system : pl->local,
		  DRM_SVM_RANGE_PAGES);
	bitmap_and(pages, pages, within, DRM_SVM_RANGE_PAGES);
	if (m->populate) {
		bitmap_and(tried, pl->makeable, within, DRM_SVM_RANGE_PAGES);
		bitmap_or(tried, tried, pages, DRM_SVM_RANGE_PAGES);
	} else {
		bitmap_copy(tried, pages, DRM_SVM_RANGE_PAGES);
	}
	/* What exists comes before what is to be made. */
	ret = m->device ? drm_svm_move_to_device(m->svm, base, pl, pages, tried,
						 done) :
			  drm_svm_move_to_system(m->svm, base, pl, tried, done);
	if (ret != -EAGAIN)
		drm_svm_migration_count(m, base, pages, tried, done);
	return ret;
}

static int drm_svm_migration_try(struct drm_svm_migration *m, u64 base,
				 bool again)
{
	DECLARE_BITMAP(within, DRM_SVM_RANGE_PAGES);
	struct drm_svm_placement pl;
	struct drm_svm_span span;
	int ret;

	ret = drm_svm_span_lock_unless(&m->svm->smm->spans, &span, base,
				       base + DRM_SVM_RANGE_SIZE - 1,
				       &m->svm->interrupted);
	if (ret)
		return ret;
	ret = drm_svm_placement_read(&pl, m->svm, base, NULL);
	if (!ret) {
		drm_svm_migration_within(m, base, within);
		if (!again)
			drm_svm_migration_there(m, &pl, within);
		ret = drm_svm_migration_move(m, base, &pl, within);
	}
	drm_svm_span_unlock(&m->svm->smm->spans, &span);
	return ret;
}

static int drm_svm_migration_range(struct drm_svm_migration *m, u64 base,
				   bool again)
{
	struct drm_svm_migrate_result before = *m->result;
	int ret;

	/* While mmap_lock is not to be had others have the range. */
	while ((ret = drm_svm_migration_try(m, base, again)) == -EAGAIN)
		*m->result = before;
	if (!ret && fatal_signal_pending(current))
		ret = -EINTR;
	cond_resched();
	return ret;
}

/* What is there, range by range: a fault in between gets its turn. */
static int drm_svm_migration_all(struct drm_svm_migration *m)
{
	u64 addr = m->first, end;
	bool mapped = false;
	int ret;

	for (;; addr = end + 1) {
		bool make = m->populate && drm_svm_has_room(m->svm);

		ret = drm_svm_present_next(m->svm, &addr, m->last, make, &mapped);
		if (ret <= 0)
			break;
		end = min(m->last, addr | ~DRM_SVM_RANGE_MASK);
		ret = drm_svm_migration_range(m, addr & DRM_SVM_RANGE_MASK,
					      false);
		if (ret || end == m->last)
			break;
	}
	if (ret)
		return ret;
	return mapped ? 0 : -EFAULT;
}

static int drm_svm_drain_cpu(void *unused)
{
	struct folio_batch none;

	/* An empty one: all that it does is to drain what the CPU has. */
	folio_batch_init(&none);
	__folio_batch_release(&none);
	return 0;
}

/* Pages in batches of a CPU, on the way to a list of the LRU, get there. */
static void drm_svm_drain_cpus(void)
{
	unsigned int cpu;

	guard(cpus_read_lock)();
	for_each_online_cpu(cpu)
		smp_call_on_cpu(cpu, drm_svm_drain_cpu, NULL, false);
}

static int drm_svm_migration_again(struct drm_svm_migration *m)
{
	unsigned long index;
	void *left;
	int ret = 0;

	xa_for_each(&m->left, index, left) {
		xa_erase(&m->left, index);
		m->result->failed -= xa_to_value(left);
		ret = drm_svm_migration_range(m, (u64)index <<
					      DRM_SVM_RANGE_SHIFT, true);
		if (ret)
			break;
	}
	return ret;
}

static int drm_svm_migration_run(struct drm_svm_migration *m)
{
	unsigned int i;
	int ret;

	ret = drm_svm_migration_all(m);
	for (i = 0; !ret && i < DRM_SVM_MIGRATE_RETRIES; i++) {
		if (xa_empty(&m->left))
			break;
		drm_svm_drain_cpus();
		msleep(1 << i);
		ret = drm_svm_migration_again(m);
	}
	return ret;
}

/**
 * drm_svm_migrate() - move memory now
 * @svm: device address space
 * @first: first byte, page aligned
 * @last: last byte, of a page
 * @location: DRM_SVM_LOC_SYSTEM or DRM_SVM_LOC_DEVICE
 * @flags: DRM_SVM_MIGRATE_POPULATE or 0
 * @result: out
 *
 * What is not there is skipped, unless @flags say that it is to be made. Range by
 * range: a fault in between gets its turn. A page that is held is tried again a few
 * times; what is counted as failed is of a file, or held for long, or there was no
 * room for it.
 *
 * Context: may sleep; no lock is held.
 * Return: 0, -ENODEV if the device has no memory, -EINVAL for flags that are not
 * known or for memory to be made elsewhere than on the device, -EFAULT if nothing is
 * mapped there, -ESRCH, -ENOMEM, -EINTR, -EBUSY.
 */
int drm_svm_migrate(struct drm_svm *svm, u64 first, u64 last,
		    enum drm_svm_location location, unsigned int flags,
		    struct drm_svm_migrate_result *result)
{
	struct drm_svm_migration m = {
		.svm = svm,
		.first = first,
		.last = last,
		.device = location == DRM_SVM_LOC_DEVICE,
		.populate = flags & DRM_SVM_MIGRATE_POPULATE,
		.result = result,
	};
	int ret;

	memset(result, 0, sizeof(*result));
	if ((flags & ~DRM_SVM_MIGRATE_POPULATE) || (m.populate && !m.device))
		return -EINVAL;
	if (m.device && !drm_svm_has_memory(svm))
		return -ENODEV;
	if (!drm_svm_users_enter(svm->smm->holders))
		return -ESRCH;
	xa_init(&m.left);
	ret = drm_svm_migration_run(&m);
	xa_destroy(&m.left);
	drm_svm_users_leave(svm->smm->holders);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_migrate);
