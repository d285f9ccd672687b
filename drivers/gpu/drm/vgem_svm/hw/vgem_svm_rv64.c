// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The instruction set of the compute engines: RV64IMA without compressed
 * instructions and without privileged ones ("The RISC-V Instruction Set Manual",
 * volume I: chapters RV32I, RV64I, "M" and "A").
 *
 * An instruction that cannot access memory does not happen: no register and not
 * the program counter changes, so it can be run again.
 *
 * Loads and stores are single accesses of their size; AMOs are atomics of the
 * host on the same memory, so CPU and engine are atomic to each other. LR
 * remembers address and value, SC succeeds if the value is still there: a store
 * of the same value in between is not noticed (ABA). The programmer's manual
 * says so.
 *
 * Order: loads and stores are relaxed, and dependencies are the host's own, since
 * an address, a value or a branch of the program is computed from what was loaded.
 * All that may ask for order, by .aq and .rl or by a fence's sets, is given all of
 * it: it is a full barrier before and after. A cmpxchg that succeeds is one; what
 * else there is (LR, and SC that fails) has them written out. An LR that ends a
 * compare-and-exchange early is all of that operation, so it needs the one before as
 * much as the one after.
 */

#include <linux/math64.h>

#include "vgem_svm_hw_priv.h"

/**
 * struct vgem_svm_core - a thread while it runs
 * @chan: channel
 * @t: thread
 * @insn: instruction
 * @stop: why the instruction did not happen
 */
struct vgem_svm_core {
	struct vgem_svm_chan *chan;
	struct vgem_svm_thread *t;
	u32 insn;
	struct vgem_svm_stop stop;
};

enum vgem_svm_op {
	OP_LOAD = 0x03,
	OP_FENCE = 0x0f,
	OP_IMM = 0x13,
	OP_AUIPC = 0x17,
	OP_IMM32 = 0x1b,
	OP_STORE = 0x23,
	OP_AMO = 0x2f,
	OP_REG = 0x33,
	OP_LUI = 0x37,
	OP_REG32 = 0x3b,
	OP_BRANCH = 0x63,
	OP_JALR = 0x67,
	OP_JAL = 0x6f,
	OP_SYSTEM = 0x73,
};

static u32 rd(const struct vgem_svm_core *c)
{
	return c->insn >> 7 & 31;
}

static u32 funct3(const struct vgem_svm_core *c)
{
	return c->insn >> 12 & 7;
}

static u32 funct7(const struct vgem_svm_core *c)
{
	return c->insn >> 25;
}

static u64 rs1(const struct vgem_svm_core *c)
{
	return c->t->x[c->insn >> 15 & 31];
}

static u64 rs2(const struct vgem_svm_core *c)
{
	return c->t->x[c->insn >> 20 & 31];
}

static s64 imm_i(u32 insn)
{
	return (s32)insn >> 20;
}

static s64 imm_s(u32 insn)
{
	return (s64)((s32)(insn & 0xfe000000) >> 20) | (insn >> 7 & 31);
}

static s64 imm_b(u32 insn)
{
	return (s64)((s32)(insn & 0x80000000) >> 19) | (insn << 4 & 0x800) |
	       (insn >> 20 & 0x7e0) | (insn >> 7 & 0x1e);
}

static s64 imm_j(u32 insn)
{
	return (s64)((s32)(insn & 0x80000000) >> 11) | (insn & 0xff000) |
	       (insn >> 9 & 0x800) | (insn >> 20 & 0x7fe);
}

static bool fail_at(struct vgem_svm_core *c, u32 error, u64 addr)
{
	c->stop.error = error;
	c->stop.va = addr;
	return false;
}

static bool fail(struct vgem_svm_core *c, u32 error)
{
	return fail_at(c, error, c->t->pc);
}

