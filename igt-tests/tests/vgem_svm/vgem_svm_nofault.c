// SPDX-License-Identifier: MIT
/*
 * Queues that cannot page-fault: what is mapped is reached, anything else ends the
 * queue, and the fences of their EXECs are always signalled, once and in order.
 *
 * What the mirror has mapped is theirs as well: a queue that can fault touches it
 * first.
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_fence.h"
#include "igt_vgem_svm_sys.h"

/**
 * TEST: vgem svm nofault
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: queues without page faults
 * Description: queues that cannot page-fault, and the fences of their work
 *
 * SUBTEST: populated
 * Description: what is mapped is reached, and nothing faults
 *
 * SUBTEST: missing
 * Description: what is not mapped ends the queue, and stays as it is
 *
 * SUBTEST: not-permitted
 * Description: a store to what is mapped to be read ends it too
 *
 * SUBTEST: out-args
 * Description: out-syncobjs are refused where they cannot be had
 *
 * SUBTEST: old-struct
 * Description: an EXEC of a program that knows of no out-syncobjs works
 *
 * SUBTEST: in-order
 * Description: fences of a queue are signalled in order, each once its EXEC has ended
 *
 * SUBTEST: chain-queues
 * Description: the out-fence of a queue is another's in-fence
 *
 * SUBTEST: chain-devices
 * Description: the same from device to device and back
 *
 * SUBTEST: after-death
 * Description: what waits behind a death ends with its error
 *
 * SUBTEST: budget
 * Description: too many instructions end with an error
 *
 * SUBTEST: too-long
 * Description: too much time does
 *
 * SUBTEST: destroy-pending
 * Description: a queue that is destroyed takes its fences along
 *
 * SUBTEST: killed-pending
 * Description: a process that is killed does too
 *
 * SUBTEST: unbind-pending
 * Description: a device that goes does too
 */

IGT_TEST_DESCRIPTION("Queues that cannot page-fault, and the fences of their work");

#define PAGES 16
#define BYTES (PAGES * VGEM_SVM_PAGE)
#define TIMEOUT "/sys/kernel/debug/dri/vgem_svm.0/fence_timeout_ms"

/**
 * struct rig - a device with a queue of each kind
 * @s: the device, with a queue that faults
 * @q: one that does not
 * @data: memory that @q reaches
 */
struct rig {
	struct vgem_svm s;
	struct vgem_svm_queue q;
	uint64_t *data;
};

/* ---- the rig -------------------------------------------------------------- */

/* Lets the device have it for all it may do: adds 0 to a word of each page. */
static void warm(struct vgem_svm *s, void *addr, size_t bytes)
{
	unsigned int pages = (bytes + VGEM_SVM_PAGE - 1) / VGEM_SVM_PAGE, i;
	uint64_t *words = vgem_svm_map(DRM_VGEM_SVM_MAX_BATCH);

	for (i = 0; i < pages; i++) {
		words[i * 3] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_ATOMIC_ADD, 3);
		words[i * 3 + 1] = VA(addr) + i * VGEM_SVM_PAGE;
	}
	igt_assert_eq(__vgem_svm_exec(&s->q, words, pages * 3), 0);
	vgem_svm_wait(&s->q);
	vgem_svm_unmap(words, DRM_VGEM_SVM_MAX_BATCH);
}

static void rig_queue(struct rig *r, uint64_t budget)
{
	vgem_svm_queue_init_flags(&r->q, r->s.fd, r->s.vm, 0, budget,
				  DRM_VGEM_SVM_QUEUE_NO_FAULT);
	warm(&r->s, r->q.batch, 2 * VGEM_SVM_PAGE);
	warm(&r->s, r->q.stack, VGEM_SVM_QUEUE_STACKS);
}

static void rig_init_budget(struct rig *r, unsigned int device, uint64_t budget)
{
	vgem_svm_init(&r->s, device, 0);
	warm(&r->s, (void *)(uintptr_t)vgem_svm_program(0), 2 * VGEM_SVM_PAGE);
	r->data = vgem_svm_map(BYTES);
	warm(&r->s, r->data, BYTES);
	rig_queue(r, budget);
}

