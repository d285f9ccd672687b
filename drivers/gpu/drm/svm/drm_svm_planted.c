// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The switch of the planted bugs that are in this module.
 */

#include <linux/export.h>
#include <linux/module.h>

#include "drm_svm_planted.h"

int drm_svm_planted_bug;
EXPORT_SYMBOL_GPL(drm_svm_planted_bug);
module_param_named(planted, drm_svm_planted_bug, int, 0444);
MODULE_PARM_DESC(planted, "Number of a bug that the test suite must catch (default 0: none)");
