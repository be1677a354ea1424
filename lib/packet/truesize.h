/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet occupies in Linux. Its limits on what may wait count that (skb->truesize), not
 * what is carried, so whoever wants the same limits must compute the same figure.
 *
 * This is Linux 6.18 on a 64-bit machine, for a frame that came in by veth: a 256-byte descriptor
 * and a buffer for 16 bytes of headroom, the frame and 320 bytes of trailer, which comes as 576
 * bytes, as the next power of two, or, from a page on, as 576 bytes and whole pages. So a packet
 * of up to 226 bytes costs 832, of up to 674 bytes 1280, of up to 1698 bytes 2304.
 */
#ifndef PACKET_TRUESIZE_H
#define PACKET_TRUESIZE_H

#include <stdint.h>

#include <rte_common.h>
#include <rte_ether.h>

#define TRUESIZE_DESCRIPTOR 256
#define TRUESIZE_HEADROOM 16
#define TRUESIZE_TRAILER 320
#define TRUESIZE_MADE_EXTRA 31        /* room for an Ethernet header, and what aligning it takes */
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

/* The same of one of len bytes that is made to be sent on Ethernet, up to a page. */
static inline uint32_t packet_truesize_made(uint32_t len)
{
	uint32_t buffer = RTE_ALIGN_CEIL(len + TRUESIZE_MADE_EXTRA, 64) + TRUESIZE_TRAILER;

	if (buffer <= TRUESIZE_SMALL_BUFFER)
		return TRUESIZE_DESCRIPTOR + TRUESIZE_SMALL_BUFFER;
	return TRUESIZE_DESCRIPTOR + rte_align32pow2(buffer);
}

#endif
