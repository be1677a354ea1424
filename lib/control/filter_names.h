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
	/* Where more names are; `named` says what they are names of. NULL: nowhere. */
	bool (*more)(const char *name, uint32_t *value);
	const char *named;
};
extern const struct filter_field filter_fields[FILTER_FIELDS];

/* Fields that are bits of the packet: "icmp id". */
struct filter_payload_field {
	uint8_t protocol;               /* 0: of the IP header */
	struct filter_payload at;       /* without its name: that is the place in here, plus one */
	struct filter_field field;      /* the last one's words are NULL */
};
extern const struct filter_payload_field filter_payload_fields[];

/* What a term's field is called. What has no name is "@th,16,16"; that is valid until the next. */
const struct filter_field *filter_field_of(const struct filter_term *t);

/* Each ends with a name that is NULL. */
extern const struct arg_name filter_protocols[], filter_icmp_codes[], filter_units[],
	filter_byte_units[], filter_log_levels[];
/* The protocols whose ports have words of their own ("tcp dport"), and all that have fields. */
extern const struct arg_name filter_transports[], filter_headers[];

/* "tcp" where its ports have words of their own, else NULL. */
const char *filter_transport(uint32_t protocol);

#endif
