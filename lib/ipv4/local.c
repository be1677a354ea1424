/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Local delivery: rule F; Linux's ip_local_deliver and ip_protocol_deliver_rcu. Protocols are
 * registered by number, as with inet_add_protocol; raw handlers, which are what raw sockets are in
 * Linux, beside them. What a packet needs to know of its protocol lies in half a cache line, so
 * that raw handlers cost nothing where there are none.
 */
#include <errno.h>

#include "ipv4/internal.h"
#include "ipv4/reassemble.h"

#define PROTOCOLS 256

static struct protocol {
	ip_protocol_fn handler;
	ip_protocol_fn raw[IP_RAW_MAX];  /* from the front; NULL: no more */
} __rte_aligned(32) protocols[PROTOCOLS];

int ip_protocol_register(uint8_t protocol, ip_protocol_fn fn)
{
	if (protocols[protocol].handler)
		return -EEXIST;
	protocols[protocol].handler = fn;
	return 0;
}

static int raw_add(struct protocol *p, ip_protocol_fn fn)
{
	for (unsigned int i = 0; i < IP_RAW_MAX; i++) {
		if (p->raw[i])
			continue;
		p->raw[i] = fn;
		return 0;
	}
	return -ENOSPC;
}

int ip_raw_register(int protocol, ip_protocol_fn fn)
{
	if (protocol != IP_RAW_ANY)
		return raw_add(&protocols[protocol], fn);
	for (unsigned int i = 0; i < PROTOCOLS; i++)
		if (protocols[i].raw[IP_RAW_MAX - 1])
			return -ENOSPC;
	for (unsigned int i = 0; i < PROTOCOLS; i++)
		raw_add(&protocols[i], fn);
	return 0;
}

void ip_local_deliver(struct worker *w, struct rte_mbuf *m)
{
	if (unlikely(ip_is_fragment(packet_ip(m))))
		ip_defrag_collect(w, m);
	else
		ip_local_deliver_whole(w, m);
}

void ip_local_deliver_whole(struct worker *w, struct rte_mbuf *m)
{
	if (!hooked(HOOK_INPUT) || hook_run(w, m, HOOK_INPUT))
		ip_local_deliver_finish(w, m);
}

/* A copy for each raw handler; where there is no mbuf for one, it goes without. Linux's
 * raw_local_deliver. */
static void raw_deliver(struct worker *w, const struct protocol *p, const struct rte_mbuf *m)
{
	for (unsigned int i = 0; i < IP_RAW_MAX && p->raw[i]; i++) {
		struct rte_mbuf *copy = packet_copy(w, m);

		if (!copy)
			return;
		p->raw[i](w, copy);
	}
}

void ip_local_deliver_finish(struct worker *w, struct rte_mbuf *m)
{
	const struct protocol *p = &protocols[packet_ip(m)->next_proto_id];

	if (unlikely(p->raw[0]))
		raw_deliver(w, p, m);
	if (likely(p->handler)) {
		count(w->counters, CNT_IP_INDELIVERS);
		p->handler(w, m);
		return;
	}
	if (p->raw[0]) {
		count(w->counters, CNT_IP_INDELIVERS);
		packet_deliver(w, m);
		return;
	}
	count(w->counters, CNT_IP_INUNKNOWNPROTOS);
	icmp_send(w, m, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
	packet_drop(w, m, DROP_IP_NOPROTO);
}
