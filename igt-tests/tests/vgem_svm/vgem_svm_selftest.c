// SPDX-License-Identifier: MIT
/*
 * Does the header that stands in for IGT's fit the libigt that is installed?
 * Each way a subtest can end, and what the runner must see: the names say it.
 * Run first; the others mean nothing if one of these ends otherwise.
 */

#include "igt.h"

/**
 * TEST: vgem svm selftest
 * Category: Core
 * Mega feature: General Core features
 * Sub-category: IGT
 * Functionality: test harness
 * Description: Is libigt what the tests were built for?
 *
 * SUBTEST: pass
 * Description: ends well
 *
 * SUBTEST: fail
 * Description: fails an assertion
 *
 * SUBTEST: skip
 * Description: skips with a reason
 *
 * SUBTEST: crash
 * Description: dies of a signal
 *
 * SUBTEST: dynamic
 * Description: has two dynamic subtests that end well
 *
 * SUBTEST: fixture
 * Description: the fixture ran once, and before
 */

IGT_TEST_DESCRIPTION("Check that libigt is what the tests were built for");

static int fixtures;

int igt_main()
{
	igt_fixture() {
		fixtures++;
	}

	igt_describe("Ends well");
	igt_subtest("pass")
		igt_info("expected: pass\n");

	igt_describe("Fails an assertion");
	igt_subtest("fail")
		igt_assert_eq(1 + 1, 3);

	igt_describe("Skips with a reason");
	igt_subtest("skip")
		igt_require_f(false, "expected: %s\n", "skip");

	igt_describe("Dies of a signal");
	igt_subtest("crash")
		__builtin_trap();

	igt_describe("Two dynamic subtests that end well");
	igt_subtest_with_dynamic("dynamic") {
		igt_dynamic("one")
			igt_assert(true);
		igt_dynamic("two")
			igt_assert_lt_u64(1, 2);
	}

	igt_describe("The fixture ran once, and before");
	igt_subtest("fixture")
		igt_assert_eq(fixtures, 1);

	igt_fixture() {
		fixtures = 0;
	}
}
