// SPDX-License-Identifier: MIT
/*
 * What happens to the machine: swap goes, the machine sleeps, a processor goes.
 * Programs run on, and nothing is lost.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm system
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: swap, suspend, CPU hotplug
 * Description: programs run on whatever happens to the machine
 *
 * SUBTEST: swapoff
 * Description: the swap goes while a program changes what is in it
 *
 * SUBTEST: suspend
 * Description: the machine goes to sleep and wakes, as far as freezing
 *
 * SUBTEST: cpu-offline
 * Description: a processor goes and comes under faults
 */

IGT_TEST_DESCRIPTION("Programs run on whatever happens to the machine");

static struct vgem_svm s;

/* ---- swap --------------------------------------------------------------- */

#define SWAP_PAGES 256U
#define SWAP_BYTES (SWAP_PAGES * VGEM_SVM_PAGE)

/* The first swap area that is in use. */
static bool swap_path(char *path, size_t size)
{
	FILE *f = fopen("/proc/swaps", "r");
	char line[256], word[128];
	bool found = false;

	/* The first line has the names of the columns. */
	if (f && fgets(line, sizeof(line), f) && fgets(line, sizeof(line), f) &&
	    sscanf(line, "%127s", word) == 1) {
		snprintf(path, size, "%s", word);
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

static int swapoff_child(void *data)
{
	return swapoff(data) ? 1 : 0;
}

struct copy {
	const uint8_t *p;
	int go[2];
};

static uint64_t sum_pages(const uint8_t *p)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < SWAP_PAGES; i++)
		sum += *(const uint64_t *)(p + i * VGEM_SVM_PAGE);
	return sum;
}

/* A copy of the memory stands still, however the original goes on. */
static int copy_child(void *data)
{
	struct copy *copy = data;
	uint64_t sum = sum_pages(copy->p);
	char c;

	CHILD_CHECK(read(copy->go[0], &c, 1) == 1);
	CHILD_CHECK(sum_pages(copy->p) == sum);
	return 0;
}

/* Half of it is in the device, half swapped out. */
static void swapoff_round(uint8_t *p, struct vgem_svm_work *w, char *path)
{
	struct drm_vgem_svm_migrate result;
	struct copy copy = { .p = p };
	uint8_t *half = p + SWAP_BYTES / 2;
	int status[2];
	bool ended[2];
	pid_t child, off;

	igt_assert(!pipe(copy.go));
	igt_assert_eq(__vgem_svm_migrate(s.fd, s.vm, p, SWAP_BYTES / 2,
					 DRM_VGEM_SVM_LOC_DEVICE, &result), 0);
	madvise(half, SWAP_BYTES / 2, MADV_PAGEOUT);
	child = vgem_svm_fork(copy_child, &copy);
	madvise(half, SWAP_BYTES / 2, MADV_PAGEOUT);
	off = vgem_svm_fork(swapoff_child, path);
	ended[0] = vgem_svm_ended(off, 20, &status[0]);
	igt_assert(write(copy.go[1], "x", 1) == 1);
	ended[1] = vgem_svm_ended(child, 20, &status[1]);
	if (!ended[0])
		vgem_svm_end(off);
	igt_assert(!swapon(path, 0));
	igt_assert_f(ended[0] && !status[0], "swapoff failed\n");
	igt_assert_f(ended[1] && !status[1], "the copy has changed\n");
	close(copy.go[0]);
	close(copy.go[1]);
	vgem_svm_work_go_on(w, 1, "swapoff");
}

static void test_swapoff(void)
{
	unsigned int rounds = vgem_svm_scaled(4), i;
	uint8_t *p = vgem_svm_map(SWAP_BYTES);
	struct vgem_svm_work w;
	char path[128];

	igt_require_f(swap_path(path, sizeof(path)), "no swap\n");
	vgem_svm_init(&s, 0, 0);
	memset(p, 0, SWAP_BYTES);
	vgem_svm_work_start(&w, &s.q, p, SWAP_PAGES, false);
	for (i = 0; i < rounds; i++)
		swapoff_round(p, &w, path);
	vgem_svm_work_finish(&w);
	vgem_svm_unmap(p, SWAP_BYTES);
	vgem_svm_fini(&s);
}

/* ---- sleep -------------------------------------------------------------- */

#define PAGES 32U
#define BYTES (PAGES * VGEM_SVM_PAGE)

static void sleep_and_wake(void)
{
	igt_require_f(!vgem_svm_write_file("/sys/power/pm_test", "freezer"),
		      "sleep cannot be rehearsed here\n");
	if (vgem_svm_write_file("/sys/power/state", "mem"))
		igt_assert_eq(vgem_svm_write_file("/sys/power/state", "freeze"),
			      0);
	vgem_svm_write_file("/sys/power/pm_test", "none");
}

