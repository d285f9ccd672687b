/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_SVM_INTERNAL_H_
#define _DRM_SVM_INTERNAL_H_

#include <linux/bitmap.h>
#include <linux/dma-mapping.h>
#include <linux/hmm.h>
#include <linux/interval_tree.h>
#include <linux/kref.h>
#include <linux/maple_tree.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/uidgid.h>
#include <linux/xarray.h>

#include <drm/drm_svm.h>
#include <drm/drm_svm_fault.h>
#include <drm/drm_svm_sink.h>

#define DRM_SVM_RANGE_PAGES	(DRM_SVM_RANGE_SIZE >> PAGE_SHIFT)
#define DRM_SVM_RANGE_MASK	(~(DRM_SVM_RANGE_SIZE - 1))
/* One interval notifier covers a window of this many bytes. */
#define DRM_SVM_WINDOW_SHIFT	26
/* Views that one round of an invalidation flushes together. */
#define DRM_SVM_FLUSH_BATCH	4

#define DRM_SVM_DMA_ATTRS	DMA_ATTR_REQUIRE_COHERENT

/**
 * struct drm_svm_spans - interval lock over addresses, FIFO and killable
 * @lock: guards all of it
 * @tree: holders and waiters
 * @arrivals: how many have come
 * @dep_map: lets lockdep see it as one lock
 */
struct drm_svm_spans {
	spinlock_t lock;
	struct rb_root_cached tree;
	u64 arrivals;
	struct lockdep_map dep_map;
};

/**
 * struct drm_svm_span - one holder or waiter, on its stack
 * @node: in &drm_svm_spans.tree; first and last byte
 * @arrival: its number
 * @blockers: those that came before it, overlap it and are still there; without
 *	any it holds its interval
 * @task: whom to wake
 */
struct drm_svm_span {
	struct interval_tree_node node;
	u64 arrival;
	unsigned int blockers;
	struct task_struct *task;
};

void drm_svm_spans_init(struct drm_svm_spans *spans);
void drm_svm_span_enter(struct drm_svm_spans *spans, struct drm_svm_span *span);
void drm_svm_span_leave(struct drm_svm_spans *spans, struct drm_svm_span *span);
int drm_svm_span_lock_for(struct drm_svm_spans *spans, struct drm_svm_span *span,
			  u64 first, u64 last, const bool *stop, long patience);
int drm_svm_span_lock_unless(struct drm_svm_spans *spans,
			     struct drm_svm_span *span, u64 first, u64 last,
			     const bool *stop);
int drm_svm_span_lock(struct drm_svm_spans *spans, struct drm_svm_span *span,
		      u64 first, u64 last);
bool drm_svm_span_trylock(struct drm_svm_spans *spans,
			  struct drm_svm_span *span, u64 first, u64 last);
void drm_svm_span_unlock(struct drm_svm_spans *spans,
			 struct drm_svm_span *span);

/**
 * struct drm_svm_users - those who keep a process's memory for drm_svm
 * @ref: the &struct drm_svm_mm holds one, and each page-in
 * @mm: the memory; held by mmgrab()
 * @lock: guards @nr, and that it agrees with mm_users
 * @nr: users of @mm that are ours
 */
struct drm_svm_users {
	refcount_t ref;
	struct mm_struct *mm;
	spinlock_t lock;
	unsigned int nr;
};

struct drm_svm_users *drm_svm_users_make(struct mm_struct *mm);
struct drm_svm_users *drm_svm_users_get(struct drm_svm_users *users);
void drm_svm_users_put(struct drm_svm_users *users);
bool drm_svm_users_enter(struct drm_svm_users *users);
void drm_svm_users_leave(struct drm_svm_users *users);
bool drm_svm_users_alone(struct drm_svm_users *users);

