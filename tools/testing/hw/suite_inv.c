// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Invalidations, where only somebody who sits inside of an engine can look: what
 * it does when it is held up between two of its looks into the TLB, and how often it
 * looks before it acknowledges.
 */

#include "vgem_svm_hw_rig.h"
#include "vgem_svm_hw_priv.h"

#define PAGE(n)		(VA_DATA + (u64)(n) * SZ_4K)
#define LAST_VA		(BIT_ULL(VGEM_SVM_VA_BITS) - 1)

/* Looks that nobody needs to acknowledge whatever has been posted. */
#define MANY_LOOKS	(4 * VGEM_SVM_INV_WORK)

static struct {
	struct kunit *test;
	u64 looks;
	u64 post_at;
	u64 first;
	u64 last;
} held;

static void post(struct test_hw *t, u32 vm, u64 first, u64 last, u64 flags)
{
	const struct vgem_svm_inv inv = {
		.vm = vm, .first = first, .last = last, .flags = flags,
	};

	vgem_svm_inv_post(t->hw, &inv);
}

static void look(void);

static void watch(bool on)
{
	shim_look = on ? look : NULL;
	__atomic_store_n(&shim_perturbing, on, __ATOMIC_RELAXED);
}

/* At the chosen look of the engine others post as many as the queue holds. */
static void look(void)
{
	struct test_hw *t = held.test->priv;
	unsigned int i;

	if (++held.looks > MANY_LOOKS) {
		watch(false);
		KUNIT_FAIL(held.test, "it does not end");
		longjmp(held.test->end, 1);
	}
	if (held.looks != held.post_at)
		return;
	watch(false);
	for (i = 0; i < VGEM_SVM_INV_QUEUE; i++)
		post(t, TEST_VM + 1, held.first, held.last, VGEM_SVM_INV_LEAF);
	watch(true);
}

/* Acknowledges what has been posted, as the engine would, seen from inside. */
static u64 ack(struct test_hw *t, u64 post_at)
{
	struct vgem_svm_unit *unit = &t->hw->compute[0];

	held.test = t->test;
	held.looks = 0;
	held.post_at = post_at;
	watch(true);
	vgem_svm_unit_ack(unit);
	watch(false);
	return held.looks;
}

/* Brings pages into the TLB of engine 0 and then holds it, between instructions. */
static struct vgem_svm_unit *fill_and_hold(struct test_hw *t, unsigned int pages)
{
	struct vgem_svm_unit *unit = &t->hw->compute[0];
	struct vgem_svm_stop stop;
	unsigned int i;

	for (i = 0; i < pages; i++)
		map(t, PAGE(i), t->data->bus, PTE_RW);
	spin_lock(&unit->lock);
	vgem_svm_unit_ack(unit);
	for (i = 0; i < pages; i++)
		KUNIT_ASSERT_NOT_NULL(t->test,
				      vgem_svm_access(unit, TEST_VM, PAGE(i), 8,
						      VGEM_SVM_ACCESS_READ, &stop));
	for (i = 0; i < pages; i++)
		*entry_at(t, PAGE(i), 0) = 0;
	return unit;
}

/* Pages that it would still let a program reach. */
static unsigned int reachable(struct test_hw *t, struct vgem_svm_unit *unit,
			      unsigned int pages)
{
	struct vgem_svm_stop stop;
	unsigned int i, n = 0;

	for (i = 0; i < pages; i++)
		n += !!vgem_svm_access(unit, TEST_VM, PAGE(i), 8,
				       VGEM_SVM_ACCESS_READ, &stop);
	return n;
}

static void release(struct vgem_svm_unit *unit)
{
	spin_unlock(&unit->lock);
}

/* The rest of the interval must go, whatever has taken its place. */
static void check_reuse(struct kunit *test, u64 first, u64 last)
{
	struct test_hw *t = test->priv;
	struct vgem_svm_unit *unit = fill_and_hold(t, 64);

	held.first = first;
	held.last = last;
	post(t, TEST_VM, PAGE(0), PAGE(64) - 1, VGEM_SVM_INV_LEAF);
	ack(t, 10);
	KUNIT_EXPECT_EQ(test, reachable(t, unit, 64), 0);
	release(unit);
}

