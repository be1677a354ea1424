/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP and UDP-Lite input: services have ports; a good datagram to any other is answered with port
 * unreachable. No service takes UDP-Lite. Rule F; Linux's __udp4_lib_rcv and udp_sendmsg.
 *
 * Linux leaves the checksum of a longer datagram to whoever reads it from the socket. Here it is
 * verified before a service gets it, with the same outcome and the same counters.
 */
#include <errno.h>
#include <netinet/in.h>

#include <rte_udp.h>

#include "ipv4/internal.h"
#include "packet/chain.h"
#include "packet/checksum.h"

/* Linux verifies the checksum of so short a datagram before it looks who it is for. */
#define CHECKSUM_EARLY_BYTES 76

/* The counters of UDP, and of UDP-Lite, which differs only in what the checksum covers. */
struct mib {
	enum counter no_ports, in_errors, in_csum_errors, ignored_multi;
};

static const struct mib udp_mib = {CNT_UDP_NOPORTS, CNT_UDP_INERRORS, CNT_UDP_INCSUMERRORS,
				   CNT_UDP_IGNOREDMULTI};
static const struct mib udplite_mib = {CNT_UDPLITE_NOPORTS, CNT_UDPLITE_INERRORS,
				       CNT_UDPLITE_INCSUMERRORS, CNT_UDPLITE_IGNOREDMULTI};

static bool sum_good(const struct rte_mbuf *m, uint32_t header, uint32_t covered)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint32_t sum = checksum_pseudo(ip->src_addr, ip->dst_addr, ip->next_proto_id,
				       (uint16_t)(m->pkt_len - header));

	return checksum_fold(sum + checksum_chain(m, header, covered)) == 0xffff;
}

/* RFC 3828: the length field says how much is covered, 0 all, and a checksum there must be. */
static bool udplite_good(const struct rte_mbuf *m, uint32_t header, const struct rte_udp_hdr *udp)
{
	uint32_t len = m->pkt_len - header, covered = rte_be_to_cpu_16(udp->dgram_len);

	if (!covered)
		covered = len;
	return udp->dgram_cksum && covered >= sizeof(*udp) && covered <= len &&
	       sum_good(m, header, covered);
}

/* Would Linux, which looks at the checksum of a long datagram only when somebody wants it, have
 * found it wrong before it looked who that is? */
static bool found_early(const struct rte_mbuf *m, uint32_t header, const struct rte_udp_hdr *udp,
			bool lite)
{
	uint32_t len = m->pkt_len - header, covered = rte_be_to_cpu_16(udp->dgram_len);

	if (!lite)
		return len <= CHECKSUM_EARLY_BYTES;
	if (!udp->dgram_cksum || (covered && covered < sizeof(*udp)) || covered > len)
		return true;
	return (!covered || covered == len) && len <= CHECKSUM_EARLY_BYTES;
}

static bool is_to_many(const struct rte_mbuf *m)
{
	const struct packet *p = packet_of(m);

	return p->route_type == ROUTE_BROADCAST || p->route_type == ROUTE_MULTICAST;
}

static void udp_error(struct worker *w, struct rte_mbuf *m, const struct mib *mib,
		      enum drop_reason reason)
{
	if (reason == DROP_UDP_CSUM)
		count(w->counters, mib->in_csum_errors);
	count(w->counters, mib->in_errors);
	packet_drop(w, m, reason);
}

/* Check the header and cut what is behind a UDP datagram; NULL: malformed, dropped. */
static const struct rte_udp_hdr *udp_header(struct worker *w, struct rte_mbuf *m, uint32_t header,
					    const struct mib *mib)
{
	const struct rte_udp_hdr *udp;
	uint32_t len;

	if (!packet_pull(m, header + sizeof(*udp))) {
		udp_error(w, m, mib, DROP_UDP_HDR);
		return NULL;
	}
	udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, header);
	len = rte_be_to_cpu_16(udp->dgram_len);
	if (len > m->pkt_len - header || (mib == &udp_mib && len < sizeof(*udp))) {
		udp_error(w, m, mib, DROP_UDP_HDR);
		return NULL;
	}
	if (mib == &udp_mib)
		packet_trim(m, header + len);
	return udp;
}

/* Nobody wants it. */
static void udp_refuse(struct worker *w, struct rte_mbuf *m, const struct mib *mib, bool to_many)
{
	if (to_many) {
		count(w->counters, mib->ignored_multi);
	} else {
		count(w->counters, mib->no_ports);
		icmp_send(w, m, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	}
	packet_drop(w, m, DROP_NO_SOCKET);
}

void udp_rcv(struct worker *w, struct rte_mbuf *m)
{
	uint32_t header = rte_ipv4_hdr_len(packet_ip(m));
	bool to_many = is_to_many(m), good;
	bool lite = packet_ip(m)->next_proto_id == IPPROTO_UDPLITE;
	const struct mib *mib = lite ? &udplite_mib : &udp_mib;
	const struct rte_udp_hdr *udp = udp_header(w, m, header, mib);
	udp_port_fn fn;

	if (!udp)
		return;
	fn = lite ? NULL : udp_port_get(udp->dst_port);
	good = lite ? udplite_good(m, header, udp)
		    : !udp->dgram_cksum || sum_good(m, header, m->pkt_len - header);
	if (!good && (fn || !to_many || found_early(m, header, udp, lite))) {
		udp_error(w, m, mib, DROP_UDP_CSUM);
		return;
	}
	if (!fn) {
		udp_refuse(w, m, mib, to_many);
		return;
	}
	count(w->counters, CNT_UDP_INDATAGRAMS);
	fn(w, m);
}

static rte_be16_t udp_checksum(const struct rte_mbuf *m, const struct ip_flow *f)
{
	uint16_t sum = (uint16_t)~checksum_fold(
		(uint32_t)checksum_pseudo(f->src, f->dst, IPPROTO_UDP, (uint16_t)m->pkt_len) +
		checksum_chain(m, 0, m->pkt_len));

	return sum ? sum : 0xffff;
}

void udp_reply(struct worker *w, struct rte_mbuf *m)
{
	struct ip_flow f = {
		.dst = packet_ip(m)->src_addr,
		.src = ip_spec_dst(m),
		.protocol = IPPROTO_UDP,
	};
	struct rte_udp_hdr *udp;
	rte_be16_t port;
	int rc;

	chain_trim_front(m, rte_ipv4_hdr_len(packet_ip(m)));
	udp = rte_pktmbuf_mtod(m, struct rte_udp_hdr *);
	f.pmtudisc = udp_port_pmtudisc(udp->dst_port);
	port = udp->src_port;
	udp->src_port = udp->dst_port;
	udp->dst_port = port;
	f.sport = udp->src_port;
	f.dport = udp->dst_port;
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)m->pkt_len);
	w->counters->delivered++;
	w->counters->originated++;
	rc = ip_route_output(&f);
	if (rc) {
		if (rc == -ENETUNREACH)
			count(w->counters, CNT_IP_OUTNOROUTES);
		packet_drop(w, m, DROP_IP_NOROUTE);
		return;
	}
	if (f.route_type == ROUTE_BROADCAST) {
		packet_drop(w, m, DROP_UDP_NOT_ANSWERED);
		return;
	}
	udp->dgram_cksum = 0;
	udp->dgram_cksum = udp_checksum(m, &f);
	count(w->counters, CNT_UDP_OUTDATAGRAMS);
	ip_queue_xmit(w, m, &f);
}
