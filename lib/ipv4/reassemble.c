/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly: the rules, in Linux's order (ip_defrag, ip_frag_queue, ip_frag_reasm, ip_expire of
 * net/ipv4/ip_fragment.c, rule E); RFC 791 3.2, RFC 3168 5.3. The table is reassemble_table.c, how
 * fragments become runs and a chain is reassemble_runs.c.
 *
 * Two limits hold what fragments may occupy. net.ipv4.ipfrag_high_thresh is Linux's: it counts
 * what Linux would need for them (200 bytes for a datagram and packet_truesize() for a fragment;
 * both were found out on a running kernel), and above it every fragment is dropped, also of
 * datagrams that are half there. net.millrace.ipfrag_mbufs_max is our own and counts the mbufs
 * that are really held, so that receive queues never run dry. Both are limits on all workers
 * together; each knows what it has itself and what the others had when it last looked, a loop ago.
 *
 * Where there are several workers, a datagram's fragments may come in on any of them, so a hash
 * says which one collects them; the others hand theirs over through its ring.
 *
 * Fragments that are dropped with their datagram are counted at once but freed bit by bit, as
 * thousands of them may hang on one packet.
 *
 * A sender's fragments (net.ipv4.ipfrag_max_dist) are counted by each worker for itself.
 */
#include "ipv4/reassemble.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>

#include <rte_errno.h>
#include <rte_malloc.h>

#include "core/clock.h"
#include "core/dpdk.h"
#include "core/message.h"
#include "core/sysctl.h"
#include "ipv4/internal.h"
#include "ipv4/reassemble_runs.h"
#include "ipv4/reassemble_table.h"
#include "packet/chain.h"
#include "packet/checksum.h"
#include "packet/truesize.h"

#define QUEUE_BYTES 200        /* Linux's struct ipq */
#define POOL_SHARE 4           /* the part of the pool that fragments may hold by default */

#define RING_SIZE 2048
#define RING_BATCH 32
#define RING_TURN 256          /* fragments taken from the ring in one turn of the loop */
#define EXPIRE_TURN 32         /* timers */
#define BURY_TURN 1024         /* mbufs freed: more than can come in */
#define COLD_QUEUES 128        /* from so many on it pays to fetch a queue ahead */

#define ECN_CE 3
#define ECN_BAD 0xff

static struct {
	int32_t time_s, high_thresh, low_thresh, max_dist, secret_interval, mbufs_max;
} settings;

struct defrag {
	struct frag_table t;
	bool limits_old;             /* those that follow are of another turn of the loop */
	int64_t bytes_room;          /* more than so many held: no fragment is taken */
	int64_t mbufs_room;          /* no more than so many are held */
	uint64_t timeout_ns;
	uint64_t flush_until_ns;     /* queues begun up to then are to be dropped; 0: none */
	uint32_t max_dist;
	bool changed;                /* since the figures were published */
	struct rte_ring *ring;       /* from other workers; NULL: there are none */
	struct frag_queue *recent;   /* where the last fragment of this burst went; NULL: nowhere */
	struct frag_queue passing;   /* a datagram that need not wait; not in the table */
	struct defrag_info info __rte_cache_aligned; /* published */
};

static defrag_done_fn done_by[DEFRAG_USERS];
static struct siphash_key secret;

void defrag_register(enum defrag_user user, defrag_done_fn done)
{
	done_by[user] = done;
}

/* ---- limits ---- */

uint64_t defrag_bytes_max(void)
{
	return (uint64_t)__atomic_load_n(&settings.high_thresh, __ATOMIC_RELAXED);
}

uint64_t defrag_mbufs_max(void)
{
	uint64_t max = (uint64_t)__atomic_load_n(&settings.mbufs_max, __ATOMIC_RELAXED);
	const struct rte_mempool *pool;

	if (max)
		return max;
	pool = packet_pool(SOCKET_ID_ANY);
	return pool ? RTE_MIN(pool->size / POOL_SHARE, (uint32_t)FRAG_MBUFS_MAX) : FRAG_MBUFS_MAX;
}

