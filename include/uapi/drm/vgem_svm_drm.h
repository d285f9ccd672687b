/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
#ifndef _UAPI_VGEM_SVM_DRM_H_
#define _UAPI_VGEM_SVM_DRM_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * DOC: vgem_svm ioctls
 *
 * vgem_svm is a virtual GPU that shares the address space of the process that
 * uses it: a pointer means the same to both. All ioctls work on the render
 * node. Numbers 0x01 and 0x02 are kept for vgem's fence ioctls, which this
 * driver does not have yet.
 *
 * Rules that hold for every one:
 *
 * - Pads and unknown flags must be 0, else -EINVAL.
 * - A field that is output only is ignored on input: a struct can be used again
 *   as the kernel left it.
 * - An ioctl that fails has changed nothing, unless it is said below.
 * - An address space belongs to the process that made it; any other caller gets
 *   -EPERM, after a fork too.
 * - Addresses and lengths are bytes.
 *
 * How it grows: structs get new fields at their end, which mean what was before
 * if they are 0. The caller gives the size of each element of an array as
 * "stride", at most DRM_VGEM_SVM_MAX_STRIDE. Of an element that the kernel
 * writes, what it does not know is set to 0. Of one that it reads, what it does
 * not know must be 0, else -E2BIG.
 */

#define DRM_VGEM_SVM_MAX_STRIDE		256

#define DRM_VGEM_SVM_QUERY		0x10
#define DRM_VGEM_SVM_VM_CREATE		0x11
#define DRM_VGEM_SVM_VM_DESTROY		0x12
#define DRM_VGEM_SVM_QUEUE_CREATE	0x13
#define DRM_VGEM_SVM_QUEUE_DESTROY	0x14
#define DRM_VGEM_SVM_QUEUE_QUERY	0x15
#define DRM_VGEM_SVM_EXEC		0x16
#define DRM_VGEM_SVM_MIGRATE		0x17
#define DRM_VGEM_SVM_ATTR_SET		0x18
#define DRM_VGEM_SVM_ATTR_GET		0x19
#define DRM_VGEM_SVM_RESIDENCY		0x1a
#define DRM_VGEM_SVM_COUNTERS		0x1b
#define DRM_VGEM_SVM_FAULTS		0x1c
#define DRM_VGEM_SVM_GEM_CREATE		0x20
#define DRM_VGEM_SVM_GEM_MMAP		0x21
#define DRM_VGEM_SVM_VM_BIND		0x22
#define DRM_VGEM_SVM_USERPTR		0x23

/*
 * What QUERY can be asked. PARAMS: __u64 values, in the order of PARAM_*; later
 * ones are added at the end. ENGINES: struct drm_vgem_svm_query_engines.
 */
#define DRM_VGEM_SVM_QUERY_PARAMS	0
#define DRM_VGEM_SVM_QUERY_ENGINES	1

