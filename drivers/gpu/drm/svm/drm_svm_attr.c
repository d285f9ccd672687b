// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Attributes: what a program wants for addresses, kept apart from ranges and
 * VMAs, so that they outlive both. One tree per process: of several devices
 * the last to set an attribute wins.
 *
 * A value names a location: 0 system memory, n + 1 the region with id n.
 */

#include <kunit/visibility.h>

#include <linux/maple_tree.h>
#include <linux/mm.h>

#include "drm_svm_internal.h"

static void *drm_svm_attr_value(struct drm_svm *svm,
				enum drm_svm_location location)
{
	switch (location) {
	case DRM_SVM_LOC_SYSTEM:
		return xa_mk_value(0);
	case DRM_SVM_LOC_DEVICE:
		return xa_mk_value(svm->region->id + 1);
	default:
		return NULL;
	}
}

static enum drm_svm_location drm_svm_attr_location(struct drm_svm *svm,
						   void *entry)
{
	if (!entry)
		return DRM_SVM_LOC_DEFAULT;
	if (svm->region && xa_to_value(entry) == svm->region->id + 1UL)
		return DRM_SVM_LOC_DEVICE;
	/* System memory, or that of a device that this one cannot reach. */
	return DRM_SVM_LOC_SYSTEM;
}

/**
 * drm_svm_set_preferred() - say where memory should be
 * @svm: device address space
 * @first: first byte, page aligned
 * @last: last byte, of a page
 * @location: where; DRM_SVM_LOC_DEFAULT takes the attribute away
 *
 * Nothing moves by this: the next fault does, or drm_svm_migrate().
 *
 * Context: may sleep.
 * Return: 0, -ENODEV if the device has no memory, -ENOMEM; then nothing has
 * changed.
 */
int drm_svm_set_preferred(struct drm_svm *svm, u64 first, u64 last,
			  enum drm_svm_location location)
{
	if (location == DRM_SVM_LOC_DEVICE && !svm->region)
		return -ENODEV;
	return mtree_store_range(&svm->smm->attrs, first >> PAGE_SHIFT,
				 last >> PAGE_SHIFT,
				 drm_svm_attr_value(svm, location),
				 GFP_KERNEL_ACCOUNT);
}
EXPORT_SYMBOL_GPL(drm_svm_set_preferred);

/**
 * drm_svm_get_preferred() - where memory should be
 * @svm: device address space
 * @addr: address
 * @location: out; another device's memory is reported as system memory
 *
 * Context: any.
 * Return: 0.
 */
int drm_svm_get_preferred(struct drm_svm *svm, u64 addr,
			  enum drm_svm_location *location)
{
	void *entry = mtree_load(&svm->smm->attrs, addr >> PAGE_SHIFT);

	*location = drm_svm_attr_location(svm, entry);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_svm_get_preferred);

static enum drm_svm_location drm_svm_default_location(struct drm_svm *svm)
{
	return svm->region && svm->migrate_on_fault ? DRM_SVM_LOC_DEVICE :
						      DRM_SVM_LOC_SYSTEM;
}

/**
 * drm_svm_policy() - where a faulting page is to be
 * @svm: device address space
 * @addr: address
 *
 * Return: DRM_SVM_LOC_DEVICE, or DRM_SVM_LOC_SYSTEM for "where it is".
 */
enum drm_svm_location drm_svm_policy(struct drm_svm *svm, u64 addr)
{
	enum drm_svm_location location;

	drm_svm_get_preferred(svm, addr, &location);
	return location == DRM_SVM_LOC_DEFAULT ? drm_svm_default_location(svm) :
						 location;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_policy);

/**
 * drm_svm_policy_pages() - which pages of a range belong on the device
 * @svm: device address space
 * @base: first byte of the range
 * @pages: out, a bit per page
 */
void drm_svm_policy_pages(struct drm_svm *svm, u64 base, unsigned long *pages)
{
	unsigned long first = base >> PAGE_SHIFT;
	unsigned long last = first + DRM_SVM_RANGE_PAGES - 1;
	struct ma_state mas;
	void *entry;

	if (drm_svm_default_location(svm) == DRM_SVM_LOC_DEVICE)
		bitmap_fill(pages, DRM_SVM_RANGE_PAGES);
	else
		bitmap_zero(pages, DRM_SVM_RANGE_PAGES);

	mas_init(&mas, &svm->smm->attrs, first);
	guard(rcu)();
	mas_for_each(&mas, entry, last) {
		unsigned long from = max(mas.index, first);
		unsigned long to = min(mas.last, last);

		if (drm_svm_attr_location(svm, entry) == DRM_SVM_LOC_DEVICE)
			bitmap_set(pages, from - first, to - from + 1);
		else
			bitmap_clear(pages, from - first, to - from + 1);
	}
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_policy_pages);
