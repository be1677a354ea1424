/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of a packet that is only thought of, for `route get`: Linux's inet_rtm_getroute. It is
 * found by the functions that packets meet. There is a packet to show them, which is never sent: a
 * header and what chooses among several ways.
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

/* That may be the destination, too; 0: there is none, as the destination is on the link. */
static rte_be32_t gateway_of(uint32_t nexthop, rte_be32_t dst)
{
	rte_be32_t learned = ip_exception_gateway(nexthop, dst);

	return learned ? learned : nexthop_get(nexthop)->gateway;
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
		way->gateway = gateway_of(p->nexthop, way->dst);
		way->redirect = p->flags & PACKET_F_REDIRECT;
		break;
	}
	way->type = p->route_type;
	way->nexthop = p->nexthop;
	return 0;
}

/* Does what the router itself sends come back to it, or to it as well? */
static bool way_is_local(const struct ip_way *way)
{
	return way->type == ROUTE_BROADCAST || way->dst == IP_ALL_HOSTS ||
	       (way->out_link == LINK_LO && way->type != ROUTE_MULTICAST);
}

static int get_output(struct ip_way *way)
{
	struct thought t;
	struct ip_flow f = {.dst = way->dst, .src = way->src, .tos = way->tos, .mark = way->mark,
			    .protocol = way->protocol, .about = &t.mbuf};
	int rc;

	think(&t, way);
	rc = ip_route_output(&f);
	if (rc)
		return rc;
	way->assumed = way->src && ip_is_to_many(way->dst);
	way->type = f.route_type;
	way->nexthop = f.nexthop;
	way->out_link = f.out_link;
	way->gateway = gateway_of(f.nexthop, f.dst);
	way->prefsrc = f.src;
	way->local = way_is_local(way);
	return 0;
}

/* Where there is no route by the link, or one that refuses, dst is taken to be on the link. */
static void take_route_over(struct ip_way *way, const struct link *out)
{
	struct route_answer a;
	const struct nexthop *nh;

	route_explain(&(struct route_flow){
		.dst = way->dst, .src = way->src, .iif = LINK_LO, .tos = way->tos,
		.mark = way->mark }, out->id, &a);
	nh = nexthop_get(a.nexthop);
	way->assumed = !ip_is_way(nh);
	if (way->assumed)
		return;
	way->type = nh->type;
	way->nexthop = a.nexthop;
	way->gateway = gateway_of(way->nexthop, way->dst);
	if (ip_is_multicast(way->dst) && a.route && a.route->len < IP_GROUPS_LEN) {
		way->gateway = 0;       /* as Linux has it: not of routes to all the world */
		way->nexthop = 0;
	}
	if (nh->type == ROUTE_LOCAL)
		way->out_link = LINK_LO;
	way->prefsrc = ip_source_for(nh, way->dst);
}

static void to_itself(struct ip_way *way, const struct link *out)
{
	way->type = ROUTE_LOCAL;
	way->prefsrc = addr_select(out, 0, SCOPE_HOST);
	way->out_link = LINK_LO;
}

/* Linux's ip_route_output_key_hash_rcu and __mkroute_output where the link is given, which is never
 * so for what the router itself sends. */
static int get_output_over(struct ip_way *way)
{
	const struct link *out = link_get((unsigned int)way->oif);

	if (!out)
		return -ENODEV;
	if (ip_is_to_many(way->src))
		return -EINVAL;
	if ((way->src && !route_is_local(way->src)) || !out->up)
		return -ENETUNREACH;
	*way = (struct ip_way){
		.dst = way->dst, .src = way->src, .tos = way->tos, .mark = way->mark,
		.iif = way->iif, .oif = way->oif, .type = ROUTE_UNICAST, .out_link = out->id,
		.prefsrc = addr_select(out, 0, SCOPE_LINK), .assumed = true,
	};
	if (!way->dst)
		to_itself(way, out);
	else if (ip_is_limited_broadcast(way->dst))
		way->type = ROUTE_BROADCAST;
	else if (!ip_is_local_multicast(way->dst))
		take_route_over(way, out);
	if (ip_is_multicast(way->dst)) {
		bool local = ip_is_local_multicast(way->dst);

		way->type = ROUTE_MULTICAST;
		way->prefsrc = addr_select(out, 0, local ? SCOPE_LINK : SCOPE_UNIVERSE);
	}
	if (ip_is_loopback(way->src ? way->src : way->prefsrc) && way->out_link != LINK_LO &&
	    !LINK_CONF_OR(out, route_localnet))
		return -EINVAL;
	way->local = way_is_local(way);
	return 0;
}

int ip_route_get(struct ip_way *way)
{
	if (way->iif >= 0)
		return get_input(way);
	return way->oif >= 0 ? get_output_over(way) : get_output(way);
}
