/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly: the rules, in Linux's order (ip_defrag, ip_frag_queue, ip_frag_reasm of
 * net/ipv4/ip_fragment.c, rule E); RFC 791 3.2, RFC 3168 5.3. The table is reassemble_table.c, how
 * fragments become runs and a chain is reassemble_runs.c, limits and timers are in
 * reassemble_worker.c.
 *
 * Fragments are taken a burst at a time: their keys are read, hashed side by side, and the
 * table's lines fetched before the first is looked up. A datagram whose fragments are all in one
 * burst, one behind the other, needs no place in the table.
 *
 * Fragments that are dropped with their datagram are counted at once but freed bit by bit, as
 * thousands of them may hang on one packet.
 */
#include "ipv4/reassemble.h"

#include <stddef.h>
#include <string.h>

#include <rte_ring.h>

#include "ipv4/reassemble_runs.h"
#include "ipv4/reassemble_worker.h"
#include "packet/chain.h"
#include "packet/checksum.h"
#include "packet/truesize.h"

#define QUEUE_BYTES 200        /* Linux's struct ipq */
#define COLD_QUEUES 8        /* from so many on it pays to fetch a queue ahead */

#define ECN_CE 3
#define ECN_BAD 0xff

static defrag_done_fn done_by[DEFRAG_USERS];

void defrag_register(enum defrag_user user, defrag_done_fn done)
{
	done_by[user] = done;
}

/* ---- giving up ---- */

/* The next one of the same datagram does not belong where the one before this went. */
static __rte_noinline void refuse(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	w->ip->defrag->recent = NULL;
	count(w->counters, CNT_IP_REASMFAILS);
	packet_drop(w, m, reason);
}

/* Drop the fragments of a datagram, but not the queue. */
static void empty(struct worker *w, struct defrag *d, struct frag_queue *q,
		  enum drop_reason reason)
{
	w->counters->drop[reason] += q->n;
	d->t.bytes -= q->bytes;
	q->bytes = 0;
	frag_discard(&d->t, q);
}

static inline void queue_end(struct defrag *d, struct frag_queue *q)
{
	if (unlikely(d->ring))
		defrag_disown(d, frag_owner_entry(&d->t, q->addrs));
	frag_queue_free(&d->t, q);
	d->recent = NULL;
}

void defrag_discard(struct worker *w, struct defrag *d, struct frag_queue *q,
		    enum drop_reason reason)
{
	empty(w, d, q, reason);
	queue_end(d, q);
}

static __rte_noinline void fail(struct worker *w, struct defrag *d, struct frag_queue *q,
				enum drop_reason reason)
{
	count(w->counters, CNT_IP_REASMFAILS);
	defrag_discard(w, d, q, reason);
}

/* A fragment that does not agree with the others takes them with it. */
static __rte_noinline void kill(struct worker *w, struct defrag *d, struct frag_queue *q,
				struct rte_mbuf *m, enum drop_reason reason)
{
	defrag_discard(w, d, q, reason);
	refuse(w, m, reason);
}

/* ---- completion ---- */

/* By which codepoints were seen (CE, ECT(0), ECT(1), Not-ECT, from the highest bit): what is to be
 * added to the first fragment's TOS. Rule E. */
static const uint8_t ecn_table[FRAG_ECN + 1] = {
	0, 0, 0, ECN_BAD, 0, ECN_BAD, 0, ECN_BAD,
	0, ECN_BAD, ECN_CE, ECN_BAD, ECN_CE, ECN_BAD, ECN_CE, ECN_BAD,
};

/* Make the first fragment's header that of the whole; its checksum, which was right
 * unless there are options, follows what changes (RFC 1624, eqn. 3). */
