/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See resolve.h. What is refused, and what is filled in, follows Linux's fib_semantics.c
 * (fib_create_info, fib_check_nh) with the scopes that iproute2 chooses: host for type local, link
 * for broadcast and for what is on the link, universe for the rest. Each case was checked against a
 * live kernel.
 */
#include "route/resolve.h"

#include <arpa/inet.h>
#include <errno.h>

#include <rte_hash_crc.h>

#include "core/prefix.h"
#include "link/link.h"
#include "route/group.h"
#include "route/rib.h"

struct text {
	char s[INET_ADDRSTRLEN];
};

static struct text addr_text(rte_be32_t addr)
{
	struct text t;

	inet_ntop(AF_INET, &addr, t.s, sizeof(t.s));
	return t;
}

/* How a gateway is looked up: rib_lookup() or rib_lookup_at_start(). */
typedef const struct route *lookup_fn(uint32_t table, rte_be32_t addr, unsigned int scope,
				      int link);

static unsigned int scope_of(unsigned int type, const struct route_params *p)
{
	if (p->scope_given)
		return p->scope;
	if (type == ROUTE_LOCAL)
		return SCOPE_HOST;
	if (type == ROUTE_BROADCAST || (type == ROUTE_UNICAST && !p->gateway && !p->n_hops))
		return SCOPE_LINK;
	return SCOPE_UNIVERSE;
}

/* ---- one way ---- */

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

