/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _HW_LITMUS_H_
#define _HW_LITMUS_H_

/*
 * Litmus shapes: what a few threads do to a few words that are 0, and an outcome.
 * A thread is a program, or the packets of a batch. Words are X, Y, Z; results are
 * in registers R0 to R3 of each thread.
 */

#include "vgem_svm_hw_rig.h"

#define LITMUS_THREADS	4
#define LITMUS_WORDS	3
#define LITMUS_INSNS	16

/**
 * enum litmus_rule - what is to be said of an outcome
 * @NEVER: the manual forbids it
 * @TSO: it must be seen, on a machine that delays stores and on a weak memory:
 *	without it the NEVER of the same shape would prove nothing
 * @WEAK: the same, on a weak memory
 */
enum litmus_rule { NEVER, TSO, WEAK };

/**
 * struct litmus_packet - a packet of a batch
 * @op: VGEM_SVM_PKT_STORE or VGEM_SVM_PKT_ATOMIC_ADD, 0 for none
 * @word: register of the word, X to Z
 * @value: what is stored or added
 */
struct litmus_packet {
	u32 op;
	u32 word;
	u64 value;
};

/**
 * struct litmus_shape - a shape
 * @name: as the literature calls it, and what orders
 * @rule: what is to be said of @outcome
 * @dependency: it relies on one, which the weak memory does not know
 * @uncached: memory is mapped so
 * @code: a thread's instructions; what is 0 is left out
 * @batch: or its packets
 * @outcome: "0:R0=1 1:R1=0 X=2"
 */
struct litmus_shape {
	const char *name;
	enum litmus_rule rule;
	bool dependency;
	bool uncached;
	u32 code[LITMUS_THREADS][LITMUS_INSNS];
	struct litmus_packet batch[LITMUS_THREADS][2];
	const char *outcome;
};

extern const struct litmus_shape litmus_shapes[];
extern const unsigned int litmus_nr_shapes;

enum { T0 = 5, T1 = 6, X = 11, Y = 12, Z = 13, R0 = 18, R1, R2, R3 };

/* Ordering bits of an atomic instruction. */
enum { PLAIN = 0, RL = 1, AQ = 2, AQRL = 3 };

#define AMO(f5, order, rd, word, rs2) \
	RV_R((f5) << 2 | (order), rs2, word, 3, rd, 0x2f)
#define W(word, value)		ADDI(T0, ZERO, value), SD(T0, word, 0)
#define R(reg, word)		LD(reg, word, 0)
#define LR(order, reg, word)	AMO(2, order, reg, word, 0)
#define SC(order, word, value)	ADDI(T0, ZERO, value), AMO(3, order, T1, word, T0)
#define SWAP(order, reg, word, value) \
	ADDI(T0, ZERO, value), AMO(1, order, reg, word, T0)
#define AMOADD(order, reg, word, value) \
	ADDI(T0, ZERO, value), AMO(0, order, reg, word, T0)
/* An atomic that leaves the word as it is. */
#define AMOR(order, reg, word)	AMO(8, order, reg, word, ZERO)
#define BNE(rs1, rs2, bytes) \
	((u32)((bytes) >> 5 & 63) << 25 | (rs2) << 20 | (rs1) << 15 | 1 << 12 | \
	 ((bytes) >> 1 & 15) << 8 | 0x63)
/* Compares with what is not there, so that the store is not tried. */
#define CAS_FAILS(order, reg, word) \
	ADDI(T1, ZERO, 77), LR(order, reg, word), BNE(reg, T1, 12), SC(RL, word, 78)
/* The same address, by way of a register; the same value. */
#define R_BY(reg, word, by) \
	RV_R(0, by, by, 4, T0, 0x33), ADD(T0, T0, word), LD(reg, T0, 0)
#define W_BY(word, value, by) \
	RV_R(0, by, by, 4, T0, 0x33), ADDI(T0, T0, value), SD(T0, word, 0)
#define W_IF(word, value, by)	BNE(by, ZERO, 4), W(word, value)

#define FENCE(before, after)	((before) << 24 | (after) << 20 | 0x0fU)
enum { FW = 1, FR = 2, FRW = 3 };
#define FENCE_RW		FENCE(FRW, FRW)
#define FENCE_TSO		0x8330000fU

#define STORE_PKT(word, value)	{ VGEM_SVM_PKT_STORE, word, value }
#define ADD_PKT(word, value)	{ VGEM_SVM_PKT_ATOMIC_ADD, word, value }

#endif /* _HW_LITMUS_H_ */
