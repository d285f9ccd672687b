// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * For people: the hardware's state, and what address spaces map.
 */

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_file.h>

#include "vgem_svm_drv.h"

static struct vgem_svm_dev *vgem_svm_of_seq(struct seq_file *m)
{
	struct drm_debugfs_entry *entry = m->private;

	return to_vgem_svm_dev(entry->dev);
}

static void vgem_svm_show_ring(struct vgem_svm_ring *ring, struct seq_file *m)
{
	guard(spinlock)(&ring->lock);
	seq_printf(m, "page-table ring: %u words reserved, %u when a flush was last waited for\n",
		   ring->credits, ring->kept);
}

static int vgem_svm_show_hw(struct seq_file *m, void *data)
{
	struct vgem_svm_dev *vdev = vgem_svm_of_seq(m);
	int idx;

	if (!drm_dev_enter(&vdev->drm, &idx))
		return -ENODEV;
	vgem_svm_hw_dump(vdev->hw, m);
	vgem_svm_show_ring(&vdev->pt_ring, m);
	drm_dev_exit(idx);
	return 0;
}

static void vgem_svm_show_vm(struct vgem_svm_vm *vm, struct seq_file *m)
{
	struct drm_svm_stats *stats = &vm->svm.stats;

	seq_printf(m, "vm %u: faults %lld dups %lld groups %lld errors %lld replays %lld retries %lld requeues %lld\n",
		   vm->hw_id, atomic64_read(&stats->faults),
		   atomic64_read(&stats->fault_dups),
		   atomic64_read(&stats->fault_groups),
		   atomic64_read(&stats->fault_errors),
		   atomic64_read(&stats->replays),
		   atomic64_read(&stats->retries),
		   atomic64_read(&stats->requeues));
	drm_gpt_dump(&vm->gpt, m);
}

static int vgem_svm_show_vms(struct seq_file *m, void *data)
{
	struct vgem_svm_dev *vdev = vgem_svm_of_seq(m);
	struct vgem_svm_vm *vm;
	unsigned long id;
	int idx;

	if (!drm_dev_enter(&vdev->drm, &idx))
		return -ENODEV;
	xa_lock(&vdev->vms);
	xa_for_each(&vdev->vms, id, vm) {
		kref_get(&vm->ref);
		xa_unlock(&vdev->vms);
		/* An unplug waits for us, and a closing one for a process. */
		if (down_read_trylock(&vm->sem)) {
			if (!vm->closed)
				vgem_svm_show_vm(vm, m);
			up_read(&vm->sem);
		}
		vgem_svm_vm_put(vm);
		xa_lock(&vdev->vms);
	}
	xa_unlock(&vdev->vms);
	drm_dev_exit(idx);
	return 0;
}

static const struct drm_debugfs_info vgem_svm_debugfs_list[] = {
	{ "vgem_svm_hw", vgem_svm_show_hw, 0 },
	{ "vgem_svm_vms", vgem_svm_show_vms, 0 },
};

void vgem_svm_debugfs_init(struct drm_minor *minor)
{
	drm_debugfs_add_files(minor->dev, vgem_svm_debugfs_list,
			      ARRAY_SIZE(vgem_svm_debugfs_list));
	debugfs_create_u32("fault_deadline_ms", 0644, minor->debugfs_root,
			   &to_vgem_svm_dev(minor->dev)->fault_queue.deadline_ms);
	debugfs_create_u32("fence_timeout_ms", 0644, minor->debugfs_root,
			   &to_vgem_svm_dev(minor->dev)->fence_timeout_ms);
}
