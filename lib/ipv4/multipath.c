/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which way of several a packet takes: rule H4; Linux's fib_multipath_hash, fib_select_multipath
 * and fib_good_nh. The hash is the kernel's to the bit, so that with one seed both choose alike:
 * SipHash-2-4 over what tells flows apart, the smaller address and the smaller port first, so that
 * both directions of a flow have the same.
 */
#include <netinet/in.h>
#include <string.h>

#include <rte_jhash.h>
#include <rte_random.h>

#include "core/siphash.h"
#include "ipv4/flow_keys.h"
#include "ipv4/internal.h"
#include "neigh/neigh.h"
#include "route/group.h"

/* net.ipv4.fib_multipath_hash_policy */
enum policy {
	BY_ADDRESSES,
	BY_FLOW,
	BY_INNER_ADDRESSES,
	BY_FIELDS,
};

/* The same bits are for what is in a tunnel, INNER_SHIFT higher up. */
#define FIELD_SRC 0x01
#define FIELD_DST 0x02
#define FIELD_PROTOCOL 0x04
#define FIELD_FLOW_LABEL 0x08
#define FIELD_SPORT 0x10
#define FIELD_DPORT 0x20
#define FIELDS 0x3f
#define INNER_SHIFT 6

/* The kernel's structure as words of four bytes, mostly zero; addresses come last. */
#define WORD_PROTOCOL 0
#define WORD_FLOW_LABEL 1
#define WORD_PORTS 7
#define WORD_ADDRESSES 9
#define WORDS_IPV6 18
#define WORDS_IPV4 12
#define WORDS_NO_ADDRESSES 10

static uint32_t random_seed;

void ip_multipath_init(void)
{
	random_seed = (uint32_t)rte_rand();
}

/* Writes the addresses; returns how many words there are in all. */
static unsigned int put_addresses(uint32_t *to, const struct flow_keys *k)
{
	bool swapped;

	switch (k->family) {
	case FLOW_IPV4:
		to[0] = RTE_MIN(k->src, k->dst);
		to[1] = RTE_MAX(k->src, k->dst);
		return WORDS_IPV4;
	case FLOW_IPV6:
		swapped = memcmp(k->dst6, k->src6, FLOW_IPV6_BYTES) < 0;
		memcpy(to, swapped ? k->dst6 : k->src6, FLOW_IPV6_BYTES);
		memcpy(to + FLOW_IPV6_BYTES / 4, swapped ? k->src6 : k->dst6, FLOW_IPV6_BYTES);
		return WORDS_IPV6;
	default:
		return WORDS_NO_ADDRESSES;
	}
}

/* Never 0. */
static uint32_t hash_of(const struct flow_keys *k)
{
	uint64_t seed = ip_settings.multipath_hash_seed ? ip_settings.multipath_hash_seed
							: random_seed;
	struct siphash_key key = { seed << 32 | seed, seed << 32 | seed };
	uint32_t words[WORDS_IPV6] = {
		[WORD_PROTOCOL] = (uint32_t)k->protocol << 16,
		[WORD_FLOW_LABEL] = k->flow_label,
		[WORD_PORTS] = (uint32_t)RTE_MIN(k->sport, k->dport) |
			       (uint32_t)RTE_MAX(k->sport, k->dport) << 16,
	};
	unsigned int n = put_addresses(words + WORD_ADDRESSES, k);
	struct siphash s;
	uint32_t h;

	siphash_begin(&s, &key);
	for (unsigned int i = 0; i < n; i += 2)
		siphash_word(&s, words[i] | (uint64_t)words[i + 1] << 32, 2);
	siphash_word(&s, (uint64_t)n * 4 << 56, 2);
	h = (uint32_t)siphash_end(&s, 4);
	return h ? h : 1;
}

static bool is_icmp_error(uint8_t type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

static uint32_t hash_addresses(rte_be32_t src, rte_be32_t dst)
{
	return hash_of(&(struct flow_keys){ .family = FLOW_IPV4, .src = src, .dst = dst });
}

/* Addresses alone; those of the quoted packet where it is an ICMP error, which so takes the way of
 * the flow that it is about. */
static uint32_t by_addresses(const struct rte_mbuf *m)
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
	return hash_addresses(ip->src_addr, ip->dst_addr);
}

