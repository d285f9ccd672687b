/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _VGEM_SVM_DRV_H_
#define _VGEM_SVM_DRV_H_

#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/rwsem.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_gpt.h>
#include <drm/drm_svm.h>
#include <drm/drm_svm_fault.h>
#include <drm/drm_svm_gpt.h>
#include <uapi/drm/vgem_svm_drm.h>

#include "hw/vgem_svm_hw.h"
#include "vgem_svm_bind.h"
#include "vgem_svm_userptr.h"

#define VGEM_SVM_PT_RING_BYTES		SZ_512K
#define VGEM_SVM_COPY_RING_BYTES	SZ_64K
#define VGEM_SVM_QUEUE_RING_BYTES	SZ_8K
/* EXECs of one queue that have not ended. */
#define VGEM_SVM_QUEUE_JOBS		64
#define VGEM_SVM_FAULT_LOG		64
/* Records in drm_svm: one process with 31 channels, 64 threads each, has its share. */
#define VGEM_SVM_FAULT_SLOTS		4096
#define VGEM_SVM_RESIDENCY_BYTES	((u64)SZ_1G)

/* pt_update= */
enum vgem_svm_pt_mode {
	VGEM_SVM_PT_CPU,
	VGEM_SVM_PT_CMDBUF,
	VGEM_SVM_PT_DEVICE,
	VGEM_SVM_PT_MIXED,
};

/* Attributes of leaves, as the hardware's manual says what they do. */
enum vgem_svm_attr {
	VGEM_SVM_ATTR_PLAIN,
	VGEM_SVM_ATTR_NO_EXEC,
	VGEM_SVM_ATTR_UNCACHED,
	VGEM_SVM_ATTR_NO_EXEC_UNCACHED,
};

extern enum vgem_svm_pt_mode vgem_svm_pt_mode;
extern unsigned int vgem_svm_pt_cpu_max;
extern unsigned int vgem_svm_fault_entries;
extern unsigned int vgem_svm_nr_compute;
extern unsigned int vgem_svm_vram_mb;
extern unsigned int vgem_svm_fault_deadline_ms;
extern unsigned int vgem_svm_fence_timeout_ms;
extern bool vgem_svm_fault_each;
extern bool vgem_svm_system_atomics;
extern unsigned long vgem_svm_max_insns;
extern unsigned long vgem_svm_launch_insns;

struct vgem_svm_dev;
struct vgem_svm_user;

/* What one user may have only so many of on a device. */
enum vgem_svm_user_item {
	VGEM_SVM_USER_VMS,
	VGEM_SVM_USER_QUEUES,
	VGEM_SVM_USER_JOBS,
	VGEM_SVM_USER_GEM_PAGES,
	VGEM_SVM_USER_BINDS,
	VGEM_SVM_USER_NR
};

/**
 * struct vgem_svm_ring - a ring of packets and the fence behind them
 * @vdev: device
 * @chan: hardware channel
 * @words: the ring, coherent memory
 * @dma: its bus address
 * @nr_words: size
 * @lock: guards what follows; inside every lock of drm_svm and drm_gpt
 * @tail: words written, free running
 * @credits: words reserved and not yet written
 * @kept: the same when a flush was last waited for: nobody can have so many meanwhile
 * @seq: number of the last fence
 * @dead: it takes no more, its fences never pass
 */
struct vgem_svm_ring {
	struct vgem_svm_dev *vdev;
	u32 chan;
	u64 *words;
	dma_addr_t dma;
	u32 nr_words;
	spinlock_t lock;
	u64 tail;
	u32 credits;
	u32 kept;
	u64 seq;
	bool dead;
};

