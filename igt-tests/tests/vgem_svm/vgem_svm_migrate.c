// SPDX-License-Identifier: MIT
/*
 * Memory moves between the system and devices, and no byte is lost on the way.
 */

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm migrate
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: migration, placement, several devices
 * Description: memory moves between the system and devices
 *
 * SUBTEST: there-and-back
 * Description: 4 KiB pages with random data move to the device and back
 *
 * SUBTEST: there-and-back-huge
 * Description: the same from transparent huge pages
 *
 * SUBTEST: gpu-works-there
 * Description: a program changes data in device memory, the CPU reads it there
 *
 * SUBTEST: cpu-touch-brings-back
 * Description: a CPU touch brings back its neighbourhood and no more
 *
 * SUBTEST: preferred-device
 * Description: memory that prefers the device moves there when it faults
 *
 * SUBTEST: preferred-system
 * Description: memory that prefers the system stays there
 *
 * SUBTEST: migrate-on-fault
 * Description: the flag of the address space moves what it touches
 *
 * SUBTEST: fresh-on-device
 * Description: memory never touched is made in device memory, zeroed
 *
 * SUBTEST: increment-while-moving
 * Description: a program increments while its memory moves to and fro: the sum
 *   is exact
 *
 * SUBTEST: residency
 * Description: RESIDENCY tells where each page is and if it is mapped
 *
 * SUBTEST: holes
 * Description: holes are skipped, pages that are there are counted
 *
 * SUBTEST: over-commit
 * Description: more than fits: what does not fit stays, and all data are right
 *
 * SUBTEST: munmap-frees
 * Description: munmap() of migrated memory gives device memory back
 *
 * SUBTEST: mremap-migrated
 * Description: migrated memory keeps its data under a new address
 *
 * SUBTEST: mprotect-migrated
 * Description: migrated memory made read-only is read, and not written
 *
 * SUBTEST: two-devices-map
 * Description: two devices work on the same memory at a time
 *
 * SUBTEST: two-devices-steal
 * Description: one device migrates what the other has mapped, and back
 *
 * SUBTEST: two-devices-count
 * Description: two devices and the CPU count in one word that moves around
 */

IGT_TEST_DESCRIPTION("Migration between system and device memory");

#define PAGES 128
#define BYTES (PAGES * VGEM_SVM_PAGE)

static void require_vram(struct vgem_svm *s)
{
	igt_require_f(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_BYTES),
		      "the device has no memory\n");
}

static void test_there_and_back(struct vgem_svm *s, bool huge)
{
	size_t bytes = huge ? 2 * VGEM_SVM_BLOCK : BYTES;
	uint8_t *p = huge ? vgem_svm_map_huge(bytes) : vgem_svm_map(bytes);
	unsigned int round;
	uint64_t hash;

	for (round = 0; round < 4; round++) {
		vgem_svm_random(p, bytes, round);
		hash = vgem_svm_hash(p, bytes);
		vgem_svm_move(s, p, bytes, DRM_VGEM_SVM_LOC_DEVICE);
		igt_assert_eq(vgem_svm_pages_at(s, p, bytes,
						DRM_VGEM_SVM_PAGE_LOCAL),
			      bytes / VGEM_SVM_PAGE);
		if (round & 1)
			vgem_svm_move(s, p, bytes, DRM_VGEM_SVM_LOC_SYSTEM);
		igt_assert_f(vgem_svm_hash(p, bytes) == hash,
			     "round %u: data differ after the way there and back\n",
			     round);
		igt_assert_eq(vgem_svm_pages_at(s, p, bytes,
						DRM_VGEM_SVM_PAGE_SYSTEM),
			      bytes / VGEM_SVM_PAGE);
	}
	vgem_svm_unmap(p, bytes);
}

