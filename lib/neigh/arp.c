/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP as it comes in (RFC 826; rule I, and rule A for the validation of the sender).
 *
 * A request for an address that the router has, or stands proxy for, is answered and teaches us
 * the sender. Anything else can only refresh a neighbour that is known already, unless arp_accept
 * lets gratuitous ARP make new ones. That is Linux's arp_process, whose order of checks decides
 * which of them a message meets first.
 *
 * A proxy answers after a random part of proxy_delay, so that the owner of the address, if it is
 * there after all, is heard first. The request is kept meanwhile and then judged again.
 */
#include "neigh/arp.h"

#include <stdlib.h>
#include <sys/queue.h>

#include <rte_ip.h>

#include "core/counters.h"
#include "core/message.h"
#include "neigh/neigh_table.h"
#include "route/group.h"
#include "packet/packet.h"

#define HRD_IEEE802 6
#define HUNDREDTH_NS (10 * NSEC_PER_MSEC)

/* A message, read and checked. */
struct arp {
	struct link *link;
	unsigned int worker;           /* received it and sends the answer */
	uint16_t op;
	rte_be32_t sip, tip;
	struct rte_ether_addr sha, tha;
	bool to_host;                  /* the frame was addressed to us alone */
	bool delayed;                  /* has had its delay */
};

enum verdict { USED, IGNORED, DELAY };

/* A request in its delay. */
struct proxy_request {
	struct timer timer;
	struct rte_mbuf *mbuf;
	struct arp arp;
	TAILQ_ENTRY(proxy_request) entry;
};

static TAILQ_HEAD(, proxy_request) proxy_list = TAILQ_HEAD_INITIALIZER(proxy_list);
static unsigned int n_proxy;

/* ---- addresses ---- */

static bool is_multicast(rte_be32_t addr)
{
	return (addr & RTE_BE32(0xf0000000)) == RTE_BE32(0xe0000000);
}

static bool is_loopback(rte_be32_t addr)
{
	return (addr & RTE_BE32(0xff000000)) == RTE_BE32(0x7f000000);
}

unsigned int arp_addr_type(rte_be32_t addr)
{
	unsigned int type;

	if (addr == 0 || addr == RTE_BE32(0xffffffff))
		return ROUTE_BROADCAST;
	if (is_multicast(addr))
		return ROUTE_MULTICAST;
	type = route_lookup_local(addr)->type;
	return type == ROUTE_LOCAL || type == ROUTE_BROADCAST ? type : ROUTE_UNICAST;
}

/* Is `local` (0: any) an address of the link of at most this scope, in one subnet with `peer`
 * (0: any)? Linux's inet_confirm_addr for these cases. */
static bool confirm_addr(const struct link *l, rte_be32_t peer, rte_be32_t local, uint8_t scope)
{
	const struct link_addrs *list = l->addrs;
	uint8_t most = LINK_CONF_OR(l, route_localnet) ? SCOPE_LINK : SCOPE_HOST;
	bool have = false, match = false;

	for (unsigned int i = 0; list && i < list->n; i++) {
		const struct link_addr *a = &list->a[i];

		if ((!local || a->local == local) && RTE_MIN(a->scope, most) <= scope)
			have = true;
		if ((!local || addr_in_subnet(a, local)) && (!peer || addr_in_subnet(a, peer)))
			match = true;
	}
	return have && match;
}

static bool confirm_addr_any_link(rte_be32_t local, uint8_t scope)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		const struct link *l = link_get(i);

		if (l && confirm_addr(l, 0, local, scope))
			return true;
	}
	return false;
}

/* ---- may this sender ask? (rule A) ---- */

/* The way to an address, for something that came in from another. Without a packet no member of a
 * group is chosen. */
static uint32_t way_to(rte_be32_t dst, rte_be32_t src, unsigned int iif)
{
	return route_lookup(&(struct route_flow){ .dst = dst, .src = src, .iif = (uint16_t)iif });
}

