/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What nft(8) calls the fields of filter rules and their values: names that are read
 * (filter_words.h) and written (show_filter.h).
 */
#ifndef CONTROL_FILTER_NAMES_H
#define CONTROL_FILTER_NAMES_H

#include "control/command.h"
#include "ipv4/filter.h"

/* What a field is called, and the names of its values; NULL: it has none. */
struct filter_field {
	const char *words;              /* "ip saddr" */
	const struct arg_name *names;
	uint32_t max;
	bool hex;                       /* how values are written */
};
extern const struct filter_field filter_fields[FILTER_FIELDS];

/* Each ends with a name that is NULL. */
extern const struct arg_name filter_protocols[], filter_icmp_codes[], filter_units[],
	filter_byte_units[];
/* The protocols whose ports have words of their own ("tcp dport"). */
extern const struct arg_name filter_transports[];

/* "tcp" where its ports have words of their own, else NULL. */
const char *filter_transport(uint32_t protocol);

#endif
