/* SPDX-License-Identifier: BSD-3-Clause */
/* Poll lists, and how workers receive; see queue.h. */
#include "link/queue.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>
#include <rte_mbuf_dyn.h>

#include "core/clock.h"
#include "core/dpdk.h"
#include "core/rcu.h"
#include "link/ethernet.h"
#include "link/txbuf.h"
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

/* One burst from each queue, or (again) from those only that may have more. Returns how many
 * packets came; *full: a queue may have more. */
static __rte_always_inline unsigned int poll_once(struct worker *w, struct poll_list *list,
						  bool again, bool *full)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < list->n; i++) {
		struct poll_entry *e = &list->e[i];
		struct rte_mbuf *m[BURST];
		uint16_t n;

		if (again && !e->full)
			continue;
		e->full = false;
		if (unlikely(w->files_wait) && e->file)
			continue;
		n = rte_eth_rx_burst(e->port, e->queue, m, BURST);
		if (n)
			burst_input(w, e, m, n);
		else
			e->rxq->empty++;
		e->full = n == BURST;
		*full |= e->full;
		w->behind |= e->full && !e->file;
		sum += n;
	}
	return sum;
}

/* Under load what a turn costs, and what each link is sent at its end, is for several bursts. A
 * queue that had no more is not asked again in the same turn. */
unsigned int link_poll(struct worker *w)
{
	struct poll_list *list = rcu_read(w->link->poll);
	bool full = false;
	unsigned int sum = 0;

	w->behind = false;
	if (list)
		sum = poll_once(w, list, false, &full);
	for (unsigned int i = 1; i < POLL_ROUNDS && full; i++) {
		full = w->behind = false;
		sum += poll_once(w, list, true, &full);
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
