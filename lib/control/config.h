/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration files: a list of commands, one a line, in the words of control/words.h. What
 * config_show() prints is such a list, in an order that loads.
 */
#ifndef CONTROL_CONFIG_H
#define CONTROL_CONFIG_H

#include "control/output.h"
#include "core/error.h"

/* Run the commands of a file, up to the first that is refused: "FILE:12: route add: ...". */
int config_load_file(const char *path, struct error *err);

/* Write the running state to a file: all of it or, when something fails, none. */
int config_save_file(const char *path, struct error *err);

/* The running state; in JSON an array of lines. */
void config_show(struct output *o);

#endif
