// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: memory of the process, bound
 *
 * USERPTR binds pages that the process has at one address at an address of the device,
 * for queues that cannot fault. Each is a view of its own with a list of pages as its
 * sink (drm_svm_pages.h). What happens to such memory takes its leaves away, behind
 * the fences of the work that may use them; the next EXEC brings them back::
 *
 *	invalidation			EXEC, with &vgem_svm_binds.lock
 *	  the view is stale		  populate what is stale, write its leaves
 *	  wait for all fences		  is all fresh? then, in the same step, the
 *	  .revoked: zap, flush		    job's fence goes into the dma_resv
 *	  pages are let go		  push the job
 *
 * drm_svm_restore() does that; the step is one, so an invalidation that comes later
 * finds the fence, and one that came before is seen, and it goes round. Each such fence
 * is alone in its context: if its job is not pushed it is dropped, and in the dma_resv
 * none takes the place of another whose work goes on.
 *
 * Leaves are written under the table's lock only while the view is fresh. An
 * invalidation makes it stale first, and takes leaves away under the same lock
 * afterwards, so none of pages that are gone is left, and who can fault finds
 * nothing either.
 *
 * Beside a mirror the device's addresses are claimed from it, as those of other binds.
 *
 * All binds of an address space have one dma_resv, that of its drm_gpuvm. Locks, from
 * the outside: &vgem_svm_vm.sem (read), &vgem_svm_binds.lock, then what populating
 * takes (mmap_lock among it), or the dma_resv; in it, and in invalidations, the
 * table's lock, in that the view's use lock. An invalidation takes none of the first
 * three: it waits for fences and hardware.
 */

#include <linux/delay.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/drm_svm_claim.h>
#include <drm/drm_svm_pages.h>

#include "../svm/drm_svm_planted.h"
#include "vgem_svm_drv.h"
#include "vgem_svm_fence.h"

#define VGEM_SVM_USERPTR_MAX	((u64)SZ_1G)
#define VGEM_SVM_USERPTR_CHUNK	((u64)SZ_2M)
#define VGEM_SVM_USERPTR_LEAVES	(VGEM_SVM_USERPTR_CHUNK >> PAGE_SHIFT)

/**
 * struct vgem_svm_userptr - memory of the process that is bound
 * @pages: its pages
 * @vm: address space
 * @node: in &vgem_svm_userptrs.list
 * @first: first byte for the device
 * @last: last byte
 * @mapped: it may have leaves, 0 or 1
 */
struct vgem_svm_userptr {
	struct drm_svm_pages pages;
	struct vgem_svm_vm *vm;
	struct list_head node;
	u64 first;
	u64 last;
	atomic_t mapped;
};

static u8 vgem_svm_userptr_rights(const struct vgem_svm_userptr *up)
{
	return up->pages.view.rights;
}

static bool vgem_svm_userptr_fresh(void *data)
{
	struct vgem_svm_userptr *up = data;

	if (!drm_svm_use_begin(&up->pages.view, vgem_svm_userptr_rights(up)))
		return false;
	drm_svm_use_end(&up->pages.view);
	return true;
}

/* In an invalidation; the work that may use the pages has ended. */
static void vgem_svm_userptr_revoked(struct drm_svm_pages *pages)
{
	struct vgem_svm_userptr *up =
		container_of(pages, struct vgem_svm_userptr, pages);

	if (atomic_xchg(&up->mapped, 0))
		atomic64_inc(&up->vm->userptrs.revoked);
	vgem_svm_leaves_zap(up->vm, up->first, up->last);
}

/* ---- given to the device ------------------------------------------------ */

/* Leaves of some of it. Return: false if they are not to be had any more. */
static bool vgem_svm_userptr_leaves(struct vgem_svm_userptr *up, u64 first, u32 nr,
				    u64 *leaves)
{
	const struct drm_svm_page *page;
	u32 i;

	if (!drm_svm_use_begin(&up->pages.view, vgem_svm_userptr_rights(up)))
		return false;
	page = &up->pages.pages[(first - up->first) >> PAGE_SHIFT];
	for (i = 0; i < nr; i++, page++) {
		leaves[i] = DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_SYSTEM | page->addr;
		if (page->rights & DRM_SVM_RIGHT_WRITE)
			leaves[i] |= DRM_GPT_LEAF_WRITE | DRM_GPT_LEAF_ATOMIC;
	}
	drm_svm_use_end(&up->pages.view);
	return true;
}

