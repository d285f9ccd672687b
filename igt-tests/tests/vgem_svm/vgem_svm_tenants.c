// SPDX-License-Identifier: MIT
/*
 * Two tenants of a machine. One does what it can to be in the way; the other
 * goes on being served, on the same device and on another one.
 */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_fuse.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_uffd.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm tenants
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: isolation of processes
 * Description: one tenant cannot stop the service of another
 *
 * SUBTEST: tricks
 * Description: a victim on the device beside each single trick
 *
 * SUBTEST: all-same-device
 * Description: a victim on the device beside most tricks at a time
 *
 * SUBTEST: all-other-device
 * Description: a victim on another device beside most tricks at a time
 *
 * SUBTEST: unbind-same-device
 * Description: the device of the attacker goes in time
 *
 * SUBTEST: unbind-other-device
 * Description: the other device goes in time
 *
 * SUBTEST: kill
 * Description: the attacker can be killed
 */

IGT_TEST_DESCRIPTION("One tenant cannot stop the service of another");

#define IN_TIME	5		/* seconds */
#define WORSE	4		/* times as long at most */
#define GROUP	"tenant"

/* ---- tricks of the attacker --------------------------------------------- */

#define ATTACKER	65534	/* user and group */
#define FILE_BLOCKS	160U

/**
 * struct attack - what an attacker's processes share with the test
 * @ready: processes that are at their trick
 * @fuse: a file whose server never answers
 */
struct attack {
	uint64_t ready;
	struct vgem_svm_fuse fuse;
};

/**
 * struct means - what an attacker's process has got from the administrator
 * @file: mapping of the file
 * @direct: the same file, open without a cache
 * @uffd: a userfaultfd
 * @procs: the group that bounds its time
 * @nothing: where its output goes
 */
struct means {
	uint8_t *file;
	int direct;
	int uffd;
	int procs;
	int nothing;
};

static struct attack *attack;
static struct means means;

/*
 * From here on its own time is bounded as that of a tenant is: what it takes
 * beyond that, the driver gives it. And if its device goes, it is nobody's
 * business what it says to that.
 */
static void at_it(void)
{
	igt_assert(write(means.procs, "0", 1) == 1);
	dup2(means.nothing, STDOUT_FILENO);
	dup2(means.nothing, STDERR_FILENO);
	__atomic_add_fetch(&attack->ready, 1, __ATOMIC_SEQ_CST);
}

static void for_ever(void)
{
	for (;;)
		pause();
}

/* Two address spaces wait for the file in as many ranges as they have threads. */
static void trick_file(void)
{
	unsigned int threads = 64, i;
	struct vgem_svm s[2];

	for (i = 0; i < 2; i++) {
		vgem_svm_init(&s[i], 0, 0);
		vgem_svm_warm_up(&s[i]);
		vgem_svm_start(&s[i].q, touch, threads, threads,
			       VA(means.file + i * threads * VGEM_SVM_BLOCK),
			       VGEM_SVM_BLOCK, threads);
	}
	at_it();
	for_ever();
}

static void trick_userfaultfd(void)
{
	size_t length = 64 * VGEM_SVM_BLOCK;
	struct vgem_svm s;
	uint8_t *p;

	vgem_svm_init(&s, 0, 0);
	vgem_svm_warm_up(&s);
	p = vgem_svm_map_aligned(length, VGEM_SVM_BLOCK);
	vgem_svm_uffd_register(means.uffd, p, length,
			       UFFDIO_REGISTER_MODE_MISSING);
	vgem_svm_start(&s.q, touch, 64, 64, VA(p), VGEM_SVM_BLOCK, 64);
	at_it();
	for_ever();
}

