/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops: what a route leads to. One flat array, indexed by the FIB's 15-bit answer; equal
 * next hops are shared and counted. Entry 0 is "no route". What is learned of paths (MTUs,
 * gateways) belongs to a next hop, so that no more is shared than in Linux: routes of other tables,
 * metrics and protocols have their own, and so have the members of each group, unless there are
 * very many (NEXTHOPS_AMPLE).
 *
 * Two kinds of entries lead on to others: a group spreads flows over its members (group.h), and
 * where a prefix has routes for some TOS only, an entry of its own chooses among them (by_tos.h).
 * A member never is a group, and neither is ever a member of the other kind.
 *
 * Written by the control thread before the index is published in the FIB; afterwards only the
 * single words `src`, `flags` and `group` change in place, with addresses, links and carrier. An
 * index is reused after a grace period.
 */
#ifndef ROUTE_NEXTHOP_H
#define ROUTE_NEXTHOP_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "core/error.h"

#define NEXTHOPS_MAX 32768

/* While fewer are in use a group has members of its own; groups that come later share theirs, so
 * that there can be as many as next hops. */
#define NEXTHOPS_AMPLE 1024

enum route_type {               /* the order and names of iproute2 */
	ROUTE_NONE,             /* no route: entry 0, and what a throw route leads to */
	ROUTE_UNICAST,
	ROUTE_LOCAL,
	ROUTE_BROADCAST,
	ROUTE_BLACKHOLE,
	ROUTE_UNREACHABLE,
	ROUTE_PROHIBIT,
	ROUTE_THROW,
	ROUTE_MULTICAST,        /* never in a table; what 224/4 is given on output */
	ROUTE_GROUP,            /* only of a next hop, of a unicast route over several members */
	ROUTE_BY_TOS,           /* only of a next hop: which one it is depends on the TOS */
	ROUTE_TYPES
};

struct by_tos;                  /* by_tos.h */
struct group;                   /* group.h */

struct nexthop {
	uint8_t type;           /* enum route_type */
	uint8_t scope;          /* Linux's: 0 universe (gateway), 253 link, 254 host */
	uint16_t link;          /* output link's id; of ROUTE_LOCAL the owner */
	rte_be32_t gateway;     /* 0: the destination itself is the neighbour to send to */
	rte_be32_t src;         /* preferred source: the route's, else selected on the link */
	uint32_t mtu;           /* the route's mtu metric; 0: the link's */
	uint32_t flags;         /* NEXTHOP_F_* */
	uint8_t hoplimit;       /* TTL of what the router sends this way; 0: ip_default_ttl */
	union {
		struct group *group;            /* ROUTE_GROUP; rcu_read() */
		const struct by_tos *by_tos;    /* ROUTE_BY_TOS; rcu_read() */
	};
	rte_be32_t via;         /* the route's own gateway; `gateway` is 0 where via is one of the
				 * router's own addresses, as Linux does */
	/* control thread only */
	rte_be32_t asked_src;   /* the route's own src, 0: none */
	uint32_t table, metric; /* of the routes */
	uint32_t place;         /* of a member: which one of which group, hashed; else 0 */
	uint8_t protocol;       /* of the routes */
	uint32_t refs;
	uint32_t next;          /* hash chain, free list */
} __rte_cache_aligned;

#define NEXTHOP_F_LINKDOWN 0x1  /* its link has no carrier */
#define NEXTHOP_F_DEAD 0x2      /* its link is down; never set on a route's only next hop, for
				 * such routes go with the link */
#define NEXTHOP_F_ONLINK 0x4    /* the gateway need not be in a subnet of the link */
#define NEXTHOP_F_MEMBER 0x8    /* of groups: stays, dead, when its link goes down */
#define NEXTHOP_F_MTU_LOCKED 0x10 /* nothing that is reported of a path changes mtu */
#define NEXTHOP_F_IDENTITY (NEXTHOP_F_ONLINK | NEXTHOP_F_MEMBER | NEXTHOP_F_MTU_LOCKED)

extern struct nexthop *nexthops;   /* NEXTHOPS_MAX entries */

static inline const struct nexthop *nexthop_get(uint32_t index)
{
	return &nexthops[index];
}

/* Source address of what the router itself sends by this next hop. */
static inline rte_be32_t nexthop_src(const struct nexthop *nh)
{
	return __atomic_load_n(&nh->src, __ATOMIC_RELAXED);
}

/* Does it lead over this link, in a group with any member? Linux's fib_info_nh_uses_dev. Any
 * thread. */
bool nexthop_over(uint32_t index, unsigned int link);

/* May a route be used that leads here? Linux's fib_lookup_good_nhc: not dead, and with carrier
 * where ignore_routes_with_linkdown says so; of a group any member. Any thread, but of a group the
 * control thread. */
bool nexthop_usable(uint32_t index);

/* ---- control thread ---- */

#define SCOPE_UNIVERSE 0
#define SCOPE_LINK 253
#define SCOPE_HOST 254

int nexthop_init(void);         /* 0 or a negative errno */
void nexthop_fini(void);

/* Find an equal one or make it; takes a reference. Equal is by what the route asks for: type,
 * scope, link, via, gateway, asked_src, mtu, hoplimit, table, metric, protocol, place and
 * NEXTHOP_F_IDENTITY, and of a group its members and their weights; of the other fields of `like`
 * only NEXTHOP_F_DEAD counts, where it is made. A group that is made copies like->group and takes
 * references to the members. Returns the index, 0 when all are in use. */
uint32_t nexthop_hold(const struct nexthop *like);
/* An entry of type ROUTE_BY_TOS, with one reference. Takes `by_tos`, of malloc(), over unless all
 * are in use. */
uint32_t nexthop_hold_by_tos(struct by_tos *by_tos);
/* The same entry has other choices from now on. Takes `by_tos` over. */
void nexthop_set_by_tos(uint32_t index, struct by_tos *by_tos);
void nexthop_release(uint32_t index);
unsigned int nexthop_used(void);

/* Addresses have changed: choose again the sources that no route asked for. */
void nexthop_select_sources(void);

/* A link's carrier came or went. Returns whether any next hop leads over it. */
bool nexthop_set_carrier(unsigned int link, bool carrier);

/* Told of each index that came into use, or went out of it (refs is 0 then); NULL: nobody. */
extern void (*nexthop_changed)(uint32_t index);

/* A link went down or came up: its members of groups are dead or alive, and what is left shares
 * the flows. Returns whether there are any. */
bool nexthop_set_dead(unsigned int link, bool dead);

/* ignore_routes_with_linkdown has changed for a link. */
void nexthop_linkdown_rule(unsigned int link);

/* "unicast", "blackhole" ..., and back (-1: no such type). */
const char *route_type_name(unsigned int type);
int route_type_parse(const char *word);

#endif
