/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding: rules C1 to C4, C9 and B, in the order of Linux's ip_forward.
 */
#include "ipv4/exception.h"
#include "ipv4/internal.h"
#include "ipv4/options.h"
#include "ipv4/peer.h"
#include "packet/checksum.h"

/* The largest packet that may leave by a next hop without being cut: rule C3. */
static inline uint32_t path_mtu(const struct rte_mbuf *m, const struct link *out)
{
	const struct nexthop *nh = nexthop_get(packet_of(m)->nexthop);
	uint32_t learned = ip_exception_forward_mtu(packet_of(m)->nexthop, ip_routed_dst(m));

	if (unlikely(learned))
		return learned;
	return ip_nexthop_mtu(nh, out);
}

/* The sender could have taken the better way itself, unless it asked for this one: rule C9. */
static __rte_noinline void redirect(struct worker *w, const struct rte_mbuf *m)
{
	if (packet_ip(m)->version_ihl != 0x45 && packet_of(m)->options.srr)
		return;
	if (peer_redirect_allow(packet_ip(m)->src_addr, w->now_ns))
		icmp_send(w, m, ICMP_REDIRECT, ICMP_REDIR_HOST, packet_of(m)->next_addr);
}

__rte_always_inline void ip_forward_finish(struct worker *w, struct rte_mbuf *m)
{
	if (unlikely(packet_ip(m)->version_ihl != 0x45))
		ip_forward_options(m);
	ip_output(w, m);
}

__rte_always_inline void ip_forward(struct worker *w, struct rte_mbuf *m)
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
	if (unlikely(ip->version_ihl != 0x45) && (p->options.flags & OPTIONS_F_ALERT) &&
	    ip_router_alert(w, m))
		return;
	if (unlikely(ip->time_to_live <= 1)) {
		count(w->counters, CNT_IP_INHDRERRORS);
		icmp_send(w, m, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
		packet_drop(w, m, DROP_IP_TTL);
		return;
	}
	if (unlikely(ip->version_ihl != 0x45) && ip_options_strict_failed(m)) {
		icmp_send(w, m, ICMP_DEST_UNREACH, ICMP_SR_FAILED, 0);
		packet_drop(w, m, DROP_IP_SR_FAILED);
		return;
	}
	count(w->counters, CNT_IP_FORWDATAGRAMS);
	mtu = path_mtu(m, out);
	p->mtu = (uint16_t)mtu;
	if (unlikely(m->pkt_len > mtu && ip_must_not_cut(m, mtu))) {
		count(w->counters, CNT_IP_FRAGFAILS);
		icmp_send(w, m, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, rte_cpu_to_be_32(mtu));
		packet_drop(w, m, DROP_PKT_TOO_BIG);
		return;
	}
	checksum_ttl_down(ip);
	if (unlikely(p->flags & PACKET_F_REDIRECT))
		redirect(w, m);
	if (hooked(HOOK_FORWARD) && !hook_run(w, m, HOOK_FORWARD))
		return;
	ip_forward_finish(w, m);
}
