/* SPDX-License-Identifier: MIT */
#ifndef IGT_VGEM_SVM_FENCE_H
#define IGT_VGEM_SVM_FENCE_H

/* EXECs with a fence, and what became of it. */

#include <stdint.h>

#include "igt_vgem_svm.h"

/* Where the next batch of a queue goes: 16 words. */
uint64_t *vgem_svm_slot(struct vgem_svm_queue *q);
/* A launch, to be put there. */
void vgem_svm_launch(struct vgem_svm_queue *q, uint64_t *batch, uint64_t entry,
		     const uint64_t args[7]);
/* EXEC of @nr words with one syncobj each to wait for and to signal, or NULL. */
int __vgem_svm_exec_synced(struct vgem_svm_queue *q, const uint64_t *batch,
			   unsigned int nr, const struct drm_vgem_svm_sync *in,
			   const struct drm_vgem_svm_sync *out);

uint32_t vgem_svm_syncobj(int fd);
/* 1: signalled, 0: not yet, else the error with which it was. */
int vgem_svm_sync_file(int fd, uint32_t handle);
int vgem_svm_file_status(int file);
int vgem_svm_file_await(int file);
int vgem_svm_fence_status(int fd, uint32_t handle);
int vgem_svm_fence_await(int fd, uint32_t handle);

#endif
