/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Large tables other than main, over the make-believe links of route_world.h: what a search finds
 * by the FIB of such a table is what it finds by the trie, which it has to go by if no table may
 * have a FIB.
 */
#include "route_world.h"

#include <stdio.h>
#include <string.h>

#include "core/rcu.h"
#include "core/sysctl.h"
#include "route/rule.h"
#include "route/table.h"
#include "random.h"

#define ID 100
#define MIN 64
#define PREFIXES 400
#define ROUNDS 60
#define CHANGES 200
#define SEARCHES 2000
#define BLOCKS 32768            /* of a FIB */

static struct {
	char words[64], like[48];
	bool there;
} routes[PREFIXES];

static void set_min(unsigned int n)
{
	char value[16];

	snprintf(value, sizeof(value), "%u", n);
	if (sysctl_set("net.millrace.table_fib_prefixes", value, &err))
		fail_msg("%s", err.text);
}

static bool has_fib(void)
{
	const struct table *t = table_get(ID);

	return t && t->fib;
}

static int setup_large(void **state)
{
	struct rule_params p = { .priority_given = true, .priority = 10, .table = ID };
	int rc = setup_two(state);

	if (!rc)
		rc = rule_add(&p, &err);
	set_min(MIN);
	return rc;
}

/* Few bits are drawn, so that prefixes nest. */
static uint32_t draw(void)
{
	return 0x14000000u | (rnd() & 0x00070707u);
}

/* Some prefixes have more than one route, by TOS; some lead nowhere, or on to the next rule. */
static void draw_routes(void)
{
	static const char *const kinds[] = { "blackhole", "throw", "unreachable" };

	for (unsigned int i = 0; i < PREFIXES; i++) {
		unsigned int len = 8 + rnd() % 25, tos = i % 9 ? 0 : 0x10;
		uint32_t prefix = draw() & ~0u << (32 - len);

		snprintf(routes[i].like, sizeof(routes[i].like),
			 "%u.%u.%u.%u/%u%s metric %u table %u",
			 prefix >> 24, prefix >> 16 & 255, prefix >> 8 & 255, prefix & 255, len,
			 tos ? " tos 0x10" : "", i + 1, ID);
		if (i % 7)
			snprintf(routes[i].words, sizeof(routes[i].words), "%s via 10.%u.0.%u",
				 routes[i].like, 1 + i % 2, 2 + i % 200);
		else
			snprintf(routes[i].words, sizeof(routes[i].words), "%s %s",
				 kinds[rnd() % 3], routes[i].like);
		routes[i].there = false;
	}
}

static void change(unsigned int i)
{
	if (routes[i].there)
		ok(route_del, routes[i].like);
	else
		ok(route_add, routes[i].words);
	routes[i].there = !routes[i].there;
}

static unsigned int prefixes(void)
{
	const struct table *t = table_get(ID);

	return t ? t->slots_used : 0;
}

static void same_without(unsigned int seed)
{
	static const struct nexthop *found[SEARCHES];
	static struct route_flow f[SEARCHES];

	for (unsigned int i = 0; i < SEARCHES; i++) {
		f[i] = (struct route_flow){ .dst = rte_cpu_to_be_32(draw()), .iif = v0->id,
					    .tos = i % 3 ? 0 : 0x10 };
		found[i] = get_for(&f[i]);
	}
	set_min(0);
	assert_false(has_fib());
	for (unsigned int i = 0; i < SEARCHES; i++)
		if (get_for(&f[i]) != found[i])
			fail_msg("round %u, %08x tos %#x: %s", seed, rte_be_to_cpu_32(f[i].dst),
				 f[i].tos, table(ID));
	set_min(MIN);
}

static void test_follows(void **state)
{
	unsigned int with = 0, without = 0;

	draw_routes();
	for (unsigned int round = 0; round < ROUNDS; round++) {
		bool more = round / 10 % 2 == 0;

		for (unsigned int i = 0; i < CHANGES; i++) {
			unsigned int at = rnd() % PREFIXES;

			if (routes[at].there != more || rnd() % 16 == 0)
				change(at);
		}
		if (prefixes() >= MIN)
			assert_true(has_fib());
		if (prefixes() < MIN / 2)
			assert_false(has_fib());
		with += has_fib();
		without += !has_fib();
		same_without(round);
		rcu_poll();
	}
	assert_true(with > ROUNDS / 4 && without > ROUNDS / 8);
}

static void add_hosts(uint32_t first, uint32_t n, uint32_t distance)
{
	char words[64];

	for (uint32_t i = 0; i < n; i++) {
		uint32_t a = first + i * distance;

		snprintf(words, sizeof(words), "%u.%u.%u.%u via 10.1.0.9 table %u", a >> 24,
			 a >> 16 & 255, a >> 8 & 255, a & 255, ID);
		ok(route_add, words);
	}
}

static bool all(const struct route *r, void *arg)
{
	return true;
}

/* One goes below half of what it comes with, and with the table. */
static void test_few(void **state)
{
	char words[64];

	add_hosts(0x14000000, MIN - 1, 1);
	assert_false(has_fib());
	add_hosts(0x14000000 + MIN - 1, 1, 1);
	assert_true(has_fib());
	for (unsigned int i = 0; i < MIN; i++) {
		assert_int_equal(has_fib(), i <= MIN / 2);
		snprintf(words, sizeof(words), "20.0.0.%u table %u", i, ID);
		ok(route_del, words);
	}
	assert_false(has_fib());
	add_hosts(0x14000000, MIN, 1);
	assert_true(has_fib());
	route_flush(ID, all, NULL);
	assert_false(has_fib());
}

/* More /24 with longer prefixes than a FIB can have: the table takes them nevertheless, and has a
 * FIB again when they are few. */
static void test_too_many(void **state)
{
	add_hosts(0x14000000, BLOCKS, 256);
	assert_true(has_fib());
	leads_to("20.0.1.0", ROUTE_UNICAST, v0, "10.1.0.9", "10.1.0.1");
	add_hosts(0x14000000 + BLOCKS * 256, 2, 256);
	assert_false(has_fib());
	leads_to("20.0.1.0", ROUTE_UNICAST, v0, "10.1.0.9", "10.1.0.1");
	leads_to("20.128.0.0", ROUTE_UNICAST, v0, "10.1.0.9", "10.1.0.1");
	assert_int_equal(get("20.128.2.0")->type, ROUTE_NONE);
	route_flush(ID, all, NULL);
	add_hosts(0x14000000, MIN, 1);
	assert_true(has_fib());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_large, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_follows),
		TEST(test_few),
		TEST(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
