// SPDX-License-Identifier: MIT
/*
 * Kinds of memory: files, shared memory, huge pages, locked, merged, swapped
 * and lazily freed pages. Whatever the kernel does with them, what the GPU
 * wrote is not lost.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm memory
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: kinds of memory, reclaim
 * Description: files, shared memory, huge pages, swapped and lazily freed pages
 *
 * SUBTEST: file-shared
 * Description: GPU writes to a shared file mapping are in the file
 *
 * SUBTEST: file-private
 * Description: GPU writes to a private file mapping are not in the file
 *
 * SUBTEST: shmem
 * Description: anonymous shared memory, seen by another process
 *
 * SUBTEST: memfd
 * Description: two mappings of one memfd: the GPU writes one, the CPU reads the
 *   other
 *
 * SUBTEST: hugetlb
 * Description: hugetlb pages
 *
 * SUBTEST: thp
 * Description: transparent huge pages, and their split
 *
 * SUBTEST: thp-partial-unmap
 * Description: a part of a huge page goes, the rest stays right
 *
 * SUBTEST: mlock
 * Description: locked memory, there and back
 *
 * SUBTEST: read-only-file
 * Description: the GPU reads an executable's own text
 *
 * SUBTEST: ksm
 * Description: merged pages are split by a GPU write
 *
 * SUBTEST: swap
 * Description: GPU writes survive swap-out, also to pages that only the CPU has
 *   read since
 *
 * SUBTEST: madv-free
 * Description: a page freed lazily and then written by the GPU stays
 *
 * SUBTEST: madv-free-migrated
 * Description: the same for a page that was in device memory in between
 *
 * SUBTEST: pageout-migrated
 * Description: reclaim leaves device memory's data alone
 *
 * SUBTEST: compaction
 * Description: pages move in memory while a program writes them
 *
 * SUBTEST: drop-tables
 * Description: page tables of the GPU that nobody needs go when caches are
 *   dropped, and are made again
 *
 * SUBTEST: drop-tables-running
 * Description: the same over and over while programs run
 */

IGT_TEST_DESCRIPTION("Kinds of memory");

#define PAGES 64
#define BYTES (PAGES * VGEM_SVM_PAGE)

static uint64_t *cell(void *p, unsigned int i)
{
	return (uint64_t *)((uint8_t *)p + i * VGEM_SVM_PAGE);
}

static void gpu_fill(struct vgem_svm *s, void *p, uint64_t value)
{
	vgem_svm_run(&s->q, fill, 4, PAGES, VA(p), VGEM_SVM_PAGE, value, 4);
}

static void check_cells(void *p, uint64_t first)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		igt_assert_f(*cell(p, i) == first + i,
			     "page %u holds %" PRIu64 ", should hold %" PRIu64
			     ": a write was lost\n", i, *cell(p, i), first + i);
}

/* ---- files and shared memory -------------------------------------------- */

static int temporary_file(void)
{
	char path[] = "/var/tmp/vgem_svm.XXXXXX";
	int fd = mkstemp(path);

	igt_assert(fd >= 0);
	unlink(path);
	igt_assert(!posix_fallocate(fd, 0, BYTES));
	return fd;
}

static void test_file(struct vgem_svm *s, int flags)
{
	uint64_t word, in_file = flags == MAP_SHARED ? 300 : 0;
	int fd = temporary_file();
	unsigned int i;
	void *p;

	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
	igt_assert(p != MAP_FAILED);
	gpu_fill(s, p, 300);
	check_cells(p, 300);
	igt_assert(!msync(p, BYTES, MS_SYNC));
	for (i = 0; i < PAGES; i++) {
		igt_assert_eq(pread(fd, &word, 8, i * VGEM_SVM_PAGE), 8);
		igt_assert_eq_u64(word, in_file ? in_file + i : 0);
	}
	/* Written back is clean: a write after it must be known as well. */
	gpu_fill(s, p, in_file ? 500 : 300);
	vgem_svm_unmap(p, BYTES);
	igt_assert_eq(pread(fd, &word, 8, VGEM_SVM_PAGE), 8);
	igt_assert_eq_u64(word, in_file ? 501 : 0);
	close(fd);
}

static int child_sees(void *data)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		CHILD_CHECK(*cell(data, i) == 40 + i);
	*cell(data, 0) = 99;
	return 0;
}

