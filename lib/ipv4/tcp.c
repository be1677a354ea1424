/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP input: no port is open, so a good segment is answered with a reset. Rule F; RFC 9293
 * 3.10.7.1; Linux's tcp_v4_rcv and tcp_v4_send_reset.
 */
#include <netinet/in.h>

#include <rte_tcp.h>

#include "ipv4/internal.h"
#include "ipv4/options.h"
#include "packet/checksum.h"

#define TOS_DSCP_MASK 0xfc

static bool checksum_good(const struct rte_mbuf *m, uint32_t header)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint32_t len = m->pkt_len - header;
	uint32_t sum = checksum_pseudo(ip->src_addr, ip->dst_addr, IPPROTO_TCP, (uint16_t)len);

	return checksum_fold(sum + checksum_chain(m, header, len)) == 0xffff;
}

#define OPT_EOL 0
#define OPT_NOP 1
#define OPT_MD5 19
#define OPT_MD5_LEN 18
#define OPT_AO 29

/* A segment whose options are malformed, or that claims to be signed (RFC 2385, RFC 5925), gets no
 * reset: there is no key to sign it with. Linux's tcp_parse_auth_options, which gives up looking
 * when no signature can follow any more. */
static bool reset_forbidden(const uint8_t *opt, uint32_t left)
{
	while (left >= OPT_MD5_LEN) {
		if (*opt == OPT_EOL)
			return false;
		if (*opt == OPT_NOP) {
			opt++;
			left--;
			continue;
		}
		if (opt[1] < 2 || opt[1] > left || *opt == OPT_MD5 || *opt == OPT_AO)
			return true;
		left -= opt[1];
		opt += opt[1];
	}
	return false;
}

void tcp_reset_fill(struct rte_tcp_hdr *rst, const struct rte_tcp_hdr *th, uint32_t payload)
{
	uint32_t syn = !!(th->tcp_flags & RTE_TCP_SYN_FLAG);
	uint32_t fin = !!(th->tcp_flags & RTE_TCP_FIN_FLAG);

	*rst = (struct rte_tcp_hdr){
		.src_port = th->dst_port,
		.dst_port = th->src_port,
		.data_off = sizeof(*rst) / 4 << 4,
		.tcp_flags = RTE_TCP_RST_FLAG,
	};
	if (th->tcp_flags & RTE_TCP_ACK_FLAG) {
		rst->sent_seq = th->recv_ack;
		return;
	}
	rst->tcp_flags |= RTE_TCP_ACK_FLAG;
	rst->recv_ack = rte_cpu_to_be_32(rte_be_to_cpu_32(th->sent_seq) + syn + fin + payload);
}

static void reset_send(struct worker *w, const struct rte_mbuf *m, const struct rte_tcp_hdr *th,
		       uint32_t payload)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	struct ip_flow f = {
		.dst = ip->src_addr,
		.src = ip->dst_addr,
		.protocol = IPPROTO_TCP,
		.tos = ip->type_of_service & TOS_DSCP_MASK,
		.sport = th->dst_port,
		.dport = th->src_port,
		.pmtudisc = IP_PMTU_DO,
		.mark = ip_reply_mark(m),
	};
	struct ip_options options;
	struct rte_tcp_hdr *rst;
	struct rte_mbuf *r;

	/* it is not to be cut, and the options that it carries back may be too long for the way */
	if (!ip_flow_answers(&f, m, &options) || ip_route_output(&f) ||
	    ip_flow_header(&f) + sizeof(*rst) > f.mtu) {
		count(w->counters, CNT_TCP_OUTSEGS);
		count(w->counters, CNT_TCP_OUTRSTS);
		return;
	}
	r = packet_alloc(w);
	if (!r)
		return;
	rst = (void *)rte_pktmbuf_append(r, sizeof(*rst));
	tcp_reset_fill(rst, th, payload);
	rst->cksum = (uint16_t)~checksum_fold(
		checksum_pseudo(ip->dst_addr, ip->src_addr, IPPROTO_TCP, sizeof(*rst)) +
		(uint32_t)rte_raw_cksum(rst, sizeof(*rst)));
	count(w->counters, CNT_TCP_OUTSEGS);
	count(w->counters, CNT_TCP_OUTRSTS);
	ip_build_and_send_pkt(w, r, &f, false);
}

void tcp_rcv(struct worker *w, struct rte_mbuf *m)
{
	uint32_t header = rte_ipv4_hdr_len(packet_ip(m));
	const struct packet *p = packet_of(m);
	const struct rte_tcp_hdr *th;
	uint32_t offset;

	if (p->type != PACKET_HOST) {
		packet_drop(w, m, DROP_IP_NOT_HOST);
		return;
	}
	count(w->counters, CNT_TCP_INSEGS);
	if (!packet_pull(m, header + sizeof(*th))) {
		packet_drop(w, m, DROP_TCP_HDR);
		return;
	}
	th = rte_pktmbuf_mtod_offset(m, const struct rte_tcp_hdr *, header);
	offset = (th->data_off >> 4) * 4u;
	if (offset < sizeof(*th)) {
		count(w->counters, CNT_TCP_INERRS);
		packet_drop(w, m, DROP_TCP_HDR);
		return;
	}
	if (!packet_pull(m, header + offset)) {
		packet_drop(w, m, DROP_TCP_HDR);
		return;
	}
	th = rte_pktmbuf_mtod_offset(m, const struct rte_tcp_hdr *, header);
	if (!checksum_good(m, header)) {
		count(w->counters, CNT_TCP_INCSUMERRORS);
		count(w->counters, CNT_TCP_INERRS);
		packet_drop(w, m, DROP_TCP_CSUM);
		return;
	}
	if (!(th->tcp_flags & RTE_TCP_RST_FLAG) && p->route_type == ROUTE_LOCAL &&
	    !reset_forbidden((const uint8_t *)(th + 1), offset - sizeof(*th)))
		reset_send(w, m, th, m->pkt_len - header - offset);
	packet_drop(w, m, DROP_NO_SOCKET);
}
