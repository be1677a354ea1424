/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Local delivery: rule F; Linux's ip_local_deliver and ip_protocol_deliver_rcu. Protocols are
 * registered by number, as with inet_add_protocol.
 */
#include <errno.h>

#include "ipv4/internal.h"
#include "ipv4/reassemble.h"

static ip_protocol_fn protocols[256];

int ip_protocol_register(uint8_t protocol, ip_protocol_fn fn)
{
	if (protocols[protocol])
		return -EEXIST;
	protocols[protocol] = fn;
	return 0;
}

void ip_local_deliver(struct worker *w, struct rte_mbuf *m)
{
	if (unlikely(ip_is_fragment(packet_ip(m))))
		ip_defrag_collect(w, m);
	else
		ip_local_deliver_finish(w, m);
}

void ip_local_deliver_finish(struct worker *w, struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	ip_protocol_fn handler = protocols[ip->next_proto_id];

	if (likely(handler)) {
		count(w->counters, CNT_IP_INDELIVERS);
		handler(w, m);
		return;
	}
	count(w->counters, CNT_IP_INUNKNOWNPROTOS);
	icmp_send(w, m, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
	packet_drop(w, m, DROP_IP_NOPROTO);
}
