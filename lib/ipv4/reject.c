/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers to packets that a hook drops; see reject.h. What is damaged gets no answer: Linux sums up
 * the whole payload, whatever the protocol is, but for some that have a checksum of another kind or
 * none (nf_reject_verify_csum).
 */
#include "ipv4/reject.h"

#include <netinet/in.h>

#include <rte_tcp.h>
#include <rte_udp.h>

#include "ipv4/internal.h"
#include "packet/checksum.h"

static bool has_checksum(const struct rte_mbuf *m, uint32_t header)
{
	struct rte_udp_hdr udp;

	switch (packet_ip(m)->next_proto_id) {
	case IPPROTO_UDP:
		if (m->pkt_len < header + sizeof(udp))
			return true;
		packet_read(m, header, sizeof(udp), &udp);
		return udp.dgram_cksum;
	case IPPROTO_GRE:
	case IPPROTO_AH:
	case IPPROTO_ESP:
	case IPPROTO_SCTP:
	case IPPROTO_UDPLITE:
		return false;
	default:
		return true;
	}
}

/* The IP header is part of the sum, as in Linux: it counts for nothing if its checksum is right. */
static bool checksum_good(const struct rte_mbuf *m, uint32_t header)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint32_t sum = checksum_chain(m, 0, m->pkt_len);

	if (ip->next_proto_id == IPPROTO_TCP || ip->next_proto_id == IPPROTO_UDP)
		sum += checksum_pseudo(ip->src_addr, ip->dst_addr, ip->next_proto_id,
				       (uint16_t)(m->pkt_len - header));
	return checksum_fold(sum) == 0xffff;
}

/* While Linux sends an ICMP message of its own, none can be sent about it (icmp_xmit_lock). An echo
 * request is none of those. */
static bool is_own_icmp(const struct rte_mbuf *m, uint32_t header)
{
	uint8_t type = ICMP_ECHO;

	if (!(packet_of(m)->flags & PACKET_F_LOCAL) || packet_ip(m)->next_proto_id != IPPROTO_ICMP)
		return false;
	if (m->pkt_len > header)
		packet_read(m, header, 1, &type);
	return type != ICMP_ECHO;
}

/* Before a packet is routed, what is known of its route is the way back. */
static bool route_back(struct rte_mbuf *m)
{
	struct ip_flow f = {.dst = packet_ip(m)->src_addr};

	if (ip_route_output(&f))
		return false;
	packet_of(m)->route_type = f.route_type;
	packet_of(m)->flags |= PACKET_F_ROUTE_BACK;
	return true;
}

void ip_reject(struct worker *w, struct rte_mbuf *m, enum hook_point point, uint8_t icmp_code)
{
	uint32_t header = rte_ipv4_hdr_len(packet_ip(m));

	if ((packet_ip(m)->fragment_offset & FRAG_OFFSET) || is_own_icmp(m, header) ||
	    (point == HOOK_PREROUTING && !route_back(m)))
		return;
	if (!has_checksum(m, header) || checksum_good(m, header))
		icmp_send(w, m, ICMP_DEST_UNREACH, icmp_code, 0);
}

void ip_reject_reset(struct worker *w, struct rte_mbuf *m, enum hook_point point)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint32_t header = rte_ipv4_hdr_len(ip);
	struct ip_flow f = {.dst = ip->src_addr, .protocol = IPPROTO_TCP,
			    .pmtudisc = IP_PMTU_DO, .mark = ip_reply_mark(m), .any_src = true,
			    .untold = true};
	const struct packet *p = packet_of(m);
	struct rte_tcp_hdr th, *rst;
	struct rte_mbuf *r;

	if ((ip->fragment_offset & FRAG_OFFSET) || ip->next_proto_id != IPPROTO_TCP ||
	    m->pkt_len < header + sizeof(th))
		return;
	packet_read(m, header, sizeof(th), &th);
	if ((th.tcp_flags & RTE_TCP_RST_FLAG) || !checksum_good(m, header) ||
	    (point == HOOK_PREROUTING && !route_back(m)) ||
	    p->route_type == ROUTE_BROADCAST || p->route_type == ROUTE_MULTICAST)
		return;
	/* it takes the way that rules give to its source, be that an own address or not */
	if (!ip_is_multicast(ip->dst_addr) && !ip_is_broadcast(ip->dst_addr))
		f.src = ip->dst_addr;
	if (ip_route_output(&f))
		return;
	r = packet_alloc(w);
	if (!r)
		return;
	f.src = ip->dst_addr;
	rst = (void *)rte_pktmbuf_append(r, sizeof(*rst));
	tcp_reset_fill(rst, &th, m->pkt_len - header - (th.data_off >> 4) * 4u);
	rst->cksum = (uint16_t)~checksum_fold(
		checksum_pseudo(ip->dst_addr, ip->src_addr, IPPROTO_TCP, sizeof(*rst)) +
		(uint32_t)rte_raw_cksum(rst, sizeof(*rst)));
	ip_build_and_send_pkt(w, r, &f, false);
}
