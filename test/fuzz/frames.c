/* SPDX-License-Identifier: BSD-3-Clause */
/* Random frames; see frames.h. */
#include "frames.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "mend.h"

#define DAMAGE_LONGER 64           /* bytes that damage appends, or fewer */
#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static uint32_t number(struct random *r)
{
	uint64_t z = r->state += 0x9E3779B97F4A7C15ULL;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return (uint32_t)(z >> 32);
}

void random_seed(struct random *r, uint64_t seed)
{
	r->state = seed;
	/* what seeds that follow each other begin with is far apart */
	r->state = (uint64_t)number(r) << 32 | number(r);
}

uint32_t random_below(struct random *r, uint32_t n)
{
	return (uint32_t)((uint64_t)number(r) * n >> 32);
}

/* ---- addresses ---- */

static const uint32_t own[] = {
	IP(10, 0, 1, 1), IP(10, 0, 1, 2), IP(10, 0, 2, 1), IP(172, 16, 0, 1), IP(10, 0, 3, 0),
	IP(10, 0, 4, 1), IP(10, 15, 0, 1),
};
static const uint32_t known[] = {
	IP(10, 0, 1, 10), IP(10, 0, 1, 11), IP(10, 0, 2, 10), IP(10, 0, 2, 11), IP(10, 0, 4, 10),
};
static const uint32_t odd[] = {
	0, IP(0, 1, 2, 3), IP(127, 0, 0, 1), IP(127, 255, 255, 255), IP(169, 254, 1, 1),
	IP(224, 0, 0, 1), IP(224, 0, 0, 5), IP(239, 1, 2, 3), IP(240, 0, 0, 1),
	IP(255, 255, 255, 255), IP(10, 0, 1, 255), IP(10, 0, 1, 0), IP(10, 0, 2, 255),
	IP(172, 16, 0, 3), IP(172, 16, 0, 0), IP(10, 16, 255, 255), IP(10, 0, 3, 1),
	IP(255, 255, 255, 254), IP(10, 0, 4, 255),
};

/* 10.1 to 10.20 are routed, each another way. */
static uint32_t routed(struct random *r)
{
	return IP(10, 1 + random_below(r, 21), 0, 0) | random_below(r, 65536);
}

static uint32_t neighbour(struct random *r)
{
	static const uint32_t subnets[] = {IP(10, 0, 1, 0), IP(10, 0, 2, 0), IP(10, 0, 4, 0)};

	return subnets[random_below(r, 3)] | (50 + random_below(r, 20));
}

static rte_be32_t any_address(struct random *r)
{
	uint32_t which = random_below(r, 16);

	if (which < 5)
		return rte_cpu_to_be_32(own[random_below(r, RTE_DIM(own))]);
	if (which < 8)
		return rte_cpu_to_be_32(known[random_below(r, RTE_DIM(known))]);
	if (which < 12)
		return rte_cpu_to_be_32(routed(r));
	if (which < 14)
		return rte_cpu_to_be_32(neighbour(r));
	if (which < 15)
		return rte_cpu_to_be_32(odd[random_below(r, RTE_DIM(odd))]);
	return number(r);
}

/* Mostly one that the router believes. */
static rte_be32_t source(struct random *r)
{
	uint32_t which = random_below(r, 8);

	if (which == 0)
		return any_address(r);
	if (which < 3)
		return rte_cpu_to_be_32(known[random_below(r, RTE_DIM(known))]);
	return rte_cpu_to_be_32(which < 5 ? neighbour(r) : routed(r));
}

/* ---- parts ---- */

static void fill(struct random *r, uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i + len);
	for (uint32_t i = 0; i < 4 && len; i++)
		bytes[random_below(r, len)] = (uint8_t)number(r);
}

static uint32_t payload_length(struct random *r)
{
	static const uint16_t edges[] = {0, 1, 7, 8, 39, 40, 41, 540, 548, 549, 552, 1372, 1373,
					 1472, 1473, 1480, 1481, 8900};

	if (random_below(r, 4) == 0)
		return edges[random_below(r, RTE_DIM(edges))];
	return random_below(r, random_below(r, 8) ? 120 : 1600);
}

