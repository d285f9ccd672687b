/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _VGEM_SVM_HW_H_
#define _VGEM_SVM_HW_H_

/*
 * The one door between the driver half and the virtual hardware. What stands
 * here is what a datasheet would hold: a register file, ring packets, table
 * entries, fault records and one interrupt line. The programmer's manual is
 * Documentation/gpu/vgem-svm-hw.rst. The model behind it knows nothing of DRM.
 */

#include <linux/bits.h>
#include <linux/types.h>

struct device;
struct seq_file;
struct vgem_svm_hw;

/**
 * struct vgem_svm_hw_config - the straps of one device
 * @dev: the device whose bus addresses the engines use; its DMA mask is set
 * @irq: the interrupt line; called in hard interrupt context, one call at a
 *	time per device, each time INT_STATUS goes from no enabled bit set to
 *	some, and again after an INT_STATUS acknowledge that leaves bits set
 * @irq_data: handed to @irq
 * @vram_bytes: size of device memory, a multiple of 2 MiB, 0 for none
 * @nr_compute: compute engines, 1 to %VGEM_SVM_HW_MAX_COMPUTE
 * @id: device number, for names of threads
 */
struct vgem_svm_hw_config {
	struct device *dev;
	void (*irq)(void *irq_data);
	void *irq_data;
	u64 vram_bytes;
	u32 nr_compute;
	u32 id;
};

#define VGEM_SVM_HW_MAX_COMPUTE		8
/** Channels of a device; 0 and 1 have fixed duties, see below. */
#define VGEM_SVM_HW_NR_CHANS		64
#define VGEM_SVM_HW_CHAN_PT		0	/* the page-table engine's */
#define VGEM_SVM_HW_CHAN_COPY		1	/* the kernel's copy engine's */
#define VGEM_SVM_HW_CHAN_USER		2	/* first of the compute channels */
/** GPU address spaces of a device. */
#define VGEM_SVM_HW_NR_VMS		64

struct vgem_svm_hw *vgem_svm_hw_create(const struct vgem_svm_hw_config *config);
void vgem_svm_hw_destroy(struct vgem_svm_hw *hw);

/* Board wiring: puts the device behind the virtual IOMMU, before device_add. */
int vgem_svm_hw_wire(struct device *dev);

/*
 * The register file. A register is 64 bits wide and naturally aligned; a read
 * of a write-only or unknown one gives 0, a write to a read-only or unknown one
 * does nothing. A write orders all earlier stores of the CPU before what it
 * starts, as writeq() does.
 *
 * Reads: any context. Writes: any context for INT_STATUS, INT_ENABLE,
 * CHAN_ERRORS, VM_ROOT and a channel's TAIL, the others not in interrupts and
 * not under a lock that interrupts take; they never sleep.
 */
u64 vgem_svm_hw_read(struct vgem_svm_hw *hw, u32 reg);
void vgem_svm_hw_write(struct vgem_svm_hw *hw, u32 reg, u64 val);

/* For people, not for the driver's logic: state of the model for debugfs. */
void vgem_svm_hw_dump(struct vgem_svm_hw *hw, struct seq_file *m);

/* ---- registers ---------------------------------------------------------- */

#define VGEM_SVM_REG_ID			0x0000	/* RO "VGEMSVM1" */
#define   VGEM_SVM_ID_VALUE		0x314d56534d454756ULL
#define VGEM_SVM_REG_VRAM_BYTES		0x0008	/* RO */
#define VGEM_SVM_REG_NR_COMPUTE		0x0010	/* RO */

#define VGEM_SVM_REG_INT_STATUS		0x0020	/* RW1C */
#define VGEM_SVM_REG_INT_ENABLE		0x0028	/* RW, 0 at power-on; RESET leaves it */
#define   VGEM_SVM_INT_FAULT		BIT_ULL(0) /* fault buffer: PUT moved */
#define   VGEM_SVM_INT_FENCE		BIT_ULL(1) /* a fence packet with IRQ */
#define   VGEM_SVM_INT_CHAN_ERROR	BIT_ULL(2) /* a channel died: CHAN_ERRORS */
#define VGEM_SVM_REG_CHAN_ERRORS	0x0030	/* RW1C, one bit per channel */