#define DRM_VGEM_SVM_PARAM_VRAM_BYTES	0	/* device memory */
#define DRM_VGEM_SVM_PARAM_NR_ENGINES	1	/* compute engines */
#define DRM_VGEM_SVM_PARAM_VA_BITS	2	/* width of a GPU address */
#define DRM_VGEM_SVM_PARAM_PT_UPDATE	3	/* DRM_VGEM_SVM_PT_* */
#define DRM_VGEM_SVM_PARAM_IOMMU	4	/* 1: behind the virtual IOMMU */
#define DRM_VGEM_SVM_PARAM_VRAM_USED	5	/* bytes in use now, of all processes */
#define DRM_VGEM_SVM_PARAM_FAULT_ENTRIES 6	/* fault buffer, records */
#define DRM_VGEM_SVM_PARAM_MAX_VMS	7	/* address spaces of the device */
#define DRM_VGEM_SVM_PARAM_MAX_QUEUES	8	/* queues of the device */
#define DRM_VGEM_SVM_PARAM_USER_VMS	9	/* address spaces of one user there */
#define DRM_VGEM_SVM_PARAM_USER_QUEUES	10	/* queues of one user there */
#define DRM_VGEM_SVM_PARAM_USER_JOBS	11	/* EXECs of one user that wait or run there */
#define DRM_VGEM_SVM_PARAM_QUEUE_JOBS	12	/* EXECs that a queue holds: waiting and running */
#define DRM_VGEM_SVM_PARAM_BATCH_BYTES	13	/* longest batch */
#define DRM_VGEM_SVM_PARAM_MAX_SYNCS	14	/* syncobjs of one EXEC */
#define DRM_VGEM_SVM_PARAM_MAX_THREADS	15	/* threads of a launch */
#define DRM_VGEM_SVM_PARAM_STACK_SLOTS	16	/* stacks that a launch needs at most */
#define DRM_VGEM_SVM_PARAM_STACK_ALIGN	17	/* of a stack's base and size, bytes */
#define DRM_VGEM_SVM_PARAM_MAX_INSNS	18	/* instructions of a thread */
#define DRM_VGEM_SVM_PARAM_LAUNCH_INSNS	19	/* of all threads of a launch */
#define DRM_VGEM_SVM_PARAM_MAX_ATTRS	20	/* intervals with attributes of a process */
#define DRM_VGEM_SVM_PARAM_RESIDENCY_BYTES 21	/* longest interval of RESIDENCY */
#define DRM_VGEM_SVM_PARAM_FAULT_LOG	22	/* faults that FAULTS remembers */
#define DRM_VGEM_SVM_PARAM_USER_GEM_BYTES 23	/* of one user's buffer objects there */
#define DRM_VGEM_SVM_PARAM_USER_BINDS	24	/* intervals that one user has bound there */
#define DRM_VGEM_SVM_PARAM_BIND_OPS	25	/* operations of one VM_BIND */
#define DRM_VGEM_SVM_PARAM_FENCE_MS	26	/* that an EXEC with an out-syncobj may run */
#define DRM_VGEM_SVM_PARAM_NR		27

/* PARAM_PT_UPDATE: who writes page tables. */
#define DRM_VGEM_SVM_PT_CPU		0	/* the CPU */
#define DRM_VGEM_SVM_PT_CMDBUF		1	/* commands */
#define DRM_VGEM_SVM_PT_MIXED		2	/* the CPU short runs, commands the rest */
#define DRM_VGEM_SVM_PT_DEVICE		3	/* commands; tables in device memory */

/**
 * struct drm_vgem_svm_query - ask for properties of the device
 * @query: DRM_VGEM_SVM_QUERY_*; -EINVAL if unknown
 * @flags: must be 0
 * @size: in: room at @data, bytes; out: bytes written there. 0 asks how many
 *	bytes there are, and @data is not used.
 * @pad: must be 0
 * @data: pointer to the answer, of which the beginning is written if there is
 *	room for no more
 *
 * Errors: -EINVAL, -EFAULT.
 */
struct drm_vgem_svm_query {
	__u32 query;
	__u32 flags;
	__u32 size;
	__u32 pad;
	__u64 data;
};

#define DRM_VGEM_SVM_ENGINE_COMPUTE	0

/**
 * struct drm_vgem_svm_engine - an engine that queues can be made on
 * @engine_class: DRM_VGEM_SVM_ENGINE_*
 * @engine_instance: number within its class, from 0
 * @flags: none yet, 0
 */
struct drm_vgem_svm_engine {
	__u16 engine_class;
	__u16 engine_instance;
	__u32 flags;
};

/**
 * struct drm_vgem_svm_query_engines - the answer to QUERY_ENGINES
 * @nr: number of engines
 * @stride: bytes from one struct drm_vgem_svm_engine to the next, the first of
 *	which follows
 */
struct drm_vgem_svm_query_engines {
	__u32 nr;
	__u32 stride;
};

/* Memory without an attribute moves to the device that touches it. */
#define DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT	(1 << 0)
/*
 * Nothing is mirrored: there is what VM_BIND binds, batches, programs and stacks
 * included, and any other access ends its queue. Not with the other flag. MIGRATE,
 * ATTR_SET, ATTR_GET and RESIDENCY give -EOPNOTSUPP.
 */
#define DRM_VGEM_SVM_VM_NO_SVM			(1 << 1)
/* USERPTR may be used. */
#define DRM_VGEM_SVM_VM_USERPTR			(1 << 2)

