// SPDX-License-Identifier: MIT
/*
 * Memory of the process, bound for queues that cannot page-fault. All that such a
 * queue uses is: batches, programs, stacks and data.
 */

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_bo.h"
#include "igt_vgem_svm_fence.h"
#include "igt_vgem_svm_sys.h"

/**
 * TEST: vgem svm userptr
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: memory of the process, bound
 * Description: memory of the process for queues that cannot page-fault
 *
 * SUBTEST: basic
 * Description: programs work on it, at its own address and at another
 *
 * SUBTEST: beside
 * Description: the same beside a mirror, which has the addresses again afterwards
 *
 * SUBTEST: args
 * Description: what is wrong is refused
 *
 * SUBTEST: churn-dontneed
 * Description: the data are right while pages are given back
 *
 * SUBTEST: churn-munmap
 * Description: while others are mapped in their place
 *
 * SUBTEST: churn-fork
 * Description: while children share them
 *
 * SUBTEST: churn-mprotect
 * Description: while they cannot be written at times
 *
 * SUBTEST: churn-huge
 * Description: while they become huge ones, and small again
 *
 * SUBTEST: counts
 * Description: each invalidation of what is used is made good for once
 *
 * SUBTEST: gone
 * Description: what the process has no more is an error, until it has it again
 *
 * SUBTEST: storm
 * Description: a thread gives pages back all the time, and no job meets that
 *
 * SUBTEST: waits
 * Description: who unmaps waits for the job, and nothing is written to what is gone
 *
 * SUBTEST: unbind-waits
 * Description: so does who unbinds; what comes later finds nothing
 *
 * SUBTEST: faulting
 * Description: who can fault is not waited for, and is told
 *
 * SUBTEST: killed
 * Description: a process that is killed does not wait for its job
 */

IGT_TEST_DESCRIPTION("Memory of the process for queues that cannot page-fault");

#define PAGES 32
#define BYTES (PAGES * VGEM_SVM_PAGE)
#define WORDS (BYTES / 8)
#define RW (DRM_VGEM_SVM_BIND_READ | DRM_VGEM_SVM_BIND_WRITE)

/**
 * struct rig - an address space with nothing but what is bound, and a queue
 * @fd: device
 * @vm: address space
 * @q: queue without faults
 * @data: bound at its own address
 * @control: the same, of one page that nothing happens to
 */
struct rig {
	int fd;
	uint32_t vm;
	struct vgem_svm_queue q;
	uint64_t *data;
	uint64_t *control;
};

static int __userptr(struct rig *r, uint32_t op, const void *from, const void *at,
		     size_t bytes, uint32_t flags)
{
	struct drm_vgem_svm_userptr args = {
		.vm_id = r->vm, .op = op, .flags = flags, .user_addr = VA(from),
		.addr = VA(at), .length = bytes,
	};

	return __vgem_svm_ioctl(r->fd, DRM_IOCTL_VGEM_SVM_USERPTR, &args);
}

static void bind(struct rig *r, const void *addr, size_t bytes)
{
	igt_assert_eq(__userptr(r, DRM_VGEM_SVM_BIND_MAP, addr, addr, bytes, RW), 0);
}

static int unbind(struct rig *r, const void *addr, size_t bytes)
{
	return __userptr(r, DRM_VGEM_SVM_BIND_UNMAP, NULL, addr, bytes, 0);
}

static void queue_bind(struct rig *r, struct vgem_svm_queue *q, uint32_t flags)
{
	vgem_svm_queue_init_flags(q, r->fd, r->vm, 0, 0, flags);
	bind(r, q->batch, VGEM_SVM_PAGE);
	bind(r, q->stack, VGEM_SVM_QUEUE_STACKS);
}

