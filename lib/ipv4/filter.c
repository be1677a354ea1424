/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chains of filter rules, which the control thread changes; see filter.h. A chain is an array of
 * rules (filter_rule.c). Each change, and each link that comes or goes, makes the table for workers
 * anew (filter_table.c). The hook is there while a chain has a rule or does not accept, so that a
 * chain without costs nothing.
 */
#include "ipv4/filter.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/sysctl.h"
#include "ipv4/filter_table.h"
#include "link/link.h"

struct chain {
	struct filter_table *table;  /* published; NULL: the hook is not there */
	struct filter_owned **rule;
	uint32_t n, room;
	uint32_t last_handle;
	bool drop;                   /* the policy */
};

static struct chain chains[HOOK_POINTS];

/* What the chains were when a transaction began, and the rules that it took out. */
struct before {
	struct filter_owned **rule;
	uint32_t n, last_handle;
	bool drop;
};

static struct before before[HOOK_POINTS];
static bool transaction;                /* under way, */
static bool gathered;                   /* by itself, as changes are held */
static unsigned int holds;
static int32_t rules_max, linear_max;

static struct filter_table *table_make(const struct chain *c)
{
	return filter_table_make(c->rule, c->n, !c->drop, (uint32_t)linear_max);
}

/* Let workers see what the chain is now: t, whose place is in `table`. The table comes before the
 * hook and goes after it. */
static int show(enum hook_point point, struct filter_table *t)
{
	struct chain *c = &chains[point];
	struct filter_table *old = c->table;

	if (t) {
		rcu_assign(c->table, t);
		if (!old &&
		    hook_register(point, HOOK_PRI_FILTER, "filter", filter_hook, &c->table)) {
			c->table = NULL;
			filter_table_free(t);
			return -ENOMEM;
		}
	} else if (old) {
		hook_unregister(point, filter_hook, &c->table);
		/* who is in the hook still finds the table; once nobody is, it is gone */
		rcu_synchronize();
		c->table = NULL;
	}
	if (old)
		rcu_defer(filter_table_free, old);
	return 0;
}

static int begin(struct error *err);

/* Something is about to change. Without memory to gather it in, it takes effect at once. */
static void gather(void)
{
	struct error ignored;

	if (holds && !transaction)
		gathered = begin(&ignored) == 0;
}

static int publish(enum hook_point point)
{
	const struct chain *c = &chains[point];
	struct filter_table *t = NULL;

	if (transaction)
		return 0;
	if (c->n || c->drop) {
		t = table_make(c);
		if (!t)
			return -ENOMEM;
	}
	return show(point, t);
}

/* ---- rules ---- */

static bool room_for_one(struct chain *c)
{
	uint32_t room = c->room ? 2 * c->room : 16;
	struct filter_owned **more;

	if (c->n < c->room)
		return true;
	more = realloc(c->rule, room * sizeof(c->rule[0]));
	if (!more)
		return false;
	c->rule = more;
	c->room = room;
	return true;
}

/* The place of the rule with a handle. */
static int find(enum hook_point point, uint32_t handle, uint32_t *at, struct error *err)
{
	const struct chain *c = &chains[point];

	for (*at = 0; *at < c->n; ++*at)
		if (c->rule[*at]->state->handle == handle)
			return 0;
	return error_set(err, ENOENT, "%s has no rule with handle %u", hook_point_name(point),
			 handle);
}

static void put_in(struct chain *c, uint32_t at, struct filter_owned *r)
{
	memmove(c->rule + at + 1, c->rule + at, (c->n - at) * sizeof(c->rule[0]));
	c->rule[at] = r;
	c->n++;
}

static struct filter_owned *take_out(struct chain *c, uint32_t at)
{
	struct filter_owned *r = c->rule[at];

	memmove(c->rule + at, c->rule + at + 1, (c->n - at - 1) * sizeof(c->rule[0]));
	c->n--;
	return r;
}

/* A rule that left its chain. In a transaction it may have to come back: what was there before goes
 * at the end, and what only came meanwhile at once. */
static void discard(struct filter_owned *r)
{
	if (!transaction)
		rcu_defer(filter_owned_free, r);
	else if (r->fresh)
		filter_owned_free(r);
}

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "no memory for a table of rules");
}