/* Reverse lookup of a source that is not to be taken on trust. */
static bool source_checks_out(const struct arp *a, unsigned int out, int32_t rp_filter)
{
	const struct link *l = a->link;
	uint32_t index = way_to(a->sip, a->tip, out);
	const struct nexthop *nh = nexthop_get(group_first(index));

	switch (nh->type) {
	case ROUTE_UNICAST:
		break;
	case ROUTE_LOCAL:
		if (!LINK_CONF_OR(l, accept_local))
			return false;
		break;
	case ROUTE_BROADCAST:
	case ROUTE_MULTICAST:
		return false;
	default:
		return rp_filter == 0;
	}
	if (nexthop_over(index, l->id))
		return true;
	if (!l->addrs || l->addrs->n == 0)
		return rp_filter == 0;
	return rp_filter != 1;
}

static bool source_valid(const struct arp *a, unsigned int out)
{
	const struct link *l = a->link;
	int32_t rp_filter = LINK_CONF_MAX(l, rp_filter);

	if (rp_filter == 0 && (out != l->id || !LINK_CONF_OR(l, send_redirects))) {
		if (LINK_CONF_OR(l, accept_local))
			return true;
		if (!route_sources_custom())
			return !addr_owner(a->sip);
	}
	return source_checks_out(a, out, rp_filter);
}

/* Where would a packet from sip to tip go that came in here? ROUTE_LOCAL; ROUTE_UNICAST, *out is
 * the link; ROUTE_NONE: it would not be taken. */
static unsigned int route_input(const struct arp *a, unsigned int *out)
{
	const struct link *l = a->link;
	const struct nexthop *nh;

	if (is_multicast(a->sip) || a->sip == RTE_BE32(0xffffffff) || a->tip == 0 ||
	    a->tip == RTE_BE32(0xffffffff))
		return ROUTE_NONE;
	if (is_loopback(a->sip) && !LINK_CONF_OR(l, route_localnet))
		return ROUTE_NONE;
	nh = nexthop_get(group_first(way_to(a->tip, a->sip, l->id)));
	if (nh->type == ROUTE_LOCAL)
		return source_valid(a, LINK_LO) ? ROUTE_LOCAL : ROUTE_NONE;
	if (nh->type != ROUTE_UNICAST || !l->conf.forwarding)
		return ROUTE_NONE;
	*out = nh->link;
	return source_valid(a, nh->link) ? ROUTE_UNICAST : ROUTE_NONE;
}

/* ---- requests for the router's own addresses ---- */

static bool ignored(const struct arp *a)
{
	switch (LINK_CONF_MAX(a->link, arp_ignore)) {
	case 1:
		return !confirm_addr(a->link, 0, a->tip, SCOPE_HOST);
	case 2:
		return !confirm_addr(a->link, a->sip, a->tip, SCOPE_HOST);
	case 3:
		return !confirm_addr_any_link(a->tip, SCOPE_LINK);
	case 8:
		return true;
	default:
		return false;
	}
}

/* arp_filter: answer only if packets to the sender leave by the link that asks. */
static bool filtered(const struct arp *a)
{
	const struct nexthop *nh;

	if (!LINK_CONF_OR(a->link, arp_filter))
		return false;
	nh = nexthop_get(group_first(way_to(a->sip, a->tip, LINK_LO)));
	switch (nh->type) {
	case ROUTE_UNICAST:
	case ROUTE_BROADCAST:
		if (nh->link == a->link->id)
			return false;
		break;
	case ROUTE_LOCAL:
		break;
	default:
		return true;
	}
	count(control_counters, CNT_TCPEXT_ARPFILTER);
	return true;
}

static void reply(const struct arp *a)
{
	arp_send(a->worker, a->link, RTE_ARP_OP_REPLY, &a->sha, a->tip, &a->sha, a->sip);
}

/* The sender is about to talk to us: know it. Returns false if the table is full. */
static bool learn_sender(const struct arp *a)
{
	struct neigh *n = neigh_get(a->link, a->sip);

	if (!n)
		return false;
	(void)neigh_update(n, &a->sha, NUD_STALE, NEIGH_UPDATE_OVERRIDE);
	return true;
}

