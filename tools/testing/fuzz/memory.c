// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory, and all that may happen to it while a GPU uses it. The CPU touches it
 * by read() and write() only, which say -EFAULT where an access would be a
 * signal, and not where a userfaultfd would hold it up.
 */

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define FUZZ_HUGE	(2UL << 20)

struct fuzz_area *fuzz_area(struct fuzz *f)
{
	unsigned int first = fuzz_below(f, FUZZ_AREAS), i;

	for (i = 0; i < FUZZ_AREAS; i++) {
		struct fuzz_area *area = &f->areas[(first + i) % FUZZ_AREAS];

		if (area->addr)
			return area;
	}
	return NULL;
}

/* Mostly in an area of ours, sometimes anywhere. */
uint64_t fuzz_addr(struct fuzz *f, unsigned int align)
{
	const struct fuzz_area *area = fuzz_area(f);
	uint64_t addr = fuzz_odd(f);

	if (area && !fuzz_one_in(f, 40))
		addr = (uintptr_t)area->addr +
			fuzz_below(f, area->length + (fuzz_one_in(f, 30) ? FUZZ_PAGE : 0));
	else if (fuzz_one_in(f, 3))
		addr = (uintptr_t)f + fuzz_below(f, FUZZ_HUGE);
	return fuzz_one_in(f, 30) ? addr : addr & ~(uint64_t)(align - 1);
}

static void fuzz_forget(struct fuzz_area *area)
{
	if (area->uffd >= 0)
		close(area->uffd);
	area->uffd = -1;
	area->addr = NULL;
}

static int fuzz_file(struct fuzz *f, size_t length)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, length - (fuzz_one_in(f, 4) ? FUZZ_PAGE : 0))) {
		close(fd);
		return -1;
	}
	return fd;
}

void fuzz_map(struct fuzz *f)
{
	struct fuzz_area *area = &f->areas[fuzz_below(f, FUZZ_AREAS)];
	size_t length = (1 + fuzz_below(f, 64)) * FUZZ_PAGE;
	int flags = fuzz_one_in(f, 4) ? MAP_SHARED : MAP_PRIVATE;
	int prot = PROT_READ | (fuzz_one_in(f, 8) ? 0 : PROT_WRITE);
	void *addr = NULL;
	int fd = -1;

	if (fuzz_one_in(f, 6))
		length = FUZZ_HUGE * (1 + fuzz_below(f, 2));
	if (area->addr) {
		munmap(area->addr, area->length);
		/* In the same place: what was known of it is wrong now. */
		if (fuzz_one_in(f, 2))
			addr = area->addr;
		fuzz_forget(area);
	}
	if (fuzz_one_in(f, 4))
		fd = fuzz_file(f, length);
	addr = mmap(addr, length, prot, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
	if (fd >= 0)
		close(fd);
	if (addr == MAP_FAILED)
		return;
	area->addr = addr;
	area->length = length;
	area->uffd = -1;
}

/* A part of an area, by pages. */
static char *fuzz_part(struct fuzz *f, const struct fuzz_area *area, size_t *length)
{
	unsigned int pages = area->length / FUZZ_PAGE;
	unsigned int first = fuzz_below(f, pages);

	*length = (1 + fuzz_below(f, pages - first)) * FUZZ_PAGE;
	return area->addr + first * FUZZ_PAGE;
}

static void fuzz_remap(struct fuzz *f, struct fuzz_area *area)
{
	size_t length = (1 + fuzz_below(f, 64)) * FUZZ_PAGE;
	int flags = fuzz_one_in(f, 2) ? MREMAP_MAYMOVE : 0;
	void *addr;

	if (fuzz_one_in(f, 4)) {
		flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
		length = area->length;
	}
	addr = mremap(area->addr, area->length, length, flags);
	if (addr == MAP_FAILED)
		return;
	area->addr = addr;
	area->length = length;
}

static void fuzz_advise(struct fuzz *f, char *addr, size_t length)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_FREE, MADV_PAGEOUT, MADV_COLD, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_COLLAPSE, MADV_DONTFORK, MADV_DOFORK,
		MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_REMOVE, MADV_MERGEABLE,
		MADV_UNMERGEABLE, MADV_DONTNEED_LOCKED, MADV_WILLNEED,
	};

	madvise(addr, length, advice[fuzz_below(f, sizeof(advice) / sizeof(*advice))]);
}

void fuzz_memory(struct fuzz *f)
{
	struct fuzz_area *area = fuzz_area(f);
	size_t length;
	char *addr;

	if (!area || area->uffd >= 0) {
		fuzz_map(f);
		return;
	}
	addr = fuzz_part(f, area, &length);
	switch (fuzz_below(f, 12)) {
	case 0:
		munmap(addr, length);
		if (length == area->length)
			fuzz_forget(area);
		break;
	case 1:
	case 2:
		fuzz_remap(f, area);
		break;
	case 3:
	case 4:
		mprotect(addr, length, fuzz_below(f, 4));
		break;
	case 5:
		if (mlock(addr, length) || fuzz_one_in(f, 2))
			munlock(addr, length);
		break;
	default:
		fuzz_advise(f, addr, length);
	}
}

void fuzz_touch(struct fuzz *f)
{
	const struct fuzz_area *area = fuzz_area(f);
	size_t length;
	char *addr;

	if (!area || area->uffd >= 0)
		return;
	addr = fuzz_part(f, area, &length);
	if (fuzz_one_in(f, 2))
		length = 8;
	if (fuzz_one_in(f, 3) ? pwrite(f->sink, addr, length, 0) < 0 :
				read(f->zero, addr, length) < 0)
		return;
}

/*
 * An area whose missing pages a userfaultfd holds back, until the next call of
 * fuzz_uffd_service() that finds them wanted, or till it is closed.
 */
void fuzz_uffd(struct fuzz *f)
{
	struct fuzz_area *area = fuzz_area(f);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (!area || area->uffd >= 0)
		return;
	if (fuzz_one_in(f, 4))
		reg.mode |= UFFDIO_REGISTER_MODE_WP;
	reg.range.start = (uintptr_t)area->addr;
	reg.range.len = area->length;
	area->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (area->uffd < 0)
		return;
	if (ioctl(area->uffd, UFFDIO_API, &api) ||
	    ioctl(area->uffd, UFFDIO_REGISTER, &reg)) {
		close(area->uffd);
		area->uffd = -1;
		return;
	}
	madvise(area->addr, area->length, MADV_DONTNEED);
}

static void fuzz_uffd_answer(int uffd)
{
	struct uffdio_zeropage zero = { .range.len = FUZZ_PAGE };
	struct uffdio_writeprotect wp = { .range.len = FUZZ_PAGE };
	struct uffd_msg msg;

	while (read(uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		if (msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		zero.range.start = msg.arg.pagefault.address & -FUZZ_PAGE;
		wp.range.start = zero.range.start;
		if (msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP)
			ioctl(uffd, UFFDIO_WRITEPROTECT, &wp);
		else if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero))
			ioctl(uffd, UFFDIO_WAKE, &zero.range);
	}
}

/* Called by a thread of its own, now and then: it draws nothing. */
void fuzz_uffd_service(struct fuzz *f)
{
	unsigned int i;

	for (i = 0; i < FUZZ_AREAS; i++) {
		int uffd = f->areas[i].uffd;

		if (f->areas[i].addr && uffd >= 0)
			fuzz_uffd_answer(uffd);
	}
}