/**
 * struct drm_svm_mm - a process's address space as devices see it
 * @users: attached devices and their openers, under the global attach mutex
 * @hash: in the hash of all of them, keyed by @mm; read under RCU
 * @rcu: for lookups that race with the last detach
 * @mm: the address space; held by mmgrab(), so it may have no pages any more
 * @holders: users of @mm's memory that are ours
 * @user: whose process it is: users share what is scarce
 * @windows: struct drm_svm_window by address >> DRM_SVM_WINDOW_SHIFT
 * @window_lock: held to make windows and to drop them
 * @notifier_ops: of windows
 * @ranges: struct drm_svm_range by address >> DRM_SVM_RANGE_SHIFT
 * @spans: the service lock
 * @attrs: preferred location by page number
 * @attr_lock: held to change @attrs
 * @nr_attrs: intervals in @attrs; neighbours differ
 * @inval_clock: ranges that invalidations have begun with; who sees it go on faster
 *	than by itself is not alone
 * @idle_lock: guards the two lists
 * @idle_ranges: ranges that may map nothing, each with a reference
 * @idle_windows: windows that may have no user
 * @gc_work: the collector, which drops them
 * @gc_due: jiffies when it has been asked to run last, 0 if it has since begun
 * @soft_epoch: moment at which soft-dirty bits were last cleared, or devices first
 *	attached; of a clock of all address spaces, never 0
 * @svms_lock: guards @svms, and is held while drivers are told
 * @svms: devices that mirror it
 * @release_work: tells them that it goes
 * @released: it does
 */
struct drm_svm_mm {
	unsigned int users;
	struct hlist_node hash;
	struct rcu_head rcu;
	struct mm_struct *mm;
	struct drm_svm_users *holders;
	kuid_t user;
	struct xarray windows;
	struct mutex window_lock;
	const struct mmu_interval_notifier_ops *notifier_ops;
	struct xarray ranges;
	struct drm_svm_spans spans;
	struct maple_tree attrs;
	struct mutex attr_lock;
	unsigned int nr_attrs;
	atomic64_t inval_clock;
	spinlock_t idle_lock;
	struct list_head idle_ranges;
	struct list_head idle_windows;
	struct delayed_work gc_work;
	unsigned long gc_due;
	atomic64_t soft_epoch;
	struct mutex svms_lock;
	struct list_head svms;
	struct work_struct release_work;
	bool released;
};

void drm_svm_release_init(struct drm_svm_mm *smm);
void drm_svm_release_fini(struct drm_svm_mm *smm);
void drm_svm_release(struct drm_svm_mm *smm);
void drm_svm_release_watch(struct drm_svm *svm);
void drm_svm_release_leave(struct drm_svm *svm);

void drm_svm_mm_bump_soft_epoch(struct drm_svm_mm *smm);
bool drm_svm_mm_soft_epoch(struct mm_struct *mm, u64 *epoch);

/**
 * struct drm_svm_window - what one interval notifier watches
 * @notifier: covers 1 << DRM_SVM_WINDOW_SHIFT bytes
 * @smm: back pointer
 * @users: services and ranges of it; negative: being dropped
 * @idle: in &drm_svm_mm.idle_windows
 * @rcu: for lookups that race with its end
 */
struct drm_svm_window {
	struct mmu_interval_notifier notifier;
	struct drm_svm_mm *smm;
	atomic_t users;
	struct list_head idle;
	struct rcu_head rcu;
};

struct drm_svm_window *drm_svm_window_get(struct drm_svm_mm *smm, u64 addr);
void drm_svm_window_put(struct drm_svm_window *window);

/* Makes mappings in a view: */
bool drm_svm_view_use(struct drm_svm_view *view);
void drm_svm_view_unuse(struct drm_svm_view *view);
int drm_svm_view_may(const struct drm_svm_view *view, enum drm_svm_access access);
bool drm_svm_view_ends(const struct drm_svm_view *view);
struct drm_svm_view *drm_svm_view_find(struct drm_svm *svm, u64 addr);
/* Takes some away: */
void drm_svm_view_get(struct drm_svm_view *view);
void drm_svm_view_put(struct drm_svm_view *view);

int drm_svm_claims_read(struct drm_svm_view *view, u64 base,
			const unsigned long *want, unsigned long *claimed,
			unsigned long *moving);