static void rig_init(struct rig *r, size_t bytes)
{
	r->fd = vgem_svm_open(0);
	igt_assert_eq(__vgem_svm_vm_create(r->fd, DRM_VGEM_SVM_VM_NO_SVM |
					   DRM_VGEM_SVM_VM_USERPTR, &r->vm), 0);
	r->data = vgem_svm_map_aligned(bytes, VGEM_SVM_BLOCK);
	r->control = vgem_svm_map(VGEM_SVM_PAGE);
	bind(r, (void *)(uintptr_t)vgem_svm_program(0), 2 * VGEM_SVM_PAGE);
	queue_bind(r, &r->q, DRM_VGEM_SVM_QUEUE_NO_FAULT);
	bind(r, r->data, bytes);
	bind(r, r->control, VGEM_SVM_PAGE);
}

static void rig_fini(struct rig *r, size_t bytes)
{
	vgem_svm_queue_fini(&r->q);
	igt_assert_eq(__vgem_svm_vm_destroy(r->fd, r->vm), 0);
	vgem_svm_unmap(r->data, bytes);
	vgem_svm_unmap(r->control, VGEM_SVM_PAGE);
	close(r->fd);
}

/* Return: of EXEC; out: a syncobj. */
static int start(struct rig *r, struct vgem_svm_queue *q, uint64_t entry,
		 const uint64_t args[7], uint32_t *out)
{
	struct drm_vgem_svm_sync sync = {};
	uint64_t *batch = vgem_svm_slot(q);
	int ret;

	sync.handle = out ? vgem_svm_syncobj(r->fd) : 0;
	vgem_svm_launch(q, batch, vgem_svm_program(entry), args);
	ret = __vgem_svm_exec_synced(q, batch, DRM_VGEM_SVM_LAUNCH_WORDS, NULL,
				     out ? &sync : NULL);
	if (out)
		*out = sync.handle;
	return ret;
}

/* Return: how it ended, 1 if well, or why EXEC has failed. */
static int run(struct rig *r, uint64_t entry, const uint64_t args[7])
{
	uint32_t out;
	int ret = start(r, &r->q, entry, args, &out);

	ret = ret ?: vgem_svm_fence_await(r->fd, out);
	drmSyncobjDestroy(r->fd, out);
	return ret;
}

/* to[i] = from[i] * 3 + 1 */
static int transform(struct rig *r, const void *from, const void *to, uint64_t words)
{
	const uint64_t args[7] = { words, VA(from), VA(to), 1 };

	return run(r, VGEM_SVM_PROGRAMS_transform, args);
}

static uint32_t start_held(struct rig *r, uint64_t *word)
{
	const uint64_t args[7] = { VA(word), 8, VA(r->control + 8), VA(r->control) };
	uint32_t out;

	vgem_svm_poke(r->control, 0);
	igt_assert_eq(start(r, &r->q, VGEM_SVM_PROGRAMS_write_on, args, &out), 0);
	vgem_svm_wait_change(word, "what the program writes");
	return out;
}

static uint64_t counter(struct rig *r, unsigned int which)
{
	uint64_t values[DRM_VGEM_SVM_CTR_NR];
	uint32_t nr = DRM_VGEM_SVM_CTR_NR;

	igt_assert_eq(__vgem_svm_counters(r->fd, r->vm, values, &nr), 0);
	return values[which];
}

/* ---- what it is ----------------------------------------------------------- */

static void test_basic(void)
{
	uint64_t *other = vgem_svm_bind_addr(BYTES);
	unsigned int i;
	struct rig r;

	rig_init(&r, BYTES);
	for (i = 0; i < WORDS; i++)
		r.data[i] = i;
	igt_assert_eq(transform(&r, r.data, r.data, WORDS), 1);
	for (i = 0; i < WORDS; i++)
		igt_assert_eq_u64(r.data[i], i * 3ULL + 1);
	/* Once more, elsewhere for the device, to be read only there. */
	igt_assert_eq(__userptr(&r, DRM_VGEM_SVM_BIND_MAP, r.data, other, BYTES,
				DRM_VGEM_SVM_BIND_READ), 0);
	igt_assert_eq(transform(&r, other, r.data, WORDS), 1);
	for (i = 0; i < WORDS; i++)
		igt_assert_eq_u64(r.data[i], (i * 3ULL + 1) * 3 + 1);
	igt_assert_eq(transform(&r, r.data, other, 1), -EFAULT);
	vgem_svm_wait_dead(&r.q, DRM_VGEM_SVM_QUEUE_FAULT);
	rig_fini(&r, BYTES);
}

