// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Invalidations. Posting gives one a number and puts it into a queue; each
 * compute engine carries out what it has not seen yet and publishes how far it
 * is. Software reads the lowest of those numbers.
 *
 * An engine holds its lock for a quantum, looks at the queue before each
 * instruction, and is between instructions whenever the lock is free. So who
 * posts may do the engine's part for it if it gets the lock by trylock: an
 * engine that sleeps, has all its threads parked or stalled, is dead or stopped
 * acknowledges at once. If trylock fails the engine is in a quantum, and sees
 * the request before its next instruction; or it has looked for the last time
 * and is about to unlock, and therefore looks once more after it has. With a
 * full barrier on both sides (after posting, after unlocking) one of the two
 * sees the other.
 *
 * The queue holds the last few; an engine that is further behind flushes all.
 *
 * The copy and page-table engines have no MMU. They acknowledge as well, so that
 * one set of functions locks all engines, but INV_DONE does not ask them.
 */

#include "vgem_svm_hw_priv.h"

static bool vgem_svm_unit_withholds(struct vgem_svm_unit *unit)
{
	unsigned int c, t;

	if (!vgem_svm_hw_planted(9))
		return false;
	for_each_set_bit(c, (unsigned long *)&unit->chans, 64) {
		struct vgem_svm_chan *chan = &unit->hw->chans[c];

		for (t = 0; chan->threads && t < VGEM_SVM_RESIDENT_THREADS; t++)
			if (chan->threads[t].state == VGEM_SVM_THREAD_PARKED)
				return true;
	}
	return false;
}

/* Forgets what the invalidations up to @seq ask for. */
static void vgem_svm_unit_forget(struct vgem_svm_unit *unit, u64 seq)
{
	struct vgem_svm_hw *hw = unit->hw;
	u64 i;

	if (!unit->tlb)
		return;
	for (i = unit->acked + 1; i <= seq &&
	     seq - unit->acked < VGEM_SVM_INV_QUEUE / 2; i++)
		vgem_svm_tlb_flush(unit, &hw->inv_queue[i % VGEM_SVM_INV_QUEUE]);
	/* Too many, or did some wrap around while they were read? */
	smp_rmb();
	if (READ_ONCE(hw->inv_seq) - unit->acked >= VGEM_SVM_INV_QUEUE / 2)
		vgem_svm_tlb_flush_all(unit);
}

/**
 * vgem_svm_unit_ack() - carry out what has been posted
 * @unit: locked, between two instructions
 */
void vgem_svm_unit_ack(struct vgem_svm_unit *unit)
{
	/* The queue, and the tables as they were when it was posted. */
	u64 seq = smp_load_acquire(&unit->hw->inv_seq);

	lockdep_assert_held(&unit->lock);
	if (seq == unit->acked || vgem_svm_unit_withholds(unit))
		return;
	vgem_svm_unit_forget(unit, seq);
	/* Accesses before are done, later ones translate anew. */
	smp_store_release(&unit->acked, seq);
}

/**
 * vgem_svm_unit_lock() - keep an engine between two instructions
 * @unit: engine
 */
void vgem_svm_unit_lock(struct vgem_svm_unit *unit)
{
	spin_lock(&unit->lock);
	vgem_svm_unit_ack(unit);
}

/* Acknowledges for an engine that is not at work. */
static void vgem_svm_unit_try_ack(struct vgem_svm_unit *unit)
{
	u64 acked;

	for (;;) {
		/* After posting, and after unlocking: see above. */
		smp_mb();
		if (!vgem_svm_inv_pending(unit) || !spin_trylock(&unit->lock))
			return;
		acked = unit->acked;
		vgem_svm_unit_ack(unit);
		acked = unit->acked - acked;
		spin_unlock(&unit->lock);
		if (!acked)
			return;
	}
}

/**
 * vgem_svm_unit_unlock() - let it go on
 * @unit: engine
 */
void vgem_svm_unit_unlock(struct vgem_svm_unit *unit)
{
	vgem_svm_unit_ack(unit);
	spin_unlock(&unit->lock);
	vgem_svm_unit_try_ack(unit);
}

/**
 * vgem_svm_inv_post() - start an invalidation
 * @hw: the device
 * @inv: what to forget
 *
 * Context: not in interrupts; takes units' locks by trylock. Never sleeps.
 * Return: its number.
 */
u64 vgem_svm_inv_post(struct vgem_svm_hw *hw, const struct vgem_svm_inv *inv)
{
	unsigned int i;
	u64 seq;

	spin_lock(&hw->inv_lock);
	seq = hw->inv_seq + 1;
	hw->inv_queue[seq % VGEM_SVM_INV_QUEUE] = *inv;
	/* Pairs with vgem_svm_unit_ack(). */
	smp_store_release(&hw->inv_seq, seq);
	spin_unlock(&hw->inv_lock);

	for (i = 0; i < hw->config.nr_compute; i++)
		vgem_svm_unit_try_ack(&hw->compute[i]);
	return seq;
}

/**
 * vgem_svm_inv_done() - how far all engines are
 * @hw: the device
 *
 * Return: number of the last invalidation that every engine has carried out.
 */
u64 vgem_svm_inv_done(struct vgem_svm_hw *hw)
{
	u64 done = U64_MAX;
	unsigned int i;

	for (i = 0; i < hw->config.nr_compute; i++) {
		/* What the engine did before lies behind us. */
		done = min(done, smp_load_acquire(&hw->compute[i].acked));
	}
	return done;
}
