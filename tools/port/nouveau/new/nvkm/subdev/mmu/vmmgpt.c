// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Page tables of VMMs with replayable faults, by drm_gpt: shared between the mirror of
 * a process (drm_svm) and what NVKM maps in the interval that it manages. That is
 * claimed from the mirror (nouveau_svmm_init()), and the leaves there say so.
 *
 * KIND and PRIVILEGE are attributes of leaves. Of kinds there are those that are left
 * where compression is taken away; all of them, with PRIVILEGE and without, are known
 * beforehand, so a mapping looks its attribute up.
 */
#include "vmm.h"

#include <linux/dmapool.h>

#include <core/device.h>
#include <subdev/fb.h>
#include <nvif/if000c.h>

#include "formats.h"

/* What gp100_vmm_valid() makes of a mapping. */
#define TYPE_APER	GENMASK_ULL(2, 1)
#define   TYPE_VRAM	FIELD_PREP_CONST(TYPE_APER, 0)
#define   TYPE_HOST	FIELD_PREP_CONST(TYPE_APER, 2)
#define TYPE_VOL	BIT_ULL(3)
#define TYPE_RO		BIT_ULL(6)
#define TYPE_ATTR	(GENMASK_ULL(63, 56) | BIT_ULL(5))
#define   TYPE_PRIV	BIT_ULL(5)

/* ---- attributes ------------------------------------------------------------ */

static int gpt_attr_find(const struct nvkm_vmm_gpt *gpt, u64 set)
{
	u32 i;

	for (i = 0; i < gpt->nr_attrs; i++)
		if (gpt->attrs[i].set == set)
			return i;
	return -EINVAL;
}

static void gpt_attr_add(struct nvkm_vmm_gpt *gpt, u64 set)
{
	if (gpt_attr_find(gpt, set) < 0 && gpt->nr_attrs < DRM_GPT_MAX_ATTRS)
		gpt->attrs[gpt->nr_attrs++].set = set;
}

/* First what the mirror maps with: no kind, no privilege. */
static void gpt_attrs_init(struct nvkm_vmm_gpt *gpt, struct nvkm_mmu *mmu)
{
	int n, i;
	u8 bad;
	const u8 *kind = mmu->func->kind(mmu, &n, &bad);

	gpt_attr_add(gpt, 0);
	for (i = 0; i < n; i++) {
		if (kind[i] == bad)
			continue;
		gpt_attr_add(gpt, (u64)kind[i] << 56);
		gpt_attr_add(gpt, (u64)kind[i] << 56 | TYPE_PRIV);
	}
}

/* ---- flushes --------------------------------------------------------------- */

/* All of the PDB, walk caches too; acknowledged when accesses are over. */
int nvkm_vmm_gpt_flush(struct drm_gpt *gpt, bool may_sleep)
{
	struct nvkm_vmm *vmm = container_of(gpt, struct nvkm_vmm_gpt, gpt)->vmm;

	return gf100_vmm_invalidate_(vmm, 0x00000001 /* PAGE_ALL */ |
					  0x00000040 /* SYS_MEMBAR */ |
					  0x00000080 /* ACK_GLOBALLY */, may_sleep);
}

static int gpt_shrink(struct drm_gpt *gpt, struct drm_gpt_gather *gather)
{
	return nvkm_vmm_gpt_flush(gpt, true);
}

/* Bus address: tables are in system memory. */
u64 nvkm_vmm_gpt_root(struct nvkm_vmm *vmm)
{
	bool local;
	u64 addr;

	drm_gpt_root(&vmm->gpt->gpt, &addr, &local);
	return addr;
}

/* ---- what NVKM maps -------------------------------------------------------- */

/*
 * VRAM that is VOL, and system memory that is not or not coherent, have no word in the
 * format; TTM asks for neither on a PC, and nobody else maps here.
 */
static int gpt_leaf(struct nvkm_vmm *vmm, struct nvkm_vmm_map *map, u64 addr, u64 *leaf)
{
	int attr = gpt_attr_find(vmm->gpt, map->type & TYPE_ATTR);
	u64 where = map->type & (TYPE_APER | TYPE_VOL);

	if (attr < 0 || map->ctag ||
	    (where != TYPE_VRAM && where != (TYPE_HOST | TYPE_VOL)))
		return -EINVAL;
	*leaf = addr | DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_ATOMIC |
		FIELD_PREP(DRM_GPT_LEAF_ATTR, (u64)attr);
	if (!(map->type & TYPE_RO))
		*leaf |= DRM_GPT_LEAF_WRITE;
	if (where == TYPE_VRAM)
		*leaf |= DRM_GPT_LEAF_LOCAL;
	return 0;
}

static int gpt_flush_gather(struct nvkm_vmm *vmm, struct drm_gpt_gather *gather)
{
	int ret = 0;

	if (!drm_gpt_gather_empty(gather))
		ret = nvkm_vmm_gpt_flush(&vmm->gpt->gpt, true);
	drm_gpt_gather_fini(gather);
	return ret;
}

