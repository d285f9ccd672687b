// SPDX-License-Identifier: MIT
/*
 * Faults that somebody holds back: a file server that does not answer, a
 * userfaultfd handler that is slow. They are waited for, and nobody else waits
 * with them.
 */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_fuse.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_uffd.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm held
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: faults that are held back
 * Description: a fault that is held back is waited for, and holds up nobody else
 *
 * SUBTEST: file-answered
 * Description: the programs go on when the server answers
 *
 * SUBTEST: file-others-served
 * Description: another process on the device is served
 *
 * SUBTEST: file-own-mmap
 * Description: the process can change its memory meanwhile
 *
 * SUBTEST: file-cmdline
 * Description: who looks at the process does not hang
 *
 * SUBTEST: file-close-other
 * Description: the process ends an address space on another device
 *
 * SUBTEST: file-unbind-other
 * Description: an idle other device goes
 *
 * SUBTEST: file-unbind-same
 * Description: the device of the held faults goes
 *
 * SUBTEST: file-kill
 * Description: the process can be killed, and leaves nothing
 *
 * SUBTEST: uffd-pageout
 * Description: a page that is swapped out is held by nobody
 *
 * SUBTEST: uffd-wp-not-there
 * Description: write protection alone holds no missing page
 *
 * SUBTEST: uffd-missing
 * Description: a missing page is waited for until the handler gives it
 *
 * SUBTEST: uffd-missing-neighbours
 * Description: others of the process are served while one page is held
 *
 * SUBTEST: uffd-kill
 * Description: a process whose fault is held can be killed
 *
 * SUBTEST: uffd-unbind
 * Description: a device whose fault is held goes
 *
 * SUBTEST: uffd-closed
 * Description: the handler goes: the page is served as if it had never been
 */

IGT_TEST_DESCRIPTION("A fault that is held back is waited for, and holds up nobody else");

#define IN_TIME 5	/* seconds */

/* ---- a process with faults on a file whose server does not answer ------- */

#define THREADS 48U	/* on each address space, each in a range of its own */

enum order { ORDER_MMAP = 1, ORDER_CLOSE_OTHER, ORDER_FINISH };

/**
 * struct scene - a file server, and a process that waits for it
 * @fuse: the server
 * @hand: shared with the process: word 0 it is ready, word 8 an order for it,
 *	word 16 the last order that it has carried out
 * @owner: the process
 */
struct scene {
	struct vgem_svm_fuse fuse;
	uint64_t *hand;
	pid_t owner;
};

static void carry_out(enum order order, struct vgem_svm *s)
{
	unsigned int i;

	switch (order) {
	case ORDER_MMAP:
		vgem_svm_unmap(vgem_svm_map(VGEM_SVM_PAGE), VGEM_SVM_PAGE);
		break;
	case ORDER_CLOSE_OTHER:
		/* The second waits for what the first has left to clean up. */
		for (i = 2; i < 4; i++)
			igt_assert_eq(__vgem_svm_vm_destroy(s[i].fd, s[i].vm),
				      0);
		break;
	case ORDER_FINISH:
		for (i = 0; i < 2; i++)
			vgem_svm_wait(&s[i].q);
		break;
	}
}

/* What is on the file that the threads of an address space have read. */
static uint64_t sum_of(unsigned int first)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = first; i < first + THREADS; i++)
		sum += vgem_svm_fuse_word(i * (VGEM_SVM_BLOCK / VGEM_SVM_PAGE));
	return sum;
}

