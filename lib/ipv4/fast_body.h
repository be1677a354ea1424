/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast path's algorithm, for LANES frames at a time. Who includes it has defined
 *
 *	LANES              4, 8 or 16
 *	lanes_t            a vector of so many uint32_t, with the compiler's operators
 *	lanes_eq(), lanes_lt()    comparisons (unsigned), as a bit a lane
 *	lanes_load(p, offset, v)  bring 16 bytes from each p[] into 4 vectors, a word each
 *	lanes_pick(t, i)   t[i] for each lane, of 16 words
 *	lanes_gather(t, i) the 32 bits that begin at t[i], of 16-bit words
 *
 * and then FAST_PATH, the function's name.
 *
 * A burst goes through three stages, each over all of it, so that what one frame waits for
 * (a cache line, a multiplication) the others use. First the headers are brought into vectors and
 * checked; then the FIB is asked; then each frame is rewritten with its next hop's image, if all
 * is well, by an addition: a frame for which all is not well writes to a scratch line instead, so
 * that no branch depends on it. Last, runs of frames with the same fate are handed on, in order.
 */
#include <string.h>

#include "core/counters.h"
#include "ipv4/fast.h"
#include "ipv4/fast_nexthop.h"
#include "ipv4/internal.h"
#include "ipv4/reassemble.h"
#include "neigh/neigh.h"

#define FAST_BURST 32
#define GROUPS (FAST_BURST / LANES)
#define ALL_LANES ((uint32_t)((1ULL << LANES) - 1))

#define FRAME_MIN (RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr))
#define COLD_PREFIXES 4096     /* from so many on the FIB's slots are fetched ahead */

/* Fates that are no link's id. */
#define OUT_GENERAL 0xff
#define OUT_FRAGMENT 0xfe
#define OUT_ROUTED 0xfc        /* too large: ip_forward() knows what to do */
#define NO_LINK 0xfd           /* of the link that frames must not go back to: there is none */

/* What is expected of frames from this link. */
struct expected {
	uint16_t mac_start;    /* the first two bytes of the link's address */
	uint32_t mac_end;      /* the other four */
	uint8_t blocked;       /* frames that would leave by this link may want a redirect */
};

struct burst {
	uint8_t *data[FAST_BURST];         /* frames */
	uint32_t total[FAST_BURST] __rte_cache_aligned; /* length of the IP packet, */
	uint32_t octets[FAST_BURST];       /* and with what the frame has behind it */
	uint32_t dst[FAST_BURST];          /* host byte order */
	uint32_t fragment[FAST_BURST];     /* not 0: it is one */
	uint32_t ecn[FAST_BURST];
	uint32_t good[GROUPS];             /* lanes */
	uint32_t padded[GROUPS];
	uint32_t in, forward;              /* all lanes: not left to the general path; sent on */
	uint32_t index[FAST_BURST];        /* of the next hop, 0 for lanes that are not good */
	uint8_t out[FAST_BURST] __rte_aligned(8); /* link or fate */
};

static const uint8_t nothing[64] __rte_cache_aligned;

/* ---- the frames ---- */

/* A frame too short to have a header, and what is beyond the burst, is looked at elsewhere. */
static __rte_always_inline void point(struct burst *b, struct rte_mbuf **m, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint8_t *data = rte_pktmbuf_mtod(m[i], uint8_t *);

		b->data[i] = m[i]->data_len >= FRAME_MIN ? data : (uint8_t *)(uintptr_t)nothing;
	}
	for (; i % LANES; i++)
		b->data[i] = (uint8_t *)(uintptr_t)nothing;
}

/* An address that is not of a network or host: 0/8, 127/8, 224/3. Rule A's classes are narrower,
 * and for the general path. */
static __rte_always_inline uint32_t ordinary(lanes_t addr)
{
	return lanes_lt(addr - 0x01000000u, (lanes_t){0} + 0xdf000000u) &
	       ~lanes_eq(addr & 0xff000000u, (lanes_t){0} + 0x7f000000u);
}

static __rte_always_inline lanes_t swap(lanes_t x)
{
	x = (x & 0x00ff00ffu) << 8 | (x >> 8 & 0x00ff00ffu);
	return x << 16 | x >> 16;
}

/* Its checksum is right: RFC 1071. The sum of ten words takes one folding; 0 it can't be. */
static __rte_always_inline uint32_t checksum_right(const lanes_t *w0, const lanes_t *w)
{
	lanes_t sum = (*w0 & 0xffffu) + (*w0 >> 16);

	for (unsigned int i = 0; i < 4; i++)
		sum += (w[i] & 0xffffu) + (w[i] >> 16);
	return lanes_eq((sum & 0xffffu) + (sum >> 16), (lanes_t){0} + 0xffffu);
}

