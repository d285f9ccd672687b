// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Rings of packets. Each has a fence: a 64-bit value in the device's fence page
 * that the engine writes when it gets to the packet, and an interrupt.
 *
 * A packet does not cross a 4 KiB boundary of the ring; the gap is filled with a
 * NOP. Packets are short (at most 64 words), so that loses less than an eighth.
 */

#include <linux/dma-mapping.h>

#include <drm/drm_print.h>

#include "vgem_svm_drv.h"

#define VGEM_SVM_PAGE_WORDS	(SZ_4K / 8)
#define VGEM_SVM_PKT_MAX	64
/* How long an engine may take; far more than it ever needs. */
#define VGEM_SVM_RING_TIMEOUT	(60 * HZ)

int vgem_svm_ring_init(struct vgem_svm_dev *vdev, struct vgem_svm_ring *ring,
		       u32 chan, u32 bytes)
{
	ring->vdev = vdev;
	ring->chan = chan;
	ring->nr_words = bytes / 8;
	spin_lock_init(&ring->lock);
	/* Most are a program's, and so its cgroup's. */
	ring->words = dma_alloc_coherent(vdev->dev, bytes, &ring->dma,
					 GFP_KERNEL_ACCOUNT);
	return ring->words ? 0 : -ENOMEM;
}

static void vgem_svm_ring_reg(struct vgem_svm_ring *ring, u32 reg, u64 val)
{
	vgem_svm_hw_write(ring->vdev->hw, VGEM_SVM_REG_CHAN(ring->chan, reg),
			  val);
}

/**
 * vgem_svm_ring_enable() - start the channel, empty
 * @ring: ring
 * @ctrl: what CHAN_CTRL gets beside CHAN_ENABLE: the engine, and how it runs
 * @vm: hardware number of the address space
 * @budget: instructions per thread
 */
void vgem_svm_ring_enable(struct vgem_svm_ring *ring, u64 ctrl, u32 vm,
			  u64 budget)
{
	ring->tail = 0;
	ring->seq = 0;
	WRITE_ONCE(ring->vdev->fences[ring->chan], 0);
	vgem_svm_ring_reg(ring, VGEM_SVM_CHAN_RING_BASE, ring->dma);
	vgem_svm_ring_reg(ring, VGEM_SVM_CHAN_RING_BYTES, ring->nr_words * 8);
	vgem_svm_ring_reg(ring, VGEM_SVM_CHAN_VM, vm);
	vgem_svm_ring_reg(ring, VGEM_SVM_CHAN_BUDGET, budget);
	vgem_svm_ring_reg(ring, VGEM_SVM_CHAN_CTRL, VGEM_SVM_CHAN_ENABLE | ctrl);
}

/**
 * vgem_svm_ring_stop() - stop the channel
 * @ring: ring
 *
 * When it returns the engine reads it no more, and does nothing of what it has read.
 *
 * Context: does not sleep, and allocates nothing.
 */
void vgem_svm_ring_stop(struct vgem_svm_ring *ring)
{
	WRITE_ONCE(ring->dead, true);
	vgem_svm_ring_reg(ring, VGEM_SVM_CHAN_CTRL, 0);
	wake_up_all(&ring->vdev->fence_wait);
}

/**
 * vgem_svm_ring_fini() - stop the channel and free the ring
 * @ring: ring
 *
 * Context: may sleep.
 */
void vgem_svm_ring_fini(struct vgem_svm_ring *ring)
{
	if (!ring->words)
		return;
	vgem_svm_ring_stop(ring);
	dma_free_coherent(ring->vdev->dev, ring->nr_words * 8, ring->words,
			  ring->dma);
	ring->words = NULL;
}

/**
 * vgem_svm_ring_space() - room that is neither used nor promised
 * @ring: locked
 *
 * Return: words, with what padding may take left out.
 */
u32 vgem_svm_ring_space(struct vgem_svm_ring *ring)
{
	u64 head = vgem_svm_hw_read(ring->vdev->hw,
				    VGEM_SVM_REG_CHAN(ring->chan,
						      VGEM_SVM_CHAN_HEAD));
	u32 usable = ring->nr_words - ring->nr_words / 8;
	u64 taken = ring->tail - head + ring->credits;

	lockdep_assert_held(&ring->lock);
	return taken < usable ? usable - taken : 0;
}

static void vgem_svm_ring_put(struct vgem_svm_ring *ring, u64 word)
{
	ring->words[ring->tail % ring->nr_words] = word;
	ring->tail++;
}

/**
 * vgem_svm_ring_emit() - put a packet into the ring
 * @ring: locked, with room
 * @pkt: packet
 * @words: its length
 */
void vgem_svm_ring_emit(struct vgem_svm_ring *ring, const u64 *pkt, u32 words)
{
	u32 left = VGEM_SVM_PAGE_WORDS - ring->tail % VGEM_SVM_PAGE_WORDS;
	u32 i;

	lockdep_assert_held(&ring->lock);
	if (WARN_ON_ONCE(words > VGEM_SVM_PKT_MAX) || ring->dead)
		return;
	if (left < words) {
		vgem_svm_ring_put(ring, VGEM_SVM_PKT(VGEM_SVM_PKT_NOP, left, 0));
		ring->tail += left - 1;
	}
	for (i = 0; i < words; i++)
		vgem_svm_ring_put(ring, pkt[i]);
}

/**
 * vgem_svm_ring_fence() - a fence behind what was put in, and the doorbell
 * @ring: locked, with room
 *
 * Return: number of the fence.
 */
u64 vgem_svm_ring_fence(struct vgem_svm_ring *ring)
{
	struct vgem_svm_dev *vdev = ring->vdev;
	u64 seq = ring->seq + 1;
	u64 pkt[VGEM_SVM_FENCE_WORDS] = {
		VGEM_SVM_PKT(VGEM_SVM_PKT_FENCE, VGEM_SVM_FENCE_WORDS,
			     VGEM_SVM_FENCE_IRQ),
		vdev->fences_dma + ring->chan * 8,
		seq,
	};

	/* Read without the lock by vgem_svm_pt_next(). */
	WRITE_ONCE(ring->seq, seq);
	vgem_svm_ring_emit(ring, pkt, ARRAY_SIZE(pkt));
	vgem_svm_ring_reg(ring, VGEM_SVM_CHAN_TAIL, ring->tail);
	return seq;
}

/* The last fence that has passed. What came before it is visible. */
u64 vgem_svm_ring_value(struct vgem_svm_ring *ring)
{
	/* Pairs with the engine's release store of the fence. */
	return smp_load_acquire(&ring->vdev->fences[ring->chan]);
}

bool vgem_svm_ring_done(struct vgem_svm_ring *ring, u64 seq)
{
	return vgem_svm_ring_value(ring) >= seq;
}

/**
 * vgem_svm_ring_wait() - wait for a fence
 * @ring: ring
 * @seq: number of the fence
 *
 * Context: may sleep; bounded.
 * Return: 0, -ENODEV if it will never pass.
 */
int vgem_svm_ring_wait(struct vgem_svm_ring *ring, u64 seq)
{
	struct vgem_svm_dev *vdev = ring->vdev;
	long left;

	left = wait_event_timeout(vdev->fence_wait,
				  vgem_svm_ring_done(ring, seq) ||
				  READ_ONCE(ring->dead),
				  VGEM_SVM_RING_TIMEOUT);
	if (vgem_svm_ring_done(ring, seq))
		return 0;
	if (!left)
		drm_err(&vdev->drm, "channel %u: fence %llu timed out at %llu\n",
			ring->chan, seq, vgem_svm_ring_value(ring));
	return -ENODEV;
}
