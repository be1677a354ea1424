/* SPDX-License-Identifier: BSD-3-Clause */
/* See show_filter.h. A rule reads as `nft list` prints it, and can be read back. */
#include "control/show_filter.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "control/filter_names.h"
#include "control/value.h"

static void show_number(struct output *o, const struct filter_term *t, uint32_t number)
{
	const struct filter_field *f = filter_field_of(t);
	const char *name = NULL;

	/* ports are numbers, as nft prints them */
	if (f->names && t->kind != FILTER_SPORT && t->kind != FILTER_DPORT)
		name = value_name(f->names, number);
	if (name)
		out_text(o, name);
	else
		out_printf(o, f->hex ? "0x%x" : "%u", number);
}

static bool is_address(enum filter_kind kind)
{
	return kind == FILTER_SADDR || kind == FILTER_DADDR;
}

static void show_flags(struct output *o, uint32_t bits)
{
	const char *before = "";

	if (!bits)
		out_text(o, "0x0");
	for (const struct arg_name *n = filter_fields[FILTER_TCP_FLAGS].names; n->name; n++) {
		if (!(bits & n->value))
			continue;
		out_text(o, before);
		out_text(o, n->name);
		before = "|";
	}
}

static void show_value(struct output *o, const struct filter_term *t, uint32_t value)
{
	if (is_address(t->kind))
		out_printf(o, "%u.%u.%u.%u", value >> 24, value >> 16 & 0xff, value >> 8 & 0xff,
			   value & 0xff);
	else if (t->kind == FILTER_TCP_FLAGS)
		show_flags(o, value);
	else
		show_number(o, t, value);
}

static bool is_prefix(uint32_t lo, uint32_t hi)
{
	uint32_t host = lo ^ hi;

	return !(host & (host + 1)) && !(lo & host);
}

static void show_range(struct output *o, const struct filter_term *t, uint32_t lo, uint32_t hi)
{
	if (is_address(t->kind) && is_prefix(lo, hi)) {
		show_value(o, t, lo);
		if (lo != hi)
			out_printf(o, "/%u", 32 - (unsigned int)__builtin_popcount(hi - lo));
		return;
	}
	if (lo == hi) {
		show_value(o, t, lo);
		return;
	}
	/* names have dashes in them */
	if (is_address(t->kind))
		show_value(o, t, lo);
	else
		out_printf(o, "%u", lo);
	out_text(o, "-");
	if (is_address(t->kind))
		show_value(o, t, hi);
	else
		out_printf(o, "%u", hi);
}

static void show_set(struct output *o, const struct filter_rule *r, const struct filter_term *t);

static void show_tcp_flags(struct output *o, const struct filter_rule *r,
			   const struct filter_term *t)
{
	bool set = t->n_set || t->lo != t->hi, any = t->mask && !set && !t->lo && t->not;

	if (t->mask) {
		out_text(o, any ? "" : "& (");
		show_flags(o, t->mask);
		out_text(o, any ? "" : t->not ? ") != " : ") == ");
	} else {
		out_text(o, t->not ? "!= " : "== ");
	}
	if (set)
		show_set(o, r, t);
	else if (!any)
		show_flags(o, t->lo);
}

static void show_links(struct output *o, const struct filter_term *t)
{
	const char *at = t->text;
	bool several = strchr(at, ' ');

	out_text(o, several ? "{ " : "");
	for (; *at; at += strspn(at, " ")) {
		char name[FILTER_TEXT_SIZE];
		size_t len = strcspn(at, " ");

		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		show_word(o, name);
		at += len;
		out_text(o, *at ? ", " : "");
	}
	out_text(o, several ? " }" : "");
}

static void show_set(struct output *o, const struct filter_rule *r, const struct filter_term *t)
{
	out_text(o, "{ ");
	for (unsigned int i = 0; i < t->n_set; i++) {
		const struct filter_range *range = &r->range[t->set + i];

		if (i)
			out_text(o, ", ");
		show_range(o, t, range->lo, range->hi);
	}
	if (!t->n_set)
		show_range(o, t, t->lo, t->hi);
	out_text(o, " }");
}

/* What a range that reaches an end of the field's values is, it is by comparison. */
static void show_one(struct output *o, const struct filter_term *t)
{
	uint32_t max = filter_field_of(t)->max;

	if (t->lo == t->hi || is_address(t->kind) || t->not || t->mask || (t->lo && t->hi != max) ||
	    (!t->lo && t->hi == max)) {
		show_range(o, t, t->lo, t->hi);
		return;
	}
	out_text(o, t->lo ? ">= " : "<= ");
	show_number(o, t, t->lo ? t->lo : t->hi);
}

static bool is_one_protocol(const struct filter_term *t)
{
	return t->kind == FILTER_PROTOCOL && !t->not && !t->n_set && !t->mask && t->lo == t->hi;
}

static bool is_port(const struct filter_term *t)
{
	return t->kind == FILTER_SPORT || t->kind == FILTER_DPORT;
}

/* The protocol whose words a term has; NULL: of any. */
static const char *transport_of(const struct filter_rule *r, unsigned int i)
{
	for (unsigned int k = 0; k < i; k++)
		if (is_one_protocol(&r->term[k]) && filter_transport(r->term[k].lo))
			return filter_transport(r->term[k].lo);
	return NULL;
}

