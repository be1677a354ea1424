/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP input: rule F; Linux's icmp_rcv and its handlers. An unanswered message is either consumed
 * as it should be or dropped with icmp's InErrors, exactly where Linux counts so.
 */
#include <netinet/in.h>
#include <string.h>

#include <rte_udp.h>

#include "ipv4/exception.h"
#include "ipv4/internal.h"
#include "packet/checksum.h"

static struct icmp_hdr *icmp_header(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct icmp_hdr *, rte_ipv4_hdr_len(packet_ip(m)));
}

/* Bytes of the ICMP message. */
static uint32_t icmp_len(const struct rte_mbuf *m)
{
	return m->pkt_len - rte_ipv4_hdr_len(packet_ip(m));
}

static void icmp_error(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	count(w->counters, CNT_ICMP_INERRORS);
	packet_drop(w, m, reason);
}

static void icmp_echo(struct worker *w, struct rte_mbuf *m)
{
	struct icmp_hdr *icmp;

	if (ip_settings.icmp_echo_ignore_all) {
		packet_drop(w, m, DROP_ICMP_IGNORED);
		return;
	}
	icmp = icmp_header(m);
	icmp->type = ICMP_ECHOREPLY;
	/* RFC 1624: the rest is as it was when the checksum was right */
	icmp->checksum = icmp_checksum(checksum_fold((uint32_t)(uint16_t)~icmp->checksum +
						     (uint16_t)~RTE_BE16(ICMP_ECHO << 8)));
	icmp_reply(w, m);
}

static void checksum_set(struct rte_mbuf *m)
{
	struct icmp_hdr *icmp = icmp_header(m);

	icmp->checksum = 0;
	icmp->checksum = icmp_checksum(checksum_chain(m, rte_ipv4_hdr_len(packet_ip(m)),
						      icmp_len(m)));
}

static void icmp_timestamp(struct worker *w, struct rte_mbuf *m)
{
	uint32_t header = rte_ipv4_hdr_len(packet_ip(m));
	struct icmp_hdr *icmp;
	rte_be32_t times[2];

	if (icmp_len(m) < sizeof(*icmp) + 4) {
		icmp_error(w, m, DROP_INVALID_PROTO);
		return;
	}
	/* the answer is 20 bytes of ICMP whatever came, which may be less */
	packet_trim(m, header + sizeof(*icmp) + 4);
	if (!packet_pull(m, m->pkt_len) || rte_pktmbuf_tailroom(m) < sizeof(times)) {
		count(w->counters, CNT_ICMP_OUTERRORS);
		packet_drop(w, m, DROP_NOMEM);
		return;
	}
	rte_pktmbuf_append(m, sizeof(times));
	icmp = icmp_header(m);
	icmp->type = ICMP_TIMESTAMPREPLY;
	icmp->code = 0;
	times[0] = times[1] = ip_timestamp(w->now_ns);
	memcpy((uint8_t *)(icmp + 1) + 4, times, sizeof(times));
	checksum_set(m);
	icmp_reply(w, m);
}

/* A packet that an error quotes, as much of it as counts. */
struct quoted {
	struct rte_ipv4_hdr ip;
	union {
		struct rte_udp_hdr udp;
		struct icmp_hdr icmp;
		uint8_t bytes[8];
	};
};

/* Linux counts an error about a packet of a protocol that has sockets, of which none fits; and one
 * about protocol 255, which is nobody's. The sockets here are the ports of UDP's services. */
static bool finds_no_socket(const struct quoted *q)
{
	switch (q->ip.next_proto_id) {
	case IPPROTO_UDP:
		return !udp_port_get(q->udp.src_port);
	case IPPROTO_TCP:
	case IPPROTO_UDPLITE:
	case IPPROTO_RAW:
		return true;
	default:
		return false;
	}
}

