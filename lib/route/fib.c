/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The FIB: DIR-24-8 (Gupta, Lin, McKeown: "Routing lookups in hardware at memory access speeds",
 * INFOCOM 1998) with 16-bit entries.
 *
 * What readers see is one array of 16-bit slots. The first 2^24 are indexed by the address's
 * upper 24 bits; behind them lie the second-level blocks of 256 slots, one for each /24 that has
 * longer prefixes. A slot with the top bit set holds a block's number, any other the answer.
 * One base for both levels lets a vector lookup do each level with one gather; a gather of 32
 * bits reads past the last slot, which is why the array is padded.
 *
 * The default route is not expanded: 0 means "no longer prefix", and stands for the one word
 * `fallback`. Thus the whole table need not be written when the default changes, nor memory of
 * address space that has no routes. Readers find the first level mapped wherever they look; and
 * who expects a 0 asks the bits of `held` first, one for each /16, which are set before the slots
 * are written, and cleared after the last prefix with any part of the /16 has gone.
 *
 * What the writer keeps beside it is the set of prefixes as a binary tree in heap order: node
 * (1 << len) | (prefix >> (32 - len)) holds the index of exactly that prefix, 0 if there is none.
 * An exact match is one load, the covering prefix is found by shifting the node's number right,
 * and the children of n are 2n and 2n + 1. Lengths up to 24 have one tree of 2^25 nodes, each
 * block has a tree of 512 for the longer ones. Readers look there too, but only for an address
 * whose longest prefix did not settle it (fib_lookup_where).
 *
 * Publication: fib_set() begins with a release fence, so that what an index leads to is written
 * before the index; a reader goes on from the loaded value by an address dependency. A block is
 * filled before its number is stored; when its last prefix goes, its number is taken out and the
 * block used again only after a grace period (core/rcu.h).
 */
#include "route/fib.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "core/prefix.h"
#include "core/rcu.h"
#include "route/fib_lookup.h"
#include "route/pages.h"

#define TOP_SLOTS FIB_BLOCKS_AT
#define BLOCK_SLOTS 256u
#define BLOCKS_MAX 32768u
#define BLOCK_FLAG FIB_BLOCK_FLAG
#define PAD_SLOTS 2u
#define NO_BLOCK UINT32_MAX
#define STRIP_SLOTS 16u
#define EACH_ENTRY 0x0001000100010001ULL
#define HELD_LEN 16u
#define HELD_PARTS (1u << HELD_LEN)

struct block {
	struct fib *fib;
	uint32_t next;                  /* in the free list */
	uint32_t prefixes;              /* longer than 24 in this /24 */
	uint16_t tree[2 * BLOCK_SLOTS] __rte_aligned(8);
};

struct fib {
	/* readers: as struct fib_view says */
	uint16_t *slots;
	uint16_t fallback;              /* the default route's index */
	uint32_t prefixes;
	uint32_t *held;

	/* the writer */
	uint32_t *held_by;              /* how many prefixes have any part of a /16 */
	uint16_t *tree;
	struct block *blocks;
	uint32_t blocks_max;
	uint32_t blocks_fresh;          /* from here on never used */
	uint32_t blocks_free;           /* list */
	uint32_t blocks_used;
	uint32_t blocks_retired;        /* wait for the end of their grace period */
};

_Static_assert(offsetof(struct fib, slots) == offsetof(struct fib_view, slots) &&
		       offsetof(struct fib, fallback) == offsetof(struct fib_view, fallback) &&
		       offsetof(struct fib, prefixes) == offsetof(struct fib_view, prefixes) &&
		       offsetof(struct fib, held) == offsetof(struct fib_view, held),
	       "the view is how it begins");

/* A tree with the slots that its leaves stand for: the top level's or a block's. */
struct level {
	uint16_t *tree;
	uint16_t *slots;
	uint32_t leaves;                /* how many, and the number of the first leaf */
};

