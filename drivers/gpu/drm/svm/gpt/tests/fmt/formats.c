// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The module of the formats that only tests use. A format that a driver begins to
 * use moves to where that driver's is, as it stands.
 */

#include <linux/module.h>

MODULE_DESCRIPTION("Formats of device page tables, for tests");
MODULE_LICENSE("Dual MIT/GPL");
