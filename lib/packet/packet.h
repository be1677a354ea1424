/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the stack knows of a packet beyond its bytes: one cache line of mbuf private data.
 *
 * From eth_input on, the mbuf's data begins at the network header (the Ethernet header lies just
 * before it, in the headroom); neigh_output() puts a new one in front. Every function that takes
 * an mbuf says whether it takes ownership; "consumes" means that the caller must not touch the
 * mbuf again.
 */
#ifndef PACKET_PACKET_H
#define PACKET_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "core/worker.h"

/* How the frame was addressed on its link. */
enum packet_type {
	PACKET_HOST,       /* to the link's own address */
	PACKET_BROADCAST,
	PACKET_MULTICAST,
	PACKET_OTHERHOST,
	PACKET_LOOPBACK,   /* a copy of what the router itself sent to a broadcast or a group */
	PACKET_OUTGOING,   /* made by the router */
};

/* Whose buffer it lies in, in Linux: what it occupies depends on that (packet/truesize.h). */
enum packet_origin {
	PACKET_RECEIVED,
	PACKET_MADE,       /* by the router */
	PACKET_CUT,        /* out of a larger one, to fit an MTU */
};

/* Where options lie that take part in what happens to a packet, and what has been done to them;
 * ipv4/options.h. Offsets are from the start of the IP header, 0: there is none. */
struct packet_options {
	uint8_t srr;             /* source route */
	uint8_t rr;              /* record route */
	uint8_t ts;              /* timestamp */
	uint8_t cipso;
	uint8_t flags;           /* OPTIONS_F_* */
};

#define OPTIONS_F_CHANGED 0x01   /* the header's checksum is to be set before it leaves */
#define OPTIONS_F_RR_ADDR 0x02   /* an address was entered in rr */
#define OPTIONS_F_TS_ADDR 0x04   /* and in ts */
#define OPTIONS_F_TS_TIME 0x08   /* a time was entered in ts */
#define OPTIONS_F_SRR_HIT 0x10   /* goes on to the source route's next hop */
#define OPTIONS_F_STRICT 0x20    /* the source route is strict */
#define OPTIONS_F_ALERT 0x40     /* router alert */

struct packet {
	uint16_t link;           /* input link's id; of a packet made here: 0 (lo) */
	uint16_t out_link;       /* output link's id, once routed */
	uint8_t type;            /* enum packet_type */
	uint8_t flags;           /* PACKET_F_* */
	uint16_t mtu;            /* of the route, once routed */
	uint8_t route_type;      /* enum route_type, once routed */
	uint8_t origin;          /* enum packet_origin */
	uint16_t frame_rest;     /* of its frame: bytes of tags before it, and of what was behind */
	uint32_t nexthop;        /* index into nexthops, once routed */
	rte_be32_t next_addr;    /* address to resolve on out_link: gateway or destination */
	rte_be32_t spec_dst;     /* specific destination: own address to answer from, or 0 */
	uint16_t frag_max_size;  /* of a reassembled datagram: its largest piece; else 0 */
	uint16_t frag_bytes;     /* payload of the fragment that begins here; see chain.h */
	uint8_t frag_header;     /* and the bytes of the IP header that it came with */
	uint16_t first_link;     /* of a reassembled datagram whose first piece came in by another
				  * link than the last: 1 more than that link's id; else 0 */
	uint64_t arrival_ns;     /* worker's time when it came in */
	struct rte_mbuf *next;   /* link of the queue that it waits in */
	struct packet_options options; /* of a packet with options, once they are compiled */
	rte_be32_t source_hop;   /* with OPTIONS_F_SRR_HIT: the next destination */
	uint32_t mark;           /* what a filter rule has set; else 0 */
} __rte_cache_aligned;

_Static_assert(sizeof(struct packet) == RTE_CACHE_LINE_SIZE, "one cache line");