static void test_gpu_works_there(struct vgem_svm *s)
{
	uint64_t *in = vgem_svm_map(BYTES), *out = vgem_svm_map(BYTES);
	unsigned int words = BYTES / 8, i;

	vgem_svm_random(in, BYTES, 3);
	memset(out, 0xff, BYTES);
	vgem_svm_move(s, in, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_move(s, out, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s->q, transform, 16, words, VA(in), VA(out), 16);
	igt_assert_eq(vgem_svm_pages_at(s, out, BYTES,
					DRM_VGEM_SVM_PAGE_LOCAL), PAGES);
	for (i = 0; i < words; i++)
		igt_assert_eq_u64(out[i], in[i] * 3 + 1);
	vgem_svm_unmap(in, BYTES);
	vgem_svm_unmap(out, BYTES);
}

static void test_cpu_touch(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map_aligned(VGEM_SVM_BLOCK, VGEM_SVM_BLOCK);
	unsigned int back;

	madvise(p, VGEM_SVM_BLOCK, MADV_NOHUGEPAGE);
	memset(p, 0x11, VGEM_SVM_BLOCK);
	vgem_svm_move(s, p, VGEM_SVM_BLOCK, DRM_VGEM_SVM_LOC_DEVICE);
	igt_assert_eq(p[100 * VGEM_SVM_PAGE], 0x11);
	back = vgem_svm_pages_at(s, p, VGEM_SVM_BLOCK,
				 DRM_VGEM_SVM_PAGE_SYSTEM);
	igt_assert(vgem_svm_where(s, p + 100 * VGEM_SVM_PAGE) &
		   DRM_VGEM_SVM_PAGE_SYSTEM);
	igt_info("one touch brought %u pages back\n", back);
	igt_assert_f(back >= 1 && back <= 64,
		     "one touch brought %u of 512 pages back\n", back);
	vgem_svm_unmap(p, VGEM_SVM_BLOCK);
}

static void test_preferred(struct vgem_svm *s, uint64_t location)
{
	uint8_t *p = vgem_svm_map(BYTES), at = DRM_VGEM_SVM_PAGE_SYSTEM;
	unsigned int i;

	if (location == DRM_VGEM_SVM_LOC_DEVICE)
		at = DRM_VGEM_SVM_PAGE_LOCAL;
	for (i = 0; i < PAGES; i++)
		*(uint64_t *)(p + i * VGEM_SVM_PAGE) = 5 + i;
	vgem_svm_prefer(s, p, BYTES, location);
	vgem_svm_run(&s->q, increment, 4, PAGES, VA(p), VGEM_SVM_PAGE, 3, 4);
	igt_assert_eq(vgem_svm_pages_at(s, p, BYTES, at), PAGES);
	for (i = 0; i < PAGES; i++)
		igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_PAGE), 8 + i);
	vgem_svm_prefer(s, p, BYTES, DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_unmap(p, BYTES);
}

