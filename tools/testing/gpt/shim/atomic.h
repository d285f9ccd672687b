/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _GPT_SHIM_ATOMIC_H_
#define _GPT_SHIM_ATOMIC_H_

/*
 * The kernel's memory accesses as C11's. Under ThreadSanitizer every marked
 * access is an atomic that it knows; else a marked access is a volatile one, as
 * in the kernel, so that what the compiler makes of it is what is measured.
 */

#include "base.h"

/*
 * Where others may see what a thread has done so far, and a test may want them
 * to: there, if it is switched on, the thread waits now and then, or has somebody
 * look.
 */
#ifdef GPT_FAST
#define shim_perturb()		((void)0)
#else
extern bool shim_perturbing;
typedef void (*shim_look_fn)(void);
extern __thread shim_look_fn shim_look;
void shim_perturb_now(void);
#define shim_perturb()		do { \
	if (unlikely(__atomic_load_n(&shim_perturbing, __ATOMIC_RELAXED))) \
		shim_perturb_now(); \
} while (0)
#endif

#if defined(__SANITIZE_THREAD__)
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	do { \
	shim_perturb(); \
	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED); \
} while (0)
#else
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	do { \
	shim_perturb(); \
	*(volatile typeof(x) *)&(x) = (v); \
} while (0)
#endif
#define data_race(x)		(x)

#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	do { \
	shim_perturb(); \
	__atomic_store_n(p, v, __ATOMIC_RELEASE); \
} while (0)
#define smp_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb__after_atomic()	smp_mb()
#define smp_mb__before_atomic()	smp_mb()
#define dma_wmb()	smp_wmb()
#define wmb()		smp_mb()
#if defined(__x86_64__) || defined(__i386__)
#undef smp_mb__after_atomic
#undef smp_mb__before_atomic
/* A locked instruction is a full barrier here. */
#define smp_mb__after_atomic()	barrier()
#define smp_mb__before_atomic()	barrier()
#define cpu_relax()	__builtin_ia32_pause()
#else
#define cpu_relax()	barrier()
#endif

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef struct { long counter; } atomic_long_t;

#define ATOMIC_INIT(v)	{ (v) }

#define SHIM_ATOMIC(prefix, type, value) \
static inline value prefix##_read(const type *v) \
{ return __atomic_load_n(&v->counter, __ATOMIC_RELAXED); } \
static inline value prefix##_read_acquire(const type *v) \
{ return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE); } \
static inline void prefix##_set(type *v, value i) \
{ __atomic_store_n(&v->counter, i, __ATOMIC_RELAXED); } \
static inline void prefix##_add(value i, type *v) \
{ __atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED); } \
static inline void prefix##_sub(value i, type *v) \
{ __atomic_fetch_sub(&v->counter, i, __ATOMIC_RELAXED); } \
static inline void prefix##_inc(type *v) { prefix##_add(1, v); } \
static inline void prefix##_dec(type *v) { prefix##_sub(1, v); } \
static inline value prefix##_inc_return(type *v) \
{ return __atomic_add_fetch(&v->counter, 1, __ATOMIC_SEQ_CST); } \
static inline value prefix##_add_return(value i, type *v) \
{ return __atomic_add_fetch(&v->counter, i, __ATOMIC_SEQ_CST); } \
static inline value prefix##_sub_return(value i, type *v) \
{ return __atomic_sub_fetch(&v->counter, i, __ATOMIC_SEQ_CST); } \
static inline bool prefix##_dec_and_test(type *v) \
{ return !__atomic_sub_fetch(&v->counter, 1, __ATOMIC_SEQ_CST); } \
static inline value prefix##_dec_return_release(type *v) \
{ return __atomic_sub_fetch(&v->counter, 1, __ATOMIC_RELEASE); } \
static inline void prefix##_dec_release(type *v) \
{ __atomic_fetch_sub(&v->counter, 1, __ATOMIC_RELEASE); } \
static inline bool prefix##_try_cmpxchg(type *v, value *old, value new) \
{ return __atomic_compare_exchange_n(&v->counter, old, new, false, \
				     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED); } \
static inline bool prefix##_inc_unless_negative(type *v) \
{ \
	value old = prefix##_read(v); \
	do { \
		if (old < 0) \
			return false; \
	} while (!prefix##_try_cmpxchg(v, &old, old + 1)); \
	return true; \
} \
_Static_assert(1, "")

SHIM_ATOMIC(atomic, atomic_t, int);
SHIM_ATOMIC(atomic64, atomic64_t, s64);
SHIM_ATOMIC(atomic_long, atomic_long_t, long);

#define cmpxchg(p, old, new) ({ \
	typeof(*(p)) __old = (old); \
	__atomic_compare_exchange_n(p, &__old, new, false, __ATOMIC_SEQ_CST, \
				    __ATOMIC_RELAXED); \
	__old; })
#define xchg(p, v)	__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

/* ---- bitmaps -------------------------------------------------------------- */

