/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes as text and JSON, for `route` and for `config show`. */
#ifndef CONTROL_SHOW_ROUTE_H
#define CONTROL_SHOW_ROUTE_H

#include "control/commands.h"
#include "route/route.h"

/* One route as `ip route show` prints it. with_table: also name a table other than main. */
void show_route(const struct route *r, bool with_table, struct output *o);

/* The same in the words of `route add`, text. */
void show_route_words(const struct route *r, struct output *o);

/* What `ip route get` prints of the route (NULL: none) that a packet to dst would take. */
void show_route_get(const struct route *r, rte_be32_t dst, rte_be32_t from, struct output *o);

#endif
