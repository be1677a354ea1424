/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes over a make-believe room of links. What is expected was taken from `ip route` in a network
 * namespace of a live kernel; tables are compared as text, in the words of iproute2.
 */
#include "route_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/rcu.h"
#include "core/sysctl.h"
#include "random.h"

/* ---- addresses and link state ---- */

static void test_lo_is_taken_in(void **state)
{
	LOCAL("");
	MAIN("");
	leads_to("127.9.9.9", ROUTE_LOCAL, lo, NULL, "127.0.0.1");
	down(lo);
	assert_string_equal(table(ROUTE_TABLE_LOCAL), "local 127.0.0.0/8 dev lo src 127.0.0.1\n"
			    "local 127.0.0.1/32 dev lo src 127.0.0.1\n");
	up(lo);
	LOCAL("");
	addr_off(lo, "127.0.0.1", 8);
	assert_string_equal(table(0), "");
	assert_int_equal(nexthop_used(), 0);
}

static void test_address_before_up(void **state)
{
	addr_on(v0, "10.1.0.1", 24);
	MAIN("");
	LOCAL("local 10.1.0.1/32 dev v0 src 10.1.0.1\n");
	up(v0);
	MAIN("10.1.0.0/24 dev v0 src 10.1.0.1\n");
	LOCAL("local 10.1.0.1/32 dev v0 src 10.1.0.1\n"
	      "broadcast 10.1.0.255/32 dev v0 src 10.1.0.1\n");
	leads_to("10.1.0.1", ROUTE_LOCAL, v0, NULL, "10.1.0.1");
	leads_to("10.1.0.255", ROUTE_BROADCAST, v0, NULL, "10.1.0.1");
	leads_to("10.1.0.0", ROUTE_UNICAST, v0, NULL, "10.1.0.1");
	assert_int_equal(get("10.1.1.0")->type, ROUTE_NONE);
	down(v0);
	MAIN("");
	LOCAL("local 10.1.0.1/32 dev v0 src 10.1.0.1\n");
	addr_off(v0, "10.1.0.1", 24);
	LOCAL("");
}

static void test_kinds_of_prefix(void **state)
{
	up(v0);
	up(v1);
	addr_on(v0, "10.1.0.1", 24);
	addr_on(v0, "10.1.0.2", 24);    /* secondary: has the primary's source */
	addr_on(v0, "10.1.0.9", 25);
	addr_on(v1, "10.2.0.1", 31);
	addr_on(v1, "10.3.0.1", 32);
	addr_on(v1, "1.1.1.1", 0);      /* a subnet within 0/8 has no routes */
	MAIN("10.1.0.0/25 dev v0 src 10.1.0.9\n"
	     "10.1.0.0/24 dev v0 src 10.1.0.1\n"
	     "10.2.0.0/31 dev v1 src 10.2.0.1\n");
	LOCAL("local 1.1.1.1/32 dev v1 src 1.1.1.1\n"
	      "local 10.1.0.1/32 dev v0 src 10.1.0.1\n"
	      "local 10.1.0.2/32 dev v0 src 10.1.0.1\n"
	      "local 10.1.0.9/32 dev v0 src 10.1.0.9\n"
	      "broadcast 10.1.0.127/32 dev v0 src 10.1.0.9\n"
	      "broadcast 10.1.0.255/32 dev v0 src 10.1.0.1\n"
	      "local 10.2.0.1/32 dev v1 src 10.2.0.1\n"
	      "local 10.3.0.1/32 dev v1 src 10.3.0.1\n");
	addr_off(v0, "10.1.0.2", 24);
	addr_off(v0, "10.1.0.1", 24);
	MAIN("10.1.0.0/25 dev v0 src 10.1.0.9\n"
	     "10.2.0.0/31 dev v1 src 10.2.0.1\n");
	LOCAL("local 1.1.1.1/32 dev v1 src 1.1.1.1\n"
	      "local 10.1.0.9/32 dev v0 src 10.1.0.9\n"
	      "broadcast 10.1.0.127/32 dev v0 src 10.1.0.9\n"
	      "local 10.2.0.1/32 dev v1 src 10.2.0.1\n"
	      "local 10.3.0.1/32 dev v1 src 10.3.0.1\n");
}

