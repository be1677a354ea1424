/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Policy rules: which table is asked for which packets. Rule H2; Linux's fib_rules.c.
 *
 * Rules stand in a list by rising priority, those of equal priority in the order they came. The
 * first that matches a packet and whose table has an answer settles it; a table that has none, or a
 * route of type throw, leaves it to the next rule. At the start there are three: local (0), main
 * (32766) and default (32767). While there are these and no others workers know of no rules
 * (route_rules is NULL) and ask the FIB alone, but for the rare tables where that makes a
 * difference once the rules have been changed (merge.h); else they read an array that each change
 * replaces as a whole (rule_set.h).
 */
#ifndef ROUTE_RULE_H
#define ROUTE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "link/link.h"
#include "route/route.h"

#define RULE_PRIORITY_LOCAL 0
#define RULE_PRIORITY_MAIN 32766
#define RULE_PRIORITY_DEFAULT 32767

enum rule_action {              /* what iproute2 calls them */
	RULE_TABLE,
	RULE_UNREACHABLE,       /* Linux answers net unreachable, not host unreachable */
	RULE_PROHIBIT,
	RULE_BLACKHOLE,
	RULE_ANY,               /* in rule_del, rule_flush and rule_is_among */
};

struct rule_params {
	bool not;               /* matches where the selectors do not */
	uint32_t from, to;      /* host byte order */
	unsigned int from_len, to_len;  /* 0: any */
	const char *iif;        /* NULL: any; need not exist */
	uint8_t tos;            /* 0: any */
	uint32_t mark, mark_mask;       /* of a packet's mark these bits must be so; mask 0: any */
	bool priority_given;    /* else one less than that of the second rule, as Linux does */
	uint32_t priority;
	enum rule_action action;
	uint32_t table;         /* of RULE_TABLE; 0 with RULE_ANY: any */
};

/* As it stands in the list. */
struct rule_info {
	struct rule_params p;   /* iif: owned by the list */
	bool detached;          /* there is no link of that name now */
};

/* -EEXIST: there is an equal one. */
int rule_add(const struct rule_params *p, struct error *err);
/* Every field that is given must match; the first rule that does goes. */
int rule_del(const struct rule_params *p, struct error *err);
/* Remove all that rule_is_among() names, but for those of priority 0: as in iproute2 these stay,
 * and so does the rule for table local, unless it was moved. -ENOMEM: all stay. */
int rule_flush(const struct rule_params *which, struct error *err);

/* Is a rule one of those that are asked for? Prefixes are if they lie in that which is given; `not`
 * if it is given too; and all else if it is the same, where it is given. */
bool rule_is_among(const struct rule_params *r, const struct rule_params *which);

/* In order. Stops when fn returns non-zero and returns that. */
int rule_foreach(int (*fn)(const struct rule_info *r, void *arg), void *arg);

unsigned int rule_count(void);

/* Is it one of the three that are there at the start? */
bool rule_is_preset(const struct rule_params *p);
/* Are these, in their order, all that there are? */
bool rule_are_presets(void);

/* ---- within this room ---- */

int rule_init(void);            /* 0 or a negative errno */
void rule_fini(void);
/* The rules were changed some time: see to it that workers read them if they have to. 0 or
 * -ENOMEM. */
int rule_settle(void);
/* A link came or went: rules name links. */
void rule_links_changed(void);

#endif