static uint32_t make_icmp(struct random *r, uint8_t *p, uint32_t len)
{
	static const uint8_t types[] = {0, 3, 4, 5, 8, 8, 8, 8, 11, 12, 13, 14, 15, 17, 18, 42, 43};
	struct rte_icmp_hdr *icmp = (void *)p;
	struct rte_ipv4_hdr *quoted = (void *)(icmp + 1);

	icmp->icmp_type = types[random_below(r, RTE_DIM(types))];
	icmp->icmp_code = (uint8_t)random_below(r, random_below(r, 8) ? 2 : 18);
	icmp->icmp_ident = (uint16_t)number(r);
	icmp->icmp_seq_nb = (uint16_t)number(r);
	fill(r, p + sizeof(*icmp), len);
	if (len >= sizeof(*quoted)) {
		quoted->version_ihl = 0x45;
		quoted->next_proto_id = random_below(r, 2) ? IPPROTO_UDP : (uint8_t)number(r);
		quoted->src_addr = any_address(r);
		quoted->dst_addr = any_address(r);
	}
	return len + sizeof(*icmp);
}

static uint32_t make_udp(struct random *r, uint8_t *p, uint32_t len)
{
	struct rte_udp_hdr *udp = (void *)p;

	udp->src_port = (uint16_t)number(r);
	udp->dst_port = (uint16_t)number(r);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(len + sizeof(*udp)));
	fill(r, p + sizeof(*udp), len);
	return len + sizeof(*udp);
}

static uint32_t make_tcp(struct random *r, uint8_t *p, uint32_t len)
{
	struct rte_tcp_hdr *tcp = (void *)p;
	uint32_t options = random_below(r, 2) ? 0 : 4 * random_below(r, 11);

	len = RTE_MAX(len, options);
	fill(r, p, len + sizeof(*tcp));
	for (uint32_t i = 0; i < options; i++)
		p[sizeof(*tcp) + i] = (uint8_t)(random_below(r, 2) ? random_below(r, 32) : 1);
	tcp->data_off = (uint8_t)((sizeof(*tcp) + options) / 4 << 4);
	tcp->tcp_flags = (uint8_t)number(r);
	if (random_below(r, 4))
		tcp->tcp_flags &= (uint8_t)~RTE_TCP_RST_FLAG;
	return len + sizeof(*tcp);
}

static uint32_t make_other(struct random *r, uint8_t *p, uint32_t len)
{
	fill(r, p, len);
	return len;
}

static const struct {
	uint8_t protocol;
	uint32_t (*make)(struct random *r, uint8_t *p, uint32_t len);
} kinds[] = {
	{IPPROTO_ICMP, make_icmp}, {IPPROTO_ICMP, make_icmp}, {IPPROTO_UDP, make_udp},
	{IPPROTO_UDP, make_udp}, {IPPROTO_TCP, make_tcp}, {IPPROTO_UDPLITE, make_udp},
	{IPPROTO_IGMP, make_other}, {IPPROTO_GRE, make_other}, {253, make_other},
};

/* ---- frames ---- */

static uint32_t make_arp(struct random *r, unsigned int link, uint8_t *bytes)
{
	struct rte_ether_hdr *eth = (void *)bytes;
	struct rte_arp_hdr *arp = (void *)(eth + 1);

	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP);
	if (random_below(r, 2))
		memset(&eth->dst_addr, 0xff, sizeof(eth->dst_addr));
	*arp = (struct rte_arp_hdr){
		.arp_hardware = RTE_BE16(1), .arp_protocol = RTE_BE16(0x0800), .arp_hlen = 6,
		.arp_plen = 4, .arp_opcode = rte_cpu_to_be_16((uint16_t)(1 + random_below(r, 2))),
		.arp_data = {.arp_sha = eth->src_addr, .arp_sip = source(r),
			     .arp_tha = eth->dst_addr, .arp_tip = any_address(r)},
	};
	if (random_below(r, 8) == 0)
		arp->arp_data.arp_sip = 0;
	if (random_below(r, 8) == 0)
		arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	return sizeof(*eth) + sizeof(*arp) + (random_below(r, 2) ? 18 : 0);
}

static uint16_t fragment_field(struct random *r)
{
	if (random_below(r, 8))
		return random_below(r, 4) ? 0 : RTE_IPV4_HDR_DF_FLAG;
	if (random_below(r, 2))
		return RTE_IPV4_HDR_MF_FLAG | (uint16_t)random_below(r, 8);
	return (uint16_t)number(r);
}

