/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Groups of next hops: a route over several ways, among which a hash of the flow chooses. Rule H4;
 * Linux's fib_info with several fib_nh, its fib_rebalance and fib_select_multipath.
 *
 * A group is an entry of the array of next hops whose `group` leads here. Its members are entries
 * of their own (NEXTHOP_F_MEMBER), on which the group holds references. Member i takes the hashes
 * above the bound of the member before it, up to its own; bounds rise with the share of the sum of
 * weights so far, and a member that takes no part has -1. When a member's link goes down or comes
 * back the group is made again with new bounds, and published as a whole.
 */
#ifndef ROUTE_GROUP_H
#define ROUTE_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "route/nexthop.h"

#define GROUP_MEMBERS_MAX 128
#define GROUP_WEIGHT_MAX 256

struct group_member {
	uint16_t nexthop;       /* index */
	uint16_t weight;        /* 1 to GROUP_WEIGHT_MAX */
	int32_t bound;          /* the largest hash, of 31 bits, that it takes; -1: none */
};

struct group {
	uint16_t n;
	uint16_t first;         /* the first member that is usable; 0 if none is */
	bool usable;            /* any is; control thread */
	struct group_member members[];
};

/* Of an entry of type ROUTE_GROUP. Any thread. */
static inline const struct group *group_of(const struct nexthop *nh)
{
	return __atomic_load_n(&nh->group, __ATOMIC_ACQUIRE);
}

/* What a lookup answers before a member is chosen: of a group its first usable member, else the
 * entry itself. Any thread. */
static inline uint32_t group_first(uint32_t index)
{
	const struct nexthop *nh = nexthop_get(index);
	const struct group *g;

	if (nh->type != ROUTE_GROUP)
		return index;
	g = group_of(nh);
	return g->members[g->first].nexthop;
}

/* ---- control thread, within this room ---- */

/* A copy with bounds, and references to the members. NULL: no memory. */
struct group *group_new(const struct group *like);
/* The memory alone. */
void group_free(struct group *g);
/* Members have died or revived: publish new bounds. */
void group_balance(struct nexthop *nh);
/* A setting says anew which members are usable. As in Linux the bounds stay as they are. */
void group_find_first(struct group *g);
/* Is any member not dead, whatever the carrier? */
bool group_alive(const struct group *g);
/* Same members with the same weights in the same order; and a hash of these. */
bool group_same(const struct group *a, const struct group *b);
uint32_t group_hash(const struct group *g, uint32_t seed);

#endif
