/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lookups off the plain path: by the rules, by TOS, in tables other than main. Linux's
 * __fib_lookup (fib_rules_lookup) and fib_table_lookup. All of it is bounded: by the number of
 * rules, by 33 prefix lengths, and by the routes that one prefix has for different TOS and links.
 */
#include "route/lookup.h"

#include "core/rcu.h"
#include "route/by_tos.h"
#include "route/group.h"
#include "route/rule_set.h"
#include "route/table.h"

struct fib *route_fib;
struct rule_set *route_rules;

/* What is looked for: a flow's way, and if it must leave by a certain link, by that. */
struct search {
	struct route_flow flow;
	int link;
	const struct by_tos *const *others; /* of the table that is searched, by the length of their
					     * prefix; NULL: none */
	unsigned int *len;      /* gets that of the prefix that is found; NULL: never mind */
};

uint32_t lookup_by_link(uint32_t index, int link)
{
	const struct nexthop *nh = nexthop_get(index);
	const struct group *g;

	if (link == ANY_LINK)
		return index;
	if (nh->type == ROUTE_UNICAST || nh->type == ROUTE_LOCAL || nh->type == ROUTE_BROADCAST)
		return nh->link == link ? index : 0;
	if (nh->type != ROUTE_GROUP)
		return index;
	g = group_of(nh);
	for (unsigned int i = 0; i < g->n; i++)
		if (nexthop_get(g->members[i].nexthop)->link == link &&
		    nexthop_usable(g->members[i].nexthop))
			return g->members[i].nexthop;
	return 0;
}

static uint32_t choose(const struct by_tos *b, const struct search *s)
{
	uint32_t answer = 0;

	for (unsigned int i = 0; i < b->n && !answer; i++)
		if (by_tos_fits(b, i, s->flow.tos))
			answer = lookup_by_link(b->choice[i].nexthop, s->link);
	return answer;
}

/* From what is stored for a prefix to a next hop; 0: the prefix has none for this search. */
static uint32_t answer_of(uint16_t index, unsigned int len, const void *search)
{
	const struct nexthop *nh = nexthop_get(index);
	const struct search *s = search;
	uint32_t answer;

	if (unlikely(s->others && s->others[len]))
		answer = choose(s->others[len], s);
	else if (nh->type == ROUTE_BY_TOS)
		answer = choose(rcu_read(nh->by_tos), s);
	else
		answer = lookup_by_link(index, s->link);
	if (unlikely(answer && s->len))
		*s->len = len;
	return answer;
}

/* What the longest prefix has for a search. False: none, though there is that prefix. */
static bool search_longest(const struct fib *fib, const struct search *s, uint32_t *answer)
{
	uint16_t index = fib_lookup(fib, rte_be_to_cpu_32(s->flow.dst));
	const struct nexthop *nh = nexthop_get(index);

	*answer = nh->type == ROUTE_BY_TOS ? choose(rcu_read(nh->by_tos), s) : index;
	return *answer || !index;
}

static uint32_t search_fib(const struct search *s)
{
	uint32_t answer;

	if (likely(!s->len && search_longest(route_fib, s, &answer)))
		return answer;
	return fib_lookup_where(route_fib, rte_be_to_cpu_32(s->flow.dst), answer_of, s);
}

/* The FIB that a large table may have knows no others, and no lengths. */
static uint32_t search_trie(const struct table *t, const struct search *s)
{
	const struct fib *fib = s->others || s->len ? NULL : rcu_read(t->fib);
	struct trie_found found[TRIE_DEPTH];
	uint32_t answer = FIB_NONE;
	unsigned int n;

	if (fib && search_longest(fib, s, &answer))
		return answer;
	n = trie_match(&t->trie, rte_be_to_cpu_32(s->flow.dst), found);
	while (n-- > 0 && !answer)
		answer = answer_of((uint16_t)found[n].value, found[n].len, s);
	return answer;
}

/* The others are read first: a change of a prefix that ends while this goes on may be seen as far
 * as its best route is concerned, and no further. */
static uint32_t search_over(const struct table *t, const struct search *s)
{
	uint32_t addr = rte_be_to_cpu_32(s->flow.dst);
	const struct by_tos *others[TRIE_DEPTH] = { NULL };
	struct search over = { s->flow, s->link, others, s->len };
	struct trie_found found[TRIE_DEPTH];
	unsigned int n = trie_match(&t->others, addr, found);

	while (n-- > 0)
		others[found[n].len] = (const struct by_tos *)found[n].value;
	if (t == table_main)
		return fib_lookup_where(route_fib, addr, answer_of, &over);
	return search_trie(t, &over);
}

