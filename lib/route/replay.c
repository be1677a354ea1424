/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See replay.h. Those of a key that have come by themselves stay where they stand together, in the
 * order they come in: others are put before and behind them.
 */
#include "route/replay.h"

#include <errno.h>
#include <stdlib.h>

#include "route/connected.h"
#include "route/group.h"
#include "route/resolve.h"
#include "route/rib.h"
#include "route/rule.h"

struct expected {
	struct route route;     /* holds its next hop */
	unsigned int number;    /* in the order they come */
	bool kept;              /* it is there, and no step is needed */
};

/* Whether a next hop's way is found: two bits for the rules of the start, two for those now. */
#define ASKED 1
#define FOUND 2
#define BY_RULES_SHIFT 2

struct replay {
	struct expected *expected;      /* sorted by key */
	unsigned int n, room;
	bool rules_differ;              /* from those of the start */
	bool after_rules;               /* a route was left for that part */
	const struct route *previous;
	enum replay_part part;
	int (*fn)(const struct replay_step *s, void *arg);
	void *arg;
	uint8_t ways[NEXTHOPS_MAX];
};

/* The routes of a key, of which some are kept. */
struct run {
	const struct route *first;
	unsigned int n;
	unsigned int kept_from, kept_n;
};

static bool same_key(const struct route *a, const struct route *b)
{
	return a->prefix == b->prefix && a->len == b->len && a->table == b->table &&
	       a->tos == b->tos && a->metric == b->metric;
}

static const struct route *nth(const struct route *r, unsigned int n)
{
	while (n--)
		r = r->next;
	return r;
}

/* ---- what comes by itself ---- */

static int by_prefix(const struct route *a, const struct route *b)
{
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return a->len - b->len;
}

static int in_order(const void *a, const void *b)
{
	const struct expected *x = a, *y = b;
	int rc = by_prefix(&x->route, &y->route);

	return rc ? rc : x->number < y->number ? -1 : 1;
}

static int collect(const struct route *r, void *arg)
{
	struct replay *p = arg;
	struct expected *more = p->expected;

	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		more = realloc(p->expected, p->room * sizeof(*more));
	}
	if (!more) {
		nexthop_release(r->nexthop);
		return -ENOMEM;
	}
	p->expected = more;
	p->expected[p->n] = (struct expected){ .route = *r, .number = p->n };
	p->n++;
	return 0;
}

/* One after the last of those with the prefix of number i. */
static unsigned int end_of(const struct replay *p, unsigned int i)
{
	unsigned int end = i + 1;

	while (end < p->n && !by_prefix(&p->expected[i].route, &p->expected[end].route))
		end++;
	return end;
}

/* A route comes once, however many addresses ask for it. */
static void drop_doubles(struct replay *p)
{
	unsigned int n = 0, first = 0;

	for (unsigned int i = 0; i < p->n; i++) {
		const struct route *r = &p->expected[i].route;
		unsigned int j;

		if (n && by_prefix(&p->expected[first].route, r))
			first = n;
		for (j = first; j < n && !rib_same(&p->expected[j].route, r); j++)
			;
		if (j < n)
			nexthop_release(r->nexthop);
		else
			p->expected[n++] = p->expected[i];
	}
	p->n = n;
}

/* The first of those that compete with what comes by itself. */
static const struct route *competitors(const struct route *r)
{
	const struct table *t = table_get(r->table);
	const struct route *first = t ? table_find(t, r->prefix, r->len) : NULL;

	while (first && !same_key(first, r))
		first = first->next;
	return first;
}

static const struct route *find_same(const struct route *first, const struct route *like)
{
	for (const struct route *r = first; r && same_key(r, like); r = r->next)
		if (rib_same(r, like))
			return r;
	return NULL;
}

/* Do those that are kept stand one behind the other? */
static bool stand_together(const struct expected *e, unsigned int n, const struct route *first)
{
	const struct route *at = NULL;

	for (unsigned int i = 0; i < n; i++) {
		if (!e[i].kept)
			continue;
		if (at && (!at->next || !rib_same(at->next, &e[i].route)))
			return false;
		at = find_same(first, &e[i].route);
	}
	return true;
}

static void choose_kept(struct expected *e, unsigned int n)
{
	const struct route *first = competitors(&e->route);
	unsigned int i;

	for (i = 0; i < n; i++)
		e[i].kept = find_same(first, &e[i].route);
	for (i = 0; !stand_together(e, n, first); i++)
		e[i].kept = false;
}

struct replay *replay_new(void)
{
	struct replay *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (connected_expected(collect, p)) {
		replay_free(p);
		return NULL;
	}
	if (p->n)
		qsort(p->expected, p->n, sizeof(*p->expected), in_order);
	drop_doubles(p);
	for (unsigned int i = 0, end; i < p->n; i = end) {
		end = end_of(p, i);
		choose_kept(&p->expected[i], end - i);
	}
	p->rules_differ = !rule_are_presets();
	return p;
}

void replay_free(struct replay *p)
{
	for (unsigned int i = 0; p && i < p->n; i++)
		nexthop_release(p->expected[i].route.nexthop);
	if (p)
		free(p->expected);
	free(p);
}