/**
 * struct drm_vgem_svm_vm_create - mirror the caller's address space
 * @flags: DRM_VGEM_SVM_VM_*
 * @vm_id: out, never 0
 *
 * Errors: -EINVAL (flags), -ENOSPC (no free address space), -EDQUOT (the user has
 * PARAM_USER_VMS), -ENOMEM.
 */
struct drm_vgem_svm_vm_create {
	__u32 flags;
	__u32 vm_id;
};

/**
 * struct drm_vgem_svm_vm_destroy - end an address space and its queues
 * @vm_id: which; -ENOENT if there is none
 * @flags: must be 0
 */
struct drm_vgem_svm_vm_destroy {
	__u32 vm_id;
	__u32 flags;
};

/* It cannot page-fault: an access to what is not mapped ends it. EXEC has out-syncobjs. */
#define DRM_VGEM_SVM_QUEUE_NO_FAULT	(1 << 0)

/**
 * struct drm_vgem_svm_queue_create - make a queue of an address space
 * @vm_id: the address space
 * @flags: DRM_VGEM_SVM_QUEUE_NO_FAULT or 0
 * @engine_class: DRM_VGEM_SVM_ENGINE_*
 * @engine_instance: which of its class
 * @eventfd: signalled by 1 for each EXEC with EXEC_EVENT that ends, and once when
 *	the queue ends: it dies or is destroyed, its address space or the device
 *	goes; -1 for none
 * @budget: instructions that one thread of a launch may run before the queue
 *	is ended; 0 for the most, PARAM_MAX_INSNS
 * @launch_budget: the same for all threads of a launch together; 0 for the most,
 *	PARAM_LAUNCH_INSNS
 * @queue_id: out, never 0
 * @pad: must be 0
 *
 * Errors: -EINVAL, -ENOENT (vm_id), -EBADF (eventfd), -ENOSPC (no channel),
 * -EDQUOT (the user has PARAM_USER_QUEUES).
 */
struct drm_vgem_svm_queue_create {
	__u32 vm_id;
	__u32 flags;
	__u16 engine_class;
	__u16 engine_instance;
	__s32 eventfd;
	__u64 budget;
	__u64 launch_budget;
	__u32 queue_id;
	__u32 pad;
};

/**
 * struct drm_vgem_svm_queue_destroy - end a queue
 * @queue_id: which; -ENOENT if there is none
 * @flags: must be 0
 *
 * What runs on it is stopped.
 */
struct drm_vgem_svm_queue_destroy {
	__u32 queue_id;
	__u32 flags;
};

/* Why a queue is dead. */
#define DRM_VGEM_SVM_QUEUE_OK		0
#define DRM_VGEM_SVM_QUEUE_PACKET	1	/* bad packet */
#define DRM_VGEM_SVM_QUEUE_INSN		2	/* illegal instruction */
#define DRM_VGEM_SVM_QUEUE_ALIGN	3	/* misaligned access */
#define DRM_VGEM_SVM_QUEUE_BUDGET	4	/* ran too long */
#define DRM_VGEM_SVM_QUEUE_STACK	5	/* stack pointer left the stack */
#define DRM_VGEM_SVM_QUEUE_VA		6	/* address wider than PARAM_VA_BITS */
#define DRM_VGEM_SVM_QUEUE_BUS		7	/* bus error */
#define DRM_VGEM_SVM_QUEUE_FAULT	8	/* page fault that cannot be, or is not, served */
#define DRM_VGEM_SVM_QUEUE_KILLED	9	/* ended by the kernel */
#define DRM_VGEM_SVM_QUEUE_RESET	10	/* the device was reset */
#define DRM_VGEM_SVM_QUEUE_ENTRY	11	/* broken page-table entry */

/**
 * struct drm_vgem_svm_queue_query - how is a queue?
 * @queue_id: which; -ENOENT if there is none
 * @flags: must be 0
 * @status: out, DRM_VGEM_SVM_QUEUE_*
 * @thread: out, thread number
 * @addr: out, address that was the reason, if dead
 * @pc: out, program counter, 0 if none
 * @insn: out, instruction or packet word
 * @pad: must be 0
 * @completed: out, EXECs that have ended well
 */
