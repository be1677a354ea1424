/* SPDX-License-Identifier: BSD-3-Clause */
/* See show_route.h. Order and spelling of the parts are those of iproute2. */
#include "control/show_route.h"

#include <stdio.h>

#include "control/value.h"
#include "ipv4/ipv4.h"
#include "link/link.h"
#include "neigh/neigh.h"
#include "route/group.h"

const struct arg_name route_tables[] = {
	{"default", ROUTE_TABLE_DEFAULT}, {"main", ROUTE_TABLE_MAIN},
	{"local", ROUTE_TABLE_LOCAL}, {NULL},
};

const struct arg_name route_protocols[] = {
	{"kernel", ROUTE_PROTO_KERNEL}, {"boot", ROUTE_PROTO_BOOT}, {"static", ROUTE_PROTO_STATIC},
	{"redirect", 1}, {"ra", 9}, {"zebra", 11}, {"bird", 12}, {"dhcp", 16}, {"babel", 42},
	{"bgp", 186}, {"isis", 187}, {"ospf", 188}, {"rip", 189}, {"eigrp", 192}, {NULL},
};

const struct arg_name route_scopes[] = {
	{"global", 0}, {"site", 200}, {"link", SCOPE_LINK}, {"host", SCOPE_HOST}, {"nowhere", 255},
	{NULL},
};

const struct arg_name route_tos[] = {
	{"CS1", 0x20}, {"CS2", 0x40}, {"CS3", 0x60}, {"CS4", 0x80}, {"CS5", 0xa0}, {"CS6", 0xc0},
	{"CS7", 0xe0}, {"AF11", 0x28}, {"AF12", 0x30}, {"AF13", 0x38}, {"AF21", 0x48},
	{"AF22", 0x50}, {"AF23", 0x58}, {"AF31", 0x68}, {"AF32", 0x70}, {"AF33", 0x78},
	{"AF41", 0x88}, {"AF42", 0x90}, {"AF43", 0x98}, {"EF", 0xb8}, {NULL},
};

const struct arg_name route_resolved[] = {
	{"gateway", ROUTE_RESOLVED_GATEWAY}, {"direct", ROUTE_RESOLVED_DIRECT}, {NULL},
};

/* Does a packet leave by a link for this type? */
static bool has_link(unsigned int type)
{
	return type == ROUTE_UNICAST || type == ROUTE_LOCAL || type == ROUTE_BROADCAST;
}

static void show_dev(const struct nexthop *nh, struct output *o)
{
	const struct link *l = has_link(nh->type) ? link_get(nh->link) : NULL;

	if (l)
		out_string(o, "dev", " dev ", l->name);
}

static void show_type(unsigned int type, struct output *o)
{
	if (type == ROUTE_UNICAST)
		return;
	out_string(o, "type", "", route_type_name(type));
	out_text(o, " ");
}

void show_tos(uint8_t tos, struct output *o)
{
	const char *name = value_name(route_tos, tos);
	char hex[8];

	if (!tos)
		return;
	snprintf(hex, sizeof(hex), "0x%02x", tos);
	out_string(o, "tos", " tos ", name ? name : hex);
}

static void show_numbers(uint32_t mtu, bool locked, unsigned int hoplimit, struct output *o)
{
	if (!mtu && !hoplimit)
		return;
	out_array(o, "metrics");
	out_object(o, NULL);
	if (mtu)
		out_number(o, "mtu", locked ? " mtu lock " : " mtu ", mtu);
	if (hoplimit)
		out_number(o, "hoplimit", " hoplimit ", hoplimit);
	out_object_end(o);
	out_array_end(o);
}

static void show_metrics(const struct nexthop *nh, struct output *o)
{
	show_numbers(nh->mtu, nh->flags & NEXTHOP_F_MTU_LOCKED, nh->hoplimit, o);
}

static void show_flags(uint32_t flags, struct output *o)
{
	out_array(o, "flags");
	if (flags & NEXTHOP_F_DEAD)
		out_string(o, NULL, " ", "dead");
	if (flags & NEXTHOP_F_ONLINK)
		out_string(o, NULL, " ", "onlink");
	if (flags & NEXTHOP_F_LINKDOWN)
		out_string(o, NULL, " ", "linkdown");
	out_array_end(o);
}

static void show_member(const struct group_member *m, struct output *o)
{
	const struct nexthop *nh = nexthop_get(m->nexthop);

	out_object(o, NULL);
	out_text(o, "\tnexthop");
	if (nh->via)
		out_address(o, "gateway", " via ", nh->via);
	show_dev(nh, o);
	out_number(o, "weight", " weight ", m->weight);
	show_flags(nh->flags, o);
	out_text(o, " \n");
	out_object_end(o);
}