static bool set_reg(struct vgem_svm_core *c, u32 reg, u64 value)
{
	struct vgem_svm_thread *t = c->t;

	if (reg == 2 && t->stack_hi != t->stack_lo &&
	    (value < t->stack_lo || value > t->stack_hi))
		return fail_at(c, VGEM_SVM_ERR_STACK, value);
	if (reg)
		t->x[reg] = value;
	return true;
}

/* Writes the result and goes on to the next instruction. */
static bool done(struct vgem_svm_core *c, u64 value)
{
	if (!set_reg(c, rd(c), value))
		return false;
	c->t->pc += 4;
	return true;
}

static bool jump(struct vgem_svm_core *c, u64 target)
{
	if (target & 3)
		return fail_at(c, VGEM_SVM_ERR_ALIGN, target);
	c->t->pc = target;
	return true;
}

static u8 *access(struct vgem_svm_core *c, u64 va, u32 size, u32 kind)
{
	return vgem_svm_access(c->chan->unit, c->chan->vm, va, size, kind,
			       &c->stop);
}

/* ---- loads, stores ------------------------------------------------------ */

static bool op_load(struct vgem_svm_core *c)
{
	u32 width = funct3(c);
	u8 *p;

	if (width == 7)
		return fail(c, VGEM_SVM_ERR_INSN);
	p = access(c, rs1(c) + imm_i(c->insn), 1 << (width & 3),
		   VGEM_SVM_ACCESS_READ);
	if (!p)
		return false;
	switch (width) {
	case 0:
		return done(c, (s64)READ_ONCE(*(s8 *)p));
	case 1:
		return done(c, (s64)READ_ONCE(*(s16 *)p));
	case 2:
		return done(c, (s64)READ_ONCE(*(s32 *)p));
	case 3:
		return done(c, READ_ONCE(*(u64 *)p));
	case 4:
		return done(c, READ_ONCE(*p));
	case 5:
		return done(c, READ_ONCE(*(u16 *)p));
	default:
		return done(c, READ_ONCE(*(u32 *)p));
	}
}

static bool op_store(struct vgem_svm_core *c)
{
	u32 width = funct3(c);
	u64 value = rs2(c);
	u8 *p;

	if (width > 3)
		return fail(c, VGEM_SVM_ERR_INSN);
	p = access(c, rs1(c) + imm_s(c->insn), 1 << width,
		   VGEM_SVM_ACCESS_WRITE);
	if (!p)
		return false;
	switch (width) {
	case 0:
		WRITE_ONCE(*p, value);
		break;
	case 1:
		WRITE_ONCE(*(u16 *)p, value);
		break;
	case 2:
		WRITE_ONCE(*(u32 *)p, value);
		break;
	default:
		WRITE_ONCE(*(u64 *)p, value);
	}
	c->t->pc += 4;
	return true;
}

/* ---- atomics ------------------------------------------------------------ */

static u64 amo_value(u32 op, u64 old, u64 arg, bool wide)
{
	s64 sold = wide ? (s64)old : (s32)old, sarg = wide ? (s64)arg : (s32)arg;

	if (!wide) {
		old = (u32)old;
		arg = (u32)arg;
	}
	switch (op) {
	case 0x00:
		return old + arg;
	case 0x01:
		return arg;
	case 0x04:
		return old ^ arg;
	case 0x08:
		return old | arg;
	case 0x0c:
		return old & arg;
	case 0x10:
		return min(sold, sarg);
	case 0x14:
		return max(sold, sarg);
	case 0x18:
		return min(old, arg);
	default:
		return max(old, arg);
	}
}

static bool amo_known(u32 op)
{
	return op <= 1 || op == 4 || (!(op & 3) && op >= 8 && op <= 0x1c);
}

static bool op_amo_d(struct vgem_svm_core *c, u64 *p, u32 op)
{
	u64 old = READ_ONCE(*p);

	while (!try_cmpxchg64(p, &old, amo_value(op, old, rs2(c), true)))
		;
	return done(c, old);
}

