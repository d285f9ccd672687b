// SPDX-License-Identifier: MIT
/*
 * What kinds of memory move to a device, and what it costs when they cannot.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm place
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: migration, placement
 * Description: what moves to a device, and what it costs when it cannot
 *
 * SUBTEST: stuck
 * Description: a page that a pipe holds stays, and those around it are not taken
 *   from the device for it
 *
 * SUBTEST: full
 * Description: a device without room costs its users nothing
 *
 * SUBTEST: zero-parts-of-huge
 * Description: of a huge page the parts that are zero move too
 *
 * SUBTEST: zero-pages
 * Description: pages that were only read so far move, by request and by policy
 *
 * SUBTEST: data-section
 * Description: variables of the program move to the device and back
 *
 * SUBTEST: file-pages
 * Description: pages of a file stay, are counted, and are read where they are
 *
 * SUBTEST: no-access
 * Description: memory made PROT_NONE is found on the device and comes back
 *
 * SUBTEST: untouched
 * Description: to migrate memory that was never touched moves nothing and is no
 *   error; where nothing is mapped it is one
 *
 * SUBTEST: prefetch-untouched
 * Description: memory that was never touched is made in device memory on request
 *
 * SUBTEST: reserved
 * Description: a terabyte of reserved addresses with one page costs one page
 */

IGT_TEST_DESCRIPTION("What moves to device memory, and what it costs when it cannot");

#define PAGES 64
#define BYTES (PAGES * VGEM_SVM_PAGE)
#define BLOCK_PAGES (VGEM_SVM_BLOCK / VGEM_SVM_PAGE)

static uint8_t *block(void)
{
	uint8_t *p = vgem_svm_map_aligned(VGEM_SVM_BLOCK, VGEM_SVM_BLOCK);

	madvise(p, VGEM_SVM_BLOCK, MADV_NOHUGEPAGE);
	return p;
}

static void migrate(struct vgem_svm *s, const void *p, size_t bytes,
		    struct drm_vgem_svm_migrate *result)
{
	igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, p, bytes,
					 DRM_VGEM_SVM_LOC_DEVICE, result), 0);
}

/* Code, stack and batch are mapped, so that what is counted is the test's own. */
static void warm(struct vgem_svm *s)
{
	uint64_t *page = vgem_svm_map(VGEM_SVM_PAGE);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		vgem_svm_run(&s->q, fill, 1, 1, VA(page), VGEM_SVM_PAGE, 1, 1);
		vgem_svm_run(&s->q, touch, 1, 1, VA(page), VGEM_SVM_PAGE, 1);
	}
	vgem_svm_unmap(page, VGEM_SVM_PAGE);
}

/* Writes one word per page, page by page; says how many lost their mapping. */
static uint64_t unmapped_by(struct vgem_svm *s, uint8_t *p, unsigned int pages)
{
	uint64_t before = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_UNMAPPED);

	vgem_svm_run(&s->q, fill, 1, pages, VA(p), VGEM_SVM_PAGE, 1, 1);
	return vgem_svm_counter(s, DRM_VGEM_SVM_CTR_UNMAPPED) - before;
}

