// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Copies between system and device memory by the kernel's copy engine. They run
 * under mmap_lock with pages locked: nothing here allocates, and the engine
 * waits for nobody.
 *
 * Device memory survives a reset, and must be got out of it even when the rest of
 * the device stays stopped: so a copy that fails restarts the engine and is done
 * once more, from the start.
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

static bool vgem_svm_copy_dead(struct vgem_svm_dev *vdev)
{
	return vgem_svm_hw_read(vdev->hw,
				VGEM_SVM_REG_CHAN(VGEM_SVM_HW_CHAN_COPY,
						  VGEM_SVM_CHAN_STATUS)) !=
	       VGEM_SVM_CHAN_ST_ON;
}

/* The channel's error is told; it may have been restarted since. */
void vgem_svm_copy_died(struct vgem_svm_dev *vdev)
{
	guard(spinlock)(&vdev->kill_lock);
	if (!vgem_svm_copy_dead(vdev))
		return;
	WRITE_ONCE(vdev->copy_ring.dead, true);
	wake_up_all(&vdev->fence_wait);
}

/*
 * After a reset, every other channel is dead and every root is cut: to start
 * the device starts nothing but this engine.
 */
static void vgem_svm_copy_restart(struct vgem_svm_dev *vdev)
{
	lockdep_assert_held(&vdev->copy_lock);
	guard(spinlock)(&vdev->kill_lock);
	if (vdev->wedged)
		vgem_svm_hw_write(vdev->hw, VGEM_SVM_REG_START, 1);
	vgem_svm_ring_enable(&vdev->copy_ring, 0, 0, 0);
	WRITE_ONCE(vdev->copy_ring.dead, false);
}

static void vgem_svm_copy_stop(struct vgem_svm_dev *vdev)
{
	lockdep_assert_held(&vdev->copy_lock);
	guard(spinlock)(&vdev->kill_lock);
	/* The next copy restarts it. */
	WRITE_ONCE(vdev->copy_ring.dead, true);
	vgem_svm_hw_write(vdev->hw, VGEM_SVM_REG_CHAN(VGEM_SVM_HW_CHAN_COPY,
						      VGEM_SVM_CHAN_CTRL), 0);
}

static int vgem_svm_copy_all(struct vgem_svm_dev *vdev,
			     enum drm_svm_copy_kind kind,
			     const struct drm_svm_copy *pieces, unsigned int n)
{
	int ret = 0;

	while (n && !ret) {
		unsigned int now = min_t(unsigned int, n, VGEM_SVM_COPY_BATCH);

		ret = vgem_svm_copy_batch(&vdev->copy_ring, kind, pieces, now);
		pieces += now;
		n -= now;
	}
	return ret;
}

static int vgem_svm_region_copy(struct drm_svm_region *region,
				enum drm_svm_copy_kind kind,
				const struct drm_svm_copy *pieces,
				unsigned int n)
{
	struct vgem_svm_dev *vdev =
		container_of(region, struct vgem_svm_dev, region);
	int ret;

	guard(mutex)(&vdev->copy_lock);
	ret = vgem_svm_copy_all(vdev, kind, pieces, n);
	if (!ret)
		return 0;
	vgem_svm_copy_restart(vdev);
	ret = vgem_svm_copy_all(vdev, kind, pieces, n);
	/* What the caller frees now must not be written any more. */
	if (ret)
		vgem_svm_copy_stop(vdev);
	return ret;
}

const struct drm_svm_region_ops vgem_svm_region_ops = {
	.copy = vgem_svm_region_copy,
};
