// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The device: making and ending it, its register file, reset.
 *
 * Everything that an engine will ever need is allocated here. Engines are
 * kernel threads that take spinlocks only, for a quantum at a time.
 *
 * Locks: a unit's lock is the outer one (process context only); inside it the
 * fault buffer's, or the one that guards posting. An invalidation's poster takes
 * units' locks by trylock only, so it may hold others, even a unit's of another
 * kind. The interrupt's lock is taken in hard interrupt context alone.
 */

#include <kunit/visibility.h>

#include <linux/device.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "vgem_svm_hw_priv.h"
#include "vgem_svm_iommu.h"

static bool vgem_svm_use_iommu = true;
module_param_named(iommu, vgem_svm_use_iommu, bool, 0444);
MODULE_PARM_DESC(iommu, "Put the devices behind the virtual IOMMU (default: on)");

static int vgem_svm_engine_nice = MAX_NICE;
module_param_named(engine_nice, vgem_svm_engine_nice, int, 0444);
MODULE_PARM_DESC(engine_nice, "Nice value of the threads that run programs, -20 to 19 (default: 19)");

#ifdef CONFIG_VGEM_SVM_PLANTED_BUGS
int vgem_svm_planted_hw;
module_param_named(planted_hw, vgem_svm_planted_hw, int, 0444);
MODULE_PARM_DESC(planted_hw, "Number of a hardware bug that the test suite must catch (default 0: none)");
#endif

static const atomic_long_t vgem_svm_no_generation = ATOMIC_LONG_INIT(0);

/**
 * vgem_svm_hw_wire() - put a device behind the virtual IOMMU
 * @dev: device that has not been added yet
 *
 * Does nothing with iommu=off.
 *
 * Return: 0, -ENOMEM.
 */
int vgem_svm_hw_wire(struct device *dev)
{
	return vgem_svm_use_iommu ? vgem_svm_iommu_wire(dev) : 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgem_svm_hw_wire);

/* ---- engines ------------------------------------------------------------ */

static bool vgem_svm_unit_step(struct vgem_svm_unit *unit)
{
	if (unit == &unit->hw->copy)
		return vgem_svm_copy_step(unit);
	if (unit == &unit->hw->pt)
		return vgem_svm_pt_step(unit);
	return vgem_svm_compute_step(unit);
}

static int vgem_svm_unit_thread(void *data)
{
	struct vgem_svm_unit *unit = data;

	while (!kthread_should_stop()) {
		wait_event_idle(unit->wait, READ_ONCE(unit->kick) ||
				kthread_should_stop());
		/* Who kicks after this is seen by the next wait. */
		xchg(&unit->kick, false);
		while (vgem_svm_unit_step(unit) && !kthread_should_stop())
			cond_resched();
	}
	return 0;
}

static int vgem_svm_unit_init(struct vgem_svm_hw *hw,
			      struct vgem_svm_unit *unit, u32 index, bool mmu)
{
	unit->hw = hw;
	unit->index = index;
	spin_lock_init(&unit->lock);
	init_waitqueue_head(&unit->wait);
	if (!mmu)
		return 0;
	unit->tlb = kvcalloc(VGEM_SVM_TLB_SETS, sizeof(*unit->tlb), GFP_KERNEL);
	unit->walk = kvcalloc(VGEM_SVM_WALK_CACHE, sizeof(*unit->walk),
			      GFP_KERNEL);
	if (!unit->tlb || !unit->walk)
		return -ENOMEM;
	unit->recent[0] = unit->tlb[0];
	unit->recent[1] = unit->tlb[0];
	return 0;
}

static int vgem_svm_unit_start(struct vgem_svm_unit *unit, const char *name)
{
	struct task_struct *task;

	task = kthread_run(vgem_svm_unit_thread, unit, "vgem_svm%u-%s%u",
			   unit->hw->config.id, name, unit->index);
	if (IS_ERR(task))
		return PTR_ERR(task);
	unit->task = task;
	return 0;
}

static void vgem_svm_unit_stop(struct vgem_svm_unit *unit)
{
	if (unit->task)
		kthread_stop(unit->task);
}

