// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Syncobjs that get the fence of an EXEC. All that is needed for that is had before
 * the job is given to its queue, since to give it cannot fail afterwards.
 */

#include <linux/dma-fence-chain.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_syncobj.h>

#include "vgem_svm_drv.h"
#include "vgem_svm_fence.h"

/**
 * struct vgem_svm_out - a syncobj that gets a fence
 * @syncobj: referenced
 * @chain: for a point of a timeline, NULL for a binary one
 * @point: the point
 */
struct vgem_svm_out {
	struct drm_syncobj *syncobj;
	struct dma_fence_chain *chain;
	u64 point;
};

static int vgem_svm_out_init(struct vgem_svm_out *out, struct drm_file *file,
			     const void __user *user, u32 stride)
{
	struct drm_vgem_svm_sync sync;
	int ret;

	ret = copy_struct_from_user(&sync, sizeof(sync), user, stride);
	if (ret)
		return ret;
	if (sync.flags)
		return -EINVAL;
	if (sync.point) {
		out->chain = dma_fence_chain_alloc();
		if (!out->chain)
			return -ENOMEM;
	}
	out->point = sync.point;
	out->syncobj = drm_syncobj_find(file, sync.handle);
	if (out->syncobj)
		return 0;
	dma_fence_chain_free(out->chain);
	return -ENOENT;
}

/**
 * vgem_svm_outs_init() - find the syncobjs
 * @outs: zeroed
 * @file: whose they are
 * @user: pointer to struct drm_vgem_svm_sync, user memory
 * @nr: number of these
 * @stride: bytes from one to the next
 *
 * Context: may sleep, as long as user memory takes.
 * Return: 0, -EFAULT, -E2BIG, -EINVAL, -ENOENT, -ENOMEM; vgem_svm_outs_fini() is for
 * any.
 */
int vgem_svm_outs_init(struct vgem_svm_outs *outs, struct drm_file *file, u64 user,
		       u32 nr, u32 stride)
{
	int ret = 0;

	if (!nr)
		return 0;
	outs->outs = kcalloc(nr, sizeof(*outs->outs), GFP_KERNEL_ACCOUNT);
	if (!outs->outs)
		return -ENOMEM;
	while (!ret && outs->nr < nr) {
		ret = vgem_svm_out_init(&outs->outs[outs->nr], file,
					u64_to_user_ptr(user + (u64)outs->nr * stride),
					stride);
		outs->nr += !ret;
	}
	return ret;
}

/**
 * vgem_svm_outs_give() - they have a fence now
 * @outs: of vgem_svm_outs_init(), once
 * @fence: it
 *
 * Context: may sleep.
 */
void vgem_svm_outs_give(struct vgem_svm_outs *outs, struct dma_fence *fence)
{
	struct vgem_svm_out *out;

	for (out = outs->outs; out < outs->outs + outs->nr; out++) {
		if (!out->chain) {
			drm_syncobj_replace_fence(out->syncobj, fence);
			continue;
		}
		/* It takes over the chain, and a reference. */
		drm_syncobj_add_point(out->syncobj, out->chain, fence, out->point);
		out->chain = NULL;
	}
}

/**
 * vgem_svm_outs_fini() - let go of them
 * @outs: of vgem_svm_outs_init()
 *
 * Context: process.
 */
void vgem_svm_outs_fini(struct vgem_svm_outs *outs)
{
	while (outs->nr) {
		struct vgem_svm_out *out = &outs->outs[--outs->nr];

		dma_fence_chain_free(out->chain);
		drm_syncobj_put(out->syncobj);
	}
	kfree(outs->outs);
}
