// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * QUERY: what the device is and has, and the limits of its driver.
 */

#include <linux/device.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vgem_svm_drv.h"

/*
 * Each is as large as its fields together: without holes and aligned, so that it
 * is laid out alike for programs of 32 bits, where a u64 may be aligned to 4.
 */
static_assert(sizeof(struct drm_vgem_svm_query) == 24);
static_assert(sizeof(struct drm_vgem_svm_engine) == 8);
static_assert(sizeof(struct drm_vgem_svm_query_engines) == 8);
static_assert(sizeof(struct drm_vgem_svm_vm_create) == 8);
static_assert(sizeof(struct drm_vgem_svm_vm_destroy) == 8);
static_assert(sizeof(struct drm_vgem_svm_queue_create) == 40);
static_assert(sizeof(struct drm_vgem_svm_queue_destroy) == 8);
static_assert(sizeof(struct drm_vgem_svm_queue_query) == 48);
static_assert(sizeof(struct drm_vgem_svm_sync) == 16);
static_assert(sizeof(struct drm_vgem_svm_exec) == 72);
static_assert(sizeof(struct drm_vgem_svm_migrate) == 56);
static_assert(sizeof(struct drm_vgem_svm_attr) == 40);
static_assert(sizeof(struct drm_vgem_svm_residency) == 40);
static_assert(sizeof(struct drm_vgem_svm_counters) == 24);
static_assert(sizeof(struct drm_vgem_svm_fault) == 40);
static_assert(sizeof(struct drm_vgem_svm_faults) == 32);
static_assert(sizeof(struct drm_vgem_svm_gem_create) == 16);
static_assert(sizeof(struct drm_vgem_svm_gem_mmap) == 16);
static_assert(sizeof(struct drm_vgem_svm_bind_op) == 40);
static_assert(sizeof(struct drm_vgem_svm_vm_bind) == 24);

static u64 vgem_svm_pt_update(void)
{
	static const u8 modes[] = {
		[VGEM_SVM_PT_CPU] = DRM_VGEM_SVM_PT_CPU,
		[VGEM_SVM_PT_CMDBUF] = DRM_VGEM_SVM_PT_CMDBUF,
		[VGEM_SVM_PT_MIXED] = DRM_VGEM_SVM_PT_MIXED,
		[VGEM_SVM_PT_DEVICE] = DRM_VGEM_SVM_PT_DEVICE,
	};

	return modes[vgem_svm_pt_mode];
}

static void vgem_svm_params(struct vgem_svm_dev *vdev, u64 *v)
{
	v[DRM_VGEM_SVM_PARAM_VRAM_BYTES] = vdev->region.bytes;
	v[DRM_VGEM_SVM_PARAM_NR_ENGINES] = vgem_svm_nr_compute;
	v[DRM_VGEM_SVM_PARAM_VA_BITS] = VGEM_SVM_VA_BITS;
	v[DRM_VGEM_SVM_PARAM_PT_UPDATE] = vgem_svm_pt_update();
	v[DRM_VGEM_SVM_PARAM_IOMMU] = device_iommu_mapped(vdev->dev);
	v[DRM_VGEM_SVM_PARAM_VRAM_USED] = drm_svm_region_used(&vdev->region);
	v[DRM_VGEM_SVM_PARAM_FAULT_ENTRIES] = vgem_svm_fault_entries;
	v[DRM_VGEM_SVM_PARAM_FENCE_MS] = READ_ONCE(vdev->fence_timeout_ms);
}

