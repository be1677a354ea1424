/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where routes are kept: for each routing table a hash from (prefix, length) to the list of that
 * prefix's routes, and what workers look up. Only this room uses it; of what it holds, workers read
 * the tries and the FIB alone.
 */
#ifndef ROUTE_TABLE_H
#define ROUTE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "route/route.h"
#include "route/trie.h"

struct fib;
struct table_slot;

struct table {
	/* read by workers */
	struct trie trie;               /* indexes; of main it stays empty: route_fib */
	struct fib *fib;                /* the same, if there are many (table_fib.h), else NULL */
	struct trie others;             /* const struct by_tos *, of the prefixes that have others;
					 * of main as the FIB has it, perhaps local's with them */

	/* control thread only */
	uint32_t id;
	unsigned int users;             /* rules that lead here */
	bool fib_refused;               /* it can't have a FIB, unless it gets smaller */
	struct table *next;             /* by rising id */
	struct table_slot *slots;
	uint32_t slots_n, slots_used;
	uint32_t prefixes_n[33];        /* prefixes of each length */
};

/* The three that are always there. */
extern struct table *table_local, *table_main, *table_default;

int table_init(void);           /* 0 or a negative errno */
void table_fini(void);

/* The table of a number, NULL if it has neither routes nor rules. */
struct table *table_get(uint32_t id);
/* The same, made if need be. NULL: no memory, or as many tables as may be, said in err. */
struct table *table_make(uint32_t id, struct error *err);
/* The one of the lowest number; struct table leads on from there. */
struct table *table_first(void);
/* Give it back if nothing is left in it and no rule leads there. */
void table_drop_unused(struct table *t);

/* The routes of exactly this prefix: by falling TOS, then rising metric. */
struct route *table_find(const struct table *t, uint32_t prefix, unsigned int len);

/* Put a copy of like in front of, or behind, the routes of the same TOS and metric. NULL: no
 * memory. */
struct route *table_insert(struct table *t, const struct route *like, bool in_front);
void table_remove(struct table *t, struct route *r);

/* All routes of a table, or of all tables, in no order. fn may remove the route that it is given,
 * and no other. */
void table_sweep_one(struct table *t, void (*fn)(struct table *t, struct route *r, void *arg),
		     void *arg);
void table_sweep(void (*fn)(struct table *t, struct route *r, void *arg), void *arg);

/* All routes by table, prefix (the longest of a base address first), TOS, metric; id 0: of all
 * tables. Stops when fn returns non-zero and returns that; -ENOMEM: no memory to sort them. fn must
 * not change the tables. */
int table_foreach(uint32_t id, int (*fn)(const struct route *r, void *arg), void *arg);

/* "main", "local", "default", else the number; static memory. */
const char *table_name(uint32_t id);

#endif
