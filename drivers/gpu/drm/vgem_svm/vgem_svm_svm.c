// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The ioctls that hand a question or a request on to drm_svm.
 */

#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "../svm/drm_svm_planted.h"
#include "vgem_svm_drv.h"

/*
 * Elements of what the caller's header and this kernel each know: those of the
 * kernel may be shorter or longer.
 */
static int vgem_svm_copy_array_to_user(u8 __user *out, u32 stride,
				       const void *from, u32 bytes, u32 n)
{
	int ret = 0;
	u32 i;

	if (stride == bytes)
		return copy_to_user(out, from, (size_t)n * bytes) ? -EFAULT : 0;
	for (i = 0; i < n && !ret; i++, out += stride, from += bytes)
		ret = copy_struct_to_user(out, stride, from, bytes, NULL);
	return ret;
}

/* Pages that RESIDENCY looks at in one go. */
#define VGEM_SVM_RESIDENCY_CHUNK	4096UL

static bool vgem_svm_range_ok(u64 addr, u64 length)
{
	return length && PAGE_ALIGNED(addr) && PAGE_ALIGNED(length) &&
	       addr + length > addr && addr + length <= TASK_SIZE;
}

/* An address space that is being closed is as good as none. */
static int vgem_svm_gone(int ret)
{
	return ret == -ESRCH ? -ENOENT : ret;
}

static enum drm_svm_location vgem_svm_location(u64 value)
{
	switch (value) {
	case DRM_VGEM_SVM_LOC_SYSTEM:
		return DRM_SVM_LOC_SYSTEM;
	case DRM_VGEM_SVM_LOC_DEVICE:
		return DRM_SVM_LOC_DEVICE;
	default:
		return DRM_SVM_LOC_DEFAULT;
	}
}

int vgem_svm_migrate_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file)
{
	struct drm_vgem_svm_migrate *args = data;
	struct drm_svm_migrate_result result;
	struct vgem_svm_vm *vm;
	int ret;

	if (args->flags & ~DRM_VGEM_SVM_MIGRATE_POPULATE)
		return vgem_svm_bad(drm, "flags");
	if (args->pad)
		return vgem_svm_bad(drm, "pad");
	if (args->location != DRM_VGEM_SVM_LOC_DEVICE &&
	    (args->flags || args->location != DRM_VGEM_SVM_LOC_SYSTEM))
		return vgem_svm_bad(drm, "location");
	if (!vgem_svm_range_ok(args->addr, args->length))
		return vgem_svm_bad(drm, "addr or length");
	vm = vgem_svm_vm_enter_svm(file, args->vm_id);
	if (IS_ERR(vm))
		return PTR_ERR(vm);

	ret = drm_svm_migrate(&vm->svm, args->addr,
			      args->addr + args->length - 1,
			      vgem_svm_location(args->location),
			      args->flags ? DRM_SVM_MIGRATE_POPULATE : 0,
			      &result);
	if (!ret) {
		args->moved = result.moved;
		args->there = result.there;
		args->failed = result.failed;
	}
	vgem_svm_vm_leave(vm);
	return vgem_svm_gone(ret);
}

static int vgem_svm_attr_check(struct drm_device *drm,
			       const struct drm_vgem_svm_attr *args)
{
	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	if (args->pad)
		return vgem_svm_bad(drm, "pad");
	if (args->attr != DRM_VGEM_SVM_ATTR_PREFERRED_LOC)
		return vgem_svm_bad(drm, "attr");
	if (!vgem_svm_range_ok(args->addr, args->length))
		return vgem_svm_bad(drm, "addr or length");
	return 0;
}

int vgem_svm_attr_set_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	struct drm_vgem_svm_attr *args = data;
	struct vgem_svm_vm *vm;
	int ret;

	ret = vgem_svm_attr_check(drm, args);
	if (ret)
		return ret;
	if (args->value > DRM_VGEM_SVM_LOC_DEVICE)
		return vgem_svm_bad(drm, "value");
	vm = vgem_svm_vm_enter_svm(file, args->vm_id);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	ret = drm_svm_set_preferred(&vm->svm, args->addr,
				    args->addr + args->length - 1,
				    vgem_svm_location(args->value));
	vgem_svm_vm_leave(vm);
	return ret;
}

