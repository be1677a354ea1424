/* SPDX-License-Identifier: BSD-3-Clause */
/* Filter rules in the words of `filter add`. */
#ifndef CONTROL_SHOW_FILTER_H
#define CONTROL_SHOW_FILTER_H

#include "control/output.h"

struct filter_info;
struct filter_rule;

/* The words of a rule; counted: with what its counter says, NULL: without. o is text. */
void filter_show_rule(const struct filter_rule *r, const struct filter_info *counted,
		      struct output *o);

/* A word, in quotes where it needs some to be read back. o is text. config_show.c */
void show_word(struct output *o, const char *word);

#endif