static void test_stuck(struct vgem_svm *s)
{
	struct drm_vgem_svm_migrate result;
	uint8_t *p = block(), page[VGEM_SVM_PAGE];
	struct iovec iov = { p, VGEM_SVM_PAGE };
	uint64_t unmapped;
	int fds[2];

	warm(s);
	*p = 1;
	igt_assert_eq(pipe(fds), 0);
	igt_assert_eq(vmsplice(fds[1], &iov, 1, 0), VGEM_SVM_PAGE);
	vgem_svm_prefer(s, p, VGEM_SVM_BLOCK, DRM_VGEM_SVM_LOC_DEVICE);
	unmapped = unmapped_by(s, p + VGEM_SVM_PAGE, BLOCK_PAGES - 1);
	igt_info("%" PRIu64 " pages were taken from the device\n", unmapped);
	/* The held one, each time that it is tried again. */
	igt_assert_lte_u64(unmapped, 64);
	igt_assert_eq(vgem_svm_pages_at(s, p, VGEM_SVM_BLOCK,
					DRM_VGEM_SVM_PAGE_LOCAL),
		      BLOCK_PAGES - 1);
	migrate(s, p, VGEM_SVM_PAGE, &result);
	igt_assert_eq_u64(result.failed, 1);
	igt_assert_eq(read(fds[0], page, sizeof(page)), sizeof(page));
	migrate(s, p, VGEM_SVM_PAGE, &result);
	igt_assert_eq_u64(result.moved, 1);
	close(fds[0]);
	close(fds[1]);
	vgem_svm_prefer(s, p, VGEM_SVM_BLOCK, DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_unmap(p, VGEM_SVM_BLOCK);
}

static void test_full(struct vgem_svm *s)
{
	uint64_t vram = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_BYTES);
	struct drm_vgem_svm_migrate result;
	uint8_t *all, *p = block();

	igt_require_f(vram <= 256UL << 20, "too much device memory to fill\n");
	warm(s);
	all = vgem_svm_map(vram);
	memset(all, 1, vram);
	migrate(s, all, vram, &result);
	igt_assert_eq_u64(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_USED),
			  vram);
	vgem_svm_prefer(s, p, VGEM_SVM_BLOCK, DRM_VGEM_SVM_LOC_DEVICE);
	igt_assert_eq_u64(unmapped_by(s, p, BLOCK_PAGES), 0);
	igt_assert_eq(vgem_svm_pages_at(s, p, VGEM_SVM_BLOCK,
					DRM_VGEM_SVM_PAGE_SYSTEM),
		      BLOCK_PAGES);
	vgem_svm_prefer(s, p, VGEM_SVM_BLOCK, DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_unmap(p, VGEM_SVM_BLOCK);
	vgem_svm_unmap(all, vram);
}

static void test_zero_parts(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map_huge(VGEM_SVM_BLOCK);
	unsigned int i;

	memset(p, 0, VGEM_SVM_BLOCK);
	for (i = 0; i < BLOCK_PAGES; i += 8)
		p[i * VGEM_SVM_PAGE] = 7;
	vgem_svm_move(s, p, VGEM_SVM_BLOCK, DRM_VGEM_SVM_LOC_DEVICE);
	igt_assert_eq(vgem_svm_pages_at(s, p, VGEM_SVM_BLOCK,
					DRM_VGEM_SVM_PAGE_LOCAL), BLOCK_PAGES);
	for (i = 0; i < BLOCK_PAGES; i++)
		igt_assert_eq(p[i * VGEM_SVM_PAGE], i % 8 ? 0 : 7);
	vgem_svm_unmap(p, VGEM_SVM_BLOCK);
}

