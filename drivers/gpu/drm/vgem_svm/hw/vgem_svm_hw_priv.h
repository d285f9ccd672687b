/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _VGEM_SVM_HW_PRIV_H_
#define _VGEM_SVM_HW_PRIV_H_

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "vgem_svm_hw.h"

/* Instructions of one thread in one preempt-off section. */
#define VGEM_SVM_QUANTUM	64
/* Instructions that an owner of channels has in its turn; a packet counts as a quantum. */
#define VGEM_SVM_SLICE		(8 * VGEM_SVM_QUANTUM)
#define VGEM_SVM_TLB_SETS	2048
#define VGEM_SVM_TLB_WAYS	4
#define VGEM_SVM_TLB_ENTRIES	(VGEM_SVM_TLB_SETS * VGEM_SVM_TLB_WAYS)
#define VGEM_SVM_WALK_CACHE	256
#define VGEM_SVM_INV_QUEUE	256
/*
 * Entries that an engine looks at in one go, with preemption off, before it drops
 * all that it has, which is cheaper.
 */
#define VGEM_SVM_INV_WORK	(4 * VGEM_SVM_TLB_ENTRIES)
/* Index of the packet front end where a thread's slot is meant. */
#define VGEM_SVM_FRONT_END	VGEM_SVM_RESIDENT_THREADS
/* Words of a packet that are kept while it is executed; all but PT_WRITE's end there. */
#define VGEM_SVM_PKT_KEPT	4
/* Bytes that the copy engine moves in one preempt-off section, at most. */
#define VGEM_SVM_COPY_CHUNK	4096U

/* Pages of a group that VGEM_SVM_PTE_64K tells are contiguous. */
#define VGEM_SVM_HINT_PAGES	16
/* A generation that the IOMMU never has: the page is to be resolved. */
#define VGEM_SVM_GEN_NONE	(-1L)

/**
 * struct vgem_svm_tlb_entry - a translation of 4 KiB
 * @tag: VA page number | VM << 45 | valid << 63
 * @bus: bus or device address of the page
 * @bus_gen: IOMMU generation that @page was resolved at, or
 *	VGEM_SVM_GEN_NONE
 * @page: the memory
 * @write: stores allowed
 * @atomic: atomics allowed
 * @exec: instruction fetches allowed
 * @uncached: accesses are in order, and counted
 * @local: device memory
 */
struct vgem_svm_tlb_entry {
	u64 tag;
	u64 bus;
	long bus_gen;
	u8 *page;
	bool write;
	bool atomic;
	bool exec;
	bool uncached;
	bool local;
};

/**
 * struct vgem_svm_walk_entry - a lowest directory entry, remembered
 * @tag: VA >> 21 | VM << 36 | valid << 63
 * @table: address of the lowest table
 * @local: in device memory
 */
struct vgem_svm_walk_entry {
	u64 tag;
	u64 table;
	bool local;
};

/**
 * struct vgem_svm_inv - an invalidation
 * @vm: address space
 * @first: first byte
 * @last: last byte
 * @flags: VGEM_SVM_INV_*
 */
struct vgem_svm_inv {
	u32 vm;
	u64 first;
	u64 last;
	u64 flags;
};

/**
 * struct vgem_svm_stop - why an access did not happen
 * @error: enum vgem_svm_chan_error, or 0 if it is a fault that can be served
 * @access: VGEM_SVM_ACCESS_*
 * @reason: VGEM_SVM_FAULT_*
 * @va: address
 */
struct vgem_svm_stop {
	u32 error;
	u32 access;
	u32 reason;
	u64 va;
};

enum vgem_svm_thread_state {
	VGEM_SVM_THREAD_FREE,
	VGEM_SVM_THREAD_RUN,
	VGEM_SVM_THREAD_PARKED,	/* a fault record has been written */
	VGEM_SVM_THREAD_STALLED, /* the fault buffer was full */
};

