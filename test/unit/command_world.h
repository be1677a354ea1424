/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For tests of the room control: a line as an operator would give it, and what comes of it. The
 * rooms around are stand-ins (stub_rooms.h).
 */
#ifndef TEST_COMMAND_WORLD_H
#define TEST_COMMAND_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/output.h"
#include "core/error.h"

/* Of the last line: why it was refused, and what it printed. */
extern struct error err;
extern struct output said;

/* A setup of cmocka's: links p0, which is up, and p1, and nothing else. */
int command_world_setup(void **state);
/* Of a group of tests. */
int command_world_teardown(void **state);

/* Run a line. Returns what command_run() does. */
int run(const char *line, bool json);
/* The same, where it must not be refused. Returns what was printed, until the next line. */
const char *printed(const char *line, bool json);
void done(const char *line);

/* A line that must be refused, with this sentence and no output. */
struct refusal {
	const char *line, *sentence;
};
void assert_refused(const struct refusal *refused, unsigned int n);

#endif