static void show_members(const struct nexthop *nh, struct output *o)
{
	const struct group *g;

	if (nh->type != ROUTE_GROUP)
		return;
	g = group_of(nh);
	out_array(o, "nexthops");
	for (unsigned int i = 0; i < g->n; i++)
		show_member(&g->members[i], o);
	out_array_end(o);
}

void show_route(const struct route *r, bool with_table, struct output *o)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);

	out_object(o, NULL);
	show_type(r->type, o);
	out_prefix(o, "dst", "", r->prefix, r->len);
	show_tos(r->tos, o);
	if (nh->via)
		out_address(o, "gateway", " via ", nh->via);
	show_dev(nh, o);
	if (with_table && r->table != ROUTE_TABLE_MAIN)
		show_named(o, "table", " table ", route_tables, r->table);
	if (r->protocol != ROUTE_PROTO_BOOT)
		show_named(o, "protocol", " proto ", route_protocols, r->protocol);
	if (nh->scope)
		show_named(o, "scope", " scope ", route_scopes, nh->scope);
	if (nh->asked_src)
		out_address(o, "prefsrc", " src ", nh->asked_src);
	if (r->metric)
		out_number(o, "metric", " metric ", r->metric);
	show_flags(nh->flags, o);
	show_metrics(nh, o);
	out_text(o, " \n");
	show_members(nh, o);
	out_object_end(o);
}

/* The table that `route add` takes if none is given. */
static unsigned int usual_table(unsigned int type)
{
	return type == ROUTE_LOCAL || type == ROUTE_BROADCAST ? ROUTE_TABLE_LOCAL :
								ROUTE_TABLE_MAIN;
}

/* What entering the route would find otherwise now, or not at all. */
static void show_resolved(const struct replay_step *s, const struct nexthop *nh, struct output *o)
{
	if (!replay_finds(s, nh))
		out_text(o, nh->gateway ? " resolved gateway" : " resolved direct");
}

static unsigned int usual_scope(const struct route *r)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);

	if (r->type == ROUTE_LOCAL)
		return SCOPE_HOST;
	if (r->type == ROUTE_BROADCAST ||
	    (r->type == ROUTE_UNICAST && !nh->via && nh->type != ROUTE_GROUP))
		return SCOPE_LINK;
	return SCOPE_UNIVERSE;
}

static void show_member_words(const struct replay_step *s, const struct group_member *m,
			      struct output *o)
{
	const struct nexthop *nh = nexthop_get(m->nexthop);

	out_text(o, " nexthop");
	if (nh->via)
		out_address(o, NULL, " via ", nh->via);
	show_dev(nh, o);
	if (m->weight > 1)
		out_number(o, NULL, " weight ", m->weight);
	if (nh->flags & NEXTHOP_F_ONLINK)
		out_text(o, " onlink");
	show_resolved(s, nh, o);
	if (nh->flags & NEXTHOP_F_DEAD)
		out_text(o, " dead");
}

void show_route_words(const struct replay_step *s, struct output *o)
{
	static const char *const verbs[] = {
		[REPLAY_DEL] = "del", [REPLAY_ADD] = "add", [REPLAY_APPEND] = "append",
		[REPLAY_PREPEND] = "prepend",
	};
	const struct route *r = s->route;
	const struct nexthop *nh = nexthop_get(r->nexthop);

	out_string(o, NULL, "route ", verbs[s->verb]);
	out_text(o, " ");
	show_type(r->type, o);
	out_prefix(o, NULL, "", r->prefix, r->len);
	show_tos(r->tos, o);
	if (nh->via)
		out_address(o, NULL, " via ", nh->via);
	show_dev(nh, o);
	if (r->table != usual_table(r->type))
		show_named(o, NULL, " table ", route_tables, r->table);
	if (r->protocol != ROUTE_PROTO_BOOT)
		show_named(o, NULL, " proto ", route_protocols, r->protocol);
	if (nh->scope != usual_scope(r))
		show_named(o, NULL, " scope ", route_scopes, nh->scope);
	if (nh->asked_src)
		out_address(o, NULL, " src ", nh->asked_src);
	if (r->metric)
		out_number(o, NULL, " metric ", r->metric);
	show_metrics(nh, o);
	if (nh->flags & NEXTHOP_F_ONLINK)
		out_text(o, " onlink");
	if (nh->type != ROUTE_GROUP) {
		show_resolved(s, nh, o);
		return;
	}
	for (unsigned int i = 0; i < nh->group->n; i++)
		show_member_words(s, &nh->group->members[i], o);
}

static void show_cache_word(struct output *o, unsigned int *n, const char *word)
{
	out_string(o, NULL, (*n)++ ? "," : " <", word);
}