/* Two address spaces on device 0 wait, two on device 1 have been used. */
static int owner_main(void *data)
{
	struct scene *scene = data;
	uint64_t *out = vgem_svm_map(VGEM_SVM_PAGE), order;
	struct vgem_svm s[4];
	unsigned int i;
	uint8_t *p;

	for (i = 0; i < 4; i++) {
		vgem_svm_init(&s[i], i / 2, 0);
		vgem_svm_warm_up(&s[i]);
	}
	vgem_svm_run(&s[0].q, sum, 1, 1, VA(out), 8, VA(out), 1);
	vgem_svm_run(&s[1].q, sum, 1, 1, VA(out), 8, VA(out), 1);
	p = vgem_svm_fuse_map(&scene->fuse, 2 * THREADS * VGEM_SVM_BLOCK,
			      PROT_READ);
	for (i = 0; i < 2; i++)
		vgem_svm_start(&s[i].q, sum, THREADS, THREADS,
			       VA(p + i * THREADS * VGEM_SVM_BLOCK),
			       VGEM_SVM_BLOCK, VA(out + i), THREADS);
	vgem_svm_poke(&scene->hand[0], 1);
	for (order = 0; order != ORDER_FINISH;) {
		usleep(1000);
		if (vgem_svm_peek(&scene->hand[8]) == order)
			continue;
		order = vgem_svm_peek(&scene->hand[8]);
		carry_out(order, s);
		vgem_svm_poke(&scene->hand[16], order);
	}
	CHILD_CHECK(out[0] == sum_of(0) && out[1] == sum_of(THREADS));
	return 0;
}

/* The end of the server lets go whatever waits for it. */
static void scene_fini(struct scene *scene)
{
	if (scene->owner)
		kill(scene->owner, SIGKILL);
	vgem_svm_fuse_fini(&scene->fuse);
	if (scene->owner)
		vgem_svm_end(scene->owner);
	vgem_svm_unmap(scene->hand, VGEM_SVM_PAGE);
}

/* The owner ends by itself, in time or not. */
static bool scene_ended(struct scene *scene, int seconds, int *status)
{
	bool ended = vgem_svm_ended(scene->owner, seconds, status);

	if (ended)
		scene->owner = 0;
	return ended;
}

/* The server first: it must not have the device open. */
static void scene_init(struct scene *scene, bool async)
{
	bool held;

	memset(scene, 0, sizeof(*scene));
	scene->hand = vgem_svm_map_shared(VGEM_SVM_PAGE);
	vgem_svm_fuse_init(&scene->fuse, async);
	scene->owner = vgem_svm_fork(owner_main, scene);
	held = vgem_svm_reaches(&scene->hand[0], 1, 20) &&
	       vgem_svm_fuse_wait_held(&scene->fuse, 1, 20);
	/* As many as there will be get to the server. */
	usleep(300000);
	igt_info("%u reads are held\n", vgem_svm_fuse_held(&scene->fuse));
	if (!held)
		scene_fini(scene);
	igt_assert_f(held, "no fault got to the file's server\n");
}

static bool scene_order(struct scene *scene, enum order order)
{
	vgem_svm_poke(&scene->hand[8], order);
	return vgem_svm_reaches(&scene->hand[16], order, IN_TIME);
}

/* A child does something: it ends in time, and well. The scene goes in any case. */
static void scene_child(struct scene *scene, int (*fn)(void *data), void *data,
			const char *what)
{
	pid_t pid = vgem_svm_fork(fn, data);
	int status = 0;
	bool ended = vgem_svm_ended(pid, IN_TIME, &status);

	scene_fini(scene);
	if (!ended)
		vgem_svm_end(pid);
	vgem_svm_bring_back(0);
	vgem_svm_bring_back(1);
	igt_assert_f(ended, "%s hangs while faults of another process are held\n",
		     what);
	igt_assert_f(!status, "%s: wait status %#x\n", what, status);
}

static void test_answered(bool async)
{
	struct scene scene;
	int status = -1;
	bool ended;

	scene_init(&scene, async);
	vgem_svm_fuse_answer(&scene.fuse);
	vgem_svm_poke(&scene.hand[8], ORDER_FINISH);
	ended = scene_ended(&scene, 20, &status);
	scene_fini(&scene);
	igt_assert_f(ended, "the programs do not go on\n");
	igt_assert_f(!status, "wait status %#x\n", status);
}

static int small_program(void *data)
{
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE);
	struct vgem_svm s;

	(void)data;
	vgem_svm_init(&s, 0, 0);
	vgem_svm_run(&s.q, fill, 1, 1, VA(p), 8, 4711, 1);
	CHILD_CHECK(*p == 4711);
	vgem_svm_fini(&s);
	return 0;
}