/* Of all that a queue without faults uses, only the data are bound: the rest is mirrored. */
static void test_beside(void)
{
	uint64_t *data = vgem_svm_map(BYTES), *other = vgem_svm_map(BYTES);
	struct rig r = {};
	struct vgem_svm s;
	unsigned int i;

	s.fd = vgem_svm_open(0);
	igt_assert_eq(__vgem_svm_vm_create(s.fd, DRM_VGEM_SVM_VM_USERPTR, &s.vm), 0);
	vgem_svm_queue_init(&s.q, s.fd, s.vm, 0, 0);
	r.fd = s.fd;
	r.vm = s.vm;
	for (i = 0; i < WORDS; i++) {
		data[i] = i;
		other[i] = 1000 + i;
	}
	/* What the mirror has mapped there goes. */
	vgem_svm_run(&s.q, transform, 1, WORDS, VA(other), VA(other), 1);
	igt_assert_eq(__userptr(&r, DRM_VGEM_SVM_BIND_MAP, data, other, BYTES, RW), 0);
	vgem_svm_run(&s.q, transform, 1, WORDS, VA(other), VA(other), 1);
	for (i = 0; i < WORDS; i++) {
		igt_assert_eq_u64(data[i], i * 3ULL + 1);
		igt_assert_eq_u64(other[i], (1000 + i) * 3ULL + 1);
	}
	/* Taken away and brought back, which does not ask the mirror. */
	igt_assert(!madvise(data, BYTES, MADV_DONTNEED));
	data[5] = 9;
	vgem_svm_run(&s.q, transform, 1, 1, VA(other + 5), VA(other + 6), 1);
	igt_assert_eq_u64(data[6], 28);
	igt_assert_eq(unbind(&r, other, BYTES), 0);
	vgem_svm_run(&s.q, transform, 1, 1, VA(other), VA(other), 1);
	igt_assert_eq_u64(other[0], (1000 * 3 + 1) * 3 + 1);
	igt_assert_eq_u64(data[0], 0);
	vgem_svm_fini(&s);
	vgem_svm_unmap(data, BYTES);
	vgem_svm_unmap(other, BYTES);
}

static void check_refused(struct rig *r, const void *fresh)
{
	struct drm_vgem_svm_userptr args = {
		.vm_id = r->vm, .op = DRM_VGEM_SVM_BIND_MAP, .flags = RW,
		.user_addr = VA(r->data), .addr = VA(fresh), .length = BYTES,
	};
	unsigned long request = DRM_IOCTL_VGEM_SVM_USERPTR;
	void *gone;

	REFUSED(r->fd, request, args, vm_id, 12345, -ENOENT);
	REFUSED(r->fd, request, args, op, 2, -EINVAL);
	REFUSED(r->fd, request, args, pad, 1, -EINVAL);
	REFUSED(r->fd, request, args, flags, 0, -EINVAL);
	REFUSED(r->fd, request, args, flags, DRM_VGEM_SVM_BIND_WRITE, -EINVAL);
	REFUSED(r->fd, request, args, flags, 1U << 31, -EINVAL);
	REFUSED(r->fd, request, args, user_addr, VA(r->data) + 8, -EINVAL);
	REFUSED(r->fd, request, args, user_addr, ~0xfffULL, -EINVAL);
	REFUSED(r->fd, request, args, addr, VA(fresh) + 8, -EINVAL);
	REFUSED(r->fd, request, args, addr, (1ULL << 57) - BYTES / 2, -EINVAL);
	REFUSED(r->fd, request, args, length, 0, -EINVAL);
	REFUSED(r->fd, request, args, length, 8, -EINVAL);
	REFUSED(r->fd, request, args, length, (1ULL << 30) + VGEM_SVM_PAGE, -EINVAL);
	/* Nothing the process has, and what is bound already. */
	gone = vgem_svm_map_fresh(BYTES);
	vgem_svm_unmap(gone, BYTES);
	REFUSED(r->fd, request, args, user_addr, VA(gone), -EFAULT);
	REFUSED(r->fd, request, args, addr, VA(r->data) + VGEM_SVM_PAGE, -EEXIST);
	args.op = DRM_VGEM_SVM_BIND_UNMAP;
	REFUSED(r->fd, request, args, addr, VA(r->data), -EINVAL);
	args.flags = 0;
	REFUSED(r->fd, request, args, addr, VA(r->data), -EINVAL);
	args.user_addr = 0;
	REFUSED(r->fd, request, args, addr, VA(fresh), -ENOENT);
	REFUSED(r->fd, request, args, addr, VA(r->data) + VGEM_SVM_PAGE, -ENOENT);
}

