/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ethernet input; see ethernet.h. Rule A1: a frame to another host's address is dropped before
 * anything is counted at the IP level. Frames of a VLAN are not for an untagged link; a tag with
 * VLAN 0 is only about priority (IEEE 802.1Q 6.9.1) and as if it were not there, as in Linux.
 */
#include "link/ethernet.h"

#include <rte_ether.h>

#include "core/message.h"
#include "link/queue.h"
#include "packet/packet.h"

eth_burst_fn eth_burst_handler = eth_input;
void (*eth_ipv4_handler)(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n);

static enum packet_type frame_type(const struct link *l, const struct rte_ether_addr *dst)
{
	if (likely(rte_is_same_ether_addr(dst, &l->mac)))
		return PACKET_HOST;
	if (rte_is_broadcast_ether_addr(dst))
		return PACKET_BROADCAST;
	if (rte_is_multicast_ether_addr(dst))
		return PACKET_MULTICAST;
	return PACKET_OTHERHOST;
}

static void arp_to_control(struct worker *w, const struct link *l, struct rte_mbuf *m)
{
	struct message msg = {.kind = MSG_ARP_INPUT, .link = l->id, .mbuf = m};

	if (!message_to_control(w, &msg))
		packet_drop(w, m, DROP_CONTROL_QUEUE_FULL);
}

#define VLAN_ID_MASK RTE_BE16(0x0fff)

static bool is_tag(rte_be16_t ether_type)
{
	return ether_type == RTE_BE16(RTE_ETHER_TYPE_VLAN) ||
	       ether_type == RTE_BE16(RTE_ETHER_TYPE_QINQ);
}

static void step_over(struct rte_mbuf *m, uint16_t bytes)
{
	m->data_off += bytes;
	m->data_len -= bytes;
	m->pkt_len -= bytes;
}

/* The type behind tags of VLAN 0, which m's data begins with; steps over them. That of a tag if
 * there is another VLAN, and 0 if nothing is behind. */
static __rte_noinline rte_be16_t tags_input(struct rte_mbuf *m, rte_be16_t ether_type)
{
	while (is_tag(ether_type)) {
		const struct rte_vlan_hdr *tag;

		if (!packet_pull(m, sizeof(*tag) + sizeof(rte_be16_t)))
			return 0;
		tag = rte_pktmbuf_mtod(m, const struct rte_vlan_hdr *);
		if (tag->vlan_tci & VLAN_ID_MASK)
			break;
		ether_type = tag->eth_proto;
		packet_of(m)->frame_rest += sizeof(*tag);
		step_over(m, sizeof(*tag));
	}
	return ether_type;
}

enum frame {
	FRAME_CONSUMED,
	FRAME_IPV4,                    /* it begins at its IP header now */
	FRAME_ARP,                     /* it begins at its ARP header now */
};

static enum frame frame_input(struct worker *w, const struct link *l, struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth;
	enum packet_type type;
	rte_be16_t ether_type;

	if (unlikely(!packet_pull(m, sizeof(*eth)))) {
		packet_drop(w, m, DROP_PKT_TOO_SMALL);
		return FRAME_CONSUMED;
	}
	eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	type = frame_type(l, &eth->dst_addr);
	ether_type = eth->ether_type;
	*packet_of(m) = (struct packet){
		.link = l->id,
		.type = (uint8_t)type,
		.flags = (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) ==
					 RTE_MBUF_F_RX_IP_CKSUM_GOOD && l->trust_checksum ?
				 PACKET_F_CSUM_GOOD : 0,
		.arrival_ns = w->now_ns,
	};
	step_over(m, sizeof(*eth));
	if (unlikely(type == PACKET_OTHERHOST)) {
		packet_drop(w, m, DROP_OTHERHOST);
		return FRAME_CONSUMED;
	}
	if (unlikely(is_tag(ether_type)))
		ether_type = tags_input(m, ether_type);
	if (likely(ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4)))
		return FRAME_IPV4;
	if (ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP))
		return FRAME_ARP;
	packet_drop(w, m, DROP_UNHANDLED_PROTO);
	return FRAME_CONSUMED;
}

/* IPv4 is handed on in bursts, but never past an ARP frame: what asks for a neighbour and what
 * answers reach the control thread in the order in which they came. */
uint64_t eth_input(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n)
{
	struct rte_mbuf *ip[BURST];
	unsigned int n_ip = 0;
	uint64_t bytes = 0;
	enum frame kind;

	for (unsigned int i = 0; i < n; i++) {
		if (i + 4 < n)
			rte_prefetch0(rte_pktmbuf_mtod(m[i + 4], void *));
		bytes += m[i]->pkt_len;
		kind = frame_input(w, l, m[i]);
		if (likely(kind == FRAME_IPV4)) {
			ip[n_ip++] = m[i];
		} else if (kind == FRAME_ARP) {
			if (n_ip)
				eth_ipv4_handler(w, l, ip, n_ip);
			n_ip = 0;
			arp_to_control(w, l, m[i]);
		}
	}
	if (n_ip)
		eth_ipv4_handler(w, l, ip, n_ip);
	return bytes;
}
