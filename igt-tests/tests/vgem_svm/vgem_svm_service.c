// SPDX-License-Identifier: MIT
/*
 * What the service of faults costs, in counters: nothing is done twice, and
 * nothing again and again that has just failed.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm service
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: cost of GPU page faults
 * Description: counters of the fault service stay within bounds
 *
 * SUBTEST: write-populated
 * Description: writes over pages that are there
 *
 * SUBTEST: read-then-write
 * Description: reads, then writes, over pages that are there
 *
 * SUBTEST: stuck-page
 * Description: a page that cannot move does not unmap the others again and again
 *
 * SUBTEST: full-region
 * Description: first touches with device memory full are as cheap as without
 *
 * SUBTEST: hole-beside
 * Description: faults beside a hole leave nothing of the hole mapped
 *
 * SUBTEST: three-processes
 * Description: three processes that fault all the time get on alike
 */

IGT_TEST_DESCRIPTION("What the service of faults costs");

#define PAGES (VGEM_SVM_BLOCK / VGEM_SVM_PAGE)

/* Counters of an address space, as they were and what they have grown by. */
struct counts {
	uint64_t of[DRM_VGEM_SVM_CTR_NR];
};

static struct counts counts_now(const struct vgem_svm *s)
{
	struct counts c = {};
	uint32_t nr = DRM_VGEM_SVM_CTR_NR;

	igt_assert_eq(__vgem_svm_counters(s->fd, s->vm, c.of, &nr), 0);
	return c;
}

static struct counts counts_since(const struct vgem_svm *s, struct counts before)
{
	struct counts c = counts_now(s);
	unsigned int i;

	for (i = 0; i < DRM_VGEM_SVM_CTR_NR; i++)
		c.of[i] -= before.of[i];
	igt_info("faults %" PRIu64 ", services %" PRIu64 ", invalidations %" PRIu64
		 ", unmapped %" PRIu64 ", mapped %" PRIu64 " + %" PRIu64
		 ", moved %" PRIu64 ", not moved %" PRIu64 "\n",
		 c.of[DRM_VGEM_SVM_CTR_FAULTS],
		 c.of[DRM_VGEM_SVM_CTR_FAULT_GROUPS],
		 c.of[DRM_VGEM_SVM_CTR_INVALIDATIONS],
		 c.of[DRM_VGEM_SVM_CTR_UNMAPPED],
		 c.of[DRM_VGEM_SVM_CTR_MAP_SYSTEM],
		 c.of[DRM_VGEM_SVM_CTR_MAP_DEVICE],
		 c.of[DRM_VGEM_SVM_CTR_TO_DEVICE],
		 c.of[DRM_VGEM_SVM_CTR_TO_DEVICE_FAILED]);
	return c;
}

static uint8_t *small_pages(size_t length)
{
	uint8_t *p = vgem_svm_map_aligned(length, VGEM_SVM_BLOCK);

	igt_assert(!madvise(p, length, MADV_NOHUGEPAGE));
	return p;
}

/* ---- pages that are there ----------------------------------------------- */

/* Faults of one pass over all pages of a block that the CPU has written. */
static struct counts populated(struct vgem_svm *s, bool read_first)
{
	uint8_t *p = small_pages(VGEM_SVM_BLOCK);
	struct counts c;
	unsigned int i;

	memset(p, 1, VGEM_SVM_BLOCK);
	c = counts_now(s);
	if (read_first)
		vgem_svm_run(&s->q, increment, 1, PAGES, VA(p), VGEM_SVM_PAGE,
			     1, 1);
	else
		vgem_svm_run(&s->q, fill, 1, PAGES, VA(p), VGEM_SVM_PAGE, 1, 1);
	c = counts_since(s, c);
	for (i = 0; read_first && i < PAGES; i++)
		igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_PAGE),
				  0x0101010101010102ULL);
	vgem_svm_unmap(p, VGEM_SVM_BLOCK);
	return c;
}

/*
 * Neighbours of a fault are mapped with it, however wide the service looks: a
 * fault for each eighth page is far more than it takes, and far less than one
 * for each page.
 */
static void test_populated(bool read_first)
{
	struct vgem_svm s;
	struct counts c;

	vgem_svm_init(&s, 0, 0);
	vgem_svm_warm_up(&s);
	c = populated(&s, read_first);
	igt_assert_lte_u64(c.of[DRM_VGEM_SVM_CTR_FAULTS], PAGES / 8 + 2);
	vgem_svm_fini(&s);
}

