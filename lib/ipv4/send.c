/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the router itself sends: the route of a flow that begins here, the header, the
 * identification. Rule G; Linux's ip_route_output_key, __ip_make_skb and ip_local_out.
 */
#include <errno.h>

#include <rte_jhash.h>
#include <rte_malloc.h>
#include <rte_random.h>

#include "core/clock.h"
#include "ipv4/internal.h"
#include "packet/checksum.h"

#define ID_SLOTS 2048
#define TICK_NS (4 * NSEC_PER_MSEC) /* Linux adds up to one per jiffy; HZ=250 */

struct ip_ids {
	uint32_t secret;
	struct {
		uint32_t id;
		uint64_t last_ns;
	} slot[ID_SLOTS];
};

int ip_ids_init(struct worker *w)
{
	struct ip_ids *ids = rte_zmalloc("ip_ids", sizeof(*ids), RTE_CACHE_LINE_SIZE);

	if (!ids)
		return -ENOMEM;
	ids->secret = (uint32_t)rte_rand();
	for (unsigned int i = 0; i < ID_SLOTS; i++)
		ids->slot[i].id = (uint32_t)rte_rand();
	w->ip->ids = ids;
	return 0;
}

void ip_ids_fini(struct worker *w)
{
	rte_free(w->ip->ids);
	w->ip->ids = NULL;
}

uint16_t ip_select_id(struct worker *w, const struct ip_flow *f)
{
	struct ip_ids *ids = w->ip->ids;
	uint32_t slot = rte_jhash_3words(f->dst, f->src, f->protocol, ids->secret) % ID_SLOTS;
	uint64_t ticks = (w->now_ns - ids->slot[slot].last_ns) / TICK_NS;

	ids->slot[slot].last_ns = w->now_ns;
	ids->slot[slot].id += 1 + (ticks ? worker_random(w) % (uint32_t)RTE_MIN(
						    ticks, (uint64_t)UINT16_MAX) : 0);
	return (uint16_t)ids->slot[slot].id;
}

static bool own_address(rte_be32_t addr)
{
	const struct nexthop *nh = route_lookup(addr);

	return nh->type == ROUTE_LOCAL;
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

/* To 255.255.255.255 or a group, from a known own address: out of that address's link. */
static int output_to_many(struct ip_flow *f)
{
	const struct nexthop *nh = f->src ? route_lookup(f->src) : NULL;
	const struct link *l;

	if (!nh || nh->type != ROUTE_LOCAL)
		return -ENETUNREACH;
	l = link_get(nh->link);
	if (!l)
		return -ENETUNREACH;
	f->route_type = ip_is_multicast(f->dst) ? ROUTE_MULTICAST : ROUTE_BROADCAST;
	f->nexthop = 0;
	f->out_link = l->id;
	f->mtu = l->mtu;
	f->next_addr = f->dst;
	return 0;
}

int ip_route_output(struct ip_flow *f)
{
	const struct nexthop *nh;
	const struct link *out;

	if (f->src && (ip_is_multicast(f->src) || ip_is_limited_broadcast(f->src)))
		return -EINVAL;
	if (ip_is_multicast(f->dst) || ip_is_limited_broadcast(f->dst))
		return output_to_many(f);
	if (f->src && !own_address(f->src))
		return -ENETUNREACH;
	if (!f->dst)
		f->dst = f->src ? f->src : RTE_BE32(RTE_IPV4_LOOPBACK);
	f->nexthop = fib_lookup(route_fib, rte_be_to_cpu_32(f->dst));
	nh = nexthop_get(f->nexthop);
	f->route_type = nh->type;
	if (nh->type != ROUTE_UNICAST && nh->type != ROUTE_LOCAL && nh->type != ROUTE_BROADCAST)
		return error_of(nh->type);
	f->out_link = nh->type == ROUTE_LOCAL ? LINK_LO : nh->link;
	out = link_get(f->out_link);
	if (!out)
		return -ENETUNREACH;
	if (!f->src)
		f->src = nexthop_src(nh);
	if (!f->src && nh->type == ROUTE_LOCAL)
		f->src = f->dst;
	if (ip_is_loopback(f->src) && out->id != LINK_LO && !LINK_CONF_OR(out, route_localnet))
		return -EINVAL;
	f->mtu = nh->mtu ? nh->mtu : out->mtu;
	f->next_addr = nh->gateway ? nh->gateway : f->dst;
	return 0;
}

void ip_build_and_send(struct worker *w, struct rte_mbuf *m, const struct ip_flow *f, bool df)
{
	struct packet *p = packet_of(m);
	struct rte_ipv4_hdr *ip = (void *)rte_pktmbuf_prepend(m, sizeof(*ip));

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.type_of_service = f->tos,
		.total_length = rte_cpu_to_be_16((uint16_t)m->pkt_len),
		.packet_id = df ? 0 : rte_cpu_to_be_16(ip_select_id(w, f)),
		.fragment_offset = df ? FRAG_DF : 0,
		.time_to_live = f->route_type == ROUTE_MULTICAST
					? 1 : (uint8_t)ip_settings.default_ttl,
		.next_proto_id = f->protocol,
		.src_addr = f->src,
		.dst_addr = f->dst,
	};
	checksum_header_set(ip);
	p->type = PACKET_OUTGOING;
	p->flags = PACKET_F_LOCAL;
	p->frag_max_size = 0;
	p->link = LINK_LO;
	p->route_type = f->route_type;
	p->nexthop = f->nexthop;
	p->out_link = f->out_link;
	p->next_addr = f->next_addr;
	p->mtu = (uint16_t)RTE_MIN(f->mtu, (uint32_t)UINT16_MAX);
	count(w->counters, CNT_IP_OUTREQUESTS);
	ip_output(w, m);
}

rte_be32_t ip_spec_dst(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	const struct link *l = link_get(packet_of(m)->link);
	const struct nexthop *nh;

	if (packet_of(m)->route_type == ROUTE_LOCAL)
		return ip->dst_addr;
	if (!ip->src_addr)
		return addr_select(l, 0, SCOPE_LINK);
	nh = route_lookup(ip->src_addr);
	if (nh->type == ROUTE_UNICAST || nh->type == ROUTE_BROADCAST || nh->type == ROUTE_LOCAL)
		return nexthop_src(nh);
	return addr_select(l, ip->src_addr, SCOPE_UNIVERSE);
}
