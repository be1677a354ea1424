/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * filter add|insert|replace|del|flush|reset|policy|load|show: rules in nft(8)'s words, which
 * filter_words.c understands and show_filter.c writes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/commands.h"
#include "control/file_path.h"
#include "control/filter_words.h"
#include "control/show_filter.h"
#include "control/value.h"
#include "control/words.h"

static const struct arg_name points[] = {
	{"prerouting", HOOK_PREROUTING}, {"input", HOOK_INPUT}, {"forward", HOOK_FORWARD},
	{"output", HOOK_OUTPUT}, {"postrouting", HOOK_POSTROUTING}, {NULL},
};

static const struct arg_name policies[] = {{"accept", 1}, {"drop", 0}, {NULL}};

/* ---- commands ---- */

enum { RULE_POINT, RULE_WORDS, RULE_HANDLE = RULE_WORDS, RULE_POLICY = RULE_WORDS };

#define POINT_ARG .type = ARG_NAMED, .names = points

static const struct arg add_args[] = {
	[RULE_POINT] = {POINT_ARG, .required = true, .help = "where"},
	[RULE_WORDS] = {.name = "[handle N|index N] RULE", .type = ARG_REST, .required = true,
			.help = "`handle N`: behind the rule with this handle (insert: before "
				"it), `index N`: the same by number, the first rule is 0. The "
				"rule itself in nft's words, taken in order: ip saddr|daddr|"
				"protocol|ttl|frag-off|length|id|dscp|ecn|hdrlength|version|"
				"checksum, tcp|udp|sctp|dccp|udplite|th sport|dport, tcp flags|"
				"sequence|ackseq|doff|reserved|window|checksum|urgptr, udp "
				"length|checksum, udplite csumcov|checksum, sctp vtag|checksum, "
				"dccp type, icmp type|code|id|sequence|mtu|gateway|checksum, "
				"igmp type|mrt|checksum|group, esp spi|sequence, ah spi|sequence|"
				"hdrlength, comp cpi, @nh,BIT,BITS, @th,BIT,BITS, iif|oif NAME "
				"(a link that is there), iifname|oifname NAME (one to come, or "
				"all whose names begin so: p*), fragment, mark, pkttype, meta "
				"l4proto|length, each with VALUE, VALUE-VALUE or { A, B }, "
				"before it !=, <, >, <= or >=, before that & MASK; limit rate "
				"[over] N[ bytes|kbytes|mbytes]/UNIT [burst N packets], or burst "
				"N bytes|kbytes|mbytes where the rate is in bytes, counter, log "
				"[prefix TEXT] [level LEVEL], mark set N (or mark or N, and, "
				"xor); at the end accept, drop, return, continue, or reject "
				"[with icmp CODE | with tcp reset]; comment TEXT"},
};

static const struct arg replace_args[] = {
	[RULE_POINT] = {POINT_ARG, .required = true, .help = "where"},
	[RULE_WORDS] = {.name = "handle N RULE", .type = ARG_REST, .required = true,
			.help = "the handle of the rule to replace, and the words of the new one; "
				"see filter add"},
};

static const struct arg del_args[] = {
	[RULE_POINT] = {POINT_ARG, .required = true, .help = "where"},
	[RULE_HANDLE] = {.word = "handle", .name = "N", .type = ARG_NUMBER, .min = 1,
			 .max = UINT32_MAX, .required = true,
			 .help = "the rule's number, as filter show prints it"},
};

static const struct arg policy_args[] = {
	[RULE_POINT] = {POINT_ARG, .required = true, .help = "where"},
	[RULE_POLICY] = {.type = ARG_NAMED, .names = policies,
			 .required = true, .help = "what happens to packets that no rule decides"},
};

static const struct arg point_args[] = {
	{POINT_ARG, .help = "there only"},
};

static const struct arg load_args[] = {
	{.name = "FILE", .type = ARG_TEXT, .required = true,
	 .help = "lines of the filter commands that change something, without the word filter, "
		 "'#' to the end of a line a comment; a relative path begins where millctl runs"},
};

