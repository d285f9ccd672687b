// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: drm_svm_device
 *
 * What all address spaces of a device have in common: the struct device that memory is
 * mapped for, the queue that its faults come in by, and its memory. A device without
 * faults has no queue, one without memory no region, and for a mirror alone that is
 * all::
 *
 *	drm_svm_device_init(&mdev->svm, dev);
 *	drm_svm_fault_queue_init(&mdev->faults, &mdev->svm, ...);	// or none
 *	drm_svm_region_init(&mdev->vram, &mdev->svm, ...);		// or none, or several
 *	...
 *	// address spaces come and go: drm_svm_init(), drm_svm_fini()
 *	...
 *	// there is none any more, and none comes
 *	drm_svm_region_fini(&mdev->vram);
 *	drm_svm_fault_queue_fini(&mdev->faults);
 *	drm_svm_device_fini(&mdev->svm);
 *
 * The queue and the regions come while the device has no address space, and it is
 * refused to make them later (-EBUSY). Regions go when it has none again. So whoever has
 * an address space reads both without a lock, and without asking twice. Only the queue may
 * go before the last address space does: drm_svm_fault_queue_fini() says when.
 *
 * What is left when it should not be is the driver's mistake, and is told with a
 * warning: regions that go under an address space; a device that goes before its
 * address spaces, its regions or its queue.
 */

#include "drm_svm_internal.h"

/*
 * All regions have one owner, so that one walk returns the pages of every
 * device. It is an address in this module.
 */
const char drm_svm_owner;

/**
 * drm_svm_device_init() - a device takes part
 * @sdev: embedded in the driver's device, zeroed
 * @dev: the device
 *
 * Its DMA mask need not be set yet: drm_svm_init() looks at it.
 *
 * Context: any.
 */
void drm_svm_device_init(struct drm_svm_device *sdev, struct device *dev)
{
	sdev->dev = dev;
	INIT_LIST_HEAD(&sdev->regions);
	spin_lock_init(&sdev->lock);
}
EXPORT_SYMBOL_GPL(drm_svm_device_init);

/**
 * drm_svm_device_fini() - a device takes part no more
 * @sdev: device, without address spaces, regions and queue
 *
 * Context: any.
 */
void drm_svm_device_fini(struct drm_svm_device *sdev)
{
	WARN_ON(sdev->users);
	WARN_ON(!list_empty(&sdev->regions));
	WARN_ON(sdev->queue);
}
EXPORT_SYMBOL_GPL(drm_svm_device_fini);

/**
 * drm_svm_device_enter() - a device has an address space more
 * @sdev: device
 *
 * Context: any. Its queue and regions stay as they are until
 * drm_svm_device_leave().
 */
void drm_svm_device_enter(struct drm_svm_device *sdev)
{
	guard(spinlock)(&sdev->lock);
	sdev->users++;
}

/**
 * drm_svm_device_leave() - and one less
 * @sdev: device
 *
 * Context: any.
 */
void drm_svm_device_leave(struct drm_svm_device *sdev)
{
	guard(spinlock)(&sdev->lock);
	WARN_ON(!sdev->users--);
}

static int drm_svm_device_may_change(const struct drm_svm_device *sdev)
{
	lockdep_assert_held(&sdev->lock);
	if (!sdev->users)
		return 0;
	dev_dbg(sdev->dev, "has %u address spaces already\n", sdev->users);
	return -EBUSY;
}

/**
 * drm_svm_device_set_queue() - faults of a device come in by a queue
 * @sdev: device
 * @queue: queue, ready
 *
 * Context: any.
 * Return: 0, -EBUSY if the device has address spaces, or a queue.
 */
int drm_svm_device_set_queue(struct drm_svm_device *sdev,
			     struct drm_svm_fault_queue *queue)
{
	int ret;

	guard(spinlock)(&sdev->lock);
	ret = sdev->queue ? -EBUSY : drm_svm_device_may_change(sdev);
	if (!ret)
		sdev->queue = queue;
	return ret;
}

/**
 * drm_svm_device_add_region() - a device has a region more
 * @region: region, ready
 *
 * Context: any.
 * Return: 0, -EBUSY if the device has address spaces.
 */
int drm_svm_device_add_region(struct drm_svm_region *region)
{
	struct drm_svm_device *sdev = region->device;
	int ret;

	guard(spinlock)(&sdev->lock);
	ret = drm_svm_device_may_change(sdev);
	if (!ret)
		list_add_tail(&region->node, &sdev->regions);
	return ret;
}

/**
 * drm_svm_device_remove_region() - and one less
 * @region: region
 *
 * Context: any.
 */
void drm_svm_device_remove_region(struct drm_svm_region *region)
{
	struct drm_svm_device *sdev = region->device;

	guard(spinlock)(&sdev->lock);
	WARN_ON(sdev->users);
	list_del(&region->node);
}
