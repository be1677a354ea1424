/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer target: a configuration file. It is loaded as one; then each of its lines is given as
 * a command that prints, as JSON or text, abbreviated or not, and completed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "../unit/stub_rooms.h"
#include "control/command.h"
#include "control/words.h"
#include "rooms.h"

static void load(const unsigned char *data, size_t size)
{
	static int fd = -1;
	static char path[32];
	struct error err;

	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	__real_config_load_file(path, &err);
}

/* What a command prints as JSON must be JSON. */
static void check_json(struct output *o)
{
	const char *text = out_finish(o);
	json_t *json;

	if (!text || !o->len)
		return;
	json = json_loadb(text, o->len, JSON_DECODE_ANY, NULL);
	if (!json)
		abort();
	json_decref(json);
}

static void candidate(const char *word, const char *help, void *arg)
{
	*(size_t *)arg += strlen(word) + (help ? strlen(help) : 0);
}

static void command(char *line, unsigned int how)
{
	const char *argv[WORDS_MAX];
	struct output o = {.json = how & 1};
	struct error err = {""};
	struct call call;
	size_t sum = 0;
	int argc = words_split(line, argv);

	if (argc <= 0)
		return;
	command_complete(argc, argv, candidate, &sum);
	if (!command_parse(argc, argv, how & 2, &call, &err) && !command_call(&call, &o, &err) &&
	    o.json)
		check_json(&o);
	else if (strlen(err.text) >= sizeof(err.text))
		abort();
	out_free(&o);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size)
{
	char *text = malloc(size + 1), *line, *rest = text;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	stub_reset();
	load(data, size);
	for (unsigned int how = 0; (line = strsep(&rest, "\n")); how++)
		command(line, how);
	free(text);
	return 0;
}