/* Sources that may be the router's own addresses. */
static __rte_always_inline uint32_t maybe_own(lanes_t src)
{
	lanes_t hash = src * FAST_FILTER_FACTOR;
	lanes_t first = lanes_pick(fast_filter.word, hash >> 28) >> (hash >> 23 & 31);
	lanes_t second = lanes_pick(fast_filter.word, hash >> 19 & 15) >> (hash >> 14 & 31);

	return lanes_eq(first & second & 1, (lanes_t){0} + 1u);
}

/* Some of them are not. */
static __rte_noinline uint32_t own(const struct burst *b, unsigned int at, uint32_t maybe)
{
	uint32_t sure = 0;

	for (uint32_t left = maybe; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(left);
		const struct rte_ipv4_hdr *ip = (const void *)(b->data[at + i] + RTE_ETHER_HDR_LEN);

		if (route_lookup_local(ip->src_addr)->type == ROUTE_LOCAL)
			sure |= 1u << i;
	}
	return sure;
}

/* Rule A, LANES frames at a time; n of them are there. */
static __rte_always_inline void check(struct burst *b, struct rte_mbuf **m, unsigned int group,
				      unsigned int n, const struct expected *e)
{
	const lanes_t zero = {0};
	unsigned int at = group * LANES;
	const void *mbuf[LANES];
	lanes_t start[4], w[4], mb[4], total, octets, src, dst;
	uint32_t good, maybe;

	for (unsigned int i = 0; i < LANES; i++)
		mbuf[i] = likely(i < n) ? (const void *)m[at + i] : (const void *)nothing;
	lanes_load((const void **)(uintptr_t)&b->data[at], 2, start);
	lanes_load((const void **)(uintptr_t)&b->data[at], 18, w);
	lanes_load(mbuf, offsetof(struct rte_mbuf, packet_type), mb);
	_Static_assert(offsetof(struct rte_mbuf, pkt_len) ==
			       offsetof(struct rte_mbuf, packet_type) + 4 &&
		       offsetof(struct rte_mbuf, data_len) ==
			       offsetof(struct rte_mbuf, packet_type) + 8,
		       "where lengths are in the 16 bytes that are loaded");

	total = (start[3] >> 24) | (start[3] >> 8 & 0xff00u);
	octets = mb[1] - RTE_ETHER_HDR_LEN;
	good = lanes_eq(start[0], zero + e->mac_end);
	good &= lanes_eq((start[2] & 0xffff0000u) | (start[3] & 0xffu),
			 zero + ((uint32_t)RTE_BE16(RTE_ETHER_TYPE_IPV4) << 16 | 0x45));
	good &= lanes_eq(mb[1], mb[2] & 0xffffu);
	good &= ~lanes_lt(octets, total) & ~lanes_lt(total, zero + 20u);
	good &= checksum_right(&start[3], w);
	/* TTL above 1, and a checksum that goes up by 1 without wrapping */
	good &= ~lanes_lt(w[1] & 0xffu, zero + 2u) & lanes_lt(w[1], zero + 0xfffe0000u);
	src = swap(w[2]);
	dst = swap(w[3]);
	good &= ordinary(src) & ordinary(dst);
	good &= (uint32_t)((1ULL << n) - 1);
	maybe = maybe_own(w[2]) & good;
	if (unlikely(maybe))
		good &= ~own(b, at, maybe);
	memcpy(&b->total[at], &total, sizeof(total));
	memcpy(&b->octets[at], &octets, sizeof(octets));
	memcpy(&b->dst[at], &dst, sizeof(dst));
	w[0] = w[0] >> 16 & (uint32_t)(FRAG_OFFSET | FRAG_MF);
	memcpy(&b->fragment[at], &w[0], sizeof(w[0]));
	start[3] = start[3] >> 8 & TOS_ECN_MASK;
	memcpy(&b->ecn[at], &start[3], sizeof(start[3]));
	b->good[group] = good;
	b->padded[group] = ~lanes_eq(octets, total) & good;
}

/* ---- the FIB ---- */

/* All ones in lanes whose bit is set. */
static __rte_always_inline lanes_t lanes_of(uint32_t bits)
{
	lanes_t bit;

	for (unsigned int i = 0; i < LANES; i++)
		bit[i] = 1u << i;
	return (lanes_t)((bit & bits) == bit);
}

/* All misses of a burst at once. */
static __rte_always_inline void fetch(const struct burst *b, const struct fib_view *view,
				      unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		rte_prefetch0(&view->slots[b->dst[i] >> 8]);
}

