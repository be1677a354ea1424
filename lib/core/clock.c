/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time; see clock.h. TSC cycles since the start become nanoseconds by a 32.32 fixed-point factor
 * (128-bit product, so it never overflows): no division and no system call for a reader.
 */
#include "core/clock.h"

#include <stdbool.h>
#include <time.h>

#include <rte_cycles.h>

static enum clock_mode mode;
static uint64_t start_ns, start_tsc;
static uint64_t ns_per_cycle_q32;
static uint64_t packet_ns = CLOCK_PACKET_START;
static uint64_t packet_origin_ns; /* UTC of time 0, modulo 2^64, once a timestamp was seen */
static bool packet_seen;

void clock_init(enum clock_mode m)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	mode = m;
	start_tsc = rte_rdtsc();
	start_ns = (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
	ns_per_cycle_q32 = (uint64_t)(((__uint128_t)NSEC_PER_SEC << 32) / rte_get_tsc_hz());
}

enum clock_mode clock_mode(void)
{
	return mode;
}

uint64_t clock_now_ns(void)
{
	if (mode == CLOCK_PACKET)
		return __atomic_load_n(&packet_ns, __ATOMIC_RELAXED);
	return start_ns +
	       (uint64_t)(((__uint128_t)(rte_rdtsc() - start_tsc) * ns_per_cycle_q32) >> 32);
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
