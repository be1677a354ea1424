/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes as the operator adds and deletes them. What is refused, and what is filled in, follows
 * Linux's fib_semantics.c (fib_create_info, fib_check_nh) with the scopes that iproute2 chooses:
 * host for type local, link for broadcast and for what is on the link, universe for the rest.
 * Each case was checked against a live kernel.
 *
 * A gateway must be reached by a route of link scope (or be given as onlink). It may also be one
 * of the router's own addresses: the route then leads to the link that owns it, and there to the
 * destination itself.
 */
#include "route/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "link/link.h"
#include "route/connected.h"
#include "route/rib.h"
#include "route/table.h"

#define MTU_MAX 65520u  /* as Linux caps the metric */

struct text {
	char s[64];
};

static struct text addr_text(rte_be32_t addr)
{
	struct text t;

	inet_ntop(AF_INET, &addr, t.s, sizeof(t.s));
	return t;
}

static struct text prefix_text(uint32_t prefix, unsigned int len)
{
	struct text t = addr_text(rte_cpu_to_be_32(prefix)), u;

	snprintf(u.s, sizeof(u.s), "%.15s/%u", t.s, len);
	return u;
}

/* ---- what is asked for ---- */

static bool is_error_type(unsigned int type)
{
	return type == ROUTE_BLACKHOLE || type == ROUTE_UNREACHABLE || type == ROUTE_PROHIBIT ||
	       type == ROUTE_THROW;
}

static unsigned int table_of(const struct route_params *p)
{
	if (p->table)
		return p->table;
	return p->type == ROUTE_LOCAL || p->type == ROUTE_BROADCAST ? ROUTE_TABLE_LOCAL
								    : ROUTE_TABLE_MAIN;
}

static int check_table_and_prefix(const struct route_params *p, struct error *err)
{
	unsigned int table = table_of(p);

	if (table != ROUTE_TABLE_MAIN && table != ROUTE_TABLE_LOCAL)
		return error_set(err, EOPNOTSUPP, "table %u: there are only tables main (254) and "
				 "local (255)", table);
	if (p->len > 32)
		return error_set(err, EINVAL, "prefix length %u is not from 0 to 32", p->len);
	if (p->len < 32 && p->prefix & UINT32_MAX >> p->len)
		return error_set(err, EINVAL, "Invalid prefix for given prefix length: %s",
				 prefix_text(p->prefix, p->len).s);
	return 0;
}

static unsigned int scope_of(unsigned int type, const struct route_params *p)
{
	if (type == ROUTE_LOCAL)
		return SCOPE_HOST;
	if (type == ROUTE_BROADCAST || (type == ROUTE_UNICAST && !p->gateway))
		return SCOPE_LINK;
	return SCOPE_UNIVERSE;
}

/* ---- next hops ---- */

static int bad_gateway(const struct route_params *p, int code, const char *why, struct error *err)
{
	return error_set(err, code, "Nexthop has invalid gateway: %s %s", addr_text(p->gateway).s,
			 why);
}

static int check_link_up(const struct link *l, struct error *err)
{
	return l->up ? 0 : error_set(err, ENETDOWN, "Device for nexthop is not up: %s", l->name);
}

static int find_link(int id, const struct link **l, struct error *err)
{
	*l = id >= 0 ? link_get((unsigned int)id) : NULL;
	return *l ? 0 : error_set(err, ENODEV, "No such device: the route needs via ADDR or dev "
				  "NAME");
}

static int resolve_onlink(const struct route_params *p, struct nexthop *nh, struct error *err)
{
	const struct link *l;
	int rc;

	if (p->link < 0)
		return error_set(err, ENODEV, "Nexthop device required for onlink");
	rc = find_link(p->link, &l, err);
	if (!rc)
		rc = check_link_up(l, err);
	if (rc)
		return rc;
	if (nh->scope >= SCOPE_LINK)
		return error_set(err, EINVAL, "Nexthop has invalid scope");
	if (rib_addr_type(p->gateway) != ROUTE_UNICAST)
		return bad_gateway(p, EINVAL, "is not the address of a neighbour", err);
	nh->link = l->id;
	nh->gateway = p->gateway;
	return 0;
}

