/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes that follow addresses and the state of links. Within this room. */
#ifndef ROUTE_CONNECTED_H
#define ROUTE_CONNECTED_H

#include "route/route.h"

/* Take in the links that are there and register for what happens to them from now on. */
void connected_init(void);

/* The routes that there would be if the links, lo up and the others down, were given their
 * addresses now, link by link, and then the states that they have: in the order they come, some
 * perhaps twice. The reference to the next hop is fn's. Stops when fn returns non-zero and returns
 * that; -ENOSPC: all next hops are in use. */
int connected_expected(int (*fn)(const struct route *r, void *arg), void *arg);

#endif
