/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP, inside lib/neigh. Control thread. */
#ifndef NEIGH_ARP_H
#define NEIGH_ARP_H

#include <stdint.h>

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>

#include "link/link.h"

#define SCOPE_LINK 253         /* Linux's scopes of addresses */
#define SCOPE_HOST 254

struct neigh;

/* ---- arp.c: what comes in ---- */

void arp_init(void);
/* Drop the requests that wait for their random delay before they are answered by proxy. */
void arp_proxy_purge(void);
unsigned int arp_proxy_held(void);    /* any thread, a moment old */

/* What an address is to this router: ROUTE_LOCAL, ROUTE_BROADCAST, ROUTE_MULTICAST, or
 * ROUTE_UNICAST for all else, routed or not. Linux's inet_addr_type. */
unsigned int arp_addr_type(rte_be32_t addr);

/* ---- arp_send.c: what goes out ---- */

/* Send one ARP frame through a worker. */
void arp_send(unsigned int worker, const struct link *l, uint16_t op,
	      const struct rte_ether_addr *to, rte_be32_t sip,
	      const struct rte_ether_addr *tha, rte_be32_t tip);
/* Ask for a neighbour: one probe of its state machine. */
void arp_solicit(const struct neigh *n);
/* Announce the addresses of a link, if arp_notify says so. */
void arp_notify(const struct link *l);

#endif
