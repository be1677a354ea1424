/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast path: whole bursts of received frames, as far as nothing special is about them.
 *
 * It forwards a frame if it is for this host by its MAC address, IPv4 with a plain header that
 * passes all of rule A, from and to ordinary unicast addresses, its TTL above 1, its source none
 * of the router's own addresses and not to be looked up (rp_filter), its next hop's MAC address
 * known, and fits the MTU; also where rules lead it, as long as local's is the first of them
 * (route/rule_set.h). And it collects fragments for the router itself. What it can't decide
 * it leaves untouched to eth_input(), in its place: the order in which frames leave a port, and
 * all counters, are those of the general path.
 *
 * The algorithm is written once (fast_body.h), for as many lanes as the CPU's vectors have, and
 * compiled for AVX-512, AVX2 and whatever the build's baseline is; fast.c chooses at run time. It
 * needs a little-endian CPU.
 */
#ifndef IPV4_FAST_H
#define IPV4_FAST_H

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "link/ethernet.h"

/* A frame with a header. */
#define FRAME_MIN (RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr))
/* Any of these bits of an mbuf's rearm data: it has several segments. */
#define SEVERAL_SEGS \
	(0xfffeULL << 8 * (offsetof(struct rte_mbuf, nb_segs) - \
			   offsetof(struct rte_mbuf, rearm_data)))

/* The setting net.millrace.fast_path_lanes, and with it eth_burst_handler; ip_fast_path (ipv4.h)
 * says whether it is on from the start. After link_init(). Returns 0 or a negative errno. */
int ip_fast_init(void);
void ip_fast_fini(void);

/* fast_avx512.c, fast_avx2.c, fast_portable.c */
uint64_t ip_fast_avx512(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n);
uint64_t ip_fast_avx2(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n);
uint64_t ip_fast_portable(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n);

#endif
