// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: a fault served here and now
 *
 * For a driver that has a thread of its own per fault, or an interrupt thread, or knows
 * of an access before the device makes it. It needs no queue::
 *
 *	ret = drm_svm_handle_fault(&vm->svm, addr, DRM_SVM_WRITE,
 *				   jiffies + msecs_to_jiffies(1000));
 *	my_hw_answer(vm, record, ret);
 *
 * It is the service that the fault queue's workers do, for one page, without groups and
 * outside of their shares: how many of them there are at a time is the driver's to
 * limit. A page that is long in coming is waited for in the lane, by a thread that
 * holds nothing meanwhile.
 *
 * The call counts in &drm_svm.calls, so that drm_svm_stop() waits for it, and tells it
 * to come back.
 */

#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include "drm_svm_fault_queue.h"
#include "drm_svm_pagein.h"

/* How often who waits for a page looks whether there still is a process that wants it. */
#define DRM_SVM_CALL_LOOK	HZ

/**
 * struct drm_svm_call - pages of a range that are served here
 * @view: where; in use
 * @base: first byte of the range
 * @want: what
 * @deadline: jiffies; not if it is @patient
 * @patient: without an end of its own; then drm_svm_interrupt() ends it too
 * @over: the lane has done what it was asked for
 * @error: and how it ended; both under the lock of &drm_svm.idle
 */
struct drm_svm_call {
	struct drm_svm_view *view;
	u64 base;
	const struct drm_svm_want *want;
	unsigned long deadline;
	bool patient;
	bool over;
	int error;
};

static bool drm_svm_call_enter(struct drm_svm *svm)
{
	guard(spinlock)(&svm->idle.lock);
	if (READ_ONCE(svm->dying))
		return false;
	svm->calls++;
	return true;
}

/* Who waits for @svm has seen the last of us when it gets the lock. */
static void drm_svm_call_leave(struct drm_svm *svm)
{
	guard(spinlock)(&svm->idle.lock);
	svm->calls--;
	wake_up_all_locked(&svm->idle);
}

static long drm_svm_call_left(const struct drm_svm_call *call)
{
	if (call->patient)
		return MAX_SCHEDULE_TIMEOUT;
	return max(0L, (long)(call->deadline - jiffies));
}

/* Under the lane's lock. */
static void drm_svm_call_done(struct drm_svm_lane_job *job, int error)
{
	struct drm_svm_pagein *in = container_of(job, struct drm_svm_pagein, job);
	struct drm_svm_call *call = in->waiter;

	guard(spinlock)(&call->view->svm->idle.lock);
	call->over = true;
	call->error = error;
	wake_up_all_locked(&call->view->svm->idle);
}

/* Is what it works for about to go? */
static bool drm_svm_call_ends(const struct drm_svm_call *call)
{
	struct drm_svm *svm = call->view->svm;

	return READ_ONCE(svm->dying) || drm_svm_view_ends(call->view) ||
	       (call->patient && READ_ONCE(svm->interrupted));
}

static bool drm_svm_call_over(struct drm_svm_call *call)
{
	guard(spinlock)(&call->view->svm->idle.lock);
	return call->over || drm_svm_call_ends(call);
}

/* Return: 0 if @jiffies have passed or what is waited for has happened, or an error. */
static int drm_svm_call_sleep(struct drm_svm_call *call, long jiffies)
{
	long left = drm_svm_call_left(call), ret;

	if (!left)
		return -ETIME;
	ret = wait_event_interruptible_timeout(call->view->svm->idle,
					       drm_svm_call_over(call),
					       min(jiffies, left));
	if (ret < 0)
		return -EINTR;
	return drm_svm_call_ends(call) ? -ESRCH : 0;
}

/* Return: what the lane found: 0 if it may be there now; or why we wait no more. */
static int drm_svm_call_await(struct drm_svm_call *call,
			      struct drm_svm_pagein *in)
{
	int ret;

	/* The lane's thread keeps the memory: nobody tells us that its process goes. */
	do {
		ret = drm_svm_call_sleep(call, DRM_SVM_CALL_LOOK);
		if (!ret && drm_svm_users_alone(in->users))
			ret = -ESRCH;
	} while (!ret && !drm_svm_call_over(call));

	/* It looks at us no more. */
	drm_svm_lane_stop(&in->job);
	if (ret)
		return ret;
	return call->error == -EFAULT || call->error == -EACCES ? call->error : 0;
}

static int drm_svm_call_hold(struct drm_svm_call *call, const unsigned long *held)
{
	struct drm_svm_pagein *in =
		drm_svm_pagein_make(call->view->svm->smm, call->base);
	int ret;

	if (!in)
		return -ENOMEM;
	bitmap_copy(in->want, held, DRM_SVM_RANGE_PAGES);
	bitmap_and(in->write, held, call->want->write, DRM_SVM_RANGE_PAGES);
	call->over = false;
	in->job.done = drm_svm_call_done;
	in->waiter = call;
	ret = drm_svm_pagein_start(in) ? -EAGAIN : drm_svm_call_await(call, in);
	drm_svm_pagein_put(in);
	return ret;
}

