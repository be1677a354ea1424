/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking up in one table, for workers. Within this room. */
#ifndef ROUTE_LOOKUP_H
#define ROUTE_LOOKUP_H

#include "route/rule.h"
#include "route/table.h"

/* A rule as workers read it. */
struct rule {
	uint32_t from, from_mask, to, to_mask;  /* host byte order; mask 0: any */
	uint32_t mark, mark_mask;
	int32_t iif;            /* link id, RULE_IIF_ANY, or RULE_IIF_NONE: its link is not there */
	uint8_t tos;            /* 0: any */
	bool not;
	uint16_t nexthop;       /* where the rule itself is the answer: its index */
	uint32_t priority;
	const struct table *table;      /* NULL: the rule itself is the answer */
};

#define RULE_IIF_ANY (-1)
#define RULE_IIF_NONE (-2)

struct rule_set {
	unsigned int n;
	struct rule rules[];
};

bool rule_matches(const struct rule *r, const struct route_flow *f);

/* What a next hop is to those who must leave by a certain link, or ANY_LINK: itself, 0 if it leads
 * elsewhere; of a group the first member there that is alive. What refuses packets does so
 * whichever link they are to leave by. */
#define ANY_LINK (-1)
uint32_t lookup_by_link(uint32_t index, int link);

#endif
