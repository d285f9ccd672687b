// SPDX-License-Identifier: MIT
/*
 * Faults: what one touch of the GPU does, and what happens if it cannot be
 * served.
 */

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm fault
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: GPU page faults
 * Description: GPU page faults that are served, and those that cannot be
 *
 * SUBTEST: first-touch-read
 * Description: GPU reads make present just the pages that are read
 *
 * SUBTEST: first-touch-write
 * Description: GPU writes make present just the pages that are written
 *
 * SUBTEST: write-after-read
 * Description: a page that was read can be written: one more fault
 *
 * SUBTEST: one-fault-per-page
 * Description: a fault is served before it is replayed: each page faults once
 *
 * SUBTEST: no-fault-when-mapped
 * Description: what has been mapped does not fault again
 *
 * SUBTEST: ping-pong
 * Description: CPU and GPU read each other's writes, many rounds
 *
 * SUBTEST: zero-page
 * Description: a GPU write after a GPU read does not hit the zero page
 *
 * SUBTEST: many-ranges
 * Description: threads fault in many ranges at a time
 *
 * SUBTEST: bad-unmapped
 * Description: a read of nothing ends the queue, and only that
 *
 * SUBTEST: bad-prot-none
 * Description: a read of PROT_NONE memory ends the queue
 *
 * SUBTEST: bad-write-readonly
 * Description: a write to read-only memory ends the queue and writes nothing
 *
 * SUBTEST: bad-kernel
 * Description: a read of a kernel address ends the queue
 *
 * SUBTEST: bad-secret
 * Description: memory of memfd_secret() is out of reach
 *
 * SUBTEST: bad-file-end
 * Description: a read behind the end of a mapped file ends the queue
 *
 * SUBTEST: bad-execute
 * Description: a jump to nothing is reported as an instruction fetch
 *
 * SUBTEST: bad-many
 * Description: the report keeps the newest 64 and counts all
 *
 * SUBTEST: bad-among-good
 * Description: one bad access does not harm good ones in the same range
 *
 * SUBTEST: userfaultfd-missing
 * Description: a page that userfaultfd holds back is resolved or reported
 */

IGT_TEST_DESCRIPTION("GPU page faults");

#define PAGES 64

static void touch(struct vgem_svm *s, const void *p, unsigned int n,
		  unsigned int step)
{
	vgem_svm_run(&s->q, touch, 1, n, VA(p), step * VGEM_SVM_PAGE, 1);
}

static void store(struct vgem_svm *s, void *p, unsigned int n,
		  unsigned int step, uint64_t value)
{
	vgem_svm_run(&s->q, fill, 1, n, VA(p), step * VGEM_SVM_PAGE, value, 1);
}

/* Code, batch and stack of the queue are mapped, so that only the test faults. */
static void warm_up(struct vgem_svm *s)
{
	uint64_t *page = vgem_svm_map(VGEM_SVM_PAGE);
	int i;

	for (i = 0; i < 2; i++) {
		store(s, page, 1, 1, i);
		touch(s, page, 1, 1);
	}
	vgem_svm_unmap(page, VGEM_SVM_PAGE);
}

static void test_first_touch(struct vgem_svm *s, bool write)
{
	size_t bytes = VGEM_SVM_BLOCK;
	uint8_t *p = vgem_svm_map_fresh(bytes);
	unsigned int present, mapped;

	if (write)
		store(s, p, 10, 7, 1);
	else
		touch(s, p, 10, 7);
	present = vgem_svm_present(p, bytes);
	mapped = vgem_svm_pages_mapped(s, p, bytes);
	igt_assert_f(present == 10, "10 pages touched, %u present\n", present);
	igt_assert_f(mapped == 10, "10 pages touched, %u mapped\n", mapped);
	igt_assert_eq(!!(vgem_svm_where(s, p) & DRM_VGEM_SVM_PAGE_WRITABLE),
		      write);
	vgem_svm_unmap(p, bytes);
}

static void test_write_after_read(struct vgem_svm *s)
{
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE), before;

	*p = 5;
	warm_up(s);
	touch(s, p, 1, 1);
	igt_assert(vgem_svm_where(s, p) & DRM_VGEM_SVM_PAGE_MAPPED);
	before = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_FAULTS);
	store(s, p, 1, 1, 77);
	igt_assert_eq_u64(vgem_svm_peek(p), 77);
	igt_assert_lte_u64(vgem_svm_counter(s, DRM_VGEM_SVM_CTR_FAULTS),
			   before + 1);
	igt_assert(vgem_svm_where(s, p) & DRM_VGEM_SVM_PAGE_WRITABLE);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
}

