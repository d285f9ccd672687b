// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Address spaces. One belongs to the process that made it: no other may use it,
 * not a child after fork and not who was passed the descriptor; and it ends when
 * that process does, even if another holds the file, or when its memory goes
 * (exec). Then, when the file or the handle is closed, or when the device goes, it
 * loses its handle and is closed: queues stopped, root taken away and TLBs flushed,
 * faults drained, mirror and table taken down.
 *
 * One without a mirror has nothing but what is bound in it. It belongs to the process
 * all the same, and lasts until its file or process ends; execve(2) leaves it, for
 * nobody to use.
 */

#include <linux/array_size.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vgem_svm_drv.h"

static void vgem_svm_vm_free(struct kref *ref)
{
	struct vgem_svm_vm *vm = container_of(ref, struct vgem_svm_vm, ref);

	WARN_ON(!vm->closed);
	vgem_svm_owner_fini(&vm->owner);
	vgem_svm_user_put(vm->user);
	vgem_svm_file_put(vm->vfile);
	kvfree(vm);
}

void vgem_svm_vm_put(struct vgem_svm_vm *vm)
{
	kref_put(&vm->ref, vgem_svm_vm_free);
}

/**
 * vgem_svm_vm_use() - keep an address space open
 * @vm: address space, referenced
 *
 * Until vgem_svm_vm_unuse(), which who closes it waits for, and may be an unbind
 * of the device: nothing may be waited for meanwhile that a process can hold up
 * for ever, such as a page of user memory.
 *
 * Return: 0, -ENOENT if it is closed, -EPERM if it is another process's.
 */
int vgem_svm_vm_use(struct vgem_svm_vm *vm)
{
	int ret = -ENOENT;

	down_read(&vm->sem);
	if (!vm->closed)
		ret = vgem_svm_owner_is(&vm->owner) ? 0 : -EPERM;
	if (ret)
		up_read(&vm->sem);
	return ret;
}

/**
 * vgem_svm_vm_unuse() - it may be closed again
 * @vm: address space, in use by the caller
 */
void vgem_svm_vm_unuse(struct vgem_svm_vm *vm)
{
	up_read(&vm->sem);
}

/**
 * vgem_svm_vm_enter() - use the address space of a handle in an ioctl
 * @file: file
 * @id: handle
 *
 * Return: the address space, referenced and in use until vgem_svm_vm_leave();
 * -ENOENT if there is none, -EPERM if it is another process's.
 */
struct vgem_svm_vm *vgem_svm_vm_enter(struct drm_file *file, u32 id)
{
	struct vgem_svm_vm *vm = vgem_svm_file_find_vm(file->driver_priv, id);
	int ret;

	if (!vm)
		return ERR_PTR(-ENOENT);
	ret = vgem_svm_vm_use(vm);
	if (ret) {
		vgem_svm_vm_put(vm);
		return ERR_PTR(ret);
	}
	return vm;
}

/**
 * vgem_svm_vm_enter_svm() - the same for what is asked of the mirror
 * @file: file
 * @id: handle
 *
 * Return: as vgem_svm_vm_enter(); -EOPNOTSUPP if it has no mirror.
 */
struct vgem_svm_vm *vgem_svm_vm_enter_svm(struct drm_file *file, u32 id)
{
	struct vgem_svm_vm *vm = vgem_svm_vm_enter(file, id);

	if (IS_ERR(vm) || vm->mirrors)
		return vm;
	vgem_svm_vm_leave(vm);
	return ERR_PTR(-EOPNOTSUPP);
}

/**
 * vgem_svm_vm_leave() - the end of vgem_svm_vm_enter()
 * @vm: address space
 */
void vgem_svm_vm_leave(struct vgem_svm_vm *vm)
{
	vgem_svm_vm_unuse(vm);
	vgem_svm_vm_put(vm);
}

/* ---- drm_svm's operations ----------------------------------------------- */

static void vgem_svm_vm_kill(struct drm_svm_gpt *table, bool may_sleep)
{
	vgem_svm_device_kill(container_of(table, struct vgem_svm_vm, table)->vdev);
}