static void test_secondary_gone_after_its_primary(void **state)
{
	up(v0);
	addr_on(v0, "10.9.0.1", 24);
	addr_on(v0, "10.1.0.1", 24);
	addr_on(v0, "10.1.0.2", 24);
	addr_off(v0, "10.1.0.1", 24);
	addr_off(v0, "10.1.0.2", 24);
	LOCAL("local 10.9.0.1/32 dev v0 src 10.9.0.1\n"
	      "broadcast 10.9.0.255/32 dev v0 src 10.9.0.1\n");
}

static void test_same_address_twice(void **state)
{
	up(v0);
	up(v1);
	addr_on(v0, "10.1.0.1", 24);
	addr_on(v1, "10.1.0.1", 24);
	addr_on(v0, "10.1.0.1", 25);
	MAIN("10.1.0.0/25 dev v0 src 10.1.0.1\n"
	     "10.1.0.0/24 dev v0 src 10.1.0.1\n"
	     "10.1.0.0/24 dev v1 src 10.1.0.1\n");
	leads_to("10.1.0.200", ROUTE_UNICAST, v0, NULL, "10.1.0.1");
	addr_off(v0, "10.1.0.1", 24);
	MAIN("10.1.0.0/25 dev v0 src 10.1.0.1\n"
	     "10.1.0.0/24 dev v1 src 10.1.0.1\n");
	LOCAL("local 10.1.0.1/32 dev v0 src 10.1.0.1\n"
	      "local 10.1.0.1/32 dev v1 src 10.1.0.1\n"
	      "broadcast 10.1.0.127/32 dev v0 src 10.1.0.1\n"
	      "broadcast 10.1.0.255/32 dev v1 src 10.1.0.1\n");
	leads_to("10.1.0.200", ROUTE_UNICAST, v1, NULL, "10.1.0.1");
}

static void test_routes_go_with_their_source(void **state)
{
	addr_on(v0, "10.9.0.1", 24);
	ok(route_add, "21.0.0.0/8 dev v1 src 10.9.0.1");
	ok(route_add, "22.0.0.0/8 via 10.1.0.7 src 10.9.0.1");
	ok(route_add, "unreachable 23.0.0.0/8 src 10.9.0.1");
	ok(route_add, "24.0.0.0/8 dev v0");
	addr_off(v0, "10.9.0.1", 24);
	MAIN("10.1.0.0/24 dev v0 src 10.1.0.1\n"
	     "10.2.0.0/24 dev v1 src 10.2.0.1\n"
	     "24.0.0.0/8 dev v0\n");
}

static void test_last_address_takes_all(void **state)
{
	ok(route_add, "21.0.0.0/8 dev v0");
	ok(route_add, "22.0.0.0/8 via 1.1.1.1 dev v0 onlink");
	ok(route_add, "local 23.0.0.0/8 dev v0");
	ok(route_add, "blackhole 24.0.0.0/8");
	addr_off(v0, "10.1.0.1", 24);
	MAIN("10.2.0.0/24 dev v1 src 10.2.0.1\nblackhole 24.0.0.0/8\n");
	LOCAL("local 10.2.0.1/32 dev v1 src 10.2.0.1\n"
	      "broadcast 10.2.0.255/32 dev v1 src 10.2.0.1\n");
	ok(route_add, "21.0.0.0/8 dev v0");
	leads_to("21.1.1.1", ROUTE_UNICAST, v0, NULL, "10.2.0.1");
}

