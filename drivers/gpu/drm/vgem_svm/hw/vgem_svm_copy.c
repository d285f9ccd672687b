// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The copy engine: between bus addresses and device memory, in order, a page
 * at most at a time.
 */

#include <linux/instrumented.h>
#include <linux/mm.h>

#include "vgem_svm_hw_priv.h"

static u32 vgem_svm_copy_chunk(u64 a, u64 b, u64 left)
{
	u64 n = min_t(u64, left, VGEM_SVM_COPY_CHUNK);

	n = min_t(u64, n, SZ_4K - (a & (SZ_4K - 1)));
	return min_t(u64, n, SZ_4K - (b & (SZ_4K - 1)));
}

static bool vgem_svm_copy_error(struct vgem_svm_chan *chan, u64 addr, u64 word)
{
	vgem_svm_chan_die(chan, VGEM_SVM_ERR_BUS, addr, 0, word << 32);
	return false;
}

/* Moves one chunk. Return: false on a bus error. */
static bool vgem_svm_copy_some(struct vgem_svm_chan *chan, const u64 *pkt)
{
	struct vgem_svm_unit *unit = chan->unit;
	u32 hi = VGEM_SVM_PKT_HI(pkt[0]), n;
	u64 src = pkt[1] + unit->done_bytes, dst = pkt[2] + unit->done_bytes;
	u8 *from, *to;

	n = vgem_svm_copy_chunk(src, dst, pkt[3] - unit->done_bytes);
	from = vgem_svm_mem(unit->hw, src, hi & VGEM_SVM_COPY_SRC_LOCAL, false);
	if (!from)
		return vgem_svm_copy_error(chan, src, pkt[0]);
	to = vgem_svm_mem(unit->hw, dst, hi & VGEM_SVM_COPY_DST_LOCAL, true);
	if (!to)
		return vgem_svm_copy_error(chan, dst, pkt[0]);
	instrument_memcpy_before(to, from, n);
	memcpy(to, from, n);
	unit->done_bytes += n;
	return true;
}

static bool vgem_svm_fill_some(struct vgem_svm_chan *chan, const u64 *pkt)
{
	struct vgem_svm_unit *unit = chan->unit;
	u64 dst = pkt[1] + unit->done_bytes;
	u32 n = vgem_svm_copy_chunk(dst, 0, pkt[2] - unit->done_bytes);
	u8 *to;

	to = vgem_svm_mem(unit->hw, dst, VGEM_SVM_PKT_HI(pkt[0]) &
			  VGEM_SVM_COPY_DST_LOCAL, true);
	if (!to)
		return vgem_svm_copy_error(chan, dst, pkt[0]);
	instrument_write(to, n);
	memset64((u64 *)to, pkt[3], n / 8);
	unit->done_bytes += n;
	return true;
}

/* Return: false if the packet is to go on in the next step, or the end. */
static bool vgem_svm_copy_packet(struct vgem_svm_chan *chan, const u64 *pkt)
{
	struct vgem_svm_unit *unit = chan->unit;
	bool fill = VGEM_SVM_PKT_OP(pkt[0]) == VGEM_SVM_PKT_FILL;
	u64 bytes = fill ? pkt[2] : pkt[3];

	if (fill && ((pkt[1] | pkt[2]) & 7)) {
		vgem_svm_chan_die(chan, VGEM_SVM_ERR_PACKET, chan->head * 8, 0,
				  pkt[0] << 32);
		return false;
	}
	if (bytes && !(fill ? vgem_svm_fill_some(chan, pkt) :
			      vgem_svm_copy_some(chan, pkt)))
		return false;
	if (unit->done_bytes < bytes)
		return false;
	unit->done_bytes = 0;
	return true;
}

/**
 * vgem_svm_copy_step() - a packet, or a chunk of one
 * @unit: the copy engine
 *
 * Return: false if there was nothing to do.
 */
bool vgem_svm_copy_step(struct vgem_svm_unit *unit)
{
	struct vgem_svm_chan *chan = &unit->hw->chans[VGEM_SVM_HW_CHAN_COPY];
	const u64 *pkt = NULL;
	u64 header;
	bool done = false;

	vgem_svm_unit_lock(unit);
	if (unit->chans && !READ_ONCE(unit->hw->stopped))
		pkt = vgem_svm_chan_packet(chan);
	if (pkt) {
		header = pkt[0];
		switch (VGEM_SVM_PKT_OP(header)) {
		case VGEM_SVM_PKT_COPY:
		case VGEM_SVM_PKT_FILL:
			done = vgem_svm_copy_packet(chan, pkt);
			break;
		default:
			done = vgem_svm_chan_common(chan, pkt);
			if (!done)
				vgem_svm_chan_die(chan, VGEM_SVM_ERR_PACKET,
						  chan->head * 8, 0, header << 32);
		}
		if (done)
			vgem_svm_chan_next(chan, header);
	}
	vgem_svm_unit_unlock(unit);
	return pkt;
}
