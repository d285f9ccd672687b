// SPDX-License-Identifier: MIT
/*
 * What tests of vgem_svm share: devices, queues, GPU programs, memory.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/* All in one page, so that a queue that has run once has none of it to fault. */
#define BATCH_SLOTS	32
#define BATCH_WORDS	16
#define STACK_BYTES	(VGEM_SVM_QUEUE_STACKS / DRM_VGEM_SVM_RESIDENT_THREADS)

/* ---- how much, how long ------------------------------------------------- */

double vgem_svm_scale(void)
{
	const char *text = getenv("VGEM_SVM_SCALE");
	double scale = text ? atof(text) : 1.0;

	return scale > 0 ? scale : 1.0;
}

unsigned int vgem_svm_scaled(unsigned int n)
{
	unsigned int scaled = n * vgem_svm_scale();

	return scaled ? scaled : 1;
}

int vgem_svm_patience(int seconds)
{
	double scale = vgem_svm_scale();

	return scale < 1.0 ? seconds / scale : seconds;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/* ---- devices ------------------------------------------------------------ */

static bool is_vgem_svm(int fd)
{
	drmVersionPtr version = drmGetVersion(fd);
	bool yes = version && !strcmp(version->name, "vgem_svm");

	drmFreeVersion(version);
	return yes;
}

int vgem_svm_open(unsigned int index)
{
	char path[64];
	int node, fd;

	for (node = 128; node < 192; node++) {
		snprintf(path, sizeof(path), "/dev/dri/renderD%d", node);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_vgem_svm(fd) && !index--)
			return fd;
		close(fd);
	}
	return -1;
}

unsigned int vgem_svm_count(void)
{
	unsigned int n = 0;
	int fd;

	while ((fd = vgem_svm_open(n)) >= 0) {
		close(fd);
		n++;
	}
	return n;
}

void vgem_svm_require(unsigned int devices)
{
	unsigned int found = vgem_svm_count();

	if (!found) {
		/* By name, as udev would; the path is modprobe's business. */
		if (system("modprobe -q vgem_svm"))
			igt_debug("vgem_svm cannot be loaded\n");
		found = vgem_svm_count();
	}
	igt_require_f(found >= devices, "%u vgem_svm devices, %u are needed\n",
		      found, devices);
	igt_info("VGEM_SVM_SCALE %g\n", vgem_svm_scale());
}

/* ---- ioctls ------------------------------------------------------------- */

int __vgem_svm_ioctl(int fd, unsigned long request, void *arg)
{
	return drmIoctl(fd, request, arg) ? -errno : 0;
}

int __vgem_svm_query(int fd, uint32_t query, void *data, uint32_t *size)
{
	struct drm_vgem_svm_query args = {
		.query = query,
		.size = *size,
		.data = VA(data),
	};
	int ret = __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_QUERY, &args);

	*size = args.size;
	return ret;
}

int __vgem_svm_vm_create(int fd, uint32_t flags, uint32_t *vm)
{
	struct drm_vgem_svm_vm_create args = { .flags = flags };
	int ret = __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_VM_CREATE, &args);

	*vm = args.vm_id;
	return ret;
}

int __vgem_svm_vm_destroy(int fd, uint32_t vm)
{
	struct drm_vgem_svm_vm_destroy args = { .vm_id = vm };

	return __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_VM_DESTROY, &args);
}

int __vgem_svm_queue_destroy(int fd, uint32_t queue)
{
	struct drm_vgem_svm_queue_destroy args = { .queue_id = queue };

	return __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_QUEUE_DESTROY, &args);
}

int __vgem_svm_queue_query(int fd, uint32_t queue,
			   struct drm_vgem_svm_queue_query *query)
{
	memset(query, 0, sizeof(*query));
	query->queue_id = queue;
	return __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_QUEUE_QUERY, query);
}

int __vgem_svm_exec(struct vgem_svm_queue *q, const uint64_t *words,
		    unsigned int nr)
{
	struct drm_vgem_svm_exec args = {
		.queue_id = q->id,
		.flags = DRM_VGEM_SVM_EXEC_EVENT,
		.batch_addr = VA(words),
		.batch_bytes = nr * 8,
	};
	int ret = __vgem_svm_ioctl(q->fd, DRM_IOCTL_VGEM_SVM_EXEC, &args);

	if (!ret)
		q->given++;
	return ret;
}

int __vgem_svm_migrate(int fd, uint32_t vm, const void *addr, size_t length,
		       uint32_t location, struct drm_vgem_svm_migrate *result)
{
	memset(result, 0, sizeof(*result));
	result->vm_id = vm;
	result->addr = VA(addr);
	result->length = length;
	result->location = location;
	return __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_MIGRATE, result);
}

