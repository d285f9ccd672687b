// SPDX-License-Identifier: MIT
/*
 * First light: the GPU computes on memory that was never told to the driver.
 */

#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "vgem_svm_arith.h"

/**
 * TEST: vgem svm basic
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: GPU programs on the process's pointers
 * Description: GPU programs on ordinary memory, and what engines can do
 *
 * SUBTEST: query
 * Description: properties of the device make sense
 *
 * SUBTEST: add-malloc
 * Description: adds two arrays that malloc() gave
 *
 * SUBTEST: add-mmap
 * Description: adds two anonymous mappings
 *
 * SUBTEST: add-stack
 * Description: adds two arrays on the caller's stack
 *
 * SUBTEST: add-global
 * Description: adds arrays in .rodata, .data and .bss
 *
 * SUBTEST: linked-list
 * Description: follows pointers that the CPU wrote
 *
 * SUBTEST: packets
 * Description: stores, atomics and NOPs of the batch itself
 *
 * SUBTEST: launch-waves
 * Description: more threads than are resident at a time
 *
 * SUBTEST: atomics-shared
 * Description: threads of two engines and the CPU count in one word
 *
 * SUBTEST: two-queues
 * Description: queues of two engines work on one address space
 *
 * SUBTEST: arithmetic
 * Description: each arithmetic instruction gives what the CPU gives
 *
 * SUBTEST: atomic-operations
 * Description: each atomic operation gives what the CPU gives
 *
 * SUBTEST: runtime
 * Description: memcpy, memmove, memset and memcmp at odd addresses
 *
 * SUBTEST: debugfs
 * Description: debugfs files can be read while the GPU works
 */

IGT_TEST_DESCRIPTION("GPU programs on ordinary memory");

#define N 3000

static const uint32_t global_a[4] = { 1, 2, 3, 4 };
static uint32_t global_b[4] = { 10, 20, 30, 40 };
static uint32_t global_c[4];

static void check_add(const uint32_t *a, const uint32_t *b, const uint32_t *c,
		      unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		igt_assert_f(c[i] == a[i] + b[i],
			     "element %u is %u, should be %u\n", i, c[i],
			     a[i] + b[i]);
}

static void add(struct vgem_svm *s, const uint32_t *a, const uint32_t *b,
		uint32_t *c, unsigned int n)
{
	vgem_svm_run(&s->q, add, 16, n, VA(a), VA(b), VA(c), 16);
	check_add(a, b, c, n);
}

static void test_query(struct vgem_svm *s)
{
	uint64_t value = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_BYTES);

	igt_assert(value % VGEM_SVM_BLOCK == 0);
	igt_assert_lte_u64(vgem_svm_query(s->fd,
					  DRM_VGEM_SVM_PARAM_VRAM_USED), value);
	value = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_NR_ENGINES);
	igt_assert(value >= 1 && value <= 8);
	igt_assert_eq(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VA_BITS), 57);
	igt_assert(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_PT_UPDATE) <= 3);
	igt_assert(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_IOMMU) <= 1);
	value = vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_FAULT_ENTRIES);
	igt_assert(value >= 4 && value <= 4096 && !(value & (value - 1)));
}

static void test_add_heap(struct vgem_svm *s, bool use_mmap)
{
	size_t bytes = N * sizeof(uint32_t);
	uint32_t *p[3];
	int i;

	for (i = 0; i < 3; i++) {
		p[i] = use_mmap ? vgem_svm_map(4 * VGEM_SVM_PAGE) :
				  malloc(bytes);
		igt_assert(p[i]);
	}
	vgem_svm_random(p[0], bytes, 1);
	vgem_svm_random(p[1], bytes, 2);
	add(s, p[0], p[1], p[2], N);
	for (i = 0; i < 3; i++) {
		if (use_mmap)
			vgem_svm_unmap(p[i], 4 * VGEM_SVM_PAGE);
		else
			free(p[i]);
	}
}

static void test_add_stack(struct vgem_svm *s)
{
	uint32_t a[100], b[100], c[100];

	vgem_svm_random(a, sizeof(a), 3);
	vgem_svm_random(b, sizeof(b), 4);
	add(s, a, b, c, 100);
}

struct node {
	struct node *next;
	uint64_t value;
};

static void test_linked_list(struct vgem_svm *s)
{
	uint64_t *out = calloc(2, sizeof(*out)), sum = 0;
	struct node *head = NULL, *node;
	unsigned int i;

	for (i = 0; i < 500; i++) {
		/* Odd sizes scatter the nodes. */
		node = malloc(sizeof(*node) + i % 97 * 16);
		igt_assert(node);
		node->value = i * 7919ULL;
		node->next = head;
		head = node;
		sum += node->value;
	}
	vgem_svm_run(&s->q, walk, 1, VA(head), VA(out));
	igt_assert_eq_u64(out[0], sum);
	igt_assert_eq_u64(out[1], 500);
	for (; head; head = node) {
		node = head->next;
		free(head);
	}
	free(out);
}

