/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Matches of filter rules: from "ip saddr" to "meta pkttype". Only for those who read rules.
 */
#ifndef CONTROL_FILTER_MATCHES_H
#define CONTROL_FILTER_MATCHES_H

#include "control/filter_tokens.h"

/* The match that stands here ("mark set" is taken, too). 0; 1: none begins with this word; or a
 * negative errno and a sentence. */
int filter_read_match(struct tokens *s);

/* One term more, with nothing in it. NULL and a sentence: there is no room for it. */
struct filter_term *filter_term_new(struct tokens *s, enum filter_kind kind);

/* From here on the rule is for one protocol. 0, or a negative errno and a sentence: it is for
 * another already, or there is no room. As nft does, ports and ICMP types are only looked for in
 * packets of their protocol. */
int filter_protocol_is(struct tokens *s, uint32_t protocol);

#endif
