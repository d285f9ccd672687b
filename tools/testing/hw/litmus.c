// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs litmus shapes on the interpreter and the packet front end: on a thread of the
 * machine for each of theirs, or, built with HW_WEAK, instruction by instruction in
 * random order on the weak memory of shim/weak.h.
 *
 * An outcome that must not be fails when it is seen once. One that must be seen is
 * waited for.
 */

#include <unistd.h>
#include <sys/syscall.h>

#include "litmus.h"
#include "vgem_svm_hw_priv.h"

#define CODE_BYTES	128
/* Words are in cache lines of their own; a copy of the shape has a row of them. */
#define STRIDE		64
#define ROW		256
/* Copies that threads go through between two meetings. */
#ifdef HW_WEAK
#define COPIES		1
#else
#define COPIES		128
#endif

static unsigned int rounds = 200000;
module_param(rounds, uint, 0444);
static unsigned int ms = 700;
module_param(ms, uint, 0444);
static unsigned int seed = 1;
module_param(seed, uint, 0444);
/* How long what must be seen is waited for. */
#define PATIENCE_MS	60000

/**
 * struct litmus - a shape that runs
 * @t: the device
 * @shape: it
 * @nr: threads
 * @rows: words of all copies
 * @r: results, by copy and thread
 * @word: words of the copy that is judged
 * @arrived: threads that have come to a meeting, ever
 * @at: where each thread is, in lines of their own
 * @stop: no more are begun
 * @done: copies that have run
 * @seen: in how many of them the outcome was
 * @end: when it is to end
 */
struct litmus {
	struct test_hw *t;
	const struct litmus_shape *shape;
	unsigned int nr;
	struct test_buf *rows;
	u64 r[COPIES][LITMUS_THREADS][4];
	u64 word[LITMUS_WORDS];
	unsigned int arrived;
	struct {
		unsigned int copy;
		char line[60];
	} at[LITMUS_THREADS];
	bool stop;
	u64 done;
	u64 seen;
	ktime_t end;
};

/* ---- outcomes ------------------------------------------------------------- */

/* One condition: "X=2", "1:R0=0". */
static bool condition_holds(const struct litmus *l, unsigned int copy,
			    const char *text)
{
	unsigned int thread, reg;
	u64 value;

	if (sscanf(text, "%u:R%u=%llu", &thread, &reg, &value) == 3)
		return l->r[copy][thread][reg] == value;
	return l->word[text[0] - 'X'] == strtoull(text + 2, NULL, 0);
}

static bool outcome_holds(const struct litmus *l, unsigned int copy)
{
	const char *text = l->shape->outcome;

	for (; text; text = strchr(text, ' ')) {
		text += *text == ' ';
		if (!condition_holds(l, copy, text))
			return false;
	}
	return true;
}

static bool must_be_seen(const struct litmus_shape *shape)
{
#ifdef HW_WEAK
	return shape->rule != NEVER;
#else
	return shape->rule == TSO;
#endif
}

/* Has it run for long enough? */
static bool enough(const struct litmus *l)
{
	if (must_be_seen(l->shape) ? l->seen : l->done >= rounds)
		return true;
	return !(l->done % COPIES) && ktime_before(l->end, ktime_get());
}

/*
 * A store that is still in its buffer is seen if two processors go on side by side,
 * and not if a sanitizer works between the store and the load.
 */
static bool __maybe_unused may_be_seen(void)
{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
	return false;
#else
	return sysconf(_SC_NPROCESSORS_ONLN) > 1;
#endif
}

/* ---- threads of the shape ------------------------------------------------- */

static u64 *word(struct litmus *l, unsigned int copy, unsigned int i)
{
	return l->rows->cpu + copy * ROW + i * STRIDE;
}

static bool is_batch(const struct litmus_shape *shape, unsigned int i)
{
	return shape->batch[i][0].op;
}

