// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The process that an address space belongs to, and how its end is noticed.
 *
 * The process is a thread group that uses the mirrored memory. Threads of it come
 * and go, with descriptor tables of their own or without; a child of vfork(2) or
 * of clone(CLONE_VM) uses the same memory in another thread group: none of these
 * ends it. It has ended for us when no thread of the group uses that memory: all
 * have exited, or the process has replaced it by execve(2).
 *
 * Three look for that. The MMU notifier's release is told when nobody at all uses
 * the memory. That may never come: a service of a fault is a user too, and a
 * program that faults all the time, or whose page does not come, keeps the memory
 * for ever. So who waits for a pidfd is told when the last thread has gone, and so
 * are we; and each fault is looked at when it is fetched, for execve(2) has no
 * such event.
 */

#include <linux/mm_types.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "vgem_svm_drv.h"

/**
 * vgem_svm_owner_gone() - has the owner left the mirrored memory?
 * @owner: owner
 *
 * Context: any but hard interrupt.
 * Return: true if no thread of the process uses it any more, and none will.
 */
bool vgem_svm_owner_gone(const struct vgem_svm_owner *owner)
{
	struct task_struct *leader, *task;

	guard(rcu)();
	leader = pid_task(owner->pid, PIDTYPE_TGID);
	if (!leader)
		return true;
	for_each_thread(leader, task)
		if (READ_ONCE(task->mm) == owner->mm)
			return false;
	return true;
}

/**
 * vgem_svm_owner_is() - is the caller the owner?
 * @owner: owner
 *
 * Context: process.
 * Return: true if it uses the memory that the owner had. After fork and exec it does
 * not.
 */
bool vgem_svm_owner_is(const struct vgem_svm_owner *owner)
{
	return current->mm == owner->mm;
}

/* Under the task list's lock: what there is to be done is done elsewhere. */
static int vgem_svm_owner_wake(struct wait_queue_entry *wait, unsigned int mode,
			       int sync, void *key)
{
	struct vgem_svm_vm *vm =
		container_of(wait, struct vgem_svm_vm, owner.wait);

	vgem_svm_vm_reap(vm);
	return 0;
}

/**
 * vgem_svm_owner_init() - remember the calling process
 * @owner: of an address space
 */
void vgem_svm_owner_init(struct vgem_svm_owner *owner)
{
	owner->pid = get_pid(task_tgid(current));
	/* Not from being taken down, only from being freed and used for another. */
	owner->mm = current->mm;
	mmgrab(owner->mm);
}

/**
 * vgem_svm_owner_watch() - wait for the end of the process
 * @owner: of an address space, on which vgem_svm_vm_reap() may be called from now
 *	on until vgem_svm_owner_leave()
 */
void vgem_svm_owner_watch(struct vgem_svm_owner *owner)
{
	init_waitqueue_func_entry(&owner->wait, vgem_svm_owner_wake);
	add_wait_queue(&owner->pid->wait_pidfd, &owner->wait);
}

/**
 * vgem_svm_owner_leave() - its end does not matter any more
 * @owner: owner, watched
 *
 * When it returns no call of vgem_svm_vm_reap() for the end of the process is
 * running.
 */
void vgem_svm_owner_leave(struct vgem_svm_owner *owner)
{
	remove_wait_queue(&owner->pid->wait_pidfd, &owner->wait);
}

/**
 * vgem_svm_owner_fini() - forget it
 * @owner: owner, not watched
 */
void vgem_svm_owner_fini(struct vgem_svm_owner *owner)
{
	mmdrop(owner->mm);
	put_pid(owner->pid);
}