/* What settings, and what the other workers hold, leave for this one. */
static void limits_read(struct worker *w, struct defrag *d)
{
	int64_t high = (int64_t)defrag_bytes_max(), mbufs = (int64_t)defrag_mbufs_max();

	for (unsigned int i = 0; i < workers_count; i++) {
		const struct defrag *other = workers[i]->ip ? workers[i]->ip->defrag : NULL;

		if (!other || workers[i] == w)
			continue;
		high -= (int64_t)__atomic_load_n(&other->info.bytes, __ATOMIC_RELAXED);
		mbufs -= (int64_t)__atomic_load_n(&other->info.mbufs, __ATOMIC_RELAXED);
	}
	d->limits_old = false;
	/* 0 means none, though nothing is held */
	d->bytes_room = high > 0 ? high : -1;
	d->mbufs_room = mbufs;
	d->max_dist = (uint32_t)__atomic_load_n(&settings.max_dist, __ATOMIC_RELAXED);
	d->timeout_ns = (uint64_t)__atomic_load_n(&settings.time_s, __ATOMIC_RELAXED) *
			NSEC_PER_SEC;
}

/* ---- giving up ---- */

static __rte_noinline void refuse(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
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
	if (q != &d->passing)
		frag_queue_free(&d->t, q);
	d->recent = NULL;
}

static void discard(struct worker *w, struct defrag *d, struct frag_queue *q,
		    enum drop_reason reason)
{
	empty(w, d, q, reason);
	queue_end(d, q);
}

static __rte_noinline void fail(struct worker *w, struct defrag *d, struct frag_queue *q,
				enum drop_reason reason)
{
	count(w->counters, CNT_IP_REASMFAILS);
	discard(w, d, q, reason);
}

/* A fragment that does not agree with the others takes them with it. */
static __rte_noinline void kill(struct worker *w, struct defrag *d, struct frag_queue *q,
				struct rte_mbuf *m, enum drop_reason reason)
{
	discard(w, d, q, reason);
	refuse(w, m, reason);
}

/* ---- completion ---- */

/* By which codepoints were seen (CE, ECT(0), ECT(1), Not-ECT, from the highest bit): what is to be
 * added to the first fragment's TOS. Rule E. */
static const uint8_t ecn_table[FRAG_ECN + 1] = {
	0, 0, 0, ECN_BAD, 0, ECN_BAD, 0, ECN_BAD,
	0, ECN_BAD, ECN_CE, ECN_BAD, ECN_CE, ECN_BAD, ECN_CE, ECN_BAD,
};

/* Make the first fragment's header that of the whole; its checksum, which was right, follows what
 * changes (RFC 1624, eqn. 3). */
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
}

/* What is known of the datagram is what was known of the fragment that came last, but for how it
 * was addressed on the link. */
static inline void facts_move(struct packet *to, const struct packet *from)
{
	uint8_t type = to->type;

	if (to == from)
		return;
	memcpy(to, from, offsetof(struct packet, frag_max_size));
	to->type = type;
}

/* All is there; facts: of the fragment that came last. NULL: it can't become a datagram. */
static struct rte_mbuf *complete(struct worker *w, struct defrag *d, struct frag_queue *q,
				 const struct packet *facts)
{
	uint8_t ecn = ecn_table[q->seen & FRAG_ECN];
	bool df = q->max_df_size == q->max_size;
	uint32_t header, total;
	struct rte_mbuf *m;
	struct packet *p;

	if (unlikely(q->chunk != FRAG_NONE))
		frag_join(&d->t, q);
	m = q->head;
	header = rte_ipv4_hdr_len(packet_ip(m));
	total = header + q->len;
	if (unlikely(ecn == ECN_BAD || total > RTE_IPV4_MAX_PKT_LEN)) {
		fail(w, d, q, ecn == ECN_BAD ? DROP_FRAG_ECN : DROP_FRAG_OVERSIZE);
		return NULL;
	}
	header_finish(packet_ip(m), total, ecn, df);
	m->pkt_len = total;
	m->nb_segs = q->segs;
	p = packet_of(m);
	facts_move(p, facts);
	p->arrival_ns = w->now_ns;
	p->frag_max_size = q->max_size;
	if (df)
		p->flags |= PACKET_F_FRAG_PMTU;
	w->counters->delivered += q->n - 1u;
	count(w->counters, CNT_IP_REASMOKS);
	d->t.bytes -= q->bytes;
	d->t.segs -= q->segs;
	d->t.fragments -= q->n;
	queue_end(d, q);
	return m;
}

