// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs streams of operations: from files, or random ones. usage:
 *   gpt-fuzz [--seed N] [--runs N] [--seconds N] [--first N]
 *   gpt-fuzz FILE...      says what each does
 * A stream that fails is made as short as it still fails, printed readably, and
 * left as a file to be given again. Each batch runs in a child, so that a crash
 * or a report of a sanitizer is found out like any other failure.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define BATCH		64
#define STREAM_OPS	96
#define STREAM_BYTES	(1 + STREAM_OPS * FUZZ_OP_BYTES)
/* A stream takes milliseconds; one that takes so many seconds of a CPU hangs. */
#define STREAM_SECONDS	10

/* What a batch leaves to its parent: how far it came, and what was wrong. */
struct report {
	u64 number;
	char why[256];
};

static u64 seed, first_run;
static struct report *report;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static size_t make_stream(u64 number, u8 *data)
{
	struct rnd_state rnd;
	size_t i, bytes;

	prandom_seed_state(&rnd, seed * 1000003 + number);
	for (i = 0; i < 8; i++)
		prandom_u32_state(&rnd);
	bytes = 1 + (8 + prandom_u32_state(&rnd) % (STREAM_OPS - 7)) * FUZZ_OP_BYTES;
	for (i = 0; i < bytes; i++)
		data[i] = prandom_u32_state(&rnd);
	return bytes;
}

static void limit_time(void)
{
	const struct itimerval limit = { .it_value.tv_sec = STREAM_SECONDS };

	setitimer(ITIMER_PROF, &limit, NULL);
}

static void quiet(void)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, 1);
	dup2(null, 2);
}

/* In a child: did it end well? */
static bool survives(const u8 *data, size_t bytes, bool log)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		limit_time();
		if (!log)
			quiet();
		setvbuf(stdout, NULL, _IOLBF, 0);
		_exit(!fuzz_run(data, bytes, log));
	}
	waitpid(pid, &status, 0);
	if (log && WIFSIGNALED(status))
		printf("ended by signal %d, %s\n", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	return !status;
}

/* Leaves operations out, many at once at first, as long as it still fails. */
static size_t shrink(u8 *data, size_t bytes)
{
	size_t n = (bytes - 1) / FUZZ_OP_BYTES, chunk, i, rest;
	u8 less[STREAM_BYTES];

	for (chunk = max(n / 2, (size_t)1); chunk; chunk /= 2) {
		for (i = 0; i + chunk <= n; ) {
			rest = (n - i - chunk) * FUZZ_OP_BYTES;
			memcpy(less, data, 1 + i * FUZZ_OP_BYTES);
			memcpy(less + 1 + i * FUZZ_OP_BYTES,
			       data + 1 + (i + chunk) * FUZZ_OP_BYTES, rest);
			if (survives(less, 1 + (n - chunk) * FUZZ_OP_BYTES, false)) {
				i += chunk;
				continue;
			}
			n -= chunk;
			memcpy(data, less, 1 + n * FUZZ_OP_BYTES);
		}
	}
	return 1 + n * FUZZ_OP_BYTES;
}

static void tell(const u8 *data, size_t bytes, u64 number)
{
	char name[64];
	size_t i;
	FILE *f;

	snprintf(name, sizeof(name), "gpt-fuzz-%llu-%llu", seed, number);
	survives(data, bytes, true);
	for (i = 0; i < bytes; i++)
		printf("%02x%s", data[i], i % FUZZ_OP_BYTES ? "" : " ");
	f = fopen(name, "w");
	if (f) {
		fwrite(data, 1, bytes, f);
		fclose(f);
	}
	printf("\nfailed: seed %llu, run %llu; again: gpt-fuzz --seed %llu --first %llu --runs 1, or gpt-fuzz %s\n",
	       seed, number, seed, number, name);
}

/* Return: how many went well, before the first that did not. */
static u64 run_batch(u64 number, u64 n)
{
	u8 data[STREAM_BYTES];
	int status;
	pid_t pid;
	u64 i;

	strscpy(report->why, "");
	fflush(NULL);
	pid = fork();
	if (!pid) {
		quiet();
		for (i = number; i < number + n; i++) {
			report->number = i;
			limit_time();
			if (fuzz_run(data, make_stream(i, data), false))
				continue;
			strscpy(report->why, fuzz_why());
			_exit(1);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		snprintf(report->why, sizeof(report->why), "signal %d, %s",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	return status ? report->number - number : n;
}

static int run_random(u64 runs, double seconds)
{
	double start = now();
	u8 data[STREAM_BYTES];
	u64 done = 0, n, well;
	size_t bytes;

	printf("seed %llu\n", seed);
	while (done < runs && now() - start < seconds) {
		n = min_t(u64, BATCH, runs - done);
		well = run_batch(first_run + done, n);
		done += well;
		if (well == n)
			continue;
		printf("run %llu: %s\n", first_run + done, report->why);
		bytes = make_stream(first_run + done, data);
		if (survives(data, bytes, false))
			printf("it does not fail alone: all of it follows\n");
		else
			bytes = shrink(data, bytes);
		tell(data, bytes, first_run + done);
		printf("%llu passed, 1 failed, 0 skipped\n", done);
		return 1;
	}
	printf("%llu passed, 0 failed, 0 skipped\n", done);
	return 0;
}

static int replay(const char *name)
{
	static u8 data[1 << 16];
	FILE *f = fopen(name, "r");
	size_t bytes;

	if (!f) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return 1;
	}
	bytes = fread(data, 1, sizeof(data), f);
	fclose(f);
	return !fuzz_run(data, bytes, true);
}

int main(int argc, char **argv)
{
	u64 runs = U64_MAX, value;
	double seconds = 1e9;
	int i, failed = 0;
	bool files = false;

	seed = time(NULL) ^ (u64)getpid() << 20;
	for (i = 1; i < argc; i++) {
		value = i + 1 < argc ? strtoull(argv[i + 1], NULL, 0) : 0;
		if (!strcmp(argv[i], "--seed"))
			seed = value, i++;
		else if (!strcmp(argv[i], "--runs"))
			runs = value, i++;
		else if (!strcmp(argv[i], "--seconds"))
			seconds = value, i++;
		else if (!strcmp(argv[i], "--first"))
			first_run = value, i++;
		else
			files = true, failed += replay(argv[i]);
	}
	if (files)
		return !!failed;
	if (seconds == 1e9 && runs == U64_MAX)
		seconds = 10;
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return run_random(runs, seconds);
}