/* Return: faults for n pages one after the other, -1 if disturbed. */
static int count_faults(struct vgem_svm *s, unsigned int n)
{
	/* Each in a range of its own, so that no neighbour is mapped along. */
	size_t bytes = n * VGEM_SVM_BLOCK;
	uint8_t *p = vgem_svm_map_aligned(bytes, VGEM_SVM_BLOCK);
	uint64_t inval, faults;

	madvise(p, bytes, MADV_NOHUGEPAGE);
	warm_up(s);
	inval = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_INVALIDATIONS);
	faults = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_FAULTS);
	vgem_svm_run(&s->q, fill, 1, n, VA(p), VGEM_SVM_BLOCK, 1, 1);
	faults = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_FAULTS) - faults;
	inval = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_INVALIDATIONS) - inval;
	vgem_svm_unmap(p, bytes);
	return inval ? -1 : (int)faults;
}

static void test_one_fault_per_page(struct vgem_svm *s)
{
	unsigned int tries, done = 0;
	int faults;

	/* Something of the system may disturb a try; then it says nothing. */
	for (tries = 0; tries < 40 && done < 8; tries++) {
		faults = count_faults(s, PAGES);
		if (faults < 0)
			continue;
		done++;
		igt_assert_f(faults == PAGES,
			     "%u pages, %d faults: a fault was replayed before its page was in the table\n",
			     PAGES, faults);
	}
	igt_assert_f(done, "every try was disturbed by an invalidation\n");
}

static void test_no_fault_when_mapped(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map(PAGES * VGEM_SVM_PAGE);
	uint64_t before[2], after[2];
	int tries;

	warm_up(s);
	for (tries = 0; tries < 10; tries++) {
		store(s, p, PAGES, 1, 1);
		before[0] = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_INVALIDATIONS);
		before[1] = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_FAULTS);
		store(s, p, PAGES, 1, 2);
		after[0] = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_INVALIDATIONS);
		after[1] = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_FAULTS);
		if (after[0] == before[0])
			break;
	}
	igt_assert_eq_u64(after[0], before[0]);
	igt_assert_eq_u64(after[1], before[1]);
	vgem_svm_unmap(p, PAGES * VGEM_SVM_PAGE);
}

static void test_ping_pong(struct vgem_svm *s)
{
	unsigned int words = VGEM_SVM_PAGE / 8, round, i;
	uint64_t *a = vgem_svm_map(VGEM_SVM_PAGE);
	uint64_t *b = vgem_svm_map(VGEM_SVM_PAGE);

	for (round = 0; round < 100; round++) {
		for (i = 0; i < words; i++)
			a[i] = round * 1000ULL + i;
		vgem_svm_run(&s->q, transform, 4, words, VA(a), VA(b), 4);
		for (i = 0; i < words; i++)
			igt_assert_f(b[i] == a[i] * 3 + 1,
				     "round %u, word %u: %" PRIu64
				     ", should be %" PRIu64 "\n", round, i,
				     b[i], a[i] * 3 + 1);
	}
	vgem_svm_unmap(a, VGEM_SVM_PAGE);
	vgem_svm_unmap(b, VGEM_SVM_PAGE);
}

static void test_zero_page(struct vgem_svm *s)
{
	uint64_t *p = vgem_svm_map(2 * VGEM_SVM_PAGE), *out;
	uint64_t *other = vgem_svm_map(VGEM_SVM_PAGE);

	out = calloc(1, sizeof(*out));
	/* Both pages of p, and the other one, are the zero page to the CPU. */
	igt_assert_eq_u64(vgem_svm_peek(p) + vgem_svm_peek(other), 0);
	vgem_svm_run(&s->q, sum, 1, 2, VA(p), VGEM_SVM_PAGE, VA(out), 1);
	igt_assert_eq_u64(*out, 0);
	store(s, p, 1, 1, 0x1234);
	igt_assert_eq_u64(vgem_svm_peek(p), 0x1234);
	igt_assert_f(!vgem_svm_peek(other), "the zero page was written\n");
	igt_assert_eq_u64(vgem_svm_peek(p + VGEM_SVM_PAGE / 8), 0);
	free(out);
	vgem_svm_unmap(p, 2 * VGEM_SVM_PAGE);
	vgem_svm_unmap(other, VGEM_SVM_PAGE);
}

