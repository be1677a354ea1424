/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The routes as steps that lead to them from what the links and their addresses bring along by
 * themselves (connected.h). Where that is not what there is, it is deleted, and entered again among
 * the others.
 *
 * What a route leads to is found when it is entered, and the tables may have changed since, so the
 * steps come in parts, and each says of a way whether it would be found again:
 *
 *   deleted        what has come by itself and is not there, or is at another place
 *   on the links   all that gateways are found by: routes of link or host scope; and what has no
 *                  gateway
 *   gateways       routes over gateways that are found by these, whatever the rules say; and those
 *                  over gateways that are found by nothing any more
 *   after rules    routes over gateways that are found as the rules say, but not without them
 *
 * Routes of the same key (table, prefix, TOS, metric) have an order, and come in one part.
 */
#ifndef ROUTE_REPLAY_H
#define ROUTE_REPLAY_H

#include "route/route.h"

enum replay_part {
	REPLAY_DELETED,
	REPLAY_ON_LINKS,
	REPLAY_GATEWAYS,
	REPLAY_AFTER_RULES,
};

enum replay_verb { REPLAY_DEL, REPLAY_ADD, REPLAY_APPEND, REPLAY_PREPEND };

struct replay;

struct replay_step {
	enum replay_verb verb;
	const struct route *route;
	struct replay *replay;
	enum replay_part part;
};

/* NULL: no memory, or no next hop is left. */
struct replay *replay_new(void);
void replay_free(struct replay *p);

/* The steps of a part; the parts in their order. Stops when fn returns non-zero and returns that.
 * fn must not change routes. */
int replay_foreach(struct replay *p, enum replay_part part,
		   int (*fn)(const struct replay_step *s, void *arg), void *arg);

/* Would a way of the route, its next hop or a member of that, be found where it is, if the route
 * was entered at this step? Also where its source is no address of the router's it would not. */
bool replay_finds(const struct replay_step *s, const struct nexthop *way);

#endif
