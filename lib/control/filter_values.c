/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter_values.h. */
#include "control/filter_values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/value.h"

bool filter_read_number(const char *p, char end, uint32_t *number)
{
	bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
	char *stop;
	unsigned long value;

	if (*p < '0' || *p > '9')
		return false;
	errno = 0;
	value = strtoul(p, &stop, hex ? 16 : 10);
	if (errno || value > UINT32_MAX || *stop != end || stop == p + (hex ? 2 : 0))
		return false;
	*number = (uint32_t)value;
	return true;
}

static int not_a_value(struct tokens *s, const struct filter_field *f)
{
	char list[400] = "";
	size_t len = 0;

	if (s->at >= s->n)
		return error_set(s->err, EINVAL, "a value for %s is missing at the end", f->words);
	for (const struct arg_name *n = f->names; n && n->name && len < sizeof(list); n++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					n == f->names ? ", nor one of: " : ", ", n->name);
	return error_set(s->err, EINVAL, "%s: \"%s\" is not a number from 0 to %u%s", f->words,
			 s->token, f->max, list);
}

int filter_read_value(struct tokens *s, const struct filter_field *f, uint32_t *number)
{
	if (value_named(&(struct arg){.names = f->names}, s->token, number) ||
	    (filter_read_number(s->token, 0, number) && *number <= f->max)) {
		token_advance(s);
		return 0;
	}
	return not_a_value(s, f);
}

/* N or N-N, or a name. */
static int number_range(struct tokens *s, const struct filter_field *f, struct filter_range *r)
{
	const char *dash = strchr(s->token, '-');

	if (!dash || value_named(&(struct arg){.names = f->names}, s->token, &r->lo)) {
		int rc = filter_read_value(s, f, &r->lo);

		r->hi = r->lo;
		return rc;
	}
	if (!filter_read_number(s->token, '-', &r->lo) ||
	    !filter_read_number(dash + 1, 0, &r->hi) || r->hi > f->max)
		return not_a_value(s, f);
	if (r->lo > r->hi)
		return error_set(s->err, EINVAL, "%s: \"%s\" is no range: it ends before it begins",
				 f->words, s->token);
	token_advance(s);
	return 0;
}

static int address(struct tokens *s, const char *word, enum arg_type type, struct value *v)
{
	const struct arg a = {.name = "PREFIX", .type = type};

	if (!value_is_whole_address(word))
		return error_set(s->err, EINVAL, "\"%s\" is not an address or a prefix", word);
	return value_parse(&a, word, v, s->err);
}

/* A, A/LEN or A-A. */
static int address_range(struct tokens *s, struct filter_range *r)
{
	char first[sizeof(s->token)];
	const char *dash = strchr(s->token, '-');
	struct value v = {0};
	int rc;

	if (s->at >= s->n)
		return token_wrong(s, "PREFIX");
	if (!dash) {
		rc = address(s, s->token, ARG_PREFIX, &v);
		r->hi = v.len ? (uint32_t)((1ULL << (32 - v.len)) - 1) : UINT32_MAX;
		r->lo = v.prefix & ~r->hi;
		r->hi |= v.prefix;
	} else {
		snprintf(first, sizeof(first), "%.*s", (int)(dash - s->token), s->token);
		rc = address(s, first, ARG_HOST, &v);
		r->lo = rc ? 0 : rte_be_to_cpu_32(v.address);
		rc = rc ? rc : address(s, dash + 1, ARG_HOST, &v);
		r->hi = rc ? 0 : rte_be_to_cpu_32(v.address);
		if (!rc && r->lo > r->hi)
			rc = error_set(s->err, EINVAL,
				       "\"%s\" is no range: it ends before it begins", s->token);
	}
	if (!rc)
		token_advance(s);
	return rc;
}

int filter_read_range(struct tokens *s, enum filter_kind kind, struct filter_range *r)
{
	if (kind == FILTER_SADDR || kind == FILTER_DADDR)
		return address_range(s, r);
	return number_range(s, &filter_fields[kind], r);
}

static int by_start(const void *a, const void *b)
{
	const struct filter_range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* Rising and apart. */
static unsigned int tidy(struct filter_range *r, unsigned int n)
{
	unsigned int kept = 0;

	qsort(r, n, sizeof(*r), by_start);
	for (unsigned int i = 1; i < n; i++) {
		if (r[i].lo <= r[kept].hi || r[i].lo == r[kept].hi + 1)
			r[kept].hi = RTE_MAX(r[kept].hi, r[i].hi);
		else
			r[++kept] = r[i];
	}
	return kept + 1;
}

/* Behind the brace: A, B, ... } */
int filter_read_set(struct tokens *s, struct filter_term *t)
{
	struct filter_rule *rule = &s->d->rule;
	struct filter_range *r = s->d->range + rule->n_ranges;
	unsigned int n = 0;
	int rc;

	do {
		if (rule->n_ranges + n == FILTER_RANGES_MAX)
			return error_set(s->err, E2BIG,
					 "the sets of a rule have at most %d elements",
					 FILTER_RANGES_MAX);
		rc = filter_read_range(s, t->kind, &r[n++]);
		if (rc)
			return rc;
	} while (token_take(s, ","));
	if (!token_take(s, "}"))
		return token_wrong(s, "\",\" or \"}\"");
	n = tidy(r, n);
	if (n == 1) {
		t->lo = r->lo;
		t->hi = r->hi;
		return 0;
	}
	t->set = (uint16_t)rule->n_ranges;
	t->n_set = (uint16_t)n;
	rule->n_ranges += n;
	return 0;
}
