/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errors as one sentence; see error.h. The words in one are the operator's and may hold anything:
 * control characters are written as C writes them, and where a sentence has no room the longest
 * word in it loses its middle, never the place before it or the reason behind it.
 */
#include "core/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP "..."
#define WORD_MIN 40     /* what is always left of a word */

/* Is this a control character, of ASCII or (two bytes) of Unicode? */
static bool is_control(const unsigned char *c)
{
	return *c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
}

/* Text without control characters; the caller's. */
static char *printable(const char *text)
{
	static const char letters[] = "abtnvfr"; /* from 7 on */
	char *copy = malloc(4 * strlen(text) + 1), *to = copy;

	if (!copy)
		return NULL;
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (!is_control(c))
			*to++ = (char)*c;
		else if (*c >= '\a' && *c <= '\r')
			to += sprintf(to, "\\%c", letters[*c - '\a']);
		else if (*c == 0xc2)
			to += sprintf(to, "\\x%02x", *++c);
		else
			to += sprintf(to, "\\x%02x", *c);
	}
	*to = '\0';
	return copy;
}

/* The longest word of a text: between quotes, or else between blanks. Returns its length. */
static size_t longest_word(const char *text, size_t *start)
{
	size_t longest = 0, at = 0, n;

	*start = 0;
	while (text[at]) {
		bool quoted = text[at] == '"';

		at += quoted;
		n = strcspn(text + at, quoted ? "\"" : " \"");
		if (n > longest) {
			longest = n;
			*start = at;
		}
		at += n;
		at += text[at] == ' ' || (quoted && text[at]);
	}
	return longest;
}

static bool is_inside_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Cut the middle out of a part of a text, so that about so many bytes are left of it. */
static void cut(char *text, size_t start, size_t len, size_t left)
{
	size_t head = (left - strlen(GAP)) / 2, tail = head;
	char *part = text + start, *end = part + len;

	while (head && is_inside_character(part[head]))
		head--;
	while (tail && is_inside_character(*(end - tail)))
		tail--;
	memcpy(part + head, GAP, strlen(GAP));
	memmove(part + head + strlen(GAP), end - tail, strlen(end - tail) + 1);
}

/* Put a text into the error, cut to fit. */
static void put(struct error *err, const char *text)
{
	char *copy = printable(text);
	size_t len, start, word, over;

	if (!copy)
		return;
	while ((len = strlen(copy)) >= sizeof(err->text)) {
		over = len - sizeof(err->text) + 1;
		word = longest_word(copy, &start);
		if (word > WORD_MIN)
			cut(copy, start, word, word > over + WORD_MIN ? word - over : WORD_MIN);
		else
			cut(copy, 0, len, sizeof(err->text) - 1);
	}
	memcpy(err->text, copy, len + 1);
	free(copy);
}

/* The same of two texts, one behind the other. */
static void put_both(struct error *err, const char *first, const char *between, const char *second)
{
	char *whole;

	if (asprintf(&whole, "%s%s%s", first, between, second) < 0)
		return;
	put(err, whole);
	free(whole);
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (!err)
		return -code;
	err->text[0] = '\0';
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) >= 0) {
		put(err, text);
		free(text);
	}
	va_end(ap);
	return -code;
}

void error_prefix(struct error *err, const char *fmt, ...)
{
	char *prefix;
	va_list ap;
	int n;

	if (!err)
		return;
	va_start(ap, fmt);
	n = vasprintf(&prefix, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	put_both(err, prefix, ": ", err->text);
	free(prefix);
}

void error_append(struct error *err, const char *text)
{
	if (err)
		put_both(err, err->text, "", text);
}
