/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a timer runs out that Linux would put into its timer wheel (kernel/time/timer.c), which can
 * be seen from outside by what timers do and in which order.
 *
 * Time is in jiffies. The wheel has levels of 64 slots. A slot of the first is a jiffy, one of any
 * other eight times as long as one of the level before; the longer a timer is to run, the higher
 * is its level. A slot runs out when it is over, so timers are late, by about an eighth of their
 * length at most: those of a second by up to 32 ms, those of 30 s by up to 2 s. What is in a slot
 * then runs out together, the youngest first; and where slots of several levels are over at once,
 * the longest first.
 */
#ifndef CORE_WHEEL_H
#define CORE_WHEEL_H

#include <stdint.h>

#define WHEEL_LEVELS 9
#define WHEEL_SLOTS 64               /* of a level */
#define WHEEL_LEVEL_BITS 3           /* slots of a level are 2^3 times as long as one before */

struct wheel_slot {
	uint64_t expires;            /* the jiffy in which it runs out */
	unsigned int level;
};

/* How long the slots of a level are, as a power of 2. */
static inline unsigned int wheel_bits(unsigned int level)
{
	return level * WHEEL_LEVEL_BITS;
}

/* From so many jiffies on a timer is too long for a level. */
static inline uint64_t wheel_reach(unsigned int level)
{
	return (WHEEL_SLOTS - 1ULL) << wheel_bits(level);
}

/* For how many jiffies a timer really runs: no longer than the wheel reaches. */
static inline uint64_t wheel_run(uint64_t jiffies)
{
	const unsigned int last = WHEEL_LEVELS - 1;
	const uint64_t slot = 1ULL << wheel_bits(last);

	return jiffies < wheel_reach(last) ? jiffies : wheel_reach(last) - slot;
}

/* The slot for a timer that begins in the jiffy `now`, to run for so many. */
static inline struct wheel_slot wheel_slot(uint64_t now, uint64_t jiffies)
{
	uint64_t run = wheel_run(jiffies);
	struct wheel_slot slot = {.level = 0};
	unsigned int bits;

	while (run >= wheel_reach(slot.level))
		slot.level++;
	bits = wheel_bits(slot.level);
	slot.expires = (((now + run) >> bits) + 1) << bits;
	return slot;
}

#endif
