/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the tables to what workers look up. Each prefix of a table has at most one entry there: the
 * first usable route's next hop, or where there are routes for some TOS only, a next hop that
 * chooses (by_tos.h); and, beside, its others, for those who must leave by a certain link. Every
 * change is made in the tables, then the prefix is published again; a next hop is given up only
 * when no lookup leads to it any more.
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

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/prefix.h"
#include "route/by_tos.h"
#include "route/group.h"
#include "route/lookup.h"
#include "route/merge.h"
#include "route/rule.h"
#include "route/rule_set.h"
#include "route/table_fib.h"

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

static size_t size_of(unsigned int choices)
{
	return sizeof(struct by_tos) + choices * sizeof(((struct by_tos *)0)->choice[0]);
}

static bool same_choices(const struct by_tos *a, const struct by_tos *b)
{
	return a->n == b->n && !memcmp(a->choice, b->choice, b->n * sizeof(b->choice[0]));
}

/* What is published of a prefix. */
struct published {
	uint16_t index;
	struct by_tos *choice;          /* what the index will choose from; NULL: it stays */
	struct by_tos *others;          /* NULL: none */
};

/* The next hop for these choices: that of `old` if it chooses, too. 0 or -ENOSPC. */
static int answer_for(const struct by_tos *b, const struct published *old, struct published *now)
{
	const struct nexthop *was = nexthop_get(old->index);
	struct by_tos *kept;

	now->index = b->n ? b->choice[0].nexthop : FIB_NONE;
	if (!b->n || !b->choice[0].tos)
		return 0;
	now->index = old->index;
	if (was->type == ROUTE_BY_TOS && same_choices(was->by_tos, b))
		return 0;
	kept = malloc(size_of(b->n));
	if (!kept)
		return -ENOSPC;
	memcpy(kept, b, size_of(b->n));
	if (was->type == ROUTE_BY_TOS) {
		now->choice = kept;
		return 0;
	}
	now->index = (uint16_t)nexthop_hold_by_tos(kept);
	if (now->index)
		return 0;
	free(kept);
	return -ENOSPC;
}

static void answer_release(uint16_t index)
{
	if (nexthop_get(index)->type == ROUTE_BY_TOS)
		nexthop_release(index);
}

/* ---- the others of a prefix ---- */

#define NO_LINK UINT16_MAX  /* what leads there refuses packets */

/* Does a route of this TOS before answer those who must leave by this link? */
static bool answered(const struct by_tos *others, uint8_t tos, unsigned int link)
{
	for (unsigned int i = 0; i < others->n; i++)
		if (others->choice[i].tos == tos &&
		    lookup_by_link(others->choice[i].nexthop, (int)link))
			return true;
	return false;
}

/* Does a route answer anybody whom no route of its TOS before it answers? */
static bool adds_link(const struct by_tos *others, const struct route *r)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);

	if (nh->type != ROUTE_GROUP)
		return !answered(others, r->tos, lookup_by_link(r->nexthop, NO_LINK) ? NO_LINK
										     : nh->link);
	for (unsigned int i = 0; i < nh->group->n; i++) {
		uint32_t member = nh->group->members[i].nexthop;

		if (nexthop_usable(member) &&
		    !answered(others, r->tos, nexthop_get(member)->link))
			return true;
	}
	return false;
}

static void add_others(struct by_tos *others, const struct route *r)
{
	for (; r && !answered(others, 0, NO_LINK); r = r->next) {
		if (!nexthop_usable(r->nexthop) || !adds_link(others, r))
			continue;
		others->choice[others->n].tos = r->tos;
		others->choice[others->n++].nexthop = r->nexthop;
	}
}

static unsigned int count_routes(const struct route *r)
{
	unsigned int n = 0;

	for (; r; r = r->next)
		n++;
	return n;
}

/* The others of a prefix whose routes are in these lists and whose entry is for these choices:
 * those that it had, if they are the same, else of calloc(). NULL: it has none. Without memory it
 * has none either, and only the best of its routes is found. */
static struct by_tos *others_for(const struct route *first, const struct route *second,
				 const struct by_tos *chosen, struct by_tos *old)
{
	unsigned int n = count_routes(first) + count_routes(second);
	struct by_tos *b = n > chosen->n ? calloc(1, size_of(n)) : NULL;

	if (!b)
		return NULL;
	add_others(b, first);
	add_others(b, second);
	if (b->n && !same_choices(b, chosen) && !(old && same_choices(b, old)))
		return b;
	if (!b->n || same_choices(b, chosen))
		old = NULL;
	free(b);
	return old;
}

/* ---- publication ---- */

static uint16_t entry_get(const struct table *t, uint32_t prefix, unsigned int len)
{
	return t == table_main ? fib_get(route_fib, prefix, len)
			       : (uint16_t)trie_get(&t->trie, prefix, len);
}

static int place_set(struct trie *t, uint32_t prefix, unsigned int len, uintptr_t value)
{
	if (value)
		return trie_set(t, prefix, len, value);
	trie_unset(t, prefix, len);
	return 0;
}

static int entry_set(struct table *t, uint32_t prefix, unsigned int len, uint16_t index)
{
	int rc;

	if (t == table_main)
		return index ? fib_set(route_fib, prefix, len, index)
			     : fib_unset(route_fib, prefix, len);
	rc = place_set(&t->trie, prefix, len, index);
	if (!rc)
		table_fib_follow(t, prefix, len, index);
	return rc;
}

