/* SPDX-License-Identifier: BSD-3-Clause */
/* Transmit buffers, and how frames come into them and out to the devices; see txbuf.h. */
#include "link/txbuf.h"

#include <errno.h>
#include <string.h>

#include <rte_malloc.h>

#include "core/dpdk.h"
#include "core/rcu.h"
#include "link/driver.h"
#include "link/queue.h"
#include "packet/packet.h"

/* Frames that were gathered go from so many on, with what waits before them. Each one that waits
 * has three lines of the first-level cache, and its buffer is not there for what comes next; so
 * half a burst at once is better than a whole one later. */
#define ENOUGH (BURST / 2)

/* ---- control thread ---- */

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

/* Enough frames at once need not be copied where none waits, also if they are up to LINK_ROOM, more
 * than a burst. */
static inline bool goes_at_once(const struct txbuf *t, unsigned int n)
{
	return n >= ENOUGH && !t->n;
}

/* Returns how many of them were sent. */
static unsigned int send_at_once(struct worker *w, struct txbuf *t, struct rte_mbuf **m,
				 unsigned int n, uint64_t bytes)
{
	uint16_t took = rte_eth_tx_burst(t->port, t->queue, m, (uint16_t)n);

	w->counters->transmitted += took;
	t->packets += took;
	t->put_bytes += bytes;
	if (unlikely(took < n))
		t->put_bytes -= bytes_of(m + took, n - took);
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
	if (w->keep)
		w->keep(w, l->id, m);
	else if (likely(w->id < l->n_txq))
		txbuf_put(w, t, m, l->id);
	else
		link_xmit_bulk(w, l->id, &m, 1, m->pkt_len);
}

void link_xmit_bulk(struct worker *w, unsigned int link, struct rte_mbuf **m, unsigned int n,
		    uint64_t bytes)
{
	struct txbuf *t = rcu_read(w->link->tx[link]);
	struct link *l = link_get(link);
	unsigned int i = 0;

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
	if (likely(goes_at_once(t, n)))
		i = send_at_once(w, t, m, n, bytes);
	if (i < n) {
		txbuf_put_bulk(w, t, m + i, n - i, link);
		if (!i && t->n >= ENOUGH)
			txbuf_flush(w, t);
	}
}

struct rte_mbuf **link_xmit_room(struct worker *w, unsigned int link, unsigned int n)
{
	struct txbuf *t = rcu_read(w->link->tx[link]);
	const struct link *l = link_get(link);

	if (unlikely(!l || !t || !l->up || w->id >= l->n_txq || t->n + LINK_ROOM > t->limit))
		return NULL;
	if (goes_at_once(t, n))
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
	if (t->n >= ENOUGH)
		txbuf_flush(w, t);
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
