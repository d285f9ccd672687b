/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _GPT_SHIM_KUNIT_H_
#define _GPT_SHIM_KUNIT_H_

/* As much of KUnit as the suites of drm_gpt use; run.c runs them. */

#include <setjmp.h>

#include "mem.h"

#define KUNIT_PARAM_DESC_SIZE	128

struct kunit_resource;

struct kunit {
	void *priv;
	const void *param_value;
	const char *name;
	unsigned int failures;
	char skipped[256];
	struct kunit_resource *resources;
	jmp_buf end;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(struct kunit *test, const void *prev,
				       char *desc);
};

struct kunit_suite {
	const char *name;
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
	struct kunit_suite *next;
};

void shim_suite_register(struct kunit_suite *suite);
/* So far: warnings, and pages accounted as page tables. */
unsigned int shim_warned(void);
long shim_secondary_pagetables(void);
void shim_kunit_fail(struct kunit *test, const char *file, int line,
		     const char *format, ...) __printf(4, 5);
void *kunit_kcalloc(struct kunit *test, size_t n, size_t bytes, gfp_t gfp);
#define kunit_kzalloc(test, bytes, gfp)	kunit_kcalloc(test, 1, bytes, gfp)
/* Lives as long as the test. */
#define kunit_device_register(test, name) \
	((struct device *)kunit_kzalloc(test, sizeof(struct device), GFP_KERNEL))
#define kunit_info(test, ...)	((void)(test), printf("    # " __VA_ARGS__))
#define kunit_skip(test, ...) do { \
	snprintf((test)->skipped, sizeof((test)->skipped), __VA_ARGS__); \
	longjmp((test)->end, 1); \
} while (0)

#define KUNIT_CASE(fn)			{ .run_case = fn, .name = #fn }
#define KUNIT_CASE_SLOW(fn)		KUNIT_CASE(fn)
#define KUNIT_CASE_PARAM(fn, gen) \
	{ .run_case = fn, .name = #fn, .generate_params = gen }
#define KUNIT_ARRAY_PARAM(name, array, get_desc) \
static const void *name##_gen_params(struct kunit *test, const void *prev, \
				     char *desc) \
{ \
	typeof((array)[0]) *next = prev ? (typeof(next))prev + 1 : (array); \
	if ((size_t)(next - (array)) >= ARRAY_SIZE(array)) \
		return NULL; \
	get_desc(next, desc); \
	return next; \
} \
_Static_assert(1, "")
#define kunit_test_suite(suite) \
	static void __attribute__((constructor)) shim_suite_##suite(void) \
	{ shim_suite_register(&(suite)); } \
	_Static_assert(1, "")

#define KUNIT_FAIL(test, ...) \
	shim_kunit_fail(test, __FILE__, __LINE__, __VA_ARGS__)

#define SHIM_CHECK64(test, fatal, a, op, b) do { \
	u64 __l = (u64)(a), __r = (u64)(b); \
	if (__l op __r) \
		break; \
	shim_kunit_fail(test, __FILE__, __LINE__, \
			"%s %s %s: %#llx and %#llx", #a, #op, #b, __l, __r); \
	if (fatal) \
		longjmp((test)->end, 1); \
} while (0)

#define KUNIT_EXPECT_EQ(test, a, b)	SHIM_CHECK64(test, false, a, ==, b)
#define KUNIT_EXPECT_NE(test, a, b)	SHIM_CHECK64(test, false, a, !=, b)
#define KUNIT_EXPECT_GT(test, a, b)	SHIM_CHECK64(test, false, a, >, b)
#define KUNIT_EXPECT_GE(test, a, b)	SHIM_CHECK64(test, false, a, >=, b)
#define KUNIT_EXPECT_LT(test, a, b)	SHIM_CHECK64(test, false, a, <, b)
#define KUNIT_EXPECT_LE(test, a, b)	SHIM_CHECK64(test, false, a, <=, b)
#define KUNIT_EXPECT_TRUE(test, a)	SHIM_CHECK64(test, false, !!(a), ==, 1)
#define KUNIT_EXPECT_FALSE(test, a)	SHIM_CHECK64(test, false, !!(a), ==, 0)
#define KUNIT_ASSERT_EQ(test, a, b)	SHIM_CHECK64(test, true, a, ==, b)
#define KUNIT_ASSERT_NE(test, a, b)	SHIM_CHECK64(test, true, a, !=, b)
#define KUNIT_ASSERT_GT(test, a, b)	SHIM_CHECK64(test, true, a, >, b)
#define KUNIT_ASSERT_LE(test, a, b)	SHIM_CHECK64(test, true, a, <=, b)
#define KUNIT_ASSERT_TRUE(test, a)	SHIM_CHECK64(test, true, !!(a), ==, 1)
#define KUNIT_ASSERT_FALSE(test, a)	SHIM_CHECK64(test, true, !!(a), ==, 0)
#define KUNIT_ASSERT_NOT_NULL(test, a)	SHIM_CHECK64(test, true, (uintptr_t)(a), !=, 0)
#define KUNIT_EXPECT_MEMEQ(test, a, b, n) \
	SHIM_CHECK64(test, false, memcmp(a, b, n), ==, 0)

#endif /* _GPT_SHIM_KUNIT_H_ */
