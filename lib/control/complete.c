/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Completion: what could stand in place of the last word. It walks the words as the parser does,
 * but forgives what it does not understand, for the line is not finished.
 */
#include <stdio.h>
#include <string.h>

#include "control/command.h"
#include "control/value.h"
#include "core/sysctl.h"
#include "link/link.h"

struct completion {
	const char *beginning;
	candidate_fn fn;
	void *arg;
};

static void offer(const struct completion *c, const char *word, const char *help)
{
	if (word && strncmp(word, c->beginning, strlen(c->beginning)) == 0)
		c->fn(word, help, c->arg);
}

static void offer_nouns(const struct completion *c)
{
	unsigned int i;

	for (i = 0; i < nouns_count; i++)
		offer(c, nouns[i]->name, nouns[i]->help);
}

static void offer_verbs(const struct completion *c, const struct noun *n)
{
	unsigned int i;

	for (i = 0; i < n->n_commands; i++)
		offer(c, n->commands[i].verb, n->commands[i].help);
}

static void offer_links(const struct completion *c)
{
	const struct link *l;
	unsigned int i;

	for (i = 0; i < LINKS_MAX; i++) {
		l = link_get(i);
		if (l)
			offer(c, l->name, l->driver);
	}
}

static int offer_setting(struct sysctl *s, void *arg)
{
	offer(arg, s->name, s->help);
	return 0;
}

/* help WORDS: the words of a command. */
static void offer_rest(const struct completion *c, int argc, const char *const *argv)
{
	const struct noun *n = noun_find(argv[0], true);

	if (argc == 2 && n)
		offer_verbs(c, n);
}

static void offer_values(const struct completion *c, const struct arg *a)
{
	const struct arg_name *n;

	for (n = a->names; n && n->name; n++)
		offer(c, n->name, a->help);
	if (a->type == ARG_LINK)
		offer_links(c);
	else if (a->type == ARG_SETTING)
		sysctl_foreach(NULL, offer_setting, (void *)(uintptr_t)c);
	else if (a->type == ARG_PREFIX || a->type == ARG_NETWORK)
		offer(c, "default", a->help);
	else if (a->type == ARG_COMMAND)
		offer_nouns(c);
}

/* Keywords not given yet, and the values that may stand without one. */
static void offer_args(const struct completion *c, const struct command *cmd,
		       const struct value *v)
{
	const struct arg *a;
	unsigned int i;

	for (i = 0; i < cmd->n_args; i++) {
		a = &cmd->args[i];
		if (v[i].given)
			continue;
		if (a->word && !a->bare)
			offer(c, a->word, a->help);
		else
			offer_values(c, a);
	}
}

static void complete_args(const struct completion *c, const struct command *cmd, int argc,
			  const char *const *argv);

/* Behind the last keyword of a group: its arguments, or the next group. */
static void complete_group(const struct completion *c, const struct arg *a, int argc,
			   const char *const *argv)
{
	const struct command inner = {.args = a->group, .n_args = a->n_group};
	const struct arg *before = arg_find(&inner, argv[argc - 2]);
	int last = argc - 2;

	while (last > 0 && strcmp(argv[last], a->word) != 0)
		last--;
	complete_args(c, &inner, argc - last - 1, argv + last + 1);
	if (argc - last > 2 && (!before || before->type == ARG_FLAG))
		offer(c, a->word, a->help);
}

static bool letters_given(const struct command *cmd, const char *word, struct value *v)
{
	struct arg_letters letters;

	if (!arg_letters(cmd, word, &letters))
		return false;
	for (unsigned int i = 0; i < cmd->n_args; i++)
		v[i].given |= letters.flag[i] || letters.last == &cmd->args[i];
	return true;
}

static void complete_args(const struct completion *c, const struct command *cmd, int argc,
			  const char *const *argv)
{
	struct value v[ARGS_MAX] = {{.given = false}};
	const struct arg *a;
	int i;

	for (i = 0; i < argc - 1; i++) {
		if (letters_given(cmd, argv[i], v))
			continue;
		a = arg_find(cmd, argv[i]);
		if (a && a->type == ARG_GROUP) {
			complete_group(c, a, argc - i, argv + i);
			return;
		}
		if (a && a->type != ARG_FLAG && ++i == argc - 1) {
			offer_values(c, a);
			return;
		}
		if (!a)
			a = arg_find_bare(cmd, v, argv[i]);
		if (a && a->type == ARG_COMMAND)
			offer_rest(c, argc - i, argv + i);
		if (a && (a->type == ARG_COMMAND || a->type == ARG_REST))
			return;
		if (a)
			v[a - cmd->args].given = true;
	}
	offer_args(c, cmd, v);
}

void command_complete(int argc, const char *const *argv, candidate_fn fn, void *arg)
{
	struct completion c = {.fn = fn, .arg = arg};
	const struct command *cmd;
	const struct noun *n;

	if (argc < 1)
		return;
	c.beginning = argv[argc - 1];
	if (argc == 1) {
		offer_nouns(&c);
		return;
	}
	n = noun_find(argv[0], true);
	if (!n)
		return;
	if (!n->commands[0].verb) {
		complete_args(&c, &n->commands[0], argc - 1, argv + 1);
		return;
	}
	if (argc == 2) {
		offer_verbs(&c, n);
		return;
	}
	cmd = verb_find(n, argv[1], true);
	if (cmd)
		complete_args(&c, cmd, argc - 2, argv + 2);
}
