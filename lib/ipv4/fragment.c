/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragmentation: rules D, C4, K and G3; Linux's ip_fragment and ip_do_fragment. RFC 791 2.3.
 *
 * There are two ways. A datagram that was put together from fragments still has their boundaries
 * (packet/chain.h). Where they fit, each fragment gets a header back where its old one was and
 * leaves: no byte of payload moves. Otherwise the datagram is cut at new boundaries.
 *
 * Cutting makes the packet itself the first piece: it keeps its header and is trimmed when all
 * else is done. Each further piece is a new mbuf with a header; its payload is copied behind that,
 * or referred to where the link can send such packets and the driver's profile says that it pays
 * (refer_bytes). No piece is sent before all are made, so that nothing is sent of a datagram for
 * which mbufs do not suffice. Pieces wait for each other in a list through their private data.
 *
 * What the pieces' headers have in common, and the sum over it, is computed once (struct common).
 *
 * Datagrams made here come with the boundaries that they are to be cut at (append.h).
 */
#include "ipv4/fragment.h"

#include <string.h>

#include <rte_tcp.h>

#include "ipv4/internal.h"
#include "ipv4/options.h"
#include "link/driver.h"
#include "packet/checksum.h"
#include "packet/chain.h"

#define UNIT 8u                /* bytes that the offset field counts */
#define HEADER_MAX 60
#define LINK_HEADER_BYTES (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)

struct common {
	union {
		struct rte_ipv4_hdr ip;    /* the datagram's */
		uint8_t bytes[HEADER_MAX];
	};
	uint16_t header;               /* its length */
	uint32_t sum;                  /* over it without length, fragment word and checksum */
	uint16_t unit;                 /* the first piece's offset, in units */
	rte_be16_t flags;              /* of every piece: DF, or MF if it was there before */
	struct packet packet;          /* private data */
};

/* ---- headers ---- */

/* A right checksum says what the sum over the rest is (RFC 1624). */
static inline void common_sum(struct common *h)
{
	h->sum = (uint32_t)(uint16_t)~h->ip.hdr_checksum + (uint16_t)~h->ip.total_length +
		 (uint16_t)~h->ip.fragment_offset;
}

/* df: rule K, where the slow way keeps DF. */
static inline void common_init(struct common *h, struct rte_mbuf *m, bool df)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	rte_be16_t word = ip->fragment_offset;

	if (unlikely(packet_of(m)->frag_max_size))
		packet_of(m)->frag_max_size = 0;
	h->packet = *packet_of(m);
	h->header = rte_ipv4_hdr_len(ip);
	memcpy(&h->ip, ip, sizeof(*ip));
	if (unlikely(h->header > sizeof(*ip)))
		memcpy(h->bytes + sizeof(*ip), ip + 1, h->header - sizeof(*ip));
	common_sum(h);
	h->unit = rte_be_to_cpu_16(word & FRAG_OFFSET);
	h->flags = (word & FRAG_MF) | (df ? FRAG_DF : 0);
}

/* An ill-formed option ends it. */
static void blank_options(uint8_t *bytes, unsigned int header)
{
	unsigned int at = sizeof(struct rte_ipv4_hdr);

	while (at < header && bytes[at] != OPTION_END) {
		unsigned int len = 1;

		if (bytes[at] != OPTION_NOP) {
			len = at + 1 < header ? bytes[at + 1] : 0;
			if (len < 2 || len > header - at)
				break;
			if (!(bytes[at] & OPTION_COPIED))
				memset(bytes + at, OPTION_NOP, len);
		}
		at += len;
	}
}

void fragment_blank_options(struct rte_ipv4_hdr *ip)
{
	blank_options((uint8_t *)ip, rte_ipv4_hdr_len(ip));
}

/* Pieces after the first have NOPs where options stood that do not belong into every fragment. */
static void common_blank_options(struct common *h)
{
	blank_options(h->bytes, h->header);
	checksum_header_set(&h->ip);
	common_sum(h);
}

/* The fragment word of the piece that begins so many bytes into the payload. As in Linux, an
 * offset that outgrows its 13 bits, which only a fragment has that no host accepts, spills into
 * the flags. */
static inline rte_be16_t fragment_word(const struct common *h, uint32_t done, bool more)
{
	return rte_cpu_to_be_16((uint16_t)(h->unit + done / UNIT)) | h->flags |
	       (more ? FRAG_MF : 0);
}