struct drm_vgem_svm_queue_query {
	__u32 queue_id;
	__u32 flags;
	__u32 status;
	__u32 thread;
	__u64 addr;
	__u64 pc;
	__u32 insn;
	__u32 pad;
	__u64 completed;
};

/**
 * struct drm_vgem_svm_sync - a syncobj to wait for, or to be given a fence
 * @handle: syncobj
 * @flags: must be 0
 * @point: timeline point, 0 for a binary syncobj
 */
struct drm_vgem_svm_sync {
	__u32 handle;
	__u32 flags;
	__u64 point;
};

#define DRM_VGEM_SVM_EXEC_EVENT		(1 << 0) /* signal the queue's eventfd */
#define DRM_VGEM_SVM_MAX_BATCH		(64 << 10)
#define DRM_VGEM_SVM_MAX_SYNCS		64

/**
 * struct drm_vgem_svm_exec - run packets that stand in the caller's memory
 * @queue_id: queue; -ENOENT if there is none, -EIO if it is dead
 * @flags: DRM_VGEM_SVM_EXEC_*
 * @batch_addr: address of the packets, 8-byte aligned
 * @batch_bytes: their length, a multiple of 8, 8 to DRM_VGEM_SVM_MAX_BATCH
 * @nr_in_syncs: syncobjs to wait for before, at most DRM_VGEM_SVM_MAX_SYNCS
 * @in_syncs: pointer to as many struct drm_vgem_svm_sync
 * @in_sync_stride: bytes from one to the next; not looked at if there are none
 * @pad: must be 0
 * @fence_addr: where the engine stores @fence_value when the batch has ended,
 *	8-byte aligned; 0 for nowhere
 * @fence_value: see @fence_addr
 * @out_syncs: pointer to @nr_out_syncs struct drm_vgem_svm_sync, which get the fence of
 *	the batch
 * @nr_out_syncs: at most DRM_VGEM_SVM_MAX_SYNCS; -EINVAL for any if the queue can
 *	page-fault
 * @out_sync_stride: bytes from one to the next; not looked at if there are none
 *
 * Work that can page-fault never backs a dma_fence: only a queue with
 * DRM_VGEM_SVM_QUEUE_NO_FAULT has out-syncobjs. The batch, what it uses and
 * @fence_addr have to be mapped then when the engine gets there. The fence is always
 * signalled, with an error if the queue ends before: -EFAULT (QUEUE_FAULT), -ETIME
 * (QUEUE_BUDGET, and if no EXEC of it has ended for PARAM_FENCE_MS), -ECANCELED (killed
 * or destroyed), -EIO. An in-fence that was signalled with an error is as good as any.
 * A dead queue stores no fence. Errors: -EINVAL, -ENOENT, -EIO, -EFAULT, -E2BIG,
 * -EBUSY (queue full; not -EAGAIN, which libdrm repeats at once), -EDQUOT (the
 * user has PARAM_USER_JOBS).
 */
struct drm_vgem_svm_exec {
	__u32 queue_id;
	__u32 flags;
	__u64 batch_addr;
	__u32 batch_bytes;
	__u32 nr_in_syncs;
	__u64 in_syncs;
	__u32 in_sync_stride;
	__u32 pad;
	__u64 fence_addr;
	__u64 fence_value;
	__u64 out_syncs;
	__u32 nr_out_syncs;
	__u32 out_sync_stride;
};

#define DRM_VGEM_SVM_LOC_DEFAULT	0	/* ATTR only */
#define DRM_VGEM_SVM_LOC_SYSTEM		1
#define DRM_VGEM_SVM_LOC_DEVICE		2	/* this device's memory */

/*
 * Memory that was never touched is made in device memory, as far as there is room;
 * only with LOC_DEVICE.
 */
#define DRM_VGEM_SVM_MIGRATE_POPULATE	(1 << 0)

