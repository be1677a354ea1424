/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of several mbufs; see chain.h. */
#include "packet/chain.h"

#include <string.h>

/* ---- joining and cutting ---- */

void chain_append(struct rte_mbuf *m, struct rte_mbuf **tail, struct rte_mbuf *piece)
{
	struct rte_mbuf *last = chain_tail(piece);

	(*tail)->next = piece;
	m->nb_segs += piece->nb_segs;
	m->pkt_len += piece->pkt_len;
	*tail = last;
}

/* Take at most n bytes off the front of one segment; returns how many. */
static uint32_t segment_trim_front(struct rte_mbuf *seg, uint32_t n)
{
	uint16_t part = (uint16_t)RTE_MIN(n, (uint32_t)seg->data_len);

	seg->data_off += part;
	seg->data_len -= part;
	return part;
}

void chain_trim_front(struct rte_mbuf *m, uint32_t n)
{
	m->pkt_len -= n;
	n -= segment_trim_front(m, n);
	while (n) {
		struct rte_mbuf *next = m->next;

		n -= segment_trim_front(next, n);
		if (next->data_len)
			return;
		m->next = next->next;
		m->nb_segs--;
		next->next = NULL;
		next->nb_segs = 1;
		rte_pktmbuf_free_seg(next);
	}
}

/* Split one segment: a new one that refers to what lies behind `at` goes between it and the next.
 * false: no mbuf. */
static bool segment_split(struct worker *w, struct rte_mbuf *seg, uint32_t at)
{
	struct rte_mbuf *rest = rte_pktmbuf_alloc(packet_pool(w->socket));

	if (!rest)
		return false;
	rte_pktmbuf_attach(rest, seg);
	segment_trim_front(rest, at);
	rest->next = seg->next;
	seg->next = rest;
	seg->data_len = (uint16_t)at;
	return true;
}

struct rte_mbuf *chain_cut(struct worker *w, struct rte_mbuf *m, uint32_t at)
{
	struct rte_mbuf *seg = m, *rest;
	uint32_t left = at;
	uint16_t segs = 1;

	for (; left > seg->data_len; segs++) {
		left -= seg->data_len;
		seg = seg->next;
	}
	if (left < seg->data_len) {
		if (!segment_split(w, seg, left))
			return NULL;
		m->nb_segs++;
	}
	rest = seg->next;
	seg->next = NULL;
	rest->nb_segs = m->nb_segs - segs;
	rest->pkt_len = m->pkt_len - at;
	m->nb_segs = segs;
	m->pkt_len = at;
	packet_of(m)->frag_max_size = 0;
	*packet_of(rest) = *packet_of(m);
	return rest;
}

/* ---- fragments ---- */

void chain_mark(struct rte_mbuf *m, uint16_t header)
{
	packet_of(m)->frag_bytes = (uint16_t)(m->pkt_len - header);
	packet_of(m)->frag_header = (uint8_t)header;
	for (struct rte_mbuf *seg = m->next; unlikely(seg); seg = seg->next)
		packet_of(seg)->frag_bytes = 0;
}

struct rte_mbuf *chain_unlink(struct rte_mbuf *seg)
{
	struct rte_mbuf *last = seg, *next;
	uint32_t bytes = seg->data_len;
	uint16_t segs = 1;

	while (last->next && !packet_of(last->next)->frag_bytes) {
		last = last->next;
		bytes += last->data_len;
		segs++;
	}
	next = last->next;
	last->next = NULL;
	seg->nb_segs = segs;
	seg->pkt_len = bytes;
	return next;
}

/* ---- bytes ---- */

struct chain_cursor chain_at(const struct rte_mbuf *m, uint32_t offset)
{
	while (offset > m->data_len) {
		offset -= m->data_len;
		m = m->next;
	}
	return (struct chain_cursor){.seg = m, .at = offset};
}

/* How many of the next len bytes lie in one segment; the cursor moves to that. 0 only if len is. */
static inline uint32_t cursor_part(struct chain_cursor *c, uint32_t len)
{
	while (len && c->at == c->seg->data_len) {
		c->seg = c->seg->next;
		c->at = 0;
	}
	return RTE_MIN(len, c->seg->data_len - c->at);
}

void chain_read(struct chain_cursor *c, uint32_t len, void *buf)
{
	uint8_t *to = buf;

	while (len) {
		uint32_t part = cursor_part(c, len);

		memcpy(to, rte_pktmbuf_mtod_offset(c->seg, const void *, c->at), part);
		to += part;
		c->at += part;
		len -= part;
	}
}

void chain_write(struct rte_mbuf *m, uint32_t offset, uint32_t len, const void *buf)
{
	struct chain_cursor c = chain_at(m, offset);
	const uint8_t *from = buf;

	while (len) {
		uint32_t part = cursor_part(&c, len);

		memcpy(rte_pktmbuf_mtod_offset(c.seg, void *, c.at), from, part);
		from += part;
		c.at += part;
		len -= part;
	}
}

/* ---- new chains of another's payload ---- */

bool chain_supply_refill(struct chain_supply *s)
{
	uint32_t n = s->expected ? RTE_MIN(s->expected, (uint32_t)CHAIN_SUPPLY) : 1;

	if (unlikely(rte_pktmbuf_alloc_bulk(s->pool, s->m, n)))
		return false;
	s->n = n;
	s->expected -= RTE_MIN(n, s->expected);
	return true;
}

static void segment_link(struct rte_mbuf *m, struct rte_mbuf **last, struct rte_mbuf *seg)
{
	(*last)->next = seg;
	*last = seg;
	m->nb_segs++;
}

bool chain_refer(struct chain_supply *s, struct chain_cursor *c, uint32_t len,
		 struct rte_mbuf *to)
{
	struct rte_mbuf *last = chain_tail(to);

	while (len) {
		struct rte_mbuf *seg = chain_supply_get(s);
		uint32_t part;

		if (unlikely(!seg))
			return false;
		part = cursor_part(c, len);
		/* counting the reference is all that changes in the other's mbuf */
		rte_pktmbuf_attach(seg, (struct rte_mbuf *)(uintptr_t)c->seg);
		seg->data_off += (uint16_t)c->at;
		seg->data_len = (uint16_t)part;
		segment_link(to, &last, seg);
		to->pkt_len += part;
		c->at += part;
		len -= part;
	}
	return true;
}

/* Room behind the data, none in a buffer that others refer to. */
static uint32_t own_tailroom(const struct rte_mbuf *seg)
{
	return chain_headroom(seg, 0) ? rte_pktmbuf_tailroom(seg) : 0;
}

bool chain_copy(struct chain_supply *s, struct chain_cursor *c, uint32_t len,
		struct rte_mbuf *to)
{
	struct rte_mbuf *last = chain_tail(to);

	while (len) {
		uint32_t part = RTE_MIN(len, own_tailroom(last));

		if (unlikely(!part)) {
			struct rte_mbuf *seg = chain_supply_get(s);

			if (!seg)
				return false;
			segment_link(to, &last, seg);
			continue;
		}
		chain_read(c, part, rte_pktmbuf_mtod_offset(last, void *, last->data_len));
		last->data_len += (uint16_t)part;
		to->pkt_len += part;
		len -= part;
	}
	return true;
}
