/* SPDX-License-Identifier: BSD-3-Clause */
/* Gathering datagrams; see append.h. */
#include "ipv4/append.h"

#include <netinet/in.h>
#include <string.h>

#include "ipv4/fragment.h"
#include "ipv4/options.h"
#include "packet/chain.h"
#include "packet/truesize.h"

#define UNIT 8u                  /* bytes that the offset field counts */
#define LINK_HEADER_BYTES (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)

/* Twice the send buffer of the socket that Linux sends its ICMP messages from, which is made for
 * two packets of 64 KiB. */
#define ICMP_SOCKET_BYTES (4 * ((64 << 10) + TRUESIZE_DESCRIPTOR + TRUESIZE_TRAILER))

void ip_cork_init(struct ip_cork *c, const struct ip_flow *f)
{
	uint32_t header = ip_flow_header(f);
	uint32_t mtu = RTE_MIN(f->mtu, (uint32_t)RTE_IPV4_MAX_PKT_LEN);

	*c = (struct ip_cork){.flow = f, .header = header};
	c->whole = mtu > header ? mtu - header : 0;
	c->part = c->whole & ~(UNIT - 1);
}

/* May so much more be appended? */
static bool has_room(const struct ip_cork *c, uint32_t len)
{
	uint32_t max = c->flow->pmtudisc == IP_PMTU_DO ? c->whole
						       : RTE_IPV4_MAX_PKT_LEN - c->header;

	return c->part && len <= max - c->len;
}

/* ---- pieces ---- */

static void piece_add(struct ip_cork *c, struct rte_mbuf *piece)
{
	packet_of(piece)->next = NULL;
	if (c->last)
		packet_of(c->last)->next = piece;
	else
		c->first = piece;
	c->last = piece;
}

/* An empty mbuf with room for headers. */
static struct rte_mbuf *piece_alloc(struct worker *w)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(packet_pool(w->socket));

	if (m)
		*packet_of(m) = (struct packet){.arrival_ns = w->now_ns};
	return m;
}

/* Append to a piece what getfrag gives; it may need further mbufs. */
static bool piece_fill(struct worker *w, struct rte_mbuf *piece, ip_getfrag_fn getfrag, void *from,
		       uint32_t offset, uint32_t len)
{
	struct rte_mbuf *last = chain_tail(piece);

	while (len) {
		uint32_t room = chain_headroom(last, 0) ? rte_pktmbuf_tailroom(last) : 0;
		uint32_t n = RTE_MIN(len, room);

		if (!n) {
			struct rte_mbuf *more = rte_pktmbuf_alloc(packet_pool(w->socket));

			if (!more)
				return false;
			more->data_off = 0;
			chain_append(piece, &last, more);
			continue;
		}
		getfrag(from, offset, n, rte_pktmbuf_mtod_offset(last, void *, last->data_len));
		last->data_len += (uint16_t)n;
		piece->pkt_len += n;
		offset += n;
		len -= n;
	}
	return true;
}

static void get_bytes(void *from, uint32_t offset, uint32_t len, void *to)
{
	memcpy(to, (const uint8_t *)from + offset, len);
}

/* A new last piece, begun with what the one before has too much now that it is not the last. */
static bool piece_begin(struct worker *w, struct ip_cork *c, struct rte_mbuf *piece)
{
	struct rte_mbuf *before = c->last;
	uint8_t gap[UNIT];
	uint32_t n = before && before->pkt_len > c->part ? before->pkt_len - c->part : 0;

	piece_add(c, piece);
	if (!n)
		return true;
	packet_read(before, c->part, n, gap);
	packet_trim(before, c->part);
	return piece_fill(w, piece, get_bytes, gap, 0, n);
}

/* How many of the next len bytes go into the last piece; 0: it is full. */
static uint32_t piece_room(const struct ip_cork *c, uint32_t len)
{
	uint32_t have = c->last ? c->last->pkt_len : c->part;

	if (c->last && have + len <= c->whole)
		return len;
	return have < c->part ? c->part - have : 0;
}

static bool piece_new(struct worker *w, struct ip_cork *c)
{
	struct rte_mbuf *piece = piece_alloc(w);

	return piece && piece_begin(w, c, piece);
}

/* ---- appending ---- */

bool ip_append_data(struct worker *w, struct ip_cork *c, ip_getfrag_fn getfrag, void *from,
		    uint32_t len)
{
	uint32_t offset = 0;

	if (!has_room(c, len))
		return false;
	c->len += len;
	while (offset < len) {
		uint32_t n = piece_room(c, len - offset);

		if (!n) {
			if (!piece_new(w, c))
				return false;
			continue;
		}
		if (!piece_fill(w, c->last, getfrag, from, offset, n))
			return false;
		offset += n;
	}
	return true;
}

