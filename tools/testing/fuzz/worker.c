// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A worker: one life, as a process with three threads. One does what the seed
 * says, a second one asks the same files for other things meanwhile, and the
 * third answers for the memory that userfaultfds hold back. Around it other
 * processes: children with and without a new image, and workers that get its
 * descriptors.
 */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define FUZZ_TWIN	32	/* streams of the second thread */
#define FUZZ_CHILD	64	/* and of children */
#define FUZZ_NEW_IMAGE	128

void fuzz_say(struct fuzz *f, const char *what)
{
	strncpy(f->slot->what, what, sizeof(f->slot->what) - 1);
}

/* ---- descriptors for others --------------------------------------------- */

struct fuzz_parcel {
	uint32_t vms[2];
	uint32_t queues[2];
};

union fuzz_control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void fuzz_pack(const struct fuzz *f, int file, struct fuzz_parcel *parcel)
{
	unsigned int i, vms = 0, queues = 0;

	for (i = 0; i < FUZZ_IDS; i++) {
		if (f->vms[i].file == file && vms < 2)
			parcel->vms[vms++] = f->vms[i].id;
		if (f->queues[i].file == file && queues < 2)
			parcel->queues[queues++] = f->queues[i].id;
	}
}

void fuzz_send(struct fuzz *f)
{
	int file = fuzz_below(f, FUZZ_FDS);
	struct fuzz_parcel parcel = {};
	struct iovec iov = { &parcel, sizeof(parcel) };
	union fuzz_control control = {};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	if (f->fds[file] < 0)
		return;
	fuzz_pack(f, file, &parcel);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &f->fds[file], sizeof(int));
	sendmsg(f->post, &msg, MSG_DONTWAIT);
}

void fuzz_receive(struct fuzz *f)
{
	int file = fuzz_below(f, FUZZ_FDS), i;
	struct fuzz_parcel parcel = {};
	struct iovec iov = { &parcel, sizeof(parcel) };
	union fuzz_control control = {};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(f->box, &msg, MSG_DONTWAIT) < 0)
		return;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return;
	if (f->fds[file] >= 0)
		close(f->fds[file]);
	memcpy(&f->fds[file], CMSG_DATA(cmsg), sizeof(int));
	for (i = 0; i < 2; i++) {
		f->vms[fuzz_below(f, FUZZ_IDS)] = (struct fuzz_id) { file, parcel.vms[i] };
		f->queues[fuzz_below(f, FUZZ_IDS)] = (struct fuzz_id) { file, parcel.queues[i] };
	}
}

/* ---- children ----------------------------------------------------------- */

static void fuzz_new_image(const struct fuzz *f)
{
	char seed[24], worker[12], life[12];

	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)f->seed);
	snprintf(worker, sizeof(worker), "%u", f->worker + FUZZ_NEW_IMAGE);
	snprintf(life, sizeof(life), "%u", f->life);
	execl("/proc/self/exe", "fuzz", "--after-exec", "--seed", seed,
	      "--worker", worker, "--life", life, NULL);
	_exit(0);
}

/* The files are those of the parent, the memory is a copy. */
static void fuzz_child(struct fuzz *f)
{
	static struct fuzz_slot nobody;
	unsigned int ops;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	f->slot = &nobody;
	f->worker += FUZZ_CHILD;
	f->op = 0;
	fuzz_begin(f);
	memset(f->children, 0, sizeof(f->children));
	for (ops = fuzz_below(f, 20); f->op < ops; f->op++)
		fuzz_step(f);
	fuzz_begin(f);
	if (fuzz_one_in(f, 3))
		fuzz_new_image(f);
	if (fuzz_one_in(f, 3))
		usleep(100000);
	_exit(0);
}

static void fuzz_reap(pid_t *child)
{
	if (!*child)
		return;
	kill(*child, SIGKILL);
	waitpid(*child, NULL, 0);
	*child = 0;
}