static inline void header_finish(struct rte_ipv4_hdr *ip, uint32_t total, uint8_t ecn, bool df)
{
	rte_be16_t length = rte_cpu_to_be_16((uint16_t)total), fragment = df ? FRAG_DF : 0;
	uint8_t tos = ip->type_of_service | ecn;
	uint32_t sum = (uint16_t)~ip->hdr_checksum;

	sum += (uint16_t)~ip->total_length + (uint32_t)length;
	sum += (uint16_t)~ip->fragment_offset + (uint32_t)fragment;
	sum += rte_cpu_to_be_16((uint16_t)(tos - ip->type_of_service));
	ip->type_of_service = tos;
	ip->total_length = length;
	ip->fragment_offset = fragment;
	ip->hdr_checksum = (uint16_t)~checksum_fold(sum);
	if (unlikely(ip->version_ihl != 0x45))
		checksum_header_set(ip);
}

/* What is known of the datagram is what was known of the fragment that came last, but for how the
 * first was addressed on the link and what it occupies, for its mark and its options; and its own
 * link is remembered. */
static inline void facts_move(struct packet *to, const struct packet *from)
{
	_Static_assert(offsetof(struct packet, frag_max_size) >
			       offsetof(struct packet, spec_dst), "all facts are before that");
	uint16_t frame_rest = to->frame_rest;
	uint8_t type = to->type, origin = to->origin;

	if (to == from)
		return;
	if (unlikely(to->link != from->link))
		to->first_link = to->link + 1;
	memcpy(to, from, offsetof(struct packet, frag_max_size));
	to->type = type;
	to->origin = origin;
	to->frame_rest = frame_rest;
}

/* Nothing can become of fragments that contradict each other about congestion, or are too much. */
static inline bool whole_bad(uint32_t seen, uint32_t total)
{
	return unlikely(ecn_table[seen & FRAG_ECN] == ECN_BAD || total > RTE_IPV4_MAX_PKT_LEN);
}

/* q's fragments, which are one chain, become a datagram; facts: of the one that came last. */
static __rte_always_inline struct rte_mbuf *whole_make(struct worker *w,
						       const struct frag_queue *q,
						       const struct packet *facts)
{
	bool df = q->max_df_size == q->max_size;
	struct rte_mbuf *m = q->head;
	struct packet *p = packet_of(m);

	m->pkt_len = rte_ipv4_hdr_len(packet_ip(m)) + q->len;
	m->nb_segs = q->segs;
	header_finish(packet_ip(m), m->pkt_len, ecn_table[q->seen & FRAG_ECN], df);
	facts_move(p, facts);
	p->arrival_ns = w->now_ns;
	p->frag_max_size = q->max_size;
	if (df)
		p->flags |= PACKET_F_FRAG_PMTU;
	w->counters->delivered += q->n - 1u;
	count(w->counters, CNT_IP_REASMOKS);
	return m;
}

/* All is there. NULL: it can't become a datagram. */
static __rte_always_inline struct rte_mbuf *complete(struct worker *w, struct defrag *d,
						     struct frag_queue *q,
						     const struct packet *facts)
{
	struct rte_mbuf *m;

	if (unlikely(q->chunk != FRAG_NONE))
		frag_join(&d->t, q);
	if (whole_bad(q->seen, rte_ipv4_hdr_len(packet_ip(q->head)) + q->len)) {
		fail(w, d, q, ecn_table[q->seen & FRAG_ECN] == ECN_BAD ? DROP_FRAG_ECN
								       : DROP_FRAG_OVERSIZE);
		return NULL;
	}
	m = whole_make(w, q, facts);
	d->t.bytes -= q->bytes;
	d->t.segs -= q->segs;
	d->t.fragments -= q->n;
	queue_end(d, q);
	return m;
}

/* ---- one fragment ---- */

static inline uint32_t piece_offset(struct frag_piece piece)
{
	return (piece.word & RTE_IPV4_HDR_OFFSET_MASK) * (uint32_t)FRAG_UNIT_BYTES;
}

/* Where a fragment lies, and what may be wrong with that. False: it contradicts what is known of
 * the datagram, or there is nothing in it. */
