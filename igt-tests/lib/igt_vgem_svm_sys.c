// SPDX-License-Identifier: MIT
/*
 * What is around a device: files of sysfs and procfs, bind and unbind, groups
 * of tasks, processes that may hang.
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"

#define DRIVER	"/sys/bus/platform/drivers/vgem_svm/"
#define GROUPS	"/sys/fs/cgroup"

double vgem_svm_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* ---- files -------------------------------------------------------------- */

int vgem_svm_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

uint64_t vgem_svm_read_number(const char *path, const char *key)
{
	size_t skip = key ? strlen(key) : 0;
	FILE *f = fopen(path, "r");
	uint64_t value = ~0ULL;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (key && (strncmp(line, key, skip) || !strchr(": \t", line[skip])))
			continue;
		value = strtoull(line + skip + !!key, NULL, 10);
		break;
	}
	if (f)
		fclose(f);
	return value;
}

uint64_t vgem_svm_meminfo(const char *key)
{
	return vgem_svm_read_number("/proc/meminfo", key);
}

/* ---- the driver --------------------------------------------------------- */

int vgem_svm_driver(const char *verb, unsigned int device)
{
	char path[128], name[32];

	snprintf(path, sizeof(path), DRIVER "%s", verb);
	snprintf(name, sizeof(name), "vgem_svm.%u", device);
	return vgem_svm_write_file(path, name);
}

bool vgem_svm_is_bound(unsigned int device)
{
	char path[128];

	snprintf(path, sizeof(path), DRIVER "vgem_svm.%u", device);
	return !access(path, F_OK);
}

void vgem_svm_bring_back(unsigned int device)
{
	if (!vgem_svm_is_bound(device))
		igt_assert_eq(vgem_svm_driver("bind", device), 0);
}

static int unbind_child(void *data)
{
	return vgem_svm_driver("unbind", *(unsigned int *)data) ? 1 : 0;
}

pid_t vgem_svm_fork_unbind(unsigned int device)
{
	return vgem_svm_fork(unbind_child, &device);
}

/* ---- processes ---------------------------------------------------------- */

static void show_stack(pid_t pid)
{
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		igt_info("process %d: %s", pid, line);
	if (f)
		fclose(f);
}

bool vgem_svm_ended(pid_t pid, int seconds, int *status)
{
	double end = vgem_svm_seconds() + vgem_svm_patience(seconds);

	while (waitpid(pid, status, WNOHANG) != pid) {
		if (vgem_svm_seconds() > end) {
			show_stack(pid);
			return false;
		}
		usleep(1000);
	}
	return true;
}

void vgem_svm_end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	igt_assert_f(vgem_svm_ended(pid, 20, &status),
		     "process %d cannot be killed\n", pid);
}

void *vgem_svm_map_shared(size_t length)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	igt_assert(p != MAP_FAILED);
	return p;
}

bool vgem_svm_reaches(const uint64_t *word, uint64_t value, int seconds)
{
	double end = vgem_svm_seconds() + vgem_svm_patience(seconds);

	while (vgem_svm_peek(word) < value) {
		if (vgem_svm_seconds() > end)
			return false;
		usleep(500);
	}
	return true;
}

/* ---- groups of tasks ---------------------------------------------------- */

static void group_path(char *path, size_t size, const char *name,
		       const char *file)
{
	snprintf(path, size, GROUPS "/vgem_svm-%s/%s", name, file);
}

void vgem_svm_group_make(const char *name, const char *controller)
{
	char path[128], text[32];

	snprintf(text, sizeof(text), "+%s", controller);
	igt_require_f(!vgem_svm_write_file(GROUPS "/cgroup.subtree_control",
					   text),
		      "no control groups with %s\n", controller);
	group_path(path, sizeof(path), name, "");
	rmdir(path);
	igt_assert_f(!mkdir(path, 0755), "%s: %s\n", path, strerror(errno));
}

int vgem_svm_group_write(const char *name, const char *file, const char *text)
{
	char path[128];

	group_path(path, sizeof(path), name, file);
	return vgem_svm_write_file(path, text);
}

uint64_t vgem_svm_group_read(const char *name, const char *file,
			     const char *key)
{
	char path[128];

	group_path(path, sizeof(path), name, file);
	return vgem_svm_read_number(path, key);
}

void vgem_svm_group_enter(const char *name)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	igt_assert_eq(vgem_svm_group_write(name, "cgroup.procs", pid), 0);
}

int vgem_svm_group_open(const char *name, const char *file)
{
	char path[128];
	int fd;

	group_path(path, sizeof(path), name, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	igt_assert_f(fd >= 0, "%s: %s\n", path, strerror(errno));
	return fd;
}

/* The last of its tasks may take a moment to go. */
void vgem_svm_group_remove(const char *name)
{
	double end = vgem_svm_seconds() + vgem_svm_patience(10);
	char path[128];

	group_path(path, sizeof(path), name, "");
	while (rmdir(path) && vgem_svm_seconds() < end)
		usleep(10000);
	igt_assert_f(access(path, F_OK), "%s cannot be removed\n", path);
}