int __vgem_svm_attr_set(int fd, uint32_t vm, const void *addr, size_t length,
			uint64_t value)
{
	struct drm_vgem_svm_attr args = {
		.vm_id = vm,
		.attr = DRM_VGEM_SVM_ATTR_PREFERRED_LOC,
		.addr = VA(addr),
		.length = length,
		.value = value,
	};

	return __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_ATTR_SET, &args);
}

int __vgem_svm_attr_get(int fd, uint32_t vm, const void *addr, uint64_t *value)
{
	struct drm_vgem_svm_attr args = {
		.vm_id = vm,
		.attr = DRM_VGEM_SVM_ATTR_PREFERRED_LOC,
		.addr = VA(addr),
		.length = VGEM_SVM_PAGE,
	};
	int ret = __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_ATTR_GET, &args);

	*value = args.value;
	return ret;
}

int __vgem_svm_residency(int fd, uint32_t vm, const void *addr, size_t length,
			 uint8_t *pages)
{
	struct drm_vgem_svm_residency args = {
		.vm_id = vm,
		.addr = VA(addr),
		.length = length,
		.pages = VA(pages),
		.stride = sizeof(*pages),
	};

	return __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_RESIDENCY, &args);
}

int __vgem_svm_counters(int fd, uint32_t vm, uint64_t *values, uint32_t *nr)
{
	struct drm_vgem_svm_counters args = {
		.vm_id = vm,
		.nr = *nr,
		.values = VA(values),
	};
	int ret = __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_COUNTERS, &args);

	*nr = args.nr;
	return ret;
}

int __vgem_svm_faults(int fd, uint32_t vm, struct drm_vgem_svm_fault *faults,
		      uint32_t *nr, uint64_t *total)
{
	struct drm_vgem_svm_faults args = {
		.vm_id = vm,
		.nr = *nr,
		.stride = sizeof(*faults),
		.faults = VA(faults),
	};
	int ret = __vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_FAULTS, &args);

	*nr = args.nr;
	*total = args.total;
	return ret;
}

/* ---- asserting ---------------------------------------------------------- */

uint64_t vgem_svm_query(int fd, uint32_t param)
{
	uint64_t values[DRM_VGEM_SVM_PARAM_NR];
	uint32_t size = sizeof(values);

	igt_assert_eq(__vgem_svm_query(fd, DRM_VGEM_SVM_QUERY_PARAMS, values,
				       &size), 0);
	igt_assert((param + 1) * sizeof(*values) <= size);
	return values[param];
}

uint32_t vgem_svm_status(const struct vgem_svm_queue *q)
{
	struct drm_vgem_svm_queue_query query;

	igt_assert_eq(__vgem_svm_queue_query(q->fd, q->id, &query), 0);
	return query.status;
}

uint64_t vgem_svm_counter(const struct vgem_svm *s, unsigned int counter)
{
	uint64_t values[DRM_VGEM_SVM_CTR_NR] = {};
	uint32_t nr = DRM_VGEM_SVM_CTR_NR;

	igt_assert_eq(__vgem_svm_counters(s->fd, s->vm, values, &nr), 0);
	igt_assert(counter < nr);
	return values[counter];
}

uint8_t vgem_svm_where(const struct vgem_svm *s, const void *addr)
{
	uint64_t page = VA(addr) & ~(VGEM_SVM_PAGE - 1);
	uint8_t state;

	igt_assert_eq(__vgem_svm_residency(s->fd, s->vm, (void *)page,
					   VGEM_SVM_PAGE, &state), 0);
	return state;
}

static unsigned int count_pages(const struct vgem_svm *s, const void *addr,
				size_t length, uint8_t mask, uint8_t value)
{
	unsigned int n = length / VGEM_SVM_PAGE, i, hits = 0;
	uint8_t *pages = malloc(n);

	igt_assert(pages);
	igt_assert_eq(__vgem_svm_residency(s->fd, s->vm, addr, length, pages),
		      0);
	for (i = 0; i < n; i++)
		hits += (pages[i] & mask) == value;
	free(pages);
	return hits;
}

unsigned int vgem_svm_pages_at(const struct vgem_svm *s, const void *addr,
			       size_t length, uint8_t location)
{
	return count_pages(s, addr, length, DRM_VGEM_SVM_PAGE_LOCATION,
			   location);
}

