// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * usage: bench PARTS [ROUNDS [profile]]: asks svm_bench.ko and prints figures.
 *
 * With "profile" each scenario is run once more, between two instructions that do
 * nothing and that an emulator can look for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "svm_bench.h"

#define K	1024UL
#define M	(1024 * K)
#define PAGE	4096UL
#define BASE	0x200000000000UL

static int fd;
static int reps = 5, profile;
static bool prof_on;
static unsigned int section;
static const char *backend;
static unsigned int attach_flags;

#define FAIL(...) do { printf("FAIL " __VA_ARGS__); puts(""); fflush(stdout); exit(1); } while (0)

static uint64_t ticks(void)
{
	uint32_t lo, hi;

	asm volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

/* A long nop with a number in it. */
static uint64_t begin(void)
{
	if (prof_on)
		asm volatile(".byte 0x0f,0x1f,0x84,0x00; .long 0x53564d01" : : : "memory");
	return ticks();
}

static uint64_t since(uint64_t t)
{
	t = ticks() - t;
	if (prof_on)
		asm volatile(".byte 0x0f,0x1f,0x84,0x00; .long 0x53564d02" : : : "memory");
	return t;
}

static int op_try(struct svm_bench_op *op)
{
	uint64_t t = begin();
	int ret = ioctl(fd, SVM_BENCH_IOC, op);

	since(t);
	return ret ? -errno : 0;
}

static void op_do(struct svm_bench_op *op)
{
	int ret = op_try(op);

	if (ret)
		FAIL("%s what %u dev %u %llx-%llx: %s", backend, op->what, op->dev,
		     op->first, op->last, strerror(-ret));
}

static struct svm_bench_op simple(unsigned int what, unsigned int dev, unsigned int flags,
				  uint64_t first, uint64_t bytes)
{
	struct svm_bench_op op = {
		.what = what, .dev = dev, .flags = flags, .first = first,
		.last = first + bytes - 1, .step = PAGE,
	};

	op_do(&op);
	return op;
}

/* ---- figures ---- */

struct figure { uint64_t ticks, copy; int n; };

static void fig(struct figure *f, uint64_t t, uint64_t copy)
{
	if (!f->n++ || t - copy < f->ticks - f->copy)
		f->ticks = t, f->copy = copy;
}

static void say(const char *name, struct figure *f)
{
	printf("FIG %s|%s|%lu|%lu\n", backend, name, f->ticks, f->copy);
	fflush(stdout);
}

/* Runs a scenario some times and keeps the least, then once with markers. */
typedef void (*scenario)(const void *arg, struct figure *f);
static const char *only;	/* names with this in them */
static bool measured;	/* the next operation is the one that is measured */

static void go(const char *name, scenario fn, const void *arg)
{
	struct figure f = {};
	int i;

	if (only && !strstr(name, only))
		return;
	for (i = 0; i < reps; i++)
		fn(arg, &f);
	say(name, &f);
	if (profile) {
		printf("SECTION %u %s|%s\n", section++, backend, name);
		measured = true;
		fn(arg, &f);
		measured = false;
	}
}

/* What is between these is what the scenario is about. */
static void watch(void)
{
	prof_on = measured;
}

static void unwatch(void)
{
	prof_on = false;
}

static struct svm_bench_op watched(unsigned int what, unsigned int dev, unsigned int flags,
				   uint64_t first, uint64_t bytes)
{
	struct svm_bench_op op;

	watch();
	op = simple(what, dev, flags, first, bytes);
	unwatch();
	return op;
}

/* ---- memory ---- */

/* MIXED: every other 64K is not there. FILE: of a file, to be read only. */
enum have { ALL, NONE, HUGE, MIXED, OF_FILE };

static void map_file(uint64_t addr, uint64_t bytes)
{
	static int file = -1;
	uint64_t i;

	if (file < 0) {
		file = memfd_create("bench", MFD_CLOEXEC);
		if (file < 0 || ftruncate(file, 2 * M))
			FAIL("memfd: %s", strerror(errno));
	}
	if (mmap((void *)addr, bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, file, 0) !=
	    (void *)addr)
		FAIL("mmap %lx: %s", addr, strerror(errno));
	for (i = 0; i < bytes; i += PAGE)
		(void)*(volatile char *)(addr + i);
}

static void map_at(uint64_t addr, uint64_t bytes, enum have have)
{
	uint64_t i, page;

	if (have == OF_FILE) {
		map_file(addr, bytes);
		return;
	}
	if (mmap((void *)addr, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)addr)
		FAIL("mmap %lx: %s", addr, strerror(errno));
	if (madvise((void *)addr, bytes, have == HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) &&
	    have == HUGE)
		FAIL("no huge pages");
	if (have == NONE)
		return;
	/* Out of order, so that few pages follow each other in memory as they do here. */
	for (i = 0; i < bytes / PAGE; i++) {
		page = addr + i * 167 % (bytes / PAGE) * PAGE;
		if (have != MIXED || !(page & 64 * K))
			*(volatile uint64_t *)page = page;
	}
}

static uint64_t unmap(uint64_t addr, uint64_t bytes)
{
	uint64_t t = begin();

	if (munmap((void *)addr, bytes))
		FAIL("munmap");
	return since(t);
}

static void gc(unsigned int devs)
{
	unsigned int d;

	for (d = 0; d < devs; d++)
		simple(SVM_BENCH_SYNC, d, 0, 0, 1);
	usleep(20000);		/* RCU, deferred frees */
}

static void must_be_mapped(unsigned int dev, unsigned int flags, uint64_t addr, uint64_t bytes)
{
	struct svm_bench_op op = simple(SVM_BENCH_MAPPED, dev, flags, addr, bytes);

	if (!op.extra[0])
		FAIL("%s: %lx is not mapped", backend, addr);
}

/* ---- (1) (3) faults ---- */

struct fault {
	uint64_t vma;		/* bytes */
	enum have have;
	unsigned int want;	/* pages */
	unsigned int flags;
	/*
	 * 0 cold, 1 one more page, 2 after DONTNEED of one, 3 another mapping of the
	 * range, 4 again, 5 write after read
	 */
	int kind;
	unsigned int after;	/* what the next device pays after so many */
};

static uint64_t slot;

static uint64_t next_slot(void)
{
	slot = (slot + 1) % 8;
	return BASE + slot * 64 * M + 4 * M;
}

static void do_fault(const void *arg, struct figure *f)
{
	const struct fault *t = arg;
	uint64_t a = next_slot(), target = a, bytes = t->want * PAGE;
	struct svm_bench_op op;
	unsigned int dev = t->after, d;

	map_at(a, t->vma, t->have);
	if (t->have == NONE)
		*(volatile char *)a = 1;
	switch (t->kind) {
	case 1:
		simple(SVM_BENCH_FAULT, 0, t->flags, a, PAGE);
		target = a + PAGE;
		*(volatile char *)target = 1;
		break;
	case 2:
		simple(SVM_BENCH_FAULT, 0, t->flags, a, PAGE);
		target = a + 5 * PAGE;
		madvise((void *)target, PAGE, MADV_DONTNEED);
		*(volatile char *)target = 1;
		break;
	case 3:
		simple(SVM_BENCH_FAULT, 0, t->flags, a, PAGE);
		target = a + M;
		map_at(target, t->vma, t->have);
		break;
	case 4:
		simple(SVM_BENCH_FAULT, 0, t->flags, a, PAGE);
		break;
	case 5:
		simple(SVM_BENCH_FAULT, 0, 0, a, PAGE);
		break;
	}
	for (d = 0; d < t->after; d++)
		simple(SVM_BENCH_FAULT, d, t->flags, target, bytes);
	op = watched(SVM_BENCH_FAULT, dev, t->flags, target, bytes);
	fig(f, op.ticks, op.copy);
	must_be_mapped(dev, t->flags, target, bytes);
	unmap(a, t->vma);
	if (t->kind == 3)
		unmap(target, t->vma);
	gc(2);
}

static void faults(void)
{
	static const struct { const char *name; struct fault t; } list[] = {
		{ "cold, 2M VMA, 1 page present, want it", { 2 * M, NONE, 1 } },
		{ "cold, 2M VMA, 512 present, want 1", { 2 * M, ALL, 1 } },
		{ "cold, 2M VMA, 512 present, want 512", { 2 * M, ALL, 512 } },
		{ "cold, 64K VMA, 16 present, want 1", { 64 * K, ALL, 1 } },
		{ "cold, 64K VMA, 16 present, want 16", { 64 * K, ALL, 16 } },
		{ "cold, 4K VMA, want 1", { 4 * K, ALL, 1 } },
		{ "cold, 2M VMA, huge page, want 1", { 2 * M, HUGE, 1 } },
		{ "cold, 2M VMA, huge page, want 512", { 2 * M, HUGE, 512 } },
		{ "cold, 2M VMA, every other 64K present, want 1", { 2 * M, MIXED, 1 } },
		{ "warm, 2M VMA, 2nd page appears, want it", { 2 * M, NONE, 1, 0, 1 } },
		{ "warm, 512 mapped, 1 replaced by the CPU, want it", { 2 * M, ALL, 1, 0, 2 } },
		{ "warm, other 4K VMA mapped, want 1", { 4 * K, ALL, 1, 0, 3 } },
		{ "warm, other 64K VMA mapped, want 16", { 64 * K, ALL, 16, 0, 3 } },
		{ "mapped already, 512 present, want 1", { 2 * M, ALL, 1, 0, 4 } },
		{ "mapped already, 4K VMA, want 1", { 4 * K, ALL, 1, 0, 4 } },
	};
	static const struct fault up = { 2 * M, ALL, 1, SVM_BENCH_WRITE, 5 };
	static const struct fault file = { 2 * M, OF_FILE, 512, SVM_BENCH_READ_ONLY };
	static const struct fault file1 = { 2 * M, OF_FILE, 1, SVM_BENCH_READ_ONLY };
	static const struct fault up4 = { 4 * K, ALL, 1, SVM_BENCH_WRITE, 5 };
	char name[100];
	unsigned int i, w, s;

	for (s = 0; s < 2; s++)
		for (w = 0; w < 2; w++)
			for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
				struct fault t = list[i].t;

				if (s && t.kind)
					continue;
				t.flags = w ? SVM_BENCH_WRITE : 0;
				t.after = s;
				snprintf(name, sizeof(name), "%s%s: %s", s ? "2nd device, " : "",
					 w ? "write" : "read", list[i].name);
				go(name, do_fault, &t);
			}
	go("write: after a read, 512 present, want 1", do_fault, &up);
	go("write: after a read, 4K VMA, want 1", do_fault, &up4);
	go("read: cold, 2M of a file, read only, want 1", do_fault, &file1);
	go("read: cold, 2M of a file, read only, want 512", do_fault, &file);
}

