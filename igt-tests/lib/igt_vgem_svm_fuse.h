/* SPDX-License-Identifier: MIT */
#ifndef IGT_VGEM_SVM_FUSE_H
#define IGT_VGEM_SVM_FUSE_H

/*
 * A file system with one file whose server does not answer reads until it is
 * told to: a disk that hangs, a server that is gone. The server is a process of
 * its own and speaks the protocol of /dev/fuse.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vgem_svm_fuse_state;

/**
 * struct vgem_svm_fuse - a mounted file system that answers no read
 * @dir: where it is mounted
 * @server: the process that serves it
 * @state: what is shared with the server
 */
struct vgem_svm_fuse {
	char dir[64];
	pid_t server;
	struct vgem_svm_fuse_state *state;
};

/* Word 0 of each page of the file. */
static inline uint64_t vgem_svm_fuse_word(uint64_t page)
{
	return page * 3 + 7;
}

/*
 * With @async the kernel reads in the background and waits for the page, which
 * a fatal signal ends; without it waits for the answer, which nothing ends once
 * the server has taken the request.
 */
void vgem_svm_fuse_init(struct vgem_svm_fuse *f, bool async);
/* The file, shared, at an address that is a multiple of 2 MiB. */
void *vgem_svm_fuse_map(const struct vgem_svm_fuse *f, size_t length, int prot);
/*
 * A second open of the file, without a cache. To map that one the kernel throws
 * the cache of the file away, and waits for pages that are being read: while a
 * read is held, such a mmap() holds the lock of the process's memory for writing.
 */
int vgem_svm_fuse_open_direct(const struct vgem_svm_fuse *f);
/* Reads that the server has taken and not answered. */
unsigned int vgem_svm_fuse_held(const struct vgem_svm_fuse *f);
/* Waits for @n of them. */
bool vgem_svm_fuse_wait_held(const struct vgem_svm_fuse *f, unsigned int n,
			     int seconds);
/* All reads are answered, from now on and those that wait. */
void vgem_svm_fuse_answer(struct vgem_svm_fuse *f);
/* Kills the server, which ends what still waits, and unmounts. */
void vgem_svm_fuse_fini(struct vgem_svm_fuse *f);

#endif
