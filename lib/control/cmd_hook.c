/* SPDX-License-Identifier: BSD-3-Clause */
/* hook show: who looks at packets on their way, in the order that packets meet them. */
#include "control/commands.h"
#include "ipv4/hook.h"

/* nft(8)'s names. */
static const struct arg_name priorities[] = {
	{"raw-before-defrag", (uint32_t)HOOK_PRI_RAW_BEFORE_DEFRAG},
	{"defrag", (uint32_t)HOOK_PRI_CONNTRACK_DEFRAG},
	{"raw", (uint32_t)HOOK_PRI_RAW},
	{"conntrack", (uint32_t)HOOK_PRI_CONNTRACK},
	{"mangle", (uint32_t)HOOK_PRI_MANGLE},
	{"dstnat", (uint32_t)HOOK_PRI_NAT_DST},
	{"filter", HOOK_PRI_FILTER},
	{"security", HOOK_PRI_SECURITY},
	{"srcnat", HOOK_PRI_NAT_SRC},
	{"helper", HOOK_PRI_CONNTRACK_HELPER},
	{NULL},
};

static void show_priority(int32_t priority, struct output *o)
{
	const struct arg_name *n = priorities;

	while (n->name && n->value != (uint32_t)priority)
		n++;
	out_signed(o, "priority", " priority ", priority);
	if (n->name)
		out_printf(o, " (%s)", n->name);
}

static int show(const struct hook_info *info, void *arg)
{
	struct output *o = arg;

	out_object(o, NULL);
	out_string(o, "hook", "", hook_point_name(info->point));
	show_priority(info->priority, o);
	out_string(o, "owner", " owner ", info->owner);
	out_number(o, "packets", " packets ", info->packets);
	out_number(o, "dropped", " dropped ", info->dropped);
	out_number(o, "stolen", " stolen ", info->stolen);
	out_text(o, "\n");
	out_object_end(o);
	return o->full;
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	out_array(o, NULL);
	hook_foreach(show, o);
	out_array_end(o);
	return 0;
}

static const struct command commands[] = {
	{"show", "List the hooks, with the packets that came to each.", run_show},
};

const struct noun noun_hook = {
	"hook", "places where packets are looked at on their way", NOUN_COMMANDS(commands),
};