/* Return: 0, -EAGAIN if it is stale, -ENOMEM, -ENODEV. */
static int vgem_svm_userptr_write(struct vgem_svm_userptr *up, u64 *leaves)
{
	u64 first = up->first, end, seq = 0;
	int ret = 0;

	for (; !ret && first <= up->last; first = end + 1) {
		end = min(first | (VGEM_SVM_USERPTR_CHUNK - 1), up->last);
		if (!vgem_svm_userptr_leaves(up, first, (end - first + 1) >> PAGE_SHIFT,
					     leaves))
			return -EAGAIN;
		ret = vgem_svm_leaves_commit(&up->vm->gpt, first, end, leaves,
					     vgem_svm_userptr_fresh, up, &seq);
		cond_resched();
	}
	return ret ?: drm_gpt_wait(&up->vm->gpt, seq);
}

/* ---- brought back for a job --------------------------------------------- */

/**
 * struct vgem_svm_userptrs_job - for whom memory is brought back
 * @queue: whose job it is
 * @leaves: scratch
 * @fence: of the job, not begun; NULL once it has been published
 * @begun: the same, begun
 * @cookie: of dma_fence_begin_signalling(), from there on
 */
struct vgem_svm_userptrs_job {
	struct vgem_svm_queue *queue;
	u64 *leaves;
	struct vgem_svm_fence *fence;
	struct vgem_svm_fence *begun;
	bool cookie;
};

static struct vgem_svm_vm *vgem_svm_restore_vm(struct drm_svm_restore *restore)
{
	return container_of(restore, struct vgem_svm_vm, userptrs.restore);
}

static int vgem_svm_userptr_populated(struct drm_svm_restore *restore,
				      struct drm_svm_view *view)
{
	struct vgem_svm_userptr *up =
		container_of(view, struct vgem_svm_userptr, pages.view);
	int ret;

	/* Before there are any: an invalidation that takes one counts it. */
	if (!atomic_xchg(&up->mapped, 1))
		atomic64_inc(&up->vm->userptrs.restored);
	ret = vgem_svm_userptr_write(up, up->vm->userptrs.job->leaves);
	/* What makes it stale takes its leaves away; nobody else does. */
	if (ret && ret != -EAGAIN && atomic_xchg(&up->mapped, 0))
		atomic64_dec(&up->vm->userptrs.restored);
	return ret;
}

/* A queue that can fault finds it there, or does not: nothing is kept for it. */
static int vgem_svm_userptrs_prepare(struct drm_svm_restore *restore)
{
	struct vgem_svm_vm *vm = vgem_svm_restore_vm(restore);
	struct vgem_svm_userptrs_job *job = vm->userptrs.job;
	struct dma_resv *resv = drm_gpuvm_resv(&vm->binds.gpuvm);
	int ret;

	if (drm_svm_planted(DRM_SVM_PLANTED_UNCHECKED_USE))
		usleep_range(5000, 6000);
	if (!job->queue->no_fault)
		return 0;
	if (!job->fence)
		job->fence = vgem_svm_fence_new();
	if (!job->fence)
		return -ENOMEM;
	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;
	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		dma_resv_unlock(resv);
	return ret;
}

static void vgem_svm_userptrs_publish(struct drm_svm_restore *restore)
{
	struct vgem_svm_vm *vm = vgem_svm_restore_vm(restore);
	struct vgem_svm_userptrs_job *job = vm->userptrs.job;

	if (!job->queue->no_fault)
		return;
	job->cookie = dma_fence_begin_signalling();
	job->begun = job->fence;
	job->fence = NULL;
	scoped_guard(spinlock, &job->queue->lock)
		vgem_svm_fence_begin_alone(job->begun, job->queue);
	dma_resv_add_fence(drm_gpuvm_resv(&vm->binds.gpuvm), &job->begun->base,
			   DMA_RESV_USAGE_BOOKKEEP);
}

static void vgem_svm_userptrs_finish(struct drm_svm_restore *restore,
				     bool published)
{
	struct vgem_svm_vm *vm = vgem_svm_restore_vm(restore);
	struct vgem_svm_userptrs_job *job = vm->userptrs.job;

	if (!job->queue->no_fault)
		return;
	if (published)
		dma_fence_end_signalling(job->cookie);
	dma_resv_unlock(drm_gpuvm_resv(&vm->binds.gpuvm));
}

static const struct drm_svm_restore_ops vgem_svm_userptrs_restore_ops = {
	.populated = vgem_svm_userptr_populated,
	.prepare = vgem_svm_userptrs_prepare,
	.publish = vgem_svm_userptrs_publish,
	.finish = vgem_svm_userptrs_finish,
};

