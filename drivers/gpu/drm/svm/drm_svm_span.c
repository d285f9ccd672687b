// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The service lock: an interval lock over a process's addresses. Whoever
 * services faults in, migrates or prefetches a span holds it for that span, so
 * that each page has one servicer at a time and disjoint spans run in parallel.
 *
 * A range lock per block would have to be taken many times by a long span:
 * lockdep's depth ends at 48, and two overlapping spans would need an order.
 * Here a span is taken whole or not at all, in order of arrival: it is granted
 * when nothing that came before overlaps it. So there is no deadlock between two
 * spans and nobody starves.
 *
 * Holders and waiters lie in an interval tree, and each knows how many that came
 * before it and overlap it are still there. To come and to go costs the overlapping
 * ones, however many others there are.
 *
 * It is the outermost lock: nothing that holds mmap_lock, a dma_resv or a lock
 * taken in a notifier may ask for it. Nor may who tears down a device: a holder may
 * wait for a page that is long in coming. The collector tries.
 */

#include <kunit/visibility.h>

#include <linux/lockdep.h>
#include <linux/sched/signal.h>

#include "drm_svm_internal.h"

/* How often who may be told to stop looks. */
#define DRM_SVM_SPAN_LOOK	(HZ / 20)

static struct lock_class_key drm_svm_span_key;

void drm_svm_spans_init(struct drm_svm_spans *spans)
{
	spin_lock_init(&spans->lock);
	spans->tree = RB_ROOT_CACHED;
	spans->arrivals = 0;
	lockdep_init_map(&spans->dep_map, "drm_svm_span", &drm_svm_span_key, 0);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_spans_init);

static struct drm_svm_span *drm_svm_span_of(struct interval_tree_node *node)
{
	return node ? container_of(node, struct drm_svm_span, node) : NULL;
}

/* The first, or the next after @other, that overlaps @span. */
static struct drm_svm_span *drm_svm_span_next(struct drm_svm_spans *spans,
					      struct drm_svm_span *span,
					      struct drm_svm_span *other)
{
	u64 first = span->node.start, last = span->node.last;

	lockdep_assert_held(&spans->lock);
	if (!other)
		return drm_svm_span_of(interval_tree_iter_first(&spans->tree,
								first, last));
	return drm_svm_span_of(interval_tree_iter_next(&other->node, first, last));
}

/**
 * drm_svm_span_enter() - come into line
 * @spans: the address space's lock
 * @span: the caller's, with its interval
 *
 * Context: &drm_svm_spans.lock is held.
 */
void drm_svm_span_enter(struct drm_svm_spans *spans, struct drm_svm_span *span)
{
	struct drm_svm_span *other = NULL;

	span->blockers = 0;
	while ((other = drm_svm_span_next(spans, span, other)))
		span->blockers++;
	span->arrival = spans->arrivals++;
	interval_tree_insert(&span->node, &spans->tree);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_span_enter);

/**
 * drm_svm_span_leave() - leave the line, granted or not
 * @spans: the address space's lock
 * @span: in the line
 *
 * Context: &drm_svm_spans.lock is held.
 */
void drm_svm_span_leave(struct drm_svm_spans *spans, struct drm_svm_span *span)
{
	struct drm_svm_span *other = NULL;

	interval_tree_remove(&span->node, &spans->tree);
	while ((other = drm_svm_span_next(spans, span, other))) {
		if (other->arrival < span->arrival || --other->blockers)
			continue;
		/*
		 * The waiter may return and reuse its stack as soon as it sees
		 * this, which it does under the lock only.
		 */
		wake_up_process(other->task);
	}
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_span_leave);

static bool drm_svm_span_granted(struct drm_svm_spans *spans,
				 struct drm_svm_span *span)
{
	guard(spinlock)(&spans->lock);
	return !span->blockers;
}