static int resolve_gateway(const struct route_params *p, struct nexthop *nh, struct error *err)
{
	unsigned int scope = nh->scope < SCOPE_LINK ? SCOPE_LINK : SCOPE_HOST;
	const struct route *r = rib_lookup(p->gateway, scope, p->link);
	const struct link *l;

	if (!r && p->link >= 0 && (l = link_get((unsigned int)p->link)))
		return error_set(err, ENETUNREACH, "Nexthop has invalid gateway: %s is not in a "
				 "subnet of %s%s", addr_text(p->gateway).s, l->name,
				 l->up ? "" : ", which is down");
	if (!r)
		return bad_gateway(p, ENETUNREACH, "is not in a subnet of any link that is up",
				   err);
	if (r->type != ROUTE_UNICAST && r->type != ROUTE_LOCAL)
		return bad_gateway(p, EINVAL, r->type == ROUTE_BROADCAST ?
				   "is a broadcast address" : "is not reachable", err);
	nh->link = nexthop_get(r->nexthop)->link;
	nh->gateway = r->type == ROUTE_LOCAL ? 0 : p->gateway;
	l = link_get(nh->link);
	return l ? check_link_up(l, err) : bad_gateway(p, ENODEV, "is not reachable", err);
}

static int resolve_link(const struct route_params *p, struct nexthop *nh, struct error *err)
{
	const struct link *l;
	int rc = find_link(p->link, &l, err);

	if (rc)
		return rc;
	nh->link = l->id;
	if (nh->scope == SCOPE_HOST)
		return 0;
	if (p->onlink)
		return error_set(err, EINVAL, "onlink is for a gateway: the route needs via ADDR");
	return check_link_up(l, err);
}

static int check_src(const struct route_params *p, struct error *err)
{
	bool itself = p->type == ROUTE_LOCAL && p->prefix &&
		      p->src == rte_cpu_to_be_32(p->prefix);

	if (!p->src || itself || rib_addr_type(p->src) == ROUTE_LOCAL)
		return 0;
	return error_set(err, EINVAL, "Invalid prefsrc address: %s is not an address of this "
			 "router", addr_text(p->src).s);
}

static int resolve(const struct route_params *p, struct nexthop *nh, struct error *err)
{
	int rc;

	if (is_error_type(nh->type)) {
		if (p->gateway || p->link >= 0)
			return error_set(err, EINVAL, "Gateway, device and multipath can not be "
					 "specified for this route type: %s",
					 route_type_name(nh->type));
		/* a lookup that ends in throw has found no route */
		if (nh->type == ROUTE_THROW)
			nh->type = ROUTE_NONE;
		return 0;
	}
	if (nh->scope == SCOPE_HOST && p->gateway)
		return error_set(err, EINVAL, "Route with host scope can not have a gateway");
	if (p->gateway && p->onlink)
		rc = resolve_onlink(p, nh, err);
	else if (p->gateway)
		rc = resolve_gateway(p, nh, err);
	else
		rc = resolve_link(p, nh, err);
	return rc ? rc : check_src(p, err);
}

/* Check everything, fill in the route and take a reference to its next hop. */
static int prepare(const struct route_params *p, struct route *r, struct error *err)
{
	unsigned int type = p->type ? p->type : ROUTE_UNICAST;
	struct nexthop nh = {
		.type = (uint8_t)type,
		.scope = (uint8_t)scope_of(type, p),
		.via = p->gateway,
		.asked_src = p->src,
		.mtu = RTE_MIN(p->mtu, MTU_MAX),
		.flags = p->onlink ? NEXTHOP_F_ONLINK : 0,
	};
	int rc = check_table_and_prefix(p, err);

	if (rc)
		return rc;
	if (type >= ROUTE_MULTICAST)
		return error_set(err, EOPNOTSUPP, "a route can not have type %s",
				 route_type_name(type));
	rc = resolve(p, &nh, err);
	if (rc)
		return rc;
	*r = (struct route){
		.prefix = p->prefix,
		.metric = p->metric,
		.len = (uint8_t)p->len,
		.table = (uint8_t)table_of(p),
		.protocol = (uint8_t)(p->protocol ? p->protocol : ROUTE_PROTO_BOOT),
		.type = (uint8_t)type,
		.nexthop = nexthop_hold(&nh),
	};
	if (!r->nexthop)
		return error_set(err, ENOSPC, "all %d next hops are in use", NEXTHOPS_MAX - 1);
	return 0;
}

