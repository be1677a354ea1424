/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter_matches.h. */
#include "control/filter_matches.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include "control/filter_names.h"
#include "control/filter_terms.h"
#include "control/filter_values.h"
#include "control/value.h"
#include "link/link.h"

static int match(struct tokens *s, enum filter_kind kind)
{
	struct filter_term *t = filter_term_new(s, kind);
	int rc = filter_read_term(s, t);

	if (rc || t->not || t->mask || !s->read.n)
		return rc;
	if (kind == FILTER_ICMP_TYPE)
		s->icmp = s->read;
	else if (kind == FILTER_PROTOCOL && (s->read.ranges || s->read.lo != s->read.hi))
		s->protocols = true;
	return 0;
}

/* ---- bits of headers ---- */

static const char *last_word(const char *words)
{
	return strchr(words, ' ') + 1;
}

/* Is the rule for a field's ICMP types already? Then it must be for no others. */
static int icmp_type_fits(struct tokens *s, const char *field, uint32_t a, uint32_t b)
{
	const struct values_read *types = &s->icmp;
	bool lo_fits = types->lo == a || types->lo == b;
	bool hi_fits = types->hi == a || types->hi == b;

	if (lo_fits && hi_fits && types->n <= 2 && !types->ranges)
		return 0;
	if (types->ranges || types->n > 2)
		return error_set(s->err, EINVAL, "%s: the rule is for several ICMP types already, "
				 "of which some have none", field);
	return error_set(s->err, EINVAL, "%s: the rule is for ICMP type %u already, which has none",
			 field, lo_fits ? types->hi : types->lo);
}

/* As in nft a rule asks for the ICMP types that have a field, unless it did already. */
static int icmp_type_is(struct tokens *s, const char *field, uint32_t a, uint32_t b)
{
	struct filter_rule *r = &s->d->rule;
	struct filter_term *t;

	if (s->icmp.n)
		return icmp_type_fits(s, field, a, b);
	s->icmp = (struct values_read){.n = 2, .lo = a, .hi = b};
	if (r->n_ranges + 2 > FILTER_RANGES_MAX)
		return error_set(s->err, E2BIG, "the sets of a rule have at most %d elements",
				 FILTER_RANGES_MAX);
	t = filter_term_new(s, FILTER_ICMP_TYPE);
	if (!t)
		return -E2BIG;
	t->lo = t->hi = a;
	if (a == b)
		return 0;
	t->set = (uint16_t)r->n_ranges;
	t->n_set = 2;
	s->d->range[r->n_ranges++] = (struct filter_range){a, a};
	s->d->range[r->n_ranges++] = (struct filter_range){b, b};
	return 0;
}

static int icmp_type_of(struct tokens *s, const char *field)
{
	static const struct {
		const char *field;
		uint32_t a, b;
	} types[] = {
		{"icmp id", 0, 8}, {"icmp sequence", 0, 8}, {"icmp mtu", 3, 3},
		{"icmp gateway", 5, 5},
	};

	for (unsigned int i = 0; i < RTE_DIM(types); i++)
		if (strcmp(types[i].field, field) == 0)
			return icmp_type_is(s, field, types[i].a, types[i].b);
	return 0;
}

/* A field of a protocol's header that is said in bits. 1: this is none. */
static int match_bits(struct tokens *s, uint32_t protocol)
{
	const struct filter_payload_field *f = filter_payload_fields;
	struct filter_term *t;
	int rc;

	while (f->field.words &&
	       (f->protocol != protocol || !token_is(s, last_word(f->field.words))))
		f++;
	if (!f->field.words)
		return 1;
	token_advance(s);
	rc = icmp_type_of(s, f->field.words);
	if (rc)
		return rc;
	t = filter_term_new(s, FILTER_PAYLOAD);
	if (t) {
		t->payload = f->at;
		t->payload.name = (uint8_t)(f - filter_payload_fields + 1);
	}
	return filter_read_term(s, t);
}