/* Stops every engine and drops every translation; see "Reset" in the manual. */
#define VGEM_SVM_REG_RESET		0x0038	/* WO, any value */
#define VGEM_SVM_REG_STOPPED		0x0040	/* RO, 1 after RESET until START */
#define VGEM_SVM_REG_START		0x0048	/* WO, any value */

/* Replayable faults. */
#define VGEM_SVM_REG_FAULT_BASE		0x0080	/* RW bus address, 4 KiB aligned */
#define VGEM_SVM_REG_FAULT_ENTRIES	0x0088	/* RW power of two, 4..4096; 0 = off */
#define VGEM_SVM_REG_FAULT_PUT		0x0090	/* RO, free-running record count */
#define VGEM_SVM_REG_FAULT_GET		0x0098	/* RW, free-running record count */
/* Wakes what is parked on a fault in one address space, which translates anew. */
#define VGEM_SVM_REG_FAULT_REPLAY	0x00a0	/* WO, VM number or REPLAY_ALL */
#define   VGEM_SVM_REPLAY_ALL		0xffff
/* Ends the channel: [15:0] channel, [31:16] enum vgem_svm_chan_error. */
#define VGEM_SVM_REG_CHAN_KILL		0x00a8	/* WO */
/*
 * Ends a channel with ERR_FAULT if something of it is parked on that very
 * record: a record is stale once what wrote it has been replayed.
 */
#define VGEM_SVM_REG_FAULT_CANCEL	0x00b0	/* WO */
#define   VGEM_SVM_CANCEL_RECORD	GENMASK_ULL(55, 0)
#define   VGEM_SVM_CANCEL_CHAN		GENMASK_ULL(63, 56)
/* How faults are answered; to be written while nothing is parked. 0 at power-on. */
#define VGEM_SVM_REG_FAULT_CTRL		0x00b8	/* RW */
#define   VGEM_SVM_FAULT_EACH		BIT_ULL(0) /* by FAULT_ACK, not REPLAY and CANCEL */
/* The answer to one record: what is parked on it, and nothing else, goes on. */
#define VGEM_SVM_REG_FAULT_ACK		0x00c0	/* WO */
#define   VGEM_SVM_ACK_RECORD		GENMASK_ULL(47, 0)
#define   VGEM_SVM_ACK_CHAN		GENMASK_ULL(55, 48)
#define   VGEM_SVM_ACK_RESULT		GENMASK_ULL(63, 56)
#define     VGEM_SVM_ACK_RETRY		0	/* translates anew */
#define     VGEM_SVM_ACK_ERROR		1	/* ends the channel with ERR_FAULT */

/*
 * Invalidation of translations by register: VM, FIRST, LAST, then CTRL, which
 * starts it (software serialises the four). INV_SEQ is the number of the last
 * one started, INV_DONE the highest whose every predecessor each unit has
 * acknowledged. A unit acknowledges at the next instruction boundary, also
 * when it is parked, stalled, dead or stopped; software may poll.
 */
#define VGEM_SVM_REG_INV_VM		0x0100	/* RW */
#define VGEM_SVM_REG_INV_FIRST		0x0108	/* RW, VA */
#define VGEM_SVM_REG_INV_LAST		0x0110	/* RW, VA, inclusive */
#define VGEM_SVM_REG_INV_CTRL		0x0118	/* WO, VGEM_SVM_INV_* */
#define   VGEM_SVM_INV_LEAF		BIT_ULL(0) /* translations of [FIRST, LAST] */
#define   VGEM_SVM_INV_WALK		BIT_ULL(1) /* and walk caches over it */
#define   VGEM_SVM_INV_VM		BIT_ULL(2) /* everything of the VM */
#define VGEM_SVM_REG_INV_SEQ		0x0120	/* RO */
#define VGEM_SVM_REG_INV_DONE		0x0128	/* RO */

