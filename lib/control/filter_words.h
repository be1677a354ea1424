/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading filter rules in nft(8)'s words. The words of a rule stand in the order in which they are
 * to be taken, as in nft, so they are understood here and not by the table of arguments.
 */
#ifndef CONTROL_FILTER_WORDS_H
#define CONTROL_FILTER_WORDS_H

#include "control/command.h"
#include "ipv4/filter.h"

/* A rule that is being read, and the memory of its sets. */
struct filter_draft {
	struct filter_rule rule;
	struct filter_range range[FILTER_RANGES_MAX];
};

/* 0, or -EINVAL or -E2BIG and a sentence that names the word and says what would be right. */
int filter_parse(const char *const *word, int n, struct filter_draft *d, struct error *err);

#endif