/* ---- through the queue ---- */

struct queue { uint64_t vma; enum have have; unsigned int step; bool warm; };

static void do_queue(const void *arg, struct figure *f)
{
	const struct queue *t = arg;
	uint64_t a = next_slot();
	struct svm_bench_op op = {
		.what = SVM_BENCH_QUEUE, .flags = SVM_BENCH_WRITE, .step = t->step,
	};

	map_at(a, t->vma, t->have);
	if (t->warm) {
		simple(SVM_BENCH_FAULT, 0, SVM_BENCH_WRITE, a, PAGE);
		madvise((void *)a, PAGE, MADV_DONTNEED);
		*(volatile char *)a = 1;
	}
	op.first = a;
	op.last = a + t->vma - 1;
	watch();
	op_do(&op);
	unwatch();
	fig(f, op.ticks, op.copy);
	unmap(a, t->vma);
	gc(2);
}

static void queues(void)
{
	static const struct { const char *name; struct queue t; } list[] = {
		{ "queue: 1 fault, cold, 512 present", { 2 * M, ALL, 2 * M } },
		{ "queue: 1 fault, cold, 4K VMA", { 4 * K, ALL, 2 * M } },
		{ "queue: 1 fault, warm, 512 mapped, 1 replaced", { 2 * M, ALL, 2 * M, true } },
		{ "queue: 64 faults, one range, cold, 512 present", { 2 * M, ALL, 32 * K } },
		{ "queue: 512 faults, one range, cold, 512 present", { 2 * M, ALL, 4 * K } },
		{ "queue: 16 faults, 16 ranges, cold, 512 present", { 32 * M, ALL, 2 * M } },
	};
	unsigned int i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		go(list[i].name, do_queue, &list[i].t);
}

