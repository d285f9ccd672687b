// SPDX-License-Identifier: MIT
/*
 * The C library gives memory back and takes it again at the same address in
 * every way there is. Threads do so all at a time, and the GPU writes the blocks.
 */

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"

/**
 * TEST: vgem svm malloc
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: allocators, threads
 * Description: blocks of malloc() hold what the GPU wrote last
 *
 * SUBTEST: arenas
 * Description: threads allocate, let the GPU write, check and free
 *
 * SUBTEST: parallel-faults
 * Description: programs that fault side by side all get on
 */

IGT_TEST_DESCRIPTION("Blocks of malloc() hold what the GPU wrote last");

#define THREADS 8U
#define STEP	512U	/* bytes from one word that is written to the next */

/* Two devices, of which every second thread has one. */
static struct vgem_svm s[2];

struct worker {
	unsigned int number;
	unsigned int seed;
	unsigned int blocks;
	bool moves;
};

static size_t block_size(struct worker *w)
{
	static const size_t sizes[] = { 3000, 20000, 70000, 300000, 1000000 };

	return sizes[rand_r(&w->seed) % 5] + rand_r(&w->seed) % 4096;
}

static void check_block(const uint8_t *p, size_t words, uint64_t first)
{
	size_t i;

	for (i = 0; i < words; i++)
		igt_assert_f(*(uint64_t *)(p + i * STEP) == first + i,
			     "word %zu of %zu: %#" PRIx64 ", should be %#"
			     PRIx64 "\n", i, words, *(uint64_t *)(p + i * STEP),
			     first + i);
}

/* What calloc() gives reads as zero for the GPU. */
static void check_zero(struct vgem_svm_queue *q, const uint8_t *p, size_t words)
{
	uint64_t out = 0;

	vgem_svm_run(q, sum, 1, words, VA(p), STEP, VA(&out), 1);
	igt_assert_eq_u64(out, 0);
}

static void one_block(struct worker *w, struct vgem_svm_queue *q, unsigned int k)
{
	size_t bytes = block_size(w), words = bytes / STEP;
	bool zero = k % 3 == 0;
	uint8_t *p = zero ? calloc(1, bytes) : malloc(bytes);
	struct drm_vgem_svm_migrate result;
	uint64_t first = VA(p) ^ k;

	igt_assert(p);
	if (zero)
		check_zero(q, p, words);
	if (w->moves && k % 4 == 0)
		__vgem_svm_migrate(q->fd, q->vm,
				   (void *)(VA(p) & -VGEM_SVM_PAGE),
				   (bytes + VGEM_SVM_PAGE - 1) & -VGEM_SVM_PAGE,
				   DRM_VGEM_SVM_LOC_DEVICE, &result);
	vgem_svm_run(q, fill, 1, words, VA(p), STEP, first, 1);
	/* A large block goes elsewhere by mremap(). */
	if (bytes > 900000 && k % 2)
		p = realloc(p, 2 * bytes);
	check_block(p, words, first);
	free(p);
	if (k % 7 == 0)
		malloc_trim(0);
}

/* An assertion that fails in a thread ends the child that they belong to. */
static void *worker_thread(void *data)
{
	struct worker *w = data;
	struct vgem_svm *v = &s[w->number % 2];
	struct vgem_svm_queue q;
	unsigned int k;

	vgem_svm_queue_init(&q, v->fd, v->vm, w->number / 2 % 2, 0);
	for (k = 0; k < w->blocks; k++)
		one_block(w, &q, k + w->number);
	vgem_svm_queue_fini(&q);
	return NULL;
}

enum places { MAPPED, MOVED, ON_FAULT };

