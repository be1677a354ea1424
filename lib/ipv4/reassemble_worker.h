/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly as one worker has it: what the rules (reassemble.c) and what goes on around them
 * (reassemble_worker.c: limits, timers, other workers, figures) have in common.
 */
#ifndef IPV4_REASSEMBLE_WORKER_H
#define IPV4_REASSEMBLE_WORKER_H

#include "core/counters.h"
#include "ipv4/internal.h"
#include "ipv4/reassemble.h"
#include "ipv4/reassemble_owner.h"
#include "ipv4/reassemble_table.h"

struct rte_ring;

struct defrag {
	struct frag_table t;
	/* limits, as of this turn of the loop */
	bool limits_old;             /* of the last turn: to be read again before they are used */
	int64_t bytes_room;          /* more than so many held: no fragment is taken */
	int64_t mbufs_room;          /* no more than so many are held */
	uint32_t timeout;            /* jiffies */
	uint32_t max_dist;
	struct rte_ring *ring;       /* from other workers; NULL: there are none */
	uint16_t *owned;             /* by entry (reassemble_owner.h): references held here */
	uint64_t settled;            /* this worker's part of what all workers hold */
	uint32_t under_way;          /* mbufs handed over less mbufs taken; the sum counts */
	uint32_t ring_room;          /* so many fragments may wait in another's ring */

	struct frag_queue *recent;   /* where the last fragment of this burst went; NULL: nowhere */
	uint64_t flush_until_ns;     /* queues begun up to then are to be dropped; 0: none */
	uint32_t arrived;            /* fragments, in this turn of the loop */
	struct {                     /* while the worker does not keep up */
		bool refuses;        /* none is taken in this turn of the loop */
		int64_t credit_ns;   /* how many may be taken, as time at ipfrag_overload_rate */
		uint32_t came;       /* in this turn, whatever became of them */
		uint32_t handed;     /* of these, from other workers */
		uint64_t turn_ns, packets; /* at the last turn's end: time, all received */
	} overload;
	bool changed;                /* since the figures were published */
	uint64_t oldest_again_ns;    /* look for the oldest queue then, though fragments come in */
	struct defrag_info info __rte_cache_aligned; /* published */
	uint64_t round;              /* of reading files, while fragments hold much */
};

/* ---- reassemble.c ---- */

/* Fragments that came together, all on behalf of one user. Consumes them: b is empty then. */
void defrag_input(struct worker *w, struct defrag *d, struct frag_burst *b, enum defrag_user user);

/* Give a datagram up; its fragments are counted as dropped. */
void defrag_discard(struct worker *w, struct defrag *d, struct frag_queue *q,
		    enum drop_reason reason);

/* ---- reassemble_worker.c ---- */

/* What settings, and what the other workers hold, leave for this one. */
void defrag_limits_read(struct worker *w, struct defrag *d);

/* Where there are several workers: add what this one holds to the sum of all. */
void defrag_settle(struct defrag *d);

/* Let the owner have a fragment, with the reference that was taken to its entry. False: it does
 * not keep up (its ring is full, or holds so many mbufs that there would be none for others'
 * fragments), m and the reference are still the caller's. */
bool defrag_hand_over(struct defrag *d, unsigned int owner, struct rte_mbuf *m,
		      enum defrag_user user);

/* Take fragments that were handed over, up to a bound; returns how many. There is a ring. */
unsigned int defrag_ring_input(struct worker *w, struct defrag *d);

/* One more, one less of what keeps an entry this worker's. */
static inline void defrag_own(struct defrag *d, uint32_t entry)
{
	d->owned[entry]++;
}

static inline void defrag_disown(struct defrag *d, uint32_t entry)
{
	if (!--d->owned[entry])
		frag_owner_give_back(entry);
}

#endif
