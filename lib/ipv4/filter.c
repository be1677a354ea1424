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
	bool fresh;                  /* came in the transaction that has not ended yet */
};

struct chain {
	struct filter_table *table;  /* published; NULL: the hook is not there */
	struct owned **rule;
	uint32_t n, room;
	uint32_t last_handle;
	bool drop;                   /* the policy */
};

static struct chain chains[HOOK_POINTS];

/* What the chains were when a transaction began, and the rules that it took out. */
struct before {
	struct owned **rule;
	uint32_t n, last_handle;
	bool drop;
};

static struct before before[HOOK_POINTS];
static bool transaction;
static int32_t rules_max, linear_max;

/* ---- tables ---- */

static bool name_fits(const struct link *l, const char *name, size_t len)
{
	if (len && name[len - 1] == '*')
		return strncmp(l->name, name, len - 1) == 0;
	return strlen(l->name) == len && strncmp(l->name, name, len) == 0;
}

/* The numbers of the links with these names, rising. Returns how many there are. */
static uint16_t ranges_of_links(const char *names, struct filter_range *r)
{
	uint16_t n = 0;

	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		const struct link *l = link_get(i);
		bool fits = false;

		for (const char *at = names; l && *at && !fits; at += strspn(at, " ")) {
			fits = name_fits(l, at, strcspn(at, " "));
			at += strcspn(at, " ");
		}
		if (fits)
			r[n++] = (struct filter_range){i + 1u, i + 1u};
	}
	return n;
}

static bool is_link(const struct filter_term *t)
{
	return t->kind == FILTER_IIF || t->kind == FILTER_OIF;
}

/* Its ranges go to *room, and that behind them. */
static struct filter_step step_of(const struct filter_rule *r, const struct filter_term *t,
				  struct filter_range **room)
{
	struct filter_step s = {
		.kind = (uint8_t)t->kind, .not = t->not, .over = t->over, .lo = t->lo, .hi = t->hi,
		.mask = t->mask ? t->mask : UINT32_MAX,
	};

	if (is_link(t)) {
		s.n_set = ranges_of_links(t->text, *room);
		s.lo = s.hi = s.n_set ? (*room)->lo : FILTER_UNKNOWN_LINK;
	} else if (t->n_set) {
		s.n_set = t->n_set;
		memcpy(*room, r->range + t->set, t->n_set * sizeof(**room));
	}
	if (s.n_set < 2 && is_link(t))
		s.n_set = 0;
	if (s.n_set) {
		s.set = *room;
		*room += s.n_set;
	}
	return s;
}

/* How many ranges the sets of a chain's rules may have. */
static size_t ranges_needed(const struct chain *c)
{
	size_t n = 1;

	for (uint32_t i = 0; i < c->n; i++) {
		const struct filter_rule *r = &c->rule[i]->rule;

		n += r->n_ranges;
		for (unsigned int k = 0; k < r->n; k++)
			n += is_link(&r->term[k]) ? LINKS_MAX : 0;
	}
	return n;
}

static struct filter_entry entry_of(const struct owned *r, struct filter_range **room)
{
	struct filter_entry e = {
		.n = (uint8_t)r->rule.n, .verdict = (uint8_t)r->rule.verdict,
		.icmp_code = r->rule.icmp_code, .state = r->state,
	};

	for (unsigned int i = 0; i < r->rule.n; i++)
		e.step[i] = step_of(&r->rule, &r->rule.term[i], room);
	filter_acl_mark(&e);
	return e;
}

static void table_free(void *arg)
{
	struct filter_table *t = arg;

	for (uint32_t i = 0; t && i < t->n_parts; i++)
		filter_acl_free(t->parts[i].acl);
	if (t) {
		free(t->parts);
		free(t->ranges);
	}
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
	struct filter_range *room;

	if (!t)
		return NULL;
	t->accept = !c->drop;
	t->n = c->n;
	t->parts = calloc(c->n + 1, sizeof(t->parts[0]));
	t->ranges = room = calloc(ranges_needed(c), sizeof(t->ranges[0]));
	if (!t->parts || !t->ranges) {
		table_free(t);
		return NULL;
	}
	for (uint32_t i = 0; i < c->n; i++)
		t->rule[i] = entry_of(c->rule[i], &room);
	table_part(t);
	return t;
}

/* Let workers see what the chain is now: t, whose place is in `table`. The table comes before the
 * hook and goes after it. */