/**
 * struct vgem_svm_dev - a device
 * @drm: the DRM device
 * @dev: the platform device
 * @hw: its hardware
 * @id: number
 * @fences: a page with one 64-bit fence value per channel, coherent
 * @fences_dma: its bus address
 * @fence_wait: woken by each fence interrupt
 * @pt_ring: page-table ring
 * @copy_ring: the kernel's copy ring
 * @copy_lock: one copy at a time; never held over an allocation
 * @faults: the fault buffer, coherent
 * @faults_dma: its bus address
 * @fault_get: records taken; the fetcher's
 * @fault_queue: service
 * @sdev: the device as drm_svm sees it
 * @region: device memory, zeroed if there is none
 * @inv_lock: the four registers of an invalidation
 * @vms: address spaces by hardware number
 * @chan_lock: guards @queues and @chans
 * @queues: queue by channel
 * @chans: channels in use
 * @done_work: finds EXECs that have ended
 * @error_work: finds channels that have died
 * @fence_lock: guards @fence_list, and what queues have of it; taken in interrupts,
 *	outside of fences' own locks
 * @fence_list: struct vgem_svm_fence that are not signalled
 * @fence_tick: ends queues that take too long
 * @fence_timeout_ms: how long that is
 * @fence_wq: for what fences wait for: @fence_tick, &vgem_svm_queue.submit_work
 * @pt_tables: page tables in device memory
 * @pt_packets: packets put into @pt_ring
 * @next_uid: names queues apart over the life of the device
 * @user_lock: guards @users
 * @users: struct vgem_svm_user, those who have an address space
 * @wq: runs &vgem_svm_vm.reap_work
 * @nr_vms: address spaces that hold a hardware number
 * @kill_lock: starting something on the hardware against stopping all of it
 * @irq_on: an interrupt may queue work
 * @wedged: the hardware did not answer; set when it has been stopped
 */
struct vgem_svm_dev {
	struct drm_device drm;
	struct device *dev;
	struct vgem_svm_hw *hw;
	u32 id;
	u64 *fences;
	dma_addr_t fences_dma;
	wait_queue_head_t fence_wait;
	struct vgem_svm_ring pt_ring;
	struct vgem_svm_ring copy_ring;
	struct mutex copy_lock;
	struct vgem_svm_hw_fault *faults;
	dma_addr_t faults_dma;
	u64 fault_get;
	struct drm_svm_fault_queue fault_queue;
	struct drm_svm_device sdev;
	struct drm_svm_region region;
	spinlock_t inv_lock;
	struct xarray vms;
	spinlock_t chan_lock;
	struct vgem_svm_queue *queues[VGEM_SVM_HW_NR_CHANS];
	DECLARE_BITMAP(chans, VGEM_SVM_HW_NR_CHANS);
	struct work_struct done_work;
	struct work_struct error_work;
	spinlock_t fence_lock; /* fence_list */
	struct list_head fence_list;
	struct delayed_work fence_tick;
	u32 fence_timeout_ms;
	struct workqueue_struct *fence_wq;
	struct ida pt_tables;
	atomic64_t pt_packets;
	atomic_t next_uid;
	spinlock_t user_lock;
	struct list_head users;
	struct workqueue_struct *wq;
	atomic_t nr_vms;
	spinlock_t kill_lock;
	bool irq_on;
	bool wedged;
};

static inline struct vgem_svm_dev *to_vgem_svm_dev(struct drm_device *drm)
{
	return container_of(drm, struct vgem_svm_dev, drm);
}

/**
 * struct vgem_svm_file - an open file
 * @ref: the file and each of its address spaces hold one
 * @lock: serialises creation and destruction of what follows
 * @vms: struct vgem_svm_vm by handle
 * @queues: struct vgem_svm_queue by handle
 */
struct vgem_svm_file {
	struct kref ref;
	struct mutex lock;
	struct xarray vms;
	struct xarray queues;
};

/**
 * struct vgem_svm_owner - the process that an address space belongs to
 * @pid: of its thread group, referenced
 * @mm: its memory, to compare with only; kept from being another's
 * @wait: in @pid's wait queue for pidfds
 */
