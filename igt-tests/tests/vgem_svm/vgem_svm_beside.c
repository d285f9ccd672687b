// SPDX-License-Identifier: MIT
/*
 * Buffer objects beside what the device sees of the process's memory, and over it.
 */

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_bo.h"
#include "igt_vgem_svm_work.h"

/**
 * TEST: vgem svm beside
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: buffer objects
 * Description: buffer objects beside a mirror, and over what it shows
 *
 * SUBTEST: over-memory
 * Description: an object takes the place of memory, which is back afterwards
 *
 * SUBTEST: over-device-memory
 * Description: the same of memory that is the device's
 *
 * SUBTEST: over-huge-page
 * Description: single pages over a huge one, and back
 *
 * SUBTEST: above-memory
 * Description: an object where the process cannot have memory
 *
 * SUBTEST: read-only
 * Description: a write to what is bound for reading ends its queue
 *
 * SUBTEST: invalidations
 * Description: memory below and beside goes, and a program on the object does not notice
 *
 * SUBTEST: invalidations-threads
 * Description: the same by several threads, with programs on the memory too
 *
 * SUBTEST: migrate-below
 * Description: memory below an object moves, and the object stays
 *
 * SUBTEST: turns-running
 * Description: object and memory take turns under a program; nothing is lost
 *
 * SUBTEST: unbind-is-over
 * Description: after an unbind no store reaches the object
 *
 * SUBTEST: two-devices
 * Description: an object on one device, the memory on the other
 *
 * SUBTEST: undo
 * Description: a call that fails late gives the addresses back
 *
 * SUBTEST: churn
 * Description: binds and memory change places at random while memory moves
 *
 * SUBTEST: exit-bound
 * Description: a process ends while its program uses object and memory
 */

IGT_TEST_DESCRIPTION("Buffer objects beside a mirror, and over what it shows");

#define PAGE	VGEM_SVM_PAGE
#define PAGES	512

static uint64_t *word_of(void *p, unsigned int page)
{
	return (uint64_t *)((uint8_t *)p + page * PAGE);
}

static void *page_of(void *p, unsigned int page)
{
	return word_of(p, page);
}

/* Adds 1 to each of @n pages. */
static void increment_pages(struct vgem_svm *s, void *p, unsigned int n)
{
	vgem_svm_run(&s->q, increment, 2, n, VA(p), PAGE, 1, 2);
}

static void mark(void *p, unsigned int n, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		vgem_svm_poke(word_of(p, i), value + i);
}

/* ---- one place ---------------------------------------------------------- */

static void over(struct vgem_svm *s, void *p, bool device)
{
	unsigned int i;
	struct vgem_svm_bo bo;

	vgem_svm_bo_init(&bo, s->fd, 100 * PAGE);
	mark(p, PAGES, 1000);
	mark(bo.cpu, 100, 9000);
	if (device)
		vgem_svm_move(s, p, PAGES * PAGE, DRM_VGEM_SVM_LOC_DEVICE);
	/* The device has it all mapped, also by writes. */
	increment_pages(s, p, PAGES);
	vgem_svm_bind(s, &bo, 10 * PAGE, page_of(p, 33), 77 * PAGE, VGEM_SVM_BIND_RW);
	increment_pages(s, p, PAGES);
	for (i = 0; i < 100; i++)
		igt_assert_eq_u64(*word_of(bo.cpu, i), 9000 + i + (i >= 10 && i < 87));
	/* A part of it is memory again, with the rest beside. */
	vgem_svm_unbind(s, page_of(p, 50), 3 * PAGE);
	increment_pages(s, p, PAGES);
	vgem_svm_unbind(s, p, PAGES * PAGE);
	increment_pages(s, p, PAGES);
	for (i = 0; i < PAGES; i++) {
		unsigned int n = i < 33 || i >= 110 ? 4 : i < 50 || i >= 53 ? 2 : 3;

		igt_assert_f(*word_of(p, i) == 1000 + i + n,
			     "page %u: %" PRIu64 " increments, should be %u\n", i,
			     *word_of(p, i) - 1000 - i, n);
	}
	for (i = 10; i < 87; i++)
		igt_assert_eq_u64(*word_of(bo.cpu, i),
				  9000 + i + (i < 27 || i >= 30 ? 2 : 1));
	vgem_svm_bo_fini(&bo);
}