/* As many address spaces and queues as there are for it, all of them busy. */
static void trick_limits(void)
{
	static struct vgem_svm_queue q[64];
	uint64_t *started = vgem_svm_map(VGEM_SVM_PAGE);
	int fd = vgem_svm_open(0);
	struct drm_vgem_svm_queue_create args;
	unsigned int n;
	uint32_t vm;

	for (n = 0; n < 64; n++) {
		if (__vgem_svm_vm_create(fd, 0, &vm))
			break;
		args = (struct drm_vgem_svm_queue_create) {
			.vm_id = vm, .eventfd = -1,
		};
		if (__vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
				     &args))
			break;
		__vgem_svm_queue_destroy(fd, args.queue_id);
		vgem_svm_queue_init(&q[n], fd, vm, n % 2, 0);
		vgem_svm_start(&q[n], loop, 1, VA(started));
	}
	at_it();
	for_ever();
}

static void trick_loops(void)
{
	uint64_t *started = vgem_svm_map(VGEM_SVM_PAGE);
	struct vgem_svm_queue q;
	struct vgem_svm s;

	vgem_svm_init(&s, 0, 0);
	vgem_svm_queue_init(&q, s.fd, s.vm, 1, 0);
	vgem_svm_start(&s.q, loop, 64, VA(started));
	vgem_svm_start(&q, loop, 64, VA(started));
	at_it();
	for_ever();
}

/* Faults in many ranges, whose pages go at once. */
static void trick_storm(void)
{
	size_t length = 64 * VGEM_SVM_BLOCK;
	struct vgem_svm s;
	uint8_t *p;

	vgem_svm_init(&s, 0, DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	p = vgem_svm_map_aligned(length, VGEM_SVM_BLOCK);
	at_it();
	for (;;) {
		vgem_svm_run(&s.q, fill, 64, 64, VA(p), VGEM_SVM_BLOCK, 1, 64);
		madvise(p, length, MADV_DONTNEED);
	}
}

/* An eventfd that is full: nobody reads it. */
static void trick_eventfd(void)
{
	uint64_t full = ~1ULL;
	struct vgem_svm s;
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE);

	vgem_svm_init(&s, 0, 0);
	igt_assert_eq_u64(write(s.q.event, &full, 8), 8);
	at_it();
	for (;;) {
		vgem_svm_start(&s.q, fill, 1, 1, VA(p), 8, 1, 1);
		while (vgem_svm_peek(p) != 1)
			usleep(100);
		vgem_svm_poke(p, 0);
	}
}

/* The answer goes to a page that a handler holds back. */
static void trick_residency(void)
{
	uint8_t *p = vgem_svm_map(VGEM_SVM_BLOCK), *out;
	struct vgem_svm s;

	vgem_svm_init(&s, 0, 0);
	out = vgem_svm_map(VGEM_SVM_PAGE);
	vgem_svm_uffd_register(means.uffd, out, VGEM_SVM_PAGE,
			       UFFDIO_REGISTER_MODE_MISSING);
	at_it();
	__vgem_svm_residency(s.fd, s.vm, p, VGEM_SVM_BLOCK, out);
	for_ever();
}

/* What a program writes is marked again and again. */
static void trick_clear_refs(void)
{
	uint8_t *p = vgem_svm_map(VGEM_SVM_BLOCK);
	struct vgem_svm_work w;
	struct vgem_svm s;

	vgem_svm_init(&s, 0, 0);
	memset(p, 0, VGEM_SVM_BLOCK);
	vgem_svm_work_start(&w, &s.q, p, 512, false);
	at_it();
	for (;;)
		vgem_svm_write_file("/proc/self/clear_refs", "4");
}

static void trick_mprotect(void)
{
	uint8_t *p = vgem_svm_map(VGEM_SVM_BLOCK);
	struct vgem_svm_queue q;
	struct vgem_svm s;

	vgem_svm_init(&s, 0, 0);
	memset(p, 0, VGEM_SVM_BLOCK);
	vgem_svm_queue_init(&q, s.fd, s.vm, 1, 0);
	vgem_svm_start(&q, sweep, 8, 512, VA(p), VGEM_SVM_PAGE,
		       VA(vgem_svm_map(VGEM_SVM_PAGE)),
		       VA(vgem_svm_map(VGEM_SVM_PAGE)));
	at_it();
	for (;;) {
		mprotect(p, VGEM_SVM_BLOCK, PROT_READ);
		mprotect(p, VGEM_SVM_BLOCK, PROT_READ | PROT_WRITE);
	}
}

