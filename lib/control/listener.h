/* SPDX-License-Identifier: BSD-3-Clause */
/* The file in the file system that clients connect to: made, taken over, owned and removed. */
#ifndef CONTROL_LISTENER_H
#define CONTROL_LISTENER_H

#include "control/server.h"

/* A listening socket at o->path, non-blocking. Returns it or a negative errno. */
int listener_open(const struct server_options *o, struct error *err);

/* Refused if another process listens there. */
int listener_check(const char *path, struct error *err);

/* Remove the file, if it still is the one that listener_open() made. */
void listener_remove(const char *path);

#endif
