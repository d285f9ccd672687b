// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Open files: the handles of address spaces and queues.
 *
 * An address space that ends loses its handle and those of its queues, whoever
 * ended it: what a dead process leaves behind in a file that others still have is
 * nothing. It names its file for that, so that a file lasts until the last of its
 * address spaces is gone.
 */

#include <linux/slab.h>

#include <drm/drm_file.h>

#include "vgem_svm_drv.h"

static void vgem_svm_file_free(struct kref *ref)
{
	struct vgem_svm_file *vfile =
		container_of(ref, struct vgem_svm_file, ref);

	WARN_ON(!xa_empty(&vfile->vms) || !xa_empty(&vfile->queues));
	xa_destroy(&vfile->queues);
	xa_destroy(&vfile->vms);
	mutex_destroy(&vfile->lock);
	kfree(vfile);
}

/**
 * vgem_svm_file_put() - drop a reference to a file
 * @vfile: file
 */
void vgem_svm_file_put(struct vgem_svm_file *vfile)
{
	kref_put(&vfile->ref, vgem_svm_file_free);
}

/**
 * vgem_svm_open() - a file is opened
 * @drm: device
 * @file: file
 *
 * Return: 0, -ENOMEM.
 */
int vgem_svm_open(struct drm_device *drm, struct drm_file *file)
{
	struct vgem_svm_file *vfile = kzalloc_obj(*vfile, GFP_KERNEL_ACCOUNT);

	if (!vfile)
		return -ENOMEM;
	kref_init(&vfile->ref);
	mutex_init(&vfile->lock);
	xa_init_flags(&vfile->vms, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&vfile->queues, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	file->driver_priv = vfile;
	return 0;
}

static struct vgem_svm_vm *vgem_svm_file_first_vm(struct vgem_svm_file *vfile)
{
	struct vgem_svm_vm *vm;
	unsigned long id = 0;

	guard(mutex)(&vfile->lock);
	vm = xa_find(&vfile->vms, &id, ULONG_MAX, XA_PRESENT);
	if (vm)
		kref_get(&vm->ref);
	return vm;
}

/**
 * vgem_svm_postclose() - the last descriptor of a file is closed
 * @drm: device
 * @file: file
 */
void vgem_svm_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct vgem_svm_file *vfile = file->driver_priv;
	struct vgem_svm_vm *vm;

	while ((vm = vgem_svm_file_first_vm(vfile))) {
		vgem_svm_vm_end(vm);
		vgem_svm_vm_put(vm);
	}
	vgem_svm_file_put(vfile);
}

/**
 * vgem_svm_file_find_vm() - the address space of a handle
 * @vfile: file
 * @id: handle
 *
 * Return: the address space, referenced, or NULL.
 */
struct vgem_svm_vm *vgem_svm_file_find_vm(struct vgem_svm_file *vfile, u32 id)
{
	struct vgem_svm_vm *vm;

	guard(mutex)(&vfile->lock);
	vm = xa_load(&vfile->vms, id);
	if (vm)
		kref_get(&vm->ref);
	return vm;
}

/**
 * vgem_svm_file_find_queue() - the queue of a handle
 * @vfile: file
 * @id: handle
 *
 * Return: the queue, referenced, or NULL.
 */
struct vgem_svm_queue *vgem_svm_file_find_queue(struct vgem_svm_file *vfile,
						u32 id)
{
	struct vgem_svm_queue *queue;

	guard(mutex)(&vfile->lock);
	queue = xa_load(&vfile->queues, id);
	if (queue)
		kref_get(&queue->ref);
	return queue;
}

/**
 * vgem_svm_file_add_vm() - give an address space a handle
 * @vm: address space; the handle takes over the caller's reference
 *
 * Return: 0, -ENOMEM.
 */
int vgem_svm_file_add_vm(struct vgem_svm_vm *vm)
{
	struct vgem_svm_file *vfile = vm->vfile;

	guard(mutex)(&vfile->lock);
	return xa_alloc(&vfile->vms, &vm->handle, vm, xa_limit_31b,
			GFP_KERNEL_ACCOUNT);
}

/**
 * vgem_svm_file_add_queue() - give a queue a handle
 * @queue: queue, referenced for the handle
 *
 * Context: &vgem_svm_vm.sem of its address space is held for write.
 * Return: 0, -ENOMEM, -ENOENT if the address space has lost its own handle.
 */
int vgem_svm_file_add_queue(struct vgem_svm_queue *queue)
{
	struct vgem_svm_vm *vm = queue->vm;
	struct vgem_svm_file *vfile = vm->vfile;

	guard(mutex)(&vfile->lock);
	/* It is about to be closed, and would leave the queue's handle behind. */
	if (xa_load(&vfile->vms, vm->handle) != vm)
		return -ENOENT;
	return xa_alloc(&vfile->queues, &queue->handle, queue, xa_limit_31b,
			GFP_KERNEL_ACCOUNT);
}

static void vgem_svm_file_forget_queues(struct vgem_svm_vm *vm)
{
	struct vgem_svm_file *vfile = vm->vfile;
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

/**
 * vgem_svm_file_forget_vm() - take an address space's handle and its queues'
 * @vm: address space, referenced by the caller
 *
 * Return: true if it had one; then no ioctl finds it any more.
 */
bool vgem_svm_file_forget_vm(struct vgem_svm_vm *vm)
{
	struct vgem_svm_file *vfile = vm->vfile;

	guard(mutex)(&vfile->lock);
	if (!vm->handle || xa_load(&vfile->vms, vm->handle) != vm)
		return false;
	xa_erase(&vfile->vms, vm->handle);
	vgem_svm_file_forget_queues(vm);
	vgem_svm_vm_put(vm);
	return true;
}

/**
 * vgem_svm_file_forget_queue() - take a queue's handle
 * @queue: queue, referenced by the caller
 *
 * Return: true if it had one.
 */
bool vgem_svm_file_forget_queue(struct vgem_svm_queue *queue)
{
	struct vgem_svm_file *vfile = queue->vm->vfile;

	guard(mutex)(&vfile->lock);
	/* Its number may be another's by now. */
	if (xa_load(&vfile->queues, queue->handle) != queue)
		return false;
	xa_erase(&vfile->queues, queue->handle);
	vgem_svm_queue_put(queue);
	return true;
}
