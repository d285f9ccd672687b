// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The parts of the shim that are not inline: messages, context checks, locks,
 * RCU without liburcu, memory with failures, work, threads.
 */

#include <unistd.h>

#include "kunit.h"

/* ---- messages ------------------------------------------------------------- */

static atomic_t shim_warnings;

void shim_warn(const char *file, int line, const char *what)
{
	atomic_inc(&shim_warnings);
	fprintf(stderr, "WARNING: %s:%d: %s\n", file, line, what);
}

unsigned int shim_warned(void)
{
	return atomic_read(&shim_warnings);
}

ssize_t strscpy_n(char *dst, const char *src, size_t size)
{
	return snprintf(dst, size, "%s", src);
}

void seq_printf(struct seq_file *m, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(m->buf + m->count, m->size - m->count, format, args);
	va_end(args);
	if (n >= 0 && m->count + n < m->size)
		m->count += n;
	else
		m->count = m->size;
}

void shim_param(const char *name, void *value, size_t bytes)
{
	char full[64];
	const char *text;
	u64 number;

	snprintf(full, sizeof(full), "drm_gpt_%s", name);
	text = getenv(full);
	if (!text)
		return;
	number = strtoull(text, NULL, 0);
	memcpy(value, &number, min(bytes, sizeof(number)));
}

/* ---- context -------------------------------------------------------------- */

__thread unsigned int shim_atomic_depth;
__thread unsigned int shim_rcu_depth;
__thread unsigned int shim_preempt_depth;
__thread unsigned int shim_reclaim_depth;
__thread bool shim_fs_reclaim;

void shim_might_sleep(const char *file, int line)
{
	if (shim_atomic_depth || shim_rcu_depth || shim_preempt_depth)
		shim_warn(file, line, "may sleep in atomic context");
}

void shim_quiescent(bool wait);

void shim_nap(void)
{
	const struct timespec nap = { .tv_nsec = 20000 };

	shim_quiescent(true);
	nanosleep(&nap, NULL);
	shim_quiescent(false);
}

/* For a flavour of RCU that has to be told: this thread waits, or goes on. */
void shim_quiescent(bool wait)
{
#if defined(GPT_URCU) && defined(GPT_FAST)
	if (wait)
		urcu_qsbr_thread_offline();
	else
		urcu_qsbr_thread_online();
#endif
}

/* ---- perturbation --------------------------------------------------------- */

#ifndef GPT_FAST
bool shim_perturbing;
__thread shim_look_fn shim_look;

/* Mostly goes on; lets another thread in; or stays away for longer. */
void shim_perturb_now(void)
{
	static __thread struct rnd_state rnd;
	static atomic_t threads;
	struct timespec nap = { 0 };
	u32 r;

	if (shim_look) {
		shim_look();
		return;
	}
	if (!rnd.s)
		prandom_seed_state(&rnd, atomic_inc_return(&threads));
	r = prandom_u32_state(&rnd);
	if (r % 512 == 0) {
		nap.tv_nsec = 1000 * (1 + (r >> 16) % 60);
		nanosleep(&nap, NULL);
	} else if (r % 32 == 0) {
		sched_yield();
	}
}
#endif

/* ---- spinlocks ------------------------------------------------------------ */

