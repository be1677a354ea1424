/* SPDX-License-Identifier: BSD-3-Clause */
/* The command table and its parser: every sentence, words in any order, help, completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "commands.h"
#include "control/commands.h"
#include "control/words.h"
#include "link/link.h"
#include "stub_rooms.h"

static struct error err;
static struct output out;

/* Run a line; what it prints is in out, why it was refused in err. */
static int run(const char *line, bool json)
{
	const char *argv[WORDS_MAX];
	char copy[1024];
	int argc;

	snprintf(copy, sizeof(copy), "%s", line);
	argc = words_split(copy, argv);
	err.text[0] = 0;
	out_reset(&out, json);
	return command_run(argc, argv, &out, &err);
}

static const char *printed(const char *line, bool json)
{
	if (run(line, json) != 0)
		fail_msg("%s: %s", line, err.text);
	return out_finish(&out);
}

static void done(const char *line)
{
	printed(line, false);
}

static int setup(void **state)
{
	stub_reset();
	done("link add p0 type dpdk devargs net_null0");
	done("link add p1 type dpdk devargs net_null1");
	done("link set p0 up");
	return 0;
}

static const struct {
	const char *line, *sentence;
} refused[] = {
	{"", "a command is missing"},
	{"foo", "\"foo\" is not a command; try one of: " COMMANDS},
	{"route foo", "route: \"foo\" is not a command; try one of: add, append, change, prepend, "
	"replace, del, show, get, flush"},
	{"rout add", "\"rout\" is not a command; try one of: " COMMANDS},
	{"route ad", "route: \"ad\" is not a command; try one of: add, append, change, prepend, "
	"replace, del, show, get, flush"},
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
	{"route add", "route add: PREFIX is missing"},
	{"route add via 10.0.0.2", "route add: PREFIX is missing"},
	{"route add 10.0.0.0/8 via", "route add: nothing stands after \"via\""},
	{"route add 10.0.0.0/8 via x", "route add: via: \"x\" is not an IPv4 address"},
	{"route add 10.0.0.0/8 via 10.0.0.2/32",
	 "route add: via: \"10.0.0.2/32\" is not an IPv4 address"},
	{"route add 10.0.0.0/8 via 1.1.1.1 via 2.2.2.2", "route add: via is given twice"},
	{"route add 10.0.0.0/8 onlink onlink", "route add: onlink is given twice"},
	{"route add blackhole throw 10.0.0.0/8", "route add: TYPE is given twice"},
	{"route add 10.0.0.0/8 11.0.0.0/8",
	 "route add: \"11.0.0.0/8\" is not a word of this command; what may stand there: TYPE, "
	 "via, dev, metric, mtu, hoplimit, src, tos, table, proto, scope, onlink, nexthop"},
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
	{"route add 10.0.0.0/8", "route add: no way is given: via or dev"},
	{"route get", "route get: ADDRESS is missing"},
	{"route get 10.0.0.0/8", "route get: \"10.0.0.0/8\" is not a single address: only /32 may "
				 "be added to it"},
	{"route get 10.0.0.0/33", "route get: \"10.0.0.0/33\" is not an IPv4 address"},
	{"route show root x", "route show: root: \"x\" is not a prefix (length 0 to 32)"},
	{"route show to match", "route show: nothing stands after \"match\""},
	{"route show 10.0.0.0/8 root 10.0.0.0/8",
	 "route show: \"10.0.0.0/8\" alone says which prefix: root can not be added"},
	{"route show cache metric 5", "route show: metric: what is in the cache has none"},
	{"route show type nat", "route show: type: \"nat\" is not unicast, local, broadcast, "
				"blackhole, unreachable, prohibit or throw"},
	{"neigh show nud stale nud happy", "neigh show: nud: \"happy\" is not incomplete, "
	 "reachable, stale, delay, probe, failed, noarp, permanent, none or all"},
	{"route get 9.9.9.9", "route get: no route to \"9.9.9.9\""},
	{"link add p5 type dpdk", "link add: devargs is missing"},
	{"link add p5 devargs x", "link add: type is missing"},
	{"link add type dpdk devargs x", "link add: NAME is missing"},
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
	{"link add all type dpdk devargs x", "link add: \"all\" can not be the name of a link"},
	{"link add a/b type dpdk devargs x",
	 "link add: \"a/b\" is not a name for a link (blanks, quotes and / : # = can not be in "
	 "it)"},
	{"link add sixteen-letters- type dpdk devargs x",
	 "link add: \"sixteen-letters-\" is not a name for a link (1 to 15 characters)"},
	{"link add p0 type dpdk devargs x", "link add: there is a link \"p0\" already"},
	{"link add p5 type dpdk devargs broken", "link add: no such device"},
	{"link set p9 up", "link set: there is no link \"p9\""},
	{"link set p0", "link set: what to set is missing: up, down, mtu, address or promisc"},
	{"link set p0 up down", "link set: up|down is given twice"},
	{"link set p0 upp",
	 "link set: \"upp\" is not a word of this command; what may stand there: up|down, mtu, "
	 "address, promisc"},
	{"link set p0 mtu 9001", "link set: mtu: \"9001\" is more than the 9000 that p0 can have"},
	{"link del lo", "link del: \"lo\" is built in and stays"},
	{"link show p9", "link show: there is no link \"p9\""},
	{"addr add 10.0.0.1/24", "addr add: dev is missing"},
	{"addr add dev p0", "addr add: ADDRESS/LEN is missing"},
	{"addr add 10.0.0.1/24 dev p9", "addr add: there is no link \"p9\""},
	{"addr add 10.0.0.1/33 dev p0",
	 "addr add: \"10.0.0.1/33\" is not an address with a prefix length (0 to 32)"},
	{"addr del 10.0.0.1/24 dev p0", "addr del: there is no such address"},
	{"neigh add 10.0.0.2 dev p0", "neigh add: lladdr is missing"},
	{"neigh add 10.0.0.2 dev p0 lladdr 02:00:00:00:00:001",
	 "neigh add: lladdr: \"02:00:00:00:00:001\" is not a link-layer address (such as "
	 "02:00:00:00:00:01)"},
	{"neigh add 10.0.0.2 dev p0 lladdr 02:00:00:00:00:01 nud dead",
	 "neigh add: nud: \"dead\" is not permanent, reachable or stale"},
	{"sysctl", "sysctl: KEY[=VALUE] is missing"},
	{"sysctl net.nothing", "sysctl: there is no setting \"net.nothing\""},
	{"sysctl net.nothing=1", "sysctl: there is no setting \"net.nothing\""},
	{"sysctl -w net.ipv4.ip_forward", "sysctl: \"net.ipv4.ip_forward\" has no =VALUE to write"},
	{"sysctl net.ipv4.ip_forward=2",
	 "sysctl: net.ipv4.ip_forward: \"2\" is not a number from 0 to 1"},
	{"shutdown now", "shutdown: \"now\" is one word too many"},
	{"shutdown", "shutdown: not possible here"},
	{"drops some", "drops: \"some\" is not a word of this command; what may stand there: all"},
	{"rule add", "rule add: say what: a selector, a priority, a table or an action"},
	{"rule add fwmark", "rule add: nothing stands after \"fwmark\""},
	{"rule add fwmark 0x100000000", "rule add: fwmark: \"0x100000000\" is not a number of 32 bits such as "
	 "16 or 0x10, nor one with a mask such as 0x10/0xff"},
	{"rule add fwmark 1/2/3", "rule add: fwmark: \"1/2/3\" is not a number of 32 bits such as 16 or 0x10, "
	 "nor one with a mask such as 0x10/0xff"},
	{"sysctl net.ipv4.ip_forward = 1",
	 "sysctl: \"=\": there are no blanks around \"=\", as in KEY=VALUE"},
	{"nstat -q", "nstat: \"-q\" is not a word of this command; what may stand there: PATTERN, -a, "
		     "-z"},
	{"filter add nowhere accept",
	 "filter add: \"nowhere\" is not one of prerouting|input|forward|output|postrouting"},
	{"help foo", "help: \"foo\" is not a command; help without a word lists them"},
	{"help route foo", "help: \"route foo\" is not a command"},
	{"help route add x", "help: \"x\" is one word too many"},
	{"config save", "config save: FILE is missing"},
	{"config load /no/such/file",
	 "config load: can not read \"/no/such/file\": No such file or directory"},
};