/**
 * struct drm_vgem_svm_migrate - move memory now
 * @vm_id: address space
 * @flags: DRM_VGEM_SVM_MIGRATE_*
 * @addr: page aligned
 * @length: page aligned, not 0
 * @location: DRM_VGEM_SVM_LOC_SYSTEM or _DEVICE
 * @pad: must be 0
 * @moved: out, pages that moved, or were made there
 * @there: out, pages that were there already
 * @failed: out, pages that could not move and stayed
 *
 * What can move moves; what is not there is skipped. Pages of files, and pages that
 * other processes have too (through fork, or KSM) cannot move to a device. Errors:
 * -EINVAL, -ENOENT, -EFAULT (nothing is mapped there), -ENODEV (no device memory),
 * -EINTR, -ENOMEM.
 */
struct drm_vgem_svm_migrate {
	__u32 vm_id;
	__u32 flags;
	__u64 addr;
	__u64 length;
	__u32 location;
	__u32 pad;
	__u64 moved;
	__u64 there;
	__u64 failed;
};

#define DRM_VGEM_SVM_ATTR_PREFERRED_LOC	0	/* value: DRM_VGEM_SVM_LOC_* */

/**
 * struct drm_vgem_svm_attr - an attribute of an interval of addresses
 * @vm_id: address space
 * @flags: must be 0
 * @addr: page aligned
 * @length: page aligned, not 0. For GET one page.
 * @attr: DRM_VGEM_SVM_ATTR_*
 * @pad: must be 0
 * @value: in for SET, out for GET
 *
 * Attributes belong to addresses and outlive what is mapped there. They are
 * one set per process: of several devices the last to set wins.
 */
struct drm_vgem_svm_attr {
	__u32 vm_id;
	__u32 flags;
	__u64 addr;
	__u64 length;
	__u32 attr;
	__u32 pad;
	__u64 value;
};

#define DRM_VGEM_SVM_PAGE_NONE		0x00
#define DRM_VGEM_SVM_PAGE_SYSTEM	0x01
#define DRM_VGEM_SVM_PAGE_LOCAL		0x02	/* this device's memory */
#define DRM_VGEM_SVM_PAGE_REMOTE	0x03	/* another device's memory */
#define DRM_VGEM_SVM_PAGE_LOCATION	0x03	/* mask */
#define DRM_VGEM_SVM_PAGE_MAPPED	0x10	/* in this device's page table */
#define DRM_VGEM_SVM_PAGE_WRITABLE	0x20	/* and writable there */

/**
 * struct drm_vgem_svm_residency - where is each page?
 * @vm_id: address space
 * @flags: must be 0
 * @addr: page aligned
 * @length: page aligned, 1 page to PARAM_RESIDENCY_BYTES
 * @pages: pointer to one element per page, whose first byte is DRM_VGEM_SVM_PAGE_*
 * @stride: bytes from one element to the next; today one byte is known
 * @pad: must be 0
 *
 * A snapshot; nothing is faulted in.
 */
struct drm_vgem_svm_residency {
	__u32 vm_id;
	__u32 flags;
	__u64 addr;
	__u64 length;
	__u64 pages;
	__u32 stride;
	__u32 pad;
};

/* Counters, in this order; later ones are added at the end. */
#define DRM_VGEM_SVM_CTR_FAULTS		0	/* fault records */
#define DRM_VGEM_SVM_CTR_FAULT_DUPS	1	/* that joined another's service */
#define DRM_VGEM_SVM_CTR_FAULT_GROUPS	2	/* services of a range */
#define DRM_VGEM_SVM_CTR_FAULT_ERRORS	3	/* faults that were cancelled */
#define DRM_VGEM_SVM_CTR_REPLAYS	4
#define DRM_VGEM_SVM_CTR_RETRIES	5	/* rounds lost to invalidations */
#define DRM_VGEM_SVM_CTR_REQUEUES	6
#define DRM_VGEM_SVM_CTR_MAP_SYSTEM	7	/* pages mapped in system memory */
#define DRM_VGEM_SVM_CTR_MAP_DEVICE	8	/* pages mapped in device memory */
#define DRM_VGEM_SVM_CTR_INVALIDATIONS	9
#define DRM_VGEM_SVM_CTR_UNMAPPED	10	/* pages unmapped by them */
#define DRM_VGEM_SVM_CTR_DIRTIED	11	/* pages they marked dirty */
#define DRM_VGEM_SVM_CTR_FLUSHES	12	/* TLB flushes */
#define DRM_VGEM_SVM_CTR_TO_DEVICE	13	/* pages migrated to the device */
#define DRM_VGEM_SVM_CTR_TO_DEVICE_FAILED 14
#define DRM_VGEM_SVM_CTR_TO_SYSTEM	15	/* pages of the whole device moved back */
#define DRM_VGEM_SVM_CTR_PT_COMMANDS	16	/* page-table packets, whole device */
#define DRM_VGEM_SVM_CTR_PT_STORES	17	/* runs that the CPU wrote among them */
#define DRM_VGEM_SVM_CTR_USERPTR_REVOKED 18	/* USERPTR binds taken from the device */
#define DRM_VGEM_SVM_CTR_USERPTR_RESTORED 19	/* and given to it */
#define DRM_VGEM_SVM_CTR_NR		20

