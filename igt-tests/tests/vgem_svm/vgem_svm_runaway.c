// SPDX-License-Identifier: MIT
/*
 * Programs that misbehave: each ends in a dead queue that says why, and nothing
 * else is harmed.
 */

#include <poll.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm runaway
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: programs that misbehave
 * Description: a bad program ends its queue and nothing else
 *
 * SUBTEST: endless-loop
 * Description: a loop without end uses up its budget
 *
 * SUBTEST: endless-beside
 * Description: others on the same engine run on while one loops
 *
 * SUBTEST: destroy-running
 * Description: a queue can be destroyed while its program loops
 *
 * SUBTEST: illegal-instruction
 * Description: an instruction that does not exist
 *
 * SUBTEST: misaligned
 * Description: a misaligned load
 *
 * SUBTEST: stack-overflow
 * Description: a stack pointer that leaves its stack
 *
 * SUBTEST: wide-address
 * Description: an address wider than the GPU's
 *
 * SUBTEST: wild-jump
 * Description: a jump into data
 *
 * SUBTEST: bad-packet
 * Description: packets that do not exist or have a wrong length
 *
 * SUBTEST: bad-batch
 * Description: a batch that is not there
 *
 * SUBTEST: bad-launch
 * Description: launches with impossible sizes
 *
 * SUBTEST: event-on-death
 * Description: the eventfd tells when a queue dies
 *
 * SUBTEST: launch-budget
 * Description: the threads of a launch use up together what they may
 */

IGT_TEST_DESCRIPTION("Programs that misbehave");

static void check_alive(struct vgem_svm *s)
{
	uint64_t *word = calloc(1, 8);

	vgem_svm_run(&s->q, store_at, 1, VA(word), 0x11fe);
	igt_assert_eq_u64(*word, 0x11fe);
	free(word);
}

/* The queue dies of @status; others live; the address and pc are what they are. */
static void finish(struct vgem_svm *s, struct vgem_svm_queue *q,
		   uint32_t status, struct drm_vgem_svm_queue_query *query)
{
	vgem_svm_wait_dead(q, status);
	igt_assert_eq(__vgem_svm_queue_query(q->fd, q->id, query), 0);
	igt_assert_eq_u64(query->completed, 0);
	igt_assert_eq(__vgem_svm_exec(q, q->batch, 12), -EIO);
	vgem_svm_queue_fini(q);
	check_alive(s);
}

static bool in_image(uint64_t pc)
{
	return pc >= vgem_svm_program(0) &&
	       pc < vgem_svm_program(0) + sizeof(vgem_svm_programs_image);
}

static void test_loop(struct vgem_svm *s)
{
	struct drm_vgem_svm_queue_query query;
	uint64_t *started = calloc(1, 8);
	struct vgem_svm_queue q;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 10000);
	vgem_svm_start(&q, loop, 1, VA(started));
	finish(s, &q, DRM_VGEM_SVM_QUEUE_BUDGET, &query);
	igt_assert(in_image(query.pc));
	igt_assert_eq_u64(*started, 1);
	free(started);
}

static void test_loop_beside(struct vgem_svm *s, bool destroy)
{
	uint64_t *started = calloc(1, 8);
	struct vgem_svm_queue q;
	int i;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	vgem_svm_start(&q, loop, 64, VA(started));
	vgem_svm_wait_word(started, 1, "the loop's start");
	for (i = 0; i < 5; i++)
		check_alive(s);
	igt_assert_eq(vgem_svm_status(&q), DRM_VGEM_SVM_QUEUE_OK);
	if (destroy) {
		vgem_svm_queue_fini(&q);
		check_alive(s);
	} else {
		vgem_svm_queue_fini(&q);
	}
	free(started);
}

static void test_illegal(struct vgem_svm *s)
{
	struct drm_vgem_svm_queue_query query;
	struct vgem_svm_queue q;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	vgem_svm_start(&q, illegal, 3, 0);
	finish(s, &q, DRM_VGEM_SVM_QUEUE_INSN, &query);
	igt_assert_eq_u64(query.pc,
			  vgem_svm_program(VGEM_SVM_PROGRAMS_illegal));
	igt_assert_eq(query.insn, 0xffffffff);
	igt_assert(query.thread < 3);
}

