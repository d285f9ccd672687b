/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _VGEM_SVM_IOMMU_H_
#define _VGEM_SVM_IOMMU_H_

#include <linux/atomic.h>
#include <linux/types.h>

struct device;

/*
 * The virtual IOMMU, as the engines behind it see it. It is a module of its
 * own: the core pins the operations' module for each device, so a driver that
 * owned them could never be unloaded.
 */

int vgem_svm_iommu_wire(struct device *dev);

bool vgem_svm_iommu_active(struct device *dev);
bool vgem_svm_iommu_lookup(struct device *dev, u64 iova, bool write,
			   phys_addr_t *phys);
const atomic_long_t *vgem_svm_iommu_generation(struct device *dev);
void vgem_svm_iommu_bus_error(struct device *dev, u64 iova, bool write);

#endif /* _VGEM_SVM_IOMMU_H_ */