/* ---- (4) invalidation ---- */

struct inval {
	uint64_t vma, first, bytes;
	enum have have;
	unsigned int devs;
	bool dontneed, sync;
};

static void do_inval(const void *arg, struct figure *f)
{
	const struct inval *t = arg;
	uint64_t a = t->vma > 32 * M ? BASE + 512 * M : next_slot(), i, n;
	unsigned int d;

	map_at(a, t->vma, t->have);
	for (d = 0; d < t->devs; d++)
		for (i = 0; i < t->vma; i += 2 * M) {
			n = t->vma - i < 2 * M ? t->vma - i : 2 * M;
			simple(SVM_BENCH_FAULT, d, SVM_BENCH_WRITE, a + i, n);
		}
	gc(t->devs);
	if (t->dontneed) {
		watch();
		n = begin();
		madvise((void *)(a + t->first), t->bytes, MADV_DONTNEED);
		n = since(n);
		unwatch();
		fig(f, n, 0);
	} else if (t->sync) {
		struct svm_bench_op op;

		unmap(a + t->first, t->bytes);
		op = watched(SVM_BENCH_SYNC, 0, 0, 0, 1);
		fig(f, op.ticks, op.copy);
	} else {
		watch();
		n = unmap(a + t->first, t->bytes);
		unwatch();
		fig(f, n, 0);
	}
	if (t->dontneed) {
		unmap(a, t->vma);
	} else if (t->bytes < t->vma) {
		if (t->first)
			unmap(a, t->first);
		if (t->first + t->bytes < t->vma)
			unmap(a + t->first + t->bytes, t->vma - t->first - t->bytes);
	}
	gc(t->devs);
}