static void vgem_svm_unit_fini(struct vgem_svm_unit *unit)
{
	kvfree(unit->tlb);
	kvfree(unit->walk);
}

static int vgem_svm_units_init(struct vgem_svm_hw *hw)
{
	u32 i;
	int ret;

	for (i = 0; i < hw->config.nr_compute; i++) {
		ret = vgem_svm_unit_init(hw, &hw->compute[i], i, true);
		if (ret)
			return ret;
	}
	/* The other two have no MMU, so nobody waits for them to forget. */
	ret = vgem_svm_unit_init(hw, &hw->copy, 0, false);
	return ret ?: vgem_svm_unit_init(hw, &hw->pt, 0, false);
}

static int vgem_svm_units_start(struct vgem_svm_hw *hw)
{
	u32 i;
	int ret;

	/*
	 * What programs make them do is nobody's who would be charged for it, so it
	 * takes what others leave. The two other engines are waited for: by whoever
	 * needs memory, in notifiers too.
	 */
	for (i = 0; i < hw->config.nr_compute; i++) {
		ret = vgem_svm_unit_start(&hw->compute[i], "c");
		if (ret)
			return ret;
		sched_set_normal(hw->compute[i].task, vgem_svm_engine_nice);
	}
	ret = vgem_svm_unit_start(&hw->copy, "copy");
	return ret ?: vgem_svm_unit_start(&hw->pt, "pt");
}

/* All of them first: the page-table engine flushes the others' TLBs. */
static void vgem_svm_units_fini(struct vgem_svm_hw *hw)
{
	u32 i;

	vgem_svm_unit_stop(&hw->pt);
	vgem_svm_unit_stop(&hw->copy);
	for (i = 0; i < hw->config.nr_compute; i++)
		vgem_svm_unit_stop(&hw->compute[i]);
	for (i = 0; i < hw->config.nr_compute; i++)
		vgem_svm_unit_fini(&hw->compute[i]);
}

static int vgem_svm_chans_init(struct vgem_svm_hw *hw)
{
	u32 i;

	for (i = 0; i < VGEM_SVM_HW_NR_CHANS; i++) {
		struct vgem_svm_chan *chan = &hw->chans[i];

		chan->index = i;
		chan->ring_bytes = SZ_4K;
		chan->unit = i == VGEM_SVM_HW_CHAN_PT ? &hw->pt :
			     i == VGEM_SVM_HW_CHAN_COPY ? &hw->copy :
							  &hw->compute[0];
		if (i < VGEM_SVM_HW_CHAN_USER)
			continue;
		chan->threads = kvcalloc(VGEM_SVM_RESIDENT_THREADS,
					 sizeof(*chan->threads), GFP_KERNEL);
		if (!chan->threads)
			return -ENOMEM;
	}
	return 0;
}

/* ---- device memory ------------------------------------------------------ */

static int vgem_svm_vram_init(struct vgem_svm_hw *hw)
{
	unsigned long n = hw->config.vram_bytes >> PAGE_SHIFT;

	hw->vram = kvcalloc(n, sizeof(*hw->vram), GFP_KERNEL);
	if (!hw->vram && n)
		return -ENOMEM;
	for (; hw->nr_vram_pages < n; hw->nr_vram_pages++) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

		if (!page)
			return -ENOMEM;
		hw->vram[hw->nr_vram_pages] = page;
	}
	return 0;
}

static void vgem_svm_vram_fini(struct vgem_svm_hw *hw)
{
	while (hw->nr_vram_pages)
		__free_page(hw->vram[--hw->nr_vram_pages]);
	kvfree(hw->vram);
}

/* ---- life --------------------------------------------------------------- */

static void vgem_svm_hw_setup(struct vgem_svm_hw *hw,
			      const struct vgem_svm_hw_config *config)
{
	hw->config = *config;
	hw->iommu = vgem_svm_iommu_active(config->dev);
	hw->bus_gen = hw->iommu ? vgem_svm_iommu_generation(config->dev) :
				  &vgem_svm_no_generation;
	spin_lock_init(&hw->fault_lock);
	spin_lock_init(&hw->inv_lock);
	vgem_svm_irq_init(hw);
}

