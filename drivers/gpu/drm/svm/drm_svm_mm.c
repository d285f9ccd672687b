// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: drm_svm
 *
 * One &struct drm_svm_mm stands for a process's address space, however many
 * devices and drivers mirror it; a &struct drm_svm is one device address space
 * attached to it. A driver embeds it::
 *
 *	drm_gpt_init(&vm->gpt, &gpt_config);
 *	drm_svm_init(&vm->svm, current->mm, &svm_config);
 *	drm_svm_gpt_init(&vm->table, &vm->svm, &vm->gpt, &table_ops);
 *	...
 *	// faults arrive: interrupt -> drm_svm_fault_queue_kick() -> served
 *	...
 *	// queues stopped, vm no longer found by fetch()
 *	drm_svm_fault_queue_sync(&dev->faults);
 *	drm_svm_stop(&vm->svm);
 *	drm_svm_gpt_fini(&vm->table);
 *	drm_svm_fini(&vm->svm);
 *	drm_gpt_fini(&vm->gpt);
 *
 * Where mappings go is the business of a sink (&struct drm_svm_sink_ops), of which a
 * page table is one.
 *
 * Locks, outermost first::
 *
 *	service lock (an interval of addresses)
 *	  mmap_lock, read
 *	    dma_resv
 *	      fs_reclaim
 *	        MMU notifier
 *	          range lock
 *	            the sink's, as a page-table lock (drm_gpt)
 *	              page-table ring lock (driver)
 *
 * The mm is held by mmgrab(): it does not keep the process's memory. mm_users
 * is taken for one service at a time (drm_svm_users_enter()) and dropped by
 * mmput_async(), outside the service lock, because the last put runs exit_mmap() and so
 * our notifiers.
 */

#include <kunit/visibility.h>

#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "drm_svm_internal.h"
#include "drm_svm_lane.h"

#define DRM_SVM_HASH_BITS	6

/* Attach and detach only. */
static DEFINE_MUTEX(drm_svm_attach_mutex);
/* Changed under the mutex, read under RCU. */
static DEFINE_HASHTABLE(drm_svm_hash, DRM_SVM_HASH_BITS);

static struct drm_svm_mm *drm_svm_mm_lookup(struct mm_struct *mm)
{
	struct drm_svm_mm *smm;

	lockdep_assert_held(&drm_svm_attach_mutex);
	hash_for_each_possible(drm_svm_hash, smm, hash, (unsigned long)mm)
		if (smm->mm == mm)
			return smm;
	return NULL;
}

/**
 * drm_svm_mm_soft_epoch() - when were soft-dirty bits of a process last cleared?
 * @mm: the process's address space
 * @epoch: out, never 0; another value than before means: cleared since
 *
 * Context: any; takes RCU. A service that asks between the sampling of its range's
 * generation and its commit fails to commit if the answer has become old.
 * Return: false if no device mirrors @mm.
 */
bool drm_svm_mm_soft_epoch(struct mm_struct *mm, u64 *epoch)
{
	struct drm_svm_mm *smm;

	guard(rcu)();
	hash_for_each_possible_rcu(drm_svm_hash, smm, hash, (unsigned long)mm) {
		if (smm->mm == mm) {
			*epoch = atomic64_read(&smm->soft_epoch);
			return true;
		}
	}
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_mm_soft_epoch);

/* No device is attached, so nobody services, and nobody asks. */
static void drm_svm_mm_free(struct drm_svm_mm *smm)
{
	struct drm_svm_window *window;
	struct drm_svm_range *range;
	unsigned long index;

	/* For good: neither notifiers nor the last puts start it again. */
	disable_delayed_work_sync(&smm->gc_work);
	xa_for_each(&smm->windows, index, window)
		mmu_interval_notifier_remove(&window->notifier);
	drm_svm_gc_fini(smm);
	xa_for_each(&smm->ranges, index, range) {
		xa_erase(&smm->ranges, index);
		drm_svm_range_put(range);
	}
	xa_for_each(&smm->windows, index, window)
		kfree(window);
	xa_destroy(&smm->windows);
	xa_destroy(&smm->ranges);
	mtree_destroy(&smm->attrs);
	mutex_destroy(&smm->window_lock);
	mutex_destroy(&smm->attr_lock);
	drm_svm_release_fini(smm);
	drm_svm_users_put(smm->holders);
	mmdrop(smm->mm);
	kfree_rcu(smm, rcu);
}

