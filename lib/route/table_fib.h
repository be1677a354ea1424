/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The FIB of a table other than main, from as many prefixes on as net.millrace.table_fib_prefixes
 * says: a trie as large as the Internet would be two dozen cache misses a search. Within this room.
 *
 * The trie stays, and is what is true. The FIB only is quicker: it follows each change of an index,
 * and where it can't (there is no memory, or too many /24 have longer prefixes), it goes.
 */
#ifndef ROUTE_TABLE_FIB_H
#define ROUTE_TABLE_FIB_H

#include "route/table.h"

/* 0 or a negative errno. */
int table_fib_init(void);
void table_fib_fini(void);

/* What the trie holds for a prefix has become this (FIB_NONE: nothing). Control thread. */
void table_fib_follow(struct table *t, uint32_t prefix, unsigned int len, uint16_t index);

/* The table does without from now on. */
void table_fib_drop(struct table *t);

#endif
