/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time, in nanoseconds, never going back.
 *
 * CLOCK_WALL: UTC at start plus the TSC's progress since. CLOCK_PACKET: the
 * packets' own timestamps, so that a replayed capture gives the same result every time, timeouts
 * included; clock_set() moves it forward and control and worker share one thread then.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC 1000000000ULL

/* Linux's tick where HZ is 250; its timers and limits go by whole ones. */
#define JIFFY_NS (4 * NSEC_PER_MSEC)
#define JIFFIES_PER_SEC (NSEC_PER_SEC / JIFFY_NS)

enum clock_mode { CLOCK_WALL, CLOCK_PACKET };

/* Once, after rte_eal_init. */
void clock_init(enum clock_mode mode);
enum clock_mode clock_mode(void);

/* Keep CLOCK_WALL in step with the system's clock; the control thread calls it every so often. */
void clock_calibrate(void);

/* Now. Any thread. Workers read it once a loop into worker->now_ns and use that. */
uint64_t clock_now_ns(void);
/* The same, where the TSC has been read already. */
uint64_t clock_at_ns(uint64_t tsc);

/* The system's monotonic clock, in replayed time, too: how long work itself takes. Any thread. */
uint64_t clock_monotonic_ns(void);

/*
 * CLOCK_PACKET only: move time forward; an earlier time is ignored. Replayed time begins at
 * CLOCK_PACKET_START,
 * which the first timestamp is mapped to, so that what was configured before the first packet is
 * as old then as in any other replay. It is 30 years, so that a second capture may be that much
 * older than the first.
 */
#define CLOCK_PACKET_START (1000000000 * NSEC_PER_SEC)
void clock_set(uint64_t ns);

/* This clock's time as UTC, and a packet's timestamp as this clock's time. */
uint64_t clock_utc(uint64_t ns);
uint64_t clock_of_utc(uint64_t utc_ns);

#endif
