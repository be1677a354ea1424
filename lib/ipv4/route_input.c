/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The route of a received packet: which addresses are impossible (martians), whether the source
 * is believed, and what the tables say. Rule A ("Destination/source classes", in that order, and
 * "Source validation"); Linux's ip_route_input_rcu, ip_route_input_slow, __mkroute_input and
 * __fib_validate_source. And what becomes of a packet that has no way: rules H3 and C10.
 */
#include "ipv4/exception.h"
#include "ipv4/fast_sources.h"
#include "ipv4/internal.h"
#include "ipv4/peer.h"
#include "route/group.h"

/* What a source check found, besides that the source is believed. */
struct source {
	bool on_link;      /* it is a neighbour on the link that the packet came in by */
};

/* The full check: how would we send to this source? Linux's __fib_validate_source. */
static bool source_check_route(const struct link *l, const struct rte_ipv4_hdr *ip,
			       const struct packet *p, rte_be32_t dst, int out, struct source *s,
			       enum drop_reason *reason)
{
	const struct route_flow f = {
		.dst = ip->src_addr,
		.src = dst,
		.iif = out < 0 ? LINK_LO : (uint16_t)out,
		.tos = ip->type_of_service,
		.mark = LINK_CONF_OR(l, src_valid_mark) ? p->mark : 0,
	};
	uint32_t index = route_lookup(&f);
	const struct nexthop *nh = nexthop_get(group_first(index));
	int32_t rp_filter = LINK_CONF_MAX(l, rp_filter);
	const struct link_addrs *addrs = rcu_read(l->addrs);

	*reason = DROP_IP_RPFILTER;
	if (nh->type == ROUTE_LOCAL && !LINK_CONF_OR(l, accept_local)) {
		*reason = DROP_IP_LOCAL_SOURCE;
		return false;
	}
	if (nh->type == ROUTE_BROADCAST) {
		*reason = DROP_IP_INVALID_SOURCE;
		return false;
	}
	if (nh->type != ROUTE_UNICAST && nh->type != ROUTE_LOCAL)
		return !rp_filter;
	if (nexthop_over(index, l->id) || (nh->type == ROUTE_LOCAL && l->id == LINK_LO)) {
		s->on_link = !nh->gateway;
		return true;
	}
	if (!addrs || !addrs->n)
		return !rp_filter;
	if (out == l->id) {     /* by a way that is not the best it may still be a neighbour */
		nh = nexthop_get(route_lookup_over(&f, l->id));
		s->on_link = nh->type == ROUTE_UNICAST && !nh->gateway;
	}
	return rp_filter != 1;
}

/* Is this address configured on a link? The route says so, but for lo's subnets, which are local
 * as a whole, and where a broadcast address stands in the way. */
static __rte_noinline bool configured(rte_be32_t addr)
{
	const struct nexthop *nh = route_lookup_local(addr);

	if (nh->type == ROUTE_LOCAL && nh->link != LINK_LO)
		return true;
	if (likely(nh->type != ROUTE_LOCAL && nh->type != ROUTE_BROADCAST))
		return false;
	return addr_owner(addr);
}

/* Without rp_filter only what the tables call local or broadcast is refused. The filter knows such
 * sources where they are single addresses, but for lo's. */
static __rte_noinline bool source_check_custom(const struct link *l, const struct rte_ipv4_hdr *ip,
					       const struct packet *p, rte_be32_t dst, int out,
					       struct source *s, enum drop_reason *reason)
{
	uint8_t told_by = __atomic_load_n(&route_sources, __ATOMIC_ACQUIRE);

	if (told_by == ROUTE_SOURCES_HOSTS && !fast_sources_maybe(ip->src_addr) &&
	    !ip_is_loopback(ip->src_addr))
		return true;
	return source_check_route(l, ip, p, dst, out, s, reason);
}

/* Is the source believed? dst: the packet's, 0 where it went to many; out: the output link, -1 for
 * local delivery. */