static uint8_t time_to_live(struct random *r)
{
	uint32_t which = random_below(r, 16);

	return (uint8_t)(which < 2 ? which : which == 2 ? 255 : 64);
}

static void make_options(struct random *r, uint8_t *options, uint32_t len)
{
	static const uint8_t types[] = {0, 1, 1, 7, 7, 68, 68, 131, 131, 137, 148, 130, 134};

	for (uint32_t i = 0; i < len;) {
		uint8_t type = types[random_below(r, RTE_DIM(types))];

		uint32_t time = type == 68;    /* which has one byte more before its entries */

		options[i++] = type;
		if (type > 1 && i < len)
			options[i++] = (uint8_t)(random_below(r, 4)
							 ? 3 + 4 * random_below(r, 4) + time
							 : random_below(r, 44));
		if (type > 1 && i < len)
			options[i++] = (uint8_t)(random_below(r, 4)
							 ? 4 + 4 * random_below(r, 3) + time
							 : random_below(r, 44));
		while (random_below(r, 3) && i < len)
			options[i++] = (uint8_t)number(r);
	}
}

static uint32_t make_ip(struct random *r, uint8_t *bytes)
{
	struct rte_ether_hdr *eth = (void *)bytes;
	struct rte_ipv4_hdr *ip = (void *)(eth + 1);
	uint32_t options = random_below(r, 12) ? 0 : 4 * random_below(r, 11), len;
	uint32_t kind = random_below(r, RTE_DIM(kinds));

	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = (uint8_t)(0x45 + options / 4),
		.type_of_service = (uint8_t)number(r),
		.packet_id = (uint16_t)number(r),
		.fragment_offset = rte_cpu_to_be_16(fragment_field(r)),
		.time_to_live = time_to_live(r),
		.next_proto_id = kinds[kind].protocol,
		.src_addr = source(r),
		.dst_addr = any_address(r),
	};
	make_options(r, (uint8_t *)(ip + 1), options);
	len = sizeof(*ip) + options;
	len += kinds[kind].make(r, (uint8_t *)ip + len, payload_length(r));
	return sizeof(*eth) + len;
}

/* A small piece of one of few datagrams, for the router or to be sent on, so that pieces meet,
 * whole datagrams come together, and overlaps, doubles and holes are common. */
static uint32_t make_piece(struct random *r, uint8_t *bytes)
{
	struct rte_ether_hdr *eth = (void *)bytes;
	struct rte_ipv4_hdr *ip = (void *)(eth + 1);
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP, 253};
	uint32_t offset = random_below(r, random_below(r, 50) ? 6 : 8192), more, len, options = 0;
	uint32_t df = random_below(r, 6) ? 0 : RTE_IPV4_HDR_DF_FLAG;

	more = random_below(r, 4) ? RTE_IPV4_HDR_MF_FLAG : 0;
	len = 8 * (1 + random_below(r, 3)) + (more && random_below(r, 20) ? 0 : random_below(r, 9));
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.type_of_service = (uint8_t)random_below(r, random_below(r, 10) ? 1 : 256),
		.packet_id = (rte_be16_t)random_below(r, 4),
		.fragment_offset = rte_cpu_to_be_16((uint16_t)(offset | more | df)),
		.time_to_live = 64,
		.next_proto_id = protocols[random_below(r, RTE_DIM(protocols))],
		.src_addr = rte_cpu_to_be_32(known[random_below(r, 2)]),
		.dst_addr = rte_cpu_to_be_32(random_below(r, 3) ? own[random_below(r, 2)]
								: IP(10, 3, 0, 1)),
	};
	if (random_below(r, 10) == 0) {
		options = 4 * (1 + random_below(r, 10));
		ip->version_ihl = (uint8_t)(0x45 + options / 4);
		make_options(r, (uint8_t *)(ip + 1), options);
	}
	fill(r, (uint8_t *)(ip + 1) + options, len);
	return sizeof(*eth) + sizeof(*ip) + options + len;
}

/* What most packets are, which nothing keeps off the fast path: from somewhere, to a route with a
 * gateway that is known, or a group of them. A few are old or of a length that is not right. */