void shim_spin_wait(spinlock_t *lock)
{
	unsigned int spins = 0;
	u32 free;

	do {
		while (__atomic_load_n(&lock->locked, __ATOMIC_RELAXED)) {
			if (++spins % 128 == 0)
				sched_yield();
			cpu_relax();
		}
		free = 0;
	} while (!__atomic_compare_exchange_n(&lock->locked, &free, 1, false,
					      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
}

#ifndef GPT_FAST
static __thread unsigned int shim_subclass[16];

/* An inner lock has the higher subclass; one without a subclass is innermost. */
void shim_spin_locked(spinlock_t *lock, unsigned int subclass)
{
	unsigned int depth = shim_atomic_depth++;

	if (depth && shim_subclass[depth - 1] >= subclass)
		shim_warn(__FILE__, __LINE__, "locks taken in the wrong order");
	if (depth < ARRAY_SIZE(shim_subclass))
		shim_subclass[depth] = subclass;
	__atomic_store_n(&lock->owner, pthread_self(), __ATOMIC_RELAXED);
}

/* An outer lock may go first. */
void shim_spin_unlocking(spinlock_t *lock)
{
	if (!shim_spin_mine(lock))
		shim_warn(__FILE__, __LINE__, "unlock of a lock not held");
	__atomic_store_n(&lock->owner, (pthread_t)0, __ATOMIC_RELAXED);
	shim_atomic_depth--;
}

bool shim_spin_mine(const spinlock_t *lock)
{
	return __atomic_load_n(&lock->locked, __ATOMIC_RELAXED) &&
	       pthread_equal(__atomic_load_n(&lock->owner, __ATOMIC_RELAXED),
			     pthread_self());
}
#endif

/* ---- RCU ------------------------------------------------------------------ */

#ifdef GPT_URCU
void shim_thread_begin(void)
{
	URCU(register_thread)();
}

void shim_thread_end(void)
{
	URCU(unregister_thread)();
}

static void shim_rcu_begin(void)
{
}
#elif defined(GPT_SINGLE)
void shim_thread_begin(void)
{
}

void shim_thread_end(void)
{
}

static void shim_rcu_begin(void)
{
}
#else
static pthread_rwlock_t shim_rcu_lock;
static __thread unsigned int shim_rcu_nested;
static struct llist_head shim_rcu_queue;
static atomic_t shim_rcu_waiting;

void shim_rcu_read_lock(void)
{
	if (!shim_rcu_nested++)
		pthread_rwlock_rdlock(&shim_rcu_lock);
}

void shim_rcu_read_unlock(void)
{
	if (!--shim_rcu_nested)
		pthread_rwlock_unlock(&shim_rcu_lock);
}

void shim_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	atomic_inc(&shim_rcu_waiting);
	llist_add((struct llist_node *)head, &shim_rcu_queue);
}

void shim_rcu_barrier(void)
{
	while (__atomic_load_n(&shim_rcu_waiting.counter, __ATOMIC_ACQUIRE))
		shim_nap();
}

static void *shim_rcu_thread(void *unused)
{
	struct rcu_head *head, *next;

	for (;;) {
		head = (struct rcu_head *)llist_del_all(&shim_rcu_queue);
		if (!head) {
			shim_nap();
			continue;
		}
		/* Who reads what was taken out has it locked. */
		pthread_rwlock_wrlock(&shim_rcu_lock);
		pthread_rwlock_unlock(&shim_rcu_lock);
		for (; head; head = next) {
			next = head->next;
			head->func(head);
			atomic_sub_return(1, &shim_rcu_waiting);
		}
	}
	return NULL;
}

static void shim_rcu_begin(void)
{
	pthread_rwlockattr_t attr;
	pthread_t thread;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&shim_rcu_lock, &attr);
	pthread_create(&thread, NULL, shim_rcu_thread, NULL);
	pthread_detach(thread);
}

void shim_thread_begin(void)
{
}

void shim_thread_end(void)
{
}
#endif

/* ---- memory --------------------------------------------------------------- */

static atomic_long_t shim_alive, shim_sum;
static __thread unsigned int shim_fail_left;
static __thread bool shim_failed;

void shim_fail_nth(unsigned int n)
{
	shim_fail_left = n;
	shim_failed = false;
}

bool shim_fail_reached(void)
{
	return shim_failed;
}

/* As kmalloc() rounds. */
static size_t shim_kmalloc_size(size_t bytes)
{
	size_t size = 8;

	if (bytes > 64 && bytes <= 96)
		return 96;
	if (bytes > 128 && bytes <= 192)
		return 192;
	if (bytes > 8192)
		return ALIGN(bytes, PAGE_SIZE);
	while (size < bytes)
		size *= 2;
	return size;
}

/* How large each allocation is stands in front of it. */
struct shim_header {
	size_t slab;
	void *start;
};