static void test_migrate_on_fault(void)
{
	struct vgem_svm s;
	uint8_t *p = vgem_svm_map(BYTES), *stay = vgem_svm_map(BYTES);

	vgem_svm_init(&s, 0, DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	memset(p, 1, BYTES);
	memset(stay, 1, BYTES);
	vgem_svm_prefer(&s, stay, BYTES, DRM_VGEM_SVM_LOC_SYSTEM);
	vgem_svm_run(&s.q, fill, 4, PAGES, VA(p), VGEM_SVM_PAGE, 0, 4);
	vgem_svm_run(&s.q, fill, 4, PAGES, VA(stay), VGEM_SVM_PAGE, 0, 4);
	igt_assert_eq(vgem_svm_pages_at(&s, p, BYTES, DRM_VGEM_SVM_PAGE_LOCAL),
		      PAGES);
	igt_assert_eq(vgem_svm_pages_at(&s, stay, BYTES,
					DRM_VGEM_SVM_PAGE_SYSTEM), PAGES);
	vgem_svm_prefer(&s, stay, BYTES, DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_fini(&s);
	vgem_svm_unmap(p, BYTES);
	vgem_svm_unmap(stay, BYTES);
}

static void test_fresh(struct vgem_svm *s)
{
	uint64_t *p = vgem_svm_map(BYTES), *out = calloc(1, 8);

	vgem_svm_prefer(s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s->q, fill, 1, 4, VA(p), VGEM_SVM_PAGE, 1, 1);
	igt_assert_eq(vgem_svm_pages_at(s, p, BYTES, DRM_VGEM_SVM_PAGE_LOCAL),
		      4);
	/* The rest of the first page, read by the GPU where it is. */
	vgem_svm_run(&s->q, sum, 1, 511, VA(p + 1), 8, VA(out), 1);
	igt_assert_f(!*out, "fresh device memory is not zeroed\n");
	vgem_svm_prefer(s, p, BYTES, DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_unmap(p, BYTES);
	free(out);
}

/* All that stops a program is its count: compare when it has run out. */
static void test_increment_while_moving(struct vgem_svm *s)
{
	unsigned int cells = 16, rounds = vgem_svm_scaled(6000), launches, i;
	size_t bytes = cells * VGEM_SVM_PAGE;
	uint8_t *p = vgem_svm_map(bytes);
	struct drm_vgem_svm_migrate result;
	uint64_t moves = 0;

	memset(p, 0, bytes);
	for (launches = 1; launches <= 6; launches++) {
		vgem_svm_start(&s->q, increment, cells, cells, VA(p),
			       VGEM_SVM_PAGE, rounds, cells);
		while (__vgem_svm_wait(&s->q, 0) == -ETIME) {
			igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, p, bytes,
							 DRM_VGEM_SVM_LOC_DEVICE,
							 &result), 0);
			moves += result.moved;
			igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, p, bytes,
							 DRM_VGEM_SVM_LOC_SYSTEM,
							 &result), 0);
			moves += result.moved;
		}
		vgem_svm_wait(&s->q);
		for (i = 0; i < cells; i++) {
			uint64_t n = *(uint64_t *)(p + i * VGEM_SVM_PAGE);

			igt_assert_f(n == (uint64_t)launches * rounds,
				     "cell %u is %" PRIu64 ", should be %" PRIu64
				     ": writes were lost in a migration\n", i,
				     n, (uint64_t)launches * rounds);
		}
	}
	igt_info("%" PRIu64 " pages moved meanwhile\n", moves);
	igt_assert_f(moves, "nothing moved: the test proves nothing\n");
	vgem_svm_unmap(p, bytes);
}

static void test_residency(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map_fresh(8 * VGEM_SVM_PAGE), state[8];

	memset(p, 1, 5 * VGEM_SVM_PAGE);
	/* 0: untouched by the GPU, 1: read, 2: written, 3: on the device, */
	vgem_svm_run(&s->q, touch, 1, 1, VA(p + VGEM_SVM_PAGE), 0, 1);
	vgem_svm_run(&s->q, fill, 1, 1, VA(p + 2 * VGEM_SVM_PAGE), 0, 1, 1);
	vgem_svm_move(s, p + 3 * VGEM_SVM_PAGE, VGEM_SVM_PAGE,
		      DRM_VGEM_SVM_LOC_DEVICE);
	/* 4: written there, 5: never touched. */
	vgem_svm_move(s, p + 4 * VGEM_SVM_PAGE, VGEM_SVM_PAGE,
		      DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s->q, fill, 1, 1, VA(p + 4 * VGEM_SVM_PAGE), 0, 1, 1);
	igt_assert_eq(__vgem_svm_residency(s->fd, s->vm, p, 8 * VGEM_SVM_PAGE,
					   state), 0);
	igt_assert_eq(state[0] & DRM_VGEM_SVM_PAGE_LOCATION,
		      DRM_VGEM_SVM_PAGE_SYSTEM);
	igt_assert_eq(state[1] & ~DRM_VGEM_SVM_PAGE_WRITABLE,
		      DRM_VGEM_SVM_PAGE_SYSTEM | DRM_VGEM_SVM_PAGE_MAPPED);
	igt_assert_eq(state[2], DRM_VGEM_SVM_PAGE_SYSTEM |
		      DRM_VGEM_SVM_PAGE_MAPPED | DRM_VGEM_SVM_PAGE_WRITABLE);
	igt_assert_eq(state[3] & DRM_VGEM_SVM_PAGE_LOCATION,
		      DRM_VGEM_SVM_PAGE_LOCAL);
	igt_assert_eq(state[4], DRM_VGEM_SVM_PAGE_LOCAL |
		      DRM_VGEM_SVM_PAGE_MAPPED | DRM_VGEM_SVM_PAGE_WRITABLE);
	igt_assert_eq(state[5], DRM_VGEM_SVM_PAGE_NONE);
	igt_assert_eq(vgem_svm_present(p + 5 * VGEM_SVM_PAGE,
				       3 * VGEM_SVM_PAGE), 0);
	vgem_svm_unmap(p, 8 * VGEM_SVM_PAGE);
}

