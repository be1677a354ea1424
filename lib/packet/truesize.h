/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet occupies in Linux. Its limits on what may wait count that (skb->truesize), not
 * what is carried, so whoever wants the same limits must compute the same figure.
 *
 * This is Linux 6.18 on a 64-bit machine, for a frame that came in by veth: a 256-byte descriptor
 * and a buffer for 16 bytes of headroom, the frame and 320 bytes of trailer, which comes as 576
 * bytes, as the next power of two, or, from a page on, as 576 bytes and whole pages. So a packet
 * of up to 226 bytes costs 832, of up to 674 bytes 1280, of up to 1698 bytes 2304. Where the router
 * made it itself, or cut it, the headroom is another, and a large buffer the next power of two.
 */
#ifndef PACKET_TRUESIZE_H
#define PACKET_TRUESIZE_H

#include <stdint.h>

#include <rte_common.h>
#include <rte_ether.h>

#include "packet/packet.h"

#define TRUESIZE_DESCRIPTOR 256
#define TRUESIZE_HEADROOM 16
#define TRUESIZE_TRAILER 320
#define TRUESIZE_MADE_EXTRA 31        /* room for an Ethernet header, and what aligning it takes */
#define TRUESIZE_CUT_EXTRA 16         /* that room alone */
#define TRUESIZE_SMALL_BUFFER 576
#define TRUESIZE_PAGE 4096

#define TRUESIZE_MAX (TRUESIZE_DESCRIPTOR + TRUESIZE_SMALL_BUFFER + (64 << 10))

/* Of a packet of len bytes, its IP header and what followed it included, that came in an Ethernet
 * frame. */
static inline uint32_t packet_truesize(uint32_t len)
{
	uint32_t frame = TRUESIZE_HEADROOM + RTE_ETHER_HDR_LEN + len;
	uint32_t buffer = frame + TRUESIZE_TRAILER;

	if (buffer <= TRUESIZE_SMALL_BUFFER)
		return TRUESIZE_DESCRIPTOR + TRUESIZE_SMALL_BUFFER;
	if (frame < TRUESIZE_PAGE)
		return TRUESIZE_DESCRIPTOR + rte_align32pow2(buffer);
	return TRUESIZE_DESCRIPTOR + TRUESIZE_SMALL_BUFFER + RTE_ALIGN_CEIL(len, TRUESIZE_PAGE);
}

static inline uint32_t packet_truesize_sent(uint32_t len, uint32_t extra)
{
	uint32_t buffer = RTE_ALIGN_CEIL(len + extra, 64) + TRUESIZE_TRAILER;

	if (buffer <= TRUESIZE_SMALL_BUFFER)
		return TRUESIZE_DESCRIPTOR + TRUESIZE_SMALL_BUFFER;
	return TRUESIZE_DESCRIPTOR + rte_align32pow2(buffer);
}

/* The same of one of len bytes that is made to be sent on Ethernet, up to 16 KB. */
static inline uint32_t packet_truesize_made(uint32_t len)
{
	return packet_truesize_sent(len, TRUESIZE_MADE_EXTRA);
}

/* Of a packet of which this is known, of len bytes with its IP header. */
static inline uint32_t packet_truesize_of(const struct packet *p, uint32_t len)
{
	if (likely(p->origin == PACKET_RECEIVED))
		return packet_truesize(len + p->frame_rest);
	return packet_truesize_sent(len, p->origin == PACKET_CUT ? TRUESIZE_CUT_EXTRA
								 : TRUESIZE_MADE_EXTRA);
}

#endif
