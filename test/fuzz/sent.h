/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What leaves: each frame that is given to a device is looked at before the device (net_null)
 * throws it away. It must be one that could stand on a wire: the link's own source address, a
 * good IP header with the frame's length, checksums right where the router made the packet.
 */
#ifndef FUZZ_SENT_H
#define FUZZ_SENT_H

#include <stdbool.h>
#include <stdint.h>

#include "link/link.h"

/* Frames and bytes since the start, all links. */
extern uint64_t sent_frames, sent_arp, sent_icmp;

/* Frames that went by the fast path, which leaves struct packet alone: frames come in with a type
 * that is none, and the general path writes what is true. */
extern uint64_t sent_fast;
#define SENT_UNSEEN 0xee

/* Of each link's frames, in the order in which they left. */
extern uint64_t sent_digest[LINKS_MAX];

/* The last ARP request that left by each link. In which order frames leave that go by several is
 * nobody's business, so which was the last of all must not matter. */
extern struct sent_request {
	bool there;
	rte_be32_t from, to;
} sent_requests[LINKS_MAX];

/* A link by which one has left: the first from `start` on, in a circle. 0: there is none. */
uint16_t sent_asked(unsigned int start);

/* MTU or address of a link may have changed while a frame waited: do not compare. */
extern bool sent_changed;

/* How many frames of a burst the device takes. */
extern uint16_t sent_device_takes;

/* Print each on stderr. */
extern bool sent_show;

void sent_watch(struct link *l);

#endif
