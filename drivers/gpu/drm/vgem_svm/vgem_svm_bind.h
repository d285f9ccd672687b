/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _VGEM_SVM_BIND_H_
#define _VGEM_SVM_BIND_H_

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_gpt.h>
#include <drm/drm_gpuvm.h>
#include <uapi/drm/vgem_svm_drm.h>

struct drm_file;
struct sg_table;
struct vgem_svm_user;
struct vgem_svm_vm;

/**
 * struct vgem_svm_gem - a buffer object
 * @shmem: its memory, or what was imported
 * @user: whom its pages are counted for, referenced; NULL until they are
 * @uses: address spaces that it is bound in; under its dma_resv, as is:
 * @sgt: where the device finds it; while there are @uses
 */
struct vgem_svm_gem {
	struct drm_gem_shmem_object shmem;
	struct vgem_svm_user *user;
	u32 uses;
	struct sg_table *sgt;
};

static inline struct vgem_svm_gem *to_vgem_svm_gem(struct drm_gem_object *obj)
{
	return container_of(obj, struct vgem_svm_gem, shmem.base);
}

/**
 * struct vgem_svm_va - addresses that a buffer object is bound at
 * @base: drm_gpuvm's
 * @node: in a list of &struct vgem_svm_va_change
 * @bo: what @base belongs to, before it is linked there
 * @flags: DRM_VGEM_SVM_BIND_*
 */
struct vgem_svm_va {
	struct drm_gpuva base;
	struct list_head node;
	struct drm_gpuvm_bo *bo;
	u32 flags;
};

static inline struct vgem_svm_va *to_vgem_svm_va(struct drm_gpuva *va)
{
	return container_of(va, struct vgem_svm_va, base);
}

/**
 * struct vgem_svm_va_change - what is needed to bind or unbind, and what came of it
 * @map: for what is bound
 * @prev: for what is left before it of what was bound there, or NULL if nothing is
 * @next: behind it
 * @fresh: what is bound now
 * @gone: what was
 */
struct vgem_svm_va_change {
	struct vgem_svm_va *map;
	struct vgem_svm_va *prev;
	struct vgem_svm_va *next;
	struct list_head fresh;
	struct list_head gone;
};

/**
 * struct vgem_svm_binds - what is bound in an address space
 * @gpuvm: who knows; its tree is written under both locks
 * @lock: one change at a time; outside of mmap_lock and of each dma_resv
 * @va_lock: for who looks an address up and may wait for nobody
 */
struct vgem_svm_binds {
	struct drm_gpuvm gpuvm;
	struct mutex lock;
	spinlock_t va_lock;
};

/**
 * struct vgem_svm_pins - tables that leaves can be written to without an allocation
 * @nr: number of @up
 * @up: they keep the tables
 * @leaves: scratch for one table
 */
struct vgem_svm_pins {
	u32 nr;
	struct drm_gpt_update *up;
	u64 *leaves;
};

/* buffer objects */
struct drm_gem_object *vgem_svm_gem_create_object(struct drm_device *drm,
						  size_t size);
struct drm_gem_object *vgem_svm_gem_import(struct drm_device *drm,
					   struct dma_buf *dma_buf);
int vgem_svm_gem_dumb_create(struct drm_file *file, struct drm_device *drm,
			     struct drm_mode_create_dumb *args);
int vgem_svm_gem_use(struct vgem_svm_gem *gem);
void vgem_svm_gem_unuse(struct vgem_svm_gem *gem);
int vgem_svm_gem_create_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file);
int vgem_svm_gem_mmap_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);

/* what is bound where */
int vgem_svm_binds_init(struct vgem_svm_vm *vm);
void vgem_svm_binds_fini(struct vgem_svm_vm *vm);
struct vgem_svm_va *vgem_svm_va_new(struct vgem_svm_vm *vm);
void vgem_svm_va_free(struct vgem_svm_vm *vm, struct vgem_svm_va *va);
bool vgem_svm_binds_crosses(struct vgem_svm_vm *vm, u64 addr);
struct drm_gpuvm_bo *vgem_svm_binds_obtain(struct vgem_svm_vm *vm,
					   struct drm_gem_object *obj);
int vgem_svm_binds_use(struct drm_gpuvm_bo *bo);
void vgem_svm_binds_map(struct vgem_svm_vm *vm, struct vgem_svm_va_change *change,
			const struct drm_gpuva_op_map *map);
void vgem_svm_binds_unmap(struct vgem_svm_vm *vm, struct vgem_svm_va_change *change,
			  u64 addr, u64 length);
void vgem_svm_binds_settle(struct vgem_svm_vm *vm,
			   struct vgem_svm_va_change *change);
int vgem_svm_binds_access(struct vgem_svm_vm *vm, u64 addr, bool write);
bool vgem_svm_binds_no_exec(struct vgem_svm_vm *vm, u64 addr);

/* leaves of what is bound */
int vgem_svm_pins_init(struct vgem_svm_pins *pins, struct drm_gpt *gpt, u64 first,
		       u64 last);
void vgem_svm_pins_fini(struct vgem_svm_pins *pins);
int vgem_svm_leaves_write(struct vgem_svm_vm *vm, struct vgem_svm_pins *pins,
			  u64 first, u64 last, struct sg_table *sgt, u64 offset,
			  u64 leaf, u64 *seq);
int vgem_svm_leaves_commit(struct drm_gpt *gpt, u64 first, u64 last,
			   const u64 *leaves, drm_gpt_valid_fn valid, void *data,
			   u64 *seq);
void vgem_svm_leaves_zap(struct vgem_svm_vm *vm, u64 first, u64 last);
void vgem_svm_leaves_flush(struct vgem_svm_vm *vm, u64 first, u64 last);

/* what is bound is not the mirror's */
int vgem_svm_claims_take(struct vgem_svm_vm *vm, u64 first, u64 last);
void vgem_svm_claims_undo(struct vgem_svm_vm *vm, u64 first, u64 last);
void vgem_svm_claims_leave(struct vgem_svm_vm *vm,
			   const struct vgem_svm_va_change *change, u64 first,
			   u64 last);
void vgem_svm_claims_left(struct vgem_svm_vm *vm,
			  const struct vgem_svm_va_change *change, u64 first,
			  u64 last);

int vgem_svm_vm_bind_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file);

#endif /* _VGEM_SVM_BIND_H_ */
