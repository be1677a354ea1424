/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum; see checksum.h. */
#include "packet/checksum.h"

#include <string.h>

__rte_noinline uint64_t checksum_options_sum(const struct rte_ipv4_hdr *ip, unsigned int ihl)
{
	const header_word_t *word = (const void *)ip;
	uint64_t sum = 0;

	for (unsigned int i = 5; i < ihl; i++)
		sum += word[i];
	return sum;
}

void checksum_header_set(struct rte_ipv4_hdr *ip)
{
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, rte_ipv4_hdr_len(ip));
}

uint16_t checksum_bytes(const void *data, uint32_t len)
{
	const uint8_t *at = data;
	uint64_t sum = 0, word;
	uint32_t four;
	uint16_t two;

	for (; len >= sizeof(word); at += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum += word;
		sum += sum < word;       /* the carry comes round */
	}
	sum = (sum & UINT32_MAX) + (sum >> 32);
	if (len & sizeof(four)) {
		memcpy(&four, at, sizeof(four));
		sum += four;
		at += sizeof(four);
	}
	if (len & sizeof(two)) {
		memcpy(&two, at, sizeof(two));
		sum += two;
		at += sizeof(two);
	}
	if (len & 1)
		sum += rte_cpu_to_le_16(*at);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return checksum_fold((uint32_t)sum);
}

uint16_t checksum_chain(const struct rte_mbuf *m, uint32_t offset, uint32_t len)
{
	uint32_t sum = 0;
	bool odd = false;

	while (m && offset >= m->data_len) {
		offset -= m->data_len;
		m = m->next;
	}
	for (; m && len; m = m->next) {
		uint32_t part = RTE_MIN(len, m->data_len - offset);
		uint16_t one = checksum_bytes(rte_pktmbuf_mtod_offset(m, const void *, offset),
					      part);

		sum += odd ? rte_bswap16(one) : one;
		sum = checksum_fold(sum);
		odd ^= part & 1;
		len -= part;
		offset = 0;
	}
	return (uint16_t)sum;
}

uint16_t checksum_pseudo(rte_be32_t src, rte_be32_t dst, uint8_t proto, uint16_t len)
{
	uint32_t sum = (src & 0xffff) + (src >> 16) + (dst & 0xffff) + (dst >> 16) +
		       rte_cpu_to_be_16(proto) + rte_cpu_to_be_16(len);

	return checksum_fold(sum);
}