static void test_shmem(struct vgem_svm *s)
{
	uint64_t *out = calloc(1, 8);
	void *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	igt_assert(p != MAP_FAILED);
	gpu_fill(s, p, 40);
	vgem_svm_in_child(child_sees, p, "shared memory in a child");
	vgem_svm_run(&s->q, load_at, 1, VA(p), VA(out));
	igt_assert_eq_u64(*out, 99);
	vgem_svm_unmap(p, BYTES);
	free(out);
}

static void test_memfd(struct vgem_svm *s)
{
	int fd = memfd_create("vgem_svm", MFD_CLOEXEC);
	uint64_t *out = calloc(1, 8);
	void *a, *b;

	igt_assert(fd >= 0 && !ftruncate(fd, BYTES));
	a = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	igt_assert(a != MAP_FAILED && b != MAP_FAILED);
	gpu_fill(s, a, 60);
	check_cells(b, 60);
	*cell(b, 5) = 12345;
	vgem_svm_run(&s->q, load_at, 1, VA(cell(a, 5)), VA(out));
	igt_assert_eq_u64(*out, 12345);
	/* Truncated and grown again, the file is new to the GPU too. */
	igt_assert(!ftruncate(fd, 0) && !ftruncate(fd, BYTES));
	vgem_svm_run(&s->q, load_at, 1, VA(cell(a, 5)), VA(out));
	igt_assert_eq_u64(*out, 0);
	vgem_svm_unmap(a, BYTES);
	vgem_svm_unmap(b, BYTES);
	close(fd);
	free(out);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t ret = fd < 0 ? -1 : write(fd, text, strlen(text));

	igt_require_f(ret >= 0, "%s: %s\n", path, strerror(errno));
	close(fd);
}

static void test_hugetlb(struct vgem_svm *s)
{
	size_t bytes = VGEM_SVM_BLOCK;
	void *p;

	write_file("/proc/sys/vm/nr_hugepages", "4");
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	igt_require_f(p != MAP_FAILED, "no hugetlb pages: %s\n",
		      strerror(errno));
	gpu_fill(s, p, 70);
	check_cells(p, 70);
	*cell(p, 511) = 5;
	vgem_svm_run(&s->q, increment, 1, 1, VA(cell(p, 511)), 0, 2, 1);
	igt_assert_eq_u64(*cell(p, 511), 7);
	vgem_svm_unmap(p, bytes);
	write_file("/proc/sys/vm/nr_hugepages", "0");
}

static void test_thp(struct vgem_svm *s, bool unmap_part)
{
	uint8_t *p = vgem_svm_map_huge(VGEM_SVM_BLOCK);
	unsigned int i;

	memset(p, 0, VGEM_SVM_BLOCK);
	vgem_svm_run(&s->q, fill, 8, 512, VA(p), VGEM_SVM_PAGE, 11, 8);
	if (unmap_part)
		vgem_svm_unmap(p + 256 * VGEM_SVM_PAGE, 16 * VGEM_SVM_PAGE);
	else
		igt_assert(!madvise(p + 256 * VGEM_SVM_PAGE, VGEM_SVM_PAGE,
				    MADV_DONTNEED));
	vgem_svm_run(&s->q, increment, 8, 256, VA(p), VGEM_SVM_PAGE, 1, 8);
	for (i = 0; i < 256; i++)
		igt_assert_eq_u64(*cell(p, i), 12 + i);
	igt_assert_eq_u64(*cell(p, 300), 311);
	if (!unmap_part)
		igt_assert_eq_u64(*cell(p, 256), 0);
	munmap(p, VGEM_SVM_BLOCK);
}

