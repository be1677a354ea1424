/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker's side: from a next hop to a frame, and packets that wait for an address.
 *
 * Packets for an address that is not resolved wait in a queue of their own (`struct waiting`),
 * found by a hash and taken from a fixed array; the mbufs are chained through their private data.
 * One message asks the control thread and one brings the outcome. A worker that sees that an
 * address has been resolved before that message arrives sends what waits first, so order holds.
 * The message then finds nothing, and nothing is what it does.
 *
 * How much may wait for an address is rule I's: unres_qlen_bytes, oldest dropped. Linux counts
 * what a packet occupies, not what it carries (packet/truesize.h). With the default of 212992
 * bytes 256 received frames of up to 240 bytes wait, 166 of up to 688, 92 of up to 1712, 48 of up
 * to 3760. A frame that is forwarded by several workers has that much room in each.
 */
#include <string.h>

#include <rte_malloc.h>

#include "neigh/arp.h"
#include "neigh/neigh_table.h"
#include "packet/packet.h"
#include "packet/truesize.h"
#include "route/nexthop.h"

#define WAITING_SLOTS 4096             /* the range of net.millrace.neigh_waiting_max */
#define BUCKET_BITS 10
#define NO_SLOT UINT16_MAX

struct waiting {
	struct rte_mbuf *head, *tail;  /* never empty; linked by packet_of(m)->next */
	uint64_t bytes;                /* sum of truesize */
	rte_be32_t addr;
	rte_be32_t src;                /* as last told to the control thread */
	uint16_t link;
	uint16_t next;                 /* slot: chain of a bucket, or of the free ones */
};

struct neigh_worker {
	uint64_t held;                 /* packets in all queues; neigh_held() reads it */
	uint64_t mbufs;                /* that they consist of */
	unsigned int n_waiting;
	uint16_t free;
	uint16_t bucket[1 << BUCKET_BITS];
	struct waiting slot[WAITING_SLOTS];
};

void (*neigh_error)(struct worker *w, struct rte_mbuf *m);

/* ---- frames ---- */

static struct rte_ether_hdr *push_header(struct worker *w, struct rte_mbuf *m,
					 const struct link *out)
{
	struct rte_ether_hdr *eth;

	eth = (struct rte_ether_hdr *)rte_pktmbuf_prepend(m, sizeof(*eth));
	if (unlikely(!eth)) {
		packet_drop(w, m, DROP_TX_INVALID);
		return NULL;
	}
	neigh_mac_bytes(link_mac(out), &eth->src_addr);
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	return eth;
}

void neigh_output_to(struct worker *w, struct rte_mbuf *m, struct link *out,
		     const struct rte_ether_addr *to)
{
	struct rte_ether_hdr *eth = push_header(w, m, out);

	if (unlikely(!eth))
		return;
	rte_ether_addr_copy(to, &eth->dst_addr);
	link_xmit(w, out, m);
}

static inline void output_word(struct worker *w, struct rte_mbuf *m, struct link *out,
			       uint64_t word)
{
	struct rte_ether_hdr *eth = push_header(w, m, out);

	if (unlikely(!eth))
		return;
	neigh_mac_bytes(word, &eth->dst_addr);
	link_xmit(w, out, m);
}

/* The first to use a stale entry says so; it must not be forgotten if the ring is full. */
static __rte_noinline void tell_used(struct worker *w, struct neigh *n)
{
	struct message msg = {.kind = MSG_NEIGH_USED, .link = n->link, .addr = n->addr};
	uint64_t word = __atomic_fetch_and(&n->word, ~NEIGH_WORD_NOTIFY, __ATOMIC_RELAXED);

	if (word & NEIGH_WORD_NOTIFY && !message_to_control(w, &msg))
		__atomic_fetch_or(&n->word, NEIGH_WORD_NOTIFY, __ATOMIC_RELAXED);
}

/* ---- queues ---- */

static uint16_t *bucket_of(struct neigh_worker *nw, uint16_t link, rte_be32_t addr)
{
	return &nw->bucket[neigh_hash(link, addr, BUCKET_BITS)];
}

