/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter_names.h. */
#include "control/filter_names.h"

#include <netdb.h>
#include <stdio.h>

#include <netinet/in.h>

#include "control/value.h"
#include "packet/packet.h"

const struct arg_name filter_protocols[] = {
	{"icmp", IPPROTO_ICMP}, {"igmp", IPPROTO_IGMP}, {"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP}, {"dccp", IPPROTO_DCCP}, {"gre", IPPROTO_GRE}, {"esp", IPPROTO_ESP},
	{"ah", IPPROTO_AH}, {"ipencap", 4}, {"ipv6", 41}, {"eigrp", 88}, {"ospf", 89},
	{"pim", 103}, {"ipcomp", 108}, {"comp", 108}, {"vrrp", 112}, {"l2tp", 115},
	{"sctp", IPPROTO_SCTP}, {"udplite", IPPROTO_UDPLITE}, {NULL},
};

/* What the machine's files (/etc/protocols, /etc/services) call more; they need not be there. */
static bool more_protocols(const char *name, uint32_t *value)
{
	const struct protoent *p = getprotobyname(name);

	if (p)
		*value = (uint32_t)p->p_proto;
	return p;
}

static bool more_services(const char *name, uint32_t *value)
{
	const struct servent *s = getservbyname(name, NULL);

	if (s)
		*value = rte_be_to_cpu_16((rte_be16_t)s->s_port);
	return s;
}

static const struct arg_name icmp_types[] = {
	{"echo-reply", 0}, {"destination-unreachable", 3}, {"source-quench", 4},
	{"redirect", 5}, {"echo-request", 8}, {"router-advertisement", 9},
	{"router-solicitation", 10}, {"time-exceeded", 11}, {"parameter-problem", 12},
	{"timestamp-request", 13}, {"timestamp-reply", 14}, {"info-request", 15},
	{"info-reply", 16}, {"address-mask-request", 17}, {"address-mask-reply", 18}, {NULL},
};

const struct arg_name filter_icmp_codes[] = {
	{"net-unreachable", 0}, {"host-unreachable", 1}, {"prot-unreachable", 2},
	{"port-unreachable", 3}, {"frag-needed", 4}, {"net-prohibited", 9},
	{"host-prohibited", 10}, {"admin-prohibited", 13}, {NULL},
};

/* What people call ports. */
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
	{"af43", 38}, {"ef", 46}, {"be", 0}, {"df", 0}, {"lephb", 1}, {"va", 44}, {NULL},
};

static const struct arg_name ecns[] = {
	{"not-ect", 0}, {"ect1", 1}, {"ect0", 2}, {"ce", 3}, {NULL},
};

static const struct arg_name pkttypes[] = {
	{"host", PACKET_HOST}, {"broadcast", PACKET_BROADCAST}, {"multicast", PACKET_MULTICAST},
	{"other", PACKET_OTHERHOST}, {"unicast", PACKET_HOST}, {NULL},
};

static const struct arg_name igmp_types[] = {
	{"membership-query", 0x11}, {"membership-report-v1", 0x12},
	{"membership-report-v2", 0x16}, {"membership-report-v3", 0x22}, {"leave-group", 0x17},
	{NULL},
};

