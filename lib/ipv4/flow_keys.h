/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tells the flow that a packet belongs to from others, also inside of tunnels: Linux's
 * struct flow_keys and __skb_flow_dissect.
 */
#ifndef IPV4_FLOW_KEYS_H
#define IPV4_FLOW_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#define FLOW_IPV6_BYTES 16

enum flow_family {
	FLOW_IPV4,
	FLOW_IPV6,
	FLOW_NO_ADDRESSES,       /* neither: those in the keys mean nothing */
};

/* Network byte order, but for flow_label. What a packet has not got is 0. */
struct flow_keys {
	enum flow_family family; /* of the innermost header that was found */
	bool tunnelled;          /* it is a packet in another one */
	uint8_t protocol;
	uint32_t flow_label;
	rte_be16_t sport, dport;
	union {
		struct {
			rte_be32_t src, dst;
		};
		struct {
			uint8_t src6[FLOW_IPV6_BYTES], dst6[FLOW_IPV6_BYTES];
		};
	};
};

/*
 * Fills in the keys of a packet whose data begins at a valid IP header; m is only read. With inner
 * they are those of what lies in tunnels (IP in IP, GRE, and what GRE may carry), however deep, up
 * to where that is cut off or unknown; without, those of the outer header, and tunnelled says that
 * there is something in it. Fragments, the first too, have no ports, and nothing in them is looked
 * at. No look past m's end.
 */
void flow_keys_get(const struct rte_mbuf *m, bool inner, struct flow_keys *k);

#endif
