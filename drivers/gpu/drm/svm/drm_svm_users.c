// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: the end of a process
 *
 * A service keeps the memory of a process while it runs, by mm_users. A program that
 * faults all the time would so keep its own memory for ever, after its last thread
 * has gone: there would always be a service. So drm_svm counts those users that are its
 * own, and begins nothing for an address space that has no others. What runs ends, the
 * last of them lets go, and the memory is torn down. What runs for longest is a wait for a
 * page that does not come: a fault of a queue has &drm_svm_fault_queue.deadline_ms, and
 * who may wait for ever (drm_svm_populate()) looks now and then whether there is a
 * process to wait for.
 *
 * Of that the notifier of the first window is told, and a work item tells the drivers:
 * &drm_svm_ops.released. A driver needs no notifier of its own for it. What a process is,
 * beyond its memory (a child of vfork(2) has the same), is the driver's to know.
 *
 * The count changes under its lock together with mm_users, so it is never more than
 * that is; and as long as somebody else is there it is less. It outlives the &struct
 * drm_svm_mm, since a thread of the lane may, which sleeps in a fault for a page.
 */

#include <kunit/visibility.h>

#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

/**
 * drm_svm_users_make() - count users of an address space
 * @mm: address space
 *
 * Return: the count, with a reference; or NULL.
 */
struct drm_svm_users *drm_svm_users_make(struct mm_struct *mm)
{
	struct drm_svm_users *users = kzalloc_obj(*users, GFP_KERNEL_ACCOUNT);

	if (!users)
		return NULL;
	refcount_set(&users->ref, 1);
	spin_lock_init(&users->lock);
	users->mm = mm;
	mmgrab(mm);
	return users;
}

/**
 * drm_svm_users_get() - another reference
 * @users: the count
 *
 * Return: @users.
 */
struct drm_svm_users *drm_svm_users_get(struct drm_svm_users *users)
{
	refcount_inc(&users->ref);
	return users;
}

/**
 * drm_svm_users_put() - end of drm_svm_users_make() and drm_svm_users_get()
 * @users: the count, or NULL
 */
void drm_svm_users_put(struct drm_svm_users *users)
{
	if (!users || !refcount_dec_and_test(&users->ref))
		return;
	mmdrop(users->mm);
	kfree(users);
}

/**
 * drm_svm_users_enter() - begin to use the memory
 * @users: the count
 *
 * Context: any.
 * Return: false if the process has none any more, or only we do.
 */
bool drm_svm_users_enter(struct drm_svm_users *users)
{
	guard(spinlock)(&users->lock);
	if (!mmget_not_zero(users->mm))
		return false;
	if (atomic_read(&users->mm->mm_users) == users->nr + 1 &&
	    !drm_svm_planted(DRM_SVM_PLANTED_KEEPS_DEAD)) {
		mmput_async(users->mm);
		return false;
	}
	users->nr++;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_users_enter);

/**
 * drm_svm_users_leave() - end of drm_svm_users_enter()
 * @users: the count
 *
 * Context: any; none of our locks is needed by who comes last.
 */
void drm_svm_users_leave(struct drm_svm_users *users)
{
	guard(spinlock)(&users->lock);
	users->nr--;
	mmput_async(users->mm);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_users_leave);

/**
 * drm_svm_users_alone() - has the process gone, and its memory is kept by us?
 * @users: the count; the caller need not have entered
 *
 * Context: any.
 * Return: true if nobody else uses it.
 */
bool drm_svm_users_alone(struct drm_svm_users *users)
{
	guard(spinlock)(&users->lock);
	return atomic_read(&users->mm->mm_users) <= users->nr &&
	       !drm_svm_planted(DRM_SVM_PLANTED_KEEPS_DEAD);
}

/* ---- telling drivers ---------------------------------------------------- */

static void drm_svm_release_work(struct work_struct *work)
{
	struct drm_svm_mm *smm = container_of(work, struct drm_svm_mm, release_work);
	struct drm_svm *svm;

	guard(mutex)(&smm->svms_lock);
	list_for_each_entry(svm, &smm->svms, in_mm) {
		/* Who wants nothing but a mirror may have no operations at all. */
		if (svm->told || !svm->ops || !svm->ops->released)
			continue;
		svm->told = true;
		svm->ops->released(svm);
	}
}

/**
 * drm_svm_release_init() - nobody is to be told yet
 * @smm: address space
 */
void drm_svm_release_init(struct drm_svm_mm *smm)
{
	mutex_init(&smm->svms_lock);
	INIT_LIST_HEAD(&smm->svms);
	INIT_WORK(&smm->release_work, drm_svm_release_work);
}

/**
 * drm_svm_release_fini() - the end of an address space without devices
 * @smm: address space; no notifier of it is left
 */
void drm_svm_release_fini(struct drm_svm_mm *smm)
{
	cancel_work_sync(&smm->release_work);
	mutex_destroy(&smm->svms_lock);
}

/**
 * drm_svm_release() - the memory of a process is being torn down
 * @smm: address space
 *
 * Context: in a notifier.
 */
void drm_svm_release(struct drm_svm_mm *smm)
{
	WRITE_ONCE(smm->released, true);
	schedule_work(&smm->release_work);
}

/**
 * drm_svm_release_watch() - tell of the end
 * @svm: address space of a device
 *
 * Context: may sleep.
 */
void drm_svm_release_watch(struct drm_svm *svm)
{
	struct drm_svm_mm *smm = svm->smm;

	scoped_guard(mutex, &smm->svms_lock)
		list_add_tail(&svm->in_mm, &smm->svms);
	/* Who has come too late to be in the list is told by another round. */
	if (READ_ONCE(smm->released))
		schedule_work(&smm->release_work);
}

/**
 * drm_svm_release_leave() - do not tell any more
 * @svm: address space of a device
 *
 * Context: may sleep; waits for &drm_svm_ops.released.
 */
void drm_svm_release_leave(struct drm_svm *svm)
{
	guard(mutex)(&svm->smm->svms_lock);
	list_del(&svm->in_mm);
}
