// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Address spaces. One belongs to the process that made it: no other may use it,
 * not a child after fork and not who was passed the descriptor; and it ends when
 * that process does, even if another holds the file, or when its memory goes
 * (exec). Then, when the file or the
 * handle is closed, or when the device goes, it is closed: queues stopped, root
 * taken away and TLBs flushed, faults drained, mirror and table taken down.
 */

#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vgem_svm_drv.h"

static void vgem_svm_vm_free(struct kref *ref)
{
	struct vgem_svm_vm *vm = container_of(ref, struct vgem_svm_vm, ref);

	WARN_ON(!vm->closed);
	kvfree(vm);
}

void vgem_svm_vm_put(struct vgem_svm_vm *vm)
{
	kref_put(&vm->ref, vgem_svm_vm_free);
}

/**
 * vgem_svm_vm_enter() - use an address space in an ioctl
 * @file: file
 * @id: handle
 *
 * Return: the address space, open until vgem_svm_vm_leave(); -ENOENT if there
 * is none, -EPERM if it is another process's.
 */
struct vgem_svm_vm *vgem_svm_vm_enter(struct drm_file *file, u32 id)
{
	struct vgem_svm_file *vfile = file->driver_priv;
	struct vgem_svm_vm *vm;
	int ret = -ENOENT;

	mutex_lock(&vfile->lock);
	vm = xa_load(&vfile->vms, id);
	if (vm)
		kref_get(&vm->ref);
	mutex_unlock(&vfile->lock);
	if (!vm)
		return ERR_PTR(-ENOENT);

	down_read(&vm->sem);
	if (!vm->closed)
		ret = drm_svm_is_owner(&vm->svm) ? 0 : -EPERM;
	if (ret) {
		vgem_svm_vm_leave(vm);
		return ERR_PTR(ret);
	}
	return vm;
}

void vgem_svm_vm_leave(struct vgem_svm_vm *vm)
{
	up_read(&vm->sem);
	vgem_svm_vm_put(vm);
}

/* ---- drm_svm's operations ----------------------------------------------- */

static void vgem_svm_vm_kill(struct drm_svm *svm)
{
	vgem_svm_device_kill(container_of(svm, struct vgem_svm_vm, svm)->vdev);
}

/* Of tables that nobody needs, when memory is short. */
static int vgem_svm_vm_flush(struct drm_gpt *gpt, struct drm_gpt_gather *gather)
{
	drm_svm_flush(&container_of(gpt, struct vgem_svm_vm, gpt)->svm, gather);
	return 0;
}

static void vgem_svm_vm_replay(struct drm_svm *svm)
{
	struct vgem_svm_vm *vm = container_of(svm, struct vgem_svm_vm, svm);

	vgem_svm_hw_write(vm->vdev->hw, VGEM_SVM_REG_FAULT_REPLAY, vm->hw_id);
}

