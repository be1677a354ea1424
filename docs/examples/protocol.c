/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An IP protocol in one file: number 253, which RFC 3692 gives to experiments. A packet that says
 * "ping" is thrown away, as the lesson is not how to answer; any other is refused as malformed. A
 * UDP service on port 4253 does the same. docs/services.md explains it.
 */
#include "protocol.h"

#include <string.h>

#include <rte_udp.h>

#include "ipv4/ipv4.h"

#define PROTOCOL 253
#define PORT 4253

static const char word[] = {'p', 'i', 'n', 'g'};

/* Runs on workers: no lock, no heap, no system call. The payload may lie in several mbufs. */
static void take(struct worker *w, struct rte_mbuf *m, uint32_t header)
{
	char text[sizeof(word)];

	if (m->pkt_len - header != sizeof(text)) {
		packet_drop(w, m, DROP_INVALID_PROTO);
		return;
	}
	packet_read(m, header, sizeof(text), text);
	if (memcmp(text, word, sizeof(word)) == 0)
		packet_deliver(w, m);
	else
		packet_drop(w, m, DROP_INVALID_PROTO);
}

static void example_rcv(struct worker *w, struct rte_mbuf *m)
{
	take(w, m, rte_ipv4_hdr_len(packet_ip(m)));
}

static void example_udp_rcv(struct worker *w, struct rte_mbuf *m)
{
	take(w, m, rte_ipv4_hdr_len(packet_ip(m)) + sizeof(struct rte_udp_hdr));
}

int example_init(void)
{
	int rc = ip_protocol_register(PROTOCOL, example_rcv);

	return rc ? rc : udp_port_register(PORT, example_udp_rcv);
}
