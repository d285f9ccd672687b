/* SPDX-License-Identifier: MIT */
#ifndef IGT_VGEM_SVM_H
#define IGT_VGEM_SVM_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vgem_svm_drm.h"
#include "vgem_svm_programs.h"

#define VGEM_SVM_PAGE	4096UL
#define VGEM_SVM_BLOCK	(2UL << 20)	/* what the helper serves in one go */

#define VGEM_SVM_QUEUE_STACKS	(64UL << 10)	/* bytes at &vgem_svm_queue.stack */

/* A pointer is a GPU address. */
#define VA(ptr)	((uint64_t)(uintptr_t)(ptr))

/**
 * struct vgem_svm_queue - a queue with what is needed to use it
 * @fd: device
 * @vm: address space
 * @id: handle
 * @event: eventfd, one count per ended batch and one for the queue's death
 * @given: batches given to it so far
 * @batch: two pages that hold the last few batches
 * @stack: stacks of the threads
 */
struct vgem_svm_queue {
	int fd;
	uint32_t vm;
	uint32_t id;
	int event;
	uint64_t given;
	uint64_t *batch;
	void *stack;
};

/**
 * struct vgem_svm - a device, an address space on it and a queue
 * @fd: device
 * @vm: address space
 * @q: queue on engine 0
 */
struct vgem_svm {
	int fd;
	uint32_t vm;
	struct vgem_svm_queue q;
};

/* How much work: VGEM_SVM_SCALE, 1 if not set. Slow machines wait longer. */
double vgem_svm_scale(void);
unsigned int vgem_svm_scaled(unsigned int n);
int vgem_svm_patience(int seconds);

/* Opening: by driver name, never by node number. */
unsigned int vgem_svm_count(void);
int vgem_svm_open(unsigned int index);
void vgem_svm_require(unsigned int devices);
void vgem_svm_init(struct vgem_svm *s, unsigned int index, uint32_t flags);
void vgem_svm_fini(struct vgem_svm *s);
void vgem_svm_queue_init(struct vgem_svm_queue *q, int fd, uint32_t vm,
			 unsigned int engine, uint64_t budget);
void vgem_svm_queue_init_flags(struct vgem_svm_queue *q, int fd, uint32_t vm,
			       unsigned int engine, uint64_t budget, uint32_t flags);
void vgem_svm_queue_fini(struct vgem_svm_queue *q);

/* Ioctls as they are: 0 or -errno. */
int __vgem_svm_ioctl(int fd, unsigned long request, void *arg);
int __vgem_svm_query(int fd, uint32_t query, void *data, uint32_t *size);
int __vgem_svm_vm_create(int fd, uint32_t flags, uint32_t *vm);
int __vgem_svm_vm_destroy(int fd, uint32_t vm);
int __vgem_svm_queue_destroy(int fd, uint32_t queue);
int __vgem_svm_queue_query(int fd, uint32_t queue,
			   struct drm_vgem_svm_queue_query *query);
int __vgem_svm_exec(struct vgem_svm_queue *q, const uint64_t *words,
		    unsigned int nr);
int __vgem_svm_migrate(int fd, uint32_t vm, const void *addr, size_t length,
		       uint32_t location, struct drm_vgem_svm_migrate *result);
int __vgem_svm_attr_set(int fd, uint32_t vm, const void *addr, size_t length,
			uint64_t value);
int __vgem_svm_attr_get(int fd, uint32_t vm, const void *addr, uint64_t *value);
int __vgem_svm_residency(int fd, uint32_t vm, const void *addr, size_t length,
			 uint8_t *pages);
int __vgem_svm_counters(int fd, uint32_t vm, uint64_t *values, uint32_t *nr);
int __vgem_svm_faults(int fd, uint32_t vm, struct drm_vgem_svm_fault *faults,
		      uint32_t *nr, uint64_t *total);

/* The same, asserting. */
uint64_t vgem_svm_query(int fd, uint32_t param);	/* PARAM_* */
uint32_t vgem_svm_status(const struct vgem_svm_queue *q);
uint64_t vgem_svm_counter(const struct vgem_svm *s, unsigned int counter);
uint8_t vgem_svm_where(const struct vgem_svm *s, const void *addr);
unsigned int vgem_svm_pages_at(const struct vgem_svm *s, const void *addr,
			       size_t length, uint8_t location);
