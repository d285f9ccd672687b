// SPDX-License-Identifier: MIT
/*
 * Memory that is not anonymous: files that are only read, files that are
 * written back, code that is written anew, mappings of drivers.
 */

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/udmabuf.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm files
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: memory that is not anonymous
 * Description: files, code and mappings of drivers
 *
 * SUBTEST: private-read
 * Description: reads of a private file mapping copy nothing
 *
 * SUBTEST: writeback-steps
 * Description: what was written before a sync is on the disk after it
 *
 * SUBTEST: writeback-running
 * Description: the same while the program writes on, and after a remount
 *
 * SUBTEST: code-in-place
 * Description: code that is written anew between launches
 *
 * SUBTEST: code-protection
 * Description: the same with the protection going to and fro
 *
 * SUBTEST: code-device
 * Description: the same with the code in the device
 *
 * SUBTEST: code-two-views
 * Description: the same through a second mapping
 *
 * SUBTEST: code-mapped-anew
 * Description: the same with munmap() and mmap() in between
 *
 * SUBTEST: driver-mappings
 * Description: a read of a mapping of a driver has the right value or is refused
 */

IGT_TEST_DESCRIPTION("Files, code and mappings of drivers");

static struct vgem_svm s;

/* ---- reads of a private mapping ----------------------------------------- */

#define READ_BYTES (8UL << 20)
#define READ_PAGES (READ_BYTES / VGEM_SVM_PAGE)

/* A file whose page i begins with i, and is filled with i. */
static int numbered_file(unsigned int pages)
{
	uint64_t page[VGEM_SVM_PAGE / 8];
	int fd = memfd_create("numbered", MFD_CLOEXEC);
	unsigned int i, k;

	igt_assert(fd >= 0);
	for (i = 0; i < pages; i++) {
		for (k = 0; k < VGEM_SVM_PAGE / 8; k++)
			page[k] = i;
		igt_assert(write(fd, page, sizeof(page)) == sizeof(page));
	}
	return fd;
}

static uint64_t anonymous_kb(void)
{
	return vgem_svm_read_number("/proc/self/status", "RssAnon");
}

