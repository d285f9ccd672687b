// SPDX-License-Identifier: MIT
/*
 * A group of tasks with a limit on its memory: what the GPU touches counts, in
 * the system and in the device, and can be reclaimed.
 */

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm memcg
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: memory control groups
 * Description: what the GPU touches counts in the group of the process
 *
 * SUBTEST: limit
 * Description: GPU faults do not get a group past its limit
 *
 * SUBTEST: device-counts
 * Description: memory in the device counts
 *
 * SUBTEST: reclaim
 * Description: memory is reclaimed while a program changes it
 */

IGT_TEST_DESCRIPTION("What the GPU touches counts in the group of the process");

#define MIB	(1UL << 20)
#define GROUP	"memory"
#define LIMIT	(32 * MIB)

static void group_make(const char *max)
{
	vgem_svm_group_make(GROUP, "memory");
	igt_assert_eq(vgem_svm_group_write(GROUP, "memory.max", max), 0);
}

static uint64_t group_bytes(const char *file)
{
	return vgem_svm_group_read(GROUP, file, NULL);
}

/* Killed for it, or its program is told that there is no memory: 0 then. */
static int touch_child(void *data)
{
	size_t length = 3 * LIMIT;
	uint8_t *p = vgem_svm_map(length);
	struct drm_vgem_svm_fault fault = {};
	struct vgem_svm s;
	uint64_t total;
	uint32_t nr = 1;

	(void)data;
	vgem_svm_group_enter(GROUP);
	vgem_svm_init(&s, 0, 0);
	vgem_svm_start(&s.q, fill, 8, length / VGEM_SVM_PAGE, VA(p),
		       VGEM_SVM_PAGE, 1, 8);
	vgem_svm_wait_dead(&s.q, DRM_VGEM_SVM_QUEUE_FAULT);
	CHILD_CHECK(!__vgem_svm_faults(s.fd, s.vm, &fault, &nr, &total) && nr);
	CHILD_CHECK(fault.error == ENOMEM);
	return 0;
}

static void test_limit(void)
{
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE), peak, kills;
	struct vgem_svm_work w;
	struct vgem_svm s;
	int status;
	pid_t pid;
	bool ended;

	group_make("32M");
	vgem_svm_group_write(GROUP, "memory.swap.max", "0");
	vgem_svm_init(&s, 0, 0);
	vgem_svm_work_start(&w, &s.q, p, 1, false);
	pid = vgem_svm_fork(touch_child, NULL);
	ended = vgem_svm_ended(pid, 30, &status);
	if (!ended)
		vgem_svm_end(pid);
	peak = group_bytes("memory.peak");
	kills = vgem_svm_group_read(GROUP, "memory.events", "oom_kill");
	vgem_svm_group_remove(GROUP);
	/* Who is outside of the group has not noticed. */
	vgem_svm_work_go_on(&w, 1, "another process has no memory");
	vgem_svm_work_finish(&w);
	vgem_svm_fini(&s);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
	igt_info("peak %" PRIu64 " kB, %" PRIu64 " killed, status %#x\n",
		 peak >> 10, kills, status);
	igt_assert_f(ended, "the process faults on for ever\n");
	igt_assert((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
		   !status);
	igt_assert_lte_u64(peak, LIMIT + MIB);
}

#define DEVICE_BYTES (8 * MIB)

static int device_child(void *data)
{
	uint8_t *p = vgem_svm_map(DEVICE_BYTES);
	unsigned int pages = DEVICE_BYTES / VGEM_SVM_PAGE;
	struct vgem_svm s;
	uint64_t before;

	(void)data;
	vgem_svm_group_enter(GROUP);
	vgem_svm_init(&s, 0, 0);
	vgem_svm_warm_up(&s);
	vgem_svm_prefer(&s, p, DEVICE_BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	before = group_bytes("memory.current");
	vgem_svm_run(&s.q, fill, 8, pages, VA(p), VGEM_SVM_PAGE, 1, 8);
	CHILD_CHECK(vgem_svm_pages_at(&s, p, DEVICE_BYTES,
				      DRM_VGEM_SVM_PAGE_LOCAL) == pages);
	CHILD_CHECK(group_bytes("memory.current") >
		    before + DEVICE_BYTES * 3 / 4);
	vgem_svm_fini(&s);
	return 0;
}

#define RECLAIM_BYTES (2 * MIB)

static int reclaim_child(void *data)
{
	unsigned int rounds = vgem_svm_scaled(8), i;
	uint8_t *p = vgem_svm_map(RECLAIM_BYTES);
	struct vgem_svm_work w;
	struct vgem_svm s;

	(void)data;
	vgem_svm_group_enter(GROUP);
	vgem_svm_init(&s, 0, 0);
	vgem_svm_work_start(&w, &s.q, p, RECLAIM_BYTES / VGEM_SVM_PAGE, false);
	for (i = 0; i < rounds; i++) {
		/*
		 * All that was asked for may not be had: EAGAIN. It comes back page
		 * by page, from a disk that may be slow.
		 */
		vgem_svm_group_write(GROUP, "memory.reclaim", "256K");
		vgem_svm_work_go_on(&w, 1, "reclaim");
	}
	vgem_svm_work_finish(&w);
	vgem_svm_fini(&s);
	return 0;
}

static void in_group(int (*fn)(void *data), const char *what)
{
	int status;
	pid_t pid;
	bool ended;

	group_make("max");
	pid = vgem_svm_fork(fn, NULL);
	ended = vgem_svm_ended(pid, 60, &status);
	if (!ended)
		vgem_svm_end(pid);
	igt_info("%" PRIu64 " pages reclaimed, %" PRIu64 " swapped in\n",
		 vgem_svm_group_read(GROUP, "memory.stat", "pgsteal"),
		 vgem_svm_group_read(GROUP, "memory.stat", "pswpin"));
	vgem_svm_group_remove(GROUP);
	igt_assert_f(ended, "%s does not end\n", what);
	igt_assert_f(!status, "%s: wait status %#x\n", what, status);
}

int igt_main()
{
	igt_fixture()
		vgem_svm_require(1);

	igt_describe("GPU faults do not get a group past its limit, and harm nobody else");
	igt_subtest("limit")
		test_limit();

	igt_describe("Pages that are made in the device count in the group");
	igt_subtest("device-counts")
		in_group(device_child, "a process with memory in the device");

	igt_describe("Memory is reclaimed while a program changes it, and nothing is lost");
	igt_subtest("reclaim") {
		igt_require_f(vgem_svm_meminfo("SwapTotal"), "no swap\n");
		in_group(reclaim_child, "a program whose memory is reclaimed");
	}
}
