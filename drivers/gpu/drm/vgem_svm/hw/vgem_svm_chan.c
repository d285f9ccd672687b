// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Channels: a ring, its registers, and what all engines do with packets. A
 * channel's state is its engine's lock's; a register write takes that lock, so
 * that a channel that has been ended makes no access any more.
 *
 * A channel is off, on, or dead. CHAN_CTRL makes it on, with everything at zero,
 * or off; an error, CHAN_KILL or RESET make one that is on dead. It changes its
 * engine only while it is off, under the lock of the old one.
 */

#include <linux/mm.h>

#include "vgem_svm_hw_priv.h"

/**
 * vgem_svm_unit_kick() - an engine has to look for work
 * @unit: engine
 *
 * Context: any.
 */
void vgem_svm_unit_kick(struct vgem_svm_unit *unit)
{
	/* After what there is to see; the engine takes it, then looks. */
	smp_store_release(&unit->kick, true);
	wake_up(&unit->wait);
}

/**
 * vgem_svm_chan_lock() - lock a channel's engine
 * @chan: channel
 *
 * Return: the engine.
 */
struct vgem_svm_unit *vgem_svm_chan_lock(struct vgem_svm_chan *chan)
{
	struct vgem_svm_unit *unit;

	for (;;) {
		unit = READ_ONCE(chan->unit);
		vgem_svm_unit_lock(unit);
		if (unit == chan->unit)
			return unit;
		/* It has been moved while we waited. */
		vgem_svm_unit_unlock(unit);
	}
}

/* The engine looks without its lock whether there is anything to lock it for. */
static void vgem_svm_unit_set_chan(struct vgem_svm_unit *unit, u32 index, bool on)
{
	u64 bit = BIT_ULL(index);

	lockdep_assert_held(&unit->lock);
	WRITE_ONCE(unit->chans, on ? unit->chans | bit : unit->chans & ~bit);
}

/**
 * vgem_svm_chan_die() - a channel ends
 * @chan: its unit is locked
 * @error: enum vgem_svm_chan_error
 * @addr: offending address
 * @pc: program counter
 * @info: thread and word
 */
void vgem_svm_chan_die(struct vgem_svm_chan *chan, u32 error, u64 addr, u64 pc,
		       u64 info)
{
	struct vgem_svm_hw *hw = chan->unit->hw;

	if (chan->status != VGEM_SVM_CHAN_ST_ON)
		return;
	chan->err = error;
	chan->err_addr = addr;
	chan->err_pc = pc;
	chan->err_info = info;
	/* Who reads DEAD reads why. */
	smp_store_release(&chan->status, VGEM_SVM_CHAN_ST_DEAD);
	vgem_svm_unit_set_chan(chan->unit, chan->index, false);
	atomic64_or(BIT_ULL(chan->index), &hw->chan_errors);
	vgem_svm_irq_raise(hw, VGEM_SVM_INT_CHAN_ERROR);
}

static void vgem_svm_chan_reset(struct vgem_svm_chan *chan)
{
	unsigned int t;

	WRITE_ONCE(chan->head, 0);
	WRITE_ONCE(chan->tail, 0);
	/* Each engine counts turns of its own. */
	WRITE_ONCE(chan->turn, 0);
	chan->pkt_kept = false;
	chan->err = 0;
	chan->err_addr = 0;
	chan->err_pc = 0;
	chan->err_info = 0;
	chan->err_fault = 0;
	chan->batch = 0;
	chan->batch_end = 0;
	chan->next_thread = 0;
	chan->nr_threads = 0;
	chan->resident = 0;
	chan->slot = 0;
	chan->front = VGEM_SVM_THREAD_RUN;
	for (t = 0; chan->threads && t < VGEM_SVM_RESIDENT_THREADS; t++)
		chan->threads[t].state = VGEM_SVM_THREAD_FREE;
}

/* Turns a channel off, and gives it to another engine if @next is one. */
static void vgem_svm_chan_off(struct vgem_svm_chan *chan,
			      struct vgem_svm_unit *next)
{
	struct vgem_svm_unit *unit = vgem_svm_chan_lock(chan);

	vgem_svm_unit_set_chan(unit, chan->index, false);
	WRITE_ONCE(chan->status, VGEM_SVM_CHAN_ST_OFF);
	if (next)
		WRITE_ONCE(chan->unit, next);
	vgem_svm_unit_unlock(unit);
}

static struct vgem_svm_unit *vgem_svm_chan_engine(struct vgem_svm_hw *hw,
						  u32 index, u64 val)
{
	u32 engine = val >> 8 & 0xff;

	if (index == VGEM_SVM_HW_CHAN_PT)
		return &hw->pt;
	if (index == VGEM_SVM_HW_CHAN_COPY)
		return &hw->copy;
	return engine < hw->config.nr_compute ? &hw->compute[engine] : NULL;
}

/**
 * vgem_svm_chan_ctrl() - CHAN_CTRL is written
 * @hw: the device
 * @index: channel
 * @val: value
 */