/* No field: which there are. */
static int no_such_field(struct tokens *s, const char *kinds, uint32_t protocol)
{
	char list[256];
	size_t len = (size_t)snprintf(list, sizeof(list), "one of %s", kinds);
	const char *comma = *kinds ? ", " : "";

	for (const struct filter_payload_field *f = filter_payload_fields; f->field.words; f++) {
		if (f->protocol != protocol || len >= sizeof(list))
			continue;
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", comma,
					last_word(f->field.words));
		comma = ", ";
	}
	return token_wrong(s, list);
}

/* @th,16,16 or @nh,64,8: bits from the end or the start of the IP header, and how many. */
static int match_raw(struct tokens *s)
{
	struct filter_payload at = {.transport = token_is(s, "@th")};
	struct filter_term *t;
	uint32_t offset, bits;

	token_advance(s);
	if (!token_take(s, ",") || !filter_read_number(s->token, 0, &offset) || offset > 2048)
		return token_wrong(s, "\",\" and the first bit, as in @th,16,16");
	token_advance(s);
	if (!token_take(s, ",") || !filter_read_number(s->token, 0, &bits) || !bits || bits > 32)
		return token_wrong(s, "\",\" and a number of bits from 1 to 32, as in @th,16,16");
	token_advance(s);
	at.offset = (uint16_t)offset;
	at.bits = (uint8_t)bits;
	t = filter_term_new(s, FILTER_PAYLOAD);
	if (t)
		t->payload = at;
	return filter_read_term(s, t);
}

/* ---- words ---- */

static int match_ip(struct tokens *s)
{
	static const struct arg_name names[] = {
		{"saddr", FILTER_SADDR}, {"daddr", FILTER_DADDR}, {"protocol", FILTER_PROTOCOL},
		{"ttl", FILTER_TTL}, {"frag-off", FILTER_FRAG_OFF}, {"length", FILTER_LENGTH},
		{"id", FILTER_ID}, {"dscp", FILTER_DSCP}, {"ecn", FILTER_ECN},
		{"hdrlength", FILTER_HEADER}, {NULL},
	};
	uint32_t kind;
	int rc;

	if (value_named(&(struct arg){.names = names}, s->token, &kind)) {
		token_advance(s);
		return match(s, (enum filter_kind)kind);
	}
	if (token_is(s, "option"))
		return error_set(s->err, EINVAL, "\"option\": IP options can not be matched here; "
				 "ip hdrlength > 5 is true where there are any");
	rc = match_bits(s, 0);
	return rc <= 0 ? rc : no_such_field(s, "saddr, daddr, protocol, ttl, frag-off, length, id, "
					       "dscp, ecn, hdrlength", 0);
}

/* tcp, udp and their like; 0: th, ports of whatever protocol. */
static int match_ports(struct tokens *s, uint32_t protocol)
{
	bool tcp = protocol == IPPROTO_TCP;
	int rc;

	if (token_take(s, "sport"))
		return match(s, FILTER_SPORT);
	if (token_take(s, "dport"))
		return match(s, FILTER_DPORT);
	if (tcp && token_take(s, "flags"))
		return filter_read_flags(s);
	if (tcp && token_is(s, "option"))
		return error_set(s->err, EINVAL, "\"option\": TCP options can not be matched here");
	if (!protocol)
		return token_wrong(s, "one of sport, dport");
	rc = match_bits(s, protocol);
	return rc <= 0 ? rc : no_such_field(s, tcp ? "sport, dport, flags" : "sport, dport",
					    protocol);
}

static int match_icmp(struct tokens *s)
{
	int rc;

	if (token_take(s, "type"))
		return match(s, FILTER_ICMP_TYPE);
	if (token_take(s, "code"))
		return match(s, FILTER_ICMP_CODE);
	rc = match_bits(s, IPPROTO_ICMP);
	return rc <= 0 ? rc : no_such_field(s, "type, code", IPPROTO_ICMP);
}

