/* SPDX-License-Identifier: BSD-3-Clause */
/* Poll lists, transmit buffers and the worker's receive and transmit; see queue.h. */
#include "link/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_mbuf_dyn.h>

#include "core/clock.h"
#include "core/dpdk.h"
#include "core/rcu.h"
#include "link/driver.h"
#include "link/ethernet.h"
#include "packet/packet.h"

static int timestamp_offset = -1;
static uint64_t timestamp_flag;

/* ---- control thread ---- */

int link_worker_init(struct worker *w)
{
	w->link = rte_zmalloc("link_worker", sizeof(*w->link), RTE_CACHE_LINE_SIZE);
	return w->link ? 0 : -ENOMEM;
}

void link_worker_fini(struct worker *w)
{
	struct link_worker *lw = w->link;

	if (!lw)
		return;
	while (lw->loop_n) {
		packet_drop(w, lw->loop[lw->loop_head % LOOP_MAX], DROP_LINK_GONE);
		lw->loop_head++;
		lw->loop_n--;
	}
	packet_free_spent(w);
	free(lw->poll);
	rte_free(lw);
	w->link = NULL;
}

static struct txbuf *txbuf_make(const struct link *l, const struct worker *w)
{
	uint32_t limit = RTE_MAX(l->profile->tx_queue_len, (unsigned int)BURST);
	struct txbuf *t = rte_zmalloc("txbuf", sizeof(*t) + limit * sizeof(t->m[0]),
				      RTE_CACHE_LINE_SIZE);

	if (!t)
		return NULL;
	t->limit = limit;
	t->port = l->port;
	t->queue = (uint16_t)w->id;
	return t;
}

/* Take a link's buffers away, and what is in them when no worker has them in hand any more; true:
 * there were some. */
static bool txbufs_take(struct link *l)
{
	struct txbuf *taken[WORKERS_MAX];
	unsigned int n = 0;

	for (unsigned int i = 0; i < workers_count; i++) {
		struct link_worker *lw = workers[i]->link;

		if (!lw->tx[l->id])
			continue;
		taken[n++] = lw->tx[l->id];
		rcu_assign(lw->tx[l->id], NULL);
	}
	if (n)
		rcu_synchronize();
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int j = 0; j < taken[i]->n; j++)
			packet_drop_control(taken[i]->m[j], DROP_LINK_GONE);
		rte_free(taken[i]);
	}
	return n != 0;
}

int txbufs_make(struct link *l)
{
	for (unsigned int i = 0; i < workers_count; i++) {
		struct txbuf *t = txbuf_make(l, workers[i]);

		if (!t) {
			txbufs_take(l);
			return -ENOMEM;
		}
		rcu_assign(workers[i]->link->tx[l->id], t);
	}
	if (l->tx_ring)
		__atomic_fetch_add(&workers[0]->link->n_tx_rings, 1, __ATOMIC_RELAXED);
	return 0;
}

void txbufs_free(struct link *l)
{
	if (txbufs_take(l) && l->tx_ring)
		__atomic_fetch_sub(&workers[0]->link->n_tx_rings, 1, __ATOMIC_RELAXED);
}

static bool polled(const struct link *l)
{
	return l && l->id != LINK_LO && l->up && l->started;
}

static struct poll_list *poll_list_make(unsigned int worker)
{
	struct poll_list *list;
	unsigned int max = 0;

	for (unsigned int i = 0; i < LINKS_MAX; i++)
		if (polled(links[i]))
			max += links[i]->n_rxq;
	list = malloc(sizeof(*list) + max * sizeof(list->e[0]));
	if (!list)
		return NULL;
	list->n = 0;
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		struct link *l = links[i];

		if (!polled(l))
			continue;
		for (uint16_t q = 0; q < l->n_rxq; q++)
			if (l->rxq[q].worker == worker)
				list->e[list->n++] = (struct poll_entry){
					.port = l->port, .queue = q, .link = l->id,
					.file = l->rx_file, .rxq = &l->rxq[q]};
	}
	return list;
}

