/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The sink under test: devices that see the address space of a case's thread by
 * whatever a module has to offer. One body of a case runs for each of its sinks.
 */
#ifndef _DRM_SVM_TEST_SINK_H_
#define _DRM_SVM_TEST_SINK_H_

#include <kunit/test.h>
#include <kunit/visibility.h>

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/platform_device.h>
#include <linux/wait.h>

#include <drm/drm_svm.h>
#include <drm/drm_svm_fault.h>

#include "drm_svm_test_mm.h"

struct test_mirror;
struct test_view;

/* Devices that a case begins with. */
#define TEST_MIRRORS	2

#define MAY_LOAD	DRM_SVM_RIGHT_READ
#define MAY_STORE	DRM_SVM_RIGHT_WRITE

/**
 * struct test_seen - what a device finds at an address
 * @rights: DRM_SVM_RIGHT_*; 0: nothing
 * @phys: where its access ends
 */
struct test_seen {
	u8 rights;
	u64 phys;
};

/**
 * struct test_sink - a sink under test
 * @name: of the parameter
 * @polls: the OOM reaper can take its mappings away
 * @make: make what a device sees by it, of whole pages; it may see more than it is asked
 *	to. NULL without memory
 * @end: end it
 * @look: what does the device find at an address?
 * @used: optional: the device has begun to use what it sees
 * @let: optional: flushes that were held end
 */
struct test_sink {
	const char *name;
	bool polls;
	struct test_view *(*make)(struct kunit *test, struct test_mirror *mirror,
				  u64 first, u64 bytes, u8 rights);
	void (*end)(struct test_view *v);
	struct test_seen (*look)(struct test_view *v, u64 addr);
	void (*used)(struct kunit *test, struct test_view *v);
	void (*let)(struct test_view *v);
};

/**
 * struct test_view - what a device sees by a sink; embedded in the sink's
 * @node: in &test_mirror.views
 * @sink: the sink
 * @view: its view
 * @begun: flushes that the device was told to begin
 * @ended: flushes that it was waited for
 * @hold: flushes do not end
 * @wait: woken when @hold is over
 */
struct test_view {
	struct list_head node;
	const struct test_sink *sink;
	struct drm_svm_view *view;
	atomic_t begun;
	atomic_t ended;
	bool hold;
	wait_queue_head_t wait;
};

/**
 * struct test_mirror - a device with the address space of the case's thread
 * @node: in &test_rig.mirrors
 * @pdev: for DMA
 * @sdev: the device
 * @svm: address space
 * @attached: it has it still
 * @views: what it sees of it
 * @released: times that the process's memory went
 * @in_released: it is being told so
 */
struct test_mirror {
	struct list_head node;
	struct platform_device *pdev;
	struct drm_svm_device sdev;
	struct drm_svm svm;
	bool attached;
	struct list_head views;
	atomic_t released;
	bool in_released;
};

/**
 * struct test_rig - what each case has, as &kunit.priv
 * @sink: the sink under test, if the case has that parameter
 * @mirrors: all devices
 * @mirror: those that were there at its beginning
 */
struct test_rig {
	const struct test_sink *sink;
	struct list_head mirrors;
	struct test_mirror *mirror[TEST_MIRRORS];
};

/* Of who includes this: all that he has, up to NULL. */
static const struct test_sink *const *test_sinks(void);

/* ---- which --------------------------------------------------------------- */

static inline const void *test_gen_from(const struct test_sink *const *next,
					bool polls, char *desc)
{
	while (*next && polls && !(*next)->polls)
		next++;
	if (!*next)
		return NULL;
	strscpy(desc, (*next)->name, KUNIT_PARAM_DESC_SIZE);
	return next;
}

/**
 * test_gen_sinks() - for cases that make sense for each sink
 * @test: case
 * @prev: the parameter before, or NULL
 * @desc: its name
 *
 * Return: the next parameter, or NULL.
 */
static inline const void *test_gen_sinks(struct kunit *test, const void *prev,
					 char *desc)
{
	const struct test_sink *const *sink = prev;

	return test_gen_from(sink ? sink + 1 : test_sinks(), false, desc);
}

/**
 * test_gen_polling() - for cases of what is done without sleep
 * @test: case
 * @prev: the parameter before, or NULL
 * @desc: its name
 *
 * Return: the next parameter, or NULL.
 */
