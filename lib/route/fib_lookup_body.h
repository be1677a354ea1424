/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst's lookup by gathers, LANES addresses at a time. Who includes it has defined
 *
 *	LANES              8 or 16
 *	lanes_t            a vector of so many uint32_t, with the compiler's operators
 *	lanes_gather(t, i) the 32 bits that begin at t[i], of 16-bit words
 *	lanes_gather_where(v, t, i, where)  the same in lanes where `where` is all ones, else v's
 *	lanes_any(v)       is a lane not 0
 *	lanes_store(to, v) the lower 16 bits of each lane, side by side
 *
 * and then FIB_LOOKUP, the function's name. One pass a level, so that the cache misses of a level
 * overlap. Lanes without a block keep what the first gather has read: their slots may hold a block
 * by now, whose number is no answer.
 */
#include "route/fib_lookup.h"

#define GROUPS (FIB_LOOKUP_BURST / LANES)

static __rte_always_inline void second_level(const struct fib_view *view, lanes_t *v, lanes_t addr)
{
	lanes_t where = (lanes_t)(*v > FIB_BLOCK_FLAG - 1);

	*v = lanes_gather_where(*v, view->slots,
				(*v & ~FIB_BLOCK_FLAG) * 256u + FIB_BLOCKS_AT + (addr & 0xffu),
				where) & 0xffffu;
}

void FIB_LOOKUP(const struct fib_view *view, const uint32_t *addrs, uint16_t *indexes,
		unsigned int n)
{
	uint16_t fallback = __atomic_load_n(&view->fallback, __ATOMIC_RELAXED);
	lanes_t v[GROUPS], addr, any = {0};
	unsigned int groups = n / LANES;

	for (unsigned int g = 0; g < groups; g++) {
		memcpy(&addr, &addrs[g * LANES], sizeof(addr));
		v[g] = lanes_gather(view->slots, addr >> 8) & 0xffffu;
		any |= v[g];
	}
	if (unlikely(lanes_any(any & FIB_BLOCK_FLAG)))
		for (unsigned int g = 0; g < groups; g++) {
			if (!lanes_any(v[g] & FIB_BLOCK_FLAG))
				continue;
			memcpy(&addr, &addrs[g * LANES], sizeof(addr));
			second_level(view, &v[g], addr);
		}
	for (unsigned int g = 0; g < groups; g++)
		lanes_store(&indexes[g * LANES], v[g] | ((lanes_t)(v[g] == 0) & fallback));
}