static void test_down_and_up(void **state)
{
	ok(route_add, "21.0.0.0/8 dev v0");
	ok(route_add, "22.0.0.0/8 via 10.1.0.7 metric 1");
	ok(route_add, "22.0.0.0/8 via 10.2.0.7 metric 2");
	ok(route_add, "local 23.0.0.0/8 dev v0");
	leads_to("22.1.1.1", ROUTE_UNICAST, v0, "10.1.0.7", "10.1.0.1");
	down(v0);
	MAIN("10.2.0.0/24 dev v1 src 10.2.0.1\n"
	     "22.0.0.0/8 via 10.2.0.7 dev v1 metric 2\n");
	LOCAL("local 10.1.0.1/32 dev v0 src 10.1.0.1\n"
	      "local 10.2.0.1/32 dev v1 src 10.2.0.1\n"
	      "broadcast 10.2.0.255/32 dev v1 src 10.2.0.1\n"
	      "local 23.0.0.0/8 dev v0\n");
	leads_to("22.1.1.1", ROUTE_UNICAST, v1, "10.2.0.7", "10.2.0.1");
	leads_to("10.1.0.1", ROUTE_LOCAL, v0, NULL, "10.1.0.1");
	refused(route_add, "21.0.0.0/8 dev v0", ENETDOWN, "Device for nexthop is not up: v0");
	refused(route_add, "21.0.0.0/8 via 10.1.0.7", ENETUNREACH,
		"Nexthop has invalid gateway: 10.1.0.7 is not in a subnet of any link that is up");
	refused(route_add, "21.0.0.0/8 via 10.1.0.7 dev v0", ENETUNREACH, "v0, which is down");
	refused(route_add, "21.0.0.0/8 via 10.1.0.7 dev v0 onlink", ENETDOWN, "not up: v0");
	refused(route_add, "21.0.0.0/8 via 10.1.0.1", ENETDOWN, "not up: v0");
	ok(route_add, "local 24.0.0.0/8 dev v0");
	up(v0);
	MAIN("10.1.0.0/24 dev v0 src 10.1.0.1\n"
	     "10.2.0.0/24 dev v1 src 10.2.0.1\n"
	     "22.0.0.0/8 via 10.2.0.7 dev v1 metric 2\n");
}

static void test_link_deleted(void **state)
{
	ok(route_add, "local 23.0.0.0/8 dev v0");
	ok(route_add, "24.0.0.0/8 via 10.1.0.7");
	v0->up = false;
	v0->addrs->n = 0;
	deleted(v0);
	MAIN("10.2.0.0/24 dev v1 src 10.2.0.1\n");
	LOCAL("local 10.2.0.1/32 dev v1 src 10.2.0.1\n"
	      "broadcast 10.2.0.255/32 dev v1 src 10.2.0.1\n");
}

static void test_carrier(void **state)
{
	ok(route_add, "22.0.0.0/8 via 10.1.0.7 metric 1");
	ok(route_add, "22.0.0.0/8 via 10.2.0.7 metric 2");
	carrier(v0, false);
	MAIN("10.1.0.0/24 dev v0 src 10.1.0.1 linkdown\n"
	     "10.2.0.0/24 dev v1 src 10.2.0.1\n"
	     "22.0.0.0/8 via 10.1.0.7 dev v0 metric 1 linkdown\n"
	     "22.0.0.0/8 via 10.2.0.7 dev v1 metric 2\n");
	leads_to("22.1.1.1", ROUTE_UNICAST, v0, "10.1.0.7", "10.1.0.1");
	/* the rule may come after the loss, for all or for the link */
	assert_int_equal(sysctl_set("net.ipv4.conf.all.ignore_routes_with_linkdown", "1", &err),
			 0);
	leads_to("22.1.1.1", ROUTE_UNICAST, v1, "10.2.0.7", "10.2.0.1");
	assert_int_equal(get("10.1.0.7")->type, ROUTE_NONE);
	assert_int_equal(get("10.1.0.1")->type, ROUTE_LOCAL);
	assert_int_equal(sysctl_set("net.ipv4.conf.all.ignore_routes_with_linkdown", "0", &err),
			 0);
	leads_to("22.1.1.1", ROUTE_UNICAST, v0, "10.1.0.7", "10.1.0.1");
	assert_int_equal(sysctl_set("net.ipv4.conf.v0.ignore_routes_with_linkdown", "1", &err),
			 0);
	leads_to("22.1.1.1", ROUTE_UNICAST, v1, "10.2.0.7", "10.2.0.1");
	ok(route_add, "23.0.0.0/8 dev v0");
	assert_int_equal(get("23.1.1.1")->type, ROUTE_NONE);
	carrier(v0, true);
	leads_to("22.1.1.1", ROUTE_UNICAST, v0, "10.1.0.7", "10.1.0.1");
	leads_to("23.1.1.1", ROUTE_UNICAST, v0, NULL, "10.1.0.1");
	carrier(v0, false);
	leads_to("22.1.1.1", ROUTE_UNICAST, v1, "10.2.0.7", "10.2.0.1");
}