static void invals(unsigned int max_devs, bool only_one)
{
	static const struct { const char *name; struct inval t; } list[] = {
		{ "munmap 4K VMA", { 4 * K, 0, 4 * K, ALL } },
		{ "munmap 4K of 2M", { 2 * M, 16 * K, 4 * K, ALL } },
		{ "munmap 64K VMA", { 64 * K, 0, 64 * K, ALL } },
		{ "munmap 2M of 4K pages", { 2 * M, 0, 2 * M, ALL } },
		{ "munmap 2M huge page", { 2 * M, 0, 2 * M, HUGE } },
		{ "munmap 64M of 4K pages", { 64 * M, 0, 64 * M, ALL } },
		{ "munmap 64M of huge pages", { 64 * M, 0, 64 * M, HUGE } },
		{ "DONTNEED 4K of 2M", { 2 * M, 16 * K, 4 * K, ALL, 0, true } },
		{ "DONTNEED 2M of 4K pages", { 2 * M, 0, 2 * M, ALL, 0, true } },
	};
	char name[100];
	unsigned int i, d;

	for (d = only_one ? max_devs : 0; d <= max_devs; d++)
		for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
			struct inval t = list[i].t;

			t.devs = d;
			snprintf(name, sizeof(name), "%s, %u mapped", list[i].name, d);
			go(name, do_inval, &t);
		}
	for (i = 0; max_devs && i < 7; i++) {
		struct inval t = list[i].t;

		t.devs = 1;
		t.sync = true;
		snprintf(name, sizeof(name), "left behind by: %s, 1 mapped", list[i].name);
		go(name, do_inval, &t);
	}
}

