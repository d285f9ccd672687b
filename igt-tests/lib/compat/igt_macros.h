/* SPDX-License-Identifier: MIT */
#ifndef VGEM_SVM_COMPAT_IGT_MACROS_H
#define VGEM_SVM_COMPAT_IGT_MACROS_H

/*
 * The control statements of newer IGT (igt_main() { igt_fixture() {} igt_subtest()
 * {} }) and its assertions, over the functions of libigt. Apart from the
 * declarations, since lint lays them over the headers of an older IGT too.
 */

/* The body of main(), which the control statements below expect to run once. */
void compat_main(void);

#define igt_main() \
	main(int argc, char **argv) \
	{ \
		igt_subtest_init_parse_opts(&argc, argv, NULL, NULL, NULL, \
					    NULL, NULL); \
		compat_main(); \
		igt_exit(); \
	} \
	void compat_main(void)

#define IGT_TEST_DESCRIPTION(text) const char *__igt_test_description = text
#define igt_describe(text) igt_describe_f("%s", text)

/* A place to jump back to is set before the body, for whoever skips or fails. */
#define COMPAT_ENTER(jmpbuf) (sigsetjmp(jmpbuf, 1) == 0)

#define igt_fixture() \
	for (int compat_once = __igt_fixture() && \
			       COMPAT_ENTER(igt_subtest_jmpbuf); \
	     compat_once; compat_once = 0, __igt_fixture_complete())

#define igt_subtest(name) \
	for (; __igt_run_subtest(name, __FILE__, __LINE__) && \
	       COMPAT_ENTER(igt_subtest_jmpbuf); igt_success())

#define igt_subtest_with_dynamic(name) \
	for (; __igt_run_subtest(name, __FILE__, __LINE__) && \
	       (__igt_enter_dynamic_container(), \
		COMPAT_ENTER(igt_subtest_jmpbuf)); igt_success())

#define igt_dynamic(name) \
	for (; __igt_run_dynamic_subtest(name) && \
	       COMPAT_ENTER(igt_dynamic_jmpbuf); igt_success())

#define igt_info(...) igt_log("vgem_svm", IGT_LOG_INFO, __VA_ARGS__)
#define igt_warn(...) igt_log("vgem_svm", IGT_LOG_WARN, __VA_ARGS__)
#define igt_debug(...) igt_log("vgem_svm", IGT_LOG_DEBUG, __VA_ARGS__)

#define igt_skip_on_f(expr, ...) \
	do { \
		if (expr) \
			__igt_skip_check(__FILE__, __LINE__, __func__, #expr, \
					 __VA_ARGS__); \
	} while (0)
#define igt_require_f(expr, ...) igt_skip_on_f(!(expr), __VA_ARGS__)

#define igt_assert_f(expr, ...) \
	do { \
		if (!(expr)) \
			__igt_fail_assert("vgem_svm", __FILE__, __LINE__, \
					  __func__, #expr, __VA_ARGS__); \
	} while (0)
#define igt_assert(expr) igt_assert_f(expr, "%s", "")

#define COMPAT_CMP(type, fmt, a, op, b) \
	do { \
		type compat_a = (a), compat_b = (b); \
		igt_assert_f(compat_a op compat_b, \
			     "%s: %" fmt ", %s: %" fmt "\n", #a, compat_a, \
			     #b, compat_b); \
	} while (0)
#define igt_assert_eq(a, b) COMPAT_CMP(int, "d", a, ==, b)
#define igt_assert_eq_u64(a, b) COMPAT_CMP(uint64_t, PRIu64, a, ==, b)
#define igt_assert_lt_u64(a, b) COMPAT_CMP(uint64_t, PRIu64, a, <, b)
#define igt_assert_lte_u64(a, b) COMPAT_CMP(uint64_t, PRIu64, a, <=, b)

#endif
