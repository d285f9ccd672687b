// SPDX-License-Identifier: MIT
/*
 * The ioctls as the header documents them: what is refused with which error and
 * changes nothing, and what synchronisation and attributes promise.
 */

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm uapi
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: ioctls
 * Description: arguments, errors, synchronisation and attributes
 *
 * SUBTEST: vm-args
 * Description: bad arguments of VM_CREATE and VM_DESTROY
 *
 * SUBTEST: queue-args
 * Description: bad arguments of QUEUE_CREATE, _DESTROY and _QUERY
 *
 * SUBTEST: exec-args
 * Description: bad arguments of EXEC
 *
 * SUBTEST: migrate-args
 * Description: bad arguments of MIGRATE
 *
 * SUBTEST: migrate-populate
 * Description: memory that was never touched is made where it is asked for
 *
 * SUBTEST: attr-args
 * Description: bad arguments of ATTR_SET and ATTR_GET
 *
 * SUBTEST: residency-args
 * Description: bad arguments of RESIDENCY
 *
 * SUBTEST: counters-args
 * Description: COUNTERS with more and with less room, and with none
 *
 * SUBTEST: faults-args
 * Description: bad arguments of FAULTS
 *
 * SUBTEST: outputs-ignored
 * Description: what output fields hold on input does not matter
 *
 * SUBTEST: poll-query
 * Description: a queue is polled with one struct, alive and dead
 *
 * SUBTEST: strides
 * Description: elements of arrays that a later header has made longer
 *
 * SUBTEST: fault-strides
 * Description: the same for faults
 *
 * SUBTEST: limits
 * Description: address spaces and queues run out with an error and come back
 *
 * SUBTEST: two-files
 * Description: handles belong to a file, address spaces of two files are apart
 *
 * SUBTEST: destroy-busy
 * Description: an address space goes with its queues while they run
 *
 * SUBTEST: eventfd
 * Description: one event per batch that asks for it
 *
 * SUBTEST: queue-full
 * Description: a queue that is full says so and works on
 *
 * SUBTEST: in-syncobj
 * Description: EXEC waits for a binary syncobj
 *
 * SUBTEST: in-held
 * Description: EXEC waits for all its fences, later ones wait behind it
 *
 * SUBTEST: in-timeline
 * Description: EXEC waits for points of a timeline, in order
 *
 * SUBTEST: in-sync-destroy
 * Description: a queue that waits for a syncobj can be destroyed
 *
 * SUBTEST: attr-set-get
 * Description: attributes of overlapping intervals
 *
 * SUBTEST: attr-survives-munmap
 * Description: an attribute belongs to the address, not to what is mapped there
 *
 * SUBTEST: counters
 * Description: counters count, and never back
 */

IGT_TEST_DESCRIPTION("The ioctls as the header documents them");

static void check_works(struct vgem_svm *s)
{
	uint64_t *word = calloc(1, 8);

	vgem_svm_run(&s->q, store_at, 1, VA(word), 6);
	igt_assert_eq_u64(*word, 6);
	free(word);
}

static void test_vm_args(struct vgem_svm *s)
{
	struct drm_vgem_svm_vm_destroy destroy = { .vm_id = s->vm };
	struct drm_vgem_svm_vm_create create = {};
	uint32_t vm;

	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_VM_CREATE, create, flags, 8, -EINVAL);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_VM_CREATE, create, flags, 1U << 31,
		-EINVAL);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_VM_DESTROY, destroy, flags, 1,
		-EINVAL);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_VM_DESTROY, destroy, vm_id, 0,
		-ENOENT);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_VM_DESTROY, destroy, vm_id, ~0U,
		-ENOENT);
	igt_assert_eq(__vgem_svm_vm_create(s->fd, 0, &vm), 0);
	igt_assert_eq(__vgem_svm_vm_destroy(s->fd, vm), 0);
	igt_assert_eq(__vgem_svm_vm_destroy(s->fd, vm), -ENOENT);
	check_works(s);
}

static void test_queue_args(struct vgem_svm *s)
{
	unsigned long request = DRM_IOCTL_VGEM_SVM_QUEUE_CREATE;
	struct drm_vgem_svm_queue_destroy destroy = { .queue_id = s->q.id };
	struct drm_vgem_svm_queue_create args = {
		.vm_id = s->vm, .eventfd = -1,
	};
	struct drm_vgem_svm_queue_query query = { .queue_id = s->q.id };
	int pipe_fds[2];

	igt_assert(!pipe(pipe_fds));
	REFUSED(s->fd, request, args, vm_id, 0, -ENOENT);
	REFUSED(s->fd, request, args, vm_id, 12345, -ENOENT);
	REFUSED(s->fd, request, args, flags, 2, -EINVAL);
	REFUSED(s->fd, request, args, flags, 1U << 31, -EINVAL);
	REFUSED(s->fd, request, args, pad, 1, -EINVAL);
	REFUSED(s->fd, request, args, engine_class, 1, -EINVAL);
	REFUSED(s->fd, request, args, engine_instance, 8, -EINVAL);
	REFUSED(s->fd, request, args, engine_instance, 0xffff, -EINVAL);
	REFUSED(s->fd, request, args, budget, ~0ULL, -EINVAL);
	REFUSED(s->fd, request, args, launch_budget, ~0ULL, -EINVAL);
	REFUSED(s->fd, request, args, eventfd, 9999, -EBADF);
	REFUSED(s->fd, request, args, eventfd, pipe_fds[0], -EINVAL);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_QUEUE_DESTROY, destroy, flags, 1,
		-EINVAL);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_QUEUE_DESTROY, destroy, queue_id, 0,
		-ENOENT);
	request = DRM_IOCTL_VGEM_SVM_QUEUE_QUERY;
	REFUSED(s->fd, request, query, flags, 1, -EINVAL);
	REFUSED(s->fd, request, query, pad, 1, -EINVAL);
	REFUSED(s->fd, request, query, queue_id, 54321, -ENOENT);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	check_works(s);
}

