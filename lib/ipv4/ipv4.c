/* SPDX-License-Identifier: BSD-3-Clause */
/* Start of the IPv4 layer: its settings, its protocols, and where it is called from. */
#include "ipv4/ipv4.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>

#include <rte_malloc.h>

#include "core/sysctl.h"
#include "ipv4/exception.h"
#include "ipv4/fast.h"
#include "ipv4/filter.h"
#include "ipv4/hook_defrag.h"
#include "ipv4/internal.h"
#include "ipv4/peer.h"
#include "ipv4/probe.h"
#include "ipv4/reassemble.h"
#include "link/ethernet.h"
#include "neigh/neigh.h"

struct ip_settings ip_settings;
bool ip_fast_path = true;

static const struct sysctl settings[] = {
	{.name = "net.ipv4.ip_default_ttl", .value = &ip_settings.default_ttl, .min = 1,
	 .max = 255, .preset = 64, .help = "time to live of packets that the router sends"},
	{.name = "net.ipv4.ip_no_pmtu_disc", .value = &ip_settings.no_pmtu_disc, .min = 0,
	 .max = 255, .preset = 0,
	 .help = "1: believe no reported MTU of a path, take the least; 2: hear no report; 3: of "
		 "TCP only"},
	{.name = "net.ipv4.icmp_ratelimit", .value = &ip_settings.icmp_ratelimit_ms, .min = 0,
	 .max = INT_MAX, .preset = 1000,
	 .help = "milliseconds between ICMP messages to one address, six at once; 0: no limit"},
	{.name = "net.ipv4.icmp_ratemask", .value = &ip_settings.icmp_ratemask, .min = 0,
	 .max = INT_MAX, .preset = 0x1818,
	 .help = "which ICMP types the limits apply to, a bit each"},
	{.name = "net.ipv4.icmp_msgs_per_sec", .value = &ip_settings.icmp_msgs_per_sec, .min = 0,
	 .max = INT_MAX, .preset = 1000, .help = "limited ICMP messages a second, to all"},
	{.name = "net.ipv4.icmp_msgs_burst", .value = &ip_settings.icmp_msgs_burst, .min = 0,
	 .max = INT_MAX, .preset = 50, .help = "limited ICMP messages at once, to all"},
	{.name = "net.ipv4.icmp_echo_ignore_all", .value = &ip_settings.icmp_echo_ignore_all,
	 .min = 0, .max = 1, .preset = 0, .help = "answer no echo request"},
	{.name = "net.ipv4.icmp_echo_ignore_broadcasts",
	 .value = &ip_settings.icmp_echo_ignore_broadcasts, .min = 0, .max = 1, .preset = 1,
	 .help = "answer no echo or timestamp request to a broadcast or group address"},
	{.name = "net.ipv4.icmp_echo_enable_probe", .value = &ip_settings.icmp_echo_enable_probe,
	 .min = 0, .max = 1, .preset = 0,
	 .help = "answer PROBE, which asks whether a link is up (RFC 8335)"},
	{.name = "net.ipv4.icmp_errors_use_inbound_ifaddr",
	 .value = &ip_settings.icmp_errors_use_inbound_ifaddr, .min = 0, .max = 1, .preset = 0,
	 .help = "send ICMP errors from the address of the link that the packet came in by"},
	{.name = "net.ipv4.icmp_ignore_bogus_error_responses",
	 .value = &ip_settings.icmp_ignore_bogus_error_responses, .min = 0, .max = 1, .preset = 1,
	 .help = "take no notice of ICMP errors about packets to a broadcast address"},
	{.name = "net.ipv4.fwmark_reflect", .value = &ip_settings.fwmark_reflect, .min = 0,
	 .max = 1, .preset = 0,
	 .help = "ICMP messages and TCP resets have the mark of the packet that they answer"},
	{.name = "net.ipv4.fib_multipath_hash_policy", .value = &ip_settings.multipath_hash_policy,
	 .min = 0, .max = 3, .preset = 0,
	 .help = "what chooses one of several ways: 0 addresses, 1 protocol and ports too, 2 "
		 "addresses in tunnels, 3 what fib_multipath_hash_fields says"},
	{.name = "net.ipv4.fib_multipath_hash_fields", .value = &ip_settings.multipath_hash_fields,
	 .min = 1, .max = 0xfff, .preset = 0x007,
	 .help = "what policy 3 chooses by, a bit each: 1 source, 2 destination, 4 protocol, "
		 "8 flow label, 16 and 32 ports; in tunnels the same times 64"},
	{.name = "net.ipv4.fib_multipath_hash_seed", .wide = &ip_settings.multipath_hash_seed,
	 .min = 0, .max = UINT32_MAX, .preset = 0,
	 .help = "seed of that choice; 0: a random one"},
	{.name = "net.ipv4.fib_multipath_use_neigh", .value = &ip_settings.multipath_use_neigh,
	 .min = 0, .max = 1, .preset = 0,
	 .help = "take no way whose gateway is known not to answer"},
};

static const struct {
	uint8_t number;
	ip_protocol_fn fn;
} builtin[] = {
	{IPPROTO_ICMP, icmp_rcv},
	{IPPROTO_IGMP, igmp_rcv},
	{IPPROTO_PIM, igmp_rcv},
	{IPPROTO_TCP, tcp_rcv},
	{IPPROTO_UDP, udp_rcv},
	{IPPROTO_UDPLITE, udp_rcv},
};

int ip_init(void)
{
	int rc;

	for (unsigned int i = 0; i < RTE_DIM(settings); i++) {
		rc = sysctl_register(&settings[i]);
		if (rc)
			return rc;
	}
	for (unsigned int i = 0; i < RTE_DIM(builtin); i++) {
		rc = ip_protocol_register(builtin[i].number, builtin[i].fn);
		if (rc)
			return rc;
	}
	ip_ids_init();
	ip_multipath_init();
	rc = ip_exception_init();
	if (rc)
		return rc;
	rc = martian_init();
	if (rc)
		return rc;
	rc = probe_init();
	if (rc)
		return rc;
	rc = udp_services_init();
	if (rc)
		return rc;
	rc = defrag_init();
	if (rc)
		return rc;
	defrag_register(DEFRAG_LOCAL_DELIVER, ip_local_deliver_whole);
	ip_router_alert_init();
	rc = hook_defrag_init();
	if (!rc)
		rc = filter_init();
	if (rc)
		return rc;
	eth_ipv4_handler = ip_rcv;
	neigh_error = ip_neigh_error;
	rc = ip_fast_init();
	return rc ? rc : peer_init();
}

void ip_fini(void)
{
	ip_fast_fini();
	ip_exception_fini();
	hook_fini();
	filter_fini();
	peer_fini();
}

int ip_worker_init(struct worker *w)
{
	w->ip = rte_zmalloc_socket("ip_worker", sizeof(*w->ip), RTE_CACHE_LINE_SIZE, w->socket);
	return w->ip ? defrag_worker_init(w) : -ENOMEM;
}

void ip_worker_fini(struct worker *w)
{
	if (!w->ip)
		return;
	defrag_worker_fini(w);
	rte_free(w->ip);
	w->ip = NULL;
}

unsigned int ip_worker_tick(struct worker *w)
{
	return defrag_tick(w);
}

uint64_t ip_next_expiry_ns(const struct worker *w)
{
	return defrag_next_expiry_ns(w);
}

uint64_t ip_held(void)
{
	return defrag_held();
}
