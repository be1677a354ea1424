/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter_words.h. */
#include "control/filter_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <netinet/in.h>

#include "control/filter_matches.h"
#include "control/filter_names.h"
#include "control/filter_terms.h"
#include "control/filter_tokens.h"
#include "control/filter_values.h"
#include "control/value.h"

#define LIMIT_BURST 5          /* packets, as in nft; of bytes none */
#define REJECT_CODE_MAX 254    /* as in nft */

static struct filter_term *once(struct tokens *s, enum filter_kind kind, const char *name)
{
	const struct filter_rule *r = &s->d->rule;

	for (unsigned int i = 0; i < r->n; i++) {
		if (r->term[i].kind != kind)
			continue;
		error_set(s->err, EINVAL, "\"%s\" can stand in a rule only once", name);
		return NULL;
	}
	return filter_term_new(s, kind);
}

/* [packets N] [bytes N]: what it has counted elsewhere. */
static int counter(struct tokens *s)
{
	struct filter_rule *r = &s->d->rule;

	if (!once(s, FILTER_COUNTER, "counter"))
		return -EINVAL;
	if (token_is(s, "name"))
		return error_set(s->err, EINVAL, "\"name\": counters belong to their rules here");
	for (unsigned int i = 0; i < 2 && (token_is(s, "packets") || token_is(s, "bytes")); i++) {
		uint64_t *to = token_is(s, "packets") ? &r->packets : &r->bytes;
		char *end;

		token_advance(s);
		*to = strtoull(s->token, &end, 0);
		if (!isdigit((unsigned char)s->token[0]) || *end || s->len > 18)
			return token_wrong(s, "a number");
		token_advance(s);
	}
	return 0;
}

static int a_number(struct tokens *s, const char *what, uint32_t min, uint32_t *number)
{
	if (filter_read_number(s->token, 0, number) && *number >= min) {
		token_advance(s);
		return 0;
	}
	return error_set(s->err, EINVAL, s->len ? "\"%s\" is not %s: a number from %u to 4294967295"
						: "%s%s is missing at the end",
			 s->token, what, min);
}

/* bytes, kbytes or mbytes: the number in bytes. 1: it is none of them. */
static int byte_unit(struct tokens *s, struct filter_term *t, uint32_t *number)
{
	uint32_t unit;
	size_t len = strcspn(s->token, "/");
	char name[16];

	snprintf(name, sizeof(name), "%.*s", (int)RTE_MIN(len, sizeof(name) - 1), s->token);
	if (!value_named(&(struct arg){.names = filter_byte_units}, name, &unit))
		return 1;
	if ((uint64_t)*number * unit > UINT32_MAX)
		return error_set(s->err, EINVAL, "%u %s are more than can be counted", *number,
				 name);
	*number *= unit;
	t->bytes = true;
	s->len = len;
	token_advance(s);
	return 0;
}

/* /second, which may stand close to what is before it. */
static int per_unit(struct tokens *s, struct filter_term *t)
{
	if (token_take(s, "/") &&
	    value_named(&(struct arg){.names = filter_units}, s->token, &t->unit_s)) {
		token_advance(s);
		return 0;
	}
	return token_wrong(s, "\"/second\", \"/minute\", \"/hour\", \"/day\" or \"/week\"");
}

/* N packets, or of a rate in bytes N bytes, kbytes or mbytes. */
static int burst(struct tokens *s, struct filter_term *t)
{
	int rc = a_number(s, "a burst", t->bytes ? 0 : 1, &t->hi);

	if (rc)
		return rc;
	if (!t->bytes)
		return token_take(s, "packets") ? 0 : token_wrong(s, "\"packets\", as in burst 5 "
								  "packets");
	rc = byte_unit(s, t, &t->hi);
	return rc > 0 ? token_wrong(s, "\"bytes\", \"kbytes\" or \"mbytes\", as in burst 5 kbytes")
		      : rc;
}

/* rate [over] N[ bytes]/UNIT [burst N packets|bytes] */
static int limit(struct tokens *s)
{
	struct filter_term *t = once(s, FILTER_LIMIT, "limit");
	char *slash;
	int rc;

	if (!t)
		return -EINVAL;
	if (!token_take(s, "rate"))
		return token_wrong(s, "\"rate\", as in limit rate 10/second");
	t->over = token_take(s, "over");
	slash = strchr(s->token, '/');
	if (slash && slash > s->token) {
		*slash = 0;
		s->len = (size_t)(slash - s->token);
	}
	rc = a_number(s, "a rate such as 10/second", 1, &t->lo);
	rc = rc ? rc : byte_unit(s, t, &t->lo);
	rc = rc < 0 ? rc : per_unit(s, t);
	if (rc)
		return rc;
	t->hi = t->bytes ? 0 : LIMIT_BURST;
	return token_take(s, "burst") ? burst(s, t) : 0;
}

static int log_statement(struct tokens *s)
{
	struct filter_term *t = once(s, FILTER_LOG, "log");
	int rc = 0;

	if (!t)
		return -EINVAL;
	t->lo = LOG_WARNING;
	while (!rc && s->at < s->n) {
		if (token_take(s, "prefix")) {
			rc = token_text(s, "a prefix", t->text, sizeof(t->text));
		} else if (token_take(s, "level")) {
			if (!value_named(&(struct arg){.names = filter_log_levels}, s->token,
					 &t->lo))
				return token_wrong(s, "a level: emerg, alert, crit, err, warn, "
						      "notice, info or debug");
			token_advance(s);
		} else if (token_is(s, "group") || token_is(s, "flags") || token_is(s, "snaplen") ||
			   token_is(s, "queue-threshold")) {
			return error_set(s->err, EINVAL, "log: \"%s\" is not to be had here; what "
					 "is logged is one line on stderr", s->token);
		} else {
			break;
		}
	}
	return rc;
}