/**
 * vgem_svm_userptrs_ready() - all that is bound is there for a job
 * @vm: address space, in use, &vgem_svm_binds.lock held
 * @queue: whose job it is
 * @fence: out, if the queue cannot fault: of the job, begun and referenced, which
 *	invalidations wait for: to be pushed, or dropped by vgem_svm_fence_drop()
 *
 * For a queue that can fault it is there now, and nothing keeps it.
 *
 * Context: may sleep, as long as a page takes to come. Nothing that allocates follows
 * until the job is pushed.
 * Return: 0; -EFAULT or -EACCES if the process has no such memory any more; -EBUSY if
 * it changes faster than it can be had; -EINTR, -ESRCH, -ENOMEM, -ENODEV.
 */
int vgem_svm_userptrs_ready(struct vgem_svm_vm *vm, struct vgem_svm_queue *queue,
			    struct vgem_svm_fence **fence)
{
	struct vgem_svm_userptrs_job job = { .queue = queue };
	int ret;

	lockdep_assert_held(&vm->binds.lock);
	job.leaves = kmalloc_array(VGEM_SVM_USERPTR_LEAVES, sizeof(*job.leaves),
				   GFP_KERNEL_ACCOUNT);
	if (!job.leaves)
		return -ENOMEM;
	vm->userptrs.job = &job;
	ret = drm_svm_restore(&vm->userptrs.restore);
	vm->userptrs.job = NULL;
	*fence = job.begun;
	kfree(job.fence);
	kfree(job.leaves);
	return ret;
}

/* ---- who asks ----------------------------------------------------------- */

static struct vgem_svm_userptr *vgem_svm_userptrs_find(struct vgem_svm_vm *vm,
						       u64 first, u64 last)
{
	struct vgem_svm_userptr *up;

	lockdep_assert_held(&vm->userptrs.lock);
	list_for_each_entry(up, &vm->userptrs.list, node)
		if (up->first <= last && first <= up->last)
			return up;
	return NULL;
}

/**
 * vgem_svm_userptrs_overlap() - is memory of the process bound there?
 * @vm: address space
 * @first: first byte for the device
 * @last: last byte
 *
 * Context: any but hard interrupt.
 * Return: true if any is.
 */
bool vgem_svm_userptrs_overlap(struct vgem_svm_vm *vm, u64 first, u64 last)
{
	if (!vm->userptrs.there)
		return false;
	guard(spinlock)(&vm->userptrs.lock);
	return vgem_svm_userptrs_find(vm, first, last);
}

/**
 * vgem_svm_userptrs_access() - may the device do what it could not?
 * @vm: address space
 * @addr: address of a fault
 * @write: it wanted to write
 *
 * Who can fault is not waited for by invalidations, and finds nothing behind one.
 *
 * Context: any but hard interrupt.
 * Return: 0 if it is there by now, -EACCES if it is bound otherwise, -ESTALE if the
 * next EXEC has to bring it back, -EFAULT if nothing is bound there.
 */
int vgem_svm_userptrs_access(struct vgem_svm_vm *vm, u64 addr, bool write)
{
	struct vgem_svm_userptr *up;

	if (!vm->userptrs.there)
		return -EFAULT;
	guard(spinlock)(&vm->userptrs.lock);
	up = vgem_svm_userptrs_find(vm, addr, addr);
	if (!up)
		return -EFAULT;
	if (write && !(vgem_svm_userptr_rights(up) & DRM_SVM_RIGHT_WRITE))
		return -EACCES;
	return atomic_read(&up->mapped) && vgem_svm_userptr_fresh(up) ? 0 : -ESTALE;
}

/* ---- life --------------------------------------------------------------- */

/* Its faults are not served: nothing is to be told of them. */
static void vgem_svm_userptrs_done(struct drm_svm *svm,
				   const struct drm_svm_fault *fault, int result)
{
}

static const struct drm_svm_ops vgem_svm_userptrs_ops = {
	.done = vgem_svm_userptrs_done,
};

/**
 * vgem_svm_userptrs_init() - memory of the process may be bound
 * @vm: address space, of the caller
 * @flags: DRM_VGEM_SVM_VM_*
 *
 * Context: may sleep.
 * Return: as drm_svm_init().
 */
