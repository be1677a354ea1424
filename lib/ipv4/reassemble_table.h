/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams of which fragments are waiting: the table of one worker, touched by no other thread.
 * Inside lib/ipv4's reassembly only.
 *
 * What an attacker can choose must not choose how much work it is:
 *   - The hash is SipHash-1-3 under a key drawn at start: nobody outside can tell which datagrams
 *     share a bucket, or learn it from what happened to others. (A multiply-shift hash would be
 *     five cycles cheaper, but as it is linear, one known collision gives any number of them.)
 *   - A bucket is one cache line of 15 signatures and indexes, of which on average at most 4 are
 *     in use. A datagram that finds its bucket full goes into a second one, and only then are two
 *     lines looked at.
 *   - Queues come from a slab; each is two cache lines, of which fragments that come in order
 *     need the first.
 *   - Timers are lists that queues are put to the top of (reassemble_wheel.h). Which list is in use
 *     changes with time, not with queues.
 *
 * How much is held is limited by net.millrace.ipfrag_mbufs_max, and everything here is made for
 * that setting's maximum, so that nothing runs out but what that limit and net.ipv4.
 * ipfrag_high_thresh say.
 */
#ifndef IPV4_REASSEMBLE_TABLE_H
#define IPV4_REASSEMBLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "core/siphash_many.h"
#include "ipv4/reassemble_burst.h"
#include "ipv4/reassemble_wheel.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FRAG_MBUFS_MAX 16384         /* of net.millrace.ipfrag_mbufs_max */
#define FRAG_QUEUES FRAG_MBUFS_MAX   /* each holds one mbuf or more */
#define FRAG_CHUNK_RUNS 5
#define FRAG_CHUNKS FRAG_MBUFS_MAX   /* each has one run or more */
#define FRAG_MAPS (FRAG_MBUFS_MAX / (FRAG_CHUNK_RUNS + 2))
#define FRAG_UNITS 8192              /* 8-byte units in 64 KiB */
#define FRAG_UNIT_BYTES 8

#define FRAG_BUCKETS 4096
#define FRAG_LANES 15
#define FRAG_SOURCE_SET_BITS 12
#define FRAG_SOURCE_WAYS 6

/* What was seen of a datagram: the ECN codepoints in TOS, a bit each, and */
#define FRAG_ECN 0x0f
#define FRAG_FIRST_IN 0x10           /* the fragment with offset 0 */
#define FRAG_LAST_IN 0x20            /* one without MF, so len is final */

/*
 * One datagram. Its fragments are kept as runs (reassemble_runs.c): the last one here, those
 * before it, if fragments did not come in order, in the second line.
 */
struct frag_queue {
	uint64_t addrs;              /* struct frag_key */
	uint32_t rest;
	uint16_t source;             /* the sender's counter, FRAG_NONE: not counted */
	uint16_t n;                  /* fragments held */
	struct rte_mbuf *head;       /* of the last run: its first segment */
	struct rte_mbuf *tail;       /* and its last */
	uint32_t end;                /* where it ends, bytes */
	uint32_t meat;               /* bytes of payload held */
	uint32_t len;                /* of the datagram's payload as far as known */
	uint32_t bytes;              /* charged for it, as Linux would */
	uint32_t distance;           /* the sender's counter at the last fragment */
	uint16_t start;              /* where the last run starts, units */
	uint16_t max_size;           /* largest fragment, with its header */
	uint16_t max_df_size;        /* the same of those with DF */
	uint16_t link;               /* where the latest fragment came in */
	uint16_t segs;               /* mbufs held */
	uint16_t seen;               /* FRAG_*_IN, FRAG_ECN */

	/* when it begins, when it ends, and when fragments are not in order */
	uint64_t born_ns;            /* when it was put into its slot */
	uint32_t hash;               /* both buckets */
	uint16_t chunk;              /* of the latest runs before the last one, or FRAG_NONE */
	uint16_t first_chunk;        /* of the oldest of them */
	uint16_t map;                /* of runs, if they are more than a chunk; else FRAG_NONE */
	uint16_t slot;               /* of the wheel, in which its timer is */
	bool overflowed;             /* lies in its second bucket */
} __rte_cache_aligned;

_Static_assert(offsetof(struct frag_queue, born_ns) == RTE_CACHE_LINE_SIZE,
	       "what fragments in order need is one line");

/* A run before the last one of its datagram. */
struct frag_run {
	struct rte_mbuf *head, *tail;
	uint16_t start, end;         /* units */
};

struct frag_chunk {
	struct frag_run run[FRAG_CHUNK_RUNS];
	uint16_t n;
	uint16_t next;               /* an older one, FRAG_NONE: there is none */
} __rte_cache_aligned;

