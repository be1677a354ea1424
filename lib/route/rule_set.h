/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules as workers read them: an array that the control thread replaces as a whole (rule.c).
 *
 * Mostly the first rule is that for local, without selectors, and no route makes it matter whether
 * local and main are looked up as one or one behind the other (merge.h). Then the FIB goes on to
 * hold both, and the set is *merged*: what the FIB says to be local or broadcast is the first
 * rule's answer, and for all else the FIB's answer is that of table main, whenever a rule leads
 * there.
 *
 * Then only the rules before the one that leads everything to main can take a packet elsewhere, and
 * for packets without a mark it is known beforehand which of these can match what comes in by which
 * link: the *diverting* ones, of which the fast path makes use.
 */
#ifndef ROUTE_RULE_SET_H
#define ROUTE_RULE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

#include "route/by_tos.h"
#include "route/route.h"

struct fib_view;
struct table;

/* What rules ask of a packet, side by side, so that one comparison does for all of it. Addresses as
 * they lie in the header. */
enum { RULE_SRC, RULE_DST, RULE_MARK, RULE_REST };
typedef uint32_t rule_key __attribute__((vector_size(16)));

#define RULE_IIF_SHIFT 16       /* in RULE_REST: a link's id; below it the TOS */
#define RULE_IIF_NONE 0xffffu   /* of a link that is not there */

struct rule {
	rule_key value, mask;   /* mask 0: any */
	const struct table *table;      /* NULL: the rule itself is the answer, */
	uint16_t nexthop;       /* and this its index */
	bool not;
	uint32_t priority;
	uint64_t links;         /* of a diverting one: what comes in there may match, a bit each */
};

struct rule_set {
	bool merged;
	uint64_t diverted_links;        /* those of all that are */
	const struct rule *diverting;   /* without marks; what matches none goes by the FIB */
	unsigned int n_diverting;
	unsigned int n;
	struct rule rules[];
};

static inline rule_key rule_key_of(const struct route_flow *f)
{
	return (rule_key){ f->src, f->dst, f->mark,
			   (uint32_t)f->iif << RULE_IIF_SHIFT | f->tos };
}

static inline bool rule_matches(const struct rule *r, rule_key key)
{
	typedef uint64_t halves __attribute__((vector_size(16)));
	halves differ = (halves)((key ^ r->value) & r->mask);

	return !(differ[0] | differ[1]) != r->not;
}

/* A packet matches a diverting rule. index: the FIB's answer, which becomes that of the rule;
 * false: the rule has none, and the next that matches is to be asked. */
bool rule_diverts(const struct rule *r, rte_be32_t dst, uint8_t tos, uint32_t *index);

/* What the longest prefix of the rule's table has for each of n destinations (host byte order).
 * Where that is a next hop with a gateway, and the FIB's answer is none of the router's own
 * addresses, rule_diverts() would say the same. */
void rule_longest(const struct rule *r, const uint32_t *dst, uint16_t *index, unsigned int n);

/* The slots that rule_longest() reads, if its table has a FIB, to fetch them ahead; else NULL. */
const struct fib_view *rule_slots(const struct rule *r);

#endif
