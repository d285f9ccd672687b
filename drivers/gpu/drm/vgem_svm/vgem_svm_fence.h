/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _VGEM_SVM_FENCE_H_
#define _VGEM_SVM_FENCE_H_

#include <linux/dma-fence.h>
#include <linux/list.h>
#include <linux/types.h>

struct drm_file;
struct vgem_svm_dev;
struct vgem_svm_queue;

/**
 * struct vgem_svm_fence - says that a job of a queue without faults has ended
 * @base: the fence; first, since it is freed as such
 * @node: in &vgem_svm_dev.fence_list until it is signalled
 * @queue: whose job it is; while it is in the list
 * @seq: what the engine stores at its end, 0 before the job is in the ring
 * @timeline: name of the queue
 */
struct vgem_svm_fence {
	struct dma_fence base;
	struct list_head node;
	struct vgem_svm_queue *queue;
	u64 seq;
	char timeline[32];
};

static_assert(offsetof(struct vgem_svm_fence, base) == 0);

int vgem_svm_fences_init(struct vgem_svm_dev *vdev);
void vgem_svm_fences_fini(struct vgem_svm_dev *vdev);
void vgem_svm_fences_look(struct vgem_svm_dev *vdev);
void vgem_svm_fences_end(struct vgem_svm_queue *queue);
struct vgem_svm_fence *vgem_svm_fence_new(void);
void vgem_svm_fence_begin(struct vgem_svm_fence *fence, struct vgem_svm_queue *queue);
void vgem_svm_fence_arm(struct vgem_svm_fence *fence, struct vgem_svm_queue *queue,
			u64 seq);

/**
 * struct vgem_svm_outs - syncobjs that get a fence
 * @nr: number of @outs that are complete
 * @outs: they
 */
struct vgem_svm_outs {
	u32 nr;
	struct vgem_svm_out *outs;
};

int vgem_svm_outs_init(struct vgem_svm_outs *outs, struct drm_file *file, u64 user,
		       u32 nr, u32 stride);
void vgem_svm_outs_give(struct vgem_svm_outs *outs, struct dma_fence *fence);
void vgem_svm_outs_fini(struct vgem_svm_outs *outs);

#endif /* _VGEM_SVM_FENCE_H_ */
