// SPDX-License-Identifier: MIT
/*
 * How long an address space lives: as long as its process and its file, whatever
 * threads and children come and go.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm lifetime
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: life of address spaces
 * Description: an address space ends with its process or its file, not before
 *
 * SUBTEST: vfork-spawn
 * Description: children that borrow the memory of the owner come and go
 *
 * SUBTEST: clone-vm
 * Description: who shares the memory may use the address space, others not
 *
 * SUBTEST: thread-unshare
 * Description: a thread with descriptors of its own makes it, and ends
 *
 * SUBTEST: exec
 * Description: after an exec the old one is gone, and a new one works
 *
 * SUBTEST: churn
 * Description: threads make and end address spaces in every order
 *
 * SUBTEST: churn-many
 * Description: as many as there can be share a page that goes away
 */

IGT_TEST_DESCRIPTION("How long an address space lives");

static struct vgem_svm s;

/* ---- children ----------------------------------------------------------- */

static int spawn(const char *path)
{
	char *argv[2] = { (char *)path, NULL }, *envp[1] = { NULL };
	int ret, status;
	pid_t pid;

	ret = posix_spawn(&pid, path, NULL, NULL, argv, envp);
	if (!ret)
		igt_assert(vgem_svm_ended(pid, 20, &status));
	return ret;
}

static void test_vfork_spawn(void)
{
	unsigned int rounds = vgem_svm_scaled(10), i;
	struct vgem_svm_work w;
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE);
	int status;
	pid_t pid;

	vgem_svm_init(&s, 0, 0);
	vgem_svm_work_start(&w, &s.q, p, 1, false);
	for (i = 0; i < rounds; i++) {
		pid = vfork();
		if (!pid)
			_exit(0);
		igt_assert(pid > 0 && vgem_svm_ended(pid, 20, &status));
		igt_assert_eq(spawn("/no/such/program"), ENOENT);
		igt_assert_eq(spawn("/bin/true"), 0);
	}
	vgem_svm_work_go_on(&w, 10, "children have borrowed its memory");
	vgem_svm_work_finish(&w);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
	vgem_svm_fini(&s);
}

/* What the kernel says to a child that asks for the queue of its parent. */
static int query_child(void *data)
{
	struct drm_vgem_svm_queue_query query;

	(void)data;
	_exit(-__vgem_svm_queue_query(s.fd, s.q.id, &query));
}

static int clone_and_query(int flags)
{
	static char stack[64 << 10] __attribute__((aligned(16)));
	int status;
	pid_t pid;

	pid = clone(query_child, stack + sizeof(stack), flags | SIGCHLD, NULL);
	igt_assert(pid > 0 && vgem_svm_ended(pid, 20, &status));
	igt_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_clone_vm(void)
{
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE);
	struct vgem_svm_work w;

	vgem_svm_init(&s, 0, 0);
	vgem_svm_work_start(&w, &s.q, p, 1, false);
	igt_assert_eq(clone_and_query(CLONE_VM), 0);
	vgem_svm_work_go_on(&w, 10, "the end of who shares memory");
	igt_assert_eq(clone_and_query(CLONE_VM | CLONE_FILES), 0);
	vgem_svm_work_go_on(&w, 10, "the end of who shares memory and files");
	igt_assert_eq(clone_and_query(CLONE_FILES), EPERM);
	vgem_svm_work_go_on(&w, 10, "the end of who shares files");
	igt_assert_eq(clone_and_query(0), EPERM);
	vgem_svm_work_go_on(&w, 10, "the end of a child");
	vgem_svm_work_finish(&w);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
	vgem_svm_fini(&s);
}

/* ---- threads ------------------------------------------------------------ */

/* The file is open in the tables of both threads. */
static void *make_and_end(void *data)
{
	(void)data;
	if (unshare(CLONE_FILES) || __vgem_svm_vm_create(s.fd, 0, &s.vm))
		return "the thread could not make it";
	return NULL;
}

static void test_thread_unshare(void)
{
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE), values[1];
	struct vgem_svm_work w;
	pthread_t thread;
	uint32_t nr;
	void *wrong;
	int i;

	s.fd = vgem_svm_open(0);
	igt_assert(!pthread_create(&thread, NULL, make_and_end, NULL));
	pthread_join(thread, &wrong);
	igt_assert_f(!wrong, "%s\n", (char *)wrong);
	/* The thread's table goes when the thread has been waited for. */
	for (i = 0; i < 20; i++) {
		nr = 1;
		igt_assert_f(!__vgem_svm_counters(s.fd, s.vm, values, &nr),
			     "the address space has ended with a thread\n");
		usleep(10000);
	}
	vgem_svm_queue_init(&s.q, s.fd, s.vm, 0, 0);
	vgem_svm_work_start(&w, &s.q, p, 1, false);
	vgem_svm_work_finish(&w);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
	vgem_svm_fini(&s);
}

