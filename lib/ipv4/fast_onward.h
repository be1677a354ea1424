/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last stage of the fast path's algorithm, for who has included the others (fast_body.h): what
 * has been decided of a burst is counted, frames are cut to their packets' length, and handed on in
 * order: to their links, to reassembly, local delivery or forwarding, or to the general path.
 */

/* ---- counters, and the frames' lengths ---- */

/* The sum over lanes whose bit is set. */
static __rte_always_inline uint32_t octets_of(const uint32_t *octets, uint32_t bits)
{
	lanes_t sum = {0}, v;

	for (unsigned int g = 0; g < GROUPS; g++) {
		memcpy(&v, &octets[g * LANES], sizeof(v));
		sum += v & lanes_of(bits >> g * LANES & ALL_LANES);
	}
	return lanes_sum(sum);
}

/* Returns how many say something of ECN. */
static __rte_noinline uint32_t count_ecn(struct counters *c, const struct burst *b, uint32_t in)
{
	uint32_t marked = 0;
	lanes_t v;

	for (unsigned int g = 0; g < GROUPS; g++) {
		memcpy(&v, &b->ecn[g * LANES], sizeof(v));
		for (unsigned int i = 1; i <= TOS_ECN_MASK; i++) {
			uint32_t n = (uint32_t)__builtin_popcount(lanes_eq(v, (lanes_t){0} + i) &
								  in >> g * LANES);

			count_add(c, CNT_IPEXT_INNOECTPKTS + i, n);
			marked += n;
		}
	}
	return marked;
}

/* Those of `all` that stay on the fast path. */
static __rte_always_inline void count_burst(struct worker *w, struct burst *b, uint32_t all)
{
	struct counters *c = w->counters;
	uint32_t in = (uint32_t)__builtin_popcount(b->in);
	uint32_t out = (uint32_t)__builtin_popcount(b->forward);
	uint32_t in_octets, marked = 0;
	lanes_t ecn = {0}, v;

	for (unsigned int g = 0; g < GROUPS; g++) {
		memcpy(&v, &b->ecn[g * LANES], sizeof(v));
		ecn |= v & lanes_of(b->in >> g * LANES & ALL_LANES);
	}
	b->all_octets = octets_of(b->octets, all);
	in_octets = likely(b->in == all) ? b->all_octets : octets_of(b->octets, b->in);
	b->sent_octets = likely(b->forward == all && !b->any_padded)
				 ? b->all_octets : octets_of(b->total, b->forward);
	if (unlikely(lanes_eq(ecn, (lanes_t){0}) != ALL_LANES))
		marked = count_ecn(c, b, b->in);
	count_add(c, CNT_IPEXT_INNOECTPKTS, in - marked);
	count_add(c, CNT_IP_INRECEIVES, in);
	count_add(c, CNT_IPEXT_INOCTETS, in_octets);
	count_add(c, CNT_IP_FORWDATAGRAMS, out);
	count_add(c, CNT_IP_OUTTRANSMITS, out);
	count_add(c, CNT_IPEXT_OUTOCTETS, b->sent_octets);
}

/* What a device or another host has put behind the packet does not go on. */
static __rte_noinline void trim(const struct burst *b, struct rte_mbuf **m)
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
		.frame_rest = (uint16_t)(m->pkt_len - RTE_ETHER_HDR_LEN - b->total[i]),
		.arrival_ns = w->now_ns,
	};
	m->data_off += RTE_ETHER_HDR_LEN;
	m->data_len = (uint16_t)b->total[i];
	m->pkt_len = b->total[i];
}

_Static_assert(FAST_BURST <= FRAG_BURST, "all of a burst may be fragments");

/* What was collected before has been put together. */
static __rte_always_inline void collect(struct worker *w, const struct link *l,
					const struct burst *b, struct rte_mbuf **m,
					unsigned int from, unsigned int to)
{
	struct frag_burst *frags = &w->ip->frags;
	unsigned int n = 0;

	for (unsigned int i = from; i < to; i++) {
		packet_begin(w, l, b, m[i], i);
		packet_of(m[i])->route_type = ROUTE_LOCAL;
		frag_burst_set(frags, n++, m[i], DEFRAG_LOCAL_DELIVER);
	}
	frags->n = n;
}