/* ---- pages that cannot move --------------------------------------------- */

/* Another holds the page as long as the pipe is not read. */
static void hold_page(void *page, int fds[2])
{
	struct iovec iov = { page, VGEM_SVM_PAGE };

	*(uint8_t *)page = 1;
	igt_assert(!pipe(fds));
	igt_assert_eq_u64(vmsplice(fds[1], &iov, 1, 0), VGEM_SVM_PAGE);
}

/* First touches of all pages of a block but the first, which is perhaps held. */
static struct counts touch_beside(bool held)
{
	uint8_t *p = small_pages(VGEM_SVM_BLOCK);
	int fds[2] = { -1, -1 };
	struct vgem_svm s;
	struct counts c;
	unsigned int i;

	vgem_svm_init(&s, 0, DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	vgem_svm_warm_up(&s);
	if (held)
		hold_page(p, fds);
	c = counts_now(&s);
	vgem_svm_run(&s.q, fill, 1, PAGES - 1, VA(p + VGEM_SVM_PAGE),
		     VGEM_SVM_PAGE, 1, 1);
	c = counts_since(&s, c);
	for (i = 1; i < PAGES; i++)
		igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_PAGE), i);
	close(fds[0]);
	close(fds[1]);
	vgem_svm_unmap(p, VGEM_SVM_BLOCK);
	vgem_svm_fini(&s);
	return c;
}

/*
 * A page that is made on the device unmaps nothing. One that cannot be moved
 * may be tried a few times, each of which unmaps at most the block.
 */
static void test_stuck(void)
{
	struct counts with, without;
	uint64_t more, unmapped;

	without = touch_beside(false);
	with = touch_beside(true);
	more = with.of[DRM_VGEM_SVM_CTR_INVALIDATIONS] -
	       without.of[DRM_VGEM_SVM_CTR_INVALIDATIONS];
	unmapped = with.of[DRM_VGEM_SVM_CTR_UNMAPPED] -
		   without.of[DRM_VGEM_SVM_CTR_UNMAPPED];
	igt_assert_f((int64_t)more < 32, "a page that cannot move causes %" PRIu64
		     " more invalidations\n", more);
	igt_assert_f((int64_t)unmapped < 4 * (int64_t)PAGES,
		     "a page that cannot move unmaps %" PRIu64 " pages\n",
		     unmapped);
}

/* Fills the region with pages that the CPU does not ask back. */
static uint8_t *fill_region(struct vgem_svm *s, size_t *length)
{
	struct drm_vgem_svm_migrate result = {};
	uint8_t *p;
	size_t at;

	*length = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_BYTES) +
		  VGEM_SVM_BLOCK;
	p = small_pages(*length);
	for (at = 0; at < *length; at += VGEM_SVM_BLOCK) {
		memset(p + at, 1, VGEM_SVM_BLOCK);
		igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, p + at,
						 VGEM_SVM_BLOCK,
						 DRM_VGEM_SVM_LOC_DEVICE,
						 &result), 0);
	}
	return p;
}

static struct counts first_touches(struct vgem_svm *s)
{
	uint8_t *p = small_pages(VGEM_SVM_BLOCK);
	struct counts c = counts_now(s);
	unsigned int i;

	vgem_svm_run(&s->q, fill, 1, PAGES, VA(p), VGEM_SVM_PAGE, 9, 1);
	c = counts_since(s, c);
	for (i = 0; i < PAGES; i++)
		igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_PAGE), 9 + i);
	vgem_svm_unmap(p, VGEM_SVM_BLOCK);
	return c;
}