/* ---- exec --------------------------------------------------------------- */

#define EXEC_BYTES (2UL << 20)

/* Device memory goes back when the old memory has been torn down. */
static void wait_vram(int fd, uint64_t used)
{
	double end = vgem_svm_seconds() + vgem_svm_patience(20);

	while (vgem_svm_query(fd, DRM_VGEM_SVM_PARAM_VRAM_USED) > used &&
	       vgem_svm_seconds() < end)
		usleep(10000);
	igt_assert_lte_u64(vgem_svm_query(fd, DRM_VGEM_SVM_PARAM_VRAM_USED),
			   used);
}

/* The program that the test becomes: "FD VM VRAM". */
static void after_exec(const char *arguments)
{
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE), *out = calloc(1, 8), vram;
	struct drm_vgem_svm_migrate result;
	uint32_t old;
	int n;

	n = sscanf(arguments, "%d %u %" SCNu64, &s.fd, &old, &vram);
	igt_assert_eq(n, 3);
	wait_vram(s.fd, vram);
	*p = 7;
	igt_assert_eq(__vgem_svm_migrate(s.fd, old, p, VGEM_SVM_PAGE,
					 DRM_VGEM_SVM_LOC_SYSTEM, &result),
		      -ENOENT);
	igt_assert_eq(__vgem_svm_vm_create(s.fd, 0, &s.vm), 0);
	vgem_svm_queue_init(&s.q, s.fd, s.vm, 0, 0);
	vgem_svm_run(&s.q, sum, 1, 1, VA(p), 8, VA(out), 1);
	igt_assert_eq_u64(*out, 7);
	vgem_svm_fini(&s);
	_exit(0);
}

