// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: VM_BIND
 *
 * A call is an array of operations that do not overlap, so their order is of no
 * importance, and they are done as one: first all that may fail is done for all of
 * them, and then none can. What may fail: every field is looked at; objects are looked
 * up; room is made for what drm_gpuvm is to know; addresses are claimed from the
 * mirror; tables that leaves go into are made and kept; large leaves are split where an
 * unbind begins or ends; objects are mapped for the device. An error there leaves
 * everything as it was for the program. What may stay is that a large leaf is several
 * small ones, and that the process's memory comes back by fault.
 *
 * A device that has been stopped because it did not answer fails later too. Nothing
 * runs there any more then; what is bound is what was asked for.
 *
 * Locks, from the outside: &vgem_svm_vm.sem (read), &vgem_svm_binds.lock, then what
 * drm_svm_claim() waits for, or dma_resv of objects by drm_exec, and below them what
 * drm_gpt takes. User memory is read before all of them. No dma_resv is held while
 * leaves are written and TLBs flushed: the device can be waited for there, and nobody
 * else.
 *
 * Leaves are replaced in place: of two objects bound one after the other at an
 * address, the device finds either, and when the call returns the new one.
 */

#include <linux/bitfield.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_exec.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vgem_svm_drv.h"

#define VGEM_SVM_BIND_FLAGS	(DRM_VGEM_SVM_BIND_READ | DRM_VGEM_SVM_BIND_WRITE | \
				 DRM_VGEM_SVM_BIND_NO_EXEC | \
				 DRM_VGEM_SVM_BIND_UNCACHED)

/**
 * struct vgem_svm_bind - an operation
 * @args: what was asked for
 * @obj: MAP: object, referenced
 * @bo: MAP: the same in the address space, referenced
 * @change: for drm_gpuvm
 * @claimed: MAP: its addresses are not the mirror's
 * @pins: MAP: tables
 */
struct vgem_svm_bind {
	struct drm_vgem_svm_bind_op args;
	struct drm_gem_object *obj;
	struct drm_gpuvm_bo *bo;
	struct vgem_svm_va_change change;
	bool claimed;
	struct vgem_svm_pins pins;
};

/**
 * struct vgem_svm_bind_call - a call
 * @drm: device
 * @vm: address space, once it has been entered
 * @nr: number of @op
 * @op: operations
 */
struct vgem_svm_bind_call {
	struct drm_device *drm;
	struct vgem_svm_vm *vm;
	u32 nr;
	struct vgem_svm_bind op[] __counted_by(nr);
};

static u64 vgem_svm_bind_last(const struct vgem_svm_bind *op)
{
	return op->args.addr + op->args.length - 1;
}

static bool vgem_svm_bind_maps(const struct vgem_svm_bind *op)
{
	return op->args.op == DRM_VGEM_SVM_BIND_MAP;
}

/* ---- what was asked for ------------------------------------------------- */

static int vgem_svm_bind_check_map(struct drm_device *drm,
				   const struct drm_vgem_svm_bind_op *op)
{
	if (op->flags & ~VGEM_SVM_BIND_FLAGS || !(op->flags & DRM_VGEM_SVM_BIND_READ))
		return vgem_svm_bad(drm, "flags");
	if (!PAGE_ALIGNED(op->offset) || op->offset + op->length < op->length)
		return vgem_svm_bad(drm, "offset");
	return 0;
}

static int vgem_svm_bind_check_unmap(struct drm_device *drm,
				     const struct drm_vgem_svm_bind_op *op)
{
	if (op->flags)
		return vgem_svm_bad(drm, "flags");
	if (op->handle)
		return vgem_svm_bad(drm, "handle");
	if (op->offset)
		return vgem_svm_bad(drm, "offset");
	return 0;
}

static int vgem_svm_bind_check_op(struct drm_device *drm,
				  const struct drm_vgem_svm_bind_op *op)
{
	if (op->op > DRM_VGEM_SVM_BIND_UNMAP)
		return vgem_svm_bad(drm, "op");
	if (op->pad)
		return vgem_svm_bad(drm, "pad");
	if (!PAGE_ALIGNED(op->addr) || op->addr >= BIT_ULL(VGEM_SVM_VA_BITS))
		return vgem_svm_bad(drm, "addr");
	if (!op->length || !PAGE_ALIGNED(op->length) ||
	    op->length > BIT_ULL(VGEM_SVM_VA_BITS) - op->addr)
		return vgem_svm_bad(drm, "length");
	return op->op == DRM_VGEM_SVM_BIND_MAP ? vgem_svm_bind_check_map(drm, op) :
						 vgem_svm_bind_check_unmap(drm, op);
}

