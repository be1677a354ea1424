/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time; see clock.h. TSC cycles since an anchor become nanoseconds by a 32.32 fixed-point factor
 * (128-bit product, so it never overflows): no division and no system call for a reader.
 *
 * What is known of the TSC's frequency at start is a round number, off by up to some tenths of a
 * percent, which would make a limit of so many messages in so many seconds wrong. So the control
 * thread measures it against CLOCK_MONOTONIC as it goes: each new anchor begins where the old one
 * has come to, and its factor leads to where CLOCK_MONOTONIC will be a second later. Two anchors
 * take turns; a reader looks again if they were exchanged meanwhile.
 */
#include "core/clock.h"

#include <stdbool.h>
#include <time.h>

#include <rte_cycles.h>

#define CALIBRATE_NS (100 * NSEC_PER_MSEC)

struct anchor {
	uint64_t tsc, ns, ns_per_cycle_q32;
};

static enum clock_mode mode;
static struct anchor anchors[2];
static unsigned int turn;              /* anchors[turn & 1] is the valid one */
static uint64_t start_tsc, start_ns, start_monotonic_ns;

static uint64_t packet_ns = CLOCK_PACKET_START;
static uint64_t packet_origin_ns; /* UTC of time 0, modulo 2^64, once a timestamp was seen */
static bool packet_seen;

static uint64_t system_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return system_ns(CLOCK_MONOTONIC);
}

/* A TSC read a moment before another CPU set the anchor is taken for the anchor's. */
static uint64_t anchor_ns(const struct anchor *a, uint64_t tsc)
{
	if (unlikely(tsc < a->tsc))
		return a->ns;
	return a->ns + (uint64_t)(((__uint128_t)(tsc - a->tsc) * a->ns_per_cycle_q32) >> 32);
}

void clock_init(enum clock_mode m)
{
	mode = m;
	start_ns = system_ns(CLOCK_REALTIME);
	start_monotonic_ns = clock_monotonic_ns();
	start_tsc = rte_rdtsc();
	anchors[0] = (struct anchor){
		.tsc = start_tsc,
		.ns = start_ns,
		.ns_per_cycle_q32 = (uint64_t)(((__uint128_t)NSEC_PER_SEC << 32) /
					       rte_get_tsc_hz()),
	};
	turn = 0;
}

void clock_calibrate(void)
{
	const struct anchor *old = &anchors[turn & 1];
	uint64_t tsc = rte_rdtsc(), elapsed_ns, now_ns, target_ns;
	struct anchor next = {.tsc = tsc, .ns = anchor_ns(old, tsc)};
	__uint128_t cycles;

	if (mode != CLOCK_WALL || next.ns - old->ns < CALIBRATE_NS)
		return;
	elapsed_ns = clock_monotonic_ns() - start_monotonic_ns;
	now_ns = start_ns + elapsed_ns;
	target_ns = RTE_MAX(now_ns + NSEC_PER_SEC, next.ns + NSEC_PER_SEC / 2);
	cycles = (__uint128_t)(tsc - start_tsc) * NSEC_PER_SEC / elapsed_ns;
	next.ns_per_cycle_q32 = (uint64_t)(((__uint128_t)(target_ns - next.ns) << 32) / cycles);
	anchors[(turn + 1) & 1] = next;
	__atomic_store_n(&turn, turn + 1, __ATOMIC_RELEASE);
}

enum clock_mode clock_mode(void)
{
	return mode;
}

uint64_t clock_at_ns(uint64_t tsc)
{
	unsigned int seen;
	uint64_t ns;

	if (mode == CLOCK_PACKET)
		return __atomic_load_n(&packet_ns, __ATOMIC_RELAXED);
	do {
		seen = __atomic_load_n(&turn, __ATOMIC_ACQUIRE);
		ns = anchor_ns(&anchors[seen & 1], tsc);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely(seen != __atomic_load_n(&turn, __ATOMIC_RELAXED)));
	return ns;
}

uint64_t clock_now_ns(void)
{
	return clock_at_ns(rte_rdtsc());
}

void clock_set(uint64_t ns)
{
	if (mode == CLOCK_PACKET && ns > packet_ns)
		__atomic_store_n(&packet_ns, ns, __ATOMIC_RELAXED);
}

uint64_t clock_of_utc(uint64_t utc_ns)
{
	if (mode != CLOCK_PACKET)
		return utc_ns;
	if (!packet_seen) {
		packet_seen = true;
		packet_origin_ns = utc_ns - packet_ns;
	}
	return utc_ns - packet_origin_ns;
}

uint64_t clock_utc(uint64_t ns)
{
	return mode == CLOCK_PACKET ? ns + packet_origin_ns : ns;
}
