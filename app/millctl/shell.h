/* SPDX-License-Identifier: BSD-3-Clause */
/* The interactive shell. */
#ifndef MILLCTL_SHELL_H
#define MILLCTL_SHELL_H

#include "client.h"

/* Read commands from the terminal until its end or `exit`. */
void shell_run(struct client *c, enum format format);

#endif
