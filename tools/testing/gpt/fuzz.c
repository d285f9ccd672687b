// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs operations from a string of bytes on a page table and on a model of what
 * it ought to hold. After each, lookups, the hardware's tables and the device's
 * caches are held against the model.
 */

#include "fuzz_state.h"

#include "../../../drivers/gpu/drm/svm/gpt/drm_gpt_internal.h"

struct fuzz fuzz;
static jmp_buf fuzz_end;
static char fuzz_what[256];
static bool fuzz_log;

const char *fuzz_why(void)
{
	return fuzz_what;
}

void wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(fuzz_what, sizeof(fuzz_what), format, args);
	va_end(args);
	longjmp(fuzz_end, 1);
}

void note(const char *format, ...)
{
	va_list args;

	if (!fuzz_log)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

/* ---- comparisons ---------------------------------------------------------- */

static bool ring_idle(void)
{
	return fuzz.hw->head == fuzz.hw->tail;
}

static bool unflushed(u64 va)
{
	u32 g, i;

	for (g = 0; g < GATHERS; g++) {
		const struct drm_gpt_gather *gather = &fuzz.gather[g].gather;

		for (i = 0; fuzz.gather[g].used && i < gather->nr; i++)
			if (gather->range[i].first <= va && gather->range[i].last >= va)
				return true;
	}
	return false;
}

static bool all_flushed(void)
{
	u32 g;

	for (g = 0; g < GATHERS; g++)
		if (fuzz.gather[g].used)
			return false;
	return true;
}

/* The device may be late with what was mapped, never with what went. */
static void check_access(u64 va)
{
	u64 want, got;

	if (unflushed(va))
		return;
	want = model_at(&fuzz.model, va);
	got = test_hw_access(fuzz.hw, va);
	if (got == want || (!got && !(ring_idle() && all_flushed())))
		return;
	/* Rights that were given, or a leaf that was split, are late as well. */
	wrong("device sees %#llx at %#llx, not %#llx", got, va, want);
}

static void check_lookup(u64 va)
{
	u64 want = model_at(&fuzz.model, va), got;
	struct drm_gpt_entry e;

	drm_gpt_lookup(&fuzz.hw->gpt, va, &e);
	if (e.first > va || e.last < va || e.last > last_byte())
		wrong("lookup of %#llx speaks of %#llx", va, e.first);
	if (e.flags != (want & (RIGHTS | DRM_GPT_LEAF_VALID)))
		wrong("lookup of %#llx says %#llx, not %#llx", va, e.flags, want);
	if (!want && model_any(&fuzz.model, e.first, e.last))
		wrong("lookup of %#llx: the hole is too long", va);
	if (want && !model_linear(&fuzz.model, e.first, e.last))
		wrong("lookup of %#llx: the leaf is too long", va);
	got = e.leaf + (va - e.first) - (va & 0xfff);
	if (e.leaf && got != want)
		wrong("lookup of %#llx: leaf %#llx, not %#llx", va, got, want);
	if (want && !e.leaf && !fuzz.hw->gpt.cmd)
		wrong("lookup of %#llx: no leaf", va);
	if (!fuzz.hw->gpt.cmd && e.seq)
		wrong("lookup of %#llx: a fence", va);
	if (want && !e.seq && ring_idle() && test_hw_walk(fuzz.hw, va, NULL) != want)
		wrong("lookup of %#llx: not there yet", va);
}

static void check_point(u64 va)
{
	if (va > last_byte())
		return;
	check_lookup(va);
	check_access(va);
}

/* Around the ends, at a few places inside, and a few elsewhere. */
static void check_span(const struct span *s)
{
	u32 k;

	check_point(s->first);
	check_point(s->last);
	check_point(s->last + 1);
	if (s->first)
		check_point(s->first - 1);
	for (k = 0; k < 6; k++)
		check_point(dice_page(s->first, s->last));
	for (k = 0; k < 4 && fuzz.model.nr; k++) {
		const struct segment *g = &fuzz.model.segment[dice(fuzz.model.nr)];

		check_point(dice(2) ? g->first : g->last);
	}
}

/* Ring space that is held is what open updates and gathers hold. */
static void check_space(void)
{
	u32 want = 0, k;

	for (k = 0; k < UPDATES; k++)
		want += fuzz.update[k].used ? fuzz.update[k].up.credits : 0;
	for (k = 0; k < GATHERS; k++)
		want += fuzz.gather[k].used ? fuzz.gather[k].gather.credits : 0;
	if (fuzz.hw->reserved != want)
		wrong("ring space: %u reserved, %u known", fuzz.hw->reserved, want);
	if (fuzz.hw->errors)
		wrong("the device complains");
}

static void check_tables(void)
{
	const char *what;
	u64 where;

	test_hw_run(fuzz.hw, U32_MAX);
	what = tables_compare(fuzz.hw, &fuzz.model, &where);
	if (what)
		wrong("%s at %#llx", what, where);
}

/* ---- taking away ---------------------------------------------------------- */

static struct open_gather *free_gather(void)
{
	u32 g;

	for (g = 0; g < GATHERS; g++)
		if (!fuzz.gather[g].used)
			return &fuzz.gather[g];
	return NULL;
}

static void flush(struct open_gather *open)
{
	test_hw_flush(fuzz.hw, &open->gather);
	drm_gpt_gather_fini(&open->gather);
	open->used = false;
}

static void flush_all(void)
{
	u32 g;

	for (g = 0; g < GATHERS; g++)
		if (fuzz.gather[g].used)
			flush(&fuzz.gather[g]);
}

static struct open_gather *begin_gather(const struct span *s)
{
	struct open_gather *open = free_gather();
	int ret;

	if (!open) {
		flush_all();
		open = free_gather();
	}
	drm_gpt_gather_init(&open->gather, &fuzz.hw->gpt);
	ret = drm_gpt_zap_reserve(&open->gather, s->first, s->last, true);
	if (ret)
		wrong("zap_reserve: %d", ret);
	open->used = true;
	return open;
}

static bool gathered(const struct drm_gpt_gather *gather, u64 first, u64 last)
{
	u32 i;

	for (i = 0; i < gather->nr; i++)
		if (gather->range[i].first <= first && gather->range[i].last >= last)
			return true;
	return gather->full;
}

/* All that is mapped in [first, last] is spoken of. */
static void check_gather(const struct drm_gpt_gather *gather, u64 first, u64 last,
			 u64 flags)
{
	const struct segment *s;
	u64 from, to;

	for (from = first; ; from = to + 1) {
		s = model_find(&fuzz.model, from);
		if (!s || s->first > last)
			return;
		from = max(from, s->first);
		to = min(s->last, last);
		if ((!flags || (s->leaf & flags)) && !gathered(gather, from, to))
			wrong("changed, and not gathered: %#llx-%#llx", from, to);
		if (to == last)
			return;
	}
}

/* The interval of what goes with @va: its leaf, or the group it may be of. */
static void widest(u64 va, u64 *first, u64 *last, u64 *leaf_first, u64 *leaf_last)
{
	struct drm_gpt_entry e;
	u8 level, hint;
	u64 mask;

	*first = *leaf_first = va & ~0xfffULL;
	*last = *leaf_last = va | 0xfff;
	drm_gpt_lookup(&fuzz.hw->gpt, va, &e);
	if (!e.flags)
		return;
	*first = *leaf_first = e.first;
	*last = *leaf_last = e.last;
	for (level = 0; size_of(level) < e.last - e.first + 1; level++)
		;
	hint = fuzz.geometry->hint[level];
	mask = (size_of(level) << hint) - 1;
	if (!model_linear(&fuzz.model, va & ~mask, va | mask))
		return;
	*first = va & ~mask;
	*last = va | mask;
}

/**
 * struct ends - how far an interval may spread, looked at before it is zapped
 * @lo: lowest address that may go
 * @hi: highest address that may go
 * @leaf_lo: where the leaf at its first byte begins
 * @leaf_hi: where the leaf at its last byte ends
 */
struct ends {
	u64 lo;
	u64 hi;
	u64 leaf_lo;
	u64 leaf_hi;
};

static struct ends look_at_ends(const struct span *s)
{
	struct ends ends;
	u64 unused;

	widest(s->first, &ends.lo, &unused, &ends.leaf_lo, &unused);
	widest(s->last, &unused, &ends.hi, &unused, &ends.leaf_hi);
	return ends;
}

/* What a zap really took: more than asked for, but not more than may be. */
static struct span check_ends(const struct drm_gpt_gather *gather, struct span s,
			      const struct ends *ends)
{
	u64 first = gather->zap_first, last = gather->zap_last;

	if (first < ends->lo || (first <= last && last > ends->hi))
		wrong("zap of %#llx-%#llx took %#llx-%#llx", s.first, s.last, first,
		      last);
	if ((ends->leaf_lo < s.first && first > ends->leaf_lo) ||
	    (ends->leaf_hi > s.last && last < ends->leaf_hi))
		wrong("zap of %#llx-%#llx left a part of a leaf", s.first, s.last);
	s.first = min(s.first, first);
	s.last = max(s.last, last);
	return s;
}

/* An invalidation: commits that were prepared before see that it was. */
static void spoil_updates(const struct span *s)
{
	u32 u;

	for (u = 0; u < UPDATES; u++)
		if (fuzz.update[u].used && fuzz.update[u].up.first <= s->last &&
		    fuzz.update[u].up.last >= s->first)
			fuzz.update[u].stale = true;
}

static void zap_into(struct open_gather *open, const struct span *s, bool protect,
		     u64 flags)
{
	struct drm_gpt_gather *gather = &open->gather;
	struct ends ends = look_at_ends(s);
	struct span went;

	spoil_updates(s);
	if (protect)
		drm_gpt_protect(gather, s->first, s->last, flags);
	else
		drm_gpt_zap(gather, s->first, s->last);
	went = check_ends(gather, *s, &ends);
	check_gather(gather, went.first, went.last, 0);
	model_set(&fuzz.model, went.first, went.last, 0);
}

static void zap_and_flush(const struct span *s, bool evict)
{
	struct open_gather *open = begin_gather(s);

	open->gather.evict = evict;
	zap_into(open, s, false, 0);
	flush(open);
}

static void do_zap(const struct op *op)
{
	struct span s = pick_wide(op);
	struct open_gather *open = begin_gather(&s);

	open->gather.evict = op->aux & 1;
	note("zap %#llx-%#llx%s%s\n", s.first, s.last, op->aux & 1 ? ", evict" : "",
	     op->how & HOW_OPEN ? ", flush later" : "");
	zap_into(open, &s, false, 0);
	if (!(op->how & HOW_OPEN))
		flush(open);
	check_span(&s);
}

/* Has the page lost its rights? Of a group that may or may not be one. */
static bool lost(u64 va, u64 flags)
{
	struct drm_gpt_entry e;

	drm_gpt_lookup(&fuzz.hw->gpt, va, &e);
	return e.flags == (model_at(&fuzz.model, va) & ~flags &
			   (RIGHTS | DRM_GPT_LEAF_VALID));
}

static void protect_in_place(struct open_gather *open, const struct span *s, u64 flags)
{
	struct ends ends = look_at_ends(s);
	u64 first, last;

	spoil_updates(s);
	drm_gpt_protect(&open->gather, s->first, s->last, flags);
	/* A leaf goes whole, and is held against the model later. */
	first = min(s->first, ends.leaf_lo);
	last = max(s->last, ends.leaf_hi);
	if (ends.lo < first && lost(ends.lo, flags))
		first = ends.lo;
	if (ends.hi > last && lost(ends.hi, flags))
		last = ends.hi;
	if (open->gather.zap_first <= open->gather.zap_last)
		wrong("protect took something away");
	check_gather(&open->gather, first, last, flags);
	model_protect(&fuzz.model, first, last, flags);
}

static void do_protect(const struct op *op)
{
	struct span s = pick_wide(op);
	struct open_gather *open = begin_gather(&s);
	u64 flags = rights_of(op);

	note("protect %#llx-%#llx, take %#llx%s\n", s.first, s.last, flags,
	     op->how & HOW_OPEN ? ", flush later" : "");
	if (!flags)
		drm_gpt_protect(&open->gather, s.first, s.last, 0);
	else if (!fuzz.hw->gpt.cmd)
		protect_in_place(open, &s, flags);
	else
		zap_into(open, &s, true, flags);
	if (!(op->how & HOW_OPEN))
		flush(open);
	check_span(&s);
}

/* ---- committing ------------------------------------------------------------ */

static bool answer(void *data)
{
	const struct open_update *u = data;

	fuzz.asked++;
	return !u->stale && fuzz.asked != fuzz.no_at;
}

/* Leaves of @s that are not empty to the model, as far as a commit came. */
static void apply(const struct span *s, const u64 *array, u64 leaf, u32 pieces)
{
	u64 size = size_of(s->level), va = s->first, value;
	u64 before = 0, table;
	bool any = false;
	u32 k;

	for (k = 0; k < s->n; k++, va += size) {
		value = array ? array[k] : leaf + k * size;
		if (!(value & DRM_GPT_LEAF_VALID))
			continue;
		table = va / size_of(s->level + 1);
		if ((!any || table != before) && !pieces--)
			return;
		any = true;
		before = table;
		model_set(&fuzz.model, va, va + size - 1, value);
	}
}

/* How many tables were written, by what the commit has asked and said. */
static u32 pieces_written(int ret, u8 level)
{
	if (!ret)
		return U32_MAX;
	if (ret == -EAGAIN)
		return fuzz.asked - 1;
	if (ret == -EBUSY && level)
		return fuzz.asked - 1;
	if (ret == -EBUSY)
		return fuzz.asked;
	wrong("commit: %d", ret);
}

static void fill_array(const struct op *op, const struct span *s, u64 leaf)
{
	u64 size = size_of(s->level), skew = 0;
	u32 k;

	for (k = 0; k < s->n; k++) {
		if (!(op->how & HOW_FOLLOW) && (op->aux & 2) && dice(5) == 0)
			skew += size_of(s->level + 1);
		fuzz.array[k] = leaf + k * size + skew;
		if ((op->how & HOW_HOLES) && dice(3) == 0)
			fuzz.array[k] = 0;
		if ((op->aux & 4) && dice(16) == 0)
			fuzz.array[k] ^= DRM_GPT_LEAF_WRITE &
					 -(fuzz.array[k] & DRM_GPT_LEAF_VALID);
	}
	fuzz.page += skew;
}

/* Without leave to replace, what is mapped goes first; else it is flushed after. */
static bool make_room(const struct span *s)
{
	bool any = model_any(&fuzz.model, s->first, s->last);

	if (any && !fuzz.replace)
		zap_and_flush(s, false);
	return any && fuzz.replace;
}

static void flush_replaced(const struct span *s)
{
	struct open_gather *open = begin_gather(s);

	drm_gpt_gather_also(&open->gather, s->first, s->last, false);
	flush(open);
}

/* Is a large leaf over one of the tables? */
static bool below_large(const struct span *s)
{
	u64 table = size_of(1), va;
	struct drm_gpt_entry e;

	for (va = s->first & ~(table - 1); va <= s->last; va += table) {
		drm_gpt_lookup(&fuzz.hw->gpt, va, &e);
		if (e.flags && e.last - e.first >= 0x1000)
			return true;
	}
	return false;
}

/* Large leaves may find a table, perhaps an empty one; small ones a large leaf. */
static void check_busy(const struct span *s, int ret)
{
	if (ret == -EBUSY && !s->level && (fuzz.replace || !below_large(s)))
		wrong("busy, and nothing in the way of %#llx", s->first);
}

static int commit(struct open_update *u, const struct span *s, const u64 *array,
		  u64 leaf)
{
	int ret;

	fuzz.asked = 0;
	if (array)
		ret = drm_gpt_commit(&u->up, s->first, array, s->n, answer, u);
	else
		ret = drm_gpt_commit_seq(&u->up, s->first, leaf, s->n, answer, u);
	check_busy(s, ret);
	apply(s, array, leaf, pieces_written(ret, s->level));
	if (ret == -EAGAIN && !u->stale && fuzz.asked != fuzz.no_at)
		wrong("commit asks again without a no");
	if (!fuzz.hw->gpt.cmd && drm_gpt_update_fence(&u->up))
		wrong("a fence where the CPU writes");
	return ret;
}

/* Memory may fail where it was told to, and only there. */
static bool out_of_memory(int ret)
{
	bool reached = shim_fail_reached();

	shim_fail_nth(0);
	fuzz.fail = 0;
	if (ret == -ENOMEM && reached)
		return true;
	if (ret)
		wrong("prepare: %d", ret);
	return false;
}

static bool prepare(struct open_update *u, const struct span *s)
{
	int ret;

	shim_fail_nth(fuzz.fail);
	ret = drm_gpt_prepare(&fuzz.hw->gpt, &u->up, s->first, s->last, s->level,
			      GFP_KERNEL);
	if (out_of_memory(ret))
		return false;
	u->used = true;
	u->stale = false;
	u->committed = false;
	return true;
}

static void finish(struct open_update *u)
{
	drm_gpt_finish(&u->up);
	u->used = false;
}

static void do_map(const struct op *op, bool seq)
{
	struct span s = pick_level(op);
	struct open_update u = {};
	bool replaced = make_room(&s);
	u64 leaf = pick_leaf(op, &s);
	int ret;

	fuzz.no_at = op->aux >= 0xe0 ? 1 + op->aux % 4 : 0;
	if (!seq)
		fill_array(op, &s, leaf);
	note("map %s %#llx-%#llx, level %u, %u leaves from %#llx, no at %u",
	     seq ? "seq" : "array", s.first, s.last, s.level, s.n, leaf, fuzz.no_at);
	if (!prepare(&u, &s)) {
		note(": no memory\n");
		check_span(&s);
		return;
	}
	ret = commit(&u, &s, seq ? NULL : fuzz.array, leaf);
	finish(&u);
	note(": %d\n", ret);
	if (ret == -EBUSY) {
		zap_and_flush(&s, true);
		if (!prepare(&u, &s))
			wrong("no memory");
		fuzz.no_at = 0;
		if (commit(&u, &s, seq ? NULL : fuzz.array, leaf))
			wrong("busy after all was evicted at %#llx", s.first);
		finish(&u);
	}
	if (replaced)
		flush_replaced(&s);
	check_span(&s);
}

static void do_map_now(const struct op *op)
{
	struct span s = pick(op);
	bool replaced = make_room(&s);
	u64 leaf = pick_leaf(op, &s);
	int ret;

	fill_array(op, &s, leaf);
	note("map now %#llx-%#llx, %u leaves from %#llx", s.first, s.last, s.n, leaf);
	shim_fail_nth(fuzz.fail);
	ret = drm_gpt_map(&fuzz.hw->gpt, s.first, fuzz.array, s.n, GFP_KERNEL);
	if (out_of_memory(ret)) {
		note(": no memory\n");
		check_span(&s);
		return;
	}
	note("\n");
	apply(&s, fuzz.array, leaf, U32_MAX);
	if (fuzz.array[0] &&
	    test_hw_walk(fuzz.hw, s.first, NULL) != model_at(&fuzz.model, s.first))
		wrong("map returns before it is done");
	if (replaced)
		flush_replaced(&s);
	check_span(&s);
}

/* A page below a large leaf, where the format wants that zapped first. */
static void do_under_large(const struct op *op)
{
	struct span s = pick(op);
	struct open_update u = {};
	struct drm_gpt_entry e;
	int ret;

	drm_gpt_lookup(&fuzz.hw->gpt, s.first, &e);
	if (fuzz.replace || !e.flags || e.last - e.first < 0x1000)
		return;
	s.n = 1;
	s.last = s.first + 0xfff;
	note("map below a large leaf %#llx\n", s.first);
	fuzz.no_at = 0;
	if (!prepare(&u, &s))
		return;
	ret = drm_gpt_commit_seq(&u.up, s.first, DRM_GPT_LEAF_VALID, 1, answer, &u);
	if (ret != -EBUSY)
		wrong("not busy below a large leaf: %d", ret);
	finish(&u);
	check_span(&s);
}

/* ---- promoting, freeing ---------------------------------------------------- */

/* A lowest table full of small leaves that say what a large one would. */
static bool can_promote(u64 first, const struct drm_gpt_entry *e)
{
	u64 last = first + size_of(1) - 1;

	return fuzz.replace && !fuzz.hw->hide && !e->seq &&
	       model_linear(&fuzz.model, first, last) && e->last - e->first < 0x1000 &&
	       !(model_at(&fuzz.model, first) & (size_of(1) - 1) & DRM_GPT_LEAF_ADDR);
}

/* Pages of a table in two halves, so that no large leaf is made of them. */
static void do_fill(const struct op *op)
{
	struct span s = pick(op), half;
	struct open_update u = {};
	u64 leaf;

	s.first &= ~(size_of(1) - 1);
	s.n = entries(0);
	s.last = s.first + size_of(1) - 1;
	zap_and_flush(&s, false);
	leaf = pick_leaf(op, &s);
	note("fill %#llx-%#llx from %#llx\n", s.first, s.last, leaf);
	fuzz.no_at = 0;
	half = s;
	half.n /= 2;
	half.last = half.first + half.n * 0x1000ULL - 1;
	if (!prepare(&u, &half) || commit(&u, &half, NULL, leaf))
		return;
	finish(&u);
	half.first = half.last + 1;
	half.last = s.last;
	if (!prepare(&u, &half) ||
	    commit(&u, &half, NULL, leaf + half.n * 0x1000ULL))
		wrong("fill failed at %#llx", half.first);
	finish(&u);
	check_span(&s);
}

static void do_promote(const struct op *op)
{
	struct span s = pick(op);
	struct open_gather *open;
	struct drm_gpt_entry e;
	bool want, done;

	s.first &= ~(size_of(1) - 1);
	s.last = s.first + size_of(1) - 1;
	open = begin_gather(&s);
	drm_gpt_lookup(&fuzz.hw->gpt, s.first, &e);
	want = can_promote(s.first, &e);
	done = drm_gpt_promote(&open->gather, s.first + (op->page << 12) %
			       size_of(1));
	note("promote %#llx: %d\n", s.first, done);
	if (done != want)
		wrong("promote of %#llx: %d, not %d", s.first, done, want);
	if (done)
		check_gather(&open->gather, s.first, s.last, 0);
	drm_gpt_lookup(&fuzz.hw->gpt, s.first, &e);
	if (done && e.last != s.last)
		wrong("promote of %#llx made no large leaf", s.first);
	if (!(op->how & HOW_OPEN))
		flush(open);
	check_span(&s);
}

static void do_reclaim(const struct op *op)
{
	struct span s = pick_wide(op);
	struct open_gather *open = begin_gather(&s);
	u32 k;

	note("reclaim %#llx-%#llx%s\n", s.first, s.last,
	     op->how & HOW_OPEN ? ", flush later" : "");
	drm_gpt_reclaim(&open->gather, s.first, s.last);
	if (open->gather.zap_first <= open->gather.zap_last)
		wrong("reclaim took mappings");
	/* The device is in tables that have been taken out, until the flush. */
	for (k = 0; k < 8; k++)
		test_hw_access(fuzz.hw, dice_page(s.first, s.last));
	if (!(op->how & HOW_OPEN))
		flush(open);
	check_span(&s);
}

static bool updates_open(void)
{
	u32 u;

	for (u = 0; u < UPDATES; u++)
		if (fuzz.update[u].used)
			return true;
	return false;
}

/* As reclaim does it. Return: whether there is more to be had. */
static bool scan(unsigned long nr)
{
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL, .nr_to_scan = nr };
	unsigned long freed = drm_gpt_shrink_scan(NULL, &sc);

	note("shrink by %lu: %ld of %lu\n", nr, (long)freed, sc.nr_scanned);
	if (freed != SHRINK_STOP && freed > sc.nr_scanned)
		wrong("a scan of %lu took %lu of %lu", nr, freed, sc.nr_scanned);
	if (sc.nr_scanned > nr)
		wrong("a scan of %lu looked at %lu", nr, sc.nr_scanned);
	return drm_gpt_shrink_count(NULL, &sc) != SHRINK_EMPTY;
}