static void vgem_svm_limits(u64 *v)
{
	u64 vms = VGEM_SVM_HW_NR_VMS - 1;
	u64 queues = VGEM_SVM_HW_NR_CHANS - VGEM_SVM_HW_CHAN_USER;

	v[DRM_VGEM_SVM_PARAM_MAX_VMS] = vms;
	v[DRM_VGEM_SVM_PARAM_MAX_QUEUES] = queues;
	v[DRM_VGEM_SVM_PARAM_USER_VMS] = vgem_svm_user_limit(VGEM_SVM_USER_VMS);
	v[DRM_VGEM_SVM_PARAM_USER_QUEUES] =
		vgem_svm_user_limit(VGEM_SVM_USER_QUEUES);
	v[DRM_VGEM_SVM_PARAM_USER_JOBS] =
		vgem_svm_user_limit(VGEM_SVM_USER_JOBS);
	v[DRM_VGEM_SVM_PARAM_QUEUE_JOBS] = VGEM_SVM_QUEUE_JOBS;
	v[DRM_VGEM_SVM_PARAM_BATCH_BYTES] = DRM_VGEM_SVM_MAX_BATCH;
	v[DRM_VGEM_SVM_PARAM_MAX_SYNCS] = DRM_VGEM_SVM_MAX_SYNCS;
	v[DRM_VGEM_SVM_PARAM_MAX_THREADS] = VGEM_SVM_MAX_THREADS;
	v[DRM_VGEM_SVM_PARAM_STACK_SLOTS] = VGEM_SVM_RESIDENT_THREADS;
	v[DRM_VGEM_SVM_PARAM_STACK_ALIGN] = 16;
	v[DRM_VGEM_SVM_PARAM_MAX_INSNS] = vgem_svm_max_insns;
	v[DRM_VGEM_SVM_PARAM_LAUNCH_INSNS] = vgem_svm_launch_insns;
	v[DRM_VGEM_SVM_PARAM_MAX_ATTRS] = drm_svm_attr_limit();
	v[DRM_VGEM_SVM_PARAM_RESIDENCY_BYTES] = VGEM_SVM_RESIDENCY_BYTES;
	v[DRM_VGEM_SVM_PARAM_FAULT_LOG] = VGEM_SVM_FAULT_LOG;
	v[DRM_VGEM_SVM_PARAM_USER_GEM_BYTES] =
		(u64)vgem_svm_user_limit(VGEM_SVM_USER_GEM_PAGES) << PAGE_SHIFT;
	v[DRM_VGEM_SVM_PARAM_USER_BINDS] =
		vgem_svm_user_limit(VGEM_SVM_USER_BINDS);
	v[DRM_VGEM_SVM_PARAM_BIND_OPS] = DRM_VGEM_SVM_MAX_BINDS;
}

/* As much of @from as there is room for; its size, if that is all that is asked. */
static int vgem_svm_answer(struct drm_vgem_svm_query *args, const void *from,
			   u32 bytes)
{
	u32 n = min(args->size, bytes);

	if (n && copy_to_user(u64_to_user_ptr(args->data), from, n))
		return -EFAULT;
	args->size = n ?: bytes;
	return 0;
}

static int vgem_svm_query_params(struct vgem_svm_dev *vdev,
				 struct drm_vgem_svm_query *args)
{
	u64 values[DRM_VGEM_SVM_PARAM_NR] = {};

	vgem_svm_params(vdev, values);
	vgem_svm_limits(values);
	return vgem_svm_answer(args, values, sizeof(values));
}

static int vgem_svm_query_engines(struct drm_vgem_svm_query *args)
{
	struct {
		struct drm_vgem_svm_query_engines head;
		struct drm_vgem_svm_engine engines[VGEM_SVM_HW_MAX_COMPUTE];
	} answer = {
		.head.nr = vgem_svm_nr_compute,
		.head.stride = sizeof(answer.engines[0]),
	};
	u32 i;

	for (i = 0; i < vgem_svm_nr_compute; i++) {
		answer.engines[i].engine_class = DRM_VGEM_SVM_ENGINE_COMPUTE;
		answer.engines[i].engine_instance = i;
	}
	return vgem_svm_answer(args, &answer, sizeof(answer.head) +
			       i * sizeof(answer.engines[0]));
}

int vgem_svm_query_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file)
{
	struct drm_vgem_svm_query *args = data;

	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	if (args->pad)
		return vgem_svm_bad(drm, "pad");
	switch (args->query) {
	case DRM_VGEM_SVM_QUERY_PARAMS:
		return vgem_svm_query_params(to_vgem_svm_dev(drm), args);
	case DRM_VGEM_SVM_QUERY_ENGINES:
		return vgem_svm_query_engines(args);
	default:
		return vgem_svm_bad(drm, "query");
	}
}
