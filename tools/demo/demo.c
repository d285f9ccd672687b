// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The demo: programs for the GPU run on plain malloc'ed memory of this process,
 * by nothing but the kernel's ioctls; each result is computed again here.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <drm/vgem_svm_drm.h>

#include "programs.h"

#define THREADS		64
#define STACK		4096UL
#define ADD_N		(1UL << 20)
#define HIST_N		(1UL << 20)
#define LIST_N		20000UL
#define TIMEOUT_S	300

struct gpu {
	int fd;
	uint32_t vm;
	uint32_t queue;
	uint8_t *image;
	uint8_t *stacks;
	uint64_t before[DRM_VGEM_SVM_CTR_NR];
	double start;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	printf("demo: FAIL %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *alloc(size_t bytes)
{
	void *p = malloc(bytes);

	if (!p)
		fail("malloc");
	return p;
}

static void xioctl(struct gpu *gpu, unsigned long request, void *arg,
		   const char *what)
{
	if (ioctl(gpu->fd, request, arg))
		fail(what);
}

static bool is_vgem_svm(int fd)
{
	char name[16] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };

	return !ioctl(fd, DRM_IOCTL_VERSION, &version) &&
	       !strcmp(name, "vgem_svm");
}

static int open_device(void)
{
	char path[32];
	int i, fd;

	for (i = 128; i < 192; i++) {
		snprintf(path, sizeof(path), "/dev/dri/renderD%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && is_vgem_svm(fd)) {
			printf("device %s\n", path);
			return fd;
		}
		if (fd >= 0)
			close(fd);
	}
	errno = ENODEV;
	fail("no vgem_svm device: is the module loaded?");
	return -1;
}

static void setup(struct gpu *gpu)
{
	static const char * const update[4] = {
		[DRM_VGEM_SVM_PT_CPU] = "the CPU",
		[DRM_VGEM_SVM_PT_CMDBUF] = "commands",
		[DRM_VGEM_SVM_PT_MIXED] = "the CPU and commands",
		[DRM_VGEM_SVM_PT_DEVICE] = "commands, in device memory",
	};
	struct drm_vgem_svm_vm_create vm = {};
	struct drm_vgem_svm_queue_create queue = { .eventfd = -1 };
	uint64_t params[DRM_VGEM_SVM_PARAM_NR] = {};
	struct drm_vgem_svm_query query = {
		.query = DRM_VGEM_SVM_QUERY_PARAMS,
		.size = sizeof(params),
		.data = (uintptr_t)params,
	};

	gpu->fd = open_device();
	xioctl(gpu, DRM_IOCTL_VGEM_SVM_QUERY, &query, "QUERY");
	xioctl(gpu, DRM_IOCTL_VGEM_SVM_VM_CREATE, &vm, "VM_CREATE");
	gpu->vm = vm.vm_id;
	queue.vm_id = vm.vm_id;
	xioctl(gpu, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE, &queue, "QUEUE_CREATE");
	gpu->queue = queue.queue_id;
	printf("page tables are written by %s\n",
	       update[params[DRM_VGEM_SVM_PARAM_PT_UPDATE] % 4]);
	/* The programs run where they lie, which may be anywhere. */
	if (posix_memalign((void **)&gpu->image, 4096, sizeof(programs_image)))
		fail("posix_memalign");
	memcpy(gpu->image, programs_image, sizeof(programs_image));
	gpu->stacks = alloc(THREADS * STACK + 16);
	gpu->stacks += -(uintptr_t)gpu->stacks & 15;
}

static void counters(struct gpu *gpu, uint64_t *values)
{
	struct drm_vgem_svm_counters args = {
		.vm_id = gpu->vm,
		.nr = DRM_VGEM_SVM_CTR_NR,
		.values = (uintptr_t)values,
	};

	xioctl(gpu, DRM_IOCTL_VGEM_SVM_COUNTERS, &args, "COUNTERS");
}

static void explain(struct gpu *gpu)
{
	struct drm_vgem_svm_queue_query q = { .queue_id = gpu->queue };

	xioctl(gpu, DRM_IOCTL_VGEM_SVM_QUEUE_QUERY, &q, "QUEUE_QUERY");
	printf("queue status %u address %#llx pc %#llx (image at %p) thread %u insn %#x\n",
	       q.status, (unsigned long long)q.addr, (unsigned long long)q.pc,
	       gpu->image, q.thread, q.insn);
}

/* Runs a program and waits for the value that the engine writes at its end. */
static void run(struct gpu *gpu, uint64_t entry, uint64_t threads,
		const uint64_t *args, int nr_args)
{
	uint64_t batch[DRM_VGEM_SVM_LAUNCH_WORDS] = {
		DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_LAUNCH,
				 DRM_VGEM_SVM_LAUNCH_WORDS),
		(uintptr_t)gpu->image + entry, threads,
		(uintptr_t)gpu->stacks, STACK,
	};
	volatile uint64_t fence = 0;
	struct drm_vgem_svm_exec exec = {
		.queue_id = gpu->queue,
		.batch_addr = (uintptr_t)batch,
		.batch_bytes = sizeof(batch),
		.fence_addr = (uintptr_t)&fence,
		.fence_value = 1,
	};
	double end = now() + TIMEOUT_S;

	memcpy(&batch[5], args, nr_args * sizeof(*args));
	xioctl(gpu, DRM_IOCTL_VGEM_SVM_EXEC, &exec, "EXEC");
	while (!fence) {
		usleep(1000);
		if (now() > end) {
			explain(gpu);
			errno = ETIME;
			fail("the program did not end");
		}
	}
}