/* ---- commands ---- */

static struct route *find_metric(const struct route *like)
{
	struct route *r = table_find(like->table, like->prefix, like->len);

	while (r && r->metric != like->metric)
		r = r->next;
	return r;
}

static int exists(const struct route *r, struct error *err)
{
	return error_set(err, EEXIST, "File exists: table %s has a route to %s with metric %u",
			 r->table == ROUTE_TABLE_MAIN ? "main" : "local",
			 prefix_text(r->prefix, r->len).s, r->metric);
}

/* Replace the first of its metric; where it is there already, only being the first will do. */
static int replace(struct route *old, const struct route *like, struct error *err)
{
	for (const struct route *r = old; r && r->metric == like->metric; r = r->next) {
		if (!rib_same(r, like))
			continue;
		if (r != old)
			return exists(r, err);
		nexthop_release(like->nexthop);
		return 0;
	}
	return rib_change(old, like, err);
}

static int add(const struct route_params *p, bool may_replace, struct error *err)
{
	struct route like, *old;
	int rc = prepare(p, &like, err);

	if (rc)
		return rc;
	old = find_metric(&like);
	if (!old)
		rc = rib_insert(&like, err);
	else if (may_replace)
		rc = replace(old, &like, err);
	else
		rc = exists(&like, err);
	if (rc)
		nexthop_release(like.nexthop);
	else if (like.type == ROUTE_LOCAL)
		__atomic_store_n(&route_custom_local, true, __ATOMIC_RELAXED);
	return rc;
}

int route_add(const struct route_params *p, struct error *err)
{
	return add(p, false, err);
}

int route_replace(const struct route_params *p, struct error *err)
{
	return add(p, true, err);
}

static bool matches(const struct route *r, const struct route_params *p)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);

	return (!p->type || p->type == r->type) && (!p->protocol || p->protocol == r->protocol) &&
	       (!p->metric || p->metric == r->metric) &&
	       (!p->gateway || p->gateway == nh->via) && (!p->src || p->src == nh->asked_src) &&
	       (!p->mtu || RTE_MIN(p->mtu, MTU_MAX) == nh->mtu) &&
	       (p->link < 0 || (!is_error_type(r->type) && p->link == nh->link));
}

int route_del(const struct route_params *p, struct error *err)
{
	int rc = check_table_and_prefix(p, err);
	struct route *r;

	if (rc)
		return rc;
	for (r = table_find(table_of(p), p->prefix, p->len); r; r = r->next) {
		if (matches(r, p)) {
			rib_remove(r);
			return 0;
		}
	}
	return error_set(err, ESRCH, "No such route: table %s has none to %s%s",
			 table_of(p) == ROUTE_TABLE_MAIN ? "main" : "local",
			 prefix_text(p->prefix, p->len).s,
			 table_find(table_of(p), p->prefix, p->len) ? " like that" : "");
}

int route_foreach(unsigned int table, int (*fn)(const struct route *r, void *arg), void *arg)
{
	return table_foreach(table, fn, arg);
}

/* ---- start and stop ---- */

int route_init(void)
{
	int rc = nexthop_init();

	if (!rc)
		rc = table_init();
	if (!rc) {
		route_fib = fib_create(0, -1);
		if (!route_fib)
			rc = -errno;
	}
	if (rc) {
		route_fini();
		return rc;
	}
	connected_init();
	return 0;
}

void route_fini(void)
{
	fib_destroy(route_fib);
	route_fib = NULL;
	table_fini();
	nexthop_fini();
}
