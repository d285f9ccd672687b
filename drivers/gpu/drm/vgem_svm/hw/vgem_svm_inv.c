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
 * So does one that would have much to look up, since it is not preempted
 * meanwhile: VGEM_SVM_INV_WORK bounds it, however many are posted and however
 * large they are.
 *
 * Reuse: an engine may be held up for any time between two of its instructions,
 * also in here, and its place in the queue is filled again after 256 more. So it
 * takes a copy, and looks afterwards whether that may be a mixture of two. The
 * number of each is stored before the lock is given back, and the next one's
 * fields after it is taken: stores keep that order for all who look. Who has seen
 * a field of number n + 256 therefore sees that n + 255 has been posted.
 *
 * The copy and page-table engines have no MMU. They acknowledge as well, so that
 * one set of functions locks all engines, but INV_DONE does not ask them.
 */

#include "vgem_svm_hw_priv.h"

static bool vgem_svm_unit_planted(struct vgem_svm_unit *unit)
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

/* Return: false if the place of @seq in the queue has gone to a later one. */
static bool vgem_svm_inv_take(struct vgem_svm_hw *hw, u64 seq,
			      struct vgem_svm_inv *inv)
{
	struct vgem_svm_inv *slot = &hw->inv_queue[seq % VGEM_SVM_INV_QUEUE];

	inv->vm = READ_ONCE(slot->vm);
	inv->first = READ_ONCE(slot->first);
	inv->last = READ_ONCE(slot->last);
	inv->flags = READ_ONCE(slot->flags);
	/* What was read, then how far posting has come: see "Reuse" above. */
	smp_rmb();
	return READ_ONCE(hw->inv_seq) - seq < VGEM_SVM_INV_QUEUE - 1;
}

/* Forgets what invalidation @seq asks for. Return: false if that was not done. */
static bool vgem_svm_unit_forget_one(struct vgem_svm_unit *unit, u64 seq,
				     u64 *work)
{
	struct vgem_svm_hw *hw = unit->hw;
	struct vgem_svm_inv inv;

	if (vgem_svm_hw_planted(45)) {
		vgem_svm_tlb_flush(unit, &hw->inv_queue[seq % VGEM_SVM_INV_QUEUE]);
		return READ_ONCE(hw->inv_seq) - seq < VGEM_SVM_INV_QUEUE / 2;
	}
	if (!vgem_svm_inv_take(hw, seq, &inv))
		return false;
	*work += vgem_svm_tlb_flush_work(&inv);
	if (*work > VGEM_SVM_INV_WORK)
		return false;
	vgem_svm_tlb_flush(unit, &inv);
	return true;
}

/* Forgets what the invalidations up to @seq ask for. */
static void vgem_svm_unit_forget(struct vgem_svm_unit *unit, u64 seq)
{
	u64 work = 0, i;

	if (!unit->tlb)
		return;
	for (i = unit->acked + 1; i <= seq; i++) {
		if (!vgem_svm_unit_forget_one(unit, i, &work)) {
			vgem_svm_tlb_flush_all(unit);
			return;
		}
	}
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
	if (seq == unit->acked || vgem_svm_unit_planted(unit))
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
	struct vgem_svm_inv *slot;
	unsigned int i;
	u64 seq;

	spin_lock(&hw->inv_lock);
	seq = hw->inv_seq + 1;
	slot = &hw->inv_queue[seq % VGEM_SVM_INV_QUEUE];
	/* An engine may be reading what was there. */
	WRITE_ONCE(slot->vm, inv->vm);
	WRITE_ONCE(slot->first, inv->first);
	WRITE_ONCE(slot->last, inv->last);
	WRITE_ONCE(slot->flags, inv->flags);
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
