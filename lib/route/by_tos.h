/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A prefix whose next hop depends on the TOS: rule H1. Such a prefix has one entry in the FIB or
 * trie, to a next hop of type ROUTE_BY_TOS, which holds the choice. The entry is the prefix's own
 * and gets another choice with each change of the prefix's routes; that holds no references, for
 * the routes do, and they outlive it.
 *
 * If no route of the prefix is for a packet, the next shorter prefix is asked.
 *
 * Likewise the others of a prefix: all routes that may be the way of a packet that must leave by a
 * certain link (route_lookup_over()), where there are more than the prefix's entry leads to. They
 * are few: of one TOS each has a link that none before it has, and an error is the last.
 */
#ifndef ROUTE_BY_TOS_H
#define ROUTE_BY_TOS_H

#include <stdint.h>

#include "route/nexthop.h"

/* What of a packet's TOS is compared with a route's: Linux's INET_DSCP_LEGACY_TOS_MASK. */
#define TOS_MATCHED 0x1c

struct by_tos {
	uint16_t n;
	struct {
		uint8_t tos;            /* 0: any */
		uint16_t nexthop;       /* index */
	} choice[];             /* in the order in which they are tried */
};

/* Is choice i for a packet with this TOS? */
static inline bool by_tos_fits(const struct by_tos *b, unsigned int i, uint8_t tos)
{
	return !b->choice[i].tos || b->choice[i].tos == (tos & TOS_MATCHED);
}

#endif
