/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the router itself sends: the route of a flow that begins here, the header, the
 * identification. Rule G; Linux's ip_route_output_key, __ip_make_skb and ip_local_out.
 */
#include <errno.h>

#include <rte_jhash.h>
#include <rte_random.h>

#include "core/clock.h"
#include "ipv4/append.h"
#include "ipv4/exception.h"
#include "ipv4/internal.h"
#include "ipv4/options.h"
#include "packet/checksum.h"
#include "route/group.h"

#define ID_SLOTS 2048

/* Of all workers, as several may send to one address, and fragments of two datagrams must not have
 * the same. */
static struct {
	uint32_t secret;
	struct {
		uint32_t id;
		uint64_t last_ns;
	} slot[ID_SLOTS];
} ids;

void ip_ids_init(void)
{
	ids.secret = (uint32_t)rte_rand();
	for (unsigned int i = 0; i < ID_SLOTS; i++)
		ids.slot[i].id = (uint32_t)rte_rand();
}

uint16_t ip_select_id(struct worker *w, const struct ip_flow *f)
{
	uint32_t slot = rte_jhash_3words(f->dst, f->src, f->protocol, ids.secret) % ID_SLOTS;
	uint64_t last_ns = __atomic_load_n(&ids.slot[slot].last_ns, __ATOMIC_RELAXED);
	uint64_t ticks = w->now_ns > last_ns ? (w->now_ns - last_ns) / JIFFY_NS : 0;
	uint32_t step = 1 + (ticks ? worker_random(w) %
					     (uint32_t)RTE_MIN(ticks, (uint64_t)UINT16_MAX) : 0);

	__atomic_store_n(&ids.slot[slot].last_ns, w->now_ns, __ATOMIC_RELAXED);
	if (workers_count == 1)
		return (uint16_t)(ids.slot[slot].id += step);
	return (uint16_t)__atomic_add_fetch(&ids.slot[slot].id, step, __ATOMIC_RELAXED);
}

static int error_of(unsigned int route_type)
{
	switch (route_type) {
	case ROUTE_UNREACHABLE:
		return -EHOSTUNREACH;
	case ROUTE_PROHIBIT:
		return -EACCES;
	case ROUTE_BLACKHOLE:
		return -EINVAL;
	default:
		return -ENETUNREACH;
	}
}

/* The way to an address for what begins here; of several the first. */
static const struct nexthop *way_to(rte_be32_t dst, uint8_t tos, uint32_t mark)
{
	return nexthop_get(group_first(route_lookup(&(struct route_flow){
		.dst = dst, .iif = LINK_LO, .tos = tos, .mark = mark })));
}

/* What was learned of the path, else what the route says, else the link. */
static void path_take(struct ip_flow *f, const struct nexthop *nh, const struct link *out)
{
	struct ip_exception e;

	f->mtu_locked = nh->flags & NEXTHOP_F_MTU_LOCKED;
	f->hoplimit = nh->hoplimit;
	f->mtu = ip_nexthop_mtu(nh, out);
	f->gateway = nh->gateway;
	if (unlikely(ip_exception_get(f->nexthop, f->dst, &e))) {
		if (e.mtu)
			f->mtu = e.mtu;
		f->mtu_locked |= e.locked;
		if (e.gateway)
			f->gateway = e.gateway;
		else if (!f->gateway)
			f->gateway = f->dst;
	}
	f->next_addr = f->gateway ? f->gateway : f->dst;
}

bool ip_is_way(const struct nexthop *nh)
{
	return nh->type == ROUTE_UNICAST || nh->type == ROUTE_LOCAL ||
	       nh->type == ROUTE_BROADCAST;
}

rte_be32_t ip_source_for(const struct nexthop *nh, rte_be32_t dst)
{
	if (nh->type == ROUTE_LOCAL)
		return nh->asked_src ? nh->asked_src : dst;
	return nexthop_src(nh);
}

/* Take what a lookup has found; of several ways one. 0, or why it is no way. */
static int way_take(struct ip_flow *f, uint32_t index)
{
	const struct nexthop *nh;

	f->nexthop = index;
	if (unlikely(nexthop_get(index)->type == ROUTE_GROUP))
		f->nexthop = ip_multipath_output(f, index);
	nh = nexthop_get(f->nexthop);
	if (!ip_is_way(nh))
		return error_of(nh->type);
	f->out_link = nh->type == ROUTE_LOCAL ? LINK_LO : nh->link;
	return 0;
}

/* As if whoever is meant were on the link. */
static int output_on_link(struct ip_flow *f, unsigned int link)
{
	const struct link *l = link_get(link);

	if (!l)
		return -ENETUNREACH;
	f->nexthop = 0;
	f->out_link = l->id;
	f->mtu = l->mtu;
	f->next_addr = f->dst;
	return 0;
}

/* To 255.255.255.255 or a group: from a known own address out of that address's link, else by the
 * route that there may be. It says the rest too, as a gateway or an MTU, but not for broadcasts,
 * nor if it is for more than the groups. */
static int output_to_many(struct ip_flow *f)
{
	const struct route_flow flow = { .dst = f->dst, .iif = LINK_LO, .tos = f->tos,
					 .mark = f->mark };
	const struct nexthop *nh;
	const struct link *out;
	unsigned int len = 0;
	int rc;

	f->route_type = ip_is_multicast(f->dst) ? ROUTE_MULTICAST : ROUTE_BROADCAST;
	if (f->src) {
		nh = route_lookup_local(f->src);
		return nh->type == ROUTE_LOCAL ? output_on_link(f, nh->link) : -ENETUNREACH;
	}
	rc = way_take(f, route_lookup_len(&flow, &len));
	if (rc)
		return rc;
	nh = nexthop_get(f->nexthop);
	f->src = ip_source_for(nh, f->dst);
	if (f->route_type == ROUTE_BROADCAST || len < IP_GROUPS_LEN)
		return output_on_link(f, f->out_link);
	out = link_get(f->out_link);
	if (!out)
		return -ENETUNREACH;
	path_take(f, nh, out);
	return 0;
}