unsigned int vgem_svm_pages_mapped(const struct vgem_svm *s, const void *addr,
				   size_t length)
{
	return count_pages(s, addr, length, DRM_VGEM_SVM_PAGE_MAPPED,
			   DRM_VGEM_SVM_PAGE_MAPPED);
}

void vgem_svm_prefer(const struct vgem_svm *s, const void *addr, size_t length,
		     uint64_t location)
{
	igt_assert_eq(__vgem_svm_attr_set(s->fd, s->vm, addr, length, location),
		      0);
}

void vgem_svm_run_on(const cpu_set_t *cpus, unsigned int n)
{
	cpu_set_t one;
	int cpu = -1;

	n %= CPU_COUNT(cpus);
	do {
		while (!CPU_ISSET(++cpu, cpus))
			;
	} while (n--);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	igt_assert(!sched_setaffinity(0, sizeof(one), &one));
}

/* Once: the kernel waits for who holds a page for a moment, and a CPU is no excuse. */
void vgem_svm_move(const struct vgem_svm *s, const void *addr, size_t length,
		   uint32_t location)
{
	uint64_t pages = length / VGEM_SVM_PAGE;
	struct drm_vgem_svm_migrate result;

	igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, addr, length, location,
					 &result), 0);
	igt_assert_eq_u64(result.moved + result.there + result.failed, pages);
	igt_assert_f(!result.failed, "%" PRIu64 " of %" PRIu64
		     " pages would not move to %s memory\n",
		     (uint64_t)result.failed, pages,
		     location == DRM_VGEM_SVM_LOC_DEVICE ? "device" : "system");
}

/* ---- address spaces and queues ------------------------------------------ */

void vgem_svm_queue_init_flags(struct vgem_svm_queue *q, int fd, uint32_t vm,
			       unsigned int engine, uint64_t budget, uint32_t flags)
{
	struct drm_vgem_svm_queue_create args = {
		.vm_id = vm,
		.flags = flags,
		.engine_class = DRM_VGEM_SVM_ENGINE_COMPUTE,
		.engine_instance = engine,
		.budget = budget,
	};

	memset(q, 0, sizeof(*q));
	q->fd = fd;
	q->vm = vm;
	q->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	igt_assert(q->event >= 0);
	args.eventfd = q->event;
	igt_assert_eq(__vgem_svm_ioctl(fd, DRM_IOCTL_VGEM_SVM_QUEUE_CREATE,
				       &args), 0);
	igt_assert(args.queue_id);
	q->id = args.queue_id;
	q->batch = vgem_svm_map(BATCH_SLOTS * BATCH_WORDS * 8);
	q->stack = vgem_svm_map(VGEM_SVM_QUEUE_STACKS);
}

void vgem_svm_queue_init(struct vgem_svm_queue *q, int fd, uint32_t vm,
			 unsigned int engine, uint64_t budget)
{
	vgem_svm_queue_init_flags(q, fd, vm, engine, budget, 0);
}

void vgem_svm_queue_fini(struct vgem_svm_queue *q)
{
	igt_assert_eq(__vgem_svm_queue_destroy(q->fd, q->id), 0);
	close(q->event);
	vgem_svm_unmap(q->batch, BATCH_SLOTS * BATCH_WORDS * 8);
	vgem_svm_unmap(q->stack, VGEM_SVM_QUEUE_STACKS);
}

void vgem_svm_init(struct vgem_svm *s, unsigned int index, uint32_t flags)
{
	memset(s, 0, sizeof(*s));
	s->fd = vgem_svm_open(index);
	igt_require_f(s->fd >= 0, "no vgem_svm device %u\n", index);
	igt_assert_eq(__vgem_svm_vm_create(s->fd, flags, &s->vm), 0);
	igt_assert(s->vm);
	vgem_svm_queue_init(&s->q, s->fd, s->vm, 0, 0);
}

void vgem_svm_fini(struct vgem_svm *s)
{
	vgem_svm_queue_fini(&s->q);
	igt_assert_eq(__vgem_svm_vm_destroy(s->fd, s->vm), 0);
	close(s->fd);
}

/* ---- GPU programs ------------------------------------------------------- */

uint64_t vgem_svm_program(uint64_t offset)
{
	static void *image;

	if (!image) {
		/* Plain memory of the heap: the GPU fetches what it can read. */
		igt_assert(!posix_memalign(&image, VGEM_SVM_PAGE,
					   2 * VGEM_SVM_PAGE));
		memset(image, 0, 2 * VGEM_SVM_PAGE);
		memcpy(image, vgem_svm_programs_image,
		       sizeof(vgem_svm_programs_image));
	}
	return VA(image) + offset;
}

