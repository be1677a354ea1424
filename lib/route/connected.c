/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes that follow addresses and the state of links, as Linux's fib_frontend.c makes them
 * (rules A7 and H1, checked against a live kernel):
 *
 *   an address          local ADDR/32, also while the link is down
 *   a primary address   its subnet: unicast in main (on lo: local); the subnet's last address as
 *                       broadcast when the prefix is shorter than 31. Only while the link is up;
 *                       none for a subnet within 0/8, no subnet for a /32
 *   an address goes     what no other address of the link still asks for goes, and once nobody
 *                       owns it, so do the routes of main that were given it as `src`
 *   the last one goes   every route over the link goes
 *   the link goes down  every route over the link goes but those of host scope
 *                       (a route with several ways stays as long as one is left)
 *   the carrier goes    routes stay, marked (but see ignore_routes_with_linkdown)
 *
 * All have protocol kernel, metric 0 and the primary address as source. The same subnet on two
 * links gives two routes of which the first is used.
 */
#include "route/connected.h"

#include <errno.h>
#include <stdio.h>

#include "core/log.h"
#include "core/prefix.h"
#include "core/sysctl.h"
#include "link/link.h"
#include "route/group.h"
#include "route/rib.h"
#include "route/rule.h"

struct wanted {
	unsigned int type;
	uint32_t prefix;
	unsigned int len;
	rte_be32_t src;         /* 0: when the primary address is gone already, any */
};

#define WANTED_MAX 3

static unsigned int addrs_n(const struct link *l)
{
	return l->addrs ? l->addrs->n : 0;
}

static const struct link_addr *primary_of(const struct link *l, const struct link_addr *a)
{
	if (!a->secondary)
		return a;
	for (unsigned int i = 0; i < addrs_n(l); i++) {
		const struct link_addr *p = &l->addrs->a[i];

		if (!p->secondary && p->len == a->len && addr_in_subnet(a, p->local))
			return p;
	}
	return NULL;
}

/* What an address asks for on a link that is up; the first is what it does on one that is not. */
static unsigned int wanted_by(const struct link *l, const struct link_addr *a,
			      struct wanted w[WANTED_MAX])
{
	const struct link_addr *primary = primary_of(l, a);
	rte_be32_t src = primary ? primary->local : 0;
	uint32_t addr = rte_be_to_cpu_32(a->local), mask = prefix_mask(a->len);
	unsigned int n = 0;

	w[n++] = (struct wanted){ ROUTE_LOCAL, addr, 32, src };
	if (a->secondary || a->len == 32 || (addr & mask) >> 24 == 0)
		return n;
	w[n++] = (struct wanted){ l->id == LINK_LO ? ROUTE_LOCAL : ROUTE_UNICAST, addr & mask,
				  a->len, src };
	if (a->len < 31)
		w[n++] = (struct wanted){ ROUTE_BROADCAST, addr | ~mask, 32, src };
	return n;
}

static struct route route_of(const struct wanted *w)
{
	return (struct route){
		.prefix = w->prefix,
		.len = (uint8_t)w->len,
		.table = w->type == ROUTE_UNICAST ? ROUTE_TABLE_MAIN : ROUTE_TABLE_LOCAL,
		.protocol = ROUTE_PROTO_KERNEL,
		.type = (uint8_t)w->type,
	};
}

/* The address or link is there already, so that what is wrong here can only be logged. */
static void missing(const struct link *l, const struct wanted *w, const char *why)
{
	log_error("link %s lacks its %s route to %u.%u.%u.%u/%u: %s", l->name,
		  route_type_name(w->type), w->prefix >> 24, w->prefix >> 16 & 0xff,
		  w->prefix >> 8 & 0xff, w->prefix & 0xff, w->len, why);
}

static struct table *wanted_table(const struct wanted *w)
{
	return w->type == ROUTE_UNICAST ? table_main : table_local;
}

/* Its next hop is 0 if all are in use, else held. */
static struct route make_route(const struct link *l, const struct wanted *w)
{
	struct route r = route_of(w);

