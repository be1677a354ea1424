/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From what the operator says of a route to the next hop that it leads to. Within this room.
 *
 * A gateway must be reached by a route of link scope (or be given as onlink). It may also be one
 * of the router's own addresses: the route then leads to the link that owns it, and there to the
 * destination itself. Routes stay when what they were resolved by goes, so a saved one may have to
 * say how that was (`resolved`): then the tables and addresses are not looked at.
 */
#ifndef ROUTE_RESOLVE_H
#define ROUTE_RESOLVE_H

#include "route/route.h"

#define MTU_MAX 65520u  /* as Linux caps the metric */

static inline bool is_error_type(unsigned int type)
{
	return type == ROUTE_BLACKHOLE || type == ROUTE_UNREACHABLE || type == ROUTE_PROHIBIT ||
	       type == ROUTE_THROW;
}

static inline uint32_t table_of(const struct route_params *p)
{
	if (p->table)
		return p->table;
	return p->type == ROUTE_LOCAL || p->type == ROUTE_BROADCAST ? ROUTE_TABLE_LOCAL
								    : ROUTE_TABLE_MAIN;
}

static inline uint8_t protocol_of(const struct route_params *p)
{
	return (uint8_t)(p->protocol ? p->protocol : ROUTE_PROTO_BOOT);
}

/* Take a reference to what a route of this type leads to. */
int resolve(const struct route_params *p, unsigned int type, uint32_t *index, struct error *err);

/* Would a way of a route, its next hop or a member of that, be found again where it is now? By the
 * rules that there are, or by those of the start. The source address is not looked at. */
bool resolve_finds(const struct route *r, const struct nexthop *way, bool by_rules);

#endif