/* Without somebody who sets @stop and wakes us: looked at now and then. */
static int drm_svm_span_wait(struct drm_svm_spans *spans,
			     struct drm_svm_span *span, const bool *stop,
			     long patience)
{
	long look = min(patience, stop ? DRM_SVM_SPAN_LOOK : MAX_SCHEDULE_TIMEOUT);
	unsigned long begun = jiffies;
	int ret = 0;

	for (;;) {
		set_current_state(TASK_KILLABLE);
		if (drm_svm_span_granted(spans, span))
			break;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		if (stop && READ_ONCE(*stop)) {
			ret = -ESRCH;
			break;
		}
		if (patience != MAX_SCHEDULE_TIMEOUT &&
		    time_after_eq(jiffies, begun + patience)) {
			ret = -EAGAIN;
			break;
		}
		schedule_timeout(look);
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

static void drm_svm_span_init(struct drm_svm_span *span, u64 first, u64 last)
{
	span->node.start = first;
	span->node.last = last;
	span->task = current;
}

/**
 * drm_svm_span_lock_for() - take an interval for service, if it does not take too long
 * @spans: the address space's lock
 * @span: the caller's, on its stack; until drm_svm_span_unlock()
 * @first: first byte
 * @last: last byte
 * @stop: ends the wait when it becomes true; or NULL
 * @patience: jiffies to wait
 *
 * For who has somebody waiting for him, or a deadline: the interval's holder may wait
 * for what a process, and another device, can hold up for as long as it likes. His place
 * in the line is lost with it.
 *
 * Context: may sleep; outside of all other locks of drm_svm and of mmap_lock.
 * Return: 0; -EINTR if a fatal signal came first, -ESRCH if @stop did, -EAGAIN if
 * neither did and it took too long; then nothing is held.
 */
int drm_svm_span_lock_for(struct drm_svm_spans *spans, struct drm_svm_span *span,
			  u64 first, u64 last, const bool *stop, long patience)
{
	int ret;

	might_sleep();
	drm_svm_span_init(span, first, last);
	lock_map_acquire(&spans->dep_map);

	spin_lock(&spans->lock);
	drm_svm_span_enter(spans, span);
	spin_unlock(&spans->lock);

	ret = drm_svm_span_wait(spans, span, stop, patience);
	if (ret)
		drm_svm_span_unlock(spans, span);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_span_lock_for);

/**
 * drm_svm_span_lock_unless() - take an interval for service, unless told to stop
 * @spans: the address space's lock
 * @span: the caller's, on its stack; until drm_svm_span_unlock()
 * @first: first byte
 * @last: last byte
 * @stop: ends the wait when it becomes true; or NULL
 *
 * For who cannot be sent a signal, and is waited for by somebody who is not to wait
 * for the interval's holder.
 *
 * Context: may sleep; outside of all other locks of drm_svm and of mmap_lock.
 * Return: 0; -EINTR if a fatal signal came first, -ESRCH if @stop did; then nothing
 * is held.
 */
int drm_svm_span_lock_unless(struct drm_svm_spans *spans,
			     struct drm_svm_span *span, u64 first, u64 last,
			     const bool *stop)
{
	return drm_svm_span_lock_for(spans, span, first, last, stop,
				     MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_span_lock_unless);

/**
 * drm_svm_span_lock() - take an interval for service
 * @spans: the address space's lock
 * @span: the caller's, on its stack; until drm_svm_span_unlock()
 * @first: first byte
 * @last: last byte
 *
 * Context: may sleep; outside of all other locks of drm_svm and of mmap_lock.
 * Return: 0, or -EINTR if a fatal signal came first; then nothing is held.
 */
int drm_svm_span_lock(struct drm_svm_spans *spans, struct drm_svm_span *span,
		      u64 first, u64 last)
{
	return drm_svm_span_lock_unless(spans, span, first, last, NULL);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_span_lock);

/**
 * drm_svm_span_trylock() - take an interval for service, if nobody has any of it
 * @spans: the address space's lock
 * @span: the caller's, on its stack; until drm_svm_span_unlock()
 * @first: first byte
 * @last: last byte
 *
 * Context: process; waits for nothing.
 * Return: true if it is held.
 */
bool drm_svm_span_trylock(struct drm_svm_spans *spans,
			  struct drm_svm_span *span, u64 first, u64 last)
{
	drm_svm_span_init(span, first, last);
	spin_lock(&spans->lock);
	if (drm_svm_span_next(spans, span, NULL)) {
		spin_unlock(&spans->lock);
		return false;
	}
	drm_svm_span_enter(spans, span);
	spin_unlock(&spans->lock);
	lock_map_acquire_try(&spans->dep_map);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_span_trylock);

/**
 * drm_svm_span_unlock() - give an interval back
 * @spans: the address space's lock
 * @span: what drm_svm_span_lock() or drm_svm_span_trylock() took
 *
 * Context: the task that took it.
 */
void drm_svm_span_unlock(struct drm_svm_spans *spans, struct drm_svm_span *span)
{
	spin_lock(&spans->lock);
	drm_svm_span_leave(spans, span);
	spin_unlock(&spans->lock);
	lock_map_release(&spans->dep_map);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_span_unlock);
