// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What drm_gpt costs, natively and beside the bare cost of the same stores in the
 * same run. Prints a table and writes JSON: usage gpt-bench
 * [FILE [PATTERN]].
 *
 * Each figure is the median of several rounds; floors and operations take turns,
 * so that a busy machine slows both. Nothing here is asserted: ratios are for
 * people, and for the one who compares two files.
 */

#include "kunit.h"

#include <drm/drm_gpt.h>

#define ROUNDS		15
#define PAGE_4K		4096ULL
#define TABLE		(PAGE_4K << 9)
#define GIB		(1ULL << 30)
/* Tables that operations and floors go round, more than a level-1 cache holds. */
#define TABLES		256

/* ---- clock ---------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), compare);
	return v[ROUNDS / 2];
}

/* ---- the page table -------------------------------------------------------- */

struct bench {
	struct drm_gpt gpt;
	struct device dev;
	u64 scattered[512];
	u64 *table;
	spinlock_t lock;
	u64 sink;
};

static struct bench *bench_create(const struct drm_gpt_cmd_ops *cmd)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct drm_gpt_config config = {
		.dev = &b->dev,
		.format = &drm_gpt_format_vgem_svm,
		.mem = &drm_gpt_mem_pages,
		.cmd = cmd,
	};
	u32 i;

	if (drm_gpt_init(&b->gpt, &config))
		abort();
	for (i = 0; i < 512; i++)
		b->scattered[i] = ((u64)(i * 2654435761u) << 12) |
				  DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE;
	b->table = aligned_alloc(4096, 4096 * TABLES);
	memset(b->table, 0, 4096 * TABLES);
	spin_lock_init(&b->lock);
	return b;
}

static void bench_destroy(struct bench *b)
{
	drm_gpt_fini(&b->gpt);
	free(b->table);
	free(b);
}

static void must(int ret)
{
	if (ret) {
		fprintf(stderr, "gpt-bench: error %d\n", ret);
		exit(1);
	}
}

static void map_array(struct bench *b, u64 va, u32 n)
{
	struct drm_gpt_update up;

	must(drm_gpt_prepare(&b->gpt, &up, va, va + n * PAGE_4K - 1, 0, GFP_KERNEL));
	must(drm_gpt_commit(&up, va, b->scattered, n, NULL, NULL));
	drm_gpt_finish(&up);
}

static void map_at_once(struct bench *b, u64 va, u32 n)
{
	must(drm_gpt_map(&b->gpt, va, b->scattered, n, GFP_KERNEL));
}

static void map_seq(struct bench *b, u64 va, u64 leaf, u32 n, u8 level)
{
	u64 page = 1ULL << (12 + 9 * level);
	struct drm_gpt_update up;

	must(drm_gpt_prepare(&b->gpt, &up, va, va + n * page - 1, level, GFP_KERNEL));
	must(drm_gpt_commit_seq(&up, va, leaf | DRM_GPT_LEAF_VALID, n, NULL, NULL));
	drm_gpt_finish(&up);
}

static void zap(struct bench *b, u64 first, u64 last)
{
	struct drm_gpt_gather gather;

	drm_gpt_gather_init(&gather, &b->gpt);
	must(drm_gpt_zap_reserve(&gather, first, last, true));
	drm_gpt_zap(&gather, first, last);
	drm_gpt_gather_fini(&gather);
}

static void reclaim_all(struct bench *b)
{
	struct drm_gpt_gather gather;

	drm_gpt_gather_init(&gather, &b->gpt);
	drm_gpt_reclaim(&gather, 0, (1ULL << 57) - 1);
	drm_gpt_gather_fini(&gather);
	wait_var_event(&b->gpt.freeing, !atomic_read_acquire(&b->gpt.freeing));
}

/* ---- floors ---------------------------------------------------------------- */

/*
 * A plain loop, one store per turn. On a boundary of its own, since half of its
 * speed is a matter of where it happens to lie.
 */