/* With nothing pinned, scans find all that reclaim would. */
static void shrink_all(unsigned long nr)
{
	const struct span all = { .last = last_byte() };
	struct open_gather *open;
	u32 n;

	for (n = 0; scan(nr); n++)
		if (n > 1000)
			wrong("the shrinker comes to no end");
	open = begin_gather(&all);
	drm_gpt_reclaim(&open->gather, 0, all.last);
	if (open->gather.tables)
		wrong("the shrinker left tables");
	flush(open);
}

/* Memory is short: perhaps while gathers wait for their flush. */
static void do_shrink(const struct op *op)
{
	unsigned long nr = 1 + op->length % 40;
	struct span s = pick_wide(op);

	if (!fuzz.hw->gpt.flush)
		return;
	if ((op->how & HOW_FOLLOW) && !updates_open())
		shrink_all(nr);
	else
		scan(nr);
	check_span(&s);
}

/* ---- looking --------------------------------------------------------------- */

static void do_look(const struct op *op)
{
	struct span s = pick_wide(op);

	note("look at %#llx-%#llx\n", s.first, s.last);
	check_span(&s);
}

static void do_mapped(const struct op *op)
{
	u64 flags = rights_of(op) | DRM_GPT_LEAF_VALID, seq, va;
	struct span s = pick(op);
	bool want = model_has(&fuzz.model, s.first, s.last, flags);
	bool got = drm_gpt_mapped(&fuzz.hw->gpt, s.first, s.last, flags, &seq);
	u32 k;

	note("mapped %#llx-%#llx, %#llx: %d\n", s.first, s.last, flags, got);
	if (got != want)
		wrong("mapped %#llx-%#llx says %d", s.first, s.last, got);
	if (!got)
		return;
	if (drm_gpt_wait(&fuzz.hw->gpt, seq))
		wrong("wait failed");
	for (k = 0, va = s.first; k < s.n; k++, va += 0x1000)
		if (test_hw_walk(fuzz.hw, va, NULL) != model_at(&fuzz.model, va))
			wrong("mapped, waited, and not there: %#llx", va);
}

