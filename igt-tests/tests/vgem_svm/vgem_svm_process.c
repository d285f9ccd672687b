// SPDX-License-Identifier: MIT
/*
 * Processes: an address space belongs to the one that made it. Forks share
 * pages for a while, and owners die.
 */

#include <fcntl.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm process
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: fork, exit, ownership
 * Description: fork, exit and ownership of address spaces
 *
 * SUBTEST: fork-%s-child-writes
 * Description: the child writes memory that is %arg[1]: the parent keeps its own
 *
 * SUBTEST: fork-%s-child-reads
 * Description: the child reads memory that is %arg[1]
 *
 * SUBTEST: fork-%s-parent-writes
 * Description: CPU and GPU of the parent write memory that is %arg[1]: the
 *   child keeps what was
 *
 * arg[1]:
 *
 * @mapped: mapped by the GPU
 * @migrated: in device memory
 *
 * SUBTEST: fork-under-work
 * Description: forks while a program writes: no write is lost, none gets to a
 *   child
 *
 * SUBTEST: fork-shared-stays
 * Description: a child cannot move its parent's pages to a device, by request or by
 *   policy
 *
 * SUBTEST: other-mm
 * Description: every ioctl on an address space refuses a forked child
 *
 * SUBTEST: own-vm-in-child
 * Description: a child can make an address space of its own on the same file
 *
 * SUBTEST: kill-owner
 * Description: the owner is killed while another process holds the file
 *
 * SUBTEST: kill-in-faults
 * Description: a process is killed while its programs fault
 *
 * SUBTEST: exit-in-faults
 * Description: a process exits while its programs fault
 *
 * SUBTEST: close-in-faults
 * Description: the file is closed while programs fault
 *
 * SUBTEST: mrelease
 * Description: process_mrelease() takes memory that a GPU maps from a killed
 *   process
 *
 * SUBTEST: attr-storm
 * Description: a process exits with an attribute on every other page of many
 *
 * SUBTEST: attr-limit
 * Description: a process has a limit of intervals with attributes, and what it
 *   takes away it may set again
 */

IGT_TEST_DESCRIPTION("Fork, exit and ownership of address spaces");

#define PAGES 32
#define BYTES (PAGES * VGEM_SVM_PAGE)

static uint64_t *cell(void *p, unsigned int i)
{
	return (uint64_t *)((uint8_t *)p + i * VGEM_SVM_PAGE);
}

/* ---- fork --------------------------------------------------------------- */

static void *prepare(struct vgem_svm *s, bool migrated)
{
	void *p = vgem_svm_map(BYTES);

	memset(p, 0, BYTES);
	if (migrated)
		vgem_svm_move(s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s->q, fill, 4, PAGES, VA(p), VGEM_SVM_PAGE, 100, 4);
	return p;
}

static void check_cells(void *p, uint64_t first)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		igt_assert_eq_u64(*cell(p, i), first + i);
}

static int child_writes(void *data)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		CHILD_CHECK(*cell(data, i) == 100 + i);
		*cell(data, i) = 7;
	}
	return 0;
}

static int child_reads(void *data)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		CHILD_CHECK(*cell(data, i) == 100 + i);
	return 0;
}

static void test_fork_child(struct vgem_svm *s, bool migrated,
			    int (*child)(void *data))
{
	uint64_t *out = calloc(1, 8);
	void *p = prepare(s, migrated);

	vgem_svm_in_child(child, p, "the child's view of the memory");
	vgem_svm_run(&s->q, sum, 4, PAGES, VA(p), VGEM_SVM_PAGE, VA(out), 4);
	igt_assert_eq_u64(*out, 100 * PAGES + PAGES * (PAGES - 1) / 2);
	check_cells(p, 100);
	/* The GPU can write it again, and the child was not the last owner. */
	vgem_svm_run(&s->q, increment, 4, PAGES, VA(p), VGEM_SVM_PAGE, 1, 4);
	check_cells(p, 101);
	vgem_svm_unmap(p, BYTES);
	free(out);
}

struct shared {
	int fd;
	void *p;
};

struct held_child {
	void *p;
	uint64_t *shared;
};