static void place_reused_by_a_larger_one_does_not_matter(struct kunit *test)
{
	check_reuse(test, 0, LAST_VA);
}

static void place_reused_by_a_smaller_one_does_not_matter(struct kunit *test)
{
	check_reuse(test, 0, SZ_4K - 1);
}

static void place_reused_while_it_is_read_does_not_matter(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct vgem_svm_unit *unit;
	unsigned int behind;

	/* As far behind as makes each of the first ones the one that goes. */
	for (behind = VGEM_SVM_INV_QUEUE - 2; behind <= VGEM_SVM_INV_QUEUE + 2;
	     behind++) {
		unsigned int i;

		unit = fill_and_hold(t, 8);
		post(t, TEST_VM, PAGE(0), PAGE(8) - 1, VGEM_SVM_INV_LEAF);
		for (i = 0; i < behind; i++)
			post(t, TEST_VM + 1, 0, 0, VGEM_SVM_INV_LEAF);
		ack(t, 0);
		KUNIT_EXPECT_EQ(test, reachable(t, unit, 8), 0);
		release(unit);
	}
}

static void acknowledging_is_bounded(struct kunit *test)
{
	static const struct {
		u64 last;
		u64 flags;
	} kinds[] = {
		{ PAGE(VGEM_SVM_TLB_SETS) - 1, VGEM_SVM_INV_LEAF },
		{ LAST_VA, VGEM_SVM_INV_LEAF },
		{ LAST_VA, VGEM_SVM_INV_LEAF | VGEM_SVM_INV_WALK },
		{ ~0ULL, VGEM_SVM_INV_VM },
	};
	struct test_hw *t = test->priv;
	struct vgem_svm_unit *unit;
	unsigned int k, i;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		unit = fill_and_hold(t, 8);
		for (i = 0; i < VGEM_SVM_INV_QUEUE / 2 - 2; i++)
			post(t, TEST_VM, VA_DATA, kinds[k].last, kinds[k].flags);
		KUNIT_EXPECT_LE(test, ack(t, 0), VGEM_SVM_INV_WORK);
		KUNIT_EXPECT_EQ(test, reachable(t, unit, 8), 0);
		release(unit);
	}
}

static void invalidation_of_one_address_space_leaves_the_others(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct vgem_svm_unit *unit = fill_and_hold(t, 8);

	post(t, TEST_VM + 1, 0, LAST_VA, VGEM_SVM_INV_LEAF | VGEM_SVM_INV_WALK);
	post(t, TEST_VM + 1, 0, 0, VGEM_SVM_INV_VM);
	post(t, TEST_VM, PAGE(8), LAST_VA, VGEM_SVM_INV_LEAF);
	ack(t, 0);
	KUNIT_EXPECT_EQ(test, reachable(t, unit, 8), 8);
	release(unit);
}

static struct kunit_case vgem_svm_inv_cases[] = {
	KUNIT_CASE(place_reused_by_a_larger_one_does_not_matter),
	KUNIT_CASE(place_reused_by_a_smaller_one_does_not_matter),
	KUNIT_CASE(place_reused_while_it_is_read_does_not_matter),
	KUNIT_CASE(acknowledging_is_bounded),
	KUNIT_CASE(invalidation_of_one_address_space_leaves_the_others),
	{}
};

/* A case that was ended early leaves the engine held. */
static void inv_exit(struct kunit *test)
{
	struct test_hw *t = test->priv;
	struct vgem_svm_unit *unit = t ? &t->hw->compute[0] : NULL;

	watch(false);
	if (unit && shim_spin_mine(&unit->lock))
		spin_unlock(&unit->lock);
	test_exit(test);
}

static struct kunit_suite vgem_svm_inv_suite = {
	.name = "vgem_svm_inv",
	.init = test_init,
	.exit = inv_exit,
	.test_cases = vgem_svm_inv_cases,
};

kunit_test_suite(vgem_svm_inv_suite);
