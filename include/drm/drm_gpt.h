/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_H_
#define _DRM_GPT_H_

#include <linux/atomic.h>
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/types.h>

struct device;
struct drm_gpt;
struct drm_gpt_gather;
struct drm_gpt_pool;
struct drm_gpt_table;
struct seq_file;

#define DRM_GPT_MAX_LEVELS	6
/* log2 of the entries of the widest table that a format may describe. */
#define DRM_GPT_MAX_BITS	13
/* Attributes of a table: as many as a leaf can tell apart. */
#define DRM_GPT_MAX_ATTRS	256

/*
 * A leaf as callers speak of it, whatever the device's entry looks like: an
 * attribute in [63:56], the address in [55:12], what may be done with it in
 * [11:0]. 0 is "no leaf".
 */
#define DRM_GPT_LEAF_VALID	BIT_ULL(0)
#define DRM_GPT_LEAF_WRITE	BIT_ULL(1)
#define DRM_GPT_LEAF_ATOMIC	BIT_ULL(2)
/* Where the address points: bus address, own device memory, a peer's. */
#define DRM_GPT_LEAF_APERTURE	GENMASK_ULL(4, 3)
#define   DRM_GPT_LEAF_SYSTEM	FIELD_PREP_CONST(DRM_GPT_LEAF_APERTURE, 0)
#define   DRM_GPT_LEAF_LOCAL	FIELD_PREP_CONST(DRM_GPT_LEAF_APERTURE, 1)
#define   DRM_GPT_LEAF_PEER	FIELD_PREP_CONST(DRM_GPT_LEAF_APERTURE, 2)
#define   DRM_GPT_LEAF_NOWHERE	FIELD_PREP_CONST(DRM_GPT_LEAF_APERTURE, 3)
#define DRM_GPT_LEAF_PEER_ID	GENMASK_ULL(9, 5)
/*
 * Leaves without memory, for which the device does not fault: it reads zeros, and
 * writes go nowhere; or the access fails for good and is not tried again. They
 * have an address as others have, which the device does not look at: where these
 * follow each other, large leaves and groups are made of them too. A leaf that
 * fails for good has no rights but %DRM_GPT_LEAF_VALID.
 */
#define DRM_GPT_LEAF_PLACE	(DRM_GPT_LEAF_APERTURE | DRM_GPT_LEAF_PEER_ID)
#define   DRM_GPT_LEAF_NULL	DRM_GPT_LEAF_NOWHERE
#define   DRM_GPT_LEAF_POISON	(DRM_GPT_LEAF_NOWHERE | \
				 FIELD_PREP_CONST(DRM_GPT_LEAF_PEER_ID, 1))
/* One of a group of &drm_gpt_level.hint; set and cleared by drm_gpt only. */
#define DRM_GPT_LEAF_HINT	BIT_ULL(10)
/* Which of &drm_gpt_config.attrs it has: caching, execution, and the like. */
#define DRM_GPT_LEAF_ATTR	GENMASK_ULL(63, 56)
/* What lookups speak of. */
#define DRM_GPT_LEAF_RIGHTS	(DRM_GPT_LEAF_VALID | DRM_GPT_LEAF_WRITE | \
				 DRM_GPT_LEAF_ATOMIC)
#define DRM_GPT_LEAF_ADDR	GENMASK_ULL(55, 12)
#define DRM_GPT_LEAF_FLAGS	(~DRM_GPT_LEAF_ADDR)

/**
 * struct drm_gpt_level - one level of a format, level 0 being the lowest
 * @shift: log2 of the bytes of VA that one entry covers
 * @bits: log2 of the number of entries in a table, 1 to %DRM_GPT_MAX_BITS
 * @entry_shift: log2 of the bytes of an entry: 2, 3 or 4
 * @hint: log2 of the entries of a group that the device may keep as one in its
 *	TLB when all say so (Arm: contiguous, AMD: fragment); 0: there is none
 * @leaf: an entry here may map memory
 * @table: an entry here may point to a table of the level below
 * @beside: of level 0: the hint is no bit of the entries, but an entry of a table
 *	of its own beside them, one of 8 bytes for each group (NVIDIA: big page
 *	table). The device looks there first, and at the entries where it finds
 *	nothing; these always say all, so it may do without. Only where
 *	&drm_gpt_format.replace_ok
 * @pad: to 8 bytes, so that to find a level is to shift its number
 */
