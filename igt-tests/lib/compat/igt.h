/* SPDX-License-Identifier: MIT */
#ifndef VGEM_SVM_COMPAT_IGT_H
#define VGEM_SVM_COMPAT_IGT_H

/*
 * Stands in for IGT's own igt.h when the tests are built outside of an IGT
 * checkout, against the libigt.so of a distribution, which comes without
 * headers. It declares the few functions that the tests use, after the exported
 * symbols and the documented behaviour of libigt 2.5. libigt promises no ABI:
 * tests/vgem_svm/vgem_svm_selftest.c proves that this header fits before anything
 * else is run.
 *
 * It includes what IGT's own igt.h includes, and no more: what a test needs besides
 * it has to include itself, or it would not build in an IGT checkout.
 */

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#include "igt_macros.h"

#endif
