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

#include <rte_hash_crc.h>

#include "core/prefix.h"
#include "link/link.h"
#include "route/connected.h"
#include "route/group.h"
#include "route/merge.h"
#include "route/rib.h"
#include "route/rule.h"
#include "route/table_fib.h"

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

static uint32_t table_of(const struct route_params *p)
{
	if (p->table)
		return p->table;
	return p->type == ROUTE_LOCAL || p->type == ROUTE_BROADCAST ? ROUTE_TABLE_LOCAL
								    : ROUTE_TABLE_MAIN;
}

static int check_key(const struct route_params *p, struct error *err)
{
	if (p->len > 32)
		return error_set(err, EINVAL, "prefix length %u is not from 0 to 32", p->len);
	if (p->prefix & ~prefix_mask(p->len))
		return error_set(err, EINVAL, "Invalid prefix for given prefix length: %s",
				 prefix_text(p->prefix, p->len).s);
	if (p->tos & 3)
		return error_set(err, EINVAL, "Invalid dsfield (tos): ECN bits must be 0: 0x%02x",
				 p->tos);
	return 0;
}

static uint8_t protocol_of(const struct route_params *p)
{
	return (uint8_t)(p->protocol ? p->protocol : ROUTE_PROTO_BOOT);
}

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
	const struct route *r = rib_lookup(table_of(p), p->gateway, scope, p->link);
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
	nh->link = p->link >= 0 ? (uint16_t)p->link
				: nexthop_get(group_first(r->nexthop))->link;
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

/* What one way leads to. */
static int resolve_member(const struct route_params *p, const struct route_hop *hop,
			  struct nexthop *nh, struct error *err)
{
	struct route_params one = *p;

	one.gateway = hop->gateway;
	one.link = hop->link;
	one.onlink = hop->onlink;
	*nh = template_of(&one, ROUTE_UNICAST);
	nh->flags |= NEXTHOP_F_MEMBER;
	if (hop->weight < 1 || hop->weight > GROUP_WEIGHT_MAX)
		return error_set(err, EINVAL, "weight %u is not from 1 to %d", hop->weight,
				 GROUP_WEIGHT_MAX);
	return resolve(&one, nh, err);
}

/* Equal groups have the same members then, others have none in common. */
static void set_places(const struct route_params *p, struct nexthop *members)
{
	uint32_t h = p->n_hops;

	for (unsigned int i = 0; i < p->n_hops; i++) {
		h = rte_hash_crc_4byte(members[i].via, h);
		h = rte_hash_crc_4byte((uint32_t)members[i].link << 16 | p->hops[i].weight, h);
		h = rte_hash_crc_4byte(members[i].flags, h);
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
	if (p->gateway || p->link >= 0 || p->onlink)
		return error_set(err, EINVAL, "via, dev and onlink belong behind nexthop where "
				 "there is one");
	if (p->n_hops > GROUP_MEMBERS_MAX)
		return error_set(err, ENOSPC, "%u next hops are more than the %d that a route can "
				 "have", p->n_hops, GROUP_MEMBERS_MAX);
	return 0;
}

/* Take a reference to what the route leads to. */
static int hold(const struct route_params *p, unsigned int type, uint32_t *index,
		struct error *err)
{
	struct nexthop nh = template_of(p, type);
	int rc;

	if (p->n_hops) {
		rc = check_hops(p, type, err);
		return rc ? rc : hold_group(p, &nh, index, err);
	}
	rc = resolve(p, &nh, err);
	if (rc)
		return rc;
	*index = nexthop_hold(&nh);
	return *index ? 0 : all_in_use(err);
}

/* Check everything, fill in the route and take a reference to its next hop. */
static int prepare(const struct route_params *p, struct route *r, struct error *err)
{
	unsigned int type = p->type ? p->type : ROUTE_UNICAST;
	struct route_params one = *p;
	int rc = check_key(p, err);
	uint32_t index;

	if (rc)
		return rc;
	if (type >= ROUTE_MULTICAST)
		return error_set(err, EOPNOTSUPP, "a route can not have type %s",
				 route_type_name(type));
	if (scope_of(type, p) > SCOPE_HOST)
		return error_set(err, EINVAL, "Invalid scope: %u", p->scope);
	if (p->n_hops == 1) {
		rc = check_hops(p, type, err);
		if (rc)
			return rc;
		one.gateway = p->hops[0].gateway;
		one.link = p->hops[0].link;
		one.onlink = p->hops[0].onlink;
		one.scope = (uint8_t)scope_of(type, p);
		one.scope_given = true;
		one.n_hops = 0;
	}
	rc = hold(&one, type, &index, err);
	if (rc)
		return rc;
	*r = (struct route){
		.prefix = p->prefix,
		.metric = p->metric,
		.table = table_of(p),
		.len = (uint8_t)p->len,
		.tos = p->tos,
		.protocol = protocol_of(p),
		.type = (uint8_t)type,
		.nexthop = (uint16_t)index,
	};
	return 0;
}

/* ---- commands ---- */

static bool same_key(const struct route *a, const struct route *b)
{
	return a->tos == b->tos && a->metric == b->metric;
}

static struct route *find_key(const struct table *t, const struct route *like)
{
	struct route *r = table_find(t, like->prefix, like->len);

	while (r && !same_key(r, like))
		r = r->next;
	return r;
}

static int exists(const struct route *r, struct error *err)
{
	return error_set(err, EEXIST, "File exists: table %s has a route to %s with metric %u",
			 table_name(r->table), prefix_text(r->prefix, r->len).s, r->metric);
}

static const struct route *find_same(const struct route *first, const struct route *like)
{
	for (const struct route *r = first; r && same_key(r, like); r = r->next)
		if (rib_same(r, like))
			return r;
	return NULL;
}

/* Replace the first of its key; where it is there already, only being the first will do. */
static int replace(struct table *t, struct route *old, const struct route *like,
		   struct error *err)
{
	const struct route *same = find_same(old, like);

	if (!same)
		return rib_change(t, old, like, err);
	if (same != old)
		return exists(like, err);
	nexthop_release(like->nexthop);
	return 0;
}

static int enter(struct table *t, const struct route *like, enum route_how how,
		 struct error *err)
{
	struct route *old = find_key(t, like);

	if (!old && how == ROUTE_CHANGE)
		return error_set(err, ENOENT, "No such route: table %s has none to %s with metric "
				 "%u", table_name(like->table),
				 prefix_text(like->prefix, like->len).s, like->metric);
	if (!old)
		return rib_insert(t, like, false, err);
	if (how == ROUTE_REPLACE || how == ROUTE_CHANGE)
		return replace(t, old, like, err);
	if (how == ROUTE_ADD || find_same(old, like))
		return exists(like, err);
	return rib_insert(t, like, how == ROUTE_PREPEND, err);
}

int route_enter(const struct route_params *p, enum route_how how, struct error *err)
{
	struct route like;
	struct table *t;
	int rc = prepare(p, &like, err);

	if (rc)
		return rc;
	t = table_make(like.table, err);
	rc = t ? enter(t, &like, how, err) : -ENOSPC;
	if (t)
		table_drop_unused(t);
	if (rc)
		nexthop_release(like.nexthop);
	else if (like.type == ROUTE_LOCAL)
		merge_customise_local();
	return rc;
}

/* As Linux has it, gateway and link are those of the first way; several must be its first ones. */
static bool matches_hops(const struct nexthop *nh, const struct route_params *p)
{
	if (nh->type != ROUTE_GROUP)
		return p->n_hops == 1 && (!p->hops->gateway || p->hops->gateway == nh->via) &&
		       (p->hops->link < 0 || p->hops->link == nh->link);
	if (p->n_hops < nh->group->n)
		return false;
	for (unsigned int i = 0; i < nh->group->n; i++) {
		const struct nexthop *m = nexthop_get(nh->group->members[i].nexthop);

		if ((p->hops[i].gateway && p->hops[i].gateway != m->via) ||
		    (p->hops[i].link >= 0 && p->hops[i].link != m->link))
			return false;
	}
	return true;
}

static bool matches(const struct route *r, const struct route_params *p)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);

	if (p->n_hops && !matches_hops(nh, p))
		return false;
	if (nh->type == ROUTE_GROUP)
		nh = nexthop_get(nh->group->members[0].nexthop);
	return (!p->type || p->type == r->type) && (!p->protocol || p->protocol == r->protocol) &&
	       (!p->metric || p->metric == r->metric) && p->tos == r->tos &&
	       (!p->scope_given || p->scope == nh->scope) &&
	       (!p->hoplimit || p->hoplimit == nh->hoplimit) &&
	       (!p->gateway || p->gateway == nh->via) && (!p->src || p->src == nh->asked_src) &&
	       (!p->mtu || RTE_MIN(p->mtu, MTU_MAX) == nh->mtu) &&
	       (p->link < 0 || (!is_error_type(r->type) && p->link == nh->link));
}

