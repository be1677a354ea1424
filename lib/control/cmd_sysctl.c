/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sysctl: settings under Linux's names. Reads and writes one, or lists those that match, and
 * prints "key = value" as procps' sysctl does.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/commands.h"
#include "core/sysctl.h"

#define NAME_SIZE 256

enum { SYSCTL_ALL, SYSCTL_WRITE, SYSCTL_VALUES, SYSCTL_KEY };

static const struct arg args[] = {
	[SYSCTL_ALL] = {.word = "-a", .type = ARG_FLAG,
			.help = "list all settings, or those that match a pattern in place of KEY"},
	[SYSCTL_WRITE] = {.word = "-w", .type = ARG_FLAG,
			  .help = "write; makes no difference, =VALUE says it"},
	[SYSCTL_VALUES] = {.word = "-n", .type = ARG_FLAG, .help = "values without their names"},
	[SYSCTL_KEY] = {.name = "KEY[=VALUE]", .type = ARG_SETTING,
			.help = "the setting, and the value to give it"},
};

struct show {
	struct output *o;
	bool values;
};

static int show_one(struct sysctl *s, void *arg)
{
	const struct show *show = arg;
	struct output *o = show->o;
	const char *before = show->values ? "" : " = ";

	if (!show->values)
		out_text(o, s->name);
	if (s->wide)
		out_number(o, s->name, before, (uint64_t)sysctl_value(s));
	else
		out_signed(o, s->name, before, sysctl_value(s));
	out_text(o, "\n");
	return 0;
}

/* A word without wildcards is looked for anywhere in the name. */
static int list(const char *pattern, struct show *show)
{
	char around[NAME_SIZE];

	if (pattern && !strpbrk(pattern, "*?[")) {
		snprintf(around, sizeof(around), "*%s*", pattern);
		pattern = around;
	}
	out_object(show->o, NULL);
	sysctl_foreach(pattern, show_one, show);
	out_object_end(show->o);
	return 0;
}

static int run(const struct value *v, struct output *o, struct error *err)
{
	const char *word = v[SYSCTL_KEY].text, *equals;
	struct show show = {.o = o, .values = v[SYSCTL_VALUES].given};
	struct sysctl *s;
	char key[NAME_SIZE];
	int rc;

	if (v[SYSCTL_ALL].given)
		return list(word, &show);
	if (!word)
		return error_set(err, EINVAL, "KEY[=VALUE] is missing");
	equals = strchrnul(word, '=');
	if ((size_t)(equals - word) >= sizeof(key))
		return error_set(err, EINVAL, "there is no setting \"%.64s...\"", word);
	memcpy(key, word, (size_t)(equals - word));
	key[equals - word] = 0;
	s = sysctl_find(key);
	if (!s)
		return error_set(err, ENOENT, "there is no setting \"%s\"", key);
	if (v[SYSCTL_WRITE].given && !*equals)
		return error_set(err, EINVAL, "\"%s\" has no =VALUE to write", word);
	rc = *equals ? sysctl_set(key, equals + 1, err) : 0;
	if (rc < 0)
		return rc;
	out_object(o, NULL);
	show_one(s, &show);
	out_object_end(o);
	return 0;
}

static const struct command commands[] = {
	{NULL, "Read or change a setting, or list settings.", run, COMMAND_ARGS(args)},
};

const struct noun noun_sysctl = {
	"sysctl", "settings under Linux's names", NOUN_COMMANDS(commands),
};
