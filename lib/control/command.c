/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parser: from words to a struct call. It walks the words once, allocates nothing, and looks
 * only at the table's part for the noun and verb at hand, so that a configuration of a million
 * routes costs well under a microsecond a line before the route itself.
 */
#include "control/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/value.h"
#include "link/link.h"

/* Other names that iproute2 has for the same word. */
static const struct {
	const char *alias, *word;
} aliases[] = {
	{"address", "addr"}, {"neighbour", "neigh"}, {"neighbor", "neigh"},
	{"delete", "del"},   {"list", "show"},       {"ls", "show"},
	{"lst", "show"},
};

static const char *unalias(const char *word)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(aliases); i++)
		if (strcmp(aliases[i].alias, word) == 0)
			return aliases[i].word;
	return NULL;
}

static bool same(const char *a, const char *b)
{
	return a && a[0] == b[0] && strcmp(a, b) == 0;
}

static bool begins(const char *name, const char *with)
{
	return name && strncmp(name, with, strlen(with)) == 0;
}

static const struct noun *noun_exact(const char *word)
{
	unsigned int i;

	for (i = 0; i < nouns_count; i++)
		if (same(nouns[i]->name, word))
			return nouns[i];
	return NULL;
}

static const struct noun *noun_abbreviated(const char *word)
{
	const struct noun *found = NULL;
	unsigned int i;

	for (i = 0; i < nouns_count; i++) {
		if (!begins(nouns[i]->name, word))
			continue;
		if (found)
			return NULL;
		found = nouns[i];
	}
	return found;
}

const struct noun *noun_find(const char *word, bool abbreviated)
{
	const struct noun *n = noun_exact(word);
	const char *alias;

	if (n)
		return n;
	alias = unalias(word);
	if (alias)
		return noun_exact(alias);
	return abbreviated && *word ? noun_abbreviated(word) : NULL;
}

static const struct command *verb_exact(const struct noun *n, const char *word)
{
	unsigned int i;

	for (i = 0; i < n->n_commands; i++)
		if (same(n->commands[i].verb, word))
			return &n->commands[i];
	return NULL;
}

static const struct command *verb_abbreviated(const struct noun *n, const char *word)
{
	const struct command *found = NULL;
	unsigned int i;

	for (i = 0; i < n->n_commands; i++) {
		if (!begins(n->commands[i].verb, word))
			continue;
		if (found)
			return NULL;
		found = &n->commands[i];
	}
	return found;
}

const struct command *verb_find(const struct noun *n, const char *word, bool abbreviated)
{
	const struct command *c = verb_exact(n, word);
	const char *alias;

	if (c)
		return c;
	alias = unalias(word);
	if (alias)
		return verb_exact(n, alias);
	return abbreviated && *word ? verb_abbreviated(n, word) : NULL;
}

static const struct arg *arg_exact(const struct command *c, const char *word)
{
	unsigned int i;

	for (i = 0; i < c->n_args; i++)
		if (same(c->args[i].word, word))
			return &c->args[i];
	return NULL;
}

/* Other keywords that iproute2 has; each stands for the first that the command knows. */
static const struct arg *arg_alias(const struct command *c, const char *word)
{
	static const struct {
		const char *alias, *word;
	} arg_aliases[] = {
		{"lookup", "table"}, {"pref", "priority"}, {"preference", "priority"},
		{"order", "priority"}, {"priority", "metric"}, {"preference", "metric"},
		{"dsfield", "tos"}, {"protocol", "proto"}, {"to", "exact"}, {"dev", "oif"},
	};
	const struct arg *a = NULL;

	for (unsigned int i = 0; i < RTE_DIM(arg_aliases) && !a; i++)
		if (same(arg_aliases[i].alias, word))
			a = arg_exact(c, arg_aliases[i].word);
	return a;
}

const struct arg *arg_find(const struct command *c, const char *word)
{
	const struct arg *a = arg_exact(c, word);

	return a ? a : arg_alias(c, word);
}

/* The only keyword that begins so, or the preferred one; not where the word is a link's name that
 * may stand alone. */
static const struct arg *arg_abbreviated(const struct command *c, const struct value *v,
					 const char *word)
{
	const struct arg *found = NULL, *several = NULL, *bare = arg_find_bare(c, v, word);
	unsigned int i;

	if (!*word || (bare && bare->type == ARG_LINK && link_find(word)))
		return NULL;
	for (i = 0; i < c->n_args; i++) {
		if (!begins(c->args[i].word, word))
			continue;
		if (c->args[i].preferred)
			return &c->args[i];
		several = found;
		found = &c->args[i];
	}
	return several ? NULL : found;
}

