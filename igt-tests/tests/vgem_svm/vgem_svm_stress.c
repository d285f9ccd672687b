// SPDX-License-Identifier: MIT
/*
 * Everything at a time: CPU threads that change mappings, fork and move memory,
 * against programs on two devices, and every byte checked. Seconds come from
 * VGEM_SVM_STRESS_SECONDS, or are 10 times VGEM_SVM_SCALE.
 *
 * A slot of memory has one GPU worker, which knows what the slot must hold: so
 * it notices a lost or strayed write at once. The others never change what a slot
 * holds, only where it is and how it is mapped.
 */

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "igt.h"
#include "igt_vgem_svm.h"

/**
 * TEST: vgem svm stress
 * Category: Core
 * Mega feature: Compute
 * Sub-category: Shared virtual memory
 * Functionality: stress
 * Description: mappings change while two devices work, and every byte is right
 *
 * SUBTEST: stress
 * Description: munmap, mprotect, madvise, fork and migration against two
 *   devices
 *
 * SUBTEST: stress-device
 * Description: the same with address spaces that migrate what they touch
 */

IGT_TEST_DESCRIPTION("Mappings change while two devices work");

#define SLOTS		4
#define SLOT_PAGES	48
#define SLOT_BYTES	(SLOT_PAGES * VGEM_SVM_PAGE)

/**
 * struct slot - memory of one GPU worker
 * @s: its device
 * @p: memory; at a fixed address, mapped anew now and then
 * @lock: held by the worker while it works, by churners while they replace
 * @rounds: increments that each cell must hold
 * @bad: what was wrong, if anything
 */
struct slot {
	struct vgem_svm *s;
	uint8_t *p;
	pthread_rwlock_t lock;
	uint64_t rounds;
	const char *bad;
};

static struct {
	struct vgem_svm s[2];
	unsigned int devices;
	struct slot slot[SLOTS];
	bool stop;
	bool rest;
	unsigned int rests;
	uint64_t done[4];
} stress;

static bool stopped(void)
{
	return __atomic_load_n(&stress.stop, __ATOMIC_RELAXED);
}

static uint64_t *cell(struct slot *slot, unsigned int i)
{
	return (uint64_t *)(slot->p + i * VGEM_SVM_PAGE);
}

/* On a slow kernel the GPU is slow too: both sides slow down alike. */
static void breathe(unsigned int us)
{
	do
		usleep(us / vgem_svm_scale());
	while (__atomic_load_n(&stress.rest, __ATOMIC_RELAXED) && !stopped());
}

/*
 * How long a program takes while its memory is being moved depends on the
 * machine. After a while it is left alone; then it has to come to its end.
 */
static int wait_or_rest(struct vgem_svm_queue *q)
{
	int status = __vgem_svm_wait(q, 15);

	if (status != -ETIME)
		return status;
	stress.rests++;
	__atomic_store_n(&stress.rest, true, __ATOMIC_RELAXED);
	status = __vgem_svm_wait(q, 100);
	__atomic_store_n(&stress.rest, false, __ATOMIC_RELAXED);
	return status;
}

static uint64_t sum_of(uint64_t rounds)
{
	return rounds * SLOT_PAGES;
}

/* ---- those who change mappings ------------------------------------------ */

/* Protection there and back: for a moment the GPU's writes have to wait. */
static void *churn_protect(void *data)
{
	unsigned int i = 0;

	(void)data;
	while (!stopped()) {
		struct slot *slot = &stress.slot[i++ % SLOTS];

		/* Never less than read and write, or a worker would die. */
		mprotect(slot->p, SLOT_BYTES / 2,
			 PROT_READ | PROT_WRITE | PROT_EXEC);
		mprotect(slot->p, SLOT_BYTES / 2, PROT_READ | PROT_WRITE);
		madvise(slot->p, SLOT_BYTES, MADV_COLD);
		__atomic_fetch_add(&stress.done[0], 1, __ATOMIC_RELAXED);
		breathe(500);
	}
	return NULL;
}

