/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which way of several a packet takes: rule H4; Linux's fib_multipath_hash, fib_select_multipath
 * and fib_good_nh. The hash is the kernel's to the bit, so that with one seed both choose alike:
 * SipHash-2-4 over what tells flows apart, the smaller address and the smaller port first, so that
 * both directions of a flow have the same.
 */
#include <netinet/in.h>

#include <rte_random.h>

#include "core/siphash.h"
#include "ipv4/internal.h"
#include "neigh/neigh.h"
#include "route/group.h"

#define KEYS_BYTES 48           /* of the kernel's structure, mostly zero */

struct flow_keys {
	rte_be32_t src, dst;
	rte_be16_t sport, dport;
	uint8_t protocol;
};

static uint32_t random_seed;

void ip_multipath_init(void)
{
	random_seed = (uint32_t)rte_rand();
}

/* 31 bits. */
static int32_t hash_of(const struct flow_keys *k)
{
	uint64_t seed = ip_settings.multipath_hash_seed ?
			(uint32_t)ip_settings.multipath_hash_seed : random_seed;
	struct siphash_key key = { seed << 32 | seed, seed << 32 | seed };
	uint64_t ports = (uint64_t)RTE_MIN(k->sport, k->dport) |
			 (uint64_t)RTE_MAX(k->sport, k->dport) << 16;
	const uint64_t words[KEYS_BYTES / 8] = {
		(uint64_t)k->protocol << 16, 0, 0, ports << 32,
		(uint64_t)RTE_MIN(k->src, k->dst) << 32, RTE_MAX(k->src, k->dst),
	};
	struct siphash s;
	uint32_t h;

	siphash_begin(&s, &key);
	for (unsigned int i = 0; i < RTE_DIM(words); i++)
		siphash_word(&s, words[i], 2);
	siphash_word(&s, (uint64_t)KEYS_BYTES << 56, 2);
	h = (uint32_t)siphash_end(&s, 4);
	return (int32_t)((h ? h : 1) >> 1);
}

static bool is_icmp_error(uint8_t type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/* Addresses alone; those of the quoted packet where it is an ICMP error, which so takes the way of
 * the flow that it is about. */
static struct flow_keys keys_of_addresses(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint32_t at = rte_ipv4_hdr_len(ip);
	struct rte_ipv4_hdr quoted;
	uint8_t type;

	if (unlikely(ip->next_proto_id == IPPROTO_ICMP) && !(ip->fragment_offset & FRAG_OFFSET) &&
	    m->pkt_len >= at + sizeof(struct icmp_hdr) + sizeof(quoted)) {
		packet_read(m, at, 1, &type);
		if (is_icmp_error(type)) {
			packet_read(m, at + sizeof(struct icmp_hdr), sizeof(quoted), &quoted);
			ip = &quoted;
		}
	}
	return (struct flow_keys){ .src = ip->src_addr, .dst = ip->dst_addr };
}

/* Where the ports, or what stands for them, begin in the protocol's header; -1: it has none. */
static int ports_offset(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_ESP:
		return 0;
	case IPPROTO_AH:
		return 4;
	default:
		return -1;
	}
}

static struct flow_keys keys_of_flow(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	struct flow_keys k = { .src = ip->src_addr, .dst = ip->dst_addr,
			       .protocol = ip->next_proto_id };
	int offset = ports_offset(ip->next_proto_id);
	uint32_t at = rte_ipv4_hdr_len(ip) + (uint32_t)RTE_MAX(offset, 0);
	rte_be16_t ports[2];

	if (offset < 0 || ip_is_fragment(ip) || m->pkt_len < at + sizeof(ports))
		return k;
	packet_read(m, at, sizeof(ports), ports);
	k.sport = ports[0];
	k.dport = ports[1];
	return k;
}

static struct flow_keys keys_of_packet(const struct rte_mbuf *m)
{
	return ip_settings.multipath_hash_policy ? keys_of_flow(m) : keys_of_addresses(m);
}

/* What the router itself sends; an ICMP error goes the way of the packet that it is about. */
static struct flow_keys keys_of_output(const struct ip_flow *f)
{
	if (f->about)
		return keys_of_packet(f->about);
	if (!ip_settings.multipath_hash_policy)
		return (struct flow_keys){ .src = f->src, .dst = f->dst };
	return (struct flow_keys){ .src = f->src, .dst = f->dst, .sport = f->sport,
				   .dport = f->dport, .protocol = f->protocol };
}

/* No neighbour is known to be unreachable; Linux's fib_good_nh. */
static bool is_good(const struct worker *w, const struct nexthop *nh)
{
	return !nh->gateway || !neigh_unusable(w, nh->link, nh->gateway);
}

/* The source that a way's link would choose, whatever `src` the route has; Linux's nh_saddr. */
static bool has_source(const struct nexthop *nh, rte_be32_t src)
{
	const struct link *l = link_get(nh->link);

	return l && addr_select(l, nh->via, nh->scope) == src;
}

/* The first member that takes the hash, from the wanted source if there is one; else that source
 * before the hash, and either before none. */
static uint32_t choose(const struct worker *w, uint32_t index, int32_t hash, rte_be32_t src)
{
	const struct group *g = group_of(nexthop_get(index));
	uint32_t best = g->members[g->first].nexthop;
	int best_score = -1;

	for (unsigned int i = 0; i < g->n; i++) {
		const struct group_member *member = &g->members[i];
		const struct nexthop *nh = nexthop_get(member->nexthop);
		int score = 0;

		if (unlikely(ip_settings.multipath_use_neigh) && !is_good(w, nh))
			continue;
		if (src && has_source(nh, src))
			score += 2;
		if (hash <= member->bound)
			score++;
		if (score <= best_score)
			continue;
		best = member->nexthop;
		best_score = score;
		if (score == 3 || (!src && score == 1))
			break;
	}
	return best;
}

uint32_t ip_multipath_input(const struct worker *w, const struct rte_mbuf *m, uint32_t index)
{
	struct flow_keys k = keys_of_packet(m);

	return choose(w, index, hash_of(&k), 0);
}

uint32_t ip_multipath_output(const struct ip_flow *f, uint32_t index)
{
	struct flow_keys k = keys_of_output(f);

	return choose(NULL, index, hash_of(&k), f->src);
}
