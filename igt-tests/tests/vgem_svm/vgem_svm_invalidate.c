// SPDX-License-Identifier: MIT
/*
 * The CPU changes mappings while a GPU program runs on them: when the system
 * call has returned, the GPU does not see the old pages any more.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm invalidate
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: invalidation under a running program
 * Description: the CPU's mappings change under a running GPU program
 *
 * SUBTEST: munmap-page
 * Description: a page is replaced by another while the GPU reads it
 *
 * SUBTEST: munmap-block
 * Description: a whole 2 MiB block is replaced: directories change
 *
 * SUBTEST: munmap-partial
 * Description: holes in the middle; what is left stays mapped
 *
 * SUBTEST: munmap-under-write
 * Description: nothing is written any more when munmap() has returned
 *
 * SUBTEST: mprotect-read
 * Description: a writing program dies when its page becomes read-only
 *
 * SUBTEST: mprotect-back
 * Description: protection away and back again loses no write
 *
 * SUBTEST: mremap-move
 * Description: the GPU finds data at their new address, not at the old
 *
 * SUBTEST: dontneed
 * Description: MADV_DONTNEED gives zeroes to the GPU too
 *
 * SUBTEST: replaced-pages
 * Description: a fault that races with replaced pages maps no old one
 *
 * SUBTEST: no-bus-error
 * Description: pages go while the GPU sweeps over them: it never reaches
 *   unmapped DMA
 *
 * SUBTEST: one-iotlb-flush
 * Description: behind the IOMMU munmap() of 2 MiB costs one flush of the IOTLB,
 *   not one per page
 *
 * SUBTEST: storm
 * Description: munmap() storm against 64 faulting threads and a small fault
 *   buffer
 */

IGT_TEST_DESCRIPTION("Invalidation under a running GPU program");

#define OLD 0x01d01d01dULL
#define NEW 0x0e30e30e3ULL

/**
 * struct watched - memory that a GPU program reads on and on
 * @s: device
 * @p: memory
 * @bytes: its size
 * @control: stop flag, then what each thread has seen, a cache line each
 */
struct watched {
	struct vgem_svm *s;
	uint8_t *p;
	size_t bytes;
	uint64_t *control;
};

static uint64_t *seen(struct watched *w, unsigned int thread)
{
	return w->control + 64 + thread * 8;
}

static void watch(struct watched *w, struct vgem_svm *s, size_t bytes,
		  unsigned int threads, size_t stride)
{
	w->s = s;
	w->bytes = bytes;
	w->p = vgem_svm_map_aligned(bytes, VGEM_SVM_BLOCK);
	w->control = vgem_svm_map(2 * VGEM_SVM_PAGE);
	madvise(w->p, bytes, MADV_NOHUGEPAGE);
	*(uint64_t *)w->p = OLD;
	vgem_svm_start(&s->q, watch, threads, VA(w->p), stride,
		       VA(seen(w, 0)), VA(w->control));
}

static void unwatch(struct watched *w)
{
	vgem_svm_poke(w->control, 1);
	vgem_svm_wait(&w->s->q);
	munmap(w->p, w->bytes);
	vgem_svm_unmap(w->control, 2 * VGEM_SVM_PAGE);
}

/* A program that is dead cannot show what it sees: say that first. */
static void expect_seen(struct watched *w, uint64_t value, const char *what)
{
	int i, patience = 5000 * vgem_svm_patience(20);
	uint64_t *word = seen(w, 0);

	for (i = 0; i < patience; i++) {
		if (vgem_svm_peek(word) == value)
			return;
		if (vgem_svm_status(&w->s->q))
			vgem_svm_wait(&w->s->q);
		usleep(200);
	}
	igt_assert_f(false, "%s: the GPU still sees %#" PRIx64 ", not %#" PRIx64
		     ": an old page is still mapped\n", what,
		     vgem_svm_peek(word), value);
}

static void test_munmap(struct vgem_svm *s, size_t bytes)
{
	unsigned int round, rounds = vgem_svm_scaled(40);
	struct watched w;

	watch(&w, s, VGEM_SVM_BLOCK, 1, 0);
	expect_seen(&w, OLD, "before");
	for (round = 0; round < rounds; round++) {
		/* In one step, so that the program finds no hole. */
		uint64_t *new = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		igt_assert(new != MAP_FAILED);
		madvise(new, bytes, MADV_NOHUGEPAGE);
		*new = NEW + round;
		igt_assert(mremap(new, bytes, bytes,
				  MREMAP_MAYMOVE | MREMAP_FIXED, w.p) == w.p);
		expect_seen(&w, NEW + round, "after the page was replaced");
	}
	unwatch(&w);
}

