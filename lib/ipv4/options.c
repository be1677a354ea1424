/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options of packets that come in and go on: rule B, with the pointers that ICMP 12/0 carries;
 * Linux's __ip_options_compile, ip_rcv_options, ip_options_rcv_srr and ip_forward_options.
 *
 * The header's checksum is set when the packet is sent on, not before: an error quotes the header
 * as it is meanwhile, changed and with the checksum that it came with.
 *
 * Router alert is for router_alert.c. CIPSO names a domain of interpretation, and none is known
 * here: it is noted only for the complaint, which carries it back.
 */
#include "ipv4/options.h"

#include <string.h>

#include "ipv4/exception.h"
#include "ipv4/reassemble.h"
#include "packet/checksum.h"

#define GOOD (-1)

#define LEN_MIN 2
#define PTR_MIN 4              /* the first entry of a list of addresses */
#define TS_PTR_MIN 5
#define TS_OVERFLOW_ONE 0x10
#define TS_OVERFLOW_MAX 15
#define CIPSO_LEN_MIN 8
#define CIPSO_DOI 2
#define ADDR_BYTES 4
#define TIME_BYTES 4

#define DST_ADDR_AT 16         /* in the IP header: what 12/0 points at where SSRR is not for us */

struct compile {
	struct worker *w;
	const struct rte_mbuf *m;
	struct packet_options at;
	rte_be32_t spec_dst;          /* 0: not looked for yet */
};

/* ---- entries ---- */

bool ip_options_foreign(rte_be32_t addr)
{
	uint8_t type;

	if (!addr || ip_is_limited_broadcast(addr) || ip_is_multicast(addr))
		return false;
	type = route_lookup_local(addr)->type;
	return type != ROUTE_LOCAL && type != ROUTE_BROADCAST;
}

static void put_spec_dst(struct compile *c, uint8_t *entry)
{
	if (!c->spec_dst)
		c->spec_dst = ip_spec_dst(c->m);
	memcpy(entry, &c->spec_dst, ADDR_BYTES);
	c->at.flags |= OPTIONS_F_CHANGED;
}

static void put_time(struct compile *c, uint8_t *entry)
{
	rte_be32_t time = ip_timestamp(c->w->now_ns);

	memcpy(entry, &time, sizeof(time));
	c->at.flags |= OPTIONS_F_CHANGED | OPTIONS_F_TS_TIME;
}

/* ---- one option; each returns GOOD or which byte of it is wrong ---- */

static int compile_srr(struct compile *c, const uint8_t *opt, uint8_t where)
{
	if (opt[OPTION_LEN] <= OPTION_PTR)
		return OPTION_LEN;
	if (opt[OPTION_PTR] < PTR_MIN)
		return OPTION_PTR;
	if (c->at.srr)
		return 0;
	c->at.srr = where;
	if (opt[0] == OPTION_SSRR)
		c->at.flags |= OPTIONS_F_STRICT;
	return GOOD;
}

static int compile_rr(struct compile *c, uint8_t *opt, uint8_t where)
{
	uint8_t len = opt[OPTION_LEN];

	if (c->at.rr)
		return 0;
	if (len <= OPTION_PTR)
		return OPTION_LEN;
	if (opt[OPTION_PTR] < PTR_MIN)
		return OPTION_PTR;
	if (opt[OPTION_PTR] <= len) {
		if (opt[OPTION_PTR] + ADDR_BYTES - 1 > len)
			return OPTION_PTR;
		put_spec_dst(c, opt + opt[OPTION_PTR] - 1);
		opt[OPTION_PTR] += ADDR_BYTES;
		c->at.flags |= OPTIONS_F_RR_ADDR;
	}
	c->at.rr = where;
	return GOOD;
}

/* There is no room left: count that. */
static int ts_overflow(struct compile *c, uint8_t *opt)
{
	if ((opt[OPTION_TS_FLAG] & 0xf) == TS_PRESPECIFIED)
		return GOOD;
	if (opt[OPTION_TS_FLAG] >> 4 == TS_OVERFLOW_MAX)
		return OPTION_TS_FLAG;
	opt[OPTION_TS_FLAG] += TS_OVERFLOW_ONE;
	c->at.flags |= OPTIONS_F_CHANGED;
	return GOOD;
}

static int ts_enter(struct compile *c, uint8_t *opt)
{
	uint8_t *entry = opt + opt[OPTION_PTR] - 1, *end = opt + opt[OPTION_LEN];
	uint8_t flag = opt[OPTION_TS_FLAG] & 0xf;
	rte_be32_t addr;

	if (entry + TIME_BYTES > end)
		return OPTION_PTR;
	if (flag != TS_TIME_ONLY && flag != TS_TIME_ADDRESS && flag != TS_PRESPECIFIED)
		return GOOD;
	if (flag != TS_TIME_ONLY) {
		if (entry + ADDR_BYTES + TIME_BYTES > end)
			return OPTION_PTR;
		memcpy(&addr, entry, ADDR_BYTES);
		if (flag == TS_PRESPECIFIED && ip_options_foreign(addr))
			return GOOD;
		if (flag == TS_TIME_ADDRESS) {
			put_spec_dst(c, entry);
			c->at.flags |= OPTIONS_F_TS_ADDR;
		}
		entry += ADDR_BYTES;
	}
	put_time(c, entry);
	opt[OPTION_PTR] = (uint8_t)(entry + TIME_BYTES - opt + 1);
	return GOOD;
}