	r.nexthop = (uint16_t)nexthop_hold(&(struct nexthop){
		.type = r.type,
		.scope = w->type == ROUTE_LOCAL ? SCOPE_HOST : SCOPE_LINK,
		.link = l->id,
		.asked_src = w->src,
		.table = r.table,
		.protocol = r.protocol,
	});
	return r;
}

static void wanted_add(const struct link *l, const struct wanted *w)
{
	struct route like = make_route(l, w);
	struct table *t = wanted_table(w);
	struct error err;

	if (!like.nexthop) {
		missing(l, w, "all next hops are in use");
		return;
	}
	for (struct route *r = table_find(t, like.prefix, like.len); r; r = r->next) {
		if (rib_same(r, &like)) {
			nexthop_release(like.nexthop);
			return;
		}
	}
	if (rib_insert(t, &like, false, &err)) {
		missing(l, w, err.text);
		nexthop_release(like.nexthop);
	}
}

static void wanted_del(const struct link *l, const struct wanted *w)
{
	struct route like = route_of(w);
	struct table *t = wanted_table(w);
	struct route *r = table_find(t, like.prefix, like.len);

	for (; r; r = r->next) {
		const struct nexthop *nh = nexthop_get(r->nexthop);

		if (r->type == like.type && r->protocol == ROUTE_PROTO_KERNEL &&
		    nh->link == l->id && (!w->src || nh->asked_src == w->src)) {
			rib_remove(t, r);
			return;
		}
	}
}

static bool still_wanted(const struct link *l, const struct wanted *w)
{
	struct wanted other[WANTED_MAX];

	for (unsigned int i = 0; i < addrs_n(l); i++)
		for (unsigned int n = wanted_by(l, &l->addrs->a[i], other); n-- > 0;)
			if (other[n].type == w->type && other[n].prefix == w->prefix &&
			    other[n].len == w->len && other[n].src == w->src)
				return true;
	return false;
}

/* ---- routes that go with something ---- */

struct doomed {
	uint16_t link;
	bool host_scope_too;
	bool link_deleted;
};

static bool is_doomed(const struct route *r, const struct doomed *d)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);

	if (!nexthop_over(r->nexthop, d->link))
		return false;
	if (nh->type == ROUTE_GROUP)
		return d->link_deleted || !group_alive(nh->group);
	return d->host_scope_too || nh->scope != SCOPE_HOST;
}

static void remove_over_link(struct table *t, struct route *r, void *arg)
{
	if (is_doomed(r, arg))
		rib_remove(t, r);
}

static void flush_link(const struct link *l, bool host_scope_too, bool link_deleted)
{
	bool groups = nexthop_set_dead(l->id, true);

	table_sweep(remove_over_link,
		    &(struct doomed){ l->id, host_scope_too, link_deleted });
	if (groups)
		rib_publish_link(l->id);
}

/* What is left of groups over a link that is up again has company; Linux's fib_sync_up. */
static void revive(const struct link *l)
{
	if (l->up && nexthop_set_dead(l->id, false))
		rib_publish_link(l->id);
}

static void remove_with_src(struct table *t, struct route *r, void *arg)
{
	const rte_be32_t *src = arg;

	if (r->table == ROUTE_TABLE_MAIN && nexthop_get(r->nexthop)->asked_src == *src)
		rib_remove(t, r);
}

/* ---- events ---- */

/* Linux's fib_valid_prefsrc(): the address may be an earlier subnet's broadcast address. */
static bool has_valid_source(const struct wanted *w)
{
	return w->type == ROUTE_LOCAL || !w->src || rib_addr_type(w->src) == ROUTE_LOCAL;
}

static void addr_added(const struct link *l, const struct link_addr *a)
{
	struct wanted w[WANTED_MAX];
	unsigned int n = wanted_by(l, a, w);

	for (unsigned int i = 0; i < (l->up ? n : 1); i++)
		if (has_valid_source(&w[i]))
			wanted_add(l, &w[i]);
}