static void *touch_file(void *p)
{
	vgem_svm_peek(p);
	return NULL;
}

static void *map_direct(void *p)
{
	(void)p;
	mmap(NULL, VGEM_SVM_PAGE, PROT_READ, MAP_PRIVATE, means.direct, 0);
	return NULL;
}

/*
 * A mmap() that waits for the file's server with the lock of the memory held
 * for writing, while faults of the GPU want it.
 */
static void trick_memory_lock(void)
{
	struct vgem_svm s;
	pthread_t thread;
	uint8_t *p;

	vgem_svm_init(&s, 0, 0);
	vgem_svm_warm_up(&s);
	p = vgem_svm_map_aligned(64 * VGEM_SVM_BLOCK, VGEM_SVM_BLOCK);
	pthread_create(&thread, NULL, touch_file, means.file);
	vgem_svm_fuse_wait_held(&attack->fuse, 1, 10);
	pthread_create(&thread, NULL, map_direct, NULL);
	usleep(100000);
	at_it();
	vgem_svm_start(&s.q, fill, 64, 64, VA(p), VGEM_SVM_BLOCK, 1, 64);
	for_ever();
}

static const struct trick {
	const char *name;
	void (*fn)(void);
} tricks[] = {
	{ "file", trick_file },
	{ "userfaultfd", trick_userfaultfd },
	{ "loops", trick_loops },
	{ "storm", trick_storm },
	{ "eventfd", trick_eventfd },
	{ "residency", trick_residency },
	{ "clear-refs", trick_clear_refs },
	{ "mprotect", trick_mprotect },
	{ "memory-lock", trick_memory_lock },
	/* The last: it takes what the others have left. */
	{ "limits", trick_limits },
};

#define NR_TRICKS (sizeof(tricks) / sizeof(*tricks))
/*
 * Those that can begin beside each other: not who waits for the file's server with
 * its own memory locked, and not who needs what the others have taken.
 */
#define LAST_TOGETHER (NR_TRICKS - 3)

/* ---- the attacker ------------------------------------------------------- */

static pid_t attackers[NR_TRICKS];

/* Each trick is a process, of a user who has no rights. */
static int attacker_main(void *data)
{
	means.uffd = vgem_svm_uffd_open(0);
	means.procs = vgem_svm_group_open(GROUP, "cgroup.procs");
	means.nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	CHILD_CHECK(!setresgid(ATTACKER, ATTACKER, ATTACKER));
	CHILD_CHECK(!setresuid(ATTACKER, ATTACKER, ATTACKER));
	/* Its files of /proc/self are its own again. */
	CHILD_CHECK(!prctl(PR_SET_DUMPABLE, 1));
	((const struct trick *)data)->fn();
	return 0;
}

/* Render nodes are for everybody, as udev's rules have it. */
static void open_nodes(void)
{
	char path[64];
	int node;

	for (node = 128; node < 192; node++) {
		snprintf(path, sizeof(path), "/dev/dri/renderD%d", node);
		chmod(path, 0666);
	}
}

/* Return: each of them is at its trick. */
static bool attack_begin(unsigned int first, unsigned int last)
{
	unsigned int i;
	bool ready = true;

	memset(attackers, 0, sizeof(attackers));
	/* Those of a device that has been bound anew are new. */
	open_nodes();
	attack = vgem_svm_map_shared(sizeof(*attack));
	vgem_svm_group_make(GROUP, "cpu");
	igt_assert_eq(vgem_svm_group_write(GROUP, "cpu.max", "20000 100000"),
		      0);
	vgem_svm_fuse_init(&attack->fuse, true);
	/* Now: to open it waits for what is read. */
	means.file = vgem_svm_fuse_map(&attack->fuse,
				       FILE_BLOCKS * VGEM_SVM_BLOCK, PROT_READ);
	means.direct = vgem_svm_fuse_open_direct(&attack->fuse);
	for (i = first; i <= last && ready; i++) {
		attackers[i] = vgem_svm_fork(attacker_main, (void *)&tricks[i]);
		ready = vgem_svm_reaches(&attack->ready, i - first + 1, 20);
		if (!ready)
			igt_info("the trick %s does not begin\n",
				 tricks[i].name);
	}
	usleep(200000);
	return ready;
}

