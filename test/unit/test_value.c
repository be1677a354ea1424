/* SPDX-License-Identifier: BSD-3-Clause */
/* The words that stand for values, by type: those that are none are named in a sentence. */
#include "command_world.h"

#include <string.h>

#include <rte_common.h>

static const struct refusal refused[] = {
	{"route add 10.0.0.0/33",
	 "route add: \"10.0.0.0/33\" is not a prefix (length 0 to 32)"},
	{"route add 10.0.0.0/", "route add: \"10.0.0.0/\" is not a prefix (length 0 to 32)"},
	{"route add 10..0/8", "route add: \"10..0/8\" is not a prefix (length 0 to 32)"},
	{"route add 10.0./8", "route add: \"10.0./8\" is not a prefix (length 0 to 32)"},
	{"route add 10.0.0.0.0/8",
	 "route add: \"10.0.0.0.0/8\" is not a prefix (length 0 to 32)"},
	{"route add 10.0.0.0/255.0.255.0",
	 "route add: \"10.0.0.0/255.0.255.0\" is not a prefix (length 0 to 32)"},
	{"route add 10.0.0.256", "route add: \"10.0.0.256\" is not a prefix (length 0 to 32)"},
	{"route add 10.0.0.08", "route add: \"10.0.0.08\" is not a prefix (length 0 to 32)"},
	{"ping 10.1", "ping: \"10.1\" is not an IPv4 address"},
	{"route add 10.0.0.0/8x", "route add: \"10.0.0.0/8x\" is not a prefix (length 0 to 32)"},
	{"route add ''", "route add: \"\" is not a prefix (length 0 to 32)"},
	{"route add 10.0.0.1/24", "route add: \"10.0.0.1/24\" has bits set beyond its length; did "
				  "you mean 10.0.0.0/24"},
	{"route add 10.0.0.0/8 via x", "route add: via: \"x\" is not an IPv4 address"},
	{"route add 10.0.0.0/8 via 10.0.0.2/32",
	 "route add: via: \"10.0.0.2/32\" is not an IPv4 address"},
	{"route add 10.0.0.0/8 dev p9", "route add: there is no link \"p9\""},
	{"route add 10.0.0.0/8 via 1.1.1.1 metric 4294967296",
	 "route add: metric: \"4294967296\" is not a number from 0 to 4294967295"},
	{"route add 10.0.0.0/8 via 1.1.1.1 metric -1",
	 "route add: metric: \"-1\" is not a number from 0 to 4294967295"},
	{"route add 10.0.0.0/8 via 1.1.1.1 table 4294967296",
	 "route add: table: \"4294967296\" is not a number from 1 to 4294967295, nor default, "
	 "main or local"},
	{"route add 10.0.0.0/8 table all",
	 "route add: table: \"all\" is not a number from 1 to 4294967295, nor default, main or "
	 "local"},
	{"route get 10.0.0.0/8", "route get: \"10.0.0.0/8\" is not a single address: only /32 may "
				 "be added to it"},
	{"route get 10.0.0.0/33", "route get: \"10.0.0.0/33\" is not an IPv4 address"},
	{"route show root x", "route show: root: \"x\" is not a prefix (length 0 to 32)"},
	{"route show type nat", "route show: type: \"nat\" is not unicast, local, broadcast, "
				"blackhole, unreachable, prohibit or throw"},
	{"neigh show nud stale nud happy", "neigh show: nud: \"happy\" is not incomplete, "
	 "reachable, stale, delay, probe, failed, noarp, permanent, none or all"},
	{"link add p5 type veth devargs x", "link add: type: \"veth\" is not dpdk"},
	{"link add p5 type dpdk devargs x mtu 67",
	 "link add: mtu: \"67\" is not a number from 68 to 65535"},
	{"link add p5 type dpdk devargs x mtu 0x100",
	 "link add: mtu: \"0x100\" is not a number from 68 to 65535"},
	{"link add p5 type dpdk devargs x promisc yes",
	 "link add: promisc: \"yes\" is not on or off"},
	{"link add p5 type dpdk devargs x address 02:00:00:00:00",
	 "link add: address: \"02:00:00:00:00\" is not a link-layer address (such as "
	 "02:00:00:00:00:01)"},
	{"link add up type dpdk devargs x",
	 "link add: \"up\" is a word of the link commands and can not be a name"},
	{"link add all type dpdk devargs x", "link add: \"all\" can not be the name of a link: its "
	"settings would be taken for those of others"},
	{"link add default.5 type dpdk devargs x", "link add: \"default.5\" can not be the name of "
	"a link: its settings would be taken for those of others"},
	{"link add a/b type dpdk devargs x",
	 "link add: \"a/b\" is not a name for a link (blanks, quotes, / : # = , ( ) { } and "
	 "what is not ASCII can not be in it)"},
	{"link add p* type dpdk devargs x",
	 "link add: \"p*\" is not a name for a link: a filter would take it for all that begin so"},
	{"link add sixteen-letters- type dpdk devargs x",
	 "link add: \"sixteen-letters-\" is not a name for a link (1 to 15 characters)"},
	{"link add p0 type dpdk devargs x", "link add: there is a link \"p0\" already"},
	{"link set p9 up", "link set: there is no link \"p9\""},
	{"link show p9", "link show: there is no link \"p9\""},
	{"addr add 10.0.0.1/24 dev p9", "addr add: there is no link \"p9\""},
	{"addr add 10.0.0.1/33 dev p0",
	 "addr add: \"10.0.0.1/33\" is not an address with a prefix length (0 to 32)"},
	{"neigh add 10.0.0.2 dev p0 lladdr 02:00:00:00:00:001",
	 "neigh add: lladdr: \"02:00:00:00:00:001\" is not a link-layer address (such as "
	 "02:00:00:00:00:01)"},
	{"neigh add 10.0.0.2 dev p0 lladdr 02:00:00:00:00:01 nud dead",
	 "neigh add: nud: \"dead\" is not permanent, reachable or stale"},
	{"sysctl net.ipv4.ip_forward=2",
	 "sysctl: net.ipv4.ip_forward: \"2\" is not a number from 0 to 1"},
	{"rule add fwmark 0x100000000",
	 "rule add: fwmark: \"0x100000000\" is not a number of 32 bits such as "
	 "16 or 0x10, nor one with a mask such as 0x10/0xff"},
	{"rule add fwmark 1/2/3",
	 "rule add: fwmark: \"1/2/3\" is not a number of 32 bits such as 16 or 0x10, "
	 "nor one with a mask such as 0x10/0xff"},
	{"filter add nowhere accept",
	 "filter add: \"nowhere\" is not one of prerouting|input|forward|output|postrouting"},
};