static int child_looks(void *data)
{
	struct slot *slot = data;
	uint64_t seen[SLOT_PAGES];
	unsigned int i;

	for (i = 0; i < SLOT_PAGES; i++)
		seen[i] = vgem_svm_peek(cell(slot, i));
	*cell(slot, 0) = ~0ULL;
	for (i = 1; i < SLOT_PAGES; i++)
		CHILD_CHECK(vgem_svm_peek(cell(slot, i)) == seen[i]);
	return 0;
}

static void *churn_fork(void *data)
{
	unsigned int i = 0;
	int status;
	pid_t pid;

	(void)data;
	while (!stopped()) {
		struct slot *slot = &stress.slot[i++ % SLOTS];

		pid = fork();
		if (!pid)
			_exit(child_looks(slot));
		if (pid > 0 && waitpid(pid, &status, 0) == pid && status)
			slot->bad = "a child's view of the memory changed";
		__atomic_fetch_add(&stress.done[1], 1, __ATOMIC_RELAXED);
		breathe(5000);
	}
	return NULL;
}

static void *churn_migrate(void *data)
{
	struct drm_vgem_svm_migrate result;
	unsigned int i = 0;

	(void)data;
	while (!stopped()) {
		struct slot *slot = &stress.slot[i % SLOTS];
		struct vgem_svm *s = &stress.s[i / SLOTS % stress.devices];
		unsigned int page = i * 7 % (SLOT_PAGES / 2);

		__vgem_svm_migrate(s->fd, s->vm, slot->p + page * VGEM_SVM_PAGE,
				   SLOT_BYTES / 2, i % 3 ?
				   DRM_VGEM_SVM_LOC_DEVICE :
				   DRM_VGEM_SVM_LOC_SYSTEM, &result);
		i++;
		__atomic_fetch_add(&stress.done[2], 1, __ATOMIC_RELAXED);
		breathe(300);
	}
	return NULL;
}

/*
 * Unmaps what is behind a slot, and keeps the room: left free, it would be taken
 * for a queue's batch or whatever is allocated next.
 */