static void test_mlock(struct vgem_svm *s)
{
	void *p = vgem_svm_map(BYTES);

	igt_require_f(!mlock(p, BYTES), "mlock: %s\n", strerror(errno));
	gpu_fill(s, p, 80);
	vgem_svm_move(s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	vgem_svm_run(&s->q, increment, 4, PAGES, VA(p), VGEM_SVM_PAGE, 1, 4);
	check_cells(p, 81);
	vgem_svm_unmap(p, BYTES);
}

static void test_read_only_file(struct vgem_svm *s)
{
	const uint64_t *text = (const uint64_t *)(VA(test_mlock) & ~7ULL);
	uint64_t *out = calloc(1, 8);

	vgem_svm_run(&s->q, load_at, 1, VA(text), VA(out));
	igt_assert_eq_u64(*out, *text);
	free(out);
}

/* ---- KSM ---------------------------------------------------------------- */

static uint64_t read_number(const char *path)
{
	unsigned long long value = 0;
	FILE *f = fopen(path, "r");

	if (!f)
		return 0;
	if (fscanf(f, "%llu", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

#define KSM "/sys/kernel/mm/ksm/"

/* What is the same shares a page then. */
static void ksm_scan(void)
{
	uint64_t scans = read_number(KSM "full_scans");
	unsigned int i;

	write_file(KSM "run", "1");
	for (i = 0; i < 300 && read_number(KSM "full_scans") < scans + 4; i++)
		usleep(10000);
	igt_info("%" PRIu64 " pages share others\n",
		 read_number(KSM "pages_sharing"));
	write_file(KSM "run", "0");
}

/*
 * Contents of a page in device memory cannot be compared, so one that is KSM's does
 * not go there. More that is the same comes, and is compared with it.
 */
static void ksm_stays(struct vgem_svm *s, uint8_t *p)
{
	uint8_t *more = vgem_svm_map(BYTES);
	struct drm_vgem_svm_migrate result;

	igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, p, BYTES,
					 DRM_VGEM_SVM_LOC_DEVICE, &result), 0);
	igt_assert_eq_u64(result.moved, 0);
	igt_assert_eq_u64(result.failed, PAGES);
	memset(more, 0x3c, BYTES);
	igt_assert(!madvise(more, BYTES, MADV_MERGEABLE));
	ksm_scan();
	vgem_svm_unmap(more, BYTES);
}

static void test_ksm(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map(BYTES);
	unsigned int i;

	igt_require_f(!access(KSM "run", W_OK), "no KSM in this kernel\n");
	memset(p, 0x3c, BYTES);
	vgem_svm_run(&s->q, touch, 1, PAGES, VA(p), VGEM_SVM_PAGE, 1);
	igt_assert(!madvise(p, BYTES, MADV_MERGEABLE));
	write_file(KSM "sleep_millisecs", "0");
	write_file(KSM "pages_to_scan", "10000");
	ksm_scan();
	igt_assert(read_number(KSM "pages_sharing"));
	ksm_stays(s, p);
	/* Half of them are written; the others keep the common page. */
	vgem_svm_run(&s->q, fill, 4, PAGES / 2, VA(p), VGEM_SVM_PAGE, 5, 4);
	for (i = 0; i < PAGES; i++)
		igt_assert_eq_u64(*cell(p, i), i < PAGES / 2 ? 5 + i :
				  0x3c3c3c3c3c3c3c3cULL);
	vgem_svm_unmap(p, BYTES);
}

/* ---- reclaim ------------------------------------------------------------ */

#define GROUP "/sys/fs/cgroup/vgem_svm_test"

static void enter_group(void)
{
	char pid[32];

	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755))
		igt_require_f(errno == EEXIST, "cgroup: %s\n", strerror(errno));
	igt_require_f(!access(GROUP "/memory.reclaim", W_OK),
		      "no memory.reclaim in this kernel\n");
	snprintf(pid, sizeof(pid), "%d", getpid());
	write_file(GROUP "/cgroup.procs", pid);
}

/* Asks for much; what cannot be had is no error here. */
static void reclaim(void)
{
	int fd = open(GROUP "/memory.reclaim", O_WRONLY), i;

	igt_assert(fd >= 0);
	for (i = 0; i < 4; i++)
		if (write(fd, "64M", 3) < 0)
			igt_assert(errno == EAGAIN || errno == EINTR);
	close(fd);
}

static void reclaim_until_swapped(void *p)
{
	int i;

	for (i = 0; i < 20 && vgem_svm_swapped(p, BYTES) < PAGES / 2; i++) {
		/* The first pass writes, a later one frees. */
		madvise(p, BYTES, MADV_PAGEOUT);
		reclaim();
	}
	igt_assert_f(vgem_svm_swapped(p, BYTES) >= PAGES / 2,
		     "%u of %u pages were swapped out\n",
		     vgem_svm_swapped(p, BYTES), PAGES);
}

static void require_swap(void)
{
	char line[256];
	FILE *f = fopen("/proc/swaps", "r");
	bool swap = f && fgets(line, sizeof(line), f) &&
		    fgets(line, sizeof(line), f);

	if (f)
		fclose(f);
	igt_require_f(swap, "no swap\n");
}

