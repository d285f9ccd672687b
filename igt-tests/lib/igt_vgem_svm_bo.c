// SPDX-License-Identifier: MIT
/*
 * Buffer objects, and address spaces that have nothing else.
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "igt.h"
#include "igt_vgem_svm_bo.h"

/* As the library's queues and programs have it. */
#define BATCH_BYTES	VGEM_SVM_PAGE
#define STACK_BYTES	(DRM_VGEM_SVM_RESIDENT_THREADS * 1024UL)
#define IMAGE_BYTES	(2 * VGEM_SVM_PAGE)

/* ---- ioctls ------------------------------------------------------------- */

int __vgem_svm_gem_create(int fd, uint64_t size, uint32_t *handle)
{
	struct drm_vgem_svm_gem_create args = { .size = size };
	int ret = __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_GEM_CREATE, &args);

	*handle = args.handle;
	return ret;
}

int __vgem_svm_gem_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return __vgem_svm_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

int __vgem_svm_gem_mmap(int fd, uint32_t handle, uint64_t *offset)
{
	struct drm_vgem_svm_gem_mmap args = { .handle = handle };
	int ret = __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_GEM_MMAP, &args);

	*offset = args.offset;
	return ret;
}

int __vgem_svm_vm_bind(int fd, uint32_t vm, const struct drm_vgem_svm_bind_op *ops,
		       uint32_t nr)
{
	struct drm_vgem_svm_vm_bind args = {
		.vm_id = vm,
		.nr_ops = nr,
		.op_stride = sizeof(*ops),
		.ops = VA(ops),
	};

	return __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_VM_BIND, &args);
}

int __vgem_svm_bind(const struct vgem_svm *s, const struct vgem_svm_bo *bo,
		    uint64_t offset, const void *addr, size_t length, uint32_t flags)
{
	struct drm_vgem_svm_bind_op op = {
		.op = DRM_VGEM_SVM_BIND_MAP,
		.flags = flags,
		.handle = bo->handle,
		.offset = offset,
		.addr = VA(addr),
		.length = length,
	};

	return __vgem_svm_vm_bind(s->fd, s->vm, &op, 1);
}

int __vgem_svm_unbind(const struct vgem_svm *s, const void *addr, size_t length)
{
	struct drm_vgem_svm_bind_op op = {
		.op = DRM_VGEM_SVM_BIND_UNMAP,
		.addr = VA(addr),
		.length = length,
	};

	return __vgem_svm_vm_bind(s->fd, s->vm, &op, 1);
}

void vgem_svm_bind(const struct vgem_svm *s, const struct vgem_svm_bo *bo,
		   uint64_t offset, const void *addr, size_t length, uint32_t flags)
{
	igt_assert_eq(__vgem_svm_bind(s, bo, offset, addr, length, flags), 0);
}

void vgem_svm_unbind(const struct vgem_svm *s, const void *addr, size_t length)
{
	igt_assert_eq(__vgem_svm_unbind(s, addr, length), 0);
}

void *vgem_svm_bind_addr(size_t length)
{
	/* Above all that user space has, where a mirror has nothing. */
	static uintptr_t next = 1UL << 52;
	void *addr = (void *)next;

	next += (length + 4 * VGEM_SVM_BLOCK) & -VGEM_SVM_BLOCK;
	return addr;
}

/* ---- objects ------------------------------------------------------------ */

void vgem_svm_bo_open(struct vgem_svm_bo *bo, int fd, uint32_t handle, size_t size)
{
	uint64_t offset;

	bo->fd = fd;
	bo->handle = handle;
	bo->size = size;
	igt_assert_eq(__vgem_svm_gem_mmap(fd, handle, &offset), 0);
	bo->cpu = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	igt_assert(bo->cpu != MAP_FAILED);
}

void vgem_svm_bo_init(struct vgem_svm_bo *bo, int fd, size_t size)
{
	uint32_t handle;

	igt_assert_eq(__vgem_svm_gem_create(fd, size, &handle), 0);
	igt_assert(handle);
	vgem_svm_bo_open(bo, fd, handle, size);
}

void vgem_svm_bo_fini(struct vgem_svm_bo *bo)
{
	igt_assert_eq(__vgem_svm_gem_close(bo->fd, bo->handle), 0);
	vgem_svm_unmap(bo->cpu, bo->size);
}

uint64_t *vgem_svm_bo_word(const struct vgem_svm_bo *bo, unsigned int page)
{
	return (uint64_t *)(bo->cpu + page * VGEM_SVM_PAGE);
}

/* ---- without a mirror --------------------------------------------------- */

/* The CPU sees at @addr what the device does. */
static void share(struct vgem_svm *s, struct vgem_svm_bo *bo, void *addr, size_t length)
{
	uint64_t offset;

	vgem_svm_bo_init(bo, s->fd, length);
	igt_assert_eq(__vgem_svm_gem_mmap(bo->fd, bo->handle, &offset), 0);
	igt_assert(mmap(addr, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			bo->fd, offset) == addr);
	vgem_svm_bind(s, bo, 0, addr, length, VGEM_SVM_BIND_RW);
}

void vgem_svm_room_init(struct vgem_svm_room *room, struct vgem_svm *s,
			struct vgem_svm_queue *q)
{
	void *image = (void *)(uintptr_t)vgem_svm_program(0);

	share(s, &room->batch, q->batch, BATCH_BYTES);
	share(s, &room->stack, q->stack, STACK_BYTES);
	/* Nobody writes programs: a copy will do. */
	vgem_svm_bo_init(&room->image, s->fd, IMAGE_BYTES);
	memcpy(room->image.cpu, image, IMAGE_BYTES);
	vgem_svm_bind(s, &room->image, 0, image, IMAGE_BYTES, DRM_VGEM_SVM_BIND_READ);
}

void vgem_svm_room_fini(struct vgem_svm_room *room, struct vgem_svm *s,
			struct vgem_svm_queue *q)
{
	vgem_svm_unbind(s, q->batch, BATCH_BYTES);
	vgem_svm_unbind(s, q->stack, STACK_BYTES);
	vgem_svm_bo_fini(&room->batch);
	vgem_svm_bo_fini(&room->stack);
	vgem_svm_bo_fini(&room->image);
}

void vgem_svm_bare_init(struct vgem_svm_bare *b, unsigned int index)
{
	vgem_svm_init(&b->s, index, DRM_VGEM_SVM_VM_NO_SVM);
	vgem_svm_room_init(&b->room, &b->s, &b->s.q);
}

void vgem_svm_bare_fini(struct vgem_svm_bare *b)
{
	vgem_svm_room_fini(&b->room, &b->s, &b->s.q);
	vgem_svm_fini(&b->s);
}
