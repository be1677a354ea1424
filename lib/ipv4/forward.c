/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding: rules C1 to C4 and C9, in the order of Linux's ip_forward.
 */
#include "ipv4/internal.h"
#include "ipv4/peer.h"
#include "packet/checksum.h"

/* The largest packet that may leave by a next hop without being cut: rule C3. */
static uint32_t path_mtu(const struct nexthop *nh, const struct link *out)
{
	return nh->mtu ? RTE_MIN(nh->mtu, (uint32_t)RTE_IPV4_MAX_PKT_LEN) : out->mtu;
}

/* C4; of a datagram that a hook put together, its fragments' size counts, not its own (rule K). */
static bool too_big(const struct rte_mbuf *m, uint32_t mtu)
{
	const struct packet *p = packet_of(m);

	return m->pkt_len > mtu && (packet_ip(m)->fragment_offset & FRAG_DF) &&
	       (!(p->flags & PACKET_F_IGNORE_DF) || p->frag_max_size > mtu);
}

/* The sender could have taken the better way itself: rule C9. */
static void redirect(struct worker *w, const struct rte_mbuf *m)
{
	if (peer_redirect_allow(packet_ip(m)->src_addr, w->now_ns))
		icmp_send(w, m, ICMP_REDIRECT, ICMP_REDIR_HOST, packet_of(m)->next_addr);
}

void ip_forward(struct worker *w, struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = packet_ip(m);
	struct packet *p = packet_of(m);
	const struct link *out = link_get(p->out_link);
	uint32_t mtu;

	if (unlikely(p->type != PACKET_HOST)) {
		packet_drop(w, m, DROP_IP_NOT_HOST);
		return;
	}
	if (unlikely(!out)) {
		packet_drop(w, m, DROP_LINK_GONE);
		return;
	}
	if (unlikely(ip->time_to_live <= 1)) {
		count(w->counters, CNT_IP_INHDRERRORS);
		icmp_send(w, m, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
		packet_drop(w, m, DROP_IP_TTL);
		return;
	}
	count(w->counters, CNT_IP_FORWDATAGRAMS);
	mtu = path_mtu(nexthop_get(p->nexthop), out);
	if (unlikely(too_big(m, mtu))) {
		count(w->counters, CNT_IP_FRAGFAILS);
		icmp_send(w, m, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, rte_cpu_to_be_32(mtu));
		packet_drop(w, m, DROP_PKT_TOO_BIG);
		return;
	}
	p->mtu = (uint16_t)mtu;
	checksum_ttl_down(ip);
	if (unlikely(p->flags & PACKET_F_REDIRECT))
		redirect(w, m);
	ip_output(w, m);
}