unsigned int vgem_svm_pages_mapped(const struct vgem_svm *s, const void *addr,
				   size_t length);
void vgem_svm_prefer(const struct vgem_svm *s, const void *addr, size_t length,
		     uint64_t location);
/* Runs on the @n-th of some CPUs from now on, counted round and round. */
void vgem_svm_run_on(const cpu_set_t *cpus, unsigned int n);
/* All pages must get there. */
void vgem_svm_move(const struct vgem_svm *s, const void *addr, size_t length,
		   uint32_t location);

/* GPU programs. */
uint64_t vgem_svm_program(uint64_t offset);
void __vgem_svm_start(struct vgem_svm_queue *q, uint64_t entry,
		      uint64_t threads, const uint64_t args[7]);
/* Return: 0 when all is done, else why the queue is dead, -ETIME. */
int __vgem_svm_wait(struct vgem_svm_queue *q, int seconds);
void vgem_svm_wait(struct vgem_svm_queue *q);
/* The queue must die of @status. */
void vgem_svm_wait_dead(struct vgem_svm_queue *q, uint32_t status);
const char *vgem_svm_status_name(int status);

/* vgem_svm_start(q, program, threads, arguments...): does not wait. */
#define vgem_svm_start(q, program, threads, ...) \
	__vgem_svm_start(q, vgem_svm_program(VGEM_SVM_PROGRAMS_##program), \
			 threads, (const uint64_t[7]) { __VA_ARGS__ })

#define vgem_svm_run(q, program, threads, ...) \
	do { \
		struct vgem_svm_queue *__q = (q); \
		vgem_svm_start(__q, program, threads, __VA_ARGS__); \
		vgem_svm_wait(__q); \
	} while (0)

/* Memory. */
void *vgem_svm_map(size_t length);		/* anonymous, 4 KiB pages */
void *vgem_svm_map_aligned(size_t length, size_t align);
/*
 * Where nothing was before. The last record of an earlier fault may be served
 * late, and makes a page at its address if there is memory again.
 */
void *vgem_svm_map_fresh(size_t length);
void *vgem_svm_map_huge(size_t length);		/* transparent huge pages */
void vgem_svm_unmap(void *addr, size_t length);
unsigned int vgem_svm_present(const void *addr, size_t length);
unsigned int vgem_svm_swapped(const void *addr, size_t length);
void vgem_svm_random(void *addr, size_t length, uint64_t seed);
uint64_t vgem_svm_hash(const void *addr, size_t length);

/* Waits until @word is @value; what is said if it never is. */
void vgem_svm_wait_word(const uint64_t *word, uint64_t value, const char *what);
/* Waits until @word has changed from what it is now. */
void vgem_svm_wait_change(const uint64_t *word, const char *what);
/* Runs @fn in a child; it returns 0 if all is well. */
void vgem_svm_in_child(int (*fn)(void *data), void *data, const char *what);
pid_t vgem_svm_fork(int (*fn)(void *data), void *data);
int vgem_svm_reap(pid_t pid, int seconds);

static inline uint64_t vgem_svm_peek(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void vgem_svm_poke(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* The ioctl fails with @error for @args with one field changed. */
#define REFUSED(fd, request, args, field, value, error) \
	do { \
		__typeof__(args) __args = (args); \
		int __ret; \
		__args.field = (value); \
		__ret = __vgem_svm_ioctl(fd, request, &__args); \
		igt_assert_f(__ret == (error), \
			     #field " = " #value ": returned %d, should be %d\n", \
			     __ret, error); \
	} while (0)

/* A check in a child, where igt_assert() must not be used. */
#define CHILD_CHECK(expr) \
	do { \
		if (!(expr)) { \
			fprintf(stderr, "child: %s:%d: %s failed\n", \
				__FILE__, __LINE__, #expr); \
			return 1; \
		} \
	} while (0)

#endif