void fuzz_fork(struct fuzz *f)
{
	pid_t *child = &f->children[fuzz_below(f, FUZZ_CHILDREN)];

	/* A child has none: what it is of is enough of a family. */
	if (f->worker >= FUZZ_CHILD)
		return;
	fuzz_reap(child);
	*child = fork();
	if (!*child)
		fuzz_child(f);
	if (*child < 0)
		*child = 0;
}

/* What is found open, with handles that are likely. */
void fuzz_after_exec(struct fuzz *f)
{
	int fd, files = 0, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (fd = 3; fd < 64 && files < FUZZ_FDS; fd++)
		if (fuzz_is_ours(fd))
			f->fds[files++] = fd;
	for (i = 0; i < FUZZ_IDS; i++) {
		f->vms[i] = (struct fuzz_id) { i % FUZZ_FDS, 1 + i / 2 };
		f->queues[i] = f->vms[i];
	}
	for (; f->op < 20; f->op++) {
		fuzz_begin(f);
		if (fuzz_one_in(f, 2))
			fuzz_ioctl(f);
		else
			fuzz_exec(f);
	}
}

/* ---- a life ------------------------------------------------------------- */

void fuzz_die(struct fuzz *f)
{
	if (!fuzz_one_in(f, 40))
		return;
	if (fuzz_one_in(f, 2))
		raise(SIGKILL);
	_exit(0);
}

void fuzz_step(struct fuzz *f)
{
	static const struct {
		unsigned int weight;
		const char *name;
		void (*fn)(struct fuzz *f);
	} steps[] = {
		{ 30, "ioctl", fuzz_ioctl }, { 25, "exec", fuzz_exec },
		{ 12, "memory", fuzz_memory }, { 6, "map", fuzz_map },
		{ 8, "touch", fuzz_touch }, { 2, "uffd", fuzz_uffd },
		{ 3, "syncobj", fuzz_syncobj }, { 2, "other", fuzz_other_ioctl },
		{ 3, "open", fuzz_open_one }, { 1, "close", fuzz_close_one },
		{ 2, "send", fuzz_send }, { 2, "receive", fuzz_receive },
		{ 2, "fork", fuzz_fork }, { 2, "die", fuzz_die },
	};
	unsigned int at, i = 0;

	fuzz_begin(f);
	for (at = fuzz_below(f, 100); at >= steps[i].weight; i++)
		at -= steps[i].weight;
	fuzz_say(f, steps[i].name);
	steps[i].fn(f);
	f->slot->ops++;
}

static void *fuzz_answer(void *data)
{
	for (;;) {
		fuzz_uffd_service(data);
		usleep(5000);
	}
	return NULL;
}

/* What it knows is what the other thread knew a moment ago. */
static void *fuzz_twin(void *data)
{
	static struct fuzz_slot nobody;
	struct fuzz *f = data, twin;
	uint64_t op;

	for (op = 0;; op++) {
		memcpy(&twin, f, sizeof(twin));
		twin.slot = &nobody;
		twin.worker += FUZZ_TWIN;
		twin.op = op;
		fuzz_begin(&twin);
		if (fuzz_one_in(&twin, 4))
			fuzz_exec(&twin);
		else
			fuzz_ioctl(&twin);
		usleep(1000);
	}
	return NULL;
}

static void fuzz_start(struct fuzz *f, void *(*fn)(void *data))
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, fn, f))
		pthread_detach(thread);
}

/* Does not return. */
void fuzz_live(struct fuzz *f)
{
	unsigned int ops, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	f->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	f->sink = memfd_create("fuzz-sink", MFD_CLOEXEC);
	for (i = 0; i < FUZZ_FDS; i++)
		f->fds[i] = -1;
	fuzz_begin(f);
	ops = 50 + fuzz_below(f, 400);
	fuzz_setup(f);
	fuzz_start(f, fuzz_answer);
	if (fuzz_one_in(f, 2))
		fuzz_start(f, fuzz_twin);
	for (f->op = 1; f->op < ops; f->op++)
		fuzz_step(f);
	_exit(0);
}
