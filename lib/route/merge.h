/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables local and main: looked up as one, or one behind the other. Within this room.
 *
 * As long as the rules have never been changed Linux keeps the two as one trie, of which the
 * longest prefix wins; from the first change on, for ever, it asks local first (fib_unmerge). Links
 * bring along single addresses in local, and for these it makes no difference: local comes before
 * main at equal length. So the FIB holds both also afterwards, while the rule for local is the
 * first and no route is *awkward*: one for which the two ways differ. Then, too, what is refused as
 * a packet's source (rule A) is single addresses, unless rules lead to local routes of other
 * tables.
 */
#ifndef ROUTE_MERGE_H
#define ROUTE_MERGE_H

#include <stdbool.h>

#include "route/table.h"

/* The operator changes the rules: from now on local and main are two tables to what asks for one of
 * them by its number, and sources are looked up in the tables. Linux's fib_has_custom_rules. */
void merge_unmerge(void);
bool merge_is_unmerged(void);
/* The operator has added a local route. Linux's fib_has_custom_local_routes. */
void merge_customise_local(void);
/* What the rules are like, which has a say in how sources are told: the more so the later. */
enum merge_rules {
	MERGE_RULES_PRESET,     /* those of the start */
	MERGE_RULES_LOCAL_FIRST,        /* others behind that for local */
	MERGE_RULES_ANY,
};
void merge_rules(enum merge_rules kind);
/* They are about to be like that: sources are told by whichever of the two asks for more. */
void merge_rules_begin(enum merge_rules kind);

/* The FIB holds main alone. */
bool merge_is_split(void);
/* Make it so; to be called when no worker takes it for both. */
void merge_split(void);
/* May it hold both, and does it now? If so workers may take it for both afterwards. */
bool merge_try(void);
/* The same with rules behind that for local: then main must be seen behind it, by what is to leave
 * by a certain link and goes on where local's way is by another. */
bool merge_try_rules(void);

/* A route is about to come, has come to the table, or has gone. -ENOMEM: it can't come. */
int merge_route_comes(const struct table *t, const struct route *r);
void merge_route_came(const struct table *t);
void merge_route_gone(const struct table *t, const struct route *r);

void merge_fini(void);

#endif
