// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The service lock: an interval lock over a process's addresses. Whoever
 * services faults in, migrates or prefetches a span holds it for that span, so
 * that each page has one servicer at a time and disjoint spans run in parallel.
 *
 * A range lock per block would have to be taken many times by a long span:
 * lockdep's depth ends at 48, and two overlapping spans would need an order.
 * Here a span is taken whole or not at all, in order of arrival: it is granted
 * when nothing before it in the list overlaps it. So there is no deadlock
 * between two spans and nobody starves.
 *
 * It is the outermost lock: nothing that holds mmap_lock, a dma_resv or a lock
 * taken in a notifier may ask for it.
 */

#include <kunit/visibility.h>

#include <linux/lockdep.h>
#include <linux/sched/signal.h>

#include "drm_svm_internal.h"

static struct lock_class_key drm_svm_span_key;

void drm_svm_spans_init(struct drm_svm_spans *spans)
{
	spin_lock_init(&spans->lock);
	INIT_LIST_HEAD(&spans->list);
	lockdep_init_map(&spans->dep_map, "drm_svm_span", &drm_svm_span_key, 0);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_spans_init);

static bool drm_svm_span_blocked(struct drm_svm_spans *spans,
				 struct drm_svm_span *span)
{
	struct drm_svm_span *other;

	lockdep_assert_held(&spans->lock);

	list_for_each_entry(other, &spans->list, node) {
		if (other == span)
			return false;
		if (other->first <= span->last && span->first <= other->last)
			return true;
	}
	return false;
}

static void drm_svm_span_grant(struct drm_svm_spans *spans)
{
	struct drm_svm_span *span;

	list_for_each_entry(span, &spans->list, node) {
		if (span->granted || drm_svm_span_blocked(spans, span))
			continue;
		/*
		 * The waiter may return and reuse its stack as soon as it sees
		 * this, which it does under the lock only.
		 */
		span->granted = true;
		wake_up_process(span->task);
	}
}

static void drm_svm_span_del(struct drm_svm_spans *spans,
			     struct drm_svm_span *span)
{
	list_del(&span->node);
	drm_svm_span_grant(spans);
}

static bool drm_svm_span_granted(struct drm_svm_spans *spans,
				 struct drm_svm_span *span)
{
	guard(spinlock)(&spans->lock);
	return span->granted;
}

static int drm_svm_span_wait(struct drm_svm_spans *spans,
			     struct drm_svm_span *span)
{
	int ret = 0;

	for (;;) {
		set_current_state(TASK_KILLABLE);
		if (drm_svm_span_granted(spans, span))
			break;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

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
	int ret;

	might_sleep();
	span->first = first;
	span->last = last;
	span->task = current;
	lock_map_acquire(&spans->dep_map);

	spin_lock(&spans->lock);
	list_add_tail(&span->node, &spans->list);
	span->granted = !drm_svm_span_blocked(spans, span);
	spin_unlock(&spans->lock);

	ret = drm_svm_span_wait(spans, span);
	if (!ret)
		return 0;

	spin_lock(&spans->lock);
	drm_svm_span_del(spans, span);
	spin_unlock(&spans->lock);
	lock_map_release(&spans->dep_map);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_span_lock);

/**
 * drm_svm_span_unlock() - give an interval back
 * @spans: the address space's lock
 * @span: what drm_svm_span_lock() took
 *
 * Context: the task that took it.
 */
void drm_svm_span_unlock(struct drm_svm_spans *spans, struct drm_svm_span *span)
{
	spin_lock(&spans->lock);
	drm_svm_span_del(spans, span);
	spin_unlock(&spans->lock);
	lock_map_release(&spans->dep_map);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_span_unlock);