static int show(enum hook_point point, struct filter_table *t)
{
	struct chain *c = &chains[point];
	struct filter_table *old = c->table;

	if (t) {
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

static void bucket_init(struct filter_state *s, const struct filter_rule *r)
{
	for (unsigned int i = 0; i < r->n; i++) {
		const struct filter_term *t = &r->term[i];
		int64_t unit_ns;

		if (t->kind != FILTER_LIMIT)
			continue;
		unit_ns = (int64_t)(t->unit_s * NSEC_PER_SEC);
		if (t->bytes) {
			s->rate_bytes = t->lo;
			s->cost_ns = unit_ns;
			s->room_ns = (int64_t)((__int128)unit_ns * ((uint64_t)t->lo + t->hi) / t->lo);
		} else {
			s->cost_ns = unit_ns / t->lo;
			s->room_ns = s->cost_ns * t->hi;
		}
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

	if (!r)
		return;
	free(r->state);
	free((void *)(uintptr_t)r->rule.range);
	free(r);
}

static struct owned *owned_make(const struct filter_rule *rule, uint32_t handle)
{
	struct owned *r = calloc(1, sizeof(*r));
	struct filter_range *range = malloc((rule->n_ranges + 1) * sizeof(*range));

	if (r) {
		r->rule = *rule;
		r->rule.range = range;
		r->state = state_make(rule, handle);
	} else {
		free(range);
	}
	if (!r || !range || !r->state) {
		owned_free(r);
		return NULL;
	}
	if (rule->n_ranges)
		memcpy(range, rule->range, rule->n_ranges * sizeof(*range));
	return r;
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

static void put_in(struct chain *c, uint32_t at, struct owned *r)
{
	memmove(c->rule + at + 1, c->rule + at, (c->n - at) * sizeof(c->rule[0]));
	c->rule[at] = r;
	c->n++;
}

static struct owned *take_out(struct chain *c, uint32_t at)
{
	struct owned *r = c->rule[at];

	memmove(c->rule + at, c->rule + at + 1, (c->n - at - 1) * sizeof(c->rule[0]));
	c->n--;
	return r;
}

/* A rule that left its chain. In a transaction it may have to come back: what was there before goes
 * at the end, and what only came meanwhile at once. */
static void discard(struct owned *r)
{
	if (!transaction)
		rcu_defer(owned_free, r);
	else if (r->fresh)
		owned_free(r);
}

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "no memory for a table of rules");
}

static int replace(enum hook_point point, uint32_t at, struct owned *r, struct error *err)
{
	struct chain *c = &chains[point];
	struct owned *old = c->rule[at];

	c->rule[at] = r;
	if (publish(point)) {
		c->rule[at] = old;
		owned_free(r);
		return no_memory(err);
	}
	discard(old);
	return 0;
}

static int enter(enum hook_point point, uint32_t at, struct owned *r, struct error *err)
{
	struct chain *c = &chains[point];

	put_in(c, at, r);
	if (publish(point)) {
		owned_free(take_out(c, at));
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
	struct owned *r;
	int rc = somewhere ? find(point, handle, &at, err) : 0;

	if (rc)
		return rc;
	if (point == HOOK_POSTROUTING &&
	    (rule->verdict == FILTER_REJECT || rule->verdict == FILTER_RESET))
		return error_set(err, EOPNOTSUPP, "postrouting can not reject");
	if (!instead && c->n >= (uint32_t)rules_max)
		return error_set(err, ENOSPC, "%s has %u rules already "
				 "(net.millrace.filter_rules_max)", hook_point_name(point), c->n);
	r = room_for_one(c) ? owned_make(rule, instead ? handle : c->last_handle + 1) : NULL;
	if (!r)
		return error_set(err, ENOMEM, "no memory for a rule");
	r->fresh = transaction;
	return instead ? replace(point, at, r, err) : enter(point, at + (place == FILTER_AFTER), r, err);
}

int filter_del(enum hook_point point, uint32_t handle, struct error *err)
{
	struct chain *c = &chains[point];
	struct owned *r;
	uint32_t at;
	int rc = find(point, handle, &at, err);

	if (rc)
		return rc;
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
		return error_set(err, ENOENT, "%s has no rule with index %u", hook_point_name(point),
				 index);
	*handle = c->rule[index]->state->handle;
	return 0;
}

int filter_flush(enum hook_point point, struct error *err)
{
	struct chain *c = &chains[point];
	uint32_t n = c->n;

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

int filter_begin(struct error *err)
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
static bool is_in(const struct chain *c, const struct owned *r)
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
			owned_free(c->rule[i]);
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
			rcu_defer(owned_free, b->rule[i]);
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
			table_free(t[point]);
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
