// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The page-table engine: entries by command, and invalidations in between, one
 * after the other. It waits for nothing but the engines' acknowledgements.
 */

#include <linux/mm.h>

#include "vgem_svm_hw_priv.h"

#define VGEM_SVM_PT_COUNT(w)	(VGEM_SVM_PKT_HI(w) & 0xffff)

/* @words: a PT_WRITE's entries, in the ring */
static u64 vgem_svm_pt_value(const u64 *pkt, const u64 *words, u32 i)
{
	switch (VGEM_SVM_PKT_OP(pkt[0])) {
	case VGEM_SVM_PKT_PT_WRITE:
		return READ_ONCE(words[i]);
	case VGEM_SVM_PKT_PT_SEQ:
		return pkt[2] + i * pkt[3];
	default:
		return pkt[2];
	}
}

static bool vgem_svm_pt_shape_ok(const u64 *pkt)
{
	u32 words = VGEM_SVM_PKT_WORDS(pkt[0]), n = VGEM_SVM_PT_COUNT(pkt[0]);

	if (VGEM_SVM_PKT_OP(pkt[0]) == VGEM_SVM_PKT_PT_WRITE && words != 2 + n)
		return false;
	return n && !(pkt[1] & 7) && (pkt[1] & (SZ_4K - 1)) + n * 8 <= SZ_4K;
}

static bool vgem_svm_pt_entries(struct vgem_svm_chan *chan, const u64 *pkt)
{
	const u64 *words = vgem_svm_chan_words(chan, 2);
	u32 n = VGEM_SVM_PT_COUNT(pkt[0]), i;
	__le64 *entry;

	if (!vgem_svm_pt_shape_ok(pkt))
		return false;
	entry = (__le64 *)vgem_svm_mem(chan->unit->hw, pkt[1],
				       VGEM_SVM_PKT_HI(pkt[0]) &
				       VGEM_SVM_PT_LOCAL, true);
	if (!entry || !words) {
		vgem_svm_chan_die(chan, VGEM_SVM_ERR_BUS,
				  entry ? chan->ring_base : pkt[1], 0, 0);
		return true;
	}
	for (i = 0; i < n; i++) {
		u64 value = vgem_svm_pt_value(pkt, words, i);

		WRITE_ONCE(entry[i], cpu_to_le64(value));
	}
	/* In memory before any later packet, and so before its fence. */
	smp_wmb();
	return true;
}

/* Return: true when every engine has acknowledged. */
static bool vgem_svm_pt_invalidate(struct vgem_svm_unit *unit, const u64 *pkt)
{
	struct vgem_svm_inv inv = {
		.vm = pkt[1],
		.first = pkt[2],
		.last = pkt[3],
		.flags = VGEM_SVM_PKT_HI(pkt[0]),
	};

	if (!unit->inv_wait)
		unit->inv_wait = vgem_svm_inv_post(unit->hw, &inv);
	if (vgem_svm_inv_done(unit->hw) < unit->inv_wait)
		return false;
	unit->inv_wait = 0;
	return true;
}

static bool vgem_svm_pt_packet(struct vgem_svm_chan *chan, const u64 *pkt,
			       bool *wait)
{
	switch (VGEM_SVM_PKT_OP(pkt[0])) {
	case VGEM_SVM_PKT_PT_WRITE:
	case VGEM_SVM_PKT_PT_SEQ:
	case VGEM_SVM_PKT_PT_FILL:
		return vgem_svm_pt_entries(chan, pkt);
	case VGEM_SVM_PKT_INVALIDATE:
		if (pkt[1] >= VGEM_SVM_HW_NR_VMS || pkt[2] > pkt[3])
			return false;
		*wait = !vgem_svm_pt_invalidate(chan->unit, pkt);
		return true;
	default:
		return vgem_svm_chan_common(chan, pkt);
	}
}

/**
 * vgem_svm_pt_step() - one packet
 * @unit: the page-table engine
 *
 * Return: false if there was nothing to do.
 */
bool vgem_svm_pt_step(struct vgem_svm_unit *unit)
{
	struct vgem_svm_chan *chan = &unit->hw->chans[VGEM_SVM_HW_CHAN_PT];
	const u64 *pkt = NULL;
	u64 header;
	bool wait = false;

	vgem_svm_unit_lock(unit);
	if (unit->chans && !READ_ONCE(unit->hw->stopped))
		pkt = vgem_svm_chan_packet(chan);
	if (pkt) {
		header = pkt[0];
		if (!vgem_svm_pt_packet(chan, pkt, &wait))
			vgem_svm_chan_die(chan, VGEM_SVM_ERR_PACKET,
					  chan->head * 8, 0, header << 32);
		else if (!wait)
			vgem_svm_chan_next(chan, header);
	}
	vgem_svm_unit_unlock(unit);
	return pkt;
}
