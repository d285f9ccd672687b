// SPDX-License-Identifier: MIT
/*
 * userfaultfd: who is told of a missing or protected page, and gives it.
 */

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_uffd.h"

int vgem_svm_uffd_open(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	igt_require_f(fd >= 0, "userfaultfd: %s\n", strerror(errno));
	igt_require_f(!ioctl(fd, UFFDIO_API, &api),
		      "no userfaultfd with features %#" PRIx64 "\n", features);
	return fd;
}

void vgem_svm_uffd_register(int fd, void *p, size_t length, uint64_t mode)
{
	struct uffdio_register args = {
		.range = { VA(p), length },
		.mode = mode,
	};

	igt_assert(!ioctl(fd, UFFDIO_REGISTER, &args));
}

void vgem_svm_uffd_protect(int fd, void *p, size_t length, bool on)
{
	struct uffdio_writeprotect args = {
		.range = { VA(p), length },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	igt_assert(!ioctl(fd, UFFDIO_WRITEPROTECT, &args));
}

bool vgem_svm_uffd_event(int fd, int seconds, struct uffd_msg *msg)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, vgem_svm_patience(seconds) * 1000) == 1 &&
	       read(fd, msg, sizeof(*msg)) == sizeof(*msg);
}

int vgem_svm_uffd_give(int fd, void *page, uint64_t word)
{
	static uint64_t content[512] __attribute__((aligned(4096)));
	struct uffdio_copy args = {
		.dst = VA(page),
		.src = VA(content),
		.len = VGEM_SVM_PAGE,
	};
	unsigned int i;

	for (i = 0; i < 512; i++)
		content[i] = word;
	return ioctl(fd, UFFDIO_COPY, &args) ? -errno : 0;
}