static void rig_init(struct rig *r)
{
	rig_init_budget(r, 0, 0);
}

static void rig_fini(struct rig *r)
{
	vgem_svm_queue_fini(&r->q);
	vgem_svm_unmap(r->data, BYTES);
	vgem_svm_fini(&r->s);
}

/* out[0] = in[0] * 3 + 1, with a handle of a binary syncobj to wait for and to signal. */
static void start_transform(struct rig *r, uint64_t *from, uint64_t *to, uint32_t in,
			    uint32_t out)
{
	const uint64_t args[7] = { 1, VA(from), VA(to), 1 };
	struct drm_vgem_svm_sync in_sync = { .handle = in };
	struct drm_vgem_svm_sync out_sync = { .handle = out };
	uint64_t *batch = vgem_svm_slot(&r->q);

	vgem_svm_launch(&r->q, batch, vgem_svm_program(VGEM_SVM_PROGRAMS_transform), args);
	igt_assert_eq(__vgem_svm_exec_synced(&r->q, batch, DRM_VGEM_SVM_LAUNCH_WORDS,
					     in ? &in_sync : NULL,
					     out ? &out_sync : NULL), 0);
}

/* A program that runs until data[0] is not 0. Return: its out-syncobj. */
static uint32_t start_held(struct rig *r)
{
	const uint64_t args[7] = { VA(r->data + 8), 8, VA(r->data + 16), VA(r->data) };
	struct drm_vgem_svm_sync out = { .handle = vgem_svm_syncobj(r->s.fd) };
	uint64_t *batch = vgem_svm_slot(&r->q);

	vgem_svm_poke(r->data, 0);
	vgem_svm_launch(&r->q, batch, vgem_svm_program(VGEM_SVM_PROGRAMS_write_on), args);
	igt_assert_eq(__vgem_svm_exec_synced(&r->q, batch, DRM_VGEM_SVM_LAUNCH_WORDS, NULL,
					     &out), 0);
	return out.handle;
}

static void end_held(struct rig *r)
{
	vgem_svm_poke(r->data, 1);
}

/* ---- what it reaches ------------------------------------------------------ */

static void test_populated(void)
{
	uint64_t faults;
	uint32_t out;
	struct rig r;
	int i;

	rig_init(&r);
	out = vgem_svm_syncobj(r.s.fd);
	faults = vgem_svm_counter(&r.s, DRM_VGEM_SVM_CTR_FAULTS);
	for (i = 0; i < 50; i++) {
		vgem_svm_poke(r.data, i);
		start_transform(&r, r.data, r.data + BYTES / 8 - 1, 0, out);
		igt_assert_eq(vgem_svm_fence_await(r.s.fd, out), 1);
		/* What was stored can be read once the fence is signalled. */
		igt_assert_eq_u64(r.data[BYTES / 8 - 1], i * 3 + 1);
	}
	igt_assert_eq_u64(vgem_svm_counter(&r.s, DRM_VGEM_SVM_CTR_FAULTS), faults);
	drmSyncobjDestroy(r.s.fd, out);
	rig_fini(&r);
}

/* The last fault that the address space knows of. */
static void check_log(struct rig *r, const void *addr, uint32_t access, uint32_t error)
{
	struct drm_vgem_svm_fault fault;
	uint64_t total;
	uint32_t nr = 1;

	igt_assert_eq(__vgem_svm_faults(r->s.fd, r->s.vm, &fault, &nr, &total), 0);
	igt_assert_eq_u64(total, 1);
	igt_assert_eq_u64(fault.addr, VA(addr));
	igt_assert_eq(fault.queue_id, r->q.id);
	igt_assert_eq(fault.access, access);
	igt_assert_eq(fault.error, error);
	igt_assert(fault.pc >= vgem_svm_program(0) &&
		   fault.pc < vgem_svm_program(2 * VGEM_SVM_PAGE));
}

