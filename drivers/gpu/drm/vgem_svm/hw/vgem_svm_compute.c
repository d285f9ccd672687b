// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Compute engines: packets of their channels' rings and of the batches these
 * point to, launches, threads.
 *
 * A channel does one packet after the other. Its front end reads packets
 * through the MMU as well, so it may park like a thread. A launch has up to 64
 * threads in slots; as one ends the next begins, and the launch is over when all
 * have ended. Engines take their channels in turn, see vgem_svm_sched.c: one that
 * loops for ever, or waits for a fault, holds up nobody but itself.
 *
 * A quantum is at most VGEM_SVM_QUANTUM instructions of one thread, or one packet,
 * under the engine's lock and so with preemption off. Invalidations are looked
 * for before each instruction: see vgem_svm_inv.c.
 */

#include "vgem_svm_hw_priv.h"

/* ---- launches ----------------------------------------------------------- */

static void vgem_svm_thread_start(struct vgem_svm_chan *chan, u32 slot)
{
	struct vgem_svm_thread *t = &chan->threads[slot];
	const u64 *l = chan->launch;
	unsigned int i;

	memset(t, 0, sizeof(*t));
	t->index = chan->next_thread++;
	t->pc = l[1];
	t->resv_va = ~0ULL;
	t->stack_lo = l[3] + slot * l[4];
	t->stack_hi = t->stack_lo + l[4];
	t->x[1] = VGEM_SVM_EXIT_VA;
	t->x[2] = t->stack_hi;
	t->x[10] = t->index;
	for (i = 0; i < 7; i++)
		t->x[11 + i] = l[5 + i];
	t->state = VGEM_SVM_THREAD_RUN;
	chan->resident++;
}

static void vgem_svm_launch_refill(struct vgem_svm_chan *chan)
{
	u32 slot;

	for (slot = 0; slot < VGEM_SVM_RESIDENT_THREADS &&
	     chan->next_thread < chan->nr_threads; slot++)
		if (chan->threads[slot].state == VGEM_SVM_THREAD_FREE)
			vgem_svm_thread_start(chan, slot);
}

static bool vgem_svm_launch_ok(const u64 *pkt)
{
	u64 last = pkt[3] + pkt[4] * VGEM_SVM_RESIDENT_THREADS;

	return pkt[2] && pkt[2] <= VGEM_SVM_MAX_THREADS && !(pkt[3] & 15) &&
	       !(pkt[4] & 15) && pkt[4] <= BIT_ULL(40) && last >= pkt[3] &&
	       !(last >> VGEM_SVM_VA_BITS);
}

static bool vgem_svm_launch(struct vgem_svm_chan *chan, const u64 *pkt)
{
	if (!vgem_svm_launch_ok(pkt))
		return false;
	memcpy(chan->launch, pkt, sizeof(chan->launch));
	chan->next_thread = 0;
	chan->nr_threads = pkt[2];
	chan->insns = 0;
	vgem_svm_launch_refill(chan);
	return true;
}

/* ---- the front end ------------------------------------------------------ */

static void vgem_svm_front_stop(struct vgem_svm_chan *chan,
				const struct vgem_svm_stop *stop, u64 word)
{
	if (vgem_svm_stop_ends(chan, stop))
		vgem_svm_fault_end(chan, stop, 0, word << 32);
	else
		chan->front = vgem_svm_fault_raise(chan, stop, 0, 0,
						   &chan->front_record);
}

/* A 64-bit access of a packet. Return: false if it did not happen. */
static bool vgem_svm_front_store(struct vgem_svm_chan *chan, const u64 *pkt,
				 u32 access)
{
	struct vgem_svm_stop stop = {};
	u8 *p;

	p = vgem_svm_access(chan->unit, chan->vm, pkt[1], 8, access, &stop);
	if (!p) {
		vgem_svm_front_stop(chan, &stop, pkt[0]);
		return false;
	}
	if (access == VGEM_SVM_ACCESS_ATOMIC)
		/* The next packet, or the fence behind the batch, comes after it. */
		atomic64_add(pkt[2], (atomic64_t *)p);
	else
		/* What the batch did is visible before its fence. */
		smp_store_release((u64 *)p, pkt[2]);
	return true;
}

/* Reads a packet of the batch, word by word: it may cross pages. */
static bool vgem_svm_batch_fetch(struct vgem_svm_chan *chan, u64 *pkt)
{
	struct vgem_svm_stop stop = {};
	u32 i, words = 1;
	u8 *p;

	for (i = 0; i < words; i++) {
		p = vgem_svm_access(chan->unit, chan->vm, chan->batch + i * 8,
				    8, VGEM_SVM_ACCESS_READ, &stop);
		if (!p) {
			vgem_svm_front_stop(chan, &stop, 0);
			return false;
		}
		pkt[i] = READ_ONCE(*(u64 *)p);
		if (!i) {
			words = VGEM_SVM_PKT_WORDS(pkt[0]);
			if (words > (chan->batch_end - chan->batch) / 8 ||
			    !vgem_svm_packet_ok(pkt[0], VGEM_SVM_PACKET_BATCH)) {
				vgem_svm_chan_die(chan, VGEM_SVM_ERR_PACKET,
						  chan->batch, 0, pkt[0] << 32);
				return false;
			}
			words = min_t(u32, words, VGEM_SVM_LAUNCH_WORDS);
		}
	}
	return true;
}

