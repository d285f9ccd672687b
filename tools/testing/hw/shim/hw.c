// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The parts of the shim that are not inline: threads that can be stopped, waiting,
 * interrupts, and the bus, which stands for vgem_svm_bus.c and the IOMMU.
 */

#include "hw.h"

#include "vgem_svm_hw_priv.h"
#include "vgem_svm_iommu.h"

/* ---- waiting, threads ----------------------------------------------------- */

void init_waitqueue_head(wait_queue_head_t *wq)
{
	pthread_mutex_init(&wq->lock, NULL);
	pthread_cond_init(&wq->changed, NULL);
}

void wake_up(wait_queue_head_t *wq)
{
	pthread_mutex_lock(&wq->lock);
	pthread_cond_broadcast(&wq->changed);
	pthread_mutex_unlock(&wq->lock);
}

void shim_wait(wait_queue_head_t *wq)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += 1000000;
	if (end.tv_nsec >= NSEC_PER_SEC) {
		end.tv_nsec -= NSEC_PER_SEC;
		end.tv_sec++;
	}
	pthread_cond_timedwait(&wq->changed, &wq->lock, &end);
}

struct task_struct {
	pthread_t thread;
	int (*fn)(void *data);
	void *data;
	bool stop;
	int nice;
};

static __thread struct task_struct *shim_current;

static void *shim_thread(void *data)
{
	shim_current = data;
	shim_current->fn(shim_current->data);
	return NULL;
}

struct task_struct *shim_thread_run(int (*fn)(void *data), void *data)
{
	struct task_struct *task = kzalloc_obj(*task, GFP_KERNEL);

	if (!task)
		return ERR_PTR(-ENOMEM);
	task->fn = fn;
	task->data = data;
	if (pthread_create(&task->thread, NULL, shim_thread, task)) {
		kfree(task);
		return ERR_PTR(-ENOMEM);
	}
	return task;
}

bool kthread_should_stop(void)
{
	return READ_ONCE(shim_current->stop);
}

int kthread_stop(struct task_struct *task)
{
	WRITE_ONCE(task->stop, true);
	pthread_join(task->thread, NULL);
	kfree(task);
	return 0;
}

void sched_set_normal(struct task_struct *task, int nice)
{
	task->nice = nice;
}

int task_nice(const struct task_struct *task)
{
	return task->nice;
}

/* ---- time ----------------------------------------------------------------- */

ktime_t shim_ktime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (ktime_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

void usleep_range(unsigned long min, unsigned long max)
{
	const struct timespec nap = {
		.tv_sec = min / 1000000,
		.tv_nsec = min % 1000000 * 1000,
	};

	might_sleep();
	nanosleep(&nap, NULL);
}

/* ---- interrupts ----------------------------------------------------------- */

static __thread bool shim_hardirq;

bool in_hardirq(void)
{
	return shim_hardirq;
}

/* One call at a time; what is raised meanwhile, here or elsewhere, is another. */
void irq_work_queue(struct irq_work *work)
{
	if (atomic_inc_return(&work->pending) > 1)
		return;
	do {
		shim_hardirq = true;
		work->func(work);
		shim_hardirq = false;
	} while (atomic_sub_return(1, &work->pending));
}

void irq_work_sync(struct irq_work *work)
{
	while (atomic_read_acquire(&work->pending))
		usleep_range(10, 10);
}

/* ---- the bus -------------------------------------------------------------- */

#define SHIM_BUFFERS	256

/* Memory for DMA: first and last byte; none where both are 0. */
static struct shim_buffer {
	u64 first;
	u64 last;
} shim_buffers[SHIM_BUFFERS];

void *dma_alloc_coherent(struct device *dev, size_t bytes, dma_addr_t *dma,
			 gfp_t gfp)
{
	void *cpu = shim_alloc(bytes, gfp | __GFP_ZERO, PAGE_SIZE, 0);
	unsigned int i;

	if (!cpu)
		return NULL;
	*dma = (uintptr_t)cpu;
	for (i = 0; i < SHIM_BUFFERS; i++) {
		if (READ_ONCE(shim_buffers[i].last))
			continue;
		WRITE_ONCE(shim_buffers[i].first, *dma);
		smp_store_release(&shim_buffers[i].last, *dma + bytes - 1);
		return cpu;
	}
	shim_free(cpu);
	return NULL;
}

void dma_free_coherent(struct device *dev, size_t bytes, void *cpu,
		       dma_addr_t dma)
{
	unsigned int i;

	for (i = 0; i < SHIM_BUFFERS; i++)
		if (READ_ONCE(shim_buffers[i].first) == dma)
			WRITE_ONCE(shim_buffers[i].last, 0);
	shim_free(cpu);
}

u8 *vgem_svm_bus(struct vgem_svm_hw *hw, u64 addr, bool write)
{
	unsigned int i;

	for (i = 0; i < SHIM_BUFFERS; i++)
		if (addr <= smp_load_acquire(&shim_buffers[i].last) &&
		    addr >= READ_ONCE(shim_buffers[i].first))
			return (u8 *)(uintptr_t)addr;
	return NULL;
}

u8 *vgem_svm_vram(struct vgem_svm_hw *hw, u64 addr)
{
	if (addr >> PAGE_SHIFT >= hw->nr_vram_pages)
		return NULL;
	return (u8 *)page_address(hw->vram[addr >> PAGE_SHIFT]) +
	       offset_in_page(addr);
}

u8 *vgem_svm_mem(struct vgem_svm_hw *hw, u64 addr, bool local, bool write)
{
	return local ? vgem_svm_vram(hw, addr) : vgem_svm_bus(hw, addr, write);
}

int vgem_svm_iommu_wire(struct device *dev)
{
	return 0;
}

bool vgem_svm_iommu_active(struct device *dev)
{
	return false;
}

const atomic_long_t *vgem_svm_iommu_generation(struct device *dev)
{
	return NULL;
}
