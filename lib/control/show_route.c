/* SPDX-License-Identifier: BSD-3-Clause */
/* See show_route.h. Order and spelling of the parts are those of iproute2. */
#include "control/show_route.h"

#include "link/link.h"

#define SCOPE_LINK 253
#define SCOPE_HOST 254

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
	{"global", 0}, {"link", SCOPE_LINK}, {"host", SCOPE_HOST}, {NULL},
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

static void show_mtu(uint32_t mtu, struct output *o)
{
	if (!mtu)
		return;
	out_array(o, "metrics");
	out_object(o, NULL);
	out_number(o, "mtu", " mtu ", mtu);
	out_object_end(o);
	out_array_end(o);
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

void show_route(const struct route *r, bool with_table, struct output *o)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);

	out_object(o, NULL);
	show_type(r->type, o);
	out_prefix(o, "dst", "", r->prefix, r->len);
	if (nh->gateway)
		out_address(o, "gateway", " via ", nh->gateway);
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
	show_mtu(nh->mtu, o);
	out_text(o, " \n");
	out_object_end(o);
}

/* The table that `route add` takes if none is given. */
static unsigned int usual_table(unsigned int type)
{
	return type == ROUTE_LOCAL || type == ROUTE_BROADCAST ? ROUTE_TABLE_LOCAL :
								ROUTE_TABLE_MAIN;
}

void show_route_words(const struct route *r, struct output *o)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);

	out_text(o, "route add ");
	show_type(r->type, o);
	out_prefix(o, NULL, "", r->prefix, r->len);
	if (nh->gateway)
		out_address(o, NULL, " via ", nh->gateway);
	show_dev(nh, o);
	if (r->table != usual_table(r->type))
		show_named(o, NULL, " table ", route_tables, r->table);
	if (r->protocol != ROUTE_PROTO_BOOT)
		show_named(o, NULL, " proto ", route_protocols, r->protocol);
	if (nh->asked_src)
		out_address(o, NULL, " src ", nh->asked_src);
	if (r->metric)
		out_number(o, NULL, " metric ", r->metric);
	if (nh->mtu)
		out_number(o, NULL, " mtu ", nh->mtu);
	if (nh->flags & NEXTHOP_F_ONLINK)
		out_text(o, " onlink");
}

/* Packets to the router itself go round by lo, whichever link has the address. */
static void show_get_dev(const struct nexthop *nh, struct output *o)
{
	const struct link *l = link_get(nh->type == ROUTE_LOCAL ? LINK_LO : nh->link);

	if (l)
		out_string(o, "dev", " dev ", l->name);
}

static void show_get_cache(const struct nexthop *nh, struct output *o)
{
	bool local = nh->type == ROUTE_LOCAL, broadcast = nh->type == ROUTE_BROADCAST;

	out_text(o, " \n    cache");
	out_array(o, "cache");
	if (local || broadcast)
		out_string(o, NULL, " <", "local");
	if (broadcast)
		out_string(o, NULL, ",", "brd");
	out_text(o, local || broadcast ? ">" : "");
	out_array_end(o);
}

void show_route_get(const struct route *r, rte_be32_t dst, rte_be32_t from, struct output *o)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);
	rte_be32_t src = r->type == ROUTE_LOCAL && !nh->asked_src ? dst : nexthop_src(nh);

	out_array(o, NULL);
	out_object(o, NULL);
	show_type(r->type, o);
	out_address(o, "dst", "", dst);
	if (from)
		out_address(o, "from", " from ", from);
	if (nh->gateway)
		out_address(o, "gateway", " via ", nh->gateway);
	show_get_dev(nh, o);
	if (src && !from)
		out_address(o, "prefsrc", " src ", src);
	out_array(o, "flags");
	out_array_end(o);
	show_get_cache(nh, o);
	show_mtu(nh->mtu, o);
	out_text(o, " \n");
	out_object_end(o);
	out_array_end(o);
}