/* Waits for the parent's writes, then looks at what it inherited. */
static int child_keeps(void *data)
{
	struct held_child *h = data;
	int i;

	for (i = 0; i < 600 && !vgem_svm_peek(h->shared); i++)
		usleep(100000);
	CHILD_CHECK(vgem_svm_peek(h->shared));
	return child_reads(h->p);
}

static void test_fork_parent(struct vgem_svm *s, bool migrated)
{
	struct held_child h = { .p = prepare(s, migrated) };
	pid_t pid;
	int status;

	h.shared = mmap(NULL, VGEM_SVM_PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	igt_assert(h.shared != MAP_FAILED);
	pid = vgem_svm_fork(child_keeps, &h);
	vgem_svm_run(&s->q, increment, 4, PAGES, VA(h.p), VGEM_SVM_PAGE, 5, 4);
	*cell(h.p, 0) += 1;
	vgem_svm_run(&s->q, increment, 4, PAGES, VA(h.p), VGEM_SVM_PAGE, 5, 4);
	*cell(h.p, 0) -= 1;
	check_cells(h.p, 110);
	vgem_svm_poke(h.shared, 1);
	status = vgem_svm_reap(pid, 60);
	igt_assert_f(WIFEXITED(status) && !WEXITSTATUS(status),
		     "the child saw the parent's writes: status %#x\n", status);
	vgem_svm_unmap(h.p, BYTES);
	munmap(h.shared, VGEM_SVM_PAGE);
}

struct snapshot {
	void *p;
	uint64_t seen[PAGES];
};

static int child_unchanging(void *data)
{
	struct snapshot *snap = data;
	unsigned int i, round;

	for (i = 0; i < PAGES; i++)
		snap->seen[i] = vgem_svm_peek(cell(snap->p, i));
	for (round = 0; round < 3; round++) {
		usleep(2000);
		for (i = 0; i < PAGES; i++)
			CHILD_CHECK(vgem_svm_peek(cell(snap->p, i)) ==
				    snap->seen[i]);
	}
	return 0;
}

static void test_fork_under_work(struct vgem_svm *s)
{
	unsigned int rounds = vgem_svm_scaled(20000), forks = 0, i;
	static struct snapshot snap;

	snap.p = prepare(s, false);
	vgem_svm_start(&s->q, increment, 8, PAGES, VA(snap.p), VGEM_SVM_PAGE,
		       rounds, 8);
	while (__vgem_svm_wait(&s->q, 0) == -ETIME && forks < 40) {
		vgem_svm_in_child(child_unchanging, &snap,
				  "GPU writes of the parent got to the child");
		forks++;
	}
	vgem_svm_wait(&s->q);
	igt_info("%u forks\n", forks);
	for (i = 0; i < PAGES; i++)
		igt_assert_f(*cell(snap.p, i) == 100 + i + rounds,
			     "cell %u: %" PRIu64 " writes of %u arrived\n", i,
			     *cell(snap.p, i) - 100 - i, rounds);
	vgem_svm_unmap(snap.p, BYTES);
}

/* ---- ownership ---------------------------------------------------------- */

static int child_is_refused(void *data)
{
	struct drm_vgem_svm_migrate migrate;
	struct drm_vgem_svm_queue_query query;
	struct vgem_svm *s = data;
	struct drm_vgem_svm_queue_create create = {
		.vm_id = s->vm, .eventfd = -1,
	};
	uint64_t value, values[4];
	uint32_t nr = 4;
	uint8_t page;

	CHILD_CHECK(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
				     &create) == -EPERM);
	CHILD_CHECK(__vgem_svm_queue_query(s->fd, s->q.id, &query) == -EPERM);
	CHILD_CHECK(__vgem_svm_exec(&s->q, s->q.batch, 12) == -EPERM);
	CHILD_CHECK(__vgem_svm_migrate(s->fd, s->vm, s->q.batch, VGEM_SVM_PAGE,
				       DRM_VGEM_SVM_LOC_DEVICE, &migrate) ==
		    -EPERM);
	CHILD_CHECK(__vgem_svm_attr_set(s->fd, s->vm, s->q.batch, VGEM_SVM_PAGE,
					DRM_VGEM_SVM_LOC_SYSTEM) == -EPERM);
	CHILD_CHECK(__vgem_svm_attr_get(s->fd, s->vm, s->q.batch, &value) ==
		    -EPERM);
	CHILD_CHECK(__vgem_svm_residency(s->fd, s->vm, s->q.batch,
					 VGEM_SVM_PAGE, &page) == -EPERM);
	CHILD_CHECK(__vgem_svm_counters(s->fd, s->vm, values, &nr) == -EPERM);
	nr = 0;
	CHILD_CHECK(__vgem_svm_faults(s->fd, s->vm, NULL, &nr, &value) ==
		    -EPERM);
	CHILD_CHECK(__vgem_svm_queue_destroy(s->fd, s->q.id) == -EPERM);
	CHILD_CHECK(__vgem_svm_vm_destroy(s->fd, s->vm) == -EPERM);
	return 0;
}