static __rte_always_inline bool source_check(const struct link *l, const struct rte_ipv4_hdr *ip,
					     const struct packet *p, rte_be32_t dst, int out,
					     struct source *s, enum drop_reason *reason)
{
	s->on_link = false;
	if (LINK_CONF_MAX(l, rp_filter) || (out == l->id && LINK_CONF_OR(l, send_redirects)))
		return source_check_route(l, ip, p, dst, out, s, reason);
	if (LINK_CONF_OR(l, accept_local))
		return true;
	if (route_sources_custom())
		return source_check_custom(l, ip, p, dst, out, s, reason);
	if (likely(!fast_sources_maybe(ip->src_addr)) || !configured(ip->src_addr))
		return true;
	*reason = DROP_IP_LOCAL_SOURCE;
	return false;
}

static enum route_verdict drop(enum drop_reason *reason, enum drop_reason why)
{
	*reason = why;
	return VERDICT_DROP;
}

/* To a group: only 224.0.0.1, which every link has joined. */
static enum route_verdict multicast_input(const struct link *l, const struct rte_ipv4_hdr *ip,
					  rte_be32_t dst, struct packet *p,
					  enum drop_reason *reason)
{
	struct source s;

	if (dst != IP_ALL_HOSTS)
		return drop(reason, DROP_IP_NOT_JOINED);
	if (ip_is_to_many(ip->src_addr))
		return drop(reason, DROP_IP_INVALID_SOURCE);
	if (ip_is_loopback(ip->src_addr) && !LINK_CONF_OR(l, route_localnet))
		return drop(reason, DROP_IP_LOCALNET);
	if (ip->src_addr && !source_check(l, ip, p, 0, -1, &s, reason))
		return VERDICT_DROP;
	p->route_type = ROUTE_MULTICAST;
	return VERDICT_LOCAL;
}

static enum route_verdict broadcast_input(const struct link *l, const struct rte_ipv4_hdr *ip,
					  struct packet *p, enum drop_reason *reason)
{
	struct source s;

	if (ip->src_addr && !source_check(l, ip, p, 0, -1, &s, reason))
		return VERDICT_DROP;
	p->route_type = ROUTE_BROADCAST;
	return VERDICT_LOCAL;
}

/* Addresses that no packet on a wire may have. */
static bool martian(const struct link *l, const struct rte_ipv4_hdr *ip, rte_be32_t dst,
		    enum drop_reason *reason)
{
	if (!ip->src_addr) {
		*reason = DROP_IP_INVALID_SOURCE;
		return true;
	}
	if (!dst) {
		*reason = DROP_IP_INVALID_DEST;
		return true;
	}
	*reason = DROP_IP_LOCALNET;
	return (ip_is_loopback(dst) || ip_is_loopback(ip->src_addr)) &&
	       !LINK_CONF_OR(l, route_localnet);
}

/* The way out is known: may the packet take it, and does its sender need a redirect (C9)? */
static __rte_always_inline enum route_verdict
forward_input(const struct link *l, const struct rte_ipv4_hdr *ip, rte_be32_t dst, struct packet *p,
	      const struct nexthop *nh, enum drop_reason *reason)
{
	struct source s;

	if (!source_check(l, ip, p, dst, nh->link, &s, reason))
		return VERDICT_DROP;
	p->flags |= PACKET_F_FORWARD;
	p->out_link = nh->link;
	p->next_addr = ip_exception_gateway(p->nexthop, dst);
	if (likely(!p->next_addr))
		p->next_addr = nh->gateway ? nh->gateway : dst;
	if (unlikely(nh->link == l->id && s.on_link && LINK_CONF_OR(l, send_redirects)) &&
	    (LINK_CONF_OR(l, shared_media) ||
	     addr_onlink(l, ip->src_addr, nh->gateway)))
		p->flags |= PACKET_F_REDIRECT;
	return VERDICT_FORWARD;
}

/* What is not simply forwarded. */
static __rte_noinline enum route_verdict
special_input(const struct worker *w, const struct link *l, struct rte_mbuf *m, rte_be32_t dst,
	      const struct nexthop *nh, enum drop_reason *reason)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	struct packet *p = packet_of(m);
	struct source s;

	switch (nh->type) {
	case ROUTE_GROUP:
		p->route_type = ROUTE_UNICAST;
		if (!l->conf.forwarding)
			return VERDICT_ERROR;
		p->nexthop = ip_multipath_input(w, m, p->nexthop);
		return forward_input(l, ip, dst, p, nexthop_get(p->nexthop), reason);
	case ROUTE_LOCAL:
		return source_check(l, ip, p, dst, -1, &s, reason) ? VERDICT_LOCAL : VERDICT_DROP;
	case ROUTE_BROADCAST:
		if (!LINK_CONF_AND(l, bc_forwarding))
			return broadcast_input(l, ip, p, reason);
		return forward_input(l, ip, dst, p, nh, reason);
	default:
		return VERDICT_ERROR;
	}
}

