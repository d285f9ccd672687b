// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A ring of page-table commands as small as it may be, which are done as they are
 * written: what is tested is who holds how much of its space.
 */

#include <linux/io.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "drm_svm_test_dev.h"

#define TEST_RING_TIMEOUT	(60 * HZ)

static struct test_ring *test_ring_of(struct drm_gpt *gpt)
{
	return &container_of(gpt, struct test_dev, gpt)->ring;
}

static u32 test_ring_words(struct drm_gpt *gpt, enum drm_gpt_run_kind kind, u32 n)
{
	return 2 + (kind == DRM_GPT_RUN_COPY ? n : 1);
}

/* What the caller has; batches and updates begin and end in one thread. */
static struct test_ring_user *test_ring_user(struct test_ring *ring)
{
	struct test_ring_user *user, *none = NULL;

	lockdep_assert_held(&ring->lock);
	for (user = ring->users; user < ring->users + TEST_RING_USERS; user++) {
		if (user->task == current)
			return user;
		if (!user->task)
			none = user;
	}
	return none;
}

/* Takes @words, or gives them back. */
static void test_ring_count(struct test_ring *ring, int words)
{
	struct test_ring_user *user = test_ring_user(ring);

	ring->reserved += words;
	if (!user)
		return;
	user->words += words;
	user->task = user->words ? current : NULL;
}

static bool test_ring_take(struct test_ring *ring, u32 words)
{
	guard(spinlock)(&ring->lock);
	if (ring->reserved + words > ring->words)
		return false;
	test_ring_count(ring, words);
	return true;
}

static int test_ring_reserve(struct drm_gpt *gpt, u32 words, bool zap, bool may_sleep)
{
	struct test_ring *ring = test_ring_of(gpt);

	if (WARN_ON_ONCE(words > ring->words))
		return -ENODEV;
	if (test_ring_take(ring, words))
		return 0;
	if (!may_sleep)
		return -EAGAIN;
	atomic_inc(&ring->waits);
	return wait_event_timeout(ring->wait, test_ring_take(ring, words),
				  TEST_RING_TIMEOUT) ? 0 : -ENODEV;
}

static void test_ring_release(struct drm_gpt *gpt, u32 words)
{
	struct test_ring *ring = test_ring_of(gpt);

	guard(spinlock)(&ring->lock);
	WARN_ON_ONCE(words > ring->reserved);
	test_ring_count(ring, -(int)words);
	wake_up_all(&ring->wait);
}

static void test_ring_write(struct drm_gpt *gpt, const struct drm_gpt_run *run)
{
	u64 *to = phys_to_virt(run->addr);
	const u64 *from = run->entries;
	u32 i;

	for (i = 0; i < run->n; i++)
		WRITE_ONCE(to[i], run->kind == DRM_GPT_RUN_COPY ? from[i] :
				  run->kind == DRM_GPT_RUN_SEQ ? *from + i * run->step :
								 *from);
	test_ring_release(gpt, test_ring_words(gpt, run->kind, run->n));
}

static u64 test_ring_fence(struct drm_gpt *gpt)
{
	test_ring_release(gpt, 1);
	return atomic64_inc_return(&test_ring_of(gpt)->seq);
}

static bool test_ring_done(struct drm_gpt *gpt, u64 seq)
{
	return true;
}

static int test_ring_wait(struct drm_gpt *gpt, u64 seq)
{
	return 0;
}

/* For a format whose entries are words. */
const struct drm_gpt_cmd_ops test_ring_ops = {
	.words = test_ring_words,
	.fence_words = 1,
	.flush_words = 2,
	.reserve = test_ring_reserve,
	.release = test_ring_release,
	.write = test_ring_write,
	.fence = test_ring_fence,
	.done = test_ring_done,
	.wait = test_ring_wait,
};

/**
 * test_ring_init() - a ring that is empty
 * @ring: ring
 * @words: its space
 */
void test_ring_init(struct test_ring *ring, u32 words)
{
	spin_lock_init(&ring->lock);
	init_waitqueue_head(&ring->wait);
	ring->words = words;
}

/**
 * test_ring_flush() - a flush has the space that was reserved for it
 * @gather: of a flush
 */
void test_ring_flush(struct drm_gpt_gather *gather)
{
	if (gather->gpt->cmd)
		test_ring_release(gather->gpt,
				  drm_gpt_gather_take_flush_credits(gather));
}

/**
 * test_ring_look() - remember the most that a thread has when it should have nothing
 * @ring: ring
 */
void test_ring_look(struct test_ring *ring)
{
	struct test_ring_user *user;

	guard(spinlock)(&ring->lock);
	user = test_ring_user(ring);
	if (user)
		ring->kept = max(ring->kept, user->words);
}
