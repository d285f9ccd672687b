// SPDX-License-Identifier: MIT
/*
 * Buffer objects, bound in an address space that has nothing else.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#include "igt.h"
#include "igt_vgem_svm.h"
#include "igt_vgem_svm_bo.h"

/**
 * TEST: vgem svm bind
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: buffer objects
 * Description: buffer objects without a mirror
 *
 * SUBTEST: create-close
 * Description: objects are zero, can be mapped, and outlast their handle there
 *
 * SUBTEST: read-write
 * Description: programs and the CPU see what the other wrote
 *
 * SUBTEST: offsets
 * Description: parts of an object, the same one twice
 *
 * SUBTEST: read-only
 * Description: a write to what is bound for reading ends its queue
 *
 * SUBTEST: no-exec
 * Description: programs do not run where they may not, with a mirror and without
 *
 * SUBTEST: uncached
 * Description: accesses past the cache are seen by the device as such
 *
 * SUBTEST: partial-unmap
 * Description: pages here and there are unbound, and no others
 *
 * SUBTEST: partial-unmap-array
 * Description: the same by one call, out of order
 *
 * SUBTEST: remap
 * Description: an object takes the place of a part of another
 *
 * SUBTEST: remap-running
 * Description: two objects take turns while a program reads
 *
 * SUBTEST: flush-space
 * Description: ring space is others' while a flush is waited for
 *
 * SUBTEST: unbind-running
 * Description: what is unbound under a program ends it, and nothing else
 *
 * SUBTEST: no-svm
 * Description: the process's memory is out of reach
 *
 * SUBTEST: all-or-nothing
 * Description: a call that fails has done none of its operations
 *
 * SUBTEST: close-bound
 * Description: what is bound outlasts its handle
 *
 * SUBTEST: destroy-bound
 * Description: address spaces and files end with what is bound in them
 *
 * SUBTEST: prime
 * Description: an object of one device is bound on another, and outlasts the first
 *
 * SUBTEST: fork
 * Description: who inherits the file may use objects, and not the address space
 *
 * SUBTEST: exit-bound
 * Description: a process ends while its program uses what is bound
 *
 * SUBTEST: quota
 * Description: a user's objects and binds have a limit
 *
 * SUBTEST: object-args
 * Description: bad arguments of GEM_CREATE and GEM_MMAP
 *
 * SUBTEST: bind-args
 * Description: bad arguments of VM_BIND
 *
 * SUBTEST: op-args
 * Description: bad operations of VM_BIND
 */

IGT_TEST_DESCRIPTION("Buffer objects without a mirror");

#define PAGE	VGEM_SVM_PAGE

/* One more queue, for a program that will die. */
struct extra {
	struct vgem_svm_queue q;
	struct vgem_svm_room room;
};

static void extra_init(struct extra *x, struct vgem_svm_bare *b)
{
	vgem_svm_queue_init(&x->q, b->s.fd, b->s.vm, 0, 0);
	vgem_svm_room_init(&x->room, &b->s, &x->q);
}

static void extra_fini(struct extra *x, struct vgem_svm_bare *b)
{
	vgem_svm_room_fini(&x->room, &b->s, &x->q);
	vgem_svm_queue_fini(&x->q);
}

/* The last fault that ended a queue. */
static struct drm_vgem_svm_fault last_fault(const struct vgem_svm *s)
{
	struct drm_vgem_svm_fault fault;
	uint64_t total;
	uint32_t nr = 1;

	igt_assert_eq(__vgem_svm_faults(s->fd, s->vm, &fault, &nr, &total), 0);
	igt_assert_eq(nr, 1);
	return fault;
}

/* A load or a store at @addr ends its queue, for that reason. */
static void must_fault(struct vgem_svm_bare *b, const void *addr, bool write,
		       int error)
{
	struct drm_vgem_svm_fault fault;
	struct extra x;

	extra_init(&x, b);
	if (write)
		vgem_svm_start(&x.q, store_at, 1, VA(addr), 1);
	else
		vgem_svm_start(&x.q, load_at, 1, VA(addr), VA(x.q.stack));
	vgem_svm_wait_dead(&x.q, DRM_VGEM_SVM_QUEUE_FAULT);
	fault = last_fault(&b->s);
	igt_assert_eq_u64(fault.addr, VA(addr));
	igt_assert_eq(fault.access, write);
	igt_assert_eq(fault.error, error);
	igt_assert_eq(fault.queue_id, x.q.id);
	extra_fini(&x, b);
}

/* What a program reads at @addr. It has to be bound. */
static uint64_t read_at(struct vgem_svm_bare *b, const void *addr)
{
	uint64_t *out = (uint64_t *)b->s.q.stack;

	vgem_svm_run(&b->s.q, load_at, 1, VA(addr), VA(out));
	return *out;
}

static uint8_t *at_page(void *addr, unsigned int page)
{
	return (uint8_t *)addr + page * PAGE;
}

/* Marks each page of an object: @mark + its number. */
static void mark(struct vgem_svm_bo *bo, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < bo->size / PAGE; i++)
		vgem_svm_poke(vgem_svm_bo_word(bo, i), value + i);
}

/* ---- objects ------------------------------------------------------------ */

static void test_create_close(int fd)
{
	struct vgem_svm_bo bo;
	unsigned int i;

	vgem_svm_bo_init(&bo, fd, 16 * PAGE);
	for (i = 0; i < bo.size; i++)
		igt_assert_eq(bo.cpu[i], 0);
	mark(&bo, 100);
	igt_assert_eq(__vgem_svm_gem_close(fd, bo.handle), 0);
	igt_assert_eq(__vgem_svm_gem_close(fd, bo.handle), -EINVAL);
	for (i = 0; i < 16; i++)
		igt_assert_eq_u64(*vgem_svm_bo_word(&bo, i), 100 + i);
	vgem_svm_unmap(bo.cpu, bo.size);
}

