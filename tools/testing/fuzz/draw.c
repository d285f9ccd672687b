// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Numbers: a stream for each operation, so that an operation decides the same
 * whatever those before it have drawn.
 */

#include "fuzz.h"

static uint64_t fuzz_mix(uint64_t x)
{
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

void fuzz_begin(struct fuzz *f)
{
	f->rng = fuzz_mix(f->seed + 1);
	f->rng = fuzz_mix(f->rng + f->worker + 1);
	f->rng = fuzz_mix(f->rng + f->life + 1);
	f->rng = fuzz_mix(f->rng + f->op + 1);
}

uint64_t fuzz_draw(struct fuzz *f)
{
	f->rng += 0x9e3779b97f4a7c15ull;
	return fuzz_mix(f->rng);
}

unsigned int fuzz_below(struct fuzz *f, unsigned int n)
{
	return (fuzz_draw(f) >> 32) * n >> 32;
}

bool fuzz_one_in(struct fuzz *f, unsigned int n)
{
	return !fuzz_below(f, n);
}

uint64_t fuzz_odd(struct fuzz *f)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 7, 8, 63, 64, 65, 255, 256, 257, 4095, 4096, 4097,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000ull,
		0x7fffffffffffull, 0x7ffffffff000ull, 0x800000000000ull,
		0xffff800000000000ull, 0x7fffffffffffffffull,
		0x8000000000000000ull, 0xfffffffffffff000ull, ~0ull,
	};

	switch (fuzz_below(f, 4)) {
	case 0:
		return fuzz_draw(f);
	case 1:
		return 1ull << fuzz_below(f, 64);
	case 2:
		return (1ull << fuzz_below(f, 64)) - 1 - fuzz_below(f, 2);
	default:
		return edges[fuzz_below(f, sizeof(edges) / sizeof(*edges))];
	}
}