static void test_packets(struct vgem_svm *s)
{
	uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE);
	uint64_t batch[] = {
		DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_STORE, 3), VA(word), 40,
		DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 2), ~0ULL,
		DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_ATOMIC_ADD, 3), VA(word), 2,
		DRM_VGEM_SVM_PKT(DRM_VGEM_SVM_PKT_NOP, 1),
	};
	struct drm_vgem_svm_exec args = {
		.queue_id = s->q.id,
		.flags = DRM_VGEM_SVM_EXEC_EVENT,
		.batch_addr = VA(batch),
		.batch_bytes = sizeof(batch),
		.fence_addr = VA(word + 1),
		.fence_value = 0xfeed,
	};

	igt_assert_eq(__vgem_svm_ioctl(s->fd, DRM_IOCTL_VGEM_SVM_EXEC, &args),
		      0);
	s->q.given++;
	vgem_svm_wait_word(word + 1, 0xfeed, "the fence of EXEC");
	igt_assert_eq_u64(vgem_svm_peek(word), 42);
	vgem_svm_wait(&s->q);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
}

static void test_launch_waves(struct vgem_svm *s)
{
	unsigned int n = vgem_svm_scaled(2000), i;
	uint64_t *cells = calloc(n, sizeof(*cells));

	/* Each thread takes one element: i < n, step n. */
	vgem_svm_run(&s->q, fill, n, n, VA(cells), 8, 1000, n);
	for (i = 0; i < n; i++)
		igt_assert_eq_u64(cells[i], 1000 + i);
	free(cells);
}

static void test_atomics_shared(struct vgem_svm *s)
{
	unsigned int rounds = vgem_svm_scaled(400), i;
	uint64_t *word = vgem_svm_map(VGEM_SVM_PAGE);
	struct vgem_svm_queue q2;

	vgem_svm_queue_init(&q2, s->fd, s->vm, 1, 0);
	vgem_svm_start(&s->q, count, 64, rounds, VA(word));
	vgem_svm_start(&q2, count, 64, rounds, VA(word));
	for (i = 0; i < 10000; i++)
		__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
	vgem_svm_wait(&s->q);
	vgem_svm_wait(&q2);
	igt_assert_eq_u64(vgem_svm_peek(word), 2 * 64 * rounds + 10000);
	vgem_svm_queue_fini(&q2);
	vgem_svm_unmap(word, VGEM_SVM_PAGE);
}

static void test_two_queues(struct vgem_svm *s)
{
	uint64_t *in = vgem_svm_map(8 * VGEM_SVM_PAGE);
	uint64_t *out = vgem_svm_map(16 * VGEM_SVM_PAGE);
	unsigned int n = 8 * VGEM_SVM_PAGE / 8, i;
	struct vgem_svm_queue q2;

	vgem_svm_queue_init(&q2, s->fd, s->vm, 1, 0);
	vgem_svm_random(in, 8 * VGEM_SVM_PAGE, 5);
	vgem_svm_start(&s->q, transform, 8, n, VA(in), VA(out), 8);
	vgem_svm_start(&q2, transform, 8, n, VA(in), VA(out + n), 8);
	vgem_svm_wait(&s->q);
	vgem_svm_wait(&q2);
	for (i = 0; i < 2 * n; i++)
		igt_assert_eq_u64(out[i], in[i % n] * 3 + 1);
	vgem_svm_queue_fini(&q2);
	vgem_svm_unmap(in, 8 * VGEM_SVM_PAGE);
	vgem_svm_unmap(out, 16 * VGEM_SVM_PAGE);
}

static void test_arithmetic(struct vgem_svm *s)
{
	static const uint64_t special[] = {
		0, 1, ~0ULL, 1ULL << 63, ~0ULL >> 1, 0x80000000, 0x7fffffff,
		0xffffffff, 63, 32,
	};
	enum { NR = 256 };
	uint64_t *a = malloc(NR * 8), *b = malloc(NR * 8);
	unsigned long *out = calloc(NR, VGEM_SVM_ARITH_NR * 8);
	unsigned long cpu[VGEM_SVM_ARITH_NR];
	unsigned int i, k;

	vgem_svm_random(a, NR * 8, 6);
	vgem_svm_random(b, NR * 8, 7);
	for (i = 0; i < 100; i++) {
		a[i] = special[i / 10];
		b[i] = special[i % 10];
	}
	vgem_svm_run(&s->q, arith, 8, NR, VA(a), VA(b), VA(out), 8);
	for (i = 0; i < NR; i++) {
		vgem_svm_arith(a[i], b[i], cpu);
		for (k = 0; k < VGEM_SVM_ARITH_NR; k++)
			igt_assert_f(out[i * VGEM_SVM_ARITH_NR + k] == cpu[k],
				     "operation %u of %#" PRIx64 " and %#"
				     PRIx64 ": %#lx, should be %#lx\n", k, a[i],
				     b[i], out[i * VGEM_SVM_ARITH_NR + k],
				     cpu[k]);
	}
	free(a);
	free(b);
	free(out);
}

