/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys of flows; see flow_keys.h. A packet is gone through header by header, by two kinds of
 * number: what an Ethernet type names (IP itself, tags, tunnels at that level) and what an IP
 * header names. Whatever ends it, the keys that were found until then are the answer.
 */
#include "ipv4/flow_keys.h"

#include <netinet/in.h>
#include <string.h>

#include "ipv4/internal.h"

#define HEADERS_MAX 16           /* the outer one, and as many in it as Linux looks at */

/* Ethernet types that DPDK has no name for */
#define TYPE_BATMAN 0x4305
#define TYPE_PPP 0x880b          /* in GRE of version 1, which is PPTP */
#define TYPE_PRP 0x88fb
#define TYPE_HSR 0x892f
#define TYPE_TIPC 0x88ca

#define PPP_IPV4 0x21
#define PPP_IPV6 0x57

#define GRE_CHECKSUM 0x8000
#define GRE_ROUTING 0x4000
#define GRE_KEY 0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_ACK 0x0080
#define GRE_VERSION 0x0007

#define BATMAN_BYTES 10          /* of a unicast packet, version 15; a frame follows */
#define PPPOE_BYTES 8            /* with the protocol */
#define PPP_BYTES 4
#define HSR_BYTES 6
#define TIPC_BYTES 16

enum next {
	NEXT_END,
	NEXT_TYPE,               /* goes on with what type says */
	NEXT_PROTOCOL,           /* goes on with what the protocol says */
};

struct dissection {
	const struct rte_mbuf *m;
	struct flow_keys *k;
	uint32_t at;
	uint16_t type;
	bool inner, fragment;
};

static bool get(const struct dissection *d, uint32_t offset, uint32_t len, void *to)
{
	if (d->m->pkt_len < d->at + offset + len)
		return false;
	packet_read(d->m, d->at + offset, len, to);
	return true;
}

/* Reads a number of two bytes. */
static bool get_number(const struct dissection *d, uint32_t offset, uint16_t *number)
{
	rte_be16_t n;

	if (!get(d, offset, sizeof(n), &n))
		return false;
	*number = rte_be_to_cpu_16(n);
	return true;
}

/* A packet begins in another one. */
static enum next enter(struct dissection *d, uint16_t type, uint32_t header)
{
	d->k->tunnelled = true;
	d->type = type;
	d->at += header;
	return d->inner ? NEXT_TYPE : NEXT_END;
}

static enum next skip(struct dissection *d, uint16_t type, uint32_t header)
{
	d->type = type;
	d->at += header;
	return NEXT_TYPE;
}

/* ---- what Ethernet types name ---- */

static enum next ipv4_header(struct dissection *d)
{
	struct rte_ipv4_hdr ip;

	if (!get(d, 0, sizeof(ip), &ip) || rte_ipv4_hdr_len(&ip) < sizeof(ip))
		return NEXT_END;
	d->at += rte_ipv4_hdr_len(&ip);
	d->k->family = FLOW_IPV4;
	d->k->protocol = ip.next_proto_id;
	d->k->src = ip.src_addr;
	d->k->dst = ip.dst_addr;
	d->fragment = ip_is_fragment(&ip);
	return d->fragment ? NEXT_END : NEXT_PROTOCOL;
}

static enum next ipv6_header(struct dissection *d)
{
	struct {
		rte_be32_t version_class_label;
		rte_be16_t length;
		uint8_t next, hops;
		uint8_t src[FLOW_IPV6_BYTES], dst[FLOW_IPV6_BYTES];
	} ip;
	uint32_t label;

	if (!get(d, 0, sizeof(ip), &ip))
		return NEXT_END;
	d->at += sizeof(ip);
	d->k->family = FLOW_IPV6;
	d->k->protocol = ip.next;
	memcpy(d->k->src6, ip.src, sizeof(ip.src));
	memcpy(d->k->dst6, ip.dst, sizeof(ip.dst));
	label = rte_be_to_cpu_32(ip.version_class_label) & 0xfffff;
	if (label)
		d->k->flow_label = label;
	return NEXT_PROTOCOL;
}

/* A tag of so many bytes, whose last two are a type. */
static enum next tag(struct dissection *d, uint32_t bytes)
{
	uint16_t type;

	return get_number(d, bytes - RTE_ETHER_TYPE_LEN, &type) ? skip(d, type, bytes) : NEXT_END;
}

/* The type of what PPP says that it carries, 0: nothing that is looked at. */
static uint16_t ppp_type(const uint8_t *protocol)
{
	switch (protocol[0] << 8 | protocol[1]) {
	case PPP_IPV4:
		return RTE_ETHER_TYPE_IPV4;
	case PPP_IPV6:
		return RTE_ETHER_TYPE_IPV6;
	default:
		return 0;
	}
}

/* The protocol has two bytes: RFC 2516 forbids the short form. */
static enum next pppoe_header(struct dissection *d)
{
	uint8_t h[PPPOE_BYTES];
	uint16_t type;

	if (!get(d, 0, sizeof(h), h) || h[0] != 0x11 || h[1])
		return NEXT_END;
	type = ppp_type(h + 6);
	return type ? skip(d, type, PPPOE_BYTES) : NEXT_END;
}