static int arenas_child(void *data)
{
	enum places places = (uintptr_t)data;
	struct worker w[THREADS];
	pthread_t threads[THREADS];
	unsigned int i;

	mallopt(M_ARENA_MAX, 6);
	mallopt(M_TRIM_THRESHOLD, 65536);
	mallopt(M_MMAP_THRESHOLD, 900000);
	vgem_svm_program(0);
	vgem_svm_init(&s[0], 0, 0);
	vgem_svm_init(&s[1], 1, places == ON_FAULT ?
		      DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT : 0);
	for (i = 0; i < THREADS; i++) {
		w[i] = (struct worker) {
			.number = i,
			.seed = i,
			.blocks = vgem_svm_scaled(places == ON_FAULT ? 4 : 8),
			.moves = places != MAPPED,
		};
		CHILD_CHECK(!pthread_create(&threads[i], NULL, worker_thread,
					    &w[i]));
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	vgem_svm_fini(&s[1]);
	vgem_svm_fini(&s[0]);
	return 0;
}

static void test_arenas(enum places places)
{
	vgem_svm_in_child(arenas_child, (void *)(uintptr_t)places,
			  "threads with blocks of malloc()");
}

/* ---- faults side by side ------------------------------------------------ */

#define SIDE_PAGES 128U

/* Services of faults that n programs cause, each in a range of its own. */
static uint64_t side_by_side(unsigned int n, uint32_t flags)
{
	struct vgem_svm_queue q[THREADS];
	uint8_t *p[THREADS];
	struct vgem_svm v;
	uint64_t services;
	unsigned int i, k;

	vgem_svm_init(&v, 0, flags);
	for (i = 0; i < n; i++) {
		p[i] = vgem_svm_map_aligned(VGEM_SVM_BLOCK, VGEM_SVM_BLOCK);
		madvise(p[i], VGEM_SVM_BLOCK, MADV_NOHUGEPAGE);
		vgem_svm_queue_init(&q[i], v.fd, v.vm, i % 2, 0);
		/* The queue's own pages are there. */
		vgem_svm_run(&q[i], fill, 1, 1, VA(p[i] + VGEM_SVM_BLOCK -
			     VGEM_SVM_PAGE), 8, 1, 1);
	}
	services = vgem_svm_counter(&v, DRM_VGEM_SVM_CTR_FAULT_GROUPS);
	for (i = 0; i < n; i++)
		vgem_svm_start(&q[i], fill, 1, SIDE_PAGES, VA(p[i]),
			       VGEM_SVM_PAGE, i, 1);
	for (i = 0; i < n; i++)
		vgem_svm_wait(&q[i]);
	services = vgem_svm_counter(&v, DRM_VGEM_SVM_CTR_FAULT_GROUPS) -
		   services;
	for (i = 0; i < n; i++) {
		for (k = 0; k < SIDE_PAGES; k++)
			igt_assert_eq_u64(*(uint64_t *)(p[i] +
					  k * VGEM_SVM_PAGE), i + k);
		vgem_svm_queue_fini(&q[i]);
		vgem_svm_unmap(p[i], VGEM_SVM_BLOCK);
	}
	vgem_svm_fini(&v);
	return services;
}

/*
 * Programs in ranges of their own are nothing to each other: together they take
 * as many services as one by one. A replay for one lets the others fault again,
 * which joins what is under way; a few come when that has just ended.
 */
static void test_parallel(uint32_t flags)
{
	uint64_t one = side_by_side(1, flags);
	uint64_t all = side_by_side(THREADS, flags);

	igt_info("%" PRIu64 " services for one program, %" PRIu64 " for %u\n",
		 one, all, THREADS);
	igt_assert_lte_u64(all, 2 * THREADS * one);
}

int igt_main()
{
	igt_fixture()
		vgem_svm_require(2);

	igt_describe("Threads allocate blocks, let the GPU write them, check and free them");
	igt_subtest_with_dynamic("arenas") {
		igt_dynamic("mapped")
			test_arenas(MAPPED);
		igt_dynamic("moved")
			test_arenas(MOVED);
		igt_dynamic("migrate-on-fault")
			test_arenas(ON_FAULT);
	}

	igt_describe("Programs that fault side by side take about as many services as alone");
	igt_subtest_with_dynamic("parallel-faults") {
		igt_dynamic("map")
			test_parallel(0);
		igt_dynamic("migrate-on-fault")
			test_parallel(DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	}
}