static void test_refused(void **state)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(refused); i++) {
		if (run(refused[i].line, false) == 0)
			fail_msg("\"%s\" was not refused", refused[i].line);
		assert_string_equal(err.text, refused[i].sentence);
		assert_int_equal(out.len, 0);
	}
}

static void test_any_order(void **state)
{
	static const char *const lines[] = {
		"route add 10.1.0.0/16 via 10.0.0.2 dev p1 metric 5",
		"route add via 10.0.0.2 dev p1 metric 5 10.1.0.0/16",
		"route add metric 5 unicast dev p1 to 10.1.0.0/16 via 10.0.0.2",
		"route add dev p1 10.1.0.0/16 unicast via 10.0.0.2 metric 5",
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(lines); i++) {
		done(lines[i]);
		assert_string_equal(printed("route show", false),
				    "10.1.0.0/16 via 10.0.0.2 dev p1 metric 5 \n");
		done("route del 10.1.0.0/16");
	}
	done("addr add dev p0 10.0.0.1/24");
	done("addr del 10.0.0.1/24 dev p0");
	done("link set mtu 1400 down dev p0 promisc on");
	assert_int_equal(link_find("p0")->mtu, 1400);
	assert_true(link_find("p0")->promisc);
	assert_false(link_find("p0")->up);
}

