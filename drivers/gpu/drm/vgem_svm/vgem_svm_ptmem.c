// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Page tables in device memory, for pt_update=device. The CPU neither reads nor
 * writes them: they are cleared by the page-table engine too. The end of device
 * memory is theirs; what comes before is for the memory of processes.
 */

#include <linux/idr.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "vgem_svm_drv.h"

/* One part in so many of device memory, but 2 MiB at least. */
#define VGEM_SVM_PT_SHARE	16

/**
 * vgem_svm_pt_base() - where in device memory page tables begin
 * @vdev: device
 *
 * Return: bytes, a multiple of 2 MiB: what comes before is for processes. All of
 * device memory if tables lie in system memory.
 */
u64 vgem_svm_pt_base(struct vgem_svm_dev *vdev)
{
	u64 bytes = vgem_svm_hw_read(vdev->hw, VGEM_SVM_REG_VRAM_BYTES);

	if (vgem_svm_pt_mode != VGEM_SVM_PT_DEVICE)
		return bytes;
	return bytes - max_t(u64, round_down(bytes / VGEM_SVM_PT_SHARE, SZ_2M),
			     SZ_2M);
}

static struct vgem_svm_dev *vgem_svm_gpt_dev(struct drm_gpt *gpt)
{
	return container_of(gpt, struct vgem_svm_vm, gpt)->vdev;
}

/*
 * Recorded, not awaited: whatever is written to the table, or points to it, comes
 * behind in the same ring.
 */
static int vgem_svm_ptmem_clear(struct drm_gpt *gpt, u64 addr, u32 bytes)
{
	const u64 empty = 0;
	const struct drm_gpt_run run = {
		.kind = DRM_GPT_RUN_FILL,
		.local = true,
		.entry_shift = 3,
		.addr = addr,
		.n = bytes >> 3,
		.entries = &empty,
	};
	int ret;

	ret = vgem_svm_cmd_ops.reserve(gpt, vgem_svm_cmd_ops.words(gpt, run.kind,
								   run.n),
				       false, true);
	if (!ret)
		vgem_svm_cmd_ops.write(gpt, &run);
	return ret;
}

static int vgem_svm_ptmem_alloc(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
				u32 bytes, gfp_t gfp)
{
	struct vgem_svm_dev *vdev = vgem_svm_gpt_dev(gpt);
	u64 base = vgem_svm_pt_base(vdev);
	u64 size = vgem_svm_hw_read(vdev->hw, VGEM_SVM_REG_VRAM_BYTES) - base;
	int i, ret;

	if (WARN_ON_ONCE(bytes != SZ_4K))
		return -EINVAL;
	i = ida_alloc_max(&vdev->pt_tables, (size >> 12) - 1, gfp);
	if (i < 0)
		return -ENOMEM;
	mem->addr = base + ((u64)i << 12);
	mem->local = true;
	ret = vgem_svm_ptmem_clear(gpt, mem->addr, bytes);
	if (ret)
		ida_free(&vdev->pt_tables, i);
	return ret;
}

static void vgem_svm_ptmem_free(struct drm_gpt *gpt, struct drm_gpt_mem *mem,
				u32 bytes)
{
	struct vgem_svm_dev *vdev = vgem_svm_gpt_dev(gpt);

	ida_free(&vdev->pt_tables, (mem->addr - vgem_svm_pt_base(vdev)) >> 12);
}

const struct drm_gpt_mem_ops vgem_svm_ptmem_ops = {
	.alloc = vgem_svm_ptmem_alloc,
	.free = vgem_svm_ptmem_free,
};

/**
 * vgem_svm_ptmem_ready() - wait until a new root is clear
 * @vm: its page table has just been made
 *
 * Context: may sleep.
 * Return: 0, -ENODEV if the ring is dead.
 */
int vgem_svm_ptmem_ready(struct vgem_svm_vm *vm)
{
	const struct drm_gpt_cmd_ops *cmd = &vgem_svm_cmd_ops;
	int ret;

	if (vgem_svm_pt_mode != VGEM_SVM_PT_DEVICE)
		return 0;
	ret = cmd->reserve(&vm->gpt, cmd->fence_words, false, true);
	return ret ?: cmd->wait(&vm->gpt, cmd->fence(&vm->gpt));
}