/* ---- one fragment ---- */

/* What its header says. */
struct piece {
	uint16_t word;               /* fragment offset and flags */
	uint8_t header;              /* its length */
	uint8_t tos;
	uint32_t bytes;              /* of payload */
};

static inline struct piece piece_of(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip)
{
	return (struct piece){
		.word = rte_be_to_cpu_16(ip->fragment_offset),
		.header = rte_ipv4_hdr_len(ip),
		.tos = ip->type_of_service,
		.bytes = m->pkt_len - rte_ipv4_hdr_len(ip),
	};
}

static inline uint32_t piece_offset(struct piece piece)
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
static inline void fragment_note(struct frag_queue *q, uint32_t size, struct piece piece,
				 uint16_t link)
{
	uint32_t seen = 1u << (piece.tos & TOS_ECN_MASK);

	if (!(piece.word & RTE_IPV4_HDR_OFFSET_MASK))
		seen |= FRAG_FIRST_IN;
	q->seen |= (uint16_t)seen;
	q->link = link;
	q->max_size = RTE_MAX(q->max_size, (uint16_t)size);
	if (piece.word & RTE_IPV4_HDR_DF_FLAG)
		q->max_df_size = RTE_MAX(q->max_df_size, (uint16_t)size);
}

/* Put a fragment to its datagram's. Returns the datagram if that was the last one. Consumes m. */
static __rte_always_inline struct rte_mbuf *fragment_queue(struct worker *w, struct defrag *d,
					      struct frag_queue *q, struct rte_mbuf *m,
					      struct piece piece)
{
	uint32_t cost = packet_truesize(piece.header + piece.bytes);
	uint32_t offset = piece_offset(piece), end = offset + piece.bytes;
	enum frag_fit fit;

	if (unlikely(!fragment_ends(q, offset, &end, piece.word & RTE_IPV4_HDR_MF_FLAG))) {
		kill(w, d, q, m, DROP_FRAG_INVALID);
		return NULL;
	}
	fragment_prepare(m, piece.header, end - offset, offset == 0);
	fit = frag_insert(&d->t, q, m, offset, end);
	if (unlikely(fit != FRAG_FITS)) {
		if (fit == FRAG_DUPLICATE) {
			packet_drop(w, m, DROP_DUP_FRAG);
			return NULL;
		}
		count(w->counters, CNT_IPEXT_REASMOVERLAPS);
		kill(w, d, q, m, DROP_FRAG_OVERLAP);
		return NULL;
	}
	fragment_note(q, end - offset + piece.header, piece, packet_of(m)->link);
	q->n++;
	q->segs += m->nb_segs;
	q->meat += end - offset;
	q->bytes += cost;
	d->t.fragments++;
	d->t.segs += m->nb_segs;
	d->t.bytes += cost;
	if (q->meat != q->len || (q->seen & FRAG_BOTH_IN) != FRAG_BOTH_IN)
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
	frag_queue_arm(&d->t, q, w->now_ns, d->timeout_ns);
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
	frag_queue_disarm(&d->t, q);
	frag_queue_arm(&d->t, q, w->now_ns, d->timeout_ns);
}

/* again: of the same datagram as the last fragment of this burst. */
static __rte_always_inline struct rte_mbuf *fragment_input(struct worker *w, struct defrag *d,
					      struct rte_mbuf *m, struct piece piece,
					      struct frag_key key, uint64_t hash, bool again)
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
		q = frag_find(&d->t, key, hash);
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