static void test_exec_args(struct vgem_svm *s)
{
	unsigned long request = DRM_IOCTL_VGEM_SVM_EXEC;
	struct drm_vgem_svm_sync sync[2] = { { .handle = 12345 }, {} };
	struct drm_vgem_svm_exec args = {
		.queue_id = s->q.id,
		.batch_addr = VA(s->q.batch),
		.batch_bytes = 8,
		.in_sync_stride = sizeof(sync[0]),
	};

	REFUSED(s->fd, request, args, queue_id, 0, -ENOENT);
	REFUSED(s->fd, request, args, queue_id, 999, -ENOENT);
	REFUSED(s->fd, request, args, flags, 2, -EINVAL);
	REFUSED(s->fd, request, args, pad, 1, -EINVAL);
	REFUSED(s->fd, request, args, batch_addr, VA(s->q.batch) + 4, -EINVAL);
	REFUSED(s->fd, request, args, batch_addr, ~7ULL, -EINVAL);
	REFUSED(s->fd, request, args, batch_bytes, 0, -EINVAL);
	REFUSED(s->fd, request, args, batch_bytes, 12, -EINVAL);
	REFUSED(s->fd, request, args, batch_bytes, DRM_VGEM_SVM_MAX_BATCH + 8,
		-EINVAL);
	REFUSED(s->fd, request, args, nr_in_syncs, DRM_VGEM_SVM_MAX_SYNCS + 1,
		-EINVAL);
	REFUSED(s->fd, request, args, nr_in_syncs, 1, -EFAULT);
	REFUSED(s->fd, request, args, fence_addr, 4, -EINVAL);
	REFUSED(s->fd, request, args, nr_out_syncs, 1, -EINVAL);
	REFUSED(s->fd, request, args, out_syncs, VA(sync), -EINVAL);
	args.nr_in_syncs = 1;
	REFUSED(s->fd, request, args, in_syncs, VA(sync), -ENOENT);
	REFUSED(s->fd, request, args, in_sync_stride, 0, -EINVAL);
	REFUSED(s->fd, request, args, in_sync_stride, 15, -EINVAL);
	REFUSED(s->fd, request, args, in_sync_stride,
		DRM_VGEM_SVM_MAX_STRIDE + 1, -EINVAL);
	sync[0].flags = 1;
	REFUSED(s->fd, request, args, in_syncs, VA(sync), -EINVAL);
	check_works(s);
}

static void test_migrate_args(struct vgem_svm *s)
{
	unsigned long request = DRM_IOCTL_VGEM_SVM_MIGRATE;
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE);
	struct drm_vgem_svm_migrate args = {
		.vm_id = s->vm, .addr = VA(p), .length = VGEM_SVM_PAGE,
		.location = DRM_VGEM_SVM_LOC_DEVICE,
	};

	*p = 1;
	REFUSED(s->fd, request, args, vm_id, 777, -ENOENT);
	REFUSED(s->fd, request, args, flags, 1U << 31, -EINVAL);
	REFUSED(s->fd, request, args, pad, 1, -EINVAL);
	REFUSED(s->fd, request, args, location, DRM_VGEM_SVM_LOC_DEFAULT,
		-EINVAL);
	REFUSED(s->fd, request, args, location, 3, -EINVAL);
	REFUSED(s->fd, request, args, addr, VA(p) + 8, -EINVAL);
	REFUSED(s->fd, request, args, length, 0, -EINVAL);
	REFUSED(s->fd, request, args, length, 100, -EINVAL);
	REFUSED(s->fd, request, args, length, -VGEM_SVM_PAGE, -EINVAL);
	REFUSED(s->fd, request, args, addr, -VGEM_SVM_PAGE, -EINVAL);
	igt_assert_eq(vgem_svm_where(s, p) & DRM_VGEM_SVM_PAGE_LOCATION,
		      DRM_VGEM_SVM_PAGE_SYSTEM);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
	REFUSED(s->fd, request, args, flags, 0, -EFAULT);
}

static void test_migrate_populate(struct vgem_svm *s)
{
	unsigned long request = DRM_IOCTL_VGEM_SVM_MIGRATE;
	size_t bytes = 16 * VGEM_SVM_PAGE, i;
	uint64_t *p = vgem_svm_map(bytes);
	struct drm_vgem_svm_migrate args = {
		.vm_id = s->vm, .addr = VA(p), .length = bytes,
		.location = DRM_VGEM_SVM_LOC_DEVICE,
	};

	igt_require_f(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_BYTES),
		      "no device memory\n");
	/* Nothing is made, and that is no error. */
	igt_assert_eq(__vgem_svm_ioctl(s->fd, request, &args), 0);
	igt_assert_eq_u64(args.moved + args.there + args.failed, 0);
	args.flags = DRM_VGEM_SVM_MIGRATE_POPULATE;
	REFUSED(s->fd, request, args, location, DRM_VGEM_SVM_LOC_SYSTEM,
		-EINVAL);
	igt_assert_eq(vgem_svm_present(p, bytes), 0);
	igt_assert_eq(__vgem_svm_ioctl(s->fd, request, &args), 0);
	igt_assert_eq_u64(args.moved, 16);
	igt_assert_eq_u64(args.there + args.failed, 0);
	igt_assert_eq(vgem_svm_pages_at(s, p, bytes, DRM_VGEM_SVM_PAGE_LOCAL),
		      16);
	for (i = 0; i < bytes / 8; i++)
		igt_assert_eq_u64(p[i], 0);
	vgem_svm_unmap(p, bytes);
}

