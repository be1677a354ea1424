/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PROBE (RFC 8335): extended echo requests ask whether a link of the router is up, and name it, its
 * number or one of its addresses. Linux's icmp_build_probe. Off unless icmp_echo_enable_probe says
 * otherwise, for it tells strangers about the router.
 */
#include <string.h>

#include "ipv4/internal.h"

#define LOCAL_BIT 0x01           /* of the low byte of the sequence: a link of this node is meant */
#define STATUS_ACTIVE 0x04
#define STATUS_IPV4 0x02

#define CODE_MALFORMED 1
#define CODE_NO_LINK 2

#define BY_NAME 1
#define BY_INDEX 2
#define BY_ADDRESS 3
#define AFI_IP 1
#define AFI_IP6 2
#define IP6_BYTES 16

/* What the request carries: RFC 4884's header, and one object that says which link is meant. */
struct query {
	uint8_t extension[4];
	rte_be16_t len;                      /* of what follows, from here */
	uint8_t class_num, class_type;
	union {
		char name[LINK_NAME_SIZE];
		rte_be32_t index;
		struct {
			rte_be16_t afi;
			uint8_t len, reserved;
			union {
				rte_be32_t ip;
				uint8_t ip6[IP6_BYTES];
			};
		} address;
	};
};

#define OBJECT_AT offsetof(struct query, len)
#define IDENT_AT offsetof(struct query, name)
#define OBJECT_HEADER_BYTES (IDENT_AT - OBJECT_AT)
#define ADDRESS_HEADER_BYTES 4

/* Read the query; returns the bytes that name the link, 0: it is malformed. */
static uint32_t query_read(const struct rte_mbuf *m, struct query *q)
{
	uint32_t at = rte_ipv4_hdr_len(packet_ip(m)) + sizeof(struct icmp_hdr), len;

	memset(q, 0, sizeof(*q));
	if (m->pkt_len < at + IDENT_AT)
		return 0;
	packet_read(m, at, IDENT_AT, q);
	len = rte_be_to_cpu_16(q->len);
	if (len <= OBJECT_HEADER_BYTES || len > sizeof(*q) - OBJECT_AT ||
	    m->pkt_len < at + OBJECT_AT + len)
		return 0;
	packet_read(m, at + IDENT_AT, len - OBJECT_HEADER_BYTES, q->name);
	return len - OBJECT_HEADER_BYTES;
}

static const struct link *by_name(const char *name)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		const struct link *l = link_get(i);

		if (l && !strcmp(l->name, name))
			return l;
	}
	return NULL;
}

static const struct link *by_address(rte_be32_t addr)
{
	const struct nexthop *nh = route_lookup_local(addr);

	return nh->type == ROUTE_LOCAL ? link_get(nh->link) : NULL;
}

/* The link that is meant, NULL: there is none. false: malformed. */
static bool query_link(const struct query *q, uint32_t len, const struct link **l)
{
	uint32_t index;

	*l = NULL;
	switch (q->class_type) {
	case BY_NAME:
		if (len >= sizeof(q->name))
			return false;
		*l = by_name(q->name);
		return true;
	case BY_INDEX:
		if (len != sizeof(q->index))
			return false;
		index = rte_be_to_cpu_32(q->index);
		*l = index ? link_get(index - 1) : NULL;
		return true;
	case BY_ADDRESS:
		if (len < ADDRESS_HEADER_BYTES ||
		    len != ADDRESS_HEADER_BYTES + (uint32_t)q->address.len)
			return false;
		if (q->address.afi == RTE_BE16(AFI_IP) && q->address.len == sizeof(rte_be32_t)) {
			*l = by_address(q->address.ip);
			return true;
		}
		return q->address.afi == RTE_BE16(AFI_IP6) && q->address.len == IP6_BYTES;
	default:
		return false;
	}
}

bool icmp_build_probe(const struct rte_mbuf *m, struct icmp_hdr *icmp)
{
	const struct link_addrs *addrs;
	const struct link *l;
	struct query q;
	uint16_t status = 0;
	uint32_t len;

	if (!ip_settings.icmp_echo_enable_probe || !(icmp->echo.seq & RTE_BE16(LOCAL_BIT)))
		return false;
	icmp->type = ICMP_EXT_ECHOREPLY;
	icmp->echo.seq &= RTE_BE16(0xff00);
	len = query_read(m, &q);
	if (!len || !query_link(&q, len, &l)) {
		icmp->code = CODE_MALFORMED;
		return true;
	}
	if (!l) {
		icmp->code = CODE_NO_LINK;
		return true;
	}
	addrs = rcu_read(l->addrs);
	if (l->up)
		status |= STATUS_ACTIVE;
	if (addrs && addrs->n)
		status |= STATUS_IPV4;
	icmp->echo.seq |= rte_cpu_to_be_16(status);
	return true;
}
