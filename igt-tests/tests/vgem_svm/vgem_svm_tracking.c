// SPDX-License-Identifier: MIT
/*
 * Who saves a process step by step asks the kernel which pages were written
 * since the last step. What the GPU writes must be among them.
 */

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_uffd.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm tracking
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: tracking of written pages
 * Description: pages that the GPU has written are reported as written
 *
 * SUBTEST: soft-dirty
 * Description: clear_refs and bit 55 of pagemap, wherever the memory is
 *
 * SUBTEST: soft-dirty-running
 * Description: the mark falls while a program writes: its next write shows
 *
 * SUBTEST: wp-async
 * Description: asynchronous write protection and PAGEMAP_SCAN
 *
 * SUBTEST: wp-sync
 * Description: a write to what is write-protected does not get through unseen
 */

IGT_TEST_DESCRIPTION("Pages that the GPU has written are reported as written");

#define PAGES 64U
#define BYTES (PAGES * VGEM_SVM_PAGE)
#define EVERY 8U	/* one page of so many is written after the mark */

#define SOFT_DIRTY_BIT 55

static struct vgem_svm s;

enum place { SYSTEM, DEVICE, CAME_BACK, PLACE_NR };

static const char * const place_names[] = { "system", "device", "came-back" };

/* Pages that the GPU has written before the mark. */
static uint8_t *map_written(enum place place)
{
	uint8_t *p = vgem_svm_map(BYTES);

	memset(p, 1, BYTES);
	if (place != SYSTEM)
		vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s.q, fill, 1, PAGES, VA(p), VGEM_SVM_PAGE, 1, 1);
	if (place != SYSTEM)
		igt_assert_eq(vgem_svm_pages_at(&s, p, BYTES,
						DRM_VGEM_SVM_PAGE_LOCAL),
			      PAGES);
	return p;
}

/* And after it. With CAME_BACK the CPU reads all of them before they are asked. */
static void write_some(uint8_t *p, enum place place)
{
	unsigned int i;

	vgem_svm_run(&s.q, fill, 1, PAGES / EVERY, VA(p), EVERY * VGEM_SVM_PAGE,
		     1000, 1);
	for (i = 0; place == CAME_BACK && i < PAGES; i++)
		vgem_svm_peek((uint64_t *)(p + i * VGEM_SVM_PAGE));
}

/* @exact: no others are named, which what has come back from a device may be. */
static void check_some(const bool *written, const char *what, bool exact)
{
	unsigned int i, missed = 0, more = 0;

	for (i = 0; i < PAGES; i++) {
		missed += i % EVERY == 0 && !written[i];
		more += i % EVERY && written[i];
	}
	igt_info("%s: %u of %u written pages are missing, %u more are named\n",
		 what, missed, PAGES / EVERY, more);
	igt_assert_f(!missed, "%s: %u of %u pages that the GPU has written are not reported\n",
		     what, missed, PAGES / EVERY);
	igt_assert_f(!exact || more < PAGES - PAGES / EVERY,
		     "%s: all pages are reported\n", what);
}

/* ---- soft-dirty --------------------------------------------------------- */

static void clear_soft_dirty(void)
{
	igt_assert_eq(vgem_svm_write_file("/proc/self/clear_refs", "4"), 0);
}

static void read_soft_dirty(const void *p, bool *written)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entries[PAGES];
	unsigned int i;

	igt_assert(fd >= 0);
	igt_assert_eq_u64(pread(fd, entries, sizeof(entries),
				VA(p) / VGEM_SVM_PAGE * sizeof(*entries)),
			  sizeof(entries));
	for (i = 0; i < PAGES; i++)
		written[i] = entries[i] >> SOFT_DIRTY_BIT & 1;
	close(fd);
}

static void require_soft_dirty(void)
{
	uint8_t *p = vgem_svm_map(BYTES);
	bool written[PAGES];

	*p = 1;
	read_soft_dirty(p, written);
	vgem_svm_unmap(p, BYTES);
	igt_require_f(written[0], "no soft-dirty bits in this kernel\n");
}

static void test_soft_dirty(enum place place)
{
	uint8_t *p = map_written(place);
	bool written[PAGES];

	clear_soft_dirty();
	write_some(p, place);
	read_soft_dirty(p, written);
	check_some(written, place_names[place], place != CAME_BACK);
	vgem_svm_unmap(p, BYTES);
}