/* One program on memory of the system, one on memory in the device. */
static void test_suspend(void)
{
	uint8_t *p[2], *fresh = vgem_svm_map(BYTES);
	struct vgem_svm_queue q[2];
	struct vgem_svm_work w[2];
	unsigned int i;

	vgem_svm_init(&s, 0, 0);
	for (i = 0; i < 2; i++) {
		p[i] = vgem_svm_map(BYTES);
		memset(p[i], 0, BYTES);
		if (i)
			vgem_svm_move(&s, p[i], BYTES, DRM_VGEM_SVM_LOC_DEVICE);
		vgem_svm_queue_init(&q[i], s.fd, s.vm, i, 0);
		vgem_svm_work_start(&w[i], &q[i], p[i], PAGES, false);
	}
	sleep_and_wake();
	vgem_svm_run(&s.q, fill, 2, PAGES, VA(fresh), VGEM_SVM_PAGE, 7, 2);
	vgem_svm_move(&s, fresh, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	for (i = 0; i < PAGES; i++)
		igt_assert_eq_u64(*(uint64_t *)(fresh + i * VGEM_SVM_PAGE),
				  7 + i);
	for (i = 0; i < 2; i++) {
		vgem_svm_work_go_on(&w[i], 2, "sleep");
		vgem_svm_work_finish(&w[i]);
		vgem_svm_queue_fini(&q[i]);
		vgem_svm_unmap(p[i], BYTES);
	}
	vgem_svm_unmap(fresh, BYTES);
	vgem_svm_fini(&s);
}

/* ---- processors --------------------------------------------------------- */

#define CPU_FILE "/sys/devices/system/cpu/cpu1/online"
#define CHURN_BYTES (1UL << 20)

static int cpu_child(void *data)
{
	return vgem_svm_write_file(CPU_FILE, data) ? 1 : 0;
}

static void switch_cpu(const char *how)
{
	pid_t pid = vgem_svm_fork(cpu_child, (void *)how);
	bool ended;
	int status;

	ended = vgem_svm_ended(pid, 20, &status);
	igt_assert_f(ended && !status, "%s of a processor failed\n", how);
}

struct churn {
	uint8_t *p;
	bool over;
};

static void *churn_thread(void *data)
{
	struct churn *churn = data;
	struct drm_vgem_svm_migrate result;

	while (!__atomic_load_n(&churn->over, __ATOMIC_ACQUIRE)) {
		madvise(churn->p, CHURN_BYTES, MADV_DONTNEED);
		__vgem_svm_migrate(s.fd, s.vm, churn->p, CHURN_BYTES,
				   DRM_VGEM_SVM_LOC_DEVICE, &result);
		usleep(2000);
	}
	return NULL;
}

/* Faults and migrations go on beside a program that counts. */
static void test_cpu_offline(void)
{
	unsigned int rounds = vgem_svm_scaled(6), i;
	struct churn churn = { .p = vgem_svm_map(CHURN_BYTES) };
	uint8_t *p = vgem_svm_map(BYTES);
	struct vgem_svm_work w, faults;
	struct vgem_svm_queue q;
	pthread_t thread;

	igt_require_f(!access(CPU_FILE, W_OK), "no processor can go\n");
	vgem_svm_init(&s, 0, 0);
	vgem_svm_queue_init(&q, s.fd, s.vm, 1, 0);
	vgem_svm_work_start(&w, &s.q, p, PAGES, false);
	vgem_svm_work_start(&faults, &q, churn.p, CHURN_BYTES / VGEM_SVM_PAGE,
			    false);
	igt_assert(!pthread_create(&thread, NULL, churn_thread, &churn));
	for (i = 0; i < rounds; i++) {
		switch_cpu("0");
		vgem_svm_work_go_on(&w, 2, "a processor went");
		switch_cpu("1");
		vgem_svm_work_go_on(&faults, 1, "a processor came");
	}
	__atomic_store_n(&churn.over, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	vgem_svm_work_stop(&faults);
	vgem_svm_work_finish(&w);
	vgem_svm_queue_fini(&q);
	vgem_svm_fini(&s);
	vgem_svm_unmap(p, BYTES);
	vgem_svm_unmap(churn.p, CHURN_BYTES);
}

int igt_main()
{
	igt_fixture()
		vgem_svm_require(1);

	igt_describe("The swap goes while a program changes what is in it, and nothing is lost");
	igt_subtest("swapoff")
		test_swapoff();

	igt_describe("The machine goes to sleep as far as freezing, wakes, and programs go on");
	igt_subtest("suspend")
		test_suspend();

	igt_describe("A processor goes and comes under faults, and nothing is lost");
	igt_subtest("cpu-offline")
		test_cpu_offline();
}