/**
 * vgem_svm_hw_create() - power the device on
 * @config: straps
 *
 * Context: may sleep.
 * Return: the device, -ENOMEM, -EINTR if the caller was killed meanwhile,
 * -EINVAL for a number of engines, a size or a nice value that cannot be.
 */
struct vgem_svm_hw *vgem_svm_hw_create(const struct vgem_svm_hw_config *config)
{
	struct vgem_svm_hw *hw;
	int ret;

	if (!config->nr_compute ||
	    config->nr_compute > VGEM_SVM_HW_MAX_COMPUTE ||
	    vgem_svm_engine_nice < MIN_NICE || vgem_svm_engine_nice > MAX_NICE ||
	    !IS_ALIGNED(config->vram_bytes, SZ_2M))
		return ERR_PTR(-EINVAL);
	hw = kvzalloc_obj(*hw, GFP_KERNEL);
	if (!hw)
		return ERR_PTR(-ENOMEM);
	vgem_svm_hw_setup(hw, config);

	ret = vgem_svm_units_init(hw);
	ret = ret ?: vgem_svm_chans_init(hw);
	ret = ret ?: vgem_svm_vram_init(hw);
	ret = ret ?: vgem_svm_units_start(hw);
	if (ret) {
		vgem_svm_hw_destroy(hw);
		return ERR_PTR(ret);
	}
	return hw;
}
EXPORT_SYMBOL_IF_KUNIT(vgem_svm_hw_create);

/**
 * vgem_svm_hw_destroy() - power the device off
 * @hw: the device
 *
 * When it returns the interrupt line is quiet and no bus access is made.
 *
 * Context: may sleep.
 */
void vgem_svm_hw_destroy(struct vgem_svm_hw *hw)
{
	u32 i;

	vgem_svm_units_fini(hw);
	irq_work_sync(&hw->irq_work);
	for (i = VGEM_SVM_HW_CHAN_USER; i < VGEM_SVM_HW_NR_CHANS; i++)
		kvfree(hw->chans[i].threads);
	vgem_svm_vram_fini(hw);
	kvfree(hw);
}
EXPORT_SYMBOL_IF_KUNIT(vgem_svm_hw_destroy);

/* ---- reset -------------------------------------------------------------- */

static void vgem_svm_unit_reset(struct vgem_svm_unit *unit)
{
	struct vgem_svm_hw *hw = unit->hw;
	u64 chans;
	u32 c;

	vgem_svm_unit_lock(unit);
	chans = unit->chans;
	for_each_set_bit(c, (unsigned long *)&chans, 64)
		vgem_svm_chan_die(&hw->chans[c], VGEM_SVM_ERR_RESET, 0, 0, 0);
	unit->inv_wait = 0;
	unit->done_bytes = 0;
	if (unit->tlb)
		vgem_svm_tlb_flush_all(unit);
	/* Nothing is parked any more: all is acknowledged here at the latest. */
	vgem_svm_unit_unlock(unit);
}

static void vgem_svm_reset(struct vgem_svm_hw *hw)
{
	u32 i;

	WRITE_ONCE(hw->stopped, true);
	for (i = 0; i < hw->config.nr_compute; i++)
		vgem_svm_unit_reset(&hw->compute[i]);
	vgem_svm_unit_reset(&hw->copy);
	vgem_svm_unit_reset(&hw->pt);
}

static void vgem_svm_start(struct vgem_svm_hw *hw)
{
	u32 i;

	WRITE_ONCE(hw->stopped, false);
	for (i = 0; i < hw->config.nr_compute; i++)
		vgem_svm_unit_kick(&hw->compute[i]);
	vgem_svm_unit_kick(&hw->copy);
	vgem_svm_unit_kick(&hw->pt);
}

/* ---- registers ---------------------------------------------------------- */

static u64 vgem_svm_read_uncached(struct vgem_svm_hw *hw, u32 engine)
{
	return engine < hw->config.nr_compute ?
		READ_ONCE(hw->compute[engine].uncached) : 0;
}