/* What addresses say by themselves. false: nothing, the tables are to be asked. */
static __rte_noinline bool class_input(const struct link *l, const struct rte_ipv4_hdr *ip,
				       rte_be32_t dst, struct packet *p,
				       enum route_verdict *verdict, enum drop_reason *reason)
{
	if (ip_is_multicast(dst))
		*verdict = multicast_input(l, ip, dst, p, reason);
	else if (ip_is_to_many(ip->src_addr))
		*verdict = drop(reason, DROP_IP_INVALID_SOURCE);
	else if (ip_is_limited_broadcast(dst) || (!ip->src_addr && !dst))
		*verdict = broadcast_input(l, ip, p, reason);
	else if (martian(l, ip, dst, reason))
		*verdict = VERDICT_DROP;
	else
		return false;
	return true;
}

static __rte_always_inline enum route_verdict
route_input(struct worker *w, const struct link *l, struct rte_mbuf *m, rte_be32_t dst,
	    enum drop_reason *reason)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	struct packet *p = packet_of(m);
	enum route_verdict verdict;
	const struct nexthop *nh;

	if (unlikely(!(ip_is_ordinary(dst) && ip_is_ordinary(ip->src_addr))) &&
	    class_input(l, ip, dst, p, &verdict, reason))
		return verdict;
	p->nexthop = route_lookup(&(struct route_flow){
		.dst = dst,
		.src = ip->src_addr,
		.iif = l->id,
		.tos = ip->type_of_service,
		.mark = p->mark,
	});
	nh = nexthop_get(p->nexthop);
	p->route_type = nh->type;
	if (unlikely(nh->type != ROUTE_UNICAST))
		return special_input(w, l, m, dst, nh, reason);
	if (unlikely(!l->conf.forwarding))
		return VERDICT_ERROR;
	return forward_input(l, ip, dst, p, nh, reason);
}

__rte_always_inline enum route_verdict ip_route_input(struct worker *w, const struct link *l,
						      struct rte_mbuf *m,
						      enum drop_reason *reason)
{
	return route_input(w, l, m, packet_ip(m)->dst_addr, reason);
}

enum route_verdict ip_route_input_hop(struct worker *w, const struct link *l, struct rte_mbuf *m,
				      rte_be32_t hop, enum drop_reason *reason)
{
	return route_input(w, l, m, hop, reason);
}

void ip_error(struct worker *w, const struct link *l, struct rte_mbuf *m)
{
	static const struct {
		enum drop_reason reason;
		int code;
	} answers[ROUTE_TYPES] = {
		[ROUTE_NONE] = {DROP_IP_NOROUTE, ICMP_NET_UNREACH},
		[ROUTE_THROW] = {DROP_IP_NOROUTE, ICMP_NET_UNREACH},
		[ROUTE_UNREACHABLE] = {DROP_IP_UNREACHABLE, ICMP_HOST_UNREACH},
		[ROUTE_PROHIBIT] = {DROP_IP_PROHIBIT, ICMP_PKT_FILTERED},
		[ROUTE_BLACKHOLE] = {DROP_IP_BLACKHOLE, -1},
	};
	uint8_t type = packet_of(m)->route_type;

	/* forwarding may have been switched on since a way was found */
	if (!l->conf.forwarding || type == ROUTE_UNICAST) {
		count(w->counters, CNT_IP_INADDRERRORS);
		packet_drop(w, m, DROP_IP_INADDRERRORS);
		return;
	}
	if (answers[type].code == ICMP_NET_UNREACH)
		count(w->counters, CNT_IPEXT_INNOROUTES);
	if (answers[type].code >= 0 && peer_error_allow(packet_ip(m)->src_addr, w->now_ns))
		icmp_send(w, m, ICMP_DEST_UNREACH, (uint8_t)answers[type].code, 0);
	packet_drop(w, m, answers[type].reason);
}