static void test_many_ranges(struct vgem_svm *s)
{
	unsigned int n = 48, i;
	size_t bytes = n * VGEM_SVM_BLOCK;
	uint8_t *p = vgem_svm_map_aligned(bytes, VGEM_SVM_BLOCK);

	madvise(p, bytes, MADV_NOHUGEPAGE);
	vgem_svm_run(&s->q, fill, n, n, VA(p), VGEM_SVM_BLOCK, 900, n);
	for (i = 0; i < n; i++)
		igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_BLOCK),
				  900 + i);
	igt_assert_eq(vgem_svm_present(p, bytes), n);
	vgem_svm_unmap(p, bytes);
}

/* ---- what cannot be served ---------------------------------------------- */

enum bad_access { BAD_READ, BAD_WRITE, BAD_EXEC };

static void start_bad(struct vgem_svm_queue *q, uint64_t addr,
		      enum bad_access access, uint64_t *out)
{
	switch (access) {
	case BAD_READ:
		vgem_svm_start(q, load_at, 1, addr, VA(out));
		break;
	case BAD_WRITE:
		vgem_svm_start(q, store_at, 1, addr, 0xbad);
		break;
	case BAD_EXEC:
		vgem_svm_start(q, jump_to, 1, addr);
		break;
	}
}

static uint32_t access_code(enum bad_access access)
{
	return access == BAD_READ ? 0 : access == BAD_WRITE ? 1 : 3;
}

static void check_report(struct vgem_svm *s, const struct vgem_svm_queue *q,
			 uint64_t addr, enum bad_access access,
			 uint32_t error, uint64_t total_before)
{
	struct drm_vgem_svm_queue_query query;
	struct drm_vgem_svm_fault fault = {};
	uint64_t total;
	uint32_t nr = 1;

	igt_assert_eq(__vgem_svm_faults(s->fd, s->vm, &fault, &nr, &total), 0);
	igt_assert_eq(nr, 1);
	igt_assert_eq_u64(total, total_before + 1);
	igt_assert_eq_u64(fault.seq, total);
	igt_assert_f(fault.addr == addr,
		     "reported address %#" PRIx64 ", should be %#" PRIx64 "\n",
		     (uint64_t)fault.addr, addr);
	igt_assert_eq(fault.queue_id, q->id);
	igt_assert_eq(fault.access, access_code(access));
	igt_assert_f(fault.error == error, "reported %s, should be %s\n",
		     strerror(fault.error), strerror(error));
	igt_assert_eq(__vgem_svm_queue_query(q->fd, q->id, &query), 0);
	igt_assert_eq_u64(query.addr, addr);
	igt_assert_eq_u64(query.completed, 0);
}

/* The queue dies with a report; the process and its other queue live. */
static void check_bad(struct vgem_svm *s, uint64_t addr,
		      enum bad_access access, uint32_t error)
{
	uint64_t *out = calloc(2, sizeof(*out)), total;
	struct vgem_svm_queue q;
	uint32_t nr = 0;

	igt_assert_eq(__vgem_svm_faults(s->fd, s->vm, NULL, &nr, &total), 0);
	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	*out = 0x600d;
	start_bad(&q, addr, access, out);
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	check_report(s, &q, addr, access, error, total);
	igt_assert_f(vgem_svm_peek(out) == 0x600d, "the load gave a value\n");
	igt_assert_eq(__vgem_svm_exec(&q, q.batch, 12), -EIO);
	store(s, out, 1, 1, 4711);
	igt_assert_eq_u64(vgem_svm_peek(out), 4711);
	vgem_svm_queue_fini(&q);
	free(out);
}

/* So large that the middle stays free when others map something. */
static uint64_t hole(void)
{
	uint8_t *p = vgem_svm_map(256UL << 20);

	vgem_svm_unmap(p, 256UL << 20);
	return VA(p) + (128UL << 20) + 8;
}

static void test_bad_readonly(struct vgem_svm *s)
{
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE);

	p[1] = 0x600d;
	igt_assert(!mprotect(p, VGEM_SVM_PAGE, PROT_READ));
	/* Reading it first makes the write a permission fault. */
	touch(s, p, 1, 1);
	check_bad(s, VA(p + 1), BAD_WRITE, EACCES);
	igt_assert_eq_u64(vgem_svm_peek(p + 1), 0x600d);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
}

static void test_bad_prot_none(struct vgem_svm *s)
{
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE);
	struct drm_vgem_svm_fault fault = {};
	struct vgem_svm_queue q;
	uint64_t total;
	uint32_t nr = 1;

	*p = 1;
	igt_assert(!mprotect(p, VGEM_SVM_PAGE, PROT_NONE));
	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	start_bad(&q, VA(p), BAD_READ, p);
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	igt_assert_eq(__vgem_svm_faults(s->fd, s->vm, &fault, &nr, &total), 0);
	igt_assert_eq_u64(fault.addr, VA(p));
	igt_assert(fault.error == EACCES || fault.error == EFAULT);
	vgem_svm_queue_fini(&q);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
}

