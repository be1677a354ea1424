/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast path's algorithm, for LANES frames at a time. Who includes it has defined
 *
 *	LANES              4, 8 or 16
 *	lanes_t            a vector of so many uint32_t, with the compiler's operators
 *	begin_t            one of two uint64_t
 *	lanes_eq(), lanes_lt()    comparisons (unsigned), as a bit a lane
 *	lanes_of(bits)     all ones in lanes whose bit is set; of the lower LANES bits
 *	lanes_header(p, begin, h)  bring the IP headers of the frames at each p[] into 5 vectors;
 *	                   returns the bits of their first 16 bytes that are not as in `begin`
 *	lanes_pick(t, i)   t[i] for each lane, of 16 words
 *	lanes_gather(t, i) the 32 bits that begin at t[i], of 16-bit words
 *	lanes_words(t, i)  t[i] for each lane
 *	lanes_swap(v)      the bytes of each lane in reverse order
 *	lanes_sum(v)       of all lanes
 *	lanes_bytes(to, v) the lowest byte of each lane, side by side
 *	bytes_eq(b, x)     which of 32 bytes are x, as bits; best read in parts as lanes_bytes()
 *	                   wrote them: a larger load waits until all of it has left the core
 *	frames_point(data, len, m) where frames are and how long, all segments together; returns
 *	                   whether any is short or of several; if FRAMES_POINT is defined
 *	frames_or(to, from, bits, other)  LANES pointers, or another one where a bit is not set; if
 *	                   FRAMES_OR is defined
 *	frames_pick(to, m, bits)  the frames of 32 whose bits are set, side by side, and how many;
 *	                   writes up to FRAMES_PICK more of to[]; if that is defined
 *
 * and then FAST_PATH, the function's name.
 *
 * A burst goes through three stages, each over all of it, so that what one frame waits for
 * (a cache line, a multiplication) the others use. First the headers are brought into vectors and
 * checked; then the FIB is asked; then each frame is rewritten with its next hop's image, if all
 * is well, by an addition: a frame for which all is not well writes to a scratch line instead, so
 * that no branch depends on it. Last, what has another fate is handed on, and what goes on is sent
 * with what that led to, by each link in the order in which it came.
 */
#include <string.h>

#include "core/counters.h"
#include "ipv4/fast.h"
#include "ipv4/fast_nexthop.h"
#include "ipv4/fast_sources.h"
#include "ipv4/internal.h"
#include "ipv4/reassemble.h"
#include "neigh/neigh.h"
#include "route/rule_set.h"

#define FAST_BURST 32
#define GROUPS (FAST_BURST / LANES)
#define ALL_LANES ((uint32_t)((1ULL << LANES) - 1))

#define TOS_AT (RTE_ETHER_HDR_LEN + offsetof(struct rte_ipv4_hdr, type_of_service))
#define SRC_AT (RTE_ETHER_HDR_LEN + offsetof(struct rte_ipv4_hdr, src_addr))
#define DST_AT (RTE_ETHER_HDR_LEN + offsetof(struct rte_ipv4_hdr, dst_addr))
/* More fragments, or an offset, as they lie in the second word of a header. */
#define PIECE_BITS ((uint32_t)(FRAG_OFFSET | FRAG_MF) << 16)
#define FAST_NEXTHOP_WORDS (sizeof(struct fast_nexthop) / sizeof(uint32_t))
#define COLD_PREFIXES 4096     /* from so many on the FIB's slots are fetched ahead */

#define NO_LINK 0xff           /* of the link that frames must not go back to: there is none */

/* What is expected of frames from this link. */
struct expected {
	begin_t begin;         /* how they begin: the link's address, and the type */
	begin_t begin_mask;    /* of these */
	const struct fast_source_table *sources;
	uint8_t blocked;       /* frames that would leave by this link may want a redirect */
};

/* Arrays first: each is a whole number of cache lines, so that no vector lies across two. */
struct burst {
	uint8_t *data[FAST_BURST];         /* frames */
	uint32_t total[FAST_BURST];        /* length of the IP packet, */
	uint32_t octets[FAST_BURST];       /* and with what the frame has behind it */
	uint32_t dst[FAST_BURST];          /* host byte order */
	uint32_t ecn[FAST_BURST];
	uint32_t index[FAST_BURST];        /* of the next hop, 0 for lanes that are not good */
	uint8_t fate[FAST_BURST];          /* enum fate */
	uint32_t good[GROUPS];             /* lanes: nothing is wrong with them */
	uint32_t pieces[GROUPS];           /* lanes: a part of a datagram, if they have a header */
	uint32_t connected;                /* all lanes: the destination is on the link itself */
	uint32_t over;                     /* all lanes: the TTL is */
	uint32_t padded[GROUPS];
	uint32_t any_padded;
	uint32_t in, forward;              /* all lanes: not left to the general path; sent on */
	uint32_t defaulted;                /* good lanes for which the FIB knows but the default */
	uint32_t all_octets, sent_octets;  /* sums of octets; of total where sent on */
} __rte_cache_aligned;