static __rte_always_inline void lookup(struct burst *b, unsigned int group,
				       const struct fib_view *view, uint16_t fallback)
{
	const lanes_t zero = {0};
	unsigned int at = group * LANES;
	lanes_t dst, index, block;

	memcpy(&dst, &b->dst[at], sizeof(dst));
	index = lanes_gather(view->slots, dst >> 8) & 0xffffu;
	if (lanes_lt(zero + (FIB_BLOCK_FLAG - 1), index)) {
		block = (lanes_t)(index >= zero + FIB_BLOCK_FLAG);
		index = (index & ~FIB_BLOCK_FLAG) * 256u + FIB_BLOCKS_AT + (dst & 0xffu);
		index = (index & block) | (dst >> 8 & ~block);
		index = lanes_gather(view->slots, index) & 0xffffu;
	}
	index |= (lanes_t)(index == zero) & fallback;
	index &= lanes_of(b->good[group]);
	memcpy(&b->index[at], &index, sizeof(index));
}

/* ---- the way out ---- */

typedef uint16_t head_t __attribute__((vector_size(FAST_HEAD_BYTES)));

static __rte_always_inline void rewrite(uint8_t *frame, const void *image)
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

static __rte_always_inline uint16_t frame_start(const uint8_t *frame)
{
	uint16_t start;

	memcpy(&start, frame, sizeof(start));
	return start;
}

/* The neighbour is the destination itself: its address is asked for. Returns the frame's fate. */
static __rte_noinline uint8_t connected_fate(const struct burst *b, unsigned int i,
					     const struct fast_nexthop *nh,
					     const struct expected *e)
{
	uint64_t image[FAST_HEAD_BYTES / 8], mac;

	if (frame_start(b->data[i]) != e->mac_start || nh->link == e->blocked ||
	    b->total[i] > nh->mtu)
		return OUT_GENERAL;
	mac = neigh_mac(nh->link, rte_cpu_to_be_32(b->dst[i]));
	if (mac == NEIGH_MAC_NONE)
		return OUT_GENERAL;
	memcpy(image, nh->head, sizeof(image));
	image[0] |= mac;
	rewrite(b->data[i], image);
	return nh->link;
}

/* A frame whose next hop is not a known gateway. */
static __rte_always_inline uint8_t other_fate(const struct burst *b, unsigned int i,
					      const struct fast_nexthop *nh,
					      const struct expected *e)
{
	if (nh->state == FAST_LOCAL)
		return (b->fragment[i] != 0) & (frame_start(b->data[i]) == e->mac_start)
			       ? OUT_FRAGMENT : OUT_GENERAL;
	return nh->state == FAST_CONNECTED ? connected_fate(b, i, nh, e) : OUT_GENERAL;
}

/* A frame that does not go to its gateway as it is. */
static __rte_always_inline uint8_t refused_fate(const struct burst *b, unsigned int i,
						const struct fast_nexthop *nh,
						const struct expected *e)
{
	return (nh->link != e->blocked) & (frame_start(b->data[i]) == e->mac_start)
		       ? OUT_ROUTED : OUT_GENERAL;
}

static __rte_always_inline void decide(struct burst *b, unsigned int group,
				       const struct expected *e)
{
	uint8_t scratch[FAST_HEAD_BYTES] __rte_aligned(FAST_HEAD_BYTES);

	for (unsigned int i = group * LANES; i < (group + 1) * LANES; i++) {
		const struct fast_nexthop *nh = &fast_nexthops[b->index[i]];
		bool ok;

		if (unlikely(nh->state != FAST_GATEWAY)) {
			b->out[i] = other_fate(b, i, nh, e);
			continue;
		}
		ok = (b->total[i] <= nh->gateway_mtu) & (nh->link != e->blocked) &
		     (frame_start(b->data[i]) == e->mac_start);
		b->out[i] = likely(ok) ? nh->link : refused_fate(b, i, nh, e);
		rewrite(ok ? b->data[i] : scratch, nh->head);
	}
}

/* ---- counters, and the frames' lengths ---- */

/* The top bit of each byte, side by side; the others are 0. */
static __rte_always_inline uint32_t top_bits(uint64_t word)
{
	return (uint32_t)((word >> 7) * 0x0102040810204080ULL >> 56);
}

