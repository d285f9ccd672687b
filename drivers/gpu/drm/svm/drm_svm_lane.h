/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_LANE_H_
#define _DRM_SVM_LANE_H_

#include <linux/list.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct task_struct;

/**
 * struct drm_svm_lane_job - something that may take for ever
 * @node: in the lane's lists
 * @user: whose doing it is; each has a share of the threads
 * @task: the thread that runs it
 * @stopped: nobody waits for it any more
 * @run: the work. Gets a fatal signal when the job is stopped; what it then still
 *	waits for holds the thread and nothing else.
 *	Return: 0 or an error, for @done.
 * @done: the end of a job that was not stopped; under the lane's lock: no sleep,
 *	no call of the lane
 * @release: the thread's last look at the job
 *
 * All but the functions and @user is under the lane's lock.
 */
struct drm_svm_lane_job {
	struct list_head node;
	kuid_t user;
	struct task_struct *task;
	bool stopped;
	int (*run)(struct drm_svm_lane_job *job);
	void (*done)(struct drm_svm_lane_job *job, int error);
	void (*release)(struct drm_svm_lane_job *job);
};

void drm_svm_lane_job_init(struct drm_svm_lane_job *job);
int drm_svm_lane_submit(struct drm_svm_lane_job *job);
void drm_svm_lane_stop(struct drm_svm_lane_job *job);
bool drm_svm_lane_stopped(struct drm_svm_lane_job *job);
void drm_svm_lane_fini(void);

#endif /* _DRM_SVM_LANE_H_ */
