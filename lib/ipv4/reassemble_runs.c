/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs of fragments, their map and their chain; see reassemble_runs.h. */
#include "ipv4/reassemble_runs.h"

#define WORD_BITS 64
#define BURY_BATCH 32

/* ---- the map ---- */

/* The bits of word `word` that lie between two units. */
static uint64_t word_mask(uint32_t word, uint32_t start, uint32_t end)
{
	uint32_t first = word * WORD_BITS;
	uint64_t mask = ~0ULL;

	if (start > first)
		mask <<= start - first;
	if (end < first + WORD_BITS)
		mask &= ~0ULL >> (first + WORD_BITS - end);
	return mask;
}

/* A bit, and those behind it up to `end`, in the same word. */
static uint64_t bits(uint32_t start, uint32_t end)
{
	return ~0ULL >> (WORD_BITS - (end - start)) << start % WORD_BITS;
}

static bool one_word(uint32_t start, uint32_t end)
{
	return start / WORD_BITS == (end - 1) / WORD_BITS;
}

/* Words are cleared when they are come to: most datagrams need but a few. */
static void map_add(struct frag_map *map, uint32_t start, uint32_t end)
{
	while (map->words <= (end - 1) / WORD_BITS)
		map->word[map->words++] = (struct frag_map_word){0};
	map->word[start / WORD_BITS].start |= 1ULL << start % WORD_BITS;
	if (likely(one_word(start, end))) {
		map->word[start / WORD_BITS].cover |= bits(start, end);
		return;
	}
	for (uint32_t i = start / WORD_BITS; i <= (end - 1) / WORD_BITS; i++)
		map->word[i].cover |= word_mask(i, start, end);
}

static __rte_noinline enum frag_fit map_fit_long(const struct frag_map *map, uint32_t start,
						 uint32_t end)
{
	bool any = false, all = true, another = false;

	for (uint32_t i = start / WORD_BITS; i <= (end - 1) / WORD_BITS; i++) {
		struct frag_map_word word = {0};
		uint64_t mask = word_mask(i, start, end), starts;

		if (i < map->words)
			word = map->word[i];
		starts = word.start & mask;
		if (i == start / WORD_BITS)
			starts &= ~(1ULL << start % WORD_BITS);
		any |= (word.cover & mask) != 0;
		all &= (word.cover & mask) == mask;
		another |= starts != 0;
	}
	if (!any)
		return FRAG_APART;
	return all && !another ? FRAG_DUPLICATE : FRAG_OVERLAP;
}

static enum frag_fit map_fit(const struct frag_map *map, uint32_t start, uint32_t end)
{
	struct frag_map_word word;
	uint64_t mask;

	if (unlikely(!one_word(start, end)))
		return map_fit_long(map, start, end);
	if (start / WORD_BITS >= map->words)
		return FRAG_APART;
	word = map->word[start / WORD_BITS];
	mask = bits(start, end);
	if (!(word.cover & mask))
		return FRAG_APART;
	/* no run but perhaps one from `start` on */
	return (word.cover & mask) == mask && !(word.start & mask & (mask - 1)) ? FRAG_DUPLICATE
										: FRAG_OVERLAP;
}

/* ---- runs ---- */

/* Bytes as units. What lies beyond 64 KiB (which only the last run of a datagram that can not
 * become one does) counts as the last unit. */
static uint32_t units(uint32_t bytes)
{
	return RTE_MIN((bytes + FRAG_UNIT_BYTES - 1) / FRAG_UNIT_BYTES, (uint32_t)FRAG_UNITS);
}

/* More runs than a chunk: a map takes over saying what fits. */
static void map_begin(struct frag_table *t, struct frag_queue *q, const struct frag_chunk *c)
{
	struct frag_map *map;

	q->map = t->free_maps[t->n_maps++];
	map = &t->maps[q->map];
	map->words = 0;
	for (uint32_t i = 0; i < c->n; i++)
		map_add(map, c->run[i].start, c->run[i].end);
}