struct frag_bucket {
	uint16_t sig[FRAG_LANES];    /* 0 in lanes that are not in use */
	uint16_t n;
	uint16_t queue[FRAG_LANES];
	uint16_t overflowed;         /* that had no room here */
} __rte_cache_aligned;

_Static_assert(sizeof(struct frag_bucket) == RTE_CACHE_LINE_SIZE, "one line");

/* Senders of which datagrams are waiting. A sender's number is that of its word in `sent`, if all
 * sets are taken for an array of words. */
struct frag_sources {
	uint32_t sent[FRAG_SOURCE_WAYS];     /* fragments */
	uint32_t addr[FRAG_SOURCE_WAYS];
	uint16_t refs[FRAG_SOURCE_WAYS];     /* datagrams; 0: free */
	uint16_t overflowed;                 /* senders that had no room here */
} __rte_cache_aligned;

#define FRAG_SOURCE_STRIDE (RTE_CACHE_LINE_SIZE / sizeof(uint32_t))

_Static_assert(sizeof(struct frag_sources) == RTE_CACHE_LINE_SIZE, "one line");
_Static_assert(FRAG_SOURCE_STRIDE << FRAG_SOURCE_SET_BITS == FRAG_NONE + 1u,
	       "numbers are 16 bits, and the highest is none");

/* Runs of one datagram, a bit a unit: which are covered, and where runs start. */
struct frag_map_word {
	uint64_t cover, start;
};

struct frag_map {
	uint32_t words;              /* so many are in use; nothing is covered behind them */
	struct frag_map_word word[FRAG_UNITS / 64];
} __rte_cache_aligned;

/* A run to be freed, or what is left of one. */
struct frag_dead {
	struct rte_mbuf *head, *tail;
};

struct frag_table {
	struct siphash_key key;
	uint64_t source_key;
	struct frag_bucket *buckets;
	struct frag_queue *queues;
	uint16_t *free;              /* n_queues .. FRAG_QUEUES - 1: not in use */
	uint32_t n_queues;
	struct frag_wheel wheel;     /* its timers are numbered as queues are */
	struct frag_sources *sources;

	/* reassemble_runs.c */
	struct frag_chunk *chunks;
	struct frag_map *maps;
	uint16_t *free_chunks, *free_maps;
	uint32_t n_chunks, n_maps;
	const struct frag_run **order; /* scratch: runs by where they start */
	uint16_t dead_chunk;         /* runs to be freed, bit by bit; FRAG_NONE: none */
	uint32_t n_dead_runs;
	struct frag_dead *dead_runs; /* others, or what is left of them; each has one mbuf or more,
				      * so there is room */
	struct frag_run last;        /* scratch: of the datagram that is joined */
	uint32_t segs;               /* mbufs held, and to be freed */
	uint32_t fragments;          /* held */
	uint64_t bytes;              /* charged, as Linux would */
};

/* 0 or -ENOMEM. key: shared by all workers. */
int frag_table_init(struct frag_table *t, const struct siphash_key *key, int socket);
void frag_table_fini(struct frag_table *t);

static inline struct frag_bucket *frag_bucket_1st(const struct frag_table *t, uint32_t hash)
{
	return &t->buckets[hash % FRAG_BUCKETS];
}

static inline struct frag_bucket *frag_bucket_2nd(const struct frag_table *t, uint32_t hash)
{
	return &t->buckets[(hash >> 16) % FRAG_BUCKETS];
}

/* Neither bucket's bits, and never 0, which stands where there is none. */
static inline uint16_t frag_signature(uint64_t hash)
{
	return (uint16_t)(hash >> 32 | 1);
}

/* In which lanes does the value stand? A bit each. */
static inline uint32_t frag_lanes(const uint16_t *lane, uint16_t value)
{
	uint32_t found = 0;

#ifdef __SSE2__
	const __m128i *half = (const void *)lane;
	/* by 32 bits, as 16 would go by way of memory */
	__m128i v = _mm_set1_epi32((int)(value * 0x10001u));

	found = (uint32_t)_mm_movemask_epi8(
		_mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(&half[0]), v),
				_mm_cmpeq_epi16(_mm_load_si128(&half[1]), v)));
#else
	for (unsigned int i = 0; i < FRAG_LANES; i++)
		found |= (uint32_t)(lane[i] == value) << i;
#endif
	return found & ((1u << FRAG_LANES) - 1);
}

/* A queue that is not in use is of no key. */
static inline bool frag_is(const struct frag_queue *q, struct frag_key key)
{
	return q->addrs == key.addrs && q->rest == key.rest;
}