static void test_sources_follow_addresses(void **state)
{
	ok(route_add, "21.0.0.0/8 via 10.1.0.7");
	ok(route_add, "22.0.0.0/8 via 10.1.0.7 src 10.2.0.1");
	ok(route_add, "23.0.0.0/8 via 10.5.0.7 dev v0 onlink");
	leads_to("23.1.1.1", ROUTE_UNICAST, v0, "10.5.0.7", "10.1.0.1");
	addr_on(v0, "10.5.0.1", 24);
	leads_to("21.1.1.1", ROUTE_UNICAST, v0, "10.1.0.7", "10.1.0.1");
	leads_to("22.1.1.1", ROUTE_UNICAST, v0, "10.1.0.7", "10.2.0.1");
	leads_to("23.1.1.1", ROUTE_UNICAST, v0, "10.5.0.7", "10.5.0.1");
	addr_off(v0, "10.1.0.1", 24);
	leads_to("21.1.1.1", ROUTE_UNICAST, v0, "10.1.0.7", "10.5.0.1");
}

/* ---- commands ---- */

static void test_refusals(void **state)
{
	refused(route_add, "20.0.0.0/8 via 10.9.9.9", ENETUNREACH, "Nexthop has invalid gateway");
	refused(route_add, "20.0.0.0/8 via 10.9.9.9 dev v0", ENETUNREACH,
		"10.9.9.9 is not in a subnet of v0");
	refused(route_add, "20.0.0.0/8 via 10.1.0.7 dev v1", ENETUNREACH, "subnet of v1");
	refused(route_add, "20.0.0.0/8 via 10.1.0.255", EINVAL, "is a broadcast address");
	refused(route_add, "20.0.0.0/8 via 10.1.0.255 dev v0 onlink", EINVAL,
		"Nexthop has invalid gateway");
	refused(route_add, "20.0.0.0/8 via 10.1.0.1 dev v0 onlink", EINVAL,
		"Nexthop has invalid gateway");
	refused(route_add, "20.0.0.0/8 via 224.0.0.1", ENETUNREACH, "invalid gateway");
	refused(route_add, "20.0.0.0/8 via 10.1.0.7 onlink", ENODEV,
		"Nexthop device required for onlink");
	refused(route_add, "20.0.0.0/8 dev v0 onlink", EINVAL, "onlink");
	refused(route_add, "20.0.0.0/8 dev nosuch", ENODEV, "No such device");
	refused(route_add, "20.0.0.0/8", ENODEV, "No such device");
	refused(route_add, "local 20.0.0.0/8", ENODEV, "No such device");
	refused(route_add, "broadcast 20.0.0.0/8", ENODEV, "No such device");
	refused(route_add, "20.0.0.1/8 dev v0", EINVAL,
		"Invalid prefix for given prefix length: 20.0.0.1/8");
	refused(route_add, "20.0.0.0/33 dev v0", EINVAL, "33");
	refused(route_add, "20.0.0.0/8 dev v0 src 9.9.9.9", EINVAL,
		"Invalid prefsrc address: 9.9.9.9");
	refused(route_add, "local 20.0.0.0/8 dev lo src 9.9.9.9", EINVAL, "Invalid prefsrc");
	refused(route_add, "local 20.0.0.0/8 via 10.1.0.7", EINVAL,
		"Route with host scope can not have a gateway");
	refused(route_add, "broadcast 20.0.0.255 via 10.1.0.7", ENETUNREACH, "invalid gateway");
	refused(route_add, "blackhole 20.0.0.0/8 dev v0", EINVAL, "for this route type");
	refused(route_add, "prohibit 20.0.0.0/8 via 10.1.0.7", EINVAL, "for this route type");
	refused(route_add, "multicast 20.0.0.0/8 dev v0", EOPNOTSUPP, "multicast");
	refused(route_del, "20.0.0.0/8 table 253", ESRCH, "table default");
	refused(route_del, "20.0.0.0/8", ESRCH, "No such route");
	refused(route_add, "10.1.0.0/24 via 10.1.0.7", EEXIST, "File exists");
	MAIN("10.1.0.0/24 dev v0 src 10.1.0.1\n10.2.0.0/24 dev v1 src 10.2.0.1\n");
	assert_int_equal(nexthop_used(), SETUP_NEXTHOPS);
}