static void test_iproute2_words(void **state)
{
	done("address add 10.0.0.1 dev p0");
	assert_non_null(strstr(printed("addr list", false), "inet 10.0.0.1/32 scope global p0"));
	done("addr delete 10.0.0.1/32 dev p0");
	done("addr add 10.0.0.1/255.255.255.0 dev p0");
	assert_non_null(strstr(printed("addr list", false), "inet 10.0.0.1/24 brd 10.0.0.255 "));
	done("addr delete 10.0.0.1 dev p0");
	assert_null(strstr(printed("addr list", false), "inet 10.0.0.1"));
	done("route add default via 10.0.0.2");
	assert_string_equal(printed("route", false), "default via 10.0.0.2 dev p0 \n");
	done("neighbour add 10.0.0.2 lladdr 2:0:0:0:0:1 dev p0");
	assert_string_equal(printed("neigh ls", false),
			    "10.0.0.2 dev p0 lladdr 02:00:00:00:00:01 PERMANENT \n");
	done("rule add from all to any dsfield 0x10 lookup 5 pref 77");
	assert_non_null(strstr(printed("rule list", false), "77:\tfrom all tos 0x10 lookup 5\n"));
	done("rule del pref 77");
	done("rule add fwmark 0/0x0f pref 8");
	assert_string_equal(printed("rule show fwmark 1", false), "");
	assert_non_null(strstr(printed("rule show", false), "8:\tfrom all fwmark 0/0xf lookup main\n"));
	done("rule flush");
	assert_string_equal(printed("rule show pref 8", false), "");
	done("rule add from 10.0.0.1/8 to 010.0xa/255.255.0.0 pref 8");
	assert_non_null(strstr(printed("rule show", false),
			       "8:\tfrom 10.0.0.1/8 to 8.10.0.0/16 lookup main\n"));
	done("rule flush");
	done("rule add fwmark 020/0 iif p0 pref 8");
	assert_non_null(strstr(printed("rule show", true), "\"src\":\"all\",\"fwmark\":\"0x10\","
							   "\"fwmask\":\"0\",\"iif\":\"p0\""));
	done("route add 10.9.0.0/16 via 10.0.0.2 preference 3 protocol static");
	assert_non_null(strstr(printed("route", false),
			       "10.9.0.0/16 via 10.0.0.2 dev p0 proto static metric 3"));
	assert_non_null(strstr(printed("-s link show p0", false), "RX:"));
	assert_non_null(strstr(printed("link show -s dev p0", false), "RX:"));
	assert_null(strstr(printed("link show p0", false), "RX:"));
}

static void test_json(void **state)
{
	done("addr add 10.0.0.1/24 dev p0");
	done("route add 10.5.0.0/16 via 10.0.0.2 metric 5 mtu 1400 src 10.0.0.1");
	done("route add throw 10.6.0.0/16 table 7");
	assert_string_equal(printed("route show table all", true),
			    "[{\"dst\":\"10.5.0.0/16\",\"gateway\":\"10.0.0.2\",\"dev\":\"p0\","
			    "\"prefsrc\":\"10.0.0.1\",\"metric\":5,\"flags\":[],"
			    "\"metrics\":[{\"mtu\":1400}]},"
			    "{\"type\":\"throw\",\"dst\":\"10.6.0.0/16\",\"table\":\"7\","
			    "\"flags\":[]}]");
	assert_non_null(strstr(printed("addr show dev p0", true),
			       "\"addr_info\":[{\"family\":\"inet\",\"local\":\"10.0.0.1\","
			       "\"prefixlen\":24,\"broadcast\":\"10.0.0.255\","
			       "\"scope\":\"global\",\"label\":\"p0\"}]"));
	assert_string_equal(printed("sysctl net.ipv4.ip_forward", true),
			    "{\"net.ipv4.ip_forward\":1}");
	assert_string_equal(printed("nstat Ip.InRec*", true), "{\"Ip.InReceives\":5}");
	assert_string_equal(printed("nstat IcmpMsg*", true), "{\"IcmpMsg.InType8\":2}");
	assert_non_null(strstr(printed("nstat", true), "\"Ip.Forwarding\":1,\"Ip.DefaultTTL\":64"));
	assert_string_equal(printed("drops", true),
			    "{\"received\":10,\"originated\":0,\"transmitted\":7,\"delivered\":0,"
			    "\"dropped\":3,\"held\":0,\"balance\":0,\"reasons\":[{\"reason\":"
			    "\"IP_CSUM\",\"packets\":3,\"help\":\"the IP header checksum is "
			    "wrong\"}]}");
	assert_string_equal(printed("hook show", true),
			    "[{\"hook\":\"prerouting\",\"priority\":-400,\"owner\":\"defrag\","
			    "\"packets\":10,\"dropped\":0,\"stolen\":4},"
			    "{\"hook\":\"forward\",\"priority\":7,\"owner\":\"other\","
			    "\"packets\":5,\"dropped\":2,\"stolen\":0}]");
	assert_string_equal(printed("hook show", false),
			    "prerouting priority -400 (defrag) owner defrag packets 10 dropped 0 "
			    "stolen 4\n"
			    "forward priority 7 owner other packets 5 dropped 2 stolen 0\n");
	assert_string_equal(printed("worker show", true), "[]");
	assert_non_null(strstr(printed("link show p0", true), "\"stats64\":{\"rx\":{\"bytes\":0,"
							      "\"packets\":7"));
}

