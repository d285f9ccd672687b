// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Replayable faults: a thread that cannot be served parks, a record goes into
 * the buffer in memory, and the replay lets it try again: all that is parked in an
 * address space, or, if software has chosen that, what is parked on one record. If the
 * buffer is full the thread stalls until software has taken records; nothing else waits.
 *
 * A thread that waits is between two instructions: its access did not happen, it
 * keeps no translation, and its engine acknowledges invalidations for it. It has
 * one record at most, since it writes another only after the replay or the answer.
 *
 * No wake-up is lost: the state is set under the engine's lock, which whoever
 * writes GET, REPLAY or ACK takes after the fault buffer has room, or the translation
 * is there.
 *
 * A channel that is to have no faults has neither record nor replay: it ends.
 */

#include <linux/bitfield.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "vgem_svm_hw_priv.h"

/* Return: 0, -EFAULT for a bus error, with the address in @where. */
static int vgem_svm_fault_store(struct vgem_svm_hw *hw,
				const struct vgem_svm_hw_fault *record,
				u64 *where)
{
	u64 index = hw->fault_put & (hw->fault_entries - 1);
	struct vgem_svm_hw_fault *slot;

	*where = hw->fault_base + index * sizeof(*slot);
	slot = (void *)vgem_svm_bus(hw, *where, true);
	if (!slot)
		return -EFAULT;
	*slot = *record;
	slot->seq = cpu_to_le64(hw->fault_put);
	/* The record is in memory before PUT says so. */
	smp_store_release(&hw->fault_put, hw->fault_put + 1);
	return 0;
}

/* Return: 0, -ENOSPC if there is no room, -EFAULT for a bus error. */
static int vgem_svm_fault_write(struct vgem_svm_hw *hw,
				const struct vgem_svm_hw_fault *record,
				u64 *where, u64 *number)
{
	int ret = -ENOSPC;

	spin_lock(&hw->fault_lock);
	*number = hw->fault_put;
	if (hw->fault_put - hw->fault_get < hw->fault_entries)
		ret = vgem_svm_fault_store(hw, record, where);
	spin_unlock(&hw->fault_lock);
	if (!ret)
		vgem_svm_irq_raise(hw, VGEM_SVM_INT_FAULT);
	return ret;
}

/* Lets what is in @state in one address space (or all) run again. */
static void vgem_svm_wake_chan(struct vgem_svm_chan *chan,
			       enum vgem_svm_thread_state state)
{
	unsigned int t;

	if (chan->front == state)
		chan->front = VGEM_SVM_THREAD_RUN;
	for (t = 0; t < VGEM_SVM_RESIDENT_THREADS; t++)
		if (chan->threads[t].state == state)
			chan->threads[t].state = VGEM_SVM_THREAD_RUN;
}

static void vgem_svm_wake(struct vgem_svm_hw *hw, u32 vm,
			  enum vgem_svm_thread_state state)
{
	unsigned int i, c;

	for (i = 0; i < hw->config.nr_compute; i++) {
		struct vgem_svm_unit *unit = &hw->compute[i];

		vgem_svm_unit_lock(unit);
		for_each_set_bit(c, (unsigned long *)&unit->chans, 64)
			if (vm == VGEM_SVM_REPLAY_ALL || hw->chans[c].vm == vm)
				vgem_svm_wake_chan(&hw->chans[c], state);
		vgem_svm_unit_unlock(unit);
		vgem_svm_unit_kick(unit);
	}
}

/**
 * vgem_svm_fault_set_get() - software has taken records
 * @hw: the device
 * @get: how many in all
 */
void vgem_svm_fault_set_get(struct vgem_svm_hw *hw, u64 get)
{
	spin_lock(&hw->fault_lock);
	WRITE_ONCE(hw->fault_get, get);
	spin_unlock(&hw->fault_lock);
	vgem_svm_wake(hw, VGEM_SVM_REPLAY_ALL, VGEM_SVM_THREAD_STALLED);
}

/**
 * vgem_svm_fault_setup() - FAULT_BASE or FAULT_ENTRIES is written
 * @hw: the device
 * @reg: which
 * @val: value
 *
 * The buffer is empty afterwards, and what was stalled tries again.
 */
void vgem_svm_fault_setup(struct vgem_svm_hw *hw, u32 reg, u64 val)
{
	bool ok = is_power_of_2(val) && val >= 4 && val <= 4096;

	spin_lock(&hw->fault_lock);
	if (reg == VGEM_SVM_REG_FAULT_BASE)
		hw->fault_base = val & ~(u64)(SZ_4K - 1);
	else
		hw->fault_entries = ok ? val : 0;
	WRITE_ONCE(hw->fault_put, 0);
	spin_unlock(&hw->fault_lock);
	vgem_svm_fault_set_get(hw, 0);
}

/**
 * vgem_svm_replay() - what is parked may try again
 * @hw: the device
 * @vm: in which address space, or VGEM_SVM_REPLAY_ALL
 */
void vgem_svm_replay(struct vgem_svm_hw *hw, u32 vm)
{
	if (!READ_ONCE(hw->fault_each))
		vgem_svm_wake(hw, vm, VGEM_SVM_THREAD_PARKED);
}