static bool vgem_svm_bind_overlaps(const struct vgem_svm_bind *a,
				   const struct vgem_svm_bind *b)
{
	return a->args.addr <= vgem_svm_bind_last(b) &&
	       b->args.addr <= vgem_svm_bind_last(a);
}

static int vgem_svm_bind_check_overlaps(struct vgem_svm_bind_call *call)
{
	u32 i, k;

	for (i = 0; i < call->nr; i++)
		for (k = 0; k < i; k++)
			if (vgem_svm_bind_overlaps(&call->op[i], &call->op[k]))
				return vgem_svm_bad(call->drm,
						    "addr: operations overlap");
	return 0;
}

static int vgem_svm_bind_find(struct vgem_svm_bind_call *call,
			      struct drm_file *file, struct vgem_svm_bind *op)
{
	const struct drm_vgem_svm_bind_op *args = &op->args;

	if (!vgem_svm_bind_maps(op))
		return 0;
	op->obj = drm_gem_object_lookup(file, args->handle);
	if (!op->obj) {
		drm_dbg(call->drm, "no object has handle %u\n", args->handle);
		return -ENOENT;
	}
	if (args->offset + args->length > op->obj->size)
		return vgem_svm_bad(call->drm, "length: beyond the object");
	return 0;
}

static int vgem_svm_bind_copy(struct vgem_svm_bind_call *call,
			      struct drm_file *file,
			      const struct drm_vgem_svm_vm_bind *args)
{
	u64 from = args->ops;
	u32 i;
	int ret = 0;

	for (i = 0; !ret && i < call->nr; i++, from += args->op_stride) {
		struct vgem_svm_bind *op = &call->op[i];

		INIT_LIST_HEAD(&op->change.fresh);
		INIT_LIST_HEAD(&op->change.gone);
		ret = copy_struct_from_user(&op->args, sizeof(op->args),
					    u64_to_user_ptr(from),
					    args->op_stride);
		ret = ret ?: vgem_svm_bind_check_op(call->drm, &op->args);
		ret = ret ?: vgem_svm_bind_find(call, file, op);
	}
	return ret ?: vgem_svm_bind_check_overlaps(call);
}

/* ---- what may fail ------------------------------------------------------ */

/* For what is left of what is bound there, if something will be. */
static int vgem_svm_bind_rest(struct vgem_svm_vm *vm, u64 addr,
			      struct vgem_svm_va **rest)
{
	struct vgem_svm_va *va;

	if (!vgem_svm_binds_crosses(vm, addr))
		return 0;
	va = vgem_svm_va_new(vm);
	if (IS_ERR(va))
		return PTR_ERR(va);
	*rest = va;
	return 0;
}

static int vgem_svm_bind_prepare_map(struct vgem_svm_vm *vm,
				     struct vgem_svm_bind *op)
{
	struct vgem_svm_va *va = vgem_svm_va_new(vm);
	int ret;

	if (IS_ERR(va))
		return PTR_ERR(va);
	op->change.map = va;
	va->flags = op->args.flags;
	op->bo = vgem_svm_binds_obtain(vm, op->obj);
	if (!op->bo)
		return -ENOMEM;
	va->bo = op->bo;
	ret = vgem_svm_claims_take(vm, op->args.addr, vgem_svm_bind_last(op));
	if (ret)
		return ret;
	op->claimed = true;
	return vgem_svm_pins_init(&op->pins, &vm->gpt, op->args.addr,
				  vgem_svm_bind_last(op));
}

/* Where nothing is bound across, it may be the mirror's: not ours to split. */
static int vgem_svm_bind_prepare_unmap(struct vgem_svm_vm *vm,
				       struct vgem_svm_bind *op)
{
	int ret = 0;

	if (op->change.prev)
		ret = drm_gpt_split(&vm->gpt, op->args.addr, NULL,
				    GFP_KERNEL_ACCOUNT);
	if (!ret && op->change.next)
		ret = drm_gpt_split(&vm->gpt, vgem_svm_bind_last(op) + 1, NULL,
				    GFP_KERNEL_ACCOUNT);
	return ret;
}

