/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _GPT_SHIM_BASE_H_
#define _GPT_SHIM_BASE_H_

/*
 * What drm_gpt and its tests use of the kernel's headers, in user space: types,
 * arithmetic, lists, messages. See README.md for the rule of what belongs here.
 */

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int32_t s32;
typedef long long s64;
typedef u16 __le16;
typedef u32 __le32;
typedef u64 __le64;
typedef unsigned int gfp_t;
typedef u64 dma_addr_t;
typedef u64 phys_addr_t;

#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		(~0U)
#define U64_MAX		(~0ULL)
#define BITS_PER_LONG	(__SIZEOF_LONG__ * 8)
#define BITS_PER_LONG_LONG	64
#define BITS_PER_BYTE	8

#define __force
#define __iomem
#define __rcu
#define __init
#define __exit
#define __must_check	__attribute__((warn_unused_result))
#define __maybe_unused	__attribute__((unused))
#define noinline	__attribute__((noinline))
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define fallthrough	__attribute__((fallthrough))
#define SHIM_PRAGMA(x)	_Pragma(#x)
#if defined(__clang__)
#define unrolled_count(n)	SHIM_PRAGMA(clang loop unroll_count(n))
#else
#define unrolled_count(n)	SHIM_PRAGMA(GCC unroll n)
#endif
#define barrier()	__asm__ __volatile__("" : : : "memory")

/* Only little-endian machines build this. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little endian");
#define cpu_to_le64(x)	((__le64)(x))
#define le64_to_cpu(x)	((u64)(x))
#define cpu_to_le32(x)	((__le32)(x))
#define le32_to_cpu(x)	((u32)(x))

#undef static_assert
#define static_assert(x)	_Static_assert(x, #x)

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK_ULL(h, l)	((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define GENMASK_U64(h, l)	GENMASK_ULL(h, l)
#define FIELD_SHIFT(mask)	(__builtin_ctzll(mask))
#define FIELD_PREP_CONST(mask, value)	((((u64)(value)) << FIELD_SHIFT(mask)) & (mask))
#define FIELD_PREP(mask, value)	FIELD_PREP_CONST(mask, value)
#define FIELD_GET(mask, reg)	(((reg) & (mask)) >> FIELD_SHIFT(mask))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define roundup(x, y)	((((x) + (y) - 1) / (y)) * (y))
#define rounddown(x, y)	((x) - ((x) % (y)))
#define ALIGN(x, a)	(((x) + (a) - 1) & ~((typeof(x))(a) - 1))
#define PTR_ALIGN(p, a)	((typeof(p))ALIGN((uintptr_t)(p), (a)))
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define IS_ENABLED(option)	0
#define EXPORT_SYMBOL_IF_KUNIT(name)	_Static_assert(1, "")
#define swap(a, b)	do { typeof(a) __t = (a); (a) = (b); (b) = __t; } while (0)

#define min(a, b)	({ typeof((a) + 0) __a = (a); typeof((b) + 0) __b = (b); \
			   __a < __b ? __a : __b; })
#define max(a, b)	({ typeof((a) + 0) __a = (a); typeof((b) + 0) __b = (b); \
			   __a > __b ? __a : __b; })
#define min_t(t, a, b)	({ t __a = (a); t __b = (b); __a < __b ? __a : __b; })
#define max_t(t, a, b)	({ t __a = (a); t __b = (b); __a > __b ? __a : __b; })
#define clamp(v, lo, hi)	min(max(v, lo), hi)

#define ilog2(n)	(63 - __builtin_clzll(n))
#define is_power_of_2(n)	((n) && !((n) & ((n) - 1)))
#define __ffs(x)	((unsigned int)__builtin_ctzl(x))
#define __ffs64(x)	((unsigned int)__builtin_ctzll(x))
#define hweight_long(x)	((unsigned int)__builtin_popcountl(x))
#define hweight64(x)	((unsigned int)__builtin_popcountll(x))
#define fls64(x)	((x) ? 64 - __builtin_clzll(x) : 0)
#define hash_64(v, bits)	((u32)(((v) * 0x61c8864680b583ebULL) >> (64 - (bits))))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* As arch/x86 does it: whole words, and fast ones. */
static inline void memset64(u64 *dst, u64 value, size_t n)
{
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
	__asm__ __volatile__("rep stosq" : "+D"(dst), "+c"(n) : "a"(value) : "memory");
#else
	while (n--)
		__atomic_store_n(dst++, value, __ATOMIC_RELAXED);
#endif
}

/* ---- errors as pointers -------------------------------------------------- */

static inline void *ERR_PTR(long error) { return (void *)error; }
static inline long PTR_ERR(const void *ptr) { return (long)ptr; }
static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-4095;
}

/* ---- messages ------------------------------------------------------------ */

/* A warning of the kernel is a failure; the runner counts them. */
void shim_warn(const char *file, int line, const char *what);

