/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers that run out in the order of Linux's timer wheel (core/wheel.h), which can be seen, as
 * who sent a datagram is told that its time is over, in that order, and icmp_ratelimit refuses the
 * later ones. Inside lib/ipv4's reassembly only.
 *
 * Here a timer is a number, and each slot a list. A new timer goes to the list's top, as the
 * youngest. Which list that is must be found out only when the slot is over that the last ones
 * went to, or the setting has changed (frag_wheel_turn()); so to start and to stop one costs what
 * it would with a single list. A slot that has become empty is noticed when its time has come, or
 * when all are looked at.
 */
#ifndef IPV4_REASSEMBLE_WHEEL_H
#define IPV4_REASSEMBLE_WHEEL_H

#include <stdint.h>

#include <rte_branch_prediction.h>

#include "core/clock.h"
#include "core/wheel.h"

#define FRAG_NONE UINT16_MAX

/* A timer's neighbours in its slot. */
struct frag_place {
	uint16_t older, younger;
};

struct frag_slot {
	uint64_t expires;            /* the jiffy in which it runs out; of a slot in use */
	uint16_t oldest, youngest;
};

struct frag_wheel {
	struct frag_place *places;   /* by timer; the owner's */
	uint16_t slot;               /* for what begins */
	uint64_t until_ns;           /* before then, */
	uint32_t timeout;            /* to run for so many jiffies */
	uint16_t first;              /* slot to run out; FRAG_NONE: none is in use */
	uint64_t next_ns;            /* when it does */
	uint64_t used[WHEEL_LEVELS]; /* by slot; some may be empty */
	struct frag_slot slots[WHEEL_LEVELS * WHEEL_SLOTS];
};

/* An empty wheel; places are left as they are. */
void frag_wheel_init(struct frag_wheel *wheel);

/* Find the slot for timers that begin now. */
void frag_wheel_turn(struct frag_wheel *wheel, uint64_t now_ns, uint32_t timeout);

/* The slot for a timer that begins now, to run for so many jiffies; it must be put there at once if
 * at all. */
static inline uint16_t frag_wheel_slot(struct frag_wheel *wheel, uint64_t now_ns, uint32_t timeout)
{
	if (unlikely(now_ns >= wheel->until_ns || timeout != wheel->timeout))
		frag_wheel_turn(wheel, now_ns, timeout);
	return wheel->slot;
}

static inline void frag_wheel_add(struct frag_wheel *wheel, uint16_t slot, uint16_t timer)
{
	struct frag_slot *s = &wheel->slots[slot];

	wheel->places[timer] = (struct frag_place){.older = s->youngest, .younger = FRAG_NONE};
	if (s->youngest != FRAG_NONE)
		wheel->places[s->youngest].younger = timer;
	else
		s->oldest = timer;
	s->youngest = timer;
}

static inline void frag_wheel_remove(struct frag_wheel *wheel, uint16_t slot, uint16_t timer)
{
	struct frag_slot *s = &wheel->slots[slot];
	struct frag_place at = wheel->places[timer];

	if (at.older != FRAG_NONE)
		wheel->places[at.older].younger = at.younger;
	else
		s->oldest = at.younger;
	if (at.younger != FRAG_NONE)
		wheel->places[at.younger].older = at.older;
	else
		s->youngest = at.older;
}

/* The slot that runs out first of those in which there is a timer; NULL: there is none. Its
 * youngest is the next to go. */
const struct frag_slot *frag_wheel_first(struct frag_wheel *wheel);

static inline uint64_t frag_slot_due_ns(const struct frag_slot *slot)
{
	return slot->expires * JIFFY_NS;
}

#endif
