/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ethernet input: what type of frame it is, for whom, and who handles it.
 */
#ifndef LINK_ETHERNET_H
#define LINK_ETHERNET_H

#include "core/worker.h"
#include "link/link.h"

/* A burst from one link: fills in each packet's private data, steps over the Ethernet header, and
 * hands IPv4 to the registered handler as one burst in order, ARP to the control thread; the rest
 * is dropped for its reason. Consumes all of m[]. */
void eth_input(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n);

/* Who takes bursts of IPv4 (data at the IP header); consumes them. */
extern void (*eth_ipv4_handler)(struct worker *w, struct link *l, struct rte_mbuf **m,
				unsigned int n);

#endif
