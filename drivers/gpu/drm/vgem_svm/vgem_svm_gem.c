// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: buffer objects
 *
 * The memory of a buffer object is shmem, of which a page is charged to the memory
 * cgroup of who first touches it: by mmap() or when it is bound. The arrays that go
 * with it are a part in 150 of that. How many pages a user's objects may have is
 * limited, whether they are there or not: so are the pages that binds and mappings
 * keep from being swapped out, for which nothing else has a bound. There is no
 * shrinker: what is bound stays.
 *
 * The device has an object mapped for DMA as long as it is bound in an address space,
 * and no longer. So nothing is left for the device when all address spaces are
 * closed, as they are before it is unbound, whoever still holds the object. What
 * another driver exported is mapped by the exporter; it is pinned from its import on.
 *
 * What the device wrote may be nowhere else: the pages are dirty when they are let
 * go.
 */

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_dumb_buffers.h>
#include <drm/drm_file.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "vgem_svm_drv.h"

/* The array of its pages is one allocation, which has a limit. */
#define VGEM_SVM_GEM_MAX	((u64)SZ_1G * 256)
#define VGEM_SVM_GEM_DMA_ATTRS	(DMA_ATTR_REQUIRE_COHERENT | DMA_ATTR_SKIP_CPU_SYNC)

/* ---- life --------------------------------------------------------------- */

static void vgem_svm_gem_free(struct drm_gem_object *obj)
{
	struct vgem_svm_gem *gem = to_vgem_svm_gem(obj);
	struct vgem_svm_user *user = gem->user;
	u32 pages = obj->size >> PAGE_SHIFT;

	drm_WARN_ON(obj->dev, gem->uses);
	drm_gem_shmem_free(&gem->shmem);
	if (!user)
		return;
	vgem_svm_user_uncharge(user, VGEM_SVM_USER_GEM_PAGES, pages);
	vgem_svm_user_put(user);
}

static const struct drm_gem_object_funcs vgem_svm_gem_funcs = {
	.free = vgem_svm_gem_free,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

/**
 * vgem_svm_gem_create_object() - room for an object
 * @drm: device
 * @size: of its memory
 *
 * For the helper, which gives it back by kfree() where it fails.
 *
 * Context: may sleep.
 * Return: the object, or an ERR_PTR() of -ENOMEM.
 */
struct drm_gem_object *vgem_svm_gem_create_object(struct drm_device *drm,
						  size_t size)
{
	struct vgem_svm_gem *gem = kzalloc_obj(*gem, GFP_KERNEL_ACCOUNT);

	if (!gem)
		return ERR_PTR(-ENOMEM);
	gem->shmem.base.funcs = &vgem_svm_gem_funcs;
	/* Whether the core does so depends on its version. */
	drm_gem_gpuva_init(&gem->shmem.base);
	return &gem->shmem.base;
}

/* Counts a new object for who made it. */
static int vgem_svm_gem_charge(struct vgem_svm_gem *gem)
{
	struct drm_gem_object *obj = &gem->shmem.base;
	struct vgem_svm_user *user = vgem_svm_user_get(to_vgem_svm_dev(obj->dev));
	int ret;

	if (IS_ERR(user))
		return PTR_ERR(user);
	ret = vgem_svm_user_charge(user, VGEM_SVM_USER_GEM_PAGES,
				   obj->size >> PAGE_SHIFT);
	if (ret)
		vgem_svm_user_put(user);
	else
		gem->user = user;
	return ret;
}

/* Makes an object with a handle. */
static int vgem_svm_gem_make(struct drm_device *drm, struct drm_file *file,
			     u64 size, u32 *handle)
{
	struct drm_gem_shmem_object *shmem;
	int ret;

	if (size > VGEM_SVM_GEM_MAX)
		return -EINVAL;
	shmem = drm_gem_shmem_create(drm, size);
	if (IS_ERR(shmem))
		return PTR_ERR(shmem);
	ret = vgem_svm_gem_charge(to_vgem_svm_gem(&shmem->base));
	ret = ret ?: drm_gem_handle_create(file, &shmem->base, handle);
	/* The handle has a reference of its own. */
	drm_gem_object_put(&shmem->base);
	return ret;
}

/**
 * vgem_svm_gem_dumb_create() - an object for a picture
 * @file: file
 * @drm: device
 * @args: of the core's ioctl
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -EDQUOT, -ENOMEM.
 */
int vgem_svm_gem_dumb_create(struct drm_file *file, struct drm_device *drm,
			     struct drm_mode_create_dumb *args)
{
	int ret = drm_mode_size_dumb(drm, args, 0, 0);

	return ret ?: vgem_svm_gem_make(drm, file, args->size, &args->handle);
}

/**
 * vgem_svm_gem_import() - an object of what another device exported
 * @drm: device
 * @dma_buf: it
 *
 * What the device exported itself is the object that it was.
 *
 * Context: may sleep.
 * Return: the object, or an ERR_PTR() of what the exporter says, -EINVAL for one that
 * is too large, -EDQUOT, -ENOMEM.
 */
struct drm_gem_object *vgem_svm_gem_import(struct drm_device *drm,
					   struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj;
	int ret;

	if (dma_buf->size > VGEM_SVM_GEM_MAX)
		return ERR_PTR(-EINVAL);
	obj = drm_gem_shmem_prime_import_no_map(drm, dma_buf);
	if (IS_ERR(obj) || to_vgem_svm_gem(obj)->user)
		return obj;
	ret = vgem_svm_gem_charge(to_vgem_svm_gem(obj));
	if (!ret)
		return obj;
	drm_gem_object_put(obj);
	return ERR_PTR(ret);
}

/* ---- what the device finds ---------------------------------------------- */

/* Pages are what is bound, at addresses that an entry has room for. */
static bool vgem_svm_gem_sgt_ok(struct sg_table *sgt, size_t size)
{
	struct scatterlist *sg;
	u64 bytes = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 addr = sg_dma_address(sg), len = sg_dma_len(sg);

		if (!PAGE_ALIGNED(addr | len) ||
		    (addr + len - 1) & ~(VGEM_SVM_PTE_ADDR | ~PAGE_MASK))
			return false;
		bytes += len;
	}
	return bytes >= size;
}

