/* SPDX-License-Identifier: MIT */
#ifndef IGT_VGEM_SVM_BO_H
#define IGT_VGEM_SVM_BO_H

/*
 * Buffer objects, and address spaces that have nothing else.
 */

#include <stddef.h>
#include <stdint.h>

#include "igt_vgem_svm.h"

#define VGEM_SVM_BIND_RW	(DRM_VGEM_SVM_BIND_READ | DRM_VGEM_SVM_BIND_WRITE)

/**
 * struct vgem_svm_bo - a buffer object
 * @fd: device
 * @handle: handle
 * @size: bytes
 * @cpu: where the CPU has it mapped
 */
struct vgem_svm_bo {
	int fd;
	uint32_t handle;
	size_t size;
	uint8_t *cpu;
};

/**
 * struct vgem_svm_room - what a queue needs
 * @batch: batches
 * @stack: stacks
 * @image: programs
 */
struct vgem_svm_room {
	struct vgem_svm_bo batch;
	struct vgem_svm_bo stack;
	struct vgem_svm_bo image;
};

/**
 * struct vgem_svm_bare - an address space without a mirror, and a queue
 * @s: they
 * @room: what the queue needs, bound where the library has it
 */
struct vgem_svm_bare {
	struct vgem_svm s;
	struct vgem_svm_room room;
};

int __vgem_svm_gem_create(int fd, uint64_t size, uint32_t *handle);
int __vgem_svm_gem_close(int fd, uint32_t handle);
int __vgem_svm_gem_mmap(int fd, uint32_t handle, uint64_t *offset);
int __vgem_svm_vm_bind(int fd, uint32_t vm, const struct drm_vgem_svm_bind_op *ops,
		       uint32_t nr);

void vgem_svm_bo_init(struct vgem_svm_bo *bo, int fd, size_t size);
/* Of a handle; the CPU maps it too. */
void vgem_svm_bo_open(struct vgem_svm_bo *bo, int fd, uint32_t handle, size_t size);
void vgem_svm_bo_fini(struct vgem_svm_bo *bo);
uint64_t *vgem_svm_bo_word(const struct vgem_svm_bo *bo, unsigned int page);

int __vgem_svm_bind(const struct vgem_svm *s, const struct vgem_svm_bo *bo,
		    uint64_t offset, const void *addr, size_t length, uint32_t flags);
int __vgem_svm_unbind(const struct vgem_svm *s, const void *addr, size_t length);
/* The same, asserting. */
void vgem_svm_bind(const struct vgem_svm *s, const struct vgem_svm_bo *bo,
		   uint64_t offset, const void *addr, size_t length, uint32_t flags);
void vgem_svm_unbind(const struct vgem_svm *s, const void *addr, size_t length);

/* An address at which nothing is, aligned to 2 MiB; never given twice. */
void *vgem_svm_bind_addr(size_t length);

/* Has a queue work without a mirror: its pages become those of @room. */
void vgem_svm_room_init(struct vgem_svm_room *room, struct vgem_svm *s,
			struct vgem_svm_queue *q);
/* Unbound, but for the programs, which others may use. */
void vgem_svm_room_fini(struct vgem_svm_room *room, struct vgem_svm *s,
			struct vgem_svm_queue *q);
void vgem_svm_bare_init(struct vgem_svm_bare *b, unsigned int index);
void vgem_svm_bare_fini(struct vgem_svm_bare *b);

#endif