static const struct arg_name dccp_types[] = {
	{"request", 0}, {"response", 1}, {"data", 2}, {"ack", 3}, {"dataack", 4},
	{"closereq", 5}, {"close", 6}, {"reset", 7}, {"sync", 8}, {"syncack", 9}, {NULL},
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
	[FILTER_IIF] = {"iifname"},
	[FILTER_OIF] = {"oifname"},
	[FILTER_PROTOCOL] = {"ip protocol", filter_protocols, UINT8_MAX, .more = more_protocols,
			     .named = "a protocol such as icmp, tcp, udp, gre or esp"},
	[FILTER_SPORT] = {"sport", services, UINT16_MAX, .more = more_services,
			  .named = "a service such as ssh or domain"},
	[FILTER_DPORT] = {"dport", services, UINT16_MAX, .more = more_services,
			  .named = "a service such as ssh or domain"},
	[FILTER_ICMP_TYPE] = {"icmp type", icmp_types, UINT8_MAX},
	[FILTER_ICMP_CODE] = {"icmp code", filter_icmp_codes, UINT8_MAX},
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

#define HEADER(proto, at, n, name, ...) \
	{IPPROTO_##proto, {.transport = true, .bits = (n), .offset = (at)}, \
	 {(name), .max = UINT32_MAX >> (32 - (n)), ##__VA_ARGS__}}

const struct filter_payload_field filter_payload_fields[] = {
	{0, {.bits = 4}, {"ip version", .max = 15}},
	{0, {.bits = 16, .offset = 80}, {"ip checksum", .max = UINT16_MAX}},
	HEADER(ICMP, 16, 16, "icmp checksum"),
	HEADER(ICMP, 32, 16, "icmp id"),
	HEADER(ICMP, 48, 16, "icmp sequence"),
	HEADER(ICMP, 48, 16, "icmp mtu"),
	HEADER(ICMP, 32, 32, "icmp gateway"),
	HEADER(IGMP, 0, 8, "igmp type", .names = igmp_types),
	HEADER(IGMP, 8, 8, "igmp mrt"),
	HEADER(IGMP, 16, 16, "igmp checksum"),
	HEADER(IGMP, 32, 32, "igmp group"),
	HEADER(TCP, 32, 32, "tcp sequence"),
	HEADER(TCP, 64, 32, "tcp ackseq"),
	HEADER(TCP, 96, 4, "tcp doff"),
	HEADER(TCP, 100, 4, "tcp reserved"),
	HEADER(TCP, 112, 16, "tcp window"),
	HEADER(TCP, 128, 16, "tcp checksum"),
	HEADER(TCP, 144, 16, "tcp urgptr"),
	HEADER(UDP, 32, 16, "udp length"),
	HEADER(UDP, 48, 16, "udp checksum"),
	HEADER(UDPLITE, 32, 16, "udplite csumcov"),
	HEADER(UDPLITE, 48, 16, "udplite checksum"),
	HEADER(SCTP, 32, 32, "sctp vtag"),
	HEADER(SCTP, 64, 32, "sctp checksum"),
	HEADER(DCCP, 67, 4, "dccp type", .names = dccp_types),
	HEADER(ESP, 0, 32, "esp spi"),
	HEADER(ESP, 32, 32, "esp sequence"),
	HEADER(AH, 8, 8, "ah hdrlength"),
	HEADER(AH, 32, 32, "ah spi"),
	HEADER(AH, 64, 32, "ah sequence"),
	HEADER(COMP, 16, 16, "comp cpi"),
	{.field = {NULL}},
};

const struct filter_field *filter_field_of(const struct filter_term *t)
{
	static struct filter_field raw;
	static char words[32];
	const struct filter_payload *at = &t->payload;

	if (t->kind != FILTER_PAYLOAD)
		return &filter_fields[t->kind];
	if (at->name)
		return &filter_payload_fields[at->name - 1].field;
	snprintf(words, sizeof(words), "@%s,%u,%u", at->transport ? "th" : "nh", at->offset,
		 at->bits);
	raw = (struct filter_field){words, .max = UINT32_MAX >> (32 - at->bits), .hex = true};
	return &raw;
}

const struct arg_name filter_log_levels[] = {
	{"emerg", 0}, {"alert", 1}, {"crit", 2}, {"err", 3}, {"warn", 4}, {"notice", 5},
	{"info", 6}, {"debug", 7}, {NULL},
};

const struct arg_name filter_headers[] = {
	{"icmp", IPPROTO_ICMP}, {"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP},
	{"sctp", IPPROTO_SCTP}, {"dccp", IPPROTO_DCCP}, {"udplite", IPPROTO_UDPLITE},
	{"igmp", IPPROTO_IGMP}, {"esp", IPPROTO_ESP}, {"ah", IPPROTO_AH}, {"comp", IPPROTO_COMP},
	{NULL},
};

const struct arg_name filter_transports[] = {
	{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP},
	{"dccp", IPPROTO_DCCP}, {"udplite", IPPROTO_UDPLITE}, {NULL},
};

const char *filter_transport(uint32_t protocol)
{
	return value_name(filter_transports, protocol);
}