static void vgem_svm_gem_unmap(struct vgem_svm_gem *gem, struct sg_table *sgt)
{
	struct drm_gem_object *obj = &gem->shmem.base;

	if (drm_gem_is_imported(obj)) {
		dma_buf_unmap_attachment(obj->import_attach, sgt,
					 DMA_BIDIRECTIONAL);
		return;
	}
	dma_unmap_sgtable(obj->dev->dev, sgt, DMA_BIDIRECTIONAL,
			  VGEM_SVM_GEM_DMA_ATTRS);
	sg_free_table(sgt);
	kfree(sgt);
	gem->shmem.pages_mark_dirty_on_put = true;
	drm_gem_shmem_unpin_locked(&gem->shmem);
}

static struct sg_table *vgem_svm_gem_map_own(struct vgem_svm_gem *gem)
{
	struct sg_table *sgt;
	int ret;

	ret = drm_gem_shmem_pin_locked(&gem->shmem);
	if (ret)
		return ERR_PTR(ret);
	sgt = drm_gem_shmem_get_sg_table(&gem->shmem);
	if (IS_ERR(sgt))
		goto err_pin;
	ret = dma_map_sgtable(gem->shmem.base.dev->dev, sgt, DMA_BIDIRECTIONAL,
			      VGEM_SVM_GEM_DMA_ATTRS);
	if (!ret)
		return sgt;
	sg_free_table(sgt);
	kfree(sgt);
	sgt = ERR_PTR(ret);
err_pin:
	drm_gem_shmem_unpin_locked(&gem->shmem);
	return sgt;
}

/**
 * vgem_svm_gem_use() - one more address space has it bound
 * @gem: object
 *
 * Context: may sleep; the object's dma_resv is held, and the device is bound.
 * Return: 0; -ENOMEM; -EOPNOTSUPP if what was imported is not made of pages that the
 * device can reach; what the exporter says.
 */
int vgem_svm_gem_use(struct vgem_svm_gem *gem)
{
	struct drm_gem_object *obj = &gem->shmem.base;
	struct sg_table *sgt;

	dma_resv_assert_held(obj->resv);
	if (gem->uses) {
		gem->uses++;
		return 0;
	}
	if (drm_gem_is_imported(obj))
		sgt = dma_buf_map_attachment(obj->import_attach,
					     DMA_BIDIRECTIONAL);
	else
		sgt = vgem_svm_gem_map_own(gem);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	if (!vgem_svm_gem_sgt_ok(sgt, obj->size)) {
		vgem_svm_gem_unmap(gem, sgt);
		return -EOPNOTSUPP;
	}
	gem->sgt = sgt;
	gem->uses = 1;
	return 0;
}

/**
 * vgem_svm_gem_unuse() - one less
 * @gem: object, of which the device has nothing in that address space any more
 *
 * Context: may sleep; the object's dma_resv is held.
 */
void vgem_svm_gem_unuse(struct vgem_svm_gem *gem)
{
	dma_resv_assert_held(gem->shmem.base.resv);
	if (--gem->uses)
		return;
	vgem_svm_gem_unmap(gem, gem->sgt);
	gem->sgt = NULL;
}

/* ---- ioctls ------------------------------------------------------------- */

int vgem_svm_gem_create_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file)
{
	struct drm_vgem_svm_gem_create *args = data;

	if (!args->size || !PAGE_ALIGNED(args->size) ||
	    args->size > VGEM_SVM_GEM_MAX)
		return vgem_svm_bad(drm, "size");
	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	return vgem_svm_gem_make(drm, file, args->size, &args->handle);
}

int vgem_svm_gem_mmap_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	struct drm_vgem_svm_gem_mmap *args = data;
	struct drm_gem_object *obj;

	if (args->flags)
		return vgem_svm_bad(drm, "flags");
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	args->offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return 0;
}
