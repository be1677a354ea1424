/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Statistics of links. Packets and bytes are what millrace itself counted at its queues (a device
 * may count frames it never gave us); errors and losses come from the device.
 */
#include "link/link.h"

#include <string.h>

#include "core/dpdk.h"
#include "link/queue.h"
#include "link/txbuf.h"

static void lo_stats(struct link_stats *s)
{
	for (unsigned int i = 0; i < workers_count; i++) {
		s->tx_packets += workers[i]->link->loop_packets;
		s->tx_bytes += workers[i]->link->loop_bytes;
	}
	s->rx_packets = s->tx_packets;
	s->rx_bytes = s->tx_bytes;
}

void link_stats_get(const struct link *l, struct link_stats *s)
{
	struct rte_eth_stats device;

	memset(s, 0, sizeof(*s));
	if (l->id == LINK_LO) {
		lo_stats(s);
		return;
	}
	for (uint16_t q = 0; q < l->n_rxq; q++) {
		s->rx_packets += l->rxq[q].packets;
		s->rx_bytes += l->rxq[q].bytes;
	}
	for (unsigned int i = 0; i < workers_count; i++) {
		const struct txbuf *t = workers[i]->link->tx[l->id];

		if (!t)
			continue;
		s->tx_packets += t->packets;
		s->tx_bytes += t->bytes;
		s->tx_dropped += t->dropped;
	}
	if (rte_eth_stats_get(l->port, &device))
		return;
	s->rx_errors = device.ierrors;
	s->rx_missed = device.imissed;
	s->rx_nombuf = device.rx_nombuf;
	s->tx_errors = device.oerrors;
}

void link_rxq_stats_get(const struct link *l, unsigned int q, struct link_queue_stats *s,
			unsigned int *worker)
{
	*s = (struct link_queue_stats){0};
	*worker = 0;
	if (q >= l->n_rxq || !l->rxq)
		return;
	s->packets = l->rxq[q].packets;
	s->bytes = l->rxq[q].bytes;
	s->bursts = l->rxq[q].bursts;
	s->full = l->rxq[q].full;
	*worker = l->rxq[q].worker;
}

void link_speed_get(const struct link *l, unsigned int *mbps, const char **duplex)
{
	struct rte_eth_link state = {0};

	*mbps = 0;
	*duplex = "unknown";
	if (l->id == LINK_LO || rte_eth_link_get_nowait(l->port, &state))
		return;
	if (state.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		*mbps = state.link_speed;
	*duplex = state.link_duplex == RTE_ETH_LINK_FULL_DUPLEX ? "full" : "half";
}
