// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Attributes: what a program wants for addresses, kept apart from ranges and
 * VMAs, so that they outlive both. One tree per process: of several devices
 * the last to set an attribute wins.
 *
 * A value names a location: 0 system memory, n + 1 the region with id n.
 *
 * Whoever may open a device may set as many as there are pages, so they are
 * counted, and a process has a limit as it has for its VMAs. Neighbours with the
 * same value are one interval, so only what differs counts. Writers take a mutex
 * for the count and the tree to agree; readers take RCU. The limit is what bounds
 * the memory: nodes of the tree are charged to nobody, whatever is asked for,
 * since a store that needs several takes them from a sheaf of a slab that is not
 * accounted. The same is so for the tree of VMAs.
 *
 * The tree is of the kind that VMAs are in. One without MT_FLAGS_ALLOC_RANGE keeps
 * a note of how full a node is in the place of its last child, where freeing under
 * RCU (all of it, or what one store replaces) takes it for a child.
 */

#include <kunit/visibility.h>

#include <linux/device.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate_wait.h>

#include "drm_svm_internal.h"

/* As many as sysctl_max_map_count says for VMAs if nobody changes it. */
unsigned int drm_svm_max_attrs = DEFAULT_MAX_MAP_COUNT;
EXPORT_SYMBOL_IF_KUNIT(drm_svm_max_attrs);
module_param_named(max_attrs, drm_svm_max_attrs, uint, 0644);
MODULE_PARM_DESC(max_attrs, "intervals with attributes that a process may have");

static void *drm_svm_attr_value(struct drm_svm *svm,
				enum drm_svm_location location)
{
	switch (location) {
	case DRM_SVM_LOC_SYSTEM:
		return xa_mk_value(0);
	case DRM_SVM_LOC_DEVICE:
		return xa_mk_value(drm_svm_device_region(svm->device)->id + 1);
	default:
		return NULL;
	}
}

/* Is it a number of the device's own memory? Of system memory it is of none. */
static bool drm_svm_names_own(struct drm_svm *svm, u64 id)
{
	struct drm_svm_region *region;

	drm_svm_for_each_region(region, svm->device)
		if (region->id == id)
			return true;
	return false;
}

static enum drm_svm_location drm_svm_attr_location(struct drm_svm *svm,
						   void *entry)
{
	if (!entry)
		return DRM_SVM_LOC_DEFAULT;
	if (drm_svm_names_own(svm, xa_to_value(entry) - 1))
		return DRM_SVM_LOC_DEVICE;
	/* System memory, or that of a device that this one cannot reach. */
	return DRM_SVM_LOC_SYSTEM;
}

/**
 * struct drm_svm_attr_edit - one store to the tree
 * @first: first page; with what is joined to it
 * @last: last page; with what is joined to it
 * @value: what they get, NULL for none
 * @gone: intervals that it replaces
 * @rest: intervals that are left of them before and behind
 * @same: nothing changes
 */
struct drm_svm_attr_edit {
	unsigned long first;
	unsigned long last;
	void *value;
	unsigned int gone;
	unsigned int rest;
	bool same;
};

/* @entry is in [@first, @last], which touches what is stored or overlaps it. */
static void drm_svm_attr_meets(struct drm_svm_attr_edit *edit, void *entry,
			       unsigned long first, unsigned long last)
{
	if (entry == edit->value) {
		edit->same = first <= edit->first && edit->last <= last;
		edit->first = min(edit->first, first);
		edit->last = max(edit->last, last);
		edit->gone++;
	} else if (first <= edit->last && edit->first <= last) {
		edit->rest += first < edit->first;
		edit->rest += edit->last < last;
		edit->gone++;
	}
}

static void drm_svm_attr_survey(struct drm_svm_mm *smm,
				struct drm_svm_attr_edit *edit)
{
	unsigned long last = edit->last + 1;
	struct ma_state mas;
	void *entry;

