/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames for millbench forward: from the host 192.0.2.2 to the router, which has 192.0.2.1 there.
 * Ordinary ones have 60 bytes and go to four networks, 10.1.0.0/16 to 10.4.0.0/16, in turn.
 */
#ifndef MILLBENCH_FRAMES_H
#define MILLBENCH_FRAMES_H

#include <stdint.h>

#include <rte_ether.h>

#define FRAMES 4096u         /* a multiple of a burst */
#define FRAMES_BURST 32u

enum frame_kind {
	FRAME_ORDINARY,
	FRAME_PING,          /* to the router, which answers */
	FRAME_TTL,           /* of 1: an error, as far as limits allow */
	FRAME_OPTIONS,
	FRAME_CUT,           /* of 1500 bytes: too long for a link's MTU of 1000 */
	FRAME_DROPPED,       /* for its header's checksum */
	FRAME_KINDS
};

/* What there is beside ordinary frames: nothing (FRAME_ORDINARY), one of another kind in each
 * burst, or one in twenty at random, which are a ping, TTL, options, cut in turn. */
#define FRAMES_RANDOM FRAME_KINDS
#define FRAMES_MIXES (FRAMES_RANDOM + 1)

struct frame {
	const uint8_t *data;
	uint16_t len;
	uint8_t kind;
};

/* The word for a mix. */
const char *frames_name(unsigned int mix);

/* FRAMES of them, always the same, for the router's MAC address; NULL without memory. */
struct frame *frames_make(unsigned int mix, const struct rte_ether_addr *router);

#endif