static void test_misaligned(struct vgem_svm *s)
{
	struct drm_vgem_svm_queue_query query;
	uint64_t *word = calloc(2, 8);
	struct vgem_svm_queue q;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	vgem_svm_start(&q, misaligned, 1, VA(word));
	finish(s, &q, DRM_VGEM_SVM_QUEUE_ALIGN, &query);
	igt_assert_eq_u64(query.addr, VA(word) + 1);
	igt_assert(in_image(query.pc));
	free(word);
}

static void test_overflow(struct vgem_svm *s)
{
	struct drm_vgem_svm_queue_query query;
	struct vgem_svm_queue q;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	vgem_svm_start(&q, overflow, 2, 0);
	finish(s, &q, DRM_VGEM_SVM_QUEUE_STACK, &query);
	igt_assert(in_image(query.pc));
}

static void test_wide(struct vgem_svm *s)
{
	static const uint64_t addrs[] = {
		1ULL << 57, 1ULL << 63, 0xffffffffffff0000ULL,
	};
	struct drm_vgem_svm_queue_query query;
	uint64_t *out = calloc(1, 8);
	struct vgem_svm_queue q;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
		vgem_svm_start(&q, load_at, 1, addrs[i], VA(out));
		finish(s, &q, DRM_VGEM_SVM_QUEUE_VA, &query);
		igt_assert_eq_u64(query.addr, addrs[i]);
	}
	free(out);
}

static void test_wild_jump(struct vgem_svm *s)
{
	struct drm_vgem_svm_queue_query query;
	uint64_t *data = calloc(512, 8);
	struct vgem_svm_queue q;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	vgem_svm_start(&q, jump_to, 1, VA(data));
	finish(s, &q, DRM_VGEM_SVM_QUEUE_INSN, &query);
	igt_assert_eq_u64(query.pc, VA(data));
	free(data);
}

static void dies_of_packet(struct vgem_svm *s, const uint64_t *words,
			   unsigned int nr)
{
	struct drm_vgem_svm_queue_query query;
	struct vgem_svm_queue q;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	memcpy(q.batch, words, nr * 8);
	igt_assert_eq(__vgem_svm_exec(&q, q.batch, nr), 0);
	finish(s, &q, DRM_VGEM_SVM_QUEUE_PACKET, &query);
}

static void test_bad_packet(struct vgem_svm *s)
{
	static const uint64_t bad[] = {
		/* Unknown, of the kernel's rings, no length, too long, wrong. */
		DRM_VGEM_SVM_PKT(0x7f, 1), DRM_VGEM_SVM_PKT(0x10, 2),
		DRM_VGEM_SVM_PKT(0x30, 3), DRM_VGEM_SVM_PKT(0x01, 3),
		DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 0),
		DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 100),
		DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_STORE, 2),
		DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_LAUNCH, 3),
		DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_ATOMIC_ADD, 4), ~0ULL,
	};
	uint64_t words[8] = {};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		words[0] = bad[i];
		dies_of_packet(s, words, 8);
	}
}

static void test_bad_batch(struct vgem_svm *s)
{
	struct drm_vgem_svm_queue_query query;
	struct vgem_svm_queue q;
	uint64_t *p = vgem_svm_map(64UL << 20);

	vgem_svm_unmap(p, 64UL << 20);
	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	igt_assert_eq(__vgem_svm_exec(&q, p + (4UL << 20), 4), 0);
	finish(s, &q, DRM_VGEM_SVM_QUEUE_FAULT, &query);
	igt_assert_eq_u64(query.addr, VA(p + (4UL << 20)));
	igt_assert_eq_u64(query.pc, 0);
}

