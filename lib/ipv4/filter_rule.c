/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rule as its chain owns it, with a copy of its sets, and what lives as long as the rule: its
 * handle, what it has counted, and the bucket of its limit.
 */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "ipv4/filter_table.h"

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
			s->room_ns = (int64_t)((__int128)unit_ns * ((uint64_t)t->lo + t->hi) /
					       t->lo);
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
	s->count[0].packets = r->packets;
	s->count[0].bytes = r->bytes;
	bucket_init(s, r);
	return s;
}

void filter_owned_free(void *arg)
{
	struct filter_owned *r = arg;

	if (!r)
		return;
	free(r->state);
	free((void *)(uintptr_t)r->rule.range);
	free(r);
}

struct filter_owned *filter_owned_make(const struct filter_rule *rule, uint32_t handle)
{
	struct filter_owned *r = calloc(1, sizeof(*r));
	struct filter_range *range = malloc((rule->n_ranges + 1) * sizeof(*range));

	if (r) {
		r->rule = *rule;
		r->rule.range = range;
		r->state = state_make(rule, handle);
	} else {
		free(range);
	}
	if (!r || !range || !r->state) {
		filter_owned_free(r);
		return NULL;
	}
	if (rule->n_ranges)
		memcpy(range, rule->range, rule->n_ranges * sizeof(*range));
	return r;
}
