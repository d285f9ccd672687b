// SPDX-License-Identifier: MIT
/*
 * Signals and system calls: who touches memory that is in the device notices
 * nothing, and an ioctl that a signal has interrupted has changed nothing.
 */

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"

/**
 * TEST: vgem svm signals
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: signals, system calls
 * Description: memory in the device is memory for signals and system calls
 *
 * SUBTEST: threads
 * Description: threads of the CPU touch it all at a time, no signal comes
 *
 * SUBTEST: read-write
 * Description: write() from it and read() into it
 *
 * SUBTEST: futex
 * Description: a futex in it
 *
 * SUBTEST: alternate-stack
 * Description: a signal's frame on an alternate stack in it
 *
 * SUBTEST: interrupted
 * Description: a timer interrupts ioctls all the time
 */

IGT_TEST_DESCRIPTION("Memory in the device is memory for signals and system calls");

#define PAGES 64U
#define BYTES (PAGES * VGEM_SVM_PAGE)
#define WORDS (VGEM_SVM_PAGE / 8)

static struct vgem_svm s;
static volatile sig_atomic_t bad_signals;

static void count_signal(int sig)
{
	(void)sig;
	/* The access is repeated when this returns: it must not be for ever. */
	if (++bad_signals > 1000)
		_exit(1);
}

/* Handlers as a language's runtime has them. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = count_signal };

	bad_signals = 0;
	igt_assert(!sigaction(SIGSEGV, &action, NULL));
	igt_assert(!sigaction(SIGBUS, &action, NULL));
}

static void no_signals(void)
{
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	igt_assert_f(!bad_signals, "%d signals came\n", (int)bad_signals);
}

/* Page i has first + i, written by the GPU, and is in the device. */
static void fill_in_device(uint64_t *p, uint64_t first)
{
	memset(p, 0, BYTES);
	vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s.q, fill, 4, PAGES, VA(p), VGEM_SVM_PAGE, first, 4);
	igt_assert_eq(vgem_svm_pages_at(&s, p, BYTES, DRM_VGEM_SVM_PAGE_LOCAL),
		      PAGES);
}

static void check_words(const uint64_t *p, uint64_t first)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		igt_assert_f(p[i * WORDS] == first + i,
			     "page %u: %" PRIu64 ", should be %" PRIu64 "\n", i,
			     p[i * WORDS], first + i);
}

#define TOUCHERS 4U

static void *add_to_all(void *data)
{
	uint64_t *p = data;
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		__atomic_add_fetch(&p[i * WORDS], 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void test_threads(void)
{
	unsigned int rounds = vgem_svm_scaled(10), round, i;
	uint64_t *p = vgem_svm_map(BYTES);
	pthread_t threads[TOUCHERS];

	catch_signals();
	for (round = 0; round < rounds; round++) {
		fill_in_device(p, 1000);
		for (i = 0; i < TOUCHERS; i++)
			igt_assert(!pthread_create(&threads[i], NULL,
						   add_to_all, p));
		for (i = 0; i < TOUCHERS; i++)
			pthread_join(threads[i], NULL);
		check_words(p, 1000 + TOUCHERS);
	}
	no_signals();
	vgem_svm_unmap(p, BYTES);
}

static void test_read_write(void)
{
	uint64_t *p = vgem_svm_map(BYTES);
	ssize_t n, at;
	int fds[2];

	igt_assert(!pipe(fds));
	igt_assert(fcntl(fds[1], F_SETPIPE_SZ, BYTES) >= (int)BYTES);
	catch_signals();
	fill_in_device(p, 500);
	n = write(fds[1], p, BYTES);
	igt_assert_f(n == BYTES, "write: %zd %s\n", n, strerror(errno));
	fill_in_device(p, 0);
	for (at = 0; at < (ssize_t)BYTES; at += n) {
		n = read(fds[0], (uint8_t *)p + at, BYTES - at);
		igt_assert_f(n > 0, "read: %zd %s\n", n, strerror(errno));
	}
	check_words(p, 500);
	no_signals();
	close(fds[0]);
	close(fds[1]);
	vgem_svm_unmap(p, BYTES);
}

static int futex(uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0) < 0 ?
	       -errno : 0;
}

static void *wait_on_futex(void *data)
{
	uint32_t *word = data;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 5)
		futex(word, FUTEX_WAIT, 5);
	return NULL;
}

static void test_futex(void)
{
	uint32_t *word = vgem_svm_map(VGEM_SVM_PAGE);
	pthread_t thread;

	*word = 5;
	vgem_svm_move(&s, word, VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_DEVICE);
	igt_assert_eq(futex(word, FUTEX_WAIT, 4), -EAGAIN);
	vgem_svm_move(&s, word, VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_DEVICE);
	igt_assert_eq(futex(word, FUTEX_WAKE, 1), 0);
	igt_assert(!pthread_create(&thread, NULL, wait_on_futex, word));
	usleep(20000);
	/* Whoever sleeps on a word is found after the word has moved. */
	vgem_svm_move(&s, word, VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s.q, fill, 1, 1, VA(word), 8, 6, 1);
	igt_assert_eq(futex(word, FUTEX_WAKE, 1), 0);
	pthread_join(thread, NULL);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
}

static uint64_t handler_stack;

static void note_stack(int sig)
{
	volatile char here = sig;

	handler_stack = VA(&here);
}