static void __attribute__((__noinline__, optimize("align-loops=64")))
floor_stores(struct bench *b, u64 it, u32 n)
{
	volatile u64 *entry = b->table + (it % TABLES) * 512;
	u64 value = 0x1234567000ULL | 0xb;
	u32 i;

	for (i = 0; i < n; i++, value += 4096)
		entry[i] = value;
	barrier();
}

static void floor_one(struct bench *b, u64 it) { floor_stores(b, 0, 1); }
static void floor_8(struct bench *b, u64 it) { floor_stores(b, 0, 8); }
static void floor_512(struct bench *b, u64 it) { floor_stores(b, it, 512); }

static void floor_locked(struct bench *b, u64 it)
{
	spin_lock(&b->lock);
	floor_stores(b, 0, 1);
	spin_unlock(&b->lock);
}

static void floor_memset(struct bench *b, u64 it)
{
	memset(b->table + (it % TABLES) * 512, 0, 4096);
	barrier();
}

static void floor_none(struct bench *b, u64 it)
{
	barrier();
}

/* ---- operations: of iteration @it ------------------------------------------ */

static void op_map_1(struct bench *b, u64 it)
{
	map_array(b, (it & 511) * PAGE_4K, 1);
}

static void op_map_1_at_once(struct bench *b, u64 it)
{
	map_at_once(b, (it & 511) * PAGE_4K, 1);
}

static void op_map_8_at_once(struct bench *b, u64 it)
{
	map_at_once(b, (it & 63) * 8 * PAGE_4K, 8);
}

static void op_map_8(struct bench *b, u64 it)
{
	map_array(b, (it & 63) * 8 * PAGE_4K, 8);
}

static void op_map_512(struct bench *b, u64 it)
{
	map_array(b, (it % TABLES) * TABLE, 512);
}

/* Not aligned in memory, so that it is not one large leaf. */
static void op_map_512_seq(struct bench *b, u64 it)
{
	map_seq(b, (it % TABLES) * TABLE, 0x1001000, 512, 0);
}

static void op_map_2m(struct bench *b, u64 it)
{
	map_seq(b, 8 * GIB + (it & 511) * TABLE, 0x40000000, 1, 1);
}

static void op_map_256_2m(struct bench *b, u64 it)
{
	map_seq(b, 8 * GIB, 0x40000000, 256, 1);
}

static void op_zap_1(struct bench *b, u64 it)
{
	u64 va = (it % TABLES) * TABLE + (it / TABLES) * PAGE_4K;

	zap(b, va, va + PAGE_4K - 1);
}

static void op_zap_512(struct bench *b, u64 it)
{
	u64 va = (it % TABLES) * TABLE;

	zap(b, va, va + TABLE - 1);
}

/* All but a page at either end, so that entries are cleared one by one. */
static void op_zap_510(struct bench *b, u64 it)
{
	u64 va = (it % TABLES) * TABLE;

	zap(b, va + PAGE_4K, va + TABLE - PAGE_4K - 1);
}

static void op_zap_gib(struct bench *b, u64 it)
{
	zap(b, it * GIB, (it + 1) * GIB - 1);
}

static void op_lookup_hot(struct bench *b, u64 it)
{
	struct drm_gpt_entry entry;

	drm_gpt_lookup(&b->gpt, (it & 511) * PAGE_4K, &entry);
	b->sink += entry.leaf;
}

static u32 rnd_state = 12345;

static u64 rnd(void)
{
	rnd_state = rnd_state * 1664525 + 1013904223;
	return rnd_state;
}

#define RANDOM_BASE	(64 * GIB)

static void op_lookup_random(struct bench *b, u64 it)
{
	struct drm_gpt_entry entry;
	u64 va = RANDOM_BASE + ((rnd() << 12) & (64 * GIB - 1));

	drm_gpt_lookup(&b->gpt, va, &entry);
	b->sink += entry.first;
}

static void op_mapped_512(struct bench *b, u64 it)
{
	u64 va = (it % TABLES) * TABLE, seq;

	b->sink += drm_gpt_mapped(&b->gpt, va, va + TABLE - 1,
				  DRM_GPT_LEAF_WRITE, &seq);
}

#define INSERT_BASE	(16 * GIB)