static const uint8_t nothing[64] __rte_cache_aligned;

/* ---- the frames ---- */

#ifndef FRAMES_POINT
static __rte_always_inline bool frames_point(uint8_t **data, uint32_t *len,
					     struct rte_mbuf *const *m)
{
	bool odd = false;

	for (unsigned int i = 0; i < LANES; i++) {
		data[i] = rte_pktmbuf_mtod(m[i], uint8_t *);
		len[i] = m[i]->pkt_len;
		odd |= m[i]->pkt_len < FRAME_MIN || m[i]->nb_segs != 1;
	}
	return odd;
}
#endif

/* Frames too short to have a header, or of several segments, are for the general path: something
 * that is no header is looked at instead. */
static __rte_noinline void hide_odd(struct burst *b, struct rte_mbuf *const *m, unsigned int at)
{
	for (unsigned int i = at; i < at + LANES; i++)
		if (m[i]->pkt_len < FRAME_MIN || m[i]->nb_segs != 1)
			b->data[i] = (uint8_t *)(uintptr_t)nothing;
}

static __rte_always_inline void point(struct burst *b, struct rte_mbuf *const *m,
				      unsigned int group)
{
	unsigned int at = group * LANES;

	if (unlikely(frames_point(&b->data[at], &b->octets[at], &m[at])))
		hide_odd(b, m, at);
}

/* An address that is not of a network or host: 0/8, 127/8, 224/3. Rule A's classes are narrower,
 * and for the general path. */
static __rte_always_inline uint32_t ordinary(lanes_t addr)
{
	return lanes_lt(addr - 0x01000000u, (lanes_t){0} + 0xdf000000u) &
	       ~lanes_eq(addr & 0xff000000u, (lanes_t){0} + 0x7f000000u);
}

/* Its checksum is right: RFC 1071. The sum of ten words takes one folding; 0 it can't be. The sum
 * of the lower five is what the high ones leave of the sum of all, though that wraps. */
static __rte_always_inline uint32_t checksum_right(const lanes_t *h)
{
	lanes_t all = h[0] + h[1] + h[2] + h[3] + h[4];
	lanes_t high = (h[0] >> 16) + (h[1] >> 16) + (h[2] >> 16) + (h[3] >> 16) + (h[4] >> 16);
	lanes_t sum = all - (high << 16) + high;

	return lanes_eq((sum & 0xffffu) + (sum >> 16), (lanes_t){0} + 0xffffu);
}

/* Sources that may be refused for what they are. table: where they are many. */
static __rte_always_inline uint32_t maybe_refused(const struct fast_source_table *table,
						  lanes_t src)
{
	lanes_t hash = src * FAST_SOURCES_FACTOR, first, second;

	if (likely(!table)) {
		first = lanes_pick(fast_sources.word, hash >> 28) >> (hash >> 23 & 31);
		second = lanes_pick(fast_sources.word, hash >> 19 & 15) >> (hash >> 14 & 31);
	} else {
		first = second = lanes_words(table->word, hash >> table->shift);
		first >>= hash >> (table->shift - 5) & 31;
		second >>= hash >> (table->shift - 10) & 31;
	}
	return lanes_eq(first & second & 1, (lanes_t){0} + 1u);
}

/* Some of them are not. */
static __rte_noinline uint32_t refused(const struct burst *b, unsigned int at, uint32_t maybe)
{
	uint32_t sure = 0;

	for (uint32_t left = maybe; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(left);
		const struct rte_ipv4_hdr *ip = (const void *)(b->data[at + i] + RTE_ETHER_HDR_LEN);

		switch (route_lookup_local(ip->src_addr)->type) {
		case ROUTE_LOCAL:
		case ROUTE_BROADCAST:
			sure |= 1u << i;
		}
	}
	return sure;
}

/* The frames that are for this link, and of IPv4, one by one. */
static __rte_noinline uint32_t begin_right(const struct burst *b, unsigned int at,
					   const struct expected *e)
{
	uint32_t right = 0;

	for (unsigned int i = 0; i < LANES; i++) {
		begin_t begin;

		memcpy(&begin, b->data[at + i], sizeof(begin));
		begin = (begin ^ e->begin) & e->begin_mask;
		right |= (uint32_t)!(begin[0] | begin[1]) << i;
	}
	return right;
}

