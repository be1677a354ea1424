/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the tables to the FIB. Each prefix has at most one entry in the FIB: the first usable
 * route of table local, else of main. Every change is made in the tables, then the prefix is
 * published again; a next hop is given up only when the FIB no longer leads to it.
 *
 * Usable is what Linux's fib_lookup_good_nhc passes: a route over a link without carrier is, but
 * for ignore_routes_with_linkdown. Routes whose link is down do not exist (connected.c).
 */
#include "route/rib.h"

#include <errno.h>

#include "link/link.h"
#include "route/table.h"

bool route_custom_local;
struct fib *route_fib;

static const unsigned int tables[] = { ROUTE_TABLE_LOCAL, ROUTE_TABLE_MAIN };

static bool usable(const struct route *r)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);
	const struct link *l;

	if (!(nh->flags & NEXTHOP_F_LINKDOWN))
		return true;
	l = link_get(nh->link);
	return !l || !LINK_CONF_OR(l, ignore_routes_with_linkdown);
}

static const struct route *best(uint32_t prefix, unsigned int len)
{
	for (unsigned int i = 0; i < RTE_DIM(tables); i++)
		for (const struct route *r = table_find(tables[i], prefix, len); r; r = r->next)
			if (usable(r))
				return r;
	return NULL;
}

static int publish(uint32_t prefix, unsigned int len)
{
	const struct route *r = best(prefix, len);
	uint16_t old = fib_get(route_fib, prefix, len);

	if (old == (r ? r->nexthop : FIB_NONE))
		return 0;
	if (r)
		return fib_set(route_fib, prefix, len, (uint16_t)r->nexthop);
	return fib_unset(route_fib, prefix, len);
}

static int no_block(const struct route *r, struct error *err)
{
	struct fib_stats s;

	fib_stats_get(route_fib, &s);
	return error_set(err, ENOSPC, "no room for a prefix longer than 24 bits in yet another /24"
			 " (%u of %u have some)", s.blocks_used, s.blocks_max);
}

int rib_insert(const struct route *like, struct error *err)
{
	struct route *r = table_insert(like);

	if (!r)
		return error_set(err, ENOMEM, "no memory for another route");
	if (!publish(r->prefix, r->len))
		return 0;
	table_remove(r);
	return no_block(like, err);
}

int rib_change(struct route *r, const struct route *like, struct error *err)
{
	const struct route old = *r;

	r->type = like->type;
	r->protocol = like->protocol;
	r->nexthop = like->nexthop;
	if (publish(r->prefix, r->len)) {
		*r = old;
		return no_block(like, err);
	}
	nexthop_release(old.nexthop);
	return 0;
}

void rib_remove(struct route *r)
{
	const struct route old = *r;

	table_remove(r);
	publish(old.prefix, old.len);
	nexthop_release(old.nexthop);
}

bool rib_same(const struct route *a, const struct route *b)
{
	return a->table == b->table && a->prefix == b->prefix && a->len == b->len &&
	       a->metric == b->metric && a->type == b->type && a->protocol == b->protocol &&
	       a->nexthop == b->nexthop;
}

/* ---- searches ---- */

static uint32_t masked(uint32_t addr, unsigned int len)
{
	return len ? addr & UINT32_MAX << (32 - len) : 0;
}

static const struct route *first_fitting(const struct route *r, unsigned int scope, int link)
{
	for (; r; r = r->next) {
		const struct nexthop *nh = nexthop_get(r->nexthop);

		if (nh->scope >= scope && (link < 0 || nh->link == link))
			return r;
	}
	return NULL;
}

const struct route *rib_lookup(rte_be32_t addr, unsigned int scope, int link)
{
	uint32_t host = rte_be_to_cpu_32(addr);

	for (int len = 32; len >= 0; len--) {
		for (unsigned int i = 0; i < RTE_DIM(tables); i++) {
			const struct route *r = table_find(tables[i], masked(host, len), len);

			r = first_fitting(r, scope, link);
			if (r)
				return r;
		}
	}
	return NULL;
}

const struct route *route_match(rte_be32_t addr)
{
	uint32_t host = rte_be_to_cpu_32(addr);

	for (int len = 32; len >= 0; len--) {
		const struct route *r = best(masked(host, len), len);

		if (r)
			return r;
	}
	return NULL;
}

unsigned int rib_addr_type(rte_be32_t addr)
{
	uint32_t host = rte_be_to_cpu_32(addr);
	const struct route *r;

	if (host >> 24 == 0 || host == UINT32_MAX)
		return ROUTE_BROADCAST;
	if (host >> 28 == 0xe)
		return ROUTE_MULTICAST;
	r = rib_lookup(addr, SCOPE_UNIVERSE, -1);
	return r && (r->type == ROUTE_LOCAL || r->type == ROUTE_BROADCAST) ? r->type
									   : ROUTE_UNICAST;
}

/* ---- carrier ---- */

/* Where there is no room in the FIB, the prefix is left out until its next change. */
static void publish_over_link(struct route *r, void *arg)
{
	const unsigned int *link = arg;

	if (nexthop_get(r->nexthop)->link == *link)
		publish(r->prefix, r->len);
}

void rib_publish_link(unsigned int link)
{
	table_sweep(publish_over_link, &link);
}
