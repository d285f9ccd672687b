// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The least that takes the mirror alone. A "device", one for each who opens it, reads words
 * of his process, pread() at an address: it finds them by an array of bus addresses that
 * follows the process's mappings. No page table, no faults, no memory, no IOMMU.
 */
#include <linux/dma-mapping.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <drm/drm_svm.h>
#include <drm/drm_svm_array.h>

struct sample_dev {
	struct drm_svm_device device;
	struct drm_svm svm;
};

struct sample {
	struct drm_svm_array array;
	spinlock_t busy;	/* held while the device reads */
};

static int sample_revoked(struct drm_svm_array *array, u64 token, bool may_sleep)
{
	/* With the lock who has read the entry before is done. */
	guard(spinlock)(&container_of(array, struct sample, array)->busy);
	return 0;
}

static const struct drm_svm_array_ops sample_ops = { .revoked = sample_revoked };

static ssize_t sample_read(struct file *file, char __user *buf, size_t n, loff_t *pos)
{
	u64 first = *pos & PAGE_MASK, last = first + PAGE_SIZE - 1, word = 0, entry;
	struct sample_dev *dev = file->private_data;
	struct sample s = {};
	int ret;

	if (n != sizeof(word) || (*pos & 7) || !drm_svm_is_owner(&dev->svm))
		return -EINVAL;
	spin_lock_init(&s.busy);
	ret = drm_svm_array_init(&s.array, &dev->svm, first, last, 0,
				 DRM_SVM_RIGHT_READ, &sample_ops);
	if (ret)
		return ret;
	do {			/* it may be taken away at once */
		ret = drm_svm_populate(&s.array.view, first, last, DRM_SVM_RIGHT_READ);
		guard(spinlock)(&s.busy);
		entry = READ_ONCE(s.array.entries[0]) & DRM_SVM_ARRAY_ADDR;
		if (entry)
			word = *(u64 *)(phys_to_virt(entry) + (*pos & ~PAGE_MASK));
	} while (!ret && !entry);
	drm_svm_array_fini(&s.array);
	return ret ?: copy_to_user(buf, &word, n) ? -EFAULT : n;
}

static int sample_open(struct inode *inode, struct file *file)
{
	struct miscdevice *misc = file->private_data;
	struct sample_dev *dev = kzalloc_obj(*dev, GFP_KERNEL);
	int ret;

	if (!dev)
		return -ENOMEM;
	drm_svm_device_init(&dev->device, misc->this_device);
	ret = dma_coerce_mask_and_coherent(misc->this_device, DMA_BIT_MASK(64)) ?:
	      drm_svm_init(&dev->svm, current->mm,
			   &(struct drm_svm_config){ .device = &dev->device });
	if (ret)
		kfree(dev);
	file->private_data = dev;
	return ret;
}

static int sample_release(struct inode *inode, struct file *file)
{
	struct sample_dev *dev = file->private_data;

	drm_svm_fini(&dev->svm);
	drm_svm_device_fini(&dev->device);
	kfree(dev);
	return 0;
}

static const struct file_operations sample_fops = {
	.owner = THIS_MODULE, .open = sample_open, .read = sample_read, .release = sample_release,
};

static struct miscdevice sample_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "drm_svm_sample", .fops = &sample_fops,
};
module_misc_device(sample_misc);

MODULE_DESCRIPTION("Sample of drm_svm: a mirror without page tables");
MODULE_LICENSE("Dual MIT/GPL");