static inline bool fragment_ends(struct frag_queue *q, uint32_t offset, uint32_t *end, bool more)
{
	if (!more) {
		if (unlikely(*end < q->len ||
			     (q->seen & FRAG_LAST_IN && *end != q->len)))
			return false;
		q->seen |= FRAG_LAST_IN;
		q->len = *end;
	} else {
		*end &= ~(FRAG_UNIT_BYTES - 1u);
		if (*end > q->len) {
			if (unlikely(q->seen & FRAG_LAST_IN))
				return false;
			q->len = *end;
		}
	}
	return *end != offset;
}

/* Cut what sticks out, mark where the fragment begins, and take its header off unless it is to be
 * the datagram's. */
static inline void fragment_prepare(struct rte_mbuf *m, uint32_t header, uint32_t bytes,
				    bool first)
{
	if (unlikely(m->pkt_len != header + bytes))
		packet_trim(m, header + bytes);
	if (unlikely(m->nb_segs > 1)) {
		chain_mark(m, (uint16_t)header);
		if (!first)
			chain_strip(m);
		return;
	}
	packet_of(m)->frag_bytes = (uint16_t)bytes;
	packet_of(m)->frag_header = (uint8_t)header;
	if (first)
		return;
	m->data_off += (uint16_t)header;
	m->data_len = (uint16_t)bytes;
	m->pkt_len = bytes;
}

/* Note all that a fragment says of its datagram. */
static inline void fragment_note(struct frag_queue *q, uint32_t size, struct frag_piece piece,
				 uint16_t link)
{
	bool first = !(piece.word & RTE_IPV4_HDR_OFFSET_MASK);

	q->seen |= (uint16_t)(1u << (piece.tos & TOS_ECN_MASK) | first * FRAG_FIRST_IN);
	q->link = link;
	q->max_size = RTE_MAX(q->max_size, (uint16_t)size);
	if (piece.word & RTE_IPV4_HDR_DF_FLAG)
		q->max_df_size = RTE_MAX(q->max_df_size, (uint16_t)size);
}

/* Put a fragment to its datagram's. Returns the datagram if that was the last one. Consumes m. */
static __rte_always_inline struct rte_mbuf *fragment_queue(struct worker *w, struct defrag *d,
					      struct frag_queue *q, struct rte_mbuf *m,
					      struct frag_piece piece)
{
	uint32_t offset = piece_offset(piece), end = offset + piece.bytes, cost;
	enum frag_fit fit;

	if (unlikely(!fragment_ends(q, offset, &end, piece.word & RTE_IPV4_HDR_MF_FLAG))) {
		kill(w, d, q, m, DROP_FRAG_INVALID);
		return NULL;
	}
	fit = frag_fit(&d->t, q, offset, end);
	if (unlikely(fit == FRAG_DUPLICATE)) {
		packet_drop(w, m, DROP_DUP_FRAG);
		return NULL;
	}
	if (unlikely(fit == FRAG_OVERLAP)) {
		count(w->counters, CNT_IPEXT_REASMOVERLAPS);
		kill(w, d, q, m, DROP_FRAG_OVERLAP);
		return NULL;
	}
	cost = packet_truesize_of(packet_of(m), piece.header + piece.bytes);
	fragment_prepare(m, piece.header, end - offset, offset == 0);
	frag_insert(&d->t, q, m, offset, end, fit);
	fragment_note(q, end - offset + piece.header, piece, packet_of(m)->link);
	q->n++;
	q->segs += m->nb_segs;
	q->meat += end - offset;
	q->bytes += cost;
	d->t.fragments++;
	d->t.segs += m->nb_segs;
	d->t.bytes += cost;
	/* as nothing overlaps, the first is there, too */
	if (q->meat != q->len || !(q->seen & FRAG_LAST_IN))
		return NULL;
	return complete(w, d, q, packet_of(m));
}

/* A datagram of which nothing is known yet. NULL: no room. */
static inline struct frag_queue *queue_begin(struct worker *w, struct defrag *d,
					     struct frag_key key, uint64_t hash)
{
	struct frag_queue *q = frag_queue_new(&d->t, key, hash, d->max_dist != 0);

