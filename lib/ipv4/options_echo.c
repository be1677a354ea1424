/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options of packets that the router sends: those of an answer, made of the options of what is
 * answered, and their place in a header. Rule B; Linux's __ip_options_echo and ip_options_build.
 *
 * Record route and timestamp go on where they stood, with an entry for the answer. A source route
 * is taken back the way it came. CIPSO stays as it is. All else is not echoed.
 */
#include <string.h>

#include "ipv4/options.h"

#define ADDR_BYTES 4
#define LIST_AT 3              /* addresses of a route, from the option's start */
#define HOPS_MAX ((OPTIONS_BYTES_MAX - LIST_AT) / ADDR_BYTES)

/* Take over an option from the header at `from`; returns the copy. */
static uint8_t *copy(struct ip_options *o, const uint8_t *from, uint8_t *where)
{
	uint8_t *to = o->bytes + o->len;

	memcpy(to, from, from[OPTION_LEN]);
	*where = (uint8_t)(sizeof(struct rte_ipv4_hdr) + o->len);
	o->len += from[OPTION_LEN];
	return to;
}

/* Is there a whole word at the pointer? */
static bool has_word(const uint8_t *opt, unsigned int ptr)
{
	return ptr + ADDR_BYTES - 1 <= opt[OPTION_LEN];
}

static bool echo_rr(struct ip_options *o, const uint8_t *from, unsigned int flags)
{
	uint8_t *opt = copy(o, from, &o->at.rr);

	if (!(flags & OPTIONS_F_RR_ADDR) || opt[OPTION_PTR] > opt[OPTION_LEN])
		return true;
	if (!has_word(opt, opt[OPTION_PTR]))
		return false;
	opt[OPTION_PTR] += ADDR_BYTES;
	o->at.flags |= OPTIONS_F_RR_ADDR;
	return true;
}

/* Where the sender has named who may enter the time, is the next entry ours? */
static bool prespecified(const uint8_t *opt, unsigned int ptr)
{
	rte_be32_t addr;

	if (!has_word(opt, ptr + ADDR_BYTES))
		return false;
	memcpy(&addr, opt + ptr - 1, sizeof(addr));
	return !ip_options_foreign(addr);
}

static bool echo_ts(struct ip_options *o, const uint8_t *from, unsigned int flags)
{
	uint8_t *opt = copy(o, from, &o->at.ts);
	unsigned int ptr = opt[OPTION_PTR];

	if (ptr > opt[OPTION_LEN])
		return true;
	if (flags & OPTIONS_F_TS_ADDR) {
		if (!has_word(opt, ptr))
			return false;
		o->at.flags |= OPTIONS_F_TS_ADDR;
		ptr += ADDR_BYTES;
	}
	if (flags & OPTIONS_F_TS_TIME) {
		if (!has_word(opt, ptr))
			return false;
		if ((opt[OPTION_TS_FLAG] & 0xf) != TS_PRESPECIFIED) {
			o->at.flags |= OPTIONS_F_TS_TIME;
			ptr += ADDR_BYTES;
		} else if (prespecified(opt, ptr)) {
			o->at.flags |= OPTIONS_F_TS_TIME;
			ptr += 2 * ADDR_BYTES;
		}
	}
	opt[OPTION_PTR] = (uint8_t)ptr;
	return true;
}

/* The hops that the packet passed, last first. The first of them becomes the destination, so the
 * list ends with a place for the final one. RFC 1812 5.2.4.1: a route on which the sender put
 * itself is mended. */
static void echo_srr(struct ip_options *o, const uint8_t *from, unsigned int flags,
		     rte_be32_t sender)
{
	int end = from[OPTION_PTR] <= from[OPTION_LEN] ? from[OPTION_PTR] - 1 : from[OPTION_LEN];
	int n = RTE_MIN((end - LIST_AT) / ADDR_BYTES, HOPS_MAX);
	uint8_t *opt = o->bytes + o->len;

	if (n <= 0)
		return;
	memcpy(&o->first_hop, from + end - ADDR_BYTES, ADDR_BYTES);
	for (int i = 1; i < n; i++)
		memcpy(opt + LIST_AT + (i - 1) * ADDR_BYTES, from + end - (i + 1) * ADDR_BYTES,
		       ADDR_BYTES);
	if (!memcmp(&sender, from + end - n * ADDR_BYTES, ADDR_BYTES))
		n--;
	if (!n)
		return;
	opt[0] = from[0];
	opt[OPTION_LEN] = (uint8_t)(LIST_AT + n * ADDR_BYTES);
	opt[OPTION_PTR] = LIST_AT + 1;
	o->at.srr = (uint8_t)(sizeof(struct rte_ipv4_hdr) + o->len);
	o->at.flags |= flags & OPTIONS_F_STRICT;
	o->len += opt[OPTION_LEN];
}

bool ip_options_echo(struct ip_options *o, const struct rte_mbuf *m)
{
	const uint8_t *ip = (const uint8_t *)packet_ip(m);
	struct packet_options at = packet_of(m)->options;
	uint8_t pad;

	*o = (struct ip_options){0};
	if (at.rr && !echo_rr(o, ip + at.rr, at.flags))
		return false;
	if (at.ts && !echo_ts(o, ip + at.ts, at.flags))
		return false;
	if (at.srr)
		echo_srr(o, ip + at.srr, at.flags, packet_ip(m)->src_addr);
	if (at.cipso)
		copy(o, ip + at.cipso, &o->at.cipso);
	pad = -o->len & 3;
	memset(o->bytes + o->len, OPTION_END, pad);
	o->len += pad;
	return true;
}

void ip_options_build(const struct ip_options *o, struct rte_mbuf *m, rte_be32_t final_dst,
		      uint64_t now_ns)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint8_t *header = rte_pktmbuf_mtod(m, uint8_t *);
	uint8_t *srr = header + o->at.srr, *rr = header + o->at.rr, *ts = header + o->at.ts;
	rte_be32_t time;

	memcpy(header + sizeof(*ip), o->bytes, o->len);
	packet_of(m)->options = o->at;
	if (o->at.srr)
		memcpy(srr + srr[OPTION_LEN] - ADDR_BYTES, &final_dst, ADDR_BYTES);
	if (o->at.flags & OPTIONS_F_RR_ADDR)
		memcpy(rr + rr[OPTION_PTR] - 1 - ADDR_BYTES, &ip->src_addr, ADDR_BYTES);
	if (o->at.flags & OPTIONS_F_TS_ADDR)
		memcpy(ts + ts[OPTION_PTR] - 1 - 2 * ADDR_BYTES, &ip->src_addr, ADDR_BYTES);
	if (o->at.flags & OPTIONS_F_TS_TIME) {
		time = ip_timestamp(now_ns);
		memcpy(ts + ts[OPTION_PTR] - 1 - ADDR_BYTES, &time, sizeof(time));
	}
}
