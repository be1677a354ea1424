/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Output: the last steps of every packet that leaves, forwarded or made here; Linux's ip_output
 * (ip_mc_output where a copy comes back) and ip_finish_output2.
 */
#include <string.h>

#include "ipv4/fast_nexthop.h"
#include "ipv4/fragment.h"
#include "ipv4/internal.h"
#include "ipv4/options.h"
#include "neigh/neigh.h"
#include "route/nexthop.h"

/* 01:00:5e and the low 23 bits of the group: RFC 1112. */
static struct rte_ether_addr group_address(rte_be32_t group)
{
	uint32_t g = rte_be_to_cpu_32(group);

	return (struct rte_ether_addr){
		{0x01, 0x00, 0x5e, (g >> 16) & 0x7f, (uint8_t)(g >> 8), (uint8_t)g}};
}

static __rte_noinline void output_to_many(struct worker *w, struct rte_mbuf *m, struct link *out)
{
	static const struct rte_ether_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct rte_ether_addr to = broadcast;
	rte_be32_t dst = packet_ip(m)->dst_addr;

	if (packet_of(m)->route_type == ROUTE_MULTICAST) {
		to = group_address(dst);
	} else if (neigh_known(out->id, dst)) {         /* somebody has entered it */
		neigh_output(w, m, out, dst);
		return;
	}
	neigh_output_to(w, m, out, &to);
}

/* Back to ourselves by lo, route and all: what was forwarded by lo will be so again, until its time
 * to live is over. */
static __rte_noinline void output_to_lo(struct worker *w, struct rte_mbuf *m)
{
	struct packet *p = packet_of(m);

	p->link = LINK_LO;
	p->type = PACKET_HOST;
	p->flags = PACKET_F_ROUTED | (p->flags & PACKET_F_FORWARD);
	if (!(p->flags & PACKET_F_FORWARD) && p->route_type == ROUTE_UNICAST)
		p->route_type = ROUTE_LOCAL;    /* what the router itself sends by lo is for it */
	link_loop(w, m);
}

/* Most packets go to the gateway of their next hop, whose finished header is at hand. False: this
 * one does not, or the gateway is not known. */
static inline bool output_by_image(struct worker *w, struct rte_mbuf *m, struct link *out)
{
	const struct packet *p = packet_of(m);
	const struct fast_nexthop *image = &fast_nexthops[p->nexthop];
	void *header;

	if (unlikely(fast_nexthop_fate(image) != out->id ||    /* which is not lo's */
		     nexthop_get(p->nexthop)->gateway != p->next_addr))
		return false;
	header = rte_pktmbuf_prepend(m, RTE_ETHER_HDR_LEN);
	if (unlikely(!header))
		return false;
	memcpy(header, image->head, RTE_ETHER_HDR_LEN);
	link_xmit(w, out, m);
	return true;
}

/* To no single neighbour: but for what goes to a group by a gateway, and a broadcast that a
 * redirect has given one. */
static bool is_to_many(const struct rte_mbuf *m)
{
	const struct packet *p = packet_of(m);

	return (p->route_type == ROUTE_MULTICAST || p->route_type == ROUTE_BROADCAST) &&
	       p->next_addr == packet_ip(m)->dst_addr;
}

static __rte_noinline void count_to_many(struct worker *w, const struct rte_mbuf *m)
{
	struct counters *c = w->counters;

	if (packet_of(m)->route_type == ROUTE_MULTICAST) {
		count(c, CNT_IPEXT_OUTMCASTPKTS);
		count_add(c, CNT_IPEXT_OUTMCASTOCTETS, m->pkt_len);
	} else if (packet_of(m)->route_type == ROUTE_BROADCAST) {
		count(c, CNT_IPEXT_OUTBCASTPKTS);
		count_add(c, CNT_IPEXT_OUTBCASTOCTETS, m->pkt_len);
	}
}

