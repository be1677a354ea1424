/* SPDX-License-Identifier: BSD-3-Clause */
/* See tick.h. */
#include "control/tick.h"

#include <stddef.h>

#include "core/clock.h"

#define TICK_NS (2 * NSEC_PER_MSEC)

bool (*tick_duties)(void *arg);
void *tick_arg;

void tick_start(struct tick *t)
{
	t->last_ns = clock_monotonic_ns();
}

bool tick(struct tick *t)
{
	bool go_on;

	if (!tick_duties || clock_monotonic_ns() - t->last_ns < TICK_NS)
		return true;
	go_on = tick_duties(tick_arg);
	t->last_ns = clock_monotonic_ns();
	return go_on;
}