static void check_dead(struct rig *r, const void *addr)
{
	struct drm_vgem_svm_queue_query query;

	vgem_svm_wait_dead(&r->q, DRM_VGEM_SVM_QUEUE_FAULT);
	igt_assert_eq(__vgem_svm_queue_query(r->s.fd, r->q.id, &query), 0);
	igt_assert_eq_u64(query.addr, VA(addr));
	igt_assert_eq(__vgem_svm_exec(&r->q, r->q.batch, 12), -EIO);
}

static void test_missing(void)
{
	uint64_t *missing = vgem_svm_map_fresh(VGEM_SVM_PAGE), faults;
	uint32_t out;
	struct rig r;

	rig_init(&r);
	out = vgem_svm_syncobj(r.s.fd);
	faults = vgem_svm_counter(&r.s, DRM_VGEM_SVM_CTR_FAULTS);
	start_transform(&r, r.data, missing + 3, 0, out);
	igt_assert_eq(vgem_svm_fence_await(r.s.fd, out), -EFAULT);
	check_dead(&r, missing + 3);
	check_log(&r, missing + 3, 1, EFAULT);
	igt_assert_eq_u64(vgem_svm_counter(&r.s, DRM_VGEM_SVM_CTR_FAULTS), faults);
	igt_assert_eq(vgem_svm_present(missing, VGEM_SVM_PAGE), 0);
	/* Others of the address space have not noticed. */
	vgem_svm_run(&r.s.q, increment, 1, 1, VA(missing), 8, 5, 1);
	igt_assert_eq_u64(*missing, 5);
	drmSyncobjDestroy(r.s.fd, out);
	rig_fini(&r);
	vgem_svm_unmap(missing, VGEM_SVM_PAGE);
}

static void test_not_permitted(void)
{
	uint64_t *zeros = vgem_svm_map_fresh(VGEM_SVM_PAGE);
	uint32_t out;
	struct rig r;

	rig_init(&r);
	out = vgem_svm_syncobj(r.s.fd);
	vgem_svm_run(&r.s.q, touch, 1, 1, VA(zeros), 8, 1);
	start_transform(&r, zeros, r.data, 0, out);
	igt_assert_eq(vgem_svm_fence_await(r.s.fd, out), 1);
	igt_assert_eq_u64(r.data[0], 1);
	start_transform(&r, r.data, zeros, 0, out);
	igt_assert_eq(vgem_svm_fence_await(r.s.fd, out), -EFAULT);
	check_dead(&r, zeros);
	check_log(&r, zeros, 1, EACCES);
	drmSyncobjDestroy(r.s.fd, out);
	rig_fini(&r);
	vgem_svm_unmap(zeros, VGEM_SVM_PAGE);
}

/* ---- the ioctl ------------------------------------------------------------ */

static void test_out_args(void)
{
	unsigned long request = DRM_IOCTL_VGEM_SVM_EXEC;
	struct drm_vgem_svm_sync sync = { .handle = 12345 };
	struct drm_vgem_svm_exec args = {
		.batch_bytes = 8, .out_syncs = VA(&sync), .nr_out_syncs = 1,
		.out_sync_stride = sizeof(sync),
	};
	struct rig r;

	rig_init(&r);
	r.q.batch[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 1);
	args.batch_addr = VA(r.q.batch);
	args.queue_id = r.q.id;
	REFUSED(r.s.fd, request, args, pad, 0, -ENOENT);
	sync.handle = vgem_svm_syncobj(r.s.fd);
	REFUSED(r.s.fd, request, args, out_sync_stride, 0, -EINVAL);
	REFUSED(r.s.fd, request, args, out_sync_stride, sizeof(sync) - 1, -EINVAL);
	REFUSED(r.s.fd, request, args, out_sync_stride, DRM_VGEM_SVM_MAX_STRIDE + 1,
		-EINVAL);
	REFUSED(r.s.fd, request, args, nr_out_syncs, DRM_VGEM_SVM_MAX_SYNCS + 1, -EINVAL);
	REFUSED(r.s.fd, request, args, nr_out_syncs, 0, -EINVAL);
	REFUSED(r.s.fd, request, args, out_syncs, 0, -EFAULT);
	sync.flags = 1;
	REFUSED(r.s.fd, request, args, pad, 0, -EINVAL);
	sync.flags = 0;
	/* What may fault has none, and has not run. */
	REFUSED(r.s.fd, request, args, queue_id, r.s.q.id, -EINVAL);
	/* Who was refused has got no fence. */
	igt_assert(drmSyncobjExportSyncFile(r.s.fd, sync.handle, &(int){ -1 }));
	igt_assert_eq(__vgem_svm_ioctl(r.s.fd, request, &args), 0);
	r.q.given++;
	igt_assert_eq(vgem_svm_fence_await(r.s.fd, sync.handle), 1);
	drmSyncobjDestroy(r.s.fd, sync.handle);
	rig_fini(&r);
}