void __vgem_svm_start(struct vgem_svm_queue *q, uint64_t entry,
		      uint64_t threads, const uint64_t args[7])
{
	uint64_t *batch = q->batch + q->given % BATCH_SLOTS * BATCH_WORDS;

	batch[0] = DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_LAUNCH,
				    DRM_VGEM_SVM_LAUNCH_WORDS);
	batch[1] = entry;
	batch[2] = threads;
	batch[3] = VA(q->stack);
	batch[4] = STACK_BYTES;
	memcpy(&batch[5], args, 7 * sizeof(*args));
	igt_assert_eq(__vgem_svm_exec(q, batch, DRM_VGEM_SVM_LAUNCH_WORDS), 0);
}

const char *vgem_svm_status_name(int status)
{
	static const char * const names[] = {
		"OK", "PACKET", "INSN", "ALIGN", "BUDGET", "STACK", "VA",
		"BUS", "FAULT", "KILLED", "RESET", "ENTRY",
	};

	if (status == -ETIME)
		return "still running";
	if (status < 0 || status >= (int)(sizeof(names) / sizeof(*names)))
		return "unknown";
	return names[status];
}

int __vgem_svm_wait(struct vgem_svm_queue *q, int seconds)
{
	uint64_t end = now_ms() + 1000ULL * vgem_svm_patience(seconds), value;
	struct drm_vgem_svm_queue_query query;
	struct pollfd pfd = { .fd = q->event, .events = POLLIN };

	for (;;) {
		igt_assert_eq(__vgem_svm_queue_query(q->fd, q->id, &query), 0);
		if (query.status)
			return query.status;
		if (query.completed >= q->given)
			return 0;
		if (now_ms() >= end)
			return -ETIME;
		if (poll(&pfd, 1, 100) == 1 &&
		    read(q->event, &value, sizeof(value)) < 0)
			igt_assert_eq(errno, EAGAIN);
	}
}

static void explain_death(struct vgem_svm_queue *q)
{
	struct drm_vgem_svm_queue_query query;
	struct drm_vgem_svm_fault fault;
	uint64_t total = 0;
	uint32_t nr = 1;

	if (__vgem_svm_queue_query(q->fd, q->id, &query))
		return;
	igt_info("queue %u: %s, address %#" PRIx64 ", pc %#" PRIx64
		 ", thread %u, insn %#x, %" PRIu64 " of %" PRIu64
		 " batches done\n", q->id, vgem_svm_status_name(query.status),
		 (uint64_t)query.addr, (uint64_t)query.pc, query.thread,
		 query.insn, (uint64_t)query.completed, q->given);
	if (!__vgem_svm_faults(q->fd, q->vm, &fault, &nr, &total) && nr)
		igt_info("last of %" PRIu64 " faults that were not served: address %#"
			 PRIx64 ", access %u, %s\n", total,
			 (uint64_t)fault.addr, fault.access,
			 strerror(fault.error));
}

void vgem_svm_wait(struct vgem_svm_queue *q)
{
	int status = __vgem_svm_wait(q, 60);

	if (status)
		explain_death(q);
	igt_assert_f(status != DRM_VGEM_SVM_QUEUE_BUS,
		     "bus error: the GPU used an address that is not mapped for DMA any more\n");
	igt_assert_f(!status, "the GPU program should have ended well: %s\n",
		     vgem_svm_status_name(status));
}

void vgem_svm_wait_dead(struct vgem_svm_queue *q, uint32_t status)
{
	int found = __vgem_svm_wait(q, 20);

	if (found != (int)status)
		explain_death(q);
	igt_assert_f(found, "the GPU program ended well, but should have died of %s\n",
		     vgem_svm_status_name(status));
	igt_assert_f(found != -ETIME,
		     "the queue should be dead of %s, but lives: its error was acknowledged as success\n",
		     vgem_svm_status_name(status));
	igt_assert_f(found == (int)status, "the queue died of %s instead of %s\n",
		     vgem_svm_status_name(found), vgem_svm_status_name(status));
}

/* ---- memory ------------------------------------------------------------- */

void *vgem_svm_map_aligned(size_t length, size_t align)
{
	uint8_t *p = mmap(NULL, length + align, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t head;

	igt_assert(p != MAP_FAILED);
	head = (align - VA(p) % align) % align;
	if (head)
		munmap(p, head);
	if (align > head)
		munmap(p + head + length, align - head);
	return p + head;
}

void *vgem_svm_map(size_t length)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	igt_assert(p != MAP_FAILED);
	madvise(p, length, MADV_NOHUGEPAGE);
	return p;
}