static uint32_t search_table(const struct table *t, const struct search *s)
{
	if (unlikely(s->link != ANY_LINK))
		return search_over(t, s);
	return t == table_main ? search_fib(s) : search_trie(t, s);
}

static uint32_t search_rules(const struct rule_set *set, const struct search *s)
{
	const rule_key key = rule_key_of(&s->flow);

	for (unsigned int i = 0; i < set->n; i++) {
		const struct rule *r = &set->rules[i];
		uint32_t index;

		if (!rule_matches(r, key))
			continue;
		if (!r->table)
			return r->nexthop;
		index = search_table(r->table, s);
		if (nexthop_get(index)->type != ROUTE_NONE)
			return index;
	}
	return FIB_NONE;
}

static bool is_own(uint32_t index)
{
	uint8_t type = nexthop_get(index)->type;

	return type == ROUTE_LOCAL || type == ROUTE_BROADCAST;
}

/* The same by a set that is merged, where neither a link nor a length is asked for: one lookup in
 * the FIB is that of local and main. */
static uint32_t search_rules_merged(const struct rule_set *set, const struct search *s)
{
	const rule_key key = rule_key_of(&s->flow);
	uint32_t fib = search_fib(s), index;

	if (is_own(fib))
		return fib;
	for (unsigned int i = 1; i < set->n; i++) {
		const struct rule *r = &set->rules[i];

		if (!rule_matches(r, key))
			continue;
		if (!r->table)
			return r->nexthop;
		index = r->table == table_main ? fib : search_table(r->table, s);
		if (nexthop_get(index)->type != ROUTE_NONE)
			return index;
	}
	return FIB_NONE;
}

bool rule_diverts(const struct rule *r, rte_be32_t dst, uint8_t tos, uint32_t *index)
{
	const struct search s = { .flow = { .dst = dst, .tos = tos }, .link = ANY_LINK };

	if (!is_own(*index) && r->table != table_main) {
		uint32_t answer = r->table ? search_table(r->table, &s) : r->nexthop;

		if (r->table && nexthop_get(answer)->type == ROUTE_NONE)
			return false;
		*index = answer;
	}
	return true;
}

static const struct fib *fib_of(const struct rule *r)
{
	if (!r->table)
		return NULL;
	return r->table == table_main ? route_fib : rcu_read(r->table->fib);
}

const struct fib_view *rule_slots(const struct rule *r)
{
	const struct fib *fib = fib_of(r);

	return fib ? fib_view(fib) : NULL;
}

void rule_longest(const struct rule *r, const uint32_t *dst, uint16_t *index, unsigned int n)
{
	const struct fib *fib = fib_of(r);

	if (fib)
		fib_lookup_bulk(fib, dst, index, n);
	else
		for (unsigned int i = 0; i < n; i++)
			index[i] = r->table ? (uint16_t)trie_longest(&r->table->trie, dst[i])
					    : r->nexthop;
}

static uint32_t search_merged(const struct search *s)
{
	uint32_t index = search_table(table_main, s);

	return nexthop_get(index)->type != ROUTE_NONE ? index : search_table(table_default, s);
}

/* The rules may have come or gone since somebody asked whether there are any. */
static uint32_t search_all(const struct search *s)
{
	const struct rule_set *set = rcu_read(route_rules);

	if (!set)
		return search_merged(s);
	return set->merged && s->link == ANY_LINK && !s->len ? search_rules_merged(set, s)
							     : search_rules(set, s);
}

uint32_t route_lookup_rules(struct route_flow f)
{
	return search_all(&(struct search){ .flow = f, .link = ANY_LINK });
}

uint32_t route_lookup_open(struct route_flow f)
{
	return search_merged(&(struct search){ .flow = f, .link = ANY_LINK });
}

uint32_t route_lookup_len(const struct route_flow *f, unsigned int *len)
{
	return search_all(&(struct search){ .flow = *f, .link = ANY_LINK, .len = len });
}

uint32_t route_lookup_over(const struct route_flow *f, unsigned int link)
{
	const struct search s = { .flow = *f, .link = (int)link };

	return search_all(&s);
}

const struct nexthop *route_lookup_local_open(rte_be32_t addr)
{
	const struct search s = { .flow = { .dst = addr }, .link = ANY_LINK };
	const struct rule_set *set = rcu_read(route_rules);

	return nexthop_get(set && !set->merged ? search_table(table_local, &s) : search_fib(&s));
}
