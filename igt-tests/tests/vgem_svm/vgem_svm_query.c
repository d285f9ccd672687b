// SPDX-License-Identifier: MIT
/*
 * What the device tells of itself, and whether that is so.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm query
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: ioctls
 * Description: parameters, engines and limits
 *
 * SUBTEST: args
 * Description: bad arguments of QUERY
 *
 * SUBTEST: sizes
 * Description: QUERY with more and with less room, and with none
 *
 * SUBTEST: engines
 * Description: each engine that is listed takes a queue, and no other does
 *
 * SUBTEST: limits
 * Description: the limits that QUERY tells are those that hold
 *
 * SUBTEST: fdinfo
 * Description: fdinfo of a client tells of that client alone
 */

IGT_TEST_DESCRIPTION("What the device tells of itself");

static void test_args(struct vgem_svm *s)
{
	unsigned long request = DRM_IOCTL_VGEM_SVM_QUERY;
	struct drm_vgem_svm_query args = {};

	REFUSED(s->fd, request, args, query, 2, -EINVAL);
	REFUSED(s->fd, request, args, query, ~0U, -EINVAL);
	REFUSED(s->fd, request, args, flags, 1, -EINVAL);
	REFUSED(s->fd, request, args, pad, 1, -EINVAL);
	args.size = 8;
	REFUSED(s->fd, request, args, data, 8, -EFAULT);
}

static void test_sizes(struct vgem_svm *s)
{
	uint64_t values[DRM_VGEM_SVM_PARAM_NR + 64];
	uint32_t all = 0, size;

	igt_assert_eq(__vgem_svm_query(s->fd, DRM_VGEM_SVM_QUERY_PARAMS, NULL,
				       &all), 0);
	igt_assert(all >= DRM_VGEM_SVM_PARAM_NR * 8);
	igt_assert(all % 8 == 0 && all <= sizeof(values) - 8);

	memset(values, 0xee, sizeof(values));
	size = 24;
	igt_assert_eq(__vgem_svm_query(s->fd, DRM_VGEM_SVM_QUERY_PARAMS, values,
				       &size), 0);
	igt_assert_eq(size, 24);
	igt_assert_eq_u64(values[DRM_VGEM_SVM_PARAM_VA_BITS], 57);
	igt_assert_eq_u64(values[3], 0xeeeeeeeeeeeeeeeeULL);

	size = sizeof(values);
	igt_assert_eq(__vgem_svm_query(s->fd, DRM_VGEM_SVM_QUERY_PARAMS, values,
				       &size), 0);
	igt_assert_eq(size, all);
	igt_assert(values[all / 8 - 1] != 0xeeeeeeeeeeeeeeeeULL);
	igt_assert_eq_u64(values[all / 8], 0xeeeeeeeeeeeeeeeeULL);
}

static int queue_on(struct vgem_svm *s, unsigned int engine_class,
		    unsigned int instance)
{
	struct drm_vgem_svm_queue_create args = {
		.vm_id = s->vm,
		.engine_class = engine_class,
		.engine_instance = instance,
		.eventfd = -1,
	};
	int ret = __vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
				   &args);

	if (!ret)
		igt_assert_eq(__vgem_svm_queue_destroy(s->fd, args.queue_id),
			      0);
	return ret;
}

static void test_engines(struct vgem_svm *s)
{
	struct drm_vgem_svm_query_engines *list;
	uint32_t size = 0, i;

	igt_assert_eq(__vgem_svm_query(s->fd, DRM_VGEM_SVM_QUERY_ENGINES, NULL,
				       &size), 0);
	list = malloc(size);
	igt_assert_eq(__vgem_svm_query(s->fd, DRM_VGEM_SVM_QUERY_ENGINES, list,
				       &size), 0);
	igt_assert_eq_u64(list->nr, vgem_svm_query(s->fd,
						   DRM_VGEM_SVM_PARAM_NR_ENGINES));
	igt_assert(list->stride >= sizeof(struct drm_vgem_svm_engine));
	igt_assert_eq(size, sizeof(*list) + list->nr * list->stride);
	for (i = 0; i < list->nr; i++) {
		struct drm_vgem_svm_engine *engine =
			(void *)((char *)(list + 1) + i * list->stride);

		igt_assert_eq(queue_on(s, engine->engine_class,
				       engine->engine_instance), 0);
	}
	igt_assert_eq(queue_on(s, DRM_VGEM_SVM_ENGINE_COMPUTE, list->nr),
		      -EINVAL);
	igt_assert_eq(queue_on(s, 1, 0), -EINVAL);
	free(list);
}

