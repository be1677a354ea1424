/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the tables to what workers look up. Each prefix of a table has at most one entry there: the
 * first usable route's next hop, or where there are routes for some TOS only, a next hop that
 * chooses (by_tos.h). Every change is made in the tables, then the prefix is published again; a
 * next hop is given up only when no lookup leads to it any more.
 *
 *   table      is published in
 *   main       the FIB
 *   local      its trie, and the FIB while the two are looked up as one (merge.h)
 *   others     their trie
 *
 * Usable is what Linux's fib_lookup_good_nhc passes: a route over a link without carrier is, but
 * for ignore_routes_with_linkdown. Routes whose link is down do not exist (connected.c), but for
 * members of groups.
 */
#include "route/rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/prefix.h"
#include "route/by_tos.h"
#include "route/lookup.h"
#include "route/merge.h"
#include "route/rule.h"
#include "route/rule_set.h"

/* ---- the answer of a prefix ---- */

#define CHOICES_MAX 65      /* every TOS that a route can have, and any */

struct choices {
	struct by_tos b;
	unsigned char room[CHOICES_MAX * sizeof(((struct by_tos *)0)->choice[0])];
};

static bool chosen_already(const struct by_tos *b, uint8_t tos)
{
	for (unsigned int i = 0; i < b->n; i++)
		if (b->choice[i].tos == tos)
			return true;
	return false;
}

/* Add what can be chosen of a list of routes; returns whether it leaves nothing open. */
static bool choose_from(struct by_tos *b, const struct route *r)
{
	for (; r; r = r->next) {
		if (!nexthop_usable(r->nexthop) || chosen_already(b, r->tos))
			continue;
		b->choice[b->n].tos = r->tos;
		b->choice[b->n++].nexthop = r->nexthop;
		if (!r->tos)
			return true;
	}
	return false;
}

static bool same_choices(uint16_t index, const struct by_tos *b)
{
	const struct nexthop *nh = nexthop_get(index);

	return nh->type == ROUTE_BY_TOS && nh->by_tos->n == b->n &&
	       !memcmp(nh->by_tos->choice, b->choice, b->n * sizeof(b->choice[0]));
}

/* The next hop for these choices, `old` if that is the one. 0 or -ENOSPC. */
static int answer_for(const struct by_tos *b, uint16_t old, uint16_t *index)
{
	size_t bytes = sizeof(*b) + b->n * sizeof(b->choice[0]);
	struct by_tos *kept;

	*index = b->n ? b->choice[0].nexthop : FIB_NONE;
	if (!b->n || !b->choice[0].tos)
		return 0;
	*index = old;
	if (same_choices(old, b))
		return 0;
	kept = malloc(bytes);
	if (!kept)
		return -ENOSPC;
	memcpy(kept, b, bytes);
	*index = (uint16_t)nexthop_hold_by_tos(kept);
	if (*index)
		return 0;
	free(kept);
	return -ENOSPC;
}

static void answer_release(uint16_t index)
{
	if (nexthop_get(index)->type == ROUTE_BY_TOS)
		nexthop_release(index);
}

/* ---- publication ---- */

/* Where a prefix is looked up: in a trie, or (NULL) in the FIB. */
static uint16_t place_get(const struct trie *t, uint32_t prefix, unsigned int len)
{
	return t ? trie_get(t, prefix, len) : fib_get(route_fib, prefix, len);
}

static int place_set(struct trie *t, uint32_t prefix, unsigned int len, uint16_t index)
{
	if (t && index)
		return trie_set(t, prefix, len, index);
	if (t) {
		trie_unset(t, prefix, len);
		return 0;
	}
	return index ? fib_set(route_fib, prefix, len, index) : fib_unset(route_fib, prefix, len);
}

static int publish_lists(struct trie *place, const struct route *first,
			 const struct route *second, uint32_t prefix, unsigned int len)
{
	uint16_t old = place_get(place, prefix, len), index;
	struct choices c = { .b.n = 0 };
	int rc;

	if (!choose_from(&c.b, first))
		choose_from(&c.b, second);
	rc = answer_for(&c.b, old, &index);
	if (rc || index == old)
		return rc;
	rc = place_set(place, prefix, len, index);
	answer_release(rc ? index : old);
	return rc;
}