static int compile_ts(struct compile *c, uint8_t *opt, uint8_t where)
{
	uint8_t len = opt[OPTION_LEN];
	int bad;

	if (c->at.ts)
		return 0;
	if (len <= OPTION_TS_FLAG)
		return OPTION_LEN;
	if (opt[OPTION_PTR] < TS_PTR_MIN)
		return OPTION_PTR;
	bad = opt[OPTION_PTR] <= len ? ts_enter(c, opt) : ts_overflow(c, opt);
	if (bad == GOOD)
		c->at.ts = where;
	return bad;
}

/* RFC 2113: of the values only 0 has a meaning. */
static int note_alert(struct compile *c, const uint8_t *opt)
{
	if (opt[OPTION_LEN] < OPTION_RA_LEN)
		return OPTION_LEN;
	if (!opt[OPTION_RA_VALUE] && !opt[OPTION_RA_VALUE + 1])
		c->at.flags |= OPTIONS_F_ALERT;
	return GOOD;
}

static int compile_one(struct compile *c, uint8_t *opt, uint8_t where)
{
	switch (opt[0]) {
	case OPTION_LSRR:
	case OPTION_SSRR:
		return compile_srr(c, opt, where);
	case OPTION_RR:
		return compile_rr(c, opt, where);
	case OPTION_TS:
		return compile_ts(c, opt, where);
	case OPTION_RA:
		return note_alert(c, opt);
	case OPTION_CIPSO:
		c->at.cipso = where;
		return opt[OPTION_LEN] < CIPSO_LEN_MIN ? OPTION_LEN : CIPSO_DOI;
	default:
		return GOOD;
	}
}

/* ---- all of them ---- */

/* What is behind the end of the list is made zero. */
static void clear_rest(struct compile *c, uint8_t *from, const uint8_t *end)
{
	for (; from < end; from++) {
		if (*from != OPTION_END)
			c->at.flags |= OPTIONS_F_CHANGED;
		*from = OPTION_END;
	}
}

static uint8_t compile(struct compile *c, uint8_t *ip, uint8_t end)
{
	uint8_t at = sizeof(struct rte_ipv4_hdr), len;

	for (; at < end; at += len) {
		int bad;

		len = 1;
		if (ip[at] == OPTION_NOP)
			continue;
		if (ip[at] == OPTION_END) {
			clear_rest(c, ip + at, ip + end);
			break;
		}
		len = at + OPTION_LEN < end ? ip[at + OPTION_LEN] : 0;
		if (len < LEN_MIN || len > end - at)
			return at;
		bad = compile_one(c, ip + at, at);
		if (bad != GOOD)
			return (uint8_t)(at + bad);
	}
	return 0;
}

uint8_t ip_options_compile(struct worker *w, struct rte_mbuf *m)
{
	struct compile c = {.w = w, .m = m};
	uint8_t bad = compile(&c, (uint8_t *)packet_ip(m), rte_ipv4_hdr_len(packet_ip(m)));

	packet_of(m)->options = c.at;
	return bad;
}

/* ---- receiving ---- */

static bool refuse(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	packet_drop(w, m, reason);
	return false;
}

/* Fragments that came before are answered before. */
static void parameter_problem(struct worker *w, const struct rte_mbuf *m, uint8_t pointer)
{
	if (w->ip->frags.n)
		ip_defrag_run(w);
	icmp_send(w, m, ICMP_PARAMETERPROB, 0, rte_cpu_to_be_32((uint32_t)pointer << 24));
}

/* The packet has come to the hop that it is addressed to: on to the next that is not us. */
static bool srr_next(struct worker *w, const struct link *l, struct rte_mbuf *m,
		     enum route_verdict *verdict)
{
	struct rte_ipv4_hdr *ip = packet_ip(m);
	struct packet *p = packet_of(m);
	const uint8_t *opt = (const uint8_t *)ip + p->options.srr;
	enum drop_reason reason;
	rte_be32_t hop;

	for (unsigned int ptr = opt[OPTION_PTR]; ptr <= opt[OPTION_LEN]; ptr += ADDR_BYTES) {
		if (ptr + ADDR_BYTES - 1 > opt[OPTION_LEN]) {
			parameter_problem(w, m, p->options.srr + OPTION_PTR);
			return refuse(w, m, DROP_IP_SR_FAILED);
		}
		memcpy(&hop, opt + ptr - 1, ADDR_BYTES);
		*verdict = ip_route_input_hop(w, l, m, hop, &reason);
		if (*verdict == VERDICT_FORWARD && p->route_type == ROUTE_UNICAST) {
			p->source_hop = hop;
			p->options.flags |= OPTIONS_F_SRR_HIT | OPTIONS_F_CHANGED;
			return true;
		}
		if (*verdict != VERDICT_LOCAL || p->route_type != ROUTE_LOCAL)
			return refuse(w, m, DROP_IP_SR_FAILED);
		ip->dst_addr = hop;
		p->options.flags |= OPTIONS_F_CHANGED;
	}
	return true;
}