static void test_zero_pages(struct vgem_svm *s)
{
	uint8_t *asked = vgem_svm_map(BYTES), *preferred = block();
	volatile uint8_t sum = 0;
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		sum += asked[i * VGEM_SVM_PAGE] + preferred[i * VGEM_SVM_PAGE];
	vgem_svm_move(s, asked, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_prefer(s, preferred, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	/* The others of the block come along. */
	vgem_svm_run(&s->q, touch, 1, 1, VA(preferred), 0, 1);
	igt_assert_eq(vgem_svm_pages_at(s, asked, BYTES,
					DRM_VGEM_SVM_PAGE_LOCAL), PAGES);
	igt_assert_eq(vgem_svm_pages_at(s, preferred, BYTES,
					DRM_VGEM_SVM_PAGE_LOCAL), PAGES);
	for (i = 0; i < PAGES; i++)
		igt_assert_eq(asked[i * VGEM_SVM_PAGE] +
			      preferred[i * VGEM_SVM_PAGE], 0);
	vgem_svm_prefer(s, preferred, BYTES, DRM_VGEM_SVM_LOC_DEFAULT);
	vgem_svm_unmap(asked, BYTES);
	vgem_svm_unmap(preferred, VGEM_SVM_BLOCK);
}

/* A private mapping of the program's file, written to. */
static uint64_t variables[BYTES / 8] __attribute__((aligned(4096))) = { 1 };

static void test_data_section(struct vgem_svm *s)
{
	unsigned int words = VGEM_SVM_PAGE / 8, i;

	for (i = 0; i < PAGES; i++)
		variables[i * words] = i;
	vgem_svm_move(s, variables, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	igt_assert_eq(vgem_svm_pages_at(s, variables, BYTES,
					DRM_VGEM_SVM_PAGE_LOCAL), PAGES);
	vgem_svm_run(&s->q, increment, 4, PAGES, VA(variables), VGEM_SVM_PAGE,
		     3, 4);
	igt_assert_eq(vgem_svm_pages_at(s, variables, BYTES,
					DRM_VGEM_SVM_PAGE_LOCAL), PAGES);
	for (i = 0; i < PAGES; i++)
		igt_assert_eq_u64(variables[i * words], i + 3);
}

static void test_file_pages(struct vgem_svm *s)
{
	uint64_t failed = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_TO_DEVICE_FAILED);
	struct drm_vgem_svm_migrate result;
	int fd = memfd_create("place", 0);
	uint8_t *p;

	igt_assert(fd >= 0);
	igt_assert(!ftruncate(fd, BYTES));
	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	igt_assert(p != MAP_FAILED);
	memset(p, 1, BYTES);
	vgem_svm_prefer(s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s->q, increment, 4, PAGES, VA(p), VGEM_SVM_PAGE, 1, 4);
	igt_assert_eq_u64(vgem_svm_counter(s, DRM_VGEM_SVM_CTR_TO_DEVICE_FAILED),
			  failed);
	igt_assert_eq(vgem_svm_pages_mapped(s, p, BYTES), PAGES);
	/* And to ask for it takes no mapping away. */
	migrate(s, p, BYTES, &result);
	igt_assert_eq_u64(result.failed, PAGES);
	igt_assert_eq(vgem_svm_pages_mapped(s, p, BYTES), PAGES);
	vgem_svm_prefer(s, p, BYTES, DRM_VGEM_SVM_LOC_DEFAULT);
	munmap(p, BYTES);
	close(fd);
}

static void test_no_access(struct vgem_svm *s)
{
	uint64_t used = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_USED);
	uint8_t *p = vgem_svm_map(BYTES);
	uint64_t hash;

	vgem_svm_random(p, BYTES, 5);
	hash = vgem_svm_hash(p, BYTES);
	vgem_svm_move(s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s->q, touch, 1, PAGES, VA(p), VGEM_SVM_PAGE, 1);
	igt_assert(!mprotect(p, BYTES, PROT_NONE));
	igt_assert_eq(vgem_svm_pages_at(s, p, BYTES, DRM_VGEM_SVM_PAGE_LOCAL),
		      PAGES);
	igt_assert_eq(vgem_svm_pages_mapped(s, p, BYTES), 0);
	vgem_svm_move(s, p, BYTES, DRM_VGEM_SVM_LOC_SYSTEM);
	igt_assert_eq_u64(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_USED),
			  used);
	igt_assert(!mprotect(p, BYTES, PROT_READ | PROT_WRITE));
	igt_assert(vgem_svm_hash(p, BYTES) == hash);
	vgem_svm_unmap(p, BYTES);
}

static void test_untouched(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map_fresh(BYTES);
	struct drm_vgem_svm_migrate result;

	migrate(s, p, BYTES, &result);
	igt_assert_eq_u64(result.moved + result.there + result.failed, 0);
	igt_assert_eq(vgem_svm_present(p, BYTES), 0);
	vgem_svm_unmap(p, BYTES);
	igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, p, BYTES,
					 DRM_VGEM_SVM_LOC_DEVICE, &result),
		      -EFAULT);
}