static void test_bad_secret(struct vgem_svm *s)
{
	int fd = syscall(SYS_memfd_secret, 0);
	uint64_t *p;

	igt_require_f(fd >= 0, "memfd_secret: %s (boot with secretmem.enable=1)\n",
		      strerror(errno));
	igt_assert(!ftruncate(fd, VGEM_SVM_PAGE));
	p = mmap(NULL, VGEM_SVM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0);
	igt_assert(p != MAP_FAILED);
	*p = 0x5ec3e7;
	check_bad(s, VA(p), BAD_READ, EFAULT);
	check_bad(s, VA(p), BAD_WRITE, EFAULT);
	igt_assert_eq_u64(vgem_svm_peek(p), 0x5ec3e7);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
	close(fd);
}

static void test_bad_file_end(struct vgem_svm *s)
{
	int fd = memfd_create("short", MFD_CLOEXEC);
	uint8_t *p;

	igt_assert(fd >= 0 && !ftruncate(fd, VGEM_SVM_PAGE));
	p = mmap(NULL, 2 * VGEM_SVM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		 fd, 0);
	igt_assert(p != MAP_FAILED);
	store(s, p, 1, 1, 9);
	check_bad(s, VA(p) + VGEM_SVM_PAGE, BAD_READ, EFAULT);
	vgem_svm_unmap(p, 2 * VGEM_SVM_PAGE);
	close(fd);
}

static void test_bad_many(struct vgem_svm *s)
{
	struct drm_vgem_svm_fault faults[80];
	uint64_t total, before, addr = hole();
	struct vgem_svm_queue q;
	uint32_t nr = 0, i;

	igt_assert_eq(__vgem_svm_faults(s->fd, s->vm, NULL, &nr, &before), 0);
	for (i = 0; i < 70; i++) {
		vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
		start_bad(&q, addr & ~7ULL, BAD_WRITE, NULL);
		vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
		vgem_svm_queue_fini(&q);
	}
	nr = 80;
	igt_assert_eq(__vgem_svm_faults(s->fd, s->vm, faults, &nr, &total), 0);
	igt_assert_eq_u64(total, before + 70);
	igt_assert_eq(nr, 64);
	for (i = 0; i < nr; i++)
		igt_assert_eq_u64(faults[i].seq, total - i);
}

static void test_bad_among_good(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map_aligned(VGEM_SVM_BLOCK, VGEM_SVM_BLOCK);
	unsigned int round, i;
	struct vgem_svm_queue q;

	madvise(p, VGEM_SVM_BLOCK, MADV_NOHUGEPAGE);
	vgem_svm_unmap(p + 100 * VGEM_SVM_PAGE, VGEM_SVM_PAGE);
	for (round = 0; round < 5; round++) {
		igt_assert(!madvise(p, 64 * VGEM_SVM_PAGE, MADV_DONTNEED));
		vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
		vgem_svm_start(&s->q, fill, 64, 64, VA(p), VGEM_SVM_PAGE, round,
			       64);
		start_bad(&q, VA(p) + 100 * VGEM_SVM_PAGE, BAD_READ,
			  (uint64_t *)p);
		vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
		vgem_svm_wait(&s->q);
		for (i = 0; i < 64; i++)
			igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_PAGE),
					  round + i);
		vgem_svm_queue_fini(&q);
	}
	munmap(p, VGEM_SVM_BLOCK);
}

/* ---- userfaultfd -------------------------------------------------------- */

struct uffd {
	int fd;
	uint8_t *page;
	int resolved;
};