int vgem_svm_userptrs_init(struct vgem_svm_vm *vm, u32 flags)
{
	struct drm_svm_config config = {
		.device = &vm->vdev->sdev,
		.ops = &vgem_svm_userptrs_ops,
	};
	int ret;

	spin_lock_init(&vm->userptrs.lock);
	INIT_LIST_HEAD(&vm->userptrs.list);
	drm_svm_restore_init(&vm->userptrs.restore, &vm->userptrs.svm,
			     &vgem_svm_userptrs_restore_ops, NULL);
	if (!(flags & DRM_VGEM_SVM_VM_USERPTR))
		return 0;
	ret = drm_svm_init(&vm->userptrs.svm, current->mm, &config);
	vm->userptrs.there = !ret;
	return ret;
}

/**
 * vgem_svm_userptrs_interrupt() - who waits for memory is to end soon
 * @vm: address space, about to be closed
 *
 * Context: any.
 */
void vgem_svm_userptrs_interrupt(struct vgem_svm_vm *vm)
{
	if (vm->userptrs.there)
		drm_svm_interrupt(&vm->userptrs.svm);
}

static void vgem_svm_userptr_free(struct vgem_svm_userptr *up)
{
	struct vgem_svm_vm *vm = up->vm;

	scoped_guard(spinlock, &vm->userptrs.lock)
		list_del(&up->node);
	drm_svm_restore_remove(&vm->userptrs.restore, &up->pages.view);
	drm_svm_pages_fini(&up->pages);
	vgem_svm_user_uncharge(vm->user, VGEM_SVM_USER_BINDS, 1);
	kfree(up);
}

/**
 * vgem_svm_userptrs_fini() - let go of all of it
 * @vm: address space, closed: its queues are, and the device walks its table no more
 *
 * Context: may sleep.
 */
void vgem_svm_userptrs_fini(struct vgem_svm_vm *vm)
{
	struct vgem_svm_userptr *up, *next;

	if (!vm->userptrs.there)
		return;
	drm_svm_stop(&vm->userptrs.svm);
	list_for_each_entry_safe(up, next, &vm->userptrs.list, node)
		vgem_svm_userptr_free(up);
	drm_svm_fini(&vm->userptrs.svm);
}

/* ---- the ioctl ---------------------------------------------------------- */

static int vgem_svm_userptr_make(struct vgem_svm_vm *vm,
				 const struct drm_vgem_svm_userptr *args)
{
	u8 rights = DRM_SVM_RIGHT_READ;
	struct vgem_svm_userptr *up;
	int ret;

	if (args->flags & DRM_VGEM_SVM_BIND_WRITE)
		rights |= DRM_SVM_RIGHT_WRITE;
	up = kzalloc_obj(*up, GFP_KERNEL_ACCOUNT);
	if (!up)
		return -ENOMEM;
	up->vm = vm;
	up->first = args->addr;
	up->last = args->addr + args->length - 1;
	up->pages.revoked = vgem_svm_userptr_revoked;
	ret = drm_svm_pages_init(&up->pages, &vm->userptrs.svm, args->user_addr,
				 args->user_addr + args->length - 1, rights,
				 drm_gpuvm_resv(&vm->binds.gpuvm));
	if (ret) {
		kfree(up);
		return ret;
	}
	drm_svm_restore_add(&vm->userptrs.restore, &up->pages.view, rights);
	guard(spinlock)(&vm->userptrs.lock);
	list_add_tail(&up->node, &vm->userptrs.list);
	return 0;
}

/* Where the mirror has been told to keep out; it is the last of the list. */
static int vgem_svm_userptr_populate(struct vgem_svm_vm *vm)
{
	struct vgem_svm_userptr *up =
		list_last_entry(&vm->userptrs.list, struct vgem_svm_userptr, node);
	struct drm_svm_view *view = &up->pages.view;
	int ret;

	ret = drm_svm_populate(view, view->first, view->last,
			       vgem_svm_userptr_rights(up));
	if (ret)
		vgem_svm_userptr_free(up);
	return ret;
}

