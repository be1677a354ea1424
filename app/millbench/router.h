/* SPDX-License-Identifier: BSD-3-Clause */
/* A router without its threads, for benchmarks of more than one room. */
#ifndef MILLBENCH_ROUTER_H
#define MILLBENCH_ROUTER_H

#include "core/worker.h"

/* All rooms, with one worker, which runs where the caller does; the time stands still. NULL, and a
 * word on stderr, if they do not start. */
struct worker *router_start(void);

/* A command as an operator would give it. Returns 0, or -1 and says why on stderr. */
int router_command(const char *text);

#endif
