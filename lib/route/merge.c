/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether local and main are looked up as one; see merge.h. */
#include "route/merge.h"

#include "route/rib.h"
#include "route/rule.h"

uint8_t route_sources;
void (*route_local_changed)(void);

static bool is_split;            /* the FIB holds main alone */
static bool unmerged;            /* the operator has changed the rules */
static bool custom_local;        /* the operator has added a local route */
static unsigned int awkward_n;   /* routes for which is_awkward() */
static unsigned int elsewhere_n; /* is_elsewhere() */
static unsigned int hidden_n;    /* addresses for which is_hidden() was true */
static enum merge_rules rules_kind;

static bool is_awkward(const struct table *t, const struct route *r)
{
	bool special = r->type == ROUTE_LOCAL || r->type == ROUTE_BROADCAST;
	bool loopback = r->len >= 8 && r->prefix >> 24 == 127;

	if (t == table_local)
		return !special || r->tos || (r->len < 32 && !loopback);
	return ((t == table_main || t == table_default) && special) ||
	       (t == table_main && loopback);
}

/* Rules may lead to it, so that it is not by table local that sources are refused. */
static bool is_elsewhere(const struct table *t, const struct route *r)
{
	return t != table_local && t != table_main && t != table_default &&
	       (r->type == ROUTE_LOCAL || r->type == ROUTE_BROADCAST);
}

/* An address that one of the two tables has, and the other would have with this route or had: the
 * FIB only has that of local. */
static bool is_hidden(const struct table *t, const struct route *r)
{
	const struct table *other = t == table_local ? table_main : table_local;

	return r->len == 32 && (t == table_local || t == table_main) &&
	       !table_find(t, r->prefix, 32) && table_find(other, r->prefix, 32);
}

/* ---- what sources are told by ---- */

static void local_changed(void)
{
	if (route_sources != ROUTE_SOURCES_CONFIGURED && route_local_changed)
		route_local_changed();
}

/* The most general is always right, so it holds until note has been taken of single addresses. */
static void sources_update(void)
{
	uint8_t now = ROUTE_SOURCES_CONFIGURED;

	if (unmerged || custom_local)
		now = awkward_n || rules_kind == MERGE_RULES_ANY ||
		      (rules_kind == MERGE_RULES_LOCAL_FIRST && elsewhere_n)
			      ? ROUTE_SOURCES_PREFIXES : ROUTE_SOURCES_HOSTS;
	if (now == route_sources)
		return;
	__atomic_store_n(&route_sources, ROUTE_SOURCES_PREFIXES, __ATOMIC_RELAXED);
	local_changed();
	__atomic_store_n(&route_sources, now, __ATOMIC_RELEASE);
}

void merge_unmerge(void)
{
	unmerged = true;
	sources_update();
}

bool merge_is_unmerged(void)
{
	return unmerged;
}

void merge_rules(enum merge_rules kind)
{
	rules_kind = kind;
	sources_update();
}

void merge_rules_begin(enum merge_rules kind)
{
	merge_rules(RTE_MAX(rules_kind, kind));
}

void merge_customise_local(void)
{
	custom_local = true;
	sources_update();
}

struct host_visitor {
	void (*fn)(rte_be32_t addr, void *arg);
	void *arg;
};

static void visit_host(struct table *t, struct route *r, void *arg)
{
	const struct host_visitor *v = arg;

	if (r->len == 32)
		v->fn(rte_cpu_to_be_32(r->prefix), v->arg);
}

void route_local_hosts(void (*fn)(rte_be32_t addr, void *arg), void *arg)
{
	struct host_visitor v = { fn, arg };

	table_sweep_one(table_local, visit_host, &v);
}

/* ---- the FIB ---- */

bool merge_is_split(void)
{
	return is_split;
}

static void merge_one(struct table *t, struct route *r, void *arg)
{
	int *rc = arg;

	if (!*rc)
		*rc = rib_publish(table_main, r->prefix, r->len);
}

static void split_one(struct table *t, struct route *r, void *arg)
{
	rib_republish(table_main, r->prefix, r->len);
}

void merge_split(void)
{
	is_split = true;
	table_sweep_one(table_local, split_one, NULL);
}

bool merge_try(void)
{
	int rc = 0;

	if (awkward_n)
		return false;
	if (!is_split)
		return true;
	is_split = false;
	table_sweep_one(table_local, merge_one, &rc);
	if (rc)
		merge_split();
	return !rc;
}

bool merge_try_rules(void)
{
	return !hidden_n && merge_try();
}

/* ---- routes ---- */

/* The first of a kind, or after the last one. */
static int turn(void)
{
	int rc = unmerged ? rule_settle() : 0;

	sources_update();
	return rc;
}

/* Note the kinds that a route is of; is it the first of one? */
static bool count_in(const struct table *t, const struct route *r)
{
	bool awkward = is_awkward(t, r), elsewhere = is_elsewhere(t, r), hidden = is_hidden(t, r);
	bool first = (awkward && !awkward_n) || (elsewhere && !elsewhere_n) ||
		     (hidden && !hidden_n);

	awkward_n += awkward;
	elsewhere_n += elsewhere;
	hidden_n += hidden;
	return first;
}

/* The reverse: was it the last of one? */
static bool count_out(const struct table *t, const struct route *r)
{
	bool awkward = is_awkward(t, r), elsewhere = is_elsewhere(t, r), hidden = is_hidden(t, r);

	awkward_n -= awkward;
	elsewhere_n -= elsewhere;
	hidden_n -= hidden;
	return (awkward && !awkward_n) || (elsewhere && !elsewhere_n) || (hidden && !hidden_n);
}

int merge_route_comes(const struct table *t, const struct route *r)
{
	int rc = count_in(t, r) ? turn() : 0;

	if (rc)
		count_out(t, r);
	return rc;
}

void merge_route_came(const struct table *t)
{
	if (t == table_local)
		local_changed();
}

void merge_route_gone(const struct table *t, const struct route *r)
{
	if (t == table_local)
		local_changed();
	if (count_out(t, r))
		turn();
}

void merge_fini(void)
{
	is_split = unmerged = custom_local = false;
	awkward_n = elsewhere_n = hidden_n = 0;
	rules_kind = MERGE_RULES_PRESET;
	__atomic_store_n(&route_sources, ROUTE_SOURCES_CONFIGURED, __ATOMIC_RELAXED);
}