/* The struct as it was. */
struct exec_before {
	uint32_t queue_id, flags;
	uint64_t batch_addr;
	uint32_t batch_bytes, nr_in_syncs;
	uint64_t in_syncs;
	uint32_t in_sync_stride, pad;
	uint64_t fence_addr, fence_value;
};

static void test_old_struct(void)
{
	struct {
		struct exec_before args;
		uint8_t beyond[64];
	} exec;
	struct rig r;

	rig_init(&r);
	memset(&exec, 0xff, sizeof(exec));
	r.q.batch[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 1);
	exec.args = (struct exec_before) {
		.queue_id = r.q.id, .batch_addr = VA(r.q.batch), .batch_bytes = 8,
		.fence_addr = VA(r.data), .fence_value = 77,
	};
	igt_assert_eq(__vgem_svm_ioctl(r.s.fd,
				       DRM_IOWR(DRM_COMMAND_BASE + DRM_VGEM_SVM_EXEC,
						struct exec_before), &exec), 0);
	vgem_svm_wait_word(r.data, 77, "the fence of an EXEC");
	rig_fini(&r);
}

/* ---- in order ------------------------------------------------------------- */

static void test_in_order(void)
{
	struct drm_vgem_svm_sync out = {};
	uint64_t last = 0, now, *batch;
	unsigned int n = 30, i;
	uint32_t held;
	struct rig r;

	rig_init(&r);
	out.handle = vgem_svm_syncobj(r.s.fd);
	held = start_held(&r);
	for (i = 1; i <= n; i++) {
		batch = vgem_svm_slot(&r.q);
		batch[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_STORE, 3);
		batch[1] = VA(r.data + 32);
		batch[2] = i;
		out.point = i;
		igt_assert_eq(__vgem_svm_exec_synced(&r.q, batch, 3, NULL, &out), 0);
	}
	igt_assert_eq(vgem_svm_fence_status(r.s.fd, held), 0);
	igt_assert(!drmSyncobjQuery(r.s.fd, &out.handle, &now, 1));
	igt_assert_eq_u64(now, 0);
	end_held(&r);
	while (last < n) {
		igt_assert(!drmSyncobjQuery(r.s.fd, &out.handle, &now, 1));
		igt_assert_f(now >= last, "point %llu after %llu\n",
			     (unsigned long long)now, (unsigned long long)last);
		/* A point that is signalled is one whose EXEC has ended. */
		igt_assert(vgem_svm_peek(r.data + 32) >= now);
		last = now;
	}
	igt_assert_eq(vgem_svm_fence_await(r.s.fd, held), 1);
	drmSyncobjDestroy(r.s.fd, held);
	drmSyncobjDestroy(r.s.fd, out.handle);
	rig_fini(&r);
}