/* What an unmap of one page leaves behind where so many ranges are mapped. */
static void do_crowd(const void *arg, struct figure *f)
{
	uint64_t n = *(const uint64_t *)arg, a = BASE + 4096 * M, i;
	struct svm_bench_op op;

	for (i = 0; i < n; i++) {
		map_at(a + i * 2 * M, PAGE, ALL);
		simple(SVM_BENCH_FAULT, 0, SVM_BENCH_WRITE, a + i * 2 * M, PAGE);
	}
	unmap(a, PAGE);
	op = watched(SVM_BENCH_SYNC, 0, 0, 0, 1);
	fig(f, op.ticks, op.copy);
	for (i = 1; i < n; i++)
		unmap(a + i * 2 * M, PAGE);
	gc(1);
}

static void crowds(void)
{
	static const uint64_t n[] = { 16, 128, 1024, 10000 };
	char name[100];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "left behind by: munmap 4K VMA, %lu ranges mapped",
			 n[i]);
		go(name, do_crowd, &n[i]);
	}
}

/* The first fault where no notifier watches yet. */
static void do_first(const void *arg, struct figure *f)
{
	static uint64_t i;
	uint64_t a = BASE + 65536 * M + i++ * 512 * M;
	struct svm_bench_op op;

	map_at(a, PAGE, ALL);
	op = watched(SVM_BENCH_FAULT, 0, SVM_BENCH_WRITE, a, PAGE);
	fig(f, op.ticks, op.copy);
	unmap(a, PAGE);
	gc(1);
}

/* ---- (2) (5) (6) migration ---- */

struct move { uint64_t vma; enum have have; int kind; unsigned int want; };

static void do_move(const void *arg, struct figure *f)
{
	const struct move *t = arg;
	uint64_t a = next_slot(), n;
	struct svm_bench_op op;

	map_at(a, t->vma, t->have);
	switch (t->kind) {
	case 0:	/* fault that migrates */
		op = watched(SVM_BENCH_FAULT, 0, SVM_BENCH_WRITE, a, t->want * PAGE);
		fig(f, op.ticks, op.copy);
		break;
	case 1:	/* the CPU's fault */
		simple(SVM_BENCH_FAULT, 0, SVM_BENCH_WRITE, a, t->vma < 2 * M ? t->vma : 2 * M);
		simple(SVM_BENCH_COPIED, 0, 0, 0, 1);
		watch();
		n = begin();
		*(volatile uint64_t *)(a + 8 * K) += 1;
		n = since(n);
		unwatch();
		op = simple(SVM_BENCH_COPIED, 0, 0, 0, 1);
		if (*(uint64_t *)(a + 8 * K) != a + 8 * K + 1)
			FAIL("%s: data lost", backend);
		fig(f, n, op.copy);
		break;
	case 2:
		op = watched(SVM_BENCH_TO_DEVICE, 0, 0, a, t->vma);
		fig(f, op.ticks, op.copy);
		break;
	case 3:
		simple(SVM_BENCH_TO_DEVICE, 0, 0, a, t->vma);
		op = watched(SVM_BENCH_TO_SYSTEM, 0, 0, a, t->vma);
		fig(f, op.ticks, op.copy);
		break;
	case 4:	/* first touch by the device */
		op = watched(SVM_BENCH_FAULT, 0, SVM_BENCH_WRITE, a, t->want * PAGE);
		fig(f, op.ticks, op.copy);
		break;
	}
	if (t->have != NONE)
		for (n = 0; n < t->vma; n += PAGE)
			if (n != 8 * K && *(uint64_t *)(a + n) != a + n)
				FAIL("%s: data lost at %lx of %lx", backend, n, t->vma);
	unmap(a, t->vma);
	gc(1);
}

