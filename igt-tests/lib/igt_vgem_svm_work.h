/* SPDX-License-Identifier: MIT */
#ifndef IGT_VGEM_SVM_WORK_H
#define IGT_VGEM_SVM_WORK_H

/*
 * A program that goes on while a test does something to its memory: it adds 1
 * to a word of each page, round and round, and counts the rounds. In the end
 * each word says how many rounds there were, or an increment was lost.
 */

#include <stdbool.h>
#include <stdint.h>

#include "igt_vgem_svm.h"

/**
 * struct vgem_svm_work - a program that goes on
 * @q: queue that it runs on
 * @p: its memory, one word in use at the begin of each page
 * @pages: how many
 * @control: page with the rounds (word 0) and the order to stop (word 64)
 */
struct vgem_svm_work {
	struct vgem_svm_queue *q;
	uint8_t *p;
	unsigned int pages;
	uint64_t *control;
};

/* Code, batch and stack of the queue get mapped, so that only the test faults. */
void vgem_svm_warm_up(struct vgem_svm *s);

/* Starts; by atomics if others than the GPU write the words too. */
void vgem_svm_work_start(struct vgem_svm_work *w, struct vgem_svm_queue *q,
			 void *p, unsigned int pages, bool atomic);
uint64_t vgem_svm_work_laps(const struct vgem_svm_work *w);
uint64_t *vgem_svm_work_word(const struct vgem_svm_work *w, unsigned int page);
/* Waits for @n more rounds; @after tells what may have stopped it. */
void vgem_svm_work_go_on(struct vgem_svm_work *w, uint64_t n, const char *after);
/* The program ends well. Return: its rounds. */
uint64_t vgem_svm_work_stop(struct vgem_svm_work *w);
/* The same, and no increment is lost; the memory was zero at the begin. */
uint64_t vgem_svm_work_finish(struct vgem_svm_work *w);

#endif