static uint32_t by_flow(const struct rte_mbuf *m)
{
	struct flow_keys k;

	flow_keys_get(m, false, &k);
	return hash_of(&k);
}

/* Addresses of the packet in a tunnel; of IPv6 also what stands for a flow there. Without a tunnel
 * they are its own, of an ICMP error, too. */
static uint32_t by_inner_addresses(const struct rte_mbuf *m)
{
	struct flow_keys k;

	flow_keys_get(m, true, &k);
	switch (k.family) {
	case FLOW_IPV4:
		return hash_addresses(k.src, k.dst);
	case FLOW_IPV6:
		k.sport = 0;
		k.dport = 0;
		return hash_of(&k);
	default:
		return by_addresses(m);
	}
}

/* The hash of those fields only that are asked for. */
static uint32_t hash_fields(const struct flow_keys *k, unsigned int fields)
{
	struct flow_keys wanted = {
		.family = k->family,
		.protocol = fields & FIELD_PROTOCOL ? k->protocol : 0,
		.sport = fields & FIELD_SPORT ? k->sport : 0,
		.dport = fields & FIELD_DPORT ? k->dport : 0,
		.src6 = {0},
		.dst6 = {0},
	};

	if (k->family == FLOW_IPV4) {
		wanted.src = fields & FIELD_SRC ? k->src : 0;
		wanted.dst = fields & FIELD_DST ? k->dst : 0;
	} else if (k->family == FLOW_IPV6) {
		memcpy(wanted.src6, k->src6, fields & FIELD_SRC ? FLOW_IPV6_BYTES : 0);
		memcpy(wanted.dst6, k->dst6, fields & FIELD_DST ? FLOW_IPV6_BYTES : 0);
		wanted.flow_label = fields & FIELD_FLOW_LABEL ? k->flow_label : 0;
	}
	return hash_of(&wanted);
}

/* Fields of the outer header, and of what it carries if that is a packet; 0: of neither. */
static uint32_t by_fields(const struct rte_mbuf *m)
{
	unsigned int fields = (unsigned int)ip_settings.multipath_hash_fields;
	unsigned int inner_fields = fields >> INNER_SHIFT & FIELDS;
	uint32_t outer = 0, inner = 0;
	struct flow_keys k;

	fields &= FIELDS;
	if (fields) {
		flow_keys_get(m, false, &k);
		outer = hash_fields(&k, fields);
	}
	if (inner_fields && (!fields || k.tunnelled)) {
		flow_keys_get(m, true, &k);
		if (k.tunnelled)
			inner = hash_fields(&k, inner_fields);
	}
	return rte_jhash_2words(outer, inner, 0);
}

static uint32_t hash_of_packet(const struct rte_mbuf *m)
{
	switch ((enum policy)ip_settings.multipath_hash_policy) {
	case BY_FLOW:
		return by_flow(m);
	case BY_INNER_ADDRESSES:
		return by_inner_addresses(m);
	case BY_FIELDS:
		return by_fields(m);
	case BY_ADDRESSES:
	default:
		return by_addresses(m);
	}
}

/* What the router itself sends; an ICMP error goes the way of the packet that it is about. */
static uint32_t hash_of_output(const struct ip_flow *f)
{
	const struct flow_keys k = { .family = FLOW_IPV4, .src = f->src, .dst = f->dst,
				     .sport = f->sport, .dport = f->dport,
				     .protocol = f->protocol };
	unsigned int fields = (unsigned int)ip_settings.multipath_hash_fields & FIELDS;

	if (f->about)
		return hash_of_packet(f->about);
	switch ((enum policy)ip_settings.multipath_hash_policy) {
	case BY_FLOW:
		return hash_of(&k);
	case BY_FIELDS:
		return fields ? hash_fields(&k, fields) : 0;
	case BY_ADDRESSES:
	case BY_INNER_ADDRESSES:
	default:
		return hash_addresses(f->src, f->dst);
	}
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

/* Shares are of 31 bits. */
static int32_t share_of(uint32_t hash)
{
	return (int32_t)(hash >> 1);
}

uint32_t ip_multipath_input(const struct worker *w, const struct rte_mbuf *m, uint32_t index)
{
	return choose(w, index, share_of(hash_of_packet(m)), 0);
}

uint32_t ip_multipath_output(const struct ip_flow *f, uint32_t index)
{
	return choose(NULL, index, share_of(hash_of_output(f)), f->src);
}