static void test_private_read(uint32_t flags)
{
	uint64_t *out = calloc(1, 8), *p, word, before;
	int fd = numbered_file(READ_PAGES);
	struct vgem_svm v;

	p = mmap(NULL, READ_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	igt_assert(p != MAP_FAILED);
	vgem_svm_init(&v, 0, flags);
	vgem_svm_warm_up(&v);
	vgem_svm_run(&v.q, sum, 1, 1, VA(p), 8, VA(out), 1);
	before = anonymous_kb();
	*out = 0;
	vgem_svm_run(&v.q, sum, 16, READ_PAGES, VA(p), VGEM_SVM_PAGE, VA(out),
		     16);
	igt_assert_eq_u64(*out, READ_PAGES * (READ_PAGES - 1) / 2);
	igt_assert_lte_u64(anonymous_kb(), before + 1024);
	/* One write copies its page, and the file is as it was. */
	vgem_svm_run(&v.q, fill, 1, 1, VA(p + 100 * VGEM_SVM_PAGE / 8), 8, 4711,
		     1);
	igt_assert_eq_u64(p[100 * VGEM_SVM_PAGE / 8], 4711);
	igt_assert_lte_u64(anonymous_kb(), before + 2048);
	igt_assert(pread(fd, &word, 8, 100 * VGEM_SVM_PAGE) == 8);
	igt_assert_eq_u64(word, 100);
	vgem_svm_unmap(p, READ_BYTES);
	vgem_svm_fini(&v);
	close(fd);
	free(out);
}

/* ---- writeback ---------------------------------------------------------- */

#define DISK_PAGES 32U
#define DISK_BYTES (DISK_PAGES * VGEM_SVM_PAGE)
#define DISK_DIR "/tmp/vgem_svm-ext4"

/* A file of a disk, mapped, and open past its cache. */
struct disk {
	int fd;
	int direct;
	uint8_t *p;
	uint64_t *image;
};

static void disk_mount(bool make)
{
	if (make)
		igt_require_f(!system("mkdir -p " DISK_DIR " && truncate -s 32M "
				      DISK_DIR ".img && mkfs.ext4 -q -F -b 4096 "
				      DISK_DIR ".img >/dev/null 2>&1"),
			      "no file system can be made here\n");
	igt_require_f(!system("mount -o loop " DISK_DIR ".img " DISK_DIR),
		      "no loop device with ext4\n");
}

static void disk_open(struct disk *d)
{
	disk_mount(true);
	d->fd = open(DISK_DIR "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	igt_assert(d->fd >= 0 && !ftruncate(d->fd, DISK_BYTES));
	d->direct = open(DISK_DIR "/file", O_RDONLY | O_DIRECT | O_CLOEXEC);
	igt_assert(d->direct >= 0);
	d->p = mmap(NULL, DISK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		    d->fd, 0);
	igt_assert(d->p != MAP_FAILED);
	d->image = vgem_svm_map(DISK_BYTES);
}

static void disk_unmap(struct disk *d)
{
	vgem_svm_unmap(d->p, DISK_BYTES);
	close(d->direct);
	close(d->fd);
}

static void disk_remove(struct disk *d)
{
	vgem_svm_unmap(d->image, DISK_BYTES);
	igt_assert(!system("umount " DISK_DIR " && rm -r " DISK_DIR " "
			   DISK_DIR ".img"));
}

static void disk_sync(struct disk *d, unsigned int how)
{
	switch (how % 4) {
	case 0:
		igt_assert(!fsync(d->fd));
		break;
	case 1:
		igt_assert(!msync(d->p, DISK_BYTES, MS_SYNC));
		break;
	case 2:
		igt_assert(!sync_file_range(d->fd, 0, DISK_BYTES,
					    SYNC_FILE_RANGE_WAIT_BEFORE |
					    SYNC_FILE_RANGE_WRITE |
					    SYNC_FILE_RANGE_WAIT_AFTER));
		break;
	default:
		sync();
	}
}

/* What is on the disk: the first word of a page. */
static uint64_t disk_word(const struct disk *d, unsigned int page)
{
	return d->image[page * VGEM_SVM_PAGE / 8];
}

static void disk_read(struct disk *d)
{
	igt_assert(pread(d->direct, d->image, DISK_BYTES, 0) == DISK_BYTES);
}

static void test_writeback_steps(void)
{
	struct disk d;
	unsigned int k, i;

	disk_open(&d);
	for (k = 1; k <= 8; k++) {
		vgem_svm_run(&s.q, fill, 1, DISK_PAGES, VA(d.p), VGEM_SVM_PAGE,
			     k * 1000, 1);
		disk_sync(&d, k);
		disk_read(&d);
		for (i = 0; i < DISK_PAGES; i++)
			igt_assert_eq_u64(disk_word(&d, i), k * 1000 + i);
	}
	disk_unmap(&d);
	disk_remove(&d);
}

static void test_writeback_running(void)
{
	unsigned int rounds = vgem_svm_scaled(24), k, i;
	struct vgem_svm_work w;
	struct disk d;
	uint64_t laps;

	disk_open(&d);
	vgem_svm_work_start(&w, &s.q, d.p, DISK_PAGES, false);
	for (k = 0; k < rounds; k++) {
		laps = vgem_svm_work_laps(&w);
		disk_sync(&d, k);
		disk_read(&d);
		for (i = 0; i < DISK_PAGES; i++)
			igt_assert_lte_u64(laps, disk_word(&d, i));
		vgem_svm_work_go_on(&w, 1, "a sync");
	}
	laps = vgem_svm_work_finish(&w);
	disk_unmap(&d);
	igt_assert(!system("umount " DISK_DIR));
	disk_mount(false);
	d.direct = open(DISK_DIR "/file", O_RDONLY | O_DIRECT | O_CLOEXEC);
	disk_read(&d);
	close(d.direct);
	for (i = 0; i < DISK_PAGES; i++)
		igt_assert_eq_u64(disk_word(&d, i), laps);
	disk_remove(&d);
}

/* ---- code that is written anew ------------------------------------------ */

static struct vgem_svm_queue other_engine;

/* addi a2, a2, n; sd a2, 0(a1); ret */
static void emit(uint32_t *code, unsigned int n)
{
	code[1] = 0x00c5b023;
	code[2] = 0x00008067;
	__atomic_store_n(&code[0], 0x00060613 | n << 20, __ATOMIC_RELEASE);
}

static void run_code(struct vgem_svm_queue *q, const void *code, unsigned int n)
{
	uint64_t *out = calloc(1, 8);

	__vgem_svm_start(q, VA(code), 1, (const uint64_t[7]) { VA(out), 1000 });
	vgem_svm_wait(q);
	igt_assert_f(*out == 1000 + n, "code of an earlier time has run: %" PRIu64
		     ", should be %u\n", *out, 1000 + n);
	free(out);
}

static void check_code(const void *code, unsigned int n)
{
	run_code(&s.q, code, n);
	run_code(&other_engine, code, n);
}

static void protect_code(uint32_t *code, int prot)
{
	igt_assert(!mprotect(code, VGEM_SVM_PAGE, prot));
}

enum code_way { IN_PLACE, PROTECTION, IN_DEVICE, MAPPED_ANEW };

static void write_code(uint32_t *code, enum code_way way, unsigned int n)
{
	if (way == PROTECTION)
		protect_code(code, PROT_READ | PROT_WRITE);
	if (way == MAPPED_ANEW) {
		vgem_svm_unmap(code, VGEM_SVM_PAGE);
		igt_assert(mmap(code, VGEM_SVM_PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
				0) == code);
	}
	emit(code, n);
	if (way == PROTECTION)
		protect_code(code, n % 2 ? PROT_READ : PROT_READ | PROT_EXEC);
	if (way == IN_DEVICE)
		vgem_svm_move(&s, code, VGEM_SVM_PAGE, DRM_VGEM_SVM_LOC_DEVICE);
}

static void test_code(enum code_way way)
{
	unsigned int rounds = vgem_svm_scaled(40), i;
	uint32_t *code = vgem_svm_map(VGEM_SVM_PAGE);

	vgem_svm_queue_init(&other_engine, s.fd, s.vm, 1, 0);
	for (i = 0; i < rounds; i++) {
		write_code(code, way, i + 1);
		check_code(code, i + 1);
	}
	if (way == PROTECTION) {
		protect_code(code, PROT_NONE);
		__vgem_svm_start(&other_engine, VA(code), 1,
				 (const uint64_t[7]) { VA(code), 1000 });
		vgem_svm_wait_dead(&other_engine, DRM_VGEM_SVM_QUEUE_FAULT);
	}
	vgem_svm_queue_fini(&other_engine);
	vgem_svm_unmap(code, VGEM_SVM_PAGE);
}

static void test_two_views(void)
{
	unsigned int rounds = vgem_svm_scaled(40), i;
	int fd = memfd_create("code", MFD_CLOEXEC);
	uint32_t *written, *run;

	igt_assert(fd >= 0 && !ftruncate(fd, VGEM_SVM_PAGE));
	written = mmap(NULL, VGEM_SVM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       fd, 0);
	run = mmap(NULL, VGEM_SVM_PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd,
		   0);
	igt_assert(written != MAP_FAILED && run != MAP_FAILED);
	vgem_svm_queue_init(&other_engine, s.fd, s.vm, 1, 0);
	for (i = 0; i < rounds; i++) {
		emit(written, i + 1);
		check_code(run, i + 1);
	}
	vgem_svm_queue_fini(&other_engine);
	vgem_svm_unmap(written, VGEM_SVM_PAGE);
	vgem_svm_unmap(run, VGEM_SVM_PAGE);
	close(fd);
}

/* ---- mappings of drivers ------------------------------------------------ */

static void *map_fd(int fd, size_t length, uint64_t offset)
{
	return fd < 0 ? NULL : mmap(NULL, length, PROT_READ | PROT_WRITE,
				    MAP_SHARED, fd, offset);
}

/* A buffer of a DRM driver, by its own mapping or by that of its dma-buf. */
static void *map_dumb(const char *driver, bool prime)
{
	uint32_t handle, pitch;
	uint64_t bytes, offset;
	int fd, buf = -1;

	fd = drmOpenWithType(driver, NULL, DRM_NODE_PRIMARY);
	if (fd < 0 || drmModeCreateDumbBuffer(fd, 64, 64, 32, 0, &handle,
					      &pitch, &bytes))
		return NULL;
	if (!prime)
		return drmModeMapDumbBuffer(fd, handle, &offset) ? NULL :
		       map_fd(fd, bytes, offset);
	if (drmPrimeHandleToFD(fd, handle, DRM_CLOEXEC | DRM_RDWR, &buf))
		return NULL;
	return map_fd(buf, bytes, 0);
}

static void *map_own_gem(void)
{
	return map_dumb("vgem_svm", false);
}

static void *map_own_dmabuf(void)
{
	return map_dumb("vgem_svm", true);
}

static void *map_other_gem(void)
{
	return system("modprobe -q vgem") ? NULL : map_dumb("vgem", false);
}

static void *map_other_dmabuf(void)
{
	return system("modprobe -q vgem") ? NULL : map_dumb("vgem", true);
}

static void *map_dma_heap(void)
{
	struct dma_heap_allocation_data args = {
		.len = VGEM_SVM_PAGE,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int fd = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &args))
		return NULL;
	return map_fd(args.fd, VGEM_SVM_PAGE, 0);
}

static void *map_udmabuf(void)
{
	struct udmabuf_create args = { .size = VGEM_SVM_PAGE };
	int fd = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	args.memfd = memfd_create("udmabuf", MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(args.memfd, VGEM_SVM_PAGE) ||
	    fcntl(args.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return NULL;
	return map_fd(ioctl(fd, UDMABUF_CREATE, &args), VGEM_SVM_PAGE, 0);
}

static void *map_vdso(void)
{
	return (void *)getauxval(AT_SYSINFO_EHDR);
}

/* The page before the vdso that the kernel's clock changes. */
static void *map_vvar(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[256];
	void *p = NULL;

	while (f && !p && fgets(line, sizeof(line), f))
		if (strstr(line, "[vvar]"))
			p = (void *)strtoull(line, NULL, 16);
	if (f)
		fclose(f);
	/* Behind what it counts. */
	return p ? (uint8_t *)p + 2048 : NULL;
}

static void *map_zero(void)
{
	return map_fd(open("/dev/zero", O_RDWR | O_CLOEXEC), VGEM_SVM_PAGE, 0);
}

static void *map_perf(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
	};

	return map_fd(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0),
		      2 * VGEM_SVM_PAGE, 0);
}

static void *map_io_uring(void)
{
	struct io_uring_params params = {};

	return map_fd(syscall(SYS_io_uring_setup, 4, &params), VGEM_SVM_PAGE,
		      IORING_OFF_SQ_RING);
}

/**
 * struct driver_mapping - a mapping whose memory is a driver's
 * @name: what it is
 * @map: makes it; NULL or MAP_FAILED if it cannot be had here
 * @write: the GPU may write it without harm
 */
static const struct driver_mapping {
	const char *name;
	void *(*map)(void);
	bool write;
} mappings[] = {
	{ "own-gem", map_own_gem, true },
	{ "own-dma-buf", map_own_dmabuf, true },
	{ "other-gem", map_other_gem, true },
	{ "other-dma-buf", map_other_dmabuf, true },
	{ "dma-heap", map_dma_heap, true },
	{ "udmabuf", map_udmabuf, true },
	{ "vdso", map_vdso, false },
	{ "vvar", map_vvar, false },
	{ "dev-zero", map_zero, true },
	{ "perf-ring", map_perf, false },
	{ "io-uring", map_io_uring, false },
};

/* Return: the access was allowed; it ends in time in any case. */
static bool try_access(uint64_t *p, uint64_t *out, bool write)
{
	struct vgem_svm_queue q;
	int status;

	vgem_svm_queue_init(&q, s.fd, s.vm, 0, 0);
	if (write)
		vgem_svm_start(&q, store_at, 1, VA(p), 0x77);
	else
		vgem_svm_start(&q, load_at, 1, VA(p), VA(out));
	status = __vgem_svm_wait(&q, 10);
	vgem_svm_queue_fini(&q);
	igt_assert_f(!status || status == DRM_VGEM_SVM_QUEUE_FAULT,
		     "the queue is %s\n", vgem_svm_status_name(status));
	return !status;
}

static void test_mapping(const struct driver_mapping *m)
{
	uint64_t *p = m->map(), *out = calloc(1, 8), before;
	bool read, written = false;

	igt_require_f(p && p != MAP_FAILED, "there is no %s here\n", m->name);
	before = vgem_svm_peek(p);
	read = try_access(p, out, false);
	if (read)
		igt_assert_eq_u64(*out, before);
	if (m->write) {
		written = try_access(p, out, true);
		igt_assert_eq_u64(vgem_svm_peek(p), written ? 0x77 : before);
	}
	igt_info("%s: read %s, write %s\n", m->name, read ? "served" : "refused",
		 !m->write ? "not tried" : written ? "served" : "refused");
	vgem_svm_run(&s.q, fill, 1, 1, VA(out), 8, 5, 1);
	igt_assert_eq_u64(*out, 5);
	free(out);
}

static void code_tests(void)
{
	igt_describe("Each launch runs the newest code, on both engines");
	igt_subtest("code-in-place")
		test_code(IN_PLACE);

	igt_describe("The same with the protection of the code going to and fro");
	igt_subtest("code-protection")
		test_code(PROTECTION);

	igt_describe("The same with the code in the device");
	igt_subtest("code-device")
		test_code(IN_DEVICE);

	igt_describe("The same with code that is written through another mapping");
	igt_subtest("code-two-views")
		test_two_views();

	igt_describe("The same with the mapping replaced in between");
	igt_subtest("code-mapped-anew")
		test_code(MAPPED_ANEW);
}

int igt_main()
{
	unsigned int i;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	igt_describe("Reads of a private file mapping copy nothing, one write copies one page");
	igt_subtest_with_dynamic("private-read") {
		igt_dynamic("map")
			test_private_read(0);
		igt_dynamic("migrate-on-fault")
			test_private_read(DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
	}

	igt_describe("What the GPU has written before a sync is on the disk after it");
	igt_subtest("writeback-steps")
		test_writeback_steps();

	igt_describe("The same while the program writes on; the last of it is there after a remount");
	igt_subtest("writeback-running")
		test_writeback_running();

	code_tests();

	igt_describe("A read of a driver's mapping gives the right value or is refused in time");
	igt_subtest_with_dynamic("driver-mappings")
		for (i = 0; i < sizeof(mappings) / sizeof(*mappings); i++)
			igt_dynamic(mappings[i].name)
				test_mapping(&mappings[i]);

	igt_fixture()
		vgem_svm_fini(&s);
}
