/* SPDX-License-Identifier: BSD-3-Clause */
/* Arguments of the daemon. */
#ifndef MILLRACE_OPTIONS_H
#define MILLRACE_OPTIONS_H

#include <stdbool.h>

#include "control/server.h"
#include "core/clock.h"
#include "core/error.h"

struct options {
	const char *config;            /* -c, NULL: none */
	struct server_options server;  /* -s, --socket-mode, --socket-owner */
	unsigned int workers;          /* -w, 0: not given */
	bool until_idle;
	enum clock_mode time;
	bool fast_path;
	bool verbose;
	int eal_argc;                  /* what stood after -- */
	char **eal_argv;
};

/* Returns 0: go on; 1: all done (help, version), leave with status 0; negative: wrong, with a
 * sentence. */
int options_parse(struct options *o, int argc, char **argv, struct error *err);

#endif