static void test_atomic_operations(struct vgem_svm *s)
{
	uint64_t *word = calloc(16, 8), *old = word + 4;
	uint32_t *half = (uint32_t *)(word + 1);

	word[0] = 0x1234;
	half[0] = 4;
	half[1] = 0xabcd;
	vgem_svm_run(&s->q, amo, 1, 0x1000, VA(word), VA(half), VA(old));
	igt_assert_eq_u64(old[0], 0x1234);
	igt_assert_eq_u64(old[1], 0x1000);
	igt_assert_eq_u64(old[2], 0x1007);
	igt_assert_eq_u64(old[3], 0x1001);
	igt_assert_eq_u64(old[4], 0x1011);
	igt_assert_eq_u64(old[5], 4);
	igt_assert_eq_u64(old[6], 1);
	igt_assert_eq_u64(old[7], 0x1022);
	igt_assert_eq_u64(old[8], 9);
	/* The word beside was not touched. */
	igt_assert_eq_u64(half[1], 0xabcd);
	free(word);
}

static void test_runtime(struct vgem_svm *s)
{
	unsigned int n = 2 * VGEM_SVM_PAGE + 123, i;
	uint8_t *src = malloc(n + 8), *dst = malloc(n + 32);

	vgem_svm_random(src, (n + 8) & ~7U, 8);
	memset(dst, 0, n + 32);
	vgem_svm_run(&s->q, strings, 1, VA(dst + 3), VA(src + 1), n - 1);
	igt_assert(!memcmp(dst + 3, src + 1, 5));
	igt_assert(!memcmp(dst + 8, src + 1, n - 1));
	for (i = 0; i < 11; i++)
		igt_assert_eq(dst[3 + n - 1 + 5 + i], 0x5a);
	igt_assert_eq(dst[3 + n - 1 + 16], 2);
	free(src);
	free(dst);
}

static void read_all(const char *name)
{
	char path[128], buf[4096];
	unsigned int minor;
	FILE *f;

	for (minor = 0; minor < 256; minor++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/%s",
			 minor, name);
		f = fopen(path, "r");
		if (!f)
			continue;
		igt_assert_f(fread(buf, 1, sizeof(buf), f), "%s is empty\n",
			     path);
		while (fread(buf, 1, sizeof(buf), f))
			;
		fclose(f);
		return;
	}
	igt_assert_f(false, "no %s in debugfs\n", name);
}

static void test_debugfs(struct vgem_svm *s)
{
	uint64_t *page = vgem_svm_map(VGEM_SVM_PAGE);
	int i;

	igt_require_f(!access("/sys/kernel/debug/dri", R_OK), "no debugfs\n");
	vgem_svm_start(&s->q, write_on, 4, VA(page), 8, VA(page + 64),
		       VA(page + 63));
	for (i = 0; i < 3; i++) {
		read_all("vgem_svm_hw");
		read_all("vgem_svm_vms");
	}
	vgem_svm_poke(page + 63, 1);
	vgem_svm_wait(&s->q);
	vgem_svm_unmap(page, VGEM_SVM_PAGE);
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
	}

	igt_describe("Properties of the device make sense");
	igt_subtest("query")
		test_query(&s);

	igt_describe("The GPU adds two arrays that malloc() gave");
	igt_subtest("add-malloc")
		test_add_heap(&s, false);

	igt_describe("The GPU adds two anonymous mappings");
	igt_subtest("add-mmap")
		test_add_heap(&s, true);

	igt_describe("The GPU adds two arrays on the caller's stack");
	igt_subtest("add-stack")
		test_add_stack(&s);

	igt_describe("The GPU reads constants and variables of the executable");
	igt_subtest("add-global")
		add(&s, global_a, global_b, global_c, 4);

	igt_describe("The GPU follows pointers that the CPU wrote");
	igt_subtest("linked-list")
		test_linked_list(&s);

	igt_describe("Stores, atomics, NOPs and the fence of a batch");
	igt_subtest("packets")
		test_packets(&s);

	igt_describe("A launch of more threads than are resident at a time");
	igt_subtest("launch-waves")
		test_launch_waves(&s);

	igt_describe("Two engines and the CPU count in one word and lose nothing");
	igt_subtest("atomics-shared") {
		igt_require_f(vgem_svm_query(s.fd,
					     DRM_VGEM_SVM_PARAM_NR_ENGINES) > 1,
			      "one engine only\n");
		test_atomics_shared(&s);
	}

	igt_describe("Queues of two engines work on one address space");
	igt_subtest("two-queues") {
		igt_require_f(vgem_svm_query(s.fd,
					     DRM_VGEM_SVM_PARAM_NR_ENGINES) > 1,
			      "one engine only\n");
		test_two_queues(&s);
	}

	igt_describe("Each arithmetic instruction gives what the CPU gives");
	igt_subtest("arithmetic")
		test_arithmetic(&s);

	igt_describe("Each atomic operation gives what the CPU gives");
	igt_subtest("atomic-operations")
		test_atomic_operations(&s);

	igt_describe("The GPU's memcpy and friends at odd addresses");
	igt_subtest("runtime")
		test_runtime(&s);

	igt_describe("The debugfs files can be read while the GPU works");
	igt_subtest("debugfs")
		test_debugfs(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
