/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _GPT_SHIM_LOCK_H_
#define _GPT_SHIM_LOCK_H_

/*
 * Locks, RCU and threads. Spinlocks know their owner and, by subclass, their
 * order, unless GPT_FAST. RCU is liburcu's; where that cannot be had (32 bits)
 * or hides its order from ThreadSanitizer, a reader-writer lock.
 */

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "atomic.h"

#ifdef GPT_URCU
#define _LGPL_SOURCE
#ifdef GPT_FAST
/* As in a kernel that is not preemptible, readers do nothing. */
#include <urcu/urcu-qsbr.h>
#include <urcu/map/urcu-qsbr.h>
#define URCU(name)	urcu_qsbr_##name
#else
#include <urcu/urcu-memb.h>
#define URCU(name)	urcu_memb_##name
#endif
#undef rcu_read_lock
#undef rcu_read_unlock
#undef rcu_dereference
#undef rcu_assign_pointer
#undef call_rcu
#undef rcu_barrier
#define call_rcu(head, func)	URCU(call_rcu)(head, func)
#define rcu_barrier()		URCU(barrier)()
#endif

/* ---- context -------------------------------------------------------------- */

/* Of this thread: spinlocks held and RCU sections open. */
extern __thread unsigned int shim_atomic_depth;
extern __thread unsigned int shim_rcu_depth;
/* With preemption off; here that is to say: no allocation either. */
extern __thread unsigned int shim_preempt_depth;
#define preempt_disable()	((void)shim_preempt_depth++)
#define preempt_enable()	((void)shim_preempt_depth--)

void shim_might_sleep(const char *file, int line);
#define might_sleep()	shim_might_sleep(__FILE__, __LINE__)
#define might_sleep_if(x)	do { if (x) might_sleep(); } while (0)
#define cond_resched()	do { might_sleep(); sched_yield(); } while (0)

/* ---- spinlocks ------------------------------------------------------------ */

typedef struct spinlock {
	u32 locked;
#ifndef GPT_FAST
	u32 subclass;
	pthread_t owner;
#endif
} spinlock_t;

void shim_spin_wait(spinlock_t *lock);
void shim_spin_locked(spinlock_t *lock, unsigned int subclass);
void shim_spin_unlocking(spinlock_t *lock);
bool shim_spin_mine(const spinlock_t *lock);

static inline void spin_lock_init(spinlock_t *lock)
{
	memset(lock, 0, sizeof(*lock));
}

