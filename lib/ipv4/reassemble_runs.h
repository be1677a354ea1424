/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fragments of one datagram: what fits beside what, and the chain that they become.
 *
 * Linux keeps fragments in runs, and which overlaps it forgives depends on them (rule E): only a
 * fragment that follows on the one with the highest end joins that one's run; any other begins a
 * run of its own and stays one for ever, whatever comes to lie beside it. A fragment that lies
 * wholly inside one run is a duplicate; one that touches a run otherwise is an overlap.
 *
 * Whatever the order of arrival, a fragment costs the same: no list of runs is walked and no tree
 * is searched. Fragments in order only lengthen the last run. The runs before it stand in chunks of
 * five, in the order in which they came. While there is one chunk, a look at it says what fits;
 * from the sixth run on a map does, two bits for each 8 bytes of the datagram: is it covered, and
 * does a run start here? A fragment fits if nothing between its ends is covered, and is a duplicate
 * if all of it is and no run starts behind its beginning. Only when the datagram is complete are
 * the runs brought into order, by noting each in an array at the unit where it starts and then
 * going from end to start through that.
 */
#ifndef IPV4_REASSEMBLE_RUNS_H
#define IPV4_REASSEMBLE_RUNS_H

#include "ipv4/reassemble_table.h"
#include "packet/packet.h"

/* How a fragment fits its datagram's others: as the first to come, right behind the one with the
 * highest end, in a run of its own; or not, as it repeats or contradicts what is there. */
enum frag_fit { FRAG_FIRST, FRAG_NEXT, FRAG_APART, FRAG_DUPLICATE, FRAG_OVERLAP };

static inline struct rte_mbuf *frag_tail(struct rte_mbuf *m)
{
	return likely(m->nb_segs == 1) ? m : rte_pktmbuf_lastseg(m);
}

/* The rest of frag_fit() and frag_insert(). */
enum frag_fit frag_fit_elsewhere(const struct frag_table *t, const struct frag_queue *q,
				 uint32_t offset, uint32_t end);
void frag_insert_apart(struct frag_table *t, struct frag_queue *q, struct rte_mbuf *m,
		       uint32_t offset, uint32_t end);

/* Of one that covers the bytes from offset to end, one at least. */
static inline enum frag_fit frag_fit(const struct frag_table *t, const struct frag_queue *q,
				     uint32_t offset, uint32_t end)
{
	if (q->n == 0)
		return FRAG_FIRST;
	if (likely(offset == q->end))
		return FRAG_NEXT;
	return frag_fit_elsewhere(t, q, offset, end);
}

/* Put m where it fits. Consumes m. */
static inline void frag_insert(struct frag_table *t, struct frag_queue *q, struct rte_mbuf *m,
			       uint32_t offset, uint32_t end, enum frag_fit fit)
{
	if (unlikely(fit == FRAG_APART)) {
		frag_insert_apart(t, q, m, offset, end);
		return;
	}
	if (fit == FRAG_FIRST) {
		q->head = m;
		q->start = (uint16_t)(offset / FRAG_UNIT_BYTES);
	} else {
		q->tail->next = m;
	}
	q->tail = frag_tail(m);
	q->end = end;
}

/* All bytes from 0 to q->len are there: make one chain of all runs, q->head. */
void frag_join(struct frag_table *t, struct frag_queue *q);

/* The fragment with offset 0, which is there. Its pkt_len is its own, whatever hangs on it. */
struct rte_mbuf *frag_first(const struct frag_table *t, const struct frag_queue *q);

/* Let go of all fragments: they are freed bit by bit by frag_bury(). The queue is empty then, but
 * knows still how large its fragments were, as in Linux. */
void frag_discard(struct frag_table *t, struct frag_queue *q);

static inline bool frag_any_dead(const struct frag_table *t)
{
	return t->n_dead_runs || t->dead_chunk != FRAG_NONE;
}

/* Free up to so many mbufs of what was discarded; returns how many. */
uint32_t frag_bury(struct frag_table *t, uint32_t budget);

#endif