static void test_full(void)
{
	struct counts with, without;
	struct vgem_svm s, plain;
	size_t length;
	uint8_t *p;

	vgem_svm_init(&plain, 0, 0);
	vgem_svm_warm_up(&plain);
	without = first_touches(&plain);
	vgem_svm_init(&s, 0, DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	vgem_svm_warm_up(&s);
	p = fill_region(&s, &length);
	with = first_touches(&s);
	igt_assert_lte_u64(with.of[DRM_VGEM_SVM_CTR_INVALIDATIONS],
			   without.of[DRM_VGEM_SVM_CTR_INVALIDATIONS] + 32);
	igt_assert_lte_u64(with.of[DRM_VGEM_SVM_CTR_UNMAPPED],
			   without.of[DRM_VGEM_SVM_CTR_UNMAPPED] + 4 * PAGES);
	vgem_svm_unmap(p, length);
	vgem_svm_fini(&s);
	vgem_svm_fini(&plain);
}

/* Every second page has no mapping: the others are served, these never. */
static void test_hole_beside(void)
{
	unsigned int pages = 64, i;
	uint8_t *p = small_pages(VGEM_SVM_BLOCK);
	struct vgem_svm s;

	vgem_svm_init(&s, 0, DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	for (i = 1; i < pages; i += 2)
		vgem_svm_unmap(p + i * VGEM_SVM_PAGE, VGEM_SVM_PAGE);
	vgem_svm_run(&s.q, increment, 4, pages / 2, VA(p), 2 * VGEM_SVM_PAGE, 3,
		     4);
	for (i = 0; i < pages; i += 2) {
		igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_PAGE), 3);
		vgem_svm_unmap(p + i * VGEM_SVM_PAGE, VGEM_SVM_PAGE);
	}
	vgem_svm_fini(&s);
	vgem_svm_unmap(p + pages * VGEM_SVM_PAGE,
		       VGEM_SVM_BLOCK - pages * VGEM_SVM_PAGE);
}

/* ---- three processes ---------------------------------------------------- */

#define RANGES 32U

/* Word 0: go; word 8 + 8 * n: rounds of process n. */
static uint64_t *race;

static int racer(void *data)
{
	size_t length = RANGES * VGEM_SVM_BLOCK;
	uint64_t *laps = race + 8 + 8 * (uintptr_t)data;
	struct vgem_svm_queue q;
	struct vgem_svm s;
	uint8_t *p;

	vgem_svm_init(&s, 0, 0);
	vgem_svm_warm_up(&s);
	vgem_svm_queue_init(&q, s.fd, s.vm, 1, 0);
	p = small_pages(length);
	while (!vgem_svm_peek(race))
		usleep(1000);
	while (vgem_svm_peek(race) == 1) {
		vgem_svm_run(&q, fill, RANGES, RANGES, VA(p), VGEM_SVM_BLOCK, 1,
			     RANGES);
		igt_assert(!madvise(p, length, MADV_DONTNEED));
		vgem_svm_poke(laps, *laps + 1);
	}
	return 0;
}

/* All on one engine, so that none has more of it than another. */
static void test_three(void)
{
	uint64_t most = 0, least = ~0ULL, laps;
	pid_t pids[3];
	uintptr_t i;
	int status;

	race = vgem_svm_map_shared(VGEM_SVM_PAGE);
	for (i = 0; i < 3; i++)
		pids[i] = vgem_svm_fork(racer, (void *)i);
	usleep(500000);
	vgem_svm_poke(race, 1);
	/* Until the quickest has enough rounds to tell. */
	for (i = 0; i < 200 && most < 40; i++) {
		usleep(20000);
		for (int k = 0; k < 3; k++) {
			laps = vgem_svm_peek(race + 8 + 8 * k);
			most = laps > most ? laps : most;
		}
	}
	vgem_svm_poke(race, 2);
	for (i = 0; i < 3; i++) {
		status = vgem_svm_reap(pids[i], 20);
		igt_assert_f(!status, "process %zu: %#x\n", (size_t)i, status);
		laps = vgem_svm_peek(race + 8 + 8 * i);
		igt_info("process %zu: %" PRIu64 " rounds\n", (size_t)i, laps);
		least = laps < least ? laps : least;
	}
	igt_assert_f(least * 4 >= most, "%" PRIu64 " rounds beside %" PRIu64
		     "\n", least, most);
	vgem_svm_unmap(race, VGEM_SVM_PAGE);
}

int igt_main()
{
	igt_fixture()
		vgem_svm_require(1);

	igt_describe("Writes over 512 pages that are there take a few faults");
	igt_subtest("write-populated")
		test_populated(false);

	igt_describe("Reads, then writes, over 512 pages that are there take a few faults");
	igt_subtest("read-then-write")
		test_populated(true);

	igt_describe("A page held by a pipe does not unmap the others again and again");
	igt_subtest("stuck-page")
		test_stuck();

	igt_describe("First touches with device memory full unmap no more than without any");
	igt_subtest("full-region")
		test_full();

	igt_describe("Faults beside a hole are served, the hole never");
	igt_subtest("hole-beside")
		test_hole_beside();

	igt_describe("Three processes that fault all the time get on alike");
	igt_subtest("three-processes")
		test_three();
}
