/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_TEST_HW_H_
#define _DRM_GPT_TEST_HW_H_

#include <linux/bitfield.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/drm_gpt.h>

#include "fmt/formats.h"

/*
 * The device that the tests of drm_gpt run against. It knows the documented
 * bits of its entries and nothing of drm_gpt's own state: memory for tables, a
 * ring that runs late and only when told, an MMU that caches all it sees and
 * forgets only what a gather tells it to.
 */

#define TEST_TABLES	8192
#define TEST_TABLE_SHIFT	16
#define TEST_RING	8192
#define TEST_RUN_WORDS	64
#define TEST_TLB	512
#define TEST_WALK	64
#define TEST_RING_WORDS	BIT(20)

#define TEST_ATTR(i)	FIELD_PREP(DRM_GPT_LEAF_ATTR, (u64)(i))

/**
 * struct test_pte - an entry as the device understands it
 * @valid: maps, or points to a table
 * @leaf: maps
 * @local: of a table: it is in device memory
 * @hint: one of a group that follows each other
 * @beside_local: the table beside is in device memory
 * @addr: what of: page or table; 0: no table
 * @beside: table beside that one, 0: none
 * @flags: of a leaf: in drm_gpt's terms, the attribute by its place in
 *	&test_geometry.attrs
 */
struct test_pte {
	bool valid;
	bool leaf;
	bool local;
	bool hint;
	bool beside_local;
	u64 addr;
	u64 beside;
	u64 flags;
};

/**
 * struct test_geometry - the manual of a device
 * @name: for people
 * @format: what drm_gpt is told of it
 * @page_shift: log2 of the bytes of the smallest page
 * @levels: levels
 * @bits: log2 of entries per table, by level
 * @hint: log2 of the entries of a group, by level
 * @entry_bytes: by level
 * @has_local: entries can say "device memory"
 * @careful: two sizes of page for one address must never be in its TLB
 * @beside: groups are entries of a table beside the lowest, as those of it
 * @attrs: attributes that its driver uses
 * @nr_attrs: how many
 * @decode: reads an entry
 */
struct test_geometry {
	const char *name;
	const struct drm_gpt_format *format;
	u8 page_shift;
	u8 levels;
	u8 bits[DRM_GPT_MAX_LEVELS];
	u8 hint[DRM_GPT_MAX_LEVELS];
	u8 entry_bytes[DRM_GPT_MAX_LEVELS];
	bool has_local;
	bool careful;
	bool beside;
	const struct drm_gpt_attr *attrs;
	u32 nr_attrs;
	void (*decode)(const void *entry, u8 level, struct test_pte *pte);
};

extern const struct test_geometry test_geometry_vgem_svm;
extern const struct test_geometry test_geometry_toy;
extern const struct test_geometry test_geometry_toy_groups;
extern const struct test_geometry test_geometry_small;
extern const struct test_geometry test_geometry_wide;
extern const struct test_geometry test_geometry_x86_64;
extern const struct test_geometry test_geometry_amdgpu;
extern const struct test_geometry test_geometry_lpae_4k;
extern const struct test_geometry test_geometry_lpae_16k;
extern const struct test_geometry test_geometry_lpae_64k;
extern const struct test_geometry test_geometry_rockchip;
extern const struct test_geometry test_geometry_nvidia;
extern const struct test_geometry test_geometry_pair;

/**
 * struct test_table - memory of a table; kept until the end, to see late use
 * @mem: bytes
 * @bytes: how many
 * @local: given out as device memory
 * @level: of which level it is, plus 1; 0: not known
 * @freed: drm_gpt has freed it
 */
struct test_table {
	void *mem;
	u32 bytes;
	bool local;
	u8 level;
	bool freed;
};

/* A packet of the ring; a fence if @n is 0. */
struct test_packet {
	enum drm_gpt_run_kind kind;
	bool local;
	u8 entry_shift;
	u32 n;
	u32 words;
	u64 addr;
	u64 step;
	u64 seq;
	u64 data[TEST_RUN_WORDS];
};

/* A page of a translation that covers 1 << @size bytes. */
struct test_tlb_entry {
	bool valid;
	u8 size;
	u64 page;
	u64 leaf;
};

