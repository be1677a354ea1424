/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks of transmitted frames; see sent.h. */
#include "sent.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_ethdev.h>
#include <rte_tcp.h>

#include "fail.h"
#include "packet/checksum.h"
#include "packet/packet.h"
#include "pool.h"

#define FRAME_MAX 65549

uint64_t sent_frames, sent_arp, sent_icmp, sent_fast;
uint64_t sent_digest[LINKS_MAX];
struct sent_request sent_requests[LINKS_MAX];
bool sent_changed, sent_show;
uint16_t sent_device_takes = UINT16_MAX;

static uint8_t frame[FRAME_MAX];

static void bad(const struct link *l, const struct rte_mbuf *m, const char *why)
{
	print_mbuf("a frame that left", m);
	fail("sent on %s: %s", l->name, why);
}

static void check_arp(const struct link *l, const struct rte_mbuf *m)
{
	const struct rte_arp_hdr *arp = (const void *)(frame + RTE_ETHER_HDR_LEN);
	uint16_t op = rte_be_to_cpu_16(arp->arp_opcode);

	if (m->pkt_len != RTE_ETHER_HDR_LEN + sizeof(*arp))
		bad(l, m, "ARP of another length than 28 bytes");
	if (arp->arp_hardware != RTE_BE16(1) || arp->arp_protocol != RTE_BE16(0x0800) ||
	    arp->arp_hlen != 6 || arp->arp_plen != 4 || (op != 1 && op != 2))
		bad(l, m, "ARP with wrong fields");
	if (!sent_changed && !rte_is_same_ether_addr(&arp->arp_data.arp_sha, &l->mac))
		bad(l, m, "ARP from another's address");
	sent_arp++;
	if (op == 1)
		sent_requests[l->id] = (struct sent_request){true, arp->arp_data.arp_sip,
							     arp->arp_data.arp_tip};
}

uint16_t sent_asked(unsigned int start)
{
	for (unsigned int i = 0; i < LINKS_MAX; i++) {
		uint16_t link = (uint16_t)((start + i) % LINKS_MAX);

		if (sent_requests[link].there)
			return link;
	}
	return 0;
}

/* Where a packet goes in the end: with a source route the last address in it. */
static rte_be32_t final_dst(const struct rte_ipv4_hdr *ip)
{
	const uint8_t *opt = (const uint8_t *)(ip + 1);
	uint32_t left = rte_ipv4_hdr_len(ip) - sizeof(*ip);
	rte_be32_t dst = ip->dst_addr;

	while (left >= 2 && *opt != IPOPT_EOL) {
		uint32_t len = *opt == IPOPT_NOP ? 1 : opt[1];

		if (!len || len > left)
			break;
		if ((*opt == IPOPT_LSRR || *opt == IPOPT_SSRR) && len >= 7)
			memcpy(&dst, opt + len - sizeof(dst), sizeof(dst));
		opt += len;
		left -= len;
	}
	return dst;
}

/* The router made it, so the checksum in it is right. */
static bool ours_good(const struct rte_ipv4_hdr *ip, const uint8_t *payload, uint32_t len)
{
	uint32_t sum = 0;

	if (ip->next_proto_id == IPPROTO_TCP)
		sum = checksum_pseudo(ip->src_addr, final_dst(ip), IPPROTO_TCP, (uint16_t)len);
	else if (ip->next_proto_id != IPPROTO_ICMP)
		return false;
	sum = checksum_fold(sum + (uint32_t)rte_raw_cksum(payload, len));
	return sum == 0xffff || (ip->next_proto_id == IPPROTO_ICMP && sum == 0);
}

/* As in Linux, the MTU that a route has may be more than its link's. */
static uint16_t route_mtu(rte_be32_t dst)
{
	switch (rte_be_to_cpu_32(dst) >> 16) {
	case 0x0a0e:
		return 600;
	case 0x0a13:
		return 700;
	}
	return 0;
}

static void check_ip(const struct link *l, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = (const void *)frame;
	const struct rte_ipv4_hdr *ip = (const void *)(eth + 1);
	uint32_t len = m->pkt_len - RTE_ETHER_HDR_LEN, header;

	if (len < sizeof(*ip) || ip->version_ihl >> 4 != 4)
		bad(l, m, "no IP header");
	header = rte_ipv4_hdr_len(ip);
	if (header < sizeof(*ip) || header > len)
		bad(l, m, "IP header length");
	if (rte_be_to_cpu_16(ip->total_length) != len)
		bad(l, m, "IP total length");
	if (rte_raw_cksum(ip, header) != 0xffff)
		bad(l, m, "IP header checksum");
	if (!ip->time_to_live)
		bad(l, m, "TTL 0");
	if (len > l->mtu && len > route_mtu(ip->dst_addr) && !sent_changed)
		bad(l, m, "larger than the MTU");
	if (rte_is_zero_ether_addr(&eth->dst_addr))
		bad(l, m, "to nobody");
	sent_icmp += ip->next_proto_id == IPPROTO_ICMP;
	if ((packet_of(m)->flags & PACKET_F_LOCAL) && !(ip->fragment_offset & RTE_BE16(0x3fff)) &&
	    !ours_good(ip, (const uint8_t *)ip + header, len - header))
		bad(l, m, "a checksum of our own");
}

/* FNV-1a, of all frames in their order. */
static void digest(const struct link *l, uint32_t len)
{
	uint64_t hash = sent_digest[l->id] ^ len;

	for (uint32_t i = 0; i < len; i++)
		hash = (hash ^ frame[i]) * 0x100000001b3ULL;
	sent_digest[l->id] = hash;
}

static void check(const struct link *l, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = (const void *)frame;

	pool_check_mbuf(m, "a frame that left");
	if (sent_show)
		print_mbuf(l->name, m);
	if (m->pkt_len < sizeof(*eth) || m->pkt_len > FRAME_MAX)
		bad(l, m, "a length that no frame has");
	if (m->nb_segs > l->tx_segs)
		bad(l, m, "more segments than the device takes");
	packet_read(m, 0, m->pkt_len, frame);
	digest(l, m->pkt_len);
	if (!sent_changed && !rte_is_same_ether_addr(&eth->src_addr, &l->mac))
		bad(l, m, "from another's address");
	if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
		check_ip(l, m);
	else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP))
		check_arp(l, m);
	else
		bad(l, m, "neither IPv4 nor ARP");
}

static uint16_t look(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n, void *arg)
{
	const struct link *l = arg;

	if (!l->up)
		fail("sent on %s, which is down", l->name);
	n = RTE_MIN(n, sent_device_takes);
	for (uint16_t i = 0; i < n; i++) {
		sent_fast += packet_of(m[i])->type == SENT_UNSEEN;
		check(l, m[i]);
	}
	sent_frames += n;
	return n;
}

void sent_watch(struct link *l)
{
	for (uint16_t q = 0; q < l->n_txq; q++)
		if (!rte_eth_add_tx_callback(l->port, q, look, l))
			fail("%s does not take a callback", l->name);
}
