/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet pool that finds what ASan alone would not see, for a mempool's memory is never freed.
 *
 * It is a set of mempool operations of its own, without a cache. An mbuf that is in the pool is
 * poisoned, so that touching it is reported; taking it out makes it usable. Each that comes back
 * is checked: whether it was out at all, that it is one segment with one reference. What lies
 * behind each is poisoned always, where the pool has padding.
 */
#ifndef FUZZ_POOL_H
#define FUZZ_POOL_H

#include <stdbool.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

/* After rte_eal_init, before the first pool is made. */
void pool_use(void);

/* Once the pool is made: poison it from now on. */
void pool_arm(struct rte_mempool *pool);
/* Before it is freed. */
void pool_disarm(struct rte_mempool *pool);

/* Take away the room behind the data, so that reading past the end is reported. Given back when
 * the mbuf is freed. */
void pool_tighten(struct rte_mbuf *m);

/* Fail unless each mbuf is in the pool, or out just n of them. */
void pool_check(struct rte_mempool *pool, unsigned int n_out);

/* Fail unless this mbuf, and those chained to it, is out of the pool and sane. */
void pool_check_mbuf(const struct rte_mbuf *m, const char *what);

#endif