static bool vgem_svm_batch_execute(struct vgem_svm_chan *chan, const u64 *pkt)
{
	switch (VGEM_SVM_PKT_OP(pkt[0])) {
	case VGEM_SVM_PKT_LAUNCH:
		if (vgem_svm_launch(chan, pkt))
			return true;
		vgem_svm_chan_die(chan, VGEM_SVM_ERR_PACKET, chan->batch, 0,
				  pkt[0] << 32);
		return false;
	case VGEM_SVM_PKT_STORE:
		return vgem_svm_front_store(chan, pkt, VGEM_SVM_ACCESS_WRITE);
	case VGEM_SVM_PKT_ATOMIC_ADD:
		return vgem_svm_front_store(chan, pkt, VGEM_SVM_ACCESS_ATOMIC);
	default:
		return true;
	}
}

static void vgem_svm_front_batch(struct vgem_svm_chan *chan)
{
	u64 pkt[VGEM_SVM_LAUNCH_WORDS];

	if (!vgem_svm_hw_planted(46))
		/* Packets are in order for all: a load after a store as well. */
		smp_mb();
	if (!vgem_svm_batch_fetch(chan, pkt) ||
	    !vgem_svm_batch_execute(chan, pkt))
		return;
	chan->batch += VGEM_SVM_PKT_WORDS(pkt[0]) * 8;
}

static bool vgem_svm_batch_start(struct vgem_svm_chan *chan, const u64 *pkt)
{
	u64 end = pkt[1] + pkt[2];

	if ((pkt[1] & 7) || (pkt[2] & 7) || end < pkt[1])
		return false;
	chan->batch = pkt[1];
	chan->batch_end = end;
	return true;
}

static bool vgem_svm_user_fence(struct vgem_svm_chan *chan, const u64 *pkt)
{
	if (!vgem_svm_front_store(chan, pkt, VGEM_SVM_ACCESS_WRITE))
		return false;
	if (VGEM_SVM_PKT_HI(pkt[0]) & VGEM_SVM_FENCE_IRQ)
		vgem_svm_irq_raise(chan->unit->hw, VGEM_SVM_INT_FENCE);
	return true;
}

static bool vgem_svm_front_ring(struct vgem_svm_chan *chan)
{
	const u64 *pkt = vgem_svm_chan_packet(chan);
	u64 header;
	bool ok;

	if (!pkt)
		return false;
	header = pkt[0];
	switch (VGEM_SVM_PKT_OP(header)) {
	case VGEM_SVM_PKT_BATCH:
		ok = vgem_svm_batch_start(chan, pkt);
		break;
	case VGEM_SVM_PKT_USER_FENCE:
		if (!vgem_svm_user_fence(chan, pkt))
			return true;
		ok = true;
		break;
	default:
		ok = vgem_svm_chan_common(chan, pkt);
	}
	if (ok)
		vgem_svm_chan_next(chan, header);
	else
		vgem_svm_chan_die(chan, VGEM_SVM_ERR_PACKET, chan->head * 8, 0,
				  header << 32);
	return true;
}

/* ---- quanta --------------------------------------------------------- */

static struct vgem_svm_thread *vgem_svm_pick(struct vgem_svm_chan *chan)
{
	u32 i;

	for (i = 0; i < VGEM_SVM_RESIDENT_THREADS; i++) {
		u32 slot = (chan->slot + i) % VGEM_SVM_RESIDENT_THREADS;

		if (chan->threads[slot].state == VGEM_SVM_THREAD_RUN) {
			chan->slot = (slot + 1) % VGEM_SVM_RESIDENT_THREADS;
			return &chan->threads[slot];
		}
	}
	return NULL;
}

static u32 vgem_svm_run_thread(struct vgem_svm_chan *chan,
			       struct vgem_svm_thread *t)
{
	u32 used = vgem_svm_rv64_run(chan, t, VGEM_SVM_QUANTUM);

	if (t->state == VGEM_SVM_THREAD_FREE)
		vgem_svm_launch_refill(chan);
	return used;
}

/* Return: false if there is no packet to do. */
static bool vgem_svm_front(struct vgem_svm_chan *chan)
{
	if (chan->front != VGEM_SVM_THREAD_RUN)
		return false;
	if (chan->batch == chan->batch_end)
		return vgem_svm_front_ring(chan);
	vgem_svm_front_batch(chan);
	return true;
}

/**
 * vgem_svm_chan_quantum() - a channel goes on
 * @chan: its unit is locked, it is on
 *
 * Return: instructions that took, as many as a quantum for a packet; 0 if there is
 * nothing to do.
 */
u32 vgem_svm_chan_quantum(struct vgem_svm_chan *chan)
{
	struct vgem_svm_thread *t;

	if (!chan->resident)
		return vgem_svm_front(chan) ? VGEM_SVM_QUANTUM : 0;
	t = vgem_svm_pick(chan);
	return t ? vgem_svm_run_thread(chan, t) : 0;
}