/* ---- several workers ---- */

static inline unsigned int owner_of(uint64_t hash)
{
	return (unsigned int)((hash >> 32) * workers_count >> 32);
}

static void hand_over(struct worker *w, struct rte_mbuf *m, unsigned int owner,
		      enum defrag_user user)
{
	packet_of(m)->frag_header = user;
	if (likely(!rte_ring_mp_enqueue(workers[owner]->ip->defrag->ring, m)))
		return;
	count(w->counters, CNT_IP_REASMREQDS);
	refuse(w, m, DROP_FRAG_QUEUE_FULL);
}

/* ---- bursts ---- */

static void publish(struct defrag *d)
{
	const struct frag_queue *oldest = frag_queue_next(&d->t);

	d->changed = false;
	__atomic_store_n(&d->info.queues, d->t.n_queues, __ATOMIC_RELAXED);
	__atomic_store_n(&d->info.fragments, d->t.fragments, __ATOMIC_RELAXED);
	__atomic_store_n(&d->info.mbufs, d->t.segs, __ATOMIC_RELAXED);
	__atomic_store_n(&d->info.bytes, d->t.bytes, __ATOMIC_RELAXED);
	__atomic_store_n(&d->info.oldest_ns, oldest ? frag_queue_born_ns(&d->t, oldest) : 0,
			 __ATOMIC_RELAXED);
}

/* Fragments that came together; the arrays have room for siphash_many(). */
struct burst {
	unsigned int n;
	struct rte_mbuf *m[IP_BURST];
	uint64_t addrs[IP_BURST];
	uint64_t rest[IP_BURST];     /* frag_hash_word() */
	uint64_t hash[IP_BURST];
	struct piece piece[IP_BURST];
};

_Static_assert(IP_BURST % SIPHASH_LANES == 0, "what siphash_many() needs");

static inline struct frag_key burst_key(const struct burst *b, unsigned int i)
{
	return (struct frag_key){.addrs = b->addrs[i], .rest = (uint32_t)b->rest[i]};
}

static inline bool burst_same(const struct burst *b, unsigned int i, unsigned int j)
{
	return b->addrs[i] == b->addrs[j] && b->rest[i] == b->rest[j];
}

static void burst_begin(struct burst *b, const struct siphash_key *secret_key,
			struct rte_mbuf **m, unsigned int n, enum defrag_user user)
{
	unsigned int i;

	b->n = n;
	for (i = 0; i < n; i++) {
		const struct rte_ipv4_hdr *ip = packet_ip(m[i]);
		struct frag_key key = frag_key_of(ip, user);

		b->m[i] = m[i];
		b->piece[i] = piece_of(m[i], ip);
		b->addrs[i] = key.addrs;
		b->rest[i] = frag_hash_word(key);
	}
	if (n == 1) {
		b->hash[0] = siphash_one(secret_key, b->addrs[0], b->rest[0]);
		return;
	}
	for (; i % SIPHASH_LANES; i++)
		b->addrs[i] = b->rest[i] = 0;
	siphash_many(secret_key, b->addrs, b->rest, b->hash, n);
}

/* Let other workers have what is theirs. */
static void burst_share(struct worker *w, struct burst *b, enum defrag_user user)
{
	unsigned int own = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		if (owner_of(b->hash[i]) != w->id) {
			hand_over(w, b->m[i], owner_of(b->hash[i]), user);
			continue;
		}
		b->m[own] = b->m[i];
		b->piece[own] = b->piece[i];
		b->addrs[own] = b->addrs[i];
		b->rest[own] = b->rest[i];
		b->hash[own++] = b->hash[i];
	}
	b->n = own;
}