void drm_svm_view_spoil(struct drm_svm_view *view);
u64 drm_svm_view_spoilt(struct drm_svm_view *view);
void drm_svm_view_freshen(struct drm_svm_view *view, u64 spoilt, u8 rights);
void drm_svm_restore_ask(struct drm_svm_restore *restore);

int drm_svm_batch_reserve(struct drm_svm_batch *batch, struct drm_svm_view *view,
			  u64 first, u64 last, bool may_sleep);
void drm_svm_batch_unmap(struct drm_svm_batch *batch, u64 first, u64 last, u32 how);
void drm_svm_batch_start(struct drm_svm_batch *batch, bool may_sleep);
bool drm_svm_batch_finish(struct drm_svm_batch *batch, bool may_sleep);

/**
 * struct drm_svm_range_view - what is mapped of a range in one view
 * @node: in &drm_svm_range.views
 * @view: the view; it takes its records away before it goes
 * @iova: bus address window of the range, if @use_iova
 * @use_iova: the device is behind an IOMMU that the DMA API can batch for
 * @mapped: pages that the sink may map: what it maps is in here, or the device would
 *	not be told of an invalidation. The reverse is not so: what goes along with
 *	others (DRM_SVM_SINK_OVERZAP) stays recorded
 * @writable: of these, with write permission
 * @system: of these, those that have a DMA mapping that has to be undone
 * @dma: bus address by page, a page of memory; NULL if @use_iova, or if nothing has to
 *	be undone: then an address is found by mapping once more
 *
 * All under &drm_svm_range.lock, but for a page that is not @mapped: its slot
 * of @iova or @dma is the servicer's, who holds the service lock.
 */