static void test_others_served(bool async)
{
	struct scene scene;

	scene_init(&scene, async);
	scene_child(&scene, small_program, NULL, "a program of another process");
}

static void test_own_mmap(bool async)
{
	struct scene scene;
	bool done;

	scene_init(&scene, async);
	done = scene_order(&scene, ORDER_MMAP);
	scene_fini(&scene);
	igt_assert_f(done, "mmap() hangs while faults of the process are held\n");
}

static int read_cmdline(void *data)
{
	char path[64], text[16];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", *(pid_t *)data);
	fd = open(path, O_RDONLY);
	CHILD_CHECK(fd >= 0 && read(fd, text, sizeof(text)) > 0);
	return 0;
}

/* A writer that waits for the lock makes all readers wait: so mmap() comes first. */
static void test_cmdline(bool async)
{
	struct scene scene;
	pid_t owner;

	scene_init(&scene, async);
	owner = scene.owner;
	vgem_svm_poke(&scene.hand[8], ORDER_MMAP);
	usleep(100000);
	scene_child(&scene, read_cmdline, &owner, "a read of /proc/PID/cmdline");
}

static void test_close_other(bool async)
{
	struct scene scene;
	bool done;

	scene_init(&scene, async);
	done = scene_order(&scene, ORDER_CLOSE_OTHER);
	scene_fini(&scene);
	igt_assert_f(done, "the end of an address space of another device hangs\n");
}

static int unbind_device(void *data)
{
	CHILD_CHECK(vgem_svm_driver("unbind", (uintptr_t)data) == 0);
	return 0;
}

static void test_unbind(bool async, uintptr_t device)
{
	struct scene scene;

	scene_init(&scene, async);
	scene_child(&scene, unbind_device, (void *)device, "unbind");
	vgem_svm_in_child(small_program, NULL, "a program afterwards");
}

static void test_unbind_other(bool async)
{
	test_unbind(async, 1);
}

static void test_unbind_same(bool async)
{
	test_unbind(async, 0);
}

static void test_kill(bool async)
{
	struct scene scene;
	int status;
	bool ended;

	scene_init(&scene, async);
	kill(scene.owner, SIGKILL);
	ended = scene_ended(&scene, IN_TIME, &status);
	scene_fini(&scene);
	igt_assert_f(ended, "a process with held faults cannot be killed\n");
	vgem_svm_in_child(small_program, NULL, "a program afterwards");
}

static void both_servers(void (*test)(bool async))
{
	igt_dynamic("async-read")
		test(true);
	igt_dynamic("sync-read")
		test(false);
}

/* ---- userfaultfd -------------------------------------------------------- */

#define PAGES 8U
#define BYTES (PAGES * VGEM_SVM_PAGE)

static void check_read(const void *p, uint64_t expected, const char *what)
{
	uint64_t *out = calloc(1, 8);
	struct vgem_svm s;
	int status;

	vgem_svm_init(&s, 0, 0);
	vgem_svm_start(&s.q, sum, 1, PAGES, VA(p), VGEM_SVM_PAGE, VA(out), 1);
	status = __vgem_svm_wait(&s.q, 10);
	igt_assert_f(!status, "%s: the CPU would read on, the GPU program is %s\n",
		     what, vgem_svm_status_name(status));
	igt_assert_eq_u64(*out, expected);
	vgem_svm_fini(&s);
	free(out);
}

static void test_pageout(void)
{
	uint8_t *p = vgem_svm_map(BYTES);
	int fd = vgem_svm_uffd_open(0);
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		*(uint64_t *)(p + i * VGEM_SVM_PAGE) = 5;
	vgem_svm_uffd_register(fd, p, BYTES, UFFDIO_REGISTER_MODE_MISSING);
	igt_assert(!madvise(p, BYTES, MADV_PAGEOUT));
	igt_require_f(vgem_svm_swapped(p, BYTES), "nothing is swapped out\n");
	check_read(p, 5 * PAGES, "pages that are swapped out");
	close(fd);
	vgem_svm_unmap(p, BYTES);
}

