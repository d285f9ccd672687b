// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The module. */

#include <linux/module.h>

#include "drm_svm_internal.h"
#include "drm_svm_lane.h"

static int __init drm_svm_module_init(void)
{
	drm_svm_range_lockdep_prime();
	return drm_svm_service_init();
}
module_init(drm_svm_module_init);

static void __exit drm_svm_module_exit(void)
{
	/* kvfree_rcu() of ranges needs nothing of ours; SRCU is per object. */
	drm_svm_lane_fini();
	drm_svm_service_exit();
}
module_exit(drm_svm_module_exit);

MODULE_DESCRIPTION("Shared virtual memory helpers for device drivers");
MODULE_LICENSE("Dual MIT/GPL");
