/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Groups of next hops over the make-believe links of route_world.h. Bounds are those of the
 * kernel's fib_rebalance; what packets make of them is compared with the kernel in test/kernel.
 */
#include "route_world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/sysctl.h"
#include "route/group.h"

#define ONE_TO_THREE "nexthop via 10.1.0.9 nexthop via 10.2.0.9 weight 3"

static const struct group *group(const char *addr)
{
	const struct nexthop *nh = get(addr);

	assert_int_equal(nh->type, ROUTE_GROUP);
	return group_of(nh);
}

static void bounds(const char *addr, int32_t first, int32_t second)
{
	const struct group *g = group(addr);

	assert_int_equal(g->n, 2);
	assert_int_equal(g->members[0].bound, first);
	assert_int_equal(g->members[1].bound, second);
}

static void test_bounds(void **state)
{
	ok(route_add, "20.0.0.0/8 " ONE_TO_THREE);
	bounds("20.1.1.1", 0x1fffffff, 0x7fffffff);
	ok(route_add, "21.0.0.0/8 nexthop via 10.1.0.9 nexthop via 10.1.0.8 nexthop dev v1");
	assert_int_equal(group("21.1.1.1")->members[0].bound, 715827882);
	assert_int_equal(group("21.1.1.1")->members[1].bound, 1431655764);
	assert_int_equal(group("21.1.1.1")->members[2].bound, 0x7fffffff);
	ok(route_add, "22.0.0.0/8 nexthop via 10.1.0.9 weight 7");
	leads_to("22.1.1.1", ROUTE_UNICAST, v0, "10.1.0.9", "10.1.0.1");
}

static void test_shared(void **state)
{
	unsigned int used = nexthop_used();

	ok(route_add, "20.0.0.0/8 " ONE_TO_THREE);
	assert_int_equal(nexthop_used(), used + 3);
	ok(route_add, "21.0.0.0/8 " ONE_TO_THREE);
	assert_ptr_equal(get("20.0.0.1"), get("21.0.0.1"));
	ok(route_add, "22.0.0.0/8 mtu 1000 " ONE_TO_THREE);
	assert_int_equal(nexthop_used(), used + 6);
	ok(route_replace, "22.0.0.0/8 " ONE_TO_THREE);
	ok(route_replace, "22.0.0.0/8 " ONE_TO_THREE);
	assert_int_equal(nexthop_used(), used + 3);
	ok(route_del, "20.0.0.0/8");
	ok(route_del, "21.0.0.0/8");
	ok(route_del, "22.0.0.0/8");
	assert_int_equal(nexthop_used(), used);
}

static void test_refused(void **state)
{
	unsigned int used = nexthop_used();
	char words[8192] = "20.0.0.0/8";

	refused(route_add, "20.0.0.0/8 " ONE_TO_THREE " nexthop via 10.3.0.9", ENETUNREACH,
		"10.3.0.9");
	refused(route_add, "20.0.0.0/8 " ONE_TO_THREE " nexthop dev v1 weight 257", EINVAL,
		"weight");
	refused(route_add, "unreachable 20.0.0.0/8 " ONE_TO_THREE, EINVAL, "route type");
	refused(route_add, "local 20.0.0.0/8 " ONE_TO_THREE, EINVAL, "multiple");
	refused(route_add, "20.0.0.0/8 via 10.1.0.9 " ONE_TO_THREE, EINVAL, "behind nexthop");
	for (unsigned int i = 0; i <= GROUP_MEMBERS_MAX; i++)
		strcat(words, " nexthop via 10.1.0.9");
	refused(route_add, words, ENOSPC, "128");
	MAIN("10.1.0.0/24 dev v0 src 10.1.0.1\n10.2.0.0/24 dev v1 src 10.2.0.1\n");
	assert_int_equal(nexthop_used(), used);
}