/**
 * struct drm_vgem_svm_counters - read the counters
 * @vm_id: address space
 * @flags: must be 0
 * @nr: in: room in @values; out: counters written there. 0 asks how many
 *	there are, and @values is not used.
 * @pad: must be 0
 * @values: pointer to __u64[@nr]
 */
struct drm_vgem_svm_counters {
	__u32 vm_id;
	__u32 flags;
	__u32 nr;
	__u32 pad;
	__u64 values;
};

/**
 * struct drm_vgem_svm_fault - a fault that could not be served
 * @addr: address
 * @pc: program counter, 0 for a packet
 * @seq: number of the fault in this address space, from 1
 * @queue_id: queue it ended
 * @access: 0 read, 1 write, 2 atomic, 3 instruction fetch
 * @error: positive errno: EFAULT (nothing there), EACCES (not allowed), ENOMEM,
 *	EOPNOTSUPP (memory of another kind of device), ETIME (starved), ...
 * @thread: thread number
 */
struct drm_vgem_svm_fault {
	__u64 addr;
	__u64 pc;
	__u64 seq;
	__u32 queue_id;
	__u32 access;
	__u32 error;
	__u32 thread;
};

/**
 * struct drm_vgem_svm_faults - the last faults that could not be served
 * @vm_id: address space
 * @flags: must be 0
 * @nr: in: room in @faults; out: faults written, newest first
 * @stride: bytes from one fault to the next; not looked at if there is no room
 * @faults: pointer to @nr struct drm_vgem_svm_fault
 * @total: out: such faults so far; the kernel keeps the last PARAM_FAULT_LOG
 */
struct drm_vgem_svm_faults {
	__u32 vm_id;
	__u32 flags;
	__u32 nr;
	__u32 stride;
	__u64 faults;
	__u64 total;
};

/**
 * struct drm_vgem_svm_gem_create - make a buffer object
 * @size: bytes, page aligned, not 0
 * @flags: must be 0
 * @handle: out, never 0; closed by DRM_IOCTL_GEM_CLOSE
 *
 * Its memory is zero. It is the system's, and can be shared with other devices by
 * DRM_IOCTL_PRIME_HANDLE_TO_FD and _FD_TO_HANDLE. Errors: -EINVAL, -ENOMEM, -EDQUOT
 * (the user's objects would have more than PARAM_USER_GEM_BYTES; so says an import
 * too).
 */
struct drm_vgem_svm_gem_create {
	__u64 size;
	__u32 flags;
	__u32 handle;
};

/**
 * struct drm_vgem_svm_gem_mmap - where can a buffer object be mapped?
 * @handle: which; -ENOENT if there is none
 * @flags: must be 0
 * @offset: out, for mmap() of the device's descriptor with MAP_SHARED
 *
 * Such a mapping is no memory that an address space mirrors: a device that shall
 * have the object has it bound.
 */
struct drm_vgem_svm_gem_mmap {
	__u32 handle;
	__u32 flags;
	__u64 offset;
};

#define DRM_VGEM_SVM_BIND_MAP		0
#define DRM_VGEM_SVM_BIND_UNMAP		1

/* What a program may do there; READ is a must. */
#define DRM_VGEM_SVM_BIND_READ		(1 << 0)
#define DRM_VGEM_SVM_BIND_WRITE		(1 << 1)	/* and atomics */
#define DRM_VGEM_SVM_BIND_NO_EXEC	(1 << 2)	/* it cannot run there */
#define DRM_VGEM_SVM_BIND_UNCACHED	(1 << 3)	/* accesses in order */

