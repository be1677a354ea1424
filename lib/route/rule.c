/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of rules, and the array that workers read; see rule.h. */
#include "route/rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/prefix.h"
#include "core/rcu.h"
#include "core/sysctl.h"
#include "route/by_tos.h"
#include "route/lookup.h"
#include "route/merge.h"

#define RULES_PRESET 1024

struct entry {
	struct entry *next;
	struct rule_params p;   /* iif: our own copy */
	struct table *table;    /* of RULE_TABLE */
	uint32_t nexthop;       /* of the other actions */
	bool going;             /* is being flushed */
};

static const struct rule_params presets[] = {
	{ .priority = RULE_PRIORITY_LOCAL, .table = ROUTE_TABLE_LOCAL },
	{ .priority = RULE_PRIORITY_MAIN, .table = ROUTE_TABLE_MAIN },
	{ .priority = RULE_PRIORITY_DEFAULT, .table = ROUTE_TABLE_DEFAULT },
};

static struct entry *rules;
static unsigned int rules_n;
static int32_t rules_max;

/* ---- what workers read ---- */

static int32_t iif_of(const struct rule_params *p)
{
	const struct link *l;

	if (!p->iif)
		return RULE_IIF_ANY;
	l = link_find(p->iif);
	return l ? l->id : RULE_IIF_NONE;
}

static struct rule compiled(const struct entry *e)
{
	return (struct rule){
		.from = e->p.from,
		.from_mask = prefix_mask(e->p.from_len),
		.to = e->p.to,
		.to_mask = prefix_mask(e->p.to_len),
		.mark = e->p.mark,
		.mark_mask = e->p.mark_mask,
		.iif = iif_of(&e->p),
		.tos = e->p.tos,
		.not = e->p.not,
		.priority = e->p.priority,
		.nexthop = (uint16_t)e->nexthop,
		.table = e->table,
	};
}

static struct rule_set *compile_all(void)
{
	struct rule_set *set = malloc(sizeof(*set) + rules_n * sizeof(set->rules[0]));

	if (!set)
		return NULL;
	set->n = 0;
	for (const struct entry *e = rules; e; e = e->next)
		if (!e->going)
			set->rules[set->n++] = compiled(e);
	return set;
}

static bool same_iif(const struct rule_params *a, const struct rule_params *b)
{
	return (!a->iif && !b->iif) || (a->iif && b->iif && !strcmp(a->iif, b->iif));
}

static bool same(const struct rule_params *a, const struct rule_params *b)
{
	return a->not == b->not && a->from == b->from && a->from_len == b->from_len &&
	       a->to == b->to && a->to_len == b->to_len && a->tos == b->tos &&
	       a->mark == b->mark && a->mark_mask == b->mark_mask &&
	       a->priority == b->priority && a->action == b->action &&
	       (a->action != RULE_TABLE || a->table == b->table) && same_iif(a, b);
}

static bool are_presets(void)
{
	unsigned int i = 0;

	for (const struct entry *e = rules; e; e = e->next) {
		if (e->going)
			continue;
		if (i == RTE_DIM(presets) || !same(&e->p, &presets[i]))
			return false;
		i++;
	}
	return i == RTE_DIM(presets);
}

static void replace(struct rule_set *set)
{
	struct rule_set *old = route_rules;

	rcu_assign(route_rules, set);
	if (old)
		rcu_defer(free, old);
}

/* When workers are to look at rules again, all of them must do so before local leaves the FIB. */
int rule_settle(void)
{
	struct rule_set *set;

	if (are_presets() && merge_try()) {
		replace(NULL);
		return 0;
	}
	set = compile_all();
	if (!set)
		return -ENOMEM;
	replace(set);
	if (!merge_is_split()) {
		rcu_synchronize();
		merge_split();
	}
	return 0;
}

static int publish(void)
{
	int rc = rule_settle();

	if (!rc)
		merge_unmerge();
	return rc;
}

void rule_links_changed(void)
{
	for (const struct entry *e = rules; e; e = e->next) {
		if (e->p.iif) {
			publish();
			return;
		}
	}
}

/* ---- the list ---- */

static void insert(struct entry *e)
{
	struct entry **at = &rules;

	while (*at && (*at)->p.priority <= e->p.priority)
		at = &(*at)->next;
	e->next = *at;
	*at = e;
	rules_n++;
}

static void unlink_entry(struct entry *e)
{
	struct entry **at = &rules;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	rules_n--;
}

static void entry_free(struct entry *e)
{
	if (e->table) {
		e->table->users--;
		table_drop_unused(e->table);
	}
	if (e->nexthop)
		nexthop_release(e->nexthop);
	free((char *)(uintptr_t)e->p.iif);
	free(e);
}

/* What a rule without a table answers. An unreachable one answers as if there were no route, which
 * is what Linux does too. */
static int take_answer(struct entry *e, struct error *err)
{
	struct nexthop nh = { .type = e->p.action == RULE_PROHIBIT ? ROUTE_PROHIBIT
								   : ROUTE_BLACKHOLE };

	if (e->p.action == RULE_TABLE) {
		e->table = table_make(e->p.table, err);
		if (!e->table)
			return -ENOSPC;
		e->table->users++;
	} else if (e->p.action != RULE_UNREACHABLE) {
		e->nexthop = nexthop_hold(&nh);
		if (!e->nexthop)
			return error_set(err, ENOSPC, "all %d next hops are in use",
					 NEXTHOPS_MAX - 1);
	}
	return 0;
}

static struct entry *entry_new(const struct rule_params *p, struct error *err)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e) {
		error_set(err, ENOMEM, "no memory for another rule");
		return NULL;
	}
	e->p = *p;
	e->p.iif = p->iif ? strdup(p->iif) : NULL;
	if (take_answer(e, err)) {
		entry_free(e);
		return NULL;
	}
	return e;
}

