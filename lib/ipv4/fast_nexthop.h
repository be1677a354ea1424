/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the fast path reads instead of next hops and neighbours: for every next hop an image of one
 * cache line with the finished header.
 *
 * Images are derived from what others own and are kept in step with it by the control thread: a
 * next hop that was made, a neighbour whose word changed, a link that changed. All that a worker
 * may see change in place is written with single stores:
 *   - `way` says whether the image may be used at all;
 *   - a neighbour's new MAC address is one store of 8 bytes, its 6 and 2 of the link's own;
 *   - when the link's own address changes, its images are taken out of use, and written again
 *     after a grace period.
 * So changing the address of a neighbour takes one store for each next hop that it is the gateway
 * of, however many routes lead there.
 */
#ifndef IPV4_FAST_NEXTHOP_H
#define IPV4_FAST_NEXTHOP_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "link/link.h"

#define FAST_HEAD_BYTES 32

/* What becomes of frames. Those that go on as they are have the id of their output link: the
 * neighbour is known and the image complete. lo is no such link. Bits say more, so that a fate can
 * be found by vector instructions. */
enum fate {
	FATE_GENERAL = 0,       /* the general path knows what to do */
	FATE_ROUTED = 0x40,     /* | link: too large, or its TTL is over; for ip_forward() */
	FATE_LOCAL = 0x80,      /* for the router itself, a whole datagram */
	FATE_PIECE = 0xc0,      /* and a part of one */
	FATE_CONNECTED = 0xc1,  /* the neighbour is the destination, whose address head lacks */
};

_Static_assert(LINK_LO == FATE_GENERAL && LINKS_MAX <= FATE_ROUTED, "no link has another's fate");
_Static_assert((FATE_LOCAL | FATE_ROUTED) == FATE_PIECE, "what one bit is for");

/* Frames go on as they are, by the link that it is. */
static inline bool fate_is_link(unsigned int fate)
{
	return fate != FATE_GENERAL && fate < FATE_ROUTED;
}

/* head is added to the first 32 bytes of the frame, in words of 16 bits, after its first 14 were
 * cleared: MAC addresses, type; -1 at TTL and +1 (0x0100 as it lies in memory) at the checksum. */
struct fast_nexthop {
	union {
		uint64_t head[FAST_HEAD_BYTES / 8];
		uint8_t head_bytes[FAST_HEAD_BYTES];
	};
	uint32_t way;        /* fate << 16; and mtu, which is not 0, if it is a link */
	uint16_t mtu;        /* largest packet (rule C3) */
	uint8_t link;        /* id of the output link */
} __rte_cache_aligned;

_Static_assert(sizeof(struct fast_nexthop) == RTE_CACHE_LINE_SIZE, "one cache line");

extern struct fast_nexthop *fast_nexthops;     /* by index of next hop */

/* What becomes of what goes there, if nothing else is to be said of it; a link where its gateway
 * is known. Any thread. */
static inline unsigned int fast_nexthop_fate(const struct fast_nexthop *nh)
{
	return __atomic_load_n(&nh->way, __ATOMIC_ACQUIRE) >> 16;
}

/* Something that decides whether the next hop is for the fast path has changed. Control thread. */
void fast_nexthop_refresh(uint32_t index);

/* Registers with next hops, neighbours and links. Control thread, before links are made. Returns 0
 * or -ENOMEM. */
int fast_nexthop_init(void);
void fast_nexthop_fini(void);

#endif
