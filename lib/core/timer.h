/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers of the control thread, on core/clock.h's time (so that they also fire in replayed time,
 * which no event library's timers do). A binary heap of pointers; a timer is embedded in what it
 * belongs to and knows its place in the heap, so that stopping one is O(log n).
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer {
	uint64_t at_ns;
	uint64_t order;                                      /* of those at the same time */
	void (*fn)(struct timer *t, uint64_t now_ns);
	unsigned int slot;                                   /* heap index + 1; 0: not set */
};

/* (Re)arm t to fire fn once at at_ns; timers of equal times fire in the order in which they were
 * set. Returns 0 or -ENOMEM. */
int timer_set(struct timer *t, uint64_t at_ns, void (*fn)(struct timer *t, uint64_t now_ns));

/* The same, but when and in which order Linux's timer wheel would (core/wheel.h): later than at_ns,
 * and the youngest first of those that fire at one time. */
int timer_set_on_wheel(struct timer *t, uint64_t now_ns, uint64_t at_ns,
		       void (*fn)(struct timer *t, uint64_t now_ns));
void timer_stop(struct timer *t);
static inline bool timer_pending(const struct timer *t)
{
	return t->slot != 0;
}

/* Fire all that are due at now_ns, in order of time. Returns how many. */
unsigned int timers_run(uint64_t now_ns);

/* When the next one is due; UINT64_MAX: none. */
uint64_t timers_next_ns(void);

#endif
