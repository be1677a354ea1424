/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes as text and JSON, for `route` and for `config show`. */
#ifndef CONTROL_SHOW_ROUTE_H
#define CONTROL_SHOW_ROUTE_H

#include "control/commands.h"
#include "ipv4/ipv4.h"
#include "route/replay.h"

/* One route as `ip route show` prints it. with_table: also name a table other than main. */
void show_route(const struct route *r, bool with_table, struct output *o);

/* A step that leads to it, as the words of a command; text. */
void show_route_words(const struct replay_step *s, struct output *o);

/* What was learned of the way to a destination, as `ip route show cache` prints it. Returns whether
 * there is enough. */
int show_route_learned(const struct ip_exception_info *learned, struct output *o);

struct show_get {
	struct ip_way way;
	struct route_answer answer;     /* whose route is NULL where none was needed */
};

/* What `ip route get` prints, and in JSON or behind that: table, priority of the rule, route, and
 * the state of the neighbour. */
void show_route_get(const struct show_get *g, struct output *o);

/* " tos AF11", nothing for 0. */
void show_tos(uint8_t tos, struct output *o);

#endif
