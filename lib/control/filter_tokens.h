/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words of a filter rule, cut into tokens, as braces, commas and operators may stand close to
 * others ("{22,80}", "!=5"); texts (a prefix of log lines, a comment) are words as they are. Only
 * for those who read rules: filter_words.c, filter_matches.c and filter_values.c.
 */
#ifndef CONTROL_FILTER_TOKENS_H
#define CONTROL_FILTER_TOKENS_H

#include "control/filter_words.h"

/* Which values something has been compared with. */
struct values_read {
	unsigned int n;         /* single ones */
	uint32_t lo, hi;        /* the least and the greatest of these */
	bool ranges;            /* and there were ranges */
};

/* Where a reader stands. */
struct tokens {
	const char *const *word;
	int n, at;
	size_t off;             /* of the token in its word */
	int text_at;            /* where a text would begin that stands here: before blanks, too */
	size_t text_off;
	char token[128];        /* the one that stands here; "": there is none left */
	size_t len;
	struct filter_draft *d; /* what is read goes here */
	struct values_read read; /* by the match that was read last */
	struct values_read icmp; /* the ICMP types that the rule is for; n 0: not known */
	bool protocols;         /* it is for several protocols */
	struct error *err;
};

/* Stand at the first token of word[0 .. n-1]. */
void tokens_begin(struct tokens *s, const char *const *word, int n, struct filter_draft *d,
		  struct error *err);

/* Go on to the next; there must be a token here. */
void token_advance(struct tokens *s);

/* Does this token stand here? token_take() goes on to the next if so. */
bool token_is(const struct tokens *s, const char *token);
bool token_take(struct tokens *s, const char *token);
/* Of two names of the same. */
bool token_take_either(struct tokens *s, const char *token, const char *other);

/* A whole word as it is, without quotes. 0, or -EINVAL and a sentence: there is none, or it has no
 * room in size bytes. `what` is its name in sentences. */
int token_text(struct tokens *s, const char *what, char *to, size_t size);

/* What stands here is not what should: -EINVAL and a sentence that says so. */
int token_wrong(struct tokens *s, const char *expected);

#endif
