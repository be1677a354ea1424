/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes: the tables as the operator sees them (the RIB), and what workers look up, compiled from
 * them.
 *
 * As in Linux without policy rules, tables local (255) and main (254) are looked up as one trie:
 * the longest prefix wins, local before main at equal length; where both have nothing, table
 * default (253) is asked. The FIB holds the two together, so that a packet costs one lookup. While
 * there are other rules (rule.h) than at the start, the tables are looked up as these say
 * (rule_set.h; merge.h says what is left of that when they have gone).
 *
 * Within a prefix, routes for the packet's TOS come before those for any, then the lowest metric
 * wins; what leads over a link that goes down is removed, but for routes of host scope. Connected,
 * local and broadcast routes come and go with addresses and link state exactly as Linux's
 * fib_frontend does (fib_add_ifaddr, fib_del_ifaddr, fib_disable_ip).
 */
#ifndef ROUTE_ROUTE_H
#define ROUTE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

#include "core/error.h"
#include "route/fib.h"
#include "route/nexthop.h"

#define ROUTE_TABLE_DEFAULT 253
#define ROUTE_TABLE_MAIN 254
#define ROUTE_TABLE_LOCAL 255

enum route_protocol { ROUTE_PROTO_BOOT = 3, ROUTE_PROTO_KERNEL = 2, ROUTE_PROTO_STATIC = 4 };

/* How a way was found that is not to be looked for again. */
enum route_resolved {
	ROUTE_UNRESOLVED,
	ROUTE_RESOLVED_GATEWAY, /* packets go to the gateway */
	ROUTE_RESOLVED_DIRECT,  /* to the destination itself: the gateway, if any, was an address of
				 * the router's */
};

/* One of several ways of a route. */
struct route_hop {
	rte_be32_t gateway;     /* 0: none */
	int link;               /* id, -1: none */
	unsigned int weight;    /* 1 to GROUP_WEIGHT_MAX */
	bool onlink;
	bool dead;              /* takes no part until its link comes up or gets an address */
	enum route_resolved resolved;
};

struct route_params {
	uint32_t prefix;        /* host byte order */
	unsigned int len;
	unsigned int type;      /* enum route_type; 0: unicast, in route_del any */
	rte_be32_t gateway;     /* 0: none */
	int link;               /* id, -1: none, to be found from the gateway */
	rte_be32_t src;         /* 0: none */
	uint32_t metric, mtu;
	uint32_t table;         /* 0: by type, main or local as iproute2 does */
	unsigned int protocol;  /* 0: boot, in route_del any */
	unsigned int hoplimit;  /* 0: none */
	uint8_t tos;            /* 0: any */
	bool mtu_locked;        /* mtu holds whatever is reported of the path */
	bool onlink;
	enum route_resolved resolved;
	bool scope_given;
	uint8_t scope;
	const struct route_hop *hops;   /* several ways; gateway, link, onlink, resolved are unset
					 * then */
	unsigned int n_hops;
};

/* A route as stored; read only outside lib/route. */
struct route {
	uint32_t prefix;
	uint32_t metric;
	uint32_t table;
	uint16_t nexthop;       /* index; of a throw route its next hop's type is ROUTE_NONE, of one
				 * with several ways ROUTE_GROUP */
	uint8_t len;
	uint8_t tos;            /* 0: any */
	uint8_t protocol;
	uint8_t type;
	struct route *next;     /* same prefix and table, by falling TOS, then rising metric */
};

/* Registers with link's notifiers, and takes in the links that are there. */
int route_init(void);
void route_fini(void);          /* once no worker looks anything up */

/* What to do where a route with the same table, prefix, TOS and metric is there. */
enum route_how {
	ROUTE_ADD,              /* -EEXIST */
	ROUTE_REPLACE,          /* take the place of the first; add if there is none */
	ROUTE_CHANGE,           /* the same; -ENOENT if there is none */
	ROUTE_APPEND,           /* come after them; -EEXIST if it is one of them */
	ROUTE_PREPEND,          /* come before them; likewise */
};

/* The errors are Linux's where it has them ("Nexthop has invalid gateway", ...), in words that
 * name what is wrong. route_del: every field that is given must match, and TOS also if it is not;
 * the first that does goes. */
int route_enter(const struct route_params *p, enum route_how how, struct error *err);
int route_del(const struct route_params *p, struct error *err);
/* Remove the routes of a table, 0: of all tables, that which() says yes to; also those that
 * addresses have brought along. which() must not change routes. */
void route_flush(uint32_t table, bool (*which)(const struct route *r, void *arg), void *arg);

/* In order of table, prefix (the longest of a base address first), TOS, metric; table 0: all. Stops
 * when fn returns non-zero and returns that. fn must not change routes. */
int route_foreach(uint32_t table, int (*fn)(const struct route *r, void *arg), void *arg);
/* Tables that have routes or rules, and those that are always there. */
unsigned int route_count_tables(void);