static __rte_noinline void deliver(struct worker *w, const struct link *l, const struct burst *b,
				   struct rte_mbuf **m, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		packet_begin(w, l, b, m[i], i);
		packet_of(m[i])->route_type = ROUTE_LOCAL;
		ip_local_deliver_whole(w, m[i]);
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
		if (!p->next_addr)
			p->next_addr = packet_ip(m[i])->dst_addr;
		ip_forward(w, m[i]);
	}
}

/* Frames from `from` to `to` share a fate that is no link. */
static __rte_always_inline void hand_on(struct worker *w, struct link *l, const struct burst *b,
					struct rte_mbuf **m, unsigned int from, unsigned int to)
{
	if (b->fate[from] == FATE_PIECE)
		collect(w, l, b, m, from, to);
	else if (b->fate[from] == FATE_LOCAL)
		deliver(w, l, b, m, from, to);
	else if (b->fate[from] != FATE_GENERAL)
		forward(w, l, b, m, from, to);
	else
		eth_input(w, l, &m[from], to - from);
}

#ifndef FRAMES_PICK
#define FRAMES_PICK 0
static __rte_always_inline unsigned int frames_pick(struct rte_mbuf **to, struct rte_mbuf **m,
						    uint32_t bits)
{
	unsigned int n = 0;

	for (; bits; bits &= bits - 1)
		to[n++] = m[__builtin_ctz(bits)];
	return n;
}
#endif

/* What goes to a link, in order: frames whose bits are set, and what was kept, whose bytes are
 * added. Returns how many. */
static __rte_noinline unsigned int merge(const struct owed *o, unsigned int link,
					 struct rte_mbuf **to, struct rte_mbuf **m, uint32_t bits,
					 uint64_t *bytes)
{
	unsigned int n = 0;
	uint32_t part;

	for (unsigned int i = 0; i < o->n_kept; i++) {
		if (o->kept[i].link != link)
			continue;
		part = bits & o->kept[i].before;
		bits ^= part;
		if (part & (part - 1))
			n += frames_pick(to + n, m, part);
		else if (part)
			to[n++] = m[__builtin_ctz(part)];
		to[n++] = o->kept[i].m;
		*bytes += o->kept[i].m->pkt_len;
	}
	return n + frames_pick(to + n, m, bits);
}

_Static_assert(FAST_BURST == 32, "a bit for each frame");
_Static_assert(FAST_BURST + OWED_KEPT + FRAMES_PICK <= LINK_ROOM, "all that a burst leads to");

/* To a link those frames whose bits are set. */
static __rte_always_inline void send_some(struct worker *w, unsigned int link, struct rte_mbuf **m,
					  uint32_t bits, uint64_t bytes)
{
	struct rte_mbuf *part[LINK_ROOM], **room;

	room = link_xmit_room(w, link, (unsigned int)__builtin_popcount(bits));
	if (room)
		link_xmit_filled(w, link, frames_pick(room, m, bits), bytes);
	else
		link_xmit_bulk(w, link, part, frames_pick(part, m, bits), bytes);
}

/* Of those that go on as they are. */
static __rte_always_inline uint64_t bytes_of(const struct burst *b, uint32_t bits)
{
	return (bits == b->forward ? b->sent_octets : octets_of(b->total, bits)) +
	       (uint64_t)__builtin_popcount(bits) * RTE_ETHER_HDR_LEN;
}

/* All of a burst goes on as it is. Only the order at each link can be seen, so each link has all of
 * its frames at once. */
static __rte_always_inline void send_on(struct worker *w, const struct burst *b,
					struct rte_mbuf **m, uint32_t left)
{
	while (left) {
		unsigned int link = b->fate[__builtin_ctz(left)];
		uint32_t same = bytes_eq(b->fate, (uint8_t)link) & left;

		left &= ~same;
		if (likely(same == UINT32_MAX))
			link_xmit_bulk(w, link, m, FAST_BURST, bytes_of(b, same));
		else
			send_some(w, link, m, same, bytes_of(b, same));
	}
}

/* The same for what is owed, and those frames of the burst whose bits are set. Whether the burst is
 * whole by now nobody can foresee, and a wrong guess costs more than to gather it. */