static enum verdict answer_own(const struct arp *a)
{
	if (ignored(a) || filtered(a) || !learn_sender(a))
		return IGNORED;
	reply(a);
	return USED;
}

/* A host without an address looks whether one is taken (RFC 5227). */
static enum verdict answer_probe(const struct arp *a)
{
	if (a->op != RTE_ARP_OP_REQUEST || arp_addr_type(a->tip) != ROUTE_LOCAL || ignored(a))
		return IGNORED;
	reply(a);
	return USED;
}

/* ---- proxy ---- */

static bool stands_proxy(const struct arp *a, unsigned int out)
{
	if (out != a->link->id)
		return LINK_CONF_OR(a->link, proxy_arp);
	return a->sip != a->tip && LINK_CONF_OR(a->link, proxy_arp_pvlan);
}

static enum verdict answer_proxy(const struct arp *a)
{
	(void)learn_sender(a);
	if (!a->delayed && !a->to_host && neigh_parms[a->link->id].proxy_delay > 0)
		return DELAY;
	reply(a);
	return USED;
}

/* ---- what is known already ---- */

static bool may_make_entry(const struct arp *a)
{
	switch (LINK_CONF_MAX(a->link, arp_accept)) {
	case 1:
		return true;
	case 2:
		return confirm_addr(a->link, a->sip, 0, SCOPE_LINK);
	default:
		return false;
	}
}

static bool is_gratuitous(const struct arp *a)
{
	if (a->sip != a->tip)
		return false;
	if (a->op == RTE_ARP_OP_REPLY && !rte_is_same_ether_addr(&a->sha, &a->tha))
		return false;
	return arp_addr_type(a->sip) == ROUTE_UNICAST;
}

/* Of several answers the first is believed: another MAC address must come later than locktime,
 * or be announced. */
static bool may_override(const struct neigh *n, bool gratuitous)
{
	uint64_t locktime_ns = (uint64_t)neigh_parms_of(n)->locktime * HUNDREDTH_NS;

	return gratuitous || neigh_later(clock_now_ns(), n->updated_ns + locktime_ns);
}

static enum verdict refresh(const struct arp *a)
{
	struct neigh *n = neigh_lookup(a->link->id, a->sip);
	bool gratuitous = is_gratuitous(a);
	bool answer = a->op == RTE_ARP_OP_REPLY;

	if (!n && may_make_entry(a) &&
	    (gratuitous || (answer && arp_addr_type(a->sip) == ROUTE_UNICAST)))
		n = neigh_get(a->link, a->sip);
	if (!n)
		return IGNORED;
	(void)neigh_update(n, &a->sha, answer && a->to_host ? NUD_REACHABLE : NUD_STALE,
			   may_override(n, gratuitous) ? NEIGH_UPDATE_OVERRIDE : 0);
	return USED;
}

static enum verdict process(const struct arp *a)
{
	unsigned int out = 0;

	if (a->sip == a->tip && LINK_CONF_OR(a->link, drop_gratuitous_arp))
		return IGNORED;
	if (a->sip == 0)
		return answer_probe(a);
	if (a->op == RTE_ARP_OP_REQUEST) {
		unsigned int type = route_input(a, &out);

		if (type == ROUTE_LOCAL)
			return answer_own(a);
		if (type == ROUTE_UNICAST && stands_proxy(a, out))
			return answer_proxy(a);
	}
	return refresh(a);
}

/* ---- delay ---- */

static void finish(struct rte_mbuf *m, enum verdict v)
{
	if (v == IGNORED) {
		packet_drop_control(m, DROP_ARP_IGNORED);
		return;
	}
	control_counters->delivered++;
	rte_pktmbuf_free(m);
}

static void proxy_forget(struct proxy_request *r)
{
	timer_stop(&r->timer);
	TAILQ_REMOVE(&proxy_list, r, entry);
	__atomic_store_n(&n_proxy, n_proxy - 1, __ATOMIC_RELAXED);
	neigh_parms[r->arp.link->id].proxy_waiting--;
	free(r);
}

