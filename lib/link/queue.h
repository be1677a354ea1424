/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker has of the links: receive queues, transmit buffers (txbuf.h) and its part of lo;
 * inside lib/link only.
 *
 * A worker's poll list names the receive queues it owns. The control thread makes a new list for
 * every change, publishes it, and frees the old one after a grace period; after that grace period
 * no worker touches a queue that is no longer listed, so the device can be stopped.
 */
#ifndef LINK_QUEUE_H
#define LINK_QUEUE_H

#include <stdint.h>

#include <rte_mbuf.h>

#include "core/worker.h"
#include "link/link.h"

#define NOBODY UINT16_MAX
#define BURST 32
#define POLL_ROUNDS 4             /* bursts from a queue in a turn, at most */
#define LOOP_MAX 1024             /* packets that wait on lo, a worker */

struct link_rxq {
	uint64_t packets, bytes;
	uint64_t bursts, full;        /* polls that gave packets, and as many as they may */
	uint64_t empty;               /* polls in a row that gave nothing */
	uint16_t worker;              /* NOBODY: between two */
	struct rte_mbuf *ahead;       /* in replayed time: the next packet, already read */
} __rte_cache_aligned;

struct poll_entry {
	uint16_t port, queue;
	uint16_t link;
	bool file;                    /* a capture file, which loses nothing by waiting */
	bool full;                    /* gave a whole burst when polled last: it may have more */
	struct link_rxq *rxq;
};

struct poll_list {
	unsigned int n;
	struct poll_entry e[];
};

struct link_worker {
	struct poll_list *poll;       /* rcu_read() */
	struct txbuf *tx[LINKS_MAX];  /* rcu_read(); NULL: no such link */
	uint64_t tx_pending;          /* a bit a link that has frames in tx[] */
	uint64_t loop_packets, loop_bytes;
	uint32_t loop_head, loop_n;
	uint16_t n_tx_rings;          /* links whose rings are to be drained; of worker 0 only */
	struct rte_mbuf *loop[LOOP_MAX];
};

_Static_assert(LINKS_MAX <= 64, "tx_pending has a bit a link");

/* Control thread: make and publish all workers' poll lists from the links that are up. Returns 0
 * or -ENOMEM (old lists stay). The caller waits for a grace period where it must. */
int poll_lists_publish(struct error *err);

#endif