/* What is not there now is refused; what goes later is brought back by an EXEC. */
static int vgem_svm_userptr_map(struct vgem_svm_vm *vm,
				const struct drm_vgem_svm_userptr *args)
{
	u64 last = args->addr + args->length - 1;
	int ret;

	if (vgem_svm_userptrs_overlap(vm, args->addr, last) ||
	    drm_gpuva_find_first(&vm->binds.gpuvm, args->addr, args->length))
		return -EEXIST;
	ret = vgem_svm_user_charge(vm->user, VGEM_SVM_USER_BINDS, 1);
	if (ret)
		return ret;
	ret = vgem_svm_claims_take(vm, args->addr, last);
	if (ret) {
		vgem_svm_user_uncharge(vm->user, VGEM_SVM_USER_BINDS, 1);
		return ret;
	}
	ret = vgem_svm_userptr_make(vm, args);
	if (ret)
		vgem_svm_user_uncharge(vm->user, VGEM_SVM_USER_BINDS, 1);
	else
		ret = vgem_svm_userptr_populate(vm);
	if (ret)
		vgem_svm_claims_undo(vm, args->addr, last);
	return ret;
}

/* When it is given back to the mirror, no leaf of it is left. */
static void vgem_svm_userptr_end(struct vgem_svm_userptr *up)
{
	struct vgem_svm_vm *vm = up->vm;
	u64 first = up->first, last = up->last;

	if (vm->mirrors)
		drm_svm_unclaim_begin(&vm->table.view, first, last);
	vgem_svm_userptr_free(up);
	if (vm->mirrors)
		drm_svm_unclaim(&vm->table.view, first, last);
}

static int vgem_svm_userptr_unmap(struct vgem_svm_vm *vm,
				  const struct drm_vgem_svm_userptr *args)
{
	struct vgem_svm_userptr *up;

	list_for_each_entry(up, &vm->userptrs.list, node) {
		if (up->first == args->addr &&
		    up->last == args->addr + args->length - 1) {
			vgem_svm_userptr_end(up);
			return 0;
		}
	}
	return -ENOENT;
}

static int vgem_svm_userptr_check_map(struct drm_device *drm,
				      const struct drm_vgem_svm_userptr *args)
{
	if ((args->flags & ~(DRM_VGEM_SVM_BIND_READ | DRM_VGEM_SVM_BIND_WRITE)) ||
	    !(args->flags & DRM_VGEM_SVM_BIND_READ))
		return vgem_svm_bad(drm, "flags");
	if (!PAGE_ALIGNED(args->user_addr) ||
	    args->user_addr > TASK_SIZE - args->length)
		return vgem_svm_bad(drm, "user_addr");
	return 0;
}

static int vgem_svm_userptr_check_unmap(struct drm_device *drm,
					const struct drm_vgem_svm_userptr *args)
{
	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	if (args->user_addr)
		return vgem_svm_bad(drm, "user_addr");
	return 0;
}

static int vgem_svm_userptr_check(struct drm_device *drm,
				  const struct drm_vgem_svm_userptr *args)
{
	if (args->op > DRM_VGEM_SVM_BIND_UNMAP)
		return vgem_svm_bad(drm, "op");
	if (args->pad)
		return vgem_svm_bad(drm, "pad");
	if (!args->length || !PAGE_ALIGNED(args->length) ||
	    args->length > VGEM_SVM_USERPTR_MAX)
		return vgem_svm_bad(drm, "length");
	if (!PAGE_ALIGNED(args->addr) ||
	    args->addr > BIT_ULL(VGEM_SVM_VA_BITS) - args->length)
		return vgem_svm_bad(drm, "addr");
	return args->op == DRM_VGEM_SVM_BIND_MAP ?
		vgem_svm_userptr_check_map(drm, args) :
		vgem_svm_userptr_check_unmap(drm, args);
}

static int vgem_svm_userptr_do(struct vgem_svm_vm *vm,
			       const struct drm_vgem_svm_userptr *args)
{
	int ret;

	if (!vm->userptrs.there)
		return -EOPNOTSUPP;
	ret = mutex_lock_interruptible(&vm->binds.lock);
	if (ret)
		return ret;
	ret = args->op == DRM_VGEM_SVM_BIND_MAP ? vgem_svm_userptr_map(vm, args) :
						  vgem_svm_userptr_unmap(vm, args);
	mutex_unlock(&vm->binds.lock);
	return ret == -ESRCH ? -ENOENT : ret;
}

int vgem_svm_userptr_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file)
{
	struct drm_vgem_svm_userptr *args = data;
	struct vgem_svm_vm *vm;
	int ret;

	ret = vgem_svm_userptr_check(drm, args);
	if (ret)
		return ret;
	vm = vgem_svm_vm_enter(file, args->vm_id);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	ret = vgem_svm_userptr_do(vm, args);
	if (ret)
		drm_dbg(drm, "USERPTR at %#llx: %d\n", args->addr, ret);
	vgem_svm_vm_leave(vm);
	return ret;
}