int route_del(const struct route_params *p, struct error *err)
{
	int rc = check_key(p, err);
	struct table *t = table_get(table_of(p));
	const char *but = "";

	if (rc)
		return rc;
	for (struct route *r = t ? table_find(t, p->prefix, p->len) : NULL; r; r = r->next) {
		if (matches(r, p)) {
			rib_remove(t, r);
			table_drop_unused(t);
			return 0;
		}
		but = " like that";
	}
	return error_set(err, ESRCH, "No such route: table %s has none to %s%s",
			 table_name(table_of(p)), prefix_text(p->prefix, p->len).s, but);
}

struct flush {
	bool (*which)(const struct route *r, void *arg);
	void *arg;
};

static void flush_one(struct table *t, struct route *r, void *arg)
{
	const struct flush *f = arg;

	if (f->which(r, f->arg))
		rib_remove(t, r);
}

void route_flush(uint32_t table, bool (*which)(const struct route *r, void *arg), void *arg)
{
	struct flush f = { which, arg };
	struct table *t = table ? table_get(table) : NULL;

	if (!table)
		table_sweep(flush_one, &f);
	if (!t)
		return;
	table_sweep_one(t, flush_one, &f);
	table_drop_unused(t);
}

int route_foreach(uint32_t table, int (*fn)(const struct route *r, void *arg), void *arg)
{
	return table_foreach(table, fn, arg);
}

unsigned int route_count_tables(void)
{
	unsigned int n = 0;

	for (const struct table *t = table_first(); t; t = t->next)
		n++;
	return n;
}

/* ---- start and stop ---- */

int route_init(void)
{
	int rc = nexthop_init();

	if (!rc)
		rc = table_init();
	if (!rc) {
		route_fib = fib_create(0, true, -1);
		if (!route_fib)
			rc = -errno;
	}
	if (!rc)
		rc = table_fib_init();
	if (!rc)
		rc = rule_init();
	if (rc) {
		route_fini();
		return rc;
	}
	connected_init();
	return 0;
}

void route_fini(void)
{
	rule_fini();
	merge_fini();
	fib_destroy(route_fib);
	route_fib = NULL;
	table_fib_fini();
	table_fini();
	nexthop_fini();
}