static void test_refused(void **state)
{
	assert_refused(refused, RTE_DIM(refused));
}

static void test_addresses(void **state)
{
	done("addr add 10.0.0.1/255.255.255.0 dev p0");
	assert_non_null(strstr(printed("addr list", false), "inet 10.0.0.1/24 brd 10.0.0.255 "));
	done("addr delete 10.0.0.1 dev p0");
	assert_null(strstr(printed("addr list", false), "inet 10.0.0.1"));
	done("neigh add 10.0.0.2 lladdr 2:0:0:0:0:1 dev p0");
	assert_string_equal(printed("neigh show", false),
			    "10.0.0.2 dev p0 lladdr 02:00:00:00:00:01 PERMANENT \n");
	done("rule add from 10.0.0.1/8 to 010.0xa/255.255.0.0 pref 8");
	assert_non_null(strstr(printed("rule show", false),
			       "8:\tfrom 10.0.0.1/8 to 8.10.0.0/16 lookup main\n"));
}

static void test_marks(void **state)
{
	done("rule add fwmark 0/0x0f pref 8");
	assert_string_equal(printed("rule show fwmark 1", false), "");
	assert_non_null(strstr(printed("rule show", false),
			       "8:\tfrom all fwmark 0/0xf lookup main\n"));
	done("rule flush");
	assert_string_equal(printed("rule show pref 8", false), "");
	done("rule add fwmark 020/0 iif p0 pref 8");
	assert_non_null(strstr(printed("rule show", true), "\"src\":\"all\",\"fwmark\":\"0x10\","
							   "\"fwmask\":\"0\",\"iif\":\"p0\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_refused, command_world_setup),
		cmocka_unit_test_setup(test_addresses, command_world_setup),
		cmocka_unit_test_setup(test_marks, command_world_setup),
	};

	return cmocka_run_group_tests(tests, NULL, command_world_teardown);
}