static int exec_child(void *data)
{
	char arguments[64];
	struct vgem_svm_work w;
	uint8_t *p = vgem_svm_map(EXEC_BYTES);
	uint64_t vram;

	(void)data;
	vgem_svm_init(&s, 0, 0);
	vram = vgem_svm_query(s.fd, DRM_VGEM_SVM_PARAM_VRAM_USED);
	memset(p, 0, EXEC_BYTES);
	vgem_svm_move(&s, p, EXEC_BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_work_start(&w, &s.q, p, EXEC_BYTES / VGEM_SVM_PAGE, false);
	igt_assert(!fcntl(s.fd, F_SETFD, 0));
	snprintf(arguments, sizeof(arguments), "%d %u %" PRIu64, s.fd, s.vm,
		 vram);
	setenv("VGEM_SVM_AFTER_EXEC", arguments, 1);
	execl("/proc/self/exe", "vgem_svm_lifetime", NULL);
	return 1;
}

/* ---- many --------------------------------------------------------------- */

#define CHURN_THREADS	6
#define CHURN_BYTES	(1UL << 20)
#define CHURN_PAGES	(CHURN_BYTES / VGEM_SVM_PAGE)

enum end { END_IN_ORDER, END_VM_FIRST, END_CLOSE, END_RUNNING, END_NR };

/* The owner's memory for a queue stays mapped where the file takes the queue. */
static void end_one(struct vgem_svm *v, enum end end, uint8_t *p)
{
	if (end == END_IN_ORDER) {
		vgem_svm_unmap(p, CHURN_BYTES);
		vgem_svm_fini(v);
		return;
	}
	if (end == END_VM_FIRST) {
		igt_assert_eq(__vgem_svm_vm_destroy(v->fd, v->vm), 0);
		igt_assert_eq(__vgem_svm_queue_destroy(v->fd, v->q.id),
			      -ENOENT);
	}
	close(v->fd);
	close(v->q.event);
	vgem_svm_unmap(p, CHURN_BYTES);
}

static void churn_one(unsigned int seed)
{
	uint64_t *p = vgem_svm_map(CHURN_BYTES), i;
	struct drm_vgem_svm_migrate moved;
	struct vgem_svm_work w;
	struct vgem_svm v;

	vgem_svm_init(&v, seed % 2,
		      seed & 4 ? DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT : 0);
	memset(p, 0, CHURN_BYTES);
	igt_assert_eq(__vgem_svm_migrate(v.fd, v.vm, p, CHURN_BYTES / 2,
					 DRM_VGEM_SVM_LOC_DEVICE, &moved), 0);
	vgem_svm_run(&v.q, fill, 4, CHURN_PAGES, VA(p), VGEM_SVM_PAGE, seed, 4);
	for (i = 0; i < CHURN_PAGES; i++)
		igt_assert_eq_u64(p[i * VGEM_SVM_PAGE / 8], seed + i);
	if (seed % END_NR == END_RUNNING)
		vgem_svm_work_start(&w, &v.q, p, CHURN_PAGES, false);
	end_one(&v, seed % END_NR, (uint8_t *)p);
}

static void *churn_thread(void *data)
{
	unsigned int rounds = vgem_svm_scaled(4), i;

	for (i = 0; i < rounds; i++)
		churn_one((uintptr_t)data * 101 + i);
	return NULL;
}

/* An assertion that fails ends the process, in whatever thread. */
static int churn_threads(void)
{
	pthread_t threads[CHURN_THREADS];
	uintptr_t i;

	vgem_svm_program(0);
	for (i = 0; i < CHURN_THREADS; i++)
		CHILD_CHECK(!pthread_create(&threads[i], NULL, churn_thread,
					    (void *)i));
	for (i = 0; i < CHURN_THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

/*
 * Pages that a child shares with its parent would stay in the device for the
 * parent's sake: an exec leaves none.
 */
static int churn_child(void *data)
{
	(void)data;
	setenv("VGEM_SVM_CHURN", "1", 1);
	execl("/proc/self/exe", "vgem_svm_lifetime", NULL);
	return 1;
}

static void churn_all(void)
{
	vgem_svm_in_child(churn_child, NULL, "threads with address spaces");
}

static uint64_t free_kb(void)
{
	return vgem_svm_meminfo("MemFree") + vgem_svm_meminfo("Cached");
}

/* What a first time leaves in caches is no leak; what each time takes is one. */
static void test_churn(void)
{
	uint64_t before, after;
	int fd, i;

	churn_all();
	before = free_kb();
	churn_all();
	for (i = 0; i < 2; i++) {
		fd = vgem_svm_open(i);
		wait_vram(fd, 0);
		close(fd);
	}
	after = free_kb();
	igt_info("free: %" PRIu64 " kB, then %" PRIu64 " kB\n", before, after);
	igt_assert_lte_u64(before, after + 8192);
}

#define MANY 64

static void count_on_all(struct vgem_svm_queue *q, unsigned int n, uint64_t *p)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		vgem_svm_start(&q[i], count, 1, 10, VA(p));
	for (i = 0; i < n; i++)
		vgem_svm_wait(&q[i]);
	igt_assert_eq_u64(*p, 10 * n);
}

/* Is there a channel for one more queue? */
static int try_queue(int fd, uint32_t vm)
{
	struct drm_vgem_svm_queue_create args = { .vm_id = vm, .eventfd = -1 };
	int ret = __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE, &args);

	return ret ? ret : __vgem_svm_queue_destroy(fd, args.queue_id);
}

/* Each of them has a queue, and each maps the page. */
static void test_churn_many(void)
{
	unsigned int rounds = vgem_svm_scaled(8), n, i;
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE);
	static struct vgem_svm_queue q[MANY];
	uint32_t vm;
	int fd = vgem_svm_open(0), ret = 0;

	for (n = 0; n < MANY; n++) {
		ret = __vgem_svm_vm_create(fd, 0, &vm);
		if (!ret)
			ret = try_queue(fd, vm);
		if (ret)
			break;
		vgem_svm_queue_init(&q[n], fd, vm, n % 2, 0);
	}
	igt_assert_f(!ret || ret == -ENOSPC || ret == -EDQUOT,
		     "address space %u: %s\n", n, strerror(-ret));
	igt_info("%u address spaces at a time\n", n);
	igt_assert(n > 1);
	count_on_all(q, n, p);
	for (i = 0; i < rounds; i++) {
		igt_assert(!madvise(p, VGEM_SVM_PAGE, MADV_DONTNEED));
		count_on_all(q, n, p);
	}
	close(fd);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
}

int igt_main()
{
	if (getenv("VGEM_SVM_AFTER_EXEC"))
		after_exec(getenv("VGEM_SVM_AFTER_EXEC"));
	if (getenv("VGEM_SVM_CHURN"))
		_exit(churn_threads());

	igt_fixture()
		vgem_svm_require(2);

	igt_describe("Children that borrow the owner's memory come and go, its program goes on");
	igt_subtest("vfork-spawn")
		test_vfork_spawn();

	igt_describe("Who shares the memory may use the address space, who shares files only may not");
	igt_subtest("clone-vm")
		test_clone_vm();

	igt_describe("A thread with a descriptor table of its own makes an address space and ends");
	igt_subtest("thread-unshare")
		test_thread_unshare();

	igt_describe("After an exec the old address space is gone with its device memory, a new one works");
	igt_subtest("exec")
		vgem_svm_in_child(exec_child, NULL, "a program that execs");

	igt_describe("Address spaces are made and ended in every order, and nothing is left");
	igt_subtest("churn")
		test_churn();

	igt_describe("As many address spaces as there can be map a page that goes away");
	igt_subtest("churn-many")
		test_churn_many();
}
