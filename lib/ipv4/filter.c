/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filter rules as the control thread has them; see filter.h. A chain is an array of rules. Each
 * change, and each link that comes or goes, makes the table anew: steps with numbers for names,
 * parts where rules are plain. The hook is there while a chain has a rule or does not accept, so
 * that a chain without costs nothing.
 */
#include "ipv4/filter.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/sysctl.h"
#include "ipv4/filter_acl.h"
#include "ipv4/filter_table.h"
#include "link/link.h"

struct owned {
	struct filter_rule rule;
	struct filter_state *state;
};

struct chain {
	struct filter_table *table;  /* published; NULL: the hook is not there */
	struct owned **rule;
	uint32_t n, room;
	uint32_t last_handle;
	bool drop;                   /* the policy */
};

static struct chain chains[HOOK_POINTS];
static int32_t rules_max, linear_max;

/* ---- tables ---- */

static struct filter_step step_of(const struct filter_term *t)
{
	struct filter_step s = {.kind = (uint8_t)t->kind, .not = t->not, .lo = t->lo, .hi = t->hi};
	const struct link *l;

	if (t->kind == FILTER_IIF || t->kind == FILTER_OIF) {
		l = link_find(t->text);
		s.lo = s.hi = l ? l->id + 1u : FILTER_UNKNOWN_LINK;
	}
	return s;
}

static struct filter_entry entry_of(const struct owned *r)
{
	struct filter_entry e = {
		.n = (uint8_t)r->rule.n, .verdict = (uint8_t)r->rule.verdict,
		.icmp_code = r->rule.icmp_code, .state = r->state,
	};

	for (unsigned int i = 0; i < r->rule.n; i++)
		e.step[i] = step_of(&r->rule.term[i]);
	filter_acl_mark(&e);
	return e;
}

static void table_free(void *arg)
{
	struct filter_table *t = arg;

	for (uint32_t i = 0; t && i < t->n_parts; i++)
		filter_acl_free(t->parts[i].acl);
	if (t)
		free(t->parts);
	free(t);
}

/* The rules from `from` on that are alike in being plain or not. */
static uint32_t run_end(const struct filter_table *t, uint32_t from)
{
	uint32_t to = from + 1;

	while (to < t->n && !t->rule[to].plain == !t->rule[from].plain)
		to++;
	return to;
}

/* Without memory for a classifier rules are taken one by one. */
static void table_part(struct filter_table *t)
{
	for (uint32_t from = 0, to; from < t->n; from = to) {
		struct filter_part *last = t->n_parts ? &t->parts[t->n_parts - 1] : NULL;
		struct rte_acl_ctx *acl = NULL;

		to = run_end(t, from);
		if (t->rule[from].plain && to - from > (uint32_t)linear_max)
			acl = filter_acl_make(t, from, to);
		if (!acl && last && !last->acl)
			last->to = to;
		else
			t->parts[t->n_parts++] = (struct filter_part){from, to, acl};
	}
}

static struct filter_table *table_make(const struct chain *c)
{
	struct filter_table *t = calloc(1, sizeof(*t) + c->n * sizeof(t->rule[0]));

	if (!t)
		return NULL;
	t->accept = !c->drop;
	t->n = c->n;
	t->parts = calloc(c->n + 1, sizeof(t->parts[0]));
	if (!t->parts) {
		free(t);
		return NULL;
	}
	for (uint32_t i = 0; i < c->n; i++)
		t->rule[i] = entry_of(c->rule[i]);
	table_part(t);
	return t;
}

/* Let workers see what the chain is now. The table comes before the hook and goes after it. */
static int publish(enum hook_point point)
{
	struct chain *c = &chains[point];
	struct filter_table *old = c->table, *t = NULL;

	if (c->n || c->drop) {
		t = table_make(c);
		if (!t)
			return -ENOMEM;
		rcu_assign(c->table, t);
		if (!old && hook_register(point, HOOK_PRI_FILTER, "filter", filter_hook, &c->table)) {
			c->table = NULL;
			table_free(t);
			return -ENOMEM;
		}
	} else if (old) {
		hook_unregister(point, filter_hook, &c->table);
		/* who is in the hook still finds the table; once nobody is, it is gone */
		rcu_synchronize();
		c->table = NULL;
	}
	if (old)
		rcu_defer(table_free, old);
	return 0;
}

/* ---- rules ---- */

static void bucket_init(struct filter_state *s, const struct filter_rule *r)
{
	for (unsigned int i = 0; i < r->n; i++) {
		const struct filter_term *t = &r->term[i];

		if (t->kind != FILTER_LIMIT)
			continue;
		s->cost_ns = (int64_t)(t->unit_s * NSEC_PER_SEC / t->lo);
		s->room_ns = s->cost_ns * t->hi;
		s->base_ns = (int64_t)clock_now_ns() - s->room_ns;
	}
}

static struct filter_state *state_make(const struct filter_rule *r, uint32_t handle)
{
	size_t bytes = sizeof(struct filter_state) +
		       workers_count * sizeof(((struct filter_state *)0)->count[0]);
	struct filter_state *s = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);

	if (!s)
		return NULL;
	memset(s, 0, bytes);
	s->handle = handle;
	bucket_init(s, r);
	return s;
}

static void owned_free(void *arg)
{
	struct owned *r = arg;

	if (r)
		free(r->state);
	free(r);
}

static struct owned *owned_make(const struct filter_rule *rule, uint32_t handle)
{
	struct owned *r = malloc(sizeof(*r));

	if (!r)
		return NULL;
	r->rule = *rule;
	r->state = state_make(rule, handle);
	if (r->state)
		return r;
	free(r);
	return NULL;
}