static void on_proxy_timer(struct timer *t, uint64_t now_ns)
{
	struct proxy_request *r = RTE_PTR_SUB(t, offsetof(struct proxy_request, timer));
	struct rte_mbuf *m = r->mbuf;
	struct arp a = r->arp;

	(void)now_ns;
	proxy_forget(r);
	a.delayed = true;
	finish(m, process(&a));
}

static void proxy_enqueue(struct rte_mbuf *m, const struct arp *a)
{
	struct neigh_parms *p = &neigh_parms[a->link->id];
	uint64_t delay_ns = neigh_random((uint64_t)p->proxy_delay * HUNDREDTH_NS);
	struct proxy_request *r = NULL;

	if ((int64_t)p->proxy_waiting <= p->proxy_qlen)
		r = calloc(1, sizeof(*r));
	if (!r || timer_set(&r->timer, clock_now_ns() + delay_ns, on_proxy_timer) < 0) {
		free(r);
		packet_drop_control(m, DROP_NEIGH_QUEUEFULL);
		return;
	}
	r->mbuf = m;
	r->arp = *a;
	p->proxy_waiting++;
	TAILQ_INSERT_TAIL(&proxy_list, r, entry);
	__atomic_store_n(&n_proxy, n_proxy + 1, __ATOMIC_RELAXED);
}

void arp_proxy_purge(void)
{
	struct proxy_request *r;

	while ((r = TAILQ_FIRST(&proxy_list)) != NULL) {
		packet_drop_control(r->mbuf, DROP_NEIGH_FLUSHED);
		proxy_forget(r);
	}
}

unsigned int arp_proxy_held(void)
{
	return __atomic_load_n(&n_proxy, __ATOMIC_RELAXED);
}

/* ---- input ---- */

/* Read the message into *a; DROP_COUNT: it is well formed. */
static enum drop_reason parse(struct rte_mbuf *m, struct arp *a)
{
	const struct rte_arp_hdr *h;

	if (a->link->id == LINK_LO || packet_of(m)->type == PACKET_OTHERHOST)
		return DROP_OTHERHOST;
	if (!packet_pull(m, sizeof(*h)))
		return DROP_ARP_HDR;
	h = rte_pktmbuf_mtod(m, const struct rte_arp_hdr *);
	if (h->arp_hlen != RTE_ETHER_ADDR_LEN || h->arp_plen != sizeof(rte_be32_t) ||
	    h->arp_protocol != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
	    (h->arp_hardware != RTE_BE16(RTE_ARP_HRD_ETHER) &&
	     h->arp_hardware != RTE_BE16(HRD_IEEE802)))
		return DROP_ARP_HDR;
	a->op = rte_be_to_cpu_16(h->arp_opcode);
	if (a->op != RTE_ARP_OP_REQUEST && a->op != RTE_ARP_OP_REPLY)
		return DROP_ARP_HDR;
	a->sip = h->arp_data.arp_sip;
	a->tip = h->arp_data.arp_tip;
	a->sha = h->arp_data.arp_sha;
	a->tha = h->arp_data.arp_tha;
	a->to_host = packet_of(m)->type == PACKET_HOST;
	if (is_multicast(a->tip) ||
	    (is_loopback(a->tip) && !LINK_CONF_OR(a->link, route_localnet)))
		return DROP_ARP_HDR;
	return DROP_COUNT;
}

static void arp_input(unsigned int worker, const struct message *msg)
{
	struct arp a = {.link = link_get(msg->link), .worker = worker};
	struct rte_mbuf *m = msg->mbuf;
	enum drop_reason bad;
	enum verdict v;

	if (!a.link) {
		packet_drop_control(m, DROP_LINK_GONE);
		return;
	}
	bad = parse(m, &a);
	if (bad != DROP_COUNT) {
		packet_drop_control(m, bad);
		return;
	}
	v = process(&a);
	if (v == DELAY)
		proxy_enqueue(m, &a);
	else
		finish(m, v);
}

void arp_init(void)
{
	message_on_control(MSG_ARP_INPUT, arp_input);
}
