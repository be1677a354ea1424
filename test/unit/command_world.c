/* SPDX-License-Identifier: BSD-3-Clause */
/* See command_world.h. */
#include "command_world.h"

#include <stdio.h>

#include "control/command.h"
#include "control/words.h"
#include "stub_rooms.h"

struct error err;
struct output said;

int run(const char *line, bool json)
{
	const char *argv[WORDS_MAX];
	char copy[1024];
	int argc;

	snprintf(copy, sizeof(copy), "%s", line);
	argc = words_split(copy, argv);
	err.text[0] = 0;
	out_reset(&said, json);
	return command_run(argc, argv, &said, &err);
}

const char *printed(const char *line, bool json)
{
	if (run(line, json) != 0)
		fail_msg("%s: %s", line, err.text);
	return out_finish(&said);
}

void done(const char *line)
{
	printed(line, false);
}

int command_world_setup(void **state)
{
	stub_reset();
	done("link add p0 type dpdk devargs net_null0");
	done("link add p1 type dpdk devargs net_null1");
	done("link set p0 up");
	return 0;
}

int command_world_teardown(void **state)
{
	out_free(&said);
	return 0;
}

void assert_refused(const struct refusal *refused, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (run(refused[i].line, false) == 0)
			fail_msg("\"%s\" was not refused", refused[i].line);
		assert_string_equal(err.text, refused[i].sentence);
		assert_int_equal(said.len, 0);
	}
}