static uint32_t make_ordinary(struct random *r, uint8_t *bytes)
{
	static const uint8_t routes[] = {1, 2, 3, 14, 17, 17, 19, 20};
	struct rte_ether_hdr *eth = (void *)bytes;
	struct rte_ipv4_hdr *ip = (void *)(eth + 1);
	uint32_t net = IP(10, routes[random_below(r, RTE_DIM(routes))], 0, 0), len;

	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.type_of_service = (uint8_t)(random_below(r, 4) ? 0 : number(r)),
		.packet_id = (uint16_t)number(r),
		.fragment_offset = random_below(r, 2) ? 0 : RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = (uint8_t)(random_below(r, 30) ? 2 + random_below(r, 254)
							      : random_below(r, 3)),
		.next_proto_id = random_below(r, 2) ? IPPROTO_UDP : 253,
		.src_addr = rte_cpu_to_be_32(routed(r)),
		.dst_addr = rte_cpu_to_be_32(random_below(r, 8) ? net | random_below(r, 65536)
						       : known[random_below(r, RTE_DIM(known))]),
	};
	len = random_below(r, 8) ? 8 + random_below(r, 40) : payload_length(r);
	fill(r, (uint8_t *)(ip + 1), len);
	return sizeof(*eth) + sizeof(*ip) + len;
}

/* ---- damage ---- */

/* After it, what depends on the damaged field may be made right again: damage reaches deeper. */
static uint32_t damage(struct random *r, uint8_t *bytes, uint32_t len, const void *mac)
{
	static const uint8_t lengths[] = {14, 16, 17, 38, 39};   /* fields that say how long */
	uint32_t head = RTE_MIN(len, 80u);

	switch (random_below(r, 10)) {
	case 0:
		return random_below(r, len + 1);
	case 1:
		return len + random_below(r, DAMAGE_LONGER);
	case 2:
		bytes[lengths[random_below(r, RTE_DIM(lengths))]] = (uint8_t)number(r);
		break;
	case 3:
		fill(r, bytes + 14, RTE_MIN(len - 14, 20 + random_below(r, 40)));
		break;
	case 4:
		bytes[random_below(r, len)] ^= (uint8_t)(1 << random_below(r, 8));
		return len;
	default:
		for (uint32_t i = 1 + random_below(r, 3); i; i--)
			bytes[random_below(r, head)] = (uint8_t)number(r);
		break;
	}
	if (random_below(r, 4))
		mend(bytes, len, number(r) & MEND_ALL, mac);
	return len;
}

static void addresses(struct random *r, unsigned int link, const uint8_t *mac,
		      struct rte_ether_hdr *eth)
{
	uint32_t which = random_below(r, 20);

	memcpy(&eth->dst_addr, mac, sizeof(eth->dst_addr));
	eth->src_addr = (struct rte_ether_addr){
		{2, 0, 0, 0, (uint8_t)link, (uint8_t)random_below(r, 20)}};
	if (which == 0)
		memset(&eth->dst_addr, 0xff, sizeof(eth->dst_addr));
	else if (which == 1)
		eth->dst_addr = (struct rte_ether_addr){{1, 0, 0x5e, 0, 0, 1}};
	else if (which == 2)
		eth->dst_addr.addr_bytes[5] ^= 0x40;
}

uint32_t frames_make(struct random *r, unsigned int link, const uint8_t mac[6], uint8_t *bytes)
{
	bool ordinary = random_below(r, 2), arp = !ordinary && random_below(r, 16) == 0;
	uint32_t len;

	addresses(r, link, mac, (void *)bytes);
	if (ordinary) {
		memcpy(bytes, mac, RTE_ETHER_ADDR_LEN);
		len = make_ordinary(r, bytes);
		mend(bytes, len, MEND_LENGTH | MEND_HEADER, (const void *)mac);
		memset(bytes + len, 0, 60);
		len = random_below(r, 4) ? len : RTE_MAX(len, 60u);
	} else if (arp) {
		len = make_arp(r, link, bytes);
	} else {
		bool piece = random_below(r, 12) == 0;

		len = piece ? make_piece(r, bytes) : make_ip(r, bytes);
		mend(bytes, len, MEND_LENGTH | (piece ? 0 : MEND_PAYLOAD) | MEND_HEADER,
		     (const void *)mac);
		memset(bytes + len, 0, 60);
		if (random_below(r, 8) == 0 && len < 60)
			len = 60;
	}
	memset(bytes + len, 0, DAMAGE_LONGER);
	if (random_below(r, ordinary ? 50 : 3) == 0)
		len = damage(r, bytes, len, mac);
	return len;
}