static void test_swap(struct vgem_svm *s)
{
	volatile uint64_t sum = 0;
	uint8_t *p = vgem_svm_map(BYTES);
	unsigned int round, i;

	require_swap();
	enter_group();
	memset(p, 0, BYTES);
	for (round = 1; round <= 3; round++) {
		gpu_fill(s, p, 1000 * round);
		reclaim_until_swapped(p);
		/*
		 * Read by the CPU: mapped writable but clean, with a copy in
		 * swap. Then only the GPU writes, and its write must count.
		 */
		for (i = 0; i < PAGES; i++)
			sum += *cell(p, i);
		check_cells(p, 1000 * round);
		gpu_fill(s, p, 1000 * round + 500);
		reclaim_until_swapped(p);
		check_cells(p, 1000 * round + 500);
		igt_info("round %u: %u pages were in swap\n", round,
			 vgem_svm_swapped(p, BYTES));
	}
	vgem_svm_unmap(p, BYTES);
}

/* One CPU frees pages, some of which it keeps in hand, and another moves them. */
static void free_and_move(struct vgem_svm *s, void *p)
{
	cpu_set_t cpus;

	igt_assert(!sched_getaffinity(0, sizeof(cpus), &cpus));
	vgem_svm_run_on(&cpus, 0);
	igt_assert(!madvise(p, BYTES, MADV_FREE));
	vgem_svm_run_on(&cpus, 1);
	igt_assert(!sched_setaffinity(0, sizeof(cpus), &cpus));
	vgem_svm_move(s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
}

static void test_madv_free(struct vgem_svm *s, bool migrated)
{
	uint8_t *p = vgem_svm_map(BYTES);
	unsigned int round;

	enter_group();
	for (round = 1; round <= 5; round++) {
		memset(p, 0x77, BYTES);
		if (migrated)
			free_and_move(s, p);
		else
			igt_assert(!madvise(p, BYTES, MADV_FREE));
		gpu_fill(s, p, 2000 * round);
		if (migrated)
			vgem_svm_move(s, p, BYTES, DRM_VGEM_SVM_LOC_SYSTEM);
		madvise(p, BYTES, MADV_PAGEOUT);
		reclaim();
		check_cells(p, 2000 * round);
	}
	vgem_svm_unmap(p, BYTES);
}

static void test_pageout_migrated(struct vgem_svm *s)
{
	uint8_t *p = vgem_svm_map(BYTES);

	enter_group();
	memset(p, 0, BYTES);
	vgem_svm_move(s, p, BYTES, DRM_VGEM_SVM_LOC_DEVICE);
	gpu_fill(s, p, 90);
	madvise(p, BYTES, MADV_COLD);
	madvise(p, BYTES, MADV_PAGEOUT);
	reclaim();
	igt_assert_eq(vgem_svm_pages_at(s, p, BYTES, DRM_VGEM_SVM_PAGE_LOCAL),
		      PAGES);
	vgem_svm_run(&s->q, increment, 4, PAGES, VA(p), VGEM_SVM_PAGE, 1, 4);
	check_cells(p, 91);
	vgem_svm_unmap(p, BYTES);
}

static void test_compaction(struct vgem_svm *s)
{
	unsigned int rounds = vgem_svm_scaled(5000), n = 0;
	uint8_t *p = vgem_svm_map(BYTES);

	igt_require_f(!access("/proc/sys/vm/compact_memory", W_OK),
		      "no compaction in this kernel\n");
	gpu_fill(s, p, 0);
	vgem_svm_start(&s->q, increment, 8, PAGES, VA(p), VGEM_SVM_PAGE, rounds,
		       8);
	while (__vgem_svm_wait(&s->q, 0) == -ETIME && n++ < 10)
		write_file("/proc/sys/vm/compact_memory", "1");
	vgem_svm_wait(&s->q);
	check_cells(p, rounds);
	vgem_svm_unmap(p, BYTES);
}

/* ---- page tables of the GPU ---------------------------------------------- */

/* Each in a GiB of its own, so that it has two tables of its own. */
#define PLACES		64
#define PLACE_BYTES	(1UL << 30)

struct tables {
	long long all;
	long long shrunk;
};

/* Of all address spaces of all devices; ours are the only ones. */
static struct tables count_tables(void)
{
	struct tables sum = {}, one;
	char path[64], line[256];
	unsigned int minor;
	FILE *f;

	/* Render nodes show the same. */
	for (minor = 0; minor < 64; minor++) {
		snprintf(path, sizeof(path),
			 "/sys/kernel/debug/dri/%u/vgem_svm_vms", minor);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f)) {
			if (sscanf(line, "format vgem_svm, %lld tables, %lld shrunk",
				   &one.all, &one.shrunk) != 2)
				continue;
			sum.all += one.all;
			sum.shrunk += one.shrunk;
		}
		if (f)
			fclose(f);
	}
	return sum;
}