static inline const void *test_gen_polling(struct kunit *test, const void *prev,
					   char *desc)
{
	const struct test_sink *const *sink = prev;

	return test_gen_from(sink ? sink + 1 : test_sinks(), true, desc);
}

/* ---- flushes ------------------------------------------------------------- */

/**
 * test_view_hold() - flushes do not end
 * @v: of whom
 */
static inline void test_view_hold(struct test_view *v)
{
	WRITE_ONCE(v->hold, true);
}

/**
 * test_view_let() - they may
 * @v: of whom
 */
static inline void test_view_let(struct test_view *v)
{
	WRITE_ONCE(v->hold, false);
	wake_up_all(&v->wait);
	if (v->sink->let)
		v->sink->let(v);
}

/**
 * test_view_begun() - how many flushes have begun?
 * @v: of whom
 *
 * Return: their number.
 */
static inline int test_view_begun(struct test_view *v)
{
	return atomic_read(&v->begun);
}

/**
 * test_view_await() - wait until flushes have begun
 * @test: case
 * @v: of whom
 * @begun: how many at least
 */
static inline void test_view_await(struct kunit *test, struct test_view *v,
				   int begun)
{
	unsigned int tries;

	for (tries = 0; tries < TEST_TRIES && test_view_begun(v) < begun; tries++)
		fsleep(1000);
	KUNIT_EXPECT_GE(test, test_view_begun(v), begun);
}

/**
 * test_view_flushed() - for sinks: a flush is waited for
 * @v: of whom
 * @may_sleep: whether it may
 *
 * Return: 0, -EAGAIN if it would have to sleep.
 */
static inline int test_view_flushed(struct test_view *v, bool may_sleep)
{
	if (!may_sleep && READ_ONCE(v->hold))
		return -EAGAIN;
	if (may_sleep)
		wait_event(v->wait, !READ_ONCE(v->hold));
	atomic_inc(&v->ended);
	return 0;
}

/* ---- what they see ------------------------------------------------------- */

/**
 * test_view_set() - the part of a sink's view that all have
 * @v: embedded in the sink's
 * @sink: the sink
 * @view: its view
 */
static inline void test_view_set(struct test_view *v, const struct test_sink *sink,
				 struct drm_svm_view *view)
{
	v->sink = sink;
	v->view = view;
	init_waitqueue_head(&v->wait);
}

/**
 * test_view_make() - let a device see memory by a sink
 * @test: case
 * @mirror: device
 * @sink: by which
 * @first: first byte of the process
 * @bytes: how much, of whole pages
 * @rights: DRM_SVM_RIGHT_*
 *
 * Return: it; the rig ends it, if nobody else does.
 */
static inline struct test_view *
test_view_make(struct kunit *test, struct test_mirror *mirror,
	       const struct test_sink *sink, u64 first, u64 bytes, u8 rights)
{
	struct test_view *v = sink->make(test, mirror, first, bytes, rights);

	KUNIT_ASSERT_NOT_NULL(test, v);
	list_add_tail(&v->node, &mirror->views);
	return v;
}

/**
 * test_view_on() - the same by the sink under test, to read and to write
 * @test: case
 * @i: which of the first devices
 * @first: first byte of the process
 * @bytes: how much, of whole pages
 *
 * Return: it.
 */
static inline struct test_view *test_view_on(struct kunit *test, unsigned int i,
					     u64 first, u64 bytes)
{
	struct test_rig *rig = test->priv;

	return test_view_make(test, rig->mirror[i], rig->sink, first, bytes,
			      MAY_LOAD | MAY_STORE);
}

/**
 * test_view_end() - the device sees nothing by it any more
 * @v: from test_view_make()
 */
static inline void test_view_end(struct test_view *v)
{
	list_del(&v->node);
	test_view_let(v);
	v->sink->end(v);
}

static inline void test_view_used(struct kunit *test, struct test_view *v)
{
	if (v->sink->used)
		v->sink->used(test, v);
}

/**
 * test_view_access() - the device accesses an address: a fault that is served
 * @test: case
 * @v: what it sees
 * @addr: address of the process
 * @access: how
 *
 * Return: 0, or why it cannot.
 */