/**
 * struct drm_vgem_svm_bind_op - bind a part of a buffer object, or unbind
 * @op: DRM_VGEM_SVM_BIND_MAP or _UNMAP
 * @flags: MAP: DRM_VGEM_SVM_BIND_*; UNMAP: must be 0
 * @handle: MAP: object; UNMAP: must be 0
 * @pad: must be 0
 * @offset: MAP: bytes from the object's begin, page aligned; UNMAP: must be 0
 * @addr: page aligned
 * @length: page aligned, not 0; MAP: within the object
 *
 * MAP takes the place of what is bound there. UNMAP takes away what is, to the page;
 * where nothing is bound it does nothing.
 */
struct drm_vgem_svm_bind_op {
	__u32 op;
	__u32 flags;
	__u32 handle;
	__u32 pad;
	__u64 offset;
	__u64 addr;
	__u64 length;
};

#define DRM_VGEM_SVM_MAX_BINDS		256

/**
 * struct drm_vgem_svm_vm_bind - bind and unbind buffer objects
 * @vm_id: address space
 * @flags: must be 0
 * @nr_ops: operations, 1 to DRM_VGEM_SVM_MAX_BINDS
 * @op_stride: bytes from one to the next
 * @ops: pointer to as many struct drm_vgem_svm_bind_op
 *
 * All or nothing, and done when it returns: programs find what was bound, and nothing
 * of what was before. Operations must not overlap; their order does not matter. A
 * bind keeps its object, and the object's pages in memory. It waits for no fence, and
 * makes none: who unbinds what a program still uses ends its queue, if there is
 * nothing else there.
 *
 * What is bound hides the process's memory from programs of this address space, to the
 * page; the process, and other address spaces, have it as ever. Unbound, it comes back
 * by fault. MIGRATE and attributes speak of the memory, bound over or not.
 *
 * An access to what is bound otherwise (a write without BIND_WRITE, a fetch with
 * BIND_NO_EXEC) ends its queue with QUEUE_FAULT; the log of FAULTS has EACCES.
 *
 * Errors: -EINVAL, -ENOENT (vm_id, handle), -EPERM, -EFAULT, -E2BIG, -EINTR, -ENOMEM,
 * -EDQUOT (the user has PARAM_USER_BINDS), -EOPNOTSUPP (an import that the device does not
 * reach), what the exporter of an import says. After -ENODEV the device has stopped
 * for good, all queues are dead, and what is bound may be the new.
 */
struct drm_vgem_svm_vm_bind {
	__u32 vm_id;
	__u32 flags;
	__u32 nr_ops;
	__u32 op_stride;
	__u64 ops;
};

/**
 * struct drm_vgem_svm_userptr - bind memory of the caller, or unbind
 * @vm_id: address space, made with DRM_VGEM_SVM_VM_USERPTR
 * @op: DRM_VGEM_SVM_BIND_MAP or _UNMAP
 * @flags: MAP: DRM_VGEM_SVM_BIND_*; UNMAP: must be 0
 * @pad: must be 0
 * @user_addr: MAP: address of the process, page aligned; UNMAP: must be 0
 * @addr: address of the device, page aligned
 * @length: page aligned, not 0, at most 1 GiB. UNMAP: as it was mapped
 *
 * What happens to the memory there (munmap, fork, reclaim...) waits for the EXECs of
 * queues with DRM_VGEM_SVM_QUEUE_NO_FAULT in this address space, and takes it from the
 * device; the next EXEC brings back what the process has there then. If it has
 * nothing there, or nothing that may be written, EXEC gives -EFAULT or -EACCES until
 * it does, or this is unbound. EXECs of other queues bring it back too, and nothing
 * waits for them: an access that comes too late ends the queue, with ESTALE in the log
 * of FAULTS.
 *
 * UNMAP waits for the EXECs of queues without faults. VM_BIND refuses addresses that are
 * bound so with -EEXIST. Errors: -EINVAL, -ENOENT (vm_id; UNMAP: not bound so), -EEXIST
 * (something is bound there), -EOPNOTSUPP (no VM_USERPTR, or memory of a kind that
 * devices cannot have), -EFAULT and -EACCES (no such memory), -EINTR, -ENOMEM, -EDQUOT
 * (the user has PARAM_USER_BINDS).
 */