int ip_route_output(struct ip_flow *f)
{
	const struct nexthop *nh;
	const struct link *out;
	int rc;

	if (ip_is_to_many(f->src))
		return -EINVAL;
	if (ip_is_to_many(f->dst))
		return output_to_many(f);
	if (f->src && !f->any_src && !route_is_local(f->src))
		return -ENETUNREACH;
	if (!f->dst)
		f->dst = f->src ? f->src : RTE_BE32(RTE_IPV4_LOOPBACK);
	rc = way_take(f, route_lookup(&(struct route_flow){
		.dst = f->dst, .src = f->src, .iif = LINK_LO, .tos = f->tos, .mark = f->mark }));
	nh = nexthop_get(f->nexthop);
	f->route_type = nh->type;
	if (rc)
		return rc;
	out = link_get(f->out_link);
	if (!out)
		return -ENETUNREACH;
	if (!f->src)
		f->src = ip_source_for(nh, f->dst);
	if (ip_is_loopback(f->src) && out->id != LINK_LO && !LINK_CONF_OR(out, route_localnet))
		return -EINVAL;
	path_take(f, nh, out);
	return 0;
}

/* Does the whole datagram get DF? Linux's ip_dont_fragment. */
static bool dont_fragment(const struct ip_flow *f, uint32_t len)
{
	return f->pmtudisc == IP_PMTU_DO ||
	       (f->pmtudisc == IP_PMTU_WANT && len <= f->mtu && !f->mtu_locked);
}

bool ip_queue_xmit(struct worker *w, struct rte_mbuf *m, const struct ip_flow *f)
{
	if (likely(m->pkt_len + ip_flow_header(f) <= f->mtu) || f->pmtudisc == IP_PMTU_DO) {
		ip_build_and_send_pkt(w, m, f, false);
		return true;
	}
	w->counters->originated--; /* what is gathered is counted when it is sent */
	return ip_send_gathered(w, m, f);
}

/* Rule G4. */
static uint8_t time_to_live(const struct ip_flow *f)
{
	if (f->ttl)
		return f->ttl;
	if (f->route_type == ROUTE_MULTICAST)
		return 1;
	return f->hoplimit ? f->hoplimit : (uint8_t)ip_settings.default_ttl;
}

void ip_build_and_send_pkt(struct worker *w, struct rte_mbuf *m, const struct ip_flow *f,
			   bool several)
{
	struct packet *p = packet_of(m);
	uint8_t options = f->options ? f->options->len : 0;
	struct rte_ipv4_hdr *ip = (void *)rte_pktmbuf_prepend(m, sizeof(*ip) + options);
	struct rte_ipv4_hdr header = {
		.version_ihl = (uint8_t)(0x45 + options / 4),
		.type_of_service = f->tos,
		.total_length = rte_cpu_to_be_16((uint16_t)m->pkt_len),
		.packet_id = f->pmtudisc == IP_PMTU_DO
				     ? 0 : rte_cpu_to_be_16(ip_select_id(w, f)),
		.fragment_offset = dont_fragment(f, m->pkt_len) ? FRAG_DF : 0,
		.time_to_live = time_to_live(f),
		.next_proto_id = f->protocol,
		.src_addr = f->src,
		.dst_addr = f->dst,
	};

	if (likely(!options))
		header.hdr_checksum = checksum_header_new(&header);
	*ip = header;
	if (unlikely(options)) {
		ip_options_build(f->options, m, f->final_dst, w->now_ns);
		checksum_header_set(ip);
	}
	p->type = PACKET_OUTGOING;
	p->flags = PACKET_F_LOCAL | (f->untold ? PACKET_F_UNTOLD : 0);
	p->mark = f->mark;
	p->frag_max_size = several ? (uint16_t)RTE_MIN(f->mtu, (uint32_t)UINT16_MAX) : 0;
	p->link = LINK_LO;
	p->origin = PACKET_MADE;
	p->frame_rest = 0;
	p->route_type = f->route_type;
	p->nexthop = f->nexthop;
	p->out_link = f->out_link;
	p->next_addr = f->next_addr;
	p->mtu = (uint16_t)RTE_MIN(f->mtu, (uint32_t)UINT16_MAX);
	count(w->counters, CNT_IP_OUTREQUESTS);
	if (!hooked(HOOK_OUTPUT) || hook_run(w, m, HOOK_OUTPUT))
		ip_output(w, m);
}

rte_be32_t ip_spec_dst(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	const struct link *l = link_get(packet_of(m)->link);
	const struct nexthop *nh;
	uint32_t mark = 0;

	if (packet_of(m)->route_type == ROUTE_LOCAL)
		return ip->dst_addr;
	if (!ip->src_addr)
		return addr_select(l, 0, SCOPE_LINK);
	if (l && LINK_CONF_OR(l, src_valid_mark))
		mark = packet_of(m)->mark;
	nh = way_to(ip->src_addr, ip->type_of_service, mark);
	if (ip_is_way(nh))
		return nexthop_src(nh);
	return addr_select(l, ip->src_addr, SCOPE_UNIVERSE);
}