void vgem_svm_chan_ctrl(struct vgem_svm_hw *hw, u32 index, u64 val)
{
	struct vgem_svm_chan *chan = &hw->chans[index];
	struct vgem_svm_unit *unit = vgem_svm_chan_engine(hw, index, val);

	vgem_svm_chan_off(chan, unit);
	if (!(val & VGEM_SVM_CHAN_ENABLE) || !unit)
		return;

	vgem_svm_unit_lock(unit);
	vgem_svm_chan_reset(chan);
	chan->no_fault = val & VGEM_SVM_CHAN_NO_FAULT;
	if (unit == &hw->copy)
		unit->done_bytes = 0;
	if (unit == &hw->pt)
		unit->inv_wait = 0;
	WRITE_ONCE(chan->status, VGEM_SVM_CHAN_ST_ON);
	vgem_svm_unit_set_chan(unit, index, true);
	vgem_svm_unit_unlock(unit);
	vgem_svm_unit_kick(unit);
}

/**
 * vgem_svm_chan_kill() - CHAN_KILL is written
 * @hw: the device
 * @val: channel and reason
 */
void vgem_svm_chan_kill(struct vgem_svm_hw *hw, u64 val)
{
	u32 index = val & 0xffff, error = val >> 16 & 0xffff;
	struct vgem_svm_chan *chan;
	struct vgem_svm_unit *unit;

	if (index >= VGEM_SVM_HW_NR_CHANS || !error || error >= VGEM_SVM_ERR_NR)
		return;
	chan = &hw->chans[index];
	unit = vgem_svm_chan_lock(chan);
	vgem_svm_chan_die(chan, error, 0, 0, 0);
	vgem_svm_unit_unlock(unit);
}

static u64 *vgem_svm_ring_word(struct vgem_svm_chan *chan, u64 n)
{
	u64 offset = (n * 8) & (chan->ring_bytes - 1);

	return (u64 *)vgem_svm_bus(chan->unit->hw, chan->ring_base + offset,
				   false);
}

static enum vgem_svm_packet_place vgem_svm_chan_place(struct vgem_svm_chan *chan)
{
	switch (chan->index) {
	case VGEM_SVM_HW_CHAN_PT:
		return VGEM_SVM_PACKET_PT;
	case VGEM_SVM_HW_CHAN_COPY:
		return VGEM_SVM_PACKET_COPY;
	default:
		return VGEM_SVM_PACKET_COMPUTE;
	}
}

/* Reads the packet at the head. Return: false if that ended the channel. */
static bool vgem_svm_chan_fetch(struct vgem_svm_chan *chan, u64 tail)
{
	const u64 *ring = vgem_svm_ring_word(chan, chan->head);
	u64 left = (SZ_4K - ((chan->head * 8) & (SZ_4K - 1))) / 8;
	u32 words, i;

	if (!ring) {
		vgem_svm_chan_die(chan, VGEM_SVM_ERR_BUS, chan->ring_base, 0,
				  0);
		return false;
	}
	chan->pkt[0] = READ_ONCE(ring[0]);
	words = VGEM_SVM_PKT_WORDS(chan->pkt[0]);
	if (words > min(left, tail - chan->head) ||
	    !vgem_svm_packet_ok(chan->pkt[0], vgem_svm_chan_place(chan))) {
		vgem_svm_chan_die(chan, VGEM_SVM_ERR_PACKET, chan->head * 8, 0,
				  chan->pkt[0] << 32);
		return false;
	}
	for (i = 1; i < min_t(u32, words, VGEM_SVM_PKT_KEPT); i++)
		chan->pkt[i] = READ_ONCE(ring[i]);
	return true;
}

/**
 * vgem_svm_chan_packet() - the packet at the head of the ring
 * @chan: its unit is locked, it is on
 *
 * A packet is read once, however many steps it takes: what is written to its place
 * in the ring meanwhile does not change it. Of one that is longer than
 * %VGEM_SVM_PKT_KEPT these are the first words; vgem_svm_chan_words() has the rest.
 *
 * Context: a ring that cannot be read, a packet that is longer than what has
 * been written or crosses a 4 KiB boundary of the ring, and one whose first word is
 * not as vgem_svm_packet_ok() wants it, end the channel.
 * Return: its words, or NULL if there is none.
 */
const u64 *vgem_svm_chan_packet(struct vgem_svm_chan *chan)
{
	/* What was written before the doorbell is read after it. */
	u64 tail = smp_load_acquire(&chan->tail);

	if (chan->head == tail)
		return NULL;
	if (!chan->pkt_kept)
		chan->pkt_kept = vgem_svm_chan_fetch(chan, tail);
	return chan->pkt_kept ? chan->pkt : NULL;
}

/**
 * vgem_svm_chan_words() - more of the packet at the head, in the ring
 * @chan: its unit is locked
 * @first: which word
 *
 * Each is to be read once, by READ_ONCE().
 *
 * Return: that word and those behind it, NULL if the bus refuses the ring.
 */
const u64 *vgem_svm_chan_words(struct vgem_svm_chan *chan, u32 first)
{
	return vgem_svm_ring_word(chan, chan->head + first);
}

/**
 * vgem_svm_chan_next() - the packet at the head is done
 * @chan: its unit is locked
 * @header: its first word
 *
 * The head of a channel that has died of its packet stays there.
 */