static void op_insert(struct bench *b, u64 it)
{
	struct drm_gpt_update up;
	u64 va = INSERT_BASE + it * TABLE;

	must(drm_gpt_prepare(&b->gpt, &up, va, va + PAGE_4K - 1, 0, GFP_KERNEL));
	drm_gpt_finish(&up);
}

#define SPLIT_BASE	(32 * GIB)

static void op_split(struct bench *b, u64 it)
{
	map_array(b, SPLIT_BASE + it * TABLE, 1);
}

static void op_promote(struct bench *b, u64 it)
{
	struct drm_gpt_gather gather;

	drm_gpt_gather_init(&gather, &b->gpt);
	if (!drm_gpt_promote(&gather, SPLIT_BASE + it * TABLE))
		must(-EINVAL);
	drm_gpt_gather_fini(&gather);
}

/* ---- what has to be there before a round ------------------------------------ */

static void before_tables(struct bench *b)
{
	u64 i;

	for (i = 0; i < TABLES; i++)
		op_map_512(b, i);
}

static void before_gib(struct bench *b)
{
	u64 i;

	for (i = 0; i < 4 * 512; i++)
		map_array(b, i * TABLE, 512);
}

static void before_random(struct bench *b)
{
	u64 i;

	if (b->sink)
		return;
	for (i = 0; i < 64 * 512; i++)
		map_array(b, RANDOM_BASE + i * TABLE, 1);
	b->sink = 1;
}

static void before_insert(struct bench *b)
{
	reclaim_all(b);
}

static void before_split(struct bench *b)
{
	u64 i;

	zap(b, SPLIT_BASE, SPLIT_BASE + TABLES * TABLE - 1);
	for (i = 0; i < TABLES; i++)
		map_seq(b, SPLIT_BASE + i * TABLE, 0x80000000, 512, 0);
}

static void before_promote(struct bench *b)
{
	u64 i, k;

	zap(b, SPLIT_BASE, SPLIT_BASE + TABLES * TABLE - 1);
	for (i = 0; i < TABLES; i++)
		for (k = 0; k < 2; k++)
			map_seq(b, SPLIT_BASE + i * TABLE + k * TABLE / 2,
				0x80000000 + k * TABLE / 2, 256, 0);
}

static void before_2m(struct bench *b)
{
	zap(b, 8 * GIB, 9 * GIB - 1);
}

/* ---- commands --------------------------------------------------------------- */

static u64 ring[4096];
static u32 ring_put;
static u64 ring_seq;

static u32 cmd_words(struct drm_gpt *gpt, enum drm_gpt_run_kind kind, u32 n)
{
	return kind == DRM_GPT_RUN_COPY ? 2 + n : 4;
}

static int cmd_reserve(struct drm_gpt *gpt, u32 words, bool z, bool may_sleep)
{
	return 0;
}

static void cmd_release(struct drm_gpt *gpt, u32 words)
{
}

static void cmd_write(struct drm_gpt *gpt, const struct drm_gpt_run *run)
{
	u32 n = run->kind == DRM_GPT_RUN_COPY ? run->n : 1;
	u64 *put = &ring[ring_put & 2047];

	put[0] = run->addr;
	put[1] = run->kind | (u64)run->n << 32;
	memcpy(put + 2, run->entries, n * 8);
	ring_put += n + 2;
}

static u64 cmd_fence(struct drm_gpt *gpt)
{
	ring[ring_put++ & 2047] = ++ring_seq;
	return ring_seq;
}

static bool cmd_done(struct drm_gpt *gpt, u64 seq)
{
	return true;
}

static int cmd_wait(struct drm_gpt *gpt, u64 seq)
{
	return 0;
}

static const struct drm_gpt_cmd_ops cmd_ops = {
	.words = cmd_words,
	.fence_words = 1,
	.flush_words = 8,
	.reserve = cmd_reserve,
	.release = cmd_release,
	.write = cmd_write,
	.fence = cmd_fence,
	.done = cmd_done,
	.wait = cmd_wait,
};

/* ---- threads ----------------------------------------------------------------- */

struct worker {
	struct bench *b;
	pthread_t thread;
	u64 base;
	u32 loops;
	pthread_barrier_t *start;
};