int poll_lists_publish(struct error *err)
{
	struct poll_list *lists[WORKERS_MAX];

	for (unsigned int i = 0; i < workers_count; i++) {
		lists[i] = poll_list_make(i);
		if (!lists[i]) {
			while (i)
				free(lists[--i]);
			return error_set(err, ENOMEM,
					 "no memory for the workers' lists of queues");
		}
	}
	for (unsigned int i = 0; i < workers_count; i++) {
		struct poll_list *old = workers[i]->link->poll;

		rcu_assign(workers[i]->link->poll, lists[i]);
		if (old)
			rcu_defer(free, old);
	}
	return 0;
}

uint64_t link_held(void)
{
	uint64_t held = 0;

	for (unsigned int i = 0; i < workers_count; i++) {
		const struct link_worker *lw = workers[i]->link;

		held += lw->loop_n;
		for (unsigned int j = 0; j < LINKS_MAX; j++)
			if (lw->tx[j])
				held += lw->tx[j]->n;
	}
	for (unsigned int j = 0; j < LINKS_MAX; j++)
		if (links[j] && links[j]->tx_ring)
			held += worker_ring_count(links[j]->tx_ring);
	return held;
}

/* ---- workers ---- */

static inline uint64_t bytes_of(struct rte_mbuf *const *m, unsigned int n)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < n; i++)
		bytes += m[i]->pkt_len;
	return bytes;
}

/* So many from the front are gone; the device took no more. */
static void txbuf_keep(struct txbuf *t, uint32_t sent)
{
	t->n -= sent;
	memmove(&t->m[0], &t->m[sent], t->n * sizeof(t->m[0]));
	t->bytes = t->put_bytes - bytes_of(t->m, t->n);
}

/* Give what is buffered to the device; what it does not take stays, in order. */
static void txbuf_flush(struct worker *w, struct txbuf *t)
{
	uint32_t sent = 0;

	while (sent < t->n) {
		uint16_t part = (uint16_t)RTE_MIN(t->n - sent, (uint32_t)BURST);
		uint16_t took = rte_eth_tx_burst(t->port, t->queue, &t->m[sent], part);

		sent += took;
		if (took < part)
			break;
	}
	w->counters->transmitted += sent;
	t->packets += sent;
	if (likely(sent == t->n))
		t->n = 0;
	else
		txbuf_keep(t, sent);
}

/* Give it a burst, of which there is one at least. The rest is mostly less than another: bursts are
 * all of one size, which drivers are quicker with. */
static void txbuf_send(struct worker *w, struct txbuf *t)
{
	uint16_t took = rte_eth_tx_burst(t->port, t->queue, t->m, BURST);

	w->counters->transmitted += took;
	t->packets += took;
	if (unlikely(took < BURST || t->n > 2 * BURST)) {
		txbuf_keep(t, took);
		return;
	}
	t->n -= BURST;
	memcpy(&t->m[0], &t->m[BURST], BURST * sizeof(t->m[0]));
}

/* Whenever a burst more is there the device is offered all, also if it had not taken the last:
 * frames may have been put here many at a time, so there need not be just one burst. */
static void txbuf_put(struct worker *w, struct txbuf *t, struct rte_mbuf *m, unsigned int link)
{
	if (unlikely(t->n == t->limit)) {
		t->dropped++;
		packet_drop(w, m, DROP_TX_QUEUE_FULL);
		return;
	}
	t->m[t->n++] = m;
	t->put_bytes += m->pkt_len;
	w->link->tx_pending |= 1ULL << link;
	if (t->n % BURST == 0)
		txbuf_flush(w, t);
}

