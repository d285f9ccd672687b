// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit tests of the compute engines' instructions, each against what "The
 * RISC-V Instruction Set Manual", volume I, says that it does.
 */

#include "vgem_svm_hw_rig.h"

/* What "insn a4, a2, a3" leaves in a4. */
struct alu_case {
	const char *name;
	u32 insn;
	u64 a, b, want;
};

#define RR(f7, f3)	RV_R(f7, A3, A2, f3, A4, 0x33)
#define RRW(f7, f3)	RV_R(f7, A3, A2, f3, A4, 0x3b)
#define RI(imm, f3)	RV_I(imm, A2, f3, A4, 0x13)
#define RIW(imm, f3)	RV_I(imm, A2, f3, A4, 0x1b)
#define MIN64		0x8000000000000000ULL
#define MIN32		0xffffffff80000000ULL

static const struct alu_case alu_cases[] = {
	{ "sub", RR(0x20, 0), 5, 7, -2ULL },
	{ "sll", RR(0, 1), 1, 64 + 63, MIN64 },
	{ "slt", RR(0, 2), -1ULL, 0, 1 },
	{ "sltu", RR(0, 3), -1ULL, 0, 0 },
	{ "xor", RR(0, 4), 0xff00, 0x0ff0, 0xf0f0 },
	{ "srl", RR(0, 5), MIN64, 63, 1 },
	{ "sra", RR(0x20, 5), MIN64, 63, -1ULL },
	{ "or", RR(0, 6), 0xf0, 0x0f, 0xff },
	{ "and", RR(0, 7), 0xf0, 0x3c, 0x30 },
	{ "addi", RI(-1, 0), 0, 0, -1ULL },
	{ "slti", RI(-1, 2), -2ULL, 0, 1 },
	{ "sltiu", RI(-1, 3), 5, 0, 1 },
	{ "xori", RI(-1, 4), 5, 0, ~5ULL },
	{ "srli", RI(60, 5), MIN64, 0, 8 },
	{ "srai", RI(0x400 | 60, 5), MIN64, 0, -8ULL },
	{ "lui", 0x80000737, 0, 0, MIN32 },
	{ "addiw", RIW(1, 0), 0x7fffffff, 0, MIN32 },
	{ "slliw", RIW(31, 1), 1, 0, MIN32 },
	{ "srliw", RIW(31, 5), -1ULL, 0, 1 },
	{ "sraiw", RIW(0x400 | 31, 5), 0x80000000, 0, -1ULL },
	{ "addw", RRW(0, 0), 0x7fffffff, 1, MIN32 },
	{ "subw", RRW(0x20, 0), 0, 1, -1ULL },
	{ "sllw", RRW(0, 1), 1, 32 + 4, 16 },
	{ "srlw", RRW(0, 5), -1ULL, 4, 0x0fffffff },
	{ "sraw", RRW(0x20, 5), 0x80000000, 4, 0xfffffffff8000000ULL },
	{ "mul", RR(1, 0), -3ULL, 5, -15ULL },
	{ "mulh", RR(1, 1), MIN64, MIN64, MIN64 >> 1 },
	{ "mulhsu", RR(1, 2), -1ULL, -1ULL, -1ULL },
	{ "mulhu", RR(1, 3), -1ULL, -1ULL, -2ULL },
	{ "div", RR(1, 4), -7ULL, 2, -3ULL },
	{ "div by 0", RR(1, 4), 7, 0, -1ULL },
	{ "div overflow", RR(1, 4), MIN64, -1ULL, MIN64 },
	{ "divu", RR(1, 5), -1ULL, 2, ~0ULL >> 1 },
	{ "divu by 0", RR(1, 5), 7, 0, -1ULL },
	{ "rem", RR(1, 6), -7ULL, 2, -1ULL },
	{ "rem by 0", RR(1, 6), -7ULL, 0, -7ULL },
	{ "rem overflow", RR(1, 6), MIN64, -1ULL, 0 },
	{ "remu by 0", RR(1, 7), 7, 0, 7 },
	{ "mulw", RRW(1, 0), 0x40000000, 2, MIN32 },
	{ "divw overflow", RRW(1, 4), MIN32, -1ULL, MIN32 },
	{ "divw by 0", RRW(1, 4), 5, 0, -1ULL },
	{ "divuw", RRW(1, 5), -2ULL, 1, -2ULL },
	{ "divuw by 0", RRW(1, 5), 5, 0, -1ULL },
	{ "remw", RRW(1, 6), -7ULL, 4, -3ULL },
	{ "remw overflow", RRW(1, 6), MIN32, -1ULL, 0 },
	{ "remuw by 0", RRW(1, 7), 0x80000000, 0, MIN32 },
};