void *vgem_svm_map_fresh(size_t length)
{
	static uintptr_t next = 0x600000000000UL;
	void *p = mmap((void *)next, length, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	igt_assert(p == (void *)next);
	next += (length + (1UL << 30)) & -(1UL << 30);
	madvise(p, length, MADV_NOHUGEPAGE);
	return p;
}

void *vgem_svm_map_huge(size_t length)
{
	void *p = vgem_svm_map_aligned(length, VGEM_SVM_BLOCK);

	igt_require_f(!madvise(p, length, MADV_HUGEPAGE),
		      "no transparent huge pages in this kernel\n");
	return p;
}

void vgem_svm_unmap(void *addr, size_t length)
{
	igt_assert(!munmap(addr, length));
}

static unsigned int pagemap_count(const void *addr, size_t length, int bit)
{
	unsigned int n = length / VGEM_SVM_PAGE, i, hits = 0;
	uint64_t *entries = calloc(n, sizeof(*entries));
	int fd = open("/proc/self/pagemap", O_RDONLY);

	igt_assert(fd >= 0 && entries);
	igt_assert_eq_u64(pread(fd, entries, n * sizeof(*entries),
				VA(addr) / VGEM_SVM_PAGE * sizeof(*entries)),
			  n * sizeof(*entries));
	for (i = 0; i < n; i++)
		hits += entries[i] >> bit & 1;
	free(entries);
	close(fd);
	return hits;
}

unsigned int vgem_svm_present(const void *addr, size_t length)
{
	return pagemap_count(addr, length, 63);
}

unsigned int vgem_svm_swapped(const void *addr, size_t length)
{
	return pagemap_count(addr, length, 62);
}

void vgem_svm_random(void *addr, size_t length, uint64_t seed)
{
	uint64_t *word = addr, x = seed * 0x9e3779b97f4a7c15ULL + 1;
	size_t i;

	for (i = 0; i < length / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		word[i] = x;
	}
}

uint64_t vgem_svm_hash(const void *addr, size_t length)
{
	const uint64_t *word = addr;
	uint64_t hash = length;
	size_t i;

	for (i = 0; i < length / 8; i++)
		hash = (hash ^ word[i]) * 0x100000001b3ULL + (hash >> 29);
	return hash;
}

/* ---- waiting and children ----------------------------------------------- */

void vgem_svm_wait_word(const uint64_t *word, uint64_t value, const char *what)
{
	uint64_t end = now_ms() + 1000ULL * vgem_svm_patience(20);

	while (vgem_svm_peek(word) != value && now_ms() < end)
		usleep(100);
	igt_assert_f(vgem_svm_peek(word) == value,
		     "%s: still %#" PRIx64 ", should be %#" PRIx64 "\n", what,
		     vgem_svm_peek(word), value);
}

void vgem_svm_wait_change(const uint64_t *word, const char *what)
{
	uint64_t end = now_ms() + 1000ULL * vgem_svm_patience(20);
	uint64_t old = vgem_svm_peek(word);

	while (vgem_svm_peek(word) == old && now_ms() < end)
		usleep(100);
	igt_assert_f(vgem_svm_peek(word) != old, "%s: still %#" PRIx64 "\n",
		     what, old);
}

pid_t vgem_svm_fork(int (*fn)(void *data), void *data)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	igt_assert(pid >= 0);
	if (!pid) {
		/* A failed assertion must not go on with the parent's tests. */
		if (sigsetjmp(igt_subtest_jmpbuf, 1))
			_exit(98);
		_exit(fn(data));
	}
	return pid;
}

/* Where a process hangs in the kernel. */
static void show_stack(pid_t pid)
{
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		igt_info("%s", line);
	if (f)
		fclose(f);
}

int vgem_svm_reap(pid_t pid, int seconds)
{
	uint64_t end = now_ms() + 1000ULL * vgem_svm_patience(seconds);
	int status;
	pid_t ret;

	while (!(ret = waitpid(pid, &status, WNOHANG)) && now_ms() < end)
		usleep(1000);
	if (!ret) {
		show_stack(pid);
		kill(pid, SIGKILL);
	}
	igt_assert_f(ret == pid, "process %d did not end in %d s\n", pid,
		     vgem_svm_patience(seconds));
	return status;
}

void vgem_svm_in_child(int (*fn)(void *data), void *data, const char *what)
{
	int status = vgem_svm_reap(vgem_svm_fork(fn, data), 60);

	igt_assert_f(WIFEXITED(status) && !WEXITSTATUS(status),
		     "%s: wait status %#x\n", what, status);
}