/* ip_finish_output2 */
static __rte_always_inline void finish(struct worker *w, struct rte_mbuf *m, struct link *out)
{
	struct packet *p = packet_of(m);

	if (unlikely(p->route_type != ROUTE_UNICAST))
		count_to_many(w, m);
	count(w->counters, CNT_IP_OUTTRANSMITS);
	count_add(w->counters, CNT_IPEXT_OUTOCTETS, m->pkt_len);
	if (unlikely(out->id == LINK_LO))
		output_to_lo(w, m);
	else if (unlikely(p->route_type != ROUTE_UNICAST) && is_to_many(m))
		output_to_many(w, m, out);
	else if (!output_by_image(w, m, out))
		neigh_output(w, m, out, p->next_addr);
}

/* The same for the pieces of what is cut, which need not be as quick. */
static __rte_noinline void finish_piece(struct worker *w, struct rte_mbuf *m, struct link *out)
{
	finish(w, m, out);
}

/* Is this to be heard by the router too? Broadcasts that it makes are, and of groups the one that
 * all links have joined. By lo it comes back anyway. */
static bool heard_here(const struct rte_mbuf *m, const struct link *out)
{
	const struct packet *p = packet_of(m);

	if (out->id == LINK_LO)
		return false;
	if (p->route_type == ROUTE_MULTICAST)
		return packet_ip(m)->dst_addr == IP_ALL_HOSTS;
	return p->route_type == ROUTE_BROADCAST && !(p->flags & PACKET_F_FORWARD);
}

static void loop_copy(struct worker *w, struct rte_mbuf *copy)
{
	packet_of(copy)->link = packet_of(copy)->out_link;
	packet_of(copy)->flags = PACKET_F_ROUTED;
	link_loop(w, copy);
}

static bool postrouting(struct worker *w, struct rte_mbuf *m)
{
	return !hooked(HOOK_POSTROUTING) || hook_run(w, m, HOOK_POSTROUTING);
}

/* False: a hook has taken the packet, the copy alone may have gone. In Linux the two share a
 * header; where the packet is cut, its options are made fit for fragments in place, which leaves
 * the copy with a wrong checksum. */
static __rte_noinline bool copy_to_self(struct worker *w, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = packet_copy(w, m);
	bool passed;

	if (copy)
		packet_of(copy)->type = PACKET_LOOPBACK;
	if (copy && !postrouting(w, copy))
		copy = NULL;
	passed = postrouting(w, m);
	if (copy && passed && m->pkt_len > packet_of(m)->mtu)
		fragment_blank_options(packet_ip(copy));
	if (copy)
		loop_copy(w, copy);
	return passed;
}

static inline void finish_output(struct worker *w, struct rte_mbuf *m, struct link *out)
{
	const struct packet *p = packet_of(m);

	if (unlikely(m->pkt_len > p->mtu || p->frag_max_size))
		ip_fragment(w, m, out, finish_piece);
	else
		finish(w, m, out);
}

__rte_always_inline void ip_output(struct worker *w, struct rte_mbuf *m)
{
	struct packet *p = packet_of(m);
	struct link *out = link_get(p->out_link);
	bool passed;

	if (unlikely(!out)) {
		packet_drop(w, m, DROP_LINK_GONE);
		return;
	}
	if (unlikely(p->route_type != ROUTE_UNICAST) && heard_here(m, out))
		passed = copy_to_self(w, m);
	else
		passed = postrouting(w, m);
	if (likely(passed))
		finish_output(w, m, out);
}

void ip_finish_output(struct worker *w, struct rte_mbuf *m)
{
	struct link *out = link_get(packet_of(m)->out_link);

	if (unlikely(!out))
		packet_drop(w, m, DROP_LINK_GONE);
	else if (unlikely(packet_of(m)->type == PACKET_LOOPBACK))
		loop_copy(w, m);
	else
		finish_output(w, m, out);
}

/* As in Linux, the options are compiled anew, and changed by it. */
void ip_neigh_error(struct worker *w, struct rte_mbuf *m)
{
	if (packet_ip(m)->version_ihl == 0x45 || !ip_options_compile(w, m))
		icmp_send(w, m, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	packet_drop(w, m, DROP_NEIGH_FAILED);
}