void *shim_alloc(size_t bytes, gfp_t gfp, size_t align, size_t slab)
{
	size_t front = max(align, sizeof(struct shim_header));
	struct shim_header *header;
	void *start;

	if (gfp & GFP_KERNEL)
		might_sleep();
	if (shim_preempt_depth)
		shim_warn(__FILE__, __LINE__, "allocates with preemption off");
	if ((gfp & GFP_KERNEL) && shim_reclaim_depth)
		shim_warn(__FILE__, __LINE__, "allocates in reclaim");
	if (shim_fail_left && !--shim_fail_left) {
		shim_failed = true;
		return NULL;
	}
	/* Not written to here, since large ones are zero as they come. */
	if (align <= sizeof(struct shim_header) && (gfp & __GFP_ZERO))
		start = calloc(1, front + bytes);
	else if (posix_memalign(&start, max(align, sizeof(void *)), front + bytes))
		start = NULL;
	if (!start)
		return NULL;
	header = (struct shim_header *)((char *)start + front) - 1;
	header->start = start;
	header->slab = slab ? slab : shim_kmalloc_size(bytes);
	if (align > sizeof(struct shim_header) && (gfp & __GFP_ZERO))
		memset(header + 1, 0, bytes);
	atomic_long_inc(&shim_alive);
	atomic_long_add(header->slab, &shim_sum);
	return header + 1;
}

void shim_free(const void *ptr)
{
	const struct shim_header *header;

	if (!ptr)
		return;
	header = (const struct shim_header *)ptr - 1;
	atomic_long_dec(&shim_alive);
	atomic_long_sub(header->slab, &shim_sum);
	free(header->start);
}

long shim_bytes(void)
{
	return atomic_long_read(&shim_sum);
}

long shim_allocated(void)
{
	return atomic_long_read(&shim_alive);
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int bytes,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *obj))
{
	struct kmem_cache *cache = malloc(sizeof(*cache));
	size_t room;

	cache->bytes = bytes;
	/* What is left over in a page, or in eight, counts. */
	room = bytes <= PAGE_SIZE / 2 ? PAGE_SIZE : 8 * PAGE_SIZE;
	cache->slab = room / (room / ALIGN(bytes, 8));
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	free(cache);
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = shim_alloc(sizeof(*page), gfp, 0, 1);

	if (!page)
		return NULL;
	page->mem = shim_alloc(PAGE_SIZE << order, gfp, PAGE_SIZE << order, 0);
	if (!page->mem) {
		shim_free(page);
		return NULL;
	}
	return page;
}

void __free_pages(struct page *page, unsigned int order)
{
	shim_free(page->mem);
	shim_free(page);
}

static atomic_long_t shim_pagetable_pages;

void mod_lruvec_page_state(struct page *page, enum node_stat_item item, int n)
{
	atomic_long_add(n, &shim_pagetable_pages);
}

long shim_secondary_pagetables(void)
{
	return atomic_long_read(&shim_pagetable_pages);
}

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page,
			      size_t offset, size_t bytes,
			      enum dma_data_direction dir, unsigned long attrs)
{
	if ((attrs & DMA_ATTR_REQUIRE_COHERENT) && dev && dev->no_coherent)
		return ~0ULL;
	return (uintptr_t)page->mem + offset;
}

void dma_unmap_page_attrs(struct device *dev, dma_addr_t dma, size_t bytes,
			  enum dma_data_direction dir, unsigned long attrs)
{
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t dma,
				size_t bytes, enum dma_data_direction dir)
{
}

struct dma_pool {
	size_t bytes;
	size_t align;
	atomic_t alive;
};

struct dma_pool *dma_pool_create(const char *name, struct device *dev,
				 size_t bytes, size_t align, size_t boundary)
{
	struct dma_pool *pool = kzalloc_obj(*pool, GFP_KERNEL);

	pool->bytes = bytes;
	pool->align = align;
	return pool;
}

void dma_pool_destroy(struct dma_pool *pool)
{
	WARN_ON(atomic_read(&pool->alive));
	kfree(pool);
}

