/* SPDX-License-Identifier: BSD-3-Clause */
/* See tick.h. */
#include "control/tick.h"

#include <stddef.h>
#include <time.h>

#define TICK_NS (2 * 1000000ULL)

bool (*tick_duties)(void *arg);
void *tick_arg;

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

void tick_start(struct tick *t)
{
	t->last_ns = monotonic_ns();
}

bool tick(struct tick *t)
{
	bool go_on;

	if (!tick_duties || monotonic_ns() - t->last_ns < TICK_NS)
		return true;
	go_on = tick_duties(tick_arg);
	t->last_ns = monotonic_ns();
	return go_on;
}
