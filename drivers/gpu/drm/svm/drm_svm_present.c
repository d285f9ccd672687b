// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: drm_svm_present
 *
 * Where is anything at all? Programs reserve address space by the terabyte and use
 * little of it, so who has to do with all of an interval asks for the next address
 * that may hold something, and pays for what is there: mappings, and tables of the
 * CPU.
 *
 * It is answered from the upper levels of the CPU's page table, VMA by VMA and with
 * mmap_lock held for read, down to the entry that stands for a table of pages; that
 * table is not looked at. Reading those levels so is legal since they go only
 *
 * - in munmap() and its like, which frees tables with mmap_lock downgraded to read,
 *   but after the VMA has left the tree, and only tables that no remaining VMA
 *   reaches into: those of a VMA that is found stay;
 * - in exit, which does not come while mm_users is held;
 * - where hugetlb shares tables between processes, under locks of its own: such
 *   memory is not looked at, and counts as there.
 *
 * Tables of pages go while we read: khugepaged takes them away with mmap_lock held
 * for write, or for files without it; MADV_DONTNEED frees those that it has emptied.
 * Each leaves or changes the entry that stands for the table, and that is read once
 * and as a whole. A huge page is such an entry, and is something that is there.
 *
 * What is said to be empty may be filled at once. That is as if one had asked
 * before.
 */

#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>

#include "drm_svm_pagein.h"

/* Each moves *@addr on to what may be there, below @end. False: nothing is. */
static bool drm_svm_present_pmd(pud_t *pudp, pud_t pud, unsigned long *addr,
				unsigned long end)
{
	pmd_t *pmdp = pmd_offset_lockless(pudp, pud, *addr);

	for (; *addr < end; pmdp++) {
		if (!pmd_none(pmdp_get_lockless(pmdp)))
			return true;
		*addr = pmd_addr_end(*addr, end);
	}
	return false;
}

static bool drm_svm_present_pud(p4d_t *p4dp, p4d_t p4d, unsigned long *addr,
				unsigned long end)
{
	pud_t *pudp = pud_offset_lockless(p4dp, p4d, *addr);

	for (; *addr < end; pudp++) {
		unsigned long next = pud_addr_end(*addr, end);
		pud_t pud = pudp_get(pudp);

		if (pud_leaf(pud))
			return true;
		if (!pud_none(pud) &&
		    drm_svm_present_pmd(pudp, pud, addr, next))
			return true;
		*addr = next;
	}
	return false;
}

static bool drm_svm_present_p4d(pgd_t *pgdp, pgd_t pgd, unsigned long *addr,
				unsigned long end)
{
	p4d_t *p4dp = p4d_offset_lockless(pgdp, pgd, *addr);

	for (; *addr < end; p4dp++) {
		unsigned long next = p4d_addr_end(*addr, end);
		p4d_t p4d = p4dp_get(p4dp);

		if (!p4d_none(p4d) &&
		    drm_svm_present_pud(p4dp, p4d, addr, next))
			return true;
		*addr = next;
	}
	return false;
}

static bool drm_svm_present_vma(struct vm_area_struct *vma, unsigned long *addr,
				unsigned long end)
{
	pgd_t *pgdp = pgd_offset(vma->vm_mm, *addr);

	if (is_vm_hugetlb_page(vma))
		return true;
	for (; *addr < end; pgdp++) {
		unsigned long next = pgd_addr_end(*addr, end);
		pgd_t pgd = pgdp_get(pgdp);

		if (!pgd_none(pgd) && drm_svm_present_p4d(pgdp, pgd, addr, next))
			return true;
		*addr = next;
		cond_resched();
	}
	return false;
}

/**
 * drm_svm_present_next() - where is the next thing?
 * @svm: device address space that asks
 * @addr: in: where to begin, page aligned; out: where something may be
 * @last: last byte to look at
 * @holes: mappings where pages may be made count as there, touched or not
 * @mapped: set if a mapping was met, empty or not; otherwise left alone
 *
 * An upper-level entry that stands for something is met at its first byte after
 * *@addr, so *@addr may lie before what is there.
 *
 * Context: may sleep, for mmap_lock; no lock of drm_svm is held. A reference to mm_users
 * is.
 * Return: 1 if there is something, 0 if not, -EINTR, -ESRCH.
 */
int drm_svm_present_next(struct drm_svm *svm, u64 *addr, u64 last, bool holes,
			 bool *mapped)
{
	struct mm_struct *mm = svm->smm->mm;
	struct vm_area_struct *vma;
	struct vma_iterator vmi;
	int ret;

	/* Nobody waits for us here. */
	do
		ret = drm_svm_mmap_lock(svm);
	while (ret == -EAGAIN);
	if (ret)
		return ret;
	vma_iter_init(&vmi, mm, *addr);
	for_each_vma_range(vmi, vma, last + 1) {
		unsigned long from = max_t(u64, *addr, vma->vm_start);
		unsigned long end = min_t(u64, last + 1, vma->vm_end);

		*mapped = true;
		ret = (holes && drm_svm_vma_makeable(vma)) ||
		      drm_svm_present_vma(vma, &from, end);
		*addr = from;
		if (ret)
			break;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	mmap_read_unlock(mm);
	return ret;
}