static void arithmetic_is_as_in_the_manual(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int i;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	for (i = 0; i < ARRAY_SIZE(alu_cases); i++) {
		const struct alu_case *c = &alu_cases[i];

		load_program(t, c->insn, SD(A4, A1, 0), RET);
		launch_args(t, TEST_CHAN, 1, VA_DATA, c->a, c->b);
		finish(t, TEST_CHAN);
		KUNIT_EXPECT_EQ_MSG(test, words(t->data)[0], c->want, "%s",
				    c->name);
	}
}

static void branches_and_jumps_go_where_they_should(struct kunit *test)
{
	static const struct {
		u32 f3;
		u64 a, b;
		bool taken;
	} cases[] = {
		{ 0, 1, 1, true }, { 0, 1, 2, false }, { 1, 1, 2, true },
		{ 4, -1ULL, 0, true }, { 5, 0, -1ULL, true },
		{ 6, 0, -1ULL, true }, { 7, -1ULL, 0, true },
		{ 7, 0, -1ULL, false },
	};
	struct test_hw *t = test->priv;
	unsigned int i;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		/* a4 = 1, over the second store if the branch is taken. */
		load_program(t, ADDI(A4, ZERO, 1), SD(A4, A1, 0),
			     RV_R(0, A3, A2, cases[i].f3, 8, 0x63),
			     SD(ZERO, A1, 0), RET);
		launch_args(t, TEST_CHAN, 1, VA_DATA, cases[i].a, cases[i].b);
		finish(t, TEST_CHAN);
		KUNIT_EXPECT_EQ_MSG(test, words(t->data)[0], cases[i].taken,
				    "case %u", i);
	}
	/* auipc a4, 0; jal a5, +8; j .; sd a4, a5 */
	load_program(t, 0x00000717, 0x008007ef, LOOP, SD(A4, A1, 0),
		     SD(A5, A1, 8), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], VA_CODE);
	KUNIT_EXPECT_EQ(test, words(t->data)[1], VA_CODE + 8);
}

static void narrow_loads_extend(struct kunit *test)
{
	static const u64 want[] = {
		0xffffffffffffff81, 0xffffffffffff8281, 0xffffffff84838281,
		0x8887868584838281, 0x81, 0x8281, 0x84838281,
	};
	struct test_hw *t = test->priv;
	unsigned int f3;

	map(t, VA_DATA, t->data->bus, PTE_RW);
	words(t->data)[1] = 0x8887868584838281ULL;
	for (f3 = 0; f3 < ARRAY_SIZE(want); f3++) {
		load_program(t, RV_I(8, A1, f3, A4, 0x03), SD(A4, A1, 0), RET);
		launch_args(t, TEST_CHAN, 1, VA_DATA);
		finish(t, TEST_CHAN);
		KUNIT_EXPECT_EQ_MSG(test, words(t->data)[0], want[f3],
				    "width %u", f3);
	}
	/* sb, sh, sw of -1 into zeroes */
	words(t->data)[0] = 0;
	load_program(t, ADDI(A4, ZERO, -1), RV_S(0, A4, A1, 0, 0x23),
		     RV_S(2, A4, A1, 1, 0x23), RV_S(4, A4, A1, 2, 0x23), RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 0xffffffffffff00ffULL);
}

/* "insn a4, a3, (a1)" on @mem: what it leaves in a4 and in memory. */
struct amo_case {
	const char *name;
	u32 f5, f3;
	u64 mem, arg, want, mem_after;
};