static int vgem_svm_bind_prepare(struct vgem_svm_vm *vm, struct vgem_svm_bind *op)
{
	int ret;

	ret = vgem_svm_bind_rest(vm, op->args.addr, &op->change.prev);
	ret = ret ?: vgem_svm_bind_rest(vm, vgem_svm_bind_last(op) + 1,
					&op->change.next);
	if (ret)
		return ret;
	return vgem_svm_bind_maps(op) ? vgem_svm_bind_prepare_map(vm, op) :
					vgem_svm_bind_prepare_unmap(vm, op);
}

static int vgem_svm_bind_lock_objects(struct vgem_svm_bind_call *call,
				      struct drm_exec *exec)
{
	u32 i;
	int ret;

	drm_exec_until_all_locked(exec) {
		for (i = 0; i < call->nr; i++) {
			if (!call->op[i].obj)
				continue;
			ret = drm_exec_lock_obj(exec, call->op[i].obj);
			drm_exec_retry_on_contention(exec);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Objects that are not bound in the end are let go with the last of their @bo. */
static int vgem_svm_bind_use_objects(struct vgem_svm_bind_call *call)
{
	struct drm_exec exec;
	u32 i;
	int ret;

	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT |
			     DRM_EXEC_IGNORE_DUPLICATES, call->nr);
	ret = vgem_svm_bind_lock_objects(call, &exec);
	for (i = 0; !ret && i < call->nr; i++)
		if (call->op[i].bo)
			ret = vgem_svm_binds_use(call->op[i].bo);
	drm_exec_fini(&exec);
	return ret;
}

/* ---- what cannot -------------------------------------------------------- */

/* The attributes are bits, too. */
static_assert((VGEM_SVM_ATTR_NO_EXEC | VGEM_SVM_ATTR_UNCACHED) ==
	      VGEM_SVM_ATTR_NO_EXEC_UNCACHED);

static u64 vgem_svm_bind_leaf(u32 flags)
{
	u64 leaf = DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_SYSTEM;
	enum vgem_svm_attr attr = VGEM_SVM_ATTR_PLAIN;

	if (flags & DRM_VGEM_SVM_BIND_NO_EXEC)
		attr |= VGEM_SVM_ATTR_NO_EXEC;
	if (flags & DRM_VGEM_SVM_BIND_UNCACHED)
		attr |= VGEM_SVM_ATTR_UNCACHED;
	leaf |= FIELD_PREP(DRM_GPT_LEAF_ATTR, attr);
	if (flags & DRM_VGEM_SVM_BIND_WRITE)
		leaf |= DRM_GPT_LEAF_WRITE | DRM_GPT_LEAF_ATOMIC;
	return leaf;
}

/* The leaves of all that is bound; they are waited for together. */
static int vgem_svm_bind_write(struct vgem_svm_bind_call *call)
{
	struct vgem_svm_vm *vm = call->vm;
	int ret = 0;
	u64 seq = 0;
	u32 i;

	for (i = 0; !ret && i < call->nr; i++) {
		struct vgem_svm_bind *op = &call->op[i];

		if (vgem_svm_bind_maps(op))
			ret = vgem_svm_leaves_write(vm, &op->pins, op->args.addr,
						    vgem_svm_bind_last(op),
						    to_vgem_svm_gem(op->obj)->sgt,
						    op->args.offset,
						    vgem_svm_bind_leaf(op->args.flags),
						    &seq);
	}
	return ret ?: drm_gpt_wait(&vm->gpt, seq);
}

static void vgem_svm_bind_map(struct vgem_svm_vm *vm, struct vgem_svm_bind *op)
{
	const struct drm_gpuva_op_map map = {
		.va.addr = op->args.addr,
		.va.range = op->args.length,
		.gem.obj = op->obj,
		.gem.offset = op->args.offset,
	};

	vgem_svm_binds_map(vm, &op->change, &map);
	if (!list_empty(&op->change.gone))
		vgem_svm_leaves_flush(vm, op->args.addr, vgem_svm_bind_last(op));
	vgem_svm_binds_settle(vm, &op->change);
}

/* First it is not known any more: a fault that finds it waits for nothing. */
static void vgem_svm_bind_unmap(struct vgem_svm_vm *vm, struct vgem_svm_bind *op)
{
	u64 first = op->args.addr, last = vgem_svm_bind_last(op);

	vgem_svm_binds_unmap(vm, &op->change, first, op->args.length);
	if (list_empty(&op->change.gone))
		return;
	vgem_svm_claims_leave(vm, &op->change, first, last);
	vgem_svm_leaves_zap(vm, first, last);
	vgem_svm_claims_left(vm, &op->change, first, last);
	vgem_svm_binds_settle(vm, &op->change);
}

static int vgem_svm_bind_run(struct vgem_svm_bind_call *call)
{
	int ret = vgem_svm_bind_write(call);
	u32 i;

	for (i = 0; i < call->nr; i++) {
		if (vgem_svm_bind_maps(&call->op[i]))
			vgem_svm_bind_map(call->vm, &call->op[i]);
		else
			vgem_svm_bind_unmap(call->vm, &call->op[i]);
	}
	return ret;
}

/* ---- the ioctl ---------------------------------------------------------- */

/* What was taken and not used. */
static void vgem_svm_bind_release(struct vgem_svm_bind_call *call)
{
	u32 i;

	for (i = 0; i < call->nr; i++) {
		struct vgem_svm_bind *op = &call->op[i];

		vgem_svm_pins_fini(&op->pins);
		vgem_svm_va_free(call->vm, op->change.map);
		vgem_svm_va_free(call->vm, op->change.prev);
		vgem_svm_va_free(call->vm, op->change.next);
		if (op->bo)
			drm_gpuvm_bo_put_deferred(op->bo);
	}
	drm_gpuvm_bo_deferred_cleanup(&call->vm->binds.gpuvm);
}

static void vgem_svm_bind_unclaim(struct vgem_svm_bind_call *call)
{
	u32 i;

	for (i = 0; i < call->nr; i++)
		if (call->op[i].claimed)
			vgem_svm_claims_undo(call->vm, call->op[i].args.addr,
					     vgem_svm_bind_last(&call->op[i]));
}

static int vgem_svm_bind_locked(struct vgem_svm_bind_call *call)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < call->nr; i++)
		if (vgem_svm_userptrs_overlap(call->vm, call->op[i].args.addr,
					      vgem_svm_bind_last(&call->op[i])))
			return -EEXIST;
	for (i = 0; !ret && i < call->nr; i++)
		ret = vgem_svm_bind_prepare(call->vm, &call->op[i]);
	ret = ret ?: vgem_svm_bind_use_objects(call);
	if (ret)
		vgem_svm_bind_unclaim(call);
	else
		ret = vgem_svm_bind_run(call);
	vgem_svm_bind_release(call);
	return ret;
}