static void show_get_cache(unsigned int type, bool local, bool redirect, const struct nexthop *nh,
			   const struct ip_exception_info *learned, struct output *o)
{
	unsigned int n = 0;

	out_text(o, " \n    cache");
	out_array(o, "cache");
	if (local)
		show_cache_word(o, &n, "local");
	if (type == ROUTE_BROADCAST && local)
		show_cache_word(o, &n, "brd");
	if (type == ROUTE_MULTICAST)
		show_cache_word(o, &n, "mc");
	if (redirect)
		show_cache_word(o, &n, "redirect");
	if (learned->gateway)
		show_cache_word(o, &n, "redirected");
	out_text(o, n ? ">" : "");
	out_array_end(o);
	if (learned->mtu || learned->gateway) {
		out_number(o, "expires", " expires ", learned->seconds);
		out_text(o, "sec");
	}
	show_numbers(learned->mtu ? learned->mtu : nh->mtu,
		     learned->locked || nh->flags & NEXTHOP_F_MTU_LOCKED, nh->hoplimit, o);
}

int show_route_learned(const struct ip_exception_info *learned, struct output *o)
{
	const struct nexthop *nh = nexthop_get(learned->nexthop);
	rte_be32_t gateway = learned->gateway ? learned->gateway : nh->gateway;

	out_object(o, NULL);
	out_address(o, "dst", "", learned->dst);
	if (gateway)
		out_address(o, "gateway", " via ", gateway);
	show_dev(nh, o);
	out_array(o, "flags");
	out_array_end(o);
	show_get_cache(nh->type, nh->type == ROUTE_LOCAL || nh->type == ROUTE_BROADCAST, false, nh,
		       learned, o);
	out_text(o, " \n");
	out_object_end(o);
	return o->full;
}

/* ---- why ---- */

static int neigh_state_of(const struct neigh_info *n, void *arg)
{
	const rte_be32_t *to = ((const void **)arg)[0];
	const char **state = ((void **)arg)[1];

	if (n->addr == *to)
		*state = neigh_state_name(n->state);
	return 0;
}

static void show_neigh_state(const struct nexthop *nh, rte_be32_t to, struct output *o)
{
	const char *state = "NONE";
	void *arg[] = {&to, &state};
	const struct link *l = link_get(nh->link);

	if (nh->type != ROUTE_UNICAST || !l)
		return;
	neigh_foreach(l, neigh_state_of, arg);
	out_string(o, "neighbour", " neighbour ", state);
}

static void show_why(const struct show_get *g, const struct nexthop *nh, rte_be32_t to,
		     struct output *o)
{
	const struct route *r = g->answer.route;

	if (!r)
		return;
	out_text(o, "    by");
	out_number(o, "rule", " rule ", g->answer.priority);
	show_named(o, "table", " table ", route_tables, r->table);
	out_prefix(o, "route", " route ", r->prefix, r->len);
	if (r->tos)
		out_text(o, " for its TOS");
	out_number(o, "route_metric", " metric ", r->metric);
	show_neigh_state(nh, to, o);
	out_text(o, " \n");
}

/* In JSON it stands among the reasons. */
static void show_get_table(const struct route *r, struct output *o)
{
	if (!o->json && r && r->table != ROUTE_TABLE_MAIN && r->table != ROUTE_TABLE_LOCAL)
		show_named(o, NULL, " table ", route_tables, r->table);
}

/* Small ones as numbers, others in hexadecimal, as iproute2 does. */
static void show_get_mark(uint32_t mark, struct output *o)
{
	if (o->json ? mark != 0 : mark > 0 && mark < 16)
		out_number(o, "mark", " mark ", mark);
	else if (mark)
		out_printf(o, " mark 0x%x", mark);
}

void show_route_get(const struct show_get *g, struct output *o)
{
	const struct ip_way *way = &g->way;
	const struct nexthop *nh = nexthop_get(way->nexthop);
	const struct link *out = link_get(way->out_link);
	const struct link *in = way->iif < 0 ? NULL : link_get((unsigned int)way->iif);
	struct ip_exception_info learned = {0};

	ip_exception_info(way->nexthop, way->dst, &learned);
	out_array(o, NULL);
	out_object(o, NULL);
	show_type(way->type, o);
	out_address(o, "dst", "", way->dst);
	if (way->src)
		out_address(o, "from", " from ", way->src);
	show_tos(way->tos, o);
	if (way->gateway)
		out_address(o, "gateway", " via ", way->gateway);
	if (out)
		out_string(o, "dev", " dev ", out->name);
	show_get_table(g->answer.route, o);
	if (way->prefsrc && !way->src)
		out_address(o, "prefsrc", " src ", way->prefsrc);
	out_array(o, "flags");
	out_array_end(o);
	show_get_mark(way->mark, o);
	show_get_cache(way->type, way->local, way->redirect, nh, &learned, o);
	if (in)
		out_string(o, "iif", " iif ", in->name);
	out_text(o, " \n");
	show_why(g, nh, way->gateway ? way->gateway : way->dst, o);
	if (g->answer.route)
		show_members(nexthop_get(g->answer.route->nexthop), o);
	out_object_end(o);
	out_array_end(o);
}