#define PACKET_F_CSUM_GOOD 0x01  /* the device has verified the IP header checksum */
#define PACKET_F_FORWARD 0x02    /* is being forwarded (IPSKB_FORWARDED) */
#define PACKET_F_ROUTED 0x04     /* came back through lo: `nexthop` is already known */
#define PACKET_F_LOCAL 0x08      /* originated here */
#define PACKET_F_REDIRECT 0x10   /* its sender is to be told of a better way (rule C9) */
#define PACKET_F_UNTOLD 0x10     /* with F_LOCAL: nobody is told if a hook drops it */
#define PACKET_F_IGNORE_DF 0x20  /* put together by a hook: may be cut in spite of DF (rule K) */
#define PACKET_F_FRAG_PMTU 0x40  /* the largest of its fragments had DF (IPSKB_FRAG_PMTU) */
#define PACKET_F_ROUTE_BACK 0x80 /* not routed yet; what is known of its route is the way back */

static inline struct packet *packet_of(const struct rte_mbuf *m)
{
	return (struct packet *)(uintptr_t)(m + 1);
}

static inline struct rte_ipv4_hdr *packet_ip(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
}

/* The mbuf pool that packets made by the router come from; one a NUMA node. */
struct rte_mempool *packet_pool(int socket);

/* How many buffers may be held by default by what waits for something, fragments or packets for an
 * unresolved neighbour, so that receive queues never run dry, whichever pool they are filled from:
 * a quarter of the smallest. 0: there is no pool. Any thread. */
unsigned int packet_pool_share(void);

/* A pool whose buffers hold so much data in one: the ordinary one if it does, else one of large
 * buffers, an eighth as many, made when it is first asked for. NULL: no memory, or the large pool
 * is there and its buffers are smaller. Control thread. */
struct rte_mempool *packet_pool_holding(int socket, unsigned int data_bytes);

/* Make the pools: so many buffers a NUMA node, each for so many bytes. Returns 0 or a negative
 * errno. */
int packet_pool_init(unsigned int n_mbufs, unsigned int data_bytes);
void packet_pool_fini(void);

/* A new packet with headroom for every link header, marked as originated here (and counted so).
 * NULL: no buffer (the caller counts what fails). */
struct rte_mbuf *packet_alloc(struct worker *w);
/* The same on the control thread. */
struct rte_mbuf *packet_alloc_control(void);

/* Free n packets or segments, none of them NULL. As rte_pktmbuf_free_bulk(), but in few steps if
 * they are what most are: of one segment, of one pool, and nobody else has a part in them. */
void packet_free_bulk(struct rte_mbuf **m, unsigned int n);

/* Packets that a worker has done with go back to their pool several at a time: at the latest with
 * packet_free_spent(), which link_flush() calls at the end of each turn. */
void packet_free_spent(struct worker *w);

/* Drop for a reason: count and free. Consumes m. */
void packet_drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason);
void packet_drop_bulk(struct worker *w, struct rte_mbuf **m, unsigned int n,
		      enum drop_reason reason);
/* The same on the control thread. */
void packet_drop_control(struct rte_mbuf *m, enum drop_reason reason);

/* A copy of m in mbufs of its own, counted as made here; private data is copied, but for the
 * boundaries of fragments. m is only read. NULL: there are no mbufs. */
struct rte_mbuf *packet_copy(struct worker *w, const struct rte_mbuf *m);

/* Consumed by the router itself as it should be: count and free. Consumes m. */
void packet_deliver(struct worker *w, struct rte_mbuf *m);

/* Make the first len bytes contiguous in the first segment, whose data may move in its buffer for
 * that. false: the packet is shorter, or the buffer has no room; nothing changed then. */
bool packet_pull_chain(struct rte_mbuf *m, uint32_t len);
static inline bool packet_pull(struct rte_mbuf *m, uint32_t len)
{
	return likely(len <= m->data_len) || packet_pull_chain(m, len);
}

/* Cut the packet at the end to len bytes; frees segments that fall off. */
void packet_trim(struct rte_mbuf *m, uint32_t len);

/* Copy len bytes from offset into buf, across segments; the caller has checked the length. */
void packet_read(const struct rte_mbuf *m, uint32_t offset, uint32_t len, void *buf);

#endif