static void drop_caches(void)
{
	write_file("/proc/sys/vm/drop_caches", "2");
}

static uint64_t *place(uint8_t *p, unsigned int i)
{
	return (uint64_t *)(p + i * PLACE_BYTES);
}

static uint8_t *map_places(void)
{
	uint8_t *p;

	igt_require_f(!access("/sys/kernel/debug/dri", R_OK), "no debugfs\n");
	igt_require_f(!access("/proc/sys/vm/drop_caches", W_OK),
		      "caches cannot be dropped\n");
	p = vgem_svm_map_aligned(PLACES * PLACE_BYTES, PLACE_BYTES);
	madvise(p, PLACES * PLACE_BYTES, MADV_NOHUGEPAGE);
	return p;
}

/* The GPU writes a word at each place, and nothing else is there. */
static void fill_places(struct vgem_svm_queue *q, uint8_t *p, uint64_t value)
{
	unsigned int i, k;

	vgem_svm_run(q, fill, 4, PLACES, VA(p), PLACE_BYTES, value, 4);
	for (i = 0; i < PLACES; i++) {
		igt_assert_eq_u64(place(p, i)[0], value + i);
		for (k = 1; k < VGEM_SVM_PAGE / 8; k++)
			igt_assert_eq_u64(place(p, i)[k], 0);
	}
}

/* Pages go, not addresses: nobody but the shrinker takes the tables then. */
static void empty_places(uint8_t *p)
{
	igt_assert(!madvise(p, PLACES * PLACE_BYTES, MADV_DONTNEED));
}

/* The same page by page: tables stay where the GPU finds them, and keeps them. */
static void empty_pages(uint8_t *p)
{
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		igt_assert(!madvise(place(p, i), VGEM_SVM_PAGE, MADV_DONTNEED));
}

/* They are freed when nobody can be looking any more. */
static struct tables wait_for_tables(long long most)
{
	unsigned int left = 100 * vgem_svm_patience(10);
	struct tables now = count_tables();

	while (now.all > most && left--) {
		usleep(10000);
		now = count_tables();
	}
	igt_assert_f(now.all <= most,
		     "there are %lld tables, should be %lld at most\n", now.all,
		     most);
	return now;
}

static void test_drop_tables(struct vgem_svm *s)
{
	uint8_t *p = map_places(), *kept = vgem_svm_map(BYTES);
	struct tables full, empty, now;
	uint64_t faults;

	gpu_fill(s, kept, 60);
	fill_places(&s->q, p, 1000);
	full = count_tables();
	igt_assert_f(full.all > 2 * PLACES, "%lld tables for %d places\n",
		     full.all, PLACES);
	empty_places(p);
	empty = count_tables();
	drop_caches();
	now = wait_for_tables(full.all - 2 * PLACES);
	igt_info("%lld tables, emptied: %lld, dropped: %lld, of them %lld by the shrinker\n",
		 full.all, empty.all, now.all, now.shrunk - full.shrunk);
	igt_assert_eq_u64(empty.all, full.all);
	igt_assert(now.shrunk - full.shrunk >= 2 * PLACES);

	/* What is mapped is not touched. */
	faults = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_FAULTS);
	gpu_fill(s, kept, 70);
	igt_assert_eq_u64(vgem_svm_counter(s, DRM_VGEM_SVM_CTR_FAULTS), faults);
	check_cells(kept, 70);
	fill_places(&s->q, p, 5000);
	now = count_tables();
	igt_assert_f(now.all > 2 * PLACES, "%lld tables for %d places\n",
		     now.all, PLACES);
	vgem_svm_unmap(p, PLACES * PLACE_BYTES);
	vgem_svm_unmap(kept, BYTES);
}

/* Not through igt, which is for one thread. */
static void *drop_on(void *stop)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	ssize_t done = 1;

	while (!vgem_svm_peek(stop) && done == 1) {
		done = pwrite(fd, "2", 1, 0);
		usleep(1000);
	}
	close(fd);
	return done == 1 ? NULL : stop;
}

