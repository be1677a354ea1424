/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes as the operator adds and deletes them. What is refused follows Linux's fib_semantics.c
 * (fib_create_info); what they lead to is found in resolve.c. Each case was checked against a live
 * kernel.
 */
#include "route/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "core/prefix.h"
#include "link/link.h"
#include "route/connected.h"
#include "route/group.h"
#include "route/merge.h"
#include "route/resolve.h"
#include "route/rib.h"
#include "route/rule.h"
#include "route/table_fib.h"

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

/* No type reaches less far than it does by itself; what has no next hop may reach nowhere. */
static int check_scope(const struct route_params *p, unsigned int type, struct error *err)
{
	unsigned int least = type == ROUTE_LOCAL ? SCOPE_HOST
			     : type == ROUTE_BROADCAST ? SCOPE_LINK : SCOPE_UNIVERSE;

	if (!p->scope_given ||
	    (p->scope >= least && (p->scope <= SCOPE_HOST || is_error_type(type))))
		return 0;
	return error_set(err, EINVAL, "Invalid scope: %u", p->scope);
}

/* Check everything, fill in the route and take a reference to its next hop. */
static int prepare(const struct route_params *p, struct route *r, struct error *err)
{
	unsigned int type = p->type ? p->type : ROUTE_UNICAST;
	int rc = check_key(p, err);
	uint32_t index;

	if (rc)
		return rc;
	if (type >= ROUTE_MULTICAST)
		return error_set(err, EOPNOTSUPP, "a route can not have type %s",
				 route_type_name(type));
	rc = check_scope(p, type, err);
	if (rc)
		return rc;
	rc = resolve(p, type, &index, err);
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