/* A launch that the device refuses ends its queue. */
static uint32_t launch(struct vgem_svm *s, uint64_t threads, uint64_t stack)
{
	uint64_t *batch = vgem_svm_map(VGEM_SVM_PAGE);
	struct vgem_svm_queue q;
	int status;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	batch[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_LAUNCH,
				    DRM_VGEM_SVM_LAUNCH_WORDS);
	batch[1] = vgem_svm_program(VGEM_SVM_PROGRAMS_store_at);
	batch[2] = threads;
	batch[3] = VA(q.stack);
	batch[4] = stack;
	batch[5] = VA(batch + 64);
	igt_assert_eq(__vgem_svm_exec(&q, batch, DRM_VGEM_SVM_LAUNCH_WORDS), 0);
	status = __vgem_svm_wait(&q, 20);
	vgem_svm_queue_fini(&q);
	vgem_svm_unmap(batch, VGEM_SVM_PAGE);
	return status;
}

static void test_limits(struct vgem_svm *s)
{
	uint64_t bytes = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_BATCH_BYTES);
	uint64_t syncs = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_MAX_SYNCS);
	uint64_t insns = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_MAX_INSNS);
	uint64_t most = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_MAX_THREADS);
	uint64_t align = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_STACK_ALIGN);
	struct drm_vgem_svm_exec exec = {
		.queue_id = s->q.id, .batch_addr = VA(s->q.batch),
		.in_sync_stride = sizeof(struct drm_vgem_svm_sync),
		.batch_bytes = 8, .in_syncs = 8,
	};
	struct drm_vgem_svm_queue_create queue = {
		.vm_id = s->vm, .eventfd = -1,
	};

	/* The first that is too much; -EFAULT comes after the limit is looked at. */
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_EXEC, exec, nr_in_syncs, syncs,
		-EFAULT);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_EXEC, exec, nr_in_syncs, syncs + 1,
		-EINVAL);
	exec.nr_in_syncs = 1;
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_EXEC, exec, batch_bytes, bytes,
		-EFAULT);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_EXEC, exec, batch_bytes, bytes + 8,
		-EINVAL);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE, queue, budget, insns, 0);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE, queue, budget,
		insns + 1, -EINVAL);
	igt_assert_eq(launch(s, 1, align), DRM_VGEM_SVM_QUEUE_OK);
	igt_assert_eq(launch(s, 1, align / 2), DRM_VGEM_SVM_QUEUE_PACKET);
	igt_assert_eq(launch(s, most + 1, align), DRM_VGEM_SVM_QUEUE_PACKET);
}

/* Return: how many lines of a descriptor's fdinfo begin with @key. */
static unsigned int fdinfo_lines(int fd, const char *key, unsigned long *value)
{
	char path[64], line[256];
	unsigned int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	igt_assert(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		n++;
		if (value)
			sscanf(line + strlen(key), "%lu", value);
	}
	fclose(f);
	return n;
}

static void test_fdinfo(struct vgem_svm *s)
{
	size_t bytes = 16 * VGEM_SVM_PAGE;
	unsigned long mine = 0, other = 0;
	uint8_t *p = vgem_svm_map(bytes);
	int fd = vgem_svm_open(0);

	igt_require_f(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_BYTES),
		      "no device memory\n");
	memset(p, 1, bytes);
	vgem_svm_move(s, p, bytes, DRM_VGEM_SVM_LOC_DEVICE);
	igt_assert_eq(fdinfo_lines(s->fd, "drm-driver:\tvgem_svm", NULL), 1);
	igt_assert_eq(fdinfo_lines(s->fd, "drm-client-id:", &mine), 1);
	igt_assert_eq(fdinfo_lines(fd, "drm-client-id:", &other), 1);
	igt_assert(mine != other);
	/* The other client has nothing, and nothing of ours. */
	igt_assert_eq(fdinfo_lines(fd, "vgem_svm-", NULL), 0);
	if (fdinfo_lines(fd, "drm-total-vram:", &other))
		igt_assert_eq_u64(other, 0);
	close(fd);
	vgem_svm_unmap(p, bytes);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	igt_describe("QUERY refuses bad arguments");
	igt_subtest("args")
		test_args(&s);

	igt_describe("QUERY with more and with less room, and with none");
	igt_subtest("sizes")
		test_sizes(&s);

	igt_describe("Each engine that is listed takes a queue, and no other does");
	igt_subtest("engines")
		test_engines(&s);

	igt_describe("The limits that QUERY tells are those that hold");
	igt_subtest("limits")
		test_limits(&s);

	igt_describe("fdinfo of a client tells of that client alone");
	igt_subtest("fdinfo")
		test_fdinfo(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