static void test_args(void)
{
	void *fresh = vgem_svm_bind_addr(BYTES);
	struct vgem_svm_bo bo;
	struct vgem_svm s = {};
	struct rig r, plain;

	rig_init(&r, BYTES);
	check_refused(&r, fresh);
	/* Objects do not take its place, nor it theirs. */
	s.fd = r.fd;
	s.vm = r.vm;
	vgem_svm_bo_init(&bo, r.fd, BYTES);
	igt_assert_eq(__vgem_svm_bind(&s, &bo, 0, r.data, BYTES, RW), -EEXIST);
	igt_assert_eq(__vgem_svm_unbind(&s, r.data, VGEM_SVM_PAGE), -EEXIST);
	vgem_svm_bind(&s, &bo, 0, fresh, BYTES, RW);
	igt_assert_eq(__userptr(&r, DRM_VGEM_SVM_BIND_MAP, r.data, fresh, BYTES, RW),
		      -EEXIST);
	vgem_svm_unbind(&s, fresh, BYTES);
	igt_assert_eq(__userptr(&r, DRM_VGEM_SVM_BIND_MAP, r.data, fresh, BYTES, RW), 0);
	vgem_svm_bo_fini(&bo);
	/* An address space that was not made for it. */
	plain = r;
	igt_assert_eq(__vgem_svm_vm_create(r.fd, DRM_VGEM_SVM_VM_NO_SVM, &plain.vm), 0);
	igt_assert_eq(__userptr(&plain, DRM_VGEM_SVM_BIND_MAP, r.data, fresh, BYTES, RW),
		      -EOPNOTSUPP);
	igt_assert_eq(__vgem_svm_vm_destroy(r.fd, plain.vm), 0);
	igt_assert_eq(transform(&r, r.data, r.data, 1), 1);
	rig_fini(&r, BYTES);
}

/* ---- what happens to it --------------------------------------------------- */

static void do_dontneed(void *addr, size_t bytes, unsigned int round)
{
	(void)round;
	igt_assert(!madvise(addr, bytes, MADV_DONTNEED));
}

