/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_H_
#define _DRM_SVM_H_

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/list.h>
#include <linux/memremap.h>
#include <linux/mempool.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct device;
struct drm_svm;
struct drm_svm_block;
struct drm_svm_fault;
struct drm_svm_fault_queue;
struct drm_svm_mm;
struct drm_svm_region;
struct mm_struct;
struct seq_file;

/* Unit of service, locking and invalidation: a naturally aligned block. */
#define DRM_SVM_RANGE_SHIFT	21
#define DRM_SVM_RANGE_SIZE	BIT_ULL(DRM_SVM_RANGE_SHIFT)

/**
 * struct drm_svm_ops - what a driver does for one device address space
 * @replay: let what is parked on faults of this address space try again; see
 *	drm_svm_fault.h for this one and the next two
 * @cancel: end what caused the fault, with the (negative) error as reason, if it
 *	still waits for that: the record may be older than a replay that let it go
 *	on, and the address may have been unmapped since
 * @done: the answer to one record, instead of @replay and @cancel
 * @claimed: a record in addresses that the driver has claimed (drm_svm_claim()). Returns
 *	its result: 0: the access can be made; -EAGAIN: ask again, as when it is claimed
 *	no more; or why it cannot be made. Optional; -EREMCHG without it. No lock is held;
 *	it may sleep, allocate and take the lock under which the driver claims, and must
 *	not wait for drm_svm_stop(), drm_svm_fault_queue_pause() or a fault of the
 *	address space
 * @released: the process's memory is gone, by exit or by exec, or about to be: end what
 *	works on it and close the address space, by a work of the driver's own, since
 *	drm_svm_fini() waits for this call. Once at most; before drm_svm_init() has
 *	returned if the memory has gone by then. Optional. Process context; it may sleep
 */
struct drm_svm_ops {
	void (*replay)(struct drm_svm *svm);
	void (*cancel)(struct drm_svm *svm, const struct drm_svm_fault *fault,
		       int error);
	void (*done)(struct drm_svm *svm, const struct drm_svm_fault *fault,
		     int result);
	int (*claimed)(struct drm_svm *svm, const struct drm_svm_fault *fault);
	void (*released)(struct drm_svm *svm);
};

/**
 * struct drm_svm_stats - counters of one device address space
 * @faults: fault records taken from the device
 * @fault_dups: of these, those that joined others of their range
 * @fault_groups: services of a range
 * @fault_errors: faults that were cancelled
 * @replays: replays told to the device
 * @retries: rounds lost to an invalidation
 * @walks: times that the CPU's table was read for a service; not when another device
 *	had what was wanted
 * @requeues: services that were put off because they lost too often
 * @map_system: pages mapped that were in system memory
 * @map_device: pages mapped that were in device memory
 * @invalidations: notifier calls that found something mapped
 * @unmapped: pages taken from the device by them
 * @dirtied: pages that they marked dirty
 * @flushes: TLB flushes
 * @to_device: pages migrated to device memory
 * @to_device_failed: pages that could not move there
 * @to_system: pages of this device's memory migrated back
 */
struct drm_svm_stats {
	atomic64_t faults;
	atomic64_t fault_dups;
	atomic64_t fault_groups;
	atomic64_t fault_errors;
	atomic64_t replays;
	atomic64_t retries;
	atomic64_t walks;
	atomic64_t requeues;
	atomic64_t map_system;
	atomic64_t map_device;
	atomic64_t invalidations;
	atomic64_t unmapped;
	atomic64_t dirtied;
	atomic64_t flushes;
	atomic64_t to_device;
	atomic64_t to_device_failed;
	atomic64_t to_system;
};

/**
 * struct drm_svm_device - a device that takes part; embed it in the driver's
 * @dev: the device, for DMA mapping; 64-bit mask, coherent, behind no bounce buffer
 * @queue: where its faults come in, or NULL; set by drm_svm_fault_queue_init()
 * @system_atomics: its atomics on system memory are coherent with the CPU's, as over a
 *	bus that has them; set before the first address space. Without it pages that the
 *	device may write in system memory are mapped without the right to atomics, and
 *	one that is asked for moves the page to the device, or is refused. Where the
 *	device's table has no word for it (DRM_SVM_SINK_ATOMIC_IS_WRITE) there is nothing
 *	to be taken away: a driver that sets it then answers for what programs do
 */