/* Rules come back as they are understood; a table of them is in docs/commands.md. */
static void test_filter_words(void **state)
{
	static const char *const rules[][2] = {
		{"ip saddr 10.0.0.0/8 tcp dport 22 counter drop",
		 "ip saddr 10.0.0.0/8 tcp dport 22 counter packets 3 bytes 300 drop"},
		{"ip daddr != 10.0.0.1 udp sport 1-5 accept",
		 "ip daddr != 10.0.0.1 udp sport 1-5 accept"},
		{"iif p0 oifname != eth1 log prefix \"a b \" reject",
		 "iifname p0 oifname != eth1 log prefix \"a b \" reject with icmp port-unreachable"},
		{"icmp type 8 limit rate 10/minute burst 2 packets accept",
		 "icmp type echo-request limit rate 10/minute burst 2 packets accept"},
		{"fragment ip ttl < 5 counter", "fragment ip ttl <= 4 counter packets 3 bytes 300"},
		{"ip ttl > 200 ip ttl != 250 drop", "ip ttl >= 201 ip ttl != 250 drop"},
		{"reject with tcp reset", "ip protocol tcp reject with tcp reset"},
		{"ip ttl 5 counter reject with tcp reset",
		 "ip protocol tcp ip ttl 5 counter packets 3 bytes 300 reject with tcp reset"},
		{"counter tcp dport 22 log reject with tcp reset",
		 "counter packets 3 bytes 300 tcp dport 22 log reject with tcp reset"},
		{"ip ttl & 3 < 2", "ip ttl & 0x3 == 0-1"},
		{"tcp flags & syn syn", "tcp flags & (syn) == syn"},
		{"tcp flags & (syn | ack) { syn, ack }", "tcp flags & (syn|ack) == { syn, ack }"},
		{"icmp type 3-5 icmp mtu 5",
		 "icmp type 3-5 icmp type destination-unreachable icmp mtu 5"},
		{"icmp type != { 3, 5 } icmp mtu 5", "icmp type != { destination-unreachable, redirect } "
						     "icmp type destination-unreachable icmp mtu 5"},
		{"icmp type { 8 } icmp id 5", "icmp type echo-request icmp id 5"},
		{"icmp type 0 icmp type 8 icmp id 5",
		 "icmp type echo-reply icmp type echo-request icmp id 5"},
		{"limit rate 10 bytes/second burst 0x400 bytes", "limit rate 10 bytes/second burst 1 kbytes"},
		{"ip protocol 99 reject with icmp type admin-prohibited",
		 "ip protocol 99 reject with icmp admin-prohibited"},
		{"limit rate 3/second log accept", "limit rate 3/second burst 5 packets log accept"},
		{"limit rate over 10 kbytes/second burst 3000 bytes drop",
		 "limit rate over 10 kbytes/second burst 3000 bytes drop"},
		{"limit rate 2 mbytes / hour", "limit rate 2 mbytes/hour"},
		{"tcp dport { 80, 22, 443, 81 } accept", "tcp dport { 22, 80-81, 443 } accept"},
		{"tcp dport {ssh,http} accept", "tcp dport { 22, 80 } accept"},
		{"tcp dport { 22 } tcp sport != {1,2-9}",
		 "tcp dport 22 tcp sport != 1-9"},
		{"ip saddr { 10.2.0.0/16, 10.0.0.1, 10.1.0.5-10.1.0.9 } drop",
		 "ip saddr { 10.0.0.1, 10.1.0.5-10.1.0.9, 10.2.0.0/16 } drop"},
		{"ip daddr 10.0.0.1-10.0.0.3 drop", "ip daddr 10.0.0.1-10.0.0.3 drop"},
		{"ip daddr 10.0.0.4-10.0.0.7 drop", "ip daddr 10.0.0.4/30 drop"},
		{"ip saddr & 255.0.255.0 == 10.0.1.0 drop", "ip saddr & 255.0.255.0 == 10.0.1.0 drop"},
		{"ip protocol { tcp, udp } th dport 53", "ip protocol { tcp, udp } th dport 53"},
		{"meta l4proto 99 th sport 5", "ip protocol 99 th sport 5"},
		{"ip frag-off & 0x1fff != 0 drop", "ip frag-off & 0x1fff != 0x0 drop"},
		{"ip length >= 1000 ip id 7 ip dscp ef ip ecn ce ip hdrlength > 5 drop",
		 "ip length >= 1000 ip id 7 ip dscp ef ip ecn ce ip hdrlength >= 6 drop"},
		{"icmp type { 0, echo-request } icmp code != 3",
		 "icmp type { echo-reply, echo-request } icmp code != port-unreachable"},
		{"tcp flags syn,ack drop", "tcp flags syn|ack drop"},
		{"tcp flags & (fin|syn|rst|ack) == syn drop",
		 "tcp flags & (fin|syn|rst|ack) == syn drop"},
		{"tcp flags syn / fin,syn,rst,ack drop", "tcp flags & (fin|syn|rst|ack) == syn drop"},
		{"tcp flags & (syn|fin) != 0x0", "tcp flags fin|syn"},
		{"iifname {\"p0\", p1} oifname e* accept", "iifname { p0, p1 } oifname e* accept"},
		{"meta mark set 0x10", "mark set 0x10"}, {"mark & 0xff == 0x10 return",
							  "mark & 0xff == 0x10 return"},
		{"ip saddr 10.0.0.1/8 drop", "ip saddr 10.0.0.0/8 drop"},
		{"mark 17-20", "mark 17-20"}, {"meta pkttype broadcast drop comment \"x y\"",
					       "meta pkttype broadcast drop comment \"x y\""},
		{"counter packets 7 bytes 9 accept", "counter packets 3 bytes 300 accept"},
		{"ip saddr 10.1.2.3/8 drop", "ip saddr 10.0.0.0/8 drop"},
		{"ip saddr 0.0.0.0/0 drop", "ip saddr 0.0.0.0/0 drop"},
		{"ip daddr 0x0a000001 drop", "ip daddr 10.0.0.1 drop"},
		{"ip saddr and 255.0.0.0 == 10.0.0.0", "ip saddr & 255.0.0.0 == 10.0.0.0"},
		{"ip ttl 010 accept", "ip ttl 8 accept"},
		{"ip version 4 ip checksum != 0", "ip version 4 ip checksum != 0"},
		{"ip protocol 41 ip dscp lephb", "ip protocol ipv6 ip dscp lephb"},
		{"ip frag-off & (0x2000 | 0x1fff) != 0", "ip frag-off & 0x3fff != 0x0"},
		{"icmp id 7 drop", "icmp type { echo-reply, echo-request } icmp id 7 drop"},
		{"icmp type echo-request icmp id { 1, 5 } icmp sequence 1-9",
		 "icmp type echo-request icmp id { 1, 5 } icmp sequence 1-9"},
		{"icmp mtu < 1280", "icmp type destination-unreachable icmp mtu <= 1279"},
		{"icmp type redirect icmp gateway & 0xff == 1",
		 "icmp type redirect icmp gateway & 0xff == 1"},
		{"icmp checksum 0", "icmp checksum 0"},
		{"tcp sequence 1 tcp ackseq 2 tcp doff > 5 tcp reserved 0 tcp window < 512",
		 "tcp sequence 1 tcp ackseq 2 tcp doff >= 6 tcp reserved 0 tcp window <= 511"},
		{"tcp checksum 0 tcp urgptr != 0", "tcp checksum 0 tcp urgptr != 0"},
		{"udp length 8 udp checksum 0 udp dport 53", "udp length 8 udp checksum 0 udp dport 53"},
		{"udplite csumcov 8 udplite sport 5", "udplite csumcov 8 udplite sport 5"},
		{"sctp vtag 1", "sctp vtag 1"}, {"dccp type { request, 9 }",
						 "dccp type { request, syncack }"},
		{"igmp type 0x11 igmp mrt 0 igmp group 1", "igmp type membership-query igmp mrt 0 igmp "
							   "group 1"},
		{"esp spi 256 esp sequence 1", "esp spi 256 esp sequence 1"},
		{"ah spi 7 ah sequence 1 ah hdrlength 4", "ah spi 7 ah sequence 1 ah hdrlength 4"},
		{"comp cpi 1", "comp cpi 1"},
		{"@th,16,16 53 @nh,64,8 != { 1, 3 }", "@th,16,16 0x35 @nh,64,8 != { 0x1, 0x3 }"},
		{"tcp flags { syn, syn | ack }", "tcp flags == { syn, syn|ack }"},
		{"tcp flags & (fin|syn|rst|ack) == { syn, ack }",
		 "tcp flags & (fin|syn|rst|ack) == { syn, ack }"},
		{"tcp flags { fin, syn, 3 }", "tcp flags == { 1-3 }"},
		{"tcp flags ! syn,fin", "tcp flags & (fin|syn) == 0x0"},
		{"pkttype host", "meta pkttype host"},
		{"meta protocol ip drop", "drop"},
		{"'ip ttl<5 tcp dport {22,  80 }' drop", "ip ttl <= 4 tcp dport { 22, 80 } drop"},
		{"'ip ttl 5 log prefix a counter'", "ip ttl 5 log prefix a counter packets 3 bytes 300"},
		{"'log prefix \"a  b\" drop comment \"c d\"'", "log prefix \"a  b\" drop comment \"c d\""},
		{"'iifname \"p0\" ' ' ' drop", "iifname p0 drop"},
		{"log prefix \" x \" drop", "log prefix \" x \" drop"},
		{"log prefix ' ' drop", "log prefix \" \" drop"},
		{"'log prefix' ' x' drop", "log prefix \" x\" drop"},
		{"continue", "continue"}, {"continue comment a", "continue comment a"},
		{"mark set mark or 1", "mark set mark and 0xfffffffe xor 0x1"},
		{"meta mark set meta mark and 0xff", "mark set mark and 0xff"},
		{"mark set mark ^ 3", "mark set mark xor 0x3"}, {"mark set mark", "mark set mark"},
		{"mark set (mark & 0xff00) | 0x10 ^ 0x3", "mark set mark and 0xff00 xor 0x13"},
		{"mark set 1 | 2 & 6", "mark set 0x3"}, {"mark set mark and 0", "mark set 0x0"},
		{"log level info prefix \"x y\" drop", "log prefix \"x y\" level info drop"},
		{"log level warn", "log"},
		{"reject with icmp frag-needed", "reject with icmp frag-needed"},
		{"reject with icmp 13", "reject with icmp admin-prohibited"},
		{"reject with icmp type 77", "reject with icmp 77"},
		{"limit rate 4294967295/second", "limit rate 4294967295/second burst 5 packets"},
	};
	static const char *const refused_rules[][2] = {
		{"", "filter add: [handle N|index N] RULE is missing"},
		{"index 0", "filter add: a rule is missing"}, {"' '", "filter add: a rule is missing"},
		{"log prefix", "filter add: a prefix is missing at the end"},
		{"'log prefix '", "filter add: a prefix is missing at the end"},
		{"tcp dport 22 80 drop", "filter add: \"80\" stands where the value before has ended"},
		{"foo", "filter add: \"foo\" is not a match, a statement or a verdict"},
		{"accept counter", "filter add: \"counter\" stands behind the verdict"},
		{"ip saddr", "filter add: an address for ip saddr is missing at the end"},
		{"ip saddr 10.0.0.1/33", "filter add: ip saddr: \"10.0.0.1/33\" is not an address"},
		{"ip saddr any", "filter add: ip saddr: \"any\" is not an address (10.0.0.1), a prefix"},
		{"ip saddr @bad", "filter add: ip saddr: \"@bad\": named sets are not to be had"},
		{"ip saddr . ip daddr { 1 . 2 }", "filter add: ip saddr: \".\": one field is compared"},
		{"tcp dport vmap { 22 : drop }", "filter add: dport: \"vmap\": maps are not to be had"},
		{"ip ttl set 5", "filter add: ip ttl: \"set\": packets are not changed here"},
		{"ip ttl 08", "filter add: ip ttl: \"08\" is not a number from 0 to 255"},
		{"iif nosuch drop", "filter add: there is no link \"nosuch\"; iifname and oifname take"},
		{"iifname * drop", "filter add: \"*\" is any link at all"},
		{"iifname = p0", "filter add: \"=\" is not the name of a link"},
		{"icmp type 8 icmp mtu 5", "filter add: icmp mtu: the rule is for ICMP type 8 already"},
		{"esp foo", "filter add: \"foo\" is not one of spi, sequence"},
		{"@th,16 drop", "filter add: \"drop\" is not \",\" and a number of bits"},
		{"@th,0,33 1", "filter add: \"33\" is not \",\" and a number of bits from 1 to 32"},
		{"meta protocol ip6 drop", "filter add: meta protocol: \"ip6\" is not ip;"},
		{"mark set mark & mark", "filter add: mark set: what stands behind \"|\", \"^\" and "
					 "\"&\" must be a number"},
		{"mark set 5 or mark", "filter add: mark set: what stands behind \"|\", \"^\" and "
				       "\"&\" must be a number"},
		{"limit rate 10/second burst 20", "filter add: \"packets\", as in burst 5 packets is "
						  "missing at the end"},
		{"limit rate 10/second burst 20 drop", "filter add: \"drop\" is not \"packets\""},
		{"limit rate 10 bytes/second burst 20 drop", "filter add: \"drop\" is not \"bytes\""},
		{"limit rate 10 bytes/second burst 20 packets",
		 "filter add: \"packets\" is not \"bytes\""},
		{"limit rate until 10/second", "filter add: \"until\" is not a rate such as 10/second"},
		{"meta nfproto ipv4", "filter add: \"nfproto\": only in tables of several families"},
		{"ip saddr 0x0a.0.0.1", "filter add: ip saddr: \"0x0a.0.0.1\" is not an address"},
		{"ip protocol { tcp, udp } tcp dport 5", "filter add: conflicting protocols: the rule is "
							 "for several already and can not be for tcp"},
		{"ip protocol { 6, 7 } icmp type 8", "filter add: conflicting protocols: the rule is for "
						     "several already and can not be for icmp"},
		{"ip protocol { udp, 18-20 } reject with tcp reset", "filter add: conflicting protocols"},
		{"icmp type { 3, 8 } icmp mtu 5", "filter add: icmp mtu: the rule is for ICMP type 8 "
						  "already, which has none"},
		{"icmp type { 8, 0, 13 } icmp id 5", "filter add: icmp id: the rule is for several ICMP "
						     "types already, of which some have none"},
		{"icmp type { 8, 9-12 } icmp id 5", "filter add: icmp id: the rule is for several"},
		{"icmp id 5 icmp mtu 5", "filter add: icmp mtu: the rule is for ICMP type 0 already"},
		{"icmp type 3 icmp type 8 icmp mtu 5", "filter add: icmp mtu: the rule is for ICMP type "
						       "8 already"},
		{"tcp flags & (syn,ack) == syn", "filter add: \",\" is not \"|\" or \")\""},
		{"tcp flags (syn,ack)", "filter add: \",\" is not \"|\" or \")\""},
		{"tcp flags & syn,ack == syn", "filter add: tcp flags: \",\" stands behind \"&\" only in "
					       "parentheses: & (A | B)"},
		{"tcp flags & syn|ack == syn", "filter add: tcp flags: \"|\" stands behind \"&\" only in "},
		{"ip ttl & 1 or 2 == 1", "filter add: ip ttl: \"or\" stands behind \"&\" only in "},
		{"tcp flags & 0 == 0", "filter add: tcp flags: what stands behind \"&\" must be one"},
		{"tcp flags syn / 0,0", "filter add: tcp flags: what stands behind \"&\" must be one"},
		{"tcp flags syn / syn", "filter add: tcp flags: behind \"/\" stand two or more"},
		{"tcp flags syn / syn|ack", "filter add: tcp flags: behind \"/\" stand two or more"},
		{"tcp flags syn / (syn|ack)", "filter add: tcp flags: \"(\" is not a number"},
		{"tcp flags & syn < 2", "filter add: tcp flags can not be compared by <"},
		{"tcp flags & syn", "filter add: a value for tcp flags is missing at the end"},
		{"tcp flags 0", "filter add: tcp flags: 0 is no flag to look for"},
		{"tcp flags ! 0", "filter add: tcp flags: 0 is no flag to look for"},
		{"counter packets x", "filter add: \"x\" is not a number"},
		{"mark set (1", "filter add: \")\" is missing at the end"},
		{"mark set foo", "filter add: mark set: \"foo\" is not a number from 0 to 4294967295"},
		{"log level loud", "filter add: \"loud\" is not a level: emerg, alert"},
		{"log group 1", "filter add: log: \"group\" is not to be had here"},
		{"snat to 1.2.3.4", "filter add: \"snat\": addresses are not translated here"},
		{"jump other", "filter add: \"jump\": there are no chains but"},
		{"comment x", "filter add: \"comment\" is not a match, a statement or a verdict"},
		{"counter name x", "filter add: \"name\": counters belong to their rules"},
		{"reject with icmp 255", "filter add: \"255\" is not net-unreachable"},
		{"tcp dport 5-2 drop", "filter add: dport: \"5-2\" is no range"},
		{"udp flags syn", "filter add: \"flags\" is not one of sport, dport"},
		{"ip ttl < 0 drop", "filter add: no value of ip ttl is < 0"},
		{"ip ttl > 255 drop", "filter add: no value of ip ttl is > 255"},
		{"ip ttl 256 drop", "filter add: ip ttl: \"256\" is not a number from 0 to 255"},
		{"ip foo 1", "filter add: \"foo\" is not one of saddr, daddr, protocol"},
		{"tcp dport { 22, 80 drop", "filter add: \"drop\" is not \",\" or \"}\""},
		{"tcp dport { 22,", "filter add: a value for dport is missing at the end"},
		{"tcp dport 22,80", "filter add: several values of dport stand in braces"},
		{"tcp dport nonsense", "filter add: dport: \"nonsense\" is not a number from 0 to "
				       "65535, nor the name of a service such as ssh"},
		{"tcp flags foo", "filter add: tcp flags: \"foo\" is not a number from 0 to 255, nor "
				  "one of: fin, syn"},
		{"udp sport 5 tcp flags syn", "filter add: conflicting protocols: the rule is for udp "
					      "already and can not be for tcp"},
		{"ip protocol 99 icmp type 8", "filter add: conflicting protocols: the rule is for "
					       "another already"},
		{"icmp foo", "filter add: \"foo\" is not one of type, code"},
		{"meta foo", "filter add: \"foo\" is not one of iif, iifname"},
		{"ct state new accept", "filter add: \"ct\": connections are not tracked"},
		{"mark & 0 == 1", "filter add: mark: what stands behind"},
		{"ip saddr 10.0.0.5-10.0.0.3", "filter add: ip saddr: \"10.0.0.5-10.0.0.3\" is no range"},
		{"accept comment a b", "filter add: \"b\" stands behind the comment"},
		{"handle", "filter add: \"handle\" is without its number"},
		{"limit rate 5 foo/second", "filter add: \"foo/second\" is not \"/second\""},
		{"limit rate x/second", "filter add: \"x\" is not a rate such as 10/second"},
		{"limit rate", "filter add: a rate such as 10/second is missing at the end"},
		{"counter counter", "filter add: \"counter\" can stand in a rule only once"},
		{"limit rate 5 drop", "filter add: \"drop\" is not \"/second\""},
		{"limit rate 0/second drop", "filter add: \"0\" is not a rate such as 10/second: a "
						  "number from 1"},
		{"reject with icmp foo", "filter add: \"foo\" is not net-unreachable, "},
		{"reject with tcp", "filter add: \"reset\" is missing at the end"},
	};
	char line[256], expected[256];

	for (unsigned int i = 0; i < RTE_DIM(rules); i++) {
		done("filter flush");
		snprintf(line, sizeof(line), "filter add forward %s", rules[i][0]);
		done(line);
		snprintf(expected, sizeof(expected), "forward policy accept\n    %s # handle 1\n",
			 rules[i][1]);
		assert_string_equal(printed("filter show forward", false), expected);
	}
	for (unsigned int i = 0; i < RTE_DIM(refused_rules); i++) {
		snprintf(line, sizeof(line), "filter add forward %s", refused_rules[i][0]);
		assert_true(run(line, false) < 0);
		if (strncmp(err.text, refused_rules[i][1], strlen(refused_rules[i][1])) != 0)
			fail_msg("%s: %s", line, err.text);
	}
	done("filter flush");
	done("filter add input log prefix \"a b\" counter drop");
	done("filter policy input drop");
	assert_non_null(strstr(printed("config show", false),
			       "filter add input log prefix \"a b\" counter drop\n"
			       "filter policy input drop\n"));
}