static void txbuf_put_bulk(struct worker *w, struct txbuf *t, struct rte_mbuf **m, unsigned int n,
			   unsigned int link)
{
	w->link->tx_pending |= 1ULL << link;
	while (n) {
		unsigned int part = RTE_MIN(BURST - t->n % BURST, t->limit - t->n);

		part = RTE_MIN(part, n);
		if (unlikely(!part)) {
			t->dropped += n;
			packet_drop_bulk(w, m, n, DROP_TX_QUEUE_FULL);
			return;
		}
		memcpy(&t->m[t->n], m, part * sizeof(*m));
		t->put_bytes += bytes_of(m, part);
		t->n += part;
		m += part;
		n -= part;
		if (t->n % BURST == 0)
			txbuf_flush(w, t);
	}
}

/* A whole burst need not be copied where none waits. Returns how many of its frames were sent. */
static unsigned int send_burst(struct worker *w, struct txbuf *t, struct rte_mbuf **m,
			       uint64_t bytes)
{
	uint16_t took = rte_eth_tx_burst(t->port, t->queue, m, BURST);

	w->counters->transmitted += took;
	t->packets += took;
	t->put_bytes += bytes;
	if (unlikely(took < BURST))
		t->put_bytes -= bytes_of(m + took, BURST - took);
	t->bytes = t->put_bytes;
	return took;
}

/* The same frame in no more segments than the device takes. NULL: it can't be, and is dropped. */
static __rte_noinline struct rte_mbuf *fewer_segments(struct worker *w, const struct link *l,
						      struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	if (l->tx_segs == 1 && !rte_pktmbuf_linearize(m))
		return m;
	copy = rte_pktmbuf_copy(m, packet_pool(w->socket), 0, UINT32_MAX);
	if (unlikely(!copy)) {
		packet_drop(w, m, DROP_NOMEM);
		return NULL;
	}
	if (unlikely(copy->nb_segs > l->tx_segs)) {
		rte_pktmbuf_free(copy);
		packet_drop(w, m, DROP_TX_INVALID);
		return NULL;
	}
	*packet_of(copy) = *packet_of(m);
	rte_pktmbuf_free(m);
	return copy;
}

__rte_always_inline void link_xmit(struct worker *w, struct link *l, struct rte_mbuf *m)
{
	struct txbuf *t = rcu_read(w->link->tx[l->id]);

	if (unlikely(!l->up || !t)) {
		packet_drop(w, m, DROP_LINK_DOWN);
		return;
	}
	if (unlikely(m->nb_segs > l->tx_segs)) {
		m = fewer_segments(w, l, m);
		if (!m)
			return;
	}
	if (likely(w->id < l->n_txq))
		txbuf_put(w, t, m, l->id);
	else
		link_xmit_bulk(w, l->id, &m, 1, m->pkt_len);
}

void link_xmit_bulk(struct worker *w, unsigned int link, struct rte_mbuf **m, unsigned int n,
		    uint64_t bytes)
{
	struct txbuf *t = rcu_read(w->link->tx[link]);
	struct link *l = link_get(link);
	unsigned int i;

	if (unlikely(!l || !t || !l->up)) {
		packet_drop_bulk(w, m, n, l ? DROP_LINK_DOWN : DROP_LINK_GONE);
		return;
	}
	if (unlikely(w->id >= l->n_txq)) {
		i = rte_ring_enqueue_burst(l->tx_ring, (void **)m, n, NULL);
		t->dropped += n - i;
		packet_drop_bulk(w, m + i, n - i, DROP_TX_QUEUE_FULL);
		return;
	}
	i = n == BURST && !t->n ? send_burst(w, t, m, bytes) : 0;
	if (i < n)
		txbuf_put_bulk(w, t, m + i, n - i, link);
}

struct rte_mbuf **link_xmit_room(struct worker *w, unsigned int link)
{
	struct txbuf *t = rcu_read(w->link->tx[link]);
	const struct link *l = link_get(link);

	if (unlikely(!l || !t || !l->up || w->id >= l->n_txq || t->n + 2 * LINK_ROOM > t->limit))
		return NULL;
	return &t->m[t->n];
}