/* The argument without a keyword that has this word among its names, given or not. */
static const struct arg *arg_find_named(const struct command *c, const char *word)
{
	const struct arg *a;
	uint32_t number;
	unsigned int i;

	for (i = 0; i < c->n_args; i++) {
		a = &c->args[i];
		if (!a->word && a->type == ARG_NAMED && value_named(a, word, &number))
			return a;
	}
	return NULL;
}

const struct arg *arg_find_bare(const struct command *c, const struct value *v, const char *word)
{
	const struct arg *a = arg_find_named(c, word);
	unsigned int i;

	if (a)
		return a;
	for (i = 0; i < c->n_args; i++) {
		a = &c->args[i];
		if (!v[i].given && a->type != ARG_NAMED && (!a->word || a->bare))
			return a;
	}
	return NULL;
}

/* What an argument is called in a sentence: its keyword, else its value's name or names. */
static const char *arg_label(const struct arg *a, char *buf, size_t size)
{
	const struct arg_name *n;
	size_t len = 0;

	if (a->word && !a->bare)
		return a->word;
	if (a->name)
		return a->name;
	for (n = a->names; n->name && len < size; n++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? "|" : "", n->name);
	return buf;
}

/* "; try one of: a, b, c" */
static void append_list(struct error *err, const char *intro, unsigned int n,
			const char *(*name)(const void *arg, unsigned int i), const void *arg)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		const char *word = name(arg, i);

		if (!word)
			continue;
		error_append(err, intro);
		error_append(err, word);
		intro = ", ";
	}
}

static const char *noun_name(const void *arg, unsigned int i)
{
	return nouns[i]->name;
}

static const char *verb_name(const void *arg, unsigned int i)
{
	return ((const struct noun *)arg)->commands[i].verb;
}

static const char *open_arg_name(const void *arg, unsigned int i)
{
	static char buf[256];
	const struct call *call = arg;

	return call->v[i].given ? NULL : arg_label(&call->command->args[i], buf, sizeof(buf));
}

/* "r" is ambiguous: route, rule. False: it is not, or may not be abbreviated. */
static bool refuse_ambiguous(const char *word, bool abbreviated, unsigned int n,
			     const char *(*name)(const void *arg, unsigned int i), const void *arg,
			     struct error *err)
{
	const char *intro = " is ambiguous: ";

	for (unsigned int i = 0; abbreviated && *word && i < n; i++) {
		if (!begins(name(arg, i), word))
			continue;
		if (intro[0] == ' ')
			error_set(err, EINVAL, "\"%s\"", word);
		error_append(err, intro);
		error_append(err, name(arg, i));
		intro = ", ";
	}
	return intro[0] == ',';
}

static int no_such_noun(const char *word, bool abbreviated, struct error *err)
{
	if (refuse_ambiguous(word, abbreviated, nouns_count, noun_name, NULL, err))
		return -EINVAL;
	error_set(err, EINVAL, "\"%s\" is not a command", word);
	append_list(err, "; try one of: ", nouns_count, noun_name, NULL);
	return -EINVAL;
}

static int no_such_verb(const struct noun *n, const char *word, bool abbreviated,
			struct error *err)
{
	if (word && refuse_ambiguous(word, abbreviated, n->n_commands, verb_name, n, err)) {
		error_prefix(err, "%s", n->name);
		return -EINVAL;
	}
	if (word)
		error_set(err, EINVAL, "%s: \"%s\" is not a command", n->name, word);
	else
		error_set(err, EINVAL, "%s: a word is missing", n->name);
	append_list(err, "; try one of: ", n->n_commands, verb_name, n);
	return -EINVAL;
}

static bool has_open_arg(const struct call *call)
{
	unsigned int i;

	for (i = 0; i < call->command->n_args; i++)
		if (!call->v[i].given)
			return true;
	return false;
}

static int no_such_arg(const struct call *call, const char *word, struct error *err)
{
	if (word[0] == '=')
		return error_set(err, EINVAL, "\"%s\": there are no blanks around \"=\", as in "
				 "KEY=VALUE", word);
	if (!has_open_arg(call))
		return error_set(err, EINVAL, "\"%s\" is one word too many", word);
	error_set(err, EINVAL, "\"%s\" is not a word of this command", word);
	append_list(err, "; what may stand there: ", call->command->n_args, open_arg_name, call);
	return -EINVAL;
}

/* Does a `to` stand here that only leads to the word behind it? */
static bool is_leading_to(const struct command *c, int argc, const char *const *argv)
{
	const struct arg *next = argc > 1 && same("to", argv[0]) ? arg_exact(c, argv[1]) : NULL;

	return next && next->after_to;
}

