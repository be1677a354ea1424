/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hooks: places on a packet's way where others may look at it, and stop it. Rule K; what Linux
 * calls netfilter, with its five points, its priorities and its verdicts (netfilter_ipv4.h).
 *
 *	PREROUTING    every packet received, header valid; before it is routed, and its options
 *	INPUT         for the router itself; whole
 *	FORWARD       to be sent on: TTL taken down, it may leave by the MTU, its sender is told
 *	              of a better way; before its options are filled in
 *	OUTPUT        made by the router, routed; ICMP errors too
 *	POSTROUTING   about to leave, and not cut yet
 *
 * The hooks of a point are an array in order of priority, published by RCU, so that they come and
 * go while packets move. Where there are none, a point is a test of one pointer. Packets that are
 * forwarded on the fast path pass three points: while one of them has a hook, ip_hooks.forward
 * says so and bursts take the general path.
 */
#ifndef IPV4_HOOK_H
#define IPV4_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "core/rcu.h"
#include "core/worker.h"

enum hook_point {
	HOOK_PREROUTING,
	HOOK_INPUT,
	HOOK_FORWARD,
	HOOK_OUTPUT,
	HOOK_POSTROUTING,
	HOOK_POINTS
};

/* Linux's nf_ip_hook_priorities: the lower, the earlier. */
enum hook_priority {
	HOOK_PRI_FIRST = INT32_MIN,
	HOOK_PRI_RAW_BEFORE_DEFRAG = -450,
	HOOK_PRI_CONNTRACK_DEFRAG = -400,
	HOOK_PRI_RAW = -300,
	HOOK_PRI_CONNTRACK = -200,
	HOOK_PRI_MANGLE = -150,
	HOOK_PRI_NAT_DST = -100,
	HOOK_PRI_FILTER = 0,
	HOOK_PRI_SECURITY = 50,
	HOOK_PRI_NAT_SRC = 100,
	HOOK_PRI_CONNTRACK_HELPER = 300,
	HOOK_PRI_LAST = INT32_MAX,
};

enum hook_verdict {
	HOOK_DROP,                   /* the packet ends here, as NETFILTER_DROP */
	HOOK_ACCEPT,                 /* to the next hook, or on */
	HOOK_STOLEN,                 /* the hook owns the packet now */
};

/* What a hook is asked about. The mbuf's data is at a valid IP header, contiguous with its options.
 * On a worker, under its rules: no lock, no heap, no system call. */
typedef enum hook_verdict (*hook_fn)(struct worker *w, struct rte_mbuf *m, enum hook_point point,
				     void *arg);

/* ---- control thread ---- */

/* Have fn called for every packet at a point; among equal priorities, who came first is first.
 * owner: a word for `hook show`, which must stay. 0, -EEXIST if fn with this arg is there already,
 * or -ENOMEM. */
int hook_register(enum hook_point point, int32_t priority, const char *owner, hook_fn fn,
		  void *arg);

/* No more. Workers may be in it for one grace period longer (rcu_defer()). Nothing happens if it is
 * not there. */
void hook_unregister(enum hook_point point, hook_fn fn, const void *arg);

/* All points are empty again; workers have stopped. */
void hook_fini(void);

const char *hook_point_name(enum hook_point point);

struct hook_info {
	enum hook_point point;
	int32_t priority;
	const char *owner;
	uint64_t packets, dropped, stolen; /* of all that came to it; of all workers */
};

/* All hooks, in the order that packets meet them. Stops when fn returns non-zero and returns
 * that. */
int hook_foreach(int (*fn)(const struct hook_info *info, void *arg), void *arg);

/* ---- workers ---- */

struct hook_list;

struct ip_hooks {
	struct hook_list *at[HOOK_POINTS]; /* NULL: nothing there */
	uint32_t forward;            /* not 0: something is where forwarded packets pass */
} __rte_cache_aligned;

extern struct ip_hooks ip_hooks;

/* Is there anything at this point? */
static inline bool hooked(enum hook_point point)
{
	return unlikely(__atomic_load_n(&ip_hooks.at[point], __ATOMIC_RELAXED) != NULL);
}

/* Ask the hooks of a point. True: m goes on. False: m was consumed. */
bool hook_run(struct worker *w, struct rte_mbuf *m, enum hook_point point);

/* Go on with a packet that a hook of this priority stole: hooks of higher numbers first, then the
 * way that it would have gone. Consumes m. On any worker. */
void hook_resume(struct worker *w, struct rte_mbuf *m, enum hook_point point, int32_t priority);

#endif