static struct vgem_svm_chan *chan_of(struct litmus *l, unsigned int i)
{
	return &l->t->hw->chans[VGEM_SVM_HW_CHAN_USER + i];
}

static u64 address(unsigned int copy, unsigned int reg)
{
	return VA_DATA + copy * ROW + (reg - X) * STRIDE;
}

static void place_code(struct litmus *l, unsigned int i)
{
	u32 *code = l->t->code->cpu + i * CODE_BYTES;
	const u32 *from = l->shape->code[i];

	while (from < l->shape->code[i] + LITMUS_INSNS && *from)
		*code++ = *from++;
	*code = RET;
}

static u64 *batch_of(struct litmus *l, unsigned int i)
{
	return l->t->batch->cpu + i * CODE_BYTES;
}

static void place_batch(struct litmus *l, unsigned int i)
{
	u64 *pkt = batch_of(l, i);
	unsigned int p;

	for (p = 0; p < 2 && l->shape->batch[i][p].op; p++, pkt += 3) {
		pkt[0] = VGEM_SVM_PKT(l->shape->batch[i][p].op, 3, 0);
		pkt[2] = l->shape->batch[i][p].value;
	}
}

static void begin_batch(struct litmus *l, unsigned int i, unsigned int copy)
{
	struct vgem_svm_chan *chan = chan_of(l, i);
	u64 *pkt = batch_of(l, i);
	unsigned int p;

	for (p = 0; p < 2 && l->shape->batch[i][p].op; p++, pkt += 3)
		WRITE_ONCE(pkt[1], address(copy, l->shape->batch[i][p].word));
	chan->batch = VA_BATCH + i * CODE_BYTES;
	chan->batch_end = chan->batch + p * 24;
}

static void begin_code(struct litmus *l, unsigned int i, unsigned int copy)
{
	struct vgem_svm_chan *chan = chan_of(l, i);
	struct vgem_svm_thread *t = &chan->threads[0];

	t->x[RA] = VGEM_SVM_EXIT_VA;
	t->x[X] = address(copy, X);
	t->x[Y] = address(copy, Y);
	t->x[Z] = address(copy, Z);
	t->pc = VA_CODE + i * CODE_BYTES;
	t->resv_va = ~0ULL;
	t->state = VGEM_SVM_THREAD_RUN;
	chan->resident = 1;
}

static void begin(struct litmus *l, unsigned int i, unsigned int copy)
{
	if (is_batch(l->shape, i))
		begin_batch(l, i, copy);
	else
		begin_code(l, i, copy);
}

/* Goes on by @n instructions, or a packet. Return: false at the end. */
static bool go_on(struct litmus *l, unsigned int i, unsigned int n)
{
	struct vgem_svm_chan *chan = chan_of(l, i);
	struct vgem_svm_unit *unit = chan->unit;

	spin_lock(&unit->lock);
	if (is_batch(l->shape, i))
		vgem_svm_chan_quantum(chan);
	else
		vgem_svm_rv64_run(chan, &chan->threads[0], n);
	spin_unlock(&unit->lock);
	if (is_batch(l->shape, i))
		return chan->batch != chan->batch_end &&
		       chan->status == VGEM_SVM_CHAN_ST_ON;
	return chan->threads[0].state == VGEM_SVM_THREAD_RUN &&
	       chan->status == VGEM_SVM_CHAN_ST_ON;
}

static void end(struct litmus *l, unsigned int i, unsigned int copy)
{
	memcpy(l->r[copy][i], &chan_of(l, i)->threads[0].x[R0],
	       sizeof(l->r[copy][i]));
}

static void judge(struct litmus *l, unsigned int copy)
{
	l->done++;
	l->seen += outcome_holds(l, copy);
}

/* ---- on the weak memory --------------------------------------------------- */