/* Accesses of a compute engine to memory that is mapped UNCACHED. */
#define VGEM_SVM_REG_UNCACHED(e)	(0x0200 + (e) * 8)	/* RO, never reset */

/* Root tables: VGEM_SVM_ROOT_VALID | bus or device address of the top table. */
#define VGEM_SVM_REG_VM_ROOT(vm)	(0x1000 + (vm) * 8)
#define   VGEM_SVM_ROOT_VALID		BIT_ULL(0)
#define   VGEM_SVM_ROOT_LOCAL		BIT_ULL(1) /* in device memory */

/* Channels. */
#define VGEM_SVM_REG_CHAN(c, r)		(0x4000 + (c) * 0x100 + (r))
#define VGEM_SVM_CHAN_RING_BASE		0x00	/* RW bus address, 4 KiB aligned */
#define VGEM_SVM_CHAN_RING_BYTES	0x08	/* RW power of two, 4 KiB..1 MiB */
#define VGEM_SVM_CHAN_HEAD		0x10	/* RO, free-running count of words read */
#define VGEM_SVM_CHAN_TAIL		0x18	/* RW, doorbell: words written, free-running */
#define VGEM_SVM_CHAN_VM		0x20	/* RW, address space of BATCH and USER_FENCE */
#define VGEM_SVM_CHAN_BUDGET		0x28	/* RW, instructions per thread, 0 = no limit */
#define VGEM_SVM_CHAN_CTRL		0x30	/* WO, VGEM_SVM_CHAN_ENABLE or 0 */
#define   VGEM_SVM_CHAN_ENABLE		BIT_ULL(0) /* resets HEAD, TAIL, STATUS, ERR_* */
#define   VGEM_SVM_CHAN_NO_FAULT	BIT_ULL(1) /* a fault ends it; with ENABLE */
#define   VGEM_SVM_CHAN_ENGINE(e)	((u64)(e) << 8) /* compute engine that runs it */
#define VGEM_SVM_CHAN_STATUS		0x38	/* RO */
#define   VGEM_SVM_CHAN_ST_OFF		0
#define   VGEM_SVM_CHAN_ST_ON		1
#define   VGEM_SVM_CHAN_ST_DEAD		2
#define VGEM_SVM_CHAN_ERR		0x40	/* RO enum vgem_svm_chan_error */
#define VGEM_SVM_CHAN_ERR_ADDR		0x48	/* RO offending address */
#define VGEM_SVM_CHAN_ERR_PC		0x50	/* RO program counter, 0 if none */
#define VGEM_SVM_CHAN_ERR_INFO		0x58	/* RO [31:0] thread, [63:32] instruction */
#define VGEM_SVM_CHAN_ERR_FAULT		0x70	/* RO ACCESS and REASON as in a fault record */
#define VGEM_SVM_CHAN_TOTAL		0x60	/* RW, instructions per launch, 0 = no limit */
#define VGEM_SVM_CHAN_OWNER		0x68	/* RW [31:0], who shares turns on the engine */

/**
 * enum vgem_svm_chan_error - why a channel is dead
 * @VGEM_SVM_ERR_NONE: it is not
 * @VGEM_SVM_ERR_PACKET: unknown or malformed packet, or one not allowed there
 * @VGEM_SVM_ERR_INSN: illegal instruction, or EBREAK
 * @VGEM_SVM_ERR_ALIGN: misaligned access or jump
 * @VGEM_SVM_ERR_BUDGET: a thread used up CHAN_BUDGET, or a launch CHAN_TOTAL
 * @VGEM_SVM_ERR_STACK: a stack pointer left the thread's stack
 * @VGEM_SVM_ERR_VA: an address above 57 bits
 * @VGEM_SVM_ERR_BUS: the bus refused the address (IOMMU, or no memory there)
 * @VGEM_SVM_ERR_FAULT: software gave up on a page fault (FAULT_CANCEL, FAULT_ACK), or
 *	the channel was to have none (CHAN_NO_FAULT)
 * @VGEM_SVM_ERR_KILLED: software ended it for another reason (CHAN_KILL)
 * @VGEM_SVM_ERR_RESET: RESET while it was on
 * @VGEM_SVM_ERR_ENTRY: a table entry that is not as it must be
 * @VGEM_SVM_ERR_NR: number of codes
 */
