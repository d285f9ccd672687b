// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Having pages there: what the CPU's own fault would do, for a device.
 *
 * mmap_lock is held when it begins and dropped for whatever takes long
 * (FAULT_FLAG_ALLOW_RETRY), so a page that is slow to come keeps nobody from
 * changing mappings. Nothing of drm_svm may be held that others wait for, but the
 * service lock where the page is prompt: anonymous and shared memory wait for
 * swap, page locks and the allocator, which end by themselves. All others belong to
 * the lane: a file system can be as slow as its server, and userfaultfd as its
 * program.
 *
 * What get_user_pages() refuses is refused here: memory without struct page,
 * memfd_secret, writes to shadow stacks. There is no FOLL_FORCE: a device may do
 * what the process may.
 */

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "drm_svm_internal.h"
#include "drm_svm_pagein.h"
#include "drm_svm_planted.h"

/* How long mmap_lock is waited for before others have their turn. */
#define DRM_SVM_MMAP_PATIENCE_US	4000
/* Between two tries of the lane while the kernel has no memory. */
#define DRM_SVM_LANE_NO_MEMORY		(HZ / 10)

/**
 * drm_svm_mmap_lock() - mmap_read_lock() that ends
 * @svm: device address space
 *
 * mmap_lock may be held for write as long as a file system's server pleases (mmap()
 * of a file that has to be written back first), and no wait for it can be ended
 * from outside but by a signal. So it is tried, not waited for, and given up after a few
 * milliseconds: who asks may hold the service lock, which other devices wait for, or have
 * a deadline, or be a worker or a thread that serves other processes too.
 *
 * Context: may sleep; the service lock at most is held.
 * Return: 0; -EINTR for a fatal signal, -ESRCH if the address space is going,
 * -EAGAIN if it has been waited for in vain.
 */
int drm_svm_mmap_lock(struct drm_svm *svm)
{
	unsigned int us = 20, waited = 0;

	for (;;) {
		/* Also where it is free: what goes on and on looks here. */
		if (READ_ONCE(svm->interrupted) || READ_ONCE(svm->dying))
			return -ESRCH;
		if (mmap_read_trylock(svm->smm->mm))
			return 0;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (waited > DRM_SVM_MMAP_PATIENCE_US)
			return -EAGAIN;
		usleep_range(us, 2 * us);
		waited += us;
		us = min(2 * us, 1000U);
	}
}

/* memfd_secret pages have no kernel mapping and are kept from DMA. */
bool drm_svm_vma_secret(struct vm_area_struct *vma)
{
	return vma->vm_file &&
	       file_inode(vma->vm_file)->i_sb->s_magic == SECRETMEM_MAGIC;
}

/* The CPU writes a shadow stack by special instructions only, a device never. */
bool drm_svm_vma_read_only(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_SHADOW_STACK;
}

/* Ends waiting for a page of it by itself? */
static bool drm_svm_vma_prompt(struct vm_area_struct *vma)
{
	if (drm_svm_planted(DRM_SVM_PLANTED_SRCU_PAGE_IN))
		return true;
	if (userfaultfd_armed(vma))
		return false;
	/* Without a file, as the vdso: it has no server. */
	return vma_is_anonymous(vma) || is_vm_hugetlb_page(vma) ||
	       !vma->vm_file || shmem_mapping(vma->vm_file->f_mapping);
}

/* May the process do this there? Return: 0, -EFAULT, -EACCES. */
static int drm_svm_vma_permits(struct vm_area_struct *vma, bool write)
{
	if (!vma || !(vma->vm_flags & VM_READ) ||
	    (vma->vm_flags & (VM_IO | VM_PFNMAP)) || drm_svm_vma_secret(vma))
		return -EFAULT;
	if (write && (!(vma->vm_flags & VM_WRITE) || drm_svm_vma_read_only(vma)))
		return -EACCES;
	return 0;
}

/*
 * One page. @*locked becomes false if mmap_lock has been dropped. Return: 0 if the
 * page has been there, 1 if it may be by the next try, -EFAULT, -EACCES, -ENOMEM.
 */
static int drm_svm_page_in(struct vm_area_struct *vma, u64 addr, bool write,
			   bool *locked)
{
	unsigned int flags = FAULT_FLAG_REMOTE | FAULT_FLAG_ALLOW_RETRY |
			     FAULT_FLAG_KILLABLE |
			     (write ? FAULT_FLAG_WRITE : 0);
	vm_fault_t fault;
	int ret = drm_svm_vma_permits(vma, write);

	if (ret)
		return ret;
	/* It is the program's own access, for those who look only at such. */
	if (userfaultfd_armed(vma))
		flags |= FAULT_FLAG_USER;
	fault = handle_mm_fault(vma, addr, flags, NULL);
	if (fault & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)) {
		*locked = false;
		return !(fault & VM_FAULT_COMPLETED);
	}
	return fault & VM_FAULT_ERROR ? vm_fault_to_errno(fault, 0) : 0;
}