static void test_holes(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map(10 * VGEM_SVM_PAGE);
	struct drm_vgem_svm_migrate result;

	memset(p, 1, 4 * VGEM_SVM_PAGE);
	memset(p + 8 * VGEM_SVM_PAGE, 1, 2 * VGEM_SVM_PAGE);
	vgem_svm_unmap(p + 5 * VGEM_SVM_PAGE, VGEM_SVM_PAGE);
	vgem_svm_move(s, p, 2 * VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_DEVICE);
	igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, p, 10 * VGEM_SVM_PAGE,
					 DRM_VGEM_SVM_LOC_DEVICE, &result), 0);
	igt_assert_eq_u64(result.there, 2);
	igt_assert_eq_u64(result.moved + result.failed, 4);
	igt_assert_eq_u64(vgem_svm_present(p + 4 * VGEM_SVM_PAGE,
					   VGEM_SVM_PAGE), 0);
	igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, p + 5 * VGEM_SVM_PAGE,
					 VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_DEVICE,
					 &result), -EFAULT);
	munmap(p, 10 * VGEM_SVM_PAGE);
}

static void test_over_commit(struct vgem_svm *s)
{
	uint64_t vram = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_BYTES);
	size_t bytes = vram + 4 * VGEM_SVM_BLOCK, i;
	struct drm_vgem_svm_migrate result;
	uint8_t *p;

	igt_require_f(vram <= 256UL << 20, "too much device memory to fill\n");
	p = vgem_svm_map(bytes);
	for (i = 0; i < bytes; i += VGEM_SVM_PAGE)
		*(uint64_t *)(p + i) = i + 1;
	igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, p, bytes,
					 DRM_VGEM_SVM_LOC_DEVICE, &result), 0);
	igt_info("%" PRIu64 " pages moved, %" PRIu64 " stayed\n",
		 (uint64_t)result.moved, (uint64_t)result.failed);
	igt_assert_eq_u64(result.moved + result.failed,
			  bytes / VGEM_SVM_PAGE);
	igt_assert(result.failed >= 4 * VGEM_SVM_BLOCK / VGEM_SVM_PAGE);
	igt_assert(result.moved > 0);
	/* The GPU works on both kinds. */
	vgem_svm_run(&s->q, increment, 64, bytes / VGEM_SVM_BLOCK, VA(p),
		     VGEM_SVM_BLOCK, 1, 64);
	for (i = 0; i < bytes; i += VGEM_SVM_PAGE)
		igt_assert_eq_u64(*(uint64_t *)(p + i),
				  i + 1 + !(i % VGEM_SVM_BLOCK));
	vgem_svm_unmap(p, bytes);
}

static void wait_vram_used(struct vgem_svm *s, uint64_t used)
{
	int i;

	for (i = 0; i < 200; i++) {
		if (vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_USED) <= used)
			return;
		usleep(50000);
	}
	igt_assert_lte_u64(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_USED),
			   used);
}

static void test_munmap_frees(struct vgem_svm *s)
{
	uint64_t used = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_USED);
	uint8_t *p = vgem_svm_map(BYTES);

	memset(p, 1, BYTES);
	vgem_svm_move(s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	igt_assert_eq_u64(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_USED),
			  used + BYTES);
	vgem_svm_run(&s->q, touch, 1, PAGES, VA(p), VGEM_SVM_PAGE, 1);
	vgem_svm_unmap(p, BYTES / 2);
	wait_vram_used(s, used + BYTES / 2);
	vgem_svm_unmap(p + BYTES / 2, BYTES / 2);
	wait_vram_used(s, used);
}