struct vgem_svm_owner {
	struct pid *pid;
	struct mm_struct *mm;
	wait_queue_entry_t wait;
};

/**
 * struct vgem_svm_vm - an address space
 * @ref: handle, each queue, and @reap_work while it is queued hold one
 * @vdev: device
 * @vfile: the file that it was made on, referenced
 * @user: who made it, referenced
 * @handle: its number for the program; 0 if it never had one
 * @hw_id: number in hardware
 * @owner: the process that made it
 * @sem: read: an ioctl uses it; write: it is being closed. Outermost lock.
 * @closed: nothing works any more; under @sem
 * @gpt: page table
 * @binds: what is bound
 * @userptrs: memory of the process that is
 * @mirrors: it has a mirror too, which is the next two
 * @watches: @exit is in use: it has a mirror, or may have @userptrs
 * @svm: mirror
 * @table: @gpt as where it goes
 * @queues: of it; under @sem
 * @exit: tells that the memory it mirrors goes: exit or exec; only if there is a mirror
 * @reap_work: ends it when the owner has
 * @fault_lock: guards the log
 * @fault_log: last faults that could not be served
 * @nr_faults: such faults so far
 */
struct vgem_svm_vm {
	struct kref ref;
	struct vgem_svm_dev *vdev;
	struct vgem_svm_file *vfile;
	struct vgem_svm_user *user;
	u32 handle;
	u32 hw_id;
	struct vgem_svm_owner owner;
	struct rw_semaphore sem;
	bool closed;
	struct drm_gpt gpt;
	struct vgem_svm_binds binds;
	struct vgem_svm_userptrs userptrs;
	bool watches;
	bool mirrors;
	struct drm_svm svm;
	struct drm_svm_gpt table;
	struct list_head queues;
	struct mmu_interval_notifier exit;
	struct work_struct reap_work;
	spinlock_t fault_lock;
	struct drm_vgem_svm_fault fault_log[VGEM_SVM_FAULT_LOG];
	u64 nr_faults;
};

/**
 * struct vgem_svm_queue - a queue
 * @ref: handle, address space and device lookups hold one
 * @vm: its address space, referenced
 * @node: in &vgem_svm_vm.queues
 * @handle: its number for the program
 * @uid: its number among all of the device, ever
 * @born: number of the first fault record that can be its own
 * @ring: its ring and channel
 * @eventfd: or NULL
 * @no_fault: a fault ends it, and its jobs may have fences
 * @fence_context: of these
 * @nr_armed: fences of jobs in the ring; under &vgem_svm_dev.fence_lock, as are:
 * @fence_value: number of the last job that was seen to have ended
 * @fence_moved: jiffies then
 * @lock: guards what follows
 * @jobs: struct vgem_svm_job, in order; the first @in_ring are in the ring
 * @nr_jobs: their number
 * @completed: EXECs that ended well
 * @status: DRM_VGEM_SVM_QUEUE_*
 * @err_addr: why it is dead
 * @err_pc: program counter then
 * @err_thread: thread then
 * @err_insn: instruction then
 * @dead: that it has ended has been told
 * @closed: being destroyed: takes no more
 * @fence_seq: number of the last fence
 * @submit_work: puts jobs into the ring whose in-fences are signalled
 */
struct vgem_svm_queue {
	struct kref ref;
	struct vgem_svm_vm *vm;
	struct list_head node;
	u32 handle;
	u32 uid;
	u64 born;
	struct vgem_svm_ring ring;
	struct eventfd_ctx *eventfd;
	bool no_fault;
	u64 fence_context;
	u32 nr_armed;
	u64 fence_value;
	unsigned long fence_moved;
	spinlock_t lock;
	struct list_head jobs;
	u32 nr_jobs;
	u64 completed;
	u32 status;
	u64 err_addr;
	u64 err_pc;
	u32 err_thread;
	u32 err_insn;
	bool dead;
	bool closed;
	u64 fence_seq;
	struct work_struct submit_work;
};