static void do_ring(const struct op *op)
{
	u32 n = op->length % 24;

	note("ring runs %u\n", n);
	test_hw_run(fuzz.hw, n);
}

static void do_access(const struct op *op)
{
	struct span s = pick(op);
	u32 k;

	note("device looks at %#llx-%#llx\n", s.first, s.last);
	for (k = 0; k < s.n; k += 1 + dice(4))
		check_access(s.first + k * 0x1000ULL);
}

static void do_flush(const struct op *op)
{
	struct open_gather *open = &fuzz.gather[op->aux % GATHERS];

	if (!open->used)
		return;
	note("flush %u\n", op->aux % GATHERS);
	flush(open);
}

/* ---- updates that take their time ------------------------------------------ */

static void do_prepare(const struct op *op)
{
	struct open_update *u = &fuzz.update[op->aux % UPDATES];
	struct span s = pick_level(op);

	if (u->used)
		return;
	note("prepare %u, %#llx-%#llx, level %u", op->aux % UPDATES, s.first, s.last,
	     s.level);
	note(prepare(u, &s) ? "\n" : ": no memory\n");
}

/* Any part of what was prepared, once where there is a ring. */
static void do_commit(const struct op *op)
{
	struct open_update *u = &fuzz.update[(op->aux >> 3) % UPDATES];
	struct span s;
	bool stale, replaced, seq = op->length & 1;
	u64 size, leaf, n;
	int ret;

	if (!u->used || (u->committed && fuzz.hw->gpt.cmd))
		return;
	s.level = u->up.level;
	size = size_of(s.level);
	n = (u->up.last - u->up.first) / size + 1;
	s.first = u->up.first + op->page % n * size;
	s.n = min_t(u64, n - op->page % n, 1 + op->mid * 4);
	s.last = s.first + s.n * size - 1;
	stale = u->stale;
	/* What the caller zaps itself is no invalidation to it. */
	replaced = !stale && make_room(&s);
	u->stale = stale;
	leaf = pick_leaf(op, &s);
	if (!seq)
		fill_array(op, &s, leaf);
	fuzz.no_at = 0;
	ret = commit(u, &s, seq ? NULL : fuzz.array, leaf);
	u->committed = true;
	note("commit %u, %#llx-%#llx from %#llx: %d\n", (op->aux >> 3) % UPDATES, s.first,
	     s.last, leaf, ret);
	if (stale && !ret && fuzz.asked)
		wrong("commit of what is not valid");
	if (replaced)
		flush_replaced(&s);
	check_span(&s);
}

