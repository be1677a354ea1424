/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of filter rules. */
#include "command_world.h"

#include <stdio.h>
#include <string.h>

#include <rte_common.h>

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
	{"limit rate 10 bytes/second burst 0x400 bytes",
	 "limit rate 10 bytes/second burst 1 kbytes"},
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

/* Rules come back as they are understood; a table of them is in docs/commands.md. */
static void test_rules(void **state)
{
	char line[256], expected[256];

	for (unsigned int i = 0; i < RTE_DIM(rules); i++) {
		done("filter flush");
		snprintf(line, sizeof(line), "filter add forward %s", rules[i][0]);
		done(line);
		snprintf(expected, sizeof(expected), "forward policy accept\n    %s # handle 1\n",
			 rules[i][1]);
		assert_string_equal(printed("filter show forward", false), expected);
	}
}

/* Sentences begin so. */
static void test_refused_rules(void **state)
{
	char line[256];

	for (unsigned int i = 0; i < RTE_DIM(refused_rules); i++) {
		snprintf(line, sizeof(line), "filter add forward %s", refused_rules[i][0]);
		assert_true(run(line, false) < 0);
		if (strncmp(err.text, refused_rules[i][1], strlen(refused_rules[i][1])) != 0)
			fail_msg("%s: %s", line, err.text);
	}
}

static void test_saved(void **state)
{
	done("filter add input log prefix \"a b\" counter drop");
	done("filter policy input drop");
	assert_non_null(strstr(printed("config show", false),
			       "filter add input log prefix \"a b\" counter drop\n"
			       "filter policy input drop\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rules, command_world_setup),
		cmocka_unit_test_setup(test_refused_rules, command_world_setup),
		cmocka_unit_test_setup(test_saved, command_world_setup),
	};

	return cmocka_run_group_tests(tests, NULL, command_world_teardown);
}