/* Of tables that nobody needs, when memory is short. */
static int vgem_svm_vm_flush(struct drm_gpt *gpt, struct drm_gpt_gather *gather)
{
	vgem_svm_flush_gather(container_of(gpt, struct vgem_svm_vm, gpt), gather);
	return 0;
}

/**
 * vgem_svm_vm_replay() - let all that is parked on a fault try again
 * @vm: address space
 *
 * Context: as a write to the register.
 */
void vgem_svm_vm_replay(struct vgem_svm_vm *vm)
{
	vgem_svm_hw_write(vm->vdev->hw, VGEM_SVM_REG_FAULT_REPLAY, vm->hw_id);
}

static void vgem_svm_vm_replay_svm(struct drm_svm *svm)
{
	vgem_svm_vm_replay(container_of(svm, struct vgem_svm_vm, svm));
}

static const struct drm_svm_gpt_ops vgem_svm_table_ops = {
	.flush_begin = vgem_svm_flush_begin,
	.flush_wait = vgem_svm_flush_wait,
	.kill = vgem_svm_vm_kill,
};

static const struct drm_svm_ops vgem_svm_ops = {
	.replay = vgem_svm_vm_replay_svm,
	.cancel = vgem_svm_cancel,
	.claimed = vgem_svm_fault_claimed,
};

static const struct drm_svm_ops vgem_svm_each_ops = {
	.done = vgem_svm_done,
	.claimed = vgem_svm_fault_claimed,
};

/* ---- the end of the process --------------------------------------------- */

static void vgem_svm_vm_kill_queues(struct vgem_svm_vm *vm)
{
	struct vgem_svm_queue *queue;
	u32 chan;

	for (chan = VGEM_SVM_HW_CHAN_USER; chan < VGEM_SVM_HW_NR_CHANS; chan++) {
		queue = vgem_svm_queue_of_chan(vm->vdev, chan);
		if (!queue)
			continue;
		if (queue->vm == vm)
			vgem_svm_queue_kill(queue, VGEM_SVM_ERR_KILLED);
		vgem_svm_queue_put(queue);
	}
}

static void vgem_svm_vm_reap_work(struct work_struct *work)
{
	struct vgem_svm_vm *vm =
		container_of(work, struct vgem_svm_vm, reap_work);

	/* A thread may have ended that was not the last. */
	if (vgem_svm_owner_gone(&vm->owner)) {
		vgem_svm_vm_kill_queues(vm);
		vgem_svm_vm_end(vm);
	}
	vgem_svm_vm_put(vm);
}

/**
 * vgem_svm_vm_reap() - the owner may have ended: see to that
 * @vm: address space, not closed
 *
 * Context: any. The caller keeps it from being closed.
 */
void vgem_svm_vm_reap(struct vgem_svm_vm *vm)
{
	kref_get(&vm->ref);
	if (!queue_work(vm->vdev->wq, &vm->reap_work))
		vgem_svm_vm_put(vm);
}

/*
 * The mirrored memory goes, by exit or exec. Queues end here. The rest waits
 * for notifiers to end, this one too, and is done elsewhere. What happens to the
 * first page, which this is registered for, is of no interest.
 */
static bool vgem_svm_vm_exit(struct mmu_interval_notifier *exit,
			     const struct mmu_notifier_range *range,
			     unsigned long seq)
{
	struct vgem_svm_vm *vm = container_of(exit, struct vgem_svm_vm, exit);

	if (range->event == MMU_NOTIFY_RELEASE) {
		vgem_svm_vm_kill_queues(vm);
		vgem_svm_vm_reap(vm);
	}
	return true;
}

static const struct mmu_interval_notifier_ops vgem_svm_exit_ops = {
	.invalidate = vgem_svm_vm_exit,
};

/* ---- life --------------------------------------------------------------- */