static void test_gateways(void **state)
{
	ok(route_add, "20.0.0.0/8 via 10.9.9.9 dev v0 onlink");
	ok(route_add, "21.0.0.0/8 dev v0");
	ok(route_add, "22.0.0.0/8 via 21.1.1.1");
	/* behind a gateway is not on the link, a shorter prefix may be */
	refused(route_add, "23.0.0.0/8 via 20.1.1.1", ENETUNREACH, "invalid gateway");
	ok(route_add, "21.1.0.0/16 via 10.1.0.7");
	ok(route_add, "23.0.0.0/8 via 21.1.2.3");
	ok(route_add, "unreachable 21.1.1.0/24");
	ok(route_add, "24.0.0.0/8 via 21.1.1.9");
	/* the router's own address: to the link, not to a gateway */
	ok(route_add, "25.0.0.0/8 via 10.2.0.1");
	ok(route_add, "26.0.0.0/8 via 127.0.0.1");
	leads_to("25.1.1.1", ROUTE_UNICAST, v1, NULL, "10.2.0.1");
	MAIN("10.1.0.0/24 dev v0 src 10.1.0.1\n"
	     "10.2.0.0/24 dev v1 src 10.2.0.1\n"
	     "20.0.0.0/8 via 10.9.9.9 dev v0 onlink\n"
	     "21.0.0.0/8 dev v0\n"
	     "21.1.0.0/16 via 10.1.0.7 dev v0\n"
	     "unreachable 21.1.1.0/24\n"
	     "22.0.0.0/8 via 21.1.1.1 dev v0\n"
	     "23.0.0.0/8 via 21.1.2.3 dev v0\n"
	     "24.0.0.0/8 via 21.1.1.9 dev v0\n"
	     "25.0.0.0/8 via 10.2.0.1 dev v1\n"
	     "26.0.0.0/8 via 127.0.0.1 dev lo\n");
}

static void test_types(void **state)
{
	ok(route_add, "default via 10.1.0.7 mtu 70000");
	ok(route_add, "blackhole 20.0.0.0/8");
	ok(route_add, "unreachable 21.0.0.0/8");
	ok(route_add, "prohibit 22.0.0.0/8 metric 4294967295");
	ok(route_add, "throw 23.0.0.0/8 mtu 1000");
	ok(route_add, "local 24.0.0.0/8 dev lo");
	ok(route_add, "local 25.0.0.1 dev v0 src 25.0.0.1");
	ok(route_add, "broadcast 26.0.0.0/8 dev v0");
	assert_int_equal(get("20.1.1.1")->type, ROUTE_BLACKHOLE);
	assert_int_equal(nexthop_src(get("20.1.1.1")), 0);
	assert_int_equal(get("21.1.1.1")->type, ROUTE_UNREACHABLE);
	assert_int_equal(get("22.1.1.1")->type, ROUTE_PROHIBIT);
	assert_int_equal(get("23.1.1.1")->type, ROUTE_NONE); /* and not the default route */
	leads_to("24.1.1.1", ROUTE_LOCAL, lo, NULL, "127.0.0.1");
	leads_to("25.0.0.1", ROUTE_LOCAL, v0, NULL, "25.0.0.1");
	leads_to("26.1.1.1", ROUTE_BROADCAST, v0, NULL, "10.1.0.1");
	assert_int_equal(get("9.9.9.9")->mtu, 65520);
	MAIN("0.0.0.0/0 via 10.1.0.7 dev v0 mtu 65520\n"
	     "10.1.0.0/24 dev v0 src 10.1.0.1\n"
	     "10.2.0.0/24 dev v1 src 10.2.0.1\n"
	     "blackhole 20.0.0.0/8\n"
	     "unreachable 21.0.0.0/8\n"
	     "prohibit 22.0.0.0/8 metric 4294967295\n"
	     "throw 23.0.0.0/8 mtu 1000\n");
	refused(route_del, "unicast 20.0.0.0/8", ESRCH, "like that");
	refused(route_del, "20.0.0.0/8 dev lo", ESRCH, "like that");
	ok(route_del, "20.0.0.0/8");
	ok(route_del, "throw 23.0.0.0/8");
	leads_to("23.1.1.1", ROUTE_UNICAST, v0, "10.1.0.7", "10.1.0.1");
	refused(route_del, "24.0.0.0/8", ESRCH, "table main");
	ok(route_del, "local 24.0.0.0/8");
	ok(route_del, "26.0.0.0/8 table 255");
}