/* handle N (nft's older word: position), index N, or nothing. Returns how many words it took. */
static int take_place(enum hook_point point, const struct value *v, enum filter_place *place,
		      uint32_t *handle, struct error *err)
{
	static const struct arg number = {.name = "N", .type = ARG_NUMBER, .max = UINT32_MAX};
	bool by_index = v->n_words && strcmp(v->words[0], "index") == 0;
	struct value n;
	int rc;

	if (!by_index && (!v->n_words || (strcmp(v->words[0], "handle") != 0 &&
					  strcmp(v->words[0], "position") != 0)))
		return 0;
	if (v->n_words < 2)
		return error_set(err, EINVAL, "\"%s\" is without its number", v->words[0]);
	rc = value_parse(&number, v->words[1], &n, err);
	if (!rc && by_index)
		rc = filter_handle_at(point, n.number, handle, err);
	else
		*handle = n.number;
	if (rc)
		return rc;
	*place = *place == FILTER_FIRST ? FILTER_BEFORE : FILTER_AFTER;
	return 2;
}

static int enter(const struct value *v, enum filter_place place, struct error *err)
{
	static struct filter_draft draft;
	enum hook_point point = v[RULE_POINT].number;
	const struct value *words = &v[RULE_WORDS];
	bool instead = place == FILTER_INSTEAD;
	uint32_t handle = 0;
	int taken, rc;

	if (instead && strcmp(words->words[0], "handle") != 0)
		return error_set(err, EINVAL, "\"%s\" does not say which rule: handle N",
				 words->words[0]);
	taken = take_place(point, words, &place, &handle, err);
	if (taken < 0)
		return taken;
	rc = filter_parse(words->words + taken, words->n_words - taken, &draft, err);
	return rc ? rc
		  : filter_add(point, &draft.rule, instead ? FILTER_INSTEAD : place, handle, err);
}

static int run_add(const struct value *v, struct output *o, struct error *err)
{
	return enter(v, FILTER_LAST, err);
}

static int run_insert(const struct value *v, struct output *o, struct error *err)
{
	return enter(v, FILTER_FIRST, err);
}

static int run_replace(const struct value *v, struct output *o, struct error *err)
{
	return enter(v, FILTER_INSTEAD, err);
}

static int run_del(const struct value *v, struct output *o, struct error *err)
{
	return filter_del(v[RULE_POINT].number, v[RULE_HANDLE].number, err);
}

static int run_reset(const struct value *v, struct output *o, struct error *err)
{
	for (unsigned int point = 0; point < HOOK_POINTS; point++)
		if (!v[0].given || v[0].number == point)
			filter_reset(point);
	return 0;
}

static int run_flush(const struct value *v, struct output *o, struct error *err)
{
	int rc = 0;

	for (unsigned int point = 0; point < HOOK_POINTS && !rc; point++)
		if (!v[0].given || v[0].number == point)
			rc = filter_flush(point, err);
	return rc;
}

static int run_policy(const struct value *v, struct output *o, struct error *err)
{
	return filter_policy_set(v[RULE_POINT].number, v[RULE_POLICY].number, err);
}

/* ---- many at once ---- */

static bool may_be_loaded(const char *verb)
{
	static const char *const verbs[] = {"add", "insert", "replace", "del", "delete", "flush",
					    "policy"};

	for (unsigned int i = 0; i < RTE_DIM(verbs); i++)
		if (strcmp(verb, verbs[i]) == 0)
			return true;
	return false;
}

static int load_line(char *line, const char *name, unsigned int number, struct output *o,
		     struct error *err)
{
	const char *word[WORDS_MAX + 1] = {"filter"};
	struct error why = {0};
	int n = words_split(line, word + 1), rc;

	if (!n)
		return 0;
	if (n > 0 && strcmp(word[1], "filter") == 0) {
		memmove(word + 1, word + 2, (size_t)(n - 1) * sizeof(word[0]));
		n--;
	}
	if (n < 0)
		return error_set(err, EINVAL, "%s:%u: %s", name, number, words_error_text(n));
	if (!n || !may_be_loaded(word[1]))
		return error_set(err, EINVAL,
				 "%s:%u: \"%s\" is not add, insert, replace, del, flush "
				 "or policy",
				 name, number, n ? word[1] : "");
	rc = command_run(n + 1, word, o, &why);
	return rc ? error_set(err, -rc, "%s:%u: %s", name, number, why.text) : 0;
}

