/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP frames that the router sends (RFC 826, rule I): 42 bytes, the target's hardware address
 * zero where it is asked for; padding to the Ethernet minimum is the device's. The control thread
 * builds them and a worker sends them.
 */
#include "core/counters.h"
#include "core/message.h"
#include "neigh/arp.h"
#include "neigh/neigh_table.h"
#include "packet/packet.h"

static const struct rte_ether_addr zero;
static const struct rte_ether_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

void arp_send(unsigned int worker, const struct link *l, uint16_t op,
	      const struct rte_ether_addr *to, rte_be32_t sip,
	      const struct rte_ether_addr *tha, rte_be32_t tip)
{
	struct message msg = {.kind = MSG_XMIT, .link = l->id};
	struct rte_ether_hdr *eth;
	struct rte_arp_hdr *arp;

	if (l->id == LINK_LO)
		return;
	msg.mbuf = packet_alloc_control();
	if (!msg.mbuf) {
		control_counters->originated++;
		control_counters->drop[DROP_NOMEM]++;
		return;
	}
	eth = (struct rte_ether_hdr *)rte_pktmbuf_append(msg.mbuf, sizeof(*eth) + sizeof(*arp));
	*eth = (struct rte_ether_hdr){
		.dst_addr = *to, .src_addr = l->mac, .ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP),
	};
	arp = (struct rte_arp_hdr *)(eth + 1);
	*arp = (struct rte_arp_hdr){
		.arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER),
		.arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = RTE_ETHER_ADDR_LEN,
		.arp_plen = sizeof(rte_be32_t),
		.arp_opcode = rte_cpu_to_be_16(op),
		.arp_data = {.arp_sha = l->mac, .arp_sip = sip, .arp_tha = *tha, .arp_tip = tip},
	};
	packet_of(msg.mbuf)->out_link = l->id;
	if (!message_to_worker(worker, &msg))
		packet_drop_control(msg.mbuf, DROP_WORKER_QUEUE_FULL);
}

/* arp_announce: 0 the packet's source if it is ours, 1 the same but only within the target's
 * subnet, 2 never; where it is not to be used, the address that the link selects. */
static rte_be32_t sender_ip(const struct neigh *n, const struct link *l)
{
	rte_be32_t src = n->state == NUD_INCOMPLETE ? n->probe_src : 0;
	int32_t announce = LINK_CONF_MAX(l, arp_announce);

	if (src && announce < 2 && arp_addr_type(src) == ROUTE_LOCAL &&
	    (announce == 0 || addr_onlink(l, n->addr, src)))
		return src;
	return addr_select(l, n->addr, SCOPE_LINK);
}

/* The first ucast_solicit probes go to the known address, the next app_solicit are left to a
 * daemon that does not exist, the others are broadcast. */
void arp_solicit(const struct neigh *n)
{
	const struct neigh_parms *p = &neigh_parms[n->link];
	const struct link *l = link_get(n->link);
	unsigned int unicasts = (unsigned int)p->ucast_solicit;
	bool unicast = n->probes < unicasts;

	if (!l || (!unicast && n->probes - unicasts < (unsigned int)p->app_solicit))
		return;
	arp_send(n->worker, l, RTE_ARP_OP_REQUEST, unicast ? &n->mac : &broadcast,
		 sender_ip(n, l), &zero, n->addr);
}

void arp_notify(const struct link *l)
{
	const struct link_addrs *list = l->addrs;

	if (!LINK_CONF_MAX(l, arp_notify))
		return;
	for (unsigned int i = 0; list && i < list->n; i++)
		arp_send(0, l, RTE_ARP_OP_REQUEST, &broadcast, list->a[i].local, &zero,
			 list->a[i].local);
}