/* Between two marks the program writes all pages at least once. */
static void test_soft_dirty_running(enum place place)
{
	unsigned int rounds = vgem_svm_scaled(10), i, k, missed = 0;
	uint8_t *p = vgem_svm_map(BYTES);
	struct vgem_svm_work w;
	bool written[PAGES];

	memset(p, 0, BYTES);
	if (place == DEVICE)
		vgem_svm_move(&s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_work_start(&w, &s.q, p, PAGES, false);
	for (k = 0; k < rounds; k++) {
		clear_soft_dirty();
		vgem_svm_work_go_on(&w, 2, "clear_refs");
		read_soft_dirty(p, written);
		for (i = 0; i < PAGES; i++)
			missed += !written[i];
	}
	vgem_svm_work_finish(&w);
	vgem_svm_unmap(p, BYTES);
	igt_assert_f(!missed, "%u of %u writes are not reported\n", missed,
		     rounds * PAGES);
}

/* ---- write protection --------------------------------------------------- */

static void scan_written(const void *p, bool *written)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), n, i;
	struct page_region regions[PAGES];
	struct pm_scan_arg args = {
		.size = sizeof(args),
		.start = VA(p),
		.end = VA(p) + BYTES,
		.vec = VA(regions),
		.vec_len = PAGES,
		.category_mask = PAGE_IS_WRITTEN,
		.return_mask = PAGE_IS_WRITTEN,
	};
	uint64_t page;

	igt_assert(fd >= 0);
	n = ioctl(fd, PAGEMAP_SCAN, &args);
	igt_assert_f(n >= 0, "PAGEMAP_SCAN: %s\n", strerror(errno));
	memset(written, 0, PAGES * sizeof(*written));
	for (i = 0; i < n; i++)
		for (page = regions[i].start; page < regions[i].end;
		     page += VGEM_SVM_PAGE)
			written[(page - VA(p)) / VGEM_SVM_PAGE] = true;
	close(fd);
}

static void test_wp_async(enum place place)
{
	int fd = vgem_svm_uffd_open(UFFD_FEATURE_WP_ASYNC |
				    UFFD_FEATURE_WP_UNPOPULATED);
	uint8_t *p = map_written(place);
	bool written[PAGES];

	vgem_svm_uffd_register(fd, p, BYTES, UFFDIO_REGISTER_MODE_WP);
	vgem_svm_uffd_protect(fd, p, BYTES, true);
	write_some(p, place);
	scan_written(p, written);
	check_some(written, place_names[place], place != CAME_BACK);
	close(fd);
	vgem_svm_unmap(p, BYTES);
}

/*
 * Either the handler is told and the write waits for it, or it is refused. In
 * no case is anything written before.
 */
static void test_wp_sync(enum place place)
{
	int fd = vgem_svm_uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP), status;
	uint64_t *p = (uint64_t *)map_written(place), *out = calloc(1, 8);
	struct vgem_svm_queue q;
	struct uffd_msg msg;
	bool told;

	vgem_svm_queue_init(&q, s.fd, s.vm, 0, 0);
	vgem_svm_uffd_register(fd, p, BYTES, UFFDIO_REGISTER_MODE_WP);
	vgem_svm_uffd_protect(fd, p, BYTES, true);
	vgem_svm_run(&q, sum, 1, 1, VA(p), 8, VA(out), 1);
	igt_assert_eq_u64(*out, 1);
	vgem_svm_start(&q, store_at, 1, VA(p), 99);
	told = vgem_svm_uffd_event(fd, 1, &msg);
	igt_assert_eq_u64(vgem_svm_peek(p), 1);
	if (told) {
		igt_assert(msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP);
		vgem_svm_uffd_protect(fd, p, BYTES, false);
		vgem_svm_wait(&q);
		igt_assert_eq_u64(vgem_svm_peek(p), 99);
	} else {
		status = __vgem_svm_wait(&q, 5);
		igt_assert_f(status == DRM_VGEM_SVM_QUEUE_FAULT,
			     "nobody was told of the write, and the queue is %s\n",
			     vgem_svm_status_name(status));
		igt_assert_eq_u64(vgem_svm_peek(p), 1);
	}
	igt_info("the write %s\n", told ? "waited for the handler" : "was refused");
	vgem_svm_queue_fini(&q);
	close(fd);
	vgem_svm_unmap(p, BYTES);
	free(out);
}

static void all_places(void (*test)(enum place place), enum place last)
{
	enum place place;

	for (place = SYSTEM; place <= last; place++)
		igt_dynamic(place_names[place])
			test(place);
}

int igt_main()
{
	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	igt_describe("Pages that the GPU writes after clear_refs have bit 55 in pagemap");
	igt_subtest_with_dynamic("soft-dirty") {
		require_soft_dirty();
		all_places(test_soft_dirty, CAME_BACK);
	}

	igt_describe("A program that writes on is seen again after each clear_refs");
	igt_subtest_with_dynamic("soft-dirty-running") {
		require_soft_dirty();
		all_places(test_soft_dirty_running, DEVICE);
	}

	igt_describe("With asynchronous write protection PAGEMAP_SCAN names what the GPU has written");
	igt_subtest_with_dynamic("wp-async")
		all_places(test_wp_async, CAME_BACK);

	igt_describe("Nothing is written to write-protected memory without the handler's consent");
	igt_subtest_with_dynamic("wp-sync")
		all_places(test_wp_sync, DEVICE);

	igt_fixture()
		vgem_svm_fini(&s);
}