void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *dma)
{
	void *cpu = shim_alloc(pool->bytes, gfp | __GFP_ZERO, pool->align, 0);

	if (!cpu)
		return NULL;
	atomic_inc(&pool->alive);
	*dma = (uintptr_t)cpu;
	return cpu;
}

void dma_pool_free(struct dma_pool *pool, void *cpu, dma_addr_t dma)
{
	WARN_ON(dma != (uintptr_t)cpu);
	atomic_dec(&pool->alive);
	shim_free(cpu);
}

/* ---- work ----------------------------------------------------------------- */

struct workqueue_struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct work_struct *first, **last;
	unsigned int waiting;
	bool stop;
	pthread_t thread;
};

static __maybe_unused void *shim_worker(void *data)
{
	struct workqueue_struct *wq = data;

	shim_thread_begin();
	pthread_mutex_lock(&wq->lock);
	while (!wq->stop || wq->first) {
		struct work_struct *work = wq->first;

		if (!work) {
			shim_quiescent(true);
			pthread_cond_wait(&wq->changed, &wq->lock);
			shim_quiescent(false);
			continue;
		}
		wq->first = work->next;
		if (!wq->first)
			wq->last = &wq->first;
		work->next = NULL;
		pthread_mutex_unlock(&wq->lock);
		work->func(work);
		pthread_mutex_lock(&wq->lock);
		wq->waiting--;
		pthread_cond_broadcast(&wq->changed);
	}
	pthread_mutex_unlock(&wq->lock);
	shim_thread_end();
	return NULL;
}

struct workqueue_struct *alloc_workqueue(const char *name, int flags, int max, ...)
{
	struct workqueue_struct *wq = calloc(1, sizeof(*wq));

	pthread_mutex_init(&wq->lock, NULL);
	pthread_cond_init(&wq->changed, NULL);
	wq->last = &wq->first;
#ifndef GPT_SINGLE
	pthread_create(&wq->thread, NULL, shim_worker, wq);
#endif
	return wq;
}

/* False if it is queued already, as in the kernel. */
bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	bool queued;

#ifdef GPT_SINGLE
	work->func(work);
	return true;
#endif
	pthread_mutex_lock(&wq->lock);
	queued = work->next || wq->last == &work->next;
	if (!queued) {
		*wq->last = work;
		wq->last = &work->next;
		wq->waiting++;
		pthread_cond_broadcast(&wq->changed);
	}
	pthread_mutex_unlock(&wq->lock);
	return !queued;
}

void flush_workqueue(struct workqueue_struct *wq)
{
	pthread_mutex_lock(&wq->lock);
	while (wq->waiting)
		pthread_cond_wait(&wq->changed, &wq->lock);
	pthread_mutex_unlock(&wq->lock);
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	pthread_mutex_lock(&wq->lock);
	wq->stop = true;
	pthread_cond_broadcast(&wq->changed);
	pthread_mutex_unlock(&wq->lock);
#ifndef GPT_SINGLE
	pthread_join(wq->thread, NULL);
#endif
	free(wq);
}

/* ---- threads -------------------------------------------------------------- */

struct shim_kthread {
	int (*fn)(void *data);
	void *data;
};

static void *shim_kthread(void *data)
{
	struct shim_kthread kthread = *(struct shim_kthread *)data;

	free(data);
	shim_thread_begin();
	kthread.fn(kthread.data);
	shim_thread_end();
	return NULL;
}

struct task_struct *shim_kthread_run(int (*fn)(void *data), void *data)
{
	struct shim_kthread *kthread = malloc(sizeof(*kthread));
	pthread_t thread;

	kthread->fn = fn;
	kthread->data = data;
	if (pthread_create(&thread, NULL, shim_kthread, kthread)) {
		free(kthread);
		return ERR_PTR(-ENOMEM);
	}
	pthread_detach(thread);
	return NULL;
}

/* Before anything else of the program. */
static void __attribute__((constructor(101))) shim_begin(void)
{
	shim_rcu_begin();
	shim_thread_begin();
}
