/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * help: the command table in words, for all commands, a noun's, or one. --markdown prints all of
 * it as the reference manual (docs/commands.md).
 */
#include <errno.h>
#include <string.h>

#include "control/commands.h"
#include "control/value.h"

#define MANUAL_COLUMNS 100
#define CONTINUED "\n   "	/* before an argument, which brings a space along */

enum { HELP_MARKDOWN, HELP_WORDS };

static const struct arg args[] = {
	[HELP_MARKDOWN] = {.word = "--markdown", .type = ARG_FLAG,
			   .help = "print the reference manual"},
	[HELP_WORDS] = {.name = "WORDS", .type = ARG_COMMAND,
			.help = "the command, or the first word of several"},
};

static void show_names(const struct arg *a, struct output *o)
{
	const struct arg_name *n;

	for (n = a->names; n->name; n++) {
		if (n != a->names)
			out_raw(o, "|", 1);
		out_raw(o, n->name, strlen(n->name));
	}
}

static void show_raw(struct output *o, const char *text)
{
	out_raw(o, text, strlen(text));
}

/* "mtu N", "up|down", "onlink" */
static void show_arg(const struct arg *a, struct output *o)
{
	if (a->word && !a->bare) {
		show_raw(o, a->word);
		show_raw(o, a->type == ARG_FLAG ? "" : " ");
	}
	if (a->name)
		show_raw(o, a->name);
	else if (a->type != ARG_FLAG)
		show_names(a, o);
}

static void show_command(const struct noun *n, const struct command *c, struct output *o)
{
	show_raw(o, n->name);
	if (c->verb) {
		show_raw(o, " ");
		show_raw(o, c->verb);
	}
}

/* With the space in front of it, and in brackets if it may be left out. */
static void show_usage_arg(const struct arg *a, struct output *o)
{
	show_raw(o, a->required ? " " : " [");
	show_arg(a, o);
	show_raw(o, a->required ? "" : "]");
}

static void show_usage(const struct noun *n, const struct command *c, struct output *o)
{
	unsigned int i;

	show_command(n, c, o);
	for (i = 0; i < c->n_args; i++)
		show_usage_arg(&c->args[i], o);
}

/* Write something in a buffer of its own and give it out as a value. */
static void out_usage(struct output *o, const char *key, const struct noun *n,
		      const struct command *c, const struct arg *a)
{
	struct output text = {.limit = 0};
	const char *done;

	if (a)
		show_arg(a, &text);
	else
		show_usage(n, c, &text);
	done = out_finish(&text);
	if (done)
		out_string(o, key, "", done);
	out_free(&text);
}

static void help_arg(const struct arg *a, struct output *o)
{
	const struct arg_name *n;

	out_object(o, NULL);
	out_text(o, "    ");
	out_usage(o, "usage", NULL, NULL, a);
	out_string(o, "help", "\n        ", a->help);
	out_bool(o, "required", a->required);
	if (a->names) {
		out_array(o, "values");
		for (n = a->names; n->name; n++)
			out_string(o, NULL, NULL, n->name);
		out_array_end(o);
	}
	if (a->names && a->name && a->type == ARG_NAMED) {
		out_text(o, ": ");
		if (!o->json)
			show_names(a, o);
	}
	out_text(o, "\n");
	out_object_end(o);
}

static void help_command(const struct noun *n, const struct command *c, bool details,
			 struct output *o)
{
	unsigned int i;

	out_object(o, NULL);
	out_usage(o, "usage", n, c, NULL);
	out_string(o, "help", details ? "\n    " : NULL, c->help);
	if (details || o->json) {
		out_text(o, c->n_args ? "\n" : "");
		out_array(o, "arguments");
		for (i = 0; i < c->n_args; i++)
			help_arg(&c->args[i], o);
		out_array_end(o);
	} else {
		out_text(o, "\n");
	}
	out_text(o, details && !c->n_args ? "\n" : "");
	out_object_end(o);
}

static void help_noun(const struct noun *n, struct output *o)
{
	unsigned int i;

	for (i = 0; i < n->n_commands; i++)
		help_command(n, &n->commands[i], false, o);
}