/* Return: the state of what is parked on a record; NULL if nothing is. */
static enum vgem_svm_thread_state *
vgem_svm_chan_parked_on(struct vgem_svm_chan *chan, u64 number)
{
	unsigned int t;

	if (chan->status != VGEM_SVM_CHAN_ST_ON)
		return NULL;
	if (chan->front == VGEM_SVM_THREAD_PARKED &&
	    chan->front_record == number)
		return &chan->front;
	for (t = 0; chan->threads && t < VGEM_SVM_RESIDENT_THREADS; t++)
		if (chan->threads[t].state == VGEM_SVM_THREAD_PARKED &&
		    chan->threads[t].record == number)
			return &chan->threads[t].state;
	return NULL;
}

/* Lets what is parked on a record go on, or ends its channel. */
static void vgem_svm_fault_answer(struct vgem_svm_hw *hw, u32 index, u64 number,
				  bool retry)
{
	enum vgem_svm_thread_state *parked;
	struct vgem_svm_chan *chan;
	struct vgem_svm_unit *unit;

	if (index < VGEM_SVM_HW_CHAN_USER || index >= VGEM_SVM_HW_NR_CHANS)
		return;
	chan = &hw->chans[index];
	unit = vgem_svm_chan_lock(chan);
	parked = vgem_svm_chan_parked_on(chan, number);
	if (parked && retry)
		*parked = VGEM_SVM_THREAD_RUN;
	else if (parked)
		vgem_svm_chan_die(chan, VGEM_SVM_ERR_FAULT, 0, 0, 0);
	vgem_svm_unit_unlock(unit);
	if (parked && retry)
		vgem_svm_unit_kick(unit);
}

/**
 * vgem_svm_fault_cancel() - FAULT_CANCEL is written
 * @hw: the device
 * @val: channel and record
 *
 * Nothing happens if the record is stale: what wrote it has been replayed since,
 * and has gone on or will write another.
 */
void vgem_svm_fault_cancel(struct vgem_svm_hw *hw, u64 val)
{
	if (!READ_ONCE(hw->fault_each))
		vgem_svm_fault_answer(hw, FIELD_GET(VGEM_SVM_CANCEL_CHAN, val),
				      FIELD_GET(VGEM_SVM_CANCEL_RECORD, val),
				      false);
}

/**
 * vgem_svm_fault_ack() - FAULT_ACK is written
 * @hw: the device
 * @val: channel, record and result
 *
 * Nothing happens if nothing is parked on the record: it has had its answer, or its
 * channel has ended.
 */
void vgem_svm_fault_ack(struct vgem_svm_hw *hw, u64 val)
{
	if (READ_ONCE(hw->fault_each))
		vgem_svm_fault_answer(hw, FIELD_GET(VGEM_SVM_ACK_CHAN, val),
				      FIELD_GET(VGEM_SVM_ACK_RECORD, val),
				      FIELD_GET(VGEM_SVM_ACK_RESULT, val) ==
				      VGEM_SVM_ACK_RETRY);
}

/**
 * vgem_svm_fault_end() - an access ends its channel
 * @chan: its channel; the unit is locked
 * @stop: what happened, an error, or a fault that the channel is not to have
 * @pc: program counter of the thread, 0 for a packet
 * @info: thread and word
 */
void vgem_svm_fault_end(struct vgem_svm_chan *chan, const struct vgem_svm_stop *stop,
			u64 pc, u64 info)
{
	/* Before the channel is dead for who reads its status. */
	if (!stop->error)
		chan->err_fault =
			FIELD_PREP(VGEM_SVM_FAULT_ACCESS, stop->access) |
			FIELD_PREP(VGEM_SVM_FAULT_REASON, stop->reason);
	vgem_svm_chan_die(chan, stop->error ?: VGEM_SVM_ERR_FAULT, stop->va, pc,
			  info);
}

/**
 * vgem_svm_fault_raise() - an access faulted
 * @chan: its channel; the unit is locked
 * @stop: what happened
 * @thread: number of the thread in its launch
 * @pc: its program counter, 0 for a packet
 * @number: out, number of the record if it is parked on one
 *
 * A fault buffer that the bus refuses ends the channel.
 *
 * Return: what the thread is to do now.
 */
enum vgem_svm_thread_state vgem_svm_fault_raise(struct vgem_svm_chan *chan,
						const struct vgem_svm_stop *stop,
						u32 thread, u64 pc,
						u64 *number)
{
	struct vgem_svm_hw_fault record = {
		.va = cpu_to_le64(stop->va),
		.info = cpu_to_le64(FIELD_PREP(VGEM_SVM_FAULT_VM, chan->vm) |
				    FIELD_PREP(VGEM_SVM_FAULT_CHAN, chan->index) |
				    FIELD_PREP(VGEM_SVM_FAULT_THREAD, thread) |
				    FIELD_PREP(VGEM_SVM_FAULT_ACCESS, stop->access) |
				    FIELD_PREP(VGEM_SVM_FAULT_REASON, stop->reason)),
		.pc = cpu_to_le64(pc),
	};
	u64 where;

	switch (vgem_svm_fault_write(chan->unit->hw, &record, &where, number)) {
	case -ENOSPC:
		return VGEM_SVM_THREAD_STALLED;
	case -EFAULT:
		vgem_svm_chan_die(chan, VGEM_SVM_ERR_BUS, where, pc, thread);
		fallthrough;
	default:
		return VGEM_SVM_THREAD_PARKED;
	}
}