static void test_nstat_text(void **state)
{
	assert_string_equal(printed("nstat", false),
			    "#millrace\n"
			    "IpInReceives                    5                  0.0\n"
			    "IcmpMsgInType8                  2                  0.0\n");
	assert_non_null(strstr(printed("nstat -z", false), "IpInHdrErrors                   0 "));
}

static void test_help_of_every_command(void **state)
{
	const struct command *c;
	char line[128];
	unsigned int i, j, k;

	for (i = 0; i < nouns_count; i++) {
		if (i)
			assert_true(strcmp(nouns[i - 1]->name, nouns[i]->name) < 0);
		for (j = 0; j < nouns[i]->n_commands; j++) {
			c = &nouns[i]->commands[j];
			snprintf(line, sizeof(line), "help %s %s", nouns[i]->name,
				 c->verb ? c->verb : "");
			assert_non_null(strstr(printed(line, false), c->help));
			assert_true(c->n_args <= ARGS_MAX);
			for (k = 0; k < c->n_args; k++)
				assert_non_null(strstr(out_finish(&out), c->args[k].help));
			printed(line, true);
		}
	}
	assert_non_null(strstr(printed("route help", false), "route get ADDRESS"));
}

/* What is documented is what there is. */
static void test_manual(void **state)
{
	const char *manual = printed("help --markdown", false);
	FILE *f = fopen(MILLRACE_SOURCE "/docs/commands.md", "r");
	char *page = calloc(1, out.len + 2);
	size_t n;

	assert_non_null(f);
	n = fread(page, 1, out.len + 1, f);
	fclose(f);
	if (n != out.len || strcmp(page, manual) != 0)
		fail_msg("docs/commands.md is not what `millctl help --markdown` prints");
	free(page);
}