/* Teaches lockdep that the service lock is outside mmap_lock. */
static void drm_svm_mm_prime(struct drm_svm_mm *smm)
{
	struct drm_svm_span span;

	if (!IS_ENABLED(CONFIG_LOCKDEP) ||
	    drm_svm_span_lock(&smm->spans, &span, 0, 0))
		return;
	might_lock(&smm->window_lock);
	might_lock_read(&smm->mm->mmap_lock);
	drm_svm_span_unlock(&smm->spans, &span);
}

static struct drm_svm_mm *drm_svm_mm_make(struct mm_struct *mm)
{
	struct drm_svm_window *window;
	struct drm_svm_mm *smm;

	smm = kzalloc_obj(*smm, GFP_KERNEL_ACCOUNT);
	if (!smm)
		return ERR_PTR(-ENOMEM);
	smm->holders = drm_svm_users_make(mm);
	if (!smm->holders) {
		kfree(smm);
		return ERR_PTR(-ENOMEM);
	}
	xa_init_flags(&smm->windows, XA_FLAGS_ACCOUNT);
	xa_init_flags(&smm->ranges, XA_FLAGS_ACCOUNT);
	mt_init_flags(&smm->attrs, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
	mutex_init(&smm->attr_lock);
	mutex_init(&smm->window_lock);
	smm->notifier_ops = &drm_svm_notifier_ops;
	drm_svm_spans_init(&smm->spans);
	drm_svm_gc_init(smm);
	drm_svm_release_init(smm);
	drm_svm_mm_bump_soft_epoch(smm);
	smm->mm = mm;
	smm->user = current_uid();
	mmgrab(mm);
	drm_svm_mm_prime(smm);

	/*
	 * The first notifier of a process takes mmap_lock for write. Have it
	 * now, so that the fault path never does. The window stays, since we keep
	 * a reference: it is told of what concerns all of the address space.
	 */
	window = drm_svm_window_get(smm, 0);
	if (IS_ERR(window)) {
		drm_svm_mm_free(smm);
		return ERR_CAST(window);
	}
	return smm;
}

static struct drm_svm_mm *drm_svm_mm_get_old(struct mm_struct *mm)
{
	struct drm_svm_mm *smm;

	guard(mutex)(&drm_svm_attach_mutex);
	smm = drm_svm_mm_lookup(mm);
	if (smm)
		smm->users++;
	return smm;
}

/* Return: @fresh, or what somebody else was faster with; with a reference. */
static struct drm_svm_mm *drm_svm_mm_enter(struct drm_svm_mm *fresh)
{
	struct drm_svm_mm *smm;

	guard(mutex)(&drm_svm_attach_mutex);
	smm = drm_svm_mm_lookup(fresh->mm);
	if (!smm) {
		smm = fresh;
		hash_add_rcu(drm_svm_hash, &smm->hash, (unsigned long)smm->mm);
	}
	smm->users++;
	return smm;
}

/*
 * The first of a process takes its mmap_lock for write, which may be long in
 * coming: other processes do not wait for it.
 */
static struct drm_svm_mm *drm_svm_mm_get(struct mm_struct *mm)
{
	struct drm_svm_mm *smm = drm_svm_mm_get_old(mm), *fresh;

