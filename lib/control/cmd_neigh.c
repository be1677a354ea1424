/* SPDX-License-Identifier: BSD-3-Clause */
/* neigh add|replace|change|del|get|flush|show. Printed as `ip neigh` and `ip -s neigh` do. */
#include "control/commands.h"
#include "control/value.h"
#include "core/clock.h"
#include "neigh/neigh.h"

static const struct arg_name settable_states[] = {
	{"permanent", NUD_PERMANENT}, {"reachable", NUD_REACHABLE}, {"stale", NUD_STALE}, {NULL},
};

#define ADDRESS_ARG \
	.word = "to", .name = "ADDRESS", .type = ARG_ADDRESS, .bare = true, .required = true, \
	.help = "the neighbour's IPv4 address"
#define DEV_ARG \
	.word = "dev", .name = "NAME", .type = ARG_LINK, .required = true, \
	.help = "the link that it is on"

enum { NEIGH_ADDRESS, NEIGH_LLADDR, NEIGH_DEV, NEIGH_NUD };

static const struct arg add_args[] = {
	[NEIGH_ADDRESS] = {ADDRESS_ARG},
	[NEIGH_LLADDR] = {.word = "lladdr", .name = "LLADDR", .type = ARG_LLADDR, .required = true,
			  .help = "its link-layer address"},
	[NEIGH_DEV] = {DEV_ARG},
	[NEIGH_NUD] = {.word = "nud", .type = ARG_NAMED, .names = settable_states,
		       .help = "how far it is to be believed; permanent if left out"},
};

enum { DEL_ADDRESS, DEL_DEV, DEL_LLADDR };

static const struct arg del_args[] = {
	[DEL_ADDRESS] = {ADDRESS_ARG},
	[DEL_DEV] = {DEV_ARG},
	[DEL_LLADDR] = {.word = "lladdr", .name = "LLADDR", .type = ARG_LLADDR,
			.help = "may be given, as to add it; makes no difference"},
};

/* A state that is no bit of its own. */
#define STATE_NONE 0x100
#define STATES_SHOWN (0xff & ~NUD_NOARP)
#define STATES_FLUSHED (STATE_NONE | (0xff & ~(NUD_PERMANENT | NUD_NOARP)))

static const struct arg_name picked_states[] = {
	{"incomplete", NUD_INCOMPLETE}, {"reachable", NUD_REACHABLE}, {"stale", NUD_STALE},
	{"delay", NUD_DELAY}, {"probe", NUD_PROBE}, {"failed", NUD_FAILED}, {"noarp", NUD_NOARP},
	{"permanent", NUD_PERMANENT}, {"none", STATE_NONE}, {"all", STATE_NONE | 0xff}, {NULL},
};

enum { PICK_PREFIX, PICK_DEV, PICK_NUD, SHOW_STATS };

#define PICK_PREFIX_ARG \
	.word = "to", .name = "PREFIX", .type = ARG_PREFIX, .bare = true, \
	.help = "with addresses in this prefix only"
#define PICK_DEV_ARG \
	.word = "dev", .name = "NAME", .type = ARG_LINK, .help = "on this link only"
#define PICK_NUD_ARG(otherwise) \
	.word = "nud", .name = "STATE", .type = ARG_NAMED, .names = picked_states, .many = true, \
	.help = "in this state, or in one of several that are given so; if left out all but " \
		otherwise
#define STATS_ARG \
	.word = "-s", .type = ARG_FLAG, \
	.help = "with seconds since last used, confirmed and updated"

static const struct arg flush_args[] = {
	[PICK_PREFIX] = {PICK_PREFIX_ARG},
	[PICK_DEV] = {PICK_DEV_ARG},
	[PICK_NUD] = {PICK_NUD_ARG("permanent and noarp")},
};

static const struct arg show_args[] = {
	[PICK_PREFIX] = {PICK_PREFIX_ARG},
	[PICK_DEV] = {PICK_DEV_ARG},
	[PICK_NUD] = {PICK_NUD_ARG("noarp and none")},
	[SHOW_STATS] = {STATS_ARG},
};

enum { GET_ADDRESS, GET_DEV, GET_STATS };

static const struct arg get_args[] = {
	[GET_ADDRESS] = {ADDRESS_ARG},
	[GET_DEV] = {DEV_ARG},
	[GET_STATS] = {STATS_ARG},
};