/* Rule A, LANES frames at a time; those in `there` are some. What is wrong with a lane's numbers
 * is gathered as bits that should be 0, or as negative differences. */
static __rte_always_inline void check(struct burst *b, unsigned int group, uint32_t there,
				      const struct expected *e)
{
	const lanes_t zero = {0};
	unsigned int at = group * LANES;
	lanes_t h[5], total, octets, negative, src, dst, ecn, ttl;
	begin_t differ;
	uint32_t good, maybe;

	differ = lanes_header((const void **)(uintptr_t)&b->data[at], e->begin, h);
	memcpy(&octets, &b->octets[at], sizeof(octets));
	total = (h[0] >> 24) | (h[0] >> 8 & 0xff00u);
	octets -= RTE_ETHER_HDR_LEN;
	ttl = h[2] & 0xffu;
	b->over |= lanes_lt(ttl, zero + 2u) << at;
	/* a checksum that goes up by 1 without wrapping */
	negative = (octets - total) | (total - 20u) | (0xfffdu - (h[2] >> 16));
	good = there & lanes_eq(negative & 0x80000000u, zero);
	good &= lanes_eq(h[0] & 0xffu, zero + RTE_IPV4_VHL_DEF);        /* no options */
	good &= checksum_right(h);
	src = lanes_swap(h[3]);
	dst = lanes_swap(h[4]);
	good &= ordinary(src) & ordinary(dst);
	b->pieces[group] = ~lanes_eq(h[1] & PIECE_BITS, zero) & ALL_LANES;
	differ &= e->begin_mask;
	if (unlikely(differ[0] | differ[1]))
		good &= begin_right(b, at, e);
	maybe = maybe_refused(e->sources, src) & good;
	if (unlikely(maybe))
		good &= ~refused(b, at, maybe);
	memcpy(&b->total[at], &total, sizeof(total));
	memcpy(&b->octets[at], &octets, sizeof(octets));
	memcpy(&b->dst[at], &dst, sizeof(dst));
	ecn = h[0] >> 8 & TOS_ECN_MASK;
	memcpy(&b->ecn[at], &ecn, sizeof(ecn));
	b->good[group] = good;
	b->padded[group] = ~lanes_eq(octets, total) & good;
	b->any_padded |= b->padded[group];
}

#include "ipv4/fast_lookup.h"

/* ---- the way out ---- */

typedef uint16_t head_t __attribute__((vector_size(FAST_HEAD_BYTES)));

static __rte_always_inline void rewrite_by(uint8_t *frame, const void *image)
{
	static const union {
		uint8_t byte[FAST_HEAD_BYTES];
		head_t head;
	} kept = {.byte = {[14 ... 31] = 0xff}};
	head_t head, add;

	memcpy(&head, frame, sizeof(head));
	memcpy(&add, image, sizeof(add));
	head = (head & kept.head) + add;
	memcpy(frame, &head, sizeof(head));
}

/* The neighbour is the destination itself: its address is asked for. Returns the frame's fate. */
static __rte_noinline uint8_t connected_fate(const struct burst *b, unsigned int i,
					     const struct expected *e)
{
	const struct fast_nexthop *nh = &fast_nexthops[b->index[i]];
	uint64_t image[FAST_HEAD_BYTES / 8], mac;

	if (nh->link == e->blocked || b->total[i] > nh->mtu)
		return FATE_GENERAL;
	if (b->over >> i & 1)
		return FATE_ROUTED | nh->link;
	mac = neigh_mac(nh->link, rte_cpu_to_be_32(b->dst[i]));
	if (mac == NEIGH_MAC_NONE)
		return FATE_GENERAL;
	memcpy(image, nh->head, sizeof(image));
	image[0] |= mac;
	rewrite_by(b->data[i], image);
	return nh->link;
}

#ifndef FRAMES_OR
static __rte_always_inline void frames_or(uint8_t **to, uint8_t *const *from, uint32_t bits,
					  uint8_t *other)
{
	memcpy(to, from, LANES * sizeof(*to));
	for (uint32_t left = ALL_LANES & ~bits; left; left &= left - 1)
		to[__builtin_ctz(left)] = other;
}
#endif

