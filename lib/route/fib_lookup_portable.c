/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst's lookup on any CPU: slots by plain loads, what follows in the compiler's vectors of
 * eight answers. Blocks are rare, and are gone through one by one after all slots were read.
 *
 * A slot is read once: an answer that was found is kept, for there may be a block in the slot by
 * now.
 */
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "route/fib_lookup.h"

#define LANES 8u
#define BLOCK_FLAGS (FIB_BLOCK_FLAG * 0x0001000100010001ULL) /* of four answers */

typedef uint16_t lanes_t __attribute__((vector_size(2 * LANES)));

static __rte_always_inline uint16_t load(const uint16_t *slot)
{
	return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

static __rte_always_inline lanes_t load_lanes(const uint16_t *slots, const uint32_t *addrs)
{
	return (lanes_t){
		load(&slots[addrs[0] >> 8]), load(&slots[addrs[1] >> 8]),
		load(&slots[addrs[2] >> 8]), load(&slots[addrs[3] >> 8]),
		load(&slots[addrs[4] >> 8]), load(&slots[addrs[5] >> 8]),
		load(&slots[addrs[6] >> 8]), load(&slots[addrs[7] >> 8]),
	};
}

static __rte_always_inline bool any_block(lanes_t v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof(v));
	return (half[0] | half[1]) & BLOCK_FLAGS;
}

/* Which of four answers in a word has the lowest bit that is set. */
static __rte_always_inline unsigned int first_of(uint64_t four)
{
	unsigned int at = (unsigned int)__builtin_ctzll(four) / 16;

	return RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN ? at : 3 - at;
}

static __rte_noinline void lookup_blocks(const struct fib_view *view, uint16_t fallback,
					 const uint32_t *addrs, uint16_t *indexes, unsigned int n)
{
	uint64_t four;

	for (unsigned int i = 0; i < n; i += 4) {
		memcpy(&four, indexes + i, sizeof(four));
		for (four &= BLOCK_FLAGS; four; four &= four - 1) {
			unsigned int at = i + first_of(four);
			uint32_t block = indexes[at] & ~FIB_BLOCK_FLAG;
			uint16_t answer = load(&view->slots[FIB_BLOCKS_AT + block * 256u +
							    (addrs[at] & 0xff)]);

			indexes[at] = answer ? answer : fallback;
		}
	}
}

void fib_lookup_portable(const struct fib_view *view, const uint32_t *addrs, uint16_t *indexes,
			 unsigned int n)
{
	uint16_t fallback = load(&view->fallback);
	lanes_t any = {0}, v;

	for (unsigned int i = 0; i < n; i += LANES) {
		v = load_lanes(view->slots, addrs + i);
		any |= v;
		v |= (lanes_t)(v == 0) & fallback;
		memcpy(indexes + i, &v, sizeof(v));
	}
	if (unlikely(any_block(any)))
		lookup_blocks(view, fallback, addrs, indexes, n);
}
