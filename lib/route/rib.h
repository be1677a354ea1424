/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes to the tables that carry the FIB along, and searches by address. Within this room. */
#ifndef ROUTE_RIB_H
#define ROUTE_RIB_H

#include "route/route.h"

/* Add a route; its reference to the next hop goes over on success. */
int rib_insert(const struct route *like, struct error *err);
/* Give a route another type, protocol and next hop; as above. */
int rib_change(struct route *r, const struct route *like, struct error *err);
/* Remove a route and give up its next hop. */
void rib_remove(struct route *r);

/* Same table, prefix, metric, type, protocol and next hop. */
bool rib_same(const struct route *a, const struct route *b);

/* Linux's fib_lookup, whatever the carrier: the longest prefix's first route of at least that
 * scope that does not lead over another link (-1: any). */
const struct route *rib_lookup(rte_be32_t addr, unsigned int scope, int link);

/* What an address is: ROUTE_LOCAL, ROUTE_BROADCAST, ROUTE_MULTICAST, else ROUTE_UNICAST. */
unsigned int rib_addr_type(rte_be32_t addr);

/* Routes over a link may have become usable or unusable: publish their prefixes again. */
void rib_publish_link(unsigned int link);

#endif
