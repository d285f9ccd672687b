// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The CPU touches what is on a device, and it comes back. This runs under mmap_lock
 * and takes no lock of ours.
 */

#include <linux/mempool.h>
#include <linux/mm.h>

#include "drm_svm_pass.h"

static int drm_svm_cpu_fault_pass(struct vm_fault *vmf,
				  struct drm_svm_pass *pass, u64 first, u64 end,
				  bool *done)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned int i;
	int ret;

	pass->mig.vma = vma;
	pass->mig.start = max_t(u64, first, vma->vm_start);
	pass->mig.end = min_t(u64, end, vma->vm_end);
	pass->mig.fault_page = vmf->page;
	ret = drm_svm_pass_to_ram(pass);
	i = (vmf->address - pass->mig.start) >> PAGE_SHIFT;
	*done = !ret && (pass->mig.src[i] & MIGRATE_PFN_MIGRATE) &&
		(pass->mig.dst[i] & MIGRATE_PFN_VALID);
	return ret;
}

static int drm_svm_cpu_fault(struct vm_fault *vmf, struct drm_svm_pass *pass)
{
	u64 block = ALIGN_DOWN(vmf->address, DRM_SVM_CPU_FAULT_SIZE);
	u64 page = ALIGN_DOWN(vmf->address, PAGE_SIZE);
	bool done = false;
	int ret;

	if (DRM_SVM_CPU_FAULT_PAGES > 1) {
		ret = drm_svm_cpu_fault_pass(vmf, pass, block,
					     block + DRM_SVM_CPU_FAULT_SIZE,
					     &done);
		if (ret || done)
			return ret;
	}
	/* The one page alone: its neighbours may have used up the memory. */
	ret = drm_svm_cpu_fault_pass(vmf, pass, page, page + PAGE_SIZE, &done);
	return ret || done ? ret : pass->error;
}

/**
 * drm_svm_migrate_to_ram() - the CPU touched a page that is on a device
 * @vmf: the fault
 *
 * Brings back an aligned block around it, as far as it is on a device. What that
 * takes besides the memory itself is small, and there is always some.
 *
 * Context: mmap_lock is held for read, the page is locked and referenced.
 * Return: 0, VM_FAULT_OOM, VM_FAULT_SIGBUS if the memory cannot be read.
 */
vm_fault_t drm_svm_migrate_to_ram(struct vm_fault *vmf)
{
	struct drm_svm_region *region = drm_svm_page_region(vmf->page);
	void *memory = mempool_alloc(&region->cpu_faults, GFP_KERNEL);
	int ret;

	ret = drm_svm_cpu_fault(vmf, drm_svm_pass_init(memory,
						       DRM_SVM_CPU_FAULT_PAGES));
	mempool_free(memory, &region->cpu_faults);
	/* Not moved, and no error: somebody else was faster. Fault again. */
	if (!ret)
		return 0;
	return ret == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}