static void *worker_fn(void *data)
{
	struct worker *w = data;
	u32 i;

	shim_thread_begin();
	shim_quiescent(true);
	pthread_barrier_wait(w->start);
	shim_quiescent(false);
	for (i = 0; i < w->loops; i++)
		map_array(w->b, w->base + (i & 63) * 8 * PAGE_4K, 8);
	shim_thread_end();
	return NULL;
}

/* Nanoseconds for @n threads to do @loops updates each, @apart bytes apart. */
static double threads(struct bench *b, u32 n, u64 apart, u32 loops)
{
	pthread_barrier_t start;
	struct worker w[2];
	double t;
	u32 i;

	pthread_barrier_init(&start, NULL, n + 1);
	for (i = 0; i < n; i++) {
		w[i] = (struct worker){ .b = b, .base = i * apart,
					.loops = loops, .start = &start };
		pthread_create(&w[i].thread, NULL, worker_fn, &w[i]);
	}
	shim_quiescent(true);
	pthread_barrier_wait(&start);
	t = now();
	for (i = 0; i < n; i++)
		pthread_join(w[i].thread, NULL);
	t = now() - t;
	shim_quiescent(false);
	return t;
}

/* ---- running ------------------------------------------------------------------ */

struct row {
	const char *name;
	void (*before)(struct bench *b);
	void (*op)(struct bench *b, u64 it);
	void (*floor)(struct bench *b, u64 it);
	u32 loops;
	double limit;	/* of the ratio to the floor, 0: none is set */
	double limit_ns;	/* or of the time */
	double ns, floor_ns;
};

static struct row rows[] = {
	{ "map 1 page", before_tables, op_map_1_at_once, floor_locked, 65536, 2, 30 },
	{ "map 1 page, in steps", before_tables, op_map_1, floor_locked, 65536, 0, 0 },
	{ "map 8 scattered", before_tables, op_map_8_at_once, floor_8, 16384, 0, 40 },
	{ "map 8 scattered, in steps", before_tables, op_map_8, floor_8, 16384, 0, 0 },
	{ "map 512 scattered", before_tables, op_map_512, floor_512, TABLES, 2.2, 0 },
	{ "map 512 contiguous", before_tables, op_map_512_seq, floor_512, TABLES, 1.7, 0 },
	{ "map one 2M leaf", before_2m, op_map_2m, floor_one, 512, 0, 30 },
	{ "map 256 x 2M", before_2m, op_map_256_2m, floor_512, 64, 0, 220 },
	{ "zap 1 page", before_tables, op_zap_1, floor_locked, TABLES * 8, 0, 30 },
	{ "zap 512 pages", before_tables, op_zap_512, floor_memset, TABLES, 3, 0 },
	{ "zap 510 of 512", before_tables, op_zap_510, floor_memset, TABLES, 3, 0 },
	{ "zap 1 GiB of 4K", before_gib, op_zap_gib, floor_memset, 4, 0, 1000 },
	{ "lookup, hot", before_tables, op_lookup_hot, floor_none, 65536, 0, 10 },
	{ "lookup, random in 64 GiB", before_random, op_lookup_random, floor_none, 65536, 0, 33 },
	{ "512 pages mapped?", before_tables, op_mapped_512, floor_none, TABLES, 0, 0 },
	{ "insert a table", before_insert, op_insert, floor_memset, 512, 0, 250 },
	{ "split 2M", before_split, op_split, floor_512, TABLES, 0, 500 },
	{ "promote to 2M", before_promote, op_promote, floor_512, TABLES, 0, 300 },
};

static struct row cmd_rows[] = {
	{ "record 512 as SEQ", before_tables, op_map_512_seq, floor_512, TABLES, 0, 50 },
	{ "record 512 as COPY", before_tables, op_map_512, floor_512, TABLES, 0, 500 },
	{ "record zap of 512", before_tables, op_zap_512, floor_512, TABLES, 0, 0 },
};

static double time_of(struct bench *b, void (*op)(struct bench *b, u64 it), u32 loops)
{
	double t = now();
	u64 it;

	for (it = 0; it < loops; it++)
		op(b, it);
	return (now() - t) / loops;
}

