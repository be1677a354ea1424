/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry of settings: names, ranges, patterns, taking out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/sysctl.h"

static int32_t values[300], old_seen;

static void changed(struct sysctl *s, int32_t old)
{
	old_seen = old;
}

static void add(const char *name, int32_t *value)
{
	assert_int_equal(sysctl_register(&(struct sysctl){.name = name, .value = value, .min = -1,
							  .max = 9, .preset = 4,
							  .changed = changed}), 0);
}

static void test_set(void **state)
{
	static const char *const wrong[] = {
		"10", "-2", "", "x", "5x", "0x", "+5", "99999999999999999999"};
	struct error err;

	add("net.a", &values[0]);
	assert_int_equal(values[0], 4);
	assert_int_equal(sysctl_register(sysctl_find("net.a")), -EEXIST);
	assert_int_equal(sysctl_set("net/a", "0x9", &err), 0);
	assert_int_equal(values[0], 9);
	assert_int_equal(old_seen, 4);
	assert_int_equal(sysctl_set("net.a", "-1", &err), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(sysctl_set("net.a", wrong[i], &err), -EINVAL);
		assert_int_equal(values[0], -1);
	}
	assert_string_equal(err.text,
			    "net.a: \"99999999999999999999\" is not a number from -1 to 9");
	assert_int_equal(sysctl_set("net.b", "1", &err), -ENOENT);
	sysctl_unregister("net.a");
	assert_null(sysctl_find("net.a"));
}

static void test_wide(void **state)
{
	static const char *const wrong[] = {"9",   "-1", " -11", "-18446744073709551605",
					    "+11", "",   "11x",  "18446744073709551616"};
	struct error err;
	uint64_t wide = 0;
	struct sysctl *s;

	assert_int_equal(sysctl_register(&(struct sysctl){.name = "net.w", .wide = &wide, .min = 10,
							  .max = (int64_t)UINT64_MAX,
							  .preset = 1LL << 40}), 0);
	assert_int_equal(wide, 1ULL << 40);
	s = sysctl_find("net.w");
	assert_int_equal(sysctl_value(s), 1LL << 40);
	assert_int_equal(sysctl_set("net.w", "18446744073709551615", &err), 0);
	assert_true(wide == UINT64_MAX);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(sysctl_set("net.w", wrong[i], &err), -EINVAL);
		assert_true(wide == UINT64_MAX);
	}
	assert_string_equal(err.text, "net.w: \"18446744073709551616\" is not a number from 10"
			    " to 18446744073709551615");
	assert_int_equal(sysctl_set("net.w", "0x8000000000000000", &err), 0);
	assert_true(wide == 1ULL << 63);
	s->min = (int64_t)(1ULL << 63);
	assert_int_equal(sysctl_set("net.w", "9223372036854775807", &err), -EINVAL);
	sysctl_unregister("net.w");
}

static int count(struct sysctl *s, void *arg)
{
	++*(int *)arg;
	return 0;
}

static void test_many(void **state)
{
	char name[32];
	int n = 0;

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "x.%d.y", i * 7 % 300);
		add(name, &values[i]);
	}
	sysctl_foreach(NULL, count, &n);
	assert_int_equal(n, 300);
	n = 0;
	sysctl_foreach("x.1?.y", count, &n);
	assert_int_equal(n, 10);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "x.%d.y", i * 7 % 300);
		assert_ptr_equal(sysctl_find(name)->value, &values[i]);
	}
	sysctl_unregister("x.2");
	n = 0;
	sysctl_foreach(NULL, count, &n);
	assert_int_equal(n, 300 - 111);
	sysctl_unregister("");
}

/* Those of a link, but not those of one whose name begins so. */
static void test_unregister_words(void **state)
{
	add("conf.p0.a", &values[0]);
	add("conf.p0.b", &values[1]);
	add("conf.p0.5.a", &values[2]);
	sysctl_unregister_words("conf.p0.");
	assert_null(sysctl_find("conf.p0.a"));
	assert_null(sysctl_find("conf.p0.b"));
	assert_non_null(sysctl_find("conf.p0.5.a"));
	sysctl_unregister("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_unregister_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
