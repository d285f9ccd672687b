// SPDX-License-Identifier: MIT
/*
 * What one user may have on a device, and who pays for it.
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm quota
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: limits
 * Description: one user's share of a device
 *
 * SUBTEST: vms
 * Description: address spaces of a user run out, and come back
 *
 * SUBTEST: queues
 * Description: queues of a user run out, and come back
 *
 * SUBTEST: jobs
 * Description: EXECs of a user run out over all queues, and come back
 *
 * SUBTEST: other-user
 * Description: a user who has all that he may leaves the device to another
 *
 * SUBTEST: privileged
 * Description: who may use all of a device can
 *
 * SUBTEST: charged
 * Description: memory of queues is that of the cgroup of who made them
 */

IGT_TEST_DESCRIPTION("One user's share of a device");

#define USER	61234
#define OTHER	61235

struct user {
	int fd;
	uid_t uid;
	int ready[2];
	int hold[2];
};

static unsigned int limit(int fd, uint32_t param)
{
	return vgem_svm_query(fd, param);
}

/* Return: how many could be made until @error came. */
static unsigned int fill_vms(int fd, uint32_t *vms, unsigned int max, int error)
{
	unsigned int n;
	int ret = 0;

	for (n = 0; n < max; n++) {
		ret = __vgem_svm_vm_create(fd, 0, &vms[n]);
		if (ret)
			break;
	}
	return ret == error ? n : ~0U;
}

static unsigned int fill_queues(int fd, uint32_t vm, uint32_t *queues,
				unsigned int max, int error)
{
	struct drm_vgem_svm_queue_create args = { .vm_id = vm, .eventfd = -1 };
	unsigned int n;
	int ret = 0;

	for (n = 0; n < max; n++) {
		ret = __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
				       &args);
		if (ret)
			break;
		queues[n] = args.queue_id;
	}
	return ret == error ? n : ~0U;
}

#define MANY 256

static int body_vms(void *data)
{
	struct user *u = data;
	unsigned int most = limit(u->fd, DRM_VGEM_SVM_PARAM_USER_VMS);
	static uint32_t vms[MANY];
	unsigned int round, i;

	CHILD_CHECK(!setuid(u->uid));
	for (round = 0; round < 2; round++) {
		CHILD_CHECK(fill_vms(u->fd, vms, MANY, -EDQUOT) == most);
		for (i = 0; i < most; i++)
			CHILD_CHECK(!__vgem_svm_vm_destroy(u->fd, vms[i]));
	}
	return 0;
}

static int body_queues(void *data)
{
	struct user *u = data;
	unsigned int most = limit(u->fd, DRM_VGEM_SVM_PARAM_USER_QUEUES);
	static uint32_t queues[MANY];
	unsigned int round, i;
	uint32_t vm[2];

	CHILD_CHECK(!setuid(u->uid));
	for (round = 0; round < 2; round++) {
		CHILD_CHECK(!__vgem_svm_vm_create(u->fd, 0, &vm[0]));
		CHILD_CHECK(!__vgem_svm_vm_create(u->fd, 0, &vm[1]));
		CHILD_CHECK(fill_queues(u->fd, vm[0], queues, MANY, -EDQUOT) ==
			    most);
		/* By user, not by address space. */
		CHILD_CHECK(fill_queues(u->fd, vm[1], queues + most, 1,
					-EDQUOT) == 0);
		for (i = 0; i < most / 2; i++)
			CHILD_CHECK(!__vgem_svm_queue_destroy(u->fd,
							      queues[i]));
		CHILD_CHECK(fill_queues(u->fd, vm[1], queues, MANY, -EDQUOT) ==
			    most / 2);
		/* And the rest with what they belong to. */
		CHILD_CHECK(!__vgem_svm_vm_destroy(u->fd, vm[0]));
		CHILD_CHECK(!__vgem_svm_vm_destroy(u->fd, vm[1]));
	}
	return 0;
}