static struct frag_chunk *chunk_add(struct frag_table *t, struct frag_queue *q)
{
	uint16_t index = t->free_chunks[t->n_chunks++];
	struct frag_chunk *c = &t->chunks[index];

	c->n = 0;
	c->next = q->chunk;
	if (q->chunk == FRAG_NONE)
		q->first_chunk = index;
	q->chunk = index;
	return c;
}

/* A run before the last one. */
static void run_add(struct frag_table *t, struct frag_queue *q, struct rte_mbuf *head,
		    uint32_t start, uint32_t end, struct rte_mbuf *tail)
{
	struct frag_chunk *c = q->chunk == FRAG_NONE ? NULL : &t->chunks[q->chunk];

	if (!c) {
		c = chunk_add(t, q);
	} else if (c->n == FRAG_CHUNK_RUNS) {
		if (q->map == FRAG_NONE)
			map_begin(t, q, c);
		c = chunk_add(t, q);
	}
	c->run[c->n++] = (struct frag_run){.head = head, .tail = tail, .start = (uint16_t)start,
					   .end = (uint16_t)end};
	if (q->map != FRAG_NONE)
		map_add(&t->maps[q->map], start, end);
}

/* Runs do not overlap, so the first that is touched decides. */
static enum frag_fit run_fit(const struct frag_table *t, const struct frag_queue *q,
			     uint32_t start, uint32_t end)
{
	const struct frag_chunk *c;

	if (q->map != FRAG_NONE)
		return map_fit(&t->maps[q->map], start, end);
	if (q->chunk == FRAG_NONE)
		return FRAG_APART;
	c = &t->chunks[q->chunk];
	for (uint32_t i = 0; i < c->n; i++) {
		const struct frag_run *r = &c->run[i];

		if (start < r->end && end > r->start)
			return start >= r->start && end <= r->end ? FRAG_DUPLICATE
								  : FRAG_OVERLAP;
	}
	return FRAG_APART;
}

enum frag_fit frag_fit_elsewhere(const struct frag_table *t, const struct frag_queue *q,
				 uint32_t offset, uint32_t end)
{
	uint32_t start = offset / FRAG_UNIT_BYTES, stop = units(end);

	if (end > q->end)
		return offset < q->end ? FRAG_OVERLAP : FRAG_APART;
	if (start >= q->start)
		return FRAG_DUPLICATE;
	if (stop > q->start)
		return FRAG_OVERLAP;
	return run_fit(t, q, start, stop);
}

void frag_insert_apart(struct frag_table *t, struct frag_queue *q, struct rte_mbuf *m,
		       uint32_t offset, uint32_t end)
{
	uint32_t start = offset / FRAG_UNIT_BYTES;

	if (end < q->end) {
		run_add(t, q, m, start, units(end), frag_tail(m));
		return;
	}
	run_add(t, q, q->head, q->start, units(q->end), q->tail);
	q->head = m;
	q->tail = frag_tail(m);
	q->start = (uint16_t)start;
	q->end = end;
}

static void map_end(struct frag_table *t, struct frag_queue *q)
{
	if (q->map != FRAG_NONE)
		t->free_maps[--t->n_maps] = q->map;
	q->map = FRAG_NONE;
}

/* Note where each run starts, and give the chunks back; what is in them stays until they are used
 * again. */
static void runs_order(struct frag_table *t, struct frag_queue *q)
{
	uint16_t index;

	for (index = q->chunk; index != FRAG_NONE; index = t->chunks[index].next) {
		const struct frag_chunk *c = &t->chunks[index];

		for (uint32_t i = 0; i < c->n; i++)
			t->order[c->run[i].start] = &c->run[i];
		t->free_chunks[--t->n_chunks] = index;
	}
	q->chunk = q->first_chunk = FRAG_NONE;
}

void frag_join(struct frag_table *t, struct frag_queue *q)
{
	uint32_t all = units(q->len);
	const struct frag_run *r;

	map_end(t, q);
	runs_order(t, q);
	t->last = (struct frag_run){.head = q->head, .tail = q->tail,
				    .end = (uint16_t)units(q->end)};
	t->order[q->start] = &t->last;
	r = t->order[0];
	q->head = r->head;
	q->tail = r->tail;
	q->start = 0;
	while (r->end < all) {
		r = t->order[r->end];
		q->tail->next = r->head;
		q->tail = r->tail;
	}
}