static void do_munmap(void *addr, size_t bytes, unsigned int round)
{
	(void)round;
	igt_assert(!munmap(addr, bytes));
	igt_assert(mmap(addr, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == addr);
}

static void do_fork(void *addr, size_t bytes, unsigned int round)
{
	pid_t pid = fork();
	int wait_status;

	(void)addr;
	(void)bytes;
	(void)round;
	igt_assert(pid >= 0);
	if (!pid)
		_exit(0);
	igt_assert(waitpid(pid, &wait_status, 0) == pid);
}

static void do_mprotect(void *addr, size_t bytes, unsigned int round)
{
	(void)round;
	igt_assert(!mprotect(addr, bytes, PROT_READ));
	igt_assert(!mprotect(addr, bytes, PROT_READ | PROT_WRITE));
}

static void do_huge(void *addr, size_t bytes, unsigned int round)
{
	/* Together, if the kernel can; and a hole in it. */
	if (round % 2)
		igt_assert(!madvise(addr, VGEM_SVM_PAGE, MADV_DONTNEED));
	else
		madvise(addr, bytes, MADV_COLLAPSE);
}

static void churn(size_t bytes, unsigned int rounds,
		  void (*happens)(void *addr, size_t bytes, unsigned int round))
{
	unsigned int words = bytes / 8, round, i, step = words / 1024 ?: 1;
	struct rig r;

	rig_init(&r, bytes);
	for (round = 0; round < rounds; round++) {
		happens(r.data, bytes, round);
		for (i = 0; i < words; i += step)
			r.data[i] = (uint64_t)round << 32 | i;
		for (i = 0; i < words; i += 512)
			r.data[i] = (uint64_t)round << 32 | i;
		if (round % 3 == 1)
			happens(r.control, VGEM_SVM_PAGE, 0);
		/* A word of each page: a job of some length. */
		igt_assert_eq(transform(&r, r.data, r.data, 512), 1);
		for (i = 0; i < 512; i += step)
			igt_assert_eq_u64(r.data[i], ((uint64_t)round << 32 | i) * 3 + 1);
		igt_assert_eq(transform(&r, r.data + words - 512, r.data, 512), 1);
		for (i = words - 512; i < words; i += step)
			igt_assert_eq_u64(r.data[i - words + 512],
					  ((uint64_t)round << 32 | i) * 3 + 1);
	}
	rig_fini(&r, bytes);
}

static void test_counts(void)
{
	uint64_t revoked, restored;
	unsigned int n = 20, i;
	struct rig r;

	rig_init(&r, BYTES);
	memset(r.data, 1, BYTES);
	igt_assert_eq(transform(&r, r.data, r.data, 1), 1);
	revoked = counter(&r, DRM_VGEM_SVM_CTR_USERPTR_REVOKED);
	restored = counter(&r, DRM_VGEM_SVM_CTR_USERPTR_RESTORED);
	for (i = 1; i <= n; i++) {
		memset(r.data, 1, BYTES);
		igt_assert_eq(transform(&r, r.data, r.data, 1), 1);
		/* Of one page of it; twice, of which the second finds nothing. */
		igt_assert(!madvise(r.data + 512 * (i % PAGES), VGEM_SVM_PAGE,
				    MADV_DONTNEED));
		igt_assert(!madvise(r.data + 512 * (i % PAGES), VGEM_SVM_PAGE,
				    MADV_DONTNEED));
		igt_assert_eq_u64(counter(&r, DRM_VGEM_SVM_CTR_USERPTR_REVOKED),
				  revoked + i);
	}
	igt_assert_eq_u64(counter(&r, DRM_VGEM_SVM_CTR_USERPTR_RESTORED),
			  restored + n - 1);
	igt_assert_eq(transform(&r, r.data, r.data, 1), 1);
	igt_assert_eq_u64(counter(&r, DRM_VGEM_SVM_CTR_USERPTR_RESTORED), restored + n);
	/* Nothing happens: nothing is done. */
	igt_assert_eq(transform(&r, r.data, r.data, 1), 1);
	igt_assert_eq_u64(counter(&r, DRM_VGEM_SVM_CTR_USERPTR_RESTORED), restored + n);
	rig_fini(&r, BYTES);
}

static void test_gone(void)
{
	struct rig r;

	rig_init(&r, BYTES);
	igt_assert(!munmap(r.data, VGEM_SVM_PAGE));
	igt_assert_eq(transform(&r, r.control, r.control + 8, 1), -EFAULT);
	igt_assert(mmap(r.data, VGEM_SVM_PAGE, PROT_READ,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == r.data);
	igt_assert_eq(transform(&r, r.control, r.control + 8, 1), -EACCES);
	igt_assert(!mprotect(r.data, VGEM_SVM_PAGE, PROT_READ | PROT_WRITE));
	r.data[3] = 5;
	igt_assert_eq(transform(&r, r.data + 3, r.data + 4, 1), 1);
	igt_assert_eq_u64(r.data[4], 16);
	rig_fini(&r, BYTES);
}

/* ---- at the same time ----------------------------------------------------- */

struct meanwhile {
	void *addr;
	size_t bytes;
	uint64_t done;
	uint64_t stop;
};

static void *dontneed_on(void *data)
{
	struct meanwhile *m = data;

	while (!vgem_svm_peek(&m->stop)) {
		madvise(m->addr, m->bytes, MADV_DONTNEED);
		usleep(500);
	}
	return NULL;
}

static void test_storm(void)
{
	unsigned int n = vgem_svm_scaled(200), i, busy = 0;
	struct meanwhile m = { .bytes = BYTES };
	pthread_t thread;
	struct rig r;
	int ret;

	rig_init(&r, BYTES);
	m.addr = r.data;
	igt_assert(!pthread_create(&thread, NULL, dontneed_on, &m));
	for (i = 0; i < n; i++) {
		/* The page may be another's at any time, but one of the job's is there. */
		ret = transform(&r, r.data + 512 * (i % PAGES), r.control + 64, 1);
		busy += ret == -EBUSY;
		if (ret == -EBUSY)
			continue;
		igt_assert_eq(ret, 1);
		igt_assert_eq_u64(r.control[64], 1);
	}
	vgem_svm_poke(&m.stop, 1);
	igt_assert(!pthread_join(thread, NULL));
	igt_assert_f(busy < n / 2, "%u of %u jobs could not be had\n", busy, n);
	rig_fini(&r, BYTES);
}

static void *munmap_once(void *data)
{
	struct meanwhile *m = data;

	munmap(m->addr, m->bytes);
	vgem_svm_poke(&m->done, 1);
	return NULL;
}

/* Ends the job that @thread waits for. */
static void check_waits(struct rig *r, pthread_t thread, struct meanwhile *m, uint32_t held)
{
	usleep(50000);
	igt_assert_f(!vgem_svm_peek(&m->done), "it did not wait for the job\n");
	igt_assert_eq(vgem_svm_fence_status(r->fd, held), 0);
	vgem_svm_poke(r->control, 1);
	igt_assert(!pthread_join(thread, NULL));
	igt_assert_eq(vgem_svm_fence_status(r->fd, held), 1);
	drmSyncobjDestroy(r->fd, held);
}

static void test_waits(void)
{
	struct meanwhile m = { .bytes = VGEM_SVM_PAGE };
	pthread_t thread;
	unsigned int i;
	uint32_t held;
	struct rig r;

	rig_init(&r, BYTES);
	m.addr = r.data;
	held = start_held(&r, r.data);
	igt_assert(!pthread_create(&thread, NULL, munmap_once, &m));
	check_waits(&r, thread, &m, held);
	igt_assert(mmap(r.data, VGEM_SVM_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == r.data);
	for (i = 0; i < 512; i++)
		igt_assert_eq_u64(r.data[i], 0);
	/* And the device has the new one. */
	r.data[0] = 7;
	igt_assert_eq(transform(&r, r.data, r.data + 1, 1), 1);
	igt_assert_eq_u64(r.data[1], 22);
	rig_fini(&r, BYTES);
}

struct unbinding {
	struct meanwhile m;
	struct rig *r;
};

static void *unbind_once(void *data)
{
	struct unbinding *u = data;

	igt_assert_eq(unbind(u->r, u->r->data, BYTES), 0);
	vgem_svm_poke(&u->m.done, 1);
	return NULL;
}

static void test_unbind_waits(void)
{
	struct unbinding u = {};
	pthread_t thread;
	uint32_t held;
	struct rig r;

	rig_init(&r, BYTES);
	u.r = &r;
	held = start_held(&r, r.data);
	igt_assert(!pthread_create(&thread, NULL, unbind_once, &u));
	check_waits(&r, thread, &u.m, held);
	igt_assert_eq(unbind(&r, r.data, BYTES), -ENOENT);
	igt_assert_eq(transform(&r, r.control, r.data, 1), -EFAULT);
	vgem_svm_wait_dead(&r.q, DRM_VGEM_SVM_QUEUE_FAULT);
	rig_fini(&r, BYTES);
}

static void test_faulting(void)
{
	struct drm_vgem_svm_fault fault;
	struct vgem_svm_queue q;
	uint64_t total;
	uint32_t nr = 1;
	struct rig r;

	rig_init(&r, BYTES);
	queue_bind(&r, &q, 0);
	vgem_svm_poke(r.control, 0);
	igt_assert_eq(start(&r, &q, VGEM_SVM_PROGRAMS_write_on,
			    (const uint64_t[7]) { VA(r.data), 8, VA(r.control + 8),
						  VA(r.control) }, NULL), 0);
	vgem_svm_wait_change(r.data, "what the program writes");
	igt_assert(!madvise(r.data, VGEM_SVM_PAGE, MADV_DONTNEED));
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	/* Nothing was written there afterwards. */
	igt_assert_eq_u64(r.data[0], 0);
	igt_assert_eq(__vgem_svm_faults(r.fd, r.vm, &fault, &nr, &total), 0);
	igt_assert_eq(fault.error, ESTALE);
	igt_assert_eq_u64(fault.addr, VA(r.data));
	vgem_svm_queue_fini(&q);
	rig_fini(&r, BYTES);
}

/* ---- the end of the process ----------------------------------------------- */

static int body_killed(void *data)
{
	int *ready = data;
	struct rig r;

	rig_init(&r, BYTES);
	start_held(&r, r.data);
	CHILD_CHECK(write(ready[1], "x", 1) == 1);
	for (;;)
		pause();
}

static void test_killed(void)
{
	int ready[2], wait_status;
	pid_t pid;
	char c;

	igt_assert(!pipe(ready));
	pid = vgem_svm_fork(body_killed, ready);
	close(ready[1]);
	igt_assert_f(read(ready[0], &c, 1) == 1, "the child has failed\n");
	kill(pid, SIGKILL);
	igt_assert_f(vgem_svm_ended(pid, 10, &wait_status), "it waits for its job\n");
	close(ready[0]);
}

int igt_main()
{
	igt_fixture()
		vgem_svm_require(1);

	igt_describe("Programs work on it, at its own address and at another");
	igt_subtest("basic")
		test_basic();

	igt_describe("The same beside a mirror, which has the addresses again afterwards");
	igt_subtest("beside")
		test_beside();

	igt_describe("What is wrong is refused");
	igt_subtest("args")
		test_args();

	igt_describe("The data are right while pages are given back");
	igt_subtest("churn-dontneed")
		churn(BYTES, vgem_svm_scaled(60), do_dontneed);

	igt_describe("While others are mapped in their place");
	igt_subtest("churn-munmap")
		churn(BYTES, vgem_svm_scaled(60), do_munmap);

	igt_describe("While children share them");
	igt_subtest("churn-fork")
		churn(BYTES, vgem_svm_scaled(20), do_fork);

	igt_describe("While they cannot be written at times");
	igt_subtest("churn-mprotect")
		churn(BYTES, vgem_svm_scaled(60), do_mprotect);

	igt_describe("While they become huge ones, and small again");
	igt_subtest("churn-huge")
		churn(2 * VGEM_SVM_BLOCK, vgem_svm_scaled(20), do_huge);

	igt_describe("Each invalidation of what is used is made good for once");
	igt_subtest("counts")
		test_counts();

	igt_describe("What the process has no more is an error, until it has it again");
	igt_subtest("gone")
		test_gone();

	igt_describe("A thread gives pages back all the time, and no job meets that");
	igt_subtest("storm")
		test_storm();

	igt_describe("Who unmaps waits for the job, and nothing is written to what is gone");
	igt_subtest("waits")
		test_waits();

	igt_describe("So does who unbinds; what comes later finds nothing");
	igt_subtest("unbind-waits")
		test_unbind_waits();

	igt_describe("Who can fault is not waited for, and is told");
	igt_subtest("faulting")
		test_faulting();

	igt_describe("A process that is killed does not wait for its job");
	igt_subtest("killed")
		test_killed();
}