static __rte_noinline void send_owed(struct worker *w, uint32_t left)
{
	struct owed *o = &w->ip->owed;
	const struct burst *b = o->burst;
	uint64_t others = o->own_links | o->kept_links, bytes;
	struct rte_mbuf *part[LINK_ROOM];

	while (left || others) {
		unsigned int link = left ? b->fate[__builtin_ctz(left)]
					 : (unsigned int)__builtin_ctzll(others);
		uint32_t same = bytes_eq(b->fate, (uint8_t)link) & left;

		left &= ~same;
		others &= ~(1ULL << link);
		bytes = bytes_of(b, same) + o->own[link].bytes;
		same |= o->own[link].frames;
		o->own[link].frames = o->own[link].bytes = 0;
		if (o->kept_links >> link & 1) {
			unsigned int n = merge(o, link, part, o->m, same, &bytes);

			link_xmit_bulk(w, link, part, n, bytes);
		} else {
			send_some(w, link, o->m, same, bytes);
		}
	}
	o->own_links = o->kept_links = 0;
	o->n_kept = 0;
}

/* A bit for each frame that comes before what is sent now. */
static __rte_always_inline uint32_t before_now(const struct owed *o)
{
	return (uint32_t)((1ULL << o->at) - 1);
}

/* There is no room to keep more. */
static __rte_noinline void pay(struct worker *w)
{
	struct owed *o = &w->ip->owed;
	struct burst *b = o->burst;
	uint32_t before = b->forward & before_now(o);

	send_owed(w, before);
	b->forward &= ~before;
	b->sent_octets -= octets_of(b->total, before);
}

/* What is sent meanwhile. A frame of those that are handled goes on from its place in the burst, as
 * if there had been nothing special about it; anything else is kept with its place. No place before
 * that of what was sent last is looked at, so all stays in order; a buffer that was freed and has
 * another packet now has a place that is as good. (What the burst says of the frame is read as
 * vectors, which would have to wait for a part that was written just now: so it is said apart.) */
static void keep(struct worker *w, unsigned int link, struct rte_mbuf *m)
{
	struct owed *o = &w->ip->owed;

	for (unsigned int i = o->at; i < o->to; i++) {
		if (o->m[i] != m)
			continue;
		o->own[link].frames |= 1u << i;
		o->own[link].bytes += m->pkt_len;
		o->own_links |= 1ULL << link;
		o->at = i + 1;
		return;
	}
	if (unlikely(o->n_kept == OWED_KEPT))
		pay(w);
	o->kept[o->n_kept].m = m;
	o->kept[o->n_kept].before = before_now(o);
	o->kept[o->n_kept++].link = link;
	o->kept_links |= 1ULL << link;
}

/* A burst of which not all goes on. What does, and what the others lead to, is sent together at the
 * end, or when there is no room to keep more. Fragments that are being collected come before what
 * stands behind them. */
static __rte_always_inline void onward_mixed(struct worker *w, struct link *l, struct burst *b,
					     struct rte_mbuf **m, uint32_t there)
{
	struct owed *o = &w->ip->owed;
	uint64_t alike;

	o->burst = b;
	o->m = m;
	o->at = o->to = 0;
	w->keep = keep;
	for (uint32_t left = there & ~b->forward; left; left &= (uint32_t)(~0ULL << o->to)) {
		unsigned int i = (unsigned int)__builtin_ctz(left);

		if (unlikely(w->ip->frags.n))
			ip_defrag_run(w);
		alike = bytes_eq(b->fate, b->fate[i]) & there;
		o->at = i;
		o->to = i + (unsigned int)__builtin_ctzll(~(alike >> i));
		hand_on(w, l, b, m, i, o->to);
	}
	if (unlikely(w->ip->frags.n))
		ip_defrag_run(w);
	w->keep = NULL;
	send_owed(w, b->forward);
}

static __rte_always_inline void onward(struct worker *w, struct link *l, struct burst *b,
				       struct rte_mbuf **m, uint32_t there)
{
	if (likely(b->forward == there))
		send_on(w, b, m, there);
	else
		onward_mixed(w, l, b, m, there);
}
