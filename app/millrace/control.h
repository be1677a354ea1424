/* SPDX-License-Identifier: BSD-3-Clause */
/* The control thread's event loop. */
#ifndef MILLRACE_CONTROL_H
#define MILLRACE_CONTROL_H

#include "core/error.h"
#include "options.h"

/* Open the socket and load the configuration. */
int control_loop_init(const struct options *o, struct error *err);

/* Serve until told to stop. alone: there is no other lcore, so this thread is worker 0 as well. */
void control_loop_run(const struct options *o, bool alone);

void control_loop_fini(void);

/* Ask the loop to end; from a signal handler or anywhere. */
void control_loop_stop(void);
bool control_loop_stopping(void);

#endif
