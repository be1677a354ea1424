/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving: validate, count, trim, route, and hand on. Rule A, in its order; the checks and
 * counters are those of Linux's ip_rcv_core and ip_rcv_finish.
 *
 * Fragments for the router itself that follow one on another are put together as a group, before
 * any other packet is answered or sent on, so that what leaves keeps the order of what came.
 */
#include "ipv4/internal.h"
#include "ipv4/options.h"
#include "ipv4/reassemble.h"
#include "packet/checksum.h"

/* A packet that rule A refuses is counted and dropped; true: it is good, and trimmed. */
static bool ip_rcv_core(struct worker *w, struct rte_mbuf *m)
{
	struct counters *c = w->counters;
	const struct rte_ipv4_hdr *ip;
	unsigned int header, total;

	count(c, CNT_IP_INRECEIVES);
	count_add(c, CNT_IPEXT_INOCTETS, m->pkt_len);
	if (unlikely(!packet_pull(m, sizeof(*ip))))
		goto header_error;
	ip = packet_ip(m);
	header = (ip->version_ihl & 0xf) * 4u;
	if (unlikely(ip->version_ihl != RTE_IPV4_VHL_DEF) &&
	    (ip->version_ihl >> 4 != 4 || header < sizeof(*ip)))
		goto header_error;
	count(c, CNT_IPEXT_INNOECTPKTS + (ip->type_of_service & TOS_ECN_MASK));
	if (unlikely(header > sizeof(*ip)) && !packet_pull(m, header))
		goto header_error;
	ip = packet_ip(m);
	if (unlikely(!(packet_of(m)->flags & PACKET_F_CSUM_GOOD) &&
		     !checksum_header_good(ip, header / 4))) {
		count(c, CNT_IPEXT_INCSUMERRORS);
		count(c, CNT_IP_INHDRERRORS);
		packet_drop(w, m, DROP_IP_CSUM);
		return false;
	}
	total = rte_be_to_cpu_16(ip->total_length);
	if (unlikely(m->pkt_len < total)) {
		count(c, CNT_IPEXT_INTRUNCATEDPKTS);
		packet_drop(w, m, DROP_PKT_TOO_SMALL);
		return false;
	}
	if (unlikely(total < header))
		goto header_error;
	if (m->pkt_len > total) {
		packet_of(m)->frame_rest += (uint16_t)(m->pkt_len - total);
		packet_trim(m, total);
	}
	return true;

header_error:
	count(c, CNT_IP_INHDRERRORS);
	packet_drop(w, m, DROP_IP_INHDR);
	return false;
}

/* Packets that the sender addressed to many count apart; false: not wanted, dropped. */
static __rte_noinline bool count_broadcast(struct worker *w, const struct link *l,
					   struct rte_mbuf *m)
{
	const struct packet *p = packet_of(m);
	struct counters *c = w->counters;

	if (p->route_type == ROUTE_MULTICAST) {
		count(c, CNT_IPEXT_INMCASTPKTS);
		count_add(c, CNT_IPEXT_INMCASTOCTETS, m->pkt_len);
		if (packet_ip(m)->dst_addr != IP_ALL_HOSTS) { /* sent by lo itself */
			packet_drop(w, m, DROP_IP_NOT_JOINED);
			return false;
		}
	} else if (p->route_type == ROUTE_BROADCAST) {
		count(c, CNT_IPEXT_INBCASTPKTS);
		count_add(c, CNT_IPEXT_INBCASTOCTETS, m->pkt_len);
	} else if ((p->type == PACKET_BROADCAST || p->type == PACKET_MULTICAST) &&
		   LINK_CONF_OR(l, drop_unicast_in_l2_multicast)) {
		packet_drop(w, m, DROP_L2_MULTICAST);
		return false;
	}
	return true;
}

static inline void finish(struct worker *w, struct link *l, struct rte_mbuf *m)
{
	enum route_verdict verdict = VERDICT_LOCAL;
	enum drop_reason reason = DROP_IP_INVALID_DEST;

	if (likely(!(packet_of(m)->flags & PACKET_F_ROUTED)))
		verdict = ip_route_input(w, l, m, &reason);
	else if (packet_of(m)->flags & PACKET_F_FORWARD)
		verdict = VERDICT_FORWARD;
	if (unlikely(verdict == VERDICT_DROP)) {
		if (reason == DROP_IP_RPFILTER)
			count(w->counters, CNT_TCPEXT_IPREVERSEPATHFILTER);
		if (unlikely(LINK_CONF_OR(l, log_martians)))
			martian_log(w, l, m, reason);
		packet_drop(w, m, reason);
		return;
	}
	if (unlikely(packet_ip(m)->version_ihl > 0x45) && !ip_rcv_options(w, l, m, &verdict))
		return;
	if (unlikely(packet_of(m)->route_type != ROUTE_UNICAST ||
		     packet_of(m)->type != PACKET_HOST) &&
	    !count_broadcast(w, l, m))
		return;
	if (unlikely(w->ip->frags.n) &&
	    (verdict != VERDICT_LOCAL || !ip_is_fragment(packet_ip(m))))
		ip_defrag_run(w);
	if (likely(verdict == VERDICT_FORWARD))
		ip_forward(w, m);
	else if (verdict == VERDICT_LOCAL)
		ip_local_deliver(w, m);
	else
		ip_error(w, l, m);
}

void ip_rcv_finish(struct worker *w, struct rte_mbuf *m)
{
	struct link *l = link_get(packet_of(m)->link);

	if (likely(l))
		finish(w, l, m);
	else
		packet_drop(w, m, DROP_LINK_GONE);
}

/* Fragments that are being collected come first, as hooks may send something. */
static __rte_noinline bool prerouting(struct worker *w, struct rte_mbuf *m)
{
	if (w->ip->frags.n)
		ip_defrag_run(w);
	return hook_run(w, m, HOOK_PREROUTING);
}

/* What an ordinary packet goes through until it is in a transmit buffer is inlined here, down to
 * link_xmit(), in whatever file it is (__rte_always_inline, at link time): separate functions take
 * a sixth more instructions, most of them to save and restore registers. So that it stays short,
 * what is rare is a function of its own (__rte_noinline). */
void ip_rcv(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (likely(!(packet_of(m[i])->flags & PACKET_F_ROUTED)))
			packet_of(m[i])->mark = 0;
		if (ip_rcv_core(w, m[i]) && (!hooked(HOOK_PREROUTING) || prerouting(w, m[i])))
			finish(w, l, m[i]);
	}
	if (unlikely(w->ip->frags.n))
		ip_defrag_run(w);
}