static inline void spin_lock_nested(spinlock_t *lock, unsigned int subclass)
{
	u32 free = 0;

	shim_perturb();
	if (!__atomic_compare_exchange_n(&lock->locked, &free, 1, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		shim_spin_wait(lock);
#ifndef GPT_FAST
	shim_spin_locked(lock, subclass);
#endif
}

static inline void spin_unlock(spinlock_t *lock)
{
#ifndef GPT_FAST
	shim_spin_unlocking(lock);
#endif
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
	shim_perturb();
}

#define spin_lock(lock)	spin_lock_nested(lock, ~0U)

static inline bool shim_is_held(const spinlock_t *lock)
{
#ifdef GPT_FAST
	return true;
#else
	return shim_spin_mine(lock);
#endif
}

#define DEFINE_SPINLOCK(name)	spinlock_t name

/*
 * Of what lockdep knows: what has once been taken inside of fs_reclaim must not be
 * held over an allocation that may reclaim.
 */
struct lock_class_key { int unused; };
struct lockdep_map { bool in_reclaim; };
extern __thread unsigned int shim_reclaim_depth;
extern __thread bool shim_fs_reclaim;

#define lockdep_init_map(map, name, key, sub)	((void)(key))
#define fs_reclaim_acquire(gfp)	((void)(shim_fs_reclaim = true))
#define fs_reclaim_release(gfp)	((void)(shim_fs_reclaim = false))

static inline void lock_map_acquire(struct lockdep_map *map)
{
	if (shim_fs_reclaim)
		map->in_reclaim = true;
	shim_reclaim_depth += map->in_reclaim;
}

static inline void lock_map_release(struct lockdep_map *map)
{
	shim_reclaim_depth -= map->in_reclaim;
}

#define lockdep_is_held(lock)	shim_is_held(lock)
#ifdef GPT_FAST
#define lockdep_assert_held(lock)	((void)(lock))
#else
#define lockdep_assert_held(lock)	WARN_ON(!shim_is_held(lock))
#endif

/* ---- RCU ------------------------------------------------------------------ */

#ifdef GPT_SINGLE
/* One thread and no reader but itself: a grace period is over at once. */
struct rcu_head {
	void *unused;
};

#define shim_rcu_read_lock()	((void)0)
#define shim_rcu_read_unlock()	((void)0)
#define call_rcu(head, func)	(func)(head)
#define rcu_barrier()		((void)0)
#elif !defined(GPT_URCU)
struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

void shim_rcu_read_lock(void);
void shim_rcu_read_unlock(void);
void shim_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void shim_rcu_barrier(void);
#define call_rcu(head, func)	shim_call_rcu(head, func)
#define rcu_barrier()		shim_rcu_barrier()
#endif

static inline void shim_rcu_enter(void)
{
#ifdef GPT_URCU
	URCU(read_lock)();
#else
	shim_rcu_read_lock();
#endif
#ifndef GPT_FAST
	shim_rcu_depth++;
#endif
}

static inline void shim_rcu_leave(void)
{
#ifndef GPT_FAST
	shim_rcu_depth--;
#endif
#ifdef GPT_URCU
	URCU(read_unlock)();
#else
	shim_rcu_read_unlock();
#endif
}

#define rcu_read_lock()		shim_rcu_enter()
#define rcu_read_unlock()	shim_rcu_leave()
#if defined(__SANITIZE_THREAD__)
#define rcu_dereference(p)	__atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#else
#define rcu_dereference(p)	READ_ONCE(p)
#endif
#define rcu_dereference_protected(p, held) ({ (void)(held); READ_ONCE(p); })
#define rcu_access_pointer(p)	READ_ONCE(p)
#define rcu_assign_pointer(p, v)	__atomic_store_n(&(p), v, __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, v)	WRITE_ONCE(p, v)

static inline int shim_guard_enter(void) { rcu_read_lock(); return 0; }
static inline void shim_guard_leave(int *unused) { rcu_read_unlock(); }
#define guard(name)	shim_guard_##name
#define shim_guard_rcu() \
	int shim_guard __attribute__((cleanup(shim_guard_leave), unused)) = \
		shim_guard_enter()

/* ---- work, waiting, threads ----------------------------------------------- */

struct work_struct {
	void (*func)(struct work_struct *work);
	struct work_struct *next;
};

struct workqueue_struct;
#define WQ_UNBOUND	0
#define WQ_MEM_RECLAIM	0
struct workqueue_struct *alloc_workqueue(const char *name, int flags, int max, ...);
void destroy_workqueue(struct workqueue_struct *wq);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
void flush_workqueue(struct workqueue_struct *wq);
#define INIT_WORK(w, f)	((w)->func = (f), (w)->next = NULL)
#define DECLARE_WORK(name, f)	struct work_struct name = { .func = (f) }

struct llist_node { struct llist_node *next; };
struct llist_head { struct llist_node *first; };
#define LLIST_HEAD(name)	struct llist_head name = { NULL }
static inline bool llist_add(struct llist_node *n, struct llist_head *head)
{
	struct llist_node *first = __atomic_load_n(&head->first, __ATOMIC_RELAXED);

	do
		n->next = first;
	while (!__atomic_compare_exchange_n(&head->first, &first, n, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	return !first;
}

static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	return __atomic_exchange_n(&head->first, NULL, __ATOMIC_ACQUIRE);
}

#define llist_entry_or_null(node, type, member) ({ \
	struct llist_node *__n = (node); \
	__n ? container_of(__n, type, member) : NULL; })
#define llist_for_each_entry_safe(pos, n, node, member) \
	for (pos = llist_entry_or_null(node, typeof(*pos), member); \
	     pos && ((n = llist_entry_or_null(pos->member.next, typeof(*pos), \
					      member)), true); \
	     pos = n)

#define wait_var_event(var, cond) \
	do { might_sleep(); while (!(cond)) shim_nap(); } while (0)
#define wake_up_var(var)	((void)(var))
#define store_release_wake_up(var, value)	smp_store_release(var, value)
void shim_nap(void);
void shim_quiescent(bool wait);
static inline void udelay(unsigned int us)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	do
		clock_gettime(CLOCK_MONOTONIC, &b);
	while ((b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec <
	       us * 1000LL);
}

struct completion {
	int done;
};

static inline void init_completion(struct completion *c) { c->done = 0; }
static inline void complete(struct completion *c)
{
	__atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
}

static inline void wait_for_completion(struct completion *c)
{
	while (!__atomic_load_n(&c->done, __ATOMIC_ACQUIRE))
		shim_nap();
}

struct task_struct;
struct task_struct *shim_kthread_run(int (*fn)(void *data), void *data);
#define kthread_run(fn, data, ...)	shim_kthread_run(fn, data)
#define kthread_complete_and_exit(c, code)	return (complete(c), (code))
/* At the start and the end of a thread that is not made by kthread_run(). */
void shim_thread_begin(void);
void shim_thread_end(void);

#endif /* _GPT_SHIM_LOCK_H_ */
