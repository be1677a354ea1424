/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter_values.h. */
#include "control/filter_values.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/value.h"

bool filter_read_number(const char *p, char end, uint32_t *number)
{
	bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
	int base = hex ? 16 : p[0] == '0' ? 8 : 10;
	char *stop;
	unsigned long value;

	if (*p < '0' || *p > '9')
		return false;
	errno = 0;
	value = strtoul(p, &stop, base);
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
	if (f->named)
		return error_set(s->err, EINVAL, "%s: \"%s\" is not a number from 0 to %u, nor the "
				 "name of %s", f->words, s->token, f->max, f->named);
	for (const struct arg_name *n = f->names; n && n->name && len < sizeof(list); n++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					n == f->names ? ", nor one of: " : ", ", n->name);
	return error_set(s->err, EINVAL, "%s: \"%s\" is not a number from 0 to %u%s", f->words,
			 s->token, f->max, list);
}

static bool named(const struct filter_field *f, const char *name, uint32_t *value)
{
	return value_named(&(struct arg){.names = f->names}, name, value) ||
	       (f->more && isalpha((unsigned char)*name) && f->more(name, value));
}

int filter_read_value(struct tokens *s, const struct filter_field *f, uint32_t *number)
{
	if (named(f, s->token, number) ||
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

	if (!dash || named(f, s->token, &r->lo)) {
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

/* Four numbers, none of them hexadecimal? */
static bool is_whole_address(const char *word)
{
	return value_is_whole_address(word) &&
	       toupper((unsigned char)word[strcspn(word, "/xX")]) != 'X';
}

/* An address, or a number that is one. */
static bool address(const char *word, uint32_t *addr)
{
	const struct arg a = {.type = ARG_ADDRESS};
	struct value v;

	if (filter_read_number(word, 0, addr))
		return true;
	if (!is_whole_address(word) || value_parse(&a, word, &v, NULL))
		return false;
	*addr = rte_be_to_cpu_32(v.address);
	return true;
}

/* A/LEN; as in nft the address may have bits beyond. */
static bool prefix(const char *word, struct filter_range *r)
{
	const struct arg a = {.type = ARG_CIDR};
	struct value v;
	uint32_t mask;

	if (!is_whole_address(word) || value_parse(&a, word, &v, NULL))
		return false;
	mask = prefix_mask(v.len);
	*r = (struct filter_range){v.prefix & mask, v.prefix | ~mask};
	return true;
}

/* A, A/LEN or A-A. */
static int address_range(struct tokens *s, const struct filter_field *f, struct filter_range *r)
{
	char first[sizeof(s->token)];
	const char *dash = strchr(s->token, '-');
	bool good;

	if (s->at >= s->n)
		return error_set(s->err, EINVAL, "an address for %s is missing at the end",
				 f->words);
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(s->token, "-"), s->token);
	good = address(first, &r->lo) && address(dash ? dash + 1 : first, &r->hi);
	if (!good && !(!dash && prefix(s->token, r)))
		return error_set(s->err, EINVAL,
				 "%s: \"%s\" is not an address (10.0.0.1), a prefix "
				 "(10.0.0.0/24) or a range (10.0.0.1-10.0.0.9)",
				 f->words, s->token);
	if (r->lo > r->hi)
		return error_set(s->err, EINVAL, "%s: \"%s\" is no range: it ends before it begins",
				 f->words, s->token);
	token_advance(s);
	return 0;
}

static int more_flags(struct tokens *s, struct filter_range *r)
{
	uint32_t bit;
	int rc = 0;

	while (!rc && r->lo == r->hi && token_take_either(s, "|", "or")) {
		rc = filter_read_value(s, &filter_fields[FILTER_TCP_FLAGS], &bit);
		r->lo |= rc ? 0 : bit;
		r->hi = r->lo;
	}
	return rc;
}

static void take_note(struct values_read *read, const struct filter_range *r)
{
	if (r->lo != r->hi) {
		read->ranges = true;
		return;
	}
	read->lo = read->n ? RTE_MIN(read->lo, r->lo) : r->lo;
	read->hi = read->n ? RTE_MAX(read->hi, r->lo) : r->lo;
	read->n++;
}

int filter_read_range(struct tokens *s, const struct filter_term *t, struct filter_range *r)
{
	const struct filter_field *f = filter_field_of(t);
	bool is_address = t->kind == FILTER_SADDR || t->kind == FILTER_DADDR;
	int rc = is_address ? address_range(s, f, r) : number_range(s, f, r);

	if (!rc && t->kind == FILTER_TCP_FLAGS)
		rc = more_flags(s, r);
	if (!rc)
		take_note(&s->read, r);
	return rc;
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
		rc = filter_read_range(s, t, &r[n++]);
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