/*
 * Return: all could be killed while the file's server did not answer. Who waits
 * in mmap() is left out, since that wait is the file system's.
 */
static bool attack_end(void)
{
	bool ended = true;
	unsigned int i;
	int status;

	for (i = 0; i < NR_TRICKS; i++)
		if (attackers[i])
			kill(attackers[i], SIGKILL);
	for (i = 0; i < NR_TRICKS && ended; i++) {
		if (!attackers[i] || tricks[i].fn == trick_memory_lock)
			continue;
		ended = vgem_svm_ended(attackers[i], IN_TIME, &status);
		if (ended)
			attackers[i] = 0;
		else
			igt_info("%s cannot be killed\n", tricks[i].name);
	}
	vgem_svm_fuse_fini(&attack->fuse);
	for (i = 0; i < NR_TRICKS; i++)
		if (attackers[i])
			vgem_svm_end(attackers[i]);
	close(means.direct);
	vgem_svm_unmap(means.file, FILE_BLOCKS * VGEM_SVM_BLOCK);
	vgem_svm_group_remove(GROUP);
	vgem_svm_unmap(attack, sizeof(*attack));
	return ended;
}

/* ---- the victim --------------------------------------------------------- */

#define TOUCHES 16U

/**
 * struct victim - a process with a device, made before the attack
 * @device: which device
 * @phase: shared: 1 measure alone, 2 done, 3 measure under attack, 4 done
 * @p99: shared: microseconds of a fault, alone and under attack
 * @pid: the process
 */
struct victim {
	unsigned int device;
	uint64_t *phase;
	uint64_t *p99;
	pid_t pid;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Microseconds for a first touch, as the time of a launch shows it. */
static double one_sample(struct vgem_svm *s, uint8_t *p)
{
	double start;

	/* No page at all, and each in a range of its own. */
	igt_assert(!madvise(p, TOUCHES * VGEM_SVM_BLOCK, MADV_DONTNEED));
	start = vgem_svm_seconds();
	vgem_svm_run(&s->q, fill, 1, TOUCHES, VA(p), VGEM_SVM_BLOCK, 1, 1);
	return (vgem_svm_seconds() - start) * 1e6 / TOUCHES;
}

static uint64_t measure(struct vgem_svm *s, uint8_t *p)
{
	unsigned int n = vgem_svm_scaled(200), i;
	double *samples = calloc(n, sizeof(*samples)), p99;

	for (i = 0; i < n; i++)
		samples[i] = one_sample(s, p);
	qsort(samples, n, sizeof(*samples), compare);
	p99 = samples[n * 99 / 100 - 1];
	igt_info("fault: median %.0f us, 99 %% %.0f us, longest %.0f us\n",
		 samples[n / 2], p99, samples[n - 1]);
	free(samples);
	return p99 + 1;
}

static int victim_main(void *data)
{
	struct victim *v = data;
	struct vgem_svm s;
	uint64_t i;
	uint8_t *p;

	vgem_svm_init(&s, v->device, 0);
	vgem_svm_warm_up(&s);
	p = vgem_svm_map_aligned(TOUCHES * VGEM_SVM_BLOCK, VGEM_SVM_BLOCK);
	igt_assert(!madvise(p, TOUCHES * VGEM_SVM_BLOCK, MADV_NOHUGEPAGE));
	for (i = 0; i < 2; i++) {
		while (vgem_svm_peek(v->phase) != 2 * i + 1)
			usleep(1000);
		v->p99[i] = measure(&s, p);
		vgem_svm_poke(v->phase, 2 * i + 2);
	}
	return 0;
}

static void victim_init(struct victim *v, unsigned int device)
{
	v->device = device;
	v->phase = vgem_svm_map_shared(VGEM_SVM_PAGE);
	v->p99 = v->phase + 8;
	v->pid = vgem_svm_fork(victim_main, v);
}

/* Return: it has measured; else it is dead or hangs. */
static bool victim_measure(struct victim *v, uint64_t phase)
{
	vgem_svm_poke(v->phase, phase);
	return vgem_svm_reaches(v->phase, phase + 1, 20);
}

/* The one measure is the victim's own, alone and on the same machine. */
static void test_victim(unsigned int first, unsigned int last,
			unsigned int device)
{
	struct victim v;
	bool alone, beside, began;
	uint64_t p99[2];

	victim_init(&v, device);
	alone = victim_measure(&v, 1);
	began = attack_begin(first, last);
	beside = victim_measure(&v, 3);
	memcpy(p99, v.p99, sizeof(p99));
	kill(v.pid, SIGKILL);
	attack_end();
	vgem_svm_end(v.pid);
	vgem_svm_unmap(v.phase, VGEM_SVM_PAGE);
	igt_assert_f(alone, "the victim is not served though it is alone\n");
	igt_assert_f(began, "the attack does not begin\n");
	igt_assert_f(beside, "the victim is not served under attack\n");
	/* Time means something only where nothing else runs beside the guest. */
	igt_assert_f(!getenv("VGEM_SVM_MEASURE") || p99[1] <= WORSE * p99[0],
		     "99 %% of faults take %" PRIu64 " us alone, %" PRIu64
		     " us under attack\n", p99[0], p99[1]);
}

/* ---- all in all --------------------------------------------------------- */

static int small_program(void *data)
{
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE);
	struct vgem_svm s;