struct drm_gpt_level {
	u8 shift;
	u8 bits;
	u8 entry_shift;
	u8 hint;
	bool leaf;
	bool table;
	bool beside;
	u8 pad;
};

/**
 * struct drm_gpt_target - the table that an entry points to
 * @addr: its device address
 * @beside: device address of the table beside it (&drm_gpt_level.beside), 0 if it
 *	has none
 * @local: @addr is in device memory
 * @beside_local: @beside is in device memory
 */
struct drm_gpt_target {
	u64 addr;
	u64 beside;
	bool local;
	bool beside_local;
};

/**
 * struct drm_gpt_attr - what an attribute changes in the entry of a leaf
 * @set: bits that are set
 * @clear: bits that are cleared before
 */
struct drm_gpt_attr {
	u64 set;
	u64 clear;
};

/**
 * struct drm_gpt_format - how a device wants its table
 * @name: for people
 * @va_bits: addresses at or above 1 << @va_bits are refused; up to 64, and not more
 *	than the levels can tell apart, which is 64 too
 * @nr_levels: levels in use, 2 to %DRM_GPT_MAX_LEVELS
 * @replace_ok: an entry may go from one valid leaf or table to another in one
 *	store; else it has to be empty, and flushed, in between
 * @root_bytes: what the root takes at least, and with that is aligned to, where its
 *	entries are fewer than its address can tell; 0: what they take
 * @leaf_bits: all bits that a leaf may have that is committed, of address and
 *	flags: what an entry has room for, %DRM_GPT_LEAF_HINT and
 *	%DRM_GPT_LEAF_ATTR left out. A commit of
 *	others is refused. A format without an aperture other than 0 wants bus
 *	addresses; one without %DRM_GPT_LEAF_ATOMIC cannot tell atomics from writes
 * @null: it has entries for %DRM_GPT_LEAF_NULL
 * @poison: it has entries for %DRM_GPT_LEAF_POISON
 * @attr_bits: bits of a leaf's entry that a &struct drm_gpt_attr may change, on
 *	each level: none of the address, none that says that it is a leaf, none
 *	that @decode or @common make flags of. 0: there are no attributes
 * @levels: level 0 first
 * @fill_leaves: encode leaves as given, one by one, up to @n or the first that is
 *	not %DRM_GPT_LEAF_VALID or says what there is no room for, see
 *	drm_gpt_flags_ok(); gives how many it were
 * @fill_seq: encode @n leaves whose addresses follow each other from @leaf in
 *	steps of the level's size; %DRM_GPT_LEAF_HINT comes only here
 * @fill_empty: encode @n entries that map nothing
 * @fill_table: encode one entry that points to a table, and what is beside it
 * @fill_beside: encode @n entries of a table beside those of level 0, for groups
 *	that follow each other from @leaf; empty ones if that is 0. NULL if no
 *	level has &drm_gpt_level.beside
 * @decode: the leaf that an entry says, 0 if it is empty or no leaf
 * @common: of %DRM_GPT_LEAF_RIGHTS, those that @n entries all have; 0 if one of
 *	them is no leaf
 *
 * All get the table, and with that its attributes.
 *
 * The encoders store each entry whole, with the ordering the format needs, to
 * memory that the device may be reading, or into a staging buffer. Of an entry of
 * 16 bytes, which no store writes whole, the device may see one half before the
 * other, and keep that: it has to be right by itself. They get
 * @dst at the first entry of the run. &enum drm_gpt_run_kind says what staging
 * means. @decode and @common read memory that the CPU has written; they may be
 * called while it writes there, and see an entry before or after; on a 32-bit CPU
 * perhaps none.
 * Context: atomic.
 */
