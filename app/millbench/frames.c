/* SPDX-License-Identifier: BSD-3-Clause */
/* See frames.h. */
#include "frames.h"

#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "packet/checksum.h"

#define FRAME_BYTES 60u
#define PLACE 5u             /* of the special one in a burst */
#define ONE_IN 20

static const char *const names[FRAMES_MIXES] = {
	[FRAME_ORDINARY] = "ordinary", [FRAME_PING] = "ping", [FRAME_TTL] = "ttl",
	[FRAME_OPTIONS] = "options", [FRAME_CUT] = "cut", [FRAME_DROPPED] = "dropped",
	[FRAMES_RANDOM] = "random",
};

const char *frames_name(unsigned int mix)
{
	return names[mix];
}

/* Pseudorandom numbers that are the same in every run. */
static uint32_t dice(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static enum frame_kind kind_of(unsigned int mix, unsigned int i, uint32_t *state,
			       unsigned int *specials)
{
	if (mix == FRAMES_RANDOM)
		return dice(state) % ONE_IN ? FRAME_ORDINARY
					    : FRAME_PING + (*specials)++ % FRAME_CUT;
	return i % FRAMES_BURST == PLACE ? mix : FRAME_ORDINARY;
}

static void ping_make(uint8_t *message, uint32_t len)
{
	struct icmphdr *icmp = (void *)message;

	icmp->type = ICMP_ECHO;
	icmp->checksum = (uint16_t)~checksum_bytes(message, len);
}

static void header_make(struct rte_ipv4_hdr *ip, enum frame_kind kind, unsigned int i, uint16_t len)
{
	bool options = kind == FRAME_OPTIONS, ping = kind == FRAME_PING;

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = options ? RTE_IPV4_VHL_DEF + 1 : RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16(len),
		.packet_id = rte_cpu_to_be_16((uint16_t)i),
		.time_to_live = kind == FRAME_TTL ? 1 : 64,
		.next_proto_id = ping ? IPPROTO_ICMP : IPPROTO_UDP,
		.src_addr = RTE_BE32(RTE_IPV4(192, 0, 2, 2)),
		.dst_addr = ping ? RTE_BE32(RTE_IPV4(192, 0, 2, 1))
				 : rte_cpu_to_be_32(RTE_IPV4(10, 1 + i % 4, i >> 8 & 255, i & 255)),
	};
	if (options)
		memset(ip + 1, IPOPT_NOP, 4);
	checksum_header_set(ip);
	if (kind == FRAME_DROPPED)
		ip->hdr_checksum ^= 1;
}

static bool frame_make(struct frame *f, enum frame_kind kind, unsigned int i,
		       const struct rte_ether_addr *router)
{
	uint16_t len = kind == FRAME_CUT ? RTE_ETHER_HDR_LEN + 1500 : FRAME_BYTES;
	uint8_t *data = calloc(1, len);
	struct rte_ether_hdr *eth = (void *)data;
	struct rte_ipv4_hdr *ip = (void *)(data + sizeof(*eth));

	if (!data)
		return false;
	*eth = (struct rte_ether_hdr){
		.dst_addr = *router, .src_addr = {{2, 0, 0, 0, 0, 2}},
		.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4),
	};
	header_make(ip, kind, i, (uint16_t)(len - sizeof(*eth)));
	if (kind == FRAME_PING)
		ping_make((uint8_t *)(ip + 1), (uint32_t)(len - sizeof(*eth) - sizeof(*ip)));
	*f = (struct frame){.data = data, .len = len, .kind = kind};
	return true;
}

struct frame *frames_make(unsigned int mix, const struct rte_ether_addr *router)
{
	struct frame *frames = calloc(FRAMES, sizeof(*frames));
	uint32_t state = 1;
	unsigned int specials = 0;

	for (unsigned int i = 0; frames && i < FRAMES; i++)
		if (!frame_make(&frames[i], kind_of(mix, i, &state, &specials), i, router))
			return NULL;
	return frames;
}