static void do_finish(const struct op *op)
{
	struct open_update *u = &fuzz.update[op->aux % UPDATES];

	if (!u->used)
		return;
	note("finish %u\n", op->aux % UPDATES);
	finish(u);
}

/* ---- a run ----------------------------------------------------------------- */

static void do_map_array(const struct op *op)
{
	do_map(op, false);
}

static void do_map_seq(const struct op *op)
{
	do_map(op, true);
}

static void do_fail_alloc(const struct op *op)
{
	fuzz.fail = 1 + op->aux % 16;
	note("allocation %u of the next operation fails\n", fuzz.fail);
}

static void do_op(const struct op *op)
{
	static void (*const ops[OPS])(const struct op *op) = {
		[OP_MAP_ARRAY] = do_map_array,
		[OP_MAP_SEQ] = do_map_seq,
		[OP_MAP] = do_map_now,
		[OP_ZAP] = do_zap,
		[OP_PROTECT] = do_protect,
		[OP_PROMOTE] = do_promote,
		[OP_RECLAIM] = do_reclaim,
		[OP_SHRINK] = do_shrink,
		[OP_LOOK] = do_look,
		[OP_MAPPED] = do_mapped,
		[OP_RING] = do_ring,
		[OP_ACCESS] = do_access,
		[OP_FLUSH] = do_flush,
		[OP_PREPARE] = do_prepare,
		[OP_COMMIT] = do_commit,
		[OP_FINISH] = do_finish,
		[OP_FILL] = do_fill,
		[OP_UNDER_LARGE] = do_under_large,
		[OP_FAIL_ALLOC] = do_fail_alloc,
	};

	ops[op->kind % OPS](op);
}

