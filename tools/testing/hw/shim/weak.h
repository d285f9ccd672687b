/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _HW_SHIM_WEAK_H_
#define _HW_SHIM_WEAK_H_

/*
 * A memory that is as weak as the kernel's memory model lets it be, for a few
 * words: the machine that builds this may be strong. Marked accesses, atomics and
 * barriers of the kernel act on it; all other memory is what it is. One thread of
 * the machine plays all of the test, and says before each step whose step it is.
 *
 * A word has a history of stores, in the order of coherence. A thread has a view: how
 * far it knows each history. It may read any store that is not older than its view,
 * and put its own anywhere behind that. A store carries the view that its thread had at
 * its last write barrier, or has, if it is a release; who reads it knows that view from
 * the next read barrier on, or at once, if it is an acquire. A full barrier exchanges
 * views with all full barriers before it. An atomic operation stands right behind the
 * store that it read; if it returns a value and succeeds it is a full barrier too.
 *
 * So stores and loads pass each other as they like; only a load never takes its value
 * from the future, which leaves load buffering out. It does not know dependencies,
 * which is weaker than what there is.
 */

#define WEAK_THREADS	4
#define WEAK_WORDS	4

/* Where the words are, each @stride bytes from the one before; all become 0. */
void weak_begin(void *base, size_t stride, u64 seed);
void weak_end(void);
void weak_reset(void);
u64 weak_last(unsigned int word);

extern unsigned int weak_thread;
extern char *weak_base;
extern size_t weak_bytes;

static inline bool weak_is(const volatile void *p)
{
	return (size_t)((char *)p - weak_base) < weak_bytes;
}

u64 weak_load(const volatile void *p, bool acquire);
void weak_store(volatile void *p, u64 value, bool release);
bool weak_cmpxchg(void *p, u64 *old, u64 new);
void weak_add(void *p, u64 value);
enum weak_barrier { WEAK_READ = 1, WEAK_WRITE = 2, WEAK_FULL = 7 };
void weak_barrier(enum weak_barrier kind);

#undef READ_ONCE
#undef WRITE_ONCE
#undef smp_load_acquire
#undef smp_store_release
#undef smp_mb
#undef smp_rmb
#undef smp_wmb
#undef smp_mb__before_atomic
#undef smp_mb__after_atomic

#define READ_ONCE(x)		(weak_is(&(x)) ? (typeof(x))weak_load(&(x), false) : \
				 *(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	do { \
	if (weak_is(&(x))) \
		weak_store(&(x), (u64)(v), false); \
	else \
		*(volatile typeof(x) *)&(x) = (v); \
} while (0)
#define smp_load_acquire(p)	(weak_is(p) ? (typeof(*(p)))weak_load(p, true) : \
				 __atomic_load_n(p, __ATOMIC_ACQUIRE))
#define smp_store_release(p, v)	do { \
	if (weak_is(p)) \
		weak_store(p, (u64)(v), true); \
	else \
		__atomic_store_n(p, v, __ATOMIC_RELEASE); \
} while (0)
#define smp_mb()		weak_barrier(WEAK_FULL)
#define smp_rmb()		weak_barrier(WEAK_READ)
#define smp_wmb()		weak_barrier(WEAK_WRITE)
#define smp_mb__before_atomic()	smp_mb()
#define smp_mb__after_atomic()	smp_mb()

#define try_cmpxchg64(p, old, new) \
	(weak_is(p) ? weak_cmpxchg(p, old, new) : SHIM_CMPXCHG(p, old, new))
#define try_cmpxchg(p, old, new)	SHIM_CMPXCHG(p, old, new)
#define atomic64_add(i, v) \
	(weak_is(v) ? weak_add(v, i) : (atomic64_add)(i, v))

#endif /* _HW_SHIM_WEAK_H_ */