static u64 vgem_svm_read_global(struct vgem_svm_hw *hw, u32 reg)
{
	switch (reg) {
	case VGEM_SVM_REG_ID:
		return VGEM_SVM_ID_VALUE;
	case VGEM_SVM_REG_VRAM_BYTES:
		return hw->config.vram_bytes;
	case VGEM_SVM_REG_NR_COMPUTE:
		return hw->config.nr_compute;
	case VGEM_SVM_REG_INT_STATUS:
		return atomic64_read(&hw->int_status);
	case VGEM_SVM_REG_INT_ENABLE:
		return READ_ONCE(hw->int_enable);
	case VGEM_SVM_REG_CHAN_ERRORS:
		return atomic64_read(&hw->chan_errors);
	case VGEM_SVM_REG_STOPPED:
		return READ_ONCE(hw->stopped);
	case VGEM_SVM_REG_FAULT_BASE:
		return hw->fault_base;
	case VGEM_SVM_REG_FAULT_ENTRIES:
		return hw->fault_entries;
	case VGEM_SVM_REG_FAULT_PUT:
		/* Pairs with vgem_svm_fault_store(). */
		return smp_load_acquire(&hw->fault_put);
	case VGEM_SVM_REG_FAULT_GET:
		return READ_ONCE(hw->fault_get);
	case VGEM_SVM_REG_FAULT_CTRL:
		return READ_ONCE(hw->fault_each) ? VGEM_SVM_FAULT_EACH : 0;
	case VGEM_SVM_REG_INV_SEQ:
		return READ_ONCE(hw->inv_seq);
	case VGEM_SVM_REG_INV_DONE:
		return vgem_svm_inv_done(hw);
	default:
		return 0;
	}
}

static void vgem_svm_write_inv(struct vgem_svm_hw *hw, u32 reg, u64 val)
{
	struct vgem_svm_inv inv;

	switch (reg) {
	case VGEM_SVM_REG_INV_VM:
		hw->inv_regs.vm = val % VGEM_SVM_HW_NR_VMS;
		break;
	case VGEM_SVM_REG_INV_FIRST:
		hw->inv_regs.first = val;
		break;
	case VGEM_SVM_REG_INV_LAST:
		hw->inv_regs.last = val;
		break;
	default:
		inv = hw->inv_regs;
		inv.flags = val;
		vgem_svm_inv_post(hw, &inv);
	}
}

static void vgem_svm_write_global(struct vgem_svm_hw *hw, u32 reg, u64 val)
{
	switch (reg) {
	case VGEM_SVM_REG_INT_STATUS:
		vgem_svm_irq_ack(hw, val);
		break;
	case VGEM_SVM_REG_INT_ENABLE:
		vgem_svm_irq_enable(hw, val);
		break;
	case VGEM_SVM_REG_CHAN_ERRORS:
		atomic64_andnot(val, &hw->chan_errors);
		break;
	case VGEM_SVM_REG_RESET:
		vgem_svm_reset(hw);
		break;
	case VGEM_SVM_REG_START:
		vgem_svm_start(hw);
		break;
	case VGEM_SVM_REG_FAULT_BASE:
	case VGEM_SVM_REG_FAULT_ENTRIES:
		vgem_svm_fault_setup(hw, reg, val);
		break;
	case VGEM_SVM_REG_FAULT_GET:
		vgem_svm_fault_set_get(hw, val);
		break;
	case VGEM_SVM_REG_FAULT_REPLAY:
		vgem_svm_replay(hw, val);
		break;
	case VGEM_SVM_REG_CHAN_KILL:
		vgem_svm_chan_kill(hw, val);
		break;
	case VGEM_SVM_REG_FAULT_CANCEL:
		vgem_svm_fault_cancel(hw, val);
		break;
	case VGEM_SVM_REG_FAULT_CTRL:
		WRITE_ONCE(hw->fault_each, val & VGEM_SVM_FAULT_EACH);
		break;
	case VGEM_SVM_REG_FAULT_ACK:
		vgem_svm_fault_ack(hw, val);
		break;
	case VGEM_SVM_REG_INV_VM:
	case VGEM_SVM_REG_INV_FIRST:
	case VGEM_SVM_REG_INV_LAST:
	case VGEM_SVM_REG_INV_CTRL:
		vgem_svm_write_inv(hw, reg, val);
		break;
	}
}

