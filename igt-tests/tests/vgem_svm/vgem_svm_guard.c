// SPDX-License-Identifier: MIT
/*
 * Guards and stacks: pages where nothing may be, and memory that grows when it
 * is touched.
 */

#include <alloca.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm guard
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: guard pages, stacks
 * Description: guards end what touches them, stacks grow or the access is refused
 *
 * SUBTEST: guard-system
 * Description: a guard is put on a page of the system that a program writes
 *
 * SUBTEST: guard-device
 * Description: the same with the page in the device
 *
 * SUBTEST: guard-populated
 * Description: faults on pages beside guards do not fill the guards
 *
 * SUBTEST: stack-array
 * Description: the GPU is the first to touch an array on the stack
 *
 * SUBTEST: grows-down
 * Description: the GPU touches memory below a mapping that grows
 */

IGT_TEST_DESCRIPTION("Guards end what touches them, stacks grow or the access is refused");

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

#define PAGES 64U
#define BYTES (PAGES * VGEM_SVM_PAGE)
#define GUARD 32U
#define WORDS (VGEM_SVM_PAGE / 8)

static struct vgem_svm s;

static void guard(void *page, int advice)
{
	igt_require_f(!madvise(page, VGEM_SVM_PAGE, advice),
		      "no guards in this kernel\n");
}

static uint64_t vram_used(void)
{
	return vgem_svm_query(s.fd, DRM_VGEM_SVM_PARAM_VRAM_USED);
}

/* The last fault that was not served: at this address, of this kind. */
static void check_fault(const void *addr, uint32_t error)
{
	struct drm_vgem_svm_fault fault = {};
	uint64_t total;
	uint32_t nr = 1;

	igt_assert_eq(__vgem_svm_faults(s.fd, s.vm, &fault, &nr, &total), 0);
	igt_assert_eq(nr, 1);
	igt_assert_f(fault.addr == VA(addr), "reported address %#" PRIx64
		     ", should be %#" PRIx64 "\n", (uint64_t)fault.addr,
		     VA(addr));
	igt_assert_eq(fault.error, error);
}

/* All pages before the guard have a round more than those behind it. */
static void test_guard(bool device)
{
	uint64_t *p = vgem_svm_map(BYTES), *out = calloc(1, 8), vram, laps;
	struct vgem_svm_queue q;
	struct vgem_svm_work w;
	unsigned int i;

	memset(p, 0, BYTES);
	vram = vram_used();
	if (device)
		vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_queue_init(&q, s.fd, s.vm, 0, 0);
	vgem_svm_work_start(&w, &q, p, PAGES, false);
	guard(p + GUARD * WORDS, MADV_GUARD_INSTALL);
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	check_fault(p + GUARD * WORDS, EFAULT);
	if (device)
		igt_assert_eq_u64(vram_used() - vram, BYTES - VGEM_SVM_PAGE);
	laps = vgem_svm_work_laps(&w);
	for (i = 0; i < PAGES; i++)
		if (i != GUARD)
			igt_assert_eq_u64(p[i * WORDS], laps + (i < GUARD));
	guard(p + GUARD * WORDS, MADV_GUARD_REMOVE);
	vgem_svm_run(&s.q, sum, 1, 1, VA(p + GUARD * WORDS), 8, VA(out), 1);
	igt_assert_eq_u64(*out, 0);
	vgem_svm_queue_fini(&q);
	vgem_svm_unmap(w.control, VGEM_SVM_PAGE);
	vgem_svm_unmap(p, BYTES);
	igt_assert_eq_u64(vram_used(), vram);
	free(out);
}

/* Each second page is a guard. Wherever the others go, the guards stay. */
static void test_populated(uint32_t flags)
{
	uint64_t *p = vgem_svm_map(BYTES);
	struct vgem_svm_queue q;
	struct vgem_svm v;
	unsigned int i;

	vgem_svm_init(&v, 0, flags);
	for (i = 1; i < PAGES; i += 2)
		guard(p + i * WORDS, MADV_GUARD_INSTALL);
	vgem_svm_run(&v.q, increment, 4, PAGES / 2, VA(p), 2 * VGEM_SVM_PAGE, 3,
		     4);
	for (i = 0; i < PAGES; i += 2)
		igt_assert_eq_u64(p[i * WORDS], 3);
	vgem_svm_queue_init(&q, v.fd, v.vm, 0, 0);
	vgem_svm_start(&q, store_at, 1, VA(p + WORDS), 1);
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	vgem_svm_queue_fini(&q);
	vgem_svm_fini(&v);
	vgem_svm_unmap(p, BYTES);
}

#define STACK_BYTES (1UL << 20)

static __attribute__((noinline)) void test_stack_array(void)
{
	uint64_t *low = alloca(STACK_BYTES);
	unsigned int n = 16, i;

	/* Not touched by the CPU, however the compiler sees it. */
	__asm__ volatile("" : : "r"(low) : "memory");
	vgem_svm_run(&s.q, fill, 1, n, VA(low), VGEM_SVM_PAGE, 100, 1);
	for (i = 0; i < n; i++)
		igt_assert_eq_u64(low[i * WORDS], 100 + i);
}

/* Room below it is free, so that it could grow as for the CPU. */
static void test_grows_down(void)
{
	size_t room = 16UL << 20;
	uint8_t *p = vgem_svm_map(room);
	struct vgem_svm_queue q;
	uint64_t *word;
	int status;

	vgem_svm_unmap(p, room);
	p = mmap(p + room / 2, VGEM_SVM_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE |
		 MAP_GROWSDOWN, -1, 0);
	igt_assert(p != MAP_FAILED);
	*p = 1;
	word = (uint64_t *)(p - 2 * VGEM_SVM_PAGE);
	vgem_svm_queue_init(&q, s.fd, s.vm, 0, 0);
	vgem_svm_start(&q, store_at, 1, VA(word), 42);
	status = __vgem_svm_wait(&q, 10);
	igt_info("below a mapping that grows: %s\n",
		 status ? "refused" : "it has grown");
	if (status) {
		igt_assert_eq(status, DRM_VGEM_SVM_QUEUE_FAULT);
		check_fault(word, EFAULT);
	} else {
		igt_assert_eq_u64(vgem_svm_peek(word), 42);
	}
	vgem_svm_queue_fini(&q);
	munmap(p - 2 * VGEM_SVM_PAGE, 3 * VGEM_SVM_PAGE);
}

int igt_main()
{
	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	igt_describe("A guard on a page that a program writes ends it there, and nothing else changes");
	igt_subtest("guard-system")
		test_guard(false);

	igt_describe("The same for a page in the device, whose memory comes back");
	igt_subtest("guard-device")
		test_guard(true);

	igt_describe("Faults on pages beside guards do not fill the guards");
	igt_subtest_with_dynamic("guard-populated") {
		igt_dynamic("map")
			test_populated(0);
		igt_dynamic("migrate-on-fault")
			test_populated(DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	}

	igt_describe("The GPU is the first to touch an array on the stack");
	igt_subtest("stack-array")
		test_stack_array();

	igt_describe("Memory below a mapping that grows: it grows, or the access is refused");
	igt_subtest("grows-down")
		test_grows_down();

	igt_fixture()
		vgem_svm_fini(&s);
}