/* The first of those that come by themselves with the key of a route; *end: one after the last. */
static unsigned int expected_with(const struct replay *p, const struct route *r, unsigned int *end)
{
	unsigned int low = 0, high = p->n;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (by_prefix(&p->expected[middle].route, r) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*end = low < p->n && same_key(&p->expected[low].route, r) ? end_of(p, low) : low;
	return low;
}

static bool is_kept(const struct replay *p, const struct route *r)
{
	unsigned int end, i = expected_with(p, r, &end);

	while (i < end && !(p->expected[i].kept && rib_same(&p->expected[i].route, r)))
		i++;
	return i < end;
}

static struct run run_of(const struct replay *p, const struct route *first)
{
	struct run run = { .first = first };

	for (const struct route *r = first; r && same_key(r, first); r = r->next) {
		if (is_kept(p, r) && !run.kept_n++)
			run.kept_from = run.n;
		run.n++;
	}
	return run;
}

/* ---- what is found again ---- */

static bool way_found(struct replay *p, const struct route *r, const struct nexthop *way,
		      bool by_rules)
{
	uint8_t *known = &p->ways[way - nexthops];
	unsigned int shift = by_rules ? BY_RULES_SHIFT : 0;

	if (!(*known & ASKED << shift))
		*known |= (uint8_t)((ASKED | (resolve_finds(r, way, by_rules) ? FOUND : 0))
				    << shift);
	return *known & FOUND << shift;
}

/* An address that is in table local by itself, or with the first of the operator's routes. Others
 * may be hidden by what comes later or is there already. */
static bool source_found(const struct replay *p, const struct route *r, rte_be32_t src,
			 enum replay_part part)
{
	uint32_t host = rte_be_to_cpu_32(src);
	const struct route *l;

	if (!src || is_error_type(r->type) || (r->type == ROUTE_LOCAL && r->prefix == host))
		return true;
	l = table_find(table_local, host, 32);
	while (l && l->tos)
		l = l->next;
	if (!l || l->type != ROUTE_LOCAL || nexthop_get(l->nexthop)->via)
		return false;
	return part > REPLAY_ON_LINKS || is_kept(p, l);
}

static bool finds(struct replay *p, enum replay_part part, const struct route *r,
		  const struct nexthop *way)
{
	if (!source_found(p, r, way->asked_src, part))
		return false;
	if (part == REPLAY_ON_LINKS && way->via)
		return false;
	return way_found(p, r, way, part == REPLAY_AFTER_RULES);
}

bool replay_finds(const struct replay_step *s, const struct nexthop *way)
{
	return s->verb == REPLAY_DEL || finds(s->replay, s->part, s->route, way);
}

static bool finds_all(struct replay *p, enum replay_part part, const struct route *r)
{
	const struct nexthop *nh = nexthop_get(r->nexthop);

	if (nh->type != ROUTE_GROUP)
		return finds(p, part, r, nh);
	for (unsigned int i = 0; i < nh->group->n; i++)
		if (!finds(p, part, r, nexthop_get(nh->group->members[i].nexthop)))
			return false;
	return true;
}

/* ---- the steps ---- */

static bool is_entered(const struct run *run, unsigned int i)
{
	return i < run->kept_from || i >= run->kept_from + run->kept_n;
}

static bool run_finds_all(struct replay *p, enum replay_part part, const struct run *run)
{
	const struct route *r = run->first;

	for (unsigned int i = 0; i < run->n; i++, r = r->next)
		if (is_entered(run, i) && !finds_all(p, part, r))
			return false;
	return true;
}

static enum replay_part part_of(struct replay *p, const struct run *run)
{
	const struct route *r = run->first;
	bool onward = false, finder = false;

	for (unsigned int i = 0; i < run->n; i++, r = r->next) {
		const struct nexthop *nh = nexthop_get(r->nexthop);

		if (!is_entered(run, i))
			continue;
		onward |= nh->via || nh->type == ROUTE_GROUP;
		finder |= nh->scope >= SCOPE_LINK;
	}
	if (finder || !onward)
		return REPLAY_ON_LINKS;
	if (!p->rules_differ || run_finds_all(p, REPLAY_GATEWAYS, run) ||
	    !run_finds_all(p, REPLAY_AFTER_RULES, run))
		return REPLAY_GATEWAYS;
	p->after_rules = true;
	return REPLAY_AFTER_RULES;
}

static int step(struct replay *p, enum replay_verb verb, const struct route *r)
{
	return p->fn(&(struct replay_step){ verb, r, p, p->part }, p->arg);
}

static int enter_run(struct replay *p, const struct run *run)
{
	unsigned int behind = run->kept_n ? run->kept_from + run->kept_n : 1;
	const struct route *r = nth(run->first, behind);
	int rc = 0;

	if (!run->kept_n)
		rc = step(p, REPLAY_ADD, run->first);
	for (unsigned int i = run->kept_from; i-- > 0 && !rc;)
		rc = step(p, REPLAY_PREPEND, nth(run->first, i));
	for (unsigned int i = behind; i < run->n && !rc; i++, r = r->next)
		rc = step(p, REPLAY_APPEND, r);
	return rc;
}

static int enter_one(const struct route *r, void *arg)
{
	struct replay *p = arg;
	const struct route *previous = p->previous;
	struct run run;

	p->previous = r;
	if (previous && same_key(previous, r))
		return 0;
	run = run_of(p, r);
	if (run.kept_n == run.n || part_of(p, &run) != p->part)
		return 0;
	return enter_run(p, &run);
}

static int delete_all(struct replay *p)
{
	int rc = 0;

	for (unsigned int i = 0; i < p->n && !rc; i++)
		if (!p->expected[i].kept)
			rc = step(p, REPLAY_DEL, &p->expected[i].route);
	return rc;
}

int replay_foreach(struct replay *p, enum replay_part part,
		   int (*fn)(const struct replay_step *s, void *arg), void *arg)
{
	p->part = part;
	p->fn = fn;
	p->arg = arg;
	p->previous = NULL;
	if (part == REPLAY_DELETED)
		return delete_all(p);
	if (part == REPLAY_AFTER_RULES && !p->after_rules)
		return 0;
	return route_foreach(0, enter_one, p);
}
