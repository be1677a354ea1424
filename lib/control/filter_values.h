/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of the fields of filter rules: numbers, names, addresses, ranges and sets of them. All but
 * filter_read_number() take what stands at the reader's place and return 0, or a negative errno and
 * a sentence that names the word and says what would be right.
 */
#ifndef CONTROL_FILTER_VALUES_H
#define CONTROL_FILTER_VALUES_H

#include "control/filter_names.h"
#include "control/filter_tokens.h"

/* As C writes numbers (10, 0xa, 012), up to the character `end`. False: it is no such number. */
bool filter_read_number(const char *p, char end, uint32_t *number);

/* A number or a name of the field. */
int filter_read_value(struct tokens *s, const struct filter_field *f, uint32_t *number);

/* What a term's field can be: a value or two with a dash between them; of addresses a prefix, too;
 * of TCP flags several with '|' between them. Host byte order. */
int filter_read_range(struct tokens *s, const struct filter_term *t, struct filter_range *r);

/* What is behind an opening brace: A, B, ... } */
int filter_read_set(struct tokens *s, struct filter_term *t);

#endif