/* image: of all of them; NULL: each has that of its next hop. */
static __rte_always_inline void rewrite(const struct burst *b, unsigned int at,
					uint8_t *const *frame, const head_t *image)
{
	uint32_t offset[LANES];
	lanes_t index;

	memcpy(&index, &b->index[at], sizeof(index));
	index *= sizeof(struct fast_nexthop);
	memcpy(offset, &index, sizeof(offset));
#pragma GCC unroll 16
	for (unsigned int i = 0; i < LANES; i++)
		rewrite_by(frame[i], image ? (const uint8_t *)image
					   : (const uint8_t *)fast_nexthops + offset[i]);
}

/* Not all of a group go on as they are. fate: what their next hops say; what becomes of them,
 * afterwards. One bit makes a link's frames those that ip_forward() gets, and what is for the
 * router pieces. */
static __rte_always_inline void decide_others(struct burst *b, unsigned int group, uint32_t ok,
					      const struct expected *e, lanes_t *fate)
{
	unsigned int at = group * LANES;
	uint32_t kept = b->good[group] & ~lanes_eq(*fate, (lanes_t){0} + FATE_GENERAL) &
			~lanes_eq(*fate, (lanes_t){0} + e->blocked);
	uint32_t connected = lanes_eq(*fate, (lanes_t){0} + FATE_CONNECTED) & kept;
	uint32_t marked = (lanes_lt(*fate, (lanes_t){0} + FATE_ROUTED) | b->pieces[group]) & ~ok;

	*fate = (*fate | (lanes_of(marked) & FATE_ROUTED)) & lanes_of(kept);
	b->connected |= connected << at;
	b->in |= (kept & ~connected) << at;
}

/* What becomes of each frame of a group. Those that go on as they are, are rewritten, all for one
 * next hop or each for its own; what the others would get goes to a scratch line. */
static __rte_always_inline void decide(struct burst *b, unsigned int group,
				       const struct expected *e)
{
	uint8_t scratch[FAST_HEAD_BYTES] __rte_aligned(FAST_HEAD_BYTES), *some[LANES];
	unsigned int at = group * LANES;
	uint32_t good = b->good[group], first, ok;
	uint8_t **frame = &b->data[at];
	lanes_t index, total, way, fate;
	head_t image;
	bool one;

	if (unlikely(!good)) {
		memset(&b->fate[at], FATE_GENERAL, LANES);
		return;
	}
	memcpy(&index, &b->index[at], sizeof(index));
	memcpy(&total, &b->total[at], sizeof(total));
	first = b->index[at + (unsigned int)__builtin_ctz(good)];
	one = !(good & ~lanes_eq(index, (lanes_t){0} + first));
	if (one)
		way = (lanes_t){0} + __atomic_load_n(&fast_nexthops[first].way, __ATOMIC_RELAXED);
	else
		way = lanes_words(&fast_nexthops->way, index * FAST_NEXTHOP_WORDS);
	fate = way >> 16;
	ok = good & ~(b->over >> at) & ~lanes_lt(way & 0xffffu, total) &
	     ~lanes_eq(fate, (lanes_t){0} + e->blocked);
	b->forward |= ok << at;
	if (ok == ALL_LANES) {
		b->in |= ok << at;
	} else {
		decide_others(b, group, ok, e, &fate);
		frames_or(some, frame, ok, scratch);
		frame = some;
	}
	lanes_bytes(&b->fate[at], fate);
	if (unlikely(!ok))
		return;
	if (one) {
		memcpy(&image, fast_nexthops[first].head, sizeof(image));
		rewrite(b, at, frame, &image);
	} else {
		rewrite(b, at, frame, NULL);
	}
}

static __rte_always_inline void decide_connected(struct burst *b, const struct expected *e)
{
	for (uint32_t left = b->connected; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(left);
		uint8_t fate = connected_fate(b, i, e);

		b->fate[i] = fate;
		b->in |= (uint32_t)(fate != FATE_GENERAL) << i;
		b->forward |= (uint32_t)fate_is_link(fate) << i;
	}
}

#include "ipv4/fast_onward.h"

/* ---- the burst ---- */

/* Whether the next burst from this link will go by the default route for the most part, as this one
 * does. */
static __rte_always_inline void expect(struct worker *w, const struct link *l, uint32_t defaulted,
				       unsigned int n)
{
	uint64_t bit = 1ULL << l->id;
	bool sparse;

	if (likely(!(defaulted | (w->ip->defaulted & bit))))
		return;
	sparse = (unsigned int)__builtin_popcount(defaulted) * 2 > n;
	if (unlikely(!(w->ip->defaulted & bit) == sparse))
		w->ip->defaulted ^= bit;
}