static struct waiting *waiting_find(struct neigh_worker *nw, uint16_t link, rte_be32_t addr)
{
	uint16_t slot;

	if (nw->n_waiting == 0)
		return NULL;
	for (slot = *bucket_of(nw, link, addr); slot != NO_SLOT; slot = nw->slot[slot].next)
		if (nw->slot[slot].addr == addr && nw->slot[slot].link == link)
			return &nw->slot[slot];
	return NULL;
}

static struct waiting *waiting_new(struct neigh_worker *nw, uint16_t link, rte_be32_t addr)
{
	uint16_t *bucket = bucket_of(nw, link, addr);
	uint16_t slot = nw->free;
	struct waiting *q;

	if (nw->n_waiting >= (unsigned int)__atomic_load_n(&neigh_waiting_max, __ATOMIC_RELAXED))
		return NULL;
	q = &nw->slot[slot];
	nw->free = q->next;
	*q = (struct waiting){.addr = addr, .link = link, .next = *bucket};
	*bucket = slot;
	nw->n_waiting++;
	return q;
}

static void held_add(struct neigh_worker *nw, int64_t n)
{
	__atomic_store_n(&nw->held, nw->held + (uint64_t)n, __ATOMIC_RELAXED);
}

/* What a packet that waits costs. */
static uint32_t cost_of(const struct rte_mbuf *m)
{
	return packet_truesize_of(packet_of(m), m->pkt_len);
}

static struct rte_mbuf *waiting_pop(struct neigh_worker *nw, struct waiting *q)
{
	struct rte_mbuf *m = q->head;

	q->head = packet_of(m)->next;
	packet_of(m)->next = NULL;
	q->bytes -= cost_of(m);
	nw->mbufs -= m->nb_segs;
	held_add(nw, -1);
	return m;
}

static void waiting_push(struct neigh_worker *nw, struct waiting *q, struct rte_mbuf *m)
{
	packet_of(m)->next = NULL;
	if (q->head)
		packet_of(q->tail)->next = m;
	else
		q->head = m;
	q->tail = m;
	q->bytes += cost_of(m);
	nw->mbufs += m->nb_segs;
	held_add(nw, 1);
}

/* Take the queue out of the table and give its slot back, so that the caller can let go of the
 * packets one by one while others start to wait. */
static struct waiting waiting_take(struct neigh_worker *nw, struct waiting *q)
{
	uint16_t *at = bucket_of(nw, q->link, q->addr);
	struct waiting taken = *q;
	uint16_t slot = (uint16_t)(q - nw->slot);

	while (*at != slot)
		at = &nw->slot[*at].next;
	*at = q->next;
	q->next = nw->free;
	nw->free = slot;
	nw->n_waiting--;
	return taken;
}

static void waiting_drop(struct worker *w, struct waiting *q, enum drop_reason reason)
{
	struct waiting taken = waiting_take(w->neigh, q);

	while (taken.head)
		packet_drop(w, waiting_pop(w->neigh, &taken), reason);
}

/* The link's MTU may be smaller by now than it was when the packet was sent, for which it is
 * dropped here: Linux leaves that to the device, and ours would lose it unseen. But a route may say
 * that more can be sent than that. */
static bool fits_route(const struct rte_mbuf *m)
{
	return m->pkt_len <= nexthop_get(packet_of(m)->nexthop)->mtu;
}

static __rte_noinline void waiting_send(struct worker *w, struct waiting *q, struct neigh *n,
					struct link *out, uint64_t word)
{
	struct waiting taken = waiting_take(w->neigh, q);

	if (word & NEIGH_WORD_NOTIFY)
		tell_used(w, n);
	while (taken.head) {
		struct rte_mbuf *m = waiting_pop(w->neigh, &taken);

		if (likely(m->pkt_len <= out->mtu) || fits_route(m))
			output_word(w, m, out, word);
		else
			packet_drop(w, m, DROP_TX_INVALID);
	}
}

/* Oldest first, to ICMP. As in Linux, should that ask for the same neighbour again (its answer
 * goes the same way), then the rest and the answer are dropped and resolution starts over. */