static const struct test_variant variants[] = {
	{ "vgem_svm, cpu", &test_geometry_vgem_svm },
	{ "vgem_svm, commands", &test_geometry_vgem_svm, .cmd = true },
	{ "vgem_svm, hidden tables", &test_geometry_vgem_svm, .cmd = true, .hide = true },
	{ "toy, cpu", &test_geometry_toy },
	{ "toy, commands", &test_geometry_toy, .cmd = true },
	{ "toy, hidden tables", &test_geometry_toy, .cmd = true, .hide = true },
	{ "small, cpu", &test_geometry_small },
	{ "small, commands", &test_geometry_small, .cmd = true },
	{ "small, hidden tables", &test_geometry_small, .cmd = true, .hide = true },
	{ "vgem_svm, small by cpu", &test_geometry_vgem_svm, .cmd = true, .cpu_max = 8 },
	{ "toy, small by cpu", &test_geometry_toy, .cmd = true, .cpu_max = 3 },
	{ "small, small by cpu", &test_geometry_small, .cmd = true, .cpu_max = 5 },
	{ "pair, cpu", &test_geometry_pair },
	{ "pair, commands", &test_geometry_pair, .cmd = true },
	{ "pair, hidden tables", &test_geometry_pair, .cmd = true, .hide = true },
	{ "pair, small by cpu", &test_geometry_pair, .cmd = true, .cpu_max = 5 },
	{ "toy with groups, cpu", &test_geometry_toy_groups },
	{ "toy with groups, commands", &test_geometry_toy_groups, .cmd = true },
	{ "nvidia, cpu", &test_geometry_nvidia },
	{ "nvidia, commands", &test_geometry_nvidia, .cmd = true },
	{ "wide, cpu", &test_geometry_wide },
	{ "wide, commands", &test_geometry_wide, .cmd = true },
};

