/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmit buffers; inside lib/link only.
 *
 * A worker's transmit buffer for a link collects frames and goes to the worker's own transmit
 * queue. Where a device has fewer queues than there are workers, the workers above the count put
 * their frames into the link's ring (many producers), and worker 0 sends them.
 */
#ifndef LINK_TXBUF_H
#define LINK_TXBUF_H

#include <stdint.h>

#include <rte_mbuf.h>

#include "link/link.h"

struct txbuf {
	uint32_t n, limit;            /* frames in m; never more than limit */
	uint16_t port, queue;
	uint64_t put_bytes;           /* of all frames that were put here and not dropped */
	uint64_t packets, bytes;      /* that the device took; bytes as of the last turn's end */
	uint64_t dropped;
	struct rte_mbuf *m[] __rte_cache_aligned;     /* written as whole lines */
} __rte_cache_aligned;

/* Control thread: give every worker a transmit buffer for a link, or take it away: waits until no
 * worker has it in hand, nor has found the link before, and drops the frames in it. */
int txbufs_make(struct link *l);
void txbufs_free(struct link *l);

#endif