static void test_chain_queues(void)
{
	uint32_t held, out;
	struct rig r, other;

	rig_init(&r);
	other = r;
	rig_queue(&other, 0);
	out = vgem_svm_syncobj(r.s.fd);
	held = start_held(&r);
	vgem_svm_wait_change(r.data + 8, "what the program writes");
	/* Of what the first ends with. */
	start_transform(&other, r.data + 16, r.data + 24, held, out);
	usleep(20000);
	igt_assert_eq(vgem_svm_fence_status(r.s.fd, out), 0);
	igt_assert_eq_u64(vgem_svm_peek(r.data + 24), 0);
	end_held(&r);
	igt_assert_eq(vgem_svm_fence_await(r.s.fd, out), 1);
	igt_assert_eq(vgem_svm_fence_status(r.s.fd, held), 1);
	igt_assert_eq_u64(r.data[24], r.data[16] * 3 + 1);
	vgem_svm_queue_fini(&other.q);
	drmSyncobjDestroy(r.s.fd, held);
	drmSyncobjDestroy(r.s.fd, out);
	rig_fini(&r);
}

/* The fence of one device for the other. */
static uint32_t carry(int from, int to, uint32_t handle)
{
	uint32_t there = vgem_svm_syncobj(to);
	int file = vgem_svm_sync_file(from, handle);

	igt_assert(!drmSyncobjImportSyncFile(to, there, file));
	close(file);
	return there;
}

static void test_chain_devices(void)
{
	uint32_t held, in, mid, back, out;
	struct rig a, b;

	rig_init(&a);
	rig_init_budget(&b, 1, 0);
	/* The other device's part, and the first's again, of one memory. */
	warm(&b.s, a.data, BYTES);
	held = start_held(&a);
	mid = vgem_svm_syncobj(b.s.fd);
	out = vgem_svm_syncobj(a.s.fd);
	in = carry(a.s.fd, b.s.fd, held);
	start_transform(&b, a.data + 16, a.data + 24, in, mid);
	back = carry(b.s.fd, a.s.fd, mid);
	start_transform(&a, a.data + 24, a.data + 32, back, out);
	usleep(20000);
	igt_assert_eq(vgem_svm_fence_status(a.s.fd, out), 0);
	end_held(&a);
	igt_assert_eq(vgem_svm_fence_await(a.s.fd, out), 1);
	igt_assert_eq_u64(a.data[32], (a.data[16] * 3 + 1) * 3 + 1);
	drmSyncobjDestroy(b.s.fd, in);
	drmSyncobjDestroy(b.s.fd, mid);
	drmSyncobjDestroy(a.s.fd, held);
	drmSyncobjDestroy(a.s.fd, back);
	drmSyncobjDestroy(a.s.fd, out);
	rig_fini(&b);
	rig_fini(&a);
}

/* ---- ends ----------------------------------------------------------------- */

static void test_after_death(void)
{
	uint64_t *missing = vgem_svm_map_fresh(VGEM_SVM_PAGE);
	uint32_t first, second, other;
	struct rig r, alive;

	rig_init(&r);
	alive = r;
	rig_queue(&alive, 0);
	first = start_held(&r);
	second = vgem_svm_syncobj(r.s.fd);
	other = vgem_svm_syncobj(r.s.fd);
	start_transform(&r, missing, r.data + 24, 0, second);
	/* What waits for a fence runs when that is signalled, be it with an error. */
	start_transform(&alive, r.data, r.data + 32, second, other);
	end_held(&r);
	igt_assert_eq(vgem_svm_fence_await(r.s.fd, second), -EFAULT);
	igt_assert_eq(vgem_svm_fence_status(r.s.fd, first), 1);
	igt_assert_eq(vgem_svm_fence_await(r.s.fd, other), 1);
	igt_assert_eq_u64(r.data[32], 4);
	igt_assert_eq_u64(r.data[24], 0);
	vgem_svm_queue_fini(&alive.q);
	drmSyncobjDestroy(r.s.fd, first);
	drmSyncobjDestroy(r.s.fd, second);
	drmSyncobjDestroy(r.s.fd, other);
	rig_fini(&r);
	vgem_svm_unmap(missing, VGEM_SVM_PAGE);
}

