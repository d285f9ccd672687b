// SPDX-License-Identifier: MIT
/*
 * Devices go: in order, with live mappings and with data in their memory. Runs
 * last, since it takes devices away, and brings them back at the end.
 */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_bo.h"

/**
 * TEST: vgem svm unbind
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: unbind, unload
 * Description: devices go, and no data with them
 *
 * SUBTEST: unbind-migrated
 * Description: what is in device memory is in system memory afterwards
 *
 * SUBTEST: unbind-running
 * Description: programs run and fault while their device goes
 *
 * SUBTEST: unbind-event
 * Description: who sleeps on a queue's eventfd is told, and once
 *
 * SUBTEST: unbind-one-of-two
 * Description: the other device works on
 *
 * SUBTEST: unbind-forked
 * Description: device memory shared with a child whose parent is gone
 *
 * SUBTEST: unbind-bound
 * Description: buffer objects outlast the device, also on another one
 *
 * SUBTEST: rebind
 * Description: a device that was bound again works
 *
 * SUBTEST: unload-idle
 * Description: the modules unload, leave no device memory behind, and load again
 */

IGT_TEST_DESCRIPTION("Devices go, and no data with them");

#define PAGES 256
#define BYTES (PAGES * VGEM_SVM_PAGE)
#define DRIVER "/sys/bus/platform/drivers/vgem_svm/"

static int write_name(const char *file, unsigned int device)
{
	char path[128], name[32];
	int fd, n, ret;

	snprintf(path, sizeof(path), DRIVER "%s", file);
	n = snprintf(name, sizeof(name), "vgem_svm.%u", device);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	ret = write(fd, name, n) == n ? 0 : -errno;
	close(fd);
	return ret;
}

static bool is_bound(unsigned int device)
{
	char path[128];

	snprintf(path, sizeof(path), DRIVER "vgem_svm.%u", device);
	return !access(path, F_OK);
}

static void unbind(unsigned int device)
{
	igt_assert_eq(write_name("unbind", device), 0);
	igt_assert(!is_bound(device));
}

static void rebind(unsigned int device)
{
	if (!is_bound(device))
		igt_assert_eq(write_name("bind", device), 0);
	igt_assert(is_bound(device));
}

/* A process that is gone takes its files and its part of device memory along. */
static void in_own_process(int (*fn)(void *data), void *data)
{
	vgem_svm_in_child(fn, data, "the test in a process of its own");
	rebind(0);
}

/* The file of a device that is gone is of no use, and of no harm. */
static int body_gone(void *data)
{
	struct drm_vgem_svm_query query = {};
	struct vgem_svm s;
	uint32_t vm;

	(void)data;
	vgem_svm_init(&s, 0, 0);
	unbind(0);
	CHILD_CHECK(__vgem_svm_ioctl(s.fd, DRM_IOCTL_VGEM_SVM_QUERY, &query) ==
		    -ENODEV);
	CHILD_CHECK(__vgem_svm_vm_create(s.fd, 0, &vm) == -ENODEV);
	CHILD_CHECK(__vgem_svm_exec(&s.q, s.q.batch, 12) == -ENODEV);
	return 0;
}

/* Two queues, of which one has died before and has told so. */
static int body_event(void *data)
{
	struct pollfd pfd = { .events = POLLIN };
	struct vgem_svm_queue q;
	struct vgem_svm s;
	uint64_t value;

	(void)data;
	vgem_svm_init(&s, 0, 0);
	vgem_svm_queue_init(&q, s.fd, s.vm, 0, 0);
	vgem_svm_start(&q, store_at, 1, 8, 1);
	pfd.fd = q.event;
	CHILD_CHECK(poll(&pfd, 1, 1000 * vgem_svm_patience(20)) == 1);
	CHILD_CHECK(read(q.event, &value, 8) == 8 && value == 1);
	CHILD_CHECK(read(s.q.event, &value, 8) < 0 && errno == EAGAIN);
	unbind(0);
	CHILD_CHECK(read(s.q.event, &value, 8) == 8 && value == 1);
	CHILD_CHECK(read(q.event, &value, 8) < 0 && errno == EAGAIN);
	return 0;
}

/*
 * An object, bound with a mirror and without, a program on it each, and on another
 * device: that goes on.
 */
