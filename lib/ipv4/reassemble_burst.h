/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments that came together: what reassembly wants to know of their headers, read once, when
 * they are collected, as the headers are at hand then.
 */
#ifndef IPV4_REASSEMBLE_BURST_H
#define IPV4_REASSEMBLE_BURST_H

#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#define FRAG_BURST 32

/* What fragments of one datagram have in common, besides the table: rule E. */
struct frag_key {
	uint64_t addrs;              /* source and destination, as they stand in the header */
	uint32_t rest;               /* identification, protocol, user */
};

#define FRAG_KEY_NONE UINT32_MAX     /* for rest: there is no such user */

/* enum defrag_user */
static inline unsigned int frag_key_user(uint32_t rest)
{
	return rest >> 24;
}

/* What a fragment's header says of it. */
struct frag_piece {
	uint16_t word;               /* fragment offset and flags */
	uint8_t header;              /* its length */
	uint8_t tos;
	uint32_t bytes;              /* of payload */
};

/* The arrays have room for siphash_many(). */
struct frag_burst {
	unsigned int n;
	struct rte_mbuf *m[FRAG_BURST];
	uint64_t addrs[FRAG_BURST];
	uint64_t rest[FRAG_BURST];   /* with the length of the message, as SipHash wants it */
	struct frag_piece piece[FRAG_BURST];
};

/* Fragment number i, whose data is at a valid IP header. user: enum defrag_user. */
static inline void frag_burst_set(struct frag_burst *b, unsigned int i, struct rte_mbuf *m,
				  unsigned int user)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);
	uint8_t header = rte_ipv4_hdr_len(ip);

	b->m[i] = m;
	memcpy(&b->addrs[i], &ip->src_addr, sizeof(b->addrs[i]));
	b->rest[i] = ip->packet_id | (uint32_t)ip->next_proto_id << 16 | (uint32_t)user << 24 |
		     (uint64_t)(sizeof(uint64_t) + sizeof(uint32_t)) << 56;
	b->piece[i] = (struct frag_piece){
		.word = rte_be_to_cpu_16(ip->fragment_offset),
		.header = header,
		.tos = ip->type_of_service,
		.bytes = m->pkt_len - header,
	};
}

/* One more; there must be room. */
static inline void frag_burst_add(struct frag_burst *b, struct rte_mbuf *m, unsigned int user)
{
	frag_burst_set(b, b->n++, m, user);
}

#endif