int rib_publish(struct table *t, uint32_t prefix, unsigned int len)
{
	const struct route *main_list = table_find(table_main, prefix, len);
	const struct route *local_list = table_find(table_local, prefix, len);
	int rc = 0;

	if (t != table_main)
		rc = publish_lists(&t->trie, table_find(t, prefix, len), NULL, prefix, len);
	if (!rc && (t == table_main || (t == table_local && !merge_is_split())))
		rc = publish_lists(NULL, merge_is_split() ? NULL : local_list, main_list, prefix,
				   len);
	return rc;
}

/* ---- changes ---- */

static int no_room(const struct table *t, const struct route *r, struct error *err)
{
	struct fib_stats s;

	fib_stats_get(route_fib, &s);
	if (t == table_main && r->len > 24 && s.blocks_used == s.blocks_max)
		return error_set(err, ENOSPC, "no room for a prefix longer than 24 bits in yet "
				 "another /24 (%u of %u have some)", s.blocks_used, s.blocks_max);
	return error_set(err, ENOSPC, "no room for another prefix: no memory, or all %d next hops "
			 "are in use", NEXTHOPS_MAX - 1);
}

int rib_insert(struct table *t, const struct route *like, bool in_front, struct error *err)
{
	int rc = merge_route_comes(t, like);
	struct route *r = rc ? NULL : table_insert(t, like, in_front);

	if (r) {
		if (!rib_publish(t, like->prefix, like->len)) {
			merge_route_came(t);
			return 0;
		}
		table_remove(t, r);
		rib_publish(t, like->prefix, like->len);
	}
	if (!rc)
		merge_route_gone(t, like);
	return r ? no_room(t, like, err)
		 : error_set(err, ENOMEM, "no memory for another route");
}

int rib_change(struct table *t, struct route *r, const struct route *like, struct error *err)
{
	const struct route old = *r;

	if (merge_route_comes(t, like))
		return error_set(err, ENOMEM, "no memory to change the route");
	r->type = like->type;
	r->protocol = like->protocol;
	r->nexthop = like->nexthop;
	if (rib_publish(t, r->prefix, r->len)) {
		*r = old;
		rib_publish(t, r->prefix, r->len);
		merge_route_gone(t, like);
		return no_room(t, like, err);
	}
	merge_route_gone(t, &old);
	nexthop_release(old.nexthop);
	return 0;
}

void rib_remove(struct table *t, struct route *r)
{
	const struct route old = *r;

	table_remove(t, r);
	rib_publish(t, old.prefix, old.len);
	merge_route_gone(t, &old);
	nexthop_release(old.nexthop);
}

bool rib_same(const struct route *a, const struct route *b)
{
	return a->table == b->table && a->prefix == b->prefix && a->len == b->len &&
	       a->tos == b->tos && a->metric == b->metric && a->type == b->type &&
	       a->protocol == b->protocol && a->nexthop == b->nexthop;
}

/* ---- searches ---- */

/* What is looked for; usable: as a packet would find it, else whatever the carrier. */
struct search {
	uint32_t addr;          /* host byte order */
	unsigned int scope;
	int link;               /* or ANY_LINK */
	uint8_t tos;
	bool usable;
};

/* Members of groups that are dead count where the carrier does not matter. */
static bool is_by_link(const struct route *r, const struct search *s)
{
	return lookup_by_link(r->nexthop, s->link) ||
	       (!s->usable && nexthop_over(r->nexthop, (unsigned int)s->link));
}

static const struct route *first_fitting(const struct route *r, const struct search *s)
{
	for (; r; r = r->next) {
		if (nexthop_get(r->nexthop)->scope < s->scope ||
		    (r->tos && r->tos != (s->tos & TOS_MATCHED)) || !is_by_link(r, s) ||
		    (s->usable && !nexthop_usable(r->nexthop)))
			continue;
		return r;
	}
	return NULL;
}