struct drm_gpt_format {
	const char *name;
	u8 va_bits;
	u8 nr_levels;
	bool replace_ok;
	u16 root_bytes;
	bool null;
	bool poison;
	u64 leaf_bits;
	u64 attr_bits;
	struct drm_gpt_level levels[DRM_GPT_MAX_LEVELS];
	u32 (*fill_leaves)(const struct drm_gpt *gpt, void *dst, u8 level,
			   const u64 *leaves, u32 n);
	void (*fill_seq)(const struct drm_gpt *gpt, void *dst, u8 level, u64 leaf,
			 u32 n);
	void (*fill_empty)(const struct drm_gpt *gpt, void *dst, u8 level, u32 n);
	void (*fill_table)(const struct drm_gpt *gpt, void *dst, u8 level,
			   const struct drm_gpt_target *to);
	void (*fill_beside)(const struct drm_gpt *gpt, void *dst, u64 leaf, u32 n);
	u64 (*decode)(const struct drm_gpt *gpt, const void *src, u8 level);
	u64 (*common)(const struct drm_gpt *gpt, const void *src, u8 level, u32 n);
};

/* vgem_svm's: 57 bits, five levels of 512 8-byte entries, 4K/2M/1G leaves. */
extern const struct drm_gpt_format drm_gpt_format_vgem_svm;

/**
 * struct drm_gpt_mem - memory of one hardware table
 * @cpu: where the CPU reaches it, NULL if it does not
 * @addr: device address that goes into the entry above
 * @local: @addr is in device memory
 * @priv: the allocator's
 */
struct drm_gpt_mem {
	void *cpu;
	u64 addr;
	bool local;
	void *priv;
};

/**
 * struct drm_gpt_mem_ops - where tables come from
 * @alloc: make a table of @bytes, every byte 0 as the device sees it; may sleep
 * @free: give it back; may be called from any process context
 * @sync: have the device see what the CPU has stored to @bytes at device address
 *	@addr; NULL if it does anyway. Atomic.
 */
struct drm_gpt_mem_ops {
	int (*alloc)(struct drm_gpt *gpt, struct drm_gpt_mem *mem, u32 bytes,
		     gfp_t gfp);
	void (*free)(struct drm_gpt *gpt, struct drm_gpt_mem *mem, u32 bytes);
	void (*sync)(struct drm_gpt *gpt, u64 addr, u32 bytes);
};

/* Pages of the kernel, DMA-mapped for the device, coherent or refused. */
extern const struct drm_gpt_mem_ops drm_gpt_mem_pages;
/* The same for a device that does not snoop the CPU's caches. */
extern const struct drm_gpt_mem_ops drm_gpt_mem_streaming;
/*
 * Tables of less than a page are pieces of a &struct dma_pool,
 * &drm_gpt_config.mem_data, whose pieces are no smaller than they; others are as
 * those of drm_gpt_mem_pages.
 */
extern const struct drm_gpt_mem_ops drm_gpt_mem_small;
/* Pages of a &struct drm_gpt_pool, &drm_gpt_config.mem_data. */
extern const struct drm_gpt_mem_ops drm_gpt_mem_pool;

struct drm_gpt_pool *drm_gpt_pool_create(struct device *dev, u32 limit);
void drm_gpt_pool_destroy(struct drm_gpt_pool *pool);
unsigned long drm_gpt_pool_trim(struct drm_gpt_pool *pool, unsigned long nr);
u32 drm_gpt_pool_pages(const struct drm_gpt_pool *pool);

/**
 * enum drm_gpt_run_kind - how a run of entries is given to a command buffer
 * @DRM_GPT_RUN_COPY: entry by entry
 * @DRM_GPT_RUN_SEQ: first entry and a step
 * @DRM_GPT_RUN_FILL: one entry repeated
 */
enum drm_gpt_run_kind {
	DRM_GPT_RUN_COPY,
	DRM_GPT_RUN_SEQ,
	DRM_GPT_RUN_FILL,
};

/**
 * struct drm_gpt_run - a run of entries of one table, already encoded
 * @kind: see &enum drm_gpt_run_kind
 * @local: @addr is in device memory
 * @entry_shift: log2 of the bytes of an entry
 * @addr: device address of the first entry
 * @n: number of entries, at least 1
 * @entries: encoded entries: @n of them for COPY, one otherwise
 * @step: SEQ: what is added to the (64-bit) entry from one to the next
 */
