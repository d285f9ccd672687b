// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Leaves of what is bound. They have an owner of their own, so that no invalidation
 * of the process's memory takes them, and no unbind a page of that.
 *
 * Whoever has pinned all tables of an interval can write its leaves without an
 * allocation: a lowest table at a time, for which ring space is taken, which is
 * waited for, but is not kept over more than one. Only a device that has been
 * stopped fails then.
 */

#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "../svm/drm_svm_planted.h"
#include "vgem_svm_drv.h"

/* What one lowest table maps, and how many of these are prepared at once. */
#define VGEM_SVM_TABLE_BYTES	((u64)SZ_2M)
#define VGEM_SVM_PIN_BYTES	(8 * VGEM_SVM_TABLE_BYTES)
#define VGEM_SVM_TABLE_LEAVES	(VGEM_SVM_TABLE_BYTES >> PAGE_SHIFT)

static enum drm_gpt_owner vgem_svm_leaves_owner(void)
{
	return drm_svm_planted(VGEM_SVM_PLANTED_BIND_OWNER) ?
		DRM_GPT_OWNER_MIRROR : DRM_GPT_OWNER_CLAIMED;
}

/* The last byte of the block that @addr is in, but not beyond @last. */
static u64 vgem_svm_block_last(u64 addr, u64 block, u64 last)
{
	return min(addr | (block - 1), last);
}

/* Makes and keeps tables. Ring space is for later. */
static int vgem_svm_pin(struct drm_gpt *gpt, struct drm_gpt_update *up, u64 first,
			u64 last)
{
	int ret = drm_gpt_prepare_owner(gpt, up, first, last, 0,
					vgem_svm_leaves_owner(),
					GFP_KERNEL_ACCOUNT);

	if (!ret && up->credits) {
		gpt->cmd->release(gpt, up->credits);
		up->credits = 0;
	}
	return ret;
}

/**
 * vgem_svm_pins_init() - have all tables of an interval
 * @pins: the caller's, until vgem_svm_pins_fini()
 * @gpt: page table
 * @first: first byte, page aligned
 * @last: last byte, of a page
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, -ENODEV if the device has been stopped; then nothing is held.
 */
int vgem_svm_pins_init(struct vgem_svm_pins *pins, struct drm_gpt *gpt, u64 first,
		       u64 last)
{
	u64 nr = last / VGEM_SVM_PIN_BYTES - first / VGEM_SVM_PIN_BYTES + 1, end;
	int ret = 0;

	pins->nr = 0;
	pins->leaves = kmalloc_array(VGEM_SVM_TABLE_LEAVES, sizeof(*pins->leaves),
				     GFP_KERNEL_ACCOUNT);
	pins->up = kvmalloc_array(nr, sizeof(*pins->up), GFP_KERNEL_ACCOUNT);
	if (!pins->leaves || !pins->up)
		ret = -ENOMEM;
	for (; !ret && pins->nr < nr; first = end + 1) {
		end = vgem_svm_block_last(first, VGEM_SVM_PIN_BYTES, last);
		ret = vgem_svm_pin(gpt, &pins->up[pins->nr], first, end);
		pins->nr += !ret;
	}
	if (ret)
		vgem_svm_pins_fini(pins);
	return ret;
}

/**
 * vgem_svm_pins_fini() - let go of the tables
 * @pins: of vgem_svm_pins_init(), or zeroed
 *
 * Context: may sleep.
 */
void vgem_svm_pins_fini(struct vgem_svm_pins *pins)
{
	while (pins->nr)
		drm_gpt_finish(&pins->up[--pins->nr]);
	kvfree(pins->up);
	kfree(pins->leaves);
	pins->up = NULL;
	pins->leaves = NULL;
}

/* ---- writing ------------------------------------------------------------ */

/**
 * vgem_svm_leaves_commit() - write leaves of one lowest table
 * @gpt: page table
 * @first: first byte, page aligned
 * @last: last byte, of a page
 * @leaves: as many
 * @valid: asked under the table's lock whether they are still true, or NULL
 * @data: for @valid
 * @seq: raised to what drm_gpt_wait() waits for
 *
 * Context: may sleep; allocates nothing where the table is pinned.
 * Return: 0; -EAGAIN if @valid said no; -ENOMEM; -ENODEV if the device has been
 * stopped.
 */