static void moves(void)
{
	static const struct { const char *name; struct move t; } list[] = {
		{ "migrating fault: 2M VMA, 4K pages, want 1", { 2 * M, ALL, 0, 1 } },
		{ "migrating fault: 2M VMA, 4K pages, want 512", { 2 * M, ALL, 0, 512 } },
		{ "migrating fault: 64K VMA, want 1", { 64 * K, ALL, 0, 1 } },
		{ "migrating fault: 64K VMA, want 16", { 64 * K, ALL, 0, 16 } },
		{ "migrating fault: 4K VMA", { 4 * K, ALL, 0, 1 } },
		{ "migrating fault: 2M huge page, want 1", { 2 * M, HUGE, 0, 1 } },
		{ "first touch by device: 64K VMA, want 16", { 64 * K, NONE, 4, 16 } },
		{ "first touch by device: 2M VMA, want 512", { 2 * M, NONE, 4, 512 } },
		{ "CPU fault: of 2M in 4K pages", { 2 * M, ALL, 1 } },
		{ "CPU fault: of 64K VMA", { 64 * K, ALL, 1 } },
		{ "CPU fault: of 2M that was huge", { 2 * M, HUGE, 1 } },
		{ "migrate 2M to device, 4K pages", { 2 * M, ALL, 2 } },
		{ "migrate 2M to device, huge page", { 2 * M, HUGE, 2 } },
		{ "migrate 2M to system, 4K pages", { 2 * M, ALL, 3 } },
		{ "migrate 2M to system, was huge", { 2 * M, HUGE, 3 } },
	};
	unsigned int i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		go(list[i].name, do_move, &list[i].t);
}

/* ---- (7) memory ---- */

static uint64_t meminfo(const char *what)
{
	char line[200];
	uint64_t v = 0;
	FILE *file = fopen("/proc/meminfo", "r");

	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, what, strlen(what)) && line[strlen(what)] == ':')
			v = strtoull(line + strlen(what) + 1, NULL, 10);
	fclose(file);
	return v;
}

static void memory_of(const char *name, uint64_t step, uint64_t vma, enum have have,
		      uint64_t span, unsigned int devs)
{
	uint64_t a = BASE + 2048 * M, i, free0, slab0;
	struct svm_bench_op op = {}, op0;
	unsigned int d;

	for (i = 0; i < span; i += step)
		map_at(a + i, vma, have);
	gc(1);
	sleep(3);		/* the kernel's counters are folded in each second */
	op0 = simple(SVM_BENCH_SYNC, 0, 0, 0, 1);
	free0 = meminfo("MemFree");
	slab0 = meminfo("Slab");
	for (d = 0; d < devs; d++)
		for (i = 0; i < span; i += step)
			simple(SVM_BENCH_FAULT, d, SVM_BENCH_WRITE, a + i, vma);
	sleep(3);
	op = simple(SVM_BENCH_SYNC, 0, 0, 0, 1);
	printf("MEM %s|%s, %u devices|slab +%ld KiB|tables +%llu|free -%ld KiB|mapped %lu KiB\n",
	       backend, name, devs, (long)(meminfo("Slab") - slab0),
	       op.extra[1] - op0.extra[1], (long)(free0 - meminfo("MemFree")),
	       span / step * vma / 1024);
	fflush(stdout);
	for (i = 0; i < span; i += step)
		unmap(a + i, vma);
	gc(devs);
	sleep(3);
}

static void memory(void)
{
	memory_of("4K pages, 2M each", 2 * M, 2 * M, ALL, 1024 * M, 1);
	memory_of("4K pages, 2M each", 2 * M, 2 * M, ALL, 1024 * M, 2);
	memory_of("huge pages", 2 * M, 2 * M, HUGE, 1024 * M, 1);
	memory_of("a 4K VMA in each 2M", 2 * M, 4 * K, ALL, 1024 * M, 1);
	memory_of("a 64K VMA in each 2M", 2 * M, 64 * K, ALL, 1024 * M, 1);
}