void vgem_svm_chan_next(struct vgem_svm_chan *chan, u64 header)
{
	if (chan->status != VGEM_SVM_CHAN_ST_ON)
		return;
	chan->pkt_kept = false;
	/* What the packet did is visible before HEAD says that it is done. */
	smp_store_release(&chan->head, chan->head + VGEM_SVM_PKT_WORDS(header));
}

static bool vgem_svm_chan_fence(struct vgem_svm_chan *chan, const u64 *pkt)
{
	struct vgem_svm_hw *hw = chan->unit->hw;
	u8 *ptr;

	if (pkt[1] & 7)
		return false;
	ptr = vgem_svm_bus(hw, pkt[1], true);
	if (!ptr) {
		vgem_svm_chan_die(chan, VGEM_SVM_ERR_BUS, pkt[1], 0, 0);
		return true;
	}
	/* What earlier packets did is visible before it. */
	smp_store_release((u64 *)ptr, pkt[2]);
	if (VGEM_SVM_PKT_HI(pkt[0]) & VGEM_SVM_FENCE_IRQ)
		vgem_svm_irq_raise(hw, VGEM_SVM_INT_FENCE);
	return true;
}

/**
 * vgem_svm_chan_common() - packets that any ring may hold
 * @chan: its unit is locked
 * @pkt: packet
 *
 * Return: false if it is none of them, or malformed.
 */
bool vgem_svm_chan_common(struct vgem_svm_chan *chan, const u64 *pkt)
{
	switch (VGEM_SVM_PKT_OP(pkt[0])) {
	case VGEM_SVM_PKT_NOP:
		return true;
	case VGEM_SVM_PKT_FENCE:
		return vgem_svm_chan_fence(chan, pkt);
	default:
		return false;
	}
}

u64 vgem_svm_chan_read(struct vgem_svm_hw *hw, u32 index, u32 reg)
{
	struct vgem_svm_chan *chan = &hw->chans[index];

	switch (reg) {
	case VGEM_SVM_CHAN_RING_BASE:
		return chan->ring_base;
	case VGEM_SVM_CHAN_RING_BYTES:
		return chan->ring_bytes;
	case VGEM_SVM_CHAN_HEAD:
		/* Pairs with vgem_svm_chan_next(). */
		return smp_load_acquire(&chan->head);
	case VGEM_SVM_CHAN_TAIL:
		return READ_ONCE(chan->tail);
	case VGEM_SVM_CHAN_VM:
		return chan->vm;
	case VGEM_SVM_CHAN_BUDGET:
		return chan->budget;
	case VGEM_SVM_CHAN_TOTAL:
		return chan->total;
	case VGEM_SVM_CHAN_OWNER:
		return chan->owner;
	case VGEM_SVM_CHAN_STATUS:
		/* Pairs with vgem_svm_chan_die(). */
		return smp_load_acquire(&chan->status);
	case VGEM_SVM_CHAN_ERR:
		return chan->err;
	case VGEM_SVM_CHAN_ERR_ADDR:
		return chan->err_addr;
	case VGEM_SVM_CHAN_ERR_PC:
		return chan->err_pc;
	case VGEM_SVM_CHAN_ERR_INFO:
		return chan->err_info;
	case VGEM_SVM_CHAN_ERR_FAULT:
		return chan->err_fault;
	default:
		return 0;
	}
}

static void vgem_svm_chan_set(struct vgem_svm_chan *chan, u32 reg, u64 val)
{
	struct vgem_svm_unit *unit = vgem_svm_chan_lock(chan);

	switch (reg) {
	case VGEM_SVM_CHAN_RING_BASE:
		chan->ring_base = val & ~(u64)(SZ_4K - 1);
		break;
	case VGEM_SVM_CHAN_RING_BYTES:
		chan->ring_bytes = rounddown_pow_of_two(clamp_t(u64, val, SZ_4K,
								SZ_1M));
		break;
	case VGEM_SVM_CHAN_VM:
		chan->vm = val % VGEM_SVM_HW_NR_VMS;
		break;
	case VGEM_SVM_CHAN_BUDGET:
		chan->budget = val;
		break;
	case VGEM_SVM_CHAN_TOTAL:
		chan->total = val;
		break;
	case VGEM_SVM_CHAN_OWNER:
		WRITE_ONCE(chan->owner, val);
		break;
	}
	vgem_svm_unit_unlock(unit);
}

void vgem_svm_chan_write(struct vgem_svm_hw *hw, u32 index, u32 reg, u64 val)
{
	struct vgem_svm_chan *chan = &hw->chans[index];

	switch (reg) {
	case VGEM_SVM_CHAN_TAIL:
		/* The doorbell: no lock, it may be rung with others held. */
		smp_store_release(&chan->tail, val);
		vgem_svm_unit_kick(READ_ONCE(chan->unit));
		break;
	case VGEM_SVM_CHAN_CTRL:
		vgem_svm_chan_ctrl(hw, index, val);
		break;
	default:
		vgem_svm_chan_set(chan, reg, val);
	}
}