static int replace(enum hook_point point, uint32_t at, struct filter_owned *r, struct error *err)
{
	struct chain *c = &chains[point];
	struct filter_owned *old = c->rule[at];

	c->rule[at] = r;
	if (publish(point)) {
		c->rule[at] = old;
		filter_owned_free(r);
		return no_memory(err);
	}
	discard(old);
	return 0;
}

static int enter(enum hook_point point, uint32_t at, struct filter_owned *r, struct error *err)
{
	struct chain *c = &chains[point];

	put_in(c, at, r);
	if (publish(point)) {
		filter_owned_free(take_out(c, at));
		return no_memory(err);
	}
	c->last_handle++;
	return 0;
}

int filter_add(enum hook_point point, const struct filter_rule *rule, enum filter_place place,
	       uint32_t handle, struct error *err)
{
	bool instead = place == FILTER_INSTEAD, somewhere = place == FILTER_BEFORE ||
							    place == FILTER_AFTER || instead;
	struct chain *c = &chains[point];
	uint32_t at = place == FILTER_FIRST ? 0 : c->n;
	struct filter_owned *r;
	int rc = somewhere ? find(point, handle, &at, err) : 0;

	if (rc)
		return rc;
	gather();
	if (point == HOOK_POSTROUTING &&
	    (rule->verdict == FILTER_REJECT || rule->verdict == FILTER_RESET))
		return error_set(err, EOPNOTSUPP, "postrouting can not reject");
	if (!instead && c->n >= (uint32_t)rules_max)
		return error_set(err, ENOSPC, "%s has %u rules already "
				 "(net.millrace.filter_rules_max)", hook_point_name(point), c->n);
	r = room_for_one(c) ? filter_owned_make(rule, instead ? handle : c->last_handle + 1) : NULL;
	if (!r)
		return error_set(err, ENOMEM, "no memory for a rule");
	r->fresh = transaction;
	if (instead)
		return replace(point, at, r, err);
	return enter(point, at + (place == FILTER_AFTER), r, err);
}

int filter_del(enum hook_point point, uint32_t handle, struct error *err)
{
	struct chain *c = &chains[point];
	struct filter_owned *r;
	uint32_t at;
	int rc = find(point, handle, &at, err);

	if (rc)
		return rc;
	gather();
	r = take_out(c, at);
	if (publish(point)) {
		put_in(c, at, r);
		return no_memory(err);
	}
	discard(r);
	return 0;
}

int filter_handle_at(enum hook_point point, uint32_t index, uint32_t *handle, struct error *err)
{
	const struct chain *c = &chains[point];

	if (index >= c->n)
		return error_set(err, ENOENT, "%s has no rule with index %u",
				 hook_point_name(point), index);
	*handle = c->rule[index]->state->handle;
	return 0;
}

int filter_flush(enum hook_point point, struct error *err)
{
	struct chain *c = &chains[point];
	uint32_t n = c->n;

	gather();
	c->n = 0;
	if (publish(point)) {
		c->n = n;
		return no_memory(err);
	}
	while (n)
		discard(c->rule[--n]);
	return 0;
}

/* ---- transactions ---- */

static int begin(struct error *err)
{
	for (unsigned int point = 0; point < HOOK_POINTS; point++) {
		const struct chain *c = &chains[point];
		struct before *b = &before[point];

		*b = (struct before){.n = c->n, .last_handle = c->last_handle, .drop = c->drop};
		b->rule = malloc((c->n + 1) * sizeof(b->rule[0]));
		if (!b->rule) {
			while (point--)
				free(before[point].rule);
			return no_memory(err);
		}
		if (c->n)
			memcpy(b->rule, c->rule, c->n * sizeof(b->rule[0]));
	}
	transaction = true;
	return 0;
}

/* Is a rule that was there before in the chain still? */
static bool is_in(const struct chain *c, const struct filter_owned *r)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->rule[i] == r)
			return true;
	return false;
}