static uint16_t slot_load(const uint16_t *slot)
{
	return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

static void slot_store(uint16_t *slot, uint16_t value)
{
	if (*slot != value)
		__atomic_store_n(slot, value, __ATOMIC_RELAXED);
}

static uint32_t block_first_slot(uint32_t number)
{
	return TOP_SLOTS + number * BLOCK_SLOTS;
}

static struct level top_level(const struct fib *fib)
{
	return (struct level){ fib->tree, fib->slots, TOP_SLOTS };
}

static struct level block_level(const struct fib *fib, uint32_t number)
{
	return (struct level){ fib->blocks[number].tree, fib->slots + block_first_slot(number),
			       BLOCK_SLOTS };
}

/* ---- memory ---- */

static size_t slots_bytes(const struct fib *fib)
{
	return (TOP_SLOTS + (size_t)fib->blocks_max * BLOCK_SLOTS + PAD_SLOTS) * sizeof(uint16_t);
}

static size_t tree_bytes(void)
{
	return 2 * (size_t)TOP_SLOTS * sizeof(uint16_t);
}

static size_t blocks_bytes(const struct fib *fib)
{
	return fib->blocks_max * sizeof(struct block);
}

struct fib *fib_create(unsigned int blocks_max, bool reserved, int socket)
{
	struct fib *fib;

	if (blocks_max > BLOCKS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	fib = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_CACHE_LINE_ROUNDUP(sizeof(*fib)));
	if (!fib)
		return NULL;
	fib_lookup_init();
	memset(fib, 0, sizeof(*fib));
	fib->blocks_max = blocks_max ? blocks_max : BLOCKS_MAX;
	fib->blocks_free = NO_BLOCK;
	fib->slots = pages_map(slots_bytes(fib), reserved, socket);
	fib->tree = pages_map(tree_bytes(), false, socket);
	fib->blocks = pages_map(blocks_bytes(fib), false, socket);
	fib->held = calloc(HELD_PARTS / 32, sizeof(*fib->held));
	fib->held_by = calloc(HELD_PARTS, sizeof(*fib->held_by));
	if (!fib->slots || !fib->tree || !fib->blocks || !fib->held || !fib->held_by) {
		fib_destroy(fib);
		errno = ENOMEM;
		return NULL;
	}
	pages_map_zeros(fib->slots, TOP_SLOTS * sizeof(*fib->slots));
	return fib;
}

void fib_destroy(struct fib *fib)
{
	if (!fib)
		return;
	if (fib->blocks_retired)
		rcu_synchronize();
	pages_unmap(fib->slots, slots_bytes(fib));
	pages_unmap(fib->tree, tree_bytes());
	pages_unmap(fib->blocks, blocks_bytes(fib));
	free(fib->held);
	free(fib->held_by);
	free(fib);
}

/* ---- blocks ---- */

static void block_reuse(void *arg)
{
	struct block *b = arg;
	struct fib *fib = b->fib;

	b->next = fib->blocks_free;
	fib->blocks_free = (uint32_t)(b - fib->blocks);
	fib->blocks_retired--;
}

static void block_retire(struct fib *fib, uint32_t number)
{
	fib->blocks_used--;
	fib->blocks_retired++;
	rcu_defer(block_reuse, &fib->blocks[number]);
}

/* A block with every slot set to value and an empty tree; NO_BLOCK if all are in use. */
static uint32_t block_take(struct fib *fib, uint16_t value)
{
	uint32_t number = fib->blocks_free;
	uint16_t *slots;

	if (number == NO_BLOCK && fib->blocks_fresh == fib->blocks_max && fib->blocks_retired) {
		rcu_synchronize();
		number = fib->blocks_free;
	}
	if (number != NO_BLOCK)
		fib->blocks_free = fib->blocks[number].next;
	else if (fib->blocks_fresh < fib->blocks_max)
		number = fib->blocks_fresh++;
	else
		return NO_BLOCK;
	fib->blocks[number].fib = fib;
	fib->blocks_used++;
	slots = fib->slots + block_first_slot(number);
	for (uint32_t i = 0; i < BLOCK_SLOTS; i++)
		slot_store(&slots[i], value);
	return number;
}

/* ---- the trees ---- */

static bool prefix_valid(uint32_t prefix, unsigned int len)
{
	return len <= 32 && !(prefix & ~prefix_mask(len));
}

/* Node of a prefix of at most 24 bits in the top tree, of a longer one in its block's. */
static uint32_t top_node(uint32_t prefix, unsigned int len)
{
	return 1u << len | (uint32_t)((uint64_t)prefix >> (32 - len));
}

static uint32_t block_node(uint32_t prefix, unsigned int len)
{
	return 1u << (len - 24) | (prefix & 0xff) >> (32 - len);
}

/* What covers the node's prefix from above within its tree, the root excepted: that is the
 * default route in the top tree, and has its place in the top tree for a block's. */
static uint16_t covering(const uint16_t *tree, uint32_t node)
{
	while ((node >>= 1) > 1)
		if (tree[node])
			return tree[node];
	return FIB_NONE;
}

/* What the slot of a /24 holds when it has no block. */
static uint16_t top_answer(const struct fib *fib, uint32_t slot)
{
	uint32_t leaf = TOP_SLOTS | slot;

	return fib->tree[leaf] ? fib->tree[leaf] : covering(fib->tree, leaf);
}

/* Four entries at once; every strip of them is aligned. */
static uint64_t *wide(const uint16_t *entries)
{
	return (uint64_t *)(uintptr_t)entries;
}

/* The 16 slots under a node that stands four levels above its leaves, by four stores, when no
 * longer prefix and no block is there; a walk would visit 30 nodes. A reader, of 16 bits, finds
 * each slot old or new all the same. */
static bool fill_strip(const struct level *at, uint32_t node, uint16_t value)
{
	uint64_t *slots = wide(&at->slots[node * STRIP_SLOTS - at->leaves]);
	uint64_t longer = at->tree[2 * node] | at->tree[2 * node + 1];
	uint64_t values = value * EACH_ENTRY;

	for (uint32_t n = 4; n <= STRIP_SLOTS; n *= 2)
		for (uint32_t i = 0; i < n; i += 4)
			longer |= *wide(&at->tree[n * node + i]);
	if (longer || ((slots[0] | slots[1] | slots[2] | slots[3]) & BLOCK_FLAG * EACH_ENTRY))
		return false;
	for (uint32_t i = 0; i < STRIP_SLOTS / 4; i++)
		if (slots[i] != values)
			__atomic_store_n(&slots[i], values, __ATOMIC_RELAXED);
	return true;
}

static void fill(const struct fib *fib, const struct level *at, uint32_t node, uint16_t value);

static void fill_leaf(const struct fib *fib, uint16_t *slot, uint16_t value)
{
	struct level below;

	if (!(*slot & BLOCK_FLAG)) {
		slot_store(slot, value);
		return;
	}
	below = block_level(fib, *slot & ~BLOCK_FLAG);
	fill(fib, &below, 1, value);
}

/* Give value to each slot under node that no longer prefix takes. */
static void fill(const struct fib *fib, const struct level *at, uint32_t node, uint16_t value)
{
	if (node >= at->leaves) {
		fill_leaf(fib, &at->slots[node - at->leaves], value);
		return;
	}
	if (node * STRIP_SLOTS >= at->leaves && node * STRIP_SLOTS < 2 * at->leaves &&
	    fill_strip(at, node, value))
		return;
	if (!at->tree[2 * node])
		fill(fib, at, 2 * node, value);
	if (!at->tree[2 * node + 1])
		fill(fib, at, 2 * node + 1, value);
}

/* ---- parts that are held ---- */

static void held_store(struct fib *fib, uint32_t part)
{
	uint32_t *word = &fib->held[part / 32], bit = 1u << part % 32;
	uint32_t value = fib->held_by[part] ? *word | bit : *word & ~bit;

	if (*word != value)
		__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* One prefix more (1), before its slots are written, or less (-1), when they are. That of the
 * default route has no part. */
static void count_prefix(struct fib *fib, uint32_t prefix, unsigned int len, int change)
{
	uint32_t part = prefix >> (32 - HELD_LEN);
	uint32_t end = part + (len < HELD_LEN ? 1u << (HELD_LEN - len) : 1);

	fib->prefixes += (uint32_t)change;
	for (; len && part < end; part++) {
		fib->held_by[part] += (uint32_t)change;
		held_store(fib, part);
	}
}

/* ---- changes ---- */

static int set_long(struct fib *fib, uint32_t prefix, unsigned int len, uint16_t index)
{
	uint16_t *slot = &fib->slots[prefix >> 8];
	uint32_t number = *slot & ~BLOCK_FLAG;
	uint32_t node = block_node(prefix, len);
	bool fresh = !(*slot & BLOCK_FLAG);
	struct level at;

	if (fresh) {
		number = block_take(fib, *slot);
		if (number == NO_BLOCK)
			return -ENOSPC;
	}
	at = block_level(fib, number);
	if (!at.tree[node]) {
		fib->blocks[number].prefixes++;
		count_prefix(fib, prefix, len, 1);
	}
	slot_store(&at.tree[node], index);
	fill(fib, &at, node, index);
	if (fresh)
		__atomic_store_n(slot, BLOCK_FLAG | number, __ATOMIC_RELEASE);
	return 0;
}

static int unset_long(struct fib *fib, uint32_t prefix, unsigned int len)
{
	uint16_t *slot = &fib->slots[prefix >> 8];
	uint32_t number = *slot & ~BLOCK_FLAG;
	uint32_t node = block_node(prefix, len);
	uint16_t above, value;
	struct level at;

	if (!(*slot & BLOCK_FLAG))
		return -ENOENT;
	at = block_level(fib, number);
	if (!at.tree[node])
		return -ENOENT;
	slot_store(&at.tree[node], FIB_NONE);
	above = top_answer(fib, prefix >> 8);
	if (--fib->blocks[number].prefixes == 0) {
		slot_store(slot, above);
		block_retire(fib, number);
	} else {
		value = covering(at.tree, node);
		fill(fib, &at, node, value ? value : above);
	}
	count_prefix(fib, prefix, len, -1);
	return 0;
}

int fib_set(struct fib *fib, uint32_t prefix, unsigned int len, uint16_t index)
{
	struct level top = top_level(fib);
	uint32_t node;

	if (!prefix_valid(prefix, len) || index == FIB_NONE || index > FIB_INDEX_MAX)
		return -EINVAL;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (len > 24)
		return set_long(fib, prefix, len, index);
	node = top_node(prefix, len);
	if (!fib->tree[node])
		count_prefix(fib, prefix, len, 1);
	slot_store(&fib->tree[node], index);
	if (len == 0)
		slot_store(&fib->fallback, index);
	else
		fill(fib, &top, node, index);
	return 0;
}

int fib_unset(struct fib *fib, uint32_t prefix, unsigned int len)
{
	struct level top = top_level(fib);
	uint32_t node;

	if (!prefix_valid(prefix, len))
		return -ENOENT;
	if (len > 24)
		return unset_long(fib, prefix, len);
	node = top_node(prefix, len);
	if (!fib->tree[node])
		return -ENOENT;
	slot_store(&fib->tree[node], FIB_NONE);
	if (len == 0)
		slot_store(&fib->fallback, FIB_NONE);
	else
		fill(fib, &top, node, covering(fib->tree, node));
	count_prefix(fib, prefix, len, -1);
	return 0;
}

uint16_t fib_get(const struct fib *fib, uint32_t prefix, unsigned int len)
{
	uint16_t slot = fib->slots[prefix >> 8];

	if (!prefix_valid(prefix, len))
		return FIB_NONE;
	if (len <= 24)
		return fib->tree[top_node(prefix, len)];
	if (!(slot & BLOCK_FLAG))
		return FIB_NONE;
	return fib->blocks[slot & ~BLOCK_FLAG].tree[block_node(prefix, len)];
}

/* ---- readers ---- */

__rte_always_inline uint16_t fib_lookup(const struct fib *fib, uint32_t addr)
{
	uint16_t answer = fib_view_answer(fib_view(fib), addr);

	return answer ? answer : slot_load(&fib->fallback);
}

uint32_t fib_lookup_where(const struct fib *fib, uint32_t addr,
			  uint32_t (*answer)(uint16_t index, unsigned int len, const void *arg),
			  const void *arg)
{
	uint16_t slot = slot_load(&fib->slots[addr >> 8]), index;
	uint32_t found = 0;

	for (int len = slot & BLOCK_FLAG ? 32 : 24; len >= 0 && !found; len--) {
		index = len > 24 ? slot_load(&fib->blocks[slot & ~BLOCK_FLAG]
						      .tree[block_node(addr, (unsigned int)len)])
				 : slot_load(&fib->tree[top_node(addr, (unsigned int)len)]);
		if (index != FIB_NONE)
			found = answer(index, (unsigned int)len, arg);
	}
	return found;
}

void fib_stats_get(const struct fib *fib, struct fib_stats *s)
{
	s->prefixes = fib->prefixes;
	s->blocks_used = fib->blocks_used;
	s->blocks_max = fib->blocks_max;
	s->lookup_bytes = slots_bytes(fib);
	s->control_bytes = tree_bytes() + blocks_bytes(fib);
}