	if (smm)
		return smm;
	fresh = drm_svm_mm_make(mm);
	if (IS_ERR(fresh))
		return fresh;
	smm = drm_svm_mm_enter(fresh);
	if (smm != fresh)
		drm_svm_mm_free(fresh);
	return smm;
}

static struct drm_svm_mm *drm_svm_mm_unuse(struct drm_svm_mm *smm)
{
	lockdep_assert_held(&drm_svm_attach_mutex);
	if (--smm->users)
		return NULL;
	hash_del_rcu(&smm->hash);
	return smm;
}

/* Can the device be given whatever page a process has? */
static int drm_svm_check_dma(struct device *dev)
{
	struct page *page;
	dma_addr_t dma;
	int ret = 0;

	if (dma_addressing_limited(dev))
		return -EOPNOTSUPP;
	page = alloc_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	dma = dma_map_phys(dev, page_to_phys(page), PAGE_SIZE,
			   DMA_BIDIRECTIONAL, DRM_SVM_DMA_ATTRS);
	if (dma_mapping_error(dev, dma))
		ret = -EOPNOTSUPP;
	else
		dma_unmap_phys(dev, dma, PAGE_SIZE, DMA_BIDIRECTIONAL,
			       DRM_SVM_DMA_ATTRS);
	__free_page(page);
	return ret;
}

/* A fault queue answers by replays, or each record; who has none needs neither. */
static int drm_svm_check_answers(const struct drm_svm_config *config)
{
	const struct drm_svm_ops *ops = config->ops;

	if (!config->device->queue)
		return 0;
	return !ops->done == (ops->replay && ops->cancel) &&
	       !ops->replay == !ops->cancel ? 0 : -EINVAL;
}

/**
 * drm_svm_init() - attach a device address space to a process's
 * @svm: embedded in the driver's, zeroed
 * @mm: the process's address space
 * @config: what it consists of
 *
 * It sees nothing of the process until it has a view.
 *
 * Context: may sleep; takes mmap_lock for write the first time for a process.
 * Return: 0, -ENOMEM, -EINTR if a signal came while the address space was locked
 * for the first notifier, -EOPNOTSUPP if the device cannot reach all memory
 * coherently and without a bounce buffer, -EINVAL for a fault queue that is to be
 * answered in both ways, or in none.
 */
int drm_svm_init(struct drm_svm *svm, struct mm_struct *mm,
		 const struct drm_svm_config *config)
{
	struct drm_svm_mm *smm;
	int ret = drm_svm_check_answers(config);

	ret = ret ?: drm_svm_check_dma(config->device->dev);
	if (ret)
		return ret;

	svm->device = config->device;
	svm->ops = config->ops;
	svm->migrate_on_fault = config->migrate_on_fault;
	spin_lock_init(&svm->view_lock);
	spin_lock_init(&svm->use_lock);
	INIT_LIST_HEAD(&svm->views);

	smm = drm_svm_mm_get(mm);
	if (IS_ERR(smm))
		return PTR_ERR(smm);
	svm->smm = smm;
	drm_svm_device_enter(svm->device);
	drm_svm_fault_attach(svm);
	/* Last: what it tells may come at once. */
	drm_svm_release_watch(svm);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_init);

/**
 * drm_svm_interrupt() - have what goes on in an address space end soon
 * @svm: address space
 *
 * For a driver that is about to close it, before it takes a lock that its ioctls
 * hold: drm_svm_migrate(), drm_svm_residency(), drm_svm_populate() and
 * drm_svm_claim() return -ESRCH instead of waiting for an mmap_lock, or a page, that may
 * never come. Cannot be taken back.
 *
 * Context: any.
 */
void drm_svm_interrupt(struct drm_svm *svm)
{
	WRITE_ONCE(svm->interrupted, true);
	wake_up_all(&svm->idle);
}
EXPORT_SYMBOL_GPL(drm_svm_interrupt);

/**
 * drm_svm_fini() - detach a device address space
 * @svm: stopped by drm_svm_stop() if it has a fault queue or drm_svm_handle_fault() is
 *	used, unless it has had no view yet; its views have ended
 *
 * Context: may sleep; no lock of drm_svm and no mmap_lock is held. The process
 * may be gone already.
 */
void drm_svm_fini(struct drm_svm *svm)
{
	struct drm_svm_mm *smm = svm->smm;

	WARN_ON(!list_empty(&svm->views));
	drm_svm_release_leave(svm);
	drm_svm_fault_detach(svm);
	drm_svm_device_leave(svm->device);
	mutex_lock(&drm_svm_attach_mutex);
	smm = drm_svm_mm_unuse(smm);
	mutex_unlock(&drm_svm_attach_mutex);
	if (smm)
		drm_svm_mm_free(smm);
}
EXPORT_SYMBOL_GPL(drm_svm_fini);

/**
 * drm_svm_is_owner() - does the caller live in the mirrored address space?
 * @svm: device address space
 *
 * Context: process.
 * Return: true if it does. After fork and exec it does not.
 */
bool drm_svm_is_owner(const struct drm_svm *svm)
{
	return current->mm == svm->smm->mm;
}
EXPORT_SYMBOL_GPL(drm_svm_is_owner);
