/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter_tokens.h. */
#include "control/filter_tokens.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t"

static size_t token_length(const char *p)
{
	const char *end;

	if (!*p)
		return 0;
	if (*p == '"') {
		end = strchr(p + 1, '"');
		return end ? (size_t)(end + 1 - p) : strlen(p);
	}
	if (strchr("{},&|^()/", *p))
		return 1;
	if (strchr("!<>=", *p))
		return p[1] == '=' ? 2 : 1;
	return strcspn(p, "{},&|^()!<>=" BLANKS);
}

/* Look at the token that stands here. An address and what is like one have a '/' in them, which is
 * a token only where it stands alone. A whole rule may be one word, as who quotes it for a shell
 * gives it. */
static void token_look(struct tokens *s)
{
	const char *p;

	s->token[0] = 0;
	s->len = 0;
	s->text_at = s->at;
	s->text_off = s->off;
	for (; s->at < s->n; s->at++, s->off = 0) {
		s->off += strspn(s->word[s->at] + s->off, BLANKS);
		if (s->word[s->at][s->off])
			break;
	}
	if (s->at >= s->n)
		return;
	p = s->word[s->at] + s->off;
	s->len = token_length(p);
	snprintf(s->token, sizeof(s->token), "%.*s", (int)s->len, p);
}

void tokens_begin(struct tokens *s, const char *const *word, int n, struct filter_draft *d,
		  struct error *err)
{
	*s = (struct tokens){.word = word, .n = n, .d = d, .err = err};
	token_look(s);
}

void token_advance(struct tokens *s)
{
	s->off += s->len;
	if (!s->word[s->at][s->off]) {
		s->at++;
		s->off = 0;
	}
	token_look(s);
}

bool token_is(const struct tokens *s, const char *token)
{
	return s->at < s->n && strcmp(s->token, token) == 0;
}

bool token_take(struct tokens *s, const char *token)
{
	if (!token_is(s, token))
		return false;
	token_advance(s);
	return true;
}

bool token_take_either(struct tokens *s, const char *token, const char *other)
{
	return token_take(s, token) || token_take(s, other);
}

int token_wrong(struct tokens *s, const char *expected)
{
	if (s->at >= s->n)
		return error_set(s->err, EINVAL, "%s is missing at the end", expected);
	return error_set(s->err, EINVAL, "\"%s\" is not %s", s->token, expected);
}

/* The whole word as it is; its quotes are gone already, or are in it. In the middle of a word, what
 * is in quotes or up to a blank. */
int token_text(struct tokens *s, const char *what, char *to, size_t size)
{
	const char *p;
	size_t len;

	if (s->text_at < s->n && !s->text_off) {
		s->at = s->text_at;
		s->off = 0;
		len = strlen(s->word[s->at]);
	} else if (s->at < s->n) {
		p = s->word[s->at] + s->off;
		len = *p == '"' ? token_length(p) : strcspn(p, BLANKS);
	} else {
		return token_wrong(s, what);
	}
	p = s->word[s->at] + s->off;
	s->len = len;
	if (len > 1 && p[0] == '"' && p[len - 1] == '"') {
		p++;
		len -= 2;
	}
	if (len >= size)
		return error_set(s->err, EINVAL, "%s can have %zu characters, not %zu", what,
				 size - 1, len);
	snprintf(to, size, "%.*s", (int)len, p);
	token_advance(s);
	return 0;
}