/**
 * struct vgem_svm_thread - one resident thread
 * @x: registers
 * @pc: program counter
 * @stack_lo: first byte of its stack
 * @stack_hi: one past the last; equal to @stack_lo if it has none
 * @insns: instructions run
 * @resv_va: address of the load reservation, ~0 if there is none
 * @resv_val: what was loaded
 * @index: number in the launch
 * @state: what it is doing
 * @record: number of the fault record, while it is parked
 */
struct vgem_svm_thread {
	u64 x[32];
	u64 pc;
	u64 stack_lo;
	u64 stack_hi;
	u64 insns;
	u64 resv_va;
	u64 resv_val;
	u32 index;
	enum vgem_svm_thread_state state;
	u64 record;
};

/**
 * struct vgem_svm_chan - a channel; all under its engine's lock
 * @unit: the engine that runs it
 * @index: number
 * @ring_base: bus address
 * @ring_bytes: power of two
 * @head: words read
 * @tail: words written
 * @pkt: first words of the packet at the head, read once
 * @pkt_kept: @pkt has been read
 * @vm: address space
 * @budget: instructions per thread, 0: no limit
 * @total: instructions per launch, 0: no limit
 * @owner: whose it is; channels of one owner share its turns
 * @turn: number of its last turn on its engine; the engine's thread's
 * @status: VGEM_SVM_CHAN_ST_*
 * @err: enum vgem_svm_chan_error
 * @err_addr: offending address
 * @err_pc: program counter
 * @err_info: thread and word
 * @err_fault: VGEM_SVM_FAULT_ACCESS and _REASON, if it was that
 * @no_fault: a fault ends it
 * @batch: VA of the next packet of the batch
 * @batch_end: its end; equal to @batch if none runs
 * @front: state of the packet front end
 * @front_record: number of its fault record, while it is parked
 * @launch: packet of the launch that runs
 * @insns: instructions that its threads have run
 * @next_thread: next thread to start
 * @nr_threads: threads of the launch
 * @resident: threads in slots
 * @slot: slot that runs next
 * @threads: the slots
 */
struct vgem_svm_chan {
	struct vgem_svm_unit *unit;
	u32 index;
	u64 ring_base;
	u64 ring_bytes;
	u64 head;
	u64 tail;
	u64 pkt[VGEM_SVM_PKT_KEPT];
	bool pkt_kept;
	u32 vm;
	u64 budget;
	u64 total;
	u32 owner;
	u64 turn;
	u32 status;
	u32 err;
	u64 err_addr;
	u64 err_pc;
	u64 err_info;
	u64 err_fault;
	bool no_fault;
	u64 batch;
	u64 batch_end;
	enum vgem_svm_thread_state front;
	u64 front_record;
	u64 launch[VGEM_SVM_LAUNCH_WORDS];
	u64 insns;
	u32 next_thread;
	u32 nr_threads;
	u32 resident;
	u32 slot;
	struct vgem_svm_thread *threads;
};

/**
 * struct vgem_svm_unit - an engine
 * @hw: the device
 * @index: number, for compute engines
 * @task: its thread
 * @wait: where it sleeps
 * @kick: something may have changed
 * @lock: held for a quantum; guards what follows and its channels' state.
 *	Process context only.
 * @acked: invalidations that it has carried out
 * @tlb: translations; NULL for an engine without an MMU
 * @walk: directory entries; NULL likewise
 * @recent: where the last translations of data and of instructions were found;
 *	a guess that the tag confirms
 * @uncached: accesses to memory that is mapped so; read without the lock
 * @chans: bit per channel that is on
 * @turns: turns that channels have had; the thread's
 * @done_bytes: copy engine: how far the copy at the head of its ring is
 * @inv_wait: page-table engine: invalidation that the packet at the head of its
 *	ring has started, 0 for none
 */
