/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See words.h. Words are cut in place: what quotes and backslashes take away only ever makes a
 * word shorter.
 */
#include "control/words.h"

#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

/* Move what stands between the quotes at *from to *to, and both beyond it. */
static bool unquote(char **from, char **to)
{
	char quote = *(*from)++;

	while (**from != quote) {
		if (quote == '"' && **from == '\\' && (*from)[1])
			(*from)++;
		if (!**from)
			return false;
		*(*to)++ = *(*from)++;
	}
	(*from)++;
	return true;
}

/* Cut the word at p. Returns what follows it, NULL if a quote stays open. */
static char *cut(char *p)
{
	char *to = p;

	while (*p && !is_blank(*p) && *p != '#') {
		if (*p != '"' && *p != '\'')
			*to++ = *p++;
		else if (!unquote(&p, &to))
			return NULL;
	}
	if (*p == '#')
		*p = 0;
	else if (*p)
		p++;
	*to = 0;
	return p;
}

int words_split(char *line, const char *argv[WORDS_MAX])
{
	int argc = 0;
	char *p = line;

	for (;;) {
		while (is_blank(*p))
			p++;
		if (!*p || *p == '#')
			return argc;
		if (argc == WORDS_MAX)
			return WORDS_TOO_MANY;
		argv[argc++] = p;
		p = cut(p);
		if (!p)
			return WORDS_OPEN_QUOTE;
	}
}

const char *words_error_text(int code)
{
	static char too_many[64];

	if (code == WORDS_OPEN_QUOTE)
		return "a quote is not closed";
	snprintf(too_many, sizeof(too_many), "there are more than %d words on the line", WORDS_MAX);
	return too_many;
}

bool word_needs_quotes(const char *word)
{
	return !*word || strpbrk(word, " \t\r\n\v\f#\"'");
}
