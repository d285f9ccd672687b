// SPDX-License-Identifier: MIT
/*
 * How long an address space lives: as long as the process that made it uses the
 * memory that it mirrors, and no longer. Not as long as a thread, and not as long
 * as somebody has the file.
 */

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm owner
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: life cycle
 * Description: an address space lives as long as its process
 *
 * SUBTEST: thread-ends
 * Description: a thread with a descriptor table of its own makes it and ends
 *
 * SUBTEST: leader-ends
 * Description: the first thread ends, the others go on
 *
 * SUBTEST: vfork
 * Description: children that share the memory or the descriptors come and go
 *
 * SUBTEST: kill-in-faults
 * Description: the process is killed while faults never stop and another has the file
 *
 * SUBTEST: exec-in-faults
 * Description: the process replaces its memory while faults never stop
 *
 * SUBTEST: nothing-left
 * Description: what dead processes had leaves nothing in a file that others have
 */

IGT_TEST_DESCRIPTION("An address space lives as long as its process");

static void check_works(struct vgem_svm *s)
{
	uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE);

	vgem_svm_run(&s->q, store_at, 1, VA(word), 6);
	igt_assert_eq_u64(*word, 6);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
}

/* ---- threads ------------------------------------------------------------ */

static void *thread_makes(void *data)
{
	struct vgem_svm *s = data;

	igt_assert(!unshare(CLONE_FILES));
	igt_assert_eq(__vgem_svm_vm_create(s->fd, 0, &s->vm), 0);
	return NULL;
}

static void test_thread_ends(void)
{
	struct vgem_svm s = { .fd = vgem_svm_open(0) };
	struct pollfd gone = { .events = POLLIN };
	pthread_t thread;
	int ends[2];

	/* The thread's table has a copy of the write end for as long as it lives. */
	igt_assert(!pipe(ends));
	igt_assert(!pthread_create(&thread, NULL, thread_makes, &s));
	pthread_join(thread, NULL);
	close(ends[1]);
	gone.fd = ends[0];
	igt_assert_eq(poll(&gone, 1, 1000 * vgem_svm_patience(20)), 1);
	close(ends[0]);
	vgem_svm_queue_init(&s.q, s.fd, s.vm, 0, 0);
	check_works(&s);
	vgem_svm_fini(&s);
}

static char leader_state(void)
{
	char path[64], line[256], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f))
		state = strrchr(line, ')')[2];
	if (f)
		fclose(f);
	return state;
}

static void *thread_outlives(void *data)
{
	struct vgem_svm *s = data;
	uint64_t *word = calloc(1, 8);
	int i;

	for (i = 0; i < 10000 && leader_state() != 'Z'; i++)
		usleep(1000);
	if (i == 10000)
		_exit(2);
	vgem_svm_start(&s->q, store_at, 1, VA(word), 6);
	if (__vgem_svm_wait(&s->q, 20) || *word != 6)
		_exit(3);
	_exit(0);
}

static int leader_ends(void *data)
{
	static struct vgem_svm s;
	pthread_t thread;

	vgem_svm_init(&s, 0, 0);
	CHILD_CHECK(!pthread_create(&thread, NULL, thread_outlives, &s));
	pthread_exit(data);
}

/* ---- children that share ------------------------------------------------ */

static int do_nothing(void *data)
{
	(void)data;
	_exit(0);
}

static void clone_child(int flags)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid = clone(do_nothing, stack + sizeof(stack), flags | SIGCHLD,
			  NULL);

	igt_assert(pid > 0);
	igt_assert_eq(vgem_svm_reap(pid, 20), 0);
}

static void spawn_child(void)
{
	char name[] = "true";
	char *argv[2] = { name, NULL };
	pid_t pid;

	igt_assert(!posix_spawnp(&pid, name, NULL, NULL, argv, environ));
	igt_assert_eq(vgem_svm_reap(pid, 20), 0);
}

static void test_vfork(struct vgem_svm *s)
{
	uint64_t *control = vgem_svm_map(2 * VGEM_SVM_PAGE);
	unsigned int i;

	vgem_svm_start(&s->q, write_on, 1, VA(control + 8), 8, VA(control + 64),
		       VA(control));
	for (i = 0; i < 5; i++) {
		spawn_child();
		clone_child(CLONE_VM | CLONE_VFORK);
		clone_child(CLONE_VM | CLONE_FILES);
		clone_child(CLONE_FILES);
		vgem_svm_wait_change(control + 8, "what the program writes");
	}
	vgem_svm_poke(control, 1);
	vgem_svm_wait(&s->q);
	vgem_svm_unmap(control, 2 * VGEM_SVM_PAGE);
}

/* ---- faults that never stop --------------------------------------------- */

#define PAGES	64

struct owner {
	int fd[2];
	int ready[2];
	int hold[2];
	bool execs;
};

/* Two devices take the same pages from each other: no CPU is needed for that. */
static void tear(struct owner *o, uint8_t *p, uint64_t *control)
{
	struct vgem_svm_queue q;
	unsigned int i;
	uint32_t vm;

	for (i = 0; i < 2; i++) {
		igt_assert_eq(__vgem_svm_vm_create(o->fd[i],
						   DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT,
						   &vm), 0);
		vgem_svm_queue_init(&q, o->fd[i], vm, 0, 0);
		vgem_svm_start(&q, write_on, PAGES, VA(p), VGEM_SVM_PAGE,
			       VA(control + 64), VA(control));
	}
}

