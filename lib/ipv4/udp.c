/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP input: no port is open, so a good datagram is answered with port unreachable. Rule F;
 * Linux's __udp4_lib_rcv.
 */
#include <rte_udp.h>

#include "ipv4/internal.h"
#include "packet/checksum.h"

/* Linux verifies the checksum of so short a datagram before it looks who it is for. */
#define CHECKSUM_EARLY_BYTES 76

static bool checksum_good(const struct rte_mbuf *m, uint32_t header, const struct rte_udp_hdr *udp,
			  uint16_t len)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint32_t sum;

	if (!udp->dgram_cksum)
		return true;
	sum = checksum_pseudo(ip->src_addr, ip->dst_addr, ip->next_proto_id, len);
	return checksum_fold(sum + checksum_chain(m, header, len)) == 0xffff;
}

static void udp_error(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	if (reason == DROP_UDP_CSUM)
		count(w->counters, CNT_UDP_INCSUMERRORS);
	count(w->counters, CNT_UDP_INERRORS);
	packet_drop(w, m, reason);
}

void udp_rcv(struct worker *w, struct rte_mbuf *m)
{
	uint32_t header = rte_ipv4_hdr_len(packet_ip(m));
	const struct packet *p = packet_of(m);
	const struct rte_udp_hdr *udp;
	bool to_many = p->route_type == ROUTE_BROADCAST || p->route_type == ROUTE_MULTICAST;
	bool good;
	uint16_t len;

	if (!packet_pull(m, header + sizeof(*udp))) {
		udp_error(w, m, DROP_UDP_HDR);
		return;
	}
	udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, header);
	len = rte_be_to_cpu_16(udp->dgram_len);
	if (len > m->pkt_len - header || len < sizeof(*udp)) {
		udp_error(w, m, DROP_UDP_HDR);
		return;
	}
	packet_trim(m, header + len);
	good = checksum_good(m, header, udp, len);
	if (to_many && (good || len > CHECKSUM_EARLY_BYTES)) {
		count(w->counters, CNT_UDP_IGNOREDMULTI);
		packet_drop(w, m, DROP_NO_SOCKET);
		return;
	}
	if (!good) {
		udp_error(w, m, DROP_UDP_CSUM);
		return;
	}
	count(w->counters, CNT_UDP_NOPORTS);
	icmp_send(w, m, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	packet_drop(w, m, DROP_NO_SOCKET);
}
