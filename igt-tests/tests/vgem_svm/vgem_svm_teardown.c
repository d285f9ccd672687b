// SPDX-License-Identifier: MIT
/*
 * Queues and address spaces are ended by one thread while others use them.
 */

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm teardown
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: life cycle
 * Description: queues and address spaces end while others use them
 *
 * SUBTEST: event
 * Description: the end of a queue is told, once, whoever ended it
 *
 * SUBTEST: create-race
 * Description: queues are made while their address space is destroyed
 *
 * SUBTEST: residency-held
 * Description: the answer goes to a page that does not come; others do not wait
 */

IGT_TEST_DESCRIPTION("Queues and address spaces end while others use them");

/* Return: how often it is told, if it is within that time. */
static uint64_t told(int event, int ms)
{
	struct pollfd pfd = { .fd = event, .events = POLLIN };
	uint64_t value;

	if (poll(&pfd, 1, ms) != 1 || read(event, &value, 8) != 8)
		return 0;
	return value;
}

static void test_event(struct vgem_svm *s)
{
	struct vgem_svm_queue q[3];
	unsigned int i;
	uint32_t vm;

	igt_assert_eq(__vgem_svm_vm_create(s->fd, 0, &vm), 0);
	for (i = 0; i < 3; i++)
		vgem_svm_queue_init(&q[i], s->fd, vm, 0, 0);
	igt_assert_eq(__vgem_svm_queue_destroy(s->fd, q[0].id), 0);
	igt_assert_eq_u64(told(q[0].event, 20000), 1);
	/* One dies, and so has told already when all go. */
	vgem_svm_start(&q[2], store_at, 1, 8, 1);
	igt_assert_eq_u64(told(q[2].event, 20000), 1);
	igt_assert_eq(vgem_svm_status(&q[2]), DRM_VGEM_SVM_QUEUE_FAULT);
	igt_assert_eq_u64(told(q[1].event, 20), 0);
	igt_assert_eq(__vgem_svm_vm_destroy(s->fd, vm), 0);
	igt_assert_eq_u64(told(q[1].event, 20000), 1);
	for (i = 0; i < 3; i++) {
		igt_assert_eq_u64(told(q[i].event, 20), 0);
		close(q[i].event);
	}
}

struct race {
	int fd;
	uint32_t vm;
	uint32_t go;
};

static void *race_creates(void *data)
{
	struct race *race = data;
	struct drm_vgem_svm_queue_create args = {
		.vm_id = race->vm, .eventfd = -1,
	};

	while (!__atomic_load_n(&race->go, __ATOMIC_ACQUIRE))
		;
	/* Until the address space is gone. */
	while (!__vgem_svm_ioctl(race->fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
				 &args))
		;
	return NULL;
}

/* Numbers are given out from the lowest: a handle that is left behind keeps one. */
static void test_create_race(struct vgem_svm *s)
{
	unsigned int rounds = vgem_svm_scaled(200), i;
	struct vgem_svm_queue before, after;

	vgem_svm_queue_init(&before, s->fd, s->vm, 0, 0);
	vgem_svm_queue_fini(&before);
	for (i = 0; i < rounds; i++) {
		struct race race = { .fd = s->fd };
		pthread_t thread;

		igt_assert_eq(__vgem_svm_vm_create(s->fd, 0, &race.vm), 0);
		igt_assert(!pthread_create(&thread, NULL, race_creates, &race));
		__atomic_store_n(&race.go, 1, __ATOMIC_RELEASE);
		usleep(i % 8 * 50);
		igt_assert_eq(__vgem_svm_vm_destroy(s->fd, race.vm), 0);
		pthread_join(thread, NULL);
	}
	vgem_svm_queue_init(&after, s->fd, s->vm, 0, 0);
	igt_assert_f(after.id == before.id,
		     "queues of address spaces that are gone have kept handles: the lowest free one was %u and is %u\n",
		     before.id, after.id);
	vgem_svm_queue_fini(&after);
}

/* ---- user memory that does not come ------------------------------------- */

struct held {
	struct vgem_svm *s;
	uint32_t vm;
	uint8_t *out;
	int ret;
	uint32_t done;
};

static void *held_residency(void *data)
{
	struct held *h = data;

	h->ret = __vgem_svm_residency(h->s->fd, h->vm, h->s->q.batch,
				      VGEM_SVM_PAGE, h->out);
	return NULL;
}

static void *held_destroy(void *data)
{
	struct held *h = data;

	h->ret = __vgem_svm_vm_destroy(h->s->fd, h->vm);
	__atomic_store_n(&h->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Whoever touches the page waits until uffd_give(). */
static int uffd_hold(void *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { VA(page), VGEM_SVM_PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	igt_require_f(fd >= 0, "no userfaultfd\n");
	igt_assert(!ioctl(fd, UFFDIO_API, &api));
	igt_assert(!ioctl(fd, UFFDIO_REGISTER, &reg));
	return fd;
}

static void uffd_give(int fd, void *page)
{
	struct uffdio_zeropage zero = { .range = { VA(page), VGEM_SVM_PAGE } };

	igt_assert(!ioctl(fd, UFFDIO_ZEROPAGE, &zero));
	close(fd);
}

static void test_residency_held(struct vgem_svm *s)
{
	uint8_t *page = vgem_svm_map(VGEM_SVM_PAGE);
	struct held asks = { .s = s, .out = page }, ends = { .s = s };
	int fd = uffd_hold(page), i;
	pthread_t thread[2];
	struct uffd_msg msg;

	igt_assert_eq(__vgem_svm_vm_create(s->fd, 0, &asks.vm), 0);
	ends.vm = asks.vm;
	igt_assert(!pthread_create(&thread[0], NULL, held_residency, &asks));
	/* It waits for the page: the message says so. */
	igt_assert_eq(read(fd, &msg, sizeof(msg)), sizeof(msg));
	igt_assert(!pthread_create(&thread[1], NULL, held_destroy, &ends));
	for (i = 0; i < 1000 * vgem_svm_patience(10) &&
	     !__atomic_load_n(&ends.done, __ATOMIC_ACQUIRE); i++)
		usleep(1000);
	i = __atomic_load_n(&ends.done, __ATOMIC_ACQUIRE);
	uffd_give(fd, page);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	igt_assert_f(i, "VM_DESTROY waited for the memory of another ioctl\n");
	igt_assert_eq(ends.ret, 0);
	igt_assert_eq(asks.ret, 0);
	vgem_svm_unmap(page, VGEM_SVM_PAGE);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	igt_describe("The end of a queue is told, once, whoever ended it");
	igt_subtest("event")
		test_event(&s);

	igt_describe("Queues are made while their address space is destroyed");
	igt_subtest("create-race")
		test_create_race(&s);

	igt_describe("The answer goes to a page that does not come; others do not wait");
	igt_subtest("residency-held")
		test_residency_held(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