int vgem_svm_attr_get_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	struct drm_vgem_svm_attr *args = data;
	enum drm_svm_location location;
	struct vgem_svm_vm *vm;
	int ret;

	ret = vgem_svm_attr_check(drm, args);
	if (ret)
		return ret;
	if (args->length != PAGE_SIZE)
		return vgem_svm_bad(drm, "length");
	vm = vgem_svm_vm_enter_svm(file, args->vm_id);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	drm_svm_get_preferred(&vm->svm, args->addr, &location);
	args->value = location == DRM_SVM_LOC_DEVICE ? DRM_VGEM_SVM_LOC_DEVICE :
		      location == DRM_SVM_LOC_SYSTEM ? DRM_VGEM_SVM_LOC_SYSTEM :
						       DRM_VGEM_SVM_LOC_DEFAULT;
	vgem_svm_vm_leave(vm);
	return 0;
}

static int vgem_svm_residency_chunk(struct vgem_svm_vm *vm, u64 addr, u64 pages,
				    u8 *buf)
{
	int ret = vgem_svm_vm_use(vm);

	if (ret)
		return ret;
	ret = drm_svm_residency(&vm->svm, addr, addr + (pages << PAGE_SHIFT) - 1,
				buf);
	vgem_svm_vm_unuse(vm);
	return vgem_svm_gone(ret);
}

/* The caller's memory may be held up by whom it likes: nobody waits for that. */
static int vgem_svm_residency(struct vgem_svm_vm *vm,
			      const struct drm_vgem_svm_residency *args)
{
	u8 __user *out = u64_to_user_ptr(args->pages);
	u64 pages = args->length >> PAGE_SHIFT, addr = args->addr;
	u8 *buf;
	int ret = 0;

	buf = kvmalloc(min(pages, VGEM_SVM_RESIDENCY_CHUNK), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	while (pages && !ret) {
		u64 now = min(pages, VGEM_SVM_RESIDENCY_CHUNK);

		ret = vgem_svm_residency_chunk(vm, addr, now, buf);
		ret = ret ?: vgem_svm_copy_array_to_user(out, args->stride, buf,
							 1, now);
		addr += now << PAGE_SHIFT;
		out += now * args->stride;
		pages -= now;
	}
	kvfree(buf);
	return ret;
}

int vgem_svm_residency_ioctl(struct drm_device *drm, void *data,
			     struct drm_file *file)
{
	struct drm_vgem_svm_residency *args = data;
	struct vgem_svm_vm *vm;
	int ret;

	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	if (args->pad)
		return vgem_svm_bad(drm, "pad");
	if (!vgem_svm_range_ok(args->addr, args->length) ||
	    args->length > VGEM_SVM_RESIDENCY_BYTES)
		return vgem_svm_bad(drm, "addr or length");
	if (!vgem_svm_stride_ok(args->stride, 1))
		return vgem_svm_bad(drm, "stride");
	vm = vgem_svm_file_find_vm(file->driver_priv, args->vm_id);
	if (!vm)
		return -ENOENT;
	/* Whether there is a mirror is known without having it in use. */
	ret = vm->mirrors ? vgem_svm_residency(vm, args) : -EOPNOTSUPP;
	vgem_svm_vm_put(vm);
	return ret;
}

static void vgem_svm_read_counters(struct vgem_svm_vm *vm, u64 *v)
{
	struct drm_svm_stats *stats = &vm->svm.stats;
	struct vgem_svm_dev *vdev = vm->vdev;

	v[DRM_VGEM_SVM_CTR_FAULTS] = atomic64_read(&stats->faults);
	v[DRM_VGEM_SVM_CTR_FAULT_DUPS] = atomic64_read(&stats->fault_dups);
	v[DRM_VGEM_SVM_CTR_FAULT_GROUPS] = atomic64_read(&stats->fault_groups);
	v[DRM_VGEM_SVM_CTR_FAULT_ERRORS] = atomic64_read(&stats->fault_errors);
	v[DRM_VGEM_SVM_CTR_REPLAYS] = atomic64_read(&stats->replays);
	v[DRM_VGEM_SVM_CTR_RETRIES] = atomic64_read(&stats->retries);
	v[DRM_VGEM_SVM_CTR_REQUEUES] = atomic64_read(&stats->requeues);
	v[DRM_VGEM_SVM_CTR_MAP_SYSTEM] = atomic64_read(&stats->map_system);
	v[DRM_VGEM_SVM_CTR_MAP_DEVICE] = atomic64_read(&stats->map_device);
	v[DRM_VGEM_SVM_CTR_INVALIDATIONS] =
		atomic64_read(&stats->invalidations);
	v[DRM_VGEM_SVM_CTR_UNMAPPED] = atomic64_read(&stats->unmapped);
	v[DRM_VGEM_SVM_CTR_DIRTIED] = atomic64_read(&stats->dirtied);
	v[DRM_VGEM_SVM_CTR_FLUSHES] = atomic64_read(&stats->flushes);
	v[DRM_VGEM_SVM_CTR_TO_DEVICE] = atomic64_read(&stats->to_device);
	v[DRM_VGEM_SVM_CTR_TO_DEVICE_FAILED] =
		atomic64_read(&stats->to_device_failed);
	v[DRM_VGEM_SVM_CTR_TO_SYSTEM] = atomic64_read(&vdev->region.to_system);
	v[DRM_VGEM_SVM_CTR_PT_COMMANDS] = atomic64_read(&vdev->pt_packets);
	v[DRM_VGEM_SVM_CTR_PT_STORES] = atomic64_read(&vm->gpt.stats.stores);
}

int vgem_svm_counters_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	u64 values[DRM_VGEM_SVM_CTR_NR];
	struct drm_vgem_svm_counters *args = data;
	u32 n = min_t(u32, args->nr, DRM_VGEM_SVM_CTR_NR);
	struct vgem_svm_vm *vm;

	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	if (args->pad)
		return vgem_svm_bad(drm, "pad");
	if (drm_svm_planted(VGEM_SVM_PLANTED_USER_COUNT))
		n = args->nr;
	vm = vgem_svm_vm_enter(file, args->vm_id);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	vgem_svm_read_counters(vm, values);
	vgem_svm_vm_leave(vm);
	if (n && copy_to_user(u64_to_user_ptr(args->values), values,
			      n * sizeof(*values)))
		return -EFAULT;
	args->nr = n ?: DRM_VGEM_SVM_CTR_NR;
	return 0;
}