static void test_munmap_partial(struct vgem_svm *s)
{
	unsigned int pages = 64, i;
	uint8_t *p = vgem_svm_map(pages * VGEM_SVM_PAGE);
	uint64_t *out = calloc(1, 8), want = 0;

	vgem_svm_run(&s->q, fill, 8, pages, VA(p), VGEM_SVM_PAGE, 100, 8);
	vgem_svm_unmap(p + 16 * VGEM_SVM_PAGE, 16 * VGEM_SVM_PAGE);
	vgem_svm_unmap(p + 63 * VGEM_SVM_PAGE, VGEM_SVM_PAGE);
	igt_assert_eq(vgem_svm_pages_mapped(s, p, pages * VGEM_SVM_PAGE), 47);
	for (i = 0; i < 16; i++)
		want += 100 + i;
	vgem_svm_run(&s->q, sum, 4, 16, VA(p), VGEM_SVM_PAGE, VA(out), 4);
	igt_assert_eq_u64(*out, want);
	for (i = 32; i < 63; i++)
		igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_PAGE),
				  100 + i);
	munmap(p, pages * VGEM_SVM_PAGE);
	free(out);
}

static void test_munmap_under_write(struct vgem_svm *s)
{
	unsigned int round, i, rounds = vgem_svm_scaled(20);
	uint64_t *control = vgem_svm_map(VGEM_SVM_PAGE);
	struct vgem_svm_queue q;
	uint64_t *p, *fresh;

	for (round = 0; round < rounds; round++) {
		p = vgem_svm_map(16 * VGEM_SVM_PAGE);
		vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
		vgem_svm_start(&q, write_on, 16, VA(p), VGEM_SVM_PAGE,
			       VA(control + 64), VA(control));
		vgem_svm_wait_change(p, "what the program writes");
		vgem_svm_unmap(p, 16 * VGEM_SVM_PAGE);
		/* The freed pages come back zeroed, and must stay so. */
		fresh = vgem_svm_map(256 * VGEM_SVM_PAGE);
		if (fresh == p)
			igt_debug("the same address again\n");
		memset(fresh, 0x55, 256 * VGEM_SVM_PAGE);
		vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
		for (i = 0; i < 256 * VGEM_SVM_PAGE / 8; i++)
			igt_assert_f(fresh[i] == 0x5555555555555555ULL ||
				     (fresh <= p && fresh + i >= p),
				     "the GPU wrote to a page that was unmapped\n");
		vgem_svm_unmap(fresh, 256 * VGEM_SVM_PAGE);
		vgem_svm_queue_fini(&q);
	}
	vgem_svm_unmap(control, VGEM_SVM_PAGE);
}

static void test_mprotect_read(struct vgem_svm *s)
{
	uint64_t *control = vgem_svm_map(VGEM_SVM_PAGE);
	uint64_t *p = vgem_svm_map(VGEM_SVM_PAGE), value;
	struct drm_vgem_svm_fault fault = {};
	struct vgem_svm_queue q;
	uint64_t total;
	uint32_t nr = 1;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	vgem_svm_start(&q, write_on, 1, VA(p), 0, VA(control + 64),
		       VA(control));
	vgem_svm_wait_change(p, "what the program writes");
	igt_assert(!mprotect(p, VGEM_SVM_PAGE, PROT_READ));
	value = vgem_svm_peek(p);
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	igt_assert_f(vgem_svm_peek(p) == value,
		     "the GPU wrote after mprotect(PROT_READ)\n");
	igt_assert_eq(__vgem_svm_faults(s->fd, s->vm, &fault, &nr, &total), 0);
	igt_assert_eq_u64(fault.addr, VA(p));
	igt_assert_eq(fault.access, 1);
	igt_assert_eq(fault.error, EACCES);
	vgem_svm_queue_fini(&q);
	vgem_svm_unmap(p, VGEM_SVM_PAGE);
	vgem_svm_unmap(control, VGEM_SVM_PAGE);
}

static void test_mprotect_back(struct vgem_svm *s)
{
	unsigned int cells = 64, rounds = vgem_svm_scaled(4000), i, done = 0;
	size_t bytes = cells * VGEM_SVM_PAGE;
	uint8_t *p = vgem_svm_map(bytes);

	vgem_svm_start(&s->q, increment, 8, cells, VA(p), VGEM_SVM_PAGE,
		       rounds, 8);
	/* Write-protects by a COW share and its end: no access is refused. */
	while (__vgem_svm_wait(&s->q, 0) == -ETIME) {
		igt_assert(!mprotect(p, bytes, PROT_READ | PROT_WRITE |
				     PROT_EXEC));
		igt_assert(!mprotect(p, bytes, PROT_READ | PROT_WRITE));
		done++;
		/* The GPU gets to work in between, if only a little. */
		usleep(300);
	}
	vgem_svm_wait(&s->q);
	igt_info("%u times\n", done);
	for (i = 0; i < cells; i++)
		igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_PAGE), rounds);
	vgem_svm_unmap(p, bytes);
}