/* EXECs of programs that run until they are told to stop. */
static int body_jobs(void *data)
{
	struct user *u = data;
	unsigned int most = limit(u->fd, DRM_VGEM_SVM_PARAM_USER_JOBS);
	unsigned int each = limit(u->fd, DRM_VGEM_SVM_PARAM_QUEUE_JOBS);
	unsigned int queues = most / each + 1, given = 0, i, n;
	uint64_t *control = vgem_svm_map(2 * VGEM_SVM_PAGE);
	struct vgem_svm_queue *q = calloc(queues, sizeof(*q));
	uint32_t vm;
	int ret = 0;

	if (queues > limit(u->fd, DRM_VGEM_SVM_PARAM_USER_QUEUES))
		return 77;
	CHILD_CHECK(!setuid(u->uid));
	CHILD_CHECK(!__vgem_svm_vm_create(u->fd, 0, &vm));
	control[100] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 1);
	for (i = 0; i < queues; i++) {
		vgem_svm_queue_init(&q[i], u->fd, vm, 0, 0);
		/* The limit may be that of full queues. */
		if (given == most) {
			ret = __vgem_svm_exec(&q[i], control + 100, 1);
			break;
		}
		vgem_svm_start(&q[i], write_on, 1, VA(control + 8), 8,
			       VA(control + 64), VA(control));
		given++;
		for (n = 1; n < each && !ret; n++) {
			ret = __vgem_svm_exec(&q[i], control + 100, 1);
			given += !ret;
		}
		if (ret)
			break;
	}
	CHILD_CHECK(ret == -EDQUOT);
	CHILD_CHECK(given == most);
	vgem_svm_poke(control, 1);
	for (i = 0; i < queues; i++)
		CHILD_CHECK(!q[i].given || !__vgem_svm_wait(&q[i], 60));
	/* They come back as the EXECs end. */
	CHILD_CHECK(!__vgem_svm_exec(&q[0], control + 100, 1));
	CHILD_CHECK(!__vgem_svm_wait(&q[0], 20));
	return 0;
}

static int body_hogs(void *data)
{
	static uint32_t vms[MANY], queues[MANY];
	struct user *u = data;
	char c;

	close(u->hold[1]);
	CHILD_CHECK(!setuid(u->uid));
	CHILD_CHECK(fill_vms(u->fd, vms, MANY, -EDQUOT) != ~0U);
	CHILD_CHECK(fill_queues(u->fd, vms[0], queues, MANY, -EDQUOT) != ~0U);
	CHILD_CHECK(write(u->ready[1], "x", 1) == 1);
	return read(u->hold[0], &c, 1) == 0 ? 0 : 1;
}

static int body_works(void *data)
{
	struct user *u = data;
	uint64_t *word = calloc(1, 8);
	struct vgem_svm_queue q;
	uint32_t vm;

	CHILD_CHECK(!setuid(u->uid));
	CHILD_CHECK(!__vgem_svm_vm_create(u->fd, 0, &vm));
	vgem_svm_queue_init(&q, u->fd, vm, 0, 0);
	vgem_svm_start(&q, store_at, 1, VA(word), 6);
	CHILD_CHECK(!__vgem_svm_wait(&q, 20) && *word == 6);
	return 0;
}

static void test_other_user(int fd)
{
	struct user u = { .fd = fd, .uid = USER };
	struct user other = { .fd = fd, .uid = OTHER };
	pid_t pid;
	char c;

	igt_assert(!pipe(u.ready) && !pipe(u.hold));
	pid = vgem_svm_fork(body_hogs, &u);
	close(u.ready[1]);
	close(u.hold[0]);
	igt_assert(read(u.ready[0], &c, 1) == 1);
	vgem_svm_in_child(body_works, &other, "another user");
	close(u.hold[1]);
	close(u.ready[0]);
	igt_assert_eq(vgem_svm_reap(pid, 30), 0);
}

