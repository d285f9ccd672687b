// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: held pages
 *
 * A page may never come: its file system's server does not answer, whoever
 * serves its userfaultfd thinks. What waits for such a page must hold nothing that
 * others need: not mmap_lock, not the service lock, no SRCU section, no worker of
 * the fault queues. So it waits here, in a thread of the lane: few threads of our
 * own that can be sent a signal, which a worker of a workqueue cannot.
 *
 * A job is submitted, waits for a thread, runs, and is done; or it is stopped
 * before: then its @done is not called any more, and a fatal signal ends what its
 * thread waits for. Some waits do not end by a signal (a request that a FUSE
 * server has taken, without asynchronous reads). Such a thread stays until the
 * answer comes or the connection ends. It then holds the job, the mm and this
 * module, and nothing of a device or of the fault queue.
 *
 * One user has a share of the threads, so that another's held pages find one.
 *
 * Lock: one spinlock, inside nothing and outside of the fault queue's lock, which
 * @done may take.
 */

#include <kunit/visibility.h>

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "drm_svm_lane.h"

/* A thread is 16 KiB of stack; as many as that can be held for good. */
#define DRM_SVM_LANE_THREADS	64
#define DRM_SVM_LANE_PER_USER	16
/* Threads that stay for the next job; the rest goes after a while. */
#define DRM_SVM_LANE_KEEP	2
#define DRM_SVM_LANE_LINGER	(5 * HZ)

/**
 * struct drm_svm_lane_thread - a thread
 * @all: in the list of all
 * @idle: in the list of those that have nothing to do, if it has not
 * @task: it
 */
struct drm_svm_lane_thread {
	struct list_head all;
	struct list_head idle;
	struct task_struct *task;
};

static DEFINE_SPINLOCK(drm_svm_lane_lock);
static LIST_HEAD(drm_svm_lane_waiting);
static LIST_HEAD(drm_svm_lane_running);
static LIST_HEAD(drm_svm_lane_threads);
static LIST_HEAD(drm_svm_lane_idle);
static unsigned int drm_svm_lane_nr_threads;

static void drm_svm_lane_reap(struct work_struct *work);
static DECLARE_DELAYED_WORK(drm_svm_lane_reap_work, drm_svm_lane_reap);

static unsigned int drm_svm_lane_nr_running(kuid_t user)
{
	struct drm_svm_lane_job *job;
	unsigned int n = 0;

	list_for_each_entry(job, &drm_svm_lane_running, node)
		n += uid_eq(job->user, user);
	return n;
}

/* The oldest job whose user has not got its share yet. */
static struct drm_svm_lane_job *drm_svm_lane_pick(void)
{
	struct drm_svm_lane_job *job;

	lockdep_assert_held(&drm_svm_lane_lock);
	list_for_each_entry(job, &drm_svm_lane_waiting, node)
		if (drm_svm_lane_nr_running(job->user) < DRM_SVM_LANE_PER_USER)
			return job;
	return NULL;
}

static void drm_svm_lane_wake_one(void)
{
	struct drm_svm_lane_thread *thread;

	lockdep_assert_held(&drm_svm_lane_lock);
	thread = list_first_entry_or_null(&drm_svm_lane_idle,
					  struct drm_svm_lane_thread, idle);
	if (!thread)
		return;
	/* The next one to be woken is another. */
	list_del_init(&thread->idle);
	wake_up_process(thread->task);
}

/* Return: true if it waits; the caller, which is not running by then, sleeps. */
static bool drm_svm_lane_go_idle(struct drm_svm_lane_thread *thread)
{
	guard(spinlock)(&drm_svm_lane_lock);
	if (drm_svm_lane_pick() || kthread_should_stop()) {
		__set_current_state(TASK_RUNNING);
		return false;
	}
	list_add(&thread->idle, &drm_svm_lane_idle);
	return true;
}

static struct drm_svm_lane_job *drm_svm_lane_next(void)
{
	struct drm_svm_lane_job *job;

