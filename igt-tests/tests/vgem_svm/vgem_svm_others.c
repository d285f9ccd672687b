// SPDX-License-Identifier: MIT
/*
 * Others look at the memory of a process, or take its pages away: debuggers,
 * core dumps, memory errors. All while a program of it runs.
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm others
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: ptrace, core dumps, memory errors
 * Description: others look at memory in the device, or take pages away
 *
 * SUBTEST: vm-readv
 * Description: process_vm_readv() never sees a value go back
 *
 * SUBTEST: proc-mem
 * Description: /proc/PID/mem reads and writes
 *
 * SUBTEST: ptrace
 * Description: PTRACE_PEEKDATA and POKEDATA
 *
 * SUBTEST: core-dump
 * Description: every page is in a core dump
 *
 * SUBTEST: soft-offline
 * Description: pages are taken away under a program
 *
 * SUBTEST: poison
 * Description: a page with a memory error ends what touches it, nothing else
 */

IGT_TEST_DESCRIPTION("Others look at memory in the device, or take pages away");

#define PAGES 64U
#define BYTES (PAGES * VGEM_SVM_PAGE)
#define WORDS (VGEM_SVM_PAGE / 8)
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#define MAGIC 0x7e57c0de5eed0000ULL

/* ---- a process that others look at -------------------------------------- */

/**
 * struct subject - what the process shows to the test
 * @ready: it runs
 * @order: 1: abort
 * @p: address of its pages: word 0 is counted, word 1 has MAGIC + page
 * @pid: the process
 */
struct subject {
	uint64_t ready;
	uint64_t order;
	uint64_t p;
	pid_t pid;
};

static struct subject *subject;

static int subject_main(void *data)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	uint64_t *p = vgem_svm_map(BYTES);
	struct vgem_svm_work w;
	struct vgem_svm s;
	unsigned int i;

	(void)data;
	/* A test that fails leaves it behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHILD_CHECK(!setrlimit(RLIMIT_CORE, &unlimited));
	vgem_svm_init(&s, 0, 0);
	memset(p, 0, BYTES);
	for (i = 0; i < PAGES; i++)
		p[i * WORDS + 1] = MAGIC + i;
	vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_work_start(&w, &s.q, p, PAGES, true);
	subject->p = VA(p);
	vgem_svm_poke(&subject->ready, 1);
	while (!vgem_svm_peek(&subject->order))
		usleep(1000);
	vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_work_go_on(&w, 2, "others have looked");
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void subject_begin(void)
{
	subject = vgem_svm_map_shared(sizeof(*subject));
	subject->pid = vgem_svm_fork(subject_main, NULL);
	if (!vgem_svm_reaches(&subject->ready, 1, 20)) {
		vgem_svm_end(subject->pid);
		igt_assert_f(false, "the process to look at does not run\n");
	}
}

static void subject_end(void)
{
	vgem_svm_end(subject->pid);
	vgem_svm_unmap(subject, sizeof(*subject));
}

/* Word @word of each page, as another process reads it. */
static void read_words(uint64_t *words, unsigned int word)
{
	struct iovec local = { words, PAGES * 8 }, remote[PAGES];
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		remote[i] = (struct iovec) {
			(void *)(subject->p + i * VGEM_SVM_PAGE + word * 8), 8
		};
	igt_assert_eq(process_vm_readv(subject->pid, &local, 1, remote, PAGES,
				       0), PAGES * 8);
}

static void write_word(unsigned int page, uint64_t value)
{
	struct iovec local = { &value, 8 };
	struct iovec remote = { (void *)(subject->p + page * VGEM_SVM_PAGE), 8 };

	igt_assert_eq(process_vm_writev(subject->pid, &local, 1, &remote, 1, 0),
		      8);
}

static void test_readv(void)
{
	unsigned int rounds = vgem_svm_scaled(40), round, i;
	uint64_t now[PAGES], last[PAGES] = {}, end;

	subject_begin();
	for (round = 0; round < rounds; round++) {
		read_words(now, 0);
		for (i = 0; i < PAGES; i++) {
			igt_assert_lte_u64(last[i], now[i]);
			last[i] = now[i];
		}
	}
	read_words(now, 1);
	for (i = 0; i < PAGES; i++)
		igt_assert_eq_u64(now[i], MAGIC + i);
	/* A value of the CPU's: the GPU goes on from there. */
	write_word(7, 1ULL << 40);
	for (end = 0; end < 200; end++) {
		read_words(now, 0);
		if (now[7] > 1ULL << 40)
			break;
		usleep(10000);
	}
	igt_assert_lt_u64(1ULL << 40, now[7]);
	subject_end();
}

