// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Faults alone. A "device", one for each who opens it, reads words of his process, pread()
 * at an address: it finds no page, leaves a record in its fault buffer and waits for the
 * answer. buffered=0: no buffer, it is served where it happens. fsync() resets the device.
 */
#include <linux/dma-mapping.h>
#include <linux/llist.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <drm/drm_svm_array.h>
#include <drm/drm_svm_fault.h>

static bool buffered = true;
module_param(buffered, bool, 0644);

struct sample_dev {
	struct drm_svm_device device;
	struct drm_svm_fault_queue queue;
	struct drm_svm svm;
	struct drm_svm_array array;
	struct mutex lock;		/* whose the array is */
	spinlock_t busy;		/* held while the device reads */
	struct llist_head buffer;	/* the fault buffer: struct sample_unit */
};

struct sample_unit {
	struct llist_node node;
	u64 addr;
	struct completion answered;
	int result;
};

static unsigned int sample_fetch(struct drm_svm_fault_queue *queue,
				 struct drm_svm_fault *faults, unsigned int max)
{
	struct sample_dev *dev = container_of(queue, struct sample_dev, queue);
	struct llist_node *node;
	unsigned int n = 0;

	while (n < max && (node = llist_del_first(&dev->buffer))) {
		struct sample_unit *unit = container_of(node, struct sample_unit, node);

		faults[n] = (struct drm_svm_fault){ .svm = &dev->svm, .addr = unit->addr };
		/* Our own, 32 bytes at most, comes back with the answer. */
		memcpy(faults[n++].priv, &unit, sizeof(unit));
	}
	return n;
}

static const struct drm_svm_fault_queue_ops sample_queue_ops = { .fetch = sample_fetch };

static void sample_done(struct drm_svm *svm, const struct drm_svm_fault *fault, int result)
{
	struct sample_unit *unit = *(struct sample_unit **)fault->priv;

	unit->result = result;
	complete(&unit->answered);
}

static const struct drm_svm_ops sample_svm_ops = { .done = sample_done };

static int sample_reset(struct file *file, loff_t first, loff_t last, int datasync)
{
	struct sample_dev *dev = file->private_data;

	drm_svm_fault_queue_pause(&dev->queue);	/* what is being served ends or waits */
	drm_svm_fault_queue_drop(&dev->queue, &dev->svm);	/* -ECANCELED */
	drm_svm_fault_queue_resume(&dev->queue);
	return 0;
}

static int sample_fault(struct sample_dev *dev, u64 addr)
{
	struct sample_unit unit = { .addr = addr };

	if (!buffered)
		return drm_svm_handle_fault(&dev->svm, addr, DRM_SVM_READ, jiffies + HZ);
	init_completion(&unit.answered);
	llist_add(&unit.node, &dev->buffer);
	drm_svm_fault_queue_kick(&dev->queue);	/* as an interrupt handler does */
	wait_for_completion(&unit.answered);	/* for no longer than the deadline */
	return unit.result;
}

static int sample_revoked(struct drm_svm_array *array, u64 token, bool may_sleep)
{
	guard(spinlock)(&container_of(array, struct sample_dev, array)->busy);
	return 0;
}

static const struct drm_svm_array_ops sample_array_ops = { .revoked = sample_revoked };

static ssize_t sample_read(struct file *file, char __user *buf, size_t n, loff_t *pos)
{
	u64 first = *pos & PAGE_MASK, last = first + PAGE_SIZE - 1, word = 0, entry;
	struct sample_dev *dev = file->private_data;
	int ret;

	if (n != sizeof(word) || (*pos & 7) || !drm_svm_is_owner(&dev->svm))
		return -EINVAL;
	guard(mutex)(&dev->lock);
	dev->array = (struct drm_svm_array){};
	ret = drm_svm_array_init(&dev->array, &dev->svm, first, last, 0,
				 DRM_SVM_RIGHT_READ, &sample_array_ops);
	if (ret)
		return ret;
	do {			/* it may be taken away at once */
		ret = sample_fault(dev, *pos);
		guard(spinlock)(&dev->busy);
		entry = READ_ONCE(dev->array.entries[0]) & DRM_SVM_ARRAY_ADDR;
		if (entry)
			word = *(u64 *)(phys_to_virt(entry) + offset_in_page(*pos));
	} while (!entry && (!ret || ret == -EAGAIN));
	drm_svm_array_fini(&dev->array);
	return !entry ? ret : copy_to_user(buf, &word, n) ? -EFAULT : n;
}

static int sample_open(struct inode *inode, struct file *file)
{
	struct miscdevice *misc = file->private_data;
	struct sample_dev *dev = kzalloc_obj(*dev, GFP_KERNEL);
	int ret;

	if (!dev)
		return -ENOMEM;
	mutex_init(&dev->lock);
	spin_lock_init(&dev->busy);
	dev->queue.deadline_ms = MSEC_PER_SEC;
	drm_svm_device_init(&dev->device, misc->this_device);
	ret = dma_coerce_mask_and_coherent(misc->this_device, DMA_BIT_MASK(64)) ?:
	      drm_svm_fault_queue_init(&dev->queue, &dev->device, &sample_queue_ops, misc->name);
	if (!ret) {
		ret = drm_svm_init(&dev->svm, current->mm, &(struct drm_svm_config){
				   .device = &dev->device, .ops = &sample_svm_ops });
		if (ret)
			drm_svm_fault_queue_fini(&dev->queue);
	}
	if (ret)
		kfree(dev);
	file->private_data = dev;
	return ret;
}

static int sample_release(struct inode *inode, struct file *file)
{
	struct sample_dev *dev = file->private_data;

	drm_svm_fault_queue_sync(&dev->queue);	/* nobody reads: none is on its way now */
	drm_svm_stop(&dev->svm);		/* none is answered from here on */
	drm_svm_fini(&dev->svm);
	drm_svm_fault_queue_fini(&dev->queue);
	drm_svm_device_fini(&dev->device);
	kfree(dev);
	return 0;
}

static const struct file_operations sample_fops = {
	.owner = THIS_MODULE, .open = sample_open, .read = sample_read,
	.fsync = sample_reset, .release = sample_release,
};

static struct miscdevice sample_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "drm_svm_sample_faults", .fops = &sample_fops,
};
module_misc_device(sample_misc);

MODULE_DESCRIPTION("Sample of drm_svm: a device that faults");
MODULE_LICENSE("Dual MIT/GPL");
