/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command table. Each command is described once: its words, its arguments with their types,
 * and a sentence of help; the parser, completion, `help`, the error messages and the manual come
 * from that. A noun has a file of its own (cmd_*.c) with its part of the table and its handlers.
 *
 * After noun and verb the arguments may come in any order, as in iproute2. An argument is
 *   a keyword and its value     "via 10.0.0.2"     word and name are set
 *   a value alone               "10.0.0.0/8"       no word, or ARG_BARE: its word may be left out
 *   a keyword alone             "onlink"           ARG_FLAG
 *   a keyword and more such     "nexthop via 10.0.0.2 weight 3"    ARG_GROUP
 * A value alone goes to the argument that has it among its names, else to the first such argument
 * that is not given yet.
 */
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_ether.h>

#include "control/output.h"
#include "core/error.h"

struct link;

enum arg_type {
	ARG_FLAG,       /* a word without a value */
	ARG_NAMED,      /* one of names */
	ARG_NUMBER,     /* from min to max, or one of names */
	ARG_TOS,        /* a byte in hexadecimal, with or without 0x, or one of names */
	ARG_MARK,       /* 32 bits: decimal, hexadecimal after 0x, or octal after 0 */
	ARG_MARK_MASK,  /* the same, and after a / which of the bits count */
	ARG_LINK,       /* the name of a link that is there */
	ARG_NEW_LINK,   /* a name that a link can have */
	ARG_ADDRESS,    /* 10.0.0.1, as iproute2 reads it: 10.1 is 10.1.0.0 */
	ARG_ADDRESS_32, /* the same, or 10.0.0.1/32 */
	ARG_HOST,       /* 10.0.0.1, all of it: other programs take 10.1 for 10.0.0.1 */
	ARG_PREFIX,     /* 10.0.0.0/8, 10/255.0.0.0, default (all, any), an address for its /32 */
	ARG_NETWORK,    /* the same, with no bits set beyond its length */
	ARG_CIDR,       /* 10.0.0.1/24: an address and its subnet */
	ARG_LLADDR,     /* 02:00:00:00:00:01 */
	ARG_TEXT,       /* any word; name says what it is: FILE, PATTERN ... */
	ARG_SETTING,    /* the name of a setting, with or without =VALUE */
	ARG_REST,       /* all the words that are left */
	ARG_COMMAND,    /* the same, which are a command's */
	ARG_GROUP,      /* a keyword with arguments of its own, any number of times, at the end */
};

struct arg_name {
	const char *name;
	uint32_t value;
};

struct arg {
	const char *word;               /* keyword */
	const char *name;               /* what the value is called in help; NULL: its names */
	enum arg_type type;
	bool required;
	bool bare;                      /* may stand without its word */
	bool lockable;                  /* "lock" may stand before the value */
	bool after_to;                  /* "to" may stand before its word */
	bool preferred;                 /* of several words that begin so, this one is meant */
	bool many;                      /* may be given again: all of the numbers, or'ed */
	const struct arg_name *names;   /* up to one whose name is NULL */
	uint32_t min, max;
	const char *help;
	const struct arg *group;        /* of an ARG_GROUP: what may stand behind its keyword */
	unsigned int n_group;
};

struct value {
	bool given;
	bool locked;                    /* "lock" stands before it */
	const char *text;               /* the word as given */
	union {
		uint32_t number;
		struct {
			uint32_t mark, mask;
			bool mask_given;
		};
		struct link *link;
		rte_be32_t address;
		struct {
			uint32_t prefix;        /* host byte order */
			unsigned int len;
		};
		struct rte_ether_addr lladdr;
		struct {
			const char *const *words;
			int n_words;
		};
	};
};

#define ARGS_MAX 24

/* A handler finds its arguments in v[] where args[] describes them. Returns 0 or a negative errno
 * with the sentence in err; what it has written to o is thrown away then, but for -EINPROGRESS
 * where o->live is set (job.h), and for -ENODATA: there is a result, but not what was hoped for. */
typedef int (*command_fn)(const struct value *v, struct output *o, struct error *err);

struct command {
	const char *verb;               /* NULL: the noun alone is the command */
	const char *help;
	command_fn run;
	const struct arg *args;
	unsigned int n_args;
};

struct noun {
	const char *name;
	const char *help;
	const struct command *commands;
	unsigned int n_commands;
};

#define COMMAND_ARGS(a) .args = (a), .n_args = RTE_DIM(a)
#define NOUN_COMMANDS(c) .commands = (c), .n_commands = RTE_DIM(c)

/* All nouns, sorted by name. */
extern const struct noun *const nouns[];
extern const unsigned int nouns_count;

/* Words as they are meant: noun and verb by name or by an iproute2 alias (address, delete ...).
 * abbreviated: also by the beginning of a name that has no other. NULL if there is none. */
const struct noun *noun_find(const char *word, bool abbreviated);
const struct command *verb_find(const struct noun *n, const char *word, bool abbreviated);

/* The argument whose keyword this is, NULL if none. */
const struct arg *arg_find(const struct command *c, const char *word);
/* The argument that takes the word without a keyword, NULL if none: the one that has it among its
 * names (which may be given already), else the first that is not given yet. */
const struct arg *arg_find_bare(const struct command *c, const struct value *v, const char *word);

/* Options of one letter in one word, as getopt() has them: flags, "-az", and at the end one with
 * its value, "-c3". false: it is something else. */
struct arg_letters {
	bool flag[ARGS_MAX];         /* of the command's arguments, which are given */
	const struct arg *last;      /* one with a value, NULL: none */
	const char *value;
};
bool arg_letters(const struct command *c, const char *word, struct arg_letters *l);

/* A command that was understood. The words must stay as long as it is used. */
struct call {
	const struct noun *noun;
	const struct command *command;
	struct value v[ARGS_MAX];
};

/* Understand the words. The sentence in err names the word that is wrong. */
int command_parse(int argc, const char *const *argv, bool abbreviated, struct call *call,
		  struct error *err);

/* The words that an ARG_GROUP was given, a group at a time: words[0] is the keyword; v is filled in
 * as a->group describes. Returns how many words the group takes, up to the next keyword, or a
 * negative errno. */
int command_parse_group(const struct arg *a, int n_words, const char *const *words,
			struct value *v, struct error *err);

/* Do it. o may be NULL. */
int command_call(const struct call *call, struct output *o, struct error *err);

/* Both. */
int command_run(int argc, const char *const *argv, struct output *o, struct error *err);

/* What could stand in place of the last word (of which only the beginning may be there). */
typedef void (*candidate_fn)(const char *word, const char *help, void *arg);
void command_complete(int argc, const char *const *argv, candidate_fn fn, void *arg);

#endif
