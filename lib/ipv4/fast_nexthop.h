/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the fast path reads instead of next hops and neighbours: for every next hop an image of one
 * cache line with the finished header.
 *
 * Images are derived from what others own and are kept in step with it by the control thread: a
 * next hop that was made, a neighbour whose word changed, a link that changed. All that a worker
 * may see change in place is written with single stores:
 *   - `gateway` and `state` say whether the image may be used at all;
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

#define FAST_HEAD_BYTES 32

enum fast_state {
	FAST_NONE,           /* the general path knows what to do */
	FAST_GATEWAY,        /* the neighbour is known: head is complete */
	FAST_CONNECTED,      /* the neighbour is the destination: head lacks its MAC address */
	FAST_LOCAL,          /* for the router itself */
};

/* head is added to the first 32 bytes of the frame, in words of 16 bits, after its first 14 were
 * cleared: MAC addresses, type; -1 at TTL and +1 (0x0100 as it lies in memory) at the checksum. */
struct fast_nexthop {
	union {
		uint64_t head[FAST_HEAD_BYTES / 8];
		uint8_t head_bytes[FAST_HEAD_BYTES];
	};
	uint32_t gateway;    /* link << 16 | mtu if state is FAST_GATEWAY, else 0 */
	uint16_t mtu;        /* largest packet (rule C3) */
	uint8_t state;       /* enum fast_state */
	uint8_t link;        /* id of the output link */
} __rte_cache_aligned;

_Static_assert(sizeof(struct fast_nexthop) == RTE_CACHE_LINE_SIZE, "one cache line");

extern struct fast_nexthop *fast_nexthops;     /* by index of next hop */

/* Something that decides whether the next hop is for the fast path has changed. Control thread. */
void fast_nexthop_refresh(uint32_t index);

/* Registers with next hops, neighbours and links. Control thread, before links are made. Returns 0
 * or -ENOMEM. */
int fast_nexthop_init(void);
void fast_nexthop_fini(void);

#endif