/* ---- commands ---- */

bool rule_is_preset(const struct rule_params *p)
{
	for (unsigned int i = 0; i < RTE_DIM(presets); i++)
		if (same(p, &presets[i]))
			return true;
	return false;
}

static int check(const struct rule_params *p, struct error *err)
{
	if (p->tos & 3)
		return error_set(err, EINVAL, "Invalid dsfield (tos): ECN bits must be 0: 0x%02x",
				 p->tos);
	if (p->tos & ~TOS_MATCHED)
		return error_set(err, EINVAL, "Invalid tos: 0x%02x has bits that are not compared "
				 "(of 0x%02x)", p->tos, TOS_MATCHED);
	return 0;
}

/* Before the second rule, which is the first behind local's; Linux's fib_default_rule_pref. */
static uint32_t usual_priority(void)
{
	const struct entry *second = rules ? rules->next : NULL;

	return second && second->p.priority ? second->p.priority - 1 : 0;
}

int rule_add(const struct rule_params *p, struct error *err)
{
	struct rule_params q = *p;
	struct entry *e;
	int rc = check(p, err);

	if (rc)
		return rc;
	if (!q.priority_given)
		q.priority = usual_priority();
	q.priority_given = true;
	for (e = rules; e; e = e->next)
		if (same(&e->p, &q))
			return error_set(err, EEXIST, "File exists: there is such a rule with "
					 "priority %u", q.priority);
	if (rules_n >= (unsigned int)rules_max)
		return error_set(err, ENOSPC, "there are %u rules, as many as "
				 "net.millrace.rules_max allows", rules_n);
	e = entry_new(&q, err);
	if (!e)
		return -ENOSPC;
	insert(e);
	if (!publish())
		return 0;
	unlink_entry(e);
	entry_free(e);
	return error_set(err, ENOMEM, "no memory for another rule");
}

static bool fits(const struct rule_params *r, const struct rule_params *p)
{
	return (p->action == RULE_ANY || p->action == r->action) &&
	       (!p->table || (r->action == RULE_TABLE && p->table == r->table)) &&
	       (!p->priority_given || p->priority == r->priority) &&
	       (!p->from_len || (p->from_len == r->from_len && p->from == r->from)) &&
	       (!p->to_len || (p->to_len == r->to_len && p->to == r->to)) &&
	       (!p->mark || p->mark == r->mark) &&
	       (!p->mark_mask || p->mark_mask == r->mark_mask) &&
	       (!p->tos || p->tos == r->tos) && (!p->iif || same_iif(p, r));
}

int rule_del(const struct rule_params *p, struct error *err)
{
	struct entry *e = rules;

	while (e && !fits(&e->p, p))
		e = e->next;
	if (!e)
		return error_set(err, ENOENT, "there is no such rule");
	unlink_entry(e);
	if (publish()) {
		insert(e);
		return error_set(err, ENOMEM, "no memory to change the rules");
	}
	entry_free(e);
	return 0;
}

static bool is_within(uint32_t prefix, unsigned int len, uint32_t outer, unsigned int outer_len)
{
	return len >= outer_len && prefix_agree(prefix, outer, outer_len);
}

bool rule_is_among(const struct rule_params *r, const struct rule_params *which)
{
	return (!which->not || r->not) &&
	       is_within(r->from, r->from_len, which->from, which->from_len) &&
	       is_within(r->to, r->to_len, which->to, which->to_len) &&
	       (!which->table || (r->action == RULE_TABLE && r->table == which->table)) &&
	       (!which->priority_given || r->priority == which->priority) &&
	       (!which->mark || r->mark == which->mark) &&
	       (!which->mark_mask || r->mark_mask == which->mark_mask) &&
	       (!which->tos || r->tos == which->tos) && (!which->iif || same_iif(r, which));
}

int rule_flush(const struct rule_params *which, struct error *err)
{
	bool any = false, failed;

	for (struct entry *e = rules; e; e = e->next) {
		e->going = e->p.priority && rule_is_among(&e->p, which);
		any |= e->going;
	}
	failed = any && publish();
	for (struct entry *e = rules, *next; e; e = next) {
		next = e->next;
		if (e->going && !failed) {
			unlink_entry(e);
			entry_free(e);
		} else {
			e->going = false;
		}
	}
	return failed ? error_set(err, ENOMEM, "no memory to change the rules") : 0;
}

int rule_foreach(int (*fn)(const struct rule_info *r, void *arg), void *arg)
{
	int rc = 0;

	for (const struct entry *e = rules; e && !rc; e = e->next) {
		struct rule_info r = { .p = e->p, .detached = iif_of(&e->p) == RULE_IIF_NONE };

		rc = fn(&r, arg);
	}
	return rc;
}

/* ---- start and stop ---- */

int rule_init(void)
{
	int rc = sysctl_register(&(struct sysctl){
		.name = "net.millrace.rules_max", .value = &rules_max, .min = 3, .max = 65536,
		.preset = RULES_PRESET, .help = "policy rules that there can be"});

	for (unsigned int i = 0; i < RTE_DIM(presets) && !rc; i++) {
		struct entry *e = entry_new(&presets[i], NULL);

		if (!e)
			return -ENOMEM;
		e->p.priority_given = true;
		insert(e);
	}
	return rc;
}

void rule_fini(void)
{
	struct rule_set *set = route_rules;

	while (rules) {
		struct entry *e = rules;

		unlink_entry(e);
		entry_free(e);
	}
	rcu_assign(route_rules, NULL);
	rcu_defer(free, set);
	sysctl_unregister("net.millrace.rules_max");
}