static int owner_body(void *data)
{
	struct owner *o = data;
	uint8_t *p = vgem_svm_map(PAGES * VGEM_SVM_PAGE);
	uint64_t *control = vgem_svm_map(2 * VGEM_SVM_PAGE);

	close(o->hold[1]);
	tear(o, p, control);
	vgem_svm_wait_change((uint64_t *)p, "what the programs write");
	if (write(o->ready[1], "x", 1) != 1)
		return 1;
	if (o->execs && dup2(o->hold[0], 0) == 0)
		execlp("cat", "cat", NULL);
	for (;;)
		pause();
}

/* Numbers are given out from the lowest: what is left behind keeps some. */
static uint32_t lowest_handle(int fd)
{
	uint32_t vm;

	igt_assert_eq(__vgem_svm_vm_create(fd, 0, &vm), 0);
	igt_assert_eq(__vgem_svm_vm_destroy(fd, vm), 0);
	return vm;
}

/* Return: whether that comes true in time. */
static bool wait_lowest(int fd, uint32_t low)
{
	unsigned int i;

	for (i = 0; i < 20U * vgem_svm_patience(20); i++) {
		if (lowest_handle(fd) <= low)
			return true;
		usleep(50000);
	}
	return false;
}

static void test_in_faults(bool execs)
{
	struct owner o = { .execs = execs };
	unsigned int i;
	pid_t pid;
	char c;

	/* We are who has the files when the owner is gone. */
	for (i = 0; i < 2; i++) {
		o.fd[i] = vgem_svm_open(i);
		igt_assert_eq(lowest_handle(o.fd[i]), 1);
	}
	igt_assert(!pipe(o.ready) && !pipe(o.hold));
	pid = vgem_svm_fork(owner_body, &o);
	close(o.hold[0]);
	close(o.ready[1]);
	igt_assert(read(o.ready[0], &c, 1) == 1);
	if (!execs) {
		kill(pid, SIGKILL);
		igt_assert(WIFSIGNALED(vgem_svm_reap(pid, 30)));
	}
	for (i = 0; i < 2; i++)
		igt_assert_f(wait_lowest(o.fd[i], 1),
			     "device %u: the address space outlives what it mirrors\n",
			     i);
	close(o.hold[1]);
	if (execs)
		igt_assert_eq(vgem_svm_reap(pid, 30), 0);
	for (i = 0; i < 2; i++)
		close(o.fd[i]);
	close(o.ready[0]);
}

/* ---- what is left ------------------------------------------------------- */

struct leaver {
	struct vgem_svm *s;
	int event;
	bool killed;
};

static int leave_behind(void *data)
{
	struct leaver *l = data;
	struct drm_vgem_svm_queue_create args = { .eventfd = l->event };

	CHILD_CHECK(!__vgem_svm_vm_create(l->s->fd, 0, &args.vm_id));
	CHILD_CHECK(!__vgem_svm_ioctl(l->s->fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
				      &args));
	if (l->killed)
		raise(SIGKILL);
	return 0;
}

static void test_nothing_left(struct vgem_svm *s)
{
	unsigned int rounds = 20, i;
	uint32_t low = lowest_handle(s->fd);
	uint64_t value, told = 0;
	struct leaver l = { .s = s };

	l.event = eventfd(0, EFD_CLOEXEC);
	igt_assert(l.event >= 0);
	for (i = 0; i < rounds; i++) {
		l.killed = i & 1;
		vgem_svm_reap(vgem_svm_fork(leave_behind, &l), 30);
		/* Each queue tells of its end, and so of its process's. */
		while (told <= i && read(l.event, &value, 8) == 8)
			told += value;
	}
	igt_assert_eq_u64(told, rounds);
	igt_assert_f(wait_lowest(s->fd, low),
		     "%u processes have left handles behind, the lowest free one is %u\n",
		     rounds, lowest_handle(s->fd));
	close(l.event);
}

static void threads(struct vgem_svm *s)
{
	igt_describe("A thread with a descriptor table of its own makes it and ends");
	igt_subtest("thread-ends")
		test_thread_ends();

	igt_describe("The first thread of a process ends, the others go on");
	igt_subtest("leader-ends")
		vgem_svm_in_child(leader_ends, NULL, "without its first thread");

	igt_describe("Children that share the memory or the descriptors come and go");
	igt_subtest("vfork")
		test_vfork(s);
}

static void ends(struct vgem_svm *s)
{
	igt_describe("The process is killed while faults never stop and another has the file");
	igt_subtest("kill-in-faults") {
		vgem_svm_require(2);
		test_in_faults(false);
	}

	igt_describe("The process replaces its memory while faults never stop");
	igt_subtest("exec-in-faults") {
		vgem_svm_require(2);
		test_in_faults(true);
	}

	igt_describe("What dead processes had leaves nothing in a file that others have");
	igt_subtest("nothing-left")
		test_nothing_left(s);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	threads(&s);
	ends(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
