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

#endif
