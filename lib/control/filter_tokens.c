/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter_tokens.h. */
#include "control/filter_tokens.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t token_length(const char *p)
{
	if (!*p)
		return 0;
	if (strchr("{},&|^()/", *p))
		return 1;
	if (strchr("!<>=", *p))
		return p[1] == '=' ? 2 : 1;
	return strcspn(p, "{},&|^()!<>=");
}

/* Look at the token that stands here. An address and what is like one have a '/' in them, which is
 * a token only where it stands alone. */
static void token_look(struct tokens *s)
{
	const char *p;

	s->token[0] = 0;
	s->len = 0;
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

/* The whole word as it is; its quotes are gone already, or are in it. */
int token_text(struct tokens *s, const char *what, char *to, size_t size)
{
	const char *p;
	size_t len;

	if (s->at >= s->n)
		return token_wrong(s, what);
	p = s->word[s->at] + s->off;
	len = strlen(p);
	if (len > 1 && p[0] == '"' && p[len - 1] == '"') {
		p++;
		len -= 2;
	}
	if (len >= size)
		return error_set(s->err, EINVAL, "%s can have %zu characters, not %zu", what,
				 size - 1, len);
	snprintf(to, size, "%.*s", (int)len, p);
	s->at++;
	s->off = 0;
	token_look(s);
	return 0;
}