static void test_wp_not_there(void)
{
	int fd = vgem_svm_uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP |
				    UFFD_FEATURE_WP_ASYNC);
	uint8_t *p = vgem_svm_map(BYTES);

	vgem_svm_uffd_register(fd, p, BYTES, UFFDIO_REGISTER_MODE_WP);
	check_read(p, 0, "pages that are not there");
	close(fd);
	vgem_svm_unmap(p, BYTES);
}

/**
 * struct missing - a program that reads a page which userfaultfd holds back
 * @s: the address space
 * @fd: the userfaultfd
 * @page: the page
 * @out: where the program stores what it has read
 */
struct missing {
	struct vgem_svm s;
	int fd;
	uint64_t *page;
	uint64_t *out;
};

/* The handler has been told of it, and the program waits. */
static void missing_init(struct missing *m)
{
	struct uffd_msg msg;
	int status;

	vgem_svm_init(&m->s, 0, 0);
	vgem_svm_warm_up(&m->s);
	m->out = vgem_svm_map(VGEM_SVM_PAGE);
	vgem_svm_run(&m->s.q, load_at, 1, VA(m->out), VA(m->out));
	m->page = vgem_svm_map(VGEM_SVM_BLOCK);
	m->fd = vgem_svm_uffd_open(0);
	vgem_svm_uffd_register(m->fd, m->page, VGEM_SVM_PAGE,
			       UFFDIO_REGISTER_MODE_MISSING);
	vgem_svm_start(&m->s.q, load_at, 1, VA(m->page), VA(m->out));
	igt_assert_f(vgem_svm_uffd_event(m->fd, IN_TIME, &msg),
		     "the handler is not told\n");
	igt_assert_eq(msg.event, UFFD_EVENT_PAGEFAULT);
	igt_assert_eq_u64(msg.arg.pagefault.address & -VGEM_SVM_PAGE,
			  VA(m->page));
	usleep(300000);
	status = vgem_svm_status(&m->s.q);
	igt_assert_f(!status, "the page is not waited for: queue %s\n",
		     vgem_svm_status_name(status));
	igt_assert_eq_u64(vgem_svm_peek(m->out), 0);
}

static void missing_fini(struct missing *m)
{
	vgem_svm_fini(&m->s);
	close(m->fd);
	vgem_svm_unmap(m->page, VGEM_SVM_BLOCK);
	vgem_svm_unmap(m->out, VGEM_SVM_PAGE);
}

static void test_missing(void)
{
	struct missing m;

	missing_init(&m);
	igt_assert_eq(vgem_svm_uffd_give(m.fd, m.page, 0xc0de), 0);
	vgem_svm_wait(&m.s.q);
	igt_assert_eq_u64(vgem_svm_peek(m.out), 0xc0de);
	missing_fini(&m);
}

/* Other ranges, and other pages of the same VMA, by another queue of the process. */
static int neighbours_child(void *data)
{
	uint64_t *far = vgem_svm_map(VGEM_SVM_PAGE);
	struct vgem_svm_queue q;
	struct missing m;

	(void)data;
	missing_init(&m);
	vgem_svm_queue_init(&q, m.s.fd, m.s.vm, 1, 0);
	vgem_svm_run(&q, fill, 1, 1, VA(far), 8, 1, 1);
	igt_assert_eq_u64(*far, 1);
	igt_assert_eq(vgem_svm_status(&m.s.q), 0);
	igt_assert_eq(vgem_svm_uffd_give(m.fd, m.page, 0xc0de), 0);
	vgem_svm_wait(&m.s.q);
	igt_assert_eq_u64(vgem_svm_peek(m.out), 0xc0de);
	vgem_svm_queue_fini(&q);
	missing_fini(&m);
	return 0;
}

/* Shows by its shared word that its fault is held. */
static int held_child(void *data)
{
	struct missing m;

	missing_init(&m);
	vgem_svm_poke(data, 1);
	while (pause())
		;
	return 1;
}

