/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What takes long on the control thread, such as many commands at once, lets the thread's other
 * duties have their turn every so often.
 */
#ifndef CONTROL_TICK_H
#define CONTROL_TICK_H

#include <stdbool.h>
#include <stdint.h>

/* Sees to the other duties. It must not run commands. Returns false if what takes long is to end,
 * as the program is to. NULL: there are none. */
extern bool (*tick_duties)(void *arg);
extern void *tick_arg;

struct tick {
	uint64_t last_ns;
};

void tick_start(struct tick *t);

/* To be called often; false: see above. */
bool tick(struct tick *t);

#endif
