/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was learned of the way to single destinations: the MTU of a path that is narrower than its
 * first link, and a better gateway. Rules G2 and F; RFC 1191; RFC 1122 3.2.2.2; Linux's struct
 * fib_nh_exception.
 *
 * An exception belongs to a next hop and a destination, and lives for net.ipv4.route.mtu_expires
 * seconds (after a redirect net.ipv4.route.gc_timeout; what comes last counts for both), or until
 * the next hop is used no more or the operator flushes (exception.c says what is left then). An MTU
 * that is less than net.ipv4.route.min_pmtu counts as that, and is locked: the path is taken to
 * have no known MTU, so nothing that goes there gets DF, and what is forwarded is cut to it, too. A
 * gateway counts for what is forwarded as for what the router sends.
 *
 * The control thread alone writes. Workers read word by word, and where there is no exception at
 * all they read one word that says so.
 */
#ifndef IPV4_EXCEPTION_H
#define IPV4_EXCEPTION_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

#include "core/worker.h"
#include "link/link.h"

/* How many there are. */
extern uint32_t ip_exceptions;

/* Settings. */
struct exception_settings {
	int32_t mtu_expires_s, redirect_expires_s, min_pmtu, forward_use_pmtu, max;
};
extern struct exception_settings exception_settings;

struct ip_exception {
	rte_be32_t gateway;      /* 0: as the route says */
	uint16_t mtu;            /* 0: likewise */
	bool locked;
};

/* ---- any thread ---- */

/* What was learned of dst by this next hop, all 0 where that was flushed. false: nothing. */
bool ip_exception_find(uint32_t nexthop, rte_be32_t dst, struct ip_exception *e);

static inline bool ip_exception_get(uint32_t nexthop, rte_be32_t dst, struct ip_exception *e)
{
	return unlikely(__atomic_load_n(&ip_exceptions, __ATOMIC_RELAXED)) &&
	       ip_exception_find(nexthop, dst, e);
}

/* The gateway that a redirect has named; 0: none has. */
static inline rte_be32_t ip_exception_gateway(uint32_t nexthop, rte_be32_t dst)
{
	struct ip_exception e;

	return ip_exception_get(nexthop, dst, &e) ? e.gateway : 0;
}

/* The MTU that forwarding is to heed; 0: none. */
static inline uint32_t ip_exception_forward_mtu(uint32_t nexthop, rte_be32_t dst)
{
	struct ip_exception e;

	if (likely(!ip_exception_get(nexthop, dst, &e)) ||
	    !(e.locked || exception_settings.forward_use_pmtu))
		return 0;
	return e.mtu;
}

/* ---- workers ---- */

/* A host on the way from src, an own address, to dst says that packets with this TOS must not be
 * larger. false: the control thread, whose task it is, could not be told. */
bool ip_update_pmtu(struct worker *w, rte_be32_t dst, rte_be32_t src, uint8_t tos, uint32_t mark,
		    uint16_t mtu);

/* Is a redirect worth looking at, of this code, that came in by l, from an address, and names a
 * gateway? Most are not, as the settings have it. */
bool ip_redirect_wanted(const struct link *l, uint8_t code, rte_be32_t from, rte_be32_t gateway);

/* Give one that is to the control thread; m quotes a whole header of something sent here, and is
 * counted as delivered. Consumes m. */
void ip_redirect(struct worker *w, struct rte_mbuf *m);

/* ---- control thread ---- */

int ip_exception_init(void);     /* 0 or a negative errno */
void ip_exception_fini(void);

/* A next hop came into use or went out of it. */
void ip_exception_nexthop(uint32_t nexthop);

/* Has forwarding by this next hop to look at each destination? */
bool ip_exception_slows(uint32_t nexthop);

#endif