static void test_mremap_move(struct vgem_svm *s)
{
	size_t bytes = 32 * VGEM_SVM_PAGE;
	uint8_t *p = vgem_svm_map(bytes), *to;
	uint64_t *out = calloc(1, 8), want = 0;
	struct vgem_svm_queue q;
	unsigned int i;

	vgem_svm_run(&s->q, fill, 4, 32, VA(p), VGEM_SVM_PAGE, 7, 4);
	to = vgem_svm_map(bytes);
	igt_assert(mremap(p, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
		   to);
	for (i = 0; i < 32; i++)
		want += 7 + i;
	vgem_svm_run(&s->q, sum, 4, 32, VA(to), VGEM_SVM_PAGE, VA(out), 4);
	igt_assert_eq_u64(*out, want);
	igt_assert_eq(vgem_svm_pages_mapped(s, p, bytes), 0);
	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	vgem_svm_start(&q, load_at, 1, VA(p), VA(out));
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	vgem_svm_queue_fini(&q);
	vgem_svm_unmap(to, bytes);
	free(out);
}

static void test_dontneed(struct vgem_svm *s)
{
	struct watched w;
	unsigned int i;

	watch(&w, s, VGEM_SVM_BLOCK, 1, 0);
	for (i = 0; i < vgem_svm_scaled(50); i++) {
		vgem_svm_poke((uint64_t *)w.p, OLD + i);
		expect_seen(&w, OLD + i, "a CPU write");
		igt_assert(!madvise(w.p, VGEM_SVM_PAGE, MADV_DONTNEED));
		expect_seen(&w, 0, "MADV_DONTNEED");
	}
	unwatch(&w);
}

/*
 * 32 threads each read a page of one range. The CPU throws the pages away and
 * writes new ones, so that services of the range overlap with it in every
 * possible way. A service that commits what it walked before, though pages went
 * meanwhile, leaves a thread with an old page that nothing ever takes away.
 */
static void test_replaced_pages(struct vgem_svm *s)
{
	unsigned int threads = 32, rounds = vgem_svm_scaled(400), round, i;
	struct watched w;

	watch(&w, s, VGEM_SVM_BLOCK, threads, VGEM_SVM_PAGE);
	for (round = 1; round <= rounds; round++) {
		for (i = 0; i < threads; i++) {
			uint8_t *page = w.p + i * VGEM_SVM_PAGE;

			igt_assert(!madvise(page, VGEM_SVM_PAGE,
					    MADV_DONTNEED));
			vgem_svm_poke((uint64_t *)page, round);
		}
		for (i = 0; i < threads; i++)
			vgem_svm_wait_word(seen(&w, i), round,
					   "a page was replaced, and the GPU committed the old one");
	}
	unwatch(&w);
}

static void test_no_bus_error(struct vgem_svm *s)
{
	unsigned int pages = 512, rounds = vgem_svm_scaled(300), round, i;
	uint64_t *control = vgem_svm_map(2 * VGEM_SVM_PAGE);
	uint8_t *p = vgem_svm_map_aligned(VGEM_SVM_BLOCK, VGEM_SVM_BLOCK);

	madvise(p, VGEM_SVM_BLOCK, MADV_NOHUGEPAGE);
	memset(p, 1, VGEM_SVM_BLOCK);
	vgem_svm_start(&s->q, sweep, 4, pages, VA(p), VGEM_SVM_PAGE,
		       VA(control + 64), VA(control));
	vgem_svm_wait_change(control + 64, "the program's laps");
	for (round = 0; round < rounds; round++) {
		i = round * 67 % (pages - 64);
		igt_assert(!madvise(p + i * VGEM_SVM_PAGE, 64 * VGEM_SVM_PAGE,
				    MADV_DONTNEED));
		memset(p + i * VGEM_SVM_PAGE, round, 64 * VGEM_SVM_PAGE);
		if (vgem_svm_status(&s->q))
			break;
	}
	vgem_svm_poke(control, 1);
	vgem_svm_wait(&s->q);
	vgem_svm_unmap(p, VGEM_SVM_BLOCK);
	vgem_svm_unmap(control, 2 * VGEM_SVM_PAGE);
}

/* Until the device has some of it again, or the queue is dead. */
static void wait_for_some(struct vgem_svm *s, void *p, size_t bytes)
{
	unsigned int tries = 0;

	while (!vgem_svm_pages_mapped(s, p, bytes) && !vgem_svm_status(&s->q)) {
		igt_assert_f(tries++ < 100000, "nothing is mapped\n");
		usleep(50);
	}
}

static void test_storm(struct vgem_svm *s)
{
	unsigned int threads = 64, rounds = vgem_svm_scaled(300), round;
	size_t bytes = threads * VGEM_SVM_PAGE;
	uint64_t *control = vgem_svm_map(2 * VGEM_SVM_PAGE);
	uint8_t *p = vgem_svm_map(bytes);

	igt_info("fault buffer of %" PRIu64 " records\n",
		 vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_FAULT_ENTRIES));
	vgem_svm_start(&s->q, write_on, threads, VA(p), VGEM_SVM_PAGE,
		       VA(control + 8), VA(control));
	for (round = 0; round < rounds; round++) {
		/* Replaced in one step: all threads fault, none at a hole. */
		igt_assert(mmap(p, bytes, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
				0) == p);
		if (vgem_svm_status(&s->q))
			break;
		/* Once they are at it, and most of them parked: the next. */
		wait_for_some(s, p, bytes);
	}
	vgem_svm_poke(control, 1);
	vgem_svm_wait(&s->q);
	vgem_svm_unmap(p, bytes);
	vgem_svm_unmap(control, 2 * VGEM_SVM_PAGE);
}

