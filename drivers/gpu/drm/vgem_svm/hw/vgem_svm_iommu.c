// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * An IOMMU in software for virtual devices: bus addresses that are not mapped
 * are bus errors with a report, and the flushes of its IOTLB can be counted.
 * Pages of 4 KiB in an xarray, looked up by the engines under RCU.
 *
 * An engine may keep what it resolved for as long as the generation stays: it
 * is bumped when entries go, before the memory behind them is free again. An
 * access that has compared it already may still land, as one that a real IOMMU
 * has let through; drivers drain those by the device's own flush before they
 * unmap.
 *
 * The domain is strict, so that what is unmapped is unreachable when the unmap
 * returns, and each unmap ends in one flush that can be counted.
 */

#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "vgem_svm_iommu.h"

/* Entry of the xarray: page frame, and what may be done. */
#define VGEM_SVM_IOMMU_READ	BIT(0)
#define VGEM_SVM_IOMMU_WRITE	BIT(1)
#define VGEM_SVM_IOMMU_PFN	2

/**
 * struct vgem_svm_domain - a bus address space
 * @domain: the core's
 * @pages: entries by bus page number
 * @generation: bumped when entries go
 */
struct vgem_svm_domain {
	struct iommu_domain domain;
	struct xarray pages;
	atomic_long_t generation;
};

static struct platform_device *vgem_svm_iommu_pdev;
static struct fwnode_handle *vgem_svm_iommu_fwnode;
static struct iommu_device vgem_svm_iommu;
static struct dentry *vgem_svm_iommu_debugfs;
static atomic_t vgem_svm_iommu_maps, vgem_svm_iommu_unmaps;
static atomic_t vgem_svm_iommu_syncs, vgem_svm_iommu_errors;

static struct vgem_svm_domain *to_vgem_svm_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct vgem_svm_domain, domain);
}

static void vgem_svm_domain_bump(struct vgem_svm_domain *dom)
{
	/* Entries are gone before anybody can see the new number. */
	atomic_long_inc_return_release(&dom->generation);
}

static int vgem_svm_domain_map(struct iommu_domain *domain, unsigned long iova,
			       phys_addr_t paddr, size_t pgsize, size_t pgcount,
			       int prot, gfp_t gfp, size_t *mapped)
{
	struct vgem_svm_domain *dom = to_vgem_svm_domain(domain);
	unsigned long bits = (prot & IOMMU_READ ? VGEM_SVM_IOMMU_READ : 0) |
			     (prot & IOMMU_WRITE ? VGEM_SVM_IOMMU_WRITE : 0);
	size_t i;
	int ret = 0;

	for (i = 0; i < pgcount && !ret; i++) {
		unsigned long pfn = (paddr >> 12) + i;

		ret = xa_err(xa_store(&dom->pages, (iova >> 12) + i,
				      xa_mk_value(pfn << VGEM_SVM_IOMMU_PFN |
						  bits), gfp));
		if (!ret)
			*mapped += pgsize;
	}
	atomic_add(ret ? i - 1 : i, &vgem_svm_iommu_maps);
	return ret;
}

static size_t vgem_svm_domain_unmap(struct iommu_domain *domain,
				    unsigned long iova, size_t pgsize,
				    size_t pgcount,
				    struct iommu_iotlb_gather *gather)
{
	struct vgem_svm_domain *dom = to_vgem_svm_domain(domain);
	size_t i;

	for (i = 0; i < pgcount; i++)
		if (!xa_erase(&dom->pages, (iova >> 12) + i))
			break;
	vgem_svm_domain_bump(dom);
	atomic_add(i, &vgem_svm_iommu_unmaps);
	return i * pgsize;
}

static void vgem_svm_domain_sync(struct iommu_domain *domain,
				 struct iommu_iotlb_gather *gather)
{
	vgem_svm_domain_bump(to_vgem_svm_domain(domain));
	atomic_inc(&vgem_svm_iommu_syncs);
}

static void vgem_svm_domain_flush_all(struct iommu_domain *domain)
{
	vgem_svm_domain_sync(domain, NULL);
}