static int vgem_svm_vm_set_root(struct vgem_svm_vm *vm)
{
	u64 addr;
	bool local;

	drm_gpt_root(&vm->gpt, &addr, &local);
	guard(spinlock)(&vm->vdev->kill_lock);
	if (vm->vdev->wedged)
		return -EIO;
	vgem_svm_hw_write(vm->vdev->hw, VGEM_SVM_REG_VM_ROOT(vm->hw_id),
			  addr | VGEM_SVM_ROOT_VALID |
			  (local ? VGEM_SVM_ROOT_LOCAL : 0));
	return 0;
}

/* By &enum vgem_svm_attr. */
static const struct drm_gpt_attr vgem_svm_attrs[] = {
	[VGEM_SVM_ATTR_PLAIN] = {},
	[VGEM_SVM_ATTR_NO_EXEC] = { .set = VGEM_SVM_PTE_NO_EXEC },
	[VGEM_SVM_ATTR_UNCACHED] = { .set = VGEM_SVM_PTE_UNCACHED },
	[VGEM_SVM_ATTR_NO_EXEC_UNCACHED] = {
		.set = VGEM_SVM_PTE_NO_EXEC | VGEM_SVM_PTE_UNCACHED,
	},
};

static int vgem_svm_vm_init_gpt(struct vgem_svm_vm *vm)
{
	struct drm_gpt_config config = {
		.dev = vm->vdev->dev,
		.format = &drm_gpt_format_vgem_svm,
		.mem = vgem_svm_pt_mode == VGEM_SVM_PT_DEVICE ?
			&vgem_svm_ptmem_ops : &drm_gpt_mem_pages,
		.cmd = vgem_svm_pt_mode == VGEM_SVM_PT_CPU ?
			NULL : &vgem_svm_cmd_ops,
		.cpu_max = vgem_svm_pt_mode == VGEM_SVM_PT_MIXED ?
			vgem_svm_pt_cpu_max : 0,
		.flush = vgem_svm_vm_flush,
		.attrs = vgem_svm_attrs,
		.nr_attrs = ARRAY_SIZE(vgem_svm_attrs),
	};
	int ret;

	ret = drm_gpt_init(&vm->gpt, &config);
	if (ret)
		return ret;
	ret = vgem_svm_ptmem_ready(vm);
	if (ret)
		drm_gpt_fini(&vm->gpt);
	return ret;
}

static int vgem_svm_vm_init_svm(struct vgem_svm_vm *vm, u32 flags)
{
	struct vgem_svm_dev *vdev = vm->vdev;
	struct drm_svm_config config = {
		.device = &vdev->sdev,
		.ops = vgem_svm_fault_each ? &vgem_svm_each_ops : &vgem_svm_ops,
		.migrate_on_fault = flags & DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT,
	};

	int ret = drm_svm_init(&vm->svm, current->mm, &config);

	if (ret)
		return ret;
	ret = drm_svm_gpt_init(&vm->table, &vm->svm, &vm->gpt,
			       &vgem_svm_table_ops);
	if (ret)
		drm_svm_fini(&vm->svm);
	return ret;
}

/* The memory does not matter any more, or never did. */
static void vgem_svm_vm_forget_exit(struct vgem_svm_vm *vm)
{
	if (vm->watches)
		mmu_interval_notifier_remove(&vm->exit);
}

static void vgem_svm_vm_fini_svm(struct vgem_svm_vm *vm)
{
	if (!vm->mirrors)
		return;
	drm_svm_gpt_fini(&vm->table);
	drm_svm_fini(&vm->svm);
}

static int vgem_svm_vm_get_hw_id(struct vgem_svm_vm *vm)
{
	struct vgem_svm_dev *vdev = vm->vdev;
	int ret;

	ret = xa_alloc(&vdev->vms, &vm->hw_id, vm,
		       XA_LIMIT(1, VGEM_SVM_HW_NR_VMS - 1), GFP_KERNEL);
	if (!ret)
		atomic_inc(&vdev->nr_vms);
	return ret == -EBUSY ? -ENOSPC : ret;
}

static void vgem_svm_vm_put_hw_id(struct vgem_svm_vm *vm)
{
	struct vgem_svm_dev *vdev = vm->vdev;

	xa_erase(&vdev->vms, vm->hw_id);
	/* Who takes the device down waits for it. */
	if (atomic_dec_and_test(&vdev->nr_vms))
		wake_up_var(&vdev->nr_vms);
}