static void test_mremap_migrated(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map(BYTES), *to = vgem_svm_map(BYTES);
	uint64_t hash, *out = calloc(1, 8);

	vgem_svm_random(p, BYTES, 9);
	hash = vgem_svm_hash(p, BYTES);
	vgem_svm_move(s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s->q, touch, 1, PAGES, VA(p), VGEM_SVM_PAGE, 1);
	igt_assert(mremap(p, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
		   to);
	igt_assert_eq(vgem_svm_pages_mapped(s, p, BYTES), 0);
	igt_assert_eq(vgem_svm_pages_at(s, to, BYTES, DRM_VGEM_SVM_PAGE_LOCAL),
		      PAGES);
	vgem_svm_run(&s->q, load_at, 1, VA(to), VA(out));
	igt_assert(vgem_svm_hash(to, BYTES) == hash);
	igt_assert_eq_u64(*out, *(uint64_t *)to);
	vgem_svm_unmap(to, BYTES);
	free(out);
}

static void test_mprotect_migrated(struct vgem_svm *s)
{
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE), *out = calloc(1, 8);
	struct vgem_svm_queue q;

	*p = 0x77;
	vgem_svm_move(s, p, VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s->q, increment, 1, 1, VA(p), 0, 1, 1);
	igt_assert(!mprotect(p, VGEM_SVM_PAGE, PROT_READ));
	vgem_svm_run(&s->q, load_at, 1, VA(p), VA(out));
	igt_assert_eq_u64(*out, 0x78);
	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	vgem_svm_start(&q, store_at, 1, VA(p), 0xbad);
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	igt_assert_eq_u64(vgem_svm_peek(p), 0x78);
	vgem_svm_queue_fini(&q);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
	free(out);
}

/* ---- two devices -------------------------------------------------------- */

static void test_two_map(struct vgem_svm *s, struct vgem_svm *s2)
{
	uint64_t *a = vgem_svm_map(BYTES), *b = vgem_svm_map(BYTES);
	uint64_t *c = vgem_svm_map(BYTES);
	unsigned int words = BYTES / 8, i;

	vgem_svm_random(a, BYTES, 4);
	vgem_svm_start(&s->q, transform, 8, words, VA(a), VA(b), 8);
	vgem_svm_start(&s2->q, transform, 8, words, VA(a), VA(c), 8);
	vgem_svm_wait(&s->q);
	vgem_svm_wait(&s2->q);
	for (i = 0; i < words; i++) {
		igt_assert_eq_u64(b[i], a[i] * 3 + 1);
		igt_assert_eq_u64(c[i], b[i]);
	}
	vgem_svm_unmap(a, BYTES);
	vgem_svm_unmap(b, BYTES);
	vgem_svm_unmap(c, BYTES);
}

static void test_two_steal(struct vgem_svm *s, struct vgem_svm *s2)
{
	struct vgem_svm *dev[2] = { s, s2 };
	uint8_t *p = vgem_svm_map(BYTES);
	unsigned int round, i;

	memset(p, 0, BYTES);
	for (round = 0; round < 8; round++) {
		struct vgem_svm *to = dev[round & 1], *from = dev[!(round & 1)];

		vgem_svm_move(to, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
		igt_assert_eq(vgem_svm_pages_at(from, p, BYTES,
						DRM_VGEM_SVM_PAGE_REMOTE),
			      PAGES);
		/* The owner works on it, then the other has to get at it. */
		vgem_svm_run(&to->q, increment, 4, PAGES, VA(p), VGEM_SVM_PAGE,
			     1, 4);
		vgem_svm_run(&from->q, increment, 4, PAGES, VA(p),
			     VGEM_SVM_PAGE, 1, 4);
	}
	for (i = 0; i < PAGES; i++)
		igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_PAGE), 16);
	vgem_svm_unmap(p, BYTES);
}

struct mover {
	struct vgem_svm *s[2];
	void *p;
	bool stop;
	unsigned int moves;
};

static void *move_around(void *data)
{
	struct mover *m = data;
	struct drm_vgem_svm_migrate result;
	unsigned int i;

	for (i = 0; !__atomic_load_n(&m->stop, __ATOMIC_RELAXED); i++) {
		struct vgem_svm *s = m->s[i & 1];

		__vgem_svm_migrate(s->fd, s->vm, m->p, VGEM_SVM_PAGE,
				   i % 3 ? DRM_VGEM_SVM_LOC_DEVICE :
					   DRM_VGEM_SVM_LOC_SYSTEM, &result);
		m->moves += result.moved;
	}
	return NULL;
}