static void begin(u8 which)
{
	u32 v = which % ARRAY_SIZE(variants);
	struct drm_gpt_config config = test_variant_config(&variants[v]);

	if (which / ARRAY_SIZE(variants) & 1)
		config.flush = test_hw_shrink_flush;
	note("%s%s\n", variants[v].name, config.flush ? ", with a shrinker" : "");
	fuzz.geometry = variants[v].geometry;
	fuzz.replace = config.format->replace_ok;
	fuzz.model.nr = 0;
	fuzz.page = 1 << 20;
	memset(fuzz.update, 0, sizeof(fuzz.update));
	memset(fuzz.gather, 0, sizeof(fuzz.gather));
	fuzz.fail = 0;
	prandom_seed_state(&fuzz.rnd, which);
	fuzz.hw = test_hw_create(fuzz.geometry);
	fuzz.hw->hide = variants[v].hide;
	/* Streams commit before they flush, which a driver of such a device must not. */
	fuzz.hw->careful = false;
	if (drm_gpt_init(&fuzz.hw->gpt, &config))
		wrong("init failed");
}

/* Nothing is left but the root, and then nothing. */
static void end(void)
{
	const struct span all = { .last = last_byte() };
	struct open_gather *open;
	bool more = true;
	u32 u;

	for (u = 0; u < UPDATES; u++)
		if (fuzz.update[u].used)
			finish(&fuzz.update[u]);
	flush_all();
	check_tables();
	zap_and_flush(&all, false);
	check_tables();
	while (more) {
		open = begin_gather(&all);
		drm_gpt_reclaim(&open->gather, 0, all.last);
		more = open->gather.tables;
		flush(open);
		check_space();
	}
	if (atomic64_read(&fuzz.hw->gpt.stats.tables) != 1)
		wrong("%lld tables cannot be reclaimed",
		      (long long)atomic64_read(&fuzz.hw->gpt.stats.tables));
	drm_gpt_fini(&fuzz.hw->gpt);
	test_hw_run(fuzz.hw, U32_MAX);
	if (fuzz.hw->nr_live || fuzz.hw->nr_beside || fuzz.hw->reserved || fuzz.hw->errors)
		wrong("at the end %u tables, %u words, %u errors",
		      fuzz.hw->nr_live + fuzz.hw->nr_beside, fuzz.hw->reserved,
		      fuzz.hw->errors);
	test_hw_destroy(fuzz.hw);
}