static inline int test_view_access(struct kunit *test, struct test_view *v,
				   u64 addr, enum drm_svm_access access)
{
	int ret = drm_svm_handle_fault_in(v->view, addr, access, jiffies + 60 * HZ);

	test_view_used(test, v);
	return ret;
}

/**
 * test_view_touch() - it writes there, and can
 * @test: case
 * @v: what it sees
 * @addr: address of the process
 */
static inline void test_view_touch(struct kunit *test, struct test_view *v,
				   u64 addr)
{
	KUNIT_ASSERT_EQ(test, test_view_access(test, v, addr, DRM_SVM_WRITE), 0);
}

/**
 * test_view_populate() - map memory before it is needed
 * @test: case
 * @v: where
 * @first: first byte of the process
 * @bytes: how much
 * @rights: DRM_SVM_RIGHT_*
 *
 * Return: as drm_svm_populate().
 */
static inline int test_view_populate(struct kunit *test, struct test_view *v,
				     u64 first, u64 bytes, u8 rights)
{
	int ret = drm_svm_populate(v->view, first, first + bytes - 1, rights);

	test_view_used(test, v);
	return ret;
}

/**
 * test_view_rights() - what may the device do at an address?
 * @v: what it sees
 * @addr: address of the process
 *
 * Return: DRM_SVM_RIGHT_*, of reads and writes; 0 if nothing is mapped.
 */
static inline u8 test_view_rights(struct test_view *v, u64 addr)
{
	return v->sink->look(v, addr).rights & (MAY_LOAD | MAY_STORE);
}

/**
 * test_view_count() - how many pages does the device see?
 * @v: what it sees
 * @first: first byte of the process
 * @bytes: of how much
 *
 * Return: their number.
 */
static inline unsigned int test_view_count(struct test_view *v, u64 first,
					   u64 bytes)
{
	unsigned int n = 0;
	u64 at;

	for (at = 0; at < bytes; at += PAGE_SIZE)
		n += !!test_view_rights(v, first + at);
	return n;
}

/**
 * test_view_peek() - the device reads a word
 * @test: case
 * @v: what it sees
 * @addr: address of the process
 *
 * Return: the word.
 */
static inline u64 test_view_peek(struct kunit *test, struct test_view *v, u64 addr)
{
	struct test_seen seen = v->sink->look(v, addr & PAGE_MASK);

	KUNIT_EXPECT_TRUE(test, seen.rights & MAY_LOAD);
	if (!(seen.rights & MAY_LOAD))
		return 0;
	/* No IOMMU before it: a bus address is a physical one. */
	return *(u64 *)phys_to_virt(seen.phys | (addr & ~PAGE_MASK));
}

/* ---- devices ------------------------------------------------------------- */

/* Slow, so that who does not wait for it is seen. */
static inline void test_mirror_released(struct drm_svm *svm)
{
	struct test_mirror *mirror = container_of(svm, struct test_mirror, svm);

	WRITE_ONCE(mirror->in_released, true);
	msleep(20);
	atomic_inc(&mirror->released);
	WRITE_ONCE(mirror->in_released, false);
}

static const struct drm_svm_ops test_mirror_ops = {
	.released = test_mirror_released,
};

static inline int test_mirror_attach(struct test_mirror *mirror)
{
	struct drm_svm_config config = {
		.device = &mirror->sdev,
		.ops = &test_mirror_ops,
	};
	struct device *dev = &mirror->pdev->dev;
	int ret = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));

	drm_svm_device_init(&mirror->sdev, dev);
	mirror->sdev.system_atomics = true;
	ret = ret ?: drm_svm_init(&mirror->svm, current->mm, &config);
	mirror->attached = !ret;
	return ret;
}

static inline struct test_mirror *test_mirror_new(struct kunit *test)
{
	struct test_mirror *mirror = kunit_kzalloc(test, sizeof(*mirror), GFP_KERNEL);
	struct test_rig *rig = test->priv;

	if (!mirror)
		return NULL;
	INIT_LIST_HEAD(&mirror->views);
	mirror->pdev = platform_device_register_simple("drm_svm_test_sink",
						       PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(mirror->pdev))
		return NULL;
	list_add(&mirror->node, &rig->mirrors);
	return test_mirror_attach(mirror) ? NULL : mirror;
}

