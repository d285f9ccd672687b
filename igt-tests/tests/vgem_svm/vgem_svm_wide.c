// SPDX-License-Identifier: MIT
/*
 * Address space is reserved by the terabyte. What a call costs is what is
 * there, not what is spanned.
 */

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"

/**
 * TEST: vgem svm wide
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: large spans of addresses
 * Description: calls over terabytes cost what is there
 *
 * SUBTEST: attr-all
 * Description: an attribute for all addresses, and back
 *
 * SUBTEST: migrate-empty
 * Description: MIGRATE over 16 TiB with three pages
 *
 * SUBTEST: migrate-kill
 * Description: a MIGRATE over terabytes can be killed
 *
 * SUBTEST: far-apart
 * Description: faults and migrations 128 GiB apart, then one munmap
 *
 * SUBTEST: edges
 * Description: the lowest and the highest address
 */

IGT_TEST_DESCRIPTION("Calls over terabytes cost what is there");

#define TIB (1UL << 40)
#define GIB (1UL << 30)

static struct vgem_svm s;

static uint8_t *reserve(size_t length)
{
	uint8_t *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	igt_assert(p != MAP_FAILED);
	madvise(p, length, MADV_NOHUGEPAGE);
	return p;
}

static uint64_t top_address(void)
{
	return (1UL << 47) - 2 * VGEM_SVM_PAGE;
}