static void test_other_mm(struct vgem_svm *s)
{
	uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE);

	vgem_svm_in_child(child_is_refused, s, "a child used the parent's VM");
	/* And nothing has changed. */
	vgem_svm_run(&s->q, store_at, 1, VA(word), 5);
	igt_assert_eq_u64(*word, 5);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
}

/* Works with an address space of its own, made on a file it inherited. */
/* By request, then by policy; what it writes is its own, and moves. */
static int child_moves(void *data)
{
	struct vgem_svm own = { .fd = ((struct shared *)data)->fd };
	void *p = ((struct shared *)data)->p;
	struct drm_vgem_svm_migrate result;
	uint64_t out = 0;

	CHILD_CHECK(!__vgem_svm_vm_create(own.fd, 0, &own.vm));
	vgem_svm_queue_init(&own.q, own.fd, own.vm, 0, 0);
	CHILD_CHECK(!__vgem_svm_migrate(own.fd, own.vm, p, BYTES,
					DRM_VGEM_SVM_LOC_DEVICE, &result));
	CHILD_CHECK(!result.moved && result.failed == PAGES);
	vgem_svm_prefer(&own, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_start(&own.q, sum, 1, PAGES, VA(p), VGEM_SVM_PAGE, VA(&out), 1);
	CHILD_CHECK(!__vgem_svm_wait(&own.q, 20));
	CHILD_CHECK(out == 100 * PAGES + PAGES * (PAGES - 1) / 2);
	CHILD_CHECK(!__vgem_svm_migrate(own.fd, own.vm, p, BYTES,
					DRM_VGEM_SVM_LOC_DEVICE, &result));
	CHILD_CHECK(!result.moved && result.failed == PAGES);

	memset(p, 0, BYTES);
	CHILD_CHECK(!__vgem_svm_migrate(own.fd, own.vm, p, BYTES,
					DRM_VGEM_SVM_LOC_DEVICE, &result));
	CHILD_CHECK(result.moved == PAGES && !result.failed);
	return 0;
}

static void test_fork_shared_stays(struct vgem_svm *s)
{
	struct shared shared = { .fd = s->fd, .p = prepare(s, false) };

	vgem_svm_in_child(child_moves, &shared, "a move of shared pages");
	check_cells(shared.p, 100);
	/* Nobody shares them any more. */
	vgem_svm_move(s, shared.p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	check_cells(shared.p, 100);
	vgem_svm_unmap(shared.p, BYTES);
}

static int child_own_vm(void *data)
{
	struct vgem_svm *s = data, own = { .fd = s->fd };
	uint64_t *word = calloc(1, 8);

	CHILD_CHECK(!__vgem_svm_vm_create(s->fd, 0, &own.vm));
	vgem_svm_queue_init(&own.q, s->fd, own.vm, 0, 0);
	vgem_svm_start(&own.q, store_at, 1, VA(word), 9);
	CHILD_CHECK(!__vgem_svm_wait(&own.q, 20));
	CHILD_CHECK(*word == 9);
	CHILD_CHECK(!__vgem_svm_vm_destroy(s->fd, own.vm));
	return 0;
}

/* ---- death -------------------------------------------------------------- */

struct victim {
	unsigned int device;
	int ready[2];
	int hold[2];
	bool exits;
	bool closes;
};

/* Programs that fault for ever: their memory is thrown away all the time. */
static int victim_body(void *data)
{
	struct victim *v = data;
	uint64_t *control;
	struct vgem_svm s;
	unsigned int round;
	uint8_t *p;

	vgem_svm_init(&s, v->device, DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	p = vgem_svm_map(64 * VGEM_SVM_PAGE);
	control = vgem_svm_map(2 * VGEM_SVM_PAGE);
	vgem_svm_start(&s.q, write_on, 64, VA(p), VGEM_SVM_PAGE,
		       VA(control + 8), VA(control));
	for (round = 0;; round++) {
		madvise(p, 64 * VGEM_SVM_PAGE, MADV_DONTNEED);
		if (round == 20 && write(v->ready[1], "x", 1) != 1)
			return 1;
		if (round == 40 && v->closes)
			return close(s.fd);
		if (round == 40 && v->exits)
			return 0;
		usleep(200);
	}
}

static pid_t start_victim(struct victim *v)
{
	pid_t pid;
	char c;

	igt_assert(!pipe(v->ready));
	pid = vgem_svm_fork(victim_body, v);
	close(v->ready[1]);
	igt_assert_f(read(v->ready[0], &c, 1) == 1, "the victim did not start\n");
	close(v->ready[0]);
	return pid;
}

static void check_alive(struct vgem_svm *s)
{
	uint64_t *word = calloc(1, 8);

	vgem_svm_run(&s->q, store_at, 1, VA(word), 3);
	igt_assert_eq_u64(*word, 3);
	free(word);
}

static void test_exit_in_faults(struct vgem_svm *s, bool exits, bool closes)
{
	struct victim v = { .exits = exits, .closes = closes };
	unsigned int round;
	int status;
	pid_t pid;

	for (round = 0; round < 5; round++) {
		pid = start_victim(&v);
		if (!exits && !closes)
			kill(pid, SIGKILL);
		status = vgem_svm_reap(pid, 60);
		igt_assert(exits || closes ? status == 0 :
			   WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		check_alive(s);
	}
}

/*
 * Holds the owner's file until the test lets go. A new program, so that it shares
 * no memory with the owner.
 */
static int holder_body(struct victim *v, int fd)
{
	close(v->hold[1]);
	if (dup2(v->hold[0], 0) || fcntl(fd, F_SETFD, 0))
		return 1;
	return execlp("cat", "cat", NULL);
}

/* Makes the address space, forks the holder, then faults until killed. */
static int owner_forks_holder(void *data)
{
	struct victim *v = data;
	uint64_t *control;
	struct vgem_svm s;
	uint8_t *p;
	pid_t pid;

	vgem_svm_init(&s, 0, DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	p = vgem_svm_map(64 * VGEM_SVM_PAGE);
	control = vgem_svm_map(2 * VGEM_SVM_PAGE);
	pid = fork();
	if (!pid)
		_exit(holder_body(v, s.fd));
	close(v->hold[0]);
	vgem_svm_start(&s.q, write_on, 64, VA(p), VGEM_SVM_PAGE,
		       VA(control + 8), VA(control));
	vgem_svm_wait_change((uint64_t *)p, "what the program writes");
	if (write(v->ready[1], "x", 1) != 1)
		return 1;
	for (;;)
		madvise(p, 64 * VGEM_SVM_PAGE, MADV_DONTNEED);
}

static uint64_t vram_used(struct vgem_svm *s)
{
	return vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_USED);
}

/*
 * A child that migrates what it touches takes along what it shares with us since
 * the fork: our pages too are on the device then.
 */
static void bring_back(struct vgem_svm *s)
{
	struct drm_vgem_svm_migrate result;
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long first, end;
	char line[512];

	igt_assert(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &first, &end) == 2)
			__vgem_svm_migrate(s->fd, s->vm, (void *)first,
					   end - first,
					   DRM_VGEM_SVM_LOC_SYSTEM, &result);
	fclose(maps);
}

static void test_kill_owner(struct vgem_svm *s)
{
	uint64_t used = vram_used(s);
	struct victim v = {};
	pid_t pid;
	int status, i;
	char c;

	igt_assert(!pipe(v.ready) && !pipe(v.hold));
	pid = vgem_svm_fork(owner_forks_holder, &v);
	close(v.hold[0]);
	close(v.ready[1]);
	igt_assert(read(v.ready[0], &c, 1) == 1);
	kill(pid, SIGKILL);
	status = vgem_svm_reap(pid, 30);
	igt_assert(WIFSIGNALED(status));
	/* Its memory goes although the holder still has the file. */
	for (i = 0; i < 200 && vram_used(s) > used; i++) {
		bring_back(s);
		usleep(50000);
	}
	igt_assert_f(vram_used(s) <= used,
		     "device memory of a killed process is still in use\n");
	check_alive(s);
	close(v.hold[1]);
	close(v.ready[0]);
}

static void test_mrelease(struct vgem_svm *s)
{
	struct victim v = {};
	int pidfd, status, ret, i;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		pid = start_victim(&v);
		pidfd = syscall(SYS_pidfd_open, pid, 0);
		igt_assert(pidfd >= 0);
		kill(pid, SIGKILL);
		do {
			ret = syscall(SYS_process_mrelease, pidfd, 0);
		} while (ret && errno == EAGAIN);
		igt_assert_f(!ret || errno == ESRCH || errno == EINTR,
			     "process_mrelease: %s\n", strerror(errno));
		status = vgem_svm_reap(pid, 60);
		igt_assert(WIFSIGNALED(status));
		close(pidfd);
		check_alive(s);
	}
}

/* ---- attributes ------------------------------------------------------------ */

#define ATTR_LIMIT "/sys/module/drm_svm/parameters/max_attrs"
#define ATTR_NR 60000

/* Every other page of memory that is not even mapped. */
static int attr_every_other(const struct vgem_svm *s, unsigned int i)
{
	uint64_t addr = (1ull << 40) + 2ull * i * VGEM_SVM_PAGE;

	return __vgem_svm_attr_set(s->fd, s->vm, (void *)(uintptr_t)addr,
				   VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_SYSTEM);
}

static int child_attr_storm(void *data)
{
	struct vgem_svm s;
	unsigned int i;

	(void)data;
	vgem_svm_init(&s, 0, 0);
	for (i = 0; i < ATTR_NR; i++)
		CHILD_CHECK(!attr_every_other(&s, i));
	return 0;
}

/* What a tree leaves behind is freed after a grace period, of which membarrier() has one. */
static void test_attr_storm(struct vgem_svm *s)
{
	vgem_svm_in_child(child_attr_storm, NULL, "a storm of attributes");
	igt_assert(!syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
	usleep(100000);
	check_alive(s);
}

static int child_attr_limit(void *data)
{
	unsigned int limit = *(unsigned int *)data, i;
	void *base = (void *)(uintptr_t)(1ull << 40);
	struct vgem_svm s;
	uint64_t value;

	vgem_svm_init(&s, 0, 0);
	for (i = 0; i < limit; i++)
		CHILD_CHECK(!attr_every_other(&s, i));
	CHILD_CHECK(attr_every_other(&s, limit) == -ENOSPC);
	/* Again is not once more, and a hole in one is. */
	CHILD_CHECK(!attr_every_other(&s, 0));
	CHILD_CHECK(!__vgem_svm_attr_set(s.fd, s.vm, base, 3 * VGEM_SVM_PAGE,
					 DRM_VGEM_SVM_LOC_SYSTEM));
	CHILD_CHECK(!attr_every_other(&s, limit));
	CHILD_CHECK(__vgem_svm_attr_set(s.fd, s.vm, base + VGEM_SVM_PAGE,
					VGEM_SVM_PAGE,
					DRM_VGEM_SVM_LOC_DEFAULT) == -ENOSPC);
	CHILD_CHECK(!__vgem_svm_attr_get(s.fd, s.vm, base + VGEM_SVM_PAGE, &value));
	CHILD_CHECK(value == DRM_VGEM_SVM_LOC_SYSTEM);
	/* All at a time, and from the beginning. */
	CHILD_CHECK(!__vgem_svm_attr_set(s.fd, s.vm, base, VGEM_SVM_PAGE * 4 * limit,
					 DRM_VGEM_SVM_LOC_DEFAULT));
	for (i = 0; i < limit; i++)
		CHILD_CHECK(!attr_every_other(&s, i));
	CHILD_CHECK(attr_every_other(&s, limit) == -ENOSPC);
	return 0;
}

static bool set_attr_limit(unsigned int limit)
{
	FILE *file = fopen(ATTR_LIMIT, "w");
	bool ok = file && fprintf(file, "%u\n", limit) > 0;

	return file && !fclose(file) && ok;
}

static void test_attr_limit(struct vgem_svm *s)
{
	unsigned int limit = 500, old = 0;
	FILE *file = fopen(ATTR_LIMIT, "r");
	int status;

	igt_require_f(file, "drm_svm has no parameter max_attrs\n");
	igt_assert_eq(fscanf(file, "%u", &old), 1);
	fclose(file);
	igt_require_f(set_attr_limit(limit), "max_attrs cannot be written\n");
	status = vgem_svm_reap(vgem_svm_fork(child_attr_limit, &limit), 60);
	igt_assert(set_attr_limit(old));
	igt_assert_f(!status, "the limit of attributes: status %d\n", status);
	check_alive(s);
}

static void forks(struct vgem_svm *s)
{
	static const char * const states[] = { "mapped", "migrated" };
	int migrated;
	char name[64];

	for (migrated = 0; migrated < 2; migrated++) {
		snprintf(name, sizeof(name), "fork-%s-child-writes",
			 states[migrated]);
		igt_describe("A child's writes do not get to the parent or the GPU");
		igt_subtest(name)
			test_fork_child(s, migrated, child_writes);

		snprintf(name, sizeof(name), "fork-%s-child-reads",
			 states[migrated]);
		igt_describe("A child reads what the GPU wrote before the fork");
		igt_subtest(name)
			test_fork_child(s, migrated, child_reads);

		snprintf(name, sizeof(name), "fork-%s-parent-writes",
			 states[migrated]);
		igt_describe("Writes of the parent's CPU and GPU do not get to a child");
		igt_subtest(name)
			test_fork_parent(s, migrated);
	}

	igt_describe("Forks while a program writes: no write is lost, none gets to a child");
	igt_subtest("fork-under-work")
		test_fork_under_work(s);

	igt_describe("A child cannot move its parent's pages to a device");
	igt_subtest("fork-shared-stays")
		test_fork_shared_stays(s);
}

static void ownership(struct vgem_svm *s)
{
	igt_describe("Every ioctl on an address space refuses a forked child");
	igt_subtest("other-mm")
		test_other_mm(s);

	igt_describe("A child can make an address space of its own on the same file");
	igt_subtest("own-vm-in-child") {
		vgem_svm_in_child(child_own_vm, s, "an own VM in a child");
		check_alive(s);
	}
}

static void deaths(struct vgem_svm *s)
{
	igt_describe("The owner is killed while another process holds the file");
	igt_subtest("kill-owner")
		test_kill_owner(s);

	igt_describe("A process is killed while its programs fault");
	igt_subtest("kill-in-faults")
		test_exit_in_faults(s, false, false);

	igt_describe("A process exits while its programs fault");
	igt_subtest("exit-in-faults")
		test_exit_in_faults(s, true, false);

	igt_describe("The file is closed while programs fault");
	igt_subtest("close-in-faults")
		test_exit_in_faults(s, false, true);

	igt_describe("process_mrelease() takes memory that a GPU maps from a killed process");
	igt_subtest("mrelease")
		test_mrelease(s);

	igt_describe("A process exits with an attribute on every other page of many");
	igt_subtest("attr-storm")
		test_attr_storm(s);
}

static void limits(struct vgem_svm *s)
{
	igt_describe("A process has a limit of intervals with attributes");
	igt_subtest("attr-limit")
		test_attr_limit(s);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	forks(&s);
	ownership(&s);
	deaths(&s);
	limits(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