static int vgem_svm_bind_enter(struct vgem_svm_bind_call *call,
			       struct drm_file *file, u32 vm_id)
{
	struct vgem_svm_vm *vm = vgem_svm_vm_enter(file, vm_id);
	int ret;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	call->vm = vm;
	ret = mutex_lock_interruptible(&vm->binds.lock);
	if (!ret) {
		ret = vgem_svm_bind_locked(call);
		mutex_unlock(&vm->binds.lock);
	}
	vgem_svm_vm_leave(vm);
	return ret;
}

static int vgem_svm_bind_check(struct drm_device *drm,
			       const struct drm_vgem_svm_vm_bind *args)
{
	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	if (!args->nr_ops || args->nr_ops > DRM_VGEM_SVM_MAX_BINDS)
		return vgem_svm_bad(drm, "nr_ops");
	if (!vgem_svm_stride_ok(args->op_stride,
				sizeof(struct drm_vgem_svm_bind_op)))
		return vgem_svm_bad(drm, "op_stride");
	return 0;
}

int vgem_svm_vm_bind_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file)
{
	struct drm_vgem_svm_vm_bind *args = data;
	struct vgem_svm_bind_call *call;
	u32 i;
	int ret;

	ret = vgem_svm_bind_check(drm, args);
	if (ret)
		return ret;
	call = kvzalloc_flex(*call, op, args->nr_ops, GFP_KERNEL_ACCOUNT);
	if (!call)
		return -ENOMEM;
	call->drm = drm;
	call->nr = args->nr_ops;
	ret = vgem_svm_bind_copy(call, file, args);
	ret = ret ?: vgem_svm_bind_enter(call, file, args->vm_id);
	for (i = 0; i < call->nr; i++)
		if (call->op[i].obj)
			drm_gem_object_put(call->op[i].obj);
	kvfree(call);
	return ret;
}
