/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The forwarding information base: longest-prefix match from an IPv4 address to a 15-bit index
 * (a next hop, or a group, or a verdict such as local or blackhole), for bursts of addresses.
 *
 * One writer (the control thread), any number of readers. Every lookup during an update gives
 * the old answer or the new one for each address; the update of a short prefix is not atomic as
 * a whole. Index FIB_NONE is "no route".
 */
#ifndef ROUTE_FIB_H
#define ROUTE_FIB_H

#include <stdbool.h>
#include <stdint.h>

#define FIB_NONE 0
#define FIB_INDEX_MAX 32767

struct fib;

/* What it costs; for `route show -s` and the benchmark. */
struct fib_stats {
	uint32_t prefixes;
	uint32_t blocks_used, blocks_max;   /* second-level blocks, for prefixes longer than 24 */
	uint64_t lookup_bytes, control_bytes;
};

/* blocks_max: how many /24 can have longer prefixes (0: a default). reserved: of the huge pages set
 * aside, if there are any left. socket: NUMA node. NULL with errno set when there is no memory. */
struct fib *fib_create(unsigned int blocks_max, bool reserved, int socket);
void fib_destroy(struct fib *fib);

/* prefix in host byte order, bits below len must be 0. index 1..FIB_INDEX_MAX.
 * fib_set adds or replaces: 0, -EINVAL, -ENOSPC (no second-level block; nothing changed).
 * fib_unset: 0, -ENOENT. */
int fib_set(struct fib *fib, uint32_t prefix, unsigned int len, uint16_t index);
int fib_unset(struct fib *fib, uint32_t prefix, unsigned int len);

/* What is stored for exactly this prefix, FIB_NONE if nothing. Control thread. */
uint16_t fib_get(const struct fib *fib, uint32_t prefix, unsigned int len);

/* Readers. Addresses in host byte order. */
uint16_t fib_lookup(const struct fib *fib, uint32_t addr);
void fib_lookup_bulk(const struct fib *fib, const uint32_t *addrs, uint16_t *indexes,
		     unsigned int n);

/* For those who look up in vectors of their own. slots[addr >> 8] is the answer, or, with
 * FIB_BLOCK_FLAG, the number of a block: then slots[FIB_BLOCKS_AT + number * 256 + (addr & 255)]
 * is. An answer of 0 stands for *fallback. Slots may be read 32 bits at a time. */
#define FIB_BLOCK_FLAG 0x8000u
#define FIB_BLOCKS_AT (1u << 24)

struct fib_view {
	const uint16_t *slots;
	uint16_t fallback;
	uint32_t prefixes;     /* how many there are: a large table is better fetched ahead */
	const uint32_t *held;  /* a bit for each /16 (bit n % 32 of word n / 32): 0: no prefix but
				* that of the default route has anything in it. So where most goes
				* by the default, 8 KB are read instead of 32 MB */
};

static inline const struct fib_view *fib_view(const struct fib *fib)
{
	return (const struct fib_view *)(const void *)fib;
}

/* What the slots say of one address; it costs less to ask for its /16 in vain than to have a slot
 * come from far away. FIB_NONE stands for `fallback`. */
static inline uint16_t fib_view_answer(const struct fib_view *view, uint32_t addr)
{
	uint32_t word = __atomic_load_n(&view->held[addr >> 21], __ATOMIC_RELAXED);
	uint32_t at = addr >> 8;
	uint16_t slot;

	if (!(word >> (addr >> 16 & 31) & 1))
		return FIB_NONE;
	slot = __atomic_load_n(&view->slots[at], __ATOMIC_RELAXED);
	if (slot & FIB_BLOCK_FLAG) {
		at = (slot & ~FIB_BLOCK_FLAG) * 256u + FIB_BLOCKS_AT + (addr & 0xff);
		slot = __atomic_load_n(&view->slots[at], __ATOMIC_RELAXED);
	}
	return slot;
}

/* The prefixes that hold an address, from the longest on: what answer() makes of the first of which
 * it makes anything but 0; else 0. For the rare case: it tries every length. */
uint32_t fib_lookup_where(const struct fib *fib, uint32_t addr,
			  uint32_t (*answer)(uint16_t index, unsigned int len, const void *arg),
			  const void *arg);

void fib_stats_get(const struct fib *fib, struct fib_stats *s);

#endif