/**
 * test_mirror_make() - one device more
 * @test: case
 *
 * Return: the device, which the rig ends.
 */
static inline struct test_mirror *test_mirror_make(struct kunit *test)
{
	struct test_mirror *mirror = test_mirror_new(test);

	KUNIT_ASSERT_NOT_NULL(test, mirror);
	return mirror;
}

/**
 * test_mirror_leave() - a device has no address space any more
 * @mirror: device; what it sees of the address space ends too
 */
static inline void test_mirror_leave(struct test_mirror *mirror)
{
	struct test_view *v, *next;

	if (!mirror->attached)
		return;
	mirror->attached = false;
	list_for_each_entry(v, &mirror->views, node)
		test_view_let(v);
	drm_svm_stop(&mirror->svm);
	list_for_each_entry_safe(v, next, &mirror->views, node)
		test_view_end(v);
	drm_svm_fini(&mirror->svm);
}

static inline void test_mirror_free(struct test_mirror *mirror)
{
	test_mirror_leave(mirror);
	list_del(&mirror->node);
	drm_svm_device_fini(&mirror->sdev);
	platform_device_unregister(mirror->pdev);
}

/**
 * test_mirror() - a device of a case
 * @test: case
 * @i: which
 *
 * Return: the device.
 */
static inline struct test_mirror *test_mirror(struct kunit *test, unsigned int i)
{
	struct test_rig *rig = test->priv;

	return rig->mirror[i];
}

/**
 * test_mirror_mm() - what all devices have in common
 * @test: case; its second device is attached
 *
 * Return: the mirrored address space.
 */
static inline struct drm_svm_mm *test_mirror_mm(struct kunit *test)
{
	return test_mirror(test, 1)->svm.smm;
}

/**
 * test_rig_init() - begin of a case
 * @test: case
 *
 * Return: 0, -ENOMEM.
 */
static inline int test_rig_init(struct kunit *test)
{
	const struct test_sink *const *sink = test->param_value;
	struct test_rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);
	unsigned int i;

	if (!rig || kunit_attach_mm())
		return -ENOMEM;
	INIT_LIST_HEAD(&rig->mirrors);
	rig->sink = sink ? *sink : NULL;
	test->priv = rig;
	for (i = 0; i < TEST_MIRRORS; i++) {
		rig->mirror[i] = test_mirror_new(test);
		if (!rig->mirror[i])
			return -ENOMEM;
	}
	return 0;
}

/**
 * test_rig_exit() - end of a case
 * @test: case
 */
static inline void test_rig_exit(struct kunit *test)
{
	struct test_mirror *mirror, *next;
	struct test_rig *rig = test->priv;

	if (!rig)
		return;
	list_for_each_entry_safe(mirror, next, &rig->mirrors, node)
		test_mirror_free(mirror);
}

/* ---- what is told -------------------------------------------------------- */

static inline bool test_tell(struct kunit *test, u64 addr,
			     enum mmu_notifier_event event, unsigned int flags)
{
	struct drm_svm_window *window = drm_svm_window_get(test_mirror_mm(test), addr);
	struct mmu_notifier_range range;
	bool done;

	KUNIT_ASSERT_FALSE(test, IS_ERR(window));
	mmu_notifier_range_init(&range, event, 0, current->mm, addr,
				addr + PAGE_SIZE);
	range.flags = flags;
	done = drm_svm_notifier_ops.invalidate(&window->notifier, &range,
					       window->notifier.invalidate_seq);
	drm_svm_window_put(window);
	return done;
}

/**
 * test_notify() - something happens to a page, as far as the notifier is told
 * @test: case
 * @addr: address of the page
 * @event: what
 */
static inline void test_notify(struct kunit *test, u64 addr,
			       enum mmu_notifier_event event)
{
	KUNIT_EXPECT_TRUE(test, test_tell(test, addr, event,
					  MMU_NOTIFIER_RANGE_BLOCKABLE));
}

/**
 * test_unblockable() - the same by somebody who cannot wait
 * @test: case
 * @addr: address of the page
 *
 * Return: false if it was not done.
 */
static inline bool test_unblockable(struct kunit *test, u64 addr)
{
	return test_tell(test, addr, MMU_NOTIFY_CLEAR, 0);
}

#endif /* _DRM_SVM_TEST_SINK_H_ */
