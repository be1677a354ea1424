/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops, shared by all routes that ask for the same (a full Internet table has a million
 * routes and a few hundred next hops), found again by a chained hash over the array itself.
 *
 * The preferred source follows Linux's fib_result_prefsrc: the route's own `src`, else
 * inet_select_addr() on the link towards the gateway, within the route's scope. Linux finds it
 * again at the first use after an address has changed; here it is done at once, so that workers
 * read one word.
 */
#include "route/nexthop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_hash_crc.h>

#include "core/rcu.h"
#include "link/link.h"
#include "route/by_tos.h"
#include "route/group.h"
#include "route/pages.h"

#define BUCKETS 16384u
#define NEXTHOPS_BYTES (NEXTHOPS_MAX * sizeof(struct nexthop))

_Static_assert(sizeof(struct nexthop) == RTE_CACHE_LINE_SIZE, "one cache line");

struct nexthop *nexthops;
void (*nexthop_changed)(uint32_t index);

static uint32_t buckets[BUCKETS];       /* first index of each chain, 0: empty */
static uint32_t fresh;                  /* from here on never used */
static uint32_t free_list;
static unsigned int used, retired;      /* retired: wait for the end of their grace period */

static const char *const type_names[] = {
	[ROUTE_NONE] = "none",
	[ROUTE_UNICAST] = "unicast",
	[ROUTE_LOCAL] = "local",
	[ROUTE_BROADCAST] = "broadcast",
	[ROUTE_BLACKHOLE] = "blackhole",
	[ROUTE_UNREACHABLE] = "unreachable",
	[ROUTE_PROHIBIT] = "prohibit",
	[ROUTE_THROW] = "throw",
	[ROUTE_MULTICAST] = "multicast",
};

const char *route_type_name(unsigned int type)
{
	return type < RTE_DIM(type_names) ? type_names[type] : "unknown";
}

int route_type_parse(const char *word)
{
	for (int i = ROUTE_UNICAST; i <= ROUTE_MULTICAST; i++)
		if (!strcmp(word, type_names[i]))
			return i;
	return -1;
}

int nexthop_init(void)
{
	nexthops = pages_map(NEXTHOPS_BYTES, true, -1);
	if (!nexthops)
		return -ENOMEM;
	memset(buckets, 0, sizeof(buckets));
	fresh = 1;
	free_list = 0;
	used = 0;
	return 0;
}

/* The ways or choices that a next hop leads on to are its own. */
static void owned_free(const struct nexthop *nh)
{
	if (nh->type == ROUTE_GROUP)
		group_free(nh->group);
	else if (nh->type == ROUTE_BY_TOS)
		free((void *)(uintptr_t)nh->by_tos);
}

void nexthop_fini(void)
{
	if (retired)
		rcu_synchronize();
	for (uint32_t i = 1; nexthops && i < fresh; i++)
		if (nexthops[i].refs)
			owned_free(&nexthops[i]);
	pages_unmap(nexthops, NEXTHOPS_BYTES);
	nexthops = NULL;
}

/* ---- what depends on links and addresses ---- */

static bool over_link(const struct nexthop *nh)
{
	return nh->type == ROUTE_UNICAST || nh->type == ROUTE_LOCAL ||
	       nh->type == ROUTE_BROADCAST;
}

static rte_be32_t select_source(const struct nexthop *nh)
{
	const struct link *l = link_get(nh->link);

	if (nh->asked_src || !over_link(nh) || !l)
		return nh->asked_src;
	return addr_select(l, nh->via, nh->scope);
}

/* Host scope does not depend on the link: the router's own addresses answer on every link. */
static bool needs_carrier(const struct nexthop *nh)
{
	return over_link(nh) && nh->scope != SCOPE_HOST;
}

void nexthop_select_sources(void)
{
	for (uint32_t i = 1; i < fresh; i++)
		if (nexthops[i].refs)
			__atomic_store_n(&nexthops[i].src, select_source(&nexthops[i]),
					 __ATOMIC_RELAXED);
}

/* Flags of what leads over a link; only: those that have this flag. */
static bool change_flags(unsigned int link, uint32_t only, uint32_t clear, uint32_t set)
{
	bool any = false;

	for (uint32_t i = 1; i < fresh; i++) {
		struct nexthop *nh = &nexthops[i];

		if (!nh->refs || nh->link != link || !needs_carrier(nh) ||
		    (nh->flags & only) != only)
			continue;
		__atomic_store_n(&nh->flags, (nh->flags & ~clear) | set, __ATOMIC_RELAXED);
		any = true;
	}
	return any;
}

static void balance_groups(unsigned int link)
{
	for (uint32_t i = 1; i < fresh; i++)
		if (nexthops[i].refs && nexthops[i].type == ROUTE_GROUP && nexthop_over(i, link))
			group_balance(&nexthops[i]);
}

bool nexthop_set_carrier(unsigned int link, bool carrier)
{
	bool any = change_flags(link, 0, NEXTHOP_F_LINKDOWN, carrier ? 0 : NEXTHOP_F_LINKDOWN);

	balance_groups(link);
	return any;
}

bool nexthop_set_dead(unsigned int link, bool dead)
{
	const struct link *l = link_get(link);
	uint32_t both = NEXTHOP_F_DEAD | NEXTHOP_F_LINKDOWN, set = both;
	bool any;

	if (!dead)
		set = l && l->running ? 0 : NEXTHOP_F_LINKDOWN;
	any = change_flags(link, NEXTHOP_F_MEMBER, both, set);
	if (any)
		balance_groups(link);
	return any;
}

