/* SPDX-License-Identifier: BSD-3-Clause */
/* rule add|del|flush|show. */
#include <errno.h>

#include "control/commands.h"
#include "control/show_rule.h"

static const struct arg_name actions[] = {
	{"unreachable", RULE_UNREACHABLE}, {"prohibit", RULE_PROHIBIT},
	{"blackhole", RULE_BLACKHOLE}, {NULL},
};

enum {
	RULE_ARG_NOT, RULE_ARG_FROM, RULE_ARG_TO, RULE_ARG_TOS, RULE_ARG_FWMARK, RULE_ARG_IIF,
	RULE_ARG_PRIORITY, RULE_ARG_TABLE, RULE_ARG_ACTION
};

static const struct arg args[] = {
	[RULE_ARG_NOT] = {.word = "not", .type = ARG_FLAG,
			  .help = "match what the selectors do not"},
	[RULE_ARG_FROM] = {.word = "from", .name = "PREFIX", .type = ARG_PREFIX,
			   .help = "packets from these sources; all if left out"},
	[RULE_ARG_TO] = {.word = "to", .name = "PREFIX", .type = ARG_PREFIX,
			 .help = "packets to these destinations"},
	[RULE_ARG_TOS] = {.word = "tos", .name = "N", .type = ARG_TOS, .names = route_tos,
			  .help = "packets with this TOS: hexadecimal, of the bits 0x1c"},
	[RULE_ARG_FWMARK] = {.word = "fwmark", .name = "VALUE[/MASK]", .type = ARG_MARK_MASK,
			     .help = "packets whose mark has this value in the bits of the mask, "
				     "all of them if none is given; 0 without a mask: all "
				     "packets"},
	[RULE_ARG_IIF] = {.word = "iif", .name = "NAME", .type = ARG_NEW_LINK,
			  .help = "packets that come in by this link, which need not be there "
				  "yet; lo: those that the router itself sends"},
	[RULE_ARG_PRIORITY] = {.word = "priority", .name = "N", .type = ARG_NUMBER,
			       .max = UINT32_MAX,
			       .help = "place among the rules, the lowest first; one before the "
				       "second rule if left out"},
	[RULE_ARG_TABLE] = {.word = "table", .name = "N", .type = ARG_NUMBER, .min = 1,
			    .max = UINT32_MAX, .names = route_tables,
			    .help = "look into this table; main if nothing else is said"},
	[RULE_ARG_ACTION] = {.name = "ACTION", .type = ARG_NAMED, .names = actions,
			     .help = "look nowhere but answer this"},
};

static const struct arg which_args[] = {
	[RULE_ARG_NOT] = {.word = "not", .type = ARG_FLAG, .help = "only those with not"},
	[RULE_ARG_FROM] = {.word = "from", .name = "PREFIX", .type = ARG_PREFIX,
			   .help = "whose sources lie in this"},
	[RULE_ARG_TO] = {.word = "to", .name = "PREFIX", .type = ARG_PREFIX,
			 .help = "whose destinations lie in this"},
	[RULE_ARG_TOS] = {.word = "tos", .name = "N", .type = ARG_TOS, .names = route_tos,
			  .help = "with this TOS"},
	[RULE_ARG_FWMARK] = {.word = "fwmark", .name = "VALUE[/MASK]", .type = ARG_MARK_MASK,
			     .help = "with this mark, and this mask if one is given"},
	[RULE_ARG_IIF] = {.word = "iif", .name = "NAME", .type = ARG_NEW_LINK,
			  .help = "with this link"},
	[RULE_ARG_PRIORITY] = {.word = "priority", .name = "N", .type = ARG_NUMBER,
			       .max = UINT32_MAX, .help = "of this priority"},
	[RULE_ARG_TABLE] = {.word = "table", .name = "N", .type = ARG_NUMBER, .min = 1,
			    .max = UINT32_MAX, .names = route_tables,
			    .help = "that look into this table"},
};

