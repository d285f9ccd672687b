// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What ought to be mapped: a flat list of segments.
 */

#include "fuzz.h"

static u64 segment_leaf(const struct segment *s, u64 va)
{
	return s->leaf + ((va - s->first) & ~0xfffULL);
}

/* Index of the first segment whose end is not below @va. */
static u32 model_index(const struct model *model, u64 va)
{
	u32 lo = 0, hi = model->nr;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (model->segment[mid].last < va)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct segment *model_find(const struct model *model, u64 va)
{
	u32 i = model_index(model, va);

	return i < model->nr ? &model->segment[i] : NULL;
}

u64 model_at(const struct model *model, u64 va)
{
	const struct segment *s = model_find(model, va);

	return s && s->first <= va ? segment_leaf(s, va) : 0;
}

bool model_any(const struct model *model, u64 first, u64 last)
{
	const struct segment *s = model_find(model, first);

	return s && s->first <= last;
}

bool model_linear(const struct model *model, u64 first, u64 last)
{
	const struct segment *s = model_find(model, first);

	return s && s->first <= first && s->last >= last;
}

bool model_has(const struct model *model, u64 first, u64 last, u64 flags)
{
	const struct segment *s;

	for (;;) {
		s = model_find(model, first);
		if (!s || s->first > first || (s->leaf & flags) != flags)
			return false;
		if (s->last >= last)
			return true;
		first = s->last + 1;
	}
}

static void model_insert(struct model *model, u32 i, struct segment s)
{
	if (model->nr == MODEL_SEGMENTS)
		abort();
	memmove(&model->segment[i + 1], &model->segment[i],
		(model->nr - i) * sizeof(s));
	model->segment[i] = s;
	model->nr++;
}

static void model_remove(struct model *model, u32 i, u32 n)
{
	model->nr -= n;
	memmove(&model->segment[i], &model->segment[i + n],
		(model->nr - i) * sizeof(model->segment[0]));
}

/* Takes [first, last] out. Return: index of what comes behind it. */
static u32 model_cut(struct model *model, u64 first, u64 last)
{
	u32 i = model_index(model, first), end;
	struct segment *s = &model->segment[i];

	if (i < model->nr && s->first < first && s->last > last) {
		model_insert(model, i + 1, (struct segment){
			last + 1, s->last, segment_leaf(s, last + 1) });
		s->last = first - 1;
		return i + 1;
	}
	if (i < model->nr && s->first < first) {
		s->last = first - 1;
		i++;
	}
	for (end = i; end < model->nr && model->segment[end].last <= last; end++)
		;
	model_remove(model, i, end - i);
	s = &model->segment[i];
	if (i < model->nr && s->first <= last) {
		s->leaf = segment_leaf(s, last + 1);
		s->first = last + 1;
	}
	return i;
}

/* Segments @i and the next, if they are one. */
static void model_join(struct model *model, u32 i)
{
	struct segment *a = &model->segment[i], *b = a + 1;

	if (i + 1 >= model->nr || a->last + 1 != b->first ||
	    segment_leaf(a, b->first) != b->leaf)
		return;
	a->last = b->last;
	model_remove(model, i + 1, 1);
}

void model_set(struct model *model, u64 first, u64 last, u64 leaf)
{
	u32 i = model_cut(model, first, last);

	if (!leaf)
		return;
	model_insert(model, i, (struct segment){ first, last, leaf });
	model_join(model, i);
	if (i)
		model_join(model, i - 1);
}

void model_protect(struct model *model, u64 first, u64 last, u64 flags)
{
	const struct segment *s;
	u64 from, to;

	for (from = first; ; from = to + 1) {
		s = model_find(model, from);
		if (!s || s->first > last)
			return;
		from = max(from, s->first);
		to = min(last, s->last);
		model_set(model, from, to, segment_leaf(s, from) & ~flags);
		if (to == last)
			return;
	}
}
