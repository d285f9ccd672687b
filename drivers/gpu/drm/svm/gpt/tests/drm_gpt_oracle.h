/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_ORACLE_H_
#define _DRM_GPT_ORACLE_H_

#include <linux/generic_pt/iommu.h>

#include <drm/drm_gpt.h>

struct iommu_pages_list;
struct kunit;
struct kunit_suite;

/**
 * struct oracle_pair - both builders of x86-64 tables
 * @gpt: ours
 * @pt: the kernel's
 * @entries: entries compared
 */
struct oracle_pair {
	struct drm_gpt gpt;
	struct pt_iommu_x86_64 pt;
	u64 entries;
};

/* drm_gpt_oracle_test.c */
int oracle_pair_init(struct kunit *test, struct oracle_pair *pair);
void oracle_pair_fini(struct oracle_pair *pair);
void oracle_compare_all(struct kunit *test, struct oracle_pair *pair);

/* Exported to IOMMU drivers, by a header among them: drivers/iommu/iommu-pages.h. */
void iommu_put_pages_list(struct iommu_pages_list *list);

/* drm_gpt_oracle_cost.c */
extern struct kunit_suite drm_gpt_oracle_cost_suite;

#endif /* _DRM_GPT_ORACLE_H_ */