#define BITS_TO_LONGS(n)	DIV_ROUND_UP(n, BITS_PER_LONG)
#define DECLARE_BITMAP(name, n)	unsigned long name[BITS_TO_LONGS(n)]
#define BIT_WORD(i)		((i) / BITS_PER_LONG)
#define BIT_MASK(i)		(1UL << ((i) % BITS_PER_LONG))
#define BITMAP_FIRST_WORD_MASK(i)	(~0UL << ((i) % BITS_PER_LONG))
#define BITMAP_LAST_WORD_MASK(n)	(~0UL >> (-(n) % BITS_PER_LONG))

static inline bool test_bit(unsigned long i, const unsigned long *map)
{
	return READ_ONCE(map[BIT_WORD(i)]) & BIT_MASK(i);
}

static inline bool test_bit_acquire(unsigned long i, const unsigned long *map)
{
	return smp_load_acquire(&map[BIT_WORD(i)]) & BIT_MASK(i);
}

/* Of one writer at a time, as __set_bit() is. */
static inline void __set_bit(unsigned long i, unsigned long *map)
{
	WRITE_ONCE(map[BIT_WORD(i)], map[BIT_WORD(i)] | BIT_MASK(i));
}

static inline void __clear_bit(unsigned long i, unsigned long *map)
{
	WRITE_ONCE(map[BIT_WORD(i)], map[BIT_WORD(i)] & ~BIT_MASK(i));
}

static inline void shim_bitmap_put(unsigned long *map, unsigned int i,
				   unsigned int n, bool set)
{
	while (n) {
		unsigned int b = i % BITS_PER_LONG;
		unsigned int now = min_t(unsigned int, n, BITS_PER_LONG - b);
		unsigned long mask = (now == BITS_PER_LONG ? ~0UL :
				      (1UL << now) - 1) << b;
		unsigned long old = map[BIT_WORD(i)];

		WRITE_ONCE(map[BIT_WORD(i)], set ? old | mask : old & ~mask);
		i += now;
		n -= now;
	}
}

#define bitmap_set(map, i, n)	shim_bitmap_put(map, i, n, true)
#define bitmap_clear(map, i, n)	shim_bitmap_put(map, i, n, false)
#define bitmap_zero(map, n)	shim_bitmap_put(map, 0, n, false)

static inline unsigned long shim_find_next(const unsigned long *map,
					   unsigned long n, unsigned long i,
					   unsigned long flip)
{
	unsigned long word, w = BIT_WORD(i);

	if (i >= n)
		return n;
	word = (READ_ONCE(map[w]) ^ flip) & BITMAP_FIRST_WORD_MASK(i);
	while (!word) {
		if (++w * BITS_PER_LONG >= n)
			return n;
		word = READ_ONCE(map[w]) ^ flip;
	}
	return min_t(unsigned long, n, w * BITS_PER_LONG + __builtin_ctzl(word));
}

#define find_next_bit(map, n, i)	shim_find_next(map, n, i, 0)
#define find_next_zero_bit(map, n, i)	shim_find_next(map, n, i, ~0UL)
#define find_first_bit(map, n)		shim_find_next(map, n, 0, 0)
#define find_first_zero_bit(map, n)	shim_find_next(map, n, 0, ~0UL)
#define bitmap_empty(map, n)		(find_first_bit(map, n) >= (n))
#define bitmap_full(map, n)		(find_first_zero_bit(map, n) >= (n))

static inline unsigned long find_last_bit(const unsigned long *map,
					  unsigned long n)
{
	unsigned long w = BITS_TO_LONGS(n), word;

	if (!n)
		return n;
	word = READ_ONCE(map[--w]) & BITMAP_LAST_WORD_MASK(n);
	while (!word) {
		if (!w)
			return n;
		word = READ_ONCE(map[--w]);
	}
	return w * BITS_PER_LONG + BITS_PER_LONG - 1 - __builtin_clzl(word);
}

#define bitmap_fill(map, n)	shim_bitmap_put(map, 0, n, true)
#define bitmap_zalloc(n, gfp)	((unsigned long *)kcalloc(BITS_TO_LONGS(n), sizeof(long), gfp))
#define bitmap_free(map)	kfree(map)

static inline void __assign_bit(unsigned long i, unsigned long *map, bool value)
{
	if (value)
		__set_bit(i, map);
	else
		__clear_bit(i, map);
}

static inline bool bitmap_intersects(const unsigned long *a, const unsigned long *b,
				     unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (test_bit(i, a) && test_bit(i, b))
			return true;
	return false;
}

static inline bool bitmap_subset(const unsigned long *a, const unsigned long *b,
				 unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (test_bit(i, a) && !test_bit(i, b))
			return false;
	return true;
}

static inline unsigned int bitmap_weight(const unsigned long *map,
					 unsigned int n)
{
	unsigned int w, sum = 0;

	for (w = 0; w < n / BITS_PER_LONG; w++)
		sum += hweight_long(READ_ONCE(map[w]));
	if (n % BITS_PER_LONG)
		sum += hweight_long(READ_ONCE(map[w]) & BITMAP_LAST_WORD_MASK(n));
	return sum;
}

#endif /* _GPT_SHIM_ATOMIC_H_ */