static void test_attr_args(struct vgem_svm *s)
{
	unsigned long set = DRM_IOCTL_VGEM_SVM_ATTR_SET;
	unsigned long get = DRM_IOCTL_VGEM_SVM_ATTR_GET;
	uint8_t *p = vgem_svm_map(2 * VGEM_SVM_PAGE);
	struct drm_vgem_svm_attr args = {
		.vm_id = s->vm, .addr = VA(p), .length = VGEM_SVM_PAGE,
	};
	uint64_t value;

	args.value = DRM_VGEM_SVM_LOC_DEVICE;
	REFUSED(s->fd, set, args, vm_id, 777, -ENOENT);
	REFUSED(s->fd, set, args, flags, 1, -EINVAL);
	REFUSED(s->fd, set, args, pad, 1, -EINVAL);
	REFUSED(s->fd, set, args, attr, 1, -EINVAL);
	REFUSED(s->fd, set, args, value, 3, -EINVAL);
	REFUSED(s->fd, set, args, addr, VA(p) + 1, -EINVAL);
	REFUSED(s->fd, set, args, length, 0, -EINVAL);
	REFUSED(s->fd, set, args, length, 5, -EINVAL);
	REFUSED(s->fd, set, args, length, -VGEM_SVM_PAGE, -EINVAL);
	igt_assert_eq(__vgem_svm_attr_get(s->fd, s->vm, p, &value), 0);
	igt_assert_eq_u64(value, DRM_VGEM_SVM_LOC_DEFAULT);
	args.value = 0;
	REFUSED(s->fd, get, args, vm_id, 777, -ENOENT);
	REFUSED(s->fd, get, args, flags, 1, -EINVAL);
	REFUSED(s->fd, get, args, pad, 1, -EINVAL);
	REFUSED(s->fd, get, args, attr, 1, -EINVAL);
	REFUSED(s->fd, get, args, length, 2 * VGEM_SVM_PAGE, -EINVAL);
	REFUSED(s->fd, get, args, addr, VA(p) + 1, -EINVAL);
	vgem_svm_unmap(p, 2 * VGEM_SVM_PAGE);
}

static void test_residency_args(struct vgem_svm *s)
{
	unsigned long request = DRM_IOCTL_VGEM_SVM_RESIDENCY;
	uint8_t *p = vgem_svm_map(VGEM_SVM_PAGE), state = 0x55;
	struct drm_vgem_svm_residency args = {
		.vm_id = s->vm, .addr = VA(p), .length = VGEM_SVM_PAGE,
		.pages = VA(&state), .stride = 1,
	};

	REFUSED(s->fd, request, args, vm_id, 777, -ENOENT);
	REFUSED(s->fd, request, args, flags, 1, -EINVAL);
	REFUSED(s->fd, request, args, pad, 1, -EINVAL);
	REFUSED(s->fd, request, args, stride, 0, -EINVAL);
	REFUSED(s->fd, request, args, stride, DRM_VGEM_SVM_MAX_STRIDE + 1,
		-EINVAL);
	REFUSED(s->fd, request, args, addr, VA(p) + 1, -EINVAL);
	REFUSED(s->fd, request, args, length, 0, -EINVAL);
	REFUSED(s->fd, request, args, length, 1, -EINVAL);
	REFUSED(s->fd, request, args, length,
		vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_RESIDENCY_BYTES) +
		VGEM_SVM_PAGE, -EINVAL);
	REFUSED(s->fd, request, args, pages, 8, -EFAULT);
	igt_assert_eq(state, 0x55);
	igt_assert_eq(vgem_svm_present(p, VGEM_SVM_PAGE), 0);
	REFUSED(s->fd, request, args, flags, 0, 0);
	igt_assert_eq(state, DRM_VGEM_SVM_PAGE_NONE);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
}

static void test_counters_args(struct vgem_svm *s)
{
	uint64_t values[DRM_VGEM_SVM_CTR_NR + 4];
	struct drm_vgem_svm_counters args = {
		.vm_id = s->vm, .nr = 2, .values = VA(values),
	};
	uint32_t nr;

	memset(values, 0xee, sizeof(values));
	nr = 2;
	igt_assert_eq(__vgem_svm_counters(s->fd, s->vm, values, &nr), 0);
	igt_assert_eq(nr, 2);
	igt_assert_eq_u64(values[2], 0xeeeeeeeeeeeeeeeeULL);
	nr = DRM_VGEM_SVM_CTR_NR + 4;
	igt_assert_eq(__vgem_svm_counters(s->fd, s->vm, values, &nr), 0);
	igt_assert(values[DRM_VGEM_SVM_CTR_NR - 1] != 0xeeeeeeeeeeeeeeeeULL);
	if (nr == DRM_VGEM_SVM_CTR_NR)
		igt_assert_eq_u64(values[nr], 0xeeeeeeeeeeeeeeeeULL);
	nr = 0;
	igt_assert_eq(__vgem_svm_counters(s->fd, s->vm, NULL, &nr), 0);
	igt_assert(nr >= DRM_VGEM_SVM_CTR_NR);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_COUNTERS, args, flags, 1, -EINVAL);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_COUNTERS, args, pad, 1, -EINVAL);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_COUNTERS, args, vm_id, 777, -ENOENT);
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_COUNTERS, args, values, 8, -EFAULT);
}

