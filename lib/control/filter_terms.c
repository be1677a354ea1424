/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter_terms.h. */
#include "control/filter_terms.h"

#include <errno.h>

#include "control/filter_names.h"
#include "control/filter_values.h"
#include "control/value.h"

struct filter_term *filter_term_new(struct tokens *s, enum filter_kind kind)
{
	struct filter_rule *r = &s->d->rule;
	struct filter_term *t = &r->term[r->n];

	if (r->n == FILTER_TERMS_MAX) {
		error_set(s->err, E2BIG, "a rule has at most %d terms", FILTER_TERMS_MAX);
		return NULL;
	}
	r->n++;
	*t = (struct filter_term){.kind = kind};
	return t;
}

enum operation { EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

static const struct {
	const char *words[2];
	enum operation op;
} operations[] = {
	{{"!=", "ne"}, NOT_EQUAL}, {{"==", "eq"}, EQUAL}, {{"<=", "le"}, LESS_EQUAL},
	{{">=", "ge"}, GREATER_EQUAL}, {{"<", "lt"}, LESS}, {{">", "gt"}, GREATER},
};

static bool operation(struct tokens *s, enum operation *op)
{
	for (unsigned int i = 0; i < RTE_DIM(operations); i++)
		for (unsigned int k = 0; k < 2; k++)
			if (token_take(s, operations[i].words[k])) {
				*op = operations[i].op;
				return true;
			}
	*op = EQUAL;
	return false;
}

static int equality(struct tokens *s, struct filter_term *t, bool *given)
{
	enum operation op;

	*given = operation(s, &op);
	if (op >= LESS)
		return error_set(s->err, EINVAL, "%s can not be compared by <, >, <= or >=",
				 filter_fields[t->kind].words);
	t->not = op == NOT_EQUAL;
	return 0;
}

int filter_read_equality(struct tokens *s, struct filter_term *t)
{
	bool given;

	return t ? equality(s, t, &given) : -E2BIG;
}

/* < N and its like: the range that this is. */
static int compared(struct tokens *s, struct filter_term *t, enum operation op)
{
	const struct filter_field *f = filter_field_of(t);
	struct filter_range r;
	int rc = filter_read_range(s, t, &r);

	if (rc)
		return rc;
	if (r.lo != r.hi)
		return error_set(s->err, EINVAL,
				 "%s: a range can not be compared by <, >, <= or >=", f->words);
	if ((op == LESS && !r.lo) || (op == GREATER && r.lo == f->max))
		return error_set(s->err, EINVAL, "no value of %s is %s %u", f->words,
				 op == LESS ? "<" : ">", r.lo);
	t->lo = op == LESS || op == LESS_EQUAL ? 0 : r.lo + (op == GREATER);
	t->hi = op == LESS || op == LESS_EQUAL ? r.lo - (op == LESS) : f->max;
	s->read = (struct values_read){0};
	return 0;
}

/* What nft has behind a field and is not to be had here. 0: it is none of that. */
static int not_here(struct tokens *s, const struct filter_term *t)
{
	static const struct {
		const char *word, *why;
	} words[] = {
		{"set", "packets are not changed here; only a mark can be set (mark set 1)"},
		{"vmap", "maps are not to be had here; write a rule for each verdict"},
		{"map", "maps are not to be had here"},
		{".", "one field is compared at a time here; write one match after the other"},
		{"@", "named sets are not to be had here; write the values in braces: { A, B }"},
	};

	for (unsigned int i = 0; s->at < s->n && i < RTE_DIM(words); i++)
		if (token_is(s, words[i].word) || (words[i].word[0] == '@' && s->token[0] == '@'))
			return error_set(s->err, EINVAL, "%s: \"%s\": %s",
					 filter_field_of(t)->words, s->token, words[i].why);
	return 0;
}

/* What follows a field: [== | != | < | > | <= | >=] VALUE, RANGE or { ... } */
static int right_side(struct tokens *s, struct filter_term *t)
{
	struct filter_range r;
	enum operation op;
	int rc = not_here(s, t);

	if (rc)
		return rc;
	s->read = (struct values_read){0};
	operation(s, &op);
	if (op >= LESS)
		return compared(s, t, op);
	t->not = op == NOT_EQUAL;
	if (token_take(s, "{"))
		return filter_read_set(s, t);
	rc = not_here(s, t);
	rc = rc ? rc : filter_read_range(s, t, &r);
	if (rc)
		return rc;
	if (token_is(s, ","))
		return error_set(s->err, EINVAL, "several values of %s stand in braces: "
				 "{ A, B }", filter_field_of(t)->words);
	t->lo = r.lo;
	t->hi = r.hi;
	return 0;
}

/* A mask must leave something to compare; and what nft makes of & A | B is not & (A | B). */
static int check_mask(struct tokens *s, const struct filter_term *t)
{
	if (!t->mask)
		return error_set(s->err, EINVAL, "%s: what stands behind \"&\" must be one "
				 "number and not 0", filter_field_of(t)->words);
	if (token_is(s, "|") || token_is(s, "or") || token_is(s, ","))
		return error_set(s->err, EINVAL, "%s: \"%s\" stands behind \"&\" only in "
				 "parentheses: & (A | B)", filter_field_of(t)->words, s->token);
	return 0;
}

/* Flags with | between them, in parentheses or not; if not commas, too. */
static int flags(struct tokens *s, uint32_t *bits)
{
	bool open = token_take(s, "(");
	uint32_t bit;

	*bits = 0;
	do {
		int rc = filter_read_value(s, &filter_fields[FILTER_TCP_FLAGS], &bit);

		if (rc)
			return rc;
		*bits |= bit;
	} while (token_take_either(s, "|", "or") || (!open && token_take(s, ",")));
	return !open || token_take(s, ")") ? 0 : token_wrong(s, "\"|\" or \")\"");
}

/* Behind &: a flag, or several in parentheses. */
static int mask_of_flags(struct tokens *s, struct filter_term *t)
{
	int rc = token_is(s, "(") ? flags(s, &t->mask) :
		 filter_read_value(s, &filter_fields[FILTER_TCP_FLAGS], &t->mask);

	return rc ? rc : check_mask(s, t);
}

/* Behind /: several with commas. */
static int flags_of(struct tokens *s, struct filter_term *t)
{
	unsigned int n = 0;
	uint32_t bit;

	do {
		int rc = filter_read_value(s, &filter_fields[FILTER_TCP_FLAGS], &bit);

		if (rc)
			return rc;
		t->mask |= bit;
		n++;
	} while (token_take(s, ","));
	if (n > 1)
		return check_mask(s, t);
	return error_set(s->err, EINVAL, "tcp flags: behind \"/\" stand two or more with commas "
			 "between them; of a single one: & syn == syn");
}

/* Flags of which any, or none, is wanted. */
static int some_flags(struct tokens *s, uint32_t bits)
{
	return bits ? 0 : error_set(s->err, EINVAL, "tcp flags: 0 is no flag to look for; == 0 is "
				    "true where there is none");
}

/* tcp flags A,B: any of them; ! A,B: none; & MASK == VALUE; VALUE / MASK; == VALUE: these and no
 * others; { VALUE, VALUE }: these or these. */
int filter_read_flags(struct tokens *s)
{
	struct filter_term *t = filter_term_new(s, FILTER_TCP_FLAGS);
	bool given;
	int rc;

	if (!t)
		return -E2BIG;
	if (token_take(s, "!")) {
		rc = flags(s, &t->mask);
		return rc ? rc : some_flags(s, t->mask);
	}
	if (token_take_either(s, "&", "and")) {
		rc = mask_of_flags(s, t);
		rc = rc ? rc : equality(s, t, &given);
		if (!rc && token_take(s, "{"))
			return filter_read_set(s, t);
		rc = rc ? rc : flags(s, &t->lo);
		t->hi = t->lo;
		return rc;
	}
	rc = equality(s, t, &given);
	if (rc)
		return rc;
	if (token_take(s, "{"))
		return filter_read_set(s, t);
	rc = not_here(s, t);
	rc = rc ? rc : flags(s, &t->lo);
	t->hi = t->lo;
	if (rc || token_take(s, "/")) {
		rc = rc ? rc : flags_of(s, t);
	} else if (!given) {            /* any of them is there */
		rc = some_flags(s, t->lo);
		t->mask = t->lo;
		t->lo = t->hi = 0;
		t->not = true;
	}
	return rc;
}

/* A mask: a number, or several with '|' between them in parentheses. */
static int read_mask(struct tokens *s, struct filter_term *t)
{
	bool open = token_take(s, "(");
	struct filter_range r;

	do {
		int rc = filter_read_range(s, t, &r);

		if (rc)
			return rc;
		t->mask |= r.lo;
		if (r.lo != r.hi)
			t->mask = 0;
	} while (open && r.lo == r.hi && token_take_either(s, "|", "or"));
	if (open && !token_take(s, ")"))
		return token_wrong(s, "\"|\" or \")\"");
	return check_mask(s, t);
}

/* A mask may stand before what is compared. */
int filter_read_term(struct tokens *s, struct filter_term *t)
{
	int rc = t ? 0 : -E2BIG;

	if (!rc && token_take_either(s, "&", "and"))
		rc = read_mask(s, t);
	return rc ? rc : right_side(s, t);
}

static const char *protocol_name(uint32_t protocol)
{
	const char *name = value_name(filter_protocols, protocol);

	return name ? name : "another";
}

int filter_protocol_is(struct tokens *s, uint32_t protocol)
{
	const struct filter_rule *r = &s->d->rule;
	struct filter_term *t;

	if (s->protocols)
		return error_set(s->err, EINVAL, "conflicting protocols: the rule is for several "
				 "already and can not be for %s alone",
				 value_name(filter_protocols, protocol));
	for (unsigned int i = 0; i < r->n; i++) {
		const struct filter_term *p = &r->term[i];

		if (p->kind != FILTER_PROTOCOL || p->not || p->n_set || p->mask || p->lo != p->hi)
			continue;
		return p->lo == protocol ? 0 : error_set(
			s->err, EINVAL, "conflicting protocols: the rule is for %s already and can "
			"not be for %s", protocol_name(p->lo),
			value_name(filter_protocols, protocol));
	}
	t = filter_term_new(s, FILTER_PROTOCOL);
	if (!t)
		return -E2BIG;
	t->lo = t->hi = protocol;
	return 0;
}