static void test_local_before_main(void **state)
{
	ok(route_add, "20.0.0.0/8 dev v0");
	ok(route_add, "local 20.0.0.0/8 dev lo metric 9");
	assert_int_equal(get("20.1.1.1")->type, ROUTE_LOCAL);
	ok(route_add, "20.1.0.0/16 dev v0");
	assert_int_equal(get("20.1.1.1")->type, ROUTE_UNICAST);
	ok(route_del, "local 20.0.0.0/8");
	assert_int_equal(get("20.2.1.1")->type, ROUTE_UNICAST);
}

static void test_metrics(void **state)
{
	ok(route_add, "20.0.0.0/8 via 10.1.0.3 metric 3");
	ok(route_add, "20.0.0.0/8 via 10.1.0.1 metric 1");
	ok(route_add, "20.0.0.0/8 via 10.1.0.2 metric 2");
	ok(route_add, "20.0.0.0/8 via 10.1.0.9");
	refused(route_add, "20.0.0.0/8 via 10.1.0.8 metric 2", EEXIST, "metric 2");
	leads_to("20.1.1.1", ROUTE_UNICAST, v0, "10.1.0.9", "10.1.0.1");
	ok(route_del, "20.0.0.0/8 via 10.1.0.2");
	refused(route_del, "20.0.0.0/8 metric 2", ESRCH, "like that");
	ok(route_del, "20.0.0.0/8");
	ok(route_del, "20.0.0.0/8");
	leads_to("20.1.1.1", ROUTE_UNICAST, v0, "10.1.0.3", "10.1.0.1");
	ok(route_del, "20.0.0.0/8 metric 3 dev v0");
	assert_int_equal(get("20.1.1.1")->type, ROUTE_NONE);
}

static void test_replace(void **state)
{
	unsigned int used = nexthop_used();

	ok(route_replace, "20.0.0.0/8 via 10.1.0.3");
	ok(route_replace, "20.0.0.0/8 via 10.1.0.4 metric 5");
	ok(route_replace, "20.0.0.0/8 via 10.2.0.5");
	ok(route_replace, "20.0.0.0/8 via 10.2.0.5");
	leads_to("20.1.1.1", ROUTE_UNICAST, v1, "10.2.0.5", "10.2.0.1");
	ok(route_replace, "prohibit 20.0.0.0/8");
	assert_int_equal(get("20.1.1.1")->type, ROUTE_PROHIBIT);
	/* the same subnet on both links: replacing the first by the second is refused */
	addr_on(v0, "10.7.0.1", 24);
	addr_on(v1, "10.7.0.1", 24);
	refused(route_replace, "10.7.0.0/24 dev v1 src 10.7.0.1 proto 2", EEXIST, "File exists");
	ok(route_replace, "10.7.0.0/24 dev v0");
	addr_off(v1, "10.7.0.1", 24);
	addr_off(v0, "10.7.0.1", 24);
	refused(route_replace, "20.0.0.0/8 via 10.9.0.5", ENETUNREACH, "invalid gateway");
	MAIN("10.1.0.0/24 dev v0 src 10.1.0.1\n"
	     "10.2.0.0/24 dev v1 src 10.2.0.1\n"
	     "10.7.0.0/24 dev v0\n"
	     "prohibit 20.0.0.0/8\n"
	     "20.0.0.0/8 via 10.1.0.4 dev v0 metric 5\n");
	ok(route_del, "20.0.0.0/8");
	ok(route_del, "20.0.0.0/8");
	ok(route_del, "10.7.0.0/24");
	assert_int_equal(nexthop_used(), used);
}