struct vgem_svm_unit {
	struct vgem_svm_hw *hw;
	u32 index;
	struct task_struct *task;
	wait_queue_head_t wait;
	bool kick;
	spinlock_t lock; /* for a quantum */
	u64 acked;
	struct vgem_svm_tlb_entry (*tlb)[VGEM_SVM_TLB_WAYS];
	struct vgem_svm_walk_entry *walk;
	struct vgem_svm_tlb_entry *recent[2];
	u64 uncached;
	u64 chans;
	u64 turns;
	u64 done_bytes;
	u64 inv_wait;
};

/**
 * struct vgem_svm_hw - the device
 * @config: straps
 * @iommu: behind the virtual IOMMU
 * @bus_gen: its generation, or a constant; never VGEM_SVM_GEN_NONE
 * @vram: pages of device memory
 * @nr_vram_pages: number of them
 * @stopped: after RESET; engines read it under their lock
 * @int_status: RW1C register
 * @int_enable: register
 * @irq_work: runs the interrupt line
 * @irq_lock: one interrupt at a time
 * @fault_lock: guards the fault buffer
 * @fault_base: bus address
 * @fault_entries: size
 * @fault_put: records written; read without the lock
 * @fault_get: records taken; read without the lock
 * @fault_each: register FAULT_CTRL: each record has an answer of its own
 * @inv_lock: guards posting
 * @inv_queue: the last invalidations
 * @inv_seq: number of the last; read without the lock
 * @inv_regs: what the next INV_CTRL takes
 * @vm_root: registers
 * @chan_errors: RW1C register
 * @chans: channels
 * @compute: engines
 * @copy: copy engine
 * @pt: page-table engine
 */
struct vgem_svm_hw {
	struct vgem_svm_hw_config config;
	bool iommu;
	const atomic_long_t *bus_gen;
	struct page **vram;
	unsigned long nr_vram_pages;
	bool stopped;
	atomic64_t int_status;
	u64 int_enable;
	struct irq_work irq_work;
	spinlock_t irq_lock; /* one call at a time */
	spinlock_t fault_lock; /* fault buffer */
	u64 fault_base;
	u64 fault_entries;
	u64 fault_put;
	u64 fault_get;
	bool fault_each;
	spinlock_t inv_lock; /* posting */
	struct vgem_svm_inv inv_queue[VGEM_SVM_INV_QUEUE];
	u64 inv_seq;
	struct vgem_svm_inv inv_regs;
	u64 vm_root[VGEM_SVM_HW_NR_VMS];
	atomic64_t chan_errors;
	struct vgem_svm_chan chans[VGEM_SVM_HW_NR_CHANS];
	struct vgem_svm_unit compute[VGEM_SVM_HW_MAX_COMPUTE];
	struct vgem_svm_unit copy;
	struct vgem_svm_unit pt;
};

/* bus */
u8 *vgem_svm_bus(struct vgem_svm_hw *hw, u64 addr, bool write);
u8 *vgem_svm_vram(struct vgem_svm_hw *hw, u64 addr);
u8 *vgem_svm_mem(struct vgem_svm_hw *hw, u64 addr, bool local, bool write);

/* irq */
void vgem_svm_irq_init(struct vgem_svm_hw *hw);
void vgem_svm_irq_raise(struct vgem_svm_hw *hw, u64 bits);
void vgem_svm_irq_ack(struct vgem_svm_hw *hw, u64 bits);
void vgem_svm_irq_enable(struct vgem_svm_hw *hw, u64 bits);

/* mmu */
u32 vgem_svm_tlb_flush_work(const struct vgem_svm_inv *inv);
void vgem_svm_tlb_flush(struct vgem_svm_unit *unit,
			const struct vgem_svm_inv *inv);
void vgem_svm_tlb_flush_all(struct vgem_svm_unit *unit);
u8 *vgem_svm_access(struct vgem_svm_unit *unit, u32 vm, u64 va, u32 size,
		    u32 access, struct vgem_svm_stop *stop);