static int body_bound(void *data)
{
	uint8_t *p = vgem_svm_map(8 * VGEM_SVM_PAGE);
	struct vgem_svm_bo bo, other;
	struct vgem_svm_bare b, second;
	struct vgem_svm s;
	uint32_t handle;
	int fd;

	(void)data;
	vgem_svm_bare_init(&b, 0);
	s.fd = b.s.fd;
	CHILD_CHECK(!__vgem_svm_vm_create(s.fd, 0, &s.vm));
	vgem_svm_queue_init(&s.q, s.fd, s.vm, 0, 0);
	vgem_svm_bo_init(&bo, s.fd, 4 * VGEM_SVM_PAGE);
	CHILD_CHECK(!drmPrimeHandleToFD(s.fd, bo.handle, DRM_CLOEXEC | DRM_RDWR, &fd));
	vgem_svm_bare_init(&second, 1);
	CHILD_CHECK(!drmPrimeFDToHandle(second.s.fd, fd, &handle));
	close(fd);
	vgem_svm_bo_open(&other, second.s.fd, handle, 4 * VGEM_SVM_PAGE);
	vgem_svm_bind(&b.s, &bo, 0, p, 4 * VGEM_SVM_PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_bind(&s, &bo, 0, p, 4 * VGEM_SVM_PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_bind(&second.s, &other, 0, p, 4 * VGEM_SVM_PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_start(&b.s.q, increment_on, 1, 1, VA(p), 8, VA(p + 64), VA(p + 512));
	vgem_svm_start(&s.q, increment_on, 1, 4, VA(p + 8), VGEM_SVM_PAGE, VA(p + 72),
		       VA(p + 512));
	vgem_svm_wait_change((uint64_t *)(other.cpu + 64), "the program on the object");
	vgem_svm_wait_change((uint64_t *)(bo.cpu + 72), "the program beside memory");
	unbind(0);
	CHILD_CHECK(__vgem_svm_unbind(&s, p, VGEM_SVM_PAGE) == -ENODEV);
	CHILD_CHECK(vgem_svm_peek((uint64_t *)(bo.cpu + 64)));
	vgem_svm_run(&second.s.q, fill, 1, 4, VA(p), VGEM_SVM_PAGE, 66, 1);
	CHILD_CHECK(*(uint64_t *)(bo.cpu + 3 * VGEM_SVM_PAGE) == 69);
	close(s.fd);
	vgem_svm_unmap(bo.cpu, bo.size);
	vgem_svm_run(&second.s.q, increment, 1, 4, VA(p), VGEM_SVM_PAGE, 1, 1);
	CHILD_CHECK(*(uint64_t *)(other.cpu + 3 * VGEM_SVM_PAGE) == 70);
	vgem_svm_bo_fini(&other);
	vgem_svm_bare_fini(&second);
	return 0;
}

/* Data of random content, migrated, changed there, and looked at afterwards. */
static int body_data(void *data)
{
	uint64_t *p = vgem_svm_map(BYTES), *copy = vgem_svm_map(BYTES);
	unsigned int words = BYTES / 8, i;
	struct vgem_svm s;

	(void)data;
	vgem_svm_init(&s, 0, 0);
	vgem_svm_random(copy, BYTES, 22);
	memset(p, 0, BYTES);
	vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s.q, transform, 16, words, VA(copy), VA(p), 16);
	CHILD_CHECK(vgem_svm_pages_at(&s, p, BYTES, DRM_VGEM_SVM_PAGE_LOCAL) ==
		    PAGES);
	unbind(0);
	for (i = 0; i < words; i++)
		CHILD_CHECK(p[i] == copy[i] * 3 + 1);
	return 0;
}

static int body_running(void *data)
{
	uint64_t *control, last, round;
	struct vgem_svm s;
	uint8_t *p;

	(void)data;
	vgem_svm_init(&s, 0, DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	p = vgem_svm_map(64 * VGEM_SVM_PAGE);
	control = vgem_svm_map(2 * VGEM_SVM_PAGE);
	vgem_svm_start(&s.q, write_on, 64, VA(p), VGEM_SVM_PAGE,
		       VA(control + 8), VA(control));
	vgem_svm_wait_change((uint64_t *)p, "what the program writes");
	for (round = 0; round < 20; round++)
		madvise(p, 64 * VGEM_SVM_PAGE, MADV_DONTNEED);
	unbind(0);
	last = vgem_svm_peek((uint64_t *)p);
	usleep(20000);
	CHILD_CHECK(vgem_svm_peek((uint64_t *)p) == last);
	return 0;
}

static int body_two(void *data)
{
	uint64_t *p = vgem_svm_map(BYTES), *out = calloc(1, 8);
	struct vgem_svm s, s2;

	(void)data;
	vgem_svm_init(&s, 0, 0);
	vgem_svm_init(&s2, 1, 0);
	memset(p, 0, BYTES);
	vgem_svm_run(&s2.q, increment, 4, PAGES, VA(p), VGEM_SVM_PAGE, 2, 4);
	vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s.q, increment, 4, PAGES, VA(p), VGEM_SVM_PAGE, 3, 4);
	unbind(0);
	vgem_svm_run(&s2.q, sum, 4, PAGES, VA(p), VGEM_SVM_PAGE, VA(out), 4);
	CHILD_CHECK(*out == 5 * PAGES);
	return 0;
}

/* The grandchild keeps what its parent had in device memory when it exited. */
static int body_forked(void *data)
{
	int *fds = data;
	struct vgem_svm s;
	uint64_t *p = vgem_svm_map(BYTES);
	unsigned int i;
	char c;

	vgem_svm_init(&s, 0, 0);
	memset(p, 0, BYTES);
	vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s.q, fill, 4, PAGES, VA(p), VGEM_SVM_PAGE, 600, 4);
	if (fork())
		return 0;
	/* The test unbinds the device when the parent is gone, then says so. */
	if (read(fds[0], &c, 1) != 1)
		_exit(1);
	for (i = 0; i < PAGES; i++)
		if (p[i * VGEM_SVM_PAGE / 8] != 600 + i)
			_exit(2);
	_exit(write(fds[3], "x", 1) != 1);
}

static void test_forked(void)
{
	int fds[4];
	char c;

	igt_assert(!pipe(fds) && !pipe(fds + 2));
	vgem_svm_in_child(body_forked, fds, "the owner of device memory");
	unbind(0);
	igt_assert(write(fds[1], "x", 1) == 1);
	close(fds[3]);
	igt_assert_f(read(fds[2], &c, 1) == 1,
		     "the grandchild's data are lost\n");
	rebind(0);
}

static int body_works(void *data)
{
	uint64_t *word = calloc(1, 8);
	struct vgem_svm s;

	(void)data;
	vgem_svm_init(&s, 0, DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	vgem_svm_run(&s.q, increment, 1, 1, VA(word), 8, 50, 1);
	CHILD_CHECK(*word == 50);
	vgem_svm_fini(&s);
	return 0;
}

static void test_rebind(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		unbind(0);
		rebind(0);
		vgem_svm_in_child(body_works, NULL, "a device bound again");
	}
}

/* Parameters as they are now, so that the modules come back the same. */
static void read_parameters(char *line, size_t size)
{
	DIR *dir = opendir("/sys/module/vgem_svm/parameters");
	struct dirent *entry;
	char path[512], value[64];
	size_t used = 0;
	FILE *f;

	line[0] = 0;
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path),
			 "/sys/module/vgem_svm/parameters/%s", entry->d_name);
		f = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (f && fscanf(f, "%63s", value) == 1)
			used += snprintf(line + used, size - used, " %s=%s",
					 entry->d_name, value);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
}