/* The protocol is asked for before all else, as nft does it, so that nothing counts or limits what
 * can not be reset. */
static int tcp_first(struct tokens *s)
{
	struct filter_rule *r = &s->d->rule;
	struct filter_term protocol;
	unsigned int n = r->n;
	int rc = filter_protocol_is(s, IPPROTO_TCP);

	if (rc || r->n == n)
		return rc;
	protocol = r->term[n];
	memmove(&r->term[1], &r->term[0], n * sizeof(r->term[0]));
	r->term[0] = protocol;
	return 0;
}

static int reject(struct tokens *s)
{
	struct filter_rule *r = &s->d->rule;
	uint32_t code = 3;

	r->verdict = FILTER_REJECT;
	r->icmp_code = (uint8_t)code;
	if (!token_take(s, "with"))
		return 0;
	if (token_take(s, "tcp")) {
		if (!token_take(s, "reset"))
			return token_wrong(s, "\"reset\"");
		r->verdict = FILTER_RESET;
		return tcp_first(s);
	}
	if (!token_take(s, "icmp"))
		return token_wrong(s, "\"icmp\" or \"tcp\", as in reject with icmp "
				      "admin-prohibited");
	(void)token_take(s, "type");
	if (!value_named(&(struct arg){.names = filter_icmp_codes}, s->token, &code) &&
	    (!filter_read_number(s->token, 0, &code) || code > REJECT_CODE_MAX))
		return token_wrong(s, "net-unreachable, host-unreachable, prot-unreachable, "
				      "port-unreachable, frag-needed, net-prohibited, "
				      "host-prohibited, admin-prohibited or a code from 0 to 254");
	token_advance(s);
	r->icmp_code = (uint8_t)code;
	return 0;
}

/* What else nft knows, and why it is not to be had; 0: it is none of that. */
static int not_here(struct tokens *s)
{
	static const struct {
		const char *words[8], *why;
	} reasons[] = {
		{{"ct", "notrack"}, "connections are not tracked here"},
		{{"snat", "dnat", "masquerade", "redirect"}, "addresses are not translated here"},
		{{"jump", "goto"}, "there are no chains but those of the five points"},
		{{"queue", "dup", "fwd", "tproxy", "synproxy", "flow"}, "not to be had here"},
		{{"ip6", "icmpv6"}, "only IPv4 is filtered"},
		{{"ether", "vlan", "arp"}, "rules see a packet from its IP header on"},
		{{"quota", "fib", "rt", "socket", "numgen", "jhash", "symhash"},
		 "not to be had here"},
	};

	for (unsigned int i = 0; i < RTE_DIM(reasons); i++)
		for (unsigned int k = 0; k < 8 && reasons[i].words[k]; k++)
			if (token_is(s, reasons[i].words[k]))
				return error_set(s->err, EINVAL, "\"%s\": %s", s->token,
						 reasons[i].why);
	return 0;
}

static int one_term(struct tokens *s)
{
	static const struct arg_name verdicts[] = {
		{"accept", FILTER_ACCEPT}, {"drop", FILTER_DROP}, {"return", FILTER_RETURN}, {NULL},
	};
	uint32_t verdict;
	int rc = filter_read_match(s);

	if (rc <= 0)
		return rc;
	if (token_take(s, "counter"))
		return counter(s);
	if (token_take(s, "limit"))
		return limit(s);
	if (token_take(s, "log"))
		return log_statement(s);
	if (token_take(s, "reject"))
		return reject(s);
	if (token_take(s, "continue"))
		return 0;
	if (value_named(&(struct arg){.names = verdicts}, s->token, &verdict)) {
		token_advance(s);
		s->d->rule.verdict = (enum filter_verdict)verdict;
		return 0;
	}
	rc = not_here(s);
	if (!rc && isdigit((unsigned char)s->token[0]))
		return error_set(s->err, EINVAL, "\"%s\" stands where the value before has ended; "
				 "several values stand in braces, which a shell wants quoted: "
				 "'{ A, B }'", s->token);
	return rc ? rc
		  : token_wrong(s, "a match, a statement or a verdict; try one of: ip, tcp, udp, "
				   "icmp, sctp, dccp, udplite, igmp, esp, ah, comp, th, meta, "
				   "iif, iifname, oif, oifname, mark, pkttype, fragment, limit, "
				   "counter, log, accept, drop, reject, return, continue");
}

int filter_parse(const char *const *word, int n, struct filter_draft *d, struct error *err)
{
	struct tokens s;
	bool begun = false;
	int rc = 0;

	d->rule = (struct filter_rule){.range = d->range};
	tokens_begin(&s, word, n, d, err);
	while (!rc && s.at < s.n) {
		if (begun && token_take(&s, "comment")) {
			rc = token_text(&s, "a comment", d->rule.comment, sizeof(d->rule.comment));
			if (!rc && s.at < s.n)
				return error_set(err, EINVAL, "\"%s\" stands behind the comment",
						 s.token);
			return rc;
		}
		if (d->rule.verdict != FILTER_CONTINUE)
			return error_set(err, EINVAL, "\"%s\" stands behind the verdict", s.token);
		rc = one_term(&s);
		begun = true;
	}
	if (!rc && !begun)
		rc = error_set(err, EINVAL, "a rule is missing");
	return rc;
}