static bool room_for_one(struct chain *c)
{
	uint32_t room = c->room ? 2 * c->room : 16;
	struct owned **more;

	if (c->n < c->room)
		return true;
	more = realloc(c->rule, room * sizeof(c->rule[0]));
	if (!more)
		return false;
	c->rule = more;
	c->room = room;
	return true;
}

int filter_add(enum hook_point point, const struct filter_rule *rule, struct error *err)
{
	struct chain *c = &chains[point];
	struct owned *r;

	if (point == HOOK_POSTROUTING && rule->verdict >= FILTER_REJECT)
		return error_set(err, EOPNOTSUPP, "postrouting can not reject");
	if (c->n >= (uint32_t)rules_max)
		return error_set(err, ENOSPC, "%s has %u rules already "
				 "(net.millrace.filter_rules_max)", hook_point_name(point), c->n);
	r = room_for_one(c) ? owned_make(rule, c->last_handle + 1) : NULL;
	if (!r)
		return error_set(err, ENOMEM, "no memory for a rule");
	c->rule[c->n++] = r;
	if (publish(point)) {
		c->n--;
		owned_free(r);
		return error_set(err, ENOMEM, "no memory for a table of rules");
	}
	c->last_handle++;
	return 0;
}

int filter_del(enum hook_point point, uint32_t handle, struct error *err)
{
	struct chain *c = &chains[point];
	struct owned *r;
	uint32_t i = 0;

	while (i < c->n && c->rule[i]->state->handle != handle)
		i++;
	if (i == c->n)
		return error_set(err, ENOENT, "%s has no rule with handle %u",
				 hook_point_name(point), handle);
	r = c->rule[i];
	memmove(c->rule + i, c->rule + i + 1, (c->n - i - 1) * sizeof(c->rule[0]));
	c->n--;
	if (publish(point)) {
		memmove(c->rule + i + 1, c->rule + i, (c->n - i) * sizeof(c->rule[0]));
		c->rule[i] = r;
		c->n++;
		return error_set(err, ENOMEM, "no memory for a table of rules");
	}
	rcu_defer(owned_free, r);
	return 0;
}

int filter_flush(enum hook_point point, struct error *err)
{
	struct chain *c = &chains[point];
	uint32_t n = c->n;

	c->n = 0;
	if (publish(point)) {
		c->n = n;
		return error_set(err, ENOMEM, "no memory for a table of rules");
	}
	while (n)
		rcu_defer(owned_free, c->rule[--n]);
	return 0;
}

int filter_policy_set(enum hook_point point, bool accept, struct error *err)
{
	struct chain *c = &chains[point];
	bool old = c->drop;

	c->drop = !accept;
	if (!publish(point))
		return 0;
	c->drop = old;
	return error_set(err, ENOMEM, "no memory for a table of rules");
}

bool filter_policy(enum hook_point point)
{
	return !chains[point].drop;
}

int filter_foreach(enum hook_point point, int (*fn)(const struct filter_info *info, void *arg),
		   void *arg)
{
	const struct chain *c = &chains[point];
	int rc = 0;

	for (uint32_t i = 0; i < c->n && !rc; i++) {
		const struct filter_state *s = c->rule[i]->state;
		struct filter_info info = {.handle = s->handle, .rule = &c->rule[i]->rule};

		for (unsigned int k = 0; k < workers_count; k++) {
			info.packets += __atomic_load_n(&s->count[k].packets, __ATOMIC_RELAXED);
			info.bytes += __atomic_load_n(&s->count[k].bytes, __ATOMIC_RELAXED);
		}
		rc = fn(&info, arg);
	}
	return rc;
}

const char *filter_log_prefix(enum hook_point point, uint32_t handle)
{
	const struct chain *c = &chains[point];

	for (uint32_t i = 0; i < c->n; i++)
		for (unsigned int k = 0; k < c->rule[i]->rule.n; k++)
			if (c->rule[i]->state->handle == handle &&
			    c->rule[i]->rule.term[k].kind == FILTER_LOG)
				return c->rule[i]->rule.term[k].text;
	return NULL;
}

/* ---- start and stop ---- */

/* Rules that name the link have a number for it now, or none. Without memory the old table stays,
 * in which the link's number is that of a link that is gone, or none. */
static void on_link(enum link_event event, struct link *l, const struct link_addr *a)
{
	if (event != LINK_ADDED && event != LINK_DELETED)
		return;
	for (unsigned int point = 0; point < HOOK_POINTS; point++)
		if (chains[point].n)
			publish(point);
}

static void on_linear_max(struct sysctl *s, int32_t old)
{
	for (unsigned int point = 0; point < HOOK_POINTS; point++)
		if (chains[point].n)
			publish(point);
}

int filter_init(void)
{
	const struct sysctl settings[] = {
		{.name = "net.millrace.filter_rules_max", .value = &rules_max, .min = 0,
		 .max = 65536, .preset = 4096, .help = "filter rules at one point of hooks"},
		{.name = "net.millrace.filter_linear_max", .value = &linear_max, .min = 0,
		 .max = INT_MAX, .preset = 16, .changed = on_linear_max,
		 .help = "plain filter rules in a row that are taken one by one; more are "
			 "classified at once"},
	};

	for (unsigned int i = 0; i < RTE_DIM(settings); i++) {
		int rc = sysctl_register(&settings[i]);

		if (rc)
			return rc;
	}
	link_notifier_register(on_link);
	return filter_log_init();
}

/* hook_fini() has seen to it that no worker is in here any more. */
void filter_fini(void)
{
	for (unsigned int point = 0; point < HOOK_POINTS; point++) {
		struct chain *c = &chains[point];

		table_free(c->table);
		for (uint32_t i = 0; i < c->n; i++)
			owned_free(c->rule[i]);
		free(c->rule);
		*c = (struct chain){0};
	}
}