void nexthop_linkdown_rule(unsigned int link)
{
	for (uint32_t i = 1; i < fresh; i++)
		if (nexthops[i].refs && nexthops[i].type == ROUTE_GROUP && nexthop_over(i, link))
			group_find_first(nexthops[i].group);
}

bool nexthop_over(uint32_t index, unsigned int link)
{
	const struct nexthop *nh = &nexthops[index];
	const struct group *g;

	if (nh->type != ROUTE_GROUP)
		return over_link(nh) && nh->link == link;
	g = group_of(nh);
	for (unsigned int i = 0; i < g->n; i++)
		if (nexthops[g->members[i].nexthop].link == link)
			return true;
	return false;
}

bool nexthop_usable(uint32_t index)
{
	const struct nexthop *nh = &nexthops[index];
	uint32_t flags = __atomic_load_n(&nh->flags, __ATOMIC_RELAXED);
	const struct link *l;

	if (nh->type == ROUTE_GROUP)
		return nh->group->usable;
	if (flags & NEXTHOP_F_DEAD)
		return false;
	if (!(flags & NEXTHOP_F_LINKDOWN))
		return true;
	l = link_get(nh->link);
	return !l || !LINK_CONF_OR(l, ignore_routes_with_linkdown);
}

/* ---- the hash ---- */

static bool same(const struct nexthop *a, const struct nexthop *b)
{
	return a->type == b->type && a->scope == b->scope && a->link == b->link &&
	       a->via == b->via && a->gateway == b->gateway && a->asked_src == b->asked_src &&
	       a->mtu == b->mtu && a->hoplimit == b->hoplimit && a->table == b->table &&
	       a->metric == b->metric && a->protocol == b->protocol && a->place == b->place &&
	       !((a->flags ^ b->flags) & NEXTHOP_F_IDENTITY) &&
	       (a->type != ROUTE_GROUP || group_same(a->group, b->group));
}

static uint32_t *bucket_of(const struct nexthop *nh)
{
	uint32_t h = rte_hash_crc_4byte((uint32_t)nh->type << 16 | nh->link, nh->mtu);

	h = rte_hash_crc_4byte(nh->via, h);
	h = rte_hash_crc_4byte(nh->asked_src, h);
	h = rte_hash_crc_4byte(nh->table ^ nh->place, h);
	h = rte_hash_crc_4byte(nh->metric, h);
	if (nh->type == ROUTE_GROUP)
		h = group_hash(nh->group, h);
	return &buckets[h % BUCKETS];
}

static uint32_t index_take(void)
{
	uint32_t index;

	if (!free_list && fresh == NEXTHOPS_MAX && retired)
		rcu_synchronize();
	index = free_list;
	if (index)
		free_list = nexthops[index].next;
	else if (fresh < NEXTHOPS_MAX)
		index = fresh++;
	return index;
}

static void index_give_back(uint32_t index)
{
	nexthops[index].next = free_list;
	free_list = index;
}

static void index_free(void *arg)
{
	uint32_t index = (uint32_t)(uintptr_t)arg;

	owned_free(&nexthops[index]);
	index_give_back(index);
	retired--;
}

uint32_t nexthop_hold(const struct nexthop *like)
{
	uint32_t *bucket = bucket_of(like);
	const struct link *l = link_get(like->link);
	struct nexthop *nh;
	uint32_t index;

	for (index = *bucket; index; index = nexthops[index].next) {
		if (same(&nexthops[index], like)) {
			nexthops[index].refs++;
			return index;
		}
	}
	index = index_take();
	if (!index)
		return 0;
	nh = &nexthops[index];
	*nh = *like;
	if (nh->type == ROUTE_GROUP) {
		nh->group = group_new(like->group);
		if (!nh->group) {
			index_give_back(index);
			return 0;
		}
	}
	nh->flags &= NEXTHOP_F_IDENTITY | NEXTHOP_F_DEAD;
	if (nh->flags & NEXTHOP_F_DEAD || (needs_carrier(nh) && l && !l->running))
		nh->flags |= NEXTHOP_F_LINKDOWN;
	nh->src = select_source(nh);
	nh->refs = 1;
	nh->next = *bucket;
	*bucket = index;
	used++;
	if (nexthop_changed)
		nexthop_changed(index);
	return index;
}

uint32_t nexthop_hold_by_tos(struct by_tos *by_tos)
{
	uint32_t index = index_take();

	if (!index)
		return 0;
	nexthops[index] = (struct nexthop){ .type = ROUTE_BY_TOS, .by_tos = by_tos, .refs = 1 };
	used++;
	return index;
}

void nexthop_set_by_tos(uint32_t index, struct by_tos *by_tos)
{
	void *old = (void *)(uintptr_t)nexthops[index].by_tos;

	rcu_assign(nexthops[index].by_tos, by_tos);
	rcu_defer(free, old);
}

static void unhash(uint32_t index)
{
	uint32_t *at = bucket_of(&nexthops[index]);

	while (*at != index)
		at = &nexthops[*at].next;
	*at = nexthops[index].next;
}

void nexthop_release(uint32_t index)
{
	const struct nexthop *nh = &nexthops[index];

	if (--nexthops[index].refs)
		return;
	if (nh->type != ROUTE_BY_TOS)
		unhash(index);
	if (nh->type == ROUTE_GROUP)
		for (unsigned int i = 0; i < nh->group->n; i++)
			nexthop_release(nh->group->members[i].nexthop);
	used--;
	retired++;
	if (nexthop_changed)
		nexthop_changed(index);
	rcu_defer(index_free, (void *)(uintptr_t)index);
}

unsigned int nexthop_used(void)
{
	return used;
}