static void test_privileged(int fd)
{
	unsigned int most = limit(fd, DRM_VGEM_SVM_PARAM_USER_VMS), n, i;
	static uint32_t vms[MANY];

	igt_require_f(most < limit(fd, DRM_VGEM_SVM_PARAM_MAX_VMS),
		      "a user's limit is the device's\n");
	n = fill_vms(fd, vms, MANY, -ENOSPC);
	igt_assert(n != ~0U && n > most);
	for (i = 0; i < n; i++)
		igt_assert_eq(__vgem_svm_vm_destroy(fd, vms[i]), 0);
}

/* ---- cgroups ------------------------------------------------------------ */

#define MOUNT	"/run/vgem_svm_quota"
#define GROUP	MOUNT "/queues"

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	igt_assert_f(fd >= 0 && write(fd, text, strlen(text)) > 0,
		     "cannot write %s\n", path);
	close(fd);
}

static bool has_memory(void)
{
	char line[256] = "";
	FILE *f = fopen(MOUNT "/cgroup.controllers", "r");

	if (f && !fgets(line, sizeof(line), f))
		line[0] = 0;
	if (f)
		fclose(f);
	return strstr(line, "memory");
}

static unsigned long group_bytes(void)
{
	unsigned long bytes = 0;
	FILE *f = fopen(GROUP "/memory.current", "r");

	igt_assert(f && fscanf(f, "%lu", &bytes) == 1);
	fclose(f);
	return bytes;
}

static int body_charged(void *data)
{
	static uint32_t queues[MANY];
	unsigned long before, after;
	struct user *u = data;
	unsigned int n = 32;
	char pid[16];
	uint32_t vm;

	snprintf(pid, sizeof(pid), "%d", getpid());
	write_file(GROUP "/cgroup.procs", pid);
	CHILD_CHECK(!__vgem_svm_vm_create(u->fd, 0, &vm));
	before = group_bytes();
	CHILD_CHECK(fill_queues(u->fd, vm, queues, n, 0) == n);
	after = group_bytes();
	/* A ring is two pages; counters of a group may lag by some of them. */
	igt_info("%u queues: %lu bytes\n", n, after - before);
	CHILD_CHECK(after >= before + n * VGEM_SVM_PAGE);
	CHILD_CHECK(!__vgem_svm_vm_destroy(u->fd, vm));
	return 0;
}

static void test_charged(int fd)
{
	struct user u = { .fd = fd };
	bool has;

	mkdir(MOUNT, 0700);
	igt_require_f(!mount("none", MOUNT, "cgroup2", 0, NULL),
		      "no cgroup2\n");
	has = !access(MOUNT "/cgroup.controllers", F_OK) && has_memory();
	if (!has)
		umount(MOUNT);
	igt_require_f(has, "no memory controller\n");
	write_file(MOUNT "/cgroup.subtree_control", "+memory");
	igt_assert(!mkdir(GROUP, 0700) || errno == EEXIST);
	vgem_svm_in_child(body_charged, &u, "who pays for queues");
	rmdir(GROUP);
	umount(MOUNT);
}

static void limits(int fd)
{
	struct user u = { .fd = fd, .uid = USER };

	igt_describe("Address spaces of a user run out, and come back");
	igt_subtest("vms")
		vgem_svm_in_child(body_vms, &u, "a user's address spaces");

	igt_describe("Queues of a user run out, and come back");
	igt_subtest("queues")
		vgem_svm_in_child(body_queues, &u, "a user's queues");

	igt_describe("EXECs of a user run out over all queues, and come back");
	igt_subtest("jobs")
		vgem_svm_in_child(body_jobs, &u, "a user's EXECs");

	igt_describe("A user who has all that he may leaves the device to another");
	igt_subtest("other-user")
		test_other_user(fd);
}

int igt_main()
{
	int fd = -1;

	igt_fixture() {
		vgem_svm_require(1);
		igt_require_f(!geteuid(), "only root can be several users\n");
		fd = vgem_svm_open(0);
	}

	limits(fd);

	igt_describe("Who may use all of a device can");
	igt_subtest("privileged")
		test_privileged(fd);

	igt_describe("Memory of queues is that of the cgroup of who made them");
	igt_subtest("charged")
		test_charged(fd);

	igt_fixture()
		close(fd);
}