/* Write the header of a piece at m's data; total is the piece's length. */
static inline void header_write(const struct common *h, struct rte_mbuf *m, uint32_t total,
				rte_be16_t word)
{
	struct rte_ipv4_hdr *ip = packet_ip(m);

	memcpy(ip, &h->ip, sizeof(*ip));
	if (unlikely(h->header > sizeof(*ip)))
		memcpy(ip + 1, h->bytes + sizeof(*ip), h->header - sizeof(*ip));
	ip->total_length = rte_cpu_to_be_16((uint16_t)total);
	ip->fragment_offset = word;
	ip->hdr_checksum = (uint16_t)~checksum_fold(h->sum + ip->total_length + word);
}

/* ---- sending ---- */

static inline void send_piece(struct worker *w, struct rte_mbuf *m, struct link *out,
			      ip_output_fn output)
{
	count(w->counters, CNT_IP_FRAGCREATES);
	output(w, m, out);
}

static void fail(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	count(w->counters, CNT_IP_FRAGFAILS);
	packet_drop(w, m, reason);
}

/* ---- the fast way ---- */

/* Before it routes a packet for itself, which it may have to forward, Linux looks for its socket,
 * for which TCP's header must lie in one piece: what the first fragment lacks of it is pulled out
 * of the next, and the boundary is lost (tcp_v4_early_demux). What comes back by lo has its route
 * already. */
static inline bool boundary_pulled(const struct rte_mbuf *m, uint16_t header)
{
	const struct packet *p = packet_of(m);

	return (p->flags & (PACKET_F_FORWARD | PACKET_F_ROUTED)) == PACKET_F_FORWARD &&
	       p->type == PACKET_HOST &&
	       packet_ip(m)->next_proto_id == IPPROTO_TCP &&
	       p->frag_bytes < sizeof(struct rte_tcp_hdr) &&
	       m->pkt_len >= header + sizeof(struct rte_tcp_hdr);
}

/* Linux's conditions: every fragment but the last is a multiple of 8 long, none has more payload
 * than fits, and there is room for a header in front of each. That room is where the fragment's
 * own header was. (Linux's buffers have that much for certain and more by chance of the driver;
 * here what is certain decides.) */
static bool boundaries_fit(const struct rte_mbuf *m, uint16_t header, uint32_t room)
{
	uint32_t bytes = packet_of(m)->frag_bytes;
	const struct rte_mbuf *seg = m;

	if (!packet_of(m)->frag_max_size ||
	    (packet_ip(m)->fragment_offset & (FRAG_OFFSET | FRAG_MF)) ||
	    !chain_headroom(m, LINK_HEADER_BYTES) || boundary_pulled(m, header))
		return false;
	while (bytes <= room) {
		seg = chain_next_fragment(seg);
		if (!seg)
			return true;
		if (bytes % UNIT || packet_of(seg)->frag_header < header ||
		    !chain_headroom(seg, header + LINK_HEADER_BYTES))
			return false;
		bytes = packet_of(seg)->frag_bytes;
	}
	return false;
}

/* What a fragment came with besides the header that it gets now, and its payload: it still lies in
 * the buffer in which it came. */
static inline uint16_t rest_of_piece(const struct rte_mbuf *m, uint16_t header)
{
	const struct packet *p = packet_of(m);

	return (uint16_t)(p->frame_rest + p->frag_header - header);
}

static void send_fragments(struct worker *w, struct rte_mbuf *m, struct link *out,
			   ip_output_fn output)
{
	struct rte_mbuf *next = chain_unlink(m);
	uint32_t done = m->pkt_len, part;
	struct common h;

	common_init(&h, m, false);
	done -= h.header;
	header_write(&h, m, m->pkt_len, fragment_word(&h, 0, next != NULL));
	send_piece(w, m, out, output);
	if (h.header > sizeof(h.ip))
		common_blank_options(&h);
	for (; next; done += part) {
		m = next;
		next = chain_unlink(m);
		part = m->pkt_len;
		h.packet.frame_rest = rest_of_piece(m, h.header);
		*packet_of(m) = h.packet;
		rte_pktmbuf_prepend(m, h.header);
		header_write(&h, m, m->pkt_len, fragment_word(&h, done, next != NULL));
		w->counters->originated++;
		send_piece(w, m, out, output);
	}
	count(w->counters, CNT_IP_FRAGOKS);
}

/* ---- the slow way ---- */

/* How much of what is left goes into the next piece. */
static inline uint32_t piece_bytes(uint32_t left, uint32_t room)
{
	return left <= room ? left : room & ~(UNIT - 1);
}

uint32_t fragment_refer_bytes(const struct link *out)
{
	return out->tx_segs > 1 && out->shared_mbufs ? out->profile->refer_bytes : UINT32_MAX;
}