#ifdef HW_WEAK
static void run_round(struct litmus *l, struct rnd_state *rnd)
{
	unsigned int running = (1U << l->nr) - 1, i;

	weak_reset();
	for (i = 0; i < l->nr; i++)
		begin(l, i, 0);
	while (running) {
		weak_thread = prandom_u32_state(rnd) % l->nr;
		if ((running & 1U << weak_thread) && !go_on(l, weak_thread, 1))
			running &= ~(1U << weak_thread);
	}
	for (i = 0; i < l->nr; i++)
		end(l, i, 0);
	for (i = 0; i < LITMUS_WORDS; i++)
		l->word[i] = weak_last(i);
	judge(l, 0);
}

static void run_shape(struct litmus *l)
{
	struct rnd_state rnd;

	prandom_seed_state(&rnd, seed);
	weak_begin(word(l, 0, 0), STRIDE, seed + 1);
	while (!enough(l))
		run_round(l, &rnd);
	weak_end();
}
#else

/* ---- on threads of the machine -------------------------------------------- */

struct litmus_thread {
	struct litmus *l;
	unsigned int i;
	struct rnd_state rnd;
	struct task_struct *task;
};

/* Until all are here; soon, or with the processor given to who is not. */
static void meet(struct litmus *l)
{
	unsigned int ticket = __atomic_add_fetch(&l->arrived, 1, __ATOMIC_ACQ_REL);
	unsigned int goal = DIV_ROUND_UP(ticket, l->nr) * l->nr, spins = 0;

	/* What the others did before they came is seen after it. */
	while ((int)(smp_load_acquire(&l->arrived) - goal) < 0) {
		if (++spins % 256 == 0)
			sched_yield();
		cpu_relax();
	}
}

/* As nearly at once as can be; not for ever, since one may not run just now. */
static void keep_step(struct litmus *l, struct litmus_thread *lt, unsigned int copy)
{
	unsigned int j, spins = 200;

	/* Ready: what is begun stands. */
	smp_store_release(&l->at[lt->i].copy, copy);
	for (j = 0; j < l->nr; j++)
		while (READ_ONCE(l->at[j].copy) < copy && --spins)
			cpu_relax();
	for (spins = prandom_u32_state(&lt->rnd) % 16; spins; spins--)
		barrier();
}

static void run_copies(struct litmus *l, struct litmus_thread *lt)
{
	unsigned int copy;

	for (copy = 0; copy < COPIES; copy++) {
		begin(l, lt->i, copy);
		keep_step(l, lt, copy + 1);
		while (go_on(l, lt->i, VGEM_SVM_QUANTUM))
			;
		end(l, lt->i, copy);
	}
}

static void judge_all(struct litmus *l)
{
	unsigned int copy, i;

	for (copy = 0; copy < COPIES; copy++) {
		for (i = 0; i < LITMUS_WORDS; i++)
			l->word[i] = xchg(word(l, copy, i), 0);
		judge(l, copy);
	}
	l->stop = enough(l);
}

static int run_thread(void *data)
{
	struct litmus_thread *lt = data;
	struct litmus *l = lt->l;
	unsigned long cpus = sysconf(_SC_NPROCESSORS_CONF);
	unsigned long mask = 1UL << lt->i % min(cpus, 64UL);

	/* If it may not, they meet where they are put. */
	syscall(SYS_sched_setaffinity, 0, sizeof(mask), &mask);
	while (!l->stop) {
		WRITE_ONCE(l->at[lt->i].copy, 0);
		meet(l);
		run_copies(l, lt);
		meet(l);
		if (!lt->i)
			judge_all(l);
		meet(l);
	}
	return 0;
}

static void run_shape(struct litmus *l)
{
	struct litmus_thread threads[LITMUS_THREADS];
	unsigned int i;

	for (i = 0; i < l->nr; i++) {
		threads[i].l = l;
		threads[i].i = i;
		prandom_seed_state(&threads[i].rnd, seed + i);
	}
	for (i = 0; i < l->nr; i++)
		threads[i].task = kthread_run(run_thread, &threads[i], "litmus");
	for (i = 0; i < l->nr; i++)
		kthread_stop(threads[i].task);
}
#endif