/* Tables of small pages that map nothing, where a large page is to be. */
static int gpt_make_way(struct nvkm_vmm *vmm, u64 first, u64 last)
{
	struct drm_gpt_gather gather;
	int ret;

	drm_gpt_gather_init(&gather, &vmm->gpt->gpt);
	gather.evict = true;
	ret = drm_gpt_zap_reserve(&gather, first, last, true);
	if (!ret)
		drm_gpt_zap(&gather, first, last);
	return gpt_flush_gather(vmm, &gather) ?: ret;
}

static int gpt_commit(struct nvkm_vmm *vmm, u64 first, u64 last, u8 level, u64 leaf)
{
	u32 nr = (last - first + 1) >> (level ? 21 : 12);
	struct drm_gpt_update up;
	int ret;

	ret = drm_gpt_prepare_owner(&vmm->gpt->gpt, &up, first, last, level,
				    DRM_GPT_OWNER_CLAIMED, GFP_KERNEL);
	if (ret)
		return ret;
	ret = drm_gpt_commit_seq(&up, first, leaf, nr, NULL, NULL);
	if (ret == -EBUSY)
		ret = gpt_make_way(vmm, first, last) ?:
		      drm_gpt_commit_seq(&up, first, leaf, nr, NULL, NULL);
	drm_gpt_finish(&up);
	return ret;
}

static void gpt_map_ptes(struct nvkm_vmm *vmm, struct nvkm_mmu_pt *pt, u32 ptei, u32 ptes,
			 struct nvkm_vmm_map *map, u64 addr)
{
	const u8 shift = map->page->shift;
	const u64 first = map->gpt_va + ((u64)ptei << shift);
	u64 leaf;

	if (!map->gpt_ret)
		map->gpt_ret = gpt_leaf(vmm, map, addr, &leaf);
	if (!map->gpt_ret)
		map->gpt_ret = gpt_commit(vmm, first, first + ((u64)ptes << shift) - 1,
					  shift == 21, leaf);
}

/* What is mapped is flushed, as everything that NVKM maps. */
int nvkm_vmm_gpt_map(struct nvkm_vmm *vmm, u64 addr, u64 size, struct nvkm_vmm_map *map)
{
	u32 ptei = 0, ptes = size >> map->page->shift;

	map->gpt_va = addr;
	map->gpt_ret = 0;
	if (map->mem)
		VMM_MAP_ITER_MEM(vmm, vmm->pd->pt[0], ptei, ptes, map, gpt_map_ptes);
	else if (map->sgl)
		VMM_MAP_ITER_SGL(vmm, vmm->pd->pt[0], ptei, ptes, map, gpt_map_ptes);
	else
		VMM_MAP_ITER_DMA(vmm, vmm->pd->pt[0], ptei, ptes, map, gpt_map_ptes);
	if (map->gpt_ret)
		nvkm_vmm_gpt_unmap(vmm, addr, size, false);
	return map->gpt_ret ?: nvkm_vmm_gpt_flush(&vmm->gpt->gpt, true);
}

void nvkm_vmm_gpt_unmap(struct nvkm_vmm *vmm, u64 addr, u64 size, bool put)
{
	u64 last = addr + size - 1;
	struct drm_gpt_gather gather;

	drm_gpt_gather_init(&gather, &vmm->gpt->gpt);
	if (!drm_gpt_zap_reserve(&gather, addr, last, true)) {
		/* The CPU writes the table: there is no ring space to run out of. */
		drm_gpt_zap_owner(&gather, addr, last, DRM_GPT_OWNER_CLAIMED);
		if (put)
			drm_gpt_reclaim(&gather, addr, last);
	}
	if (gpt_flush_gather(vmm, &gather))
		VMM_DEBUG(vmm, "flush of unmap failed");
}

/* ---- life ------------------------------------------------------------------ */

void nvkm_vmm_gpt_del(struct nvkm_vmm *vmm)
{
	struct nvkm_vmm_gpt *gpt = vmm->gpt;

	if (!gpt)
		return;
	drm_gpt_fini(&gpt->gpt);
	dma_pool_destroy(gpt->big);
	kfree(gpt);
	vmm->gpt = NULL;
}

static int gpt_init(struct nvkm_vmm_gpt *gpt, struct device *dev)
{
	struct drm_gpt_config config = {
		.dev = dev,
		.format = &drm_gpt_format_nvidia_gp100,
		.mem = &drm_gpt_mem_small,
		.flush = gpt_shrink,
		.attrs = gpt->attrs,
		.nr_attrs = gpt->nr_attrs,
	};

	/* Tables of big pages, of 32 entries. */
	gpt->big = dma_pool_create("nvkm-vmm-big", dev, 256, 256, 0);
	if (!gpt->big)
		return -ENOMEM;
	config.mem_data = gpt->big;
	return drm_gpt_init(&gpt->gpt, &config);
}

int nvkm_vmm_gpt_new(struct nvkm_vmm *vmm)
{
	struct nvkm_vmm_gpt *gpt = kzalloc_obj(*gpt);
	int ret;

	if (!gpt)
		return -ENOMEM;
	gpt->vmm = vmm;
	gpt_attrs_init(gpt, vmm->mmu);
	ret = gpt_init(gpt, vmm->mmu->subdev.device->dev);
	if (ret) {
		dma_pool_destroy(gpt->big);
		kfree(gpt);
		return ret;
	}
	vmm->gpt = gpt;
	return 0;
}