static void test_read_write(struct vgem_svm_bare *b)
{
	unsigned int pages = 600, i;
	uint8_t *addr = vgem_svm_bind_addr(pages * PAGE);
	struct vgem_svm_bo bo;

	vgem_svm_bo_init(&bo, b->s.fd, pages * PAGE);
	mark(&bo, 1000);
	vgem_svm_bind(&b->s, &bo, 0, addr, bo.size, VGEM_SVM_BIND_RW);
	vgem_svm_run(&b->s.q, increment, 4, pages, VA(addr), PAGE, 5, 4);
	for (i = 0; i < pages; i++)
		igt_assert_eq_u64(*vgem_svm_bo_word(&bo, i), 1000 + i + 5);
	vgem_svm_run(&b->s.q, fill, 4, pages * PAGE / 8, VA(addr), 8, 77, 4);
	for (i = 0; i < pages * PAGE / 8; i++)
		igt_assert_eq_u64(((uint64_t *)bo.cpu)[i], 77 + i);
	vgem_svm_run(&b->s.q, count, 1, 9, VA(addr));
	igt_assert_eq_u64(*vgem_svm_bo_word(&bo, 0), 77 + 9);
	vgem_svm_unbind(&b->s, addr, bo.size);
	vgem_svm_bo_fini(&bo);
	must_fault(b, addr, false, EFAULT);
}

static void test_offsets(struct vgem_svm_bare *b)
{
	uint8_t *addr = vgem_svm_bind_addr(64 * PAGE);
	struct vgem_svm_bo bo;

	vgem_svm_bo_init(&bo, b->s.fd, 64 * PAGE);
	mark(&bo, 500);
	vgem_svm_bind(&b->s, &bo, 7 * PAGE, at_page(addr, 3), 5 * PAGE,
		      VGEM_SVM_BIND_RW);
	vgem_svm_bind(&b->s, &bo, 9 * PAGE, at_page(addr, 20), 2 * PAGE,
		      DRM_VGEM_SVM_BIND_READ);
	igt_assert_eq_u64(read_at(b, at_page(addr, 3)), 507);
	igt_assert_eq_u64(read_at(b, at_page(addr, 7)), 511);
	igt_assert_eq_u64(read_at(b, at_page(addr, 20)), 509);
	/* The same page by two addresses. */
	vgem_svm_run(&b->s.q, store_at, 1, VA(at_page(addr, 5)), 42);
	igt_assert_eq_u64(read_at(b, at_page(addr, 20)), 42);
	igt_assert_eq_u64(*vgem_svm_bo_word(&bo, 9), 42);
	must_fault(b, at_page(addr, 2), false, EFAULT);
	must_fault(b, at_page(addr, 8), false, EFAULT);
	vgem_svm_unbind(&b->s, addr, 64 * PAGE);
	vgem_svm_bo_fini(&bo);
}

static void test_read_only(struct vgem_svm_bare *b)
{
	uint8_t *addr = vgem_svm_bind_addr(4 * PAGE);
	struct vgem_svm_bo bo;

	vgem_svm_bo_init(&bo, b->s.fd, 4 * PAGE);
	mark(&bo, 1);
	vgem_svm_bind(&b->s, &bo, 0, addr, 4 * PAGE, DRM_VGEM_SVM_BIND_READ);
	igt_assert_eq_u64(read_at(b, at_page(addr, 2)), 3);
	must_fault(b, at_page(addr, 2), true, EACCES);
	igt_assert_eq_u64(*vgem_svm_bo_word(&bo, 2), 3);
	/* Bound anew, it may be written. */
	vgem_svm_bind(&b->s, &bo, 0, addr, 4 * PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_run(&b->s.q, store_at, 1, VA(at_page(addr, 2)), 9);
	igt_assert_eq_u64(*vgem_svm_bo_word(&bo, 2), 9);
	/* And the other way. */
	vgem_svm_bind(&b->s, &bo, PAGE, at_page(addr, 1), 2 * PAGE,
		      DRM_VGEM_SVM_BIND_READ);
	must_fault(b, at_page(addr, 2), true, EACCES);
	vgem_svm_run(&b->s.q, store_at, 1, VA(at_page(addr, 3)), 8);
	igt_assert_eq_u64(*vgem_svm_bo_word(&bo, 3), 8);
	vgem_svm_unbind(&b->s, addr, 4 * PAGE);
	vgem_svm_bo_fini(&bo);
}

/* A program is copied to where it may not run, read there, and started. */
static void no_exec(struct vgem_svm *s, struct vgem_svm_queue *q, struct vgem_svm_bo *bo,
		    uint8_t *addr, uint64_t *out)
{
	uint64_t entry = VA(addr) + VGEM_SVM_PROGRAMS_store_at;
	const uint64_t args[7] = { VA(out), 5 };
	struct drm_vgem_svm_fault fault;

	vgem_svm_bind(s, bo, 0, addr, 2 * PAGE, DRM_VGEM_SVM_BIND_READ);
	__vgem_svm_start(q, entry, 1, args);
	vgem_svm_wait(q);
	igt_assert_eq_u64(*out, 5);
	vgem_svm_bind(s, bo, 0, addr, 2 * PAGE,
		      VGEM_SVM_BIND_RW | DRM_VGEM_SVM_BIND_NO_EXEC);
	vgem_svm_run(q, load_at, 1, VA(addr), VA(out));
	igt_assert_eq_u64(*out, *vgem_svm_bo_word(bo, 0));
	__vgem_svm_start(q, entry, 1, args);
	vgem_svm_wait_dead(q, DRM_VGEM_SVM_QUEUE_FAULT);
	fault = last_fault(s);
	igt_assert_eq_u64(fault.addr, entry);
	igt_assert_eq(fault.access, 3);
	igt_assert_eq(fault.error, EACCES);
	vgem_svm_unbind(s, addr, 2 * PAGE);
}

static void test_no_exec(struct vgem_svm_bare *b)
{
	void *p = vgem_svm_map(2 * PAGE);
	struct vgem_svm mirrored;
	struct vgem_svm_bo bo;
	struct extra x;

	vgem_svm_bo_init(&bo, b->s.fd, 2 * PAGE);
	memcpy(bo.cpu, (void *)(uintptr_t)vgem_svm_program(0), 2 * PAGE);
	extra_init(&x, b);
	no_exec(&b->s, &x.q, &bo, vgem_svm_bind_addr(2 * PAGE), x.q.stack);
	extra_fini(&x, b);
	vgem_svm_bo_fini(&bo);

	vgem_svm_init(&mirrored, 0, 0);
	vgem_svm_bo_init(&bo, mirrored.fd, 2 * PAGE);
	memcpy(bo.cpu, (void *)(uintptr_t)vgem_svm_program(0), 2 * PAGE);
	no_exec(&mirrored, &mirrored.q, &bo, p, mirrored.q.stack);
	vgem_svm_bo_fini(&bo);
	vgem_svm_fini(&mirrored);
	vgem_svm_unmap(p, 2 * PAGE);
}

/*
 * Sum of what the first device's hardware file says, in lines of @format: a number of
 * a unit, and what is counted.
 */
static uint64_t hw_sum(const char *format)
{
	char path[64], line[128];
	uint64_t sum = 0, n;
	unsigned int i, e;
	bool found = false;

	for (i = 0; i < 256 && !found; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/vgem_svm_hw", i);
		f = fopen(path, "r");
		found = f;
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, format, &e, &n) == 2)
				sum += n;
		if (f)
			fclose(f);
	}
	igt_require_f(found, "no debugfs\n");
	return sum;
}

