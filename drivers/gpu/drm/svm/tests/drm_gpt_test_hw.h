/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_TEST_HW_H_
#define _DRM_GPT_TEST_HW_H_

#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/drm_gpt.h>

/*
 * The device that the tests of drm_gpt run against. It knows the documented
 * bits of its entries and nothing of drm_gpt's own state: memory for tables, a
 * ring that runs late and only when told, an MMU that caches all it sees and
 * forgets only what a gather tells it to.
 */

#define TEST_TABLES	8192
#define TEST_RING	8192
#define TEST_RUN_WORDS	64
#define TEST_TLB	512
#define TEST_WALK	64
#define TEST_RING_WORDS	BIT(20)

/**
 * struct test_pte - an entry as the device understands it
 * @valid: maps, or points to a table
 * @leaf: maps
 * @local: of a table: it is in device memory
 * @hint: one of a group that follows each other
 * @addr: what of: page or table
 * @flags: of a leaf: in drm_gpt's terms
 */
struct test_pte {
	bool valid;
	bool leaf;
	bool local;
	bool hint;
	u64 addr;
	u64 flags;
};

/**
 * struct test_geometry - the manual of a device
 * @name: for people
 * @format: what drm_gpt is told of it
 * @levels: levels
 * @bits: log2 of entries per table, the same on all levels
 * @entry_bytes: by level
 * @hint: log2 of the entries of a group on the lowest level
 * @hint_above: the same on the level above that
 * @has_local: entries can say "device memory"
 * @decode: reads an entry
 */
struct test_geometry {
	const char *name;
	const struct drm_gpt_format *format;
	u8 levels;
	u8 bits;
	u8 hint;
	u8 hint_above;
	u8 entry_bytes[DRM_GPT_MAX_LEVELS];
	bool has_local;
	void (*decode)(const void *entry, u8 level, struct test_pte *pte);
};

extern const struct test_geometry test_geometry_vgem_svm;
extern const struct test_geometry test_geometry_toy;
extern const struct test_geometry test_geometry_small;

/**
 * struct test_table - memory of a table; kept until the end, to see late use
 * @mem: bytes
 * @bytes: how many
 * @local: given out as device memory
 * @freed: drm_gpt has freed it
 */
struct test_table {
	void *mem;
	u32 bytes;
	bool local;
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

struct test_tlb_entry {
	bool valid;
	u64 page;
	u64 leaf;
};

struct test_walk_entry {
	bool valid;
	u8 level;
	u64 tag;
	u64 table;
};

/**
 * struct test_hw - the device, and where its tables come from
 * @geometry: its manual
 * @gpt: the table under test
 * @lock: everything below
 * @hide: tables are out of the CPU's reach
 * @dead: the ring is
 * @fail_at: the allocation that fails, counted down; 0: none
 * @nr_tables: tables ever given out
 * @nr_live: of them, not freed yet
 * @tables: them; a device address is an index here, shifted by 12
 * @errors: things that must never happen
 * @head: packets executed
 * @tail: packets recorded
 * @reserved: words promised
 * @used: words recorded and not executed
 * @seq: last fence recorded
 * @done: last fence executed
 * @ring: packets, by number modulo TEST_RING
 * @tlb: translations of the smallest pages
 * @walk: tables found on the way
 */
struct test_hw {
	const struct test_geometry *geometry;
	struct drm_gpt gpt;
	spinlock_t lock;	/* all that follows */
	bool hide;
	bool dead;
	u32 fail_at;
	u32 nr_tables;
	u32 nr_live;
	struct test_table tables[TEST_TABLES];
	u32 errors;
	u32 head;
	u32 tail;
	u32 reserved;
	u32 used;
	u64 seq;
	u64 done;
	struct test_packet ring[TEST_RING];
	struct test_tlb_entry tlb[TEST_TLB];
	struct test_walk_entry walk[TEST_WALK];
};

extern const struct drm_gpt_mem_ops test_mem_ops;
extern const struct drm_gpt_cmd_ops test_cmd_ops;

struct test_hw *test_hw_create(const struct test_geometry *geometry);
void test_hw_destroy(struct test_hw *hw);

/* Executes up to @n packets. Return: how many it were. */
u32 test_hw_run(struct test_hw *hw, u32 n);
/* Does what a driver does between drm_gpt_zap() and drm_gpt_gather_fini(). */
void test_hw_flush(struct test_hw *hw, struct drm_gpt_gather *gather);
/* How many entries of all tables are not empty, reachable or not. */
u32 test_hw_entries(struct test_hw *hw);
/* What the tables in memory say of @va, 0 for a fault; no caches. */
u64 test_hw_walk(struct test_hw *hw, u64 va, u64 *size);
/* What the device makes of @va, with its caches. */
u64 test_hw_access(struct test_hw *hw, u64 va);

#endif /* _DRM_GPT_TEST_HW_H_ */