static bool op_amo_w(struct vgem_svm_core *c, u32 *p, u32 op)
{
	u32 old = READ_ONCE(*p);

	while (!try_cmpxchg(p, &old, (u32)amo_value(op, old, rs2(c), false)))
		;
	return done(c, (s64)(s32)old);
}

static bool op_lr(struct vgem_svm_core *c, u8 *p, bool wide)
{
	u64 value;

	if (!vgem_svm_hw_planted(46))
		/* Release, whether asked for or not. */
		smp_mb();
	value = wide ? READ_ONCE(*(u64 *)p) : (s64)READ_ONCE(*(s32 *)p);
	/* And acquire. */
	smp_mb();
	c->t->resv_va = rs1(c);
	c->t->resv_val = value;
	return done(c, value);
}

static bool op_sc(struct vgem_svm_core *c, u8 *p, bool wide)
{
	struct vgem_svm_thread *t = c->t;
	bool ok = t->resv_va == rs1(c);

	t->resv_va = ~0ULL;
	if (ok && wide) {
		u64 old = t->resv_val;

		ok = try_cmpxchg64((u64 *)p, &old, rs2(c));
	} else if (ok) {
		u32 old = t->resv_val;

		ok = try_cmpxchg((u32 *)p, &old, (u32)rs2(c));
	}
	if (!ok)
		/* One that succeeds is a barrier by itself. */
		smp_mb();
	return done(c, !ok);
}

static bool op_amo(struct vgem_svm_core *c)
{
	u32 op = c->insn >> 27;
	bool wide = funct3(c) == 3;
	u8 *p;

	if ((funct3(c) != 2 && !wide) ||
	    (op != 2 && op != 3 && !amo_known(op)) ||
	    (op == 2 && (c->insn >> 20 & 31)))
		return fail(c, VGEM_SVM_ERR_INSN);
	p = access(c, rs1(c), wide ? 8 : 4,
		   op == 2 ? VGEM_SVM_ACCESS_READ : VGEM_SVM_ACCESS_ATOMIC);
	if (!p)
		return false;
	if (op == 2)
		return op_lr(c, p, wide);
	if (op == 3)
		return op_sc(c, p, wide);
	return wide ? op_amo_d(c, (u64 *)p, op) : op_amo_w(c, (u32 *)p, op);
}

/* ---- arithmetic --------------------------------------------------------- */

static u64 rv_div(s64 a, s64 b)
{
	if (!b)
		return ~0ULL;
	if (b == -1)
		return -(u64)a;
	return a / b;
}

static u64 rv_rem(s64 a, s64 b)
{
	if (!b)
		return a;
	return b == -1 ? 0 : a % b;
}

static u64 mul_div(u32 op, u64 a, u64 b)
{
	switch (op) {
	case 0:
		return a * b;
	case 1:
		return (u64)(((__int128)(s64)a * (s64)b) >> 64);
	case 2:
		return (u64)(((__int128)(s64)a * (__int128)b) >> 64);
	case 3:
		return mul_u64_u64_shr(a, b, 64);
	case 4:
		return rv_div(a, b);
	case 5:
		return b ? a / b : ~0ULL;
	case 6:
		return rv_rem(a, b);
	default:
		return b ? a % b : a;
	}
}

static s32 rv_divw(s32 a, s32 b)
{
	if (!b)
		return -1;
	return b == -1 ? (s32)-(u32)a : a / b;
}

static s32 rv_remw(s32 a, s32 b)
{
	if (!b)
		return a;
	return b == -1 ? 0 : a % b;
}

static s64 mul_div32(u32 op, u32 a, u32 b)
{
	switch (op) {
	case 0:
		return (s32)(a * b);
	case 4:
		return rv_divw(a, b);
	case 5:
		return (s32)(b ? a / b : ~0U);
	case 6:
		return rv_remw(a, b);
	default:
		return (s32)(b ? a % b : a);
	}
}