static void collect(const char *word, const char *help, void *arg)
{
	char *list = arg;

	assert_non_null(help);
	strcat(list, word);
	strcat(list, " ");
}

/* The candidates for a line; a blank at its end begins a new word. */
static const char *candidates(const char *line)
{
	static char list[8192];
	const char *argv[WORDS_MAX];
	char copy[256];
	int argc;

	snprintf(copy, sizeof(copy), "%s", line);
	argc = words_split(copy, argv);
	if (!*line || line[strlen(line) - 1] == ' ')
		argv[argc++] = "";
	list[0] = 0;
	command_complete(argc, argv, collect, list);
	return list;
}

static void test_completion(void **state)
{
	assert_string_equal(candidates("ne"), "neigh ");
	assert_string_equal(candidates("n"), "neigh nstat ");
	assert_string_equal(candidates("route "),
			    "add append change prepend replace del show get flush ");
	assert_string_equal(candidates("route g"), "get ");
	assert_string_equal(candidates("foo "), "");
	assert_string_equal(candidates("route foo "), "");
	assert_string_equal(candidates("link set "), "lo p0 p1 up down mtu address promisc ");
	assert_string_equal(candidates("link set p0 "), "up down mtu address promisc ");
	assert_string_equal(candidates("link set p0 up mtu 5 "), "address promisc ");
	assert_string_equal(candidates("link set p0 promisc "), "on off ");
	assert_string_equal(candidates("route add 10.0.0.0/8 dev "), "lo p0 p1 ");
	assert_string_equal(candidates("route add d"), "default dev ");
	assert_string_equal(candidates("route add 10.0.0.0/8 m"), "metric mtu ");
	assert_string_equal(candidates("route add 10.0.0.0/8 nexthop "), "via dev weight onlink ");
	assert_string_equal(candidates("route add 10.0.0.0/8 nexthop via 10.0.0.1 nexthop dev "),
			    "lo p0 p1 ");
	assert_string_equal(candidates("route add 10.0.0.0/8 nexthop via 10.0.0.1 "),
			    "dev weight onlink nexthop ");
	assert_string_equal(candidates("route show to r"), "");
	assert_string_equal(candidates("route show r"), "root ");
	assert_string_equal(candidates("route show to root 10.0.0.0/8 m"), "match metric ");
	assert_string_equal(candidates("neigh show nud p"), "probe permanent ");
	assert_string_equal(candidates("sysctl net.ipv4.ip_"),
			    "net.ipv4.ip_default_ttl net.ipv4.ip_forward ");
	assert_string_equal(candidates("help ro"), "route ");
	assert_string_equal(candidates("help route a"), "add append ");
	assert_string_equal(candidates("shutdown "), "");
}

