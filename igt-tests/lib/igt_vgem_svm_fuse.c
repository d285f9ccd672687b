// SPDX-License-Identifier: MIT
/*
 * A file system whose server does not answer reads until it is told to.
 */

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_fuse.h"
#include "igt_vgem_svm_sys.h"

#define FILE_INODE	2
#define FILE_BYTES	(1ULL << 32)
#define MAX_READ	(32 * VGEM_SVM_PAGE)
#define MAX_HELD	4096

/**
 * struct vgem_svm_fuse_state - what the server and the test share
 * @held: reads that wait for an answer
 * @answer: not 0: answer them
 * @async: the server offers FUSE_ASYNC_READ
 */
struct vgem_svm_fuse_state {
	uint64_t held;
	uint64_t answer;
	uint64_t async;
};

struct held_read {
	uint64_t unique;
	uint64_t offset;
	uint32_t size;
};

struct server {
	int fd;
	struct vgem_svm_fuse_state *state;
	struct held_read held[MAX_HELD];
	unsigned int nr_held;
	uint8_t data[MAX_READ];
	uint8_t request[MAX_READ + 4096];
};

/* ---- the server --------------------------------------------------------- */

/* A request that was taken back meanwhile is no error of ours. */
static void reply(struct server *s, uint64_t unique, int error,
		  const void *data, size_t bytes)
{
	struct fuse_out_header head = {
		.len = sizeof(head) + bytes,
		.error = error,
		.unique = unique,
	};
	struct iovec iov[2] = {
		{ &head, sizeof(head) },
		{ (void *)data, bytes },
	};

	if (writev(s->fd, iov, bytes ? 2 : 1) < 0 && errno != ENOENT)
		perror("reply of the FUSE server");
}

static void set_attr(struct fuse_attr *attr, uint64_t inode)
{
	bool file = inode == FILE_INODE;

	memset(attr, 0, sizeof(*attr));
	attr->ino = inode;
	attr->mode = file ? S_IFREG | 0666 : S_IFDIR | 0755;
	attr->nlink = 1;
	attr->size = file ? FILE_BYTES : 0;
	attr->blksize = VGEM_SVM_PAGE;
}

static void reply_init(struct server *s, const struct fuse_in_header *in)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		/* One page is one request: what is held is what was touched. */
		.max_readahead = VGEM_SVM_PAGE,
		.max_write = VGEM_SVM_PAGE,
		.max_background = MAX_HELD,
		.congestion_threshold = MAX_HELD,
		.flags = s->state->async ? FUSE_ASYNC_READ : 0,
	};

	reply(s, in->unique, 0, &out, sizeof(out));
}

static void reply_lookup(struct server *s, const struct fuse_in_header *in)
{
	struct fuse_entry_out out = {
		.nodeid = FILE_INODE,
		.entry_valid = 1000,
		.attr_valid = 1000,
	};

	set_attr(&out.attr, FILE_INODE);
	reply(s, in->unique, 0, &out, sizeof(out));
}

static void reply_getattr(struct server *s, const struct fuse_in_header *in)
{
	struct fuse_attr_out out = { .attr_valid = 1000 };

	set_attr(&out.attr, in->nodeid);
	reply(s, in->unique, 0, &out, sizeof(out));
}

static void reply_open(struct server *s, const struct fuse_in_header *in)
{
	const struct fuse_open_in *args = (const void *)(in + 1);
	struct fuse_open_out out = {
		.fh = 1,
		.open_flags = (args->flags & O_SYNC) == O_SYNC ?
				      FOPEN_DIRECT_IO : 0,
	};

	reply(s, in->unique, 0, &out, sizeof(out));
}

static void reply_read(struct server *s, const struct held_read *read)
{
	uint32_t size = read->size < MAX_READ ? read->size : MAX_READ, at;

	memset(s->data, 0, size);
	for (at = 0; at + 8 <= size; at += VGEM_SVM_PAGE)
		*(uint64_t *)(s->data + at) =
			vgem_svm_fuse_word((read->offset + at) / VGEM_SVM_PAGE);
	reply(s, read->unique, 0, s->data, size);
}

static void take_read(struct server *s, const struct fuse_in_header *in)
{
	const struct fuse_read_in *args = (const void *)(in + 1);
	struct held_read read = {
		.unique = in->unique,
		.offset = args->offset,
		.size = args->size,
	};

	if (vgem_svm_peek(&s->state->answer) || s->nr_held == MAX_HELD) {
		reply_read(s, &read);
		return;
	}
	s->held[s->nr_held++] = read;
	vgem_svm_poke(&s->state->held, s->nr_held);
}

