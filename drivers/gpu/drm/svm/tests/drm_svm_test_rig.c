// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the suites have in common: the thread of a case has an address space, which
 * it touches like a process, and devices mirror it.
 */

#include <kunit/test.h>
#include <kunit/visibility.h>

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "drm_svm_test_rig.h"

/**
 * test_exit() - end of a case
 * @test: case
 */
void test_exit(struct kunit *test)
{
	struct test_ctx *ctx = test->priv;
	unsigned int i;

	for (i = 0; ctx && i < TEST_DEVS; i++) {
		if (ctx->attached[i])
			test_dev_detach(ctx->dev[i]);
		if (ctx->dev[i])
			test_dev_free(ctx->dev[i]);
	}
}

/**
 * test_init_formats() - begin of a case
 * @test: case
 * @formats: of the devices' tables
 *
 * Return: 0, -ENOMEM.
 */
int test_init_formats(struct kunit *test,
		      const struct drm_gpt_format *formats[TEST_DEVS])
{
	struct test_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	unsigned int i;

	if (!ctx || kunit_attach_mm())
		return -ENOMEM;
	test->priv = ctx;
	for (i = 0; i < TEST_DEVS; i++) {
		ctx->dev[i] = test_dev_make(current->mm, formats[i]);
		if (!ctx->dev[i])
			return -ENOMEM;
		ctx->attached[i] = true;
	}
	return 0;
}

/**
 * test_init() - begin of a case where formats do not matter
 * @test: case
 *
 * Return: 0, -ENOMEM.
 */
int test_init(struct kunit *test)
{
	const struct drm_gpt_format *formats[TEST_DEVS] = {
		&drm_gpt_format_vgem_svm, &drm_gpt_format_vgem_svm,
	};

	return test_init_formats(test, formats);
}

/**
 * test_dev() - a device of a case
 * @test: case
 * @i: which
 *
 * Return: the device.
 */
struct test_dev *test_dev(struct kunit *test, unsigned int i)
{
	struct test_ctx *ctx = test->priv;

	return ctx->dev[i];
}

/**
 * test_detach() - end the address space of one device before the case ends
 * @test: case
 * @i: which
 */
void test_detach(struct kunit *test, unsigned int i)
{
	struct test_ctx *ctx = test->priv;

	ctx->attached[i] = false;
	test_dev_detach(ctx->dev[i]);
}

/**
 * test_attach() - and give it one again
 * @test: case
 * @i: which
 */
void test_attach(struct kunit *test, unsigned int i)
{
	struct test_ctx *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, test_dev_attach(ctx->dev[i], current->mm), 0);
	ctx->attached[i] = true;
}

/**
 * test_where() - where is the page of an address?
 * @test: case
 * @dev: who asks
 * @addr: address
 *
 * Return: DRM_SVM_PAGE_*, the location only.
 */
u8 test_where(struct kunit *test, struct test_dev *dev, u64 addr)
{
	u8 where = 0;

	KUNIT_ASSERT_EQ(test, drm_svm_residency(&dev->svm, addr,
						addr + PAGE_SIZE - 1, &where), 0);
	return where & DRM_SVM_PAGE_LOCATION;
}

/**
 * test_await_flushes() - wait until flushes have begun
 * @test: case
 * @dev: device
 * @n: how many since the device was made
 */
void test_await_flushes(struct kunit *test, struct test_dev *dev, int n)
{
	unsigned int tries;

	for (tries = 0; tries < 10000 && atomic_read(&dev->begun) < n; tries++)
		fsleep(1000);
	KUNIT_EXPECT_GE(test, atomic_read(&dev->begun), n);
}
