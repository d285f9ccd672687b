// SPDX-License-Identifier: MIT
/*
 * How those who look for a GPU find the devices: compositors, EGL and Vulkan
 * loaders and lsgpu ask libdrm, which knows a device by its bus.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm enumerate
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: enumeration
 * Description: the devices as libdrm sees them
 *
 * SUBTEST: each-once
 * Description: every device is listed once, with its card and its render node
 *
 * SUBTEST: from-fd
 * Description: the device of an open file is the one in the list
 *
 * SUBTEST: names
 * Description: names of nodes, of the bus and of the driver belong together
 */

IGT_TEST_DESCRIPTION("The devices as libdrm sees them");

#define MAX_DEVICES 64

struct list {
	drmDevicePtr all[MAX_DEVICES];
	int nr;
};

static void list_init(struct list *list)
{
	list->nr = drmGetDevices2(0, list->all, MAX_DEVICES);
	igt_assert(list->nr >= 0);
}

static void list_fini(struct list *list)
{
	drmFreeDevices(list->all, list->nr);
}

/* Return: the device that has this render node, which must be one. */
static drmDevicePtr list_find(const struct list *list, const char *node)
{
	drmDevicePtr found = NULL;
	int i;

	for (i = 0; i < list->nr; i++) {
		if (!(list->all[i]->available_nodes & 1 << DRM_NODE_RENDER) ||
		    strcmp(list->all[i]->nodes[DRM_NODE_RENDER], node))
			continue;
		igt_assert_f(!found, "%s is listed twice\n", node);
		found = list->all[i];
	}
	return found;
}

static void test_each_once(unsigned int devices)
{
	struct list list;
	unsigned int i;

	list_init(&list);
	igt_assert_eq(drmGetDevices2(0, NULL, 0), list.nr);
	for (i = 0; i < devices; i++) {
		int fd = vgem_svm_open(i);
		char *node = drmGetDeviceNameFromFd2(fd);
		drmDevicePtr device;

		igt_assert(node);
		device = list_find(&list, node);
		igt_assert_f(device, "libdrm does not list %s\n", node);
		igt_assert_f(device->available_nodes & 1 << DRM_NODE_PRIMARY,
			     "%s has no card\n", node);
		free(node);
		close(fd);
	}
	list_fini(&list);
}

static void test_from_fd(unsigned int devices)
{
	drmDevicePtr device[2];
	unsigned int i;
	int fd;

	igt_require_f(devices > 1, "one device only\n");
	for (i = 0; i < 2; i++) {
		fd = vgem_svm_open(i);
		igt_assert_eq(drmGetDevice2(fd, 0, &device[i]), 0);
		close(fd);
	}
	igt_assert_f(!drmDevicesEqual(device[0], device[1]),
		     "libdrm takes two devices for one\n");
	for (i = 0; i < 2; i++) {
		drmDevicePtr again;

		fd = open(device[i]->nodes[DRM_NODE_PRIMARY],
			  O_RDWR | O_CLOEXEC);
		igt_assert(fd >= 0);
		igt_assert_eq(drmGetDevice2(fd, 0, &again), 0);
		igt_assert(drmDevicesEqual(device[i], again));
		drmFreeDevice(&again);
		close(fd);
	}
	drmFreeDevice(&device[0]);
	drmFreeDevice(&device[1]);
}

static void test_names(unsigned int devices)
{
	unsigned int i;

	for (i = 0; i < devices; i++) {
		int fd = vgem_svm_open(i);
		drmVersionPtr version = drmGetVersion(fd);
		char *render = drmGetRenderDeviceNameFromFd(fd);
		char *self = drmGetDeviceNameFromFd2(fd);
		drmDevicePtr device;

		igt_assert(version && render && self);
		igt_assert(!strcmp(version->name, "vgem_svm"));
		igt_assert(!strcmp(render, self));
		igt_assert_eq(drmGetNodeTypeFromFd(fd), DRM_NODE_RENDER);
		igt_assert_eq(drmGetDevice2(fd, 0, &device), 0);
		igt_assert_eq(device->bustype, DRM_BUS_PLATFORM);
		igt_info("%s: %s\n", self, device->businfo.platform->fullname);
		igt_assert(!strncmp(device->businfo.platform->fullname,
				    "vgem_svm.", 9));
		drmFreeDevice(&device);
		drmFreeVersion(version);
		free(render);
		free(self);
		close(fd);
	}
}

int igt_main()
{
	unsigned int devices = 0;

	igt_fixture() {
		vgem_svm_require(1);
		devices = vgem_svm_count();
	}

	igt_describe("Every device is listed once, with its card and its render node");
	igt_subtest("each-once")
		test_each_once(devices);

	igt_describe("The device of an open file is the one in the list");
	igt_subtest("from-fd")
		test_from_fd(devices);

	igt_describe("Names of nodes, of the bus and of the driver belong together");
	igt_subtest("names")
		test_names(devices);
}