/* How many fragments from `at` on are a whole datagram, in order? 0: they are not. */
static inline unsigned int train(const struct burst *b, unsigned int at)
{
	uint32_t end = 0;

	for (unsigned int i = at; i < b->n && burst_same(b, i, at); i++) {
		struct piece piece = b->piece[i];

		if (piece_offset(piece) != end || !piece.bytes)
			return 0;
		if (!(piece.word & RTE_IPV4_HDR_MF_FLAG))
			return i - at + 1;
		if (piece.bytes % FRAG_UNIT_BYTES)
			return 0;
		end += piece.bytes;
	}
	return 0;
}

/* Most datagrams' fragments come one behind the other, and many in one burst. Such a datagram takes
 * the same steps as any, but has no need of the table. True: done. */
static __rte_noinline bool train_input(struct worker *w, struct defrag *d, const struct burst *b,
			       unsigned int at, unsigned int n, enum defrag_user user)
{
	struct frag_queue *q = &d->passing;
	struct rte_mbuf *m = NULL;

	if (unlikely((int64_t)(d->t.bytes + n * TRUESIZE_MAX) > d->bytes_room ||
		     (int64_t)d->t.segs + n * UINT8_MAX > d->mbufs_room) ||
	    frag_find(&d->t, burst_key(b, at), b->hash[at]))
		return false;
	frag_queue_init(q);
	for (unsigned int i = at; i < at + n; i++)
		m = fragment_queue(w, d, q, b->m[i], b->piece[i]);
	if (d->t.n_queues && d->max_dist)
		frag_source_sent(&d->t, (uint32_t)b->addrs[at], n);
	d->recent = NULL;
	if (likely(m))
		done_by[user](w, m);
	return true;
}

/* Fragments that came together, all of one user, up to IP_BURST. */
static void burst_input(struct worker *w, struct defrag *d, struct rte_mbuf **m, unsigned int n,
			enum defrag_user user)
{
	unsigned int step;
	struct burst b;

	if (d->limits_old)
		limits_read(w, d);
	burst_begin(&b, &d->t.key, m, n, user);
	if (unlikely(d->ring))
		burst_share(w, &b, user);
	count_add(w->counters, CNT_IP_REASMREQDS, b.n);
	for (unsigned int i = 0; i < b.n; i++)
		rte_prefetch0(frag_bucket_1st(&d->t, (uint32_t)b.hash[i]));
	if (unlikely(d->t.n_queues > COLD_QUEUES))
		for (unsigned int i = 0; i < b.n; i++)
			frag_prefetch(&d->t, b.hash[i]);
	d->recent = NULL;
	for (unsigned int i = 0; i < b.n; i += step) {
		bool again = i && burst_same(&b, i, i - 1);
		struct rte_mbuf *whole;

		step = i + 1 < b.n && burst_same(&b, i, i + 1) ? train(&b, i) : 0;
		if (step && train_input(w, d, &b, i, step, user))
			continue;
		step = 1;
		whole = fragment_input(w, d, b.m[i], b.piece[i], burst_key(&b, i), b.hash[i],
				       again);
		if (whole)
			done_by[user](w, whole);
	}
	d->changed = true;
}

void ip_defrag(struct worker *w, struct rte_mbuf *m, enum defrag_user user)
{
	burst_input(w, w->ip->defrag, &m, 1, user);
}

void ip_defrag_run(struct worker *w)
{
	unsigned int n = w->ip->n_frags;

	w->ip->n_frags = 0;
	burst_input(w, w->ip->defrag, w->ip->frags, n, DEFRAG_LOCAL_DELIVER);
}

/* ---- time ---- */

/* Rule E: who sent the first fragment is told, if it is here, its link too, and a packet that came
 * in there now would find a way. */
static void report_timeout(struct worker *w, struct rte_mbuf *m, uint16_t link)
{
	const struct link *l = link_get(link);
	enum drop_reason reason;

	packet_of(m)->link = link;
	if (l && ip_route_input(w, l, m, &reason) != VERDICT_DROP)
		icmp_send(w, m, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0);
}