/* Back to what was there before. There is room for it, as there was once. */
static void undo(enum hook_point point)
{
	struct chain *c = &chains[point];
	struct before *b = &before[point];

	for (uint32_t i = 0; i < c->n; i++)
		if (c->rule[i]->fresh)
			filter_owned_free(c->rule[i]);
	if (b->n)
		memcpy(c->rule, b->rule, b->n * sizeof(c->rule[0]));
	c->n = b->n;
	c->drop = b->drop;
	c->last_handle = b->last_handle;
}

static void done(enum hook_point point)
{
	struct chain *c = &chains[point];
	const struct before *b = &before[point];

	for (uint32_t i = 0; i < c->n; i++)
		c->rule[i]->fresh = false;
	for (uint32_t i = 0; i < b->n; i++)
		if (!is_in(c, b->rule[i]))
			rcu_defer(filter_owned_free, b->rule[i]);
}

/* All tables are made before one is shown. Without memory for a hook that is not there yet a point
 * stays as it was. */
static int show_all(void)
{
	struct filter_table *t[HOOK_POINTS] = {NULL};
	bool made = true;

	for (unsigned int point = 0; point < HOOK_POINTS; point++) {
		const struct chain *c = &chains[point];

		t[point] = c->n || c->drop ? table_make(c) : NULL;
		made = made && (t[point] || !(c->n || c->drop));
	}
	for (unsigned int point = 0; point < HOOK_POINTS; point++) {
		if (!made)
			filter_table_free(t[point]);
		else if (show(point, t[point]))
			undo(point);
	}
	return made ? 0 : -ENOMEM;
}

int filter_end(bool keep, struct error *err)
{
	int rc = keep ? show_all() : 0;

	transaction = false;
	for (unsigned int point = 0; point < HOOK_POINTS; point++) {
		if (keep && !rc)
			done(point);
		else
			undo(point);
		free(before[point].rule);
	}
	return rc ? no_memory(err) : 0;
}

static int release(struct error *err)
{
	if (!gathered)
		return 0;
	gathered = false;
	return filter_end(true, err);
}

/* What was gathered before takes effect by itself. */
int filter_begin(struct error *err)
{
	int rc = release(err);

	return rc ? rc : begin(err);
}

void filter_hold(void)
{
	holds++;
}

int filter_release(struct error *err)
{
	return --holds ? 0 : release(err);
}

void filter_reset(enum hook_point point)
{
	const struct chain *c = &chains[point];

	for (uint32_t i = 0; i < c->n; i++)
		for (unsigned int k = 0; k < workers_count; k++) {
			__atomic_store_n(&c->rule[i]->state->count[k].packets, 0, __ATOMIC_RELAXED);
			__atomic_store_n(&c->rule[i]->state->count[k].bytes, 0, __ATOMIC_RELAXED);
		}
}

/* ---- policies, and what there is ---- */

int filter_policy_set(enum hook_point point, bool accept, struct error *err)
{
	struct chain *c = &chains[point];
	bool old = c->drop;

	gather();
	c->drop = !accept;
	if (!publish(point))
		return 0;
	c->drop = old;
	return no_memory(err);
}

bool filter_policy(enum hook_point point)
{
	return !chains[point].drop;
}

unsigned int filter_count(enum hook_point point)
{
	return chains[point].n;
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

const struct filter_term *filter_log_term(enum hook_point point, uint32_t handle)
{
	const struct chain *c = &chains[point];

	for (uint32_t i = 0; i < c->n; i++)
		for (unsigned int k = 0; k < c->rule[i]->rule.n; k++)
			if (c->rule[i]->state->handle == handle &&
			    c->rule[i]->rule.term[k].kind == FILTER_LOG)
				return &c->rule[i]->rule.term[k];
	return NULL;
}

/* ---- start and stop ---- */

/* Rules that name the link have a number for it now, or none. Without memory the old table stays,
 * in which the link's number is that of a link that is gone, or none. */
static void on_link(enum link_event event, struct link *l, const struct link_addr *a)
{
	struct error ignored;

	if ((event != LINK_ADDED && event != LINK_DELETED) ||
	    (gathered && release(&ignored) == 0))
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

		filter_table_free(c->table);
		for (uint32_t i = 0; i < c->n; i++)
			filter_owned_free(c->rule[i]);
		free(c->rule);
		*c = (struct chain){0};
	}
}
