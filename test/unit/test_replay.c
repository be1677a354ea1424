/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps that lead to the routes there are, over the make-believe links of route_world.h. */
#include "route_world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "route/group.h"
#include "route/replay.h"
#include "route/rule.h"

static int append_step(const struct replay_step *s, void *arg)
{
	static const char *const verbs[] = { "del", "add", "append", "prepend" };
	const struct route *r = s->route;
	const struct nexthop *nh = nexthop_get(r->nexthop);

	append("%u", s->part);
	if (r->prefix)
		append_addr(verbs[s->verb], rte_cpu_to_be_32(r->prefix));
	else
		append(" %s default", verbs[s->verb]);
	append_addr("via", nh->via);
	if (nh->type == ROUTE_GROUP)
		for (unsigned int i = 0; i < nh->group->n; i++)
			append(replay_finds(s, nexthop_get(nh->group->members[i].nexthop)) ?
			       " found" : " lost");
	else if (nh->type == ROUTE_UNICAST || nh->type == ROUTE_BROADCAST)
		append(" dev %s%s", link_mem[nh->link].name, replay_finds(s, nh) ? "" : " lost");
	append("\n");
	return 0;
}

static const char *steps(void)
{
	unsigned int used = nexthop_used();
	struct replay *p = replay_new();

	assert_non_null(p);
	text_begin();
	for (enum replay_part part = REPLAY_DELETED; part <= REPLAY_AFTER_RULES; part++)
		assert_int_equal(replay_foreach(p, part, append_step, NULL), 0);
	replay_free(p);
	assert_int_equal(nexthop_used(), used);
	return text();
}

#define STEPS(expected) assert_string_equal(steps(), expected)

static void test_nothing_to_say(void **state)
{
	STEPS("");
	addr_on(v0, "10.1.0.9", 24);
	addr_on(v0, "10.1.0.1", 16);
	down(v1);
	STEPS("");
}

static void test_parts(void **state)
{
	ok(route_add, "default via 10.1.0.9");
	ok(route_add, "20.0.0.0/8 dev v0");
	ok(route_add, "unreachable 21.0.0.0/8");
	ok(route_add, "22.0.0.0/8 nexthop via 10.1.0.9 nexthop dev v1");
	STEPS("1 add 20.0.0.0 dev v0\n"
	      "1 add 21.0.0.0\n"
	      "2 add default via 10.1.0.9 dev v0\n"
	      "2 add 22.0.0.0 found found\n");
}

static void test_what_came_by_itself(void **state)
{
	struct route_params subnet = { .prefix = 0x0a010000, .len = 24, .link = -1 };

	assert_int_equal(route_del(&subnet, &err), 0);
	STEPS("0 del 10.1.0.0 dev v0\n");
	ok(route_add, "10.1.0.0/24 dev v0 proto 2 src 10.1.0.1");
	STEPS("");
	ok(route_replace, "10.1.0.0/24 dev v1");
	STEPS("0 del 10.1.0.0 dev v0\n"
	      "1 add 10.1.0.0 dev v1\n");
}

static void test_order(void **state)
{
	addr_on(v1, "10.3.0.1", 24);
	addr_on(v0, "10.3.0.2", 24);
	STEPS("0 del 10.3.0.0 dev v0\n"
	      "0 del 10.3.0.255 dev v0\n"
	      "1 append 10.3.0.0 dev v0\n"
	      "1 append 10.3.0.255 dev v0\n");
}

static int route_prepend(const struct route_params *p, struct error *e)
{
	return route_enter(p, ROUTE_PREPEND, e);
}

static int route_append(const struct route_params *p, struct error *e)
{
	return route_enter(p, ROUTE_APPEND, e);
}

static void test_around_what_came_by_itself(void **state)
{
	ok(route_prepend, "10.1.0.0/24 dev v1");
	ok(route_prepend, "10.1.0.0/24 dev lo");
	ok(route_append, "10.1.0.0/24 via 10.2.0.9");
	STEPS("1 prepend 10.1.0.0 dev v1\n"
	      "1 prepend 10.1.0.0 dev lo\n"
	      "1 append 10.1.0.0 via 10.2.0.9 dev v1 lost\n");
}