static void run_row(struct bench *b, struct row *row)
{
	double ns[ROUNDS], bare[ROUNDS];
	u32 r;

	for (r = 0; r < ROUNDS; r++) {
		row->before(b);
		bare[r] = time_of(b, row->floor, max(row->loops, 1000u));
		ns[r] = time_of(b, row->op, row->loops);
	}
	row->ns = median(ns);
	row->floor_ns = median(bare);
}

static bool within(const struct row *row)
{
	return (row->limit && row->ns <= row->limit * row->floor_ns) ||
	       (row->limit_ns && row->ns <= row->limit_ns);
}

static void report(FILE *json, const struct row *row, const char *sep)
{
	bool limited = row->limit || row->limit_ns;

	printf("%-26s %9.1f ns  floor %7.1f ns  ratio %6.2f  %s\n", row->name,
	       row->ns, row->floor_ns, row->ns / row->floor_ns,
	       !limited ? "" : within(row) ? "as wanted" : "MORE THAN WANTED");
	fprintf(json, "%s\n  {\"name\": \"%s\", \"ns\": %.2f, \"floor_ns\": %.2f,",
		sep, row->name, row->ns, row->floor_ns);
	fprintf(json, " \"ratio\": %.3f, \"wanted_ratio\": %.2f, \"wanted_ns\": %.1f}",
		row->ns / row->floor_ns, row->limit, row->limit_ns);
}

/* Only rows whose names have this in them. */
static const char *pattern = "";

static void run_rows(FILE *json, struct row *r, u32 n,
		     const struct drm_gpt_cmd_ops *cmd, const char *sep)
{
	u32 i;

	for (i = 0; i < n; i++, sep = ",") {
		struct bench *b;

		if (!strstr(r[i].name, pattern))
			continue;
		b = bench_create(cmd);
		run_row(b, &r[i]);
		report(json, &r[i], sep);
		bench_destroy(b);
	}
}

static void run_threads(FILE *json)
{
	static const struct { const char *name; u64 apart; } kinds[] = {
		{ "disjoint tables", 4 * TABLE }, { "the same table", 0 },
	};
	const u32 loops = 200000;
	double one[ROUNDS], two[ROUNDS], gain;
	u32 k, r;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct bench *b = bench_create(NULL);

		for (r = 0; r < ROUNDS; r++) {
			one[r] = threads(b, 1, 0, loops);
			two[r] = threads(b, 2, kinds[k].apart, loops);
		}
		gain = 2 * median(one) / median(two);
		printf("two threads, %-17s %5.2f x one\n", kinds[k].name, gain);
		fprintf(json, ",\n  {\"name\": \"two threads, %s\", \"gain\": %.3f}",
			kinds[k].name, gain);
		bench_destroy(b);
	}
}

static void run_memory(FILE *json)
{
	struct bench *b = bench_create(NULL);
	double tables, meta;
	long before = shim_bytes();

	before_gib(b);
	tables = atomic64_read(&b->gpt.stats.tables) * 4096.0;
	meta = shim_bytes() - before - tables;
	printf("memory for 4 GiB of 4K     %9.0f KiB of tables, %.0f KiB beside them: %.2f %%\n",
	       tables / 1024, meta / 1024, 100 * meta / tables);
	fprintf(json, ",\n  {\"name\": \"metadata\", \"percent\": %.3f, \"wanted\": 4}",
		100 * meta / tables);
	bench_destroy(b);
}

int main(int argc, char **argv)
{
	FILE *json = fopen(argc > 1 ? argv[1] : "/dev/null", "w");

	if (argc > 2)
		pattern = argv[2];
	if (!json) {
		perror(argv[1]);
		return 1;
	}
	fprintf(json, "[");
	run_rows(json, rows, ARRAY_SIZE(rows), NULL, "");
	run_rows(json, cmd_rows, ARRAY_SIZE(cmd_rows), &cmd_ops, ",");
	if (!*pattern) {
		run_threads(json);
		run_memory(json);
	}
	fprintf(json, "\n]\n");
	return fclose(json) ? 1 : 0;
}