static void test_budget(void)
{
	uint32_t held;
	struct rig r;

	rig_init_budget(&r, 0, 20000);
	held = start_held(&r);
	igt_assert_eq(vgem_svm_fence_await(r.s.fd, held), -ETIME);
	vgem_svm_wait_dead(&r.q, DRM_VGEM_SVM_QUEUE_BUDGET);
	drmSyncobjDestroy(r.s.fd, held);
	rig_fini(&r);
}

static void test_too_long(void)
{
	uint64_t before = vgem_svm_read_number(TIMEOUT, NULL);
	char text[32];
	uint32_t held;
	struct rig r;

	igt_require_f(before != ~0ULL, "no debugfs\n");
	igt_assert_eq(vgem_svm_write_file(TIMEOUT, "1500"), 0);
	rig_init(&r);
	igt_assert_eq_u64(vgem_svm_query(r.s.fd, DRM_VGEM_SVM_PARAM_FENCE_MS), 1500);
	held = start_held(&r);
	igt_assert_eq(vgem_svm_fence_await(r.s.fd, held), -ETIME);
	vgem_svm_wait_dead(&r.q, DRM_VGEM_SVM_QUEUE_BUDGET);
	snprintf(text, sizeof(text), "%" PRIu64, before);
	igt_assert_eq(vgem_svm_write_file(TIMEOUT, text), 0);
	drmSyncobjDestroy(r.s.fd, held);
	rig_fini(&r);
}

static void test_destroy_pending(void)
{
	uint32_t held, behind, waiting;
	struct rig r, other;

	rig_init(&r);
	other = r;
	rig_queue(&other, 0);
	held = start_held(&r);
	vgem_svm_wait_change(r.data + 8, "what the program writes");
	behind = vgem_svm_syncobj(r.s.fd);
	waiting = vgem_svm_syncobj(r.s.fd);
	start_transform(&r, r.data, r.data + 24, 0, behind);
	/* Not even in its ring: waits for the other queue. */
	start_transform(&other, r.data, r.data + 32, held, waiting);
	vgem_svm_queue_fini(&other.q);
	igt_assert_eq(vgem_svm_fence_status(r.s.fd, waiting), -ECANCELED);
	igt_assert_eq(vgem_svm_fence_status(r.s.fd, held), 0);
	vgem_svm_queue_fini(&r.q);
	/* Signalled when the ioctl is back, and nothing runs on. */
	igt_assert_eq(vgem_svm_fence_status(r.s.fd, held), -ECANCELED);
	igt_assert_eq(vgem_svm_fence_status(r.s.fd, behind), -ECANCELED);
	igt_assert_eq_u64(r.data[24] | r.data[32], 0);
	vgem_svm_poke(r.data + 8, 0);
	usleep(10000);
	igt_assert_eq_u64(vgem_svm_peek(r.data + 8), 0);
	drmSyncobjDestroy(r.s.fd, held);
	drmSyncobjDestroy(r.s.fd, behind);
	drmSyncobjDestroy(r.s.fd, waiting);
	vgem_svm_unmap(r.data, BYTES);
	vgem_svm_fini(&r.s);
}

/* ---- others end it -------------------------------------------------------- */

struct in_child {
	int syncobj;
	int ready[2];
};

/* Its work has a fence that the parent holds too; ends by a signal. */
static int body_killed(void *data)
{
	struct in_child *in = data;
	uint32_t held, shared;
	struct rig r;
	int file;

	rig_init(&r);
	held = start_held(&r);
	vgem_svm_wait_change(r.data + 8, "what the program writes");
	file = vgem_svm_sync_file(r.s.fd, held);
	CHILD_CHECK(!drmSyncobjFDToHandle(r.s.fd, in->syncobj, &shared));
	CHILD_CHECK(!drmSyncobjImportSyncFile(r.s.fd, shared, file));
	CHILD_CHECK(write(in->ready[1], "x", 1) == 1);
	for (;;)
		pause();
}