static int stop_at_third(const struct route *r, void *arg)
{
	return ++*(int *)arg == 3 ? 42 : 0;
}

static void test_foreach_stops(void **state)
{
	int n = 0;

	assert_int_equal(route_foreach(0, stop_at_third, &n), 42);
	assert_int_equal(n, 3);
}

static void test_next_hops_run_out(void **state)
{
	unsigned int used = nexthop_used();
	struct route_params p = { .len = 32, .link = v0->id };
	unsigned int i;

	for (i = 0; i < NEXTHOPS_MAX - 1 - used; i++) {
		p.prefix = 0x14000000 + (i << 8);
		p.mtu = 68 + i;
		assert_int_equal(route_add(&p, &err), 0);
	}
	assert_int_equal(nexthop_used(), NEXTHOPS_MAX - 1);
	p.prefix = 0x14000000 + (i << 8);
	p.mtu = 68 + i;
	assert_int_equal(route_add(&p, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "32767 next hops"));
	/* one that is there can still be shared */
	p.mtu = 68;
	p.prefix = 0x1e000001;
	assert_int_equal(route_add(&p, &err), 0);
	p.mtu = 0;
	p.link = -1;
	assert_int_equal(route_del(&p, &err), 0);
	for (i = 0; i < NEXTHOPS_MAX - 1 - used; i++) {
		p.prefix = 0x14000000 + (i << 8);
		assert_int_equal(route_del(&p, &err), 0);
	}
	assert_int_equal(nexthop_used(), used);
}

/* Groups of two ways each, of few gateways: each is one next hop, but for the first ones, which
 * have members of their own. */
static void test_many_groups(void **state)
{
	struct route_hop hops[2] = {{ .link = v0->id }, { .link = v1->id, .weight = 1 }};
	struct route_params p = { .len = 32, .link = -1, .hops = hops, .n_hops = 2 };
	unsigned int used = nexthop_used(), n = 32000;

	for (unsigned int i = 0; i < n; i++) {
		p.prefix = 0x14000000 + (i << 8);
		hops[0].weight = 1 + i % 256;
		hops[1].weight = 1 + i / 256;
		if (route_add(&p, &err))
			fail_msg("group %u: %s", i, err.text);
	}
	assert_in_range(nexthop_used(), used + n, NEXTHOPS_MAX - 1);
	for (unsigned int i = 0; i < n; i++) {
		p.prefix = 0x14000000 + (i << 8);
		p.n_hops = 0;
		assert_int_equal(route_del(&p, &err), 0);
	}
	assert_int_equal(nexthop_used(), used);
}

/* ---- a plain reference ---- */

#define REF_MAX 4096

/* Routes with a next hop that tells them apart: the metric shows in the mtu. */
static struct route_params ref[REF_MAX];
static unsigned int ref_n;

static int ref_find(const struct route_params *p)
{
	for (unsigned int i = 0; i < ref_n; i++)
		if (ref[i].prefix == p->prefix && ref[i].len == p->len &&
		    ref[i].metric == p->metric)
			return (int)i;
	return -1;
}

static uint32_t ref_lookup(uint32_t addr)
{
	const struct route_params *found = NULL;

	for (unsigned int i = 0; i < ref_n; i++) {
		uint64_t host_bits = 1ULL << (32 - ref[i].len);

		if (addr - ref[i].prefix < host_bits &&
		    (!found || ref[i].len > found->len ||
		     (ref[i].len == found->len && ref[i].metric < found->metric)))
			found = &ref[i];
	}
	return found ? found->mtu : 0;
}