/* Fates as bits, a lane each. Those of links have a byte below 0x80. */
static __rte_always_inline void fates(struct burst *b, unsigned int n)
{
	const uint64_t top = 0x8080808080808080ULL;
	uint64_t word[FAST_BURST / 8];

	_Static_assert(LINKS_MAX <= 0x80 && !(OUT_FRAGMENT & 1) && !(OUT_ROUTED & 1) &&
			       OUT_GENERAL == 0xff,
		       "what the bits of a fate say");
	memcpy(word, b->out, sizeof(word));
	b->in = b->forward = 0;
	for (unsigned int i = 0; i < RTE_DIM(word); i++) {
		uint64_t forward = ~word[i] & top, other = word[i] & ~word[i] << 7 & top;

		b->forward |= top_bits(forward) << 8 * i;
		b->in |= top_bits(forward | other) << 8 * i;
	}
	b->forward &= (uint32_t)((1ULL << n) - 1);
	b->in &= (uint32_t)((1ULL << n) - 1);
}

static __rte_always_inline uint32_t lanes_sum(lanes_t v)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < LANES; i++)
		sum += v[i];
	return sum;
}

static __rte_always_inline void count_burst(struct worker *w, const struct burst *b)
{
	struct counters *c = w->counters;
	lanes_t in_octets = {0}, out_octets = {0}, v;
	uint32_t ecn[4] = {0}, in = (uint32_t)__builtin_popcount(b->in);
	uint32_t out = (uint32_t)__builtin_popcount(b->forward);

	for (unsigned int g = 0; g < GROUPS; g++) {
		memcpy(&v, &b->octets[g * LANES], sizeof(v));
		in_octets += v & lanes_of(b->in >> g * LANES);
		memcpy(&v, &b->total[g * LANES], sizeof(v));
		out_octets += v & lanes_of(b->forward >> g * LANES);
		memcpy(&v, &b->ecn[g * LANES], sizeof(v));
		for (unsigned int i = 1; i < RTE_DIM(ecn); i++)
			ecn[i] += (uint32_t)__builtin_popcount(lanes_eq(v, (lanes_t){0} + i) &
							       b->in >> g * LANES);
	}
	ecn[0] = in - ecn[1] - ecn[2] - ecn[3];
	for (unsigned int i = 0; i < RTE_DIM(ecn); i++)
		count_add(c, CNT_IPEXT_INNOECTPKTS + i, ecn[i]);
	count_add(c, CNT_IP_INRECEIVES, in);
	count_add(c, CNT_IPEXT_INOCTETS, lanes_sum(in_octets));
	count_add(c, CNT_IP_FORWDATAGRAMS, out);
	count_add(c, CNT_IP_OUTTRANSMITS, out);
	count_add(c, CNT_IPEXT_OUTOCTETS, lanes_sum(out_octets));
}

/* What a device or another host has put behind the packet does not go on. */
static __rte_always_inline void trim(const struct burst *b, struct rte_mbuf **m)
{
	for (unsigned int g = 0; g < GROUPS; g++) {
		uint32_t left = b->padded[g] & b->forward >> g * LANES;

		for (; left; left &= left - 1) {
			unsigned int i = g * LANES + (unsigned int)__builtin_ctz(left);

			m[i]->pkt_len = b->total[i] + RTE_ETHER_HDR_LEN;
			m[i]->data_len = (uint16_t)m[i]->pkt_len;
		}
	}
}

/* ---- handing on ---- */

/* What eth_input() and ip_rcv() would know of a packet by now. */
static __rte_always_inline void packet_begin(const struct worker *w, const struct link *l,
					     const struct burst *b, struct rte_mbuf *m,
					     unsigned int i)
{
	*packet_of(m) = (struct packet){
		.link = l->id,
		.type = PACKET_HOST,
		.nexthop = b->index[i],
		.arrival_ns = w->now_ns,
	};
	m->data_off += RTE_ETHER_HDR_LEN;
	m->data_len = (uint16_t)b->total[i];
	m->pkt_len = b->total[i];
}

static __rte_always_inline void collect(struct worker *w, const struct link *l,
					const struct burst *b, struct rte_mbuf **m,
					unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		packet_begin(w, l, b, m[i], i);
		packet_of(m[i])->route_type = ROUTE_LOCAL;
		ip_defrag_collect(w, m[i]);
	}
}

static __rte_noinline void forward(struct worker *w, const struct link *l, const struct burst *b,
				   struct rte_mbuf **m, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		struct packet *p = packet_of(m[i]);

		packet_begin(w, l, b, m[i], i);
		p->route_type = ROUTE_UNICAST;
		p->flags = PACKET_F_FORWARD;
		p->out_link = fast_nexthops[b->index[i]].link;
		p->next_addr = nexthop_get(b->index[i])->gateway;
		ip_forward(w, m[i]);
	}
}

