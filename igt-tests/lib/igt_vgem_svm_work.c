// SPDX-License-Identifier: MIT
/*
 * A program that goes on while a test does something to its memory.
 */

#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_sys.h"
#include "igt_vgem_svm_work.h"

#define STOP_WORD 64

void vgem_svm_warm_up(struct vgem_svm *s)
{
	uint64_t *page = vgem_svm_map(VGEM_SVM_PAGE);
	int i;

	/* Twice: the batch of the last one is in the page of the first. */
	for (i = 0; i < 2; i++) {
		vgem_svm_run(&s->q, increment, 1, 1, VA(page), 8, 1, 1);
		vgem_svm_run(&s->q, touch, 1, 1, VA(page), 8, 1);
		vgem_svm_run(&s->q, fill, 1, 1, VA(page), 8, 1, 1);
	}
	vgem_svm_unmap(page, VGEM_SVM_PAGE);
}

void vgem_svm_work_start(struct vgem_svm_work *w, struct vgem_svm_queue *q,
			 void *p, unsigned int pages, bool atomic)
{
	w->q = q;
	w->p = p;
	w->pages = pages;
	w->control = vgem_svm_map(VGEM_SVM_PAGE);
	if (atomic)
		vgem_svm_start(q, add_on, 1, pages, VA(p), VGEM_SVM_PAGE,
			       VA(w->control), VA(w->control + STOP_WORD));
	else
		vgem_svm_start(q, increment_on, 1, pages, VA(p), VGEM_SVM_PAGE,
			       VA(w->control), VA(w->control + STOP_WORD));
	vgem_svm_work_go_on(w, 2, "its start");
}

uint64_t vgem_svm_work_laps(const struct vgem_svm_work *w)
{
	return vgem_svm_peek(w->control);
}

uint64_t *vgem_svm_work_word(const struct vgem_svm_work *w, unsigned int page)
{
	return (uint64_t *)(w->p + page * VGEM_SVM_PAGE);
}

void vgem_svm_work_go_on(struct vgem_svm_work *w, uint64_t n, const char *after)
{
	uint64_t laps = vgem_svm_work_laps(w);

	igt_assert_f(vgem_svm_reaches(w->control, laps + n, 20),
		     "the program does not go on after %s: queue %s\n", after,
		     vgem_svm_status_name(vgem_svm_status(w->q)));
}

uint64_t vgem_svm_work_stop(struct vgem_svm_work *w)
{
	uint64_t laps;

	vgem_svm_poke(w->control + STOP_WORD, 1);
	vgem_svm_wait(w->q);
	laps = vgem_svm_work_laps(w);
	vgem_svm_unmap(w->control, VGEM_SVM_PAGE);
	return laps;
}

uint64_t vgem_svm_work_finish(struct vgem_svm_work *w)
{
	uint64_t laps = vgem_svm_work_stop(w);
	unsigned int i;

	for (i = 0; i < w->pages; i++)
		igt_assert_f(*vgem_svm_work_word(w, i) == laps,
			     "page %u has %" PRIu64 " increments of %" PRIu64
			     "\n", i, *vgem_svm_work_word(w, i), laps);
	return laps;
}
