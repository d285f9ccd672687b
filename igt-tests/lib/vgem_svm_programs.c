// SPDX-License-Identifier: MIT
/*
 * What the tests let the GPU do. Each is small enough to be known by heart, and
 * says what it reads and writes, because tests count faults.
 */

#include "gpu.h"

/* c[i] = a[i] + b[i], split over threads. */
GPU_ENTRY(add)(u64 thread, u64 n, const u32 *a, const u32 *b, u32 *c, u64 threads)
{
	u64 i;

	for (i = thread; i < n; i += threads)
		c[i] = a[i] + b[i];
}

/* Stores value + i at p + i * stride for each i < n. */
GPU_ENTRY(fill)(u64 thread, u64 n, u8 *p, u64 stride, u64 value, u64 threads)
{
	u64 i;

	for (i = thread; i < n; i += threads)
		gpu_store((u64 *)(p + i * stride), value + i);
}

/* Reads n words at p, stride bytes apart; the sum is added to *out. */
GPU_ENTRY(sum)(u64 thread, u64 n, const u8 *p, u64 stride, u64 *out, u64 threads)
{
	u64 i, total = 0;

	for (i = thread; i < n; i += threads)
		total += gpu_load((const u64 *)(p + i * stride));
	gpu_atomic_add(out, total);
}

/* Reads only: nothing is written. */
GPU_ENTRY(touch)(u64 thread, u64 n, const u8 *p, u64 stride, u64 threads)
{
	u64 i;

	for (i = thread; i < n; i += threads)
		gpu_load((const u64 *)(p + i * stride));
}

/* out[i] = in[i] * 3 + 1: a write that depends on a read elsewhere. */
GPU_ENTRY(transform)(u64 thread, u64 n, const u64 *in, u64 *out, u64 threads)
{
	u64 i;

	for (i = thread; i < n; i += threads)
		out[i] = in[i] * 3 + 1;
}

/* Adds 1 to each of n words, rounds times, with plain loads and stores. */
GPU_ENTRY(increment)(u64 thread, u64 n, u8 *p, u64 stride, u64 rounds, u64 threads)
{
	u64 i, r;

	for (r = 0; r < rounds; r++)
		for (i = thread; i < n; i += threads) {
			u64 *word = (u64 *)(p + i * stride);

			gpu_store(word, gpu_load(word) + 1);
		}
}

/* Adds 1 to one word, rounds times, by atomics. */
GPU_ENTRY(count)(u64 thread, u64 rounds, u64 *word)
{
	u64 r;

	for (r = 0; r < rounds; r++)
		gpu_atomic_add(word, 1);
}

/* Until *stop: reads its own word and shows what it has read in seen[]. */
GPU_ENTRY(watch)(u64 thread, const u8 *p, u64 stride, u64 *seen, const u64 *stop)
{
	const u64 *word = (const u64 *)(p + thread * stride);

	while (!gpu_load(stop))
		gpu_store(&seen[thread * 8], gpu_load(word));
}

/* Until *stop: writes a rising number into its word; *last: the one it ended with. */
GPU_ENTRY(write_on)(u64 thread, u8 *p, u64 stride, u64 *last, const u64 *stop)
{
	u64 *word = (u64 *)(p + thread * stride), n = 0;

	while (!gpu_load(stop))
		gpu_store(word, ++n);
	gpu_store(&last[thread * 8], n);
}

/* Until *stop: reads n words in turn; laps[thread] counts how often all of them. */
GPU_ENTRY(sweep)(u64 thread, u64 n, const u8 *p, u64 stride, u64 *laps, const u64 *stop)
{
	u64 i;

	while (!gpu_load(stop)) {
		for (i = 0; i < n; i++)
			gpu_load((const u64 *)(p + i * stride));
		gpu_atomic_add(&laps[thread * 8], 1);
	}
}

