// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The demo's GPU programs. */

#include "gpu.h"

/* Thread i adds its part of the elements. */
GPU_ENTRY(add)(u64 i, s32 *c, const s32 *a, const s32 *b, u64 n, u64 threads)
{
	u64 chunk = n / threads, end = (i + 1) * chunk, k;

	for (k = i * chunk; k < end; k++)
		c[k] = a[k] + b[k];
}

/* Thread i counts the bytes of its part. */
GPU_ENTRY(histogram)(u64 i, u64 *bins, const u8 *bytes, u64 n, u64 threads)
{
	u64 chunk = n / threads, end = (i + 1) * chunk, k;

	for (k = i * chunk; k < end; k++)
		gpu_atomic_add(&bins[bytes[k]], 1);
}

struct node {
	struct node *next;
	u64 value;
};

/* One thread walks a list that the CPU built. */
GPU_ENTRY(walk)(u64 i, const struct node *node, u64 *sum)
{
	u64 total = 0;

	for (; node; node = node->next)
		total += node->value;
	*sum = total;
}