/* Is it an echo request of the router's own? */
static bool is_probe(const struct quoted *q)
{
	return q->ip.next_proto_id == IPPROTO_ICMP && q->icmp.type == ICMP_ECHO &&
	       probe_is_open(q->icmp.echo.id);
}

/* May the sender of an error know what it says of the path? Of echo replies, and of what has a
 * socket. */
static bool tells_of_path(const struct quoted *q)
{
	return q->ip.next_proto_id == IPPROTO_UDP || is_probe(q) ||
	       (q->ip.next_proto_id == IPPROTO_ICMP && q->icmp.type == ICMP_ECHOREPLY);
}

/* What is said of the way to where the quoted packet went; true: m is consumed. */
static bool hear_of_path(struct worker *w, struct rte_mbuf *m, const struct icmp_hdr *icmp,
			 const struct quoted *q)
{
	const struct link *l = link_get(packet_of(m)->link);
	uint32_t mtu = ip_settings.no_pmtu_disc ? 0 : rte_be_to_cpu_32(icmp->info);

	if (icmp->type == ICMP_REDIRECT) {
		if (!l || !ip_redirect_wanted(l, icmp->code, packet_ip(m)->src_addr, icmp->info))
			return false;
		ip_redirect(w, m);
		return true;
	}
	if (icmp->type != ICMP_DEST_UNREACH || icmp->code != ICMP_FRAG_NEEDED ||
	    ip_update_pmtu(w, q->ip.dst_addr, q->ip.src_addr, ip_quoted_tos(&q->ip),
			   q->ip.next_proto_id == IPPROTO_UDP ? 0 : ip_reply_mark(m),
			   (uint16_t)mtu))
		return false;
	packet_drop(w, m, DROP_CONTROL_QUEUE_FULL);
	return true;
}

/* Tell who sent the packet that is quoted. */
static void quoted_deliver(struct worker *w, struct rte_mbuf *m, uint32_t at,
			   const struct icmp_hdr *icmp, struct quoted *q)
{
	uint32_t header = rte_ipv4_hdr_len(&q->ip);

	if (m->pkt_len < at + header + sizeof(q->bytes)) {
		count(w->counters, CNT_ICMP_INERRORS);
		packet_deliver(w, m);
		return;
	}
	packet_read(m, at + header, sizeof(q->bytes), q->bytes);
	if (finds_no_socket(q))
		count(w->counters, CNT_ICMP_INERRORS);
	else if (tells_of_path(q) && hear_of_path(w, m, icmp, q))
		return;
	if (is_probe(q) && icmp->type != ICMP_REDIRECT)
		probe_hand_over(w, m);
	else
		packet_deliver(w, m);
}

/* ip_no_pmtu_disc: 2 hears nothing of paths, 3 only of what can tell whether the quoted packet is
 * its own, which of these protocols only TCP can. (1 hears, but not which MTU.) */
static bool is_unheard(const struct icmp_hdr *icmp, const struct quoted *q)
{
	return icmp->type == ICMP_DEST_UNREACH && icmp->code == ICMP_FRAG_NEEDED &&
	       (ip_settings.no_pmtu_disc == 2 ||
		(ip_settings.no_pmtu_disc == 3 && q->ip.next_proto_id != IPPROTO_TCP));
}

/* The quoted packet: its header must be whole and 8 bytes of its payload must be there before
 * any protocol is told. Linux's icmp_unreach, icmp_redirect, icmp_socket_deliver. */