/* ---- (8) two workers ---- */

struct worker { pthread_t t; uint64_t first, n, vma; unsigned int dev; };
static pthread_barrier_t barrier;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t i;

	pthread_barrier_wait(&barrier);
	for (i = 0; i < w->n; i++)
		simple(SVM_BENCH_FAULT, w->dev, SVM_BENCH_WRITE, w->first + i * 2 * M, w->vma);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static double scale_once(unsigned int workers, uint64_t n, uint64_t vma, bool devs)
{
	struct worker w[2];
	unsigned int k;
	uint64_t i;
	double t;

	pthread_barrier_init(&barrier, NULL, workers + 1);
	for (k = 0; k < workers; k++) {
		w[k] = (struct worker) {
			.first = BASE + k * 1024 * M, .n = n, .vma = vma, .dev = devs ? k : 0,
		};
		for (i = 0; i < n; i++)
			map_at(w[k].first + i * 2 * M, vma, ALL);
	}
	for (k = 0; k < workers; k++)
		pthread_create(&w[k].t, NULL, work, &w[k]);
	pthread_barrier_wait(&barrier);
	t = now();
	pthread_barrier_wait(&barrier);
	t = now() - t;
	for (k = 0; k < workers; k++) {
		pthread_join(w[k].t, NULL);
		for (i = 0; i < n; i++)
			unmap(w[k].first + i * 2 * M, vma);
	}
	for (k = 0; k <= devs; k++)
		simple(SVM_BENCH_SYNC, k, 0, 0, 1);
	usleep(100000);
	return n * workers / t;
}

static void scale(void)
{
	static const struct { const char *name; uint64_t n, vma; } list[] = {
		{ "2M ranges, 512 present", 100, 2 * M },
		{ "64K VMAs", 400, 64 * K },
		{ "4K VMAs", 400, 4 * K },
	};
	unsigned int i, r, devs;

	for (i = 0; i < 3; i++)
		for (devs = 0; devs < 2; devs++)
			for (r = 0; r < (unsigned int)reps; r++) {
				double one = scale_once(1, list[i].n, list[i].vma, devs);
				double two = scale_once(2, list[i].n, list[i].vma, devs);

				printf("SCALE %s|%s%s|%.0f|%.0f|%.2f\n", backend, list[i].name,
				       devs ? ", a device each" : "", one, two, two / one);
				fflush(stdout);
			}
}

/* ---- all ---- */

static void anchors(unsigned int devs)
{
	unsigned int d, i;

	/* A page that stays mapped in each 64M: notifiers are there. */
	for (i = 0; i < 8; i++) {
		uint64_t a = BASE + i * 64 * M + 62 * M;

		map_at(a, PAGE, ALL);
		for (d = 0; d < devs; d++)
			simple(SVM_BENCH_FAULT, d, SVM_BENCH_WRITE, a, PAGE);
	}
	map_at(BASE + 640 * M, PAGE, ALL);
	for (d = 0; d < devs; d++)
		simple(SVM_BENCH_FAULT, d, SVM_BENCH_WRITE, BASE + 640 * M, PAGE);
}

static void no_anchors(void)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		unmap(BASE + i * 64 * M + 62 * M, PAGE);
	unmap(BASE + 640 * M, PAGE);
}

static void attach(unsigned int devs, unsigned int flags)
{
	unsigned int d;

	backend = flags & SVM_BENCH_GPUSVM ? "gpusvm" : "svm";
	attach_flags = flags;
	for (d = 0; d < devs; d++)
		simple(SVM_BENCH_ATTACH, d, flags, 0, 1);
}

static void detach(unsigned int devs)
{
	while (devs--)
		simple(SVM_BENCH_DETACH, devs, 0, 0, 1);
}

static bool want(const char *parts, const char *part)
{
	return strstr(parts, part) || !strcmp(parts, "all");
}