static void test_faults_args(struct vgem_svm *s)
{
	unsigned long request = DRM_IOCTL_VGEM_SVM_FAULTS;
	struct drm_vgem_svm_fault fault;
	struct drm_vgem_svm_faults args = {
		.vm_id = s->vm, .nr = 1, .stride = sizeof(fault),
		.faults = VA(&fault),
	};
	uint32_t nr = 1;
	uint64_t total;

	REFUSED(s->fd, request, args, vm_id, 777, -ENOENT);
	REFUSED(s->fd, request, args, flags, 1, -EINVAL);
	REFUSED(s->fd, request, args, stride, 0, -EINVAL);
	REFUSED(s->fd, request, args, stride, sizeof(fault) - 1, -EINVAL);
	REFUSED(s->fd, request, args, stride, DRM_VGEM_SVM_MAX_STRIDE + 1,
		-EINVAL);
	igt_assert_eq(__vgem_svm_faults(s->fd, s->vm, &fault, &nr, &total), 0);
	igt_assert_eq(nr, 0);
	igt_assert_eq_u64(total, 0);
}

/* ---- growth ------------------------------------------------------------- */

static void test_outputs(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map(VGEM_SVM_PAGE);
	struct drm_vgem_svm_vm_create create = { .vm_id = ~0U };
	struct drm_vgem_svm_queue_create queue = {
		.vm_id = s->vm, .eventfd = -1, .queue_id = ~0U,
	};
	struct drm_vgem_svm_migrate migrate = {
		.vm_id = s->vm, .addr = VA(p), .length = VGEM_SVM_PAGE,
		.location = DRM_VGEM_SVM_LOC_SYSTEM,
		.moved = ~0ULL, .there = ~0ULL, .failed = ~0ULL,
	};
	struct drm_vgem_svm_attr attr = {
		.vm_id = s->vm, .addr = VA(p), .length = VGEM_SVM_PAGE,
		.value = ~0ULL,
	};
	struct drm_vgem_svm_faults faults = { .vm_id = s->vm, .total = ~0ULL };
	struct drm_vgem_svm_gem_create object = {
		.size = VGEM_SVM_PAGE, .handle = ~0U,
	};
	struct drm_vgem_svm_gem_mmap where = { .offset = ~0ULL };

	*p = 1;
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_VM_CREATE,
				       &create), 0);
	igt_assert_eq(__vgem_svm_vm_destroy(s->fd, create.vm_id), 0);
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
				       &queue), 0);
	igt_assert_eq(__vgem_svm_queue_destroy(s->fd, queue.queue_id), 0);
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_MIGRATE,
				       &migrate), 0);
	igt_assert_eq_u64(migrate.moved + migrate.failed, 0);
	igt_assert_eq_u64(migrate.there, 1);
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_ATTR_GET,
				       &attr), 0);
	igt_assert_eq_u64(attr.value, DRM_VGEM_SVM_LOC_DEFAULT);
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_FAULTS,
				       &faults), 0);
	igt_assert(faults.total != ~0ULL);
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_GEM_CREATE,
				       &object), 0);
	where.handle = object.handle;
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_GEM_MMAP,
				       &where), 0);
	igt_assert(object.handle != ~0U && where.offset != ~0ULL);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
}

/* As a program polls: one struct, as the kernel left it the last time. */
static void test_poll_query(struct vgem_svm *s)
{
	struct drm_vgem_svm_queue_query query = {};
	struct vgem_svm_queue q;
	unsigned int i;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	query.queue_id = q.id;
	for (i = 1; i <= 3; i++) {
		uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE);

		vgem_svm_run(&q, store_at, 1, VA(word), i);
		igt_assert_eq(__vgem_svm_ioctl(s->fd,
					       DRM_IOCTL_VGEM_SVM_QUEUE_QUERY,
					       &query), 0);
		igt_assert_eq_u64(query.completed, i);
		vgem_svm_unmap(word, VGEM_SVM_PAGE);
	}
	/* And of a queue that is dead, where every field says something. */
	vgem_svm_start(&q, store_at, 1, 8, 1);
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	for (i = 0; i < 2; i++) {
		igt_assert_eq(__vgem_svm_ioctl(s->fd,
					       DRM_IOCTL_VGEM_SVM_QUEUE_QUERY,
					       &query), 0);
		igt_assert_eq(query.status, DRM_VGEM_SVM_QUEUE_FAULT);
		igt_assert_eq_u64(query.addr, 8);
	}
	vgem_svm_queue_fini(&q);
}

static void residency_by(struct vgem_svm *s, unsigned int stride)
{
	uint8_t *p = vgem_svm_map(3 * VGEM_SVM_PAGE), out[3 * 256 + 1];
	struct drm_vgem_svm_residency args = {
		.vm_id = s->vm, .addr = VA(p), .length = 3 * VGEM_SVM_PAGE,
		.pages = VA(out), .stride = stride,
	};
	unsigned int i;

	p[VGEM_SVM_PAGE] = 1;
	memset(out, 0xee, sizeof(out));
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_RESIDENCY,
				       &args), 0);
	for (i = 0; i < 3 * stride; i++)
		igt_assert_eq(out[i], i == stride ? DRM_VGEM_SVM_PAGE_SYSTEM :
						    DRM_VGEM_SVM_PAGE_NONE);
	igt_assert_eq(out[3 * stride], 0xee);
	vgem_svm_unmap(p, 3 * VGEM_SVM_PAGE);
}

static void test_strides(struct vgem_svm *s)
{
	struct {
		struct drm_vgem_svm_sync sync;
		uint64_t later;
	} syncs[2] = {};
	struct drm_vgem_svm_exec args = {
		.queue_id = s->q.id,
		.batch_addr = VA(s->q.batch),
		.batch_bytes = 8,
		.nr_in_syncs = 2,
		.in_syncs = VA(syncs),
		.in_sync_stride = sizeof(syncs[0]),
	};
	unsigned int i;

	residency_by(s, 1);
	residency_by(s, 8);
	residency_by(s, DRM_VGEM_SVM_MAX_STRIDE);

	for (i = 0; i < 2; i++)
		igt_assert(!drmSyncobjCreate(s->fd,
					     DRM_SYNCOBJ_CREATE_SIGNALED,
					     &syncs[i].sync.handle));
	s->q.batch[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 1);
	/* What the kernel does not know must not be asked for. */
	syncs[1].later = 1;
	REFUSED(s->fd, DRM_IOCTL_VGEM_SVM_EXEC, args, pad, 0, -E2BIG);
	syncs[1].later = 0;
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_EXEC, &args),
		      0);
	s->q.given++;
	vgem_svm_wait(&s->q);
	for (i = 0; i < 2; i++)
		drmSyncobjDestroy(s->fd, syncs[i].sync.handle);
}