static struct rte_mbuf *piece_make(struct chain_supply *s, struct chain_cursor *c,
				   const struct common *h, uint32_t bytes, bool refer)
{
	struct rte_mbuf *m = chain_supply_get(s);

	if (unlikely(!m))
		return NULL;
	*packet_of(m) = h->packet;
	m->data_len = h->header;
	m->pkt_len = h->header;
	if (likely(refer ? chain_refer(s, c, bytes, m) : chain_copy(s, c, bytes, m)))
		return m;
	rte_pktmbuf_free(m);
	return NULL;
}

static void list_free(struct rte_mbuf *m)
{
	while (m) {
		struct rte_mbuf *next = packet_of(m)->next;

		rte_pktmbuf_free(m);
		m = next;
	}
}

/* How many mbufs that takes, if all is in one segment: a piece that refers to its payload has one
 * for it besides. */
static inline uint32_t mbufs_expected(uint32_t left, uint32_t room, uint32_t refer)
{
	uint32_t most = room & ~(UNIT - 1), full = 0;

	if (left > room)
		full = (left - room + most - 1) / most;
	return full + 1 + (most >= refer ? full : 0) + (left - full * most >= refer);
}

/* Make the pieces of m's payload from `done` on, as a list. false: not enough mbufs. */
static bool pieces_make(struct worker *w, const struct rte_mbuf *m, const struct common *h,
			uint32_t done, uint32_t room, uint32_t refer, struct rte_mbuf **list)
{
	uint32_t left = m->pkt_len - h->header - done;
	struct chain_cursor c = chain_at(m, h->header + done);
	struct rte_mbuf **tail = list;
	struct chain_supply s;

	chain_supply_init(&s, packet_pool(w->socket), mbufs_expected(left, room, refer));
	while (left) {
		uint32_t bytes = piece_bytes(left, room);
		struct rte_mbuf *piece = piece_make(&s, &c, h, bytes, bytes >= refer);

		if (unlikely(!piece))
			break;
		left -= bytes;
		header_write(h, piece, h->header + bytes, fragment_word(h, done, left));
		done += bytes;
		*tail = piece;
		tail = &packet_of(piece)->next;
	}
	*tail = NULL;
	chain_supply_done(&s);
	return !left;
}

static void send_cut(struct worker *w, struct rte_mbuf *m, struct link *out, uint32_t room,
		     ip_output_fn output)
{
	struct rte_mbuf *next = NULL;
	uint32_t payload, first;
	struct common h;

	common_init(&h, m, (packet_of(m)->flags & PACKET_F_FRAG_PMTU) &&
			   (packet_ip(m)->fragment_offset & FRAG_DF));
	h.packet.origin = packet_of(m)->origin = PACKET_CUT;
	payload = m->pkt_len - h.header;
	first = piece_bytes(payload, room);
	header_write(&h, m, h.header + first, fragment_word(&h, 0, first < payload));
	if (unlikely(h.header > sizeof(h.ip)) && !h.unit)
		common_blank_options(&h);
	if (unlikely(!pieces_make(w, m, &h, first, room, fragment_refer_bytes(out), &next))) {
		list_free(next);
		fail(w, m, DROP_NOMEM);
		return;
	}
	packet_trim(m, h.header + first);
	send_piece(w, m, out, output);
	while (next) {
		m = next;
		next = packet_of(m)->next;
		packet_of(m)->next = NULL;
		w->counters->originated++;
		send_piece(w, m, out, output);
	}
	count(w->counters, CNT_IP_FRAGOKS);
}

/* ---- */

void ip_fragment(struct worker *w, struct rte_mbuf *m, struct link *out, ip_output_fn output)
{
	const struct packet *p = packet_of(m);
	uint16_t header = rte_ipv4_hdr_len(packet_ip(m));
	uint32_t mtu = p->mtu;

	if (unlikely(ip_must_not_cut(m, mtu))) {
		icmp_send(w, m, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, rte_cpu_to_be_32(mtu));
		fail(w, m, DROP_PKT_TOO_BIG);
		return;
	}
	if (p->frag_max_size && p->frag_max_size < mtu)
		mtu = p->frag_max_size;
	/* a link can not be that narrow, but the mtu of a route can */
	if (unlikely(mtu < header + UNIT)) {
		fail(w, m, DROP_PKT_TOO_BIG);
		return;
	}
	if (unlikely(boundaries_fit(m, header, mtu - header)))
		send_fragments(w, m, out, output);
	else
		send_cut(w, m, out, mtu - header, output);
}
