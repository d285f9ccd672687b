// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The weak memory: see weak.h. */

#include "hw.h"

#ifdef HW_WEAK

#define WEAK_STORES	32
/* Room between two places in a history, for those that come in between. */
#define WEAK_GAP	(1ULL << 32)

/**
 * struct weak_view - how far each history is known
 * @at: place of a store, by word
 */
struct weak_view {
	u64 at[WEAK_WORDS];
};

/**
 * struct weak_msg - a store
 * @at: its place in the history; they are in this order
 * @value: what it stored
 * @closed: an atomic operation stands right behind it
 * @view: what who reads it may learn
 */
struct weak_msg {
	u64 at;
	u64 value;
	bool closed;
	struct weak_view view;
};

static struct weak_history {
	struct weak_msg msg[WEAK_STORES];
	unsigned int n;
} weak_words[WEAK_WORDS];

/* Of each thread: what it knows, would know after a read barrier, and gives on. */
static struct weak_state {
	struct weak_view now;
	struct weak_view read;
	struct weak_view given;
} weak_threads[WEAK_THREADS];

static struct weak_view weak_common;
static size_t weak_stride;
static struct rnd_state weak_rnd;

unsigned int weak_thread;
char *weak_base;
size_t weak_bytes;

void weak_begin(void *base, size_t stride, u64 seed)
{
	weak_base = base;
	weak_stride = stride;
	weak_bytes = stride * WEAK_WORDS;
	prandom_seed_state(&weak_rnd, seed);
	weak_reset();
}

void weak_end(void)
{
	weak_bytes = 0;
}

void weak_reset(void)
{
	unsigned int w;

	memset(weak_threads, 0, sizeof(weak_threads));
	memset(&weak_common, 0, sizeof(weak_common));
	for (w = 0; w < WEAK_WORDS; w++) {
		weak_words[w].n = 1;
		memset(&weak_words[w].msg[0], 0, sizeof(struct weak_msg));
	}
}

u64 weak_last(unsigned int word)
{
	return weak_words[word].msg[weak_words[word].n - 1].value;
}

static u32 weak_dice(u32 n)
{
	return prandom_u32_state(&weak_rnd) % n;
}

static void weak_merge(struct weak_view *to, const struct weak_view *from)
{
	unsigned int w;

	for (w = 0; w < WEAK_WORDS; w++)
		to->at[w] = max(to->at[w], from->at[w]);
}

static unsigned int weak_word(const volatile void *p)
{
	return ((char *)p - weak_base) / weak_stride;
}

/* One of the stores that the thread may read; the last one half of the time. */
static unsigned int weak_pick(const struct weak_history *h, u64 from)
{
	unsigned int first = 0;

	while (h->msg[first].at < from)
		first++;
	return weak_dice(2) ? h->n - 1 : first + weak_dice(h->n - first);
}

static void weak_seen(struct weak_state *t, unsigned int w,
		      const struct weak_msg *m, bool acquire)
{
	t->now.at[w] = max(t->now.at[w], m->at);
	weak_merge(&t->read, &m->view);
	if (acquire)
		weak_merge(&t->now, &m->view);
}

u64 weak_load(const volatile void *p, bool acquire)
{
	struct weak_state *t = &weak_threads[weak_thread];
	unsigned int w = weak_word(p);
	struct weak_history *h = &weak_words[w];
	const struct weak_msg *m = &h->msg[weak_pick(h, t->now.at[w])];

	weak_seen(t, w, m, acquire);
	return m->value;
}

/* Puts a store behind number @i. */
static struct weak_msg *weak_insert(struct weak_state *t, unsigned int w,
				    unsigned int i, u64 value,
				    const struct weak_view *given)
{
	struct weak_history *h = &weak_words[w];
	struct weak_msg *m = &h->msg[i + 1];

	if (h->n == WEAK_STORES)
		abort();
	memmove(m + 1, m, (h->n - i - 1) * sizeof(*m));
	m->at = i + 1 == h->n ? m[-1].at + WEAK_GAP : (m[-1].at + m[1].at) / 2;
	h->n++;
	m->value = value;
	m->closed = false;
	m->view = *given;
	m->view.at[w] = m->at;
	t->now.at[w] = m->at;
	return m;
}

void weak_store(volatile void *p, u64 value, bool release)
{
	struct weak_state *t = &weak_threads[weak_thread];
	unsigned int w = weak_word(p), i;
	struct weak_history *h = &weak_words[w];

	do {
		i = weak_pick(h, t->now.at[w]);
	} while (h->msg[i].closed);
	weak_insert(t, w, i, value, release ? &t->now : &t->given);
}

/* An atomic operation that takes part in whatever order barriers make. */
static struct weak_msg *weak_read_last(struct weak_state *t, unsigned int w,
				       unsigned int *i)
{
	struct weak_history *h = &weak_words[w];

	do {
		*i = weak_pick(h, t->now.at[w]);
	} while (h->msg[*i].closed);
	weak_seen(t, w, &h->msg[*i], false);
	return &h->msg[*i];
}

/* What follows an atomic one gives its view on as well. */
static void weak_replace(struct weak_state *t, unsigned int w, unsigned int i,
			 u64 value)
{
	struct weak_msg *m = &weak_words[w].msg[i];
	struct weak_view view = m->view;

	m->closed = true;
	m = weak_insert(t, w, i, value, &t->given);
	weak_merge(&m->view, &view);
}

void weak_add(void *p, u64 value)
{
	struct weak_state *t = &weak_threads[weak_thread];
	unsigned int w = weak_word(p), i;
	u64 old = weak_read_last(t, w, &i)->value;

	weak_replace(t, w, i, old + value);
}

/* One that fails is a load, and no barrier. */
bool weak_cmpxchg(void *p, u64 *old, u64 new)
{
	struct weak_state *t = &weak_threads[weak_thread], before = *t;
	struct weak_view common = weak_common;
	unsigned int w = weak_word(p), i;
	u64 value;

	weak_barrier(WEAK_FULL);
	value = weak_read_last(t, w, &i)->value;
	if (value == *old) {
		weak_replace(t, w, i, new);
		weak_barrier(WEAK_FULL);
		return true;
	}
	*t = before;
	weak_common = common;
	*old = weak_load(p, false);
	return false;
}

void weak_barrier(enum weak_barrier kind)
{
	struct weak_state *t = &weak_threads[weak_thread];

	if (kind & WEAK_READ)
		weak_merge(&t->now, &t->read);
	if (kind == WEAK_FULL) {
		weak_merge(&t->now, &weak_common);
		weak_common = t->now;
	}
	if (kind & WEAK_WRITE)
		t->given = t->now;
	weak_merge(&t->read, &t->now);
}

#endif