/* Until *stop: adds 1 to each of n words in turn; *laps counts how often all of them. */
GPU_ENTRY(increment_on)(u64 thread, u64 n, u8 *p, u64 stride, u64 *laps, const u64 *stop)
{
	u64 i, lap = 0;

	while (!gpu_load(stop)) {
		for (i = 0; i < n; i++) {
			u64 *word = (u64 *)(p + i * stride);

			gpu_store(word, gpu_load(word) + 1);
		}
		gpu_store(laps, ++lap);
	}
}

/* The same by atomics, for words that the CPU changes meanwhile. */
GPU_ENTRY(add_on)(u64 thread, u64 n, u8 *p, u64 stride, u64 *laps, const u64 *stop)
{
	u64 i, lap = 0;

	while (!gpu_load(stop)) {
		for (i = 0; i < n; i++)
			gpu_atomic_add((u64 *)(p + i * stride), 1);
		gpu_store(laps, ++lap);
	}
}

struct node {
	struct node *next;
	u64 value;
};

/* Follows a list; the sum goes to *out, the number of nodes to out[1]. */
GPU_ENTRY(walk)(u64 thread, const struct node *node, u64 *out)
{
	u64 total = 0, nodes = 0;

	for (; node; node = node->next) {
		total += node->value;
		nodes++;
	}
	out[0] = total;
	out[1] = nodes;
}

/* The runtime: moves and fills n bytes at odd places. */
GPU_ENTRY(strings)(u64 thread, u8 *dst, const u8 *src, u64 n)
{
	memcpy(dst, src, n);
	memmove(dst + 5, dst, n);
	memset(dst + n + 5, 0x5a, 11);
	dst[n + 16] = memcmp(dst + 5, src, n) ? 1 : 2;
}

/* One of each arithmetic instruction: the same source runs on the CPU. */
#include "vgem_svm_arith.h"

GPU_ENTRY(arith)(u64 thread, u64 n, const u64 *a, const u64 *b, u64 *out, u64 threads)
{
	u64 i;

	for (i = thread; i < n; i += threads)
		vgem_svm_arith(a[i], b[i], &out[i * VGEM_SVM_ARITH_NR]);
}

/* All atomics of the "A" extension on two words. */
GPU_ENTRY(amo)(u64 thread, u64 arg, u64 *word, u32 *half, u64 *old)
{
	old[0] = __atomic_exchange_n(word, arg, __ATOMIC_SEQ_CST);
	old[1] = __atomic_fetch_add(word, 7, __ATOMIC_SEQ_CST);
	old[2] = __atomic_fetch_and(word, ~6UL, __ATOMIC_SEQ_CST);
	old[3] = __atomic_fetch_or(word, 0x10, __ATOMIC_SEQ_CST);
	old[4] = __atomic_fetch_xor(word, 0x33, __ATOMIC_SEQ_CST);
	old[5] = __atomic_fetch_sub(half, 3, __ATOMIC_SEQ_CST);
	old[6] = __atomic_compare_exchange_n(half, &(u32){ 1 }, 9, 0,
					     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	old[7] = *word;
	old[8] = *half;
}

/* ---- programs that misbehave -------------------------------------------- */

GPU_ENTRY(loop)(u64 thread, u64 *started)
{
	gpu_store(started, 1);
	for (;;)
		__asm__ volatile("");
}

GPU_ENTRY(illegal)(u64 thread)
{
	__asm__ volatile(".word 0xffffffff");
}

/* A word at any address: 8-byte load, 8-byte store, or a jump there. */
GPU_ENTRY(load_at)(u64 thread, const u64 *p, u64 *out)
{
	*out = gpu_load(p);
}

GPU_ENTRY(store_at)(u64 thread, u64 *p, u64 value)
{
	gpu_store(p, value);
}

GPU_ENTRY(jump_to)(u64 thread, void (*p)(void))
{
	p();
}

GPU_ENTRY(misaligned)(u64 thread, u64 p)
{
	u64 value;

	__asm__ volatile("ld %0, 0(%1)" : "=r"(value) : "r"(p | 1));
}

/* Moves its stack pointer down for ever. */
GPU_ENTRY(overflow)(u64 thread)
{
	__asm__ volatile("1: addi sp, sp, -64\n sd ra, 0(sp)\n j 1b" : : : "memory");
}
