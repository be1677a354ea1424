/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Router alert (RFC 2113): packets that are on their way through, but ask every router to look at
 * them, as those of RSVP do. Who has asked for those of a protocol gets them, and they go no
 * further; Linux's ip_call_ra_chain and its socket option IP_ROUTER_ALERT.
 */
#include <errno.h>

#include "ipv4/internal.h"
#include "ipv4/reassemble.h"

static struct {
	uint8_t protocol;
	ip_protocol_fn fn;
} handlers[IP_ROUTER_ALERT_MAX];
static unsigned int n_handlers;

int ip_router_alert_register(uint8_t protocol, ip_protocol_fn fn)
{
	if (n_handlers == IP_ROUTER_ALERT_MAX)
		return -ENOSPC;
	handlers[n_handlers].protocol = protocol;
	handlers[n_handlers++].fn = fn;
	return 0;
}

static bool wanted(const struct rte_mbuf *m)
{
	for (unsigned int i = 0; i < n_handlers; i++)
		if (handlers[i].protocol == packet_ip(m)->next_proto_id)
			return true;
	return false;
}

/* The packet itself to the last of those who want it, a copy to the others. */
static void deliver(struct worker *w, struct rte_mbuf *m)
{
	const uint8_t protocol = packet_ip(m)->next_proto_id;
	ip_protocol_fn last = NULL;

	for (unsigned int i = 0; i < n_handlers; i++) {
		struct rte_mbuf *copy;

		if (handlers[i].protocol != protocol)
			continue;
		copy = last ? packet_copy(w, m) : NULL;
		if (copy)
			last(w, copy);
		last = handlers[i].fn;
	}
	last(w, m);
}

bool ip_router_alert(struct worker *w, struct rte_mbuf *m)
{
	if (!wanted(m))
		return false;
	if (ip_is_fragment(packet_ip(m)))
		ip_defrag(w, m, DEFRAG_ROUTER_ALERT);
	else
		deliver(w, m);
	return true;
}

void ip_router_alert_init(void)
{
	defrag_register(DEFRAG_ROUTER_ALERT, deliver);
}