	guard(spinlock)(&drm_svm_lane_lock);
	job = drm_svm_lane_pick();
	if (!job)
		return NULL;
	list_move_tail(&job->node, &drm_svm_lane_running);
	job->task = current;
	return job;
}

static void drm_svm_lane_finish(struct drm_svm_lane_job *job, int error)
{
	spin_lock(&drm_svm_lane_lock);
	job->task = NULL;
	list_del_init(&job->node);
	if (!job->stopped)
		job->done(job, error);
	/* Its user may have another that waited for this one's share. */
	if (drm_svm_lane_pick())
		drm_svm_lane_wake_one();
	spin_unlock(&drm_svm_lane_lock);

	/* Nobody sends us any more: signals go to the job's task only. */
	flush_signals(current);
	job->release(job);
	module_put(THIS_MODULE);
}

static int drm_svm_lane_thread(void *data)
{
	struct drm_svm_lane_thread *thread = data;
	struct drm_svm_lane_job *job;

	allow_signal(SIGKILL);
	while (!kthread_should_stop()) {
		job = drm_svm_lane_next();
		if (job) {
			drm_svm_lane_finish(job, job->run(job));
			continue;
		}
		set_current_state(TASK_IDLE);
		if (!drm_svm_lane_go_idle(thread))
			continue;
		schedule_delayed_work(&drm_svm_lane_reap_work,
				      DRM_SVM_LANE_LINGER);
		schedule();
		__set_current_state(TASK_RUNNING);
		spin_lock(&drm_svm_lane_lock);
		list_del_init(&thread->idle);
		spin_unlock(&drm_svm_lane_lock);
	}
	return 0;
}

static int drm_svm_lane_add_thread(void)
{
	struct drm_svm_lane_thread *thread;
	struct task_struct *task;

	thread = kzalloc_obj(*thread, GFP_KERNEL);
	if (!thread)
		return -ENOMEM;
	INIT_LIST_HEAD(&thread->idle);
	task = kthread_create(drm_svm_lane_thread, thread, "drm_svm_lane");
	if (IS_ERR(task)) {
		kfree(thread);
		return PTR_ERR(task);
	}
	thread->task = get_task_struct(task);
	spin_lock(&drm_svm_lane_lock);
	list_add(&thread->all, &drm_svm_lane_threads);
	spin_unlock(&drm_svm_lane_lock);
	wake_up_process(task);
	return 0;
}

/* Return: true if the caller is to make one; it is counted already. */
static bool drm_svm_lane_wants_thread(void)
{
	guard(spinlock)(&drm_svm_lane_lock);
	if (!drm_svm_lane_pick())
		return false;
	if (!list_empty(&drm_svm_lane_idle)) {
		drm_svm_lane_wake_one();
		return false;
	}
	if (drm_svm_lane_nr_threads == DRM_SVM_LANE_THREADS)
		return false;
	drm_svm_lane_nr_threads++;
	return true;
}

static int drm_svm_lane_grow(void)
{
	int ret;

	if (!drm_svm_lane_wants_thread())
		return 0;
	ret = drm_svm_lane_add_thread();
	if (!ret)
		return 0;
	guard(spinlock)(&drm_svm_lane_lock);
	/* Without any thread at all nobody would ever take it. */
	return --drm_svm_lane_nr_threads ? 0 : ret;
}

/* Return: false if it has been stopped already. */
static bool drm_svm_lane_add(struct drm_svm_lane_job *job)
{
	guard(spinlock)(&drm_svm_lane_lock);
	if (job->stopped)
		return false;
	list_add_tail(&job->node, &drm_svm_lane_waiting);
	return true;
}

/* Return: true if it is not the lane's any more, and will not be released. */
static bool drm_svm_lane_withdraw(struct drm_svm_lane_job *job)
{
	guard(spinlock)(&drm_svm_lane_lock);
	if (list_empty(&job->node) || job->task)
		return false;
	list_del_init(&job->node);
	return true;
}