enum vgem_svm_chan_error {
	VGEM_SVM_ERR_NONE,
	VGEM_SVM_ERR_PACKET,
	VGEM_SVM_ERR_INSN,
	VGEM_SVM_ERR_ALIGN,
	VGEM_SVM_ERR_BUDGET,
	VGEM_SVM_ERR_STACK,
	VGEM_SVM_ERR_VA,
	VGEM_SVM_ERR_BUS,
	VGEM_SVM_ERR_FAULT,
	VGEM_SVM_ERR_KILLED,
	VGEM_SVM_ERR_RESET,
	VGEM_SVM_ERR_ENTRY,
	VGEM_SVM_ERR_NR
};

/* ---- packets: 64-bit little-endian words -------------------------------- */

/* Word 0: [7:0] opcode, [23:8] words in all, [63:32] flags or count. */
#define VGEM_SVM_PKT(op, words, hi) \
	((u64)(op) | (u64)(words) << 8 | (u64)(hi) << 32)
#define VGEM_SVM_PKT_OP(w)		((u32)((w) & 0xff))
#define VGEM_SVM_PKT_WORDS(w)		((u32)((w) >> 8 & 0xffff))
#define VGEM_SVM_PKT_HI(w)		((u32)((w) >> 32))

/* Any ring. No packet crosses a 4 KiB boundary of the ring: pad with NOPs. */
#define VGEM_SVM_PKT_NOP		0x00	/* words >= 1, the rest is skipped */
#define VGEM_SVM_PKT_FENCE		0x01	/* [bus address, value]; hi: FENCE_IRQ */
#define   VGEM_SVM_FENCE_IRQ		BIT(0)

/*
 * Page-table ring. An address of a table is a bus address, or an offset in
 * device memory with VGEM_SVM_PT_LOCAL set in hi. Entries are stored in
 * order, each whole. "hi" carries the count in [15:0]; a packet stays within
 * one table of 4 KiB. INVALIDATE waits until every engine has acknowledged.
 */
#define VGEM_SVM_PKT_PT_WRITE		0x10	/* [address, entry * count] */
#define VGEM_SVM_PKT_PT_SEQ		0x11	/* [address, entry, increment] */
#define VGEM_SVM_PKT_PT_FILL		0x12	/* [address, entry] */
#define VGEM_SVM_PKT_INVALIDATE		0x13	/* [vm, first, last]; hi: VGEM_SVM_INV_* */
#define   VGEM_SVM_PT_LOCAL		BIT(31)

/* Copy ring. Addresses are bus addresses, or device memory by flag in hi. */
#define VGEM_SVM_PKT_COPY		0x20	/* [source, destination, bytes] */
#define VGEM_SVM_PKT_FILL		0x21	/* [destination, bytes, 64-bit pattern] */
#define   VGEM_SVM_COPY_SRC_LOCAL	BIT(0)
#define   VGEM_SVM_COPY_DST_LOCAL	BIT(1)

/* Compute ring, written by the kernel. Both go through the channel's MMU. */
#define VGEM_SVM_PKT_BATCH		0x30	/* [VA of packets, bytes] */
#define VGEM_SVM_PKT_USER_FENCE		0x31	/* [VA, value]: 64-bit store; hi: FENCE_IRQ */

/* In a batch, written by the program's owner (NOP too). */
#define VGEM_SVM_PKT_LAUNCH		0x40	/* see struct below, 12 words */
#define VGEM_SVM_PKT_STORE		0x41	/* [VA, value]: 64-bit store */
#define VGEM_SVM_PKT_ATOMIC_ADD		0x42	/* [VA, value]: 64-bit atomic add */