struct drm_vgem_svm_userptr {
	__u32 vm_id;
	__u32 op;
	__u32 flags;
	__u32 pad;
	__u64 user_addr;
	__u64 addr;
	__u64 length;
};

#define DRM_VGEM_SVM_IOWR(nr, type) DRM_IOWR(DRM_COMMAND_BASE + (nr), type)
#define DRM_IOCTL_VGEM_SVM_QUERY \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_QUERY, struct drm_vgem_svm_query)
#define DRM_IOCTL_VGEM_SVM_VM_CREATE \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_VM_CREATE, struct drm_vgem_svm_vm_create)
#define DRM_IOCTL_VGEM_SVM_VM_DESTROY \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_VM_DESTROY, struct drm_vgem_svm_vm_destroy)
#define DRM_IOCTL_VGEM_SVM_QUEUE_CREATE \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_QUEUE_CREATE, struct drm_vgem_svm_queue_create)
#define DRM_IOCTL_VGEM_SVM_QUEUE_DESTROY \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_QUEUE_DESTROY, struct drm_vgem_svm_queue_destroy)
#define DRM_IOCTL_VGEM_SVM_QUEUE_QUERY \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_QUEUE_QUERY, struct drm_vgem_svm_queue_query)
#define DRM_IOCTL_VGEM_SVM_EXEC \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_EXEC, struct drm_vgem_svm_exec)
#define DRM_IOCTL_VGEM_SVM_MIGRATE \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_MIGRATE, struct drm_vgem_svm_migrate)
#define DRM_IOCTL_VGEM_SVM_ATTR_SET \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_ATTR_SET, struct drm_vgem_svm_attr)
#define DRM_IOCTL_VGEM_SVM_ATTR_GET \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_ATTR_GET, struct drm_vgem_svm_attr)
#define DRM_IOCTL_VGEM_SVM_RESIDENCY \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_RESIDENCY, struct drm_vgem_svm_residency)
#define DRM_IOCTL_VGEM_SVM_COUNTERS \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_COUNTERS, struct drm_vgem_svm_counters)
#define DRM_IOCTL_VGEM_SVM_FAULTS \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_FAULTS, struct drm_vgem_svm_faults)
#define DRM_IOCTL_VGEM_SVM_GEM_CREATE \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_GEM_CREATE, struct drm_vgem_svm_gem_create)
#define DRM_IOCTL_VGEM_SVM_GEM_MMAP \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_GEM_MMAP, struct drm_vgem_svm_gem_mmap)
#define DRM_IOCTL_VGEM_SVM_VM_BIND \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_VM_BIND, struct drm_vgem_svm_vm_bind)
#define DRM_IOCTL_VGEM_SVM_USERPTR \
	DRM_VGEM_SVM_IOWR(DRM_VGEM_SVM_USERPTR, struct drm_vgem_svm_userptr)

/*
 * Packets of a batch: 64-bit words. Word 0 is opcode | words << 8. The
 * programmer's manual, Documentation/gpu/vgem-svm-hw.rst, has the rest.
 */
#define DRM_VGEM_SVM_PKT(op, words)	((__u64)(op) | (__u64)(words) << 8)
#define DRM_VGEM_SVM_PKT_NOP		0x00
/*
 * 12 words: header, entry, threads, stack base, stack bytes per thread, 7
 * arguments
 */
#define DRM_VGEM_SVM_PKT_LAUNCH		0x40
#define DRM_VGEM_SVM_PKT_STORE		0x41	/* 3 words: header, address, value */
#define DRM_VGEM_SVM_PKT_ATOMIC_ADD	0x42	/* 3 words: header, address, value */
#define DRM_VGEM_SVM_LAUNCH_WORDS	12
#define DRM_VGEM_SVM_RESIDENT_THREADS	64	/* stack slots that a launch needs at most */

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_VGEM_SVM_DRM_H_ */
