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
#include "route/merge.h"
#include "route/rule_set.h"
#include "route/table.h"

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

static uint32_t iif_of(const struct rule_params *p)
{
	const struct link *l = link_find(p->iif);

	return l ? l->id : RULE_IIF_NONE;
}

static struct rule compiled(const struct entry *e)
{
	const struct rule_params *p = &e->p;
	struct rule r = {
		.table = e->table,
		.nexthop = (uint16_t)e->nexthop,
		.not = p->not,
		.priority = p->priority,
	};

	r.value[RULE_SRC] = rte_cpu_to_be_32(p->from);
	r.mask[RULE_SRC] = rte_cpu_to_be_32(prefix_mask(p->from_len));
	r.value[RULE_DST] = rte_cpu_to_be_32(p->to);
	r.mask[RULE_DST] = rte_cpu_to_be_32(prefix_mask(p->to_len));
	r.value[RULE_MARK] = p->mark;
	r.mask[RULE_MARK] = p->mark_mask;
	r.value[RULE_REST] = p->tos;
	r.mask[RULE_REST] = p->tos ? TOS_MATCHED : 0;
	if (p->iif) {
		r.value[RULE_REST] |= iif_of(p) << RULE_IIF_SHIFT;
		r.mask[RULE_REST] |= UINT32_MAX << RULE_IIF_SHIFT;
	}
	return r;
}

static bool asks_nothing(const struct rule *r)
{
	return !(r->mask[RULE_SRC] | r->mask[RULE_DST] | r->mask[RULE_MARK] | r->mask[RULE_REST]);
}

static bool is_for_all(const struct rule *r)
{
	return asks_nothing(r) && !r->not;
}

/* The rule as it is for packets without a mark. */
static struct rule unmarked(struct rule r)
{
	if (r.not && r.value[RULE_MARK] & r.mask[RULE_MARK]) {
		r.mask = (rule_key){ 0 };
		r.not = false;
	} else if (!(r.value[RULE_MARK] & r.mask[RULE_MARK])) {
		r.mask[RULE_MARK] = 0;
	}
	return r;
}

/* The links, a bit each, by which packets may come in that an unmarked rule matches. */
static uint64_t links_matched(const struct rule *r)
{
	uint32_t iif = r->value[RULE_REST] >> RULE_IIF_SHIFT;
	uint64_t named = iif < LINKS_MAX ? 1ULL << iif : 0;
	bool any_iif = !(r->mask[RULE_REST] >> RULE_IIF_SHIFT);
	struct rule others = *r;

	if (!r->not)
		return r->mask[RULE_MARK] ? 0 : any_iif ? UINT64_MAX : named;
	others.mask[RULE_REST] &= ~(UINT32_MAX << RULE_IIF_SHIFT);
	if (!asks_nothing(&others))
		return UINT64_MAX;
	return any_iif ? 0 : ~named;
}

/* Behind the rules themselves there is room for as many and one more. */
static void compile_diverting(struct rule_set *set)
{
	struct rule *to = &set->rules[set->n];

	set->diverting = to;
	set->diverted_links = 0;
	for (unsigned int i = 0; i < set->n; i++) {
		struct rule r = unmarked(set->rules[i]);

		r.links = links_matched(&r);
		if (r.table == table_local || !r.links)
			continue;
		if (r.table == table_main && is_for_all(&r))
			goto out;
		set->diverted_links |= r.links;
		*to++ = r;
	}
	/* what is left has no route */
	set->diverted_links = UINT64_MAX;
	*to++ = (struct rule){ .nexthop = FIB_NONE, .links = UINT64_MAX };
out:
	set->n_diverting = (unsigned int)(to - set->diverting);
}

static struct rule_set *compile_all(void)
{
	struct rule_set *set = malloc(sizeof(*set) + (2 * rules_n + 1) * sizeof(set->rules[0]));

	if (!set)
		return NULL;
	set->n = 0;
	for (const struct entry *e = rules; e; e = e->next)
		if (!e->going)
			set->rules[set->n++] = compiled(e);
	compile_diverting(set);
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

bool rule_are_presets(void)
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

static bool begins_with_local(const struct rule_set *set)
{
	return set->n && set->rules[0].table == table_local && is_for_all(&set->rules[0]);
}

/* Sources are told the more general way before rules ask for it, and until they no longer do. When
 * local leaves the FIB, all workers have come to ask for it. */
int rule_settle(void)
{
	enum merge_rules kind = MERGE_RULES_PRESET;
	bool presets_only = rule_are_presets();
	struct rule_set *set = NULL;

	if (!presets_only || !merge_try()) {
		set = compile_all();
		if (!set)
			return -ENOMEM;
		set->merged = begins_with_local(set) && merge_try_rules();
	}
	if (!presets_only)
		kind = begins_with_local(set) ? MERGE_RULES_LOCAL_FIRST : MERGE_RULES_ANY;
	merge_rules_begin(kind);
	replace(set);
	merge_rules(kind);
	if (set && !set->merged && !merge_is_split()) {
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
	if (p->iif && !e->p.iif)
		error_set(err, ENOMEM, "no memory for another rule");
	else if (!take_answer(e, err))
		return e;
	entry_free(e);
	return NULL;
}

/* ---- commands ---- */

unsigned int rule_count(void)
{
	return rules_n;
}

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
		struct rule_info r = { .p = e->p };

		r.detached = e->p.iif && iif_of(&e->p) == RULE_IIF_NONE;

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