static void test_prefetch_untouched(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map_fresh(BYTES);
	struct drm_vgem_svm_migrate args = {
		.vm_id = s->vm, .addr = VA(p), .length = BYTES,
		.location = DRM_VGEM_SVM_LOC_DEVICE,
		.flags = DRM_VGEM_SVM_MIGRATE_POPULATE,
	};
	unsigned int i;

	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_MIGRATE, &args),
		      0);
	igt_assert_eq_u64(args.moved, PAGES);
	igt_assert_eq(vgem_svm_pages_at(s, p, BYTES, DRM_VGEM_SVM_PAGE_LOCAL),
		      PAGES);
	vgem_svm_run(&s->q, increment, 4, PAGES, VA(p), VGEM_SVM_PAGE, 1, 4);
	igt_assert_eq(vgem_svm_pages_at(s, p, BYTES, DRM_VGEM_SVM_PAGE_LOCAL),
		      PAGES);
	for (i = 0; i < PAGES; i++)
		igt_assert_eq_u64(*(uint64_t *)(p + i * VGEM_SVM_PAGE), 1);
	args.location = DRM_VGEM_SVM_LOC_SYSTEM;
	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_MIGRATE, &args),
		      -EINVAL);
	vgem_svm_unmap(p, BYTES);
}

static uint64_t slab_kb(void)
{
	uint64_t kb = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "r");

	igt_assert(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %" SCNu64 " kB", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

static void test_reserved(struct vgem_svm *s)
{
	size_t bytes = 1UL << 40, at = bytes / 3 / VGEM_SVM_PAGE * VGEM_SVM_PAGE;
	struct drm_vgem_svm_migrate result;
	uint64_t slab;
	uint8_t *p;

	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	igt_require_f(p != MAP_FAILED, "no terabyte of addresses\n");
	madvise(p, bytes, MADV_NOHUGEPAGE);
	p[at] = 9;
	slab = slab_kb();
	migrate(s, p, bytes, &result);
	slab = slab_kb() - slab;
	igt_assert_eq_u64(result.moved, 1);
	igt_assert_eq_u64(result.failed, 0);
	/* What a notifier for each 64 MiB would take is more than 3 MiB. */
	igt_assert_f((int64_t)slab < 1024, "%" PRId64 " KiB of slab\n",
		     (int64_t)slab);
	igt_assert_eq(p[at], 9);
	munmap(p, bytes);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
		igt_require_f(vgem_svm_query(s.fd, DRM_VGEM_SVM_PARAM_VRAM_BYTES),
			      "the device has no memory\n");
	}

	igt_describe("A held page stays, and others are not taken from the device for it");
	igt_subtest("stuck")
		test_stuck(&s);

	igt_describe("A device without room costs its users nothing");
	igt_subtest("full")
		test_full(&s);

	igt_describe("Of a huge page the parts that are zero move too");
	igt_subtest("zero-parts-of-huge")
		test_zero_parts(&s);

	igt_describe("Pages that were only read so far move, by request and by policy");
	igt_subtest("zero-pages")
		test_zero_pages(&s);

	igt_describe("Variables of the program move to the device and back");
	igt_subtest("data-section")
		test_data_section(&s);

	igt_describe("Pages of a file stay, are counted, and are used where they are");
	igt_subtest("file-pages")
		test_file_pages(&s);

	igt_describe("Memory made PROT_NONE is found on the device and comes back");
	igt_subtest("no-access")
		test_no_access(&s);

	igt_describe("To migrate what was never touched is no error, what is not mapped is");
	igt_subtest("untouched")
		test_untouched(&s);

	igt_describe("Memory that was never touched is made in device memory on request");
	igt_subtest("prefetch-untouched")
		test_prefetch_untouched(&s);

	igt_describe("A terabyte of reserved addresses with one page costs one page");
	igt_subtest("reserved")
		test_reserved(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
