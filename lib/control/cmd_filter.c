/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * filter add|del|flush|policy|show: rules in nft(8)'s words. The words of a rule stand in the order
 * in which they are to be taken, as in nft, so they are understood here and not by the table of
 * arguments. filter_show_rule() writes them back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include "control/commands.h"
#include "control/show_filter.h"
#include "control/value.h"
#include "ipv4/filter.h"
#include "link/link.h"

static const struct arg_name points[] = {
	{"prerouting", HOOK_PREROUTING}, {"input", HOOK_INPUT}, {"forward", HOOK_FORWARD},
	{"output", HOOK_OUTPUT}, {"postrouting", HOOK_POSTROUTING}, {NULL},
};

static const struct arg_name policies[] = {{"accept", 1}, {"drop", 0}, {NULL}};

static const struct arg_name protocols[] = {
	{"icmp", IPPROTO_ICMP}, {"igmp", IPPROTO_IGMP}, {"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP}, {"dccp", IPPROTO_DCCP}, {"gre", IPPROTO_GRE}, {"esp", IPPROTO_ESP},
	{"ah", IPPROTO_AH}, {"sctp", IPPROTO_SCTP}, {"udplite", IPPROTO_UDPLITE}, {NULL},
};

static const struct arg_name icmp_types[] = {
	{"echo-reply", 0}, {"destination-unreachable", 3}, {"source-quench", 4},
	{"redirect", 5}, {"echo-request", 8}, {"router-advertisement", 9},
	{"router-solicitation", 10}, {"time-exceeded", 11}, {"parameter-problem", 12},
	{"timestamp-request", 13}, {"timestamp-reply", 14}, {"info-request", 15},
	{"info-reply", 16}, {"address-mask-request", 17}, {"address-mask-reply", 18}, {NULL},
};

static const struct arg_name icmp_codes[] = {
	{"net-unreachable", 0}, {"host-unreachable", 1}, {"prot-unreachable", 2},
	{"port-unreachable", 3}, {"net-prohibited", 9}, {"host-prohibited", 10},
	{"admin-prohibited", 13}, {NULL},
};

static const struct arg_name units[] = {
	{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}, {"week", 604800}, {NULL},
};

#define LIMIT_BURST 5          /* packets, as in nft */

/* ---- words ---- */

struct words {
	const char *const *word;
	int n, at;
	struct filter_rule *rule;
	struct error *err;
};

static const char *peek(const struct words *s)
{
	return s->at < s->n ? s->word[s->at] : "";
}

static bool next_is(struct words *s, const char *word)
{
	if (strcmp(peek(s), word) != 0)
		return false;
	s->at++;
	return true;
}

/* What stands here is not what should. */
static int wrong(struct words *s, const char *expected)
{
	if (s->at >= s->n)
		return error_set(s->err, EINVAL, "%s is missing at the end", expected);
	return error_set(s->err, EINVAL, "\"%s\" is not %s", peek(s), expected);
}

/* NULL: there is no room for it. */
static struct filter_term *term_new(struct words *s, enum filter_kind kind)
{
	struct filter_rule *r = s->rule;
	struct filter_term *t = &r->term[r->n];

	if (r->n == FILTER_TERMS_MAX) {
		error_set(s->err, E2BIG, "a rule has at most %d terms", FILTER_TERMS_MAX);
		return NULL;
	}
	r->n++;
	*t = (struct filter_term){.kind = kind};
	return t;
}

/* A value, by its type. */
static int value(struct words *s, const struct arg *a, struct value *v)
{
	if (s->at >= s->n)
		return wrong(s, a->name);
	return value_parse(a, s->word[s->at++], v, s->err);
}

/* ---- matches ---- */

/* != or nothing (or ==) before a value. */
static bool negated(struct words *s)
{
	if (next_is(s, "!=") || next_is(s, "ne"))
		return true;
	if (!next_is(s, "=="))
		(void)next_is(s, "eq");
	return false;
}

/* A term with a value. */
static int term_value(struct words *s, enum filter_kind kind, const struct arg *a,
		      struct filter_term **t, struct value *v)
{
	*t = term_new(s, kind);
	if (!*t)
		return -EINVAL;
	(*t)->not = negated(s);
	return value(s, a, v);
}

static int match_address(struct words *s, enum filter_kind kind)
{
	const struct arg prefix = {.name = "PREFIX", .type = ARG_PREFIX};
	struct filter_term *t;
	struct value v;
	int rc = term_value(s, kind, &prefix, &t, &v);

	if (rc)
		return rc;
	t->lo = v.prefix;
	t->hi = v.prefix | (v.len ? (uint32_t)((1ULL << (32 - v.len)) - 1) : UINT32_MAX);
	return 0;
}

static int match_number(struct words *s, enum filter_kind kind, const struct arg *a)
{
	struct filter_term *t;
	struct value v;
	int rc = term_value(s, kind, a, &t, &v);

	if (!rc)
		t->lo = t->hi = v.number;
	return rc;
}

/* A or A-B. */
static int match_port(struct words *s, enum filter_kind kind)
{
	const struct arg port = {.name = "PORT", .type = ARG_NUMBER, .max = UINT16_MAX};
	struct value from, to;
	struct filter_term *t = term_new(s, kind);
	char first[16];
	const char *dash;
	int rc;

	if (!t)
		return -EINVAL;
	t->not = negated(s);
	dash = strchr(peek(s), '-');
	if (s->at >= s->n || !dash || dash - peek(s) >= (int)sizeof(first)) {
		rc = value(s, &port, &from);
		t->lo = t->hi = from.number;
		return rc;
	}
	snprintf(first, sizeof(first), "%.*s", (int)(dash - peek(s)), peek(s));
	rc = value_parse(&port, first, &from, s->err);
	if (!rc)
		rc = value_parse(&port, dash + 1, &to, s->err);
	if (rc)
		return rc;
	if (from.number > to.number)
		return error_set(s->err, EINVAL, "\"%s\" is no range", peek(s));
	t->lo = from.number;
	t->hi = to.number;
	s->at++;
	return 0;
}

/* As nft does, ports and ICMP types are only looked for in packets of their protocol. */
static int protocol_is(struct words *s, uint32_t protocol)
{
	const struct filter_rule *r = s->rule;
	struct filter_term *t;

	for (unsigned int i = 0; i < r->n; i++)
		if (r->term[i].kind == FILTER_PROTOCOL && !r->term[i].not &&
		    r->term[i].lo == protocol && r->term[i].hi == protocol)
			return 0;
	t = term_new(s, FILTER_PROTOCOL);
	if (!t)
		return -EINVAL;
	t->lo = t->hi = protocol;
	return 0;
}

static int match_ttl(struct words *s)
{
	const struct arg ttl = {.name = "TTL", .type = ARG_NUMBER, .max = UINT8_MAX};
	static const struct {
		const char *words[2];
		bool above, equal;
	} ops[] = {
		{{"<=", "le"}, false, true}, {{">=", "ge"}, true, true},
		{{"<", "lt"}, false, false}, {{">", "gt"}, true, false},
	};
	struct filter_term *t;
	uint32_t number;
	int rc;

	for (unsigned int i = 0; i < RTE_DIM(ops); i++) {
		if (!next_is(s, ops[i].words[0]) && !next_is(s, ops[i].words[1]))
			continue;
		rc = match_number(s, FILTER_TTL, &ttl);
		if (rc)
			return rc;
		t = &s->rule->term[s->rule->n - 1];
		number = t->lo;
		t->lo = ops[i].above ? number + !ops[i].equal : 0;
		t->hi = ops[i].above ? UINT8_MAX : number - !ops[i].equal;
		if (t->lo > UINT8_MAX || t->hi > UINT8_MAX)
			return error_set(s->err, EINVAL, "no TTL is %s %u", ops[i].words[0],
					 number);
		return 0;
	}
	return match_number(s, FILTER_TTL, &ttl);
}

static int match_ip(struct words *s)
{
	const struct arg protocol = {.name = "PROTOCOL", .type = ARG_NUMBER, .max = UINT8_MAX,
				     .names = protocols};

	if (next_is(s, "saddr"))
		return match_address(s, FILTER_SADDR);
	if (next_is(s, "daddr"))
		return match_address(s, FILTER_DADDR);
	if (next_is(s, "protocol"))
		return match_number(s, FILTER_PROTOCOL, &protocol);
	if (next_is(s, "ttl"))
		return match_ttl(s);
	return wrong(s, "one of saddr, daddr, protocol, ttl");
}

static int match_transport(struct words *s, uint32_t protocol)
{
	int rc = protocol_is(s, protocol);

	if (rc)
		return rc;
	if (next_is(s, "sport"))
		return match_port(s, FILTER_SPORT);
	if (next_is(s, "dport"))
		return match_port(s, FILTER_DPORT);
	return wrong(s, "one of sport, dport");
}

static int match_icmp(struct words *s)
{
	const struct arg type = {.name = "TYPE", .type = ARG_NUMBER, .max = UINT8_MAX,
				 .names = icmp_types};
	int rc = protocol_is(s, IPPROTO_ICMP);

	if (rc)
		return rc;
	return next_is(s, "type") ? match_number(s, FILTER_ICMP_TYPE, &type) : wrong(s, "\"type\"");
}

static int match_link(struct words *s, enum filter_kind kind)
{
	struct filter_term *t = term_new(s, kind);

	if (!t)
		return -EINVAL;
	t->not = negated(s);
	if (s->at >= s->n || strlen(peek(s)) >= LINK_NAME_SIZE)
		return wrong(s, "the name of a link");
	snprintf(t->text, sizeof(t->text), "%s", peek(s));
	s->at++;
	return 0;
}

static int match_fragment(struct words *s)
{
	struct filter_term *t = term_new(s, FILTER_FRAGMENT);

	if (!t)
		return -EINVAL;
	t->lo = t->hi = 1;
	return 0;
}

/* ---- statements ---- */

static struct filter_term *once(struct words *s, enum filter_kind kind)
{
	for (unsigned int i = 0; i < s->rule->n; i++) {
		if (s->rule->term[i].kind != kind)
			continue;
		error_set(s->err, EINVAL, "\"%s\" can stand in a rule only once",
			  s->word[s->at - 1]);
		return NULL;
	}
	return term_new(s, kind);
}

/* rate N/UNIT [burst N [packets]] */
static int limit(struct words *s)
{
	const struct arg count = {.name = "N", .type = ARG_NUMBER, .min = 1, .max = 1000000000};
	struct value rate, burst = {.number = LIMIT_BURST};
	struct filter_term *t = once(s, FILTER_LIMIT);
	const char *slash;
	char number[16];
	int rc;

	if (!t)
		return -EINVAL;
	if (!next_is(s, "rate"))
		return wrong(s, "\"rate\"");
	slash = strchr(peek(s), '/');
	if (!slash || slash - peek(s) >= (int)sizeof(number) ||
	    !value_named(&(struct arg){.names = units}, slash + 1, &t->unit_s))
		return wrong(s, "a rate such as 10/second");
	snprintf(number, sizeof(number), "%.*s", (int)(slash - peek(s)), peek(s));
	rc = value_parse(&count, number, &rate, s->err);
	if (rc)
		return rc;
	s->at++;
	if (next_is(s, "burst")) {
		rc = value(s, &count, &burst);
		if (rc)
			return rc;
		(void)next_is(s, "packets");
	}
	t->lo = rate.number;
	t->hi = burst.number;
	return 0;
}

static int log_statement(struct words *s)
{
	struct filter_term *t = once(s, FILTER_LOG);

	if (!t)
		return -EINVAL;
	if (!next_is(s, "prefix"))
		return 0;
	if (s->at >= s->n || strlen(peek(s)) >= sizeof(t->text))
		return wrong(s, "a prefix of at most 63 characters");
	snprintf(t->text, sizeof(t->text), "%s", peek(s));
	s->at++;
	return 0;
}

static int reject(struct words *s)
{
	const struct arg code = {.name = "TYPE", .type = ARG_NAMED, .names = icmp_codes};
	struct filter_rule *r = s->rule;
	struct value v;
	int rc;

	r->verdict = FILTER_REJECT;
	r->icmp_code = 3;
	if (!next_is(s, "with"))
		return 0;
	if (next_is(s, "tcp")) {
		if (!next_is(s, "reset"))
			return wrong(s, "\"reset\"");
		r->verdict = FILTER_RESET;
		s->at -= 2;
		rc = protocol_is(s, IPPROTO_TCP);
		s->at += 2;
		return rc;
	}
	if (!next_is(s, "icmp"))
		return wrong(s, "one of icmp, tcp");
	(void)next_is(s, "type");
	rc = value(s, &code, &v);
	if (!rc)
		r->icmp_code = (uint8_t)v.number;
	return rc;
}

static int one_term(struct words *s)
{
	if (next_is(s, "ip"))
		return match_ip(s);
	if (next_is(s, "tcp"))
		return match_transport(s, IPPROTO_TCP);
	if (next_is(s, "udp"))
		return match_transport(s, IPPROTO_UDP);
	if (next_is(s, "icmp"))
		return match_icmp(s);
	if (next_is(s, "iif") || next_is(s, "iifname"))
		return match_link(s, FILTER_IIF);
	if (next_is(s, "oif") || next_is(s, "oifname"))
		return match_link(s, FILTER_OIF);
	if (next_is(s, "fragment"))
		return match_fragment(s);
	if (next_is(s, "counter"))
		return once(s, FILTER_COUNTER) ? 0 : -EINVAL;
	if (next_is(s, "limit"))
		return limit(s);
	if (next_is(s, "log"))
		return log_statement(s);
	if (next_is(s, "reject"))
		return reject(s);
	if (next_is(s, "accept")) {
		s->rule->verdict = FILTER_ACCEPT;
		return 0;
	}
	if (next_is(s, "drop")) {
		s->rule->verdict = FILTER_DROP;
		return 0;
	}
	return wrong(s, "a match, a statement or a verdict; try one of: ip, tcp, udp, icmp, iif, "
			"oif, fragment, limit, counter, log, accept, drop, reject");
}

static int rule_parse(const struct value *v, struct filter_rule *r, struct error *err)
{
	struct words s = {.word = v->words, .n = v->n_words, .rule = r, .err = err};
	int rc = 0;

	if (!s.n)
		return error_set(err, EINVAL, "a rule is missing");
	while (!rc && s.at < s.n) {
		if (r->verdict != FILTER_CONTINUE)
			return error_set(err, EINVAL, "\"%s\" stands behind the verdict", peek(&s));
		rc = one_term(&s);
	}
	return rc;
}

/* ---- commands ---- */

enum { RULE_POINT, RULE_WORDS, RULE_HANDLE = RULE_WORDS, RULE_POLICY = RULE_WORDS };

#define POINT_ARG .type = ARG_NAMED, .names = points

static const struct arg add_args[] = {
	[RULE_POINT] = {POINT_ARG, .required = true, .help = "where"},
	[RULE_WORDS] = {.name = "RULE", .type = ARG_REST,
			.help = "nft's words, taken in order: ip saddr|daddr [!=] PREFIX, "
				"ip protocol [!=] N, ip ttl [<|>|<=|>=|!=] N, "
				"tcp|udp sport|dport [!=] PORT[-PORT], icmp type [!=] TYPE, "
				"iif|oif [!=] NAME, fragment, limit rate N/UNIT [burst N], counter, "
				"log [prefix TEXT]; at the end accept, drop, or "
				"reject [with icmp TYPE | with tcp reset]"},
};

static const struct arg del_args[] = {
	[RULE_POINT] = {POINT_ARG, .required = true, .help = "where"},
	[RULE_HANDLE] = {.word = "handle", .name = "N", .type = ARG_NUMBER, .min = 1,
			 .max = UINT32_MAX, .required = true,
			 .help = "the rule's number, as filter show prints it"},
};

static const struct arg policy_args[] = {
	[RULE_POINT] = {POINT_ARG, .required = true, .help = "where"},
	[RULE_POLICY] = {.type = ARG_NAMED, .names = policies,
			 .required = true, .help = "what happens to packets that no rule decides"},
};

static const struct arg point_args[] = {
	{POINT_ARG, .help = "there only"},
};

static int run_add(const struct value *v, struct output *o, struct error *err)
{
	struct filter_rule rule = {0};
	int rc = rule_parse(&v[RULE_WORDS], &rule, err);

	return rc ? rc : filter_add(v[RULE_POINT].number, &rule, err);
}

static int run_del(const struct value *v, struct output *o, struct error *err)
{
	return filter_del(v[RULE_POINT].number, v[RULE_HANDLE].number, err);
}

static int run_flush(const struct value *v, struct output *o, struct error *err)
{
	int rc = 0;

	for (unsigned int point = 0; point < HOOK_POINTS && !rc; point++)
		if (!v[0].given || v[0].number == point)
			rc = filter_flush(point, err);
	return rc;
}

static int run_policy(const struct value *v, struct output *o, struct error *err)
{
	return filter_policy_set(v[RULE_POINT].number, v[RULE_POLICY].number, err);
}

/* ---- writing ---- */

static void show_protocol(struct output *o, uint32_t protocol)
{
	const char *name = value_name(protocols, protocol);

	if (name)
		out_text(o, name);
	else
		out_printf(o, "%u", protocol);
}

static void show_range(struct output *o, const struct filter_term *t)
{
	out_printf(o, t->lo == t->hi ? "%u" : "%u-%u", t->lo, t->hi);
}

static void show_ttl(struct output *o, const struct filter_term *t)
{
	if (t->lo == t->hi)
		out_printf(o, "%u", t->lo);
	else
		out_printf(o, t->lo ? ">= %u" : "<= %u", t->lo ? t->lo : t->hi);
}

static void show_named_number(struct output *o, const struct arg_name *names, uint32_t number)
{
	const char *name = value_name(names, number);

	if (name)
		out_text(o, name);
	else
		out_printf(o, "%u", number);
}

static void show_match(struct output *o, const struct filter_rule *r, const struct filter_term *t)
{
	static const char *const before[FILTER_FIELDS] = {
		"ip saddr ", "ip daddr ", "iif ", "oif ", "ip protocol ", " sport ", " dport ",
		"icmp type ", "fragment", "ip ttl ",
	};

	if (t->kind == FILTER_SPORT || t->kind == FILTER_DPORT)
		for (unsigned int i = 0; i < r->n; i++)
			if (r->term[i].kind == FILTER_PROTOCOL && !r->term[i].not) {
				show_protocol(o, r->term[i].lo);
				break;
			}
	out_text(o, before[t->kind]);
	if (t->not)
		out_text(o, "!= ");
	switch (t->kind) {
	case FILTER_SADDR:
	case FILTER_DADDR:
		out_prefix(o, NULL, "", t->lo,
			   32 - (unsigned int)__builtin_popcount(t->hi - t->lo));
		break;
	case FILTER_IIF:
	case FILTER_OIF:
		show_word(o, t->text);
		break;
	case FILTER_PROTOCOL:
		show_protocol(o, t->lo);
		break;
	case FILTER_ICMP_TYPE:
		show_named_number(o, icmp_types, t->lo);
		break;
	case FILTER_TTL:
		show_ttl(o, t);
		break;
	case FILTER_FRAGMENT:
		break;
	default:
		show_range(o, t);
	}
}

static void show_term(struct output *o, const struct filter_rule *r, const struct filter_term *t,
		      const struct filter_info *counted)
{
	switch (t->kind) {
	case FILTER_LIMIT:
		out_printf(o, "limit rate %u/%s burst %u packets", t->lo,
			   value_name(units, t->unit_s), t->hi);
		break;
	case FILTER_COUNTER:
		out_text(o, "counter");
		if (counted)
			out_printf(o, " packets %ju bytes %ju", (uintmax_t)counted->packets,
				   (uintmax_t)counted->bytes);
		break;
	case FILTER_LOG:
		out_text(o, t->text[0] ? "log prefix " : "log");
		if (t->text[0])
			show_word(o, t->text);
		break;
	default:
		show_match(o, r, t);
	}
}

static void show_verdict(struct output *o, const struct filter_rule *r)
{
	static const char *const names[] = {"", "accept", "drop", "reject", "reject with tcp reset"};

	out_text(o, names[r->verdict]);
	if (r->verdict == FILTER_REJECT)
		out_printf(o, " with icmp %s", value_name(icmp_codes, r->icmp_code));
}

void filter_show_rule(const struct filter_rule *r, const struct filter_info *counted,
		      struct output *o)
{
	for (unsigned int i = 0; i < r->n; i++) {
		if (i)
			out_text(o, " ");
		show_term(o, r, &r->term[i], counted);
	}
	if (r->n && r->verdict != FILTER_CONTINUE)
		out_text(o, " ");
	show_verdict(o, r);
}

struct show {
	struct output *o;
	struct output words;
	enum hook_point point;
};

static bool counts(const struct filter_rule *r)
{
	for (unsigned int i = 0; i < r->n; i++)
		if (r->term[i].kind == FILTER_COUNTER)
			return true;
	return false;
}

static int show_rule(const struct filter_info *info, void *arg)
{
	struct show *s = arg;
	struct output *o = s->o;
	const char *words;

	s->words.len = 0;
	filter_show_rule(info->rule, o->json ? NULL : info, &s->words);
	words = out_finish(&s->words);
	out_object(o, NULL);
	out_string(o, "rule", "    ", words ? words : "");
	out_number(o, "handle", " # handle ", info->handle);
	if (o->json && counts(info->rule)) {
		out_number(o, "packets", NULL, info->packets);
		out_number(o, "bytes", NULL, info->bytes);
	}
	out_text(o, "\n");
	out_object_end(o);
	return o->full;
}

static void show_point(struct show *s)
{
	struct output *o = s->o;

	out_object(o, NULL);
	out_string(o, "hook", "", hook_point_name(s->point));
	out_string(o, "policy", " policy ", filter_policy(s->point) ? "accept" : "drop");
	out_text(o, "\n");
	out_array(o, "rules");
	filter_foreach(s->point, show_rule, s);
	out_array_end(o);
	out_object_end(o);
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	struct show s = {.o = o};

	out_array(o, NULL);
	for (s.point = 0; s.point < HOOK_POINTS; s.point++)
		if (!v[0].given || v[0].number == s.point)
			show_point(&s);
	out_array_end(o);
	out_free(&s.words);
	return 0;
}

static const struct command commands[] = {
	{"add", "Append a rule.", run_add, COMMAND_ARGS(add_args)},
	{"del", "Take a rule out.", run_del, COMMAND_ARGS(del_args)},
	{"flush", "Take all rules out.", run_flush, COMMAND_ARGS(point_args)},
	{"policy", "Say what happens to packets that no rule decides.", run_policy,
	 COMMAND_ARGS(policy_args)},
	{"show", "List the rules, with what they have counted.", run_show,
	 COMMAND_ARGS(point_args)},
};

const struct noun noun_filter = {
	"filter", "rules that accept, drop or reject packets", NOUN_COMMANDS(commands),
};
