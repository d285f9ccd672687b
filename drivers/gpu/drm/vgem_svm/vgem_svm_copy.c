// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Copies between system and device memory by the kernel's copy engine. They run
 * under mmap_lock with pages locked: nothing here allocates, and the engine
 * waits for nobody.
 */

#include "vgem_svm_drv.h"

/* Packets between two waits: a quarter of the ring. */
#define VGEM_SVM_COPY_BATCH	(VGEM_SVM_COPY_RING_BYTES / 8 / 4 / 4)

static void vgem_svm_copy_packet(struct vgem_svm_ring *ring,
				 enum drm_svm_copy_kind kind,
				 const struct drm_svm_copy *piece)
{
	u64 copy[4] = { 0, piece->dma, piece->offset, piece->bytes };

	switch (kind) {
	case DRM_SVM_COPY_TO_DEVICE:
		copy[0] = VGEM_SVM_PKT(VGEM_SVM_PKT_COPY, 4,
				       VGEM_SVM_COPY_DST_LOCAL);
		break;
	case DRM_SVM_COPY_TO_SYSTEM:
		copy[0] = VGEM_SVM_PKT(VGEM_SVM_PKT_COPY, 4,
				       VGEM_SVM_COPY_SRC_LOCAL);
		swap(copy[1], copy[2]);
		break;
	case DRM_SVM_COPY_CLEAR:
		copy[0] = VGEM_SVM_PKT(VGEM_SVM_PKT_FILL, 4,
				       VGEM_SVM_COPY_DST_LOCAL);
		copy[1] = piece->offset;
		copy[2] = piece->bytes;
		copy[3] = 0;
	}
	vgem_svm_ring_emit(ring, copy, ARRAY_SIZE(copy));
}

static int vgem_svm_copy_batch(struct vgem_svm_ring *ring,
			       enum drm_svm_copy_kind kind,
			       const struct drm_svm_copy *pieces,
			       unsigned int n)
{
	unsigned int i;
	u64 seq;

	spin_lock(&ring->lock);
	for (i = 0; i < n; i++)
		vgem_svm_copy_packet(ring, kind, &pieces[i]);
	seq = vgem_svm_ring_fence(ring);
	spin_unlock(&ring->lock);
	return vgem_svm_ring_wait(ring, seq) ? -EIO : 0;
}

static int vgem_svm_region_copy(struct drm_svm_region *region,
				enum drm_svm_copy_kind kind,
				const struct drm_svm_copy *pieces,
				unsigned int n)
{
	struct vgem_svm_dev *vdev =
		container_of(region, struct vgem_svm_dev, region);
	int ret = 0;

	guard(mutex)(&vdev->copy_lock);
	while (n && !ret) {
		unsigned int now = min_t(unsigned int, n, VGEM_SVM_COPY_BATCH);

		ret = vgem_svm_copy_batch(&vdev->copy_ring, kind, pieces, now);
		pieces += now;
		n -= now;
	}
	return ret;
}

const struct drm_svm_region_ops vgem_svm_region_ops = {
	.copy = vgem_svm_region_copy,
};