static int change(const struct value *v, bool replace, struct error *err)
{
	unsigned int state = v[NEIGH_NUD].given ? v[NEIGH_NUD].number : NUD_PERMANENT;

	return neigh_add(v[NEIGH_DEV].link, v[NEIGH_ADDRESS].address, &v[NEIGH_LLADDR].lladdr,
			 state, replace, err);
}

static int run_add(const struct value *v, struct output *o, struct error *err)
{
	return change(v, false, err);
}

static int run_replace(const struct value *v, struct output *o, struct error *err)
{
	return change(v, true, err);
}

static int run_change(const struct value *v, struct output *o, struct error *err)
{
	struct neigh_info info;
	int rc = neigh_find(v[NEIGH_DEV].link, v[NEIGH_ADDRESS].address, &info, err);

	return rc ? rc : run_replace(v, o, err);
}

static int run_del(const struct value *v, struct output *o, struct error *err)
{
	return neigh_del(v[DEL_DEV].link, v[DEL_ADDRESS].address, err);
}

struct picks {
	const struct value *v;
	uint32_t states;        /* if none are given */
	struct output *o;
};

static const struct link *picked_link(const struct value *v)
{
	return v[PICK_DEV].given ? v[PICK_DEV].link : NULL;
}

static bool is_picked(const struct neigh_info *n, void *arg)
{
	const struct picks *p = arg;
	uint32_t states = p->v[PICK_NUD].given ? p->v[PICK_NUD].number : p->states;

	if (p->v[PICK_PREFIX].given &&
	    !value_covers(&p->v[PICK_PREFIX], rte_be_to_cpu_32(n->addr)))
		return false;
	return (n->state ? n->state : STATE_NONE) & states;
}

static int run_flush(const struct value *v, struct output *o, struct error *err)
{
	struct picks p = {.v = v, .states = STATES_FLUSHED};

	neigh_flush(picked_link(v), is_picked, &p);
	return 0;
}

static void show_neigh(const struct neigh_info *n, bool stats, struct output *o)
{
	out_object(o, NULL);
	out_address(o, "dst", "", n->addr);
	out_string(o, "dev", " dev ", n->link->name);
	if (n->has_lladdr)
		out_lladdr(o, "lladdr", " lladdr ", &n->lladdr);
	if (o->json || stats) {
		out_number(o, "used", " used ", n->used_ns / NSEC_PER_SEC);
		out_number(o, "confirmed", "/", n->confirmed_ns / NSEC_PER_SEC);
		out_number(o, "updated", "/", n->updated_ns / NSEC_PER_SEC);
		out_number(o, "probes", " probes ", n->probes);
	}
	out_array(o, "state");
	out_string(o, NULL, " ", neigh_state_name(n->state));
	out_array_end(o);
	out_text(o, " \n");
	out_object_end(o);
}

static int show_picked(const struct neigh_info *n, void *arg)
{
	struct picks *p = arg;

	if (is_picked(n, p))
		show_neigh(n, p->v[SHOW_STATS].given, p->o);
	return p->o->full;
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	struct picks p = {.v = v, .states = STATES_SHOWN, .o = o};

	out_array(o, NULL);
	neigh_foreach(picked_link(v), show_picked, &p);
	out_array_end(o);
	return 0;
}

static int run_get(const struct value *v, struct output *o, struct error *err)
{
	struct neigh_info info;
	int rc = neigh_find(v[GET_DEV].link, v[GET_ADDRESS].address, &info, err);

	if (rc)
		return rc;
	out_array(o, NULL);
	show_neigh(&info, v[GET_STATS].given, o);
	out_array_end(o);
	return 0;
}

static const struct command commands[] = {
	{"add", "Enter a neighbour by hand.", run_add, COMMAND_ARGS(add_args)},
	{"replace", "Enter a neighbour by hand, or change the one that is there.", run_replace,
	 COMMAND_ARGS(add_args)},
	{"change", "Change a neighbour that is there.", run_change, COMMAND_ARGS(add_args)},
	{"del", "Forget a neighbour.", run_del, COMMAND_ARGS(del_args)},
	{"flush", "Forget neighbours.", run_flush, COMMAND_ARGS(flush_args)},
	{"show", "List neighbours.", run_show, COMMAND_ARGS(show_args)},
	{"get", "Show one neighbour.", run_get, COMMAND_ARGS(get_args)},
};

const struct noun noun_neigh = {
	"neigh", "neighbours on the links (ARP)", NOUN_COMMANDS(commands),
};