static inline struct frag_queue *frag_bucket_find(const struct frag_table *t,
						  const struct frag_bucket *b,
						  struct frag_key key, uint16_t sig)
{
	uint32_t lanes = frag_lanes(b->sig, sig);

	for (; lanes; lanes &= lanes - 1) {
		struct frag_queue *q = &t->queues[b->queue[__builtin_ctz(lanes)]];

		if (likely(frag_is(q, key)))
			return q;
	}
	return NULL;
}

/* The queue of a key, NULL if there is none. guess: of frag_prefetch(), or FRAG_NONE. */
static inline struct frag_queue *frag_find(const struct frag_table *t, struct frag_key key,
					   uint64_t hash, uint16_t guess)
{
	const struct frag_bucket *b = frag_bucket_1st(t, (uint32_t)hash);
	struct frag_queue *q;

	if (guess != FRAG_NONE && likely(frag_is(&t->queues[guess], key)))
		return &t->queues[guess];
	q = frag_bucket_find(t, b, key, frag_signature(hash));
	if (likely(q || !b->overflowed))
		return q;
	return frag_bucket_find(t, frag_bucket_2nd(t, (uint32_t)hash), key,
				frag_signature(hash));
}

/* ---- senders ---- */

/* Multiply-shift with a secret factor. All that could be gained by aiming at a set is that a
 * sender's fragments are not counted. A sender that finds its set full goes into a second one. */
static inline uint32_t frag_source_set(const struct frag_table *t, uint32_t addr)
{
	return (uint32_t)((addr + 1ULL) * t->source_key >> (64 - FRAG_SOURCE_SET_BITS));
}

static inline uint32_t frag_source_2nd(const struct frag_table *t, uint32_t addr)
{
	uint64_t product = (addr + 1ULL) * t->source_key;

	return (uint32_t)(product >> (64 - 2 * FRAG_SOURCE_SET_BITS)) &
	       ((1u << FRAG_SOURCE_SET_BITS) - 1);
}

/* Is the address one of them? Its way, FRAG_SOURCE_WAYS: no. */
static inline uint32_t frag_source_way(const struct frag_sources *s, uint32_t addr)
{
	uint32_t way = 0;

	while (way < FRAG_SOURCE_WAYS && (s->addr[way] != addr || !s->refs[way]))
		way++;
	return way;
}

/* The number of an address, of which one more datagram is waiting. FRAG_NONE: both its sets are
 * full, so that its fragments are not counted. */
uint16_t frag_source_new(struct frag_table *t, uint32_t addr);
static inline uint16_t frag_source_get(struct frag_table *t, uint32_t addr)
{
	uint32_t set = frag_source_set(t, addr);
	struct frag_sources *s = &t->sources[set];

	if (unlikely(s->addr[0] != addr || !s->refs[0]))
		return frag_source_new(t, addr);
	s->refs[0]++;
	return (uint16_t)(set * FRAG_SOURCE_STRIDE);
}

static inline void frag_source_put(struct frag_table *t, uint16_t source)
{
	uint32_t set = source / FRAG_SOURCE_STRIDE, way = source % FRAG_SOURCE_STRIDE;
	struct frag_sources *s = &t->sources[set];

	if (--s->refs[way])
		return;
	if (unlikely(frag_source_set(t, s->addr[way]) != set))
		t->sources[frag_source_set(t, s->addr[way])].overflowed--;
}

/* An address has sent n fragments of a datagram that need not wait. */
static inline void frag_source_sent(struct frag_table *t, uint32_t addr, uint32_t n)
{
	struct frag_sources *s = &t->sources[frag_source_set(t, addr)];
	uint32_t way = frag_source_way(s, addr);

	if (unlikely(way == FRAG_SOURCE_WAYS && s->overflowed)) {
		s = &t->sources[frag_source_2nd(t, addr)];
		way = frag_source_way(s, addr);
	}
	if (way < FRAG_SOURCE_WAYS)
		s->sent[way] += n;
}

/* ---- timers ---- */

/* Start a queue's timer, to run for so many jiffies. */
static inline void frag_queue_arm(struct frag_table *t, struct frag_queue *q, uint64_t now_ns,
				  uint32_t timeout)
{
	q->slot = frag_wheel_slot(&t->wheel, now_ns, timeout);
	q->born_ns = now_ns;
	frag_wheel_add(&t->wheel, q->slot, (uint16_t)(q - t->queues));
}

static inline void frag_queue_disarm(struct frag_table *t, struct frag_queue *q)
{
	frag_wheel_remove(&t->wheel, q->slot, (uint16_t)(q - t->queues));
}