static void test_proc_mem(void)
{
	uint64_t word, at;
	char path[64];
	unsigned int i;
	int fd;

	subject_begin();
	snprintf(path, sizeof(path), "/proc/%d/mem", subject->pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	igt_assert(fd >= 0);
	for (i = 0; i < PAGES; i++) {
		at = subject->p + i * VGEM_SVM_PAGE;
		igt_assert(pread(fd, &word, 8, at + 8) == 8);
		igt_assert_eq_u64(word, MAGIC + i);
		word = ~word;
		igt_assert(pwrite(fd, &word, 8, at + 16) == 8);
		igt_assert(pread(fd, &word, 8, at + 16) == 8);
		igt_assert_eq_u64(word, ~(MAGIC + i));
	}
	close(fd);
	subject_end();
}

static void test_ptrace(void)
{
	uint64_t at;
	int status;

	subject_begin();
	igt_assert(!ptrace(PTRACE_SEIZE, subject->pid, 0, 0));
	igt_assert(!ptrace(PTRACE_INTERRUPT, subject->pid, 0, 0));
	igt_assert(waitpid(subject->pid, &status, 0) == subject->pid &&
		   WIFSTOPPED(status));
	at = subject->p + 9 * VGEM_SVM_PAGE;
	igt_assert_eq_u64(ptrace(PTRACE_PEEKDATA, subject->pid, at + 8, 0),
			  MAGIC + 9);
	igt_assert(!ptrace(PTRACE_POKEDATA, subject->pid, at + 24, 4711));
	igt_assert_eq_u64(ptrace(PTRACE_PEEKDATA, subject->pid, at + 24, 0),
			  4711);
	igt_assert(!ptrace(PTRACE_DETACH, subject->pid, 0, 0));
	subject_end();
}

/* Pages of the process that a core has with the right words. */
static unsigned int pages_in_core(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned int found = 0;
	struct stat st;
	uint64_t *core, at;

	igt_assert_f(fd >= 0 && !fstat(fd, &st), "no core %s\n", path);
	core = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	igt_assert(core != MAP_FAILED);
	for (at = 0; at + WORDS <= st.st_size / 8UL; at += WORDS)
		found += core[at + 1] - MAGIC < PAGES && core[at];
	vgem_svm_unmap(core, st.st_size);
	close(fd);
	return found;
}

static void test_core(void)
{
	char path[64], old[128] = "core";
	unsigned int found;
	bool ended;
	int status;
	FILE *f = fopen("/proc/sys/kernel/core_pattern", "r");

	igt_require_f(f && fgets(old, sizeof(old), f), "no core dumps here\n");
	fclose(f);
	igt_assert_eq(vgem_svm_write_file("/proc/sys/kernel/core_pattern",
					  "/tmp/vgem_svm-core.%p"), 0);
	subject_begin();
	vgem_svm_poke(&subject->order, 1);
	ended = vgem_svm_ended(subject->pid, 30, &status);
	vgem_svm_write_file("/proc/sys/kernel/core_pattern", old);
	if (!ended)
		vgem_svm_end(subject->pid);
	igt_assert_f(ended, "no core dump in time\n");
	igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	igt_assert(WCOREDUMP(status));
	snprintf(path, sizeof(path), "/tmp/vgem_svm-core.%d", subject->pid);
	found = pages_in_core(path);
	unlink(path);
	vgem_svm_unmap(subject, sizeof(*subject));
	igt_assert_f(found == PAGES, "%u of %u pages are in the core\n", found,
		     PAGES);
}

/* ---- memory errors ------------------------------------------------------ */

static void test_soft_offline(bool device)
{
	unsigned int rounds = vgem_svm_scaled(12), gone = 0, i;
	uint8_t *p = vgem_svm_map(BYTES);
	struct vgem_svm_work w;
	struct vgem_svm s;

	vgem_svm_init(&s, 0, 0);
	memset(p, 0, BYTES);
	if (device)
		vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_work_start(&w, &s.q, p, PAGES, false);
	for (i = 0; i < rounds; i++) {
		gone += !madvise(p + i * 7 % PAGES * VGEM_SVM_PAGE,
				 VGEM_SVM_PAGE, MADV_SOFT_OFFLINE);
		vgem_svm_work_go_on(&w, 1, "a page was taken away");
	}
	vgem_svm_work_finish(&w);
	igt_info("%u of %u pages were taken away\n", gone, rounds);
	igt_require_f(gone, "no page can be taken away here\n");
	vgem_svm_fini(&s);
	vgem_svm_unmap(p, BYTES);
}

#define BAD 8U

/* The kernel tells who has the page; to ignore that would be the end. */
static void note_signal(int sig)
{
	(void)sig;
}

/* The CPU gets the signal for it, as always. */
static int touch_bad(void *data)
{
	signal(SIGBUS, SIG_DFL);
	return *(volatile uint8_t *)data;
}

static void check_reported(struct vgem_svm *s, const uint8_t *bad)
{
	struct drm_vgem_svm_fault fault = {};
	uint64_t total;
	uint32_t nr = 1;

	igt_assert_eq(__vgem_svm_faults(s->fd, s->vm, &fault, &nr, &total), 0);
	igt_assert_eq(nr, 1);
	igt_assert_f(fault.addr == VA(bad), "fault at %#" PRIx64
		     ", should be %#" PRIx64 "\n", (uint64_t)fault.addr,
		     VA(bad));
	igt_info("the report says %s\n", strerror(fault.error));
}

static void test_poison(bool device)
{
	uint64_t *out = calloc(1, 8);
	uint8_t *p = vgem_svm_map(BYTES), *bad = p + BAD * VGEM_SVM_PAGE;
	struct vgem_svm_queue q;
	struct vgem_svm s;
	int status;

	vgem_svm_init(&s, 0, 0);
	memset(p, 0, BYTES);
	if (device)
		vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s.q, fill, 1, PAGES, VA(p), VGEM_SVM_PAGE, 1, 1);
	signal(SIGBUS, note_signal);
	igt_require_f(!madvise(bad, VGEM_SVM_PAGE, MADV_HWPOISON),
		      "no memory errors can be made here\n");
	vgem_svm_queue_init(&q, s.fd, s.vm, 0, 0);
	vgem_svm_start(&q, sum, 1, PAGES, VA(p), VGEM_SVM_PAGE, VA(out), 1);
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	check_reported(&s, bad);
	vgem_svm_run(&s.q, sum, 1, BAD, VA(p), VGEM_SVM_PAGE, VA(out), 1);
	igt_assert_eq_u64(*out, BAD + BAD * (BAD - 1) / 2);
	status = vgem_svm_reap(vgem_svm_fork(touch_bad, bad), 20);
	igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	igt_assert(mmap(bad, VGEM_SVM_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == bad);
	vgem_svm_run(&s.q, increment, 1, 1, VA(bad), 8, 5, 1);
	igt_assert_eq_u64(*(uint64_t *)bad, 5);
	vgem_svm_queue_fini(&q);
	vgem_svm_fini(&s);
	vgem_svm_unmap(p, BYTES);
	free(out);
}

static void both_places(void (*test)(bool device))
{
	igt_dynamic("system")
		test(false);
	igt_dynamic("device")
		test(true);
}

int igt_main()
{
	igt_fixture()
		vgem_svm_require(1);

	igt_describe("process_vm_readv() sees what the GPU writes, and the GPU what is written there");
	igt_subtest("vm-readv")
		test_readv();

	igt_describe("/proc/PID/mem reads and writes memory in the device");
	igt_subtest("proc-mem")
		test_proc_mem();

	igt_describe("A debugger reads and writes memory in the device");
	igt_subtest("ptrace")
		test_ptrace();

	igt_describe("A core dump has every page that is in the device");
	igt_subtest("core-dump")
		test_core();

	igt_describe("Pages are taken away under a program, and no increment is lost");
	igt_subtest_with_dynamic("soft-offline")
		both_places(test_soft_offline);

	igt_describe("A page with a memory error ends what touches it, and nothing else");
	igt_subtest_with_dynamic("poison")
		both_places(test_poison);
}
