/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP options: rule B; RFC 791 3.1, RFC 1812 5.2.4 and 5.3.13.
 *
 * A received packet's options stay in its header and are worked on there: receiving fills in our
 * address and the time, forwarding the address of the link that the packet leaves by. Where they
 * lie and what has been done to them is noted in packet_of(m)->options, which holds for packets
 * whose header is longer than 20 bytes and for no others.
 *
 * The options of a packet that the router itself sends are made beforehand (struct ip_options) and
 * become part of its header in ip_queue_xmit().
 */
#ifndef IPV4_OPTIONS_H
#define IPV4_OPTIONS_H

#include "ipv4/internal.h"

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_RR 7             /* record route */
#define OPTION_TS 68            /* timestamp */
#define OPTION_LSRR 131         /* loose source route */
#define OPTION_CIPSO 134        /* FIPS 188 */
#define OPTION_SSRR 137         /* strict source route */
#define OPTION_RA 148           /* router alert, RFC 2113 */
#define OPTION_RA_VALUE 2       /* 16 bits */
#define OPTION_RA_LEN 4
#define OPTION_COPIED 0x80      /* this bit of the type: belongs into every fragment */

#define OPTIONS_BYTES_MAX 40

/* Bytes of an option, from its type. */
#define OPTION_LEN 1
#define OPTION_PTR 2            /* counted from 1 */
#define OPTION_TS_FLAG 3        /* low half; how many had no room in the high half */

#define TS_TIME_ONLY 0
#define TS_TIME_ADDRESS 1
#define TS_PRESPECIFIED 3

/* The options of a packet to be sent. The header's fields for addresses and times that the sender
 * enters are empty until ip_options_build(). */
struct ip_options {
	struct packet_options at;        /* offsets from the start of the IP header */
	uint8_t len;                     /* a multiple of 4, 0: none */
	rte_be32_t first_hop;            /* of a source route: what the packet is sent to */
	uint8_t bytes[OPTIONS_BYTES_MAX];
};

/* Bytes of the IP header of what is sent so. */
static inline uint32_t ip_flow_header(const struct ip_flow *f)
{
	return (uint32_t)sizeof(struct rte_ipv4_hdr) + (f->options ? f->options->len : 0);
}

/* Check the options in m's header, enter what this hop enters, and note where they are in
 * packet_of(m)->options. m must be routed, or have been. Linux's __ip_options_compile.
 * Returns 0, or where in the header the mistake is, as ICMP 12/0 says it; options before that are
 * processed and noted. */
uint8_t ip_options_compile(struct worker *w, struct rte_mbuf *m);

/* What receiving has to do with the options of a packet that ip_route_input() gave *verdict:
 * compile them and take a source route's next step, which changes *verdict and the route. false:
 * refused or not to be followed; answered as rule B says and dropped. */
bool ip_rcv_options(struct worker *w, const struct link *l, struct rte_mbuf *m,
		    enum route_verdict *verdict);

/* Forwarding's part, the last step before output: enter the address that m leaves from, and set
 * the checksum if the header was changed since it came. */
void ip_forward_options(struct rte_mbuf *m);

/* May a forwarded packet with options not take its route, as that has a gateway and its source
 * route is strict? */
bool ip_options_strict_failed(const struct rte_mbuf *m);

/* The options of an answer to m, whose own were compiled: rule B. false: there can be no answer, as
 * the room in an option for what comes next is not a whole entry. */
bool ip_options_echo(struct ip_options *o, const struct rte_mbuf *m);

/* Give the flow of an answer to m (dst is m's source) the options that belong to it, in *o, which
 * lives as long as the flow is used. With a source route dst becomes its first hop. false: as
 * ip_options_echo(). */
static inline bool ip_flow_answers(struct ip_flow *f, const struct rte_mbuf *m,
				   struct ip_options *o)
{
	if (likely(packet_ip(m)->version_ihl == 0x45))
		return true;
	if (!ip_options_echo(o, m))
		return false;
	f->options = o;
	f->final_dst = f->dst;
	if (o->at.srr)
		f->dst = o->first_hop;
	return true;
}

/* Put options behind the IP header at m's data, where there is room for them. The header's source
 * address is set; it is what the options record. final_dst: where a source route ends. Note them
 * in packet_of(m)->options too. */
void ip_options_build(const struct ip_options *o, struct rte_mbuf *m, rte_be32_t final_dst,
		      uint64_t now_ns);

/* Is an address that a sender of a timestamp option names another host's? If not, the entry is
 * ours to fill in. */
bool ip_options_foreign(rte_be32_t addr);

#endif