/* What both kinds of arguments have; any action, any table. */
static struct rule_params selectors(const struct value *v)
{
	return (struct rule_params){
		.not = v[RULE_ARG_NOT].given,
		.from = v[RULE_ARG_FROM].prefix,
		.from_len = v[RULE_ARG_FROM].len,
		.to = v[RULE_ARG_TO].prefix,
		.to_len = v[RULE_ARG_TO].len,
		.tos = (uint8_t)v[RULE_ARG_TOS].number,
		.mark = v[RULE_ARG_FWMARK].mark,
		.mark_mask = v[RULE_ARG_FWMARK].mask,
		.iif = v[RULE_ARG_IIF].given ? v[RULE_ARG_IIF].text : NULL,
		.priority_given = v[RULE_ARG_PRIORITY].given,
		.priority = v[RULE_ARG_PRIORITY].number,
		.action = RULE_ANY,
		.table = v[RULE_ARG_TABLE].number,
	};
}

static int params(const struct value *v, bool any, struct rule_params *p, struct error *err)
{
	*p = selectors(v);
	if (!any)
		p->action = RULE_TABLE;
	/* a mark without a mask, but no mark at all if it is 0: as Linux reads it */
	if (p->mark && !v[RULE_ARG_FWMARK].mask_given)
		p->mark_mask = UINT32_MAX;
	if (v[RULE_ARG_ACTION].given) {
		if (v[RULE_ARG_TABLE].given)
			return error_set(err, EINVAL, "a rule has a table or is %s, not both",
					 v[RULE_ARG_ACTION].text);
		p->action = (enum rule_action)v[RULE_ARG_ACTION].number;
	} else if (v[RULE_ARG_TABLE].given) {
		p->action = RULE_TABLE;
	} else if (!any) {
		p->table = ROUTE_TABLE_MAIN;
	}
	return 0;
}

static bool any_given(const struct value *v)
{
	for (unsigned int i = 0; i < RTE_DIM(args); i++)
		if (v[i].given)
			return true;
	return false;
}

static int run_add(const struct value *v, struct output *o, struct error *err)
{
	struct rule_params p;
	int rc;

	if (!any_given(v))
		return error_set(err, EINVAL, "say what: a selector, a priority, a table or an "
					      "action");
	rc = params(v, false, &p, err);
	return rc ? rc : rule_add(&p, err);
}

static int run_del(const struct value *v, struct output *o, struct error *err)
{
	struct rule_params p;
	int rc;

	if (!any_given(v))
		return error_set(err, EINVAL, "say which: a priority, a selector or a table");
	rc = params(v, true, &p, err);
	return rc ? rc : rule_del(&p, err);
}

struct show {
	struct rule_params which;
	struct output *o;
};

static int show_one(const struct rule_info *r, void *arg)
{
	const struct show *s = arg;

	if (rule_is_among(&r->p, &s->which))
		show_rule(r, s->o);
	return s->o->full;
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	struct show s = {.which = selectors(v), .o = o};

	out_array(o, NULL);
	rule_foreach(show_one, &s);
	out_array_end(o);
	return 0;
}

static int run_flush(const struct value *v, struct output *o, struct error *err)
{
	const struct rule_params which = selectors(v);

	return rule_flush(&which, err);
}

static const struct command commands[] = {
	{"add", "Enter a rule.", run_add, COMMAND_ARGS(args)},
	{"del", "Remove the first rule that has all that is given.", run_del, COMMAND_ARGS(args)},
	{"flush", "Remove all rules that have what is given, or all; those of priority 0 stay.",
	 run_flush, COMMAND_ARGS(which_args)},
	{"show", "List the rules, or those that have what is given.", run_show,
	 COMMAND_ARGS(which_args)},
};

const struct noun noun_rule = {
	"rule", "policy rules: which table is asked for which packets", NOUN_COMMANDS(commands),
};