static int count_and_compare(const struct route *r, void *arg)
{
	static struct route before;
	unsigned int *n = arg;

	if ((*n)++)
		assert_true(before.table < r->table ||
			    (before.table == r->table &&
			     (before.prefix < r->prefix ||
			      (before.prefix == r->prefix &&
			       (before.len > r->len ||
				(before.len == r->len && before.metric < r->metric))))));
	before = *r;
	return 0;
}

static void random_change(void)
{
	struct route_params p = { .link = v1->id, .len = 8 + rnd() % 25, .metric = rnd() % 3 };
	int at;

	p.prefix = (0x14000000 | (rnd() & 0x00030f0f)) & prefix_mask(p.len);
	p.mtu = 100 + rnd() % 50;
	at = ref_find(&p);
	switch (rnd() % 5) {
	case 0:
	case 1:
		assert_int_equal(route_add(&p, &err), at < 0 ? 0 : -EEXIST);
		if (at < 0)
			ref[ref_n++] = p;
		break;
	case 2:
		assert_int_equal(route_replace(&p, &err), 0);
		if (at < 0)
			at = (int)ref_n++;
		ref[at] = p;
		break;
	default:
		if (!ref_n)
			break;
		at = (int)(rnd() % ref_n);
		assert_int_equal(route_del(&ref[at], &err), 0);
		ref[at] = ref[--ref_n];
	}
}

static void test_random_against_reference(void **state)
{
	unsigned int n = 0, others = SETUP_ROUTES;

	for (unsigned int i = 0; i < 100000; i++) {
		random_change();
		assert_true(ref_n < REF_MAX);
		if (i % 8 == 0) {
			uint32_t addr = 0x14000000 | (rnd() & 0x00030f0f);

			assert_int_equal(get(inet_ntoa((struct in_addr){
				rte_cpu_to_be_32(addr)}))->mtu, ref_lookup(addr));
		}
	}
	route_foreach(0, count_and_compare, &n);
	assert_int_equal(n, ref_n + others);
	down(v1);
	n = 0;
	route_foreach(0, count_and_compare, &n);
	assert_int_equal(n, others - 2);
	up(v1);
	assert_int_equal(nexthop_used(), SETUP_NEXTHOPS);
	ref_n = 0;
}

/* ---- many ---- */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void test_million(void **state)
{
	struct route_params p = { .link = -1, .len = 24 };
	uint64_t from = now_ms(), loaded, listed, gone;
	unsigned int n = 0;

	/* each /24 from 20.0.0.0 to 35.255.255.0, in no order: an odd factor permutes them */
	for (uint32_t i = 0; i < 1 << 20; i++) {
		p.prefix = 0x14000000 + ((i * 0x9e3779b1u & 0xfffff) << 8);
		p.gateway = rte_cpu_to_be_32(0x0a010000 + 2 + i % 200);
		assert_int_equal(route_add(&p, &err), 0);
	}
	loaded = now_ms();
	route_foreach(ROUTE_TABLE_MAIN, count_and_compare, &n);
	listed = now_ms();
	assert_int_equal(n, (1 << 20) + 2);
	down(v0);
	gone = now_ms();
	MAIN("10.2.0.0/24 dev v1 src 10.2.0.1\n");
	print_message("2^20 routes: added in %u ms, listed in %u ms, gone with their link in %u "
		      "ms\n", (unsigned int)(loaded - from), (unsigned int)(listed - loaded),
		      (unsigned int)(gone - listed));
}

#define two(test) cmocka_unit_test_setup_teardown(test, setup_two, teardown)
#define bare(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare(test_lo_is_taken_in),
		bare(test_address_before_up),
		bare(test_kinds_of_prefix),
		bare(test_secondary_gone_after_its_primary),
		bare(test_same_address_twice),
		two(test_routes_go_with_their_source),
		two(test_last_address_takes_all),
		two(test_down_and_up),
		two(test_link_deleted),
		two(test_carrier),
		two(test_sources_follow_addresses),
		two(test_refusals),
		two(test_gateways),
		two(test_types),
		two(test_local_before_main),
		two(test_metrics),
		two(test_replace),
		two(test_foreach_stops),
		two(test_next_hops_run_out),
		two(test_many_groups),
		two(test_random_against_reference),
		two(test_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