	lockdep_assert_held(&smm->attr_lock);
	mas_init(&mas, &smm->attrs, edit->first ? edit->first - 1 : 0);
	guard(rcu)();
	mas_for_each(&mas, entry, last) {
		drm_svm_attr_meets(edit, entry, mas.index, mas.last);
		if (need_resched()) {
			mas_pause(&mas);
			cond_resched_rcu();
		}
	}
}

static int drm_svm_attr_store(struct drm_svm_mm *smm,
			      struct drm_svm_attr_edit *edit)
{
	unsigned int nr;
	int ret;

	guard(mutex)(&smm->attr_lock);
	drm_svm_attr_survey(smm, edit);
	if (edit->same || (!edit->value && !edit->gone))
		return 0;
	nr = smm->nr_attrs - edit->gone + edit->rest + !!edit->value;
	if (nr > smm->nr_attrs && nr > READ_ONCE(drm_svm_max_attrs))
		return -ENOSPC;
	ret = mtree_store_range(&smm->attrs, edit->first, edit->last,
				edit->value, GFP_KERNEL_ACCOUNT);
	if (!ret)
		smm->nr_attrs = nr;
	return ret;
}

/**
 * drm_svm_attr_limit() - how many intervals with attributes may a process have?
 *
 * Return: the number, which may be changed at any time.
 */
unsigned int drm_svm_attr_limit(void)
{
	return READ_ONCE(drm_svm_max_attrs);
}
EXPORT_SYMBOL_GPL(drm_svm_attr_limit);

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
 * Return: 0, -ENODEV if the device has no memory, -ENOSPC if the process has as many
 * intervals with attributes as it may (parameter max_attrs of the module), -ENOMEM;
 * then nothing has changed.
 */
int drm_svm_set_preferred(struct drm_svm *svm, u64 first, u64 last,
			  enum drm_svm_location location)
{
	struct drm_svm_attr_edit edit = {
		.first = first >> PAGE_SHIFT,
		.last = last >> PAGE_SHIFT,
	};
	int ret;

	if (location == DRM_SVM_LOC_DEVICE && !drm_svm_has_memory(svm))
		return -ENODEV;
	edit.value = drm_svm_attr_value(svm, location);
	ret = drm_svm_attr_store(svm->smm, &edit);
	if (ret == -ENOSPC)
		dev_dbg(svm->device->dev, "a process has its %u intervals with attributes\n",
			READ_ONCE(drm_svm_max_attrs));
	return ret;
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
	return drm_svm_has_memory(svm) && svm->migrate_on_fault ?
		       DRM_SVM_LOC_DEVICE : DRM_SVM_LOC_SYSTEM;
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
	unsigned long from, to;

	if (drm_svm_default_location(svm) == DRM_SVM_LOC_DEVICE)
		bitmap_fill(pages, DRM_SVM_RANGE_PAGES);
	else
		bitmap_zero(pages, DRM_SVM_RANGE_PAGES);

	for (from = first; from <= last; from = to + 1) {
		void *entry;

		to = last;
		entry = drm_svm_tree_at(&svm->smm->attrs, from, &to);
		if (!entry)
			continue;
		if (drm_svm_attr_location(svm, entry) == DRM_SVM_LOC_DEVICE)
			bitmap_set(pages, from - first, to - from + 1);
		else
			bitmap_clear(pages, from - first, to - from + 1);
	}
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_policy_pages);

/**
 * drm_svm_policy_forbids() - must any of the pages not be on the device?
 * @svm: device address space
 * @base: first byte of the range
 * @pages: pages, by index
 *
 * Return: true if an attribute says so of one; that there is none says nothing.
 */
bool drm_svm_policy_forbids(struct drm_svm *svm, u64 base, const unsigned long *pages)
{
	unsigned int i;

	/* Another device's memory is a wish of that one, and forbids nothing. */
	for_each_set_bit(i, pages, DRM_SVM_RANGE_PAGES)
		if (mtree_load(&svm->smm->attrs,
			       drm_svm_page_addr(base, i) >> PAGE_SHIFT) ==
		    xa_mk_value(0))
			return true;
	return false;
}