static void waiting_fail(struct worker *w, struct waiting *q)
{
	struct neigh_worker *nw = w->neigh;
	struct waiting taken = waiting_take(nw, q);
	struct waiting *again = NULL;

	while (taken.head && !again) {
		struct rte_mbuf *m = waiting_pop(nw, &taken);

		if (!neigh_error) {
			packet_drop(w, m, DROP_NEIGH_FAILED);
			continue;
		}
		neigh_error(w, m);
		again = waiting_find(nw, taken.link, taken.addr);
	}
	while (taken.head)
		packet_drop(w, waiting_pop(nw, &taken), DROP_NEIGH_FAILED);
	if (again)
		waiting_drop(w, again, DROP_NEIGH_FAILED);
}

bool neigh_unusable(const struct worker *w, uint16_t link, rte_be32_t addr)
{
	const struct neigh *n = neigh_lookup(link, addr);

	if (!n)
		return w && waiting_find(w->neigh, link, addr);
	return !(__atomic_load_n(&n->word, __ATOMIC_RELAXED) & NEIGH_WORD_VALID);
}

/* ---- hold ---- */

/* ARP requests carry the packet's source if it is the router's own; others need not be told. */
static rte_be32_t own_source(const struct rte_mbuf *m)
{
	rte_be32_t src = packet_ip(m)->src_addr;

	return route_is_local(src) ? src : 0;
}

static bool ask(struct worker *w, uint16_t link, rte_be32_t addr, rte_be32_t src)
{
	struct message msg = {.kind = MSG_NEIGH_RESOLVE, .link = link, .addr = addr, .src = src};

	return message_to_control(w, &msg);
}

/* May no more mbufs be held? */
static bool held_full(const struct neigh_worker *nw)
{
	uint64_t max = (uint64_t)__atomic_load_n(&neigh_held_max, __ATOMIC_RELAXED);

	if (!max)
		max = packet_pool_share() / workers_count;
	return nw->mbufs >= max;
}

static __rte_noinline void hold_first(struct worker *w, struct rte_mbuf *m, uint16_t link,
				      rte_be32_t addr)
{
	struct neigh_worker *nw = w->neigh;
	rte_be32_t src = own_source(m);
	struct waiting *q;

	if (held_full(nw)) {
		packet_drop(w, m, DROP_NEIGH_QUEUEFULL);
		return;
	}
	q = waiting_new(nw, link, addr);
	if (!q) {
		packet_drop(w, m, DROP_NEIGH_CREATEFAIL);
		return;
	}
	q->src = src;
	waiting_push(nw, q, m);
	if (!ask(w, link, addr, src))
		waiting_drop(w, q, DROP_CONTROL_QUEUE_FULL);
}

/* Behind those that wait already. The next request carries the newest packet's source. */
static __rte_noinline void hold_more(struct worker *w, struct rte_mbuf *m, struct waiting *q)
{
	struct neigh_worker *nw = w->neigh;
	uint64_t limit = (uint64_t)__atomic_load_n(&neigh_parms[q->link].unres_qlen_bytes,
						   __ATOMIC_RELAXED);
	uint32_t cost = cost_of(m);
	rte_be32_t src = own_source(m);

	while (q->head && (q->bytes + cost > limit || held_full(nw)))
		packet_drop(w, waiting_pop(nw, q), DROP_NEIGH_QUEUEFULL);
	waiting_push(nw, q, m);
	if (src != q->src && ask(w, q->link, q->addr, src))
		q->src = src;
}

void neigh_output(struct worker *w, struct rte_mbuf *m, struct link *out, rte_be32_t addr)
{
	struct neigh *n = neigh_lookup(out->id, addr);
	uint64_t word = likely(n) ? __atomic_load_n(&n->word, __ATOMIC_ACQUIRE) : 0;
	struct waiting *q = waiting_find(w->neigh, out->id, addr);

	if (unlikely(!(word & NEIGH_WORD_VALID))) {
		if (out->id == LINK_LO)
			neigh_output_to(w, m, out, &out->mac);
		else if (q)
			hold_more(w, m, q);
		else
			hold_first(w, m, out->id, addr);
		return;
	}
	if (unlikely(q)) {
		waiting_send(w, q, n, out, word);
		word = __atomic_load_n(&n->word, __ATOMIC_RELAXED);
	}
	if (unlikely(word & NEIGH_WORD_NOTIFY))
		tell_used(w, n);
	output_word(w, m, out, word);
}

