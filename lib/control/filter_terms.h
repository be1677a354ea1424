/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One match of a filter rule, once it is known of what: "< 5", "!= { 1, 3 }", "& 0xff == 7". Only
 * for those who read rules.
 */
#ifndef CONTROL_FILTER_TERMS_H
#define CONTROL_FILTER_TERMS_H

#include "control/filter_tokens.h"

/* One term more, with nothing in it. NULL and a sentence: there is no room for it. */
struct filter_term *filter_term_new(struct tokens *s, enum filter_kind kind);

/* What the term's field is compared with: [& MASK] [== | != | < | > | <= | >=] VALUE, RANGE or
 * { ... }. t: NULL is passed on as an error. 0, or a negative errno and a sentence. */
int filter_read_term(struct tokens *s, struct filter_term *t);

/* Of what has no order, == or != or neither, which means ==; as above. */
int filter_read_equality(struct tokens *s, struct filter_term *t);

/* What tcp flags are compared with, in a term of its own. */
int filter_read_flags(struct tokens *s);

/* From here on the rule is for one protocol. 0, or a negative errno and a sentence: it is for
 * another already, or there is no room. As nft does, ports and ICMP types are only looked for in
 * packets of their protocol. */
int filter_protocol_is(struct tokens *s, uint32_t protocol);

#endif