static const struct amo_case amo_cases[] = {
	{ "amoadd.w", 0x00, 2, 0x00000001ffffffff, 1, -1ULL, 0x100000000 },
	{ "amoadd.d", 0x00, 3, 0xffffffff, 1, 0xffffffff, 0x100000000 },
	{ "amoswap.w", 0x01, 2, 5, 6, 5, 6 },
	{ "amoswap.d", 0x01, 3, 5, 6, 5, 6 },
	{ "amoxor.d", 0x04, 3, 0xff, 0x0f, 0xff, 0xf0 },
	{ "amoor.d", 0x08, 3, 0xf0, 0x0f, 0xf0, 0xff },
	{ "amoand.w", 0x0c, 2, 0xf0, 0x3c, 0xf0, 0x30 },
	{ "amomin.w", 0x10, 2, 0x80000000, 1, MIN32, 0x80000000 },
	{ "amomin.d", 0x10, 3, 1, -1ULL, 1, -1ULL },
	{ "amomax.w", 0x14, 2, 0x80000000, 1, MIN32, 1 },
	{ "amomax.d", 0x14, 3, 1, -1ULL, 1, 1 },
	{ "amominu.w", 0x18, 2, 0x80000000, 1, MIN32, 1 },
	{ "amominu.d", 0x18, 3, 1, -1ULL, 1, 1 },
	{ "amomaxu.w", 0x1c, 2, 1, 0x80000000, 1, 0x80000000 },
	{ "amomaxu.d", 0x1c, 3, 1, -1ULL, 1, -1ULL },
};

static void atomics_are_as_in_the_manual(struct kunit *test)
{
	struct test_hw *t = test->priv;
	unsigned int i;

	map(t, VA_DATA, t->data->bus, PTE_RWA);
	for (i = 0; i < ARRAY_SIZE(amo_cases); i++) {
		const struct amo_case *c = &amo_cases[i];

		words(t->data)[0] = c->mem;
		load_program(t, RV_AMO(c->f5, A2, A1, c->f3, A4),
			     SD(A4, A1, 8), RET);
		launch_args(t, TEST_CHAN, 1, VA_DATA, c->arg);
		finish(t, TEST_CHAN);
		KUNIT_EXPECT_EQ_MSG(test, words(t->data)[0], c->mem_after,
				    "%s", c->name);
		KUNIT_EXPECT_EQ_MSG(test, words(t->data)[1], c->want, "%s",
				    c->name);
	}
}

static void store_conditional_needs_its_reservation(struct kunit *test)
{
	struct test_hw *t = test->priv;

	map(t, VA_DATA, t->data->bus, PTE_RWA);
	words(t->data)[0] = 10;
	/* lr.d a4, (a1); sc.d a5, a2, (a1); again without lr */
	load_program(t, RV_AMO(2, 0, A1, 3, A4), RV_AMO(3, A2, A1, 3, A5),
		     SD(A5, A1, 8), RV_AMO(3, A3, A1, 3, A5), SD(A5, A1, 16),
		     RET);
	launch_args(t, TEST_CHAN, 1, VA_DATA, 20, 30);
	finish(t, TEST_CHAN);
	KUNIT_EXPECT_EQ(test, words(t->data)[0], 20);
	KUNIT_EXPECT_EQ(test, words(t->data)[1], 0);
	KUNIT_EXPECT_EQ(test, words(t->data)[2], 1);
}

static struct kunit_case vgem_svm_rv64_cases[] = {
	KUNIT_CASE(arithmetic_is_as_in_the_manual),
	KUNIT_CASE(branches_and_jumps_go_where_they_should),
	KUNIT_CASE(narrow_loads_extend),
	KUNIT_CASE(atomics_are_as_in_the_manual),
	KUNIT_CASE(store_conditional_needs_its_reservation),
	{}
};

static struct kunit_suite vgem_svm_rv64_suite = {
	.name = "vgem_svm_rv64",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vgem_svm_rv64_cases,
};

kunit_test_suite(vgem_svm_rv64_suite);

MODULE_DESCRIPTION("KUnit tests of the instructions of vgem_svm");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
