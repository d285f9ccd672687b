// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: vgem_svm
 *
 * A GPU that needs no hardware, whose programs run on the memory of the process
 * that starts them. The hardware half (hw/) is the device as its programmer's
 * manual describes it; this half is its driver, and knows no more of it than
 * registers, rings and an interrupt.
 */

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/string.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_print.h>

#include "vgem_svm_drv.h"

#define VGEM_SVM_MAX_DEVICES	8

static unsigned int vgem_svm_num_devices = 2;
module_param_named(num_devices, vgem_svm_num_devices, uint, 0444);
MODULE_PARM_DESC(num_devices, "Devices to make, 1 to 8 (default 2)");

unsigned int vgem_svm_vram_mb = 128;
module_param_named(vram_mb, vgem_svm_vram_mb, uint, 0444);
MODULE_PARM_DESC(vram_mb, "Device memory in MiB, even, 0 to 16384 (default 128)");

unsigned int vgem_svm_nr_compute = 2;
module_param_named(nr_compute, vgem_svm_nr_compute, uint, 0444);
MODULE_PARM_DESC(nr_compute, "Compute engines of a device, 1 to 8 (default 2)");

unsigned int vgem_svm_fault_entries = 256;
module_param_named(fault_entries, vgem_svm_fault_entries, uint, 0444);
MODULE_PARM_DESC(fault_entries, "Records in the fault buffer, a power of two, 4 to 4096 (default 256)");

unsigned int vgem_svm_fault_deadline_ms = DRM_SVM_FAULT_DEADLINE_MS;
module_param_named(fault_deadline_ms, vgem_svm_fault_deadline_ms, uint, 0444);
MODULE_PARM_DESC(fault_deadline_ms, "Milliseconds until a fault that cannot be served, nor refused, ends its queue, not 0; debugfs has it per device (default 60000)");

unsigned int vgem_svm_fence_timeout_ms = 30000;
module_param_named(fence_timeout_ms, vgem_svm_fence_timeout_ms, uint, 0444);
MODULE_PARM_DESC(fence_timeout_ms, "Milliseconds that an EXEC may run that somebody has a fence of, before its queue is ended, not 0; debugfs has it per device (default 30000)");

static char *vgem_svm_fault_answer = "replay";
module_param_named(fault_answer, vgem_svm_fault_answer, charp, 0444);
MODULE_PARM_DESC(fault_answer, "How faults are answered: replay: all of an address space try again together, or each: every record has an acknowledge of its own (default replay)");

bool vgem_svm_fault_each;

bool vgem_svm_system_atomics = true;
module_param_named(system_atomics, vgem_svm_system_atomics, bool, 0444);
MODULE_PARM_DESC(system_atomics, "Atomics of the device are coherent with the CPU's in system memory; otherwise a page that they are for moves to device memory (default Y)");

unsigned long vgem_svm_max_insns = 1UL << 32;
module_param_named(max_insns, vgem_svm_max_insns, ulong, 0444);
MODULE_PARM_DESC(max_insns, "Instructions that one GPU thread may run, not 0 (default 2^32)");

unsigned long vgem_svm_launch_insns = 1UL << 36;
module_param_named(launch_insns, vgem_svm_launch_insns, ulong, 0444);
MODULE_PARM_DESC(launch_insns, "Instructions that all threads of a launch may run together, not 0 (default 2^36)");

static char *vgem_svm_pt_update = "cpu";
module_param_named(pt_update, vgem_svm_pt_update, charp, 0444);
MODULE_PARM_DESC(pt_update, "Who writes page tables: cpu, cmdbuf, mixed: short runs the CPU and long ones cmdbuf, or device: cmdbuf, with the tables in device memory (default cpu)");

unsigned int vgem_svm_pt_cpu_max = 16;
module_param_named(pt_cpu_max, vgem_svm_pt_cpu_max, uint, 0444);
MODULE_PARM_DESC(pt_cpu_max, "With pt_update=mixed: entries of the longest run that the CPU writes, 1 to 512 (default 16)");

enum vgem_svm_pt_mode vgem_svm_pt_mode;

static const char * const vgem_svm_pt_modes[] = {
	[VGEM_SVM_PT_CPU] = "cpu",
	[VGEM_SVM_PT_CMDBUF] = "cmdbuf",
	[VGEM_SVM_PT_DEVICE] = "device",
	[VGEM_SVM_PT_MIXED] = "mixed",
};

static struct platform_device *vgem_svm_devices[VGEM_SVM_MAX_DEVICES];

/* What drm_gpt writes is what the hardware reads. */
static_assert(DRM_GPT_LEAF_LOCAL >> 3 == VGEM_SVM_APERTURE_LOCAL);
static_assert(DRM_GPT_LEAF_PEER >> 3 == VGEM_SVM_APERTURE_PEER);
/* What QUEUE_QUERY says is what the hardware says. */
static_assert(VGEM_SVM_ERR_PACKET == DRM_VGEM_SVM_QUEUE_PACKET);
static_assert(VGEM_SVM_ERR_FAULT == DRM_VGEM_SVM_QUEUE_FAULT);
static_assert(VGEM_SVM_ERR_ENTRY == DRM_VGEM_SVM_QUEUE_ENTRY);
static_assert(VGEM_SVM_LAUNCH_WORDS == DRM_VGEM_SVM_LAUNCH_WORDS);