	if (unlikely(!q))
		return NULL;
	frag_queue_arm(&d->t, q, w->now_ns, d->timeout);
	if (unlikely(d->ring))
		defrag_own(d, frag_owner_entry(&d->t, key.addrs));
	q->bytes = QUEUE_BYTES;
	d->t.bytes += QUEUE_BYTES;
	if (likely(q->source != FRAG_NONE))
		frag_distance(&d->t, q);
	return q;
}

/* The sender has sent so much else meanwhile that its identifications may have come round: what
 * is there is of another datagram. */
static __rte_noinline void queue_restart(struct worker *w, struct defrag *d,
					 struct frag_queue *q)
{
	count(w->counters, CNT_IP_REASMFAILS);
	empty(w, d, q, DROP_FRAG_TOO_FAR);
	q->bytes = QUEUE_BYTES;
	d->t.bytes += QUEUE_BYTES;
	frag_queue_rearm(&d->t, q, w->now_ns, d->timeout);
}

/* guess: frag_find()'s. again: of the same datagram as the last fragment of this burst. */
static __rte_always_inline struct rte_mbuf *fragment_input(struct worker *w, struct defrag *d,
					      struct rte_mbuf *m, struct frag_piece piece,
					      struct frag_key key, uint64_t hash,
					      uint16_t guess, bool again)
{
	struct frag_queue *q = again ? d->recent : NULL;

	if (unlikely((int64_t)d->t.bytes > d->bytes_room)) {
		refuse(w, m, DROP_FRAG_HIGH_THRESH);
		return NULL;
	}
	if (unlikely((int64_t)d->t.segs + m->nb_segs > d->mbufs_room)) {
		refuse(w, m, DROP_FRAG_MBUFS_MAX);
		return NULL;
	}
	if (!q)
		q = frag_find(&d->t, key, hash, guess);
	if (!q) {
		q = queue_begin(w, d, key, hash);
		if (unlikely(!q)) {
			refuse(w, m, DROP_FRAG_TABLE_FULL);
			return NULL;
		}
	} else if (likely(q->source != FRAG_NONE && d->max_dist) &&
		   unlikely(frag_distance(&d->t, q) > d->max_dist)) {
		queue_restart(w, d, q);
	}
	d->recent = q;
	return fragment_queue(w, d, q, m, piece);
}

/* ---- bursts ---- */

_Static_assert(FRAG_BURST % SIPHASH_LANES == 0, "what siphash_many() needs");

/* Which fragments are of the same datagram as the one before? A bit each. */
static inline uint32_t burst_same(const struct frag_burst *b)
{
	uint32_t same = 0;

	for (unsigned int i = 1; i < b->n; i++) {
		uint64_t difference = (b->addrs[i] ^ b->addrs[i - 1]) |
				      (b->rest[i] ^ b->rest[i - 1]);

		same |= (uint32_t)!difference << i;
	}
	return same;
}

static inline struct frag_key burst_key(const struct frag_burst *b, unsigned int i)
{
	return (struct frag_key){.addrs = b->addrs[i], .rest = (uint32_t)b->rest[i]};
}

static inline void burst_hash(const struct defrag *d, struct frag_burst *b, uint64_t *hash)
{
	for (unsigned int i = b->n; i % SIPHASH_LANES; i++)
		b->addrs[i] = b->rest[i] = 0;
	siphash_many(&d->t.key, b->addrs, b->rest, hash, b->n);
	for (unsigned int i = 0; i < b->n; i++)
		rte_prefetch0(frag_bucket_1st(&d->t, (uint32_t)hash[i]));
}

/* The same where all are of one datagram. */
static inline void one_hash(const struct defrag *d, const struct frag_burst *b, uint64_t *hash)
{
	hash[0] = siphash_one(&d->t.key, b->addrs[0], b->rest[0]);
	for (unsigned int i = 1; i < b->n; i++)
		hash[i] = hash[0];
}