static phys_addr_t vgem_svm_domain_phys(struct iommu_domain *domain,
					dma_addr_t iova)
{
	struct vgem_svm_domain *dom = to_vgem_svm_domain(domain);
	void *entry = xa_load(&dom->pages, iova >> 12);

	if (!entry)
		return 0;
	return (phys_addr_t)(xa_to_value(entry) >> VGEM_SVM_IOMMU_PFN) << 12 |
	       (iova & 0xfff);
}

static int vgem_svm_domain_attach(struct iommu_domain *domain,
				  struct device *dev, struct iommu_domain *old)
{
	dev_iommu_priv_set(dev, to_vgem_svm_domain(domain));
	return 0;
}

static void vgem_svm_domain_free(struct iommu_domain *domain)
{
	struct vgem_svm_domain *dom = to_vgem_svm_domain(domain);

	xa_destroy(&dom->pages);
	kfree(dom);
}

static struct iommu_domain *vgem_svm_domain_alloc(struct device *dev)
{
	struct vgem_svm_domain *dom = kzalloc_obj(*dom, GFP_KERNEL);

	if (!dom)
		return NULL;
	xa_init(&dom->pages);
	dom->domain.pgsize_bitmap = SZ_4K;
	dom->domain.geometry.aperture_end = DMA_BIT_MASK(48);
	dom->domain.geometry.force_aperture = true;
	return &dom->domain;
}

static struct iommu_device *vgem_svm_iommu_probe_device(struct device *dev)
{
	return &vgem_svm_iommu;
}

static int vgem_svm_iommu_def_domain_type(struct device *dev)
{
	/* Strict: what is unmapped is unreachable when the unmap returns. */
	return IOMMU_DOMAIN_DMA;
}

static bool vgem_svm_iommu_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY;
}

static const struct iommu_ops vgem_svm_iommu_ops = {
	.owner = THIS_MODULE,
	.capable = vgem_svm_iommu_capable,
	.domain_alloc_paging = vgem_svm_domain_alloc,
	.probe_device = vgem_svm_iommu_probe_device,
	/* Each has its own bus addresses, and can be given away alone. */
	.device_group = generic_device_group,
	.def_domain_type = vgem_svm_iommu_def_domain_type,
	.default_domain_ops = &(const struct iommu_domain_ops) {
		.attach_dev = vgem_svm_domain_attach,
		.map_pages = vgem_svm_domain_map,
		.unmap_pages = vgem_svm_domain_unmap,
		.iotlb_sync = vgem_svm_domain_sync,
		.flush_iotlb_all = vgem_svm_domain_flush_all,
		.iova_to_phys = vgem_svm_domain_phys,
		.free = vgem_svm_domain_free,
	},
};

/**
 * vgem_svm_iommu_wire() - put a device behind the IOMMU
 * @dev: device that has not been added yet
 *
 * The core wants its iommu_probe_device_lock held, against a probe of the same
 * device at the same time, and does not export it. Nobody can probe a device
 * that has not been added, so lockdep is told to look away.
 *
 * Return: 0, -ENOMEM.
 */
int vgem_svm_iommu_wire(struct device *dev)
{
	int ret;

	lockdep_off();
	ret = iommu_fwspec_init(dev, vgem_svm_iommu_fwnode);
	lockdep_on();
	return ret;
}
EXPORT_SYMBOL_GPL(vgem_svm_iommu_wire);

/**
 * vgem_svm_iommu_active() - is the device behind this IOMMU?
 * @dev: device
 *
 * Return: true if its bus addresses are looked up here.
 */
bool vgem_svm_iommu_active(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->ops == vgem_svm_iommu_ops.default_domain_ops;
}
EXPORT_SYMBOL_GPL(vgem_svm_iommu_active);

/**
 * vgem_svm_iommu_lookup() - where does a bus address lead?
 * @dev: device behind the IOMMU
 * @iova: bus address
 * @write: for a store
 * @phys: out
 *
 * Context: any; takes no lock.
 * Return: false if it leads nowhere or not for that.
 */
bool vgem_svm_iommu_lookup(struct device *dev, u64 iova, bool write,
			   phys_addr_t *phys)
{
	struct vgem_svm_domain *dom = dev_iommu_priv_get(dev);
	unsigned long need = write ? VGEM_SVM_IOMMU_WRITE : VGEM_SVM_IOMMU_READ;
	void *entry;

	entry = xa_load(&dom->pages, iova >> 12);
	if (!entry || !(xa_to_value(entry) & need))
		return false;
	*phys = (phys_addr_t)(xa_to_value(entry) >> VGEM_SVM_IOMMU_PFN) << 12 |
		(iova & 0xfff);
	return true;
}
EXPORT_SYMBOL_GPL(vgem_svm_iommu_lookup);

