// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Whose turn it is on a compute engine. Software names an owner for each channel;
 * owners take turns, so that one who has many channels has no more of the engine
 * than one who has one. In a turn an owner has a slice, counted in instructions, and
 * the channel of its own that has waited longest gets it; what that leaves, since it
 * waits for a page or has nothing to do, goes to the next.
 *
 * The order within a slice is the channel's: its threads take turns by quantum, see
 * vgem_svm_compute.c. The engine's lock is held for a quantum, not for the slice.
 */

#include <linux/sched.h>

#include "vgem_svm_hw_priv.h"

/* Channels among @chans that have the owner of channel @c. */
static u64 vgem_svm_sched_kin(struct vgem_svm_hw *hw, u64 chans, u32 c)
{
	u32 owner = READ_ONCE(hw->chans[c].owner), i;
	u64 kin = 0;

	for_each_set_bit(i, (unsigned long *)&chans, 64)
		if (READ_ONCE(hw->chans[i].owner) == owner)
			kin |= BIT_ULL(i);
	return kin;
}

/* Which of @chans has waited longest? */
static u32 vgem_svm_sched_next(struct vgem_svm_hw *hw, u64 chans)
{
	u32 next = 0, i;
	u64 least = U64_MAX, turn;

	/* Another engine may be about to leave one of them. */
	for_each_set_bit(i, (unsigned long *)&chans, 64) {
		turn = READ_ONCE(hw->chans[i].turn);
		if (turn < least) {
			least = turn;
			next = i;
		}
	}
	return next;
}

/* Return: what it has used, 0 if it had nothing to do. */
static u32 vgem_svm_sched_quantum(struct vgem_svm_unit *unit, u32 c)
{
	u32 used = 0;

	vgem_svm_unit_lock(unit);
	if ((unit->chans & BIT_ULL(c)) && !READ_ONCE(unit->hw->stopped))
		used = vgem_svm_chan_quantum(&unit->hw->chans[c]);
	vgem_svm_unit_unlock(unit);
	cond_resched();
	return used;
}

/* Return: what is left of the slice. */
static u32 vgem_svm_sched_chan(struct vgem_svm_unit *unit, u32 c, u32 slice)
{
	u32 left = slice, used;

	while (left) {
		used = vgem_svm_sched_quantum(unit, c);
		if (!used)
			break;
		left -= min(left, used);
	}
	if (left != slice)
		WRITE_ONCE(unit->hw->chans[c].turn, ++unit->turns);
	return left;
}

/* One slice for the owner of @chans. Return: false if none had anything to do. */
static bool vgem_svm_sched_owner(struct vgem_svm_unit *unit, u64 chans)
{
	u32 left = VGEM_SVM_SLICE, c;

	while (chans && left) {
		c = vgem_svm_sched_next(unit->hw, chans);
		chans &= ~BIT_ULL(c);
		left = vgem_svm_sched_chan(unit, c, left);
	}
	return left != VGEM_SVM_SLICE;
}

/**
 * vgem_svm_compute_step() - a slice for each owner of channels of an engine
 * @unit: engine
 *
 * Context: the engine's thread; may sleep between quanta.
 * Return: false if none had anything to do.
 */
bool vgem_svm_compute_step(struct vgem_svm_unit *unit)
{
	u64 left = READ_ONCE(unit->chans), kin;
	bool busy = false;

	while (left) {
		kin = vgem_svm_sched_kin(unit->hw, left, __ffs64(left));
		left &= ~kin;
		busy |= vgem_svm_sched_owner(unit, kin);
	}
	return busy;
}
