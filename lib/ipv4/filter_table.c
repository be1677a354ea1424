/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of a chain, made of its rules: steps with numbers for links' names, parts where rules
 * are plain. See filter_table.h.
 */
#include "ipv4/filter_table.h"

#include <stdlib.h>
#include <string.h>

#include "ipv4/filter_acl.h"
#include "link/link.h"

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
		.mask = t->mask || t->kind == FILTER_MARK_SET ? t->mask : UINT32_MAX,
		.transport = t->payload.transport, .offset = t->payload.offset,
		.bits = t->payload.bits,
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

/* How many ranges the sets of the rules may have. */
static size_t ranges_needed(struct filter_owned *const *rule, uint32_t n_rules)
{
	size_t n = 1;

	for (uint32_t i = 0; i < n_rules; i++) {
		const struct filter_rule *r = &rule[i]->rule;

		n += r->n_ranges;
		for (unsigned int k = 0; k < r->n; k++)
			n += is_link(&r->term[k]) ? LINKS_MAX : 0;
	}
	return n;
}

static struct filter_entry entry_of(const struct filter_owned *r, struct filter_range **room)
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

void filter_table_free(void *arg)
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
static void table_part(struct filter_table *t, uint32_t linear_max)
{
	for (uint32_t from = 0, to; from < t->n; from = to) {
		struct filter_part *last = t->n_parts ? &t->parts[t->n_parts - 1] : NULL;
		struct rte_acl_ctx *acl = NULL;

		to = run_end(t, from);
		if (t->rule[from].plain && to - from > linear_max)
			acl = filter_acl_make(t, from, to);
		if (!acl && last && !last->acl)
			last->to = to;
		else
			t->parts[t->n_parts++] = (struct filter_part){from, to, acl};
	}
}

struct filter_table *filter_table_make(struct filter_owned *const *rule, uint32_t n, bool accept,
				       uint32_t linear_max)
{
	struct filter_table *t = calloc(1, sizeof(*t) + n * sizeof(t->rule[0]));
	struct filter_range *room;

	if (!t)
		return NULL;
	t->accept = accept;
	t->n = n;
	t->parts = calloc(n + 1, sizeof(t->parts[0]));
	t->ranges = room = calloc(ranges_needed(rule, n), sizeof(t->ranges[0]));
	if (!t->parts || !t->ranges) {
		filter_table_free(t);
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++)
		t->rule[i] = entry_of(rule[i], &room);
	table_part(t, linear_max);
	return t;
}
