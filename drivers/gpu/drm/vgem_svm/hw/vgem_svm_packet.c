// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the first word of a packet may be, for each opcode and each place where a
 * packet can stand. All of it is checked before anything is done: a bit that means
 * nothing today can get a meaning only if nobody has it set.
 */

#include "vgem_svm_hw_priv.h"

#define VGEM_SVM_PKT_RESERVED	GENMASK_ULL(31, 24)

/**
 * struct vgem_svm_packet - an opcode
 * @places: bit for each enum vgem_svm_packet_place that takes it
 * @words: length, 0 if its engine looks at that
 * @hi: bits of the upper half that mean something
 */
struct vgem_svm_packet {
	u8 places;
	u8 words;
	u32 hi;
};

#define IN_PT		BIT(VGEM_SVM_PACKET_PT)
#define IN_COPY		BIT(VGEM_SVM_PACKET_COPY)
#define IN_COMPUTE	BIT(VGEM_SVM_PACKET_COMPUTE)
#define IN_BATCH	BIT(VGEM_SVM_PACKET_BATCH)
#define IN_RINGS	(IN_PT | IN_COPY | IN_COMPUTE)
#define PT_HI		((u32)VGEM_SVM_PT_LOCAL | 0xffff)

static const struct vgem_svm_packet vgem_svm_packets[] = {
	[VGEM_SVM_PKT_NOP] = { IN_RINGS | IN_BATCH, 0, 0 },
	[VGEM_SVM_PKT_FENCE] = { IN_RINGS, 3, VGEM_SVM_FENCE_IRQ },
	[VGEM_SVM_PKT_PT_WRITE] = { IN_PT, 0, PT_HI },
	[VGEM_SVM_PKT_PT_SEQ] = { IN_PT, 4, PT_HI },
	[VGEM_SVM_PKT_PT_FILL] = { IN_PT, 3, PT_HI },
	[VGEM_SVM_PKT_INVALIDATE] = { IN_PT, 4, VGEM_SVM_INV_LEAF |
				      VGEM_SVM_INV_WALK | VGEM_SVM_INV_VM },
	[VGEM_SVM_PKT_COPY] = { IN_COPY, 4, VGEM_SVM_COPY_SRC_LOCAL |
				VGEM_SVM_COPY_DST_LOCAL },
	[VGEM_SVM_PKT_FILL] = { IN_COPY, 4, VGEM_SVM_COPY_DST_LOCAL },
	[VGEM_SVM_PKT_BATCH] = { IN_COMPUTE, 3, 0 },
	[VGEM_SVM_PKT_USER_FENCE] = { IN_COMPUTE, 3, VGEM_SVM_FENCE_IRQ },
	[VGEM_SVM_PKT_LAUNCH] = { IN_BATCH, VGEM_SVM_LAUNCH_WORDS, 0 },
	[VGEM_SVM_PKT_STORE] = { IN_BATCH, 3, 0 },
	[VGEM_SVM_PKT_ATOMIC_ADD] = { IN_BATCH, 3, 0 },
};

/**
 * vgem_svm_packet_ok() - may a packet begin with this?
 * @header: its first word
 * @place: where it stands
 *
 * Return: false if the opcode is unknown or not for there, the length is not the
 * opcode's, or a reserved bit is set.
 */
bool vgem_svm_packet_ok(u64 header, enum vgem_svm_packet_place place)
{
	u32 op = VGEM_SVM_PKT_OP(header), words = VGEM_SVM_PKT_WORDS(header);
	const struct vgem_svm_packet *packet;

	if (op >= ARRAY_SIZE(vgem_svm_packets))
		return false;
	packet = &vgem_svm_packets[op];
	return (packet->places & BIT(place)) && words &&
	       (!packet->words || words == packet->words) &&
	       !(header & VGEM_SVM_PKT_RESERVED) &&
	       !(VGEM_SVM_PKT_HI(header) & ~packet->hi);
}
