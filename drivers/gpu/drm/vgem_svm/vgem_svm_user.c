// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What one user may have on a device at a time: address spaces, queues, EXECs that
 * have not ended, pages of buffer objects, and binds of these. A device has 63 address
 * spaces and 62 queues, of which one user is to leave some to others; who has
 * CAP_SYS_RESOURCE may have them all.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "vgem_svm_drv.h"

static unsigned int vgem_svm_user_limits[VGEM_SVM_USER_NR] = {
	[VGEM_SVM_USER_VMS] = 16,
	[VGEM_SVM_USER_QUEUES] = 16,
	[VGEM_SVM_USER_JOBS] = 512,
	[VGEM_SVM_USER_GEM_PAGES] = SZ_1G >> PAGE_SHIFT,
	[VGEM_SVM_USER_BINDS] = 16384,
};

module_param_named(user_vms, vgem_svm_user_limits[VGEM_SVM_USER_VMS], uint, 0444);
MODULE_PARM_DESC(user_vms, "Address spaces that one user may have on a device, not 0 (default 16)");
module_param_named(user_queues, vgem_svm_user_limits[VGEM_SVM_USER_QUEUES], uint, 0444);
MODULE_PARM_DESC(user_queues, "Queues that one user may have on a device, not 0 (default 16)");
module_param_named(user_jobs, vgem_svm_user_limits[VGEM_SVM_USER_JOBS], uint, 0444);
MODULE_PARM_DESC(user_jobs, "EXECs of one user that may wait or run on a device, not 0 (default 512)");
module_param_named(user_gem_pages, vgem_svm_user_limits[VGEM_SVM_USER_GEM_PAGES], uint, 0444);
MODULE_PARM_DESC(user_gem_pages, "Pages of all buffer objects that one user may have on a device, not 0 (default 262144)");
module_param_named(user_binds, vgem_svm_user_limits[VGEM_SVM_USER_BINDS], uint, 0444);
MODULE_PARM_DESC(user_binds, "Intervals that one user may have buffer objects bound at on a device, not 0 (default 16384)");

/**
 * struct vgem_svm_user - a user of a device
 * @ref: each address space and each buffer object of the user's holds one
 * @vdev: device
 * @node: in &vgem_svm_dev.users
 * @uid: who
 * @counts: what there is, by enum vgem_svm_user_item
 */
struct vgem_svm_user {
	struct kref ref;
	struct vgem_svm_dev *vdev;
	struct list_head node;
	kuid_t uid;
	atomic_long_t counts[VGEM_SVM_USER_NR];
};

/**
 * vgem_svm_user_limit() - how many may one user have?
 * @item: of what
 *
 * Return: the number; 0 is not allowed and refused when the module is loaded.
 */
unsigned int vgem_svm_user_limit(enum vgem_svm_user_item item)
{
	return vgem_svm_user_limits[item];
}

/**
 * vgem_svm_user_number() - a number for the hardware
 * @user: user
 *
 * Return: the same for each queue of a user: users have equal shares of an engine.
 */
u32 vgem_svm_user_number(const struct vgem_svm_user *user)
{
	return __kuid_val(user->uid);
}

static struct vgem_svm_user *vgem_svm_user_find(struct vgem_svm_dev *vdev,
						kuid_t uid)
{
	struct vgem_svm_user *user;

	lockdep_assert_held(&vdev->user_lock);
	list_for_each_entry(user, &vdev->users, node)
		if (uid_eq(user->uid, uid) && kref_get_unless_zero(&user->ref))
			return user;
	return NULL;
}

/**
 * vgem_svm_user_get() - the caller as a user of a device
 * @vdev: device
 *
 * Return: the user, referenced, or an ERR_PTR() of -ENOMEM.
 */
struct vgem_svm_user *vgem_svm_user_get(struct vgem_svm_dev *vdev)
{
	struct vgem_svm_user *user, *fresh;

	/* Not under the lock: this may wait for the caller's cgroup. */
	fresh = kzalloc_obj(*fresh, GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return ERR_PTR(-ENOMEM);
	kref_init(&fresh->ref);
	fresh->vdev = vdev;
	fresh->uid = current_uid();

	spin_lock(&vdev->user_lock);
	user = vgem_svm_user_find(vdev, fresh->uid);
	if (!user)
		list_add(&fresh->node, &vdev->users);
	spin_unlock(&vdev->user_lock);
	if (!user)
		return fresh;
	kfree(fresh);
	return user;
}

static void vgem_svm_user_free(struct kref *ref)
{
	struct vgem_svm_user *user =
		container_of(ref, struct vgem_svm_user, ref);

	scoped_guard(spinlock, &user->vdev->user_lock)
		list_del(&user->node);
	kfree(user);
}

/**
 * vgem_svm_user_put() - drop a reference
 * @user: user
 *
 * Context: process; the device has not been freed.
 */
void vgem_svm_user_put(struct vgem_svm_user *user)
{
	kref_put(&user->ref, vgem_svm_user_free);
}

/**
 * vgem_svm_user_charge() - more of something
 * @user: user
 * @item: of what
 * @n: how many
 *
 * Return: 0, -EDQUOT if the user has as many as may be and the caller may not go
 * beyond that.
 */
int vgem_svm_user_charge(struct vgem_svm_user *user,
			 enum vgem_svm_user_item item, u32 n)
{
	if (atomic_long_add_return(n, &user->counts[item]) <=
	    vgem_svm_user_limits[item] || capable(CAP_SYS_RESOURCE))
		return 0;
	atomic_long_sub(n, &user->counts[item]);
	return -EDQUOT;
}

/**
 * vgem_svm_user_uncharge() - less
 * @user: user
 * @item: of what
 * @n: how many
 */
void vgem_svm_user_uncharge(struct vgem_svm_user *user,
			    enum vgem_svm_user_item item, u32 n)
{
	atomic_long_sub(n, &user->counts[item]);
}