static void test_lost(void **state)
{
	addr_on(v0, "10.5.0.1", 24);
	ok(route_add, "20.0.0.0/8 via 10.5.0.9");
	ok(route_add, "21.0.0.0/8 via 10.5.0.1");
	ok(route_add, "22.0.0.0/8 dev v1 src 10.5.0.1 table 9");
	ok(route_add, "23.0.0.0/8 nexthop via 10.1.0.9 nexthop via 10.2.0.9");
	STEPS("1 add 22.0.0.0 dev v1\n"
	      "2 add 20.0.0.0 via 10.5.0.9 dev v0\n"
	      "2 add 21.0.0.0 via 10.5.0.1 dev v0\n"
	      "2 add 23.0.0.0 found found\n");
	addr_off(v0, "10.5.0.1", 24);
	down(v1);
	STEPS("2 add 20.0.0.0 via 10.5.0.9 dev v0 lost\n"
	      "2 add 21.0.0.0 via 10.5.0.1 dev v0 lost\n"
	      "2 add 23.0.0.0 found lost\n");
}

static void test_rules(void **state)
{
	struct rule_params rule = { .to = 0x1e000000, .to_len = 8, .action = RULE_TABLE,
				    .table = 9 };

	ok(route_add, "30.0.0.0/8 dev v0 table 9");
	assert_int_equal(rule_add(&rule, &err), 0);
	ok(route_add, "20.0.0.0/8 via 30.0.0.1");
	ok(route_add, "21.0.0.0/8 via 10.1.0.9");
	STEPS("1 add 30.0.0.0 dev v0\n"
	      "2 add 21.0.0.0 via 10.1.0.9 dev v0\n"
	      "3 add 20.0.0.0 via 30.0.0.1 dev v0\n");
	assert_int_equal(rule_del(&rule, &err), 0);
	STEPS("1 add 30.0.0.0 dev v0\n"
	      "2 add 20.0.0.0 via 30.0.0.1 dev v0 lost\n"
	      "2 add 21.0.0.0 via 10.1.0.9 dev v0\n");
}

static void test_as_they_were_resolved(void **state)
{
	ok(route_add, "20.0.0.0/8 via 10.5.0.9 dev v0 src 10.5.0.1 resolved gateway");
	ok(route_add, "21.0.0.0/8 via 10.5.0.1 dev v0 resolved direct");
	leads_to("20.0.0.1", ROUTE_UNICAST, v0, "10.5.0.9", "10.5.0.1");
	leads_to("21.0.0.1", ROUTE_UNICAST, v0, "0.0.0.0", "10.1.0.1");
	down(v1);
	ok(route_add, "22.0.0.0/8 nexthop via 10.1.0.9"
	   " nexthop via 10.2.0.9 dev v1 resolved gateway dead");
	assert_int_equal(get("22.0.0.1")->type, ROUTE_GROUP);
	assert_int_equal(group_of(get("22.0.0.1"))->members[1].bound, -1);
	refused(route_add, "23.0.0.0/8 via 10.2.0.9 dev v1 resolved gateway", ENETDOWN, "v1");
	refused(route_add, "23.0.0.0/8 via 10.2.0.9 resolved gateway", ENODEV, "dev NAME");
	refused(route_add, "23.0.0.0/8 dev v0 resolved gateway", EINVAL, "via ADDR");
	refused(route_add, "23.0.0.0/8 nexthop dev v1 dead nexthop dev v1 dead", EINVAL, "dead");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_to_say, setup_two, teardown),
		cmocka_unit_test_setup_teardown(test_parts, setup_two, teardown),
		cmocka_unit_test_setup_teardown(test_what_came_by_itself, setup_two, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup_two, teardown),
		cmocka_unit_test_setup_teardown(test_around_what_came_by_itself, setup_two,
						teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup_two, teardown),
		cmocka_unit_test_setup_teardown(test_rules, setup_two, teardown),
		cmocka_unit_test_setup_teardown(test_as_they_were_resolved, setup_two, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
