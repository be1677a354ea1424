/* SPDX-License-Identifier: BSD-3-Clause */
/* Words into values, by the type of the argument they stand for. */
#ifndef CONTROL_VALUE_H
#define CONTROL_VALUE_H

#include "control/command.h"
#include "core/prefix.h"

/* Understand the word as the argument's value. The sentence in err names the word. */
int value_parse(const struct arg *a, const char *word, struct value *v, struct error *err);

/* Four numbers, as all programs read them? No more than a look at the points. */
bool value_is_whole_address(const char *word);

/* Does an address lie in a prefix that was given? */
static inline bool value_covers(const struct value *v, uint32_t addr)
{
	return prefix_agree(v->prefix, addr, v->len);
}

/* The number that a name of the argument stands for; false: it has no such name. */
bool value_named(const struct arg *a, const char *word, uint32_t *number);

/* The name of a number, NULL if it has none. */
const char *value_name(const struct arg_name *names, uint32_t number);

#endif