static void expire(struct worker *w, struct defrag *d, struct frag_queue *q)
{
	struct rte_mbuf *first = q->seen & FRAG_FIRST_IN ? frag_first(&d->t, q) : NULL;
	uint16_t link = q->link;

	count(w->counters, CNT_IP_REASMFAILS);
	count(w->counters, CNT_IP_REASMTIMEOUT);
	discard(w, d, q, DROP_FRAG_REASM_TIMEOUT);
	/* what was discarded is freed later than this */
	if (first)
		report_timeout(w, first, link);
}

/* Timers that have run out, and queues that `frag flush` wants to be rid of. */
static unsigned int expire_some(struct worker *w, struct defrag *d)
{
	unsigned int n;

	for (n = 0; n < EXPIRE_TURN; n++) {
		struct frag_queue *q = frag_queue_next(&d->t);

		if (q && q->expires_ns <= w->now_ns) {
			expire(w, d, q);
		} else if (q && frag_queue_born_ns(&d->t, q) <= d->flush_until_ns) {
			discard(w, d, q, DROP_FRAG_FLUSHED);
		} else {
			d->flush_until_ns = 0;
			break;
		}
	}
	return n;
}

static unsigned int ring_input(struct worker *w, struct defrag *d)
{
	struct rte_mbuf *m[RING_BATCH];
	unsigned int n, sum = 0;

	do {
		n = rte_ring_sc_dequeue_burst(d->ring, (void **)m, RING_BATCH, NULL);
		for (unsigned int i = 0, end; i < n; i = end) {
			enum defrag_user user = packet_of(m[i])->frag_header;

			for (end = i + 1; end < n; end++)
				if (packet_of(m[end])->frag_header != user)
					break;
			burst_input(w, d, &m[i], end - i, user);
		}
		sum += n;
	} while (n == RING_BATCH && sum < RING_TURN);
	return sum;
}

unsigned int defrag_tick(struct worker *w)
{
	struct defrag *d = w->ip->defrag;
	unsigned int n = 0;

	d->limits_old = true;
	if (unlikely(d->ring))
		n += ring_input(w, d);
	if (d->t.n_queues)
		n += expire_some(w, d);
	if (frag_any_dead(&d->t))
		frag_bury(&d->t, BURY_TURN);
	if (d->changed || n)
		publish(d);
	return n;
}

uint64_t defrag_next_expiry_ns(const struct worker *w)
{
	const struct frag_queue *q = frag_queue_next(&w->ip->defrag->t);

	return q ? q->expires_ns : UINT64_MAX;
}

/* ---- figures and flushing ---- */

void defrag_info_get(const struct worker *w, struct defrag_info *info)
{
	const struct defrag *d = w->ip->defrag;

	info->queues = __atomic_load_n(&d->info.queues, __ATOMIC_RELAXED);
	info->fragments = __atomic_load_n(&d->info.fragments, __ATOMIC_RELAXED);
	info->mbufs = __atomic_load_n(&d->info.mbufs, __ATOMIC_RELAXED);
	info->bytes = __atomic_load_n(&d->info.bytes, __ATOMIC_RELAXED);
	info->oldest_ns = __atomic_load_n(&d->info.oldest_ns, __ATOMIC_RELAXED);
	info->ring = d->ring ? rte_ring_count(d->ring) : 0;
}

uint64_t defrag_held(void)
{
	struct defrag_info info;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < workers_count; i++) {
		if (!workers[i] || !workers[i]->ip)
			continue;
		defrag_info_get(workers[i], &info);
		sum += info.fragments + info.ring;
	}
	return sum;
}

bool defrag_flush(void)
{
	struct message msg = {.kind = MSG_FRAG_FLUSH};
	bool told = true;

	for (unsigned int i = 0; i < workers_count; i++)
		told &= message_to_worker(i, &msg);
	return told;
}

static void on_flush(struct worker *w, const struct message *msg)
{
	w->ip->defrag->flush_until_ns = w->now_ns;
}

/* ---- start and stop ---- */

/* As in Linux, one threshold bounds the other. */
static void high_changed(struct sysctl *s, int32_t old)
{
	sysctl_find("net.ipv4.ipfrag_low_thresh")->max = *s->value;
}