/* Return: as drm_svm_serve_view(); -ETIME and -EINTR of a page that is long in coming. */
static int drm_svm_call_try(struct drm_svm_call *call)
{
	struct drm_svm_left left;
	int ret;

	ret = drm_svm_serve_view(call->view, call->base, call->want, &left);
	if (ret)
		return ret;
	if (bitmap_empty(left.held, DRM_SVM_RANGE_PAGES))
		return left.why;
	/* What has come may have gone again: served once more. */
	return drm_svm_call_hold(call, left.held) ?: -EINPROGRESS;
}

/* A shortage, that may pass; who has no deadline is told if it does not pass soon. */
static bool drm_svm_call_scarce(const struct drm_svm_call *call, int error)
{
	return error == -EIO || (error == -ENOMEM && call->patient);
}

static int drm_svm_call_serve(struct drm_svm_call *call)
{
	unsigned int tries = 0;
	long backoff = 1;
	int ret, why;

	for (;;) {
		ret = drm_svm_call_try(call);
		if (ret == -EINPROGRESS)
			continue;
		if (!drm_svm_fault_transient(ret) || ret == -EINTR)
			return ret;
		if (drm_svm_call_scarce(call, ret) && ++tries > DRM_SVM_IO_TRIES)
			return ret;
		call->over = false;
		why = drm_svm_call_sleep(call, backoff);
		if (why)
			return why == -ETIME && ret != -EAGAIN ? ret : why;
		backoff = min(backoff * 2, HZ / 10L);
	}
}

/**
 * drm_svm_serve_patiently() - serve pages of a range, however long they take
 * @view: view, in use
 * @base: first byte of the range
 * @want: what of them
 *
 * Context: as drm_svm_handle_fault().
 * Return: the same, but for -ETIME; -ESRCH also after drm_svm_interrupt() and when the
 * view ends.
 */
int drm_svm_serve_patiently(struct drm_svm_view *view, u64 base,
			    const struct drm_svm_want *want)
{
	struct drm_svm_call call = {
		.view = view,
		.base = base,
		.want = want,
		.patient = true,
	};
	int ret;

	if (!drm_svm_call_enter(view->svm))
		return -ESRCH;
	ret = drm_svm_call_ends(&call) ? -ESRCH : drm_svm_call_serve(&call);
	drm_svm_call_leave(view->svm);
	return ret;
}

/* The access that is asked for is one that the view may make at all. */
static int drm_svm_call_fault(struct drm_svm_view *view, u64 addr,
			      enum drm_svm_access access, unsigned long deadline)
{
	struct drm_svm_want want = {};
	struct drm_svm_call call = {
		.view = view,
		.base = addr & DRM_SVM_RANGE_MASK,
		.want = &want,
		.deadline = deadline,
	};
	int ret = drm_svm_view_may(view, access);

	if (ret)
		return ret;
	drm_svm_want_add(&want, drm_svm_page_index(addr), 1, access);
	if (!drm_svm_call_enter(view->svm))
		return -ESRCH;
	ret = drm_svm_call_serve(&call);
	drm_svm_call_leave(view->svm);
	return ret;
}

/**
 * drm_svm_handle_fault_in() - serve one fault of a view, here and now
 * @view: view; its driver sees to it that it does not end before the call begins
 * @addr: address of the process
 * @access: what was tried
 * @deadline: jiffies when to give up on what only takes its time
 *
 * For devices whose faults name a view, as that of a memory region; views may overlap.
 *
 * Context: as drm_svm_handle_fault(). drm_svm_view_fini() waits for it, and tells it to
 * come back.
 * Return: as drm_svm_handle_fault(); -ESRCH also if the view ends.
 */
int drm_svm_handle_fault_in(struct drm_svm_view *view, u64 addr,
			    enum drm_svm_access access, unsigned long deadline)
{
	int ret;

	might_sleep();
	if (!drm_svm_view_use(view))
		return -ESRCH;
	ret = drm_svm_call_fault(view, addr, access, deadline);
	drm_svm_view_unuse(view);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_handle_fault_in);

/**
 * drm_svm_handle_fault() - serve one fault, here and now
 * @svm: address space; it may have a queue or not. The first of its views that has the
 *	address is meant
 * @addr: address
 * @access: what was tried
 * @deadline: jiffies when to give up on what only takes its time
 *
 * The access can be made afterwards, unless an invalidation comes in between: then the
 * device faults once more.
 *
 * Context: may sleep; no lock is held. Any number of calls at a time; none begins after
 * drm_svm_stop() has returned, which waits for those under way.
 * Return: 0; -ETIME: not before @deadline; -EINTR: a signal came first; -ESRCH: the
 * process or the address space is gone; -ENOMEM or -EIO if that is what has been in the
 * way; -EREMCHG: the driver has claimed the address; or why the access cannot be made:
 * -EFAULT, -EACCES, -EOPNOTSUPP, -ENODEV.
 */
int drm_svm_handle_fault(struct drm_svm *svm, u64 addr,
			 enum drm_svm_access access, unsigned long deadline)
{
	struct drm_svm_view *view;
	int ret;

	might_sleep();
	if (READ_ONCE(svm->dying))
		return -ESRCH;
	view = drm_svm_view_find(svm, addr);
	if (!view)
		return -EFAULT;
	ret = drm_svm_call_fault(view, addr, access, deadline);
	drm_svm_view_unuse(view);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_handle_fault);