static void icmp_about_us(struct worker *w, struct rte_mbuf *m)
{
	uint32_t at = rte_ipv4_hdr_len(packet_ip(m)) + sizeof(struct icmp_hdr);
	const struct icmp_hdr icmp = *icmp_header(m);
	struct quoted q;
	bool redirect = icmp.type == ICMP_REDIRECT;

	if (m->pkt_len < at + sizeof(q.ip)) {
		icmp_error(w, m, DROP_INVALID_PROTO);
		return;
	}
	packet_read(m, at, sizeof(q.ip), &q.ip);
	if (!redirect && (q.ip.version_ihl & 0xf) < 5) {
		icmp_error(w, m, DROP_IP_INHDR);
		return;
	}
	if (is_unheard(&icmp, &q)) {
		packet_deliver(w, m);
		return;
	}
	if (!redirect && ((icmp.type == ICMP_DEST_UNREACH && icmp.code > 15) ||
			  (icmp.type == ICMP_TIME_EXCEEDED && icmp.code == 1) ||
			  (!ip_settings.icmp_ignore_bogus_error_responses &&
			   ip_is_broadcast(q.ip.dst_addr)))) {
		packet_deliver(w, m);
		return;
	}
	quoted_deliver(w, m, at, &icmp, &q);
}

/* To a broadcast or group address: rule F. True: refused. */
static bool refused_to_many(const struct rte_mbuf *m, uint8_t type)
{
	const struct packet *p = packet_of(m);

	if (p->route_type != ROUTE_BROADCAST && p->route_type != ROUTE_MULTICAST)
		return false;
	if (type == ICMP_ECHO || type == ICMP_TIMESTAMP)
		return ip_settings.icmp_echo_ignore_broadcasts;
	return type != ICMP_ADDRESS && type != ICMP_ADDRESSREPLY;
}

static void dispatch(struct worker *w, struct rte_mbuf *m, uint8_t type)
{
	switch (type) {
	case ICMP_ECHO:
		icmp_echo(w, m);
		return;
	case ICMP_TIMESTAMP:
		icmp_timestamp(w, m);
		return;
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
	case ICMP_REDIRECT:
		icmp_about_us(w, m);
		return;
	case ICMP_ECHOREPLY:
		if (probe_is_open(icmp_header(m)->echo.id)) {
			probe_hand_over(w, m);
			return;
		}
		packet_drop(w, m, DROP_NO_SOCKET);
		return;
	case ICMP_EXT_ECHOREPLY:
		packet_drop(w, m, DROP_NO_SOCKET);
		return;
	default:
		packet_deliver(w, m);
		return;
	}
}

/* The router's own broadcast that it hears is not verified, which shows where all of it is zero:
 * Linux then sends a checksum of zero that nobody else takes for right. */
static bool checksum_good(const struct rte_mbuf *m, uint32_t header)
{
	return packet_of(m)->type == PACKET_LOOPBACK ||
	       checksum_chain(m, header, m->pkt_len - header) == 0xffff;
}

void icmp_rcv(struct worker *w, struct rte_mbuf *m)
{
	uint32_t header = rte_ipv4_hdr_len(packet_ip(m));
	uint8_t type;

	count(w->counters, CNT_ICMP_INMSGS);
	if (!checksum_good(m, header)) {
		count(w->counters, CNT_ICMP_INCSUMERRORS);
		icmp_error(w, m, DROP_ICMP_CSUM);
		return;
	}
	if (!packet_pull(m, header + sizeof(struct icmp_hdr))) {
		icmp_error(w, m, DROP_INVALID_PROTO);
		return;
	}
	type = icmp_header(m)->type;
	w->counters->icmp_in_type[type]++;
	if (type == ICMP_EXT_ECHO) {
		if (ip_settings.icmp_echo_ignore_all || !icmp_build_probe(m, icmp_header(m))) {
			packet_drop(w, m, DROP_ICMP_IGNORED);
			return;
		}
		checksum_set(m);
		icmp_reply(w, m);
		return;
	}
	if (refused_to_many(m, type) || (type > ICMP_TYPE_MAX && type != ICMP_EXT_ECHOREPLY)) {
		icmp_error(w, m, DROP_INVALID_PROTO);
		return;
	}
	dispatch(w, m, type);
}

/* IGMP and PIM: this router has joined nothing that it would report, and routes no multicast. */
void igmp_rcv(struct worker *w, struct rte_mbuf *m)
{
	packet_deliver(w, m);
}