static int help_words(const struct value *v, struct output *o, struct error *err)
{
	const struct noun *n = noun_find(v->words[0], true);
	const struct command *c;

	if (!n)
		return error_set(err, EINVAL,
				 "\"%s\" is not a command; help without a word lists them",
				 v->words[0]);
	c = !n->commands[0].verb ? &n->commands[0] : NULL;
	if (v->n_words > 1) {
		c = verb_find(n, v->words[1], true);
		if (!c)
			return error_set(err, EINVAL, "\"%s %s\" is not a command", n->name,
					 v->words[1]);
	}
	if (v->n_words > 2)
		return error_set(err, EINVAL, "\"%s\" is one word too many", v->words[2]);
	if (c)
		help_command(n, c, true, o);
	else
		help_noun(n, o);
	return 0;
}

/* As show_usage(), in lines for which a page has room. */
static void manual_usage(const struct noun *n, const struct command *c, struct output *o)
{
	size_t column = strlen(n->name) + (c->verb ? strlen(" ") + strlen(c->verb) : 0), len;
	struct output arg;
	const char *done;
	unsigned int i;

	show_command(n, c, o);
	for (i = 0; i < c->n_args; i++) {
		arg = (struct output){.limit = 0};
		show_usage_arg(&c->args[i], &arg);
		done = out_finish(&arg);
		len = done ? strlen(done) : 0;
		if (column + len > MANUAL_COLUMNS) {
			show_raw(o, CONTINUED);
			column = strlen(CONTINUED) - strlen("\n");
		}
		if (done)
			show_raw(o, done);
		column += len;
		out_free(&arg);
	}
}

static void manual_command(const struct noun *n, const struct command *c, struct output *o)
{
	unsigned int i;

	out_text(o, "\n```\n");
	manual_usage(n, c, o);
	out_printf(o, "\n```\n\n%s\n", c->help);
	if (c->n_args)
		out_text(o, "\n| argument | |\n|---|---|\n");
	for (i = 0; i < c->n_args; i++) {
		out_text(o, "| `");
		out_usage(o, NULL, NULL, NULL, &c->args[i]);
		out_text(o, "` | ");
		out_text(o, c->args[i].help);
		if (c->args[i].names && c->args[i].name && c->args[i].type == ARG_NAMED) {
			out_text(o, ": ");
			show_names(&c->args[i], o);
		}
		out_text(o, " |\n");
	}
}

static void manual(struct output *o)
{
	unsigned int i, j;

	out_text(o,
		 "# Commands\n\n"
		 "What `millctl` and a configuration file understand. This page is made from the "
		 "command table:\n`millctl help --markdown > docs/commands.md`.\n\n"
		 "After its first words (`route add`) the words of a command may come in any "
		 "order. What stands in\nbrackets may be left out. A noun alone shows: `route` is "
		 "`route show`.\n");
	for (i = 0; i < nouns_count; i++) {
		out_printf(o, "\n## %s: %s\n", nouns[i]->name, nouns[i]->help);
		for (j = 0; j < nouns[i]->n_commands; j++)
			manual_command(nouns[i], &nouns[i]->commands[j], o);
	}
}

static int run(const struct value *v, struct output *o, struct error *err)
{
	unsigned int i;
	int rc = 0;

	if (v[HELP_MARKDOWN].given && o->json)
		return error_set(err, EINVAL, "--markdown is text and has no JSON");
	if (v[HELP_MARKDOWN].given) {
		manual(o);
		return 0;
	}
	out_array(o, NULL);
	if (v[HELP_WORDS].given)
		rc = help_words(&v[HELP_WORDS], o, err);
	for (i = 0; i < nouns_count && !v[HELP_WORDS].given; i++)
		help_noun(nouns[i], o);
	out_array_end(o);
	return rc;
}

static const struct command commands[] = {
	{NULL, "Explain commands.", run, COMMAND_ARGS(args)},
};

const struct noun noun_help = {
	"help", "commands and their arguments", NOUN_COMMANDS(commands),
};