struct drm_gpt_run {
	enum drm_gpt_run_kind kind;
	bool local;
	u8 entry_shift;
	u64 addr;
	u32 n;
	const void *entries;
	u64 step;
};

/**
 * struct drm_gpt_cmd_ops - a ring of page-table commands, executed in order
 * @words: ring space that a run of @kind and @n entries needs, in words of the
 *	ring's own size; of the widest entries that the format has
 * @fence_words: ring space of @fence
 * @flush_words: ring space that the driver's TLB flush of one &struct
 *	drm_gpt_gather needs at most, its fence included
 * @reserve: take ring space, waiting for the ring if need be. For a zap it is
 *	called in an MMU notifier: no allocation, bounded wait, and a share of the
 *	ring that others do not get. Must not sleep unless told that it may.
 *	Gives 0, -EAGAIN if it had to sleep, -ENODEV if the ring is dead.
 * @release: give back what was reserved and not used
 * @write: record a run in space reserved before. Atomic context, under the
 *	table's lock; ring position is assigned here.
 * @fence: record a fence behind all that was written and start the ring. Atomic.
 *	Gives its number, never 0; numbers grow.
 * @next: the number of the next fence; where another may be taken meanwhile, one
 *	that is not less. Any context. Only for &drm_gpt_config.cpu_max
 * @done: has the fence of that number, and all before, passed? If so, what was
 *	recorded before it is not written any more (acquire). Any context.
 * @wait: wait for it. Bounded. Gives 0, or -ENODEV if the ring is dead; one that
 *	does not answer is made dead first, so that it writes no table any more.
 */
struct drm_gpt_cmd_ops {
	u32 (*words)(struct drm_gpt *gpt, enum drm_gpt_run_kind kind, u32 n);
	u32 fence_words;
	u32 flush_words;
	int (*reserve)(struct drm_gpt *gpt, u32 words, bool zap, bool may_sleep);
	void (*release)(struct drm_gpt *gpt, u32 words);
	void (*write)(struct drm_gpt *gpt, const struct drm_gpt_run *run);
	u64 (*fence)(struct drm_gpt *gpt);
	u64 (*next)(struct drm_gpt *gpt);
	bool (*done)(struct drm_gpt *gpt, u64 seq);
	int (*wait)(struct drm_gpt *gpt, u64 seq);
};

/**
 * typedef drm_gpt_flush_fn - flush on behalf of the shrinker
 * @gpt: page table
 * @gather: what to flush, walk caches included; with commands,
 *	drm_gpt_gather_take_flush_credits() has the space for it
 *
 * Called when memory is short, for tables that nobody needs. When it returns no
 * device may find them in a cache, or be on a walk in them.
 *
 * The rules are those of an MMU notifier, since direct reclaim may call it under
 * any lock that is held over an allocation, and from within drm_gpt_prepare(): it
 * allocates nothing, takes no lock that is ever held over an allocation, waits for
 * hardware only, and not for ever. It may be called by any thread, also beside
 * flushes of other gathers, from the first drm_gpt_prepare() until
 * drm_gpt_fini() returns.
 *
 * Context: may sleep.
 * Return: 0, also where the device has been stopped and reaches no table any more,
 * which is as good as a flush. A negative error if neither can be said: the
 * tables are kept until drm_gpt_fini(), and no more are asked for.
 */
typedef int (*drm_gpt_flush_fn)(struct drm_gpt *gpt,
				struct drm_gpt_gather *gather);