static const struct drm_svm_ops vgem_svm_ops = {
	.flush_begin = vgem_svm_flush_begin,
	.flush_wait = vgem_svm_flush_wait,
	.kill = vgem_svm_vm_kill,
	.replay = vgem_svm_vm_replay,
	.cancel = vgem_svm_cancel,
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

static void vgem_svm_vm_close_work(struct work_struct *work)
{
	struct vgem_svm_vm *vm =
		container_of(work, struct vgem_svm_vm, close_work);

	vgem_svm_vm_close(vm);
	vgem_svm_vm_put(vm);
}

/*
 * The mirrored memory goes, by exit or exec. Queues end here. The rest waits
 * for notifiers to end, this one too, and is done elsewhere.
 *
 * The descriptor's close by an exiting process (vgem_svm_flush()) is wanted as
 * well: a program that faults all the time can keep mm_users above zero.
 */
static void vgem_svm_vm_exit(struct mmu_notifier *exit, struct mm_struct *mm)
{
	struct vgem_svm_vm *vm = container_of(exit, struct vgem_svm_vm, exit);

	/* mmu_notifier_unregister() calls it too. */
	if (READ_ONCE(vm->closed))
		return;
	vgem_svm_vm_kill_queues(vm);
	kref_get(&vm->ref);
	if (!queue_work(vm->vdev->wq, &vm->close_work))
		vgem_svm_vm_put(vm);
}

static const struct mmu_notifier_ops vgem_svm_exit_ops = {
	.release = vgem_svm_vm_exit,
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
		.dev = vdev->dev,
		.gpt = &vm->gpt,
		.region = vdev->has_region ? &vdev->region : NULL,
		.queue = &vdev->fault_queue,
		.ops = &vgem_svm_ops,
		.migrate_on_fault = flags & DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT,
	};

	return drm_svm_init(&vm->svm, current->mm, &config);
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

static struct vgem_svm_vm *vgem_svm_vm_make(struct vgem_svm_dev *vdev, u32 flags)
{
	struct vgem_svm_vm *vm;
	int ret;

	vm = kvzalloc_obj(*vm, GFP_KERNEL);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->ref);
	init_rwsem(&vm->sem);
	INIT_LIST_HEAD(&vm->queues);
	spin_lock_init(&vm->fault_lock);
	vm->vdev = vdev;
	vm->owner = current->files;
	vm->exit.ops = &vgem_svm_exit_ops;
	INIT_WORK(&vm->close_work, vgem_svm_vm_close_work);
	ret = vgem_svm_vm_init_gpt(vm);
	if (ret)
		goto err_free;
	ret = vgem_svm_vm_init_svm(vm, flags);
	if (ret)
		goto err_gpt;
	ret = mmu_notifier_register(&vm->exit, current->mm);
	if (ret)
		goto err_svm;
	ret = vgem_svm_vm_get_hw_id(vm);
	if (ret)
		goto err_exit;
	ret = vgem_svm_vm_set_root(vm);
	if (ret) {
		/* It can be found by now. */
		vgem_svm_vm_close(vm);
		vgem_svm_vm_put(vm);
		return ERR_PTR(ret);
	}
	return vm;

err_exit:
	WRITE_ONCE(vm->closed, true);
	mmu_notifier_unregister(&vm->exit, vm->exit.mm);
err_svm:
	drm_svm_stop(&vm->svm);
	drm_svm_fini(&vm->svm);
err_gpt:
	drm_gpt_fini(&vm->gpt);
err_free:
	kvfree(vm);
	return ERR_PTR(ret);
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

	down_write(&vm->sem);
	if (!vm->closed) {
		WRITE_ONCE(vm->closed, true);
		vgem_svm_vm_stop_hw(vm);
		/*
		 * Its number stays taken until its last flush, so that nobody
		 * else's translations are flushed or found by it.
		 */
		xa_store(&vdev->vms, vm->hw_id, XA_ZERO_ENTRY, GFP_KERNEL);
		drm_svm_fault_queue_sync(&vdev->fault_queue);
		drm_svm_stop(&vm->svm);
		mmu_notifier_unregister(&vm->exit, vm->exit.mm);
		drm_svm_fini(&vm->svm);
		drm_gpt_fini(&vm->gpt);
		vgem_svm_vm_put_hw_id(vm);
	}
	up_write(&vm->sem);
}

static int vgem_svm_vm_create(struct vgem_svm_dev *vdev, struct drm_file *file,
			      struct drm_vgem_svm_vm_create *args)
{
	struct vgem_svm_file *vfile = file->driver_priv;
	struct vgem_svm_vm *vm;
	int ret;

	vm = vgem_svm_vm_make(vdev, args->flags);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	mutex_lock(&vfile->lock);
	ret = xa_alloc(&vfile->vms, &args->vm_id, vm, xa_limit_31b, GFP_KERNEL);
	mutex_unlock(&vfile->lock);
	/* &vgem_svm_vm.sem is the outer lock. */
	if (ret) {
		vgem_svm_vm_close(vm);
		vgem_svm_vm_put(vm);
	}
	return ret;
}

int vgem_svm_vm_create_ioctl(struct drm_device *drm, void *data,
			     struct drm_file *file)
{
	struct drm_vgem_svm_vm_create *args = data;
	struct vgem_svm_dev *vdev = to_vgem_svm_dev(drm);
	int idx, ret;

	if (args->flags & ~DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT)
		return vgem_svm_bad(drm, "flags");
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;
	ret = vgem_svm_vm_create(vdev, file, args);
	drm_dev_exit(idx);
	return ret;
}

static void vgem_svm_vm_forget_queues(struct vgem_svm_file *vfile,
				      struct vgem_svm_vm *vm)
{
	struct vgem_svm_queue *queue;
	unsigned long id;

	lockdep_assert_held(&vfile->lock);
	xa_for_each(&vfile->queues, id, queue) {
		if (queue->vm != vm)
			continue;
		xa_erase(&vfile->queues, id);
		vgem_svm_queue_put(queue);
	}
}

int vgem_svm_vm_destroy_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file)
{
	struct drm_vgem_svm_vm_destroy *args = data;
	struct vgem_svm_file *vfile = file->driver_priv;
	struct vgem_svm_vm *vm;

	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	vm = vgem_svm_vm_enter(file, args->vm_id);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	up_read(&vm->sem);

	mutex_lock(&vfile->lock);
	/* Its number may be another's by now. */
	if (xa_load(&vfile->vms, args->vm_id) == vm) {
		xa_erase(&vfile->vms, args->vm_id);
		vgem_svm_vm_forget_queues(vfile, vm);
		vgem_svm_vm_put(vm);
	}
	mutex_unlock(&vfile->lock);
	vgem_svm_vm_close(vm);
	vgem_svm_vm_put(vm);
	return 0;
}
