/* SPDX-License-Identifier: BSD-3-Clause */
/* See group.h. */
#include "route/group.h"

#include <stdlib.h>
#include <string.h>

#include <rte_hash_crc.h>

#include "core/rcu.h"

static size_t size_of(unsigned int members)
{
	return sizeof(struct group) + members * sizeof(struct group_member);
}

void group_find_first(struct group *g)
{
	unsigned int i = 0;

	while (i < g->n && !nexthop_usable(g->members[i].nexthop))
		i++;
	g->usable = i < g->n;
	__atomic_store_n(&g->first, (uint16_t)(g->usable ? i : 0), __ATOMIC_RELAXED);
}

/* Linux's fib_rebalance: each bound is the share of all usable weights so far, rounded. */
static void set_bounds(struct group *g)
{
	uint64_t total = 0, sum = 0;

	group_find_first(g);
	for (unsigned int i = 0; i < g->n; i++)
		if (nexthop_usable(g->members[i].nexthop))
			total += g->members[i].weight;
	for (unsigned int i = 0; i < g->n; i++) {
		struct group_member *m = &g->members[i];

		m->bound = -1;
		if (!nexthop_usable(m->nexthop))
			continue;
		sum += m->weight;
		m->bound = (int32_t)(((sum << 31) + total / 2) / total - 1);
	}
}

static struct group *copy(const struct group *like)
{
	struct group *g = malloc(size_of(like->n));

	if (g)
		memcpy(g, like, size_of(like->n));
	return g;
}

struct group *group_new(const struct group *like)
{
	struct group *g = copy(like);

	if (!g)
		return NULL;
	for (unsigned int i = 0; i < g->n; i++)
		nexthops[g->members[i].nexthop].refs++;
	set_bounds(g);
	return g;
}

void group_free(struct group *g)
{
	free(g);
}

/* Without memory for a new one the old one is changed in place: a flow may then go astray for a
 * moment, but not for ever. */
void group_balance(struct nexthop *nh)
{
	struct group *old = nh->group, *g = copy(old);

	if (!g) {
		set_bounds(old);
		return;
	}
	set_bounds(g);
	rcu_assign(nh->group, g);
	rcu_defer(free, old);
}

bool group_alive(const struct group *g)
{
	for (unsigned int i = 0; i < g->n; i++)
		if (!(nexthops[g->members[i].nexthop].flags & NEXTHOP_F_DEAD))
			return true;
	return false;
}

bool group_same(const struct group *a, const struct group *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned int i = 0; i < a->n; i++)
		if (a->members[i].nexthop != b->members[i].nexthop ||
		    a->members[i].weight != b->members[i].weight)
			return false;
	return true;
}

uint32_t group_hash(const struct group *g, uint32_t seed)
{
	for (unsigned int i = 0; i < g->n; i++)
		seed = rte_hash_crc_4byte((uint32_t)g->members[i].nexthop << 16 |
					  g->members[i].weight, seed);
	return seed;
}