struct drm_svm_device {
	struct device *dev;
	struct drm_svm_fault_queue *queue;
	bool system_atomics;
	/* private: */
	struct list_head regions;	/* its memory; fixed while there are @users */
	unsigned int users;		/* address spaces */
	spinlock_t lock;		/* changes of the two, and of @queue from NULL */
};

void drm_svm_device_init(struct drm_svm_device *sdev, struct device *dev);
void drm_svm_device_fini(struct drm_svm_device *sdev);

/**
 * struct drm_svm - one device address space that mirrors a process's; embed it
 * @device: the device
 * @ops: the driver's
 * @stats: counters
 */
struct drm_svm {
	struct drm_svm_device *device;
	const struct drm_svm_ops *ops;
	struct drm_svm_stats stats;
	/* private: */
	struct drm_svm_mm *smm;		/* the process's address space */
	struct list_head in_mm;		/* in &drm_svm_mm.svms; under its lock, as: */
	bool told;			/* the end of the process's memory */
	spinlock_t view_lock;		/* views */
	struct list_head views;		/* struct drm_svm_view */
	spinlock_t use_lock;		/* drm_svm_use_begin(); what views are fresh */
	bool dying;			/* no new service */
	bool interrupted;		/* what goes on is to end soon */
	bool migrate_on_fault;		/* memory without an attribute goes to the region */
	struct list_head in_queue;	/* in &drm_svm_fault_queue.svms; under its lock, as: */
	unsigned int records;		/* slots that are not free */
	unsigned int nr_groups;		/* fault groups */
	unsigned int active;		/* these, held faults, and a replay at work */
	struct list_head waiting;	/* slots beyond the process's share of groups */
	struct list_head due;		/* in &drm_svm_fault_queue.due, if a replay is owed */
	unsigned long due_at;		/* jiffies when it is */
	unsigned int calls;		/* drm_svm_handle_fault(); under the lock of: */
	wait_queue_head_t idle;		/* woken when nothing of the above is left */
};

/**
 * struct drm_svm_config - what drm_svm_init() needs
 * @device: the device, with its regions; with its fault queue, unless the driver brings
 *	each fault to drm_svm_handle_fault() itself
 * @ops: the driver's operations
 * @migrate_on_fault: default placement of memory without an attribute
 */
struct drm_svm_config {
	struct drm_svm_device *device;
	const struct drm_svm_ops *ops;
	bool migrate_on_fault;
};

int drm_svm_init(struct drm_svm *svm, struct mm_struct *mm,
		 const struct drm_svm_config *config);
void drm_svm_interrupt(struct drm_svm *svm);
void drm_svm_stop(struct drm_svm *svm);
void drm_svm_fini(struct drm_svm *svm);
bool drm_svm_is_owner(const struct drm_svm *svm);

/* ---- device memory ------------------------------------------------------ */

/**
 * struct drm_svm_copy - one piece of a copy between system and device memory
 * @offset: bytes from the start of the region
 * @dma: bus address of system memory; ignored for a fill
 * @bytes: multiple of PAGE_SIZE
 */
struct drm_svm_copy {
	u64 offset;
	dma_addr_t dma;
	u32 bytes;
};

/**
 * enum drm_svm_copy_kind - which way a copy goes
 * @DRM_SVM_COPY_TO_DEVICE: system memory to device memory
 * @DRM_SVM_COPY_TO_SYSTEM: device memory to system memory
 * @DRM_SVM_COPY_CLEAR: device memory is set to 0
 */
enum drm_svm_copy_kind {
	DRM_SVM_COPY_TO_DEVICE,
	DRM_SVM_COPY_TO_SYSTEM,
	DRM_SVM_COPY_CLEAR,
};

/**
 * struct drm_svm_region_ops - what a driver does for device memory
 * @copy: do @n pieces and wait. Runs under mmap_lock (read) with pages locked:
 *	bounded, needs no page fault served, takes no lock that is held over one.
 *	Return: 0 or a negative error, then nothing of the destination is used.
 */
struct drm_svm_region_ops {
	int (*copy)(struct drm_svm_region *region, enum drm_svm_copy_kind kind,
		    const struct drm_svm_copy *pieces, unsigned int n);
};