/**
 * struct drm_gpt_config - what drm_gpt_init() needs
 * @dev: the device that walks the table
 * @format: its format
 * @mem: where tables come from
 * @mem_data: for @mem
 * @cmd: NULL: the CPU stores entries; else commands do
 * @cpu_max: with @cmd: runs of up to so many entries are stored by the CPU all the
 *	same, where it reaches the table and no command for it is on its way. Needs
 *	&drm_gpt_cmd_ops.next, and memory that is not &drm_gpt_mem_ops.sync'ed and
 *	that no command has still to clear
 * @flush: for the shrinker; NULL: tables go by drm_gpt_reclaim() only
 * @attrs: what the values of %DRM_GPT_LEAF_ATTR mean, 0 first; NULL if only 0
 *	occurs, which changes nothing then. Stays until drm_gpt_fini(). Lookups
 *	search it, so what is common comes first; of attributes that make the same
 *	entry they give the first
 * @nr_attrs: how many there are, up to %DRM_GPT_MAX_ATTRS
 */
struct drm_gpt_config {
	struct device *dev;
	const struct drm_gpt_format *format;
	const struct drm_gpt_mem_ops *mem;
	void *mem_data;
	const struct drm_gpt_cmd_ops *cmd;
	u32 cpu_max;
	drm_gpt_flush_fn flush;
	const struct drm_gpt_attr *attrs;
	u32 nr_attrs;
};

/**
 * struct drm_gpt_stats - counters, for people and tests
 * @tables: tables that exist, the root included
 * @runs: runs given to the command buffer
 * @stores: runs that the CPU stored for &drm_gpt_config.cpu_max
 * @relinks: unlinked tables that a commit linked again, with stale leaves
 * @shrunk: tables that were freed because memory was short
 */
struct drm_gpt_stats {
	atomic64_t tables;
	atomic64_t runs;
	atomic64_t stores;
	atomic64_t relinks;
	atomic64_t shrunk;
};

/**
 * struct drm_gpt_shrink - a page table as the shrinker sees it, private to drm_gpt
 * @node: in the list of all that have &drm_gpt_config.flush
 * @busy: a scan has it, one at a time, and owns @pass, @next and @stuck
 * @off: a flush failed or the ring is dead: nothing is taken any more
 * @idle: tables that are marked as likely to be of no use
 * @all: a directory went with what is below, which is not marked
 * @pass: for the sake of @all, every table is being looked at
 * @next: address where the next scan goes on
 * @stuck: tables whose flush failed
 */
struct drm_gpt_shrink {
	struct list_head node;
	bool busy;
	bool off;
	atomic_t idle;
	u32 all;
	bool pass;
	u64 next;
	struct drm_gpt_table *stuck;
};

/**
 * struct drm_gpt_step - what a walk needs to know of a level, computed once
 * @shift: &drm_gpt_level.shift
 * @mask: number of entries, less one
 */
struct drm_gpt_step {
	u8 shift;
	u16 mask;
};

/**
 * struct drm_gpt - a device page table; embed it in the device address space
 * @dev: device that walks it
 * @format: its format
 * @levels: the format's, nearer at hand
 * @steps: of the levels, for walks
 * @top: the highest level
 * @last: the last byte of its addresses
 * @mem: where tables come from
 * @mem_data: for @mem
 * @cmd: command backend, or NULL
 * @cpu_max: &drm_gpt_config.cpu_max
 * @flush: for the shrinker, or NULL
 * @attrs: &drm_gpt_config.attrs, or one that changes nothing
 * @nr_attrs: how many; at least 1
 * @attr_bits: bits of entries that any of them changes
 * @root: the top table
 * @freeing: tables on their way out, waiting for a grace period
 * @stats: counters
 * @shrink: what there is for the shrinker
 */
struct drm_gpt {
	struct drm_gpt_table *root;
	const struct drm_gpt_cmd_ops *cmd;
	const struct drm_gpt_format *format;
	u64 attr_bits;
	struct drm_gpt_step steps[DRM_GPT_MAX_LEVELS];
	u8 top;
	u64 last;
	const struct drm_gpt_attr *attrs;
	u32 nr_attrs;
	struct drm_gpt_level levels[DRM_GPT_MAX_LEVELS];
	drm_gpt_flush_fn flush;
	struct device *dev;
	const struct drm_gpt_mem_ops *mem;
	void *mem_data;
	u32 cpu_max;
	atomic_t freeing;
	struct drm_gpt_stats stats;
	struct drm_gpt_shrink shrink;
};

