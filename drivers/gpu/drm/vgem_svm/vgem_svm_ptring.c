// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The page-table ring. Only ready work is put in, so its engine waits for
 * nothing, and waiting for room in it is bounded. Room is taken beforehand as
 * credits; a quarter is kept for zaps, so that an invalidation never waits for
 * somebody who holds credits and waits for the invalidation.
 *
 * The ring is driven directly and not by drm_sched: a job of that is used once,
 * allocates, and may be signalled without having run; a zap may do neither.
 */

#include <linux/delay.h>
#include <linux/jiffies.h>

#include "vgem_svm_drv.h"

#define VGEM_SVM_ZAP_SHARE	4
#define VGEM_SVM_SPACE_TIMEOUT	(60 * HZ)
#define VGEM_SVM_RUN_MAX	32

static struct vgem_svm_ring *vgem_svm_gpt_ring(struct drm_gpt *gpt)
{
	return &container_of(gpt, struct vgem_svm_vm, gpt)->vdev->pt_ring;
}

static u32 vgem_svm_pt_words(struct drm_gpt *gpt, enum drm_gpt_run_kind kind,
			     u32 n)
{
	switch (kind) {
	case DRM_GPT_RUN_COPY:
		return n + 2 * DIV_ROUND_UP(n, VGEM_SVM_RUN_MAX);
	case DRM_GPT_RUN_SEQ:
		return 4;
	default:
		return 3;
	}
}

static bool vgem_svm_pt_try(struct vgem_svm_ring *ring, u32 words, bool zap)
{
	u32 keep = zap ? 0 : ring->nr_words / VGEM_SVM_ZAP_SHARE;

	guard(spinlock)(&ring->lock);
	if (vgem_svm_ring_space(ring) < words + keep)
		return false;
	ring->credits += words;
	return true;
}

static int vgem_svm_pt_reserve(struct drm_gpt *gpt, u32 words, bool zap,
			       bool may_sleep)
{
	struct vgem_svm_ring *ring = vgem_svm_gpt_ring(gpt);
	unsigned long end = jiffies + VGEM_SVM_SPACE_TIMEOUT;

	while (!READ_ONCE(ring->dead)) {
		if (vgem_svm_pt_try(ring, words, zap))
			return 0;
		if (!may_sleep)
			return -EAGAIN;
		if (time_after(jiffies, end))
			vgem_svm_device_kill(ring->vdev);
		usleep_range(20, 100);
	}
	if (!zap)
		return -ENODEV;
	/*
	 * What walked the table has been stopped. A zap goes on in the shadow,
	 * against credits as ever; a dead ring drops what is put into it.
	 */
	guard(spinlock)(&ring->lock);
	ring->credits += words;
	return 0;
}

void vgem_svm_pt_release(struct vgem_svm_ring *ring, u32 words)
{
	guard(spinlock)(&ring->lock);
	ring->credits -= min(ring->credits, words);
}

static void vgem_svm_pt_give_back(struct drm_gpt *gpt, u32 words)
{
	vgem_svm_pt_release(vgem_svm_gpt_ring(gpt), words);
}

static void vgem_svm_pt_write(struct drm_gpt *gpt, const struct drm_gpt_run *run)
{
	struct vgem_svm_ring *ring = vgem_svm_gpt_ring(gpt);
	const u64 *entries = run->entries;
	u64 pkt[2 + VGEM_SVM_RUN_MAX];
	u32 op, words, hi = run->n | (run->local ? VGEM_SVM_PT_LOCAL : 0);

	pkt[1] = run->addr;
	pkt[2] = entries[0];
	switch (run->kind) {
	case DRM_GPT_RUN_COPY:
		op = VGEM_SVM_PKT_PT_WRITE;
		words = 2 + run->n;
		if (WARN_ON_ONCE(run->n > VGEM_SVM_RUN_MAX))
			return;
		memcpy(&pkt[2], entries, run->n * sizeof(*entries));
		break;
	case DRM_GPT_RUN_SEQ:
		op = VGEM_SVM_PKT_PT_SEQ;
		words = 4;
		pkt[3] = run->step;
		break;
	default:
		op = VGEM_SVM_PKT_PT_FILL;
		words = 3;
	}
	pkt[0] = VGEM_SVM_PKT(op, words, hi);

	spin_lock(&ring->lock);
	vgem_svm_ring_emit(ring, pkt, words);
	ring->credits -= min(ring->credits, words);
	spin_unlock(&ring->lock);
	atomic64_inc(&ring->vdev->pt_packets);
}

static u64 vgem_svm_pt_fence(struct drm_gpt *gpt)
{
	struct vgem_svm_ring *ring = vgem_svm_gpt_ring(gpt);

	guard(spinlock)(&ring->lock);
	ring->credits -= min_t(u32, ring->credits, VGEM_SVM_FENCE_WORDS);
	return vgem_svm_ring_fence(ring);
}

static u64 vgem_svm_pt_next(struct drm_gpt *gpt)
{
	return READ_ONCE(vgem_svm_gpt_ring(gpt)->seq) + 1;
}

static bool vgem_svm_pt_done(struct drm_gpt *gpt, u64 seq)
{
	return vgem_svm_ring_done(vgem_svm_gpt_ring(gpt), seq);
}

static int vgem_svm_pt_wait(struct drm_gpt *gpt, u64 seq)
{
	struct vgem_svm_ring *ring = vgem_svm_gpt_ring(gpt);
	int ret = vgem_svm_ring_wait(ring, seq);

	/* Tables that it would still write may be freed now. */
	if (ret && !READ_ONCE(ring->dead))
		vgem_svm_device_kill(ring->vdev);
	return ret;
}

const struct drm_gpt_cmd_ops vgem_svm_cmd_ops = {
	.words = vgem_svm_pt_words,
	.fence_words = VGEM_SVM_FENCE_WORDS,
	.flush_words = DRM_GPT_GATHER_RANGES * 4 + VGEM_SVM_FENCE_WORDS,
	.reserve = vgem_svm_pt_reserve,
	.release = vgem_svm_pt_give_back,
	.write = vgem_svm_pt_write,
	.fence = vgem_svm_pt_fence,
	.next = vgem_svm_pt_next,
	.done = vgem_svm_pt_done,
	.wait = vgem_svm_pt_wait,
};