/* inv */
u64 vgem_svm_inv_post(struct vgem_svm_hw *hw, const struct vgem_svm_inv *inv);
u64 vgem_svm_inv_done(struct vgem_svm_hw *hw);
void vgem_svm_unit_ack(struct vgem_svm_unit *unit);
void vgem_svm_unit_lock(struct vgem_svm_unit *unit);
void vgem_svm_unit_unlock(struct vgem_svm_unit *unit);

static inline bool vgem_svm_inv_pending(struct vgem_svm_unit *unit)
{
	return READ_ONCE(unit->hw->inv_seq) != READ_ONCE(unit->acked);
}

/* Does what stopped an access end the channel? */
static inline bool vgem_svm_stop_ends(const struct vgem_svm_chan *chan,
				      const struct vgem_svm_stop *stop)
{
	return stop->error || chan->no_fault;
}

/* fault */
void vgem_svm_fault_setup(struct vgem_svm_hw *hw, u32 reg, u64 val);
void vgem_svm_fault_set_get(struct vgem_svm_hw *hw, u64 get);
void vgem_svm_replay(struct vgem_svm_hw *hw, u32 vm);
enum vgem_svm_thread_state vgem_svm_fault_raise(struct vgem_svm_chan *chan,
						const struct vgem_svm_stop *stop,
						u32 thread, u64 pc,
						u64 *number);
void vgem_svm_fault_end(struct vgem_svm_chan *chan, const struct vgem_svm_stop *stop,
			u64 pc, u64 info);
void vgem_svm_fault_cancel(struct vgem_svm_hw *hw, u64 val);
void vgem_svm_fault_ack(struct vgem_svm_hw *hw, u64 val);

/* packets */
enum vgem_svm_packet_place {
	VGEM_SVM_PACKET_PT,
	VGEM_SVM_PACKET_COPY,
	VGEM_SVM_PACKET_COMPUTE,
	VGEM_SVM_PACKET_BATCH,
};

bool vgem_svm_packet_ok(u64 header, enum vgem_svm_packet_place place);

/* channels */
void vgem_svm_chan_die(struct vgem_svm_chan *chan, u32 error, u64 addr, u64 pc,
		       u64 info);
void vgem_svm_chan_ctrl(struct vgem_svm_hw *hw, u32 index, u64 val);
void vgem_svm_chan_kill(struct vgem_svm_hw *hw, u64 val);
const u64 *vgem_svm_chan_packet(struct vgem_svm_chan *chan);
const u64 *vgem_svm_chan_words(struct vgem_svm_chan *chan, u32 first);
void vgem_svm_chan_next(struct vgem_svm_chan *chan, u64 header);
bool vgem_svm_chan_common(struct vgem_svm_chan *chan, const u64 *pkt);
u64 vgem_svm_chan_read(struct vgem_svm_hw *hw, u32 index, u32 reg);
void vgem_svm_chan_write(struct vgem_svm_hw *hw, u32 index, u32 reg, u64 val);
struct vgem_svm_unit *vgem_svm_chan_lock(struct vgem_svm_chan *chan);
void vgem_svm_unit_kick(struct vgem_svm_unit *unit);

/* compute */
u32 vgem_svm_chan_quantum(struct vgem_svm_chan *chan);

/* engines: one step; false if there was nothing to do */
bool vgem_svm_compute_step(struct vgem_svm_unit *unit);
bool vgem_svm_copy_step(struct vgem_svm_unit *unit);
bool vgem_svm_pt_step(struct vgem_svm_unit *unit);

/* rv64 */
u32 vgem_svm_rv64_run(struct vgem_svm_chan *chan, struct vgem_svm_thread *t,
		      u32 n);

#ifdef CONFIG_VGEM_SVM_PLANTED_BUGS
extern int vgem_svm_planted_hw;
#define vgem_svm_hw_planted(n)	(READ_ONCE(vgem_svm_planted_hw) == (n))
#else
#define vgem_svm_hw_planted(n)	((n) && false)
#endif

#endif /* _VGEM_SVM_HW_PRIV_H_ */