static void test_alternate_stack(void)
{
	struct sigaction action = {
		.sa_handler = note_stack,
		.sa_flags = SA_ONSTACK,
	};
	stack_t stack = { .ss_size = BYTES };

	stack.ss_sp = vgem_svm_map(BYTES);
	catch_signals();
	igt_assert(!sigaltstack(&stack, NULL));
	igt_assert(!sigaction(SIGUSR1, &action, NULL));
	fill_in_device(stack.ss_sp, 0);
	raise(SIGUSR1);
	igt_assert_f(handler_stack - VA(stack.ss_sp) < BYTES,
		     "the handler ran at %#" PRIx64 "\n", handler_stack);
	no_signals();
	signal(SIGUSR1, SIG_DFL);
	stack.ss_flags = SS_DISABLE;
	igt_assert(!sigaltstack(&stack, NULL));
	vgem_svm_unmap(stack.ss_sp, BYTES);
}

/* ---- interrupted ioctls ------------------------------------------------- */

static unsigned int interrupted;

static void tick(int sig)
{
	(void)sig;
}

/* Without SA_RESTART, as a profiler's. */
static void set_timer(unsigned int microseconds)
{
	struct itimerval timer = {
		{ 0, microseconds },
		{ 0, microseconds },
	};
	struct sigaction action = { .sa_handler = tick };

	igt_assert(!sigaction(SIGALRM, &action, NULL));
	igt_assert(!setitimer(ITIMER_REAL, &timer, NULL));
}

/*
 * An interrupted ioctl has changed nothing, so the same again is right. The first
 * @size bytes of its argument are what the caller says.
 */
static void repeat(int fd, unsigned long request, void *args, size_t size)
{
	double end = vgem_svm_seconds() + vgem_svm_patience(20);
	uint8_t before[128];

	igt_assert(size <= sizeof(before));
	memcpy(before, args, size);
	while (ioctl(fd, request, args)) {
		igt_assert_f(errno == EINTR, "ioctl %#lx: %s\n", request,
			     strerror(errno));
		igt_assert_f(!memcmp(before, args, size),
			     "an interrupted ioctl has changed its argument\n");
		interrupted++;
		igt_assert_f(vgem_svm_seconds() < end,
			     "ioctl %#lx never gets through\n", request);
	}
}

static void migrate_and_count(const struct vgem_svm *v, void *p)
{
	struct drm_vgem_svm_migrate args = {
		.vm_id = v->vm,
		.addr = VA(p),
		.length = VGEM_SVM_BLOCK,
		.location = DRM_VGEM_SVM_LOC_DEVICE,
	};

	repeat(v->fd, DRM_IOCTL_VGEM_SVM_MIGRATE, &args,
	       offsetof(struct drm_vgem_svm_migrate, moved));
	igt_assert_eq_u64(args.moved + args.there + args.failed, 512);
}

static void set_preferred(const struct vgem_svm *v, void *p, uint64_t place)
{
	struct drm_vgem_svm_attr args = {
		.vm_id = v->vm,
		.attr = DRM_VGEM_SVM_ATTR_PREFERRED_LOC,
		.addr = VA(p),
		.length = VGEM_SVM_BLOCK,
		.value = place,
	};

	repeat(v->fd, DRM_IOCTL_VGEM_SVM_ATTR_SET, &args, sizeof(args));
}

static void interrupted_round(uint64_t *p, unsigned int round)
{
	struct drm_vgem_svm_vm_create create = {};
	struct vgem_svm v = { .fd = vgem_svm_open(0) };
	unsigned int i;

	igt_assert(v.fd >= 0);
	repeat(v.fd, DRM_IOCTL_VGEM_SVM_VM_CREATE, &create, sizeof(create));
	v.vm = create.vm_id;
	vgem_svm_queue_init(&v.q, v.fd, v.vm, 0, 0);
	memset(p, 0, VGEM_SVM_BLOCK);
	set_preferred(&v, p, DRM_VGEM_SVM_LOC_DEVICE);
	migrate_and_count(&v, p);
	vgem_svm_run(&v.q, fill, 4, 512, VA(p), VGEM_SVM_PAGE, round, 4);
	for (i = 0; i < 512; i++)
		igt_assert_eq_u64(p[i * WORDS], round + i);
	set_preferred(&v, p, DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_fini(&v);
}

static void test_interrupted(void)
{
	unsigned int rounds = vgem_svm_scaled(40), i;
	uint64_t *p = vgem_svm_map(VGEM_SVM_BLOCK), vram;

	vram = vgem_svm_query(s.fd, DRM_VGEM_SVM_PARAM_VRAM_USED);
	interrupted = 0;
	set_timer(2000);
	for (i = 0; i < rounds; i++)
		interrupted_round(p, i);
	set_timer(0);
	igt_info("%u ioctls were interrupted\n", interrupted);
	vgem_svm_unmap(p, VGEM_SVM_BLOCK);
	igt_assert_eq_u64(vgem_svm_query(s.fd, DRM_VGEM_SVM_PARAM_VRAM_USED),
			  vram);
}

int igt_main()
{
	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	igt_describe("Threads touch memory in the device all at a time, and no signal comes");
	igt_subtest("threads")
		test_threads();

	igt_describe("write() from memory in the device and read() into it");
	igt_subtest("read-write")
		test_read_write();

	igt_describe("A futex in device memory is woken after its page has moved");
	igt_subtest("futex")
		test_futex();

	igt_describe("A signal's frame goes to an alternate stack in the device");
	igt_subtest("alternate-stack")
		test_alternate_stack();

	igt_describe("Ioctls that a timer interrupts have changed nothing and get through");
	igt_subtest("interrupted")
		test_interrupted();

	igt_fixture() {
		set_timer(0);
		vgem_svm_fini(&s);
	}
}
