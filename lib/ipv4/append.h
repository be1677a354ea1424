/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Gathering a datagram that the router sends, in the pieces that will leave. Rule G3; Linux's
 * ip_append_data and ip_push_pending_frames.
 *
 * What is appended is laid out at once as the fragments that the path's MTU asks for: a datagram
 * that fits is one piece; else each but the last has as many bytes as fit, rounded down to a
 * multiple of 8. Until then the last may be up to 7 bytes longer (the fraggap); when more comes
 * they move on to the next piece. The pieces become a frag_list (packet/chain.h), so that
 * ip_fragment() only has to put headers before them.
 *
 *	struct ip_cork c;
 *
 *	ip_cork_init(&c, &flow);         a flow that ip_route_output() has routed
 *	if (ip_append_data(w, &c, ...) && ip_append_mbuf(w, &c, m))
 *		ip_push_pending_frames(w, &c);
 *	else
 *		ip_flush_pending_frames(&c);
 */
#ifndef IPV4_APPEND_H
#define IPV4_APPEND_H

#include "ipv4/internal.h"

struct ip_cork {
	const struct ip_flow *flow;
	struct rte_mbuf *first, *last;   /* pieces, in a list by packet_of()->next */
	uint32_t len;                    /* of all, without IP header */
	uint32_t whole;                  /* so much fits the MTU */
	uint32_t part;                   /* so much has a piece that is not the last */
	uint32_t header;                 /* bytes of the IP header */
};

/* The flow must live as long as the cork. */
void ip_cork_init(struct ip_cork *c, const struct ip_flow *f);

/* Copies len bytes from an offset in what `from` stands for. */
typedef void (*ip_getfrag_fn)(void *from, uint32_t offset, uint32_t len, void *to);

/* Append len bytes that getfrag gives in turn, in ranges that rise without a gap. false: no mbufs,
 * or more than a datagram can hold (more than the path's MTU, where the flow does not allow
 * fragments). Then the datagram can only be flushed. */
bool ip_append_data(struct worker *w, struct ip_cork *c, ip_getfrag_fn getfrag, void *from,
		    uint32_t len);

/* Append a packet's bytes without copying them: its mbufs become part of the datagram, cut and
 * referred to where a boundary goes through them; a piece that needs one gets an mbuf for its
 * headers. The packet no longer counts as one in the account. Consumes m, in any case. false: as
 * ip_append_data(). */
bool ip_append_mbuf(struct worker *w, struct ip_cork *c, struct rte_mbuf *m);

/* Send the datagram, which is not empty; the cork is empty then. Counts it as originated. */
void ip_push_pending_frames(struct worker *w, struct ip_cork *c);

/* Throw it away. */
void ip_flush_pending_frames(struct ip_cork *c);

/* Send a packet that is larger than the path's MTU: its transport datagram, from the first byte on,
 * which is not counted in the account yet, in pieces that refer to it or are copies, whichever
 * costs less. Consumes m. false: there is no memory for that many pieces, or Linux's ICMP socket
 * would have none; counted as discarded. */
bool ip_send_gathered(struct worker *w, struct rte_mbuf *m, const struct ip_flow *f);

#endif