static struct vgem_svm_vm *vgem_svm_vm_alloc(struct vgem_svm_dev *vdev,
					     struct vgem_svm_file *vfile,
					     u32 flags)
{
	struct vgem_svm_vm *vm;

	vm = kvzalloc_obj(*vm, GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->user = vgem_svm_user_get(vdev);
	if (IS_ERR(vm->user)) {
		void *err = vm->user;

		kvfree(vm);
		return err;
	}
	kref_init(&vm->ref);
	init_rwsem(&vm->sem);
	INIT_LIST_HEAD(&vm->queues);
	spin_lock_init(&vm->fault_lock);
	INIT_WORK(&vm->reap_work, vgem_svm_vm_reap_work);
	vm->vdev = vdev;
	vm->mirrors = !(flags & DRM_VGEM_SVM_VM_NO_SVM);
	vm->watches = vm->mirrors || (flags & DRM_VGEM_SVM_VM_USERPTR);
	kref_get(&vfile->ref);
	vm->vfile = vfile;
	vgem_svm_owner_init(&vm->owner);
	return vm;
}

/* The parts of an address space. Return: 0, or an error and none of them. */
static int vgem_svm_vm_init(struct vgem_svm_vm *vm, u32 flags)
{
	int ret;

	ret = vgem_svm_vm_init_gpt(vm);
	if (ret)
		return ret;
	ret = vgem_svm_binds_init(vm);
	if (ret)
		goto err_gpt;
	ret = vgem_svm_userptrs_init(vm, flags);
	if (ret)
		goto err_binds;
	if (vm->mirrors)
		ret = vgem_svm_vm_init_svm(vm, flags);
	if (ret)
		goto err_userptrs;
	ret = vgem_svm_vm_get_hw_id(vm);
	if (ret)
		goto err_svm;
	return 0;

err_svm:
	if (vm->mirrors)
		drm_svm_stop(&vm->svm);
	vgem_svm_vm_fini_svm(vm);
err_userptrs:
	vgem_svm_userptrs_fini(vm);
err_binds:
	vgem_svm_binds_fini(vm);
err_gpt:
	drm_gpt_fini(&vm->gpt);
	return ret;
}

/*
 * Makes it work. On an error it has been closed. The device stays bound
 * meanwhile, and who unbinds it waits.
 */
static int vgem_svm_vm_start(struct vgem_svm_vm *vm, u32 flags)
{
	int ret;

	ret = vgem_svm_user_charge(vm->user, VGEM_SVM_USER_VMS, 1);
	if (ret)
		goto err;
	ret = vgem_svm_vm_init(vm, flags);
	if (ret) {
		vgem_svm_user_uncharge(vm->user, VGEM_SVM_USER_VMS, 1);
		goto err;
	}
	vgem_svm_owner_watch(&vm->owner);
	ret = vgem_svm_vm_set_root(vm);
	ret = ret ?: vgem_svm_file_add_vm(vm);
	/* It can be found by now. */
	if (ret)
		vgem_svm_vm_close(vm);
	return ret;
err:
	vm->closed = true;
	vgem_svm_vm_forget_exit(vm);
	return ret;
}

static void vgem_svm_vm_stop_hw(struct vgem_svm_vm *vm)
{
	struct vgem_svm_queue *queue, *next;

	list_for_each_entry_safe(queue, next, &vm->queues, node)
		vgem_svm_queue_close(queue);
	vgem_svm_hw_write(vm->vdev->hw, VGEM_SVM_REG_VM_ROOT(vm->hw_id), 0);
	vgem_svm_flush_vm(vm);
}

/**
 * vgem_svm_vm_close() - end an address space
 * @vm: it; the caller keeps its reference
 *
 * Context: may sleep. Any process; the owner may be gone. More than once is no
 * harm.
 */
void vgem_svm_vm_close(struct vgem_svm_vm *vm)
{
	struct vgem_svm_dev *vdev = vm->vdev;

	/* Who holds it may wait for what only a process can give. */
	if (vm->mirrors)
		drm_svm_interrupt(&vm->svm);
	vgem_svm_userptrs_interrupt(vm);
	down_write(&vm->sem);
	if (!vm->closed) {
		vm->closed = true;
		vgem_svm_owner_leave(&vm->owner);
		vgem_svm_vm_stop_hw(vm);
		/*
		 * Its number stays taken until its last flush, so that nobody
		 * else's translations are flushed or found by it.
		 */
		xa_store(&vdev->vms, vm->hw_id, XA_ZERO_ENTRY, GFP_KERNEL);
		drm_svm_fault_queue_sync(&vdev->fault_queue);
		if (vm->mirrors)
			drm_svm_stop(&vm->svm);
		vgem_svm_vm_forget_exit(vm);
		vgem_svm_userptrs_fini(vm);
		vgem_svm_vm_fini_svm(vm);
		vgem_svm_binds_fini(vm);
		drm_gpt_fini(&vm->gpt);
		vgem_svm_user_uncharge(vm->user, VGEM_SVM_USER_VMS, 1);
		vgem_svm_vm_put_hw_id(vm);
	}
	up_write(&vm->sem);
}

/**
 * vgem_svm_vm_end() - end an address space and take its handle
 * @vm: it; the caller keeps its reference
 *
 * Context: as vgem_svm_vm_close().
 * Return: true if it was this call that took the handle.
 */
bool vgem_svm_vm_end(struct vgem_svm_vm *vm)
{
	/* First the handle: no more queues are made then. */
	bool mine = vgem_svm_file_forget_vm(vm);

	vgem_svm_vm_close(vm);
	return mine;
}

static int vgem_svm_vm_create(struct vgem_svm_dev *vdev, struct drm_file *file,
			      struct drm_vgem_svm_vm_create *args)
{
	struct vgem_svm_vm *vm =
		vgem_svm_vm_alloc(vdev, file->driver_priv, args->flags);
	int idx, ret = 0;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	/* The handle gets the other reference, and may be destroyed at once. */
	kref_get(&vm->ref);
	/*
	 * The first notifier of its kind takes mmap_lock for write, which other
	 * threads may hold for as long as they please: have it before anybody
	 * waits for us.
	 */
	if (vm->watches)
		ret = mmu_interval_notifier_insert(&vm->exit, current->mm, 0,
						   PAGE_SIZE, &vgem_svm_exit_ops);
	if (ret) {
		vm->closed = true;
	} else if (drm_dev_enter(&vdev->drm, &idx)) {
		ret = vgem_svm_vm_start(vm, args->flags);
		drm_dev_exit(idx);
	} else {
		vm->closed = true;
		vgem_svm_vm_forget_exit(vm);
		ret = -ENODEV;
	}
	if (!ret)
		args->vm_id = vm->handle;
	else
		vgem_svm_vm_put(vm);
	vgem_svm_vm_put(vm);
	return ret;
}

int vgem_svm_vm_create_ioctl(struct drm_device *drm, void *data,
			     struct drm_file *file)
{
	struct drm_vgem_svm_vm_create *args = data;

	if (args->flags & ~(DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT |
			    DRM_VGEM_SVM_VM_NO_SVM | DRM_VGEM_SVM_VM_USERPTR))
		return vgem_svm_bad(drm, "flags");
	/* There is nothing that could migrate. */
	if ((args->flags & DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT) &&
	    (args->flags & DRM_VGEM_SVM_VM_NO_SVM))
		return vgem_svm_bad(drm, "flags");
	return vgem_svm_vm_create(to_vgem_svm_dev(drm), file, args);
}

int vgem_svm_vm_destroy_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file)
{
	struct drm_vgem_svm_vm_destroy *args = data;
	struct vgem_svm_vm *vm;
	bool mine;

	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	vm = vgem_svm_vm_enter(file, args->vm_id);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	up_read(&vm->sem);

	mine = vgem_svm_vm_end(vm);
	vgem_svm_vm_put(vm);
	/* Another thread may have been faster. */
	return mine ? 0 : -ENOENT;
}
