/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP messages that the router sends: errors about a packet (rules C5 to C8), and answers to
 * requests. Linux's __icmp_send, icmp_reply and their limits.
 */
#include <netinet/in.h>

#include "ipv4/internal.h"
#include "ipv4/options.h"
#include "ipv4/peer.h"
#include "packet/checksum.h"

#define ERROR_BYTES_MAX 576 /* of the whole message: RFC 1812 4.3.2.3 */
#define DUMMY_ADDRESS RTE_BE32(0xc0000008) /* 192.0.0.8, RFC 7600 */

/* Types 0 to 18 that are errors, or that Linux takes for such. */
#define ERROR_TYPES ((1u << ICMP_DEST_UNREACH) | (1u << ICMP_SOURCE_QUENCH) | \
		     (1u << ICMP_REDIRECT) | (1u << ICMP_TIME_EXCEEDED) | \
		     (1u << ICMP_PARAMETERPROB) | \
		     (1u << 1) | (1u << 2) | (1u << 6) | (1u << 7) | (1u << 9) | (1u << 10))

/* Does the offender carry an ICMP error itself, or something that may be one? */
static bool about_icmp_error(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint32_t at = rte_ipv4_hdr_len(ip);
	uint8_t type;

	if (ip->next_proto_id != IPPROTO_ICMP)
		return false;
	if (m->pkt_len <= at)
		return true;
	packet_read(m, at, 1, &type);
	return type > ICMP_TYPE_MAX || (ERROR_TYPES >> type & 1);
}

/* Rule C5. */
static bool never_answered(const struct rte_mbuf *m)
{
	const struct packet *p = packet_of(m);

	return (p->type != PACKET_HOST && p->type != PACKET_OUTGOING) ||
	       p->route_type == ROUTE_MULTICAST ||
	       (p->route_type == ROUTE_BROADCAST && !(p->flags & PACKET_F_FORWARD)) ||
	       (packet_ip(m)->fragment_offset & FRAG_OFFSET) || about_icmp_error(m);
}

/* Is the type one that limits apply to? Path-MTU messages are not. */
static bool limited(uint8_t type, uint8_t code)
{
	return type <= ICMP_TYPE_MAX && (type != ICMP_DEST_UNREACH || code != ICMP_FRAG_NEEDED) &&
	       (ip_settings.icmp_ratemask >> type & 1);
}

/* C8, before the way back is looked for. */
static bool global_allow(struct worker *w)
{
	if (icmp_global_allow(w->now_ns, ip_settings.icmp_msgs_per_sec,
			      ip_settings.icmp_msgs_burst))
		return true;
	count(w->counters, CNT_ICMP_OUTRATELIMITGLOBAL);
	return false;
}

/* C7, once the way is known. */
static bool host_allow(struct worker *w, const struct ip_flow *f)
{
	if (f->out_link != LINK_LO &&
	    !peer_icmp_allow(f->dst, w->now_ns, (uint32_t)ip_settings.icmp_ratelimit_ms)) {
		count(w->counters, CNT_ICMP_OUTRATELIMITHOST);
		return false;
	}
	icmp_global_consume(worker_random(w));
	return true;
}

/* Consumes m. */
static void send_counted(struct worker *w, struct rte_mbuf *m, const struct ip_flow *f,
			 uint8_t type)
{
	if (ip_queue_xmit(w, m, f)) {
		count(w->counters, CNT_ICMP_OUTMSGS);
		w->counters->icmp_out_type[type]++;
	} else {
		count(w->counters, CNT_ICMP_OUTERRORS);
	}
}

/* C6: where the answer comes from; 0: as the route back says. Of fragments the first one's link
 * counts here, whereas the last one's was routed by. */
static rte_be32_t error_source(const struct rte_mbuf *m)
{
	const struct packet *p = packet_of(m);
	const struct rte_ipv4_hdr *ip = packet_ip(m);

	if (p->route_type == ROUTE_LOCAL)
		return ip->dst_addr;
	if (ip_settings.icmp_errors_use_inbound_ifaddr && p->type == PACKET_HOST &&
	    !(p->flags & PACKET_F_ROUTE_BACK))
		return addr_select(link_get(p->first_link ? p->first_link - 1u : p->link),
				   ip->src_addr, SCOPE_LINK);
	return 0;
}

/* The message with as much of the offender as fits, after the IP header that is to come. */
static struct rte_mbuf *error_build(struct worker *w, const struct rte_mbuf *m, uint8_t type,
				    uint8_t code, rte_be32_t info, uint32_t quote)
{
	struct rte_mbuf *e = packet_alloc(w);
	struct icmp_hdr *icmp;

	if (!e)
		return NULL;
	icmp = (void *)rte_pktmbuf_append(e, (uint16_t)(sizeof(*icmp) + quote));
	*icmp = (struct icmp_hdr){.type = type, .code = code, .info = info};
	packet_read(m, 0, quote, icmp + 1);
	icmp->checksum = icmp_checksum(checksum_bytes(icmp, sizeof(*icmp) + quote));
	return e;
}

void icmp_send(struct worker *w, const struct rte_mbuf *m, uint8_t type, uint8_t code,
	       rte_be32_t info)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	bool limit = limited(type, code);
	struct ip_flow f = {
		.dst = ip->src_addr,
		.protocol = IPPROTO_ICMP,
		.tos = (ip->type_of_service & 0x1e) | 0xc0,
		.mark = ip_reply_mark(m),
		.about = m,
	};
	struct ip_options options;
	struct rte_mbuf *e;
	int room;

	if (never_answered(m))
		return;
	if (limit && packet_of(m)->link == LINK_LO && packet_of(m)->type == PACKET_HOST)
		limit = false;
	if (limit && !global_allow(w))
		return;
	f.src = error_source(m);
	if (!ip_flow_answers(&f, m, &options) || ip_route_output(&f) ||
	    (limit && !host_allow(w, &f)))
		return;
	room = (int)RTE_MIN(f.mtu, (uint32_t)ERROR_BYTES_MAX) - (int)ip_flow_header(&f) -
	       (int)sizeof(struct icmp_hdr);
	if (room <= (int)sizeof(*ip))
		return;
	if (!f.src)
		f.src = DUMMY_ADDRESS;
	e = error_build(w, m, type, code, info, RTE_MIN((uint32_t)room, m->pkt_len));
	if (!e) {
		count(w->counters, CNT_ICMP_OUTERRORS);
		return;
	}
	send_counted(w, e, &f, type);
}

void icmp_reply(struct worker *w, struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = packet_ip(m);
	uint16_t header = rte_ipv4_hdr_len(ip);
	struct icmp_hdr *icmp = rte_pktmbuf_mtod_offset(m, struct icmp_hdr *, header);
	bool limit = limited(icmp->type, icmp->code);
	struct ip_flow f = {
		.dst = ip->src_addr,
		.src = ip_spec_dst(m),
		.protocol = IPPROTO_ICMP,
		.tos = ip->type_of_service,
		.mark = ip_reply_mark(m),
	};
	struct ip_options options;

	if (!ip_flow_answers(&f, m, &options) || (limit && !global_allow(w)) ||
	    ip_route_output(&f) || (limit && !host_allow(w, &f))) {
		packet_deliver(w, m);
		return;
	}
	rte_pktmbuf_adj(m, header);
	w->counters->delivered++;
	w->counters->originated++;
	send_counted(w, m, &f, ICMP_ECHOREPLY);
}