/* Take a packet that goes into the last piece as a whole, or begins a new one. */
static bool piece_take(struct worker *w, struct ip_cork *c, struct rte_mbuf *m, bool begins)
{
	struct rte_mbuf *tail;

	if (begins && (!c->last || c->last->pkt_len <= c->part) &&
	    chain_headroom(m, (uint16_t)(c->header + LINK_HEADER_BYTES)))
		return piece_begin(w, c, m);
	if (begins && !piece_new(w, c)) {
		rte_pktmbuf_free(m);
		return false;
	}
	tail = chain_tail(c->last);
	chain_append(c->last, &tail, m);
	return true;
}

bool ip_append_mbuf(struct worker *w, struct ip_cork *c, struct rte_mbuf *m)
{
	bool fits = has_room(c, m->pkt_len);

	if (fits)
		c->len += m->pkt_len;
	while (fits && m->pkt_len) {
		uint32_t n = piece_room(c, m->pkt_len);
		bool begins = !n;
		uint32_t gap = begins && c->last && c->last->pkt_len > c->part
				       ? c->last->pkt_len - c->part : 0;
		struct rte_mbuf *rest = NULL;

		if (begins)
			n = gap + m->pkt_len <= c->whole ? m->pkt_len : c->part - gap;
		if (n < m->pkt_len) {
			rest = chain_cut(w, m, n);
			if (!rest)
				break;
		}
		if (!piece_take(w, c, m, begins)) {
			rte_pktmbuf_free(rest);
			return false;
		}
		if (!rest)
			return true;
		m = rest;
	}
	fits = fits && !m->pkt_len;
	rte_pktmbuf_free(m);
	return fits;
}

/* ---- sending ---- */

static void piece_mark(struct rte_mbuf *piece, uint32_t header)
{
	for (struct rte_mbuf *seg = piece; seg; seg = seg->next)
		packet_of(seg)->frag_bytes = 0;
	packet_of(piece)->frag_bytes = (uint16_t)piece->pkt_len;
	packet_of(piece)->frag_header = (uint8_t)header;
}

void ip_push_pending_frames(struct worker *w, struct ip_cork *c)
{
	struct rte_mbuf *m = c->first, *piece = packet_of(m)->next, *tail = chain_tail(m);
	bool several = piece != NULL;

	piece_mark(m, c->header);
	while (piece) {
		struct rte_mbuf *next = packet_of(piece)->next;

		piece_mark(piece, c->header);
		chain_append(m, &tail, piece);
		piece = next;
	}
	packet_of(m)->next = NULL;
	c->first = c->last = NULL;
	w->counters->originated++;
	ip_build_and_send_pkt(w, m, c->flow, several);
}

void ip_flush_pending_frames(struct ip_cork *c)
{
	while (c->first) {
		struct rte_mbuf *next = packet_of(c->first)->next;

		rte_pktmbuf_free(c->first);
		c->first = next;
	}
	c->last = NULL;
}

/* Do m's own boundaries, which it has from the fragments that it came in, serve as they are? */
static bool boundaries_serve(const struct ip_cork *c, const struct rte_mbuf *m)
{
	if (!packet_of(m)->frag_max_size)
		return false;
	for (; m; m = chain_next_fragment(m))
		if (chain_next_fragment(m) ? packet_of(m)->frag_bytes != c->part
					   : packet_of(m)->frag_bytes > c->whole)
			return false;
	return true;
}

static void get_chain(void *from, uint32_t offset, uint32_t len, void *to)
{
	chain_read(from, len, to);
}

/* Would the socket that Linux answers from have memory for the pieces of so many bytes? It asks
 * before the last one whether those before it are too much already. */
static bool icmp_socket_holds(const struct ip_cork *c, uint32_t len)
{
	uint32_t before = len > c->whole && c->part ? (len - c->whole - 1) / c->part + 1 : 0;

	return before * packet_truesize_made(c->header + c->part) < ICMP_SOCKET_BYTES;
}

bool ip_send_gathered(struct worker *w, struct rte_mbuf *m, const struct ip_flow *f)
{
	const struct link *out = link_get(f->out_link);
	struct ip_cork c;
	bool done;

	ip_cork_init(&c, f);
	if (f->protocol == IPPROTO_ICMP && !icmp_socket_holds(&c, m->pkt_len)) {
		done = false;
		rte_pktmbuf_free(m);
	} else if (out && (boundaries_serve(&c, m) || c.part >= fragment_refer_bytes(out))) {
		done = ip_append_mbuf(w, &c, m);
	} else {
		struct chain_cursor at = chain_at(m, 0);

		done = ip_append_data(w, &c, get_chain, &at, m->pkt_len);
		rte_pktmbuf_free(m);
	}
	if (done) {
		ip_push_pending_frames(w, &c);
		return true;
	}
	ip_flush_pending_frames(&c);
	count(w->counters, CNT_IP_OUTDISCARDS);
	return false;
}
