// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * /dev/svm_bench: drm_svm and drm_gpusvm driven by the same device that is not
 * there: no engines, no interrupts, a flush that is done at once, a copy that
 * is memcpy(), counted apart. Ticks are of the TSC, which under QEMU's icount
 * is instructions.
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "vgem_svm_iommu.h"
#include "svm_bench.h"

#define BENCH_DEVS 16

struct bench_file {
	struct bench_dev *dev[BENCH_DEVS];
	struct mmu_interval_notifier empty;
	bool has_empty;
	struct mm_struct *mm;
};

void bench_copy(struct bench_dev *dev, u64 offset, dma_addr_t dma, u32 bytes, bool to_device)
{
	void *vram = dev->vram + offset;
	phys_addr_t phys = dma;
	void *ram;

	/* Behind the IOMMU page by page, so pieces may not be longer than that. */
	if ((dev->flags & SVM_BENCH_IOMMU) &&
	    WARN_ON(!vgem_svm_iommu_lookup(&dev->pdev->dev, dma, !to_device, &phys)))
		return;
	ram = phys_to_virt(phys);

	if (to_device)
		memcpy(vram, ram, bytes);
	else
		memcpy(ram, vram, bytes);
}

static int bench_attach(struct bench_file *f, struct svm_bench_op *op)
{
	struct drm_gpt_config config = {
		.format = &drm_gpt_format_vgem_svm,
		.mem = &drm_gpt_mem_pages,
	};
	struct bench_dev *dev;
	int ret = -ENOMEM;

	if (f->dev[op->dev])
		return -EBUSY;
	dev = op->flags & SVM_BENCH_GPUSVM ? bench_gpusvm_alloc() : bench_svm_alloc();
	if (!dev)
		return -ENOMEM;
	dev->flags = op->flags;
	dev->vram = vzalloc(BENCH_VRAM);
	if (!dev->vram)
		goto err_free;
	dev->pdev = platform_device_alloc("svm_bench", PLATFORM_DEVID_AUTO);
	if (!dev->pdev)
		goto err_vram;
	if (op->flags & SVM_BENCH_IOMMU)
		ret = vgem_svm_iommu_wire(&dev->pdev->dev);
	else
		ret = 0;
	if (!ret)
		ret = platform_device_add(dev->pdev);
	if (ret) {
		platform_device_put(dev->pdev);
		goto err_vram;
	}
	ret = dma_coerce_mask_and_coherent(&dev->pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto err_pdev;
	config.dev = &dev->pdev->dev;
	ret = drm_gpt_init(&dev->gpt, &config);
	if (ret)
		goto err_pdev;
	ret = dev->ops->init(dev, current->mm);
	if (ret)
		goto err_gpt;
	f->dev[op->dev] = dev;
	return 0;
err_gpt:
	drm_gpt_fini(&dev->gpt);
err_pdev:
	platform_device_unregister(dev->pdev);
err_vram:
	vfree(dev->vram);
err_free:
	kfree(dev);
	return ret;
}

static void bench_detach(struct bench_file *f, unsigned int i)
{
	struct bench_dev *dev = f->dev[i];

	if (!dev)
		return;
	dev->ops->fini(dev);
	platform_device_unregister(dev->pdev);
	vfree(dev->vram);
	kfree(dev);
	f->dev[i] = NULL;
}

static bool empty_invalidate(struct mmu_interval_notifier *mni,
			     const struct mmu_notifier_range *range, unsigned long seq)
{
	mmu_interval_set_seq(mni, seq);
	return true;
}

static const struct mmu_interval_notifier_ops empty_ops = { .invalidate = empty_invalidate };

static int bench_empty(struct bench_file *f, bool on)
{
	int ret = 0;

	if (on && !f->has_empty)
		ret = mmu_interval_notifier_insert(&f->empty, current->mm, 0, 1UL << 46,
						   &empty_ops);
	else if (!on && f->has_empty)
		mmu_interval_notifier_remove(&f->empty);
	if (!ret)
		f->has_empty = on;
	return ret;
}

static int bench_do(struct bench_file *f, struct svm_bench_op *op)
{
	struct bench_dev *dev = f->dev[op->dev];
	u64 flags, seq, hw;
	int ret = 0;

	if (op->what == SVM_BENCH_ATTACH)
		return bench_attach(f, op);
	if (op->what == SVM_BENCH_EMPTY)
		return bench_empty(f, op->dev);
	if (!dev)
		return -ENODEV;
	hw = dev->hw;
	switch (op->what) {
	case SVM_BENCH_DETACH:
		bench_detach(f, op->dev);
		return 0;
	case SVM_BENCH_FAULT:
		ret = dev->ops->fault(dev, op);
		break;
	case SVM_BENCH_QUEUE:
		ret = dev->ops->queue ? dev->ops->queue(dev, op) : -EOPNOTSUPP;
		break;
	case SVM_BENCH_TO_DEVICE:
	case SVM_BENCH_TO_SYSTEM:
		ret = dev->ops->move(dev, op, op->what == SVM_BENCH_TO_DEVICE);
		break;
	case SVM_BENCH_SYNC:
		dev->ops->sync(dev, op);
		break;
	case SVM_BENCH_MAPPED:
		flags = DRM_GPT_LEAF_VALID | (op->flags & SVM_BENCH_WRITE ? DRM_GPT_LEAF_WRITE : 0);
		op->extra[0] = drm_gpt_mapped(&dev->gpt, op->first, op->last, flags, &seq);
		break;
	case SVM_BENCH_COPIED:
		op->copy = dev->hw;
		dev->hw = 0;
		return 0;
	default:
		return -EINVAL;
	}
	op->copy = dev->hw - hw;
	return ret;
}

static long bench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct svm_bench_op op;
	long ret;

	if (cmd != SVM_BENCH_IOC)
		return -ENOTTY;
	if (copy_from_user(&op, (void __user *)arg, sizeof(op)))
		return -EFAULT;
	if (op.dev >= BENCH_DEVS)
		return -EINVAL;
	ret = bench_do(file->private_data, &op);
	if (copy_to_user((void __user *)arg, &op, sizeof(op)))
		return -EFAULT;
	return ret;
}

static int bench_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc_obj(struct bench_file, GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static int bench_release(struct inode *inode, struct file *file)
{
	struct bench_file *f = file->private_data;
	unsigned int i;

	bench_empty(f, false);
	for (i = 0; i < BENCH_DEVS; i++)
		bench_detach(f, i);
	kfree(f);
	return 0;
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.open = bench_open,
	.release = bench_release,
	.unlocked_ioctl = bench_ioctl,
};

static struct miscdevice bench_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "svm_bench",
	.fops = &bench_fops,
	.mode = 0666,
};

module_misc_device(bench_misc);
MODULE_DESCRIPTION("What drm_svm and drm_gpusvm cost");
MODULE_LICENSE("Dual MIT/GPL");