/* Where the device goes on: addresses with the aperture in bit 0; 0: nowhere. */
struct test_step {
	u64 table;
	u64 beside;
};

struct test_walk_entry {
	bool valid;
	u8 level;
	u64 tag;
	struct test_step to;
};

/**
 * struct test_hw - the device, and where its tables come from
 * @geometry: its manual
 * @shift: log2 of the bytes that an entry covers, by level
 * @careful: as the geometry says, unless the test asks for trouble
 * @gpt: the table under test
 * @lock: everything below
 * @hide: tables are out of the CPU's reach
 * @dead: the ring is
 * @full: there is no ring space for who comes next
 * @flush_error: what a flush for the shrinker says
 * @flushes: flushes for the shrinker
 * @fail_at: the allocation that fails, counted down; 0: none
 * @nr_tables: tables ever given out
 * @nr_live: of them, not freed yet; without those beside
 * @nr_beside: of those beside, not freed yet
 * @tables: them; a device address is an index here, shifted by TEST_TABLE_SHIFT
 * @errors: things that must never happen
 * @head: packets executed
 * @tail: packets recorded
 * @reserved: words promised
 * @hoards: times that more were waited for, or a flush, with some in hand
 * @used: words recorded and not executed
 * @seq: last fence recorded
 * @seq_step: how far numbers of fences are apart; 0: by 1
 * @done: last fence executed
 * @tlb: translations of the smallest pages
 * @walk: tables found on the way
 * @ring: packets, by number modulo TEST_RING; the last, since it is not cleared
 */
struct test_hw {
	const struct test_geometry *geometry;
	u8 shift[DRM_GPT_MAX_LEVELS];
	bool careful;
	struct drm_gpt gpt;
	spinlock_t lock;	/* all that follows */
	bool hide;
	bool dead;
	bool full;
	int flush_error;
	u32 flushes;
	u32 fail_at;
	u32 nr_tables;
	u32 nr_live;
	u32 nr_beside;
	struct test_table tables[TEST_TABLES];
	u32 errors;
	u32 head;
	u32 tail;
	u32 reserved;
	u32 hoards;
	u32 used;
	u64 seq;
	u64 seq_step;
	u64 done;
	struct test_tlb_entry tlb[TEST_TLB];
	struct test_walk_entry walk[TEST_WALK];
	struct test_packet ring[TEST_RING];
};

extern const struct drm_gpt_mem_ops test_mem_ops;
extern const struct drm_gpt_cmd_ops test_cmd_ops;

/* Bytes of the smallest page. */
static inline u64 test_page(const struct test_hw *hw)
{
	return 1ULL << hw->geometry->page_shift;
}

static inline u64 test_pages(const struct test_hw *hw, u64 bytes)
{
	return bytes >> hw->geometry->page_shift;
}

struct test_hw *test_hw_create(const struct test_geometry *geometry);
void test_hw_destroy(struct test_hw *hw);
/* Frees what was kept for the next one. */
void test_hw_drop_spare(void);

/* Executes up to @n packets. Return: how many it were. */
u32 test_hw_run(struct test_hw *hw, u32 n);
/* Does what a driver does between drm_gpt_zap() and drm_gpt_gather_fini(). */
void test_hw_flush(struct test_hw *hw, struct drm_gpt_gather *gather);
/* The same for the shrinker: &drm_gpt_config.flush. */
int test_hw_shrink_flush(struct drm_gpt *gpt, struct drm_gpt_gather *gather);
/*
 * How many entries of all tables are not empty, reachable or not. Where there are
 * tables beside: not these, and of those that are reachable now or were before.
 */
u32 test_hw_entries(struct test_hw *hw);
/* What the tables in memory say of @va, 0 for a fault; no caches. */
u64 test_hw_walk(struct test_hw *hw, u64 va, u64 *size);
/* Does the entry that maps @va say that it is one of a group? */
bool test_hw_grouped(struct test_hw *hw, u64 va);
/* What the device makes of @va, with its caches. */
u64 test_hw_access(struct test_hw *hw, u64 va);

#endif /* _DRM_GPT_TEST_HW_H_ */