static void test_over_memory(struct vgem_svm *s)
{
	void *p = vgem_svm_map(PAGES * PAGE);

	over(s, p, false);
	vgem_svm_unmap(p, PAGES * PAGE);
}

static void test_over_device_memory(struct vgem_svm *s)
{
	void *p = vgem_svm_map_aligned(PAGES * PAGE, VGEM_SVM_BLOCK);

	over(s, p, true);
	vgem_svm_unmap(p, PAGES * PAGE);
}

static void test_over_huge(struct vgem_svm *s)
{
	void *p = vgem_svm_map_huge(PAGES * PAGE);

	over(s, p, false);
	vgem_svm_unmap(p, PAGES * PAGE);
}

static void must_die(struct vgem_svm *s, void *addr, bool write, int error)
{
	struct drm_vgem_svm_fault fault;
	struct vgem_svm_queue q;
	uint64_t total;
	uint32_t nr = 1;

	vgem_svm_queue_init(&q, s->fd, s->vm, 0, 0);
	if (write)
		vgem_svm_start(&q, store_at, 1, VA(addr), 1);
	else
		vgem_svm_start(&q, load_at, 1, VA(addr), VA(q.stack));
	vgem_svm_wait_dead(&q, DRM_VGEM_SVM_QUEUE_FAULT);
	igt_assert_eq(__vgem_svm_faults(s->fd, s->vm, &fault, &nr, &total), 0);
	igt_assert_eq_u64(fault.addr, VA(addr));
	igt_assert_eq(fault.error, error);
	vgem_svm_queue_fini(&q);
}

static void test_above(struct vgem_svm *s)
{
	void *addr = vgem_svm_bind_addr(8 * PAGE);
	struct vgem_svm_bo bo;

	vgem_svm_bo_init(&bo, s->fd, 8 * PAGE);
	mark(bo.cpu, 8, 40);
	must_die(s, addr, false, EFAULT);
	vgem_svm_bind(s, &bo, 0, addr, 8 * PAGE, VGEM_SVM_BIND_RW);
	increment_pages(s, addr, 8);
	igt_assert_eq_u64(*word_of(bo.cpu, 7), 48);
	vgem_svm_unbind(s, addr, 8 * PAGE);
	must_die(s, addr, false, EFAULT);
	vgem_svm_bo_fini(&bo);
}

static void test_read_only(struct vgem_svm *s)
{
	void *p = vgem_svm_map(4 * PAGE);
	struct vgem_svm_bo bo;

	vgem_svm_bo_init(&bo, s->fd, 4 * PAGE);
	mark(p, 4, 1);
	mark(bo.cpu, 4, 50);
	vgem_svm_bind(s, &bo, 0, page_of(p, 1), 2 * PAGE, DRM_VGEM_SVM_BIND_READ);
	vgem_svm_run(&s->q, load_at, 1, VA(page_of(p, 2)), VA(p));
	igt_assert_eq_u64(*word_of(p, 0), 51);
	must_die(s, page_of(p, 2), true, EACCES);
	igt_assert_eq_u64(*word_of(bo.cpu, 1), 51);
	igt_assert_eq_u64(*word_of(p, 2), 3);
	vgem_svm_unbind(s, p, 4 * PAGE);
	vgem_svm_run(&s->q, store_at, 1, VA(page_of(p, 2)), 7);
	igt_assert_eq_u64(*word_of(p, 2), 7);
	vgem_svm_bo_fini(&bo);
	vgem_svm_unmap(p, 4 * PAGE);
}

/* ---- invalidations ------------------------------------------------------ */

/* Memory of a block, with a page of an object over one of every few. */
struct comb {
	struct vgem_svm *s;
	uint8_t *p;
	struct vgem_svm_bo bo;
	bool stop;
};

#define STEP	8
#define TEETH	(PAGES / STEP)

