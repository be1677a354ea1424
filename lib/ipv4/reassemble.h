/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly: rule E. What the rest of lib/ipv4 uses of it is first, what commands use second.
 *
 * A datagram put together is one chain (packet/chain.h): the fragment with offset 0, with its
 * header made that of the whole, and the others' payload behind it. Its frag_max_size is that of
 * its largest fragment. What is known of it besides (link, route) is what was known of the
 * fragment that completed it, as in Linux.
 */
#ifndef IPV4_REASSEMBLE_H
#define IPV4_REASSEMBLE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "core/worker.h"
#include "ipv4/internal.h"

/* On whose behalf: fragments that were collected for one are not put together with another's. */
enum defrag_user {
	DEFRAG_LOCAL_DELIVER,
	DEFRAG_CONNTRACK_IN,         /* hook_defrag.c, on PREROUTING */
	DEFRAG_CONNTRACK_OUT,        /* and on OUTPUT */
	DEFRAG_ROUTER_ALERT,         /* router_alert.c; Linux's IP_DEFRAG_CALL_RA_CHAIN */
	DEFRAG_USERS
};

/* Who goes on with the datagrams of a user, on the worker that has put one together; consumes m.
 * Control thread, before the workers start. */
typedef void (*defrag_done_fn)(struct worker *w, struct rte_mbuf *m);
void defrag_register(enum defrag_user user, defrag_done_fn done);

/* Take a fragment (data at a valid IP header, trimmed to its total length). What it completes goes
 * on at once, or, if another worker collects that datagram's fragments, there. Consumes m. */
void ip_defrag(struct worker *w, struct rte_mbuf *m, enum defrag_user user);

/* The same, a burst at a time: fragments for the router itself are collected until
 * ip_defrag_run(), which must come before the worker does anything else that can be seen. */
void ip_defrag_run(struct worker *w);
static inline void ip_defrag_collect(struct worker *w, struct rte_mbuf *m)
{
	if (unlikely(w->ip->frags.n == FRAG_BURST))
		ip_defrag_run(w);
	frag_burst_add(&w->ip->frags, m, DEFRAG_LOCAL_DELIVER);
}

/* Once a loop: fragments that other workers hand over, timers, mbufs to be freed; each up to a
 * bound. Returns how many fragments and timers there were. */
unsigned int defrag_tick(struct worker *w);

/* When the next timer runs out; UINT64_MAX: none runs. */
uint64_t defrag_next_expiry_ns(const struct worker *w);

/* Settings and messages; control thread. */
int defrag_init(void);
int defrag_worker_init(struct worker *w);
void defrag_worker_fini(struct worker *w);

/* ---- any thread; figures are those of the worker's last burst ---- */

struct defrag_info {
	uint64_t queues, fragments, mbufs;
	uint64_t bytes;              /* charged, as Linux would */
	uint64_t oldest_ns;          /* when the oldest queue was begun; 0: there is none */
	uint64_t ring;               /* fragments handed over to the worker and not taken yet */
	uint64_t handed_over;        /* fragments that it has handed over to others so far */
};

void defrag_info_get(const struct worker *w, struct defrag_info *info);

/* Fragments held by all workers. */
uint64_t defrag_held(void);

/* The limits on all workers together, as settings say. */
uint64_t defrag_bytes_max(void);
uint64_t defrag_mbufs_max(void);

/* Control thread: drop all that is held now. False: a worker could not be told. */
bool defrag_flush(void);

#endif