/* Start it anew. As in Linux a timer that would be put where it is keeps its place there. */
static inline void frag_queue_rearm(struct frag_table *t, struct frag_queue *q, uint64_t now_ns,
				    uint32_t timeout)
{
	if (frag_wheel_slot(&t->wheel, now_ns, timeout) == q->slot)
		return;
	frag_queue_disarm(t, q);
	frag_queue_arm(t, q, now_ns, timeout);
}

/* ---- queues ---- */

/* Fetch what frag_find() will probably find, whose number is returned (FRAG_NONE: nothing), and
 * what counts the sender's fragments. */
static inline uint16_t frag_prefetch(const struct frag_table *t, uint32_t source, uint64_t hash)
{
	const struct frag_bucket *b = frag_bucket_1st(t, (uint32_t)hash);
	uint32_t lanes = frag_lanes(b->sig, frag_signature(hash));
	uint16_t guess = lanes ? b->queue[__builtin_ctz(lanes)] : FRAG_NONE;

	rte_prefetch0(&t->sources[frag_source_set(t, source)]);
	if (guess != FRAG_NONE) {
		rte_prefetch0(&t->queues[guess]);
		rte_prefetch0(&t->queues[guess].born_ns);
	}
	return guess;
}

static inline void frag_bucket_add(struct frag_bucket *b, uint16_t queue, uint16_t sig)
{
	b->sig[b->n] = sig;
	b->queue[b->n] = queue;
	b->n++;
}

/* The latest is the likeliest. */
static inline void frag_bucket_remove(struct frag_bucket *b, uint16_t queue)
{
	uint32_t last = --b->n, lane;

	if (unlikely(b->queue[last] != queue)) {
		lane = (uint32_t)__builtin_ctz(frag_lanes(b->queue, queue));
		b->sig[lane] = b->sig[last];
		b->queue[lane] = b->queue[last];
	}
	b->sig[last] = 0;
}

static inline void frag_queue_init(struct frag_queue *q)
{
	q->n = 0;
	q->end = q->len = q->meat = q->bytes = q->distance = 0;
	q->max_size = q->max_df_size = q->segs = 0;
	q->seen = 0;
	q->chunk = q->first_chunk = q->map = FRAG_NONE;
}

/* A new queue, empty, its timer not running yet. NULL: both its buckets are full, which is beyond
 * all probability. count_source: the sender's fragments are counted. */
static inline struct frag_queue *frag_queue_new(struct frag_table *t, struct frag_key key,
						uint64_t hash, bool count_source)
{
	struct frag_bucket *b = frag_bucket_1st(t, (uint32_t)hash);
	uint16_t index = t->free[t->n_queues];
	struct frag_queue *q = &t->queues[index];
	bool overflowed = b->n == FRAG_LANES;

	if (unlikely(overflowed)) {
		struct frag_bucket *second = frag_bucket_2nd(t, (uint32_t)hash);

		if (second->n == FRAG_LANES)
			return NULL;
		b->overflowed++;
		b = second;
	}
	frag_bucket_add(b, index, frag_signature(hash));
	t->n_queues++;
	q->addrs = key.addrs;
	q->rest = key.rest;
	q->source = count_source ? frag_source_get(t, (uint32_t)key.addrs) : FRAG_NONE;
	q->hash = (uint32_t)hash;
	q->overflowed = overflowed;
	frag_queue_init(q);
	return q;
}

/* Take it out; it holds nothing any more, and must not be used after. */
static inline void frag_queue_free(struct frag_table *t, struct frag_queue *q)
{
	struct frag_bucket *b = frag_bucket_1st(t, q->hash);
	uint16_t index = (uint16_t)(q - t->queues);

	if (unlikely(q->overflowed)) {
		b->overflowed--;
		b = frag_bucket_2nd(t, q->hash);
	}
	frag_bucket_remove(b, index);
	if (q->source != FRAG_NONE)
		frag_source_put(t, q->source);
	frag_queue_disarm(t, q);
	q->rest = FRAG_KEY_NONE;
	t->free[--t->n_queues] = index;
}

/* The queue that expires next, NULL if there is none; and when that is, UINT64_MAX for never. */
struct frag_queue *frag_queue_next(struct frag_table *t, uint64_t *due_ns);

/* The queue that was begun first, NULL if there is none; a new start counts where it made the
 * timer run longer. Looks at all slots in use. */
struct frag_queue *frag_queue_oldest(const struct frag_table *t);

/* One more fragment from the queue's sender (the queue is counted). How many since the queue's
 * own last one? */
static inline uint32_t frag_distance(struct frag_table *t, struct frag_queue *q)
{
	uint32_t now = ++((uint32_t *)t->sources)[q->source];
	uint32_t distance = now - q->distance;

	q->distance = now;
	return distance;
}

#endif