/* @alt: subtract, or shift arithmetically. */
static u64 alu(u32 op, u64 a, u64 b, bool alt)
{
	switch (op) {
	case 0:
		return alt ? a - b : a + b;
	case 1:
		return a << (b & 63);
	case 2:
		return (s64)a < (s64)b;
	case 3:
		return a < b;
	case 4:
		return a ^ b;
	case 5:
		return alt ? (u64)((s64)a >> (b & 63)) : a >> (b & 63);
	case 6:
		return a | b;
	default:
		return a & b;
	}
}

static s64 alu32(u32 op, u32 a, u32 b, bool alt)
{
	switch (op) {
	case 0:
		return (s32)(alt ? a - b : a + b);
	case 1:
		return (s32)(a << (b & 31));
	default:
		return alt ? (s32)a >> (b & 31) : (s32)(a >> (b & 31));
	}
}

static bool op_imm(struct vgem_svm_core *c)
{
	u32 op = funct3(c), high = c->insn >> 26;
	bool alt = false;

	if (op == 1 && high)
		return fail(c, VGEM_SVM_ERR_INSN);
	if (op == 5) {
		if (high & ~0x10U)
			return fail(c, VGEM_SVM_ERR_INSN);
		alt = high;
	}
	return done(c, alu(op, rs1(c), imm_i(c->insn), alt));
}

static bool op_imm32(struct vgem_svm_core *c)
{
	u32 op = funct3(c), f7 = funct7(c);

	if ((op != 0 && op != 1 && op != 5) || (op == 1 && f7) ||
	    (op == 5 && (f7 & ~0x20U)))
		return fail(c, VGEM_SVM_ERR_INSN);
	return done(c, alu32(op, rs1(c), imm_i(c->insn), op == 5 && f7));
}

static bool op_reg(struct vgem_svm_core *c)
{
	u32 op = funct3(c), f7 = funct7(c);

	if (f7 == 1)
		return done(c, mul_div(op, rs1(c), rs2(c)));
	if (f7 && (f7 != 0x20 || (op != 0 && op != 5)))
		return fail(c, VGEM_SVM_ERR_INSN);
	return done(c, alu(op, rs1(c), rs2(c), f7));
}

static bool op_reg32(struct vgem_svm_core *c)
{
	u32 op = funct3(c), f7 = funct7(c);

	if (f7 == 1 && (op == 0 || op >= 4))
		return done(c, mul_div32(op, rs1(c), rs2(c)));
	if ((op != 0 && op != 1 && op != 5) ||
	    (f7 && (f7 != 0x20 || op == 1)))
		return fail(c, VGEM_SVM_ERR_INSN);
	return done(c, alu32(op, rs1(c), rs2(c), f7));
}

/* ---- control ------------------------------------------------------------ */

static bool branch_taken(u32 op, u64 a, u64 b)
{
	switch (op) {
	case 0:
		return a == b;
	case 1:
		return a != b;
	case 4:
		return (s64)a < (s64)b;
	case 5:
		return (s64)a >= (s64)b;
	case 6:
		return a < b;
	default:
		return a >= b;
	}
}

static bool op_branch(struct vgem_svm_core *c)
{
	u32 op = funct3(c);

	if (op == 2 || op == 3)
		return fail(c, VGEM_SVM_ERR_INSN);
	if (branch_taken(op, rs1(c), rs2(c)))
		return jump(c, c->t->pc + imm_b(c->insn));
	c->t->pc += 4;
	return true;
}

static bool op_link(struct vgem_svm_core *c, u64 target)
{
	u64 link = c->t->pc + 4;

	return set_reg(c, rd(c), link) && jump(c, target);
}

static bool op_system(struct vgem_svm_core *c)
{
	if (c->insn != 0x73)
		return fail(c, VGEM_SVM_ERR_INSN);
	c->t->pc = VGEM_SVM_EXIT_VA;
	return true;
}