static const char *abbreviated(int argc, const char *const *argv)
{
	static struct call call;

	if (command_parse(argc, argv, true, &call, &err) < 0)
		return err.text;
	return call.command->verb;
}

static void test_abbreviations(void **state)
{
	assert_string_equal(abbreviated(2, (const char *[]){"ro", "sh"}), "show");
	assert_string_equal(abbreviated(4, (const char *[]){"l", "set", "p0", "pro"}),
			    "link set: nothing stands after \"pro\"");
	assert_string_equal(abbreviated(4, (const char *[]){"ro", "sh", "t", "x"}),
			    "route show: table: \"x\" is not a number from 1 to 4294967295, nor all, "
			    "default, main or local");
	assert_string_equal(abbreviated(4, (const char *[]){"ro", "sh", "m", "1"}),
			    "route show: \"m\" is not a prefix (length 0 to 32)");
	assert_string_equal(abbreviated(2, (const char *[]){"n", "show"}),
			    "\"n\" is not a command; try one of: " COMMANDS);
	done("link add m type dpdk devargs net_null2");
	assert_string_equal(abbreviated(4, (const char *[]){"link", "set", "m", "up"}), "set");
}

/* What is written is cut off again when the command is refused or the output is too long. */
static void test_output_limit(void **state)
{
	int i;

	for (i = 0; i < 100; i++)
		done("route add 10.0.0.0/8 via 10.0.0.2");
	out.limit = 1000;
	assert_int_equal(run("route show", true), -EFBIG);
	assert_int_equal(out.len, 0);
	out.limit = 0;
	done("route show");
}

static void test_quoting(void **state)
{
	out_reset(&out, true);
	out_quoted(&out, "a\"b\\c\n\x01\xc3\xa4\xff", 10);
	assert_string_equal(out_finish(&out), "\"a\\\"b\\\\c\\n\\u0001\xc3\xa4\\ufffd\"");
	out_reset(&out, true);
	out_quoted(&out, "\xe2\x82", 2);
	assert_string_equal(out_finish(&out), "\"\\ufffd\\ufffd\"");
}

static int teardown_all(void **state)
{
	out_free(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_any_order, setup),
		cmocka_unit_test_setup(test_iproute2_words, setup),
		cmocka_unit_test_setup(test_json, setup),
		cmocka_unit_test_setup(test_filter_words, setup),
		cmocka_unit_test_setup(test_nstat_text, setup),
		cmocka_unit_test_setup(test_help_of_every_command, setup),
		cmocka_unit_test_setup(test_manual, setup),
		cmocka_unit_test_setup(test_completion, setup),
		cmocka_unit_test_setup(test_abbreviations, setup),
		cmocka_unit_test_setup(test_output_limit, setup),
		cmocka_unit_test_setup(test_quoting, setup),
	};

	return cmocka_run_group_tests(tests, NULL, teardown_all);
}
