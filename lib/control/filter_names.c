/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter_names.h. */
#include "control/filter_names.h"

#include <netinet/in.h>

#include "control/value.h"
#include "packet/packet.h"

const struct arg_name filter_protocols[] = {
	{"icmp", IPPROTO_ICMP}, {"igmp", IPPROTO_IGMP}, {"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP}, {"dccp", IPPROTO_DCCP}, {"gre", IPPROTO_GRE}, {"esp", IPPROTO_ESP},
	{"ah", IPPROTO_AH}, {"ospf", 89}, {"vrrp", 112}, {"sctp", IPPROTO_SCTP},
	{"udplite", IPPROTO_UDPLITE}, {NULL},
};

static const struct arg_name icmp_types[] = {
	{"echo-reply", 0}, {"destination-unreachable", 3}, {"source-quench", 4},
	{"redirect", 5}, {"echo-request", 8}, {"router-advertisement", 9},
	{"router-solicitation", 10}, {"time-exceeded", 11}, {"parameter-problem", 12},
	{"timestamp-request", 13}, {"timestamp-reply", 14}, {"info-request", 15},
	{"info-reply", 16}, {"address-mask-request", 17}, {"address-mask-reply", 18}, {NULL},
};

const struct arg_name filter_icmp_codes[] = {
	{"net-unreachable", 0}, {"host-unreachable", 1}, {"prot-unreachable", 2},
	{"port-unreachable", 3}, {"net-prohibited", 9}, {"host-prohibited", 10},
	{"admin-prohibited", 13}, {NULL},
};

static const struct arg_name codes[] = {
	{"net-unreachable", 0}, {"host-unreachable", 1}, {"prot-unreachable", 2},
	{"port-unreachable", 3}, {"frag-needed", 4}, {"net-prohibited", 9},
	{"host-prohibited", 10}, {"admin-prohibited", 13}, {NULL},
};

/* What people call ports; /etc/services has more, but need not be there. */
static const struct arg_name services[] = {
	{"echo", 7}, {"discard", 9}, {"ftp-data", 20}, {"ftp", 21}, {"ssh", 22}, {"telnet", 23},
	{"smtp", 25}, {"domain", 53}, {"bootps", 67}, {"bootpc", 68}, {"tftp", 69}, {"http", 80},
	{"kerberos", 88}, {"pop3", 110}, {"sunrpc", 111}, {"ntp", 123}, {"imap2", 143},
	{"snmp", 161}, {"snmp-trap", 162}, {"bgp", 179}, {"ldap", 389}, {"https", 443},
	{"isakmp", 500}, {"syslog", 514}, {"submission", 587}, {"imaps", 993}, {"pop3s", 995},
	{NULL},
};

static const struct arg_name tcp_flags[] = {
	{"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"psh", 0x08}, {"ack", 0x10}, {"urg", 0x20},
	{"ecn", 0x40}, {"cwr", 0x80}, {NULL},
};

static const struct arg_name dscps[] = {
	{"cs0", 0}, {"cs1", 8}, {"cs2", 16}, {"cs3", 24}, {"cs4", 32}, {"cs5", 40}, {"cs6", 48},
	{"cs7", 56}, {"af11", 10}, {"af12", 12}, {"af13", 14}, {"af21", 18}, {"af22", 20},
	{"af23", 22}, {"af31", 26}, {"af32", 28}, {"af33", 30}, {"af41", 34}, {"af42", 36},
	{"af43", 38}, {"ef", 46}, {"be", 0}, {NULL},
};

static const struct arg_name ecns[] = {
	{"not-ect", 0}, {"ect1", 1}, {"ect0", 2}, {"ce", 3}, {NULL},
};

static const struct arg_name pkttypes[] = {
	{"unicast", PACKET_HOST}, {"broadcast", PACKET_BROADCAST},
	{"multicast", PACKET_MULTICAST}, {"other", PACKET_OTHERHOST}, {"host", PACKET_HOST},
	{NULL},
};

const struct arg_name filter_units[] = {
	{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}, {"week", 604800}, {NULL},
};

const struct arg_name filter_byte_units[] = {
	{"mbytes", 1 << 20}, {"kbytes", 1 << 10}, {"bytes", 1}, {NULL},
};

const struct filter_field filter_fields[FILTER_FIELDS] = {
	[FILTER_SADDR] = {"ip saddr", .max = UINT32_MAX},
	[FILTER_DADDR] = {"ip daddr", .max = UINT32_MAX},
	[FILTER_IIF] = {"iif"},
	[FILTER_OIF] = {"oif"},
	[FILTER_PROTOCOL] = {"ip protocol", filter_protocols, UINT8_MAX},
	[FILTER_SPORT] = {"sport", services, UINT16_MAX},
	[FILTER_DPORT] = {"dport", services, UINT16_MAX},
	[FILTER_ICMP_TYPE] = {"icmp type", icmp_types, UINT8_MAX},
	[FILTER_ICMP_CODE] = {"icmp code", codes, UINT8_MAX},
	[FILTER_TCP_FLAGS] = {"tcp flags", tcp_flags, UINT8_MAX, .hex = true},
	[FILTER_FRAGMENT] = {"fragment", .max = 1},
	[FILTER_FRAG_OFF] = {"ip frag-off", .max = UINT16_MAX, .hex = true},
	[FILTER_TTL] = {"ip ttl", .max = UINT8_MAX},
	[FILTER_DSCP] = {"ip dscp", dscps, 63, .hex = true},
	[FILTER_ECN] = {"ip ecn", ecns, 3},
	[FILTER_ID] = {"ip id", .max = UINT16_MAX},
	[FILTER_LENGTH] = {"ip length", .max = UINT16_MAX},
	[FILTER_HEADER] = {"ip hdrlength", .max = 15},
	[FILTER_MARK] = {"mark", .max = UINT32_MAX, .hex = true},
	[FILTER_PKTTYPE] = {"meta pkttype", pkttypes, 255},
};

const struct arg_name filter_transports[] = {
	{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP},
	{"dccp", IPPROTO_DCCP}, {"udplite", IPPROTO_UDPLITE}, {NULL},
};

const char *filter_transport(uint32_t protocol)
{
	return value_name(filter_transports, protocol);
}