static void watched_by_two(const char *parts, unsigned int flags)
{
	attach(2, flags);
	anchors(2);
	if (want(parts, "fault"))
		faults();
	if (!(flags & SVM_BENCH_GPUSVM) && want(parts, "queue"))
		queues();
	if (want(parts, "inval"))
		invals(2, false);
	if (want(parts, "crowd"))
		crowds();
	if (want(parts, "fault"))
		go("write: cold, 4K VMA, want 1, no notifier yet", do_first, NULL);
	no_anchors();
	gc(2);
	detach(2);
}

/* What one device more costs where there are many. */
static void sixteen(unsigned int flags)
{
	static const struct fault all = { 2 * M, ALL, 512, SVM_BENCH_WRITE, 0, 15 };
	static const struct fault huge = { 2 * M, HUGE, 512, SVM_BENCH_WRITE, 0, 15 };
	static const struct inval small = { 4 * K, 0, 4 * K, ALL, 16 };
	static const struct inval large = { 2 * M, 0, 2 * M, ALL, 16 };
	static const struct inval page = { 2 * M, 0, 2 * M, HUGE, 16 };

	attach(16, flags);
	anchors(16);
	go("16th device, write: cold, 2M VMA, 512 present, want 512", do_fault, &all);
	go("16th device, write: cold, 2M VMA, huge page, want 512", do_fault, &huge);
	go("munmap 4K VMA, 16 mapped", do_inval, &small);
	go("munmap 2M of 4K pages, 16 mapped", do_inval, &large);
	go("munmap 2M huge page, 16 mapped", do_inval, &page);
	no_anchors();
	gc(16);
	detach(16);
}

static void behind_iommu(unsigned int flags)
{
	attach(2, flags | SVM_BENCH_IOMMU);
	backend = flags & SVM_BENCH_GPUSVM ? "gpusvm+iommu" : "svm+iommu";
	anchors(2);
	only = "write: cold";
	faults();
	only = NULL;
	invals(1, true);
	no_anchors();
	gc(2);
	detach(2);
}

static void moving(unsigned int flags)
{
	attach(1, flags | SVM_BENCH_MIGRATE);
	anchors(1);
	moves();
	no_anchors();
	gc(1);
	detach(1);
}

/* What it costs without any device, and with a notifier that does nothing. */
static void unwatched(void)
{
	struct svm_bench_op op = { .what = SVM_BENCH_EMPTY, .dev = 1 };

	backend = "none";
	invals(0, false);
	op_do(&op);
	backend = "empty notifier";
	invals(0, false);
	op.dev = 0;
	op_do(&op);
}

static void all_parts(const char *parts, unsigned int flags)
{
	if (want(parts, "fault") || want(parts, "inval") || want(parts, "queue") ||
	    want(parts, "crowd"))
		watched_by_two(parts, flags);
	if (want(parts, "many"))
		sixteen(flags);
	if (want(parts, "iommu"))
		behind_iommu(flags);
	if (want(parts, "move"))
		moving(flags);
	if (want(parts, "memory")) {
		attach(2, flags);
		memory();
		detach(2);
	}
	if (strstr(parts, "scale")) {
		attach(2, flags);
		scale();
		detach(2);
	}
}

int main(int argc, char **argv)
{
	const char *parts = argc > 1 ? argv[1] : "all";
	struct sched_param sp = { .sched_priority = 10 };

	if (argc > 2)
		reps = atoi(argv[2]);
	profile = argc > 3;
	fd = open("/dev/svm_bench", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		FAIL("/dev/svm_bench: %s", strerror(errno));
	if (!strstr(parts, "scale") && sched_setscheduler(0, SCHED_FIFO, &sp))
		FAIL("SCHED_FIFO");
	if (want(parts, "inval"))
		unwatched();
	if (!strstr(parts, "onlygpusvm"))
		all_parts(parts, 0);
	if (!strstr(parts, "onlysvm"))
		all_parts(parts, SVM_BENCH_GPUSVM);
	printf("DONE %u sections\n", section);
	return 0;
}