/**
 * drm_svm_lane_job_init() - prepare a job
 * @job: job, zeroed; the caller sets its functions and @user
 *
 * From here on it may be stopped.
 */
void drm_svm_lane_job_init(struct drm_svm_lane_job *job)
{
	INIT_LIST_HEAD(&job->node);
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_lane_job_init);

/**
 * drm_svm_lane_submit() - have a job run by a thread that may be held
 * @job: job; its functions and @user are set. On success the lane's until @release.
 *
 * Context: may sleep; holds a reference to this module for the job.
 * Return: 0, -ECANCELED if it has been stopped before, or an error of
 * kthread_create(); then nothing of the job happens.
 */
int drm_svm_lane_submit(struct drm_svm_lane_job *job)
{
	int ret;

	__module_get(THIS_MODULE);
	ret = drm_svm_lane_add(job) ? drm_svm_lane_grow() : -ECANCELED;
	if (!ret)
		return 0;
	if (ret == -ECANCELED || drm_svm_lane_withdraw(job)) {
		module_put(THIS_MODULE);
		return ret;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_lane_submit);

/**
 * drm_svm_lane_stop() - nobody waits for a job any more
 * @job: submitted; the caller holds what keeps it from being freed by @release
 *
 * @done is not called after this has returned. A job that waits for a thread never
 * runs; one that runs gets a fatal signal, and is not waited for.
 *
 * Context: does not sleep; no lock that @done takes is held.
 */
void drm_svm_lane_stop(struct drm_svm_lane_job *job)
{
	bool waiting;

	spin_lock(&drm_svm_lane_lock);
	waiting = !job->stopped && !job->task && !list_empty(&job->node);
	job->stopped = true;
	if (job->task)
		send_sig(SIGKILL, job->task, 1);
	else if (waiting)
		list_del_init(&job->node);
	spin_unlock(&drm_svm_lane_lock);

	if (waiting) {
		job->release(job);
		module_put(THIS_MODULE);
	}
}
EXPORT_SYMBOL_IF_KUNIT(drm_svm_lane_stop);

/**
 * drm_svm_lane_stopped() - is what a job does still wanted?
 * @job: job that runs
 *
 * Context: any.
 * Return: true if it has been stopped.
 */
bool drm_svm_lane_stopped(struct drm_svm_lane_job *job)
{
	return READ_ONCE(job->stopped);
}

/* Takes an idle thread out of the lane. */
static struct drm_svm_lane_thread *drm_svm_lane_spare(unsigned int keep)
{
	struct drm_svm_lane_thread *thread;

	guard(spinlock)(&drm_svm_lane_lock);
	if (list_count_nodes(&drm_svm_lane_idle) <= keep)
		return NULL;
	thread = list_last_entry(&drm_svm_lane_idle,
				 struct drm_svm_lane_thread, idle);
	list_del_init(&thread->idle);
	list_del(&thread->all);
	drm_svm_lane_nr_threads--;
	return thread;
}

static void drm_svm_lane_end_thread(struct drm_svm_lane_thread *thread)
{
	kthread_stop(thread->task);
	put_task_struct(thread->task);
	kfree(thread);
}

static void drm_svm_lane_reap(struct work_struct *work)
{
	struct drm_svm_lane_thread *thread;

	while ((thread = drm_svm_lane_spare(DRM_SVM_LANE_KEEP)))
		drm_svm_lane_end_thread(thread);
}

/**
 * drm_svm_lane_fini() - end all threads
 *
 * Context: module exit: jobs hold references to the module, so there is none.
 */
void drm_svm_lane_fini(void)
{
	struct drm_svm_lane_thread *thread, *next;

	cancel_delayed_work_sync(&drm_svm_lane_reap_work);
	list_for_each_entry_safe(thread, next, &drm_svm_lane_threads, all)
		drm_svm_lane_end_thread(thread);
	/* One that was just going idle may have asked for it again. */
	cancel_delayed_work_sync(&drm_svm_lane_reap_work);
}