/* ---- the suite ------------------------------------------------------------ */

/* The rig's channels are ours now, its engines have none. */
static void take_channels(struct test_hw *t)
{
	unsigned int i;

	for (i = 0; i < t->hw->config.nr_compute; i++) {
		struct vgem_svm_unit *unit = &t->hw->compute[i];

		spin_lock(&unit->lock);
		WRITE_ONCE(unit->chans, 0);
		spin_unlock(&unit->lock);
	}
}

static void set_up(struct litmus *l)
{
	u64 flags = PTE_RWA | (l->shape->uncached ? VGEM_SVM_PTE_UNCACHED : 0);
	struct test_hw *t = l->t;
	unsigned int i;

	l->rows = test_alloc(t, SZ_64K);
	for (i = 0; i < SZ_64K / SZ_4K; i++)
		map(t, VA_DATA + i * SZ_4K, l->rows->bus + i * SZ_4K, flags);
	take_channels(t);
	for (i = 0; i < LITMUS_THREADS; i++) {
		struct vgem_svm_chan *chan = chan_of(l, i);

		if (!l->shape->code[i][0] && !is_batch(l->shape, i))
			break;
		/* Its engine does not know of it: the test does its work. */
		spin_lock(&t->hw->compute[i].lock);
		chan->unit = &t->hw->compute[i];
		chan->vm = TEST_VM;
		chan->status = VGEM_SVM_CHAN_ST_ON;
		chan->front = VGEM_SVM_THREAD_RUN;
		spin_unlock(&t->hw->compute[i].lock);
		place_code(l, i);
		place_batch(l, i);
	}
	l->nr = i;
}

static void outcome_is_as_the_manual_says(struct kunit *test)
{
	const struct litmus_shape *shape = test->param_value;
	static struct litmus l;
	unsigned int i;

	memset(&l, 0, sizeof(l));
	l.t = test->priv;
	l.shape = shape;
#ifdef HW_WEAK
	if (shape->dependency)
		kunit_skip(test, "the weak memory knows no dependencies");
#else
	if (shape->rule == WEAK)
		kunit_skip(test, "this machine may be too strong to show it");
	if (must_be_seen(shape) && !may_be_seen())
		kunit_skip(test, "nothing runs at the same time, or too slowly");
#endif
	set_up(&l);
	l.end = ktime_add_ms(ktime_get(), must_be_seen(shape) ? PATIENCE_MS : ms);
	run_shape(&l);
	kunit_info(test, "%llu of %llu: %s\n", l.seen, l.done, shape->outcome);
	if (must_be_seen(shape))
		KUNIT_EXPECT_GT(test, l.seen, 0);
	else
		KUNIT_EXPECT_EQ(test, l.seen, 0);
	KUNIT_EXPECT_EQ(test, get(l.t, VGEM_SVM_REG_FAULT_PUT), 0);
	for (i = 0; i < l.nr; i++)
		KUNIT_EXPECT_EQ(test, chan_of(&l, i)->err, VGEM_SVM_ERR_NONE);
}

static const void *shape_gen_params(struct kunit *test, const void *prev, char *desc)
{
	const struct litmus_shape *next = prev ? prev : litmus_shapes - 1;

	if (++next == litmus_shapes + litmus_nr_shapes)
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", next->name);
	return next;
}

static int litmus_init(struct kunit *test)
{
	return test_init_engines(test, LITMUS_THREADS);
}

static struct kunit_case vgem_svm_litmus_cases[] = {
	KUNIT_CASE_PARAM(outcome_is_as_the_manual_says, shape_gen_params),
	{}
};

static struct kunit_suite vgem_svm_litmus_suite = {
	.name = "vgem_svm_litmus",
	.init = litmus_init,
	.exit = test_exit,
	.test_cases = vgem_svm_litmus_cases,
};

kunit_test_suite(vgem_svm_litmus_suite);