/* The buffer had room, so it has not been full of what the device does not take. */
void link_xmit_filled(struct worker *w, unsigned int link, unsigned int n, uint64_t bytes)
{
	struct txbuf *t = rcu_read(w->link->tx[link]);

	w->link->tx_pending |= 1ULL << link;
	t->n += n;
	t->put_bytes += bytes;
	if (t->n >= BURST)
		txbuf_send(w, t);
}

/* Worker 0 sends what workers without a queue of their own left in the link's ring: all that is
 * there by now, so that they have the device no less than itself. */
static void tx_ring_drain(struct worker *w, const struct link *l, struct txbuf *t)
{
	unsigned int left = worker_ring_count(l->tx_ring), n;
	struct rte_mbuf *m[BURST];

	for (; left && (!l->up || t->n + BURST <= t->limit); left -= n) {
		n = rte_ring_sc_dequeue_burst(l->tx_ring, (void **)m,
					      RTE_MIN(left, (unsigned int)BURST), NULL);
		if (l->up)
			txbuf_put_bulk(w, t, m, n, l->id);
		else
			packet_drop_bulk(w, m, n, DROP_LINK_DOWN);
		if (!n)
			break;
	}
}

static void tx_rings_drain(struct worker *w)
{
	for (unsigned int i = 1; i < LINKS_MAX; i++) {
		const struct link *l = link_get(i);
		struct txbuf *t = rcu_read(w->link->tx[i]);

		if (l && l->tx_ring && t && (!l->up || l->started))
			tx_ring_drain(w, l, t);
	}
}

/* The link went down: what it was to send would come too late when it is up again. */
static __rte_noinline void txbuf_drop(struct worker *w, struct txbuf *t)
{
	t->put_bytes -= bytes_of(t->m, t->n);
	packet_drop_bulk(w, t->m, t->n, DROP_LINK_DOWN);
	t->n = 0;
}

void link_flush(struct worker *w)
{
	struct link_worker *lw = w->link;
	uint64_t pending;

	if (unlikely(w->n_spent))
		packet_free_spent(w);
	if (unlikely(w->id == 0 && __atomic_load_n(&lw->n_tx_rings, __ATOMIC_RELAXED)))
		tx_rings_drain(w);
	pending = lw->tx_pending;
	while (pending) {
		unsigned int id = (unsigned int)__builtin_ctzll(pending);
		struct txbuf *t = rcu_read(lw->tx[id]);
		const struct link *l = link_get(id);

		pending &= pending - 1;
		if (t && t->n && l) {
			if (likely(l->up))
				txbuf_flush(w, t);
			else
				txbuf_drop(w, t);
		}
		if (t && t->n)
			continue;
		lw->tx_pending &= ~(1ULL << id);
		if (t)
			t->bytes = t->put_bytes;
	}
}

void link_loop(struct worker *w, struct rte_mbuf *m)
{
	struct link_worker *lw = w->link;

	if (unlikely(lw->loop_n == LOOP_MAX)) {
		packet_drop(w, m, DROP_LOOPED);
		return;
	}
	lw->loop[(lw->loop_head + lw->loop_n++) % LOOP_MAX] = m;
	lw->loop_packets++;
	lw->loop_bytes += m->pkt_len;
	w->counters->transmitted++;
}

/* What came out of lo goes in again; at most LOOP_MAX packets a call, as each may make others. */
unsigned int link_loop_poll(struct worker *w)
{
	struct link_worker *lw = w->link;
	unsigned int i;

	for (i = 0; i < LOOP_MAX && lw->loop_n; i++) {
		struct rte_mbuf *m = lw->loop[lw->loop_head % LOOP_MAX];
		struct link *l = link_get(packet_of(m)->link);

		lw->loop_head++;
		lw->loop_n--;
		w->counters->received++;
		packet_of(m)->arrival_ns = w->now_ns;
		if (l)
			eth_ipv4_handler(w, l, &m, 1);
		else
			packet_drop(w, m, DROP_LINK_GONE);
	}
	return i;
}