static bool srr_rcv(struct worker *w, const struct link *l, struct rte_mbuf *m,
		    enum route_verdict *verdict)
{
	const struct packet *p = packet_of(m);

	if (!LINK_CONF_AND(l, accept_source_route))
		return refuse(w, m, DROP_IP_SOURCE_ROUTE);
	if (p->type != PACKET_HOST)
		return refuse(w, m, DROP_IP_NOT_HOST);
	if (*verdict == VERDICT_FORWARD && p->route_type == ROUTE_UNICAST) {
		if (!(p->options.flags & OPTIONS_F_STRICT))
			return true;
		parameter_problem(w, m, DST_ADDR_AT);
		return refuse(w, m, DROP_IP_SR_FAILED);
	}
	if (*verdict != VERDICT_LOCAL || p->route_type != ROUTE_LOCAL)
		return refuse(w, m, DROP_IP_SR_FAILED);
	return srr_next(w, l, m, verdict);
}

bool ip_rcv_options(struct worker *w, const struct link *l, struct rte_mbuf *m,
		    enum route_verdict *verdict)
{
	uint8_t bad = ip_options_compile(w, m);

	if (bad) {
		count(w->counters, CNT_IP_INHDRERRORS);
		parameter_problem(w, m, bad);
		return refuse(w, m, DROP_IP_OPTIONS);
	}
	return !packet_of(m)->options.srr || srr_rcv(w, l, m, verdict);
}

/* ---- forwarding ---- */

bool ip_options_strict_failed(const struct rte_mbuf *m)
{
	const struct packet *p = packet_of(m);

	return p->options.flags & OPTIONS_F_STRICT &&
	       (nexthop_get(p->nexthop)->gateway ||
		ip_exception_gateway(p->nexthop, ip_routed_dst(m)));
}

/* The address that a packet to the header's destination would be sent from by m's way out. Linux's
 * ip_rt_get_source. */
static void put_source(const struct rte_mbuf *m, uint8_t *entry)
{
	const struct packet *p = packet_of(m);
	const struct nexthop *out = nexthop_get(p->nexthop), *nh = out;
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	rte_be32_t dst = ip->dst_addr, src;
	rte_be32_t gateway = ip_exception_gateway(p->nexthop, ip_routed_dst(m));

	/* a source route's hop is not entered yet: the destination is still an address of ours; of
	 * several ways by the same link the first counts; rules may go by a mark set since */
	if ((p->options.flags & OPTIONS_F_SRR_HIT && dst != p->source_hop) ||
	    out->flags & NEXTHOP_F_MEMBER || route_has_rules())
		nh = nexthop_get(route_lookup_over(&(struct route_flow){
			.dst = dst, .src = ip->src_addr, .iif = p->link,
			.tos = ip->type_of_service, .mark = p->mark }, p->out_link));
	if (likely(!gateway))
		gateway = out->gateway;
	src = nh->link == p->out_link ? nexthop_src(nh)
				      : addr_select(link_get(p->out_link),
						    gateway ? gateway : dst,
						    SCOPE_UNIVERSE);
	memcpy(entry, &src, ADDR_BYTES);
}

/* Enter our address in the place of the hop that comes next, which becomes the destination. */
static void srr_forward(struct rte_mbuf *m)
{
	const struct packet *p = packet_of(m);
	struct rte_ipv4_hdr *ip = packet_ip(m);
	uint8_t *opt = (uint8_t *)ip + p->options.srr;

	for (unsigned int ptr = opt[OPTION_PTR]; ptr + ADDR_BYTES - 1 <= opt[OPTION_LEN];
	     ptr += ADDR_BYTES) {
		if (memcmp(opt + ptr - 1, &p->source_hop, ADDR_BYTES))
			continue;
		ip->dst_addr = p->source_hop;
		put_source(m, opt + ptr - 1);
		opt[OPTION_PTR] = (uint8_t)(ptr + ADDR_BYTES);
		return;
	}
}

void ip_forward_options(struct rte_mbuf *m)
{
	struct packet *p = packet_of(m);
	uint8_t *ip = (uint8_t *)packet_ip(m);
	uint8_t *rr = ip + p->options.rr, *ts = ip + p->options.ts;
	unsigned int flags = p->options.flags;

	if (flags & OPTIONS_F_RR_ADDR)
		put_source(m, rr + rr[OPTION_PTR] - 1 - ADDR_BYTES);
	if (flags & OPTIONS_F_SRR_HIT) {
		srr_forward(m);
		if (flags & OPTIONS_F_TS_ADDR)
			put_source(m, ts + ts[OPTION_PTR] - 1 - 2 * ADDR_BYTES);
	}
	if (flags & OPTIONS_F_CHANGED)
		checksum_header_set(packet_ip(m));
	p->options.flags &= (uint8_t)~OPTIONS_F_CHANGED;
}
