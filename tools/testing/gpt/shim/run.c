// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs KUnit suites in user space. Usage: gpt-test [PATTERN]... : only cases
 * whose name, or name/parameter, contains one of the patterns. Output is KTAP;
 * the last line is "N passed, N failed, N skipped".
 */

#include "kunit.h"

/* Memory of a test, freed at its end. */
struct kunit_resource {
	struct kunit_resource *next;
	u64 data[];
};

static struct kunit_suite *suites;
static unsigned int passed, failed, skipped;

void shim_suite_register(struct kunit_suite *suite)
{
	suite->next = suites;
	suites = suite;
}

void shim_kunit_fail(struct kunit *test, const char *file, int line,
		     const char *format, ...)
{
	va_list args;

	test->failures++;
	if (test->failures > 5)
		return;
	printf("    # %s: %s:%d: ", test->name, file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void *kunit_kcalloc(struct kunit *test, size_t n, size_t bytes, gfp_t gfp)
{
	struct kunit_resource *res = kvzalloc(sizeof(*res) + n * bytes, gfp);

	if (!res)
		return NULL;
	res->next = test->resources;
	test->resources = res;
	return res->data;
}

static void free_resources(struct kunit *test)
{
	struct kunit_resource *res;

	while ((res = test->resources)) {
		test->resources = res->next;
		kvfree(res);
	}
}

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return argc < 2;
}

static void run_body(struct kunit_suite *suite, struct kunit_case *kcase,
		     struct kunit *test)
{
	if (suite->init && suite->init(test)) {
		shim_kunit_fail(test, __FILE__, __LINE__, "init failed");
		return;
	}
	if (!setjmp(test->end))
		kcase->run_case(test);
	if (suite->exit && !setjmp(test->end))
		suite->exit(test);
}

static void run_one(struct kunit_suite *suite, struct kunit_case *kcase,
		    const void *param, const char *name)
{
	struct kunit *test = calloc(1, sizeof(*test));
	unsigned int warned = shim_warned();
	long before = shim_allocated();

	test->name = name;
	test->param_value = param;
	run_body(suite, kcase, test);
	free_resources(test);
	rcu_barrier();
	if (shim_warned() != warned)
		shim_kunit_fail(test, __FILE__, __LINE__, "warnings");
	if (shim_allocated() != before)
		shim_kunit_fail(test, __FILE__, __LINE__, "%ld allocations leak",
				shim_allocated() - before);
	if (shim_secondary_pagetables())
		shim_kunit_fail(test, __FILE__, __LINE__,
				"page tables are still accounted for");
	if (test->failures)
		failed++;
	else if (test->skipped[0])
		skipped++;
	else
		passed++;
	printf("%s %u - %s%s%s\n", test->failures ? "not ok" : "ok",
	       passed + failed + skipped, name,
	       test->skipped[0] ? " # SKIP " : "", test->skipped);
	fflush(stdout);
	free(test);
}

static void run_case(struct kunit_suite *suite, struct kunit_case *kcase,
		     int argc, char **argv)
{
	char desc[KUNIT_PARAM_DESC_SIZE] = "", name[256];
	const void *param = NULL;

	if (!kcase->generate_params) {
		if (wanted(kcase->name, argc, argv))
			run_one(suite, kcase, NULL, kcase->name);
		return;
	}
	while ((param = kcase->generate_params(NULL, param, desc))) {
		snprintf(name, sizeof(name), "%s/%s", kcase->name, desc);
		if (wanted(name, argc, argv))
			run_one(suite, kcase, param, name);
	}
}

int main(int argc, char **argv)
{
	struct kunit_suite *suite;
	struct kunit_case *kcase;

	printf("KTAP version 1\n");
	for (suite = suites; suite; suite = suite->next) {
		printf("# Suite: %s\n", suite->name);
		if (suite->suite_init && suite->suite_init(suite))
			failed++;
		for (kcase = suite->test_cases; kcase->run_case; kcase++)
			run_case(suite, kcase, argc, argv);
		if (suite->suite_exit)
			suite->suite_exit(suite);
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed || !passed;
}