static void test_drop_tables_running(struct vgem_svm *s)
{
	unsigned int rounds = vgem_svm_scaled(20), i;
	uint8_t *p = map_places();
	uint8_t *kept = vgem_svm_map(BYTES);
	uint64_t *stop = vgem_svm_map(2 * VGEM_SVM_PAGE);
	uint64_t *last = stop + VGEM_SVM_PAGE / 8;
	struct tables before = count_tables(), now;
	struct vgem_svm_queue q;
	pthread_t thread;
	void *failed;

	igt_require_f(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_NR_ENGINES) > 1,
		      "needs two engines\n");
	/* Without a line in the log for each time. */
	write_file("/proc/sys/vm/drop_caches", "4");
	vgem_svm_queue_init(&q, s->fd, s->vm, 1, 0);
	vgem_svm_start(&s->q, write_on, 4, VA(kept), VGEM_SVM_PAGE, VA(last),
		       VA(stop));
	igt_assert(!pthread_create(&thread, NULL, drop_on, stop));
	for (i = 0; i < rounds; i++) {
		fill_places(&q, p, 100000 * i + 1);
		if (i % 2)
			empty_places(p);
		else
			empty_pages(p);
		/* The program is never kept from its pages for long. */
		vgem_svm_wait_change(cell(kept, i % 4), "a word that is written on and on");
	}
	vgem_svm_poke(stop, 1);
	pthread_join(thread, &failed);
	igt_assert(!failed);
	vgem_svm_wait(&s->q);
	for (i = 0; i < 4; i++)
		igt_assert_eq_u64(*cell(kept, i), last[i * 8]);
	now = count_tables();
	igt_info("%u rounds, %lld tables went\n", rounds,
		 now.shrunk - before.shrunk);
	igt_assert(now.shrunk - before.shrunk > PLACES);
	vgem_svm_queue_fini(&q);
	vgem_svm_unmap(p, PLACES * PLACE_BYTES);
	vgem_svm_unmap(kept, BYTES);
	vgem_svm_unmap(stop, 2 * VGEM_SVM_PAGE);
}

static void kinds(struct vgem_svm *s)
{
	igt_describe("GPU writes to a shared file mapping are in the file");
	igt_subtest("file-shared")
		test_file(s, MAP_SHARED);

	igt_describe("GPU writes to a private file mapping are not in the file");
	igt_subtest("file-private")
		test_file(s, MAP_PRIVATE);

	igt_describe("Shared memory is seen by another process");
	igt_subtest("shmem")
		test_shmem(s);

	igt_describe("Two mappings of one memfd; truncation");
	igt_subtest("memfd")
		test_memfd(s);

	igt_describe("Pages of hugetlbfs");
	igt_subtest("hugetlb")
		test_hugetlb(s);

	igt_describe("A transparent huge page, and a page of it thrown away");
	igt_subtest("thp")
		test_thp(s, false);

	igt_describe("A part of a transparent huge page is unmapped");
	igt_subtest("thp-partial-unmap")
		test_thp(s, true);

	igt_describe("Locked memory moves there and back");
	igt_subtest("mlock")
		test_mlock(s);

	igt_describe("The GPU reads the executable's own text");
	igt_subtest("read-only-file")
		test_read_only_file(s);

	igt_describe("Merged pages are split by a GPU write");
	igt_subtest("ksm")
		test_ksm(s);
}

static void reclaims(struct vgem_svm *s)
{
	igt_describe("GPU writes survive swap-out, also to pages that the CPU has only read since");
	igt_subtest("swap")
		test_swap(s);

	igt_describe("A page freed lazily and then written by the GPU stays");
	igt_subtest("madv-free")
		test_madv_free(s, false);

	igt_describe("A page freed lazily and written in device memory stays");
	igt_subtest("madv-free-migrated")
		test_madv_free(s, true);

	igt_describe("Reclaim leaves data in device memory alone");
	igt_subtest("pageout-migrated")
		test_pageout_migrated(s);

	igt_describe("Pages move in memory while a program writes them");
	igt_subtest("compaction")
		test_compaction(s);

	igt_describe("The GPU's page tables that nobody needs go when caches are dropped");
	igt_subtest("drop-tables")
		test_drop_tables(s);

	igt_describe("The GPU's page tables go over and over while programs run");
	igt_subtest("drop-tables-running")
		test_drop_tables_running(s);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	kinds(&s);
	reclaims(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