/* Look ahead for what the fragments are of. */
static inline void burst_guess(const struct defrag *d, const struct frag_burst *b,
			       const uint64_t *hash, uint16_t *guess)
{
	for (unsigned int i = 0; i < b->n; i++)
		guess[i] = frag_prefetch(&d->t, (uint32_t)b->addrs[i], hash[i]);
}

static void give_away(struct worker *w, struct defrag *d, struct rte_mbuf *m, uint32_t entry,
		      unsigned int owner, enum defrag_user user)
{
	if (likely(defrag_hand_over(d, owner, m, user)))
		return;
	frag_owner_give_back(entry);
	count(w->counters, CNT_IP_REASMREQDS);
	refuse(w, m, DROP_FRAG_QUEUE_FULL);
}

/* Entries that are this worker's at least until it is done with the burst, whatever becomes of the
 * datagrams that made them so. */
struct burst_entries {
	unsigned int n;
	uint32_t entry[FRAG_BURST];
};

/* Let other workers have what is theirs. */
static void burst_share(struct worker *w, struct defrag *d, struct frag_burst *b,
			enum defrag_user user, struct burst_entries *held)
{
	unsigned int own = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		uint32_t entry = frag_owner_entry(&d->t, b->addrs[i]);

		if (!d->owned[entry]) {
			unsigned int owner = frag_owner_take(entry, w->id);

			if (unlikely(owner != w->id)) {
				give_away(w, d, b->m[i], entry, owner, user);
				continue;
			}
		}
		if (!held->n || held->entry[held->n - 1] != entry) {
			defrag_own(d, entry);
			held->entry[held->n++] = entry;
		}
		b->m[own] = b->m[i];
		b->piece[own] = b->piece[i];
		b->addrs[own] = b->addrs[i];
		b->rest[own++] = b->rest[i];
	}
	b->n = own;
}

/* The others may have the entries, and are to know what is held now. */
static __rte_noinline void burst_shared(struct defrag *d, const struct burst_entries *held)
{
	for (unsigned int i = 0; i < held->n; i++)
		defrag_disown(d, held->entry[i]);
	defrag_settle(d);
	d->limits_old = true;
}

/* Hand a datagram on, which may bring on other fragments. */
static inline void go_on(struct worker *w, struct defrag *d, struct rte_mbuf *m,
			 enum defrag_user user)
{
	done_by[user](w, m);
	d->recent = NULL;
}

/* How many fragments from `at` on are a whole datagram, in order, with which nothing is wrong? 0:
 * they are not. same: of those behind `at`, a bit each. */
static inline unsigned int train(const struct frag_burst *b, unsigned int at, uint64_t same)
{
	uint32_t end = 0, seen = 0;

	for (unsigned int i = at;; i++, same >>= 1) {
		struct frag_piece piece = b->piece[i];

		if (piece_offset(piece) != end || !piece.bytes)
			return 0;
		seen |= 1u << (piece.tos & TOS_ECN_MASK);
		end += piece.bytes;
		if (!(piece.word & RTE_IPV4_HDR_MF_FLAG))
			return whole_bad(seen, b->piece[at].header + end) ? 0 : i - at + 1;
		if (piece.bytes % FRAG_UNIT_BYTES || !(same & 1))
			return 0;
	}
}

/* Most datagrams' fragments come one behind the other, and many in one burst. Such a datagram has
 * no need of the table, if nothing of it waits there. True: done. */