static void test_two_count(struct vgem_svm *s, struct vgem_svm *s2)
{
	unsigned int rounds = vgem_svm_scaled(3000), i;
	uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE);
	struct mover m = { .s = { s, s2 }, .p = word };
	pthread_t thread;

	*word = 0;
	igt_assert(!pthread_create(&thread, NULL, move_around, &m));
	vgem_svm_start(&s->q, count, 4, rounds, VA(word));
	vgem_svm_start(&s2->q, count, 4, rounds, VA(word));
	for (i = 0; i < 200; i++) {
		__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
		usleep(1000);
	}
	vgem_svm_wait(&s->q);
	vgem_svm_wait(&s2->q);
	__atomic_store_n(&m.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	igt_info("the word moved %u times\n", m.moves);
	igt_assert_eq_u64(vgem_svm_peek(word), 8ULL * rounds + 200);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
}

static void one_device(struct vgem_svm *s)
{
	igt_describe("4 KiB pages with random data move to the device and back");
	igt_subtest("there-and-back")
		test_there_and_back(s, false);

	igt_describe("Transparent huge pages with random data move to the device and back");
	igt_subtest("there-and-back-huge")
		test_there_and_back(s, true);

	igt_describe("A program changes data in device memory, the CPU reads them there");
	igt_subtest("gpu-works-there")
		test_gpu_works_there(s);

	igt_describe("A CPU touch brings back its neighbourhood and no more");
	igt_subtest("cpu-touch-brings-back")
		test_cpu_touch(s);

	igt_describe("Memory that prefers the device moves there when it faults");
	igt_subtest("preferred-device")
		test_preferred(s, DRM_VGEM_SVM_LOC_DEVICE);

	igt_describe("Memory that prefers the system stays there");
	igt_subtest("preferred-system")
		test_preferred(s, DRM_VGEM_SVM_LOC_SYSTEM);

	igt_describe("The flag moves what is touched, unless an attribute says otherwise");
	igt_subtest("migrate-on-fault")
		test_migrate_on_fault();

	igt_describe("Memory never touched is made in device memory, zeroed");
	igt_subtest("fresh-on-device")
		test_fresh(s);

	igt_describe("A program increments while its memory moves; the sum is exact");
	igt_subtest("increment-while-moving")
		test_increment_while_moving(s);

	igt_describe("RESIDENCY tells where each page is and if it is mapped");
	igt_subtest("residency")
		test_residency(s);

	igt_describe("Holes are skipped, pages that are there already are counted");
	igt_subtest("holes")
		test_holes(s);

	igt_describe("Of more than fits, what does not fit stays, and all data are right");
	igt_subtest("over-commit")
		test_over_commit(s);
}

static void mappings(struct vgem_svm *s)
{
	igt_describe("munmap() of migrated memory gives device memory back");
	igt_subtest("munmap-frees")
		test_munmap_frees(s);

	igt_describe("Migrated memory keeps its data under a new address");
	igt_subtest("mremap-migrated")
		test_mremap_migrated(s);

	igt_describe("Migrated memory made read-only is read, and not written");
	igt_subtest("mprotect-migrated")
		test_mprotect_migrated(s);
}

int igt_main()
{
	static struct vgem_svm s, s2;
	static unsigned int devices;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
		require_vram(&s);
		devices = vgem_svm_count();
		if (devices > 1)
			vgem_svm_init(&s2, 1, 0);
	}

	one_device(&s);
	mappings(&s);

	igt_describe("Two devices work on the same memory at a time");
	igt_subtest("two-devices-map") {
		igt_require_f(devices > 1, "one device only\n");
		test_two_map(&s, &s2);
	}

	igt_describe("One device migrates what the other has mapped, and back");
	igt_subtest("two-devices-steal") {
		igt_require_f(devices > 1, "one device only\n");
		test_two_steal(&s, &s2);
	}

	igt_describe("Two devices and the CPU count in one word that moves around");
	igt_subtest("two-devices-count") {
		igt_require_f(devices > 1, "one device only\n");
		test_two_count(&s, &s2);
	}

	igt_fixture() {
		if (devices > 1)
			vgem_svm_fini(&s2);
		vgem_svm_fini(&s);
	}
}