static bool device_memory_left(void)
{
	FILE *f = fopen("/proc/iomem", "r");
	char line[256];
	bool found = false;

	while (f && fgets(line, sizeof(line), f))
		found |= !!strstr(line, "vgem_svm");
	if (f)
		fclose(f);
	return found;
}

static void test_unload(void)
{
	char parameters[512], command[640];
	int i;

	read_parameters(parameters, sizeof(parameters));
	for (i = 0; i < 2; i++) {
		vgem_svm_in_child(body_works, NULL, "before the unload");
		igt_assert_eq(system("modprobe -r vgem_svm"), 0);
		igt_assert(access("/sys/module/vgem_svm", F_OK));
		igt_assert_f(!device_memory_left(),
			     "a region of device memory is left\n");
		snprintf(command, sizeof(command), "modprobe vgem_svm%s",
			 parameters);
		igt_assert_eq(system(command), 0);
	}
	vgem_svm_in_child(body_works, NULL, "after the modules came back");
}

int igt_main()
{
	igt_fixture() {
		vgem_svm_require(1);
		igt_require_f(is_bound(0) && !access(DRIVER "unbind", W_OK),
			      "the device cannot be unbound\n");
	}

	igt_describe("What is in device memory is in system memory afterwards");
	igt_subtest("unbind-migrated") {
		in_own_process(body_data, NULL);
		in_own_process(body_gone, NULL);
	}

	igt_describe("Programs run and fault while their device goes");
	igt_subtest("unbind-running")
		in_own_process(body_running, NULL);

	igt_describe("Who sleeps on a queue's eventfd is told, and once");
	igt_subtest("unbind-event")
		in_own_process(body_event, NULL);

	igt_describe("The other device works on");
	igt_subtest("unbind-one-of-two") {
		igt_require_f(is_bound(1), "one device only\n");
		in_own_process(body_two, NULL);
	}

	igt_describe("Buffer objects outlast the device, also on another one");
	igt_subtest("unbind-bound") {
		igt_require_f(is_bound(1), "one device only\n");
		in_own_process(body_bound, NULL);
	}

	igt_describe("Device memory shared with a child whose parent is gone");
	igt_subtest("unbind-forked")
		test_forked();

	igt_describe("A device that was bound again works");
	igt_subtest("rebind")
		test_rebind();

	igt_describe("The modules unload, leave no device memory behind, and load again");
	igt_subtest("unload-idle")
		test_unload();
}
