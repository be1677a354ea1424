/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where routes are kept: all routing tables in one hash from (table, prefix, length) to the list
 * of that prefix's routes. Only this room and only the control thread uses it; workers look into
 * the FIB.
 */
#ifndef ROUTE_TABLE_H
#define ROUTE_TABLE_H

#include <stdint.h>

#include "route/route.h"

int table_init(void);           /* 0 or a negative errno */
void table_fini(void);

/* The routes of exactly this prefix by rising metric, equal metrics in the order they came. */
struct route *table_find(unsigned int table, uint32_t prefix, unsigned int len);

/* Put a copy of like behind the routes of the same metric. NULL: no memory. */
struct route *table_insert(const struct route *like);
void table_remove(struct route *r);

/* All routes, in no order. fn may remove the route that it is given, and no other. */
void table_sweep(void (*fn)(struct route *r, void *arg), void *arg);

/* All routes by table, prefix, length, metric. Stops when fn returns non-zero and returns that;
 * -ENOMEM: no memory to sort them. fn must not change the tables. */
int table_foreach(unsigned int table, int (*fn)(const struct route *r, void *arg), void *arg);

#endif
