/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes: the tables as the operator sees them (the RIB), and the FIB compiled from them.
 *
 * As in Linux without policy rules, tables local (255) and main (254) are looked up as one trie:
 * the longest prefix wins, local before main at equal length; within a prefix the lowest metric;
 * what leads over a link that goes down is removed, but for routes of host scope. Connected, local
 * and broadcast routes come and go with addresses and link state exactly as Linux's fib_frontend
 * does (fib_add_ifaddr, fib_del_ifaddr, fib_disable_ip).
 */
#ifndef ROUTE_ROUTE_H
#define ROUTE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

#include "core/error.h"
#include "route/fib.h"
#include "route/nexthop.h"

#define ROUTE_TABLE_DEFAULT 253
#define ROUTE_TABLE_MAIN 254
#define ROUTE_TABLE_LOCAL 255

enum route_protocol { ROUTE_PROTO_BOOT = 3, ROUTE_PROTO_KERNEL = 2, ROUTE_PROTO_STATIC = 4 };

struct route_params {
	uint32_t prefix;        /* host byte order */
	unsigned int len;
	unsigned int type;      /* enum route_type; 0: unicast, in route_del any */
	rte_be32_t gateway;     /* 0: none */
	int link;               /* id, -1: none, to be found from the gateway */
	rte_be32_t src;         /* 0: none */
	uint32_t metric, mtu;
	unsigned int table;     /* 0: by type, main or local as iproute2 does */
	unsigned int protocol;  /* 0: boot, in route_del any */
	bool onlink;
};

/* A route as stored; read only outside lib/route. */
struct route {
	uint32_t prefix;
	uint32_t metric;
	uint8_t len;
	uint8_t table;
	uint8_t protocol;
	uint8_t type;
	uint32_t nexthop;       /* index; of a throw route its next hop's type is ROUTE_NONE */
	struct route *next;     /* same prefix and table, by rising metric */
};

/* Registers with link's notifiers, and takes in the links that are there. */
int route_init(void);
void route_fini(void);          /* once no worker looks anything up */

/* The errors are Linux's where it has them ("Nexthop has invalid gateway", ...), in words that
 * name what is wrong. route_add: -EEXIST when prefix and metric are there; route_replace takes
 * the place of the one with the same prefix and metric, or adds. route_del: every field that is
 * given must match; the first that does goes. */
int route_add(const struct route_params *p, struct error *err);
int route_replace(const struct route_params *p, struct error *err);
int route_del(const struct route_params *p, struct error *err);

/* In order of table, prefix, length, metric; table 0: all. Stops when fn returns non-zero and
 * returns that. fn must not change routes. */
int route_foreach(unsigned int table, int (*fn)(const struct route *r, void *arg), void *arg);

/* The route that the FIB's answer for this address stems from, NULL if none. Control thread. */
const struct route *route_match(rte_be32_t addr);

/* ---- any thread ---- */
extern struct fib *route_fib;

/* The operator has added a local route some time: from then on a route of type local no more
 * tells that an address is configured on a link. Linux's fib_has_custom_local_routes. */
extern bool route_custom_local;

static inline const struct nexthop *route_lookup(rte_be32_t addr)
{
	return nexthop_get(fib_lookup(route_fib, rte_be_to_cpu_32(addr)));
}

#endif