/* Faults of a queue that has died, with room for more than there are. */
static void test_fault_strides(struct vgem_svm *s)
{
	struct {
		struct drm_vgem_svm_fault fault;
		uint64_t later[4];
	} out[3];
	struct drm_vgem_svm_faults args = {
		.vm_id = s->vm, .nr = 2, .stride = sizeof(out[0]),
		.faults = VA(out),
	};
	unsigned int i;

	memset(out, 0xee, sizeof(out));
	for (i = 0; i < 3; i++) {
		struct vgem_svm_queue q;

		vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
		vgem_svm_start(&q, store_at, 1, 8 * (i + 1), 1);
		vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
		vgem_svm_queue_fini(&q);
	}
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_FAULTS, &args),
		      0);
	igt_assert_eq(args.nr, 2);
	for (i = 0; i < 2; i++) {
		igt_assert_eq_u64(out[i].fault.addr, 8 * (3 - i));
		igt_assert_eq(out[i].fault.error, EFAULT);
		igt_assert_eq_u64(out[i].later[0], 0);
		igt_assert_eq_u64(out[i].later[3], 0);
	}
	igt_assert_eq_u64(out[2].fault.addr, 0xeeeeeeeeeeeeeeeeULL);
}

#define MANY 300

static void test_limits(struct vgem_svm *s)
{
	struct drm_vgem_svm_queue_create args = {
		.vm_id = s->vm, .eventfd = -1,
	};
	static uint32_t ids[MANY];
	unsigned int round, n, i;
	int ret = 0;

	for (round = 0; round < 2; round++) {
		for (n = 0; n < MANY; n++) {
			ret = __vgem_svm_vm_create(s->fd, 0, &ids[n]);
			if (ret)
				break;
		}
		igt_assert_eq(ret, -ENOSPC);
		igt_assert(n >= 8);
		igt_assert(n < vgem_svm_query(s->fd,
					      DRM_VGEM_SVM_PARAM_MAX_VMS));
		for (i = 0; i < n; i++)
			igt_assert_eq(__vgem_svm_vm_destroy(s->fd, ids[i]), 0);

		for (n = 0; n < MANY; n++) {
			args.queue_id = 0;
			ret = __vgem_svm_ioctl(s->fd,
					       DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
					       &args);
			if (ret)
				break;
			ids[n] = args.queue_id;
		}
		igt_assert_eq(ret, -ENOSPC);
		igt_assert(n >= 8);
		igt_assert(n < vgem_svm_query(s->fd,
					      DRM_VGEM_SVM_PARAM_MAX_QUEUES));
		check_works(s);
		for (i = 0; i < n; i++)
			igt_assert_eq(__vgem_svm_queue_destroy(s->fd, ids[i]),
				      0);
	}
	check_works(s);
}

static void test_two_files(struct vgem_svm *s)
{
	struct drm_vgem_svm_queue_query query;
	uint64_t *word = calloc(2, 8);
	struct vgem_svm other;

	vgem_svm_init(&other, 0, 0);
	igt_assert_eq(__vgem_svm_queue_query(other.fd, other.q.id + 40, &query),
		      -ENOENT);
	vgem_svm_start(&s->q, count, 8, 200, VA(word));
	vgem_svm_start(&other.q, count, 8, 200, VA(word));
	vgem_svm_wait(&s->q);
	vgem_svm_wait(&other.q);
	igt_assert_eq_u64(*word, 3200);
	vgem_svm_fini(&other);
	check_works(s);
	free(word);
}

static void test_destroy_busy(struct vgem_svm *s)
{
	uint64_t *control = vgem_svm_map(2 * VGEM_SVM_PAGE);
	struct drm_vgem_svm_queue_query query;
	struct vgem_svm_queue q;
	uint64_t last;
	uint32_t vm;

	igt_assert_eq(__vgem_svm_vm_create(s->fd, 0, &vm), 0);
	vgem_svm_queue_init(&q, s->fd, vm, 0, 0);
	vgem_svm_start(&q, write_on, 4, VA(control + 8), 8, VA(control + 64),
		       VA(control));
	vgem_svm_wait_change(control + 8, "what the program writes");
	igt_assert_eq(__vgem_svm_vm_destroy(s->fd, vm), 0);
	last = vgem_svm_peek(control + 8);
	usleep(20000);
	igt_assert_f(vgem_svm_peek(control + 8) == last,
		     "the program still runs though its address space is gone\n");
	igt_assert_eq(__vgem_svm_queue_query(s->fd, q.id, &query), -ENOENT);
	check_works(s);
	vgem_svm_unmap(control, 2 * VGEM_SVM_PAGE);
}

static void test_eventfd(struct vgem_svm *s)
{
	struct drm_vgem_svm_exec args = {
		.queue_id = s->q.id,
		.batch_addr = VA(s->q.batch),
		.batch_bytes = 8,
	};
	uint64_t value = 0, got = 0;
	struct pollfd pfd = { .fd = s->q.event, .events = POLLIN };
	unsigned int i;

	while (read(s->q.event, &value, 8) == 8)
		;
	s->q.batch[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 1);
	for (i = 0; i < 10; i++) {
		/* Every other one asks for it. */
		args.flags = i & 1 ? DRM_VGEM_SVM_EXEC_EVENT : 0;
		igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_EXEC,
					       &args), 0);
		s->q.given++;
	}
	while (got < 5 && poll(&pfd, 1, 1000 * vgem_svm_patience(20)) == 1 &&
	       read(s->q.event, &value, 8) == 8)
		got += value;
	igt_assert_eq_u64(got, 5);
	vgem_svm_wait(&s->q);
	igt_assert_eq(poll(&pfd, 1, 50), 0);
}