static void serve(struct server *s)
{
	const struct fuse_in_header *in = (const void *)s->request;

	switch (in->opcode) {
	case FUSE_INIT:
		reply_init(s, in);
		break;
	case FUSE_LOOKUP:
		reply_lookup(s, in);
		break;
	case FUSE_GETATTR:
		reply_getattr(s, in);
		break;
	case FUSE_OPEN:
		reply_open(s, in);
		break;
	case FUSE_READ:
		take_read(s, in);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(s, in->unique, 0, NULL, 0);
		break;
	/* These want no answer; to an interrupt there need not be one. */
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(s, in->unique, -EOPNOTSUPP, NULL, 0);
	}
}

static void answer_held(struct server *s)
{
	while (s->nr_held)
		reply_read(s, &s->held[--s->nr_held]);
	vgem_svm_poke(&s->state->held, 0);
}

/* Ends when the file system is gone, or the test. */
static int server_main(void *data)
{
	struct server *s = data;
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (poll(&pfd, 1, 10) == 1) {
			if (read(s->fd, s->request, sizeof(s->request)) > 0)
				serve(s);
			else if (errno == ENODEV)
				return 0;
		}
		if (s->nr_held && vgem_svm_peek(&s->state->answer))
			answer_held(s);
	}
}

/* ---- the test's side ---------------------------------------------------- */

void vgem_svm_fuse_init(struct vgem_svm_fuse *f, bool async)
{
	struct server *s = vgem_svm_map(sizeof(*s));
	char options[96];

	f->state = vgem_svm_map_shared(sizeof(*f->state));
	f->state->async = async;
	s->state = f->state;
	if (access("/dev/fuse", F_OK) && system("modprobe -q fuse"))
		igt_debug("fuse cannot be loaded\n");
	s->fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	igt_require_f(s->fd >= 0, "/dev/fuse: %s\n", strerror(errno));
	snprintf(f->dir, sizeof(f->dir), "/tmp/vgem_svm-fuse.XXXXXX");
	igt_assert(mkdtemp(f->dir));
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", s->fd);
	igt_assert_f(!mount("vgem_svm", f->dir, "fuse", MS_NOSUID | MS_NODEV,
			    options), "mount: %s\n", strerror(errno));
	f->server = vgem_svm_fork(server_main, s);
	/* The server's end is the end of the connection. */
	close(s->fd);
	vgem_svm_unmap(s, sizeof(*s));
}

/* The server takes O_SYNC to mean that this open has no cache of its own. */
static int open_file(const struct vgem_svm_fuse *f, int flags)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "%s/file", f->dir);
	fd = open(path, flags | O_CLOEXEC);
	igt_assert_f(fd >= 0, "%s: %s\n", path, strerror(errno));
	return fd;
}

int vgem_svm_fuse_open_direct(const struct vgem_svm_fuse *f)
{
	return open_file(f, O_RDONLY | O_SYNC);
}

void *vgem_svm_fuse_map(const struct vgem_svm_fuse *f, size_t length, int prot)
{
	uint8_t *p = vgem_svm_map_aligned(length, VGEM_SVM_BLOCK);
	int fd = open_file(f, prot & PROT_WRITE ? O_RDWR : O_RDONLY);

	p = mmap(p, length, prot, MAP_SHARED | MAP_FIXED, fd, 0);
	igt_assert(p != MAP_FAILED);
	close(fd);
	return p;
}

unsigned int vgem_svm_fuse_held(const struct vgem_svm_fuse *f)
{
	return vgem_svm_peek(&f->state->held);
}

bool vgem_svm_fuse_wait_held(const struct vgem_svm_fuse *f, unsigned int n,
			     int seconds)
{
	return vgem_svm_reaches(&f->state->held, n, seconds);
}

void vgem_svm_fuse_answer(struct vgem_svm_fuse *f)
{
	vgem_svm_poke(&f->state->answer, 1);
}

void vgem_svm_fuse_fini(struct vgem_svm_fuse *f)
{
	vgem_svm_end(f->server);
	umount2(f->dir, MNT_DETACH);
	rmdir(f->dir);
	vgem_svm_unmap(f->state, sizeof(*f->state));
}