static void begin(struct gpu *gpu)
{
	counters(gpu, gpu->before);
	gpu->start = now();
}

static void report(struct gpu *gpu, const char *name, bool ok)
{
	uint64_t v[DRM_VGEM_SVM_CTR_NR];
	double seconds = now() - gpu->start;
	int i;

	counters(gpu, v);
	for (i = 0; i < DRM_VGEM_SVM_CTR_NR; i++)
		v[i] -= gpu->before[i];
	printf("%-22s %7llu %8llu %8llu %8llu %8llu %9llu %8.2f  %s\n", name,
	       (unsigned long long)v[DRM_VGEM_SVM_CTR_FAULTS],
	       (unsigned long long)v[DRM_VGEM_SVM_CTR_FAULT_GROUPS],
	       (unsigned long long)v[DRM_VGEM_SVM_CTR_MAP_SYSTEM],
	       (unsigned long long)v[DRM_VGEM_SVM_CTR_TO_DEVICE],
	       (unsigned long long)v[DRM_VGEM_SVM_CTR_TO_SYSTEM],
	       (unsigned long long)v[DRM_VGEM_SVM_CTR_PT_COMMANDS], seconds,
	       ok ? "right" : "WRONG");
	if (!ok) {
		printf("demo: FAIL %s: the GPU's result differs from the CPU's\n",
		       name);
		exit(1);
	}
}

static void prefer(struct gpu *gpu, void *p, size_t bytes, uint64_t location)
{
	uintptr_t first = (uintptr_t)p & ~4095UL;
	uintptr_t end = ((uintptr_t)p + bytes + 4095) & ~4095UL;
	struct drm_vgem_svm_attr args = {
		.vm_id = gpu->vm,
		.attr = DRM_VGEM_SVM_ATTR_PREFERRED_LOC,
		.addr = first,
		.length = end - first,
		.value = location,
	};

	xioctl(gpu, DRM_IOCTL_VGEM_SVM_ATTR_SET, &args, "ATTR_SET");
}

static void vector_add(struct gpu *gpu, const char *name, uint64_t location)
{
	int32_t *a = alloc(ADD_N * 4), *b = alloc(ADD_N * 4);
	int32_t *c = alloc(ADD_N * 4);
	uint64_t args[] = { (uintptr_t)c, (uintptr_t)a, (uintptr_t)b, ADD_N,
			    THREADS };
	bool ok = true;
	size_t i;

	for (i = 0; i < ADD_N; i++) {
		a[i] = i * 7;
		b[i] = i * i;
	}
	memset(c, 0xff, ADD_N * 4);
	prefer(gpu, a, ADD_N * 4, location);
	prefer(gpu, b, ADD_N * 4, location);
	prefer(gpu, c, ADD_N * 4, location);
	begin(gpu);
	run(gpu, PROGRAMS_add, THREADS, args, 5);
	for (i = 0; i < ADD_N; i++)
		ok &= c[i] == (int32_t)(i * 7 + i * i);
	report(gpu, name, ok);
	/* Attributes belong to addresses, and malloc will use these again. */
	prefer(gpu, a, ADD_N * 4, DRM_VGEM_SVM_LOC_DEFAULT);
	prefer(gpu, b, ADD_N * 4, DRM_VGEM_SVM_LOC_DEFAULT);
	prefer(gpu, c, ADD_N * 4, DRM_VGEM_SVM_LOC_DEFAULT);
	free(a);
	free(b);
	free(c);
}

static void histogram(struct gpu *gpu)
{
	uint64_t *bins = calloc(256, 8), want[256] = {};
	uint8_t *bytes = alloc(HIST_N);
	uint64_t args[] = { (uintptr_t)bins, (uintptr_t)bytes, HIST_N, THREADS };
	uint32_t seed = 12345;
	size_t i;

	for (i = 0; i < HIST_N; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = seed >> 24;
		want[bytes[i]]++;
	}
	begin(gpu);
	run(gpu, PROGRAMS_histogram, THREADS, args, 4);
	report(gpu, "histogram, 1 MiB", !memcmp(bins, want, sizeof(want)));
	free(bins);
	free(bytes);
}

struct node {
	struct node *next;
	uint64_t value;
};

static void list_walk(struct gpu *gpu)
{
	struct node *head = NULL, *node;
	uint64_t sum = 0, want = 0, args[2];
	size_t i;

	for (i = 0; i < LIST_N; i++) {
		/* Sizes differ, so that nodes are scattered. */
		node = alloc(sizeof(*node) + (i * 37) % 2000);
		node->next = head;
		node->value = i * i;
		want += node->value;
		head = node;
	}
	args[0] = (uintptr_t)head;
	args[1] = (uintptr_t)&sum;
	begin(gpu);
	run(gpu, PROGRAMS_walk, 1, args, 2);
	report(gpu, "list, 20000 nodes", sum == want);
	while (head) {
		node = head->next;
		free(head);
		head = node;
	}
}

int main(void)
{
	struct gpu gpu;

	setvbuf(stdout, NULL, _IOLBF, 0);
	setup(&gpu);
	printf("%-22s %7s %8s %8s %8s %8s %9s %8s\n", "program", "faults",
	       "batches", "mapped", "to GPU", "to RAM", "commands", "seconds");
	vector_add(&gpu, "add, 1 Mi, stay", DRM_VGEM_SVM_LOC_SYSTEM);
	vector_add(&gpu, "add, 1 Mi, migrate", DRM_VGEM_SVM_LOC_DEVICE);
	histogram(&gpu);
	list_walk(&gpu);
	printf("demo: PASS\n");
	return 0;
}
