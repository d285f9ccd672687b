/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _VGEM_SVM_FUZZ_H_
#define _VGEM_SVM_FUZZ_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <drm/vgem_svm_drm.h>

/*
 * A fuzzer of vgem_svm that knows the grammar of the interface: what it asks is
 * mostly right, so that it gets far, with something wrong in a part of it.
 *
 * Workers are processes. A worker is born, does operations and dies, by its own
 * hand, by a signal, or of what its GPU programs write into its memory; then it
 * is born again. Operation N of life L of worker W draws from a stream of its
 * own, (seed, W, L, N), so that what it decides does not depend on how much
 * others have drawn. What the kernel answers, and what others do meanwhile, is
 * not repeatable; a worker alone is (--worker W --life L).
 */

#define FUZZ_PAGE	4096UL
#define FUZZ_WORKERS	16
#define FUZZ_FDS	4
#define FUZZ_IDS	8
#define FUZZ_AREAS	8
#define FUZZ_CHILDREN	2
#define FUZZ_SYNCOBJS	4

/* Asked of the kernel, counted one by one. */
enum fuzz_call {
	FUZZ_QUERY,
	FUZZ_VM_CREATE,
	FUZZ_VM_DESTROY,
	FUZZ_QUEUE_CREATE,
	FUZZ_QUEUE_DESTROY,
	FUZZ_QUEUE_QUERY,
	FUZZ_EXEC,
	FUZZ_MIGRATE,
	FUZZ_ATTR_SET,
	FUZZ_ATTR_GET,
	FUZZ_RESIDENCY,
	FUZZ_COUNTERS,
	FUZZ_FAULTS,
	FUZZ_GEM_CREATE,
	FUZZ_GEM_MMAP,
	FUZZ_VM_BIND,
	FUZZ_USERPTR,
	FUZZ_CALLS,
};

/**
 * struct fuzz_slot - what a worker tells its parent, in memory of both
 * @pid: of the worker, 0 while there is none
 * @life: which life
 * @ops: operations begun, in all lives
 * @what: the current one, in the worker's words
 * @called: ioctls made, by kind
 * @done: those that succeeded
 * @batches: batches that ended well, as far as QUEUE_QUERY has told
 */
struct fuzz_slot {
	pid_t pid;
	unsigned int life;
	uint64_t ops;
	char what[16];
	uint64_t called[FUZZ_CALLS];
	uint64_t done[FUZZ_CALLS];
	uint64_t batches;
};

/**
 * struct fuzz_area - a piece of memory
 * @addr: its address; NULL if there is none
 * @length: bytes
 * @uffd: userfaultfd that it is registered with, -1 for none
 */
struct fuzz_area {
	char *addr;
	size_t length;
	int uffd;
};

/* A handle, and the index of the file it belongs to. */
struct fuzz_id {
	int file;
	uint32_t id;
};

/**
 * struct fuzz - a worker
 * @seed: of the whole run
 * @worker: number
 * @life: number
 * @op: number of the current operation
 * @rng: its stream
 * @slot: what the parent sees
 * @fds: open devices, -1 for none
 * @vms: address spaces, some of them gone
 * @queues: likewise
 * @objects: buffer objects, likewise
 * @syncobjs: handles of syncobjs
 * @areas: memory
 * @children: processes it has forked, 0 for none
 * @event: eventfd
 * @zero: /dev/zero
 * @sink: a memfd
 * @post: where descriptors are sent to other workers; @box: and received
 */
struct fuzz {
	uint64_t seed;
	unsigned int worker;
	unsigned int life;
	uint64_t op;
	uint64_t rng;
	struct fuzz_slot *slot;
	int fds[FUZZ_FDS];
	struct fuzz_id vms[FUZZ_IDS];
	struct fuzz_id queues[FUZZ_IDS];
	struct fuzz_id objects[FUZZ_IDS];
	struct fuzz_id syncobjs[FUZZ_SYNCOBJS];
	struct fuzz_area areas[FUZZ_AREAS];
	pid_t children[FUZZ_CHILDREN];
	int event;
	int zero;
	int sink;
	int post;
	int box;
};

/* Drawing. */
void fuzz_begin(struct fuzz *f);
uint64_t fuzz_draw(struct fuzz *f);
unsigned int fuzz_below(struct fuzz *f, unsigned int n);	/* 0 to n - 1 */
bool fuzz_one_in(struct fuzz *f, unsigned int n);
uint64_t fuzz_odd(struct fuzz *f);	/* values at the edges of something */

/* Memory. */
struct fuzz_area *fuzz_area(struct fuzz *f);	/* never without memory, or NULL */
uint64_t fuzz_addr(struct fuzz *f, unsigned int align);
void fuzz_map(struct fuzz *f);
void fuzz_memory(struct fuzz *f);
void fuzz_touch(struct fuzz *f);
void fuzz_uffd(struct fuzz *f);
void fuzz_uffd_service(struct fuzz *f);

/* Ioctls. */
bool fuzz_is_ours(int fd);
int fuzz_open(unsigned int index);
void fuzz_open_one(struct fuzz *f);
void fuzz_close_one(struct fuzz *f);
void fuzz_ioctl(struct fuzz *f);
void fuzz_setup(struct fuzz *f);
int fuzz_call(struct fuzz *f, enum fuzz_call call, int fd, void *arg);
void fuzz_exec(struct fuzz *f);
void fuzz_syncobj(struct fuzz *f);
void fuzz_other_ioctl(struct fuzz *f);
extern const char * const fuzz_call_names[FUZZ_CALLS];

/* Batches: words written to @batch, at most @room. Return: their number. */
unsigned int fuzz_batch(struct fuzz *f, uint64_t *batch, unsigned int room);

/* Other processes. */
void fuzz_fork(struct fuzz *f);
void fuzz_send(struct fuzz *f);
void fuzz_receive(struct fuzz *f);
void fuzz_die(struct fuzz *f);

/* A worker's life, and what the new image after an exec does. */
void fuzz_live(struct fuzz *f);
void fuzz_step(struct fuzz *f);
void fuzz_say(struct fuzz *f, const char *what);
void fuzz_after_exec(struct fuzz *f);

#endif /* _VGEM_SVM_FUZZ_H_ */
