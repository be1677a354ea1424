/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: one lcore that polls receive queues and runs each packet to completion.
 *
 * The struct is what a function on the packet's way needs to know of the thread it runs on. It is
 * passed as the first argument `w`, never found through thread-local storage, so that tests can
 * make one. Each room keeps its own per-worker state behind a pointer whose type only that room
 * knows; it allocates it in the room's *_worker_init(), called by the control thread before the
 * workers start.
 *
 * Rules on a worker: no lock, no heap, no system call, no unbounded loop. What a worker must ask
 * of the control thread goes as a message (core/message.h).
 */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H

#include <stdint.h>
#include <stdbool.h>

#include <rte_common.h>
#include <rte_ring.h>

#include "core/counters.h"

#define WORKERS_MAX 64
#define WORKER_SPENT 32

struct rte_mbuf;
struct link_worker;  /* lib/link: poll list, transmit buffers, statistics */
struct neigh_worker; /* lib/neigh: packets held for an address */
struct ip_worker;    /* lib/ipv4: reassembly, scratch */

struct worker {
	uint64_t now_ns;              /* time of this loop (core/clock.h) */
	struct counters *counters;    /* this worker's own */
	struct link_worker *link;
	struct neigh_worker *neigh;
	struct ip_worker *ip;
	struct rte_mbuf *spent[WORKER_SPENT]; /* packets to be freed: lib/packet */
	unsigned int n_spent;
	/* NULL, or takes what link_xmit() would send, while what came before is still to be sent */
	void (*keep)(struct worker *w, unsigned int link, struct rte_mbuf *m);
	struct rte_ring *to_control;  /* struct message elements, single producer */
	struct rte_ring *from_control;
	uint64_t random_state;        /* worker_random() */
	unsigned int id;              /* 0 .. workers_count - 1; also the rcu thread id */
	unsigned int lcore;
	int socket;                   /* NUMA node */
	bool shares_cpu;              /* with another lcore: sleeps when idle */
	bool files_wait;              /* capture files are not read on in this turn of the loop */
	bool behind;                  /* there may be more in queues that lose what comes late */

	/* load, written by the worker, read by `worker show` */
	uint64_t loops;               /* times round the loop */
	uint64_t busy_loops;          /* of these, with at least one packet */
	uint64_t busy_cycles;         /* TSC cycles spent in busy loops */
	uint64_t turn_tsc;            /* when this loop began */
	bool busy;                    /* the last loop had packets */
	uint64_t packets;             /* packets taken from receive queues */
} __rte_cache_aligned;

extern struct worker *workers[WORKERS_MAX];
extern unsigned int workers_count;

/* Allocate worker structs 0..n-1 with their counters and rings. Control thread, once.
 * Returns 0 or a negative errno. */
int workers_init(unsigned int n);
void workers_fini(void);

/* A ring of pointers that all workers put into, by rte_ring_enqueue() and its like, and one takes
 * from. Nobody waits for another who is kept from its CPU in the midst of this, as in rings that
 * DPDK makes by itself: what comes after that is only seen later. Control thread; NULL and
 * rte_errno if there is no memory. rte_ring_free() takes it away. */
struct rte_ring *worker_ring_create(const char *name, unsigned int size, int socket);

/* How many are in it. (rte_ring_count() says that it is full where what it reads first is overtaken
 * by what it reads then.) */
static inline unsigned int worker_ring_count(const struct rte_ring *ring)
{
	uint32_t end = __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE);
	int32_t n = (int32_t)(end - __atomic_load_n(&ring->cons.tail, __ATOMIC_RELAXED));

	return n > 0 ? (unsigned int)n : 0;
}

/* A cheap pseudo-random number (xorshift64*), for protocol randomness that is no secret. */
static inline uint32_t worker_random(struct worker *w)
{
	uint64_t x = w->random_state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	w->random_state = x;
	return (uint32_t)((x * 0x2545F4914F6CDD1DULL) >> 32);
}

#endif
