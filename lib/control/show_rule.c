/* SPDX-License-Identifier: BSD-3-Clause */
/* See show_rule.h. Order and spelling of the parts are those of iproute2. */
#include "control/show_rule.h"

#include <stdio.h>

static const char *const actions[] = {
	[RULE_UNREACHABLE] = "unreachable",
	[RULE_PROHIBIT] = "prohibit",
	[RULE_BLACKHOLE] = "blackhole",
};

static void show_selector(struct output *o, const char *key, const char *len_key,
			  const char *before, uint32_t prefix, unsigned int len)
{
	if (o->json) {
		out_address(o, key, before, rte_cpu_to_be_32(prefix));
		if (len < 32)
			out_number(o, len_key, NULL, len);
	} else {
		out_prefix(o, key, before, prefix, len);
	}
}

static void show_tos_number(uint8_t tos, struct output *o)
{
	char hex[8];

	snprintf(hex, sizeof(hex), "0x%02x", tos);
	if (tos)
		out_string(o, "tos", " tos ", hex);
}

static void show_bits(struct output *o, const char *key, const char *before, uint32_t bits)
{
	char text[16];

	snprintf(text, sizeof(text), "%#x", bits);
	out_string(o, key, before, text);
}

static void show_mark(const struct rule_params *p, struct output *o)
{
	if (!p->mark && !p->mark_mask)
		return;
	show_bits(o, "fwmark", " fwmark ", p->mark);
	if (p->mark_mask != UINT32_MAX)
		show_bits(o, "fwmask", "/", p->mark_mask);
}

static void show_iif(const struct rule_info *r, struct output *o)
{
	if (!r->p.iif)
		return;
	out_string(o, "iif", " iif ", r->p.iif);
	if (!r->detached)
		return;
	out_bool(o, "iif_detached", true);
	out_text(o, " [detached]");
}

void show_rule(const struct rule_info *r, struct output *o)
{
	const struct rule_params *p = &r->p;

	out_object(o, NULL);
	out_number(o, "priority", "", p->priority);
	out_text(o, ":\t");
	if (p->not) {
		out_bool(o, "not", true);
		out_text(o, "not ");
	}
	if (p->from_len)
		show_selector(o, "src", "srclen", "from ", p->from, p->from_len);
	else
		out_string(o, "src", "from ", "all");
	if (p->to_len)
		show_selector(o, "dst", "dstlen", " to ", p->to, p->to_len);
	show_tos_number(p->tos, o);
	show_mark(p, o);
	show_iif(r, o);
	if (p->action == RULE_TABLE)
		show_named(o, "table", " lookup ", route_tables, p->table);
	else
		out_string(o, "action", " ", actions[p->action]);
	out_text(o, "\n");
	out_object_end(o);
}

void show_rule_words(const struct rule_info *r, struct output *o)
{
	const struct rule_params *p = &r->p;

	out_text(o, p->not ? "rule add not" : "rule add");
	if (p->from_len)
		out_prefix(o, NULL, " from ", p->from, p->from_len);
	if (p->to_len)
		out_prefix(o, NULL, " to ", p->to, p->to_len);
	show_tos_number(p->tos, o);
	show_mark(p, o);
	if (p->iif)
		out_string(o, NULL, " iif ", p->iif);
	out_number(o, NULL, " priority ", p->priority);
	if (p->action == RULE_TABLE)
		show_named(o, NULL, " table ", route_tables, p->table);
	else
		out_string(o, NULL, " ", actions[p->action]);
}
