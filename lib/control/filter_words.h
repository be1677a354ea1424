/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filter rules in nft(8)'s words: reading them, and the names that are read and written. The words
 * of a rule stand in the order in which they are to be taken, as in nft, so they are understood
 * here and not by the table of arguments.
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

/* What a field is called, and the names of its values; NULL: it has none. */
struct filter_field {
	const char *words;              /* "ip saddr" */
	const struct arg_name *names;
	uint32_t max;
	bool hex;                       /* how values are written */
};
extern const struct filter_field filter_fields[FILTER_FIELDS];

extern const struct arg_name filter_protocols[], filter_icmp_codes[], filter_units[],
	filter_byte_units[];

/* "tcp" where its ports have words of their own ("tcp dport"), else NULL. */
const char *filter_transport(uint32_t protocol);

#endif