uint64_t neigh_mac(uint16_t link, rte_be32_t addr)
{
	const struct neigh *n = neigh_lookup(link, addr);
	uint64_t word = n ? __atomic_load_n(&n->word, __ATOMIC_ACQUIRE) : 0;

	if ((word & (NEIGH_WORD_VALID | NEIGH_WORD_NOTIFY | NEIGH_WORD_HELD)) != NEIGH_WORD_VALID)
		return NEIGH_MAC_NONE;
	return word & ~NEIGH_WORD_VALID;
}

bool neigh_known(uint16_t link, rte_be32_t addr)
{
	const struct neigh *n = neigh_lookup(link, addr);

	return n && __atomic_load_n(&n->word, __ATOMIC_RELAXED) & NEIGH_WORD_VALID;
}

/* ---- what the control thread says ---- */

/* Send what waits if the address is known now. */
static bool send_if_known(struct worker *w, struct waiting *q)
{
	struct link *out = link_get(q->link);
	struct neigh *n = neigh_lookup(q->link, q->addr);
	uint64_t word = n ? __atomic_load_n(&n->word, __ATOMIC_ACQUIRE) : 0;

	if (!out || !(word & NEIGH_WORD_VALID))
		return false;
	waiting_send(w, q, n, out, word);
	return true;
}

/* Resolved; but if it was lost again meanwhile, ask once more. */
static void on_done(struct worker *w, const struct message *msg)
{
	struct waiting *q = waiting_find(w->neigh, msg->link, msg->addr);

	if (!q || send_if_known(w, q))
		return;
	if (!ask(w, q->link, q->addr, q->src))
		waiting_drop(w, q, DROP_CONTROL_QUEUE_FULL);
}

static void on_failed(struct worker *w, const struct message *msg)
{
	struct waiting *q = waiting_find(w->neigh, msg->link, msg->addr);

	if (q && !send_if_known(w, q))
		waiting_fail(w, q);
}

static void on_drop(struct worker *w, const struct message *msg)
{
	struct waiting *q = waiting_find(w->neigh, msg->link, msg->addr);

	if (q)
		waiting_drop(w, q, (enum drop_reason)msg->arg);
}

void neigh_output_init(void)
{
	message_on_worker(MSG_NEIGH_DONE, on_done);
	message_on_worker(MSG_NEIGH_FAILED, on_failed);
	message_on_worker(MSG_NEIGH_DROP, on_drop);
}

/* ---- start and stop ---- */

int neigh_worker_init(struct worker *w)
{
	struct neigh_worker *nw;

	nw = rte_zmalloc_socket("neigh_worker", sizeof(*nw), RTE_CACHE_LINE_SIZE, w->socket);
	if (!nw)
		return -ENOMEM;
	memset(nw->bucket, 0xff, sizeof(nw->bucket));
	for (unsigned int i = 0; i < WAITING_SLOTS; i++)
		nw->slot[i].next = (uint16_t)(i + 1);
	w->neigh = nw;
	return 0;
}

void neigh_worker_fini(struct worker *w)
{
	struct neigh_worker *nw = w->neigh;

	if (!nw)
		return;
	for (unsigned int i = 0; i < RTE_DIM(nw->bucket); i++)
		while (nw->bucket[i] != NO_SLOT)
			waiting_drop(w, &nw->slot[nw->bucket[i]], DROP_NEIGH_FLUSHED);
	rte_free(nw);
	w->neigh = NULL;
}

uint64_t neigh_held(void)
{
	uint64_t sum = arp_proxy_held();

	for (unsigned int i = 0; i < workers_count; i++)
		if (workers[i] && workers[i]->neigh)
			sum += __atomic_load_n(&workers[i]->neigh->held, __ATOMIC_RELAXED);
	return sum;
}