static void test_killed_pending(void)
{
	struct in_child in;
	int fd = vgem_svm_open(0), wait_status, file;
	uint32_t shared = vgem_svm_syncobj(fd);
	pid_t pid;
	char c;

	igt_assert(!drmSyncobjHandleToFD(fd, shared, &in.syncobj));
	igt_assert(!pipe(in.ready));
	pid = vgem_svm_fork(body_killed, &in);
	close(in.ready[1]);
	igt_assert_f(read(in.ready[0], &c, 1) == 1, "the child has failed\n");
	file = vgem_svm_sync_file(fd, shared);
	igt_assert_eq(vgem_svm_file_status(file), 0);
	kill(pid, SIGKILL);
	igt_assert(waitpid(pid, &wait_status, 0) == pid);
	igt_assert_eq(vgem_svm_file_await(file), -ECANCELED);
	close(file);
	close(in.ready[0]);
	close(in.syncobj);
	drmSyncobjDestroy(fd, shared);
	close(fd);
}

static int body_unbind(void *data)
{
	struct rig r, other;
	uint32_t held, waiting;
	int file[2];

	(void)data;
	rig_init(&r);
	other = r;
	rig_queue(&other, 0);
	held = start_held(&r);
	waiting = vgem_svm_syncobj(r.s.fd);
	start_transform(&other, r.data, r.data + 24, held, waiting);
	file[0] = vgem_svm_sync_file(r.s.fd, held);
	file[1] = vgem_svm_sync_file(r.s.fd, waiting);
	CHILD_CHECK(vgem_svm_file_status(file[0]) == 0 && vgem_svm_file_status(file[1]) == 0);
	CHILD_CHECK(vgem_svm_driver("unbind", 0) == 0);
	/* They outlive the device. */
	CHILD_CHECK(vgem_svm_file_status(file[0]) == -ECANCELED);
	/* Whose queue went first, or ran when the other's had gone. */
	CHILD_CHECK(vgem_svm_file_status(file[1]) == -ECANCELED ||
		    vgem_svm_file_status(file[1]) == 1);
	return 0;
}

static void test_unbind_pending(void)
{
	vgem_svm_in_child(body_unbind, NULL, "who has fences of a device that goes");
	vgem_svm_bring_back(0);
}

int igt_main()
{
	igt_fixture()
		vgem_svm_require(1);

	igt_describe("What is mapped is reached, and nothing faults");
	igt_subtest("populated")
		test_populated();

	igt_describe("What is not mapped ends the queue, and stays as it is");
	igt_subtest("missing")
		test_missing();

	igt_describe("A store to what is mapped to be read ends it too");
	igt_subtest("not-permitted")
		test_not_permitted();

	igt_describe("Out-syncobjs are refused where they cannot be had");
	igt_subtest("out-args")
		test_out_args();

	igt_describe("An EXEC of a program that knows of no out-syncobjs works");
	igt_subtest("old-struct")
		test_old_struct();

	igt_describe("Fences of a queue are signalled in order, each once its EXEC has ended");
	igt_subtest("in-order")
		test_in_order();

	igt_describe("The out-fence of a queue is another's in-fence");
	igt_subtest("chain-queues")
		test_chain_queues();

	igt_describe("The same from device to device and back");
	igt_subtest("chain-devices") {
		vgem_svm_require(2);
		test_chain_devices();
	}

	igt_describe("What waits behind a death ends with its error");
	igt_subtest("after-death")
		test_after_death();

	igt_describe("Too many instructions end with an error");
	igt_subtest("budget")
		test_budget();

	igt_describe("Too much time does");
	igt_subtest("too-long")
		test_too_long();

	igt_describe("A queue that is destroyed takes its fences along");
	igt_subtest("destroy-pending")
		test_destroy_pending();

	igt_describe("A process that is killed does too");
	igt_subtest("killed-pending")
		test_killed_pending();

	igt_describe("A device that goes does too");
	igt_subtest("unbind-pending")
		test_unbind_pending();
}
