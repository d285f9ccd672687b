/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_TEST_DEV_H_
#define _DRM_SVM_TEST_DEV_H_

#include <drm/drm_gpt.h>
#include <drm/drm_svm.h>
#include <drm/drm_svm_fault.h>
#include <drm/drm_svm_gpt.h>

struct platform_device;

#define TEST_UNITS	256
#define TEST_VRAM	SZ_4M
/* What the device calls the first byte of its memory. */
#define TEST_VRAM_BASE	SZ_1G

/**
 * enum test_unit_state - what a unit of the device is doing
 * @TEST_UNIT_FAULTED: its record lies in the fault buffer
 * @TEST_UNIT_PARKED: the record has been read; it waits for a replay
 * @TEST_UNIT_DONE: its access went through
 * @TEST_UNIT_CANCELLED: its access was refused
 */
enum test_unit_state {
	TEST_UNIT_FAULTED,
	TEST_UNIT_PARKED,
	TEST_UNIT_DONE,
	TEST_UNIT_CANCELLED,
};

/**
 * struct test_unit - something that makes one access
 * @addr: where
 * @access: what
 * @state: how far it is
 * @error: why it was cancelled
 */
struct test_unit {
	u64 addr;
	enum drm_svm_access access;
	enum test_unit_state state;
	int error;
};

#define TEST_RING_USERS	8

/**
 * struct test_ring_user - what a thread has of a ring
 * @task: the thread; NULL if it has nothing
 * @words: space that it has reserved, and not used or given back
 */
struct test_ring_user {
	struct task_struct *task;
	u32 words;
};

/**
 * struct test_ring - space of a ring whose commands are done as they are written
 * @lock: guards what follows
 * @words: all of it; 0 if the device has no ring
 * @reserved: what is taken
 * @users: by whom, of as many threads as there is room for
 * @kept: the most that a thread had taken when it waited for a flush
 * @wait: woken when some is given back
 * @waits: times that somebody had to wait for space
 * @seq: last fence
 */
struct test_ring {
	spinlock_t lock;
	u32 words;
	u32 reserved;
	struct test_ring_user users[TEST_RING_USERS];
	u32 kept;
	wait_queue_head_t wait;
	atomic_t waits;
	atomic64_t seq;
};

/**
 * struct test_dev - a device with memory, whose MMU is a lookup in the table
 * @format: of the table
 * @pdev: for DMA
 * @attrs: of @gpt
 * @gpt: table
 * @svm: address space
 * @table: @gpt as where it goes
 * @ring: what writes @gpt, if it has space
 * @sdev: the device
 * @queue: its faults
 * @region: its memory, if @format has a word for it
 * @vram: what is behind it
 * @lock: guards the units
 * @units: in order of their accesses
 * @nr_units: number of them
 * @wait: woken when a unit has ended
 * @flushes: TLB flushes waited for
 * @replays: replays
 * @copies: copies of device memory
 * @copy_error: what the copy engine says
 * @hold_flush: flushes do not end
 * @begun: flushes begun
 * @directory: the last of them is of walk caches too
 * @attr_pages: pages in a row with one attribute, then as many with the other; 0: all
 *	have the first
 * @released: times that the process's memory went
 * @in_released: it is being told so
 * @claims: faults in what is claimed
 * @claim_result: what becomes of them; without it they are refused
 */
struct test_dev {
	const struct drm_gpt_format *format;
	struct platform_device *pdev;
	struct drm_gpt_attr attrs[2];
	struct drm_gpt gpt;
	struct drm_svm svm;
	struct drm_svm_gpt table;
	struct test_ring ring;
	struct drm_svm_device sdev;
	struct drm_svm_fault_queue queue;
	struct drm_svm_region region;
	void *vram;
	spinlock_t lock;
	struct test_unit units[TEST_UNITS];
	unsigned int nr_units;
	wait_queue_head_t wait;
	atomic_t flushes;
	atomic_t replays;
	atomic_t copies;
	int copy_error;
	bool hold_flush;
	atomic_t begun;
	bool directory;
	unsigned int attr_pages;
	atomic_t released;
	bool in_released;
	atomic_t claims;
	int (*claim_result)(struct test_dev *dev, u64 addr);
};

struct test_dev *test_dev_make(struct mm_struct *mm,
			       const struct drm_gpt_format *format);
struct test_dev *test_dev_make_ring(struct mm_struct *mm,
				    const struct drm_gpt_format *format, u32 words);
int test_dev_attach(struct test_dev *dev, struct mm_struct *mm);
void test_dev_detach(struct test_dev *dev);
void test_dev_free(struct test_dev *dev);
int test_dev_start(struct test_dev *dev, u64 addr, enum drm_svm_access access);
int test_dev_wait(struct test_dev *dev, int unit);
int test_dev_access(struct test_dev *dev, u64 addr, enum drm_svm_access access);
const struct drm_svm_ops *test_dev_ops(void);
bool test_dev_maps(struct test_dev *dev, u64 addr, u64 flags);
const struct drm_svm_region_ops *test_dev_region_ops(void);

extern const struct drm_gpt_cmd_ops test_ring_ops;
void test_ring_init(struct test_ring *ring, u32 words);
void test_ring_flush(struct drm_gpt_gather *gather);
void test_ring_look(struct test_ring *ring);

#endif /* _DRM_SVM_TEST_DEV_H_ */
