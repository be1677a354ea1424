/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors: place and reason stay however long the words are, and it is a line that can be shown. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"

static struct error err;

/* A word of so many characters; valid until the next. */
static const char *word(char of, size_t n)
{
	static char words[2][10000];
	static unsigned int which;
	char *text = words[which++ % 2];

	memset(text, of, n);
	text[n] = '\0';
	return text;
}

static void assert_begins(const char *with)
{
	if (strncmp(err.text, with, strlen(with)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", err.text, with);
}

static void assert_ends(const char *with)
{
	size_t n = strlen(err.text), m = strlen(with);

	if (n < m || strcmp(err.text + n - m, with) != 0)
		fail_msg("\"%s\" does not end with \"%s\"", err.text, with);
}

static void test_short(void **state)
{
	assert_int_equal(error_set(&err, EINVAL, "\"%s\" is not %s", "a b", "one"), -EINVAL);
	error_prefix(&err, "%s:%d", "file", 3);
	error_append(&err, "; try two");
	assert_string_equal(err.text, "file:3: \"a b\" is not one; try two");
	assert_int_equal(error_set(NULL, EPERM, "x"), -EPERM);
	error_prefix(NULL, "x");
	error_append(NULL, "x");
}

static void test_long_words(void **state)
{
	for (size_t n = 400; n < 9000; n += 37) {
		error_set(&err, EINVAL, "\"%s\" is not a prefix (length 0 to 32)", word('a', n));
		error_prefix(&err, "route add");
		error_prefix(&err, "%s.conf:12", word('f', n));
		assert_begins("ffffffff");
		assert_non_null(strstr(err.text, ".conf:12: route add: \"aaaaaaaa"));
		assert_ends("aaaa\" is not a prefix (length 0 to 32)");
		error_append(&err, "; try another");
		assert_ends("32); try another");
		assert_true(strlen(err.text) < sizeof(err.text));
	}
	error_set(&err, EINVAL, "no \"%s\": \"%s\"", word('x', 300), word('y', 300));
	assert_begins("no \"xxxxxxxx");
	assert_ends("yyyyyyyy\"");
}

/* Quotes and blanks in the word, and nothing but quotes. */
static void test_odd_words(void **state)
{
	error_set(&err, EINVAL, "link: \"a b\"%s c\" is not one", word('z', 2000));
	assert_begins("link: \"a b\"zzzz");
	assert_ends("zzz c\" is not one");
	error_set(&err, EINVAL, "link: \"%s\" is not one", word('"', 2000));
	assert_begins("link: \"\"\"");
	assert_ends("\"\"\" is not one");
}

static void test_characters_stay_whole(void **state)
{
	char text[2001] = "";

	for (int shift = 0; shift < 4; shift++) {
		memset(text, 'a', (size_t)shift);
		for (size_t i = (size_t)shift; i + 2 < sizeof(text); i += 2)
			memcpy(text + i, "\xc3\xa4", 3);
		error_set(&err, EINVAL, "\"%s\" is not one", text);
		for (const char *c = err.text; *c; c++)
			if (*c == '\xc3')
				assert_int_equal(*++c, '\xa4');
			else
				assert_int_not_equal(*c, '\xa4');
	}
}

static void test_control_characters(void **state)
{
	error_set(&err, EINVAL, "\"a\nb\tc\x1b[31m\x7f\xc2\x9b\xc3\xa4\" is not one");
	error_prefix(&err, "fi\rle");
	assert_string_equal(err.text,
			    "fi\\rle: \"a\\nb\\tc\\x1b[31m\\x7f\\x9b\xc3\xa4\" is not one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_odd_words),
		cmocka_unit_test(test_characters_stay_whole),
		cmocka_unit_test(test_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
