/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ethernet input: what type of frame it is, for whom, and who handles it.
 */
#ifndef LINK_ETHERNET_H
#define LINK_ETHERNET_H

#include "core/worker.h"
#include "link/link.h"

/* Who takes the bursts of received frames (data at the Ethernet header) from one link; consumes
 * them and returns their bytes, with Ethernet headers. eth_input(), unless a fast path was set
 * before, which leaves to eth_input() what it does not take. Set before the workers start. */
typedef uint64_t (*eth_burst_fn)(struct worker *w, struct link *l, struct rte_mbuf **m,
				 unsigned int n);
extern eth_burst_fn eth_burst_handler;

/* A burst from one link: fills in each packet's private data, steps over the Ethernet header, and
 * hands IPv4 to the registered handler as one burst in order, ARP to the control thread; the rest
 * is dropped for its reason. Consumes all of m[]. */
uint64_t eth_input(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n);

/* Who takes bursts of IPv4 (data at the IP header); consumes them. */
extern void (*eth_ipv4_handler)(struct worker *w, struct link *l, struct rte_mbuf **m,
				unsigned int n);

#endif