static void addr_deleted(const struct link *l, const struct link_addr *a)
{
	struct wanted w[WANTED_MAX];
	rte_be32_t src = a->local;

	for (unsigned int n = wanted_by(l, a, w); n-- > 0;)
		if (!still_wanted(l, &w[n]))
			wanted_del(l, &w[n]);
	if (rib_addr_type(src) != ROUTE_LOCAL)
		table_sweep(remove_with_src, &src);
	if (addrs_n(l) == 0)
		flush_link(l, true, false);
}

static void addrs_added(const struct link *l)
{
	for (unsigned int i = 0; i < addrs_n(l); i++)
		addr_added(l, &l->addrs->a[i]);
}

static void carrier_changed(const struct link *l, bool carrier)
{
	if (nexthop_set_carrier(l->id, carrier) &&
	    LINK_CONF_OR(l, ignore_routes_with_linkdown))
		rib_publish_link(l->id);
}

static void linkdown_rule_changed(struct sysctl *s, int32_t old)
{
	for (unsigned int i = 0; i < LINKS_MAX && *s->value != old; i++) {
		if (!links[i] || links[i]->running)
			continue;
		nexthop_linkdown_rule(i);
		rib_publish_link(i);
	}
}

/* The setting belongs to the links' room; that it changes concerns this one. */
static void watch_linkdown_rule(const char *who)
{
	char name[64];
	struct sysctl *s;

	snprintf(name, sizeof(name), "net.ipv4.conf.%s.ignore_routes_with_linkdown", who);
	s = sysctl_find(name);
	if (s)
		s->changed = linkdown_rule_changed;
}

static void link_event(enum link_event event, struct link *l, const struct link_addr *a)
{
	if (!route_fib)
		return; /* this room was left before that of the links */
	switch (event) {
	case LINK_ADDED:
		watch_linkdown_rule(l->name);
		rule_links_changed();
		break;
	case LINK_UP:
		addrs_added(l);
		revive(l);
		break;
	case LINK_DOWN:
		flush_link(l, false, false);
		break;
	case LINK_DELETED:
		flush_link(l, true, true);
		nexthop_select_sources();
		rule_links_changed();
		break;
	case LINK_CARRIER_ON:
	case LINK_CARRIER_OFF:
		carrier_changed(l, event == LINK_CARRIER_ON);
		break;
	case LINK_ADDR_ADDED:
		addr_added(l, a);
		revive(l);
		nexthop_select_sources();
		break;
	case LINK_ADDR_DELETED:
		addr_deleted(l, a);
		nexthop_select_sources();
		break;
	case LINK_MTU:
	case LINK_ADDRESS:
		break;
	}
}

/* ---- what a configuration brings along ---- */

struct expected {
	int (*fn)(const struct route *r, void *arg);
	void *arg;
};

/* Of all that a link's addresses ask for from number `from` up to `to`. */
static int expect(const struct link *l, unsigned int from, unsigned int to, struct expected *e)
{
	struct wanted w[WANTED_MAX];
	int rc = 0;

	for (unsigned int i = 0; i < addrs_n(l); i++) {
		unsigned int n = RTE_MIN(wanted_by(l, &l->addrs->a[i], w), to);

		for (unsigned int j = from; j < n && !rc; j++) {
			struct route r;

			if (!l->up && w[j].type != ROUTE_LOCAL)
				continue;
			r = make_route(l, &w[j]);
			rc = r.nexthop ? e->fn(&r, e->arg) : -ENOSPC;
		}
	}
	return rc;
}

int connected_expected(int (*fn)(const struct route *r, void *arg), void *arg)
{
	struct expected e = { fn, arg };
	int rc = 0;

	for (unsigned int i = 0; i < LINKS_MAX && !rc; i++)
		if (links[i])
			rc = expect(links[i], 0, i == LINK_LO ? WANTED_MAX : 1, &e);
	for (unsigned int i = 0; i < LINKS_MAX && !rc; i++)
		if (links[i] && i != LINK_LO && links[i]->up)
			rc = expect(links[i], 1, WANTED_MAX, &e);
	return rc;
}

void connected_init(void)
{
	link_notifier_register(link_event);
	watch_linkdown_rule("all");
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		if (!links[i])
			continue;
		watch_linkdown_rule(links[i]->name);
		addrs_added(links[i]);
	}
}