static bool execute(struct vgem_svm_core *c)
{
	struct vgem_svm_thread *t = c->t;

	switch (c->insn & 0x7f) {
	case OP_LOAD:
		return op_load(c);
	case OP_FENCE:
		if (funct3(c) > 1)
			return fail(c, VGEM_SVM_ERR_INSN);
		/* The strongest of the orders that it may ask for. */
		smp_mb();
		t->pc += 4;
		return true;
	case OP_IMM:
		return op_imm(c);
	case OP_AUIPC:
		return done(c, t->pc + (s64)(s32)(c->insn & 0xfffff000));
	case OP_IMM32:
		return op_imm32(c);
	case OP_STORE:
		return op_store(c);
	case OP_AMO:
		return op_amo(c);
	case OP_REG:
		return op_reg(c);
	case OP_LUI:
		return done(c, (s64)(s32)(c->insn & 0xfffff000));
	case OP_REG32:
		return op_reg32(c);
	case OP_BRANCH:
		return op_branch(c);
	case OP_JALR:
		if (funct3(c))
			return fail(c, VGEM_SVM_ERR_INSN);
		return op_link(c, (rs1(c) + imm_i(c->insn)) & ~1ULL);
	case OP_JAL:
		return op_link(c, t->pc + imm_j(c->insn));
	case OP_SYSTEM:
		return op_system(c);
	default:
		return fail(c, VGEM_SVM_ERR_INSN);
	}
}

/* The instruction did not happen: end the channel, or wait for a replay. */
static bool vgem_svm_rv64_stop(struct vgem_svm_core *c)
{
	struct vgem_svm_thread *t = c->t;

	if (vgem_svm_stop_ends(c->chan, &c->stop))
		vgem_svm_fault_end(c->chan, &c->stop, t->pc,
				   t->index | (u64)c->insn << 32);
	else
		t->state = vgem_svm_fault_raise(c->chan, &c->stop, t->index,
						t->pc, &t->record);
	return false;
}

/* One instruction. Return: false if the thread is not to go on now. */
static bool step(struct vgem_svm_core *c)
{
	struct vgem_svm_thread *t = c->t;
	u8 *p;

	c->insn = 0;
	if (unlikely(t->pc == VGEM_SVM_EXIT_VA)) {
		t->state = VGEM_SVM_THREAD_FREE;
		c->chan->resident--;
		return false;
	}
	if (unlikely((c->chan->budget && t->insns >= c->chan->budget) ||
		     (c->chan->total && c->chan->insns >= c->chan->total))) {
		fail(c, VGEM_SVM_ERR_BUDGET);
		return vgem_svm_rv64_stop(c);
	}
	p = access(c, t->pc, 4, VGEM_SVM_ACCESS_EXEC);
	if (unlikely(!p))
		return vgem_svm_rv64_stop(c);
	c->insn = le32_to_cpu(READ_ONCE(*(__le32 *)p));
	if (unlikely(!execute(c)))
		return vgem_svm_rv64_stop(c);
	t->insns++;
	c->chan->insns++;
	return true;
}

/**
 * vgem_svm_rv64_run() - run instructions of a thread
 * @chan: its channel; the unit is locked
 * @t: thread that may run
 * @n: how many at most
 *
 * Invalidations are acknowledged in between. Comes back earlier if the thread
 * has ended, is parked, or took the channel down.
 *
 * Return: how many it tried, 1 to @n.
 */
u32 vgem_svm_rv64_run(struct vgem_svm_chan *chan, struct vgem_svm_thread *t,
		      u32 n)
{
	struct vgem_svm_core c = { .chan = chan, .t = t };
	u32 used = 0;

	while (used < n) {
		used++;
		if (unlikely(vgem_svm_inv_pending(chan->unit)))
			vgem_svm_unit_ack(chan->unit);
		if (!step(&c))
			break;
	}
	return used;
}
