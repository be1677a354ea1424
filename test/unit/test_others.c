/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lookups that must leave by a certain link, against the tables themselves: routes, rules and links
 * change by chance, and after each change what workers find is what route_explain() finds in the
 * lists of routes.
 */
#include "route_world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/sysctl.h"
#include "random.h"
#include "route/rule.h"

#define STEPS 30000

static const char *one_of(const char *const *words, unsigned int n)
{
	return words[rnd() % n];
}

#define ONE_OF(...) \
	one_of((const char *const[]){ __VA_ARGS__ }, \
	       sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

/* Few prefixes and metrics, so that there are many routes of each. */
static const char *draw_route(void)
{
	static char words[256];
	const char *type = ONE_OF("", "", "", "", "", "", "", "unreachable ", "throw ", "prohibit ",
				  "local ", "broadcast ");
	const char *to = ONE_OF("dev v0", "dev v1", "dev v1", "dev v0", "via 10.1.0.9",
				"via 10.2.0.9", "via 10.1.0.1", "nexthop dev v0 nexthop dev v1",
				"nexthop via 10.1.0.7 nexthop via 10.1.0.8",
				"nexthop via 10.2.0.7 weight 3 nexthop dev v0", "dev lo");

	if (*type == 'u' || *type == 't' || *type == 'p')
		to = "";
	else if (*type)
		to = ONE_OF("dev v0", "dev v1", "dev lo");
	snprintf(words, sizeof(words), "%s%s %s metric %u%s%s", type,
		 ONE_OF("20.0.0.0/8", "20.0.0.0/7", "20.1.0.0/16", "20.1.1.0/24", "20.1.1.1/32",
			"20.1.1.128/25", "default"),
		 to, rnd() % 5, ONE_OF("", "", "", " tos 10", " tos 08"),
		 ONE_OF("", "", "", " table 255", " table 253", " table 10", " table 254"));
	return words;
}

static int append_route(const struct route_params *p, struct error *e)
{
	return route_enter(p, ROUTE_APPEND, e);
}

static int prepend_route(const struct route_params *p, struct error *e)
{
	return route_enter(p, ROUTE_PREPEND, e);
}

static void change_rules(void)
{
	struct rule_params p = { .priority_given = true, .priority = 1 + rnd() % 4,
				 .table = rnd() % 2 ? 10 : ROUTE_TABLE_DEFAULT };

	if (rnd() % 3 == 0) {
		p.tos = 0x10;
	} else if (rnd() % 3 == 0) {
		p.to = 0x14010000;
		p.to_len = 16;
	}
	if (rnd() % 3)
		rule_del(&(struct rule_params){ .action = RULE_ANY, .priority_given = true,
						.priority = p.priority }, &err);
	else
		rule_add(&p, &err);
}

static void change_links(void)
{
	struct link *l = rnd() % 2 ? v0 : v1;

	switch (rnd() % 4) {
	case 0:
		down(l);
		break;
	case 1:
		up(l);
		break;
	case 2:
		carrier(l, !l->running);
		break;
	case 3:
		sysctl_set("net.ipv4.conf.v0.ignore_routes_with_linkdown", rnd() % 2 ? "1" : "0",
			   &err);
	}
}

static bool any_route(const struct route *r, void *arg)
{
	return rnd() % 2 && (r->prefix >> 24 == 20 || !r->len);
}

static void change(void)
{
	static int (*const how[])(const struct route_params *p, struct error *e) = {
		route_add, route_add, append_route, prepend_route, route_replace, route_del,
		route_del,
	};
	unsigned int what = rnd() % 64;

	if (what == 0)
		change_rules();
	else if (what == 1)
		change_links();
	else if (what == 2)
		route_flush(0, any_route, NULL);
	else
		do_route(how[rnd() % (sizeof(how) / sizeof(how[0]))], draw_route());
}

static unsigned int found, differing;

static void compare(const char *dst, uint8_t tos)
{
	struct route_flow f = { .dst = ip(dst), .tos = tos };
	uint32_t best = route_lookup(&f);
	struct route_answer a;

	for (int link = -1; link < 3; link++) {
		uint32_t index = link < 0 ? best : route_lookup_over(&f, (unsigned int)link);

		route_explain(&f, link, &a);
		if (nexthop_get(a.nexthop)->type != ROUTE_NONE)
			assert_int_equal(index, a.nexthop);
		else
			assert_int_equal(nexthop_get(index)->type, ROUTE_NONE);
		found += nexthop_get(index)->type == ROUTE_UNICAST;
		differing += nexthop_get(index)->type == ROUTE_UNICAST && index != best;
	}
}

static bool all(const struct route *r, void *arg)
{
	return r->prefix >> 24 == 20 || !r->len;
}

static void test_random(void **state)
{
	unsigned int used = nexthop_used();

	for (unsigned int i = 0; i < STEPS; i++) {
		change();
		compare(ONE_OF("20.1.1.1", "20.1.1.200", "20.1.1.5", "20.1.9.9", "20.9.9.9",
			       "21.0.0.1", "30.0.0.1"), (uint8_t)(rnd() % 8 * 4));
	}
	assert_true(found > STEPS / 4 && differing > STEPS / 8);
	route_flush(0, all, NULL);
	rule_flush(&(struct rule_params){ 0 }, &err);
	assert_true(nexthop_used() <= used);
}

/* The second way of a prefix comes and goes with its routes and its link. */
static void test_second(void **state)
{
	const struct route_flow f = { .dst = ip("20.0.0.1") };

	ok(route_add, "20.0.0.0/8 via 10.1.0.9");
	assert_int_equal(route_lookup_over(&f, v1->id), 0);
	ok(route_add, "20.0.0.0/8 via 10.2.0.9 metric 5");
	ok(route_add, "20.0.0.0/8 via 10.2.0.8 metric 6");
	assert_int_equal(get("20.0.0.1")->gateway, ip("10.1.0.9"));
	assert_int_equal(nexthop_get(route_lookup_over(&f, v1->id))->gateway, ip("10.2.0.9"));
	assert_int_equal(nexthop_get(route_lookup_over(&f, v0->id))->gateway, ip("10.1.0.9"));
	ok(route_del, "20.0.0.0/8 metric 5");
	assert_int_equal(nexthop_get(route_lookup_over(&f, v1->id))->gateway, ip("10.2.0.8"));
	ok(route_add, "unreachable 20.0.0.0/8 metric 5");
	assert_int_equal(nexthop_get(route_lookup_over(&f, v1->id))->type, ROUTE_UNREACHABLE);
	ok(route_del, "unreachable 20.0.0.0/8");
	down(v1);
	assert_int_equal(route_lookup_over(&f, v1->id), 0);
}

#define two(test) cmocka_unit_test_setup_teardown(test, setup_two, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		two(test_second),
		two(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