/* A field of a protocol's header; as in nft it is only looked for in packets of that protocol. */
static int match_header(struct tokens *s, uint32_t protocol)
{
	int rc = filter_protocol_is(s, protocol);

	if (rc)
		return rc;
	if (protocol == IPPROTO_ICMP)
		return match_icmp(s);
	if (value_name(filter_transports, protocol))
		return match_ports(s, protocol);
	rc = match_bits(s, protocol);
	return rc <= 0 ? rc : no_such_field(s, "", protocol);
}

/* by_name: the link need not be there, and "p*" is any that begins so. */
static int link_name(struct tokens *s, char *names, bool by_name)
{
	size_t len = strlen(names), n = s->len;
	const char *p = s->token;
	char name[LINK_NAME_SIZE];

	if (n > 1 && p[0] == '"' && p[n - 1] == '"') {
		p++;
		n -= 2;
	}
	if (s->at >= s->n || !n || n >= LINK_NAME_SIZE || strpbrk(p, "{},&|^()=<>!"))
		return token_wrong(s, "the name of a link");
	if (n == 1 && *p == '*')
		return error_set(s->err, EINVAL, "\"*\" is any link at all: leave the match out");
	snprintf(name, sizeof(name), "%.*s", (int)n, p);
	if (!by_name && !link_find(name))
		return error_set(s->err, ENODEV, "there is no link \"%s\"; iifname and oifname "
				 "take names of links that are not there yet, and patterns such "
				 "as \"p*\"", name);
	if (len + n + 2 > FILTER_TEXT_SIZE)
		return error_set(s->err, E2BIG, "these are too many names of links");
	snprintf(names + len, FILTER_TEXT_SIZE - len, "%s%.*s", len ? " " : "", (int)n, p);
	token_advance(s);
	return 0;
}

static int match_link(struct tokens *s, enum filter_kind kind, bool by_name)
{
	struct filter_term *t = filter_term_new(s, kind);
	int rc = filter_read_equality(s, t);

	if (rc)
		return rc;
	if (!token_take(s, "{"))
		return link_name(s, t->text, by_name);
	do {
		rc = link_name(s, t->text, by_name);
	} while (!rc && token_take(s, ","));
	return rc || token_take(s, "}") ? rc : token_wrong(s, "\",\" or \"}\"");
}

static int match_fragment(struct tokens *s)
{
	struct filter_term *t = filter_term_new(s, FILTER_FRAGMENT);

	if (!t)
		return -E2BIG;
	t->lo = t->hi = 1;
	return 0;
}

/* ---- what is not in the packet ---- */

/* A mark made of the one that is there: (mark & mask) ^ bits. A number is one whose mask is 0. */
struct made {
	uint32_t mask, bits;
};

static int read_made(struct tokens *s, unsigned int level, struct made *a);

/* A number, mark, or what stands in parentheses. */
static int made_of_one(struct tokens *s, unsigned int depth, struct made *a)
{
	static const struct filter_field number = {"mark set", .max = UINT32_MAX};
	int rc;

	if (token_take(s, "(")) {
		if (depth > 64)
			return error_set(s->err, E2BIG, "mark set: these are too many parentheses");
		rc = read_made(s, depth + 4, a);
		return rc || token_take(s, ")") ? rc : token_wrong(s, "\")\"");
	}
	if (token_is(s, "meta") || token_is(s, "mark")) {
		(void)token_take(s, "meta");
		*a = (struct made){UINT32_MAX, 0};
		return token_take(s, "mark") ? 0 : token_wrong(s, "\"mark\"");
	}
	a->mask = 0;
	return filter_read_value(s, &number, &a->bits);
}

