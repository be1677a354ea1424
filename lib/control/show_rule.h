/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules as text and JSON, for `rule` and for `config show`. */
#ifndef CONTROL_SHOW_RULE_H
#define CONTROL_SHOW_RULE_H

#include "control/commands.h"
#include "route/rule.h"

/* As `ip rule show` prints it. */
void show_rule(const struct rule_info *r, struct output *o);

/* In the words of `rule add`, text. */
void show_rule_words(const struct rule_info *r, struct output *o);

#endif