/* Accesses past the cache that its engines have made. */
static uint64_t uncached_accesses(void)
{
	return hw_sum("engine %u uncached accesses %" SCNu64);
}

static void test_uncached(struct vgem_svm_bare *b)
{
	uint8_t *addr = vgem_svm_bind_addr(2 * PAGE);
	struct vgem_svm_bo bo;
	uint64_t before;

	vgem_svm_bo_init(&bo, b->s.fd, 2 * PAGE);
	vgem_svm_bind(&b->s, &bo, 0, addr, PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_bind(&b->s, &bo, PAGE, at_page(addr, 1), PAGE,
		      VGEM_SVM_BIND_RW | DRM_VGEM_SVM_BIND_UNCACHED);
	before = uncached_accesses();
	vgem_svm_run(&b->s.q, increment, 1, 1, VA(addr), PAGE, 10, 1);
	igt_assert_eq_u64(uncached_accesses(), before);
	vgem_svm_run(&b->s.q, increment, 1, 1, VA(at_page(addr, 1)), PAGE, 10, 1);
	igt_assert_eq_u64(uncached_accesses(), before + 20);
	igt_assert_eq_u64(*vgem_svm_bo_word(&bo, 1), 10);
	vgem_svm_unbind(&b->s, addr, 2 * PAGE);
	vgem_svm_bo_fini(&bo);
}

/* ---- a part of what is bound -------------------------------------------- */

#define HOLES	5

/* Of two blocks: single pages, one at a border, a run across it, odd lengths. */
static const struct {
	unsigned int first, n;
} holes[HOLES] = {
	{ 700, 3 }, { 1, 1 }, { 37, 16 }, { 510, 5 }, { 1023, 1 },
};

static bool in_hole(unsigned int page)
{
	unsigned int k;

	for (k = 0; k < HOLES; k++)
		if (page >= holes[k].first && page < holes[k].first + holes[k].n)
			return true;
	return false;
}

/* Every page that is left is what it was; those that are not are gone. */
static void check_holes(struct vgem_svm_bare *b, struct vgem_svm_bo *bo,
			uint8_t *addr, unsigned int pages)
{
	unsigned int i, from = 0;

	for (i = 0; i <= pages; i++) {
		if (i < pages && !in_hole(i))
			continue;
		if (i > from)
			vgem_svm_run(&b->s.q, increment, 1, i - from,
				     VA(at_page(addr, from)), PAGE, 1, 1);
		from = i + 1;
	}
	for (i = 0; i < pages; i++)
		igt_assert_f(*vgem_svm_bo_word(bo, i) == 3000 + i + !in_hole(i),
			     "page %u\n", i);
	for (i = 0; i < HOLES; i++) {
		must_fault(b, at_page(addr, holes[i].first), false, EFAULT);
		must_fault(b, at_page(addr, holes[i].first + holes[i].n - 1),
			   true, EFAULT);
	}
}

static void test_partial(struct vgem_svm_bare *b, bool array)
{
	struct drm_vgem_svm_bind_op ops[HOLES] = {};
	unsigned int pages = 1024, k;
	uint8_t *addr = vgem_svm_bind_addr(pages * PAGE);
	struct vgem_svm_bo bo;

	vgem_svm_bo_init(&bo, b->s.fd, pages * PAGE);
	mark(&bo, 3000);
	vgem_svm_bind(&b->s, &bo, 0, addr, bo.size, VGEM_SVM_BIND_RW);
	/* The device has them all in its TLB. */
	vgem_svm_run(&b->s.q, touch, 1, pages, VA(addr), PAGE, 1);
	for (k = 0; k < HOLES; k++) {
		ops[k].op = DRM_VGEM_SVM_BIND_UNMAP;
		ops[k].addr = VA(at_page(addr, holes[k].first));
		ops[k].length = holes[k].n * PAGE;
		if (!array)
			igt_assert_eq(__vgem_svm_vm_bind(b->s.fd, b->s.vm,
							 &ops[k], 1), 0);
	}
	if (array)
		igt_assert_eq(__vgem_svm_vm_bind(b->s.fd, b->s.vm, ops, HOLES), 0);
	check_holes(b, &bo, addr, pages);
	vgem_svm_unbind(&b->s, addr, pages * PAGE);
	must_fault(b, at_page(addr, 5), false, EFAULT);
	vgem_svm_bo_fini(&bo);
}

static void test_remap(struct vgem_svm_bare *b)
{
	unsigned int pages = 1024, i;
	uint8_t *addr = vgem_svm_bind_addr(pages * PAGE);
	struct vgem_svm_bo one, two;

	vgem_svm_bo_init(&one, b->s.fd, pages * PAGE);
	vgem_svm_bo_init(&two, b->s.fd, pages * PAGE);
	vgem_svm_bind(&b->s, &one, 0, addr, one.size, VGEM_SVM_BIND_RW);
	vgem_svm_run(&b->s.q, touch, 1, pages, VA(addr), PAGE, 1);
	vgem_svm_bind(&b->s, &two, 11 * PAGE, at_page(addr, 300), 401 * PAGE,
		      VGEM_SVM_BIND_RW);
	/* Across both of its ends. */
	vgem_svm_bind(&b->s, &one, 0, at_page(addr, 299), 2 * PAGE,
		      VGEM_SVM_BIND_RW);
	vgem_svm_bind(&b->s, &one, 2 * PAGE, at_page(addr, 700), 2 * PAGE,
		      VGEM_SVM_BIND_RW);
	vgem_svm_run(&b->s.q, fill, 1, pages, VA(addr), PAGE, 5000, 1);
	for (i = 0; i < pages; i++) {
		struct vgem_svm_bo *bo = i > 300 && i < 700 ? &two : &one;
		unsigned int page = i;

		if (i > 300 && i < 700)
			page = i - 300 + 11;
		else if (i == 299 || i == 300)
			page = i - 299;
		else if (i == 700 || i == 701)
			page = i - 700 + 2;
		/* Pages 0 to 3 are bound twice, and written the second time. */
		if (i > 3)
			igt_assert_eq_u64(*vgem_svm_bo_word(bo, page), 5000 + i);
	}
	vgem_svm_unbind(&b->s, addr, pages * PAGE);
	vgem_svm_bo_fini(&one);
	vgem_svm_bo_fini(&two);
}

/* ---- under a program ---------------------------------------------------- */

static void test_remap_running(struct vgem_svm_bare *b)
{
	uint8_t *addr = vgem_svm_bind_addr(PAGE);
	uint8_t *control = vgem_svm_bind_addr(PAGE);
	struct vgem_svm_bo bo[2], out;
	unsigned int round, i;
	uint64_t *seen, *stop;

	vgem_svm_bo_init(&out, b->s.fd, PAGE);
	seen = vgem_svm_bo_word(&out, 0);
	stop = seen + 256;
	for (i = 0; i < 2; i++) {
		vgem_svm_bo_init(&bo[i], b->s.fd, 3 * PAGE);
		vgem_svm_poke(vgem_svm_bo_word(&bo[i], i), i + 1);
	}
	vgem_svm_bind(&b->s, &out, 0, control, PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_bind(&b->s, &bo[0], 0, addr, PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_start(&b->s.q, watch, 1, VA(addr), 8, VA(control),
		       VA(control + 2048));
	for (round = 0; round < vgem_svm_scaled(200); round++) {
		i = round & 1;
		vgem_svm_bind(&b->s, &bo[i], i * PAGE, addr, PAGE,
			      round & 2 ? VGEM_SVM_BIND_RW :
					  DRM_VGEM_SVM_BIND_READ);
		vgem_svm_wait_word(seen, i + 1, "the object bound last");
	}
	vgem_svm_poke(stop, 1);
	vgem_svm_wait(&b->s.q);
	vgem_svm_unbind(&b->s, addr, PAGE);
	vgem_svm_unbind(&b->s, control, PAGE);
	for (i = 0; i < 2; i++)
		vgem_svm_bo_fini(&bo[i]);
	vgem_svm_bo_fini(&out);
}

static void test_unbind_running(struct vgem_svm_bare *b)
{
	uint8_t *addr = vgem_svm_bind_addr(16 * PAGE);
	struct vgem_svm_bo bo, out;
	uint8_t *control = vgem_svm_bind_addr(PAGE);
	struct drm_vgem_svm_fault fault;
	struct extra x[2];
	uint64_t *word;
	unsigned int i;

	vgem_svm_bo_init(&bo, b->s.fd, 16 * PAGE);
	vgem_svm_bo_init(&out, b->s.fd, PAGE);
	word = vgem_svm_bo_word(&out, 0);
	vgem_svm_bind(&b->s, &bo, 0, addr, 16 * PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_bind(&b->s, &out, 0, control, PAGE, VGEM_SVM_BIND_RW);
	for (i = 0; i < 2; i++) {
		extra_init(&x[i], b);
		vgem_svm_start(&x[i].q, increment_on, 1, 1,
			       VA(at_page(addr, 8 * i)), PAGE,
			       VA(control + 64 * i), VA(control + 2048));
		vgem_svm_wait_change(word + 8 * i, "a program's laps");
	}
	vgem_svm_unbind(&b->s, at_page(addr, 8), PAGE);
	vgem_svm_wait_dead(&x[1].q, DRM_VGEM_SVM_QUEUE_FAULT);
	fault = last_fault(&b->s);
	igt_assert_eq_u64(fault.addr, VA(at_page(addr, 8)));
	igt_assert_eq(fault.error, EFAULT);
	/* The other one does not notice. */
	for (i = 0; i < 3; i++)
		vgem_svm_wait_change(word, "the other program's laps");
	vgem_svm_poke(word + 256, 1);
	vgem_svm_wait(&x[0].q);
	igt_assert_eq_u64(*vgem_svm_bo_word(&bo, 0), *word);
	vgem_svm_unbind(&b->s, addr, 16 * PAGE);
	vgem_svm_unbind(&b->s, control, PAGE);
	extra_fini(&x[0], b);
	extra_fini(&x[1], b);
	vgem_svm_bo_fini(&bo);
	vgem_svm_bo_fini(&out);
}

/* Words of the page-table ring that nobody could have while a flush was waited for. */
static uint64_t kept_space(void)
{
	return hw_sum("page-table ring: %u words reserved, %" SCNu64 " when");
}

static void test_flush_space(struct vgem_svm_bare *b)
{
	uint64_t before = vgem_svm_counter(&b->s, DRM_VGEM_SVM_CTR_PT_COMMANDS);
	uint8_t *addr = vgem_svm_bind_addr(4 * PAGE);
	struct vgem_svm_bo bo;
	unsigned int i;

	vgem_svm_bo_init(&bo, b->s.fd, 4 * PAGE);
	for (i = 0; i < 4; i++) {
		vgem_svm_bind(&b->s, &bo, 0, addr, 4 * PAGE, VGEM_SVM_BIND_RW);
		igt_require_f(vgem_svm_counter(&b->s, DRM_VGEM_SVM_CTR_PT_COMMANDS) >
			      before, "the CPU writes the tables\n");
		/* What is replaced is flushed, and so is what goes. */
		vgem_svm_bind(&b->s, &bo, 0, addr, 2 * PAGE, VGEM_SVM_BIND_RW);
		igt_assert_eq_u64(kept_space(), 0);
		vgem_svm_run(&b->s.q, increment, 1, 1, VA(addr), PAGE, 4, 1);
		vgem_svm_unbind(&b->s, addr, 4 * PAGE);
		igt_assert_eq_u64(kept_space(), 0);
	}
	vgem_svm_bo_fini(&bo);
}

static void test_no_svm(struct vgem_svm_bare *b)
{
	uint64_t *p = vgem_svm_map(PAGE), value;
	struct drm_vgem_svm_migrate result;
	uint8_t state = 0x55;
	uint32_t vm;

	*p = 4;
	must_fault(b, p, false, EFAULT);
	must_fault(b, p, true, EFAULT);
	igt_assert_eq_u64(*p, 4);
	igt_assert_eq(__vgem_svm_migrate(b->s.fd, b->s.vm, p, PAGE,
					 DRM_VGEM_SVM_LOC_SYSTEM, &result),
		      -EOPNOTSUPP);
	igt_assert_eq(__vgem_svm_attr_set(b->s.fd, b->s.vm, p, PAGE,
					  DRM_VGEM_SVM_LOC_SYSTEM), -EOPNOTSUPP);
	igt_assert_eq(__vgem_svm_attr_get(b->s.fd, b->s.vm, p, &value),
		      -EOPNOTSUPP);
	igt_assert_eq(__vgem_svm_residency(b->s.fd, b->s.vm, p, PAGE, &state),
		      -EOPNOTSUPP);
	igt_assert_eq(state, 0x55);
	igt_assert_eq_u64(vgem_svm_counter(&b->s, DRM_VGEM_SVM_CTR_MAP_SYSTEM), 0);
	igt_assert_eq(__vgem_svm_vm_create(b->s.fd, DRM_VGEM_SVM_VM_NO_SVM |
					   DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT, &vm),
		      -EINVAL);
	vgem_svm_unmap(p, PAGE);
}

/* ---- life --------------------------------------------------------------- */

static void test_all_or_nothing(struct vgem_svm_bare *b)
{
	uint8_t *addr = vgem_svm_bind_addr(64 * PAGE);
	struct drm_vgem_svm_bind_op ops[3] = {};
	struct vgem_svm_bo bo;

	vgem_svm_bo_init(&bo, b->s.fd, 64 * PAGE);
	mark(&bo, 10);
	vgem_svm_bind(&b->s, &bo, 0, addr, 8 * PAGE, VGEM_SVM_BIND_RW);
	ops[0].op = DRM_VGEM_SVM_BIND_MAP;
	ops[0].flags = VGEM_SVM_BIND_RW;
	ops[0].handle = bo.handle;
	ops[0].addr = VA(at_page(addr, 20));
	ops[0].length = PAGE;
	ops[1].op = DRM_VGEM_SVM_BIND_UNMAP;
	ops[1].addr = VA(at_page(addr, 2));
	ops[1].length = 2 * PAGE;
	ops[2] = ops[0];
	ops[2].addr = VA(at_page(addr, 6));
	ops[2].handle = 12345;
	igt_assert_eq(__vgem_svm_vm_bind(b->s.fd, b->s.vm, ops, 3), -ENOENT);
	igt_assert_eq_u64(read_at(b, at_page(addr, 2)), 12);
	igt_assert_eq_u64(read_at(b, at_page(addr, 6)), 16);
	must_fault(b, at_page(addr, 20), false, EFAULT);
	ops[2].handle = bo.handle;
	igt_assert_eq(__vgem_svm_vm_bind(b->s.fd, b->s.vm, ops, 3), 0);
	must_fault(b, at_page(addr, 2), false, EFAULT);
	igt_assert_eq_u64(read_at(b, at_page(addr, 4)), 14);
	igt_assert_eq_u64(read_at(b, at_page(addr, 6)), 10);
	igt_assert_eq_u64(read_at(b, at_page(addr, 20)), 10);
	vgem_svm_unbind(&b->s, addr, 64 * PAGE);
	vgem_svm_bo_fini(&bo);
}

static void test_close_bound(struct vgem_svm_bare *b)
{
	uint8_t *addr = vgem_svm_bind_addr(8 * PAGE);
	struct vgem_svm_bo bo;

	vgem_svm_bo_init(&bo, b->s.fd, 8 * PAGE);
	mark(&bo, 60);
	vgem_svm_bind(&b->s, &bo, 0, addr, 8 * PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_bo_fini(&bo);
	igt_assert_eq_u64(read_at(b, at_page(addr, 7)), 67);
	/* What is left of it is still the object. */
	vgem_svm_unbind(&b->s, at_page(addr, 3), PAGE);
	vgem_svm_run(&b->s.q, increment, 1, 3, VA(addr), PAGE, 2, 1);
	igt_assert_eq_u64(read_at(b, at_page(addr, 2)), 64);
	vgem_svm_unbind(&b->s, addr, 8 * PAGE);
	must_fault(b, at_page(addr, 7), false, EFAULT);
}

/* In each round the address space is ended in another way, with a program in it. */
static void test_destroy_bound(void)
{
	unsigned int round;

	for (round = 0; round < 6; round++) {
		uint8_t *addr = vgem_svm_bind_addr(8 * PAGE);
		struct vgem_svm_bare b;
		struct vgem_svm_bo bo;

		vgem_svm_bare_init(&b, 0);
		vgem_svm_bo_init(&bo, b.s.fd, 8 * PAGE);
		vgem_svm_bind(&b.s, &bo, 0, addr, 8 * PAGE, VGEM_SVM_BIND_RW);
		vgem_svm_start(&b.s.q, increment_on, 1, 1, VA(addr), PAGE,
			       VA(addr + 64), VA(addr + 128));
		vgem_svm_wait_change(vgem_svm_bo_word(&bo, 0) + 8, "laps");
		if (round & 1)
			vgem_svm_bo_fini(&bo);
		if (round < 2)
			igt_assert_eq(__vgem_svm_vm_destroy(b.s.fd, b.s.vm), 0);
		if (round == 2 || round == 3)
			vgem_svm_queue_fini(&b.s.q);
		close(b.s.fd);
		/* Mapped, the object is there even now. */
		if (!(round & 1)) {
			igt_assert(*vgem_svm_bo_word(&bo, 0));
			vgem_svm_unmap(bo.cpu, bo.size);
		}
	}
}

static void test_prime(void)
{
	uint8_t *addr = vgem_svm_bind_addr(600 * PAGE);
	struct vgem_svm_bo bo, other;
	struct vgem_svm_bare b[2];
	uint32_t handle, again;
	unsigned int i;
	int fd;

	vgem_svm_bare_init(&b[0], 0);
	vgem_svm_bare_init(&b[1], 1);
	vgem_svm_bo_init(&bo, b[0].s.fd, 600 * PAGE);
	vgem_svm_bind(&b[0].s, &bo, 0, addr, bo.size, VGEM_SVM_BIND_RW);
	igt_assert(!drmPrimeHandleToFD(b[0].s.fd, bo.handle, DRM_CLOEXEC | DRM_RDWR,
				       &fd));
	igt_assert(!drmPrimeFDToHandle(b[1].s.fd, fd, &handle));
	/* On its own device it is what it was. */
	igt_assert(!drmPrimeFDToHandle(b[0].s.fd, fd, &again));
	igt_assert_eq(again, bo.handle);
	close(fd);
	vgem_svm_bo_open(&other, b[1].s.fd, handle, bo.size);
	vgem_svm_bind(&b[1].s, &other, 0, addr, bo.size, VGEM_SVM_BIND_RW);
	vgem_svm_run(&b[0].s.q, fill, 1, 600, VA(addr), PAGE, 900, 1);
	vgem_svm_run(&b[1].s.q, increment, 1, 600, VA(addr), PAGE, 3, 1);
	for (i = 0; i < 600; i++)
		igt_assert_eq_u64(*vgem_svm_bo_word(&bo, i), 903 + i);
	/* The exporter goes, with all that it has. */
	vgem_svm_bo_fini(&bo);
	vgem_svm_bare_fini(&b[0]);
	vgem_svm_run(&b[1].s.q, increment, 1, 600, VA(addr), PAGE, 1, 1);
	igt_assert_eq_u64(*vgem_svm_bo_word(&other, 599), 904 + 599);
	vgem_svm_unbind(&b[1].s, addr, 600 * PAGE);
	vgem_svm_bo_fini(&other);
	vgem_svm_bare_fini(&b[1]);
}

struct inherited {
	struct vgem_svm_bare *b;
	struct vgem_svm_bo *bo;
	uint8_t *addr;
};

static int fork_body(void *data)
{
	struct inherited *in = data;
	uint32_t handle;

	CHILD_CHECK(__vgem_svm_bind(&in->b->s, in->bo, 0, in->addr, PAGE,
				    VGEM_SVM_BIND_RW) == -EPERM);
	CHILD_CHECK(__vgem_svm_unbind(&in->b->s, in->addr, PAGE) == -EPERM);
	/* Objects are the file's. The CPU's mapping is shared. */
	CHILD_CHECK(!__vgem_svm_gem_create(in->b->s.fd, PAGE, &handle));
	CHILD_CHECK(!__vgem_svm_gem_close(in->b->s.fd, handle));
	CHILD_CHECK(*vgem_svm_bo_word(in->bo, 0) == 5);
	vgem_svm_poke(vgem_svm_bo_word(in->bo, 1), 6);
	return 0;
}

static void test_fork(struct vgem_svm_bare *b)
{
	struct vgem_svm_bo bo;
	struct inherited in = {
		.b = b, .bo = &bo, .addr = vgem_svm_bind_addr(2 * PAGE),
	};

	vgem_svm_bo_init(&bo, b->s.fd, 2 * PAGE);
	vgem_svm_bind(&b->s, &bo, 0, in.addr, 2 * PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_run(&b->s.q, store_at, 1, VA(in.addr), 5);
	vgem_svm_in_child(fork_body, &in, "a child");
	igt_assert_eq_u64(read_at(b, at_page(in.addr, 1)), 6);
	vgem_svm_unbind(&b->s, in.addr, 2 * PAGE);
	vgem_svm_bo_fini(&bo);
}

static int exit_body(void *data)
{
	uint8_t *addr = data;
	struct vgem_svm_bare b;
	struct vgem_svm_bo bo;

	vgem_svm_bare_init(&b, 0);
	vgem_svm_bo_init(&bo, b.s.fd, 8 * PAGE);
	vgem_svm_bind(&b.s, &bo, 0, addr, 8 * PAGE, VGEM_SVM_BIND_RW);
	vgem_svm_start(&b.s.q, increment_on, 1, 1, VA(addr), PAGE, VA(addr + 64),
		       VA(addr + 128));
	vgem_svm_wait_change(vgem_svm_bo_word(&bo, 0) + 8, "laps");
	return 0;
}

static void test_exit_bound(void)
{
	unsigned int rounds = vgem_svm_scaled(140), round;

	/*
	 * More often than there are address spaces for one user, and queues, on a kernel
	 * that is fast.
	 */
	for (round = 0; round < rounds; round++)
		vgem_svm_in_child(exit_body, vgem_svm_bind_addr(8 * PAGE),
				  "a child");
}

struct quota {
	int fd;
	uint32_t uid;
};

static int quota_body(void *data)
{
	struct quota *q = data;
	uint64_t bytes = vgem_svm_query(q->fd, DRM_VGEM_SVM_PARAM_USER_GEM_BYTES);
	uint64_t binds = vgem_svm_query(q->fd, DRM_VGEM_SVM_PARAM_USER_BINDS), i;
	uint8_t *addr = vgem_svm_bind_addr(4 * binds * PAGE);
	struct drm_vgem_svm_bind_op ops[DRM_VGEM_SVM_MAX_BINDS] = {};
	struct vgem_svm s = { .fd = q->fd };
	uint32_t small, most, none;
	int ret = 0;

	CHILD_CHECK(!setuid(q->uid));
	CHILD_CHECK(!__vgem_svm_gem_create(q->fd, PAGE, &small));
	CHILD_CHECK(__vgem_svm_gem_create(q->fd, bytes, &none) == -EDQUOT);
	CHILD_CHECK(!__vgem_svm_gem_create(q->fd, bytes - PAGE, &most));
	CHILD_CHECK(__vgem_svm_gem_create(q->fd, PAGE, &none) == -EDQUOT);
	CHILD_CHECK(!__vgem_svm_gem_close(q->fd, most));
	CHILD_CHECK(!__vgem_svm_gem_create(q->fd, PAGE, &none));
	CHILD_CHECK(!__vgem_svm_vm_create(q->fd, DRM_VGEM_SVM_VM_NO_SVM, &s.vm));
	for (i = 0; !ret; i++) {
		unsigned int k;

		CHILD_CHECK(i <= binds / DRM_VGEM_SVM_MAX_BINDS);
		for (k = 0; k < DRM_VGEM_SVM_MAX_BINDS; k++) {
			ops[k].flags = DRM_VGEM_SVM_BIND_READ;
			ops[k].handle = small;
			ops[k].length = PAGE;
			ops[k].addr = VA(addr) + 2 * PAGE *
				      (i * DRM_VGEM_SVM_MAX_BINDS + k);
		}
		ret = __vgem_svm_vm_bind(q->fd, s.vm, ops, DRM_VGEM_SVM_MAX_BINDS);
	}
	CHILD_CHECK(ret == -EDQUOT);
	CHILD_CHECK(i == binds / DRM_VGEM_SVM_MAX_BINDS + 1);
	/* What is unbound can be bound elsewhere. */
	CHILD_CHECK(!__vgem_svm_unbind(&s, addr, 2 * PAGE));
	CHILD_CHECK(!__vgem_svm_vm_bind(q->fd, s.vm, ops, 1));
	CHILD_CHECK(__vgem_svm_vm_bind(q->fd, s.vm, ops + 1, 1) == -EDQUOT);
	CHILD_CHECK(!__vgem_svm_vm_destroy(q->fd, s.vm));
	CHILD_CHECK(!__vgem_svm_gem_close(q->fd, small));
	return __vgem_svm_gem_close(q->fd, none);
}

static void test_quota(int fd)
{
	struct quota q = { .fd = fd, .uid = 4321 };
	unsigned int round;

	/* Twice: all has been given back. */
	for (round = 0; round < 2; round++)
		vgem_svm_in_child(quota_body, &q, "another user");
}

/* ---- arguments ---------------------------------------------------------- */

static void test_object_args(int fd)
{
	unsigned long create = DRM_IOCTL_VGEM_SVM_GEM_CREATE;
	unsigned long map = DRM_IOCTL_VGEM_SVM_GEM_MMAP;
	struct drm_vgem_svm_gem_create args = { .size = PAGE, .handle = ~0U };
	struct drm_vgem_svm_gem_mmap where = { .offset = ~0ULL };

	REFUSED(fd, create, args, size, 0, -EINVAL);
	REFUSED(fd, create, args, size, 100, -EINVAL);
	REFUSED(fd, create, args, size, PAGE + 1, -EINVAL);
	REFUSED(fd, create, args, size, -PAGE, -EINVAL);
	REFUSED(fd, create, args, size, 1ULL << 50, -EINVAL);
	REFUSED(fd, create, args, flags, 1, -EINVAL);
	igt_assert_eq(__vgem_svm_ioctl(fd, create, &args), 0);
	where.handle = args.handle;
	REFUSED(fd, map, where, handle, 0, -ENOENT);
	REFUSED(fd, map, where, handle, 54321, -ENOENT);
	REFUSED(fd, map, where, flags, 1, -EINVAL);
	igt_assert_eq(__vgem_svm_ioctl(fd, map, &where), 0);
	igt_assert(where.offset && where.offset != ~0ULL);
	igt_assert(mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd,
			where.offset) == MAP_FAILED);
	igt_assert_eq(__vgem_svm_gem_close(fd, args.handle), 0);
}

static void test_bind_args(struct vgem_svm_bare *b)
{
	unsigned long request = DRM_IOCTL_VGEM_SVM_VM_BIND;
	struct drm_vgem_svm_bind_op ops[DRM_VGEM_SVM_MAX_BINDS + 1] = {};
	struct drm_vgem_svm_vm_bind args = {
		.vm_id = b->s.vm, .nr_ops = 1, .op_stride = sizeof(ops[0]),
		.ops = VA(ops),
	};
	struct {
		struct drm_vgem_svm_bind_op op;
		uint64_t later;
	} longer = {};
	uint8_t *addr = vgem_svm_bind_addr(PAGE * DRM_VGEM_SVM_MAX_BINDS);
	unsigned int i;

	for (i = 0; i <= DRM_VGEM_SVM_MAX_BINDS; i++) {
		ops[i].op = DRM_VGEM_SVM_BIND_UNMAP;
		ops[i].addr = VA(at_page(addr, i));
		ops[i].length = PAGE;
	}
	REFUSED(b->s.fd, request, args, vm_id, 0, -ENOENT);
	REFUSED(b->s.fd, request, args, vm_id, 999, -ENOENT);
	REFUSED(b->s.fd, request, args, flags, 1, -EINVAL);
	REFUSED(b->s.fd, request, args, nr_ops, 0, -EINVAL);
	REFUSED(b->s.fd, request, args, nr_ops, DRM_VGEM_SVM_MAX_BINDS + 1, -EINVAL);
	REFUSED(b->s.fd, request, args, nr_ops, ~0U, -EINVAL);
	REFUSED(b->s.fd, request, args, nr_ops, DRM_VGEM_SVM_MAX_BINDS, 0);
	REFUSED(b->s.fd, request, args, op_stride, 0, -EINVAL);
	REFUSED(b->s.fd, request, args, op_stride, sizeof(ops[0]) - 1, -EINVAL);
	REFUSED(b->s.fd, request, args, op_stride, DRM_VGEM_SVM_MAX_STRIDE + 1,
		-EINVAL);
	REFUSED(b->s.fd, request, args, ops, 0, -EFAULT);
	REFUSED(b->s.fd, request, args, ops, ~7ULL, -EFAULT);
	/* Of a header that is yet to come. */
	longer.op = ops[0];
	args.ops = VA(&longer);
	args.op_stride = sizeof(longer);
	REFUSED(b->s.fd, request, args, flags, 0, 0);
	longer.later = 1;
	REFUSED(b->s.fd, request, args, flags, 0, -E2BIG);
}

/* An operation with one field changed fails, and the others of its call too. */
#define OP_REFUSED(b, ops, field, value, error) \
	do { \
		struct drm_vgem_svm_bind_op __ops[2] = { (ops)[0], (ops)[1] }; \
		int __ret; \
		__ops[1].field = (value); \
		__ret = __vgem_svm_vm_bind((b)->s.fd, (b)->s.vm, __ops, 2); \
		igt_assert_f(__ret == (error), \
			     #field " = " #value ": returned %d, should be %d\n", \
			     __ret, error); \
	} while (0)

static void test_op_args(struct vgem_svm_bare *b)
{
	uint64_t end = 1ULL << vgem_svm_query(b->s.fd, DRM_VGEM_SVM_PARAM_VA_BITS);
	uint8_t *addr = vgem_svm_bind_addr(64 * PAGE);
	struct drm_vgem_svm_bind_op ops[2] = {};
	int fd = vgem_svm_open(0);
	struct vgem_svm_bo bo, foreign;

	vgem_svm_bo_init(&bo, b->s.fd, 8 * PAGE);
	vgem_svm_bo_init(&foreign, fd, 8 * PAGE);
	/* A number that is none here, whatever it is there. */
	igt_assert(foreign.handle != bo.handle);
	ops[0].flags = VGEM_SVM_BIND_RW;
	ops[0].handle = bo.handle;
	ops[0].addr = VA(addr);
	ops[0].length = 4 * PAGE;
	ops[1] = ops[0];
	ops[1].addr = VA(at_page(addr, 10));
	OP_REFUSED(b, ops, op, 2, -EINVAL);
	OP_REFUSED(b, ops, op, ~0U, -EINVAL);
	OP_REFUSED(b, ops, flags, 0, -EINVAL);
	OP_REFUSED(b, ops, flags, DRM_VGEM_SVM_BIND_WRITE, -EINVAL);
	OP_REFUSED(b, ops, flags, VGEM_SVM_BIND_RW | 16, -EINVAL);
	OP_REFUSED(b, ops, flags, VGEM_SVM_BIND_RW | 1U << 31, -EINVAL);
	OP_REFUSED(b, ops, handle, 0, -ENOENT);
	OP_REFUSED(b, ops, handle, ~0U, -ENOENT);
	OP_REFUSED(b, ops, pad, 1, -EINVAL);
	OP_REFUSED(b, ops, offset, 1, -EINVAL);
	OP_REFUSED(b, ops, offset, 5 * PAGE, -EINVAL);
	OP_REFUSED(b, ops, offset, -PAGE, -EINVAL);
	OP_REFUSED(b, ops, offset, -4 * PAGE, -EINVAL);
	OP_REFUSED(b, ops, addr, VA(addr) + 8, -EINVAL);
	OP_REFUSED(b, ops, addr, end, -EINVAL);
	OP_REFUSED(b, ops, addr, end - PAGE, -EINVAL);
	OP_REFUSED(b, ops, addr, -PAGE, -EINVAL);
	OP_REFUSED(b, ops, addr, VA(at_page(addr, 3)), -EINVAL);
	OP_REFUSED(b, ops, addr, VA(addr), -EINVAL);
	OP_REFUSED(b, ops, length, 0, -EINVAL);
	OP_REFUSED(b, ops, length, 10, -EINVAL);
	OP_REFUSED(b, ops, length, 9 * PAGE, -EINVAL);
	OP_REFUSED(b, ops, length, -PAGE, -EINVAL);
	ops[1].op = DRM_VGEM_SVM_BIND_UNMAP;
	OP_REFUSED(b, ops, flags, DRM_VGEM_SVM_BIND_READ, -EINVAL);
	ops[1].flags = 0;
	OP_REFUSED(b, ops, handle, bo.handle, -EINVAL);
	ops[1].handle = 0;
	OP_REFUSED(b, ops, offset, PAGE, -EINVAL);
	OP_REFUSED(b, ops, addr, VA(at_page(addr, 3)), -EINVAL);
	OP_REFUSED(b, ops, addr, end - PAGE, -EINVAL);
	must_fault(b, addr, false, EFAULT);
	must_fault(b, at_page(addr, 10), false, EFAULT);
	/* The last page there is, and the whole of it. */
	OP_REFUSED(b, ops, addr, end - 4 * PAGE, 0);
	vgem_svm_bind(&b->s, &bo, 0, (void *)(end - 8 * PAGE), 8 * PAGE,
		      VGEM_SVM_BIND_RW);
	mark(&bo, 30);
	igt_assert_eq_u64(read_at(b, (void *)(end - PAGE)), 37);
	vgem_svm_unbind(&b->s, (void *)(end - 8 * PAGE), 8 * PAGE);
	vgem_svm_unbind(&b->s, addr, 64 * PAGE);
	vgem_svm_bo_fini(&foreign);
	vgem_svm_bo_fini(&bo);
	close(fd);
}

static void bind_tests(struct vgem_svm_bare *b)
{
	igt_describe("Objects are zero, can be mapped, and outlast their handle there");
	igt_subtest("create-close")
		test_create_close(b->s.fd);

	igt_describe("Programs and the CPU see what the other wrote");
	igt_subtest("read-write")
		test_read_write(b);

	igt_describe("Parts of an object, the same one twice");
	igt_subtest("offsets")
		test_offsets(b);

	igt_describe("A write to what is bound for reading ends its queue");
	igt_subtest("read-only")
		test_read_only(b);

	igt_describe("Programs do not run where they may not, with a mirror and without");
	igt_subtest("no-exec")
		test_no_exec(b);

	igt_describe("Accesses past the cache are seen by the device as such");
	igt_subtest("uncached")
		test_uncached(b);

	igt_describe("Pages here and there are unbound, and no others");
	igt_subtest("partial-unmap")
		test_partial(b, false);

	igt_describe("The same by one call, out of order");
	igt_subtest("partial-unmap-array")
		test_partial(b, true);

	igt_describe("An object takes the place of a part of another");
	igt_subtest("remap")
		test_remap(b);

	igt_describe("Two objects take turns while a program reads");
	igt_subtest("remap-running")
		test_remap_running(b);

	igt_describe("Ring space is others' while a flush is waited for");
	igt_subtest("flush-space")
		test_flush_space(b);

	igt_describe("What is unbound under a program ends it, and nothing else");
	igt_subtest("unbind-running")
		test_unbind_running(b);

	igt_describe("The process's memory is out of reach");
	igt_subtest("no-svm")
		test_no_svm(b);

	igt_describe("A call that fails has done none of its operations");
	igt_subtest("all-or-nothing")
		test_all_or_nothing(b);
}

static void life_tests(struct vgem_svm_bare *b)
{
	igt_describe("What is bound outlasts its handle");
	igt_subtest("close-bound")
		test_close_bound(b);

	igt_describe("Address spaces and files end with what is bound in them");
	igt_subtest("destroy-bound")
		test_destroy_bound();

	igt_describe("An object of one device is bound on another, and outlasts the first");
	igt_subtest("prime") {
		vgem_svm_require(2);
		test_prime();
	}

	igt_describe("Who inherits the file may use objects, and not the address space");
	igt_subtest("fork")
		test_fork(b);

	igt_describe("A process ends while its program uses what is bound");
	igt_subtest("exit-bound")
		test_exit_bound();

	igt_describe("A user's objects and binds have a limit");
	igt_subtest("quota")
		test_quota(b->s.fd);
}

static void argument_tests(struct vgem_svm_bare *b)
{
	igt_describe("Bad arguments of GEM_CREATE and GEM_MMAP");
	igt_subtest("object-args")
		test_object_args(b->s.fd);

	igt_describe("Bad arguments of VM_BIND");
	igt_subtest("bind-args")
		test_bind_args(b);

	igt_describe("Bad operations of VM_BIND");
	igt_subtest("op-args")
		test_op_args(b);
}

int igt_main()
{
	static struct vgem_svm_bare b;

	igt_fixture() {
		vgem_svm_require(1);
		vgem_svm_bare_init(&b, 0);
	}

	bind_tests(&b);
	life_tests(&b);
	argument_tests(&b);

	igt_fixture()
		vgem_svm_bare_fini(&b);
}