/**
 * struct drm_svm_region - memory of a device; embed it in the device
 * @device: the device
 * @ops: the driver's
 * @bytes: size
 * @base: what the device calls its first byte, page aligned; set before
 *	drm_svm_region_init(). What goes into tables counts from here, copies do not
 * @min_shift: the smallest unit of it that the device maps is this power of two, or 0
 *	for a page; set before drm_svm_region_init(), which refuses one that is larger
 *	than a page: memory is handed out, mapped and taken back by single pages
 */
struct drm_svm_region {
	struct drm_svm_device *device;
	const struct drm_svm_region_ops *ops;
	u64 bytes;
	u64 base;
	unsigned int min_shift;
	/* private: */
	struct list_head node;		/* in &drm_svm_device.regions */
	struct dev_pagemap pagemap;	/* ZONE_DEVICE pages that stand for it */
	spinlock_t lock;		/* used, nr_used, blocks, room */
	unsigned long *used;		/* bitmap of pages handed out */
	unsigned long nr_used;
	unsigned long nr_pages;
	struct drm_svm_block *blocks;	/* what is free, by 2 MiB */
	struct list_head room;		/* blocks that have free pages */
	mempool_t cpu_faults;		/* scratch of faults of the CPU */
	u64 id;				/* that attributes name it by; never used again */
	atomic64_t to_system;		/* pages that went back */
};

int drm_svm_region_init(struct drm_svm_region *region,
			struct drm_svm_device *sdev, u64 bytes,
			const struct drm_svm_region_ops *ops);
void drm_svm_region_fini(struct drm_svm_region *region);
int drm_svm_region_evict_all(struct drm_svm_region *region);
u64 drm_svm_region_used(struct drm_svm_region *region);

/* All memory of a device: who has an address space of it needs no lock. */
#define drm_svm_for_each_region(region, sdev)				\
	list_for_each_entry(region, &(sdev)->regions, node)

/**
 * drm_svm_device_region() - which memory of a device does new memory come from?
 * @sdev: device
 *
 * Context: any; the caller has an address space of it, or keeps its regions.
 * Return: the region that was made first, or NULL if the device has none.
 */
static inline struct drm_svm_region *
drm_svm_device_region(struct drm_svm_device *sdev)
{
	return list_first_entry_or_null(&sdev->regions, struct drm_svm_region,
					node);
}

/* ---- placement ---------------------------------------------------------- */

/**
 * enum drm_svm_location - where memory is, or should be
 * @DRM_SVM_LOC_DEFAULT: the address space's default
 * @DRM_SVM_LOC_SYSTEM: system memory
 * @DRM_SVM_LOC_DEVICE: memory of the device that asks
 */
enum drm_svm_location {
	DRM_SVM_LOC_DEFAULT,
	DRM_SVM_LOC_SYSTEM,
	DRM_SVM_LOC_DEVICE,
};

int drm_svm_set_preferred(struct drm_svm *svm, u64 first, u64 last,
			  enum drm_svm_location location);
unsigned int drm_svm_attr_limit(void);
int drm_svm_get_preferred(struct drm_svm *svm, u64 addr,
			  enum drm_svm_location *location);

/* Memory that was never touched is made on the device, as far as there is room. */
#define DRM_SVM_MIGRATE_POPULATE	BIT(0)

/**
 * struct drm_svm_migrate_result - what a migration did
 * @moved: pages that moved, or were made there
 * @there: pages that were there already
 * @failed: pages that exist and could not move: of a file, shared with other
 *	processes, or held by somebody
 */
struct drm_svm_migrate_result {
	u64 moved;
	u64 there;
	u64 failed;
};

int drm_svm_migrate(struct drm_svm *svm, u64 first, u64 last,
		    enum drm_svm_location location, unsigned int flags,
		    struct drm_svm_migrate_result *result);

/* Per page, what drm_svm_residency() reports. */
#define DRM_SVM_PAGE_NONE	0x00	/* no page, or not one to be mapped */
#define DRM_SVM_PAGE_SYSTEM	0x01
#define DRM_SVM_PAGE_LOCAL	0x02	/* in the asking device's memory */
#define DRM_SVM_PAGE_REMOTE	0x03	/* in another drm_svm device's */
#define DRM_SVM_PAGE_LOCATION	0x03
#define DRM_SVM_PAGE_MAPPED	0x10	/* the asking device's table maps it */
#define DRM_SVM_PAGE_WRITABLE	0x20	/* and lets it write */

int drm_svm_residency(struct drm_svm *svm, u64 first, u64 last, u8 *out);

#endif /* _DRM_SVM_H_ */