/* ---- any thread ---- */

/* What a packet, or one that might be, is looked up by. Linux's struct flowi4. */
struct route_flow {
	rte_be32_t dst, src;    /* src 0: not known yet */
	uint16_t iif;           /* id of the link that it comes in by; LINK_LO: it begins here */
	uint8_t tos;
	uint32_t mark;          /* what filter rules or an application have put on it */
};

/* Table main, and local with it as long as route_rules is NULL, or merged (rule_set.h). */
extern struct fib *route_fib;

/* The rules, NULL while they are as they were at the start and local and main can be looked up as
 * one: the one word that says whether a lookup in route_fib is all there is to do. rcu_read(). */
struct rule_set;
extern struct rule_set *route_rules;

/* Which of a packet's source addresses are refused for what they are (rule A, "Source
 * validation")? Changed by the control thread at any time; __atomic_load_n(). */
enum route_sources {
	ROUTE_SOURCES_CONFIGURED,  /* those configured on links */
	ROUTE_SOURCES_HOSTS,       /* those that the tables call local or broadcast: single ones */
	ROUTE_SOURCES_PREFIXES,    /* the same, but prefixes are among them, or rules
				    * lead to such routes of other tables */
};

/* An enum route_sources. The first as long as the operator has neither changed the rules nor added
 * a local route: Linux's fib_has_custom_rules and fib_has_custom_local_routes. */
extern uint8_t route_sources;

static inline bool route_sources_custom(void)
{
	return unlikely(__atomic_load_n(&route_sources, __ATOMIC_RELAXED) !=
			ROUTE_SOURCES_CONFIGURED);
}

/* The general case: the rules in their order; or whatever the FIB's answer is. By value, so
 * that on the plain path a flow never has to be in memory. */
uint32_t route_lookup_rules(struct route_flow f);
uint32_t route_lookup_open(struct route_flow f);
const struct nexthop *route_lookup_local_open(rte_be32_t addr);

static inline bool route_has_rules(void)
{
	return unlikely(__atomic_load_n(&route_rules, __ATOMIC_RELAXED) != NULL);
}

/* The next hop of a flow, its index; type ROUTE_NONE: no route. It may be a group; then a member
 * is still to be chosen (group_first(), or by the flow's hash). Linux's fib_lookup. */
static inline uint32_t route_lookup(const struct route_flow *f)
{
	uint32_t index;

	if (route_has_rules())
		return route_lookup_rules(*f);
	index = fib_lookup(route_fib, rte_be_to_cpu_32(f->dst));
	if (likely(nexthop_get(index)->type == ROUTE_UNICAST))
		return index;
	if (nexthop_get(index)->type == ROUTE_GROUP || nexthop_get(index)->type == ROUTE_LOCAL)
		return index;
	return route_lookup_open(*f);
}

/* The same, and how long the prefix is whose route it is; *len stays as it is where there is none,
 * or a rule is the answer. For rare occasions. */
uint32_t route_lookup_len(const struct route_flow *f, unsigned int *len);

/* The same for what must leave by a certain link: the first route that leads there, whether it is
 * the prefix's best or not; of a group the first member there. What refuses packets, and comes
 * before, does so here too. For rare occasions. Linux's fib_lookup with an output interface. */
uint32_t route_lookup_over(const struct route_flow *f, unsigned int link);

/* What table local says of an address: its next hop is of type ROUTE_LOCAL, ROUTE_BROADCAST, or
 * another. Linux's inet_addr_type and inet_lookup_ifaddr. */
static inline const struct nexthop *route_lookup_local(rte_be32_t addr)
{
	const struct nexthop *nh;

	if (!route_has_rules()) {
		nh = nexthop_get(fib_lookup(route_fib, rte_be_to_cpu_32(addr)));
		if (likely(nh->type != ROUTE_BY_TOS))
			return nh;
	}
	return route_lookup_local_open(addr);
}

/* Is it an address of the router itself? */
static inline bool route_is_local(rte_be32_t addr)
{
	return route_lookup_local(addr)->type == ROUTE_LOCAL;
}

/* ---- control thread ---- */

/* Called when the single addresses of table local have changed, while route_sources_custom(), and
 * before it becomes ROUTE_SOURCES_HOSTS. NULL: nobody wants to know. */
extern void (*route_local_changed)(void);
/* All of these. */
void route_local_hosts(void (*fn)(rte_be32_t addr, void *arg), void *arg);

/* The answer to a lookup and where it comes from; link: as of route_lookup_over(), -1: of
 * route_lookup(). */
struct route_answer {
	uint32_t nexthop;       /* as route_lookup() */
	const struct route *route;      /* NULL: none fits, or a rule says what to do */
	bool by_rule;           /* priority is that of the rule that led here */
	uint32_t priority;
};
void route_explain(const struct route_flow *f, int link, struct route_answer *a);

#endif
