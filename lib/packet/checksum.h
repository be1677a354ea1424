/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum (RFC 1071), over headers and over chains, and its incremental form
 * (RFC 1624, and rule C2 for the TTL).
 */
#ifndef PACKET_CHECKSUM_H
#define PACKET_CHECKSUM_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

/* Fold a 32-bit sum of 16-bit words to 16 bits, not inverted. */
static inline uint16_t checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* A 32-bit word of a header, which lies on a 16-bit boundary behind an Ethernet header. */
typedef uint32_t __attribute__((aligned(1), may_alias)) header_word_t;

/* The sum of the options' words of a header that is ihl words long. */
uint64_t checksum_options_sum(const struct rte_ipv4_hdr *ip, unsigned int ihl);

/* Is the checksum of this header, ihl (5 to 15) 32-bit words long, right? Folded once, the sum is
 * at most 14 above 2^32, so that what is left takes two foldings. */
static inline bool checksum_header_good(const struct rte_ipv4_hdr *ip, unsigned int ihl)
{
	const header_word_t *word = (const void *)ip;
	uint64_t sum = (uint64_t)word[0] + word[1] + word[2] + word[3] + word[4];

	if (unlikely(ihl > 5))
		sum += checksum_options_sum(ip, ihl);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* Write the header's checksum; the header is ihl words long. */
void checksum_header_set(struct rte_ipv4_hdr *ip);

/* The checksum of a header without options that is still being made: field by field, as they are
 * in registers. (Read back in words, they would be waited for until all are in the cache.) */
static inline uint16_t checksum_header_new(const struct rte_ipv4_hdr *ip)
{
	uint32_t sum = rte_cpu_to_be_16((uint16_t)(ip->version_ihl << 8 | ip->type_of_service)) +
		       (uint32_t)ip->total_length + ip->packet_id + ip->fragment_offset +
		       rte_cpu_to_be_16((uint16_t)(ip->time_to_live << 8 | ip->next_proto_id)) +
		       (ip->src_addr & 0xffff) + (ip->src_addr >> 16) +
		       (ip->dst_addr & 0xffff) + (ip->dst_addr >> 16);

	return (uint16_t)~checksum_fold(sum);
}

/* Take one off the TTL and correct the checksum: rule C2. */
static inline void checksum_ttl_down(struct rte_ipv4_hdr *ip)
{
	uint32_t sum = (uint32_t)ip->hdr_checksum + rte_cpu_to_be_16(0x0100);

	ip->hdr_checksum = (uint16_t)(sum + (sum >= 0xffff));
	ip->time_to_live--;
}

/* Sum of len bytes, folded, not inverted; what rte_raw_cksum() says, 8 bytes at a time. */
uint16_t checksum_bytes(const void *data, uint32_t len);

/* Sum of len bytes of the chain from offset, folded, not inverted; 0xffff or 0 where the data
 * with its own checksum in it is right. */
uint16_t checksum_chain(const struct rte_mbuf *m, uint32_t offset, uint32_t len);

/* The folded sum of the pseudo header of RFC 768 and 793; len in bytes, host order. */
uint16_t checksum_pseudo(rte_be32_t src, rte_be32_t dst, uint8_t proto, uint16_t len);

#endif
