/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two services that show that a router is there and what becomes of datagrams on the way: echo (RFC
 * 862) and discard (RFC 863). Both are off until a setting opens their ports.
 *
 * An echo service must not become somebody's weapon. An answer is never longer than what it
 * answers, nothing sent to a broadcast or group address is answered, and nothing that comes from
 * the port of a service that would answer the answer: two of them would never cease.
 */
#include <rte_udp.h>

#include "core/sysctl.h"
#include "ipv4/internal.h"

#define PORT_ECHO 7
#define PORT_DISCARD 9

/* Is this not a port that an answer goes to? Port 0 is nobody's, and services that answer whatever
 * comes, those of RFC 862 to 868, would answer the answer. */
static bool not_to_answer(rte_be16_t port)
{
	switch (rte_be_to_cpu_16(port)) {
	case 0:
	case PORT_ECHO:
	case 13:                 /* daytime */
	case 17:                 /* quote of the day */
	case 19:                 /* character generator */
	case 37:                 /* time */
		return true;
	default:
		return false;
	}
}

static void echo_rcv(struct worker *w, struct rte_mbuf *m)
{
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(
		m, const struct rte_udp_hdr *, rte_ipv4_hdr_len(packet_ip(m)));

	if (packet_of(m)->route_type != ROUTE_LOCAL || not_to_answer(udp->src_port)) {
		packet_drop(w, m, DROP_UDP_NOT_ANSWERED);
		return;
	}
	udp_reply(w, m);
}

static void discard_rcv(struct worker *w, struct rte_mbuf *m)
{
	packet_deliver(w, m);
}

static struct service {
	uint16_t port;
	udp_port_fn fn;
	int32_t on;
} services[] = {
	{PORT_ECHO, echo_rcv},
	{PORT_DISCARD, discard_rcv},
};

/* A port that something else has taken stays with it. */
static void switched(struct sysctl *s, int32_t old)
{
	struct service *service = s->arg;

	if (service->on == old)
		return;
	if (!service->on)
		udp_port_unregister(service->port);
	else if (udp_port_register(service->port, service->fn))
		service->on = 0;
}

int udp_services_init(void)
{
	const struct sysctl settings[] = {
		{.name = "net.millrace.udp_echo", .value = &services[0].on, .min = 0, .max = 1,
		 .changed = switched, .arg = &services[0],
		 .help = "answer UDP datagrams to port 7 with what is in them (RFC 862)"},
		{.name = "net.millrace.udp_discard", .value = &services[1].on, .min = 0, .max = 1,
		 .changed = switched, .arg = &services[1],
		 .help = "take UDP datagrams to port 9 and throw them away (RFC 863)"},
	};
	int rc = sysctl_register(&settings[0]);

	return rc ? rc : sysctl_register(&settings[1]);
}
