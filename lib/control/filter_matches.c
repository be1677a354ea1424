/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter_matches.h. */
#include "control/filter_matches.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include "control/filter_names.h"
#include "control/filter_values.h"
#include "control/value.h"
#include "link/link.h"

struct filter_term *filter_term_new(struct tokens *s, enum filter_kind kind)
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

enum operation { EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

static const struct {
	const char *words[2];
	enum operation op;
} operations[] = {
	{{"!=", "ne"}, NOT_EQUAL}, {{"==", "eq"}, EQUAL}, {{"<=", "le"}, LESS_EQUAL},
	{{">=", "ge"}, GREATER_EQUAL}, {{"<", "lt"}, LESS}, {{">", "gt"}, GREATER},
};

static bool operation(struct tokens *s, enum operation *op)
{
	for (unsigned int i = 0; i < RTE_DIM(operations); i++)
		for (unsigned int k = 0; k < 2; k++)
			if (token_take(s, operations[i].words[k])) {
				*op = operations[i].op;
				return true;
			}
	*op = EQUAL;
	return false;
}

/* < N and its like: the range that this is. */
static int compared(struct tokens *s, struct filter_term *t, enum operation op)
{
	const struct filter_field *f = &filter_fields[t->kind];
	struct filter_range r;
	int rc = filter_read_range(s, t->kind, &r);

	if (rc)
		return rc;
	if (r.lo != r.hi)
		return error_set(s->err, EINVAL,
				 "%s: a range can not be compared by <, >, <= or >=", f->words);
	if ((op == LESS && !r.lo) || (op == GREATER && r.lo == f->max))
		return error_set(s->err, EINVAL, "no value of %s is %s %u", f->words,
				 op == LESS ? "<" : ">", r.lo);
	t->lo = op == LESS || op == LESS_EQUAL ? 0 : r.lo + (op == GREATER);
	t->hi = op == LESS || op == LESS_EQUAL ? r.lo - (op == LESS) : f->max;
	return 0;
}

/* What follows a field: [== | != | < | > | <= | >=] VALUE, RANGE or { ... } */
static int right_side(struct tokens *s, struct filter_term *t)
{
	struct filter_range r;
	enum operation op;
	int rc;

	operation(s, &op);
	if (op >= LESS)
		return compared(s, t, op);
	t->not = op == NOT_EQUAL;
	if (token_take(s, "{"))
		return filter_read_set(s, t);
	rc = filter_read_range(s, t->kind, &r);
	if (rc)
		return rc;
	if (token_is(s, ","))
		return error_set(s->err, EINVAL, "several values of %s stand in braces: "
				 "{ A, B }", filter_fields[t->kind].words);
	t->lo = r.lo;
	t->hi = r.hi;
	return 0;
}

/* Flags with | or commas between them, in parentheses or not. */
static int flags(struct tokens *s, uint32_t *bits)
{
	bool open = token_take(s, "(");
	uint32_t bit;

	*bits = 0;
	do {
		int rc = filter_read_value(s, &filter_fields[FILTER_TCP_FLAGS], &bit);

		if (rc)
			return rc;
		*bits |= bit;
	} while (token_take(s, "|") || token_take(s, ","));
	return !open || token_take(s, ")") ? 0 : token_wrong(s, "\"|\" or \")\"");
}

/* tcp flags A,B: any of them; & MASK == VALUE; VALUE / MASK; == VALUE: these and no others. */
static int match_flags(struct tokens *s)
{
	struct filter_term *t = filter_term_new(s, FILTER_TCP_FLAGS);
	enum operation op = EQUAL;
	bool given;
	int rc;

	if (!t)
		return -E2BIG;
	if (token_take(s, "&")) {
		rc = flags(s, &t->mask);
		given = !rc && operation(s, &op);
		if (!rc && (!given || op >= LESS))
			rc = token_wrong(s, "\"==\" or \"!=\"");
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
	if (rc || token_take(s, "/")) {
		rc = rc ? rc : flags(s, &t->mask);
	} else if (!given) {            /* any of them is there */
		t->mask = t->lo;
		t->lo = t->hi = 0;
		t->not = true;
	}
	return rc;
}

/* A mask may stand before what is compared. */
static int match(struct tokens *s, enum filter_kind kind)
{
	struct filter_term *t = filter_term_new(s, kind);
	struct filter_range mask;
	int rc;

	if (!t)
		return -E2BIG;
	if (token_take(s, "&")) {
		rc = filter_read_range(s, kind, &mask);
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

int filter_protocol_is(struct tokens *s, uint32_t protocol)
{
	const struct filter_rule *r = &s->d->rule;
	struct filter_term *t;

	for (unsigned int i = 0; i < r->n; i++) {
		const struct filter_term *p = &r->term[i];

		if (p->kind != FILTER_PROTOCOL || p->not || p->n_set || p->mask || p->lo != p->hi)
			continue;
		return p->lo == protocol ? 0 : error_set(
			s->err, EINVAL, "conflicting protocols: the rule is for %s already and can "
			"not be for %s", protocol_name(p->lo),
			value_name(filter_protocols, protocol));
	}
	t = filter_term_new(s, FILTER_PROTOCOL);
	if (!t)
		return -E2BIG;
	t->lo = t->hi = protocol;
	return 0;
}

static int match_ip(struct tokens *s)
{
	static const struct arg_name names[] = {
		{"saddr", FILTER_SADDR}, {"daddr", FILTER_DADDR}, {"protocol", FILTER_PROTOCOL},
		{"ttl", FILTER_TTL}, {"frag-off", FILTER_FRAG_OFF}, {"length", FILTER_LENGTH},
		{"id", FILTER_ID}, {"dscp", FILTER_DSCP}, {"ecn", FILTER_ECN},
		{"hdrlength", FILTER_HEADER}, {NULL},
	};
	uint32_t kind;

	if (!value_named(&(struct arg){.names = names}, s->token, &kind))
		return token_wrong(s, "one of saddr, daddr, protocol, ttl, frag-off, length, id, "
				      "dscp, ecn, hdrlength");
	token_advance(s);
	return match(s, (enum filter_kind)kind);
}

static int match_transport(struct tokens *s, uint32_t protocol)
{
	int rc = protocol ? filter_protocol_is(s, protocol) : 0;

	if (rc)
		return rc;
	if (token_take(s, "sport"))
		return match(s, FILTER_SPORT);
	if (token_take(s, "dport"))
		return match(s, FILTER_DPORT);
	if (protocol == IPPROTO_TCP && token_take(s, "flags"))
		return match_flags(s);
	return token_wrong(s, protocol == IPPROTO_TCP ? "one of sport, dport, flags"
						      : "one of sport, dport");
}

static int match_icmp(struct tokens *s)
{
	int rc = filter_protocol_is(s, IPPROTO_ICMP);

	if (rc)
		return rc;
	if (token_take(s, "type"))
		return match(s, FILTER_ICMP_TYPE);
	if (token_take(s, "code"))
		return match(s, FILTER_ICMP_CODE);
	return token_wrong(s, "one of type, code");
}

static int link_name(struct tokens *s, char *names)
{
	size_t len = strlen(names), n = s->len;
	const char *p = s->token;

	if (n > 1 && p[0] == '"' && p[n - 1] == '"') {
		p++;
		n -= 2;
	}
	if (s->at >= s->n || !n || n >= LINK_NAME_SIZE || strpbrk(p, "{},&|()"))
		return token_wrong(s, "the name of a link");
	if (len + n + 2 > FILTER_TEXT_SIZE)
		return error_set(s->err, E2BIG, "these are too many names of links");
	snprintf(names + len, FILTER_TEXT_SIZE - len, "%s%.*s", len ? " " : "", (int)n, p);
	token_advance(s);
	return 0;
}

static int match_link(struct tokens *s, enum filter_kind kind)
{
	struct filter_term *t = filter_term_new(s, kind);
	enum operation op;
	int rc;

	if (!t)
		return -E2BIG;
	if (operation(s, &op) && op >= LESS)
		return error_set(s->err, EINVAL, "%s can not be compared by <, >, <= or >=",
				 filter_fields[kind].words);
	t->not = op == NOT_EQUAL;
	if (!token_take(s, "{"))
		return link_name(s, t->text);
	do {
		rc = link_name(s, t->text);
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

/* mark set N, or a match. */
static int mark(struct tokens *s)
{
	struct filter_term *t;

	if (!token_take(s, "set"))
		return match(s, FILTER_MARK);
	t = filter_term_new(s, FILTER_MARK_SET);
	return t ? filter_read_value(s, &filter_fields[FILTER_MARK], &t->lo) : -E2BIG;
}

static int meta(struct tokens *s)
{
	if (token_take(s, "iif") || token_take(s, "iifname"))
		return match_link(s, FILTER_IIF);
	if (token_take(s, "oif") || token_take(s, "oifname"))
		return match_link(s, FILTER_OIF);
	if (token_take(s, "l4proto"))
		return match(s, FILTER_PROTOCOL);
	if (token_take(s, "length"))
		return match(s, FILTER_LENGTH);
	if (token_take(s, "pkttype"))
		return match(s, FILTER_PKTTYPE);
	if (token_take(s, "mark"))
		return mark(s);
	return token_wrong(s, "one of iif, iifname, oif, oifname, l4proto, length, pkttype, mark");
}

int filter_read_match(struct tokens *s)
{
	uint32_t protocol;

	if (token_take(s, "ip"))
		return match_ip(s);
	if (value_named(&(struct arg){.names = filter_transports}, s->token, &protocol)) {
		token_advance(s);
		return match_transport(s, protocol);
	}
	if (token_take(s, "th"))
		return match_transport(s, 0);
	if (token_take(s, "icmp"))
		return match_icmp(s);
	if (token_take(s, "meta"))
		return meta(s);
	if (token_take(s, "iif") || token_take(s, "iifname"))
		return match_link(s, FILTER_IIF);
	if (token_take(s, "oif") || token_take(s, "oifname"))
		return match_link(s, FILTER_OIF);
	if (token_take(s, "mark"))
		return mark(s);
	if (token_take(s, "fragment"))
		return match_fragment(s);
	return 1;
}