/* device */
int vgem_svm_device_init(struct vgem_svm_dev *vdev);
void vgem_svm_device_fini(struct vgem_svm_dev *vdev);
void vgem_svm_device_kill(struct vgem_svm_dev *vdev);

/* irq */
void vgem_svm_irq(void *data);
void vgem_svm_done_work(struct work_struct *work);
void vgem_svm_error_work(struct work_struct *work);

/* rings */
int vgem_svm_ring_init(struct vgem_svm_dev *vdev, struct vgem_svm_ring *ring,
		       u32 chan, u32 bytes);
void vgem_svm_ring_enable(struct vgem_svm_ring *ring, u64 ctrl, u32 vm,
			  u64 budget);
void vgem_svm_ring_stop(struct vgem_svm_ring *ring);
void vgem_svm_ring_fini(struct vgem_svm_ring *ring);
u32 vgem_svm_ring_space(struct vgem_svm_ring *ring);
void vgem_svm_ring_emit(struct vgem_svm_ring *ring, const u64 *pkt, u32 words);
u64 vgem_svm_ring_fence(struct vgem_svm_ring *ring);
u64 vgem_svm_ring_value(struct vgem_svm_ring *ring);
bool vgem_svm_ring_done(struct vgem_svm_ring *ring, u64 seq);
int vgem_svm_ring_wait(struct vgem_svm_ring *ring, u64 seq);
#define VGEM_SVM_FENCE_WORDS	3

/* page-table ring, flushes, copies, faults */
extern const struct drm_gpt_cmd_ops vgem_svm_cmd_ops;
extern const struct drm_gpt_mem_ops vgem_svm_ptmem_ops;
u64 vgem_svm_pt_base(struct vgem_svm_dev *vdev);
int vgem_svm_ptmem_ready(struct vgem_svm_vm *vm);
void vgem_svm_pt_release(struct vgem_svm_ring *ring, u32 words);
u64 vgem_svm_flush_begin(struct drm_svm_gpt *table,
			 struct drm_gpt_gather *gather);
int vgem_svm_flush_wait(struct drm_svm_gpt *table, u64 token, bool may_sleep);
void vgem_svm_flush_gather(struct vgem_svm_vm *vm, struct drm_gpt_gather *gather);
void vgem_svm_flush_vm(struct vgem_svm_vm *vm);
extern const struct drm_svm_region_ops vgem_svm_region_ops;
void vgem_svm_copy_died(struct vgem_svm_dev *vdev);
extern const struct drm_svm_fault_queue_ops vgem_svm_fault_ops;
void vgem_svm_cancel(struct drm_svm *svm, const struct drm_svm_fault *fault,
		     int error);
void vgem_svm_fault_note(struct vgem_svm_queue *queue, u64 what);
int vgem_svm_fault_claimed(struct drm_svm *svm, const struct drm_svm_fault *fault);
void vgem_svm_done(struct drm_svm *svm, const struct drm_svm_fault *fault,
		   int result);

/* files and handles */
int vgem_svm_open(struct drm_device *drm, struct drm_file *file);
void vgem_svm_postclose(struct drm_device *drm, struct drm_file *file);
void vgem_svm_file_put(struct vgem_svm_file *vfile);
struct vgem_svm_vm *vgem_svm_file_find_vm(struct vgem_svm_file *vfile, u32 id);
struct vgem_svm_queue *vgem_svm_file_find_queue(struct vgem_svm_file *vfile,
						u32 id);
int vgem_svm_file_add_vm(struct vgem_svm_vm *vm);
int vgem_svm_file_add_queue(struct vgem_svm_queue *queue);
bool vgem_svm_file_forget_vm(struct vgem_svm_vm *vm);
bool vgem_svm_file_forget_queue(struct vgem_svm_queue *queue);

