// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Sets of faults of one range: which pages are wanted, and who is to be told if one
 * cannot be had. A set is bounded; what does not fit is let go by its owner.
 */

#include "drm_svm_fault_queue.h"
#include "drm_svm_planted.h"

/**
 * drm_svm_set_add() - remember a fault
 * @set: set
 * @fault: fault, of the set's range
 *
 * Context: the owner of the set's.
 * Return: false if the set is full.
 */
bool drm_svm_set_add(struct drm_svm_fault_set *set,
		     const struct drm_svm_fault *fault)
{
	unsigned int page = drm_svm_page_index(fault->addr);

	if (set->n == DRM_SVM_GROUP_FAULTS)
		return false;
	set->faults[set->n++] = *fault;
	__set_bit(page, set->want);
	if (fault->access != DRM_SVM_READ)
		__set_bit(page, set->write);
	return true;
}

/**
 * drm_svm_set_absorb() - remember a fault, in place of the oldest if need be
 * @set: set
 * @fault: fault
 *
 * The oldest is most likely one that a replay has let go since: to cancel it would
 * do nothing.
 *
 * Context: the owner of the set's.
 * Return: true if one was let go for it, which needs a replay one day.
 */
bool drm_svm_set_absorb(struct drm_svm_fault_set *set,
			const struct drm_svm_fault *fault)
{
	bool full = set->n == DRM_SVM_GROUP_FAULTS;

	if (full) {
		set->n--;
		memmove(&set->faults[0], &set->faults[1],
			set->n * sizeof(set->faults[0]));
	}
	drm_svm_set_add(set, fault);
	return full;
}

/**
 * drm_svm_set_take() - move faults from one set to another
 * @from: loses the faults of @pages
 * @pages: by index
 * @to: gets them; NULL: they are let go
 *
 * Context: the owner of the sets'.
 */
void drm_svm_set_take(struct drm_svm_fault_set *from, const unsigned long *pages,
		      struct drm_svm_fault_set *to)
{
	unsigned int i, kept = 0;

	for (i = 0; i < from->n; i++) {
		struct drm_svm_fault *fault = &from->faults[i];

		if (!test_bit(drm_svm_page_index(fault->addr), pages))
			from->faults[kept++] = *fault;
		else if (to)
			drm_svm_set_absorb(to, fault);
	}
	from->n = kept;
	bitmap_andnot(from->want, from->want, pages, DRM_SVM_RANGE_PAGES);
	bitmap_andnot(from->write, from->write, pages, DRM_SVM_RANGE_PAGES);
}

/**
 * drm_svm_set_has() - does anybody wait for a page?
 * @set: set
 * @page: index of the page
 *
 * Context: the owner of the set's.
 * Return: true if a fault of it is remembered.
 */
bool drm_svm_set_has(const struct drm_svm_fault_set *set, unsigned int page)
{
	unsigned int i;

	for (i = 0; i < set->n; i++)
		if (drm_svm_page_index(set->faults[i].addr) == page)
			return true;
	return false;
}

/**
 * drm_svm_set_cancel() - refuse the faults of a page
 * @set: set
 * @svm: its address space
 * @page: index of the page
 * @writes_only: those who only read are not refused
 * @error: why
 *
 * A fault that is cancelled leaves the set: nobody serves or cancels it again.
 *
 * Context: the owner of the set's; calls the driver.
 */
void drm_svm_set_cancel(struct drm_svm_fault_set *set, struct drm_svm *svm,
			unsigned int page, bool writes_only, int error)
{
	unsigned int i = 0;

	while (i < set->n) {
		struct drm_svm_fault *fault = &set->faults[i];

		if (drm_svm_page_index(fault->addr) != page ||
		    (writes_only && fault->access == DRM_SVM_READ)) {
			i++;
			continue;
		}
		if (!drm_svm_planted(DRM_SVM_PLANTED_ACK_ERROR)) {
			atomic64_inc(&svm->stats.fault_errors);
			svm->ops->cancel(svm, fault, error);
		}
		*fault = set->faults[--set->n];
	}
	__clear_bit(page, set->write);
	if (!writes_only)
		__clear_bit(page, set->want);
}

/**
 * drm_svm_set_cancel_all() - refuse all faults of a set
 * @set: set
 * @svm: its address space
 * @error: why
 *
 * Context: the owner of the set's; calls the driver.
 */
void drm_svm_set_cancel_all(struct drm_svm_fault_set *set, struct drm_svm *svm,
			    int error)
{
	unsigned int page;

	for_each_set_bit(page, set->want, DRM_SVM_RANGE_PAGES)
		drm_svm_set_cancel(set, svm, page, false, error);
}
