/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See filter_words.h. A word is cut into tokens, as braces, commas and operators may stand close
 * to others ("{22,80}", "!=5"); texts (a prefix of log lines, a comment) are words as they are.
 */
#include "control/filter_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "control/value.h"
#include "link/link.h"
#include "packet/packet.h"

const struct arg_name filter_protocols[] = {
	{"icmp", IPPROTO_ICMP}, {"igmp", IPPROTO_IGMP}, {"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP}, {"dccp", IPPROTO_DCCP}, {"gre", IPPROTO_GRE}, {"esp", IPPROTO_ESP},
	{"ah", IPPROTO_AH}, {"ospf", 89}, {"vrrp", 112}, {"sctp", IPPROTO_SCTP},
	{"udplite", IPPROTO_UDPLITE}, {NULL},
};

static const struct arg_name icmp_types[] = {
	{"echo-reply", 0}, {"destination-unreachable", 3}, {"source-quench", 4},
	{"redirect", 5}, {"echo-request", 8}, {"router-advertisement", 9},
	{"router-solicitation", 10}, {"time-exceeded", 11}, {"parameter-problem", 12},
	{"timestamp-request", 13}, {"timestamp-reply", 14}, {"info-request", 15},
	{"info-reply", 16}, {"address-mask-request", 17}, {"address-mask-reply", 18}, {NULL},
};

const struct arg_name filter_icmp_codes[] = {
	{"net-unreachable", 0}, {"host-unreachable", 1}, {"prot-unreachable", 2},
	{"port-unreachable", 3}, {"net-prohibited", 9}, {"host-prohibited", 10},
	{"admin-prohibited", 13}, {NULL},
};

static const struct arg_name codes[] = {
	{"net-unreachable", 0}, {"host-unreachable", 1}, {"prot-unreachable", 2},
	{"port-unreachable", 3}, {"frag-needed", 4}, {"net-prohibited", 9},
	{"host-prohibited", 10}, {"admin-prohibited", 13}, {NULL},
};

/* What people call ports; /etc/services has more, but need not be there. */
static const struct arg_name services[] = {
	{"echo", 7}, {"discard", 9}, {"ftp-data", 20}, {"ftp", 21}, {"ssh", 22}, {"telnet", 23},
	{"smtp", 25}, {"domain", 53}, {"bootps", 67}, {"bootpc", 68}, {"tftp", 69}, {"http", 80},
	{"kerberos", 88}, {"pop3", 110}, {"sunrpc", 111}, {"ntp", 123}, {"imap2", 143},
	{"snmp", 161}, {"snmp-trap", 162}, {"bgp", 179}, {"ldap", 389}, {"https", 443},
	{"isakmp", 500}, {"syslog", 514}, {"submission", 587}, {"imaps", 993}, {"pop3s", 995},
	{NULL},
};

static const struct arg_name tcp_flags[] = {
	{"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"psh", 0x08}, {"ack", 0x10}, {"urg", 0x20},
	{"ecn", 0x40}, {"cwr", 0x80}, {NULL},
};

static const struct arg_name dscps[] = {
	{"cs0", 0}, {"cs1", 8}, {"cs2", 16}, {"cs3", 24}, {"cs4", 32}, {"cs5", 40}, {"cs6", 48},
	{"cs7", 56}, {"af11", 10}, {"af12", 12}, {"af13", 14}, {"af21", 18}, {"af22", 20},
	{"af23", 22}, {"af31", 26}, {"af32", 28}, {"af33", 30}, {"af41", 34}, {"af42", 36},
	{"af43", 38}, {"ef", 46}, {"be", 0}, {NULL},
};

static const struct arg_name ecns[] = {
	{"not-ect", 0}, {"ect1", 1}, {"ect0", 2}, {"ce", 3}, {NULL},
};

static const struct arg_name pkttypes[] = {
	{"unicast", PACKET_HOST}, {"broadcast", PACKET_BROADCAST},
	{"multicast", PACKET_MULTICAST}, {"other", PACKET_OTHERHOST}, {"host", PACKET_HOST},
	{NULL},
};

const struct arg_name filter_units[] = {
	{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}, {"week", 604800}, {NULL},
};

const struct arg_name filter_byte_units[] = {
	{"mbytes", 1 << 20}, {"kbytes", 1 << 10}, {"bytes", 1}, {NULL},
};

const struct filter_field filter_fields[FILTER_FIELDS] = {
	[FILTER_SADDR] = {"ip saddr", .max = UINT32_MAX},
	[FILTER_DADDR] = {"ip daddr", .max = UINT32_MAX},
	[FILTER_IIF] = {"iif"},
	[FILTER_OIF] = {"oif"},
	[FILTER_PROTOCOL] = {"ip protocol", filter_protocols, UINT8_MAX},
	[FILTER_SPORT] = {"sport", services, UINT16_MAX},
	[FILTER_DPORT] = {"dport", services, UINT16_MAX},
	[FILTER_ICMP_TYPE] = {"icmp type", icmp_types, UINT8_MAX},
	[FILTER_ICMP_CODE] = {"icmp code", codes, UINT8_MAX},
	[FILTER_TCP_FLAGS] = {"tcp flags", tcp_flags, UINT8_MAX, .hex = true},
	[FILTER_FRAGMENT] = {"fragment", .max = 1},
	[FILTER_FRAG_OFF] = {"ip frag-off", .max = UINT16_MAX, .hex = true},
	[FILTER_TTL] = {"ip ttl", .max = UINT8_MAX},
	[FILTER_DSCP] = {"ip dscp", dscps, 63, .hex = true},
	[FILTER_ECN] = {"ip ecn", ecns, 3},
	[FILTER_ID] = {"ip id", .max = UINT16_MAX},
	[FILTER_LENGTH] = {"ip length", .max = UINT16_MAX},
	[FILTER_HEADER] = {"ip hdrlength", .max = 15},
	[FILTER_MARK] = {"mark", .max = UINT32_MAX, .hex = true},
	[FILTER_PKTTYPE] = {"meta pkttype", pkttypes, 255},
};

static const struct arg_name transports[] = {
	{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP},
	{"dccp", IPPROTO_DCCP}, {"udplite", IPPROTO_UDPLITE}, {NULL},
};

const char *filter_transport(uint32_t protocol)
{
	return value_name(transports, protocol);
}

#define LIMIT_BURST 5          /* packets, as in nft; of bytes none */

/* ---- tokens ---- */

struct words {
	const char *const *word;
	int n, at;
	size_t off;             /* of the token in its word */
	char token[128];        /* "": there is none left */
	size_t len;
	struct filter_draft *d;
	struct error *err;
};

static size_t token_length(const char *p)
{
	if (!*p)
		return 0;
	if (strchr("{},&|()/", *p))
		return 1;
	if (strchr("!<>=", *p))
		return p[1] == '=' ? 2 : 1;
	return strcspn(p, "{},&|()!<>=");
}

/* Look at the token that stands here. An address and what is like one have a '/' in them, which is
 * a token only where it stands alone. */
static void look(struct words *s)
{
	const char *p;

	s->token[0] = 0;
	s->len = 0;
	if (s->at >= s->n)
		return;
	p = s->word[s->at] + s->off;
	s->len = token_length(p);
	snprintf(s->token, sizeof(s->token), "%.*s", (int)s->len, p);
}

static void advance(struct words *s)
{
	s->off += s->len;
	if (!s->word[s->at][s->off]) {
		s->at++;
		s->off = 0;
	}
	look(s);
}

static bool is(const struct words *s, const char *token)
{
	return s->at < s->n && strcmp(s->token, token) == 0;
}

static bool next_is(struct words *s, const char *token)
{
	if (!is(s, token))
		return false;
	advance(s);
	return true;
}

/* What stands here is not what should. */
static int wrong(struct words *s, const char *expected)
{
	if (s->at >= s->n)
		return error_set(s->err, EINVAL, "%s is missing at the end", expected);
	return error_set(s->err, EINVAL, "\"%s\" is not %s", s->token, expected);
}

/* The whole word as it is; its quotes are gone already, or are in it. */
static int text(struct words *s, const char *what, char *to, size_t size)
{
	const char *p;
	size_t len;

	if (s->at >= s->n)
		return wrong(s, what);
	p = s->word[s->at] + s->off;
	len = strlen(p);
	if (len > 1 && p[0] == '"' && p[len - 1] == '"') {
		p++;
		len -= 2;
	}
	if (len >= size)
		return error_set(s->err, EINVAL, "%s can have %zu characters, not %zu", what,
				 size - 1, len);
	snprintf(to, size, "%.*s", (int)len, p);
	s->at++;
	s->off = 0;
	look(s);
	return 0;
}

/* NULL: there is no room for it. */
static struct filter_term *term_new(struct words *s, enum filter_kind kind)
{
	struct filter_rule *r = &s->d->rule;
	struct filter_term *t = &r->term[r->n];

	if (r->n == FILTER_TERMS_MAX) {
		error_set(s->err, E2BIG, "a rule has at most %d terms", FILTER_TERMS_MAX);
		return NULL;
	}
	r->n++;
	*t = (struct filter_term){.kind = kind};
	return t;
}

/* ---- values ---- */

/* Digits or 0x and hexadecimal ones, up to a character. */
static bool read_number(const char *p, char end, uint32_t *number)
{
	bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
	char *stop;
	unsigned long value;

	if (*p < '0' || *p > '9')
		return false;
	errno = 0;
	value = strtoul(p, &stop, hex ? 16 : 10);
	if (errno || value > UINT32_MAX || *stop != end || stop == p + (hex ? 2 : 0))
		return false;
	*number = (uint32_t)value;
	return true;
}

static int not_a_value(struct words *s, const struct filter_field *f)
{
	char list[400] = "";
	size_t len = 0;

	if (s->at >= s->n)
		return error_set(s->err, EINVAL, "a value for %s is missing at the end", f->words);
	for (const struct arg_name *n = f->names; n && n->name && len < sizeof(list); n++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					n == f->names ? ", nor one of: " : ", ", n->name);
	return error_set(s->err, EINVAL, "%s: \"%s\" is not a number from 0 to %u%s", f->words,
			 s->token, f->max, list);
}

static int one_number(struct words *s, const struct filter_field *f, uint32_t *number)
{
	if (value_named(&(struct arg){.names = f->names}, s->token, number) ||
	    (read_number(s->token, 0, number) && *number <= f->max)) {
		advance(s);
		return 0;
	}
	return not_a_value(s, f);
}

/* N or N-N, or a name. */
static int number_range(struct words *s, const struct filter_field *f, struct filter_range *r)
{
	const char *dash = strchr(s->token, '-');

	if (!dash || value_named(&(struct arg){.names = f->names}, s->token, &r->lo)) {
		int rc = one_number(s, f, &r->lo);

		r->hi = r->lo;
		return rc;
	}
	if (!read_number(s->token, '-', &r->lo) || !read_number(dash + 1, 0, &r->hi) ||
	    r->hi > f->max)
		return not_a_value(s, f);
	if (r->lo > r->hi)
		return error_set(s->err, EINVAL, "%s: \"%s\" is no range: it ends before it begins",
				 f->words, s->token);
	advance(s);
	return 0;
}

static int address(struct words *s, const char *word, enum arg_type type, struct value *v)
{
	const struct arg a = {.name = "PREFIX", .type = type};

	return value_parse(&a, word, v, s->err);
}

/* A, A/LEN or A-A. */
static int address_range(struct words *s, struct filter_range *r)
{
	char first[sizeof(s->token)];
	const char *dash = strchr(s->token, '-');
	struct value v;
	int rc;

	if (s->at >= s->n)
		return wrong(s, "PREFIX");
	if (!dash) {
		rc = address(s, s->token, ARG_PREFIX, &v);
		r->lo = v.prefix;
		r->hi = v.prefix | (v.len ? (uint32_t)((1ULL << (32 - v.len)) - 1) : UINT32_MAX);
	} else {
		snprintf(first, sizeof(first), "%.*s", (int)(dash - s->token), s->token);
		rc = address(s, first, ARG_ADDRESS, &v);
		r->lo = rc ? 0 : rte_be_to_cpu_32(v.address);
		rc = rc ? rc : address(s, dash + 1, ARG_ADDRESS, &v);
		r->hi = rc ? 0 : rte_be_to_cpu_32(v.address);
		if (!rc && r->lo > r->hi)
			rc = error_set(s->err, EINVAL, "\"%s\" is no range: it ends before it begins",
				       s->token);
	}
	if (!rc)
		advance(s);
	return rc;
}

static int one_range(struct words *s, enum filter_kind kind, struct filter_range *r)
{
	if (kind == FILTER_SADDR || kind == FILTER_DADDR)
		return address_range(s, r);
	return number_range(s, &filter_fields[kind], r);
}

static int by_start(const void *a, const void *b)
{
	const struct filter_range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* Rising and apart. */
static unsigned int tidy(struct filter_range *r, unsigned int n)
{
	unsigned int kept = 0;

	qsort(r, n, sizeof(*r), by_start);
	for (unsigned int i = 1; i < n; i++) {
		if (r[i].lo <= r[kept].hi || r[i].lo == r[kept].hi + 1)
			r[kept].hi = RTE_MAX(r[kept].hi, r[i].hi);
		else
			r[++kept] = r[i];
	}
	return kept + 1;
}

/* Behind the brace: A, B, ... } */
static int set(struct words *s, struct filter_term *t)
{
	struct filter_rule *rule = &s->d->rule;
	struct filter_range *r = s->d->range + rule->n_ranges;
	unsigned int n = 0;
	int rc;

	do {
		if (rule->n_ranges + n == FILTER_RANGES_MAX)
			return error_set(s->err, E2BIG, "the sets of a rule have at most %d elements",
					 FILTER_RANGES_MAX);
		rc = one_range(s, t->kind, &r[n++]);
		if (rc)
			return rc;
	} while (next_is(s, ","));
	if (!next_is(s, "}"))
		return wrong(s, "\",\" or \"}\"");
	n = tidy(r, n);
	if (n == 1) {
		t->lo = r->lo;
		t->hi = r->hi;
		return 0;
	}
	t->set = (uint16_t)rule->n_ranges;
	t->n_set = (uint16_t)n;
	rule->n_ranges += n;
	return 0;
}

/* ---- matches ---- */

enum operation { EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

static const struct {
	const char *words[2];
	enum operation op;
} operations[] = {
	{{"!=", "ne"}, NOT_EQUAL}, {{"==", "eq"}, EQUAL}, {{"<=", "le"}, LESS_EQUAL},
	{{">=", "ge"}, GREATER_EQUAL}, {{"<", "lt"}, LESS}, {{">", "gt"}, GREATER},
};

static bool operation(struct words *s, enum operation *op)
{
	for (unsigned int i = 0; i < RTE_DIM(operations); i++)
		for (unsigned int k = 0; k < 2; k++)
			if (next_is(s, operations[i].words[k])) {
				*op = operations[i].op;
				return true;
			}
	*op = EQUAL;
	return false;
}

/* < N and its like: the range that this is. */
static int compared(struct words *s, struct filter_term *t, enum operation op)
{
	const struct filter_field *f = &filter_fields[t->kind];
	struct filter_range r;
	int rc = one_range(s, t->kind, &r);

	if (rc)
		return rc;
	if (r.lo != r.hi)
		return error_set(s->err, EINVAL, "%s: a range can not be compared by <, >, <= or >=",
				 f->words);
	if ((op == LESS && !r.lo) || (op == GREATER && r.lo == f->max))
		return error_set(s->err, EINVAL, "no value of %s is %s %u", f->words,
				 op == LESS ? "<" : ">", r.lo);
	t->lo = op == LESS || op == LESS_EQUAL ? 0 : r.lo + (op == GREATER);
	t->hi = op == LESS || op == LESS_EQUAL ? r.lo - (op == LESS) : f->max;
	return 0;
}

/* What follows a field: [== | != | < | > | <= | >=] VALUE, RANGE or { ... } */
static int right_side(struct words *s, struct filter_term *t)
{
	struct filter_range r;
	enum operation op;
	int rc;

	operation(s, &op);
	if (op >= LESS)
		return compared(s, t, op);
	t->not = op == NOT_EQUAL;
	if (next_is(s, "{"))
		return set(s, t);
	rc = one_range(s, t->kind, &r);
	if (rc)
		return rc;
	if (is(s, ","))
		return error_set(s->err, EINVAL, "several values of %s stand in braces: "
				 "{ A, B }", filter_fields[t->kind].words);
	t->lo = r.lo;
	t->hi = r.hi;
	return 0;
}

/* Flags with | or commas between them, in parentheses or not. */
static int flags(struct words *s, uint32_t *bits)
{
	bool open = next_is(s, "(");
	uint32_t bit;

	*bits = 0;
	do {
		int rc = one_number(s, &filter_fields[FILTER_TCP_FLAGS], &bit);

		if (rc)
			return rc;
		*bits |= bit;
	} while (next_is(s, "|") || next_is(s, ","));
	return !open || next_is(s, ")") ? 0 : wrong(s, "\"|\" or \")\"");
}

/* tcp flags A,B: any of them; & MASK == VALUE; VALUE / MASK; == VALUE: these and no others. */
static int match_flags(struct words *s)
{
	struct filter_term *t = term_new(s, FILTER_TCP_FLAGS);
	enum operation op = EQUAL;
	bool given;
	int rc;

	if (!t)
		return -E2BIG;
	if (next_is(s, "&")) {
		rc = flags(s, &t->mask);
		given = !rc && operation(s, &op);
		if (!rc && (!given || op >= LESS))
			rc = wrong(s, "\"==\" or \"!=\"");
		t->not = op == NOT_EQUAL;
		rc = rc ? rc : flags(s, &t->lo);
		t->hi = t->lo;
		return rc;
	}
	given = operation(s, &op);
	if (given && op >= LESS)
		return error_set(s->err, EINVAL, "tcp flags can not be compared by <, >, <= or >=");
	rc = flags(s, &t->lo);
	t->hi = t->lo;
	t->not = op == NOT_EQUAL;
	if (rc || next_is(s, "/")) {
		rc = rc ? rc : flags(s, &t->mask);
	} else if (!given) {            /* any of them is there */
		t->mask = t->lo;
		t->lo = t->hi = 0;
		t->not = true;
	}
	return rc;
}

/* A mask may stand before what is compared. */
static int match(struct words *s, enum filter_kind kind)
{
	struct filter_term *t = term_new(s, kind);
	struct filter_range mask;
	int rc;

	if (!t)
		return -E2BIG;
	if (next_is(s, "&")) {
		rc = one_range(s, kind, &mask);
		if (rc)
			return rc;
		t->mask = mask.lo;
		if (mask.lo != mask.hi || !mask.lo)
			return error_set(s->err, EINVAL, "%s: what stands behind \"&\" must be one "
					 "number and not 0", filter_fields[kind].words);
	}
	return right_side(s, t);
}

static const char *protocol_name(uint32_t protocol)
{
	const char *name = value_name(filter_protocols, protocol);

	return name ? name : "another";
}

/* As nft does, ports and ICMP types are only looked for in packets of their protocol. */
static int protocol_is(struct words *s, uint32_t protocol)
{
	const struct filter_rule *r = &s->d->rule;
	struct filter_term *t;

	for (unsigned int i = 0; i < r->n; i++) {
		const struct filter_term *p = &r->term[i];

		if (p->kind != FILTER_PROTOCOL || p->not || p->n_set || p->mask || p->lo != p->hi)
			continue;
		return p->lo == protocol ? 0 : error_set(
			s->err, EINVAL, "conflicting protocols: the rule is for %s already and can "
			"not be for %s", protocol_name(p->lo), value_name(filter_protocols, protocol));
	}
	t = term_new(s, FILTER_PROTOCOL);
	if (!t)
		return -E2BIG;
	t->lo = t->hi = protocol;
	return 0;
}

static int match_ip(struct words *s)
{
	static const struct arg_name names[] = {
		{"saddr", FILTER_SADDR}, {"daddr", FILTER_DADDR}, {"protocol", FILTER_PROTOCOL},
		{"ttl", FILTER_TTL}, {"frag-off", FILTER_FRAG_OFF}, {"length", FILTER_LENGTH},
		{"id", FILTER_ID}, {"dscp", FILTER_DSCP}, {"ecn", FILTER_ECN},
		{"hdrlength", FILTER_HEADER}, {NULL},
	};
	uint32_t kind;

	if (!value_named(&(struct arg){.names = names}, s->token, &kind))
		return wrong(s, "one of saddr, daddr, protocol, ttl, frag-off, length, id, dscp, ecn, "
				"hdrlength");
	advance(s);
	return match(s, (enum filter_kind)kind);
}

static int match_transport(struct words *s, uint32_t protocol)
{
	int rc = protocol ? protocol_is(s, protocol) : 0;

	if (rc)
		return rc;
	if (next_is(s, "sport"))
		return match(s, FILTER_SPORT);
	if (next_is(s, "dport"))
		return match(s, FILTER_DPORT);
	if (protocol == IPPROTO_TCP && next_is(s, "flags"))
		return match_flags(s);
	return wrong(s, protocol == IPPROTO_TCP ? "one of sport, dport, flags"
						: "one of sport, dport");
}

static int match_icmp(struct words *s)
{
	int rc = protocol_is(s, IPPROTO_ICMP);

	if (rc)
		return rc;
	if (next_is(s, "type"))
		return match(s, FILTER_ICMP_TYPE);
	return next_is(s, "code") ? match(s, FILTER_ICMP_CODE) : wrong(s, "one of type, code");
}

static int link_name(struct words *s, char *names)
{
	size_t len = strlen(names), n = s->len;
	const char *p = s->token;

	if (n > 1 && p[0] == '"' && p[n - 1] == '"') {
		p++;
		n -= 2;
	}
	if (s->at >= s->n || !n || n >= LINK_NAME_SIZE || strpbrk(p, "{},&|()"))
		return wrong(s, "the name of a link");
	if (len + n + 2 > FILTER_TEXT_SIZE)
		return error_set(s->err, E2BIG, "these are too many names of links");
	snprintf(names + len, FILTER_TEXT_SIZE - len, "%s%.*s", len ? " " : "", (int)n, p);
	advance(s);
	return 0;
}

static int match_link(struct words *s, enum filter_kind kind)
{
	struct filter_term *t = term_new(s, kind);
	enum operation op;
	int rc;

	if (!t)
		return -E2BIG;
	if (operation(s, &op) && op >= LESS)
		return error_set(s->err, EINVAL, "%s can not be compared by <, >, <= or >=",
				 filter_fields[kind].words);
	t->not = op == NOT_EQUAL;
	if (!next_is(s, "{"))
		return link_name(s, t->text);
	do {
		rc = link_name(s, t->text);
	} while (!rc && next_is(s, ","));
	return rc || next_is(s, "}") ? rc : wrong(s, "\",\" or \"}\"");
}

static int match_fragment(struct words *s)
{
	struct filter_term *t = term_new(s, FILTER_FRAGMENT);

	if (!t)
		return -E2BIG;
	t->lo = t->hi = 1;
	return 0;
}

/* mark set N, or a match. */
static int mark(struct words *s)
{
	struct filter_term *t;

	if (!next_is(s, "set"))
		return match(s, FILTER_MARK);
	t = term_new(s, FILTER_MARK_SET);
	return t ? one_number(s, &filter_fields[FILTER_MARK], &t->lo) : -E2BIG;
}

static int meta(struct words *s)
{
	if (next_is(s, "iif") || next_is(s, "iifname"))
		return match_link(s, FILTER_IIF);
	if (next_is(s, "oif") || next_is(s, "oifname"))
		return match_link(s, FILTER_OIF);
	if (next_is(s, "l4proto"))
		return match(s, FILTER_PROTOCOL);
	if (next_is(s, "length"))
		return match(s, FILTER_LENGTH);
	if (next_is(s, "pkttype"))
		return match(s, FILTER_PKTTYPE);
	if (next_is(s, "mark"))
		return mark(s);
	return wrong(s, "one of iif, iifname, oif, oifname, l4proto, length, pkttype, mark");
}

/* ---- statements ---- */

static struct filter_term *once(struct words *s, enum filter_kind kind, const char *name)
{
	const struct filter_rule *r = &s->d->rule;

	for (unsigned int i = 0; i < r->n; i++) {
		if (r->term[i].kind != kind)
			continue;
		error_set(s->err, EINVAL, "\"%s\" can stand in a rule only once", name);
		return NULL;
	}
	return term_new(s, kind);
}

/* [packets N bytes N]: what it has counted elsewhere is not taken over. */
static int counter(struct words *s)
{
	static const char *const parts[] = {"packets", "bytes"};

	if (!once(s, FILTER_COUNTER, "counter"))
		return -EINVAL;
	for (unsigned int i = 0; i < 2 && next_is(s, parts[i]); i++) {
		if (s->token[strspn(s->token, "0123456789")] || !s->len)
			return wrong(s, "a number");
		advance(s);
	}
	return 0;
}

static int a_number(struct words *s, const char *what, uint32_t min, uint32_t *number)
{
	if (read_number(s->token, 0, number) && *number >= min && *number <= 1000000000) {
		advance(s);
		return 0;
	}
	return error_set(s->err, EINVAL, s->len ? "\"%s\" is not %s: a number from %u to 1000000000"
						: "%s%s is missing at the end",
			 s->token, what, min);
}

/* [bytes | kbytes | mbytes]: the number in bytes. */
static int byte_unit(struct words *s, struct filter_term *t, uint32_t *number)
{
	uint32_t unit;
	size_t len = strcspn(s->token, "/");
	char name[16];

	snprintf(name, sizeof(name), "%.*s", (int)RTE_MIN(len, sizeof(name) - 1), s->token);
	if (!value_named(&(struct arg){.names = filter_byte_units}, name, &unit))
		return 0;
	if ((uint64_t)*number * unit > UINT32_MAX)
		return error_set(s->err, EINVAL, "%u %s are more than can be counted", *number, name);
	*number *= unit;
	t->bytes = true;
	s->len = len;
	advance(s);
	return 0;
}

/* /second, which may stand close to what is before it. */
static int per_unit(struct words *s, struct filter_term *t)
{
	if (next_is(s, "/") && value_named(&(struct arg){.names = filter_units}, s->token, &t->unit_s)) {
		advance(s);
		return 0;
	}
	return wrong(s, "\"/second\", \"/minute\", \"/hour\", \"/day\" or \"/week\"");
}

/* rate [over] N[ bytes]/UNIT [burst N [packets|bytes]] */
static int limit(struct words *s)
{
	struct filter_term *t = once(s, FILTER_LIMIT, "limit");
	char *slash;
	int rc;

	if (!t)
		return -EINVAL;
	if (!next_is(s, "rate"))
		return wrong(s, "\"rate\"");
	t->over = next_is(s, "over");
	if (!t->over)
		(void)next_is(s, "until");
	slash = strchr(s->token, '/');
	if (slash && slash > s->token) {
		*slash = 0;
		s->len = (size_t)(slash - s->token);
	}
	rc = a_number(s, "a rate such as 10/second", 1, &t->lo);
	rc = rc ? rc : byte_unit(s, t, &t->lo);
	rc = rc ? rc : per_unit(s, t);
	if (rc)
		return rc;
	t->hi = t->bytes ? 0 : LIMIT_BURST;
	if (!next_is(s, "burst"))
		return 0;
	rc = a_number(s, "a burst", t->bytes ? 0 : 1, &t->hi);
	if (rc || !t->bytes) {
		if (!rc)
			(void)next_is(s, "packets");
		return rc;
	}
	return byte_unit(s, t, &t->hi);
}

static int log_statement(struct words *s)
{
	struct filter_term *t = once(s, FILTER_LOG, "log");

	if (!t)
		return -EINVAL;
	return next_is(s, "prefix") ? text(s, "a prefix", t->text, sizeof(t->text)) : 0;
}

/* The protocol must be asked for before the reset. */
static int reject(struct words *s)
{
	struct filter_rule *r = &s->d->rule;
	uint32_t code = 3;
	int rc;

	r->verdict = FILTER_REJECT;
	r->icmp_code = (uint8_t)code;
	if (!next_is(s, "with"))
		return 0;
	if (next_is(s, "tcp")) {
		if (!next_is(s, "reset"))
			return wrong(s, "\"reset\"");
		r->verdict = FILTER_RESET;
		return protocol_is(s, IPPROTO_TCP);
	}
	if (!next_is(s, "icmp"))
		return wrong(s, "one of icmp, tcp");
	(void)next_is(s, "type");
	if (!value_named(&(struct arg){.names = filter_icmp_codes}, s->token, &code))
		return wrong(s, "net-unreachable, host-unreachable, prot-unreachable, "
				"port-unreachable, net-prohibited, host-prohibited or "
				"admin-prohibited");
	rc = s->len ? 0 : -EINVAL;
	advance(s);
	r->icmp_code = (uint8_t)code;
	return rc;
}

static int one_term(struct words *s)
{
	static const struct arg_name verdicts[] = {
		{"accept", FILTER_ACCEPT}, {"drop", FILTER_DROP}, {"return", FILTER_RETURN}, {NULL},
	};
	uint32_t verdict, protocol;

	if (next_is(s, "ip"))
		return match_ip(s);
	if (value_named(&(struct arg){.names = transports}, s->token, &protocol)) {
		advance(s);
		return match_transport(s, protocol);
	}
	if (next_is(s, "th"))
		return match_transport(s, 0);
	if (next_is(s, "icmp"))
		return match_icmp(s);
	if (next_is(s, "meta"))
		return meta(s);
	if (next_is(s, "iif") || next_is(s, "iifname"))
		return match_link(s, FILTER_IIF);
	if (next_is(s, "oif") || next_is(s, "oifname"))
		return match_link(s, FILTER_OIF);
	if (next_is(s, "mark"))
		return mark(s);
	if (next_is(s, "fragment"))
		return match_fragment(s);
	if (next_is(s, "counter"))
		return counter(s);
	if (next_is(s, "limit"))
		return limit(s);
	if (next_is(s, "log"))
		return log_statement(s);
	if (next_is(s, "reject"))
		return reject(s);
	if (next_is(s, "continue"))
		return 0;
	if (value_named(&(struct arg){.names = verdicts}, s->token, &verdict)) {
		advance(s);
		s->d->rule.verdict = (enum filter_verdict)verdict;
		return 0;
	}
	if (is(s, "ct"))
		return error_set(s->err, EINVAL, "\"ct\": connections are not tracked here");
	return wrong(s, "a match, a statement or a verdict; try one of: ip, tcp, udp, icmp, th, "
			"meta, iif, oif, mark, fragment, limit, counter, log, accept, drop, reject");
}

int filter_parse(const char *const *word, int n, struct filter_draft *d, struct error *err)
{
	struct words s = {.word = word, .n = n, .d = d, .err = err};
	int rc = 0;

	d->rule = (struct filter_rule){.range = d->range};
	look(&s);
	if (!n)
		return error_set(err, EINVAL, "a rule is missing");
	while (!rc && s.at < s.n) {
		if (next_is(&s, "comment")) {
			rc = text(&s, "a comment", d->rule.comment, sizeof(d->rule.comment));
			if (!rc && s.at < s.n)
				return error_set(err, EINVAL, "\"%s\" stands behind the comment",
						 s.token);
			return rc;
		}
		if (d->rule.verdict != FILTER_CONTINUE)
			return error_set(err, EINVAL, "\"%s\" stands behind the verdict", s.token);
		rc = one_term(&s);
	}
	return rc;
}
