/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _VGEM_SVM_USERPTR_H_
#define _VGEM_SVM_USERPTR_H_

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/drm_svm.h>
#include <drm/drm_svm_restore.h>

struct drm_device;
struct drm_file;
struct vgem_svm_fence;
struct vgem_svm_queue;
struct vgem_svm_userptrs_job;
struct vgem_svm_vm;

/**
 * struct vgem_svm_userptrs - memory of the process that is bound in an address space
 * @there: there may be any
 * @svm: follows that memory, if @there
 * @restore: all that is bound, brought back together
 * @job: for whom it is; under &vgem_svm_binds.lock
 * @lock: guards @list for who looks an address up and may wait for nobody
 * @list: struct vgem_svm_userptr; written under &vgem_svm_binds.lock too
 * @revoked: how often one was taken from the device
 * @restored: how often one was given to it
 */
struct vgem_svm_userptrs {
	bool there;
	struct drm_svm svm;
	struct drm_svm_restore restore;
	struct vgem_svm_userptrs_job *job;
	spinlock_t lock; /* list */
	struct list_head list;
	atomic64_t revoked;
	atomic64_t restored;
};

int vgem_svm_userptrs_init(struct vgem_svm_vm *vm, u32 flags);
void vgem_svm_userptrs_interrupt(struct vgem_svm_vm *vm);
void vgem_svm_userptrs_fini(struct vgem_svm_vm *vm);
bool vgem_svm_userptrs_overlap(struct vgem_svm_vm *vm, u64 first, u64 last);
int vgem_svm_userptrs_access(struct vgem_svm_vm *vm, u64 addr, bool write);
int vgem_svm_userptrs_ready(struct vgem_svm_vm *vm, struct vgem_svm_queue *queue,
			    struct vgem_svm_fence **fence);
int vgem_svm_userptr_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file);

#endif /* _VGEM_SVM_USERPTR_H_ */
