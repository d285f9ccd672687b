// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the compiler expects to find in every C program. Words where both ends
 * are aligned, since an engine does not do misaligned accesses; bytes elsewhere.
 */

#include "gpu.h"

static int aligned(const void *a, const void *b)
{
	return !(((u64)a | (u64)b) & 7);
}

void *memset(void *dest, int c, u64 n)
{
	u64 word = 0x0101010101010101UL * (u8)c;
	u8 *d = dest;

	for (; n && ((u64)d & 7); n--)
		*d++ = c;
	for (; n >= 8; n -= 8, d += 8)
		*(u64 *)d = word;
	for (; n; n--)
		*d++ = c;
	return dest;
}

void *memcpy(void *restrict dest, const void *restrict src, u64 n)
{
	const u8 *s = src;
	u8 *d = dest;

	if (aligned(d, s))
		for (; n >= 8; n -= 8, d += 8, s += 8)
			*(u64 *)d = *(const u64 *)s;
	for (; n; n--)
		*d++ = *s++;
	return dest;
}

void *memmove(void *dest, const void *src, u64 n)
{
	const u8 *s = src;
	u8 *d = dest;

	if (d <= s || d >= s + n)
		return memcpy(dest, src, n);
	while (n--)
		d[n] = s[n];
	return dest;
}

int memcmp(const void *a, const void *b, u64 n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