/**
 * vgem_svm_hw_read() - read a register
 * @hw: the device
 * @reg: offset
 *
 * Context: any.
 * Return: its value, 0 for one that cannot be read.
 */
u64 vgem_svm_hw_read(struct vgem_svm_hw *hw, u32 reg)
{
	u32 chan = (reg - VGEM_SVM_REG_CHAN(0, 0)) >> 8;
	u32 vm = (reg - VGEM_SVM_REG_VM_ROOT(0)) >> 3;
	u32 engine = (reg - VGEM_SVM_REG_UNCACHED(0)) >> 3;

	if (reg >= VGEM_SVM_REG_UNCACHED(0) && engine < VGEM_SVM_HW_MAX_COMPUTE)
		return vgem_svm_read_uncached(hw, engine);
	if (reg >= VGEM_SVM_REG_CHAN(0, 0) && chan < VGEM_SVM_HW_NR_CHANS)
		return vgem_svm_chan_read(hw, chan, reg & 0xff);
	if (reg >= VGEM_SVM_REG_VM_ROOT(0) && vm < VGEM_SVM_HW_NR_VMS)
		return READ_ONCE(hw->vm_root[vm]);
	return vgem_svm_read_global(hw, reg);
}
EXPORT_SYMBOL_IF_KUNIT(vgem_svm_hw_read);

/**
 * vgem_svm_hw_write() - write a register
 * @hw: the device
 * @reg: offset
 * @val: value
 *
 * Context: any for INT_STATUS, INT_ENABLE, CHAN_ERRORS, VM_ROOT and CHAN_TAIL;
 * the others not in interrupts, but preemption may be off. Never sleeps.
 */
void vgem_svm_hw_write(struct vgem_svm_hw *hw, u32 reg, u64 val)
{
	u32 chan = (reg - VGEM_SVM_REG_CHAN(0, 0)) >> 8;
	u32 vm = (reg - VGEM_SVM_REG_VM_ROOT(0)) >> 3;

	/* As writeq() does. */
	wmb();
	if (reg >= VGEM_SVM_REG_CHAN(0, 0) && chan < VGEM_SVM_HW_NR_CHANS)
		vgem_svm_chan_write(hw, chan, reg & 0xff, val);
	else if (reg >= VGEM_SVM_REG_VM_ROOT(0) && vm < VGEM_SVM_HW_NR_VMS)
		WRITE_ONCE(hw->vm_root[vm], val);
	else
		vgem_svm_write_global(hw, reg, val);
}
EXPORT_SYMBOL_IF_KUNIT(vgem_svm_hw_write);

/**
 * vgem_svm_hw_dump() - print the state of the device
 * @hw: the device
 * @m: where to
 *
 * Context: process. Racy by nature.
 */
void vgem_svm_hw_dump(struct vgem_svm_hw *hw, struct seq_file *m)
{
	static const char * const states[] = { "off", "on", "dead" };
	u32 i;

	seq_printf(m, "iommu %d stopped %d int %#llx/%#llx\n", hw->iommu,
		   hw->stopped, (u64)atomic64_read(&hw->int_status),
		   hw->int_enable);
	seq_printf(m, "faults put %llu get %llu of %llu\n", hw->fault_put,
		   hw->fault_get, hw->fault_entries);
	seq_printf(m, "invalidations started %llu done %llu\n", hw->inv_seq,
		   vgem_svm_inv_done(hw));
	for (i = 0; i < hw->config.nr_compute; i++)
		seq_printf(m, "engine %u uncached accesses %llu\n", i,
			   vgem_svm_read_uncached(hw, i));
	for (i = 0; i < VGEM_SVM_HW_NR_CHANS; i++) {
		struct vgem_svm_chan *chan = &hw->chans[i];

		if (chan->status == VGEM_SVM_CHAN_ST_OFF)
			continue;
		seq_printf(m, "chan %u vm %u %s head %llu tail %llu err %u addr %#llx pc %#llx threads %u/%u front %d\n",
			   i, chan->vm, states[chan->status], chan->head,
			   chan->tail, chan->err, chan->err_addr, chan->err_pc,
			   chan->resident, chan->nr_threads, chan->front);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vgem_svm_hw_dump);
