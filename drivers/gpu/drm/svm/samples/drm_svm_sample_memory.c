// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Device memory alone. Who opens the device may have memory of his process there. A byte of
 * the file stands for a page, that at 4096 times the byte's offset: pread() says where it
 * is, 1: in system memory, 2: on the device, 0: nowhere; pwrite() of 1 or 2 moves it. What
 * the CPU touches comes back by itself. "The device" is vmalloc(), and copies by the CPU.
 */
#include <linux/device/faux.h>
#include <linux/dma-mapping.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <drm/drm_svm.h>

#define SAMPLE_BYTES	(32UL << 20)

static_assert((int)DRM_SVM_LOC_SYSTEM == DRM_SVM_PAGE_SYSTEM);
static_assert((int)DRM_SVM_LOC_DEVICE == DRM_SVM_PAGE_LOCAL);

static struct faux_device *sample_faux;
static struct drm_svm_device sample_device;
static struct drm_svm_region sample_region;
static void *sample_memory;

/* Reclaim may wait for it: it allocates nothing. Done when it returns. No IOMMU. */
static int sample_copy(struct drm_svm_region *region, enum drm_svm_copy_kind kind,
		       const struct drm_svm_copy *c, unsigned int n)
{
	for (; n--; c++) {
		void *here = sample_memory + c->offset;

		if (kind == DRM_SVM_COPY_CLEAR)
			memset(here, 0, c->bytes);
		else if (kind == DRM_SVM_COPY_TO_DEVICE)
			memcpy(here, phys_to_virt(c->dma), c->bytes);
		else
			memcpy(phys_to_virt(c->dma), here, c->bytes);
	}
	return 0;
}

static const struct drm_svm_region_ops sample_region_ops = { .copy = sample_copy };

/* How many of the pages that are asked for can be told of at a time? */
static ssize_t sample_pages(const struct drm_svm *svm, u64 page, size_t n)
{
	u64 end = TASK_SIZE >> PAGE_SHIFT;

	return !drm_svm_is_owner(svm) ? -EPERM : page >= end ? 0 : min3(n, end - page, PAGE_SIZE);
}

static ssize_t sample_read(struct file *file, char __user *buf, size_t bytes, loff_t *pos)
{
	struct drm_svm *svm = file->private_data;
	ssize_t n = sample_pages(svm, *pos, bytes), i;
	int ret;

	if (n <= 0)
		return n;
	u8 *where __free(kfree) = kmalloc(n, GFP_KERNEL);
	if (!where)
		return -ENOMEM;
	ret = drm_svm_residency(svm, *pos << PAGE_SHIFT, ((*pos + n) << PAGE_SHIFT) - 1, where);
	for (i = 0; !ret && i < n; i++)
		where[i] &= DRM_SVM_PAGE_LOCATION;
	return ret ?: copy_to_user(buf, where, n) ? -EFAULT : n;
}

/* Memory that was never touched is made on the device; what cannot move stays. */
static int sample_move(struct drm_svm *svm, u64 page, u64 end, enum drm_svm_location where)
{
	u32 flags = where == DRM_SVM_LOC_DEVICE ? DRM_SVM_MIGRATE_POPULATE : 0;
	struct drm_svm_migrate_result result;

	if (where != DRM_SVM_LOC_DEVICE && where != DRM_SVM_LOC_SYSTEM)
		return -EINVAL;
	return drm_svm_migrate(svm, page << PAGE_SHIFT, (end << PAGE_SHIFT) - 1, where, flags,
			       &result);
}

static ssize_t sample_write(struct file *file, const char __user *buf, size_t bytes, loff_t *pos)
{
	struct drm_svm *svm = file->private_data;
	ssize_t n = sample_pages(svm, *pos, bytes), i, end;
	int ret = 0;

	if (n <= 0)
		return n;
	u8 *where __free(kfree) = memdup_user(buf, n);
	if (IS_ERR(where))
		return PTR_ERR(where);
	for (i = 0; i < n && !ret; i = end) {
		for (end = i + 1; end < n && where[end] == where[i]; end++)
			;
		ret = sample_move(svm, *pos + i, *pos + end, where[i]);
	}
	return ret ?: n;
}

static int sample_open(struct inode *inode, struct file *file)
{
	struct drm_svm *svm = kzalloc_obj(*svm, GFP_KERNEL);
	int ret;

	if (!svm)
		return -ENOMEM;
	ret = drm_svm_init(svm, current->mm, &(struct drm_svm_config){ .device = &sample_device });
	if (ret)
		kfree(svm);
	file->private_data = svm;
	return ret;
}

static int sample_release(struct inode *inode, struct file *file)
{
	drm_svm_fini(file->private_data);	/* memory on the device stays the process's */
	kfree(file->private_data);
	return 0;
}

static const struct file_operations sample_fops = {
	.owner = THIS_MODULE, .open = sample_open, .release = sample_release,
	.read = sample_read, .write = sample_write,
};

static struct miscdevice sample_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "drm_svm_sample_memory", .fops = &sample_fops,
};

static int __init sample_init(void)
{
	int ret = -ENOMEM;

	sample_memory = vzalloc(SAMPLE_BYTES);
	sample_faux = faux_device_create("drm_svm_sample_memory", NULL, NULL);
	if (!sample_memory || !sample_faux)
		goto err;
	drm_svm_device_init(&sample_device, &sample_faux->dev);
	ret = dma_coerce_mask_and_coherent(&sample_faux->dev, DMA_BIT_MASK(64)) ?:
	      drm_svm_region_init(&sample_region, &sample_device, SAMPLE_BYTES, &sample_region_ops);
	if (ret)
		goto err;
	ret = misc_register(&sample_misc);
	if (!ret)
		return 0;
	drm_svm_region_fini(&sample_region);
err:
	faux_device_destroy(sample_faux);
	vfree(sample_memory);
	return ret;
}
module_init(sample_init);

static void __exit sample_exit(void)
{
	misc_deregister(&sample_misc);
	drm_svm_region_fini(&sample_region);	/* memory that is there goes back */
	drm_svm_device_fini(&sample_device);
	faux_device_destroy(sample_faux);
	vfree(sample_memory);
}
module_exit(sample_exit);

MODULE_DESCRIPTION("Sample of drm_svm: memory of a device");
MODULE_LICENSE("Dual MIT/GPL");