/* In a child: one that does not end can be left behind. */
static int attr_child(void *data)
{
	void *low = (void *)VGEM_SVM_PAGE;
	uint64_t value;

	(void)data;
	vgem_svm_init(&s, 0, 0);
	vgem_svm_prefer(&s, low, top_address() - VGEM_SVM_PAGE,
			DRM_VGEM_SVM_LOC_DEVICE);
	igt_assert_eq(__vgem_svm_attr_get(s.fd, s.vm, (void *)(5 * TIB),
					  &value), 0);
	igt_assert_eq_u64(value, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_prefer(&s, low, top_address() - VGEM_SVM_PAGE,
			DRM_VGEM_SVM_LOC_DEFAULT);
	igt_assert_eq(__vgem_svm_attr_get(s.fd, s.vm, (void *)(5 * TIB),
					  &value), 0);
	igt_assert_eq_u64(value, DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_fini(&s);
	return 0;
}

static int migrate_child(void *data)
{
	uint64_t at[] = { 0, 5 * TIB, 16 * TIB - VGEM_SVM_PAGE };
	size_t length = 16 * TIB;
	uint8_t *p = reserve(length);
	struct drm_vgem_svm_migrate result;
	uint64_t slab;
	int i;

	(void)data;
	vgem_svm_init(&s, 0, 0);
	for (i = 0; i < 3; i++)
		p[at[i]] = 1 + i;
	slab = vgem_svm_meminfo("Slab");
	igt_assert_eq(__vgem_svm_migrate(s.fd, s.vm, p, length,
					 DRM_VGEM_SVM_LOC_DEVICE, &result), 0);
	slab = vgem_svm_meminfo("Slab") - slab;
	igt_info("moved %u, failed %u, Slab %" PRId64 " kB\n",
		 (unsigned int)result.moved, (unsigned int)result.failed,
		 (int64_t)slab);
	igt_assert_eq_u64(result.moved + result.failed, 3);
	/* Nothing is kept for terabytes where nothing is. */
	igt_assert((int64_t)slab < 1024);
	for (i = 0; i < 3; i++)
		igt_assert_eq(p[at[i]], 1 + i);
	vgem_svm_unmap(p, length);
	vgem_svm_fini(&s);
	return 0;
}

static void in_time(int (*fn)(void *data), const char *what)
{
	pid_t pid = vgem_svm_fork(fn, NULL);
	int status;
	bool ended = vgem_svm_ended(pid, 5, &status);

	if (!ended)
		vgem_svm_end(pid);
	igt_assert_f(ended, "%s does not end\n", what);
	igt_assert_f(!status, "%s: wait status %#x\n", what, status);
}

static int kill_child(void *data)
{
	uint8_t *p = reserve(64 * TIB);
	struct drm_vgem_svm_migrate result;

	vgem_svm_init(&s, 0, 0);
	p[63 * TIB] = 1;
	vgem_svm_poke(data, 1);
	do {
		p[63 * TIB]++;
	} while (!__vgem_svm_migrate(s.fd, s.vm, p, 64 * TIB,
				     DRM_VGEM_SVM_LOC_DEVICE, &result));
	return 1;
}

static void test_kill(void)
{
	uint64_t *ready = vgem_svm_map_shared(VGEM_SVM_PAGE);
	pid_t pid = vgem_svm_fork(kill_child, ready);
	bool started = vgem_svm_reaches(ready, 1, 10);
	int status;

	usleep(50000);
	kill(pid, SIGKILL);
	igt_assert(vgem_svm_ended(pid, 5, &status));
	igt_assert(started);
	vgem_svm_unmap(ready, VGEM_SVM_PAGE);
}

#define PLACES 64U
#define STEP (128 * GIB)

static int far_child(void *data)
{
	size_t length = PLACES * STEP;
	uint8_t *p = reserve(length);
	uint64_t vram;
	unsigned int i;

	(void)data;
	vgem_svm_init(&s, 0, 0);
	vram = vgem_svm_query(s.fd, DRM_VGEM_SVM_PARAM_VRAM_USED);
	vgem_svm_run(&s.q, fill, 16, PLACES, VA(p), STEP, 7, 16);
	for (i = 0; i < PLACES; i++)
		igt_assert_eq_u64(*(uint64_t *)(p + i * STEP), 7 + i);
	for (i = 0; i < PLACES; i++)
		vgem_svm_move(&s, p + i * STEP, VGEM_SVM_PAGE,
			      DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_unmap(p, length);
	igt_assert_eq_u64(vgem_svm_query(s.fd, DRM_VGEM_SVM_PARAM_VRAM_USED),
			  vram);
	vgem_svm_fini(&s);
	return 0;
}

static void check_edge(uint64_t at)
{
	uint64_t *out = calloc(1, 8);
	uint64_t *p = mmap((void *)at, VGEM_SVM_PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			   -1, 0);

	igt_assert_f(p == (void *)at, "%#" PRIx64 ": %s\n", at,
		     strerror(errno));
	*p = 3;
	vgem_svm_move(&s, p, VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s.q, fill, 1, 1, VA(p), 8, at ^ 5, 1);
	igt_assert_eq_u64(*p, at ^ 5);
	vgem_svm_run(&s.q, load_at, 1, VA(p), VA(out));
	igt_assert_eq_u64(*out, at ^ 5);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
	free(out);
}

static void test_edges(void)
{
	static const uint64_t at[] = { 0x10000, (1UL << 39) - VGEM_SVM_PAGE,
				       1UL << 46 };
	unsigned int i;

	vgem_svm_init(&s, 0, 0);
	for (i = 0; i < 3; i++)
		check_edge(at[i]);
	check_edge(top_address());
	vgem_svm_fini(&s);
}

int igt_main()
{
	igt_fixture()
		vgem_svm_require(1);

	igt_describe("An attribute for all addresses is set, read and reset at once");
	igt_subtest("attr-all")
		in_time(attr_child, "ATTR_SET over all addresses");

	igt_describe("MIGRATE over 16 TiB with three pages ends soon and keeps nothing for the rest");
	igt_subtest("migrate-empty")
		in_time(migrate_child, "MIGRATE over 16 TiB");

	igt_describe("A MIGRATE over terabytes can be killed");
	igt_subtest("migrate-kill")
		test_kill();

	igt_describe("Faults and migrations 128 GiB apart; one munmap gives all of it back");
	igt_subtest("far-apart")
		in_time(far_child, "work on places far apart");

	igt_describe("The lowest and the highest address that a process can have");
	igt_subtest("edges")
		test_edges();
}