	vgem_svm_init(&s, (uintptr_t)data, 0);
	vgem_svm_run(&s.q, fill, 1, 1, VA(p), 8, 4711, 1);
	CHILD_CHECK(*p == 4711);
	vgem_svm_fini(&s);
	return 0;
}

static void test_unbind(unsigned int device)
{
	bool ended, began;
	int status;
	pid_t pid;

	began = attack_begin(0, LAST_TOGETHER);
	pid = vgem_svm_fork_unbind(device);
	ended = vgem_svm_ended(pid, IN_TIME, &status);
	attack_end();
	if (!ended)
		vgem_svm_end(pid);
	vgem_svm_bring_back(device);
	igt_assert_f(began, "the attack does not begin\n");
	igt_assert_f(ended, "unbind of device %u hangs\n", device);
	vgem_svm_in_child(small_program, (void *)(uintptr_t)device,
			  "a program afterwards");
}

static void test_kill(void)
{
	unsigned int tries;
	bool ended, began;
	uint64_t vram;
	int fd;

	began = attack_begin(0, LAST_TOGETHER);
	ended = attack_end();
	igt_assert_f(began, "the attack does not begin\n");
	igt_assert_f(ended, "the attacker cannot be killed\n");
	vgem_svm_in_child(small_program, NULL, "a program afterwards");
	fd = vgem_svm_open(0);
	/* The memory of a process goes when the last fault of it has ended. */
	for (tries = 0; tries < 1000; tries++) {
		vram = vgem_svm_query(fd, DRM_VGEM_SVM_PARAM_VRAM_USED);
		if (!vram)
			break;
		usleep(10000);
	}
	close(fd);
	igt_assert_eq_u64(vram, 0);
}

int igt_main()
{
	unsigned int i;

	igt_fixture() {
		vgem_svm_require(2);
		open_nodes();
	}

	igt_describe("A victim's faults beside each trick take less than four times as long as alone");
	igt_subtest_with_dynamic("tricks")
		for (i = 0; i < NR_TRICKS; i++)
			igt_dynamic(tricks[i].name)
				test_victim(i, i, 0);

	igt_describe("A victim's faults beside most tricks at a time take less than four times as long as alone");
	igt_subtest("all-same-device")
		test_victim(0, LAST_TOGETHER, 0);

	igt_describe("The same for a victim on another device");
	igt_subtest("all-other-device")
		test_victim(0, LAST_TOGETHER, 1);

	igt_describe("The attacker's device is unbound in time");
	igt_subtest("unbind-same-device")
		test_unbind(0);

	igt_describe("The other device is unbound in time");
	igt_subtest("unbind-other-device")
		test_unbind(1);

	igt_describe("The attacker can be killed");
	igt_subtest("kill")
		test_kill();
}