/* In one table, or in two that are looked up as one. */
static const struct route *search(const struct table *t, const struct table *second,
				  const struct search *s)
{
	const struct route *r;

	for (int len = 32; len >= 0; len--) {
		uint32_t prefix = s->addr & prefix_mask((unsigned int)len);

		r = first_fitting(table_find(t, prefix, (unsigned int)len), s);
		if (!r && second)
			r = first_fitting(table_find(second, prefix, (unsigned int)len), s);
		if (r)
			return r;
	}
	return NULL;
}

static bool leaves_open(const struct route *r)
{
	return !r || r->type == ROUTE_THROW;
}

static const struct route *search_merged(const struct search *s)
{
	const struct route *r = search(table_local, table_main, s);

	return leaves_open(r) ? search(table_default, NULL, s) : r;
}

static void search_rules(const struct search *s, const struct route_flow *f,
			 struct route_answer *a)
{
	const struct rule_set *set = route_rules;
	const rule_key key = rule_key_of(f);

	for (unsigned int i = 0; i < set->n; i++) {
		const struct rule *r = &set->rules[i];

		if (!rule_matches(r, key))
			continue;
		a->by_rule = true;
		a->priority = r->priority;
		a->route = r->table ? search(r->table, NULL, s) : NULL;
		a->nexthop = r->table ? 0 : r->nexthop;
		if (!r->table || !leaves_open(a->route))
			return;
	}
	*a = (struct route_answer){ 0 };
}

static void answer(const struct search *s, const struct route_flow *f, struct route_answer *a)
{
	*a = (struct route_answer){ 0 };
	if (route_rules)
		search_rules(s, f, a);
	else
		a->route = search_merged(s);
	if (leaves_open(a->route))
		a->route = NULL;
	else
		a->nexthop = lookup_by_link(a->route->nexthop, s->link);
}

void route_explain(const struct route_flow *f, int link, struct route_answer *a)
{
	struct search s = { .addr = rte_be_to_cpu_32(f->dst), .link = link, .tos = f->tos,
			    .usable = true };

	answer(&s, f, a);
	if (!route_rules && a->route) {
		a->by_rule = true;
		a->priority = a->route->table == ROUTE_TABLE_LOCAL ? RULE_PRIORITY_LOCAL :
			      a->route->table == ROUTE_TABLE_MAIN ? RULE_PRIORITY_MAIN :
								    RULE_PRIORITY_DEFAULT;
	}
}

const struct route *rib_lookup(uint32_t table, rte_be32_t addr, unsigned int scope, int link)
{
	struct search s = { .addr = rte_be_to_cpu_32(addr), .scope = scope, .link = link };
	struct route_flow f = { .dst = addr, .iif = LINK_LO };
	struct table *t = table_get(table);
	struct route_answer a;
	const struct route *r = NULL;

	if (t && t != table_main && (merge_is_unmerged() || t != table_local))
		r = search(t, NULL, &s);
	if (!leaves_open(r) && r->type <= ROUTE_BROADCAST)
		return r;
	answer(&s, &f, &a);
	return a.route;
}

unsigned int rib_addr_type(rte_be32_t addr)
{
	struct search s = { .addr = rte_be_to_cpu_32(addr), .link = ANY_LINK };
	const struct route *r;

	if (s.addr >> 24 == 0 || s.addr == UINT32_MAX)
		return ROUTE_BROADCAST;
	if (s.addr >> 28 == 0xe)
		return ROUTE_MULTICAST;
	r = search(table_local, merge_is_unmerged() ? NULL : table_main, &s);
	return r && (r->type == ROUTE_LOCAL || r->type == ROUTE_BROADCAST) ? r->type
									   : ROUTE_UNICAST;
}

/* ---- carrier ---- */

/* Where there is no room in the FIB, the prefix is left out until its next change. */
static void publish_over_link(struct table *t, struct route *r, void *arg)
{
	const unsigned int *link = arg;

	if (nexthop_over(r->nexthop, *link))
		rib_publish(t, r->prefix, r->len);
}

void rib_publish_link(unsigned int link)
{
	table_sweep(publish_over_link, &link);
}
