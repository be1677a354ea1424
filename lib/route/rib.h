/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes to the tables that carry along what workers look up, and searches by address. Within
 * this room. */
#ifndef ROUTE_RIB_H
#define ROUTE_RIB_H

#include "route/table.h"

/* Add a route, behind those of its TOS and metric or in front of them; its reference to the next
 * hop goes over on success. */
int rib_insert(struct table *t, const struct route *like, bool in_front, struct error *err);
/* Give a route another type, protocol and next hop; as above. */
int rib_change(struct table *t, struct route *r, const struct route *like, struct error *err);
/* Remove a route and give up its next hop. */
void rib_remove(struct table *t, struct route *r);

/* Same table, prefix, TOS, metric, type, protocol and next hop. */
bool rib_same(const struct route *a, const struct route *b);

/* Linux's fib_lookup, whatever the carrier: the longest prefix's first route of at least that
 * scope that leads over this link (-1: any), in the table of that number if it has one and is not
 * main, else in all as the rules say. */
const struct route *rib_lookup(uint32_t table, rte_be32_t addr, unsigned int scope, int link);
/* The same as if the rules were those of the start and had never been changed. */
const struct route *rib_lookup_at_start(uint32_t table, rte_be32_t addr, unsigned int scope,
					int link);

/* What an address is: ROUTE_LOCAL, ROUTE_BROADCAST, ROUTE_MULTICAST, else ROUTE_UNICAST. */
unsigned int rib_addr_type(rte_be32_t addr);

/* Routes over a link may have become usable or unusable: publish their prefixes again. */
void rib_publish_link(unsigned int link);

/* Compile a prefix of a table again. 0, or -ENOSPC: workers may find what they did before. */
int rib_publish(struct table *t, uint32_t prefix, unsigned int len);
/* The same where they must not, as what they found is about to go: for want of room it is
 * as if the prefix had no routes, until it changes again, and that is logged. */
void rib_republish(struct table *t, uint32_t prefix, unsigned int len);

#endif
