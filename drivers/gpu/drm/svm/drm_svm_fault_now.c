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

/**
 * struct drm_svm_call - a fault that is served here
 * @svm: address space
 * @base: first byte of the range
 * @page: index
 * @write: not only read
 * @deadline: jiffies
 * @over: the lane has done what it was asked for
 * @error: and how it ended; both under the lock of &drm_svm.idle
 */
struct drm_svm_call {
	struct drm_svm *svm;
	u64 base;
	unsigned int page;
	bool write;
	unsigned long deadline;
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
	return max(0L, (long)(call->deadline - jiffies));
}

/* Under the lane's lock. */
static void drm_svm_call_done(struct drm_svm_lane_job *job, int error)
{
	struct drm_svm_pagein *in = container_of(job, struct drm_svm_pagein, job);
	struct drm_svm_call *call = in->waiter;

	guard(spinlock)(&call->svm->idle.lock);
	call->over = true;
	call->error = error;
	wake_up_all_locked(&call->svm->idle);
}

static bool drm_svm_call_over(struct drm_svm_call *call)
{
	guard(spinlock)(&call->svm->idle.lock);
	return call->over || READ_ONCE(call->svm->dying);
}

/* Return: 0 if @jiffies have passed or what is waited for has happened, or an error. */
static int drm_svm_call_sleep(struct drm_svm_call *call, long jiffies)
{
	long left = drm_svm_call_left(call), ret;

	if (!left)
		return -ETIME;
	ret = wait_event_interruptible_timeout(call->svm->idle,
					       drm_svm_call_over(call),
					       min(jiffies, left));
	if (ret < 0)
		return -EINTR;
	return READ_ONCE(call->svm->dying) ? -ESRCH : 0;
}

/* Return: what the lane found: 0 if it may be there now; or why we wait no more. */
static int drm_svm_call_await(struct drm_svm_call *call,
			      struct drm_svm_pagein *in)
{
	int ret = drm_svm_call_sleep(call, MAX_SCHEDULE_TIMEOUT);

	/* It looks at us no more. */
	drm_svm_lane_stop(&in->job);
	if (ret)
		return ret;
	if (!call->over)
		return -ETIME;
	return call->error == -EFAULT || call->error == -EACCES ? call->error : 0;
}

static int drm_svm_call_hold(struct drm_svm_call *call)
{
	struct drm_svm_pagein *in =
		drm_svm_pagein_make(call->svm->smm, call->base);
	int ret;

	if (!in)
		return -ENOMEM;
	__set_bit(call->page, in->want);
	if (call->write)
		__set_bit(call->page, in->write);
	call->over = false;
	in->job.done = drm_svm_call_done;
	in->waiter = call;
	ret = drm_svm_pagein_start(in) ? -EAGAIN : drm_svm_call_await(call, in);
	drm_svm_pagein_put(in);
	return ret;
}

/* Return: as drm_svm_serve(); -ETIME and -EINTR of a page that is long in coming. */
static int drm_svm_call_try(struct drm_svm_call *call)
{
	DECLARE_BITMAP(want, DRM_SVM_RANGE_PAGES) = {};
	DECLARE_BITMAP(none, DRM_SVM_RANGE_PAGES) = {};
	DECLARE_BITMAP(held, DRM_SVM_RANGE_PAGES);
	int ret;

	__set_bit(call->page, want);
	ret = drm_svm_serve(call->svm, call->base, want,
			    call->write ? want : none, held);
	if (ret || bitmap_empty(held, DRM_SVM_RANGE_PAGES))
		return ret;
	/* What has come may have gone again: served once more. */
	return drm_svm_call_hold(call) ?: -EINPROGRESS;
}

static int drm_svm_call_serve(struct drm_svm_call *call)
{
	unsigned int io_tries = 0;
	long backoff = 1;
	int ret, why;

	for (;;) {
		ret = drm_svm_call_try(call);
		if (ret == -EINPROGRESS)
			continue;
		if (!drm_svm_fault_transient(ret) || ret == -EINTR)
			return ret;
		if (ret == -EIO && ++io_tries > DRM_SVM_IO_TRIES)
			return ret;
		call->over = false;
		why = drm_svm_call_sleep(call, backoff);
		if (why)
			return why == -ETIME && ret != -EAGAIN ? ret : why;
		backoff = min(backoff * 2, HZ / 10L);
	}
}

/**
 * drm_svm_handle_fault() - serve one fault, here and now
 * @svm: address space; it may have a queue or not
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
 * way; or why the access cannot be made: -EFAULT, -EACCES, -EOPNOTSUPP, -ENODEV.
 */
int drm_svm_handle_fault(struct drm_svm *svm, u64 addr,
			 enum drm_svm_access access, unsigned long deadline)
{
	struct drm_svm_call call = {
		.svm = svm,
		.base = addr & DRM_SVM_RANGE_MASK,
		.page = drm_svm_page_index(addr),
		.write = access != DRM_SVM_READ,
		.deadline = deadline,
	};
	int ret;

	might_sleep();
	if (!drm_svm_call_enter(svm))
		return -ESRCH;
	ret = drm_svm_call_serve(&call);
	drm_svm_call_leave(svm);
	return ret;
}
EXPORT_SYMBOL_GPL(drm_svm_handle_fault);
