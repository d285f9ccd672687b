// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The bus: from a bus address, or an offset in device memory, to memory of the
 * host. An address that leads nowhere is a bus error, never an oops: the page
 * frame must be memory, and it must be mapped by the kernel (pages of
 * memfd_secret are not).
 */

#include <linux/dma-direct.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "vgem_svm_hw_priv.h"
#include "vgem_svm_iommu.h"

static bool vgem_svm_bus_phys(struct vgem_svm_hw *hw, u64 addr, bool write,
			      phys_addr_t *phys)
{
	if (hw->iommu) {
		if (vgem_svm_iommu_lookup(hw->config.dev, addr, write, phys))
			return true;
		vgem_svm_iommu_bus_error(hw->config.dev, addr, write);
		return false;
	}
	*phys = dma_to_phys(hw->config.dev, addr);
	return true;
}

/**
 * vgem_svm_bus() - the memory behind a bus address
 * @hw: the device
 * @addr: bus address
 * @write: for a store
 *
 * Context: any. What it returns is good as long as the bus mapping is; an
 * engine that keeps it compares the IOMMU's generation.
 * Return: where, or NULL for a bus error.
 */
u8 *vgem_svm_bus(struct vgem_svm_hw *hw, u64 addr, bool write)
{
	phys_addr_t phys;
	u8 probe, *ptr;

	if (!vgem_svm_bus_phys(hw, addr, write, &phys) ||
	    !pfn_valid(PHYS_PFN(phys)) ||
	    is_zone_device_page(pfn_to_page(PHYS_PFN(phys))))
		return NULL;
	ptr = __va(phys);
	if (copy_from_kernel_nofault(&probe, ptr, sizeof(probe)))
		return NULL;
	return ptr;
}

/**
 * vgem_svm_vram() - the memory behind an offset in device memory
 * @hw: the device
 * @addr: offset
 *
 * Return: where, or NULL for a bus error.
 */
u8 *vgem_svm_vram(struct vgem_svm_hw *hw, u64 addr)
{
	if (addr >> PAGE_SHIFT >= hw->nr_vram_pages)
		return NULL;
	return (u8 *)page_address(hw->vram[addr >> PAGE_SHIFT]) +
	       offset_in_page(addr);
}

/**
 * vgem_svm_mem() - either
 * @hw: the device
 * @addr: bus address or offset
 * @local: it is an offset in device memory
 * @write: for a store
 *
 * Return: where, or NULL for a bus error.
 */
u8 *vgem_svm_mem(struct vgem_svm_hw *hw, u64 addr, bool local, bool write)
{
	return local ? vgem_svm_vram(hw, addr) : vgem_svm_bus(hw, addr, write);
}