int drm_gpt_check(const struct drm_gpt *gpt, u8 level, u64 leaf);
int drm_gpt_init(struct drm_gpt *gpt, const struct drm_gpt_config *config);
void drm_gpt_fini(struct drm_gpt *gpt);
void drm_gpt_root(const struct drm_gpt *gpt, u64 *addr, bool *local);

/**
 * enum drm_gpt_owner - whose leaves they are
 * @DRM_GPT_OWNER_MIRROR: of who takes them away as the CPU's change
 * @DRM_GPT_OWNER_CLAIMED: of who maps what must stay, such as buffers
 * @DRM_GPT_OWNER_ANY: of either: what a zap is for, if nothing else is said
 */
enum drm_gpt_owner {
	DRM_GPT_OWNER_MIRROR,
	DRM_GPT_OWNER_CLAIMED,
	DRM_GPT_OWNER_ANY,
};

/* Updates of up to so many tables need no memory of their own. */
#define DRM_GPT_UPDATE_INLINE	2

/**
 * struct drm_gpt_update - an update between prepare and finish
 * @gpt: the table
 * @first: first byte that may be committed
 * @last: last byte that may be committed
 * @seq: cmdbuf: fence to wait for before the device is told; 0 for none
 * @credits: cmdbuf: ring space still reserved
 * @fenced: what @credits were at the last fence
 * @done: of the last commit if that failed: leaves that are written all the same
 * @owner: whose leaves are committed
 * @level: level of the tables that are pinned; its entries' size is the page size
 *	of commits
 * @nr_pinned: tables kept from reclaim, private to drm_gpt
 * @pinned: them, in order of addresses
 * @few: where @pinned is if it is short
 */
struct drm_gpt_update {
	struct drm_gpt *gpt;
	u64 first;
	u64 last;
	u64 seq;
	u32 credits;
	u32 fenced;
	u32 done;
	u8 level;
	u8 owner;
	u32 nr_pinned;
	struct drm_gpt_table **pinned;
	struct drm_gpt_table *few[DRM_GPT_UPDATE_INLINE];
};

/**
 * typedef drm_gpt_valid_fn - is what is to be committed still true?
 * @data: the committer's
 *
 * Called under the lock of each table before it is written. Atomic context. An
 * invalidation makes it false before it calls drm_gpt_zap().
 */
typedef bool (*drm_gpt_valid_fn)(void *data);

int drm_gpt_prepare(struct drm_gpt *gpt, struct drm_gpt_update *up,
		    u64 first, u64 last, u8 level, gfp_t gfp);
int drm_gpt_prepare_owner(struct drm_gpt *gpt, struct drm_gpt_update *up, u64 first,
			  u64 last, u8 level, enum drm_gpt_owner owner, gfp_t gfp);
int drm_gpt_commit(struct drm_gpt_update *up, u64 first, const u64 *array,
		   u32 nr, drm_gpt_valid_fn valid, void *data);
int drm_gpt_commit_seq(struct drm_gpt_update *up, u64 first, u64 leaf, u32 nr,
		       drm_gpt_valid_fn valid, void *data);
int drm_gpt_map(struct drm_gpt *gpt, u64 first, const u64 *array, u32 nr,
		gfp_t gfp);
int drm_gpt_map_owner(struct drm_gpt *gpt, u64 first, const u64 *array, u32 nr,
		      enum drm_gpt_owner owner, gfp_t gfp);
int drm_gpt_split(struct drm_gpt *gpt, u64 addr, drm_gpt_flush_fn flush, gfp_t gfp);
u64 drm_gpt_update_fence(struct drm_gpt_update *up);
void drm_gpt_finish(struct drm_gpt_update *up);
int drm_gpt_wait(struct drm_gpt *gpt, u64 seq);

#define DRM_GPT_GATHER_RANGES	8