static void test_delete(void **state)
{
	ok(route_add, "20.0.0.0/8 " ONE_TO_THREE);
	refused(route_del, "20.0.0.0/8 nexthop via 10.1.0.9", ESRCH, "like that");
	refused(route_del, "20.0.0.0/8 nexthop via 10.2.0.9 nexthop via 10.1.0.9", ESRCH,
		"like that");
	refused(route_del, "20.0.0.0/8 via 10.2.0.9", ESRCH, "like that");
	ok(route_del, "20.0.0.0/8 via 10.1.0.9");
	ok(route_add, "20.0.0.0/8 " ONE_TO_THREE);
	ok(route_del, "20.0.0.0/8 " ONE_TO_THREE);
}

static void test_members_die(void **state)
{
	unsigned int used = nexthop_used();

	ok(route_add, "20.0.0.0/8 " ONE_TO_THREE);
	ok(route_add, "20.0.0.0/8 dev v1 metric 5");
	assert_int_equal(group("20.1.1.1")->first, 0);
	down(v0);
	bounds("20.1.1.1", -1, 0x7fffffff);
	assert_int_equal(group("20.1.1.1")->first, 1);
	assert_int_equal(get("10.1.0.9")->type, ROUTE_NONE);
	up(v0);
	bounds("20.1.1.1", 0x1fffffff, 0x7fffffff);
	down(v1);
	bounds("20.1.1.1", 0x7fffffff, -1);
	down(v0);
	assert_int_equal(get("20.1.1.1")->type, ROUTE_NONE);
	up(v0);
	up(v1);
	assert_int_equal(get("20.1.1.1")->type, ROUTE_NONE);
	assert_int_equal(nexthop_used(), used);
}

static void test_last_address(void **state)
{
	ok(route_add, "20.0.0.0/8 " ONE_TO_THREE);
	addr_off(v0, "10.1.0.1", 24);
	bounds("20.1.1.1", -1, 0x7fffffff);
	addr_on(v0, "10.1.0.1", 24);
	bounds("20.1.1.1", 0x1fffffff, 0x7fffffff);
}

static void test_link_deleted(void **state)
{
	ok(route_add, "20.0.0.0/8 " ONE_TO_THREE);
	down(v0);
	addr_off(v0, "10.1.0.1", 24);
	links[1] = NULL;
	deleted(v0);
	assert_int_equal(get("20.1.1.1")->type, ROUTE_NONE);
	MAIN("10.2.0.0/24 dev v1 src 10.2.0.1\n");
}

static void ignore_linkdown(int32_t value)
{
	char text[4];

	snprintf(text, sizeof(text), "%d", value);
	assert_int_equal(sysctl_set("net.ipv4.conf.all.ignore_routes_with_linkdown", text, &err),
			 0);
}

static void test_carrier(void **state)
{
	ok(route_add, "20.0.0.0/8 " ONE_TO_THREE);
	carrier(v0, false);
	bounds("20.1.1.1", 0x1fffffff, 0x7fffffff);
	assert_int_equal(group("20.1.1.1")->first, 0);
	ignore_linkdown(1);
	bounds("20.1.1.1", 0x1fffffff, 0x7fffffff);    /* as in Linux, until something happens */
	assert_int_equal(group("20.1.1.1")->first, 1);
	carrier(v1, false);
	assert_int_equal(get("20.1.1.1")->type, ROUTE_NONE);
	carrier(v1, true);
	bounds("20.1.1.1", -1, 0x7fffffff);
	carrier(v0, true);
	bounds("20.1.1.1", 0x1fffffff, 0x7fffffff);
	ignore_linkdown(0);
	bounds("20.1.1.1", 0x1fffffff, 0x7fffffff);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_two, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bounds),
		TEST(test_shared),
		TEST(test_refused),
		TEST(test_delete),
		TEST(test_members_die),
		TEST(test_last_address),
		TEST(test_link_deleted),
		TEST(test_carrier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