static int join(struct tokens *s, unsigned int level, struct made *a, struct made b)
{
	const struct made c = *a;

	if (b.mask)
		return error_set(s->err, EINVAL,
				 "mark set: what stands behind \"|\", \"^\" and \"&\" "
				 "must be a number; the mark stands before it");
	if (level == 0)         /* | */
		*a = (struct made){c.mask & ~b.bits, c.bits | b.bits};
	else if (level == 1)    /* ^ */
		*a = (struct made){c.mask, c.bits ^ b.bits};
	else
		*a = (struct made){c.mask & b.bits, c.bits & b.bits};
	return 0;
}

/* '|' binds less than '^', and that less than '&'. Every four levels are one of parentheses. */
static int read_made(struct tokens *s, unsigned int level, struct made *a)
{
	static const char *const words[3][2] = {{"|", "or"}, {"^", "xor"}, {"&", "and"}};
	struct made b;
	int rc;

	if (level % 4 == 3)
		return made_of_one(s, level - 3, a);
	rc = read_made(s, level + 1, a);
	while (!rc && token_take_either(s, words[level % 4][0], words[level % 4][1])) {
		rc = read_made(s, level + 1, &b);
		rc = rc ? rc : join(s, level % 4, a, b);
	}
	return rc;
}

/* mark set N, mark set mark or N and their like; or a match. */
static int mark(struct tokens *s)
{
	struct filter_term *t;
	struct made made;
	int rc;

	if (!token_take(s, "set"))
		return match(s, FILTER_MARK);
	rc = read_made(s, 0, &made);
	if (rc)
		return rc;
	t = filter_term_new(s, FILTER_MARK_SET);
	if (!t)
		return -E2BIG;
	t->mask = made.mask;
	t->lo = made.bits;
	return 0;
}

/* The Ethernet type, which is the same of every packet here. */
static int link_protocol(struct tokens *s)
{
	(void)token_take_either(s, "==", "eq");
	return token_take(s, "ip") ? 0 : error_set(
		s->err, EINVAL, "meta protocol: \"%s\" is not ip; other packets are not filtered, "
		"but dropped before", s->token);
}

/* Words that may stand without "meta". 1: it is none of them. */
static int bare_meta(struct tokens *s)
{
	if (token_take(s, "iif"))
		return match_link(s, FILTER_IIF, false);
	if (token_take(s, "iifname"))
		return match_link(s, FILTER_IIF, true);
	if (token_take(s, "oif"))
		return match_link(s, FILTER_OIF, false);
	if (token_take(s, "oifname"))
		return match_link(s, FILTER_OIF, true);
	if (token_take(s, "pkttype"))
		return match(s, FILTER_PKTTYPE);
	if (token_take(s, "mark"))
		return mark(s);
	return 1;
}

static int meta(struct tokens *s)
{
	int rc = bare_meta(s);

	if (rc <= 0)
		return rc;
	if (token_take(s, "l4proto"))
		return match(s, FILTER_PROTOCOL);
	if (token_take(s, "length"))
		return match(s, FILTER_LENGTH);
	if (token_take(s, "protocol"))
		return link_protocol(s);
	if (token_is(s, "nfproto"))
		return error_set(s->err, EINVAL,
				 "\"nfproto\": only in tables of several families is "
				 "there something to choose; here all packets are IPv4");
	return token_wrong(s, "one of iif, iifname, oif, oifname, l4proto, length, pkttype, mark, "
			      "protocol");
}

int filter_read_match(struct tokens *s)
{
	uint32_t protocol;

	if (token_take(s, "ip"))
		return match_ip(s);
	if (value_named(&(struct arg){.names = filter_headers}, s->token, &protocol)) {
		token_advance(s);
		return match_header(s, protocol);
	}
	if (token_take(s, "th"))
		return match_ports(s, 0);
	if (token_is(s, "@th") || token_is(s, "@nh"))
		return match_raw(s);
	if (token_take(s, "meta"))
		return meta(s);
	if (token_take(s, "fragment"))
		return match_fragment(s);
	return bare_meta(s);
}
