// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What is bound is claimed from the mirror, if there is one: to the page, from before
 * its leaves are written until they are gone and flushed. All of it is done under
 * &vgem_svm_binds.lock; between two calls, what is claimed is what is bound.
 */

#include <drm/drm_svm_claim.h>

#include "vgem_svm_drv.h"

static u64 vgem_svm_va_last(const struct drm_gpuva *va)
{
	return va->va.addr + va->va.range - 1;
}

/**
 * vgem_svm_claims_take() - addresses are not the mirror's any more
 * @vm: address space, &vgem_svm_binds.lock held
 * @first: first byte, page aligned
 * @last: last byte, of a page
 *
 * Context: may sleep, as drm_svm_claim(); no dma_resv is held.
 * Return: 0; -EINTR, -ENOMEM, -ENOENT if the address space ends; then nothing has
 * changed.
 */
int vgem_svm_claims_take(struct vgem_svm_vm *vm, u64 first, u64 last)
{
	int ret;

	lockdep_assert_held(&vm->binds.lock);
	if (!vm->mirrors)
		return 0;
	ret = drm_svm_claim(&vm->table.view, first, last);
	return ret == -ESRCH ? -ENOENT : ret;
}

/**
 * vgem_svm_claims_undo() - where nothing is bound, addresses are the mirror's again
 * @vm: address space, &vgem_svm_binds.lock held
 * @first: first byte of what has been taken
 * @last: last byte
 *
 * Context: may sleep.
 */
void vgem_svm_claims_undo(struct vgem_svm_vm *vm, u64 first, u64 last)
{
	struct drm_gpuva *va;

	lockdep_assert_held(&vm->binds.lock);
	if (!vm->mirrors)
		return;
	drm_gpuvm_for_each_va_range(va, &vm->binds.gpuvm, first, last + 1) {
		if (va->va.addr > first)
			drm_svm_unclaim(&vm->table.view, first, va->va.addr - 1);
		if (vgem_svm_va_last(va) >= last)
			return;
		first = vgem_svm_va_last(va) + 1;
	}
	drm_svm_unclaim(&vm->table.view, first, last);
}

/* Of what is not bound any more, the part that was asked for. */
static void vgem_svm_claims_each(struct vgem_svm_vm *vm,
				 const struct vgem_svm_va_change *change, u64 first,
				 u64 last,
				 void (*fn)(struct drm_svm_view *view, u64 first,
					    u64 last))
{
	struct vgem_svm_va *va;

	lockdep_assert_held(&vm->binds.lock);
	if (!vm->mirrors)
		return;
	list_for_each_entry(va, &change->gone, node)
		fn(&vm->table.view, max(first, va->base.va.addr),
		   min(last, vgem_svm_va_last(&va->base)));
}

/**
 * vgem_svm_claims_leave() - what was bound is about to be the mirror's
 * @vm: address space, &vgem_svm_binds.lock held
 * @change: what is not bound any more, of
 * @first: first byte
 * @last: last byte
 *
 * Context: may sleep.
 */
void vgem_svm_claims_leave(struct vgem_svm_vm *vm,
			   const struct vgem_svm_va_change *change, u64 first,
			   u64 last)
{
	vgem_svm_claims_each(vm, change, first, last, drm_svm_unclaim_begin);
}

/**
 * vgem_svm_claims_left() - and it is, its leaves being gone and flushed
 * @vm: address space, &vgem_svm_binds.lock held
 * @change: what is not bound any more, of
 * @first: first byte
 * @last: last byte
 *
 * Context: may sleep.
 */
void vgem_svm_claims_left(struct vgem_svm_vm *vm,
			  const struct vgem_svm_va_change *change, u64 first,
			  u64 last)
{
	vgem_svm_claims_each(vm, change, first, last, drm_svm_unclaim);
}