#define WARN_ON(x)	({ bool __w = !!(x); if (unlikely(__w)) { \
				shim_warn(__FILE__, __LINE__, #x); } __w; })
#define WARN_ON_ONCE(x)	WARN_ON(x)
#define VM_WARN_ON_ONCE(x)	WARN_ON(x)
#define BUILD_BUG_ON(x)	_Static_assert(!(x), #x)
#define BUG_ON(x)	do { if (x) { shim_warn(__FILE__, __LINE__, #x); abort(); } } while (0)
#define pr_err(...)	fprintf(stderr, __VA_ARGS__)
#define pr_info(...)	printf(__VA_ARGS__)

ssize_t strscpy_n(char *dst, const char *src, size_t size);
#define __strscpy3(d, s, n)	strscpy_n(d, s, n)
#define __strscpy2(d, s)	strscpy_n(d, s, sizeof(d))
#define __strscpy_pick(a, b, c, name, ...)	name
#define strscpy(...)	__strscpy_pick(__VA_ARGS__, __strscpy3, __strscpy2)(__VA_ARGS__)

/* ---- modules ------------------------------------------------------------- */

#define EXPORT_SYMBOL_GPL(name)	_Static_assert(1, "")
#define MODULE_DESCRIPTION(x)	_Static_assert(1, "")
#define MODULE_LICENSE(x)	_Static_assert(1, "")
#define MODULE_PARM_DESC(name, x)	_Static_assert(1, "")
#define MODULE_IMPORT_NS(x)	_Static_assert(1, "")
/* A parameter comes from the environment, as drm_gpt_NAME=VALUE. */
void shim_param(const char *name, void *value, size_t bytes);
#define module_param_named(name, value, type, perm) \
	static void __attribute__((constructor)) shim_param_##name(void) \
	{ shim_param(#name, &(value), sizeof(value)); } \
	_Static_assert(1, "")
#define module_param(name, type, perm)	module_param_named(name, name, type, perm)
#define subsys_initcall(fn) \
	static void __attribute__((constructor)) shim_init_##fn(void) { fn(); } \
	_Static_assert(1, "")
#define module_init(fn)	subsys_initcall(fn)
#define module_exit(fn) \
	static void __attribute__((destructor)) shim_exit_##fn(void) { fn(); } \
	_Static_assert(1, "")

/* ---- lists --------------------------------------------------------------- */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }
#define LIST_HEAD(name)		struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list_head *l) { return l->next == l; }

static inline void list_add_tail(struct list_head *n, struct list_head *head)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

static inline void list_add(struct list_head *n, struct list_head *head)
{
	list_add_tail(n, head->next);
}

static inline void list_del(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
}

static inline void list_move_tail(struct list_head *n, struct list_head *head)
{
	list_del(n);
	list_add_tail(n, head);
}

static inline void list_del_init(struct list_head *n)
{
	list_del(n);
	INIT_LIST_HEAD(n);
}

static inline void list_splice_init(struct list_head *from, struct list_head *to)
{
	if (list_empty(from))
		return;
	from->prev->next = to->next;
	to->next->prev = from->prev;
	from->next->prev = to;
	to->next = from->next;
	INIT_LIST_HEAD(from);
}

#define list_entry(p, type, member)	container_of(p, type, member)
#define list_first_entry(head, type, member)	list_entry((head)->next, type, member)
#define list_for_each_entry(pos, head, member) \
	for (pos = list_entry((head)->next, typeof(*pos), member); \
	     &pos->member != (head); \
	     pos = list_entry(pos->member.next, typeof(*pos), member))
#define list_for_each_entry_safe(pos, n, head, member) \
	for (pos = list_entry((head)->next, typeof(*pos), member), \
	     n = list_entry(pos->member.next, typeof(*pos), member); \
	     &pos->member != (head); \
	     pos = n, n = list_entry(n->member.next, typeof(*n), member))

/* ---- dice ---------------------------------------------------------------- */

struct rnd_state {
	u64 s;
};

static inline void prandom_seed_state(struct rnd_state *rnd, u64 seed)
{
	rnd->s = seed * 0x9e3779b97f4a7c15ULL + 1;
}

static inline u32 prandom_u32_state(struct rnd_state *rnd)
{
	rnd->s ^= rnd->s << 13;
	rnd->s ^= rnd->s >> 7;
	rnd->s ^= rnd->s << 17;
	return rnd->s >> 16;
}

/* ---- seq_file ------------------------------------------------------------ */

struct seq_file {
	char *buf;
	size_t size;
	size_t count;
};

void seq_printf(struct seq_file *m, const char *format, ...) __printf(2, 3);
static inline void seq_puts(struct seq_file *m, const char *s)
{
	seq_printf(m, "%s", s);
}

static inline bool seq_has_overflowed(struct seq_file *m)
{
	return m->count == m->size;
}

#endif /* _GPT_SHIM_BASE_H_ */