/* Copies a page in for each fault that userfaultfd tells of. */
static void *uffd_thread(void *data)
{
	struct uffd *u = data;
	static uint64_t content[512] __attribute__((aligned(4096))) = { 0xc0de };
	struct uffdio_copy copy = {
		.dst = VA(u->page),
		.src = VA(content),
		.len = VGEM_SVM_PAGE,
	};
	struct pollfd pfd = { .fd = u->fd, .events = POLLIN };
	struct uffd_msg msg;

	while (poll(&pfd, 1, 3000) == 1) {
		if (read(u->fd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		u->resolved += !ioctl(u->fd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

static void uffd_open(struct uffd *u)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { VA(u->page), VGEM_SVM_PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	u->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	igt_require_f(u->fd >= 0, "userfaultfd: %s\n", strerror(errno));
	igt_assert(!ioctl(u->fd, UFFDIO_API, &api));
	igt_assert(!ioctl(u->fd, UFFDIO_REGISTER, &reg));
}

static void test_userfaultfd(struct vgem_svm *s)
{
	struct uffd u = { .page = vgem_svm_map(VGEM_SVM_PAGE) };
	uint64_t *out = calloc(2, sizeof(*out));
	struct vgem_svm_queue q;
	pthread_t thread;
	int status;

	uffd_open(&u);
	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	igt_assert(!pthread_create(&thread, NULL, uffd_thread, &u));
	start_bad(&q, VA(u.page), BAD_READ, out);
	status = __vgem_svm_wait(&q, 30);
	if (status == DRM_VGEM_SVM_QUEUE_FAULT) {
		igt_info("the fault was reported (as Linux 7.2's hmm has to)\n");
		igt_assert_eq_u64(*(uint64_t *)u.page, 0xc0de);
		vgem_svm_run(&s->q, load_at, 1, VA(u.page), VA(out));
		status = 0;
	}
	igt_assert_f(!status, "the queue is %s\n", vgem_svm_status_name(status));
	igt_assert_eq_u64(vgem_svm_peek(out), 0xc0de);
	pthread_join(thread, NULL);
	igt_assert_eq(u.resolved, 1);
	vgem_svm_queue_fini(&q);
	close(u.fd);
	vgem_svm_unmap(u.page, VGEM_SVM_PAGE);
	free(out);
}

static void served(struct vgem_svm *s)
{
	igt_describe("GPU reads make present just the pages that are read");
	igt_subtest("first-touch-read")
		test_first_touch(s, false);

	igt_describe("GPU writes make present just the pages that are written");
	igt_subtest("first-touch-write")
		test_first_touch(s, true);

	igt_describe("A page mapped for reading can be written after one more fault");
	igt_subtest("write-after-read")
		test_write_after_read(s);

	igt_describe("A fault is served before it is replayed, so each page faults once");
	igt_subtest("one-fault-per-page")
		test_one_fault_per_page(s);

	igt_describe("What has been mapped does not fault again");
	igt_subtest("no-fault-when-mapped")
		test_no_fault_when_mapped(s);

	igt_describe("CPU and GPU read each other's writes, 100 rounds");
	igt_subtest("ping-pong")
		test_ping_pong(s);

	igt_describe("A GPU write after a GPU read does not hit the zero page");
	igt_subtest("zero-page")
		test_zero_page(s);

	igt_describe("Threads fault in 48 ranges at a time");
	igt_subtest("many-ranges")
		test_many_ranges(s);
}

static void not_served(struct vgem_svm *s)
{
	igt_describe("A read of nothing ends the queue with a report, and only that");
	igt_subtest("bad-unmapped")
		check_bad(s, hole(), BAD_READ, EFAULT);

	igt_describe("A read of PROT_NONE memory ends the queue");
	igt_subtest("bad-prot-none")
		test_bad_prot_none(s);

	igt_describe("A write to read-only memory ends the queue and writes nothing");
	igt_subtest("bad-write-readonly")
		test_bad_readonly(s);

	igt_describe("A read of a kernel address ends the queue");
	igt_subtest("bad-kernel") {
		/* The widest address of the GPU is no canonical one of the CPU. */
		check_bad(s, (1ULL << 57) - VGEM_SVM_PAGE, BAD_READ, EFAULT);
		check_bad(s, 1ULL << 56, BAD_WRITE, EFAULT);
	}

	igt_describe("Memory of memfd_secret() is out of reach");
	igt_subtest("bad-secret")
		test_bad_secret(s);

	igt_describe("A read behind the end of a mapped file ends the queue");
	igt_subtest("bad-file-end")
		test_bad_file_end(s);

	igt_describe("A jump to nothing is reported as an instruction fetch");
	igt_subtest("bad-execute")
		check_bad(s, hole() & ~7ULL, BAD_EXEC, EFAULT);

	igt_describe("The report keeps the newest 64 faults and counts all");
	igt_subtest("bad-many")
		test_bad_many(s);

	igt_describe("One bad access does not harm good ones in the same range");
	igt_subtest("bad-among-good")
		test_bad_among_good(s);

	igt_describe("A page that userfaultfd holds back is resolved or reported, never lost");
	igt_subtest("userfaultfd-missing")
		test_userfaultfd(s);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	served(&s);
	not_served(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