/* Frames from `from` to `to` share a fate that is no link. */
static __rte_always_inline void hand_on(struct worker *w, struct link *l, const struct burst *b,
					struct rte_mbuf **m, unsigned int from, unsigned int to)
{
	if (b->out[from] == OUT_FRAGMENT) {
		collect(w, l, b, m, from, to);
		return;
	}
	if (unlikely(w->ip->frags.n))
		ip_defrag_run(w);
	if (b->out[from] == OUT_ROUTED)
		forward(w, l, b, m, from, to);
	else
		eth_input(w, l, &m[from], to - from);
}

/* Which of the burst's frames have this fate? A bit each. */
static __rte_always_inline uint32_t alike(const struct burst *b, uint8_t out)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7fULL, like = out * 0x0101010101010101ULL;
	uint64_t word[FAST_BURST / 8];
	uint32_t bits = 0;

	memcpy(word, b->out, sizeof(word));
	for (unsigned int i = 0; i < RTE_DIM(word); i++) {
		uint64_t differ = word[i] ^ like;

		bits |= top_bits(~(((differ & low) + low) | differ | low)) << 8 * i;
	}
	return bits;
}

/* Send those frames on whose bits are set. Only the order at each link can be seen, so each link
 * has all of its frames at once. */
static __rte_always_inline void send_on(struct worker *w, const struct burst *b,
					struct rte_mbuf **m, uint32_t left)
{
	if (unlikely(w->ip->frags.n))
		ip_defrag_run(w);
	while (left) {
		unsigned int first = (unsigned int)__builtin_ctz(left), n = 0;
		uint32_t same = alike(b, b->out[first]) & left;
		struct rte_mbuf *part[FAST_BURST];

		if (likely(same == left && !(same >> first & ((same >> first) + 1)))) {
			link_xmit_bulk(w, b->out[first], &m[first],
				       (unsigned int)__builtin_popcount(same));
			return;
		}
		left &= ~same;
		for (; same; same &= same - 1)
			part[n++] = m[__builtin_ctz(same)];
		link_xmit_bulk(w, b->out[first], part, n);
	}
}

static void fast_burst(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n)
{
	const struct fib_view *view = fib_view(route_fib);
	uint16_t fallback = __atomic_load_n(&view->fallback, __ATOMIC_RELAXED);
	struct expected e = {.blocked = LINK_CONF_OR(l, send_redirects) ? (uint8_t)l->id : NO_LINK};
	unsigned int groups = (n + LANES - 1) / LANES, next;
	struct burst b;

	memcpy(&e.mac_start, l->mac.addr_bytes, sizeof(e.mac_start));
	memcpy(&e.mac_end, l->mac.addr_bytes + sizeof(e.mac_start), sizeof(e.mac_end));
	point(&b, m, n);
	for (unsigned int g = 0; g < groups; g++)
		check(&b, m, g, RTE_MIN(n - g * LANES, (unsigned int)LANES), &e);
	if (view->prefixes >= COLD_PREFIXES)
		fetch(&b, view, n);
	for (unsigned int g = 0; g < groups; g++)
		lookup(&b, g, view, fallback);
	for (unsigned int g = 0; g < groups; g++)
		decide(&b, g, &e);
	fates(&b, n);
	count_burst(w, &b);
	trim(&b, m);
	for (unsigned int i = 0; i < n; i = next) {
		uint64_t sent = b.forward >> i;

		if (likely(sent & 1)) {
			next = i + (unsigned int)__builtin_ctzll(~sent);
			send_on(w, &b, m, (uint32_t)((1ULL << next) - (1ULL << i)));
			continue;
		}
		for (next = i + 1; next < n && b.out[next] == b.out[i]; next++)
			;
		hand_on(w, l, &b, m, i, next);
	}
	if (unlikely(w->ip->frags.n))
		ip_defrag_run(w);
}

/* Nothing is set, and no hook is there, that wants each source or packet looked at. */
static bool armed(const struct link *l)
{
	return l->conf.forwarding && !LINK_CONF_MAX(l, rp_filter) &&
	       !__atomic_load_n(&ip_hooks.forward, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&route_custom_local, __ATOMIC_RELAXED) && !route_has_rules();
}

void FAST_PATH(struct worker *w, struct link *l, struct rte_mbuf **m, unsigned int n)
{
	unsigned int part;

	if (unlikely(!armed(l))) {
		eth_input(w, l, m, n);
		return;
	}
	for (unsigned int i = 0; i < n; i += part) {
		part = RTE_MIN(n - i, (unsigned int)FAST_BURST);
		fast_burst(w, l, m + i, part);
	}
}