/* A counter of the virtual IOMMU; skips where there is none. */
static unsigned int iommu_counter(const char *name)
{
	unsigned int value = 0;
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/vgem_svm_iommu/%s", name);
	f = fopen(path, "r");
	igt_require_f(f, "no virtual IOMMU: %s\n", path);
	igt_assert_eq(fscanf(f, "%u", &value), 1);
	fclose(f);
	return value;
}

static void test_one_iotlb_flush(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map_fresh(VGEM_SVM_BLOCK);
	unsigned int pages = VGEM_SVM_BLOCK / VGEM_SVM_PAGE, syncs, unmaps;

	memset(p, 1, VGEM_SVM_BLOCK);
	vgem_svm_run(&s->q, touch, 16, pages, VA(p), VGEM_SVM_PAGE, 16);
	igt_assert_eq(vgem_svm_pages_mapped(s, p, VGEM_SVM_BLOCK), pages);

	unmaps = iommu_counter("unmaps");
	syncs = iommu_counter("syncs");
	vgem_svm_unmap(p, VGEM_SVM_BLOCK);
	unmaps = iommu_counter("unmaps") - unmaps;
	syncs = iommu_counter("syncs") - syncs;
	igt_info("%u pages unmapped by %u flushes\n", unmaps, syncs);
	igt_assert_lte_u64(pages, unmaps);
	igt_assert_lte_u64(1, syncs);
	/* What else went meanwhile may have cost a flush a page. */
	igt_assert_lte_u64(syncs, 2 + unmaps - pages);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	igt_describe("A page is replaced by another while the GPU reads it");
	igt_subtest("munmap-page")
		test_munmap(&s, VGEM_SVM_PAGE);

	igt_describe("A whole 2 MiB block is replaced, so that directories of the GPU's table change");
	igt_subtest("munmap-block")
		test_munmap(&s, VGEM_SVM_BLOCK);

	igt_describe("Holes in the middle of a mapping; what is left stays mapped");
	igt_subtest("munmap-partial")
		test_munmap_partial(&s);

	igt_describe("Nothing is written any more when munmap() has returned");
	igt_subtest("munmap-under-write")
		test_munmap_under_write(&s);

	igt_describe("A writing program dies when its page becomes read-only");
	igt_subtest("mprotect-read")
		test_mprotect_read(&s);

	igt_describe("Protection changed to and fro under a writing program loses no write");
	igt_subtest("mprotect-back")
		test_mprotect_back(&s);

	igt_describe("The GPU finds data at their new address, and nothing at the old");
	igt_subtest("mremap-move")
		test_mremap_move(&s);

	igt_describe("MADV_DONTNEED gives zeroes to the GPU too");
	igt_subtest("dontneed")
		test_dontneed(&s);

	igt_describe("A fault that races with replaced pages maps no old one");
	igt_subtest("replaced-pages")
		test_replaced_pages(&s);

	igt_describe("Pages go while the GPU sweeps over them; it never reaches unmapped DMA");
	igt_subtest("no-bus-error")
		test_no_bus_error(&s);

	igt_describe("Behind the IOMMU, munmap() of 2 MiB is one flush of the IOTLB");
	igt_subtest("one-iotlb-flush")
		test_one_iotlb_flush(&s);

	igt_describe("A storm of replaced mappings against 64 faulting threads");
	igt_subtest("storm")
		test_storm(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