/*
 * LAUNCH: word 0 header, 1 entry VA, 2 number of threads (1..2^24), 3 stack
 * base VA (16-byte aligned), 4 stack bytes per thread (multiple of 16; 0: no
 * stack), 5..11 arguments. Thread i starts with a0 = i, a1..a7 = arguments,
 * sp = base + ((slot + 1) * bytes) where slot < 64 is the resident slot, ra =
 * VGEM_SVM_EXIT_VA, all else 0. It ends by a jump to that address or ECALL.
 */
#define VGEM_SVM_LAUNCH_WORDS		12
#define VGEM_SVM_RESIDENT_THREADS	64
#define VGEM_SVM_MAX_THREADS		BIT(24)
#define VGEM_SVM_EXIT_VA		0xfffffffffffffff0ULL

/* ---- address translation ------------------------------------------------ */

/*
 * Five levels of 512 entries of 8 bytes, 57-bit addresses; level 0 maps 4 KiB.
 * A leaf at level 1 maps 2 MiB, at level 2 1 GiB.
 */
#define VGEM_SVM_VA_BITS		57
#define VGEM_SVM_PT_LEVELS		5
#define VGEM_SVM_PTE_V			BIT_ULL(0)	/* valid */
#define VGEM_SVM_PTE_W			BIT_ULL(1)	/* leaf: stores allowed */
#define VGEM_SVM_PTE_A			BIT_ULL(2)	/* leaf: atomics allowed (with W) */
#define VGEM_SVM_PTE_LEAF		BIT_ULL(3)	/* leaf; set at level 0 too */
#define VGEM_SVM_PTE_APERTURE		GENMASK_ULL(5, 4)
#define   VGEM_SVM_APERTURE_SYSTEM	0ULL
#define   VGEM_SVM_APERTURE_LOCAL	1ULL
#define   VGEM_SVM_APERTURE_PEER	2ULL		/* not implemented: bus error */
#define   VGEM_SVM_APERTURE_NONE	3ULL		/* not implemented: bus error */
#define VGEM_SVM_PTE_64K		BIT_ULL(6)	/* level 0: one of 16 that are contiguous */
#define VGEM_SVM_PTE_ADDR		GENMASK_ULL(56, 12)
#define VGEM_SVM_PTE_PEER		GENMASK_ULL(60, 57)
#define VGEM_SVM_PTE_NO_EXEC		BIT_ULL(7)	/* leaf: no instruction fetches */
#define VGEM_SVM_PTE_UNCACHED		BIT_ULL(8)	/* leaf: accesses in order, and counted */
/* Every other bit is reserved and must be 0, and those of leaves elsewhere. */

/* ---- fault records ------------------------------------------------------ */

/**
 * struct vgem_svm_hw_fault - one record of the fault buffer, 32 bytes
 * @va: the address, exact
 * @info: VGEM_SVM_FAULT_* fields
 * @pc: program counter of the thread, 0 if a packet faulted
 * @seq: free-running number of the record
 */
struct vgem_svm_hw_fault {
	__le64 va;
	__le64 info;
	__le64 pc;
	__le64 seq;
};

#define VGEM_SVM_FAULT_VM		GENMASK_ULL(15, 0)
#define VGEM_SVM_FAULT_CHAN		GENMASK_ULL(31, 16)
#define VGEM_SVM_FAULT_THREAD		GENMASK_ULL(55, 32)
#define VGEM_SVM_FAULT_ACCESS		GENMASK_ULL(59, 56)
#define   VGEM_SVM_ACCESS_READ		0
#define   VGEM_SVM_ACCESS_WRITE		1
#define   VGEM_SVM_ACCESS_ATOMIC	2
#define   VGEM_SVM_ACCESS_EXEC		3
#define VGEM_SVM_FAULT_REASON		GENMASK_ULL(63, 60)
#define   VGEM_SVM_FAULT_NOT_PRESENT	0
#define   VGEM_SVM_FAULT_PERMISSION	1

#endif /* _VGEM_SVM_HW_H_ */