unsigned int shim_warned(void);

static void run(const u8 *data, size_t bytes)
{
	unsigned int warned = shim_warned();
	u32 i, n = min_t(size_t, (bytes - 1) / FUZZ_OP_BYTES, FUZZ_MAX_OPS);
	struct op op;

	begin(data[0]);
	for (i = 0; i < n; i++) {
		memcpy(&op, data + 1 + i * FUZZ_OP_BYTES, sizeof(op));
		note("%3u: ", i);
		/* So that an operation looks at the same places without its neighbours. */
		prandom_seed_state(&fuzz.rnd, op.aux + 256 * op.page + 65536 * op.mid);
		do_op(&op);
		check_space();
		if (i % 8 == 7 && all_flushed() && (op.aux & 1))
			check_tables();
		if (shim_warned() != warned)
			wrong("a warning");
	}
	note("end: ");
	end();
	note("all well\n");
	if (shim_warned() != warned)
		wrong("a warning");
}

bool fuzz_run(const u8 *data, size_t bytes, bool log)
{
	long before = shim_allocated();

	if (!bytes)
		return true;
	fuzz_log = log;
	if (setjmp(fuzz_end)) {
		note("WRONG: %s\n", fuzz_what);
		return false;
	}
	run(data, bytes);
	if (shim_allocated() != before)
		wrong("%ld allocations leak", shim_allocated() - before);
	return true;
}

#ifdef GPT_LIBFUZZER
int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	if (!fuzz_run(data, bytes, false)) {
		fuzz_run(data, bytes, true);
		abort();
	}
	return 0;
}
#endif