static struct published published(const struct table *t, uint32_t prefix, unsigned int len)
{
	return (struct published){ .index = entry_get(t, prefix, len),
				   .others = (struct by_tos *)trie_get(&t->others, prefix, len) };
}

/* Others come before the entry changes, and go after it: a search finds what was or what is. */
static int change(struct table *t, uint32_t prefix, unsigned int len, const struct published *old,
		  struct published *now)
{
	int rc = 0;

	if (now->others && now->others != old->others &&
	    trie_set(&t->others, prefix, len, (uintptr_t)now->others)) {
		free(now->others);
		now->others = NULL;
	}
	if (now->choice)
		nexthop_set_by_tos(now->index, now->choice);
	else if (now->index != old->index)
		rc = entry_set(t, prefix, len, now->index);
	if (rc)         /* if there were any there is a place for them */
		place_set(&t->others, prefix, len, (uintptr_t)old->others);
	else if (!now->others)
		trie_unset(&t->others, prefix, len);
	return rc;
}

static void give_up(const struct published *p, const struct published *instead)
{
	if (p->index != instead->index)
		answer_release(p->index);
	if (p->others && p->others != instead->others)
		rcu_defer(free, p->others);
}

static int publish_lists(struct table *t, const struct route *first, const struct route *second,
			 uint32_t prefix, unsigned int len)
{
	struct published old = published(t, prefix, len), now = { 0 };
	struct choices c = { .b.n = 0 };
	int rc;

	if (!choose_from(&c.b, first))
		choose_from(&c.b, second);
	rc = answer_for(&c.b, &old, &now);
	if (rc)
		return rc;
	now.others = others_for(first, second, &c.b, old.others);
	rc = change(t, prefix, len, &old, &now);
	if (rc)
		give_up(&now, &old);
	else
		give_up(&old, &now);
	return rc;
}

/* Of a table in its trie. */
static int publish_own(struct table *t, uint32_t prefix, unsigned int len)
{
	return publish_lists(t, table_find(t, prefix, len), NULL, prefix, len);
}

static bool is_in_fib(const struct table *t)
{
	return t == table_main || (t == table_local && !merge_is_split());
}

static int publish_in_fib(uint32_t prefix, unsigned int len)
{
	return publish_lists(table_main,
			     merge_is_split() ? NULL : table_find(table_local, prefix, len),
			     table_find(table_main, prefix, len), prefix, len);
}

int rib_publish(struct table *t, uint32_t prefix, unsigned int len)
{
	int rc = t != table_main ? publish_own(t, prefix, len) : 0;

	if (!rc && is_in_fib(t))
		rc = publish_in_fib(prefix, len);
	return rc;
}

/* For workers it is as if it had no routes, until it changes again. */
static void leave_out(struct table *t, uint32_t prefix, unsigned int len)
{
	struct published old = published(t, prefix, len), now = { 0 };
	rte_be32_t addr = rte_cpu_to_be_32(prefix);
	char text[INET_ADDRSTRLEN];

	change(t, prefix, len, &old, &now);
	give_up(&old, &now);
	log_warning("table %s: no room for what is left of %s/%u: as if it had no routes",
		    table_name(t->id), inet_ntop(AF_INET, &addr, text, sizeof(text)), len);
}

void rib_republish(struct table *t, uint32_t prefix, unsigned int len)
{
	if (t != table_main && publish_own(t, prefix, len))
		leave_out(t, prefix, len);
	if (is_in_fib(t) && publish_in_fib(prefix, len))
		leave_out(table_main, prefix, len);
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
		rib_republish(t, like->prefix, like->len);
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
		rib_republish(t, r->prefix, r->len);
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
	rib_republish(t, old.prefix, old.len);
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

/* In a table of its own number, where that leads anywhere. */
static const struct route *search_own(const struct table *t, const struct search *s)
{
	const struct route *r = t && t != table_main ? search(t, NULL, s) : NULL;

	return !leaves_open(r) && r->type <= ROUTE_BROADCAST ? r : NULL;
}

const struct route *rib_lookup(uint32_t table, rte_be32_t addr, unsigned int scope, int link)
{
	struct search s = { .addr = rte_be_to_cpu_32(addr), .scope = scope, .link = link };
	struct route_flow f = { .dst = addr, .iif = LINK_LO };
	struct table *t = table_get(table);
	struct route_answer a;
	const struct route *r = NULL;

	if (merge_is_unmerged() || t != table_local)
		r = search_own(t, &s);
	if (r)
		return r;
	answer(&s, &f, &a);
	return a.route;
}

const struct route *rib_lookup_at_start(uint32_t table, rte_be32_t addr, unsigned int scope,
					int link)
{
	struct search s = { .addr = rte_be_to_cpu_32(addr), .scope = scope, .link = link };
	struct table *t = table_get(table);
	const struct route *r = t != table_local ? search_own(t, &s) : NULL;

	if (!r)
		r = search_merged(&s);
	return leaves_open(r) ? NULL : r;
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

static void publish_over_link(struct table *t, struct route *r, void *arg)
{
	const unsigned int *link = arg;

	if (nexthop_over(r->nexthop, *link))
		rib_republish(t, r->prefix, r->len);
}

void rib_publish_link(unsigned int link)
{
	table_sweep(publish_over_link, &link);
}
