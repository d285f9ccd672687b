// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Soft-dirty bits and device memory.
 *
 * Who writes 4 to /proc/PID/clear_refs wants to know which pages are written from
 * then on. The core clears the bit of each entry and takes write permission away,
 * so that the next write faults and sets the bit: of present entries. An entry of
 * a page on a device loses the bit and goes on to let write, and the core expects
 * the owner of such entries to act on MMU_NOTIFY_SOFT_DIRTY.
 *
 * What holds here:
 *
 * - An entry that lets write has its bit, or the bits were cleared after the page
 *   was placed. A page that is placed keeps the bit of its old entry, and an entry
 *   without it did not let write.
 * - Each page in device memory remembers the moment at which bits were last cleared
 *   before it was placed. If they have been cleared since the page is *stale*, and
 *   no device may write to it before it has gone through system memory.
 * - On the way to system memory the core makes the new entry as the old one was; it
 *   does not look at MIGRATE_PFN_WRITE of the destination. So a page whose entry may
 *   let write without the bit counts as written: a fault sets its bit, with mmap_lock
 *   still held, which clearing takes for write. Too many are named, never too few.
 * - The core makes new pages on a device with an entry that lets write and has no
 *   bit. So none are made there while writes are tracked. The core tracks them per
 *   VMA: as long as one has VM_SOFTDIRTY all of its pages count as written.
 *
 * A child of fork() has the pages of its parent by entries that do not let write.
 *
 * Not covered: memory that is taken from a device without its VMA, because the
 * device goes. Entries come back as they were, so a stale page lets write
 * without the bit until bits are cleared the next time.
 */

#include <linux/mm.h>

#include "drm_svm_internal.h"
#include "drm_svm_planted.h"

/**
 * drm_svm_soft_tracked() - does somebody ask which pages are written?
 * @vma: memory
 *
 * Context: mmap_lock is held.
 * Return: true if entries of it tell writes by their soft-dirty bits.
 */
bool drm_svm_soft_tracked(struct vm_area_struct *vma)
{
	return IS_ENABLED(CONFIG_MEM_SOFT_DIRTY) &&
	       !(vma->vm_flags & VM_SOFTDIRTY);
}

/**
 * drm_svm_page_soft_place() - a page is about to be placed on a device
 * @page: device page, initialised
 * @epoch: &drm_svm_mm.soft_epoch, read under the mmap_lock that is still held
 */
void drm_svm_page_soft_place(struct page *page, u64 epoch)
{
	page->zone_device_data = (void *)(unsigned long)epoch;
}

/**
 * drm_svm_page_soft_epoch() - what a page on a device remembers
 * @page: device page of a drm_svm region
 *
 * Return: the moment that drm_svm_page_soft_place() was told.
 */
u64 drm_svm_page_soft_epoch(struct page *page)
{
	return (unsigned long)page->zone_device_data;
}

/**
 * drm_svm_page_soft_stale() - were soft-dirty bits cleared since it was placed?
 * @smm: address space
 * @page: device page of a drm_svm region
 *
 * A page that was placed for another process counts as stale: this one may not
 * write to it either.
 *
 * Context: any; the page's table entry is known to be current, or the caller
 * finds out that it was not before anybody writes to the page.
 * Return: true if no device may write to it where it is.
 */
bool drm_svm_page_soft_stale(struct drm_svm_mm *smm, struct page *page)
{
	if (!IS_ENABLED(CONFIG_MEM_SOFT_DIRTY) ||
	    drm_svm_planted(DRM_SVM_PLANTED_NO_SOFT_EPOCH))
		return false;
	return drm_svm_page_soft_epoch(page) !=
	       atomic64_read(&smm->soft_epoch);
}

/**
 * drm_svm_soft_mark() - a page counts as written
 * @vma: where it is mapped, with an entry that lets write
 * @addr: its address
 *
 * Context: may sleep; mmap_lock is held for read, in the CPU's fault too. The fault
 * that is made finds the page present and waits for nothing.
 */
void drm_svm_soft_mark(struct vm_area_struct *vma, unsigned long addr)
{
	/* If it is not there any more, whoever took it saw to its bit. */
	fixup_user_fault(vma->vm_mm, addr, FAULT_FLAG_WRITE, NULL);
}
