/* SPDX-License-Identifier: BSD-3-Clause */
/* Stand-ins for the room route (stub_rooms.h). */
#include "stub_rooms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/prefix.h"
#include "link/link.h"
#include "route/fib.h"
#include "route/replay.h"
#include "route/route.h"
#include "route/rule.h"

#define ROUTES_MAX (1 << 21)

struct nexthop *nexthops;
struct fib *route_fib;
struct rule_set *route_rules;

static struct route *routes;
static unsigned int n_routes;
static unsigned int n_nexthops;
static struct rule_info the_rule;
static char rule_iif[LINK_NAME_SIZE];
static bool has_rule;

/* ---- routes ---- */

const char *route_type_name(unsigned int type)
{
	static const char *const names[] = {"none", "unicast", "local", "broadcast", "blackhole",
					    "unreachable", "prohibit", "throw", "multicast"};

	return names[type];
}

/* Next hops are shared like in the room: a million routes have few. */
static uint32_t find_nexthop(const struct route_params *p)
{
	struct nexthop nh = {
		.type = (uint8_t)p->type,
		.scope = p->type == ROUTE_LOCAL ? SCOPE_HOST :
			 p->type == ROUTE_BROADCAST ||
			 (p->type == ROUTE_UNICAST && !p->gateway) ? SCOPE_LINK : SCOPE_UNIVERSE,
		.link = p->link < 0 ? 1 : (uint16_t)p->link,
		.gateway = p->gateway,
		.via = p->gateway,
		.src = p->src,
		.mtu = p->mtu,
		.flags = (p->onlink ? NEXTHOP_F_ONLINK : 0) |
			 (p->mtu_locked ? NEXTHOP_F_MTU_LOCKED : 0),
		.asked_src = p->src,
	};
	uint32_t i;

	for (i = n_nexthops; i > 0; i--)
		if (memcmp(&nexthops[i], &nh, sizeof(nh)) == 0)
			return i;
	nexthops[++n_nexthops] = nh;
	return n_nexthops;
}

int route_enter(const struct route_params *p, enum route_how how, struct error *err)
{
	if (p->type == ROUTE_UNICAST && !p->gateway && p->link < 0)
		return error_set(err, ENODEV, "no way is given: via or dev");
	routes[n_routes++] = (struct route){
		.prefix = p->prefix,
		.metric = p->metric,
		.len = (uint8_t)p->len,
		.table = p->table ? p->table :
			 p->type == ROUTE_LOCAL ? ROUTE_TABLE_LOCAL : ROUTE_TABLE_MAIN,
		.protocol = (uint8_t)p->protocol,
		.type = (uint8_t)p->type,
		.nexthop = (uint16_t)find_nexthop(p),
	};
	return 0;
}

int route_del(const struct route_params *p, struct error *err)
{
	unsigned int i;

	for (i = 0; i < n_routes; i++) {
		if (routes[i].prefix != p->prefix || routes[i].len != p->len)
			continue;
		memmove(&routes[i], &routes[i + 1], (n_routes - i - 1) * sizeof(routes[0]));
		n_routes--;
		return 0;
	}
	return error_set(err, ESRCH, "there is no such route");
}

void route_flush(uint32_t table, bool (*which)(const struct route *r, void *arg), void *arg)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < n_routes; i++)
		if ((table && routes[i].table != table) || !which(&routes[i], arg))
			routes[kept++] = routes[i];
	n_routes = kept;
}

int route_foreach(uint32_t table, int (*fn)(const struct route *r, void *arg), void *arg)
{
	unsigned int i;
	int rc;

	for (i = 0; i < n_routes; i++) {
		if (table && routes[i].table != table)
			continue;
		rc = fn(&routes[i], arg);
		if (rc)
			return rc;
	}
	return 0;
}

unsigned int route_count_tables(void)
{
	return 3;
}

/* Nothing comes by itself here, and all is found again. */
struct replay *replay_new(void)
{
	static char nothing;

	return (struct replay *)&nothing;
}

void replay_free(struct replay *p)
{
}

int replay_foreach(struct replay *p, enum replay_part part,
		   int (*fn)(const struct replay_step *s, void *arg), void *arg)
{
	int rc = 0;

	for (unsigned int i = 0; i < n_routes && !rc; i++)
		if (part == (nexthops[routes[i].nexthop].via ? REPLAY_GATEWAYS : REPLAY_ON_LINKS))
			rc = fn(&(struct replay_step){REPLAY_ADD, &routes[i], p, part}, arg);
	return rc;
}

bool replay_finds(const struct replay_step *s, const struct nexthop *way)
{
	return true;
}

void route_explain(const struct route_flow *f, int link, struct route_answer *a)
{
	const struct route *best = NULL;
	unsigned int i;

	for (i = 0; i < n_routes; i++) {
		if (prefix_agree(rte_be_to_cpu_32(f->dst), routes[i].prefix, routes[i].len) &&
		    (link < 0 || nexthop_over(routes[i].nexthop, (unsigned int)link)) &&
		    (!best || routes[i].len > best->len))
			best = &routes[i];
	}
	*a = (struct route_answer){.route = best, .nexthop = best ? best->nexthop : 0};
}

bool nexthop_over(uint32_t index, unsigned int link)
{
	return nexthops[index].link == link;
}

/* ---- rules: one at most, in front of those of the start ---- */

int rule_add(const struct rule_params *p, struct error *err)
{
	if (has_rule)
		return error_set(err, EEXIST, "there is a rule");
	the_rule = (struct rule_info){.p = *p};
	if (p->iif) {
		snprintf(rule_iif, sizeof(rule_iif), "%s", p->iif);
		the_rule.p.iif = rule_iif;
	}
	has_rule = true;
	return 0;
}

int rule_del(const struct rule_params *p, struct error *err)
{
	if (!has_rule)
		return error_set(err, ENOENT, "there is no such rule");
	has_rule = false;
	return 0;
}

int rule_flush(const struct rule_params *which, struct error *err)
{
	if (has_rule && rule_is_among(&the_rule.p, which))
		has_rule = false;
	return 0;
}

bool rule_is_among(const struct rule_params *r, const struct rule_params *which)
{
	return (!which->mark || which->mark == r->mark) &&
	       (!which->priority_given || which->priority == r->priority);
}

bool rule_is_preset(const struct rule_params *p)
{
	return !has_rule || p != &the_rule.p;
}

unsigned int rule_count(void)
{
	return 3 + has_rule;
}

int rule_foreach(int (*fn)(const struct rule_info *r, void *arg), void *arg)
{
	static const struct rule_info presets[] = {
		{.p = {.priority = 0, .table = ROUTE_TABLE_LOCAL}},
		{.p = {.priority = 32766, .table = ROUTE_TABLE_MAIN}},
		{.p = {.priority = 32767, .table = ROUTE_TABLE_DEFAULT}},
	};
	int rc = has_rule ? fn(&the_rule, arg) : 0;
	unsigned int i;

	for (i = 0; i < RTE_DIM(presets) && !rc; i++)
		rc = fn(&presets[i], arg);
	return rc;
}

/* ---- all of it ---- */

void stub_route_reset(void)
{
	if (!nexthops)
		nexthops = calloc(NEXTHOPS_MAX, sizeof(*nexthops));
	if (!routes)
		routes = calloc(ROUTES_MAX, sizeof(*routes));
	n_routes = 0;
	n_nexthops = 0;
	has_rule = false;
}