static void test_bad_launch(struct vgem_svm *s)
{
	uint64_t entry = vgem_svm_program(VGEM_SVM_PROGRAMS_illegal);
	uint64_t words[5][12] = {
		{ 0, entry, 0, 0, 0 },			/* no threads */
		{ 0, entry, (1 << 24) + 1, 0, 0 },	/* too many */
		{ 0, entry, 1, 8, 1024 },		/* stack not aligned */
		{ 0, entry, 1, 4096, 8 },		/* nor its size */
		{ 0, entry, 1, 1ULL << 57, 1024 },	/* nor within reach */
	};
	unsigned int i;

	for (i = 0; i < 5; i++) {
		words[i][0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_LAUNCH, 12);
		dies_of_packet(s, words[i], 12);
	}
}

static void test_event_on_death(struct vgem_svm *s)
{
	struct vgem_svm_queue q;
	struct pollfd pfd = { .events = POLLIN };
	uint64_t value = 0;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	pfd.fd = q.event;
	igt_assert_eq(poll(&pfd, 1, 0), 0);
	vgem_svm_start(&q, illegal, 1, 0);
	igt_assert_f(poll(&pfd, 1, 1000 * vgem_svm_patience(20)) == 1,
		     "no event when the queue died\n");
	igt_assert_eq(read(q.event, &value, 8), 8);
	igt_assert_eq_u64(value, 1);
	igt_assert_eq(vgem_svm_status(&q), DRM_VGEM_SVM_QUEUE_INSN);
	vgem_svm_queue_fini(&q);
}

static void programs(struct vgem_svm *s)
{
	igt_describe("A loop without end uses up its budget");
	igt_subtest("endless-loop")
		test_loop(s);

	igt_describe("Others on the same engine run on while one loops");
	igt_subtest("endless-beside")
		test_loop_beside(s, false);

	igt_describe("A queue can be destroyed while its program loops");
	igt_subtest("destroy-running")
		test_loop_beside(s, true);

	igt_describe("An instruction that does not exist");
	igt_subtest("illegal-instruction")
		test_illegal(s);

	igt_describe("A misaligned load");
	igt_subtest("misaligned")
		test_misaligned(s);

	igt_describe("A stack pointer that leaves its stack");
	igt_subtest("stack-overflow")
		test_overflow(s);

	igt_describe("An address wider than the GPU's");
	igt_subtest("wide-address")
		test_wide(s);

	igt_describe("A jump into data");
	igt_subtest("wild-jump")
		test_wild_jump(s);
}

/* Return: how a launch of that many threads ends, each of some thousand steps. */
static int launch_within(struct vgem_svm *s, uint64_t budget, unsigned int threads)
{
	struct drm_vgem_svm_queue_create args = {
		.vm_id = s->vm, .launch_budget = budget,
	};
	uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE);
	struct vgem_svm_queue q;
	int status;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	igt_assert_eq(__vgem_svm_queue_destroy(s->fd, q.id), 0);
	args.eventfd = q.event;
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
				       &args), 0);
	q.id = args.queue_id;
	vgem_svm_start(&q, count, threads, 2000, VA(word));
	status = __vgem_svm_wait(&q, 60);
	vgem_svm_queue_fini(&q);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
	return status;
}

static void test_launch_budget(struct vgem_svm *s)
{
	uint64_t most = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_LAUNCH_INSNS);

	/* What is enough for one thread is not for sixteen. */
	igt_assert_eq(launch_within(s, 50000, 1), DRM_VGEM_SVM_QUEUE_OK);
	igt_assert_eq(launch_within(s, 50000, 16), DRM_VGEM_SVM_QUEUE_BUDGET);
	igt_assert_eq(launch_within(s, most, 16), DRM_VGEM_SVM_QUEUE_OK);
	igt_assert_eq(launch_within(s, 0, 16), DRM_VGEM_SVM_QUEUE_OK);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	programs(&s);

	igt_describe("Packets that do not exist or have a wrong length");
	igt_subtest("bad-packet")
		test_bad_packet(&s);

	igt_describe("A batch that is not there");
	igt_subtest("bad-batch")
		test_bad_batch(&s);

	igt_describe("Launches with impossible sizes");
	igt_subtest("bad-launch")
		test_bad_launch(&s);

	igt_describe("The eventfd tells when a queue dies");
	igt_subtest("event-on-death")
		test_event_on_death(&s);

	igt_describe("The threads of a launch use up together what they may");
	igt_subtest("launch-budget")
		test_launch_budget(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