/* processes and users */
void vgem_svm_owner_init(struct vgem_svm_owner *owner);
void vgem_svm_owner_watch(struct vgem_svm_owner *owner);
void vgem_svm_owner_leave(struct vgem_svm_owner *owner);
void vgem_svm_owner_fini(struct vgem_svm_owner *owner);
bool vgem_svm_owner_gone(const struct vgem_svm_owner *owner);
bool vgem_svm_owner_is(const struct vgem_svm_owner *owner);
struct vgem_svm_user *vgem_svm_user_get(struct vgem_svm_dev *vdev);
void vgem_svm_user_put(struct vgem_svm_user *user);
int vgem_svm_user_charge(struct vgem_svm_user *user,
			 enum vgem_svm_user_item item, u32 n);
void vgem_svm_user_uncharge(struct vgem_svm_user *user,
			    enum vgem_svm_user_item item, u32 n);
u32 vgem_svm_user_number(const struct vgem_svm_user *user);
unsigned int vgem_svm_user_limit(enum vgem_svm_user_item item);

/* address spaces */
int vgem_svm_vm_use(struct vgem_svm_vm *vm);
void vgem_svm_vm_unuse(struct vgem_svm_vm *vm);
struct vgem_svm_vm *vgem_svm_vm_enter(struct drm_file *file, u32 id);
struct vgem_svm_vm *vgem_svm_vm_enter_svm(struct drm_file *file, u32 id);
void vgem_svm_vm_leave(struct vgem_svm_vm *vm);
void vgem_svm_vm_put(struct vgem_svm_vm *vm);
void vgem_svm_vm_replay(struct vgem_svm_vm *vm);
void vgem_svm_vm_close(struct vgem_svm_vm *vm);
bool vgem_svm_vm_end(struct vgem_svm_vm *vm);
void vgem_svm_vm_reap(struct vgem_svm_vm *vm);
int vgem_svm_vm_create_ioctl(struct drm_device *drm, void *data,
			     struct drm_file *file);
int vgem_svm_vm_destroy_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file);

/* queues */
void vgem_svm_queue_put(struct vgem_svm_queue *queue);
void vgem_svm_queue_kill(struct vgem_svm_queue *queue, u32 status);
void vgem_svm_queue_close(struct vgem_svm_queue *queue);
struct vgem_svm_queue *vgem_svm_queue_of_chan(struct vgem_svm_dev *vdev,
					      u32 chan);
struct vgem_svm_queue *vgem_svm_queue_lookup(struct drm_file *file, u32 handle);
int vgem_svm_queue_create_ioctl(struct drm_device *drm, void *data,
				struct drm_file *file);
int vgem_svm_queue_destroy_ioctl(struct drm_device *drm, void *data,
				 struct drm_file *file);
int vgem_svm_queue_query_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file);

/* exec */
int vgem_svm_exec_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file);
void vgem_svm_submit_work(struct work_struct *work);
void vgem_svm_queue_retire(struct vgem_svm_queue *queue);
void vgem_svm_queue_drop_jobs(struct vgem_svm_queue *queue);

/* query */
int vgem_svm_query_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file);

/* svm ioctls */
int vgem_svm_migrate_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file);
int vgem_svm_attr_set_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);
int vgem_svm_attr_get_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);
int vgem_svm_residency_ioctl(struct drm_device *drm, void *data,
			     struct drm_file *file);
int vgem_svm_counters_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);
int vgem_svm_faults_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file);

void vgem_svm_debugfs_init(struct drm_minor *minor);

/*
 * Elements of an array: as large as the first version of the header had them, or
 * of a later one.
 */
static inline bool vgem_svm_stride_ok(u32 stride, u32 least)
{
	return stride >= least && stride <= DRM_VGEM_SVM_MAX_STRIDE;
}

/* A field of an ioctl is not what it has to be: says which. */
#define vgem_svm_bad(drm, field) ({					\
	drm_dbg(drm, "%s: bad %s\n", __func__, field);			\
	-EINVAL;							\
})

#endif /* _VGEM_SVM_DRV_H_ */
