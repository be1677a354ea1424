/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where there are several workers: which of them collects whose fragments.
 *
 * A hash of the sender's address names an entry, and an entry belongs to the worker that first had
 * a fragment for it, for as long as anything of it waits or is on its way: datagrams to be put
 * together, bursts at work, fragments that others hand over. So
 *   - fragments that a device does not spread, or spreads by addresses, stay where they came in,
 *     and what is made of them leaves in the order in which they came, among all else;
 *   - whatever the spreading, all that counts a sender's fragments (net.ipv4.ipfrag_max_dist) is
 *     on one worker.
 *
 * An entry is one word, owner and number of references. As references are only added and taken
 * away, and the owner changes only where there are none, nobody ever waits or tries again: who
 * fails to become the owner of an entry has seen that another did, or takes it as it is.
 * References of one worker are kept by that worker; all of them count as one in the entry.
 */
#ifndef IPV4_REASSEMBLE_OWNER_H
#define IPV4_REASSEMBLE_OWNER_H

#include <stdint.h>

#include "ipv4/reassemble_table.h"

#define FRAG_OWNERS_BITS 16          /* more entries than datagrams can wait */
#define FRAG_OWNERS (1u << FRAG_OWNERS_BITS)
#define FRAG_OWNER_SHIFT 24
#define FRAG_OWNER_REFS ((1u << FRAG_OWNER_SHIFT) - 1)

extern uint32_t frag_owners[FRAG_OWNERS];

/* An address's entry; the same for all workers. */
static inline uint32_t frag_owner_entry(const struct frag_table *t, uint64_t addrs)
{
	return (uint32_t)(((uint32_t)addrs + 1ULL) * t->source_key >> (64 - FRAG_OWNERS_BITS));
}

/* Add a reference to an entry. Returns the owner, which is self if there was none. */
static inline unsigned int frag_owner_take(uint32_t entry, unsigned int self)
{
	uint32_t *e = &frag_owners[entry], old = __atomic_load_n(e, __ATOMIC_RELAXED);

	if (!(old & FRAG_OWNER_REFS) && old >> FRAG_OWNER_SHIFT != self &&
	    __atomic_compare_exchange_n(e, &old, self << FRAG_OWNER_SHIFT | 1, false,
					__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return self;
	return __atomic_fetch_add(e, 1, __ATOMIC_ACQ_REL) >> FRAG_OWNER_SHIFT;
}

static inline void frag_owner_give_back(uint32_t entry)
{
	__atomic_fetch_sub(&frag_owners[entry], 1, __ATOMIC_ACQ_REL);
}

#endif