/**
 * vgem_svm_iommu_generation() - changes whenever translations go away
 * @dev: device behind the IOMMU
 *
 * Return: where to read it.
 */
const atomic_long_t *vgem_svm_iommu_generation(struct device *dev)
{
	struct vgem_svm_domain *dom = dev_iommu_priv_get(dev);

	return &dom->generation;
}
EXPORT_SYMBOL_GPL(vgem_svm_iommu_generation);

/**
 * vgem_svm_iommu_bus_error() - report an access that led nowhere
 * @dev: device
 * @iova: bus address
 * @write: it was a store
 *
 * Context: any.
 */
void vgem_svm_iommu_bus_error(struct device *dev, u64 iova, bool write)
{
	atomic_inc(&vgem_svm_iommu_errors);
	dev_info_ratelimited(dev, "vgem_svm_iommu: bus error: %s at iova %#llx\n",
			     write ? "write" : "read", iova);
}
EXPORT_SYMBOL_GPL(vgem_svm_iommu_bus_error);

static void vgem_svm_iommu_make_debugfs(void)
{
	struct dentry *dir = debugfs_create_dir("vgem_svm_iommu", NULL);

	debugfs_create_atomic_t("maps", 0444, dir, &vgem_svm_iommu_maps);
	debugfs_create_atomic_t("unmaps", 0444, dir, &vgem_svm_iommu_unmaps);
	debugfs_create_atomic_t("syncs", 0444, dir, &vgem_svm_iommu_syncs);
	debugfs_create_atomic_t("errors", 0444, dir, &vgem_svm_iommu_errors);
	vgem_svm_iommu_debugfs = dir;
}

static int __init vgem_svm_iommu_add(struct platform_device *pdev)
{
	int ret;

	device_set_node(&pdev->dev, vgem_svm_iommu_fwnode);
	ret = platform_device_add(pdev);
	if (ret)
		return ret;
	ret = iommu_device_sysfs_add(&vgem_svm_iommu, &pdev->dev, NULL,
				     "vgem_svm_iommu");
	if (ret)
		goto err_del;
	ret = iommu_device_register(&vgem_svm_iommu, &vgem_svm_iommu_ops,
				    &pdev->dev);
	if (ret)
		goto err_sysfs;
	return 0;

err_sysfs:
	iommu_device_sysfs_remove(&vgem_svm_iommu);
err_del:
	platform_device_del(pdev);
	return ret;
}

static int __init vgem_svm_iommu_init(void)
{
	struct platform_device *pdev;
	int ret = -ENOMEM;

	pdev = platform_device_alloc("vgem_svm_iommu", PLATFORM_DEVID_NONE);
	if (!pdev)
		return ret;
	vgem_svm_iommu_fwnode = fwnode_create_software_node(NULL, NULL);
	if (IS_ERR(vgem_svm_iommu_fwnode)) {
		ret = PTR_ERR(vgem_svm_iommu_fwnode);
		goto err_put;
	}
	ret = vgem_svm_iommu_add(pdev);
	if (ret)
		goto err_node;
	vgem_svm_iommu_pdev = pdev;
	vgem_svm_iommu_make_debugfs();
	return 0;

err_node:
	fwnode_remove_software_node(vgem_svm_iommu_fwnode);
err_put:
	platform_device_put(pdev);
	return ret;
}
module_init(vgem_svm_iommu_init);

static void __exit vgem_svm_iommu_exit(void)
{
	debugfs_remove(vgem_svm_iommu_debugfs);
	iommu_device_unregister(&vgem_svm_iommu);
	iommu_device_sysfs_remove(&vgem_svm_iommu);
	platform_device_unregister(vgem_svm_iommu_pdev);
	fwnode_remove_software_node(vgem_svm_iommu_fwnode);
}
module_exit(vgem_svm_iommu_exit);

MODULE_DESCRIPTION("IOMMU in software for virtual devices");
MODULE_LICENSE("Dual MIT/GPL");
