/* SPDX-License-Identifier: BSD-3-Clause */
/* Mending frames; see mend.h. */
#include "mend.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_ip.h>

#include "packet/checksum.h"

static void put_sum(uint8_t *at, uint16_t sum)
{
	memcpy(at, &sum, sizeof(sum));
}

static void mend_payload(const struct rte_ipv4_hdr *ip, uint8_t *payload, uint32_t len)
{
	static const uint8_t places[256] = {
		[IPPROTO_ICMP] = 2, [IPPROTO_TCP] = 16, [IPPROTO_UDP] = 6, [IPPROTO_UDPLITE] = 6,
	};
	unsigned int place = places[ip->next_proto_id];
	uint32_t sum = 0;

	if (!place || len < place + 2u)
		return;
	put_sum(payload + place, 0);
	if (ip->next_proto_id != IPPROTO_ICMP)
		sum = checksum_pseudo(ip->src_addr, ip->dst_addr, ip->next_proto_id,
				      (uint16_t)len);
	sum = checksum_fold(sum + (uint32_t)rte_raw_cksum(payload, len));
	put_sum(payload + place, (uint16_t)~sum);
}

static void mend_lengths(struct rte_ipv4_hdr *ip, uint32_t header, uint32_t len)
{
	uint8_t *payload = (uint8_t *)ip + header;

	ip->total_length = rte_cpu_to_be_16((uint16_t)len);
	if (ip->next_proto_id == IPPROTO_UDP && len >= header + 8) {
		payload[4] = (uint8_t)((len - header) >> 8);
		payload[5] = (uint8_t)(len - header);
	}
}

static void mend_ip(struct rte_ipv4_hdr *ip, uint32_t len, unsigned int what)
{
	uint32_t header = rte_ipv4_hdr_len(ip);

	if (header < sizeof(*ip) || header > len)
		return;
	if (what & MEND_LENGTH)
		mend_lengths(ip, header, len);
	if (what & MEND_PAYLOAD)
		mend_payload(ip, (uint8_t *)ip + header, len - header);
	if (what & MEND_HEADER) {
		ip->hdr_checksum = 0;
		ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, header);
	}
}

void mend(uint8_t *frame, uint32_t len, unsigned int what, const struct rte_ether_addr *mac)
{
	struct rte_ether_hdr *eth = (void *)frame;
	struct rte_ipv4_hdr *ip = (void *)(eth + 1);

	if (len < sizeof(*eth))
		return;
	if (what & MEND_MAC)
		eth->dst_addr = *mac;
	if (what & MEND_TYPE)
		eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	len -= sizeof(*eth);
	if (eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) || len < sizeof(*ip))
		return;
	if (what & MEND_TYPE)
		ip->version_ihl = (uint8_t)(0x40 | (ip->version_ihl & 0xf));
	mend_ip(ip, RTE_MIN(len, (uint32_t)UINT16_MAX), what);
}