static void test_queue_full(struct vgem_svm *s)
{
	uint64_t *control = vgem_svm_map(2 * VGEM_SVM_PAGE);
	unsigned int n;
	int ret = 0;

	vgem_svm_start(&s->q, write_on, 1, VA(control + 8), 8, VA(control + 64),
		       VA(control));
	/* A word outside of the slots that vgem_svm_start() uses. */
	control[100] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 1);
	for (n = 0; n < 100000 && !ret; n++)
		ret = __vgem_svm_exec(&s->q, control + 100, 1);
	igt_assert_eq(ret, -EBUSY);
	igt_assert_eq_u64(n, vgem_svm_query(s->fd,
					    DRM_VGEM_SVM_PARAM_QUEUE_JOBS));
	vgem_svm_poke(control, 1);
	vgem_svm_wait(&s->q);
	check_works(s);
	vgem_svm_unmap(control, 2 * VGEM_SVM_PAGE);
}

/* ---- synchronisation ---------------------------------------------------- */

static int exec_after(struct vgem_svm *s, uint64_t *word, uint64_t value,
		      struct drm_vgem_svm_sync *sync, unsigned int nr)
{
	uint64_t *batch = s->q.batch + s->q.given % 32 * 16;
	struct drm_vgem_svm_exec args = {
		.queue_id = s->q.id,
		.flags = DRM_VGEM_SVM_EXEC_EVENT,
		.batch_addr = VA(batch),
		.batch_bytes = 24,
		.nr_in_syncs = nr,
		.in_syncs = VA(sync),
		.in_sync_stride = sizeof(*sync),
	};
	int ret;

	batch[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_STORE, 3);
	batch[1] = VA(word);
	batch[2] = value;
	ret = __vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_EXEC, &args);
	if (!ret)
		s->q.given++;
	return ret;
}

/* A binary syncobj gets a fence that is not signalled from a timeline. */
static void unsignalled(int fd, uint32_t *timeline, uint32_t *binary)
{
	igt_assert(!drmSyncobjCreate(fd, 0, timeline));
	igt_assert(!drmSyncobjCreate(fd, 0, binary));
}

static void test_in_syncobj(struct vgem_svm *s)
{
	uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE);
	struct drm_vgem_svm_sync sync = {};
	uint32_t timeline, binary;

	unsignalled(s->fd, &timeline, &binary);
	sync.handle = binary;
	/* No fence at all is an error, as for other drivers. */
	igt_assert_eq(exec_after(s, word, 1, &sync, 1), -EINVAL);
	igt_assert(!drmSyncobjSignal(s->fd, &binary, 1));
	igt_assert_eq(exec_after(s, word, 2, &sync, 1), 0);
	vgem_svm_wait(&s->q);
	igt_assert_eq_u64(vgem_svm_peek(word), 2);
	drmSyncobjDestroy(s->fd, timeline);
	drmSyncobjDestroy(s->fd, binary);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
}

/* A sw_sync fence, if the kernel has it: the only kind a test can hold back. */
struct sw_sync_data {
	uint32_t value;
	char name[32];
	int32_t fence;
};

#define SW_SYNC_CREATE	_IOWR('W', 0, struct sw_sync_data)
#define SW_SYNC_INC	_IOW('W', 1, uint32_t)

static int sw_sync_open(void)
{
	FILE *f = fopen("/sys/kernel/debug/sync/sw_sync", "r+");
	int fd = f ? dup(fileno(f)) : -1;

	if (f)
		fclose(f);
	igt_require_f(fd >= 0, "no sw_sync in this kernel\n");
	return fd;
}

static uint32_t held_syncobj(struct vgem_svm *s, int sw, uint32_t value)
{
	struct sw_sync_data data = { .value = value };
	uint32_t handle;

	igt_assert(!ioctl(sw, SW_SYNC_CREATE, &data));
	igt_assert(!drmSyncobjCreate(s->fd, 0, &handle));
	igt_assert(!drmSyncobjImportSyncFile(s->fd, handle, data.fence));
	close(data.fence);
	return handle;
}

static void sw_sync_inc(int sw)
{
	uint32_t one = 1;

	igt_assert(!ioctl(sw, SW_SYNC_INC, &one));
}

static void test_in_held(struct vgem_svm *s)
{
	uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE);
	struct drm_vgem_svm_sync sync[2] = {};
	int sw = sw_sync_open();
	unsigned int i;

	sync[0].handle = held_syncobj(s, sw, 2);
	sync[1].handle = held_syncobj(s, sw, 1);
	igt_assert_eq(exec_after(s, word, 1, sync, 2), 0);
	/* Behind it in the queue: waits too. */
	igt_assert_eq(exec_after(s, word + 1, 2, NULL, 0), 0);
	for (i = 0; i < 2; i++) {
		usleep(30000);
		igt_assert_f(!vgem_svm_peek(word) && !vgem_svm_peek(word + 1),
			     "EXEC ran before its fence\n");
		sw_sync_inc(sw);
	}
	vgem_svm_wait(&s->q);
	igt_assert_eq_u64(vgem_svm_peek(word), 1);
	igt_assert_eq_u64(vgem_svm_peek(word + 1), 2);
	for (i = 0; i < 2; i++)
		drmSyncobjDestroy(s->fd, sync[i].handle);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
	close(sw);
}