/* Waits until the child's fault is held, or the child has ended without it. */
static bool child_is_held(pid_t pid, const uint64_t *ready)
{
	siginfo_t info = {};
	unsigned int tries;

	for (tries = 0; tries < 2000 && !info.si_pid; tries++) {
		if (vgem_svm_peek(ready))
			return true;
		usleep(10000);
		waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT);
	}
	return false;
}

static void test_uffd_child(bool unbind)
{
	uint64_t *ready = vgem_svm_map_shared(VGEM_SVM_PAGE);
	pid_t owner = vgem_svm_fork(held_child, ready), pid;
	bool held = child_is_held(owner, ready), ended = true;
	int status;

	if (held && unbind) {
		pid = vgem_svm_fork_unbind(0);
		ended = vgem_svm_ended(pid, IN_TIME, &status);
		kill(owner, SIGKILL);
		if (!ended)
			vgem_svm_end(pid);
	}
	kill(owner, SIGKILL);
	ended &= vgem_svm_ended(owner, IN_TIME, &status);
	vgem_svm_bring_back(0);
	vgem_svm_unmap(ready, VGEM_SVM_PAGE);
	igt_assert_f(held, "the page is not waited for\n");
	igt_assert_f(ended, "what waits for a page cannot be ended\n");
	vgem_svm_in_child(small_program, NULL, "a program afterwards");
}

static int closed_child(void *data)
{
	struct missing m;

	(void)data;
	missing_init(&m);
	close(m.fd);
	vgem_svm_wait(&m.s.q);
	igt_assert_eq_u64(vgem_svm_peek(m.out), 0);
	vgem_svm_fini(&m.s);
	return 0;
}

static void file_tests(void)
{
	igt_describe("Programs go on with the right data when the file's server answers");
	igt_subtest_with_dynamic("file-answered")
		both_servers(test_answered);

	igt_describe("Another process on the device is served while faults on a file are held");
	igt_subtest_with_dynamic("file-others-served")
		both_servers(test_others_served);

	igt_describe("The process itself can mmap() while its faults on a file are held");
	igt_subtest_with_dynamic("file-own-mmap")
		both_servers(test_own_mmap);

	igt_describe("Another's read of /proc/PID/cmdline does not hang");
	igt_subtest_with_dynamic("file-cmdline")
		both_servers(test_cmdline);

	igt_describe("The process ends an address space of another device meanwhile");
	igt_subtest_with_dynamic("file-close-other")
		both_servers(test_close_other);

	igt_describe("An idle other device is unbound meanwhile");
	igt_subtest_with_dynamic("file-unbind-other")
		both_servers(test_unbind_other);

	igt_describe("The device whose faults are held is unbound");
	igt_subtest_with_dynamic("file-unbind-same")
		both_servers(test_unbind_same);

	igt_describe("A process whose faults are held can be killed");
	igt_subtest_with_dynamic("file-kill")
		both_servers(test_kill);
}

static void uffd_tests(void)
{
	igt_describe("A page that is swapped out is served though userfaultfd would hold a missing one");
	igt_subtest("uffd-pageout")
		test_pageout();

	igt_describe("Asynchronous write protection alone holds no page that is not there");
	igt_subtest("uffd-wp-not-there")
		test_wp_not_there();

	igt_describe("A missing page is waited for until the handler gives it");
	igt_subtest("uffd-missing")
		test_missing();

	igt_describe("Other memory of the process is served while one page is held");
	igt_subtest("uffd-missing-neighbours")
		vgem_svm_in_child(neighbours_child, NULL, "a held page");

	igt_describe("A process whose fault is held can be killed");
	igt_subtest("uffd-kill")
		test_uffd_child(false);

	igt_describe("A device whose fault is held is unbound in time");
	igt_subtest("uffd-unbind")
		test_uffd_child(true);

	igt_describe("When the handler goes the page is served as without one");
	igt_subtest("uffd-closed")
		vgem_svm_in_child(closed_child, NULL, "a held page");
}

int igt_main()
{
	igt_fixture()
		vgem_svm_require(2);

	file_tests();
	uffd_tests();
}