int vgem_svm_leaves_commit(struct drm_gpt *gpt, u64 first, u64 last,
			   const u64 *leaves, drm_gpt_valid_fn valid, void *data,
			   u64 *seq)
{
	struct drm_gpt_update up;
	int ret;

	ret = drm_gpt_prepare_owner(gpt, &up, first, last, 0,
				    vgem_svm_leaves_owner(), GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	ret = drm_gpt_commit(&up, first, leaves, (last - first + 1) >> PAGE_SHIFT,
			     valid, data);
	*seq = max(*seq, drm_gpt_update_fence(&up));
	drm_gpt_finish(&up);
	return ret;
}

/**
 * vgem_svm_leaves_write() - let the device have it
 * @vm: address space
 * @pins: of [@first, @last]
 * @first: first byte, page aligned
 * @last: last byte, of a page
 * @sgt: what is mapped there
 * @offset: from its begin, bytes
 * @leaf: what each leaf has but its address
 * @seq: in and out: the highest of fences that drm_gpt_wait() has to wait for, before
 *	the device finds all of it
 *
 * What was mapped there of the same owner is replaced, and to be flushed.
 *
 * Context: may sleep; allocates nothing.
 * Return: 0; -ENODEV if the device has been stopped.
 */
int vgem_svm_leaves_write(struct vgem_svm_vm *vm, struct vgem_svm_pins *pins,
			  u64 first, u64 last, struct sg_table *sgt, u64 offset,
			  u64 leaf, u64 *seq)
{
	struct sg_dma_page_iter iter;
	int ret = 0;
	u32 i, n;
	u64 end;

	__sg_page_iter_start(&iter.base, sgt->sgl, sgt->nents, offset >> PAGE_SHIFT);
	for (; !ret && first <= last; first = end + 1) {
		end = vgem_svm_block_last(first, VGEM_SVM_TABLE_BYTES, last);
		n = (end - first + 1) >> PAGE_SHIFT;
		for (i = 0; i < n && __sg_page_iter_dma_next(&iter); i++)
			pins->leaves[i] = leaf | sg_page_iter_dma_address(&iter);
		if (WARN_ON_ONCE(i < n))
			return -EINVAL;
		ret = vgem_svm_leaves_commit(&vm->gpt, first, end, pins->leaves,
					     NULL, NULL, seq);
		cond_resched();
	}
	return ret;
}

/* ---- taking away -------------------------------------------------------- */

/* Some of it, and the tables that are empty then. Return: true if there is more. */
static bool vgem_svm_leaves_zap_some(struct vgem_svm_vm *vm, u64 first, u64 last)
{
	struct drm_gpt_gather gather;
	bool more;

	drm_gpt_gather_init(&gather, &vm->gpt);
	/* If the device has been stopped, so that the table says what is bound. */
	drm_gpt_zap_reserve(&gather, first, last, true);
	more = drm_gpt_zap_owner(&gather, first, last, vgem_svm_leaves_owner());
	if (!more)
		drm_gpt_reclaim(&gather, first, last);
	if (!drm_svm_planted(VGEM_SVM_PLANTED_UNBIND_NO_FLUSH) &&
	    !drm_svm_planted(VGEM_SVM_PLANTED_REVOKE_NO_FLUSH))
		vgem_svm_flush_gather(vm, &gather);
	drm_gpt_gather_fini(&gather);
	return more;
}

/**
 * vgem_svm_leaves_zap() - take what is bound from the device
 * @vm: address space
 * @first: first byte, page aligned; nothing goes across it, drm_gpt_split()
 * @last: last byte, of a page, the same
 *
 * When it returns the device does not reach it any more, and what is beside has not
 * changed.
 *
 * Context: may sleep; allocates nothing.
 */
void vgem_svm_leaves_zap(struct vgem_svm_vm *vm, u64 first, u64 last)
{
	while (vgem_svm_leaves_zap_some(vm, first, last))
		cond_resched();
}

/**
 * vgem_svm_leaves_flush() - what was replaced is not in the device's caches any more
 * @vm: address space
 * @first: first byte, page aligned
 * @last: last byte, of a page
 *
 * Context: may sleep; allocates nothing.
 */
void vgem_svm_leaves_flush(struct vgem_svm_vm *vm, u64 first, u64 last)
{
	struct drm_gpt_gather gather;

	drm_gpt_gather_init(&gather, &vm->gpt);
	drm_gpt_zap_reserve(&gather, first, last, true);
	/* Large leaves may stand where tables were, and the other way. */
	drm_gpt_gather_also(&gather, first, last, true);
	vgem_svm_flush_gather(vm, &gather);
	drm_gpt_gather_fini(&gather);
}