static void low_changed(struct sysctl *s, int32_t old)
{
	sysctl_find("net.ipv4.ipfrag_high_thresh")->min = *s->value;
}

static const struct sysctl table[] = {
	{.name = "net.ipv4.ipfrag_time", .value = &settings.time_s, .min = 0, .max = 8589934,
	 .preset = 30, .help = "seconds for which fragments wait for the rest of their datagram"},
	{.name = "net.ipv4.ipfrag_high_thresh", .value = &settings.high_thresh, .min = 3145728,
	 .max = INT_MAX, .preset = 4194304, .changed = high_changed,
	 .help = "bytes that fragments may occupy, counted as Linux does; above, all are dropped"},
	{.name = "net.ipv4.ipfrag_low_thresh", .value = &settings.low_thresh, .min = 0,
	 .max = 4194304, .preset = 3145728, .changed = low_changed,
	 .help = "kept for compatibility: nothing is evicted any more, in Linux neither"},
	{.name = "net.ipv4.ipfrag_max_dist", .value = &settings.max_dist, .min = 0,
	 .max = INT_MAX, .preset = 64,
	 .help = "fragments of one sender between two of a datagram, after which it begins anew"},
	{.name = "net.ipv4.ipfrag_secret_interval", .value = &settings.secret_interval,
	 .min = 0, .max = INT_MAX, .preset = 0,
	 .help = "kept for compatibility: the secret of the hash needs no renewal"},
	{.name = "net.millrace.ipfrag_mbufs_max", .value = &settings.mbufs_max, .min = 0,
	 .max = FRAG_MBUFS_MAX, .preset = 0,
	 .help = "packet buffers that fragments may hold; 0: a quarter of the pool, at most 16384"},
};

int defrag_init(void)
{
	for (unsigned int i = 0; i < RTE_DIM(table); i++) {
		int rc = sysctl_register(&table[i]);

		if (rc)
			return rc;
	}
	siphash_many_init();
	message_on_worker(MSG_FRAG_FLUSH, on_flush);
	return 0;
}

/* One secret for all, as all must agree on who collects what. */
static int secret_make(void)
{
	if (secret.k0 | secret.k1)
		return 0;
	return getrandom(&secret, sizeof(secret), 0) == sizeof(secret) ? 0 : -EIO;
}

static int ring_make(struct worker *w, struct defrag *d)
{
	char name[RTE_RING_NAMESIZE];

	if (workers_count < 2)
		return 0;
	snprintf(name, sizeof(name), "fragments_%u", w->id);
	d->ring = rte_ring_create(name, RING_SIZE, w->socket, RING_F_SC_DEQ);
	return d->ring ? 0 : -rte_errno;
}

int defrag_worker_init(struct worker *w)
{
	struct defrag *d = rte_zmalloc_socket("defrag", sizeof(*d), RTE_CACHE_LINE_SIZE,
					      w->socket);
	int rc;

	if (!d)
		return -ENOMEM;
	w->ip->defrag = d;
	d->limits_old = true;
	rc = secret_make();
	if (!rc)
		rc = frag_table_init(&d->t, &secret, w->socket);
	if (!rc)
		rc = ring_make(w, d);
	if (rc)
		defrag_worker_fini(w);
	return rc;
}

void defrag_worker_fini(struct worker *w)
{
	struct defrag *d = w->ip->defrag;
	struct frag_queue *q;
	struct rte_mbuf *m;

	if (!d)
		return;
	while (d->ring && !rte_ring_sc_dequeue(d->ring, (void **)&m))
		packet_drop(w, m, DROP_FRAG_FLUSHED);
	while (d->t.n_queues && (q = frag_queue_next(&d->t)))
		discard(w, d, q, DROP_FRAG_FLUSHED);
	if (d->t.buckets)
		frag_bury(&d->t, UINT32_MAX);
	frag_table_fini(&d->t);
	rte_ring_free(d->ring);
	rte_free(d);
	w->ip->defrag = NULL;
}