static void test_in_timeline(struct vgem_svm *s)
{
	uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE), point;
	struct drm_vgem_svm_sync sync = {};
	uint32_t binary;
	int sw = sw_sync_open();

	igt_assert(!drmSyncobjCreate(s->fd, 0, &sync.handle));
	/* Point 1 is held back by sw_sync; point 2 does not exist. */
	binary = held_syncobj(s, sw, 1);
	igt_assert(!drmSyncobjTransfer(s->fd, sync.handle, 1, binary, 0, 0));
	sync.point = 2;
	igt_assert_eq(exec_after(s, word, 1, &sync, 1), -EINVAL);
	sync.point = 1;
	igt_assert_eq(exec_after(s, word, 5, &sync, 1), 0);
	usleep(30000);
	igt_assert_f(!vgem_svm_peek(word), "EXEC ran before its point\n");
	sw_sync_inc(sw);
	vgem_svm_wait(&s->q);
	igt_assert_eq_u64(vgem_svm_peek(word), 5);
	/* A point that the CPU signals later than it is asked for. */
	point = 2;
	igt_assert(!drmSyncobjTimelineSignal(s->fd, &sync.handle, &point, 1));
	sync.point = 2;
	igt_assert_eq(exec_after(s, word, 6, &sync, 1), 0);
	vgem_svm_wait(&s->q);
	igt_assert_eq_u64(vgem_svm_peek(word), 6);
	drmSyncobjDestroy(s->fd, sync.handle);
	drmSyncobjDestroy(s->fd, binary);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
	close(sw);
}

static void test_in_sync_destroy(struct vgem_svm *s)
{
	uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE);
	struct drm_vgem_svm_sync sync = {};
	struct vgem_svm own = *s;
	int sw = sw_sync_open();

	vgem_svm_queue_init(&own.q, s->fd, s->vm, 0, 0);
	sync.handle = held_syncobj(s, sw, 1);
	igt_assert_eq(exec_after(&own, word, 1, &sync, 1), 0);
	vgem_svm_queue_fini(&own.q);
	sw_sync_inc(sw);
	usleep(10000);
	igt_assert_eq_u64(vgem_svm_peek(word), 0);
	check_works(s);
	drmSyncobjDestroy(s->fd, sync.handle);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
	close(sw);
}

/* ---- attributes and counters -------------------------------------------- */

static uint64_t preferred(struct vgem_svm *s, const uint8_t *p, unsigned int page)
{
	uint64_t value;

	igt_assert_eq(__vgem_svm_attr_get(s->fd, s->vm,
					  p + page * VGEM_SVM_PAGE, &value), 0);
	return value;
}