static bool takes_rest(const struct arg *a)
{
	return a->type == ARG_REST || a->type == ARG_COMMAND;
}

bool arg_letters(const struct command *c, const char *word, struct arg_letters *l)
{
	char option[] = "-x";

	*l = (struct arg_letters){.last = NULL};
	if (word[0] != '-' || !word[1] || !word[2])
		return false;
	while (*++word) {
		const struct arg *a;

		option[1] = *word;
		a = arg_exact(c, option);
		if (!a || a->type == ARG_GROUP || takes_rest(a))
			return false;
		if (a->type == ARG_FLAG) {
			l->flag[a - c->args] = true;
			continue;
		}
		l->last = a;
		l->value = word + 1;
		return *l->value;
	}
	return true;
}

/* One argument from argv[0] on. Returns how many words it took. */
static int parse_arg(struct call *call, int argc, const char *const *argv, bool abbreviated,
		     struct error *err)
{
	const struct command *c = call->command;
	const struct arg *a = arg_find(c, argv[0]);
	struct value *v;
	char label[256];
	uint32_t before;
	int taken = 1, rc;

	if (!a && abbreviated)
		a = arg_abbreviated(c, call->v, argv[0]);
	if (a && a->type != ARG_FLAG && a->type != ARG_GROUP)
		taken = 2;
	if (!a)
		a = arg_find_bare(c, call->v, argv[0]);
	if (a && !a->word && !takes_rest(a) && argv[0][0] == '-' && argv[0][1])
		a = NULL;       /* no value begins so: it is meant for an option */
	if (!a)
		return no_such_arg(call, argv[0], err);
	v = &call->v[a - c->args];
	if (v->given && !a->many)
		return error_set(err, EINVAL, "%s is given twice",
				 arg_label(a, label, sizeof(label)));
	if (taken > argc)
		return error_set(err, EINVAL, "nothing stands after \"%s\"", argv[0]);
	if (a->lockable && taken < argc && !strcmp(argv[taken - 1], "lock")) {
		v->locked = true;
		taken++;
	}
	before = a->many && v->given ? v->number : 0;
	v->given = true;
	if (takes_rest(a) || a->type == ARG_GROUP) {
		v->words = argv;
		v->n_words = argc;
		return argc;
	}
	rc = value_parse(a, argv[taken - 1], v, err);
	if (a->many)
		v->number |= before;
	if (rc == 0)
		return taken;
	if (taken >= 2 && a->type != ARG_LINK && !a->bare)
		error_prefix(err, "%s", a->word);
	return rc;
}

/* 1: taken; 0: it is something else; or a negative errno. */
static int parse_letters(struct call *call, const char *word, struct error *err)
{
	struct arg_letters letters;
	int n = 1;

	if (!arg_letters(call->command, word, &letters))
		return 0;
	if (letters.last) {
		const char *const apart[] = {letters.last->word, letters.value};

		n = parse_arg(call, 2, apart, false, err);
	}
	for (unsigned int i = 0; i < call->command->n_args; i++)
		call->v[i].given |= letters.flag[i];
	return n < 0 ? n : 1;
}

static int parse_args(struct call *call, int argc, const char *const *argv, bool abbreviated,
		      struct error *err)
{
	int i, n;

	for (i = 0; i < argc; i += n) {
		n = is_leading_to(call->command, argc - i, argv + i);
		if (!n)
			n = parse_letters(call, argv[i], err);
		if (!n)
			n = parse_arg(call, argc - i, argv + i, abbreviated, err);
		if (n < 0)
			return n;
	}
	return 0;
}

/* One of some names is missing: the first word that another argument took was meant for it. */
static const char *taken_for_rest(const struct call *call, const struct arg *missing)
{
	const struct command *c = call->command;

	for (unsigned int i = 0; !missing->word && i < c->n_args; i++)
		if (takes_rest(&c->args[i]) && call->v[i].given)
			return call->v[i].words[0];
	return NULL;
}

static int check_required(const struct call *call, struct error *err)
{
	const struct command *c = call->command;
	const char *label, *taken;
	char buf[256];
	unsigned int i;

	for (i = 0; i < c->n_args; i++) {
		if (!c->args[i].required || call->v[i].given)
			continue;
		label = arg_label(&c->args[i], buf, sizeof(buf));
		taken = taken_for_rest(call, &c->args[i]);
		return taken ? error_set(err, EINVAL, "\"%s\" is not one of %s", taken, label)
			     : error_set(err, EINVAL, "%s is missing", label);
	}
	return 0;
}

