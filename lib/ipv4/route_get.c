/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of a packet that is only thought of, for `route get`: Linux's inet_rtm_getroute. It is
 * found by the functions that packets meet. For one that comes in there is a packet to show them,
 * which is never sent: a header and what chooses among several ways.
 */
#include <errno.h>
#include <netinet/in.h>

#include <rte_tcp.h>

#include "ipv4/exception.h"
#include "ipv4/internal.h"

/* As lie one behind the other where packets come from a pool. */
struct thought {
	struct rte_mbuf mbuf;
	struct packet packet;
	struct rte_ipv4_hdr ip;
	union {
		struct {
			rte_be16_t sport, dport;
		};
		struct icmp_hdr icmp;
		struct rte_tcp_hdr tcp;
	};
};

_Static_assert(offsetof(struct thought, packet) == sizeof(struct rte_mbuf), "see packet_of()");

static void think(struct thought *t, const struct ip_way *way)
{
	uint16_t len = offsetof(struct thought, tcp) - offsetof(struct thought, ip) +
		       sizeof(t->tcp);

	*t = (struct thought){
		.mbuf = {.buf_addr = &t->ip, .nb_segs = 1, .pkt_len = len, .data_len = len,
			 .buf_len = len},
		.packet = {.link = (uint16_t)way->iif, .type = PACKET_HOST, .mark = way->mark},
		.ip = {.version_ihl = 0x45, .type_of_service = way->tos, .time_to_live = 64,
		       .total_length = rte_cpu_to_be_16(len), .next_proto_id = way->protocol,
		       .src_addr = way->src, .dst_addr = way->dst},
	};
	if (way->protocol == IPPROTO_ICMP) {
		t->icmp.type = ICMP_ECHO;
	} else {
		t->sport = way->sport;
		t->dport = way->dport;
	}
}

/* What ip_error() would answer. */
static int error_of(const struct link *l, unsigned int route_type)
{
	if (!l->conf.forwarding || route_type == ROUTE_UNREACHABLE)
		return -EHOSTUNREACH;
	if (route_type == ROUTE_PROHIBIT)
		return -EACCES;
	return route_type == ROUTE_BLACKHOLE ? -EINVAL : -ENETUNREACH;
}

static int get_input(struct ip_way *way)
{
	const struct link *l = link_get((unsigned int)way->iif);
	struct thought t;
	const struct packet *p = &t.packet;

	if (!l)
		return -ENODEV;
	think(&t, way);
	switch (ip_route_input(NULL, l, &t.mbuf, &way->reason)) {
	case VERDICT_DROP:
		way->dropped = true;
		return -EINVAL;
	case VERDICT_ERROR:
		return error_of(l, p->route_type);
	case VERDICT_LOCAL:
		way->out_link = LINK_LO;
		way->local = true;
		break;
	case VERDICT_FORWARD:
		way->out_link = p->out_link;
		way->gateway = p->next_addr != way->dst ? p->next_addr : 0;
		way->redirect = p->flags & PACKET_F_REDIRECT;
		break;
	}
	way->type = p->route_type;
	way->nexthop = p->nexthop;
	return 0;
}

static int get_output(struct ip_way *way)
{
	struct ip_flow f = {.dst = way->dst, .src = way->src, .tos = way->tos, .mark = way->mark,
			    .protocol = way->protocol};
	int rc;

	if (way->protocol != IPPROTO_ICMP) {
		f.sport = way->sport;
		f.dport = way->dport;
	}
	rc = ip_route_output(&f);
	if (rc)
		return rc;
	way->type = f.route_type;
	way->nexthop = f.nexthop;
	way->out_link = f.out_link;
	way->gateway = f.next_addr != f.dst ? f.next_addr : 0;
	way->prefsrc = f.src;
	way->local = f.route_type == ROUTE_LOCAL || f.route_type == ROUTE_BROADCAST ||
		     way->dst == IP_ALL_HOSTS;
	return 0;
}

int ip_route_get(struct ip_way *way)
{
	return way->iif < 0 ? get_output(way) : get_input(way);
}