/* ---- files -------------------------------------------------------------- */

static const struct file_operations vgem_svm_fops = {
	.owner = THIS_MODULE,
	DRM_GEM_FOPS,
	.show_fdinfo = drm_show_fdinfo,
};

/*
 * What a client has, which is its buffers. How much device memory its address
 * spaces have nobody counts: a page there belongs to those who map it.
 */
static void vgem_svm_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	drm_show_memory_stats(p, file);
}

/* ---- the DRM driver ----------------------------------------------------- */

#define VGEM_SVM_IOCTL(name, fn) \
	DRM_IOCTL_DEF_DRV(VGEM_SVM_##name, fn, DRM_RENDER_ALLOW)

static const struct drm_ioctl_desc vgem_svm_ioctls[] = {
	VGEM_SVM_IOCTL(QUERY, vgem_svm_query_ioctl),
	VGEM_SVM_IOCTL(VM_CREATE, vgem_svm_vm_create_ioctl),
	VGEM_SVM_IOCTL(VM_DESTROY, vgem_svm_vm_destroy_ioctl),
	VGEM_SVM_IOCTL(QUEUE_CREATE, vgem_svm_queue_create_ioctl),
	VGEM_SVM_IOCTL(QUEUE_DESTROY, vgem_svm_queue_destroy_ioctl),
	VGEM_SVM_IOCTL(QUEUE_QUERY, vgem_svm_queue_query_ioctl),
	VGEM_SVM_IOCTL(EXEC, vgem_svm_exec_ioctl),
	VGEM_SVM_IOCTL(MIGRATE, vgem_svm_migrate_ioctl),
	VGEM_SVM_IOCTL(ATTR_SET, vgem_svm_attr_set_ioctl),
	VGEM_SVM_IOCTL(ATTR_GET, vgem_svm_attr_get_ioctl),
	VGEM_SVM_IOCTL(RESIDENCY, vgem_svm_residency_ioctl),
	VGEM_SVM_IOCTL(COUNTERS, vgem_svm_counters_ioctl),
	VGEM_SVM_IOCTL(FAULTS, vgem_svm_faults_ioctl),
	VGEM_SVM_IOCTL(GEM_CREATE, vgem_svm_gem_create_ioctl),
	VGEM_SVM_IOCTL(GEM_MMAP, vgem_svm_gem_mmap_ioctl),
	VGEM_SVM_IOCTL(VM_BIND, vgem_svm_vm_bind_ioctl),
	VGEM_SVM_IOCTL(USERPTR, vgem_svm_userptr_ioctl),
};

static const struct drm_driver vgem_svm_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = vgem_svm_open,
	.postclose = vgem_svm_postclose,
	.ioctls = vgem_svm_ioctls,
	.num_ioctls = ARRAY_SIZE(vgem_svm_ioctls),
	.fops = &vgem_svm_fops,
	.debugfs_init = vgem_svm_debugfs_init,
	.show_fdinfo = vgem_svm_show_fdinfo,
	.gem_create_object = vgem_svm_gem_create_object,
	.gem_prime_import = vgem_svm_gem_import,
	.dumb_create = vgem_svm_gem_dumb_create,
	.name = "vgem_svm",
	.desc = "Virtual GPU with shared virtual memory",
	.major = 1,
	.minor = 0,
};

/* ---- devices ------------------------------------------------------------ */

static int vgem_svm_probe(struct platform_device *pdev)
{
	struct vgem_svm_dev *vdev;
	int ret;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	/* An object is mapped in as few pieces as can be. */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	vdev = devm_drm_dev_alloc(&pdev->dev, &vgem_svm_driver,
				  struct vgem_svm_dev, drm);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	vdev->dev = &pdev->dev;
	vdev->id = platform_get_device_id(pdev)->driver_data;
	ret = vgem_svm_device_init(vdev);
	if (ret)
		return ret;
	platform_set_drvdata(pdev, vdev);
	ret = drm_dev_register(&vdev->drm, 0);
	if (ret)
		vgem_svm_device_fini(vdev);
	return ret;
}

static void vgem_svm_remove(struct platform_device *pdev)
{
	struct vgem_svm_dev *vdev = platform_get_drvdata(pdev);

	drm_dev_unplug(&vdev->drm);
	vgem_svm_device_fini(vdev);
}

/*
 * The instance is part of the name, not a number beside it: of a platform device
 * libdrm knows the name in MODALIAS alone, and takes two of one name for one.
 */
