// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: what is bound where
 *
 * drm_gpuvm knows. Its tree is changed by one caller at a time, who has the lock of
 * &struct vgem_svm_binds and all the memory that he may need: a change cannot fail.
 * Faults look for an address under a spinlock, for they may wait for nobody.
 *
 * An object is in use, that is mapped for the device, as long as drm_gpuvm has it in
 * the address space, or a change that may bind it is under way. It is let go when the
 * last of its addresses has been unlinked, which is behind the flush. The lists of
 * objects have a mutex of their own, not the dma_resv, so that no change waits for
 * one; only what lets an object go does.
 */

#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "vgem_svm_drv.h"

/**
 * struct vgem_svm_vm_bo - an object in an address space
 * @base: drm_gpuvm's
 * @used: it is in use; under &vgem_svm_binds.lock
 */
struct vgem_svm_vm_bo {
	struct drm_gpuvm_bo base;
	bool used;
};

/**
 * struct vgem_svm_va_steps - what the steps of drm_gpuvm get
 * @change: it
 * @bo: of what is bound, or NULL
 */
struct vgem_svm_va_steps {
	struct vgem_svm_va_change *change;
	struct drm_gpuvm_bo *bo;
};

static struct vgem_svm_vm_bo *to_vgem_svm_vm_bo(struct drm_gpuvm_bo *bo)
{
	return container_of(bo, struct vgem_svm_vm_bo, base);
}

/* ---- drm_gpuvm's operations --------------------------------------------- */

static struct drm_gpuvm_bo *vgem_svm_vm_bo_alloc(void)
{
	struct vgem_svm_vm_bo *vm_bo = kzalloc_obj(*vm_bo, GFP_KERNEL_ACCOUNT);

	return vm_bo ? &vm_bo->base : NULL;
}

static void vgem_svm_vm_bo_free(struct drm_gpuvm_bo *bo)
{
	struct vgem_svm_vm_bo *vm_bo = to_vgem_svm_vm_bo(bo);

	if (vm_bo->used) {
		dma_resv_lock(bo->obj->resv, NULL);
		vgem_svm_gem_unuse(to_vgem_svm_gem(bo->obj));
		dma_resv_unlock(bo->obj->resv);
	}
	kfree(vm_bo);
}

/* A part of the address space, which ends with it. */
static void vgem_svm_gpuvm_free(struct drm_gpuvm *gpuvm)
{
}

static int vgem_svm_step_map(struct drm_gpuva_op *op, void *priv)
{
	struct vgem_svm_va_steps *steps = priv;
	struct vgem_svm_va *va = steps->change->map;

	steps->change->map = NULL;
	va->bo = steps->bo;
	drm_gpuva_map(steps->bo->vm, &va->base, &op->map);
	list_add_tail(&va->node, &steps->change->fresh);
	return 0;
}

/* What is left of @old, in *@spare. */
static struct drm_gpuva *vgem_svm_rest(struct vgem_svm_va_change *change,
				       struct vgem_svm_va **spare,
				       const struct vgem_svm_va *old)
{
	struct vgem_svm_va *va = *spare;

	*spare = NULL;
	va->bo = old->base.vm_bo;
	va->flags = old->flags;
	list_add_tail(&va->node, &change->fresh);
	return &va->base;
}

static int vgem_svm_step_remap(struct drm_gpuva_op *op, void *priv)
{
	struct vgem_svm_va_change *change =
		((struct vgem_svm_va_steps *)priv)->change;
	struct vgem_svm_va *old = to_vgem_svm_va(op->remap.unmap->va);
	struct drm_gpuva *prev = NULL, *next = NULL;

	if (op->remap.prev)
		prev = vgem_svm_rest(change, &change->prev, old);
	if (op->remap.next)
		next = vgem_svm_rest(change, &change->next, old);
	drm_gpuva_remap(prev, next, &op->remap);
	list_add_tail(&old->node, &change->gone);
	return 0;
}

static int vgem_svm_step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct vgem_svm_va_steps *steps = priv;
	struct vgem_svm_va *old = to_vgem_svm_va(op->unmap.va);

	drm_gpuva_unmap(&op->unmap);
	list_add_tail(&old->node, &steps->change->gone);
	return 0;
}

static const struct drm_gpuvm_ops vgem_svm_gpuvm_ops = {
	.vm_free = vgem_svm_gpuvm_free,
	.vm_bo_alloc = vgem_svm_vm_bo_alloc,
	.vm_bo_free = vgem_svm_vm_bo_free,
	.sm_step_map = vgem_svm_step_map,
	.sm_step_remap = vgem_svm_step_remap,
	.sm_step_unmap = vgem_svm_step_unmap,
};

/* ---- life --------------------------------------------------------------- */