static enum next batman_header(struct dissection *d)
{
	uint8_t h[BATMAN_BYTES + RTE_ETHER_HDR_LEN];

	if (!get(d, 0, sizeof(h), h) || h[0] != 0x40 || h[1] != 15)
		return NEXT_END;
	return enter(d, (uint16_t)(h[sizeof(h) - 2] << 8 | h[sizeof(h) - 1]), sizeof(h));
}

/* It has addresses of its own, which no policy asks for. */
static enum next tipc_header(struct dissection *d)
{
	uint8_t h[TIPC_BYTES];

	if (get(d, 0, sizeof(h), h))
		d->k->family = FLOW_NO_ADDRESSES;
	return NEXT_END;
}

static enum next by_type(struct dissection *d)
{
	switch (d->type) {
	case RTE_ETHER_TYPE_IPV4:
		return ipv4_header(d);
	case RTE_ETHER_TYPE_IPV6:
		return ipv6_header(d);
	case RTE_ETHER_TYPE_VLAN:
	case RTE_ETHER_TYPE_QINQ:
		return tag(d, RTE_VLAN_HLEN);
	case RTE_ETHER_TYPE_PPPOE_SESSION:
		return pppoe_header(d);
	case TYPE_BATMAN:
		return batman_header(d);
	case TYPE_PRP:
	case TYPE_HSR:
		return tag(d, HSR_BYTES);
	case TYPE_TIPC:
		return tipc_header(d);
	default:
		return NEXT_END;
	}
}

/* ---- what IP headers name ---- */

/* Version 0 with what it may have between header and payload. */
static enum next gre_payload(struct dissection *d, uint16_t type, uint32_t header)
{
	if (type == RTE_ETHER_TYPE_TEB) {
		header += RTE_ETHER_HDR_LEN;
		if (!get_number(d, header - RTE_ETHER_TYPE_LEN, &type))
			return NEXT_END;
	}
	return enter(d, type, header);
}

/* Version 1: PPP with its address and control, of a protocol of two bytes. */
static enum next pptp_payload(struct dissection *d, uint32_t header)
{
	uint8_t ppp[PPP_BYTES];

	if (!get(d, header, sizeof(ppp), ppp))
		return NEXT_END;
	return enter(d, ppp_type(ppp + 2), header + PPP_BYTES);
}

static enum next gre_header(struct dissection *d)
{
	uint16_t flags, type;
	uint32_t header = 4, key;

	if (!get_number(d, 2, &type) || !get_number(d, 0, &flags) || flags & GRE_ROUTING ||
	    (flags & GRE_VERSION) > 1)
		return NEXT_END;
	if (flags & GRE_VERSION && !(type == TYPE_PPP && flags & GRE_KEY))
		return NEXT_END;
	if (flags & GRE_CHECKSUM)
		header += 4;
	if (flags & GRE_KEY) {
		if (!get(d, header, sizeof(key), &key))
			return NEXT_END;
		header += 4;
	}
	if (flags & GRE_SEQUENCE)
		header += 4;
	if (!(flags & GRE_VERSION))
		return gre_payload(d, type, header);
	if (flags & GRE_ACK)
		header += 4;
	return pptp_payload(d, header);
}

static enum next extension_header(struct dissection *d)
{
	uint8_t h[2];

	if (d->type != RTE_ETHER_TYPE_IPV6 || !get(d, 0, sizeof(h), h))
		return NEXT_END;
	d->k->protocol = h[0];
	d->at += (h[1] + 1u) << 3;
	return NEXT_PROTOCOL;
}

static enum next fragment_header(struct dissection *d)
{
	uint8_t h[8];

	if (d->type == RTE_ETHER_TYPE_IPV6 && get(d, 0, sizeof(h), h)) {
		d->fragment = true;
		d->k->protocol = h[0];
	}
	return NEXT_END;
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

static void ports(const struct dissection *d)
{
	int offset = ports_offset(d->k->protocol);
	rte_be16_t pair[2];

	if (offset < 0 || d->fragment || !get(d, (uint32_t)offset, sizeof(pair), pair))
		return;
	d->k->sport = pair[0];
	d->k->dport = pair[1];
}

static enum next by_protocol(struct dissection *d)
{
	switch (d->k->protocol) {
	case IPPROTO_GRE:
		return gre_header(d);
	case IPPROTO_IPIP:
		return enter(d, RTE_ETHER_TYPE_IPV4, 0);
	case IPPROTO_IPV6:
		return enter(d, RTE_ETHER_TYPE_IPV6, 0);
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return extension_header(d);
	case IPPROTO_FRAGMENT:
		return fragment_header(d);
	default:
		return NEXT_END;
	}
}

void flow_keys_get(const struct rte_mbuf *m, bool inner, struct flow_keys *k)
{
	struct dissection d = {.m = m, .k = k, .type = RTE_ETHER_TYPE_IPV4, .inner = inner};
	enum next next = NEXT_TYPE;

	memset(k, 0, sizeof(*k));
	for (unsigned int i = 0; next != NEXT_END && i < HEADERS_MAX; i++) {
		if (next == NEXT_TYPE)
			next = by_type(&d);
		if (next == NEXT_PROTOCOL)
			next = by_protocol(&d);
	}
	ports(&d);
}