static const struct platform_device_id vgem_svm_ids[] = {
	{ "vgem_svm.0", 0 }, { "vgem_svm.1", 1 }, { "vgem_svm.2", 2 },
	{ "vgem_svm.3", 3 }, { "vgem_svm.4", 4 }, { "vgem_svm.5", 5 },
	{ "vgem_svm.6", 6 }, { "vgem_svm.7", 7 },
	{ }
};
MODULE_DEVICE_TABLE(platform, vgem_svm_ids);
static_assert(ARRAY_SIZE(vgem_svm_ids) == VGEM_SVM_MAX_DEVICES + 1);

static struct platform_driver vgem_svm_platform_driver = {
	.driver = { .name = "vgem_svm" },
	.probe = vgem_svm_probe,
	.remove = vgem_svm_remove,
	.id_table = vgem_svm_ids,
};

static struct platform_device *vgem_svm_make_device(unsigned int id)
{
	struct platform_device *pdev =
		platform_device_alloc(vgem_svm_ids[id].name, PLATFORM_DEVID_NONE);
	int ret;

	if (!pdev)
		return ERR_PTR(-ENOMEM);
	ret = vgem_svm_hw_wire(&pdev->dev);
	ret = ret ?: platform_device_add(pdev);
	if (ret) {
		platform_device_put(pdev);
		return ERR_PTR(ret);
	}
	return pdev;
}

static void vgem_svm_remove_devices(void)
{
	unsigned int i;

	for (i = 0; i < VGEM_SVM_MAX_DEVICES; i++)
		if (vgem_svm_devices[i])
			platform_device_unregister(vgem_svm_devices[i]);
}

static int vgem_svm_check_answer(void)
{
	vgem_svm_fault_each = !strcmp(vgem_svm_fault_answer, "each");
	if (vgem_svm_fault_each || !strcmp(vgem_svm_fault_answer, "replay"))
		return 0;
	pr_err("vgem_svm: fault_answer must be replay or each\n");
	return -EINVAL;
}

static int vgem_svm_check_params(void)
{
	int mode;

	if (!vgem_svm_num_devices ||
	    vgem_svm_num_devices > VGEM_SVM_MAX_DEVICES ||
	    vgem_svm_vram_mb % 2 || vgem_svm_vram_mb > 16384 ||
	    !vgem_svm_nr_compute ||
	    vgem_svm_nr_compute > VGEM_SVM_HW_MAX_COMPUTE ||
	    !is_power_of_2(vgem_svm_fault_entries) ||
	    vgem_svm_fault_entries < 4 || vgem_svm_fault_entries > 4096 ||
	    !vgem_svm_pt_cpu_max || vgem_svm_pt_cpu_max > 512 ||
	    !vgem_svm_user_limit(VGEM_SVM_USER_VMS) ||
	    !vgem_svm_user_limit(VGEM_SVM_USER_QUEUES) ||
	    !vgem_svm_user_limit(VGEM_SVM_USER_JOBS) ||
	    !vgem_svm_user_limit(VGEM_SVM_USER_GEM_PAGES) ||
	    !vgem_svm_user_limit(VGEM_SVM_USER_BINDS) ||
	    !vgem_svm_max_insns || !vgem_svm_launch_insns || !vgem_svm_fault_deadline_ms ||
	    !vgem_svm_fence_timeout_ms) {
		pr_err("vgem_svm: a parameter is out of its range, see modinfo\n");
		return -EINVAL;
	}
	mode = match_string(vgem_svm_pt_modes, ARRAY_SIZE(vgem_svm_pt_modes),
			    vgem_svm_pt_update);
	if (mode < 0) {
		pr_err("vgem_svm: pt_update must be cpu, cmdbuf, mixed or device\n");
		return -EINVAL;
	}
	if (mode == VGEM_SVM_PT_DEVICE && vgem_svm_vram_mb < 4) {
		pr_err("vgem_svm: pt_update=device needs vram_mb of 4 or more\n");
		return -EINVAL;
	}
	vgem_svm_pt_mode = mode;
	return vgem_svm_check_answer();
}

static int __init vgem_svm_init(void)
{
	unsigned int i;
	int ret;

	ret = vgem_svm_check_params();
	if (ret)
		return ret;
	ret = platform_driver_register(&vgem_svm_platform_driver);
	if (ret)
		return ret;
	for (i = 0; i < vgem_svm_num_devices; i++) {
		struct platform_device *pdev = vgem_svm_make_device(i);

		if (IS_ERR(pdev)) {
			vgem_svm_remove_devices();
			platform_driver_unregister(&vgem_svm_platform_driver);
			return PTR_ERR(pdev);
		}
		vgem_svm_devices[i] = pdev;
	}
	return 0;
}
module_init(vgem_svm_init);

static void __exit vgem_svm_exit(void)
{
	vgem_svm_remove_devices();
	platform_driver_unregister(&vgem_svm_platform_driver);
}
module_exit(vgem_svm_exit);

MODULE_DESCRIPTION("Virtual GPU with shared virtual memory");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("DMA_BUF");