/**
 * vgem_svm_binds_init() - nothing is bound yet
 * @vm: address space
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM.
 */
int vgem_svm_binds_init(struct vgem_svm_vm *vm)
{
	struct vgem_svm_binds *binds = &vm->binds;
	struct drm_gem_object *resv = drm_gpuvm_resv_object_alloc(&vm->vdev->drm);

	if (!resv)
		return -ENOMEM;
	mutex_init(&binds->lock);
	spin_lock_init(&binds->va_lock);
	drm_gpuvm_init(&binds->gpuvm, "vgem_svm", DRM_GPUVM_IMMEDIATE_MODE,
		       &vm->vdev->drm, resv, 0, BIT_ULL(VGEM_SVM_VA_BITS), 0, 0,
		       &vgem_svm_gpuvm_ops);
	drm_gem_object_put(resv);
	return 0;
}

/**
 * vgem_svm_binds_fini() - let go all that is bound
 * @vm: address space, closed: the device walks its table no more, and no fault of it
 *	is being served
 *
 * Its leaves stay in the table.
 *
 * Context: may sleep.
 */
void vgem_svm_binds_fini(struct vgem_svm_vm *vm)
{
	struct drm_gpuvm *gpuvm = &vm->binds.gpuvm;
	struct drm_gpuva *va, *next;

	drm_gpuvm_for_each_va_safe(va, next, gpuvm) {
		drm_gpuva_remove(va);
		drm_gpuva_unlink_defer(va);
		vgem_svm_va_free(vm, to_vgem_svm_va(va));
	}
	drm_gpuvm_bo_deferred_cleanup(gpuvm);
	mutex_destroy(&vm->binds.lock);
	drm_gpuvm_put(gpuvm);
}

/**
 * vgem_svm_va_new() - room for what may be bound
 * @vm: address space
 *
 * Context: may sleep.
 * Return: it, or an ERR_PTR() of -ENOMEM, -EDQUOT.
 */
struct vgem_svm_va *vgem_svm_va_new(struct vgem_svm_vm *vm)
{
	struct vgem_svm_va *va;
	int ret = vgem_svm_user_charge(vm->user, VGEM_SVM_USER_BINDS, 1);

	if (ret)
		return ERR_PTR(ret);
	va = kzalloc_obj(*va, GFP_KERNEL_ACCOUNT);
	if (va)
		return va;
	vgem_svm_user_uncharge(vm->user, VGEM_SVM_USER_BINDS, 1);
	return ERR_PTR(-ENOMEM);
}

/**
 * vgem_svm_va_free() - the opposite
 * @vm: address space
 * @va: not bound; NULL is no harm
 */
void vgem_svm_va_free(struct vgem_svm_vm *vm, struct vgem_svm_va *va)
{
	if (!va)
		return;
	vgem_svm_user_uncharge(vm->user, VGEM_SVM_USER_BINDS, 1);
	kfree(va);
}

/* ---- changes ------------------------------------------------------------ */

/**
 * vgem_svm_binds_crosses() - would a change that ends here leave a rest?
 * @vm: address space, &vgem_svm_binds.lock held
 * @addr: address
 *
 * Return: true if something is bound across it.
 */
bool vgem_svm_binds_crosses(struct vgem_svm_vm *vm, u64 addr)
{
	struct drm_gpuva *va;

	lockdep_assert_held(&vm->binds.lock);
	if (!addr || addr >= BIT_ULL(VGEM_SVM_VA_BITS))
		return false;
	va = drm_gpuva_find_first(&vm->binds.gpuvm, addr, 1);
	return va && va->va.addr < addr;
}

/**
 * vgem_svm_binds_obtain() - an object that may be bound
 * @vm: address space, &vgem_svm_binds.lock held
 * @obj: object
 *
 * Context: may sleep.
 * Return: the object in the address space, referenced, for
 * drm_gpuvm_bo_put_deferred(); NULL if there is no memory.
 */
struct drm_gpuvm_bo *vgem_svm_binds_obtain(struct vgem_svm_vm *vm,
					   struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *bo = drm_gpuvm_bo_create(&vm->binds.gpuvm, obj);

	lockdep_assert_held(&vm->binds.lock);
	return bo ? drm_gpuvm_bo_obtain_prealloc(bo) : NULL;
}

/**
 * vgem_svm_binds_use() - have it mapped for the device
 * @bo: of vgem_svm_binds_obtain(), &vgem_svm_binds.lock held
 *
 * Context: may sleep; the object's dma_resv is held.
 * Return: as vgem_svm_gem_use().
 */