static void comb_init(struct comb *c, struct vgem_svm *s)
{
	struct drm_vgem_svm_bind_op ops[TEETH] = {};
	unsigned int i;

	c->s = s;
	c->stop = false;
	c->p = vgem_svm_map_aligned(PAGES * PAGE, VGEM_SVM_BLOCK);
	vgem_svm_bo_init(&c->bo, s->fd, TEETH * PAGE);
	for (i = 0; i < TEETH; i++) {
		ops[i].flags = VGEM_SVM_BIND_RW;
		ops[i].handle = c->bo.handle;
		ops[i].offset = i * PAGE;
		ops[i].addr = VA(page_of(c->p, STEP * i + 1));
		ops[i].length = PAGE;
	}
	igt_assert_eq(__vgem_svm_vm_bind(s->fd, s->vm, ops, TEETH), 0);
}

static void comb_fini(struct comb *c)
{
	vgem_svm_unbind(c->s, c->p, PAGES * PAGE);
	vgem_svm_unmap(c->p, PAGES * PAGE);
	vgem_svm_bo_fini(&c->bo);
}

/* Takes memory away, in one of several ways, and gives it back. */
static void invalidate(struct comb *c, unsigned int way)
{
	size_t bytes = PAGES * PAGE;

	switch (way % 4) {
	case 0:
		igt_assert(!madvise(c->p, bytes, MADV_DONTNEED));
		break;
	case 1:
		igt_assert(!mprotect(c->p, bytes, PROT_NONE));
		igt_assert(!mprotect(c->p, bytes, PROT_READ | PROT_WRITE));
		break;
	case 2:
		igt_assert(mmap(c->p, bytes, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
			   c->p);
		break;
	case 3:
		/* A part, whose ends are in what is bound. */
		igt_assert(!munmap(page_of(c->p, 33), 200 * PAGE));
		igt_assert(mmap(page_of(c->p, 33), 200 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
			   page_of(c->p, 33));
	}
}

/* A program that increments the object only, over and over. */
static void teeth_start(struct comb *c, struct vgem_svm_queue *q, uint64_t *control)
{
	vgem_svm_start(q, increment_on, 1, TEETH, VA(page_of(c->p, 1)), STEP * PAGE,
		       VA(control), VA(control + 64));
	vgem_svm_wait_change(control, "the program on the object");
}

static void teeth_stop(struct comb *c, struct vgem_svm_queue *q, uint64_t *control)
{
	unsigned int i;

	vgem_svm_poke(control + 64, 1);
	vgem_svm_wait(q);
	for (i = 0; i < TEETH; i++)
		igt_assert_f(*word_of(c->bo.cpu, i) == *control,
			     "page %u of the object: %" PRIu64 " increments of %" PRIu64 "\n",
			     i, *word_of(c->bo.cpu, i), *control);
}

/* The device has the pages beside them mapped from the process. */
static void gaps_touch(struct comb *c)
{
	vgem_svm_run(&c->s->q, fill, 1, TEETH, VA(c->p), STEP * PAGE, 1, 1);
}

static void test_invalidations(struct vgem_svm *s)
{
	uint64_t *control = vgem_svm_map_fresh(PAGE), faults, gone;
	struct vgem_svm_queue q;
	unsigned int round;
	struct comb c;

	comb_init(&c, s);
	vgem_svm_queue_init(&q, s->fd, s->vm, 1, 0);
	teeth_start(&c, &q, control);
	for (round = 0; round < vgem_svm_scaled(40); round++) {
		gaps_touch(&c);
		gone = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_UNMAPPED);
		faults = vgem_svm_counter(s, DRM_VGEM_SVM_CTR_FAULTS);
		invalidate(&c, round);
		vgem_svm_wait_change(control, "the program on the object");
		vgem_svm_wait_change(control, "the program on the object");
		/* What is bound was not taken away: nobody asked for it again. */
		igt_assert_eq_u64(vgem_svm_counter(s, DRM_VGEM_SVM_CTR_FAULTS),
				  faults);
		igt_assert(vgem_svm_counter(s, DRM_VGEM_SVM_CTR_UNMAPPED) > gone);
	}
	teeth_stop(&c, &q, control);
	vgem_svm_queue_fini(&q);
	comb_fini(&c);
	vgem_svm_unmap(control, PAGE);
}

static void *invalidator(void *data)
{
	struct comb *c = data;
	unsigned int way = 0;

	/* Whoever finds a hole gets EFAULT: only what leaves memory there. */
	while (!__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
		invalidate(c, way);
		way += 2;
		/* Services want mmap_lock too, now and then. */
		usleep(20000);
	}
	return NULL;
}

static void test_invalidations_threads(struct vgem_svm *s)
{
	uint64_t *control = vgem_svm_map_fresh(PAGE);
	struct vgem_svm_queue q;
	pthread_t threads[2];
	unsigned int round, i;
	struct comb c;

	comb_init(&c, s);
	vgem_svm_queue_init(&q, s->fd, s->vm, 1, 0);
	teeth_start(&c, &q, control);
	for (i = 0; i < 2; i++)
		igt_assert(!pthread_create(&threads[i], NULL, invalidator, &c));
	for (round = 0; round < vgem_svm_scaled(40); round++)
		gaps_touch(&c);
	__atomic_store_n(&c.stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	teeth_stop(&c, &q, control);
	/* Unbound, the memory is there again beside what was left. */
	gaps_touch(&c);
	vgem_svm_unbind(s, c.p, PAGES * PAGE);
	vgem_svm_run(&s->q, fill, 1, PAGES, VA(c.p), PAGE, 70, 1);
	for (i = 0; i < PAGES; i++)
		igt_assert_eq_u64(*word_of(c.p, i), 70 + i);
	vgem_svm_queue_fini(&q);
	comb_fini(&c);
	vgem_svm_unmap(control, PAGE);
}

static void test_migrate_below(struct vgem_svm *s)
{
	struct drm_vgem_svm_migrate result;
	unsigned int i, round;
	struct comb c;

	igt_require_f(vgem_svm_query(s->fd, DRM_VGEM_SVM_PARAM_VRAM_BYTES),
		      "no device memory\n");
	comb_init(&c, s);
	mark(c.p, PAGES, 100);
	for (round = 1; round <= 4; round++) {
		igt_assert_eq(__vgem_svm_migrate(s->fd, s->vm, c.p, PAGES * PAGE,
						 round & 1 ? DRM_VGEM_SVM_LOC_DEVICE :
							     DRM_VGEM_SVM_LOC_SYSTEM,
						 &result), 0);
		increment_pages(s, c.p, PAGES);
		for (i = 0; i < TEETH; i++)
			igt_assert_eq_u64(*word_of(c.bo.cpu, i), round);
	}
	comb_fini(&c);
}

/* ---- under a program ---------------------------------------------------- */

static void test_turns(struct vgem_svm *s)
{
	uint64_t *control = vgem_svm_map_fresh(PAGE), sum;
	void *p = vgem_svm_map_aligned(16 * PAGE, VGEM_SVM_BLOCK);
	struct vgem_svm_bo bo[2];
	struct vgem_svm_queue q;
	unsigned int round, i;

	for (i = 0; i < 2; i++)
		vgem_svm_bo_init(&bo[i], s->fd, 16 * PAGE);
	vgem_svm_queue_init(&q, s->fd, s->vm, 1, 0);
	vgem_svm_start(&q, add_on, 1, 8, VA(p), PAGE, VA(control),
		       VA(control + 64));
	vgem_svm_wait_change(control, "the program");
	for (round = 0; round < vgem_svm_scaled(100); round++) {
		if (round % 3 == 2)
			vgem_svm_unbind(s, p, 16 * PAGE);
		else
			vgem_svm_bind(s, &bo[round % 3], 0, page_of(p, round % 4),
				      5 * PAGE, VGEM_SVM_BIND_RW);
		vgem_svm_wait_change(control, "the program");
	}
	vgem_svm_poke(control + 64, 1);
	vgem_svm_wait(&q);
	vgem_svm_unbind(s, p, 16 * PAGE);
	sum = 0;
	for (i = 0; i < 16; i++)
		sum += *word_of(p, i) + *word_of(bo[0].cpu, i) +
		       *word_of(bo[1].cpu, i);
	igt_assert_eq_u64(sum, 8 * *control);
	for (i = 0; i < 2; i++)
		vgem_svm_bo_fini(&bo[i]);
	vgem_svm_queue_fini(&q);
	vgem_svm_unmap(p, 16 * PAGE);
	vgem_svm_unmap(control, PAGE);
}

static void test_unbind_is_over(struct vgem_svm *s)
{
	uint64_t *control = vgem_svm_map_fresh(PAGE), before;
	uint64_t *p = vgem_svm_map(PAGE);
	struct vgem_svm_queue q;
	struct vgem_svm_bo bo;
	unsigned int round;

	vgem_svm_bo_init(&bo, s->fd, PAGE);
	vgem_svm_queue_init(&q, s->fd, s->vm, 1, 0);
	vgem_svm_start(&q, add_on, 1, 1, VA(p), PAGE, VA(control),
		       VA(control + 64));
	for (round = 0; round < vgem_svm_scaled(40); round++) {
		vgem_svm_bind(s, &bo, 0, p, PAGE, VGEM_SVM_BIND_RW);
		before = vgem_svm_peek(p);
		vgem_svm_wait_change((uint64_t *)bo.cpu, "the object");
		igt_assert_eq_u64(vgem_svm_peek(p), before);
		vgem_svm_unbind(s, p, PAGE);
		before = vgem_svm_peek((uint64_t *)bo.cpu);
		vgem_svm_wait_change(p, "the memory");
		igt_assert_eq_u64(vgem_svm_peek((uint64_t *)bo.cpu), before);
	}
	vgem_svm_poke(control + 64, 1);
	vgem_svm_wait(&q);
	vgem_svm_queue_fini(&q);
	vgem_svm_bo_fini(&bo);
	vgem_svm_unmap(p, PAGE);
	vgem_svm_unmap(control, PAGE);
}

static void test_two_devices(struct vgem_svm *s)
{
	void *p = vgem_svm_map(8 * PAGE);
	struct vgem_svm other;
	struct vgem_svm_bo bo;
	unsigned int i;

	vgem_svm_init(&other, 1, 0);
	vgem_svm_bo_init(&bo, s->fd, 8 * PAGE);
	increment_pages(s, p, 8);
	increment_pages(&other, p, 8);
	vgem_svm_bind(s, &bo, 0, page_of(p, 2), 3 * PAGE, VGEM_SVM_BIND_RW);
	increment_pages(s, p, 8);
	increment_pages(&other, p, 8);
	for (i = 0; i < 8; i++)
		igt_assert_eq_u64(*word_of(p, i), i >= 2 && i < 5 ? 3 : 4);
	for (i = 0; i < 8; i++)
		igt_assert_eq_u64(*word_of(bo.cpu, i), i < 3);
	vgem_svm_unbind(s, p, 8 * PAGE);
	increment_pages(s, p, 8);
	igt_assert_eq_u64(*word_of(p, 3), 4);
	vgem_svm_bo_fini(&bo);
	vgem_svm_fini(&other);
	vgem_svm_unmap(p, 8 * PAGE);
}

/* ---- the rest ----------------------------------------------------------- */

/* All but one of a user's binds, in an address space of their own. */
static int fill_binds(int fd, uint32_t handle)
{
	uint64_t binds = vgem_svm_query(fd, DRM_VGEM_SVM_PARAM_USER_BINDS) - 1, i, k;
	struct drm_vgem_svm_bind_op ops[DRM_VGEM_SVM_MAX_BINDS] = {};
	uint8_t *addr = vgem_svm_bind_addr(2 * binds * PAGE);
	uint32_t vm;

	CHILD_CHECK(!__vgem_svm_vm_create(fd, DRM_VGEM_SVM_VM_NO_SVM, &vm));
	for (i = 0; i < binds; i += k) {
		for (k = 0; k < DRM_VGEM_SVM_MAX_BINDS && i + k < binds; k++) {
			ops[k].flags = DRM_VGEM_SVM_BIND_READ;
			ops[k].handle = handle;
			ops[k].length = PAGE;
			ops[k].addr = VA(addr) + 2 * PAGE * (i + k);
		}
		CHILD_CHECK(!__vgem_svm_vm_bind(fd, vm, ops, k));
	}
	return 0;
}

static int undo_body(void *data)
{
	struct vgem_svm *parent = data;
	struct drm_vgem_svm_bind_op ops[2] = {};
	uint64_t *p = vgem_svm_map(8 * PAGE);
	struct vgem_svm s = { .fd = parent->fd };
	uint32_t handle;

	CHILD_CHECK(!setuid(4322));
	CHILD_CHECK(!__vgem_svm_gem_create(s.fd, PAGE, &handle));
	CHILD_CHECK(!fill_binds(s.fd, handle));
	CHILD_CHECK(!__vgem_svm_vm_create(s.fd, 0, &s.vm));
	vgem_svm_queue_init(&s.q, s.fd, s.vm, 0, 0);
	ops[0].flags = VGEM_SVM_BIND_RW;
	ops[0].handle = handle;
	ops[0].addr = VA(page_of(p, 2));
	ops[0].length = PAGE;
	ops[1] = ops[0];
	ops[1].addr = VA(page_of(p, 4));
	*word_of(p, 2) = 8;
	CHILD_CHECK(__vgem_svm_vm_bind(s.fd, s.vm, ops, 2) == -EDQUOT);
	vgem_svm_start(&s.q, increment, 1, 8, VA(p), PAGE, 1, 1);
	CHILD_CHECK(!__vgem_svm_wait(&s.q, 20));
	CHILD_CHECK(*word_of(p, 2) == 9 && *word_of(p, 4) == 1);
	/* One there is room for. */
	CHILD_CHECK(!__vgem_svm_vm_bind(s.fd, s.vm, ops, 1));
	vgem_svm_start(&s.q, increment, 1, 8, VA(p), PAGE, 1, 1);
	CHILD_CHECK(!__vgem_svm_wait(&s.q, 20));
	CHILD_CHECK(*word_of(p, 2) == 9 && *word_of(p, 4) == 2);
	return 0;
}

static void test_undo(struct vgem_svm *s)
{
	struct vgem_svm own = { .fd = vgem_svm_open(0) };

	vgem_svm_in_child(undo_body, &own, "another user");
	close(own.fd);
	increment_pages(s, s->q.stack, 1);
}

/* What the device must find at each page: an object's page, or memory. */
struct model {
	struct vgem_svm *s;
	void *p;
	struct vgem_svm_bo bo;
	int bound[PAGES];
	uint64_t memory[PAGES];
	uint64_t object[PAGES];
	bool stop;
};

static void *mover(void *data)
{
	struct model *m = data;
	struct drm_vgem_svm_migrate result;
	unsigned int i;

	while (!__atomic_load_n(&m->stop, __ATOMIC_ACQUIRE)) {
		__vgem_svm_migrate(m->s->fd, m->s->vm, m->p, PAGES * PAGE,
				   DRM_VGEM_SVM_LOC_DEVICE, &result);
		/* The CPU has them back, one by one. */
		for (i = 0; i < PAGES; i += 7)
			vgem_svm_peek(word_of(m->p, i));
	}
	return NULL;
}

static void churn_bind(struct model *m, unsigned int first, unsigned int n)
{
	unsigned int at = rand() % (PAGES - n + 1), i;

	vgem_svm_bind(m->s, &m->bo, at * PAGE, page_of(m->p, first), n * PAGE,
		      VGEM_SVM_BIND_RW);
	for (i = 0; i < n; i++)
		m->bound[first + i] = at + i;
}

static void churn_step(struct model *m, uint64_t value)
{
	unsigned int first = rand() % PAGES, i;
	unsigned int n = 1 + rand() % (rand() & 1 ? 8 : PAGES - first);

	if (n > PAGES - first)
		n = PAGES - first;
	switch (rand() % 4) {
	case 0:
		churn_bind(m, first, n);
		break;
	case 1:
		vgem_svm_unbind(m->s, page_of(m->p, first), n * PAGE);
		for (i = 0; i < n; i++)
			m->bound[first + i] = -1;
		break;
	default:
		/* One thread: where a page is bound twice, the later one counts. */
		vgem_svm_run(&m->s->q, fill, 1, n, VA(page_of(m->p, first)), PAGE,
			     value, 1);
		for (i = first; i < first + n; i++) {
			uint64_t *to = m->bound[i] < 0 ? &m->memory[i] :
							 &m->object[m->bound[i]];

			*to = value + i - first;
		}
	}
}

static void test_churn(struct vgem_svm *s)
{
	static struct model m;
	unsigned int round, i;
	pthread_t thread;

	m.s = s;
	m.p = vgem_svm_map_aligned(PAGES * PAGE, VGEM_SVM_BLOCK);
	vgem_svm_bo_init(&m.bo, s->fd, PAGES * PAGE);
	memset(m.bound, -1, sizeof(m.bound));
	memset(m.p, 0, PAGES * PAGE);
	srand(5);
	igt_assert(!pthread_create(&thread, NULL, mover, &m));
	for (round = 0; round < vgem_svm_scaled(600); round++)
		churn_step(&m, (uint64_t)(round + 1) << 16);
	__atomic_store_n(&m.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	for (i = 0; i < PAGES; i++) {
		igt_assert_f(*word_of(m.p, i) == m.memory[i],
			     "page %u of the memory: %#" PRIx64 " is not %#" PRIx64 "\n",
			     i, *word_of(m.p, i), m.memory[i]);
		igt_assert_f(*word_of(m.bo.cpu, i) == m.object[i],
			     "page %u of the object: %#" PRIx64 " is not %#" PRIx64 "\n",
			     i, *word_of(m.bo.cpu, i), m.object[i]);
	}
	vgem_svm_unbind(s, m.p, PAGES * PAGE);
	vgem_svm_bo_fini(&m.bo);
	vgem_svm_unmap(m.p, PAGES * PAGE);
}

static int exit_body(void *data)
{
	uint64_t *control = vgem_svm_map(PAGE);
	void *p = vgem_svm_map(16 * PAGE);
	struct vgem_svm s;
	struct vgem_svm_bo bo;
	unsigned int *round = data;

	vgem_svm_init(&s, 0, 0);
	vgem_svm_bo_init(&bo, s.fd, 8 * PAGE);
	vgem_svm_bind(&s, &bo, 0, page_of(p, 4), 8 * PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_start(&s.q, increment_on, 1, 16, VA(p), PAGE, VA(control),
		       VA(control + 64));
	vgem_svm_wait_change(control, "the program");
	if (*round % 3 == 1)
		igt_assert_eq(__vgem_svm_vm_destroy(s.fd, s.vm), 0);
	if (*round % 3 == 2)
		close(s.fd);
	return 0;
}

static void test_exit_bound(void)
{
	unsigned int rounds = vgem_svm_scaled(140), round;

	/* More often than there are address spaces, on a kernel that is fast. */
	for (round = 0; round < rounds; round++)
		vgem_svm_in_child(exit_body, &round, "a child");
}

static void bind_tests(struct vgem_svm *s)
{
	igt_describe("An object takes the place of memory, which is back afterwards");
	igt_subtest("over-memory")
		test_over_memory(s);

	igt_describe("The same of memory that is the device's");
	igt_subtest("over-device-memory")
		test_over_device_memory(s);

	igt_describe("Single pages over a huge one, and back");
	igt_subtest("over-huge-page")
		test_over_huge(s);

	igt_describe("An object where the process cannot have memory");
	igt_subtest("above-memory")
		test_above(s);

	igt_describe("A write to what is bound for reading ends its queue");
	igt_subtest("read-only")
		test_read_only(s);
}

static void memory_tests(struct vgem_svm *s)
{
	igt_describe("Memory below and beside goes, and a program on the object does not notice");
	igt_subtest("invalidations")
		test_invalidations(s);

	igt_describe("The same by several threads, with programs on the memory too");
	igt_subtest("invalidations-threads")
		test_invalidations_threads(s);

	igt_describe("Memory below an object moves, and the object stays");
	igt_subtest("migrate-below")
		test_migrate_below(s);
}

static void running_tests(struct vgem_svm *s)
{
	igt_describe("Object and memory take turns under a program; nothing is lost");
	igt_subtest("turns-running")
		test_turns(s);

	igt_describe("After an unbind no store reaches the object");
	igt_subtest("unbind-is-over")
		test_unbind_is_over(s);

	igt_describe("An object on one device, the memory on the other");
	igt_subtest("two-devices") {
		vgem_svm_require(2);
		test_two_devices(s);
	}

	igt_describe("A call that fails late gives the addresses back");
	igt_subtest("undo")
		test_undo(s);

	igt_describe("Binds and memory change places at random while memory moves");
	igt_subtest("churn")
		test_churn(s);

	igt_describe("A process ends while its program uses object and memory");
	igt_subtest("exit-bound")
		test_exit_bound();
}

int igt_main()
{
	static struct vgem_svm s;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_init(&s, 0, 0);
		vgem_svm_warm_up(&s);
	}

	bind_tests(&s);
	memory_tests(&s);
	running_tests(&s);

	igt_fixture()
		vgem_svm_fini(&s);
}