/**
 * drm_svm_page_in_missing() - have what a service misses there
 * @s: the service, after a walk: @missing is set
 * @locked: becomes false if mmap_lock has been dropped
 *
 * Pages that may be long in coming go from @want to @held.
 *
 * Context: mmap_lock is held for read, and the service lock; no SRCU section.
 * Return: 0, or what keeps a page from being there: -EFAULT, -EACCES, -ENOMEM.
 */
int drm_svm_page_in_missing(struct drm_svm_service *s, bool *locked)
{
	unsigned int i;

	for_each_set_bit(i, s->missing, DRM_SVM_RANGE_PAGES) {
		u64 addr = drm_svm_page_addr(s->range->first, i);
		struct vm_area_struct *vma = vma_lookup(s->smm->mm, addr);
		bool write = test_bit(i, s->want_write);
		int ret = drm_svm_vma_permits(vma, write);

		if (ret)
			return ret;
		if (!drm_svm_vma_prompt(vma)) {
			if (drm_svm_planted(DRM_SVM_PLANTED_HELD_ERROR))
				return -EFAULT;
			__set_bit(i, s->left.held);
			__clear_bit(i, s->want);
			continue;
		}
		ret = drm_svm_page_in(vma, addr, write, locked);
		if (ret < 0)
			return ret;
		if (!*locked)
			return 0;
	}
	return 0;
}

/* ---- in the lane -------------------------------------------------------- */

static struct drm_svm_pagein *drm_svm_pagein_of(struct drm_svm_lane_job *job)
{
	return container_of(job, struct drm_svm_pagein, job);
}

/**
 * drm_svm_pagein_make() - a job for the lane: have pages of a range there
 * @smm: address space
 * @base: first byte of the range
 *
 * The caller sets @want, @write and the job's @done.
 *
 * Context: may sleep.
 * Return: it, with a reference; or NULL.
 */
struct drm_svm_pagein *drm_svm_pagein_make(struct drm_svm_mm *smm, u64 base)
{
	struct drm_svm_pagein *in = kzalloc_obj(*in, GFP_KERNEL);

	if (!in)
		return NULL;
	drm_svm_lane_job_init(&in->job);
	refcount_set(&in->ref, 1);
	in->users = drm_svm_users_get(smm->holders);
	in->base = base;
	in->job.user = smm->user;
	return in;
}

void drm_svm_pagein_put(struct drm_svm_pagein *in)
{
	if (!refcount_dec_and_test(&in->ref))
		return;
	drm_svm_users_put(in->users);
	kfree(in);
}

/* Return: as drm_svm_page_in(), -EINTR if it has been stopped. */
static int drm_svm_pagein_try(struct drm_svm_pagein *in, unsigned int i)
{
	u64 addr = drm_svm_page_addr(in->base, i);
	struct mm_struct *mm = in->users->mm;
	bool locked = true;
	int ret;

	if (drm_svm_lane_stopped(&in->job) || mmap_read_lock_killable(mm))
		return -EINTR;
	ret = drm_svm_page_in(vma_lookup(mm, addr), addr,
			      test_bit(i, in->write), &locked);
	if (locked)
		mmap_read_unlock(mm);
	if (ret == -ENOMEM) {
		schedule_timeout_killable(DRM_SVM_LANE_NO_MEMORY);
		return 1;
	}
	return ret;
}

static int drm_svm_pagein_pages(struct drm_svm_pagein *in)
{
	unsigned int i;
	int ret;

	for_each_set_bit(i, in->want, DRM_SVM_RANGE_PAGES) {
		do {
			ret = drm_svm_pagein_try(in, i);
			cond_resched();
		} while (ret > 0);
		in->page = i;
		if (ret)
			return ret;
	}
	return 0;
}

static int drm_svm_pagein_run(struct drm_svm_lane_job *job)
{
	struct drm_svm_pagein *in = drm_svm_pagein_of(job);
	struct mem_cgroup *memcg, *old;
	int ret;

	if (!drm_svm_users_enter(in->users))
		return -ESRCH;
	memcg = get_mem_cgroup_from_mm(in->users->mm);
	old = set_active_memcg(memcg);
	ret = drm_svm_pagein_pages(in);
	set_active_memcg(old);
	mem_cgroup_put(memcg);
	drm_svm_users_leave(in->users);
	return ret;
}

static void drm_svm_pagein_release(struct drm_svm_lane_job *job)
{
	drm_svm_pagein_put(drm_svm_pagein_of(job));
}

/**
 * drm_svm_pagein_start() - give it to the lane
 * @in: @want, @write and the job's @done are set; the caller keeps its reference,
 *	to stop it by
 *
 * Context: may sleep.
 * Return: 0, -ECANCELED if it has been stopped before, -ENOMEM or another error; then
 * nothing happens.
 */
int drm_svm_pagein_start(struct drm_svm_pagein *in)
{
	int ret;

	in->job.run = drm_svm_pagein_run;
	in->job.release = drm_svm_pagein_release;
	refcount_inc(&in->ref);
	ret = drm_svm_lane_submit(&in->job);
	if (ret)
		refcount_dec(&in->ref);
	return ret;
}
