/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands from a file, one a line. */
#ifndef MILLCTL_BATCH_H
#define MILLCTL_BATCH_H

#include "client.h"

/* Run the commands of a file ("-": standard input) up to the first that is refused, or all if
 * forced. Says on stderr, with file and line, what was refused, and returns false then. */
bool batch_run(struct client *c, const char *path, bool force, enum format format);

#endif