struct rte_mbuf *frag_first(const struct frag_table *t, const struct frag_queue *q)
{
	uint16_t index = q->chunk;

	if (q->start == 0)
		return q->head;
	for (;; index = t->chunks[index].next)
		for (uint32_t i = 0; i < t->chunks[index].n; i++)
			if (t->chunks[index].run[i].start == 0)
				return t->chunks[index].run[i].head;
}

/* ---- the end ---- */

void frag_discard(struct frag_table *t, struct frag_queue *q)
{
	if (q->n)
		t->dead_runs[t->n_dead_runs++] = (struct frag_dead){q->head, q->tail};
	if (q->chunk != FRAG_NONE) {
		t->chunks[q->first_chunk].next = t->dead_chunk;
		t->dead_chunk = q->chunk;
		q->chunk = q->first_chunk = FRAG_NONE;
	}
	map_end(t, q);
	t->fragments -= q->n;
	q->n = q->segs = 0;
	q->end = q->len = q->meat = 0;
	q->seen = 0;
}

static void chunk_prefetch(const struct frag_chunk *c)
{
	rte_prefetch0(c);
	rte_prefetch0(&c->n);
}

/* A run of the dead. False: none is left. */
static bool dead_run(struct frag_table *t, struct frag_dead *run)
{
	struct frag_chunk *c;

	if (t->dead_chunk == FRAG_NONE) {
		if (!t->n_dead_runs)
			return false;
		*run = t->dead_runs[--t->n_dead_runs];
		return true;
	}
	c = &t->chunks[t->dead_chunk];
	c->n--;
	*run = (struct frag_dead){c->run[c->n].head, c->run[c->n].tail};
	if (!c->n) {
		t->free_chunks[--t->n_chunks] = t->dead_chunk;
		t->dead_chunk = c->next;
		if (c->next != FRAG_NONE && t->chunks[c->next].next != FRAG_NONE)
			chunk_prefetch(&t->chunks[t->chunks[c->next].next]);
	}
	return true;
}

/* Free the segments of a run, n at most; returns how many there were. Of one that stands alone the
 * line with `next` in it is not looked at. */
static uint32_t bury_run(struct frag_table *t, struct frag_dead run, struct rte_mbuf **batch,
			 uint32_t n)
{
	struct rte_mbuf *seg = run.head;

	for (uint32_t i = 0; i < n; i++) {
		batch[i] = seg;
		seg->nb_segs = 1;
		/* it will soon be received into */
		rte_prefetch0_write(RTE_PTR_ADD(seg->buf_addr, RTE_PKTMBUF_HEADROOM));
		if (seg == run.tail)
			return i + 1;
		seg = seg->next;
		batch[i]->next = NULL;
	}
	t->dead_runs[t->n_dead_runs++] = (struct frag_dead){seg, run.tail};
	return n;
}

/* They have been cold for long, so several are fetched at a time. */
uint32_t frag_bury(struct frag_table *t, uint32_t budget)
{
	struct frag_dead run[BURY_BATCH];
	struct rte_mbuf *batch[BURY_BATCH];
	uint32_t buried = 0, runs, n;

	do {
		uint32_t room = RTE_MIN(budget - buried, (uint32_t)BURY_BATCH);

		for (runs = 0; runs < room && dead_run(t, &run[runs]); runs++) {
			rte_prefetch0(run[runs].head);
			if (run[runs].head != run[runs].tail)
				rte_prefetch0(&run[runs].head->next);
		}
		for (uint32_t i = n = 0; i < runs; i++) {
			if (likely(n < room))
				n += bury_run(t, run[i], &batch[n], room - n);
			else
				t->dead_runs[t->n_dead_runs++] = run[i];
		}
		if (n)
			packet_free_bulk(batch, n);
		buried += n;
	} while (runs && buried < budget);
	t->segs -= buried;
	return buried;
}