static void prefix_name(const struct call *call, struct error *err)
{
	if (call->command->verb)
		error_prefix(err, "%s %s", call->noun->name, call->command->verb);
	else
		error_prefix(err, "%s", call->noun->name);
}

/* The command that argv begins with; a noun alone shows. Returns how many words name it. */
static int parse_name(int argc, const char *const *argv, bool abbreviated, struct call *call,
		      struct error *err)
{
	const struct noun *n = noun_find(argv[0], abbreviated);

	if (!n)
		return no_such_noun(argv[0], abbreviated, err);
	call->noun = n;
	call->command = &n->commands[0];
	if (!n->commands[0].verb)
		return 1;
	if (argc < 2) {
		call->command = verb_exact(n, "show");
		return call->command ? 1 : no_such_verb(n, NULL, false, err);
	}
	call->command = verb_find(n, argv[1], abbreviated);
	return call->command ? 2 : no_such_verb(n, argv[1], abbreviated, err);
}

int command_parse_group(const struct arg *a, int n_words, const char *const *words,
			struct value *v, struct error *err)
{
	const struct command inner = {.args = a->group, .n_args = a->n_group};
	struct call call = {.command = &inner};
	int n = 1, rc;

	while (n < n_words && strcmp(words[n], a->word) != 0)
		n++;
	rc = parse_args(&call, n - 1, words + 1, false, err);
	if (rc == 0)
		rc = check_required(&call, err);
	if (rc < 0) {
		error_prefix(err, "%s", a->word);
		return rc;
	}
	memcpy(v, call.v, a->n_group * sizeof(*v));
	return n;
}

/* `route help` is `help route`. */
static bool parse_help(int argc, const char *const *argv, struct call *call)
{
	const struct noun *help = noun_exact("help");
	const struct arg *words;

	if (argc != 2 || !same("help", argv[1]) || !noun_find(argv[0], true))
		return false;
	call->noun = help;
	call->command = &help->commands[0];
	memset(call->v, 0, sizeof(call->v));
	words = arg_find_bare(call->command, call->v, argv[0]);
	call->v[words - call->command->args] =
		(struct value){.given = true, .words = argv, .n_words = 1};
	return true;
}

/* Nothing has a use for them, and a configuration, a log and a terminal would take them for more
 * than text. */
static int check_characters(int argc, const char *const *argv, struct error *err)
{
	for (int i = 0; i < argc; i++)
		for (const char *c = argv[i]; *c; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				return error_set(err, EINVAL, "word %d has a control character in "
						 "it (0x%02x)", i + 1, (unsigned char)*c);
	return 0;
}

int command_parse(int argc, const char *const *argv, bool abbreviated, struct call *call,
		  struct error *err)
{
	int options = 0, n, rc;

	while (options < argc && argv[options][0] == '-')
		options++;
	if (options == argc)
		return error_set(err, EINVAL, "a command is missing");
	rc = check_characters(argc, argv, err);
	if (rc)
		return rc;
	if (parse_help(argc, argv, call))
		return 0;
	n = parse_name(argc - options, argv + options, abbreviated, call, err);
	if (n < 0)
		return n;
	memset(call->v, 0, call->command->n_args * sizeof(call->v[0]));
	n += options;
	rc = parse_args(call, options, argv, abbreviated, err);
	if (rc == 0)
		rc = parse_args(call, argc - n, argv + n, abbreviated, err);
	if (rc == 0)
		rc = check_required(call, err);
	if (rc < 0)
		prefix_name(call, err);
	return rc;
}

int command_call(const struct call *call, struct output *o, struct error *err)
{
	struct output unseen = {.limit = 0};
	size_t start = o ? o->len : 0;
	bool comma = o ? o->comma : false;
	int rc;

	rc = call->command->run(call->v, o ? o : &unseen, err);
	out_free(&unseen);
	if (o && o->full && rc == 0)
		rc = error_set(err, EFBIG, "the answer would be longer than %zu MiB; ask for less",
			       (o->limit ? o->limit : OUTPUT_LIMIT) >> 20);
	if (rc == 0 || (rc == -EINPROGRESS && o && o->live))
		return rc;
	if (o && rc != -ENODATA) {
		o->len = start;
		o->comma = comma;
		o->full = false;
	}
	prefix_name(call, err);
	return rc;
}

int command_run(int argc, const char *const *argv, struct output *o, struct error *err)
{
	struct call call;
	int rc = command_parse(argc, argv, false, &call, err);

	return rc < 0 ? rc : command_call(&call, o, err);
}