/* Newest first. Return: number copied. */
static u32 vgem_svm_copy_faults(struct vgem_svm_vm *vm,
				struct drm_vgem_svm_fault *out, u32 room,
				u64 *total)
{
	u64 i;
	u32 n;

	guard(spinlock)(&vm->fault_lock);
	*total = vm->nr_faults;
	n = min3(*total, (u64)room, (u64)VGEM_SVM_FAULT_LOG);
	for (i = 0; i < n; i++)
		out[i] = vm->fault_log[(*total - 1 - i) % VGEM_SVM_FAULT_LOG];
	return n;
}

int vgem_svm_faults_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file)
{
	struct drm_vgem_svm_faults *args = data;
	struct drm_vgem_svm_fault *buf;
	struct vgem_svm_vm *vm;
	u64 total;
	int ret = 0;
	u32 n;

	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	if (args->nr && !vgem_svm_stride_ok(args->stride, sizeof(*buf)))
		return vgem_svm_bad(drm, "stride");
	buf = kzalloc_objs(*buf, VGEM_SVM_FAULT_LOG, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	vm = vgem_svm_vm_enter(file, args->vm_id);
	if (IS_ERR(vm)) {
		ret = PTR_ERR(vm);
		goto out;
	}
	n = vgem_svm_copy_faults(vm, buf, args->nr, &total);
	vgem_svm_vm_leave(vm);
	ret = vgem_svm_copy_array_to_user(u64_to_user_ptr(args->faults),
					  args->stride, buf, sizeof(*buf), n);
	if (ret)
		goto out;
	args->nr = n;
	args->total = total;
out:
	kfree(buf);
	return ret;
}