static void test_attr_set_get(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map(16 * VGEM_SVM_PAGE);
	unsigned int i;

	vgem_svm_prefer(s, p, 16 * VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_prefer(s, p + 4 * VGEM_SVM_PAGE, 4 * VGEM_SVM_PAGE,
			DRM_VGEM_SVM_LOC_SYSTEM);
	vgem_svm_prefer(s, p + 6 * VGEM_SVM_PAGE, 4 * VGEM_SVM_PAGE,
			DRM_VGEM_SVM_LOC_DEFAULT);
	for (i = 0; i < 16; i++)
		igt_assert_eq_u64(preferred(s, p, i), i < 4 || i >= 10 ?
				  DRM_VGEM_SVM_LOC_DEVICE : i < 6 ?
				  DRM_VGEM_SVM_LOC_SYSTEM :
				  DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_prefer(s, p, 16 * VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_unmap(p, 16 * VGEM_SVM_PAGE);
}

static void test_attr_survives(struct vgem_svm *s)
{
	size_t bytes = 8 * VGEM_SVM_PAGE;
	uint8_t *p = vgem_svm_map(bytes);
	unsigned int i;

	vgem_svm_prefer(s, p, bytes, DRM_VGEM_SVM_LOC_DEVICE);
	for (i = 0; i < 3; i++) {
		memset(p, i, bytes);
		vgem_svm_run(&s->q, touch, 1, 8, VA(p), VGEM_SVM_PAGE, 1);
		igt_assert_eq(vgem_svm_pages_at(s, p, bytes,
						DRM_VGEM_SVM_PAGE_LOCAL), 8);
		igt_assert_eq_u64(preferred(s, p, 7), DRM_VGEM_SVM_LOC_DEVICE);
		vgem_svm_unmap(p, bytes);
		igt_assert_eq_u64(preferred(s, p, 7), DRM_VGEM_SVM_LOC_DEVICE);
		igt_assert(mmap(p, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE |
				MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
			   p);
	}
	vgem_svm_prefer(s, p, bytes, DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_unmap(p, bytes);
}

static void read_counters(struct vgem_svm *s, uint64_t *values)
{
	uint32_t nr = DRM_VGEM_SVM_CTR_NR;

	igt_assert_eq(__vgem_svm_counters(s->fd, s->vm, values, &nr), 0);
}

static void test_counters(struct vgem_svm *s)
{
	uint64_t a[DRM_VGEM_SVM_CTR_NR], b[DRM_VGEM_SVM_CTR_NR];
	uint64_t mode = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_PT_UPDATE);
	unsigned int pages = 16, round, i;
	size_t bytes = pages * VGEM_SVM_PAGE;
	uint8_t *p;

	check_works(s);
	for (round = 0; round < 4; round++) {
		read_counters(s, a);
		p = vgem_svm_map(bytes);
		memset(p, 1, bytes);
		vgem_svm_run(&s->q, fill, 1, pages, VA(p), VGEM_SVM_PAGE, 1, 1);
		vgem_svm_move(s, p, bytes, DRM_VGEM_SVM_LOC_DEVICE);
		vgem_svm_run(&s->q, fill, 1, pages, VA(p), VGEM_SVM_PAGE, 1, 1);
		vgem_svm_move(s, p, bytes, DRM_VGEM_SVM_LOC_SYSTEM);
		vgem_svm_unmap(p, bytes);
		read_counters(s, b);
		for (i = 0; i < DRM_VGEM_SVM_CTR_NR; i++)
			igt_assert_f(b[i] >= a[i], "counter %u went back\n", i);
		igt_assert(b[DRM_VGEM_SVM_CTR_FAULTS] >
			   a[DRM_VGEM_SVM_CTR_FAULTS]);
		igt_assert_eq_u64(b[DRM_VGEM_SVM_CTR_TO_DEVICE],
				  a[DRM_VGEM_SVM_CTR_TO_DEVICE] + pages);
		igt_assert_eq_u64(b[DRM_VGEM_SVM_CTR_TO_SYSTEM],
				  a[DRM_VGEM_SVM_CTR_TO_SYSTEM] + pages);
		igt_assert_lte_u64(a[DRM_VGEM_SVM_CTR_MAP_SYSTEM] + pages,
				   b[DRM_VGEM_SVM_CTR_MAP_SYSTEM]);
		igt_assert_lte_u64(a[DRM_VGEM_SVM_CTR_MAP_DEVICE] + pages,
				   b[DRM_VGEM_SVM_CTR_MAP_DEVICE]);
		igt_assert_lte_u64(a[DRM_VGEM_SVM_CTR_UNMAPPED] + 2 * pages,
				   b[DRM_VGEM_SVM_CTR_UNMAPPED]);
		igt_assert_eq_u64(b[DRM_VGEM_SVM_CTR_FAULT_ERRORS],
				  a[DRM_VGEM_SVM_CTR_FAULT_ERRORS]);
		igt_assert_eq(b[DRM_VGEM_SVM_CTR_PT_COMMANDS] >
			      a[DRM_VGEM_SVM_CTR_PT_COMMANDS],
			      mode != DRM_VGEM_SVM_PT_CPU);
		igt_assert_eq(b[DRM_VGEM_SVM_CTR_PT_STORES] >
			      a[DRM_VGEM_SVM_CTR_PT_STORES],
			      mode == DRM_VGEM_SVM_PT_MIXED);
	}
}

static void arguments(struct vgem_svm *s)
{
	igt_describe("VM_CREATE and VM_DESTROY refuse bad arguments");
	igt_subtest("vm-args")
		test_vm_args(s);

	igt_describe("QUEUE_CREATE, _DESTROY and _QUERY refuse bad arguments");
	igt_subtest("queue-args")
		test_queue_args(s);

	igt_describe("EXEC refuses bad arguments");
	igt_subtest("exec-args")
		test_exec_args(s);

	igt_describe("MIGRATE refuses bad arguments");
	igt_subtest("migrate-args")
		test_migrate_args(s);

	igt_describe("Memory that was never touched is made where it is asked for");
	igt_subtest("migrate-populate")
		test_migrate_populate(s);

	igt_describe("ATTR_SET and ATTR_GET refuse bad arguments");
	igt_subtest("attr-args")
		test_attr_args(s);

	igt_describe("RESIDENCY refuses bad arguments");
	igt_subtest("residency-args")
		test_residency_args(s);

	igt_describe("COUNTERS with more and with less room, and with none");
	igt_subtest("counters-args")
		test_counters_args(s);

	igt_describe("FAULTS refuses bad arguments");
	igt_subtest("faults-args")
		test_faults_args(s);
}

static void growth(struct vgem_svm *s)
{
	igt_describe("What output fields hold on input does not matter");
	igt_subtest("outputs-ignored")
		test_outputs(s);

	igt_describe("A queue is polled with one struct, alive and dead");
	igt_subtest("poll-query")
		test_poll_query(s);

	igt_describe("Elements of arrays that a later header has made longer");
	igt_subtest("strides")
		test_strides(s);

	igt_describe("The same for faults");
	igt_subtest("fault-strides")
		test_fault_strides(s);
}

static void objects(struct vgem_svm *s)
{
	igt_describe("Address spaces and queues run out with an error and come back");
	igt_subtest("limits")
		test_limits(s);

	igt_describe("Handles belong to a file; address spaces of two files are apart");
	igt_subtest("two-files")
		test_two_files(s);

	igt_describe("An address space goes with its queues while they run");
	igt_subtest("destroy-busy")
		test_destroy_busy(s);

	igt_describe("One event for each batch that asks for it");
	igt_subtest("eventfd")
		test_eventfd(s);

	igt_describe("A queue that is full says so and works on");
	igt_subtest("queue-full")
		test_queue_full(s);
}

static void synchronisation(struct vgem_svm *s)
{
	igt_describe("EXEC takes binary syncobjs, and refuses one without a fence");
	igt_subtest("in-syncobj")
		test_in_syncobj(s);

	igt_describe("EXEC waits for all its fences, and later ones wait behind it");
	igt_subtest("in-held")
		test_in_held(s);

	igt_describe("EXEC waits for points of a timeline");
	igt_subtest("in-timeline")
		test_in_timeline(s);

	igt_describe("A queue that waits for a syncobj can be destroyed");
	igt_subtest("in-sync-destroy")
		test_in_sync_destroy(s);
}

static void state(struct vgem_svm *s)
{
	igt_describe("Attributes of overlapping intervals");
	igt_subtest("attr-set-get")
		test_attr_set_get(s);

	igt_describe("An attribute belongs to the address, not to what is mapped there");
	igt_subtest("attr-survives-munmap")
		test_attr_survives(s);

	igt_describe("Counters count, and never back");
	igt_subtest("counters")
		test_counters(s);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	arguments(&s);
	growth(&s);
	objects(&s);
	synchronisation(&s);
	state(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
