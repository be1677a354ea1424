/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operator's side of the router, for the daemon: the control socket, the configuration file
 * (control/config.h) and the commands (control/command.h), all on the control thread.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "control/command.h"
#include "control/config.h"
#include "control/server.h"

struct event_base;

struct control_options {
	struct server_options server;
	/* The operator has said `shutdown`. Called from the event loop: leave it, and call
	 * control_fini() thereafter; the answer is sent then. */
	void (*shutdown)(void *arg);
	/* May be NULL. Called every few milliseconds while many commands run, as of a long
	 * configuration: poll messages, run timers; on an lcore that is a worker, too, its loop. It
	 * must neither run commands nor the event loop. False: the program is to end. */
	bool (*tick)(void *arg);
	void *arg;
};

/* Open the socket and serve it on the base. What tick and shutdown are is known to commands from
 * here on, so a configuration is loaded after this. Returns 0 or a negative errno. */
int control_init(struct event_base *base, const struct control_options *o, struct error *err);

/* Close clients and remove the socket. */
void control_fini(void);

#endif
