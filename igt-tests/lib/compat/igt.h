/* SPDX-License-Identifier: MIT */
#ifndef VGEM_SVM_COMPAT_IGT_H
#define VGEM_SVM_COMPAT_IGT_H

/*
 * Stands in for IGT's own igt.h when the tests are built outside of an IGT
 * checkout, against the libigt.so of a distribution, which comes without
 * headers. It declares the few functions that the tests use, after the exported
 * symbols and the documented behaviour of libigt 2.5, and gives the control
 * statements of newer IGT (igt_main() { igt_fixture() {} igt_subtest() {} }).
 * libigt promises no ABI: tests/vgem_svm/vgem_svm_selftest.c proves that this
 * header fits before anything else is run.
 */

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define COMPAT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define COMPAT_NORETURN __attribute__((noreturn))

enum igt_log_level {
	IGT_LOG_DEBUG,
	IGT_LOG_INFO,
	IGT_LOG_WARN,
	IGT_LOG_CRITICAL,
	IGT_LOG_NONE,
};

extern jmp_buf igt_subtest_jmpbuf;
extern jmp_buf igt_dynamic_jmpbuf;
extern const char *__igt_test_description __attribute__((weak));

int igt_subtest_init_parse_opts(int *argc, char **argv, const char *short_opts,
				const void *long_opts, const char *help,
				void *handler, void *data);
bool __igt_fixture(void);
void __igt_fixture_complete(void);
bool __igt_run_subtest(const char *name, const char *file, int line);
bool __igt_enter_dynamic_container(void);
bool __igt_run_dynamic_subtest(const char *name);
void igt_success(void);
COMPAT_NORETURN void igt_exit(void);
void igt_describe_f(const char *fmt, ...) COMPAT_PRINTF(1, 2);
void igt_log(const char *domain, enum igt_log_level level,
	     const char *format, ...) COMPAT_PRINTF(3, 4);
void __igt_skip_check(const char *file, int line, const char *func,
		      const char *check, const char *format, ...)
	COMPAT_PRINTF(5, 6) COMPAT_NORETURN;
void __igt_fail_assert(const char *domain, const char *file, int line,
		       const char *func, const char *assertion,
		       const char *format, ...)
	COMPAT_PRINTF(6, 7) COMPAT_NORETURN;

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