static void reserve_room(struct slot *slot)
{
	if (mmap(slot->p + SLOT_BYTES, SLOT_BYTES, PROT_NONE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		slot->bad = "mmap failed";
}

/* Maps and unmaps beside the slots, and gives a slot new memory. */
static void *churn_map(void *data)
{
	unsigned int i = 0;

	(void)data;
	while (!stopped()) {
		struct slot *slot = &stress.slot[i++ % SLOTS];
		void *p = mmap(slot->p + SLOT_BYTES, SLOT_BYTES,
			       PROT_READ | PROT_WRITE, MAP_PRIVATE |
			       MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		if (p == MAP_FAILED)
			slot->bad = "mmap failed";
		memset(p, i, SLOT_BYTES);
		reserve_room(slot);
		if (!pthread_rwlock_trywrlock(&slot->lock)) {
			if (mmap(slot->p, SLOT_BYTES, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
				 0) == MAP_FAILED)
				slot->bad = "mmap failed";
			slot->rounds = 0;
			pthread_rwlock_unlock(&slot->lock);
		}
		__atomic_fetch_add(&stress.done[3], 1, __ATOMIC_RELAXED);
		breathe(700);
	}
	return NULL;
}

/* ---- the GPU's side ----------------------------------------------------- */

static void check_slot(struct slot *slot, const uint64_t *sum)
{
	unsigned int i;

	if (*sum != sum_of(slot->rounds))
		slot->bad = "the GPU's own sum is wrong";
	for (i = 0; i < SLOT_PAGES; i++)
		if (vgem_svm_peek(cell(slot, i)) != slot->rounds)
			slot->bad = "the CPU sees a wrong cell";
}

static void work_on(struct slot *slot, struct vgem_svm_queue *q, uint64_t *sum)
{
	unsigned int rounds = vgem_svm_scaled(20);
	int status;

	*sum = 0;
	vgem_svm_start(q, increment, 8, SLOT_PAGES, VA(slot->p), VGEM_SVM_PAGE,
		       rounds, 8);
	vgem_svm_start(q, sum, 8, SLOT_PAGES, VA(slot->p), VGEM_SVM_PAGE,
		       VA(sum), 8);
	slot->rounds += rounds;
	status = wait_or_rest(q);
	if (status)
		slot->bad = vgem_svm_status_name(status);
	else
		check_slot(slot, sum);
}

static unsigned int check_slots(void)
{
	unsigned int i, bad = 0;

	for (i = 0; i < SLOTS; i++) {
		if (!stress.slot[i].bad)
			continue;
		igt_warn("slot %u: %s\n", i, stress.slot[i].bad);
		bad++;
	}
	return bad;
}

static double seconds(void)
{
	const char *text = getenv("VGEM_SVM_STRESS_SECONDS");

	return text ? atof(text) : 10 * vgem_svm_scale();
}

/* Queues of all slots work in turn; one thread, since igt is not for many. */
static unsigned int work(struct vgem_svm_queue *q, uint64_t *sums)
{
	time_t end = time(NULL) + seconds() + 1;
	unsigned int n = 0, i;

	while (time(NULL) < end && !check_slots()) {
		i = n++ % SLOTS;
		pthread_rwlock_rdlock(&stress.slot[i].lock);
		work_on(&stress.slot[i], &q[i], &sums[i * 8]);
		pthread_rwlock_unlock(&stress.slot[i].lock);
	}
	return n;
}

static void init_slots(struct vgem_svm_queue *q)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		struct slot *slot = &stress.slot[i];
		struct vgem_svm *s = &stress.s[i % stress.devices];

		memset(slot, 0, sizeof(*slot));
		slot->s = s;
		slot->p = vgem_svm_map_aligned(2 * SLOT_BYTES, VGEM_SVM_BLOCK);
		reserve_room(slot);
		memset(slot->p, 0, SLOT_BYTES);
		pthread_rwlock_init(&slot->lock, NULL);
		vgem_svm_queue_init(&q[i], s->fd, s->vm, i / stress.devices %
				    vgem_svm_query(s->fd,
						   DRM_VGEM_SVM_PARAM_NR_ENGINES),
				    0);
	}
}

static void test_stress(uint32_t flags)
{
	void *(*churn[])(void *data) = {
		churn_protect, churn_fork, churn_migrate, churn_map,
	};
	uint64_t *sums = vgem_svm_map(VGEM_SVM_PAGE);
	struct vgem_svm_queue q[SLOTS];
	unsigned int i, n, bad;
	pthread_t thread[4];

	stress.stop = false;
	stress.rests = 0;
	stress.devices = vgem_svm_count() > 1 ? 2 : 1;
	for (i = 0; i < stress.devices; i++)
		vgem_svm_init(&stress.s[i], i, flags);
	init_slots(q);
	for (i = 0; i < 4; i++)
		igt_assert(!pthread_create(&thread[i], NULL, churn[i], NULL));
	n = work(q, sums);
	__atomic_store_n(&stress.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	igt_info("%u launches, %u of them left alone at last; %" PRIu64
		 " protections, %" PRIu64 " forks, %" PRIu64 " migrations, %"
		 PRIu64 " mappings\n", n, stress.rests, stress.done[0],
		 stress.done[1], stress.done[2], stress.done[3]);
	bad = check_slots();
	igt_assert_f(!bad, "%u slots went wrong, see above\n", bad);
	for (i = 0; i < SLOTS; i++) {
		vgem_svm_queue_fini(&q[i]);
		vgem_svm_unmap(stress.slot[i].p, 2 * SLOT_BYTES);
	}
	for (i = 0; i < stress.devices; i++)
		vgem_svm_fini(&stress.s[i]);
	vgem_svm_unmap(sums, VGEM_SVM_PAGE);
}

int igt_main()
{
	igt_fixture()
		vgem_svm_require(1);

	igt_describe("munmap, mprotect, madvise, fork and migration against two devices");
	igt_subtest("stress")
		test_stress(0);

	igt_describe("The same with address spaces that migrate what they touch");
	igt_subtest("stress-device")
		test_stress(DRM_VGEM_SVM_VM_MIGRATE_ON_FAULT);
}