static int resolve_gateway(const struct route_params *p, struct nexthop *nh, lookup_fn *lookup,
			   struct error *err)
{
	unsigned int scope = nh->scope < SCOPE_LINK ? SCOPE_LINK : SCOPE_HOST;
	const struct route *r = lookup(table_of(p), p->gateway, scope, p->link);
	const struct nexthop *way;
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
	way = nexthop_get(group_first(r->nexthop));
	nh->link = p->link >= 0 ? (uint16_t)p->link : way->link;
	/* what is on the host, or said to be, is no gateway */
	nh->gateway = way->scope == SCOPE_LINK ? p->gateway : 0;
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

/* As it was: neither tables nor addresses are looked at. */
static int take_resolved(const struct route_params *p, struct nexthop *nh, struct error *err)
{
	const struct link *l;
	int rc = find_link(p->link, &l, err);

	if (rc)
		return rc;
	if (p->resolved == ROUTE_RESOLVED_GATEWAY && !p->gateway)
		return error_set(err, EINVAL, "resolved gateway: the route needs via ADDR");
	nh->link = l->id;
	nh->gateway = p->resolved == ROUTE_RESOLVED_GATEWAY ? p->gateway : 0;
	if (nh->scope == SCOPE_HOST || nh->flags & NEXTHOP_F_DEAD)
		return 0;
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

static int find_way(const struct route_params *p, struct nexthop *nh, lookup_fn *lookup,
		    struct error *err)
{
	if (p->gateway && p->onlink)
		return resolve_onlink(p, nh, err);
	if (p->gateway)
		return resolve_gateway(p, nh, lookup, err);
	return resolve_link(p, nh, err);
}

static int resolve_way(const struct route_params *p, struct nexthop *nh, struct error *err)
{
	int rc;

	if (is_error_type(nh->type)) {
		if (p->gateway || p->link >= 0 || p->resolved)
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
	if (p->resolved)
		return take_resolved(p, nh, err);
	rc = find_way(p, nh, rib_lookup, err);
	return rc ? rc : check_src(p, err);
}

/* Whatever routes come and go, a gateway is no address of the router's then. */
static bool is_never_special(rte_be32_t addr)
{
	uint32_t host = rte_be_to_cpu_32(addr);

	if (rib_addr_type(addr) != ROUTE_UNICAST)
		return false;
	for (unsigned int len = 0; len <= 32; len++) {
		const struct table *tables[] = { table_local, table_main };

		for (unsigned int i = 0; i < RTE_DIM(tables); i++) {
			const struct route *r = table_find(tables[i], host & prefix_mask(len), len);

			for (; r; r = r->next)
				if (r->type == ROUTE_LOCAL || r->type == ROUTE_BROADCAST)
					return false;
		}
	}
	return true;
}

bool resolve_finds(const struct route *r, const struct nexthop *way, bool by_rules)
{
	struct route_params p = {
		.prefix = r->prefix,
		.len = r->len,
		.type = r->type,
		.gateway = way->via,
		.link = way->link,
		.table = r->table,
		.onlink = way->flags & NEXTHOP_F_ONLINK,
	};
	struct nexthop nh = { .scope = way->scope };
	struct error err;

	if (is_error_type(r->type))
		return true;
	if (find_way(&p, &nh, by_rules ? rib_lookup : rib_lookup_at_start, &err))
		return false;
	return nh.link == way->link && nh.gateway == way->gateway &&
	       (!p.onlink || !p.gateway || is_never_special(p.gateway));
}

/* ---- several ways ---- */

static struct nexthop template_of(const struct route_params *p, unsigned int type)
{
	return (struct nexthop){
		.type = (uint8_t)type,
		.scope = (uint8_t)scope_of(type, p),
		.via = p->gateway,
		.asked_src = p->src,
		.mtu = RTE_MIN(p->mtu, MTU_MAX),
		.hoplimit = (uint8_t)p->hoplimit,
		.table = table_of(p),
		.metric = p->metric,
		.protocol = protocol_of(p),
		.flags = (p->onlink ? NEXTHOP_F_ONLINK : 0) |
			 (p->mtu_locked ? NEXTHOP_F_MTU_LOCKED : 0),
	};
}

static int all_in_use(struct error *err)
{
	return error_set(err, ENOSPC, "all %d next hops are in use", NEXTHOPS_MAX - 1);
}

/* The same with this way as the only one. */
static struct route_params params_of(const struct route_params *p, const struct route_hop *hop)
{
	struct route_params one = *p;

	one.gateway = hop->gateway;
	one.link = hop->link;
	one.onlink = hop->onlink;
	one.resolved = hop->resolved;
	return one;
}

/* What one way leads to. */
static int resolve_member(const struct route_params *p, const struct route_hop *hop,
			  struct nexthop *nh, struct error *err)
{
	struct route_params one = params_of(p, hop);

	*nh = template_of(&one, ROUTE_UNICAST);
	nh->flags |= NEXTHOP_F_MEMBER | (hop->dead ? NEXTHOP_F_DEAD : 0);
	if (hop->weight < 1 || hop->weight > GROUP_WEIGHT_MAX)
		return error_set(err, EINVAL, "weight %u is not from 1 to %d", hop->weight,
				 GROUP_WEIGHT_MAX);
	return resolve_way(&one, nh, err);
}

/* Equal groups have the same members then, others have none in common. */
static void set_places(const struct route_params *p, struct nexthop *members)
{
	uint32_t h = p->n_hops;

	for (unsigned int i = 0; i < p->n_hops; i++) {
		h = rte_hash_crc_4byte(members[i].via, h);
		h = rte_hash_crc_4byte((uint32_t)members[i].link << 16 | p->hops[i].weight, h);
		h = rte_hash_crc_4byte(members[i].flags & NEXTHOP_F_IDENTITY, h);
	}
	for (unsigned int i = 0; i < p->n_hops; i++)
		members[i].place = (h + i) | 1u << 31;
}

static int resolve_members(const struct route_params *p, struct nexthop *members,
			   struct error *err)
{
	int rc = 0;

	for (unsigned int i = 0; i < p->n_hops && !rc; i++)
		rc = resolve_member(p, &p->hops[i], &members[i], err);
	if (!rc && nexthop_used() < NEXTHOPS_AMPLE)
		set_places(p, members);
	return rc;
}

/* Take a reference to it. */
static int hold_member(const struct nexthop *nh, unsigned int weight, struct group_member *m,
		       struct error *err)
{
	m->weight = (uint16_t)weight;
	m->nexthop = (uint16_t)nexthop_hold(nh);
	return m->nexthop ? 0 : all_in_use(err);
}

static int hold_group(const struct route_params *p, const struct nexthop *template,
		      uint32_t *index, struct error *err)
{
	struct {
		struct group g;
		struct group_member room[GROUP_MEMBERS_MAX];
	} like = { .g.n = 0 };
	struct nexthop members[GROUP_MEMBERS_MAX], nh = *template;
	int rc = resolve_members(p, members, err);

	nh.type = ROUTE_GROUP;
	nh.group = &like.g;
	while (like.g.n < p->n_hops && !rc) {
		rc = hold_member(&members[like.g.n], p->hops[like.g.n].weight,
				 &like.g.members[like.g.n], err);
		if (!rc)
			like.g.n++;
	}
	if (!rc) {
		*index = nexthop_hold(&nh);
		rc = *index ? 0 : all_in_use(err);
	}
	while (like.g.n)
		nexthop_release(like.g.members[--like.g.n].nexthop);
	return rc;
}

static int check_hops(const struct route_params *p, unsigned int type, struct error *err)
{
	if (is_error_type(type))
		return error_set(err, EINVAL, "Gateway, device and multipath can not be specified "
				 "for this route type: %s", route_type_name(type));
	if (type != ROUTE_UNICAST || scope_of(type, p) == SCOPE_HOST)
		return error_set(err, EINVAL, "Route with host scope can not have multiple "
				 "nexthops: %s", route_type_name(type));
	if (p->gateway || p->link >= 0 || p->onlink || p->resolved)
		return error_set(err, EINVAL, "via, dev, onlink and resolved belong behind "
				 "nexthop where there is one");
	if (p->n_hops > GROUP_MEMBERS_MAX)
		return error_set(err, ENOSPC, "%u next hops are more than the %d that a route can "
				 "have", p->n_hops, GROUP_MEMBERS_MAX);
	for (unsigned int i = 0; i < p->n_hops; i++)
		if (!p->hops[i].dead)
			return 0;
	return error_set(err, EINVAL, "dead: one way at least must not be");
}

static int hold(const struct route_params *p, unsigned int type, uint32_t *index,
		struct error *err)
{
	struct nexthop nh = template_of(p, type);
	int rc = resolve_way(p, &nh, err);

	if (rc)
		return rc;
	*index = nexthop_hold(&nh);
	return *index ? 0 : all_in_use(err);
}

int resolve(const struct route_params *p, unsigned int type, uint32_t *index, struct error *err)
{
	struct nexthop nh = template_of(p, type);
	struct route_params one;
	int rc;

	if (!p->n_hops)
		return hold(p, type, index, err);
	rc = check_hops(p, type, err);
	if (rc)
		return rc;
	if (p->n_hops > 1)
		return hold_group(p, &nh, index, err);
	one = params_of(p, &p->hops[0]);
	one.scope = (uint8_t)scope_of(type, p);
	one.scope_given = true;
	one.n_hops = 0;
	return hold(&one, type, index, err);
}
