/* SPDX-License-Identifier: BSD-3-Clause */
/* shutdown: ask the daemon to end. */
#include <errno.h>

#include "control/commands.h"

void (*shutdown_request)(void *arg);
void *shutdown_arg;

static int run(const struct value *v, struct output *o, struct error *err)
{
	if (!shutdown_request)
		return error_set(err, EOPNOTSUPP, "not possible here");
	shutdown_request(shutdown_arg);
	return 0;
}

static const struct command commands[] = {
	{NULL, "End millrace.", run},
};

const struct noun noun_shutdown = {
	"shutdown", "end millrace", NOUN_COMMANDS(commands),
};