static __rte_noinline bool train_input(struct worker *w, struct defrag *d,
				       const struct frag_burst *b, unsigned int at,
				       unsigned int n, uint64_t hash, enum defrag_user user)
{
	struct frag_queue q = {.n = (uint16_t)n};
	struct rte_mbuf *m = NULL;

	if (unlikely((int64_t)(d->t.bytes + n * TRUESIZE_MAX) > d->bytes_room ||
		     (int64_t)d->t.segs + n * UINT8_MAX > d->mbufs_room) ||
	    frag_find(&d->t, burst_key(b, at), hash, FRAG_NONE))
		return false;
	for (unsigned int i = at; i < at + n; i++) {
		struct frag_piece piece = b->piece[i];

		m = b->m[i];
		fragment_prepare(m, piece.header, piece.bytes, i == at);
		frag_insert(&d->t, &q, m, q.len, q.len + piece.bytes,
			    i == at ? FRAG_FIRST : FRAG_NEXT);
		q.segs += m->nb_segs;
		q.len += piece.bytes;
		fragment_note(&q, piece.bytes + piece.header, piece, packet_of(m)->link);
	}
	if (d->t.n_queues && d->max_dist)
		frag_source_sent(&d->t, (uint32_t)b->addrs[at], n);
	go_on(w, d, whole_make(w, &q, packet_of(m)), user);
	return true;
}

/* Nothing is taken any more, whatever datagram it is of and whoever collects that, and none of this
 * burst will change it. With several workers each does so for what comes to it. */
static __rte_noinline void burst_refuse(struct worker *w, struct defrag *d, struct frag_burst *b)
{
	count_add(w->counters, CNT_IP_REASMREQDS, b->n);
	count_add(w->counters, CNT_IP_REASMFAILS, b->n);
	packet_drop_bulk(w, b->m, b->n,
			 d->overload.refuses ? DROP_FRAG_OVERLOAD : DROP_FRAG_HIGH_THRESH);
	b->n = 0;
	d->changed = true;
}

void defrag_input(struct worker *w, struct defrag *d, struct frag_burst *b, enum defrag_user user)
{
	struct burst_entries held;
	uint64_t hash[FRAG_BURST];
	uint16_t guess[FRAG_BURST];
	unsigned int step;
	uint64_t same;               /* as many bits as fragments, and one */

	held.n = 0;
	d->overload.came += b->n;
	if (d->limits_old)
		defrag_limits_read(w, d);
	if (unlikely(d->overload.refuses || (int64_t)d->t.bytes > d->bytes_room)) {
		burst_refuse(w, d, b);
		return;
	}
	if (unlikely(d->ring))
		burst_share(w, d, b, user, &held);
	count_add(w->counters, CNT_IP_REASMREQDS, b->n);
	d->arrived += b->n;
	same = burst_same(b);
	memset(guess, 0xff, sizeof(guess));
	if ((uint32_t)same == (uint32_t)((1ULL << b->n) - 2)) {         /* all but the first */
		one_hash(d, b, hash);
	} else {
		burst_hash(d, b, hash);
		if (d->t.n_queues > COLD_QUEUES)
			burst_guess(d, b, hash, guess);
	}
	d->recent = NULL;
	for (unsigned int i = 0; i < b->n; i += step, same >>= step) {
		struct rte_mbuf *whole;

		step = same & 2 ? train(b, i, same >> 1) : 0;
		if (step && train_input(w, d, b, i, step, hash[i], user))
			continue;
		step = 1;
		whole = fragment_input(w, d, b->m[i], b->piece[i], burst_key(b, i), hash[i],
				       guess[i], same & 1);
		if (whole)
			go_on(w, d, whole, user);
	}
	b->n = 0;
	d->changed = true;
	if (unlikely(d->ring))
		burst_shared(d, &held);
}

/* What others have handed over meanwhile came in before these. */
static void input(struct worker *w, struct frag_burst *b, enum defrag_user user)
{
	struct defrag *d = w->ip->defrag;

	if (unlikely(d->ring) && !rte_ring_empty(d->ring))
		defrag_ring_input(w, d);
	defrag_input(w, d, b, user);
}

void ip_defrag(struct worker *w, struct rte_mbuf *m, enum defrag_user user)
{
	struct frag_burst b = {.n = 0};

	frag_burst_add(&b, m, user);
	input(w, &b, user);
}

void ip_defrag_run(struct worker *w)
{
	input(w, &w->ip->frags, DEFRAG_LOCAL_DELIVER);
}