/**
 * struct drm_gpt_gather - what a flush has to cover before memory may be reused
 * @gpt: the table
 * @nr: ranges in use
 * @range: bytes whose translations may be cached, inclusive ends; in order,
 *	apart from each other
 * @directory: a directory entry changed: flush walk caches too
 * @full: flush the whole address space. drm_gpt joins ranges when there are
 *	more than fit and does not set it; a driver may
 * @dead: the command ring is: nothing is recorded, private to drm_gpt
 * @zap_first: no mapping below was cleared. Below what was asked for where a
 *	large leaf or a hint group went whole
 * @zap_last: no mapping above was cleared; less than @zap_first if none was
 * @credits: cmdbuf: ring space reserved for the zap and the flush
 * @evict: let a zap unlink tables that are empty too, where all that they
 *	cover goes, to make way for a large leaf; the caller sets it
 * @owner: whose leaves the zap that runs is for, private to drm_gpt
 * @more: it found more than there is ring space for, private to drm_gpt
 * @tables: tables that drm_gpt_reclaim() took out, freed after the flush
 *
 * A flush is done when the device has dropped, and no walk that began before can
 * bring back: for each range, every TLB entry that overlaps it, whatever its size,
 * since one that reaches beyond may be of a large leaf or a group that a commit
 * has split in place; with @directory also every entry of walk caches whose table
 * covers any part of the range, on all levels. With @full, all of the address
 * space of both. Only then may memory be used again, and drm_gpt_gather_fini()
 * be called.
 */
struct drm_gpt_gather {
	struct drm_gpt *gpt;
	u32 nr;
	struct {
		u64 first;
		u64 last;
	} range[DRM_GPT_GATHER_RANGES];
	bool directory;
	bool full;
	bool dead;
	u64 zap_first;
	u64 zap_last;
	u32 credits;
	bool evict;
	u8 owner;
	bool more;
	struct drm_gpt_table *tables;
};

void drm_gpt_gather_init(struct drm_gpt_gather *gather, struct drm_gpt *gpt);
int drm_gpt_zap_reserve(struct drm_gpt_gather *gather, u64 first, u64 last,
			bool may_sleep);
void drm_gpt_zap(struct drm_gpt_gather *gather, u64 first, u64 last);
int drm_gpt_zap_owner(struct drm_gpt_gather *gather, u64 first, u64 last,
		      enum drm_gpt_owner owner);
void drm_gpt_gather_unreserve(struct drm_gpt_gather *gather);
void drm_gpt_protect(struct drm_gpt_gather *gather, u64 first, u64 last,
		     u64 flags);
bool drm_gpt_promote(struct drm_gpt_gather *gather, u64 va);
void drm_gpt_gather_also(struct drm_gpt_gather *gather, u64 first, u64 last,
			 bool directory);
void drm_gpt_reclaim(struct drm_gpt_gather *gather, u64 first, u64 last);
u32 drm_gpt_gather_take_flush_credits(struct drm_gpt_gather *gather);
void drm_gpt_gather_fini(struct drm_gpt_gather *gather);

/**
 * drm_gpt_gather_empty() - is there nothing to flush?
 * @gather: the gather
 *
 * Return: true if no translation changed since drm_gpt_gather_init().
 */
static inline bool drm_gpt_gather_empty(const struct drm_gpt_gather *gather)
{
	return !gather->nr && !gather->full;
}

/**
 * struct drm_gpt_entry - what a lookup found
 * @first: first byte that the entry covers
 * @last: last byte that the entry covers
 * @flags: DRM_GPT_LEAF_VALID, WRITE, ATOMIC; 0 if nothing is mapped
 * @leaf: the leaf with its address, place and attribute, 0 if the CPU cannot read
 *	it (table out of the CPU's reach, or a command still pending)
 * @seq: cmdbuf: the hardware has it when this fence has passed; 0 if it does
 */
struct drm_gpt_entry {
	u64 first;
	u64 last;
	u64 flags;
	u64 leaf;
	u64 seq;
};

void drm_gpt_lookup(struct drm_gpt *gpt, u64 va, struct drm_gpt_entry *entry);
bool drm_gpt_mapped(struct drm_gpt *gpt, u64 first, u64 last, u64 flags,
		    u64 *seq);
void drm_gpt_dump(struct drm_gpt *gpt, struct seq_file *m);

#endif /* _DRM_GPT_H_ */