/* Is the protocol said by the next term's words? */
static bool is_implied(const struct filter_rule *r, unsigned int i)
{
	const struct filter_term *t = &r->term[i], *next = t + 1;

	if (!is_one_protocol(t) || i + 1 == r->n)
		return false;
	if (next->kind == FILTER_PAYLOAD)
		return next->payload.name &&
		       filter_payload_fields[next->payload.name - 1].protocol == t->lo;
	if (next->kind == FILTER_ICMP_TYPE || next->kind == FILTER_ICMP_CODE)
		return t->lo == 1;
	if (next->kind == FILTER_TCP_FLAGS)
		return t->lo == 6;
	return is_port(next) && filter_transport(t->lo) &&
	       transport_of(r, i + 1) == filter_transport(t->lo);
}

static void show_match(struct output *o, const struct filter_rule *r, unsigned int i)
{
	const struct filter_term *t = &r->term[i];
	const char *transport = is_port(t) ? transport_of(r, i) : NULL;

	if (is_port(t))
		out_printf(o, "%s ", transport ? transport : "th");
	out_text(o, filter_field_of(t)->words);
	if (t->kind == FILTER_FRAGMENT)
		return;
	out_text(o, " ");
	if (t->kind == FILTER_TCP_FLAGS) {
		show_tcp_flags(o, r, t);
		return;
	}
	if (t->mask) {
		out_text(o, "& ");
		if (is_address(t->kind))
			show_value(o, t, t->mask);
		else
			out_printf(o, "0x%x", t->mask);
		out_text(o, t->not ? " " : " == ");
	}
	if (t->not)
		out_text(o, "!= ");
	if (t->kind == FILTER_IIF || t->kind == FILTER_OIF)
		show_links(o, t);
	else if (t->n_set)
		show_set(o, r, t);
	else
		show_one(o, t);
}

/* In the largest unit that makes it a whole number. */
static void show_bytes(struct output *o, uint32_t bytes)
{
	const struct arg_name *n = filter_byte_units;

	while (bytes % n->value)
		n++;
	out_printf(o, "%u %s", bytes / n->value, bytes ? n->name : "bytes");
}

static void show_limit(struct output *o, const struct filter_term *t)
{
	out_printf(o, "limit rate %s", t->over ? "over " : "");
	if (t->bytes)
		show_bytes(o, t->lo);
	else
		out_printf(o, "%u", t->lo);
	out_printf(o, "/%s", value_name(filter_units, t->unit_s));
	if (t->bytes && t->hi) {
		out_text(o, " burst ");
		show_bytes(o, t->hi);
	} else if (!t->bytes) {
		out_printf(o, " burst %u packets", t->hi);
	}
}

static void show_log(struct output *o, const struct filter_term *t)
{
	out_text(o, "log");
	if (t->text[0]) {
		out_text(o, " prefix ");
		show_word(o, t->text);
	}
	if (t->lo != LOG_WARNING)
		out_printf(o, " level %s", value_name(filter_log_levels, t->lo));
}

static void show_mark_set(struct output *o, const struct filter_term *t)
{
	if (!t->mask) {
		out_printf(o, "mark set 0x%x", t->lo);
		return;
	}
	out_text(o, "mark set mark");
	if (t->mask != UINT32_MAX)
		out_printf(o, " and 0x%x", t->mask);
	if (t->lo)
		out_printf(o, " xor 0x%x", t->lo);
}

static void show_term(struct output *o, const struct filter_rule *r, unsigned int i,
		      const struct filter_info *counted)
{
	const struct filter_term *t = &r->term[i];

	switch (t->kind) {
	case FILTER_LIMIT:
		show_limit(o, t);
		break;
	case FILTER_COUNTER:
		out_text(o, "counter");
		if (counted)
			out_printf(o, " packets %ju bytes %ju", (uintmax_t)counted->packets,
				   (uintmax_t)counted->bytes);
		break;
	case FILTER_LOG:
		show_log(o, t);
		break;
	case FILTER_MARK_SET:
		show_mark_set(o, t);
		break;
	default:
		show_match(o, r, i);
	}
}

static const char *const verdicts[] = {
	[FILTER_CONTINUE] = "", [FILTER_ACCEPT] = "accept", [FILTER_DROP] = "drop",
	[FILTER_REJECT] = "reject", [FILTER_RESET] = "reject with tcp reset",
	[FILTER_RETURN] = "return",
};

static void show_code(struct output *o, uint8_t code)
{
	const char *name = value_name(filter_icmp_codes, code);

	out_text(o, " with icmp ");
	if (name)
		out_text(o, name);
	else
		out_printf(o, "%u", code);
}

void filter_show_rule(const struct filter_rule *r, const struct filter_info *counted,
		      struct output *o)
{
	const char *before = "";

	for (unsigned int i = 0; i < r->n; i++) {
		if (is_implied(r, i))
			continue;
		out_text(o, before);
		show_term(o, r, i, counted);
		before = " ";
	}
	if (r->verdict != FILTER_CONTINUE) {
		out_text(o, before);
		out_text(o, verdicts[r->verdict]);
		before = " ";
	}
	if (r->verdict == FILTER_REJECT)
		show_code(o, r->icmp_code);
	if (r->verdict == FILTER_CONTINUE && !r->n) {
		out_text(o, "continue");
		before = " ";
	}
	if (r->comment[0]) {
		out_printf(o, "%scomment ", before);
		show_word(o, r->comment);
	}
}