/* set: NULL if there are no rules that matter. */
static __rte_always_inline uint64_t burst_by(struct worker *w, struct link *l,
					     struct rte_mbuf **m, unsigned int n,
					     const struct rule_set *set)
{
	const struct fib_view *view = fib_view(route_fib);
	uint16_t fallback = __atomic_load_n(&view->fallback, __ATOMIC_RELAXED);
	struct expected e = {.begin = {link_mac(l), (uint64_t)RTE_ETHER_TYPE_IPV4 >> 8 << 32},
			     .begin_mask = {0x0000ffffffffffffULL, 0x0000ffff00000000ULL},
			     .sources = rcu_read(fast_sources.table),
			     .blocked = LINK_CONF_OR(l, send_redirects) ? (uint8_t)l->id : NO_LINK};
	unsigned int groups = (n + LANES - 1) / LANES;
	struct rte_mbuf *whole[FAST_BURST], **all = m;
	bool sparse = w->ip->defaulted >> l->id & 1;
	uint32_t there = (uint32_t)((1ULL << n) - 1);
	struct burst b;

	if (unlikely(n % LANES)) {
		for (unsigned int i = 0; i < groups * LANES; i++)
			whole[i] = m[RTE_MIN(i, n - 1)];
		all = whole;
	}
	b.in = b.forward = b.connected = b.over = b.any_padded = b.defaulted = 0;
	for (unsigned int g = 0; g < groups; g++)
		point(&b, all, g);
	if (view->prefixes >= COLD_PREFIXES && !sparse)
		fetch(&b, view, n);
	if (set)
		fetch_diverted(&b, l, set, n);
	for (unsigned int g = 0; g < groups; g++)
		check(&b, g, there >> g * LANES & ALL_LANES, &e);
	if (unlikely(sparse))
		for (unsigned int g = 0; g < groups; g++)
			lookup(&b, g, view, fallback, true);
	else
		for (unsigned int g = 0; g < groups; g++)
			lookup(&b, g, view, fallback, false);
	expect(w, l, b.defaulted, n);
	for (unsigned int g = 0; set && g < groups; g++)
		by_rules(&b, g, l, set);
	for (unsigned int g = 0; g < groups; g++)
		decide(&b, g, &e);
	decide_connected(&b, &e);
	count_burst(w, &b, there);
	if (unlikely(b.any_padded))
		trim(&b, m);
	onward(w, l, &b, m, there);
	return (uint32_t)(b.all_octets + n * RTE_ETHER_HDR_LEN);
}

/* Rules cost nothing where there are none: there are two instances. */
static __rte_noinline uint64_t fast_burst(struct worker *w, struct link *l, struct rte_mbuf **m,
					  unsigned int n)
{
	return burst_by(w, l, m, n, NULL);
}

static __rte_noinline uint64_t ruled_burst(struct worker *w, struct link *l, struct rte_mbuf **m,
					   unsigned int n, const struct rule_set *set)
{
	return burst_by(w, l, m, n, set);
}

/* Nothing is set, and no hook is there, that wants each source or packet looked at. The filter
 * knows single addresses. */
static bool armed(const struct link *l)
{
	return l->conf.forwarding && !LINK_CONF_MAX(l, rp_filter) &&
	       !__atomic_load_n(&ip_hooks.forward, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&route_sources, __ATOMIC_ACQUIRE) != ROUTE_SOURCES_PREFIXES;
}

static __rte_noinline uint64_t ruled(struct worker *w, struct link *l, struct rte_mbuf **m,
				     unsigned int n)
{
	const struct rule_set *set = armed(l) ? rcu_read(route_rules) : NULL;
	unsigned int part;
	uint64_t bytes = 0;
	bool diverted;

	if (!set || !set->merged)
		return eth_input(w, l, m, n);
	diverted = set->diverted_links >> l->id & 1;
	for (unsigned int i = 0; i < n; i += part) {
		part = RTE_MIN(n - i, (unsigned int)FAST_BURST);
		bytes += diverted ? ruled_burst(w, l, m + i, part, set)
				  : fast_burst(w, l, m + i, part);
	}
	return bytes;
}

/* More than a burst of its own. */
static __rte_noinline uint64_t in_parts(struct worker *w, struct link *l, struct rte_mbuf **m,
					unsigned int n)
{
	unsigned int part;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < n; i += part) {
		part = RTE_MIN(n - i, (unsigned int)FAST_BURST);
		bytes += fast_burst(w, l, m + i, part);
	}
	return bytes;
}

uint64_t FAST_PATH(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n)
{
	if (unlikely(!armed(l) || route_has_rules()))
		return ruled(w, l, m, n);
	if (unlikely(n > FAST_BURST))
		return in_parts(w, l, m, n);
	return fast_burst(w, l, m, n);
}