struct drm_svm_range_view {
	struct list_head node;
	struct drm_svm_view *view;
	struct dma_iova_state iova;
	bool use_iova;
	DECLARE_BITMAP(mapped, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(writable, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(system, DRM_SVM_RANGE_PAGES);
	dma_addr_t *dma;
};

/**
 * struct drm_svm_range - a naturally aligned block of the address space
 * @ref: the index holds one
 * @rcu: for lookups that race with the last put
 * @smm: the address space
 * @window: the window that it lies in, referenced
 * @idle: in &drm_svm_mm.idle_ranges
 * @first: first byte
 * @lock: guards what follows; never held over an allocation
 * @gen: bumped by each invalidation that touches the range
 * @dead: dropped from the index; commits must look it up anew
 * @valid: pages that some view maps
 * @write: of @valid and @dying, those that some device could write
 * @dying: taken from the sinks, but maybe not yet from TLBs, and still mapped
 *	for DMA; whoever invalidates them next must flush too
 * @stuck: pages that policy tried to move to a device and somebody held; until
 *	their mappings change, or @stuck_until
 * @stuck_until: jiffies when all of @stuck may be tried again
 * @pfns: by page what hmm_range_fault() said of it, where @valid or @dying; a page of
 *	memory, and not a part of this, which would take two. NULL as long as all that
 *	was ever mapped are the pages of a block that follow each other, as a huge page's
 * @whole: then, what it said of the first
 * @views: struct drm_svm_range_view
 */
struct drm_svm_range {
	struct kref ref;
	struct rcu_head rcu;
	struct drm_svm_mm *smm;
	struct drm_svm_window *window;
	struct list_head idle;
	u64 first;
	struct mutex lock;
	unsigned long gen;
	bool dead;
	DECLARE_BITMAP(valid, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(write, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(dying, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(stuck, DRM_SVM_RANGE_PAGES);
	unsigned long stuck_until;
	unsigned long *pfns;
	unsigned long whole;
	struct list_head views;
};

/* Of @max pages, how many does the entry map that hmm_range_fault() said this of? */
static inline unsigned int drm_svm_word_pages(unsigned long word, unsigned int max)
{
	unsigned int order = hmm_pfn_to_map_order(word);

	if (!order)
		return 1;
	return min_t(unsigned long, max, BIT(order) - (word & (BIT(order) - 1)));
}

/* What hmm_range_fault() said of a page that is valid or dying. */
static inline unsigned long drm_svm_range_word(const struct drm_svm_range *range,
					       unsigned int i)
{
	return range->pfns ? range->pfns[i] : range->whole + i;
}

struct drm_svm_range *drm_svm_range_find(struct drm_svm_mm *smm, u64 addr);
struct drm_svm_range *drm_svm_range_next(struct drm_svm_mm *smm,
					 unsigned long *index, unsigned long max);
struct drm_svm_range *drm_svm_range_find_or_make(struct drm_svm_mm *smm,
						 u64 addr);
void drm_svm_range_put(struct drm_svm_range *range);
int drm_svm_range_make_pfns(struct drm_svm_range *range);
struct drm_svm_range_view *drm_svm_range_view(struct drm_svm_range *range,
					      struct drm_svm_view *view);
struct drm_svm_range_view *drm_svm_range_view_make(struct drm_svm_range *range,
						   struct drm_svm_view *view);
bool drm_svm_range_begin_inval(struct drm_svm_range *range, unsigned int first,
			       unsigned int last);
void drm_svm_range_finish_inval(struct drm_svm_range *range,
				unsigned int first, unsigned int last);
void drm_svm_range_dma_unmap(struct drm_svm_range *range, unsigned int first,
			     unsigned int last);
bool drm_svm_range_maps(struct drm_svm_range *range, struct drm_svm_view *view,
			unsigned int first, unsigned int last);
void drm_svm_range_forget(struct drm_svm_range *range, struct drm_svm_view *view,
			  unsigned int first, unsigned int last);
void drm_svm_range_drop_view(struct drm_svm_range *range,
			     struct drm_svm_view *view);
bool drm_svm_range_empty(struct drm_svm_range *range);
void drm_svm_range_drop(struct drm_svm_range *range);
void drm_svm_range_settle(struct drm_svm_mm *smm, u64 addr);
void drm_svm_range_lockdep_prime(void);

void drm_svm_gc_add(struct drm_svm_range *range);
void drm_svm_gc_kick(struct drm_svm_mm *smm, unsigned long delay);
void drm_svm_gc_later(struct drm_svm_mm *smm, unsigned long delay);
void drm_svm_gc_init(struct drm_svm_mm *smm);
void drm_svm_gc_fini(struct drm_svm_mm *smm);

extern const struct mmu_interval_notifier_ops drm_svm_notifier_ops;

/**
 * struct drm_svm_want - what is asked for of a range
 * @pages: these, by index
 * @write: of them, those to be written
 * @atomic: of those, the ones that are to be read and written at once
 * @lo: the first of @pages
 * @hi: the page after the last; 0 if there is none
 * @access: the most that is asked of any
 */
struct drm_svm_want {
	unsigned int lo;
	unsigned int hi;
	enum drm_svm_access access;
	DECLARE_BITMAP(pages, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(write, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(atomic, DRM_SVM_RANGE_PAGES);
};

/**
 * drm_svm_want_add() - accesses more
 * @want: of the range
 * @i: the first of their pages
 * @nr: pages, at least 1
 * @access: what they do
 */
static inline void drm_svm_want_add(struct drm_svm_want *want, unsigned int i,
				    unsigned int nr, enum drm_svm_access access)
{
	want->lo = want->hi ? min(want->lo, i) : i;
	want->hi = max(want->hi, i + nr);
	want->access = max(want->access, access);
	bitmap_set(want->pages, i, nr);
	if (access != DRM_SVM_READ)
		bitmap_set(want->write, i, nr);
	if (access == DRM_SVM_ATOMIC)
		bitmap_set(want->atomic, i, nr);
}

/**
 * struct drm_svm_left - what a service leaves for another time
 * @held: pages that may be long in coming: of files, or held by a userfaultfd
 * @late: pages that have to wait for something short: somebody holds them where they
 *	are, there is no room where they have to be, or a claim of them is on its way
 * @why: for the last of these, -EAGAIN or -ENOMEM
 */
struct drm_svm_left {
	DECLARE_BITMAP(held, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(late, DRM_SVM_RANGE_PAGES);
	int why;
};

/**
 * struct drm_svm_piece - pages that one run says all of
 * @first: index of the first
 * @nr: how many follow each other
 * @local: they are in the device's own memory
 * @grant: they may be written
 * @array: each has an address of its own; else only the first has one
 */
struct drm_svm_piece {
	u16 first;
	u16 nr;
	bool local;
	bool grant;
	bool array;
};

/**
 * struct drm_svm_service - scratch of one service of a range
 * @svm: whom it is for
 * @view: where it sees the range
 * @smm: its address space
 * @window: what watches the range
 * @range: the range, referenced
 * @rv: what the view maps of it
 * @notifier_seq: of @window, before @gen is sampled
 * @gen: of @range, before the walk
 * @fence: of the transaction, 0 for none
 * @first: the first page that was asked for
 * @end: page after the last of these
 * @lo: window of pages that it is about: those that are wanted, and what is around them
 *	in the same mappings; first page
 * @hi: page after the last of the window
 * @conflicts: how often something had to make way
 * @write: a requested access is a write
 * @want: pages that must be there in the end
 * @want_write: of these, writable
 * @want_atomic: of these, those for atomics that are not coherent in system memory
 * @claimed: pages that are the driver's, or may be
 * @left: what is not in @want any more
 * @missing: of @want, what the walk has not found; from here on only what is in use is
 *	initialised
 * @mapped: snapshot of &drm_svm_range_view.mapped
 * @writable: snapshot of &drm_svm_range_view.writable
 * @refused: pages that no device may have (memfd_secret)
 * @read_only: pages that no device may write (shadow stacks)
 * @to_system: wanted pages that the device cannot reach where they are
 * @to_device: wanted pages that it cannot use atomics on where they are
 * @fresh: pages that this service mapped for DMA, and that have to be unmapped
 * @system: pages of system memory that are to be mapped
 * @local: pages of the device's own memory that are
 * @grant: of both, those that may be written
 * @nr_pieces: length of @pieces
 * @pfns: hmm's, in and out
 * @addr: where the device finds the pages of @pieces: bus address, or offset in its
 *	memory
 * @pieces: @system and @local, by runs
 *
 * What is set by the walk and after it is set, and looked at, in the window only, by
 * words of bitmaps (drm_svm_win_or() and its like).
 */
struct drm_svm_service {
	struct drm_svm *svm;
	struct drm_svm_view *view;
	struct drm_svm_mm *smm;
	struct drm_svm_window *window;
	struct drm_svm_range *range;
	struct drm_svm_range_view *rv;
	unsigned long notifier_seq;
	unsigned long gen;
	u64 fence;
	unsigned int first;
	unsigned int end;
	unsigned int lo;
	unsigned int hi;
	u32 conflicts;
	u32 nr_pieces;
	bool write;
	DECLARE_BITMAP(want, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(want_write, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(want_atomic, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(claimed, DRM_SVM_RANGE_PAGES);
	struct drm_svm_left left;
	DECLARE_BITMAP(missing, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(to_system, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(to_device, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(mapped, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(writable, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(refused, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(read_only, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(fresh, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(system, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(local, DRM_SVM_RANGE_PAGES);
	DECLARE_BITMAP(grant, DRM_SVM_RANGE_PAGES);
	unsigned long pfns[DRM_SVM_RANGE_PAGES];
	u64 addr[DRM_SVM_RANGE_PAGES];
	struct drm_svm_piece pieces[DRM_SVM_RANGE_PAGES];
};

/* The words of a bitmap that have the window. */
static inline unsigned int drm_svm_win_word(const struct drm_svm_service *s)
{
	return BIT_WORD(s->lo);
}

static inline unsigned int drm_svm_win_bits(const struct drm_svm_service *s)
{
	return (BIT_WORD(s->hi - 1) - BIT_WORD(s->lo) + 1) * BITS_PER_LONG;
}

static inline void drm_svm_win_zero(const struct drm_svm_service *s, unsigned long *dst)
{
	unsigned int i;

	for (i = BIT_WORD(s->lo); i <= BIT_WORD(s->hi - 1); i++)
		dst[i] = 0;
}

static inline void drm_svm_win_copy(const struct drm_svm_service *s, unsigned long *dst,
				    const unsigned long *src)
{
	unsigned int i;

	for (i = BIT_WORD(s->lo); i <= BIT_WORD(s->hi - 1); i++)
		dst[i] = src[i];
}

static inline void drm_svm_win_or(const struct drm_svm_service *s, unsigned long *dst,
				  const unsigned long *a, const unsigned long *b)
{
	unsigned int i;

	for (i = BIT_WORD(s->lo); i <= BIT_WORD(s->hi - 1); i++)
		dst[i] = a[i] | b[i];
}

/* Return: whether there is any. */
static inline bool drm_svm_win_and(const struct drm_svm_service *s, unsigned long *dst,
				   const unsigned long *a, const unsigned long *b)
{
	unsigned long any = 0;
	unsigned int i;

	for (i = BIT_WORD(s->lo); i <= BIT_WORD(s->hi - 1); i++)
		any |= dst[i] = a[i] & b[i];
	return any;
}

/* Return: whether there is any. */
static inline bool drm_svm_win_andnot(const struct drm_svm_service *s,
				      unsigned long *dst, const unsigned long *a,
				      const unsigned long *b)
{
	unsigned long any = 0;
	unsigned int i;

	for (i = BIT_WORD(s->lo); i <= BIT_WORD(s->hi - 1); i++)
		any |= dst[i] = a[i] & ~b[i];
	return any;
}

static inline bool drm_svm_win_empty(const struct drm_svm_service *s,
				     const unsigned long *bits)
{
	unsigned long any = 0;
	unsigned int i;

	for (i = BIT_WORD(s->lo); i <= BIT_WORD(s->hi - 1); i++)
		any |= bits[i];
	return !any;
}

static inline unsigned int drm_svm_win_weight(const struct drm_svm_service *s,
					      const unsigned long *bits)
{
	return bitmap_weight(bits + drm_svm_win_word(s), drm_svm_win_bits(s));
}

/**
 * drm_svm_pages_as_one() - how many pages does one entry of the CPU's table map?
 * @s: the service, walked
 * @i: index of a page that is there
 * @end: where to stop
 *
 * Return: pages from @i on.
 */
static inline unsigned int drm_svm_pages_as_one(const struct drm_svm_service *s,
						unsigned int i, unsigned int end)
{
	return drm_svm_word_pages(s->pfns[i], end - i);
}

/**
 * drm_svm_contiguous() - how many pages follow each other in memory?
 * @s: the service, walked
 * @i: index of a page that is there
 * @end: where to stop
 *
 * Return: pages from @i on, all alike in what the walk says of them.
 */
static inline unsigned int drm_svm_contiguous(const struct drm_svm_service *s,
					      unsigned int i, unsigned int end)
{
	unsigned int nr;

	/* Most pages have another neighbour in memory than in the process. */
	if (i + 1 == end || s->pfns[i + 1] != s->pfns[i] + 1)
		return 1;
	nr = drm_svm_pages_as_one(s, i, end);
	while (i + nr < end && s->pfns[i + nr] == s->pfns[i] + nr)
		nr++;
	return nr;
}

int drm_svm_serve_view(struct drm_svm_view *view, u64 base,
		       const struct drm_svm_want *want,
		       struct drm_svm_left *left);
void drm_svm_fault_attach(struct drm_svm *svm);
void drm_svm_fault_detach(struct drm_svm *svm);
int drm_svm_serve_patiently(struct drm_svm_view *view, u64 base,
			    const struct drm_svm_want *want);
int drm_svm_serve(struct drm_svm *svm, u64 base, const struct drm_svm_want *want,
		  struct drm_svm_left *left);
int drm_svm_walk(struct drm_svm_service *s);
bool drm_svm_walk_known(struct drm_svm_service *s);
int drm_svm_apply(struct drm_svm_service *s);
int drm_svm_snapshot(struct drm_svm *svm, u64 first, unsigned int nr,
		     unsigned long *pfns, int *idx);
int drm_svm_runs_make(struct drm_svm_service *s);
int drm_svm_runs_check(struct drm_svm_service *s);
int drm_svm_dma_map(struct drm_svm_service *s, unsigned int first, unsigned int *end);
void drm_svm_dma_unlinked(const struct drm_svm_service *s, unsigned long *pages);
int drm_svm_dma_sync(struct drm_svm_service *s);
void drm_svm_dma_undo(struct drm_svm_service *s);
#if IS_ENABLED(CONFIG_KUNIT)
int drm_svm_dma_link(struct drm_svm_service *s, unsigned int first, unsigned int *end);
#endif
int drm_svm_service_init(void);
void drm_svm_service_exit(void);

/* An address in this module: one owner for the pages of all regions. */
extern const char drm_svm_owner;

#ifdef CONFIG_DRM_SVM_MEMORY
int drm_svm_pages_read_lock(void);
void drm_svm_pages_read_unlock(int idx);
#else
/* There are no regions, and so none that go. */
static inline int drm_svm_pages_read_lock(void)
{
	return 0;
}

static inline void drm_svm_pages_read_unlock(int idx)
{
}
#endif
void drm_svm_pages_synchronize(void);
struct drm_svm_region *drm_svm_page_region(struct page *page);
u64 drm_svm_region_offset(struct drm_svm_region *region, unsigned long pfn);
unsigned int drm_svm_region_alloc(struct drm_svm_region *region,
				  struct page **pages, unsigned int n);
void drm_svm_region_unalloc(struct drm_svm_region *region, struct page **pages,
			    unsigned int n);
bool drm_svm_region_full(struct drm_svm_region *region);
int drm_svm_region_init_blocks(struct drm_svm_region *region);
void drm_svm_region_fini_blocks(struct drm_svm_region *region);
void drm_svm_region_folio_free(struct folio *folio);
bool drm_svm_has_room(const struct drm_svm *svm);
bool drm_svm_page_is_local(const struct drm_svm *svm, struct page *page);

void drm_svm_device_enter(struct drm_svm_device *sdev);
void drm_svm_device_leave(struct drm_svm_device *sdev);
int drm_svm_device_set_queue(struct drm_svm_device *sdev,
			     struct drm_svm_fault_queue *queue);
int drm_svm_device_add_region(struct drm_svm_region *region);
void drm_svm_device_remove_region(struct drm_svm_region *region);

bool drm_svm_soft_tracked(struct vm_area_struct *vma);
void drm_svm_page_soft_place(struct page *page, u64 epoch);
u64 drm_svm_page_soft_epoch(struct page *page);
bool drm_svm_page_soft_stale(struct drm_svm_mm *smm, struct page *page);
void drm_svm_soft_mark(struct vm_area_struct *vma, unsigned long addr);

bool drm_svm_vma_makeable(struct vm_area_struct *vma);
int drm_svm_present_next(struct drm_svm *svm, u64 *addr, u64 last, bool holes,
			 bool *mapped);
int drm_svm_place_device(struct drm_svm *svm, u64 base,
			 const unsigned long *want, const unsigned long *claimed);
int drm_svm_place_atomic(struct drm_svm *svm, u64 base,
			 const unsigned long *want, unsigned long *late, int *why);
int drm_svm_place_system(struct drm_svm *svm, u64 base,
			 const unsigned long *want);
vm_fault_t drm_svm_migrate_to_ram(struct vm_fault *vmf);

extern unsigned int drm_svm_max_attrs;

enum drm_svm_location drm_svm_policy(struct drm_svm *svm, u64 addr);
void drm_svm_policy_pages(struct drm_svm *svm, u64 base, unsigned long *pages);
bool drm_svm_policy_forbids(struct drm_svm *svm, u64 base, const unsigned long *pages);

/*
 * Without CONFIG_DRM_SVM_MEMORY the next two are known to be false when this is compiled,
 * and so the compiler drops the calls of functions that are not there.
 */

/**
 * drm_svm_has_memory() - does the device have memory of its own?
 * @svm: address space of the device
 *
 * Context: any.
 * Return: true if it does.
 */
static inline bool drm_svm_has_memory(const struct drm_svm *svm)
{
	return IS_ENABLED(CONFIG_DRM_SVM_MEMORY) &&
	       drm_svm_device_region(svm->device);
}

/**
 * drm_svm_on_device() - is a page that a walk has found in the memory of a device?
 * @page: page
 *
 * Context: any; under drm_svm_pages_read_lock().
 * Return: true if it is in a region. Memory of devices that are not drm_svm's is not
 * found by a walk: the core brings it back.
 */
static inline bool drm_svm_on_device(const struct page *page)
{
	return IS_ENABLED(CONFIG_DRM_SVM_MEMORY) && is_device_private_page(page);
}

/**
 * drm_svm_tree_at() - what does a tree say of an index, and up to where?
 * @tree: with MT_FLAGS_USE_RCU; it may be changed meanwhile
 * @index: index
 * @last: in: the last that matters; out: up to which it says the same
 *
 * Who goes through intervals asks for one after the other. mas_for_each() is for who
 * keeps writers out: under RCU alone its node can be dead, and if the tree has become
 * empty too it goes on from no node at all (mas_next_slot(), Linux 7.2).
 *
 * Context: any.
 * Return: the entry, NULL if there is none.
 */
static inline void *drm_svm_tree_at(struct maple_tree *tree, unsigned long index,
				    unsigned long *last)
{
	struct ma_state mas;
	void *entry;

	mas_init(&mas, tree, index);
	guard(rcu)();
	entry = mas_walk(&mas);
	*last = min(*last, mas.last);
	return entry;
}

/* Of a word of a bitmap, the bits from @first to @last. */
static inline unsigned long drm_svm_word_mask(unsigned int word, unsigned int first,
					      unsigned int last)
{
	unsigned long mask = ~0UL;

	if (word == BIT_WORD(first))
		mask &= BITMAP_FIRST_WORD_MASK(first);
	if (word == BIT_WORD(last))
		mask &= BITMAP_LAST_WORD_MASK(last + 1);
	return mask;
}

/*
 * The words of a bitmap that have the pages @first to @last, and which bits these are:
 * invalidations are mostly about few of them.
 */
#define drm_svm_for_each_word(word, mask, first, last)			\
	for ((word) = BIT_WORD(first);					\
	     (word) <= BIT_WORD(last) &&				\
	     ((mask) = drm_svm_word_mask(word, first, last), true);	\
	     (word)++)

/**
 * drm_svm_page_index() - index of an address's page in its range
 * @addr: address
 *
 * Return: 0 to DRM_SVM_RANGE_PAGES - 1.
 */
static inline unsigned int drm_svm_page_index(u64 addr)
{
	return (addr & ~DRM_SVM_RANGE_MASK) >> PAGE_SHIFT;
}

static inline u64 drm_svm_page_addr(u64 base, unsigned int i)
{
	return base + ((u64)i << PAGE_SHIFT);
}

void drm_svm_batch_part(struct drm_svm_range *range, struct drm_svm_view *view,
			u64 first, u64 last, u32 how);
void drm_svm_batch_range(struct drm_svm_range *range, struct drm_svm_view *view,
			 u32 how);

/* Bus address of a page of system memory that a view maps. */
static inline dma_addr_t drm_svm_rv_addr(const struct drm_svm_range_view *rv,
					 unsigned int i)
{
	return rv->use_iova ? rv->iova.addr + ((u64)i << PAGE_SHIFT) : rv->dma[i];
}

/* Does a view map any of the pages, by its record? */
static inline bool drm_svm_rv_maps(const struct drm_svm_range_view *rv,
				   unsigned int first, unsigned int last)
{
	return find_next_bit(rv->mapped, last + 1, first) <= last;
}

#endif /* _DRM_SVM_INTERNAL_H_ */