/* Count a burst of one queue and give it to eth_input. */
static void burst_input(struct worker *w, const struct poll_entry *e, struct rte_mbuf **m,
			uint16_t n)
{
	e->rxq->empty = 0;
	e->rxq->bursts++;
	e->rxq->full += n == BURST;
	e->rxq->packets += n;
	w->packets += n;
	w->counters->received += n;
	e->rxq->bytes += __atomic_load_n(&eth_burst_handler,
					 __ATOMIC_RELAXED)(w, link_get(e->link), m, n);
}

/* One burst from each queue. Returns how many packets came; *full: a queue may have more. */
static unsigned int poll_once(struct worker *w, const struct poll_list *list, bool *full)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < list->n; i++) {
		const struct poll_entry *e = &list->e[i];
		struct rte_mbuf *m[BURST];
		uint16_t n;

		if (unlikely(w->files_wait) && e->file)
			continue;
		n = rte_eth_rx_burst(e->port, e->queue, m, BURST);
		if (n)
			burst_input(w, e, m, n);
		else
			e->rxq->empty++;
		*full |= n == BURST;
		sum += n;
	}
	return sum;
}

/* Under load what a turn costs, and what each link is sent at its end, is for several bursts. */
unsigned int link_poll(struct worker *w)
{
	const struct poll_list *list = rcu_read(w->link->poll);
	unsigned int sum = 0;
	bool full = list != NULL;

	for (unsigned int i = 0; i < POLL_ROUNDS && full; i++) {
		full = false;
		sum += poll_once(w, list, &full);
	}
	if (unlikely(w->link->loop_n))
		link_loop_poll(w);
	return sum;
}

/* ---- replayed time: one packet at a time, the earliest of all queues first ---- */

static bool timestamped(const struct rte_mbuf *m)
{
	return timestamp_offset >= 0 && (m->ol_flags & timestamp_flag);
}

/* When a packet was captured, UTC. */
static uint64_t timestamp_utc_ns(const struct rte_mbuf *m)
{
	return *RTE_MBUF_DYNFIELD(m, timestamp_offset, rte_mbuf_timestamp_t *) *
	       DPDK_PCAP_TIMESTAMP_NS;
}

int link_timestamps_init(void)
{
	return rte_mbuf_dyn_rx_timestamp_register(&timestamp_offset, &timestamp_flag);
}

/* The queue whose next packet is the earliest, NULL if all are empty. One without a timestamp comes
 * now. (Compared is UTC, so that the very first timestamp that the clock sees is the earliest.) */
static const struct poll_entry *earliest(struct worker *w, uint64_t *at_ns)
{
	uint64_t first_ns = 0;
	const struct poll_list *list = rcu_read(w->link->poll);
	const struct poll_entry *first = NULL;

	for (unsigned int i = 0; list && i < list->n; i++) {
		const struct poll_entry *e = &list->e[i];
		uint64_t ns;

		if (!e->rxq->ahead && !rte_eth_rx_burst(e->port, e->queue, &e->rxq->ahead, 1)) {
			e->rxq->empty++;
			continue;
		}
		if (unlikely(!timestamped(e->rxq->ahead))) {
			*at_ns = clock_now_ns();
			return e;
		}
		ns = timestamp_utc_ns(e->rxq->ahead);
		if (!first || ns < first_ns) {
			first = e;
			first_ns = ns;
		}
	}
	if (first)
		*at_ns = clock_of_utc(first_ns);
	return first;
}

bool link_next_time(struct worker *w, uint64_t *at_ns)
{
	return earliest(w, at_ns) != NULL;
}

unsigned int link_poll_one(struct worker *w)
{
	uint64_t at_ns;
	const struct poll_entry *e = earliest(w, &at_ns);

	if (e) {
		struct rte_mbuf *m = e->rxq->ahead;

		e->rxq->ahead = NULL;
		burst_input(w, e, &m, 1);
	}
	link_loop_poll(w);
	return e != NULL;
}