static int load_lines(FILE *file, const char *name, struct output *o, struct error *err)
{
	unsigned int number = 0;
	char *line = NULL;
	size_t room = 0;
	int rc = 0;

	while (!rc && getline(&line, &room, file) > 0)
		rc = load_line(line, name, ++number, o, err);
	if (!rc && ferror(file))
		rc = error_set(err, EIO, "%s can not be read", name);
	free(line);
	return rc;
}

static int run_load(const struct value *v, struct output *o, struct error *err)
{
	char path[PATH_MAX];
	struct error ignored;
	FILE *file;
	int rc = file_path(v[0].text, path, err);

	if (rc)
		return rc;
	file = fopen(path, "re");
	if (!file)
		return error_set(err, errno, "%s: %s", path, strerror(errno));
	rc = filter_begin(err);
	if (!rc) {
		rc = load_lines(file, path, o, err);
		if (rc)
			filter_end(false, &ignored);
		else
			rc = filter_end(true, err);
	}
	fclose(file);
	return rc;
}

/* ---- writing ---- */

struct show {
	struct output *o;
	struct output words;
	enum hook_point point;
};

static bool counts(const struct filter_rule *r)
{
	for (unsigned int i = 0; i < r->n; i++)
		if (r->term[i].kind == FILTER_COUNTER)
			return true;
	return false;
}

static int show_rule(const struct filter_info *info, void *arg)
{
	struct show *s = arg;
	struct output *o = s->o;
	const char *words;

	s->words.len = 0;
	filter_show_rule(info->rule, o->json ? NULL : info, &s->words);
	words = out_finish(&s->words);
	out_object(o, NULL);
	out_string(o, "rule", "    ", words ? words : "");
	out_number(o, "handle", " # handle ", info->handle);
	if (o->json && counts(info->rule)) {
		out_number(o, "packets", NULL, info->packets);
		out_number(o, "bytes", NULL, info->bytes);
	}
	out_text(o, "\n");
	out_object_end(o);
	return o->full;
}

static void show_point(struct show *s)
{
	struct output *o = s->o;

	out_object(o, NULL);
	out_string(o, "hook", "", hook_point_name(s->point));
	out_string(o, "policy", " policy ", filter_policy(s->point) ? "accept" : "drop");
	out_text(o, "\n");
	out_array(o, "rules");
	filter_foreach(s->point, show_rule, s);
	out_array_end(o);
	out_object_end(o);
}

static int run_show(const struct value *v, struct output *o, struct error *err)
{
	struct show s = {.o = o};

	out_array(o, NULL);
	for (s.point = 0; s.point < HOOK_POINTS; s.point++)
		if (!v[0].given || v[0].number == s.point)
			show_point(&s);
	out_array_end(o);
	out_free(&s.words);
	return 0;
}

static const struct command commands[] = {
	{"add", "Append a rule.", run_add, COMMAND_ARGS(add_args)},
	{"insert", "Enter a rule before all others.", run_insert, COMMAND_ARGS(add_args)},
	{"replace", "Put a rule in the place of another, at once.", run_replace,
	 COMMAND_ARGS(replace_args)},
	{"del", "Take a rule out.", run_del, COMMAND_ARGS(del_args)},
	{"flush", "Take all rules out.", run_flush, COMMAND_ARGS(point_args)},
	{"reset", "Have rules count from nothing again.", run_reset, COMMAND_ARGS(point_args)},
	{"load", "Run the filter commands of a file: all of them at once, or, if one is refused, "
	 "none.", run_load, COMMAND_ARGS(load_args)},
	{"policy", "Say what happens to packets that no rule decides.", run_policy,
	 COMMAND_ARGS(policy_args)},
	{"show", "List the rules, with what they have counted.", run_show,
	 COMMAND_ARGS(point_args)},
};

const struct noun noun_filter = {
	"filter", "rules that accept, drop or reject packets", NOUN_COMMANDS(commands),
};
