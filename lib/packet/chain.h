/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets of several mbufs: joining, cutting, copying, referring.
 *
 * A packet may be a chain for three reasons: the device scattered a large frame over several
 * buffers, the packet is a datagram put together from fragments, or its payload is another
 * packet's (indirect mbufs). All operations take chains of any kind, with segments of any length,
 * 0 included.
 *
 * The frag_list: a datagram put together from fragments keeps their boundaries. The segment that
 * begins a fragment is marked in its own private data (struct packet): frag_bytes is how much
 * payload the fragment brought, frag_header how long the IP header was that it came with; a
 * segment that goes on with a fragment has frag_bytes 0. The first segment begins with the
 * datagram's IP header, which is not counted in its frag_bytes. So
 *
 *	chain_mark(first, header);
 *	tail = chain_tail(first);
 *	for each further fragment, in order of offset:
 *		chain_mark(m, its header);
 *		chain_strip(m);
 *		chain_append(first, &tail, m);
 *
 * makes a datagram of fragments, whose frag_max_size (not 0) says that the marks are to be
 * believed: private data of segments that the device chained are not initialised. Nothing is
 * copied, and a fragment's headroom keeps the room for a new header where the old one was.
 */
#ifndef PACKET_CHAIN_H
#define PACKET_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "packet/packet.h"

/* ---- joining and cutting; the end is cut with packet_trim() ---- */

static inline struct rte_mbuf *chain_tail(struct rte_mbuf *m)
{
	return rte_pktmbuf_lastseg(m);
}

/* Append a packet; *tail is the chain's last segment, before and after. The caller sees to it
 * that pkt_len and nb_segs hold the sum (65535 bytes of 8-byte fragments do). Consumes piece. */
void chain_append(struct rte_mbuf *m, struct rte_mbuf **tail, struct rte_mbuf *piece);

/* Take n bytes, at most pkt_len, off the front. The first segment stays, for the private data in
 * it, even if no byte is left in it; others that become empty are freed. */
void chain_trim_front(struct rte_mbuf *m, uint32_t n);

/* Cut in two: m keeps the first `at` bytes, what follows is returned, with a copy of m's private
 * data. A segment that the cut goes through is referred to by both. 0 < at < pkt_len. NULL: no
 * mbuf; nothing changed then. */
struct rte_mbuf *chain_cut(struct worker *w, struct rte_mbuf *m, uint32_t at);

/* ---- fragments ---- */

/* m is one fragment, its data at the IP header, header bytes long: mark it. */
void chain_mark(struct rte_mbuf *m, uint16_t header);

/* Take the header off a marked fragment, for chain_append(). */
static inline void chain_strip(struct rte_mbuf *m)
{
	chain_trim_front(m, packet_of(m)->frag_header);
}

/* The segment that begins the next fragment after that of seg, NULL: none. */
static inline struct rte_mbuf *chain_next_fragment(const struct rte_mbuf *seg)
{
	struct rte_mbuf *next = seg->next;

	while (next && !packet_of(next)->frag_bytes)
		next = next->next;
	return next;
}

/* Make the fragment that seg begins a packet of its own (pkt_len, nb_segs). Returns the segment
 * that begins the next one, whose own are still to be made right this way; NULL: none. */
struct rte_mbuf *chain_unlink(struct rte_mbuf *seg);

/* Can a header of so many bytes (link header included) be written before this segment's data? Not
 * if it lacks the headroom or someone else refers to the buffer. */
static inline bool chain_headroom(const struct rte_mbuf *seg, uint16_t bytes)
{
	return RTE_MBUF_DIRECT(seg) && rte_mbuf_refcnt_read(seg) == 1 &&
	       rte_pktmbuf_headroom(seg) >= bytes;
}

/* ---- bytes ---- */

/* A place in a chain. Reading on from it takes time by what is read, not by where it is. */
struct chain_cursor {
	const struct rte_mbuf *seg;
	uint32_t at;                 /* offset in seg; may be its data_len */
};

/* The place at an offset, at most pkt_len. */
struct chain_cursor chain_at(const struct rte_mbuf *m, uint32_t offset);

/* Copy the next len bytes out. The caller has checked that they are there. */
void chain_read(struct chain_cursor *c, uint32_t len, void *buf);

/* Copy len bytes in at offset. The caller has checked the length, and that the buffers are not
 * shared. */
void chain_write(struct rte_mbuf *m, uint32_t offset, uint32_t len, const void *buf);

/* ---- new chains of another's payload ---- */

#define CHAIN_SUPPLY 64

/* Mbufs to build packets of, got from the pool a batch at a time. */
struct chain_supply {
	struct rte_mempool *pool;
	uint32_t n, expected;        /* how many are in m; how many more will be wanted, a guess */
	struct rte_mbuf *m[CHAIN_SUPPLY];
};

/* expected: the guess decides how many come at a time. */
static inline void chain_supply_init(struct chain_supply *s, struct rte_mempool *pool,
				     uint32_t expected)
{
	s->pool = pool;
	s->n = 0;
	s->expected = expected;
}

/* Get a batch; false: the pool has none. */
bool chain_supply_refill(struct chain_supply *s);

/* An mbuf, reset, private data not. NULL: none. */
static inline struct rte_mbuf *chain_supply_get(struct chain_supply *s)
{
	if (unlikely(!s->n) && unlikely(!chain_supply_refill(s)))
		return NULL;
	return s->m[--s->n];
}

/* Give back what was not used. */
static inline void chain_supply_done(struct chain_supply *s)
{
	if (unlikely(s->n))
		rte_pktmbuf_free_bulk(s->m, s->n);
	s->n = 0;
}

/* Append the next len bytes to the packet `to`, as segments that refer to the cursor's buffers.
 * false: out of mbufs; `to` is whole, but shorter than it should be. */
bool chain_refer(struct chain_supply *s, struct chain_cursor *c, uint32_t len,
		 struct rte_mbuf *to);

/* The same, copied: into the last segment's tailroom, then into further ones. */
bool chain_copy(struct chain_supply *s, struct chain_cursor *c, uint32_t len,
		struct rte_mbuf *to);

#endif