int vgem_svm_binds_use(struct drm_gpuvm_bo *bo)
{
	struct vgem_svm_vm_bo *vm_bo = to_vgem_svm_vm_bo(bo);
	int ret;

	if (vm_bo->used)
		return 0;
	ret = vgem_svm_gem_use(to_vgem_svm_gem(bo->obj));
	vm_bo->used = !ret;
	return ret;
}

/* What has come is linked to its object while what was there still is. */
static void vgem_svm_binds_link(struct vgem_svm_va_change *change)
{
	struct vgem_svm_va *va;

	list_for_each_entry(va, &change->fresh, node) {
		guard(mutex)(&va->base.gem.obj->gpuva.lock);
		drm_gpuva_link(&va->base, va->bo);
	}
}

/**
 * vgem_svm_binds_map() - it is bound, and what was there is not any more
 * @vm: address space, &vgem_svm_binds.lock held
 * @change: all it needs
 * @map: what and where; in use
 *
 * Context: may sleep. vgem_svm_binds_settle() follows, behind the flush.
 */
void vgem_svm_binds_map(struct vgem_svm_vm *vm, struct vgem_svm_va_change *change,
			const struct drm_gpuva_op_map *map)
{
	struct drm_gpuvm_map_req req = { .map = *map };
	struct vgem_svm_va_steps steps = { .change = change, .bo = change->map->bo };

	lockdep_assert_held(&vm->binds.lock);
	scoped_guard(spinlock, &vm->binds.va_lock)
		drm_WARN_ON(&vm->vdev->drm,
			    drm_gpuvm_sm_map(&vm->binds.gpuvm, &steps, &req));
	vgem_svm_binds_link(change);
}

/**
 * vgem_svm_binds_unmap() - what was there is not bound any more
 * @vm: address space, &vgem_svm_binds.lock held
 * @change: all it needs
 * @addr: first byte
 * @length: bytes
 *
 * Context: may sleep. vgem_svm_binds_settle() follows, behind the flush.
 */
void vgem_svm_binds_unmap(struct vgem_svm_vm *vm, struct vgem_svm_va_change *change,
			  u64 addr, u64 length)
{
	struct vgem_svm_va_steps steps = { .change = change };

	lockdep_assert_held(&vm->binds.lock);
	scoped_guard(spinlock, &vm->binds.va_lock)
		drm_WARN_ON(&vm->vdev->drm,
			    drm_gpuvm_sm_unmap(&vm->binds.gpuvm, &steps, addr,
					       length));
	vgem_svm_binds_link(change);
}

/**
 * vgem_svm_binds_settle() - let go what is not bound any more
 * @vm: address space, &vgem_svm_binds.lock held
 * @change: done, and flushed
 *
 * Context: may sleep; no dma_resv is held.
 */
void vgem_svm_binds_settle(struct vgem_svm_vm *vm,
			   struct vgem_svm_va_change *change)
{
	struct vgem_svm_va *va, *next;

	lockdep_assert_held(&vm->binds.lock);
	list_for_each_entry_safe(va, next, &change->gone, node) {
		drm_gpuva_unlink_defer(&va->base);
		vgem_svm_va_free(vm, va);
	}
	INIT_LIST_HEAD(&change->gone);
	INIT_LIST_HEAD(&change->fresh);
	drm_gpuvm_bo_deferred_cleanup(&vm->binds.gpuvm);
}

/* ---- faults ------------------------------------------------------------- */

/**
 * vgem_svm_binds_access() - may the device do what it could not?
 * @vm: address space
 * @addr: address of a fault
 * @write: it wanted to write
 *
 * Context: any but hard interrupt.
 * Return: 0 if it has been bound since, -EACCES if it is bound otherwise, -EFAULT if
 * nothing is bound there.
 */
int vgem_svm_binds_access(struct vgem_svm_vm *vm, u64 addr, bool write)
{
	struct drm_gpuva *va;

	guard(spinlock)(&vm->binds.va_lock);
	va = drm_gpuva_find_first(&vm->binds.gpuvm, addr, 1);
	if (!va)
		return -EFAULT;
	if (write && !(to_vgem_svm_va(va)->flags & DRM_VGEM_SVM_BIND_WRITE))
		return -EACCES;
	return 0;
}

/**
 * vgem_svm_binds_no_exec() - is what is bound there not to be run?
 * @vm: address space
 * @addr: address
 *
 * Context: any but hard interrupt.
 * Return: true if something is, with %DRM_VGEM_SVM_BIND_NO_EXEC.
 */
bool vgem_svm_binds_no_exec(struct vgem_svm_vm *vm, u64 addr)
{
	struct drm_gpuva *va;

	guard(spinlock)(&vm->binds.va_lock);
	va = drm_gpuva_find_first(&vm->binds.gpuvm, addr, 1);
	return va && (to_vgem_svm_va(va)->flags & DRM_VGEM_SVM_BIND_NO_EXEC);
}
